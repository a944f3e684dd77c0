"""What a stranger, a careless publisher or a broken broker can send: each is refused as a value, with its reason."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from securesystemslib.signer import CryptoSigner

from tests.parts import PLACE, SCOPE, Province
from ttcs_edge.core.documents import Audio, Bulletin, Programme, Refused, Signed, Slot, Stream
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Instant, MonoMs, Scope, Sha256, WallMs
from ttcs_edge.core.trust import Accepted, AlreadyInForce, judge_programme, utc_ms
from ttcs_edge.wire.documents import parse_programme, read_programme, read_trust_root, write_document
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, sign

PROVINCE = Province()
NOW = Instant(WallMs(utc_ms("2026-11-24T00:00:00Z")), MonoMs(0), True)
AUDIO = Audio(
    language="vi",
    sha256=Sha256("a" * 64),
    size_bytes=1_000,
    duration_ms=5_000,
    media_type="audio/ogg",
    loudness_lufs=-16.0,
    places=("https://audio.example/a", "broker:"),
)
GOOD = Programme(
    scope=Scope(SCOPE),
    version=5,
    issued="2026-11-23T00:00:00Z",
    expires="2026-12-23T00:00:00Z",
    time_zone="Asia/Ho_Chi_Minh",
    bulletins=(Bulletin(id="tin", title="Tin", audio=(AUDIO,)),),
    slots=(Slot(id="sang", start="2026-11-24T05:00:00", rrule="FREQ=DAILY", bulletins=("tin",)),),
)


def refused(data: bytes, province: Province = PROVINCE) -> tuple[str, dict[str, str]]:
    """The code and the fields of a refusal."""
    read = read_programme(data, province.root, SCOPE)
    assert isinstance(read, Refused), read
    assert read.subject == SCOPE
    return read.code, dict(read.detail)


def judged(data: bytes, province: Province = PROVINCE, **more: Any) -> Any:
    """What trust says of an envelope that could be read."""
    signed = read_programme(data, province.root, SCOPE)
    assert isinstance(signed, Signed), signed
    context: dict[str, Any] = {
        "trust": province.root,
        "topic_scope": SCOPE,
        "station_scope": Scope(PLACE),
        "floor": 0,
        "in_force": None,
        "now": NOW,
    }
    return judge_programme(signed, **(context | more))


def payload(**changes: Any) -> bytes:
    """The good programme's payload with some fields replaced, signed by the publisher."""
    fields = json.loads(write_document(GOOD)) | changes
    return sign(json.dumps(fields).encode(), PAYLOAD_TYPES["programme"], PROVINCE.publishers)


def raw(text: bytes) -> bytes:
    """Any bytes as a signed payload."""
    return sign(text, PAYLOAD_TYPES["programme"], PROVINCE.publishers)


def test_a_good_programme_is_accepted() -> None:
    """The ground on which the attacks stand."""
    assert judged(PROVINCE.sign(GOOD)) == Accepted()


def test_a_truncated_envelope_is_no_json() -> None:
    """Half a message."""
    data = PROVINCE.sign(GOOD)
    assert refused(data[: len(data) // 2])[0] == "not-json"


def test_an_oversized_envelope_is_refused_before_it_is_parsed() -> None:
    """One byte over the bound."""
    found = LIMITS.envelope_bytes + 1
    assert refused(b"{" * found) == ("oversized", {"found": str(found), "expected": f"<= {LIMITS.envelope_bytes}"})


def test_bytes_that_are_not_utf8_are_refused() -> None:
    """In the envelope, and in the signed payload."""
    assert refused(b'{"payload": "\xff"}') == ("not-utf8", {"found": "byte 13"})
    assert refused(raw(b'{"scope": "\xff"}')) == ("not-utf8", {"found": "byte 11"})


def test_a_name_that_stands_twice_is_refused() -> None:
    """Two readers could take two different versions from it."""
    text = write_document(GOOD).replace(b'"version":5', b'"version":5,"version":6')
    assert refused(raw(text)) == ("duplicate-key", {"found": "version"})


@pytest.mark.parametrize("text", [b"NaN", b'{"version": Infinity}', b"[" * 100_000, b'{"a":' * 100_000])
def test_what_is_no_plain_json_is_refused(text: bytes) -> None:
    """NaN, Infinity and nesting without end."""
    assert refused(raw(text))[0] in ("not-json", "too-deep")


def test_nesting_over_the_bound_is_refused() -> None:
    """Deep, but not deep enough to trouble the parser."""
    text = b"[" * (LIMITS.nesting + 1) + b"]" * (LIMITS.nesting + 1)
    assert refused(raw(text)) == ("too-deep", {"expected": f"<= {LIMITS.nesting}"})


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"version": "5"}, "$.version"),
        ({"version": 0}, "$.version"),
        ({"version": 2**60}, "$.version"),
        ({"scope": "../../etc"}, "$.scope"),
        ({"slots": {}}, "$.slots"),
        ({"issued": "yesterday"}, "$.issued"),
    ],
)
def test_a_wrongly_typed_field_is_named(changes: dict[str, Any], path: str) -> None:
    """The refusal says where."""
    code, detail = refused(payload(**changes))
    assert (code, detail["path"]) == ("wrong-type", path)


def test_an_unknown_field_is_refused() -> None:
    """A station that overlooked it might air what must not be heard here."""
    assert refused(payload(only_for="someone")) == ("unknown-field", {"found": "$.only_for"})


def test_a_slot_of_every_second_is_refused() -> None:
    """FREQ=SECONDLY would take the processor for itself."""
    slot = {"id": "s", "start": "2026-11-24T05:00:00", "rrule": "FREQ=SECONDLY", "bulletins": ["tin"]}
    code, detail = refused(payload(slots=[slot]))
    assert (code, detail["slot"], detail["found"]) == ("bad-rule", "s", "FREQ=SECONDLY")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"time_zone": "Asia/Atlantis"}, "bad-time-zone"),
        ({"time_zone": "../../etc/passwd"}, "bad-time-zone"),
        ({"issued": "2026-02-30T00:00:00Z"}, "bad-date"),
        ({"expires": "2026-11-01T00:00:00Z"}, "bad-date"),
        ({"slots": [{"id": "s", "start": "2026-02-30T05:00:00", "bulletins": ["tin"]}]}, "bad-date"),
        ({"slots": [{"id": "s", "start": "2026-02-20T05:00:00", "bulletins": ["khong-co"]}]}, "unknown-bulletin"),
    ],
)
def test_what_types_cannot_say_is_checked(changes: dict[str, Any], code: str) -> None:
    """Dates that no calendar has, zones that no map has, bulletins that are not there."""
    assert refused(payload(**changes))[0] == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"start": "2026-02-30T05:00:00"}, "bad-date"),
        ({"rrule": "FREQ=SECONDLY"}, "bad-rule"),
        ({"rdate": ("2026-02-30T05:00:00",)}, "bad-date"),
        ({"exdate": ("2026-02-30T05:00:00",)}, "bad-date"),
        ({"bulletins": ("tin", "khong-co")}, "unknown-bulletin"),
        ({"live": "hop", "stream": Stream(url="https://radio.example/a", most_minutes=5)}, "live-and-stream"),
    ],
)
def test_one_bad_slot_among_good_ones_that_are_like_it_is_found_and_named(changes: dict[str, Any], code: str) -> None:
    """What was found good is not looked at again where it comes again: all else is."""
    (good,) = GOOD.slots
    bad = replace(good, id="xau", **changes)
    slots = (good, replace(good, id="trua"), bad, replace(good, id="toi"))
    found, detail = refused(PROVINCE.sign(replace(GOOD, slots=slots)))
    assert (found, detail["slot"]) == (code, "xau")


def test_a_slot_that_would_fill_the_memory_is_refused() -> None:
    """A station holds what is next as verified memory: so much of it that nothing else has room."""
    huge = replace(AUDIO, size_bytes=LIMITS.audio_bytes)
    others = [replace(huge, sha256=Sha256(letter * 64)) for letter in "bc"]
    bulletins = [Bulletin(id=f"tin-{at}", title="Tin", audio=(audio,)) for at, audio in enumerate([huge, *others])]
    slot = replace(GOOD.slots[0], bulletins=("tin-0", "tin-1"))
    assert isinstance(judged(PROVINCE.sign(replace(GOOD, bulletins=tuple(bulletins), slots=(slot,)))), Accepted)

    slot = replace(slot, bulletins=("tin-0", "tin-1", "tin-2"))
    found = str(3 * LIMITS.audio_bytes)
    assert refused(PROVINCE.sign(replace(GOOD, bulletins=tuple(bulletins), slots=(slot,)))) == (
        "slot-too-large",
        {"slot": "sang", "found": found, "expected": f"<= {LIMITS.slot_audio_bytes}"},
    )


def test_a_bad_signature_counts_for_nothing() -> None:
    """The payload was changed after it was signed."""
    envelope = json.loads(PROVINCE.sign(GOOD))
    envelope["payload"] = b64encode(write_document(replace(GOOD, version=6))).decode()
    assert refused(json.dumps(envelope).encode()) == ("not-enough-signatures", {"found": "0", "expected": ">= 1"})


def test_an_unknown_key_counts_for_nothing() -> None:
    """Signed well, by somebody nobody knows."""
    assert refused(PROVINCE.sign(GOOD, [CryptoSigner.generate_ed25519()]))[0] == "not-enough-signatures"


def test_a_root_key_may_not_publish() -> None:
    """A known key without a publish grant."""
    verdict = judged(PROVINCE.sign(GOOD, [PROVINCE.root_signer]))
    assert verdict == Refused("not-enough-signatures", SCOPE, (("found", "0"), ("expected", "1")))


def test_a_key_of_another_scope_may_not_publish_here() -> None:
    """A district's key that signs for the whole province."""
    district = Province(scope=Scope("vn/lam-dong/bao-loc"))
    verdict = judged(district.sign(GOOD), district)
    assert verdict == Refused("not-enough-signatures", SCOPE, (("found", "0"), ("expected", "1")))


def test_one_key_that_signs_twice_is_one_signature() -> None:
    """Two-person approval cannot be made by one person."""
    pair = Province(publishers=2, threshold=2)
    envelope = json.loads(pair.sign(GOOD, pair.publishers[:1]))
    envelope["signatures"] *= 2
    read = read_programme(json.dumps(envelope).encode(), pair.root, SCOPE)
    assert isinstance(read, Refused) or judged(json.dumps(envelope).encode(), pair) == Refused(
        "not-enough-signatures", SCOPE, (("found", "1"), ("expected", "2"))
    )
    assert judged(pair.sign(GOOD), pair) == Accepted()


def test_a_signature_over_another_payload_type_is_worth_nothing() -> None:
    """A document of one kind cannot be passed off as another."""
    as_trust = sign(write_document(GOOD), PAYLOAD_TYPES["trust"], PROVINCE.publishers)
    assert refused(as_trust)[0] == "wrong-payload-type"
    renamed = json.loads(as_trust) | {"payloadType": PAYLOAD_TYPES["programme"]}
    assert refused(json.dumps(renamed).encode())[0] == "not-enough-signatures"


def test_a_programme_of_another_scope_is_refused() -> None:
    """Moved to this station's topic, or published for a place where it is not."""
    data = PROVINCE.sign(replace(GOOD, scope=Scope("vn/lam-dong/bao-loc")))
    assert judged(data) == Refused("wrong-scope", SCOPE, (("found", "vn/lam-dong/bao-loc"), ("expected", SCOPE)))
    elsewhere = judged(PROVINCE.sign(GOOD), station_scope=Scope("vn/da-nang"))
    assert elsewhere == Refused("wrong-scope", SCOPE, (("found", SCOPE), ("expected", "vn/da-nang")))


def test_an_expired_programme_is_refused() -> None:
    """Good signatures do not make it younger."""
    late = replace(NOW, wall_ms=WallMs(utc_ms("2026-12-23T00:00:00Z")))
    assert judged(PROVINCE.sign(GOOD), now=late) == Refused("expired", SCOPE, (("expires", "2026-12-23T00:00:00Z"),))


def test_an_older_version_is_refused() -> None:
    """never-6: rollback, replay."""
    verdict = judged(PROVINCE.sign(GOOD), floor=6)
    assert verdict == Refused("old-version", SCOPE, (("found", "5"), ("expected", ">= 6")))


def test_one_version_has_one_content() -> None:
    """The same programme again changes nothing; another one under its number is refused."""
    data = PROVINCE.sign(GOOD)
    in_force = read_programme(data, PROVINCE.root, SCOPE)
    assert judged(data, floor=5, in_force=in_force) == AlreadyInForce()
    other = PROVINCE.sign(replace(GOOD, slots=()))
    verdict = judged(other, floor=5, in_force=in_force)
    assert verdict == Refused("same-version", SCOPE, (("found", "5"), ("expected", "> 5")))


def test_a_trust_root_signed_by_too_few_is_refused() -> None:
    """Its own root grant is its judge."""
    from ttcs_edge.core.trust import check_trust_root

    data = sign(write_document(PROVINCE.root), PAYLOAD_TYPES["trust"], PROVINCE.publishers)
    signed = read_trust_root(data)
    assert isinstance(signed, Signed)
    assert isinstance(check_trust_root(signed, NOW), Refused)


def test_a_document_written_and_read_is_the_same() -> None:
    """Round trip."""
    assert parse_programme(write_document(GOOD), SCOPE) == GOOD
    assert datetime.now(timezone.utc)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_stop_the_reader(data: bytes) -> None:
    """never-7: whatever comes is a value."""
    assert isinstance(read_programme(data, PROVINCE.root, SCOPE), Refused)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_change_of_a_good_envelope_brings_another_programme(data: st.DataObject) -> None:
    """One byte replaced anywhere: refused, or still the very document that was signed."""
    envelope = bytearray(PROVINCE.sign(GOOD))
    index = data.draw(st.integers(0, len(envelope) - 1))
    envelope[index] = data.draw(st.integers(0, 255))
    read = read_programme(bytes(envelope), PROVINCE.root, SCOPE)
    assert isinstance(read, Refused) or read.document == GOOD
