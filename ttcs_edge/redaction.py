"""What leaves the box is without secrets: a log that is sent to the centre, a file for the developers.

The station writes no secret into its log. But a broken library, a traceback or the address of a web server may hold
one, and what is sent is kept elsewhere: so what looks like one is blotted out, rather too much than too little.
"""

from __future__ import annotations

import re
import unicodedata

BLOT = "***"
_SECRETS = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), BLOT),
    (re.compile(r"(?<=://)[^/\s\"'@]+@"), f"{BLOT}@"),
    (re.compile(r"(?P<before>\bhttps?://[^\s\"'?]+\?)[^\s\"']+"), rf"\g<before>{BLOT}"),
    (
        re.compile(
            r"(?P<before>(?:pass(?:word|wd|phrase)?|psk|secret|token|api[_-]?key|credentials?|authorization)"
            r"[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic)\s+)?)[^\s\"',;&}]+",
            re.IGNORECASE,
        ),
        rf"\g<before>{BLOT}",
    ),
    (re.compile(r"\b[A-Za-z0-9+/]{100,}={0,2}"), BLOT),
)
"""What looks like a secret: a private key, who somebody is at a server, what stands behind an address, what is called
one, and long stretches that are no words (a key in base64; a SHA-256 has 64 digits and stays)."""


def without_secrets(text: str) -> str:
    """Blot out what looks like a secret, and what a terminal would obey."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return "".join(char if char in "\n\t" or unicodedata.category(char) != "Cc" else "�" for char in text)
