"""When things are due: against dateutil without re-basing, and over clock changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.core.material import HOUR_MS, ByHand, at, bulletin
from tests.core.material import programme as province_programme
from tests.core.material import slot as daily
from ttcs_edge.core.documents import Programme, Slot
from ttcs_edge.core.effects import AsRunClosed, AsRunOpened, StartSound
from ttcs_edge.core.model import Scope, StationSettings, Zone, ZoneId
from ttcs_edge.core.schedule import Timetable, check_rule, check_slot, occurrences, to_ms

SETTINGS = StationSettings("s", Scope("vn/a"), (Zone(ZoneId("cho"), "Chợ"),), "Asia/Ho_Chi_Minh")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def programme(*slots: Slot, time_zone: str = "Asia/Ho_Chi_Minh") -> Programme:
    return Programme(
        scope=Scope("vn"),
        version=1,
        issued="2026-01-01T00:00:00Z",
        expires="2036-01-01T00:00:00Z",
        time_zone=time_zone,
        bulletins=(bulletin("tin", 5),),
        slots=slots,
    )


def civil_times(slot: Slot, after: str, days: int, time_zone: str = "Asia/Ho_Chi_Minh") -> list[str]:
    """The civil times of a slot within some days."""
    begin_ms = to_ms(datetime.fromisoformat(after), time_zone)
    document = programme(slot, time_zone=time_zone)
    return [o.occurrence.local for o in occurrences(document, slot, begin_ms - 1, begin_ms + days * 86_400_000)]


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules of every frequency, with the parts that people use."""
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={freq}"]
    interval = draw(st.integers(1, 4))
    if interval > 1:
        parts.append(f"INTERVAL={interval}")
    days = draw(st.lists(st.sampled_from(WEEKDAYS), unique=True, max_size=3))
    if days:
        numbered = freq == "MONTHLY" and draw(st.booleans())
        parts.append(
            "BYDAY=" + ",".join(f"{draw(st.sampled_from(['1', '-1', '2']))}{d}" if numbered else d for d in days)
        )
    if freq in ("MONTHLY", "YEARLY", "DAILY") and draw(st.booleans()):
        parts.append("BYMONTH=" + ",".join(str(m) for m in draw(st.lists(st.integers(1, 12), min_size=1, max_size=3))))
    if freq == "MONTHLY" and not days and draw(st.booleans()):
        parts.append(f"BYMONTHDAY={draw(st.sampled_from([1, 15, 28, 29, 31, -1]))}")
    end = draw(st.sampled_from(["", "", "COUNT", "UNTIL"]))
    if end == "COUNT":
        parts.append(f"COUNT={draw(st.integers(1, 40))}")
    if end == "UNTIL":
        parts.append(f"UNTIL={draw(st.integers(2024, 2028))}0615T235900")
    return ";".join(parts)


@settings(max_examples=250, deadline=None)
@given(rules(), st.datetimes(datetime(2015, 1, 1), datetime(2026, 12, 31)), st.integers(0, 4_000))
def test_rebased_rules_give_what_dateutil_gives_from_their_start(rule: str, start: datetime, skip_days: int) -> None:
    """Whatever the rule and however long ago it began."""
    start = start.replace(microsecond=0)
    slot = Slot(id="s", start=start.isoformat(), rrule=rule, bulletins=("tin",))
    assert check_slot(slot) is None
    begin = start + timedelta(days=skip_days)
    end = begin + timedelta(days=400)
    whole = rrulestr(rule, dtstart=start)
    expected = [m.isoformat() for m in takewhile(lambda m: m <= end, whole.xafter(begin, inc=True)) if m >= begin]

    assert civil_times(slot, begin.isoformat(), 400) == expected


BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"


@pytest.mark.parametrize(
    ("zone", "day", "local", "utc"),
    [
        (BERLIN, "2026-03-29", "02:30:00", "2026-03-29T01:30:00"),
        (BERLIN, "2026-03-29", "01:59:59", "2026-03-29T00:59:59"),
        (BERLIN, "2026-03-29", "03:00:00", "2026-03-29T01:00:00"),
        (BERLIN, "2026-10-25", "02:30:00", "2026-10-25T00:30:00"),
        (BERLIN, "2026-10-25", "03:00:00", "2026-10-25T02:00:00"),
        (NEW_YORK, "2026-03-08", "02:30:00", "2026-03-08T07:30:00"),
        (NEW_YORK, "2026-11-01", "01:30:00", "2026-11-01T05:30:00"),
        (LORD_HOWE, "2026-10-04", "02:15:00", "2026-10-03T15:45:00"),
        (LORD_HOWE, "2026-10-04", "02:30:00", "2026-10-03T15:30:00"),
        (LORD_HOWE, "2026-04-05", "01:45:00", "2026-04-04T14:45:00"),
        (LORD_HOWE, "2026-04-05", "02:00:00", "2026-04-04T15:30:00"),
        ("Asia/Ho_Chi_Minh", "2026-03-29", "02:30:00", "2026-03-28T19:30:00"),
    ],
)
def test_on_the_day_of_a_clock_change_a_slot_airs_once_at_the_instant_that_rfc_5545_names(
    zone: str, day: str, local: str, utc: str
) -> None:
    """A time that does not exist is read with the offset before the change; of one that comes twice, the first."""
    slot = Slot(id="s", start=f"2026-01-01T{local}", rrule="FREQ=DAILY", bulletins=("tin",))
    begin = datetime.fromisoformat(day) - timedelta(days=2)
    document = programme(slot, time_zone=zone)
    begin_ms = at(begin.isoformat(), "UTC")
    found = list(occurrences(document, slot, begin_ms, begin_ms + 5 * 86_400_000))

    today = [one for one in found if one.occurrence.local.startswith(day)]
    assert [(one.occurrence.local, one.planned_ms) for one in today] == [(f"{day}T{local}", at(utc, "UTC"))]
    locals_ = [one.occurrence.local for one in found]
    assert len(locals_) == len(set(locals_)) >= 5
    assert [one.planned_ms for one in found] == sorted(one.planned_ms for one in found)


@pytest.mark.parametrize(
    "zone", [BERLIN, NEW_YORK, LORD_HOWE, "Asia/Ho_Chi_Minh", "Africa/Casablanca", "Asia/Kathmandu"]
)
def test_over_a_year_of_clock_changes_every_day_has_its_one_occurrence(zone: str) -> None:
    """Walked in steps of all lengths, as a station does that is woken and restarted: none twice, none lost."""
    slots = [
        Slot(id=f"s{minute:02}", start=f"2026-01-01T02:{minute:02}:00", rrule="FREQ=DAILY", bulletins=("tin",))
        for minute in range(0, 60, 15)
    ]
    document = programme(*slots, time_zone=zone)
    now_ms: int = to_ms(datetime(2026, 1, 1), zone)
    end_ms = to_ms(datetime(2027, 1, 1), zone)
    taken = []
    table, step = Timetable((document,), SETTINGS, now_ms - 1), 0
    while now_ms < end_ms:
        step += 1
        now_ms = min(end_ms, now_ms + (step * 7_919_123) % (30 * HOUR_MS))
        taken += table.due(now_ms)
        if step % 5 == 0:
            table = Timetable((document,), SETTINGS, now_ms)
    keys = [due.occurrence for due in taken]

    assert len(keys) == len(set(keys)) == 4 * 365
    assert {key.local[:10] for key in keys} == {
        (datetime(2026, 1, 1) + timedelta(days=day)).date().isoformat() for day in range(365)
    }


@pytest.mark.parametrize(
    ("zone", "begin", "local", "first"),
    [
        (BERLIN, "2026-10-24T12:00:00", "02:30:00", "2026-10-25T02:30:00"),
        (NEW_YORK, "2026-10-31T12:00:00", "01:30:00", "2026-11-01T01:30:00"),
        (LORD_HOWE, "2026-04-04T12:00:00", "01:45:00", "2026-04-05T01:45:00"),
        (BERLIN, "2026-03-28T12:00:00", "02:30:00", "2026-03-29T02:30:00"),
    ],
)
def test_a_station_airs_a_slot_once_in_the_night_of_a_clock_change(
    zone: str, begin: str, local: str, first: str
) -> None:
    """never-5: two days over the change, on the station itself: one cue a night, whatever the clock shows."""
    slot = Slot(id="a", start=f"2026-01-01T{local}", rrule="FREQ=DAILY", bulletins=("a",))
    document = province_programme([slot], time_zone=zone, issued="2026-01-01T00:00:00Z", expires="2027-01-01T00:00:00Z")
    station = ByHand(document, settings=replace(SETTINGS, scope=Scope("vn/lam-dong"), time_zone=zone), civil=begin)
    heard = []
    while station.wall_ms < at(begin, zone) + 2 * 86_400_000:
        log = station.wait(60_000)
        if any(isinstance(effect, StartSound) for _, effect in log):
            station.sound_begins()
            station.sound_ends()
            heard.append(station.entries(AsRunClosed)[-1].record.occurrence.local)

    assert heard == [first, (datetime.fromisoformat(first) + timedelta(days=1)).isoformat()]


def test_a_programme_of_another_time_zone_airs_at_its_own_time() -> None:
    """A station in Tokyo airs Vietnam's five o'clock at seven; the occurrence keeps the programme's civil time."""
    station = ByHand(
        province_programme([daily("a", "05:00:00")]),
        settings=replace(SETTINGS, scope=Scope("vn/lam-dong"), time_zone="Asia/Tokyo"),
        civil="2026-11-24T06:00:00",
    )
    station.wait_until("2026-11-24T07:00:00")
    station.sound_begins()

    (opened,) = station.entries(AsRunOpened)
    assert opened.record.occurrence.local == "2026-11-24T05:00:00"
    assert opened.record.start_ms == at("2026-11-24T05:00:00") == at("2026-11-24T07:00:00", "Asia/Tokyo")


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("FREQ=YEARLY", ["2024-02-29", "2028-02-29", "2032-02-29"]),
        ("FREQ=MONTHLY;BYMONTHDAY=31", ["2024-03-31", "2024-05-31", "2024-07-31"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", ["2024-03-29", "2024-04-26", "2024-05-31"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH", ["2024-02-29", "2024-03-12", "2024-03-14"]),
    ],
)
def test_dates_that_not_every_month_or_year_has_are_found(rule: str, days: list[str]) -> None:
    """A leap day is four years away; the 31st skips months; both are found, in order."""
    slot = Slot(id="s", start="2024-02-29T05:00:00", rrule=rule, bulletins=("tin",))
    assert [local[:10] for local in civil_times(slot, "2024-02-29T00:00:00", 4_000)][:3] == days


def test_a_rule_that_has_ended_is_never_due_again() -> None:
    """COUNT and UNTIL, to the second: the last one is due, the next is not, however long ago it began."""
    for rule in ("FREQ=DAILY;COUNT=3", "FREQ=DAILY;UNTIL=20240303T050000", "FREQ=DAILY;UNTIL=20240303"):
        slot = Slot(id="s", start="2024-03-01T05:00:00", rrule=rule, bulletins=("tin",))
        assert civil_times(slot, "2024-03-03T00:00:00", 4_000) == ["2024-03-03T05:00:00"]
        table = Timetable((programme(slot),), SETTINGS, to_ms(datetime(2026, 1, 1), "Asia/Ho_Chi_Minh"))
        assert table.next_instant() is None and table.due(2**53) == []
    slot = Slot(id="s", start="2024-03-01T05:00:00", rrule="FREQ=DAILY;UNTIL=20240303T045959", bulletins=("tin",))
    assert civil_times(slot, "2024-03-01T00:00:00", 10)[-1] == "2024-03-02T05:00:00"


CLOCK_CHANGES = [(BERLIN, "2026-10-25T02:30:00"), (LORD_HOWE, "2026-04-05T01:45:20"), (NEW_YORK, "2026-11-01T01:30:00")]
SLOTS = st.tuples(rules(), st.integers(0, 24 * 180 - 1), st.booleans(), st.integers(-900, 500))
"""A rule, twenty seconds of the day, whether it has dates of its own, and the day of 2026 on which it begins."""


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CLOCK_CHANGES), st.lists(SLOTS, min_size=1, max_size=8), st.integers(0, 9_000))
def test_what_is_asked_for_next_is_what_each_slot_by_itself_gives(
    change: tuple[str, str], slots: list[tuple[str, int, bool, int]], third: int
) -> None:
    """Rules are asked only when their time of day comes: nothing is late or lost by it, over a clock change either."""
    time_zone, changes = change
    begin = datetime(2026, 3, 1) + timedelta(minutes=third * 5, seconds=third % 60)
    soon = (begin + timedelta(hours=5)).isoformat()
    document = programme(
        *(
            Slot(
                id=f"s{number}",
                start=(datetime(2026, 1, 1) + timedelta(days=day, seconds=20 * at)).isoformat(),
                rrule=rule,
                rdate=(changes, soon) if dated else (),
                bulletins=(f"b{number}",),
            )
            for number, (rule, at, dated, day) in enumerate(slots)
        ),
        time_zone=time_zone,
    )
    begin_ms = to_ms(begin, time_zone)
    end_ms = begin_ms + 400 * 86_400_000
    alone = sorted(
        (found.planned_ms, found.occurrence)
        for slot in document.slots
        for found in occurrences(document, slot, begin_ms, end_ms)
    )
    foreseen = Timetable((document,), SETTINGS, begin_ms).upcoming(6)
    ahead = Timetable((document,), SETTINGS, begin_ms)
    turns = 1 + sum(ahead.look_on(2) for _ in range(100))
    firsts = ahead.firsts()
    table, taken = Timetable((document,), SETTINGS, begin_ms), []
    while (instant := table.next_instant() or end_ms + 1) <= end_ms:
        taken += table.due(instant)

    assert [(one.planned_ms, one.occurrence) for one in taken] == alone
    assert [(one.planned_ms, one.occurrence) for one in foreseen if one.planned_ms <= end_ms][:6] == alone[:6]
    assert turns >= len(slots) / 2
    soonest = {f"b{key.slot[1:]}": ms for ms, key in reversed(alone)}
    assert {name: ms for ((name,), _), ms in firsts.items() if ms <= end_ms} == soonest


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        (BERLIN, "2026-03-29T02:00:00"),
        (BERLIN, "2026-10-25T03:00:00"),
        (LORD_HOWE, "2026-10-04T02:00:00"),
        (LORD_HOWE, "2026-04-05T02:00:00"),
        ("America/St_Johns", "2010-03-14T00:01:00"),
        ("America/St_Johns", "2010-11-07T00:01:00"),
    ],
)
def test_from_any_instant_near_a_clock_change_nothing_that_follows_is_passed_over(zone: str, change: str) -> None:
    """Wherever a scan begins, in the middle of a minute or of an hour that comes twice or never: all that is due is."""
    times = (datetime(2009, 1, 1) + timedelta(minutes=7 * number, seconds=20) for number in range(24 * 60 // 7))
    slots = [
        Slot(id=f"s{number}", start=time.isoformat(), rrule="FREQ=DAILY", bulletins=("tin",))
        for number, time in enumerate(times)
    ]
    document = programme(*slots, time_zone=zone)
    change_ms = to_ms(datetime.fromisoformat(change), zone)
    for after_ms in range(change_ms - 5 * HOUR_MS + 10_000, change_ms + 5 * HOUR_MS, 5 * 60_000):
        upto_ms = after_ms + 2 * HOUR_MS
        alone = {one.occurrence for slot in slots for one in occurrences(document, slot, after_ms, upto_ms)}
        assert {one.occurrence for one in Timetable((document,), SETTINGS, after_ms).due(upto_ms)} == alone


@pytest.mark.parametrize("dated", [False, True])
def test_slots_of_one_minute_that_begin_on_different_days_are_each_due_from_their_own(dated: bool) -> None:
    """A year's plan of single days: each is found on its day, and known beforehand to whoever looks ahead."""
    starts = [datetime(2026, 2, 1) + timedelta(days=number * 37 % 400) for number in range(100)]
    slots = [
        Slot(
            id=f"s{number}",
            start=(start + timedelta(days=400 * dated)).isoformat(),
            rdate=(start.isoformat(),) * dated,
            bulletins=(f"b{number}",),
        )
        for number, start in enumerate(starts)
    ]
    begin_ms = to_ms(datetime(2026, 1, 1), SETTINGS.time_zone)
    expected = sorted(to_ms(start, SETTINGS.time_zone) for start in starts)
    table, ahead = Timetable((programme(*slots),), SETTINGS, begin_ms), 0
    found: list[int] = []
    while len(found) < len(starts) and (instant := table.next_instant()) is not None:
        found += [due.planned_ms for due in table.due(instant)]
    foresight = Timetable((programme(*slots),), SETTINGS, begin_ms)
    while foresight.look_on(3):
        ahead += 1

    assert found == expected
    assert sorted(foresight.firsts().values()) == expected
    assert ahead >= len(slots) / 3


def test_two_slots_at_the_same_instant_come_by_priority_then_by_id() -> None:
    """They queue in an order that everybody can foresee."""
    at = "2026-11-24T05:00:00"
    slots = [Slot(id=n, start=at, bulletins=("tin",), priority=p) for n, p in (("b", 5), ("a", 5), ("c", 7))]
    table = Timetable((programme(*slots),), SETTINGS, to_ms(datetime(2026, 11, 24), "Asia/Ho_Chi_Minh"))

    assert [due.slot.id for due in table.due(2**53)] == ["c", "a", "b"]
    assert table.next_instant() is None


def test_rdate_adds_and_exdate_takes_away() -> None:
    """RFC 5545, 3.8.5.1 and 3.8.5.2."""
    slot = Slot(
        id="s",
        start="2026-11-24T05:00:00",
        rrule="FREQ=DAILY;COUNT=3",
        rdate=("2026-11-24T12:00:00",),
        exdate=("2026-11-25T05:00:00",),
        bulletins=("tin",),
    )
    assert civil_times(slot, "2026-11-24T00:00:00", 10) == [
        "2026-11-24T05:00:00",
        "2026-11-24T12:00:00",
        "2026-11-26T05:00:00",
    ]


def test_a_slot_for_zones_that_are_not_here_is_not_for_this_station() -> None:
    """Zones name what is here."""
    slot = Slot(id="s", start="2026-11-24T05:00:00", bulletins=("tin",), zones=("khac",))
    assert Timetable((programme(slot),), SETTINGS, 0).next_instant() is None


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("FREQ=SECONDLY", "FREQ=SECONDLY"),
        ("FREQ=HOURLY", "FREQ=HOURLY"),
        ("FREQ=DAILY;BYHOUR=5", "BYHOUR=5"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20261201", "COUNT;UNTIL"),
        ("INTERVAL=2", "FREQ"),
        ("FREQ=DAILY;FREQ=DAILY", "FREQ=DAILY"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY=32"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0"),
        ("daily", "daily"),
    ],
)
def test_a_rule_that_cannot_be_used_is_named(rule: str, wrong: str) -> None:
    """The part that is wrong, not just that something is."""
    assert check_rule(rule) == wrong
