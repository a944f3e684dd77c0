"""The thread that owns the device, with real decoders that are made to be slow."""

from __future__ import annotations

import os
import queue
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.player.parts import BYTES_PER_MS, noise, samples, wav
from ttcs_edge.drivers.sound import PERIOD_MS, WavSink
from ttcs_edge.player.decoder import Decoder, make_instance
from ttcs_edge.player.messages import Alive, Answer, Ended, Item, Play, Progress, Sounding, Started
from ttcs_edge.player.source import Opening
from ttcs_edge.player.writer import STARVED_S, Writer

LENGTH_MS = 1_000


class SlowDecoder(Decoder):
    """Gives ``before_ms`` of an item, then nothing for ``pause_s``, then the rest."""

    def __init__(self, instance: Any, fd: int, before_ms: float, pause_s: float) -> None:
        super().__init__(instance, fd, 0)
        self._left_bytes = int(before_ms * BYTES_PER_MS)
        self._pause_s = pause_s
        self._until_s: float | None = None

    def read(self, size_bytes: int, timeout_s: float) -> bytes:
        """Take what is allowed."""
        if self._left_bytes == 0:
            self._until_s = self._until_s or time.monotonic() + self._pause_s
            if time.monotonic() < self._until_s:
                time.sleep(timeout_s)
                return b""
            return super().read(size_bytes, timeout_s)
        data = super().read(min(size_bytes, self._left_bytes), timeout_s)
        self._left_bytes -= len(data)
        return data

    @property
    def exhausted(self) -> bool:
        """It is not, while it holds samples back."""
        held_back = self._left_bytes == 0 and (self._until_s is None or time.monotonic() < self._until_s)
        return super().exhausted and not held_back


class Desk:
    """A writer, what it answers, and the decoders it is given, each made ``made_s`` after it was asked for."""

    def __init__(self, file: Path, clip: Path, before_ms: float, pause_s: float, made_s: float = 0.0) -> None:
        self.answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self.told: list[Answer] = []
        self.over: list[int] = []
        self.released: list[Opening] = []
        instance = make_instance()

        def decoder(command: Sounding, index: int) -> Opening:
            opening = Opening()

            def make() -> None:
                time.sleep(made_s)
                opening.set_result(SlowDecoder(instance, os.open(clip, os.O_RDONLY), before_ms, pause_s))

            threading.Thread(target=make).start()
            return opening

        def over(command: Sounding) -> None:
            self.over.append(command.play)

        self.writer = Writer(WavSink(file), self._hear, decoder, self.released.append, over)

    def _hear(self, answer: Answer) -> None:
        self.told.append(answer)
        self.answers.put(answer)

    def play(self, items: int = 1) -> Ended:
        """Play the clip to its end, or several times in a row."""
        self.writer.play(Play(1, (Item("clip", LENGTH_MS),) * items, 0, time.monotonic_ns(), 100, 0))
        while not isinstance(answer := self.answers.get(timeout=10), Ended):
            pass
        return answer

    def all(self, kind: type[Answer]) -> list[Any]:
        """Every answer of a kind."""
        return [answer for answer in self.told if isinstance(answer, kind)]

    def close(self) -> None:
        """End it all."""
        self.writer.leave()
        for opening in self.released:
            opening.result().close()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A second of noise."""
    return wav(tmp_path / "clip.wav", noise(LENGTH_MS))


def test_a_decoder_that_is_late_makes_under_runs_and_loses_nothing(tmp_path: Path, clip: Path) -> None:
    """The gap is silence, counted as under-runs and not as audio; what comes after it is all there."""
    file = tmp_path / "aired.wav"
    desk = Desk(file, clip, 300, 0.2)
    ended = desk.play()
    desk.close()
    aired = samples(file)
    gap_ms = len(aired) // BYTES_PER_MS - LENGTH_MS

    assert ended == Ended(1, True, (LENGTH_MS,), None)
    assert 150 <= gap_ms <= 300
    assert aired[: 300 * BYTES_PER_MS] == noise(LENGTH_MS)[: 300 * BYTES_PER_MS]
    assert aired[300 * BYTES_PER_MS :][: gap_ms * BYTES_PER_MS] == bytes(gap_ms * BYTES_PER_MS)
    assert aired[(300 + gap_ms) * BYTES_PER_MS :] == noise(LENGTH_MS)[300 * BYTES_PER_MS :]
    told = desk.all(Progress)
    assert told[2].underruns == 0
    assert told[-1].underruns >= gap_ms // PERIOD_MS
    assert told[-1].written_ms + 100 >= LENGTH_MS - gap_ms % 100
    assert all(answer.written_ms <= LENGTH_MS for answer in told)
    assert desk.over == [1]


def test_half_a_period_that_is_late_is_an_under_run_too(tmp_path: Path, clip: Path) -> None:
    """What is there goes out, filled up with silence."""
    file = tmp_path / "aired.wav"
    desk = Desk(file, clip, 305, 0.05)
    ended = desk.play()
    desk.close()
    aired = samples(file)

    assert ended == Ended(1, True, (LENGTH_MS,), None)
    assert desk.all(Progress)[-1].underruns >= 1
    assert aired[: 305 * BYTES_PER_MS] == noise(LENGTH_MS)[: 305 * BYTES_PER_MS]
    assert aired[305 * BYTES_PER_MS : 310 * BYTES_PER_MS] == bytes(5 * BYTES_PER_MS)
    assert noise(LENGTH_MS)[305 * BYTES_PER_MS :] in aired


def test_a_decoder_that_is_late_before_the_first_sample_makes_no_under_run(tmp_path: Path, clip: Path) -> None:
    """The play begins later, and the daemon hears meanwhile that the player lives."""
    file = tmp_path / "aired.wav"
    desk = Desk(file, clip, 0, 0.5)
    ended = desk.play()
    desk.close()
    begun = desk.told.index(desk.all(Started)[0])

    assert ended == Ended(1, True, (LENGTH_MS,), None)
    assert desk.all(Progress)[-1].underruns == 0
    assert samples(file) == noise(LENGTH_MS)
    assert sum(isinstance(answer, Alive) for answer in desk.told[:begun]) >= 4


def test_a_decoder_that_stays_silent_is_given_up(tmp_path: Path, clip: Path) -> None:
    """After five seconds it counts as no audio; what was written before is told."""
    desk = Desk(tmp_path / "aired.wav", clip, 300, 60.0)
    before_s = time.monotonic()
    ended = desk.play()
    desk.close()

    assert ended == Ended(1, False, (300,), "not-audio")
    assert STARVED_S - 0.5 < time.monotonic() - before_s < STARVED_S + 2
    assert len(desk.released) == 1


def test_an_item_whose_decoder_is_long_in_coming_follows_without_a_gap(tmp_path: Path, clip: Path) -> None:
    """It is asked for while the one before it sounds, and not waited for before its time: the device never runs dry."""
    file = tmp_path / "aired.wav"
    desk = Desk(file, clip, LENGTH_MS * 2, 0.0, made_s=0.25)
    ended = desk.play(3)
    desk.close()

    assert ended == Ended(1, True, (LENGTH_MS,) * 3, None)
    assert samples(file) == noise(LENGTH_MS) * 3
    assert desk.all(Progress)[-1].underruns == 0
