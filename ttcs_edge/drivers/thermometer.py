"""The thermometer in the box: a DS18B20 on the kernel's one-wire bus, or any sensor that it knows.

Both tell thousandths of a degree Celsius: ``/sys/bus/w1/devices/28-*/temperature`` (Documentation/ABI/testing/
sysfs-driver-w1_therm), ``temp1_input`` of a ``/sys/class/hwmon`` device (sysfs-class-hwmon).
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Protocol

W1 = Path("/sys/bus/w1/devices")
HWMON = Path("/sys/class/hwmon")
FAMILY = "28-"
"""What the serial number of a DS18B20 begins with."""
RESET_MC = 85_000
"""What a DS18B20 reads that was reset and has not measured (its datasheet, power-on reset value)."""
RANGE_C = (-55.0, 125.0)
"""What it can measure at all."""


class ThermometerError(Exception):
    """A thermometer that tells nothing, or nothing that can be so."""


class Thermometer(Protocol):
    """What tells how warm it is in the box.

    Must: answer within a second, with what is so now. Never: raise anything but ThermometerError. One thread calls.
    """

    def celsius(self) -> float:
        """How warm it is."""


class KernelThermometer:
    """A sensor by its serial number on the one-wire bus, by its name among hwmon's, or by the path of its file."""

    def __init__(self, sensor: str, w1: Path = W1, hwmon: Path = HWMON) -> None:
        self._sensor = sensor
        self._w1 = w1
        self._hwmon = hwmon

    def celsius(self) -> float:
        """How warm it is; the kernel has the sensor measure while this waits, three quarters of a second."""
        file = self._file()
        try:
            text = file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ThermometerError(f"{file}: {type(error).__name__}") from error
        if not re.fullmatch(r"-?[0-9]{1,7}", text):
            raise ThermometerError(f"{file}: {text[:40]!r}")
        millis = int(text)
        if millis == RESET_MC and self._sensor.startswith(FAMILY):
            raise ThermometerError(f"{file}: it was reset, and has not measured")
        if not RANGE_C[0] <= millis / 1_000 <= RANGE_C[1]:
            raise ThermometerError(f"{file}: {text}")
        return millis / 1_000

    def _file(self) -> Path:
        if self._sensor.startswith("/"):
            return Path(self._sensor)
        if self._sensor.startswith(FAMILY):
            return self._w1 / self._sensor / "temperature"
        for device in sorted(self._hwmon.glob("*")):
            with suppress(OSError, UnicodeDecodeError):
                if (device / "name").read_text().strip() == self._sensor:
                    return device / "temp1_input"
        raise ThermometerError(f"{self._hwmon}: no {self._sensor}")
