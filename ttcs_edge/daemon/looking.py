"""What goes on at the station as long as somebody looks on: a walk, or a lease.

Whoever asked for it looks at it again and again. Once nobody has looked for ``GONE_S`` (a lost connection, a command
that was killed) he is taken to be gone, and it is ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

GONE_S = 5.0


class Looking:
    """Who looks on at what goes on, by its number. ``left`` is told once nobody does any more."""

    def __init__(self, left: Callable[[int], None]) -> None:
        self._left = left
        self._looked: dict[int, threading.Event] = {}

    def begin(self, number: int) -> None:
        """From here on somebody must look."""
        self._looked[number] = threading.Event()
        threading.Thread(target=self._watch, args=(number,), name="looking", daemon=True).start()

    def looks(self, number: int) -> None:
        """Somebody looks."""
        if (looked := self._looked.get(number)) is not None:
            looked.set()

    def _watch(self, number: int) -> None:
        looked = self._looked[number]
        while looked.wait(GONE_S):
            looked.clear()
        del self._looked[number]
        self._left(number)
