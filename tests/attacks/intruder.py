"""A client at a broker that keeps what it hears, what it is answered, and how its connection ends."""

from __future__ import annotations

from typing import Any, Self

from paho.mqtt.client import Client
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.parts import eventually


class AnyIntruder:
    """Whoever he says he is: that is the client's, which is given, and connects at once.

    ``connected`` is what the broker said to each connection, ``sessions`` whether it had a session under the name.
    """

    def __init__(self, client: Client, host: str, port: int, *, clean: bool = False) -> None:
        self.client = client
        self.heard: list[tuple[str, bytes]] = []
        self.answers: dict[int, int] = {}
        self.connected: list[int] = []
        self.sessions: list[bool] = []
        self.ends: list[str] = []
        self.granted: list[int] = []
        client.on_connect = self._on_connect
        client.on_disconnect = lambda c, u, flags, reason, p: self.ends.append(str(reason))
        client.on_message = lambda c, u, message: self.heard.append((message.topic, bytes(message.payload)))
        client.on_publish = lambda c, u, mid, reason, p: self.answers.update({mid: reason.value})
        client.on_subscribe = lambda c, u, mid, reasons, p: self.granted.extend(one.value for one in reasons)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 600
        client.connect(host, port, clean_start=clean, properties=properties)
        client.loop_start()
        eventually(lambda: self.connected or self.ends)

    def _on_connect(self, client: Client, userdata: Any, flags: Any, reason: Any, properties: Any) -> None:
        self.sessions.append(flags.session_present)
        self.connected.append(reason.value)

    def listen(self, *filters: str) -> Self:
        """Subscribe to all of them."""
        self.client.subscribe([(one, 1) for one in filters])
        eventually(lambda: len(self.granted) == len(filters))
        return self

    def say(self, topic: str, payload: bytes = b"forged", **how: Any) -> int | None:
        """Publish, and give the broker's answer; None when the connection ends."""
        sent = self.client.publish(topic, payload, qos=1, **how)
        eventually(lambda: sent.mid in self.answers or self.ends)
        return self.answers.get(sent.mid)

    def close(self) -> None:
        """Leave."""
        self.client.disconnect()
        self.client.loop_stop()
