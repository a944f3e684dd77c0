"""The microphone on real parts: a hand on its key, lines, the player's own input, and a bulletin that has to wait."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.parts import Broker, Clip, Listener, Province, Station, eventually, put_chunks
from tests.system.sight import heard_ms, line_log, position_ms, sound_runs, status
from tests.system.test_main_job import TOPIC, all_open, assert_relays_never_switched_under_sound, one_slot
from ttcs_edge.drivers.pins import touch

KEY, MIXER = 23, 6
BY_MIXER = f"microphone: {{key_pin: {KEY}, mixer_pin: {MIXER}, zones: [cho], most_s: 5}}\n"
BY_INPUT = f"microphone: {{key_pin: {KEY}, wav_file: speech.wav, zones: [cho], most_s: 60}}\n"
TALK = "microphone:key"


class Officer:
    """A person at the pole."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def press(self) -> None:
        """Hold the key down."""
        touch(self._station.lines, KEY, 0)

    def let_go(self) -> None:
        """The line is pulled up."""
        touch(self._station.lines, KEY, 1)


@pytest.fixture
def officer(station: Station) -> Iterator[Officer]:
    """Before a station that is not started yet."""
    station.lines.mkdir(parents=True)
    yield Officer(station)


def begin(station: Station, microphone: str) -> None:
    """Start it with this microphone."""
    station.config.write_text(station.config.read_text() + microphone)
    station.start()


def faults(station: Station) -> list[str]:
    """What the station says is wrong."""
    return [fault["code"] for fault in status(station).get("faults", ())]


def told(centre: Listener) -> list[tuple[str, str, str | None]]:
    """What the as-run log says."""
    return [(one["slot"], one["outcome"], one["reason"]) for one in centre.reports("as-run")]


def test_the_mixer_s_relay_lets_a_person_in_behind_the_zones_and_out_before_them(
    station: Station, officer: Officer, centre: Listener
) -> None:
    """No sound of the player's own; the whole way down when the key is let go."""
    begin(station, BY_MIXER)
    eventually(lambda: status(station).get("link_up"))
    officer.press()
    eventually(lambda: (f"gpio{MIXER}", 1) in [one[:2] for one in line_log(station)])
    assert status(station)["on_air"]["title"] == "Micrô / Microphone"
    officer.let_go()
    eventually(lambda: all_open(station))
    eventually(lambda: told(centre) == [(TALK, "aired", None)])

    ours = [one[:2] for one in line_log(station) if one[:2] != (f"gpio{MIXER}", 0)]
    assert ours[-5:] == [("gpio17", 1), ("gpio27", 1), (f"gpio{MIXER}", 1), ("gpio27", 0), ("gpio17", 0)]
    when = {one[:2]: one[2] for one in line_log(station)}
    assert when[("gpio27", 1)] < when[(f"gpio{MIXER}", 1)] < when[(f"gpio{MIXER}", 0)] < when[("gpio27", 0)]
    assert sound_runs(station) == []
    assert faults(station) == []


def test_a_key_that_is_stuck_hands_the_air_back_and_is_told_until_it_is_let_go(
    station: Station, officer: Officer, centre: Listener
) -> None:
    """Five seconds are allowed here. A restart with the key down airs nothing."""
    begin(station, BY_MIXER)
    eventually(lambda: status(station).get("link_up"))
    officer.press()
    eventually(lambda: told(centre) == [(TALK, "part", "time-limit")], 15)
    assert faults(station) == ["microphone-stuck"]
    assert station.stop() == 0
    before = len(line_log(station))

    station.start()
    eventually(lambda: faults(station) == ["microphone-stuck"])
    officer.let_go()
    eventually(lambda: faults(station) == [])
    assert [one for one in line_log(station)[before:] if one[1]] == [], "no line was driven high"


def test_a_person_takes_the_air_from_a_bulletin_and_hands_it_back(
    station: Station, officer: Officer, broker: Broker, province: Province, centre: Listener, clip: Clip
) -> None:
    """The bulletin goes on where it was cut; relays never switch under sound."""
    tone = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "sine=440:r=48000:d=2", "-ac", "1"]
    subprocess.run([*tone, str(station.folder / "speech.wav")], check=True)
    begin(station, BY_INPUT)
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 3)))
    eventually(lambda: position_ms(station) > 200, 20)
    officer.press()
    eventually(lambda: (status(station)["on_air"] or {}).get("title") == "Micrô / Microphone")
    eventually(lambda: position_ms(station) > 500)
    officer.let_go()
    eventually(lambda: len(told(centre)) == 2, 20)
    eventually(lambda: all_open(station), 20)

    assert [one[1:] for one in told(centre)] == [("aired", None), ("aired", None)]
    assert told(centre)[0][0] == TALK
    bulletin = centre.reports("as-run")[1]
    assert bulletin["interruptions"] == 1
    assert heard_ms(station, "gpio27") > 500
    assert_relays_never_switched_under_sound(station)
    assert faults(station) == []
