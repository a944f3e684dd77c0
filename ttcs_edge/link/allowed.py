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
from ttcs_edge.link.window import Window
from ttcs_edge.settings import StreamSettings

REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OF_A_STREAM = {"tls": "stream-tls"}
"""What a stream's faults are called where it matters; all else means that it is away."""


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

    @contextmanager
    def opened(self, url: str, patience: Patience | None = None) -> Iterator[Answer]:
        """Open an address. Raises FetchError: ``stream-plain``, ``stream-host``, ``stream-tls``, ``stream-away``; and
        Stopped.
        """
        try:
            context = make_context(self._settings.ca_file)
        except OSError as error:
            raise FetchError("stream-tls", url=url, error=str(error)) from error
        for _ in range(1 + REDIRECTS):
            patience_here = patience or Patience(self._stop, self._settings.silent_s)
            host, port = self._check(url)
            with _named(url, patience_here):
                connection = connect(host, port, context, patience_here)
            with closing(connection):
                response = _answer(url, context, connection, patience_here)
                if response.status not in _REDIRECTS:
                    if response.status != 200:
                        raise FetchError("stream-away", url=url, error=f"HTTP {response.status}")
                    yield Answer(url, response, patience_here, None if patience is None else Window(connection))
                    return
                url = _sent_on(url, response.getheader("Location") or "")
        raise FetchError("stream-away", url=url[:FOUND_CHARS], error=f"> {REDIRECTS} redirects")

    def read(self, url: str, most_bytes: int) -> Whole:
        """Read all of an address. Raises what ``opened`` does, and FetchError ``stream-not-audio`` for what is larger
        than ``most_bytes``.
        """
        data = bytearray()
        with self.opened(url, _Bounded(self._stop, self._settings)) as answer:
            while more := answer.read():
                data += more
                if len(data) > most_bytes:
                    raise FetchError("stream-not-audio", url=url, found=f"> {most_bytes} bytes")
        return Whole(answer.url, bytes(data))

    def _check(self, url: str) -> tuple[str, int]:
        """Give host and port of an address that may be opened. Raises FetchError."""
        shown = url[:FOUND_CHARS]
        try:
            place = urlsplit(url)
            host, port = (place.hostname or "").lower(), place.port or 443
        except ValueError as error:
            raise FetchError("stream-host", url=shown, found=shown) from error
        if place.scheme != "https":
            raise FetchError("stream-plain", url=shown)
        if self._settings.hosts is not None and (host, port) not in self._settings.hosts:
            raise FetchError("stream-host", url=shown, found=host if port == 443 else f"{host}:{port}")
        return host, port


def _sent_on(url: str, where: str) -> str:
    try:
        return urljoin(url, where)
    except ValueError as error:
        raise FetchError("stream-host", url=url[:FOUND_CHARS], found=where[:FOUND_CHARS]) from error


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
    shown = url[:FOUND_CHARS]
    try:
        with named(shown, patience.silent_s):
            yield
    except FetchError as error:
        detail = dict(error.detail)
        why = detail.get("error") or f"{error.code} {detail.get('seconds', '')}".strip()
        raise FetchError(_OF_A_STREAM.get(error.code, "stream-away"), url=shown, error=why) from error
