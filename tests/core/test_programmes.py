"""What is in force, and what follows from it: rollback, expiry, merging, quiet hours in the station's own time."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable
from itertools import pairwise
from types import FrameType

import pytest
from msgspec.structs import replace

from tests.core.material import (
    DAY_MS,
    HOUR_MS,
    PROVINCE,
    SETTINGS,
    STRANGER,
    TRUST,
    VIETNAM,
    ByHand,
    alert,
    at,
    audio_of,
    brief,
    bulletin,
    entries,
    moves,
    occurrence,
    only,
    programme,
    signed,
    slot,
)
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import Programme, Refused, Slot
from ttcs_edge.core.effects import (
    Acknowledge,
    AsRunClosed,
    ProgrammeAccepted,
    Record,
    SetWanted,
    StartSound,
    SwitchAmplifier,
)
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import QuietHours, Scope
from ttcs_edge.core.programmes import LOOK_BACK_MS
from ttcs_edge.core.station import BREATH_MS, COMING_UP_BREATH_MS, PARTS_A_TURN, SLOTS_A_TURN
from ttcs_edge.core.trust import utc_text

MORNING = programme([slot("a", "05:00:00")], version=3)


def in_force(station: ByHand) -> dict[str, int]:
    """Scope and version of everything in force."""
    return {one.scope: one.version for one in station.station.snapshot(station.now()).programmes}


def test_an_accepted_programme_is_on_disk_as_it_came_before_it_is_acknowledged() -> None:
    """Decision 1, decision 6: the envelope verbatim, then, behind the barrier, the word to the broker."""
    station = ByHand()
    done = station.arrive(MORNING, delivery=77)

    (accepted,) = [entry for entry in entries(done) if isinstance(entry, ProgrammeAccepted)]
    assert accepted == ProgrammeAccepted(PROVINCE, 3, signed(MORNING).envelope)
    kinds = [type(effect) for effect in done]
    assert kinds.index(Record) < kinds.index(Acknowledge)
    assert done[kinds.index(Acknowledge)] == Acknowledge(77)
    (note,) = [effect for effect in done if isinstance(effect, effects.Note)]
    assert note == effects.Note("info", "programme-in-force", (("scope", PROVINCE), ("version", "3")))
    assert in_force(station) == {PROVINCE: 3}


@pytest.mark.parametrize(
    ("document", "signers", "code"),
    [
        (replace(MORNING, version=2), (), "old-version"),
        (replace(MORNING, slots=()), (), "same-version"),
        (replace(MORNING, version=4), (STRANGER,), "not-enough-signatures"),
        (replace(MORNING, version=4, expires="2026-11-23T00:00:00Z"), (), "expired"),
        (Refused("not-json", PROVINCE), (), "not-json"),
    ],
)
def test_what_must_not_be_obeyed_leaves_everything_as_it_was(
    document: object, signers: tuple[str, ...], code: str
) -> None:
    """never-6, never-7: in force, floors, disk and air are untouched; one fault, and the message is off the broker."""
    station = ByHand(MORNING)
    done = station.arrive(document, *signers, delivery=9)  # type: ignore[arg-type]

    assert in_force(station) == {PROVINCE: 3}
    assert station.faults == [(code, PROVINCE)]
    assert [type(entry) for entry in entries(done)] == [effects.FaultRaised, effects.Audited, effects.WatchedUntil]
    assert Acknowledge(9) in done and moves([(0, effect) for effect in done]) == []
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.sound_ends()
    assert station.told == [("a", "aired", None)]


def test_the_very_same_programme_again_is_acknowledged_and_nothing_else() -> None:
    """A retained message comes at every start: no fault, no record, no change."""
    station = ByHand(MORNING)
    before = station.station.snapshot(station.now())
    done = station.arrive(MORNING, delivery=5)

    assert entries(done) == [] and Acknowledge(5) in done
    assert station.station.snapshot(station.now()) == before


def test_the_floor_holds_over_a_restart_and_an_expiry() -> None:
    """never-6: expired and gone, and still nothing older is obeyed."""
    short = replace(MORNING, expires="2026-11-23T22:30:00Z")
    station = ByHand(short)
    station.wait_until("2026-11-24T06:00:00")
    assert in_force(station) == {}
    station.arrive(replace(MORNING, version=2))
    assert in_force(station) == {} and ("old-version", PROVINCE) in station.faults

    again = ByHand(boot=2, floors=((PROVINCE, 3),))
    again.arrive(replace(MORNING, version=2))
    assert in_force(again) == {} and again.faults == [("old-version", PROVINCE)]
    again.arrive(replace(MORNING, version=4))
    assert in_force(again) == {PROVINCE: 4} and again.faults == []


def test_programmes_of_all_scopes_above_are_merged() -> None:
    """Each scope has one; a new version of one leaves the others alone."""
    nation = programme([slot("a", "05:02:00")], scope=Scope("vn"), version=8)
    commune = programme([slot("a", "05:04:00")], scope=SETTINGS.scope, version=1)
    station = ByHand(MORNING, nation, commune)
    station.arrive(programme([slot("a", "05:06:00")], version=4))

    assert in_force(station) == {"vn": 8, PROVINCE: 4, SETTINGS.scope: 1}
    cues = station.station.snapshot(station.now()).next_cues
    assert [(cue.occurrence.split("#")[0], cue.planned_ms) for cue in cues][:3] == [
        ("vn", at("2026-11-24T05:02:00")),
        (SETTINGS.scope, at("2026-11-24T05:04:00")),
        (PROVINCE, at("2026-11-24T05:06:00")),
    ]


def test_a_programme_that_expires_on_the_air_is_faded_out_at_its_second() -> None:
    """never-1: it wakes by itself at the expiry; the fade begins then; nothing of it airs again."""
    station = ByHand(replace(MORNING, expires="2026-11-23T22:00:20Z"))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    assert moves(station.wait(19_999)) == []
    done = station.wait(1)
    assert moves(done) == [(station.mono_ms, "fade")]
    station.sound_ends(False, 20_500)

    assert station.told == [("a", "part", "withdrawn")]
    assert station.faults == [("programme-expired", PROVINCE)]
    assert in_force(station) == {}
    assert moves(station.wait(3 * 86_400_000))[-1][1] == "amplifier off"


def test_when_the_trust_root_expires_everything_falls_silent_at_once() -> None:
    """never-1: while it runs, on the air; nobody may say anything any more, and a new programme does not help."""
    station = ByHand(MORNING, trust=replace(TRUST, expires="2026-11-23T22:00:20Z"))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    assert moves(station.wait(20_000)) == [(station.mono_ms, "fade")]
    station.sound_ends(False, 20_500)

    assert station.told == [("a", "part", "withdrawn")]
    assert in_force(station) == {} and ("trust-expired", "vn") in station.faults
    station.arrive(replace(MORNING, version=9))
    assert in_force(station) == {}
    assert "sound" not in [word for _, word in moves(station.wait(3 * 86_400_000))]
    assert len([fault for fault in station.entries(effects.FaultRaised) if fault.fault.code == "trust-expired"]) == 2


@pytest.mark.parametrize("expires", ["2026-11-30T00:00:00Z", "2039-01-01T00:00:00Z"])
@pytest.mark.parametrize("restarts", [False, True])
def test_a_clock_that_was_ahead_costs_no_programme(expires: str, restarts: bool) -> None:
    """A believed clock leaps twelve years ahead at noon, beyond the programme's end, or the root's; then it is right.

    Meanwhile nothing airs (never-1); then the slots of the day air without the link, and none of them twice (never-5).
    """
    document = replace(programme([slot("a", "05:00:00", late_window_s=86_400), slot("b", "17:00:00")]), expires=expires)
    station = ByHand(document, civil="2026-11-24T04:50:00")
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(60_000)
    station.sound_ends()
    station.wait_until("2026-11-24T12:00:00")
    station.offset_ms += 12 * 365 * DAY_MS
    if restarts:
        settled = [
            (closed.record.occurrence, closed.record.planned_start_ms) for closed in station.entries(AsRunClosed)
        ]
        watched_ms = station.entries(effects.WatchedUntil)[-1].wall_ms
        station.tell(events.TimePassed())
        later = ByHand(document, boot=2, settled=tuple(settled), watched_until_ms=watched_ms)
        later.offset_ms, later.mono_ms = station.offset_ms, station.mono_ms
        station = later
    done = station.wait(2 * DAY_MS)
    assert "sound" not in [word for _, word in moves(done)]
    assert in_force(station) == {} and len(station.faults) == 1

    station.offset_ms -= 12 * 365 * DAY_MS + 2 * DAY_MS
    station.tell(events.TimePassed())
    assert (in_force(station), station.faults) == ({PROVINCE: 1}, [])
    station.wait_until("2026-11-24T17:00:00")
    assert station.sound_begins().items[0].bulletin == "b"
    station.sound_ends()
    assert station.told == ([] if restarts else [("a", "aired", None)]) + [("b", "aired", None)]


def test_what_aired_before_a_clock_was_ahead_airs_no_second_time() -> None:
    """never-5: while it was, another programme went on, and what was settled that morning is forgotten as old."""
    morning = programme([slot("a", "05:00:00", late_window_s=86_400)], expires="2026-11-30T00:00:00Z")
    other = programme([slot("c", "06:00:00")], scope=SETTINGS.scope)
    station = ByHand(morning, other, civil="2026-11-24T04:50:00", cached=frozenset(audio_of(morning)))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(60_000)
    station.sound_ends()
    station.offset_ms += 40 * DAY_MS
    station.wait(DAY_MS)
    station.offset_ms -= 41 * DAY_MS
    station.tell(events.TimePassed())
    station.wait(20 * 60_000)

    assert in_force(station) == {PROVINCE: 1, SETTINGS.scope: 1}
    assert [effect.items[0].bulletin for _, effect in station.log if isinstance(effect, StartSound)].count("a") == 1


def test_a_clock_that_was_a_year_ahead_silences_nothing_that_is_still_in_force() -> None:
    """What was due by then is behind the programme's own place in its schedule; the days between air all the same."""
    document = programme([slot("a", "05:00:00"), slot("b", "17:00:00")], expires="2039-01-01T00:00:00Z")
    station = ByHand(document, trust=replace(TRUST, expires="2046-01-01T00:00:00Z"), civil="2026-11-24T04:50:00")
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(60_000)
    station.sound_ends()
    station.offset_ms += 365 * DAY_MS
    station.wait(3_600_000)
    station.offset_ms -= 365 * DAY_MS
    station.tell(events.TimePassed())
    station.wait_until("2026-11-24T17:00:00")
    begun = [effect.items[0].bulletin for _, effect in station.log if isinstance(effect, StartSound)]

    assert begun == ["a", "b"]


def test_what_expired_and_is_put_aside_gives_way_to_what_comes() -> None:
    """never-6: another document under its number is refused, a newer one takes its place for good."""
    noon = programme([slot("a", "12:00:00")], version=3)
    station = ByHand(replace(noon, expires="2026-11-24T00:00:00Z"))
    station.wait_until("2026-11-24T08:00:00")
    station.arrive(replace(noon, expires="2026-12-24T00:00:00Z"))
    assert in_force(station) == {} and ("same-version", PROVINCE) in station.faults
    station.arrive(replace(noon, version=4))
    station.offset_ms -= 2 * HOUR_MS
    station.tell(events.TimePassed())

    assert (in_force(station), station.faults) == ({PROVINCE: 4}, [])


def test_nothing_beyond_its_expiry_is_shown_or_waited_for() -> None:
    """Tomorrow's cue of a programme that ends tonight will not air: it is not among the next."""
    station = ByHand(replace(MORNING, expires="2026-11-24T12:00:00Z"))
    cues = station.station.snapshot(station.now()).next_cues

    assert [cue.planned_ms for cue in cues] == [at("2026-11-24T05:00:00")]


def test_a_new_version_keeps_what_sounds_when_it_still_has_it() -> None:
    """air-2: the slot and its recordings are there: it goes on; its next occurrence follows the new version."""
    station = ByHand(MORNING)
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.arrive(programme([slot("a", "06:00:00"), slot("b", "07:00:00")], version=4))
    assert moves(station.wait(59_000)) == []
    station.sound_ends()

    assert station.told == [("a", "aired", None)]
    cues = station.station.snapshot(station.now()).next_cues
    assert [cue.planned_ms for cue in cues][:2] == [at("2026-11-24T06:00:00"), at("2026-11-24T07:00:00")]


@pytest.mark.parametrize("expires", ["2026-11-23T21:00:00Z", "2026-11-23T22:00:59Z"])
def test_a_new_version_by_which_what_sounds_expires_before_its_end_stops_it(expires: str) -> None:
    """never-1: the same recording, and its new document says that it must be over by then."""
    station = ByHand(MORNING)
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(20_000)
    expiring = replace(bulletin("a", 60), expires=expires)
    done = station.arrive(programme([slot("a", "05:00:00")], [expiring], version=4))
    assert moves([(station.mono_ms, effect) for effect in done]) == [(station.mono_ms, "fade")]
    station.sound_ends(False, 20_500)

    assert station.told == [("a", "part", "expired")]
    assert station.faults == [("cue-missed", f"{PROVINCE}#a")]
    assert "sound" not in [word for _, word in moves(station.wait(60_000))]


@pytest.mark.parametrize("expires", ["2026-11-23T22:01:30Z", None])
def test_a_new_version_leaves_alone_what_is_over_before_it_expires(expires: str | None) -> None:
    """To the second; and what of it was heard already cannot expire any more."""
    bulletins = [bulletin("a", 30), bulletin("b", 60)]
    station = ByHand(programme([slot("ab", "05:00:00", "a", "b")], bulletins, version=3))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(40_000)
    newer = [replace(bulletins[0], expires="2026-11-23T22:00:35Z"), replace(bulletins[1], expires=expires)]
    done = station.arrive(programme([slot("ab", "05:00:00", "a", "b")], newer, version=4))
    assert moves([(station.mono_ms, effect) for effect in done]) == []
    station.wait(50_000)
    station.sound_ends(True, 30_000, 60_000)

    assert station.told == [("ab", "aired", None)]


@pytest.mark.parametrize(("until", "told"), [("22:01:40Z", "expired"), ("22:02:00Z", None)])
def test_what_waits_to_go_on_expires_by_the_newest_version(until: str, told: str | None) -> None:
    """never-1: 40 s of it are left when the other is over, at 05:01:10; its first version knew no expiry."""
    slots = [slot("a", "05:00:00"), slot("urgent", "05:00:20", priority=9)]
    bulletins = [bulletin("a", 60), bulletin("urgent", 50)]
    station = ByHand(programme(slots, bulletins, version=3))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait_until("2026-11-24T05:00:20")
    station.sound_ends(False, 20_000)
    station.sound_begins()
    newer = replace(bulletins[0], expires=f"2026-11-23T{until}")
    station.arrive(programme(slots, [newer, bulletins[1]], version=4))
    station.wait_until("2026-11-24T05:01:10")
    station.sound_ends(True, 50_000)
    station.wait(1_000)
    goes_on = [effect.from_ms for _, effect in station.log if isinstance(effect, StartSound)][2:]

    assert goes_on == ([] if told else [20_000])
    assert (("a", "part", told) in station.told) == bool(told)


def test_a_new_programme_of_another_scope_leaves_alone_what_sounds() -> None:
    """Nothing of it was withdrawn: not a sample is lost."""
    station = ByHand(MORNING)
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(10_000)
    done = station.arrive(programme([slot("z", "07:00:00")], scope=Scope("vn")))
    assert moves([(0, effect) for effect in done]) == []
    station.wait(50_000)
    station.sound_ends()

    assert station.told == [("a", "aired", None)]


@pytest.mark.parametrize(("expires", "airs"), [("2026-11-23T22:00:00Z", False), ("2026-11-23T22:00:01Z", True)])
def test_what_begins_when_its_programme_ends_does_not_begin(expires: str, airs: bool) -> None:
    """never-1: at 05:00:00 it is over; a second more, and the cue begins, and is faded out."""
    station = ByHand(replace(MORNING, expires=expires))
    assert len(station.station.snapshot(station.now()).next_cues) == int(airs)
    log = station.wait_until("2026-11-24T05:00:00")

    assert [word for _, word in moves(log)].count("sound") == int(airs)
    station.wait(1_000)
    assert station.told == []
    assert [word for _, word in moves(station.log)].count("fade") == int(airs)


def test_a_slot_moved_after_it_aired_airs_once_more_at_its_new_time_only() -> None:
    """never-5: an occurrence is a slot and a civil time."""
    station = ByHand(MORNING)
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(60_000)
    station.sound_ends()
    station.arrive(replace(MORNING, version=4))
    station.arrive(replace(MORNING, version=5))
    station.wait_until("2026-11-24T23:00:00")

    assert station.told == [("a", "aired", None)], "newer versions do not bring back what has aired"


@pytest.mark.parametrize(
    ("issued", "days"),
    [
        ("2026-11-20T00:00:00Z", ["2026-11-25", "2026-11-26"]),
        ("2026-11-25T21:00:00Z", ["2026-11-26"]),
        ("2026-11-25T23:00:00Z", []),
    ],
)
def test_what_an_outage_hid_is_told_since_the_programme_was_issued_and_no_earlier(issued: str, days: list[str]) -> None:
    """air-6: three mornings without power, the first told before; of a programme issued in between, what came after."""
    station = ByHand(
        replace(MORNING, issued=issued),
        civil="2026-11-27T04:30:00",
        boot=2,
        watched_until_ms=at("2026-11-24T04:00:00"),
        settled=((occurrence("a", "2026-11-24T05:00:00"), at("2026-11-24T05:00:00")),),
    )
    records = [entry.record for entry in station.entries(effects.AsRunClosed)]

    assert [record.occurrence.local[:10] for record in records] == days
    assert [brief(record) for record in records] == [("a", "missed", "power")] * len(days)


def test_no_station_looks_back_further_than_a_week() -> None:
    """never-8: a year without power is not told day by day."""
    station = ByHand(
        replace(MORNING, issued="2025-01-01T00:00:00Z"),
        civil="2026-11-27T04:30:00",
        boot=2,
        watched_until_ms=at("2026-01-01T00:00:00"),
    )
    days = [entry.record.occurrence.local[:10] for entry in station.entries(effects.AsRunClosed)]

    assert days == [f"2026-11-{day}" for day in range(20, 27)]
    assert LOOK_BACK_MS == 7 * 86_400_000


def test_a_clock_that_leaps_a_month_ahead_begins_anew_a_week_back() -> None:
    """never-8: thirty mornings are not told one by one, and the next one airs."""
    station = ByHand(replace(MORNING, issued="2025-01-01T00:00:00Z"))
    station.offset_ms += 30 * 86_400_000
    station.tell(events.TimePassed())
    days = [entry.record.occurrence.local[:10] for entry in station.entries(effects.AsRunClosed)]

    assert days == [f"2026-12-{day}" for day in range(17, 24)]
    station.wait_until("2026-12-24T05:00:00")
    assert station.sound_begins().items[0].bulletin == "a"


@pytest.mark.parametrize("time_comes_with_it", [False, True])
@pytest.mark.parametrize(
    ("slots", "told"),
    [
        ([slot("b", "11:00:00")], ("a", "missed", "power")),
        ([slot("a", "05:00:00")], ("a", "missed", "power")),
        ([slot("a", "05:00:00", late_window_s=4 * 3_600)], ("a", "aired", None)),
    ],
    ids=["withdrawn", "still there", "still there, and may be late"],
)
def test_a_programme_that_comes_before_the_time_does_not_hide_what_was_due_under_the_one_before(
    slots: list[Slot], told: tuple[str, str, str | None], time_comes_with_it: bool
) -> None:
    """never-5: power fails at night and is back at eight; the broker brings a newer programme before NTP comes."""
    newer = programme(slots, version=4, issued="2026-11-24T01:00:00Z")
    station = ByHand(
        MORNING,
        civil="2026-11-24T08:00:00",
        boot=2,
        trusted=False,
        watched_until_ms=at("2026-11-24T04:00:00"),
        settled=((occurrence("a", "2026-11-23T05:00:00"), at("2026-11-23T05:00:00")),),
    )
    true_offset_ms = station.offset_ms
    station.offset_ms = 0  # a machine without a clock wakes in 1970
    station.wait(3_000)
    station.trusted, station.offset_ms = time_comes_with_it, true_offset_ms if time_comes_with_it else 0
    station.arrive(newer)
    assert time_comes_with_it or station.told == []
    station.wait(30_000)
    station.trusted, station.offset_ms = True, true_offset_ms
    station.tell(events.TimePassed())
    station.wait(10_000)
    if told[1] == "aired":
        station.sound_begins()
        station.sound_ends()
    station.wait(HOUR_MS)

    assert station.told == [told]
    assert [entry.record.occurrence for entry in station.entries(AsRunClosed)] == [
        occurrence("a", "2026-11-24T05:00:00")
    ]
    assert in_force(station) == {PROVINCE: 4}
    assert not station.station.programmes.owing


def test_what_was_due_while_the_time_was_lost_is_told_though_its_programme_was_replaced_meanwhile() -> None:
    """never-5: the reason is the time, and what came after the replacement is no longer owed."""
    station = ByHand(programme([slot("a", "05:00:00"), slot("b", "09:00:00")], version=3))
    station.trusted = False
    station.wait(4 * HOUR_MS)
    station.arrive(programme([slot("c", "11:00:00")], version=4, issued="2026-11-24T01:00:00Z"))
    station.wait(2 * HOUR_MS)
    station.trusted = True
    station.tell(events.TimePassed())

    assert station.told == [("a", "missed", "no-time")]


def test_newer_programmes_without_end_before_the_time_comes_are_not_all_kept() -> None:
    """never-8; and what the outage hid is told whatever came after it."""
    station = ByHand(
        MORNING, civil="2026-11-24T08:00:00", boot=2, trusted=False, watched_until_ms=at("2026-11-24T04:00:00")
    )
    for version in range(4, 104):
        station.arrive(programme([slot("b", "11:00:00")], version=version, issued="2026-11-24T01:00:00Z"))
    assert len(station.station.programmes.owing) == LIMITS.replaced_programmes
    station.trusted = True
    station.tell(events.TimePassed())

    assert station.told == [("a", "missed", "power")]


def test_a_first_start_owes_nothing_of_the_past() -> None:
    """never-5 has a beginning: before the first trusted instant nobody was there to air anything."""
    station = ByHand(civil="2026-11-24T06:00:00")
    station.arrive(MORNING)
    assert station.told == []


@pytest.mark.parametrize(
    ("zone", "quiet", "civil", "expected"),
    [
        (VIETNAM, (21 * 60, 5 * 60), "2026-11-24T05:00:00", ("aired", None)),
        (VIETNAM, (21 * 60, 5 * 60 + 1), "2026-11-24T05:00:00", ("missed", "quiet-hours")),
        (VIETNAM, (5 * 60, 6 * 60), "2026-11-24T05:00:00", ("missed", "quiet-hours")),
        ("Asia/Tokyo", (21 * 60, 5 * 60), "2026-11-24T07:00:00", ("aired", None)),
        ("Asia/Tokyo", (6 * 60, 8 * 60), "2026-11-24T07:00:00", ("missed", "quiet-hours")),
    ],
)
def test_quiet_hours_are_those_of_the_stations_clock_on_the_wall(
    zone: str, quiet: tuple[int, int], civil: str, expected: tuple[str, str | None]
) -> None:
    """air-5: the programme is in Vietnam's time and airs at 05:00 there; a station in Tokyo sleeps by Tokyo's."""
    settings = replace(SETTINGS, time_zone=zone, quiet_hours=(QuietHours(*quiet),))
    start = at(civil, zone)
    assert start == at("2026-11-24T05:00:00")
    station = ByHand(MORNING, settings=settings, civil=f"2026-11-24T0{int(civil[12]) - 1}:30:00")
    station.wait_until(civil)
    if expected[0] == "aired":
        station.sound_begins()
        station.sound_ends()
    station.wait(10_000)

    assert station.told == [("a", *expected)]
    if expected[0] == "missed":
        assert not [effect for _, effect in station.log if isinstance(effect, StartSound)]


def test_quiet_hours_follow_the_clock_change_of_the_station() -> None:
    """air-5: Berlin, 29 March 2026: from 02:00 to 03:00 there is no night to be quiet in, and 03:30 is 03:30."""
    settings = replace(SETTINGS, time_zone="Europe/Berlin", quiet_hours=(QuietHours(22 * 60, 3 * 60 + 15),))
    document = programme(
        [slot("a", "03:10:00"), slot("b", "03:20:00")], time_zone="Europe/Berlin", issued="2026-03-01T00:00:00Z"
    )
    document = replace(
        document,
        slots=tuple(replace(one, start=one.start.replace("2026-11-20", "2026-03-01")) for one in document.slots),
    )
    station = ByHand(document, settings=settings, civil="2026-03-29T01:30:00")
    station.wait_until("2026-03-29T03:20:00")
    station.sound_begins()
    station.sound_ends()

    assert station.told == [("a", "missed", "quiet-hours"), ("b", "aired", None)]


def test_an_alert_in_the_first_second_of_a_life_has_nothing_let_go_of_what_the_programmes_want() -> None:
    """A retained alert comes as soon as the link is up, before it was looked up what audio they want."""
    here = ByHand(MORNING, civil="2026-11-24T04:59:50")
    warning = alert(sent=utc_text(here.wall_ms), expires=utc_text(here.wall_ms + HOUR_MS))
    (wanted,) = only(here.warn(warning, audio=False), SetWanted)

    assert wanted.keep >= audio_of(MORNING)
    assert here.station.programmes.cached >= audio_of(MORNING)


def test_an_alert_while_a_large_programme_is_looked_at_has_nothing_let_go_of_it() -> None:
    """Its audio is here already: the programme before it had the same."""
    before = programme([slot("a", "05:00:00", "tin")], version=3)
    here = ByHand(before, civil="2026-11-24T04:00:00")
    here.wait(5_000)
    starts = [f"2027-{1 + number % 12:02}-{1 + number % 28:02}T05:00:{number % 60:02}" for number in range(2_000)]
    slots = [replace(slot(f"s{n}", "05:00:00", "nhac"), start=at_) for n, at_ in enumerate(starts)]
    after = programme(slots, version=4)
    here.folder |= audio_of(after)
    for sha256 in audio_of(after):
        here.tell(events.AudioStored(sha256))
    here.arrive(after)
    here.warn(alert(sent=utc_text(here.wall_ms), expires=utc_text(here.wall_ms + HOUR_MS)), audio=False)

    assert here.station.programmes.cached >= audio_of(after)


def test_thousands_of_slots_are_looked_at_in_turns_and_an_alert_comes_between_them() -> None:
    """A year's plan comes: what it wants is known a moment later; the alert's first effects are its own."""
    starts = [f"2027-{1 + number % 12:02}-{1 + number % 28:02}T05:00:{number % 60:02}" for number in range(2_000)]
    bulletins = [bulletin(name, 10) for name in ("tin", "nhac")]
    slots = [replace(slot(f"s{n}", "05:00:00", bulletins[n % 2].id), start=at_) for n, at_ in enumerate(starts)]
    here = ByHand(civil="2026-11-24T04:00:00")
    here.wait(5_000)
    before = len(here.log)
    here.arrive(programme(slots, bulletins))
    assert only([effect for _, effect in here.log[before:]], SetWanted) == []
    warning = alert(sent=utc_text(here.wall_ms), expires=utc_text(here.wall_ms + 3_600_000))
    done = here.warn(warning, audio=False)
    assert SwitchAmplifier(True) in done[:2]
    (first,) = only(done, SetWanted)
    assert [one.sha256 for one in first.wanted] == [info.audio.sha256 for info in warning.info if info.audio]

    here.wait(2 * len(slots) // SLOTS_A_TURN * COMING_UP_BREATH_MS)
    last = only([effect for _, effect in here.log], SetWanted)[-1]
    assert {one.sha256 for one in last.wanted} == {
        *(audio.sha256 for one in bulletins for audio in one.audio),
        *(info.audio.sha256 for info in warning.info if info.audio),
    }


def years_plan(count: int, version: int) -> Programme:
    """So many single days, spread over a year and over the day, that say ten things between them."""
    bulletins = [bulletin(f"tin-{number}", 10) for number in range(10)]
    starts = [f"2027-{1 + n % 12:02}-{1 + n % 28:02}T{n % 24:02}:{n % 60:02}:00" for n in range(count)]
    slots = [replace(slot(f"s{n}", "05:00:00", f"tin-{n % 10}"), start=at_) for n, at_ in enumerate(starts)]
    document = programme(slots, bulletins, version=version)
    document.look_through()
    return document


def calls(work: Callable[[], object]) -> int:
    """How many calls a piece of work makes, in Python and into C."""
    count = 0

    def on(frame: FrameType, event: str, arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(on)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def most_calls(slots: int, trusted: bool) -> int:
    """The most calls of one turn, from when two plans of so many slots come, one after the other, until all is done."""
    here = ByHand(civil="2026-11-24T04:00:00", trusted=trusted)
    here.wait(5_000)
    most = 0
    for version in (1, 2):
        document = years_plan(slots, version)
        most = max(most, calls(lambda document=document: here.arrive(document)))  # type: ignore[misc]
        for _ in range(slots // 20):
            most = max(most, calls(lambda: here.wait(BREATH_MS)))
        assert audio_of(document) == {one.sha256 for one in only([e for _, e in here.log], SetWanted)[-1].wanted}
        assert here.station.programmes.leaving == deque()
    return most


@pytest.mark.parametrize("trusted", [True, False])
def test_no_turn_of_the_core_looks_at_every_slot_of_a_large_programme(trusted: bool) -> None:
    """What must be found out of each is found out where it is read, or in turns: an alert waits for no programme."""
    assert most_calls(10_000, trusted) < 10_000 / 2


def test_a_large_programme_that_is_replaced_is_let_go_bit_by_bit() -> None:
    """Ten thousand slots, and the instants that were known of them, are not freed in one go."""
    here = ByHand(civil="2026-11-24T04:00:00")
    here.arrive(years_plan(2_000, 1))
    here.wait(1_000)
    here.arrive(programme([slot("a", "05:00:00")], version=2))
    left = [sum(map(len, here.station.programmes.leaving))]
    while left[-1] and len(left) < 100:
        here.wait(BREATH_MS)
        left.append(sum(map(len, here.station.programmes.leaving)))

    assert left[0] == 2 * 2_000 + 10 - PARTS_A_TURN
    assert all(0 < before - after <= PARTS_A_TURN for before, after in pairwise(left))
    assert left[-1] == 0
