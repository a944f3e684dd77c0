"""Modbus RTU on a serial line (Modbus over Serial Line V1.02; Modbus Application Protocol V1.1b3).

The frames are pymodbus's. Its client is not: it bounds its questions by the wall clock, which steps, and takes what
stands first on the line for the answer. Here the one answer that fits is looked for among noise, echoes and frames of
others, and asked for again; a port that vanishes is opened anew at the next question.
"""

from __future__ import annotations

import logging
import termios
import time
from contextlib import suppress
from typing import Any

import serial
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, WriteSingleCoilRequest
from pymodbus.pdu.register_message import ReadInputRegistersRequest

from ttcs_edge.drivers.rs485 import BusError
from ttcs_edge.settings import SerialSettings

TRIES = 3
ANSWER_S = 0.25
"""How long a device may take to answer: relay boards need 5 to 50 ms, meters up to 150."""
WRITE_S = 1.0
READ_S = 0.02
HEARD_BYTES = 1_024
"""More than this, and no answer in it, is none: the longest has 256 bytes."""
GAP_CHARS = 3.5
"""How long a line rests between two frames (Modbus over Serial Line, 2.5.1.1)."""
CHAR_BITS = 11
_ANSWERS = DecodePDU(is_server=False)
_PORT_ERRORS = (OSError, ValueError, termios.error)
"""What pyserial raises of a port that vanishes, is taken, or does not know a setting."""

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # what it logs of noise is told by the errors here


class ModbusLine:
    """A serial port, for one thread. It is opened by the first question."""

    def __init__(self, settings: SerialSettings) -> None:
        self._settings = settings
        self._framer = FramerRTU(_ANSWERS)
        self._port: Any = None
        self._rested_s = 0.0

    def write_coil(self, unit: int, coil: int, on: bool) -> None:
        """Have one coil set (6.5). Raises BusError. What gives back an echo says nothing by that: read it back."""
        self._ask(WriteSingleCoilRequest(address=coil, bits=[on], dev_id=unit))

    def read_coil(self, unit: int, coil: int) -> bool:
        """Tell how one coil is set (6.1). Raises BusError."""
        return bool(self._ask(ReadCoilsRequest(address=coil, count=1, dev_id=unit)).bits[0])

    def read_inputs(self, unit: int, first: int, count: int) -> list[int]:
        """Read 16-bit input registers (6.4), asking once: who reads a measure reads it again soon. Raises BusError."""
        answer = self._ask_once(ReadInputRegistersRequest(address=first, count=count, dev_id=unit))
        if len(answer.registers) != count:
            raise BusError(f"{self._settings.port}: unit {unit} gives {len(answer.registers)} registers of {count}")
        return list(answer.registers)

    def _ask(self, request: ModbusPDU) -> ModbusPDU:
        """Ask one device, up to three times."""
        for _ in range(TRIES - 1):
            try:
                return self._ask_once(request)
            except BusError:
                pass
        return self._ask_once(request)

    def close(self) -> None:
        """Close the port; the next question opens it."""
        port, self._port = self._port, None
        if port is not None:
            with suppress(*_PORT_ERRORS):
                port.close()

    def _ask_once(self, request: ModbusPDU) -> ModbusPDU:
        try:
            port = self._opened()
            time.sleep(max(0.0, self._rested_s - time.monotonic()))  # GAP_CHARS: two frames run into one without it
            port.reset_input_buffer()
            frame = self._framer.buildFrame(request)
            port.write(frame)
            answer = self._answer(port, request, time.monotonic() + ANSWER_S + self._span_s(len(frame)))
        except _PORT_ERRORS as error:
            self.close()
            raise BusError(f"{self._settings.port}: {error}") from error
        finally:
            self._rested_s = time.monotonic() + self._span_s(GAP_CHARS)
        if answer.isError():
            refused = f"refuses (Modbus exception {answer.exception_code})"
            raise BusError(f"{self._settings.port}: unit {request.dev_id} {refused}")
        return answer

    def _opened(self) -> Any:
        if self._port is None:
            self._port = serial.Serial(
                str(self._settings.port),
                self._settings.baud,
                parity=self._settings.parity.value[0].upper(),
                stopbits=self._settings.stop_bits,
                timeout=READ_S,
                write_timeout=WRITE_S,
                exclusive=True,
            )
        return self._port

    def _span_s(self, chars: float) -> float:
        return chars * CHAR_BITS / self._settings.baud

    def _answer(self, port: Any, request: ModbusPDU, until_mono_s: float) -> ModbusPDU:
        heard = b""
        while time.monotonic() < until_mono_s and len(heard) < HEARD_BYTES:
            heard += bytes(port.read(max(1, port.in_waiting)))
            answer = read_answer(heard, request)
            if answer is not None:
                return answer
        what = "does not answer" if not heard else f"does not answer; heard {heard[:16].hex(' ')}"
        raise BusError(f"{self._settings.port}: unit {request.dev_id} {what}")


def read_answer(heard: bytes, request: ModbusPDU) -> ModbusPDU | None:
    """The answer to a request, wherever it begins in what was heard; None when it is not in it.

    >>> request = ReadCoilsRequest(address=0, count=1, dev_id=1)
    >>> read_answer(bytes.fromhex("00ff 0101 0101 9048"), request).bits[0]
    True
    """
    for begin in range(len(heard) - FramerRTU.MIN_SIZE + 1):
        frame = heard[begin:]
        if frame[0] != request.dev_id or frame[1] & 0x7F != request.function_code:
            continue
        kind = _ANSWERS.lookupPduClass(frame)
        size = kind.calculateRtuFrameSize(frame) if kind is not None else 0
        if not FramerRTU.MIN_SIZE <= size <= len(frame):
            continue
        if FramerRTU.check_CRC(frame[: size - 2], int.from_bytes(frame[size - 2 : size], "big")):
            return _ANSWERS.decode(frame[1 : size - 2])
    return None
