"""What may stand between a station and its broker: a cable that can be cut, and peers that are no brokers."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

RESET = struct.pack("ii", 1, 0)


class Wire:
    """Forwards connections to a port of the loopback address; can be cut, stalled and closed."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        self.down_bytes = 0
        self._flows = threading.Event()
        self._flows.set()
        self.open = True
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                assert self.open
                far = socket.create_connection(("127.0.0.1", self._target_port))
            except (OSError, AssertionError):
                near.close()
                continue
            self._ends += [near, far]
            threading.Thread(target=self._forward, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._forward, args=(far, near, True), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, down: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self._flows.wait()
                if down:
                    self.down_bytes += len(data)
                sink.sendall(data)
        for end in (source, sink):
            if end in self._ends:  # one side hung up: so does the other
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def cut(self, stay: bool = False) -> None:
        """Reset every connection, as a power cut of the modem does; with ``stay``, close the next ones, too."""
        self.open = not stay
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.shutdown(socket.SHUT_RD)  # wakes the thread that reads it
            end.close()

    def mend(self) -> None:
        """Let connections through again."""
        self.open = True

    def stall(self) -> None:
        """Let nothing through any more, and say nothing."""
        self._flows.clear()

    def close(self) -> None:
        """Cut, and accept no more."""
        self._flows.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()


class Peer:
    """Something that listens, shakes hands if it has a certificate, and does with a connection what it is told to."""

    def __init__(self, greet: Callable[[socket.socket], object], certificate: tuple[Path, Path] | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"https://127.0.0.1:{self.port}/x"
        self.connections = 0
        self._greet = greet
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*certificate)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with suppress(OSError), connection:
                if self._context is None:
                    self._greet(connection)
                else:
                    with self._context.wrap_socket(connection, server_side=True) as shaken:
                        self._greet(shaken)

    def close(self) -> None:
        """Stop listening."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
