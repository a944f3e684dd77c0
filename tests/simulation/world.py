"""A station's core in a world with physics: clocks, an amplifier, relays, a player, a card, a broker, and power.

The world speaks the core's own events and effects. It carries effects out as real parts would: late, not at all, or
not whole, when its dice or a test say so, and it keeps what really happened (``rules`` compares that with what the core
says). Everything follows from a seed.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from zlib import crc32

import msgspec

from tests.core.material import KEY, PILOT, SILENCE, STRANGER, TEST_TONE, TRUST, sha, signed, started
from tests.simulation.shell import Card, Line, Violation, forgotten
from ttcs_edge.core import effects, events
from ttcs_edge.core.asrun import settles
from ttcs_edge.core.documents import Alert, Command, Grant, Programme, Refused, Signed, TrustRoot
from ttcs_edge.core.floors import Floors
from ttcs_edge.core.model import (
    ALERT_PREFIX,
    AMPLIFIER,
    MICROPHONE,
    AsRun,
    AudioItem,
    DataUsed,
    Fault,
    Instant,
    MonoMs,
    Occurrence,
    Sha256,
    StationSettings,
    Utterance,
    WallMs,
)
from ttcs_edge.core.station import Station
from ttcs_edge.daemon.loop import carry_out

if TYPE_CHECKING:
    from tests.simulation.alerts import Authority
    from tests.simulation.centre import Centre
    from tests.simulation.clocks import Clocks
    from tests.simulation.live import Source
    from tests.simulation.meter import EnergyMeter
    from tests.simulation.microphone import Person
    from tests.simulation.monitor import OffAirMonitor
    from tests.simulation.mute import Hand
    from tests.simulation.power import Supply
    from tests.simulation.radio import Radio
    from tests.simulation.roots import Roots

D = TypeVar("D")

DEPUTY = "deputy"
"""A key that may warn, but of nothing worse than ``Minor``."""
ROOT = msgspec.structs.replace(
    TRUST,
    grants=(
        *(
            Grant(role=role, scope=TRUST.scope, keys=(KEY,), threshold=1)
            for role in ("publish", "beacon", "command", "live")
        ),
        Grant(role="alert", scope=TRUST.scope, keys=(KEY,), threshold=1, most_severe="Extreme"),
        Grant(role="alert", scope=TRUST.scope, keys=(DEPUTY,), threshold=1, most_severe="Minor"),
    ),
)
CODEC_CUT_MS = 74
"""What libvlc loses of the beginning of an Opus file."""
LOST_MS = 3_000
"""After so long without anything to play the player calls a live relay lost."""
BEHIND_MS = 2_000
"""How much of one waits in the player at the most."""
NOT_BEGUN_MS = 1 << 60
PACKET_MS = 20
HUNG_AFTER_MS = 400
PLAYER_BACK_MS = 500
TRACE_LINES = 100_000
SPEAK_MS = (200, 600, 3_000, 20_000)
SPOKEN_MS = 7_000
SPOKEN_LANGUAGES = frozenset({"vi", "en"})
"""In which languages the station has a voice."""
CHECKED_MS = (10, 300, 2_000)
"""How long it takes to read the config."""
ANSWER_GONE_MS = (5, 200, 3_000, 20_000)
"""How long an answer takes on its way; the last is longer than anybody waits for it."""
STARTS_AGAIN_MS = 500
"""How soon the service manager starts again what left by itself."""
BEGIN_MONO_MS = 1_000
DEVICE = "hw:0"


def spoken_sha(utterance: Utterance) -> Sha256:
    """The hash of what is spoken: it follows from the words."""
    return sha(f"say:{crc32(f'{utterance.language} {utterance.text}'.encode()):08x}")


def is_warning(items: Iterable[AudioItem]) -> bool:
    """Tell whether a sound is of an alert: its tone, or what it says."""
    return any(item.bulletin.startswith(("w", "tone-")) for item in items)


class Rule:
    """Something that must hold. The world tells it everything; it raises ``Violation`` with the rule's id."""

    def power_on(self, world: World) -> None:
        """A new life of the station is about to begin."""

    def power_off(self, world: World) -> None:
        """The life is over: by a cut, or after ``Leave``."""

    def hears(self, world: World, event: events.Event) -> None:
        """The core is about to be told of an event."""

    def before(self, world: World, effect: effects.Effect) -> None:
        """An effect is about to be carried out; a ``Record``, to be handed to the card."""

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """An event was handled; what of its effects stands before the barrier was carried out."""

    def written(self, world: World, entry: effects.Entry) -> None:
        """An entry is on disk."""

    def silent(self, world: World, sound: Sound, written_ms: tuple[int, ...]) -> None:
        """A sound is over; so much of each item was really written."""


@dataclass
class Disk:
    """What survives a power cut."""

    roots: dict[int, bytes] = field(default_factory=dict)
    programmes: dict[str, Signed[Programme]] = field(default_factory=dict)
    earlier: dict[str, Signed[Programme]] = field(default_factory=dict)
    alerts: dict[tuple[str, str], events.KnownAlert] = field(default_factory=dict)
    volumes: dict[str, Signed[Command]] = field(default_factory=dict)
    receipts: list[effects.AlertTold] = field(default_factory=list)
    audit: list[effects.Audited] = field(default_factory=list)
    floors: dict[str, int] = field(default_factory=dict)
    open_as_run: dict[str, AsRun] = field(default_factory=dict)
    settled: dict[Occurrence, WallMs] = field(default_factory=dict)
    faults: dict[str, Fault] = field(default_factory=dict)
    alive_until_ms: WallMs | None = None
    watched_until_ms: WallMs | None = None
    time_floor_ms: int = 0
    boots: int = 0
    as_run: list[AsRun] = field(default_factory=list)
    fault_log: list[Fault] = field(default_factory=list)
    data_used: DataUsed = field(default_factory=DataUsed)

    def unsettle(self, scope: str, event: str) -> None:
        """The rounds of a message that is replaced or over need not be known."""
        gone = [key for key in self.settled if (key.scope, key.slot) == (scope, f"{ALERT_PREFIX}{event}")]
        for key in gone:
            del self.settled[key]


@dataclass
class Letter:
    """A message of the broker: it comes again at each start until it is acknowledged."""

    delivery: int
    programme: Signed[Programme] | Refused
    scope: str
    acknowledged: bool = False
    lost: bool = False


@dataclass
class Sound:
    """A play, in the player or past it. ``stop_at_mono_ms`` is when its fade-out is over, ``frozen_mono_ms`` when it
    hung. Of a live relay, ``fed_until_mono_ms`` is when all that came is heard, ``last`` tells that nothing follows.
    """

    command: effects.StartSound | effects.StartInput | effects.StartLive | effects.StartStream | effects.SwitchMixer
    begin_mono_ms: int
    stop_at_mono_ms: int | None = None
    frozen_mono_ms: int | None = None
    fed_until_mono_ms: int = 0
    last: bool = False
    turned_percent: int | None = None

    @property
    def volume_percent(self) -> int | None:
        """How loud it is now; the mixer knows none."""
        begun = None if isinstance(self.command, effects.SwitchMixer) else self.command.volume_percent
        return begun if self.turned_percent is None else self.turned_percent

    def sounds(self, mono_ms: int) -> bool:
        """Tell whether samples go out."""
        return self.begin_mono_ms < mono_ms and self.frozen_mono_ms is None

    @property
    def items(self) -> tuple[AudioItem, ...]:
        """What is played; nothing while a person speaks."""
        return self.command.items if isinstance(self.command, effects.StartSound) else ()

    @property
    def warns(self) -> bool:
        """Tell whether it is of an alert."""
        return is_warning(self.items)

    @property
    def tests(self) -> bool:
        """Tell whether it is a test tone, a pilot, or the silence of a relay that is held closed."""
        return any(item in self.items for item in (TEST_TONE, PILOT, SILENCE))

    @property
    def speaks(self) -> bool:
        """Tell whether it is a person who speaks."""
        return isinstance(self.command, effects.StartInput | effects.SwitchMixer)

    @property
    def relays(self) -> bool:
        """Tell whether it is a live relay."""
        return isinstance(self.command, effects.StartLive)

    @property
    def streams(self) -> bool:
        """Tell whether it is a plain stream."""
        return isinstance(self.command, effects.StartStream)

    @property
    def name(self) -> str:
        """What it is called where it holds the air wrongly."""
        others = "a live relay" if self.relays else "a stream" if self.streams else "who speaks"
        return self.items[0].bulletin if self.items else others

    @property
    def by_mixer(self) -> bool:
        """Tell whether it goes past the player."""
        return isinstance(self.command, effects.SwitchMixer)


@dataclass
class Submission:
    """Entries on their way to the card, and the effects that wait for them."""

    entries: tuple[effects.Entry, ...]
    wall_ms: int
    mono_ms: int
    rest: list[effects.Effect]


@dataclass
class Faults:
    """What is broken at the moment, by the will of the test."""

    relays: set[str] = field(default_factory=set)
    device: bool = False
    mute_input: bool = False
    not_audio: set[Sha256] = field(default_factory=set)
    short: set[Sha256] = field(default_factory=set)
    disk_ms: int = 0
    relay_ms: int = 0
    start_ms: int = 0
    player_slow_ms: int = PLAYER_BACK_MS


class Speaker:
    """Speaks one text after another, seconds each; now and then it cannot. Its words are kept like any audio."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._wanted: list[Utterance] = []
        self._busy = False
        world.later(SPEAK_MS[0], lambda: world.send(events.VoicesKnown(SPOKEN_LANGUAGES)))

    def set_wanted(self, wanted: tuple[Utterance, ...]) -> None:
        """Replace the list."""
        self._wanted = list(wanted)
        self._go_on()

    def _go_on(self) -> None:
        if self._wanted and not self._busy:
            self._busy = True
            utterance = self._wanted[0]
            known = spoken_sha(utterance) in self._world.cached
            self._world.later(0 if known else self._world.random.choice(SPEAK_MS), lambda: self._answer(utterance))

    def _answer(self, utterance: Utterance) -> None:
        self._busy = False
        world, sha256 = self._world, spoken_sha(utterance)
        if utterance in self._wanted:
            self._wanted.remove(utterance)
            if utterance.language not in SPOKEN_LANGUAGES:
                world.send(events.NotSpoken(utterance, "no-voice"))
            elif sha256 not in world.cached and world.random.random() < 0.15:
                world.send(events.NotSpoken(utterance, "speech-too-slow"))
            else:
                world.cached.add(sha256)
                world.known.add(sha256)
                world.send(events.Spoken(utterance, sha256, 1_000, SPOKEN_MS))
        self._go_on()


class World:
    """One station and everything around it. ``run`` lets time pass."""

    def __init__(
        self, settings: StationSettings, wall_ms: int, cached: set[Sha256], seed: int = 0, rules: Iterable[Rule] = ()
    ) -> None:
        self.settings = settings
        self.card: Card | None = None
        self.line: Line | None = None
        self.clocks: Clocks | None = None
        self.centre: Centre | None = None
        self.authority: Authority | None = None
        self.person: Person | None = None
        self.hand: Hand | None = None
        self.muted = False
        self.unmuted_mono_ms = 0
        self.source: Source | None = None
        self.radio: Radio | None = None
        self.roots: Roots | None = None
        self.group_ms = 0
        self.waiting: list[Submission] = []
        self.written_ms = 0
        self.busy = False
        self.rules = tuple(rules)
        self._hears = [rule.hears for rule in self.rules if type(rule).hears is not Rule.hears]
        self._before = [rule.before for rule in self.rules if type(rule).before is not Rule.before]
        self._after = [rule.after for rule in self.rules if type(rule).after is not Rule.after]
        self.random = random.Random(seed)
        self.mono_ms = BEGIN_MONO_MS
        self.offset_ms = wall_ms - self.mono_ms
        self.trusted = True
        self.cached = set(cached)
        self.known: set[Sha256] = set()
        self.faults = Faults()
        self.meter: EnergyMeter | None = None
        self.supply: Supply | None = None
        self.monitor: OffAirMonitor | None = None
        self.progress_ms = 0
        self.disk = Disk()
        self.letters: list[Letter] = []
        self.retained: dict[str, int] = {}
        """The centre's newest programme of each scope, by its delivery."""
        self.trace: list[str] = []
        self.stepped_mono_ms = 0
        self.wakes = 0
        self.sent = 0
        self.powered = False
        self.left = False
        self.sound: Sound | None = None
        self.closed: list[str] = []
        self.switching: dict[str, bool] = {}
        """What relays were told that have not said yet that they did it."""
        self.mixer_closed = False
        self.amplifier_on_ms: int | None = None

    def join(self, rule: Rule) -> None:
        """One more that is told everything; it may do something, too, as a device does."""
        self.rules += (rule,)
        for name, hooks in (("hears", self._hears), ("before", self._before), ("after", self._after)):
            if getattr(type(rule), name) is not getattr(Rule, name):
                hooks.append(getattr(rule, name))

    @property
    def wall_ms(self) -> int:
        """The wall clock."""
        return self.mono_ms + self.offset_ms

    @property
    def true_ms(self) -> int:
        """What time it is, whatever the station takes for it."""
        return self.wall_ms if self.clocks is None else self.clocks.true_ms

    @property
    def root(self) -> TrustRoot:
        """The trust root in force, by the books."""
        return ROOT if self.roots is None else self.roots.in_force

    @property
    def key(self) -> str:
        """With what the centre signs now."""
        return KEY if self.roots is None else self.roots.key

    @property
    def keys(self) -> tuple[str, ...]:
        """Whose signatures count for all that the centre says."""
        return next(grant.keys for grant in self.root.grants if grant.role == "publish")

    def may(self, signers: frozenset[str]) -> bool:
        """Tell whether any of them may say all that the centre says, by the root in force."""
        return not signers.isdisjoint(self.keys)

    def sign(self, document: D, *signers: str) -> Signed[D]:
        """A document as its signers send it; as the centre does, with the key that it has now, when none is named."""
        if self.roots is None:
            return signed(document, *signers)
        names = signers or (self.key,)
        return Signed(document, frozenset(names), f"{document!r} by {'+'.join(names)}".encode())

    def instant(self) -> Instant:
        """Both clocks."""
        return Instant(WallMs(self.wall_ms), MonoMs(self.mono_ms), self.trusted)

    # power and process

    def power_on(self) -> None:
        """Start: relays open, a new core, what the disk remembers; the broker sends again what nobody acknowledged."""
        if self.roots is not None:
            self.roots.in_force = self.roots.on_disk()
        remembered = self._remembered()
        self.station = Station(self.settings, self.disk.boots)
        self.amplifier_on_ms = None
        self.closed, self.mixer_closed, self.switching = [], False, {}
        self.failed: set[str] = set()
        self.sound = None
        self.player_up = self.player_hung = False
        self.players = 0
        self.last_sound_end_ms = self.last_switch_ms = self.booted_ms = self.mono_ms
        self.wake_ms = 0
        self.pending: list[tuple[int, int, Callable[[], None]]] = []
        self.order = 0
        self.waiting, self.written_ms, self.busy = [], self.mono_ms - self.group_ms, False
        self.powered, self.left, self.stopping, self.stopped_by_hand = True, False, False, False
        if self.clocks is not None:
            self.clocks.power_on(self.disk.time_floor_ms)
        for rule in self.rules:
            rule.power_on(self)
        self.known = set(self.cached)
        if self.radio is not None:
            self.radio.boot()
        if self.line is not None and self.card is not None:
            self.line.power_on(self.card.path)
        self.send(remembered)
        if self.supply is not None:
            self.supply.boot()
        if self.person is not None:
            self.person.boot()
        if self.hand is not None:
            self.hand.boot()
        if self.source is not None:
            self.source.boot()
        if self.monitor is not None:
            self.monitor.boot()
        self.later(self.faults.player_slow_ms, self._player_ready)
        for letter in self.letters:
            if not letter.acknowledged and not letter.lost:
                self._deliver(letter)
        if self.clocks is not None:
            self.clocks.boot()
        if self.centre is not None:
            self.centre.boot()
        if self.roots is not None:
            self.roots.boot()
        if self.authority is not None:
            self.speaker = Speaker(self)
            self.authority.boot()

    def _remembered(self) -> events.Started:
        """What a new life is told of the one before: by the real database where there is one."""
        disk = self.disk
        fields: dict[str, Any] = {
            "trust": self.root,
            "cached": frozenset(self.cached),
            "programmes": tuple(disk.programmes.values()),
            "floors": tuple(disk.floors.items()),
            "open_as_run": tuple(disk.open_as_run.values()),
            "settled": tuple(disk.settled.items()),
            "open_faults": tuple(disk.faults.values()),
            "alive_until_ms": disk.alive_until_ms,
            "watched_until_ms": disk.watched_until_ms,
            "time_floor_ms": disk.time_floor_ms,
            "earlier": tuple(disk.earlier.values()),
            "alerts": tuple(disk.alerts.values()),
            "volumes": tuple((zone, one) for zone, one in disk.volumes.items() if self.may(one.signers)),
            "data_used": disk.data_used,
        }
        disk.boots += 1
        if self.card is not None:
            boots, remembered = self.card.power_on()
            if boots != disk.boots:
                raise Violation(f"never-5: boot {disk.boots} counts as {boots}: ids will come again")
            if wrong := forgotten(disk, remembered, self.card.roots(), self.true_ms):
                raise Violation(f"never-5: the card has {wrong}")
            remembered = self.card.remembered(self.root.version)
            names = (
                "floors",
                "open_as_run",
                "settled",
                "open_faults",
                "alive_until_ms",
                "watched_until_ms",
                "data_used",
            )
            fields |= {name: getattr(remembered, name) for name in names}
            fields["programmes"] = tuple(self._signed(envelope) for _, envelope in remembered.envelopes)
            earlier = (self._signed(envelope) for _, envelope in remembered.earlier)
            fields["earlier"] = tuple(one for one in earlier if self.may(one.signers))
            fields["alerts"] = tuple(
                events.KnownAlert(self._alert(envelope), until_ms, told)
                for _, _, envelope, until_ms, told in remembered.alerts
            )
            volumes = ((zone, self._command(envelope)) for zone, envelope in remembered.volumes)
            fields["volumes"] = tuple((zone, one) for zone, one in volumes if self.may(one.signers))
            fields["time_floor_ms"] = remembered.time_floor.wall_ms if remembered.time_floor else 0
        return started(**fields)

    def power_off(self) -> None:
        """The power is cut: nothing runs, no relay is held, what was not yet on disk is gone."""
        if self.powered:
            late_ms = self.mono_ms - self.record_bound_ms
            if any(one.mono_ms < late_ms for one in self.waiting):
                raise Violation(f"never-5: a record older than {self.record_bound_ms} ms is lost")
            self._silence()
            if self.line is not None:
                self.line.power_off()
            if self.card is not None:
                self.card.power_off()
            if self.clocks is not None:
                self.clocks.power_off(warm=self.stopping)
            for rule in self.rules:
                rule.power_off(self)
        self.powered = False
        self.closed, self.mixer_closed, self.amplifier_on_ms, self.pending = [], False, None, []

    def stop(self) -> None:
        """SIGTERM: the station must leave by itself, within a time that follows from its settings."""
        self.stopping = self.stopped_by_hand = True
        begun_ms = self.mono_ms
        self.send(events.StopRequested())
        self.run(self.leaves_within_ms)
        if self.powered and not self.left:
            raise Violation(f"never-2: not left {self.mono_ms - begun_ms} ms after StopRequested")
        if self.waiting:  # the recorder writes what waits before the process ends
            self._commit()
        self.power_off()

    @property
    def leaves_within_ms(self) -> int:
        """How long a station takes from a stop until it has left."""
        zones = len(self.settings.zones)
        bound_ms = self.settings.fade_out_ms + HUNG_AFTER_MS + (zones + 1) * self.settings.zone_stagger_ms
        return bound_ms + 2 * self.faults.disk_ms + 100

    def _start_again(self) -> None:
        """It left by itself: the recorder writes what waits, and the service manager starts it again."""
        if self.waiting:
            self._commit()
        self.power_off()
        self.mono_ms += STARTS_AGAIN_MS
        self.power_on()

    # what arrives

    def publish(self, programme: Programme, *signers: str) -> Letter:
        """A programme arrives, signed by the publisher unless other signers are named."""
        return self._post(Letter(len(self.letters) + 1, self.sign(programme, *signers), programme.scope))

    def lose(self, programme: Programme) -> Letter:
        """A programme is retained, and does not come until it is asked for."""
        letter = Letter(len(self.letters) + 1, self.sign(programme), programme.scope, lost=True)
        self.letters.append(letter)
        return letter

    def hear_again(self, scope: str) -> None:
        """The station asks for what is retained of a scope."""
        letter = self.letters[self.retained[scope] - 1]
        letter.lost = False
        self.later(self.random.randrange(20, 400), lambda: self._deliver(letter))

    def publish_as_stranger(self, programme: Programme) -> Letter:
        """A programme arrives that nobody with a say signed."""
        return self.publish(programme, STRANGER)

    def refuse(self, refused: Refused, scope: str) -> Letter:
        """A document that could not be believed arrives."""
        return self._post(Letter(len(self.letters) + 1, refused, scope))

    def _post(self, letter: Letter) -> Letter:
        self.letters.append(letter)
        if self.powered:
            self._deliver(letter)
        return letter

    def _deliver(self, letter: Letter) -> None:
        self.send(events.ProgrammeArrived(letter.programme, letter.scope, letter.delivery))

    def store_audio(self, sha256: Sha256) -> None:
        """An audio file is whole in the store."""
        self.cached.add(sha256)
        self.known.add(sha256)
        self.send(events.AudioStored(sha256))

    def lose_audio(self, sha256: Sha256) -> None:
        """An audio file rots; nobody knows until it is read."""
        self.cached.discard(sha256)

    # clocks and time

    def step_clock(self, by_ms: int) -> None:
        """The wall clock is set. Nobody tells the station."""
        self.offset_ms += by_ms
        self.stepped_mono_ms = self.mono_ms

    def later(self, after_ms: int, do: Callable[[], None]) -> None:
        """Have something happen in this life."""
        self.order += 1
        heapq.heappush(self.pending, (self.mono_ms + after_ms, self.order, do))

    def run(self, span_ms: int) -> None:
        """Let time pass."""
        end_ms = self.mono_ms + span_ms
        while self.powered and not (self.left and self.stopped_by_hand):
            if self.left:
                self._start_again()
                continue
            due_ms = self.pending[0][0] if self.pending else end_ms
            next_ms = min(end_ms, due_ms, self.wake_ms)
            self.mono_ms = max(self.mono_ms, next_ms)
            if self.mono_ms >= end_ms:
                return
            if due_ms <= self.mono_ms:
                heapq.heappop(self.pending)[2]()
            else:
                self.wakes += 1
                self.send(events.TimePassed())
        self.mono_ms = max(self.mono_ms, end_ms)

    def run_until(self, wall_ms: int) -> None:
        """Let time pass until an instant of the wall clock; an instant that is past is here already."""
        self.run(max(0, wall_ms - self.wall_ms))

    # one event

    def send(self, event: events.Event) -> None:
        """One event to the core, its effects into the world, the rules asked."""
        if not self.powered or self.left:
            return
        self.sent += 1
        if self.clocks is not None:
            self.clocks.look()
        for hears in self._hears:
            hears(self, event)
        done = self.station.handle(event, self.instant())
        self.stopping = self.stopping or self.station.stopping  # by a command: ``Restarts`` judges that
        self._note(event, done)
        carry_out(done, self.do, self._submit)
        for after in self._after:
            after(self, event, done)

    def _note(self, event: events.Event, done: list[effects.Effect]) -> None:
        said = [text for text in map(_said, done) if text]
        if said or not isinstance(event, events.TimePassed | events.SoundProgress):
            self.trace.append(f"{self.mono_ms} {_said(event)} -> {', '.join(said)}")
            del self.trace[:-TRACE_LINES]

    def _submit(self, record: effects.Record, rest: list[effects.Effect]) -> None:
        """The barrier: the rest waits until the card has what stands before it, in the order of submission."""
        for before in self._before:
            before(self, record)
        self.waiting.append(Submission(record.entries, self.wall_ms, self.mono_ms, rest))
        if not self.busy:
            self._write_soon()

    @property
    def record_bound_ms(self) -> int:
        """How old a record may become before it is on disk: a second, and as much as the card hangs, twice."""
        return 1_000 + 2 * self.faults.disk_ms

    def _write_soon(self) -> None:
        """The recorder: what comes after a quiet second is written at once, the rest together a while later."""
        wait_ms = max(0, self.written_ms + self.group_ms - self.mono_ms)
        slow_ms = self.random.randrange(self.faults.disk_ms + 1) if self.faults.disk_ms else 0
        if wait_ms + slow_ms == 0:
            self.written_ms = self.mono_ms
            self._commit()
            return
        self.busy = True
        self.later(wait_ms, lambda: self._begin_write(slow_ms))

    def _begin_write(self, slow_ms: int) -> None:
        self.written_ms = self.mono_ms
        count = len(self.waiting)
        self.later(slow_ms, lambda: self._commit(count)) if slow_ms else self._commit(count)

    def _commit(self, count: int | None = None) -> None:
        """One transaction; what stands behind the barriers of its records is done then."""
        group = self.waiting[:count]
        del self.waiting[: len(group)]
        self.busy = False
        if self.card is not None:
            self.card.commit([entry for one in group for entry in one.entries], group[-1].wall_ms)
        for one in group:
            for entry in one.entries:
                self._write(entry)
            self.disk.alive_until_ms = WallMs(one.wall_ms)
        for one in group:
            carry_out(one.rest, self.do, self._submit)
        if self.line is not None:
            self.line.pump()
        if self.waiting and not self.busy:
            self._write_soon()

    def _ask(self, effect: effects.ReadMeter | effects.KeepRecording) -> None:
        """A witness is asked."""
        if isinstance(effect, effects.KeepRecording):
            assert self.monitor is not None
            self.monitor.asked(effect)
        elif self.meter is not None:
            self.meter.asked()

    def do(self, effect: effects.Effect) -> None:
        """Carry one effect out, as far as it can be; the rules are asked first, but of what each event brings."""
        if isinstance(effect, effects.WakeAt):
            self.wake_ms = effect.mono_ms
            return
        for before in self._before:
            before(self, effect)
        match effect:
            case effects.SwitchAmplifier(on):
                self._switch(AMPLIFIER, on)
            case effects.SwitchZone(zone, closed):
                self._switch(zone, closed)
            case effects.ReadMeter() | effects.KeepRecording():
                self._ask(effect)
            case effects.StartSound():
                self._start(effect)
            case effects.StartInput():
                self._listen(effect)
            case effects.StartLive():
                self._relay(effect)
            case effects.FeedSound():
                self._feed(effect)
            case effects.FollowStream() if self.radio is not None:
                self.radio.follow(effect)
            case effects.LeaveStream() if self.radio is not None:
                self.radio.leave(effect)
            case effects.StartStream() if self.radio is not None:
                self.radio.play(effect)
            case effects.SwitchMixer():
                self._mix(effect)
            case effects.StopSound(play, fade_out_ms):
                self._stop(play, fade_out_ms)
            case effects.SetVolume(play, volume_percent):
                if self.sound is not None and self.sound.command.play == play:
                    self.sound.turned_percent = volume_percent
            case effects.SetWanted(wanted, keep):
                self.known &= keep
                for audio in wanted:
                    if audio.sha256 in self.cached:  # the fetcher finds it whole in its folder
                        self.later(0, partial(self.store_audio, audio.sha256))
            case effects.Speak(wanted) if self.authority is not None:
                self.speaker.set_wanted(wanted)
            case effects.HearAgain(kind, scope) if self.roots is not None:
                self.roots.asked(kind, scope)
            case effects.Resend() | effects.SendLog():
                assert self.centre is not None
                self.centre.obeyed(effect)
            case effects.CheckConfig(command):
                assert self.centre is not None
                self.centre.obeyed(effect)
                problem = (("file", "station.yaml"),) if self.random.random() < 0.2 else ()
                checked = events.ConfigChecked(command, problem)
                self.later(self.random.choice(CHECKED_MS), lambda: self.send(checked))
            case effects.Answer(command, leaving=True):
                gone = events.AnswerGone(command)
                self.later(self.random.choice(ANSWER_GONE_MS), lambda: self.send(gone))
            case effects.SetSignedTime(wall_ms, mono_ms) if self.clocks is not None:
                self.clocks.hear_signed(wall_ms, mono_ms)
            case effects.SetTimeFloor(wall_ms) if self.clocks is not None:
                self.clocks.raise_floor(wall_ms)
            case effects.Acknowledge(delivery):
                self._acknowledged(delivery)
            case effects.Heartbeat():
                if self.line is not None and self.card is not None:
                    self.line.heartbeat(self.card.newest)
            case effects.Leave():
                self.left = True
            case _:
                pass

    def _acknowledged(self, delivery: int) -> None:
        for owner in (self.roots, self.authority, self.centre):
            if owner is not None and owner.owns(delivery):
                owner.acknowledged(delivery)
                return
        self.letters[delivery - 1].acknowledged = True

    # relays

    def _switch(self, subject: str, closed: bool) -> None:
        self.last_switch_ms = self.mono_ms
        if subject in self.faults.relays:
            self.failed.add(subject)
            self.later(0, lambda: self.send(events.RelayFailed(subject, f"does not switch to {int(closed)}")))
        elif subject == MICROPHONE:
            self.mixer_closed = closed
        else:
            self.switching[subject] = closed
            slow_ms = self.random.randrange(self.faults.relay_ms) if self.faults.relay_ms else 0
            self.later(slow_ms, lambda: self._switched(subject, closed))

    def _switched(self, subject: str, closed: bool) -> None:
        """A relay does as told, on the spot or at the far end of a serial line, and says so."""
        del self.switching[subject]
        if subject == AMPLIFIER:
            self.amplifier_on_ms = self.mono_ms if closed else None
        elif closed:
            self.closed.append(subject)
        elif subject in self.closed:
            self.closed.remove(subject)
        self.send(events.RelaySwitched(subject, closed))

    def warm_up_left_ms(self) -> int:
        """How long until the amplifier is warm; for ever when it is off."""
        if self.amplifier_on_ms is None:
            return 1 << 40
        return max(0, self.amplifier_on_ms + self.settings.amplifier.warm_up_ms - self.mono_ms)

    def _mix(self, command: effects.SwitchMixer) -> None:
        """The microphone is heard from the instant at which its relay closes until it opens."""
        play = command.play
        self._switch(MICROPHONE, command.closed)
        if not command.closed:
            written_ms = self._silence() if self._playing(play) is not None else (0,)
            self.later(0, lambda: self.send(events.SoundEnded(play, False, written_ms, None)))
        elif self.mixer_closed:
            self.sound = Sound(command, self.mono_ms)
            begin_ns = self.mono_ms * 1_000_000
            self.later(0, lambda: self.send(events.SoundStarted(play, begin_ns)))
        else:
            self.later(0, lambda: self.send(events.SoundEnded(play, False, (0,), "relay")))

    # the player

    @property
    def _playing_here(self) -> Sound | None:
        """What is in the player."""
        return None if self.sound is None or self.sound.by_mixer else self.sound

    def _player_ready(self) -> None:
        """A new player has tried its device before it says that it is ready."""
        self.player_up = True
        self.players += 1
        self.send(events.SoundDevice(not self.faults.device, DEVICE, "unplugged" if self.faults.device else ""))
        self.send(events.PlayerReady(DEVICE, self.players))

    def kill_player(self, reason: str = "died") -> None:
        """The player dies and is replaced. It told its position up to 100 ms ago."""
        if not self.powered or not self.player_up:
            return
        told_ms = 0
        if self._playing_here is not None:
            told_ms = self._sounded_ms() // 100 * 100
            self._silence()
        self.player_up = self.player_hung = False
        self.send(events.PlayerGone(reason, told_ms))
        self.later(self.faults.player_slow_ms, self._player_ready)

    def hang_player(self) -> None:
        """The player stops where it is; whoever watches it kills it soon."""
        if self.powered and self.player_up and not self.player_hung:
            self.player_hung = True
            if self._playing_here is not None:
                self._playing_here.frozen_mono_ms = self.mono_ms
            self.later(HUNG_AFTER_MS, lambda: self.kill_player("hung"))

    def fail_device(self) -> None:
        """The sound device is pulled out."""
        self.faults.device = True
        if self._playing_here is not None and self._playing_here.sounds(self.mono_ms):
            self._end(self._playing_here.command.play, False, "sound-device")
        self.send(events.SoundDevice(False, DEVICE, "unplugged"))

    def mend_device(self) -> None:
        """The sound device is there again."""
        self.faults.device = False
        self.send(events.SoundDevice(True, DEVICE, ""))

    def mute_input(self) -> None:
        """The sound input gives nothing any more."""
        self.faults.mute_input = True
        if self._playing_here is not None and self._playing_here.speaks:
            self._end(self._playing_here.command.play, False, "sound-input")

    def _sounded_ms(self) -> int:
        if self.sound is None:
            return 0
        until_ms = self.mono_ms if self.sound.frozen_mono_ms is None else self.sound.frozen_mono_ms
        return max(0, until_ms - self.sound.begin_mono_ms)

    def _start(self, command: effects.StartSound) -> None:
        play, nothing = command.play, (0,) * len(command.items)
        lost = next((item.sha256 for item in command.items if item.sha256 not in self.cached), None)
        if command.player != self.players:
            return
        if not self.player_up or self.player_hung:
            self._start_in_vain(command)
            return
        if lost is not None:
            self.known.discard(lost)
            self.later(0, lambda: self.send(events.AudioLost(lost, "rotten")))
            self.later(0, lambda: self.send(events.SoundEnded(play, False, nothing, "audio-lost")))
            return
        if self.faults.device:
            self.later(0, lambda: self.send(events.SoundEnded(play, False, nothing, "sound-device")))
            return
        begin_ms = max(command.at_mono_ms, self.mono_ms + self.random.randrange(self.faults.start_ms + 1))
        self.sound = Sound(command, begin_ms)
        length_ms, failure, completed = self._length(command)
        if length_ms:  # the player tells of a start once a period was taken
            self.later(begin_ms - self.mono_ms, lambda: self._begin(play))
        self.later(begin_ms - self.mono_ms + length_ms, lambda: self._end(play, completed, failure))

    def _start_in_vain(
        self, command: effects.StartSound | effects.StartInput | effects.StartLive | effects.StartStream
    ) -> None:
        self.sound = Sound(command, self.mono_ms, frozen_mono_ms=self.mono_ms) if self.player_up else None

    def _listen(self, command: effects.StartInput) -> None:
        """The player plays what its input hears, until it is told to stop."""
        if command.player != self.players:
            return
        if not self.player_up or self.player_hung:
            self._start_in_vain(command)
            return
        play, faults = command.play, self.faults
        if faults.device or faults.mute_input:
            failure = "sound-device" if faults.device else "sound-input"
            self.later(0, lambda: self.send(events.SoundEnded(play, False, (0,), failure)))
            return
        begin_ms = self.mono_ms + self.random.randrange(faults.start_ms + 1)
        self.sound = Sound(command, begin_ms)
        self.later(begin_ms - self.mono_ms, lambda: self._begin(play))

    def _relay(self, command: effects.StartLive | effects.StartStream) -> Sound | None:
        """The player plays what it is fed, from the first of it on; None when it does not."""
        if command.player != self.players:
            return None
        if not self.player_up or self.player_hung:
            self._start_in_vain(command)
            return None
        play = command.play
        if self.faults.device:
            self.later(0, lambda: self.send(events.SoundEnded(play, False, (0,), "sound-device")))
            return None
        self.sound = Sound(command, NOT_BEGUN_MS, fed_until_mono_ms=self.mono_ms)
        self.later(LOST_MS, lambda: self._see_lost(play))
        return self.sound

    def play_stream(self, command: effects.StartStream) -> Sound | None:
        """The player plays a stream, from the first of it on; None when it does not."""
        return self._relay(command)

    def stream_on(self, sound: Sound, ahead_ms: int) -> None:
        """There is so much of the stream that is played: it is heard on, or from now."""
        play = sound.command.play
        if sound.frozen_mono_ms is not None or sound.stop_at_mono_ms is not None:
            return
        if sound.begin_mono_ms == NOT_BEGUN_MS:
            sound.begin_mono_ms = self.mono_ms + self.random.randrange(self.faults.start_ms + 1)
            self.later(sound.begin_mono_ms - self.mono_ms, lambda: self._begin(play))
        sound.fed_until_mono_ms = self.mono_ms + ahead_ms
        self.later(ahead_ms + LOST_MS, lambda: self._see_lost(play))

    def _feed(self, command: effects.FeedSound) -> None:
        """A segment is heard behind what waits; a play that is over, or on its way out, does without."""
        sound, play = self._playing(command.play), command.play
        if sound is None or sound.frozen_mono_ms is not None or sound.stop_at_mono_ms is not None or sound.last:
            return
        if sound.begin_mono_ms == NOT_BEGUN_MS:
            begin_ms = self.mono_ms + self.random.randrange(self.faults.start_ms + 1)
            sound.begin_mono_ms = sound.fed_until_mono_ms = begin_ms
            self.later(begin_ms - self.mono_ms, lambda: self._begin(play))
        behind_ms = min(BEHIND_MS, max(0, sound.fed_until_mono_ms - self.mono_ms))
        sound.fed_until_mono_ms = self.mono_ms + behind_ms + PACKET_MS * len(command.packets)
        left_ms = sound.fed_until_mono_ms - self.mono_ms
        sound.last = command.last
        if command.last:
            self.later(left_ms, lambda: self._end(play, True, None))
        else:
            self.later(left_ms + LOST_MS, lambda: self._see_lost(play))

    def _see_lost(self, play: int) -> None:
        sound = self._playing(play)
        if sound is None or sound.last or sound.stop_at_mono_ms is not None:
            return
        if self.mono_ms >= sound.fed_until_mono_ms + LOST_MS:
            self._end(play, False, "live-lost")

    def _length(self, command: effects.StartSound) -> tuple[int, str | None, bool]:
        """How long a play would sound, the failure that ends it, and whether the player calls it complete."""
        total_ms = 0
        for item, share_ms in zip(command.items, shares(command.items, command.from_ms), strict=True):
            if share_ms and item.sha256 in self.faults.not_audio:
                return total_ms, "not-audio", False
            if share_ms and item.sha256 in self.faults.short:
                return total_ms + share_ms // 2, None, True
            total_ms += share_ms
        return total_ms, None, True

    def _begin(self, play: int) -> None:
        sound = self._playing(play)
        if sound is not None and sound.stop_at_mono_ms is None and sound.frozen_mono_ms is None:
            self.send(events.SoundStarted(play, self.mono_ms * 1_000_000))
            if self.progress_ms:
                self.later(self.progress_ms, lambda: self._progress(play))

    def _progress(self, play: int) -> None:
        sound = self._playing(play)
        if sound is not None and sound.frozen_mono_ms is None:
            self.send(events.SoundProgress(play, self._sounded_ms(), -20.0, -6.0, 0))
            self.later(self.progress_ms, lambda: self._progress(play))

    def _stop(self, play: int, fade_out_ms: int) -> None:
        sound = self._playing(play)
        if sound is not None and sound.frozen_mono_ms is None:
            wait_ms = fade_out_ms if sound.begin_mono_ms < self.mono_ms else 1
            sound.stop_at_mono_ms = self.mono_ms + wait_ms
            if sound.begin_mono_ms >= self.mono_ms:
                sound.begin_mono_ms = sound.stop_at_mono_ms
            self.later(wait_ms, lambda: self._end(play, False, None))

    def _playing(self, play: int) -> Sound | None:
        return self.sound if self.sound is not None and self.sound.command.play == play else None

    def _end(self, play: int, completed: bool, failure: str | None) -> None:
        sound = self._playing(play)
        if sound is not None and sound.frozen_mono_ms is None:
            written_ms = self._silence()
            if failure == "not-audio":
                self.known -= self.faults.not_audio & {item.sha256 for item in sound.items}
            self.send(events.SoundEnded(play, completed, written_ms, failure))

    def _silence(self) -> tuple[int, ...]:
        """Nothing sounds any more; gives what was written of each item."""
        sound, left_ms = self.sound, self._sounded_ms()
        if sound is None:
            return ()
        written = []
        command = sound.command
        spoken_ms = [left_ms]  # of what a person says there is as much as was heard
        for share_ms in (
            shares(command.items, command.from_ms) if isinstance(command, effects.StartSound) else spoken_ms
        ):
            written.append(min(left_ms, share_ms))
            left_ms -= written[-1]
        self.sound = None
        self.last_sound_end_ms = self.mono_ms
        for rule in self.rules:
            rule.silent(self, sound, tuple(written))
        return tuple(written)

    # the card

    def floor_of(self, subject: str) -> int:
        """Below which version of a document the card says that nothing is obeyed."""
        return Floors(self.disk.floors).of(subject, self.keys)

    def _write(self, entry: effects.Entry) -> None:
        for rule in self.rules:
            rule.written(self, entry)
        disk = self.disk
        match entry:
            case effects.TrustAccepted(version, envelope):
                disk.roots[version] = envelope
            case effects.ProgrammeForgotten(scope):
                disk.programmes.pop(scope, None)
            case effects.ProgrammeAccepted(scope, _, envelope):
                disk.programmes[scope] = self._signed(envelope)
            case effects.FloorRaised(name, version):
                disk.floors[name] = max(version, disk.floors.get(name, 0))
            case effects.EarlierKept(scope, _, envelope):
                disk.earlier[scope] = self._signed(envelope)
            case effects.AsRunOpened(record):
                disk.open_as_run[record.id] = record
            case effects.AsRunPosition(record):
                if record.id not in disk.open_as_run:
                    raise Violation(f"never-5: a position of {record.id}, which is not open on disk")
                disk.open_as_run[record.id] = record
            case effects.AsRunClosed(record):
                disk.open_as_run.pop(record.id, None)
                if settles(record):
                    disk.settled[record.occurrence] = record.planned_start_ms
                disk.as_run.append(record)
            case effects.AlertAccepted(scope, event, _, envelope, until_ms):
                disk.alerts[scope, event] = events.KnownAlert(self._alert(envelope), until_ms)
                disk.unsettle(scope, event)
            case effects.VolumeOrdered(zone, _, envelope):
                disk.volumes[zone] = self._command(envelope)
            case effects.AlertForgotten(scope, event):
                disk.alerts.pop((scope, event), None)
                disk.unsettle(scope, event)
            case effects.AlertTold(_, scope, event, version, state):
                known = disk.alerts.get((scope, event))
                if known is not None and known.signed.document.version == version:
                    disk.alerts[scope, event] = msgspec.structs.replace(known, told=state)
                disk.receipts.append(entry)
            case effects.FaultRaised(fault):
                disk.faults[fault.id] = fault
                disk.fault_log.append(fault)
            case effects.FaultCleared(fault):
                disk.faults.pop(fault.id)
                disk.fault_log.append(fault)
            case effects.Audited():
                disk.audit.append(entry)
            case effects.DataKept(used):
                disk.data_used = used
            case effects.WatchedUntil(wall_ms):
                disk.watched_until_ms = wall_ms
            case effects.TimeFloor(wall_ms, _):
                disk.time_floor_ms = wall_ms

    def _alert(self, envelope: bytes) -> Signed[Alert]:
        assert self.authority is not None
        return self.authority.signed(envelope)

    def _command(self, envelope: bytes) -> Signed[Command]:
        assert self.centre is not None
        return self.centre.signed(envelope)

    def _signed(self, envelope: bytes) -> Signed[Programme]:
        return next(
            letter.programme
            for letter in self.letters
            if isinstance(letter.programme, Signed) and letter.programme.envelope == envelope
        )


def shares(items: tuple[AudioItem, ...], from_ms: int) -> list[int]:
    """How much of each item a play from ``from_ms`` of the whole would write: the codec cuts the head of each file."""
    lengths = []
    for item in items:
        skipped_ms = min(from_ms, item.duration_ms)
        from_ms -= skipped_ms
        cut_ms = CODEC_CUT_MS if skipped_ms == 0 else 0
        lengths.append(max(0, item.duration_ms - skipped_ms - cut_ms))
    return lengths


def _said(thing: object) -> str:
    """An event or effect in few words, the same under every hash seed; nothing for what happens all the time."""
    match thing:
        case effects.WakeAt() | effects.Heartbeat() | effects.Note():
            return ""
        case effects.SetWanted(wanted, keep):
            return f"SetWanted({len(wanted)} of {len(keep)})"
        case effects.Record(entries):
            return f"Record({', '.join(_entry_said(entry) for entry in entries)})"
        case effects.StartSound(_, play, items, from_ms, at_mono_ms, volume_percent, _):
            names = "+".join(item.bulletin for item in items)
            return f"StartSound({play}: {names} from {from_ms} at {at_mono_ms}, {volume_percent}%)"
        case effects.PrepareSound(items):
            return f"PrepareSound({'+'.join(item.bulletin for item in items)})"
        case events.Started():
            return "Started"
        case events.ProgrammeArrived(Signed(document=document), _, delivery):
            return f"ProgrammeArrived({delivery}: {document.scope} version {document.version})"
        case events.LiveArrived(Signed(document=document, signers=signers), topic):
            names = f"{document.id} {document.version} number {document.number} of {document.sent}"
            return f"LiveArrived({topic}: {names}{' last' * document.last} by {'+'.join(sorted(signers))})"
        case effects.FeedSound(play, number, _, last):
            return f"FeedSound({play}: {number}{' last' * last})"
        case events.TrustArrived(tuple(roots), _, delivery):
            return f"TrustArrived({delivery}: {[root.document.version for root in roots]})"
        case effects.SetTrustRoot(root):
            return f"SetTrustRoot({root.version})"
        case events.AlertArrived(Signed(document=document), _, delivery):
            names = f"{document.id} version {document.version} {document.msg_type} {document.severity}"
            return f"AlertArrived({delivery}: {names})"
        case _:
            return str(thing)


def _entry_said(entry: effects.Entry) -> str:
    match entry:
        case effects.ProgrammeAccepted(scope, version, _):
            return f"accepted {scope} {version}"
        case effects.TrustAccepted(version, _):
            return f"accepted root {version}"
        case effects.AlertAccepted(_, event, version, _, _):
            return f"accepted alert {event} {version}"
        case effects.AlertTold(_, _, event, version, state, reasons):
            return f"told alert {event} {version} {state} {dict(reasons)}"
        case effects.AsRunOpened(record):
            return f"opened {record.id} {record.occurrence}"
        case effects.AsRunPosition(record):
            return f"position {record.id} {[item.written_ms for item in record.items]}"
        case effects.AsRunClosed(record):
            outcome = record.outcome.value if record.outcome else "open"
            written_ms = [item.written_ms for item in record.items]
            return (
                f"closed {record.id} {record.occurrence} {outcome} {record.reason and record.reason.value} {written_ms}"
            )
        case effects.FaultRaised(fault):
            return f"raised {fault.id} {fault.code} {fault.subject}"
        case effects.FaultCleared(fault):
            return f"cleared {fault.id} {fault.code} {fault.subject}"
        case effects.Audited(name, _, _, deed, what, subject, version):
            return f"audited {name} {deed} {what} {subject} {version}"
        case effects.WatchedUntil(wall_ms):
            return f"watched {wall_ms}"
        case _:
            return str(entry)
