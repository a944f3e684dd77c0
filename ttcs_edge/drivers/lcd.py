"""A character display with an HD44780 behind a PCF8574 on the I2C bus, through RPLCD.

A display cannot be asked whether it shows what it was told: it may have been without power for a moment, or have lost
a half of a byte to noise, and then shows garbage. So it is begun anew after each error and every ``ANEW_S``, in the
way of the data sheet (figure 24), which works whatever the controller waits for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from RPLCD.i2c import CharLCD

from ttcs_edge.drivers.i2c import I2cBus
from ttcs_edge.lettering.glyphs import drawn
from ttcs_edge.lettering.pages import Page, places
from ttcs_edge.settings import LcdSettings

ANEW_S: Final = 600.0
WAKE_NIBBLE: Final = 0x30
WAKE_WAITS_S: Final = (0.005, 0.005, 0.001)
"""Three times the same half of a byte, and how long to wait behind each: the sheet wants 4.1 ms, 0.1 ms and no less."""
DARK: Final = " "


class LcdError(Exception):
    """The display does not answer, or its bus is not there."""


class Lcd(Protocol):
    """A display of some lines.

    Must: show a page as soon as it is told, with the letters that are drawn; be dark after ``close``, so that nobody
    reads a clock that stands. May: block for half a second; raise LcdError, and work again at the next call. Never:
    show a letter as another one. One thread calls.
    """

    def show(self, page: Page) -> None:
        """Show a page, whose lines are as long as the display is wide. Raises LcdError."""

    def close(self) -> None:
        """Go dark, and let the bus go."""


class _Controller(CharLCD):  # type: ignore[misc]  # RPLCD carries no types
    """RPLCD's controller on a bus that is given: RPLCD never closes the one that it opens."""

    def __init__(self, bus: I2cBus, settings: LcdSettings) -> None:
        self._given = bus
        super().__init__(
            i2c_expander="PCF8574",
            address=settings.address,
            cols=settings.columns,
            rows=settings.rows,
            charmap="A00",
            auto_linebreaks=False,
        )

    def _init_connection(self) -> None:
        """Lead it to where RPLCD's own beginning finds it: eight bits wide, whatever half of a byte it waits for."""
        self.bus = self._given
        time.sleep(0.05)  # after its power came
        for wait_s in WAKE_WAITS_S:
            self.bus.write_byte(self._address, WAKE_NIBBLE | self._backlight)
            self._pulse_data(WAKE_NIBBLE)
            time.sleep(wait_s)


class BackpackLcd:
    """The display of one station. The bus is opened when something is to be shown, and again after an error."""

    def __init__(self, settings: LcdSettings, open_bus: Callable[[], I2cBus]) -> None:
        self._settings = settings
        self._open_bus = open_bus
        self._bus: I2cBus | None = None
        self._controller: Any = None
        self._begun_s = 0.0
        self._held: tuple[str, ...] = ()
        self._lines: list[str] = []

    def show(self, page: Page) -> None:
        """Write what differs from what is shown. Raises LcdError."""
        try:
            if self._controller is None or time.monotonic() >= self._begun_s + ANEW_S:
                self._begin()
            self._write(page)
        except OSError as error:
            self._let_go()
            raise LcdError(f"{self._settings.bus} 0x{self._settings.address:02x}: {error}") from error

    def close(self) -> None:
        """Go dark; where it does not answer, it is left as it is."""
        try:
            if self._controller is not None:
                self._controller.clear()
                self._controller.backlight_enabled = False
        except OSError:
            pass
        self._let_go()

    def _begin(self) -> None:
        if self._bus is None:
            self._bus = self._open_bus()
        self._controller = _Controller(self._bus, self._settings)
        self._begun_s = time.monotonic()
        self._held = ()
        self._lines = [DARK * self._settings.columns] * self._settings.rows

    def _let_go(self) -> None:
        bus, self._bus, self._controller = self._bus, None, None
        if bus is not None:
            bus.close()

    def _write(self, page: Page) -> None:
        held = places(page, self._held)
        redrawn = {place for place, letter in enumerate(held) if letter != (*self._held, *[""] * 8)[place]}
        gone = {self._held[place] for place in redrawn if place < len(self._held)}
        for row, line in enumerate(self._lines):  # a letter must not turn into another one before one's eyes
            self._put(row, "".join(DARK if letter in gone else letter for letter in line))
        for place in sorted(redrawn):
            self._controller.create_char(place, drawn(held[place]))
        self._held = held
        for row, line in enumerate(page):
            self._put(row, line)

    def _put(self, row: int, line: str) -> None:
        """Write the letters of a line that change."""
        column = -1
        for place, (before, letter) in enumerate(zip(self._lines[row], line, strict=True)):
            if letter == before:
                continue
            if place != column:
                self._controller.cursor_pos = (row, place)
            self._controller.write(self._held.index(letter) if letter in self._held else ord(letter))
            column = place + 1
        self._lines[row] = line
