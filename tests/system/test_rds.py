"""A zone behind an FM transmitter whose receiver is told by RDS groups, on a real station with an encoder at its serial
port: it is opened, hears the bulletin, and is closed, though the air loses groups; without a carrier it is silent.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.encoders import Encoder, opened
from tests.parts import Clip, Listener, Province, Station, eventually, put_chunks
from tests.system.sight import kill_on_air, line_log, release, sound_runs, status
from tests.system.test_main_job import TOPIC, one_slot
from ttcs_edge.drivers.pins import level

KEY = 12
OPEN, CLOSE, CLOSE_ALL = "600500010001", "600500010000", "600000000000"
TIMES = 3


@pytest.fixture
def encoder(tmp_path: Path) -> Encoder:
    """The transmitter's."""
    return Encoder(tmp_path)


@pytest.fixture
def station(station: Station, encoder: Encoder) -> Station:
    """A station whose zone ``dinh`` is such a receiver, its transmitter's key on GPIO 12."""
    groups = 'open_group: "6A 05 0001 0001", close_group: "6A 05 0001 0000"'
    text = station.config.read_text().replace("name: Đình, pin: 22", f"name: Đình, {groups}")
    transmitter = f"transmitter: {{key_pin: {KEY}, key_lead_s: 0.2}}"
    rds = f'rds: {{port: {encoder.port}, times: {TIMES}, gap_ms: 100, close_all_group: "6A 00 0000 0000"}}'
    station.config.write_text(f"{text}{transmitter}\n{rds}\n")
    return station


def key_log(station: Station) -> list[tuple[int, int]]:
    """The key of the transmitter: its levels, and when it took them."""
    return [(value, at_ns) for line, value, at_ns in line_log(station) if line == f"gpio{KEY}"]


def test_a_receiver_that_loses_every_third_group_is_opened_hears_the_bulletin_and_is_closed(
    station: Station, encoder: Encoder, centre: Listener, province: Province, clip: Clip
) -> None:
    """The carrier stands around it all, sound is between the groups, and it begins on time behind them."""
    put_chunks(centre, clip)
    station.start()
    centre.publish(TOPIC, province.sign(one_slot(clip, 11)))
    (report,) = eventually(lambda: centre.reports("as-run"), 30)
    eventually(lambda: not level(station.lines, 17), 10)

    assert (report["outcome"], report["zones"]) == ("aired", ["cho", "dinh"])
    assert report["start"][:19] == report["planned_start"][:19]
    assert encoder.groups() == [CLOSE_ALL] * TIMES + [OPEN] * TIMES + [CLOSE] * TIMES
    ((begins_ns, ends_ns),) = sound_runs(station)
    moves = opened(encoder.aired, key_log(station), OPEN, CLOSE, lost=0.33)
    assert [is_open for is_open, _ in moves] == [True, False]
    assert moves[0][1] < begins_ns and ends_ns <= moves[1][1]
    ups = [at_ns for value, at_ns in key_log(station) if value]
    downs = [at_ns for value, at_ns in key_log(station) if not value]
    assert len(ups) == 1 and ups[0] < encoder.aired[0][1] and downs[-1] >= encoder.aired[-1][1]
    assert not [one for one in centre.reports("fault") if one["code"] in ("relay", "silence", "cue-missed")]
    assert status(station)["relays"] == {"amplifier": False, "cho": False, "dinh": False, "transmitter": False}


def test_an_encoder_that_is_pulled_out_costs_its_zone_and_nothing_else(
    station: Station, encoder: Encoder, centre: Listener, province: Province, clip: Clip
) -> None:
    """The wired zone hears the bulletin; the fault names the port; no carrier stays."""
    encoder.unplug()
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 9)))
    station.start()
    (report,) = eventually(lambda: centre.reports("as-run"), 30)

    assert (report["outcome"], report["zones"]) == ("aired", ["cho"])
    (fault,) = [one for one in centre.reports("fault") if one["code"] == "relay"]
    assert fault["subject"] == "dinh" and str(encoder.port) in fault["detail"]["error"]
    assert fault["detail"]["error"].startswith("dinh (RDS 6A 00 0000 0000): ")
    eventually(lambda: level(station.lines, KEY) == 0, 5)  # it is told to close, too, in vain


def test_after_a_kill_the_carrier_is_taken_away_and_the_next_start_closes_what_was_open(
    station: Station, encoder: Encoder, centre: Listener, province: Province, clip: Clip
) -> None:
    """never-2: a receiver that stays open hears nothing, and is closed before anybody uses the carrier again."""
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 11)))
    station.start()
    kill_on_air(station, 300)
    assert level(station.lines, KEY) == 1
    release(station)

    assert level(station.lines, KEY) == 0
    assert [is_open for is_open, _ in opened(encoder.aired, key_log(station), OPEN, CLOSE)] == [True]
