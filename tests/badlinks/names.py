"""A name server of the centre's own, which can lie, fall silent, or not know (RFC 1035, A records alone)."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress

from tests.badlinks.place import Place

PORT = 53
_NO_ERROR, _NO_SUCH_NAME = 0x8180, 0x8183


class Names:
    """Answers for every name in ``known``; ``None`` for the whole of it is silence."""

    def __init__(self, place: Place, address: str, known: dict[str, str]) -> None:
        self.known: dict[str, str] | None = known
        self.asked = 0
        self._socket = place.run(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self._socket.bind((address, PORT))
        threading.Thread(target=self._serve, name="names", daemon=True).start()

    def close(self) -> None:
        """Stop."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                query, sender = self._socket.recvfrom(512)
                if not query:
                    return
                self.asked += 1
                if self.known is not None:
                    self._socket.sendto(_answer(query, self.known), sender)


def _answer(query: bytes, known: dict[str, str]) -> bytes:
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode("ascii").lower())
        at += 1 + length
    question = query[12 : at + 5]
    address = known.get(".".join(labels))
    wants_address = question[-4:-2] == b"\x00\x01"
    flags = _NO_SUCH_NAME if address is None else _NO_ERROR
    count = 1 if address is not None and wants_address else 0
    answer = query[:2] + struct.pack("!HHHHH", flags, 1, count, 0, 0) + question
    if count and address is not None:
        answer += b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 0, 4) + socket.inet_aton(address)
    return answer
