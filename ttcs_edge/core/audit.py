"""The audit trail: what was accepted and refused, by whom it was signed, and what was done at the box by hand.

What is an entry, and what is none, stands here; the store numbers the entries and ties each to the one before it
(``wire.chain``). The rules:

1. A document that is accepted is an entry, and so is one that is refused, an order, the first piece of a live relay, a
   file that was carried in, a door of the box that was opened, a walk or a lease that somebody at the box asked for or
   stopped, a deed that he had no right to, a self-test, each start and stop, and each time that the station is muted
   by its key or by a command, and heard again. A beacon that is accepted is none: one comes every minute, says nothing
   new but the time, and would wear out the card; what it names is an entry when it comes.
2. The same again is no news. A refusal is an entry when its fault is raised by it; while that fault is open, it is only
   counted. What a person does at the box is an entry each time: somebody must answer for it.
3. However fast strangers send, and whatever they call it, there are at most ``REFUSALS_AT_ONCE`` entries of refusals,
   and then one every ``REFUSAL_EVERY_MS`` (never-8). What is beyond is counted, too.
4. What was only counted is told by the next entry, whatever that is, by code (``unsaid``); when none comes for
   ``UNSAID_AFTER_MS``, by one of its own. So nothing is left out in silence, but for what a power cut takes with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from ttcs_edge.core import events
from ttcs_edge.core.documents import Alert, Command, Refused, Signed
from ttcs_edge.core.effects import Audited
from ttcs_edge.core.model import Instant, LocalUser
from ttcs_edge.core.reports import SelfTestState
from ttcs_edge.core.supervision import writable
from ttcs_edge.core.zone_by_zone import outcomes

REFUSALS_AT_ONCE = 32
REFUSAL_EVERY_MS = 600_000
UNSAID_AFTER_MS = 6 * 3_600_000
ACCEPTED, REFUSED, STARTED, STOPPED, COUNTED = "accepted", "refused", "started", "stopped", "counted"
OPENED = "opened"
MUTED, UNMUTED = "muted", "unmuted"
TESTED = "tested"
Detail = tuple[tuple[str, str], ...]


class Judged(Struct, frozen=True):
    """What came of what an event brought: the documents that were accepted, or why it was refused. ``is_news``: nobody
    was told of that refusal before.
    """

    subject: str
    verdict: tuple[Signed[Any], ...] | Refused
    is_news: bool = True


class _Kind(Struct, frozen=True):
    """What an event brings is called, and where in the event it is; ``by`` tells who did it by hand."""

    what: str
    brought: Callable[[Any], Any] = lambda event: None
    by: Callable[[Any], LocalUser | None] = lambda event: None
    accepted_is_told: bool = True
    detail: Callable[[Any], Detail] = lambda event: ()


_KINDS: dict[type, _Kind] = {
    events.TrustArrived: _Kind("trust", lambda event: event.roots, lambda event: event.by),
    events.ProgrammeArrived: _Kind("programme", lambda event: event.programme, lambda event: event.by),
    events.BeaconArrived: _Kind("beacon", lambda event: event.beacon, accepted_is_told=False),
    events.AlertArrived: _Kind("alert", lambda event: event.alert),
    events.CommandArrived: _Kind("command", lambda event: event.command),
    events.LiveArrived: _Kind("live", lambda event: event.segment),
    events.CertificateArrived: _Kind("certificate"),
    events.AudioCarried: _Kind("audio", by=lambda event: event.by),
    events.WalkAsked: _Kind("walk", by=lambda event: event.by),
    events.LeaseAsked: _Kind("lease", by=lambda event: event.by, detail=lambda event: _of_lease(event)),
    events.TestsStopped: _Kind("tests", by=lambda event: event.by),
    events.DeedRefused: _Kind("deed", by=lambda event: event.by),
}
_DETAILS: dict[type, Callable[[Any], Detail]] = {
    Command: lambda command: (("action", command.action[0]),),
    Alert: lambda alert: (("msg_type", alert.msg_type), ("severity", alert.severity)),
}
"""What an accepted document says of itself, beside its version."""


@dataclass(slots=True)
class Audit:
    """What was told so far, and what was only counted since."""

    boot: int
    sequence: int = 0
    room: int = REFUSALS_AT_ONCE
    room_mono_ms: int = 0
    unsaid: dict[str, int] = field(default_factory=dict)
    unsaid_mono_ms: int = 0

    def started(self, event: events.Started, station: str, now: Instant) -> Audited:
        """A life of the station begins."""
        self.room_mono_ms = now.mono_ms
        detail = (("software", event.software), ("trust", str(event.trust.version)))
        return self._entry(now, STARTED, "station", station, detail=detail)

    def stopped(self, station: str, why: str, now: Instant) -> Audited:
        """A life of the station is about to end in good order."""
        return self._entry(now, STOPPED, "station", station, detail=(("reason", why),))

    def opened(self, station: str, now: Instant) -> Audited:
        """Somebody opened the door of the box."""
        return self._entry(now, OPENED, "box", station)

    def turned(
        self, muted: bool, station: str, why: str, now: Instant, by: LocalUser | None = None, length_ms: int = 0
    ) -> Audited:
        """The station was silenced by hand, or is heard again."""
        detail = (("reason", why), *((("minutes", str(length_ms // 60_000)),) if by is not None and muted else ()))
        return self._entry(now, MUTED if muted else UNMUTED, "station", station, by=by, detail=detail)

    def tested(self, station: str, state: SelfTestState, now: Instant) -> Audited:
        """A self-test is over, or was skipped."""
        return self._entry(now, TESTED, "zones", station, code=state.skipped, detail=outcomes(state.zones))

    def judged(self, event: events.Event, judged: Judged, now: Instant) -> list[Audited]:
        """What is to be told of what an event brought."""
        kind = _KINDS[type(event)]
        by = kind.by(event)
        if isinstance(judged.verdict, Refused):
            return self._refused(kind, event, judged, judged.verdict, now)
        if not kind.accepted_is_told:
            return []
        if not judged.verdict:  # no document: a file
            return [self._entry(now, ACCEPTED, kind.what, judged.subject, by=by, detail=kind.detail(event))]
        return [
            self._entry(
                now,
                ACCEPTED,
                kind.what,
                judged.subject,
                version=signed.document.version,
                keys=_names(signed.signers),
                by=by,
                detail=_DETAILS.get(type(signed.document), lambda document: ())(signed.document),
            )
            for signed in judged.verdict
        ]

    def _refused(
        self, kind: _Kind, event: events.Event, judged: Judged, refused: Refused, now: Instant
    ) -> list[Audited]:
        by = kind.by(event)
        if not ((judged.is_news or by is not None) and self._has_room(now)):
            if not self.unsaid:
                self.unsaid_mono_ms = now.mono_ms
            self.unsaid[refused.code] = self.unsaid.get(refused.code, 0) + 1
            return []
        brought = kind.brought(event)
        signed = brought[-1] if isinstance(brought, tuple) and brought else brought
        known = isinstance(signed, Signed)
        return [
            self._entry(
                now,
                REFUSED,
                kind.what,
                judged.subject,
                version=signed.document.version if known else None,
                keys=_names(signed.signers) if known else (),
                code=refused.code,
                by=by,
                detail=tuple((name, writable(value)) for name, value in refused.detail),
            )
        ]

    def overdue(self, station: str, now: Instant) -> list[Audited]:
        """What was only counted, when nothing else came that could have told it."""
        wake_mono_ms = self.wake_mono_ms
        if wake_mono_ms is None or now.mono_ms < wake_mono_ms:
            return []
        return [self._entry(now, COUNTED, "station", station)]

    @property
    def wake_mono_ms(self) -> int | None:
        """When ``overdue`` has something to tell."""
        return self.unsaid_mono_ms + UNSAID_AFTER_MS if self.unsaid else None

    def _has_room(self, now: Instant) -> bool:
        """Take the room of one refusal, if there is some."""
        more = (now.mono_ms - self.room_mono_ms) // REFUSAL_EVERY_MS
        self.room_mono_ms += more * REFUSAL_EVERY_MS
        self.room = min(REFUSALS_AT_ONCE, self.room + more)
        if self.room == 0:
            return False
        self.room -= 1
        return True

    def _entry(self, now: Instant, deed: str, what: str, subject: str, **more: Any) -> Audited:
        self.sequence += 1
        unsaid, self.unsaid = tuple(sorted(self.unsaid.items())), {}
        name = f"{self.boot}-u{self.sequence}"
        return Audited(name, now.wall_ms, now.trusted, deed, what, subject, unsaid=unsaid, **more)


def _of_lease(lease: events.LeaseAsked) -> Detail:
    """What was done to which zones, and for how long."""
    zones = ", ".join(lease.zones) or "*"
    return (("sound", "silence" if lease.silent else "tone"), ("zones", zones), ("ms", str(lease.length_ms)))


def _names(signers: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(signers))
