"""Good input spoilt: bytes turned, parts taken out, doubled, swapped, values replaced by what hurts; and plain noise.

Every choice is drawn from Hypothesis, so that what is found is made small, kept, and found again.
"""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from hypothesis import strategies as st

from tests.fuzz.targets import Target

Draw = st.DrawFn
HUGE = 10**400
DEEP = 20_000
LONG = 70_000
NASTY: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2**31,
    2**53,
    2**63,
    2**64,
    HUGE,
    -HUGE,
    1e308,
    0.1,
    -0.0,
    "",
    " ",
    "\0",
    "\n",
    "a" * LONG,
    "\ud800",
    "\udfff\ud800",
    "\u202e\u0301",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "2026-02-30T25:61:61Z",
    "../../etc/passwd",
    "a" * 64,
    "https://[::1",
    "FREQ=SECONDLY;COUNT=999999999",
    "FREQ=YEARLY;BYDAY=53MO;BYSETPOS=-366;UNTIL=00000000",
    [],
    {},
    [[]],
    {"": {"": ""}},
    [0] * 1_000,
)
"""Values that stand where another is expected."""
WORDS = (
    *(one.encode("utf-8", "surrogatepass") for one in NASTY if isinstance(one, str)),
    *(str(one).encode() for one in (-1, 0, 2**31, 2**63, 2**64, 1e308, "nan", "inf", "-inf", "1e999")),
    str(HUGE).encode(),
    b"[" * DEEP,
    b'{"a":' * DEEP,
    b"- " * 2_000,
    b"\xff\xfe",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\x00",
    b"\x85",
    b"\xe2\x80\xa8",
    b"&a",
    b"*a",
    b"!!python/object/apply:os.system",
    b"!!binary aGk=",
    b"<<: *a",
    b"{",
    b"}",
    b'"',
    b"'",
    b"|",
    b">-",
    b"? ",
    b"%TAG ! tag:",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"&b;",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"<a>" * 500,
    b"\r\n\r\n",
    b"Content-Length: 99999999999999999999",
    b"Content-Length: -1",
    b"Transfer-Encoding: chunked",
    b"Content-Encoding: gzip",
    b"ffffffffffffffffffff\r\n",
    b"X: " + b"y" * LONG,
    b"A: b\r\n" * 200,
    b"#EXT-X-TARGETDURATION:nan",
    b"#EXTINF:1e999,",
    b"#EXT-X-MEDIA-SEQUENCE:" + str(HUGE).encode(),
    b"#EXT-X-KEY:METHOD=",
    b"+",
    b"/",
    b"//",
    b"#",
)
"""Pieces of text that hurt some reader or other."""
NAMES = ("", "\0", "id", "version", "\ud800", "a" * LONG, "$[...]", "x\ny")
"""What a field may be called instead."""
TOKEN = re.compile(rb"[A-Za-z0-9_.+-]+|\s+|[^A-Za-z0-9_.+\s-]")
CHANGES_MOST = 4
NOISE_BYTES = 2_000


@st.composite
def spoilt(draw: Draw, target: Target) -> bytes:
    """Bytes for a target: now and then a good seed, now and then noise, else a seed with some changes."""
    way = draw(st.integers(0, 19))
    if way == 0:
        return draw(st.binary(max_size=NOISE_BYTES))
    if way == 1:
        return draw(st.text(max_size=500)).encode("utf-8", "surrogatepass")
    data = draw(st.sampled_from(target.seeds))
    if way == 2:
        return bytes(data)
    if target.form == "json" and way < 14:
        return _json(draw, data)
    for _ in range(draw(st.integers(1, CHANGES_MOST))):
        data = draw(st.sampled_from(_BYTES if target.form == "bytes" else _TEXTS))(draw, data)
    return bytes(data)


def _json(draw: Draw, data: bytes) -> bytes:
    """A JSON value with fields removed, doubled, swapped, renamed or replaced."""
    value = json.loads(data)
    for _ in range(draw(st.integers(1, CHANGES_MOST))):
        value = _changed(draw, value)
    text = json.dumps(value)
    if draw(st.integers(0, 5)) == 0:  # the same name twice in one object, which no dict holds
        names = re.findall(r'"[^"\\]*": ', text)
        if names:
            name = draw(st.sampled_from(names))
            text = text.replace(name, f"{name}{draw(_SHORT)}, {name}", 1)
    if draw(st.integers(0, 9)) == 0:
        text = text.replace(": ", f": {draw(st.sampled_from(['[' * DEEP, 'NaN', '-Infinity', '1e999', str(HUGE)]))}", 1)
    return text.encode()


_SHORT = st.sampled_from(['""', "0", "null", "[]", "{}", "1e999"])


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in list(items)[:40] for place in _places(one, (*path, key)))]


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def _changed(draw: Draw, value: Any) -> Any:
    places = _places(value)
    path = draw(st.sampled_from(places))
    if not path:
        return copy.deepcopy(draw(st.sampled_from(NASTY))) if draw(st.integers(0, 9)) == 0 else value
    holder, key = _at(value, path[:-1]), path[-1]
    way = draw(st.integers(0, 7))
    if way == 0:
        del holder[key]
    elif way == 1 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif way == 2:
        holder[key] = copy.deepcopy(_at(value, draw(st.sampled_from(places))))
    elif way == 3 and isinstance(holder, dict):
        holder[draw(st.sampled_from(("", "\0", "id", "version", "\ud800", "a" * LONG, "$[...]", "x\ny")))] = holder.pop(
            key
        )
    elif way == 4 and isinstance(holder[key], str) and holder[key]:
        text, at = holder[key], draw(st.integers(0, len(holder[key]) - 1))
        holder[key] = text[:at] + draw(st.characters()) + text[at + draw(st.integers(0, 1)) :]
    elif way == 5 and isinstance(holder[key], int | float):
        holder[key] += (
            draw(st.sampled_from((-1, 1, 2**31, -(2**31), 2**53, HUGE))) if isinstance(holder[key], int) else 0.5
        )
    elif way == 6 and isinstance(holder[key], list) and holder[key]:
        holder[key] = holder[key] * draw(st.sampled_from((2, 30, 300)))
    else:
        holder[key] = copy.deepcopy(draw(st.sampled_from(NASTY)))
    return value


def _flip(draw: Draw, data: bytes) -> bytes:
    if not data:
        return draw(st.binary(max_size=8))
    at = draw(st.integers(0, len(data) - 1))
    return data[:at] + bytes([data[at] ^ 1 << draw(st.integers(0, 7))]) + data[at + 1 :]


def _cut(draw: Draw, data: bytes) -> bytes:
    begin = draw(st.integers(0, len(data)))
    end = draw(st.integers(begin, len(data)))
    return data[:begin] + data[end:]


def _double(draw: Draw, data: bytes) -> bytes:
    begin = draw(st.integers(0, len(data)))
    end = draw(st.integers(begin, len(data)))
    return data[:end] + data[begin:end] * draw(st.sampled_from((1, 2, 50))) + data[end:]


def _put_in(draw: Draw, data: bytes) -> bytes:
    at = draw(st.integers(0, len(data)))
    return data[:at] + draw(st.binary(max_size=16)) + data[at:]


def _token(draw: Draw, data: bytes) -> bytes:
    """A word replaced by one that hurts, by another of the same text, or by nothing."""
    tokens = TOKEN.findall(data)
    if not tokens:
        return data
    at = draw(st.integers(0, len(tokens) - 1))
    tokens[at] = draw(st.one_of(st.sampled_from(WORDS), st.sampled_from(tokens), st.just(b"")))
    return b"".join(tokens)


def _line(draw: Draw, data: bytes) -> bytes:
    """A line taken out, doubled, moved, indented or replaced."""
    lines = data.split(b"\n")
    at, other = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
    way = draw(st.integers(0, 5))
    if way == 0:
        del lines[at]
    elif way == 1:
        lines.insert(other, lines[at])
    elif way == 2:
        lines[at], lines[other] = lines[other], lines[at]
    elif way == 3:
        lines[at] = draw(st.sampled_from((b" ", b"  ", b"\t", b"- "))) + lines[at]
    elif way == 4:
        head, colon, _ = lines[at].partition(b":")
        lines[at] = head + colon + b" " + draw(st.sampled_from(WORDS))
    else:
        lines[at] = draw(st.sampled_from(WORDS))
    return b"\n".join(lines)


_BYTES = (_flip, _cut, _double, _put_in)
_TEXTS = (_token, _token, _line, _line, *_BYTES)
