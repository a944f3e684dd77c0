"""Who presses the mute key, and what must hold of it.

``Hand`` is the key, which is a thing of its own: it may be down while the power is off. ``Muting`` keeps its own book
of when the station is muted, by what it was told of the key alone; the other rules ask the world.
"""

from __future__ import annotations

from collections import deque

from tests.simulation.microphone import Person
from tests.simulation.shell import Violation
from tests.simulation.world import Rule, World
from ttcs_edge.core import effects, events

HELD_MS = 30_000
QUICK, QUICK_MS = 10, 600_000
MUTED, STUCK = ("muted", "mute"), ("mute-key-stuck", "mute")


class Hand(Person):
    """The mute key and its driver."""

    event = events.MuteKeyChanged


class Muting(Rule):
    """Muted from a press to the next, or for so long; never by a key that nobody would press so; and never an alert."""

    def __init__(self) -> None:
        self.was_up = False
        self.down_ms: int | None = None
        self.began_down = False
        self.until_ms: int | None = None
        self.by_key = True
        self.by_command = False
        self.presses: deque[int] = deque(maxlen=QUICK)
        self.told: list[str] = []
        self.turns: list[str] = []

    def power_on(self, world: World) -> None:
        """A new life is not muted, and knows nothing of the key."""
        self.was_up, self.down_ms, self.until_ms = False, None, None
        self.presses.clear()
        self.told, self.turns = [], []
        world.muted = False

    def hears(self, world: World, event: events.Event) -> None:
        """Enter what the key does, and what time does."""
        before = self.until_ms is not None
        if isinstance(event, events.MuteKeyChanged):
            self._key(world, event.down)
        if isinstance(event, events.MuteAsked):
            self._command(world, event.length_ms)
        late = self.until_ms is not None and world.mono_ms >= self.until_ms
        if late or (self.by_key and self._is_stuck(world)):
            self.until_ms = None
        now = self.until_ms is not None
        if now is not before:
            self.turns.append("muted" if now else "unmuted")
        if before and not now:
            world.unmuted_mono_ms = world.mono_ms
        world.muted = now

    def _key(self, world: World, down: bool) -> None:
        if not down:
            self.was_up, self.down_ms = True, None
            return
        self.down_ms, self.began_down = world.mono_ms, not self.was_up
        self.presses.append(world.mono_ms)
        if not self.by_key and self.until_ms is not None and self._is_stuck(world):
            return  # nobody pressed it
        most_ms = world.settings.mute_most_ms
        self.by_key = True
        self.until_ms = world.mono_ms + most_ms if most_ms is not None and self.until_ms is None else None

    def _command(self, world: World, length_ms: int) -> None:
        """What somebody typed: each silence that is asked for is told, also within another."""
        self.by_command = True
        if length_ms and self.until_ms is not None:
            self.turns.append("muted")
        self.until_ms, self.by_key = (world.mono_ms + length_ms, False) if length_ms else (None, True)

    def _is_stuck(self, world: World) -> bool:
        leans = self.down_ms is not None and (self.began_down or world.mono_ms - self.down_ms >= HELD_MS)
        quick = len(self.presses) == QUICK and self.presses[-1] - self.presses[0] < QUICK_MS
        return leans or (quick and world.mono_ms - self.presses[-1] < QUICK_MS)

    def before(self, world: World, effect: effects.Effect) -> None:
        """Nothing but an alert begins; and what the trail tells of the key is so."""
        match effect:
            case effects.StartInput() | effects.StartLive() | effects.StartStream() | effects.SwitchMixer(closed=True):
                if world.muted:
                    raise Violation(f"air-5: {effect} while the station is muted")
            case effects.Record(entries):
                audited = [entry.deed for entry in entries if isinstance(entry, effects.Audited)]
                self.told += [deed for deed in audited if deed in ("muted", "unmuted")]
            case _:
                pass

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """What is heard is on its way out, unless it is an alert; and the station says how it is."""
        if world.settings.mute_most_ms is None and not self.by_command:
            return
        sound = world.sound
        goes_on = sound is not None and sound.stop_at_mono_ms is None and sound.frozen_mono_ms is None
        if world.muted and goes_on and sound is not None and not sound.warns:
            raise Violation("air-5: what is muted is heard on")
        if self.told != self.turns:
            raise Violation(f"the key did {self.turns}, and the audit trail tells {self.told}")
        open_ones = {(one.code, one.subject) for one in world.station.snapshot(world.instant()).faults}
        known = self.was_up or self.down_ms is not None
        if (MUTED in open_ones) is not world.muted or (known and (STUCK in open_ones) is not self._is_stuck(world)):
            raise Violation(f"the station is {'' if world.muted else 'not '}muted, and says {sorted(open_ones)}")
