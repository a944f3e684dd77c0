"""An RDS encoder on a serial port: what is asked of it, and what becomes of a group when the line is bad."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.encoders import GROUP_S, Encoder, opened
from ttcs_edge.drivers.rds import ANSWERS, EncoderError, RdsEncoder, command, read_answer
from ttcs_edge.settings import RdsSettings, SerialSettings

OPEN, CLOSE = "6A 05 0001 0001", "6A 05 0001 0000"
OPEN_HEX = "600500010001"


@pytest.fixture
def encoder(tmp_path: Path) -> Encoder:
    """An encoder that does as told."""
    return Encoder(tmp_path)


def driver(encoder: Encoder, times: int = 1, gap_ms: int = 100) -> RdsEncoder:
    """What drives it."""
    return RdsEncoder(RdsSettings(SerialSettings(encoder.port), times=times, gap_ms=gap_ms))


def failure(one: RdsEncoder) -> str:
    """Why a group was not taken."""
    with pytest.raises(EncoderError) as caught:
        one.send(OPEN)
    return str(caught.value)


def test_a_group_goes_out_as_often_as_is_set_and_is_out_before_the_next_thing_is_done(encoder: Encoder) -> None:
    """Block 2 with its type and five bits, blocks 3 and 4; one after another, never faster than the air."""
    driver(encoder, times=3).send(OPEN)
    done_ns = time.monotonic_ns()

    assert encoder.heard == [b"G=600500010001"] * 3
    assert encoder.groups() == [OPEN_HEX] * 3
    times_ns = [at_ns for _, at_ns in encoder.aired]
    assert all(later - earlier >= GROUP_S * 0.9e9 for earlier, later in pairwise(times_ns))
    assert times_ns[-1] <= done_ns


@pytest.mark.parametrize(
    ("group", "asked"),
    [
        ("6A 05 0001 0001", b"G=600500010001\r"),
        ("0A 1F FFFF FFFF", b"G=001FFFFFFFFF\r"),
        ("15B 1F 0012", b"G=F81F00000012\r"),
        ("11A 00 00FF 8000", b"G=B00000FF8000\r"),
    ],
)
def test_a_group_is_asked_for_as_the_manual_says(group: str, asked: bytes) -> None:
    """Type and version in the first five bits (IEC 62106-2); in version B block 3 is the station's own."""
    assert command(group) == asked


@pytest.mark.parametrize(("answer", "told"), [(b"!", "does not know the command"), (b"-", "refuses the group")])
def test_what_the_encoder_refuses_is_asked_for_again_and_told(encoder: Encoder, answer: bytes, told: str) -> None:
    """Noise may have spoilt it, once and twice; however often it is to be sent."""
    encoder.habit = lambda one, given: answer + b"\r\n\r\n"

    assert failure(driver(encoder, times=9)) == f"{encoder.port}: the RDS encoder {told}"
    assert len(encoder.heard) == 3


def test_a_silent_encoder_is_told_and_what_was_heard_in_its_place(encoder: Encoder) -> None:
    """Within the time that a relay has."""
    encoder.habit = lambda one, given: b"\x00\x83"
    since_s = time.monotonic()

    assert failure(driver(encoder)) == f"{encoder.port}: the RDS encoder does not answer; heard 00 83"
    assert time.monotonic() - since_s < 3


def test_an_encoder_that_says_nothing_at_all_is_told_so(encoder: Encoder) -> None:
    """It is off, or not there."""
    encoder.habit = lambda one, given: b""

    assert failure(driver(encoder)) == f"{encoder.port}: the RDS encoder does not answer"


def test_an_echo_and_noise_before_the_answer_do_no_harm(encoder: Encoder) -> None:
    """An encoder may give back what it hears (ECHO=1)."""
    encoder.habit = lambda one, given: b"\xff\x00\r\nG=600500010001\r\n" + given + b"\r\n\r\n"
    driver(encoder, times=2).send(OPEN)

    assert encoder.groups() == [OPEN_HEX] * 2


def test_an_answer_in_pieces_is_put_together(encoder: Encoder) -> None:
    """Byte by byte, as slow lines bring it."""

    def slow(one: Encoder, given: bytes) -> bytes:
        threading.Timer(0.1, one.say, [b"\r\n\r\n"]).start()
        return given

    encoder.habit = slow
    driver(encoder).send(OPEN)
    assert encoder.groups() == [OPEN_HEX]


def test_one_answer_that_is_lost_costs_nothing(encoder: Encoder) -> None:
    """The group goes out once more: who opens twice is open."""
    answers = [b"", b"+\r\n\r\n", b"+\r\n\r\n"]
    encoder.habit = lambda one, given: answers.pop(0)
    driver(encoder, times=2).send(OPEN)

    assert encoder.groups() == [OPEN_HEX] * 3


def test_an_adapter_that_is_pulled_out_is_told_and_used_again_when_it_is_back(encoder: Encoder) -> None:
    """The port is opened anew, under its stable name."""
    one = driver(encoder)
    one.send(OPEN)
    encoder.unplug()
    told = failure(one)
    assert told.startswith(f"{encoder.port}: ") and "answer" not in told
    encoder.plug_in()
    one.send(CLOSE)

    assert encoder.groups() == [OPEN_HEX, "600500010000"]


def test_a_receiver_that_loses_four_groups_of_ten_opens_and_closes(encoder: Encoder) -> None:
    """Three of each: what one loses another brings."""
    one = driver(encoder, times=3)
    begin_ns = time.monotonic_ns()
    one.send(OPEN)
    one.send(CLOSE)

    moves = opened(encoder.aired, [(1, begin_ns)], OPEN_HEX, "600500010000", lost=0.4)
    assert [is_open for is_open, _ in moves] == [True, False]


@given(st.binary(max_size=64))
def test_whatever_comes_down_the_line_is_an_answer_or_none(heard: bytes) -> None:
    """Only a line that is one of the four marks counts, and only once it is over."""
    found = read_answer(heard)
    lines = heard.replace(b"\r", b"\n").split(b"\n")[:-1]
    marks = [line for line in lines if line in ANSWERS]

    assert found == (ANSWERS[marks[0]] if marks else None)
