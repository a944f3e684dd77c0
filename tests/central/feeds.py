"""A feed as its author serves it: a web server with TLS whose answers a test sets, CAP files, and entries of them."""

from __future__ import annotations

import hashlib
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.parts import Authority

SENDER = "canhbao@kttv.example"
Answer = Callable[[BaseHTTPRequestHandler], object]


def moment(minutes: float) -> str:
    """A time as CAP writes it, so many minutes from now, in Vietnam."""
    there = datetime.now(timezone(timedelta(hours=7))).replace(microsecond=0)
    return (there + timedelta(minutes=minutes)).isoformat()


def cap(
    name: str,
    *,
    sent: float = -5,
    msg_type: str = "Alert",
    refs: tuple[tuple[str, float], ...] = (),
    sender: str = SENDER,
    status: str = "Actual",
    severity: str = "Severe",
    urgency: str = "Immediate",
    certainty: str = "Likely",
    expires: float | None = 120,
    event: str = "Lũ quét",
    category: str = "Met",
    language: str = "vi-VN",
    area: str = "Huyện Đạ Tẻh",
    geocode: str = "",
    headline: str = "",
    more: str = "",
    info: bool = True,
    scope: str = "Public",
) -> str:
    """A CAP 1.2 file; times in minutes from now; ``refs`` are names of earlier ones and when they were sent."""
    named = " ".join(f"{sender},{ref},{moment(at)}" for ref, at in refs)
    references = f"<references>{named}</references>" if refs else ""
    end = f"<expires>{moment(expires)}</expires>" if expires is not None else ""
    code = f"<geocode><valueName>ma</valueName><value>{geocode}</value></geocode>" if geocode else ""
    said = f"""<info><language>{language}</language><category>{category}</category><event>{event}</event>
    <urgency>{urgency}</urgency><severity>{severity}</severity><certainty>{certainty}</certainty>{end}
    <headline>{headline or name}</headline><description>Nước lên.</description>{more}
    <area><areaDesc>{area}</areaDesc>{code}</area></info>"""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>{name}</identifier><sender>{sender}</sender><sent>{moment(sent)}</sent><status>{status}</status>
  <msgType>{msg_type}</msgType><scope>{scope}</scope>{references}
  {said if info else ""}
</alert>
"""


class FeedServer:
    """HTTPS on a free port. ``pages`` hold what each path gives; ``requests`` every path that was asked for."""

    def __init__(self, authority: Authority) -> None:
        self.pages: dict[str, bytes | Answer] = {}
        self.requests: list[str] = []
        self.conditions: list[str | None] = []
        self.closing = threading.Event()
        self.ca = authority.ca_file
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                """Answer."""
                server.requests.append(self.path)
                page = server.pages.get(self.path)
                with suppress(OSError):
                    if page is None:
                        self.send_error(404)
                    elif callable(page):
                        page(self)
                    else:
                        server.send(self, page)

            def log_message(self, *arguments: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.server())
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.place = f"127.0.0.1:{self._server.server_port}"
        self.url = f"https://{self.place}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def send(self, request: BaseHTTPRequestHandler, page: bytes) -> None:
        """Send a page, unless it is the one that the client has."""
        tag = f'"{hashlib.sha256(page).hexdigest()}"'
        wanted = request.headers.get("If-None-Match")
        self.conditions.append(wanted)
        if wanted == tag:
            request.send_response(304)
            request.end_headers()
            return
        request.send_response(200)
        request.send_header("ETag", tag)
        request.send_header("Content-Length", str(len(page)))
        request.end_headers()
        request.wfile.write(page)

    def atom(self, *names: str, path: str = "/atom.xml") -> None:
        """Serve a feed of the CAP files of these names, which lie under ``/<name>.xml``."""
        entries = "".join(
            f"<entry><id>{self.url}/{name}</id><updated>{moment(0)}</updated>"
            f'<link href="{name}.xml" type="application/cap+xml"/></entry>'
            for name in names
        )
        feed = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Cảnh báo</title>{entries}</feed>'
        self.pages[path] = feed.encode()

    def serve(self, **files: str | bytes) -> None:
        """Serve CAP files by their names, and a feed of them all."""
        for name, text in files.items():
            self.pages[f"/{name}.xml"] = text if isinstance(text, bytes) else text.encode()
        self.atom(*files)

    def close(self) -> None:
        """Stop serving."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


def endless(server: FeedServer, piece: bytes, pause_s: float) -> Answer:
    """An answer that never ends."""

    def send(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        while not server.closing.wait(pause_s):
            request.wfile.write(piece)

    return send


def redirect(url: str) -> Answer:
    """An answer that sends on."""

    def send(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", url)
        request.end_headers()

    return send


def rules(
    folder: Path, server: FeedServer, more: str = "", *, head: str = "begun_an_hour: 1000\n", path: str = "/atom.xml"
) -> Path:
    """A file of rules; without more, what is Severe at the least is passed on."""
    text = more or "  - {name: nặng, severity_least: Severe, then: pass}\n"
    file = folder / "cap-feed.yaml"
    file.write_text(f"feed: {server.url}{path}\nca: {server.ca}\nevery_s: 10\n{head}rules:\n{text}", "utf-8")
    return file
