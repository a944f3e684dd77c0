"""Contacts that tell what relays really did: an auxiliary contact of a relay, or a second pole, on a line of its own.

A relay counts as switched once its contact says so, and has failed when that takes too long. After that the contact is
watched: a relay that drops out, or closes by itself, is told once for each time that it does. Contacts bounce, and
edges can be lost: an edge only says that the line is to be read, it is read again every second whatever the edges say,
and what is believed has stood still for a moment.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ttcs_edge.drivers.relays import Answer, RelayError

AGREES_S = 0.4
"""How long a relay and its contact may take: armatures need 5 to 50 ms, contactors 100."""
LOOK_S = 0.005
LOOK_AGAIN_S = 1.0
STEADY = 3
"""How many looks in a row must find the same."""


@dataclass(slots=True)
class _Contact:
    """A contact's line; what its relay was told and until when they may differ, and who waits for them to agree."""

    device: Any
    pin: int
    wanted: bool = False
    until_mono_s: float | None = None
    answer: Answer | None = None
    seen: bool = False
    looks: int = 0


class Contacts:
    """The contacts of some relays. ``devices`` are gpiozero inputs, active when the relay is closed, by subject."""

    def __init__(self, devices: Mapping[str, tuple[int, Any]]) -> None:
        self._contacts = {subject: _Contact(device, pin) for subject, (pin, device) in devices.items()}
        self._fail: Callable[[RelayError], None] = lambda error: None
        self._lock = threading.Lock()
        self._asked = threading.Event()
        self._closing = False
        for contact in self._contacts.values():
            contact.device.when_activated = contact.device.when_deactivated = self._asked.set
        self._thread = threading.Thread(target=self._run, name="contacts", daemon=True)
        self._thread.start()

    def __contains__(self, subject: str) -> bool:
        return subject in self._contacts

    def watch(self, fail: Callable[[RelayError], None]) -> None:
        """Tell of relays that move by themselves from now on, on a thread of this."""
        self._fail = fail

    def expect(self, subject: str, closed: bool, answer: Answer) -> None:
        """A relay was told something; ``answer`` hears whether its contact agrees, on a thread of this."""
        contact = self._contacts[subject]
        with self._lock:
            contact.wanted, contact.answer, contact.looks = closed, answer, 0
            contact.until_mono_s = time.monotonic() + AGREES_S
        self._asked.set()

    def close(self) -> None:
        """Look no more."""
        self._closing = True
        self._asked.set()
        self._thread.join(AGREES_S)

    def _run(self) -> None:
        while not self._closing:
            self._asked.clear()
            while self._look_at_all():
                time.sleep(LOOK_S)
            self._asked.wait(LOOK_AGAIN_S)

    def _look_at_all(self) -> bool:
        """Tell whether any is to be looked at again at once."""
        again = [self._look(subject, contact) for subject, contact in self._contacts.items()]
        return any(again)

    def _look(self, subject: str, contact: _Contact) -> bool:
        """Look at one contact; tell whether to look again at once."""
        with self._lock:
            found = bool(contact.device.value)
            contact.looks = contact.looks + 1 if found == contact.seen else 1
            contact.seen = found
            if contact.looks < STEADY:
                return True
            if found == contact.wanted:
                contact.until_mono_s = None
                self._tell(contact, None)
                return False
            now_s = time.monotonic()
            if contact.until_mono_s is None:  # it moved by itself
                contact.until_mono_s = now_s + AGREES_S
            if now_s < contact.until_mono_s:
                return True
            error = RelayError(subject, f"contact GPIO{contact.pin}", f"reads {int(found)} after {int(contact.wanted)}")
            contact.wanted = found  # what it is now is known: it is told again when it moves again
            waits = contact.answer is not None
            self._tell(contact, error)
        if not waits:
            self._fail(error)
        return False

    def _tell(self, contact: _Contact, error: RelayError | None) -> None:
        answer, contact.answer = contact.answer, None
        if answer is not None:
            answer(error)
