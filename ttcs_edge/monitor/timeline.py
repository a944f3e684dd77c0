"""What was sent, by the time at which it was: periods in, the samples of any half second out.

A writer hands periods over when the device has room, some milliseconds early or late; what it plays is even. So a
period stands right behind the one before it, and the whole is only slowly drawn to the times that were read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np

from ttcs_edge.drivers.sound import PERIOD_BYTES, PERIOD_FRAMES, PERIOD_NS, RATE_HZ
from ttcs_edge.monitor.ear import STEP_SAMPLES, Samples
from ttcs_edge.player.sent import ROWS, is_near

NEW_RUN_NS = 100_000_000
"""Further from where it should be a period begins anew: there was a pause."""
DRAWN = 50
"""A fiftieth of what a time is off is followed at once."""


class Timeline:
    """The last seconds of what was sent. One thread uses it."""

    def __init__(self) -> None:
        self._periods: deque[tuple[int, Samples]] = deque(maxlen=ROWS)
        self._next_ns = 0

    def add(self, periods: Iterable[tuple[int, bytes]], now_ns: int) -> None:
        """What was read; times that cannot be are left out."""
        for mono_ns, period in periods:
            if not is_near(mono_ns, now_ns) or len(period) != PERIOD_BYTES:
                continue
            off_ns = mono_ns - self._next_ns
            at_ns = mono_ns if abs(off_ns) > NEW_RUN_NS else self._next_ns + off_ns // DRAWN
            self._periods.append((at_ns, np.frombuffer(period, dtype="<i2")))
            self._next_ns = at_ns + PERIOD_NS

    def step(self, begin_ns: int) -> Samples | None:
        """The half second from then on; None where nothing was sent in it."""
        while self._periods and self._periods[0][0] < begin_ns - PERIOD_NS:
            self._periods.popleft()
        samples: Samples | None = None
        for at_ns, period in self._periods:
            at = (at_ns - begin_ns) * RATE_HZ // 1_000_000_000
            if at >= STEP_SAMPLES:
                break
            if samples is None:
                samples = np.zeros(STEP_SAMPLES, dtype=np.int16)
            first, last = max(0, at), min(STEP_SAMPLES, at + PERIOD_FRAMES)
            samples[first:last] = period[first - at : last - at]
        return samples
