"""What goes up: as-run records, faults, heartbeats and status, as JSON that says what it is in ``kind``.

Times are RFC 3339 in UTC with milliseconds. Reports from the outbox carry an ``id`` that is never made again, so the
centre counts each once however often it arrives.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Literal

import msgspec

from ttcs_edge.core.documents import Refused
from ttcs_edge.core.model import AiredItem, AsRun, Fault
from ttcs_edge.core.reports import Cache, Snapshot
from ttcs_edge.wire.envelope import shown

REPORT_BYTES = 256 * 1024
"""The largest report that anybody reads."""


def utc_text(wall_ms: int) -> str:
    """An instant as ``2026-11-24T05:00:00.000Z``."""
    moment = datetime.fromtimestamp(wall_ms / 1_000, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class AsRunReport:
    """What became of one cue. ``outcome`` and ``reason`` are the values of core's ``Outcome`` and ``AsRunReason``."""

    kind: Literal["as-run"] = "as-run"
    id: str
    station: str
    told: str
    scope: str
    slot: str
    occurrence: str
    title: str
    programme_version: int
    planned_start: str
    planned_end: str
    start: str | None
    end: str | None
    zones: tuple[str, ...]
    items: tuple[AiredItem, ...]
    outcome: str
    reason: str | None
    interruptions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultReport:
    """A fault that was raised (``cleared`` is None) or has been cleared."""

    kind: Literal["fault"] = "fault"
    id: str
    station: str
    told: str
    code: str
    subject: str
    severity: str
    detail: dict[str, str]
    raised: str
    cleared: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeState:
    """A programme in force, as the heartbeat tells it."""

    scope: str
    version: int
    expires: str
    slots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultState:
    """An open fault, as the heartbeat tells it."""

    code: str
    subject: str
    severity: str
    raised: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatReport:
    """The state of a station. ``outbox_oldest_s`` is the age of the oldest report not yet acknowledged."""

    kind: Literal["heartbeat"] = "heartbeat"
    id: str
    station: str
    told: str
    scope: str
    software: str
    boot: int
    state: str
    clock_trusted: bool
    on_air: str | None
    amplifier: str
    zones_closed: tuple[str, ...]
    programmes: tuple[ProgrammeState, ...]
    cache: Cache
    faults: tuple[FaultState, ...]
    underruns: int
    outbox_depth: int
    outbox_oldest_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """Birth (``online``), a clean leave (``stopped``) or the last will (``offline``); retained."""

    kind: Literal["status"] = "status"
    station: str
    scope: str
    state: Literal["online", "offline", "stopped"]
    software: str
    boot: int
    told: str | None


Report = AsRunReport | FaultReport | HeartbeatReport | StatusReport
_KINDS: dict[str, type[Report]] = {
    "as-run": AsRunReport,
    "fault": FaultReport,
    "heartbeat": HeartbeatReport,
    "status": StatusReport,
}


def encode(report: Report) -> bytes:
    """A report as it goes over the wire."""
    return msgspec.json.encode(report)


def read_report(data: bytes, subject: str = "") -> Report | Refused:
    """Read a report from a station, bounded and strict."""
    if len(data) > REPORT_BYTES:
        return Refused("oversized", subject, (("found", str(len(data))), ("expected", f"<= {REPORT_BYTES}")))
    try:
        value = msgspec.json.decode(data)
        named = value.get("kind") if isinstance(value, dict) else None
        kind = _KINDS.get(named) if isinstance(named, str) else None
        if kind is None:
            return Refused("wrong-type", subject, (("path", "$.kind"), ("found", shown(named))))
        return msgspec.convert(value, kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Refused("wrong-type", subject, (("path", "$"), ("found", shown(error))))


def as_run_report(station: str, record: AsRun, told_ms: int) -> AsRunReport:
    """The report of a closed as-run record."""
    assert record.outcome is not None, f"{record.id} is still open"
    return AsRunReport(
        id=f"{station}/{record.id}",
        station=station,
        told=utc_text(told_ms),
        scope=record.occurrence.scope,
        slot=record.occurrence.slot,
        occurrence=str(record.occurrence),
        title=record.title,
        programme_version=record.programme_version,
        planned_start=utc_text(record.planned_start_ms),
        planned_end=utc_text(record.planned_end_ms),
        start=None if record.start_ms is None else utc_text(record.start_ms),
        end=None if record.end_ms is None else utc_text(record.end_ms),
        zones=record.zones,
        items=record.items,
        outcome=record.outcome.value,
        reason=record.reason.value if record.reason else None,
        interruptions=record.interruptions,
    )


def fault_report(station: str, fault: Fault, told_ms: int) -> FaultReport:
    """The report of a fault raised or cleared; the two have ids of their own."""
    return FaultReport(
        id=f"{station}/{fault.id}" + ("" if fault.cleared_ms is None else "/cleared"),
        station=station,
        told=utc_text(told_ms),
        code=fault.code,
        subject=fault.subject,
        severity=fault.severity.value,
        detail=dict(fault.detail),
        raised=utc_text(fault.raised_ms),
        cleared=None if fault.cleared_ms is None else utc_text(fault.cleared_ms),
    )


def heartbeat_report(
    snapshot: Snapshot, *, sequence: int, boot: int, software: str, outbox_depth: int, outbox_oldest_s: int
) -> HeartbeatReport:
    """The report of a snapshot."""
    programmes = tuple(
        ProgrammeState(scope=p.scope, version=p.version, expires=utc_text(p.expires_ms), slots=p.slots)
        for p in snapshot.programmes
    )
    faults = tuple(
        FaultState(code=f.code, subject=f.subject, severity=f.severity.value, raised=utc_text(f.raised_ms))
        for f in snapshot.faults
    )
    return HeartbeatReport(
        id=f"{snapshot.station}/{boot}-h{sequence}",
        station=snapshot.station,
        told=utc_text(snapshot.wall_ms),
        scope=snapshot.scope,
        software=software,
        boot=boot,
        state=snapshot.state,
        clock_trusted=snapshot.clock_trusted,
        on_air=None if snapshot.on_air is None else snapshot.on_air.occurrence,
        amplifier=snapshot.amplifier,
        zones_closed=snapshot.zones_closed,
        programmes=programmes,
        cache=snapshot.cache,
        faults=faults,
        underruns=snapshot.underruns,
        outbox_depth=outbox_depth,
        outbox_oldest_s=outbox_oldest_s,
    )
