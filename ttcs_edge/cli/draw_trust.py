"""A station's trust on a screen: the root in force, who may say what, the station's own certificate."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from rich.console import RenderableType
from rich.text import Text

from ttcs_edge.locale import Language, text
from ttcs_edge.terminal import screen
from ttcs_edge.terminal.grants import ShownGrant, drawn
from ttcs_edge.terminal.moments import instant

Answer = dict[str, Any]
ROOT_SOON, CERTIFICATE_SOON = timedelta(days=90), timedelta(days=180)
"""From when on an end is told as one: the centre has root keys to fetch; a certificate is renewed before that."""
KEY_CHARS: Final = 12


def show(answer: Answer, lang: Language) -> None:
    """Draw all of it."""
    out = screen.console()
    now = screen.local(answer["wall_ms"], screen.zone_of(answer["time_zone"]))
    root, certificate = answer["root"], answer["certificate"]
    parts: list[RenderableType] = [
        screen.styled(text("cli.trust-root", lang, scope=root["scope"], version=root["version"]), screen.HEADING),
        screen.styled(text("cli.trust-issued", lang, date=_date(instant(root["issued"]), now, lang))),
        _until(instant(root["expires"]), ROOT_SOON, now, answer["clock_trusted"], lang),
        screen.styled(""),
        *drawn(_grants(root), lang, narrow=out.width < screen.PHONE_COLUMNS),
        screen.styled(""),
        screen.styled(text("cli.trust-certificate", lang), screen.HEADING),
    ]
    if certificate is None:
        parts.append(screen.alarm(text("cli.trust-no-certificate", lang)))
    else:
        ends = screen.local(certificate["ends_ms"], now.tzinfo)
        parts.append(_until(ends, CERTIFICATE_SOON, now, answer["clock_trusted"], lang))
    newest = screen.local(answer["time_floor_ms"], now.tzinfo)
    known = text("cli.trust-time", lang, when=f"{newest:%H:%M} {screen.date_words(newest, lang)}")
    screen.show(out, [*parts, screen.styled(""), screen.styled(known, screen.QUIET)])


def _until(ends: datetime, soon: timedelta, now: datetime, is_time_known: bool, lang: Language) -> Text:
    """When something ends, and how many days are left of it: without a trusted time nobody knows."""
    date = _date(ends, now, lang)
    if not is_time_known:
        return screen.styled(text("cli.trust-until-unknown", lang, date=date), screen.DOUBTFUL)
    left = ends - now
    if left <= timedelta(0):
        return screen.alarm(text("cli.trust-over", lang, date=date))
    words = text("cli.trust-until", lang, date=date, days=left.days)
    return screen.alarm(words) if left < soon else screen.styled(words)


def _date(when: datetime, now: datetime, lang: Language) -> str:
    return screen.date_words(when.astimezone(now.tzinfo), lang)


def _grants(root: Answer) -> list[ShownGrant]:
    """Keys are told by their first digits, as an order to the centre names them."""
    return [
        ShownGrant(
            one["role"],
            one["scope"],
            tuple(key[:KEY_CHARS] for key in one["keys"]),
            one["threshold"],
            one["most_severe"],
        )
        for one in root["grants"]
    ]
