"""Audit trails on a screen: who did what when, and what is wrong with the trail, each with what to do.

A subject, a name, a code: all that stations send is text from outside, and is shown without its control characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ttcs_edge.central.audit_chain import Begin, Change, Gap, Trail, moment_of
from ttcs_edge.core.model import is_sha256
from ttcs_edge.locale import Language, messages, text
from ttcs_edge.locale.faults import FAULTS, fault_words
from ttcs_edge.terminal import screen
from ttcs_edge.wire.reports import AuditReport

KEY_CHARS: Final = 8
HASH_CHARS: Final = 12
OWN_DEEDS: Final = ("started", "stopped", "counted", "muted", "unmuted", "tested")
"""What nobody but the station does."""


def show_trails(trails: Sequence[Trail], shown: Sequence[Trail], folder: Path, lang: Language) -> None:
    """Show one trail after the other; ``shown`` have the entries that were asked for."""
    out = screen.console()
    parts: list[RenderableType] = []
    for trail, entries in zip(trails, shown, strict=True):
        if parts:
            parts.append(screen.styled(""))
        parts += _heading(trail, lang)
        parts += _entries(entries.entries, lang, out.width)
        parts += [part for one in trail.begins for part in _begin(one, lang)]
        parts += [_change(one, lang) for one in trail.changes]
        parts += [part for one in trail.gaps for part in _gap(one, trail.station, folder, lang)]
        if trail.head is not None:
            head = {"link": trail.head.link, "journal": trail.head.journal, "digest": trail.head.digest}
            parts.append(screen.styled(text("central.audit-head", lang, **head), screen.QUIET))
    screen.show(out, parts)


def _heading(trail: Trail, lang: Language) -> list[RenderableType]:
    name = screen.styled(trail.station, screen.HEADING)
    if not trail.entries:
        return [screen.joined([name, text("central.audit-none", lang)], ": ")]
    times = sorted(entry.at for entry in trail.entries)
    first, last = (_when(at, lang) for at in (times[0], times[-1]))
    count = text("central.audit-count", lang, count=len(trail.entries), first=first, last=last)
    carried = text("central.audit-carried", lang, count=trail.carried) if trail.carried else ""
    return [screen.joined([name, screen.joined([count, carried, _verdict(trail, lang)], "; ")], ": ")]


def _verdict(trail: Trail, lang: Language) -> Text:
    if not trail.changes and not trail.gaps:
        return screen.styled(text("central.audit-whole", lang))
    words = []
    if trail.changes:
        words.append(screen.alarm(text("central.audit-changed", lang, count=len(trail.changes))))
    if trail.gaps:
        words.append(screen.styled(text("central.audit-gaps", lang, count=len(trail.gaps)), screen.DOUBTFUL))
    return screen.joined(words)


def _entries(entries: Sequence[AuditReport], lang: Language, columns: int) -> list[RenderableType]:
    """A table; on a phone, what was done below when and by whom."""
    rows = [(_moment(entry, lang), screen.styled(_who(entry, lang)), _what(entry, lang)) for entry in entries]
    if columns < screen.PHONE_COLUMNS:
        return [part for when, who, what in rows for part in (screen.joined([when, who], "  "), screen.indented(what))]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=screen.QUIET)
    table.add_column(text("central.audit-when", lang), no_wrap=True)
    table.add_column(text("central.audit-who", lang), overflow="fold")
    table.add_column(text("central.audit-what", lang), overflow="fold")
    for row in rows:
        table.add_row(*row)
    return [table]


def _moment(entry: AuditReport, lang: Language) -> Text:
    """When the station made it; with a question mark when it believed no clock."""
    return screen.styled(_when(entry.at, lang) + ("" if entry.clock_trusted else " ?"))


def _when(at: str, lang: Language) -> str:
    when = moment_of(at)
    return at if when is None else f"{screen.date_words(when, lang)} {when:%H:%M:%S}"


def _who(entry: AuditReport, lang: Language) -> str:
    """A person at the box, the keys that signed, the station itself; or somebody unknown."""
    if entry.by is not None:
        return text("central.audit-user", lang, name=entry.by.name, uid=entry.by.uid)
    if entry.keys:
        return ", ".join(key[:KEY_CHARS] for key in entry.keys)
    return text("central.audit-station" if entry.deed in OWN_DEEDS else "central.audit-unknown", lang)


def _what(entry: AuditReport, lang: Language) -> Text:
    words = [_named("deed", entry.deed, lang)]
    if entry.deed not in OWN_DEEDS:
        words += [_named("kind", entry.what, lang), _short(entry.subject)]
    if entry.version is not None:
        words.append(text("central.audit-version", lang, version=entry.version))
    parts: list[Text | str] = [screen.styled(" ".join(words), screen.DOUBTFUL if entry.deed == "refused" else "")]
    if entry.code is not None:
        known = entry.code in FAULTS
        parts.append(fault_words(entry.code, entry.subject, entry.detail, lang).meaning if known else entry.code)
    else:
        parts += [f"{name} {value}" for name, value in entry.detail.items()]
    parts += [text("central.audit-unsaid", lang, count=one.count, code=one.code) for one in entry.unsaid]
    return screen.joined(parts, "; ")


def _short(subject: str) -> str:
    return f"{subject[:HASH_CHARS]}…" if is_sha256(subject) else subject


def _named(table: str, word: str, lang: Language) -> str:
    """The words for a word of the wire; one of a newer station stands for itself."""
    code = f"audit-{table}-{word}"
    return text(f"central.audit-{table}-{word}", lang) if code in messages("central") else word


def _begin(begin: Begin, lang: Language) -> list[RenderableType]:
    other = begin.other
    fields = {"journal": begin.journal, "at": _when(begin.at, lang), "why": _named("why", other.why, lang)}
    if begin.link > 1:
        head = text("central.audit-joined", lang, link=begin.link, **fields)
    else:
        head = text("central.audit-begun", lang, **fields)
    known = other.journal is not None and other.link is not None
    ended = text("central.audit-ended", lang, journal=other.journal, link=other.link) if known else ""
    return [screen.joined([head, ended], "; ")]


def _change(change: Change, lang: Language) -> Text:
    fields = {"link": change.link, "journal": change.journal, "id": change.id or "?"}
    return screen.alarm(text("central.audit-change", lang, why=_named("changed", change.why, lang), **fields))


def _gap(gap: Gap, station: str, folder: Path, lang: Language) -> list[RenderableType]:
    fields = {"journal": gap.journal, "first": gap.first, "last": gap.last}
    code = "central.audit-gap-behind" if gap.last is None else "central.audit-gap"
    parts: list[RenderableType] = [screen.styled(text(code, lang, **fields), screen.DOUBTFUL)]
    if gap.let_go:
        parts.append(screen.indented(screen.styled(text("central.audit-let-go", lang, count=gap.let_go))))
    if gap.last is not None and gap.let_go >= gap.last - gap.first + 1:
        return parts  # nobody has them any more
    for first, last in gap.numbers:
        command = f"ttcs-central resend {quote(str(folder))} {station} {first} {last} --journal {gap.journal}"
        parts.append(screen.indented(screen.styled(command)))
    return parts
