"""One audio file over HTTPS: resumed with Range after a break, bounded in time and size (RFC 9110, section 14).

Redirects are refused: a captive portal's login page must not pass for audio. What comes is never read beyond the size
that was signed; whether it is right is for its hash to say. What an answer says of itself is checked before a byte of
it is written, so that a login page does not cost the part that is already there.

A server has no way to hold the caller: every wait for it is cut into glances, at which ``stop`` and the limits are
looked at, however slowly it drips. Only the look-up of its name is out of reach: it takes as long as the machine's
resolver tries (resolv.conf; by default 5 s, twice, for each name server), and ``stop`` is seen after it.
"""

from __future__ import annotations

import errno
import http.client
import io
import os
import re
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from ttcs_edge.link.window import Window, hold_back
from ttcs_edge.settings import HttpsSettings

READ_BYTES = 64 * 1024
GLANCE_S = 0.25
"""How long ``stop`` and the limits may go unseen."""
FOUND_CHARS = 200
"""How much of a server's own words goes into a fault."""
T = TypeVar("T")


class Pace(Struct, frozen=True):
    """The slowest download that is worth its place: less than ``least_bytes`` in ``window_s`` is too slow."""

    window_s: float = 60.0
    least_bytes: int = 32 * 1024


PACE = Pace()
"""Half a kilobyte a second, which the weakest GPRS gives: a bulletin of a minute in ten."""


class FetchError(Exception):
    """A fetch failed; ``code`` is a fault code."""

    def __init__(self, code: str, **detail: str) -> None:
        super().__init__(f"{code} {detail}")
        self.code = code
        self.detail = tuple(detail.items())


class Part(Protocol):
    """A file on its way into the store."""

    offset: int
    size_bytes: int

    def write(self, data: bytes) -> None:
        """Append."""

    def restart(self) -> None:
        """Begin at 0 again."""


def make_context(settings: HttpsSettings) -> ssl.SSLContext:
    """The TLS settings of every fetch. Raises OSError when the file of authorities cannot be read."""
    return ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)


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
    named = partial(_named, url, settings)
    try:
        with named():
            place = urlsplit(url)
            connection = _connect(place.hostname or "", place.port or 443, context, patience)
        with closing(connection):
            window = Window(connection)
            with named():
                response = _ask(place, part.offset, context, connection, patience)
            passed_over = _check(response, part, url)
            patience.answered()
            while part.offset < part.size_bytes:
                with named():
                    data = response.read1(min(READ_BYTES, passed_over + part.size_bytes - part.offset + 1))
                if not data:
                    raise _ended(response, part)
                patience.heard(len(data))
                window.look()
                if len(data) > passed_over:
                    part.write(data[passed_over:])
                passed_over = max(0, passed_over - len(data))
    except _Stopped:
        return False
    return True


class _Stopped(Exception):
    """Something more urgent came up."""


@contextmanager
def _named(url: str, settings: HttpsSettings) -> Iterator[None]:
    """Give what goes wrong on the network the code of its fault."""
    try:
        yield
    except ssl.SSLError as error:
        raise FetchError("tls", url=url, error=str(error)) from error
    except TimeoutError as error:
        raise FetchError("timeout", url=url, seconds=str(settings.read_timeout_s)) from error
    except socket.gaierror as error:
        raise FetchError("dns", url=url, error=str(error)) from error
    except ConnectionRefusedError as error:
        raise FetchError("refused", url=url) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchError("broken", url=url, error=(str(error) or type(error).__name__)[:FOUND_CHARS]) from error


class _Patience:
    """Waits for a server in glances, and looks at the limits at each."""

    def __init__(self, stop: Callable[[], bool], part: Part, settings: HttpsSettings, pace: Pace) -> None:
        now_s = time.monotonic()
        self._stop = stop
        self._part = part
        self._pace = pace
        self._silent_s = settings.read_timeout_s
        self._answer_by_s: float | None = now_s + settings.read_timeout_s
        self._done_by_s = now_s + settings.total_timeout_s
        self._heard_s = self._window_s = now_s
        self._window_bytes = 0

    def wait(self, connection: socket.socket, attempt: Callable[[], T]) -> T:
        """Do something with a connection until it succeeds. Raises _Stopped, TimeoutError, or FetchError too-slow."""
        connection.settimeout(GLANCE_S)
        while True:
            self.look()
            try:
                return attempt()
            except TimeoutError:
                continue

    def look(self) -> None:
        """Raise if it is time to leave off."""
        if self._stop():
            raise _Stopped
        now_s = time.monotonic()
        if now_s > (self._answer_by_s or self._heard_s + self._silent_s):
            raise TimeoutError
        if now_s > self._done_by_s or self._too_slow(now_s):
            raise FetchError("too-slow", found=str(self._part.offset), expected=str(self._part.size_bytes))

    def _too_slow(self, now_s: float) -> bool:
        if self._answer_by_s is not None or now_s < self._window_s + self._pace.window_s:
            return False
        enough = self._window_bytes >= self._pace.least_bytes
        self._window_s, self._window_bytes = now_s, 0
        return not enough

    def share_s(self, among: int) -> float:
        """Give the part of the time up to the answer that each of so many tries may take."""
        return max(0.0, (self._answer_by_s or 0.0) - time.monotonic()) / among

    def answered(self) -> None:
        """The headers are there: from now on it is a matter of pace."""
        self._answer_by_s = None
        self._heard_s = self._window_s = time.monotonic()

    def heard(self, count: int) -> None:
        """Some of the file came."""
        self._heard_s = time.monotonic()
        self._window_bytes += count


def _connect(host: str, port: int, context: ssl.SSLContext, patience: _Patience) -> ssl.SSLSocket:
    """Connect to the first address that accepts, and shake hands."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for left, (family, kind, protocol, _, address) in zip(range(len(found), 0, -1), found, strict=True):
        plain = socket.socket(family, kind, protocol)
        hold_back(plain)
        try:
            _reach(plain, address, patience.share_s(left), patience)
            connection = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
        except OSError:
            plain.close()
            if left == 1:
                raise
            continue
        except BaseException:
            plain.close()
            raise
        try:
            patience.wait(connection, connection.do_handshake)
        except BaseException:
            connection.close()
            raise
        return connection
    raise socket.gaierror(socket.EAI_NONAME, "no address")


def _reach(plain: socket.socket, address: Any, timeout_s: float, patience: _Patience) -> None:
    deadline_s = time.monotonic() + timeout_s
    plain.setblocking(False)
    code = plain.connect_ex(address)
    if code == errno.EINPROGRESS:
        poll = select.poll()
        poll.register(plain, select.POLLOUT)
        while not poll.poll(GLANCE_S * 1_000):
            patience.look()
            if time.monotonic() > deadline_s:
                raise TimeoutError
        code = plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


class _Reader(io.RawIOBase):
    """What comes from a server, waited for in glances."""

    def __init__(self, connection: ssl.SSLSocket, patience: _Patience) -> None:
        self._connection = connection
        self._patience = patience

    def readable(self) -> bool:
        """Tell that it is one to read from."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there."""
        return self._patience.wait(self._connection, partial(self._connection.recv_into, buffer))


class _Socket:
    """As much of a socket as http.client asks for."""

    def __init__(self, connection: ssl.SSLSocket, patience: _Patience) -> None:
        self._reader = io.BufferedReader(_Reader(connection, patience), READ_BYTES)
        self.sendall = connection.sendall

    def makefile(self, mode: str) -> io.BufferedIOBase:
        """Give what is to be read."""
        return self._reader

    def close(self) -> None:
        """``fetch`` closes the connection itself."""


def _ask(
    place: SplitResult, offset: int, context: ssl.SSLContext, connection: ssl.SSLSocket, patience: _Patience
) -> http.client.HTTPResponse:
    client = http.client.HTTPSConnection(place.hostname or "", place.port or 443, context=context)
    client.sock = _Socket(connection, patience)
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    path = (place.path or "/") + (f"?{place.query}" if place.query else "")
    client.request("GET", path, headers={"Accept-Encoding": "identity", "Connection": "close", **headers})
    return client.getresponse()


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
