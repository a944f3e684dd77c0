"""A zone behind an FM transmitter, on a real station: its receiver is opened by digits, hears the bulletin, and is
closed by digits; without a carrier it is silent.
"""

from __future__ import annotations

import wave
from array import array

import pytest
from msgspec.structs import replace

from tests.parts import Broker, Clip, Listener, Province, Station, eventually, put_chunks
from tests.receivers import heard_digits
from tests.system.sight import kill_on_air, line_log, release, sound_runs, status
from tests.system.test_main_job import TOPIC, one_slot
from ttcs_edge.drivers.pins import level

KEY = 12


@pytest.fixture
def station(station: Station) -> Station:
    """A station whose zone ``dinh`` is a receiver, its transmitter's key on GPIO 12."""
    codes = 'open_code: "12*", close_code: "12#"'
    text = station.config.read_text().replace("name: Đình, pin: 22", f"name: Đình, {codes}")
    transmitter = f'transmitter: {{key_pin: {KEY}, key_lead_s: 0.2, digit_ms: 60, gap_ms: 60, close_all_code: "00#"}}'
    station.config.write_text(f"{text}{transmitter}\n")
    return station


def aired(station: Station) -> list[tuple[str, float, float]]:
    """The digits that went out, whenever."""
    with wave.open(str(station.folder / "aired.wav")) as sound:
        return heard_digits(array("h", sound.readframes(sound.getnframes())))


def key_log(station: Station) -> list[tuple[int, int]]:
    """The key of the transmitter: its levels, and when it took them."""
    return [(value, at_ns) for line, value, at_ns in line_log(station) if line == f"gpio{KEY}"]


def test_a_receiver_is_opened_hears_the_bulletin_and_is_closed(
    station: Station, centre: Listener, province: Province, clip: Clip
) -> None:
    """The carrier stands around it all; digits and bulletin follow one another; the relay beside it has its turn."""
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 9)))
    station.start()
    (report,) = eventually(lambda: centre.reports("as-run"), 25)
    eventually(lambda: not level(station.lines, 17))

    assert (report["outcome"], report["zones"]) == ("aired", ["cho", "dinh"])
    assert "".join(digit for digit, _, _ in aired(station)) == "00#12*12#"
    runs = sound_runs(station)
    assert len(runs) == 4, "two codes, the bulletin, a code"
    ups = [at_ns for value, at_ns in key_log(station) if value]
    downs = [at_ns for value, at_ns in key_log(station) if not value]
    assert len(ups) == 1 and ups[0] + 200_000_000 <= runs[0][0] and downs[-1] >= runs[3][0]
    bulletin_begins, bulletin_ends = runs[2]
    closed = [at_ns for line, value, at_ns in line_log(station) if line == "gpio27" and value]
    assert closed[0] < bulletin_begins and runs[1][1] <= bulletin_begins and bulletin_ends <= runs[3][0]
    assert not [one for one in centre.reports("fault") if one["code"] in ("relay", "silence", "cue-missed")]
    relays = status(station)["relays"]
    assert relays == {"amplifier": False, "cho": False, "dinh": False, "transmitter": False}


def test_the_bulletin_begins_on_time_behind_its_digits(
    station: Station, centre: Listener, province: Province, clip: Clip
) -> None:
    """What opening a receiver takes is reckoned with, as a warm-up is."""
    put_chunks(centre, clip)
    station.start()
    centre.publish(TOPIC, province.sign(one_slot(clip, 9)))
    (report,) = eventually(lambda: centre.reports("as-run"), 25)

    assert report["start"][:19] == report["planned_start"][:19]


def test_after_a_kill_the_carrier_is_taken_away_and_the_next_start_closes_what_was_open(
    station: Station, broker: Broker, centre: Listener, province: Province, clip: Clip
) -> None:
    """never-2: a receiver that stays open hears nothing, and is closed before anybody uses the carrier again."""
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 9)))
    station.start()
    kill_on_air(station, 300)
    assert level(station.lines, KEY) == 1
    release(station)
    assert level(station.lines, KEY) == 0

    (station.folder / "aired.wav").unlink()
    station.start()
    centre.publish(TOPIC, province.sign(replace(one_slot(clip, 9, zones=("dinh",)), version=2)))
    eventually(lambda: len(centre.reports("as-run")) == 2, 25)
    eventually(lambda: level(station.lines, KEY) == 0, 10)
    assert "".join(digit for digit, _, _ in aired(station)) == "00#12*12#"
