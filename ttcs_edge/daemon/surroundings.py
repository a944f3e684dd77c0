"""The station's surroundings as the core hears of them: mains, battery, the door of the box and its heat.

Contacts are told by their edges. What lies in sysfs is read on the rounds of the thread that looks after the box
(``health``), once a minute. The core hears of it only when it is another than before: whole percents, whole degrees.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from ttcs_edge.core.box import BOX, CONTACT, THERMOMETER_SILENT
from ttcs_edge.core.events import BoxTold, ConditionChanged, DoorMoved, Event, SupplyTold
from ttcs_edge.core.model import Battery
from ttcs_edge.core.power import BATTERY, MAINS, SUPPLY_SILENT
from ttcs_edge.drivers.inputs import GpioInputs
from ttcs_edge.drivers.supply import KernelSupply, Supply, SupplyError
from ttcs_edge.drivers.thermometer import KernelThermometer, Thermometer, ThermometerError
from ttcs_edge.settings import Config

DOOR = "door"
STEP_C = 1.0
"""By how much the heat must have changed to be told."""
FAILURES = 3
"""How many readings in a row must fail for nobody to know: a one-wire bus has bad checksums now and then."""
T = TypeVar("T")


def surroundings(config: Config, post: Callable[[Event], None]) -> Surroundings:
    """What tells of them, as ``station.yaml`` has it."""
    power, box = config.power, config.box
    contacts = {name: one for name, one in ((MAINS, power.mains), (DOOR, box.door)) if one is not None}
    return Surroundings(
        GpioInputs(contacts, config.pins) if contacts else None,
        None if power.supply is None else KernelSupply(power.supply),
        None if power.battery is None else KernelSupply(power.battery),
        None if box.sensor is None else KernelThermometer(box.sensor),
        post,
    )


class Surroundings:
    """What was told last, and who tells. ``post`` takes what changed."""

    def __init__(
        self,
        inputs: GpioInputs | None,
        supply: Supply | None,
        battery: Supply | None,
        thermometer: Thermometer | None,
        post: Callable[[Event], None],
    ) -> None:
        self._inputs = inputs
        self._supply = supply
        self._battery = battery
        self._thermometer = thermometer
        self._post = post
        self._lock = threading.Lock()
        self._mains: bool | None = None
        self._awaits_contact = inputs is not None and inputs.watches(MAINS)
        self._charge: Battery | None = None
        self._told: tuple[bool | None, int | None, bool | None] = (None, None, None)
        self._celsius: float | None = None
        self._failures: dict[tuple[str, str], int] = {}
        self._silent: dict[tuple[str, str], bool] = {}

    def start(self) -> None:
        """Begin to tell of contacts; a line that cannot be had keeps nobody from airing, and is told."""
        if self._inputs is None:
            return
        for name, error in self._inputs.failed.items():
            self._condition(CONTACT, name, error)
        self._inputs.start(self)

    def close(self, timeout_s: float) -> None:
        """Tell no more."""
        if self._inputs is not None:
            self._inputs.close(timeout_s)

    def contact(self, name: str, closed: bool) -> None:
        """A contact moved."""
        if name == DOOR:
            self._post(DoorMoved(not closed))
        else:
            with self._lock:
                self._mains, self._awaits_contact = closed, False
                self._tell_supply()

    def restless(self, name: str, error: str | None) -> None:
        """A contact does not stand still, or does again."""
        self._condition(CONTACT, name, error)
        if name == MAINS and error is not None:
            with self._lock:
                self._awaits_contact = False
                self._tell_supply()

    def look(self) -> None:
        """Read what lies in sysfs."""
        mains, charge, supply, battery = self._mains, self._charge, self._supply, self._battery
        if supply is not None:
            mains = self._read((SUPPLY_SILENT, MAINS), supply.powered, mains)
        if battery is not None:
            charge = self._read((SUPPLY_SILENT, BATTERY), battery.battery, charge)
        with self._lock:
            if supply is not None:
                self._mains = mains
            self._charge = charge
            self._tell_supply()
        if self._thermometer is not None:
            self._tell_heat(self._thermometer)

    def _tell_supply(self) -> None:
        """Tell it when it is another; a voltage that moves is none. A battery alone would count as one without mains:
        it waits until the contact was read, some hundredths of a second into a life.
        """
        if self._awaits_contact:
            return
        charge = self._charge
        told = (self._mains, None, None) if charge is None else (self._mains, charge.percent, charge.charging)
        if told != self._told:
            self._told = told
            self._post(SupplyTold(self._mains, charge))

    def _tell_heat(self, thermometer: Thermometer) -> None:
        before, silent = self._celsius, (THERMOMETER_SILENT, BOX)
        celsius = self._read(silent, thermometer.celsius, before)
        moved = celsius is not None and (before is None or abs(celsius - before) >= STEP_C)
        if moved or self._failures[silent] == FAILURES:  # nobody knows any more, or never did
            self._celsius = celsius
            self._post(BoxTold(celsius))

    def _read(self, silent: tuple[str, str], ask: Callable[[], T], before: T | None) -> T | None:
        """What is read. Who fails once or twice said what he said ``before``: no step of saving power ends for that."""
        try:
            value = ask()
        except (SupplyError, ThermometerError) as error:
            self._failures[silent] = self._failures.get(silent, 0) + 1
            if self._failures[silent] < FAILURES:
                return before
            self._condition(*silent, str(error))
            return None
        self._failures[silent] = 0
        self._condition(*silent, None)
        return value

    def _condition(self, code: str, subject: str, error: str | None) -> None:
        """Tell of a condition when it began or ended; an earlier life may have left it raised."""
        present = error is not None
        if self._silent.get((code, subject)) is not present:
            self._silent[code, subject] = present
            self._post(ConditionChanged(code, subject, present, () if error is None else (("error", error),)))
