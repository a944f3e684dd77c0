"""A real station that tests itself at the next minute, with a meter and a line that is broken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.parts import Listener, Station, eventually
from tests.system.sight import line_log, status
from tests.system.test_meter import hang
from ttcs_edge.training.boards import Boards
from ttcs_edge.training.meter import Hanging

LOCAL = timezone(timedelta(hours=7))
STARTS_S = 20
"""How long a station may take until it could hold a test."""


@pytest.fixture
def boards(tmp_path: Path) -> Boards:
    """Nothing but a meter on the line."""
    return Boards(tmp_path, units=())


@pytest.fixture
def meter(station: Station, boards: Boards) -> Iterator[Hanging]:
    """A meter that sees the power of ``cho`` alone: the line of ``dinh`` is broken. The test is at the next minute."""
    at = datetime.now(LOCAL) + timedelta(seconds=60 + STARTS_S)
    text = station.config.read_text().replace("name: Chợ, pin: 27", "name: Chợ, pin: 27, tone_w: 60")
    text = text.replace("name: Đình, pin: 22", "name: Đình, pin: 22, tone_w: 40")
    meter = "meter: {unit: 10, idle_w: 25, most_w: 400, others_w: 8}"
    test = f'self_test: {{at: ["{at:%H:%M}"]}}'
    station.config.write_text(f"{text}rs485: {{port: {boards.port}}}\n{meter}\n{test}\n")
    one = hang(station)
    boards.meters[10] = one.pole.reading
    yield one
    one.close()


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_a_broken_line_is_told_by_the_self_test(station: Station, meter: Hanging, centre: Listener) -> None:
    """And the zone that is well is let go early; no as-run record, one entry of the audit trail."""
    station.start()
    test = eventually(lambda: status(station).get("self_test"), 200)
    assert [(one["zone"], one["outcome"], one["reason"]) for one in test["zones"]] == [
        ("cho", "good", None),
        ("dinh", "not-seen", None),
    ]
    assert test["ended_ms"] - test["began_ms"] < 60_000
    (fault,) = eventually(lambda: [one for one in centre.reports("fault") if one["code"] == "line-open"], 10)
    assert fault["subject"] == "dinh"
    (entry,) = eventually(lambda: [one for one in centre.reports("audit") if one["deed"] == "tested"], 10)
    assert entry["detail"] == {"cho": "good", "dinh": "not-seen"}
    assert centre.reports("as-run") == []
    closed = [line for line, level, _ in line_log(station) if level and line in ("gpio27", "gpio22")]
    assert closed == ["gpio27", "gpio22"]
