"""The battery clock of the box (a DS3231 or PCF85063, or the Raspberry Pi 5's own), read only.

The kernel shows its time in sysfs, which everybody may read. Its driver may also know that the battery failed
(``RTC_VL_READ``, linux/rtc.h); asking needs the right to open the device, and where that is lacking only the time
itself is judged: by the floor, and by whether it moves.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
from pathlib import Path

from ttcs_edge.core.timekeeping import TimeSource
from ttcs_edge.drivers.clock import Told

RTC_VL_READ = 0x80047013
"""_IOR('p', 0x13, unsigned int) of linux/rtc.h."""
_NO_TIME = 0x1 | 0x4
"""RTC_VL_DATA_INVALID, RTC_VL_BACKUP_EMPTY: the time was lost, or will be with the next power cut."""
SYSFS = Path("/sys/class/rtc")
TICK_S = 1.25
"""A clock that runs has moved by one second or two after this."""
AGAIN_S = 60.0


class BatteryClock:
    """One ``/dev/rtcN``. Each answer takes a little more than a second: it is seen to run before it is believed."""

    source = TimeSource.RTC

    def __init__(self, device: Path, sysfs: Path = SYSFS) -> None:
        self._device = device
        self._file = sysfs / device.resolve().name / "since_epoch"

    def ask(self) -> Told | str:
        """The time, or ``unreadable``, ``battery-low`` or ``stopped``."""
        if battery_failed(self._device):
            return "battery-low"
        first, began_ms = self._seconds(), _mono_ms()
        time.sleep(TICK_S)
        second, mono_ms = self._seconds(), _mono_ms()
        if first is None or second is None:
            return "unreadable"
        passed_s = (mono_ms - began_ms) / 1_000
        if not passed_s - 1 <= second - first <= passed_s + 1:
            return "stopped"
        return Told(second * 1_000 + 500, mono_ms)

    def rest_s(self, told: bool) -> float:
        """A minute: reading costs next to nothing."""
        return AGAIN_S

    def _seconds(self) -> int | None:
        try:
            return int(self._file.read_text("ascii"))
        except (OSError, ValueError):  # no such clock, its bus failed, or its registers make no date
            return None


def battery_failed(device: Path) -> bool:
    """Tell whether the clock's driver knows that its battery failed; False where it cannot be asked."""
    try:
        descriptor = os.open(device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        (flags,) = struct.unpack("I", fcntl.ioctl(descriptor, RTC_VL_READ, bytes(4)))
        return bool(flags & _NO_TIME)
    except OSError:  # this clock's driver does not watch its battery
        return False
    finally:
        os.close(descriptor)


def _mono_ms() -> int:
    return time.monotonic_ns() // 1_000_000
