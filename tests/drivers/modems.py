"""A mobile modem at the other end of a real serial line (a pty), with its moods."""

from __future__ import annotations

import os
import select
import termios
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


@dataclass
class Mobile:
    """A modem as a station has it: SIM, network, a port that vanishes while it starts anew and comes back as another
    device under the same name, and a way to hang.

    ``needs`` is what cures a hang: ``reconnect`` (it answers, and nothing goes through), ``restart`` (the same, and
    leaving the network does not help), ``power`` (it does not answer at all). ``boots_s`` is how long a start takes.
    ``has_power`` is asked all the time. ``says`` are answers in place of its own; ``unasked`` comes before each answer,
    ``noise`` within the wire; it comes in pieces of ``piece`` bytes.
    """

    name: Path
    has_power: Callable[[], bool] = lambda: True
    boots_s: float = 0.3
    echo: bool = True
    piece: int = 64
    unasked: bytes = b""
    noise: bytes = b""
    says: dict[str, bytes] = field(default_factory=dict)
    needs: str = ""
    radio_on: bool = True
    heard: list[str] = field(default_factory=list)
    starts: int = 0

    def __post_init__(self) -> None:
        self._end = -1
        self._boots_until_s = 0.0
        self._powered = True
        self._over = threading.Event()
        self._boot(0.0)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def is_on_line(self) -> bool:
        """Tell whether anything goes through it."""
        return not self.needs and self.radio_on and self._end >= 0

    def close(self) -> None:
        """It is thrown away."""
        self._over.set()
        self._thread.join()
        self._vanish()

    def _boot(self, lasts_s: float) -> None:
        self._vanish()
        self._boots_until_s = time.monotonic() + lasts_s
        self.radio_on = True
        self.starts += 1

    def _vanish(self) -> None:
        if self._end >= 0:
            self.name.unlink(missing_ok=True)
            os.close(self._end)
            os.close(self._station)
            self._end = -1

    def _appear(self) -> None:
        self._end, self._station = os.openpty()
        tty.setraw(self._station)
        self.name.symlink_to(os.ttyname(self._station))

    def _run(self) -> None:
        line = b""
        while not self._over.is_set():
            if self._powered and not self.has_power():
                self._powered, line = False, b""
                self._vanish()
            elif not self._powered and self.has_power():
                self._powered, self.needs = True, ""
                self._boot(self.boots_s)
            if self._end < 0:
                if self._powered and time.monotonic() >= self._boots_until_s:
                    self._appear()
                self._over.wait(0.01)
            elif select.select([self._end], [], [], 0.01)[0]:
                line = self._take(line, os.read(self._end, 1))

    def _take(self, line: bytes, letter: bytes) -> bytes:
        if self.needs == "power":
            return b""
        if self.echo:
            os.write(self._end, letter)
        if letter != b"\r":
            return line + letter
        command = line.decode("latin-1").strip()
        self.heard.append(command)
        self._say(self.unasked + self.noise + self.says.get(command, self._answer(command)))
        if command in ("AT+CFUN=1,1", "AT+CRESET") and command not in self.says:
            self.needs = "" if self.needs in ("", "reconnect", "restart") else self.needs
            self._boot(self.boots_s)
        return b""

    def _say(self, words: bytes) -> None:
        for begin in range(0, len(words), self.piece):
            os.write(self._end, words[begin : begin + self.piece])
            if self.piece < 16:
                time.sleep(0.001)

    def _answer(self, command: str) -> bytes:
        answers = {
            "AT+CPIN?": b"+CPIN: READY",
            "AT+CSQ": b"+CSQ: 21,99",
            "AT+CEREG?": b"+CEREG: 0,1" if self.radio_on else b"+CEREG: 0,0",
            "AT+CGREG?": b"+CGREG: 0,0",
            "AT+CREG?": b"+CREG: 0,0",
            "AT+COPS?": b'+COPS: 0,0,"Viettel",7',
            "AT+CCLK?": clock_line(NOON).strip().partition(b"\r")[0],
        }
        if command.startswith("AT+CFUN="):
            self.radio_on = command == "AT+CFUN=1"
            self.needs = "" if self.needs == "reconnect" and self.radio_on else self.needs
        told = answers.get(command, b"")
        return b"\r\n" + told + b"\r\n\r\nOK\r\n" if told else b"\r\nOK\r\n"


class WiredMobile(Mobile):
    """One at the pins of a serial port: while it starts anew the port stays, and nobody answers there."""

    def __post_init__(self) -> None:
        self._wire, self._other_end = os.openpty()
        tty.setraw(self._other_end)
        self.name.symlink_to(os.ttyname(self._other_end))
        super().__post_init__()

    def close(self) -> None:
        """It is thrown away, and the line with it."""
        super().close()
        self.name.unlink()
        os.close(self._wire)
        os.close(self._other_end)

    def _vanish(self) -> None:
        self._end = -1

    def _appear(self) -> None:
        termios.tcflush(self._wire, termios.TCIFLUSH)  # what was said to nobody
        self._end = self._wire
