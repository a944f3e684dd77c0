"""The log as it goes to the centre: in parts that a broker takes."""

from __future__ import annotations

import itertools


def in_parts(text: str, most_bytes: int) -> list[str]:
    """Cut a text into parts of whole lines, each of at most ``most_bytes`` of UTF-8; a longer line is cut too."""
    parts: list[str] = []
    part: list[str] = []
    size_bytes = 0
    for line in itertools.chain.from_iterable(_pieces(one, most_bytes) for one in text.splitlines(keepends=True)):
        line_bytes = len(line.encode())
        if part and size_bytes + line_bytes > most_bytes:
            parts.append("".join(part))
            part, size_bytes = [], 0
        part.append(line)
        size_bytes += line_bytes
    return [*parts, "".join(part)] if part else parts


def _pieces(line: str, most_bytes: int) -> list[str]:
    most_chars = most_bytes // 4  # a character has at most four bytes
    if len(line.encode()) <= most_bytes:
        return [line]
    return [line[begin : begin + most_chars] for begin in range(0, len(line), most_chars)]
