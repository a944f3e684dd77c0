"""Audit trails for tests: made by the station's own store, and put into a centre's ledger as they came."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from ttcs_edge.central.audit_chain import Trail
from ttcs_edge.central.centre import Centre
from ttcs_edge.central.ledger import FILE, opened_ledger
from ttcs_edge.core.effects import Audited, Entry, FaultRaised
from ttcs_edge.core.model import Fault, LocalUser, Severity, WallMs
from ttcs_edge.core.trust import utc_ms
from ttcs_edge.settings import StoreSettings
from ttcs_edge.store.database import Database
from ttcs_edge.wire.reports import AlertReport, AsRunReport, AuditReport, FaultReport, read_report

NOON_MS = utc_ms("2026-11-24T05:00:00Z")
MINUTE_MS = 60_000
PUBLISHER = "ab12cd34" * 8


def accepted(boot: int, number: int) -> Audited:
    """A programme that was accepted, a minute after the one before."""
    wall_ms = WallMs(NOON_MS + number * MINUTE_MS)
    return Audited(
        f"{boot}-u{number}",
        wall_ms,
        True,
        "accepted",
        "programme",
        "vn/lam-dong",
        version=number,
        keys=(PUBLISHER,),
    )


def everything(boot: int) -> list[Entry]:
    """One entry of each kind that people see: a start, a signer, a person, a refusal, what was only counted."""
    at = [WallMs(NOON_MS + number * MINUTE_MS) for number in range(5)]
    return [
        Audited(f"{boot}-u1", at[0], False, "started", "station", "da-teh-01", detail=(("software", "0.1.0"),)),
        accepted(boot, 2),
        Audited(
            f"{boot}-u3",
            at[3],
            True,
            "accepted",
            "audio",
            "f" * 64,
            by=LocalUser(1000, "tuan"),
        ),
        Audited(
            f"{boot}-u4",
            at[4],
            True,
            "refused",
            "alert",
            "vn/lam-dong#alert:*",
            code="not-enough-signatures",
            detail=(("found", "0"), ("expected", "1")),
            unsaid=(("not-json", 12),),
        ),
    ]


def life(folder: Path, *numbers: int, station: str = "da-teh-01", report_bytes: int = 1_000_000) -> list[bytes]:
    """A life of a station with these entries, a fault behind each; gives all the reports that it has, as bytes."""
    database = Database.open(folder, StoreSettings(report_bytes=report_bytes))
    for number in numbers:
        fault = Fault(f"{database.boot}-f{number}", "no-time", str(number), Severity.WARNING, (), WallMs(5))
        database.commit([accepted(database.boot, number), FaultRaised(fault)], station, NOON_MS + number * MINUTE_MS)
    database.close()
    return reports(folder)


def reports(folder: Path) -> list[bytes]:
    """All that a station's database holds, in its order."""
    with closing(sqlite3.connect(folder / "ttcs.db")) as connection:
        return [row[0] for row in connection.execute("SELECT body FROM outbox ORDER BY seq")]


def keep(centre: Centre, bodies: Iterable[bytes], newest: dict[tuple[str, int], int] | None = None) -> None:
    """Put reports into the ledger as if they had come over the broker."""
    read = [(read_report(body), body) for body in bodies]
    events = [
        (report, body)
        for report, body in read
        if isinstance(report, AsRunReport | FaultReport | AlertReport | AuditReport)
    ]
    assert len(events) == len(read)
    with opened_ledger(centre) as ledger:
        ledger.add(events, "broker")
        ledger.tell_newest(newest or {})


def tamper(centre: Centre, *statements: str, values: tuple[object, ...] = ()) -> None:
    """Do something to the ledger that no command does."""
    with closing(sqlite3.connect(centre.folder / FILE)) as connection:
        for statement in statements:
            connection.execute(statement, values)
        connection.commit()


def wrong(trail: Trail) -> list[tuple[int, str]]:
    """What was changed: link and why."""
    return [(one.link, one.why) for one in trail.changes]


def missing(trail: Trail) -> list[tuple[int, int | None]]:
    """What is missing: the first and the last link of each gap."""
    return [(one.first, one.last) for one in trail.gaps]
