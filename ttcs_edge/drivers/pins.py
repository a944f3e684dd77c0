"""GPIO lines for a machine that has none, on gpiozero's own mock factory, with the physics of real lines.

A line keeps its level when the process that drove it dies, as Raspberry Pi OS keeps its outputs: each lives in a file
``gpioN`` of one folder. A line has one owner at a time, as the kernel has it: the file is locked, and a second process
is refused. A hand on the wire of an input writes its level into the file. Every change goes into ``lines.jsonl`` with
the monotonic clock, so that a test can see what a pole did.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from gpiozero.pins.mock import MockFactory, MockPin

LOG_NAME = "lines.jsonl"
FEEL_S = 0.01
"""How soon an input feels what a hand did to it."""


class LineTakenError(OSError):
    """Another process drives this line (EBUSY)."""


class KeptPin(MockPin):  # type: ignore[misc]  # gpiozero carries no types
    """A mock pin whose level outlives its process."""

    def __init__(self, factory: KeptFactory, info: Any) -> None:
        path = factory.folder / info.name.lower()
        path.touch()
        self._file = path.open("r+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise LineTakenError(f"{info.name} is driven by another process") from error
        self._path = path
        self._log = factory.log
        self._kept: str | None = None
        super().__init__(factory, info)

    def output_with_state(self, state: Any) -> None:
        """Become an output at a level at once, without a blip of the other one."""
        self._state = bool(state)
        self._set_function("output")

    def _change_state(self, value: Any) -> bool:
        changed = bool(super()._change_state(value))
        if self._function == "output":
            self._keep(int(bool(self._state)))
        return changed

    def _set_function(self, value: str) -> None:
        super()._set_function(value)
        if value == "output":
            self._kept = None  # a hand may have been on it
            self._keep(int(bool(self._state)))

    def _keep(self, level: int) -> None:
        before, self._kept = self._path.read_text() if self._kept is None else self._kept, str(level)
        if before == self._kept:
            return
        os.pwrite(self._file.fileno(), self._kept.encode(), 0)
        change = {"mono_ns": time.monotonic_ns(), "line": self._path.name, "level": level, "pid": os.getpid()}
        self._log.write(json.dumps(change) + "\n")

    def _enable_event_detect(self) -> None:
        threading.Thread(target=self._feel, name=f"{self._path.name}-hand", daemon=True).start()

    def _feel(self) -> None:
        with self._path.open() as wire:
            while not self._file.closed:
                wire.seek(0)
                touched = wire.read()
                if touched and self._function == "input":
                    self.drive_high() if touched == "1" else self.drive_low()
                time.sleep(FEEL_S)  # nobody tells of a file that was written: it is looked at again

    def close(self) -> None:
        """Let the line go; its level stays."""
        self._file.close()


class KeptFactory(MockFactory):  # type: ignore[misc]
    """Makes lines whose levels live in ``folder``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.log = (folder / LOG_NAME).open("a", buffering=1)
        super().__init__(revision="c03115", pin_class=KeptPin)

    def close(self) -> None:
        """Let all lines go."""
        super().close()
        self.log.close()


def touch(folder: Path, pin: int, level: int) -> None:
    """Put a hand on the wire of an input."""
    (folder / f"gpio{pin}").write_text(str(level))


def level(folder: Path, pin: int) -> int:
    """The level of a line, as a hand on the wire would feel it; 0 for one that nobody ever drove."""
    path = folder / f"gpio{pin}"
    return int(path.read_text() or 0) if path.exists() else 0
