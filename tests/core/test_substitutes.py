"""What is heard when a slot's own audio cannot be, what is told of it, and that silence never goes unnoticed."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.core.material import (
    HOUR_MS,
    PROVINCE,
    SETTINGS,
    TONES,
    ByHand,
    at,
    audio_of,
    bulletin,
    only,
    programme,
    recording,
    sha,
    signed,
    slot,
)
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import Bulletin, Programme
from ttcs_edge.core.effects import AsRunClosed, EarlierKept, SetWanted, StartSound
from ttcs_edge.core.model import AsRunReason, Outcome, QuietHours, Scope, Sha256

MORNING = "2026-11-24T05:00:00"
SLOT_SUBJECT = f"{PROVINCE}#tin"


def edition(name: str, seconds: float = 60, expires: str | None = None) -> Bulletin:
    """The bulletin ``tin`` as one version of the programme has it: its audio is of that version's name."""
    return Bulletin(id="tin", title="Tin", audio=(recording(name, seconds),), expires=expires)


def news(version: int, if_unplayable: str, name: str = "", **others: Any) -> Programme:
    """Version n of a programme of one slot at five, whose bulletin is a new recording in each version."""
    one = slot("tin", "05:00:00", if_unplayable=if_unplayable, **others.pop("of_slot", {}))
    bulletins = [edition(name or f"tin-{version}", expires=others.pop("bulletin_expires", None))]
    return programme([one], [*bulletins, *others.pop("also", ())], version=version, **others)


def played(station: ByHand) -> list[list[Sha256]]:
    """The audio of each play that was asked for."""
    return [[item.sha256 for item in one.items] for one in only([e for _, e in station.log], StartSound)]


def heard_at_five(station: ByHand) -> list[Sha256]:
    """Let the morning's cue be heard whole; gives its audio."""
    station.wait_until(MORNING)
    command = station.sound_begins()
    station.wait(sum(item.duration_ms for item in command.items))
    station.sound_ends()
    return [item.sha256 for item in command.items]


def after_two_versions(if_unplayable: str = "earlier", **of_the_second: Any) -> ByHand:
    """A station that had version 1 with its audio, got version 2, and could not get the new audio."""
    station = ByHand(news(1, if_unplayable))
    station.arrive(news(2, if_unplayable, **of_the_second))
    return station


# the earlier edition


def test_without_its_new_audio_a_slot_airs_the_earlier_edition_and_the_log_says_so() -> None:
    """The slot asked for it: yesterday's news is heard, told as substituted with the reason, and is a warning."""
    station = after_two_versions()

    assert heard_at_five(station) == [sha("tin-1")]
    assert station.told == [("tin", "substituted", "no-audio")]
    (closed,) = station.entries(AsRunClosed)
    assert [(item.sha256, item.written_ms) for item in closed.record.items] == [(sha("tin-1"), 60_000)]
    assert closed.record.programme_version == 2
    assert station.faults == [("cue-substituted", SLOT_SUBJECT)]


def test_silence_is_the_choice_of_a_slot_that_says_nothing() -> None:
    """The same station, the same audio on its card: nothing is heard, and that is an error."""
    station = after_two_versions("silence")
    station.wait_until("2026-11-24T05:10:00")

    assert played(station) == []
    assert station.told == [("tin", "missed", "no-audio")]
    assert station.faults == [("cue-missed", SLOT_SUBJECT)]


def test_audio_that_comes_before_the_first_sample_takes_its_place_back() -> None:
    """Until it sounds the cue follows what is there; then it is aired, and nothing is left to be told."""
    station = after_two_versions()
    station.wait_until("2026-11-24T04:59:58")
    station.tell(events.AudioStored(sha("tin-2")))

    assert heard_at_five(station) == [sha("tin-2")]
    assert station.told == [("tin", "aired", None)]
    assert station.faults == []


def test_a_warning_of_a_substitute_ends_when_the_slot_airs_whole() -> None:
    """The next day its own audio is there."""
    station = after_two_versions()
    heard_at_five(station)
    station.tell(events.AudioStored(sha("tin-2")))
    station.wait_until("2026-11-25T05:00:00")
    station.sound_begins()
    station.wait(60_000)
    station.sound_ends()

    assert [outcome for _, outcome, _ in station.told] == ["substituted", "aired"]
    assert station.faults == []


def test_a_jingle_that_is_there_does_not_stand_for_the_news_that_are_not() -> None:
    """Each bulletin of which nothing can be aired is said by its earlier edition; the others are themselves."""
    first = programme([slot("tin", "05:00:00", "nhac", "tin", if_unplayable="earlier")], [edition("tin-1")])
    station = ByHand(first)
    station.arrive(
        replace(first, version=2, bulletins=(first.bulletins[1], edition("tin-2"), bulletin("nhac", 60))[1:])
    )

    assert heard_at_five(station) == [sha("nhac"), sha("tin-1")]
    assert station.told == [("tin", "substituted", "no-audio")]


def test_an_earlier_edition_whose_programme_has_expired_is_not_heard() -> None:
    """never-1: nobody vouches for it any more, though its audio is on the card."""
    station = ByHand(news(1, "earlier", expires="2026-11-23T21:59:00Z"))  # 04:59 in Vietnam
    station.arrive(news(2, "earlier"))
    station.wait_until("2026-11-24T05:10:00")

    assert played(station) == []
    assert station.told == [("tin", "missed", "no-audio")]


def test_an_earlier_forecast_that_has_expired_is_not_heard() -> None:
    """The bulletin's own expiry counts in whatever programme it stands; one second short of its end is too short."""
    for expires, heard in (("2026-11-23T22:01:00Z", [[sha("tin-1")]]), ("2026-11-23T22:00:59Z", [])):
        station = ByHand(news(1, "earlier", bulletin_expires=expires))
        station.arrive(news(2, "earlier"))
        station.wait_until("2026-11-24T05:10:00")
        assert played(station) == heard, expires


def test_a_version_that_was_never_whole_here_does_not_push_out_one_that_was() -> None:
    """Three versions within an hour, none of whose audio came: the last one heard is still at hand."""
    station = after_two_versions()
    station.arrive(news(3, "earlier"))
    station.arrive(news(4, "earlier"))

    assert [entry.version for entry in station.entries(EarlierKept)] == [1]
    assert heard_at_five(station) == [sha("tin-1")]


def test_what_was_replaced_is_on_disk_before_the_broker_hears_and_comes_back_after_a_restart() -> None:
    """Decision 1, decision 6: the envelope as it came, in the same record as the new one."""
    station = ByHand(news(1, "earlier"))
    done = station.arrive(news(2, "earlier"), delivery=7)
    kinds = [type(effect) for effect in done]
    (kept,) = station.entries(EarlierKept)
    assert kept == EarlierKept(PROVINCE, 1, signed(news(1, "earlier")).envelope)
    assert kinds.index(effects.Record) < kinds.index(effects.Acknowledge)

    again = ByHand(news(2, "earlier"), boot=2, cached=frozenset({sha("tin-1")}), earlier=(signed(news(1, "earlier")),))
    assert heard_at_five(again) == [sha("tin-1")]
    assert again.told == [("tin", "substituted", "no-audio")]


def test_no_slot_of_an_earlier_programme_airs_and_no_floor_is_lowered_for_it() -> None:
    """never-6: it lends its recordings, and nothing else."""
    before = programme([slot("tin", "05:00:00"), slot("cu", "05:30:00")], [edition("tin-1")])
    station = ByHand(before)
    station.arrive(news(2, "earlier"))
    heard_at_five(station)
    station.wait_until("2026-11-24T06:00:00")
    assert [name for name, _, _ in station.told] == ["tin"]
    station.arrive(before)
    assert ("old-version", PROVINCE) in station.faults


def test_the_audio_of_an_earlier_edition_is_kept_but_not_fetched() -> None:
    """Eviction must not touch it; what is gone of it is no longer worth the line."""
    station = after_two_versions()
    asked = only([effect for _, effect in station.log], SetWanted)[-1]
    assert sha("tin-1") in asked.keep
    assert [audio.sha256 for audio in asked.wanted] == [sha("tin-2")]
    station.folder.clear()
    (asked,) = only(station.tell(events.AudioLost(sha("tin-1"), "missing")), SetWanted)
    assert [audio.sha256 for audio in asked.wanted] == [sha("tin-2")]


@pytest.mark.parametrize(
    ("third", "stays"),
    [
        ({}, True),
        ({"of_slot": {"priority": 7}}, True),
        ({"if_unplayable": "silence"}, False),
        ({"if_unplayable": "standing"}, False),
    ],
)
def test_a_newer_version_leaves_a_substitute_on_the_air_when_it_would_choose_the_same(
    third: dict[str, Any], stays: bool
) -> None:
    """never-1: what sounds must be what some programme in force lets sound in this slot."""
    station = after_two_versions()
    station.wait_until(MORNING)
    station.sound_begins()
    station.wait(10_000)
    done = station.arrive(news(3, **({"if_unplayable": "earlier"} | third)))

    assert (only(done, effects.StopSound) == []) is stays


# the standing bulletin


def standing(scope: str, *names: str, **others: Any) -> Programme:
    """A programme of a scope that has standing bulletins and nothing to air by itself."""
    return programme([], [bulletin(name, 30) for name in names], scope=Scope(scope), standing=names, **others)


def test_the_standing_bulletin_is_that_of_the_own_scope_or_of_the_nearest_above_that_has_some() -> None:
    """The province has one, so the nation's is not heard; when the province's is not here, the nation's is."""
    nation = standing("vn", "quoc-ca")
    own = news(1, "standing", standing=("tinh-ca",), also=[bulletin("tinh-ca", 30)])
    here = audio_of(nation, own) - {sha("tin-1")}

    near = ByHand(nation, own, cached=frozenset(here))
    assert heard_at_five(near) == [sha("tinh-ca")]
    assert near.told == [("tin", "substituted", "no-audio")]

    far = ByHand(nation, own, cached=frozenset(here - {sha("tinh-ca")}))
    assert heard_at_five(far) == [sha("quoc-ca")]


def test_the_standing_bulletin_of_a_scope_below_or_beside_is_not_heard() -> None:
    """The nation's slot does not borrow from the commune."""
    nation = replace(news(1, "standing"), scope=Scope("vn"))
    commune = standing(SETTINGS.scope, "xa-ca")
    station = ByHand(nation, commune, cached=frozenset({sha("xa-ca")}))
    station.wait_until("2026-11-24T05:10:00")

    assert station.told == [("tin", "missed", "no-audio")]


def test_a_standing_bulletin_that_has_expired_is_not_heard() -> None:
    """An emergency notice of last year, or a programme above that is out of date, is worse than silence."""
    old = replace(bulletin("cu", 30), expires="2026-11-23T22:00:29Z")
    own = news(1, "standing", standing=("cu",), also=[old])
    station = ByHand(own, cached=frozenset({sha("cu")}))
    station.wait_until("2026-11-24T05:10:00")

    assert station.told == [("tin", "missed", "no-audio")]


def test_standing_bulletins_are_wanted_without_any_slot_and_kept() -> None:
    """Behind what is due within a day, before what is due later; never evicted."""
    own = programme(
        [slot("sang", "05:00:00"), slot("thang-sau", "05:00:00", rrule="FREQ=DAILY;INTERVAL=30")],
        [bulletin("tinh-ca", 30)],
        standing=("tinh-ca",),
    )
    station = ByHand(own, cached=frozenset())
    station.wait_until("2026-11-24T04:00:01")
    asked = only([effect for _, effect in station.log], SetWanted)[-1]

    assert [audio.sha256 for audio in asked.wanted] == [sha("sang"), sha("tinh-ca"), sha("thang-sau")]
    assert sha("tinh-ca") in asked.keep


def test_a_slot_airs_what_it_has_of_its_own_before_anything_stands_in() -> None:
    """One of two bulletins is there: it is heard, as part; a standing bulletin is for nothing at all."""
    own = programme(
        [slot("tin", "05:00:00", "mot", "hai", if_unplayable="standing")],
        [bulletin("tinh-ca", 30)],
        standing=("tinh-ca",),
    )
    station = ByHand(own, cached=frozenset({sha("mot"), sha("tinh-ca")}))

    assert heard_at_five(station) == [sha("mot")]
    assert station.told == [("tin", "part", "no-audio")]


# what expires


def test_a_bulletin_begins_only_where_it_is_over_before_it_expires() -> None:
    """To the second; what is left out is named, and the rest of the slot is heard."""
    for expires, told in (
        ("2026-11-23T22:02:00Z", ("tin", "aired", None)),
        ("2026-11-23T22:01:59Z", ("tin", "part", "expired")),
    ):
        forecast = replace(bulletin("du-bao", 60), expires=expires)
        station = ByHand(programme([slot("tin", "05:00:00", "nhac", "du-bao")], [forecast]))
        heard_at_five(station)
        assert station.told == [told]


def test_a_slot_of_which_all_has_expired_is_silence_told_as_a_fault() -> None:
    """The forecast of yesterday is not read today."""
    forecast = replace(bulletin("tin", 60), expires="2026-11-24T00:00:00Z")
    station = ByHand(programme([slot("tin", "05:00:00")], [forecast]), civil="2026-11-24T08:00:00")
    station.wait_until("2026-11-25T05:10:00")

    assert played(station) == []
    assert station.told == [("tin", "missed", "expired")]
    assert station.faults == [("cue-missed", SLOT_SUBJECT)]
    asked = only([effect for _, effect in station.log], SetWanted)[-1]
    assert asked.keep == {item.sha256 for _, item in TONES}, "what will never air again takes no room"


def test_a_cue_that_queues_past_the_expiry_of_its_bulletin_leaves_it_out() -> None:
    """It was good at its instant; another cue had the air until it was not."""
    forecast = replace(bulletin("tin", 60), expires="2026-11-23T22:02:00Z")
    document = programme(
        [slot("dai", "05:00:00", priority=7), slot("tin", "05:00:00", if_unplayable="standing")],
        [bulletin("dai", 90), forecast, bulletin("tinh-ca", 30)],
        standing=("tinh-ca",),
    )
    station = ByHand(document)
    assert heard_at_five(station) == [sha("dai")]
    station.wait(2_000)
    station.sound_begins()
    station.wait(30_000)
    station.sound_ends()

    assert played(station) == [[sha("dai")], [sha("tinh-ca")]]
    assert station.told == [("dai", "aired", None), ("tin", "substituted", "expired")]


def test_what_was_interrupted_does_not_go_on_beyond_its_expiry() -> None:
    """Half of the forecast was heard; by the time the air is free its end would be out of date."""
    forecast = replace(bulletin("tin", 60), expires="2026-11-23T22:01:30Z")
    document = programme(
        [slot("tin", "05:00:00"), slot("cao", "05:00:30", priority=9)], [forecast, bulletin("cao", 60)]
    )
    station = ByHand(document)
    station.wait_until("2026-11-24T05:00:30")
    station.sound_begins()
    station.wait(10_000)
    station.sound_ends(False, 30_000)
    station.wait(2_000)
    station.sound_begins()
    station.wait(60_000)
    station.sound_ends()
    station.wait(5_000)

    assert played(station) == [[sha("tin")], [sha("cao")]]
    assert sorted(station.told) == [("cao", "aired", None), ("tin", "part", "expired")]


# what cannot be aired though it is there


def test_rotten_audio_is_fetched_again_and_the_cue_says_so() -> None:
    """Found as it was read to be aired: the substitute is heard, the fetcher asked, the reason told."""
    station = ByHand(news(1, "earlier"))
    station.arrive(news(2, "earlier"))
    station.folder = {sha("tin-1")}
    station.tell(events.AudioStored(sha("tin-2")))
    station.wait_until(MORNING)
    assert played(station) == [[sha("tin-2")]]
    (asked,) = only(station.tell(events.AudioLost(sha("tin-2"), "rotten")), SetWanted)
    assert [audio.sha256 for audio in asked.wanted] == [sha("tin-2")]
    station.sound_ends(False, 0, failure="audio-lost")
    station.wait(1_000)
    station.sound_begins()
    station.wait(60_000)
    station.sound_ends()

    assert played(station) == [[sha("tin-2")], [sha("tin-1")]]
    assert station.told == [("tin", "substituted", "rotten")]


def test_a_restart_does_not_forget_that_audio_was_rotten() -> None:
    """The fault is open on disk, and the file is not there: the cue of the next life tells the same reason."""
    rotten = [entry.fault for entry in _rotten().entries(effects.FaultRaised) if entry.fault.code == "rotten"]
    again = ByHand(programme([slot("tin", "05:00:00")]), boot=2, cached=frozenset(), open_faults=tuple(rotten))
    again.wait_until("2026-11-24T05:10:00")

    assert again.told == [("tin", "missed", "rotten")]


def _rotten() -> ByHand:
    station = ByHand(programme([slot("tin", "05:00:00")]))
    station.folder.clear()
    station.tell(events.AudioLost(sha("tin"), "rotten"))
    return station


def test_audio_that_is_no_audio_gives_way_to_what_stands_in_and_is_not_tried_again() -> None:
    """The first morning it stumbles and goes on; the second it does not even try, until the file came anew."""
    own = news(1, "standing", standing=("tinh-ca",), also=[bulletin("tinh-ca", 30)])
    station = ByHand(own)
    station.wait_until(MORNING)
    station.sound_ends(False, 0, failure="not-audio")
    station.wait(1_000)
    station.sound_begins()
    station.wait(30_000)
    station.sound_ends()
    assert played(station) == [[sha("tin-1")], [sha("tinh-ca")]]
    assert station.told == [("tin", "substituted", "not-audio")]

    station.wait_until("2026-11-25T05:00:00")
    assert played(station)[2:] == [[sha("tinh-ca")]]
    station.sound_begins()
    station.wait(30_000)
    station.sound_ends()
    station.tell(events.AudioStored(sha("tin-1")))
    station.wait_until("2026-11-26T05:00:00")
    assert played(station)[3:] == [[sha("tin-1")]]


def test_a_substitute_that_is_no_audio_either_ends_in_silence_that_is_told() -> None:
    """never-7: nothing is left to try; the cue is missed for its own reason."""
    own = news(1, "standing", standing=("tinh-ca",), also=[bulletin("tinh-ca", 30)])
    station = ByHand(own, cached=frozenset({sha("tinh-ca")}))
    station.wait_until(MORNING)
    station.sound_ends(False, 0, failure="not-audio")
    station.wait(60_000)

    assert played(station) == [[sha("tinh-ca")]]
    assert station.told == [("tin", "missed", "no-audio")]


def test_a_substitute_of_which_half_was_written_is_part() -> None:
    """never-9: substituted means that what stood in was heard whole."""
    station = after_two_versions()
    station.wait_until(MORNING)
    station.sound_begins()
    station.wait(30_000)
    station.sound_ends(True, 30_000)

    (closed,) = station.entries(AsRunClosed)
    assert (closed.record.outcome, closed.record.reason) == (Outcome.PART, AsRunReason.NO_AUDIO)


def test_a_substitute_that_breaks_off_in_its_middle_is_told_for_what_it_stood_in_for() -> None:
    """The slot's own audio was not here: that is what somebody must mend."""
    own = news(1, "standing", standing=("mot", "hai"), also=[bulletin("mot", 30), bulletin("hai", 30)])
    station = ByHand(own, cached=frozenset({sha("mot"), sha("hai")}))
    station.wait_until(MORNING)
    station.sound_begins()
    station.wait(30_000)
    station.sound_ends(False, 30_000, 0, failure="not-audio")

    assert station.told == [("tin", "part", "no-audio")]


# silence


def silences(station: ByHand) -> list[tuple[str, str]]:
    """Each fault of silence that was raised: its slot, and its reason."""
    raised = [entry.fault for entry in station.entries(effects.FaultRaised)]
    return [(fault.subject.split("#")[1], dict(fault.detail)["reason"]) for fault in raised if fault.code == "silence"]


def late(*names: str, **others: Any) -> Programme:
    """Slots at five that may air up to an hour late."""
    return programme([slot(name, "05:00:00", late_window_s=3_600, **others) for name in names])


def test_a_slot_that_may_still_air_late_and_has_nothing_to_air_is_a_fault_within_five_seconds() -> None:
    """It may yet be missed in an hour; the people under the pole hear nothing now."""
    station = ByHand(late("tin"), cached=frozenset())
    station.wait_until(MORNING)
    station.wait(3_900)
    assert silences(station) == []
    station.wait(1_100)
    assert silences(station) == [("tin", "no-audio")]
    station.tell(events.AudioStored(sha("tin")))
    station.wait(5_000)
    assert station.faults == [("silence", SLOT_SUBJECT)]
    station.sound_begins()
    assert station.faults == []


def test_a_card_that_hangs_while_a_file_is_read_is_a_fault_within_five_seconds() -> None:
    """The start was handed over, and no sound came: nobody else would ever say so."""
    station = ByHand(programme([slot("tin", "05:00:00")]))
    station.wait_until("2026-11-24T05:00:05")
    assert played(station) == [[sha("tin")]]
    assert silences(station) == [("tin", "no-start")]
    station.sound_ends(False, 0, failure="sound-device")
    station.wait(3_001)
    assert station.faults == [("cue-missed", SLOT_SUBJECT)], "closed, it is told as missed"


def test_a_player_that_is_not_there_is_a_fault_within_five_seconds() -> None:
    """While the cue waits for its late window."""
    station = ByHand(late("tin"))
    station.wait_until("2026-11-24T04:59:00")
    station.tell(events.PlayerGone("died", 0))
    station.wait_until("2026-11-24T05:00:05")

    assert silences(station) == [("tin", "player-died")]


def test_a_cue_that_was_interrupted_and_does_not_come_back_is_silence() -> None:
    """It sounded, the player died, and none comes."""
    station = ByHand(programme([slot("tin", "05:00:00")]))
    station.wait_until(MORNING)
    station.sound_begins()
    station.wait(10_000)
    station.tell(events.PlayerGone("died", 10_000))
    station.wait(5_000)

    assert silences(station) == [("tin", "player-died")]


def test_one_cue_may_wait_for_another_that_is_heard() -> None:
    """Nobody misses anything: ten minutes in the queue are no fault, nor is the moment between the two."""
    document = programme(
        [slot("mot", "05:00:00", priority=6), slot("tin", "05:00:00", late_window_s=3_600)], [bulletin("mot", 600)]
    )
    station = ByHand(document)
    assert heard_at_five(station) == [sha("mot")]
    station.wait(3_000)
    station.sound_begins()
    station.wait(60_000)
    station.sound_ends()

    assert silences(station) == []


def test_a_late_way_up_takes_its_time() -> None:
    """A start at 05:20 with an amplifier of five seconds: silence until it is warm is no fault."""
    settings = replace(SETTINGS, amplifier=replace(SETTINGS.amplifier, warm_up_ms=5_000))
    station = ByHand(
        late("tin"), settings=settings, civil="2026-11-24T05:20:00", watched_until_ms=at("2026-11-24T04:00:00")
    )
    station.wait(5_600)
    station.sound_begins()

    assert silences(station) == []


@pytest.mark.parametrize("why", ["quiet hours", "no time", "stopping"])
def test_silence_that_is_right_is_no_fault(why: str) -> None:
    """In quiet hours, without trusted time (which has its own fault), and while the station leaves."""
    quiet = (QuietHours(5 * 60, 6 * 60),) if why == "quiet hours" else ()
    station = ByHand(late("tin"), cached=frozenset(), settings=replace(SETTINGS, quiet_hours=quiet))
    station.wait_until("2026-11-24T04:59:59")
    station.trusted = why != "no time"
    if why == "stopping":
        station.tell(events.StopRequested())
    station.wait(60_000)

    assert silences(station) == []


@pytest.mark.parametrize("end", ["late window over", "withdrawn", "restart"])
def test_a_fault_of_silence_ends_with_its_cue(end: str) -> None:
    """When the cue is told as missed, is taken away, or another life looks after it."""
    station = ByHand(late("tin"), cached=frozenset())
    station.wait_until("2026-11-24T05:00:10")
    assert station.faults == [("silence", SLOT_SUBJECT)]
    if end == "late window over":
        station.wait(HOUR_MS)
        assert station.faults == [("cue-missed", SLOT_SUBJECT)]
    elif end == "withdrawn":
        station.arrive(programme([slot("khac", "06:00:00")], version=2))
        assert station.faults == []
    else:
        left = tuple(entry.fault for entry in station.entries(effects.FaultRaised))
        others: dict[str, Any] = {"open_faults": left, "watched_until_ms": at("2026-11-24T04:59:00")}
        again = ByHand(late("tin"), boot=2, cached=frozenset(), civil="2026-11-24T05:30:00", **others)
        assert again.faults == [("silence", SLOT_SUBJECT)], "it goes on, and is not told twice"
        much_later = ByHand(late("tin"), boot=3, civil="2026-11-24T06:30:00", **others)
        assert much_later.faults == [] and much_later.told == [("tin", "missed", "power")]


def test_a_clock_that_is_set_back_before_the_instant_ends_the_silence() -> None:
    """What is not due yet cannot be missing."""
    station = ByHand(late("tin"), cached=frozenset())
    station.wait_until("2026-11-24T05:00:03")
    station.offset_ms -= 60_000
    station.wait(4_000)
    assert silences(station) == []


def test_the_next_cues_tell_why_the_audio_of_each_will_not_be_heard() -> None:
    """One has expired by then, one is rotten, one is on its way, one is well."""
    names = ("cu", "hong", "thieu", "tot")
    slots = [slot(name, f"0{5 + place}:00:00") for place, name in enumerate(names)]
    old = replace(bulletin("cu", 60), expires="2026-11-23T22:00:30Z")
    document = programme(slots, [old])
    station = ByHand(document, cached=frozenset(audio_of(document) - {sha("thieu")}))
    station.folder.discard(sha("hong"))
    station.tell(events.AudioLost(sha("hong"), "rotten"))
    cues = station.station.snapshot(station.now()).next_cues[:4]

    assert [(cue.title, cue.audio_ready, cue.lack and cue.lack.value) for cue in cues] == [
        ("cu", False, "expired"),
        ("hong", False, "rotten"),
        ("thieu", False, "no-audio"),
        ("tot", True, None),
    ]
