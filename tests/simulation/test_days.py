"""Days of a station's life under a fake clock, with power cuts, dead players and clock steps, by seed.

After every event the world checks the rules; at the end every occurrence is accounted for exactly once.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from tests.simulation.world import Violation, World
from ttcs_edge.core.documents import Audio, Bulletin, Programme, Refused, Slot
from ttcs_edge.core.effects import SwitchZone
from ttcs_edge.core.events import AudioStored
from ttcs_edge.core.model import (
    Amplifier,
    AsRunReason,
    Outcome,
    QuietHours,
    Scope,
    Sha256,
    StationSettings,
    Zone,
    ZoneId,
)
from ttcs_edge.core.schedule import occurrences

DAY_MS = 86_400_000
START = int(datetime(2026, 11, 23, 17, 0, tzinfo=timezone.utc).timestamp() * 1_000)  # 00:00 in Vietnam
SETTINGS = StationSettings(
    id="da-teh-01",
    scope=Scope("vn/lam-dong/da-teh"),
    zones=(Zone(ZoneId("cho"), "Chợ"), Zone(ZoneId("dinh"), "Đình", volume_percent=50)),
    time_zone="Asia/Ho_Chi_Minh",
    amplifier=Amplifier(2_000, 10_000),
    heartbeat_s=3_600,
)


def sha(name: str) -> Sha256:
    return Sha256(name.encode().hex().ljust(64, "0"))


def bulletin(name: str, seconds: int) -> Bulletin:
    audio = Audio(
        language="vi",
        sha256=sha(name),
        size_bytes=1_000,
        duration_ms=seconds * 1_000,
        media_type="audio/ogg",
        loudness_lufs=-16.0,
        places=("broker:",),
    )
    return Bulletin(id=name, title=name, audio=(audio,))


BULLETINS = (bulletin("sang", 600), bulletin("trua", 300), bulletin("gap", 60))
SLOTS = (
    Slot(id="sang", start="2026-11-20T05:00:00", rrule="FREQ=DAILY", bulletins=("sang",), late_window_s=1_800),
    Slot(id="trua", start="2026-11-20T11:00:00", rrule="FREQ=DAILY", bulletins=("trua", "gap"), zones=("cho",)),
    Slot(id="gap", start="2026-11-20T05:07:00", rrule="FREQ=DAILY", bulletins=("gap",), priority=8),
    Slot(id="cung", start="2026-11-20T05:00:00", rrule="FREQ=DAILY", bulletins=("trua",), if_interrupted="drop"),
)
PROGRAMME = Programme(
    scope=Scope("vn/lam-dong"),
    version=1,
    issued="2026-11-20T00:00:00Z",
    expires="2027-11-20T00:00:00Z",
    time_zone="Asia/Ho_Chi_Minh",
    bulletins=BULLETINS,
    slots=SLOTS,
)
ALL = {sha("sang"), sha("trua"), sha("gap")}


def begin(cached: set[Sha256] | None = None, settings: StationSettings = SETTINGS, seed: int = 0) -> World:
    world = World(settings, START, set(ALL if cached is None else cached), seed)
    world.power_on()
    world.publish(PROGRAMME)
    return world


def told(world: World) -> list[tuple[str, str, str | None]]:
    return [
        (r.occurrence.slot, r.outcome.value if r.outcome else "", r.reason.value if r.reason else None)
        for r in world.disk.as_run
    ]


def test_a_quiet_day_airs_everything_on_time_and_whole() -> None:
    """Four slots, one of them of higher priority in the middle of another: all heard whole."""
    world = begin()
    world.run(DAY_MS)

    assert told(world) == [(slot, "aired", None) for slot in ("cung", "gap", "sang", "trua")]
    by_slot = {record.occurrence.slot: record for record in world.disk.as_run}
    assert by_slot["trua"].start_ms == by_slot["trua"].planned_start_ms
    assert by_slot["gap"].start_ms is not None
    assert by_slot["gap"].start_ms - by_slot["gap"].planned_start_ms < 2_000
    assert by_slot["trua"].zones == ("cho",)
    assert world.amplifier_on_ms is None and not world.closed


def test_a_higher_priority_takes_the_air_and_the_loser_resumes_where_it_was_cut() -> None:
    """air-1, air-2: the slot at 05:07 interrupts what is on; the loser ends whole, one interruption told."""
    world = begin()
    world.run(DAY_MS)

    first = next(record for record in world.disk.as_run if record.interruptions)
    assert (first.outcome, first.interruptions) == (Outcome.AIRED, 1)
    assert sum(item.written_ms for item in first.items) == sum(item.duration_ms for item in first.items)


def test_what_a_power_cut_hid_airs_late_within_its_window_and_is_told_otherwise() -> None:
    """air-6: off from 04:50 to 05:20; one slot may be late by half an hour, the others are missed for want of power."""
    world = begin()
    world.run(4 * 3_600_000 + 50 * 60_000)
    world.power_off()
    world.run(30 * 60_000)
    world.power_on()
    world.run(3_600_000)

    assert sorted(told(world)) == [
        ("cung", "missed", "power"),
        ("gap", "missed", "power"),
        ("sang", "aired", None),
    ]


def test_a_cut_in_the_middle_of_a_cue_is_told_as_cut_and_the_cue_never_airs_again() -> None:
    """never-5: what was open at the cut is closed at the next start; its occurrence is settled."""
    world = begin()
    world.run(11 * 3_600_000 + 60_000)
    world.power_off()
    world.run(10_000)
    world.power_on()
    world.run(3_600_000)

    assert [entry for entry in told(world) if entry[0] == "trua"] == [("trua", "cut", "power")]


def test_a_station_without_trusted_time_airs_no_schedule_and_says_so() -> None:
    """air-7: 1970 at start, the right time an hour after the bulletins: they are missed for want of time."""
    world = World(SETTINGS, 1_000_000, set(ALL))
    world.trusted = False
    world.power_on()
    world.publish(PROGRAMME)
    world.run(6 * 3_600_000)

    assert told(world) == []
    assert [(f.code, f.cleared_ms is None) for f in world.disk.fault_log] == [("no-time", True)]
    world.offset_ms = START + 12 * 3_600_000 - world.mono_ms
    world.trusted = True
    world.run(DAY_MS)
    assert [entry for entry in told(world) if entry[1] == "aired"] != []
    assert world.disk.fault_log[1].cleared_ms is not None


def test_quiet_hours_silence_a_bulletin_and_cut_one_that_runs_into_them() -> None:
    """air-5: a cue at 05:00 in quiet hours to 05:02 is told, not aired."""
    settings = replace(SETTINGS, quiet_hours=(QuietHours(22 * 60, 5 * 60 + 2), QuietHours(11 * 60 + 2, 12 * 60)))
    world = begin(settings=settings)
    world.run(DAY_MS)

    outcomes = {slot: (outcome, reason) for slot, outcome, reason in told(world)}
    assert outcomes["sang"] == ("missed", "quiet-hours")
    assert outcomes["trua"] == ("part", "quiet-hours")


def test_missing_audio_is_silence_told_as_a_fault_and_cleared_when_the_slot_is_heard_again() -> None:
    """A slot without audio is missed and is a fault; the next day its audio is there."""
    world = begin(cached={sha("sang"), sha("gap")})
    world.run(12 * 3_600_000)
    outcomes = {slot: (outcome, reason) for slot, outcome, reason in told(world)}
    assert outcomes["cung"] == ("missed", "no-audio")
    assert outcomes["trua"] == ("part", "no-audio"), "what is there airs"
    world.cached.add(sha("trua"))
    world.send(AudioStored(sha("trua")))
    world.run(DAY_MS)

    faults = [(f.code, f.subject, f.cleared_ms is None) for f in world.disk.fault_log if "cung" in f.subject]
    assert faults == [
        ("cue-missed", "vn/lam-dong#cung", True),
        ("cue-missed", "vn/lam-dong#cung", False),
    ]


def test_a_refused_document_is_one_fault_however_often_it_comes_and_changes_nothing() -> None:
    """never-7: the programme in force stays in force."""
    world = begin()
    for _ in range(5):
        world.refuse(Refused("not-utf8", "vn/lam-dong", (("found", "byte 3"),)), "vn/lam-dong")
    world.run(DAY_MS)

    assert [fault.code for fault in world.disk.fault_log] == ["not-utf8"]
    assert len(told(world)) == 4


def test_a_withdrawn_slot_does_not_air() -> None:
    """A newer programme without the slot, while it is on the air: faded out, told as withdrawn."""
    world = begin()
    world.run(11 * 3_600_000 + 60_000)
    world.publish(replace(PROGRAMME, version=2, slots=SLOTS[:1]))
    world.run(60_000)

    assert told(world)[-1] == ("trua", "part", "withdrawn")
    assert world.sound is None


@pytest.mark.parametrize("seed", range(10))
def test_a_fortnight_with_faults_accounts_for_every_occurrence_exactly_once(seed: int) -> None:
    """Power cuts, dead players and clock steps at random: no rule broken, nothing told twice, nothing forgotten."""
    world = begin(seed=seed)
    dice = random.Random(seed)
    for _ in range(120):
        world.run(dice.randrange(1_000, 6 * 3_600_000) if dice.random() < 0.5 else dice.randrange(1, 120_000))
        match dice.choice(("cut", "player", "clock", "sync", "nothing")):
            case "cut":
                world.power_off()
                world.run(dice.randrange(1_000, 3_600_000))
                world.power_on()
            case "player":
                world.kill_player()
            case "clock":
                world.step_clock(dice.randrange(-600_000, 600_000))
            case "sync":
                world.trusted = not world.trusted
            case _:
                pass
    world.trusted = True
    world.run(2 * DAY_MS)

    until_ms = world.wall_ms - 3_600_000
    due = {o.occurrence for slot in SLOTS for o in occurrences(PROGRAMME, slot, START, until_ms)}
    accounted = {record.occurrence for record in world.disk.as_run}
    assert due - accounted == set()
    assert len(world.disk.as_run) == len(accounted)
    assert all(
        (record.outcome is Outcome.AIRED) == (record.reason is None) or record.reason in AsRunReason
        for record in world.disk.as_run
    )


def test_the_world_finds_a_relay_that_switches_under_sound() -> None:
    """The checker can fail: a zone opened in the middle of a cue is a violation."""
    world = begin()
    world.run(11 * 3_600_000 + 60_000)
    with pytest.raises(Violation, match="never-3: cho switches under sound"):
        world._carry_out(SwitchZone(ZoneId("cho"), False))
