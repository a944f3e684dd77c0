"""How much a sender of audio may have under way: what the line carries in half a second.

A line is shared, and an alert waits behind whatever stands in front of the station's modem. TCP would fill that queue:
on a weak mobile line, with half a minute of audio. The receiver can forbid it by the window that it offers (RFC 9293,
3.8.6). Once a second the window is set to what came in half of one: where less is under way than the line would carry,
that makes it larger each time, where more is, smaller.
"""

from __future__ import annotations

import socket
import struct
import time

BEGIN_BYTES = 8 * 1024
LEAST_BYTES = 4 * 1024
MOST_BYTES = 64 * 1024 - 1
"""What a window can be that began so small (RFC 7323, 2.2): 210 KB a second, where answers take 300 ms."""
HELD_S = 0.5
LOOK_EVERY_S = 1.0
_LAST_DATA_RECEIVED = struct.Struct("52xI")
_BYTES_RECEIVED = struct.Struct("128xQ")
"""Where ``struct tcp_info`` of <linux/tcp.h> has ``tcpi_last_data_recv``, in ms, and ``tcpi_bytes_received``."""


def hold_back(unconnected: socket.socket) -> None:
    """Offer little from the first packet on: what was offered once cannot be taken back."""
    unconnected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BEGIN_BYTES)


def give_room(connection: socket.socket) -> None:
    """Offer all that can be offered: what comes at its own pace stands before nobody, and a long way needs more."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MOST_BYTES)


class Window:
    """The window of a connection that was held back, which whoever reads from it looks at now and then."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._looked_s, self._received_bytes = time.monotonic(), 0
        self._hold(BEGIN_BYTES)

    def look(self) -> None:
        """Hold what is under way to what the line carries, once a second."""
        now_s = time.monotonic()
        elapsed_s = now_s - self._looked_s
        if elapsed_s < LOOK_EVERY_S:
            return
        received_bytes = self._told(_BYTES_RECEIVED)
        came_bytes = received_bytes - self._received_bytes
        self._looked_s, self._received_bytes = now_s, received_bytes
        self._hold(min(MOST_BYTES, max(LEAST_BYTES, round(came_bytes / elapsed_s * HELD_S))))

    def silent_s(self) -> float:
        """How long nothing has come."""
        return self._told(_LAST_DATA_RECEIVED) / 1_000

    def _told(self, part: struct.Struct) -> int:
        data = self._connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, part.size)
        return int(part.unpack(data)[0])

    def _hold(self, size_bytes: int) -> None:
        # The buffer as well: once it knows what a packet costs it, the kernel makes the window as large as that allows.
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size_bytes)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP, size_bytes)
