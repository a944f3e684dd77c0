"""The durable queue of reports not yet acknowledged, as the link sees it.

Rows come in through ``Database.commit`` and leave here, once the broker has acknowledged them. A removal that a power
cut undoes only means that a report is told twice under one id, so it is not worth a sync of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ttcs_edge.store.database import connect


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One report that waits: ``seq`` is its place in the queue, ``body`` goes out as it is."""

    seq: int
    id: str
    body: bytes


class Outbox:
    """Its own connection to the station's database; any thread may call, one at a time."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._lock = threading.Lock()

    def pending(self, limit: int, after_seq: int) -> list[OutboxRow]:
        """The oldest rows behind ``after_seq``."""
        sql = "SELECT seq, id, body FROM outbox WHERE seq > ? ORDER BY seq LIMIT ?"
        with self._lock:
            return [OutboxRow(*row) for row in self._connection.execute(sql, (after_seq, limit))]

    def remove(self, seqs: Sequence[int]) -> None:
        """Forget rows that the broker has acknowledged."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._connection.executemany("DELETE FROM outbox WHERE seq = ?", [(seq,) for seq in seqs])
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def depth(self) -> tuple[int, int | None]:
        """How many rows wait, and when the oldest of them was told (wall clock, milliseconds)."""
        with self._lock:
            row = self._connection.execute("SELECT count(*), min(told_ms) FROM outbox").fetchone()
        return int(row[0]), row[1]

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()
