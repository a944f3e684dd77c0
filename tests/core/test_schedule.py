"""When things are due: against dateutil without re-basing, and over clock changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import takewhile

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.attacks.test_documents import AUDIO
from ttcs_edge.core.documents import Bulletin, Programme, Slot
from ttcs_edge.core.model import QuietHours, Scope, StationSettings, Zone, ZoneId
from ttcs_edge.core.schedule import Timetable, check_rule, check_slot, occurrences, preview, to_ms

SETTINGS = StationSettings("s", Scope("vn/a"), (Zone(ZoneId("cho"), "Chợ"),), "Asia/Ho_Chi_Minh")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def programme(*slots: Slot, time_zone: str = "Asia/Ho_Chi_Minh") -> Programme:
    return Programme(
        scope=Scope("vn"),
        version=1,
        issued="2026-01-01T00:00:00Z",
        expires="2036-01-01T00:00:00Z",
        time_zone=time_zone,
        bulletins=(Bulletin(id="tin", title="Tin", audio=(AUDIO,)),),
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


def test_a_time_that_the_clock_change_skips_airs_an_hour_later_and_one_that_comes_twice_airs_once() -> None:
    """Berlin, 2026: 02:30 does not exist on 29 March and comes twice on 25 October (RFC 5545, 3.3.5)."""
    slot = Slot(id="s", start="2026-03-27T02:30:00", rrule="FREQ=DAILY", bulletins=("tin",))
    document = programme(slot, time_zone="Europe/Berlin")
    spring = list(occurrences(document, slot, to_ms(datetime(2026, 3, 28), "Europe/Berlin"), 1_774_900_000_000))
    assert [o.occurrence.local for o in spring][:2] == ["2026-03-28T02:30:00", "2026-03-29T02:30:00"]
    assert spring[1].planned_ms - spring[0].planned_ms == 24 * 3_600_000

    autumn_ms = to_ms(datetime(2026, 10, 24, 12), "Europe/Berlin")
    autumn = list(occurrences(document, slot, autumn_ms, autumn_ms + 2 * 86_400_000))
    assert [o.occurrence.local for o in autumn] == ["2026-10-25T02:30:00", "2026-10-26T02:30:00"]


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


def test_the_preview_shows_the_cue_that_would_wake_a_commune_at_0315() -> None:
    """The wrongly set relay of Trung Lộc, seen beforehand (air-5)."""
    quiet = (QuietHours(21 * 60, 5 * 60),)
    settings_ = StationSettings("s", Scope("vn/a"), SETTINGS.zones, "Asia/Ho_Chi_Minh", quiet_hours=quiet)
    slots = (
        Slot(id="dem", start="2026-12-05T03:15:00", bulletins=("tin",)),
        Slot(id="sang", start="2026-12-05T05:00:00", bulletins=("tin",)),
        Slot(id="trung", start="2026-12-05T05:00:02", bulletins=("tin",)),
    )
    begin_ms = to_ms(datetime(2026, 12, 5), "Asia/Ho_Chi_Minh")
    cues = preview((programme(*slots),), settings_, begin_ms, begin_ms + 86_400_000)

    assert [(cue.due.slot.id, cue.clashes) for cue in cues] == [
        ("dem", ("quiet-hours",)),
        ("sang", ()),
        ("trung", ("overlap",)),
    ]


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
