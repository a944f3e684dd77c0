"""The connection on which audio comes from the broker: one of its own, so that no alert waits behind a download.

- It is made when a file is asked for, and closed when none was for a while. It has no session and no will: what it
  does not bring is asked for again. One thread owns it; what goes wrong on it is told to who waits for the file, and
  the next file tries again, so the fetcher's own waits are those between two tries.
- It holds what is under way to what the line carries (``window``).
- A file that is left while some of it is under way ends the connection: on a weak line, what nobody wants any more
  would stand for minutes before what is more urgent.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ttcs_edge.core.limits import LIMITS
from ttcs_edge.link.chunks import CHUNKS_AHEAD, Chunks
from ttcs_edge.link.client import ANSWER_TIMEOUT_S, CONNECT_TIMEOUT_S, OwnFilesError, client_id, equip, let_go
from ttcs_edge.link.reasons import reason_of
from ttcs_edge.link.window import Window, hold_back
from ttcs_edge.settings import BrokerSettings
from ttcs_edge.wire.topics import Topics

IDLE_S = 30.0
LOOK_UP_S = 0.25
PACKET_BYTES = 2 * LIMITS.blob_chunk_bytes
"""What the broker may send at once: enough for a chunk that is a little too large to be refused with its size."""
CLIENT_SUFFIX = "/audio"
"""No station's id has a slash."""

_log = structlog.get_logger()


class _HeldBack(Client):
    """paho's client, whose connection is held back from its first packet on: what paho has for that is its own."""

    def _create_socket_connection(self) -> socket.socket:
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        failure: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
        for family, kind, protocol, _, address in found:
            connection = socket.socket(family, kind, protocol)
            hold_back(connection)
            connection.settimeout(CONNECT_TIMEOUT_S)
            try:
                connection.connect(address)
            except OSError as error:
                connection.close()
                failure = error
            else:
                return connection
        raise failure


class AudioLink:
    """Chunks of audio, one file at a time. It never blocks its caller on the network, but for the time that is given.

    ``linked`` tells whether the broker can be reached at all: without that, nothing is tried. ``give_way`` is called
    before each chunk is dealt with.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        station: str,
        linked: Callable[[], bool],
        give_way: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._station = station
        self._linked = linked
        self._give_way = give_way
        self._topics = Topics(settings.topic_root)
        self._chunks = Chunks(self._topics.blob, self._live)
        self._changed = threading.Condition()
        self._file: str | None = None
        self._leaves = 0
        self._closing = False
        self._up: Client | None = None
        self._window: Window | None = None
        self._trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name="link-audio", daemon=True)
        self._thread.start()

    # for the fetcher's thread

    def ask_for(self, sha256: str, count: int) -> None:
        """Begin with the chunks of a file, of which there are so many."""
        self._chunks.ask_for(sha256, count)
        with self._changed:
            self._file, self._trouble = sha256, None
            self._changed.notify_all()

    def take(self, sha256: str, number: int, timeout_s: float) -> bytes | None:
        """Give one chunk; None when it does not come in time."""
        self._give_way()
        return self._chunks.take(sha256, number, timeout_s)

    def leave(self, sha256: str) -> None:
        """Have no more chunks sent."""
        under_way = self._chunks.leave(sha256)
        with self._changed:
            self._file = None
            self._leaves += under_way

    def trouble(self) -> str | None:
        """Why nothing will come of the file that was asked for; None while something may."""
        with self._changed:
            return self._trouble if self._linked() else "not connected"

    def silent_s(self) -> float:
        """How long nothing has come from the broker; endless without a connection."""
        with self._changed:
            window = self._window
        with suppress(OSError):  # it has just ended
            return float("inf") if window is None else window.silent_s()
        return float("inf")

    def close(self, timeout_s: float) -> None:
        """Leave."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout_s)

    # the connection, on its own thread

    def _live(self) -> Client | None:
        with self._changed:
            return self._up

    def _run(self) -> None:
        while self._is_asked():
            try:
                trouble = self._connect()
            except Exception as error:  # this thread must go on, whatever paho or a callback did
                _log.exception("audio-link-failed")
                trouble = repr(error)
            with self._changed:
                self._up = self._window = None
                self._trouble = trouble

    def _is_asked(self) -> bool:
        """Wait until a file is asked for that was not tried; False at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or (self._file is not None and self._trouble is None))
            return not self._closing

    def _connect(self) -> str | None:
        """Live through one connection; gives what was wrong with it, None when it was not needed any more."""
        try:
            client = self._make_client()
            client.connect(
                self._settings.host,
                self._settings.port,
                self._settings.keepalive_s,
                clean_start=True,
                properties=_connect_properties(),
            )
        except OwnFilesError as error:
            return str(error)
        except (OSError, ValueError) as error:
            return f"{reason_of(error)}: {error}"
        try:
            return self._serve(client)
        finally:
            let_go(client)

    def _make_client(self) -> Client:
        name = f"{client_id(self._station, self._settings)}{CLIENT_SUFFIX}"
        client = _HeldBack(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTv5)
        equip(client, self._settings)
        client.on_socket_open = self._on_socket_open
        client.on_connect = self._on_connect
        client.on_message = self._on_message
        return client

    def _serve(self, client: Client) -> str | None:
        idle_since_s = time.monotonic()
        answer_by_s = idle_since_s + ANSWER_TIMEOUT_S
        leaves = self._leaves
        while client.loop(LOOK_UP_S) == MQTTErrorCode.MQTT_ERR_SUCCESS and self._trouble is None:
            now_s = time.monotonic()
            with self._changed:
                idle_since_s = now_s if self._file is not None else idle_since_s
                if self._closing or self._leaves != leaves or now_s > idle_since_s + IDLE_S:
                    return None
                if self._up is None and now_s > answer_by_s:
                    return "timeout: no answer"
                if self._window is not None:
                    self._window.look()
        return self._trouble or "lost"

    # paho's callbacks, all on the connection's thread

    def _on_socket_open(self, client: Client, userdata: Any, connection: Any) -> None:
        window = Window(connection)
        with self._changed:
            self._window = window

    def _on_connect(
        self, client: Client, userdata: Any, flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        with self._changed:
            if code.is_failure:
                self._trouble = f"refused: {code}"
                return
            self._up = client
        if topics := self._chunks.topics():
            client.subscribe(topics)

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        self._give_way()
        chunk = self._topics.blob_chunk(message.topic)
        if chunk is not None:  # one that nobody waits for any more passes by
            self._chunks.put(*chunk, bytes(message.payload))


def _connect_properties() -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.ReceiveMaximum = CHUNKS_AHEAD
    properties.MaximumPacketSize = PACKET_BYTES
    return properties
