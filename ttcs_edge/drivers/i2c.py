"""An I2C bus of this machine, as far as a display needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ttcs_edge.settings import LcdSettings, PinFactory, PinSettings


class I2cBus(Protocol):
    """Writes bytes to devices on one bus.

    Must: raise OSError when nobody acknowledges (EREMOTEIO where the address is silent). May: block for some
    milliseconds. Never: keep a byte for later. One thread calls.
    """

    def write_byte(self, i2c_addr: int, value: int) -> None:
        """Write one byte to the device at an address of seven bits."""

    def close(self) -> None:
        """Let the bus go."""


def open_bus(device: Path) -> I2cBus:
    """Open the kernel's device of a bus, ``/dev/i2c-1``. Raises OSError."""
    from smbus2 import SMBus

    bus: I2cBus = SMBus(str(device))
    return bus


def lcd_bus(lcd: LcdSettings, pins: PinSettings) -> I2cBus:
    """The bus that a display is on; a machine with mock lines has a mock display. Raises OSError."""
    if pins.factory is PinFactory.MOCK:
        from ttcs_edge.drivers.lcd_chip import SimulatedBus

        return SimulatedBus(pins.mock_folder or Path("lines"), lcd.address)
    return open_bus(lcd.bus)
