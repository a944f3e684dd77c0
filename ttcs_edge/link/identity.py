"""The station's certificate while it lives: which one is in force, how another is asked for, and what is taken.

The key stays where it is. A renewed certificate is a file of the state folder, written whole; it is as public as what
is sent in every handshake, and is checked by whoever reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from ttcs_edge.core.documents import Refused
from ttcs_edge.core.model import Certificate, Instant
from ttcs_edge.core.renewal import SUBJECT
from ttcs_edge.link.client import OwnFilesError
from ttcs_edge.settings import BrokerSettings
from ttcs_edge.whole_files import PUBLIC, replace
from ttcs_edge.wire.certificates import Wrong, begins_of, check_certificate, load_key, make_request, public_bytes

CERTIFICATE_BYTES: Final = 16 * 1024
REFUSED: Final[dict[Wrong, str]] = {
    "unreadable": "certificate-unreadable",
    "of-another-authority": "certificate-of-another-authority",
    "of-another-key": "certificate-of-another-key",
    "of-another-name": "certificate-of-another-name",
    "of-another-time": "certificate-of-another-time",
}


class Identity:
    """Who a station is towards its broker. Every method reads files: none of them is for the core's thread."""

    def __init__(self, settings: BrokerSettings, station: str, now: Callable[[], Instant]) -> None:
        self._settings = settings
        self._station = station
        self._now = now

    def certificate(self) -> Certificate | None:
        """The certificate with which the next connection is made; None when there is none over the key.

        Raises OwnFilesError.
        """
        files = (self._settings.renewed_file, self._settings.certificate_file)
        found = (self._judged(_read(file), None) for file in files if file is not None)
        return next((one for one in found if isinstance(one, Certificate)), None)

    def request(self) -> bytes:
        """Ask for a certificate over the key (PKCS 10). Raises OwnFilesError."""
        key = load_key(_read(self._settings.key_file))
        if key is None:
            raise OwnFilesError(str(self._settings.key_file))
        return make_request(key, self._station)

    def read(self, payload: bytes) -> Certificate | Refused:
        """Check a certificate that came. One that began before that in force is history, such as what stands retained
        from before an enrolment: then that in force is given. Raises OwnFilesError.
        """
        if len(payload) > CERTIFICATE_BYTES:
            return Refused(REFUSED["unreadable"], SUBJECT)
        held, begins_ms = self.certificate(), begins_of(payload)
        if held is not None and begins_ms is not None and begins_ms < held.begins_ms:
            return held
        now = self._now()
        wall = datetime.fromtimestamp(now.wall_ms / 1_000, timezone.utc) if now.trusted else None
        found = self._judged(payload, wall)
        return Refused(REFUSED[found], SUBJECT) if isinstance(found, str) else found

    def keep(self, certificate: Certificate) -> None:
        """Have a certificate on disk. Raises OSError, and then the one before is still there."""
        assert self._settings.renewed_file is not None
        replace(self._settings.renewed_file, certificate.pem, PUBLIC)

    def _judged(self, pem: bytes, now: datetime | None) -> Certificate | Wrong:
        key = load_key(_read(self._settings.key_file))
        if key is None:
            raise OwnFilesError(str(self._settings.key_file))
        authority = _read(self._settings.ca_file)
        return check_certificate(pem, authority, self._station, public_bytes(key.public_key()), now)


def _read(file: Path) -> bytes:
    """The bytes of a file, none when it cannot be read: then it holds no certificate and no key."""
    try:
        with file.open("rb") as stream:
            return stream.read(1024 * 1024)
    except OSError:
        return b""
