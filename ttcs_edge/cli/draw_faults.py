"""Faults on a screen: each with its code, what it means, why it most often comes, and its mend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ttcs_edge.locale import Language, text
from ttcs_edge.locale.faults import FaultWords, fault_words
from ttcs_edge.terminal import screen
from ttcs_edge.terminal.moments import instant

Answer = dict[str, Any]


def show_open(answer: Answer, lang: Language) -> None:
    """Draw the faults of a status; the mend of each last, where a phone's screen ends."""
    now = screen.local(answer["wall_ms"], screen.zone_of(answer["time_zone"]))
    parts: list[RenderableType] = []
    for fault in answer["faults"]:
        words = words_of(fault, lang)
        parts += [meaning(fault, words, lang, now), _cause(fault["code"], words, lang), mend(words, lang)]
    screen.show(screen.console(), parts or [screen.styled(text("cli.faults-none-now", lang))])


def show_history(reports: Sequence[Answer], time_zone: str, lang: Language) -> None:
    """Draw reports of faults: from when to when, and what it was."""
    place = screen.zone_of(time_zone)
    parts: list[RenderableType] = []
    for report in reports:
        words = words_of(report, lang)
        parts += [_span(report, lang, place), screen.indented(_told(report, words, lang))]
        parts.append(_cause(report["code"], words, lang))
    screen.show(screen.console(), parts or [screen.styled(text("cli.faults-never", lang))])


def words_of(fault: Answer, lang: Language) -> FaultWords:
    """What is said of a fault."""
    return fault_words(fault["code"], fault["subject"], dict(fault["detail"]), lang)


def meaning(fault: Answer, words: FaultWords, lang: Language, now: datetime) -> Text:
    """How bad it is, what it means, and since when it is so."""
    since = screen.moment_words(screen.local(fault["raised_ms"], now.tzinfo), now, lang)
    return screen.joined([_told(fault, words, lang), text("cli.fault-since", lang, when=since)])


def mend(words: FaultWords, lang: Language) -> RenderableType:
    """What to do."""
    return screen.indented(screen.styled(text("cli.fault-mend", lang, mend=words.mend)))


def _told(fault: Answer, words: FaultWords, lang: Language) -> Text:
    style = screen.BAD if fault["severity"] == "error" else screen.DOUBTFUL
    return screen.joined([screen.styled(text(f"cli.severity.{fault['severity']}", lang), style), words.meaning], ": ")


def _cause(code: str, words: FaultWords, lang: Language) -> RenderableType:
    return screen.indented(screen.styled(text("cli.fault-cause", lang, cause=words.cause, code=code), screen.QUIET))


def _span(report: Answer, lang: Language, place: tzinfo | None) -> Text:
    raised, cleared = (
        None if report[name] is None else instant(report[name]).astimezone(place) for name in ("raised", "cleared")
    )
    assert raised is not None
    begun = f"{raised:%H:%M} {screen.short_day_words(raised, lang)}"
    if cleared is None:
        return screen.styled(text("cli.fault-from", lang, begin=begun), screen.HEADING)
    age = screen.age_words(max(0, round((cleared - raised).total_seconds())), lang)
    return screen.styled(text("cli.fault-for", lang, begin=begun, age=age), screen.HEADING)
