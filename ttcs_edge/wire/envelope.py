"""DSSE envelopes: what is signed, and by whom. Made and verified with securesystemslib (DSSE v1, Ed25519).

Bounds come before parsing, parsing before cryptography. Only keys that are known are tried, and a key counts once.

The envelope itself is read as DSSE v1 asks: standard or URL-safe base64, unknown fields passed over (nobody signed
them), a missing ``keyid`` like an empty one. What was signed is what the base64 gives, to the letter.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence, Set
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Meta, Struct
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import Signature, Signer, SSlibKey

from ttcs_edge.core.documents import PublicKey, Refused
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.wire.json_text import read_json, shown

PAYLOAD_TYPES = {
    "programme": "application/vnd.ttcs.programme+json",
    "trust": "application/vnd.ttcs.trust+json",
    "beacon": "application/vnd.ttcs.beacon+json",
    "command": "application/vnd.ttcs.command+json",
    "alert": "application/vnd.ttcs.alert+json",
    "live": "application/vnd.ttcs.live+json",
}


BASE64_PATTERN = r"^([A-Za-z0-9+/_-]{4})*([A-Za-z0-9+/_-]{2}==|[A-Za-z0-9+/_-]{3}=)?(?!\n)$"
Base64 = Annotated[str, Meta(extra_json_schema={"pattern": BASE64_PATTERN, "contentEncoding": "base64"})]
"""Checked by decoding it: a pattern over megabytes would be the slowest part of reading a document."""

PayloadType = Annotated[str, Meta(extra_json_schema={"enum": sorted(PAYLOAD_TYPES.values())})]
"""Compared with the one type that is expected, and refused with both."""


class DsseSignature(Struct, frozen=True, kw_only=True):
    """One signature over a payload and its type. ``keyid`` names the key: a signature whose key is not known here, or
    not named, counts for nothing.
    """

    sig: Base64
    keyid: str = ""


class DsseEnvelope(Struct, frozen=True, kw_only=True):
    """A document and its signatures, each made over the DSSE v1 pre-authentication encoding of type and payload.

    Base64 is that of RFC 4648 with padding, in the standard or the URL-safe alphabet. Unknown fields are passed over.
    """

    payload: Base64
    payloadType: PayloadType  # noqa: N815 (the name on the wire)
    signatures: Annotated[tuple[DsseSignature, ...], Meta(max_length=LIMITS.signatures)]


class _Signature(Struct):
    keyid: str
    sig: bytes


class _Envelope(Struct):
    payload: bytes
    payloadType: str  # noqa: N815 (the name on the wire)
    signatures: list[_Signature]


class Sealed(Struct, frozen=True):
    """An envelope that could be read. Whose word the payload is, ``signers`` tells."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]

    def signers(self, keys: Mapping[str, PublicKey]) -> frozenset[str]:
        """The ids of those among ``keys`` whose signatures are good.

        Of each key the first few are looked at: a forged document must not cost much more than a good one.
        """
        signed = Envelope(self.payload, self.payload_type, {}).pae()
        tries = {keyid: [one for one in self.signatures if one.keyid == keyid] for keyid in keys}
        return frozenset(
            keyid
            for keyid, some in tries.items()
            if any(_verifies(one, keys[keyid], signed) for one in some[: LIMITS.signatures_per_key])
        )


def read_envelope(data: bytes, payload_type: str, subject: str) -> Sealed | Refused:
    """Read a DSSE envelope of one payload type, before anybody's signature is looked at."""
    sealed = _plain(data) or _looked_at_closely(data, subject)
    if isinstance(sealed, Refused) or sealed.payload_type == payload_type:
        return sealed
    return Refused("wrong-payload-type", subject, (("found", shown(sealed.payload_type)), ("expected", payload_type)))


def _plain(data: bytes) -> Sealed | None:
    """An envelope whose bytes are just those that we would write, as the centre's are; None for others.

    In such bytes no name stands twice, nothing is nested deeper, and the base64 is that of the standard.
    """
    if len(data) > LIMITS.envelope_bytes:
        return None
    try:
        envelope = msgspec.json.decode(data, type=_Envelope)
    except (ValueError, RecursionError):  # named by who looks at it closely
        return None
    if len(envelope.signatures) > LIMITS.signatures or msgspec.json.encode(envelope) != data:
        return None
    return Sealed(
        envelope.payload,
        envelope.payloadType,
        tuple(Signature(one.keyid, one.sig.hex()) for one in envelope.signatures),
    )


def _looked_at_closely(data: bytes, subject: str) -> Sealed | Refused:
    value = read_json(data, subject)
    if isinstance(value, Refused):
        return value
    if not isinstance(value, dict) or not isinstance(value.get("signatures"), list):
        return Refused("not-an-envelope", subject)
    if len(value["signatures"]) > LIMITS.signatures:
        found = str(len(value["signatures"]))
        return Refused("too-many-signatures", subject, (("found", found), ("expected", f"<= {LIMITS.signatures}")))
    try:
        envelope = msgspec.convert(value, DsseEnvelope)
        payload = decoded(envelope.payload)
        signatures = tuple(Signature(one.keyid, decoded(one.sig).hex()) for one in envelope.signatures)
    except ValueError as error:  # msgspec.ValidationError and binascii.Error are
        return Refused("not-an-envelope", subject, (("found", shown(error)),))
    return Sealed(payload, envelope.payloadType, signatures)


_URL_SAFE = str.maketrans("-_", "+/")


STRIDE_CHARS = 256 * 1024
"""How much is decoded at once: other threads wait for no more than that. A multiple of four."""


def decoded(text: str) -> bytes:
    """Base64 to the letter: nothing beside the alphabet is passed over. Raises ValueError."""
    plain = text.translate(_URL_SAFE) if "-" in text or "_" in text else text
    if plain.find("=", 0, -2) >= 0:
        raise ValueError("Excess data after padding")
    strides = range(0, len(plain), STRIDE_CHARS)
    return b"".join(b64decode(plain[begin : begin + STRIDE_CHARS], validate=True) for begin in strides)


def key_id(key: PublicKey) -> str:
    """The id of a key: the SHA-256 of its canonical JSON, as securesystemslib derives it. Empty for what is no key."""
    try:
        return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.public))).keyid
    except ValueError:
        return ""


def _verifies(signature: Signature, key: PublicKey, signed: bytes) -> bool:
    try:
        SSlibKey(signature.keyid, key.keytype, key.scheme, {"public": key.public}).verify_signature(signature, signed)
    except (UnverifiedSignatureError, VerificationError, ValueError, TypeError):
        return False
    return True


def sign(payload: bytes, payload_type: str, signers: Sequence[Signer]) -> bytes:
    """Make an envelope of a payload, signed by each of the signers. Raises what a signer raises."""
    return countersign(Sealed(payload, payload_type, ()), frozenset(), signers)


def countersign(sealed: Sealed, keep: Set[str], signers: Sequence[Signer]) -> bytes:
    """Make an envelope of the very same payload: with its signatures of the keys to ``keep``, and those of the signers.

    Raises what a signer raises.
    """
    kept = {one.keyid: one for one in sealed.signatures if one.keyid in keep}
    envelope = Envelope(sealed.payload, sealed.payload_type, kept)
    for signer in signers:
        envelope.sign(signer)
    return json.dumps(envelope.to_dict(), separators=(",", ":"), sort_keys=True).encode()
