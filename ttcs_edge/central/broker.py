"""The operator's client: MQTT 5 over TLS with the operator's certificate (design, section 4).

Its callbacks run on paho's thread, which dies for good of an exception; so they only put what came into a queue.
"""

from __future__ import annotations

import queue
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ttcs_edge.central.authority import OPERATOR
from ttcs_edge.central.centre import Centre
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.stations import BrokerAddress

TIMEOUT_S = 15.0
KEEPALIVE_S = 30
SESSION_S = 3_600
"""How long a broker keeps for a watcher what it could not deliver."""
IN_FLIGHT = 20
WAITING_MESSAGES = 10_000


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as it came."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class LinkTurned:
    """The connection came up or went down."""

    up: bool


class OperatorClient:
    """A connection to the broker that lasts as long as its ``with`` block."""

    def __init__(self, centre: Centre, address: BrokerAddress, subscriptions: tuple[str, ...] = ()) -> None:
        self.incoming: queue.Queue[Heard | LinkTurned] = queue.Queue(WAITING_MESSAGES)
        self._address = address
        self._subscriptions = subscriptions
        self._answers: queue.SimpleQueue[ReasonCode] = queue.SimpleQueue()
        self._settled: dict[int, ReasonCode] = {}
        self._changed = threading.Condition()
        # A session of its own, which outlives a broken connection: what stations tell meanwhile is not lost.
        self._client = Client(CallbackAPIVersion.VERSION2, f"ttcs-central-{token_hex(8)}", protocol=MQTTv5)
        self._client.max_inflight_messages_set(IN_FLIGHT)
        self._client.tls_set_context(_tls(centre))
        self._client.reconnect_delay_set(1, 10)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = lambda *_: self._put(LinkTurned(False))
        self._client.on_subscribe = lambda c, u, m, reasons, p: self._subscribed(reasons)
        self._client.on_message = self._on_message
        self._client.on_publish = self._on_publish

    @contextmanager
    def connected(self) -> Iterator[OperatorClient]:
        """Connect, and leave at the end. Raises CentralError ``broker-unreachable`` or ``broker-refused``."""
        try:
            session = _session(PacketTypes.CONNECT, SESSION_S if self._subscriptions else 0)
            code = self._client.connect(self._address.host, self._address.port, KEEPALIVE_S, properties=session)
        except (OSError, ValueError) as error:
            raise CentralError("broker-unreachable", broker=self._address, found=_reason(error)) from error
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise CentralError("broker-unreachable", broker=self._address, found=str(code))
        self._client.loop_start()
        try:
            self._expect_answer()
            if self._subscriptions:
                self._expect_answer()
            yield self
        finally:
            self._client.disconnect(properties=_session(PacketTypes.DISCONNECT, 0))
            self._client.loop_stop()

    def publish(self, topic: str, payload: bytes, expiry_s: int | None = None) -> None:
        """Put a retained message on the broker and wait until it has it. Raises CentralError."""
        self.publish_all([(topic, payload)], expiry_s)

    def publish_all(self, messages: list[tuple[str, bytes]], expiry_s: int | None = None) -> None:
        """Put several retained messages, a bounded number in flight, and wait until the broker has them all."""
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

    def _settle(self, mid: int) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: mid in self._settled, TIMEOUT_S):
                raise CentralError("broker-silent", seconds=int(TIMEOUT_S))
            reason = self._settled.pop(mid)
        if reason.is_failure:
            raise CentralError("broker-refused", found=str(reason))

    def _expect_answer(self) -> None:
        try:
            reason = self._answers.get(timeout=TIMEOUT_S)
        except queue.Empty:
            raise CentralError("broker-silent", seconds=int(TIMEOUT_S)) from None
        if reason.is_failure:
            raise CentralError("broker-refused", found=str(reason))

    def _put(self, what: Heard | LinkTurned) -> None:
        # Nobody reads when publishing; a watcher that fell 10,000 messages behind loses the newest, not its thread.
        if not self.incoming.full():
            self.incoming.put_nowait(what)

    def _on_connect(self, client: Client, userdata: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
        self._answers.put(reason)
        if not reason.is_failure:
            if self._subscriptions:
                client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in self._subscriptions])
            self._put(LinkTurned(True))

    def _subscribed(self, reasons: list[ReasonCode]) -> None:
        self._answers.put(next((one for one in reasons if one.is_failure), reasons[0]))

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        self._put(Heard(message.topic, bytes(message.payload), message.retain))

    def _on_publish(self, client: Client, userdata: Any, mid: int, reason: ReasonCode, properties: Any) -> None:
        with self._changed:
            self._settled[mid] = reason
            self._changed.notify_all()


def _session(packet: int, expiry_s: int) -> Properties:
    properties = Properties(packet)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = expiry_s
    return properties


def _tls(centre: Centre) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(centre.folder / "ca.pem"))
        context.load_cert_chain(centre.folder / f"{OPERATOR}.crt", centre.folder / f"{OPERATOR}.key")
    except OSError as error:
        raise CentralError("unreadable", file=centre.folder / f"{OPERATOR}.crt", found=_reason(error)) from error
    return context


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__)[:200]
