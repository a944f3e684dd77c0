"""Whether NTP keeps the kernel's clock: ``ttcs-edge-clock FILE`` says so to a daemon that may not ask.

adjtimex(2) is the only call that asks, and the one that sets: the daemon's unit has none of it. So a neighbour with a
unit of its own asks, and writes one line: 1 or 0, how far the wall clock was from the monotonic one when that was so,
and when it was. A line is believed for three seconds, and only as long as nobody has set the clock since: then the
neighbour wakes, and asks anew. It loads next to nothing, for it takes memory on every station.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from pathlib import Path

import sdnotify

from ttcs_edge.drivers.clock_set import watch_clock

SAID = Path("/run/ttcs-edge-clock/synchronised")
STA_UNSYNC = 0x0040
"""adjtimex(2): the clock is not synchronised."""
_STATUS_OFFSET = 5 * ctypes.sizeof(ctypes.c_long)
EVERY_S = 1.0
STALE_MS = 3_000
MOVED_MS = 100
"""A clock that moved by more against the monotonic one was set, and whether it is synchronised must be asked anew."""


def asked() -> bool | None:
    """Ask the kernel whether timesyncd, chrony or ntpd keeps the clock, read only; None where that is not allowed."""
    timex = ctypes.create_string_buffer(512)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.adjtimex(timex) < 0:
        return None
    status = ctypes.c_int.from_buffer(timex, _STATUS_OFFSET).value
    return not status & STA_UNSYNC


def said(file: Path = SAID) -> bool:
    """What the neighbour says; a word that is old, or of a clock that was set since, is no yes."""
    try:
        good, offset_ms, mono_ms = (int(word) for word in file.read_text("ascii").split())
    except (OSError, ValueError):
        return False
    now_offset_ms, now_ms = _clocks()
    return good == 1 and 0 <= now_ms - mono_ms <= STALE_MS and abs(now_offset_ms - offset_ms) <= MOVED_MS


def say(file: Path, synchronised: bool | None, offset_ms: int, mono_ms: int) -> None:
    """Put one line in the place of the one before."""
    part = file.with_name(f"{file.name}.part")
    part.write_text(f"{int(synchronised is True)} {offset_ms} {mono_ms}\n", "ascii")
    part.rename(file)


def look(file: Path) -> None:
    """Ask and say. The clocks are read first: one that is set meanwhile is not the one that was asked about."""
    offset_ms, mono_ms = _clocks()
    say(file, asked(), offset_ms, mono_ms)


def _clocks() -> tuple[int, int]:
    wall_ms, mono_ms = time.time_ns() // 1_000_000, time.monotonic_ns() // 1_000_000
    return wall_ms - mono_ms, mono_ms


def main() -> int:
    """Say it again and again, until the service manager ends this."""
    if len(sys.argv) != 2:
        print("ttcs-edge-clock FILE", file=sys.stderr)
        return os.EX_USAGE
    file, woken, notifier = Path(sys.argv[1]), threading.Event(), sdnotify.SystemdNotifier()
    watch_clock(woken.set)
    while True:
        woken.clear()
        look(file)
        notifier.notify("READY=1\nWATCHDOG=1")
        woken.wait(EVERY_S)


if __name__ == "__main__":
    sys.exit(main())
