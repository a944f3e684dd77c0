"""Addresses of plain streams: opened only on hosts that the config allows, by TLS alone, however one is come to.

Up to three redirects are followed, because a radio station sends its listeners on to whichever server has room; each is
looked at as the first address was. An answer is bounded in time and size unless it is a stream without an end, which
may take as long as it is not silent.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from ttcs_edge.link.glances import FOUND_CHARS, READ_BYTES, FetchError, Patience, ask, connect, make_context, named
from ttcs_edge.link.window import Window, give_room
from ttcs_edge.settings import StreamSettings

REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OF_A_STREAM = {"tls": "stream-tls"}
"""What a stream's faults are called where it matters; all else means that it is away."""


def stream_error(code: str, url: str, **detail: str) -> FetchError:
    """What is wrong with a stream at an address, which may be as long as a server likes."""
    return FetchError(code, url=url[:FOUND_CHARS], **{name: value[:FOUND_CHARS] for name, value in detail.items()})


class Answer:
    """What an address answered; ``url`` is where it was found in the end."""

    def __init__(
        self, url: str, response: http.client.HTTPResponse, patience: Patience, window: Window | None = None
    ) -> None:
        """``window`` is that of a connection on which all comes at once: an alert must not wait behind it."""
        self.url = url
        self.media_type = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        self._response = response
        self._patience = patience
        self._window = window

    def read(self) -> bytes:
        """What comes next; nothing at its end. Raises FetchError, Stopped."""
        with _named(self.url, self._patience):
            data = self._response.read1(READ_BYTES)
        self._patience.heard(len(data))
        if self._window is not None:
            self._window.look()
        return data

    @property
    def is_short(self) -> bool:
        """Tell whether it ended before the length that it told of itself."""
        return bool(self._response.length)


class Whole(Struct, frozen=True):
    """An answer that was read to its end, and where it was found."""

    url: str
    data: bytes


class _Bounded(Patience):
    """Has an end, beside what any answer has."""

    def __init__(self, stop: Callable[[], bool], settings: StreamSettings) -> None:
        super().__init__(stop, settings.silent_s)
        self._whole_by_s = time.monotonic() + settings.whole_s

    def look(self) -> None:
        """Raise if it is time to leave off."""
        super().look()
        if time.monotonic() > self._whole_by_s:
            raise TimeoutError


class Allowed:
    """Opens what the config allows. ``stop`` is looked at in glances."""

    def __init__(self, settings: StreamSettings, stop: Callable[[], bool]) -> None:
        self._settings = settings
        self._stop = stop
        self._context: ssl.SSLContext | None = None

    @contextmanager
    def opened(self, url: str, *, whole: bool = False) -> Iterator[Answer]:
        """Open an address, to be read to its end soon (``whole``) or for as long as it goes on.

        Raises FetchError: ``stream-plain``, ``stream-host``, ``stream-tls``, ``stream-away``; and Stopped.
        """
        context = self._trusted(url)
        for _ in range(1 + REDIRECTS):
            host, port = self._check(url)
            patience = _Bounded(self._stop, self._settings) if whole else Patience(self._stop, self._settings.silent_s)
            with _named(url, patience):
                connection = connect(host, port, context, patience)
            with closing(connection), closing(_answer(url, context, connection, patience)) as response:
                if response.status not in _REDIRECTS:
                    if response.status != 200:
                        raise stream_error("stream-away", url, error=f"HTTP {response.status}")
                    if not whole:
                        give_room(connection)
                    yield Answer(url, response, patience, Window(connection) if whole else None)
                    return
                url = _sent_on(url, response.getheader("Location") or "")
        raise stream_error("stream-away", url, error=f"> {REDIRECTS} redirects")

    def _trusted(self, url: str) -> ssl.SSLContext:
        """Whose certificates are believed: read once, which takes a while."""
        try:
            self._context = self._context or make_context(self._settings.ca_file)
        except OSError as error:
            raise stream_error("stream-tls", url, error=str(error)) from error
        return self._context

    def read(self, url: str, most_bytes: int) -> Whole:
        """Read all of an address. Raises what ``opened`` does, and FetchError ``stream-not-audio`` for what is larger
        than ``most_bytes``.
        """
        data = bytearray()
        with self.opened(url, whole=True) as answer:
            while more := answer.read():
                data += more
                if len(data) > most_bytes:
                    raise stream_error("stream-not-audio", url, found=f"> {most_bytes} bytes")
            if answer.is_short:
                raise stream_error("stream-away", url, error=f"only {len(data)} bytes")
        return Whole(answer.url, bytes(data))

    def _check(self, url: str) -> tuple[str, int]:
        """Give host and port of an address that may be opened. Raises FetchError."""
        try:
            place = urlsplit(url)
            host, port = (place.hostname or "").lower(), place.port or 443
        except ValueError as error:
            raise stream_error("stream-host", url, found=url) from error
        if place.scheme != "https":
            raise stream_error("stream-plain", url)
        if self._settings.hosts is not None and (host, port) not in self._settings.hosts:
            raise stream_error("stream-host", url, found=host if port == 443 else f"{host}:{port}")
        return host, port


def _sent_on(url: str, where: str) -> str:
    try:
        return urljoin(url, where)
    except ValueError as error:
        raise stream_error("stream-host", url, found=where) from error


def _answer(
    url: str, context: ssl.SSLContext, connection: ssl.SSLSocket, patience: Patience
) -> http.client.HTTPResponse:
    with _named(url, patience):
        response = ask(urlsplit(url), context, connection, patience, {})
    patience.answered()
    return response


@contextmanager
def _named(url: str, patience: Patience) -> Iterator[None]:
    """Give what goes wrong on the network the code of a stream's fault."""
    try:
        with named(url, patience.silent_s):
            yield
    except FetchError as error:
        detail = dict(error.detail)
        why = detail.get("error") or f"{error.code} {detail.get('seconds', '')}".strip()
        raise stream_error(_OF_A_STREAM.get(error.code, "stream-away"), url, error=why) from error
