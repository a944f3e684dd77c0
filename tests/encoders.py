"""An RDS encoder on a serial port, and receivers that listen to it, as physics has them at 1,187.5 bit/s."""

from __future__ import annotations

import os
import random
import re
import select
import threading
import time
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

GROUP_S = 104 / 1_187.5
"""How long a group takes on the air (IEC 62106-2): 11.4 of them a second."""
BUFFER_BYTES = 48
"""How much of a command fits in while the one before is worked on (RDS-C manual, 10.4.2)."""
COMMAND = re.compile(rb"G=([0-9A-F]{12})")

Habit = Callable[["Encoder", bytes], bytes]
"""What comes down the line in place of an answer."""


def whole(encoder: Encoder, answer: bytes) -> bytes:
    """The answer, as encoders give it."""
    return answer + b"\r\n\r\n"


class Encoder:
    """An encoder at ``port``. ``aired`` are the groups that went out, each with when its last bit did (monotonic
    nanoseconds); ``habit`` is its way to answer, ``takes_s`` how long it works on a command before it waits for a slot.
    """

    def __init__(self, folder: Path) -> None:
        self.port = folder / "rds"
        self.aired: list[tuple[str, int]] = []
        self.heard: list[bytes] = []
        self.habit: Habit = whole
        self.takes_s = 0.0
        self._begun_s = time.monotonic()
        self._master = -1
        self.plug_in()

    def plug_in(self) -> None:
        """An adapter is there, under the name that it always has."""
        self._master, end = os.openpty()
        tty.setraw(end)
        name = os.ttyname(end)
        os.close(end)
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(name)
        self._thread = threading.Thread(target=self._serve, args=(self._master,), daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """It is pulled out."""
        self.port.unlink()
        master, self._master = self._master, -1
        self._thread.join()
        os.close(master)

    def say(self, words: bytes) -> None:
        """Bytes come down the line by themselves."""
        os.write(self._master, words)

    def groups(self) -> list[str]:
        """What went out, in order."""
        return [group for group, _ in self.aired]

    def _serve(self, master: int) -> None:
        line = b""
        with suppress(OSError):
            while self._master == master:
                if not select.select([master], [], [], 0.02)[0]:
                    continue
                try:
                    line += os.read(master, 256)
                except OSError:  # nobody has it open
                    time.sleep(0.01)
                    continue
                line = line[:BUFFER_BYTES] if b"\r" not in line[:BUFFER_BYTES] else line
                while b"\r" in line:
                    command, _, line = line.partition(b"\r")
                    answer = self._take(command)
                    with suppress(OSError):
                        os.write(master, self.habit(self, answer))

    def _take(self, command: bytes) -> bytes:
        self.heard.append(command)
        time.sleep(self.takes_s)
        if not command.startswith(b"G="):
            return b"!"
        if COMMAND.fullmatch(command) is None:
            return b"-"
        slots = int((time.monotonic() - self._begun_s) / GROUP_S) + 1  # it replaces the next group of the row
        time.sleep(max(0.0, self._begun_s + slots * GROUP_S - time.monotonic()))
        over_ns = time.monotonic_ns() + round(GROUP_S * 1e9)
        self.aired.append((command[2:].decode(), over_ns))
        return b"+"


def opened(
    aired: list[tuple[str, int]],
    key: list[tuple[int, int]],
    open_group: str,
    close_group: str,
    lost: float = 0.0,
) -> list[tuple[bool, int]]:
    """What a receiver does: it opens and closes by the groups that it hears while there is a carrier, of which such a
    share is ``lost``; without a carrier it is silent. ``key`` are the levels of the key, and when it took them.
    """
    dice = random.Random(7)
    found, is_open = [], False
    moves = [(at_ns, "key", str(level)) for level, at_ns in key] + [(at_ns, "group", group) for group, at_ns in aired]
    carrier = False
    for at_ns, kind, what in sorted(moves):
        if kind == "key":
            carrier = what == "1"
        before = is_open
        if kind == "group" and carrier and dice.random() >= lost:
            is_open = what == open_group or (is_open and what != close_group)
        if is_open != before:
            found.append((is_open, at_ns))
    return found
