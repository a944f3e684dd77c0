"""The time that a mobile network told the modem, asked with AT+CCLK? (3GPP TS 27.007, 8.15).

The modem shares its line with what it says unasked (RING, +CREG, ^RSSI), repeats what it is sent when echo is on, and
tells a date of its maker's choice until the network told it another. The answer is

    +CCLK: "yy/MM/dd,hh:mm:ss±zz"

in local time, with the zone in quarters of an hour. An answer without its zone is not used: seven hours are too much to
guess. The port is opened for each question and closed again, so that others may use it in between, and it is locked
meanwhile.
"""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from ttcs_edge.core.timekeeping import FLOOR_MS, TimeSource
from ttcs_edge.drivers.clock import Told

ANSWER_S = 5.0
"""How long a modem may take. TS 27.007 names no time; common modules say 0.3 s."""
WRITE_S = 2.0
READ_S = 0.2
ANSWER_BYTES = 4_096
"""More than this is no answer."""
FAILED_AGAIN_S = 15.0
"""When to ask again after no answer: at most, for a modem may be asked more often."""
_CLOCK = re.compile(rb'^\+CCLK: *"(\d\d)/(\d\d)/(\d\d),(\d\d):(\d\d):(\d\d)([+-]\d\d)?"\s*$', re.MULTILINE)
_REFUSED = re.compile(rb"^(ERROR|\+CME ERROR:.*)\s*$", re.MULTILINE)
_DONE = re.compile(rb"^OK\s*$", re.MULTILINE)


class ModemClock:
    """One serial port with a modem behind it."""

    source = TimeSource.MODEM

    def __init__(self, port: Path, baud: int, every_s: float, answer_s: float = ANSWER_S) -> None:
        self._port = port
        self._baud = baud
        self._every_s = every_s
        self._answer_s = answer_s

    def ask(self) -> Told | str:
        """The time, or ``unreadable`` (no such port, or it is taken), ``silent``, ``refused``, or what ``read`` says.

        AT+CTZU=1 has the network's time set the modem's clock from now on; what the modem says to that is its own.
        """
        import serial  # only where a modem is configured: it costs the daemon's start 15 ms

        try:
            with serial.Serial(
                str(self._port), self._baud, timeout=READ_S, write_timeout=WRITE_S, exclusive=True
            ) as line:
                self._talk(line, b"AT+CTZU=1\r", _DONE)
                answer = self._talk(line, b"AT+CCLK?\r", _CLOCK)  # a late OK to the first is not taken for the answer
                return read(answer, time.monotonic_ns() // 1_000_000)
        except (OSError, ValueError):  # serial.SerialException is an OSError; a port that vanishes raises either
            return "unreadable"

    def rest_s(self, told: bool) -> float:
        """Sooner after no answer: the network may be there by then."""
        return self._every_s if told else min(self._every_s, FAILED_AGAIN_S)

    def _talk(self, line: Any, command: bytes, enough: re.Pattern[bytes]) -> bytes:
        """Say something, and give what comes back until it is enough or refused, or until it took too long."""
        line.reset_input_buffer()
        line.write(command)
        deadline_s = time.monotonic() + self._answer_s
        heard = b""
        while time.monotonic() < deadline_s and len(heard) < ANSWER_BYTES:
            heard += bytes(line.read(max(1, line.in_waiting)))
            text = heard.replace(b"\r", b"\n")
            if enough.search(text) or _REFUSED.search(text):
                return text
        return heard.replace(b"\r", b"\n")


def read(answer: bytes, mono_ms: int) -> Told | str:
    """What an answer to AT+CCLK? says: a time, or a code of why it says none.

    ``silent``: nothing came but an echo; ``refused``: the modem said ERROR; ``garbled``: no date is in it; ``no-zone``:
    local time of nobody knows where; ``factory-date``: the network did not set it yet (80/01/06, 70/01/01 and so on).

    >>> read(b'+CCLK: "26/11/25,08:40:12+28"\\n\\nOK\\n', 0)
    Told(wall_ms=1795570812500, mono_ms=0)
    """
    match = _CLOCK.search(answer)
    if match is None:
        if _REFUSED.search(answer):
            return "refused"
        return "garbled" if answer.replace(b"AT+CCLK?", b"").strip() else "silent"
    *numbers, zone = match.groups()
    year, month, day, hour, minute, second = (int(number) for number in numbers)
    quarters = int(zone) if zone is not None else 0
    try:
        century = 1900 if year >= 70 else 2000
        local = datetime(century + year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return "garbled"
    wall_ms = round((local - timedelta(minutes=15 * quarters)).timestamp() * 1_000) + 500
    if wall_ms < FLOOR_MS:
        return "factory-date"
    return "no-zone" if zone is None else Told(wall_ms, mono_ms)
