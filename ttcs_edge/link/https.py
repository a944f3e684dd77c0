"""One audio file over HTTPS: resumed with Range after a break, bounded in time and size (RFC 9110, section 14).

Redirects are refused: a captive portal's login page must not pass for audio. What comes is never read beyond the size
that was signed; whether it is right is for its hash to say. What an answer says of itself is checked before a byte of
it is written, so that a login page does not cost the part that is already there.

A server has no way to hold the caller, but for the look-up of its name (``glances``).
"""

from __future__ import annotations

import http.client
import re
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from ttcs_edge.link.glances import FOUND_CHARS, READ_BYTES, FetchError, Patience, Stopped, ask, connect, named
from ttcs_edge.link.window import Window
from ttcs_edge.settings import HttpsSettings


class Pace(Struct, frozen=True):
    """The slowest download that is worth its place: less than ``least_bytes`` in ``window_s`` is too slow."""

    window_s: float = 60.0
    least_bytes: int = 32 * 1024


PACE = Pace()
"""Half a kilobyte a second, which the weakest GPRS gives: a bulletin of a minute in ten."""


class Part(Protocol):
    """A file on its way into the store."""

    offset: int
    size_bytes: int

    def write(self, data: bytes) -> None:
        """Append."""

    def restart(self) -> None:
        """Begin at 0 again."""


def fetch(
    url: str,
    part: Part,
    settings: HttpsSettings,
    context: ssl.SSLContext,
    stop: Callable[[], bool],
    pace: Pace = PACE,
) -> bool:
    """Fetch what a part still lacks; False when ``stop`` asked to leave off.

    The server has ``read_timeout_s`` to be connected to and to send its headers. After that it may be silent for as
    long, must keep the ``pace``, and must be done within ``total_timeout_s``. Raises FetchError, and what ``part``
    raises.
    """
    if part.offset == part.size_bytes:
        return True  # the power failed between the last byte and its name
    patience = _Patience(stop, part, settings, pace)
    on_the_network = partial(named, url, settings.read_timeout_s)
    try:
        with ExitStack() as opened:
            with on_the_network():
                place = urlsplit(url)
                connection = connect(place.hostname or "", place.port or 443, context, patience)
                opened.enter_context(closing(connection))
                window = Window(connection)
                headers = {"Range": f"bytes={part.offset}-"} if part.offset else {}
                response = opened.enter_context(closing(ask(place, context, connection, patience, headers)))
            passed_over = _check(response, part, url)
            patience.answered()
            while part.offset < part.size_bytes:
                with on_the_network():
                    data = response.read1(min(READ_BYTES, passed_over + part.size_bytes - part.offset + 1))
                if not data:
                    raise _ended(response, part)
                patience.heard(len(data))
                window.look()
                if len(data) > passed_over:
                    part.write(data[passed_over:])
                passed_over = max(0, passed_over - len(data))
    except Stopped:
        return False
    return True


class _Patience(Patience):
    """Has a pace to be kept, and an end, beside what any answer has."""

    def __init__(self, stop: Callable[[], bool], part: Part, settings: HttpsSettings, pace: Pace) -> None:
        super().__init__(stop, settings.read_timeout_s)
        self._part = part
        self._pace = pace
        self._done_by_s = self._heard_s + settings.total_timeout_s
        self._window_s = self._heard_s
        self._window_bytes = 0

    def look(self) -> None:
        """Raise if it is time to leave off: FetchError ``too-slow``, too."""
        super().look()
        now_s = time.monotonic()
        if now_s > self._done_by_s or self._too_slow(now_s):
            raise FetchError("too-slow", found=str(self._part.offset), expected=str(self._part.size_bytes))

    def _too_slow(self, now_s: float) -> bool:
        if self._answer_by_s is not None or now_s < self._window_s + self._pace.window_s:
            return False
        enough = self._window_bytes >= self._pace.least_bytes
        self._window_s, self._window_bytes = now_s, 0
        return not enough

    def answered(self) -> None:
        """The headers are there: from now on it is a matter of pace."""
        super().answered()
        self._window_s = self._heard_s

    def heard(self, count: int) -> None:
        """Some of the file came."""
        super().heard(count)
        self._window_bytes += count


def _check(response: http.client.HTTPResponse, part: Part, url: str) -> int:
    """See whether an answer can be the file; gives how many of its bytes the part already has."""
    status = response.status
    if 300 <= status < 400:
        raise FetchError("redirect", url=url, found=(response.getheader("Location") or "")[:FOUND_CHARS])
    if status == 416:
        part.restart()
        raise FetchError("broken", url=url, error="416")
    if status not in (200, 206):
        raise FetchError("http-status", url=url, found=str(status))
    encoding = response.getheader("Content-Encoding") or "identity"
    if encoding.lower() != "identity":
        raise FetchError("broken", url=url, error=f"Content-Encoding {encoding}"[:FOUND_CHARS])
    begin, whole_bytes = _content_range(response, part, url) if status == 206 else (0, response.length)
    most_bytes = max(whole_bytes or 0, begin + (response.length or 0))
    if most_bytes > part.size_bytes:
        raise FetchError("too-large", url=url, found=str(most_bytes), expected=str(part.size_bytes))
    if whole_bytes is not None and whole_bytes < part.size_bytes:
        raise FetchError("short", url=url, found=str(whole_bytes), expected=str(part.size_bytes))
    return part.offset - begin


def _content_range(response: http.client.HTTPResponse, part: Part, url: str) -> tuple[int, int | None]:
    """Where a partial answer begins, and how large it says that the whole is."""
    found = response.getheader("Content-Range") or ""
    match = re.fullmatch(r"bytes (\d{1,15})-\d{1,15}/(\d{1,15}|\*)", found, re.ASCII)
    if match is None or int(match[1]) > part.offset:
        part.restart()  # a server that cannot do Range is asked for the whole the next time
        raise FetchError("broken", url=url, error=f"Content-Range {found}"[:FOUND_CHARS])
    return int(match[1]), None if match[2] == "*" else int(match[2])


def _ended(response: http.client.HTTPResponse, part: Part) -> FetchError:
    """Name an answer that ended before the file was whole."""
    error = FetchError("short", found=str(part.offset), expected=str(part.size_bytes))
    if response.status == 200 and response.chunked:
        part.restart()  # it says itself that this was all: it was another file, and must not be gone on with
    return error
