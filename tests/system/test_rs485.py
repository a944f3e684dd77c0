"""A zone behind a relay board on a serial line, on a real station: sound waits for it, and it waits for sound."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.parts import Broker, Clip, Listener, Province, Station, eventually, put_chunks
from tests.system.sight import kill_on_air, line_log, release, sound_runs, status
from tests.system.test_main_job import TOPIC, one_slot
from ttcs_edge.drivers.pins import level
from ttcs_edge.training.boards import Boards

DINH = (2, 5)


@pytest.fixture
def boards(tmp_path: Path) -> Boards:
    """The zone ``dinh`` is coil 5 of unit 2."""
    return Boards(tmp_path)


@pytest.fixture
def station(station: Station, boards: Boards) -> Station:
    """A station that has it so."""
    text = station.config.read_text().replace("name: Đình, pin: 22", f"name: Đình, unit: {DINH[0]}, coil: {DINH[1]}")
    station.config.write_text(f"{text}rs485: {{port: {boards.port}}}\n")
    return station


def slow(boards: Boards, question: bytes, answer: bytes) -> bytes:
    """A board that takes its time, as those of the cheapest kind do."""
    time.sleep(0.12)  # this is the board, not the test
    return answer


def test_sound_waits_for_a_relay_that_is_far_away_and_none_switches_under_it(
    station: Station, boards: Boards, centre: Listener, province: Province, clip: Clip
) -> None:
    """air-4, never-3: amplifier, zones, each known to be closed, then sound; and down again behind it."""
    boards.habit = slow
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 7)))
    station.start()
    (report,) = eventually(lambda: centre.reports("as-run"), 20)
    eventually(lambda: not boards.closed() and not level(station.lines, 17))

    assert (report["outcome"], report["zones"]) == ("aired", ["cho", "dinh"])
    ((begin, end),) = sound_runs(station)
    moves = [(place, closed) for place, closed, _ in boards.log]
    assert moves == [(DINH, True), (DINH, False)]
    times = [at_ns for _, _, at_ns in boards.log]
    assert times[0] < begin and end <= times[1]
    ups = [(at_ns, line) for line, value, at_ns in line_log(station) if value]
    assert [line for _, line in sorted([*ups, (times[0], "dinh")])] == ["gpio17", "gpio27", "dinh"]
    assert status(station)["relays"] == {"amplifier": False, "cho": False, "dinh": False}


def test_a_board_that_is_silent_costs_its_zone_and_nothing_else(
    station: Station, boards: Boards, centre: Listener, province: Province, clip: Clip
) -> None:
    """The others hear the bulletin on time; the fault names the board; it is over when the relay does as told."""
    boards.habit = lambda boards, question, answer: b""
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 8)))
    station.start()
    (report,) = eventually(lambda: centre.reports("as-run"), 25)

    assert (report["outcome"], report["zones"]) == ("aired", ["cho"])
    (fault,) = [one for one in centre.reports("fault") if one["code"] == "relay"]
    error = f"dinh (RS-485 unit 2 coil 5): {boards.port}: unit 2 does not answer"
    assert (fault["subject"], fault["detail"], fault["cleared"]) == ("dinh", {"error": error}, None)


def test_after_a_kill_release_opens_what_is_far_away_too(
    station: Station, boards: Boards, broker: Broker, centre: Listener, province: Province, clip: Clip
) -> None:
    """never-2: a board keeps its relays closed, whoever told it is dead."""
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 7)))
    station.start()
    kill_on_air(station, 300)
    assert boards.closed() == {DINH}

    release(station)
    assert boards.closed() == set()
