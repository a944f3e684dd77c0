"""What the centre hears of an alert before its as-run records: accepted, on the air, how its first round went.

A receipt is a report like any other; of a full outbox it is the last to go. Each state of a message is told once,
whatever restarts; that a part was not heard is told at once, and again with each further one. What becomes of a message
that a newer one replaced, the centre knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ttcs_edge.core import events
from ttcs_edge.core.asrun import settles
from ttcs_edge.core.documents import Alert
from ttcs_edge.core.effects import AlertTold
from ttcs_edge.core.model import ALERT_PREFIX, AsRun, AsRunReason, Outcome, Scope

Message = tuple[Scope, str, int]
"""Scope, id with its prefix, as cues of alerts are named, and version."""
Parts = tuple[tuple[str, str], ...]
"""The tone or languages, each with the reason why it was not heard."""
Failed = tuple[str, Parts]
"""A round, and what of it was not heard."""
ACCEPTED, ON_AIR, HEARD, FAILED = "accepted", "on-air", "heard", "failed"


@dataclass(slots=True)
class Receipts:
    """What was told last of the newest message of each alert, and what was not heard of the round that failed."""

    boot: int
    sequence: int = 0
    told: dict[Message, str] = field(default_factory=dict)
    failed: dict[Message, Failed] = field(default_factory=dict)

    def remember(self, event: events.Started) -> None:
        """Take over what an earlier life has told."""
        self.told = {_message_of(known.signed.document): known.told for known in event.alerts}

    def accepted(self, alert: Alert) -> AlertTold:
        """A message was believed and is in force."""
        self.forget(alert.scope, alert.id)
        return self._tell(_message_of(alert), ACCEPTED)

    def forget(self, scope: str, event: str) -> None:
        """An alert is over, or what was told of it is of an earlier message."""
        for message in [one for one in self.told if one[:2] == (scope, f"{ALERT_PREFIX}{event}")]:
            del self.told[message]
            self.failed.pop(message, None)

    def opened(self, record: AsRun) -> list[AlertTold]:
        """A cue went on the air."""
        message = _message(record)
        return [self._tell(message, ON_AIR)] if self.told.get(message) == ACCEPTED else []

    def closed(self, record: AsRun, left: Iterable[AsRun]) -> list[AlertTold]:
        """A cue is over: the last one of its round, or one that was not heard. ``left`` are the records still open, or
        to be told behind this one.
        """
        message = _message(record)
        if message not in self.told or not settles(record):
            return []
        if record.outcome is not Outcome.AIRED and record.reason is not None:
            return self._not_heard(message, record.occurrence.local, record.reason)
        if any(_message(one) == message for one in left) or self.told[message] in (FAILED, HEARD):
            return []
        return [self._tell(message, HEARD)]

    def _not_heard(self, message: Message, local: str, reason: AsRunReason) -> list[AlertTold]:
        number, part = local.split(".")[1], local.partition("-")[2]
        failed = self.failed.get(message)
        if self.told[message] == HEARD or (self.told[message] == FAILED and (failed is None or failed[0] != number)):
            return []
        told = failed[1] if failed is not None else ()
        if (part, reason.value) in told:  # of other zones, which had their turn before
            return []
        parts = (*told, (part, reason.value))
        self.failed[message] = number, parts
        return [self._tell(message, FAILED, parts)]

    def _tell(self, message: Message, state: str, reasons: Parts = ()) -> AlertTold:
        self.sequence += 1
        self.told[message] = state
        scope, name, version = message
        event = name.removeprefix(ALERT_PREFIX)
        return AlertTold(f"{self.boot}-r{self.sequence}", scope, event, version, state, reasons)


def _message_of(alert: Alert) -> Message:
    return alert.scope, f"{ALERT_PREFIX}{alert.id}", alert.version


def _message(record: AsRun) -> Message:
    return record.occurrence.scope, record.occurrence.slot, record.programme_version
