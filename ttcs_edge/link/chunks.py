"""The chunks of one audio file over the broker, asked for a few at a time.

All chunks of a file stand retained on the broker. Subscribing to all of them would put the whole file into the broker's
queue for this station, and would send it from its beginning after every break. So only the next few are subscribed to,
and further ones as these are taken: that holds a fast broker back from a slow card. The network thread never waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from ttcs_edge.core.limits import LIMITS

CHUNKS_AHEAD = 2
"""How many chunks may be under way: a link whose answers take 300 ms carries 850 KB a second with two."""


class Subscriber(Protocol):
    """The part of a broker's client that is needed here. Neither call waits for the broker."""

    def subscribe(self, topic: list[tuple[str, int]]) -> object:
        """Have messages on these topics sent, with this quality of service."""

    def unsubscribe(self, topic: list[str]) -> object:
        """Have no more sent."""


@dataclass(slots=True)
class _File:
    sha256: str
    count: int
    asked: range = range(0)
    """Which chunks are subscribed to."""
    arrived: dict[int, bytes] = field(default_factory=dict)
    """What came and was not taken yet; never more than ``asked``."""
    under_way: set[int] = field(default_factory=set)
    """What was subscribed to and has not come."""


class Chunks:
    """One file at a time. ``put`` and ``topics`` are for the network's thread, the rest for the fetcher's."""

    def __init__(self, topic: Callable[[str, int], str], live: Callable[[], Subscriber | None]) -> None:
        self._topic = topic
        self._live = live
        self._changed = threading.Condition()
        self._file: _File | None = None

    def ask_for(self, sha256: str, count: int) -> None:
        """Begin with a file of so many chunks; the first ``take`` says from which one on."""
        with self._changed:
            assert self._file is None, "one file at a time"
            self._file = _File(sha256, count)

    def take(self, sha256: str, number: int, timeout_s: float) -> bytes | None:
        """Give one chunk, and have the few behind it sent meanwhile; None when it does not come in time."""
        file = self._move(sha256, number)
        with self._changed:
            self._changed.wait_for(lambda: number in file.arrived, timeout_s)
            return file.arrived.pop(number, None)

    def _move(self, sha256: str, number: int) -> _File:
        """Let the chunks that are subscribed to begin at this one."""
        with self._changed:
            file = self._file
            assert file is not None and file.sha256 == sha256, "ask_for comes first"
            before, file.asked = file.asked, range(number, min(number + CHUNKS_AHEAD, file.count))
            file.under_way |= set(file.asked) - set(before)
            file.arrived = {other: data for other, data in file.arrived.items() if other in file.asked}
            more = [(self._topic(sha256, other), 1) for other in file.asked if other not in before]
            fewer = [self._topic(sha256, other) for other in before if other not in file.asked]
        client = self._live()
        if client is not None and fewer:
            client.unsubscribe(fewer)
        if client is not None and more:
            client.subscribe(more)
        return file

    def leave(self, sha256: str) -> int:
        """Have no more sent, and drop what was not taken; gives how many chunks may be under way."""
        with self._changed:
            file, self._file = self._file, None
        client = self._live()
        if client is None or file is None or not file.asked:
            return 0
        client.unsubscribe([self._topic(file.sha256, number) for number in file.asked])
        return len(file.under_way)

    def topics(self) -> list[tuple[str, int]]:
        """What a new connection must subscribe to for the file of this moment."""
        with self._changed:
            file = self._file
            if file is None:
                return []
            file.under_way = set(file.asked)
            return [(self._topic(file.sha256, number), 1) for number in file.asked]

    def put(self, sha256: str, number: int, data: bytes) -> bool:
        """Keep a chunk that came, until it is taken; False for one that nobody waits for. It never blocks."""
        with self._changed:
            file = self._file
            if file is None or file.sha256 != sha256:
                return False
            file.under_way.discard(number)
            if number not in file.asked:
                return False
            file.arrived[number] = data[: LIMITS.blob_chunk_bytes + 1]  # one byte too many is enough to be refused by
            self._changed.notify_all()
            return True
