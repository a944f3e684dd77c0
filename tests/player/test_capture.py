"""From a sound input to the loudspeaker: the real writer and a real player process; what is heard is what was said."""

from __future__ import annotations

import itertools
import json
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.parts import eventually
from tests.player.parts import (
    BYTES_PER_MS,
    Listening,
    Loudspeaker,
    clicks,
    hertz,
    noise,
    periods,
    rms_db,
    roughest,
    runs_of_sound,
    samples,
    tone,
    wav,
)
from ttcs_edge.core.events import PlayerGone, PlayerReady, SoundDevice, SoundEnded, SoundProgress, SoundStarted
from ttcs_edge.drivers.sound import PERIOD_BYTES, PERIOD_MS, AlsaSink, SoundError, WavSink
from ttcs_edge.drivers.sound_input import SILENT_INPUT_S, SoundInput, WavInput
from ttcs_edge.player.capture import WAIT_MOST_FRAMES, Capture
from ttcs_edge.player.messages import Answer, Ended, Progress, Sounding, Talk
from ttcs_edge.player.source import Opening
from ttcs_edge.player.splice import FADE_FRAMES, FRAMES_PER_MS
from ttcs_edge.player.writer import Writer
from ttcs_edge.settings import InputSettings, SoundDriver, SoundSettings

SMOOTH = 300
DISTANCE_MS = 150
"""From an input's sample to a device's: 10 ms for the period, at most 60 that wait, and what a busy machine adds."""
QUIET_HZ = 440


class Mouth(WavInput):
    """A WAV file as an input whose clock goes wrong, that falls silent, stutters, vanishes or hangs as a test says."""

    def __init__(self, path: Path, fast_percent: float = 0.0) -> None:
        super().__init__(path)
        self._pace = 1 + fast_percent / 100
        self.before_read: Callable[[], None] = lambda: None
        self.ended = threading.Event()

    def read(self) -> bytes:
        """Too early or too late by its clock."""
        self.before_read()
        lead_ns = int((self._periods + 1) * PERIOD_MS * 1e6 * (1 - 1 / self._pace))
        self.begin_ns -= lead_ns
        try:
            return super().read()
        finally:
            self.begin_ns += lead_ns

    def end(self) -> None:
        """Tell so."""
        super().end()
        self.ended.set()


class Room:
    """A writer into a WAV file, what it answers, and a mouth that it hears."""

    def __init__(self, folder: Path, mouth: SoundInput) -> None:
        self.file = folder / "aired.wav"
        self.answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self.told: list[Answer] = []
        self.capture: Capture | None = None
        self.mouth = mouth
        self.writer = Writer(WavSink(self.file), self._hear, self._open, lambda opening: None, lambda command: None)

    def _hear(self, answer: Answer) -> None:
        self.told.append(answer)
        self.answers.put(answer)

    def _open(self, command: Sounding, index: int) -> Opening:
        opening, self.capture = Opening(), Capture(self.mouth, 0)
        opening.set_result(self.capture)
        return opening

    def talk(self) -> None:
        """From now on."""
        self.writer.play(Talk(1, "wav", self.mouth.name, time.monotonic_ns(), 100, 0))

    def written_ms(self) -> int:
        """How much was told as written."""
        told = [answer.written_ms for answer in self.told if isinstance(answer, Progress)]
        return told[-1] if told else 0

    def underruns(self) -> int:
        """How many were told."""
        return max((answer.underruns for answer in self.told if isinstance(answer, Progress)), default=0)

    def end(self) -> Ended:
        """Wait for the end."""
        while not isinstance(answer := self.answers.get(timeout=10), Ended):
            pass
        return answer

    def stop(self) -> Ended:
        """End it, and everything."""
        self.writer.stop(1, 0)
        ended = self.end()
        self.close()
        return ended

    def close(self) -> None:
        """Leave nothing behind."""
        self.writer.leave()
        if self.capture is not None:
            self.capture.close()

    def begun_ns(self) -> int:
        """When the first sample went out."""
        line = (self.file.parent / "aired.wav.timeline").read_text().splitlines()[0]
        return int(json.loads(line)["mono_ns"])


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    """Ten seconds of which no two stretches are alike."""
    return wav(tmp_path / "speech.wav", noise(10_000))


@pytest.fixture
def hum(tmp_path: Path) -> Path:
    """A tone that goes round without a seam, at half of full scale."""
    return wav(tmp_path / "hum.wav", tone(1_000, QUIET_HZ))


def test_what_is_said_is_heard_to_the_sample_and_at_once(tmp_path: Path, speech: Path) -> None:
    """Nothing is left out or put in between clocks that agree; each sample is out well within what a speaker hears."""
    mouth = Mouth(speech)
    room = Room(tmp_path, mouth)
    room.talk()
    eventually(lambda: room.written_ms() >= 800)
    ended = room.stop()
    aired = samples(room.file)

    place = noise(10_000).find(aired[10 * BYTES_PER_MS : 300 * BYTES_PER_MS]) - 10 * BYTES_PER_MS
    assert place >= 0
    distance_ms = (room.begun_ns() - mouth.begin_ns) / 1e6 - place / BYTES_PER_MS
    assert PERIOD_MS <= distance_ms < DISTANCE_MS
    assert ended == Ended(1, False, (len(aired) // BYTES_PER_MS,), None)
    assert mouth.ended.is_set()


@pytest.mark.parametrize("fast_percent", [-1.0, 1.0])
def test_clocks_that_drift_apart_are_heard_neither_late_nor_clicking_nor_dry(
    tmp_path: Path, hum: Path, fast_percent: float
) -> None:
    """One percent, a hundred times what cards have: after eight seconds 80 ms would be missing, or too much."""
    mouth = Mouth(hum, fast_percent)
    room = Room(tmp_path, mouth)
    waited: list[int] = []
    mouth.before_read = lambda: waited.append(len(room.capture._waiting) if room.capture is not None else 0)
    room.talk()
    eventually(lambda: room.written_ms() >= 8_000, 20)
    gaps = room.underruns()
    room.stop()
    aired = samples(room.file)

    assert clicks(aired[20 * BYTES_PER_MS : 8_000 * BYTES_PER_MS], SMOOTH) <= mouth.overruns  # lost by the input itself
    assert max(waited) <= WAIT_MOST_FRAMES
    assert gaps < 8  # without a step now and then there were 20; a busy machine is late by itself


def test_what_nobody_takes_does_not_heap_up(hum: Path) -> None:
    """The loudspeaker hangs, the speaker goes on: 60 ms wait at most, and what comes then is what is said then."""
    mouth = Mouth(hum)
    capture = Capture(mouth, 0)
    most_frames = 0
    until_s = time.monotonic() + 1.0
    while time.monotonic() < until_s:
        most_frames = max(most_frames, len(capture._waiting))
        time.sleep(0.001)
    aired = b"".join(capture.read(PERIOD_BYTES, 0.1) for _ in range(20))
    capture.close()

    assert 30 * FRAMES_PER_MS <= most_frames <= WAIT_MOST_FRAMES
    assert len(aired) == 20 * PERIOD_BYTES
    assert roughest(bytes(4) + aired) < SMOOTH
    assert mouth.ended.is_set()


def test_an_input_that_stutters_fades_out_and_in_and_tells_its_under_runs(tmp_path: Path, hum: Path) -> None:
    """A fifth of a second without a sample, twice: silence, no click, and the play goes on."""
    mouth = Mouth(hum)
    room = Room(tmp_path, mouth)
    stutters = [40, 80]

    def stutter() -> None:
        if mouth._periods in stutters:
            stutters.remove(mouth._periods)
            time.sleep(0.2)
            mouth.begin_ns += 200_000_000

    mouth.before_read = stutter
    room.talk()
    eventually(lambda: room.written_ms() >= 1_200)
    gaps = room.underruns()
    ended = room.stop()
    aired = samples(room.file)

    runs = runs_of_sound(aired, threshold=50, gap_ms=50)
    assert len(runs) == 3
    assert [120 <= after[0] - sum(before) <= 260 for before, after in itertools.pairwise(runs)] == [True] * 2
    assert roughest(aired[20 * BYTES_PER_MS : int(sum(runs[2]) - 20) * BYTES_PER_MS]) < SMOOTH
    assert gaps >= 20
    silence_ms = len(aired) // BYTES_PER_MS - ended.item_written_ms[0]
    assert silence_ms == pytest.approx(400, abs=120)


@pytest.mark.parametrize("how", ["raises", "hangs", "silent"])
def test_an_input_that_is_lost_in_the_middle_ends_the_play(tmp_path: Path, hum: Path, how: str) -> None:
    """Pulled out, hung, or without a sample for half a second: no click, its reason, and what was written."""
    mouth = Mouth(hum)
    room = Room(tmp_path, mouth)
    healed = threading.Event()
    lost_s: list[float] = []

    def lose() -> None:
        if mouth._periods < 50:
            return
        lost_s.append(time.monotonic())
        if how == "raises":
            raise SoundError("No such device [hw:Mic]")
        healed.wait(SILENT_INPUT_S if how == "silent" else 60)
        if how == "silent":
            raise SoundError("the input gives no samples [hw:Mic]")

    mouth.before_read = lose
    room.talk()
    ended = room.end()
    took_s = time.monotonic() - lost_s[0]
    healed.set()
    room.close()
    aired = samples(room.file)

    assert (ended.completed, ended.failure) == (False, "sound-input")
    assert ended.item_written_ms[0] == pytest.approx(500, abs=40)
    assert took_s < SILENT_INPUT_S + 0.3
    assert roughest(aired[20 * BYTES_PER_MS :] + bytes(4)) < SMOOTH
    assert eventually(mouth.ended.is_set)


class TestAtThePlayer:
    """The same in a player process, as the daemon commands it."""

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        """What the input hears."""
        return wav(tmp_path / "hum.wav", tone(1_000, QUIET_HZ))

    @pytest.fixture
    def listening(self, tmp_path: Path, file: Path) -> Iterator[Listening]:
        """A player with a file for an input."""
        listening = Listening(tmp_path, sound_input=InputSettings(SoundDriver.WAV, "wav", file))
        listening.wait(PlayerReady)
        yield listening
        listening.close()

    def test_a_speaker_is_heard_until_he_is_stopped(self, listening: Listening) -> None:
        """At his volume, faded in and out, told ten times a second; not completed, for nobody knows when he ends."""
        before_ns = time.monotonic_ns()
        listening.talk(1, volume_percent=50, fade_in_ms=20)
        started = listening.wait(SoundStarted)
        listening.written(700)
        listening.player.stop(1, 100)
        ended = listening.wait(SoundEnded)
        aired = samples(listening.file)

        assert 0 < (started.mono_ns - before_ns) / 1e6 < 300
        told = listening.all(SoundProgress)
        written_ms, aired_ms = ended.item_written_ms[0], len(aired) // BYTES_PER_MS
        assert ended == SoundEnded(1, False, (written_ms,), None)
        assert aired_ms - 100 <= written_ms <= aired_ms, "what filled a gap is not counted"
        assert told[3].rms_db == pytest.approx(-21.1, abs=1)
        if told[-1].underruns:
            return  # a machine that was too busy for it
        assert written_ms == aired_ms
        assert hertz(aired[100 * BYTES_PER_MS : 500 * BYTES_PER_MS]) == pytest.approx(QUIET_HZ, abs=1)
        assert rms_db(aired[100 * BYTES_PER_MS : 500 * BYTES_PER_MS]) == pytest.approx(-9.03 - 12.04, abs=0.2)
        assert roughest(bytes(4) + aired + bytes(4)) < SMOOTH
        assert [event.written_ms for event in told[:7]] == list(range(100, 701, 100))
        assert told[3].rms_db == pytest.approx(-21.1, abs=0.2)

    def test_speakers_follow_each_other_and_bulletins(self, listening: Listening) -> None:
        """The input is let go each time: nothing of it stays open."""
        for play in range(1, 6):
            listening.talk(play)
            listening.written(0)
            eventually(lambda: len(listening.all(SoundStarted)) == play)  # noqa: B023 - waited for within the round
            listening.player.stop(play, 0)
            assert listening.wait(SoundEnded).play == play
        descriptors = Path(f"/proc/{listening.pid}/fd")

        eventually(lambda: not any("hum.wav" in os.readlink(fd) for fd in descriptors.iterdir()))
        assert listening.all(PlayerGone) == []

    def test_an_input_that_is_missing_ends_the_play_and_serves_when_it_is_there(
        self, listening: Listening, file: Path
    ) -> None:
        """The loudspeaker is at no fault, and nothing sounded."""
        away = file.rename(file.with_name("away.wav"))
        listening.talk(1)
        assert listening.wait(SoundEnded) == SoundEnded(1, False, (0,), "sound-input")
        away.rename(file)
        listening.talk(2)
        listening.written(300)
        listening.player.stop(2, 0)

        assert listening.wait(SoundEnded).failure is None
        assert [event.play for event in listening.all(SoundStarted)] == [2]
        assert [event.ok for event in listening.all(SoundDevice)] == [True]

    def test_an_input_that_vanishes_in_the_middle_ends_the_play(self, listening: Listening, file: Path) -> None:
        """With what was written, and without a click."""
        listening.talk(1)
        listening.written(500)
        file.unlink()
        ended = listening.wait(SoundEnded)
        aired = samples(listening.file)

        assert (ended.completed, ended.failure) == (False, "sound-input")
        assert 500 <= ended.item_written_ms[0] <= len(aired) // BYTES_PER_MS
        assert roughest(aired[20 * BYTES_PER_MS :] + bytes(4)) < SMOOTH

    @pytest.mark.parametrize(("number", "reason"), [(signal.SIGKILL, "died"), (signal.SIGSTOP, "hung")])
    def test_a_player_that_is_lost_while_somebody_speaks_is_replaced_and_he_is_heard_again(
        self, listening: Listening, number: signal.Signals, reason: str
    ) -> None:
        """Told with what was written; within a second he may be commanded again."""
        listening.talk(1)
        listening.written(300)
        lost_s = time.monotonic()
        listening.signal(number)
        gone = listening.wait(PlayerGone)
        listening.wait(PlayerReady)
        listening.talk(2)
        started = listening.wait(SoundStarted)
        listening.player.stop(2, 0)

        assert gone.reason == reason
        assert gone.written_ms >= 300
        assert started.mono_ns / 1e9 - lost_s < 2.0
        assert listening.wait(SoundEnded).play == 2

    def test_a_newer_play_takes_the_air_from_a_speaker(self, listening: Listening) -> None:
        """Each has one end."""
        listening.talk(1)
        listening.written(200)
        listening.talk(2)
        first = listening.wait(SoundEnded)
        listening.player.stop(2, 0)
        second = listening.wait(SoundEnded)

        assert (first.play, first.completed, first.failure) == (1, False, None)
        assert (second.play, second.completed, second.failure) == (2, False, None)


def test_a_speaker_is_heard_through_the_real_alsa_on_both_sides(tmp_path: Path) -> None:
    """An ALSA input, the player, an ALSA loudspeaker: the tone comes out with its pitch and level, without a click."""
    speaker, mouth = Loudspeaker(_folder(tmp_path, "speaker")), Loudspeaker(_folder(tmp_path, "mouth"))
    mouth.start()
    speaker.start()
    both = tmp_path / "asound.conf"
    both.write_text(speaker.config.read_text() + mouth.config.read_text().replace("pcm.", "pcm.mouth_"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ALSA_CONFIG_PATH", str(both))
        settings = SoundSettings(SoundDriver.ALSA, "pole", None, 80)
        listening = Listening(tmp_path, settings, InputSettings(SoundDriver.ALSA, "mouth_ear"))
        try:
            listening.wait(PlayerReady)
            speaker.listen()
            listening.talk(1)
            sink = AlsaSink("mouth_pole", 80)
            sink.begin(1)
            for period in periods(tone(1_500, QUIET_HZ)):
                sink.write(period)
            sink.end()
            listening.written(1_700)
            listening.player.stop(1, 0)
            ended = listening.wait(SoundEnded)
            heard = speaker.heard()
        finally:
            listening.close()
            speaker.unplug()
            mouth.unplug()

    # Two sound servers on a busy machine may leave some of it out; what is heard is heard as it was said.
    run = max(runs_of_sound(heard, gap_ms=20), key=lambda one: one[1])
    assert 700 < run[1] < 1_540
    middle = heard[int(run[0] + 150) * BYTES_PER_MS : int(run[0] + run[1] - 150) * BYTES_PER_MS]
    assert hertz(middle) == pytest.approx(QUIET_HZ, abs=1)
    assert rms_db(middle) == pytest.approx(-9.03, abs=0.3)
    assert roughest(middle) < SMOOTH
    assert (ended.completed, ended.failure) == (False, None)


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder


def test_what_is_kept_behind_a_read_is_what_fades(hum: Path) -> None:
    """The first read waits for two periods and the 5 ms that are held back."""
    capture = Capture(Mouth(hum), 0)
    began_s = time.monotonic()
    while not capture.read(PERIOD_BYTES, 0.01):
        pass
    waited_s = time.monotonic() - began_s
    kept = len(capture._waiting)
    capture.close()

    assert 2 * PERIOD_MS / 1_000 - 0.005 <= waited_s < 0.2
    assert kept >= FADE_FRAMES
