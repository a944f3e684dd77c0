"""A request, an answer, and the code that proves both: what is forged, changed or of another is nothing."""

from __future__ import annotations

import base64
import json
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttcs_edge.wire.certificates import load_key, make_request, new_key
from ttcs_edge.wire.enrolment import (
    ANSWER_BYTES,
    REQUEST_BYTES,
    Answer,
    Given,
    Received,
    Request,
    Secret,
    client_of,
    read_message,
    read_request,
    request_topic,
    secret_of,
)

SECRET, OTHER = Secret(b"one"), Secret(b"another")
KEY = load_key(new_key())
assert KEY is not None
PKCS10 = make_request(KEY, "enrolment")
GIVEN = Given("da-teh-01", "vn/lam-dong/da-teh", "certificate", "authority", "trust", "id: da-teh-01\n")


def asked(data: bytes, secret: Secret = SECRET) -> bytes | None:
    """What a centre that knows the code makes of a request."""
    request = read_request(data)
    return secret.pkcs10_of(request) if isinstance(request, Request) else None


def test_who_knows_the_code_is_understood_and_nobody_else() -> None:
    """Both ways, and the last word too."""
    request = SECRET.ask(PKCS10)
    answer = SECRET.answer(request, GIVEN)
    received = read_request(SECRET.receive(request))

    assert asked(request) == PKCS10 and asked(request, OTHER) is None
    assert SECRET.given(request, answer) == GIVEN and OTHER.given(request, answer) is None
    assert isinstance(received, Received)
    assert SECRET.is_received(received, request) and not OTHER.is_received(received, request)
    assert len(request) < REQUEST_BYTES / 4


def test_an_answer_is_to_one_request_alone() -> None:
    """Under the same code, too: what was answered to somebody else, or before, is no answer."""
    assert KEY is not None
    first, second = SECRET.ask(PKCS10), SECRET.ask(make_request(KEY, "enrolment"))
    answer = SECRET.answer(first, GIVEN)
    moved = msgspec.json.encode(
        msgspec.structs.replace(
            msgspec.json.decode(answer, type=Answer),
            request=msgspec.json.decode(SECRET.answer(second, GIVEN), type=Answer).request,
        )
    )

    assert first != second
    assert SECRET.given(first, answer) == GIVEN
    assert SECRET.given(second, answer) is None and SECRET.given(second, moved) is None


def test_no_proof_counts_as_one_of_another_kind() -> None:
    """A request sent back is no answer; the proof of a request proves no reception."""
    request = SECRET.ask(PKCS10)
    proof = msgspec.json.decode(request)["proof"]
    asked_sha = msgspec.json.decode(SECRET.answer(request, GIVEN))["request"]

    assert SECRET.given(request, request) is None
    assert not SECRET.is_received(Received(asked_sha, proof), request)
    for message in (SECRET.answer(request, GIVEN), SECRET.receive(request)):
        said = msgspec.json.decode(message)
        parts = bytes.fromhex(said["request"]) + base64.b64decode(said.get("given", ""))
        forged = msgspec.json.encode(Request(base64.b64encode(parts).decode(), said["proof"]))
        assert asked(forged) is None, "the proof of an answer, or of its reception, makes no request"
    echoed = msgspec.json.encode(Answer(asked_sha, msgspec.json.decode(request)["pkcs10"], proof))
    assert SECRET.given(request, echoed) is None


@pytest.mark.parametrize("field", ["pkcs10", "proof"])
def test_a_request_that_was_changed_proves_nothing(field: str) -> None:
    """One character of any part."""
    fields = json.loads(SECRET.ask(PKCS10))
    letter = "A" if fields[field][9] != "A" else "B"
    fields[field] = fields[field][:9] + letter + fields[field][10:]
    changed = json.dumps(fields).encode()

    assert asked(changed) is None


@pytest.mark.parametrize("field", ["request", "given", "proof"])
def test_an_answer_that_was_changed_is_none(field: str) -> None:
    """One character of any part."""
    request = SECRET.ask(PKCS10)
    fields = json.loads(SECRET.answer(request, GIVEN))
    letter = "A" if fields[field][9] != "A" else "B"
    fields[field] = fields[field][:9] + letter + fields[field][10:]

    assert SECRET.given(request, json.dumps(fields).encode()) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"enrol":"request"}',
        b'{"enrol":"answer","request":"","given":"","proof":""}',
        b'{"enrol":"request","pkcs10":1,"proof":""}',
        b'{"enrol":"request","pkcs10":"","proof":"","more":1}',
        b'{"enrol":"request","enrol":"request","pkcs10":"","proof":""}',
        b"\xff\xfe",
        b"[" * 5_000,
        b'{"enrol":"request","pkcs10":"' + b"x" * REQUEST_BYTES + b'","proof":""}',
    ],
)
def test_what_is_no_request_is_none(data: bytes) -> None:
    """Whatever strangers send."""
    assert read_request(data) is None


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_bytes_of_any_kind_are_a_value_or_none(data: bytes) -> None:
    """At both ends."""
    for text in (data, b'{"enrol":"request","pkcs10":"' + data.hex().encode() + b'","proof":"x"}'):
        assert asked(text) is None
        assert SECRET.given(b"request", text) is None
        assert read_message(text, Answer, ANSWER_BYTES) is None


def test_a_guess_at_a_recorded_request_is_dear() -> None:
    """scrypt: 75 bits at some tenths of a second a guess; at the centre a code is stretched once."""
    begun_s = time.process_time()
    secret = secret_of("7K3M9QXT2HVB4WRN")
    stretched_s = time.process_time() - begun_s

    begun_s = time.process_time()
    for _ in range(100):
        asked(SECRET.ask(PKCS10), secret)
    each_s = (time.process_time() - begun_s) / 100

    assert len(secret.key) == 32
    assert stretched_s > 20 * each_s


def test_a_topic_says_who_asks() -> None:
    """Three levels, and nothing else."""
    assert client_of(request_topic("abc")) == "abc"
    assert [client_of(topic) for topic in ("", "ttcs-enrol/a/answer", "ttcs-enrol/a/b/request", "x/a/request")] == [
        None
    ] * 4
