"""One answer over HTTPS, waited for in glances: a server has no way to hold who asks it.

Every wait is cut into glances, at which ``stop`` and the limits are looked at, however slowly it drips. Only the
look-up of a server's name is out of reach: it takes as long as the machine's resolver tries (resolv.conf; by default
5 s, twice, for each name server), and ``stop`` is seen after it.
"""

from __future__ import annotations

import errno
import http.client
import io
import os
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult

from ttcs_edge.link.window import hold_back

READ_BYTES = 64 * 1024
GLANCE_S = 0.25
"""How long ``stop`` and the limits may go unseen."""
FOUND_CHARS = 200
"""How much of a server's own words goes into a fault."""
T = TypeVar("T")


class FetchError(Exception):
    """A fetch failed; ``code`` is a fault code."""

    def __init__(self, code: str, **detail: str) -> None:
        super().__init__(f"{code} {detail}")
        self.code = code
        self.detail = tuple(detail.items())


class Stopped(Exception):
    """Something more urgent came up."""


def make_context(ca_file: Path | None) -> ssl.SSLContext:
    """The TLS settings of every fetch. Raises OSError when the file of authorities cannot be read."""
    return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)


@contextmanager
def named(url: str, silent_s: float) -> Iterator[None]:
    """Give what goes wrong on the network the code of its fault."""
    try:
        yield
    except ssl.SSLError as error:
        raise FetchError("tls", url=url, error=str(error)) from error
    except TimeoutError as error:
        raise FetchError("timeout", url=url, seconds=str(silent_s)) from error
    except socket.gaierror as error:
        raise FetchError("dns", url=url, error=str(error)) from error
    except ConnectionRefusedError as error:
        raise FetchError("refused", url=url) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchError("broken", url=url, error=(str(error) or type(error).__name__)[:FOUND_CHARS]) from error


class Patience:
    """Waits for a server in glances, and looks at the limits at each: it has ``silent_s`` to be connected to and to
    send its headers, and may be silent for as long after that.
    """

    def __init__(self, stop: Callable[[], bool], silent_s: float) -> None:
        self.silent_s = silent_s
        self._stop = stop
        self._heard_s = time.monotonic()
        self._answer_by_s: float | None = self._heard_s + silent_s

    def wait(self, connection: socket.socket, attempt: Callable[[], T]) -> T:
        """Do something with a connection until it succeeds. Raises Stopped, TimeoutError, or what ``look`` does."""
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
            raise Stopped
        if time.monotonic() > (self._answer_by_s or self._heard_s + self.silent_s):
            raise TimeoutError

    def share_s(self, among: int) -> float:
        """Give the part of the time up to the answer that each of so many tries may take."""
        return max(0.0, (self._answer_by_s or 0.0) - time.monotonic()) / among

    def answered(self) -> None:
        """The headers are there."""
        self._answer_by_s = None
        self._heard_s = time.monotonic()

    def heard(self, count: int) -> None:
        """Some of the answer came."""
        self._heard_s = time.monotonic()


def connect(host: str, port: int, context: ssl.SSLContext, patience: Patience) -> ssl.SSLSocket:
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


def _reach(plain: socket.socket, address: Any, timeout_s: float, patience: Patience) -> None:
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

    def __init__(self, connection: ssl.SSLSocket, patience: Patience) -> None:
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

    def __init__(self, connection: ssl.SSLSocket, patience: Patience) -> None:
        self._reader = io.BufferedReader(_Reader(connection, patience), READ_BYTES)
        self.sendall = connection.sendall

    def makefile(self, mode: str) -> io.BufferedIOBase:
        """Give what is to be read."""
        return self._reader

    def close(self) -> None:
        """Who asked closes the connection itself."""


def ask(
    place: SplitResult,
    context: ssl.SSLContext,
    connection: ssl.SSLSocket,
    patience: Patience,
    headers: Mapping[str, str],
) -> http.client.HTTPResponse:
    """Ask for a place, and wait for the headers of the answer."""
    client = http.client.HTTPSConnection(place.hostname or "", place.port or 443, context=context)
    client.sock = _Socket(connection, patience)
    path = (place.path or "/") + (f"?{place.query}" if place.query else "")
    client.request("GET", path, headers={"Accept-Encoding": "identity", "Connection": "close", **headers})
    return client.getresponse()
