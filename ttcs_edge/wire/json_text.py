"""JSON from outside, bounded before it is parsed, and what a refusal may say of it.

A name that stands twice in an object is refused: two readers could take two different values from it. Half of a
surrogate pair, which JSON can write and UTF-8 cannot, is refused: no report or database could carry it on.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from ttcs_edge.core.documents import Refused
from ttcs_edge.core.limits import LIMITS

_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")


class _Twice(ValueError):
    """A name stands twice in one object."""


def read_json(data: bytes, subject: str, most_bytes: int = LIMITS.envelope_bytes) -> Any | Refused:
    """Parse JSON from outside: UTF-8, no name twice, no NaN, bounded in size and nesting."""
    if len(data) > most_bytes:
        return Refused("oversized", subject, (("found", str(len(data))), ("expected", f"<= {most_bytes}")))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return Refused("not-utf8", subject, (("found", f"byte {error.start}"),))
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except _Twice as error:
        return Refused("duplicate-key", subject, (("found", shown(error)),))
    except RecursionError:
        return _nested(subject)
    except ValueError as error:
        return Refused("not-json", subject, (("found", shown(error)),))
    if isinstance(value, dict | list) and _too_deep(value, LIMITS.nesting):
        return _nested(subject)
    if _HALF_PAIR.search(text) and not _can_be_written(value):
        return Refused("not-utf8", subject, (("found", "half a surrogate pair"),))
    return value


def shown(found: object) -> str:
    """What was found, as a refusal may carry it: short, and writable as UTF-8 whatever stood there."""
    return str(found)[: LIMITS.found_chars].encode("utf-8", "replace").decode("utf-8")


_WHERE = re.compile(r"^(?P<what>.*?)(?: - at (?P<path>`.*`))?$", re.DOTALL)


def where(error: msgspec.ValidationError) -> tuple[str, str]:
    """The path of a value of the wrong kind, and what msgspec says of it, both as a refusal may carry them."""
    match = _WHERE.match(str(error))
    assert match is not None
    return shown((match["path"] or "$").replace("`", "")), shown(match["what"])


def _can_be_written(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _nested(subject: str) -> Refused:
    return Refused("too-deep", subject, (("expected", f"<= {LIMITS.nesting}"),))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Twice(name)
            seen.add(name)
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


_NESTING = (dict, list)
"""As a tuple: of a union, the question takes several times as long, and a programme asks it 180,000 times."""


def _too_deep(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        nodes = (node.values() if isinstance(node, dict) else node for node in level)
        level = [child for children in nodes for child in children if isinstance(child, _NESTING)]
        if not level:
            return False
    return True
