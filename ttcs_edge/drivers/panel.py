"""A lamp at the box, on a GPIO line of the station's own (decision 7: one unit owns the pins)."""

from __future__ import annotations

from typing import Any, Protocol

from gpiozero import LED

from ttcs_edge.core.lamp import Lamp
from ttcs_edge.drivers.relays import pin_factory
from ttcs_edge.settings import PinSettings, RelaySettings

SLOW_S = 1.0
FAST_S = 0.15
"""Lit and dark for as long each."""


class LampError(Exception):
    """The lamp's line cannot be driven."""

    def __init__(self, pin: int, error: str) -> None:
        super().__init__(f"GPIO{pin}: {error}")


class Light(Protocol):
    """A lamp that people see at the box.

    Must: show a lamp until it is told another; be dark after ``close``. Never: block; keep anybody from airing. One
    thread calls.
    """

    def show(self, lamp: Lamp) -> None:
        """Show it from now on."""

    def close(self) -> None:
        """Go dark."""


class GpioLight:
    """A lamp on a line, through gpiozero, which blinks it on a thread of its own."""

    def __init__(self, led: RelaySettings, pins: PinSettings) -> None:
        """Raises LampError when the line cannot be had."""
        try:
            self._led: Any = LED(
                led.pin, active_high=led.active_high, initial_value=False, pin_factory=pin_factory(pins)
            )
        except Exception as error:  # gpiozero's factories raise errors of many families
            raise LampError(led.pin, f"{type(error).__name__}: {error}") from error

    def show(self, lamp: Lamp) -> None:
        """Show a lamp until told another."""
        match lamp:
            case Lamp.OFF:
                self._led.off()
            case Lamp.STEADY:
                self._led.on()
            case Lamp.SLOW | Lamp.FAST:
                span_s = SLOW_S if lamp is Lamp.SLOW else FAST_S
                self._led.blink(on_time=span_s, off_time=span_s)

    def close(self) -> None:
        """Go dark; the end of the process lets the line go, dark until then."""
        self._led.off()
