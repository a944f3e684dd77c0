"""Days and nights as both programs show them: what falls into the night, and what comes again from day to day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ttcs_edge.locale import Language, text
from ttcs_edge.terminal import screen

DAY_MINUTES: Final = 24 * 60
DAYS_LISTED: Final = 3


@dataclass(frozen=True, slots=True)
class Span:
    """A span of the local day, in minutes from midnight; it may cross midnight. The end is not part of it."""

    begin: int
    end: int

    def holds(self, minute: int) -> bool:
        """Tell whether a minute of the day lies in the span."""
        return (minute - self.begin) % DAY_MINUTES < (self.end - self.begin) % DAY_MINUTES

    def meets(self, when: datetime, duration_ms: int) -> bool:
        """Tell whether something that begins at a local time touches the span."""
        begin = minute_of(when)
        last = when + timedelta(milliseconds=max(0, duration_ms - 1))
        whole = timedelta(minutes=1)
        minutes = (_to_minute(last) - _to_minute(when)) // whole + 1
        return self.holds(begin) or (self.begin - begin) % DAY_MINUTES < minutes


NIGHT: Final = Span(22 * 60, 5 * 60)
"""When people sleep, whatever quiet hours are set."""


def minute_of(when: datetime) -> int:
    """Give the minute of the day."""
    return when.hour * 60 + when.minute


def _to_minute(when: datetime) -> datetime:
    return when.replace(second=0, microsecond=0)


def time_words(when: datetime) -> str:
    """Give the time of day; seconds only when there are some."""
    return f"{when:%H:%M:%S}" if when.second else f"{when:%H:%M}"


def repeated(items: Iterable[tuple[datetime, str]], lang: Language) -> list[str]:
    """Tell what happens when, the same at the same time of day in one line: what is daily takes one and not thirty."""
    groups: dict[tuple[str, str], list[datetime]] = {}
    for when, title in items:
        groups.setdefault((time_words(when), title), []).append(when)
    lines = []
    for (time, title), days in sorted(groups.items(), key=lambda group: group[1][0]):
        named = [screen.short_day_words(day, lang) for day in days]
        if len(days) > DAYS_LISTED:
            named = [text("terminal.days-from-to", lang, count=len(days), first=named[0], last=named[-1])]
        lines.append(f"{time} {title}: {', '.join(named)}")
    return lines
