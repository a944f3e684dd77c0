"""DSSE envelopes: what is signed, and by whom. Made and verified with securesystemslib (DSSE v1, Ed25519).

Bounds come before parsing, parsing before cryptography. A name that stands twice in an object is refused: two readers
could take two different values from it. Half of a surrogate pair, which JSON can write and UTF-8 cannot, is refused:
no report or database could carry it on. Only keys that are known are tried, and a key counts once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import Signer, SSlibKey  # type: ignore[attr-defined]

from ttcs_edge.core.documents import PublicKey, Refused
from ttcs_edge.core.limits import LIMITS

PAYLOAD_TYPES = {
    "programme": "application/vnd.ttcs.programme+json",
    "trust": "application/vnd.ttcs.trust+json",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """An envelope that could be read: its payload, and which known keys signed it well."""

    payload: bytes
    signers: frozenset[str]


_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")


class _Twice(ValueError):
    """A name stands twice in one object."""


def read_json(data: bytes, subject: str) -> Any | Refused:
    """Parse JSON from outside: UTF-8, no name twice, no NaN, bounded in size and nesting."""
    if len(data) > LIMITS.envelope_bytes:
        return Refused("oversized", subject, (("found", str(len(data))), ("expected", f"<= {LIMITS.envelope_bytes}")))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return Refused("not-utf8", subject, (("found", f"byte {error.start}"),))
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except _Twice as error:
        return Refused("duplicate-key", subject, (("found", shown(error)),))
    except RecursionError:
        return _nested(subject)
    except ValueError as error:
        return Refused("not-json", subject, (("found", shown(error)),))
    if isinstance(value, dict | list) and _too_deep(value, LIMITS.nesting):
        return _nested(subject)
    if _HALF_PAIR.search(text) and not _can_be_written(value):
        return Refused("not-utf8", subject, (("found", "half a surrogate pair"),))
    return value


def shown(found: object) -> str:
    """What was found, as a refusal may carry it: short, and writable as UTF-8 whatever stood there."""
    return str(found)[: LIMITS.found_chars].encode("utf-8", "replace").decode("utf-8")


def _can_be_written(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _nested(subject: str) -> Refused:
    return Refused("too-deep", subject, (("expected", f"<= {LIMITS.nesting}"),))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for at, name in enumerate(names) if name in names[:at]))
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _too_deep(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        nodes = (node.values() if isinstance(node, dict) else node for node in level)
        level = [child for children in nodes for child in children if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def open_envelope(data: bytes, payload_type: str, keys: Mapping[str, PublicKey], subject: str) -> Opened | Refused:
    """Open a DSSE envelope and find the known keys whose signatures are good."""
    envelope = _read_envelope(data, payload_type, subject)
    if isinstance(envelope, Refused):
        return envelope
    known = [
        SSlibKey(keyid, keys[keyid].keytype, keys[keyid].scheme, {"public": keys[keyid].public})
        for keyid in envelope.signatures
        if keyid in keys
    ]
    return Opened(envelope.payload, frozenset(key.keyid for key in known if _verifies(envelope, key)))


def read_envelope_payload(data: bytes, payload_type: str, subject: str) -> bytes | Refused:
    """The payload alone, before anybody's signature was looked at: only a trust root is read so, to learn its keys."""
    envelope = _read_envelope(data, payload_type, subject)
    return envelope if isinstance(envelope, Refused) else envelope.payload


def _read_envelope(data: bytes, payload_type: str, subject: str) -> Envelope | Refused:
    value = read_json(data, subject)
    if isinstance(value, Refused):
        return value
    if not isinstance(value, dict) or not isinstance(value.get("signatures"), list):
        return Refused("not-an-envelope", subject)
    if len(value["signatures"]) > LIMITS.signatures:
        found = str(len(value["signatures"]))
        return Refused("too-many-signatures", subject, (("found", found), ("expected", f"<= {LIMITS.signatures}")))
    try:
        envelope = Envelope.from_dict(value)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Refused("not-an-envelope", subject)
    if envelope.payload_type != payload_type:
        return Refused(
            "wrong-payload-type", subject, (("found", shown(envelope.payload_type)), ("expected", payload_type))
        )
    return envelope


def _verifies(envelope: Envelope, key: SSlibKey) -> bool:
    try:
        key.verify_signature(envelope.signatures[key.keyid], envelope.pae())
    except (UnverifiedSignatureError, VerificationError, ValueError, TypeError):
        return False
    return True


def sign(payload: bytes, payload_type: str, signers: Sequence[Signer]) -> bytes:
    """Make an envelope of a payload, signed by each of the signers. Raises what a signer raises."""
    envelope = Envelope(payload, payload_type, {})
    for signer in signers:
        envelope.sign(signer)
    return json.dumps(envelope.to_dict(), separators=(",", ":"), sort_keys=True).encode()
