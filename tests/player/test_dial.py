"""Digits that open and close coded receivers, by a real player: what goes out, and what is told of it."""

from __future__ import annotations

import os
import queue
import signal
import wave
from array import array

import pytest

from tests.parts import eventually
from tests.player.parts import Listening
from tests.receivers import heard_digits
from ttcs_edge.core import events
from ttcs_edge.player.digits import dialled


def dial(listening: Listening, digits: str, digit_ms: int = 100, gap_ms: int = 100) -> str | None:
    """Dial, and hear what became of it."""
    answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    listening.player.dial(digits, digit_ms, gap_ms, answers.put)
    answer = answers.get(timeout=15)
    assert answers.empty(), "it answers once"
    return answer


def aired(listening: Listening) -> array[int]:
    """What went out."""
    with wave.open(str(listening.file)) as sound:
        return array("h", sound.readframes(sound.getnframes()))


def test_every_digit_goes_out_as_it_is_dialled(listening: Listening) -> None:
    """All sixteen, each as long as it should be, and nothing is posted of it: it is no cue."""
    assert dial(listening, "159D", 60, 60) is None
    assert dial(listening, "0123456789ABCD*#") is None

    heard = heard_digits(eventually(lambda: aired(listening)))
    assert "".join(digit for digit, _, _ in heard) == "159D0123456789ABCD*#"
    assert all(0.04 <= span_s <= 0.08 for _, _, span_s in heard[:4])
    assert all(0.08 <= span_s <= 0.12 for _, _, span_s in heard[4:])
    assert not [one for one in listening.said if isinstance(one, events.SoundStarted | events.SoundEnded)]


def test_no_player_dials_nothing(listening: Listening) -> None:
    """Who waits for the digits hears at once that there will be none."""
    answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    listening.player.dial("1" * 40, 100, 100, answers.put)
    eventually(lambda: listening.file.exists() and len(aired(listening)) > 48_000)
    os.kill(listening.pid, signal.SIGKILL)

    assert answers.get(timeout=10) == "player-died"


@pytest.mark.parametrize("digit", ["", "E", "12"])
def test_what_is_no_digit_is_refused(digit: str) -> None:
    """None of them is on a dial."""
    if digit == "12":
        assert len(dialled(digit, 100, 50)) == 2 * 150 * 96
    elif digit:
        with pytest.raises(ValueError, match=r"^'E' cannot be dialled$"):
            dialled(digit, 100, 100)
    else:
        assert dialled(digit, 100, 100) == b""
