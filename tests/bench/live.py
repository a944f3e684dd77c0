"""`live`: a sample at the source to the same sample at the loudspeaker, over the broker.

Floor: the length of a segment, and one message: publication to a bare subscriber that verifies one DSSE envelope. Ours:
a source that says a mark every second, cuts it into segments, encodes, signs and publishes; the daemon; when the mark
comes out of its sound device. ``longest_ms`` is the longest of all marks, ``heard`` their number, ``first_s`` when the
first one was heard.
"""

from __future__ import annotations

import math
import os
import tempfile
import threading
import time
import wave
from array import array
from base64 import b64encode
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path

from tests.bench.alert import Ground
from tests.bench.report import report
from tests.parts import ROOT, SCOPE, eventually, utc
from tests.system.sight import status
from ttcs_edge.core.documents import LiveSegment
from ttcs_edge.core.model import Scope
from ttcs_edge.opus import PACKET_FRAMES, RATE_HZ, OpusEncoder

MARKS = int(os.environ.get("MARKS", "200"))
SEGMENT_MS = 500
PACKETS = SEGMENT_MS // 20
PITCHES_HZ, MARK_MS = (600, 900, 1_200, 1_500, 1_800), 100
"""Of one mark after another: which one is heard shows by its pitch."""
TOPIC = f"{ROOT}/scope/{SCOPE}/live/thoi-su"
LOUD = 2_000


class Source:
    """A microphone into which a tone of a tenth of a second is said at every whole second of its own time."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._encoder = OpusEncoder(32_000)
        self._over = threading.Event()
        self._begun = datetime.now(timezone.utc)
        self.began_ns = time.monotonic_ns()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        number = 0
        while not self._over.is_set():
            heard_ns = self.began_ns + (number + 1) * SEGMENT_MS * 1_000_000
            time.sleep(max(0.0, (heard_ns - time.monotonic_ns()) / 1e9))  # a segment is there once its end was heard
            envelope = self._ground.province.sign(self._segment(number))
            self._ground.centre.publish(TOPIC, envelope, retain=False)
            number += 1

    def _segment(self, number: int) -> LiveSegment:
        first = number * PACKETS * PACKET_FRAMES
        packets = (self._encoder.encode(_samples(first + n * PACKET_FRAMES)) for n in range(PACKETS))
        now = datetime.now(timezone.utc)
        return LiveSegment(
            scope=Scope(SCOPE),
            id="thoi-su",
            version=round(self._begun.timestamp() * 1_000),
            number=number,
            sent=utc(now),
            expires=utc(now + timedelta(seconds=9)),
            until=utc(self._begun + timedelta(minutes=60)),
            title="Thời sự",
            packets=tuple(b64encode(packet).decode() for packet in packets),
        )

    def end(self) -> None:
        """Fall silent."""
        self._over.set()
        self._thread.join()


def _samples(first: int) -> bytes:
    """A packet's worth from this sample on: the tone at the beginning of each second."""
    second, offset = divmod(first, RATE_HZ)
    if offset >= RATE_HZ * MARK_MS // 1_000:
        return bytes(2 * PACKET_FRAMES)
    step = 2 * math.pi * PITCHES_HZ[second % len(PITCHES_HZ)] / RATE_HZ
    return array("h", [int(16_000 * math.sin(step * n)) for n in range(offset, offset + PACKET_FRAMES)]).tobytes()


def _pitch(part: array[int]) -> int:
    """Which of the pitches it is, of fifty milliseconds."""
    ups = sum(before < 0 <= after for before, after in pairwise(part)) * 20
    return min(range(len(PITCHES_HZ)), key=lambda number: abs(PITCHES_HZ[number] - ups))


def heard_ns(ground: Ground) -> Iterator[tuple[int, int]]:
    """When each mark went to the sound device, and its pitch: from the first loud sample behind half a second of
    silence on.
    """
    with wave.open(str(ground.station.folder / "aired.wav"), "rb") as file:
        samples = array("h", file.readframes(file.getnframes()))
    (run,) = [line for line in ground.timeline() if line["frames"]]
    last = -RATE_HZ
    samples = samples[run["file_frame"] :]
    for frame, sample in enumerate(samples):
        if abs(sample) > LOUD:
            if frame - last > RATE_HZ // 2:
                pitch = _pitch(samples[frame + RATE_HZ // 100 : frame + RATE_HZ * 6 // 100])
                yield run["mono_ns"] + frame * 1_000_000_000 // RATE_HZ, pitch
            last = frame


def _late_ms(at_ms: float, pitch: int) -> float:
    """How late a mark of this pitch is that was heard so long after the source began: less than five seconds."""
    return min(
        late for second in range(5) if (late := at_ms % 1_000 + 1_000 * second) >= 0 and _said(at_ms - late, pitch)
    )


def _said(said_ms: float, pitch: int) -> bool:
    return round(said_ms / 1_000) % len(PITCHES_HZ) == pitch


def main() -> None:
    """The floor first, then a session of as many seconds as there are marks."""
    with tempfile.TemporaryDirectory() as name:
        ground = Ground(Path(name))
        _, envelope = ground.message(0, 1, "Alert")
        floor = [SEGMENT_MS + ground.message_ms(envelope) for _ in range(MARKS)]
        source = Source(ground)
        eventually(lambda: status(ground.station).get("on_air"), 20)
        time.sleep(MARKS)
        source.end()
        eventually(lambda: not status(ground.station).get("on_air"), 20)
        ground.close()
        came = list(heard_ns(ground))
    ours = [_late_ms((at_ns - source.began_ns) / 1e6, pitch) for at_ns, pitch in came]
    first = math.floor((came[0][0] - source.began_ns) / 1e9)
    report("live", "ms", floor, ours, longest_ms=round(max(ours), 1), heard=len(ours), first_s=first)


if __name__ == "__main__":
    main()
