"""Mains and batteries that the kernel knows: any charger or UPS board with a driver of its class ``power_supply``.

Each has a folder in ``/sys/class/power_supply`` with a file for a property (Documentation/ABI/testing/
sysfs-class-power): ``online`` is 0 without power; ``status`` a word; ``capacity`` percent; ``voltage_now`` microvolts.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from ttcs_edge.core.model import Battery

CLASS = Path("/sys/class/power_supply")
_POWERED = {"Charging": True, "Full": True, "Not charging": True, "Discharging": False}
"""What the state of a battery tells of the power before it."""
_CHARGING = {"Charging": True, "Full": False, "Not charging": False, "Discharging": False}


class SupplyError(Exception):
    """A supply that tells nothing, or nothing that can be used."""


class Supply(Protocol):
    """What tells of mains and battery.

    Must: answer in milliseconds, with what is so now. Never: raise anything but SupplyError; answer with what was so
    before. One thread calls.
    """

    def powered(self) -> bool:
        """Tell whether there is power before it."""

    def battery(self) -> Battery:
        """Tell how full its battery is."""


class KernelSupply:
    """One folder of the class, by its name in it or by its path."""

    def __init__(self, name: str) -> None:
        self._folder = CLASS / name

    def powered(self) -> bool:
        """Tell whether there is power before it: a battery's own state tells that, too."""
        online = self._read("online")
        if online:
            return online != "0"
        status = self._read("status")
        if status not in _POWERED:
            raise SupplyError(f"{self._folder}: no online, and the status {status[:40]!r}")
        return _POWERED[status]

    def battery(self) -> Battery:
        """Tell how full it is; its voltage and whether it is charged only where it says so."""
        capacity = self._read("capacity")
        if not capacity.isascii() or not capacity.isdigit() or int(capacity) > 100:
            raise SupplyError(f"{self._folder}: the capacity {capacity[:40]!r}")
        volts = None
        with suppress(ValueError):
            volts = max(0, int(self._read("voltage_now"))) / 1_000_000
        return Battery(int(capacity), volts, _CHARGING.get(self._read("status")))

    def _read(self, name: str) -> str:
        """A property; empty where there is none."""
        if not os.path.isdir(self._folder):  # also where it may not be looked at
            raise SupplyError(f"{self._folder} is not there")
        with suppress(OSError, UnicodeDecodeError):
            return (self._folder / name).read_text().strip()
        return ""
