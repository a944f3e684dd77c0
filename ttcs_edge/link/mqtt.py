"""The connection to the broker: MQTT 5 over TLS with the station's certificate (design, section 4).

- A message is acknowledged by hand, once the core has said that what it changes is on disk; one that was not is sent
  again by the broker after the next connect. An acknowledgement belongs to the connection that brought the message.
- Reports leave the outbox in order, a bounded number in flight, and are removed only when the broker has acknowledged
  them. One that the broker refuses for good is passed over until the next connect; it does not hold up the rest.
- paho's thread dies of an exception in a callback, for good. So every callback here catches at its border, and a
  supervisor makes a connection anew, after a wait that depends on what the failure cost (``RETRY``).
"""

from __future__ import annotations

import queue
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ttcs_edge.core.documents import Programme, Refused, Signed
from ttcs_edge.core.events import ConditionChanged, Event, LinkChanged, ProgrammeArrived
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope
from ttcs_edge.settings import BrokerSettings
from ttcs_edge.wire.topics import Topics


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before the next try: drawn evenly from ``least_s`` up to the n-th of ``most_s``, then its last.

    The draw is over the whole span: stations that lost one broker together must not come back together.
    """

    most_s: tuple[float, ...]
    least_s: float = 0.0

    def wait_s(self, tries: int, draw: float) -> float:
        """The wait behind ``tries`` failures in a row before this one; ``draw`` is from 0 to 1."""
        return self.least_s + draw * (self.most_s[min(tries, len(self.most_s) - 1)] - self.least_s)


SOON = Backoff((1.0, 2.0, 5.0, 10.0))
"""An attempt that costs nobody anything; what waits in the outbox should go as soon as the broker is back."""
SPARING = Backoff((5.0, 15.0, 60.0))
"""An attempt that cost the broker a TLS handshake, and that the next one will most likely repeat."""
RETRY = {
    "lost": SOON,
    "unreachable": SOON,
    "dns": SOON,
    "timeout": SOON,
    "tls": SPARING,
    "tls-expired": SPARING,
    "refused": SPARING,
    # Two stations of one id must not throw each other out in a loop.
    "session-taken-over": Backoff((60.0,), least_s=30.0),
}
"""How to go on, by the reason for which a connection ended or did not come up."""
OUTBOX_RETRY_S = 1.0
"""After the card failed under the outbox."""
SESSION_TAKEN_OVER = 0x8E
SHORT_LIFE_S = 10.0
SHORT_LIVES = 2
CONNECT_TIMEOUT_S = 15.0
CHUNKS_WAITING = 16

_log = structlog.get_logger()


class Row(Protocol):
    """A report in the outbox."""

    @property
    def seq(self) -> int:
        """Its place in the queue."""

    @property
    def body(self) -> bytes:
        """What goes over the wire."""


class OutboxSource(Protocol):
    """The part of the outbox that the link needs; called on the link's own threads."""

    def pending(self, limit: int, after_seq: int) -> Sequence[Row]:
        """The oldest rows behind a place."""

    def remove(self, seqs: Sequence[int]) -> None:
        """Forget acknowledged rows."""


class BrokerLink:
    """One station's connection. It never blocks its caller on the network; ``start`` returns at once."""

    def __init__(
        self,
        settings: BrokerSettings,
        station: str,
        scope: Scope,
        status: Callable[[str], bytes],
        outbox: OutboxSource,
        read: Callable[[bytes, str], Signed[Programme] | Refused],
        post: Callable[[Event], None],
    ) -> None:
        self._settings = settings
        self._topics = Topics(settings.topic_root)
        self._station = station
        self._scope = scope
        self._status = status
        self._outbox = outbox
        self._read = read
        self._post = post
        self._closing = threading.Event()
        self._lost = threading.Event()
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._connected = False
        self._client: Client | None = None
        self._generation = 0
        self._deliveries: dict[int, tuple[int, int, int]] = {}
        self._delivery = 0
        self._reason: tuple[str, tuple[tuple[str, str], ...]] = ("lost", ())
        self._told_reason: str | None = None
        self._short_lives = 0
        self._supervisor = threading.Thread(target=self._supervise, name="link-supervise", daemon=True)
        self._incoming: queue.Queue[tuple[str, bytes, int]] = queue.Queue(LIMITS.events_queued)
        self._chunks: dict[str, queue.Queue[tuple[int, bytes]]] = {}
        self._answers: queue.SimpleQueue[tuple[int, int, ReasonCode]] = queue.SimpleQueue()
        self._jitter = random.Random()

    def start(self) -> None:
        """Begin to connect, and go on for ever."""
        for target in (self._verify, self._pump):
            threading.Thread(target=target, name=f"link-{target.__name__[1:]}", daemon=True).start()
        self._supervisor.start()

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._wake.set()

    def acknowledge(self, delivery: int) -> None:
        """Tell the broker that a message is dealt with, if the connection that brought it still stands."""
        with self._lock:
            generation, mid, qos = self._deliveries.pop(delivery, (-1, 0, 0))
            current = self._generation
        client = self._live()
        if client is not None and generation == current:
            client.ack(mid, qos)

    def publish_heartbeat(self, body: bytes) -> None:
        """Send a heartbeat if there is a connection; an old one is worth nothing, so it is not kept."""
        client = self._live()
        if client is not None:
            client.publish(self._topics.station(self._station, "heartbeat"), body, qos=0)

    def close(self, timeout_s: float) -> None:
        """Say that the station was stopped, and leave."""
        self._closing.set()
        self._wake.set()
        client = self._live()
        if client is not None:
            topic = self._topics.station(self._station, "status")
            client.publish(topic, self._status("stopped"), qos=1, retain=True).wait_for_publish(timeout_s)
            client.disconnect()
        self._lost.set()
        # The broker must hear the farewell, or it publishes the will over it.
        self._supervisor.join(timeout_s)

    # chunks of audio, for the fetcher

    def ask_for(self, sha256: str) -> None:
        """Subscribe to the chunks of a file."""
        with self._lock:
            self._chunks[sha256] = queue.Queue(CHUNKS_WAITING)
        client = self._live()
        if client is not None:
            client.subscribe(self._topics.blob(sha256, "+"), qos=1)

    def take(self, sha256: str, number: int, timeout_s: float) -> bytes | None:
        """Give one chunk; chunks come in order, so an earlier one is passed over and a later one means a gap."""
        deadline_s = time.monotonic() + timeout_s
        waiting = self._chunks[sha256]
        while (left_s := deadline_s - time.monotonic()) > 0:
            try:
                found, data = waiting.get(timeout=left_s)
            except queue.Empty:
                return None
            if found == number:
                return data
        return None

    def leave(self, sha256: str) -> None:
        """Unsubscribe from the chunks of a file."""
        with self._lock:
            self._chunks.pop(sha256, None)
        client = self._live()
        if client is not None:
            client.unsubscribe(self._topics.blob(sha256, "+"))

    def _live(self) -> Client | None:
        """The client, while connected. paho is never called under our own lock: it calls back under its."""
        with self._lock:
            return self._client if self._connected else None

    # the connection

    def _supervise(self) -> None:
        tries, before = 0, SOON
        while not self._closing.is_set():
            self._lost.clear()
            began_s = time.monotonic()
            client = self._connect()
            if client is not None:
                self._lost.wait()
                client.loop_stop()
                self._suspect_a_double(time.monotonic() - began_s)
            self._went_down()
            backoff = RETRY[self._reason[0]]
            lived = time.monotonic() - began_s > 2 * CONNECT_TIMEOUT_S
            tries = tries + 1 if backoff is before and not lived else 0
            before = backoff
            self._closing.wait(backoff.wait_s(tries, self._jitter.random()))

    def _suspect_a_double(self, lived_s: float) -> None:
        """Not every broker says why it closes a connection: one lost again and again, at once, was taken over."""
        self._short_lives = self._short_lives + 1 if lived_s < SHORT_LIFE_S and self._reason[0] == "lost" else 0
        if self._short_lives >= SHORT_LIVES:
            self._reason = ("session-taken-over", (("connections", str(self._short_lives)),))

    def _connect(self) -> Client | None:
        settings = self._settings
        try:
            client = self._make_client()
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = settings.session_expiry_s
            properties.ReceiveMaximum = LIMITS.outbox_in_flight
            with self._lock:
                self._generation += 1
                self._client = client
            client.connect(settings.host, settings.port, settings.keepalive_s, clean_start=False, properties=properties)
        except (OSError, ValueError) as error:
            self._reason = (_reason(error), (("error", str(error)),))
            return None
        client.loop_start()
        return client

    def _make_client(self) -> Client:
        settings = self._settings
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._station,
            protocol=MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,  # the supervisor alone decides when
        )
        client.tls_set(
            ca_certs=str(settings.ca_file),
            certfile=str(settings.certificate_file),
            keyfile=str(settings.key_file),
            tls_version=ssl.PROTOCOL_TLS_CLIENT,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(LIMITS.outbox_in_flight)
        client.will_set(self._topics.station(self._station, "status"), self._status("offline"), qos=1, retain=True)
        client.on_connect = self._guarded(self._on_connect)
        client.on_disconnect = self._guarded(self._on_disconnect)
        client.on_message = self._guarded(self._on_message)
        client.on_publish = self._guarded(self._on_publish)
        return client

    def _guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        def guard(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception as error:  # an exception here would end paho's thread for good
                _log.exception("link-callback-failed", callback=callback.__name__)
                self._post(ConditionChanged("link-callback", callback.__name__, True, (("error", str(error)),)))
                self._lost.set()

        return guard

    def _on_connect(
        self, client: Client, userdata: Any, flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._reason = (_reason(RefusedByBrokerError(str(code))), (("error", str(code)),))
            self._lost.set()
            return
        with self._lock:
            self._connected = True
        # The subscriptions are made each time: it costs nothing, and brings what is retained, whatever was missed.
        client.subscribe([(topic, 1) for topic in self._topics.subscriptions(self._scope)])
        for sha256 in list(self._chunks):
            client.subscribe(self._topics.blob(sha256, "+"), qos=1)
        client.publish(self._topics.station(self._station, "status"), self._status("online"), qos=1, retain=True)
        self._told_reason = None
        self._post(LinkChanged(True, "connected"))
        self._wake.set()

    def _on_disconnect(
        self, client: Client, userdata: Any, flags: DisconnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        if self._lost.is_set():
            return  # paho tells of the closed socket again, behind the broker's own reason
        if code.value == SESSION_TAKEN_OVER:
            self._reason = ("session-taken-over", ())
        elif self._connected:
            self._reason = ("lost", (("error", str(code)),))
        self._lost.set()

    def _went_down(self) -> None:
        with self._lock:
            self._connected = False
            self._deliveries.clear()
        reason, detail = self._reason
        if reason != self._told_reason and not self._closing.is_set():
            self._told_reason = reason
            self._post(LinkChanged(False, reason, detail))

    # down

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        scope = self._topics.programme_scope(message.topic)
        if scope is not None:
            with self._lock:
                self._delivery += 1
                delivery = self._delivery
                self._deliveries[delivery] = (self._generation, message.mid, message.qos)
            self._incoming.put_nowait((scope, bytes(message.payload), delivery))
            return
        client.ack(message.mid, message.qos)
        chunk = self._topics.blob_chunk(message.topic)
        waiting = self._chunks.get(chunk[0]) if chunk else None
        if chunk is not None and waiting is not None:
            self._put_chunk(waiting, chunk[1], bytes(message.payload))

    def _put_chunk(self, waiting: queue.Queue[tuple[int, bytes]], number: int, payload: bytes) -> None:
        """Retained chunks come as fast as the link goes; the fetcher takes them as fast as the card goes."""
        try:
            waiting.put((number, payload), timeout=CONNECT_TIMEOUT_S)
        except queue.Full:
            _log.warning("chunk-dropped", number=number)

    def _verify(self) -> None:
        """Check signatures away from the core's thread and from the network's."""
        while True:
            scope, payload, delivery = self._incoming.get()
            try:
                document = self._read(payload, scope)
            except Exception as error:  # a document must never stop the station (never-7)
                _log.exception("document-reader-failed", scope=scope)
                document = Refused("unreadable", scope, (("error", type(error).__name__),))
            self._post(ProgrammeArrived(document, scope, delivery))

    # up

    def _on_publish(
        self, client: Client, userdata: Any, mid: int, code: ReasonCode, properties: Properties | None
    ) -> None:
        self._answers.put((self._generation, mid, code))
        self._wake.set()

    def _pump(self) -> None:
        pump = _Pump(self._outbox, self._topics.station(self._station, "event"), self._refused)
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                pump.settle(self._answers)
                client = self._live()
                if client is not None:
                    pump.send(client, self._generation)
            except Exception:  # a failing card: the rows stay, and the next wake tries again
                _log.exception("outbox-not-drained")
                self._closing.wait(OUTBOX_RETRY_S)
                self._wake.set()

    def _refused(self, seq: int, code: ReasonCode) -> None:
        detail = (("error", str(code)), ("report", str(seq)))
        self._post(ConditionChanged("report-refused", "broker", True, detail))


class _Pump:
    """What of the outbox is in flight on the connection of this moment. One thread calls."""

    def __init__(self, outbox: OutboxSource, topic: str, refused: Callable[[int, ReasonCode], None]) -> None:
        self._outbox = outbox
        self._topic = topic
        self._refused = refused
        self._generation = -1
        self._after_seq = 0
        self._in_flight: dict[int, int] = {}

    def settle(self, answers: queue.SimpleQueue[tuple[int, int, ReasonCode]]) -> None:
        """Remove what the broker has acknowledged."""
        done: list[int] = []
        while not answers.empty():
            generation, mid, code = answers.get()
            seq = self._in_flight.pop(mid, None) if generation == self._generation else None
            if seq is not None and code.is_failure:
                self._refused(seq, code)
            elif seq is not None:
                done.append(seq)
        if done:
            self._outbox.remove(done)

    def send(self, client: Client, generation: int) -> None:
        """Fill the window. A new connection begins at the oldest row again: what was in flight may be lost."""
        if generation != self._generation:
            self._generation, self._after_seq = generation, 0
            self._in_flight.clear()
        room = LIMITS.outbox_in_flight - len(self._in_flight)
        for row in self._outbox.pending(room, self._after_seq) if room > 0 else ():
            info = client.publish(self._topic, row.body, qos=1)
            self._in_flight[info.mid] = row.seq
            self._after_seq = row.seq


class RefusedByBrokerError(Exception):
    """The broker answered CONNECT with a refusal."""


def _reason(error: Exception) -> str:
    """Name what kept a connection from coming up: one of ``RETRY``."""
    if isinstance(error, RefusedByBrokerError):
        return "refused"
    if isinstance(error, ssl.SSLEOFError):
        return "unreachable"  # a proxy without a broker behind it
    if isinstance(error, ssl.SSLError):
        text = str(error).lower()
        return "tls-expired" if "expired" in text else "tls"
    if isinstance(error, TimeoutError):
        return "timeout"
    return "dns" if isinstance(error, socket.gaierror) else "unreachable"
