"""Tells at once when somebody sets the clock of the machine: a loop that rests must not learn of it at its next look.

A timer that never ends is cancelled by the kernel when the wall clock jumps (timerfd_create(2), Linux 3.0:
TFD_TIMER_CANCEL_ON_SET). Python has it from 3.13 on only, so libc is called.
"""

from __future__ import annotations

import ctypes
import errno
import os
import threading
from collections.abc import Callable

CLOCK_REALTIME = 0
TFD_TIMER_ABSTIME = 1
TFD_TIMER_CANCEL_ON_SET = 2
NEVER_S = 2**31 - 1 if ctypes.sizeof(ctypes.c_long) == 4 else 2**40
_TIMER = ctypes.c_long * 4
"""struct itimerspec: the interval, and the end, each in seconds and nanoseconds."""


def watch_clock(was_set: Callable[[], None]) -> None:
    """Call ``was_set`` after each jump, on a thread of its own, for as long as the process lives.

    A kernel without such timers is looked at by the loop itself, every few seconds.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.timerfd_create(CLOCK_REALTIME, os.O_CLOEXEC)
    if fd >= 0:
        threading.Thread(target=_wait, args=(libc, fd, was_set), name="clock-set", daemon=True).start()


def _wait(libc: ctypes.CDLL, fd: int, was_set: Callable[[], None]) -> None:
    never = _TIMER(0, 0, NEVER_S, 0)
    try:
        while libc.timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, never, None) == 0:
            try:
                os.read(fd, 8)
                return  # never has come
            except OSError as error:
                if error.errno != errno.ECANCELED:
                    return
            was_set()
    finally:
        os.close(fd)
