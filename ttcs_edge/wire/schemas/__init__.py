"""JSON Schemas (draft 2020-12) of every document on the wire, made from the types that read and write them.

The files beside this module are what ``files()`` gives; ``make schemas`` writes them, and a test holds them equal.
A schema says what a type can say. What it cannot say is in ``BEYOND_A_SCHEMA``: who accepts a document by its schema
alone accepts more than a station does.
"""

from __future__ import annotations

import inspect
import json
from typing import Any

import msgspec
from msgspec import Struct

from ttcs_edge.core.documents import Alert, Beacon, Command, LiveSegment, Programme, TrustRoot
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, DsseEnvelope
from ttcs_edge.wire.reports import (
    REPORT_BYTES,
    AlertReport,
    AsRunReport,
    AuditReport,
    FaultReport,
    HeartbeatReport,
    ReplyReport,
    StatusReport,
)
from ttcs_edge.wire.topics import Topics

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TOPICS = Topics("ttcs/v1")


class OnTheWire(Struct, frozen=True):
    """One kind of document: its type and its way. ``closed`` means that a field which it does not know is refused."""

    name: str
    type: type
    way: str
    place: str
    payload_type: str
    closed: bool

    @property
    def urn(self) -> str:
        """The ``$id`` of its schema."""
        return f"urn:ttcs:v1:{self.name}"


ON_THE_WIRE = (
    OnTheWire("programme", Programme, "down", TOPICS.programme("<scope>"), PAYLOAD_TYPES["programme"], closed=True),
    OnTheWire("trust", TrustRoot, "down", TOPICS.trust("<scope>"), PAYLOAD_TYPES["trust"], closed=True),
    OnTheWire("beacon", Beacon, "down", TOPICS.beacon("<scope>"), PAYLOAD_TYPES["beacon"], closed=True),
    OnTheWire("command", Command, "down", TOPICS.station("<id>", "command"), PAYLOAD_TYPES["command"], closed=True),
    OnTheWire("alert", Alert, "down", TOPICS.alert("<scope>", "<id>"), PAYLOAD_TYPES["alert"], closed=True),
    OnTheWire("live", LiveSegment, "down", TOPICS.live("<scope>", "<id>"), PAYLOAD_TYPES["live"], closed=True),
    OnTheWire("envelope", DsseEnvelope, "down", "around each", "", closed=False),
    OnTheWire("status", StatusReport, "up", TOPICS.station("<id>", "status"), "", closed=False),
    OnTheWire("heartbeat", HeartbeatReport, "up", TOPICS.station("<id>", "heartbeat"), "", closed=False),
    OnTheWire("as-run", AsRunReport, "up", TOPICS.station("<id>", "event"), "", closed=False),
    OnTheWire("fault", FaultReport, "up", TOPICS.station("<id>", "event"), "", closed=False),
    OnTheWire("alert-receipt", AlertReport, "up", TOPICS.station("<id>", "event"), "", closed=False),
    OnTheWire("audit", AuditReport, "up", TOPICS.station("<id>", "event"), "", closed=False),
    OnTheWire("reply", ReplyReport, "up", TOPICS.station("<id>", "reply"), "", closed=False),
)

BEYOND_A_SCHEMA = {
    "bad-date": "a date that no calendar has, one that expires before it was issued, or an alert, a live relay or an "
    "order for the volume that lasts too long",
    "bad-session": f"a live relay's session that begins more than {LIMITS.live_fresh_s} s after what was said in it",
    "bad-packet": f"a packet of a live relay that is no base64, or not of 1 to {LIMITS.opus_packet_bytes} bytes",
    "bad-time-zone": "a time zone that the time zone database does not have",
    "bad-repeat": f"an alert that is repeated more often than every {LIMITS.alert_repeat_least_s} seconds",
    "bad-action": "a command that asks for nothing, or for two things at once",
    "bad-range": f"a range that ends before it begins, or of more than {LIMITS.resend_reports} reports",
    "bad-rule": "an RRULE that RFC 5545 does not allow, or that recurs more than once a day",
    "bad-grant": "a grant of keys that the trust root does not have, or of one key twice; a key under an id that is "
    "not its own; a grant to alert that does not say up to which severity, or another one that does",
    "bad-audio": "audio of an alert in another language than what it stands beside",
    "bad-inline": "audio inside an alert that is not the audio it names",
    "duplicate-id": "two bulletins or two slots under one id, or two recordings of a bulletin in one language; an "
    "alert that says something twice in one language",
    "slot-too-large": "a slot whose bulletins, in all their languages, have more audio than a station holds ready",
    "live-and-stream": "a slot that names a live relay and a stream",
    "unknown-bulletin": "a slot that names a bulletin which the programme does not have",
    "duplicate-key": "a name that stands twice in one object",
    "not-utf8": "half of a surrogate pair (`\\ud800`)",
    "oversized": f"more than {LIMITS.envelope_bytes >> 20} MiB (a report: {REPORT_BYTES >> 10} KiB)",
    "too-deep": f"objects and lists nested more than {LIMITS.nesting} deep",
}
"""What a station refuses, by the code of its refusal, and no schema can express."""

_PYTHONS_END, _EVERYONES_END = r"(?!\n)$", "$"


def schema(document: OnTheWire) -> dict[str, Any]:
    """The JSON Schema of a kind of document."""
    _, parts = msgspec.json.schema_components((document.type,), ref_template="#/$defs/{name}")
    body: dict[str, Any] = parts.pop(document.type.__name__) | ({"$defs": parts} if parts else {})
    return _on_the_wire({"$schema": DIALECT, "$id": document.urn} | body, document.closed)


def files() -> dict[str, str]:
    """Every generated file beside this module, by its name."""
    schemas = {f"{one.name}.json": json.dumps(schema(one), indent=2) + "\n" for one in ON_THE_WIRE}
    return schemas | {"README.md": _readme()}


def _on_the_wire(node: dict[str, Any], closed: bool) -> dict[str, Any]:
    """A part of a schema as it goes out: patterns and descriptions for every reader, objects open or closed."""
    node = {name: _part(one, closed) for name, one in node.items()}
    if isinstance(node.get("description"), str):
        node["description"] = _prose(node["description"])
    if isinstance(node.get("pattern"), str):
        node |= _pattern(node["pattern"])
    if isinstance(node.get("properties"), dict):
        node |= _object(node, closed)
    return node


def _part(value: Any, closed: bool) -> Any:
    if isinstance(value, list):
        return [_part(one, closed) for one in value]
    return _on_the_wire(value, closed) if isinstance(value, dict) else value


def _prose(docstring: str) -> str:
    """A docstring as Markdown, a paragraph a line."""
    paragraphs = inspect.cleandoc(docstring).replace("``", "`").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _pattern(python: str) -> dict[str, Any]:
    """A pattern that means the same to every reader.

    To some (Python, Perl, Java) ``$`` also stands before a last newline: the newline must be refused by itself.
    """
    return {"pattern": python.replace(_PYTHONS_END, _EVERYONES_END), "not": {"pattern": "\n"}}


def _object(node: dict[str, Any], closed: bool) -> dict[str, Any]:
    """An object's fields, the one that says what it is before all others; closed or open."""
    fields = {name: _const(one) for name, one in node["properties"].items()}
    fields = dict(sorted(fields.items(), key=lambda field: "const" not in field[1]))
    required = [name for name, one in fields.items() if name in node.get("required", ()) or "const" in one]
    return {"properties": fields, "required": required} | ({"additionalProperties": False} if closed else {})


def _const(node: dict[str, Any]) -> dict[str, Any]:
    """A field whose default is its only value says what the document is: it must be there."""
    return {"const": node["default"]} if [node.get("default")] == node.get("enum") else node


def _readme() -> str:
    rows = [
        f"| {one.name} | {_code(one.place)} | {one.way} | {_code(one.payload_type)} | [{file}]({file}) |"
        for file, one in ((f"{one.name}.json", one) for one in ON_THE_WIRE)
    ]
    beyond = [f"- `{code}`: {what}" for code, what in BEYOND_A_SCHEMA.items()]
    chunk = f"{LIMITS.blob_chunk_bytes >> 10} KiB"
    return _README.format(
        rows="\n".join(rows),
        beyond="\n".join(beyond),
        chunk=chunk,
        roots=LIMITS.trust_roots,
        trust_mib=LIMITS.trust_bytes >> 20,
    )


def _code(text: str) -> str:
    return f"`{text}`" if "/" in text else text


_README = """\
# What goes over the wire

JSON Schemas (draft 2020-12) of every document, made from the types that the station reads and writes. `make schemas`
writes them and this page.

| document | topic | direction | payloadType | schema |
| --- | --- | --- | --- | --- |
{rows}

Topics stand below `topic_root` of `station.yaml`, here `ttcs/v1`. A station's first trust root comes with its files,
`trust/root.dsse.json`. Those behind it come over the broker: a JSON list of envelopes, the oldest first, at most
{roots} of them and {trust_mib} MiB. Each is of the version behind the one before it, and signed by enough root keys of
that one and enough of its own. Audio goes down as the bytes themselves, on `blob/<sha256>/<n>`: chunk 0, 1, 2... of
{chunk}, the last one shorter.

## Down: closed

A document with a field that is not in its schema is refused: a station that overlooked a new field (who must not hear
it, until when it holds) would air what nobody signed for. A new field comes with a new payload type. Each is the
payload of a DSSE v1 envelope, Ed25519; in the envelope, as DSSE asks, unknown fields are passed over.

Trust roots, programmes and beacons are retained; a beacon has a message expiry of as long as it holds. A command is not
retained, has a message expiry too, and is refused when it comes retained. It asks for one thing. Its answers come on
`reply` with the correlation data of the command, never on another topic: `under-way` is followed by another one. What
nobody known signed, and what comes retained, is not answered.

A schema cannot say everything. A station also refuses:

{beyond}

A whole number is written without a fraction: `5`, not `5.0`.

## Up: open

A station may be newer than who reads its reports. Pass over fields that are not in the schema, and take outcomes,
reasons, severities, states and fault codes that you do not know as words to be shown. Only `kind` and the three states
of `status` are fixed. A field is never taken away and never changes its meaning; what would need that gets a new
`kind`.

`as-run`, `fault`, `alert-receipt` and `audit` come at least once: count each `id` once. `status` is retained.
"""
