"""How a station becomes one of a centre's: a request, an answer, and what both know besides, a one-time code.

Nobody has certified the station yet, and it knows no authority: what each end believes of the other is that it knows
the code, which a person read to another. The station makes its key and never gives it away; what it sends is a request
for a certificate (PKCS 10, RFC 2986), which only the holder of the key can make.

1. ``key = scrypt(code)`` (RFC 7914). The code has 75 bits, lives for an hour and counts once; scrypt makes a guess at
   what somebody recorded dear. It has no salt of its own: the centre computes it once, so a flood of requests costs it
   one HMAC each.
2. A request proves the code by an HMAC over the PKCS 10 bytes.
3. An answer is proven by another HMAC, over the whole request and all that is given: an answer to another request, or
   one that the station itself could have sent, is none.
4. ``received`` tells the centre that the answer is on the station's disk.

Whoever stands in between can hold back, and learns what is public anyway. The same bytes go over the enrolment broker
(``topic``) and on a stick. What is from outside is read with bounds, and is a value or None.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from ttcs_edge.core.documents import Refused
from ttcs_edge.wire.json_text import read_json

REQUEST_BYTES: Final = 4_096
ANSWER_BYTES: Final = 512 * 1024
"""A trust root of many keys, a station.yaml and three certificates are well below it."""
SCRYPT_N: Final = 2**15
SCRYPT_R: Final = 8
SCRYPT_MEMORY_BYTES: Final = 64 * 1024 * 1024
TOPIC: Final = "ttcs-enrol"
"""Below no centre's root: a station that enrols does not know it yet, and the enrolment broker has nothing else."""
PORT: Final = 8884
CLIENT_BYTES: Final = 16
STICK_FOLDER: Final = "ttcs-enrol"
REQUEST_SUFFIX: Final = ".request.json"
ANSWER_SUFFIX: Final = ".answer.json"

T = TypeVar("T")


class Request(Struct, frozen=True, tag="request", tag_field="enrol", forbid_unknown_fields=True):
    """A station asks: its PKCS 10 request (DER, base64), and the proof of the code."""

    pkcs10: str
    proof: str


class Received(Struct, frozen=True, tag="received", tag_field="enrol", forbid_unknown_fields=True):
    """A station has what was given to it, on its disk; ``request`` is the SHA-256 of what it had asked."""

    request: str
    proof: str


class Answer(Struct, frozen=True, tag="answer", tag_field="enrol", forbid_unknown_fields=True):
    """A centre answers: to which request (its SHA-256), what it gives (JSON, base64), and the proof of the code."""

    request: str
    given: str
    proof: str


class Given(Struct, frozen=True, forbid_unknown_fields=True):
    """All that a station needs beside its key. Certificates are PEM; ``trust`` is a signed trust root."""

    station: str
    scope: str
    certificate: str
    authority: str
    trust: str
    config: str


class Secret(Struct, frozen=True):
    """What both ends make of a code."""

    key: bytes

    def ask(self, pkcs10: bytes) -> bytes:
        """Make the bytes of a request."""
        return msgspec.json.encode(Request(_base64(pkcs10), self._tag(b"request", pkcs10).hex()))

    def pkcs10_of(self, request: Request) -> bytes | None:
        """Give the PKCS 10 request that whoever knows the code has made; None when nobody did who knows it."""
        pkcs10 = _bytes(request.pkcs10)
        right = pkcs10 is not None and _same(request.proof, self._tag(b"request", pkcs10))
        return pkcs10 if right else None

    def answer(self, request: bytes, given: Given) -> bytes:
        """Make the bytes of the answer to a request."""
        body, asked = msgspec.json.encode(given), hashlib.sha256(request).digest()
        return msgspec.json.encode(Answer(asked.hex(), _base64(body), self._tag(b"answer", asked, body).hex()))

    def given(self, request: bytes, answer: bytes) -> Given | None:
        """Give what somebody who knows the code has answered to this very request; None for any other answer."""
        read, asked = read_message(answer, Answer, ANSWER_BYTES), hashlib.sha256(request).digest()
        if read is None or not hmac.compare_digest(read.request.encode(), asked.hex().encode()):
            return None
        body = _bytes(read.given)
        if body is None or not _same(read.proof, self._tag(b"answer", asked, body)):
            return None
        return read_message(body, Given, ANSWER_BYTES)

    def receive(self, request: bytes) -> bytes:
        """Make the bytes that tell that the answer to a request is on disk."""
        asked = hashlib.sha256(request).digest()
        return msgspec.json.encode(Received(asked.hex(), self._tag(b"received", asked).hex()))

    def is_received(self, received: Received, request: bytes) -> bool:
        """Tell whether the station that asked has its answer."""
        asked = hashlib.sha256(request).digest()
        return received.request == asked.hex() and _same(received.proof, self._tag(b"received", asked))

    def _tag(self, use: bytes, *parts: bytes) -> bytes:
        # What each proof is of stands first, and no part can be read as two: only the last is of any length.
        return hmac.digest(self.key, b"ttcs enrolment 1 " + use + b"\0" + b"".join(parts), "sha256")


def secret_of(code: str) -> Secret:
    """What both ends make of a code that ``read_code`` gave; takes a tenth of a second and 32 MB, once."""
    key = hashlib.scrypt(
        code.encode(), salt=b"ttcs enrolment 1", n=SCRYPT_N, r=SCRYPT_R, p=1, maxmem=SCRYPT_MEMORY_BYTES, dklen=32
    )
    return Secret(key)


def read_request(data: bytes) -> Request | Received | None:
    """Read what came from a station that nobody knows yet; None for what is none."""
    return read_message(data, Request | Received, REQUEST_BYTES)  # type: ignore[arg-type]


def read_message(data: bytes, kind: type[T], most_bytes: int) -> T | None:
    """Read JSON from outside as one kind of message; None for what is none, or too long."""
    value = read_json(data, "enrolment", most_bytes)
    if isinstance(value, Refused):
        return None
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return None


def request_topic(client: str) -> str:
    """Where a station asks that calls itself so at the enrolment broker."""
    return f"{TOPIC}/{client}/request"


def answer_topic(client: str) -> str:
    """Where it hears its answer."""
    return f"{TOPIC}/{client}/answer"


def client_of(topic: str) -> str | None:
    """Who asks on a topic; None for any other topic."""
    parts = topic.split("/")
    return parts[1] if len(parts) == 3 and (parts[0], parts[2]) == (TOPIC, "request") else None


def _same(found: str, expected: bytes) -> bool:
    return hmac.compare_digest(found.encode("utf-8", "replace"), expected.hex().encode())


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()


def _bytes(text: str) -> bytes | None:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return None
