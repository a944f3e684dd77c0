"""Who has zones for a while by hand, and what must hold of it: a lease holds the air from nothing, and never too long.

``Leasing`` keeps its own book of what was asked for and of what was really heard. A lease is known by its sound: the
tone for as many seconds as no order of the centre asks for, or silence.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.core.material import SILENCE, TEST_TONE
from tests.simulation.live import Relays
from tests.simulation.rules import Precedence, is_quiet, nearest, way_up_ms
from tests.simulation.shell import Violation
from tests.simulation.world import CODEC_CUT_MS, HUNG_AFTER_MS, Rule, Sound, World
from ttcs_edge.core import effects, events
from ttcs_edge.core.model import STATION_PREFIX, AsRun, AudioItem, LocalUser, Outcome

PERSON = LocalUser(1000, "tuan")
SECONDS = (3, 13, 27)
"""How long leases are: no order of the centre asks for a tone of so many seconds."""
TOLERANCE_MS = 300
OVERTIME_MS = 2_000
PATIENCE_MS = 3_000
SLACK_MS = 1_500


def is_lease(items: tuple[AudioItem, ...]) -> bool:
    """Tell whether a sound is that of a lease."""
    return items[:1] == (SILENCE,) or (items[:1] == (TEST_TONE,) and len(items) in SECONDS)


@dataclass
class Held:
    """One lease that somebody asked for, and what became of it."""

    zones: frozenset[str]
    seconds: int
    silent: bool
    in_quiet_hours: bool
    asked_mono_ms: int
    taken: bool = False
    begun: bool = False
    left: bool = False
    closed: bool = False
    written_ms: int = 0

    @property
    def whole_ms(self) -> int:
        """How much of it is written at the least when all of it is."""
        return self.seconds * (1_000 - CODEC_CUT_MS) - TOLERANCE_MS


class Leasing(Rule):
    """never-2, never-3, never-4, never-9: a lease is of this life, of the zones and the time that were asked for, and
    gives way to everything.
    """

    def __init__(self, precedence: Precedence, relays: Relays) -> None:
        self.precedence = precedence
        self.relays = relays
        self.held: dict[int, Held] = {}
        self.current: Held | None = None
        self.heard = 0

    def power_on(self, world: World) -> None:
        """Nothing of a lease outlives a life."""
        self.held, self.current = {}, None

    def hears(self, world: World, event: events.Event) -> None:
        """Somebody asks for one, or has enough of it."""
        match event:
            case events.LeaseAsked(number, zones, length_ms, silent, in_quiet_hours):
                named = frozenset(zones or (zone.id for zone in world.settings.zones))
                seconds = length_ms // 1_000
                self.held[number] = Held(named, seconds, silent, in_quiet_hours, world.mono_ms)
            case events.LeaseLeft(number) if number in self.held:
                self.held[number].left = True
            case events.TestsStopped():
                for one in self.held.values():
                    one.left = True
            case events.SoundStarted() if self.current is not None:
                self.current.begun = True
            case _:
                pass

    def before(self, world: World, effect: effects.Effect) -> None:
        """Judge a start, and what is told."""
        match effect:
            case effects.StartSound(items=items) if is_lease(items):
                self._start(world, effect)
            case effects.Record(entries):
                for entry in entries:
                    if isinstance(entry, effects.AsRunClosed) and entry.record.occurrence.slot.startswith(
                        STATION_PREFIX
                    ):
                        self._closed(entry.record)
                    if isinstance(entry, effects.Audited) and (entry.deed, entry.what) == ("accepted", "lease"):
                        next(reversed(self.held.values())).taken = True
            case _:
                pass

    def _start(self, world: World, command: effects.StartSound) -> None:
        silent, seconds = command.items[0] == SILENCE, len(command.items)
        meant = [one for one in self.held.values() if one.taken and not one.closed and one.silent is silent]
        if not [one for one in meant if one.seconds == seconds]:
            raise Violation(
                f"never-3: a lease of {seconds} s begins, and {[one.seconds for one in meant]} was asked for"
            )
        held = self.current = next(one for one in meant if one.seconds == seconds)
        self.heard += 1
        if held.left:
            raise Violation("never-2: a lease begins, and whoever asked for it is gone")
        if not set(world.closed) <= held.zones | world.faults.relays:
            raise Violation(f"never-1: a lease has {world.closed}, and {sorted(held.zones)} was asked for")
        if world.sound is not None:
            raise Violation("air-1: two sounds at once")
        if world.muted:
            raise Violation("air-5: a lease begins while the station is muted")
        if world.trusted and is_quiet(world.settings, world.wall_ms) and not (silent or held.in_quiet_hours):
            raise Violation("air-5: the tone of a lease starts in quiet hours")

    def silent(self, world: World, sound: Sound, written_ms: tuple[int, ...]) -> None:
        """Enter what was heard."""
        if is_lease(sound.items) and self.current is not None:
            self.current.written_ms += sum(written_ms)
            self.current = None

    def _closed(self, record: AsRun) -> None:
        if record.outcome is Outcome.CUT:  # of an earlier life
            return
        number = int(record.occurrence.local.partition("-")[2])
        held = self.held.get(number)
        if held is None or held.closed:
            raise Violation(f"never-5: the lease {number} is told, and nobody asked for it, or twice")
        held.closed = True
        told = f"the lease {number} is told as {record.outcome}, and {held.written_ms} ms were written"
        if record.outcome is Outcome.AIRED and held.written_ms < held.whole_ms:
            raise Violation(f"never-9: {told}")
        if (record.outcome is Outcome.AIRED) != (record.reason is None):
            raise Violation(f"never-9: {told}, for the reason {record.reason}")
        if (record.outcome is Outcome.MISSED) is held.begun:
            raise Violation(f"never-9: {told}")

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """It gives way to everything, ends in time, and its end is told."""
        self._see_untold(world)
        sound, held = world.sound, self.current
        if sound is None or not is_lease(sound.items) or held is None:
            return
        if sound.stop_at_mono_ms is not None or sound.frozen_mono_ms is not None:
            return
        if world.stopping:
            raise Violation("never-2: a lease goes on while stopping")
        if held.left:
            raise Violation("never-2: a lease goes on, and whoever asked for it is gone")
        if world.mono_ms > sound.begin_mono_ms + held.seconds * 1_000 + OVERTIME_MS + SLACK_MS:
            raise Violation(f"never-3: a lease of {held.seconds} s outlives its time")
        if not world.trusted:
            return
        quiet = is_quiet(world.settings, world.wall_ms)
        if sound.begin_mono_ms <= world.mono_ms and quiet and not (held.silent or held.in_quiet_hours):
            raise Violation("air-5: the tone of a lease is heard on in quiet hours")
        for programme, slot in self.precedence.standing.slots():
            due = nearest(programme, slot, world.wall_ms)
            if not quiet and self.precedence.waits(world, due):
                raise Violation(f"never-4: a lease holds the air while {due.occurrence} waits")
        for book in self.relays.able(world):
            raise Violation(f"never-4: a lease holds the air while {book.key} speaks")

    def _see_untold(self, world: World) -> None:
        for number, held in self.held.items():
            turns = len(held.zones) if world.settings.supplies else 1
            bound_ms = way_up_ms(world.settings) + PATIENCE_MS + held.seconds * 1_000 + HUNG_AFTER_MS + SLACK_MS
            over = world.mono_ms > held.asked_mono_ms + turns * (bound_ms + world.settings.fade_out_ms)
            if held.taken and not held.closed and over and not world.stopping:
                raise Violation(f"never-5: nobody tells what became of the lease {number}")
