"""An alert on a screen: what will be heard where, before it is sent; then station by station what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.console import RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ttcs_edge.central.alert_count import AlertCount, Answer
from ttcs_edge.central.alert_draft import Lost, sentences
from ttcs_edge.central.draw_watch import one_line
from ttcs_edge.central.receipts import STYLES, unheard_words
from ttcs_edge.core.documents import Alert, AlertInfo
from ttcs_edge.core.drills import ACTUAL
from ttcs_edge.core.trust import utc_ms
from ttcs_edge.locale import Language, text
from ttcs_edge.locale.faults import fault_words
from ttcs_edge.terminal import screen
from ttcs_edge.tones import FILES

UNSPOKEN: Final = frozenset({"kpm", "cma", "cje", "cmo", "mng", "mnn", "rad", "jra"})
"""K'Ho, Mạ, Chu Ru, M'Nông, Ê Đê and Gia Rai: no synthesiser speaks them."""
FRAME_LINES: Final = 5
"""What stands around the stations: the headline, the bar, the counts, what was left out, an empty line."""
ID_CHARS: Final = 20


def alert_lines(alert: Alert, count: AlertCount, now: datetime, lang: Language) -> list[RenderableType]:
    """Tell what will be heard where."""
    title = text(f"central.alert-status.{alert.status}", lang, headline=alert.info[0].headline)
    parts: list[RenderableType] = [
        screen.alarm(title) if alert.status == "Actual" else screen.styled(title, screen.HEADING)
    ]
    parts.append(screen.pairs(_facts(alert, count, now, lang)))
    parts += [_info_lines(one, lang) for one in alert.info] if _is_told(alert) else []
    if len(alert.info) > 1 and _is_told(alert):
        first = alert.info[0].language
        parts.append(screen.indented(screen.styled(text("central.alert-by-zone", lang, first=first), screen.QUIET)))
    return parts


def _is_told(alert: Alert) -> bool:
    return alert.msg_type != "Cancel" or alert.tell_cancel


def _facts(alert: Alert, count: AlertCount, now: datetime, lang: Language) -> Iterator[tuple[str, Text]]:
    def row(name: str, words: object) -> tuple[str, Text]:
        return text(f"central.alert-row.{name}", lang), screen.styled(words)

    kind = text(f"central.alert-kind.{alert.msg_type}", lang)
    yield row("message", f"{kind} {alert.id}, {alert.severity}/{alert.urgency}/{alert.certainty}")
    yield row("where", f"{alert.scope}: {stations_words(count, lang)}")
    yield row("zones", ", ".join(alert.zones) or text("central.alert-all-zones", lang))
    if not _is_told(alert):
        yield row("heard", text("central.alert-silence", lang))
        return
    yield row("tone", text(f"central.alert-tone.{FILES[alert.severity]}", lang))
    yield row("heard", _when(alert, now, lang))
    if alert.status != ACTUAL:
        yield row("drill", text("central.alert-around", lang))


def _when(alert: Alert, now: datetime, lang: Language) -> str:
    until = screen.moment_words(_local(alert.expires), now, lang)
    begin = text("central.alert-at-once", lang)
    if alert.effective is not None and _local(alert.effective) > now:
        begin = text("central.alert-from", lang, time=screen.moment_words(_local(alert.effective), now, lang))
    if alert.msg_type == "Cancel" or not alert.repeat_s:
        return text("central.alert-once", lang, begin=begin, until=until)
    every = screen.age_words(alert.repeat_s, lang)
    return text("central.alert-repeated", lang, begin=begin, every=every, until=until)


def _local(moment: str) -> datetime:
    return screen.local(utc_ms(moment), None)


def _info_lines(one: AlertInfo, lang: Language) -> RenderableType:
    said = sentences(one.headline, one.description, one.instruction).replace("\n", " ")
    if one.audio is not None:
        code = "central.alert-inside" if one.inline else "central.alert-fetched"
        size = f"{one.audio.size_bytes / 1_000:.0f}"
        how = screen.styled(text(code, lang, length=screen.length_words(one.audio.duration_ms), kilobytes=size))
    elif one.language.split("-")[0] in UNSPOKEN:
        how = screen.styled(text("central.alert-no-voice", lang), screen.BAD)
    else:
        how = screen.styled(text("central.alert-spoken", lang))
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(screen.styled(one.language, screen.HEADING), how)
    grid.add_row("", screen.styled(said))
    return screen.indented(grid)


def lost_lines(lost: Sequence[Lost], lang: Language) -> list[RenderableType]:
    """Tell what of a file no alert of ours can say."""
    if not lost:
        return []
    told = [screen.styled(text(f"central.cap.{one.code}", lang, **dict(one.fields)), screen.DOUBTFUL) for one in lost]
    return [screen.styled(text("central.cap-lost", lang), screen.HEADING), *map(screen.indented, told)]


def stations_words(count: AlertCount, lang: Language) -> str:
    """How many stations there are, and how many of them are away."""
    away = sum(one.link != "online" for one in count.answers.values())
    code = "central.alert-stations-away" if away and count.met else "central.alert-stations"
    return text(code, lang, count=len(count.answers), away=away)


def live_lines(count: AlertCount, lang: Language, columns: int, lines: int | None = None) -> list[RenderableType]:
    """The headline, a progress bar, the counts, and as many stations as there is room for."""
    assert count.alert is not None
    title = screen.styled(f"{count.alert.id}: {count.alert.info[0].headline}", screen.HEADING)
    rows = count.rows
    room = len(rows) if lines is None else max(1, lines - FRAME_LINES)
    parts: list[RenderableType] = [one_line(title), bar(count, columns), one_line(counts(count, lang))]
    if rows:
        parts.append(_table(rows[:room], lang, columns))
    if len(rows) > room:
        parts.append(one_line(screen.styled(text("central.alert-more", lang, count=len(rows) - room), screen.QUIET)))
    return parts


def bar(count: AlertCount, columns: int) -> Table:
    """How many stations have answered, as a bar and in figures."""
    figures = f"{count.answered}/{len(count.answers)}"
    grid = Table.grid(padding=(0, 1, 0, 0))
    width = max(10, min(60, columns - len(figures) - 2))
    grid.add_row(ProgressBar(max(1, len(count.answers)), count.answered, width=width), figures)
    return grid


def counts(count: AlertCount, lang: Language) -> Text:
    """How many stations there are of each state."""
    found = count.states
    delivered = sum(number for state, number in found.items() if state not in ("missing", "refused"))
    words = [screen.styled(text("central.alert-delivered", lang, count=delivered))]
    for state in ("failed", "refused", "missing", "on-air", "heard", "not-meant"):  # a phone cuts off the last
        if found[state]:
            told = text(f"central.alert-state.{state}", lang)
            words.append(screen.styled(f"{told} {found[state]}", STYLES.get(state, "")))
    return screen.joined(words, " · ")


def _table(rows: Sequence[Answer], lang: Language, columns: int) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    phone = columns < screen.PHONE_COLUMNS
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=ID_CHARS)
    if not phone:
        table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)  # what is left of the line is the reason's
    for one in rows:
        state, why = _state(one, lang), why_words(one, lang)
        cells = [screen.joined([state, why], ": ")] if phone else [state, screen.styled(why)]
        table.add_row(screen.styled(one.id), *cells)
    return table


def _state(one: Answer, lang: Language) -> Text:
    return screen.styled(text(f"central.alert-state.{one.state}", lang), STYLES.get(one.state, ""))


def why_words(one: Answer, lang: Language) -> str:
    """Why a station did not do it, or may not have; empty where there is nothing to say."""
    if one.state == "missing":
        known = one.link if one.link in ("online", "offline", "stopped") else "unknown"
        return text(f"central.alert-link.{known}", lang)
    if one.fault is not None:
        return fault_words(*one.fault, lang).meaning
    if one.state == "not-meant":
        return ""
    return unheard_words(one.unheard, lang)


def plain_line(one: Answer, lang: Language) -> str:
    """One station in one line, where there is no terminal to draw on."""
    why = why_words(one, lang)
    state = text(f"central.alert-state.{one.state}", lang)
    return f"{screen.clean(one.id)}: {state}" + (f" ({screen.clean(why)})" if why else "")


def end_lines(count: AlertCount, lang: Language) -> list[RenderableType]:
    """How it ended: the counts, and every station that needs a person, with the reason."""
    parts: list[RenderableType] = []
    bad = [one for one in count.rows if one.state in ("failed", "refused") or not count.has_answered(one)]
    for one in bad:
        told = [screen.styled(one.id, screen.HEADING), _state(one, lang), screen.styled(why_words(one, lang))]
        parts.append(screen.indented(screen.joined(told, ": ")))
    code = "central.alert-good" if count.is_good else "central.alert-bad" if count.answers else "central.alert-nobody"
    words = text(code, lang, count=len(count.answers), bad=len(bad))
    last = screen.styled(words) if count.is_good else screen.alarm(words)
    return [counts(count, lang), *parts, last]
