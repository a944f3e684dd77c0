"""What was published, on a screen: each recording as it was measured, and what will air, above all by night.

The operator's mistake of one digit is what wakes a commune, and here it is seen before anybody hears it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ttcs_edge.central.centre import Centre
from ttcs_edge.central.publish import Delivery, Published
from ttcs_edge.core.documents import Programme
from ttcs_edge.core.schedule import SlotOccurrence
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal import screen
from ttcs_edge.terminal.days import NIGHT, repeated


def show(
    published: Published,
    delivery: Delivery,
    centre: Centre,
    lang: Language,
    *,
    dry_run: bool,
    sign_only: Path | None = None,
) -> None:
    """Draw it; the last line says whether it went out."""
    programme = published.programme
    out = screen.console()
    parts = programme_parts(published, lang, narrow=out.width < screen.PHONE_COLUMNS)
    if delivery.audio_url is not None and delivery.audio_folder is None and programme.bulletins:
        where = {"url": delivery.audio_url, "folder": centre.folder / "audio"}
        parts.append(screen.styled(text("central.put-audio", lang, **where), screen.DOUBTFUL))
    if sign_only is not None:
        parts.append(screen.styled(text("central.approve-written", lang, file=sign_only, folder=centre.folder)))
        screen.show(out, parts)
        return
    code = "central.checked" if dry_run else "central.published"
    parts.append(last_line(code, programme, lang))
    screen.show(out, parts)


def last_line(code: str, programme: Programme, lang: Language) -> Text:
    """What became of it, with its version and until when it holds."""
    expires = screen.date_words(datetime.fromisoformat(programme.expires).astimezone(), lang)
    return screen.styled(text(code, lang, scope=programme.scope, version=programme.version, expires=expires))


def programme_parts(published: Published, lang: Language, *, narrow: bool) -> list[RenderableType]:
    """Its recordings, and what will air."""
    programme = published.programme
    parts: list[RenderableType] = []
    if programme.bulletins:
        parts += [*(_bulletin_lines(programme) if narrow else [_bulletins(programme, lang)]), screen.styled("")]
    return [*parts, *_coming(published, lang)]


def _bulletins(programme: Programme, lang: Language) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=screen.QUIET)
    table.add_column(text("central.bulletin", lang), overflow="fold")
    table.add_column(text("central.language", lang), no_wrap=True)
    for code in ("central.duration", "central.loudness", "central.size"):
        table.add_column(text(code, lang), no_wrap=True, justify="right")
    for title, figures in _recordings(programme):
        table.add_row(screen.styled(title), *figures)
    return table


def _bulletin_lines(programme: Programme) -> list[Text]:
    return [screen.styled(f"{title} ({', '.join(figures)})") for title, figures in _recordings(programme)]


def _recordings(programme: Programme) -> Iterator[tuple[str, tuple[str, ...]]]:
    for bulletin in programme.bulletins:
        for audio in bulletin.audio:
            length = screen.length_words(audio.duration_ms)
            size = f"{audio.size_bytes / 1_000:.0f} kB"
            yield bulletin.title, (audio.language, length, f"{audio.loudness_lufs:.1f} LUFS", size)


def _coming(published: Published, lang: Language) -> list[RenderableType]:
    programme = published.programme
    titles = {bulletin.id: bulletin.title for bulletin in programme.bulletins}
    durations_ms = {bulletin.id: bulletin.audio[0].duration_ms for bulletin in programme.bulletins}

    def told(due: SlotOccurrence) -> tuple[datetime, str]:
        names = " · ".join(titles[name] for name in due.slot.bulletins)
        return datetime.fromisoformat(due.occurrence.local), f"{due.slot.id} ({names})"

    def by_night(due: SlotOccurrence) -> bool:
        stream_ms = 0 if due.slot.stream is None else due.slot.stream.most_minutes * 60_000
        length_ms = max(stream_ms, sum(durations_ms[name] for name in due.slot.bulletins))
        return NIGHT.meets(datetime.fromisoformat(due.occurrence.local), length_ms)

    lines: list[RenderableType] = [
        screen.styled(text("central.next-days", lang, zone=programme.time_zone), screen.HEADING)
    ]
    night = [due for due in published.coming if by_night(due)]
    if night:
        lines.append(screen.alarm(text("central.by-night", lang, count=len(night))))
        lines += [screen.indented(screen.styled(one, screen.BAD)) for one in repeated(map(told, night), lang)]
    day = [due for due in published.coming if not by_night(due)]
    lines += [screen.indented(screen.styled(one)) for one in repeated(map(told, day), lang)]
    if not published.coming:
        lines.append(screen.indented(screen.styled(text("central.nothing-coming", lang))))
    if not published.is_all:
        lines.append(screen.indented(screen.styled(text("central.and-more", lang), screen.QUIET)))
    return [*lines, screen.styled("")]
