"""What can be seen of a station from outside: its lines, its sound, its own word."""

from __future__ import annotations

import json
from typing import Any

from tests.parts import Station
from ttcs_edge.link.control import ControlError, ask


def line_log(station: Station) -> list[tuple[str, int, int]]:
    """Every change of a line: (line, level, monotonic ns)."""
    text = (station.lines / "lines.jsonl").read_text()
    changes = [json.loads(line) for line in text.splitlines()]
    return [(change["line"], change["level"], change["mono_ns"]) for change in changes]


def sound_runs(station: Station) -> list[tuple[int, int]]:
    """Every stretch of sound: (first sample, last sample), monotonic ns."""
    timeline = station.folder / "aired.wav.timeline"
    runs = [json.loads(line) for line in timeline.read_text().splitlines()] if timeline.exists() else []
    return [(r["mono_ns"], r["mono_ns"] + r["frames"] * 1_000_000_000 // 48_000) for r in runs if r["frames"]]


def status(station: Station) -> dict[str, Any]:
    """What the daemon says of itself; empty while it cannot."""
    try:
        return ask(station.folder / "run/control.sock", {"ask": "status"})
    except ControlError:
        return {}
