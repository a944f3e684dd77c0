"""Contacts that tell what relays really did, on mock lines: what is told of a switch, and of what moves by itself."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ttcs_edge.core.model import ZoneId
from ttcs_edge.drivers.pins import level, touch
from ttcs_edge.drivers.relays import GpioRelays, RelayError
from ttcs_edge.settings import ContactSettings, PinFactory, PinSettings, RelaySettings

RELAYS = {"amplifier": (17, 23), "cho": (27, 24)}
"""The line of each relay, and that of its contact."""


class Armatures:
    """What moves the contacts: each follows its relay's line a moment later, unless it is ``stuck``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stuck: set[str] = set()
        self.bounces = False
        self._over = threading.Event()
        for _, contact in RELAYS.values():
            touch(folder, contact, 1)  # pulled up: open
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def close(self) -> None:
        """They move no more."""
        self._over.set()
        self._thread.join()

    def move(self, subject: str, closed: bool) -> None:
        """A contact moves, whoever moved it."""
        _, contact = RELAYS[subject]
        for _ in range(3 if self.bounces else 0):
            touch(self.folder, contact, int(closed))
            time.sleep(0.012)  # this is the contact, not the test: as long as a bounce
            touch(self.folder, contact, int(not closed))
            time.sleep(0.012)  # as above
        touch(self.folder, contact, int(not closed))

    def _follow(self) -> None:
        seen = dict.fromkeys(RELAYS, 0)
        while not self._over.wait(0.01):
            for subject, (line, _) in RELAYS.items():
                now = level(self.folder, line)
                if now != seen[subject] and subject not in self.stuck:
                    self.move(subject, bool(now))
                seen[subject] = now


class Station:
    """Relays with contacts, what became of switches, and what moved by itself."""

    def __init__(self, folder: Path, armatures: Armatures) -> None:
        self.armatures = armatures
        relays = {
            name: RelaySettings(line, contact=ContactSettings(contact)) for name, (line, contact) in RELAYS.items()
        }
        settings = PinSettings(relays["amplifier"], {ZoneId("cho"): relays["cho"]}, PinFactory.MOCK, folder)
        self.relays = GpioRelays(settings)
        self.moved: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.relays.watch(lambda error: self.moved.put(str(error)))

    def told(self, subject: str, closed: bool) -> str:
        """What became of a switch: nothing to say, or why not."""
        answers: queue.SimpleQueue[RelayError | None] = queue.SimpleQueue()
        self.relays.tell(subject, closed, answers.put)
        answer = answers.get(timeout=5)
        return "" if answer is None else str(answer)


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """An amplifier and a zone."""
    armatures = Armatures(tmp_path)
    station = Station(tmp_path, armatures)
    yield station
    station.relays.close()
    armatures.close()


def test_a_relay_has_switched_when_its_contact_says_so(station: Station) -> None:
    """Each of them, each way, also when it bounces; and nothing moved by itself."""
    for bounces in (False, True):
        station.armatures.bounces = bounces
        for subject in RELAYS:
            assert [station.told(subject, True), station.told(subject, False)] == ["", ""]
    assert station.moved.empty()


@pytest.mark.parametrize("closed", [True, False])
def test_a_relay_whose_contact_does_not_move_has_failed(station: Station, closed: bool) -> None:
    """A coil that is dead, or a contact that is welded: once, and soon; the other one goes on."""
    if not closed:
        station.told("cho", True)
    station.armatures.stuck.add("cho")
    began_s = time.monotonic()

    assert station.told("cho", closed) == f"cho (contact GPIO24): reads {int(not closed)} after {int(closed)}"
    assert time.monotonic() - began_s < 2
    assert station.told("amplifier", True) == ""
    assert station.moved.empty()


def test_a_relay_that_drops_out_is_told_once_for_each_time(station: Station) -> None:
    """Its supply sags, or somebody pulls its wire; and one that closes by itself."""
    station.told("cho", True)
    station.armatures.move("cho", False)
    assert station.moved.get(timeout=5) == "cho (contact GPIO24): reads 0 after 1"
    station.armatures.move("amplifier", True)
    assert station.moved.get(timeout=5) == "amplifier (contact GPIO23): reads 1 after 0"
    station.armatures.move("cho", True)
    assert station.moved.get(timeout=5) == "cho (contact GPIO24): reads 1 after 0"
    time.sleep(0.6)  # nothing more comes of it: longer than a relay and its contact may differ
    assert station.moved.empty()

    assert station.told("cho", False) == ""
    assert station.told("amplifier", False) == "amplifier (contact GPIO23): reads 1 after 0", "nobody mended it"


def test_a_contact_that_shakes_for_a_moment_is_believed_by_nobody(station: Station) -> None:
    """A lorry passes."""
    station.told("cho", True)
    for _ in range(4):
        station.armatures.move("cho", False)
        time.sleep(0.02)  # how long it shakes, far less than it may differ
        station.armatures.move("cho", True)
        time.sleep(0.05)  # and stands between two shakes
    time.sleep(0.6)  # as above

    assert station.moved.empty()
