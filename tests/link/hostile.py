"""A web server that misbehaves, each path in its own way; and one path that is good, Range and all."""

from __future__ import annotations

import gzip
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.parts import Authority

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
LOGIN = b"<html>Please log in</html>"


def chunk(data: bytes) -> bytes:
    """A chunk of a chunked body; an empty one is its end."""
    return b"%x\r\n" % len(data) + data + b"\r\n"


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
            "/204": lambda r: r.send_error(204),
            "/416": lambda r: self._send(r, self.data) if not self._range(r) else r.send_error(416),
            "/hang": lambda r: self._hang(),
            "/hang-in-body": self._hang_in_body,
            "/endless": self._endless,
            "/trickle": self._trickle,
            "/redirect": self._redirect,
            "/login": lambda r: self._send(r, LOGIN),
            "/login-chunked": lambda r: self._say(r, CHUNKED + chunk(LOGIN) + chunk(b"")),
            "/breaks": self._breaks,
            "/wrong": lambda r: self._send(r, b"x" * len(self.data)),
            "/short": lambda r: self._send(r, self.data[:-1]),
            "/promises-more": lambda r: self._send(r, self.data, promise=len(self.data) + 1),
            "/promises-the-world": lambda r: self._send(r, self.data, promise=10**30),
            "/ignores-range": lambda r: self._send(r, self.data),
            # What is no answer at all.
            "/empty": lambda r: None,
            "/not-http": lambda r: self._say(r, b"SSH-2.0-OpenSSH_9.2\r\n"),
            "/long-header": lambda r: self._say(r, OK + b"X-Long: " + b"x" * 100_000 + b"\r\n\r\n"),
            "/many-headers": lambda r: self._say(r, OK + b"X-Many: x\r\n" * 1_000 + b"\r\n"),
            # What comes slowly.
            "/drips-status": lambda r: self._drip(r, b"H"),
            "/drips-headers": lambda r: self._drip(r, b"X", OK),
            "/drips-continue": lambda r: self._drip(r, b"HTTP/1.1 100 Continue\r\n\r\n"),
            "/drips-body": lambda r: self._drip(r, b"x", OK + self._length()),
            "/drips-chunk-size": lambda r: self._drip(r, b"x", CHUNKED + b"1;"),
            # Encodings.
            "/gzip": lambda r: self._say(r, OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(self.data)),
            "/chunked": lambda r: self._say(r, CHUNKED + self._chunks() + chunk(b"")),
            "/chunked-breaks": self._chunked_breaks,
            "/chunked-garbage": lambda r: self._say(r, CHUNKED + b"zz\r\n" + self.data),
            "/chunked-beyond": lambda r: self._say(r, CHUNKED + self._chunks() + chunk(b"x" * 65_536)),
            "/until-close": lambda r: self._say(r, OK + b"\r\n" + self.data),
            "/keeps-alive": self._keeps_alive,
            # Answers to a Range that was not asked for.
            "/range-from-0": lambda r: self._range_answer(r, f"bytes 0-{len(self.data) - 1}/{len(self.data)}", 0),
            "/range-ahead": lambda r: self._range_answer(r, f"bytes 150000-199999/{len(self.data)}", 150_000),
            "/range-of-larger": lambda r: self._range_answer(r, f"bytes {self._range(r)}-199999/200001"),
            "/range-of-smaller": lambda r: self._range_answer(r, f"bytes {self._range(r)}-199998/199999"),
            "/range-of-any": lambda r: self._range_answer(r, f"bytes {self._range(r)}-{len(self.data) - 1}/*"),
            "/range-garbage": lambda r: self._range_answer(r, "bytes x-y/z"),
            "/range-none": lambda r: self._range_answer(r, ""),
        }
        with suppress(OSError):  # the client had enough
            table[request.path](request)

    def _say(self, request: BaseHTTPRequestHandler, data: bytes) -> None:
        request.wfile.write(data)

    def _drip(self, request: BaseHTTPRequestHandler, data: bytes, before: bytes = b"") -> None:
        self._say(request, before)
        while not self.closing.wait(0.1):
            request.wfile.write(data)

    def _length(self) -> bytes:
        return b"Content-Length: %d\r\n\r\n" % len(self.data)

    def _chunks(self) -> bytes:
        return b"".join(chunk(self.data[begin : begin + 7_000]) for begin in range(0, len(self.data), 7_000))

    def _chunked_breaks(self, request: BaseHTTPRequestHandler) -> None:
        """The first answer breaks in the middle of a chunk."""
        if self._range(request):
            self._good(request)
        else:
            self._say(request, CHUNKED + self._chunks()[: len(self.data) // 2])

    def _keeps_alive(self, request: BaseHTTPRequestHandler) -> None:
        self._say(request, OK + b"Connection: keep-alive\r\n" + self._length() + self.data)
        self._hang()

    def _range_answer(self, request: BaseHTTPRequestHandler, found: str, begin: int = -1) -> None:
        if not self._range(request):
            self._send(request, self.data)
            return
        data = self.data[self._range(request) if begin < 0 else begin :]
        head = f"HTTP/1.1 206 Partial Content\r\nContent-Length: {len(data)}\r\n"
        named = f"Content-Range: {found}\r\n" if found else "Content-Type: multipart/byteranges; boundary=x\r\n"
        self._say(request, (head + named + "\r\n").encode() + data)

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

    def _breaks(self, request: BaseHTTPRequestHandler) -> None:
        """The first answer breaks in the middle; the second goes on where it was asked to."""
        if self._range(request):
            self._good(request)
        else:
            self._send(request, self.data[: len(self.data) // 2], promise=len(self.data))
