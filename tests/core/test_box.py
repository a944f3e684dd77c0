"""The box: its door, its heat and its fan."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.core.material import SETTINGS, ByHand, entries, only, open_fault
from ttcs_edge.core import effects, events
from ttcs_edge.core.box import BoxState
from ttcs_edge.core.model import Box, Fan, StationSettings

WATCHED = replace(SETTINGS, box=Box(True, True, hot_c=60, cold_c=0, fan=Fan(45, 38)))


def boxed(settings: StationSettings = WATCHED, **others: Any) -> ByHand:
    """A station that watches its box."""
    return ByHand(settings=settings, **others)


def blown(one: ByHand, *celsius: float | None) -> list[bool]:
    """Let it be so warm, one after the other; gives what the fan was told."""
    done = [effect for each in celsius for effect in one.tell(events.BoxTold(each))]
    return [effect.on for effect in only(done, effects.SwitchFan)]


def test_a_door_that_opens_is_a_fault_and_an_entry_of_the_audit_trail_at_once() -> None:
    """Somebody is at the box; shut again, the fault is over, and the entry stays."""
    one = boxed()
    done = one.tell(events.DoorMoved(True))
    told = [type(entry) for entry in entries(done)]
    assert told[:2] == [effects.FaultRaised, effects.Audited] and one.faults == [("door-open", "box")]
    entry = one.entries(effects.Audited)[-1]
    assert (entry.deed, entry.what, entry.subject) == ("opened", "box", "da-teh-01")
    one.tell(events.DoorMoved(False))
    assert one.faults == [] and one.station.snapshot(one.now()).box == BoxState(None, False, False)


def test_a_door_whose_contact_is_loose_fills_neither_the_trail_nor_the_card() -> None:
    """A thousand times open and shut within minutes are nine entries; then it stays, until it was quiet."""
    one = boxed()
    before = len(one.entries(effects.Audited))
    for _ in range(1_000):
        one.tell(events.DoorMoved(True))
        one.wait(100)
        one.tell(events.DoorMoved(False))
        one.wait(100)
    assert len(one.entries(effects.Audited)) - before == 9 and one.faults == [("door-open", "box")]
    one.wait(600_000)
    assert one.faults == []


def test_the_fan_runs_from_one_bound_to_the_other_and_while_nobody_knows() -> None:
    """On at 45, off at 38; on when the thermometer says nothing."""
    one = boxed()
    assert blown(one, 44, 45, 46, 39, 38, 44) == [True, False]
    assert blown(one, None) == [True] and blown(one, 44) == [] and blown(one, 30) == [False]


def test_heat_and_cold_are_told_and_over_five_degrees_later() -> None:
    """60 is hot until 55 is passed; 0 is cold until 5 is."""
    one = boxed()
    seen = []
    for celsius in (59, 60, 55, 54, 1, 0, 5, 6):
        one.tell(events.BoxTold(celsius))
        seen.append([code for code, _ in one.faults])
    assert seen == [[], ["box-hot"], ["box-hot"], [], [], ["box-cold"], ["box-cold"], []]
    assert one.entries(effects.FaultRaised)[0].fault.detail == (("celsius", "60"),)


def test_a_box_that_nobody_watches_any_more_has_no_faults_left() -> None:
    """And one that is watched keeps those of before until it is told otherwise."""
    left_open = tuple(open_fault(code, "box") for code in ("door-open", "box-hot", "box-cold", "thermometer-silent"))
    soon_told_again = (open_fault("fan", "box"), open_fault("box-contact", "mains"))
    assert boxed(SETTINGS, open_faults=left_open).faults == []
    assert boxed(open_faults=soon_told_again).faults == []
    one = boxed(open_faults=left_open)
    assert len(one.faults) == 4
    one.tell(events.BoxTold(57))
    assert ("box-hot", "box") in one.faults and ("box-cold", "box") not in one.faults


def test_a_station_without_a_box_says_nothing_of_it() -> None:
    """None of it is in heartbeat and status."""
    one = boxed(SETTINGS)
    assert one.tell(events.BoxTold(90)) and one.faults == []
    assert one.station.snapshot(one.now()).box is None
