"""The thread that looks after the modem: rarely while all is well, every minute while the link is gone.

What it finds is told when it is news: of the signal, that it moved by ``TOLD_DB``; of the bytes, each ``TOLD_BYTES``,
and what is left every hour. It takes the steps of a cure that are taken by asking; the supply is a relay, and switched
where relays are. A station without a modem has none of this, and loads nothing for it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from ttcs_edge.core.effects import CureModem
from ttcs_edge.core.events import CureDone, DataCounted, Event, ModemFailed, ModemRead
from ttcs_edge.core.model import MODEM, CureStep, ModemReading
from ttcs_edge.settings import ModemSettings

if TYPE_CHECKING:
    from ttcs_edge.drivers.modem import Modem
    from ttcs_edge.drivers.relays import RelayError, Relays

DOWN_S = 60.0
FAILED_S = 30.0
"""How soon one is asked again while the link is gone, and when it did not answer; never more rarely than otherwise."""
LEAST_S = 5.0
"""A link that comes and goes has it asked no more often than this."""
TOLD_DB = 6
TOLD_BYTES = 1_000_000
TOLD_S = 3_600.0
STEPS_WAITING = 4


class Watched(Protocol):
    """What the daemon does with a modem, or with none. Nothing of it waits."""

    def start(self) -> None:
        """Begin to look."""

    def link(self, up: bool) -> None:
        """The link came, or is gone."""

    def take(self, effect: CureModem) -> None:
        """Have a step of a cure taken; ``CureDone`` follows."""

    def close(self, timeout_s: float) -> None:
        """End."""


class NoModem:
    """A station whose link is somebody else's affair."""

    def start(self) -> None:
        """There is nothing to look at."""

    def link(self, up: bool) -> None:
        """Nobody asks why."""

    def take(self, effect: CureModem) -> None:
        """The core asks for none."""
        raise AssertionError(f"{effect} without a modem")

    def close(self, timeout_s: float) -> None:
        """There is nothing to end."""


class ModemWatch:
    """Owns the modem. Its steps are taken in order, one at a time."""

    def __init__(self, modem: Modem, every_s: float, relays: Relays, post: Callable[[Event], None]) -> None:
        self._modem = modem
        self._every_s = every_s
        self._relays = relays
        self._post = post
        self._steps: deque[CureStep] = deque(maxlen=STEPS_WAITING)
        self._changed = threading.Condition()
        self._link_up = False
        self._closing = False
        self._told: ModemReading | str | None = None
        self._counted: tuple[int, int] | None = None
        self._counted_s = 0.0
        self._look_s = 0.0
        self._looked_s = -LEAST_S
        self._thread = threading.Thread(target=self._run, name="modem", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def link(self, up: bool) -> None:
        """Look at once: why it is gone, or what brought it back."""
        with self._changed:
            self._link_up = up
            self._look_s = 0.0
            self._changed.notify()

    def take(self, effect: CureModem) -> None:
        """The relay opens and closes here, for one thread tells relays; the rest is asked on the own thread."""
        if effect.step in (CureStep.POWER_OFF, CureStep.POWER_ON):
            self._relays.tell(MODEM, effect.step is CureStep.POWER_OFF, self._answer_of(effect.step))
            return
        with self._changed:
            self._steps.append(effect.step)
            self._changed.notify()

    def close(self, timeout_s: float) -> None:
        """End, unless a question is under way: that ends with the process."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _answer_of(self, step: CureStep) -> Callable[[RelayError | None], None]:
        return lambda error: self._post(CureDone(step, "" if error is None else str(error)))

    def _run(self) -> None:
        while not self._closing:
            step = self._next()
            if step is not None:
                self._cure(step)
            elif not self._closing:
                self.look(time.monotonic())

    def _next(self) -> CureStep | None:
        """Wait for a step; None when it is time to look."""
        with self._changed:
            while not self._steps and not self._closing:
                wait_s = max(self._look_s, self._looked_s + LEAST_S) - time.monotonic()
                if wait_s <= 0:
                    return None
                self._changed.wait(wait_s)
            return self._steps.popleft() if self._steps and not self._closing else None

    def _cure(self, step: CureStep) -> None:
        from ttcs_edge.drivers.at import AtError

        error = ""
        try:
            self._modem.cure(step)
        except AtError as failed:
            error = str(failed)
        self._post(CureDone(step, error))

    def look(self, mono_s: float) -> None:
        """Ask once, count once, and tell what is news."""
        from ttcs_edge.drivers.at import AtError

        try:
            self._hear(self._modem.read())
            answers = True
        except AtError as error:
            if self._told != error.code:
                self._told = error.code
                self._post(ModemFailed(error.code, str(error)))
            answers = False
        self._count(mono_s)
        with self._changed:
            rest_s = self._every_s if answers else min(FAILED_S, self._every_s)
            self._looked_s = time.monotonic()
            self._look_s = self._looked_s + (rest_s if self._link_up else min(DOWN_S, rest_s))

    def _hear(self, reading: ModemReading) -> None:
        told = self._told
        if not isinstance(told, ModemReading) or _is_news(told, reading):
            self._told = reading
            self._post(ModemRead(reading))

    def _count(self, mono_s: float) -> None:
        counted, before = self._modem.count(), self._counted
        if counted is None or counted == before:
            return
        is_other = before is None or counted[1] != before[1]
        grown_bytes = 0 if before is None else counted[0] - before[0]
        if is_other or not 0 <= grown_bytes < TOLD_BYTES or mono_s >= self._counted_s + TOLD_S:
            self._counted, self._counted_s = counted, mono_s
            self._post(DataCounted(*counted))


def _is_news(told: ModemReading, reading: ModemReading) -> bool:
    """A signal wanders by a few dB all the time."""
    same = (told.sim, told.registration, told.operator) == (reading.sim, reading.registration, reading.operator)
    if not same or told.signal_dbm is None or reading.signal_dbm is None:
        return told != reading
    return abs(told.signal_dbm - reading.signal_dbm) >= TOLD_DB


def modem_watch(settings: ModemSettings | None, relays: Relays, post: Callable[[Event], None]) -> Watched:
    """What a station has of it."""
    if settings is None:
        return NoModem()
    from ttcs_edge.drivers.modem import SerialModem

    return ModemWatch(SerialModem(settings), settings.every_s, relays, post)
