"""What was written to the sound device in the last twelve seconds, for the off-air monitor to look at.

A memory file that the daemon makes and hands to both: players write into it, one after the other, and the monitor maps
it to be read alone. A period costs its writer one copy and no call into the kernel. It can neither grow nor shrink
(file seals), so that no player, whoever has taken it over, can pull it away from under the monitor.

A row holds its number, the monotonic time at which the device took the period, and the samples. The number is written
last, and again looked at when the row was read: a row that was written anew meanwhile is left out.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import time
from collections.abc import Iterator

from ttcs_edge.drivers.sound import PERIOD_BYTES, PERIOD_NS

ROWS = 1_200
_HEAD = struct.Struct("<Q")
_ROW = struct.Struct("<QQ")
_HEAD_BYTES = 64
_ROW_BYTES = _ROW.size + PERIOD_BYTES
SIZE_BYTES = _HEAD_BYTES + ROWS * _ROW_BYTES
NUMBER_MOST = 2**63
SETTLED_ROWS = 1
"""The newest row is left for the next look: another processor may see its number before its samples."""


def make_sent() -> int:
    """A memory file of that size, empty and sealed; gives its descriptor. Raises OSError: there is no room."""
    fd = os.memfd_create("sent", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, SIZE_BYTES)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return fd


def to_be_read(fd: int) -> int:
    """Another descriptor of it, by which it cannot be written. Raises OSError."""
    return os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)


class Sent:
    """The player's end. One thread writes."""

    def __init__(self, fd: int) -> None:
        """Go on behind what an earlier player wrote; the descriptor may be closed."""
        self._map = mmap.mmap(fd, SIZE_BYTES)
        self._number = _HEAD.unpack_from(self._map, 0)[0] % NUMBER_MOST

    def put(self, period: bytes) -> None:
        """The device took a period, just now."""
        number, at = self._number + 1, _HEAD_BYTES + self._number % ROWS * _ROW_BYTES
        _ROW.pack_into(self._map, at, 0, time.monotonic_ns())
        self._map[at + _ROW.size : at + _ROW_BYTES] = period
        _HEAD.pack_into(self._map, at, number)
        _HEAD.pack_into(self._map, 0, number)
        self._number = number


class SentReader:
    """The monitor's end. It believes nothing that it reads: whoever took a player over writes there what he likes."""

    def __init__(self, fd: int) -> None:
        """Begin with what is written from now on."""
        self._map = mmap.mmap(fd, SIZE_BYTES, prot=mmap.PROT_READ)
        self._number = self._newest()

    def _newest(self) -> int:
        number: int = _HEAD.unpack_from(self._map, 0)[0]
        return number % NUMBER_MOST

    def new(self) -> Iterator[tuple[int, bytes]]:
        """The periods since the last look, at most twelve seconds of them: when each was written, its samples."""
        newest = self._newest()
        if newest < self._number:
            self._number = newest  # no player of ours counts back
        until = newest - SETTLED_ROWS
        for number in range(max(self._number, newest - ROWS), until):
            at = _HEAD_BYTES + number % ROWS * _ROW_BYTES
            found, mono_ns = _ROW.unpack_from(self._map, at)
            period = self._map[at + _ROW.size : at + _ROW_BYTES]
            if found == number + 1 == _HEAD.unpack_from(self._map, at)[0]:
                yield mono_ns, period
        self._number = max(self._number, until)


def is_near(mono_ns: int, now_ns: int) -> bool:
    """Tell whether a time that was read can be one of the last twelve seconds."""
    return now_ns - ROWS * PERIOD_NS <= mono_ns <= now_ns + PERIOD_NS
