"""The right of way of an alert: while one goes from the line to the loudspeaker, work that can wait does.

All threads of the daemon share one interpreter. An alert goes through three of them, and takes it up a dozen times on
its way; each time it would wait for reports and audio, which take it just as often.
"""

from __future__ import annotations

import time

SPAN_S = 0.06
"""How long an alert is on its way."""
AGAIN_S = 0.3
"""How soon others have to wait anew: in a flood of alerts reports must go out, too."""


class Precedence:
    """``claim`` is for the thread that brings alerts, ``give_way`` for any that does what can wait."""

    def __init__(self) -> None:
        self._claimed_mono_s = float("-inf")

    def claim(self) -> None:
        """An alert has come."""
        now_s = time.monotonic()
        if now_s >= self._claimed_mono_s + AGAIN_S:
            self._claimed_mono_s = now_s

    def give_way(self) -> None:
        """Wait until no alert is on its way."""
        left_s = self._claimed_mono_s + SPAN_S - time.monotonic()
        if left_s > 0:
            time.sleep(left_s)  # this wait is what it is for
