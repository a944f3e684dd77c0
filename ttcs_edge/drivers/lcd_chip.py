"""A display for a machine that has none: a PCF8574 and an HD44780 with the physics of real ones, on a bus of bytes.

The chip takes what its lines carry when E falls (data sheet ADE-207-272(Z), figure 9), is busy for as long as the sheet
says (table 6) and loses what comes meanwhile, begins eight bits wide with its lower four lines not connected, and
forgets everything without power. What it shows lives in a file of one folder, as mock lines do (``pins``): whoever
holds the file ``<name>.unplugged`` there has pulled its plug.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

from ttcs_edge.lettering.glyphs import Bitmap

E, RW, RS, LIGHT = 0x04, 0x02, 0x01, 0x08
"""The lines of a backpack: the upper four carry the data."""
NOT_CONNECTED = 0x0F
"""The lower data lines are pulled up inside the chip."""
BEGINS_S = 0.010
"""How long the chip is busy after its power came."""
SLOW_S, QUICK_S = 0.001_52, 0.000_041
CLEAR, HOME, ENTRY, CONTROL, FUNCTION, CGRAM, DDRAM = 0x01, 0x02, 0x04, 0x08, 0x20, 0x40, 0x80
DISPLAY_ON, EIGHT_BITS = 0x04, 0x10
DDRAM_BYTES, CGRAM_BYTES = 128, 64
Cell = int | Bitmap
"""What stands in a place: the code of a letter of the ROM, or a picture of one's own."""


class Hd44780:
    """The controller, as it comes to power. ``lost`` counts what came while it was busy."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._free_s = now_s() + BEGINS_S
        self._eight_bits = True
        self._first_half: int | None = None
        self._address = 0
        self._in_cgram = False
        self.on = False
        self.ddram = bytearray(b" " * DDRAM_BYTES)
        self.cgram = bytearray(os.urandom(CGRAM_BYTES))
        self.lost = 0

    def latch(self, data: int, is_letter: bool) -> None:
        """E falls: four lines are taken."""
        if self._now_s() < self._free_s:
            self.lost += 1
        elif self._eight_bits:
            self._take(data << 4 | NOT_CONNECTED, is_letter)
        elif self._first_half is None:
            self._first_half = data
        else:
            first, self._first_half = self._first_half, None
            self._take(first << 4 | data, is_letter)

    def _take(self, byte: int, is_letter: bool) -> None:
        slow = not is_letter and byte < ENTRY
        self._free_s = self._now_s() + (SLOW_S if slow else QUICK_S)
        if is_letter:
            self._store(byte)
        elif byte >= DDRAM:
            self._address, self._in_cgram = byte & 0x7F, False
        elif byte >= CGRAM:
            self._address, self._in_cgram = byte & 0x3F, True
        elif byte >= FUNCTION:
            self._eight_bits, self._first_half = bool(byte & EIGHT_BITS), None
        elif CONTROL <= byte < 2 * CONTROL:
            self.on = bool(byte & DISPLAY_ON)
        elif byte < ENTRY:
            self._address, self._in_cgram = 0, False
            if byte == CLEAR:
                self.ddram[:] = b" " * DDRAM_BYTES

    def _store(self, byte: int) -> None:
        if self._in_cgram:
            self.cgram[self._address] = byte & 0x1F
            self._address = (self._address + 1) % CGRAM_BYTES
        else:
            self.ddram[self._address] = byte
            self._address = {0x27: 0x40, 0x67: 0x00}.get(self._address, (self._address + 1) % DDRAM_BYTES)


class SimulatedBus:
    """A bus with one display on it. ``name`` is that of its file."""

    def __init__(self, folder: Path, address: int, now_s: Callable[[], float] = time.monotonic) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._address = address
        self._now_s = now_s
        self._plug = folder / f"{name_of(address)}.unplugged"
        self._file = os.open(folder / name_of(address), os.O_RDWR | os.O_CREAT, 0o644)
        self._lines = 0
        self.chip = None if self._plug.exists() else Hd44780(now_s)

    def write_byte(self, i2c_addr: int, value: int) -> None:
        """The expander's lines carry these bits. Raises OSError when nobody is there."""
        if i2c_addr != self._address or self._plug.exists():
            self.chip = None
            raise OSError(errno.EREMOTEIO, os.strerror(errno.EREMOTEIO))
        if self.chip is None:
            self.chip = Hd44780(self._now_s)
        fell, self._lines = self._lines & E and not value & E, value
        if fell and not value & RW:
            self.chip.latch(value >> 4, bool(value & RS))
        lit = bool(value & LIGHT)
        os.pwrite(self._file, bytes([self.chip.on, lit]) + self.chip.ddram + self.chip.cgram, 0)

    def close(self) -> None:
        """Let the bus go; the display shows what it shows."""
        os.close(self._file)


def name_of(address: int) -> str:
    """The file of the display at an address."""
    return f"lcd-{address:02x}"


def seen(folder: Path, address: int, columns: int, rows: int) -> list[list[Cell]]:
    """What a person sees there, cell by cell; nothing where it is off or dark."""
    path = folder / name_of(address)
    state = path.read_bytes() if path.exists() else b""
    if len(state) != 2 + DDRAM_BYTES + CGRAM_BYTES or not (state[0] and state[1]):
        return []
    ddram, cgram = state[2 : 2 + DDRAM_BYTES], state[2 + DDRAM_BYTES :]
    begins = (0x00, 0x40, columns, 0x40 + columns)[:rows]
    return [[_cell(code, cgram) for code in ddram[begin : begin + columns]] for begin in begins]


def _cell(code: int, cgram: bytes) -> Cell:
    return tuple(cgram[8 * (code & 7) : 8 * (code & 7) + 8]) if code < 0x10 else code
