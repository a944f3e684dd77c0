"""The reports that a station has made: numbered, bounded, and kept for a while after they were sent.

- Each report gets, in the transaction that makes it, the next ``sequence`` of its ``journal``: 1, 2, 3 without a gap,
  so the centre sees what did not reach it. A journal is named by the boot count at which its database was begun: a
  database made anew after damage begins another, and no number is ever used twice (never-5). One that is begun in
  memory (``in_memory``) has a number that no card comes to: an old journal is not always a low one.
- A report that was sent stays for ``StoreSettings.sent_kept_s``, to be sent again when the centre asks for it. When it
  was sent, and when that is long ago, is told by a clock that is believed; without one, nothing is old.
- All of them together take at most ``StoreSettings.report_bytes``. Beyond it goes first what was sent, the longest ago
  first; then what was not, the least important first (``RANKS``) and of those the oldest. What went unsent is counted
  for good.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ttcs_edge.settings import StoreSettings
from ttcs_edge.store.chain import Run, read_head, write_head
from ttcs_edge.wire.chain import Head, linked
from ttcs_edge.wire.reports import AuditReport, EventReport, encode

RANKS = {"alert-receipt": 0, "fault": 1, "audit": 1, "as-run": 2}
"""How important each kind of report is; the highest number goes first. An alert's are its receipts. Of faults and the
audit trail neither may push out the other: both are few, and as-run records are many. Heartbeats are not kept at all
(decision 9)."""
_OF_AUDIT = b'{"kind":"audit"'
SEQUENCE_BITS = 32
SEQUENCE_MOST: int = 2**SEQUENCE_BITS - 1
JOURNAL_MOST = 2**31 - 1
_UNCOUNTED = 2**30
ROW_BYTES = 96
"""What a report takes on the card beside its body and its id: indexes, marks, page headers (measured)."""
SIZE = f"length(body) + length(id) + {ROW_BYTES}"
ROOM_SHARE = 16
"""When the bound is reached, a sixteenth of it is made free of what was sent at once."""
ROOM_AGAIN = 0.75
"""The outbox has room again when what waits takes less than so much of the bound."""
PURGE_EVERY_MS = 3_600_000
UNDATED_MS: int = 2**62
"""In the place of the time at which a report was sent: nobody knew it."""
ROWS_AT_ONCE = 500


def journal_of(boot: int) -> int:
    """The journal that a start begins: its own number, or what fits of one that no card has counted."""
    return boot if boot <= JOURNAL_MOST else _UNCOUNTED + boot % _UNCOUNTED


def place(journal: int, sequence: int) -> int:
    """The one number under which a report stands in the queue: journals in their order, reports in theirs."""
    return journal << SEQUENCE_BITS | sequence


class Counts(Struct, frozen=True):
    """What is kept as running sums. ``full``: something unsent had to go, and there is no room again yet. ``unlinked``
    counts what of the audit trail went unsent; ``head`` is where its chain stands.
    """

    sequence: int = 0
    size_bytes: int = 0
    dropped: int = 0
    full: bool = False
    unlinked: int = 0
    head: Head = Head()


_META = {
    "sequence": "sequence",
    "outbox_bytes": "size_bytes",
    "outbox_dropped": "dropped",
    "outbox_full": "full",
    "audit_dropped": "unlinked",
}


class Journal:
    """The writer's side of the outbox. Every call belongs into a transaction of the caller's."""

    def __init__(self, number: int, counts: Counts, settings: StoreSettings) -> None:
        self.number = number
        self.counts = counts
        self.settings = settings
        self._purged_ms: int | None = None

    @classmethod
    def load(cls, run: Run, settings: StoreSettings) -> Journal:
        """The journal that a database holds."""
        meta = dict(run("SELECT name, value FROM meta").fetchall())
        counts: dict[str, Any] = {field: meta.get(name, 0) for name, field in _META.items()}
        return cls(meta["journal"], Counts(**counts | {"full": bool(counts["full"]), "head": read_head(run)}), settings)

    def save(self, run: Run, before: Counts) -> None:
        """Write the sums that have changed."""
        for name, field in _META.items():
            value = getattr(self.counts, field)
            if value != getattr(before, field):
                run("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, int(value)))
        if self.counts.head != before.head:
            write_head(run, self.counts.head)

    def add(self, run: Run, report: EventReport, wall_ms: int) -> None:
        """Number a report and queue it; one of the audit trail gets its place in the chain, too. One that is there
        already keeps its number: told twice, it counts once.
        """
        sequence, head = self.counts.sequence + 1, self.counts.head
        numbered = replace(report, journal=self.number, sequence=sequence)
        if isinstance(numbered, AuditReport):
            numbered, head = linked(numbered, head, self.counts.unlinked)
        body = encode(numbered)
        if self._insert(run, place(self.number, sequence), report.id, body, wall_ms, RANKS[report.kind]):
            self.counts = replace(self.counts, sequence=sequence, head=head)

    def put_back(self, run: Run, row: tuple[int, str, bytes, int], sent_ms: int | None) -> bool:
        """Take over a report of an earlier database, under the number that it had."""
        kind = json.loads(row[2])["kind"]
        return self._insert(run, *row, RANKS[kind], sent_ms)

    def _insert(
        self, run: Run, seq: int, id_: str, body: bytes, told_ms: int, rank: int, sent_ms: int | None = None
    ) -> bool:
        sql = "INSERT INTO outbox (seq, id, body, told_ms, rank) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
        if run(sql, (seq, id_, body, told_ms, rank)).rowcount < 1:
            return False
        if sent_ms is None:
            run("INSERT INTO unsent VALUES (?, ?)", (seq, rank))
        else:
            run("INSERT INTO sent VALUES (?, ?)", (seq, sent_ms))
        size_bytes = self.counts.size_bytes + len(body) + len(id_) + ROW_BYTES
        self.counts = replace(self.counts, size_bytes=size_bytes)
        return True

    def keep_bounds(self, run: Run, known_ms: int | None) -> None:
        """Let go what was sent long enough ago, when somebody knows the time, and what is over the bound."""
        purged_ms = self._purged_ms
        if known_ms is not None and (purged_ms is None or abs(known_ms - purged_ms) >= PURGE_EVERY_MS):
            self._purge(run, known_ms)
        if self.counts.size_bytes > self.settings.report_bytes:
            self._make_room(run)

    def _purge(self, run: Run, known_ms: int) -> None:
        before_ms = known_ms - self.settings.sent_kept_s * 1_000
        old = run("SELECT seq FROM sent WHERE sent_ms < ? LIMIT ?", (before_ms, ROWS_AT_ONCE)).fetchall()
        self._delete(run, [row[0] for row in old])
        if len(old) < ROWS_AT_ONCE:
            self._purged_ms = known_ms

    def _make_room(self, run: Run) -> None:
        bound_bytes = self.settings.report_bytes
        target_bytes = bound_bytes - bound_bytes // ROOM_SHARE
        while self.counts.size_bytes > target_bytes:
            rows = run("SELECT seq FROM sent ORDER BY sent_ms, seq LIMIT ?", (ROWS_AT_ONCE,)).fetchall()
            if not rows:
                break
            self._delete(run, [row[0] for row in rows])
        while self.counts.size_bytes > bound_bytes:
            rows = run("SELECT seq FROM unsent ORDER BY rank DESC, seq LIMIT ?", (ROWS_AT_ONCE,)).fetchall()
            seqs = [row[0] for row in rows]
            if not seqs:
                return
            seqs = seqs[: self._needed(run, seqs, self.counts.size_bytes - bound_bytes)]
            unlinked = self.counts.unlinked + self._of_audit(run, seqs)
            self.counts = replace(self.counts, dropped=self.counts.dropped + len(seqs), full=True, unlinked=unlinked)
            self._delete(run, seqs)

    def _of_audit(self, run: Run, seqs: Sequence[int]) -> int:
        """How many of these reports are the audit trail's, in this journal."""
        sql = f"SELECT count(*) FROM outbox WHERE seq IN ({', '.join('?' * len(seqs))}) AND seq >= ? AND"  # noqa: S608 (names of ours; values are parameters)
        sql = f"{sql} substr(body, 1, {len(_OF_AUDIT)}) = ?"
        return int(run(sql, (*seqs, place(self.number, 0), _OF_AUDIT)).fetchone()[0])

    def _needed(self, run: Run, seqs: Sequence[int], over_bytes: int) -> int:
        """How many of these must go: nothing unsent goes without need."""
        for count, seq in enumerate(seqs, 1):
            over_bytes -= run(f"SELECT {SIZE} FROM outbox WHERE seq = ?", (seq,)).fetchone()[0]  # noqa: S608 (names of ours; values are parameters)
            if over_bytes <= 0:
                return count
        return len(seqs)

    def _delete(self, run: Run, seqs: Sequence[int]) -> None:
        if not seqs:
            return
        these = f"WHERE seq IN ({', '.join('?' * len(seqs))})"
        gone_bytes = run(f"SELECT sum({SIZE}) FROM outbox {these}", seqs).fetchone()[0] or 0  # noqa: S608 (names of ours; values are parameters)
        for table in ("outbox", "unsent", "sent"):
            run(f"DELETE FROM {table} {these}", seqs)  # noqa: S608 (names of ours; values are parameters)
        self.counts = replace(self.counts, size_bytes=self.counts.size_bytes - gone_bytes)

    def look_for_room(self, run: Run) -> None:
        """No longer full once enough of what waited was sent."""
        if self.counts.full:
            sql = f"SELECT coalesce(sum({SIZE}), 0) FROM unsent CROSS JOIN outbox USING (seq)"  # noqa: S608 (names of ours; values are parameters)
            waiting_bytes = run(sql).fetchone()[0]
            full = waiting_bytes > ROOM_AGAIN * self.settings.report_bytes
            self.counts = replace(self.counts, full=full)
