"""What the live screen shows, part by part, of one status: words and bars, no terminal yet.

Nothing is told by colour alone, and each part is as short as a phone is narrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rich.text import Text

from ttcs_edge.cli.draw_faults import words_of
from ttcs_edge.locale import Language, text
from ttcs_edge.locale.faults import outcome_words
from ttcs_edge.terminal import screen
from ttcs_edge.terminal.moments import instant

Answer = Mapping[str, Any]
PARTS: Final = ("head", "air", "progress", "level", "zones", "link", "next", "faults", "log")
"""In their order on a phone."""
BAR: Final = 20
QUIETEST_DB: Final = -60.0
NEXT_MOST: Final = 3
FAULTS_MOST: Final = 4
LOG_MOST: Final = 5
Key = tuple[str, str, int]


def key_of(fault: Answer) -> Key:
    """What tells a fault from every other, also from the same one raised anew."""
    return str(fault["code"]), str(fault["subject"]), int(fault["raised_ms"])


def parts(answer: Answer, log: Sequence[Answer], seen: frozenset[Key], lang: Language) -> dict[str, Text]:
    """Every part of a status; ``log`` are records of what aired, ``seen`` the faults that somebody has acknowledged."""
    now = screen.local(answer["wall_ms"], screen.zone_of(answer["time_zone"]))
    return {
        "head": _head(answer, now, lang),
        **_on_air(answer, lang),
        "zones": _zones(answer),
        "link": _link(answer, lang),
        "next": _next(answer, now, lang),
        "faults": _faults(answer, seen, lang),
        "log": _log(log, now, lang),
    }


def away(words: str) -> dict[str, Text]:
    """Every part of a station that does not answer, and why."""
    return {name: Text() for name in PARTS} | {"head": screen.alarm(words)}


def _head(answer: Answer, now: datetime, lang: Language) -> Text:
    clock = screen.styled(f"{now:%H:%M}", "" if answer["clock_trusted"] else screen.BAD)
    untrusted = "" if answer["clock_trusted"] else screen.styled(text("cli.monitor-no-time", lang), screen.BAD)
    return screen.joined([screen.styled(answer["station"], screen.HEADING), clock, untrusted], "  ")


def _on_air(answer: Answer, lang: Language) -> dict[str, Text]:
    on_air = answer["on_air"]
    if not on_air:
        state = text(f"cli.state.{answer['state']}", lang)
        return {"air": screen.styled(f"○ {state}"), "progress": Text(), "level": Text()}
    share = on_air["position_ms"] / max(1, on_air["duration_ms"])
    lengths = f"{screen.length_words(on_air['position_ms'])}/{screen.length_words(on_air['duration_ms'])}"
    loud = 1 - max(on_air["rms_db"], QUIETEST_DB) / QUIETEST_DB
    return {
        "air": screen.styled(f"● {on_air['title']}", screen.HEADING),
        "progress": screen.styled(f"{_bar(share, '=')} {lengths}"),
        "level": screen.styled(f"{_bar(loud, '#')} {on_air['rms_db']:.0f} dB"),
    }


def _bar(share: float, mark: str) -> str:
    full = max(0, min(BAR, round(share * BAR)))
    return f"[{mark * full}{'.' * (BAR - full)}]"


def _zones(answer: Answer) -> Text:
    """A lamp for each zone: what is closed is full, and marked."""
    closed = frozenset(answer["zones_closed"])
    others = ("amplifier", "microphone", "transmitter", "fan", "modem")
    zones = [name for name in answer["relays"] if name not in others]
    lamps = [screen.styled(f"● {zone}", screen.HEADING) if zone in closed else f"○ {zone}" for zone in zones]
    return screen.joined(lamps, "  ")


def _link(answer: Answer, lang: Language) -> Text:
    up = answer["link_up"]
    words = screen.styled(text("cli.link-up" if up else "cli.link-down", lang), "" if up else screen.BAD)
    modem, outbox = answer["modem"], answer["outbox"]
    signal = f"{modem['signal_dbm']} dBm" if modem and modem["signal_dbm"] is not None else ""
    waiting = text("cli.monitor-waiting", lang, count=outbox["depth"]) if outbox["depth"] else ""
    muted = screen.styled(text("cli.monitor-muted", lang), screen.DOUBTFUL) if _is_muted(answer) else ""
    return screen.joined([words, signal, waiting, muted])


def _is_muted(answer: Answer) -> bool:
    return any(fault["code"] == "muted" for fault in answer["faults"])


def _next(answer: Answer, now: datetime, lang: Language) -> Text:
    cues = answer["next_cues"][:NEXT_MOST]
    lines = []
    for cue in cues:
        lacks = "" if cue["audio_ready"] else "!! "
        when = screen.moment_words(screen.local(cue["planned_ms"], now.tzinfo), now, lang)
        lines.append(screen.styled(f"{when} {lacks}{cue['title']}"))
    return screen.joined(lines or [screen.styled(text("cli.next-none", lang), screen.QUIET)], "\n")


def _faults(answer: Answer, seen: frozenset[Key], lang: Language) -> Text:
    """What is wrong, worst first, each with its mend; what was acknowledged is only counted."""
    rows = sorted(answer["faults"], key=lambda fault: fault["severity"] != "error")
    new = [fault for fault in rows if key_of(fault) not in seen]
    lines = []
    for fault in new[:FAULTS_MOST]:
        words = words_of(dict(fault), lang)
        is_bad = fault["severity"] == "error"
        lines.append(
            screen.styled(f"{'X' if is_bad else '!'} {words.meaning}", screen.BAD if is_bad else screen.DOUBTFUL)
        )
        lines.append(screen.styled(f"  → {words.mend}", screen.QUIET))
    if hidden := len(rows) - len(new[:FAULTS_MOST]):
        lines.append(screen.styled(text("cli.monitor-hidden", lang, count=hidden), screen.QUIET))
    return screen.joined(lines or [screen.styled(text("cli.faults-none", lang), screen.QUIET)], "\n")


def _log(log: Sequence[Answer], now: datetime, lang: Language) -> Text:
    lines = []
    for record in reversed(log[-LOG_MOST:]):
        when = screen.moment_words(instant(record["planned_start"]).astimezone(now.tzinfo), now, lang)
        outcome = outcome_words(record["outcome"], lang)
        style = "" if record["outcome"] == "aired" else screen.DOUBTFUL
        lines.append(screen.styled(f"{when} {record['title']}: {outcome}", style))
    return screen.joined(lines, "\n")
