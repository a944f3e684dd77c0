"""Drawing for a terminal of any width: a phone's 40 columns or a desk's 200.

Words wrap between words and never within a letter: text is composed (NFC) first, so a Vietnamese letter is one
character. What came from outside loses its control and invisible characters, so that no title can command the terminal.
Colour only on a terminal, and not with NO_COLOR; nothing is told by colour alone.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ttcs_edge.locale import Language, text

NARROW_COLUMNS = 100
"""Below this a table of many columns is drawn as lines."""
PHONE_COLUMNS = 60
HEADING = "bold"
BAD = "bold red"
DOUBTFUL = "yellow"
QUIET = "dim"


def console() -> Console:
    """Make the console of standard output."""
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return Console(
        color_system="auto" if coloured else None,
        force_terminal=sys.stdout.isatty(),
        markup=False,
        highlight=False,
        emoji=False,
    )


def show(out: Console, parts: Iterable[RenderableType]) -> None:
    """Print one below the other, without the blanks with which tables fill up their lines."""
    with out.capture() as captured:
        out.print(Group(*parts))
    out.file.write("".join(line.rstrip(" ") + "\n" for line in captured.get().splitlines()))


def clean(words: object) -> str:
    """Give text that is safe to show and safe to wrap."""
    composed = unicodedata.normalize("NFC", str(words))
    return "".join(" " if unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"} else letter for letter in composed)


def styled(words: object, style: str = "") -> Text:
    """Give text in a style."""
    return Text(clean(words), style=style)


def alarm(words: object) -> Text:
    """Give text that must not be overlooked, also without colour."""
    return styled(f"!! {words}", BAD)


def joined(parts: Iterable[Text | str], separator: str = ", ") -> Text:
    """Join texts, leaving out empty ones."""
    return Text(separator).join([part if isinstance(part, Text) else styled(part) for part in parts if part])


def pairs(rows: Iterable[tuple[str, Text]]) -> Table:
    """Lay out labels and values in two columns, the label never wrapped."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in rows:
        grid.add_row(styled(label, QUIET), value)
    return grid


def indented(item: RenderableType) -> Padding:
    """Move something two columns to the right."""
    return Padding(item, (0, 0, 0, 2), expand=False)


def zone_of(name: str | None) -> tzinfo | None:
    """Give a time zone by name; None, the machine's own, when there is no such zone."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def local(wall_ms: int, place: tzinfo | None) -> datetime:
    """Give an instant in a time zone, or in the machine's own."""
    return datetime.fromtimestamp(wall_ms / 1_000, timezone.utc).astimezone(place)


def date_words(when: datetime, lang: Language) -> str:
    """Give a date as it is written in the language."""
    return text("terminal.date", lang, day=f"{when.day:02}", month=f"{when.month:02}", year=when.year)


def day_words(when: datetime, lang: Language) -> str:
    """Give the weekday and the date."""
    return f"{text(f'terminal.weekday.{when.weekday()}', lang)} {date_words(when, lang)}"


def short_day_words(when: datetime, lang: Language) -> str:
    """Give the weekday and the date without its year."""
    date = text("terminal.date-short", lang, day=f"{when.day:02}", month=f"{when.month:02}")
    return f"{text(f'terminal.weekday.{when.weekday()}', lang)} {date}"


def moment_words(when: datetime, now: datetime, lang: Language) -> str:
    """Give the time of day, and the day unless it is today."""
    return f"{when:%H:%M}" if when.date() == now.date() else f"{when:%H:%M} {short_day_words(when, lang)}"


def length_words(duration_ms: int) -> str:
    """Give a duration as ``m:ss`` or ``h:mm:ss``."""
    minutes, seconds = divmod(round(duration_ms / 1_000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def age_words(seconds: int, lang: Language) -> str:
    """Give an age in the largest unit of which there are at least two."""
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return text(f"terminal.age.{unit}", lang, count=seconds // size)
    return text("terminal.age.seconds", lang, count=seconds)
