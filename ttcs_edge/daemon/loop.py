"""The one queue and the one thread: takes an event, asks the core, carries out its effects in their order.

``Record`` is a barrier (decision 1): the effects behind it in the same list come back to this thread once the store
has it on disk. Nothing here waits for anything but the next event; the watchdog is fed from here, so that a loop that
hangs is seen by the service manager (never-8, never-2).
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from ttcs_edge.core.effects import Effect, Leave, Record, WakeAt
from ttcs_edge.core.events import Event, TimePassed
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Instant
from ttcs_edge.core.station import Station
from ttcs_edge.daemon.handlers import Handlers

IDLE_S = 1.0
"""How long the loop sleeps at the most: it must feed the watchdog."""

_log = structlog.get_logger()


class Store(Protocol):
    """The part of the recorder that the loop needs."""

    def submit(self, entries: tuple[object, ...], wall_ms: int, then: Callable[[], None]) -> None:
        """Have entries put on disk, and ``then`` called once they are there."""


class Rest:
    """The effects behind a barrier, on their way back to the loop."""

    def __init__(self, effects: list[Effect]) -> None:
        self.effects = effects


class Loop:
    """Owns the station. ``post`` is for every thread; all else is for the thread that calls ``run``."""

    def __init__(self, station: Station, now: Callable[[], Instant], feed: Callable[[], None]) -> None:
        self.station = station
        self._now = now
        self._feed = feed
        self._queue: queue.Queue[Event | Rest] = queue.Queue(LIMITS.events_queued)
        self._wake_mono_ms = 0
        self._leave = False

    def post(self, event: Event | Rest) -> None:
        """Put an event on the queue, from any thread. A full queue is waited for: what fills it is never the core."""
        self._queue.put(event)

    def run(self, first: Event, handlers: Handlers, store: Store) -> None:
        """Handle ``first``, then everything that comes, until the core says ``Leave``."""
        self._handle(first, handlers, store)
        while not self._leave:
            self._feed()
            wait_s = min(IDLE_S, max(0.0, self._wake_mono_ms / 1_000 - time.monotonic()))
            try:
                event = self._queue.get(timeout=wait_s)
            except queue.Empty:
                if time.monotonic() * 1_000 >= self._wake_mono_ms:
                    self._handle(TimePassed(), handlers, store)
                continue
            if isinstance(event, Rest):
                self._carry_out(event.effects, handlers, store)
            else:
                self._handle(event, handlers, store)

    def _poster(self, rest: list[Effect]) -> Callable[[], None]:
        return lambda: self.post(Rest(rest))

    def _handle(self, event: Event, handlers: Handlers, store: Store) -> None:
        self._carry_out(self.station.handle(event, self._now()), handlers, store)

    def _carry_out(self, effects: list[Effect], handlers: Handlers, store: Store) -> None:
        for index, effect in enumerate(effects):
            match effect:
                case WakeAt(mono_ms):
                    self._wake_mono_ms = mono_ms
                case Leave():
                    self._leave = True
                case Record(entries):
                    rest: list[Effect] = [e for e in effects[index + 1 :] if not isinstance(e, WakeAt)]
                    self._wake_mono_ms = next(e.mono_ms for e in effects if isinstance(e, WakeAt))
                    store.submit(entries, self._now().wall_ms, self._poster(rest))
                    return
                case _:
                    handlers.carry_out(effect)
