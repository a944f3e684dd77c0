"""The thread that writes. Records are handed to it in order; what waits together is committed together.

A failing card loses nothing that it can help: records stay in memory, in order, and are tried again; the station goes
on and says so (``store-failing``). Only what is over ``LIMITS.records_waiting`` is let go, and the log says so.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from ttcs_edge.core.effects import Entry
from ttcs_edge.core.events import ConditionChanged, Event
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.store.database import Database

RETRY_S = 1.0
GROUP_MOST = 500
"""How many submissions one transaction takes at the most."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Submission:
    entries: tuple[Entry, ...]
    wall_ms: int
    then: Callable[[], None]


class Recorder:
    """Owns the database from its start. ``then`` is called on this thread, after the commit."""

    def __init__(self, database: Database, station: str, post: Callable[[Event], None]) -> None:
        self._database = database
        self._station = station
        self._post = post
        self._queue: queue.Queue[_Submission | None] = queue.Queue(LIMITS.records_waiting)
        self._failing = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def submit(self, entries: tuple[Entry, ...], wall_ms: int, then: Callable[[], None]) -> None:
        """Have entries put on disk, and ``then`` called once they are there; never waits."""
        try:
            self._queue.put_nowait(_Submission(entries, wall_ms, then))
        except queue.Full:
            _log.error("records-lost", count=len(entries), error="records_waiting")

    def close(self, timeout_s: float) -> bool:
        """Write what waits, close the database; tell whether all was written in time."""
        self._closing.set()
        with suppress(queue.Full):
            self._queue.put(None, timeout=timeout_s)
        self._thread.join(timeout_s)
        return not self._thread.is_alive() and self._queue.empty()

    def _run(self) -> None:
        while True:
            group, last = self._take()
            if group and not self._commit(group):
                return
            if last:
                self._database.close()
                return

    def _take(self) -> tuple[list[_Submission], bool]:
        group: list[_Submission] = []
        item = self._queue.get()
        while item is not None:
            group.append(item)
            if len(group) >= GROUP_MOST:
                return group, False
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _commit(self, group: list[_Submission]) -> bool:
        entries = [entry for submission in group for entry in submission.entries]
        while True:
            try:
                self._database.commit(entries, self._station, group[-1].wall_ms)
            except sqlite3.Error as error:
                self._tell(True, str(error))
                if self._closing.is_set():
                    _log.error("records-lost", count=len(entries), error=str(error))
                    return False
                time.sleep(RETRY_S)
                continue
            self._tell(False, "")
            for submission in group:
                submission.then()
            return True

    def _tell(self, failing: bool, error: str) -> None:
        if failing != self._failing:
            self._failing = failing
            detail = (("error", error),) if failing else ()
            self._post(ConditionChanged("store-failing", "database", failing, detail))
