"""Questions to a modem and its answers, as AT commands (ITU-T V.250; 3GPP TS 27.007) over a serial port.

A modem repeats what it is sent while echo is on, and says things unasked (RING, +CREG, ^RSSI) between a question and
its answer, but never within a line. What is heard counts by its whole lines:

    command <CR>                    the echo, or not
    <CR><LF> +CSQ: 21,99 <CR><LF>   the answer, by its own name
    <CR><LF> OK <CR><LF>            the end; or ERROR, +CME ERROR: 10, +CME ERROR: SIM not inserted

An OK without the answer before it is the late end of an earlier question, and passed over. The port is opened for some
questions and closed again, so that others may use it in between; it is locked meanwhile, against other programs and, by
``TURNS``, within this one. It is found by its name each time: a modem that was pulled out and comes back has another
device behind the same link in ``/dev/serial/by-id``.
"""

from __future__ import annotations

import errno
import re
import termios
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from msgspec import Struct

ANSWER_S = 5.0
"""How long a modem may take. TS 27.007 names no time; common modules say 0.3 s."""
WRITE_S = 2.0
READ_S = 0.2
ANSWER_BYTES = 4_096
"""More than this is no answer."""
TURN_S = 120.0
"""How long one who asks waits for another one: as long as a step of a cure takes."""
ERROR_BYTES = 40
"""How much of what was heard in place of an answer is shown."""
TURNS = threading.Lock()
"""A station has one modem, which answers one question at a time."""

_LOST = (OSError, ValueError, TypeError, termios.error)
"""What a port that cannot be had, or vanishes, raises by way of pyserial."""
_END = re.compile(rb"^(?:(OK)|ERROR|\+CM[ES] ERROR: *([^\n]{0,64}?)) *$")


class AtError(Exception):
    """A question that was not answered: the code of a fault (``modem-gone``, ``modem-taken``, ``modem-silent``), and
    what happened, for a technician.
    """

    def __init__(self, code: str, error: str) -> None:
        super().__init__(error)
        self.code = code


class Answer(Struct, frozen=True):
    """What a modem said: the line that was asked for, without what stands before its colon, empty when the command asks
    for none; or why it refuses, empty when it does not say.
    """

    done: bool
    text: str = ""
    error: str = ""


def read_answer(heard: bytes, name: str, like: re.Pattern[str] | None = None) -> Answer | None:
    """Read what came so far behind a question whose answer is called ``name`` (``+CSQ``; empty: only its end counts).
    Where the modem says something of the same name unasked, the answer is ``like`` this.

    Gives None while it is not over. Total: bytes of any kind are an answer, or none yet.

    >>> read_answer(b'AT+CSQ\\r\\r\\nRING\\r\\n\\r\\n+CSQ: 21,99\\r\\n\\r\\nOK\\r\\n', '+CSQ')
    Answer(done=True, text='21,99', error='')
    """
    text: str | None = None
    begins = name.encode() + b":"
    *lines, _ = heard.replace(b"\r", b"\n").split(b"\n")  # the last is not whole yet
    for line in lines:
        if name and text is None and line.startswith(begins):
            found = line[len(begins) :].decode("utf-8", "replace").strip()
            text = found if like is None or like.match(found) else None
        elif (end := _END.match(line)) is not None:
            if end[1] is None:
                return Answer(False, error=(end[2] or b"").decode("utf-8", "replace").strip())
            if not name or text is not None:
                return Answer(True, text or "")
    return None


class AtPort:
    """A port that is open while the block runs. Raises AtError when it cannot be had, or is lost on the way."""

    def __init__(self, port: Path, baud: int, answer_s: float = ANSWER_S) -> None:
        self._port = port
        self._baud = baud
        self._answer_s = answer_s
        self._line: Any = None

    def __enter__(self) -> AtPort:
        import serial  # only where a modem is configured: it costs the daemon's start 15 ms

        if not TURNS.acquire(timeout=TURN_S):
            raise AtError("modem-taken", "in use")
        try:
            self._line = serial.Serial(
                str(self._port), self._baud, timeout=READ_S, write_timeout=WRITE_S, exclusive=True
            )
        except BaseException as error:  # whatever it was, the turn is over
            TURNS.release()
            if isinstance(error, _LOST):
                raise AtError(_why_not(error), str(error)) from error
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            with suppress(*_LOST):  # it was pulled out
                self._line.close()
        finally:
            TURNS.release()

    def ask(
        self,
        command: str,
        name: str = "",
        answer_s: float | None = None,
        tries: int = 1,
        like: re.Pattern[str] | None = None,
    ) -> Answer:
        """Put a question; what came of it. Raises AtError when nothing did, however often it was put."""
        heard = b""
        for _ in range(tries):
            heard = self.hear(command, lambda told: read_answer(told, name, like) is not None, answer_s)
            if (answer := read_answer(heard, name, like)) is not None:
                return answer
        raise AtError("modem-silent", f"{command}: {heard[-ERROR_BYTES:]!r}")

    def hear(self, command: str, is_over: Callable[[bytes], bool], answer_s: float | None = None) -> bytes:
        """Say something, and give what comes back until it is over, or took too long, or is too much.

        Raises AtError when the port is lost.
        """
        heard = b""
        try:
            self._line.reset_input_buffer()
            self._line.write(command.encode() + b"\r")
            deadline_s = time.monotonic() + (self._answer_s if answer_s is None else answer_s)
            while time.monotonic() < deadline_s and len(heard) < ANSWER_BYTES:
                heard += bytes(self._line.read(max(1, min(self._line.in_waiting, ANSWER_BYTES))))
                if is_over(heard):
                    break
        except _LOST as error:
            raise AtError(_why_not(error), f"{command}: {error}") from error
        return heard


def _why_not(error: BaseException) -> str:
    """What a technician is to look at: who else has it, whether it listens, whether it is plugged in."""
    if getattr(error, "errno", None) in (errno.EBUSY, errno.EAGAIN):
        return "modem-taken"
    return "modem-silent" if "timeout" in str(error).lower() else "modem-gone"
