"""One file of a feed over HTTPS: bounded in bytes, in seconds and in redirects, from servers that are named.

A redirect is followed only to a named server, over HTTPS. The whole of a fetch has a deadline, however slowly a server
drips: then its connection is shut under whoever reads from it. ``urllib`` is what knows the environment's proxies.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

FETCH_S: Final = 60.0
SILENT_S: Final = 15.0
REDIRECTS: Final = 3
READ_BYTES: Final = 64 * 1024
FOUND_CHARS: Final = 200
TAG_CHARS: Final = 500
"""How long what a server asks to be told the next time may be; longer, and it is not told."""


class Unfetched(Exception):
    """A file could not be had. ``code`` says why (``central.feed-why``); ``is_final``: another try is no use."""

    def __init__(self, code: str, found: object = "", *, is_final: bool = False) -> None:
        super().__init__(code, found)
        self.code = code
        self.found = str(found)[:FOUND_CHARS]
        self.is_final = is_final


class Tags(Struct, frozen=True):
    """By what a server tells whether a file has changed (RFC 9110, section 13.1)."""

    etag: str = ""
    modified: str = ""


class Fetched(Struct, frozen=True):
    """A file; ``data`` None: it has not changed."""

    data: bytes | None
    tags: Tags


class _Connection(http.client.HTTPSConnection):
    """Tells of its socket when it is up."""

    def __init__(self, *arguments: Any, opened: Callable[[socket.socket], None], **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._opened = opened

    def connect(self) -> None:
        super().connect()  # each step of it, the handshake too, ends within the timeout
        self._opened(self.sock)


class _Handler(urllib.request.HTTPSHandler):
    def __init__(self, context: ssl.SSLContext, opened: Callable[[socket.socket], None]) -> None:
        super().__init__(context=context)
        self._told = (context, opened)

    def https_open(self, request: urllib.request.Request) -> Any:
        context, opened = self._told
        return self.do_open(partial(_Connection, opened=opened), request, context=context)


class Fetcher:
    """Gets files from the servers that a file of rules names. ``end``, from another thread or a signal, ends it."""

    def __init__(self, places: frozenset[tuple[str, int]], ca: Path | None) -> None:
        self._places = places
        self._ca = ca
        self._connection: socket.socket | None = None
        self._ended = False

    def end(self) -> None:
        """Give up what is being fetched, and fetch nothing more."""
        self._ended = True
        self._shut()

    def fetch(self, url: str, most_bytes: int, tags: Tags | None = None, deadline_s: float = FETCH_S) -> Fetched:
        """Get a file, unless it is still the one of the ``tags``. Raises Unfetched."""
        late = threading.Event()

        def leave_off() -> None:
            late.set()
            self._shut()

        timer = threading.Timer(deadline_s, leave_off)
        timer.daemon = True
        timer.start()
        try:
            with _named():
                fetched = self._follow(url, most_bytes, tags)
        except Unfetched as error:
            if self._ended:
                raise Unfetched("ended") from error
            if late.is_set() and not error.is_final:
                raise Unfetched("slow", f"{deadline_s:g}") from error
            raise
        finally:
            timer.cancel()
            self._connection = None
        if late.is_set() or self._ended:  # a body that ends with its connection looks whole when that is shut
            raise Unfetched("ended" if self._ended else "slow", f"{deadline_s:g}")
        return fetched

    def _follow(self, url: str, most_bytes: int, tags: Tags | None) -> Fetched:
        for _ in range(REDIRECTS + 1):
            self._check(url)
            with closing(self._open(url, tags)) as answer:
                if answer.status in (301, 302, 303, 307, 308):
                    url = _sent_on(url, answer.headers.get("Location") or "")
                    continue
                if answer.status == 304 and tags is not None:
                    return Fetched(None, tags)
                return Fetched(_body(answer, most_bytes), _tags(answer))
        raise Unfetched("redirects", url, is_final=True)

    def _check(self, url: str) -> None:
        if self._ended:
            raise Unfetched("ended")
        try:
            place = urlsplit(url)
            server = ((place.hostname or "").lower(), place.port or 443)
        except ValueError:
            raise Unfetched("bad-link", url, is_final=True) from None
        if place.scheme != "https":
            raise Unfetched("no-https", url, is_final=True)
        if server not in self._places or place.username is not None:
            raise Unfetched("other-host", url, is_final=True)

    def _open(self, url: str, tags: Tags | None) -> Any:
        wanted = {"If-None-Match": tags.etag, "If-Modified-Since": tags.modified} if tags else {}
        headers = {"User-Agent": "ttcs-central", **{name: value for name, value in wanted.items() if value}}
        opener = urllib.request.OpenerDirector()  # of all that urllib can open, only what is wanted here
        opener.add_handler(urllib.request.ProxyHandler())
        opener.add_handler(_Handler(self._context(), self._opened))
        answer = opener.open(urllib.request.Request(url, headers=headers), timeout=SILENT_S)  # noqa: S310 (the opener knows https alone)
        assert answer is not None
        return answer

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self._ca) if self._ca else None)

    def _opened(self, connection: socket.socket) -> None:
        self._connection = connection
        if self._ended:
            self._shut()

    def _shut(self) -> None:
        connection = self._connection
        if connection is not None:
            with suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # whoever reads still holds what TLS needs


def _sent_on(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise Unfetched("bad-link", location, is_final=True) from None


def _body(answer: Any, most_bytes: int) -> bytes:
    if answer.status != 200:
        raise Unfetched("status", answer.status)
    encoding = answer.headers.get("Content-Encoding") or "identity"
    if encoding.lower() != "identity":
        raise Unfetched("broken", f"Content-Encoding {encoding}")
    promised = answer.headers.get("Content-Length") or "0"
    if promised.isdecimal() and len(promised) < 20 and int(promised) > most_bytes:
        raise Unfetched("large", most_bytes, is_final=True)
    data = bytearray()
    while piece := answer.read1(READ_BYTES):
        data += piece
        if len(data) > most_bytes:
            raise Unfetched("large", most_bytes, is_final=True)
    if answer.length:  # http.client takes a body that was cut short for a whole one
        raise Unfetched("broken", f"{len(data)} bytes, {answer.length} missing")
    return bytes(data)


def _tags(answer: Any) -> Tags:
    found = (answer.headers.get(name) or "" for name in ("ETag", "Last-Modified"))
    return Tags(*(value if len(value) <= TAG_CHARS and value.isprintable() else "" for value in found))


@contextmanager
def _named() -> Iterator[None]:
    """Give what goes wrong on the network a code of its own."""
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError) as error:
        cause = error.reason if isinstance(error, URLError) and isinstance(error.reason, Exception) else error
        raise _unfetched(cause) from error


def _unfetched(cause: Exception) -> Unfetched:
    told = getattr(cause, "verify_message", None) or getattr(cause, "strerror", None) or str(cause)
    found = told or type(cause).__name__
    return Unfetched(next((code for kind, code in _CODES if isinstance(cause, kind)), "broken"), found)


_CODES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (ssl.SSLError, "tls"),
    (TimeoutError, "timeout"),
    (socket.gaierror, "dns"),
    (ConnectionRefusedError, "refused"),
)
"""The narrower of two stands first: what TLS says is an OSError as well."""
