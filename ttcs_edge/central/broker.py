"""The operator's client: MQTT 5 over TLS with the operator's certificate (design, section 4).

Its callbacks run on paho's thread, which dies for good of an exception; so they only put what came into a queue.
"""

from __future__ import annotations

import queue
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex
from typing import Any

from msgspec import Struct
from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.authority import OPERATOR
from ttcs_edge.central.centre import Centre
from ttcs_edge.central.errors import CentralError
from ttcs_edge.link.reasons import reason_of

TIMEOUT_S = 15.0
RECONNECT_S = (1, 3)
"""Waits before the broker is tried again, least and most: a centre has few clients, and its stations wait for them."""
KEEPALIVE_S = 30
SESSION_S = 3_600
"""How long a broker keeps for a watcher what it could not deliver."""
IN_FLIGHT = 20
NOBODY_LISTENS = 0x10
"""*No matching subscribers* (MQTT 5, 3.4.2.1)."""
WAITING_MESSAGES = 10_000
UNACKNOWLEDGED = 1_000
"""How many messages the broker sends ahead of their acknowledgements."""


class Heard(Struct, frozen=True):
    """A message as it came. ``number`` is what ``acknowledge`` takes; 0 for one that wants no acknowledgement."""

    topic: str
    payload: bytes
    retained: bool
    correlation: bytes = b""
    number: int = 0


class LinkTurned(Struct, frozen=True):
    """The connection came up or went down."""

    up: bool


class Said:
    """What was sent at most once, and what became of it."""

    def __init__(self, info: MQTTMessageInfo) -> None:
        self._info = info
        self.begun_s = time.monotonic()

    def went(self, wait_s: float = 0.0) -> bool | None:
        """Tell whether it was given to the network; None while it waits for that, up to so many seconds."""
        try:
            if wait_s:
                self._info.wait_for_publish(wait_s)
            return True if self._info.is_published() else None
        except (ValueError, RuntimeError):  # there was no connection, or it broke first
            return False


class OperatorClient:
    """A connection to the broker that lasts as long as its ``with`` block.

    One that ``keeps`` what it hears acknowledges a message only when it is told to: until then the broker has it too.
    """

    def __init__(
        self,
        centre: Centre,
        address: BrokerAddress,
        subscriptions: tuple[str, ...] = (),
        *,
        keeps: bool = False,
        keepalive_s: int = KEEPALIVE_S,
    ) -> None:
        self.incoming: queue.Queue[Heard | LinkTurned] = queue.Queue(WAITING_MESSAGES)
        self._address = address
        self._subscriptions = subscriptions
        self._keepalive_s = keepalive_s
        self._connack: queue.Queue[ReasonCode | None] = queue.Queue(1)
        self._retains = True
        self._settled: dict[int, ReasonCode] = {}
        self._changed = threading.Condition()
        # A session of its own, which outlives a broken connection: what stations tell meanwhile is not lost.
        name = f"ttcs-central-{token_hex(8)}"
        self._client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTv5, manual_ack=keeps)
        self._client.connect_timeout = TIMEOUT_S
        self._client.max_inflight_messages_set(IN_FLIGHT)
        self._client.tls_set_context(_tls(centre))
        self._client.reconnect_delay_set(*RECONNECT_S)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_publish = lambda c, u, mid, reason, p: self._answered(mid, [reason])
        self._client.on_subscribe = lambda c, u, mid, reasons, p: self._answered(mid, reasons)
        self._client.on_unsubscribe = lambda c, u, mid, reasons, p: self._answered(mid, reasons)

    @contextmanager
    def connected(self) -> Iterator[OperatorClient]:
        """Connect, and leave at the end. Raises CentralError ``broker-...``, each with why."""
        try:
            session = _session(PacketTypes.CONNECT, SESSION_S if self._subscriptions else 0)
            session.ReceiveMaximum = UNACKNOWLEDGED  # what waits here is never more than its queue holds
            code = self._client.connect(self._address.host, self._address.port, self._keepalive_s, properties=session)
        except (OSError, ValueError) as error:
            fields = {"reason": reason_of(error), "found": _shown(error)}
            raise CentralError("broker-unreachable", broker=self._address, **fields) from error
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise CentralError("broker-closed", broker=self._address)
        self._client.loop_start()
        try:
            self._await_connack()
            if self._subscriptions:
                self._settle(self._subscribe(self._subscriptions))
            yield self
        finally:
            self._client.disconnect(properties=_session(PacketTypes.DISCONNECT, 0))
            self._client.loop_stop()

    def publish(self, topic: str, payload: bytes, expiry_s: int | None = None) -> None:
        """Put a retained message on the broker and wait until it has it. Raises CentralError."""
        self.publish_all([(topic, payload)], expiry_s)

    def publish_all(self, messages: list[tuple[str, bytes]], expiry_s: int | None = None) -> None:
        """Put several retained messages, a bounded number in flight, and wait until the broker has them all."""
        if not self._retains:
            raise CentralError("broker-keeps-nothing", broker=self._address)
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if expiry_s is not None:
            properties.MessageExpiryInterval = min(expiry_s, 2**32 - 1)
        for begin in range(0, len(messages), IN_FLIGHT):
            chunk = messages[begin : begin + IN_FLIGHT]
            sent = [
                self._client.publish(topic, payload, qos=1, retain=True, properties=properties).mid
                for topic, payload in chunk
            ]
            for mid in sent:
                self._settle(mid)

    def order(self, topic: str, payload: bytes, expiry_s: int, reply: str, correlation: bytes) -> bool:
        """Send a request that is not kept, and tell whether anybody listens to it, as far as the broker says.

        Raises CentralError.
        """
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.MessageExpiryInterval = expiry_s
        properties.ResponseTopic = reply
        properties.CorrelationData = correlation
        sent = self._client.publish(topic, payload, qos=1, properties=properties)
        return self._settle(sent.mid).value != NOBODY_LISTENS

    def tell(self, topic: str, payload: bytes) -> None:
        """Send what is not kept, and wait until the broker has it. Raises CentralError."""
        self._settle(self._client.publish(topic, payload, qos=1).mid)

    def say(self, topic: str, payload: bytes) -> Said:
        """Send what is worth nothing later, at most once."""
        return Said(self._client.publish(topic, payload, qos=0))

    def standing(self, topic: str) -> bytes | None:
        """Give what stands retained on a topic, for a client that listens to nothing else; None when nothing does.

        A broker sends what is retained before it answers to the unsubscribing behind it. Raises CentralError.
        """
        while not self.incoming.empty():
            self.incoming.get_nowait()
        self._settle(self._subscribe((topic,)))
        unsubscribing = self._client.unsubscribe(topic)[1]
        assert unsubscribing is not None
        self._settle(unsubscribing)
        found = None
        while not self.incoming.empty():
            message = self.incoming.get_nowait()
            if isinstance(message, Heard) and message.topic == topic:
                found = message.payload
        return found

    def await_retained(self, unused: str) -> None:
        """Wait until what stood retained has come, on a topic that nobody uses: a broker answers in order.

        Raises CentralError.
        """
        self._settle(self._subscribe((unused,)))
        mid = self._client.unsubscribe(unused)[1]
        assert mid is not None
        self._settle(mid)

    def listen_no_more(self) -> None:
        """Have the broker take nothing new for this client; what it took is still to come. Raises CentralError."""
        mid = self._client.unsubscribe(list(self._subscriptions))[1]
        assert mid is not None
        self._settle(mid)

    def acknowledge(self, heard: Heard) -> None:
        """Tell the broker that a message is kept here; for a client that keeps what it hears."""
        if heard.number:
            self._client.ack(heard.number, 1)

    def _subscribe(self, topics: tuple[str, ...]) -> int:
        mid = self._client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in topics])[1]
        assert mid is not None
        return mid

    def _settle(self, mid: int) -> ReasonCode:
        with self._changed:
            if not self._changed.wait_for(lambda: mid in self._settled, TIMEOUT_S):
                raise CentralError("broker-silent", broker=self._address, seconds=int(TIMEOUT_S))
            reason = self._settled.pop(mid)
        if reason.is_failure:
            raise CentralError("broker-refused", broker=self._address, found=str(reason))
        return reason

    def _await_connack(self) -> None:
        try:
            reason = self._connack.get(timeout=TIMEOUT_S)
        except queue.Empty:
            raise CentralError("broker-silent", broker=self._address, seconds=int(TIMEOUT_S)) from None
        if reason is None:
            raise CentralError("broker-closed", broker=self._address)
        if reason.is_failure:
            raise CentralError("broker-refused", broker=self._address, found=str(reason))

    def _put(self, what: Heard | LinkTurned) -> None:
        # Nobody reads when publishing; a watcher that fell 10,000 messages behind loses the newest, not its thread.
        if not self.incoming.full():
            self.incoming.put_nowait(what)

    def _first(self, answer: ReasonCode | None) -> bool:
        """Keep the first answer to CONNECT, or that the broker closed without one; tell whether this was it."""
        try:
            self._connack.put_nowait(answer)
        except queue.Full:
            return False
        return True

    def _on_connect(self, client: Client, userdata: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        self._retains = getattr(properties, "RetainAvailable", 1) != 0
        if self._first(reason) or reason.is_failure:
            return
        self._put(LinkTurned(True))
        if self._subscriptions:  # made anew: what is retained comes again, whatever was missed
            self._subscribe(self._subscriptions)

    def _on_disconnect(self, client: Client, userdata: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        self._first(None)
        self._put(LinkTurned(False))

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        correlation: bytes = getattr(message.properties, "CorrelationData", b"")
        number = message.mid if message.qos else 0
        self._put(Heard(message.topic, bytes(message.payload), message.retain, correlation, number))

    def _answered(self, mid: int, reasons: list[ReasonCode]) -> None:
        with self._changed:
            self._settled[mid] = next((one for one in reasons if one.is_failure), reasons[0])
            self._changed.notify_all()


def _session(packet: int, expiry_s: int) -> Properties:
    properties = Properties(packet)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = expiry_s
    return properties


def _tls(centre: Centre) -> ssl.SSLContext:
    certificate = centre.folder / f"{OPERATOR}.crt"
    try:
        context = ssl.create_default_context(cafile=str(centre.folder / "ca.pem"))
        context.load_cert_chain(certificate, centre.folder / f"{OPERATOR}.key", password=_no_password)
    except (OSError, ValueError) as error:
        raise CentralError("unreadable", file=certificate, found=_shown(error)) from error
    return context


def _no_password() -> str:
    """Answer for a key behind a password: a command that runs by night has nobody to ask."""
    return ""


def _shown(error: Exception) -> str:
    told = getattr(error, "verify_message", None) or getattr(error, "strerror", None) or str(error)
    return (told or type(error).__name__)[:200]
