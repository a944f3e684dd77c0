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
from ttcs_edge.central.files import PUBLIC, replace
from ttcs_edge.central.stations import check_id, files_of


def revoke(centre: Centre, station: str) -> int:
    """Take a station's certificate back and forget the station; gives the serial. Raises CentralError ``no-station``.

    Its id may be given anew. What was broken off is done by the next try: the record goes last.
    """
    check_id(station)
    with centre.alone():
        files = files_of(centre, station)
        try:
            data = files.record.read_bytes()
        except FileNotFoundError:
            raise CentralError("no-station", id=station, folder=centre.folder / "stations") from None
        serial = _load(data, files.record).serial_number
        kept = centre.folder / "revoked"
        kept.mkdir(mode=0o700, exist_ok=True)
        replace(kept / f"{station}.{serial:x}.crt", data, PUBLIC)
        revoked(centre)
        for file in (files.tar, files.scope, files.record):
            file.unlink(missing_ok=True)
    return serial


def revoked(centre: Centre) -> bytes:
    """The list as it stands, made first where it lacks a certificate or is not there. Raises CentralError."""
    file = centre.folder / "crl.pem"
    before = _standing(file)
    serials = {_load(one.read_bytes(), one).serial_number for one in (centre.folder / "revoked").glob("*.crt")}
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


def _load(data: bytes, file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(data)
    except ValueError as error:
        raise CentralError("bad-centre", file=file, found=str(error)[:40]) from error
