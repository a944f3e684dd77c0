"""The connection to the broker: MQTT 5 over TLS with the station's certificate (design, section 4).

- One thread owns the connection, from the look-up of the name to the closed socket: paho's callbacks run on it, one
  connection ends before the next begins, and what goes wrong in paho or in a callback ends the connection, never the
  thread. Other threads only leave packets with paho for it to send.
- It tries for ever, after a wait that depends on what the last attempt cost (``backoff``).
- A message is acknowledged by hand, once the core has said that what it changes is on disk; one that was not is sent
  again by the broker after the next connect. An acknowledgement belongs to the connection that brought the message.
  Acknowledgements are sent as they are ready, not in the order of the messages: a document that waits for a failing
  card must not hold up the next one.
- Documents come in as ``inbox`` says; reports leave the outbox as ``reports`` says. Audio has a connection of its own
  (``audio``).
"""

from __future__ import annotations

import queue
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTMessageInfo, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, LogLevel, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ttcs_edge.core.events import ConditionChanged, Event, LinkChanged
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import MonoMs, Scope
from ttcs_edge.core.trust import alert_subject
from ttcs_edge.link.backoff import RETRY, SOON
from ttcs_edge.link.client import ANSWER_TIMEOUT_S, OwnFilesError, client_id, equip, let_go
from ttcs_edge.link.inbox import Inbox, Kind, Message, Readers
from ttcs_edge.link.precedence import Precedence
from ttcs_edge.link.reasons import reason_of
from ttcs_edge.link.reports import Answer, OutboxSource, Reports
from ttcs_edge.settings import BrokerSettings
from ttcs_edge.wire.topics import RENEWAL, Topics

UNSENT_TIMEOUT_S = 30.0
"""How long the network may fail to take what was sent before the connection is given up: a modem that came back with
another address never says that the old connection is dead."""
DISCONNECT_S = 0.5
"""How long DISCONNECT may take to go out when the farewell came through at the last moment, and how long the broker is
heard out behind it."""
HEAR_OUT_BYTES = 65_536
"""How much of that at a time."""
LAST_REPORTS_S = 0.5
"""How long a station that leaves may take to send what it was the last to write: how its cue ended."""
LOOP_S = 1.0
"""How often the network's thread looks up while a connection comes up; what arrives, or is to be sent, wakes it."""
LOOPS_PER_KEEPALIVE = 12
"""How often it looks up later: often enough to see that the broker has to be asked whether it is still there."""
ANSWER_GONE_S = 2.0
"""How long a station that is about to leave waits for the broker to take its answer."""
SHORT_LIFE_S = 15.0
SHORT_LIVES = 3
"""So many connections in a row, closed by the broker within so long of coming up, are another client's doing."""
OUTBOX_RETRY_S = 5.0
"""After the card failed under the outbox."""
PACKET_BYTES = 2 * LIMITS.envelope_bytes
"""What the broker may send at once: enough for a document that is a little too large to be refused with its reason."""

_DISCONNECTS = {0x8E: "session-taken-over", 0x87: "refused", 0x89: "refused", 0x97: "refused", 0x98: "refused"}
"""Why a broker says that it closes a connection (MQTT 5, 3.14.2.1); any other reason is ``lost``."""
_KEEP_ALIVE_TIMEOUT = 0x8D

NO_DELIVERY = 0
"""Of what no broker brought: there is nothing to be acknowledged."""

_log = structlog.get_logger()
_Work = tuple[Callable[[], bytes], bytes, Callable[[], None] | None]
"""What makes an answer, its correlation data, and whom to tell that it is gone."""


class BrokerLink:
    """One station's connection. It never blocks its caller on the network; ``start`` returns at once."""

    def __init__(
        self,
        settings: BrokerSettings,
        station: str,
        scope: Scope,
        status: Callable[[str], bytes],
        outbox: OutboxSource,
        readers: Readers,
        post: Callable[[Event], None],
        draw: Callable[[], float] = random.random,
        precedence: Precedence | None = None,
    ) -> None:
        """``precedence`` is that of the alerts that come here."""
        self._settings = settings
        self._topics = Topics(settings.topic_root)
        self._station = station
        self._scope = scope
        self._status = status
        self._precedence = precedence or Precedence()
        give_way = self._precedence.give_way
        self._reports = Reports(outbox, self._topics.station(station, "event"), self._report_refused, give_way=give_way)
        self._post = post
        self._inbox = Inbox(self._topics, station, scope, readers, post)
        self._draw = draw
        # Between threads.
        self._closing = threading.Event()
        self._leaves = threading.Event()
        self._last_reported = threading.Event()
        self._leave_by_mono_s = float("inf")
        self._farewell_heard = False
        self._wake = threading.Event()
        self._hurries = threading.Event()
        self._heartbeat: Callable[[], bytes] | None = None
        self._request: Callable[[], bytes] | None = None
        self._work: queue.Queue[_Work] = queue.Queue(LIMITS.answers_waiting)
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._up: Client | None = None
        self._largest_bytes: int | None = None
        self._deliveries: dict[int, tuple[Client, int]] = {}
        # The network's thread alone.
        self._delivery = 0
        self._up_mono_s: float | None = None
        self._short_lives = 0
        self._greeting = 0
        self._error: str | None = None
        self._reason: tuple[str, tuple[tuple[str, str], ...]] | None = None
        self._told_reason: str | None = None
        self._told_mistake: str | None = None
        self._network = threading.Thread(target=self._connect_for_ever, name="link-network", daemon=True)

    def start(self) -> None:
        """Begin to connect, and go on for ever."""
        for name, target in (*self._inbox.runs, ("link-report", self._report)):
            threading.Thread(target=target, name=name, daemon=True).start()
        self._network.start()

    def wake(self) -> None:
        """There is something new in the outbox."""
        self._wake.set()

    def hurry(self) -> None:
        """There is something new in the outbox for which somebody waits."""
        self._hurries.set()
        self._wake.set()

    def acknowledge(self, delivery: int) -> None:
        """Tell the broker that a message is dealt with, if the connection that brought it still stands."""
        with self._lock:
            client, mid = self._deliveries.pop(delivery, (None, 0))
        if client is not None:
            client.ack(mid, 1)

    def hear_all_again(self) -> None:
        """Have the broker send once more all that is retained."""
        if (client := self.live()) is not None:
            self._subscribe(client)

    def hear_again(self, kind: str, scope: Scope) -> None:
        """Have the broker send once more what is retained of a kind and a scope."""
        client, topics = self.live(), self._topics
        of_kind = {
            "trust": topics.trust(scope),
            "programme": topics.programme(scope),
            "alert": topics.alert(scope, "+"),
        }
        if client is not None:
            client.subscribe(of_kind[kind], qos=1)

    def take_alert(self, scope: Scope, event: str, read: Callable[[], bytes]) -> None:
        """Take in an alert that came another way; ``read`` gives its envelope, on a thread that may wait for the card.

        When more wait than is bearable it is let go: the next beacon names it again.
        """
        subject, came_mono_ms = alert_subject(scope, event), MonoMs(time.monotonic_ns() // 1_000_000)
        with suppress(queue.Full):
            self._inbox.put(Message("alert", subject, read, NO_DELIVERY, True, False, b"", came_mono_ms))

    def _subscribe(self, client: Client) -> None:
        client.subscribe(list(self._topics.subscriptions(self._station, self._scope)))

    def publish_heartbeat(self, make: Callable[[], bytes]) -> None:
        """Have a heartbeat made and sent, soon, on a thread that may read the outbox.

        Only the newest waits, and without a connection it is dropped: an old one is worth nothing.
        """
        with self._lock:
            self._heartbeat = make
        self._wake.set()

    def publish_request(self, make: Callable[[], bytes]) -> None:
        """Have a request for a certificate made, soon, on a thread that may read files, and left standing at the broker
        until it is answered; no bytes take it away. Without a connection it is dropped: the core asks again.
        """
        with self._lock:
            self._request = make
        self._wake.set()

    def answer(self, work: Callable[[], bytes], correlation: bytes, gone: Callable[[], None] | None = None) -> None:
        """Have a command's work done and its answer sent, soon, on a thread that may wait for the card.

        The answer goes to the station's own topic, whatever its sender asked for: nobody signed that. Without a
        connection the work is done and nobody is told. More than ``LIMITS.answers_waiting`` at once are let go.
        ``gone`` is called once the broker has the answer, or it is known that it will not in time.
        """
        try:
            self._work.put_nowait((work, correlation, gone))
        except queue.Full:
            _log.error("command-let-go", error="answers_waiting")
        self._wake.set()

    def close(self, timeout_s: float) -> None:
        """Say that the station was stopped, and leave."""
        self._leave_by_mono_s = time.monotonic() + timeout_s
        if self._network.ident is not None:
            self._leaves.set()
            self._wake.set()
            self._last_reported.wait(min(timeout_s, LAST_REPORTS_S))
        self._closing.set()
        self._wake.set()
        self._inbox.close()
        client = self.live()
        if client is not None:
            topic = self._topics.station(self._station, "status")
            farewell = client.publish(topic, self._status("stopped"), qos=1, retain=True)
            with suppress(RuntimeError, ValueError):
                farewell.wait_for_publish(max(0.0, self._leave_by_mono_s - time.monotonic()))
                # A broker that hears no farewell must not hear DISCONNECT either: its will tells that we are gone.
                if farewell.is_published():
                    # One that heard it must hear DISCONNECT too, or the will would be told behind it.
                    self._leave_by_mono_s = max(self._leave_by_mono_s, time.monotonic() + DISCONNECT_S)
                    self._farewell_heard = True
                    client.disconnect()
        if self._network.ident is not None:  # a station may be stopped before it has begun to connect
            self._network.join(max(0.0, self._leave_by_mono_s - time.monotonic()))

    def up(self) -> bool:
        """Tell whether there is a connection."""
        return self.live() is not None

    def largest_bytes(self) -> int | None:
        """The largest packet that the broker takes, if it says so."""
        with self._lock:
            return self._largest_bytes

    def live(self) -> Client | None:
        """The client, while connected. paho is never called under our own lock: it calls back under its."""
        with self._lock:
            return self._up

    # the connection

    def _connect_for_ever(self) -> None:
        tries, before = 0, SOON
        while not self._closing.is_set():
            self._reason, self._error, self._up_mono_s = None, None, None
            try:
                self._connect()
            except Exception as error:  # this thread must go on, whatever paho or a callback did
                self._tell_mistake(error)
            reason = self._went_down()
            backoff = RETRY[reason]
            short = self._lived_s() < SHORT_LIFE_S
            tries = tries + 1 if short and backoff is before else 0
            before = backoff
            self._told_mistake = self._told_mistake if short else None
            self._closing.wait(backoff.wait_s(tries, self._draw()))

    def _connect(self) -> None:
        """Live through one connection, from the first packet to its end."""
        client: Client | None = None
        try:
            client = self._make_client()
            client.connect(
                self._settings.host,
                self._settings.port,
                self._settings.keepalive_s,
                clean_start=False,
                properties=self._connect_properties(),
            )
        except OwnFilesError as error:
            self._reason = ("own-files", (("error", str(error)),))
        except (OSError, ValueError) as error:
            self._reason = (reason_of(error), (("error", str(error)),))
        else:
            self._serve(client)
        finally:
            if client is not None:
                let_go(client)

    def _serve(self, client: Client) -> None:
        answer_by_mono_s = time.monotonic() + ANSWER_TIMEOUT_S
        resting_s = max(LOOP_S, self._settings.keepalive_s / LOOPS_PER_KEEPALIVE)
        while client.loop(self._look_up_s(resting_s)) == MQTTErrorCode.MQTT_ERR_SUCCESS and self._reason is None:
            now_s = time.monotonic()
            if self._up_mono_s is None and now_s > answer_by_mono_s:
                self._reason = ("timeout", (("error", "no answer"),))
            if self._closing.is_set() and (self._up_mono_s is None or now_s > self._leave_by_mono_s):
                return

    def _look_up_s(self, resting_s: float) -> float:
        return LOOP_S if self._up_mono_s is None or self._closing.is_set() else resting_s

    def _lived_s(self) -> float:
        return 0.0 if self._up_mono_s is None else time.monotonic() - self._up_mono_s

    def _went_down(self) -> str:
        with self._lock:
            self._up = None
            self._deliveries.clear()
        self._suspect_a_double()
        reason, detail = self._reason or ("lost", ())
        if reason != self._told_reason and not self._closing.is_set():
            self._told_reason = reason
            self._post(LinkChanged(False, reason, detail))
        return reason

    def _suspect_a_double(self) -> None:
        """Not every broker says why it closes a connection: one closed in good order again and again was taken over."""
        closed = self._up_mono_s is not None and self._error is None and self._reason is None
        self._short_lives = self._short_lives + 1 if closed and self._lived_s() < SHORT_LIFE_S else 0
        if self._short_lives >= SHORT_LIVES:
            self._reason = ("session-taken-over", (("connections", str(self._short_lives)),))

    def _tell_mistake(self, error: Exception) -> None:
        text = repr(error)
        self._reason = ("lost", (("error", text),))
        if text == self._told_mistake:
            return  # it will happen on every connection, and the log must not grow with each
        self._told_mistake = text
        _log.error("link-failed", exc_info=error)
        self._post(ConditionChanged("link-callback", "link", True, (("error", text),)))

    def _connect_properties(self) -> Properties:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = self._settings.session_expiry_s
        properties.ReceiveMaximum = LIMITS.outbox_in_flight
        properties.MaximumPacketSize = PACKET_BYTES
        return properties

    def _make_client(self) -> Client:
        settings = self._settings
        name = client_id(self._station, settings)
        client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTv5, manual_ack=True)
        equip(client, settings)
        client.max_inflight_messages_set(LIMITS.outbox_in_flight)
        client.will_set(self._topics.station(self._station, "status"), self._status("offline"), qos=1, retain=True)
        client.on_log = self._on_log
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_socket_open = _tell_more
        client.on_socket_close = self._on_socket_close
        return client

    # paho's callbacks, all on the network's thread

    def _on_log(self, client: Client, userdata: Any, level: int, text: str) -> None:
        # The only place where paho tells which error ended a connection.
        if level == LogLevel.MQTT_LOG_ERR and self._error is None:
            self._error = text

    def _on_connect(
        self, client: Client, userdata: Any, flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        if code.is_failure:
            self._reason = ("refused", (("error", str(code)),))
            return
        self._largest_bytes = getattr(properties, "MaximumPacketSize", None)
        # The subscriptions are made each time: it costs nothing, and brings what is retained, whatever was missed.
        self._subscribe(client)
        topic = self._topics.station(self._station, "status")
        self._greeting = client.publish(topic, self._status("online"), qos=1, retain=True).mid

    def _on_subscribe(
        self, client: Client, userdata: Any, mid: int, codes: list[ReasonCode], properties: Properties | None
    ) -> None:
        if self._up_mono_s is None:
            self._came_up(client)
        if refused := sorted({str(code) for code in codes if code.is_failure}):
            self._post(ConditionChanged("subscription-refused", "broker", True, (("error", ", ".join(refused)),)))

    def _came_up(self, client: Client) -> None:
        """The subscriptions stand: from now on nothing that is published is missed."""
        self._up_mono_s = time.monotonic()
        with self._lock:
            self._up = client
        self._told_reason = None
        self._post(LinkChanged(True, "connected"))
        self._wake.set()

    def _on_disconnect(
        self, client: Client, userdata: Any, flags: DisconnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        if self._reason is not None:
            return  # paho tells of the closed socket behind the broker's own reason
        if flags.is_disconnect_packet_from_server:
            self._reason = (_DISCONNECTS.get(code.value, "lost"), (("error", str(code)),))
        elif self._up_mono_s is None:
            self._reason = (_what_ended(self._error), (("error", self._error or "closed"),))
        elif self._error is not None or code.value == _KEEP_ALIVE_TIMEOUT:
            self._reason = ("lost", (("error", self._error or str(code)),))

    def _on_socket_close(self, client: Client, userdata: Any, connection: Any) -> None:
        """Hear the broker out behind DISCONNECT: an answer that found the socket closed would reset the connection, and
        a broker that is reset before it reads DISCONNECT tells the will behind the farewell (RFC 9293, 3.6.1).
        """
        if not self._farewell_heard:
            self._hear_verdict(connection)
            return
        leave_by_mono_s = min(self._leave_by_mono_s, time.monotonic() + DISCONNECT_S)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
            while (left_s := leave_by_mono_s - time.monotonic()) > 0:
                connection.settimeout(left_s)
                if not connection.recv(HEAR_OUT_BYTES):
                    return

    def _hear_verdict(self, connection: Any) -> None:
        """Hear why a connection did not come up: with TLS 1.3 the broker's verdict on our certificate comes behind the
        handshake, and what we wrote meanwhile fails before it is read.
        """
        if self._up_mono_s is not None:
            return
        try:
            connection.settimeout(0)
            connection.recv(1)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self._error = str(error)
        except OSError:
            pass

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        _answer_at_once(client)
        try:
            kept = self._receive(client, message)
        except Exception as error:  # it must not come again and again
            _log.error("message-not-read", exc_info=error)
            kept = False
        if not kept:
            client.ack(message.mid, message.qos)

    def _receive(self, client: Client, message: MQTTMessage) -> bool:
        """Take a message in; True when it must not be acknowledged yet."""
        if not message.payload:  # what stood there was deleted (MQTT 5, 3.3.1.3): nothing is said
            return False
        found = self._inbox.kind(message.topic)
        if found is not None:
            if found[0] == "alert":
                self._precedence.claim()
            self._keep(client, *found, message)
            return True
        # The session may remember what an earlier life, or another scope, subscribed to.
        client.unsubscribe(message.topic)
        return False

    def _keep(self, client: Client, kind: Kind, subject: str, message: MQTTMessage) -> None:
        correlation: bytes = getattr(message.properties, "CorrelationData", b"")
        with self._lock:
            self._delivery += 1
            delivery = self._delivery
            if message.qos == 1:
                self._deliveries[delivery] = (client, message.mid)
        try:
            self._inbox.put(
                Message(
                    kind,
                    subject,
                    payload=bytes(message.payload),
                    delivery=delivery,
                    retained=message.retain,
                    again=message.dup,
                    # Nobody signed it: what no centre of ours would send is not carried on.
                    correlation=correlation if len(correlation) <= LIMITS.correlation_bytes else b"",
                    came_mono_ms=MonoMs(time.monotonic_ns() // 1_000_000),
                )
            )
        except queue.Full:
            if message.qos == 1:  # more at once than was agreed; on the next connection it is sent again
                self._reason = ("lost", (("error", "more messages than the receive maximum"),))

    def _on_publish(
        self, client: Client, userdata: Any, mid: int, code: ReasonCode, properties: Properties | None
    ) -> None:
        _answer_at_once(client)
        if mid == self._greeting and code.is_failure:  # the broker does not know the station, or not any more
            self._report_refused("status", str(code))
        self._answers.put((client, mid, code))
        self._wake.set()

    # reports

    def _report(self) -> None:
        failing = False
        while not self._closing.is_set():
            self._wake.wait(self._reports.wait_s(self._up))
            self._wake.clear()
            leaves = self._leaves.is_set()
            try:
                self._send_what_waits()
                failing = False
            except Exception:  # a failing card: the rows stay, and are tried again
                if not failing:  # once, or the log would grow for as long as the card fails
                    _log.exception("reports-not-sent")
                failing = True
                self._closing.wait(OUTBOX_RETRY_S)
                self._wake.set()
            if leaves:
                self._last_reported.set()
        with suppress(Exception):  # what is not marked is told again by the next life
            self._reports.settle(self._answers)
            self._reports.flush()

    def _send_what_waits(self) -> None:
        with self._lock:
            client, make, request = self._up, self._heartbeat, self._request
            self._heartbeat = self._request = None
        if make is not None and client is not None:
            self._send_heartbeat(client, make)
        if request is not None and client is not None:
            self._send_request(client, request)
        self._reports.settle(self._answers)
        while not self._work.empty():
            self._do(client, *self._work.get())
        if self._hurries.is_set():
            self._hurries.clear()
            self._reports.hurry()
        if client is not None:
            self._reports.send(client, self._largest_bytes)

    def _do(
        self, client: Client | None, work: Callable[[], bytes], correlation: bytes, gone: Callable[[], None] | None
    ) -> None:
        try:
            answer = self._reports.run(work)
        except Exception:  # reports and the next command must not wait for it
            _log.exception("command-failed")
            return
        sent = None if client is None else self._send_answer(client, answer, correlation)
        if gone is not None:
            if sent is not None:
                with suppress(RuntimeError, ValueError):  # not connected, or its queue is full
                    sent.wait_for_publish(ANSWER_GONE_S)
            gone()

    def _send_answer(self, client: Client, answer: bytes, correlation: bytes) -> MQTTMessageInfo:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if correlation:
            properties.CorrelationData = correlation
        return client.publish(self._topics.station(self._station, "reply"), answer, qos=1, properties=properties)

    def _send_heartbeat(self, client: Client, make: Callable[[], bytes]) -> None:
        try:
            client.publish(self._topics.station(self._station, "heartbeat"), make(), qos=0)
        except Exception:  # reports must not wait for it
            _log.exception("heartbeat-not-made")

    def _send_request(self, client: Client, make: Callable[[], bytes]) -> None:
        try:
            client.publish(self._topics.station(self._station, RENEWAL), make(), qos=1, retain=True)
        except Exception:  # reports must not wait for it
            _log.exception("request-not-made")

    def _report_refused(self, report: str, error: str) -> None:
        detail = (("error", error), ("report", report))
        self._post(ConditionChanged("report-refused", "broker", True, detail))


def _tell_more(client: Client, userdata: Any, connection: Any) -> None:
    """Have the network tell what it would keep to itself, and send what is small at once."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(UNSENT_TIMEOUT_S * 1_000))
    # A broker that closes a connection says so in TLS; a link that breaks does not.
    connection.suppress_ragged_eofs = False


def _answer_at_once(client: Client) -> None:
    """Let the broker's machine know that its bytes came.

    Where it sends by Nagle's rule, as Mosquitto does unless told otherwise, what it has to say next waits for that: an
    alert behind the acknowledgement of a report waits up to 40 ms (RFC 1122, 4.2.3.2, 4.2.3.4; tcp(7), TCP_QUICKACK).
    """
    connection: Any = client.socket()
    if connection is not None:
        with suppress(OSError):  # it has just ended
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _what_ended(error: str | None) -> str:
    """Name what ended a connection that was coming up, by the error that paho only logs."""
    if error is not None and "[SSL:" in error and "EOF" not in error:
        # With TLS 1.3 the broker's verdict on our certificate comes after the handshake.
        return reason_of(ssl.SSLError(0, error))
    return "refused"
