"""What must hold of test tones and restarts that the centre orders.

``Tones`` keeps its own book of what was rightly ordered and of what was really heard. ``Restarts`` sees when a station
leaves the air by itself, and whether anybody asked for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import UNSET

from tests.core.material import TEST_TONE
from tests.simulation.alerts import InForce
from tests.simulation.centre import Loudness
from tests.simulation.leases import is_lease
from tests.simulation.live import Relays
from tests.simulation.rules import Precedence, is_quiet, nearest, way_up_ms
from tests.simulation.shell import Violation
from tests.simulation.world import CODEC_CUT_MS, HUNG_AFTER_MS, Rule, Sound, World
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import Command, Signed
from ttcs_edge.core.model import COMMAND_PREFIX, AsRun, AsRunReason, Outcome, Zone

TOLERANCE_MS = 300
PATIENCE_MS = 3_000
ANSWERED_WITHIN_MS = 5_000
SLACK_MS = 1_500


@dataclass
class Tone:
    """One test tone that was rightly ordered, and what became of it."""

    zone: str
    seconds: int
    signers: frozenset[str]
    asked_mono_ms: int
    asked_true_ms: int
    taken: bool = False
    begun: bool = False
    closed: bool = False
    aired: bool = False
    written_ms: int = 0

    @property
    def whole_ms(self) -> int:
        """How much of it is heard at the least when all of it is."""
        return self.seconds * (1_000 - CODEC_CUT_MS) - TOLERANCE_MS


class Tones(Rule):
    """never-4, never-6, never-9: a test tone is heard once, as it was ordered, and holds the air from nothing."""

    def __init__(self, precedence: Precedence, loudness: Loudness, relays: Relays) -> None:
        self.precedence = precedence
        self.loudness = loudness
        self.relays = relays
        self.tones: dict[int, Tone] = {}
        self.current: Tone | None = None
        self.open_before: set[int] = set()

    def power_on(self, world: World) -> None:
        """What is owed is in memory alone; what was heard is on the card."""
        self.tones, self.current = {}, None
        self.open_before = {
            int(one.occurrence.local) for one in world.disk.open_as_run.values() if is_ordered(one.occurrence.slot)
        }

    def hears(self, world: World, event: events.Event) -> None:
        """A command that may be obeyed."""
        if isinstance(event, events.CommandArrived) and isinstance(event.command, Signed):
            command: Command = event.command.document
            order = command.test_tone
            if order is not UNSET and self.loudness.obeys:
                signers, asked_ms = event.command.signers, (world.mono_ms, world.true_ms)
                self.tones[command.version] = Tone(order.zone, order.seconds, signers, *asked_ms)
        if isinstance(event, events.SoundStarted) and self.current is not None:
            self.current.begun = True

    def before(self, world: World, effect: effects.Effect) -> None:
        """Judge a start and what is told."""
        match effect:
            case effects.StartSound(items=items) if items[0] == TEST_TONE and not is_lease(items):
                self._start(world, effect)
            case effects.Answer(command=version, action="test_tone", outcome="under-way") if version in self.tones:
                self.tones[version].taken = True
            case effects.Answer(command=version, action="test_tone", outcome="done"):
                if version not in self.tones or not self.tones[version].aired:
                    raise Violation(f"never-9: the test tone {version} is answered as heard, and was not heard whole")
            case effects.Answer(command=version, action="test_tone", outcome="refused"):
                self.tones.pop(version, None)
            case effects.Record(entries):
                for entry in entries:
                    if isinstance(entry, effects.AsRunClosed) and is_ordered(entry.record.occurrence.slot):
                        self._closed(world, entry.record)
            case _:
                pass

    def _zones(self, world: World, tone: Tone) -> tuple[Zone, ...]:
        return tuple(zone for zone in world.settings.zones if zone.id == tone.zone)

    def _start(self, world: World, command: effects.StartSound) -> None:
        open_ones = [one for one in self.tones.values() if not one.closed and one.seconds == len(command.items)]
        open_ones = [one for one in open_ones if world.may(one.signers)]
        if not open_ones:
            raise Violation("never-6: a test tone is heard that nobody who may has ordered, or once more")
        meant = [one for one in open_ones if set(world.closed) <= {one.zone} | world.faults.relays]
        if not meant:
            raise Violation(f"never-1: a test tone goes to {world.closed}, and nobody ordered that")
        tone = self.current = meant[0]  # of two only the first is taken: the air is taken by then
        if world.sound is not None:
            raise Violation("air-1: two sounds at once")
        if command.volume_percent not in self.loudness.allowed(world, self._zones(world, tone), 100):
            raise Violation(f"air-5: a test tone at {command.volume_percent}%")
        if world.trusted and is_quiet(world.settings, world.wall_ms):
            raise Violation("air-5: a test tone starts in quiet hours")
        standing, air = self.precedence.standing, self.precedence.air
        over_ms = world.wall_ms + tone.seconds * 1_000
        for programme, slot in standing.slots() if world.trusted and not self._stepped(world, tone) else ():
            due = nearest(programme, slot, over_ms)
            known = standing.accepted_ms[programme.scope] < tone.asked_true_ms - SLACK_MS
            if known and world.wall_ms < due.planned_ms <= over_ms and due.occurrence not in air.told:
                raise Violation(f"air-6: a test tone starts, and {due.occurrence} is due before it is over")

    def _stepped(self, world: World, tone: Tone) -> bool:
        return world.clocks is not None or world.stepped_mono_ms >= tone.asked_mono_ms - SLACK_MS

    def silent(self, world: World, sound: Sound, written_ms: tuple[int, ...]) -> None:
        """Enter what was heard."""
        if sound.tests and self.current is not None:
            self.current.written_ms += sum(written_ms)
            self.current = None

    def _closed(self, world: World, record: AsRun) -> None:
        version = int(record.occurrence.local)
        if record.outcome is Outcome.CUT:
            if version not in self.open_before:
                raise Violation(f"never-5: the test tone {version} is told as cut, and was not heard, or twice")
            self.open_before.discard(version)
            return
        tone = self.tones.get(version)
        if tone is None or tone.closed:
            raise Violation(f"never-5: the test tone {version} is told, and nobody ordered it, or twice")
        tone.closed, tone.aired = True, record.outcome is Outcome.AIRED
        told = f"the test tone {version} is told as {record.outcome}, and {tone.written_ms} ms were heard"
        if (record.outcome is Outcome.AIRED) != (record.reason is None):
            raise Violation(f"never-9: {told}, for the reason {record.reason}")
        if record.outcome is Outcome.AIRED and tone.written_ms < tone.whole_ms:
            raise Violation(f"never-9: {told}")
        if (record.outcome is Outcome.MISSED) is tone.begun:
            raise Violation(f"never-9: {told}")
        if record.reason is AsRunReason.WITHDRAWN and world.may(tone.signers):
            raise Violation(f"never-9: {told} as withdrawn, and who ordered it may")

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """It gives way to everything, and its end is told."""
        if isinstance(event, events.Started) and self.open_before:
            raise Violation(f"never-5: the test tones {self.open_before} were heard, and are not told as cut")
        self._see_untold(world)
        sound = world.sound
        if sound is None or not sound.tests or sound.stop_at_mono_ms is not None or sound.frozen_mono_ms is not None:
            return
        if is_lease(sound.items):
            return
        if world.stopping:
            raise Violation("never-2: a test tone is heard on while stopping")
        if self.current is not None and not world.may(self.current.signers):
            raise Violation("never-1: a test tone is heard on whose key is revoked")
        if not world.trusted:
            return
        if sound.begin_mono_ms <= world.mono_ms and is_quiet(world.settings, world.wall_ms):
            raise Violation("air-5: a test tone is heard on in quiet hours")
        for programme, slot in self.precedence.standing.slots():
            due = nearest(programme, slot, world.wall_ms)
            if not is_quiet(world.settings, world.wall_ms) and self.precedence.waits(world, due):
                raise Violation(f"never-4: a test tone holds the air while {due.occurrence} waits")
        for book in self.relays.able(world):
            raise Violation(f"never-4: a test tone holds the air while {book.key} speaks")

    def _see_untold(self, world: World) -> None:
        """never-5: an order that was taken comes to an end soon, for it waits for nothing."""
        for version, tone in self.tones.items():
            bound_ms = way_up_ms(world.settings) + PATIENCE_MS + tone.seconds * 1_000 + HUNG_AFTER_MS + SLACK_MS
            over = world.mono_ms > tone.asked_mono_ms + bound_ms + world.settings.fade_out_ms
            if tone.taken and not tone.closed and over and not world.stopping:
                raise Violation(f"never-5: nobody tells what became of the test tone {version}")


class Restarts(Rule):
    """never-2, never-6: a station leaves by itself only when it was asked to, soon, and never from under an alert."""

    def __init__(self, in_force: InForce, loudness: Loudness) -> None:
        self.in_force = in_force
        self.loudness = loudness
        self.asked: dict[int, frozenset[str]] = {}
        """Who signed each restart that had to be obeyed."""
        self.leaving: int | None = None
        self.leaving_mono_ms: int | None = None
        self.stopping_mono_ms: int | None = None
        self.warned = False

    def power_on(self, world: World) -> None:
        """Nobody has asked this life yet."""
        self.asked, self.leaving, self.leaving_mono_ms, self.stopping_mono_ms = {}, None, None, None

    def hears(self, world: World, event: events.Event) -> None:
        """A command that may be obeyed; whether an alert is heard."""
        sound = world.sound
        self.warned = sound is not None and sound.warns and sound.frozen_mono_ms is None
        if isinstance(event, events.CommandArrived) and isinstance(event.command, Signed):
            command = event.command.document
            if command.restart is not UNSET and self.loudness.obeys:
                self.asked[command.version] = event.command.signers
        if self.leaving is not None and not world.may(self.asked[self.leaving]):
            self.leaving = self.leaving_mono_ms = None  # with its key its leave is gone

    def before(self, world: World, effect: effects.Effect) -> None:
        """A restart is answered: from here on the station may leave."""
        if isinstance(effect, effects.Answer) and effect.leaving:
            if effect.command not in self.asked:
                raise Violation(f"never-6: the restart {effect.command} is obeyed, which nobody asked of this life")
            if world.may(self.asked[effect.command]):
                self.leaving, self.leaving_mono_ms = effect.command, world.mono_ms

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """Leave it must, and by itself it may only then."""
        if world.stopped_by_hand:
            return
        if world.stopping and self.stopping_mono_ms is None:
            self.stopping_mono_ms = world.mono_ms
            if self.leaving_mono_ms is None and not self._begins_its_clock_anew(world, event):
                raise Violation("never-2: the station leaves, and nobody who may has asked it to")
            if self.warned:
                raise Violation("air-1: the station leaves from under an alert")
        warned = self.warned or self.in_force.speaks_at_all(world)
        if self.leaving_mono_ms is not None and not world.stopping and not warned:
            late_ms = world.mono_ms - self.leaving_mono_ms - ANSWERED_WITHIN_MS
            if late_ms > SLACK_MS + 2 * world.faults.disk_ms:
                raise Violation(f"never-2: a restart was answered, and the station is here {late_ms} ms too long")
        if self.stopping_mono_ms is not None and not world.left:
            late_ms = world.mono_ms - self.stopping_mono_ms - world.leaves_within_ms
            if late_ms > 0:
                raise Violation(f"never-2: a restart has begun, and the station is here {late_ms} ms too long")

    def _begins_its_clock_anew(self, world: World, event: events.Event) -> bool:
        """A clock that a stolen key put where no true time reaches it is left behind by a start."""
        return world.clocks is not None and not world.trusted and isinstance(event, events.TrustArrived)


def is_ordered(slot: str) -> bool:
    """Tell whether a record is of what a command has aired."""
    return slot.startswith(COMMAND_PREFIX)
