"""The JSON Schemas: what the types give, the same to every validator, and honest about what no schema can say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.wire.corpus import GOOD, READ
from ttcs_edge.central.centre import CentreSettings, Quorum, make_centre
from ttcs_edge.central.publish import Delivery, publish
from ttcs_edge.core.documents import Refused
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope
from ttcs_edge.wire import schemas
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, read_envelope
from ttcs_edge.wire.reports import REPORT_BYTES
from ttcs_edge.wire.schemas import BEYOND_A_SCHEMA, ON_THE_WIRE, schema
from ttcs_edge.wire.topics import Topics

EXAMPLE = Path(__file__).parents[2] / "config" / "programme.yaml"
SCHEMAS = {one.name: schema(one) for one in ON_THE_WIRE}
SIGNED = ("programme", "trust", "beacon", "command", "alert", "live")


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a schema."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(child)


def errors(name: str, value: object) -> list[str]:
    """What a validator says against a document."""
    return [error.message for error in Draft202012Validator(SCHEMAS[name]).iter_errors(value)]


def test_the_files_are_what_the_types_give() -> None:
    """Whoever changes a type changes what others validate with."""
    folder = resources.files(schemas)
    kept = {path.name: path.read_text("utf-8") for path in folder.iterdir() if path.name.endswith((".json", ".md"))}
    made = schemas.files()
    differing = sorted(name for name in kept.keys() | made.keys() if kept.get(name) != made.get(name))
    assert not differing, f"{differing} are not what the types give: run `make schemas` and commit what it writes"


def test_every_schema_is_a_schema_and_says_what_it_is_for() -> None:
    """Draft 2020-12, a name of its own, a title, and words about every object in it."""
    for one in ON_THE_WIRE:
        made = SCHEMAS[one.name]
        Draft202012Validator.check_schema(made)
        assert (made["$schema"], made["$id"]) == (schemas.DIALECT, f"urn:ttcs:v1:{one.name}")
        for node in (node for node in nodes(made) if "properties" in node and "type" in node):
            assert node["title"] and node["description"], node
            assert "``" not in node["description"] and "    " not in node["description"], node["description"]
    assert len({made["$id"] for made in SCHEMAS.values()}) == len(ON_THE_WIRE)


def test_what_comes_down_is_closed_and_what_goes_up_is_open() -> None:
    """Every object of a signed document; no object of an envelope or a report."""
    for one in ON_THE_WIRE:
        closed = {node.get("additionalProperties") for node in nodes(SCHEMAS[one.name]) if "properties" in node}
        assert closed == ({False} if one.name in SIGNED else {None}), one.name


def test_every_pattern_means_the_same_to_every_reader() -> None:
    """No look-ahead, which RE2 lacks; no class that ECMA-262, RE2 and Python fill differently; no last newline."""
    every = [node for made in SCHEMAS.values() for node in nodes(made)]
    patterned = [node for node in every if str(node.get("pattern", "")).startswith("^")]
    assert len(patterned) > 20
    for node in patterned:
        assert not re.search(r"\(\?|\\[a-zA-Z]", node["pattern"]), node["pattern"]
        assert node["pattern"].endswith("$") and node["not"] == {"pattern": "\n"}


def test_the_words_that_a_station_uses_are_told() -> None:
    """The outcomes, reasons and severities of the core stand in the schemas as examples, not as bounds."""
    as_run, fault = SCHEMAS["as-run"]["properties"], SCHEMAS["fault"]["properties"]
    assert as_run["outcome"]["examples"] == ["aired", "substituted", "part", "missed", "cut"]
    assert "sound-device" in as_run["reason"]["anyOf"][0]["examples"]
    assert fault["severity"]["examples"] == ["info", "warning", "error"]


def test_the_page_names_each_document_with_its_topic() -> None:
    """In the words of the code that builds the topics."""
    page = schemas.files()["README.md"]
    topics = Topics("ttcs/v1")
    for topic in (topics.programme("<scope>"), *(topics.station("<id>", leaf) for leaf in ("status", "event"))):
        assert f"| `{topic}` |" in page
    for payload_type in PAYLOAD_TYPES.values():
        assert f"| down | `{payload_type}` |" in page
    assert page.count(".json)") == len(ON_THE_WIRE)


def test_the_worked_example_is_valid_when_the_centre_has_published_it(tmp_path: Path) -> None:
    """``config/programme.yaml`` through the centre's own code: envelope, programme and trust root."""
    settings = CentreSettings(name="Lâm Đồng", scope=Scope("vn/lam-dong"), keys=())
    centre = make_centre(tmp_path / "centre", settings, Quorum(3, 2), Quorum(2, 2))
    published = publish(centre, EXAMPLE, Delivery(None, via_broker=True), dry_run=True)
    for name, envelope in (("programme", published.envelope), ("trust", centre.trust.envelope)):
        sealed = read_envelope(envelope, PAYLOAD_TYPES[name], "x")
        assert not isinstance(sealed, Refused), sealed
        assert errors("envelope", json.loads(envelope)) == []
        assert errors(name, json.loads(sealed.payload)) == []
        assert len(sealed.signatures) >= 2
    assert len(published.programme.slots) == 3


def changed(name: str, *path: str | int, to: object) -> str:
    """A good document with one value replaced, as JSON."""
    document = json.loads(json.dumps(GOOD[name]))
    *above, last = path
    place = document
    for step in above:
        place = place[step]
    place[last] = to
    return json.dumps(document)


KEYS, ROOT_KEY = GOOD["trust"]["keys"], GOOD["trust"]["grants"][0]["keys"][0]
BULLETIN, SLOT = GOOD["programme"]["bulletins"][0], GOOD["programme"]["slots"][0]

HUGE = [BULLETIN["audio"][0] | {"language": name, "size_bytes": LIMITS.audio_bytes} for name in ("vi", "kpm", "cjm")]

BEYOND = [
    ("bad-date", "programme", changed("programme", "issued", to="2026-02-30T00:00:00Z")),
    ("bad-date", "programme", changed("programme", "issued", to="2027-01-01T00:00:00Z")),
    ("bad-date", "programme", changed("programme", "slots", 0, "start", to="2026-11-31T05:00:00")),
    ("bad-date", "programme", changed("programme", "slots", 0, "rdate", 0, to="2026-11-24T24:00:00")),
    ("bad-date", "programme", changed("programme", "slots", 0, "exdate", 0, to="2026-13-24T05:00:00")),
    ("bad-date", "trust", changed("trust", "expires", to=GOOD["trust"]["issued"])),
    ("bad-date", "beacon", changed("beacon", "expires", to=GOOD["beacon"]["issued"])),
    ("bad-date", "command", changed("command", "issued", to="2026-02-30T00:00:00Z")),
    ("bad-date", "alert", changed("alert", "expires", to=GOOD["alert"]["sent"])),
    ("bad-date", "alert", changed("alert", "effective", to="2026-02-30T00:00:00Z")),
    ("bad-date", "alert", changed("alert", "onset", to="2026-02-30T00:00:00Z")),
    ("bad-date", "alert", changed("alert", "references", 0, "sent", to="2026-02-30T00:00:00Z")),
    ("bad-date", "alert", changed("alert", "expires", to="2036-11-24T00:00:00Z")),
    ("bad-date", "live", changed("live", "sent", to="2026-02-30T00:00:00Z")),
    ("bad-date", "live", changed("live", "expires", to="2026-11-24T05:00:11Z")),
    ("bad-date", "live", changed("live", "until", to="2026-11-24T04:59:00Z")),
    ("bad-date", "live", changed("live", "until", to="2026-11-24T09:00:01Z")),
    ("bad-session", "live", changed("live", "version", to=1_795_496_410_001)),
    ("bad-packet", "live", changed("live", "packets", 0, to="T3B1cw")),
    ("bad-packet", "live", changed("live", "packets", 1, to="====")),
    ("bad-repeat", "alert", changed("alert", "repeat_s", to=LIMITS.alert_repeat_least_s - 1)),
    ("bad-audio", "alert", changed("alert", "info", 0, "audio", "language", to="vi")),
    ("bad-inline", "alert", changed("alert", "info", 0, "inline", to="T2dnUw==")),
    ("bad-inline", "alert", changed("alert", "info", 0, "inline", to="T2dnUw==")),
    ("bad-inline", "alert", changed("alert", "info", 0, "inline", to="T2dnU")),
    ("bad-inline", "alert", changed("alert", "info", 0, "inline", to="T2dn\nUw==")),
    ("duplicate-id", "alert", changed("alert", "info", to=[GOOD["alert"]["info"][0]] * 2)),
    ("bad-action", "command", changed("command", "stop", to={})),
    ("bad-action", "command", json.dumps({name: one for name, one in GOOD["command"].items() if name != "resend"})),
    ("bad-date", "command", changed("command/volume", "volume", "until", to="2026-12-01T05:00:01Z")),
    ("bad-date", "command", changed("command/volume", "volume", "until", to="2026-11-24T05:00:00Z")),
    ("bad-date", "command", changed("command/volume", "volume", "until", to="2026-02-30T00:00:00Z")),
    ("bad-range", "command", changed("command", "resend", "last", to=16)),
    ("bad-range", "command", changed("command", "resend", "last", to=17 + LIMITS.resend_reports)),
    ("bad-time-zone", "programme", changed("programme", "time_zone", to="Asia/Atlantis")),
    ("bad-rule", "programme", changed("programme", "slots", 0, "rrule", to="FREQ=HOURLY")),
    ("bad-grant", "trust", changed("trust", "keys", to={})),
    ("bad-grant", "trust", changed("trust", "grants", 1, "role", to="alert")),
    ("bad-grant", "trust", changed("trust", "grants", 1, "most_severe", to="Severe")),
    ("bad-grant", "trust", changed("trust", "keys", to=KEYS | {"f" * 64: KEYS[ROOT_KEY]})),
    ("bad-grant", "trust", changed("trust", "grants", 0, "keys", to=[ROOT_KEY] * 2)),
    ("bad-grant", "trust", changed("trust", "grants", 1, "threshold", to=3)),
    ("duplicate-id", "programme", changed("programme", "bulletins", to=[BULLETIN, BULLETIN])),
    ("duplicate-id", "programme", changed("programme", "slots", to=[SLOT, SLOT])),
    ("duplicate-id", "programme", changed("programme", "bulletins", 0, "audio", to=BULLETIN["audio"][:1] * 2)),
    ("slot-too-large", "programme", changed("programme", "bulletins", 0, "audio", to=HUGE)),
    ("live-and-stream", "programme", changed("programme/stream", "slots", 0, "live", to="thoi-su")),
    ("unknown-bulletin", "programme", changed("programme", "slots", 0, "bulletins", to=["khong-co"])),
    ("duplicate-key", "fault", json.dumps(GOOD["fault"])[:-1] + ', "station": "da-teh-02"}'),
    ("not-utf8", "as-run", changed("as-run", "title", to="\ud800")),
    ("not-utf8", "programme", changed("programme", "bulletins", 0, "title", to="\udfff")),
    ("oversized", "as-run", changed("as-run", "title", to="a" * REPORT_BYTES)),
    ("too-deep", "status", changed("status", "new", to=json.loads("[" * LIMITS.nesting + "]" * LIMITS.nesting))),
]


@pytest.mark.parametrize(("code", "name", "text"), BEYOND, ids=[f"{name}-{code}" for code, name, _ in BEYOND])
def test_what_no_schema_can_say_is_refused_and_listed(code: str, name: str, text: str) -> None:
    """Valid by its schema, refused by the reader, with the code that the page names."""
    assert errors(name, json.loads(text)) == []
    read = READ[name](text.encode())
    assert isinstance(read, Refused) and read.code == code, read


def test_every_check_beyond_a_schema_has_its_example() -> None:
    """The list on the page is short because each line of it can be shown."""
    assert {code for code, _, _ in BEYOND} == BEYOND_A_SCHEMA.keys()
