"""The monitor process as the daemon has it: a real child, with a WAV file for its input."""

from __future__ import annotations

import io
import os
import signal
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.airwaves import VIETNAMESE
from tests.parts import eventually
from ttcs_edge.core import events
from ttcs_edge.core.events import Event
from ttcs_edge.drivers.monitor import MonitorProcess, launcher
from ttcs_edge.drivers.sound import PERIOD_BYTES, PERIOD_NS, RATE_HZ
from ttcs_edge.player.sent import Sent, make_sent
from ttcs_edge.settings import InputSettings, MonitorSettings, SoundDriver
from ttcs_edge.training.voices import ENGLISH, of_db, speech


def write_wav(path: Path, samples: Any) -> None:
    """Mono, 48 kHz, 16 bit."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(np.clip(samples, -32_768, 32_767).astype("<i2").tobytes())


class Bench:
    """A monitor that listens to a file; what it says, and what it hands over to be kept."""

    def __init__(self, air: Path) -> None:
        self.said: list[Event] = []
        self.kept: list[tuple[str, int, bytes]] = []
        self.sent_fd = make_sent()
        settings = MonitorSettings(InputSettings(SoundDriver.WAV, wav_file=air), -20)
        self.process = MonitorProcess(
            settings, self.sent_fd, self.said.append, lambda *part: self.kept.append(part), launcher({})
        )

    def heard(self, is_so: Callable[[Any], bool]) -> Any:
        """The first reading that is so."""
        readings = [one.reading for one in list(self.said) if isinstance(one, events.OffAirHeard)]
        return next((one for one in readings if is_so(one)), None)

    def failed(self) -> list[str]:
        """Why it heard nothing."""
        return [one.error for one in list(self.said) if isinstance(one, events.MonitorFailed)]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    """Begins one that hears these samples, round and round."""
    begun: list[Bench] = []

    def begin(samples: Any) -> Bench:
        air = tmp_path / "air.wav"
        if samples is not None:
            write_wav(air, samples)
        one = Bench(air)
        begun.append(one)
        one.process.start()
        return one

    yield begin
    for one in begun:
        one.process.close(3)
        os.close(one.sent_fd)


def test_foreign_speech_is_told_of_and_recorded(bench: Callable[..., Bench]) -> None:
    """Within seconds; and the recording is what was heard, a third of the samples."""
    one = bench(of_db(speech(ENGLISH, "en"), -20))
    reading = eventually(lambda: one.heard(lambda told: told.foreign_share > 0.3 and told.variety_db > 3.5), 15)
    assert reading.sent_ms == 0 and abs(reading.foreign_db + 20) < 8

    eventually(lambda: len(one.said) >= 6, 10)
    one.process.keep("foreign-1-1")
    ((name, part, wav),) = eventually(lambda: list(one.kept), 10)
    assert (name, part) == ("foreign-1-1", 0)
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert 2 <= len(samples) / 16_000 <= 12
    assert abs(10 * np.log10(np.mean(np.square(samples.astype(float))) / 32_768**2) + 20) < 4


def test_what_is_sent_is_known_again(bench: Callable[..., Bench]) -> None:
    """A player's writer puts it into the memory file; the input hears the same, quieter and later."""
    said = speech(VIETNAMESE, "vi")
    one = bench(np.concatenate([said * 0.5, np.zeros(RATE_HZ)]))
    eventually(lambda: one.said, 15)
    began_s = time.monotonic()
    begun_s = began_s - 0.7  # its first reading came behind half a second of the file
    sent, data = Sent(one.sent_fd), np.concatenate([said, np.zeros(RATE_HZ)]).astype("<i2").tobytes()
    reading = None
    next_s = time.monotonic()
    while reading is None and time.monotonic() < began_s + 15:
        # What is sent now is heard 800 ms later or somewhat less: what is heard now is not known to the millisecond.
        position = int((time.monotonic() - begun_s + 0.8) / 0.01) * PERIOD_BYTES
        period = data[position % len(data) : position % len(data) + PERIOD_BYTES]
        sent.put(period.ljust(PERIOD_BYTES, b"\0"))
        next_s += PERIOD_NS / 1e9
        time.sleep(max(0.0, next_s - time.monotonic()))
        reading = one.heard(lambda told: (told.match or 0) > 0.7)
    assert reading is not None
    assert reading.foreign_share < 0.2


def test_an_input_that_is_missing_is_told_and_tried_again(bench: Callable[..., Bench], tmp_path: Path) -> None:
    """It was unplugged; once it is there, it is heard."""
    one = bench(None)
    (error, *_) = eventually(one.failed, 15)
    assert "air.wav" in error
    write_wav(tmp_path / "air.wav", np.zeros(RATE_HZ))
    eventually(lambda: one.heard(lambda told: True), 15)


def test_a_monitor_that_is_killed_is_replaced(bench: Callable[..., Bench]) -> None:
    """And so is one that hears nothing of it: it is told, and nothing else happens."""
    one = bench(np.zeros(RATE_HZ))
    eventually(lambda: one.heard(lambda told: True), 15)
    first = one.process.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    eventually(lambda: one.failed() == ["died"], 5)
    eventually(lambda: one.process.pid not in (first, None), 15)


def test_a_monitor_leaves_with_the_daemon(bench: Callable[..., Bench]) -> None:
    """Nothing of it is left behind."""
    one = bench(np.zeros(RATE_HZ))
    eventually(lambda: one.heard(lambda told: True), 15)
    pid = one.process.pid
    one.process.close(3)
    assert pid is not None
    eventually(lambda: not Path(f"/proc/{pid}/cmdline").exists() or not Path(f"/proc/{pid}/cmdline").read_text(), 5)
