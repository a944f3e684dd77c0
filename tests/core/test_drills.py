"""Exercise and Test: the way of an actual alert, told as drills before and after, and never taken for real."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.core.material import SETTINGS, alert, only, recording, said
from tests.core.test_alerts import KHO_AND_VI, MISHAP, SUBJECT, Village, again, judge
from tests.core.test_speech import VOICES, Speaking, sha_of, text
from tests.core.test_station import assert_no_switch_under_sound
from ttcs_edge.core import effects, events
from ttcs_edge.core.alerts import STANDING_AFTER_START_MS, TONE_MOST_MS
from ttcs_edge.core.documents import Alert
from ttcs_edge.core.drills import PHRASES, phrase
from ttcs_edge.core.effects import StartSound
from ttcs_edge.core.model import AsRun, Utterance, Zone, ZoneId
from ttcs_edge.core.zone_names import names_of

BEFORE, TONE, WORDS, AFTER = "before-vi", "tone", "vi", "after-vi"
WHOLE = [BEFORE, TONE, WORDS, AFTER]


def drill(name: str = "lu-quet", status: str = "Exercise", **others: Any) -> Alert:
    """A drill of an alert that is only written."""
    return alert(name, status=status, **({"info": (text(),)} | others))


def parts(village: Village, name: str = "lu-quet") -> list[str]:
    """Which parts of an alert were heard whole, in order."""
    return [part(one) for one in records(village) if part_of(one, name) and one.reason is None]


def missed(village: Village, name: str = "lu-quet") -> list[tuple[str, str]]:
    """Which were not, and why."""
    return [(part(one), one.reason.value) for one in records(village) if part_of(one, name) and one.reason]


def records(village: Village) -> list[AsRun]:
    """The as-run log."""
    return [entry.record for entry in village.entries(effects.AsRunClosed)]


def part(record: AsRun) -> str:
    """What of a round it is."""
    return record.occurrence.local.partition("-")[2]


def part_of(record: AsRun, name: str) -> bool:
    """Whether it is of this alert."""
    return record.occurrence.slot == f"alert:{name}"


@pytest.mark.parametrize("status", ["Exercise", "Test"])
def test_a_drill_is_told_as_one_before_its_tone_and_behind_its_words(status: str) -> None:
    """Parts of the same row, on the same way, in records and receipts like all the others."""
    village = Speaking()
    village.hear(drill(status=status))
    village.live(60_000)

    assert parts(village) == WHOLE
    starts = [effect for _, effect in village.log if isinstance(effect, StartSound)]
    before, after = (phrase(status, "vi", after=after) for after in (False, True))
    assert [start.items[0].sha256 for start in starts if start.items[0].language != "zxx"] == [
        sha_of(before),
        sha_of(Utterance("vi", "Lũ quét.")),
        sha_of(after),
    ]
    assert village.receipts == [(1, "accepted", ()), (1, "on-air", ()), (1, "heard", ())]
    assert {zones for _, _, zones in village.heard} == {("cho", "dinh")}
    assert [one.title for one in records(village)] == [before.text, "Lũ quét", "Lũ quét", after.text]


def test_an_actual_alert_is_announced_by_nothing_but_its_tone() -> None:
    """And what is actual differs in nothing else."""
    village = Speaking()
    village.hear(drill(status="Actual"))
    village.live(60_000)
    assert parts(village) == [TONE, WORDS]


def test_each_people_is_told_in_its_language_where_there_are_words_for_it_and_else_in_vietnamese() -> None:
    zones = (
        Zone(ZoneId("cho"), "Chợ", ("vi", "en-GB")),
        Zone(ZoneId("buon"), "Buôn", ("kpm",)),
        Zone(ZoneId("hotel"), "Khách sạn", ("en-GB",)),
    )
    village = Speaking(settings=replace(SETTINGS, zones=zones))
    village.hear(drill(info=(text(), text("en-GB", "Flood"), said("kpm.1", "kpm"))))
    village.live(120_000)

    assert [(part(one), tuple(sorted(one.zones))) for one in records(village)] == [
        ("before-vi", ("buon", "cho")),
        ("before-en", ("cho", "hotel")),
        ("tone", ("buon", "cho", "hotel")),
        ("vi", ("cho",)),
        ("en-GB", ("cho", "hotel")),
        ("kpm", ("buon",)),
        ("after-vi", ("buon", "cho")),
        ("after-en", ("cho", "hotel")),
    ]
    assert missed(village) == []


def test_nothing_of_a_drill_is_heard_before_it_was_told_as_one() -> None:
    """Its recording is there, its tone is there: they wait until it is spoken, for nobody may take them for real."""
    village = Speaking(takes_ms=8_000)
    village.hear(drill(info=(said("lu-quet.vi"),)))
    village.live(7_500)
    assert village.names == []
    silence = village.station.faults.open["silence", SUBJECT]
    assert silence.detail == (("reason", "no-audio"),), "what is not there is told, not what waits for it"
    village.live(60_000)
    assert parts(village) == WHOLE
    assert village.faults == []


def test_where_nobody_speaks_vietnamese_it_is_told_in_what_can_be_spoken() -> None:
    """Its own people's language has no words for it here."""
    zones = (Zone(ZoneId("buon"), "Buôn", ("kpm",)),)
    village = Speaking(settings=replace(SETTINGS, zones=zones), voices=frozenset({"en"}))
    village.fails["vi"] = "no-voice"
    village.hear(drill(info=(said("kpm.1", "kpm"),)))
    village.live(60_000)
    assert parts(village) == ["before-en", "tone", "kpm", "after-en"]


def test_its_tone_goes_on_while_its_words_are_fetched() -> None:
    """As that of an actual alert does, though its end could be told at once."""
    village = Speaking()
    village.hear(drill(info=(said("lu-quet.vi"),)), audio=False)
    village.live(22_000)
    village.tell(events.AudioStored(recording("lu-quet.vi", 10).sha256))
    village.live(60_000)
    assert village.names == ["lu-quet.vi", *["tone-Severe.zxx"] * 3, "lu-quet.vi", "lu-quet.vi"]
    assert parts(village) == WHOLE


def test_a_drill_that_cannot_be_told_as_one_is_not_heard_and_that_is_what_it_shows() -> None:
    village = Speaking(voices=frozenset())
    village.fails["vi"] = "no-voice"
    village.hear(drill(info=(said("lu-quet.vi"),)))
    village.live(60_000)

    assert village.names == []
    reasons = tuple((name, "no-voice") for name in WHOLE)
    assert sorted(missed(village)) == sorted(reasons)
    version, state, told = village.receipts[-1]
    assert (version, state, sorted(told)) == (1, "failed", sorted(reasons))
    assert ("no-voice", "speech:vi") in village.faults


def test_if_nobody_answers_it_is_given_up_after_a_minute() -> None:
    """A voice that hangs must not leave an alarm of today for tomorrow."""
    village = Speaking(takes_ms=10**9)
    village.hear(drill(info=(said("lu-quet.vi"),)))
    village.live(2 * TONE_MOST_MS)
    assert village.names == []
    assert sorted(missed(village)) == sorted((name, "no-audio") for name in WHOLE)


def test_a_round_waits_for_its_announcement_though_the_next_is_due() -> None:
    """It is on its way: the next one comes behind it."""
    village = Speaking(takes_ms=40_000)
    village.hear(drill(info=(said("lu-quet.vi"),), repeat_s=30))
    village.live(31_000)
    assert (village.names, missed(village)) == ([], [])
    village.live(45_000)
    assert parts(village)[:4] == WHOLE


def test_one_language_in_which_it_was_told_is_enough() -> None:
    zones = (Zone(ZoneId("cho"), "Chợ", ("vi", "en")),)
    village = Speaking(settings=replace(SETTINGS, zones=zones))
    village.fails["en"] = "speech-failed"
    village.hear(drill(info=(text(), said("en.1", "en"))))
    village.live(120_000)
    assert parts(village) == ["before-vi", "tone", "vi", "en", "after-vi"]
    assert sorted(missed(village)) == [("after-en", "speech-failed"), ("before-en", "speech-failed")]


def test_its_end_is_told_behind_words_that_come_late() -> None:
    village = Speaking(settings=KHO_AND_VI)
    village.hear(drill(info=(said("lu-quet.kho", "kho"), text())), audio=False)
    village.live(30_000)
    assert parts(village)[:3] == [BEFORE, TONE, WORDS]
    village.tell(events.AudioStored(recording("lu-quet.kho", 10).sha256))
    village.live(60_000)
    assert parts(village) == [BEFORE, TONE, WORDS, "kho", AFTER]


def test_words_that_do_not_come_within_the_time_of_the_tone_are_missed_and_its_end_is_told() -> None:
    """That they are not there in time is what a drill is to find out."""
    village = Speaking(settings=KHO_AND_VI)
    village.hear(drill(info=(said("lu-quet.kho", "kho"), text())), audio=False)
    village.live(3 * TONE_MOST_MS)
    assert parts(village) == [BEFORE, TONE, WORDS, AFTER]
    assert missed(village) == [("kho", "no-audio")]
    assert village.receipts[-1] == (1, "failed", (("kho", "no-audio"),))


def test_an_actual_alert_takes_the_air_from_a_drill_in_its_middle() -> None:
    """What is left of the drill comes behind it, and its end last."""
    village = Speaking()
    village.hear(drill(severity="Extreme"))
    village.live(11_000)
    assert parts(village) == [BEFORE]
    village.hear(alert("that", severity="Minor", info=(text(headline="Lũ thật"),)))
    village.live(120_000)
    assert [name.partition(".")[0] for name in village.names] == [
        *("lu-quet", "tone-Extreme"),
        *("tone-Minor", "that"),
        *("tone-Extreme", "lu-quet", "lu-quet"),
    ]
    assert parts(village) == WHOLE


def test_after_a_power_cut_the_rest_of_a_drill_is_heard_to_its_end() -> None:
    village = Speaking()
    village.hear(drill())
    village.live(17_000)
    assert parts(village) == [BEFORE, TONE]
    later = again(village, civil="2026-11-24T04:01:00")
    for effect in only([effect for _, effect in later.log], effects.Speak):
        for one in effect.wanted:
            later.tell(events.Spoken(one, sha_of(one), 264_600, 6_000))
    later.live(60_000)
    assert parts(later) == [WORDS, AFTER]


def test_what_is_said_around_drills_is_made_ahead_and_a_drill_then_asks_for_nothing() -> None:
    """Not in the first minute of a life; and it is kept, whatever comes and goes."""
    village = Speaking()
    village.live(STANDING_AFTER_START_MS - 1)
    assert [effect for _, effect in village.log if isinstance(effect, effects.Speak)] == []
    village.live(2_000)
    village.tell(events.TimePassed())
    asked = [effect.wanted for _, effect in village.log if isinstance(effect, effects.Speak)]
    names = set(names_of(village.station.settings, village.station.alerts.speech))
    around = {phrase(status, "vi", after=after) for status in PHRASES for after in (False, True)}
    assert set(asked[0]) == around | names
    village.hear(drill(info=(said("lu-quet.vi"),)))
    village.live(65 * 60_000)
    assert [effect.wanted for _, effect in village.log if isinstance(effect, effects.Speak)][-1] == ()
    assert parts(village) == WHOLE
    kept = [effect.keep for _, effect in village.log if isinstance(effect, effects.SetWanted)][-1]
    assert {sha_of(one) for one in asked[0]} <= kept


def test_a_cancel_of_a_drill_that_asks_to_be_heard_is_a_drill_too() -> None:
    village = Speaking()
    village.hear(drill())
    village.live(60_000)
    village.hear(drill(version=2, msg_type="Cancel", tell_cancel=True, info=(text(headline="Huỷ"),)))
    village.live(60_000)
    assert parts(village) == WHOLE * 2


def test_the_words_of_a_drill_are_there_in_every_language_that_has_any() -> None:
    for phrases in PHRASES.values():
        assert list(phrases) == ["vi", "en"]
        assert set(phrases) <= VOICES
        assert all(len(words) <= 200 and words.endswith(".") for pair in phrases.values() for words in pair)


DRILLED = st.tuples(
    st.just("warn"),
    st.sampled_from(["a", "b"]),
    st.sampled_from(["Alert", "Update", "Cancel"]),
    st.sampled_from(["Actual", "Exercise", "Test"]),
    st.sampled_from([0, 300]),
)
ANSWER = st.tuples(st.just("voice"), st.sampled_from(["", "speech-failed", "speech-too-slow"]))
OPS = st.tuples(st.one_of(DRILLED, DRILLED, MISHAP, ANSWER), st.sampled_from([10, 4_000, 9_000, 20_000, 200_000]))


@settings(max_examples=30, deadline=None)
@given(st.lists(OPS, min_size=3, max_size=12))
def test_whatever_happens_no_part_of_a_drill_is_heard_before_it_was_told_as_one(
    ops: list[tuple[tuple[Any, ...], int]],
) -> None:
    """Alerts that are real and drills, voices that fail, relays, players and clocks, in any order."""
    village = Speaking(settings=KHO_AND_VI)
    versions: dict[str, int] = {}
    for (kind, *given_), live_ms in ops:
        if kind == "warn":
            name, what, status, repeat_s = given_
            versions[name] = versions.get(name, 0) + 1
            info = (text(headline=f"Lũ {versions[name]}"), said("kho", "kho"))
            others = {"msg_type": what, "tell_cancel": True, "repeat_s": repeat_s, "info": info}
            village.hear(drill(name, status, version=versions[name], **others))
        elif kind != "voice":
            village.suffer(kind, *given_)
        else:
            village.fails = {"vi": given_[0]} if given_[0] else {}
        judge(village)
        village.live(live_ms)
        judge(village)
    village.live(45 * 60_000)
    assert_no_switch_under_sound(village)
    statuses = {(one.id, one.version): one.status for one in village.sent}
    told: set[tuple[str, int, str]] = set()
    opened = [entry.record for entry in village.entries(effects.AsRunOpened)]
    for record in opened:
        name, round_ = record.occurrence.slot.removeprefix("alert:"), record.occurrence.local.split(".")[1]
        row = (name, record.programme_version, round_)
        if part(record).startswith("before-"):
            told.add(row)
        assert statuses[row[:2]] == "Actual" or row in told, f"{record.occurrence} was taken for real"
