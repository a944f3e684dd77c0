"""Plain streams to samples: real libvlc, every kind that is taken, and senders that stutter, stop, lie and hang."""

from __future__ import annotations

import os
import socket
import threading
import time
from array import array
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty

import pytest

from tests.link.radio import pieces, tone
from tests.parts import eventually
from tests.player.parts import BYTES_PER_MS, Listening, hertz, rms_db, roughest, runs_of_sound, samples
from tests.player.parts import tone as samples_of_tone
from ttcs_edge.core.events import PlayerGone, PlayerReady, SoundEnded, SoundStarted, StreamHeard
from ttcs_edge.drivers.sound import PERIOD_BYTES, PERIOD_MS
from ttcs_edge.player.splice import FRAMES_PER_MS
from ttcs_edge.player.stream import (
    AGAIN_AHEAD_FRAMES,
    BEHIND_MOST_FRAMES,
    KEPT_FRAMES,
    QUIET_MS,
    START_AHEAD_FRAMES,
    WANTED_FRAMES,
    Stream,
    StreamSource,
)

RATE = 8_000
SMOOTH = 500
"""The beginning of a tone bends by 437 as MP3 has it, a jump from silence to its middle by thousands."""
LOST_S = 3.0


def whole(kind: str, seconds: int = 12) -> bytes:
    """A tone of 440 Hz as a stream of a kind."""
    if kind != "mp4":
        return tone(kind, seconds)
    found = pieces("mp4", seconds)
    names = sorted((name for name in found if name.endswith(".m4s")), key=lambda name: int(name.removesuffix(".m4s")))
    return found["init.mp4"] + b"".join(found[name] for name in names)


class Sender:
    """Sends a stream at its own pace, ``burst_s`` of it at once, until it is told to stall, or is over."""

    def __init__(self, door: socket.socket, data: bytes, seconds: float, burst_s: float = 2.0) -> None:
        self._door, self._data, self._rate = door, data, len(data) / seconds
        self._burst_s = burst_s
        self.stalled, self.over = threading.Event(), threading.Event()
        self.sent = 0
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        stalled_s = 0.0
        began_s = time.monotonic()
        with suppress(OSError):
            while self.sent < len(self._data) and not self.over.wait(0.02):
                if self.stalled.is_set():
                    stalled_s += 0.02
                    continue
                due = int((self._burst_s + time.monotonic() - began_s - stalled_s) * self._rate)
                if due > self.sent:
                    self.sent += self._door.send(self._data[self.sent : due])
        self._door.close()


@pytest.fixture
def doors() -> Iterator[list[Sender]]:
    """Senders that are ended behind the test."""
    senders: list[Sender] = []
    yield senders
    for sender in senders:
        sender.over.set()
        sender.thread.join(5)


class TestRealPlayer:
    """The process, libvlc, a WAV file."""

    @pytest.mark.parametrize("kind", ["mp3", "aac", "ogg", "ts", "mp4"])
    def test_a_stream_is_heard_as_it_comes_without_a_gap(
        self, listening: Listening, doors: list[Sender], kind: str
    ) -> None:
        """From its first period on: it was decoded before."""
        doors.append(Sender(listening.follow(7, kind), whole(kind), 12))
        assert listening.wait(StreamHeard) == StreamHeard(7)
        before_s = time.monotonic()
        listening.play_stream(1, 7)
        listening.wait(SoundStarted)
        assert time.monotonic() - before_s < 0.3
        listening.written(5_000)
        listening.player.stop(1, 100)
        ended = listening.wait(SoundEnded)
        aired = samples(listening.file)

        assert (ended.completed, ended.failure) == (False, None)
        assert ended.item_written_ms[0] >= 5_000
        assert hertz(aired[1_000 * BYTES_PER_MS : 5_000 * BYTES_PER_MS]) == pytest.approx(440, abs=1)
        assert roughest(bytes(4) + aired[: 5_000 * BYTES_PER_MS]) < SMOOTH
        assert len(runs_of_sound(aired)) == 1

    def test_what_is_missing_is_silent_and_it_goes_on(self, listening: Listening, doors: list[Sender]) -> None:
        """A link that stops for a while: no click at either end, and what is silent is not told as written."""
        sender = Sender(listening.follow(7, "mp3"), whole("mp3", 20), 20, burst_s=0.5)
        doors.append(sender)
        listening.wait(StreamHeard)
        listening.play_stream(1, 7)
        listening.written(1_000)
        sender.stalled.set()
        eventually(lambda: len(runs_of_sound(samples(listening.file), gap_ms=50)) == 1 and _is_silent(listening))
        sender.stalled.clear()
        eventually(lambda: len(runs_of_sound(samples(listening.file), gap_ms=50)) == 2)
        time.sleep(0.5)  # so much is heard behind the gap, more than the fade of the stop
        listening.player.stop(1, 100)
        ended = listening.wait(SoundEnded)
        aired = samples(listening.file)
        runs = runs_of_sound(aired, gap_ms=50)

        assert ended.failure is None
        assert roughest(bytes(4) + aired[: -200 * BYTES_PER_MS]) < SMOOTH
        assert ended.item_written_ms[0] == pytest.approx(sum(length for _, length in runs), abs=150)

    def test_one_that_stops_is_lost_after_three_seconds_and_heard_again_when_it_is_back(
        self, listening: Listening, doors: list[Sender]
    ) -> None:
        """Through another socket, too: it is the same stream."""
        doors.append(Sender(listening.follow(7, "mp3"), whole("mp3", 3), 3))
        listening.wait(StreamHeard)
        listening.play_stream(1, 7)
        ended = listening.wait(SoundEnded)
        assert (ended.completed, ended.failure) == (False, "live-lost")
        aired_ms = len(samples(listening.file)) / BYTES_PER_MS
        silent_ms = aired_ms - runs_of_sound(samples(listening.file), gap_ms=50)[-1][1]
        assert silent_ms == pytest.approx(LOST_S * 1_000, abs=100)

        listening.said.clear()
        doors.append(Sender(listening.follow(7, "ogg"), whole("ogg"), 12))
        eventually(lambda: listening.all(StreamHeard))
        listening.player.play_stream(1, 2, 7, 100, 0)
        listening.written(1_000)
        listening.player.stop(2, 0)

    def test_a_run_behind_another_is_heard_without_a_gap(self, listening: Listening, doors: list[Sender]) -> None:
        """A discontinuity of HLS, whose pieces were there beforehand."""
        for _ in range(2):
            door = listening.follow(7, "ts")
            door.sendall(whole("ts", 4))
            door.close()
        listening.wait(StreamHeard)
        listening.play_stream(1, 7)
        listening.written(6_000)
        listening.player.stop(1, 0)
        aired = samples(listening.file)[: 6_000 * BYTES_PER_MS]
        assert rms_db(aired) > -20
        assert sum(length for _, length in runs_of_sound(aired, gap_ms=20)) > 5_800

    @pytest.mark.parametrize("data", [b"", b"<html>Please log in</html>" * 5_000, b"\xff\xfb\x90\x00" * 50_000])
    def test_what_is_no_stream_is_never_heard_and_keeps_nobody(self, listening: Listening, data: bytes) -> None:
        """Nothing, a login page, something that looks like one; another stream is heard meanwhile."""
        pid = listening.pid
        bad = listening.follow(3, "mp3")
        bad.setblocking(False)
        with suppress(OSError):
            bad.send(data)
        good = listening.follow(4, "mp3")
        good.sendall(whole("mp3", 4))
        assert listening.wait(StreamHeard) == StreamHeard(4)
        listening.play_stream(1, 3)
        ended = listening.wait(SoundEnded)
        listening.player.leave(3)
        bad.close()
        good.close()

        assert (ended.completed, ended.item_written_ms, ended.failure) == (False, (0,), "live-lost")
        assert StreamHeard(3) not in listening.said
        assert (listening.pid, listening.all(PlayerGone)) == (pid, [])

    def test_a_sender_that_hangs_holds_neither_a_stop_nor_a_leave_up(self, listening: Listening) -> None:
        """The socket stands, and nothing comes through it any more."""
        door = listening.follow(7, "mp3")
        door.sendall(whole("mp3", 3))
        listening.wait(StreamHeard)
        listening.play_stream(1, 7)
        listening.written(500)
        before_s = time.monotonic()
        listening.player.stop(1, 0)
        listening.wait(SoundEnded)
        listening.player.leave(7)
        eventually(lambda: _is_closed(door), 1.0)
        assert time.monotonic() - before_s < 0.5
        door.close()

    def test_a_sender_that_never_ends_is_held_back(self, listening: Listening) -> None:
        """A gigabyte at once costs no more than the socket holds, and what is decoded ahead."""
        door = listening.follow(7, "mp3")
        door.setblocking(False)
        sent, deadline_s = 0, time.monotonic() + 3
        while time.monotonic() < deadline_s:
            try:
                sent += door.send(whole("mp3", 4))
            except BlockingIOError:
                time.sleep(0.01)  # the door is shut: looked at again until the deadline
        assert sent < 1_000_000
        door.close()

    def test_a_stream_that_says_nothing_is_not_heard(self, listening: Listening) -> None:
        """An encoder whose input was pulled out: samples come, and all of them are silent. Who hears it loses it."""
        quiet = tone("mp3", 15, 0)
        door = listening.follow(7, "mp3")
        threading.Thread(target=lambda: door.sendall(quiet), daemon=True).start()
        with pytest.raises(Empty):
            listening.wait(StreamHeard, 4.0)
        listening.play_stream(1, 7)
        before_s = time.monotonic()
        assert listening.wait(SoundEnded).failure == "live-lost"
        assert time.monotonic() - before_s == pytest.approx(QUIET_MS / 1_000, abs=1)
        door.close()

    def test_a_stream_that_nobody_follows_is_lost(self, listening: Listening) -> None:
        """Its follower came too late, or was told to leave."""
        listening.play_stream(1, 99)
        assert listening.wait(SoundEnded).failure == "live-lost"

    def test_nothing_is_left_of_streams_that_are_left(self, listening: Listening) -> None:
        """Descriptors and threads."""
        folder = Path(f"/proc/{listening.pid}")
        count = [0, 0]
        for number in range(30):
            if number == 5:
                count = [len(list((folder / name).iterdir())) for name in ("fd", "task")]
            door = listening.follow(number, "mp3")
            door.sendall(whole("mp3", 2))
            listening.said.clear()
            eventually(lambda: listening.all(StreamHeard))
            listening.player.leave(number)
            eventually(lambda door=door: _is_closed(door))  # type: ignore[misc]
            door.close()
        after = [len(list((folder / name).iterdir())) for name in ("fd", "task")]
        assert after[0] <= count[0] + 2 and after[1] <= count[1] + 3

    def test_a_new_player_is_given_the_stream_anew(self, listening: Listening) -> None:
        """The socket of the one that died is closed, which its follower sees."""
        door = listening.follow(7, "mp3")
        door.sendall(whole("mp3", 3))
        listening.wait(StreamHeard)
        os.kill(listening.pid, 9)
        listening.wait(PlayerGone)
        eventually(lambda: _is_closed(door))
        listening.wait(PlayerReady)
        door = listening.follow(7, "mp3")
        door.sendall(whole("mp3", 3))
        listening.wait(StreamHeard)
        door.close()


def _is_closed(door: socket.socket) -> bool:
    """Tell whether the other end of a socket is gone."""
    door.setblocking(False)
    try:
        return door.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _is_silent(listening: Listening) -> bool:
    """Tell whether the last tenth of a second is."""
    return not samples(listening.file)[-100 * BYTES_PER_MS :].strip(b"\0")


class Fed:
    """A stream whose samples a test brings itself."""

    def __init__(self) -> None:
        self.heard = 0
        self.stream = Stream(None, lambda job: None, self._hear)

    def _hear(self) -> None:
        self.heard += 1

    def add(self, data: bytes) -> None:
        """Samples were decoded."""
        self.stream._add(data)

    def source(self) -> StreamSource:
        """It has the air."""
        return StreamSource(self.stream)


def read(source: StreamSource, milliseconds: int) -> bytes:
    """So much, without a pause between."""
    return b"".join(source.read(PERIOD_BYTES, 0.002) for _ in range(milliseconds // PERIOD_MS))


class TestSource:
    """What waits, what stands in, what is left out."""

    def test_only_the_newest_is_kept_while_nobody_reads(self) -> None:
        """Two seconds of it; who has the air may fall further behind, within a bound."""
        fed = Fed()
        fed.add(samples_of_tone(5_000))
        assert fed.stream.behind_frames == KEPT_FRAMES
        source = fed.source()
        fed.add(samples_of_tone(9_000))
        assert fed.stream.behind_frames == BEHIND_MOST_FRAMES
        source.close()
        fed.add(samples_of_tone(100))
        assert fed.stream.behind_frames == KEPT_FRAMES

    def test_it_begins_with_a_second_that_waits(self) -> None:
        """Before that nothing is read, and nothing is missing."""
        fed = Fed()
        source = fed.source()
        fed.add(samples_of_tone(START_AHEAD_FRAMES // FRAMES_PER_MS - 10))
        assert read(source, 50) == b""
        fed.add(samples_of_tone(10))
        assert len(read(source, 50)) == 50 * BYTES_PER_MS
        assert source.filled_bytes == 0

    def test_it_is_faded_in_and_out_where_it_begins_and_breaks(self) -> None:
        """And nothing of it is lost but for that."""
        fed = Fed()
        source = fed.source()
        sound = samples_of_tone(2_000, 440)
        fed.add(sound)
        heard = read(source, 2_500)
        assert source.filled_bytes == 500 * BYTES_PER_MS
        again = (AGAIN_AHEAD_FRAMES // FRAMES_PER_MS - 10) * BYTES_PER_MS
        fed.add(sound[:again])
        assert not read(source, 50).strip(b"\0")
        fed.add(sound[again:])
        heard += read(source, 500)
        assert roughest(bytes(4) + heard) < SMOOTH
        assert (
            heard[10 * BYTES_PER_MS : 1_900 * BYTES_PER_MS]
            == samples_of_tone(2_000, 440)[10 * BYTES_PER_MS : 1_900 * BYTES_PER_MS]
        )

    @pytest.mark.parametrize("per_period_ms", [9.9, 10.1])
    def test_two_clocks_that_differ_are_kept_together(self, per_period_ms: float) -> None:
        """A sender whose clock is one percent off, for minutes: no gap, and it does not fall behind."""
        fed = Fed()
        source = fed.source()
        sound, at = samples_of_tone(1_000, 500), 0.0
        fed.add(sound + sound)
        for _ in range(40_000):
            at += per_period_ms
            frames = int(at * FRAMES_PER_MS)
            at -= frames / FRAMES_PER_MS
            fed.add(sound[: 2 * frames])
            source.read(PERIOD_BYTES, 0.0)
        assert source.filled_bytes == 0
        assert fed.stream.behind_frames in range(WANTED_FRAMES.start // 2, WANTED_FRAMES.stop * 3 // 2)

    def test_it_is_told_as_heard_once_a_second_while_there_is_sound(self) -> None:
        """Not before a second of it is there, and not for samples that are all silent."""
        fed = Fed()
        fed.add(array("h", [20] * 60_000).tobytes())
        assert fed.heard == 0
        fed.add(samples_of_tone(10))
        fed.add(samples_of_tone(10))
        assert fed.heard == 1
        eventually(lambda: fed.add(samples_of_tone(10)) or fed.heard == 2)  # type: ignore[func-returns-value]
