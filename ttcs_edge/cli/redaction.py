"""What must not leave the box in a text that is sent on: private keys, passwords, and whoever a URL logs in as."""

from __future__ import annotations

import re
from typing import Final

GONE: Final = "«removed»"
_SECRETS: Final = (
    (re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL), GONE),
    (re.compile(r"(?<=://)[^/@\s\"']+@"), f"{GONE}@"),
    (
        re.compile(
            r"(?i)([\"']?[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|api_?key|psk)[\w.-]*[\"']?\s*[:=]\s*)"
            r"(\"[^\"\n]*\"|'[^'\n]*'|[^\s,}]+)"
        ),
        rf"\g<1>{GONE}",
    ),
    (re.compile(r"(?i)(authorization:\s*)[^\n\"']+"), rf"\g<1>{GONE}"),
)


def redact(text: str) -> str:
    """Take them out, each with a mark in its place; all else stays as it is.

    >>> redact("url: https://ky-thuat:abc@da-teh.example/a.m3u8")
    'url: https://«removed»@da-teh.example/a.m3u8'
    """
    for pattern, mark in _SECRETS:
        text = pattern.sub(mark, text)
    return text
