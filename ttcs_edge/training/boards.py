"""Relay boards and an energy meter on an RS-485 line: a pseudo-terminal for the line, pymodbus's frames on it."""

from __future__ import annotations

import os
import random
import threading
import time
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadCoilsResponse,
    WriteSingleCoilRequest,
    WriteSingleCoilResponse,
)
from pymodbus.pdu.register_message import ReadInputRegistersRequest, ReadInputRegistersResponse

from ttcs_edge.core.model import MeterReading

Habit = Callable[["Boards", bytes, bytes], bytes]
"""What comes down the line in place of an answer, given the question and the answer."""


def whole(boards: Boards, question: bytes, answer: bytes) -> bytes:
    """The answer."""
    return answer


class Boards:
    """A line at ``port`` with boards on it. ``coils`` are how they are set, by unit and coil; ``habit`` is the line's
    own.
    """

    def __init__(self, folder: Path, units: tuple[int, ...] = (1, 2), coils: int = 8) -> None:
        self.port = folder / "rs485"
        self.coils = {(unit, coil): False for unit in units for coil in range(coils)}
        self.asked: list[ModbusPDU] = []
        self.log: list[tuple[tuple[int, int], bool, int]] = []
        """Each contact that moved: which, whether it is closed, when (monotonic, nanoseconds)."""
        self.habit: Habit = whole
        self.stuck: set[tuple[int, int]] = set()
        self.meters: dict[int, Callable[[], MeterReading | None]] = {}
        """What the meter of a unit shows; None: it does not answer."""
        self.dice = random.Random(1)  # noqa: S311 (a fake adapter keeps no secret)
        self._framer = FramerRTU(DecodePDU(is_server=True))
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
        threading.Thread(target=self._serve, args=(self._master,), daemon=True).start()

    def unplug(self) -> None:
        """It is pulled out."""
        self.port.unlink()
        master, self._master = self._master, -1
        os.close(master)

    def closed(self) -> set[tuple[int, int]]:
        """The coils that are set."""
        return {place for place, on in self.coils.items() if on}

    def _serve(self, master: int) -> None:
        heard = b""
        with suppress(OSError):
            while True:
                try:
                    piece = os.read(master, 256)
                except OSError:  # nobody has it open
                    if self._master != master:
                        return
                    time.sleep(0.01)  # a pseudo-terminal tells nobody when its other end is opened
                    continue
                if not piece:  # a socket whose other end is gone
                    return
                heard = self._take(master, heard + piece)

    def _take(self, master: int, heard: bytes) -> bytes:
        used, request = self._framer.handleFrame(heard, 0, 0)
        if request is not None:
            question, heard = heard[:used], heard[used:]
            os.write(master, self.habit(self, question, self.frame(self._answered(request))))
        return heard[-256:]

    def frame(self, answer: ModbusPDU | None) -> bytes:
        """An answer as it comes down the line."""
        return b"" if answer is None else bytes(self._framer.buildFrame(answer))

    def _answered(self, request: ModbusPDU) -> ModbusPDU | None:
        self.asked.append(request)
        if request.dev_id in self.meters:
            return self.answer_of(request)
        place = (request.dev_id, request.address)
        if request.dev_id not in {unit for unit, _ in self.coils}:
            return None
        if place not in self.coils:
            return self._refused(request, 2)
        match request:
            case WriteSingleCoilRequest():
                if place not in self.stuck and self.coils[place] != request.bits[0]:
                    self.coils[place] = bool(request.bits[0])
                    self.log.append((place, self.coils[place], time.monotonic_ns()))
                return WriteSingleCoilResponse(address=request.address, bits=request.bits, dev_id=request.dev_id)
            case ReadCoilsRequest():
                return ReadCoilsResponse(bits=[self.coils[place]], dev_id=request.dev_id)
        return self._refused(request, 1)

    def answer_of(self, request: ModbusPDU) -> ModbusPDU | None:
        """What the meter of a unit answers."""
        shown = self.meters[request.dev_id]()
        if not isinstance(request, ReadInputRegistersRequest):
            return self._refused(request, 1)
        if shown is None:
            return None
        amperes, watts = round(shown.amperes * 1_000), round(shown.watts * 10)
        words = [round(shown.volts * 10), *_words(amperes), *_words(watts), *_words(shown.energy_wh), 500, 70, 0]
        if request.address + request.count > len(words):
            return self._refused(request, 2)
        asked = words[request.address : request.address + request.count]
        return ReadInputRegistersResponse(registers=asked, dev_id=request.dev_id)

    def _refused(self, request: ModbusPDU, code: int) -> ModbusPDU:
        refused = ExceptionResponse(request.function_code, code)
        refused.dev_id = request.dev_id
        return refused


def _words(value: int) -> tuple[int, int]:
    """Two registers, the lower word first."""
    return value & 0xFFFF, value >> 16
