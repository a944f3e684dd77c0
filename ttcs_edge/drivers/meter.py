"""The energy meter of a station, on its RS-485 line: a PZEM-014 or 016, or a PZEM-004T of version 3.

Their registers are the same (user manuals of Peacefair's PZEM-014/016 and PZEM-004T V3.0, input registers, function
04): voltage in tenths of a volt, current in milliamperes, active power in tenths of a watt, energy in watt-hours; the
lower word of two first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from ttcs_edge.core.model import MeterReading
from ttcs_edge.drivers.rs485 import Bus, BusError

if TYPE_CHECKING:
    from ttcs_edge.drivers.modbus import ModbusLine

REGISTERS = 7
"""Those that are asked for; behind them come frequency, power factor and an alarm."""

LEAST_V = 40.0
"""It measures from 80 V on, of the very supply that it works by: what tells less was not measured. Such answers, of
nothing but noughts, are seen now and then.
"""


class EnergyMeter(Protocol):
    """What measures the power of the amplifier.

    Must: answer each question once, within some seconds, with what was drawn of late. Never: keep who asks; answer
    with an earlier reading when there is no new one. One thread asks; who answers is another.
    """

    def read(self, answer: Callable[[MeterReading | BusError], None]) -> None:
        """Ask; ``answer`` hears a reading, or why there is none."""


class Pzem:
    """A meter of that kind at one unit of the line."""

    def __init__(self, bus: Bus, unit: int) -> None:
        self._bus = bus
        self._unit = unit

    def read(self, answer: Callable[[MeterReading | BusError], None]) -> None:
        """Ask it behind whatever the line has to do first."""

        def measured(line: ModbusLine) -> MeterReading:
            found = reading(line.read_inputs(self._unit, 0, REGISTERS))
            if found.volts < LEAST_V:
                raise BusError(f"unit {self._unit} reads {found.volts:.0f} V")
            return found

        self._bus.submit(measured, answer)


def reading(registers: Sequence[int]) -> MeterReading:
    """What the first ``REGISTERS`` tell.

    >>> reading([2201, 420, 0, 853, 0, 57, 1])
    MeterReading(volts=220.1, amperes=0.42, watts=85.3, energy_wh=65593)
    """
    volts, milliamperes, amperes_high, watts_low, watts_high, energy_low, energy_high = registers
    return MeterReading(
        volts=volts / 10,
        amperes=(milliamperes + (amperes_high << 16)) / 1_000,
        watts=(watts_low + (watts_high << 16)) / 10,
        energy_wh=energy_low + (energy_high << 16),
    )
