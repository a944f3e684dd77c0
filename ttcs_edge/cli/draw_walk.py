"""A walk on a screen: one line that tells what happens now, a line for each zone that is over, and the sum of it all.

The line of now is for terminals alone: a log has each fact once.
"""

from __future__ import annotations

import sys
from typing import Any, Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from ttcs_edge.locale import Language, text
from ttcs_edge.locale.central_orders import why
from ttcs_edge.terminal import screen

Answer = dict[str, Any]
NOW: Final = ("switching", "tone", "name")
"""What happens to a zone while it has its turn."""
WAITS: Final = "waits"
DIFFERS_W: Final = 2
DIFFERS_SHARE: Final = 0.25
"""From when on what was measured of a zone is proposed in place of what the config says."""


class Screen:
    """Tells a person."""

    def __init__(self, lang: Language) -> None:
        self._lang = lang
        self._out = screen.console()
        self._now = ""
        self._told: set[str] = set()
        self._unnamed: set[str] = set()
        self._begun = False

    def state(self, answer: Answer) -> None:
        """How far it has come."""
        zones = answer["zones"]
        if not self._begun:
            self._begun = True
            self._say(screen.styled(text("cli.walk-begins", self._lang, count=len(zones)), screen.HEADING))
        for number, zone in enumerate(zones, 1):
            if zone["outcome"] in NOW:
                self._tell_unnamed(zone)
                fields = {"number": number, "count": len(zones), "name": zone["name"]}
                self._show_now(text(f"cli.walk-now.{zone['outcome']}", self._lang, **fields))
            elif zone["outcome"] != WAITS and zone["zone"] not in self._told:
                self._told.add(zone["zone"])
                self._say(screen.joined([screen.styled(f"{number}. {zone['name']}"), self._outcome(zone)], ": "))
        if answer["is_over"] and not answer["idle_is_fresh"] and any(zone["watts"] is not None for zone in zones):
            self._show_now(text("cli.walk-now.idle", self._lang))

    def _tell_unnamed(self, zone: Answer) -> None:
        """Who listens for a name must know that there is none."""
        if not zone["says_name"] and zone["zone"] not in self._unnamed:
            self._unnamed.add(zone["zone"])
            self._say(screen.styled(text("cli.walk-no-name", self._lang, name=zone["name"]), screen.DOUBTFUL))

    def interrupted(self) -> None:
        """Somebody has had enough."""
        self._say(screen.styled(text("cli.walk-interrupted", self._lang), screen.DOUBTFUL))

    def end(self, answer: Answer) -> None:
        """The table, what to write into the config, and whether all is well."""
        self._clear_now()
        zones, lang = answer["zones"], self._lang
        narrow = self._out.width < screen.PHONE_COLUMNS
        parts: list[RenderableType] = [screen.styled(""), *(self._lines(zones) if narrow else [self._table(zones)])]
        if answer["idle_w"] is not None and any(zone["watts"] is not None for zone in zones):
            parts.append(screen.styled(text("cli.walk-idle", lang, watts=_watts(answer["idle_w"])), screen.QUIET))
        proposals = [zone for zone in zones if _differs(zone)]
        if proposals:
            parts.append(screen.styled(text("cli.walk-propose", lang)))
            lines = [f"{zone['zone']}: tone_w: {round(zone['tone_w'])}" for zone in proposals]
            parts += [screen.indented(screen.styled(line, screen.HEADING)) for line in lines]
        parts += [screen.styled(""), self._verdict(answer)]
        screen.show(self._out, parts)
        sys.stdout.flush()

    def _verdict(self, answer: Answer) -> Text:
        bad = [zone["name"] for zone in answer["zones"] if zone["is_bad"]]
        if bad:
            return screen.alarm(text("cli.walk-bad", self._lang, zones=", ".join(bad)))
        if answer["ended"] is not None:
            return screen.alarm(text("cli.walk-ended", self._lang, why=why(answer["ended"], "", {}, self._lang)))
        untold = any(zone["outcome"] == "untold" for zone in answer["zones"])
        return screen.styled(text("cli.walk-listen" if untold else "cli.walk-good", self._lang))

    def _outcome(self, zone: Answer) -> Text:
        """What came of a zone, by everything that tells of it."""
        lang, style = self._lang, screen.BAD if zone["is_bad"] else ""
        words = text(f"cli.walk-outcome.{zone['outcome']}", lang)
        if zone["reason"] is not None:
            words = f"{words} ({why(zone['reason'], '', {}, lang)})"
        contact = text("cli.walk-contact", lang) if zone["contact"] and zone["outcome"] in ("good", "untold") else ""
        return screen.joined([screen.alarm(words) if style else screen.styled(words), contact, self._measured(zone)])

    def _measured(self, zone: Answer) -> str:
        if zone["watts"] is None:
            return ""
        return text("cli.walk-watts", self._lang, watts=_watts(zone["watts"]), added=f"{round(zone['added_w']):+d}")

    def _table(self, zones: list[Answer]) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style=screen.QUIET)
        for heading in ("zone", "outcome"):
            table.add_column(text(f"cli.walk-column.{heading}", self._lang), overflow="fold")
        for heading in ("watts", "tone-w", "configured"):
            table.add_column(text(f"cli.walk-column.{heading}", self._lang), justify="right")
        for number, zone in enumerate(zones, 1):
            words = text(f"cli.walk-outcome.{zone['outcome']}", self._lang)
            figures = (zone["watts"], zone["tone_w"], zone["configured_w"])
            table.add_row(
                screen.styled(f"{number}. {zone['name']}"),
                screen.alarm(words) if zone["is_bad"] else screen.styled(words),
                *(screen.styled("-" if one is None else _watts(one)) for one in figures),
            )
        return table

    def _lines(self, zones: list[Answer]) -> list[RenderableType]:
        """The table on a phone."""
        parts: list[RenderableType] = []
        for number, zone in enumerate(zones, 1):
            parts += [screen.styled(f"{number}. {zone['name']}"), screen.indented(self._outcome(zone))]
            if zone["tone_w"] is not None:
                configured = "-" if zone["configured_w"] is None else _watts(zone["configured_w"])
                fields = {"tone_w": _watts(zone["tone_w"]), "configured": configured}
                parts.append(screen.indented(screen.styled(text("cli.walk-figures", self._lang, **fields))))
        return parts

    def _say(self, words: Text) -> None:
        self._clear_now()
        screen.show(self._out, [words])
        sys.stdout.flush()

    def _show_now(self, words: str) -> None:
        if self._out.is_terminal and words != self._now:
            sys.stdout.write(f"\r{screen.clean(words)[: self._out.width - 1]}\x1b[K")
            sys.stdout.flush()
            self._now = words

    def _clear_now(self) -> None:
        if self._now:
            sys.stdout.write("\r\x1b[K")
            self._now = ""


def _watts(watts: float) -> str:
    return str(round(watts))


def _differs(zone: Answer) -> bool:
    """Tell whether what was measured should stand in the config, or stand there in place of what does."""
    if zone["tone_w"] is None or zone["is_bad"] or round(zone["tone_w"]) < DIFFERS_W:
        return False
    configured: float | None = zone["configured_w"]
    if configured is None:
        return True
    return bool(abs(zone["tone_w"] - configured) > max(DIFFERS_W, DIFFERS_SHARE * configured))
