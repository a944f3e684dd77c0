"""What goes from a card that cannot be written into memory, and what goes back when it can be again.

Out goes all that a station needs to air, then the reports, as many as have room: those that wait before those that were
sent, the important before the others, the newest first. The database in memory has a journal of its own, so that no
number is used twice (never-5).

Back comes everything, when the card holds what it held then (``Origin``). Another card, or one that has lived since,
only takes what cannot be older than what it has: reports, settled occurrences, floors.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ttcs_edge.durable import transaction
from ttcs_edge.store.chain import Run, rejoin
from ttcs_edge.store.journal import SIZE, Journal
from ttcs_edge.store.salvage import META_KEPT, put_report, salvage_state

Origin = tuple[int | None, ...]
"""What every commit of a station changes: journal, newest number, and until when it lived."""
NO_ORIGIN: Origin = ()
_ORIGIN = ("journal", "sequence", "alive_until_ms")

_WAITING = "SELECT seq, NULL FROM unsent ORDER BY rank, seq DESC"
_SENT = "SELECT seq, sent_ms FROM sent ORDER BY seq DESC"


def origin_of(run: Run) -> Origin:
    """What tells whether a database has been worked with since."""
    meta = dict(run("SELECT name, value FROM meta").fetchall())
    return tuple(meta.get(name) for name in _ORIGIN)


def carry_out(card: sqlite3.Connection, run: Run, journal: Journal) -> int:
    """Fill a fresh database, in a transaction of the caller's; gives how many reports that wait had no room.

    Half of the reports' bound stays free for what will happen. Raises sqlite3.Error when the card cannot be read.
    """
    card.execute("PRAGMA temp_store = MEMORY")  # there may be no other place
    salvage_state(card, run)
    left = 0
    for select in (_WAITING, _SENT):
        for seq, sent_ms in card.execute(select).fetchall():
            if journal.counts.size_bytes > journal.settings.report_bytes // 2:
                left += sent_ms is None
                continue
            for row in card.execute("SELECT seq, id, body, told_ms FROM outbox WHERE seq = ?", (seq,)).fetchall():
                put_report(run, journal, row, sent_ms)
    return left


def bring_back(card: sqlite3.Connection, left: Path, origin: Origin) -> None:
    """Take over what a database in memory holds. Raises sqlite3.Error with nothing of it taken."""
    run = card.execute
    run("ATTACH ? AS memory", (str(left),))
    try:
        with transaction(card):
            holds = origin_of(run)
            is_unchanged = holds == origin or holds[-1] is None  # one that has never lived is older than anything
            for statement in (_STATE if is_unchanged else ()) + _ALWAYS:
                run(statement)
            rejoin(run)
    finally:
        run("DETACH memory")


_STATE = (
    *(
        statement
        for table in ("trust", "programmes", "earlier", "alerts", "volumes", "as_run_open", "faults_open")
        for statement in (f"DELETE FROM main.{table}", f"INSERT INTO main.{table} SELECT * FROM memory.{table}")  # noqa: S608 (names of ours; values are parameters)
    ),
    f"INSERT OR REPLACE INTO main.meta SELECT * FROM memory.meta WHERE name IN {META_KEPT}",  # noqa: S608 (names of ours; values are parameters)
)
_ALWAYS = (
    "INSERT OR IGNORE INTO main.settled SELECT * FROM memory.settled",
    """INSERT INTO main.floors SELECT * FROM memory.floors WHERE true
       ON CONFLICT (scope) DO UPDATE SET version = max(version, excluded.version)""",
    f"""INSERT INTO main.meta SELECT 'outbox_bytes', coalesce(sum({SIZE}), 0) FROM memory.outbox AS new
        WHERE NOT EXISTS (SELECT 1 FROM main.outbox WHERE id = new.id)
        ON CONFLICT (name) DO UPDATE SET value = value + excluded.value""",  # noqa: S608 (names of ours; values are parameters)
    "INSERT OR IGNORE INTO main.outbox SELECT * FROM memory.outbox",
    "DELETE FROM main.unsent WHERE seq IN (SELECT seq FROM memory.sent)",
    "INSERT OR REPLACE INTO main.sent SELECT * FROM memory.sent",
    "DELETE FROM main.sent WHERE seq IN (SELECT seq FROM memory.unsent)",
    "INSERT OR IGNORE INTO main.unsent SELECT * FROM memory.unsent",
)
