"""Certificates that count no more: the centre's list of them, for its broker (RFC 5280, 5).

    revoked/<id>.<serial>.crt      each certificate that was taken back
    crl.pem                        the list, signed by the centre's authority

The list holds as long as the authority: a broker refuses everybody behind a list that has run out, and no village
should fall silent because nobody renewed it.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography import x509

from ttcs_edge.central.authority import make_revocation_list
from ttcs_edge.central.centre import Centre
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.stations import files_of, known_station
from ttcs_edge.whole_files import PUBLIC, replace


def revoke(centre: Centre, station: str) -> tuple[int, ...]:
    """Take a station's certificates back and forget the station; gives their serials. Raises CentralError
    ``no-station``.

    Its id may be given anew. What was broken off is done by the next try: what makes the station known goes last.
    """
    with centre.alone():
        files = known_station(centre, station)
        serials = take_back(centre, station)
        for file in (files.code, files.scope, files.config):
            file.unlink(missing_ok=True)
    return serials


def take_back(centre: Centre, station: str, *, former: bool = False) -> tuple[int, ...]:
    """Take back every certificate that a station has, or only those ``former`` to the one in force; gives the serials.

    For who holds the centre; what was broken off is done by the next try. Raises CentralError.
    """
    files = files_of(centre, station)
    held = [*files.former, *([files.record] if files.record.exists() and not former else [])]
    serials = tuple(load(one.read_bytes(), one).serial_number for one in held)
    kept = centre.folder / "revoked"
    kept.mkdir(mode=0o700, exist_ok=True)
    for file, serial in zip(held, serials, strict=True):
        replace(kept / f"{station}.{serial:x}.crt", file.read_bytes(), PUBLIC)
    revoked(centre)
    for file in held:
        file.unlink()
    return serials


def revoked(centre: Centre) -> bytes:
    """The list as it stands, made first where it lacks a certificate or is not there. Raises CentralError."""
    file = centre.folder / "crl.pem"
    before = _standing(file)
    serials = {load(one.read_bytes(), one).serial_number for one in (centre.folder / "revoked").glob("*.crt")}
    known: dict[int, datetime | None] = (
        {} if before is None else {one.serial_number: one.revocation_date_utc for one in before}
    )
    if before is None or serials - known.keys():
        data = make_revocation_list(centre.authority, dict.fromkeys(sorted(serials)) | known, before)
        replace(file, data, PUBLIC)
    return file.read_bytes()


def _standing(file: Path) -> x509.CertificateRevocationList | None:
    try:
        return x509.load_pem_x509_crl(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise CentralError("bad-centre", file=file, found=str(error)[:40]) from error


def load(data: bytes, file: Path) -> x509.Certificate:
    """Read a certificate that the centre gave out. Raises CentralError ``bad-centre``."""
    try:
        return x509.load_pem_x509_certificate(data)
    except ValueError as error:
        raise CentralError("bad-centre", file=file, found=str(error)[:40]) from error
