"""The clocks of the machine, and whether the wall clock can be believed (air-7)."""

from __future__ import annotations

import ctypes
import time

from ttcs_edge.core.model import Instant, MonoMs, WallMs
from ttcs_edge.settings import TimeSource

STA_UNSYNC = 0x0040
"""adjtimex(2): the clock is not synchronised."""
FLOOR_MS = 1_764_000_000_000
"""No station of this release lives before this instant (November 2025): an earlier clock is wrong."""
_STATUS_OFFSET = 5 * ctypes.sizeof(ctypes.c_long)
_LOOK_EVERY_MS = 1_000


class SystemClock:
    """Reads both clocks. One thread calls ``now``; it costs a microsecond, and a system call once a second."""

    def __init__(self, source: TimeSource) -> None:
        self._source = source
        self._looked_mono_ms = -_LOOK_EVERY_MS
        self._synchronised = False

    def now(self) -> Instant:
        """One reading of both clocks."""
        wall_ms, mono_ms = time.time_ns() // 1_000_000, time.monotonic_ns() // 1_000_000
        if mono_ms - self._looked_mono_ms >= _LOOK_EVERY_MS:
            self._looked_mono_ms = mono_ms
            self._synchronised = self._source is TimeSource.HOST or kernel_synchronised()
        return Instant(WallMs(wall_ms), MonoMs(mono_ms), self._synchronised and wall_ms >= FLOOR_MS)


def kernel_synchronised() -> bool:
    """Ask the kernel whether timesyncd, chrony or ntpd keeps the clock (adjtimex(2), read only)."""
    timex = ctypes.create_string_buffer(512)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.adjtimex(timex) < 0:
        return False
    status = ctypes.c_int.from_buffer(timex, _STATUS_OFFSET).value
    return not status & STA_UNSYNC
