"""The findings on a screen: a line each, its lamp as a letter first, and the mend under what is not green."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import RenderableType
from rich.table import Table

from ttcs_edge.doctor.checks import Check, Result
from ttcs_edge.doctor.finding import Finding, Level
from ttcs_edge.doctor.mending import Command
from ttcs_edge.doctor.programs import Said
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal import screen

LAMPS: Final = {
    Level.GREEN: ("ok", "green"),
    Level.YELLOW: ("!", screen.DOUBTFUL),
    Level.RED: ("X", screen.BAD),
    Level.UNSEEN: ("-", screen.QUIET),
}


def show(result: Result, lang: Language) -> None:
    """Draw what one check found."""
    check, findings = result
    screen.show(screen.console(), [part for one in findings for part in _line(check, one, lang)])


def _line(check: Check, one: Finding, lang: Language) -> Iterable[RenderableType]:
    lamp, style = LAMPS[one.level]
    words = one.words(lang)
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=2, no_wrap=True)
    grid.add_column(overflow="fold")
    meaning = f"{text(f'doctor.check.{check.name}', lang)}: {words.meaning}"
    grid.add_row(screen.styled(lamp, style), screen.styled(meaning, style if one.level is Level.RED else ""))
    if words.mend:
        grid.add_row("", screen.styled(text("doctor.mend", lang, mend=words.mend), screen.QUIET))
    yield grid


def conclude(results: Sequence[Result], lang: Language) -> None:
    """Tell how it stands at the end, where a phone's screen ends, and what is to be mended first."""
    counts = {level: sum(one.level is level for _, found in results for one in found) for level in Level}
    parts: list[RenderableType] = [screen.styled("")]
    if (first := first_cause(results)) is None:
        parts.append(screen.styled(text("doctor.all-good", lang), "green"))
    else:
        counted = text("doctor.counted", lang, red=counts[Level.RED], yellow=counts[Level.YELLOW])
        parts.append(screen.styled(counted, screen.HEADING))
        check, one = first
        parts += _line(check, one, lang)
    screen.show(screen.console(), parts)


def first_cause(results: Sequence[Result]) -> tuple[Check, Finding] | None:
    """The first that is red, else the first that is yellow."""
    all_of_them = [(check, one) for check, found in results for one in found]
    levels = (Level.RED, Level.YELLOW)
    return next((pair for level in levels for pair in all_of_them if pair[1].level is level), None)


def show_mended(command: Command, said: Said, lang: Language) -> None:
    """Draw a command that mended, or did not."""
    code = "doctor.mended" if said.code == 0 else "doctor.not-mended"
    why = (said.error or said.out).strip().splitlines()
    words = text(code, lang, command=" ".join(command), why=why[-1] if why else said.code)
    screen.show(screen.console(), [screen.styled(words, "" if said.code == 0 else screen.BAD)])
