"""A mobile modem at the other end of a real serial line (a pty), with its moods."""

from __future__ import annotations

import os
import select
import threading
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

HANOI = timezone(timedelta(hours=7))
NOON = datetime(2026, 11, 25, 12, 0, 0, tzinfo=HANOI)
NOON_MS = round(NOON.timestamp() * 1_000)


def clock_line(local: datetime, zone: str = "+28") -> bytes:
    """A modem's answer to AT+CCLK?, as TS 27.007 writes it."""
    return f'\r\n+CCLK: "{local:%y/%m/%d,%H:%M:%S}{zone}"\r\n\r\nOK\r\n'.encode()


@dataclass
class Modem:
    """The other end of a serial line: slow, chatty, with echo on. ``answer`` makes what it says to AT+CCLK?."""

    answer: Callable[[], bytes] = lambda: clock_line(NOON)
    echo: bool = True
    to_others: bytes = b"\r\nOK\r\n"
    unasked: bytes = b""
    byte_s: float = 0.0
    deaf: bool = False
    heard: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.end, station = os.openpty()
        tty.setraw(station)
        self.port = Path(os.ttyname(station))
        self._station = station
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        line = b""
        while not self._over.is_set():
            if not select.select([self.end], [], [], 0.02)[0]:
                continue
            letter = os.read(self.end, 1)
            if self.echo and not self.deaf:
                os.write(self.end, letter)
            line += letter
            if letter == b"\r":
                self.heard.append(line.strip())
                line = b""
                if not self.deaf:
                    self._say(self.unasked + (self.answer() if b"CCLK" in self.heard[-1] else self.to_others))

    def _say(self, words: bytes) -> None:
        for letter in words:
            os.write(self.end, bytes([letter]))
            if self.byte_s:
                time.sleep(self.byte_s)

    def close(self) -> None:
        """Hang up."""
        self._over.set()
        self._thread.join()
        os.close(self.end)
        os.close(self._station)
