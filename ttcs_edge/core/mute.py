"""Silence that somebody at the station wants, by the mute key or by ``ttcs-edge mute``: at once, but for alerts.

The rules:

1. Silence that somebody wants has the air, before everything but alerts (air-1). So what it cuts off, and what is due
   under it, is treated as by a cue that has the air: it goes on, begins late or is dropped as its slot says (air-2,
   air-6), and what was not heard is told so, with the reason ``muted`` (never-9). An alert is heard as ever (air-5).
2. A press mutes; the next press lets the station be heard again, and so do ``most_ms``. A restart does, too. Silence
   that was asked for by the command is the same silence, for as long as was asked: the key ends it, as the command ends
   that of the key.
3. A key that was down when the station began, is held down for ``HELD_MOST_MS``, or is pressed ``PRESSES_MOST`` times
   within ``PRESSES_MS`` is stuck: nobody presses so. It mutes nothing until it was let go, or was quiet for as long;
   and it ends nothing that the command has begun.

It needs neither the time nor the link (air-7).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from msgspec import Struct

from ttcs_edge.core import events
from ttcs_edge.core.cues import Cues
from ttcs_edge.core.model import Instant, StationSettings

MUTE = "mute"
"""What faults call the key."""
MUTED, STUCK = "muted", "mute-key-stuck"
HELD_MOST_MS = 30_000
PRESSES_MOST = 10
PRESSES_MS = 600_000
"""A loose contact must not fill the audit trail, nor wear out the card."""
BY_KEY, BY_PERSON, TIME_LIMIT = "key", "command", "time-limit"


class Turned(Struct, frozen=True):
    """The station was muted, or is heard again: by the key, by somebody's command, by its time, or because the key is
    stuck.
    """

    muted: bool
    why: str


@dataclass(slots=True)
class Mute:
    """The key, and until when the station is muted by it."""

    settings: StationSettings
    cues: Cues
    was_up: bool = False
    down_since_mono_ms: int | None = None
    began_down: bool = False
    until_mono_ms: int | None = None
    length_ms: int = 0
    by_key: bool = True
    presses: deque[int] = field(default_factory=lambda: deque(maxlen=PRESSES_MOST))

    def changed(self, event: events.MuteKeyChanged, now: Instant) -> Turned | None:
        """The key went down, or up; tell what came of it."""
        most_ms = self.settings.mute_most_ms
        if not event.down:
            self.was_up, self.down_since_mono_ms = True, None
            return None
        if most_ms is None or self.down_since_mono_ms is not None:
            return None
        self.down_since_mono_ms, self.began_down = now.mono_ms, not self.was_up
        self.presses.append(now.mono_ms)
        if self.is_stuck(now):
            return self._release(STUCK, now) if self.by_key else None
        if self.until_mono_ms is not None:
            return self._release(BY_KEY, now)
        return self._mute(most_ms, BY_KEY, now)

    def ask(self, length_ms: int, now: Instant) -> Turned | None:
        """Somebody at the station wants it silent for so long from now on, or heard again (0)."""
        return self._mute(length_ms, BY_PERSON, now) if length_ms else self._release(BY_PERSON, now)

    def watch(self, now: Instant) -> Turned | None:
        """Let the station be heard again when its time is over, or the key proves to be stuck; tell that."""
        if self.by_key and self.is_stuck(now):
            return self._release(STUCK, now)
        is_over = self.until_mono_ms is not None and now.mono_ms >= self.until_mono_ms
        return self._release(TIME_LIMIT, now) if is_over else None

    def is_stuck(self, now: Instant) -> bool:
        """Tell whether nobody would press it so."""
        held_ms = 0 if self.down_since_mono_ms is None else now.mono_ms - self.down_since_mono_ms
        is_down = self.down_since_mono_ms is not None
        return (is_down and self.began_down) or held_ms >= HELD_MOST_MS or self._flutters_until(now) is not None

    @property
    def is_known(self) -> bool:
        """Tell whether anybody has said how the key is, where there is one: until then a fault of before stands."""
        return self.settings.mute_most_ms is None or self.was_up or self.down_since_mono_ms is not None

    def wake_mono_ms(self, now: Instant) -> int | None:
        """When something here changes by time alone."""
        held_ms = None if self.down_since_mono_ms is None else self.down_since_mono_ms + HELD_MOST_MS
        moments = (self.until_mono_ms, held_ms, self._flutters_until(now))
        return min((ms for ms in moments if ms is not None and ms > now.mono_ms), default=None)

    def _flutters_until(self, now: Instant) -> int | None:
        """Until when it is too quick to be a hand; None when it is not."""
        if len(self.presses) < PRESSES_MOST or self.presses[-1] - self.presses[0] >= PRESSES_MS:
            return None
        until_ms = self.presses[-1] + PRESSES_MS
        return until_ms if now.mono_ms < until_ms else None

    def _mute(self, length_ms: int, why: str, now: Instant) -> Turned:
        self.until_mono_ms, self.length_ms, self.by_key = now.mono_ms + length_ms, length_ms, why == BY_KEY
        self.cues.muted = True
        return Turned(True, why)

    def _release(self, why: str, now: Instant) -> Turned | None:
        if self.until_mono_ms is None:
            return None
        self.until_mono_ms, self.cues.muted = None, False
        self.cues.queue_anew(now)
        return Turned(False, why)
