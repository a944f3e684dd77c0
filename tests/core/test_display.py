"""What lamps and display tell: the first line of a table that holds, and each thing once."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.core.material import SETTINGS, ByHand, at, programme, slot
from tests.core.test_mute import Box
from ttcs_edge.core import effects, events
from ttcs_edge.core.display import Coming, Display, State, state_of
from ttcs_edge.core.lamp import Lamp, Place, Seen, shown
from ttcs_edge.core.model import WallMs

MORNING = programme([slot("tin", "05:00:00"), slot("trua", "11:00:00")])
WELL = Seen(link_up=True)


def displays(here: ByHand) -> list[Display]:
    """Everything that was to be shown so far."""
    return [effect.display for _, effect in here.log if isinstance(effect, effects.ShowDisplay)]


def shown_by(here: ByHand) -> Display:
    """What is shown now."""
    return displays(here)[-1]


class Seeing(Box):
    """A station whose box has a display, a mute key and a microphone."""

    def __init__(self, *programmes: Any, **others: Any) -> None:
        super().__init__(*programmes, settings=replace(SETTINGS, display=True), **others)
        self.tell(events.LinkChanged(True, ""))


@pytest.mark.parametrize(
    ("seen", "station", "link", "air", "state"),
    [
        (WELL, Lamp.STEADY, Lamp.STEADY, Lamp.OFF, State.IDLE),
        (replace(WELL, link_up=False), Lamp.STEADY, Lamp.SLOW, Lamp.OFF, State.NO_LINK),
        (replace(WELL, link_up=False, link_refused=True), Lamp.STEADY, Lamp.FAST, Lamp.OFF, State.NO_LINK),
        (replace(WELL, time_trusted=False, link_up=False), Lamp.SLOW, Lamp.SLOW, Lamp.OFF, State.NO_TIME),
        (replace(WELL, has_error=True, time_trusted=False), Lamp.FAST, Lamp.STEADY, Lamp.OFF, State.NO_TIME),
        (replace(WELL, muted=True, time_trusted=False), Lamp.SLOW, Lamp.STEADY, Lamp.SLOW, State.MUTED),
        (replace(WELL, on_air=True), Lamp.STEADY, Lamp.STEADY, Lamp.STEADY, State.ON_AIR),
        (replace(WELL, on_air=True, warns=True, muted=True), Lamp.STEADY, Lamp.STEADY, Lamp.FAST, State.ALERT),
        (replace(WELL, stopping=True, has_error=True), Lamp.OFF, Lamp.OFF, Lamp.OFF, State.STOPPING),
    ],
)
def test_lamps_and_state_by_their_tables(seen: Seen, station: Lamp, link: Lamp, air: Lamp, state: State) -> None:
    """Four patterns, three lamps, one word."""
    assert [shown(place, seen) for place in (Place.STATION, Place.LINK, Place.AIR)] == [station, link, air]
    assert state_of(seen) is state


def test_a_morning_is_told_as_it_goes_by_each_thing_once() -> None:
    """What comes next, what is heard, and what comes then."""
    here = Seeing(MORNING, civil="2026-11-24T04:50:00")
    assert shown_by(here) == Display(State.IDLE, True, coming=Coming(_at("2026-11-24T05:00:00"), "tin"))
    here.wait_until("2026-11-24T05:00:03")
    noon = Coming(_at("2026-11-24T11:00:00"), "trua")
    assert shown_by(here) == Display(State.ON_AIR, True, "tin", noon)
    here.sound_ends()
    assert shown_by(here) == Display(State.IDLE, True, coming=noon)
    before = len(displays(here))
    here.wait_until("2026-11-24T10:50:00")
    assert len(displays(here)) == before, "nobody is told of minutes"


def test_the_worst_fault_is_told_the_oldest_of_them_and_how_many_there_are() -> None:
    """An error before any warning."""
    here = Seeing()
    here.tell(events.ConditionChanged("muted-by-nobody", "x", True))
    here.wait(1_000)
    here.tell(events.ConditionChanged("store-failing", "database", True))
    here.wait(1_000)
    here.tell(events.ConditionChanged("under-voltage", "supply", True))
    display = shown_by(here)
    assert display.fault is not None
    assert (display.fault.code, display.faults) == ("store-failing", 3)
    here.tell(events.ConditionChanged("store-failing", "database", False))
    display = shown_by(here)
    assert display.fault is not None and display.fault.code == "under-voltage"


def test_an_alert_is_told_at_once_and_alone() -> None:
    """Before its first sound; behind it, what was told before."""
    here = Seeing(MORNING, civil="2026-11-24T04:50:00")
    before = shown_by(here)
    here.warned()
    display = shown_by(here)
    assert (display.state, display.coming, display.fault) == (State.ALERT, None, None)
    assert display.on_air
    here.wait(5_000)
    assert shown_by(here) == display
    while here.station.desk.rows.warns:
        here.sound_ends()
        here.wait(2_000)
    assert shown_by(here) == before


def test_without_the_time_no_cue_is_told() -> None:
    """air-7: nothing of the schedule airs."""
    here = Seeing(MORNING, trusted=False)
    display = shown_by(here)
    assert (display.state, display.clock_trusted, display.coming) == (State.NO_TIME, False, None)
    assert display.fault is not None and display.fault.code == "no-time"


def test_a_mute_is_told_with_what_it_keeps_waiting() -> None:
    """The bulletin that was cut is the next one."""
    here = Seeing(MORNING, civil="2026-11-24T04:59:00")
    here.wait_until("2026-11-24T05:00:05")
    here.push()
    here.wait(1_000)
    display = shown_by(here)
    assert (display.state, display.coming) == (State.MUTED, Coming(_at("2026-11-24T05:00:00"), "tin"))
    assert display.fault is not None and display.fault.code == "muted"


def test_a_station_without_a_display_tells_it_nothing() -> None:
    """Nor does it look into its schedule for it."""
    here = Box(MORNING)
    here.wait_until("2026-11-24T05:00:03")
    assert displays(here) == [] and here.station.display.looked == ()


def _at(civil: str) -> WallMs:
    return WallMs(at(civil, SETTINGS.time_zone))
