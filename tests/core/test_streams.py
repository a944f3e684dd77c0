"""A plain stream: followed for a slot, heard in its place, and left when its minutes are over."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.core.material import (
    HOUR_MS,
    PROVINCE,
    SETTINGS,
    ByHand,
    alert,
    at,
    bulletin,
    moves,
    occurrence,
    only,
    open_fault,
    programme,
    signed,
    slot,
)
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import Programme, StopOrder, Stream
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.live import LOST_MS, PATIENCE_MS
from ttcs_edge.core.model import AsRun, QuietHours, Sha256
from ttcs_edge.core.trust import utc_text

URL = "https://live.example.vn/fm"
MINUTE_MS = 60_000
STREAM = "stream:dai"
SUBJECT = f"{PROVINCE}#{STREAM}"
AT = "2026-11-24T05:00:00"
SETTLED = occurrence(STREAM, AT)


def streamed(name: str = "dai", when: str = "05:00:00", minutes: int = 10, **others: Any) -> Programme:
    """A slot that names a stream, with a bulletin of a minute to stand in for it."""
    return programme([slot(name, when, "nhac", stream=Stream(url=URL, most_minutes=minutes), **others)])


class Pole(ByHand):
    """A station whose sounds begin and end as they are told to; streams are heard as long as they ``speak``."""

    def __init__(self, *programmes: Programme, **others: Any) -> None:
        self.speaks: set[int] = set()
        self.plays: dict[int, int] = {}
        self.sounds: int | None = None
        super().__init__(*programmes or (streamed(),), **others)

    def tell(self, event: events.Event) -> list[effects.Effect]:
        """One event, and what follows of it by itself."""
        done = super().tell(event)
        for effect in done:
            match effect:
                case effects.StartStream(_, play) | effects.StartSound(_, play):
                    self.plays[play] = self.mono_ms
                    self.sounds = play
                    self.tell(events.SoundStarted(play, self.mono_ms * 1_000_000))
                case effects.StopSound(play):
                    self.end(play)
                case effects.LeaveStream(stream):
                    self.speaks.discard(stream)
                case _:
                    pass
        return done

    def end(self, play: int | None = None, completed: bool = False, failure: str | None = None) -> None:
        """What sounds is over: a stream as long as it lasted, a bulletin whole when it is ``completed``."""
        play = play or self.sounds
        assert play is not None
        self.sounds = None
        starts = [one for _, one in self.log if isinstance(one, effects.StartSound) and one.play == play]
        spent_ms = max(1, self.mono_ms - self.plays[play])
        whole = tuple(item.duration_ms for item in starts[0].items) if starts and completed else (spent_ms,)
        self.tell(events.SoundEnded(play, completed, whole, failure))

    def listen(self, span_ms: int) -> None:
        """Let time pass, in which streams that speak are heard, once a second."""
        for _ in range(span_ms // 1_000):
            self.hear()
            self.wait(1_000)

    def hear(self) -> None:
        """There is sound in what speaks."""
        for stream in sorted(self.speaks):
            self.tell(events.StreamHeard(stream))

    def come(self, before_ms: int = 8_000) -> None:
        """Let time pass until a moment before the slot; what is followed by then speaks."""
        self.wait(at(AT) - before_ms - self.wall_ms)
        self.wait(before_ms - 1_000)
        self.speaks |= set(self.following)
        self.listen(1_000)

    @property
    def following(self) -> list[int]:
        """The streams that are followed, by what was done."""
        done = [effect for _, effect in self.log]
        left = {one.stream for one in only(done, effects.LeaveStream)}
        return [one.stream for one in only(done, effects.FollowStream) if one.stream not in left]

    @property
    def words(self) -> list[str]:
        """Every switch and sound so far."""
        return [word for _, word in moves(self.log)]

    def record(self, name: str = STREAM) -> AsRun:
        """The one record of it."""
        (found,) = [one.record for one in self.entries(effects.AsRunClosed) if one.record.occurrence.slot == name]
        return found


def test_it_is_followed_before_its_instant_begins_at_it_and_is_left_when_its_minutes_are_over() -> None:
    """The way up is walked beforehand; by itself and by its slot it is told as aired."""
    here = Pole()
    here.wait(at(AT) - 60_000 - here.wall_ms)
    assert here.following == []
    here.come()
    (followed,) = only([effect for _, effect in here.log], effects.FollowStream)
    assert followed.url == URL
    here.listen(1_000)
    (started,) = [ms for ms, one in here.log if isinstance(one, effects.StartStream)]
    assert started + here.offset_ms - at(AT) in range(200)
    assert here.words == ["amplifier on", "cho closed", "dinh closed", "stream"]
    here.listen(10 * MINUTE_MS)

    assert here.told == [("dai", "aired", None), (STREAM, "aired", None)]
    record = here.record()
    assert (record.planned_start_ms, record.planned_end_ms) == (at(AT), at(AT) + 10 * MINUTE_MS)
    assert record.end_ms is not None and record.end_ms - at(AT) in range(10 * MINUTE_MS, 10 * MINUTE_MS + 1_000)
    assert (here.following, here.faults) == ([], [])
    assert here.words[4] == "fade"


def test_three_seconds_behind_its_instant_the_bulletin_is_heard_and_it_takes_over_when_it_comes() -> None:
    """The bulletin lost the air to it; in the end the slot was heard, as its stream was."""
    here = Pole()
    here.wait_until(AT)
    here.wait(PATIENCE_MS + 500)
    assert here.words[-1] == "sound"
    here.speaks |= set(here.following)
    here.listen(2_000)
    assert here.words[-2:] == ["fade", "stream"]
    here.listen(10 * MINUTE_MS)
    assert here.told == [("dai", "aired", None), (STREAM, "aired", None)]


def test_one_that_never_comes_is_told_as_replaced() -> None:
    """And it is followed to the end of its minutes: it might have come."""
    here = Pole()
    here.wait_until(AT)
    here.wait(PATIENCE_MS + 500)
    here.wait(60_000)
    here.end(completed=True)
    assert here.told == [("dai", "substituted", "live-lost")]
    assert here.faults == [("cue-substituted", f"{PROVINCE}#dai")]
    assert here.following == [1]
    here.wait(10 * MINUTE_MS)
    assert here.following == []
    assert len(here.told) == 1


def test_one_that_comes_when_its_bulletin_is_over_is_heard_for_the_rest_of_its_minutes() -> None:
    """A minute of music does not cost nine of news; nor does a bulletin that is not here."""
    settings: tuple[dict[str, frozenset[Sha256]], ...] = ({}, {"cached": frozenset()})
    for cached in settings:
        here = Pole(**cached)
        here.folder.clear() if cached else None
        here.wait_until(AT)
        here.wait(PATIENCE_MS + 500)
        here.wait(60_000)
        if not cached:
            here.end(completed=True)
        here.wait(30_000)
        here.speaks |= set(here.following)
        here.listen(10 * MINUTE_MS)
        assert here.told[-1] == (STREAM, "aired", None)
        assert here.record().start_ms == pytest.approx(at(AT) + 96_000, abs=6_000)


def test_one_that_falls_silent_is_a_fault_and_its_bulletin_stands_in_until_it_is_back() -> None:
    """As with a signed live relay."""
    here = Pole()
    here.come()
    here.listen(30_000)
    here.speaks.clear()
    here.wait(LOST_MS + 1)
    here.end(failure="live-lost")
    here.wait(1_000)
    assert here.words[-1] == "sound"
    assert here.faults == [("live-lost", SUBJECT)]
    here.speaks |= set(here.following)
    here.listen(5_000)
    assert here.words[-1] == "stream"
    assert here.faults == []
    here.listen(10 * MINUTE_MS)
    assert here.told == [("dai", "aired", None), (STREAM, "aired", None)]
    assert here.record().interruptions == 1


def test_one_that_is_silent_when_its_minutes_are_over_is_told_as_heard_in_part() -> None:
    """What was heard of it was heard."""
    here = Pole()
    here.come()
    here.listen(30_000)
    here.speaks.clear()
    here.wait(LOST_MS + 1)
    here.end(failure="live-lost")
    here.wait(1_000)
    here.wait(60_000)
    here.end(completed=True)
    here.wait(10 * MINUTE_MS)
    assert here.told == [("dai", "substituted", "live-lost"), (STREAM, "part", "live-lost")]
    assert (here.following, here.faults[1:]) == ([], [])


def test_an_alert_takes_the_air_from_it_and_gives_it_back() -> None:
    """never-4. What is said then is heard."""
    here = Pole()
    here.come()
    here.listen(5_000)
    here.warn(alert(sent=utc_text(here.wall_ms), expires=utc_text(here.wall_ms + HOUR_MS), zones=("cho",)))
    here.listen(1_000)
    assert here.words[-1] == "sound"
    while here.station.desk.rows.warns:
        here.end(completed=True)
        here.listen(1_000)
    here.listen(2_000)
    assert here.words[-1] == "stream"
    here.listen(10 * MINUTE_MS)
    assert (STREAM, "aired", None) in here.told
    assert here.record().interruptions == 1


@pytest.mark.parametrize(("priority", "on_air"), [(4, "stream"), (6, "sound")])
def test_it_has_the_air_by_the_priority_of_its_slot(priority: int, on_air: str) -> None:
    """air-1: before a bulletin of its own priority."""
    other = programme([slot("tin", "05:01:00", priority=priority)], scope="vn", version=1)
    here = Pole(streamed(), other)
    here.come()
    here.listen(70_000)
    assert here.words[-1] == on_air


def test_quiet_hours_silence_it(quiet: str = "05:02") -> None:
    """air-5. It does not come back in the morning."""
    here = Pole(settings=replace(SETTINGS, quiet_hours=(QuietHours(5 * 60 + 2, 5 * 60 + 4),)))
    here.come()
    here.listen(5 * MINUTE_MS)
    assert here.told == [("dai", "missed", "quiet-hours"), (STREAM, "part", "quiet-hours")]
    assert here.following == []


def test_a_station_without_trusted_time_follows_and_starts_none() -> None:
    """air-7."""
    here = Pole(trusted=False)
    here.wait(2 * HOUR_MS)
    assert here.following == []
    here = Pole()
    here.wait(at(AT) - 8_000 - here.wall_ms)
    here.wait(5_000)
    here.trusted = False
    here.speaks |= set(here.following)
    here.listen(60_000)
    assert "stream" not in here.words


def test_a_clock_that_is_set_back_behind_its_instant_has_it_wait_for_that() -> None:
    """An alert had the air when it was set: behind that it is early, and may be night."""
    here = Pole()
    here.come()
    here.listen(5_000)
    here.warn(alert(sent=utc_text(here.wall_ms), expires=utc_text(here.wall_ms + HOUR_MS), zones=("cho",)))
    here.listen(1_000)
    here.offset_ms -= 5 * MINUTE_MS
    while here.station.desk.rows.warns:
        here.end(completed=True)
        here.listen(1_000)
    here.listen(60_000)
    assert here.words.count("stream") == 1
    here.listen(5 * MINUTE_MS)
    assert here.words.count("stream") == 2


def test_a_command_stops_it_for_good() -> None:
    """What stood in its place before may be heard in its place again, as with a live relay."""
    here = Pole()
    here.come()
    here.listen(5_000)
    here.order(stop=StopOrder())
    here.listen(5_000)
    assert here.told == [(STREAM, "part", "stopped-by-command")]
    assert (here.following, here.words[-1]) == ([], "sound")


def test_one_whose_slot_was_stopped_does_not_begin() -> None:
    """Who stopped the bulletin meant the slot."""
    here = Pole()
    here.wait_until(AT)
    here.wait(PATIENCE_MS + 500)
    here.order(stop=StopOrder())
    here.speaks |= set(here.following)
    here.listen(30_000)
    assert here.told == [("dai", "part", "stopped-by-command")]
    assert (here.following, here.words.count("stream")) == ([], 0)


@pytest.mark.parametrize("change", ["none", "other", "moved", "same"])
def test_a_newer_programme_keeps_it_only_as_it_is(change: str) -> None:
    """Taken out, of another address, at another time: it leaves the air at once, and nothing else begins in the
    middle of its time. The same: nobody notices.
    """
    here = Pole()
    here.come()
    here.listen(5_000)
    other = Stream(url=f"{URL}2", most_minutes=10)
    newer = {
        "none": programme([slot("tin", "07:00:00")], version=2),
        "other": programme([slot("dai", "05:00:00", "nhac", stream=other)], version=2),
        "moved": replace(streamed(when="06:00:00"), version=2),
        "same": replace(streamed(), version=2),
    }[change]
    here.tell(events.ProgrammeArrived(signed(newer), PROVINCE, 1))
    here.listen(1_000)
    if change == "same":
        assert (here.told, here.sounds) == ([], 1)
        return
    assert (STREAM, "part", "withdrawn") in here.told
    assert here.following == []


def test_what_is_wrong_with_it_is_one_fault_until_it_is_heard_or_left() -> None:
    """The newest word of its follower holds."""
    here = Pole()
    here.wait(at(AT) - 8_000 - here.wall_ms)
    here.wait(2_000)
    detail = (("url", URL), ("error", "timeout"))
    here.tell(events.StreamFailed(1, "stream-away", detail))
    here.tell(events.StreamFailed(1, "stream-tls", detail))
    assert here.faults == [("stream-tls", SUBJECT)]
    here.tell(events.StreamHeard(1))
    assert here.faults == []
    here.tell(events.StreamFailed(1, "stream-away", detail))
    here.wait(11 * MINUTE_MS)
    assert ("stream-away", SUBJECT) not in here.faults
    here.tell(events.StreamFailed(1, "stream-away", detail))
    here.tell(events.StreamHeard(1))
    assert ("stream-away", SUBJECT) not in here.faults


def test_the_fault_of_an_earlier_life_is_over_with_it() -> None:
    """Nobody follows it any more."""
    here = Pole(open_faults=(open_fault("stream-host", SUBJECT),))
    assert here.faults == []


def test_a_player_that_dies_under_it_loses_nothing_but_a_moment() -> None:
    """The new one tells when it hears it."""
    here = Pole()
    here.come()
    here.listen(5_000)
    here.tell(events.PlayerGone("died", 5_000))
    here.tell(events.PlayerReady("by hand", 2))
    here.listen(2_000)
    (*_, last) = only([effect for _, effect in here.log], effects.StartStream)
    assert (last.player, last.stream) == (2, 1)
    here.listen(10 * MINUTE_MS)
    assert here.told == [("dai", "aired", None), (STREAM, "aired", None)]


def test_what_the_power_cut_is_heard_on_in_a_record_of_its_own() -> None:
    """It is told as cut, and behind that as heard until its time was over."""
    before = Pole()
    before.come()
    before.listen(5_000)
    (opened,) = before.entries(effects.AsRunOpened)
    here = Pole(streamed(), boot=2, civil="2026-11-24T05:02:00", open_as_run=(opened.record,))
    here.wait(1_000)
    here.speaks |= set(here.following)
    here.listen(10 * MINUTE_MS)

    assert here.told == [(STREAM, "cut", "power"), (STREAM, "aired", None)]
    cut, heard = [one.record for one in here.entries(effects.AsRunClosed)]
    assert cut.id != heard.id and heard.start_ms is not None and heard.end_ms is not None
    assert heard.start_ms - at(AT) in range(2 * MINUTE_MS, 2 * MINUTE_MS + 5_000)
    assert heard.end_ms - at(AT) in range(10 * MINUTE_MS, 10 * MINUTE_MS + 1_000)


def test_one_whose_instant_the_power_cut_hid_is_heard_for_the_rest_of_its_minutes() -> None:
    """Its slot was missed; nobody says again what the radio said meanwhile."""
    here = Pole(streamed(), boot=2, civil="2026-11-24T05:02:00", watched_until_ms=at(AT) - HOUR_MS)
    here.wait(1_000)
    here.speaks |= set(here.following)
    here.listen(10 * MINUTE_MS)
    assert here.told == [("dai", "missed", "power"), (STREAM, "aired", None)]


def test_what_was_told_as_over_is_not_heard_again_behind_a_start() -> None:
    """Only what the power or a stop cut off goes on (never-5)."""
    here = Pole(streamed(), boot=2, civil="2026-11-24T05:02:00", settled=((SETTLED, at(AT)),))
    here.wait(60_000)
    assert (here.following, here.words) == ([], [])


def test_a_start_behind_its_minutes_follows_nothing() -> None:
    """Nor one before the programme that names it was issued."""
    assert Pole(streamed(), boot=2, civil="2026-11-24T05:10:00").following == []
    late = replace(streamed(), issued=utc_text(at(AT) + 60_000))
    assert Pole(late, boot=2, civil="2026-11-24T05:02:00").following == []


def test_only_so_many_are_followed_at_once() -> None:
    """The others have their bulletins."""
    stream = Stream(url=URL, most_minutes=10)
    slots = [slot(f"dai-{n}", "05:00:00", "nhac", stream=stream) for n in range(LIMITS.streams + 3)]
    here = Pole(programme(slots))
    here.wait_until(AT)
    assert len(here.following) == LIMITS.streams


def test_a_station_that_stops_leaves_it_in_the_middle() -> None:
    """Faded, told, and nothing waits for it."""
    here = Pole()
    here.come()
    here.listen(5_000)
    here.tell(events.StopRequested())
    here.wait(5_000)
    assert (STREAM, "part", "stopped") in here.told
    assert here.left or here.words[-1] == "amplifier off"


def test_a_bulletin_of_a_slot_with_a_stream_is_fetched_as_any_other() -> None:
    """It may have to stand in."""
    here = Pole(cached=frozenset())
    early = {one.sha256 for _, done in here.log if isinstance(done, effects.SetWanted) for one in done.wanted}
    here.wait(5_000)
    asked = [one for _, done in here.log if isinstance(done, effects.SetWanted) for one in done.wanted]
    assert {one.sha256 for one in asked} == {bulletin("nhac", 60).audio[0].sha256}
    assert early <= {bulletin("nhac", 60).audio[0].sha256}
