"""What is told of a cue is what was written to the sound device (never-9), and how it ended (air-2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.core.material import ByHand, at, audio_of, bulletin, entries, occurrence, only, programme, slot
from ttcs_edge.core import effects, events
from ttcs_edge.core.asrun import CODEC_CUT_MS, LENGTH_TOLERANCE_MS, Airing, close_cut
from ttcs_edge.core.model import (
    AiredItem,
    AsRun,
    AsRunReason,
    AudioItem,
    Cue,
    IfInterrupted,
    Outcome,
    Sha256,
    WallMs,
    ZoneId,
)


def airing(*durations_ms: int) -> Airing:
    """A cue of items of these lengths, about to be played."""
    items = tuple(
        AudioItem(f"b{n}", "vi", Sha256(str(n) * 64), 1_000, duration_ms) for n, duration_ms in enumerate(durations_ms)
    )
    planned_ms = at("2026-11-24T05:00:00")
    cue = Cue(
        occurrence("a", "2026-11-24T05:00:00"),
        "A",
        planned_ms,
        planned_ms,
        (5,),
        (ZoneId("cho"),),
        ("a",),
        items,
        100,
        IfInterrupted.RESUME,
        1,
    )
    return Airing(cue, id="1-a1")


def on_the_air(*seconds: float) -> ByHand:
    """A station whose cue of such bulletins has just begun to sound."""
    names = [f"b{number}" for number in range(len(seconds))]
    bulletins = [bulletin(name, length_s) for name, length_s in zip(names, seconds, strict=True)]
    station = ByHand(programme([slot("a", "05:00:00", *names)], bulletins))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    return station


def test_a_whole_cue_is_told_with_all_that_it_was() -> None:
    """Planned and real times, zones, language, bytes and hash of what aired."""
    station = on_the_air(60)
    station.wait(60_000)
    station.sound_ends(True, 59_926)

    (closed,) = station.entries(effects.AsRunClosed)
    planned_ms = at("2026-11-24T05:00:00")
    (item,) = programme([slot("b0", "05:00:00")]).bulletins[0].audio
    assert closed.record == AsRun(
        id="1-a1",
        occurrence=occurrence("a", "2026-11-24T05:00:00"),
        title="b0",
        programme_version=1,
        planned_start_ms=planned_ms,
        planned_end_ms=WallMs(planned_ms + 60_000),
        start_ms=planned_ms,
        end_ms=WallMs(planned_ms + 60_000),
        zones=(ZoneId("cho"), ZoneId("dinh")),
        items=(AiredItem("b0", "vi", item.sha256, 1_000, 60_000, 59_926),),
        outcome=Outcome.AIRED,
        reason=None,
        interruptions=0,
    )
    (opened,) = station.entries(effects.AsRunOpened)
    assert opened.record.id == closed.record.id and opened.record.outcome is None


@pytest.mark.parametrize(
    ("written_ms", "outcome"),
    [
        ((60_000, 30_000), ("aired", None)),
        ((60_000 - LENGTH_TOLERANCE_MS, 30_000 - LENGTH_TOLERANCE_MS), ("aired", None)),
        ((60_000 - LENGTH_TOLERANCE_MS - 1, 30_000), ("part", "sound-device")),
        ((60_000, 0), ("part", "sound-device")),
        ((0, 30_000), ("part", "sound-device")),
        ((60_500, 29_000), ("part", "sound-device")),
    ],
)
def test_completed_is_believed_only_when_every_item_was_written_for_its_whole_length(
    written_ms: tuple[int, int], outcome: tuple[str, str | None]
) -> None:
    """never-9: the player's word alone makes nothing aired; one item's surplus does not make up for another's lack."""
    station = on_the_air(60, 30)
    station.wait(90_000)
    station.sound_ends(True, *written_ms)

    assert station.told == [("a", *outcome)]


def test_an_item_shorter_than_the_tolerance_still_must_be_written() -> None:
    """never-9: a jingle of 200 ms of which nothing was written is not aired."""
    station = on_the_air(0.2)
    station.sound_ends(True, 0)
    assert station.told == [("a", "part", "sound-device")]

    station = on_the_air(0.2)
    station.sound_ends(True, 126)
    assert station.told == [("a", "aired", None)]


def test_a_cue_that_never_sounded_is_missed_and_has_no_times() -> None:
    """The device refused it: no start, no end, nothing written, and the reason."""
    station = ByHand(programme([slot("a", "05:00:00")]))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_ends(False, 0, failure="sound-device")
    assert station.told == [], "it may be back within a moment"
    station.wait(3_001)

    (closed,) = station.entries(effects.AsRunClosed)
    record = closed.record
    assert (record.outcome, record.reason) == (Outcome.MISSED, AsRunReason.SOUND_DEVICE)
    assert (record.start_ms, record.end_ms) == (None, None)
    assert [item.written_ms for item in record.items] == [0]
    assert station.entries(effects.AsRunOpened) == []


def test_a_cue_is_opened_on_disk_when_it_sounds_and_only_once_whatever_interrupts_it() -> None:
    """never-5: one record in the making, however many plays it takes."""
    station = on_the_air(60)
    for _ in range(2):
        station.wait(5_000)
        station.tell(events.PlayerGone("died", 5_000))
        station.tell(events.PlayerReady("by hand", 1))
        station.sound_begins()
    station.wait(50_000)
    station.sound_ends(True, 50_000)

    assert [entry.record.id for entry in station.entries(effects.AsRunOpened)] == ["1-a1"]
    assert station.told == [("a", "aired", None)]
    assert station.entries(effects.AsRunClosed)[0].record.interruptions == 2


def test_the_real_start_is_that_of_the_first_period_and_not_of_the_message_about_it() -> None:
    """The message took 80 ms to come; the start did not."""
    station = ByHand(programme([slot("a", "05:00:00")]))
    station.wait_until("2026-11-24T05:00:00")
    begun_ms = station.mono_ms
    station.wait(80)
    station.tell(events.SoundStarted(1, begun_ms * 1_000_000))

    assert station.entries(effects.AsRunOpened)[0].record.start_ms == at("2026-11-24T05:00:00")


def test_words_about_a_play_that_is_over_change_nothing() -> None:
    """A late SoundEnded or SoundStarted of an earlier play is not taken for the present one."""
    station = on_the_air(60)
    before = station.station.snapshot(station.now())
    for event in (
        events.SoundEnded(0, True, (60_000,), None),
        events.SoundEnded(99, False, (1,), "sound-device"),
        events.SoundStarted(99, 1),
    ):
        assert entries(station.tell(event)) == []
    assert station.station.snapshot(station.now()) == before


def test_an_interruption_resumes_where_the_samples_ended_and_the_record_adds_up() -> None:
    """air-2, never-9: two plays of one item make one whole."""
    station = on_the_air(60)
    station.wait(20_000)
    station.tell(events.PlayerGone("hung", 19_900))
    (start,) = only(station.tell(events.PlayerReady("by hand", 1)), effects.StartSound)
    assert (start.from_ms, start.play) == (19_900, 2)
    station.sound_begins()
    station.wait(40_000)
    station.sound_ends(True, 40_100)

    assert station.told == [("a", "aired", None)]
    assert [item.written_ms for item in station.entries(effects.AsRunClosed)[0].record.items] == [60_000]


def test_a_restart_forgets_what_was_written_before() -> None:
    """never-9: fifty seconds and then ten are not sixty."""
    station = ByHand(programme([slot("a", "05:00:00", if_interrupted="restart")]))
    station.wait_until("2026-11-24T05:00:00")
    station.sound_begins()
    station.wait(50_000)
    station.tell(events.PlayerGone("died", 50_000))
    (start,) = only(station.tell(events.PlayerReady("by hand", 1)), effects.StartSound)
    assert start.from_ms == 0
    station.sound_begins()
    station.wait(10_000)
    station.sound_ends(True, 10_000)

    assert station.told == [("a", "part", "sound-device")]
    assert [item.written_ms for item in station.entries(effects.AsRunClosed)[0].record.items] == [10_000]


@given(st.lists(st.integers(1, 5_000), min_size=1, max_size=5), st.data())
def test_a_position_in_the_whole_is_attributed_to_the_items_by_their_lengths(
    durations_ms: list[int], data: st.DataObject
) -> None:
    """A player that died told one figure: the items come to that figure, and none has more than its length."""
    cue = airing(*durations_ms)
    total_ms = sum(durations_ms)
    cue.position_ms = data.draw(st.integers(0, total_ms))
    written_ms = data.draw(st.integers(0, total_ms - cue.position_ms))
    cue.begin_play(1, (ZoneId("cho"),))
    cue.end_play_at(written_ms)

    assert sum(cue.written_ms) == written_ms
    assert all(wrote <= whole for wrote, whole in zip(cue.written_ms, durations_ms, strict=True))
    assert cue.play_from_ms + written_ms <= cue.position_ms <= cue.play_from_ms + written_ms + CODEC_CUT_MS
    assert cue.position_ms <= total_ms


def test_what_a_codec_cut_off_does_not_shift_what_comes_behind() -> None:
    """An item written whole but for 74 ms is behind the position by its declared length."""
    cue = airing(10_000, 10_000, 10_000)
    cue.begin_play(1, ())
    cue.end_play((9_926, 9_926, 3_000))

    assert cue.position_ms == 23_000
    assert cue.written_ms == [9_926, 9_926, 3_000]
    assert not cue.whole and not cue.over


def test_a_bad_item_is_passed_over_and_the_last_one_ends_the_cue() -> None:
    """The position jumps behind the item that stands at it; behind the last there is nothing to go on with."""
    cue = airing(10_000, 20_000, 30_000)
    cue.begin_play(1, ())
    cue.end_play((9_926, 0, 0))
    assert cue.pass_over_bad_item() and cue.position_ms == 30_000
    cue.begin_play(2, ())
    cue.end_play((0, 0, 29_926))
    assert cue.shortfall is AsRunReason.NOT_AUDIO

    last = airing(10_000, 20_000)
    last.begin_play(1, ())
    last.end_play((9_926, 5_000))
    assert not last.pass_over_bad_item()


def test_what_a_death_left_open_is_closed_as_cut_at_the_last_instant_known() -> None:
    """never-5: the end is when the station was last known to live, and never before the start."""
    record = replace(airing(60_000).open_record(), start_ms=at("2026-11-24T05:00:00"))
    later = close_cut(record, at("2026-11-24T05:00:20"))
    assert (later.outcome, later.reason) == (Outcome.CUT, AsRunReason.POWER)
    assert later.end_ms == at("2026-11-24T05:00:20")
    assert close_cut(record, at("2026-11-24T04:59:00")).end_ms == record.start_ms
    assert close_cut(record, None).end_ms == record.start_ms


def test_the_position_of_a_cue_on_the_air_is_kept_once_a_second_and_a_death_is_told_from_there() -> None:
    """Two items, ten progresses a second: the log of a power cut is short of the truth by a second at the most."""
    station = on_the_air(4, 30)
    play = only([effect for _, effect in station.log], effects.StartSound)[-1].play
    for written_ms in range(100, 7_301, 100):
        station.wait(100)
        station.tell(events.SoundProgress(play, written_ms, -20.0, -3.0, 0))
    kept = station.entries(effects.AsRunPosition)

    assert [entry.record.items[0].written_ms for entry in kept] == [1_000, 2_000, 3_000, 4_000, 4_000, 4_000, 4_000]
    assert [entry.record.items[1].written_ms for entry in kept] == [0, 0, 0, 0, 1_000, 2_000, 3_000]
    begin_ms = at("2026-11-24T05:00:00")
    assert [entry.record.end_ms for entry in kept] == [begin_ms + 1_000 * n for n in range(1, 8)]
    assert all(entry.record.outcome is None for entry in kept)

    cut = close_cut(kept[-1].record, WallMs(begin_ms + 60_000))
    assert (cut.outcome, cut.reason, cut.end_ms) == (Outcome.CUT, AsRunReason.POWER, begin_ms + 7_000)
    assert [item.written_ms for item in cut.items] == [4_000, 3_000]


def test_the_position_behind_an_interruption_counts_what_was_heard_before_it() -> None:
    """What the first play wrote and what the second one has written so far, of the one item."""
    station = on_the_air(60)
    station.wait(20_000)
    station.tell(events.PlayerGone("hung", 20_000))
    station.tell(events.PlayerReady("by hand", 2))
    command = station.sound_begins()
    assert command.from_ms == 20_000
    station.wait(5_000)
    station.tell(events.SoundProgress(command.play, 5_000, -20.0, -3.0, 0))
    (kept,) = station.entries(effects.AsRunPosition)

    assert [item.written_ms for item in kept.record.items] == [25_000]


def test_progress_of_a_play_that_is_not_on_the_air_is_no_position() -> None:
    """A word of an old play that comes late."""
    station = on_the_air(60)
    station.wait(5_000)
    station.tell(events.SoundProgress(99, 5_000, -20.0, -3.0, 0))

    assert station.entries(effects.AsRunPosition) == []


@pytest.mark.parametrize("lacks", ["audio", "player", "nothing"])
def test_what_came_when_its_time_was_over_is_told_as_too_late_whatever_it_lacks(lacks: str) -> None:
    """The programme comes ten minutes late, or the clock leaps an hour: audio would not have helped, nor a player."""
    document = programme([slot("a", "05:00:00", late_window_s=300)])
    late = ByHand(
        civil="2026-11-24T04:00:00", cached=frozenset() if lacks == "audio" else frozenset(audio_of(document))
    )
    leapt = ByHand(document, cached=frozenset() if lacks == "audio" else frozenset(audio_of(document)))
    late.wait_until("2026-11-24T05:10:00")
    leapt.wait_until("2026-11-24T04:59:50")
    for station in (late, leapt):
        if lacks == "player":
            station.tell(events.PlayerGone("test", 0))
    late.arrive(document)
    leapt.offset_ms += 3_600_000
    leapt.tell(events.TimePassed())

    assert late.told == leapt.told == [("a", "missed", "too-late")]
    assert [fault for fault in (*late.faults, *leapt.faults) if fault[0] == "cue-missed"] == []
