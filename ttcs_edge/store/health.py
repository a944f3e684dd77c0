"""Whether a database is whole.

What the start needs is checked before it, by a connection that only reads: one that writes would fold a log that may
be all that is left into a file that is damaged. The reports may be a hundred times as much, and no start waits for
them: they are checked beside it. Damage that shows later leaves a word in a file, and the next start acts on it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Set
from pathlib import Path

from ttcs_edge.store.blobs import write_whole
from ttcs_edge.store.chain import read_head
from ttcs_edge.store.migration import SCHEMA_VERSION, version_of
from ttcs_edge.store.salvage import KEYS, reading

SUSPECT_FILE = "suspect"
"""Beside the database: what was found while it ran."""
REPORTS = frozenset({"outbox", "sent"})
"""The reports, and which of them were sent when."""
NUMBERS = frozenset({"sent", "unsent"})
"""Tables of nothing but numbers, with no index beside them: SQLite's own check has seen all that there is."""

KEYED = frozenset({"meta", "floors", "settled"})
"""Tables that are kept in the order of their keys (WITHOUT ROWID): there is no index that could contradict them."""

_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
    }
)
_UNREADABLE = frozenset({sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS})
"""A bad spot under the file stays, however often the station starts: it is damage."""
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def check(path: Path, expected: bool) -> None:
    """Check what a start needs of a database; ``expected`` says that there must be one.

    Raises sqlite3.DatabaseError for damage, sqlite3.OperationalError when it cannot be opened now (``is_passing``),
    NewerDatabaseError for one that is not ours to judge.
    """
    suspect = path.with_name(SUSPECT_FILE)
    if suspect.exists():
        raise sqlite3.DatabaseError(suspect.read_text("utf-8", "replace"))
    if not (path.exists() and (path.is_dir() or path.stat().st_size)):
        if expected:
            raise sqlite3.DatabaseError("the file is gone, or empty")
        return
    connection = reading(path, alone=True)
    try:
        version = version_of(connection)
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        missing = KEYS.keys() - tables
        if version == SCHEMA_VERSION and missing:
            raise sqlite3.DatabaseError(f"no {', '.join(sorted(missing))}")
        needed = KEYS.keys() & tables - REPORTS
        _check_tables(connection, needed)
        for table in sorted(needed - NUMBERS):
            _read_all(connection, table)
        if "chain" in tables:
            read_head(connection.execute)
    finally:
        connection.close()


def check_reports(path: Path) -> None:
    """Check the rest, in its own time. Raises sqlite3.DatabaseError for damage."""
    connection = reading(path)
    try:
        _check_tables(connection, REPORTS)
    finally:
        connection.close()


def _check_tables(connection: sqlite3.Connection, tables: Set[str]) -> None:
    """SQLite's own check of some tables, in one statement: between any two, a start's other threads want the
    interpreter, and a check of a dozen tables would wait for it a hundred times.
    """
    names = sorted(tables)
    asked = ", ".join("?" * len(names))
    sql = (
        "SELECT found.quick_check FROM sqlite_master AS master, pragma_quick_check(master.name) AS found"  # noqa: S608 (names are parameters)
        f" WHERE master.name IN ({asked}) AND found.quick_check <> 'ok' LIMIT 1"
    )
    wrong = connection.execute(sql, names).fetchone()
    if wrong is not None:
        raise sqlite3.DatabaseError(str(wrong[0]).splitlines()[-1])


def _read_all(connection: sqlite3.Connection, table: str) -> None:
    """Read a table in the order of its key: the check does not compare an index with its table, and knows no UTF-8.

    Of a table that is one with its index only the keys are read, each of them of all rows as one value: tens of
    thousands of rows, each as an object, would hold a start up.
    """
    keys = KEYS[table]
    if table in KEYED:
        joined = ", ".join(f"group_concat({key}, '')" for key in keys)
        sql = f"SELECT {joined} FROM {table}"  # noqa: S608 (names of ours; values are parameters)
    else:
        sql = f"SELECT * FROM {table} ORDER BY {', '.join(keys)}"  # noqa: S608 (names of ours; values are parameters)
    try:
        connection.execute(sql).fetchall()
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", None) is None:  # not SQLite's own: text that is no text
            raise sqlite3.DatabaseError(str(error)) from error
        raise


def suspect(path: Path, error: Exception) -> None:
    """Have the next start take a database for damaged. Raises OSError."""
    write_whole(path.with_name(SUSPECT_FILE), str(error).encode())


def is_passing(error: sqlite3.Error) -> bool:
    """Tell whether an error is of the card or the folder, and not of what the file holds."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # a file that could not even be opened has no code
        return isinstance(error, sqlite3.OperationalError)
    return code & 0xFF in _PASSING and code not in _UNREADABLE


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether a database that was whole at its start has proved to be damaged."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGE
