"""Days of a station's life under a fake clock, each with a story. After every event every rule is asked."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from tests.core.material import (
    DAY_MS,
    HOUR_MS,
    KEY,
    PROVINCE,
    SETTINGS,
    at,
    audio_of,
    brief,
    bulletin,
    programme,
    sha,
    slot,
)
from tests.simulation.rulebook import every_rule
from tests.simulation.shell import Violation
from tests.simulation.world import World
from ttcs_edge.core import events
from ttcs_edge.core.documents import Programme, Refused, Slot
from ttcs_edge.core.effects import StartSound, StopSound, SwitchAmplifier, SwitchZone
from ttcs_edge.core.floors import floor_name
from ttcs_edge.core.model import (
    AMPLIFIER,
    Amplifier,
    MonoMs,
    Outcome,
    QuietHours,
    Sha256,
    StationSettings,
    Zone,
    ZoneId,
)

MIDNIGHT = at("2026-11-24T00:00:00")
NIGHT = (QuietHours(21 * 60, 5 * 60),)
SLOTS = (
    slot("sang", "05:00:00", late_window_s=1_800),
    slot("trua", "11:00:00", "trua", "nhac", zones=("cho",)),
    slot("gap", "05:07:00", priority=8),
    slot("cung", "05:00:00", if_interrupted="drop"),
)
PROGRAMME = programme(SLOTS, (bulletin("sang", 600), bulletin("trua", 300), bulletin("cung", 300)))


def begin(
    document: Programme = PROGRAMME,
    settings: StationSettings = SETTINGS,
    cached: set[Sha256] | None = None,
    wall_ms: int = MIDNIGHT,
) -> World:
    """A station that has the programme, and its audio unless told otherwise, at midnight."""
    world = World(settings, wall_ms, set(audio_of(document) if cached is None else cached), rules=every_rule())
    world.power_on()
    world.publish(document)
    return world


def day(*slots: Slot, settings: StationSettings = SETTINGS, seconds: float = 60) -> World:
    """A whole day of these slots, each with a bulletin of its own of so many seconds."""
    world = begin(programme(slots, [bulletin(one.id, seconds) for one in slots]), settings)
    world.run(DAY_MS)
    return world


def told(world: World) -> list[tuple[str, str | None, str | None]]:
    """What the as-run log says: slot, outcome, reason."""
    return [brief(record) for record in world.disk.as_run]


def lateness_ms(world: World) -> list[tuple[str, int]]:
    """By how much each cue that was heard began later than planned."""
    heard = [record for record in world.disk.as_run if record.start_ms is not None]
    return [(record.occurrence.slot, (record.start_ms or 0) - record.planned_start_ms) for record in heard]


def plays(world: World) -> list[tuple[str, int]]:
    """What was played, in order: the bulletins, and from which position."""
    found = (re.search(r"StartSound\(\d+: (\S+) from (\d+)", line) for line in world.trace)
    return [(match[1], int(match[2])) for match in found if match]


def wanted_lists(world: World) -> list[str]:
    """Each time that the fetcher was told what is wanted."""
    return [line for line in world.trace if "SetWanted(" in line]


def test_a_quiet_day_airs_everything_on_time_and_whole() -> None:
    """Four slots, one of them of higher priority in the middle of another: all heard whole."""
    world = begin()
    world.run(DAY_MS)

    assert told(world) == [(name, "aired", None) for name in ("cung", "gap", "sang", "trua")]
    by_slot = {record.occurrence.slot: record for record in world.disk.as_run}
    assert by_slot["trua"].start_ms == by_slot["trua"].planned_start_ms
    assert by_slot["gap"].start_ms == by_slot["gap"].planned_start_ms + SETTINGS.fade_out_ms
    assert by_slot["trua"].zones == ("cho",)
    assert by_slot["sang"].zones == ("cho", "dinh")
    assert world.amplifier_on_ms is None and not world.closed
    assert world.disk.faults == {} and world.disk.fault_log == []
    assert world.disk.open_as_run == {}


def test_a_higher_priority_takes_the_air_and_the_loser_resumes_where_it_was_cut() -> None:
    """air-1, air-2: the slot at 05:07 interrupts what is on; the loser ends whole, one interruption told."""
    world = begin()
    world.run(DAY_MS)

    first = next(record for record in world.disk.as_run if record.interruptions)
    assert (first.occurrence.slot, first.outcome, first.interruptions) == ("sang", Outcome.AIRED, 1)
    assert [item.written_ms for item in first.items] == [600_000]


def test_two_slots_at_the_same_instant_both_air_one_after_the_other_and_are_told_whole() -> None:
    """By priority, then by slot id; nobody is late because of his neighbour."""
    world = day(slot("b", "05:00:00"), slot("a", "05:00:00"), slot("c", "05:00:00", priority=6), seconds=300)

    assert told(world) == [("c", "aired", None), ("a", "aired", None), ("b", "aired", None)]
    one_ms = 300_000 - 74
    assert lateness_ms(world) == [("c", 0), ("a", one_ms), ("b", 2 * one_ms)]


def test_a_queue_that_is_too_long_is_told_and_not_aired_half_an_hour_late() -> None:
    """air-6: what has waited for half an hour for the air is missed, and says who had it."""
    slots = [slot(name, "05:00:00") for name in ("a", "b", "c")]
    world = begin(programme(slots, [bulletin("a", 1_000), bulletin("b", 1_000), bulletin("c", 60)]))
    world.run(DAY_MS)

    assert told(world) == [("a", "aired", None), ("c", "missed", "pre-empted"), ("b", "aired", None)]


def test_nested_interruptions_give_the_air_back_in_turn_and_each_to_its_own_zones() -> None:
    """air-4: what was before the first of nested interruptions is restored after the last."""
    slots = (
        slot("thap", "05:00:00", priority=3, zones=("cho",)),
        slot("giua", "05:00:20", priority=5, zones=("dinh",)),
        slot("cao", "05:00:40", priority=7),
    )
    world = day(*slots)

    assert told(world) == [("cao", "aired", None), ("giua", "aired", None), ("thap", "aired", None)]
    assert [(r.occurrence.slot, sorted(r.zones), r.interruptions) for r in world.disk.as_run] == [
        ("cao", ["cho", "dinh"], 0),
        ("giua", ["dinh"], 1),
        ("thap", ["cho"], 1),
    ]
    assert plays(world) == [("thap", 0), ("giua", 0), ("cao", 0), ("giua", 19_600), ("thap", 20_500)]


@pytest.mark.parametrize(
    ("if_interrupted", "end"),
    [
        ("resume", ("thap", "aired", None)),
        ("restart", ("thap", "aired", None)),
        ("drop", ("thap", "part", "pre-empted")),
    ],
)
def test_what_was_interrupted_does_as_its_slot_says(if_interrupted: str, end: tuple[str, str, str | None]) -> None:
    """air-2: it resumes where it was cut, restarts, or is dropped; the log tells which."""
    world = day(
        slot("thap", "05:00:00", priority=3, if_interrupted=if_interrupted), slot("cao", "05:00:20", priority=7)
    )

    assert [entry for entry in told(world) if entry[0] == "thap"] == [end]
    record = next(record for record in world.disk.as_run if record.occurrence.slot == "thap")
    written_ms = {"resume": 60_000, "restart": 60_000 - 74, "drop": 20_500}[if_interrupted]
    assert [item.written_ms for item in record.items] == [written_ms]
    second = {"resume": [("thap", 20_500)], "restart": [("thap", 0)], "drop": []}[if_interrupted]
    assert plays(world) == [("thap", 0), ("cao", 0), *second]


def test_a_cue_cut_in_its_last_moment_is_whole_and_does_not_come_back_for_nothing() -> None:
    """air-2: nothing is left to be resumed, so no play of nothing follows the interruption."""
    slots = (slot("thap", "05:00:00", priority=3), slot("cao", "05:00:59", priority=7))
    world = begin(programme(slots, [bulletin("thap", 59.55), bulletin("cao", 60)]))
    world.run(DAY_MS)

    assert sorted(told(world)) == [("cao", "aired", None), ("thap", "aired", None)]
    assert plays(world) == [("thap", 0), ("cao", 0)]


def test_what_a_power_cut_hid_airs_late_within_its_window_and_is_told_otherwise() -> None:
    """air-6: off from 04:50 to 05:20; one slot may be late by half an hour, the others are missed for want of power."""
    world = begin()
    world.run_until(at("2026-11-24T04:50:00"))
    world.power_off()
    world.run(30 * 60_000)
    world.power_on()
    world.run(HOUR_MS)

    assert sorted(told(world)) == [
        ("cung", "missed", "power"),
        ("gap", "missed", "power"),
        ("sang", "aired", None),
    ]
    assert [(name, late_ms // 60_000) for name, late_ms in lateness_ms(world)] == [("sang", 20)]


def test_a_late_window_ends_to_the_second() -> None:
    """air-6: power is back a second before, or a second after, the end of the window."""
    for back_at, expected in (("05:29:50", ("sang", "aired", None)), ("05:30:01", ("sang", "missed", "power"))):
        world = begin(programme([slot("sang", "05:00:00", late_window_s=1_800)]))
        world.run_until(at("2026-11-24T04:50:00"))
        world.power_off()
        world.run_until(at(f"2026-11-24T{back_at}"))
        world.power_on()
        world.run(10_000)
        assert told(world) == ([] if expected[1] == "aired" else [expected]), "what is over is told at once"
        world.run(HOUR_MS)
        assert told(world) == [expected]


def test_a_cut_in_the_middle_of_a_cue_is_told_as_cut_and_the_cue_never_airs_again() -> None:
    """never-5: what was open at the cut is closed at the next start; its occurrence is settled."""
    world = begin(programme([slot("trua", "11:00:00", late_window_s=3_600)], [bulletin("trua", 300)]))
    world.run_until(at("2026-11-24T11:01:00"))
    world.power_off()
    world.run(10_000)
    world.power_on()
    world.run(HOUR_MS)

    assert told(world) == [("trua", "cut", "power")]
    (record,) = world.disk.as_run
    assert record.end_ms is not None and record.start_ms is not None
    assert world.disk.open_as_run == {}


def test_a_programme_accepted_but_not_yet_on_disk_when_power_failed_comes_again() -> None:
    """Decision 1: it was not acknowledged, so the broker has it still; nothing is lost."""
    world = World(SETTINGS, MIDNIGHT, set(audio_of(PROGRAMME)), rules=every_rule())
    world.faults.disk_ms = 900
    world.random.seed(1)
    world.power_on()
    letter = world.publish(PROGRAMME)
    assert not letter.acknowledged, "the card is slow"
    world.power_off()
    assert world.disk.programmes == {} and not letter.acknowledged

    world.faults.disk_ms = 0
    world.power_on()
    assert letter.acknowledged
    assert [one.document.version for one in world.disk.programmes.values()] == [1]


def test_a_station_without_trusted_time_airs_no_schedule_and_says_so() -> None:
    """air-7: 1970 at start, the right time twelve hours later: what lies before it is nobody's loss."""
    world = World(SETTINGS, 1_000_000, set(audio_of(PROGRAMME)), rules=every_rule())
    world.trusted = False
    world.power_on()
    world.publish(PROGRAMME)
    world.run(6 * HOUR_MS)

    assert told(world) == []
    assert [(fault.code, fault.cleared_ms) for fault in world.disk.fault_log] == [("no-time", None)]
    world.step_clock(MIDNIGHT + 12 * HOUR_MS - world.wall_ms)
    world.trusted = True
    world.run(DAY_MS)
    assert told(world) == [(name, "aired", None) for name in ("cung", "gap", "sang", "trua")]
    assert [fault.cleared_ms is None for fault in world.disk.fault_log] == [True, False]


def test_what_was_due_while_time_was_not_trusted_is_told_so() -> None:
    """air-7: time is lost from 04:50 to 05:20; the reason is the time, not the tardiness."""
    world = begin(programme([slot("gap", "05:00:00"), slot("cung", "05:10:00")]))
    world.run_until(at("2026-11-24T04:50:00"))
    world.trusted = False
    world.run(30 * 60_000)
    world.trusted = True
    world.run(HOUR_MS)

    assert told(world) == [("gap", "missed", "no-time"), ("cung", "missed", "no-time")]


def test_a_cue_at_the_minute_at_which_quiet_hours_end_is_heard_on_time() -> None:
    """air-5: quiet until 05:00, the bulletin at 05:00: the most usual morning of all."""
    world = day(slot("sang", "05:00:00"), settings=replace(SETTINGS, quiet_hours=NIGHT))

    assert told(world) == [("sang", "aired", None)]
    assert lateness_ms(world) == [("sang", 0)]


def test_a_cue_at_the_minute_at_which_quiet_hours_begin_is_not_heard_at_all() -> None:
    """air-5: not one sample at 21:00:00, and no relay moves for it."""
    world = day(slot("toi", "21:00:00"), settings=replace(SETTINGS, quiet_hours=NIGHT))

    assert told(world) == [("toi", "missed", "quiet-hours")]
    assert plays(world) == [] and not any("Switch" in line for line in world.trace)


def test_quiet_hours_cut_what_runs_into_them_and_it_does_not_come_back() -> None:
    """air-5: one minute of five is heard; nothing but the time says that the hour has come."""
    settings = replace(SETTINGS, quiet_hours=(QuietHours(21 * 60 + 13, 5 * 60),))
    world = day(slot("toi", "21:12:00"), settings=settings, seconds=300)

    assert told(world) == [("toi", "part", "quiet-hours")]
    assert [item.written_ms for item in world.disk.as_run[0].items] == [60_500]


def test_missing_audio_is_silence_told_as_a_fault_and_cleared_when_the_slot_is_heard_again() -> None:
    """A slot without audio is missed and is a fault; the next day its audio is there."""
    world = begin(cached={sha("sang"), sha("gap"), sha("trua")})
    world.run(12 * HOUR_MS)
    outcomes = {name: (outcome, reason) for name, outcome, reason in told(world)}
    assert outcomes["cung"] == ("missed", "no-audio")
    assert outcomes["trua"] == ("part", "no-audio"), "what is there airs"
    world.store_audio(sha("cung"))
    world.run(DAY_MS)

    faults = [(f.code, f.subject, f.cleared_ms is None) for f in world.disk.fault_log if "cung" in f.subject]
    assert faults == [("cue-missed", "vn/lam-dong#cung", True), ("cue-missed", "vn/lam-dong#cung", False)]


def test_audio_that_rots_is_found_when_it_is_read_and_the_cue_does_with_what_is_left() -> None:
    """never-1: one of two files is gone; the other airs, and the log says that it is not all."""
    world = begin(programme([slot("trua", "11:00:00", "trua", "nhac")]))
    world.run_until(at("2026-11-24T10:00:00"))
    world.lose_audio(sha("trua"))
    world.run(2 * HOUR_MS)

    assert told(world) == [("trua", "part", "rotten")]
    (record,) = world.disk.as_run
    assert [(item.bulletin, item.written_ms) for item in record.items] == [("nhac", 60_000 - 74)]
    assert [(fault.code, fault.subject) for fault in world.disk.faults.values()] == [
        ("rotten", sha("trua")),
        ("cue-missed", "vn/lam-dong#trua"),
    ]


def test_audio_of_which_nothing_is_left_is_missed_and_nothing_breaks() -> None:
    """never-7: the only file is gone when it is read; the cue waits for it, and is missed."""
    world = begin(programme([slot("trua", "11:00:00")]))
    world.run(HOUR_MS)
    world.lose_audio(sha("trua"))
    world.run(11 * HOUR_MS)

    assert told(world) == [("trua", "missed", "rotten")]
    assert world.amplifier_on_ms is None and not world.closed


def test_audio_that_rots_while_its_cue_is_interrupted_ends_the_cue_where_it_was() -> None:
    """never-1, never-9: half of it was heard; what is gone cannot be resumed, and nothing airs in its place."""
    world = begin(programme([slot("thap", "05:00:00", "thap", "khac"), slot("cao", "05:00:20", priority=9)]))
    world.run_until(at("2026-11-24T05:00:30"))
    world.lose_audio(sha("thap"))
    world.run(HOUR_MS)

    assert told(world) == [("cao", "aired", None), ("thap", "part", "rotten")]
    assert [item.written_ms for item in world.disk.as_run[1].items] == [20_500, 0]


def test_a_bulletin_that_is_not_audio_is_passed_over() -> None:
    """What is whole behind it airs; the log says that it is not all."""
    world = begin(programme([slot("trua", "11:00:00", "dau", "hong", "cuoi")]))
    world.faults.not_audio.add(sha("hong"))
    world.run(12 * HOUR_MS)

    assert told(world) == [("trua", "part", "not-audio")]
    assert [(i.bulletin, i.written_ms) for i in world.disk.as_run[0].items] == [
        ("dau", 60_000 - 74),
        ("hong", 0),
        ("cuoi", 60_000 - 74),
    ]


def test_a_cue_that_is_no_audio_at_all_is_missed_for_that() -> None:
    """never-9: nothing of it can be decoded; nothing was heard."""
    world = begin(programme([slot("trua", "11:00:00")]))
    world.faults.not_audio.add(sha("trua"))
    world.run(12 * HOUR_MS)

    assert told(world) == [("trua", "missed", "not-audio")]
    assert world.disk.as_run[0].items == ()


def test_a_player_that_calls_half_a_bulletin_complete_is_not_believed() -> None:
    """never-9: libvlc says "end reached" early; the samples say otherwise."""
    world = begin(programme([slot("trua", "11:00:00")]))
    world.faults.short.add(sha("trua"))
    world.run(12 * HOUR_MS)

    assert told(world) == [("trua", "part", "sound-device")]


def test_a_dead_player_is_replaced_and_the_cue_goes_on_while_no_relay_moves() -> None:
    """The cue is told whole, with one interruption; the zones stay closed in between."""
    world = begin(programme([slot("trua", "11:00:00")], [bulletin("trua", 300)]))
    world.run_until(at("2026-11-24T11:01:00"))
    world.kill_player()
    closed, switched_ms = list(world.closed), world.last_switch_ms
    world.run(HOUR_MS // 20)
    assert (world.closed, world.last_switch_ms) == (closed, switched_ms)
    world.run(HOUR_MS)

    assert told(world) == [("trua", "aired", None)]
    assert [(f.code, f.cleared_ms is None) for f in world.disk.fault_log] == [
        ("player-died", True),
        ("player-died", False),
    ]


def test_relays_are_held_for_a_dead_player_for_a_moment_whatever_the_clock_says() -> None:
    """never-3: no new player comes, and the clock is set back: after three seconds the zones open all the same."""
    world = begin(programme([slot("trua", "11:00:00")], [bulletin("trua", 300)]))
    world.run_until(at("2026-11-24T11:01:00"))
    world.faults.player_slow_ms = 60_000
    world.kill_player()
    world.step_clock(-600_000)
    world.run(2_900)
    assert world.closed == ["cho", "dinh"]
    world.run(500)
    assert world.closed == []
    world.run(HOUR_MS)

    assert told(world) == [("trua", "aired", None)]


def test_a_player_that_dies_every_time_does_not_air_the_same_minute_for_ever() -> None:
    """A cue survives three deaths; the fourth ends it."""
    world = begin(programme([slot("trua", "11:00:00")], [bulletin("trua", 300)]))
    world.run_until(at("2026-11-24T11:00:10"))
    for _ in range(6):
        world.kill_player()
        world.run(5_000)
    world.run(HOUR_MS)

    assert told(world) == [("trua", "part", "player-died")]
    assert world.disk.as_run[0].interruptions == 4


def test_a_broken_zone_is_left_out_and_the_others_are_served() -> None:
    """A relay that does not close: the record tells which zones heard it, and the fault is there until it works."""
    world = begin(programme([slot("trua", "11:00:00")]))
    world.faults.relays.add("dinh")
    world.run(12 * HOUR_MS)
    assert told(world) == [("trua", "aired", None)]
    assert world.disk.as_run[0].zones == ("cho",)
    assert [(fault.code, fault.subject) for fault in world.disk.faults.values()] == [("relay", "dinh")]

    world.faults.relays.clear()
    world.run(DAY_MS)
    assert world.disk.as_run[1].zones == ("cho", "dinh")
    assert world.disk.faults == {}


def test_a_broken_amplifier_is_silence_told_as_such() -> None:
    """Nothing sounds into a dead amplifier, and no zone closes for it."""
    world = begin(programme([slot("trua", "11:00:00")]))
    world.faults.relays.add(AMPLIFIER)
    world.run(12 * HOUR_MS)

    assert told(world) == [("trua", "missed", "no-amplifier")]
    assert not world.closed and world.sound is None
    assert sorted((fault.code, fault.subject) for fault in world.disk.faults.values()) == [
        ("cue-missed", "vn/lam-dong#trua"),
        ("relay", AMPLIFIER),
    ]


def test_a_relay_that_fails_behind_a_late_way_up_is_what_its_cue_is_missed_for() -> None:
    """The player was lost as the way up began, so the relay is tried, and fails, when the cue's time is over; by the
    time that is told, the relay is being tried again for a cue that may come later: not too late for no reason.
    """
    settings = replace(SETTINGS, amplifier=Amplifier(warm_up_ms=5_000, hold_ms=0), zones=SETTINGS.zones[:1])
    settings = replace(settings, zone_stagger_ms=500)
    world = begin(programme([slot("a", "11:00:00"), slot("b", "11:00:00", late_window_s=600)]), settings)
    world.run_until(at("2026-11-24T10:59:58.351"))
    world.hang_player()
    world.faults.relays.add(settings.zones[0].id)
    world.run(HOUR_MS)

    assert told(world) == [("a", "missed", "relay"), ("b", "missed", "relay")]


def test_an_amplifier_that_does_not_go_off_is_told_again_until_it_does() -> None:
    """never-3: nothing to air, and the switch sticks: it is not left on for good."""
    world = begin(programme([slot("trua", "11:00:00")]))
    world.run_until(at("2026-11-24T11:00:30"))
    world.faults.relays.add(AMPLIFIER)
    world.run(10 * 60_000)
    assert world.amplifier_on_ms is not None, "it is stuck"
    world.faults.relays.clear()
    world.run(10 * 60_000)

    assert world.amplifier_on_ms is None
    assert told(world) == [("trua", "aired", None)]


def test_a_missing_sound_device_is_a_fault_and_the_record_says_so() -> None:
    """never-9: no device, no sound; told as such, and mended when it is back."""
    world = begin(programme([slot("trua", "11:00:00")]))
    world.run(1_000)
    world.fail_device()
    world.run(12 * HOUR_MS)
    assert told(world) == [("trua", "missed", "sound-device")]

    world.mend_device()
    world.run(DAY_MS)
    assert told(world)[1:] == [("trua", "aired", None)]
    assert world.disk.faults == {}


def test_a_device_pulled_out_in_the_middle_is_told_with_what_was_heard() -> None:
    """never-9: ten seconds of sixty."""
    world = begin(programme([slot("trua", "11:00:00")]))
    world.run_until(at("2026-11-24T11:00:10"))
    world.fail_device()
    world.run(HOUR_MS)

    assert told(world) == [("trua", "part", "sound-device")]
    assert [item.written_ms for item in world.disk.as_run[0].items] == [10_000]


def test_a_refused_document_is_one_fault_however_often_it_comes_and_changes_nothing() -> None:
    """never-7: the programme in force stays in force."""
    world = begin()
    for _ in range(5):
        world.refuse(Refused("not-utf8", PROVINCE, (("found", "byte 3"),)), PROVINCE)
    world.run(DAY_MS)

    assert [fault.code for fault in world.disk.fault_log] == ["not-utf8"]
    assert len(told(world)) == 4
    assert all(letter.acknowledged for letter in world.letters)


def test_a_withdrawn_slot_does_not_go_on() -> None:
    """A newer programme without the slot, while it is on the air: faded out, told as withdrawn."""
    world = begin()
    world.run_until(at("2026-11-24T11:01:00"))
    world.publish(replace(PROGRAMME, version=2, slots=SLOTS[:1]))
    world.run(60_000)

    assert told(world)[-1] == ("trua", "part", "withdrawn")
    assert world.sound is None


def test_a_withdrawn_cue_stays_off_when_the_player_dies_in_its_fade_out() -> None:
    """never-1: the replaced player is not given what was taken back."""
    world = begin()
    world.run_until(at("2026-11-24T11:01:00"))
    world.publish(replace(PROGRAMME, version=2, slots=SLOTS[:1]))
    world.run(100)
    world.kill_player()
    world.run(HOUR_MS)

    assert told(world)[-1] == ("trua", "part", "withdrawn")
    assert [name for name, _ in plays(world)].count("trua+nhac") == 1


def test_a_waiting_cue_follows_the_newer_programme() -> None:
    """never-1: moved, quieter, to fewer zones or gone: what waits airs as the newer version says, or not at all."""
    old = programme(
        [slot(name, f"05:00:0{number}") for number, name in enumerate(("moved", "quieter", "gone", "away"))]
    )
    new = replace(
        old,
        version=2,
        slots=(
            slot("moved", "06:00:00"),
            slot("quieter", "05:00:01", volume_percent=40, zones=("cho",)),
            slot("away", "05:00:03", zones=("khac",)),
        ),
    )
    world = begin(old)
    world.run_until(at("2026-11-24T04:59:59"))
    assert len(world.station.desk.cues.waiting) == 4
    world.publish(new)
    world.run(2 * HOUR_MS)

    assert told(world) == [("quieter", "aired", None), ("moved", "aired", None)]
    assert world.disk.as_run[0].zones == ("cho",)
    assert lateness_ms(world) == [("quieter", 0), ("moved", 0)]
    assert any("quieter from 0" in line and "40%" in line for line in world.trace)


def test_a_programme_that_expires_on_the_air_is_faded_out_and_told() -> None:
    """never-1: not one second longer than it was signed for; what it had before is told."""
    world = begin(replace(PROGRAMME, expires="2026-11-24T04:01:00Z"))
    world.run_until(at("2026-11-24T11:01:00") + 600)

    assert told(world)[-1] == ("trua", "part", "withdrawn")
    assert world.sound is None
    assert world.station.snapshot(world.instant()).programmes == () and world.disk.floors == {
        floor_name(PROVINCE, KEY): 1
    }
    assert [(fault.code, fault.subject) for fault in world.disk.faults.values()] == [("programme-expired", PROVINCE)]
    world.run(HOUR_MS)
    assert world.amplifier_on_ms is None


def test_what_an_expired_programme_had_while_the_power_was_off_is_told_as_missed() -> None:
    """never-5: expired at noon, power off from 04:00 to 13:00: what was due before noon is not forgotten."""
    world = begin(replace(PROGRAMME, expires="2026-11-24T05:00:00Z"))
    world.run(4 * HOUR_MS)
    world.power_off()
    world.run(9 * HOUR_MS)
    world.power_on()
    world.run(HOUR_MS)

    assert sorted(told(world)) == [(name, "missed", "power") for name in ("cung", "gap", "sang", "trua")]


def test_a_new_cue_within_the_hold_time_skips_the_warm_up_and_is_on_time() -> None:
    """The second of two cues, five seconds apart: the amplifier is not touched in between."""
    world = day(slot("a", "05:00:00"), slot("b", "05:01:05"))

    assert lateness_ms(world) == [("a", 0), ("b", 0)]
    assert len([line for line in world.trace if "SwitchAmplifier" in line]) == 2


@pytest.mark.parametrize("gap_s", range(9, 16))
def test_a_cue_just_after_the_hold_time_is_on_time_too(gap_s: int) -> None:
    """air-4: whatever the gap between two cues, the way up begins early enough."""
    world = day(slot("a", "05:00:00"), slot("b", f"05:01:{gap_s:02}"))

    assert lateness_ms(world) == [("a", 0), ("b", 0)]


def test_a_clock_set_back_in_the_way_up_lets_the_amplifier_go_down_again() -> None:
    """never-3: ten minutes to wait again, and nothing waits with the amplifier on."""
    world = begin(programme([slot("a", "05:00:00")]))
    world.run_until(at("2026-11-24T04:59:58") + 500)
    assert world.amplifier_on_ms is not None
    world.step_clock(-600_000)
    world.run(60_000)
    assert world.amplifier_on_ms is None and not world.closed
    world.run(HOUR_MS)

    assert told(world) == [("a", "aired", None)]


def test_sixty_four_zones_that_switch_at_once_are_no_crash() -> None:
    """never-7: the most zones, no time between them, as a configuration may say."""
    zones = tuple(Zone(ZoneId(f"z{number}"), "") for number in range(64))
    world = day(slot("a", "05:00:00"), settings=replace(SETTINGS, zones=zones, zone_stagger_ms=0))

    assert told(world) == [("a", "aired", None)]
    assert len(world.disk.as_run[0].zones) == 64


@pytest.mark.parametrize(
    "civil",
    ["04:00:00", "04:59:53", "04:59:57", "04:59:59", "04:59:59.900", "05:00:00", "05:00:30", "05:01:00", "05:01:05"],
)
def test_a_stop_leaves_everything_open_from_every_state(civil: str) -> None:
    """never-2: idle, prepared, warming up, zones closing, handed over, on the air, going down, in the hold time."""
    world = begin(programme([slot("a", "05:00:00")]))
    world.run_until(at(f"2026-11-24T{civil}"))
    world.stop()

    assert world.left and not world.closed and world.amplifier_on_ms is None and world.sound is None
    expected = (
        []
        if civil < "04:59:59.900"
        else [("a", "missed", "stopped")]
        if civil <= "05:00:00"
        else [("a", "part", "stopped")]
        if civil < "05:01:00"
        else [("a", "aired", None)]
    )
    assert told(world) == expected


@pytest.mark.parametrize("what", ["player dies", "player hangs", "the card is slow", "a relay sticks", "again"])
def test_a_stop_is_not_stopped_by_what_goes_wrong_meanwhile(what: str) -> None:
    """never-2: it leaves all the same, within its time."""
    world = begin(programme([slot("a", "05:00:00")]))
    world.run_until(at("2026-11-24T05:00:30"))
    if what == "the card is slow":
        world.faults.disk_ms = 900
    if what == "a relay sticks":
        world.faults.relays.add("dinh")
    if what == "player hangs":
        world.hang_player()
    if what == "player dies":
        world.later(100, world.kill_player)
    if what == "again":
        world.later(100, lambda: world.send(events.StopRequested()))
    world.stop()

    assert world.left


def test_a_stop_in_the_way_up_leaves_the_cue_to_the_next_start() -> None:
    """never-5: not aired, not told; the next start finds it."""
    world = begin(programme([slot("a", "05:00:00", late_window_s=600)]))
    world.run_until(at("2026-11-24T04:59:58"))
    world.stop()
    assert told(world) == []
    world.run(60_000)
    world.power_on()
    world.run(HOUR_MS)

    assert told(world) == [("a", "aired", None)]


def test_an_idle_day_wakes_the_core_seldom() -> None:
    """never-8: heartbeats once an hour, the wanted list four times a day as nothing lacks, and little else."""
    world = begin(programme([replace(slot("a", "05:00:00"), start="2026-12-24T05:00:00")]))
    world.run(DAY_MS)

    assert world.wakes <= 32


def test_while_audio_is_missing_what_is_due_first_is_found_out_every_hour() -> None:
    """Until it is there: then nothing is left to be put in order."""
    document = programme([replace(slot("a", "05:00:00"), start="2026-12-24T05:00:00")])
    world = begin(document)
    missing = next(iter(audio_of(document)))
    world.lose_audio(missing)
    world.send(events.AudioLost(missing, "rotten"))
    before = len(wanted_lists(world))
    world.run(DAY_MS)
    assert len(wanted_lists(world)) - before == 23

    world.store_audio(missing)
    before = len(wanted_lists(world))
    world.run(DAY_MS)
    assert len(wanted_lists(world)) - before == 3


def test_a_day_of_cues_wakes_the_core_some_times_for_each() -> None:
    """never-8: four cues; not once a second, not once a minute."""
    world = begin()
    world.run(DAY_MS)

    assert world.wakes <= 150


def test_a_station_without_trusted_time_looks_at_its_clock_once_a_second() -> None:
    """air-7, never-8."""
    world = begin()
    world.trusted = False
    world.run(60_000)

    assert 58 <= world.wakes <= 64


def test_faults_of_the_link_are_told_when_they_last() -> None:
    """A link that is down for four seconds is no fault; for six it is one, and ends with the link."""
    world = begin()
    for span_ms in (4_000, 6_000):
        world.send(events.LinkChanged(False, "refused"))
        world.run(span_ms)
        world.send(events.LinkChanged(True, ""))
    world.run(HOUR_MS)

    assert [(fault.code, fault.cleared_ms is None) for fault in world.disk.fault_log] == [
        ("link-down", True),
        ("link-down", False),
    ]


def on_the_air() -> World:
    """A station in the middle of a cue."""
    world = begin()
    world.run_until(at("2026-11-24T11:01:00"))
    return world


def test_the_world_finds_a_relay_that_switches_under_sound() -> None:
    """The rules can fail: a zone opened, or the amplifier switched off, in the middle of a cue."""
    world = on_the_air()
    with pytest.raises(Violation, match=r"^never-3: cho switches under sound$"):
        world.do(SwitchZone(ZoneId("cho"), False))
    with pytest.raises(Violation, match=r"^never-3: amplifier switches under sound$"):
        world.do(SwitchAmplifier(False))


def test_the_world_finds_a_zone_that_closes_on_a_cold_amplifier() -> None:
    """The rules can fail: warm-up is not over."""
    world = begin()
    with pytest.raises(Violation, match=r"^air-4: cho closes on an amplifier that is not warm$"):
        world.do(SwitchZone(ZoneId("cho"), True))


def test_the_world_finds_two_sounds_at_once_and_sound_that_no_programme_has() -> None:
    """The rules can fail: a second sound; a recording that nobody signed."""
    world = on_the_air()
    assert world.sound is not None
    command = world.sound.command
    with pytest.raises(Violation, match=r"^air-1: two sounds at once$"):
        world.do(command)
    assert isinstance(command, StartSound)
    world = begin()
    strange = replace(command.items[0], sha256=sha("strange"))
    with pytest.raises(Violation, match=r"^never-1: no programme in force has \['trua'\] for here$"):
        world.do(StartSound(1, 99, (strange,), 0, MonoMs(world.mono_ms), 100, 300))


def test_the_world_finds_a_sudden_end() -> None:
    """The rules can fail: a stop without a fade."""
    world = on_the_air()
    with pytest.raises(Violation, match=r"^air-4: sound does not fade out$"):
        world.do(StopSound(1, 0))


def test_hold_time_zero_and_warm_up_zero_are_served() -> None:
    """An amplifier that is always warm."""
    world = day(slot("a", "05:00:00"), slot("b", "05:01:00"), settings=replace(SETTINGS, amplifier=Amplifier(0, 0)))

    assert lateness_ms(world) == [("a", 0), ("b", 0)]
