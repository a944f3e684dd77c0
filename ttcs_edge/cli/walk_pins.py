"""Behind a walk: a person says which pole sounded for each relay, and the pins of ``station.yaml`` are put right.

Nothing is changed in doubt, and nothing but the pins; the page before is kept beside.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from ttcs_edge.cli.errors import CommandError
from ttcs_edge.cli.poles import Doubt, Relay, put_right
from ttcs_edge.cli.station_page import Value, changed, put_in_force
from ttcs_edge.config import ConfigError, load_config
from ttcs_edge.locale import Language, text
from ttcs_edge.settings import Config

FAILED: Final = 1
NONE: Final = "0"


def mend(path: Path, lang: Language) -> int:
    """Ask, and write what follows; gives the exit code. Raises CommandError."""
    try:
        config = load_config(path)
    except ConfigError as error:
        raise CommandError("config-elsewhere", path=str(path)) from error
    names = [zone.name for zone in config.station.zones]
    relays = _relays(config)
    sounded = [_asked(number, names, lang) for number in range(len(names))]
    if None in sounded:
        return _say("cli.pins-silent", lang)
    try:
        changes = put_right(relays, [number for number in sounded if number is not None])
    except Doubt as doubt:
        both = ", ".join(names[number] for number in (*doubt.twice, *doubt.never))
        return _say("cli.pins-doubt", lang, zones=both)
    if not changes:
        _say("cli.pins-right", lang)
        return 0
    kept = _write(path, changes)
    for key, value in changes.items():
        print(f"  {key}: {value}")
    _say("cli.pins-written", lang, file=path, kept=kept)
    return 0


def _relays(config: Config) -> list[Relay]:
    found = [config.pins.zones.get(zone.id) for zone in config.station.zones]
    relays = [Relay(one.pin, one.active_high) for one in found if one is not None]
    if len(relays) < len(found):
        raise CommandError("pins-elsewhere")
    return relays


def _asked(number: int, names: Sequence[str], lang: Language) -> int | None:
    """Which pole sounded when a zone was tried; None: none did."""
    choices = "  ".join(f"{place} {name}" for place, name in enumerate(names, start=1))
    while True:
        print(text("cli.pins-ask", lang, name=names[number], choices=choices))
        print("> ", end="", flush=True)
        line = sys.stdin.readline()
        if not line:
            raise CommandError("pins-unsaid")
        word = line.strip()
        if word == NONE:
            return None
        if not word:
            return number
        if word.isascii() and word.isdecimal() and 1 <= int(word) <= len(names):
            return int(word) - 1
        print(text("cli.pins-again", lang, found=word[:20], most=len(names)))


def _write(path: Path, changes: Mapping[str, Value]) -> Path | None:
    try:
        return put_in_force(path, changed(path.read_text(encoding="utf-8"), changes), datetime.now())
    except KeyError as error:
        raise CommandError(
            "pins-by-hand", keys=", ".join(f"{key}: {value}" for key, value in changes.items())
        ) from error
    except OSError as error:
        raise CommandError("not-root", path=str(path)) from error


def _say(code: str, lang: Language, **fields: object) -> int:
    print(text(code, lang, **fields))
    return FAILED
