"""The one queue and the one thread: takes an event, asks the core, carries out its effects in their order.

``Record`` is a barrier (decision 1): the effects behind it in the same list come back to this thread once the store
has it on disk. Nothing here waits for anything but the next event; the watchdog is fed from here, so that a loop that
hangs is seen by the service manager (never-8, never-2). Other threads look at the core only through ``ask``, between
two events.
"""

from __future__ import annotations

import gc
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from ttcs_edge.core.effects import Effect, Leave, Record, StartSound, WakeAt
from ttcs_edge.core.events import Event, SoundEnded, SoundStarted, TimePassed
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Instant
from ttcs_edge.core.station import Station
from ttcs_edge.daemon.handlers import Handlers

IDLE_S = 5.0
"""How long the loop sleeps at the most: it must feed the watchdog, which bites after 8 s (``WatchdogSec``)."""
FIRST_SOUND_S = 0.5
"""How long what can wait is kept back for a sound that a start brings: a player's first file keeps two cores busy."""
CLOCK_SET_MS = 100
"""A wall clock that moved by more against the monotonic one was set, not slewed."""

T = TypeVar("T")


class Store(Protocol):
    """The part of the recorder that the loop needs."""

    def submit(self, entries: tuple[object, ...], wall_ms: int, then: Callable[[], None]) -> None:
        """Have entries put on disk, and ``then`` called once they are there."""


class Rest:
    """The effects behind a barrier, on their way back to the loop."""

    def __init__(self, effects: list[Effect]) -> None:
        self.effects = effects


class Question:
    """Something to be asked of the core between two events, and where the answer goes."""

    def __init__(self, call: Callable[[Station], Any]) -> None:
        self._call = call
        self.answer: Future[Any] = Future()

    def put_to(self, station: Station) -> None:
        """Ask; what goes wrong is for whoever asked."""
        try:
            self.answer.set_result(self._call(station))
        except Exception as error:
            self.answer.set_exception(error)


def carry_out(
    effects: list[Effect], do: Callable[[Effect], None], submit: Callable[[Record, list[Effect]], None]
) -> None:
    """Do effects in their order, up to a ``Record``: that is submitted together with what must wait for it.

    Only the wake never waits for the card: it is done before.
    """
    for index, effect in enumerate(effects):
        if isinstance(effect, Record):
            rest = effects[index + 1 :]
            for wake in [one for one in rest if isinstance(one, WakeAt)]:
                do(wake)
            submit(effect, [one for one in rest if not isinstance(one, WakeAt)])
            return
        do(effect)


class Loop:
    """Owns the station. ``post``, ``ask`` and ``crash`` are for every thread; ``run`` is for one.

    ``news`` is asked in each round for an event that came about meanwhile.
    """

    def __init__(
        self,
        station: Station,
        now: Callable[[], Instant],
        feed: Callable[[], None],
        news: Callable[[], Event | None] = lambda: None,
    ) -> None:
        self._station = station
        self._now = now
        self._feed = feed
        self._news = news
        self._queue: queue.Queue[Event | Rest | Question] = queue.Queue(LIMITS.events_queued)
        self._own: deque[Event] = deque()
        self._thread: threading.Thread | None = None
        self._crashed: BaseException | None = None
        self._seen = now()
        self._wake_mono_ms = 0
        self._leave = False
        self._begun: Callable[[], None] | None = None
        self._kept_back_until_s = 0.0

    def post(self, event: Event | Rest) -> None:
        """Put an event on the queue, from any thread. A full queue is waited for, but never by the loop itself."""
        if threading.current_thread() is self._thread and not isinstance(event, Rest):
            self._own.append(event)
        else:
            self._queue.put(event)

    def ask(self, call: Callable[[Station], T], timeout_s: float) -> T:
        """Look at the core between two events; ``call`` must be quick and change nothing.

        Raises TimeoutError when the loop does not come to it in time, queue.Full when it is flooded.
        """
        question = Question(call)
        self._queue.put_nowait(question)
        answer: T = question.answer.result(timeout_s)
        return answer

    def crash(self, error: BaseException) -> None:
        """End the loop: a thread of this process has ended by a bug of ours, and nothing can be relied on any more."""
        self._crashed = error
        with suppress(queue.Full):
            self._queue.put_nowait(Question(lambda station: None))  # so that it is seen at once

    def run(self, first: Event, handlers: Handlers, store: Store, begun: Callable[[], None] = lambda: None) -> None:
        """Handle ``first``, then everything that comes, until the core says ``Leave``; raises what ``crash`` gave.

        ``begun`` is called once the queue is empty for the first time and a sound that was to begin has begun: until
        then what a start brings has the machine for itself. What waits for the card may still be out.
        """
        self._thread = threading.current_thread()
        self._begun = begun
        self._handle(first, handlers, store)
        gc.freeze()  # what a start makes stays: no collection need ever walk through it
        gc.enable()
        while not self._leave:
            if self._crashed is not None:
                raise self._crashed
            self._feed()
            if (news := self._news()) is not None:
                self._own.append(news)
            match self._next():
                case None if time.monotonic() * 1_000 >= self._wake_mono_ms or self._clock_was_set():
                    self._handle(TimePassed(), handlers, store)
                case None:
                    pass
                case Rest() as rest:
                    self._carry_out(rest.effects, handlers, store)
                case Question() as question:
                    question.put_to(self._station)
                case event:
                    self._handle(event, handlers, store)

    def _clock_was_set(self) -> bool:
        """Tell whether the wall clock was set, or its trust changed, since the core last saw it."""
        now, seen = self._now(), self._seen
        moved_ms = (now.wall_ms - now.mono_ms) - (seen.wall_ms - seen.mono_ms)
        return now.trusted != seen.trusted or abs(moved_ms) > CLOCK_SET_MS

    def _next(self) -> Event | Rest | Question | None:
        kept_back = time.monotonic() < self._kept_back_until_s
        if self._begun is not None and not kept_back and not self._own and self._queue.empty():
            begun, self._begun = self._begun, None
            begun()
        if self._own:
            return self._own.popleft()
        wake_s = self._wake_mono_ms / 1_000
        until_s = wake_s if self._begun is None else min(wake_s, self._kept_back_until_s)
        wait_s = min(IDLE_S, max(0.0, until_s - time.monotonic()))
        try:
            return self._queue.get(timeout=wait_s)
        except queue.Empty:
            return None

    def _poster(self, rest: list[Effect]) -> Callable[[], None]:
        return lambda: self.post(Rest(rest))

    def _handle(self, event: Event, handlers: Handlers, store: Store) -> None:
        self._seen = self._now()
        if isinstance(event, SoundStarted | SoundEnded):
            self._kept_back_until_s = 0.0
        self._carry_out(self._station.handle(event, self._seen), handlers, store)

    def _carry_out(self, effects: list[Effect], handlers: Handlers, store: Store) -> None:
        def do(effect: Effect) -> None:
            match effect:
                case WakeAt(mono_ms):
                    self._wake_mono_ms = mono_ms
                case Leave():
                    self._leave = True
                case StartSound():
                    self._kept_back_until_s = time.monotonic() + FIRST_SOUND_S
                    handlers.carry_out(effect)
                case _:
                    handlers.carry_out(effect)

        def submit(record: Record, rest: list[Effect]) -> None:
            store.submit(record.entries, self._now().wall_ms, self._poster(rest))

        carry_out(effects, do, submit)
