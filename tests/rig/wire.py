"""A link that can be cut and slowed, for a bench without a network interface of its own: a relay of TCP connections.

Cut, it takes nothing and says nothing, as a dead mobile link does: connections stay open and silent, new ones too.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

SLOW_S = 0.6
"""How long each piece takes on a slow link."""
PIECE_BYTES = 4_096


class Wire:
    """Relays from ``port`` to a port of this machine."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.to_port = 0
        self._whole = threading.Event()
        self._whole.set()
        self._delay_s = 0.0
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """Let nothing through."""
        self._whole.clear()

    def mend(self, slow: bool = False) -> None:
        """Let everything through, at once or slowly."""
        self._delay_s = SLOW_S if slow else 0.0
        self._whole.set()

    def close(self) -> None:
        """Take it away."""
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                station, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(station,), daemon=True).start()

    def _connect(self, station: socket.socket) -> None:
        self._whole.wait()
        try:
            broker = socket.create_connection(("127.0.0.1", self.to_port))
        except OSError:
            station.close()
            return
        for source, target in ((station, broker), (broker, station)):
            threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(PIECE_BYTES):
                self._whole.wait()
                time.sleep(self._delay_s)
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
