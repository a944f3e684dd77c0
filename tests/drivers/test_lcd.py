"""The display: the real library and the real driver, on a chip that takes time, loses what comes too early, and may be
unplugged.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lettering.test_glyphs import LETTERS
from ttcs_edge.drivers.i2c import I2cBus, open_bus
from ttcs_edge.drivers.lcd import BackpackLcd, LcdError
from ttcs_edge.drivers.lcd_chip import RS, Cell, E, SimulatedBus, name_of, seen
from ttcs_edge.lettering.glyphs import drawn
from ttcs_edge.lettering.pages import Page, pages
from ttcs_edge.settings import LcdSettings

ADDRESS = 0x27
PICTURES = {drawn(letter): letter for letter in LETTERS}
TEXTS = ["Kế 05:00 Chương trình phát thanh của Ủy ban nhân dân xã Đạ Tẻh", "Lỗi: Không đóng mở được rơ-le cho"]


def read(cells: list[list[Cell]]) -> list[str]:
    """A screen as a person reads it; a picture that is no letter is ``?``."""
    return ["".join(chr(cell) if isinstance(cell, int) else PICTURES.get(cell, "?") for cell in row) for row in cells]


class Desk:
    """A display on a bus of its own, its driver, and the folder in which it can be seen."""

    def __init__(self, folder: Path, columns: int = 16, rows: int = 2) -> None:
        self.folder = folder
        self.settings = LcdSettings(Path("/dev/i2c-9"), ADDRESS, columns, rows)
        self.buses: list[SimulatedBus] = []
        self.lcd = BackpackLcd(self.settings, self._open)

    def _open(self) -> I2cBus:
        self.buses.append(SimulatedBus(self.folder, ADDRESS))
        return self.buses[-1]

    @property
    def text(self) -> list[str]:
        """What is read there."""
        return read(seen(self.folder, ADDRESS, self.settings.columns, self.settings.rows))

    @property
    def plug(self) -> Path:
        """Who makes it has pulled the plug."""
        return self.folder / f"{name_of(ADDRESS)}.unplugged"

    def lost(self) -> int:
        """What came while the chip was busy."""
        return sum(bus.chip.lost for bus in self.buses if bus.chip is not None)

    def show_all(self, found: list[Page]) -> None:
        """Page after page, each read back."""
        for page in found:
            self.lcd.show(page)
            assert self.text == list(page)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A display of two lines."""
    desk = Desk(tmp_path)
    yield desk
    desk.lcd.close()


@pytest.mark.parametrize(("columns", "rows"), [(16, 2), (20, 2), (16, 4), (20, 4)])
def test_every_page_is_read_back_letter_by_letter(tmp_path: Path, columns: int, rows: int) -> None:
    """With its marks, in every size, and nothing came while the chip was busy."""
    desk = Desk(tmp_path, columns, rows)
    desk.show_all(pages("21:05 Đang phát", TEXTS, columns, rows))
    assert desk.lost() == 0
    desk.lcd.close()


def test_a_place_that_is_needed_again_is_dark_before_it_is_drawn_anew(desk: Desk) -> None:
    """A letter must not turn into another one before one's eyes."""
    first, second = ("Chờ".ljust(16), "ạảãáàặẳ".ljust(16)), ("Chờ".ljust(16), "ắằấầẩẫậ".ljust(16))
    desk.lcd.show(first)
    bus = desk.buses[0]
    plain = bus.write_byte
    wrong: list[str] = []

    def watched(i2c_addr: int, value: int) -> None:
        plain(i2c_addr, value)
        shown = desk.text
        wrong.extend(letter for row in shown for letter in row if letter not in " Chờạảãáàặẳắằấầẩẫậ?")
        wrong.extend(letter for row in shown[1:] for letter in row if letter == "?")

    bus.write_byte = watched  # type: ignore[method-assign]
    desk.lcd.show(second)
    bus.write_byte = plain  # type: ignore[method-assign]
    assert desk.text == list(second)
    assert wrong == []


def test_a_clock_that_ticks_writes_one_letter(desk: Desk) -> None:
    """Not the whole screen: an I2C bus is slow, and may have other devices."""
    desk.lcd.show(("21:05 Chờ".ljust(16), " " * 16))
    written: list[int] = []
    plain = desk.buses[0].write_byte

    def noted(i2c_addr: int, value: int) -> None:
        written.append(value)
        plain(i2c_addr, value)

    desk.buses[0].write_byte = noted  # type: ignore[method-assign]
    desk.lcd.show(("21:06 Chờ".ljust(16), " " * 16))
    letters = [value for value in written if value & E and value & RS]
    assert desk.text[0] == "21:06 Chờ".ljust(16)
    assert len(letters) == 2, "two halves of a byte"
    desk.lcd.show(("21:06 Chờ".ljust(16), " " * 16))
    assert len([value for value in written if value & E and value & RS]) == 2


def test_a_display_that_is_unplugged_is_told_and_works_again_once_it_is_back(desk: Desk) -> None:
    """It has forgotten everything: it is begun anew, letters and all; no bus stays open."""
    (page, *_) = pages("21:05 Đang phát", TEXTS, 16, 2)
    desk.lcd.show(page)
    before = len(os.listdir("/proc/self/fd"))
    desk.plug.touch()
    for _ in range(5):
        with pytest.raises(LcdError) as error:
            desk.lcd.show(("21:06".ljust(16), " " * 16))
        assert str(error.value) == "/dev/i2c-9 0x27: [Errno 121] Remote I/O error"
    desk.plug.unlink()
    desk.lcd.show(page)
    assert desk.text == list(page)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_display_that_is_well_is_begun_anew_without_a_byte_too_early(desk: Desk) -> None:
    """Four bits wide as it is, RPLCD's own beginning would send it home and not wait until it is there."""
    (page, *_) = pages("21:05 Đang phát", TEXTS, 16, 2)
    for _ in range(3):
        desk.lcd.show(page)
        desk.lcd._begun_s -= 3_600
    assert desk.text == list(page)
    assert desk.lost() == 0


@pytest.mark.parametrize("seed", range(8))
def test_it_is_right_again_after_noise_once_it_is_begun_anew(desk: Desk, seed: int) -> None:
    """Half bytes that nobody sent, before the next beginning: whatever the chip then waits for, it is led out of it."""
    dice = random.Random(seed)
    (page, *_) = pages("21:05 Đang phát", TEXTS, 16, 2)
    desk.lcd.show(page)
    chip = desk.buses[0].chip
    assert chip is not None
    for _ in range(dice.choice((1, 1, 3, 7))):
        time.sleep(0.002)
        chip.latch(dice.randrange(16), dice.random() < 0.5)
    desk.lcd._begun_s -= 3_600
    desk.lcd.show(page)
    assert desk.text == list(page)


def test_after_the_end_it_is_dark(desk: Desk) -> None:
    """Nobody reads a clock that stands."""
    desk.lcd.show(("21:05".ljust(16), " " * 16))
    desk.lcd.close()
    assert desk.text == []


def test_a_display_that_was_never_there_can_be_closed(desk: Desk) -> None:
    """Nothing is left open."""
    desk.plug.touch()
    with pytest.raises(LcdError):
        desk.lcd.show(("21:05".ljust(16), " " * 16))
    desk.lcd.close()


def test_a_bus_that_this_machine_has_not_is_told(tmp_path: Path) -> None:
    """The I2C interface is off in config.txt."""
    settings = LcdSettings(tmp_path / "i2c-1", ADDRESS)
    lcd = BackpackLcd(settings, lambda: open_bus(settings.bus))
    with pytest.raises(LcdError) as error:
        lcd.show(("21:05".ljust(16), " " * 16))
    assert str(error.value) == f"{tmp_path}/i2c-1 0x27: [Errno 2] No such file or directory: '{tmp_path}/i2c-1'"


class TestChip:
    """The chip refuses what the data sheet says that it refuses."""

    def test_it_loses_what_comes_while_it_is_busy(self, tmp_path: Path) -> None:
        """A driver that does not wait shows garbage here, too."""
        now_s = [0.0]
        bus = SimulatedBus(tmp_path, ADDRESS, lambda: now_s[0])
        bus.write_byte(ADDRESS, 0x30)
        for _ in range(2):
            bus.write_byte(ADDRESS, 0x30 | E)
            bus.write_byte(ADDRESS, 0x30)
        assert bus.chip is not None and bus.chip.lost == 2
        now_s[0] += 0.02
        bus.write_byte(ADDRESS, 0x30 | E)
        bus.write_byte(ADDRESS, 0x30)
        assert bus.chip.lost == 2
        bus.close()

    def test_nobody_else_answers(self, tmp_path: Path) -> None:
        """Another address is silent."""
        bus = SimulatedBus(tmp_path, ADDRESS)
        with pytest.raises(OSError, match="Remote I/O error"):
            bus.write_byte(0x3F, 0)
        bus.close()
