"""Coded receivers behind a transmitter: its key around the digits, and what becomes of a switch that fails."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import pytest

from ttcs_edge.drivers.coded import ByGroups, CodedReceivers
from ttcs_edge.drivers.rds import EncoderError, RdsEncoder
from ttcs_edge.drivers.relays import RelayError
from ttcs_edge.settings import CodeSettings, RelaySettings, TransmitterSettings

CODES = {"cho": CodeSettings("12*", "12#"), "dinh": CodeSettings("13*", "13#")}
SETTINGS = TransmitterSettings(RelaySettings(12), key_lead_ms=1)


GROUPS = {"buon": CodeSettings("6A 05 0001 0001", "6A 05 0001 0000")}


class Groups(RdsEncoder):
    """An encoder whose groups are heard where digits are; ``failure`` is what becomes of one."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.failure: str | None = None

    def send(self, group: str) -> None:
        """It goes out, or not."""
        self.log.append(group)
        if self.failure is not None:
            raise EncoderError(self.failure)

    def close(self) -> None:
        """Its port is let go."""
        self.log.append("port closed")


class Air:
    """What goes out: the key and the digits, in their order; ``failure`` is what becomes of a dialling."""

    def __init__(self, settings: TransmitterSettings = SETTINGS, close_all_group: str | None = None) -> None:
        self.log: list[str] = []
        self.failure: str | None = None
        self.key_fails = False
        self.holds: threading.Event | None = None
        self.encoder = Groups(self.log)
        rds = None if close_all_group is None else ByGroups(self.encoder, GROUPS, close_all_group)
        self.receivers = CodedReceivers(settings, CODES, self.key, self.dial, rds)

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


def test_receivers_of_both_kinds_share_the_carrier_and_each_hears_its_own() -> None:
    """Digits for some, groups for others; what may be open of a kind is closed before the first code of that kind."""
    air = Air(TransmitterSettings(RelaySettings(12), key_lead_ms=1, close_all_code="00#"), "6A 00 0000 0000")
    told = [air.told("buon", True), air.told("cho", True), air.told("buon", False), air.told("cho", False)]

    assert told == [""] * 4
    groups = ["6A 00 0000 0000", "6A 05 0001 0001"]
    assert air.log == ["key down", *groups, "00#", "12*", "6A 05 0001 0000", "12#", "key up"]
    assert air.receivers.states() == {"cho": False, "dinh": False, "buon": False}
    air.receivers.close()
    while air.log[-1] != "port closed":
        pass


def test_a_group_that_is_not_taken_is_told_and_no_carrier_stays() -> None:
    """And all receivers of its kind, of which nobody knows what they heard, are closed before the next is opened."""
    air = Air(SETTINGS, "6A 00 0000 0000")
    air.told("buon", True)
    air.encoder.failure = "/dev/rds: the RDS encoder does not answer"
    air.log.clear()

    assert air.told("buon", False) == "buon (RDS 6A 05 0001 0000): /dev/rds: the RDS encoder does not answer"
    assert air.log == ["6A 05 0001 0000", "key up"]
    air.encoder.failure = None
    air.log.clear()
    assert air.told("buon", True) == ""
    assert air.log == ["key down", "6A 00 0000 0000", "6A 05 0001 0001"]
