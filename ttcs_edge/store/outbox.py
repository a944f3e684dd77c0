"""The durable queue of reports, as the link sees it: what waits, what was sent, and what is to be sent again.

Rows come in through ``Database.commit``, and go by its bounds (``journal``). Here they are only marked: as sent once
the broker has acknowledged them, as waiting again when the centre asks for them. A mark that a power cut undoes only
means that a report is told twice under one id, so it is not worth a sync of its own.

A mark bears its time, and by it a report is let go (``journal``). So the time must be one that is believed: what is
sent while nobody knows the time stays undated, and is dated by the first mark that is made when somebody does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from ttcs_edge.core.limits import LIMITS
from ttcs_edge.durable import transaction
from ttcs_edge.store.database import connect
from ttcs_edge.store.journal import JOURNAL_MOST, RANKS, SEQUENCE_MOST, UNDATED_MS, place

PENDING = """
    SELECT seq, id, body FROM unsent CROSS JOIN outbox USING (seq) WHERE unsent.seq > ? ORDER BY unsent.seq LIMIT ?
"""
RESEND_ROWS = 2_000
"""How many reports one transaction queues again."""
DEPTH = """
    SELECT (SELECT count(*) FROM unsent), (SELECT told_ms FROM outbox WHERE seq = (SELECT min(seq) FROM unsent))
"""


class OutboxRow(Struct, frozen=True):
    """One report that waits: ``seq`` is its place in the queue, ``body`` goes out as it is."""

    seq: int
    id: str
    body: bytes

    @property
    def sequence(self) -> int:
        """Its number in its journal."""
        return self.seq & SEQUENCE_MOST


def _nobody_knows() -> None:
    return None


class Outbox:
    """Its own connection to the station's database; any thread may call, one at a time.

    ``resends`` counts the times that rows were put back behind what was already read: who reads on begins again.
    ``known_ms`` gives the time, None while no clock is believed.
    """

    def __init__(self, path: Path, known_ms: Callable[[], int | None] = _nobody_knows) -> None:
        self._connection = connect(path)
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._lock = threading.Lock()
        self._known_ms = known_ms
        self._undated = True
        self.resends = 0

    def pending(self, limit: int, after_seq: int) -> list[OutboxRow]:
        """The oldest rows behind ``after_seq``."""
        with self._lock:
            return [OutboxRow(*row) for row in self._connection.execute(PENDING, (after_seq, limit))]

    def urgent(self, limit: int) -> list[OutboxRow]:
        """The oldest receipts of alerts that wait: they go before all else."""
        sql = """
            SELECT seq, id, body FROM unsent CROSS JOIN outbox USING (seq)
            WHERE unsent.rank = ? ORDER BY unsent.seq LIMIT ?
        """
        with self._lock:
            return [OutboxRow(*row) for row in self._connection.execute(sql, (RANKS["alert-receipt"], limit))]

    def kept(self, limit: int, after_seq: int) -> list[OutboxRow]:
        """The oldest rows behind ``after_seq``, those that were sent among them."""
        sql = "SELECT seq, id, body FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?"
        with self._lock:
            return [OutboxRow(*row) for row in self._connection.execute(sql, (after_seq, limit))]

    def newest_first(self, limit: int, before_seq: int) -> list[OutboxRow]:
        """The newest rows before ``before_seq``, those that were sent among them."""
        sql = "SELECT seq, id, body FROM outbox WHERE seq < ? ORDER BY seq DESC LIMIT ?"
        with self._lock:
            return [OutboxRow(*row) for row in self._connection.execute(sql, (before_seq, limit))]

    def mark_sent(self, seqs: Sequence[int]) -> None:
        """Remember rows as sent: the broker has acknowledged them."""
        known_ms = self._known_ms()
        at_ms = UNDATED_MS if known_ms is None else known_ms
        with self._lock, transaction(self._connection):
            sql = "INSERT OR REPLACE INTO sent SELECT seq, ? FROM unsent WHERE seq = ?"
            self._connection.executemany(sql, [(at_ms, seq) for seq in seqs])
            self._connection.executemany("DELETE FROM unsent WHERE seq = ?", [(seq,) for seq in seqs])
            if known_ms is not None and self._undated:
                self._connection.execute("UPDATE sent SET sent_ms = ? WHERE sent_ms = ?", (at_ms, UNDATED_MS))
        self._undated = known_ms is None

    def resend(self, journal: int, first: int, last: int) -> tuple[int, tuple[tuple[int, int], ...]]:
        """Queue again what is still here of a journal's reports ``first`` to ``last``.

        Gives how many wait now, and the ranges of numbers that are gone: never made, or no longer kept. At most
        ``LIMITS.resend_gaps`` ranges are told; the last one then reaches to ``last``.
        """
        if not 0 <= journal <= JOURNAL_MOST:
            return 0, ((first, last),)
        begin, end = place(journal, first), place(journal, min(last, SEQUENCE_MOST))
        kept: list[int] = []
        self.resends += 1
        while rows := self._queue_again(begin, end):
            kept += [seq & SEQUENCE_MOST for seq in rows]
            begin = rows[-1] + 1
        return len(kept), tuple(_gaps(kept, first, last))

    def _queue_again(self, begin: int, end: int) -> list[int]:
        """Some of the rows of a span: a record that is to be on disk within a second must not wait for all of them."""
        with self._lock, transaction(self._connection):
            run = self._connection.execute
            sql = "SELECT seq FROM outbox WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT ?"
            rows = [row[0] for row in run(sql, (begin, end, RESEND_ROWS))]
            if rows:
                span = (rows[0], rows[-1])
                run("INSERT OR IGNORE INTO unsent SELECT seq, rank FROM outbox WHERE seq BETWEEN ? AND ?", span)
                run("DELETE FROM sent WHERE seq BETWEEN ? AND ?", span)
        return rows

    def depth(self) -> tuple[int, int | None]:
        """How many rows wait, and when the oldest of them was told (wall clock, milliseconds)."""
        with self._lock:
            row = self._connection.execute(DEPTH).fetchone()
        return int(row[0]), row[1]

    def newest(self) -> tuple[int, int]:
        """The journal of this database, and the number of the newest report in it; 0 before the first."""
        with self._lock:
            rows = self._connection.execute("SELECT name, value FROM meta WHERE name IN ('journal', 'sequence')")
            meta = dict(rows.fetchall())
        return meta["journal"], meta.get("sequence", 0)

    def dropped(self) -> int:
        """How many reports the station ever let go unsent, for want of room."""
        with self._lock:
            row = self._connection.execute("SELECT value FROM meta WHERE name = 'outbox_dropped'").fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()


def _gaps(kept: Iterable[int], first: int, last: int) -> Iterator[tuple[int, int]]:
    """The ranges between the numbers that are there."""
    told, expected = 0, first
    for sequence in (*kept, last + 1):
        if sequence > expected:
            told += 1
            if told == LIMITS.resend_gaps:
                yield expected, last
                return
            yield expected, sequence - 1
        expected = sequence + 1
