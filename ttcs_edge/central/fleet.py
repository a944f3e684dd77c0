"""What the centre knows of its stations, from what they report; a report that cannot be read is counted and shown.

Reports come at least once, so one with an id that was heard already changes nothing; ids are a station's own, so one
station cannot use up another's. A report that names another station than its topic does is bad: one station must not
speak for another. Reports are numbered: what is missing between them can be had again (``resend``), but for what the
station answered to be gone. A station that lets three of its own heartbeats go by is silent, whatever it said last.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from ttcs_edge.central.sequences import Journals
from ttcs_edge.core.documents import Refused
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.wire.reports import (
    AlertReport,
    AsRunReport,
    EventReport,
    FaultReport,
    HeartbeatReport,
    ModemState,
    PowerReport,
    ReplyReport,
    Report,
    SourceState,
    StatusReport,
    read_report,
)
from ttcs_edge.wire.topics import Topics

STATIONS: Final = 20_000
IDS_REMEMBERED: Final = 20_000
LEAVES: Final = ("status", "heartbeat", "event", "reply")
BEATS_MISSED: Final = 3
SLACK_S: Final = 5.0
"""What a heartbeat may be late by without being missed."""


class FaultSeen(Struct, frozen=True):
    """An open fault. ``detail`` fills its words; a heartbeat, which tells that it is open, does not carry it."""

    severity: str
    detail: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class StationRow:
    """One station as it was last heard. ``heard_s`` is on the monotonic clock; None before the first heartbeat.
    ``alert`` is the last that it told of one.

    ``clock_source`` is whose time it lives by; without trusted time it is None, and ``clock`` says why. ``modem`` is
    what its modem told, None without one.
    """

    id: str
    state: str = "unknown"
    on_air: str | None = None
    faults: dict[tuple[str, str], FaultSeen] = field(default_factory=dict)
    last: AsRunReport | None = None
    alert: AlertReport | None = None
    heard_s: float | None = None
    gap_s: float | None = None
    bad_reports: int = 0
    journals: Journals = field(default_factory=Journals)
    clock_source: str | None = None
    clock: tuple[SourceState, ...] = ()
    power: PowerReport | None = None
    modem: ModemState | None = None

    def is_silent(self, now_s: float) -> bool:
        """Tell whether it should have been heard again by now."""
        if self.heard_s is None or self.gap_s is None or self.state in ("offline", "stopped"):
            return False
        return now_s - self.heard_s > BEATS_MISSED * self.gap_s + SLACK_S


class Fleet:
    """Every station heard of."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._rows: dict[str, StationRow] = {}
        self._ids: OrderedDict[tuple[str, str], None] = OrderedDict()

    @property
    def rows(self) -> list[StationRow]:
        """The stations in the order of their ids."""
        return sorted(self._rows.values(), key=lambda row: row.id)

    def hear(self, topic: str, payload: bytes, at_s: float) -> Report | Refused | None:
        """Take in a message. Gives its report, why it is bad, or None when it is not a station's."""
        found = self._topics.station_leaf(topic)
        if found is None or found[1] not in LEAVES or (found[0] not in self._rows and len(self._rows) >= STATIONS):
            return None
        row = self._rows.setdefault(found[0], StationRow(found[0]))
        report = report_of(self._topics, topic, payload)
        if report is None or isinstance(report, Refused):
            row.bad_reports += 1
            return report
        _count(row, report)
        if not self._heard_before(report):
            _take_in(row, report, at_s)
        return report

    def line_was_lost(self) -> None:
        """Take nobody for silent because of what our own line did not bring."""
        for row in self._rows.values():
            row.gap_s = None

    def _heard_before(self, report: Report) -> bool:
        if isinstance(report, StatusReport):
            return False
        key = (report.station, report.id)
        if key in self._ids:
            return True
        self._ids[key] = None
        if len(self._ids) > IDS_REMEMBERED:
            self._ids.popitem(last=False)
        return False


def report_of(topics: Topics, topic: str, payload: bytes) -> Report | Refused | None:
    """Read what came on a topic: its report, why it is bad, or None when it is not a station's."""
    found = topics.station_leaf(topic)
    if found is None or found[1] not in LEAVES:
        return None
    return _checked(read_report(payload, topic), *found, topic)


def _checked(report: Report | Refused, station: str, leaf: str, topic: str) -> Report | Refused:
    if isinstance(report, Refused):
        return report
    if report.station != station:
        return Refused("wrong-station", topic, (("found", report.station[:80]), ("expected", station)))
    expected = report.kind if report.kind in LEAVES else "event"
    if expected != leaf:
        return Refused("wrong-topic", topic, (("found", report.kind), ("expected", leaf)))
    return report


def _count(row: StationRow, report: Report) -> None:
    """Keep which numbers are there, or will never be."""
    if isinstance(report, EventReport) and report.journal:
        row.journals.add(report.journal, report.sequence, report.sequence)
    elif isinstance(report, HeartbeatReport) and not report.outbox_depth:
        row.journals.told(report.newest_journal, report.newest_sequence)
    elif isinstance(report, ReplyReport):
        for gone in report.gone[: LIMITS.resend_gaps]:
            row.journals.gone(report.journal, gone.first, gone.last)


def _take_in(row: StationRow, report: Report, at_s: float) -> None:
    if isinstance(report, StatusReport):
        row.state, row.gap_s = report.state, None
        if report.state != "online":
            row.on_air = None
    elif isinstance(report, HeartbeatReport):
        row.gap_s = None if row.heard_s is None else at_s - row.heard_s
        row.state, row.on_air, row.heard_s = report.state, report.on_air, at_s
        row.modem = report.modem
        row.clock_source, row.clock = report.clock_source, () if report.clock_trusted else report.clock
        row.power = report.power
        known = row.faults
        row.faults = {
            (fault.code, fault.subject): known.get((fault.code, fault.subject), FaultSeen(fault.severity))
            for fault in report.faults[: LIMITS.open_faults]
        }
    elif isinstance(report, FaultReport):
        _take_in_fault(row, report)
    elif isinstance(report, AsRunReport):
        row.last = report
    elif isinstance(report, AlertReport):
        row.alert = report


def _take_in_fault(row: StationRow, report: FaultReport) -> None:
    key = (report.code, report.subject)
    if report.cleared is not None:
        row.faults.pop(key, None)
    elif key in row.faults or len(row.faults) < LIMITS.open_faults:
        row.faults[key] = FaultSeen(report.severity, report.detail)
