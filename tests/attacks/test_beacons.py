"""Beacons that would set a station's clock wrong: what is past is a bound at the most, and never the time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace
from securesystemslib.signer import CryptoSigner

from tests.core.material import HOUR_MS, ByHand, at, only
from tests.parts import PLACE, SCOPE, Province
from ttcs_edge.core import effects, events
from ttcs_edge.core.beacons import APART_MS, PACE_MS, SAVE_MS
from ttcs_edge.core.documents import Beacon
from ttcs_edge.core.model import MonoMs, Scope, WallMs
from ttcs_edge.core.timekeeping import SLACK_MS, ClockState, TimeSource
from ttcs_edge.core.trust import utc_ms, utc_text
from ttcs_edge.wire.documents import read_beacon

PROVINCE = Province()
FIVE = "2026-11-24T05:00:00"
SUBJECT = f"beacon:{SCOPE}"
MINUTE_MS = 60_000


def station(**others: Any) -> ByHand:
    """At five in the morning, not knowing it."""
    return ByHand(civil=others.pop("civil", FIVE), trust=PROVINCE.root, **({"trusted": False} | others))


def beacon(wall_ms: int, **changes: Any) -> Beacon:
    """What the centre signs at an instant."""
    expires = utc_text(wall_ms + 5 * MINUTE_MS)
    made = Beacon(scope=Scope(SCOPE), version=wall_ms, issued=utc_text(wall_ms), expires=expires)
    return replace(made, **changes)


def tell(here: ByHand, what: Beacon | bytes, *, live: bool = True, late_ms: int = 0) -> list[effects.SetSignedTime]:
    """A beacon as the broker brings it, ``late_ms`` before the core comes to it; gives the times that it sets."""
    data = what if isinstance(what, bytes) else PROVINCE.sign(what)
    came = MonoMs(here.mono_ms - late_ms)
    done = here.tell(events.BeaconArrived(read_beacon(data, PROVINCE.root, SCOPE), SCOPE, 3, live, came))
    assert only(done, effects.Acknowledge) == [effects.Acknowledge(3)]
    return only(done, effects.SetSignedTime)


def test_two_live_beacons_that_keep_pace_tell_the_time() -> None:
    """The ground on which the attacks stand."""
    here = station()
    assert tell(here, beacon(here.wall_ms)) == []
    here.wait(MINUTE_MS)
    came = here.mono_ms - 200
    assert tell(here, beacon(here.wall_ms - 200), late_ms=200) == [
        effects.SetSignedTime(WallMs(here.wall_ms - 200), MonoMs(came))
    ]


def test_of_two_the_one_that_was_quicker_is_right() -> None:
    """The second was three seconds on its way: what the first told, carried on, is closer."""
    here = station()
    tell(here, beacon(here.wall_ms))
    here.wait(MINUTE_MS)
    assert tell(here, beacon(here.wall_ms - 3_000)) == [
        effects.SetSignedTime(WallMs(here.wall_ms), MonoMs(here.mono_ms))
    ]


def test_what_stood_retained_never_tells_the_time() -> None:
    """A year old or a minute: nobody can see it. Not by itself, and not as one of two."""
    here = station()
    assert tell(here, beacon(here.wall_ms), live=False) == []
    here.wait(MINUTE_MS)
    assert tell(here, beacon(here.wall_ms), live=False) == []
    here.wait(MINUTE_MS)
    assert tell(here, beacon(here.wall_ms)) == []


def test_a_burst_of_what_was_held_back_never_tells_the_time() -> None:
    """A session's queue, or a modem that was away for two days, lets a hundred go at once: all are live."""
    here = station()
    begin_ms = here.wall_ms - 2 * 86_400_000
    for minute in range(100):
        here.wait(50)
        assert tell(here, beacon(begin_ms + minute * MINUTE_MS)) == []
    here.wait(MINUTE_MS)
    assert tell(here, beacon(here.wall_ms)) == [], "the last of the burst is no measure for the first live one"
    here.wait(MINUTE_MS)
    assert len(tell(here, beacon(here.wall_ms))) == 1


def test_two_that_were_let_go_together_never_tell_the_time() -> None:
    """Signed four seconds apart, held back for two days: they agree with each other, and with nothing else."""
    here = station()
    old_ms = here.wall_ms - 2 * 86_400_000
    assert tell(here, beacon(old_ms)) == []
    here.wait(APART_MS - 1)
    assert tell(here, beacon(old_ms + 4_000 + APART_MS)) == []
    assert tell(here, beacon(old_ms + 5_000 + APART_MS)) == []
    here.wait(MINUTE_MS)
    assert tell(here, beacon(here.wall_ms)) == []


def test_beacons_that_come_close_together_are_as_good_as_one_a_minute() -> None:
    """Every four seconds: the first that is far enough from the measure tells the time, and is the next measure."""
    here, told = station(), list[int]()
    for second in range(0, 32, 4):
        told += [second for _ in tell(here, beacon(here.wall_ms))]
        here.wait(4_000)
    assert told == [12, 24]


@pytest.mark.parametrize("error_ms", [-PACE_MS - 1_000, PACE_MS + 1_000])
def test_a_centre_whose_clock_leaps_is_believed_only_when_it_goes_on(error_ms: int) -> None:
    """Between the two, its clock and ours went on by different spans."""
    here = station()
    tell(here, beacon(here.wall_ms))
    here.wait(MINUTE_MS)
    assert tell(here, beacon(here.wall_ms + error_ms)) == []
    here.wait(MINUTE_MS)
    assert len(tell(here, beacon(here.wall_ms + error_ms))) == 1


def test_an_older_beacon_is_refused_and_the_same_again_is_nothing() -> None:
    """never-6."""
    here = station(trusted=True)
    new, old = beacon(here.wall_ms), beacon(here.wall_ms - MINUTE_MS)
    assert (tell(here, new), tell(here, new), here.faults) == ([], [], [])
    tell(here, old)

    (fault,) = here.station.faults.open.values()
    detail = (("found", str(old.version)), ("expected", f">= {new.version}"))
    assert (fault.code, fault.subject, fault.detail) == ("old-version", SUBJECT, detail)
    here.wait(MINUTE_MS)
    tell(here, beacon(here.wall_ms))
    assert here.faults == [], "the next good one mends it"


def test_a_silent_centre_is_no_attack_and_a_late_beacon_is() -> None:
    """The last one stands retained on the broker and has expired; the same, live, was held back."""
    here = station(trusted=True)
    old = beacon(here.wall_ms - 6 * MINUTE_MS)
    assert (tell(here, old, live=False), here.faults) == ([], [])
    assert (tell(here, old), here.faults) == ([], [("expired", SUBJECT)])


def test_a_beacon_from_the_future_burns_no_floor_where_the_time_is_known() -> None:
    """A centre whose clock was a year ahead for a minute, or a stolen key."""
    here = station(trusted=True)
    tell(here, beacon(here.wall_ms + SLACK_MS + 2_000))
    assert here.faults == [("issued-ahead", SUBJECT)]
    tell(here, beacon(here.wall_ms))
    assert here.faults == []


def test_a_clock_that_was_made_late_by_beacons_is_set_right_by_them() -> None:
    """A broker held each one back by an hour, and then no more: the station must not stay late for good."""
    here = station()
    here.offset_ms -= HOUR_MS
    here.trusted = True  # by the beacons that were held back
    here.tell(events.ClockChanged(ClockState(TimeSource.SIGNED)))
    assert tell(here, beacon(here.wall_ms + HOUR_MS)) == []
    here.wait(MINUTE_MS)
    (right,) = tell(here, beacon(here.wall_ms + HOUR_MS))
    assert (right.wall_ms, here.faults) == (here.wall_ms + HOUR_MS, [])
    assert here.station.time_floor_ms == right.wall_ms


def test_a_station_with_a_clock_of_its_own_believes_that_one() -> None:
    """The same two beacons: refused, and no floor above the time."""
    here = station(trusted=True)
    here.tell(events.ClockChanged(ClockState(TimeSource.RTC)))
    for _ in range(2):
        assert tell(here, beacon(here.wall_ms + HOUR_MS)) == []
        here.wait(MINUTE_MS)
    assert here.faults == [("issued-ahead", SUBJECT)]
    assert here.station.time_floor_ms <= here.wall_ms


@pytest.mark.parametrize("signer", ["a stranger's", "root's"])
def test_who_may_not_tell_the_time_does_not(signer: str) -> None:
    """Nobody known, or a key that may do something else."""
    here = station(trusted=True)
    key = CryptoSigner.generate_ed25519() if signer == "a stranger's" else PROVINCE.root_signer
    tell(here, PROVINCE.sign(beacon(here.wall_ms), [key]))
    here.wait(MINUTE_MS)
    assert tell(here, PROVINCE.sign(beacon(here.wall_ms), [key])) == []
    assert here.faults == [("not-enough-signatures", SUBJECT)]


def test_a_beacon_of_another_scope_is_refused() -> None:
    """Moved to this topic."""
    here = station(trusted=True)
    for scope in ("vn/lam-dong/bao-loc", PLACE):
        tell(here, beacon(here.wall_ms, scope=Scope(scope)))
        assert here.faults == [("wrong-scope", SUBJECT)]
        assert not here.station.beacons.floors.versions
        here.station.faults.clear_subject(SUBJECT, WallMs(0))


def test_a_programme_of_the_scope_does_not_mend_a_beacon() -> None:
    """Each has faults of its own."""
    here = station(trusted=True)
    tell(here, b"{")
    assert here.faults == [("not-json", SUBJECT)]
    tell(here, json.dumps([]).encode())
    assert here.faults == [("not-json", SUBJECT), ("not-an-envelope", SUBJECT)]


def test_a_beacon_a_minute_writes_next_to_nothing() -> None:
    """A card outlives no write a minute: four a day, and one more with whatever else is written."""
    here = station(trusted=True)
    begin_ms = here.wall_ms
    while here.wall_ms < begin_ms + 86_400_000:
        here.wait(MINUTE_MS)
        tell(here, beacon(here.wall_ms))

    saved = [entry.version for entry in here.entries(effects.FloorRaised)]
    assert len(saved) == 86_400_000 // SAVE_MS
    tell(here, b"{")
    assert [entry.version for entry in here.entries(effects.FloorRaised)][len(saved) :] == [here.wall_ms]


def test_a_floor_from_the_disk_holds() -> None:
    """After a restart."""
    here = station(trusted=True, floors=((SUBJECT, at("2026-11-24T06:00:00")),))
    tell(here, beacon(here.wall_ms))
    assert here.faults == [("old-version", SUBJECT)]
    assert utc_ms("2026-11-23T22:00:00Z") == at(FIVE)
