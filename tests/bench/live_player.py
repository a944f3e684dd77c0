"""`live_player`: a sample at the microphone's input to the same sample handed to the sound device, in the player.

Floor: in one thread, a period is read from the input and handed to the device. Ours: the player's writer with an input
whose clock is 0.02 percent slower than the device's, and one that is as much faster: twice what cards differ. Each is
heard for half a minute, of which a stretch every 300 ms is looked up in what was said. The device's own buffer, 40 ms,
comes on top of both. Beside it, what a read costs in a live session: segments of half a second, one in twenty lost.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from pathlib import Path

from tests.bench.report import percentile, report
from tests.parts import eventually
from tests.player.parts import BYTES_PER_MS, noise, samples, wav
from tests.player.test_capture import Mouth, Room
from tests.player.test_live import segments
from ttcs_edge.drivers.sound import PERIOD_BYTES, PERIOD_MS, WavSink
from ttcs_edge.player.live import LiveSource

SAID_MS = 60_000
STRETCHES = 100
EVERY_MS = 300
STRETCH_MS = 20
FAST_PERCENT = (-0.02, 0.02)
LIVE_S = 60
SEGMENT_PERIODS = 50


def distances_ms(said: bytes, aired: bytes, begun_ns: int, mouth: Mouth, fast_percent: float = 0.0) -> list[float]:
    """How late each stretch went out; one in which a step was made is none that was said."""
    found = []
    for at_ms in range(EVERY_MS, STRETCHES * EVERY_MS, EVERY_MS):
        stretch = aired[at_ms * BYTES_PER_MS : (at_ms + STRETCH_MS) * BYTES_PER_MS]
        place = said.find(stretch)
        if place >= 0:
            heard_ns = mouth.begin_ns + place / BYTES_PER_MS * 1e6 / (1 + fast_percent / 100)
            found.append((begun_ns + at_ms * 1e6 - heard_ns) / 1e6)
    return found


def floor_ms(folder: Path, said: bytes, file: Path) -> list[float]:
    """Read and hand over."""
    mouth, sink = Mouth(file), WavSink(folder / "aired.wav")
    mouth.begin()
    sink.begin(1)
    for _ in range(STRETCHES * EVERY_MS // PERIOD_MS):
        sink.write(mouth.read())
    sink.end()
    mouth.end()
    begun_ns = json.loads((folder / "aired.wav.timeline").read_text().splitlines()[0])["mono_ns"]
    return distances_ms(said, samples(folder / "aired.wav"), begun_ns, mouth)


def ours_ms(folder: Path, said: bytes, file: Path, fast_percent: float) -> tuple[list[float], int]:
    """The player's writer and its thread at the input; also how often it ran dry."""
    mouth = Mouth(file, fast_percent)
    room = Room(folder, mouth)
    room.talk()
    threading.Event().wait(STRETCHES * EVERY_MS / 1_000)
    eventually(lambda: room.written_ms() >= STRETCHES * EVERY_MS)
    gaps = room.underruns()
    room.stop()
    return distances_ms(said, samples(room.file), room.begun_ns(), mouth, fast_percent), gaps


def live_ms() -> list[float]:
    """How long each read of a live session takes."""
    source, row, took = LiveSource(), segments(LIVE_S), []
    source.add(row[0])
    for segment in row[1:]:
        for read in range(SEGMENT_PERIODS):
            if read == SEGMENT_PERIODS // 2 and segment.number % 20 != 7:
                source.add(segment)
            before_s = time.perf_counter()
            source.read(PERIOD_BYTES, 0.0)
            took.append((time.perf_counter() - before_s) * 1_000)
    return took


def main() -> None:
    """One after the other."""
    with tempfile.TemporaryDirectory() as name:
        said = noise(SAID_MS)
        file = wav(Path(name) / "said.wav", said)
        floor: list[float] = []
        ours: list[float] = []
        gaps = 0
        for number, fast_percent in enumerate(FAST_PERCENT):
            for part in ("floor", "ours"):
                (Path(name) / f"{part}-{number}").mkdir()
            floor += floor_ms(Path(name) / f"floor-{number}", said, file)
            found, dry = ours_ms(Path(name) / f"ours-{number}", said, file, fast_percent)
            ours, gaps = ours + found, gaps + dry
        took = live_ms()
    costs = {f"live_read_p{at}_ms": round(percentile(took, at), 3) for at in (50, 99, 100)}
    report("live_player", "ms", floor, ours, underruns=gaps, **costs)


if __name__ == "__main__":
    main()
