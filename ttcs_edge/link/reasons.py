"""Why a connection to a broker did not come up, a station's or the centre's; the words are in ``locale.faults``."""

from __future__ import annotations

import socket
import ssl


def reason_of(error: Exception) -> str:
    """Name what kept a connection from coming up: a reason of ``backoff.RETRY``."""
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return "unreachable"  # a proxy without a broker behind it
    if isinstance(error, ssl.SSLError):
        text = str(error).lower()
        if "wrong version number" in text or "wrong_version_number" in text:
            return "no-tls"  # what answers is no broker: a captive portal's login page, most likely
        wrong_time = "expired" in text or "not yet valid" in text
        return "tls-expired" if wrong_time else "tls"
    if isinstance(error, TimeoutError):
        return "timeout"
    return "dns" if isinstance(error, socket.gaierror) else "unreachable"
