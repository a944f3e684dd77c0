"""The log on a screen, day by day as it comes: what aired in a line, what did not with its reason."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo
from itertools import groupby
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ttcs_edge.locale import Language, text
from ttcs_edge.locale.faults import outcome_words, reason_words
from ttcs_edge.terminal import screen
from ttcs_edge.terminal.days import time_words
from ttcs_edge.terminal.moments import instant

Record = dict[str, Any]
STYLES = {"aired": "", "missed": screen.BAD, "cut": screen.DOUBTFUL, "part": screen.DOUBTFUL}


def show(records: Iterable[Record], lang: Language, place: tzinfo) -> None:
    """Draw all of them."""
    out = screen.console()
    table = _narrow if out.width < screen.NARROW_COLUMNS else _wide
    count = 0
    for day, members in groupby(records, key=lambda record: _when(record, place).date()):
        of_day = list(members)
        parts: list[RenderableType] = [screen.styled("")] if count else []
        heading = screen.day_words(datetime(day.year, day.month, day.day), lang)
        screen.show(out, [*parts, screen.styled(heading, screen.HEADING), screen.indented(table(of_day, lang, place))])
        count += len(of_day)
    words = text("cli.log-count", lang, count=count) if count else text("cli.log-none", lang)
    screen.show(out, [screen.styled(""), screen.styled(words)] if count else [screen.styled(words)])


def _when(record: Record, place: tzinfo) -> datetime:
    """When it began, or should have."""
    return instant(record["start"] or record["planned_start"]).astimezone(place)


def _narrow(records: list[Record], lang: Language, place: tzinfo) -> Table:
    """Draw the time, and beside it everything else, one below the other."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for record in records:
        lines = [
            screen.styled(record["title"] or record["slot"]),
            screen.joined([_outcome(record, lang), _length(record)]),
            screen.styled(", ".join(record["zones"]), screen.QUIET),
        ]
        grid.add_row(_time(record, place), screen.joined([line for line in lines if line.plain], "\n"))
    return grid


def _wide(records: list[Record], lang: Language, place: tzinfo) -> Table:
    """Draw one column each."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=screen.QUIET)
    table.add_column(text("cli.column-time", lang), no_wrap=True)
    table.add_column(text("cli.column-length", lang), no_wrap=True, justify="right")
    table.add_column(text("cli.column-title", lang), overflow="fold", min_width=16)
    table.add_column(text("cli.column-zones", lang), overflow="fold")
    table.add_column(text("cli.column-outcome", lang), overflow="fold", min_width=16)
    for record in records:
        table.add_row(
            _time(record, place),
            _length(record),
            screen.styled(record["title"] or record["slot"]),
            screen.styled(", ".join(record["zones"])),
            _outcome(record, lang),
        )
    return table


def _time(record: Record, place: tzinfo) -> Text:
    return screen.styled(time_words(_when(record, place).replace(microsecond=0)), STYLES.get(record["outcome"], ""))


def _length(record: Record) -> str:
    written_ms = sum(item["written_ms"] for item in record["items"])
    return screen.length_words(written_ms) if written_ms else ""


def _outcome(record: Record, lang: Language) -> Text:
    """What became of it, why, and whether it was seen to go out."""
    words = outcome_words(record["outcome"], lang)
    reason = record["reason"] and reason_words(record["reason"], lang)
    unseen = text("cli.log-unseen", lang) if record["witnessed"] is False else ""
    style = STYLES.get(record["outcome"], "")
    told = f"{words}: {reason}" if reason else words
    return screen.joined([screen.alarm(told) if style == screen.BAD else screen.styled(told, style), unseen], "; ")
