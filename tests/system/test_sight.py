"""What the tests see of a station obeys physics: these eyes can tell a wrong station from a right one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.parts import Authority, Broker, Province, Station
from tests.system.sight import heard_ms

MS = 1_000_000
RIGHT = [("gpio17", 1, 0), ("gpio27", 1, 600), ("gpio27", 0, 3_000), ("gpio17", 0, 3_500)]


@pytest.mark.parametrize(
    ("changes", "expected_ms"),
    [
        (RIGHT, 2_000),
        ([("gpio17", 1, 700), *RIGHT[1:]], 1_600),  # not warm before 1,200
        (RIGHT[1:], 0),  # never on
        ([*RIGHT[:2], ("gpio27", 0, 1_500), *RIGHT[3:]], 700),  # opened under sound
        ([RIGHT[0], RIGHT[3]], 0),  # never closed
    ],
)
def test_only_what_passes_a_warm_amplifier_and_a_closed_relay_is_heard(
    tmp_path: Path, changes: list[tuple[str, int, int]], expected_ms: int
) -> None:
    """Sound from 800 to 2,800 ms; the amplifier needs 500 ms."""
    station = Station(tmp_path, Broker(tmp_path / "broker", Authority(tmp_path / "authority")), Province())
    station.lines.mkdir()
    lines = [json.dumps({"line": line, "level": level, "mono_ns": at_ms * MS}) for line, level, at_ms in changes]
    (station.lines / "lines.jsonl").write_text("\n".join(lines))
    run = {"mono_ns": 800 * MS, "frames": 2_000 * 48}
    (tmp_path / "aired.wav.timeline").write_text(json.dumps(run))

    assert heard_ms(station, "gpio27") == expected_ms
