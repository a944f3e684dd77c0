"""What stations have told, each report once, by whatever way it came: ``reports.db`` in the centre's folder.

A report is known by its station and its id. One that came again is counted and not kept again. Two that differ under
one id are never both true, so that is told: reports carry no signature of their own, and what is carried by hand could
have been written by anybody. ``way`` says how the one that is kept came; one that came over the broker, from a client
with the station's certificate, takes the place of one that was carried.

What is behind the last report that was kept, only the stations know: the newest number that each has told in a
heartbeat is kept, too.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Final, Literal

import msgspec
from msgspec import Struct

from ttcs_edge.central.centre import Centre
from ttcs_edge.central.errors import CentralError
from ttcs_edge.durable import prepare, transaction
from ttcs_edge.wire.reports import EventReport

Way = Literal["broker", "carried"]
Verdict = Literal["new", "known", "differs"]
FILE: Final = "reports.db"
VERSION: Final = 1
BUSY_S: Final = 10.0
_SCHEMA: Final = """\
CREATE TABLE reports (
    station TEXT NOT NULL, id TEXT NOT NULL, kind TEXT NOT NULL, told TEXT NOT NULL, way TEXT NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY (station, id)
) STRICT, WITHOUT ROWID
"""


_NEWEST: Final = """\
CREATE TABLE IF NOT EXISTS newest (
    station TEXT NOT NULL, journal INTEGER NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (station, journal)
) STRICT, WITHOUT ROWID
"""
"""Behind the schema, for a ledger of before: who does not know it passes it over."""
Newest = Mapping[tuple[str, int], int]
"""The newest number that a station has told of a journal, by both."""


class Row(Struct, frozen=True):
    """A report of the audit trail as it lies here."""

    id: str
    way: str
    body: bytes


class _Numbered(Struct):
    journal: int = 0
    sequence: int = 0


class Kept(Struct, frozen=True):
    """How many reports of a kind a station has told."""

    station: str
    kind: str
    count: int


class Ledger:
    """The reports that were kept. One process may write while others read."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, reports: Iterable[tuple[EventReport, bytes]], way: Way) -> list[Verdict]:
        """Keep reports, each with the bytes that it was read from, all of them or none. Raises CentralError."""
        with transaction(self._connection):
            return [self._add(report, body, way) for report, body in reports]

    def _add(self, report: EventReport, body: bytes, way: Way) -> Verdict:
        key = (report.station, report.id)
        sql = "SELECT body, way FROM reports WHERE station = ? AND id = ?"
        found = self._connection.execute(sql, key).fetchone()
        if found is not None and (found[1] == "broker" or way == "carried"):
            return "known" if found[0] == body else "differs"
        row = (*key, report.kind, report.told, way, body)
        self._connection.execute("INSERT OR REPLACE INTO reports VALUES (?, ?, ?, ?, ?, ?)", row)
        return "new" if found is None else "known" if found[0] == body else "differs"

    def tell_newest(self, newest: Newest) -> None:
        """Keep what stations told of their newest reports. Raises CentralError."""
        sql = """INSERT INTO newest VALUES (?, ?, ?)
                 ON CONFLICT DO UPDATE SET sequence = max(sequence, excluded.sequence)"""
        with transaction(self._connection):
            self._connection.executemany(sql, [(*key, sequence) for key, sequence in newest.items()])

    def newest(self, station: str) -> dict[int, int]:
        """The newest number that a station has told of each of its journals."""
        sql = "SELECT journal, sequence FROM newest WHERE station = ?"
        return dict(self._connection.execute(sql, (station,)).fetchall())

    def stations(self) -> list[str]:
        """Every station of which anything is kept."""
        sql = "SELECT station FROM reports UNION SELECT station FROM newest ORDER BY 1"
        return [row[0] for row in self._connection.execute(sql)]

    def trail(self, station: str) -> list[Row]:
        """What is kept of a station's audit trail."""
        sql = "SELECT id, way, body FROM reports WHERE station = ? AND kind = 'audit'"
        return [Row(*row) for row in self._connection.execute(sql, (station,))]

    def numbers(self, station: str) -> dict[int, set[int]]:
        """Every number of every journal of a station that a report is kept under."""
        found: dict[int, set[int]] = {}
        for (body,) in self._connection.execute("SELECT body FROM reports WHERE station = ?", (station,)):
            try:
                one = msgspec.json.decode(body, type=_Numbered)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            found.setdefault(one.journal, set()).add(one.sequence)
        return found

    def counts(self) -> tuple[Kept, ...]:
        """How many of each kind are kept, station by station."""
        sql = "SELECT station, kind, count(*) FROM reports GROUP BY station, kind ORDER BY station, kind"
        return tuple(Kept(*row) for row in self._connection.execute(sql))


@contextmanager
def opened_ledger(centre: Centre) -> Iterator[Ledger]:
    """Open the ledger of a centre, made when it is not there yet. Raises CentralError ``bad-ledger``."""
    path = centre.folder / FILE
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)) as connection:
            prepare(connection, VERSION, (_SCHEMA,))
            connection.execute(_NEWEST)
            yield Ledger(connection)
    except sqlite3.Error as error:
        raise CentralError("bad-ledger", file=path, found=str(error)) from error
