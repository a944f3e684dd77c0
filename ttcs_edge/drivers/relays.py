"""The relays of a station: one for the amplifier, one for each zone, one for a microphone, behind one Protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from gpiozero import OutputDevice

from ttcs_edge.core.model import AMPLIFIER, MICROPHONE
from ttcs_edge.settings import PinFactory, PinSettings, RelaySettings


class RelayError(Exception):
    """A relay did not do as told; ``subject`` is a zone's id, ``amplifier`` or ``microphone``."""

    def __init__(self, subject: str, pin: int, error: str) -> None:
        super().__init__(f"{subject} (GPIO{pin}): {error}")
        self.subject = subject
        self.pin = pin


class Relays(Protocol):
    """Switches of one station.

    Must: be open, all of them, before the constructor returns; do as told before ``switch`` returns, or raise
    RelayError; leave every line driven open on ``close``. Never: block for more than some milliseconds; close a relay
    that was not asked for; fall back to anything else when a line cannot be had. One thread calls.
    """

    def switch(self, subject: str, closed: bool) -> None:
        """Close (current flows) or open one relay. Raises RelayError."""

    def open_all(self) -> None:
        """Open every relay, whatever becomes of the others. Raises RelayError for the first that failed."""

    def states(self) -> dict[str, bool]:
        """Read back which relays are closed."""

    def close(self) -> None:
        """Open every relay and let go."""


class GpioRelays:
    """Relays on GPIO lines, through gpiozero. The first thing it does to a line is to drive it open (never-2)."""

    def __init__(self, settings: PinSettings) -> None:
        factory = pin_factory(settings)
        wiring = {AMPLIFIER: settings.amplifier, **{str(zone): relay for zone, relay in settings.zones.items()}}
        if settings.mixer is not None:
            wiring[MICROPHONE] = settings.mixer
        self._pins = {subject: relay.pin for subject, relay in wiring.items()}
        self._devices: dict[str, OutputDevice] = {}
        failed: list[RelayError] = []
        for subject, relay in wiring.items():
            try:
                self._devices[subject] = _device(subject, relay, factory)
            except RelayError as error:  # a line that cannot be had must not keep the others closed
                failed.append(error)
        if failed:
            raise failed[0]

    def switch(self, subject: str, closed: bool) -> None:
        """Close or open one relay and read its line back. Raises RelayError."""
        device = self._devices[subject]
        try:
            device.value = closed
            found = bool(device.value)
        except Exception as error:  # gpiozero's factories raise errors of many families
            raise RelayError(subject, self._pins[subject], str(error)) from error
        if found != closed:
            raise RelayError(subject, self._pins[subject], f"reads {int(found)} after {int(closed)}")

    def open_all(self) -> None:
        """Open every relay, the amplifier last, whatever becomes of the others. Raises RelayError for the first."""
        failed: list[RelayError] = []
        for subject in reversed(self._devices):
            try:
                self.switch(subject, False)
            except RelayError as error:
                failed.append(error)
        if failed:
            raise failed[0]

    def states(self) -> dict[str, bool]:
        """Read back which relays are closed."""
        return {subject: bool(device.value) for subject, device in self._devices.items()}

    def close(self) -> None:
        """Open every relay. The lines are let go by the end of the process, driven open until then."""
        self.open_all()


def pin_factory(settings: PinSettings) -> Any:
    """What drives the lines, as ``station.yaml`` chose it. Raises RelayError when this machine has none."""
    if settings.factory is PinFactory.MOCK:
        from ttcs_edge.drivers.pins import KeptFactory

        return KeptFactory(settings.mock_folder or Path("lines"))
    try:
        from gpiozero.pins.lgpio import LGPIOFactory

        return LGPIOFactory()
    except Exception as error:  # no lgpio, no /dev/gpiochip, no right to it: each is of another family
        raise RelayError(AMPLIFIER, settings.amplifier.pin, f"{type(error).__name__}: {error}") from error


def _device(subject: str, relay: RelaySettings, factory: Any) -> OutputDevice:
    try:
        return OutputDevice(relay.pin, active_high=relay.active_high, initial_value=False, pin_factory=factory)
    except Exception as error:  # gpiozero's factories raise errors of many families
        raise RelayError(subject, relay.pin, f"{type(error).__name__}: {error}") from error
