"""Receivers on poles that are opened and closed over an FM transmitter whose key is a relay here, by digits in the
sound itself or by groups of its RDS encoder: the wireless stations that most communes have.

The key goes down before the first code and up behind the last, and stays down while a receiver is open: without a
carrier all of them are silent. No receiver answers: a code that went out whole counts as heard.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ttcs_edge.core.limits import LIMITS
from ttcs_edge.drivers.relays import Answer, RelayError
from ttcs_edge.settings import CodeSettings, TransmitterSettings

if TYPE_CHECKING:
    from ttcs_edge.drivers.rds import RdsEncoder

Dial = Callable[[str, int, int, Callable[[str | None], None]], None]
"""Have digits sound, each so many milliseconds, with such gaps; the callback hears None when all of it was written, or
why not.
"""
PATIENCE_S = 3.0
"""How much longer than its digits a dialling may take."""


class ByGroups:
    """The receivers that are told by RDS groups, each with its own, and what closes all of them, where there is any."""

    def __init__(self, encoder: RdsEncoder, groups: Mapping[str, CodeSettings], close_all: str) -> None:
        self.encoder = encoder
        self.groups = groups
        self.close_all = close_all

    def send(self, subject: str, group: str) -> None:
        """Have a group go out. Raises RelayError."""
        from ttcs_edge.drivers.rds import EncoderError

        try:
            self.encoder.send(group)
        except EncoderError as error:
            raise RelayError(subject, f"RDS {group}", str(error)) from error


class CodedReceivers:
    """The zones behind one transmitter, each with its codes. ``key`` switches its relay; it raises RelayError. Those of
    ``rds`` are told by groups, all others by digits.
    """

    def __init__(
        self,
        settings: TransmitterSettings,
        codes: Mapping[str, CodeSettings],
        key: Callable[[bool], None],
        dial: Dial,
        rds: ByGroups | None = None,
    ) -> None:
        self._settings = settings
        self._codes = codes
        self._key = key
        self._dial = dial
        self._rds = rds
        self._states = dict.fromkeys([*codes, *(rds.groups if rds is not None else ())], False)
        self._close_all = {"digits": settings.close_all_code, "groups": rds.close_all if rds is not None else ""}
        self._unsure = {kind for kind, code in self._close_all.items() if code}
        """By what kinds of codes receivers may be open that nobody here has opened."""
        self._is_down = False
        self._lock = threading.Lock()
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue(LIMITS.bus_jobs)
        self._thread = threading.Thread(target=self._run, name="transmitter", daemon=True)
        self._thread.start()

    def tell(self, subject: str, closed: bool, answer: Answer) -> None:
        """Have one receiver let sound through (``closed``, as a relay) or not; ``answer`` hears what became of it."""

        def switch() -> None:
            try:
                self._switch(subject, closed)
            except RelayError as error:
                answer(error)
            else:
                answer(None)

        try:
            self._jobs.put_nowait(switch)
        except queue.Full:
            answer(RelayError(subject, "FM", "too much waits for the transmitter"))

    def open_all(self) -> None:
        """Take the carrier away: all receivers are silent at once. Raises RelayError when the key fails."""
        with self._lock:
            self._states = dict.fromkeys(self._states, False)
            self._unsure = {kind for kind, code in self._close_all.items() if code}
            self._put_key(False)

    def states(self) -> dict[str, bool]:
        """Which receivers were opened."""
        return dict(self._states)

    def watch(self, fail: Callable[[RelayError], None]) -> None:
        """Of receivers nothing is ever seen."""

    def close(self) -> None:
        """Take the carrier away and let go."""
        self.open_all()
        self._jobs.put(None, timeout=PATIENCE_S)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
        if self._rds is not None:
            self._rds.encoder.close()

    def _switch(self, subject: str, closed: bool) -> None:
        by_groups = self._rds is not None and subject in self._rds.groups
        kind = "groups" if by_groups else "digits"
        code = self._rds.groups[subject] if self._rds is not None and by_groups else self._codes[subject]
        self._states[subject] = False  # whatever comes of it, no carrier stays for this one's sake
        try:
            self._key_down()
            if kind in self._unsure:
                self._send(subject, kind, self._close_all[kind])
                self._unsure.discard(kind)
            self._send(subject, kind, code.open if closed else code.close)
            with self._lock:
                if not self._is_down:
                    raise RelayError(subject, "FM", "the carrier was taken away")
                self._states[subject] = closed
        except RelayError:
            self._unsure |= {kind} if self._close_all[kind] else set()  # it may have heard, or not
            raise
        finally:
            with self._lock:
                if not any(self._states.values()):
                    self._put_key(False)

    def _key_down(self) -> None:
        with self._lock:
            if self._is_down:
                return
            self._put_key(True)
        time.sleep(self._settings.key_lead_ms / 1_000)

    def _send(self, subject: str, kind: str, code: str) -> None:
        if kind == "groups" and self._rds is not None:
            self._rds.send(subject, code)
        else:
            self._sound(subject, code)

    def _sound(self, subject: str, digits: str) -> None:
        """Have a code sound, and wait for its end."""
        heard: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        settings = self._settings
        self._dial(digits, settings.digit_ms, settings.gap_ms, heard.put)
        try:
            failure = heard.get(timeout=len(digits) * (settings.digit_ms + settings.gap_ms) / 1_000 + PATIENCE_S)
        except queue.Empty:
            failure = "no end"
        if failure is not None:
            raise RelayError(subject, f"FM {digits}", failure)

    def _put_key(self, down: bool) -> None:
        self._key(down)
        self._is_down = down
