"""Who speaks into the microphone, and what must hold of it.

``Person`` is the key, which is a thing of its own: it may be down while the power is off. ``Talks`` keeps its own book
of what the station was told of the key and of what was really heard; of the core it knows only what that tells.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from tests.simulation.alerts import InForce
from tests.simulation.centre import Loudness
from tests.simulation.rules import TOLERANCE_MS, heard_within_ms, is_quiet
from tests.simulation.shell import Violation
from tests.simulation.world import HUNG_AFTER_MS, Rule, Sound, World
from ttcs_edge.core import effects, events
from ttcs_edge.core.model import (
    AMPLIFIER,
    MICROPHONE,
    MICROPHONE_PREFIX,
    AsRun,
    AsRunReason,
    Microphone,
    Outcome,
    Way,
    Zone,
)

KEY_SETTLES_MS = 30
"""How long a level of the key's line stands still before anybody is told."""
FADE_MS = 100
"""How fast who speaks leaves the air."""
SLACK_MS = 500
RECORD_MS = 1_000
"""How often the position of what is on the air is put on disk."""
STUCK = ("microphone-stuck", MICROPHONE)


class Person:
    """The key of the microphone, and its driver: what is told is a level that has stood still, at a start too."""

    event: type[events.KeyChanged | events.MuteKeyChanged] = events.KeyChanged

    def __init__(self, world: World) -> None:
        self._world = world
        self.down = False
        self._told: bool | None = None

    def hold(self, down: bool) -> None:
        """The key goes down, or up."""
        self.down = down
        if self._world.powered:
            self._world.later(KEY_SETTLES_MS, self._tell)

    def boot(self) -> None:
        """A new process looks at the key."""
        self._told = None
        self._world.later(KEY_SETTLES_MS, self._tell)

    def _tell(self) -> None:
        if self.down is not self._told:
            self._told = self.down
            self._world.send(self.event(self.down))


@dataclass
class Talk:
    """One time that the key was held down, as the station was told; ``spans`` is when it was heard, the last one open
    while it is.
    """

    local: str
    since_mono_ms: int
    let_go_mono_ms: int | None = None
    heard_when_let_go: bool = False
    fading_when_let_go: bool = False
    hindered: bool = False
    was: set[str] = field(default_factory=set)
    begun: bool = False
    spans: list[tuple[int, int]] = field(default_factory=list)
    closed: bool = False


@dataclass(frozen=True)
class Cut:
    """A talk that was heard in a life that ended before it was told on disk; how late its last position may be."""

    talk: Talk
    mono_ms: int
    offset_ms: int
    late_ms: int
    record_bound_ms: int


class Talks(Rule):
    """The microphone by air-1, air-5, air-7, never-4 and never-9: heard while its key is down, and only then."""

    def __init__(self, in_force: InForce, loudness: Loudness) -> None:
        self.in_force = in_force
        self.loudness = loudness
        self.talk: Talk | None = None
        self.untold: dict[str, Talk] = {}
        self.cut: dict[str, Cut] = {}
        self.told_as_cut: set[str] = set()
        self.on_air: Talk | None = None
        self.was_up = False
        self.down_since_mono_ms: int | None = None
        self.count = 0
        self.stuck_told = False
        self.silent_since_mono_ms: int | None = None
        self.steps_mono_ms: deque[int] = deque(maxlen=50)
        self._offset_ms: int | None = None

    def power_on(self, world: World) -> None:
        """A new life knows nothing of the key until it is told."""
        self.talk = self.on_air = self.down_since_mono_ms = self.silent_since_mono_ms = None
        self.untold = {}
        self.was_up, self.count = False, 0
        self.stuck_told = any((one.code, one.subject) == STUCK for one in world.disk.faults.values())

    def power_off(self, world: World) -> None:
        """What was heard for longer than a record may take is told as cut in the next life."""
        late_ms = world.record_bound_ms + RECORD_MS + world.progress_ms
        for local, talk in self.untold.items():
            if talk.spans:
                offset_ms = (
                    world.offset_ms if self._offset_ms is None else self._offset_ms
                )  # as the station saw it last
                self.cut[local] = Cut(talk, world.mono_ms, offset_ms, late_ms, world.record_bound_ms)

    # what the station is told

    def hears(self, world: World, event: events.Event) -> None:
        """Enter what the key does, and what keeps who holds it from being heard."""
        if self._offset_ms != world.offset_ms:
            self._offset_ms = world.offset_ms
            self.steps_mono_ms.append(world.mono_ms)
        microphone = world.settings.microphone
        if microphone is None:
            return
        if isinstance(event, events.Started):
            self.told_as_cut = set()
        if self.talk is not None:
            self._look(world, microphone, self.talk)
        if isinstance(event, events.KeyChanged):
            self._key(world, event.down)
            if self.talk is not None:
                self._look(world, microphone, self.talk)

    def _key(self, world: World, down: bool) -> None:
        talk, sound = self.talk, world.sound
        if not down:
            self.was_up, self.down_since_mono_ms, self.talk = True, None, None
            if talk is not None:
                mine = sound is not None and self.on_air is talk and sound.frozen_mono_ms is None
                talk.let_go_mono_ms = world.mono_ms
                talk.fading_when_let_go = mine and sound is not None and sound.stop_at_mono_ms is not None
                talk.heard_when_let_go = mine and sound is not None and sound.sounds(world.mono_ms)
            return
        self.down_since_mono_ms = world.mono_ms
        if self.was_up:
            self.count += 1
            self.talk = Talk(f"{world.disk.boots}-{self.count}", world.mono_ms)
            self.untold[self.talk.local] = self.talk

    def _look(self, world: World, microphone: Microphone, talk: Talk) -> None:
        """What is wrong at this moment, for the reason that may be told."""
        faults = world.faults
        zones = set(microphone.zones)
        by_mixer = microphone.inlet.way is Way.MIXER
        wrong = {
            "stopped": world.stopping,
            "quiet-hours": self._too_quiet(world, microphone),
            "sound-input": faults.mute_input and not by_mixer,
            "sound-device": faults.device and not by_mixer,
            "player-died": (not world.player_up or world.player_hung) and not by_mixer,
            "relay": MICROPHONE in faults.relays and by_mixer,
            "muted": world.muted,
        }
        talk.was |= {name for name, so in wrong.items() if so}
        needed = {AMPLIFIER, MICROPHONE} if by_mixer else {AMPLIFIER}
        talk.hindered = talk.hindered or bool(needed & faults.relays) or bool(zones & faults.relays)

    def _too_quiet(self, world: World, microphone: Microphone) -> bool:
        return world.trusted and not microphone.in_quiet_hours and is_quiet(world.settings, world.wall_ms)

    def busy(self, world: World) -> bool:
        """Tell whether a person has the air, or the right to it."""
        return self.counts(world) is not None or (world.sound is not None and world.sound.speaks)

    def counts(self, world: World) -> Talk | None:
        """The talk of a key that is down and has the right to the air."""
        talk, microphone = self.talk, world.settings.microphone
        if talk is None or microphone is None or talk.closed:
            return None
        return talk if world.mono_ms < talk.since_mono_ms + microphone.inlet.most_ms else None

    # what the station does

    def before(self, world: World, effect: effects.Effect) -> None:
        """Judge a start and what is told."""
        match effect:
            case effects.StartInput() | effects.SwitchMixer(closed=True):
                self._start(world, effect)
            case effects.Record(entries):
                for entry in entries:
                    self._entry(world, entry)
            case _:
                pass

    def _start(self, world: World, effect: effects.StartInput | effects.SwitchMixer) -> None:
        microphone, talk = world.settings.microphone, self.counts(world)
        if world.sound is not None:
            raise Violation("air-1: two sounds at once")
        if microphone is None or talk is None:
            raise Violation("never-1: the microphone is heard, and nobody holds its key down")
        if isinstance(effect, effects.SwitchMixer) is not (microphone.inlet.way is Way.MIXER):
            raise Violation(f"air-4: {effect} is not the way of this microphone")
        if self._too_quiet(world, microphone):
            raise Violation("air-5: the microphone is heard in quiet hours")
        if not set(world.closed) <= {*microphone.zones} | world.faults.relays:
            raise Violation(f"never-1: the microphone goes to {world.closed}, which are not its zones")
        if isinstance(effect, effects.StartInput):
            loudest = self.loudness.allowed(world, self._zones(world, microphone), microphone.volume_percent)
            if effect.volume_percent not in loudest:
                raise Violation(f"air-5: the microphone at {effect.volume_percent}%, allowed are {sorted(loudest)}%")
        self.on_air = talk

    def _zones(self, world: World, microphone: Microphone) -> tuple[Zone, ...]:
        return tuple(zone for zone in world.settings.zones if zone.id in microphone.zones)

    def silent(self, world: World, sound: Sound, written_ms: tuple[int, ...]) -> None:
        """Enter what was heard."""
        if not sound.speaks:
            return
        talk, self.on_air = self.on_air, None
        if talk is not None and written_ms[0] > 0:
            talk.spans.append((sound.begin_mono_ms, sound.begin_mono_ms + written_ms[0]))

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """Compare what is heard with who holds the key down."""
        microphone = world.settings.microphone
        if microphone is None:
            return
        if isinstance(event, events.Started):
            self._see_cut()
        if isinstance(event, events.SoundStarted) and self.on_air is not None:
            self.on_air.begun = True
        self._see_stuck(world, microphone)
        self._see_untold(world, microphone)
        talk, sound = self.counts(world), world.sound
        if world.mixer_closed and (sound is None or not sound.by_mixer):
            raise Violation("never-3: the mixer is closed, and nobody speaks")
        goes_on = sound is not None and sound.stop_at_mono_ms is None and sound.frozen_mono_ms is None
        if sound is not None and goes_on and sound.speaks:
            if talk is None or self.on_air is not talk:
                raise Violation("never-4: the microphone is heard on, and nobody holds its key down")
            if sound.begin_mono_ms <= world.mono_ms and self._too_quiet(world, microphone):
                raise Violation("air-5: the microphone is heard on in quiet hours")
            if world.stopping:
                raise Violation("never-2: the microphone is heard on while stopping")
        able = talk is not None and self._able(world, microphone, talk)
        if able and goes_on and sound is not None and not sound.speaks and not sound.warns:
            raise Violation(f"never-4: {sound.name} holds the air while a person would speak")
        self._see_urgency(world, able)

    def _able(self, world: World, microphone: Microphone, talk: Talk) -> bool:
        """Tell whether who holds the key down must be heard, as soon as the way is open."""
        up = microphone.inlet.way is Way.MIXER or (world.player_up and not world.player_hung)
        quiet = world.muted or self._too_quiet(world, microphone)
        return up and not talk.hindered and not world.stopping and not quiet

    def _see_urgency(self, world: World, able: bool) -> None:
        """air-1, air-7: heard as soon as the amplifier can carry it, whatever else is due, with or without the time."""
        heard = world.sound is not None and world.sound.speaks
        if not able or heard or self.in_force.speaks_at_all(world):
            self.silent_since_mono_ms = None
            return
        if self.silent_since_mono_ms is None:
            self.silent_since_mono_ms = world.mono_ms
        bound_ms = heard_within_ms(world.settings) + SLACK_MS
        if world.mono_ms - self.silent_since_mono_ms > bound_ms:
            raise Violation(f"air-1: who holds the key is not heard for {world.mono_ms - self.silent_since_mono_ms} ms")

    def _see_stuck(self, world: World, microphone: Microphone) -> None:
        """A key is a fault from when it is known to be stuck until it is known to be up."""
        since_ms = self.down_since_mono_ms
        if since_ms is None and not self.was_up:
            return  # how it is, nobody has told yet: what was so before still holds
        stuck = since_ms is not None and (not self.was_up or world.mono_ms >= since_ms + microphone.inlet.most_ms)
        if stuck is not self.stuck_told:
            raise Violation(f"the key is {'stuck' if stuck else 'well'}, and nobody says so")

    def _see_untold(self, world: World, microphone: Microphone) -> None:
        """never-5: a talk is told as soon as it is over."""
        for talk in self.untold.values():
            over_ms = talk.since_mono_ms + microphone.inlet.most_ms
            late_ms = world.mono_ms - min(over_ms, talk.let_go_mono_ms or over_ms)
            if late_ms > FADE_MS + HUNG_AFTER_MS + SLACK_MS and not world.stopping and not talk.closed:
                raise Violation(f"never-5: the talk {talk.local} is over for {late_ms} ms, and nobody tells")

    def _see_cut(self) -> None:
        """never-5: what was heard before the power was cut, and must be on disk, is told at once."""
        for local, cut in self.cut.items():
            heard_ms = cut.mono_ms - cut.talk.spans[0][0]
            if heard_ms > cut.record_bound_ms + SLACK_MS and local not in self.told_as_cut:
                raise Violation(
                    f"never-5: the talk {local} was heard for {heard_ms} ms before a power cut, and is lost"
                )

    # what is told

    def _entry(self, world: World, entry: effects.Entry) -> None:
        match entry:
            case effects.FaultRaised(fault) | effects.FaultCleared(fault) if (fault.code, fault.subject) == STUCK:
                self.stuck_told = isinstance(entry, effects.FaultRaised)
                if self.down_since_mono_ms is None and not self.was_up:
                    raise Violation("a key of which nothing is known yet is told as stuck, or as well")
            case effects.AsRunClosed(record) if record.occurrence.slot.startswith(MICROPHONE_PREFIX):
                if record.outcome is Outcome.CUT:
                    self._judge_cut(world, record)
                else:
                    self._judge(world, record)
            case _:
                pass

    def _judge(self, world: World, record: AsRun) -> None:
        name = f"the talk {record.occurrence.local}"
        talk = self.untold.get(record.occurrence.local)
        if talk is None or talk.closed:
            raise Violation(f"never-5: {name} is told, and nobody held the key down, or twice")
        talk.closed = True
        told = f"{name} is told as {record.outcome} for {record.reason}"
        right = Outcome.MISSED if not talk.begun else Outcome.AIRED if record.reason is None else Outcome.PART
        if record.outcome is not right:
            raise Violation(f"never-9: {told}, and was heard at {talk.spans}")
        if not self._is_true(world, talk, record.reason):
            raise Violation(f"never-9: {told}, which is not true: {talk}")
        if talk.spans and record.start_ms is not None and not self._stepped(world, talk):
            begin_ms, end_ms = talk.spans[0][0], talk.spans[-1][1]
            told_ms = (record.start_ms - world.offset_ms, (record.end_ms or 0) - world.offset_ms)
            hung = "player-died" in talk.was or not world.player_up  # nobody knows until it is seen to hang
            late_ms = HUNG_AFTER_MS if hung else 0
            if (
                abs(told_ms[0] - begin_ms) > TOLERANCE_MS
                or not -TOLERANCE_MS <= told_ms[1] - end_ms <= TOLERANCE_MS + late_ms
            ):
                raise Violation(f"never-9: {told} from {told_ms[0]} to {told_ms[1]}, and was heard at {talk.spans}")

    def _stepped(self, world: World, talk: Talk) -> bool:
        return any(mono_ms > talk.since_mono_ms for mono_ms in self.steps_mono_ms)

    def _is_true(self, world: World, talk: Talk, reason: AsRunReason | None) -> bool:
        microphone, let_go_ms = world.settings.microphone, talk.let_go_mono_ms
        assert microphone is not None
        match reason:
            case None:
                return let_go_ms is not None and (talk.heard_when_let_go or talk.fading_when_let_go)
            case AsRunReason.LET_GO:  # never heard; or the player died under it
                return let_go_ms is not None and (not talk.heard_when_let_go or not world.player_up)
            case AsRunReason.PRE_EMPTED:
                return let_go_ms is not None and bool(talk.spans) and not talk.heard_when_let_go
            case AsRunReason.TIME_LIMIT:
                return world.mono_ms >= talk.since_mono_ms + microphone.inlet.most_ms
            case AsRunReason.STOPPED_BY_COMMAND:
                return any(mono_ms >= talk.since_mono_ms for mono_ms in self.loudness.stops_mono_ms)
            case _:
                return reason.value in talk.was

    def _judge_cut(self, world: World, record: AsRun) -> None:
        """What a death cut off tells from when until when it was known to be heard."""
        name = f"the talk {record.occurrence.local}"
        cut = self.cut.get(record.occurrence.local)
        if cut is None or record.occurrence.local in self.told_as_cut:
            raise Violation(f"never-5: {name} is told as cut, and was not heard, or twice")
        self.told_as_cut.add(record.occurrence.local)
        talk = cut.talk
        if record.start_ms is None or record.end_ms is None or record.end_ms < record.start_ms:
            raise Violation(f"never-9: {name} is told as cut from {record.start_ms} to {record.end_ms}")
        if any(talk.since_mono_ms < mono_ms <= cut.mono_ms for mono_ms in self.steps_mono_ms):
            return
        begin_ms, end_ms = record.start_ms - cut.offset_ms, record.end_ms - cut.offset_ms
        if abs(begin_ms - talk.spans[0][0]) > TOLERANCE_MS or end_ms > talk.spans[-1][1] + TOLERANCE_MS:
            raise Violation(f"never-9: {name} is told from {begin_ms} to {end_ms}, and was heard at {talk.spans}")
        microphone = world.settings.microphone
        by_mixer = microphone is not None and microphone.inlet.way is Way.MIXER  # a player may tell no positions
        if by_mixer and end_ms < talk.spans[-1][1] - cut.late_ms - TOLERANCE_MS:
            raise Violation(f"never-5: {name} is told until {end_ms}, and was heard at {talk.spans}")

    def written(self, world: World, entry: effects.Entry) -> None:
        """What is on disk is told for good."""
        if isinstance(entry, effects.AsRunClosed) and entry.record.occurrence.slot.startswith(MICROPHONE_PREFIX):
            self.untold.pop(entry.record.occurrence.local, None)
            self.cut.pop(entry.record.occurrence.local, None)
