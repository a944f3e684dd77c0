"""Receivers on poles that are opened and closed by digits in the sound itself, over an FM transmitter whose key is a
relay here: the wireless stations that most communes have.

The key goes down before the first digits and up behind the last, and stays down while a receiver is open: without a
carrier all of them are silent. Nobody answers: what was dialled whole counts as heard.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping

from ttcs_edge.core.limits import LIMITS
from ttcs_edge.drivers.relays import Answer, RelayError
from ttcs_edge.settings import CodeSettings, TransmitterSettings

Dial = Callable[[str, int, int, Callable[[str | None], None]], None]
"""Have digits sound, each so many milliseconds, with such gaps; the callback hears None when all of it was written, or
why not.
"""
PATIENCE_S = 3.0
"""How much longer than its digits a dialling may take."""


class CodedReceivers:
    """The zones behind one transmitter, each with its codes. ``key`` switches its relay; it raises RelayError."""

    def __init__(
        self,
        settings: TransmitterSettings,
        codes: Mapping[str, CodeSettings],
        key: Callable[[bool], None],
        dial: Dial,
    ) -> None:
        self._settings = settings
        self._codes = codes
        self._key = key
        self._dial = dial
        self._states = dict.fromkeys(codes, False)
        self._closed_once = not settings.close_all_code
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
            self._states = dict.fromkeys(self._codes, False)
            self._closed_once = not self._settings.close_all_code
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

    def _switch(self, subject: str, closed: bool) -> None:
        code = self._codes[subject]
        self._states[subject] = False  # whatever comes of it, no carrier stays for this one's sake
        try:
            self._key_down()
            if not self._closed_once:
                self._sound(subject, self._settings.close_all_code)
                self._closed_once = True
            self._sound(subject, code.open if closed else code.close)
            with self._lock:
                if not self._is_down:
                    raise RelayError(subject, "FM", "the carrier was taken away")
                self._states[subject] = closed
        except RelayError:
            self._closed_once = not self._settings.close_all_code  # it may have heard, or not
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
