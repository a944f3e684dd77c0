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
OWNED: Final = {
    "id": r"^id:.*$",
    "scope": r"^scope:.*$",
    "broker.host": r"^  host:.*$",
    "broker.port": r"^  port:.*$",
    "broker.topic_root": r"^  topic_root:.*$",
}
"""What a centre says of a station, and the line on which the worked example has it."""
AFTER: Final = {"broker.port": "broker.host", "broker.topic_root": "broker.host"}
"""Behind which line one stands that is not there yet."""


def worked_example() -> str | None:
    """The worked example: beside the package in a checkout, under ``share/ttcs-edge`` once installed; else None."""
    beside = Path(__file__).resolve().parents[1] / EXAMPLE
    shared = Path(sysconfig.get_path("data")) / "share" / "ttcs-edge" / EXAMPLE
    found = next((path for path in (beside, shared) if path.is_file()), None)
    return None if found is None else found.read_text(encoding="utf-8")


def owned(text: str) -> dict[str, object] | None:
    """What stands in a ``station.yaml`` of what a centre says; None when it is no YAML that has it."""
    try:
        read = yaml.safe_load(text)
        broker = {f"broker.{key}": value for key, value in read["broker"].items()}
        found = {**read, **broker}
    except (yaml.YAMLError, TypeError, KeyError, AttributeError, ValueError, RecursionError):
        return None
    return {key: found[key] for key in OWNED if key in found}


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
    line = f"{'  ' if '.' in key else ''}{key.rpartition('.')[2]}: {value}"
    changed, count = re.subn(OWNED[key], lambda _: line, text, count=1, flags=re.MULTILINE)
    if count == 0 and key in AFTER:
        changed = re.sub(OWNED[AFTER[key]], lambda one: f"{one[0]}\n{line}", text, count=1, flags=re.MULTILINE)
    return changed
