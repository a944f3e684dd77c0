"""The database of a station: one SQLite file, one writer, whole transactions (never-5).

WAL with synchronous=FULL: a committed transaction survives a power cut; with NORMAL everything since the last
checkpoint would be gone. Documents are kept as the signed bytes that came (decision 6). A damaged file is set aside
and a fresh one begun with what can be read of it (``salvage``) and with the copies beside it (``copies``): the
station goes on, and says so. Reports are numbered, bounded and kept as ``journal`` says.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from ttcs_edge.core import effects
from ttcs_edge.core.asrun import settles
from ttcs_edge.core.effects import Entry
from ttcs_edge.core.model import ALERT_PREFIX, AsRun, DataUsed, Fault, Occurrence, Scope, WallMs
from ttcs_edge.core.timekeeping import SLACK_MS
from ttcs_edge.durable import transaction
from ttcs_edge.settings import StoreSettings
from ttcs_edge.store import chain
from ttcs_edge.store.blobs import write_whole
from ttcs_edge.store.carry import Origin, bring_back
from ttcs_edge.store.copies import Copies
from ttcs_edge.store.health import SUSPECT_FILE, check, is_passing
from ttcs_edge.store.journal import Journal
from ttcs_edge.store.migration import migrate
from ttcs_edge.store.salvage import DATA_META, NOTHING, Salvaged, is_record, reading, salvage, set_aside
from ttcs_edge.wire.reports import EventReport, alert_report, as_run_report, audit_report, fault_report

SETTLED_MEMORY_MS = 9 * 86_400_000
"""How long an occurrence stays settled on disk: longer than the core ever looks back."""
ZONES_MS = 26 * 3_600_000
"""From the first place where a civil time comes to the last one: UTC+14 to UTC-12."""
DATABASE_FILE = "ttcs.db"
BOOT_FILE = "boot"
"""The number of starts, once more, in a file of its own."""
BUSY_TIMEOUT_S = 5.0
SETTLED_SWEEP_MS = 86_400_000
DEFAULTS = StoreSettings()
R = TypeVar("R", AsRun, Fault)
Settled = tuple[tuple[Occurrence, WallMs], ...]
"""What was settled, and for when it was planned."""


class Remembered(Struct, frozen=True):
    """What an earlier life left. ``envelopes`` and their ``copies`` in files, and those of ``earlier`` programmes, each
    behind its scope, are to be verified again before any use; so are those of ``alerts``, each between its scope and id
    and until when it must be known, what was told of it last behind it, and the commands of ``volumes``, each behind
    its zone. ``damage`` says what was wrong with the database, None when nothing was.
    """

    envelopes: tuple[tuple[str, bytes], ...]
    floors: tuple[tuple[str, int], ...]
    open_as_run: tuple[AsRun, ...]
    settled: Settled
    open_faults: tuple[Fault, ...]
    alive_until_ms: WallMs | None
    watched_until_ms: WallMs | None
    damage: str | None = None
    salvaged: Salvaged = NOTHING
    time_floor: effects.TimeFloor | None = None
    earlier: tuple[tuple[str, bytes], ...] = ()
    alerts: tuple[tuple[str, str, bytes, int, str], ...] = ()
    volumes: tuple[tuple[str, bytes], ...] = ()
    data_used: DataUsed = DataUsed()


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection with the pragmas that every one of them needs."""
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


class Database:
    """The one writer. Opened by one thread and then used by one thread only."""

    def __init__(self, path: Path, connection: sqlite3.Connection, settings: StoreSettings, boot: int) -> None:
        self.path = path
        self.boot = boot
        self.copies = Copies(path.parent)
        self._connection = connection
        self._damage: str | None = None
        self._salvaged = NOTHING
        self._swept: int | None = None
        self._ahead: tuple[int, Settled] | None = None
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('boot', ?)", (boot,))
        self._load(settings)

    def _load(self, settings: StoreSettings) -> None:
        run = self._connection.execute
        row = run("SELECT value FROM meta WHERE name = 'watched_until_ms'").fetchone()
        self._watched_ms: int | None = row[0] if row else None
        self.journal = Journal.load(run, settings)

    @classmethod
    def open(cls, folder: Path, settings: StoreSettings = DEFAULTS) -> Database:
        """Open or make ``ttcs.db`` in a folder and count one more start, in it and beside it: ids made of the count
        must not come again with a fresh database (never-5).

        Raises NewerDatabaseError, or sqlite3.Error and OSError when the folder cannot be used at all.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path, beside = folder / DATABASE_FILE, folder / BOOT_FILE
        starts = read_count(beside)
        try:
            check(path, starts > 0)
            connection, boot = _ready(path, starts)
        except sqlite3.DatabaseError as error:
            if is_passing(error):
                raise
            damaged = set_aside(path)
            connection, boot = _ready(path, starts)
            database = cls(path, connection, settings, boot)
            database._take_over(damaged, str(error))
        else:
            database = cls(path, connection, settings, boot)
        write_whole(beside, str(boot).encode())
        path.with_name(SUSPECT_FILE).unlink(missing_ok=True)
        return database

    def _take_over(self, damaged: Path, error: str) -> None:
        """Carry over what can be read of a damaged database: everything of it in one transaction, or nothing."""
        self._damage, run = error, self._connection.execute
        chain.begin_behind(run, reading, damaged, chain.DAMAGED)
        self._load(self.journal.settings)
        before = self.journal.counts
        try:
            with transaction(self._connection):
                self._salvaged = salvage(damaged, run, self.journal)
                self.journal.save(run, before)
        except Exception as failure:  # whatever a damaged file may do, the station must start
            self._damage = f"{error}; {failure}"
        self.journal = Journal.load(run, self.journal.settings)

    def take_back(self, left: Path, origin: Origin) -> None:
        """Take over what a life in memory has left in another database (``carry``).

        Raises sqlite3.Error with nothing of it taken.
        """
        bring_back(self._connection, left, origin)
        self._load(self.journal.settings)

    def roots(self) -> tuple[bytes, ...]:
        """The trust roots that were accepted, the oldest first; those that the database lost, from their copies."""
        rows = dict(self._connection.execute("SELECT version, envelope FROM trust").fetchall())
        known = dict(self.copies.roots()) | rows
        return tuple(known[version] for version in sorted(known))

    def remembered(self, trust_version: int | None = None) -> Remembered:
        """Read what an earlier life left; of what was settled, that which a life under this trust root can meet again.

        Without a version it is everything.
        """
        run = self._connection.execute
        select: Callable[[str], list[Any]] = lambda sql: run(sql).fetchall()  # noqa: E731
        meta = dict(select("SELECT name, value FROM meta"))
        return Remembered(
            envelopes=tuple(
                (row[0], row[1]) for row in select("SELECT scope, envelope FROM programmes ORDER BY scope")
            ),
            earlier=tuple((row[0], row[1]) for row in select("SELECT scope, envelope FROM earlier ORDER BY scope")),
            alerts=tuple(select("SELECT scope, event, envelope, until_ms, told FROM alerts ORDER BY scope, event")),
            volumes=tuple(select("SELECT zone, envelope FROM volumes ORDER BY zone")),
            floors=tuple(sorted(self._floors().items())),
            open_as_run=self._records("as_run_open", "record", AsRun),
            settled=self._settled(_settled_from_ms(meta, trust_version)),
            open_faults=self._records("faults_open", "fault", Fault),
            alive_until_ms=meta.get("alive_until_ms"),
            watched_until_ms=meta.get("watched_until_ms"),
            damage=self._damage,
            salvaged=self._salvaged,
            time_floor=_remembered_floor(meta),
            data_used=DataUsed(**{name: meta.get(row, 0) for name, row in DATA_META.items()}),
        )

    def read_ahead(self) -> None:
        """Read what most of the time of ``remembered`` goes into, as it will be asked for under the same trust root."""
        meta = dict(self._connection.execute("SELECT name, value FROM meta").fetchall())
        floor = _remembered_floor(meta)
        from_ms = _settled_from_ms(meta, None if floor is None else floor.trust_version)
        self._ahead = (from_ms, self._settled(from_ms))

    def _settled(self, from_ms: int) -> Settled:
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] == from_ms:
            return ahead[1]
        sql = (  # as one value: at each of thousands of rows this thread would wait for the interpreter
            "SELECT json_group_array(json_array(scope, slot, local, planned_ms)) FROM settled"
            " WHERE planned_ms >= ? OR slot >= ? AND slot < ?"
        )
        (rows,) = self._connection.execute(sql, (from_ms, *_OF_ALERTS)).fetchone()
        return tuple(
            (Occurrence(scope, slot, local), planned_ms) for scope, slot, local, planned_ms in _ROWS.decode(rows)
        )

    def _floors(self) -> dict[str, int]:
        rows = dict(self._connection.execute("SELECT scope, version FROM floors").fetchall())
        copied = self.copies.floors()
        return {name: max(rows.get(name, 0), copied.get(name, 0)) for name in rows.keys() | copied.keys()}

    def _records(self, table: str, column: str, kind: type[R]) -> tuple[R, ...]:
        """Read records; one that has rotted where SQLite cannot see it is removed, and is damage like any other."""
        found = []
        for id_, data in self._connection.execute(f"SELECT id, {column} FROM {table} ORDER BY id").fetchall():  # noqa: S608 (names of ours; values are parameters)
            if is_record(kind, data):
                found.append(msgspec.json.decode(data, type=kind))
            else:
                self._damage = self._damage or f"{table} {id_}"
                self._connection.execute(f"DELETE FROM {table} WHERE id = ?", (id_,))  # noqa: S608 (names of ours; values are parameters)
        return tuple(found)

    def commit(self, entries: Sequence[Entry], station: str, wall_ms: int) -> None:
        """Put entries on disk in one transaction; it returns when they are there. The same entry twice is one row.

        Raises sqlite3.Error with nothing of them written.
        """
        run, journal = self._connection.execute, self.journal
        before, self._ahead = journal.counts, None
        try:
            with transaction(self._connection):
                for entry in entries:
                    for change in _STATEMENTS[type(entry)](entry, station, wall_ms):
                        if isinstance(change, tuple):
                            run(*change)
                        else:
                            journal.add(run, change, wall_ms)
                known_ms = self._known_ms(entries, wall_ms)
                journal.keep_bounds(run, known_ms)
                journal.save(run, before)
                run("INSERT OR REPLACE INTO meta VALUES ('alive_until_ms', ?)", (wall_ms,))
                if known_ms is not None:
                    self._forget_settled(known_ms)
        except BaseException:
            journal.counts = before
            raise
        self.copies.follow(entries)

    def _known_ms(self, entries: Sequence[Entry], wall_ms: int) -> int | None:
        """The time by which something is old: no clock that nobody believes may make it so (never-5).

        ``WatchedUntil`` only ever grows by trusted time; it is with every commit since there was one. Before, nobody
        knows the time.
        """
        watched = [entry.wall_ms for entry in entries if isinstance(entry, effects.WatchedUntil)]
        self._watched_ms = watched[-1] if watched else self._watched_ms
        return None if self._watched_ms is None else min(wall_ms, self._watched_ms)

    def _forget_settled(self, known_ms: int) -> None:
        """Once a day: an older occurrence is of no use to anybody."""
        today = known_ms // SETTLED_SWEEP_MS
        if today != self._swept:
            self._connection.execute("DELETE FROM settled WHERE planned_ms < ?", (known_ms - SETTLED_MEMORY_MS,))
            self._swept = today

    def look_for_room(self) -> None:
        """Find out whether an outbox that was full has room again."""
        before = self.journal.counts
        self.journal.look_for_room(self._connection.execute)
        self.journal.save(self._connection.execute, before)

    def close(self) -> None:
        """Fold the journal into the file and close."""
        self._connection.close()


Statement = tuple[str, tuple[object, ...]]
Change = Statement | EventReport
"""What an entry brings about: a row, or a report that is numbered and queued."""

_ROWS = msgspec.json.Decoder(list[tuple[Scope, str, str, WallMs]])
_OF_ALERTS = (ALERT_PREFIX, ALERT_PREFIX[:-1] + chr(ord(ALERT_PREFIX[-1]) + 1))
"""From the first to behind the last slot that stands for an alert: few, and none of them may air again."""
_RAISE_FLOOR = (
    "INSERT INTO floors VALUES (?, ?) ON CONFLICT (scope) DO UPDATE SET version = max(version, excluded.version)"
)


def _accepted(entry: effects.ProgrammeAccepted, station: str, wall_ms: int) -> list[Statement]:
    values = (entry.scope, entry.version, entry.envelope)
    return [("INSERT OR REPLACE INTO programmes VALUES (?, ?, ?)", values)]


def _forgotten(entry: effects.ProgrammeForgotten, station: str, wall_ms: int) -> list[Statement]:
    return [("DELETE FROM programmes WHERE scope = ?", (entry.scope,))]


def _trust(entry: effects.TrustAccepted, station: str, wall_ms: int) -> list[Statement]:
    return [("INSERT OR REPLACE INTO trust VALUES (?, ?)", (entry.version, entry.envelope))]


def _earlier(entry: effects.EarlierKept, station: str, wall_ms: int) -> list[Statement]:
    return [("INSERT OR REPLACE INTO earlier VALUES (?, ?, ?)", (entry.scope, entry.version, entry.envelope))]


def _alert_accepted(entry: effects.AlertAccepted, station: str, wall_ms: int) -> list[Statement]:
    values = (entry.scope, entry.event, entry.version, entry.envelope, entry.until_ms)
    return [
        ("INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, ?, '')", values),
        _unsettle_alert(entry.scope, entry.event),
    ]


def _alert_forgotten(entry: effects.AlertForgotten, station: str, wall_ms: int) -> list[Statement]:
    return [
        ("DELETE FROM alerts WHERE scope = ? AND event = ?", (entry.scope, entry.event)),
        _unsettle_alert(entry.scope, entry.event),
    ]


def _unsettle_alert(scope: str, event: str) -> Statement:
    """Rounds of a message that is replaced or over never come again, settled or not."""
    return "DELETE FROM settled WHERE scope = ? AND slot = ?", (scope, f"{ALERT_PREFIX}{event}")


def _alert_told(entry: effects.AlertTold, station: str, wall_ms: int) -> list[Change]:
    told = (entry.state, entry.scope, entry.event, entry.version)
    return [
        alert_report(station, entry, wall_ms),
        ("UPDATE alerts SET told = ? WHERE scope = ? AND event = ? AND version = ?", told),
    ]


def _floor(entry: effects.FloorRaised, station: str, wall_ms: int) -> list[Statement]:
    return [(_RAISE_FLOOR, (entry.name, entry.version))]


def _volume(entry: effects.VolumeOrdered, station: str, wall_ms: int) -> list[Statement]:
    return [("INSERT OR REPLACE INTO volumes VALUES (?, ?, ?)", (entry.zone, entry.version, entry.envelope))]


def _as_run_opened(entry: effects.AsRunOpened, station: str, wall_ms: int) -> list[Statement]:
    encoded = msgspec.json.encode(entry.record)
    return [("INSERT OR REPLACE INTO as_run_open VALUES (?, ?)", (entry.record.id, encoded))]


def _as_run_position(entry: effects.AsRunPosition, station: str, wall_ms: int) -> list[Statement]:
    encoded = msgspec.json.encode(entry.record)
    return [("UPDATE as_run_open SET record = ? WHERE id = ?", (encoded, entry.record.id))]


def _as_run_closed(entry: effects.AsRunClosed, station: str, wall_ms: int) -> list[Change]:
    record, key = entry.record, entry.record.occurrence
    settled = ("INSERT OR REPLACE INTO settled VALUES (?, ?, ?, ?)", (*_columns(key), record.planned_start_ms))
    return [
        ("DELETE FROM as_run_open WHERE id = ?", (record.id,)),
        *([settled] if settles(record) else []),
        as_run_report(station, record, wall_ms),
    ]


def _columns(key: Occurrence) -> tuple[str, str, str]:
    return key.scope, key.slot, key.local


def _fault_raised(entry: effects.FaultRaised, station: str, wall_ms: int) -> list[Change]:
    encoded = msgspec.json.encode(entry.fault)
    return [
        ("INSERT OR REPLACE INTO faults_open VALUES (?, ?)", (entry.fault.id, encoded)),
        fault_report(station, entry.fault, wall_ms),
    ]


def _fault_cleared(entry: effects.FaultCleared, station: str, wall_ms: int) -> list[Change]:
    return [
        ("DELETE FROM faults_open WHERE id = ?", (entry.fault.id,)),
        fault_report(station, entry.fault, wall_ms),
    ]


def _audited(entry: effects.Audited, station: str, wall_ms: int) -> list[Change]:
    return [audit_report(station, entry, wall_ms)]


def _watched(entry: effects.WatchedUntil, station: str, wall_ms: int) -> list[Statement]:
    return [("INSERT OR REPLACE INTO meta VALUES ('watched_until_ms', ?)", (entry.wall_ms,))]


def _time_floor(entry: effects.TimeFloor, station: str, wall_ms: int) -> list[Statement]:
    return [
        ("INSERT OR REPLACE INTO meta VALUES ('time_floor_ms', ?)", (entry.wall_ms,)),
        ("INSERT OR REPLACE INTO meta VALUES ('time_floor_trust', ?)", (entry.trust_version,)),
    ]


def _data_kept(entry: effects.DataKept, station: str, wall_ms: int) -> list[Statement]:
    rows = ((row, getattr(entry.used, name)) for name, row in DATA_META.items())
    return [("INSERT OR REPLACE INTO meta VALUES (?, ?)", row) for row in rows]


def _remembered_floor(meta: Mapping[str, int]) -> effects.TimeFloor | None:
    if "time_floor_ms" not in meta or "time_floor_trust" not in meta:
        return None
    return effects.TimeFloor(WallMs(meta["time_floor_ms"]), meta["time_floor_trust"])


def _settled_from_ms(meta: Mapping[str, int], trust_version: int | None) -> int:
    """No programme looks back behind what was watched, no clock goes below the floor (``core.timekeeping``); and the
    same occurrence, known by its civil time, was settled earlier where its time zone was corrected since.
    """
    floor = _remembered_floor(meta)
    if floor is None or floor.trust_version != trust_version:
        return 0
    return min(floor.wall_ms - SLACK_MS, meta.get("watched_until_ms", floor.wall_ms)) - ZONES_MS


_STATEMENTS: dict[type, Callable[[Any, str, int], Sequence[Change]]] = {
    effects.TrustAccepted: _trust,
    effects.ProgrammeAccepted: _accepted,
    effects.ProgrammeForgotten: _forgotten,
    effects.EarlierKept: _earlier,
    effects.AlertAccepted: _alert_accepted,
    effects.AlertForgotten: _alert_forgotten,
    effects.AlertTold: _alert_told,
    effects.FloorRaised: _floor,
    effects.VolumeOrdered: _volume,
    effects.AsRunOpened: _as_run_opened,
    effects.AsRunPosition: _as_run_position,
    effects.AsRunClosed: _as_run_closed,
    effects.FaultRaised: _fault_raised,
    effects.FaultCleared: _fault_cleared,
    effects.Audited: _audited,
    effects.WatchedUntil: _watched,
    effects.TimeFloor: _time_floor,
    effects.DataKept: _data_kept,
}


def _ready(path: Path, starts: int) -> tuple[sqlite3.Connection, int]:
    """Open, bring to this release's schema; gives the number of this start, too."""
    connection = connect(path)
    try:
        boot = 1 + max(_counted(connection), starts)
        migrate(connection, boot)
    except BaseException:
        connection.close()
        raise
    return connection, boot


def _counted(connection: sqlite3.Connection) -> int:
    """The starts that the database itself has counted; 0 in an empty one."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
        return 0
    row = connection.execute("SELECT value FROM meta WHERE name = 'boot'").fetchone()
    return int(row[0]) if row else 0


def read_count(path: Path) -> int:
    """The count that a file holds; 0 of one that is absent or rotten."""
    try:
        return int(path.read_text("ascii"))
    except (OSError, ValueError):
        return 0
