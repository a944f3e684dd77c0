"""Turns the pages of the display at the box, on a thread of its own (never-8).

What is new is shown at once, and what was not shown yet is forgotten: only the newest counts. The clock ticks here. A
display that does not answer is told, and tried again; nobody waits for it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from zoneinfo import ZoneInfo

from ttcs_edge.core.display import Display, State
from ttcs_edge.core.events import ConditionChanged
from ttcs_edge.core.model import Instant, StationSettings
from ttcs_edge.drivers.lcd import Lcd, LcdError
from ttcs_edge.lettering.pages import Page, pages
from ttcs_edge.locale import Language, text
from ttcs_edge.locale.faults import short_words
from ttcs_edge.settings import LcdSettings

PAGE_S = 4.0
"""How long a page stands: as long as a line takes to be read, and then some."""
SOON_MS = 20 * 3_600_000
"""The next cue is told without its date when it comes before the same time of tomorrow."""
LCD, SUBJECT = "lcd", "panel-lcd"
_ROUTED = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses that nobody has (RFC 5737, RFC 3849): a route to them is the one to everywhere."""


class Showing:
    """What the display shows. ``show`` never waits."""

    def __init__(
        self,
        lcd: Lcd,
        size: LcdSettings,
        station: StationSettings,
        lang: Language,
        now: Callable[[], Instant],
        post: Callable[[ConditionChanged], None],
    ) -> None:
        self._lcd = lcd
        self._size = size
        self._station = station
        self._lang: Language = lang
        self._now = now
        self._post = post
        self._changed = threading.Condition()
        self._display: Display | None = None
        self._closing = False
        self._works: bool | None = None
        self._thread = threading.Thread(target=self._run, name="display", daemon=True)
        self._thread.start()

    def show(self, display: Display) -> None:
        """Show this from now on, beginning with its first page."""
        with self._changed:
            self._display = display
            self._changed.notify()

    def close(self, timeout_s: float) -> None:
        """Go dark, and end."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        shown, turn = None, 0
        while (display := self._next(shown)) is not None:
            shown, turn = display, turn + 1 if display is shown else 0
            found = laid_out(display, self._now(), self._station, self._size, self._lang)
            self._put(found[turn % len(found)])
        self._lcd.close()

    def _next(self, shown: Display | None) -> Display | None:
        """What is to be shown when the page was read, or at once when that changes; None at the end."""
        with self._changed:
            timeout_s = None if shown is None else PAGE_S
            self._changed.wait_for(lambda: self._closing or self._display is not shown, timeout_s)
            return None if self._closing else self._display

    def _put(self, page: Page) -> None:
        error = ""
        try:
            self._lcd.show(page)
        except LcdError as failed:
            error = str(failed)
        if self._works is not (not error):
            self._works = not error
            self._post(ConditionChanged(LCD, SUBJECT, bool(error), (("error", error),) if error else ()))


def laid_out(display: Display, now: Instant, station: StationSettings, size: LcdSettings, lang: Language) -> list[Page]:
    """The pages of what is to be told, in their order."""
    state = text(f"panel.{display.state.value}", lang)
    if not display.clock_trusted:
        return pages(state, _texts(display, now, station, lang), size.columns, size.rows)
    local = _local(now.wall_ms, station)
    return pages(f"{local:%H:%M} {state}", _texts(display, now, station, lang), size.columns, size.rows)


def _texts(display: Display, now: Instant, station: StationSettings, lang: Language) -> Iterator[str]:
    if display.on_air:
        yield display.on_air
    if display.state is State.ALERT:
        return
    if display.coming is not None:
        at = _local(display.coming.planned_ms, station)
        is_soon = display.coming.planned_ms < now.wall_ms + SOON_MS
        yield text("panel.next", lang, at=f"{at:%H:%M}" if is_soon else f"{at:%d/%m %H:%M}", title=display.coming.title)
    if (fault := display.fault) is not None:
        words = short_words(fault.code, fault.subject, dict(fault.detail), lang)
        yield text("panel.fault" if display.faults == 1 else "panel.faults", lang, fault=words, count=display.faults)
    yield text("panel.place", lang, station=station.id, address=address() or text("panel.no-address", lang))


def _local(wall_ms: int, station: StationSettings) -> datetime:
    return datetime.fromtimestamp(wall_ms / 1_000, ZoneInfo(station.time_zone))


def address() -> str | None:
    """The address from which this machine reaches everywhere; None when it reaches nowhere. Nothing is sent."""
    for family, anywhere in _ROUTED:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asked:  # a kernel may lack a family
            asked.connect((anywhere, 9))
            return str(asked.getsockname()[0])
    return None
