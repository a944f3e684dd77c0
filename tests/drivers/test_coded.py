"""Coded receivers behind a transmitter: its key around the digits, and what becomes of a switch that fails."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import pytest

from ttcs_edge.drivers.coded import CodedReceivers
from ttcs_edge.drivers.relays import RelayError
from ttcs_edge.settings import CodeSettings, RelaySettings, TransmitterSettings

CODES = {"cho": CodeSettings("12*", "12#"), "dinh": CodeSettings("13*", "13#")}
SETTINGS = TransmitterSettings(RelaySettings(12), key_lead_ms=1)


class Air:
    """What goes out: the key and the digits, in their order; ``failure`` is what becomes of a dialling."""

    def __init__(self, settings: TransmitterSettings = SETTINGS) -> None:
        self.log: list[str] = []
        self.failure: str | None = None
        self.key_fails = False
        self.holds: threading.Event | None = None
        self.receivers = CodedReceivers(settings, CODES, self.key, self.dial)

    def key(self, down: bool) -> None:
        """The relay of the transmitter."""
        if self.key_fails:
            raise RelayError("transmitter", "GPIO12", "reads 0 after 1")
        self.log.append("key down" if down else "key up")

    def dial(self, digits: str, digit_ms: int, gap_ms: int, answer: Callable[[str | None], None]) -> None:
        """The player."""
        self.log.append(digits)
        if self.holds is not None:
            self.holds.wait(5)
        answer(self.failure)

    def told(self, subject: str, closed: bool) -> str:
        """What became of a switch: nothing to say, or why not."""
        answers: queue.SimpleQueue[RelayError | None] = queue.SimpleQueue()
        self.receivers.tell(subject, closed, answers.put)
        answer = answers.get(timeout=5)
        assert answers.empty(), "it answers once"
        return "" if answer is None else str(answer)


def test_the_carrier_stands_around_all_that_is_open() -> None:
    """Down before the first digit, up behind the last, and not between."""
    air = Air()
    assert [air.told("cho", True), air.told("dinh", True)] == ["", ""]
    assert air.receivers.states() == {"cho": True, "dinh": True}
    assert [air.told("dinh", False), air.told("cho", False)] == ["", ""]

    assert air.log == ["key down", "12*", "13*", "13#", "12#", "key up"]
    assert air.receivers.states() == {"cho": False, "dinh": False}


def test_what_an_earlier_life_left_open_is_closed_before_anything_is_opened() -> None:
    """Once, where there is a code for all of them."""
    air = Air(TransmitterSettings(RelaySettings(12), key_lead_ms=1, close_all_code="00#"))
    air.told("cho", True)
    air.told("cho", False)
    air.told("cho", True)

    assert air.log == ["key down", "00#", "12*", "12#", "key up", "key down", "12*"]


@pytest.mark.parametrize("closed", [True, False])
def test_a_code_that_did_not_go_out_is_told_and_no_carrier_stays(closed: bool) -> None:
    """And the receiver, of which nobody knows what it heard, is closed with all others before the next is opened."""
    air = Air(TransmitterSettings(RelaySettings(12), key_lead_ms=1, close_all_code="00#"))
    air.told("cho", not closed)
    air.failure = "player-died"
    code = "00#" if closed else "12#"
    assert air.told("cho", closed) == f"cho (FM {'12*' if closed else code}): player-died"
    assert air.log[-1] == "key up" and air.receivers.states() == {"cho": False, "dinh": False}
    air.failure = None
    air.log.clear()

    assert air.told("dinh", True) == ""
    assert air.log == ["key down", "00#", "13*"]


def test_a_key_that_does_not_obey_is_told() -> None:
    """Nothing is dialled into nothing."""
    air = Air()
    air.key_fails = True

    assert air.told("cho", True) == "transmitter (GPIO12): reads 0 after 1"
    assert air.log == [] and air.receivers.states() == {"cho": False, "dinh": False}


def test_open_all_takes_the_carrier_away_whatever_is_dialled() -> None:
    """never-2: at once; and what was on its way up is not told as open."""
    air = Air()
    air.holds = threading.Event()
    answers: queue.SimpleQueue[RelayError | None] = queue.SimpleQueue()
    air.receivers.tell("cho", True, answers.put)
    while "12*" not in air.log:
        pass
    air.receivers.open_all()
    assert air.log == ["key down", "12*", "key up"]
    air.holds.set()

    assert str(answers.get(timeout=5)) == "cho (FM): the carrier was taken away"
    assert air.receivers.states() == {"cho": False, "dinh": False}
    air.receivers.close()
    assert "key down" not in air.log[2:]
