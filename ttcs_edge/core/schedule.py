"""When things are due: RFC 5545 recurrence in civil time, turned into instants.

- A rule is evaluated in the programme's local time (DTSTART, RRULE, RDATE, EXDATE: RFC 5545, 3.8.5), then each civil
  time becomes an instant through the time zone. A civil time that a clock change skips is read with the offset before
  the change; one that comes twice airs once, the first time (RFC 5545, 3.3.5). The civil time is the occurrence's
  identity, so neither a clock step nor a clock change makes a second one.
- FREQ is DAILY, WEEKLY, MONTHLY or YEARLY, with no part finer than a day: a slot airs at most once a day, at the time
  of day of its start. Finer frequencies cost seconds to evaluate and mean nothing to a loudspeaker: they are refused.
- So a rule is a matter of dates, and all slots that share a rule and a start date share its evaluation.
- Rules begun long ago are re-based by whole periods: the cost does not grow with the years. COUNT is turned into
  UNTIL once, because re-basing would begin the count anew.
"""

from __future__ import annotations

import heapq
import re
from bisect import bisect_right
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from itertools import islice
from operator import attrgetter
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr
from msgspec import Struct

from ttcs_edge.core.documents import Hour, Programme, Refused, Saying, Slot
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Occurrence, Scope, StationSettings, WallMs

_NUMBER = r"[+-]?\d{1,3}"
_PARTS = {
    "FREQ": r"DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": r"[1-9]\d{0,3}",
    "COUNT": r"[1-9]\d{0,3}",
    "UNTIL": r"\d{8}(T\d{6}Z?)?",
    "WKST": r"MO|TU|WE|TH|FR|SA|SU",
    "BYDAY": r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)(,([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU))*",
    "BYMONTH": r"(0?[1-9]|1[0-2])(,(0?[1-9]|1[0-2]))*",
    "BYMONTHDAY": rf"{_NUMBER}(,{_NUMBER})*",
    "BYYEARDAY": rf"{_NUMBER}(,{_NUMBER})*",
    "BYWEEKNO": rf"{_NUMBER}(,{_NUMBER})*",
    "BYSETPOS": rf"{_NUMBER}(,{_NUMBER})*",
}
_PATTERNS = {name: re.compile(rf"(?:{pattern})\Z") for name, pattern in _PARTS.items()}
_RANGES = {"BYMONTHDAY": 31, "BYYEARDAY": 366, "BYWEEKNO": 53, "BYSETPOS": 366, "BYDAY": 53}
_SEARCH_DAYS = 366 * 9
"""How far ahead a next occurrence is looked for: 29 February can be eight years away."""


@lru_cache(maxsize=4_096)
def check_rule(text: str) -> str | None:
    """Tell what is wrong with an RRULE value (RFC 5545, 3.3.10): the offending part, or None when it is good."""
    parts: dict[str, str] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name in parts or name not in _PATTERNS or not _PATTERNS[name].match(value):
            return part
        if name in _RANGES:
            numbers = [int(number) for number in re.findall(_NUMBER, value)]
            if any(number == 0 or abs(number) > _RANGES[name] for number in numbers):
                return part
        parts[name] = value
    if "FREQ" not in parts:
        return "FREQ"
    if "COUNT" in parts and "UNTIL" in parts:
        return "COUNT;UNTIL"
    try:
        rrulestr(_date_rule(text), dtstart=datetime(2026, 1, 1))
    except (ValueError, TypeError):
        return text
    return None


def check_slot(slot: Slot) -> Refused | None:
    """Tell what is wrong with a slot's times, beyond their form: dates that no calendar has, a rule not to be used."""
    for text in (slot.start, *slot.rdate, *slot.exdate):
        if not _is_civil_time(text):
            return Refused("bad-date", slot.id, (("found", text), ("expected", "YYYY-MM-DDThh:mm:ss")))
    wrong = check_rule(slot.rrule) if slot.rrule else None
    if wrong is not None:
        return Refused("bad-rule", slot.id, (("found", wrong), ("expected", "RFC 5545 DAILY|WEEKLY|MONTHLY|YEARLY")))
    return None


@lru_cache(maxsize=16_384)
def _is_civil_time(text: str) -> bool:
    try:
        return 1970 <= datetime.fromisoformat(text).year <= 2200
    except ValueError:
        return False


def _date_rule(text: str) -> str:
    """The rule with UNTIL cut to its date; the time of day is compared by the caller."""
    return re.sub(r"UNTIL=(\d{8})[^;]*", r"UNTIL=\1T235959", text)


@dataclass(slots=True)
class _DateRule:
    """A rule on dates: ``on_or_after`` is its only question."""

    rule: rrule
    start: date
    freq: str
    interval: int
    last: date | None

    def on_or_after(self, day: date) -> date | None:
        """Give the first date of the rule that is not before ``day``."""
        if self.last is not None and day > self.last:
            return None
        begin = self._rebased(max(day, self.start))
        rule = self.rule.replace(dtstart=datetime.combine(begin, time()), until=self._until(day), count=None)
        found = rule.after(datetime.combine(max(day, self.start), time()), inc=True)
        if found is None or (self.last is not None and found.date() > self.last):
            return None
        return found.date()

    def _until(self, day: date) -> datetime:
        limit = max(day, self.start) + timedelta(days=_SEARCH_DAYS * self.interval if self.interval < 9 else 36_500)
        return datetime.combine(min(limit, self.last or limit), time(23, 59, 59))

    def _rebased(self, day: date) -> date:
        """A start near ``day`` from which the rule gives the same dates."""
        days = (day - self.start).days
        if self.freq == "DAILY":
            return self.start + timedelta(days=days // self.interval * self.interval)
        if self.freq == "WEEKLY":
            period = 7 * self.interval
            return self.start + timedelta(days=max(0, days // period - 1) * period)
        months = {"MONTHLY": 1, "YEARLY": 12}[self.freq] * self.interval
        elapsed = (day.year - self.start.year) * 12 + day.month - self.start.month
        month = self.start.month - 1 + max(0, elapsed // months - 1) * months
        year, month = self.start.year + month // 12, month % 12 + 1
        safe_day = self.start.day if self.start.day <= 28 else 1
        return date(year, month, safe_day) if month or year else self.start


@lru_cache(maxsize=16_384)
def _date_rule_of(text: str, start: date) -> _DateRule:
    parts = dict(part.split("=") for part in text.split(";"))
    freq = parts["FREQ"]
    rule = rrulestr(_pinned(_date_rule(text), parts, start), dtstart=datetime.combine(start, time()))
    assert isinstance(rule, rrule)
    last = None
    if "COUNT" in parts:
        dates = list(islice(rule, LIMITS.rule_occurrences))
        last = dates[-1].date() if dates else start
    elif "UNTIL" in parts:
        last = datetime.strptime(parts["UNTIL"][:8], "%Y%m%d").date()
    return _DateRule(rule, start, freq, int(parts.get("INTERVAL", "1")), last)


@lru_cache(maxsize=65_536)
def _on_or_after(text: str, start: date, day: date) -> date | None:
    """All slots that share a rule and a start date share the answer."""
    return _date_rule_of(text, start).on_or_after(day)


def _pinned(text: str, parts: dict[str, str], start: date) -> str:
    """The rule with what DTSTART would supply written out, so that another start does not change it."""
    freq = parts["FREQ"]
    by_day_given = any(name in parts for name in ("BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"))
    if freq == "WEEKLY" and not by_day_given:
        return f"{text};BYDAY={['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'][start.weekday()]}"
    if freq == "MONTHLY" and not by_day_given:
        return f"{text};BYMONTHDAY={start.day}"
    if freq == "YEARLY" and not by_day_given:
        month = "" if "BYMONTH" in parts else f";BYMONTH={start.month}"
        return f"{text};BYMONTHDAY={start.day}{month}"
    return text


class SlotOccurrence(Struct, frozen=True):
    """One occurrence of one slot, with its instant."""

    occurrence: Occurrence
    planned_ms: WallMs
    slot: Slot
    programme: Programme


class _SlotDates:
    """The civil times of one slot, one after another."""

    __slots__ = ("exdate", "rdate", "start", "text", "until")

    def __init__(self, slot: Slot) -> None:
        self.start = datetime.fromisoformat(slot.start)
        self.text = slot.rrule
        self.rdate = sorted(datetime.fromisoformat(text) for text in slot.rdate)
        self.exdate = frozenset(datetime.fromisoformat(text) for text in slot.exdate)
        self.until = _until_time(slot.rrule)

    def next_after(self, after: datetime) -> datetime | None:
        """Give the first civil time later than ``after``."""
        for _ in range(LIMITS.dates_per_slot + 2):
            found = self._by_rule(after)
            if self.rdate:
                found = min((c for c in (found, self._by_date(after)) if c is not None), default=None)
            if found is None or found not in self.exdate:
                return found
            after = found
        return None

    def _by_rule(self, after: datetime) -> datetime | None:
        if not self.text:
            return self.start if self.start > after else None
        day = max(after.date(), self.start.date())
        for _ in range(2):
            found = _on_or_after(self.text, self.start.date(), day)
            if found is None:
                return None
            moment = datetime.combine(found, self.start.time())
            if self.until is not None and moment > self.until:
                return None
            if moment > after:
                return moment
            day = found + timedelta(days=1)
        return None

    def _by_date(self, after: datetime) -> datetime | None:
        return next((moment for moment in self.rdate if moment > after), None)


@lru_cache(maxsize=4_096)
def _until_time(text: str) -> datetime | None:
    """UNTIL with a time of day, read as local time; a date alone means the whole of that day."""
    match = re.search(r"UNTIL=(\d{8})T(\d{6})", text)
    return datetime.strptime("".join(match.groups()), "%Y%m%d%H%M%S") if match else None


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The time zone of a name. Raises ZoneInfoNotFoundError or ValueError for one that does not exist."""
    return ZoneInfo(name)


def to_ms(civil: datetime, time_zone: str) -> WallMs:
    """The instant of a civil time: the first when it comes twice, the offset before the change when it never comes."""
    return WallMs(round(civil.replace(tzinfo=zone(time_zone), fold=0).timestamp() * 1_000))


@lru_cache(maxsize=64)
def to_civil(wall_ms: int, time_zone: str) -> datetime:
    """The civil time at an instant, without its zone."""
    utc = datetime.fromtimestamp(wall_ms / 1_000, timezone.utc)
    return utc.astimezone(zone(time_zone)).replace(tzinfo=None)


def concerns(slot: Slot, settings: StationSettings) -> bool:
    """Tell whether a slot is for this station: it names no zone (all are meant) or one that is here."""
    return not slot.zones or not {str(z.id) for z in settings.zones}.isdisjoint(slot.zones)


def occurrences(programme: Programme, slot: Slot, after_ms: int, upto_ms: int) -> Iterator[SlotOccurrence]:
    """Walk through one slot's occurrences later than ``after_ms`` and not later than ``upto_ms``; keeps no state."""
    dates = _SlotDates(slot)
    found = _first_behind(dates, after_ms, programme.time_zone)
    while found is not None and found[0] <= upto_ms:
        yield _occurrence(programme, slot, found)
        found = _behind(dates, found[1], programme.time_zone)


Moment = tuple[WallMs, datetime]
"""An instant, and the civil time that it was made of."""


def _first_behind(dates: _SlotDates, after_ms: int, time_zone: str) -> Moment | None:
    """The first moment of a slot whose instant is later than ``after_ms``."""
    found = _behind(dates, to_civil(after_ms, time_zone) - timedelta(hours=3), time_zone)
    for _ in range(7):
        if found is None or found[0] > after_ms:
            return found
        found = _behind(dates, found[1], time_zone)
    return None


def _behind(dates: _SlotDates, civil: datetime, time_zone: str) -> Moment | None:
    """The first moment of a slot whose civil time is later."""
    moment = dates.next_after(civil)
    return None if moment is None else (to_ms(moment, time_zone), moment)


def _occurrence(programme: Programme, slot: Slot, moment: Moment) -> SlotOccurrence:
    return SlotOccurrence(Occurrence(programme.scope, slot.id, moment[1].isoformat()), moment[0], slot, programme)


MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
CLOCK_CHANGE_MS = 3 * HOUR_MS
"""More than any clock change moves."""


class _Clock:
    """When a clock on the wall will show a time of day next; no rule gives an earlier instant for it."""

    def __init__(self, time_zone: str, after_ms: int) -> None:
        self._time_zone = time_zone
        self._after_ms = after_ms
        self._day = datetime.combine((to_civil(after_ms, time_zone) - timedelta(hours=3)).date(), time())
        self._hours_ms: dict[int, int] = {}

    def hour_ms(self, hour: int) -> int:
        """An instant before the first hour of its number whose end is not behind, whatever clock change is near."""
        while (begin_ms := self._hour_ms(hour)) + HOUR_MS + CLOCK_CHANGE_MS <= self._after_ms:
            hour += 24
        return begin_ms - CLOCK_CHANGE_MS

    def minute_ms(self, hour: int, minute: int) -> int:
        """The first instant at which it shows a minute whose end is not behind."""
        while (begin_ms := self._within(hour, minute * MINUTE_MS)) + MINUTE_MS <= self._after_ms:
            hour += 24
        return begin_ms

    def _within(self, hour: int, span_ms: int) -> int:
        begin_ms = self._hour_ms(hour)
        if self._hour_ms(hour + 1) - begin_ms == HOUR_MS:
            return begin_ms + span_ms
        return to_ms(self._day + timedelta(hours=hour, milliseconds=span_ms), self._time_zone)

    def _hour_ms(self, hour: int) -> int:
        if hour not in self._hours_ms:
            self._hours_ms[hour] = to_ms(self._day + timedelta(hours=hour), self._time_zone)
        return self._hours_ms[hour]


def _not_before(begins: str, from_ms: int, programme: Programme) -> int:
    """An instant, or a later one that is still before everything of a slot that begins then."""
    return max(from_ms, to_ms(datetime.fromisoformat(begins), programme.time_zone) - CLOCK_CHANGE_MS)


Entry = tuple[WallMs, int, Scope, str, datetime, Slot]
"""The next occurrence of a slot, as the air orders them: instant, priority, scope, slot id. It holds nothing that the
collector walks through: ten thousand of them are nothing to it.
"""
Unread = tuple[int, int, Hour | tuple[Slot, ...], Programme]
"""Slots that may have something from an instant on."""


LOOKS_A_RULE = 10
"""So many next instants are looked at, or minutes of an hour put in their places, in the time that one rule takes."""


class _Outlook:
    """When everything that slots say is due next, found out bit by bit."""

    def __init__(self, entries: list[Entry]) -> None:
        self._entries = entries
        self.firsts: dict[Saying, int] = {}

    def look_on(self, most: int) -> bool:
        """Look at so many more entries; tell whether there are others still."""
        for entry in self._entries[-most:]:
            saying = (entry[5].bulletins, entry[5].zones)
            self.firsts[saying] = min(entry[0], self.firsts.get(saying, entry[0]))
        del self._entries[-most:]
        return bool(self._entries)


class Timetable:
    """Which occurrences of programmes, one a scope, are due, in order; each is given once. A heap of each slot's next.

    It answers ``due(upto)`` and ``next_instant()`` for one scan forward from ``after_ms``; a new scan is a new one.
    A slot's rule is asked only when the slot's time of day has come, on its first day at the earliest: a station with
    ten thousand slots that was just switched on has a cue that is due, and needs to know nothing of tonight.
    """

    def __init__(self, programmes: tuple[Programme, ...], settings: StationSettings, after_ms: int) -> None:
        self._after_ms = after_ms
        self._zones = frozenset(str(zone.id) for zone in settings.zones)
        self._heap: list[Entry] = []
        self._unread: list[Unread] = []
        self._files = 0
        self._outlook: _Outlook | None = None
        self._programmes = {programme.scope: programme for programme in programmes}
        for programme in programmes:
            self._put(after_ms, programme.dated, programme)
            clock = _Clock(programme.time_zone, after_ms)
            for hour in programme.hours:
                self._put(_not_before(hour.first, clock.hour_ms(int(hour.shown)), programme), hour, programme)

    def _put(self, from_ms: int, what: Hour | tuple[Slot, ...], programme: Programme) -> None:
        """Put slots where they are found when they may have something."""
        if what:
            self._files += 1
            heapq.heappush(self._unread, (from_ms, self._files, what, programme))

    def _read(self, upto_ms: int) -> None:
        """Ask the rules of all slots that may have something at or before ``upto_ms``."""
        while self._unread and self._unread[0][0] <= upto_ms:
            from_ms, _, what, programme = heapq.heappop(self._unread)
            if isinstance(what, Hour):
                self._open(what, from_ms, programme)
            else:
                self._read_begun(what, from_ms, programme)

    def _open(self, hour: Hour, from_ms: int, programme: Programme) -> None:
        """Put the slots of an hour where their minutes are."""
        clock = _Clock(programme.time_zone, max(self._after_ms, from_ms - 1))
        for slots in hour.minutes:
            first = datetime.fromisoformat(slots[0].start)
            minute_ms = clock.minute_ms(first.hour, first.minute)
            self._put(max(minute_ms, to_ms(first, programme.time_zone)), slots, programme)

    def _read_begun(self, slots: tuple[Slot, ...], from_ms: int, programme: Programme) -> None:
        """Ask the rules of those that begin within a day, and put the others where they begin."""
        soon = (to_civil(from_ms, programme.time_zone) + timedelta(days=1)).isoformat()
        begun = bisect_right(slots, soon, key=attrgetter("begins"))
        self._read_all(programme, slots[:begun])
        if begun < len(slots):
            self._put(_not_before(slots[begun].begins, from_ms, programme), slots[begun:], programme)

    def _read_all(self, programme: Programme, slots: tuple[Slot, ...]) -> None:
        for slot in slots:
            if not slot.zones or not self._zones.isdisjoint(slot.zones):
                self._add(_first_behind(_SlotDates(slot), self._after_ms, programme.time_zone), slot, programme)

    def _add(self, found: Moment | None, slot: Slot, programme: Programme) -> None:
        if found is not None:
            entry = (found[0], -slot.priority, programme.scope, slot.id, found[1], slot)
            heapq.heappush(self._heap, entry)

    def next_instant(self) -> int | None:
        """The instant of the next occurrence; None when nothing will ever be due again."""
        while self._unread and (not self._heap or self._unread[0][0] <= self._heap[0][0]):
            self._read(self._unread[0][0])
        return self._heap[0][0] if self._heap else None

    def next_look(self) -> int | None:
        """When ``due`` may have something next, as far as that is known without asking a rule; never too late."""
        return min([some[0][0] for some in (self._heap, self._unread) if some], default=None)

    def upcoming(self, most: int) -> list[SlotOccurrence]:
        """List the next occurrences and take none; more than ``most`` only when the last ones are at one instant."""
        while self._unread and not self._knows(most):
            self._read(self._unread[0][0])
        scan = copy(self)
        scan._heap = list(self._heap)
        found: list[SlotOccurrence] = []
        while len(found) < most and (instant := scan.next_instant()) is not None:
            found += scan.due(instant)
        return found

    def _knows(self, most: int) -> bool:
        """Tell whether so many are known that come before everything of which no rule was asked yet."""
        known = heapq.nsmallest(most, self._heap)
        return len(known) == most and (not known or known[-1][0] < self._unread[0][0])

    def look_on(self, most: int) -> bool:
        """Ask the rules of so many more slots at the most, and once all are asked look through what they said; tell
        whether ``firsts`` needs to look further.
        """
        while self._unread and most > 0:
            from_ms, _, what, programme = heapq.heappop(self._unread)
            if isinstance(what, Hour):
                self._open(what, from_ms, programme)
                most -= len(what.minutes) // LOOKS_A_RULE
            else:
                self._read_all(programme, what[:most])
                self._put(from_ms, what[most:], programme)
                most -= len(what)
        if self._unread:
            return True
        if self._outlook is None:
            self._outlook = _Outlook(list(self._heap))
        return most <= 0 or self._outlook.look_on(most * LOOKS_A_RULE)

    def firsts(self) -> dict[Saying, int]:
        """The next instant of everything that slots say, as it was when ``look_on`` had asked all rules; the next time
        it is found out anew.
        """
        while self.look_on(LIMITS.slots_per_programme):
            pass
        assert self._outlook is not None
        found, self._outlook = self._outlook.firsts, None
        return found

    def leave(self) -> list[Entry]:
        """Give what it is made of, to be let go bit by bit; it answers no more."""
        return self._heap

    def due(self, upto_ms: int) -> list[SlotOccurrence]:
        """Take everything planned at or before ``upto_ms``: by instant, then priority, then scope and slot id."""
        taken = []
        self._read(upto_ms)
        while self._heap and self._heap[0][0] <= upto_ms:
            planned_ms, _, scope, _, civil, slot = heapq.heappop(self._heap)
            programme = self._programmes[scope]
            taken.append(_occurrence(programme, slot, (planned_ms, civil)))
            self._add(_behind(_SlotDates(slot), civil, programme.time_zone), slot, programme)
        return taken
