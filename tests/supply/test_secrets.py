"""No secret lies in what git keeps.

A scanner that is kept elsewhere (detect-secrets) was weighed: what it finds by disorder alone are the thousands of
hashes of the locks and of the tests, all of which would have to be listed as innocent, anew with each lock. What this
repository could let slip is of few forms, and each of them is looked for here, in every file.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
FORMS = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE " + r"KEY( BLOCK)?-----",
    "a private key of SSH or age": r"b3BlbnNzaC1r" + r"ZXktdjE|AGE-SECRET-" + r"KEY-1[0-9A-Z]{10}",
    "a private key as DER": r"MC4CAQAwBQYDK2Vw" + r"BCIEI|MI[GI][A-Za-z0-9]{2,3}BADANBgkqhkiG9w0" + r"BAQEF",
    "a token of a forge": r"\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,})",
    "a token of a registry": r"\b(pypi-AgE[\w-]{20,}|npm_[A-Za-z0-9]{30,})",
    "a key of a cloud": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{35}\b|\bsk-[A-Za-z0-9_-]{32,}",
    "a token of a chat": r"\bxox[abeoprs]-[\w-]{10,}|\b\d{8,10}:AA[\w-]{33}\b",
    "a bearer": r"(?i)\bauthorization\W{1,4}(bearer|basic) +[A-Za-z0-9+/=._-]{16,}",
    "a signed token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "a name and its password in an address": r"\b[a-z][a-z0-9+.-]*://[^\s/:@\"'{}<>$]+:[^\s/:@\"'{}<>$]+@[\w.-]+",
    "a password": r"(?i)\b(password|passwd|passphrase|secret|api_?key|token|pin)\b[\"']?\s*[:=]\s*[bf]?"
    r"[\"'][^\"'{}<>$\s]{6,}[\"']",
}
"""By what it is, how it looks."""
NOBODYS = frozenset(
    {
        ("tests/daemon/test_told_log.py", "-----BEGIN PRIVATE " + "KEY-----"),
        ("tests/daemon/test_told_log.py", "-----BEGIN EC PRIVATE " + "KEY-----"),
        ("tests/daemon/test_told_log.py", "MC4CAQAwBQYDK2Vw" + "BCIEI"),
        ("tests/daemon/test_told_log.py", "https://ttcs:mật-khẩu" + "@audio.vn"),
        ("tests/daemon/test_told_log.py", 'password": ' + '"hunter2"'),
        ("tests/system/test_hands.py", "https://u:p" + "@audio.example"),
    }
)
"""What looks like a secret and is nobody's: where, and to the letter. All of it tries how a log hides secrets."""


def kept() -> list[str]:
    """Every file that git keeps."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=TOP, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (TOP / name).is_file()]


def secrets(name: str, text: str) -> Iterator[str]:
    """Everything in a file that looks like a secret, as path:line: what."""
    for what, form in FORMS.items():
        for found in re.finditer(form, text):
            number = text.count("\n", 0, found.start()) + 1
            if (name, found[0]) not in NOBODYS:
                yield f"{name}:{number}: {what}: take it out, and end it: whoever has the history has it"


def test_no_secret_lies_in_what_is_kept() -> None:
    """In no file, whatever its kind."""
    assert [line for name in kept() for line in secrets(name, (TOP / name).read_text("utf-8", "replace"))] == []


def test_no_file_of_keys_is_kept() -> None:
    """By their names: a certificate may lie in the open, its key may not."""
    named = re.compile(r"\.(key|p12|pfx|jks|keystore|kdbx|ovpn|env)$|(^|/)(id_[a-z0-9]+|\.env|\.netrc|\.pypirc)$")
    assert [name for name in kept() if named.search(name)] == []
    assert all(map(named.search, ("a/b.key", ".env", "x/id_ed25519", "station.p12")))


@pytest.mark.parametrize(
    "line",
    [
        "-----BEGIN " + "PRIVATE KEY-----\nMC4",
        "-----BEGIN EC " + "PRIVATE KEY-----",
        "-----BEGIN OPENSSH " + "PRIVATE KEY-----",
        "MC4CAQAwBQYDK2Vw" + "BCIEIHH",
        "token = " + "ghp_" + "a1" * 18,
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "Authorization: " + "Bearer abcdefghijklmnopqrst",
        "eyJhbGciOiJIUzI" + ".eyJzdWIiOiIxMjM" + ".c2lnbmF0dXJleA",
        "mqtts://centre" + ":hunter22@broker.example",
        "pass" + 'word = "hunter22"',
        "api_" + "key: 'hunter22'",
    ],
)
def test_each_form_of_secret_can_be_found(line: str) -> None:
    """What is looked for is found."""
    assert next(secrets("x", f"first\n{line}\n")).startswith("x:2: ")


def test_what_is_let_pass_is_still_there() -> None:
    """An exception that nothing needs any more would let something else pass."""
    assert [one for one in NOBODYS if one[1] not in (TOP / one[0]).read_text("utf-8")] == []
