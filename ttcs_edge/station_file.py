"""``station.yaml`` as text: who the station is and which broker it has are filled in, and all else stays as it stands.

What a technician wrote into it (zones, pins, comments) is kept to the letter.
"""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

EXAMPLE: Final = Path("config") / "station.yaml"
OWNED: Final = ("id", "scope", "broker.host", "broker.port", "broker.topic_root")
"""What a centre says of a station."""
FILES: Final = ("broker.ca", "broker.certificate", "broker.key")
"""Where its identity lies."""
_BROKER: Final = re.compile(r"^broker:[^\n]*\n(?:[ \t#][^\n]*\n|\n)*", re.MULTILINE)


def worked_example() -> str | None:
    """The worked example: beside the package in a checkout, under ``share/ttcs-edge`` once installed; else None."""
    beside = Path(__file__).resolve().parents[1] / EXAMPLE
    shared = Path(sysconfig.get_path("data")) / "share" / "ttcs-edge" / EXAMPLE
    found = next((path for path in (beside, shared) if path.is_file()), None)
    return None if found is None else found.read_text(encoding="utf-8")


def owned(text: str) -> dict[str, object] | None:
    """What stands in a ``station.yaml`` of what a centre says, and of files; None when it is no YAML that has it."""
    try:
        read = yaml.safe_load(text)
        found = {**read, **{f"broker.{key}": value for key, value in read["broker"].items()}}
    except (yaml.YAMLError, TypeError, KeyError, AttributeError, ValueError, RecursionError):
        return None
    return {key: found[key] for key in (*OWNED, *FILES) if key in found}


def filled(text: str, wanted: Mapping[str, object]) -> str | None:
    """Fill in what a centre says; None when the text has its lines elsewhere, and a person must do it."""
    before = owned(text)
    if before is None:
        return None
    for key, value in wanted.items():
        if before.get(key) != value:
            text = _set(text, key, f'"{value}"' if isinstance(value, str) else str(value))
    after = owned(text)
    return text if after is not None and {key: after.get(key) for key in wanted} == dict(wanted) else None


def _set(text: str, key: str, value: str) -> str:
    section, _, name = key.rpartition(".")
    if not section:
        return _line(text, name, value, "")
    block = _BROKER.search(text)
    if block is None:
        return text
    lines = block[0] if re.search(rf"^  {name}:", block[0], re.MULTILINE) else _behind_host(block[0], name)
    return text[: block.start()] + _line(lines, name, value, "  ") + text[block.end() :]


def _line(text: str, name: str, value: str, indent: str) -> str:
    """Put a value on its line; a comment behind it stays."""
    pattern = rf"^{indent}{name}:[^#\n]*?([ \t]+#[^\n]*)?$"
    return re.sub(pattern, lambda one: f"{indent}{name}: {value}{one[1] or ''}", text, count=1, flags=re.MULTILINE)


def _behind_host(block: str, name: str) -> str:
    return re.sub(r"^  host:[^\n]*$", lambda one: f"{one[0]}\n  {name}:", block, count=1, flags=re.MULTILINE)
