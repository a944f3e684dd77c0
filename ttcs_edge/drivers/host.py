"""The box itself: supply, temperature, memory, and the card that its state is on, as the kernel tells of them.

A probe is a name in a table and a few lines. One whose files this machine does not have says nothing: a Pi has
``rpi_volt`` and no wear of its SD card, a PC the other way round. Every reading grows with the trouble, so that one
table of bounds serves all: it is a fault from ``raised_at`` on, and until it is down to ``cleared_at`` again.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from msgspec import Struct

Detail = tuple[tuple[str, str], ...]


class Reading(Struct, frozen=True):
    """What one probe saw. ``code`` is the fault that it may be; ``value`` grows with the trouble."""

    code: str
    subject: str
    value: float
    detail: Detail = ()


class Bounds(Struct, frozen=True):
    """From where on a reading is a fault, to where it must fall to be none, and for how long it must stay there."""

    raised_at: float
    cleared_at: float
    hold_s: float = 0.0


BOUNDS = {
    "under-voltage": Bounds(1, 0, hold_s=60.0),  # it dips for moments, each time that the amplifier draws
    "too-hot": Bounds(80, 75),  # degrees Celsius: from 80 on a Pi slows itself down
    "memory-low": Bounds(92, 85),  # percent in use
    "disk-low": Bounds(50, 25),  # percent gone of what the fetcher leaves free
    "card-errors": Bounds(1, 0),  # errors that the file system has counted since it was last repaired
    "card-worn": Bounds(80, 79),  # percent of its life, or of its spare blocks
    "card-read-only": Bounds(1, 0),
    "card-lies": Bounds(1, 0),
    "restarting": Bounds(5, 0),  # starts in a row of which none lasted
}

_PRE_END_OF_LIFE = {1: 0, 2: 80, 3: 90}
"""Percent of an eMMC's spare blocks that are used up (JEDEC 84-B51, EXT_CSD 267: normal, warning, urgent)."""


class Host(Protocol):
    """What tells of the box. Must: answer in milliseconds, and leave out what this machine does not know.

    Never: raise. One thread calls.
    """

    def readings(self) -> list[Reading]:
        """What every probe of this machine sees now."""

    def dips(self) -> Path | None:
        """A file of sysfs that has POLLPRI when the supply dips: a dip is over before anybody looks (poll(2))."""


class SystemHost:
    """The machine that this runs on. ``root`` stands for ``/``; ``free_bytes`` is what the fetcher leaves free."""

    def __init__(self, state_folder: Path, free_bytes: int, root: Path = Path("/")) -> None:
        self._state_folder = state_folder
        self._free_bytes = free_bytes
        self._memory = root / "proc/meminfo"
        self._volt = _named(root, "sys/class/hwmon", "name", "rpi_volt", "in0_lcrit_alarm")
        self._heat = _named(root, "sys/class/thermal", "type", "cpu-thermal", "temp")
        block = _block(root, state_folder)
        self._device = block.name if block else ""
        self._errors = root / "sys/fs/ext4" / self._device / "errors_count"
        # A partition's own folder has no device: that of the whole card, above it, has.
        above = (block / "device", block.parent / "device") if block else ()
        wears = [folder for folder in above if (folder / "life_time").exists()]
        self._wear = wears[0] if wears else None
        self._probes: tuple[Callable[[], Reading | None], ...] = (
            self._voltage, self._temperature, self._memory_used, self._disk, self._card_errors, self._card_wear,
            self._read_only,
        )  # fmt: skip

    def readings(self) -> list[Reading]:
        """What every probe of this machine sees now."""
        seen = []
        for probe in self._probes:
            with suppress(OSError, ValueError, LookupError):  # it does not exist here, or not at this moment
                seen.append(probe())
        return [reading for reading in seen if reading is not None]

    def dips(self) -> Path | None:
        """The alarm of the supply, where there is one."""
        return self._volt

    def _voltage(self) -> Reading | None:
        return Reading("under-voltage", "power", int(self._volt.read_text())) if self._volt else None

    def _temperature(self) -> Reading | None:
        if self._heat is None:
            return None
        celsius = int(self._heat.read_text()) / 1_000
        return Reading("too-hot", "cpu", celsius, (("celsius", f"{celsius:.0f}"),))

    def _memory_used(self) -> Reading:
        lines = (line.split() for line in self._memory.read_text().splitlines())
        kbytes = {line[0]: int(line[1]) for line in lines if line[0] in ("MemTotal:", "MemAvailable:")}
        available = kbytes["MemAvailable:"]
        used_percent = 100 * (1 - available / kbytes["MemTotal:"])
        return Reading("memory-low", "memory", used_percent, (("free_mb", str(available // 1_024)),))

    def _disk(self) -> Reading | None:
        disk = os.statvfs(self._state_folder)
        free_bytes = disk.f_bavail * disk.f_frsize
        gone_percent = 100 * (1 - free_bytes / self._free_bytes) if self._free_bytes else 0.0
        return Reading("disk-low", "card", gone_percent, (("free_mb", str(free_bytes // 1024**2)),))

    def _card_errors(self) -> Reading:
        count = int(self._errors.read_text())
        return Reading("card-errors", "card", count, (("count", str(count)), ("device", self._device)))

    def _card_wear(self) -> Reading | None:
        """An eMMC tells its age in steps of ten percent, for two kinds of cells (JEDEC 84-B51, EXT_CSD 268, 269)."""
        if self._wear is None:
            return None
        lives = [10 * int(word, 16) for word in (self._wear / "life_time").read_text().split()]
        spare = _PRE_END_OF_LIFE.get(int((self._wear / "pre_eol_info").read_text(), 16), 0)
        percent = max([*lives, spare])
        return Reading("card-worn", "card", percent, (("percent", str(percent)), ("device", self._device)))

    def _read_only(self) -> Reading:
        return Reading("card-read-only", "card", bool(os.statvfs(self._state_folder).f_flag & os.ST_RDONLY))


def _named(root: Path, folder: str, label: str, name: str, value: str) -> Path | None:
    """The value of a device that sysfs numbers in the order in which it was found: it is known by its name."""
    for device in sorted((root / folder).glob("*")):
        with suppress(OSError):
            if (device / label).read_text().strip() == name:
                return device / value
    return None


def _block(root: Path, folder: Path) -> Path | None:
    """The block device that a folder is on; a file system in memory has none."""
    with suppress(OSError):
        number = os.stat(folder).st_dev
        link = root / f"sys/dev/block/{os.major(number)}:{os.minor(number)}"
        return link.resolve(strict=True)
    return None
