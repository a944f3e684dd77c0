"""What of the log leaves the station: no secret, nothing that a terminal obeys, in parts that a broker takes."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from ttcs_edge.daemon.told_log import in_parts
from ttcs_edge.redaction import BLOT, secrets_in, without_secrets

KEY = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIH\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"key: {KEY} end", "key: *** end"),
        ("-----BEGIN EC PRIVATE KEY-----\ncut off", "***"),
        ("GET https://ttcs:mật-khẩu@audio.vn/a.ogg", "GET https://***@audio.vn/a.ogg"),
        ("GET https://audio.vn/a.ogg?sig=abc&x=1 404", "GET https://audio.vn/a.ogg?*** 404"),
        ('{"password": "hunter2", "pin": 27}', '{"password": "***", "pin": 27}'),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("api_key=abc; next", "api_key=***; next"),
        ("wifi_psk=12345678 ok", "wifi_psk=*** ok"),
        ("x" * 99, "x" * 99),
        ("A" * 100 + "==", "***"),
        ("sha256 " + "a" * 64, "sha256 " + "a" * 64),
        ("GET https://ttcs:" + "mật@khẩu@audio.vn/a.ogg", "GET https://***@audio.vn/a.ogg"),
        ("GET https://ttcs:" + "a/b@audio.vn/a.ogg", "GET https://***@audio.vn/a.ogg"),
        ("GET rtsp://audio.vn/a?sig=abc", "GET rtsp://audio.vn/a?***"),
        ('password: "con gà \\"trống\\""', 'password: "***"'),
        ("password: 'con gà ''trống'''", "password: '***'"),
        ("  # wifi.password: con gà, trống", "  # wifi.password: ***"),
        ("password: |\n  con gà\n  trống", "password: ***"),
        ('{"error": "{\\"password\\": \\"con gà\\", 1}"}', '{"error": "{\\"password\\": \\"***\\", 1}"}'),
        ("05:00 password: con gà; next", "05:00 password: ***; next"),
        ("# mật khẩu wifi là con-gà", "# mật khẩu wifi là ***"),
        ("# Mật khẩu modem: con gà", "# Mật khẩu modem: ***"),
        ("mk: con-gà", "mk: ***"),
        ("run --mqtt-password con-gà --port 1", "run --mqtt-password *** --port 1"),
        ("passphrase 'con gà' is wrong", "passphrase '***' is wrong"),
        ("key: credential:station.key", "key: credential:station.key"),
        ("LoadCredential=station.key:/etc/k", "LoadCredential=station.key:/etc/k"),
        ("SetCredential=word:con-gà", "SetCredential=***"),
        ("sim_pin: 4711", "sim_pin: ***"),
        ("got eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxIn0.a-b_c end", "got *** end"),
        ("\x1b[2Jxóa\r\x00", "�[2Jxóa��"),
        ('{"event": "ready", "station": "da-teh-01"}', '{"event": "ready", "station": "da-teh-01"}'),
    ],
)
def test_what_looks_like_a_secret_is_blotted_out_and_the_rest_stays(line: str, told: str) -> None:
    """A broken library or a web server's address may bring one."""
    assert without_secrets(f"before\n{line}\nafter\n") == f"before\n{told}\nafter\n" or told == "***"
    assert without_secrets(line) == told


@pytest.mark.parametrize(
    "private",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65_537, 2_048),
    ],
    ids=["P-256", "P-384", "Ed25519", "RSA"],
)
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL], ids=["PKCS8", "old"])
def test_a_private_key_without_its_frame_is_known_by_how_it_begins(private: Any, form: PrivateFormat) -> None:
    """In one line of base64, as environments hold it, and behind a new line of JSON."""
    if isinstance(private, ed25519.Ed25519PrivateKey):
        form = PrivateFormat.PKCS8
    words = base64.b64encode(private.private_bytes(Encoding.DER, form, NoEncryption())).decode()

    assert without_secrets(f"key {words} end") == "key *** end"
    assert without_secrets(f'"\\n{words[:64]}\\n"') == '"\\n***\\n"'


def test_a_private_key_that_lost_its_beginning_is_known_by_its_end() -> None:
    """The end of a file, or of a log."""
    assert without_secrets("LeEfnR4WTp\nQk\n-----END EC PRIVATE KEY-----\nrest") == "***\nrest"


@pytest.mark.parametrize(
    "word", ["http://", "://a:", "://", "password ", "password", "a.", "-", "--token", "eyJ", "x@", "MC4C", "\\", "mk "]
)
def test_a_stranger_cannot_make_a_log_take_hours(word: str) -> None:
    """What a stranger sent stands in the log, and one long line of it must not hold up an answer."""
    begun_s = time.process_time()

    without_secrets(word * (100_000 // len(word)))

    assert time.process_time() - begun_s < 3


def test_a_password_that_is_known_is_found_in_whatever_dress() -> None:
    """In base64 with any number of letters before it, too: ``user:password`` is how a web server is told."""
    config = (
        "# https://tram:"
        + "g%C3%A0-tr%E1%BB%91ng-74@da-teh.vn/x\nwifi_psk: 'con gà' # của xã\nport: 8883\npassword: ok\n"
    )
    known = secrets_in(config)
    assert known == {"g%C3%A0-tr%E1%BB%91ng-74", "con gà"}

    word = "gà-trống-74"
    dresses = [word, quote(word), word.encode().hex(), word.encode().hex().upper(), json.dumps(word)]
    for before in ("", "t", "tr", "tram:"):
        dresses.append(base64.b64encode(f"{before}{word}".encode()).decode())
        dresses.append(base64.urlsafe_b64encode(f"{before}{word};".encode()).decode())
    for dress in dresses:
        told = without_secrets(f"log: {dress} ok\n", known)
        assert BLOT in told and len(told) <= len("log: *** ok\n") + len("dHJhbTpn") + 4, dress


@given(st.text(st.sampled_from('aộ\n"\U0001f33e '), max_size=400), st.integers(16, 64))
def test_parts_are_whole_lines_and_together_the_text(text: str, most_bytes: int) -> None:
    """A line that is longer than a part is cut between letters; nothing is lost, nothing is too large."""
    parts = in_parts(text, most_bytes)
    assert "".join(parts) == text
    assert all(0 < len(part.encode()) <= most_bytes for part in parts)
    whole = all(len(line.encode()) <= most_bytes for line in text.splitlines(keepends=True))
    assert not whole or all(part.endswith("\n") for part in parts[:-1])
