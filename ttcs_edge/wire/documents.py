"""Bytes to documents and back. ``bytes -> Signed[...] | Refused``: nothing half verified exists in between.

A field that a document's type does not know is refused: a station that overlooked a new field (who must not hear it,
until when it holds) would air what nobody signed for. A new field therefore comes with a new payload type.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from itertools import chain, filterfalse
from operator import attrgetter
from typing import Any, TypeVar
from zoneinfo import ZoneInfoNotFoundError

import msgspec
from msgspec import UNSET

from ttcs_edge.core.documents import (
    ACTIONS,
    ID_PATTERN,
    LOCAL_PATTERN,
    Alert,
    AlertInfo,
    AlertReference,
    Audio,
    Beacon,
    Bulletin,
    Command,
    Document,
    Grant,
    LiveSegment,
    NamedAlert,
    NamedDocument,
    Programme,
    PublicKey,
    Refused,
    ResendRange,
    Signed,
    Slot,
    Stream,
    TrustRoot,
    VolumeOrder,
)
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.schedule import check_slot, zone
from ttcs_edge.core.trust import utc_ms, utc_text
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, decoded, key_id, read_envelope
from ttcs_edge.wire.json_text import read_json, shown, where

P = TypeVar("P", Bulletin, Slot)
D = TypeVar("D", Programme, TrustRoot, Beacon, Command, Alert, LiveSegment)


def _at_once() -> None:
    """Nobody else is in a hurry."""


def read_programme(
    data: bytes, trust: TrustRoot, subject: str = "", give_way: Callable[[], None] = _at_once
) -> Signed[Programme] | Refused:
    """Read a programme whose signatures are checked against the keys of ``trust``; ``subject`` names it in refusals.

    ``give_way`` is called behind each some slots of thousands, and may wait.
    """
    return _read(data, "programme", partial(parse_programme, give_way=give_way), trust, subject)


def read_beacon(data: bytes, trust: TrustRoot, subject: str = "") -> Signed[Beacon] | Refused:
    """Read a beacon whose signatures are checked against the keys of ``trust``."""
    return _read(data, "beacon", parse_beacon, trust, subject)


def read_command(data: bytes, trust: TrustRoot, subject: str = "") -> Signed[Command] | Refused:
    """Read a command whose signatures are checked against the keys of ``trust``."""
    return _read(data, "command", _parse_command, trust, subject)


def _parse_command(payload: bytes, subject: str) -> Command | Refused:
    """Read a command that somebody known signed: what is refused of it says, where it can, which one it is."""
    command = parse_command(payload, subject)
    if isinstance(command, Command):
        return command
    value = read_json(payload, subject)
    version = value.get("version") if isinstance(value, dict) else None
    good = isinstance(version, int) and not isinstance(version, bool) and 0 < version < 2**53
    return msgspec.structs.replace(command, version=version if good else None)


def read_alert(data: bytes, trust: TrustRoot, subject: str = "") -> Signed[Alert] | Refused:
    """Read an alert whose signatures are checked against the keys of ``trust``."""
    return _read(data, "alert", parse_alert, trust, subject)


def read_live(data: bytes, trust: TrustRoot, subject: str = "") -> Signed[LiveSegment] | Refused:
    """Read a segment of a live relay whose signatures are checked against the keys of ``trust``."""
    return _read(data, "live", parse_live, trust, subject)


def _read(
    data: bytes, kind: str, parse: Callable[[bytes, str], D | Refused], trust: TrustRoot, subject: str
) -> Signed[D] | Refused:
    envelope = read_envelope(data, PAYLOAD_TYPES[kind], subject)
    if isinstance(envelope, Refused):
        return envelope
    signers = envelope.signers(trust.keys)
    if not signers:
        # Nobody known signed it: what it says is not worth parsing.
        return Refused("not-enough-signatures", subject, (("found", "0"), ("expected", ">= 1")))
    document = parse(envelope.payload, subject)
    return document if isinstance(document, Refused) else Signed(document, signers, data)


def parse_programme(payload: bytes, subject: str, give_way: Callable[[], None] = _at_once) -> Programme | Refused:
    """Read the payload of a programme, signed or about to be, and make every check that its type cannot express."""
    programme = _plain_programme(payload, give_way) or _looked_at_closely(payload, Programme, subject)
    if isinstance(programme, Refused):
        return programme
    return _check_programme(programme, subject, give_way) or programme


def read_trust_root(data: bytes, subject: str = "trust") -> Signed[TrustRoot] | Refused:
    """Read a trust root whose signatures are checked against its own keys."""
    envelope = read_envelope(data, PAYLOAD_TYPES["trust"], subject)
    if isinstance(envelope, Refused):
        return envelope
    root = parse_trust_root(envelope.payload, subject)
    return root if isinstance(root, Refused) else Signed(root, envelope.signers(root.keys), data)


_CHAIN = msgspec.json.Decoder(tuple[msgspec.Raw, ...])


def read_trust_chain(data: bytes, trust: TrustRoot, subject: str) -> tuple[Signed[TrustRoot], ...] | Refused:
    """Read trust roots that stand one behind the other: those that are not older than ``trust``.

    The signatures of each are checked against its own keys and those of the one before it.
    """
    value = read_json(data, subject, LIMITS.trust_bytes)
    if isinstance(value, Refused):
        return value
    if not isinstance(value, list) or not 1 <= len(value) <= LIMITS.trust_roots:
        found = f"{len(value)} roots" if isinstance(value, list) else type(value).__name__
        return Refused("not-a-chain", subject, (("found", found), ("expected", f"1..{LIMITS.trust_roots} roots")))
    roots: list[Signed[TrustRoot]] = []
    before = trust
    for raw in _CHAIN.decode(data):
        signed = _read_behind(bytes(raw), before, subject)
        if isinstance(signed, Refused):
            return signed
        if signed.document.version >= trust.version:
            roots.append(signed)
            before = signed.document
    return tuple(roots)


def _read_behind(data: bytes, before: TrustRoot, subject: str) -> Signed[TrustRoot] | Refused:
    """Read a trust root; one that is older than ``before`` is history, and nobody's signature is looked at."""
    envelope = read_envelope(data, PAYLOAD_TYPES["trust"], subject)
    if isinstance(envelope, Refused):
        return envelope
    root = parse_trust_root(envelope.payload, subject)
    if isinstance(root, Refused):
        return root
    known = {} if root.version < before.version else {**before.keys, **root.keys}
    return Signed(root, envelope.signers(known), data)


def write_trust_chain(envelopes: Iterable[bytes]) -> bytes:
    """What brings trust roots to the stations: their envelopes, the oldest first."""
    return b"[%b]" % b",".join(envelopes)


def parse_trust_root(payload: bytes, subject: str) -> TrustRoot | Refused:
    """Read the payload of a trust root, and make every check that its type cannot express."""
    root = _convert(payload, TrustRoot, subject)
    if isinstance(root, Refused):
        return root
    return _check_times(root.issued, root.expires, subject) or _check_grants(root, subject) or root


def parse_beacon(payload: bytes, subject: str) -> Beacon | Refused:
    """Read the payload of a beacon, and make every check that its type cannot express."""
    beacon = _convert(payload, Beacon, subject)
    if isinstance(beacon, Refused):
        return beacon
    return _check_times(beacon.issued, beacon.expires, subject) or _check_alerts_named(beacon, subject) or beacon


def _check_alerts_named(beacon: Beacon, subject: str) -> Refused | None:
    twice = None if beacon.alerts is UNSET else _twice([one.id for one in beacon.alerts])
    return None if twice is None else Refused("duplicate-id", subject, (("found", twice),))


def parse_command(payload: bytes, subject: str) -> Command | Refused:
    """Read the payload of a command, and make every check that its type cannot express."""
    command = _convert(payload, Command, subject)
    if isinstance(command, Refused):
        return command
    return _check_times(command.issued, command.expires, subject) or _check_action(command, subject) or command


def parse_alert(payload: bytes, subject: str) -> Alert | Refused:
    """Read the payload of an alert, and make every check that its type cannot express."""
    alert = _convert(payload, Alert, subject)
    if isinstance(alert, Refused):
        return alert
    return _check_times(alert.sent, alert.expires, subject) or _check_alert(alert, subject) or alert


def parse_live(payload: bytes, subject: str) -> LiveSegment | Refused:
    """Read the payload of a live segment, and make every check that its type cannot express."""
    segment = _convert(payload, LiveSegment, subject)
    if isinstance(segment, Refused):
        return segment
    return _check_live(segment, subject) or segment


def write_document(document: Document) -> bytes:
    """The payload of a document: JSON in the order of its type's fields, the same bytes for the same document.

    Of a programme a field that says nothing is left out: ten thousand slots are half as long, on a link that is paid
    for, and an older station, which refuses a field that it does not know, takes what it can carry out.
    """
    return msgspec.json.encode(document)


def _convert(payload: bytes, kind: type[D], subject: str) -> D | Refused:
    return _plain(payload, kind) or _looked_at_closely(payload, kind, subject)


def _plain(payload: bytes, kind: type[D]) -> D | None:
    """A document whose bytes are just those that ``write_document`` makes of it, as the centre's are; None for others.

    In such bytes no name stands twice, nothing is unknown, and nothing is nested deeper than the type is: thousands of
    slots need not be searched for it.
    """
    if len(payload) > LIMITS.envelope_bytes:
        return None
    try:
        document = msgspec.json.decode(payload, type=kind)
        return document if write_document(document) == payload else None
    except (ValueError, RecursionError):  # named by who looks at it closely
        return None


_OUTLINE = msgspec.defstruct(
    "ProgrammeOutline",
    [
        (one.name, tuple[msgspec.Raw, ...] if one.name in ("bulletins", "slots") else one.type, one.default)
        for one in msgspec.structs.fields(Programme)
    ],
    kw_only=True,
    omit_defaults=True,
)
"""A programme whose bulletins and slots are not read yet."""
AT_ONCE = 250
"""How many of them are read in one go: the interpreter is another thread's, an alert's, behind each."""
_BULLETINS, _SLOTS = msgspec.json.Decoder(list[Bulletin]), msgspec.json.Decoder(list[Slot])


def _plain_programme(payload: bytes, give_way: Callable[[], None]) -> Programme | None:
    """As ``_plain``, bit by bit."""
    if len(payload) > LIMITS.envelope_bytes:
        return None
    try:
        outline: Any = msgspec.json.decode(payload, type=_OUTLINE)
        if msgspec.json.encode(outline) != payload:
            return None
        bulletins = _plain_parts(outline.bulletins, _BULLETINS, give_way)
        slots = _plain_parts(outline.slots, _SLOTS, give_way)
    except (ValueError, RecursionError):
        return None
    if bulletins is None or slots is None:
        return None
    rest = {name: getattr(outline, name) for name in outline.__struct_fields__}
    return Programme(**rest | {"bulletins": bulletins, "slots": slots})


def _plain_parts(
    raw: Sequence[msgspec.Raw], decoder: msgspec.json.Decoder[list[P]], give_way: Callable[[], None]
) -> tuple[P, ...] | None:
    """Parts whose bytes are those that are written of them; None for others. Raises ValueError for what is none."""
    parts: list[P] = []
    for begin in range(0, len(raw), AT_ONCE):
        give_way()
        written = b"[%b]" % b",".join(raw[begin : begin + AT_ONCE])
        some = decoder.decode(written)
        if msgspec.json.encode(some) != written:
            return None
        parts += some
    return tuple(parts)


def _looked_at_closely(payload: bytes, kind: type[D], subject: str) -> D | Refused:
    value = read_json(payload, subject)
    if isinstance(value, Refused):
        return value
    try:
        document = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        path, what = where(error)
        return Refused("wrong-type", subject, (("path", path), ("found", what)))
    unknown = _unknown_field(value, kind)
    return Refused("unknown-field", subject, (("found", shown(unknown)),)) if unknown else document


_PARTS: dict[type, tuple[tuple[str, type], ...]] = {
    Programme: (("bulletins", Bulletin), ("slots", Slot)),
    Bulletin: (("audio", Audio),),
    Slot: (("stream", Stream),),
    TrustRoot: (("keys", PublicKey), ("grants", Grant)),
    Command: tuple(ACTIONS.items()),
    Beacon: (("programme", NamedDocument), ("alerts", NamedAlert)),
    Alert: (("info", AlertInfo), ("references", AlertReference)),
    AlertInfo: (("audio", Audio),),
}
"""The fields whose values have fields of their own."""

_FIELDS: dict[type, frozenset[str]] = {
    kind: frozenset(field.name for field in msgspec.structs.fields(kind))
    for kind in (
        *(Programme, Bulletin, Audio, Slot, Stream, TrustRoot, PublicKey, Grant, Beacon, Command, *ACTIONS.values()),
        *(Alert, AlertInfo, AlertReference, LiveSegment, NamedDocument, NamedAlert),
    )
}


def _unknown_field(value: dict[str, Any], kind: type, path: str = "$") -> str | None:
    """Give the path of a field that its type does not know. Conversion passes over such fields."""
    known = _FIELDS[kind]
    if not value.keys() <= known:
        return f"{path}.{next(name for name in value if name not in known)}"
    for name, part in _PARTS.get(kind, ()):
        for at, child in _children(value.get(name, ()), part):
            found = _unknown_field(child, part, f"{path}.{name}{at}")
            if found is not None:
                return found
    return None


_NAMED = frozenset({PublicKey})
"""Parts that stand under names of their own, where others stand in a list or by themselves."""


def _children(value: Any, part: type) -> list[tuple[str, Any]]:
    """The parts in a field, each with what its path adds."""
    if isinstance(value, dict) and part not in _NAMED:
        return [("", value)]
    named = value.items() if isinstance(value, dict) else enumerate(value or ())
    return [(f"[{at}]", child) for at, child in named]


def _check_times(issued: str, expires: str, subject: str) -> Refused | None:
    try:
        if utc_ms(issued) < utc_ms(expires):
            return None
    except ValueError as error:
        return Refused("bad-date", subject, (("found", shown(error)), ("expected", "YYYY-MM-DDThh:mm:ssZ")))
    return Refused("bad-date", subject, (("found", expires), ("expected", f"> {issued}")))


def _check_action(command: Command, subject: str) -> Refused | None:
    """Check that it asks for one thing, and that this can be done."""
    actions = command.actions
    if len(actions) != 1:
        return Refused("bad-action", subject, (("found", ", ".join(actions) or "-"), ("expected", "1")))
    action = next(iter(actions.values()))
    if isinstance(action, ResendRange):
        return _check_range(action, subject)
    return _check_until(action.until, command.issued, subject) if isinstance(action, VolumeOrder) else None


def _check_until(until: str, issued: str, subject: str) -> Refused | None:
    wrong = _check_times(issued, until, subject)
    return wrong or _check_latest(until, utc_ms(issued) + LIMITS.volume_lasts_s * 1_000, subject)


def _check_range(resend: ResendRange, subject: str) -> Refused | None:
    count = resend.last - resend.first + 1
    if 1 <= count <= LIMITS.resend_reports:
        return None
    found = f"{resend.first}..{resend.last}"
    return Refused("bad-range", subject, (("found", found), ("expected", f"1..{LIMITS.resend_reports}")))


def _check_alert(alert: Alert, subject: str) -> Refused | None:
    for text in (alert.effective, alert.onset, *(one.sent for one in alert.references)):
        try:
            utc_ms(text or alert.sent)
        except ValueError as error:
            return Refused("bad-date", subject, (("found", shown(error)), ("expected", "YYYY-MM-DDThh:mm:ssZ")))
    too_long = _check_latest(alert.expires, utc_ms(alert.sent) + LIMITS.alert_lasts_s * 1_000, subject)
    if too_long is not None:
        return too_long
    if 0 < alert.repeat_s < LIMITS.alert_repeat_least_s:
        expected = f">= {LIMITS.alert_repeat_least_s} s"
        return Refused("bad-repeat", subject, (("found", f"{alert.repeat_s} s"), ("expected", expected)))
    twice = _twice([info.language for info in alert.info])
    if twice is not None:
        return Refused("duplicate-id", subject, (("found", twice),))
    return next((wrong for info in alert.info if (wrong := _check_info(info, subject))), None)


def _check_live(segment: LiveSegment, subject: str) -> Refused | None:
    """Check that it is worth nothing soon, that its session has begun and ends, and that each packet is one."""
    wrong = _check_times(segment.sent, segment.expires, subject) or _check_times(segment.sent, segment.until, subject)
    if wrong is not None:
        return wrong
    fresh_until_ms = utc_ms(segment.sent) + LIMITS.live_fresh_s * 1_000
    over_by_ms = segment.version + LIMITS.live_lasts_s * 1_000
    wrong = _check_latest(segment.expires, fresh_until_ms, subject) or _check_latest(segment.until, over_by_ms, subject)
    if wrong is not None:
        return wrong
    if segment.version > fresh_until_ms:  # or it lasts as long as its author likes, and none is newer
        found, expected = str(segment.version), f"<= {fresh_until_ms}"
        return Refused("bad-session", subject, (("found", found), ("expected", expected)))
    for packet in segment.packets:
        try:
            size_bytes = len(decoded(packet))
        except ValueError as error:
            return Refused("bad-packet", subject, (("found", shown(error)),))
        if not 0 < size_bytes <= LIMITS.opus_packet_bytes:
            expected = f"1..{LIMITS.opus_packet_bytes}"
            return Refused("bad-packet", subject, (("found", str(size_bytes)), ("expected", expected)))
    return None


def _check_latest(text: str, latest_ms: int, subject: str) -> Refused | None:
    if utc_ms(text) <= latest_ms:
        return None
    return Refused("bad-date", subject, (("found", text), ("expected", f"<= {utc_text(latest_ms)}")))


def _check_info(info: AlertInfo, subject: str) -> Refused | None:
    """Check that what it says is one thing: its audio is in its language, and what is inline is that audio."""
    if info.audio is None:
        return Refused("bad-inline", subject, (("found", info.language),)) if info.inline else None
    if info.audio.language != info.language:
        return Refused("bad-audio", subject, (("found", info.audio.language), ("expected", info.language)))
    if not info.inline:
        return None
    try:
        data = decoded(info.inline)
    except ValueError as error:
        return Refused("bad-inline", subject, (("found", shown(error)),))
    if len(data) != info.audio.size_bytes or sha256(data).hexdigest() != info.audio.sha256:
        return Refused("bad-inline", subject, (("found", sha256(data).hexdigest()), ("expected", info.audio.sha256)))
    return None


def _check_grants(root: TrustRoot, subject: str) -> Refused | None:
    strange = next((keyid for keyid, key in root.keys.items() if key_id(key) != keyid), None)
    if strange is not None:
        # One key under two ids would count twice against a threshold, and under another's id for that one.
        return Refused("bad-grant", subject, (("found", f"key {strange}"),))
    for grant in root.grants:
        keys = set(grant.keys)
        says_how_far = (grant.role == "alert") == (grant.most_severe is not None)
        if (
            len(keys) < len(grant.keys)
            or not keys.issubset(root.keys)
            or grant.threshold > len(keys)
            or not says_how_far
        ):
            return Refused("bad-grant", subject, (("found", f"{grant.role} {grant.scope}"),))
    return None


def _check_programme(programme: Programme, subject: str, give_way: Callable[[], None]) -> Refused | None:
    wrong = _check_texts(programme.slots, subject, give_way) or _check_times(
        programme.issued, programme.expires, subject
    )
    if wrong is not None:
        return wrong
    try:
        zone(programme.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return Refused("bad-time-zone", subject, (("found", programme.time_zone),))
    twice = (
        _twice([bulletin.id for bulletin in programme.bulletins])
        or _twice([slot.id for slot in programme.slots])
        or next((f"{one.id} {name}" for one in programme.bulletins if (name := _twice_spoken(one))), None)
    )
    if twice is not None:
        return Refused("duplicate-id", subject, (("found", twice),))
    bulletins = {one.id: sum(audio.size_bytes for audio in one.audio) for one in programme.bulletins}
    wrong = _check_expiries(programme, subject) or _check_named("standing", programme.standing, bulletins, subject)
    if wrong is not None:
        return wrong
    return _check_slots(programme.slots, bulletins, subject, give_way)


_SLOT_TEXTS: tuple[tuple[str, str, Callable[[Any], Iterable[str]]], ...] = (
    ("id", ID_PATTERN, iter),
    ("start", LOCAL_PATTERN, iter),
    ("bulletins", ID_PATTERN, chain.from_iterable),
    ("rdate", LOCAL_PATTERN, chain.from_iterable),
    ("exdate", LOCAL_PATTERN, chain.from_iterable),
    ("zones", ID_PATTERN, chain.from_iterable),
    ("live", ID_PATTERN, partial(filter, None)),
)
"""The texts of a slot, how they are to look, and how all those of a field are gone through."""


def _check_texts(slots: Sequence[Slot], subject: str, give_way: Callable[[], None]) -> Refused | None:
    """Check how the texts of slots look, those that are alike once: msgspec, which takes one after another, would need
    five times as long for that as for all else.
    """
    for field, pattern, texts in _SLOT_TEXTS:
        give_way()
        looks_good = re.compile(pattern).match
        values = list(set(map(attrgetter(field), slots)))
        for begin in range(0, len(values), AT_ONCE):
            wrong = next(filterfalse(looks_good, texts(values[begin : begin + AT_ONCE])), None)
            if wrong is not None:
                found = f"Expected `str` matching regex {pattern!r}"  # as msgspec says it
                path = _path_of(wrong, field, slots)
                return Refused("wrong-type", subject, (("path", path), ("found", shown(found))))
    return None


def _path_of(text: str, field: str, slots: Sequence[Slot]) -> str:
    """Where a text stands first."""
    values = [getattr(slot, field) for slot in slots]
    if text in values:
        return f"$.slots[{values.index(text)}].{field}"
    number, value = next((number, value) for number, value in enumerate(values) if text in (value or ()))
    return f"$.slots[{number}].{field}[{value.index(text)}]"


_TOGETHER: tuple[Callable[[Slot], object], ...] = (
    attrgetter("bulletins"),
    attrgetter("start"),
    attrgetter("rrule"),
    attrgetter("rdate", "exdate"),
    attrgetter("live", "stream"),
)
"""What is judged of a slot, each by itself."""


def _check_slots(
    slots: Sequence[Slot], size_bytes: Mapping[str, int], subject: str, give_way: Callable[[], None]
) -> Refused | None:
    """Check each slot; what was found good of one is good of all others that have the same."""
    backward = slots[::-1]
    for same in _TOGETHER:
        give_way()
        for slot in dict(zip(map(same, backward), backward, strict=True)).values():
            wrong = _check_slot(slot, size_bytes, subject)
            if wrong is not None:
                return wrong
    return None


def _check_slot(slot: Slot, size_bytes: Mapping[str, int], subject: str) -> Refused | None:
    wrong = _check_named(slot.id, slot.bulletins, size_bytes, subject)
    if wrong is not None:
        return wrong
    if slot.live is not None and slot.stream is not None:
        return Refused("live-and-stream", subject, (("slot", slot.id),))
    refused = check_slot(slot)
    return None if refused is None else Refused(refused.code, subject, (("slot", slot.id), *refused.detail))


def _check_named(slot: str, names: tuple[str, ...], size_bytes: Mapping[str, int], subject: str) -> Refused | None:
    """Check what a slot, or ``standing``, has to say: each bulletin is there, and together they are not too much."""
    try:
        total_bytes = sum(map(size_bytes.__getitem__, names))
    except KeyError as unknown:
        return Refused("unknown-bulletin", subject, (("slot", slot), ("found", unknown.args[0])))
    if total_bytes > LIMITS.slot_audio_bytes:
        found = (("slot", slot), ("found", str(total_bytes)), ("expected", f"<= {LIMITS.slot_audio_bytes}"))
        return Refused("slot-too-large", subject, found)
    return None


def _check_expiries(programme: Programme, subject: str) -> Refused | None:
    for bulletin in programme.bulletins:
        try:
            utc_ms(bulletin.expires or programme.expires)
        except ValueError as error:
            return Refused("bad-date", subject, (("found", shown(error)), ("expected", "YYYY-MM-DDThh:mm:ssZ")))
    return None


def _twice(names: Sequence[str]) -> str | None:
    if len(set(names)) == len(names):
        return None
    return next(name for name, count in Counter(names).items() if count > 1)


def _twice_spoken(bulletin: Bulletin) -> str | None:
    """A language of which a bulletin has two recordings: two stations could air two of them."""
    return _twice([audio.language for audio in bulletin.audio]) if len(bulletin.audio) > 1 else None
