"""Contacts that tell of the station's surroundings: the mains are there, the door is shut. One thread for all of them.

An edge only says that the line is to be read; edges can be lost, so it is read again now and then, whatever they say.
What is told is a level that has stood still. A line that never does keeps what was told of it, and is told as restless:
an opto-coupler on alternating current gives a hundred pulses a second where nobody smoothed them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gpiozero import DigitalInputDevice

from ttcs_edge.drivers.relays import pin_factory
from ttcs_edge.settings import ContactSettings, PinSettings

SETTLED_S = 0.05
"""How long a level must stand still: longer than a contact bounces, and than mains need from one half wave to the next
but two.
"""
RESTLESS_S = 1.0
LOOK_S = 0.005
LOOK_AGAIN_S = 10.0


class InputsHeard(Protocol):
    """Who is told of the contacts. Must: take each call in milliseconds. One thread of the inputs calls."""

    def contact(self, name: str, closed: bool) -> None:
        """A contact is closed, or open: as it is found first, and whenever it has changed."""

    def restless(self, name: str, error: str | None) -> None:
        """A contact does not stand still; None: it does again."""


@dataclass(slots=True)
class _Line:
    device: Any
    told: bool | None = None
    restless: bool | None = None


class GpioInputs:
    """Contacts between a line and ground (pulled up here), or, ``active_high``, between a line and 3.3 V.

    ``failed`` tells which lines could not be had, and why: the others are watched all the same.
    """

    def __init__(self, contacts: Mapping[str, ContactSettings], pins: PinSettings) -> None:
        """Lines belong to this from now on; ``start`` begins to tell."""
        self.failed: dict[str, str] = {}
        self._lines: dict[str, _Line] = {}
        self._edge = threading.Event()
        self._thread: threading.Thread | None = None
        self._closing = False
        for name, contact in contacts.items():
            try:
                pull_up, factory = not contact.active_high, pin_factory(pins)
                device = DigitalInputDevice(contact.pin, pull_up=pull_up, pin_factory=factory)
            except Exception as error:  # gpiozero's factories raise errors of many families
                self.failed[name] = f"GPIO{contact.pin}: {type(error).__name__}: {error}"
                continue
            device.when_activated = device.when_deactivated = self._edge.set
            self._lines[name] = _Line(device)

    def watches(self, name: str) -> bool:
        """Tell whether a contact's line is there."""
        return name in self._lines

    def start(self, heard: InputsHeard) -> None:
        """Begin to tell."""
        self._thread = threading.Thread(target=self._run, args=(heard,), name="inputs", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Tell no more."""
        self._closing = True
        self._edge.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self, heard: InputsHeard) -> None:
        while not self._closing:
            self._edge.clear()
            for name, line in self._lines.items():
                self._look(name, line, heard)
            self._edge.wait(LOOK_AGAIN_S)

    def _look(self, name: str, line: _Line, heard: InputsHeard) -> None:
        closed = self._settled(line)
        if self._closing:
            return
        if (closed is None) is not line.restless:
            line.restless = closed is None
            heard.restless(name, "never stands still" if closed is None else None)
        if closed is not None and closed is not line.told:
            line.told = closed
            heard.contact(name, closed)

    def _settled(self, line: _Line) -> bool | None:
        """The level once it has stood still; None when it does not."""
        closed, since_s = bool(line.device.value), time.monotonic()
        begun_s = since_s
        while (now_s := time.monotonic()) < since_s + SETTLED_S:
            time.sleep(LOOK_S)
            if bool(line.device.value) != closed:
                closed, since_s = not closed, time.monotonic()
            if now_s > begun_s + RESTLESS_S or self._closing:
                time.sleep(0 if self._closing else RESTLESS_S)  # pulses that go on must not keep this thread busy
                return None
        return closed
