"""What comes down, written and read: the same value, the same bytes, nothing that two readers could take two ways."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.wire.corpus import GOOD, PROVINCE, audio, programme, streaming
from ttcs_edge.core.documents import (
    ID_PATTERN,
    LANGUAGE_PATTERN,
    LOCAL_PATTERN,
    SCOPE_PATTERN,
    Audio,
    Bulletin,
    Grant,
    Programme,
    PublicKey,
    Refused,
    Signed,
    Slot,
    TrustRoot,
)
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope
from ttcs_edge.wire.documents import (
    AT_ONCE,
    _plain_programme,
    parse_programme,
    parse_trust_root,
    read_programme,
    read_trust_root,
    write_document,
)
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, key_id, sign


def text(pattern: str, most: int) -> st.SearchStrategy[str]:
    """Any text of a pattern and a bound."""
    return st.from_regex(pattern, fullmatch=True).filter(lambda one: len(one) <= most)


IDS = text(ID_PATTERN, LIMITS.id_chars)
SCOPES = text(SCOPE_PATTERN, LIMITS.scope_chars).map(Scope)
HEX = st.integers(0, 2**256 - 1).map(lambda number: f"{number:064x}")
VERSIONS = st.integers(1, 2**53 - 1)
LOCAL = st.datetimes(datetime(1970, 1, 1), datetime(2200, 12, 31)).map(lambda at: at.isoformat()[:19])
RULES = st.sampled_from(["", "FREQ=DAILY", "FREQ=MONTHLY;BYDAY=-1SU;COUNT=12", "FREQ=YEARLY;UNTIL=20301231T000000Z"])
ISSUED, EXPIRES = st.just("2026-02-28T23:59:59Z"), st.sampled_from(["2026-03-01T00:00:00Z", "9999-12-31T23:59:59Z"])


def several(one: st.SearchStrategy[object], least: int = 0, **more: object) -> st.SearchStrategy[tuple[object, ...]]:
    """A few of them."""
    return st.lists(one, min_size=least, max_size=3, **more).map(tuple)  # type: ignore[arg-type]


AUDIO = st.builds(
    Audio,
    language=text(LANGUAGE_PATTERN, LIMITS.language_chars),
    sha256=HEX,
    size_bytes=st.integers(1, LIMITS.slot_audio_bytes // 32),
    duration_ms=st.integers(1, LIMITS.audio_duration_ms),
    media_type=st.sampled_from(["audio/ogg", "audio/wav", "audio/mpeg", "audio/flac"]),
    loudness_lufs=st.floats(-70, 0),
    places=several(st.sampled_from(["broker:", "https://a.example/x", "https://[2001:db8::1]/%C4%83?b=1#c"]), 1),
)
BULLETINS = st.builds(
    Bulletin,
    id=IDS,
    title=st.text(max_size=LIMITS.title_chars),
    audio=several(AUDIO, 1, unique_by=lambda one: one.language),
    expires=st.none() | EXPIRES,
)


@st.composite
def programmes(draw: st.DrawFn) -> Programme:
    """Any programme that a station takes."""
    bulletins = draw(several(BULLETINS, 1, unique_by=lambda one: one.id))
    slots = st.builds(
        Slot,
        id=IDS,
        start=LOCAL,
        bulletins=several(st.sampled_from([one.id for one in bulletins]), 1),  # type: ignore[attr-defined]
        rrule=RULES,
        rdate=several(LOCAL),
        exdate=several(LOCAL),
        zones=several(IDS),
        priority=st.integers(0, 9),
        volume_percent=st.integers(0, 100),
        late_window_s=st.integers(0, 86_400),
        if_interrupted=st.sampled_from(["resume", "restart", "drop"]),
        if_unplayable=st.sampled_from(["silence", "earlier", "standing"]),
        live=st.none() | IDS,
    )
    return draw(
        st.builds(
            Programme,
            scope=SCOPES,
            version=VERSIONS,
            issued=ISSUED,
            expires=EXPIRES,
            time_zone=st.sampled_from(["Asia/Ho_Chi_Minh", "UTC", "Europe/Prague"]),
            bulletins=st.just(bulletins),
            slots=several(slots, 0, unique_by=lambda one: one.id),
            standing=several(st.sampled_from([one.id for one in bulletins]), 0),  # type: ignore[attr-defined]
        )
    )


@st.composite
def trust_roots(draw: st.DrawFn) -> TrustRoot:
    """Any trust root that a station takes."""
    publics = draw(st.lists(HEX, min_size=1, max_size=4, unique=True))
    pairs = [PublicKey(keytype="ed25519", scheme="ed25519", public=one) for one in publics]
    keys = {key_id(key): key for key in pairs}
    granted = st.lists(st.sampled_from(sorted(keys)), min_size=1, unique=True).map(tuple)
    grant = granted.flatmap(
        lambda names: st.builds(
            Grant,
            role=st.sampled_from(["root", "publish", "command", "beacon"]),
            scope=SCOPES,
            keys=st.just(names),
            threshold=st.integers(1, len(names)),
        )
    )
    return draw(
        st.builds(
            TrustRoot,
            scope=SCOPES,
            version=VERSIONS,
            issued=ISSUED,
            expires=EXPIRES,
            keys=st.just(keys),
            grants=several(grant, 1),
        )
    )


SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(programmes())
def test_a_programme_comes_out_as_it_went_in(document: Programme) -> None:
    """Whatever stands in it; and written again it is the same bytes."""
    payload = write_document(document)
    read = parse_programme(payload, "x")
    assert read == document
    assert write_document(document) == write_document(read) == payload


@SLOW
@given(trust_roots())
def test_a_trust_root_comes_out_as_it_went_in(document: TrustRoot) -> None:
    """The same."""
    payload = write_document(document)
    read = parse_trust_root(payload, "x")
    assert read == document
    assert write_document(read) == payload


def test_the_bytes_of_a_programme_are_these() -> None:
    """What was signed by one release is what the next one writes: order, spelling, defaults and all."""
    small = replace(programme(), bulletins=programme().bulletins[1:], slots=programme().slots[1:], standing=())
    small = replace(small, slots=(replace(small.slots[0], bulletins=("nhac",)),))
    assert write_document(small).decode() == (
        '{"scope":"vn/lam-dong","version":7,"issued":"2026-11-23T00:00:00Z","expires":"2026-12-23T00:00:00Z",'
        '"time_zone":"Asia/Ho_Chi_Minh","bulletins":[{"id":"nhac","title":"","audio":[{"language":"vi",'
        f'"sha256":"{"c" * 64}","size_bytes":64000,"duration_ms":12345,"media_type":"audio/ogg",'
        '"loudness_lufs":-16.25,"places":["https://audio.example/a.ogg","broker:"]}]}],'
        '"slots":[{"id":"mot-lan","start":"2026-11-25T17:00:00","bulletins":["nhac"]}]}'
    )


def test_a_programme_that_asks_nothing_new_is_written_as_the_first_stations_know_it() -> None:
    """They refuse a field that they do not know: a newer centre must not silence them for what nobody used."""
    document = replace(programme(), standing=())
    document = replace(
        document, slots=tuple(replace(one, if_unplayable="silence", live=None) for one in document.slots)
    )
    document = replace(document, bulletins=tuple(replace(one, expires=None) for one in document.bulletins))
    plain, asking = write_document(document), write_document(programme())
    for name in (b'"standing"', b'"if_unplayable"', b'"live"'):
        assert name not in plain and name in asking
    assert plain.count(b'"expires"') == 1 and asking.count(b'"expires"') == 2
    assert b'"stream"' not in asking and b'"stream"' in write_document(streaming())
    assert parse_programme(plain, "x") == document


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"standing": ("nhac", "khong-co")}, ("unknown-bulletin", {"slot": "standing", "found": "khong-co"})),
        ({"standing": ("nang",) * 3}, ("slot-too-large", {"slot": "standing"})),
        ({"expires": "2026-02-30T00:00:00Z"}, ("bad-date", {"expected": "YYYY-MM-DDThh:mm:ssZ"})),
    ],
)
def test_what_stands_in_is_checked_like_what_it_stands_in_for(
    changes: dict[str, object], refused: tuple[str, dict[str, str]]
) -> None:
    """A standing bulletin that is not there or too large, and an expiry that no calendar has, are refused whole."""
    heavy = Bulletin(id="nang", title="", audio=(replace(audio(), size_bytes=LIMITS.audio_bytes),))
    document = replace(programme(), bulletins=(*programme().bulletins, heavy))
    if "standing" in changes:
        document = replace(document, **changes)
    else:
        first = replace(document.bulletins[0], **changes)
        document = replace(document, bulletins=(first, *document.bulletins[1:]))
    read = parse_programme(write_document(document), "x")
    assert isinstance(read, Refused) and read.code == refused[0]
    assert refused[1].items() <= dict(read.detail).items()


def test_a_signed_document_keeps_the_bytes_that_came() -> None:
    """Decision 6: what is stored is what arrived, though the same document could be written in other bytes."""
    payload = json.dumps(GOOD["programme"], indent=3).encode()
    data = sign(payload, PAYLOAD_TYPES["programme"], PROVINCE.publishers)
    signed = read_programme(data, PROVINCE.root, "x")
    keyids = frozenset(one.public_key.keyid for one in PROVINCE.publishers)
    assert signed == Signed(programme(), keyids, data)
    root = read_trust_root(PROVINCE.signed_root())
    assert root == Signed(PROVINCE.root, frozenset({PROVINCE.root_signer.public_key.keyid}), PROVINCE.signed_root())


def test_a_slot_says_only_what_is_not_usual() -> None:
    """A field that may be left out means the same as its default written out."""
    short = {"id": "mot-lan", "start": "2026-11-25T17:00:00", "bulletins": ["tin"]}
    document = GOOD["programme"] | {"slots": [short]}
    read = parse_programme(json.dumps(document).encode(), "x")
    assert isinstance(read, Programme) and read.slots == programme().slots[1:]


def test_a_bulletin_has_one_recording_a_language() -> None:
    """Of two, one station could air the one and another the other."""
    twice = Bulletin(id="tin", title="Tin", audio=(audio(), audio("kpm", "b" * 64), audio(sha256="c" * 64)))
    document = replace(programme(), bulletins=(twice,), slots=())
    read = parse_programme(write_document(document), "x")
    assert read == Refused("duplicate-id", "x", (("found", "tin vi"),))


@pytest.mark.parametrize(
    ("bulletins", "slots", "found"),
    [(("a", "b", "a"), (), "a"), (("a",), ("s", "t", "t"), "t"), (("a",), ("a",), None)],
)
def test_an_id_that_stands_twice_is_named(
    bulletins: tuple[str, ...], slots: tuple[str, ...], found: str | None
) -> None:
    """Among bulletins or among slots; a bulletin and a slot may share one."""
    document = replace(
        programme(),
        bulletins=tuple(Bulletin(id=name, title="", audio=(audio(),)) for name in bulletins),
        slots=tuple(Slot(id=name, start="2026-11-24T05:00:00", bulletins=("a",)) for name in slots),
        standing=(),
    )
    read = parse_programme(write_document(document), "x")
    assert read == (document if found is None else Refused("duplicate-id", "x", (("found", found),)))


def test_a_field_of_the_wrong_kind_is_named_with_its_path() -> None:
    """Also when it is the name of a key."""
    trust = GOOD["trust"] | {"keys": {"no-key": next(iter(GOOD["trust"]["keys"].values()))}}
    read = parse_trust_root(json.dumps(trust).encode(), "x")
    assert isinstance(read, Refused) and dict(read.detail)["path"] == "key in $.keys"
    slots = [GOOD["programme"]["slots"][0] | {"priority": "high"}]
    read_slots = parse_programme(json.dumps(GOOD["programme"] | {"slots": slots}).encode(), "x")
    assert read_slots == Refused(
        "wrong-type", "x", (("path", "$.slots[0].priority"), ("found", "Expected `int`, got `str`"))
    )
    assert parse_programme(b"[]", "x") == Refused(
        "wrong-type", "x", (("path", "$"), ("found", "Expected `object`, got `array`"))
    )


def test_an_unknown_field_is_named_with_its_path() -> None:
    """At the depth where it stands, also below a key of the trust root."""
    recording = GOOD["programme"]["bulletins"][0]["audio"][1] | {"only_for": "x"}
    bulletin = GOOD["programme"]["bulletins"][0] | {"audio": [GOOD["programme"]["bulletins"][0]["audio"][0], recording]}
    read = parse_programme(json.dumps(GOOD["programme"] | {"bulletins": [bulletin]}).encode(), "x")
    assert read == Refused("unknown-field", "x", (("found", "$.bulletins[0].audio[1].only_for"),))
    keyid, key = next(iter(GOOD["trust"]["keys"].items()))
    trust = GOOD["trust"] | {"keys": GOOD["trust"]["keys"] | {keyid: key | {"revoked": True}}}
    found = f"$.keys[{keyid}].revoked"
    assert parse_trust_root(json.dumps(trust).encode(), "x") == Refused("unknown-field", "x", (("found", found),))


def test_what_nobody_known_signed_is_not_even_parsed() -> None:
    """A stranger's payload, however broken, is answered with its signatures alone."""
    data = sign(b"\xff{", PAYLOAD_TYPES["programme"], [PROVINCE.root_signer])
    unknown = replace(PROVINCE.root, keys={})
    assert read_programme(data, unknown, "x") == Refused(
        "not-enough-signatures", "x", (("found", "0"), ("expected", ">= 1"))
    )
    assert read_programme(data, PROVINCE.root, "x") == Refused("not-utf8", "x", (("found", "byte 0"),))


LONG = replace(programme(), slots=tuple(replace(programme().slots[0], id=f"s{n:04}") for n in range(2 * AT_ONCE + 7)))
LAST = f"s{2 * AT_ONCE + 6:04}".encode()


@pytest.mark.parametrize(
    ("field", "wrong", "place"),
    [
        ("id", "s 1", ""),
        ("id", "s1\n", ""),
        ("start", "2026-11-24 05:00:00", ""),
        ("bulletins", ("a", "../a"), "[1]"),
        ("rdate", ("2026-11-24T05:00:00", "2026-11-25T05:00"), "[1]"),
        ("exdate", ("tomorrow",), "[0]"),
        ("zones", ("cho", "ch\u043e"), "[1]"),
        ("live", "thời-sự", ""),
    ],
)
@pytest.mark.parametrize("at", [0, 2 * AT_ONCE + 6])
@pytest.mark.parametrize("indent", [None, 1])
def test_a_text_of_a_slot_that_does_not_look_as_it_should_is_named_with_its_path(
    field: str, wrong: Any, place: str, at: int, indent: int | None
) -> None:
    """In the first slot or the last of hundreds, in bytes as we write them or as others do."""
    slots = list(LONG.slots)
    slots[at] = replace(slots[at], **{field: wrong})
    payload = write_document(replace(LONG, slots=tuple(slots)))
    pattern = LOCAL_PATTERN if field in ("start", "rdate", "exdate") else ID_PATTERN
    detail = (("path", f"$.slots[{at}].{field}{place}"), ("found", f"Expected `str` matching regex {pattern!r}"))
    read = parse_programme(payload if indent is None else json.dumps(json.loads(payload), indent=indent).encode(), "x")

    assert read == Refused("wrong-type", "x", detail)


@pytest.mark.parametrize("size", [0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE + 7])
def test_a_programme_of_any_length_is_read_bit_by_bit(size: int) -> None:
    """Nothing is lost between two bits, nothing is looked at more closely than it must be, and an alert that comes
    meanwhile waits for one of them at the most.
    """
    document = replace(LONG, slots=LONG.slots[:size])
    ways: list[None] = []
    assert _plain_programme(write_document(document), lambda: ways.append(None)) == document
    assert len(ways) == -(-size // AT_ONCE) + 1  # one for its bulletins


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        (b'{"new":1,"id":"%b"' % LAST, "unknown-field"),
        (b'{"id":"a","id":"%b"' % LAST, "duplicate-key"),
        (b'{"id":"s0000"', "duplicate-id"),
        (b'{"id":7', "wrong-type"),
        (b'{"id":"%b",' % LAST, "not-json"),
        (b'{ "id":"%b"' % LAST, None),
        (b'{"\\u0069d":"%b"' % LAST, None),
    ],
)
def test_what_is_wrong_with_the_last_slot_of_hundreds_is_seen(changed: bytes, code: str | None) -> None:
    """And what is only written otherwise is taken for what it says."""
    payload = write_document(LONG)
    begin = b'{"id":"%b"' % LAST
    assert payload.count(begin) == 1
    read = parse_programme(payload.replace(begin, changed), "x")
    assert (read.code, None) == (code, None) if isinstance(read, Refused) else (code, read) == (None, LONG)


@pytest.mark.parametrize("before", [b'"slots":[', b'"standing":', b'"bulletins":['])
def test_what_stands_between_the_parts_of_a_programme_is_seen(before: bytes) -> None:
    """White space is only looked at more closely; a second list of slots is refused."""
    payload = write_document(LONG)
    assert _plain_programme(payload.replace(before, before + b" "), lambda: None) is None
    assert parse_programme(payload.replace(before, before + b" "), "x") == LONG
    twice = parse_programme(payload.replace(before, b'"slots":[],' + before), "x")
    assert isinstance(twice, Refused) and twice.code == "duplicate-key"
