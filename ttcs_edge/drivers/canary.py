"""Write-read-back on the card: a worn card has been seen to take every write, answer that all is well, and keep none.

Twice a day one block is read past the page cache: what was written half a day before must still be there. Then a new
one is written, synced and read back. In place, in a file of one block: it costs the card some twenty kilobytes.
"""

from __future__ import annotations

import mmap
import os
import threading
import time
from contextlib import suppress
from pathlib import Path

EVERY_S = 43_200.0
FIRST_S = 3_600.0
"""A station that just started has more urgent things to ask of its card."""
STUCK_S = 120.0
"""A card that answers nothing for so long does not work, whatever it answers then."""
BLOCK_BYTES = 4_096


class Canary:
    """Tries the card that a folder is on, on a thread of its own: a dying card can hold a caller for minutes."""

    def __init__(self, folder: Path, first_s: float = FIRST_S, every_s: float = EVERY_S) -> None:
        self._path = folder / "canary"
        self._first_s = first_s
        self._every_s = every_s
        self._closing = threading.Event()
        self._last: bytes | None = None
        self._round = 0
        self._since_mono_s: float | None = None
        self._error = ""
        self._thread = threading.Thread(target=self._run, name="canary", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End; a card that hangs is not waited for."""
        self._closing.set()

    @property
    def trouble(self) -> str:
        """What is wrong with the card; empty as long as nothing is known to be."""
        since_s = self._since_mono_s
        if since_s is not None and time.monotonic() - since_s > STUCK_S:
            return f"no answer for {STUCK_S:.0f} s"
        return self._error

    def _run(self) -> None:
        wait_s = self._first_s
        while not self._closing.wait(wait_s):
            self._since_mono_s = time.monotonic()
            self.sing()
            self._since_mono_s = None
            wait_s = self._every_s

    def sing(self) -> None:
        """Try the card once."""
        try:
            self._error = self._kept() or self._wrote()
        except OSError as error:
            self._error = str(error)

    def _kept(self) -> str:
        """What was written the last time is still there, unless there was no last time."""
        return "" if self._last is None or self._read() == self._last else "what was written before is gone"

    def _wrote(self) -> str:
        self._round += 1
        block = f"{os.getpid()}-{time.monotonic_ns()}-{self._round};".encode()
        block = (block * (BLOCK_BYTES // len(block) + 1))[:BLOCK_BYTES]
        self._last = None
        fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            os.pwrite(fd, block, 0)
            os.fdatasync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(fd)
        if self._read() != block:
            return "what was just written is not there"
        self._last = block
        return ""

    def _read(self) -> bytes:
        """Read the block from the card itself; a file system without O_DIRECT has its page dropped instead."""
        with mmap.mmap(-1, BLOCK_BYTES) as page:  # O_DIRECT wants memory on the boundary of a page
            fd = self._open()
            try:
                with suppress(OSError):
                    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                return bytes(page[: os.preadv(fd, [page], 0)])
            finally:
                os.close(fd)

    def _open(self) -> int:
        try:
            return os.open(self._path, os.O_RDONLY | os.O_DIRECT | os.O_CLOEXEC)
        except OSError:
            return os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
