"""Relays on Modbus boards: what becomes of a switch on a line as lines are."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU
from pymodbus.pdu.bit_message import ReadCoilsRequest, WriteSingleCoilRequest

from tests.parts import eventually
from ttcs_edge.drivers import modbus
from ttcs_edge.drivers.coils import CoilRelays
from ttcs_edge.drivers.modbus import read_answer
from ttcs_edge.drivers.relays import RelayError
from ttcs_edge.drivers.rs485 import Bus
from ttcs_edge.settings import CoilSettings, SerialSettings
from ttcs_edge.training.boards import Boards, Habit

COILS = {"cho": CoilSettings(1, 0), "dinh": CoilSettings(1, 1), "buon": CoilSettings(2, 7)}
PLACES = {subject: (coil.unit, coil.coil) for subject, coil in COILS.items()}


class Line:
    """Relays on a line, and what they answer."""

    def __init__(self, boards: Boards) -> None:
        self.boards = boards
        self.bus = Bus(SerialSettings(boards.port))
        self.relays = CoilRelays(self.bus, COILS)

    def told(self, subject: str, closed: bool, timeout_s: float = 5.0) -> str:
        """What became of a switch: nothing to say, or why not."""
        answers: queue.SimpleQueue[RelayError | None] = queue.SimpleQueue()
        self.relays.tell(subject, closed, answers.put)
        answer = answers.get(timeout=timeout_s)
        assert answers.empty(), "it answers once"
        return "" if answer is None else str(answer)


@pytest.fixture
def boards(tmp_path: Path) -> Boards:
    """Two boards of eight relays."""
    return Boards(tmp_path)


@pytest.fixture
def line(boards: Boards) -> Iterator[Line]:
    """Three zones on them, just told to open."""
    boards.coils |= dict.fromkeys(PLACES.values(), True)
    line = Line(boards)
    eventually(lambda: not boards.closed())
    yield line
    line.bus.close(5.0)


def test_every_relay_is_told_to_open_when_they_are_taken_over(line: Line, boards: Boards) -> None:
    """Whatever an earlier life left closed (never-2); others on the boards are nobody's."""
    assert boards.closed() == set()
    assert {(one.dev_id, one.address) for one in boards.asked} == set(PLACES.values())


def test_a_relay_does_as_told_and_is_read_back(line: Line, boards: Boards) -> None:
    """One after another; what they were read as is shown."""
    assert [line.told(subject, True) for subject in COILS] == ["", "", ""]
    assert boards.closed() == set(PLACES.values())
    assert line.told("dinh", False) == ""
    assert boards.closed() == {PLACES["cho"], PLACES["buon"]}
    assert line.relays.states() == {"cho": True, "dinh": False, "buon": True}
    line.relays.close()

    assert boards.closed() == set()


def test_a_relay_that_says_it_did_and_did_not_is_found_out(line: Line, boards: Boards) -> None:
    """The board answers what it was told; the contact is welded."""
    boards.stuck.add(PLACES["cho"])
    assert line.told("cho", True) == "cho (RS-485 unit 1 coil 0): reads 0 after 1"
    assert line.told("dinh", True) == ""


def noisy(boards: Boards, question: bytes, answer: bytes) -> bytes:
    """Noise on both sides, with the unit's number in it."""
    return bytes((1, 5, 0, 1)) + boards.dice.randbytes(3) + answer + boards.dice.randbytes(5)


def echoing(boards: Boards, question: bytes, answer: bytes) -> bytes:
    """An adapter that hears itself."""
    return question + answer


def crowded(boards: Boards, question: bytes, answer: bytes) -> bytes:
    """Another master asks another board, which answers, just before."""
    return bytes.fromhex("0905000100009882") + bytes.fromhex("0905000100009882") + answer


def seldom(boards: Boards, question: bytes, answer: bytes) -> bytes:
    """Two of three answers do not arrive: one is cut, one has a wrong sum."""
    broken = [answer[:-3], answer[:-1] + bytes((answer[-1] ^ 1,)), answer]
    return broken[len(boards.asked) % 3]


@pytest.mark.parametrize("habit", [noisy, echoing, crowded, seldom])
def test_a_line_as_lines_are_switches_all_the_same(
    line: Line, boards: Boards, habit: Habit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Again and again each way, to the coil that was meant and no other."""
    boards.habit = habit
    monkeypatch.setattr(modbus, "ANSWER_S", 0.6)  # the boards have the same busy processor, and no answer is to spare
    for closed in (True, False) * 4:
        assert line.told("buon", closed) == ""
        assert boards.closed() == ({PLACES["buon"]} if closed else set())


def test_an_echo_is_no_answer(line: Line, boards: Boards) -> None:
    """The boards have no power, and the adapter gives back what is sent: exactly what a board would say."""
    boards.habit = lambda boards, question, answer: question
    assert line.told("cho", True).startswith(
        f"cho (RS-485 unit 1 coil 0): {boards.port}: unit 1 does not answer; heard 01 01"
    )


def test_a_board_that_is_silent_is_told_within_three_seconds_and_the_others_serve(line: Line, boards: Boards) -> None:
    """And it serves again when it is there again."""
    silent = {key for key in boards.coils if key[0] == 2}
    for key in silent:
        del boards.coils[key]
    began_s = time.monotonic()
    assert line.told("buon", True) == f"buon (RS-485 unit 2 coil 7): {boards.port}: unit 2 does not answer"
    assert time.monotonic() - began_s < 3
    assert line.told("cho", True) == ""
    boards.coils |= dict.fromkeys(silent, False)

    assert line.told("buon", True) == ""


def test_a_coil_that_its_board_does_not_have_is_named(tmp_path: Path) -> None:
    """In the board's own words."""
    boards = Boards(tmp_path, coils=1)
    line = Line(boards)
    assert line.told("dinh", True) == (
        f"dinh (RS-485 unit 1 coil 1): {boards.port}: unit 1 refuses (Modbus exception 2)"
    )
    line.bus.close(5.0)


def test_an_adapter_that_is_pulled_out_is_told_and_serves_when_it_is_back(line: Line, boards: Boards) -> None:
    """Under the same name; nothing of before is done late."""
    assert line.told("cho", True) == ""
    boards.unplug()
    assert line.told("cho", False).startswith(f"cho (RS-485 unit 1 coil 0): {boards.port}: ")
    assert line.told("dinh", True).startswith(
        f"dinh (RS-485 unit 1 coil 1): {boards.port}: [Errno 2] could not open port"
    )
    boards.plug_in()
    asked = len(boards.asked)
    assert line.told("cho", False) == ""

    assert boards.closed() == set()
    assert len(boards.asked) == asked + 2, "what failed is not asked again by itself"


def test_a_port_that_is_none_is_told_each_time(tmp_path: Path) -> None:
    """A file, say; the line's thread lives on."""
    port = tmp_path / "rs485"
    port.write_text("")
    bus = Bus(SerialSettings(port))
    relays = CoilRelays(bus, COILS)
    answers: queue.SimpleQueue[RelayError | None] = queue.SimpleQueue()
    for _ in range(2):
        relays.tell("cho", True, answers.put)
        assert str(answers.get(timeout=5)) == (
            f"cho (RS-485 unit 1 coil 0): {port}: Could not configure port: (25, 'Inappropriate ioctl for device')"
        )
    bus.close(5.0)


@given(st.binary(max_size=80), st.sampled_from([1, 5]), st.booleans())
def test_whatever_is_heard_is_an_answer_or_none(noise: bytes, function: int, framed: bool) -> None:
    """never-7: also with a good sum behind it."""
    request = (
        ReadCoilsRequest(address=3, count=1, dev_id=1)
        if function == 1
        else WriteSingleCoilRequest(address=3, bits=[True], dev_id=1)
    )
    body = bytes((1, function)) + noise
    heard = body + FramerRTU.compute_CRC(body).to_bytes(2, "big") if framed else noise
    answer = read_answer(heard, request)

    assert answer is None or answer.function_code & 0x7F == function


def test_relays_that_cannot_all_be_opened_are_told_and_the_others_are_open(line: Line, boards: Boards) -> None:
    """The first that failed is named."""
    for subject in COILS:
        assert line.told(subject, True) == ""
    boards.stuck.add(PLACES["dinh"])
    with pytest.raises(RelayError) as caught:
        line.relays.open_all()

    assert str(caught.value) == "dinh (RS-485 unit 1 coil 1): reads 1 after 0"
    assert boards.closed() == {PLACES["dinh"]}


def test_a_board_without_power_keeps_no_other_from_opening(line: Line, boards: Boards) -> None:
    """never-2: it is asked for one relay, not for each of eight; the daemon's end has five seconds in all."""
    line.bus.close(5.0)
    boards.coils = {place: True for place in boards.coils if place[0] == 2}
    many = {f"z{coil}": CoilSettings(1, coil) for coil in range(8)} | {"buon": CoilSettings(2, 7)}
    began_s = time.monotonic()
    bus = Bus(SerialSettings(boards.port))
    with pytest.raises(RelayError) as caught:
        CoilRelays(bus, many).open_all()
    took_s = time.monotonic() - began_s
    bus.close(5.0)

    assert str(caught.value) == f"z0 (RS-485 unit 1 coil 0): {boards.port}: unit 1 does not answer"
    assert not boards.coils[2, 7]
    assert took_s < 3


def test_who_tells_never_waits(line: Line, boards: Boards) -> None:
    """never-8: the line is cut, and hundreds of switches are told: each is answered, in its order."""
    boards.habit = lambda boards, question, answer: b""
    answers: list[int] = []
    began_s = time.monotonic()

    def answered(number: int, _: RelayError | None) -> None:
        answers.append(number)

    for number in range(400):
        line.relays.tell("cho", True, partial(answered, number))
    assert time.monotonic() - began_s < 0.5
    boards.unplug()
    eventually(lambda: len(answers) == 400, 30)

    assert sorted(answers) == list(range(400))
