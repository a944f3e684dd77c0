"""A key, on a line of gpiozero's mock factory that a hand can touch."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import eventually
from ttcs_edge.drivers.key import LOOK_AGAIN_S, SETTLED_S, GpioKey, KeyLineError
from ttcs_edge.drivers.pins import touch
from ttcs_edge.settings import PinFactory, PinSettings, RelaySettings

KEY = 22


class Hand:
    """A key, the hand on it, and what is told of it."""

    def __init__(self, folder: Path, active_high: bool) -> None:
        self.folder, self.active_high = folder, active_high
        self.told: queue.SimpleQueue[bool] = queue.SimpleQueue()
        pins = PinSettings(RelaySettings(17), {}, PinFactory.MOCK, folder)
        self.key = GpioKey(RelaySettings(KEY, active_high), pins, self.told.put, "key")

    def put(self, down: bool) -> None:
        """Press it or let it go."""
        touch(self.folder, KEY, int(down is self.active_high))

    def next(self) -> bool:
        """What is told next."""
        return self.told.get(timeout=5)


@pytest.fixture(params=[False, True], ids=["to ground", "to 3.3 V"])
def hand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Hand]:
    """A key of either kind, which is up."""
    hand = Hand(tmp_path, request.param)
    yield hand
    hand.key.close()


def test_it_is_told_how_it_is_and_then_each_change(hand: Hand) -> None:
    """Up as nobody touches it: the line is pulled."""
    assert hand.next() is False
    for down in (True, False, True):
        hand.put(down)
        assert hand.next() is down
    assert hand.told.empty()


def test_a_contact_that_bounces_is_pressed_once(hand: Hand) -> None:
    """Twenty times in 100 ms, and then down."""
    assert hand.next() is False
    for number in range(21):
        hand.put(number % 2 == 0)
        time.sleep(SETTLED_S / 6)  # as a contact does
    assert hand.next() is True
    hand.put(False)
    assert hand.next() is False
    assert hand.told.empty()


def test_a_lost_edge_is_found_by_looking_again(hand: Hand) -> None:
    """The kernel dropped it, or the library did."""
    assert hand.next() is False
    hand.key._device.when_activated = hand.key._device.when_deactivated = None
    hand.put(True)
    assert hand.told.get(timeout=3 * LOOK_AGAIN_S) is True


def test_a_key_that_is_down_at_the_start_is_told_so(tmp_path: Path) -> None:
    """A short on its wire."""
    touch(tmp_path, KEY, 0)
    hand = Hand(tmp_path, False)
    eventually(lambda: hand.next() is True)
    hand.key.close()


def test_after_the_end_nothing_is_told(hand: Hand) -> None:
    """The daemon is leaving."""
    assert hand.next() is False
    hand.key.close()
    hand.put(True)
    assert not hand.key._thread.is_alive()
    assert hand.told.empty()


def test_a_line_that_cannot_be_had_is_told_with_its_number(tmp_path: Path) -> None:
    """Somebody else drives it."""
    first = Hand(tmp_path, False)
    with pytest.raises(KeyLineError) as error:
        Hand(tmp_path, False)
    assert str(error.value) == f"GPIO{KEY}: LineTakenError: GPIO{KEY} is driven by another process"
    first.key.close()
