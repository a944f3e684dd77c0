"""What a sound input must do, on both that there are: a WAV file, and ALSA at the monitor of a PulseAudio."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.player.parts import BYTES_PER_MS, Loudspeaker, noise, periods, wav
from ttcs_edge.drivers.sound import PERIOD_BYTES, PERIOD_MS, AlsaSink, SoundError
from ttcs_edge.drivers.sound_input import SILENT_INPUT_S, AlsaInput, SoundInput, WavInput, open_input
from ttcs_edge.settings import SoundDriver

SPOKEN_MS = 500


@dataclass(frozen=True)
class Ear:
    """An input, one that does not exist and its error, how to speak into it, and how it is pulled out and put back."""

    input: SoundInput
    missing: SoundInput
    missing_error: str
    speak: Callable[[], None]
    pull_out: Callable[[], None]
    put_back: Callable[[], None]


@pytest.fixture(scope="module")
def loudspeaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loudspeaker]:
    """A loudspeaker whose sound is what the input hears."""
    loudspeaker = Loudspeaker(tmp_path_factory.mktemp("loudspeaker"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALSA_CONFIG_PATH", str(loudspeaker.config))
        yield loudspeaker
    loudspeaker.unplug()


@pytest.fixture
def speaker(loudspeaker: Loudspeaker) -> Loudspeaker:
    """The loudspeaker, plugged in."""
    loudspeaker.listen()
    return loudspeaker


@pytest.fixture(params=list(SoundDriver))
def ear(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ear]:
    """Each input in turn."""
    if request.param is SoundDriver.WAV:
        file, away = wav(tmp_path / "speech.wav", noise(SPOKEN_MS)), tmp_path / "away.wav"
        missing = tmp_path / "nowhere.wav"
        yield Ear(
            open_input(SoundDriver.WAV, str(file)),
            open_input(SoundDriver.WAV, str(missing)),
            f"[Errno 2] No such file or directory: '{missing}'",
            lambda: None,
            lambda: os.rename(file, away),
            lambda: os.rename(away, file),
        )
        return
    speaker: Loudspeaker = request.getfixturevalue("speaker")

    def speak() -> None:
        sink = AlsaSink("pole", 2 * SPOKEN_MS)
        sink.begin(1)
        for period in periods(noise(SPOKEN_MS)):
            sink.write(period)
        sink.end()

    yield Ear(
        open_input(SoundDriver.ALSA, "ear"),
        open_input(SoundDriver.ALSA, "nowhere"),
        "No such file or directory [nowhere]",
        speak,
        speaker.unplug,
        speaker.start,
    )


@pytest.fixture
def heard(ear: Ear) -> Iterator[SoundInput]:
    """The input, awake and begun."""
    ear.input.begin()
    ear.input.read()
    yield ear.input
    ear.input.end()


def read(sound_input: SoundInput, count: int) -> bytes:
    """So many periods."""
    return b"".join(sound_input.read() for _ in range(count))


class TestContract:
    """What the Protocol promises."""

    def test_what_is_spoken_is_heard_once_and_in_order(self, ear: Ear, heard: SoundInput) -> None:
        """To the sample, in whole periods."""
        ear.speak()
        got = read(heard, 2 * SPOKEN_MS // PERIOD_MS + 50)

        assert len(got) == (2 * SPOKEN_MS // PERIOD_MS + 50) * PERIOD_BYTES
        assert noise(SPOKEN_MS)[2:-2] in got
        assert heard.overruns == 0

    def test_the_input_sets_the_pace(self, heard: SoundInput) -> None:
        """A second of sound takes a second, and each period comes within moments of the one before it."""
        began_s, waits_s = time.monotonic(), []
        for _ in range(100):
            before_s = time.monotonic()
            assert len(heard.read()) == PERIOD_BYTES
            waits_s.append(time.monotonic() - before_s)

        assert 0.95 < time.monotonic() - began_s < 1.1
        assert sorted(waits_s)[-3] < 0.05

    def test_an_input_that_does_not_exist_is_an_error_that_names_it(self, ear: Ear) -> None:
        """Every time it is tried, without a wait; and it may be closed all the same."""
        for _ in range(3):
            before_s = time.monotonic()
            with pytest.raises(SoundError) as caught:
                ear.missing.begin()
            assert str(caught.value) == ear.missing_error
            assert time.monotonic() - before_s < 0.1
            ear.missing.end()

    def test_an_input_that_is_pulled_out_is_an_error_and_hears_again_when_it_is_back(
        self, ear: Ear, heard: SoundInput
    ) -> None:
        """Told within the time that an input may be silent."""
        ear.pull_out()
        before_s = time.monotonic()
        with pytest.raises(SoundError):
            read(heard, 1_000)
        assert time.monotonic() - before_s < SILENT_INPUT_S + 0.2
        heard.end()
        ear.put_back()
        heard.begin()

        assert len(read(heard, 10)) == 10 * PERIOD_BYTES


class TestAlsa:
    """What only ALSA has."""

    def test_a_card_that_hears_something_else_is_an_error_and_not_noise(self, speaker: Loudspeaker) -> None:
        """Two channels would be heard at half their speed."""
        with pytest.raises(SoundError) as caught:
            AlsaInput("stereo").begin()

        assert str(caught.value) == (
            "hears 48000 Hz, 2 channels, S16_LE; expected 48000 Hz, 1 channel, S16_LE: "
            "a plughw: or default device converts [stereo]"
        )

    def test_an_input_that_gives_no_samples_is_an_error(self, speaker: Loudspeaker) -> None:
        """It is there, and says nothing: told after half a second, never waited for without end."""
        sound_input = AlsaInput("ear")
        sound_input.begin()
        before_s = time.monotonic()
        read(sound_input, 5)
        speaker.freeze()
        with pytest.raises(SoundError) as caught:
            read(sound_input, 1_000)
        took_s = time.monotonic() - before_s
        speaker.thaw()
        sound_input.end()

        assert str(caught.value) == "the input gives no samples [ear]"
        assert SILENT_INPUT_S < took_s < SILENT_INPUT_S + 1

    def test_what_the_library_says_of_a_missing_card_is_not_printed(self, capfd: pytest.CaptureFixture[str]) -> None:
        """The journal holds one JSON object a line."""
        with pytest.raises(SoundError):
            AlsaInput("nowhere").begin()

        assert capfd.readouterr().err == ""


class TestWav:
    """What only the file has."""

    def test_a_file_is_heard_round_and_round(self, tmp_path: Path) -> None:
        """Also one that is no whole number of periods, or shorter than one: to the sample."""
        for length in (3 * PERIOD_BYTES + 100, 14):
            sound_input = WavInput(wav(tmp_path / "speech.wav", noise(100)[:length]))
            sound_input.begin()
            got = read(sound_input, 10)
            sound_input.end()

            assert got == (noise(100)[:length] * 1_000)[: 10 * PERIOD_BYTES]

    def test_what_nobody_reads_in_time_is_lost_and_counted(self, tmp_path: Path) -> None:
        """As in a card: what comes next is what is heard now."""
        sound_input = WavInput(wav(tmp_path / "speech.wav", noise(5_000)))
        sound_input.begin()
        first = sound_input.read()
        time.sleep(0.3)  # nobody reads meanwhile
        after, late_ns = sound_input.read(), time.monotonic_ns() - sound_input.begin_ns
        sound_input.end()

        assert first == noise(5_000)[:PERIOD_BYTES]
        place_ms = noise(5_000).find(after) // BYTES_PER_MS
        assert late_ns / 1e6 - 3 * PERIOD_MS <= place_ms <= late_ns / 1e6 - PERIOD_MS
        assert sound_input.overruns == 1

    def test_a_file_that_is_cut_short_is_an_error(self, tmp_path: Path) -> None:
        """As a cable that breaks."""
        file = wav(tmp_path / "speech.wav", noise(5_000))
        sound_input = WavInput(file)
        sound_input.begin()
        os.truncate(file, 44 + 20 * BYTES_PER_MS)
        with pytest.raises(SoundError) as caught:
            read(sound_input, 1_000)
        sound_input.end()

        assert str(caught.value) == f"the file was cut short [{file}]"

    @pytest.mark.parametrize(
        ("data", "error"),
        [
            (b"", "not a whole WAV file [{}]"),
            (b"xin chao ba con " * 10, "file does not start with RIFF id"),
            (
                b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x40\x1f\0\0\0\x7d\0\0\x04\0\x10\0data\0\0\0\0",
                "holds 0 samples of 8000 Hz, 2 channels, 16 bit; "
                "expected at least one of 48000 Hz, 1 channel, 16 bit [{}]",
            ),
        ],
    )
    def test_a_file_of_something_else_is_an_error(self, tmp_path: Path, data: bytes, error: str) -> None:
        """It says what it found."""
        file = tmp_path / "speech.wav"
        file.write_bytes(data)
        with pytest.raises(SoundError) as caught:
            WavInput(file).begin()

        assert str(caught.value) == error.format(file)
