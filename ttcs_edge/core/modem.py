"""The modem: what of its readings is a fault, and what is done when it hangs.

It hangs when the link is gone and nobody answers: no name is found, nothing is heard. An answer of any kind, a refusal
or a certificate too, means that the modem works, and that the mend lies elsewhere. Then, one after the other:

1. ``RECONNECT``, after ``cure_after_ms``: it leaves the network and looks for it anew (AT+CFUN=4, AT+CFUN=1; 3GPP TS
   27.007, 8.2). It stays on the bus, and whoever keeps the connection (NetworkManager, ModemManager, the modem itself)
   sees a cell that was lost and found.
2. ``RESTART``, after as long again: it starts anew (AT+CFUN=1,1), vanishes from the bus and comes back.
3. ``POWER_OFF`` for ``CUT_MS``, then ``POWER_ON``: only where a relay can cut its supply.

A step that could not be taken is followed by the next at once; one that was taken has ``cure_after_ms`` to help. Behind
the last one there is a rest, longer each time (``REST_FIRST``, ``REST_MOST``, in spans of ``cure_after_ms``). The cure
ends with proof: the link is up. When it has been up for the first rest, the next cure begins with short rests again.

Never: a step while an alert sounds or a person speaks (but the supply is given back on time, whatever happens); more
than ``STEPS_A_DAY``; a step for a SIM that wants its PIN or PUK, which only a person can give.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from ttcs_edge.core.effects import CureModem
from ttcs_edge.core.events import ConditionChanged, CureDone, LinkChanged, ModemFailed
from ttcs_edge.core.model import MODEM, CureStep, Modem, ModemReading, Registration, SimState

CUT_MS = 10_000
"""For how long it has no power: its capacitors are empty by then."""
ON_AGAIN_MS = 10_000
"""When a relay that did not give the supply back is told again."""
ANSWER_MOST_MS = 180_000
"""A step that says nothing for so long could not be taken; a modem may take 15 s for each AT+CFUN."""
REST_FIRST, REST_MOST = 6, 36
STEPS_A_DAY = 24
DAY_MS = 86_400_000
WEAK_DBM, GOOD_DBM = -103, -97
"""At or below the first the signal is weak, from the second on it is not any more: 5 and 8 of AT+CSQ."""

GONE_REASONS = frozenset({"lost", "unreachable", "dns", "timeout"})
"""Of ``link.backoff.RETRY``: nobody answered. With any other reason somebody did."""
REFUSED = "[Errno 111]"
"""ECONNREFUSED, as the text of an error has it: a machine answered that nothing listens there."""

SILENT_FAULTS = ("modem-gone", "modem-taken", "modem-silent")
READING_FAULTS = ("sim-missing", "sim-pin", "sim-puk", "network-denied", "not-registered", "signal-weak")
CURE = "modem-cure"
FAULTS = frozenset({*SILENT_FAULTS, *READING_FAULTS, CURE, "data-budget", "data-used-up"})
_OF_SIM = {state: f"sim-{state.value}" for state in (SimState.MISSING, SimState.PIN, SimState.PUK)}
_OF_NETWORK = {
    Registration.DENIED: "network-denied",
    Registration.SEARCHING: "not-registered",
    Registration.UNKNOWN: "not-registered",
}
_NAMES = {CureStep.RECONNECT: "reconnect", CureStep.RESTART: "restart", CureStep.POWER_OFF: "power"}
"""The subject of the fault that tells of a step."""


@dataclass(slots=True)
class ModemCare:
    """What is known of the modem, and where its cure stands. Without a modem it does nothing."""

    settings: Modem | None
    reading: ModemReading | None = None
    signal_dbm: int = 0
    """The last that was measured."""
    is_weak: bool = False
    down_mono_ms: int | None = None
    up_mono_ms: int | None = None
    next_mono_ms: int = 0
    rung: int = 0
    rounds: int = 0
    asked: CureStep | None = None
    asked_mono_ms: int = 0
    cut_mono_ms: int | None = None
    """When its supply is to be given back; None: it has power."""
    is_held_up: bool = False
    taken: deque[int] = field(default_factory=lambda: deque(maxlen=STEPS_A_DAY))
    """When the last steps were begun."""

    @property
    def ladder(self) -> tuple[CureStep, ...]:
        """The steps that there are for this modem."""
        gentle = (CureStep.RECONNECT, CureStep.RESTART)
        return (*gentle, CureStep.POWER_OFF) if self.settings is not None and self.settings.has_relay else gentle

    def cures(self, now_mono_ms: int) -> int:
        """How many steps were taken within a day."""
        return sum(at_ms > now_mono_ms - DAY_MS for at_ms in self.taken)

    def stale(self, faults: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Those faults of an earlier life that nothing can ever clear: there is no modem any more."""
        return [] if self.settings is not None else [key for key in faults if key[0] in FAULTS]

    def read(self, reading: ModemReading) -> list[ConditionChanged]:
        """It answered; gives what that says, of which nothing may be new."""
        self.reading = reading
        if reading.signal_dbm is not None:
            self.signal_dbm = reading.signal_dbm
            self.is_weak = reading.signal_dbm <= (GOOD_DBM - 1 if self.is_weak else WEAK_DBM)
        found = _OF_SIM.get(reading.sim)
        if found is None and reading.sim is SimState.READY:
            found = _OF_NETWORK.get(reading.registration)
        present = {found, "signal-weak" if self.is_weak else None}
        told = (("dbm", str(self.signal_dbm)),)
        conditions = [ConditionChanged(code, MODEM, False) for code in SILENT_FAULTS]
        return conditions + [ConditionChanged(code, MODEM, code in present, told) for code in READING_FAULTS]

    def failed(self, event: ModemFailed) -> list[ConditionChanged]:
        """It did not answer."""
        self.reading = None
        told = (("error", event.error),)
        return [ConditionChanged(code, MODEM, code == event.code, told) for code in SILENT_FAULTS]

    def link(self, event: LinkChanged, now_mono_ms: int) -> list[ConditionChanged]:
        """The link came, or is gone; a link that is there ends the cure."""
        if self.settings is None:
            return []
        error = dict(event.detail).get("error", "")
        if event.up or event.reason not in GONE_REASONS or REFUSED in error:
            self.down_mono_ms, self.rung = None, 0
            if event.up:
                self.up_mono_ms = now_mono_ms
            return [ConditionChanged(CURE, name, False) for name in _NAMES.values()]
        if self.down_mono_ms is None:
            self.down_mono_ms = now_mono_ms
            patience_ms = self.settings.cure_after_ms
            if self.up_mono_ms is not None and now_mono_ms >= self.up_mono_ms + REST_FIRST * patience_ms:
                self.rounds, self.next_mono_ms = 0, 0
            self.up_mono_ms = None
            self.next_mono_ms = max(self.next_mono_ms, now_mono_ms + patience_ms)
        return []

    def follow(self, now_mono_ms: int, *, is_held_up: bool) -> list[CureModem]:
        """Give the step that is due; ``is_held_up`` tells that something sounds that a modem must not disturb."""
        if self.settings is None:
            return []
        if self.asked is not None and now_mono_ms >= self.asked_mono_ms + ANSWER_MOST_MS:
            self.done(CureDone(self.asked, "says nothing"), now_mono_ms)
        self.is_held_up = is_held_up
        if self.asked is not None:
            return []
        if self.cut_mono_ms is not None:
            return self._ask(CureStep.POWER_ON, now_mono_ms) if now_mono_ms >= self.cut_mono_ms else []
        if self._rests or now_mono_ms < self.next_mono_ms:
            return []
        if self.cures(now_mono_ms) >= STEPS_A_DAY:
            self.next_mono_ms = self.taken[0] + DAY_MS
            return []
        self.taken.append(now_mono_ms)
        return self._ask(self.ladder[self.rung], now_mono_ms)

    def told(self, step: CureStep, now_mono_ms: int) -> ConditionChanged | None:
        """What a step that begins tells; that the power comes back is a part of its being cut."""
        if step not in _NAMES or self.down_mono_ms is None:
            return None
        minutes = (now_mono_ms - self.down_mono_ms) // 60_000
        return ConditionChanged(CURE, _NAMES[step], True, (("minutes", str(minutes)),))

    def done(self, event: CureDone, now_mono_ms: int) -> None:
        """A step was taken, or could not be."""
        if self.settings is None or event.step is not self.asked:
            return
        self.asked = None
        if event.step is CureStep.POWER_ON:
            self.cut_mono_ms = now_mono_ms + ON_AGAIN_MS if event.error else None
            return
        if event.step is CureStep.POWER_OFF:
            self.cut_mono_ms = now_mono_ms + (0 if event.error else CUT_MS)
        if self.down_mono_ms is None:
            return  # the link is back already
        patience_ms, last = self.settings.cure_after_ms, self.rung + 1 >= len(self.ladder)
        self.rung = 0 if last else self.rung + 1
        if last:
            rest = min(REST_FIRST * 2**self.rounds, REST_MOST)
            self.rounds = min(self.rounds + 1, REST_MOST)
            self.next_mono_ms = now_mono_ms + rest * patience_ms
        else:
            self.next_mono_ms = now_mono_ms + (0 if event.error else patience_ms)

    def wake_mono_ms(self) -> int | None:
        """When the next step is due, or the word of one is overdue."""
        if self.settings is None:
            return None
        if self.asked is not None:
            return self.asked_mono_ms + ANSWER_MOST_MS
        return self.cut_mono_ms if self.cut_mono_ms is not None else None if self._rests else self.next_mono_ms

    @property
    def _rests(self) -> bool:
        """Nothing is to be done, whatever the time is."""
        locked = self.reading is not None and self.reading.sim in (SimState.PIN, SimState.PUK)
        return self.down_mono_ms is None or locked or self.is_held_up

    def _ask(self, step: CureStep, now_mono_ms: int) -> list[CureModem]:
        self.asked, self.asked_mono_ms = step, now_mono_ms
        return [CureModem(step)]
