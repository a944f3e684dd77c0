"""Contacts on mock lines: what is told of them, once, when they have stood still."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import eventually
from ttcs_edge.drivers.inputs import GpioInputs
from ttcs_edge.drivers.pins import KeptFactory, touch
from ttcs_edge.settings import ContactSettings, PinFactory, PinSettings, RelaySettings

MAINS, DOOR = 6, 19
QUIET_S = 0.3
"""Longer than a level must stand still, and than a hand is felt."""


class Ear:
    """Hears of the contacts."""

    def __init__(self) -> None:
        self.moves: queue.SimpleQueue[tuple[str, bool]] = queue.SimpleQueue()
        self.restlessness: list[tuple[str, str | None]] = []

    def contact(self, name: str, closed: bool) -> None:
        """A contact moved."""
        self.moves.put((name, closed))

    def restless(self, name: str, error: str | None) -> None:
        """A contact does not stand still, or does again."""
        self.restlessness.append((name, error))

    def next(self) -> tuple[str, bool]:
        """What is heard next."""
        return self.moves.get(timeout=5)


@pytest.fixture
def pins(tmp_path: Path) -> PinSettings:
    """Mock lines, on which both contacts are closed: to ground."""
    touch(tmp_path, MAINS, 0)
    touch(tmp_path, DOOR, 0)
    return PinSettings(RelaySettings(17), {}, PinFactory.MOCK, tmp_path)


@pytest.fixture
def ear() -> Ear:
    """Who listens."""
    return Ear()


@pytest.fixture
def inputs(pins: PinSettings, ear: Ear) -> Iterator[GpioInputs]:
    """The two contacts, and how they were found."""
    found = GpioInputs({"mains": ContactSettings(MAINS), "door": ContactSettings(DOOR)}, pins)
    found.start(ear)
    yield found
    found.close(2)


def test_how_a_contact_is_found_is_told_first_and_then_what_changes(
    inputs: GpioInputs, ear: Ear, tmp_path: Path
) -> None:
    """Each by its name, each way, once."""
    assert sorted([ear.next(), ear.next()]) == [("door", True), ("mains", True)]
    touch(tmp_path, MAINS, 1)
    assert ear.next() == ("mains", False)
    touch(tmp_path, DOOR, 1)
    assert ear.next() == ("door", False)
    touch(tmp_path, MAINS, 0)
    assert ear.next() == ("mains", True)
    assert ear.moves.empty() and ear.restlessness == [("mains", None), ("door", None)]


def test_a_contact_that_bounces_is_told_once(inputs: GpioInputs, ear: Ear, tmp_path: Path) -> None:
    """A door that is slammed."""
    assert {ear.next(), ear.next()} == {("door", True), ("mains", True)}
    for level in (1, 0, 1, 0, 1):
        touch(tmp_path, DOOR, level)
        time.sleep(0.02)  # this is the door, not the test
    assert ear.next() == ("door", False)
    time.sleep(QUIET_S)
    assert ear.moves.empty()


class Pulsing:
    """An input that is another each time that it is read, until it is smoothed."""

    def __init__(self) -> None:
        self.smoothed = False
        self._level = False

    @property
    def value(self) -> bool:
        """Its level now."""
        self._level = self.smoothed or not self._level
        return self._level


def test_a_line_that_never_stands_still_keeps_what_was_told_of_it(inputs: GpioInputs, ear: Ear, tmp_path: Path) -> None:
    """An opto-coupler that nobody smoothed is no loss of the mains; it is told as such, and the other one goes on."""
    assert {ear.next(), ear.next()} == {("door", True), ("mains", True)}
    pulsing = Pulsing()
    inputs._lines["mains"].device = pulsing
    touch(tmp_path, DOOR, 1)
    eventually(lambda: ("mains", "never stands still") in ear.restlessness, 10)
    assert ear.next() == ("door", False)
    pulsing.smoothed = True
    touch(tmp_path, DOOR, 0)
    assert ear.next() == ("door", True)
    eventually(lambda: ear.restlessness[-1] == ("mains", None), 10)
    assert ear.moves.empty()


def test_a_line_that_cannot_be_had_costs_none_of_the_others(pins: PinSettings, ear: Ear, tmp_path: Path) -> None:
    """Somebody else drives it: told, and the door is watched."""
    other = KeptFactory(tmp_path)
    other.pin(MAINS)
    inputs = GpioInputs({"mains": ContactSettings(MAINS), "door": ContactSettings(DOOR)}, pins)
    assert list(inputs.failed) == ["mains"] and inputs.failed["mains"].startswith("GPIO6: LineTakenError:")
    inputs.start(ear)
    assert ear.next() == ("door", True)
    inputs.close(2)
    other.close()


def test_a_contact_to_the_supply_is_closed_when_its_line_is_high(pins: PinSettings, ear: Ear, tmp_path: Path) -> None:
    """``active_high``: pulled down here."""
    touch(tmp_path, DOOR, 1)
    inputs = GpioInputs({"door": ContactSettings(DOOR, active_high=True)}, pins)
    inputs.start(ear)
    assert ear.next() == ("door", True)
    inputs.close(2)
