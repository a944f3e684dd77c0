"""Bytes to documents and back. ``bytes -> Signed[...] | Refused``: nothing half verified exists in between.

A field that a document's type does not know is refused: a station that overlooked a new field (who must not hear it,
until when it holds) would air what nobody signed for. A new field therefore comes with a new payload type.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, TypeVar
from zoneinfo import ZoneInfoNotFoundError

import msgspec

from ttcs_edge.core.documents import (
    Audio,
    Bulletin,
    Document,
    Grant,
    Programme,
    PublicKey,
    Refused,
    Signed,
    Slot,
    TrustRoot,
)
from ttcs_edge.core.schedule import check_slot, zone
from ttcs_edge.core.trust import utc_ms
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, Opened, open_envelope, read_envelope_payload, read_json, shown

D = TypeVar("D", Programme, TrustRoot)

_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<path>.*)`)?$", re.DOTALL)


def read_programme(data: bytes, trust: TrustRoot, subject: str = "") -> Signed[Programme] | Refused:
    """Read a programme whose signatures are checked against the keys of ``trust``; ``subject`` names it in refusals."""
    opened = open_envelope(data, PAYLOAD_TYPES["programme"], trust.keys, subject)
    if isinstance(opened, Refused):
        return opened
    if not opened.signers:
        # Nobody known signed it: what it says is not worth parsing.
        return Refused("not-enough-signatures", subject, (("found", "0"), ("expected", ">= 1")))
    programme = parse_programme(opened.payload, subject)
    return programme if isinstance(programme, Refused) else Signed(programme, opened.signers, data)


def parse_programme(payload: bytes, subject: str) -> Programme | Refused:
    """Read the payload of a programme, signed or about to be, and make every check that its type cannot express."""
    programme = _convert(payload, Programme, subject)
    if isinstance(programme, Refused):
        return programme
    return _check_programme(programme, subject) or programme


def read_trust_root(data: bytes, subject: str = "trust") -> Signed[TrustRoot] | Refused:
    """Read a trust root whose signatures are checked against its own keys."""
    payload = read_envelope_payload(data, PAYLOAD_TYPES["trust"], subject)
    if isinstance(payload, Refused):
        return payload
    root = _convert(payload, TrustRoot, subject)
    if isinstance(root, Refused):
        return root
    wrong = _check_times(root.issued, root.expires, subject) or _check_grants(root, subject)
    if wrong is not None:
        return wrong
    opened = _signers(data, root.keys, subject)
    return opened if isinstance(opened, Refused) else Signed(root, opened.signers, data)


def _signers(data: bytes, keys: Mapping[str, PublicKey], subject: str) -> Opened | Refused:
    return open_envelope(data, PAYLOAD_TYPES["trust"], keys, subject)


def write_document(document: Document) -> bytes:
    """The payload of a document: JSON in the order of its type's fields, the same bytes for the same document."""
    return msgspec.json.encode(document)


def _convert(payload: bytes, kind: type[D], subject: str) -> D | Refused:
    value = read_json(payload, subject)
    if isinstance(value, Refused):
        return value
    try:
        document = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        match = _WHERE.match(str(error))
        assert match is not None
        path = match["path"] or "$"
        return Refused("wrong-type", subject, (("path", path), ("found", shown(match["what"]))))
    unknown = _unknown_field(value, kind)
    return Refused("unknown-field", subject, (("found", shown(unknown)),)) if unknown else document


_PARTS: dict[type, tuple[tuple[str, type], ...]] = {
    Programme: (("bulletins", Bulletin), ("slots", Slot)),
    Bulletin: (("audio", Audio),),
    TrustRoot: (("keys", PublicKey), ("grants", Grant)),
}
"""The fields whose values have fields of their own."""

_FIELDS: dict[type, frozenset[str]] = {
    kind: frozenset(field.name for field in dataclasses.fields(kind))
    for kind in (Programme, Bulletin, Audio, Slot, TrustRoot, PublicKey, Grant)
}


def _unknown_field(value: dict[str, Any], kind: type, path: str = "$") -> str | None:
    """Give the path of a field that its type does not know. Conversion to dataclasses passes over such fields."""
    known = _FIELDS[kind]
    if not value.keys() <= known:
        return f"{path}.{next(name for name in value if name not in known)}"
    for name, part in _PARTS.get(kind, ()):
        children = value.get(name, ())
        for at, child in children.items() if isinstance(children, dict) else enumerate(children):
            found = _unknown_field(child, part, f"{path}.{name}[{at}]")
            if found is not None:
                return found
    return None


def _check_times(issued: str, expires: str, subject: str) -> Refused | None:
    try:
        if utc_ms(issued) < utc_ms(expires):
            return None
    except ValueError as error:
        return Refused("bad-date", subject, (("found", shown(error)), ("expected", "YYYY-MM-DDThh:mm:ssZ")))
    return Refused("bad-date", subject, (("found", expires), ("expected", f"> {issued}")))


def _check_grants(root: TrustRoot, subject: str) -> Refused | None:
    if len({key.public for key in root.keys.values()}) < len(root.keys):
        # One key under two ids would count twice against a threshold.
        return Refused("bad-grant", subject, (("found", "keys"),))
    for grant in root.grants:
        keys = set(grant.keys)
        if len(keys) < len(grant.keys) or not keys.issubset(root.keys) or grant.threshold > len(keys):
            return Refused("bad-grant", subject, (("found", f"{grant.role} {grant.scope}"),))
    return None


def _check_programme(programme: Programme, subject: str) -> Refused | None:
    wrong = _check_times(programme.issued, programme.expires, subject)
    if wrong is not None:
        return wrong
    try:
        zone(programme.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return Refused("bad-time-zone", subject, (("found", programme.time_zone),))
    bulletins = {bulletin.id for bulletin in programme.bulletins}
    slots = {slot.id for slot in programme.slots}
    if len(bulletins) < len(programme.bulletins) or len(slots) < len(programme.slots):
        return Refused("duplicate-id", subject, (("found", _twice(programme)),))
    for slot in programme.slots:
        unknown = next((name for name in slot.bulletins if name not in bulletins), None)
        if unknown is not None:
            return Refused("unknown-bulletin", subject, (("slot", slot.id), ("found", unknown)))
        refused = check_slot(slot)
        if refused is not None:
            return Refused(refused.code, subject, (("slot", slot.id), *refused.detail))
    return None


def _twice(programme: Programme) -> str:
    for ids in ([bulletin.id for bulletin in programme.bulletins], [slot.id for slot in programme.slots]):
        seen: set[str] = set()
        for name in ids:
            if name in seen:
                return name
            seen.add(name)
    raise AssertionError("no id stands twice")
