"""What stations have told, each report once, by whatever way it came: ``reports.db`` in the centre's folder.

A report is known by its station and its id. One that came again is counted and not kept again. Two that differ under
one id are never both true, so that is told: reports carry no signature of their own, and what is carried by hand could
have been written by anybody. ``way`` says how the one that is kept came; one that came over the broker, from a client
with the station's certificate, takes the place of one that was carried.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Final, Literal

from msgspec import Struct

from ttcs_edge.central.centre import Centre
from ttcs_edge.central.errors import CentralError
from ttcs_edge.durable import prepare, transaction
from ttcs_edge.wire.reports import AlertReport, AsRunReport, FaultReport

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


class Kept(Struct, frozen=True):
    """How many reports of a kind a station has told."""

    station: str
    kind: str
    count: int


class Ledger:
    """The reports that were kept. One process may write while others read."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, reports: Iterable[tuple[AsRunReport | FaultReport | AlertReport, bytes]], way: Way) -> list[Verdict]:
        """Keep reports, each with the bytes that it was read from, all of them or none. Raises CentralError."""
        with transaction(self._connection):
            return [self._add(report, body, way) for report, body in reports]

    def _add(self, report: AsRunReport | FaultReport | AlertReport, body: bytes, way: Way) -> Verdict:
        key = (report.station, report.id)
        sql = "SELECT body, way FROM reports WHERE station = ? AND id = ?"
        found = self._connection.execute(sql, key).fetchone()
        if found is not None and (found[1] == "broker" or way == "carried"):
            return "known" if found[0] == body else "differs"
        row = (*key, report.kind, report.told, way, body)
        self._connection.execute("INSERT OR REPLACE INTO reports VALUES (?, ?, ?, ?, ?, ?)", row)
        return "new" if found is None else "known" if found[0] == body else "differs"

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
            yield Ledger(connection)
    except sqlite3.Error as error:
        raise CentralError("bad-ledger", file=path, found=str(error)) from error
