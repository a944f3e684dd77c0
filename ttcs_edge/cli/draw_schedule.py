"""The schedule on a screen: every cue to come, and above all those of the night.

1. A cue that meets quiet hours is marked where it stands, counted under the heading, and told again at the end, where a
   phone's screen stops; there, what comes again every day takes one line and not thirty.
2. A cue between ``NIGHT`` that no quiet hours keep silent would wake people, so it is marked just the same: the commune
   that was woken at 03:15 had nothing set that forbade it.
3. Quiet hours that are not set are said to be not set.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ttcs_edge.locale import Language, text
from ttcs_edge.locale.faults import reason_words
from ttcs_edge.terminal import screen
from ttcs_edge.terminal.days import DAY_MINUTES, NIGHT, Span, minute_of, repeated, time_words

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A cue with what the screen marks about it; ``clash`` are the words of its clash with quiet hours."""

    when: datetime
    cue: Answer
    quiet: bool
    night: bool
    clash: str


def show(answer: Answer, days: int, lang: Language) -> None:
    """Draw the schedule, a heading for each day."""
    quiet_hours = answer["quiet_hours"]
    spans = [_span(one) for one in quiet_hours]
    rows = [_row(cue, spans, lang) for cue in answer["cues"]]
    out = screen.console()
    table = _narrow if out.width < screen.NARROW_COLUMNS else _wide
    parts: list[RenderableType] = [
        screen.styled(text("cli.schedule-title", lang, days=days, zone=answer["time_zone"]), screen.HEADING)
    ]
    parts += _heading(rows, quiet_hours, lang)
    for day, members in groupby(rows, key=lambda row: row.when.date()):
        of_day = list(members)
        parts += [screen.styled(""), screen.styled(screen.day_words(of_day[0].when, lang), screen.HEADING)]
        parts.append(screen.indented(table(of_day, lang)))
        assert day == of_day[-1].when.date()
    parts += [screen.styled(""), *_summary(rows, lang, unset=not quiet_hours)]
    screen.show(out, parts)


def _span(words: str) -> Span:
    match = re.fullmatch(r"(\d\d):(\d\d)-(\d\d):(\d\d)", words)
    if match is None:
        raise ValueError(words)
    begin_hour, begin, end_hour, end = map(int, match.groups())
    return Span(begin_hour * 60 + begin, end_hour * 60 + end)


def _row(cue: Answer, spans: list[Span], lang: Language) -> Row:
    when, duration_ms = datetime.fromisoformat(cue["planned"]), cue["duration_ms"]
    quiet = "quiet-hours" in cue["clashes"]
    met = [span for span in spans if span.meets(when, duration_ms)]
    clash = _clash(when, met, lang) if quiet else ""
    return Row(when, cue, quiet, not quiet and NIGHT.meets(when, duration_ms), clash)


def _clash(when: datetime, met: list[Span], lang: Language) -> str:
    """Tell what will be heard of a cue that meets quiet hours; one that must wait may meet them later than planned."""
    begin = minute_of(when)
    if any(span.holds(begin) for span in met):
        return text("cli.clash.quiet-hours", lang)
    if not met:
        return text("cli.clash.quiet-hours-waiting", lang)
    cut = begin + min((span.begin - begin) % DAY_MINUTES for span in met)
    return text("cli.clash.quiet-hours-later", lang, time=f"{cut // 60 % 24:02}:{cut % 60:02}")


def _heading(rows: list[Row], quiet_hours: list[str], lang: Language) -> list[RenderableType]:
    """What must be seen at first sight."""
    lines: list[RenderableType] = []
    if quiet_hours:
        lines.append(screen.styled(text("cli.quiet-hours", lang, spans=", ".join(quiet_hours))))
    else:
        lines.append(screen.alarm(text("cli.quiet-hours-unset", lang)))
    for code, count in (
        ("cli.quiet-summary", sum(row.quiet for row in rows)),
        ("cli.night-summary", sum(row.night for row in rows)),
    ):
        if count:
            lines.append(screen.alarm(text(code, lang, count=count)))
    return lines


def _narrow(rows: list[Row], lang: Language) -> Table:
    """Draw the time, and beside it everything else, one below the other."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for row in rows:
        title = f"{row.cue['title']} ({screen.length_words(row.cue['duration_ms'])})"
        lines = [screen.styled(title), screen.styled(_zones(row.cue, lang), screen.QUIET), *_notes(row, lang)]
        grid.add_row(_time(row), screen.joined(lines, "\n"))
    return grid


def _wide(rows: list[Row], lang: Language) -> Table:
    """Draw one column each."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=screen.QUIET)
    table.add_column(text("cli.column-time", lang), no_wrap=True)
    table.add_column(text("cli.column-length", lang), no_wrap=True, justify="right")
    table.add_column(text("cli.column-title", lang), overflow="fold", min_width=16)
    table.add_column(text("cli.column-zones", lang), overflow="fold")
    table.add_column(text("cli.column-priority", lang), justify="right")
    table.add_column(text("cli.column-note", lang), overflow="fold")
    for row in rows:
        table.add_row(
            _time(row),
            screen.length_words(row.cue["duration_ms"]),
            screen.styled(row.cue["title"]),
            screen.styled(_zones(row.cue, lang)),
            str(int(row.cue["priority"])),
            screen.joined(_notes(row, lang), "; "),
        )
    return table


def _time(row: Row) -> Text:
    return screen.styled(time_words(row.when), screen.BAD if row.quiet or row.night else screen.HEADING)


def _zones(cue: Answer, lang: Language) -> str:
    return ", ".join(cue["zones"]) or text("cli.no-zones", lang)


def _notes(row: Row, lang: Language) -> list[Text]:
    notes = []
    if row.quiet:
        notes.append(screen.alarm(row.clash))
    if row.night:
        notes.append(screen.alarm(text("cli.clash.night", lang)))
    for clash in [one for one in row.cue["clashes"] if one != "quiet-hours"]:
        words = text("cli.clash.overlap", lang) if clash == "overlap" else clash
        notes.append(screen.styled(f"!! {words}", screen.DOUBTFUL))
    if row.cue.get("live"):
        notes.append(screen.styled(text("cli.live-slot", lang, id=row.cue["live"])))
    if row.cue.get("stream"):
        notes.append(screen.styled(text("cli.stream-slot", lang, url=row.cue["stream"])))
    if not row.cue["audio_ready"]:
        notes.append(screen.styled(lack_words(row.cue["lack"], lang), screen.DOUBTFUL))
    if row.cue["stands_in"]:
        notes.append(screen.styled(text(f"cli.stands-in.{row.cue['stands_in']}", lang), screen.DOUBTFUL))
    return notes


def lack_words(lack: str, lang: Language) -> str:
    """Audio that is still on its way says so; what else keeps it off the air is told in the words of the log."""
    return text("cli.audio-missing", lang) if lack == "no-audio" else reason_words(lack, lang)


def _summary(rows: list[Row], lang: Language, *, unset: bool) -> list[RenderableType]:
    if not rows:
        return [screen.styled(text("cli.schedule-empty", lang))]
    lines: list[RenderableType] = [screen.styled(text("cli.schedule-count", lang, count=len(rows)))]
    for code, count in (
        ("cli.missing-summary", sum(not row.cue["audio_ready"] for row in rows)),
        ("cli.stands-in-summary", sum(bool(row.cue["stands_in"]) for row in rows)),
        ("cli.overlap-summary", sum("overlap" in row.cue["clashes"] for row in rows)),
    ):
        if count:
            lines.append(screen.styled(text(code, lang, count=count), screen.DOUBTFUL))
    quiet, night = [row for row in rows if row.quiet], [row for row in rows if row.night]
    if not quiet and not unset:
        lines.append(screen.styled(text("cli.quiet-none", lang)))
    for code, mend, members in (
        ("cli.quiet-summary", "cli.quiet-mend", quiet),
        ("cli.night-summary", "cli.night-mend", night),
    ):
        if members:
            lines.append(screen.alarm(text(code, lang, count=len(members))))
            lines += [screen.indented(screen.styled(words, screen.BAD)) for words in _told(members, lang)]
            lines.append(screen.styled(text(mend, lang)))
    return lines


def _told(rows: list[Row], lang: Language) -> list[str]:
    """Tell cues with the slot of each, which is what the centre must be told."""
    named = ((row.when, f"{row.cue['title']} ({_slot(row.cue)})") for row in rows)
    return repeated(named, lang)


def _slot(cue: Answer) -> str:
    occurrence = cue["occurrence"]
    return f"{occurrence['scope']}#{occurrence['slot']}"
