"""What the SIM has used of its month: counted over restarts, replugs, month ends and clocks that jump."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.core.material import DAY_MS, HOUR_MS, SETTINGS, ByHand, at
from ttcs_edge.core import effects, events
from ttcs_edge.core.budget import AT_RISK, SAVE_BYTES, SAVE_MS, USED_UP, DataBudget, begin_of, month_of
from ttcs_edge.core.model import MODEM, DataUsed, Instant, Modem, MonoMs, WallMs

MB = 1_000_000


def settings(budget_mb: int | None = 3_000, budget_day: int = 1) -> object:
    """A station with a modem and a budget."""
    budget = None if budget_mb is None else budget_mb * MB
    return replace(SETTINGS, modem=Modem(budget_bytes=budget, budget_day=budget_day))


class Sim:
    """A budget to which a kernel tells its counter, at civil times."""

    def __init__(self, budget_mb: int | None = 3_000, budget_day: int = 1, used: DataUsed | None = None) -> None:
        self.budget = DataBudget(settings(budget_mb, budget_day), used or DataUsed())  # type: ignore[arg-type]
        self.counter = 0
        self.name = 1
        self.trusted = True
        self.present: set[str] = set()

    def at(self, civil: str, grown_mb: float = 0) -> DataUsed:
        """The counter grew until a civil time."""
        self.counter += round(grown_mb * MB)
        now = Instant(WallMs(at(civil)), MonoMs(at(civil)), self.trusted)
        for told in self.budget.count(self.counter, self.name, now):
            (self.present.add if told.present else self.present.discard)(told.code)
            self.detail = dict(told.detail)
        return self.budget.used

    @property
    def used_mb(self) -> float:
        """Of the month."""
        return self.budget.month_bytes / MB


def test_what_the_kernel_counted_before_anybody_looked_is_not_the_months() -> None:
    """The first counter is where counting begins: nobody knows when its bytes went."""
    sim = Sim()
    sim.at("2026-11-24T10:00:00", 700)
    assert sim.used_mb == 0
    sim.at("2026-11-24T11:00:00", 12)
    assert sim.used_mb == 12


def test_a_counter_that_begins_again_adds_all_that_it_shows() -> None:
    """The machine was started, the modem plugged in anew, or a counter ran over."""
    sim = Sim()
    sim.at("2026-11-24T10:00:00", 100)
    sim.at("2026-11-24T11:00:00", 50)
    sim.counter, sim.name = 0, 2
    sim.at("2026-11-24T12:00:00", 200)
    assert sim.used_mb == 250, "more than before the start, and still all of it"
    sim.counter = 0
    sim.at("2026-11-24T13:00:00", 3)
    assert sim.used_mb == 253


def test_a_life_goes_on_where_the_store_has_it() -> None:
    """A restart of the service leaves the kernel's counter as it is."""
    first = Sim()
    first.at("2026-11-24T10:00:00", 100)
    kept = first.at("2026-11-24T11:00:00", 50)

    second = Sim(used=kept)
    second.counter = 160 * MB
    second.at("2026-11-24T12:00:00")
    assert second.used_mb == 60


@pytest.mark.parametrize(
    ("day", "first_day", "begins", "ends"),
    [
        ("2026-11-24", 1, "2026-11-01", "2026-12-01"),
        ("2026-12-31", 1, "2026-12-01", "2027-01-01"),
        ("2027-01-01", 15, "2026-12-15", "2027-01-15"),
        ("2026-11-15", 15, "2026-11-15", "2026-12-15"),
        ("2026-02-27", 31, "2026-01-31", "2026-02-28"),
        ("2026-02-28", 31, "2026-02-28", "2026-03-31"),
        ("2028-02-28", 31, "2028-01-31", "2028-02-29"),
        ("2028-02-29", 30, "2028-02-29", "2028-03-30"),
        ("2026-04-30", 31, "2026-04-30", "2026-05-31"),
        ("2026-03-30", 29, "2026-03-29", "2026-04-29"),
    ],
)
def test_the_month_of_a_sim_begins_on_its_own_day(day: str, first_day: int, begins: str, ends: str) -> None:
    """At the turn of a year, in a leap year, and where a month has no such day."""
    found = month_of(date.fromisoformat(day), first_day)
    assert found == (date.fromisoformat(begins), date.fromisoformat(ends))


@given(st.dates(date(2025, 1, 1), date(2099, 11, 30)), st.integers(1, 31))
def test_months_follow_one_another_without_a_gap(day: date, first_day: int) -> None:
    """Every day lies in one month, and the next one begins where it ends."""
    first, behind = month_of(day, first_day)
    assert first <= day < behind and timedelta(27) < behind - first < timedelta(32)
    assert month_of(behind, first_day)[0] == behind
    assert begin_of(first.year, first.month, first_day) == first


def test_a_month_begins_with_nothing_at_local_midnight() -> None:
    """The last hour of the old one counts for it, though it is December in no other place yet."""
    sim = Sim()
    sim.at("2026-11-30T22:00:00")
    sim.at("2026-11-30T23:59:00", 40)
    assert sim.used_mb == 40
    sim.at("2026-12-01T00:10:00", 5)
    assert sim.used_mb == 5


def test_what_is_counted_without_trusted_time_goes_to_the_month_that_it_is_then() -> None:
    """And is shown meanwhile; nothing is told of a budget whose month nobody knows."""
    sim = Sim(100)
    sim.at("2026-11-24T10:00:00")
    sim.at("2026-11-24T11:00:00", 60)
    sim.trusted = False
    used = sim.at("2026-11-24T12:00:00", 50)
    assert (sim.used_mb, used.used_bytes, used.unplaced_bytes) == (110, 60 * MB, 50 * MB) and not sim.present
    sim.trusted = True
    used = sim.at("2026-12-02T12:00:00")
    assert (used.used_bytes, used.unplaced_bytes, used.other_bytes) == (50 * MB, 0, 60 * MB)


def test_a_clock_that_jumps_ahead_and_back_finds_its_month_again() -> None:
    """A battery clock that lost a year, and NTP an hour later."""
    sim = Sim()
    sim.at("2026-11-24T10:00:00")
    sim.at("2026-11-24T11:00:00", 900)
    sim.at("2027-11-24T12:00:00", 10)
    assert sim.used_mb == 10
    sim.at("2026-11-24T13:00:00", 20)
    assert sim.used_mb == 920
    sim.at("2026-10-24T13:00:00", 1)
    sim.at("2026-11-24T14:00:00", 2)
    assert sim.used_mb == 922


def days(sim: Sim, daily_mb: float, first: date, count: int) -> None:
    """Some days, each with as much, told every six hours."""
    for day in (first + timedelta(n) for n in range(count)):
        for hour in (3, 9, 15, 21):
            sim.at(f"{day}T{hour:02}:00:00", daily_mb / 4)


def test_it_is_told_that_it_will_not_last_and_until_when_and_no_sooner_than_three_days_tell() -> None:
    """150 MB a day of 3,000 MB: on the fourth day that is known."""
    sim = Sim()
    days(sim, 150, date(2026, 11, 1), 3)
    assert not sim.present
    days(sim, 150, date(2026, 11, 4), 1)
    assert sim.present == {AT_RISK}
    assert sim.detail == {"used": "562", "budget": "3000", "daily": "137", "until": "2026-12-01"}


def test_a_frugal_station_is_never_warned() -> None:
    """80 MB a day of 3,000 MB, three months on end."""
    sim = Sim()
    for n in range(90):
        days(sim, 80, date(2026, 11, 1) + timedelta(n), 1)
        assert not sim.present


def test_a_warning_does_not_come_and_go_with_each_day() -> None:
    """Expected are 3,020 MB of 3,000, then 2,940, then 3,020 again: told once. Over it is at 2,840."""
    sim = Sim()
    for daily_mb, is_told in ((97, False), (101, True), (97, True), (101, True), (92, False), (97, False)):
        month, day = date(2026, 11, 1).toordinal(), date(2026, 11, 10).toordinal()
        sim.budget.used = DataUsed(
            month, 1_000 * MB, counter_bytes=0, counter_of=1, day=day, daily_bytes=daily_mb * MB, days=7
        )
        sim.at("2026-11-10T12:00:00")
        assert (AT_RISK in sim.present) is is_told, daily_mb


def test_a_sim_that_is_used_up_is_an_error_until_its_next_month() -> None:
    """On the SIM's own day the count begins again; the warning before is over with it."""
    sim = Sim(1_000, budget_day=10)
    days(sim, 200, date(2026, 11, 1), 3)
    days(sim, 200, date(2026, 11, 4), 2)
    assert sim.present == {AT_RISK}
    days(sim, 200, date(2026, 11, 6), 1)
    assert sim.present == {USED_UP} and sim.detail["until"] == "2026-11-10"
    sim.at("2026-11-10T00:01:00", 1)
    assert sim.used_mb == 1 and USED_UP not in sim.present


def test_a_month_that_ends_while_the_modem_is_away_is_over_all_the_same() -> None:
    """Nothing is counted, and the hour is looked at."""
    station = ByHand(civil="2026-11-30T20:00:00", settings=settings(10))  # type: ignore[arg-type]
    station.tell(events.DataCounted(1, 7))
    station.tell(events.DataCounted(20 * MB, 7))
    assert (USED_UP, MODEM) in station.faults
    station.wait(5 * HOUR_MS)
    assert (USED_UP, MODEM) not in station.faults


def test_a_station_without_a_budget_counts_and_tells_nothing() -> None:
    """Nor is one without a modem touched by a counter."""
    sim = Sim(None)
    days(sim, 5_000, date(2026, 11, 1), 9)
    assert not sim.present and sim.used_mb > 40_000
    station = ByHand()
    station.tell(events.DataCounted(1, 7))
    station.tell(events.DataCounted(900 * MB, 7))
    assert station.station.budget.used == DataUsed() and station.entries(effects.DataKept) == []


def test_the_card_is_written_a_few_times_a_day_at_the_most() -> None:
    """A quiet day costs four writes of its own, one on which the link is full a dozen; others' writes take it along."""
    for hourly_mb, most in ((0.5, 5), (400, 13)):
        station = ByHand(civil="2026-11-24T06:00:00", settings=settings())  # type: ignore[arg-type]
        counter = 0
        for _ in range(24 * 6):
            counter += round(hourly_mb * MB / 6)
            station.tell(events.DataCounted(counter, 7))
            station.wait(600_000)
        assert 3 <= len(station.entries(effects.DataKept)) <= most + 3, "and three for what the faults wrote"


def test_what_grew_goes_along_with_whatever_else_is_written() -> None:
    """A record that is made takes it to the disk at once, and only once."""
    station = ByHand(settings=settings())  # type: ignore[arg-type]
    station.tell(events.DataCounted(5, 7))
    station.tell(events.DataCounted(MB, 7))
    assert station.entries(effects.DataKept) == []
    station.tell(events.ConditionChanged("store-full", "blobs", True))
    (kept,) = station.entries(effects.DataKept)
    assert kept.used.used_bytes == MB - 5 and kept.used.counter_bytes == MB
    station.tell(events.ConditionChanged("store-full", "blobs", False))
    assert station.entries(effects.DataKept) == [kept]
    station.tell(events.DataCounted(MB + SAVE_BYTES, 7))
    assert station.entries(effects.DataKept) == [kept], "not within two hours"
    station.wait(SAVE_MS)
    assert len(station.entries(effects.DataKept)) == 2


@given(st.lists(st.tuples(st.integers(0, 40 * MB), st.integers(0, 40), st.booleans(), st.booleans()), max_size=60))
def test_no_byte_is_lost_or_counted_twice_whatever_the_clock_does(steps: list[tuple[int, int, bool, bool]]) -> None:
    """Over restarts of the machine, jumps of the clock by days, and time that nobody trusts, within two months."""
    budget, counter, name, total = DataBudget(settings(None)), 0, 1, 0  # type: ignore[arg-type]
    budget.count(0, name, Instant(WallMs(at("2026-11-20T00:00:00")), MonoMs(0), True))
    for grown, day, again, trusted in steps:
        counter, name = (0, name + 1) if again else (counter, name)
        counter, total = counter + grown, total + grown
        wall_ms = WallMs(at("2026-11-01T12:00:00") + day * DAY_MS)
        budget.count(counter, name, Instant(wall_ms, MonoMs(0), trusted))
    used = budget.used
    assert used.used_bytes + used.other_bytes + used.unplaced_bytes == total
