"""What leaves the box is without secrets: a log that is sent to the centre, a file for the developers.

The station writes no secret into its log. But a broken library, a traceback or the address of a web server may hold
one, and what is sent is kept elsewhere: so what looks like one is blotted out, rather too much than too little. Each
pattern takes a time that grows with the text and no faster: a log holds what strangers sent.
"""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, unquote

BLOT = "***"
KEY_CHARS: Final = 8_000
"""A private key that has lost its beginning ends within so many characters of the text's, log prefixes and all."""
KNOWN_CHARS: Final = 6
"""A shorter secret, sought by itself, would blot out words."""
_NAMES = (
    r"(?:pass(?:word|wd|phrase|code)?|pwd|psk|secret|token|sim[_-]?pin|puk|(?:api|private)[_-]?key|authorization"
    r"|credentials|(?<!load)credential(?:encrypted)?(?!:\S)|(?:m[ậa]t[\s_-]?kh[ẩa]u|\bmk)(?:[ \t]+\w{1,20}){0,2}?)"
)
"""``credential:station.key`` and ``LoadCredential=`` only say where the service manager has one."""
_BLOCK = r"[|>][+-]?[ \t]*\n(?:[ \t]+[^\n]*\n?)+"
_QUOTED = (
    r"\"(?:\\.|[^\"\\\n])*(?:\"|(?=\n|\Z))|'(?:''|[^'\n])*(?:'|(?=\n|\Z))"
    r"|(?P<escaped>\\+[\"'])[^\n]*?(?:(?P=escaped)|(?=\n|\Z))"
)
_BARE = r"(?(colon)(?(line)[^\n]+|[^\n\"'\\,;}]+)|[^\s\"'}]*[^\s\"',;&}])"
_NAMED = re.compile(
    rf"(?P<before>(?P<line>^[ \t#-]*(?:\w[\w.-]*)?)?{_NAMES}\\*[\"']?"
    r"(?:(?P<colon>\s*:\s*)|\s*=\s*|\s+(?:is|là)\s+|\s+(?=\\*[\"']))(?:(?:bearer|basic)\s+)?)"
    rf"(?P<value>(?=\S)(?:{_BLOCK}|{_QUOTED}|{_BARE}))",
    re.IGNORECASE | re.MULTILINE,
)
"""What is called a secret: in quotes up to their end; on a line of a configuration up to the line's."""
_FLAGS = re.compile(rf"(?P<before>(?<![\w-])--[\w-]*?{_NAMES}[ \t]+)[^\s-]\S*", re.IGNORECASE)
_WHO = re.compile(r"(?<=://)(?:[^/\s\"]+|[^/\s\"@:]+:[^\s\"@]{1,200})@")
_SHAPES = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(rf"\A.{{0,{KEY_CHARS}}}?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL),
    re.compile(r"M(?:[\w+/]{2}CAQ[AE]|IG[\w+/]AgE[AB]|II[\w+/]{3}IBA)[A-Za-z0-9+/]{16,}={0,2}", re.ASCII),
    re.compile(r"(?:(?<![\w-])|(?<=\\[nt]))eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)+"),
    re.compile(r"\b[A-Za-z0-9+/]{100,}={0,2}"),
)
"""A private key in PEM, one whose beginning was cut off, one in bare base64 (DER begins with its length and version),
a JSON Web Token, and long stretches that are no words (a SHA-256 has 64 digits and stays)."""
_QUERY = re.compile(r"(?P<before>://(?:[^\s\"'?:]|:(?!//))*\?)[^\s\"']+")


def without_secrets(text: str, known: Iterable[str] = ()) -> str:
    """Blot out what looks like a secret, what is one in any form (``known``), and what a terminal would obey."""
    for secret in sorted(known, key=len, reverse=True):
        for form in sorted(_forms(secret), key=len, reverse=True):
            text = text.replace(form, BLOT)
    for shape in _SHAPES:
        text = shape.sub(BLOT, text)
    text = _WHO.sub(f"{BLOT}@", text)
    text = _QUERY.sub(rf"\g<before>{BLOT}", text)
    text = _NAMED.sub(_blotted, text)
    text = _FLAGS.sub(rf"\g<before>{BLOT}", text)
    return "".join(char if char in "\n\t" or unicodedata.category(char) != "Cc" else "�" for char in text)


def secrets_in(text: str) -> frozenset[str]:
    """The passwords of a configuration: those with a name, and those of addresses."""
    return frozenset(value for value in _values(text) if len(value) >= KNOWN_CHARS and BLOT not in value)


def _values(text: str) -> Iterator[str]:
    for match in _WHO.finditer(text):
        yield match[0][:-1].partition(":")[2]
    for match in _NAMED.finditer(text):
        yield match["value"].partition(" #")[0].strip().strip("\"'\\")


def _blotted(match: re.Match[str]) -> str:
    """A value in quotes keeps them."""
    value = match["value"]
    mark = match["escaped"] or (value[0] if value[0] in "\"'" else "")
    end = mark if mark and value.endswith(mark) and len(value) > len(mark) else ""
    return f"{match['before']}{mark}{BLOT}{end}" + ("\n" if value.endswith("\n") else "")


def _forms(secret: str) -> frozenset[str]:
    """A secret as it stands in an address, in JSON, in hexadecimal, and in base64 with anything around it."""
    plain = unquote(secret)
    data = plain.encode()
    forms = {secret, plain, quote(plain), quote(plain, safe=""), json.dumps(plain)[1:-1]}
    forms |= {data.hex(), data.hex().upper()}
    for before in range(3):
        # of base64 only whole letters are the secret's own: those at its ends are shared with what lies beside it
        lead, most = -(-before * 4 // 3), (before + len(data)) * 4 // 3
        whole = base64.b64encode(b"\0" * before + data).decode()[lead:most]
        forms |= {whole, whole.replace("+", "-").replace("/", "_")}
    return frozenset(form for form in forms if len(form) >= KNOWN_CHARS)
