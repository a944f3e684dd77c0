"""A sound device that fails under a bulletin, or is not there at its instant: the bulletin goes on once it is back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.material import ByHand, alert, bulletin, only, programme, slot
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import StopOrder
from ttcs_edge.core.effects import AsRunClosed, FaultRaised, StartSound

MORNING = "2026-11-24T05:00:00"
GONE, BACK = events.SoundDevice(False, "hw:0", "unplugged"), events.SoundDevice(True, "hw:0", "")


def station_of(**of_the_slot: Any) -> ByHand:
    """A station with a bulletin of one minute at five."""
    return ByHand(programme([slot("tin", "05:00:00", **of_the_slot)], [bulletin("tin", 60)]))


def lose_the_device(station: ByHand, written_ms: int) -> None:
    """It is pulled out, and the player says so."""
    station.tell(GONE)
    station.sound_ends(False, written_ms, failure="sound-device")


def cut_after_twenty_seconds(**of_the_slot: Any) -> ByHand:
    """The device is pulled out in the middle of it."""
    station = station_of(**of_the_slot)
    station.wait_until(MORNING)
    station.sound_begins()
    station.wait(20_000)
    lose_the_device(station, 20_000)
    return station


def starts(station: ByHand) -> list[int]:
    """From where each play was to begin, so far."""
    return [start.from_ms for start in only([effect for _, effect in station.log], StartSound)]


def switched(station: ByHand) -> list[effects.Effect]:
    """Each switch that was asked for."""
    switches = effects.SwitchZone | effects.SwitchAmplifier
    return [effect for _, effect in station.log if isinstance(effect, switches)]


@pytest.mark.parametrize(("if_interrupted", "from_ms"), [("resume", 20_000), ("restart", 0)])
def test_a_bulletin_goes_on_as_its_slot_says_once_its_sound_device_is_back(if_interrupted: str, from_ms: int) -> None:
    """air-2: it is tried no sooner, and told as heard whole with one interruption."""
    station = cut_after_twenty_seconds(if_interrupted=if_interrupted)
    station.wait(60_000)
    assert starts(station) == [0] and station.told == []
    station.tell(BACK)
    station.wait(5_000)
    station.sound_begins()
    station.wait(60_000 - from_ms)
    station.sound_ends(True, 60_000 - from_ms)

    assert starts(station) == [0, from_ms]
    assert station.told == [("tin", "aired", None)]
    (closed,) = station.entries(AsRunClosed)
    assert closed.record.interruptions == 1
    assert [item.written_ms for item in closed.record.items] == [60_000]
    assert station.faults == []


def test_a_bulletin_that_is_to_be_dropped_when_it_is_interrupted_ends_with_its_sound_device() -> None:
    """air-2: what was heard of it is told."""
    station = cut_after_twenty_seconds(if_interrupted="drop")
    assert station.told == [("tin", "part", "sound-device")]
    station.tell(BACK)
    station.wait(60_000)
    assert starts(station) == [0]


def test_a_sound_device_that_stays_away_ends_the_bulletin_after_half_an_hour() -> None:
    """air-6: as long as for a higher one, and no longer; silence is told within five seconds."""
    station = cut_after_twenty_seconds()
    station.wait(5_000)
    silence = [one.fault for one in station.entries(FaultRaised) if one.fault.code == "silence"]
    assert [dict(fault.detail)["reason"] for fault in silence] == ["sound-device"]
    station.wait(30 * 60_000 - 5_000)
    assert station.told == []
    station.wait(1)

    assert station.told == [("tin", "part", "sound-device")]
    assert [item.written_ms for item in station.entries(AsRunClosed)[0].record.items] == [20_000]


def test_no_relay_moves_for_a_bulletin_while_it_is_known_that_there_is_no_sound_device() -> None:
    """An amplifier that goes on and off at a pole for nothing wears out; the cue is missed for the device."""
    station = station_of()
    station.tell(GONE)
    station.wait_until("2026-11-24T05:00:10")

    assert switched(station) == []
    assert station.told == [("tin", "missed", "sound-device")]


def test_a_bulletin_whose_window_is_open_airs_late_when_the_sound_device_comes_back() -> None:
    """air-6: the window is for whatever kept it from its time."""
    station = station_of(late_window_s=3_600)
    station.tell(GONE)
    station.wait_until("2026-11-24T05:40:00")
    assert station.told == []
    station.tell(BACK)
    station.wait(5_000)
    station.sound_begins()
    station.wait(60_000)
    station.sound_ends()

    assert station.told == [("tin", "aired", None)]


def test_a_sound_device_that_comes_and_goes_is_given_up_with_the_fourth_time() -> None:
    """A plug with a loose contact must not make a bulletin of one minute last all morning."""
    station = cut_after_twenty_seconds(if_interrupted="restart")
    for _ in range(3):
        assert station.told == []
        station.tell(BACK)
        station.wait(5_000)
        station.sound_begins()
        station.wait(2_000)
        lose_the_device(station, 2_000)

    assert station.told == [("tin", "part", "sound-device")]
    assert starts(station) == [0, 0, 0, 0]


def test_an_alert_does_not_wait_for_a_sound_device_that_a_bulletin_found_gone() -> None:
    """It is tried at once: it may be there by now, and nobody says an alert again."""
    station = cut_after_twenty_seconds()
    station.warn(alert(sent="2026-11-23T22:00:00Z", expires="2026-11-24T00:00:00Z"))
    station.wait(5_000)

    assert starts(station) == [0, 0]
    station.sound_begins()
    assert station.station.desk.on_air is not None
    assert station.station.desk.on_air.warning is not None


def test_a_bulletin_that_lost_the_air_to_an_alert_just_then_goes_on_behind_it() -> None:
    """The device fails while the bulletin fades out: it lost the air to the alert, and comes back as its slot says."""
    station = station_of()
    station.wait_until(MORNING)
    station.sound_begins()
    station.wait(20_000)
    station.warn(alert(sent="2026-11-23T22:00:00Z", expires="2026-11-24T00:00:00Z"))
    lose_the_device(station, 20_000)
    station.wait(5_000)

    assert station.told == []
    assert [airing.position_ms for airing in station.station.desk.cues.of_slots()] == [20_000]


def test_a_bulletin_that_was_stopped_by_command_does_not_come_back_with_its_sound_device() -> None:
    """The device fails while it fades out: whoever wanted silence has it."""
    station = station_of()
    station.wait_until(MORNING)
    station.sound_begins()
    station.wait(20_000)
    station.order(stop=StopOrder())
    lose_the_device(station, 20_000)
    station.tell(BACK)
    station.wait(60_000)

    assert station.told == [("tin", "part", "stopped-by-command")]
    assert starts(station) == [0]
