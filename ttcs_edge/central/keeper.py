"""Reports from the broker into the ledger: kept first, then acknowledged.

One that is killed loses what the broker had taken for it and it had not kept: the numbers of the stations' reports
tell that they are missing, and ``ttcs-central resend`` brings them back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ttcs_edge.central.broker import Heard
from ttcs_edge.central.carried_reports import Event, event_of
from ttcs_edge.central.centre import Centre
from ttcs_edge.central.fleet import report_of
from ttcs_edge.central.ledger import Ledger
from ttcs_edge.core.documents import Refused
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
        self._events: list[tuple[Event, bytes]] = []

    def take(self, heard: Heard, *, more: bool) -> None:
        """Take a message; nothing waits here when no ``more`` of them do. Raises CentralError."""
        report = report_of(self._topics, heard.topic, heard.payload)
        event = None if report is None else event_of(self._centre, report)
        if event is not None and not isinstance(event, Refused):
            self._events.append((event, heard.payload))
        self._heard.append(heard)
        if not more or len(self._heard) >= TOGETHER:
            self.settle()

    def settle(self) -> None:
        """Keep and acknowledge what waits here. Raises CentralError."""
        if self._events:
            self._ledger.add(self._events, "broker")
        for heard in self._heard:
            self._acknowledge(heard)
        self._heard, self._events = [], []
