"""An RDS encoder on a serial line, told to send one group: what opens and closes receivers of a kind.

The commands are the ASCII ones that encoders of the common kind understand (Pira P132, P232 and what is built after
them, such as the FMUSER RDS-C: its manual, 10.3, 10.4 and 14.2): ``G=`` and the blocks 2 to 4 in hexadecimal, then CR.
The encoder adds block 1 and the programme's own bits of block 2, sends the group once, in place of the next one in its
row, and answers ``+``: taken; ``!``: no such command; ``-``: no such group; ``/``: taken in part. It takes up to 0.2 s
for that, which is told at once: what comes before an answer is lost behind its 48 bytes. The other protocol of such
encoders, UECP (SPB 490), is never answered by them; so it is not spoken.

A group of 104 bits takes 87.6 ms at 1,187.5 bit/s (IEC 62106-2).
"""

from __future__ import annotations

import re
import termios
import time
from contextlib import suppress
from typing import Any

import serial

from ttcs_edge.settings import RdsSettings

SPARE = 2
"""How often, of all that a group is sent, it may be asked for again: a relay has three seconds beside its own time."""
ANSWER_S = 0.6
"""How long an encoder may take to answer beside the bytes themselves: 0.2 s, and a USB adapter in a hurry."""
WRITE_S = 0.5
READ_S = 0.02
HEARD_BYTES = 256
"""More than this, and no answer in it, is none."""
BYTE_BITS = 10
_PORT_ERRORS = (OSError, ValueError, termios.error)
"""What pyserial raises of a port that vanishes, is taken, or does not know a setting."""
ANSWERS = {b"+": "", b"!": "does not know the command", b"-": "refuses the group", b"/": "takes a part of it"}


class EncoderError(Exception):
    """A group was not taken; its text is for a technician."""


class RdsEncoder:
    """An encoder, for one thread. Its port is opened by the first group, and anew behind each failure."""

    def __init__(self, settings: RdsSettings) -> None:
        self._settings = settings
        self._port: Any = None

    def send(self, group: str) -> None:
        """Have a group sent as often as is set, each taken by the encoder and given its time on the air; blocks until
        the last one is out. Raises EncoderError.
        """
        left, spare = self._settings.times, SPARE
        while left:
            try:
                self._ask(command(group))
                left -= 1
            except EncoderError:
                if not spare:
                    raise
                spare -= 1
                continue
            time.sleep(self._settings.gap_ms / 1_000)

    def close(self) -> None:
        """Close the port; the next group opens it."""
        port, self._port = self._port, None
        if port is not None:
            with suppress(*_PORT_ERRORS):
                port.close()

    def _ask(self, line: bytes) -> None:
        name = self._settings.serial.port
        try:
            port = self._opened()
            port.reset_input_buffer()
            port.write(line)
            span_s = (len(line) + HEARD_BYTES // 8) * BYTE_BITS / self._settings.serial.baud
            heard = _hear(port, time.monotonic() + ANSWER_S + span_s)
        except _PORT_ERRORS as error:
            self.close()
            raise EncoderError(f"{name}: {error}") from error
        answer = read_answer(heard)
        if answer is None:
            what = f"; heard {heard[:16].hex(' ')}" if heard else ""
            raise EncoderError(f"{name}: the RDS encoder does not answer{what}")
        if answer:
            raise EncoderError(f"{name}: the RDS encoder {answer}")

    def _opened(self) -> Any:
        if self._port is None:
            line = self._settings.serial
            self._port = serial.Serial(str(line.port), line.baud, timeout=READ_S, write_timeout=WRITE_S, exclusive=True)
        return self._port


def _hear(port: Any, until_mono_s: float) -> bytes:
    """What an encoder says, up to its answer."""
    heard = b""
    while time.monotonic() < until_mono_s and len(heard) < HEARD_BYTES and read_answer(heard) is None:
        heard += bytes(port.read(max(1, port.in_waiting)))
    return heard


def command(group: str) -> bytes:
    """What has a group sent, as it stands in ``station.yaml``.

    >>> command("6A 05 0001 00FF"), command("11B 1F 0012")
    (b'G=6005000100FF\\r', b'G=B81F00000012\\r')
    """
    kind, five, *blocks = group.split()
    block_2 = int(kind[:-1]) << 12 | (kind[-1] == "B") << 11 | int(five, 16)
    block_3 = blocks[0] if len(blocks) == 2 else "0000"  # in version B it is the programme's identification
    return f"G={block_2:04X}{block_3}{blocks[-1]}\r".encode()


def read_answer(heard: bytes) -> str | None:
    """What an encoder answers: empty when the group was taken, else why not; None while there is no answer. It stands
    in a line of its own, behind an echo where the encoder gives one.

    >>> read_answer(b"G=600500010001\\r\\n+\\r\\n\\r\\n"), read_answer(b"-\\r\\n"), read_answer(b"+")
    ('', 'refuses the group', None)
    """
    lines = re.split(rb"[\r\n]", heard)[:-1]  # the last one is not over
    return next((ANSWERS[line] for line in lines if line in ANSWERS), None)
