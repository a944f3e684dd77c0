"""How much data the SIM has used in its month, and whether what is left will last.

The kernel counts the bytes of the modem's interface, from nought again at each start of the machine and whenever the
modem was plugged in anew. So:

1. A counter of the same name that is not below what it was adds what it grew by; any other adds all that it shows. The
   first that is ever seen is where counting begins.
2. What is counted belongs to the month in which it is told, by trusted local time. Without trusted time it waits, and
   goes to the month that it is once the time is known.
3. The SIM's month begins on its own day; where a month has no such day, on its last one.
4. The month that was counted before is kept beside the one in force: a clock that jumps ahead and back finds it again.
5. It goes to the disk with whatever else goes there, and by itself every ``SAVE_BYTES``, at the most ``SAVES_A_DAY``
   times a day, and every ``SAVE_MS`` where it grew at all: of a death's last hours some may be missing.
6. It will not last when what is used, and the mean of the last days for each day to come, are more than the budget.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date

from msgspec.structs import replace

from ttcs_edge.core.effects import DataKept
from ttcs_edge.core.events import ConditionChanged
from ttcs_edge.core.model import MODEM, DataUsed, Instant, Modem, StationSettings
from ttcs_edge.core.schedule import to_civil

SAVE_BYTES = 10_000_000
SAVE_MS = 6 * 3_600_000
SAVES_A_DAY = 12
DAY_MS = 86_400_000
LOOK_MS = 3_600_000
"""How often the date is looked at: a month ends while nothing is counted, too."""
DAYS_MOST = 7
"""Of how many days the mean is."""
DAYS_LEAST = 3
"""Fewer whole days tell nothing of those to come."""
ENOUGH_SHARE = 0.95
"""It lasts again when less than this share of the budget is expected to be used: a warning must not come and go."""

AT_RISK, USED_UP = "data-budget", "data-used-up"


def begin_of(year: int, month: int, first_day: int) -> date:
    """The first day of the SIM's month that begins in a month of the calendar.

    >>> begin_of(2028, 2, 31)
    datetime.date(2028, 2, 29)
    """
    return date(year, month, min(first_day, monthrange(year, month)[1]))


def month_of(day: date, first_day: int) -> tuple[date, date]:
    """The SIM's month that a day lies in: its first day, and that of the next one.

    >>> month_of(date(2026, 3, 30), 31)
    (datetime.date(2026, 2, 28), datetime.date(2026, 3, 31))
    """
    months = day.year * 12 + day.month - 1
    if day < begin_of(day.year, day.month, first_day):
        months -= 1
    first, behind = (begin_of(one // 12, one % 12 + 1, first_day) for one in (months, months + 1))
    return first, behind


@dataclass(slots=True)
class DataBudget:
    """What was counted. Without a modem it does nothing."""

    settings: StationSettings
    used: DataUsed = field(default_factory=DataUsed)
    at_risk: bool = False
    unsaved_bytes: int = 0
    is_unsaved: bool = False
    saved_mono_ms: int | None = None
    look_ms: int = 0

    @property
    def month_bytes(self) -> int:
        """What counts for the month in force, as far as anybody knows."""
        return self.used.used_bytes + self.used.unplaced_bytes

    def count(self, counter_bytes: int, counter_of: int, now: Instant) -> list[ConditionChanged]:
        """Take what the kernel has counted; gives what follows, of which nothing may be new."""
        if self.settings.modem is None:
            return []
        used = self.used
        goes_on = counter_of == used.counter_of and counter_bytes >= used.counter_bytes
        is_first = used.counter_of == 0
        grown = 0 if is_first else counter_bytes - (used.counter_bytes if goes_on else 0)
        self.used = replace(
            used,
            counter_bytes=counter_bytes,
            counter_of=counter_of,
            unplaced_bytes=used.unplaced_bytes + grown,
        )
        self.unsaved_bytes += grown
        self.is_unsaved = self.is_unsaved or self.used != used
        return self._judge(self.settings.modem, now)

    def look(self, now: Instant) -> list[ConditionChanged]:
        """A month may be over."""
        if self.settings.modem is None or not now.trusted or now.wall_ms // LOOK_MS == self.look_ms:
            return []
        if self.used.counter_of == 0:
            return []  # nothing was ever counted
        return self._judge(self.settings.modem, now)

    def save(self, mono_ms: int, *, others: bool) -> list[DataKept]:
        """What is to go to disk now; ``others`` tells that something else goes there anyway."""
        if not self.is_unsaved:
            return []
        if self.saved_mono_ms is None:
            self.saved_mono_ms = mono_ms
        since_ms = mono_ms - self.saved_mono_ms
        much = self.unsaved_bytes >= SAVE_BYTES and since_ms >= DAY_MS // SAVES_A_DAY
        if not (others or much or since_ms >= SAVE_MS):
            return []
        self.saved_mono_ms, self.unsaved_bytes, self.is_unsaved = mono_ms, 0, False
        return [DataKept(self.used)]

    def _judge(self, modem: Modem, now: Instant) -> list[ConditionChanged]:
        """Nothing is told without trusted time."""
        if not now.trusted:
            return []
        self.look_ms = now.wall_ms // LOOK_MS
        today = to_civil(now.wall_ms, self.settings.time_zone).date()
        first, behind = month_of(today, modem.budget_day)
        before, self.used = self.used, _placed(self.used, first.toordinal(), today.toordinal())
        self.is_unsaved = self.is_unsaved or self.used != before
        if modem.budget_bytes is None:
            return [ConditionChanged(code, MODEM, False) for code in (AT_RISK, USED_UP)]
        is_up = self.used.used_bytes >= modem.budget_bytes
        self.at_risk = not is_up and self._will_not_last(modem.budget_bytes, (behind - today).days - 1)
        told = (
            ("used", _megabytes(self.used.used_bytes)),
            ("budget", _megabytes(modem.budget_bytes)),
            ("daily", _megabytes(self.used.daily_bytes)),
            ("until", behind.isoformat()),
        )
        return [ConditionChanged(AT_RISK, MODEM, self.at_risk, told), ConditionChanged(USED_UP, MODEM, is_up, told)]

    def _will_not_last(self, budget_bytes: int, days_to_come: int) -> bool:
        if self.used.days < DAYS_LEAST:
            return self.at_risk
        expected_bytes = self.used.used_bytes + self.used.daily_bytes * days_to_come
        return expected_bytes > budget_bytes * (ENOUGH_SHARE if self.at_risk else 1)


def _placed(used: DataUsed, month: int, today: int) -> DataUsed:
    """What had no place goes to the month and the day that it is."""
    if month != used.month:
        back = used.other_bytes if month == used.other_month else 0
        was = (used.month, used.used_bytes) if used.month else (used.other_month, used.other_bytes)
        used = replace(used, month=month, used_bytes=back, other_month=was[0], other_bytes=was[1])
    if today != used.day:
        used = _next_day(used, today)
    return replace(
        used,
        used_bytes=used.used_bytes + used.unplaced_bytes,
        day_bytes=used.day_bytes + used.unplaced_bytes,
        unplaced_bytes=0,
    )


def _next_day(used: DataUsed, today: int) -> DataUsed:
    """A day is over. One behind which not the next one comes, for a clock jumped or the station was off, counts for
    nothing.
    """
    if today != used.day + 1:
        return replace(used, day=today, day_bytes=0)
    days = min(used.days + 1, DAYS_MOST)
    return replace(
        used,
        day=today,
        day_bytes=0,
        days=days,
        daily_bytes=used.daily_bytes + (used.day_bytes - used.daily_bytes) // days,
    )


def _megabytes(size_bytes: int) -> str:
    return str(size_bytes // 1_000_000)
