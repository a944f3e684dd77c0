"""What can be seen of a station from outside: its lines, its sound, its own word."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import defaultdict
from typing import Any

from tests.parts import Listener, Station, eventually
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


def heard_ms(station: Station, zone: str, warm_up_ms: int = 500, amplifier: str = "gpio17") -> int:
    """How much sound people at a zone heard: only what went out while its relay was closed and the amplifier warm."""
    changes = line_log(station)
    warm = [(begin + warm_up_ms * 1_000_000, end) for begin, end in _spans(changes, amplifier)]
    spans = _overlap(_overlap(sound_runs(station), warm), _spans(changes, zone))
    return sum(end - begin for begin, end in spans) // 1_000_000


def _spans(changes: list[tuple[str, int, int]], line: str) -> list[tuple[int, int]]:
    """When a line was high."""
    spans, since_ns = [], None
    for name, value, at_ns in changes:
        if name == line and value and since_ns is None:
            since_ns = at_ns
        elif name == line and not value and since_ns is not None:
            spans.append((since_ns, at_ns))
            since_ns = None
    return spans if since_ns is None else [*spans, (since_ns, time.monotonic_ns())]


def _overlap(ones: list[tuple[int, int]], others: list[tuple[int, int]]) -> list[tuple[int, int]]:
    both = [(max(a, c), min(b, d)) for a, b in ones for c, d in others]
    return [(begin, end) for begin, end in both if begin < end]


def status(station: Station) -> dict[str, Any]:
    """What the daemon says of itself; empty while it cannot."""
    try:
        return ask(station.folder / "run/control.sock", {"ask": "status"})
    except ControlError:
        return {}


def position_ms(station: Station) -> int:
    """How far the cue on the air has come; 0 while there is none."""
    return int((status(station).get("on_air") or {}).get("position_ms", 0))


def kill_on_air(station: Station, past_ms: int) -> None:
    """Kill a station so far into its cue: no line moves by that."""
    eventually(lambda: position_ms(station) > past_ms, 25)
    station.stop(signal.SIGKILL)


def release(station: Station) -> None:
    """What the unit's ExecStopPost does behind a death."""
    command = [sys.executable, "-m", "ttcs_edge.drivers.release", str(station.config)]
    eventually(lambda: subprocess.run(command, check=False).returncode == 0)


def check_numbers(centre: Listener) -> None:
    """never-5: one number, one report; and none is missing, for a gap would be a report that was lost."""
    journals: dict[int, dict[int, str]] = defaultdict(dict)
    for report in (report for kind in ("as-run", "fault", "audit") for report in centre.reports(kind)):
        ids = journals[report["journal"]]
        assert ids.setdefault(report["sequence"], report["id"]) == report["id"], f"one number for two: {report}"
    for journal, ids in journals.items():
        missing = set(range(1, max(ids) + 1)) - set(ids)
        assert not missing, f"journal {journal}: {sorted(missing)} of {max(ids)} never came"
