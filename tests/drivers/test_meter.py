"""The energy meter on a line as lines are: a reading as it is shown, or why there is none, and soon."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymodbus.pdu.register_message import ReadInputRegistersRequest

from tests.drivers.test_coils import COILS, crowded, noisy
from ttcs_edge.core.model import MeterReading
from ttcs_edge.drivers.coils import CoilRelays
from ttcs_edge.drivers.meter import REGISTERS, Pzem, reading
from ttcs_edge.drivers.modbus import read_answer
from ttcs_edge.drivers.rs485 import Bus, BusError
from ttcs_edge.settings import SerialSettings
from ttcs_edge.training.boards import Boards, Habit

SHOWN = MeterReading(volts=219.6, amperes=90.524, watts=7_085.3, energy_wh=138_816)


class Line:
    """A meter at unit 10, beside relay boards."""

    def __init__(self, boards: Boards) -> None:
        self.bus = Bus(SerialSettings(boards.port))
        self.meter = Pzem(self.bus, 10)

    def read(self, timeout_s: float = 5.0) -> MeterReading | str:
        """What it shows, or why that is not known."""
        answers: queue.SimpleQueue[MeterReading | BusError] = queue.SimpleQueue()
        self.meter.read(answers.put)
        answer = answers.get(timeout=timeout_s)
        assert answers.empty(), "it answers once"
        return str(answer) if isinstance(answer, BusError) else answer


@pytest.fixture
def boards(tmp_path: Path) -> Boards:
    """A line with a meter that shows ``SHOWN``."""
    boards = Boards(tmp_path)
    boards.meters[10] = lambda: SHOWN
    return boards


@pytest.fixture
def line(boards: Boards) -> Iterator[Line]:
    """Its end at the station."""
    line = Line(boards)
    yield line
    line.bus.close(5.0)


def test_what_it_shows_is_read(line: Line) -> None:
    """Also what needs two registers."""
    assert line.read() == SHOWN


def test_the_frame_of_a_real_meter_is_read() -> None:
    """As one of version 3 gave it to others (arendst/Tasmota, issue 9687): 3.9 kW at 123 V."""
    frame = bytes.fromhex("01 04 14 04D1 619C 0001 97EF 0000 1E40 0002 0257 0023 0000 8D59")
    answer = read_answer(frame, ReadInputRegistersRequest(address=0, count=10, dev_id=1))

    assert answer is not None
    assert reading(answer.registers[:REGISTERS]) == MeterReading(123.3, 90.524, 3_889.5, 138_816)


@pytest.mark.parametrize("habit", [noisy, crowded])
def test_a_line_as_lines_are_is_read_all_the_same(line: Line, boards: Boards, habit: Habit) -> None:
    """Noise before it, and the talk of others."""
    boards.habit = habit
    assert [line.read() for _ in range(4)] == [SHOWN] * 4


def test_a_meter_that_is_silent_is_told_at_once(line: Line, boards: Boards) -> None:
    """It is asked once: who waits for the line behind it waits for a quarter of a second."""
    boards.meters[10] = lambda: None
    began_s = time.monotonic()
    assert line.read() == f"{boards.port}: unit 10 does not answer"
    assert time.monotonic() - began_s < 1
    assert len(boards.asked) == 1


def test_noughts_are_no_reading(line: Line, boards: Boards) -> None:
    """Such a meter works by the very mains that it measures: nought volts were not measured."""
    boards.meters[10] = lambda: MeterReading(0.0, 0.0, 0.0, 0)

    assert line.read() == "unit 10 reads 0 V"


def test_an_answer_of_another_length_is_none(line: Line, boards: Boards) -> None:
    """As another device, or an echo, may give it."""

    def short(boards: Boards, question: bytes, answer: bytes) -> bytes:
        return boards.frame(boards.answer_of(ReadInputRegistersRequest(address=0, count=3, dev_id=10)))

    boards.habit = short
    assert line.read() == f"{boards.port}: unit 10 gives 3 registers of 7"
    boards.habit = lambda boards, question, answer: question
    assert str(line.read()).startswith(f"{boards.port}: unit 10 does not answer; heard 0a 04")


def test_it_shares_its_line_with_relays(line: Line, boards: Boards) -> None:
    """Each has its turn, and neither is lost."""
    relays = CoilRelays(line.bus, COILS)
    switched: queue.SimpleQueue[object] = queue.SimpleQueue()
    for closed in (True, False, True):
        relays.tell("cho", closed, switched.put)
        assert line.read() == SHOWN

    assert [switched.get(timeout=5) for _ in range(3)] == [None] * 3
    assert boards.closed() == {(1, 0)}


def test_an_adapter_that_was_pulled_out_serves_again_when_it_is_back(line: Line, boards: Boards) -> None:
    """Under the same name, without a restart."""
    assert line.read() == SHOWN
    boards.unplug()
    assert str(line.read()).startswith(f"{boards.port}: ")
    assert line.read() == f"{boards.port}: [Errno 2] could not open port {boards.port}: " + (
        f"[Errno 2] No such file or directory: '{boards.port}'"
    )
    boards.plug_in()

    assert line.read() == SHOWN
