"""What a sound device must do, on both that there are: a WAV file, and ALSA into a loudspeaker that is listened to.

There is no card and no snd-aloop in a container: ALSA ends in a PulseAudio with a silent sink, which has the same
library, the same calls and a clock of its own. A card that is busy cannot be had there: PulseAudio mixes.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.parts import eventually
from tests.player.parts import (
    BYTES_PER_MS,
    Listening,
    Loudspeaker,
    Source,
    hertz,
    noise,
    periods,
    rms_db,
    runs_of_sound,
    samples,
    tone,
    wav,
)
from ttcs_edge.core.events import PlayerReady, SoundDevice, SoundEnded, SoundProgress
from ttcs_edge.drivers.sound import PERIOD_MS, AlsaSink, SoundError, SoundSink, WavSink, open_sink
from ttcs_edge.settings import SoundDriver, SoundSettings

BUFFER_MS = 80
"""Twice the default: a machine that runs other tests beside is late more often than a station."""
GAP_MS = 20


@dataclass(frozen=True)
class Device:
    """A device, one like it that does not exist, what was heard so far, and how it fails a process and is mended."""

    settings: SoundSettings
    missing: SoundSettings
    missing_error: str
    heard: Callable[[], bytes]
    breaks: Callable[[int], None]
    mends: Callable[[int], None]


@pytest.fixture(scope="module")
def loudspeaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loudspeaker]:
    """A loudspeaker, and the way to it for this process and its children."""
    loudspeaker = Loudspeaker(tmp_path_factory.mktemp("loudspeaker"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALSA_CONFIG_PATH", str(loudspeaker.config))
        yield loudspeaker
    loudspeaker.unplug()


@pytest.fixture
def speaker(loudspeaker: Loudspeaker) -> Loudspeaker:
    """The loudspeaker, plugged in and listened to from now on."""
    loudspeaker.listen()
    return loudspeaker


@pytest.fixture(params=[SoundDriver.WAV, SoundDriver.ALSA])
def device(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Device]:
    """Each device in turn."""
    if request.param is SoundDriver.WAV:
        file = tmp_path / "aired.wav"
        missing = tmp_path / "nowhere" / "aired.wav"

        def full(pid: int) -> None:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (file.stat().st_size + 100, resource.RLIM_INFINITY))

        def roomy(pid: int) -> None:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

        yield Device(
            SoundSettings(SoundDriver.WAV, "wav", file, BUFFER_MS),
            SoundSettings(SoundDriver.WAV, "wav", missing, BUFFER_MS),
            f"[Errno 2] No such file or directory: '{missing}'",
            lambda: samples(file) if file.exists() else b"",
            full,
            roomy,
        )
        roomy(os.getpid())
        return
    speaker: Loudspeaker = request.getfixturevalue("speaker")
    yield Device(
        SoundSettings(SoundDriver.ALSA, "pole", None, BUFFER_MS),
        SoundSettings(SoundDriver.ALSA, "nowhere", None, BUFFER_MS),
        "No such file or directory [nowhere]",
        speaker.heard,
        lambda pid: speaker.unplug(),
        lambda pid: speaker.start(),
    )


@pytest.fixture
def sink(device: Device) -> Iterator[SoundSink]:
    """The device, opened once already, so that it is awake."""
    sink = open_sink(device.settings)
    sink.begin(0)
    sink.end()
    yield sink
    sink_closed(sink)


def sink_closed(sink: SoundSink) -> None:
    """Close it, whatever state a test left it in."""
    with suppress(SoundError):
        sink.end()


def put(sink: SoundSink, data: bytes) -> None:
    """Hand samples over, period by period."""
    for period in periods(data):
        sink.write(period)


class TestContract:
    """What the Protocol promises."""

    def test_what_is_written_is_heard_once_and_in_order(self, device: Device, sink: SoundSink) -> None:
        """To the sample, from the first to the last, and nothing is heard of what was not written."""
        sink.begin(1)
        put(sink, noise(1_000))
        sink.end()

        assert device.heard().strip(b"\0") == noise(1_000).strip(b"\0")
        assert sink.underruns == 0

    def test_a_tone_is_as_long_as_high_and_as_loud_as_it_was_written(self, device: Device, sink: SoundSink) -> None:
        """Two seconds of 1 kHz at half of full scale, without a gap."""
        sink.begin(1)
        put(sink, tone(2_000))
        sink.end()
        heard = device.heard()

        (run,) = runs_of_sound(heard, gap_ms=GAP_MS)
        assert run[1] == pytest.approx(2_000, abs=GAP_MS)
        middle = heard[int(run[0] + 200) * BYTES_PER_MS : int(run[0] + 1_800) * BYTES_PER_MS]
        assert hertz(middle) == pytest.approx(1_000, abs=1)
        assert rms_db(middle) == pytest.approx(-9.03, abs=0.1)

    def test_the_device_sets_the_pace(self, sink: SoundSink) -> None:
        """A second of sound takes a second, less what the buffer holds; no write waits for longer than the buffer."""
        sink.begin(1)
        waits_s = []
        began_s = time.monotonic()
        for period in periods(noise(1_000)):
            before_s = time.monotonic()
            sink.write(period)
            waits_s.append(time.monotonic() - before_s)
        took_s = time.monotonic() - began_s
        sink.end()

        assert 1.0 - BUFFER_MS / 1_000 - 0.03 <= took_s < 1.1
        assert sorted(waits_s)[-3] < (BUFFER_MS + PERIOD_MS) / 1_000

    def test_the_first_period_is_taken_without_a_wait(self, sink: SoundSink) -> None:
        """Also some time after the device was opened: a play is commanded ahead of its instant. One of three may be
        late by what else this machine does."""
        for ahead_s in (0.0, 0.15, 0.5):
            waits_s = []
            for number in (1, 2, 3):
                sink.begin(number)
                time.sleep(ahead_s)
                before_s = time.monotonic()
                put(sink, noise(10))
                waits_s.append(time.monotonic() - before_s)
                sink.end()
            assert sorted(waits_s)[1] < PERIOD_MS / 2_000, ahead_s

    def test_one_play_after_the_other_is_heard_whole(self, device: Device, sink: SoundSink) -> None:
        """Opened and closed for each."""
        for seed in (1, 2, 3):
            sink.begin(seed)
            put(sink, noise(200, seed))
            sink.end()
        heard = device.heard()

        positions = [heard.find(noise(200, seed)[2:-2]) for seed in (1, 2, 3)]
        assert positions == sorted(positions)
        assert positions[0] >= 0

    def test_a_play_without_a_sample_leaves_silence(self, device: Device, sink: SoundSink) -> None:
        """Opened and closed again: stopped before its instant."""
        sink.begin(1)
        sink.end()
        sink.end()

        assert device.heard().strip(b"\0") == b""

    def test_a_device_that_does_not_exist_is_an_error_that_names_it(self, device: Device) -> None:
        """Every time it is tried, without a wait."""
        sink = open_sink(device.missing)
        for _ in range(3):
            before_s = time.monotonic()
            with pytest.raises(SoundError) as caught:
                sink.begin(1)
            assert str(caught.value) == device.missing_error
            assert time.monotonic() - before_s < 0.1
        sink.end()

    def test_a_device_that_goes_in_the_middle_is_an_error_and_serves_again_when_it_is_back(
        self, device: Device, sink: SoundSink
    ) -> None:
        """Pulled out, or its card full: told within a second, by write or by end."""
        sink.begin(1)
        put(sink, noise(100))
        device.breaks(os.getpid())
        before_s = time.monotonic()
        with pytest.raises(SoundError):
            put(sink, noise(1_000))
            sink.end()
        assert time.monotonic() - before_s < 1.0
        sink_closed(sink)
        device.mends(os.getpid())
        sink.begin(2)
        put(sink, noise(200, 2))
        sink.end()

        assert noise(200, 2)[2:-2] in device.heard()


class TestAtThePlayer:
    """The same, as the daemon is told of it."""

    @pytest.fixture
    def listening(self, device: Device, tmp_path: Path) -> Iterator[Listening]:
        """A player on each device."""
        listening = Listening(tmp_path, device.settings)
        listening.wait(PlayerReady)
        yield listening
        listening.close()

    def test_a_tone_is_heard_whole_at_its_volume(self, device: Device, listening: Listening, tmp_path: Path) -> None:
        """Through libvlc and the device: length, pitch and level of half the volume, 12 dB down."""
        listening.play(1, Source(wav(tmp_path / "tone.wav", tone(2_000)).read_bytes(), 2_000), volume_percent=50)
        assert listening.wait(SoundEnded) == SoundEnded(1, True, (2_000,), None)
        heard = device.heard()

        (run,) = runs_of_sound(heard, gap_ms=GAP_MS)
        assert run[1] == pytest.approx(2_000, abs=GAP_MS)
        middle = heard[int(run[0] + 200) * BYTES_PER_MS : int(run[0] + 1_800) * BYTES_PER_MS]
        assert hertz(middle) == pytest.approx(1_000, abs=1)
        assert rms_db(middle) == pytest.approx(-9.03 - 12.04, abs=0.2)
        assert listening.all(SoundProgress)[-1].underruns == 0

    def test_fades_are_heard_to_rise_and_to_fall(self, device: Device, listening: Listening, tmp_path: Path) -> None:
        """Without a step, in their time."""
        clip = Source(wav(tmp_path / "tone.wav", tone(3_000)).read_bytes(), 3_000)
        listening.play(1, clip, fade_in_ms=400)
        eventually(lambda: listening.all(SoundProgress)[-1:] and listening.all(SoundProgress)[-1].written_ms >= 900)
        listening.player.stop(1, 400)
        ended = listening.wait(SoundEnded)
        heard = device.heard()
        (run,) = runs_of_sound(heard, threshold=50, gap_ms=GAP_MS)
        sound = heard[round(run[0]) * BYTES_PER_MS : round(run[0] + run[1]) * BYTES_PER_MS]
        levels = [rms_db(piece) for piece in periods(sound)]

        assert run[1] == pytest.approx(ended.item_written_ms[0], abs=GAP_MS)
        assert levels[:36] == sorted(levels[:36])
        assert levels[-36:-1] == sorted(levels[-36:-1], reverse=True)
        assert max(levels) == pytest.approx(-9.03, abs=0.1)

    def test_a_device_that_goes_in_the_middle_ends_the_play_with_what_was_written(
        self, device: Device, listening: Listening, tmp_path: Path
    ) -> None:
        """A fault, an end with its reason and count; and when the device is back, the fault ends and sound comes."""
        clip = tmp_path / "clip.wav"
        listening.play(1, Source(wav(clip, noise(4_000)).read_bytes(), 4_000))
        eventually(lambda: listening.all(SoundProgress)[-1:] and listening.all(SoundProgress)[-1].written_ms >= 500)
        device.breaks(listening.pid)
        broken = listening.wait(SoundDevice)
        ended = listening.wait(SoundEnded)

        assert (broken.ok, broken.device) == (False, listening.all(PlayerReady)[0].device)
        assert broken.error != ""
        assert (ended.completed, ended.failure) == (False, "sound-device")
        assert 500 <= ended.item_written_ms[0] < 1_500
        device.mends(listening.pid)
        assert listening.wait(SoundDevice, 20.0) == SoundDevice(True, broken.device, "")
        listening.play(2, Source(wav(clip, noise(300, 2)).read_bytes(), 300))
        assert listening.wait(SoundEnded) == SoundEnded(2, True, (300,), None)
        assert noise(300, 2)[2:-2] in device.heard()


class TestAlsa:
    """What only ALSA has."""

    def test_a_card_that_plays_something_else_is_an_error_and_not_noise(self, speaker: Loudspeaker) -> None:
        """The library would play mono samples on a stereo card at twice their speed, and say nothing."""
        sink = AlsaSink("stereo", BUFFER_MS)
        with pytest.raises(SoundError) as caught:
            sink.begin(1)

        assert str(caught.value) == (
            "plays 48000 Hz, 2 channels, S16_LE; expected 48000 Hz, 1 channel, S16_LE: "
            "a plughw: or default device converts [stereo]"
        )

    def test_what_the_library_says_of_a_missing_card_is_told_once_and_not_printed(
        self, speaker: Loudspeaker, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        """The journal holds one JSON object a line; a card that stays away must not fill it."""
        listening = Listening(tmp_path, SoundSettings(SoundDriver.ALSA, "nowhere", None, BUFFER_MS))
        gone = listening.wait(SoundDevice)
        listening.close()

        assert gone == SoundDevice(False, "nowhere", "No such file or directory [nowhere]")
        assert capfd.readouterr().err == ""

    def test_a_card_that_goes_while_nothing_plays_is_told_before_it_is_needed(
        self, speaker: Loudspeaker, tmp_path: Path
    ) -> None:
        """Seconds before the cue, once the player knows what comes; and told again when it is back, once each."""
        listening = Listening(tmp_path, SoundSettings(SoundDriver.ALSA, "pole", None, BUFFER_MS))
        listening.wait(PlayerReady)
        speaker.unplug()
        listening.prepare(Source(wav(tmp_path / "clip.wav", noise(300)).read_bytes(), 300))
        gone = listening.wait(SoundDevice, 4.0)
        speaker.start()
        listening.wait(SoundDevice, 12.0)
        listening.close()

        assert gone == SoundDevice(False, "pole", "Connection refused [pole]")
        assert [event.ok for event in listening.all(SoundDevice)] == [True, False, True]

    def test_a_device_that_takes_no_more_samples_is_an_error(self, speaker: Loudspeaker) -> None:
        """It is there, says nothing, and its buffer stays full: told after a while, never waited for without end."""
        sink = AlsaSink("pole", BUFFER_MS)
        sink.begin(0)
        sink.end()
        sink.begin(1)
        put(sink, noise(200))
        speaker.freeze()
        before_s = time.monotonic()
        with pytest.raises(SoundError) as caught:
            put(sink, noise(5_000))
        took_s = time.monotonic() - before_s
        speaker.thaw()
        sink_closed(sink)

        assert str(caught.value) == "the device takes no samples [pole]"
        assert took_s < 3.0


class TestWav:
    """What only the file has."""

    def test_a_file_is_readable_while_it_grows(self, tmp_path: Path) -> None:
        """Its header lags by a second at most."""
        file = tmp_path / "aired.wav"
        sink = WavSink(file)
        sink.begin(1)
        assert samples(file) == b""
        put(sink, noise(1_500))

        assert samples(file) == noise(1_000)
        sink.end()
        assert samples(file) == noise(1_500)

    def test_a_file_is_readable_after_a_kill_and_goes_on_behind_it(self, tmp_path: Path) -> None:
        """kill -9 in the middle: what was there stays, and the next player's sound comes behind it."""
        file = tmp_path / "aired.wav"
        code = (
            "import sys\nfrom pathlib import Path\nfrom tests.drivers.test_sound import put\n"
            "from tests.player.parts import noise\nfrom ttcs_edge.drivers.sound import WavSink\n"
            "sink = WavSink(Path(sys.argv[1]))\nsink.begin(1)\nput(sink, noise(60_000))\n"
        )
        process = subprocess.Popen([sys.executable, "-c", code, str(file)])
        eventually(lambda: file.exists() and file.stat().st_size > 44 + 1_300 * BYTES_PER_MS)
        process.send_signal(signal.SIGKILL)
        process.wait()
        readable = samples(file)
        kept = file.read_bytes()[44:]
        whole = kept[: len(kept) // 2 * 2]
        assert len(readable) == 1_000 * BYTES_PER_MS
        assert noise(60_000).startswith(readable)
        assert noise(60_000).startswith(kept)
        sink = WavSink(file)
        sink.begin(2)
        put(sink, noise(200, 2))
        sink.end()

        assert samples(file) == whole + noise(200, 2)

    def test_the_timeline_tells_when_which_samples_went_out(self, tmp_path: Path) -> None:
        """A line when a run begins and one when it ends; a play without a sample has none."""
        file = tmp_path / "aired.wav"
        sink = WavSink(file)
        before_ns = time.monotonic_ns()
        for play, milliseconds in ((1, 200), (2, 0), (3, 100)):
            sink.begin(play)
            put(sink, noise(milliseconds))
            sink.end()
        lines = [json.loads(line) for line in (tmp_path / "aired.wav.timeline").read_text().splitlines()]

        assert [(line["play"], line["file_frame"], line["frames"]) for line in lines] == [
            (1, 0, 0),
            (1, 0, 9_600),
            (3, 9_600, 0),
            (3, 9_600, 4_800),
        ]
        assert before_ns <= lines[0]["mono_ns"] == lines[1]["mono_ns"] < lines[2]["mono_ns"] - 190_000_000

    def test_a_file_beyond_what_its_header_can_say_goes_on(self, tmp_path: Path) -> None:
        """Twelve hours of sound: the size field is full, and the samples still go behind the others."""
        file = tmp_path / "aired.wav"
        with file.open("wb") as sparse:
            sparse.truncate(2**32 + 1_000)
        sink = WavSink(file)
        sink.begin(1)
        put(sink, noise(50))
        sink.end()

        assert file.stat().st_size == 2**32 + 1_000 + 50 * BYTES_PER_MS
        with file.open("rb") as written:
            assert written.read(8) == b"RIFF\xff\xff\xff\xff"
            written.seek(2**32 + 1_000)
            assert written.read() == noise(50)

    def test_a_writer_that_is_late_is_an_under_run(self, tmp_path: Path) -> None:
        """By more than a device's buffer, as often as it happens; a little late is none."""
        sink = WavSink(tmp_path / "aired.wav")
        sink.begin(1)
        put(sink, noise(50))
        time.sleep(0.03)
        put(sink, noise(50))
        assert sink.underruns == 0
        time.sleep(0.2)
        put(sink, noise(200))
        assert sink.underruns > 0
        sink.end()
