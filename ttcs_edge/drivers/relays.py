"""The relays of a station: one for the amplifier, one for each zone, for a microphone and a fan, behind one Protocol;
one that cuts a modem's supply while it is closed.

Those on the lines of this machine are here; ``coils`` has those that are further away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gpiozero import DigitalInputDevice, OutputDevice

from ttcs_edge.core.model import AMPLIFIER, FAN, MICROPHONE, MODEM, TRANSMITTER
from ttcs_edge.settings import Config, PinFactory, PinSettings, RelaySettings

if TYPE_CHECKING:
    from ttcs_edge.drivers.coded import ByGroups, Dial
    from ttcs_edge.drivers.contacts import Contacts
    from ttcs_edge.drivers.rs485 import Bus


class RelayError(Exception):
    """A relay did not do as told; ``subject`` is a zone's id, ``amplifier``, ``microphone`` or ``fan``."""

    def __init__(self, subject: str, place: str, error: str) -> None:
        super().__init__(f"{subject} ({place}): {error}")
        self.subject = subject


Answer = Callable[[RelayError | None], None]
"""Hears what became of a switch: None when the relay did as told. On whatever thread knows it."""


class Relays(Protocol):
    """Switches of one station.

    Must: open all of them, or be about to, before the constructor returns; answer each ``tell`` once, within three
    seconds and what the zone's switching takes, in the order in which they came; leave every relay open on ``close``.
    Never: keep who tells for more than some milliseconds; close a relay that was not asked for; say that one did as
    told without having read it back, where there is something to be read; fall back to anything else when a line cannot
    be had. One thread calls.
    """

    def tell(self, subject: str, closed: bool, answer: Answer) -> None:
        """Close (current flows) or open one relay."""

    def open_all(self) -> None:
        """Open every relay, whatever becomes of the others. Raises RelayError for the first that failed."""

    def states(self) -> dict[str, bool]:
        """Which relays are closed, as they were read back last."""

    def watch(self, fail: Callable[[RelayError], None]) -> None:
        """Tell from now on of relays that are found to have moved by themselves, where that can be seen."""

    def close(self) -> None:
        """Open every relay and let go."""


class GpioRelays:
    """Relays on GPIO lines, through gpiozero. The first thing it does to a line is to drive it open (never-2)."""

    def __init__(self, settings: PinSettings) -> None:
        factory = pin_factory(settings)
        wiring = {AMPLIFIER: settings.amplifier, **{str(zone): relay for zone, relay in settings.zones.items()}}
        others = {MICROPHONE: settings.mixer, TRANSMITTER: settings.transmitter}
        others |= {FAN: settings.fan, MODEM: settings.modem}
        wiring |= {subject: relay for subject, relay in others.items() if relay is not None}
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
        self._contacts = _contacts(wiring, factory)

    def switch(self, subject: str, closed: bool) -> None:
        """Close or open one relay and read its line back. Raises RelayError."""
        device = self._devices[subject]
        try:
            device.value = closed
            found = bool(device.value)
        except Exception as error:  # gpiozero's factories raise errors of many families
            raise RelayError(subject, f"GPIO{self._pins[subject]}", str(error)) from error
        if found != closed:
            raise RelayError(subject, f"GPIO{self._pins[subject]}", f"reads {int(found)} after {int(closed)}")

    def tell(self, subject: str, closed: bool, answer: Answer) -> None:
        """Close or open one relay at once; its contact, where it has one, has the last word."""
        try:
            self.switch(subject, closed)
        except RelayError as error:
            answer(error)
            return
        if self._contacts is not None and subject in self._contacts:
            self._contacts.expect(subject, closed, answer)
        else:
            answer(None)

    def open_all(self) -> None:
        """Open every relay, the amplifier last, whatever becomes of the others. Raises RelayError for the first."""
        _each([partial(self.switch, subject, False) for subject in reversed(self._devices)])

    def states(self) -> dict[str, bool]:
        """Read back which relays are closed."""
        return {subject: bool(device.value) for subject, device in self._devices.items()}

    def watch(self, fail: Callable[[RelayError], None]) -> None:
        """Tell what their contacts find."""
        if self._contacts is not None:
            self._contacts.watch(fail)

    def close(self) -> None:
        """Open every relay. The lines are let go by the end of the process, driven open until then."""
        if self._contacts is not None:
            self._contacts.close()
        self.open_all()


class AllRelays:
    """Relays of several kinds as one. The first hold the amplifier: they are opened last."""

    def __init__(self, *parts: Relays) -> None:
        self._parts = parts
        self._of = {subject: part for part in parts for subject in part.states()}

    def tell(self, subject: str, closed: bool, answer: Answer) -> None:
        """Close or open one relay."""
        self._of[subject].tell(subject, closed, answer)

    def open_all(self) -> None:
        """Open every relay, whatever becomes of the others. Raises RelayError for the first that failed."""
        _each([part.open_all for part in reversed(self._parts)])

    def states(self) -> dict[str, bool]:
        """Which relays are closed, as they were read back last."""
        return {subject: closed for part in self._parts for subject, closed in part.states().items()}

    def watch(self, fail: Callable[[RelayError], None]) -> None:
        """Tell what any of them finds."""
        for part in self._parts:
            part.watch(fail)

    def close(self) -> None:
        """Open every relay and let go."""
        _each([part.close for part in reversed(self._parts)])


def station_relays(config: Config, bus: Bus | None, dial: Dial) -> Relays:
    """Every relay that a ``station.yaml`` names, those of its RS-485 line by its bus, coded receivers by what dials.
    Raises RelayError when a line of this machine cannot be had.
    """
    parts: list[Relays] = [near := GpioRelays(config.pins)]
    if bus is not None and config.coils:
        from ttcs_edge.drivers.coils import CoilRelays

        parts.append(CoilRelays(bus, {str(zone): coil for zone, coil in config.coils.items()}))
    if config.transmitter is not None and (config.codes or config.groups):
        from ttcs_edge.drivers.coded import CodedReceivers

        codes = {str(zone): code for zone, code in config.codes.items()}
        rds = _by_groups(config)
        parts.append(CodedReceivers(config.transmitter, codes, partial(near.switch, TRANSMITTER), dial, rds))
    return AllRelays(*parts) if len(parts) > 1 else near


def _by_groups(config: Config) -> ByGroups | None:
    """The receivers that are told by RDS groups, where there are any."""
    if config.rds is None or not config.groups:
        return None
    from ttcs_edge.drivers.coded import ByGroups
    from ttcs_edge.drivers.rds import RdsEncoder

    groups = {str(zone): code for zone, code in config.groups.items()}
    return ByGroups(RdsEncoder(config.rds), groups, config.rds.close_all_group)


def _each(calls: Sequence[Callable[[], None]]) -> None:
    """Make every call, whatever becomes of the others. Raises RelayError of the first that failed."""
    failed: list[RelayError] = []
    for call in calls:
        try:
            call()
        except RelayError as error:
            failed.append(error)
    if failed:
        raise failed[0]


def pin_factory(settings: PinSettings) -> Any:
    """What drives the lines, as ``station.yaml`` chose it. Raises RelayError when this machine has none."""
    if settings.factory is PinFactory.MOCK:
        from ttcs_edge.drivers.pins import KeptFactory

        return KeptFactory(settings.mock_folder or Path("lines"))
    try:
        from gpiozero.pins.lgpio import LGPIOFactory

        return LGPIOFactory()
    except Exception as error:  # no lgpio, no /dev/gpiochip, no right to it: each is of another family
        raise RelayError(AMPLIFIER, f"GPIO{settings.amplifier.pin}", f"{type(error).__name__}: {error}") from error


def _contacts(wiring: Mapping[str, RelaySettings], factory: Any) -> Contacts | None:
    """Those that there are. Raises RelayError when a line cannot be had: nobody would miss what it does not tell."""
    found = {subject: relay.contact for subject, relay in wiring.items() if relay.contact is not None}
    if not found:
        return None
    from ttcs_edge.drivers.contacts import Contacts

    devices = {}
    for subject, contact in found.items():
        try:
            device = DigitalInputDevice(contact.pin, pull_up=not contact.active_high, pin_factory=factory)
        except Exception as error:  # gpiozero's factories raise errors of many families
            raise RelayError(subject, f"contact GPIO{contact.pin}", f"{type(error).__name__}: {error}") from error
        devices[subject] = (contact.pin, device)
    return Contacts(devices)


def _device(subject: str, relay: RelaySettings, factory: Any) -> OutputDevice:
    try:
        return OutputDevice(relay.pin, active_high=relay.active_high, initial_value=False, pin_factory=factory)
    except Exception as error:  # gpiozero's factories raise errors of many families
        raise RelayError(subject, f"GPIO{relay.pin}", f"{type(error).__name__}: {error}") from error
