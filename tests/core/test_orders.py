"""What commands have a station do, and what never: each told to who gave it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.core.material import (
    HOUR_MS,
    SETTINGS,
    TEST_TONE,
    ByHand,
    alert,
    at,
    entries,
    moves,
    only,
    programme,
    signed,
    slot,
)
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import (
    Command,
    LogOrder,
    RestartOrder,
    StopOrder,
    ToneOrder,
    VolumeOrder,
)
from ttcs_edge.core.model import QuietHours, Scope
from ttcs_edge.core.orders import ANSWERED_WITHIN_MS
from ttcs_edge.core.trust import utc_text

STOP: dict[str, Any] = {"stop": StopOrder()}
RESTART: dict[str, Any] = {"restart": RestartOrder()}
TONE: dict[str, Any] = {"test_tone": ToneOrder(zone="cho", seconds=5)}
MORNING = programme([slot("tin", "05:00:00"), slot("nhac", "05:00:30")])


def on_air(*programmes: Any, **others: Any) -> ByHand:
    """Ten seconds into the first cue of the morning."""
    here = ByHand(*(programmes or (MORNING,)), **others)
    here.wait_until("2026-11-24T05:00:00")
    here.sound_begins()
    here.wait(10_000)
    return here


def warned(here: ByHand) -> ByHand:
    """An alert has the air."""
    here.warn(alert(sent=utc_text(here.wall_ms), expires=utc_text(here.wall_ms + HOUR_MS)))
    if here.station.desk.on_air is not None and here.station.desk.on_air.warning is None:
        here.sound_ends(False, 10_000)
    here.wait(5_000)
    here.sound_begins()
    assert here.station.desk.rows.warns_on_air
    return here


# stop


def test_a_stop_takes_the_cue_off_the_air_for_good_and_the_next_one_comes() -> None:
    """Faded out, told as part, stopped by command; the slot of half a minute later airs."""
    here = on_air()
    assert here.order(**STOP) == []
    assert moves(here.log)[-1][1] == "fade"
    here.sound_ends(False, 10_500)

    assert here.told == [("tin", "part", "stopped-by-command")]
    assert here.answers == [("stop", "done", None)]
    answer = only([effect for _, effect in here.log], effects.Answer)[-1]
    assert answer.correlation == b"c"
    assert dict(answer.detail) == {"occurrence": "vn/lam-dong#tin@2026-11-24T05:00:00", "title": "tin"}
    here.wait_until("2026-11-24T05:00:30")
    assert here.sound_begins().items[0].bulletin == "nhac"
    assert here.faults == []


def test_who_ordered_a_stop_is_told_behind_the_record_of_it() -> None:
    """Decision 1: what a station says it did is on disk."""
    here = on_air()
    here.order(**STOP)
    done = here.sound_ends(False, 10_500)

    kinds = [type(effect) for effect in done]
    assert kinds.index(effects.Record) < kinds.index(effects.Answer)
    assert next(type(entry) for entry in entries(done)) is effects.AsRunClosed


def test_a_stop_on_the_way_up_keeps_the_cue_from_the_air() -> None:
    """The amplifier warms up for it: it is missed, by command, and everything goes down again."""
    here = ByHand(
        MORNING, settings=replace(SETTINGS, zone_stagger_ms=2_000), civil="2026-11-24T05:00:00", trusted=False
    )
    here.trusted = True
    here.tell(events.TimePassed())
    assert here.station.desk.cues.claimed is not None and here.station.desk.on_air is None
    here.order(**STOP)

    assert here.told == [("tin", "missed", "stopped-by-command")]
    assert here.answers == [("stop", "done", None)]
    here.wait(20_000)
    assert not only([effect for _, effect in here.log], effects.StartSound)


def test_an_alert_is_not_stopped() -> None:
    """It has its own cancellation: refused, and it goes on; so does what it took the air from, later."""
    here = warned(on_air())
    assert [(one.outcome, one.reason) for one in here.order(**STOP)] == [("refused", "alert-on-air")]
    assert moves(here.log)[-1][1] == "sound"
    assert here.station.desk.rows.warns_on_air


def test_a_stop_in_silence_is_refused() -> None:
    """Also five minutes before a cue: it airs."""
    here = ByHand(MORNING, civil="2026-11-24T04:55:00")
    assert [(one.outcome, one.reason) for one in here.order(**STOP)] == [("refused", "nothing-on-air")]
    here.wait_until("2026-11-24T05:00:00")
    assert here.sound_begins().items[0].bulletin == "tin"


def test_a_cue_that_gives_way_to_an_alert_when_it_is_stopped_does_not_come_back() -> None:
    """Both at once: the alert has the air, and the cue is over."""
    here = on_air()
    here.warn(alert(sent=utc_text(here.wall_ms), expires=utc_text(here.wall_ms + HOUR_MS)))
    here.order(**STOP)
    here.sound_ends(False, 10_100)

    assert here.told == [("tin", "part", "stopped-by-command")]
    assert here.answers == [("stop", "done", None)]


# volume


def volume(here: ByHand, percent: int | None, zone: str | None = None, for_ms: int = HOUR_MS) -> list[effects.Answer]:
    """An order for the volume."""
    until = utc_text(here.wall_ms + for_ms)
    return here.order(volume=VolumeOrder(percent=percent, zone=zone, until=until))


def next_percent(here: ByHand, civil: str) -> int:
    """How loud the cue of an instant is."""
    here.wait_until(civil)
    command = here.sound_begins()
    here.sound_ends()
    return command.volume_percent


EVERY_MINUTE = programme(
    [slot(f"s{n}", f"05:{n:02}:00", "tin", zones=("cho",)) for n in range(0, 60, 10)]
    + [slot("both", "05:05:00", "tin")]
    + [slot("half", "05:15:00", "tin", zones=("cho",), volume_percent=50)]
)


def test_a_volume_counts_until_its_instant_and_then_the_config_does() -> None:
    """In its zone alone; with the slot's own; a cue for two zones is as the quieter one allows."""
    here = ByHand(EVERY_MINUTE, civil="2026-11-24T04:59:00")
    (answer,) = volume(here, 40, "cho", 20 * 60_000)
    assert (answer.outcome, answer.detail) == ("done", (("zones", "cho"),))

    assert next_percent(here, "2026-11-24T05:00:00") == 40
    assert next_percent(here, "2026-11-24T05:05:00") == 40
    assert next_percent(here, "2026-11-24T05:10:00") == 40
    assert next_percent(here, "2026-11-24T05:15:00") == 20
    assert next_percent(here, "2026-11-24T05:20:00") == 100
    assert here.station.snapshot(here.now()).volumes == ()


def test_a_volume_of_all_zones_and_back() -> None:
    """The config says 100 and 50; the order 80 and 80; without percent it is the config again."""
    here = ByHand(EVERY_MINUTE, civil="2026-11-24T05:04:00")
    volume(here, 80)
    assert [(one.zone, one.percent) for one in here.station.snapshot(here.now()).volumes] == [("cho", 80), ("dinh", 80)]
    assert next_percent(here, "2026-11-24T05:05:00") == 80
    volume(here, None)
    assert next_percent(here, "2026-11-24T05:10:00") == 100
    assert here.station.snapshot(here.now()).volumes == ()


def test_a_volume_comes_back_with_a_start() -> None:
    """What was put on disk with its floor, for each zone, is all that the next life needs."""
    here = ByHand(EVERY_MINUTE, civil="2026-11-24T04:59:00")
    volume(here, 30)
    kept = here.entries(effects.VolumeOrdered)
    assert [entry.zone for entry in kept] == ["cho", "dinh"]
    record = next(effect for _, effect in here.log if isinstance(effect, effects.Record) and kept[0] in effect.entries)
    assert any(isinstance(entry, effects.FloorRaised) for entry in record.entries)

    command = here.station.volumes.orders[SETTINGS.zones[0].id]
    again = ByHand(EVERY_MINUTE, civil="2026-11-24T04:59:30", volumes=((SETTINGS.zones[0].id, command),))
    assert next_percent(again, "2026-11-24T05:00:00") == 30


def test_a_volume_counts_at_once_for_what_is_on_the_air_and_so_does_its_end() -> None:
    """Turned, neither stopped nor begun anew; not for another zone, and once for each change."""
    here = ByHand(EVERY_MINUTE, civil="2026-11-24T04:59:00")
    here.wait_until("2026-11-24T05:00:00")
    play = here.sound_begins().play
    for percent, zone in ((10, "dinh"), (40, "cho"), (40, "cho")):
        assert turned(here) == [] or percent == 40
        volume(here, percent, zone, 10_000)
        here.wait(1_000)
    assert turned(here) == [effects.SetVolume(play, 40)]
    here.wait(11_000)

    assert turned(here) == [effects.SetVolume(play, 40), effects.SetVolume(play, 100)]
    assert len(only([effect for _, effect in here.log], effects.StartSound)) == 1


def turned(here: ByHand) -> list[effects.SetVolume]:
    """How what is on the air was turned."""
    return only([effect for _, effect in here.log], effects.SetVolume)


def test_no_volume_lowers_an_alert() -> None:
    """air-5: never whispered, whatever was ordered, before it or while it is heard."""
    here = ByHand(EVERY_MINUTE, civil="2026-11-24T04:30:00")
    volume(here, 0)
    warned(here)
    assert only([effect for _, effect in here.log], effects.StartSound)[-1].volume_percent == 100
    volume(here, 20)
    assert turned(here) == []


def test_a_volume_of_a_zone_that_is_not_there_is_refused_and_not_kept() -> None:
    """A mistyped name must not look as if it had been done."""
    here = ByHand(EVERY_MINUTE)
    (answer,) = volume(here, 10, "khong-co")
    assert (answer.outcome, answer.reason, answer.detail) == ("refused", "unknown-zone", (("zone", "khong-co"),))
    assert here.entries(effects.VolumeOrdered) == []


# test tone


def test_a_test_tone_is_heard_in_its_zone_and_told() -> None:
    """Under way, then done when all of it was heard; the log has a record of it, and no slot has a fault."""
    here = ByHand(MORNING)
    assert [one.outcome for one in here.order(**TONE)] == ["under-way"]
    here.wait(5_000)
    command = here.sound_begins()
    here.sound_ends()

    assert command.items == (TEST_TONE,) * 5
    assert [word for _, word in moves(here.log)] == ["amplifier on", "cho closed", "sound", "cho open"]
    assert here.told == [("command:test-tone", "aired", None)]
    assert here.answers == [("test_tone", "under-way", None), ("test_tone", "done", None)]
    assert here.faults == []
    here.wait(HOUR_MS // 2)
    assert here.station.desk.playout.quiescent


def test_a_test_tone_waits_for_nothing_and_nothing_waits_for_it() -> None:
    """Refused fifteen seconds before a cue, during one, and in quiet hours; the cue begins to the millisecond."""
    here = ByHand(MORNING, settings=replace(SETTINGS, quiet_hours=(QuietHours(21 * 60, 4 * 60),)))
    here.wait_until("2026-11-24T04:59:45")
    assert [(one.outcome, one.reason) for one in here.order(**TONE)] == [("refused", "due-soon")]
    here.wait_until("2026-11-24T05:00:00")
    assert here.sound_begins().at_mono_ms + here.offset_ms == at("2026-11-24T05:00:00")
    assert [(one.outcome, one.reason) for one in here.order(**TONE)] == [("refused", "air-taken")]

    late = ByHand(settings=here.station.settings, civil="2026-11-24T22:00:00")
    assert [(one.outcome, one.reason) for one in late.order(**TONE)] == [("refused", "quiet-hours")]
    late.wait(HOUR_MS)
    assert moves(late.log) == []


def test_an_alert_takes_the_air_from_a_test_tone_which_does_not_come_back() -> None:
    """Told as heard in part; the answer says why."""
    here = ByHand()
    here.order(**TONE)
    here.wait(5_000)
    here.sound_begins()
    here.wait(1_000)
    here.warn(alert(sent=utc_text(here.wall_ms), expires=utc_text(here.wall_ms + HOUR_MS)))
    here.sound_ends(False, 1_000, 100, 0, 0, 0)

    assert here.told == [("command:test-tone", "part", "pre-empted")]
    assert here.answers[-1] == ("test_tone", "failed", "pre-empted")
    here.wait(10_000)
    assert here.sound_begins().items[0].bulletin.startswith("tone-")


def test_an_alert_that_comes_on_the_way_up_is_heard_in_place_of_the_test_tone() -> None:
    """It never sounds at all."""
    here = ByHand()
    here.order(**TONE)
    here.warn(alert(sent=utc_text(here.wall_ms), expires=utc_text(here.wall_ms + HOUR_MS)))
    assert here.told == [("command:test-tone", "missed", "pre-empted")]
    here.wait(10_000)
    assert here.sound_begins().items[0].bulletin.startswith("tone-")


@pytest.mark.parametrize(("failure", "reason"), [("audio-lost", "no-audio"), ("not-audio", "not-audio")])
def test_a_test_tone_that_cannot_be_played_is_not_tried_again(failure: str, reason: str) -> None:
    """The answer tells; no fault of a slot that nobody has."""
    here = ByHand()
    here.order(**TONE)
    here.wait(5_000)
    here.sound_ends(False, 0, 0, 0, 0, 0, failure=failure)

    assert here.told == [("command:test-tone", "missed", reason)]
    assert here.answers[-1] == ("test_tone", "failed", reason)
    assert here.faults == []
    here.wait(HOUR_MS)
    assert len(only([effect for _, effect in here.log], effects.StartSound)) == 1


def test_a_test_tone_without_a_player_is_given_up_within_seconds() -> None:
    """And is not heard when the player comes back, at an hour that nobody chose."""
    here = ByHand()
    here.tell(events.PlayerGone("died", 0))
    here.order(**TONE)
    here.wait(20_000)
    assert here.answers[-1] == ("test_tone", "failed", "player-died")
    here.tell(events.PlayerReady("by hand", 2))
    here.wait(60_000)
    assert not only([effect for _, effect in here.log], effects.StartSound)


def test_a_clock_that_is_set_back_keeps_no_test_tone_for_later() -> None:
    """Its instant is the moment of the order, whatever the clock says."""
    here = ByHand()
    here.tell(events.PlayerGone("died", 0))
    here.order(**TONE)
    here.offset_ms -= 24 * HOUR_MS
    here.wait(20_000)
    assert here.answers[-1] == ("test_tone", "failed", "player-died")
    assert here.station.desk.cues.waiting == {}


def test_a_programme_that_changes_does_not_touch_a_test_tone() -> None:
    """It is nobody's slot."""
    here = ByHand(MORNING)
    here.order(**TONE)
    here.wait(5_000)
    here.sound_begins()
    here.arrive(replace(MORNING, version=2))
    assert moves(here.log)[-1][1] == "sound"
    here.sound_ends()
    assert here.told == [("command:test-tone", "aired", None)]


def test_a_test_tone_in_a_zone_that_is_not_there_is_refused() -> None:
    """The zones of a station are in its own config."""
    here = ByHand()
    (answer,) = here.order(test_tone=ToneOrder(zone="khong-co", seconds=5))
    assert (answer.outcome, answer.reason) == ("refused", "unknown-zone")


def test_a_stop_ends_a_test_tone_and_both_are_told() -> None:
    """Whoever asked for the tone, and whoever stopped it."""
    here = ByHand()
    here.order(b"tone", **TONE)
    here.wait(5_000)
    here.sound_begins()
    here.wait(1_000)
    here.order(b"stop", **STOP)
    here.sound_ends(False, 1_000, 0, 0, 0, 0)

    answers = only([effect for _, effect in here.log], effects.Answer)
    assert [(one.correlation, one.outcome, one.reason) for one in answers] == [
        (b"tone", "under-way", None),
        (b"tone", "failed", "stopped-by-command"),
        (b"stop", "done", None),
    ]


# restart


def checked(here: ByHand, *problem: tuple[str, str]) -> list[effects.Answer]:
    """The config was looked at."""
    (check,) = only([effect for _, effect in here.log], effects.CheckConfig)
    return only(here.tell(events.ConfigChecked(check.command, problem)), effects.Answer)


def test_a_restart_fades_out_and_leaves_once_its_answer_is_gone() -> None:
    """The config is looked at first; what is on the air is told as stopped; every relay is open."""
    here = on_air()
    assert here.order(**RESTART) == []
    (answer,) = checked(here)
    assert (answer.outcome, answer.leaving, dict(answer.detail)) == ("under-way", True, {"boot": "1"})
    here.wait(1_000)
    assert not here.station.stopping
    here.tell(events.AnswerGone(answer.command))
    assert moves(here.log)[-1][1] == "fade"
    here.sound_ends(False, 11_000)
    here.wait(5_000)

    assert here.left
    assert here.told == [("tin", "part", "stopped")]
    assert [word for _, word in moves(here.log)][-3:] == ["dinh open", "cho open", "amplifier off"]


def test_a_restart_does_not_wait_for_ever_for_its_answer() -> None:
    """A link that hangs is a reason to start anew."""
    here = ByHand(MORNING)
    here.order(**RESTART)
    checked(here)
    here.wait(ANSWERED_WITHIN_MS)
    assert here.left


def test_a_config_that_no_start_would_take_is_told_and_the_station_stays() -> None:
    """It would leave and never come back: only somebody at the pole could mend it."""
    here = on_air()
    here.order(**RESTART)
    (answer,) = checked(here, ("file", "station.yaml"), ("line", "3"), ("key", "zones"), ("problem", "missing"))
    assert (answer.outcome, answer.reason, answer.detail[1]) == ("failed", "bad-config", ("line", "3"))
    here.wait(60_000)
    assert not here.left
    assert here.station.orders.checking is None


def test_no_restart_while_an_alert_is_heard() -> None:
    """Not before it, not when it comes while the config is looked at, and not when it comes behind the answer."""
    here = warned(ByHand(MORNING))
    assert [(one.outcome, one.reason) for one in here.order(**RESTART)] == [("refused", "alert-on-air")]
    assert not only([effect for _, effect in here.log], effects.CheckConfig)

    meanwhile = ByHand(MORNING)
    meanwhile.order(**RESTART)
    warned(meanwhile)
    assert [(one.outcome, one.reason) for one in checked(meanwhile)] == [("refused", "alert-on-air")]

    behind = ByHand(MORNING)
    behind.order(**RESTART)
    checked(behind)
    warned(behind)
    behind.wait(ANSWERED_WITHIN_MS)
    assert not behind.station.stopping
    behind.sound_ends()
    behind.wait(1_000)
    behind.sound_begins()
    behind.sound_ends()
    behind.wait(5_000)
    assert behind.left


def test_an_alert_that_lacks_all_that_could_be_heard_of_it_keeps_nobody_from_a_restart() -> None:
    """No player, no sound: a restart may be what mends it."""
    here = ByHand(MORNING)
    here.tell(events.PlayerGone("hung", 0))
    here.warn(alert(sent=utc_text(here.wall_ms), expires=utc_text(here.wall_ms + HOUR_MS)))
    assert here.order(**RESTART) == []
    assert [one.outcome for one in checked(here)] == ["under-way"]
    here.wait(ANSWERED_WITHIN_MS)
    assert here.left


def test_a_second_restart_is_refused_while_the_first_is_under_way() -> None:
    """One is enough."""
    here = ByHand(MORNING)
    here.order(b"1", **RESTART)
    here.wait(1_000)
    assert [(one.outcome, one.reason) for one in here.order(b"2", **RESTART)] == [("refused", "restarting")]
    assert [one.correlation for one in checked(here)] == [b"1"]


def test_a_word_about_a_config_that_nobody_asked_for_changes_nothing() -> None:
    """An answer from before."""
    here = ByHand(MORNING)
    assert only(here.tell(events.ConfigChecked(5)), effects.Answer) == []
    here.tell(events.AnswerGone(5))
    here.wait(10_000)
    assert not here.left


# log, and what holds of all


def test_a_log_is_read_by_the_shell() -> None:
    """Behind the floor."""
    here = ByHand()
    here.order(log=LogOrder(lines=50))
    (wanted,) = only([effect for _, effect in here.log], effects.SendLog)
    assert (wanted.correlation, wanted.lines) == (b"c", 50)


@pytest.mark.parametrize("action", [STOP, TONE, RESTART], ids=["stop", "tone", "restart"])
def test_a_command_that_comes_again_is_not_done_again(action: dict[str, Any]) -> None:
    """never-6: by the broker's word it was obeyed; without that word it is a replay, refused and answered so."""
    here = on_air(programme([slot("tin", "05:00:00")])) if action is STOP else ByHand()
    command = Command(
        scope=Scope("vn/lam-dong"),
        station="da-teh-01",
        version=here.wall_ms,
        issued=utc_text(here.wall_ms),
        expires=utc_text(here.wall_ms + HOUR_MS),
        **action,
    )
    here.tell(events.CommandArrived(signed(command), 1, False, False, b"c"))
    before = len(here.log)
    again = here.tell(events.CommandArrived(signed(command), 2, False, True, b"c"))
    replayed = here.tell(events.CommandArrived(signed(command), 3, False, False, b"x"))

    assert only(again, effects.Answer) == []
    assert [(one.correlation, one.outcome, one.reason) for one in only(replayed, effects.Answer)] == [
        (b"x", "refused", "old-version")
    ]
    assert not [one for _, one in here.log[before:] if isinstance(one, effects.CheckConfig | effects.StopSound)]
    assert len(here.entries(effects.FloorRaised)) == 1
