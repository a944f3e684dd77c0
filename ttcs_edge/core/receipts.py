"""What the centre hears of an alert before its as-run records: accepted, on the air, how its first round ended.

A receipt is a report like any other, told before all others. Each state of a message is told once in a life; what
becomes of a message that a newer one replaced, the centre knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ttcs_edge.core.documents import Alert
from ttcs_edge.core.effects import AlertTold
from ttcs_edge.core.model import ALERT_PREFIX, AsRun, Outcome, Scope

Message = tuple[Scope, str, int]
"""Scope, id and version."""
ACCEPTED, ON_AIR, HEARD, FAILED = "accepted", "on-air", "heard", "failed"


@dataclass(slots=True)
class Receipts:
    """What was told of each message, and what was not heard of its first round so far."""

    boot: int
    sequence: int = 0
    newest: dict[tuple[str, str], int] = field(default_factory=dict)
    told: dict[Message, str] = field(default_factory=dict)
    unheard: dict[Message, list[tuple[str, str]]] = field(default_factory=dict)

    def accepted(self, alert: Alert) -> AlertTold:
        """A message was believed and is in force."""
        self.forget(alert.scope, alert.id)
        self.newest[alert.scope, alert.id] = alert.version
        return self._tell((alert.scope, alert.id, alert.version), ACCEPTED)

    def forget(self, scope: str, event: str) -> None:
        """An alert is over, or what was told of it is of an earlier message."""
        self.newest.pop((scope, event), None)
        for told in (self.told, self.unheard):
            for message in [one for one in told if one[:2] == (scope, event)]:
                del told[message]

    def opened(self, record: AsRun) -> list[AlertTold]:
        """A cue went on the air."""
        if not record.occurrence.is_of_alert or self.told.get(_message(record)) in (ON_AIR, HEARD, FAILED):
            return []
        return [self._tell(_message(record), ON_AIR)]

    def closed(self, record: AsRun, left: Iterable[AsRun]) -> list[AlertTold]:
        """A cue is over: with the last one of a round, the round is. ``left`` are the records still open, or to be told
        behind this one.
        """
        message = _message(record)
        replaced = self.newest.get(message[:2], message[2]) != message[2]
        if not record.occurrence.is_of_alert or replaced or self.told.get(message) in (HEARD, FAILED):
            return []
        unheard = self.unheard.setdefault(message, [])
        if record.outcome is not Outcome.AIRED and record.reason is not None:
            unheard.append((_part(record), record.reason.value))
        if any(_message(one) == message for one in left if one.occurrence.is_of_alert):
            return []
        del self.unheard[message]
        return [self._tell(message, FAILED if unheard else HEARD, tuple(unheard))]

    def _tell(self, message: Message, state: str, reasons: tuple[tuple[str, str], ...] = ()) -> AlertTold:
        self.sequence += 1
        self.told[message] = state
        return AlertTold(f"{self.boot}-r{self.sequence}", *message, state, reasons)


def _message(record: AsRun) -> Message:
    occurrence = record.occurrence
    return occurrence.scope, occurrence.slot.removeprefix(ALERT_PREFIX), record.programme_version


def _part(record: AsRun) -> str:
    """The tone or a language: what stands behind the place in the row."""
    return record.occurrence.local.partition("-")[2]
