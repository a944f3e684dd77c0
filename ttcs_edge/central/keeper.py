"""Reports from the broker into the ledger: kept first, then acknowledged.

One that is killed loses what the broker had taken for it and it had not kept: the numbers of the stations' reports
tell that they are missing, and ``ttcs-central resend`` brings them back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ttcs_edge.central.broker import Heard
from ttcs_edge.central.carried_reports import event_of
from ttcs_edge.central.centre import Centre
from ttcs_edge.central.fleet import report_of
from ttcs_edge.central.ledger import Ledger
from ttcs_edge.central.stations import is_known
from ttcs_edge.core.documents import Refused
from ttcs_edge.wire.reports import EventReport, HeartbeatReport
from ttcs_edge.wire.topics import Topics

TOGETHER: Final = 200
"""How many reports one transaction takes at the most: what the broker sent ahead must not wait for long."""


class Keeper:
    """Takes what was heard, in its order. ``acknowledge`` tells the broker of each message that is dealt with."""

    def __init__(self, centre: Centre, ledger: Ledger, acknowledge: Callable[[Heard], None]) -> None:
        self._centre = centre
        self._topics = Topics(centre.settings.topic_root)
        self._ledger = ledger
        self._acknowledge = acknowledge
        self._heard: list[Heard] = []
        self._events: list[tuple[EventReport, bytes]] = []
        self._newest: dict[tuple[str, int], int] = {}
        self._told: dict[tuple[str, int], int] = {}

    def take(self, heard: Heard, *, more: bool) -> None:
        """Take a message; nothing waits here when no ``more`` of them do. Raises CentralError."""
        report = report_of(self._topics, heard.topic, heard.payload)
        event = None if report is None else event_of(self._centre, report)
        if event is not None and not isinstance(event, Refused):
            self._events.append((event, heard.payload))
        if isinstance(report, HeartbeatReport) and not report.outbox_depth:
            self._take_newest(report)
        self._heard.append(heard)
        if not more or len(self._heard) >= TOGETHER:
            self.settle()

    def settle(self) -> None:
        """Keep and acknowledge what waits here. Raises CentralError."""
        if self._events:
            self._ledger.add(self._events, "broker")
        if self._newest:
            self._ledger.tell_newest(self._newest)
            self._told |= self._newest
        for heard in self._heard:
            self._acknowledge(heard)
        self._heard, self._events, self._newest = [], [], {}

    def _take_newest(self, report: HeartbeatReport) -> None:
        """With an empty outbox, a station has told all reports up to its newest; written only when that has changed."""
        key, newest = (report.station, report.newest_journal), report.newest_sequence
        if newest != self._told.get(key) and is_known(self._centre, report.station):
            self._newest[key] = newest
