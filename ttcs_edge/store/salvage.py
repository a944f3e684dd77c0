"""What can still be read of a damaged database, carried over into a fresh one.

Each table for itself: its rows forward until the damage, then backward until the damage; what lies between is lost.
Nothing of it is believed for having been read: documents are verified again as after every start, records must be
readable as what they are, reports keep the numbers that they had and get no new ones.

The damaged file itself is kept as it was, for those who want to look; the three newest of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from ttcs_edge.core.model import AsRun, DataUsed, Fault
from ttcs_edge.core.timekeeping import CEILING_MS
from ttcs_edge.store.chain import Run
from ttcs_edge.store.journal import RANKS, Journal

DAMAGED_KEPT = 3
"""How many damaged databases are kept."""
PAGE_BYTES = 4_096
SUFFIXES = ("-wal", "-shm")

Row = tuple[Any, ...]

KEYS = {
    "meta": ("name",),
    "trust": ("version",),
    "programmes": ("scope",),
    "earlier": ("scope",),
    "alerts": ("scope", "event"),
    "volumes": ("zone",),
    "floors": ("scope",),
    "as_run_open": ("id",),
    "settled": ("scope", "slot", "local"),
    "faults_open": ("id",),
    "chain": ("one",),
    "unsent": ("seq",),
    "sent": ("seq",),
    "outbox": ("seq",),
}
"""Every table of a station, by its key; the outbox comes behind its marks."""
DATA_META = {name: f"data_{name}" for name in DataUsed.__struct_fields__}
"""What the SIM has used: each field, and what its row is called."""
META_KEPT = (
    "alive_until_ms", "watched_until_ms", "time_floor_ms", "time_floor_trust", "outbox_dropped", *DATA_META.values()
)  # fmt: skip


class Salvaged(Struct, frozen=True):
    """How many rows of each kind were carried over."""

    programmes: int = 0
    reports: int = 0
    records: int = 0


NOTHING = Salvaged()


def set_aside(path: Path) -> Path:
    """Put a damaged database, with its write-ahead log, out of the way; gives where it is now."""
    for number in range(DAMAGED_KEPT, 0, -1):
        kept = path.with_name(f"{path.name}.damaged-{number}")
        for suffix in ("", *SUFFIXES):
            old = kept.with_name(kept.name + suffix)
            old.unlink(missing_ok=True) if number == DAMAGED_KEPT else _rename(
                old, path.with_name(f"{path.name}.damaged-{number + 1}{suffix}")
            )
    first = path.with_name(f"{path.name}.damaged-1")
    for suffix in ("", "-wal"):
        _rename(path.with_name(path.name + suffix), first.with_name(first.name + suffix))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    if first.with_name(f"{first.name}-wal").exists() and not (first.exists() and first.stat().st_size):
        # SQLite throws the log of an empty file away; of one with a page that is not it reads what the log holds.
        first.write_bytes(bytes(PAGE_BYTES))
    return first


def _rename(source: Path, target: Path) -> None:
    if source.exists():
        source.replace(target)


def salvage(damaged: Path, run: Run, journal: Journal) -> Salvaged:
    """Carry over what can be read. Call it in a transaction on the fresh database."""
    if not damaged.exists():
        return NOTHING
    connection = reading(damaged)
    try:
        counts = salvage_state(connection, run)
        sent: dict[Any, Any] = dict(_readable(connection, "sent", KEYS["sent"]))
        reports = sum(
            put_report(run, journal, row, sent.get(row[0]))
            for row in _readable(connection, "outbox", KEYS["outbox"], "seq, id, body, told_ms")
        )
    finally:
        connection.close()
    return Salvaged(counts["programmes"], reports, counts["settled"] + counts["as_run_open"] + counts["faults_open"])


def reading(path: Path, *, alone: bool = False) -> sqlite3.Connection:
    """Open a connection that only reads.

    ``alone``: nobody writes meanwhile. Then a file without a log is read as it lies there: SQLite would want to make
    files beside it, which a card that cannot be written refuses.
    """
    log = path.with_name(f"{path.name}-wal")
    as_it_lies = alone and not (log.exists() and log.stat().st_size)
    way = "immutable=1" if as_it_lies else "mode=ro"
    return sqlite3.connect(f"file:{path}?{way}", uri=True, isolation_level=None, check_same_thread=False)


def salvage_state(connection: sqlite3.Connection, run: Run) -> dict[str, int]:
    """Carry over everything but the reports; gives how many rows of each table."""
    rows = {table: list(_readable(connection, table, KEYS[table])) for table in _KEPT}
    return {table: sum(_put(run, table, row) for row in rows[table]) for table in _KEPT}


def _readable(connection: sqlite3.Connection, table: str, key: tuple[str, ...], columns: str = "*") -> Iterator[Row]:
    """Every row of a table that can be reached from either end."""
    seen: set[Row] = set()
    for order in ("ASC", "DESC"):
        by = ", ".join(f"{name} {order}" for name in key)
        try:
            for row in connection.execute(f"SELECT {columns}, {', '.join(key)} FROM {table} ORDER BY {by}"):  # noqa: S608 (names of ours; values are parameters)
                value, name = row[: -len(key)], row[-len(key) :]
                if name in seen:
                    break  # from here on the way forward has been
                seen.add(name)
                yield value
            else:
                return  # the whole table was read
        except (sqlite3.Error, UnicodeDecodeError):
            continue


def _put(run: Run, table: str, row: Row) -> bool:
    if not _KEPT[table](row):
        return False
    try:
        return run(f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * len(row))})", row).rowcount > 0  # noqa: S608 (names of ours; values are parameters)
    except sqlite3.Error:  # a row that is none of this table
        return False


def put_report(run: Run, journal: Journal, row: Row, sent_ms: Any) -> bool:
    """Carry over one report, as ``seq, id, body, told_ms``, under the number that it had; tell whether it could be."""
    try:
        told = msgspec.json.decode(row[2], type=_Told)
        if told.id != row[1] or told.kind not in RANKS:
            return False
        return journal.put_back(run, row, sent_ms if isinstance(sent_ms, int) else None)
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError, sqlite3.Error):
        return False


class _Told(msgspec.Struct):
    """What must be readable of a report."""

    id: str
    kind: str


def is_record(kind: type[AsRun] | type[Fault], data: Any) -> bool:
    """Tell whether a row holds what it should."""
    try:
        msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError):
        return False
    return True


_KEPT: dict[str, Callable[[Row], bool]] = {
    "meta": lambda row: row[0] in META_KEPT and isinstance(row[1], int) and 0 <= row[1] < CEILING_MS,
    "trust": lambda row: True,
    "programmes": lambda row: True,
    "earlier": lambda row: True,
    "alerts": lambda row: isinstance(row[4], int) and 0 < row[4] < CEILING_MS,
    "volumes": lambda row: True,
    "floors": lambda row: isinstance(row[1], int) and 0 < row[1] < 2**53,
    "as_run_open": lambda row: is_record(AsRun, row[1]),
    "settled": lambda row: isinstance(row[3], int) and 0 < row[3] < CEILING_MS,
    "faults_open": lambda row: is_record(Fault, row[1]),
}
"""What of each table is carried over; the rows of ``STRICT`` tables have the right types, or are refused."""
