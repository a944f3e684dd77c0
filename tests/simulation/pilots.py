"""Self-tests in a life, and what must hold of them: a pilot is no cue, and holds the air from nothing."""

from __future__ import annotations

from msgspec.structs import replace

from tests.core.material import PILOT
from tests.simulation.rules import Precedence, is_quiet, nearest, utc_ms
from tests.simulation.shell import Violation
from tests.simulation.world import Rule, World
from ttcs_edge.core import effects, events
from ttcs_edge.core.model import SelfTest, StationSettings
from ttcs_edge.core.self_test import SLOT

MINUTE_MS = 60_000
TONE_MS, LEVEL_PERCENT = 12_000, 20
SLACK_MS = 1_500


def that_tests_itself(settings: StationSettings, every_minutes: int) -> StationSettings:
    """A station that tests itself every so often."""
    test = SelfTest(every_ms=every_minutes * MINUTE_MS, tone_ms=TONE_MS, level_percent=LEVEL_PERCENT)
    return replace(settings, self_test=test)


class Pilots(Rule):
    """never-3, never-4, air-1, air-5, air-7: a pilot sounds in one zone, in silence, and is nobody's message."""

    def __init__(self, precedence: Precedence) -> None:
        self.precedence = precedence
        self.heard = 0
        self.told = 0

    def before(self, world: World, effect: effects.Effect) -> None:
        """Judge a start, and what is told."""
        match effect:
            case effects.StartSound(items=items) if PILOT in items:
                self._start(world, effect)
            case effects.Record(entries):
                for entry in entries:
                    self._record(entry)
            case _:
                pass

    def _start(self, world: World, command: effects.StartSound) -> None:
        self.heard += 1
        if world.settings.self_test is None:
            raise Violation("air-1: a pilot sounds that nobody wants")
        if not world.trusted:
            raise Violation("air-7: a pilot sounds without trusted time")
        if is_quiet(world.settings, world.wall_ms):
            raise Violation("air-5: a pilot starts in quiet hours")
        if world.sound is not None:
            raise Violation("air-1: two sounds at once")
        if len(set(world.closed) - world.faults.relays) > 1:
            raise Violation(f"never-3: a pilot goes to {world.closed}")
        if command.volume_percent > LEVEL_PERCENT:
            raise Violation(f"air-5: a pilot at {command.volume_percent}%")
        if world.clocks is not None or world.mono_ms < world.stepped_mono_ms + MINUTE_MS:
            return
        over_ms = world.wall_ms + TONE_MS + MINUTE_MS
        for programme, slot in self.precedence.standing.slots():
            due = nearest(programme, slot, over_ms)
            known = self.precedence.standing.accepted_ms[programme.scope] < world.true_ms - MINUTE_MS
            known = known and utc_ms(programme.issued) < world.wall_ms
            told = due.occurrence in self.precedence.air.told
            if known and world.wall_ms < due.planned_ms <= over_ms - SLACK_MS and not told:
                raise Violation(f"air-1: a pilot starts, and {due.occurrence} is due within a minute of its end")

    def _record(self, entry: effects.Entry) -> None:
        kinds = (effects.AsRunOpened, effects.AsRunPosition, effects.AsRunClosed)
        if isinstance(entry, kinds) and entry.record.occurrence.slot == SLOT:
            raise Violation("never-9: a pilot is told as a cue")
        self.told += isinstance(entry, effects.Audited) and entry.deed == "tested"

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """It gives way to everything."""
        sound = world.sound
        if sound is None or PILOT not in sound.items:
            return
        if sound.stop_at_mono_ms is not None or sound.frozen_mono_ms is not None or not world.trusted:
            return
        if world.stopping:
            raise Violation("never-2: a pilot is heard on while stopping")
        if sound.begin_mono_ms <= world.mono_ms and is_quiet(world.settings, world.wall_ms):
            raise Violation("air-5: a pilot is heard on in quiet hours")
        for programme, slot in self.precedence.standing.slots():
            due = nearest(programme, slot, world.wall_ms)
            if not is_quiet(world.settings, world.wall_ms) and self.precedence.waits(world, due):
                raise Violation(f"never-4: a pilot holds the air while {due.occurrence} waits")
