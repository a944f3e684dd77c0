"""``ttcs-central renew``: a new certificate for each station that asks, over the key that it has.

A station's request stands retained on its own topic, where only the holder of its certificate can put it, until it has
its answer: so one round answers all that wait, and nothing is lost while this does not run. What is given stands
retained, too. Who asks earlier than a station does, or again, is sent what it has: a stolen key cannot have the centre
sign without end. A certificate that was taken back, or one that has run out, is not renewed: ``enrol`` is for these.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.authority import certify_station
from ttcs_edge.central.broker import Heard, OperatorClient
from ttcs_edge.central.centre import Centre
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.revocation import load
from ttcs_edge.central.stations import files_of
from ttcs_edge.core.renewal import ASKED_PART
from ttcs_edge.locale import Language, text
from ttcs_edge.whole_files import PUBLIC, replace
from ttcs_edge.wire.certificates import name_of, public_bytes, read_request
from ttcs_edge.wire.topics import OWN_CERTIFICATE, RENEWAL, Topics

LOOK_UP_S: Final = 1.0
EARLY: Final = timedelta(days=30)
"""So much before a station asks by itself it may be given a new one: a station's clock is not the centre's."""

Refusal = Literal["no-station", "other-key", "other-name", "unreadable"]


class Renewed(Struct, frozen=True):
    """What a station is sent: PEM, until when it holds, and whether it was made just now."""

    pem: bytes
    until: datetime
    is_new: bool


def renewal(centre: Centre, station: str, pkcs10: bytes, now: datetime) -> Renewed | Refusal:
    """Answer one request. Raises CentralError and OSError for the centre's own files."""
    request = read_request(pkcs10)
    key = None if request is None else request.public_key()
    if request is None or not isinstance(key, ec.EllipticCurvePublicKey):
        return "unreadable"
    if name_of(request.subject) != station:
        return "other-name"
    with centre.alone():
        files = files_of(centre, station)
        if not files.record.exists():
            return "no-station"
        held = load(files.record.read_bytes(), files.record)
        if public_bytes(held.public_key()) != public_bytes(key):
            return "other-key"
        if not _may_renew(held, now):
            return Renewed(files.record.read_bytes(), held.not_valid_after_utc, is_new=False)
        files.shelve(held.serial_number)
        pem = certify_station(centre.authority, key, station)
        replace(files.record, pem, PUBLIC)
    return Renewed(pem, load(pem, files.record).not_valid_after_utc, is_new=True)


def _may_renew(held: x509.Certificate, now: datetime) -> bool:
    begins, ends = held.not_valid_before_utc, held.not_valid_after_utc
    return ends - (ends - begins) / ASKED_PART - EARLY <= now < ends


def renew(
    centre: Centre, broker: BrokerAddress, lang: Language, failed: Callable[[CentralError], None], *, keep: bool
) -> None:
    """Answer all that ask, once or for ever.

    Raises CentralError when the broker cannot be reached. For ever, that is at first; later ``failed`` is told, and
    whoever was not answered is answered when the broker is back, which has the request still.
    """
    topics = Topics(centre.settings.topic_root)
    with OperatorClient(centre, broker, (topics.station("+", RENEWAL),)).connected() as client:
        client.await_retained(topics.station("-", RENEWAL))
        count = 0
        while keep or not client.incoming.empty():
            try:
                heard = client.incoming.get(timeout=LOOK_UP_S)
            except queue.Empty:
                continue
            if isinstance(heard, Heard) and heard.payload and (station := topics.renewal_station(heard.topic)):
                count += 1
                try:
                    _answer(centre, client, topics, station, heard.payload, lang)
                except CentralError as error:
                    if not keep:
                        raise
                    failed(error)
        if not count:
            print(text("central.renewed-none", lang))


def _answer(
    centre: Centre, client: OperatorClient, topics: Topics, station: str, pkcs10: bytes, lang: Language
) -> None:
    """Answer one; what goes wrong with it keeps nobody else from an answer."""
    try:
        found: Renewed | str = renewal(centre, station, pkcs10, datetime.now(timezone.utc))
    except (CentralError, OSError):
        found = "broken"
    if isinstance(found, Renewed):
        client.publish(topics.station(station, OWN_CERTIFICATE), found.pem)
        code = "central.renewed" if found.is_new else "central.renewed-before"
        print(text(code, lang, id=station, date=f"{found.until:%Y-%m-%d}"), flush=True)
    else:
        reason = text(f"central.renewal-refused.{found}", lang)
        print(text("central.renewal-refused", lang, id=station, reason=reason), flush=True)
