"""What of the log leaves the station: no secret, nothing that a terminal obeys, in parts that a broker takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttcs_edge.daemon.told_log import in_parts
from ttcs_edge.redaction import without_secrets

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
        ("\x1b[2Jxóa\r\x00", "�[2Jxóa��"),
        ('{"event": "ready", "station": "da-teh-01"}', '{"event": "ready", "station": "da-teh-01"}'),
    ],
)
def test_what_looks_like_a_secret_is_blotted_out_and_the_rest_stays(line: str, told: str) -> None:
    """A broken library or a web server's address may bring one."""
    assert without_secrets(f"before\n{line}\nafter\n") == f"before\n{told}\nafter\n" or told == "***"
    assert without_secrets(line) == told


@given(st.text(st.sampled_from('aộ\n"\U0001f33e '), max_size=400), st.integers(16, 64))
def test_parts_are_whole_lines_and_together_the_text(text: str, most_bytes: int) -> None:
    """A line that is longer than a part is cut between letters; nothing is lost, nothing is too large."""
    parts = in_parts(text, most_bytes)
    assert "".join(parts) == text
    assert all(0 < len(part.encode()) <= most_bytes for part in parts)
    whole = all(len(line.encode()) <= most_bytes for line in text.splitlines(keepends=True))
    assert not whole or all(part.endswith("\n") for part in parts[:-1])
