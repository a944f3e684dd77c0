"""The thread that writes. Records are handed to it in order; what waits together is committed together.

It commits at most about once a second, which is a tenth of the wear of a commit for each: the first record after a
quiet second at once, the others ``GROUP_S`` after the commit before them, so each is on disk within a second of being
told (never-5). What waits at the end is written at once.

A failing card loses nothing that it can help: records stay in memory, in order, and are tried again; the station goes
on and says so (``store-failing``). Only what is over ``LIMITS.records_waiting``, or still waits when the station is
stopped, is let go: it is counted, and told once the card takes records again (``records-lost``), if need be in the next
life. A database that proves to be damaged is another matter: this thread ends, and with it this life of the station;
the next one mends it.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog
from msgspec import Struct

from ttcs_edge.core.effects import Entry
from ttcs_edge.core.events import ConditionChanged, Event
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.store.blobs import write_whole
from ttcs_edge.store.database import Database, read_count
from ttcs_edge.store.health import check_reports, is_damage, is_passing, suspect

RETRY_S = 1.0
GROUP_S = 0.9
"""From the beginning of one commit to the next one's: a second, less what a commit may take."""
ROOM_S = 10.0
"""How often a full outbox is looked at for room."""
GROUP_MOST = 500
"""How many submissions one transaction takes at the most."""
CHECK_AFTER_S = 2.0
"""When the rest of the database is checked: a cue that was due needs both processors until it is heard."""
LOST_FILE = "records-lost"
"""Beside the database: how many records this life could not keep, for the next one to tell."""

_log = structlog.get_logger()


class _Submission(Struct, frozen=True):
    entries: tuple[Entry, ...]
    wall_ms: int
    then: Callable[[], None]


class Recorder:
    """Owns the database from its start. ``then`` is called on this thread, after the commit; ``give_way`` before it,
    and may wait for some hundredths of a second.
    """

    def __init__(
        self,
        database: Database,
        station: str,
        post: Callable[[Event], None],
        give_way: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._station = station
        self._post = post
        self._give_way = give_way
        self._queue: queue.Queue[_Submission | None] = queue.Queue(LIMITS.records_waiting)
        self._failing = False
        self._full = database.journal.counts.full
        self._lost_file = database.path.with_name(LOST_FILE)
        self._lost = read_count(self._lost_file)
        self._losing = threading.Lock()
        self._next_mono_s = 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()
        threading.Thread(target=self._check, name="store-check", daemon=True).start()

    def submit(self, entries: tuple[Entry, ...], wall_ms: int, then: Callable[[], None]) -> None:
        """Have entries put on disk, and ``then`` called once they are there; never waits."""
        try:
            self._queue.put_nowait(_Submission(entries, wall_ms, then))
        except queue.Full:
            self._lose(len(entries), "records_waiting")

    def close(self, timeout_s: float) -> bool:
        """Write what waits, close the database; tell whether all was written in time."""
        self._closing.set()
        with suppress(queue.Full):
            self._queue.put(None, timeout=timeout_s)
        self._thread.join(timeout_s)
        return not self._thread.is_alive() and self._queue.empty() and not self._lost

    def _run(self) -> None:
        while True:
            group, last = self._take()
            if group and not self._commit(group):
                return
            if last:
                self._database.close()
                return

    def _check(self) -> None:
        """Behind the start, and once: a damaged database is left to the next start, which comes at once."""
        if self._closing.wait(CHECK_AFTER_S):
            return
        try:
            check_reports(self._database.path)
        except sqlite3.Error as error:
            if is_passing(error):
                return
            suspect(self._database.path, error)
            raise

    def _take(self) -> tuple[list[_Submission], bool]:
        group: list[_Submission] = []
        item = self._first()
        while item is not None:
            group.append(item)
            if len(group) >= GROUP_MOST:
                return group, False
            wait_s = 0.0 if self._closing.is_set() else max(0.0, self._next_mono_s - time.monotonic())
            try:
                item = self._queue.get(timeout=wait_s) if wait_s else self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _first(self) -> _Submission | None:
        while True:
            try:
                return self._queue.get(timeout=ROOM_S if self._full else None)
            except queue.Empty:
                with suppress(sqlite3.Error):  # it is looked at again
                    self._database.look_for_room()
                self._tell_full()

    def _commit(self, group: list[_Submission]) -> bool:
        entries = [entry for submission in group for entry in submission.entries]
        self._next_mono_s = time.monotonic() + GROUP_S
        self._give_way()
        while True:
            try:
                self._database.commit(entries, self._station, group[-1].wall_ms)
            except sqlite3.Error as error:
                if is_damage(error):
                    suspect(self._database.path, error)
                    raise  # the station is started anew, with what can be read
                self._tell(True, str(error))
                if self._closing.is_set():
                    self._lose(len(entries) + self._waiting(), str(error))
                    self._leave_word()
                    return False
                self._closing.wait(RETRY_S)
                continue
            self._tell(False, "")
            self._tell_full()
            self._tell_lost()
            for submission in group:
                submission.then()
            return True

    def _tell(self, failing: bool, error: str) -> None:
        if failing != self._failing:
            self._failing = failing
            detail = (("error", error),) if failing else ()
            self._post(ConditionChanged("store-failing", "database", failing, detail))

    def _tell_full(self) -> None:
        counts = self._database.journal.counts
        if counts.full != self._full:
            self._full = counts.full
            detail = (("dropped", str(counts.dropped)),) if counts.full else ()
            self._post(ConditionChanged("outbox-full", "outbox", counts.full, detail))

    def _lose(self, count: int, error: str) -> None:
        with self._losing:
            self._lost += count
        _log.error("records-lost", count=count, error=error)

    def _waiting(self) -> int:
        """How many records nobody will write any more."""
        count = 0
        with suppress(queue.Empty):
            while True:
                submission = self._queue.get_nowait()
                count += 0 if submission is None else len(submission.entries)
        return count

    def _tell_lost(self) -> None:
        """Only behind a commit: a fault told while nothing can be kept would be lost like the rest."""
        if self._closing.is_set():  # nobody would record it any more
            self._leave_word()
            return
        with self._losing:
            lost, self._lost = self._lost, 0
        if lost:
            self._post(ConditionChanged("records-lost", "database", True, (("count", str(lost)),)))
            with suppress(OSError):
                self._lost_file.unlink(missing_ok=True)

    def _leave_word(self) -> None:
        if self._lost:
            with suppress(OSError):  # the card may refuse this, too
                write_whole(self._lost_file, str(self._lost).encode())
