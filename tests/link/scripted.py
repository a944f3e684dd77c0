"""A broker of a few packets that does what Mosquitto never would, with one connection at a time (MQTT 5)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.link.wire import Peer

ACCEPTED = b"\x20\x03\x00\x00\x00"
CONNECT, PUBLISH, PUBACK, SUBSCRIBE, UNSUBSCRIBE, PINGREQ = 1, 3, 4, 8, 10, 12


def packet(first: int, body: bytes) -> bytes:
    """A packet: its first byte, its length as a variable byte integer, its body."""
    length, left = b"", len(body)
    while True:
        left, digit = divmod(left, 128)
        length += bytes([digit | (0x80 if left else 0)])
        if not left:
            return bytes([first]) + length + body


def publish(topic: bytes, payload: bytes, mid: int) -> bytes:
    """A PUBLISH of quality 1."""
    return packet(0x32, struct.pack(">H", len(topic)) + topic + struct.pack(">H", mid) + b"\0" + payload)


def packets(connection: socket.socket) -> Iterator[tuple[int, bytes]]:
    """What a client sends: the kind and the body of each packet."""
    stream = connection.makefile("rb")
    while first := stream.read(1):
        length, shift = 0, 0
        while True:
            digit = stream.read(1)[0]
            length |= (digit & 0x7F) << shift
            shift += 7
            if not digit & 0x80:
                break
        yield first[0] >> 4, stream.read(length)


class ScriptedBroker:
    """Accepts everything, unless told otherwise; ``subscribed`` is called once the station listens."""

    def __init__(
        self,
        certificate: tuple[Path, Path],
        *,
        connack: Callable[[], bytes] = lambda: ACCEPTED,
        subscribed: Callable[[socket.socket], object] = lambda connection: None,
        puback: Callable[[bytes], int] = lambda payload: 0,
        suback: int = 1,
    ) -> None:
        self.published: list[tuple[str, bytes]] = []
        self.acknowledged: list[int] = []
        self.unsubscribed: list[bytes] = []
        self._connack = connack
        self._subscribed = subscribed
        self._puback = puback
        self._suback = suback
        self._peer = Peer(self._serve, certificate)
        self.port = self._peer.port

    @property
    def connections(self) -> int:
        """How often a client came."""
        return self._peer.connections

    def _serve(self, connection: socket.socket) -> None:
        for kind, body in packets(connection):
            if kind == CONNECT:
                answer = self._connack()
                connection.sendall(answer)
                if answer != ACCEPTED:
                    return
            elif kind == SUBSCRIBE:
                connection.sendall(packet(0x90, body[:2] + b"\0" + bytes([self._suback]) * body.count(b"/programme")))
                self._subscribed(connection)
            elif kind == UNSUBSCRIBE:
                self.unsubscribed.append(body[5:])
                connection.sendall(packet(0xB0, body[:2] + b"\0\0"))
            elif kind == PUBLISH:
                self._take(connection, body)
            elif kind == PUBACK:
                self.acknowledged.append(struct.unpack(">H", body[:2])[0])
            elif kind == PINGREQ:
                connection.sendall(b"\xd0\x00")

    def _take(self, connection: socket.socket, body: bytes) -> None:
        (length,) = struct.unpack(">H", body[:2])
        topic, mid, payload = body[2 : 2 + length].decode(), body[2 + length : 4 + length], body[5 + length :]
        self.published.append((topic, payload))
        connection.sendall(packet(0x40, mid + bytes([self._puback(payload)])))

    def close(self) -> None:
        """Be gone."""
        self._peer.close()
