"""Schema and reader agree: what the one refuses, the other refuses, field by field and by chance.

The attacks are found by walking each schema along a good document, so a new field or bound is attacked without a line
here. Only what ``BEYOND_A_SCHEMA`` names may be refused by the reader alone; by the schema alone, nothing.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.wire.corpus import GOOD, READ
from ttcs_edge.core.documents import Refused
from ttcs_edge.wire.schemas import BEYOND_A_SCHEMA, ON_THE_WIRE, schema

OF_KIND = {one.name: one for one in ON_THE_WIRE}
KINDS = {name: OF_KIND[name.partition("/")[0]] for name in GOOD}
"""Of every good document, the kind that it is of: its name, but for what stands behind the slash."""
SCHEMAS = {name: schema(one) for name, one in KINDS.items()}
VALIDATORS = {name: Draft202012Validator(made) for name, made in SCHEMAS.items()}
ONE_OF_EACH = {"string": "x", "integer": 7, "number": 1.5, "boolean": True, "array": [], "object": {}, "null": None}
GONE = object()


class Place(NamedTuple):
    """A value inside a document, and the part of the schema that speaks of it."""

    path: tuple[str | int, ...]
    node: dict[str, Any]
    value: Any


class Attack(NamedTuple):
    """A document with one thing changed."""

    what: str
    document: Any


def resolved(name: str, node: dict[str, Any]) -> dict[str, Any]:
    """A part of a schema, its reference followed; of a value that may be null, the part for the value."""
    while "$ref" in node or "anyOf" in node:
        if "anyOf" in node:
            (other,) = (one for one in node["anyOf"] if one.get("type") != "null")
            node = other | {"nullable": True}
        else:
            found = SCHEMAS[name]["$defs"][node["$ref"].removeprefix("#/$defs/")]
            node = found | {"nullable": node.get("nullable", False), "$ref": ""}
            del node["$ref"]
    return node


def places(name: str, node: dict[str, Any], value: Any, path: tuple[str | int, ...] = ()) -> Iterator[Place]:
    """Every value of a document; of a list, the first."""
    node = resolved(name, node)
    yield Place(path, node, value)
    if isinstance(value, dict):
        for field, child in value.items():
            part = node.get("properties", {}).get(field) or node["additionalProperties"]
            yield from places(name, part, child, (*path, field))
    elif isinstance(value, list) and value:
        yield from places(name, node["items"], value[0], (*path, 0))


def replaced(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """A document with another value at a place, or with nothing there."""
    if not path:
        return value
    document = copy.deepcopy(document)
    place = document
    for step in path[:-1]:
        place = place[step]
    if value is GONE:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return document


def text_of(length: int, node: dict[str, Any]) -> str:
    """A text of a length that is good in every other way."""
    texts = ("a" * length, "https://".ljust(length, "a"), "vi-" + "-".join(["abcdefgh"] * 9)[: length - 3])
    return next(text for text in texts if re.search(node.get("pattern", ""), text) and len(text) == length)


def wrong_kinds(place: Place) -> Iterator[tuple[str, Any]]:
    """Null, and a value of every kind that may not stand here."""
    kind = place.node.get("type", "string")
    fitting = {kind, "integer"} if kind == "number" else {kind}
    for other, value in ONE_OF_EACH.items():
        if other not in fitting and not (other == "null" and place.node.get("nullable")):
            yield f"is {other}", value


def wrong_values(place: Place) -> Iterator[tuple[str, Any]]:
    """One past each bound, and what no pattern or list of words takes."""
    node, value = place.node, place.value
    bounds: dict[str, Callable[[Any], Any]] = {
        "minimum": lambda bound: bound - 1,
        "maximum": lambda bound: bound + 1,
        "minLength": lambda bound: "a" * (bound - 1),
        "maxLength": lambda bound: text_of(bound + 1, node),
        "minItems": lambda bound: value[:1] * (bound - 1),
        "maxItems": lambda bound: value[:1] * (bound + 1),
        "maxProperties": lambda bound: {f"{n:064x}": next(iter(value.values())) for n in range(bound + 1)},
        "propertyNames": lambda _: {f"{key.upper()}g": one for key, one in value.items()},
        "enum": lambda _: f"{value}x",
        "const": lambda _: f"{value}x",
    }
    yield from ((f"past {name}", wrong(node[name])) for name, wrong in bounds.items() if name in node)
    if "pattern" in node:
        yield from ((f"reads {text!r}", text) for text in (f"{value}\n", f"{value} ", f"é{value}", f"\n{value}"))


def wrong_fields(place: Place) -> Iterator[tuple[str, Any]]:
    """Each field that must be there gone, and a field that nobody knows where none may be."""
    for field in place.node.get("required", ()):
        yield f"lacks {field}", {name: one for name, one in place.value.items() if name != field}
    if place.node.get("additionalProperties") is False:
        yield "has more", place.value | {"new": 1}


def right_values(place: Place) -> Iterator[tuple[str, Any]]:
    """What is just within bounds, or may be gone, null or more."""
    node, value = place.node, place.value
    yield from ((f"at {bound}", node[bound]) for bound in ("minimum", "maximum") if bound in node)
    if "maxLength" in node:
        yield "at maxLength", text_of(node["maxLength"], node)
    if node.get("nullable"):
        yield "is null", None
    if "properties" in node:
        optional = sorted(node["properties"].keys() - set(node["required"]))
        yield from ((f"lacks {field}", {k: v for k, v in value.items() if k != field}) for field in optional)
        if node.get("additionalProperties") is not False:
            yield "has more", value | {"new": {"a": [1, None]}}


def attacks(name: str, *kinds: Any) -> Iterator[Attack]:
    """Every change of some kinds at every place of a good document."""
    for place in places(name, SCHEMAS[name], GOOD[name]):
        for kind in kinds:
            for what, value in kind(place):
                yield Attack(f"{list(place.path)} {what}", replaced(GOOD[name], place.path, value))


def refusal(name: str, document: Any) -> str | None:
    """The code with which the reader refuses a document; None when it takes it."""
    read = READ[name](json.dumps(document).encode())
    return read.code if isinstance(read, Refused) else None


@pytest.mark.parametrize("name", KINDS)
def test_a_good_document_passes_both(name: str) -> None:
    """The ground on which the attacks stand."""
    assert [error.message for error in VALIDATORS[name].iter_errors(GOOD[name])] == []
    assert refusal(name, GOOD[name]) is None


@pytest.mark.parametrize("kind", OF_KIND)
def test_every_field_stands_in_a_good_document(kind: str) -> None:
    """So that every field is attacked below."""
    made = schema(OF_KIND[kind])
    known = {field for node in (made, *made.get("$defs", {}).values()) for field in node["properties"]}
    names = [name for name in GOOD if KINDS[name].name == kind]
    met = {place.path[-1] for name in names for place in places(name, SCHEMAS[name], GOOD[name]) if place.path}
    assert known <= met


@pytest.mark.parametrize("name", KINDS)
def test_what_is_wrong_anywhere_is_refused_by_both(name: str) -> None:
    """Missing, null, of another kind, past a bound, off the pattern, unknown: and by its type, not by a later check."""
    tried = list(attacks(name, wrong_kinds, wrong_values, wrong_fields))
    taken_by_schema = [attack.what for attack in tried if VALIDATORS[name].is_valid(attack.document)]
    codes = {attack.what: refusal(name, attack.document) for attack in tried}
    taken_by_reader = [what for what, code in codes.items() if code is None or code in BEYOND_A_SCHEMA]
    assert (taken_by_schema, taken_by_reader) == ([], [])
    assert len(tried) > 10 * len(GOOD[name])


@pytest.mark.parametrize("name", KINDS)
def test_what_is_just_right_is_taken_by_both(name: str) -> None:
    """At each bound, without each field that may be gone, with more where more may stand."""
    tried = list(attacks(name, right_values))
    refused_by_schema = [attack.what for attack in tried if not VALIDATORS[name].is_valid(attack.document)]
    codes = {attack.what: refusal(name, attack.document) for attack in tried}
    refused_by_reader = {what: code for what, code in codes.items() if code is not None and code not in BEYOND_A_SCHEMA}
    assert (refused_by_schema, refused_by_reader) == ([], {})
    assert tried


@pytest.mark.parametrize(
    "name", ["programme", "trust", "command", "alert", "live", "status", "heartbeat", "as-run", "fault"]
)
def test_a_whole_number_has_no_fraction(name: str) -> None:
    """The one thing of a type that a schema cannot say: to it, 5.0 is an integer."""
    for place in places(name, SCHEMAS[name], GOOD[name]):
        if place.node.get("type") == "integer":
            document = replaced(GOOD[name], place.path, float(place.value))
            assert VALIDATORS[name].is_valid(document) and refusal(name, document) == "wrong-type", place.path


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer())
    | st.text()
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_change_by_chance_divides_them(data: st.DataObject) -> None:
    """Any JSON, or any text near the pattern, anywhere in any document."""
    name = data.draw(st.sampled_from(sorted(KINDS)))
    place = data.draw(st.sampled_from(list(places(name, SCHEMAS[name], GOOD[name]))))
    near = st.from_regex(place.node["pattern"]) if "pattern" in place.node else st.nothing()
    document = replaced(GOOD[name], place.path, data.draw(JSON | near))
    valid, code = VALIDATORS[name].is_valid(document), refusal(name, document)
    if valid:
        assert code is None or code in BEYOND_A_SCHEMA, (place.path, code)
    else:
        assert code is not None, (place.path, document)


SIGNED = ("programme", "beacon", "command", "alert", "live", "trust")


@pytest.mark.parametrize("name", SIGNED)
def test_a_document_means_the_same_however_it_is_written(name: str) -> None:
    """As the centre writes it, and with other spaces, names in another order, letters escaped."""
    plain = json.dumps(GOOD[name], ensure_ascii=False, separators=(",", ":")).encode()
    document = READ[name](plain)

    assert not isinstance(document, Refused)
    assert READ[name](json.dumps(GOOD[name], indent=1, sort_keys=True).encode()) == document


@pytest.mark.parametrize("name", SIGNED)
def test_a_name_that_stands_twice_is_found_wherever_it_stands(name: str) -> None:
    """Every object of a document whose other bytes are the centre's own, the same value twice."""
    plain = json.dumps(GOOD[name], ensure_ascii=False, separators=(",", ":"))
    pairs = [match.group() for match in re.finditer(r'"\w+":(?:"[^"\\]*"|[0-9]+)(?=[,}])', plain)]

    assert len(pairs) >= 4
    for pair in pairs:
        refused = READ[name](plain.replace(pair, f"{pair},{pair}", 1).encode())
        assert isinstance(refused, Refused) and refused.code == "duplicate-key", pair
