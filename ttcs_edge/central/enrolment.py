"""Who may become a station: one code for one station, and the one request that proves it.

``Enrolling`` judges what strangers send, and knows no network. A code counts once, for an hour or, by stick, for two
weeks. It is dead after so many requests that are not its own: nobody mistypes a code past its check, so these are
guesses. With 75 bits, the chance of ``GUESSES_MOST`` of them is one in 10^19.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from ttcs_edge.central.authority import certify_station
from ttcs_edge.central.centre import Centre, read_file
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.revocation import load, take_back
from ttcs_edge.central.stations import StationFiles, known_station
from ttcs_edge.whole_files import PUBLIC, replace
from ttcs_edge.wire.certificates import public_bytes, read_request
from ttcs_edge.wire.code import fingerprint
from ttcs_edge.wire.enrolment import Given, Received, Secret
from ttcs_edge.wire.enrolment import read_request as read_message

GUESSES_MOST: Final = 1_000
MESSAGES_MOST: Final = 16
"""How many requests of one key are remembered: a command that was run again has made another one."""

Verdict = Literal["asks", "received", "other", "dead"]


class Asked(Struct, frozen=True):
    """What proves the code: the requests that came, the last one last, and the key that all of them are over."""

    messages: tuple[bytes, ...]
    key: ec.EllipticCurvePublicKey

    @property
    def fingerprint(self) -> str:
        """What two people compare."""
        return fingerprint(public_bytes(self.key))


class Enrolling:
    """One code: who proved to know it, and how often somebody who does not has tried."""

    def __init__(
        self, secret: Secret, until_s: float, guesses: int = 0, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.secret = secret
        self._guesses = guesses
        self._others: set[bytes] = set()
        self.asked: Asked | None = None
        self.received = False
        self._until_s = until_s
        self._now_s = now_s

    @property
    def is_over(self) -> bool:
        """Whether the time of the code is over."""
        return self._now_s() >= self._until_s

    @property
    def guesses(self) -> int:
        """How many requests had another code. One that comes again, as that of a station beside does, is one."""
        return self._guesses + len(self._others)

    @property
    def is_dead(self) -> bool:
        """Whether too many guesses were made."""
        return self.guesses >= GUESSES_MOST

    def hear(self, data: bytes) -> Verdict:
        """Judge what somebody sent.

        ``asks``: it is the request, for the first time or again. ``received``: its answer is on the station's disk.
        ``dead``: a second key was brought with the same code, so two people know it. ``other``: nothing of ours.
        """
        if self.is_dead:
            return "other"
        message = read_message(data)
        if isinstance(message, Received):
            messages = () if self.asked is None else self.asked.messages
            if not any(self.secret.is_received(message, asked) for asked in messages):
                return "other"
            self.received = True
            return "received"
        if message is None or self.is_over:
            return "other"
        pkcs10 = self.secret.pkcs10_of(message)
        if pkcs10 is None:
            self._others.add(hashlib.sha256(data).digest())
            return "other"
        request = read_request(pkcs10)
        key = None if request is None else request.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            return "other"
        if self.asked is not None and public_bytes(key) != public_bytes(self.asked.key):
            return "dead"
        before = () if self.asked is None else tuple(one for one in self.asked.messages if one != data)
        self.asked = Asked((*before, data)[-MESSAGES_MOST:], key)
        return "asks"


def check_new(files: StationFiles, station: str, *, again: bool) -> None:
    """See that no certificate is replaced unasked. Raises CentralError ``enrolled-already``."""
    if files.record.exists() and not again:
        raise CentralError("enrolled-already", id=station)


def give(centre: Centre, station: str, asked: Asked, *, again: bool) -> Given:
    """Certify a station's key and give all that it needs. The certificate before, if any, is kept among the former.

    The same key again is given what it was given: an answer may be lost. Raises CentralError ``enrolled-already``.
    """
    with centre.alone():
        files = known_station(centre, station)
        certificate = _recorded(files, asked)
        if certificate is None:
            check_new(files, station, again=again)
            if files.record.exists():
                files.shelve(load(files.record.read_bytes(), files.record).serial_number)
            certificate = certify_station(centre.authority, asked.key, station)
            replace(files.record, certificate, PUBLIC)
    return Given(
        station=station,
        scope=read_file(files.scope).decode().strip(),
        certificate=certificate.decode(),
        authority=centre.authority.certificate.decode(),
        trust=centre.trust.envelope.decode(),
        config=read_file(files.config).decode(),
    )


def end_former(centre: Centre, station: str) -> tuple[int, ...]:
    """Take back what a station had before it enrolled again; gives the serials."""
    with centre.alone():
        return take_back(centre, station, former=True) if known_station(centre, station).former else ()


def _recorded(files: StationFiles, asked: Asked) -> bytes | None:
    if not files.record.exists():
        return None
    data = files.record.read_bytes()
    same = public_bytes(load(data, files.record).public_key()) == public_bytes(asked.key)
    return data if same else None
