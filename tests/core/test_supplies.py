"""Zones on supplies that do not bear all of them at once: who sounds together, in turns, and what is told of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.core.material import SETTINGS, ByHand, alert, bulletin, moves, programme, said, slot
from tests.core.test_alerts import Village
from tests.core.test_live import Pole, end
from ttcs_edge.core import effects
from ttcs_edge.core.documents import StopOrder
from ttcs_edge.core.model import QuietHours, StationSettings, Supply, Zone, ZoneId
from ttcs_edge.core.supplies import together, turns

MORNING = programme([slot("tin", "05:00:00")])
MINUTE_MS = 60_000


def hamlet(*names: str, zones_most: int | None = 2, load_most_w: int | None = None, load_w: int = 0) -> StationSettings:
    """A station whose zones hang on one supply."""
    zones = tuple(Zone(ZoneId(name), name, supply="nguon", load_w=load_w) for name in names)
    return replace(SETTINGS, zones=zones, supplies=(Supply("nguon", zones_most, load_most_w),))


def heard_at(village: Village) -> list[tuple[str, tuple[str, ...]]]:
    """What was heard in which zones, in order."""
    return [(names, zones) for _, names, zones in village.heard]


def five_to(village: Village) -> None:
    """Let its life go on until the bulletin is heard everywhere."""
    village.live(70 * MINUTE_MS)


def test_zones_are_taken_in_their_order_each_into_the_first_turn_with_room() -> None:
    """Three of sixty watts and one of thirty on a hundred and fifty; one without a supply is always in the first."""
    big = tuple(Zone(ZoneId(name), name, supply="nguon", load_w=60) for name in "abc")
    small = Zone(ZoneId("d"), "d", supply="nguon", load_w=30)
    settings = replace(SETTINGS, zones=(*big, small, Zone(ZoneId("e"), "e")), supplies=(Supply("nguon", None, 150),))

    assert together(["a", "b", "c", "d", "e"], settings) == ("a", "b", "d", "e")  # type: ignore[list-item]
    assert turns(["a", "b", "c", "d", "e"], settings) == [("a", "b", "d", "e"), ("c",)]  # type: ignore[list-item]


@given(st.integers(1, 4), st.integers(30, 120), st.lists(st.integers(1, 30), min_size=1, max_size=9))
def test_every_zone_has_one_turn_and_no_supply_bears_more_than_it_can(most: int, most_w: int, loads: list[int]) -> None:
    """Whatever hangs on it."""
    zones = tuple(Zone(ZoneId(f"z{n}"), "Z", supply="nguon", load_w=load_w) for n, load_w in enumerate(loads))
    settings = replace(SETTINGS, zones=zones, supplies=(Supply("nguon", most, most_w),))
    names = [zone.id for zone in zones]
    found = turns(names, settings)

    assert sorted(zone for turn in found for zone in turn) == sorted(names)
    assert all(len(turn) <= most for turn in found)
    assert all(sum(zone.load_w for zone in zones if zone.id in turn) <= most_w for turn in found)


def test_a_bulletin_for_more_zones_than_the_supply_bears_is_heard_in_turns_and_told_once() -> None:
    """Everybody hears it whole; never more relays are closed than the supply bears; one record names all zones."""
    village = Village(MORNING, settings=hamlet("a", "b", "c"))
    five_to(village)

    assert heard_at(village) == [("tin.vi", ("a", "b")), ("tin.vi", ("c",))]
    assert village.told == [("tin", "aired", None)]
    (closed,) = village.entries(effects.AsRunClosed)
    assert closed.record.zones == ("a", "b", "c") and closed.record.items[0].written_ms == MINUTE_MS
    assert closed.record.end_ms is not None and closed.record.start_ms is not None
    assert closed.record.end_ms - closed.record.start_ms >= 2 * MINUTE_MS
    words = [word for _, word in moves(village.log)]
    begin = words.index("sound")
    assert words[begin : begin + 5] == ["sound", "b open", "a open", "c closed", "sound"]
    assert village.faults == []


def test_another_bulletin_waits_for_all_turns() -> None:
    """air-3: they queue, and the first one is heard everywhere before the second."""
    both = programme([slot("a1", "05:00:00"), slot("b1", "05:01:00")])
    village = Village(both, settings=hamlet("a", "b", "c"))
    five_to(village)

    assert [names for names, _ in heard_at(village)] == ["a1.vi", "a1.vi", "b1.vi", "b1.vi"]
    assert village.told == [("a1", "aired", None), ("b1", "aired", None)]


def test_an_alert_between_two_turns_is_heard_first_and_the_second_turn_follows() -> None:
    """air-1, air-2: nobody loses his turn by it."""
    village = Village(MORNING, settings=hamlet("a", "b", "c"))
    village.live(60 * MINUTE_MS + 30_000)
    village.hear(alert(sent="2026-11-23T22:00:30Z", zones=("a",)))
    five_to(village)

    assert heard_at(village) == [
        ("tin.vi", ("a", "b")),
        ("tone-Severe.zxx", ("a",)),
        ("lu-quet.vi", ("a",)),
        ("tin.vi", ("a", "b")),
        ("tin.vi", ("c",)),
    ]
    assert village.told[-1] == ("tin", "aired", None)


def test_each_turn_of_an_alert_hears_tone_and_words_before_the_next() -> None:
    """The highest first, and all of it: a record for each part in each turn."""
    village = Village(settings=hamlet("a", "b", "c"))
    village.hear(alert())
    village.live(5 * MINUTE_MS)

    tone, words = "tone-Severe.zxx", "lu-quet.vi"
    assert heard_at(village) == [(tone, ("a", "b")), (words, ("a", "b")), (tone, ("c",)), (words, ("c",))]
    closed = [(one.record.occurrence.local, one.record.zones) for one in village.entries(effects.AsRunClosed)]
    assert closed == [
        ("1.0.0-tone", ("a", "b")),
        ("1.0.1-vi", ("a", "b")),
        ("1.0.2-tone", ("c",)),
        ("1.0.3-vi", ("c",)),
    ]
    assert [state for _, state, _ in village.receipts] == ["accepted", "on-air", "heard"]


def test_many_parts_of_an_alert_keep_their_order() -> None:
    """Twenty turns of two languages: none is heard out of its turn, and none twice."""
    names = [f"z{n:02}" for n in range(20)]
    settings = hamlet(*names, zones_most=1)
    settings = replace(settings, zones=tuple(replace(zone, languages=("vi", "kho")) for zone in settings.zones))
    village = Village(settings=settings)
    village.hear(alert(info=(said("vi"), said("kho", "kho"))))
    village.live(20 * MINUTE_MS)

    assert [zones for _, zones in heard_at(village)] == [(name,) for name in names for _ in range(3)]
    assert {outcome for _, outcome, _ in village.told} == {"aired"} and len(village.told) == 60


def test_a_relay_that_fails_gives_its_place_to_the_next_zone() -> None:
    """The supply bears two: of three the two that do as told hear it at once, and nobody waits for the third."""
    village = Village(MORNING, settings=hamlet("a", "b", "c"))
    village.live(60 * MINUTE_MS - 450)
    assert village.station.desk.playout.closed == ["a"]
    village.suffer("relay", "a")
    five_to(village)

    assert heard_at(village) == [("tin.vi", ("b", "c"))]
    assert village.told == [("tin", "aired", None)] and ("relay", "a") in village.faults


def test_where_no_relay_of_a_turn_works_any_more_others_hear_it_from_its_beginning() -> None:
    """Both of the first turn fail in the middle, and an alert ends the play: the third zone misses nothing."""
    village = Village(MORNING, settings=hamlet("a", "b", "c"))
    village.live(60 * MINUTE_MS + 20_000)
    village.hear(alert(sent="2026-11-23T22:00:20Z", zones=("c",)))
    for name in ("a", "b"):
        for _ in range(9):  # it is tried again ever later
            village.suffer("relay", name)
    village.live(2 * MINUTE_MS)

    starts = [effect for _, effect in village.log if isinstance(effect, effects.StartSound)]
    assert ("tin.vi", ("c",)) in heard_at(village)
    assert [start.from_ms for start in starts if start.items[0].bulletin == "tin"][1] == 0


def test_quiet_hours_between_two_turns_end_it_and_it_is_told_as_a_part() -> None:
    """air-5; where it was heard stands in the record, with what was heard there."""
    settings = replace(hamlet("a", "b", "c"), quiet_hours=(QuietHours(5 * 60 + 1, 6 * 60),))
    short = programme([slot("tin", "05:00:00")], [bulletin("tin", 58)])
    village = Village(short, settings=settings)
    five_to(village)

    assert heard_at(village)[0] == ("tin.vi", ("a", "b"))
    (closed,) = village.entries(effects.AsRunClosed)
    assert village.told == [("tin", "part", "quiet-hours")]
    assert closed.record.zones[:2] == ("a", "b") and closed.record.items[0].written_ms <= 58_000


def test_a_stop_ordered_in_one_turn_ends_all_of_them() -> None:
    """What was taken off the air stays off."""
    village = Village(MORNING, settings=hamlet("a", "b", "c"))
    village.live(60 * MINUTE_MS + 20_000)
    village.order(stop=StopOrder())
    village.follow([effect for _, effect in village.log[-12:]])
    five_to(village)

    assert heard_at(village) == [("tin.vi", ("a", "b"))]
    assert village.told == [("tin", "part", "stopped-by-command")]


def test_samples_that_lack_in_an_earlier_turn_are_not_forgotten() -> None:
    """never-9: whole is what was whole in every turn."""
    station = ByHand(MORNING, settings=hamlet("a", "b", "c"))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(MINUTE_MS)
    station.sound_ends(True, 30_000)
    station.wait(3_000)
    station.sound_begins()
    station.wait(MINUTE_MS)
    station.sound_ends(True)

    assert station.told == [("tin", "part", "sound-device")]


def test_a_live_relay_is_heard_by_the_first_turn_and_it_is_told_who_is_left_out() -> None:
    """What is said just now cannot be said twice: a fault names the zones for as long as it lasts."""
    here = Pole(settings=hamlet("a", "b", "c"))
    here.speak_for(5_000)
    assert here.station.desk.playout.closed == ["a", "b"]
    ((code, subject),) = here.faults
    (fault,) = here.station.faults.open.values()
    assert (code, subject, fault.detail) == ("zones-left-out", "vn/lam-dong#live:voh", (("zones", "c"),))
    end(here)

    assert here.record().zones == ("a", "b") and here.faults == []


@pytest.mark.parametrize("zones_most", [3, 4])
def test_a_supply_that_bears_all_changes_nothing(zones_most: int) -> None:
    """Step by step as without one."""
    with_one = Village(MORNING, settings=hamlet("a", "b", "c", zones_most=zones_most))
    without = Village(MORNING, settings=replace(hamlet("a", "b", "c"), supplies=()))
    five_to(with_one)
    five_to(without)

    assert with_one.log == without.log
