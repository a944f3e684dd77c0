"""DSSE v1: what is signed here verifies elsewhere, what is signed elsewhere verifies here, and nothing else does."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.parts import PLACE, SCOPE, Province
from tests.wire.corpus import programme
from ttcs_edge.core.documents import PublicKey, Refused, Signed
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Instant, MonoMs, Scope, WallMs
from ttcs_edge.core.trust import Accepted, judge_programme, utc_ms
from ttcs_edge.wire.documents import read_programme, write_document
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, STRIDE_CHARS, Sealed, decoded, read_envelope, sign
from ttcs_edge.wire.json_text import read_json

KIND = PAYLOAD_TYPES["programme"]
NOW = Instant(WallMs(utc_ms("2026-11-24T00:00:00Z")), MonoMs(0), True)


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding, written from the DSSE v1 protocol and from nothing of the product."""
    kind = payload_type.encode()
    return b" ".join([b"DSSEv1", str(len(kind)).encode(), kind, str(len(payload)).encode(), payload])


class Stranger:
    """Another implementation of DSSE: plain ``cryptography`` and plain ``json``."""

    def __init__(self, keyid: str) -> None:
        self.keyid = keyid
        self.key = Ed25519PrivateKey.generate()

    @property
    def public(self) -> PublicKey:
        """Its key, as a trust root would hold it."""
        raw = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return PublicKey(keytype="ed25519", scheme="ed25519", public=raw.hex())

    def signature(self, payload: bytes, kind: str = KIND) -> dict[str, Any]:
        """Its signature, in standard base64."""
        return {"keyid": self.keyid, "sig": b64encode(self.key.sign(pae(kind, payload))).decode()}


ANN, BINH = Stranger("a" * 64), Stranger("b" * 64)
KEYS = {ANN.keyid: ANN.public, BINH.keyid: BINH.public}


def envelope(payload: bytes, /, *signatures: Mapping[str, Any], kind: str = KIND, **more: Any) -> bytes:
    """An envelope by hand."""
    fields = {"payload": b64encode(payload).decode(), "payloadType": kind, "signatures": list(signatures)}
    return json.dumps(fields | more).encode()


def signers(data: bytes, kind: str = KIND) -> frozenset[str]:
    """Whose good signatures an envelope bears."""
    sealed = read_envelope(data, kind, "x")
    assert isinstance(sealed, Sealed), sealed
    return sealed.signers(KEYS)


def refused(data: bytes) -> Refused:
    """Why an envelope is not read."""
    read = read_envelope(data, KIND, "x")
    assert isinstance(read, Refused), read
    return read


def test_what_is_signed_here_verifies_with_plain_cryptography() -> None:
    """Every signature, over the encoding that the protocol gives; and over nothing else."""
    province = Province(publishers=2)
    data = json.loads(province.sign(programme()))
    payload = b64decode(data["payload"], validate=True)

    assert (payload, data["payloadType"]) == (write_document(programme()), KIND)
    assert [one["keyid"] for one in data["signatures"]] == [one.public_key.keyid for one in province.publishers]
    for one in data["signatures"]:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(province.root.keys[one["keyid"]].public))
        key.verify(b64decode(one["sig"], validate=True), pae(KIND, payload))
        with pytest.raises(InvalidSignature):
            key.verify(b64decode(one["sig"]), pae(KIND, payload + b" "))


def test_the_same_document_signed_again_is_the_same_bytes() -> None:
    """A centre that publishes a file twice changes nothing on the broker."""
    province = Province(publishers=2)
    assert province.sign(programme()) == province.sign(programme())


def test_what_is_signed_with_plain_cryptography_verifies_here() -> None:
    """The example of the DSSE protocol, to the letter."""
    kind, payload = "http://example.com/HelloWorld", b"hello world"
    signed = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    signature = {"keyid": ANN.keyid, "sig": b64encode(ANN.key.sign(signed)).decode()}
    assert signers(envelope(payload, signature, kind=kind), kind) == {ANN.keyid}


@pytest.mark.parametrize("length", range(6))
def test_url_safe_base64_verifies_too(length: int) -> None:
    """DSSE allows both alphabets, whatever the padding."""
    payload = b"\xfb\xff\xbf\xfe\xff\xff"[: length + 1]
    sig = urlsafe_b64encode(ANN.key.sign(pae(KIND, payload))).decode()
    data = envelope(payload, {"keyid": ANN.keyid, "sig": sig}, payload=urlsafe_b64encode(payload).decode())
    sealed = read_envelope(data, KIND, "x")
    assert isinstance(sealed, Sealed) and sealed.payload == payload
    assert sealed.signers(KEYS) == {ANN.keyid}


def test_unknown_fields_of_an_envelope_are_passed_over() -> None:
    """DSSE asks for it: a producer may add what nobody signed."""
    signature = ANN.signature(b"{}") | {"extension": {"kind": "x"}}
    assert signers(envelope(b"{}", signature, note=["new"])) == {ANN.keyid}


def test_two_who_sign_together_reach_a_threshold_of_two() -> None:
    """And neither of them alone, whoever else signs."""
    province = Province(publishers=3, threshold=2)
    first, second, _ = province.publishers

    def judged(*chosen: Any) -> object:
        signed = read_programme(province.sign(programme(), list(chosen)), province.root, SCOPE)
        assert isinstance(signed, Signed), signed
        return judge_programme(
            signed,
            trust=province.root,
            topic_scope=SCOPE,
            station_scope=Scope(PLACE),
            floor=0,
            in_force=None,
            now=NOW,
        )

    one_of_two = Refused("not-enough-signatures", SCOPE, (("found", "1"), ("expected", "2")))
    assert judged(first, second) == Accepted()
    assert judged(*province.publishers) == Accepted()
    assert judged(first) == judged(first, province.root_signer) == judged(first, first) == one_of_two


def test_a_key_that_signs_twice_counts_once() -> None:
    """Under its own id, and under that of another."""
    mine = ANN.signature(b"{}")
    assert signers(envelope(b"{}", mine, mine)) == {ANN.keyid}
    assert signers(envelope(b"{}", mine, mine | {"keyid": BINH.keyid})) == {ANN.keyid}


@pytest.mark.parametrize("spoiled", ["", "AAAA", b64encode(b"\0" * 64).decode(), b64encode(b"\xff" * 64).decode()])
def test_a_bad_signature_takes_nothing_from_a_good_one(spoiled: str) -> None:
    """Whether it is before or behind it, of the same key or of another."""
    good = ANN.signature(b"{}")
    for bad in (good | {"sig": spoiled}, {"keyid": BINH.keyid, "sig": spoiled}):
        assert signers(envelope(b"{}", bad, good)) == signers(envelope(b"{}", good, bad)) == {ANN.keyid}
        assert signers(envelope(b"{}", bad)) == frozenset()


def test_a_crowd_of_bad_signatures_of_one_key_is_not_looked_through() -> None:
    """Whoever holds the broker could have every one of thirty-two checked, of every message."""
    good = ANN.signature(b"{}")
    bad = good | {"sig": b64encode(b"\0" * 64).decode()}
    most = LIMITS.signatures_per_key
    assert signers(envelope(b"{}", *[bad] * (most - 1), good)) == {ANN.keyid}
    assert signers(envelope(b"{}", *[bad] * most, good)) == frozenset()


def test_a_signature_without_the_id_of_a_known_key_counts_for_nothing() -> None:
    """Unset is the same as empty; none of them keeps a good one from counting."""
    good = ANN.signature(b"{}")
    nameless = {"sig": good["sig"]}
    others = [nameless, nameless, good | {"keyid": ""}, good | {"keyid": "c" * 64}, good | {"keyid": "ă" * 1_000}]
    assert signers(envelope(b"{}", *others)) == frozenset()
    assert signers(envelope(b"{}", *others, good)) == {ANN.keyid}


@pytest.mark.parametrize(
    "payload", ["e30", "e30=\n", "e3\n0=", " e30=", "e30==", "e30=e30=", "e=30", "e", "ey=\u0663", "{}", "e30=\0"]
)
def test_base64_is_read_to_the_letter(payload: str) -> None:
    """Two readers that skip different letters would read two payloads under one signature."""
    assert refused(envelope(b"", payload=payload)).code == "not-an-envelope"
    assert refused(envelope(b"{}", {"keyid": ANN.keyid, "sig": payload})).code == "not-an-envelope"


@pytest.mark.parametrize("over", [-4, -3, -1, 0, 1, 3, 4])
def test_base64_of_any_length_is_read_to_the_letter(over: int) -> None:
    """Also where two strides of it meet: padding belongs at its end alone."""
    data = bytes(range(256)) * (2 * STRIDE_CHARS * 3 // 4 // 256) + b"x" * 4
    text = b64encode(data[: 2 * STRIDE_CHARS * 3 // 4 + over]).decode()
    assert decoded(text) == data[: 2 * STRIDE_CHARS * 3 // 4 + over]
    first = STRIDE_CHARS - 4
    for wrong in (text[:first] + "AA==" + text[first + 4 :], text[: first + 4] + "\n" + text[first + 4 :]):
        with pytest.raises(ValueError):
            decoded(wrong)


@pytest.mark.parametrize(
    "data",
    [
        b"null",
        b"7",
        b"[]",
        b"{}",
        b'"text"',
        b'{"signatures": {}}',
        b'{"signatures": []}',
        envelope(b"", payload=None),
        envelope(b"", payload=["e30="]),
        envelope(b"", payloadType=7),
        envelope(b"", "e30="),  # type: ignore[arg-type]
        envelope(b"", {"keyid": "a"}),
        envelope(b"", {"keyid": 7, "sig": ""}),
        envelope(b"", {"keyid": None, "sig": ""}),
    ],
)
def test_what_is_no_envelope_is_refused_as_such(data: bytes) -> None:
    """A value, whatever stands where."""
    assert refused(data).code == "not-an-envelope"


def test_another_payload_type_is_refused_with_both_named() -> None:
    """However long it is."""
    found = "x" * LIMITS.found_chars
    assert refused(envelope(b"{}", kind=f"{found}tail")) == Refused(
        "wrong-payload-type", "x", (("found", found), ("expected", KIND))
    )


def test_no_more_signatures_are_tried_than_the_bound() -> None:
    """Each one tried costs a verification over the whole payload."""
    most = LIMITS.signatures
    assert signers(envelope(b"{}", *[ANN.signature(b"{}")] * most)) == {ANN.keyid}
    assert refused(envelope(b"{}", *[{"sig": ""}] * (most + 1))) == Refused(
        "too-many-signatures", "x", (("found", str(most + 1)), ("expected", f"<= {most}"))
    )


def test_a_name_that_stands_twice_among_a_million_is_found_at_once() -> None:
    """Nobody has signed this yet: looking for it name by name would take a station's evening."""
    names = ",".join(f'"{number}":0' for number in range(1_000_000))
    assert read_json(f'{{{names},"999999":1}}'.encode(), "x") == Refused("duplicate-key", "x", (("found", "999999"),))


@pytest.mark.parametrize("text", [r'"\ud800"', r'{"a": "\udfff"}', r'{"\ud83d": 1}', r'["\ude00\ud83d"]'])
def test_half_of_a_pair_is_refused_wherever_it_stands(text: str) -> None:
    """In a value, in a name, in the wrong order; a whole pair is a letter like any other."""
    assert read_json(text.encode(), "x") == Refused("not-utf8", "x", (("found", "half a surrogate pair"),))
    assert read_json(rb'"\ud83d\ude00 \\ud800"', "x") == "😀 \\ud800"


@pytest.mark.parametrize("data", [b"", b" ", b"\xef\xbb\xbf{}", b"{} {}", b"-Infinity", b"1" * 5_000, b"'a'", b"{,}"])
def test_what_is_no_json_is_refused_as_such(data: bytes) -> None:
    """Nothing, a byte order mark, two documents, what JavaScript adds, a number without end."""
    read = read_json(data, "x")
    assert isinstance(read, Refused) and read.code == "not-json"


def test_sign_raises_what_a_signer_raises() -> None:
    """A token that was pulled out is the operator's to know, and no envelope with fewer signatures comes of it."""

    class Pulled:
        def sign(self, payload: bytes) -> object:
            raise OSError("no token")

    with pytest.raises(OSError, match=r"^no token$"):
        sign(b"{}", KIND, [Pulled()])  # type: ignore[list-item]
