"""Documents on their way in: which topics bring them, and the event that each message becomes.

Signatures are checked on threads of the inbox's own, away from the core's thread and from the network's: one for what
cannot wait, alerts and live relays, one for all else. A programme of ten thousand slots takes its time. Trust roots are
read by the network's own thread: whatever comes behind them is read by the keys that they name.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, TypeVar

import structlog
from msgspec import Struct

from ttcs_edge.core.documents import Alert, Beacon, Command, LiveSegment, Programme, Refused, Signed, TrustRoot
from ttcs_edge.core.events import (
    AlertArrived,
    BeaconArrived,
    CertificateArrived,
    CommandArrived,
    Event,
    LiveArrived,
    ProgrammeArrived,
    TrustArrived,
)
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import ALERT_PREFIX, LIVE_PREFIX, Certificate, MonoMs, Scope, scope_prefixes
from ttcs_edge.core.trust import alert_subject, live_subject
from ttcs_edge.wire.topics import Topics

D = TypeVar("D")
Kind = Literal["trust", "alert", "live", "programme", "beacon", "command", "certificate"]

_log = structlog.get_logger()


class Readers(Struct, frozen=True):
    """What makes documents of bytes; each gets the scope or the station of the topic, to name it in refusals."""

    trust: Callable[[bytes, str], tuple[Signed[TrustRoot], ...] | Refused]
    programme: Callable[[bytes, str], Signed[Programme] | Refused]
    beacon: Callable[[bytes, str], Signed[Beacon] | Refused]
    command: Callable[[bytes, str], Signed[Command] | Refused]
    alert: Callable[[bytes, str], Signed[Alert] | Refused]
    live: Callable[[bytes, str], Signed[LiveSegment] | Refused]
    certificate: Callable[[bytes, str], Certificate | Refused] = lambda data, station: Refused("unreadable", station)


class Message(Struct, frozen=True):
    """A message as the broker brought it. ``subject`` is what its topic names: a scope, the station, an alert or a live
    relay. What was fetched as a file is read where documents are.
    """

    kind: Kind
    subject: str
    payload: bytes | Callable[[], bytes]
    delivery: int
    retained: bool
    again: bool
    correlation: bytes
    came_mono_ms: MonoMs


URGENT: frozenset[Kind] = frozenset({"alert", "live"})


class Inbox:
    """Messages that wait to be read. ``put`` is for the network's thread, each of ``runs`` for one of its own."""

    def __init__(
        self, topics: Topics, station: str, scope: Scope, readers: Readers, post: Callable[[Event], None]
    ) -> None:
        self._topics = topics
        self._station = station
        self._scopes = frozenset(scope_prefixes(scope))
        self._readers = readers
        self._post = post
        self._urgent: queue.Queue[Message | None] = queue.Queue(2 * LIMITS.outbox_in_flight)
        self._others: queue.Queue[Message | None] = queue.Queue(2 * LIMITS.outbox_in_flight)
        self._closing = threading.Event()

    def kind(self, topic: str) -> tuple[Kind, str] | None:
        """Tell what a topic brings, and of whom; None when it is nothing that this station listens to."""
        alert = self._topics.alert_event(topic)
        if alert is not None and alert[0] in self._scopes:
            return "alert", alert_subject(*alert)
        relay = self._topics.live_relay(topic)
        if relay is not None and relay[0] in self._scopes:
            return "live", live_subject(*relay)
        for kind, scope in self._of_a_scope(topic):
            if scope in self._scopes:
                return kind, scope
        return self._of_the_station(topic)

    def _of_the_station(self, topic: str) -> tuple[Kind, str] | None:
        kinds: tuple[Kind, ...] = ("command", "certificate")
        found = (kind for kind in kinds if topic == self._topics.station(self._station, kind))
        return next(((kind, self._station) for kind in found), None)

    def _of_a_scope(self, topic: str) -> tuple[tuple[Kind, str | None], ...]:
        return (
            ("programme", self._topics.programme_scope(topic)),
            ("beacon", self._topics.beacon_scope(topic)),
            ("trust", self._topics.trust_scope(topic)),
        )

    def put(self, message: Message) -> None:
        """Have a message read. Raises queue.Full when more wait than were agreed with the broker: nothing was agreed of
        live relays, which take no more than half of the room.
        """
        if message.kind == "trust":
            self._post(self._event(message))
            return
        if message.kind == "live" and self._urgent.qsize() >= LIMITS.outbox_in_flight:
            raise queue.Full
        (self._urgent if message.kind in URGENT else self._others).put_nowait(message)

    def close(self) -> None:
        """Read no more."""
        self._closing.set()
        for waiting in (self._urgent, self._others):
            with suppress(queue.Full):  # then its thread sees it behind the message that it reads now
                waiting.put_nowait(None)

    @property
    def runs(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        """What is to be run until ``close``, each on a thread of its name."""
        return ("link-urgent", lambda: self._run(self._urgent)), ("link-verify", lambda: self._run(self._others))

    def _run(self, waiting: queue.Queue[Message | None]) -> None:
        """Read what comes; whatever a reader does, the next message is read (never-7)."""
        while (message := waiting.get()) is not None and not self._closing.is_set():
            self._post(self._event(message))

    def _event(self, message: Message) -> Event:
        match message.kind:
            case "trust":
                roots = _read(self._readers.trust, message)
                return TrustArrived(roots, message.subject, message.delivery)
            case "alert":
                alert = _read(self._readers.alert, message)
                scope, _, event = message.subject.partition(f"#{ALERT_PREFIX}")
                return AlertArrived(alert, (scope, event), message.delivery)
            case "live":
                segment = _read(self._readers.live, message)
                scope, _, name = message.subject.partition(f"#{LIVE_PREFIX}")
                return LiveArrived(segment, (scope, name))
            case "programme":
                programme = _read(self._readers.programme, message)
                return ProgrammeArrived(programme, message.subject, message.delivery)
            case "beacon":
                beacon = _read(self._readers.beacon, message)
                live = not message.retained
                return BeaconArrived(beacon, message.subject, message.delivery, live, message.came_mono_ms)
            case "certificate":
                return CertificateArrived(_read(self._readers.certificate, message), message.delivery)
            case "command":
                command = _read(self._readers.command, message)
                return CommandArrived(command, message.delivery, message.retained, message.again, message.correlation)


def _read(read: Callable[[bytes, str], D | Refused], message: Message) -> D | Refused:
    try:
        payload = message.payload
        return read(payload if isinstance(payload, bytes) else payload(), message.subject)
    except Exception as error:  # a document must never stop the station
        _log.exception("document-reader-failed", kind=message.kind, subject=message.subject)
        return Refused("unreadable", message.subject, (("error", type(error).__name__),))
