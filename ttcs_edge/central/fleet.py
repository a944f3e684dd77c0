"""What the centre knows of its stations, from what they report; a report that cannot be read is counted and shown.

Reports come at least once, so one with an id that was heard already changes nothing. A report that names another
station than its topic does is bad: one station must not speak for another.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from ttcs_edge.core.documents import Refused
from ttcs_edge.wire.reports import (
    AsRunReport,
    FaultReport,
    HeartbeatReport,
    Report,
    StatusReport,
    read_report,
)
from ttcs_edge.wire.topics import Topics

STATIONS = 20_000
IDS_REMEMBERED = 20_000
LEAVES = ("status", "heartbeat", "event")


@dataclass(slots=True)
class StationRow:
    """One station as it was last heard. ``heard_s`` is on the monotonic clock; None before the first heartbeat."""

    id: str
    state: str = "?"
    on_air: str | None = None
    faults: dict[tuple[str, str], str] = field(default_factory=dict)
    last: AsRunReport | None = None
    heard_s: float | None = None
    bad_reports: int = 0


class Fleet:
    """Every station heard of."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._rows: dict[str, StationRow] = {}
        self._ids: OrderedDict[str, None] = OrderedDict()

    @property
    def rows(self) -> list[StationRow]:
        """The stations in the order of their ids."""
        return sorted(self._rows.values(), key=lambda row: row.id)

    def hear(self, topic: str, payload: bytes, at_s: float) -> Report | Refused | None:
        """Take in a message. Gives its report, why it is bad, or None when it is not a station's."""
        found = self._topics.station_leaf(topic)
        if found is None or found[1] not in LEAVES or (found[0] not in self._rows and len(self._rows) >= STATIONS):
            return None
        station, leaf = found
        row = self._rows.setdefault(station, StationRow(station))
        report = _checked(read_report(payload, topic), station, leaf, topic)
        if isinstance(report, Refused):
            row.bad_reports += 1
        elif not self._heard_before(report):
            _take_in(row, report, at_s)
        return report

    def _heard_before(self, report: Report) -> bool:
        if isinstance(report, StatusReport):
            return False
        if report.id in self._ids:
            return True
        self._ids[report.id] = None
        if len(self._ids) > IDS_REMEMBERED:
            self._ids.popitem(last=False)
        return False


def _checked(report: Report | Refused, station: str, leaf: str, topic: str) -> Report | Refused:
    if isinstance(report, Refused):
        return report
    if report.station != station:
        return Refused("wrong-station", topic, (("found", report.station[:80]), ("expected", station)))
    expected = {"as-run": "event", "fault": "event"}.get(report.kind, report.kind)
    if expected != leaf:
        return Refused("wrong-topic", topic, (("found", report.kind), ("expected", leaf)))
    return report


def _take_in(row: StationRow, report: Report, at_s: float) -> None:
    if isinstance(report, StatusReport):
        row.state = report.state
        if report.state != "online":
            row.on_air = None
    elif isinstance(report, HeartbeatReport):
        row.state, row.on_air, row.heard_s = report.state, report.on_air, at_s
        row.faults = {(fault.code, fault.subject): fault.severity for fault in report.faults}
    elif isinstance(report, FaultReport):
        if report.cleared is None:
            row.faults[report.code, report.subject] = report.severity
        else:
            row.faults.pop((report.code, report.subject), None)
    else:
        row.last = report
