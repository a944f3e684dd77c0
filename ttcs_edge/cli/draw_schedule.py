"""The schedule on a screen. A clash is marked at its cue and told again at the end, where a phone's screen stops."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ttcs_edge.cli import screen
from ttcs_edge.locale import Language, text

Answer = dict[str, Any]

CLASHES = {"quiet-hours": "cli.clash.quiet-hours", "overlap": "cli.clash.overlap"}


def show(answer: Answer, days: int, lang: Language) -> None:
    """Draw the schedule, a heading for each day."""
    cues = [(datetime.fromisoformat(cue["planned"]), cue) for cue in answer["cues"]]
    out = screen.console()
    table = _narrow if out.width < screen.NARROW_COLUMNS else _wide
    drawn = [
        (screen.day_words(group[0][0], lang), table(group, lang))
        for group in (list(members) for _, members in groupby(cues, key=lambda one: one[0].date()))
    ]
    summary = _summary(cues, lang)
    out.print(screen.styled(text("cli.schedule-title", lang, days=days, zone=answer["time_zone"]), screen.HEADING))
    for heading, cells in drawn:
        out.print(screen.styled(""))
        out.print(screen.styled(heading, screen.HEADING))
        out.print(screen.indented(cells))
    out.print(screen.styled(""))
    for line in summary:
        out.print(line)


def _narrow(cues: list[tuple[datetime, Answer]], lang: Language) -> Table:
    """Draw the time, and beside it everything else, one below the other."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for when, cue in cues:
        notes = _notes(cue, lang)
        title = f"{cue['title']} ({screen.length_words(cue['duration_ms'])})"
        lines = [screen.styled(title), screen.styled(_zones(cue, lang), screen.QUIET), *notes]
        grid.add_row(_time(when, cue), screen.joined(lines, "\n"))
    return grid


def _wide(cues: list[tuple[datetime, Answer]], lang: Language) -> Table:
    """Draw one column each."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=screen.QUIET)
    table.add_column(text("cli.column-time", lang), no_wrap=True)
    table.add_column(text("cli.column-length", lang), no_wrap=True, justify="right")
    table.add_column(text("cli.column-title", lang), overflow="fold", min_width=16)
    table.add_column(text("cli.column-zones", lang), overflow="fold")
    table.add_column(text("cli.column-priority", lang), justify="right")
    table.add_column(text("cli.column-note", lang), overflow="fold")
    for when, cue in cues:
        table.add_row(
            _time(when, cue),
            screen.length_words(cue["duration_ms"]),
            screen.styled(cue["title"]),
            screen.styled(_zones(cue, lang)),
            str(int(cue["priority"])),
            screen.joined(_notes(cue, lang), "; "),
        )
    return table


def _time(when: datetime, cue: Answer) -> Text:
    return screen.styled(f"{when:%H:%M}", screen.BAD if "quiet-hours" in cue["clashes"] else screen.HEADING)


def _zones(cue: Answer, lang: Language) -> str:
    return ", ".join(cue["zones"]) or text("cli.no-zones", lang)


def _notes(cue: Answer, lang: Language) -> list[Text]:
    notes = []
    for clash in cue["clashes"]:
        words = text(CLASHES[clash], lang) if clash in CLASHES else clash
        notes.append(screen.styled(f"!! {words}", screen.BAD if clash == "quiet-hours" else screen.DOUBTFUL))
    if not cue["audio_ready"]:
        notes.append(screen.styled(text("cli.audio-missing", lang), screen.DOUBTFUL))
    return notes


def _summary(cues: list[tuple[datetime, Answer]], lang: Language) -> list[RenderableType]:
    if not cues:
        return [screen.styled(text("cli.schedule-empty", lang))]
    quiet = [(when, cue) for when, cue in cues if "quiet-hours" in cue["clashes"]]
    overlaps = sum("overlap" in cue["clashes"] for _, cue in cues)
    missing = sum(not cue["audio_ready"] for _, cue in cues)
    lines: list[RenderableType] = [screen.styled(text("cli.schedule-count", lang, count=len(cues)))]
    if missing:
        lines.append(screen.styled(text("cli.missing-summary", lang, count=missing), screen.DOUBTFUL))
    if overlaps:
        lines.append(screen.styled(text("cli.overlap-summary", lang, count=overlaps), screen.DOUBTFUL))
    if not quiet:
        return [*lines, screen.styled(text("cli.quiet-none", lang))]
    lines.append(screen.styled(f"!! {text('cli.quiet-summary', lang, count=len(quiet))}", screen.BAD))
    for when, cue in quiet:
        words = f"{when:%H:%M} {screen.day_words(when, lang)}: {cue['title']}"
        lines.append(screen.indented(screen.styled(words, screen.BAD)))
    lines.append(screen.styled(text("cli.quiet-mend", lang)))
    return lines
