"""Whose time is believed (air-7): the rules of ``timekeeping`` one by one, and the liars that each one stops."""

from __future__ import annotations

import pytest

from tests.core.material import PROVINCE, TRUST, ByHand, at, programme, slot
from ttcs_edge.core import effects, events
from ttcs_edge.core.effects import FaultCleared, FaultRaised, SetTimeFloor, ShowLamp, TimeFloor
from ttcs_edge.core.lamp import Lamp, Place
from ttcs_edge.core.model import Instant, MonoMs, WallMs
from ttcs_edge.core.timekeeping import (
    CEILING_MS,
    FLOOR_MS,
    OWN_ERROR_MS,
    SLACK_MS,
    WORST_ERROR_MS,
    ClockState,
    SourceWord,
    Timekeeper,
    TimeSource,
    is_ahead,
    raised_floor,
)
from ttcs_edge.core.trust import utc_ms, utc_text

NOON_MS = at("2026-11-24T12:00:00")
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
KERNEL, RTC, MODEM, SIGNED = TimeSource.KERNEL, TimeSource.RTC, TimeSource.MODEM, TimeSource.SIGNED
ALL = (KERNEL, RTC, MODEM, SIGNED)


def wall_ms(keeper: Timekeeper, mono_ms: int) -> int | None:
    """What time the keeper says it is."""
    offset_ms = keeper.offset_ms(MonoMs(mono_ms))
    return None if offset_ms is None else offset_ms + mono_ms


def words(keeper: Timekeeper) -> dict[TimeSource, str]:
    """The last word of each source."""
    return {told.source: told.word for told in keeper.state().words}


class TestOrder:
    """Rule 1: the word of least error is in force."""

    def test_nobody_heard_is_no_time(self) -> None:
        """A station that just woke up knows nothing, and says so of each source."""
        keeper = Timekeeper(ALL)

        assert wall_ms(keeper, 0) is None
        assert words(keeper) == dict.fromkeys(ALL, "not-heard")
        assert keeper.state().source is None

    @pytest.mark.parametrize("known", range(1, 5))
    def test_the_first_of_the_order_that_is_heard_is_believed(self, known: int) -> None:
        """NTP, battery clock, modem, beacon; each an hour apart, told at once."""
        keeper = Timekeeper(ALL)
        for hours, source in reversed(list(enumerate(ALL[-known:]))):
            keeper.hear(source, NOON_MS + hours * HOUR_MS, MonoMs(1_000))

        assert wall_ms(keeper, 1_000) == NOON_MS
        assert keeper.state().source is ALL[-known]

    def test_a_better_source_takes_over_and_is_in_force_since_then(self) -> None:
        """The beacon is a minute late; NTP comes up ten seconds on, and time steps."""
        keeper = Timekeeper(ALL)
        keeper.hear(SIGNED, NOON_MS - 60_000, MonoMs(0))
        assert wall_ms(keeper, 10_000) == NOON_MS - 50_000

        keeper.hear(KERNEL, NOON_MS + 10_000, MonoMs(10_000))
        assert wall_ms(keeper, 10_000) == NOON_MS + 10_000
        assert (keeper.state().source, keeper.state().since_mono_ms) == (KERNEL, 10_000)

    def test_a_source_that_the_station_does_not_have_is_not_heard(self) -> None:
        """The owner vouches for the host: beacons change nothing."""
        keeper = Timekeeper((TimeSource.HOST,))
        keeper.hear(SIGNED, NOON_MS, MonoMs(0))
        keeper.miss(RTC, "unreadable")

        assert wall_ms(keeper, 0) is None and words(keeper) == {TimeSource.HOST: "not-heard"}


class TestDrift:
    """Rules 1 and 2: a word is carried, and grows worse."""

    def test_the_link_is_gone_for_a_month_and_the_time_is_still_known(self) -> None:
        """The kernel says unsynchronised from the ninth hour on; the station goes on by its own crystal."""
        keeper = Timekeeper(ALL)
        keeper.hear(KERNEL, NOON_MS, MonoMs(0))
        keeper.miss(KERNEL, "unsynchronised")

        assert wall_ms(keeper, 30 * DAY_MS) == NOON_MS + 30 * DAY_MS
        assert words(keeper)[KERNEL] == "unsynchronised" and keeper.state().source is KERNEL

    def test_a_word_that_may_be_too_far_off_is_not_believed_to_the_millisecond(self) -> None:
        """50 ppm: 149.9 s are reached after 2998 million milliseconds."""
        last_ms = (WORST_ERROR_MS - OWN_ERROR_MS[KERNEL]) * 1_000_000 // 50 + 19_999
        keeper = Timekeeper(ALL)
        keeper.hear(KERNEL, NOON_MS, MonoMs(0))

        assert wall_ms(keeper, last_ms) == NOON_MS + last_ms
        assert wall_ms(keeper, last_ms + 1) is None
        assert words(keeper)[KERNEL] == "stale" and keeper.state().source is None

    def test_a_battery_clock_takes_over_when_it_is_the_better_one(self) -> None:
        """NTP was heard half a day ago, worth 2.26 s by now; the battery clock, 2 s."""
        keeper = Timekeeper(ALL)
        keeper.hear(KERNEL, NOON_MS, MonoMs(0))
        keeper.miss(KERNEL, "unsynchronised")
        keeper.hear(RTC, NOON_MS + HOUR_MS + 700, MonoMs(HOUR_MS))
        assert keeper.offset_ms(MonoMs(HOUR_MS)) == NOON_MS

        keeper.hear(RTC, NOON_MS + 12 * HOUR_MS + 700, MonoMs(12 * HOUR_MS))
        assert keeper.offset_ms(MonoMs(12 * HOUR_MS)) == NOON_MS + 700
        assert keeper.state().source is RTC

    def test_whole_seconds_do_not_make_the_time_step_to_and_fro(self) -> None:
        """Rule 4: a modem that tells the time half a second early, then late, moves nothing; six seconds do."""
        keeper = Timekeeper(ALL)
        keeper.hear(MODEM, NOON_MS, MonoMs(0))
        for minutes, off_ms in ((10, 500), (20, -500), (30, 5_000), (40, -5_000)):
            keeper.hear(MODEM, NOON_MS + minutes * 60_000 + off_ms, MonoMs(minutes * 60_000))
            assert keeper.offset_ms(MonoMs(minutes * 60_000)) == NOON_MS

        keeper.hear(MODEM, NOON_MS + HOUR_MS + 5_001, MonoMs(HOUR_MS))
        assert keeper.offset_ms(MonoMs(HOUR_MS)) == NOON_MS + 5_001

    def test_ntp_is_followed_to_the_millisecond(self) -> None:
        """Rule 4 does not hold for it: what it slews is the truth."""
        keeper = Timekeeper(ALL)
        keeper.hear(KERNEL, NOON_MS, MonoMs(0))
        keeper.hear(KERNEL, NOON_MS + 1_001, MonoMs(1_000))

        assert keeper.offset_ms(MonoMs(1_000)) == NOON_MS + 1

    def test_a_beacon_that_was_held_up_does_not_put_the_time_back(self) -> None:
        """Rule 5: the second came half a minute late; the third, straight, is a second nearer the truth."""
        keeper = Timekeeper(ALL)
        keeper.hear(SIGNED, NOON_MS, MonoMs(0))
        keeper.hear(SIGNED, NOON_MS + 30_000, MonoMs(60_000))
        assert keeper.offset_ms(MonoMs(60_000)) == NOON_MS

        keeper.hear(SIGNED, NOON_MS + 121_000, MonoMs(120_000))
        assert keeper.offset_ms(MonoMs(120_000)) == NOON_MS + 1_000


class TestFloor:
    """Rule 3: nobody tells a time before the newest one ever signed."""

    @pytest.mark.parametrize("source", ALL)
    def test_a_time_below_the_floor_is_not_believed_and_shown(self, source: TimeSource) -> None:
        """A flat battery, a factory date, a forged NTP server, an old beacon."""
        keeper = Timekeeper(ALL)
        keeper.raise_floor(NOON_MS)
        keeper.hear(source, NOON_MS - SLACK_MS - 1, MonoMs(0))

        assert wall_ms(keeper, 0) is None
        assert SourceWord(source, "below-floor", WallMs(NOON_MS - SLACK_MS - 1)) in keeper.state().words

    def test_ten_minutes_below_the_floor_are_forgiven(self) -> None:
        """The clock of the publishing computer is a person's."""
        keeper = Timekeeper(ALL)
        keeper.raise_floor(NOON_MS)
        keeper.hear(KERNEL, NOON_MS - SLACK_MS, MonoMs(0))

        assert wall_ms(keeper, 0) == NOON_MS - SLACK_MS

    def test_a_forged_ntp_server_does_not_take_away_what_was_known(self) -> None:
        """It puts the machine's clock a year back, "synchronised"; the station goes on by the time it had."""
        keeper = Timekeeper(ALL)
        keeper.raise_floor(NOON_MS)
        keeper.hear(KERNEL, NOON_MS + HOUR_MS, MonoMs(0))
        keeper.hear(KERNEL, NOON_MS - 365 * DAY_MS, MonoMs(1_000))

        assert wall_ms(keeper, 2_000) == NOON_MS + HOUR_MS + 2_000
        assert words(keeper)[KERNEL] == "below-floor"

    def test_a_floor_that_rises_above_a_time_in_force_ends_it(self) -> None:
        """A battery clock that is a day behind is found out by the first programme that comes."""
        keeper = Timekeeper(ALL)
        keeper.hear(RTC, NOON_MS, MonoMs(0))
        keeper.raise_floor(NOON_MS + DAY_MS)

        assert wall_ms(keeper, 0) is None and words(keeper)[RTC] == "below-floor"

    def test_the_floor_never_goes_down_and_the_release_has_one(self) -> None:
        """1970 is before every release."""
        keeper = Timekeeper(ALL)
        keeper.raise_floor(0)
        keeper.hear(KERNEL, FLOOR_MS - SLACK_MS - 1, MonoMs(0))

        assert keeper.state().floor_ms == FLOOR_MS and wall_ms(keeper, 0) is None

    @pytest.mark.parametrize("nonsense", [CEILING_MS, 2**62, -1, -(2**62)])
    def test_what_is_no_date_of_this_century_is_garbled(self, nonsense: int) -> None:
        """Registers full of ones must neither be believed nor break the message that tells of them (never-7)."""
        keeper = Timekeeper(ALL)
        keeper.hear(RTC, nonsense, MonoMs(0))

        assert wall_ms(keeper, 0) is None and words(keeper)[RTC] == "garbled"


class TestRaising:
    """What an accepted document does to the floor: never down, and never where no true time reaches it."""

    ROOT_MS = utc_ms("2036-01-01T00:00:00Z")

    @staticmethod
    def now(trusted: bool) -> Instant:
        """Noon."""
        return Instant(WallMs(NOON_MS), MonoMs(0), trusted)

    def test_an_older_document_leaves_it(self) -> None:
        """It never goes back, whoever signs."""
        for trusted in (True, False):
            assert raised_floor(NOON_MS, NOON_MS - DAY_MS, self.now(trusted), self.ROOT_MS) == NOON_MS

    def test_a_stolen_key_cannot_burn_it_while_the_time_is_known(self) -> None:
        """A programme "of 2035": the floor stays at the present, and that is told as a fault."""
        issued_ms = utc_ms("2035-01-01T00:00:00Z")

        assert raised_floor(FLOOR_MS, issued_ms, self.now(True), self.ROOT_MS) == NOON_MS
        assert is_ahead(issued_ms, self.now(True)) and not is_ahead(issued_ms, self.now(False))
        assert not is_ahead(NOON_MS + SLACK_MS, self.now(True)) and is_ahead(NOON_MS + SLACK_MS + 1, self.now(True))

    def test_without_time_it_counts_as_far_as_its_trust_root_is_valid(self) -> None:
        """Nothing is signed under a root after the root's own end."""
        assert raised_floor(FLOOR_MS, NOON_MS, self.now(False), self.ROOT_MS) == NOON_MS
        assert raised_floor(FLOOR_MS, self.ROOT_MS, self.now(False), self.ROOT_MS) == FLOOR_MS


class TestStation:
    """The same through the core, event by event."""

    def test_an_accepted_programme_raises_the_floor_on_disk_and_in_the_clock(self) -> None:
        """Issued on the 20th; under the version of the trust root that it was judged by."""
        station = ByHand()
        done = station.arrive(programme([slot("a", "05:00:00")]))
        issued_ms = utc_ms("2026-11-20T00:00:00Z")

        assert station.entries(TimeFloor) == [TimeFloor(WallMs(issued_ms), TRUST.version)]
        assert SetTimeFloor(WallMs(issued_ms)) in done
        assert station.station.time_floor_ms == issued_ms

    def test_an_older_issue_of_a_newer_version_writes_no_floor(self) -> None:
        """Nothing is written that changes nothing."""
        station = ByHand(time_floor_ms=at("2026-11-23T00:00:00"))
        station.arrive(programme([slot("a", "05:00:00")]))

        assert station.entries(TimeFloor) == []

    def test_a_refused_programme_raises_nothing(self) -> None:
        """A stranger's key tells no time."""
        station = ByHand()
        station.arrive(programme([slot("a", "05:00:00")]), "9" * 64)

        assert station.entries(TimeFloor) == [] and station.station.time_floor_ms == 0

    def test_a_start_tells_the_clock_the_floor_that_was_remembered(self) -> None:
        """Before anything else can be believed."""
        station = ByHand(time_floor_ms=NOON_MS)

        assert [e for _, e in station.log if isinstance(e, SetTimeFloor)] == [SetTimeFloor(WallMs(NOON_MS))]

    def test_a_centre_ahead_of_time_is_told_and_cleared_by_a_better_one(self) -> None:
        """The laptop runs an hour ahead; then somebody sets it. The programme itself is in force all the same."""
        station = ByHand(civil="2026-11-24T04:00:00")
        ahead = utc_text(station.wall_ms + HOUR_MS)
        station.arrive(programme([slot("a", "05:00:00")], version=1, issued=ahead))
        (raised,) = station.entries(FaultRaised)
        station.arrive(programme([slot("a", "05:00:00")], version=2, issued=utc_text(station.wall_ms)))

        assert (raised.fault.code, raised.fault.subject) == ("issued-ahead", PROVINCE)
        assert dict(raised.fault.detail) == {"found": "2026-11-23T22:00:00Z", "expected": "2026-11-23T21:00:00Z"}
        assert [one.fault.code for one in station.entries(FaultCleared)] == ["issued-ahead"]
        assert station.station.time_floor_ms == station.wall_ms // 1_000 * 1_000

    def test_a_source_below_the_floor_is_a_fault_until_it_tells_better(self) -> None:
        """With what it told and what it should; also one of an earlier life, whose device is gone."""
        station = ByHand()
        flat = SourceWord(RTC, "below-floor", WallMs(utc_ms("2000-01-01T00:00:00Z")))
        station.tell(events.ClockChanged(ClockState(KERNEL, 0, (SourceWord(KERNEL, "told"), flat), NOON_MS)))
        (raised,) = station.entries(FaultRaised)
        station.tell(events.ClockChanged(ClockState(KERNEL, 0, (SourceWord(KERNEL, "told"),), NOON_MS)))

        assert (raised.fault.code, raised.fault.subject) == ("time-below-floor", "rtc")
        assert dict(raised.fault.detail) == {"found": "2000-01-01T00:00:00Z", "expected": ">= 2026-11-24T05:00:00Z"}
        assert station.faults == []

    def test_a_snapshot_tells_whose_time_it_is_or_why_nobodys(self) -> None:
        """Since when, by the source's own time; and nobody's while there is no trusted time."""
        station = ByHand()
        heard = (SourceWord(KERNEL, "unsynchronised"), SourceWord(RTC, "told"))
        station.tell(events.ClockChanged(ClockState(RTC, station.mono_ms - 5_000, heard)))
        known = station.station.snapshot(station.now())
        station.trusted = False
        unknown = station.station.snapshot(station.now())

        assert (known.clock_source, known.clock_since_ms) == (RTC, station.wall_ms - 5_000)
        assert (unknown.clock_source, unknown.clock_since_ms, unknown.clock_words) == (None, None, heard)


class TestLamp:
    """The lamp says what a person before a silent pole wants to know."""

    @staticmethod
    def lamps(station: ByHand) -> list[Lamp]:
        """Everything that was shown so far."""
        shown = [effect for _, effect in station.log if isinstance(effect, ShowLamp)]
        return [effect.lamp for effect in shown if effect.place is Place.STATION]

    def test_steady_is_well_slow_is_no_time_fast_is_an_error_and_dark_is_stopped(self) -> None:
        """Each is told once, in the turn in which it comes about."""
        station = ByHand()
        station.trusted = False
        station.tell(events.TimePassed())
        station.tell(events.ConditionChanged("store-failing", "database", True))
        station.trusted = True
        station.tell(events.ConditionChanged("store-failing", "database", False))
        station.tell(events.StopRequested())

        assert self.lamps(station) == [Lamp.STEADY, Lamp.SLOW, Lamp.FAST, Lamp.STEADY, Lamp.OFF]

    def test_a_warning_leaves_it_steady(self) -> None:
        """A link that is down is no reason to run to the pole."""
        station = ByHand()
        station.tell(events.LinkChanged(False, "refused"))
        station.wait(60_000)

        assert self.lamps(station) == [Lamp.STEADY]

    def test_the_lamp_does_not_wait_for_the_card(self) -> None:
        """The error that it shows may be the card's own: it stands before the barrier."""
        station = ByHand()
        done = station.tell(events.ConditionChanged("store-failing", "database", True))
        kinds = [type(effect) for effect in done]

        assert kinds.index(ShowLamp) < kinds.index(effects.Record)
