"""One audio file over HTTPS: resumed with Range after a break, bounded in time and size (RFC 9110, section 14).

Redirects are refused: a captive portal's login page must not pass for audio. What comes is never read beyond the size
that was signed; whether it is right is for its hash to say.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

from ttcs_edge.settings import HttpsSettings

READ_BYTES = 64 * 1024


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


def fetch(url: str, part: Part, settings: HttpsSettings, context: ssl.SSLContext, stop: Callable[[], bool]) -> bool:
    """Fetch what a part still lacks; False when ``stop`` asked to leave off.

    Raises FetchError, and what ``part`` raises.
    """
    deadline_s = time.monotonic() + settings.total_timeout_s
    parts = urlsplit(url)
    try:
        connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port or 443, timeout=settings.read_timeout_s, context=context
        )
        try:
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            headers = {"Range": f"bytes={part.offset}-"} if part.offset else {}
            connection.request("GET", path or "/", headers={"Accept-Encoding": "identity", **headers})
            response = connection.getresponse()
            _check_status(response, part, url)
            return _read(response, part, deadline_s, stop)
        finally:
            connection.close()
    except ssl.SSLError as error:
        raise FetchError("tls", url=url, error=str(error)) from error
    except TimeoutError as error:
        raise FetchError("timeout", url=url, seconds=str(settings.read_timeout_s)) from error
    except socket.gaierror as error:
        raise FetchError("dns", url=url, error=str(error)) from error
    except ConnectionRefusedError as error:
        raise FetchError("refused", url=url) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchError("broken", url=url, error=str(error) or type(error).__name__) from error


def _check_status(response: http.client.HTTPResponse, part: Part, url: str) -> None:
    status = response.status
    if 300 <= status < 400:
        raise FetchError("redirect", url=url, found=(response.getheader("Location") or "")[:200])
    if status == 200:
        if part.offset:
            part.restart()
    elif status == 206:
        _check_range(response, part, url)
    elif status == 416:
        part.restart()
        raise FetchError("broken", url=url, error="416")
    else:
        raise FetchError("http-status", url=url, found=str(status))
    length = response.getheader("Content-Length")
    if length is not None and length.isdecimal() and part.offset + int(length) > part.size_bytes:
        raise FetchError("too-large", url=url, found=str(part.offset + int(length)), expected=str(part.size_bytes))


def _check_range(response: http.client.HTTPResponse, part: Part, url: str) -> None:
    found = response.getheader("Content-Range") or ""
    if not found.startswith(f"bytes {part.offset}-"):
        part.restart()
        raise FetchError("broken", url=url, error=f"Content-Range {found[:60]}")


def _read(response: http.client.HTTPResponse, part: Part, deadline_s: float, stop: Callable[[], bool]) -> bool:
    while part.offset < part.size_bytes:
        if stop():
            return False
        if time.monotonic() > deadline_s:
            raise FetchError("too-slow", found=str(part.offset), expected=str(part.size_bytes))
        data = response.read1(min(READ_BYTES, part.size_bytes - part.offset + 1))
        if not data:
            raise FetchError("short", found=str(part.offset), expected=str(part.size_bytes))
        part.write(data)
    return True
