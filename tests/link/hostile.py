"""A web server that misbehaves, each path in its own way; and one path that is good, Range and all."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.parts import Authority


class HostileServer:
    """HTTPS on a free port; ``requests`` holds (path, Range header) of every request."""

    def __init__(self, authority: Authority, data: bytes) -> None:
        self.data = data
        self.requests: list[tuple[str, str | None]] = []
        self.closing = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                """Note the request and misbehave."""
                server.requests.append((self.path, self.headers.get("Range")))
                server.behave(self)
                self.close_connection = True

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate, key = authority.server()
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def behave(self, request: BaseHTTPRequestHandler) -> None:
        """Do what the path says."""
        table: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {
            "/good": self._good,
            "/404": lambda r: r.send_error(404),
            "/500": lambda r: r.send_error(500),
            "/hang": lambda r: self._hang(),
            "/hang-in-body": self._hang_in_body,
            "/endless": self._endless,
            "/trickle": self._trickle,
            "/redirect": self._redirect,
            "/login": self._login,
            "/breaks": self._breaks,
            "/wrong": lambda r: self._send(r, b"x" * len(self.data)),
            "/short": lambda r: self._send(r, self.data[:-1]),
            "/ignores-range": lambda r: self._send(r, self.data),
        }
        table[request.path](request)

    def _send(self, request: BaseHTTPRequestHandler, data: bytes, status: int = 200, promise: int = -1) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(data) if promise < 0 else promise))
        request.end_headers()
        request.wfile.write(data)

    def _range(self, request: BaseHTTPRequestHandler) -> int:
        header = request.headers.get("Range")
        return int(header.removeprefix("bytes=").removesuffix("-")) if header else 0

    def _good(self, request: BaseHTTPRequestHandler) -> None:
        begin = self._range(request)
        if not begin:
            self._send(request, self.data)
            return
        request.send_response(206)
        request.send_header("Content-Range", f"bytes {begin}-{len(self.data) - 1}/{len(self.data)}")
        request.send_header("Content-Length", str(len(self.data) - begin))
        request.end_headers()
        request.wfile.write(self.data[begin:])

    def _hang(self) -> None:
        self.closing.wait(10)

    def _hang_in_body(self, request: BaseHTTPRequestHandler) -> None:
        self._send(request, self.data[:100], promise=len(self.data))
        self._hang()

    def _endless(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        deadline_s = time.monotonic() + 5
        while time.monotonic() < deadline_s:
            request.wfile.write(b"x" * 65_536)

    def _trickle(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not self.closing.wait(0.05):
            request.wfile.write(b"x" * 1_000)

    def _redirect(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", "https://login.example/")
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _login(self, request: BaseHTTPRequestHandler) -> None:
        self._send(request, b"<html>Please log in</html>")

    def _breaks(self, request: BaseHTTPRequestHandler) -> None:
        """The first answer breaks in the middle; the second goes on where it was asked to."""
        if self._range(request):
            self._good(request)
        else:
            self._send(request, self.data[: len(self.data) // 2], promise=len(self.data))
