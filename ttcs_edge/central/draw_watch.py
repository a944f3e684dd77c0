"""The fleet on a screen: one line a station, those that need a person first, as many as fit.

A province has more stations than a terminal has lines. So the counts stand above, stations that are lost or have faults
come before those on the air, and those before the rest; what does not fit is counted, and ``--once`` shows all of it,
each fault with its mend. What stations send is text from outside: it is shown without its control characters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import Final

from msgspec import Struct
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ttcs_edge.central.fleet import FaultSeen, StationRow
from ttcs_edge.central.receipts import receipt_words
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import ALERT_PREFIX, LIVE_PREFIX, MICROPHONE_PREFIX, STREAM_PREFIX
from ttcs_edge.locale import Language, messages, text
from ttcs_edge.locale.faults import fault_words, outcome_words, reason_words
from ttcs_edge.terminal import screen
from ttcs_edge.terminal.power import shed_words
from ttcs_edge.wire.reports import ModemState

ID_CHARS: Final = 16
GAPS_SHOWN: Final = 3
MEGABYTE: Final = 1_000_000
FRAME_LINES: Final = 6
"""What stands around the stations: two lines above, the columns' names, what was left out, an empty line, the link."""
BEST_SOURCES: Final = ("kernel", "host")
"""Whose time needs no word: NTP's, and that of a machine whose owner vouches for it."""
SEVERITIES: Final = ("error", "warning", "info")
STYLES: Final = {
    "on-air": "bold cyan",
    "no-time": screen.DOUBTFUL,
    "stopping": screen.DOUBTFUL,
    "stopped": screen.DOUBTFUL,
    "offline": screen.BAD,
    "silent": screen.BAD,
}


class Seen(Struct, frozen=True):
    """A station as it is drawn."""

    row: StationRow
    state: str
    worst: str | None

    @property
    def order(self) -> tuple[int, str]:
        """Who needs a person comes first."""
        if self.state in ("offline", "silent"):
            return 0, self.row.id
        if self.worst == "error":
            return 1, self.row.id
        if (
            self.worst
            or self.row.bad_reports
            or self.row.journals.count
            or (self.row.alert is not None and self.row.alert.state == "failed")
            or self.state in ("no-time", "stopping", "stopped")
        ):
            return 2, self.row.id
        return 3 if self.state == "on-air" else 4, self.row.id


def see(row: StationRow, now_s: float) -> Seen:
    """Look at a station at an instant of the monotonic clock."""
    severities = {fault.severity for fault in row.faults.values()}
    worst = next((one for one in SEVERITIES if one in severities), "warning" if severities else None)
    return Seen(row, "silent" if row.is_silent(now_s) else row.state, worst)


def fleet_lines(
    rows: Sequence[StationRow], now_s: float, lang: Language, columns: int, lines: int | None = None
) -> list[RenderableType]:
    """Draw stations on a screen of so many columns, and of so many lines where that is a bound."""
    seen = sorted((see(row, now_s) for row in rows), key=lambda one: one.order)
    room = len(seen) if lines is None else max(1, lines - FRAME_LINES)
    counts = _counts(seen, lang)
    if lines is not None:
        one_line(counts)
    parts: list[RenderableType] = [counts, _table(seen[:room], now_s, lang, columns)]
    left_out = seen[room:]
    if left_out:
        troubled = sum(one.order[0] <= 2 for one in left_out)
        code = "central.left-out" if troubled else "central.left-out-well"
        words = text(code, lang, count=len(left_out), troubled=troubled)
        parts.append(one_line(screen.styled(words, screen.DOUBTFUL if troubled else screen.QUIET)))
    return parts


def one_line(words: Text) -> Text:
    """Have words cut short rather than wrapped."""
    words.no_wrap, words.overflow = True, "ellipsis"
    return words


def fault_lines(rows: Sequence[StationRow], now_s: float, lang: Language) -> list[RenderableType]:
    """Tell every fault with its mend, a station after the other, the worst station first."""
    parts: list[RenderableType] = []
    for one in sorted((see(row, now_s) for row in rows), key=lambda one: one.order):
        if one.row.faults:
            parts += [screen.styled(""), screen.styled(one.row.id, screen.HEADING)]
        for (code, subject), fault in _worst_first(one.row):
            words = fault_words(code, subject, fault.detail, lang)
            parts.append(screen.indented(screen.joined([_severity(fault.severity, lang), words.meaning], ": ")))
            mend = screen.styled(text("central.fault-mend", lang, mend=words.mend))
            parts.append(screen.indented(screen.indented(mend)))
    return parts


def missing_lines(rows: Sequence[StationRow], folder: Path, lang: Language) -> list[RenderableType]:
    """Tell which reports are missing, each gap with the command that brings it back."""
    parts: list[RenderableType] = []
    for row in rows:
        missing = row.journals.missing()
        if missing:
            words = text("central.missing", lang, count=row.journals.count)
            parts += [screen.styled(""), screen.joined([screen.styled(row.id, screen.HEADING), words], ": ")]
        for journal, first, last in missing[:GAPS_SHOWN]:
            last = min(last, first + LIMITS.resend_reports - 1)
            command = f"ttcs-central resend {quote(str(folder))} {row.id} {first} {last} --journal {journal}"
            parts.append(screen.indented(screen.styled(command)))
        if len(missing) > GAPS_SHOWN:
            more = text("central.more-gaps", lang, count=len(missing) - GAPS_SHOWN)
            parts.append(screen.indented(screen.styled(more, screen.QUIET)))
    return parts


def _counts(seen: Sequence[Seen], lang: Language) -> Text:
    if not seen:
        return screen.styled(text("central.no-stations", lang))
    states = Counter(one.state for one in seen)
    words = [text("central.stations", lang, count=len(seen))]
    words += [f"{_state_words(state, lang)} {count}" for state, count in states.most_common()]
    faulty = sum(one.worst is not None for one in seen)
    if faulty:
        words.append(text("central.with-faults", lang, count=faulty))
    return screen.joined(words)


def _table(seen: Sequence[Seen], now_s: float, lang: Language, columns: int) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style=screen.QUIET, expand=True)
    table.add_column(text("central.station", lang), no_wrap=True, overflow="ellipsis", max_width=ID_CHARS)
    wide, phone = columns >= screen.NARROW_COLUMNS, columns < screen.PHONE_COLUMNS
    if not phone:
        table.add_column(text("central.state", lang), no_wrap=True)
    table.add_column(text("central.note", lang), no_wrap=True, overflow="ellipsis", ratio=3)
    if wide:
        table.add_column(text("central.last", lang), no_wrap=True, overflow="ellipsis", ratio=2)
    if not phone:
        table.add_column(text("central.heard", lang), no_wrap=True, justify="right")
    for one in seen:
        state = screen.styled(_state_words(one.state, lang), STYLES.get(one.state, ""))
        more = [] if phone or one.row.modem is None else [_modem(one.row.modem, lang)]
        note = screen.joined([*_notes(one, lang), *more], "; ")
        last = _last(one.row, lang)
        if phone:  # one thing fits: the first of those that matter
            table.add_row(screen.styled(one.row.id), state if one.order[0] == 0 else note or state)
        elif wide:
            table.add_row(screen.styled(one.row.id), state, note, last, _heard(one, now_s, lang))
        else:
            table.add_row(screen.styled(one.row.id), state, note or last, _heard(one, now_s, lang))
    return table


def _state_words(state: str, lang: Language) -> str:
    known = f"state.{state}" in messages("central")
    return text(f"central.state.{state}", lang) if known else screen.clean(state)


def _notes(one: Seen, lang: Language) -> Iterator[Text]:
    row = one.row
    if row.on_air is not None:
        yield screen.styled(_slot_words(row.on_air, lang), STYLES["on-air"])
    if row.alert is not None and row.alert.state != "heard":  # what was heard, the record of it tells
        unheard = [(one.part, one.reason) for one in row.alert.unheard]
        yield receipt_words(row.alert.event, row.alert.state, unheard, lang)
    faults = _worst_first(row)
    for (code, subject), fault in faults[:1]:
        yield _fault(code, subject, fault, lang)
    if len(faults) > 1:
        yield screen.styled(text("central.more-faults", lang, count=len(faults) - 1))
    if row.journals.count:
        yield screen.styled(text("central.missing", lang, count=row.journals.count), screen.DOUBTFUL)
    if row.bad_reports:
        yield screen.styled(text("central.bad-reports", lang, count=row.bad_reports), screen.BAD)
    if row.power is not None and row.power.shed is not None:
        shed = row.power.shed
        saved = shed_words(shed.volume_percent, shed.zones, shed.zones_most, shed.alerts_only, lang)
        charge = row.power.battery_percent
        left = "" if charge is None else text("cli.battery", lang, percent=charge)
        yield screen.styled(screen.clean("; ".join(word for word in (saved, left) if word)), screen.DOUBTFUL)
    if row.clock_source is not None and row.clock_source not in BEST_SOURCES:
        source = _clock_words("time-source", row.clock_source, lang)
        yield screen.styled(text("central.time-by", lang, source=source), screen.DOUBTFUL)
    for told in row.clock:
        source = _clock_words("time-source", told.source, lang)
        word = _clock_words("time-word", told.word, lang)
        yield screen.styled(f"{source}: {word}", screen.DOUBTFUL)


def _modem(modem: ModemState, lang: Language) -> Text:
    """Whose network, how well it is heard, what of the SIM's data is used; what is wrong with it, its faults tell."""
    signal = None if modem.signal_dbm is None else f"{modem.signal_dbm} dBm"
    used, budget = modem.used_bytes // MEGABYTE, modem.budget_bytes
    data = text("central.data", lang, used=used, budget=budget // MEGABYTE) if budget is not None else None
    cures = text("central.cures", lang, count=modem.cures) if modem.cures else None
    told = [screen.clean(modem.operator), signal, data, cures]
    return screen.styled(", ".join(one for one in told if one), screen.QUIET)


def _clock_words(kind: str, code: str, lang: Language) -> str:
    known = f"{kind}.{code}" in messages("cli")
    return text(f"cli.{kind}.{code}", lang) if known else screen.clean(code)


def _worst_first(row: StationRow) -> list[tuple[tuple[str, str], FaultSeen]]:
    order = {severity: place for place, severity in enumerate(SEVERITIES)}
    return sorted(row.faults.items(), key=lambda item: (order.get(item[1].severity, 1), item[0]))


def _fault(code: str, subject: str, fault: FaultSeen, lang: Language) -> Text:
    # Of a fault that is known from a heartbeat only, what follows the colon is not known.
    meaning = fault_words(code, subject, fault.detail, lang).meaning.partition(": ?")[0]
    return screen.joined([_severity(fault.severity, lang), meaning], ": ")


def _severity(severity: str, lang: Language) -> Text:
    known = severity if severity in SEVERITIES else "warning"
    style = screen.BAD if known == "error" else screen.DOUBTFUL
    return screen.styled(text(f"cli.severity.{known}", lang), style)


def _last(row: StationRow, lang: Language) -> Text:
    if row.last is None:
        return Text()
    outcome = outcome_words(row.last.outcome, lang)
    if row.last.reason:
        outcome = f"{outcome} ({reason_words(row.last.reason, lang)})"
    if row.last.witnessed is False:
        outcome = f"{outcome}, {text('central.not-witnessed', lang)}"
    good = row.last.outcome == "aired" and row.last.witnessed is not False
    style = "" if good else screen.DOUBTFUL
    return screen.styled(f"{_local_time(row.last.occurrence)} {row.last.title}: {outcome}", style)


def _heard(one: Seen, now_s: float, lang: Language) -> Text:
    if one.row.heard_s is None:
        return screen.styled("-", screen.QUIET)
    age = screen.age_words(int(now_s - one.row.heard_s), lang)
    return screen.styled(age, screen.BAD if one.state == "silent" else "")


def _slot_words(occurrence: str, lang: Language) -> str:
    """Name what is on the air by its slot and its planned time: ``vn/lam-dong#sang@2026-11-24T05:00:00``."""
    slot = occurrence.partition("#")[2].partition("@")[0] or occurrence
    if slot.startswith(ALERT_PREFIX):
        return text("central.alert-slot", lang, id=slot.removeprefix(ALERT_PREFIX))
    if slot.startswith(LIVE_PREFIX):
        return text("central.live-slot", lang, id=slot.removeprefix(LIVE_PREFIX))
    if slot.startswith(STREAM_PREFIX):
        return text("central.stream-slot", lang, id=slot.removeprefix(STREAM_PREFIX))
    if slot.startswith(MICROPHONE_PREFIX):
        return text("central.microphone-slot", lang)
    return f"{_local_time(occurrence)} {slot}".strip()


def _local_time(occurrence: str) -> str:
    """Give the time of day, at the station, that an occurrence was planned for; empty when it tells none."""
    try:
        return f"{datetime.fromisoformat(occurrence.rpartition('@')[2]):%H:%M}"
    except ValueError:
        return ""
