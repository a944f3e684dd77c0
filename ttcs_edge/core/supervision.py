"""Faults: raised once, debounced, cleared when the condition is gone. One table says how much each matters.

A fault is known by its code and its subject. While it is there, hearing of it again changes nothing (one clear fault
for each bad input); when its condition ends before its debounce time is over, nobody is told, and what is told then is
what was heard last: a link is lost first, and why it does not come back shows at the next try. What happened once and
has no end of its own is over when it was not heard of again for a while. What is refused, and good again, and refused
again, stays once it has come a few times, until it is quiet: whoever sends a forged document in turn with the good one
must not fill the outbox with it, nor wear out the card. So does a door whose contact is loose.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from ttcs_edge.core.effects import Entry, FaultCleared, FaultRaised
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import ALERT_PREFIX, LIVE_PREFIX, Fault, Severity, WallMs

DEBOUNCE_MS = {
    "link-down": 5_000,
    "too-hot": 60_000,
    "memory-low": 60_000,
    "disk-low": 60_000,
    "meter-silent": 60_000,
    "mains-voltage": 60_000,
    "modem-gone": 180_000,
    "modem-taken": 180_000,
    "modem-silent": 180_000,
    "not-registered": 300_000,
    "network-denied": 300_000,
    "signal-weak": 600_000,
    "monitor-silent": 30_000,
}

OVER_AFTER_MS = {
    "link-callback": 3_600_000,
    "report-refused": 3_600_000,
    "store-damaged": 86_400_000,
    "records-lost": 86_400_000,
}
"""What happens and is past: for how long it is shown."""

SEVERITY = {
    "link-down": Severity.WARNING,
    "session-taken-over": Severity.ERROR,
    "subscription-refused": Severity.ERROR,
    "sound-device": Severity.ERROR,
    "sound-input": Severity.ERROR,
    "live-lost": Severity.ERROR,
    "zones-left-out": Severity.WARNING,
    "stream-host": Severity.ERROR,
    "stream-plain": Severity.ERROR,
    "stream-tls": Severity.ERROR,
    "stream-away": Severity.ERROR,
    "stream-not-audio": Severity.ERROR,
    "microphone-stuck": Severity.ERROR,
    "microphone-key": Severity.ERROR,
    "muted": Severity.WARNING,
    "mute-key-stuck": Severity.ERROR,
    "mute-key": Severity.ERROR,
    "player-died": Severity.ERROR,
    "relay": Severity.ERROR,
    "amplifier-dead": Severity.ERROR,
    "amplifier-stuck": Severity.ERROR,
    "amplifier-overload": Severity.ERROR,
    "amplifier-rest": Severity.WARNING,
    "line-open": Severity.ERROR,
    "line-short": Severity.ERROR,
    "meter-silent": Severity.WARNING,
    "mains-voltage": Severity.WARNING,
    "mains-lost": Severity.WARNING,
    "battery-low": Severity.ERROR,
    "supply-silent": Severity.WARNING,
    "door-open": Severity.WARNING,
    "box-hot": Severity.WARNING,
    "box-cold": Severity.WARNING,
    "thermometer-silent": Severity.WARNING,
    "box-contact": Severity.WARNING,
    "fan": Severity.WARNING,
    "modem-gone": Severity.WARNING,
    "modem-taken": Severity.WARNING,
    "modem-silent": Severity.WARNING,
    "modem-cure": Severity.WARNING,
    "sim-missing": Severity.ERROR,
    "sim-pin": Severity.ERROR,
    "sim-puk": Severity.ERROR,
    "network-denied": Severity.ERROR,
    "not-registered": Severity.WARNING,
    "signal-weak": Severity.WARNING,
    "data-budget": Severity.WARNING,
    "data-used-up": Severity.ERROR,
    "off-air-silent": Severity.ERROR,
    "off-air-distorted": Severity.WARNING,
    "off-air-foreign": Severity.ERROR,
    "monitor-silent": Severity.WARNING,
    "cue-missed": Severity.ERROR,
    "cue-substituted": Severity.WARNING,
    "silence": Severity.ERROR,
    "no-voice": Severity.ERROR,
    "speech-too-slow": Severity.ERROR,
    "speech-failed": Severity.ERROR,
    "no-time": Severity.WARNING,
    "programme-expired": Severity.ERROR,
    "programme-revoked": Severity.ERROR,
    "programme-withheld": Severity.ERROR,
    "trust-withheld": Severity.ERROR,
    "alert-withheld": Severity.ERROR,
    "centre-silent": Severity.WARNING,
    "trust-expired": Severity.ERROR,
    "certificate-ends": Severity.WARNING,
    "certificate-over": Severity.ERROR,
    "store-failing": Severity.ERROR,
    "store-full": Severity.ERROR,
    "store-in-memory": Severity.ERROR,
    "outbox-full": Severity.ERROR,
    "store-damaged": Severity.ERROR,
    "records-lost": Severity.ERROR,
    "card-errors": Severity.ERROR,
    "card-lies": Severity.ERROR,
    "card-read-only": Severity.ERROR,
    "card-worn": Severity.WARNING,
    "disk-low": Severity.WARNING,
    "memory-low": Severity.WARNING,
    "restarting": Severity.ERROR,
    "too-hot": Severity.WARNING,
    "under-voltage": Severity.ERROR,
}
"""What is not named here came from outside and was refused or failed: a warning."""

REFUSED_OVER_MS = 86_400_000
"""A refused command, alert or live segment is past, too, whatever its code: the next good one may never come."""

RESTLESS = frozenset({"door-open", "mains-lost", "battery-low", "box-hot", "box-cold"})
"""What may come and go as often as the weather has it."""
COMES_MOST = 8
QUIET_MS = 600_000
"""How often one of those, or something refused, may come and go before it stays, and for how long it must then be good.
"""

Detail = tuple[tuple[str, str], ...]
Key = tuple[str, str]


@dataclass(slots=True)
class Supervision:
    """The faults that are there, and the conditions that may become faults. ``next_id`` derives ids."""

    boot: int
    sequence: int = 0
    open: dict[Key, Fault] = field(default_factory=dict)
    pending: dict[Key, tuple[int, Detail]] = field(default_factory=dict)
    heard_mono_ms: dict[Key, int] = field(default_factory=dict)
    comings: dict[Key, tuple[int, int]] = field(default_factory=dict)
    """How often each of what is refused has come of late, and when it was heard of last."""
    good_again: set[Key] = field(default_factory=set)
    """Those that came too often to be cleared before they have been quiet."""

    def remember(self, faults: Iterable[Fault], mono_ms: int) -> None:
        """Take over what an earlier life left open."""
        self.open = {(fault.code, fault.subject): fault for fault in faults}
        self.heard_mono_ms = {key: mono_ms for key in self.open if _over_after_ms(key) is not None}

    def raise_(self, code: str, subject: str, detail: Detail, wall_ms: WallMs, mono_ms: int) -> list[Entry]:
        """A condition is there. Gives the record to make when it is news and needs no debounce."""
        key = (code, subject)
        most = LIMITS.open_faults if code in SEVERITY else LIMITS.refused_faults
        if key not in self.open and len(self.open) >= most:
            return []
        if _over_after_ms(key) is not None:
            self.heard_mono_ms[key] = mono_ms
        self._comes(key, mono_ms)
        if key in self.open:
            return []
        if code in DEBOUNCE_MS:
            at_ms, _ = self.pending.get(key, (mono_ms + DEBOUNCE_MS[code], detail))
            self.pending[key] = (at_ms, detail)
            return []
        return [self._raised(key, detail, wall_ms)]

    def _comes(self, key: Key, mono_ms: int) -> None:
        count, _ = self.comings.get(key, (0, mono_ms))
        restless = key[0] in RESTLESS or key[0] not in SEVERITY
        if restless and (key in self.comings or len(self.comings) < LIMITS.refused_faults):
            self.comings[key] = (count + (key not in self.open), mono_ms)
            self.good_again.discard(key)

    def clear(self, code: str, subject: str, wall_ms: WallMs) -> list[Entry]:
        """A condition is gone. Gives the record to make, unless it comes and goes and must be quiet first."""
        key = (code, subject)
        self.pending.pop(key, None)
        if self.comings.get(key, (0, 0))[0] > COMES_MOST:
            self.good_again.add(key)
            return []
        return self._cleared(key, wall_ms)

    def _cleared(self, key: Key, wall_ms: WallMs) -> list[Entry]:
        self.heard_mono_ms.pop(key, None)
        self.good_again.discard(key)
        fault = self.open.pop(key, None)
        return [FaultCleared(replace(fault, cleared_ms=wall_ms))] if fault else []

    def clear_subject(self, subject: str, wall_ms: WallMs) -> list[Entry]:
        """Everything said of a subject is mended."""
        keys = [key for key in self.open if key[1] == subject]
        return [entry for code, name in keys for entry in self.clear(code, name, wall_ms)]

    def mature(self, wall_ms: WallMs, mono_ms: int) -> list[Entry]:
        """Raise what has been there for its debounce time, and clear what is past."""
        ripe = [(key, detail) for key, (at_ms, detail) in self.pending.items() if mono_ms >= at_ms]
        for key, _ in ripe:
            del self.pending[key]
        raised: list[Entry] = [self._raised(key, detail, wall_ms) for key, detail in ripe]
        past = [key for key, at_ms in self._past_mono_ms().items() if mono_ms >= at_ms]
        quiet = [key for key, (_, last_mono_ms) in self.comings.items() if mono_ms >= last_mono_ms + QUIET_MS]
        over = [key for key in quiet if key in self.good_again]
        for key in quiet:
            del self.comings[key]
        return raised + [entry for key in dict.fromkeys(past + over) for entry in self._cleared(key, wall_ms)]

    @property
    def wake_mono_ms(self) -> int | None:
        """When ``mature`` has something to do next."""
        ripe = [at_ms for at_ms, _ in self.pending.values()]
        quiet = [self.comings[key][1] + QUIET_MS for key in self.good_again]
        return min([*ripe, *self._past_mono_ms().values(), *quiet], default=None)

    def _past_mono_ms(self) -> dict[Key, int]:
        """When each of what happened and has no end of its own is past."""
        heard = self.heard_mono_ms.items()
        return {key: at_ms + over_ms for key, at_ms in heard if (over_ms := _over_after_ms(key)) is not None}

    def _raised(self, key: Key, detail: Detail, wall_ms: WallMs) -> FaultRaised:
        self.sequence += 1
        severity = SEVERITY.get(key[0], Severity.WARNING)
        told = tuple((name, writable(value)) for name, value in detail)
        fault = Fault(f"{self.boot}-f{self.sequence}", key[0], key[1], severity, told, wall_ms)
        self.open[key] = fault
        return FaultRaised(fault)


def _over_after_ms(key: Key) -> int | None:
    code, subject = key
    passes = subject.startswith("command:") or f"#{ALERT_PREFIX}" in subject or f"#{LIVE_PREFIX}" in subject
    return REFUSED_OVER_MS if passes and code not in SEVERITY else OVER_AFTER_MS.get(code)


def writable(text: str) -> str:
    """An error's text may hold what UTF-8 cannot write (a file name, say): no record may fail for it."""
    return text.encode("utf-8", "replace").decode("utf-8")
