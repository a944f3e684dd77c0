"""What the writer reads: a file that libvlc decodes, what an input hears, or what comes live in segments."""

from __future__ import annotations

import threading
from typing import Protocol


class Source(Protocol):
    """Samples of one item.

    Must: give samples in order, as soon as they are there. Never: keep a reader longer than its timeout and some
    milliseconds. The writer's thread reads, the control thread closes.
    """

    @property
    def exhausted(self) -> bool:
        """Tell whether no more comes and everything was read."""

    @property
    def short_ms(self) -> int:
        """By how much the samples of a whole item may fall short of its length."""

    @property
    def filled_bytes(self) -> int:
        """How much of all that was given so far is no audio, but stands in for some that is lost."""

    @property
    def failure(self) -> str | None:
        """Why it is exhausted, as ``Ended`` tells it; None for an end of its own."""

    def read(self, size_bytes: int, timeout_s: float) -> bytes:
        """Take up to ``size_bytes``: fewer when there are fewer within ``timeout_s``, or ever; empty too."""

    def ends_within(self, size_bytes: int) -> bool:
        """Tell whether no more than this is left to be read."""

    def close(self) -> None:
        """Let everything go."""


class Opening:
    """A source that another thread is opening: ``concurrent.futures`` would bring half of Python along."""

    def __init__(self) -> None:
        self._opened = threading.Event()

    def set_result(self, source: Source) -> None:
        """It is there."""
        self._source = source
        self._opened.set()

    def opens_within(self, timeout_s: float) -> bool:
        """Wait for it so long, and tell whether it is there."""
        return self._opened.wait(timeout_s)

    def result(self) -> Source:
        """Wait for it."""
        self._opened.wait()
        return self._source
