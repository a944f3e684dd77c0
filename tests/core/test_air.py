"""Who has the air (air-1, never-4), in pure choice and over a station: instants, ranks, nesting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.core.material import SETTINGS, ByHand, audio_of, bulletin, moves, occurrence, only, programme, slot
from ttcs_edge.core.air import Contender, choose, resumes_from_ms
from ttcs_edge.core.effects import StartSound
from ttcs_edge.core.model import Amplifier, IfInterrupted, Scope

contenders = st.builds(
    Contender,
    st.builds(occurrence, st.sampled_from("abc"), st.sampled_from(("t1", "t2"))),
    st.tuples(st.integers(0, 2), st.integers(0, 9)),
    st.integers(0, 3),
)


@given(st.lists(contenders, max_size=6), st.randoms())
def test_the_choice_does_not_depend_on_the_order_of_asking(ready: list[Contender], dice: object) -> None:
    """air-1: the highest priority, then the earliest, then the smaller scope path and slot id."""
    chosen = choose(None, ready)
    shuffled = list(ready)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert choose(None, shuffled) == chosen
    if ready:
        assert chosen is not None
        assert chosen.priority == max(one.priority for one in ready)
        rivals = [one for one in ready if one.priority == chosen.priority]
        assert (chosen.planned_ms, chosen.occurrence) == min((one.planned_ms, one.occurrence) for one in rivals)
    else:
        assert chosen is None


@given(contenders, st.lists(contenders, max_size=6))
def test_what_is_on_the_air_loses_it_to_a_strictly_higher_priority_only(
    on_air: Contender, ready: list[Contender]
) -> None:
    """never-4, and its mirror image: nobody of the same rank takes the air from what sounds."""
    chosen = choose(on_air, ready)
    higher = [one for one in ready if one.priority > on_air.priority]
    assert chosen is not None
    assert (chosen in higher) if higher else (chosen == on_air)


def test_of_two_scopes_at_one_instant_the_higher_scope_comes_first() -> None:
    """``vn`` before ``vn/lam-dong``, whatever the slots are called."""
    province = Contender(occurrence("a", "t"), (0, 5), 0)
    nation = Contender(occurrence("z", "t", Scope("vn")), (0, 5), 0)
    assert choose(None, [province, nation]) == nation


@pytest.mark.parametrize(
    ("kind", "from_ms"), [(IfInterrupted.RESUME, 12_345), (IfInterrupted.RESTART, 0), (IfInterrupted.DROP, None)]
)
def test_an_interrupted_cue_does_as_its_slot_says(kind: IfInterrupted, from_ms: int | None) -> None:
    """air-2."""
    assert resumes_from_ms(kind, 12_345) == from_ms


def test_two_slots_at_one_instant_air_by_priority_then_by_id_one_after_the_other_and_whole() -> None:
    """air-3: they queue, they do not mix; nobody is told as late for having waited."""
    station = ByHand(programme([slot("b", "05:00:00"), slot("c", "05:00:00", priority=7), slot("a", "05:00:00")]))
    station.wait_until("2026-11-24T05:00:00")
    order = []
    for _ in range(3):
        order.append(station.sound_begins().items[0].bulletin)
        station.wait(60_000)
        station.sound_ends()
    station.wait(60_000)

    assert order == ["c", "a", "b"]
    assert station.told == [(name, "aired", None) for name in order]
    assert [word for _, word in moves(station.log)].count("sound") == 3
    assert [word for _, word in moves(station.log)].count("fade") == 0


def test_nobody_is_too_late_because_his_neighbour_takes_long_on_his_way_up() -> None:
    """air-6: the programme came late, and the amplifier needs twenty seconds; both air, one after the other."""
    document = programme([slot("a", "05:00:00"), slot("b", "05:00:00")])
    slow = replace(SETTINGS, amplifier=Amplifier(20_000, 10_000))
    station = ByHand(settings=slow, civil="2026-11-24T04:30:00", cached=frozenset(audio_of(document)))
    station.wait_until("2026-11-24T05:00:01")
    station.arrive(document)
    station.wait(30_000)
    assert station.told == []
    for name in ("a", "b"):
        assert station.sound_begins().items[0].bulletin == name
        station.wait(60_000)
        station.sound_ends()

    assert station.told == [("a", "aired", None), ("b", "aired", None)]


def test_of_the_same_rank_the_second_waits_for_the_end_of_the_first() -> None:
    """air-1: a cue never takes the air from one of its own priority."""
    station = ByHand(programme([slot("a", "05:00:00"), slot("b", "05:00:10")]))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    during = station.wait(59_000)

    assert moves(during) == []
    station.sound_ends()
    assert station.sound_begins().items[0].bulletin == "b"


def test_a_higher_priority_is_on_the_air_as_soon_as_the_lower_one_has_faded() -> None:
    """never-4: the fade begins at its instant; zones are the same, so sound follows the end at once."""
    station = ByHand(programme([slot("a", "05:00:00"), slot("b", "05:00:10", priority=6)]))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    during = station.wait(10_000)
    assert moves(during) == [(station.mono_ms, "fade")]

    (start,) = only(station.sound_ends(False, 10_500), StartSound)
    assert start.items[0].bulletin == "b"
    assert start.at_mono_ms == station.mono_ms


def test_the_air_returns_through_nested_interruptions_to_the_first() -> None:
    """air-2, air-4: three deep; each goes on where it was cut, in the reverse order, and is told once."""
    slots = [
        slot("thap", "05:00:00", priority=1),
        slot("giua", "05:00:10", priority=5),
        slot("cao", "05:00:20", priority=9),
    ]
    station = ByHand(programme(slots))
    station.wait_until("2026-11-24T05:00:00")
    heard = [("thap", station.sound_begins().from_ms)]
    for written_ms in (10_500, 9_500):
        station.wait(10_000 - (station.wall_ms % 10_000))
        station.sound_ends(False, written_ms)
        command = station.sound_begins()
        heard.append((command.items[0].bulletin, command.from_ms))
    for written_ms in (60_000, 50_500, 49_500):
        station.wait(60_000)
        station.sound_ends(True, written_ms)
        if written_ms != 49_500:
            command = station.sound_begins()
            heard.append((command.items[0].bulletin, command.from_ms))
    station.wait(60_000)

    assert heard == [("thap", 0), ("giua", 0), ("cao", 0), ("giua", 9_500), ("thap", 10_500)]
    assert station.told == [("cao", "aired", None), ("giua", "aired", None), ("thap", "aired", None)]


def test_a_cue_that_lost_the_air_before_its_first_sample_begins_anew_even_if_it_is_to_be_dropped() -> None:
    """air-2: what was never heard was not interrupted."""
    slots = [slot("a", "05:00:00", if_interrupted="drop"), slot("b", "05:00:00", priority=9)]
    station = ByHand(programme([slots[0]]))
    station.wait_until("2026-11-24T04:59:59.900")
    station.folder |= {audio.sha256 for audio in bulletin("b", 60).audio}
    station.arrive(programme(slots, version=2))
    station.wait(100)
    assert [word for _, word in moves(station.log)][-2:] == ["sound", "fade"]
    station.sound_ends(False, 0)
    assert station.sound_begins().items[0].bulletin == "b"
    station.wait(60_000)
    station.sound_ends()

    assert station.sound_begins().items[0].bulletin == "a"
    station.wait(60_000)
    station.sound_ends()
    assert station.told == [("b", "aired", None), ("a", "aired", None)]


def test_a_higher_cue_on_its_way_is_not_passed_by_a_lower_one() -> None:
    """never-4: while the amplifier warms up for the lower, the higher becomes due and has the air first."""
    station = ByHand(programme([slot("a", "05:00:00"), slot("b", "04:59:59", priority=9)]))
    station.wait_until("2026-11-24T05:00:30")

    assert station.sound_begins().items[0].bulletin == "b"
