"""A clock that is set is told of at once."""

from __future__ import annotations

import ctypes
import os
import threading

import pytest

from ttcs_edge.drivers.clock_set import watch_clock

ADJ_SETOFFSET = 0x0100
ADJ_NANO = 0x2000


def step_clock(nanoseconds: int) -> None:
    """Set the wall clock ahead by next to nothing: a jump is a jump (adjtimex(2)). Skips without the right."""
    long_bytes = ctypes.sizeof(ctypes.c_long)
    timex = ctypes.create_string_buffer(512)
    ctypes.c_uint.from_buffer(timex, 0).value = ADJ_SETOFFSET | ADJ_NANO
    ctypes.c_long.from_buffer(timex, 10 * long_bytes).value = nanoseconds
    if ctypes.CDLL(None, use_errno=True).adjtimex(timex) < 0:
        pytest.skip(f"setting the clock: {os.strerror(ctypes.get_errno())}")


def test_every_jump_of_the_wall_clock_wakes_whoever_asked() -> None:
    """Again and again, within a moment, without anybody looking."""
    was_set = threading.Semaphore(0)
    watch_clock(lambda: was_set.release())
    for _ in range(3):
        assert not was_set.acquire(timeout=0.05), "nothing was set yet"
        step_clock(1)
        assert was_set.acquire(timeout=1.0)
