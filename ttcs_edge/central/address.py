"""Addresses that an operator types: a broker's, and the one below which stations find audio."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from msgspec import Struct

from ttcs_edge.central.errors import CentralError
from ttcs_edge.core.limits import LIMITS

TLS_PORT: Final = 8883
_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
BROKER_PATTERN: Final = rf"(?:\[([0-9A-Fa-f:.]+)\]|({_NAME}))(?::([0-9]{{1,5}}))?"
URL_CHARS: Final = LIMITS.place_chars - 100
"""What an audio file's own name leaves of a place's length."""
URL_PATTERN: Final = r"https://[^\s/][!-~]*"


class BrokerAddress(Struct, frozen=True):
    """Where a broker listens for TLS."""

    host: str
    port: int = TLS_PORT

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_broker(text: str) -> BrokerAddress:
    """Read ``HOST``, ``HOST:PORT`` or ``[IPv6]:PORT``. Raises CentralError ``bad-broker``."""
    match = re.fullmatch(BROKER_PATTERN, text)
    if match is None or not 1 <= int(match[3] or TLS_PORT) <= 65_535:
        raise CentralError("bad-broker", found=text)
    return BrokerAddress(match[1] or match[2], int(match[3] or TLS_PORT))


def needed_broker(found: str | None) -> BrokerAddress:
    """Read the address that was found of a broker. Raises CentralError ``no-broker`` when none was, ``bad-broker``."""
    if found is None:
        raise CentralError("no-broker")
    return read_broker(found)


def check_host(text: str) -> None:
    """Check a host name or an IP address for a certificate. Raises CentralError ``bad-host``."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        if not re.fullmatch(_NAME, text) or len(text) > 253:
            raise CentralError("bad-host", found=text) from None


def check_audio_url(text: str) -> None:
    """Check the address of a folder of audio. Raises CentralError ``bad-url``."""
    if not re.fullmatch(URL_PATTERN, text) or len(text) > URL_CHARS:
        raise CentralError("bad-url", found=text)
