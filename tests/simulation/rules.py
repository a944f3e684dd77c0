"""The rules of the design (sections 5 and 6), checked from outside after every event of a simulated station.

Each rule keeps its own books from what the world does and from what the documents say; none asks the core what it
thinks, but for its public snapshot. All slots of these worlds recur every so many days, or not at all, in a zone
without clock changes, so that the books need no recurrence rules of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from msgspec.structs import replace

from tests.core.material import DAY_MS, PILOT, SILENCE, TEST_TONE
from tests.simulation.centre import Loudness
from tests.simulation.power import Thrift
from tests.simulation.shell import Violation
from tests.simulation.supplies import Spent
from tests.simulation.world import CODEC_CUT_MS, HUNG_AFTER_MS, Rule, Sound, World, is_warning
from ttcs_edge.core import effects, events
from ttcs_edge.core.asrun import settles
from ttcs_edge.core.documents import Audio, Bulletin, Programme, Refused, Signed, Slot
from ttcs_edge.core.floors import Floors
from ttcs_edge.core.model import (
    AMPLIFIER,
    COMMAND_PREFIX,
    LIVE_PREFIX,
    MICROPHONE,
    MICROPHONE_PREFIX,
    STATION_PREFIX,
    STREAM_PREFIX,
    AiredItem,
    AsRun,
    AudioItem,
    Occurrence,
    Outcome,
    Scope,
    StationSettings,
    Zone,
    scope_prefixes,
)
from ttcs_edge.core.reports import Snapshot

LOCAL = timezone(timedelta(hours=7))
"""Vietnam's time, which has had no clock change since 1975."""
GRACE_MS = 3_000
"""For how long a cue may stay silent before it is missed."""
START_SLACK_MS = 1_500
"""How much later than it should a live relay or a stream may be seen to start."""
TOLERANCE_MS = 250
"""How far the samples of an item may fall short of its declared length."""
MARGIN_MS = 150
"""How far ahead of its instant a sound may be handed to the player."""
ALERT_FADE_MS = 100
"""How fast an alert, or who speaks, leaves the air."""
INPUT_FADE_MS = 20
"""How fast who speaks into the sound input is there."""
POSITION_MS = 1_000
"""How often the position of what is on the air is put on disk."""
FOR_EVER_MS = 1 << 40
ENTRY_ORDER = ("air", "notes", "record", "after")
PLACES: dict[type, str] = {
    effects.SwitchAmplifier: "air",
    effects.SwitchZone: "air",
    effects.PrepareSound: "air",
    effects.StartSound: "air",
    effects.StartInput: "air",
    effects.StartLive: "air",
    effects.FeedSound: "air",
    effects.FollowStream: "air",
    effects.LeaveStream: "air",
    effects.StartStream: "air",
    effects.SwitchMixer: "air",
    effects.StopSound: "air",
    effects.SetVolume: "air",
    effects.SetWanted: "air",
    effects.Speak: "air",
    effects.Leave: "air",
    effects.SetTimeFloor: "notes",
    effects.SetTrustRoot: "notes",
    effects.HearAgain: "notes",
    effects.ReadDocument: "notes",
    effects.ShowLamp: "notes",
    effects.ShowDisplay: "notes",
    effects.ReadMeter: "notes",
    effects.SwitchFan: "notes",
    effects.CureModem: "notes",
    effects.KeepRecording: "notes",
    effects.Note: "notes",
    effects.Record: "record",
}


@lru_cache(maxsize=1_024)
def utc_ms(text: str) -> int:
    """The instant of a document's time."""
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1_000)


@lru_cache(maxsize=1_024)
def _local_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=LOCAL).timestamp() * 1_000)


def heard_within_ms(settings: StationSettings) -> int:
    """How long it may take until something is heard once its way is open: a way down, a player that is replaced, a way
    up.
    """
    down_ms = settings.fade_out_ms + (len(settings.zones) + 1) * settings.zone_stagger_ms
    return way_up_ms(settings) + down_ms + HUNG_AFTER_MS


def what_is_wrong(world: World) -> set[str]:
    """What keeps anything below an alert from being heard now, as a record calls it."""
    faults = world.faults
    wrong = {
        "sound-device": faults.device,
        "player-died": not world.player_up or world.player_hung,
        "stopped": world.stopping,
        "quiet-hours": world.trusted and is_quiet(world.settings, world.wall_ms),
        "power-saved": world.supply is not None and any(step.alerts_only for step in world.supply.in_force()),
        "no-amplifier": AMPLIFIER in faults.relays,
        "relay": bool(faults.relays),
        "muted": world.muted,
    }
    return {name for name, so in wrong.items() if so}


@dataclass(frozen=True)
class Due:
    """One occurrence of a slot, by the books."""

    occurrence: Occurrence
    planned_ms: int
    slot: Slot
    programme: Programme


def nearest(programme: Programme, slot: Slot, wall_ms: int) -> Due:
    """The occurrence of a slot whose instant is nearest to ``wall_ms``."""
    start_ms = _local_ms(slot.start)
    step_ms = interval_ms(slot.rrule)
    planned_ms = start_ms + (max(0, round((wall_ms - start_ms) / step_ms)) * step_ms if step_ms else 0)
    local = datetime.fromtimestamp(planned_ms / 1_000, LOCAL).replace(tzinfo=None).isoformat()
    return Due(Occurrence(programme.scope, slot.id, local), planned_ms, slot, programme)


@lru_cache(maxsize=1_024)
def interval_ms(rule: str) -> int:
    """From one occurrence of ``FREQ=DAILY[;INTERVAL=n]`` to the next; 0 without a rule."""
    return DAY_MS * int(rule.partition("INTERVAL=")[2] or 1) if rule else 0


def is_of_slot(occurrence: Occurrence) -> bool:
    """Tell whether it is of a programme: not of an alert, not said into the microphone, no relay, stream or order."""
    others = (COMMAND_PREFIX, STATION_PREFIX, MICROPHONE_PREFIX, LIVE_PREFIX, STREAM_PREFIX)
    return not occurrence.is_of_alert and not occurrence.slot.startswith(others)


def relayed_as(slot: Slot) -> str | None:
    """What records call the live relay or the stream that a slot names; None when it names none."""
    if slot.live is not None:
        return f"{LIVE_PREFIX}{slot.live}"
    return None if slot.stream is None else f"{STREAM_PREFIX}{slot.id}"


def is_quiet(settings: StationSettings, wall_ms: int) -> bool:
    """Tell whether an instant lies in quiet hours."""
    local = datetime.fromtimestamp(wall_ms / 1_000, LOCAL)
    minute = local.hour * 60 + local.minute
    for span in settings.quiet_hours:
        begin, end = span.begin_minute, span.end_minute
        if begin <= minute < end or (begin > end and (minute >= begin or minute < end)):
            return True
    return False


def zones_of(settings: StationSettings, slot: Slot) -> list[Zone]:
    """The zones here that a slot speaks to."""
    return [zone for zone in settings.zones if not slot.zones or zone.id in slot.zones]


def spoken(bulletin: Bulletin, zones: list[Zone]) -> list[Audio]:
    """air-8: what a bulletin sounds like for some zones: each zone's best language, each once."""
    chosen: list[Audio] = []
    for zone in zones:
        known = {audio.language: audio for audio in bulletin.audio}
        best = [known[language] for language in zone.languages if language in known][:1] or [bulletin.audio[0]]
        chosen += [audio for audio in best if audio not in chosen]
    return chosen


def whole_of(settings: StationSettings, due: Due) -> list[tuple[str, Audio]]:
    """Everything that a cue is made of when no audio lacks."""
    bulletins = {bulletin.id: bulletin for bulletin in due.programme.bulletins}
    zones = zones_of(settings, due.slot)
    return [(name, audio) for name in due.slot.bulletins for audio in spoken(bulletins[name], zones)]


def way_up_ms(settings: StationSettings) -> int:
    """How long from a cold amplifier to sound, at the most."""
    zones = len(settings.zones)
    return settings.amplifier.warm_up_ms + (2 * zones + 1) * settings.zone_stagger_ms + MARGIN_MS


@dataclass(frozen=True)
class Spare:
    """A recording that may be heard in a slot, and until when."""

    bulletin: str
    audio: Audio
    until_ms: float


def until_ms(programme: Programme, name: str) -> float:
    """When a bulletin expires; never, when it does not say."""
    expires = next(one.expires for one in programme.bulletins if one.id == name)
    return utc_ms(expires) if expires else float("inf")


class Standing(Rule):
    """Books: which programmes must be in force, by the documents and signatures alone."""

    def __init__(self) -> None:
        self.programmes: dict[Scope, Programme] = {}
        self.aside: dict[Scope, Programme] = {}
        self.earlier: dict[Scope, Programme] = {}
        self.floors: dict[tuple[str, str], int] = {}
        """By scope, and by the key that raised it."""
        self.signers: dict[tuple[Scope, int], frozenset[str]] = {}
        """Who signed each version that was ever in force."""
        self.revoked: set[str] = set()
        """The scopes whose programme was withdrawn with its key, until a good one comes."""
        self.seen_ms = 0
        self.root_version = 1
        self.since_ms: int | None = None
        self.history: list[tuple[Programme, int, int]] = []
        self.accepted_ms: dict[Scope, int] = {}
        self.verdicts: dict[int, str] = {}

    def power_on(self, world: World) -> None:
        """What the disk has is in force; what was accepted and did not reach it is not."""
        self.since_ms = world.disk.watched_until_ms
        self.aside = {}
        scopes = scope_prefixes(world.settings.scope)
        self.floors = {
            (scope, key): version
            for name, version in world.disk.floors.items()
            for scope, _, key in [name.partition("@")]
            if scope in scopes
        }
        self.root_version = world.root.version
        self.revoked = {one.subject for one in world.disk.faults.values() if one.code == "programme-revoked"}
        stored_ones = [*world.disk.earlier.values(), *world.disk.programmes.values()]
        self.signers |= {(one.document.scope, one.document.version): one.signers for one in stored_ones}
        self.earlier = {
            Scope(scope): one.document for scope, one in world.disk.earlier.items() if world.may(one.signers)
        }
        stored = {Scope(scope): one.document for scope, one in world.disk.programmes.items()}
        for scope in [scope for scope, one in self.programmes.items() if stored.get(scope) != one]:
            self._ends(scope, world.true_ms)
        for scope, one in stored.items():
            if scope not in self.programmes:
                self._begins(scope, one, world.true_ms)

    def hears(self, world: World, event: events.Event) -> None:
        """Judge a document as the design says, and see what has expired."""
        if world.root.version != self.root_version:
            self._take_root(world)
        self.seen_ms = world.true_ms if world.trusted else self.seen_ms
        if world.trusted and self.since_ms is None:
            self.since_ms = world.wall_ms
        if isinstance(event, events.ProgrammeArrived):
            self.verdicts[event.delivery] = self._judge(world, event)
        if world.trusted:
            for scope in [s for s, one in self.aside.items() if utc_ms(one.expires) > world.wall_ms]:
                self._begins(scope, self.aside.pop(scope), world.wall_ms)
            for scope in [s for s, one in self.programmes.items() if utc_ms(one.expires) <= world.wall_ms]:
                self.aside[scope] = self.programmes[scope]
                self._ends(scope, utc_ms(self.programmes[scope].expires))

    def _take_root(self, world: World) -> None:
        """What only a key that counts no more has signed is gone at once; nobody owes what was due under it and not
        seen.
        """
        self.root_version = world.root.version
        for scope, one in [*self.programmes.items(), *self.aside.items()]:
            if not self._is_signed(world, one):
                self.revoked.add(scope)
                self.aside.pop(scope, None)
                if scope in self.programmes:
                    self._ends(scope, world.true_ms)
        self.earlier = {scope: one for scope, one in self.earlier.items() if self._is_signed(world, one)}
        self.history = [
            (one, since_ms, until_ms if self._is_signed(world, one) else min(until_ms, self.seen_ms))
            for one, since_ms, until_ms in self.history
        ]

    def _is_signed(self, world: World, one: Programme) -> bool:
        return world.may(self.signers[one.scope, one.version])

    def _floor(self, world: World, scope: Scope) -> int:
        """The floor that the keys that count have raised."""
        return max(self.floors.get((scope, key), 0) for key in ("", *world.keys))

    def _judge(self, world: World, event: events.ProgrammeArrived) -> str:
        if isinstance(event.programme, Refused):
            return "refused"
        document, signers = event.programme.document, event.programme.signers
        scope, here = document.scope, world.settings.scope
        expired = world.trusted and utc_ms(document.expires) <= world.wall_ms
        if not world.may(signers) or scope != event.topic_scope or not (here + "/").startswith(scope + "/"):
            return "refused"
        floor = self._floor(world, scope)
        if expired or document.version < floor:
            return "refused"
        known = self.programmes.get(scope) or self.aside.get(scope)
        if document.version == floor and known is not None and known.version == floor:
            self.revoked -= {scope} if known == document else set()
            return "known" if known == document else "refused"
        self.aside.pop(scope, None)
        if scope in self.programmes:
            self._steps_back(world, self.programmes[scope])
            self._ends(scope, world.true_ms)
        self._begins(scope, document, world.true_ms)
        self.floors |= {(scope, key): document.version for key in signers.intersection(world.keys)}
        self.signers[scope, document.version] = signers
        self.revoked.discard(scope)
        return "accepted"

    def _steps_back(self, world: World, document: Programme) -> None:
        """It is replaced: its recordings may stand in from now on, if all of them were here."""
        dues = [nearest(document, slot, world.wall_ms) for slot in document.slots]
        audio = {audio.sha256 for due in dues for _, audio in whole_of(world.settings, due)}
        if audio and audio <= world.known:
            self.earlier[document.scope] = document

    def spares(self, settings: StationSettings, due: Due) -> list[Spare]:
        """Everything that may be heard in a slot, its own audio included, in the order in which it is heard."""
        zones, slot, scope = zones_of(settings, due.slot), due.slot, due.programme.scope
        spares = [Spare(name, audio, until_ms(due.programme, name)) for name, audio in whole_of(settings, due)]
        before = self.earlier.get(scope)
        if slot.if_unplayable == "earlier" and before is not None:
            editions = {one.id: one for one in before.bulletins}
            ends_ms = utc_ms(before.expires)
            for name in [name for name in reversed(slot.bulletins) if name in editions]:
                behind = max(n for n, spare in enumerate(spares) if spare.bulletin == name) + 1
                until = min(ends_ms, until_ms(before, name))
                spares[behind:behind] = [Spare(name, audio, until) for audio in spoken(editions[name], zones)]
        if slot.if_unplayable == "standing":
            for programme in self.programmes.values():
                if (scope + "/").startswith(programme.scope + "/"):
                    standing = [one for one in programme.bulletins if one.id in programme.standing]
                    ends_ms = utc_ms(programme.expires)
                    for one in standing:
                        until = min(ends_ms, until_ms(programme, one.id))
                        spares += [Spare(one.id, audio, until) for audio in spoken(one, zones)]
        return spares

    def _begins(self, scope: Scope, document: Programme, wall_ms: int) -> None:
        self.programmes[scope] = document
        self.accepted_ms[scope] = wall_ms

    def _ends(self, scope: Scope, wall_ms: int) -> None:
        self.history.append((self.programmes.pop(scope), self.accepted_ms.pop(scope), wall_ms))

    def spans(self, wall_ms: int) -> Iterator[tuple[Programme, int, int]]:
        """Every programme that was in force, from when until when."""
        yield from self.history
        for scope, document in self.programmes.items():
            yield document, self.accepted_ms[scope], wall_ms

    def live_of(self, occurrence: Occurrence) -> str | None:
        """The live relay that the newest slot of an occurrence names, as records have it; or its stream."""
        documents = [*self.programmes.values(), *(one for one, _, _ in reversed(self.history))]
        slots = (slot for one in documents if one.scope == occurrence.scope for slot in one.slots)
        return next((relayed_as(slot) for slot in slots if slot.id == occurrence.slot), None)

    def higher_waits_for_its_own(self, world: World, priority: int) -> bool:
        """Tell whether a slot above this priority has just come, and waits for its stream or live relay to start."""
        dues = [nearest(one, slot, world.wall_ms) for one, slot in self.slots() if relayed_as(slot) is not None]
        return any(
            one.slot.priority > priority and 0 <= world.wall_ms - one.planned_ms <= GRACE_MS + START_SLACK_MS
            for one in dues
        )

    def slots(self) -> Iterator[tuple[Programme, Slot]]:
        """Every slot that is in force."""
        for document in self.programmes.values():
            for slot in document.slots:
                yield document, slot


@dataclass
class Heard:
    """What was really heard of one occurrence in this life: of each item, the stretches that were written."""

    due: Due
    first_mono_ms: int | None = None
    stretches: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    position_ms: int = 0
    ended_badly: bool = False
    begun: bool = False
    before_restart_ms: int = 0
    turn: set[str] = field(default_factory=set)
    served: set[str] = field(default_factory=set)
    """The zones that hear it now, and those that heard it whole before."""

    @property
    def is_untouched(self) -> bool:
        """Tell whether nothing of it was heard yet, nor failed: it lost the air before its first sample."""
        return self.first_mono_ms is None and not self.begun and not self.ended_badly

    def written_ms(self) -> int:
        """All that was written, what the codec swallowed included."""
        return sum(end - begin for spans in self.stretches.values() for begin, end in spans)

    def uncovered_ms(self, audio: Audio | AudioItem | AiredItem) -> int:
        """How much of one recording was never written."""
        reached_ms = missing_ms = 0
        for begin_ms, end_ms in sorted(self.stretches.get(audio.sha256, [])):
            missing_ms += max(0, begin_ms - reached_ms)
            reached_ms = max(reached_ms, end_ms)
        return missing_ms + max(0, audio.duration_ms - reached_ms)


class Air(Rule):
    """Who sounds, and whether it may: never-1, air-2, air-5, air-6, air-7, air-8. Keeps the book of what was heard."""

    def __init__(self, standing: Standing, loudness: Loudness, thrift: Thrift) -> None:
        self.standing = standing
        self.loudness = loudness
        self.thrift = thrift
        self.heard: dict[Occurrence, Heard] = {}
        self.cut: dict[Occurrence, int] = {}
        self.cut_written: dict[Occurrence, tuple[int, int, int]] = {}
        self.current: Heard | None = None
        self.free_ms = 0
        self.last: Heard | None = None
        self.told: set[Occurrence] = set()
        self.lame: set[str] = set()
        """The relays that ever did not do as told in this life."""
        self.relayed_ms: dict[str, int] = {}
        """Until when a live relay of an id could be heard in the place of a slot."""

    def power_on(self, world: World) -> None:
        """A new life has heard nothing; what the disk has as told is told."""
        self.told = set(world.disk.settled)
        self.heard, self.current, self.last, self.free_ms, self.relayed_ms = {}, None, None, 0, {}
        self.lame = set()

    def power_off(self, world: World) -> None:
        """What was on the air for long enough to be on disk must not air again in any life."""
        for occurrence, heard in self.heard.items():
            if heard.first_mono_ms is not None and occurrence not in self.told:
                self.cut[occurrence] = world.mono_ms - heard.first_mono_ms
            if heard.first_mono_ms is not None:  # what was told may not have reached the card
                late_ms = world.progress_ms + POSITION_MS + world.record_bound_ms if world.progress_ms else FOR_EVER_MS
                self.cut_written[occurrence] = (heard.written_ms(), heard.before_restart_ms, late_ms)

    def hears(self, world: World, event: events.Event) -> None:
        """A play that ended badly may go on behind what was bad; one that began was interrupted, if by nothing else."""
        self.lame |= world.faults.relays | world.failed
        if isinstance(event, events.SoundStarted) and self.current is not None:
            self.current.begun = True
        if world.muted or world.unmuted_mono_ms == world.mono_ms:
            self.free_ms = world.wall_ms  # silence had the air until now
        if isinstance(event, events.SoundEnded) and event.failure not in (None, "live-lost") and self.last is not None:
            self.last.ended_badly = True
            self.current = None

    def before(self, world: World, effect: effects.Effect) -> None:
        """Judge a start; keep the book of what was told."""
        is_test = isinstance(effect, effects.StartSound) and effect.items[0] in (TEST_TONE, PILOT, SILENCE)
        if isinstance(effect, effects.StartSound) and not is_warning(effect.items) and not is_test:
            self._start(world, effect)
        elif isinstance(effect, effects.Record):
            self.told |= {entry.record.occurrence for entry in effect.entries if isinstance(entry, effects.AsRunClosed)}

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """air-5: what runs into quiet hours is on its way out."""
        sound = world.sound
        if sound is None or sound.stop_at_mono_ms is not None or sound.frozen_mono_ms is not None or not world.trusted:
            return
        if not sound.items or sound.warns or sound.tests:
            return
        if sound.begin_mono_ms <= world.mono_ms and is_quiet(world.settings, world.wall_ms):
            raise Violation(f"air-5: {self._name()} goes on in quiet hours")
        if self.current is None:
            return
        slot = self.current.due.slot
        loudest = self.loudest(world, slot)
        if sound.volume_percent not in loudest:
            raise Violation(f"air-5: {self._name()} goes on at {sound.volume_percent}%, allowed are {sorted(loudest)}%")
        if not self._holds(world, self.current.due, sound.items):
            raise Violation(f"never-1: {self._name()} goes on without a programme in force")
        begin_ms = world.wall_ms + sound.begin_mono_ms - world.mono_ms
        came, command = isinstance(event, events.ProgrammeArrived), sound.command
        if not came or not isinstance(command, effects.StartSound):
            return
        if expired := self._expired(world, self.current.due, command, begin_ms):
            raise Violation(f"never-1: {expired} of {self._name()} goes on, and would not be over before it expires")

    def loudest(self, world: World, slot: Slot) -> set[int]:
        """How loud a slot may be: as its quietest zone allows, and the power."""
        zones = tuple(zones_of(world.settings, slot))
        return self.thrift.turned_down(self.loudness.allowed(world, zones, slot.volume_percent))

    def silent(self, world: World, sound: Sound, written_ms: tuple[int, ...]) -> None:
        """Enter what was written into the book."""
        self.free_ms = world.wall_ms
        heard = self.current
        command = sound.command
        if sound.warns or sound.tests or not isinstance(command, effects.StartSound):
            return
        assert heard is not None
        skip_ms, begin_ms = command.from_ms, 0
        heard.position_ms = command.from_ms
        for item, wrote_ms in zip(command.items, written_ms, strict=True):
            skipped_ms = min(skip_ms, item.duration_ms)
            skip_ms -= skipped_ms
            begin_ms += item.duration_ms
            if wrote_ms:
                end_ms = skipped_ms + wrote_ms + (CODEC_CUT_MS if skipped_ms == 0 else 0)
                heard.stretches.setdefault(item.sha256, []).append((skipped_ms, end_ms))
                heard.position_ms = begin_ms - item.duration_ms + end_ms
                if heard.first_mono_ms is None:
                    heard.first_mono_ms = sound.begin_mono_ms
        self.current = None

    def _candidates(self, world: World, items: tuple[AudioItem, ...]) -> list[Due]:
        """Which occurrences a sound may be of: one that was interrupted, or that of a slot made of these recordings.

        Two versions of a programme can hold two occurrences of one slot on one day, which sound alike. One that was
        begun counts as interrupted also when its player died before the first sample.
        """
        sounds = [(item.bulletin, item.sha256) for item in items]
        names = {bulletin for bulletin, _ in sounds}
        interrupted = [
            heard.due
            for heard in self.heard.values()
            if (heard.first_mono_ms is not None or heard is self.last)
            and heard.due.occurrence not in self.told
            and names <= {spare.bulletin for spare in self.standing.spares(world.settings, heard.due)}
            and self._holds(world, heard.due, items)
        ]
        found: list[tuple[int, int, int, Due]] = []
        for programme, slot in self.standing.slots():
            due = nearest(programme, slot, world.wall_ms)
            parts = [(name, audio.sha256) for name, audio in whole_of(world.settings, due)]
            spares = [(one.bulletin, one.audio.sha256) for one in self.standing.spares(world.settings, due)]
            for rank, whole in enumerate((parts, spares)):
                left = iter(whole)
                if all(sound in left for sound in sounds):
                    found.append((rank + (parts != sounds), abs(due.planned_ms - world.wall_ms), len(found), due))
        return [*interrupted, *(one[3] for one in sorted(found))]

    def _holds(self, world: World, due: Due, items: tuple[AudioItem, ...]) -> bool:
        now = self._in_force(due)
        if now is None:
            return False
        audio = {recording.sha256 for one in now.programme.bulletins for recording in one.audio}
        everywhere = Due(now.occurrence, now.planned_ms, replace(now.slot, zones=()), now.programme)
        audio |= {spare.audio.sha256 for spare in self.standing.spares(world.settings, everywhere)}
        return audio.issuperset(item.sha256 for item in items)

    def _in_force(self, due: Due) -> Due | None:
        """An occurrence by the programme that is in force now; None when that has no such slot."""
        programme = self.standing.programmes.get(due.programme.scope)
        slot = None if programme is None else next((one for one in programme.slots if one.id == due.slot.id), None)
        return None if programme is None or slot is None else Due(due.occurrence, due.planned_ms, slot, programme)

    def _start(self, world: World, command: effects.StartSound) -> None:
        if world.sound is not None:
            raise Violation("air-1: two sounds at once")
        dues = self._candidates(world, command.items)
        if not dues:
            raise Violation(f"never-1: no programme in force has {[item.bulletin for item in command.items]} for here")
        problems = []
        for due in dues:
            heard = self.heard.get(due.occurrence)
            if heard is None or heard.is_untouched:  # a newer programme may have changed its slot meanwhile
                heard = Heard(due)
            problem = self._problem(world, command, due, heard)
            if problem is None:
                self._take(world, command, heard)
                return
            problems.append(problem.replace("IT", str(due.occurrence)))
        raise Violation(problems[0])

    def _begins_turn(self, world: World, heard: Heard, command: effects.StartSound) -> bool:
        """Tell whether others hear it from the beginning, for their supply does not bear them beside those who did: who
        heard it, heard all of it that can be heard, or cannot be reached any more.
        """
        if not world.settings.supplies or command.from_ms or set(world.closed) & heard.served:
            return False
        over = heard.turn <= world.faults.relays | world.failed or heard.ended_badly
        over = over or all(heard.uncovered_ms(item) <= TOLERANCE_MS for item in command.items)
        return over and not set(world.closed) <= heard.turn

    def _take(self, world: World, command: effects.StartSound, heard: Heard) -> None:
        if heard.begun and self._begins_turn(world, heard, command):
            whole = all(heard.uncovered_ms(item) <= TOLERANCE_MS for item in command.items)
            heard.served |= heard.turn if whole else set()
            heard.turn, heard.position_ms = set(), 0
            heard.before_restart_ms = max(heard.before_restart_ms, heard.written_ms())
            heard.stretches.clear()
        heard.turn |= set(world.closed) - world.faults.relays
        self.heard[heard.due.occurrence] = heard
        self.current = self.last = heard
        if heard.due.slot.if_interrupted == "restart" and command.from_ms == 0:
            heard.before_restart_ms = max(heard.before_restart_ms, heard.written_ms())
            heard.stretches.clear()
        heard.ended_badly = False
        self.free_ms = world.wall_ms

    def _problem(self, world: World, command: effects.StartSound, due: Due, heard: Heard) -> str | None:
        """Tell what is wrong with a start, if it is of this occurrence."""
        begin_ms = world.wall_ms + max(0, command.at_mono_ms - world.mono_ms)
        zones = zones_of(world.settings, due.slot)
        loudest = self.loudest(world, due.slot)
        left = self.thrift.zones_left(world, [zone.id for zone in zones])
        if not world.trusted:
            return "air-7: IT starts without trusted time"
        if is_quiet(world.settings, begin_ms):
            return "air-5: IT starts in quiet hours"
        if world.muted:
            return "air-5: IT starts while the station is muted"
        if due.occurrence in self.told:
            return "never-5: IT airs again after it was told"
        if self.cut.get(due.occurrence, 0) > world.record_bound_ms:
            return "never-5: IT airs again after a power cut"
        if command.volume_percent not in loudest:
            return f"air-5: IT at {command.volume_percent}%, its quietest zone allows {sorted(loudest)}%"
        if not set(world.closed) <= {zone.id for zone in zones} | world.faults.relays:
            return f"never-1: IT goes to {world.closed}, which its slot does not name"
        if not any(set(world.closed) <= some | world.faults.relays for some in left):
            return f"shed: IT goes to {world.closed}, left are {left}"
        if expired := self._expired(world, due, command, begin_ms):
            return f"never-1: {expired} of IT would not be over before it expires"
        if heard.begun and self._begins_turn(world, heard, command):
            return None
        if heard.begun:
            return self._wrong_position(heard, command)
        if command.from_ms and not heard.ended_badly:
            return f"air-2: IT begins at {command.from_ms} ms"
        return self._too_late(world, due, begin_ms)

    def _expired(self, world: World, due: Due, command: effects.StartSound, begin_ms: int) -> str | None:
        """What of a play is still to be heard beyond its expiry, by the most lenient of the documents that have it."""
        now_due = self._in_force(due)
        spares = [spare for one in (due, now_due) if one for spare in self.standing.spares(world.settings, one)]
        end_ms, skip_ms = begin_ms, command.from_ms
        for item in command.items:
            left_ms = max(0, item.duration_ms - skip_ms)
            skip_ms = max(0, skip_ms - item.duration_ms)
            end_ms += left_ms
            ends = [spare.until_ms for spare in spares if spare.audio.sha256 == item.sha256]
            if left_ms and ends and end_ms > max(world.wall_ms, *ends):
                return item.bulletin
        return None

    def _wrong_position(self, heard: Heard, command: effects.StartSound) -> str | None:
        """air-2: where an interrupted cue goes on."""
        kind, from_ms = heard.due.slot.if_interrupted, command.from_ms
        ends_ms = [sum(item.duration_ms for item in command.items[: n + 1]) for n in range(len(command.items))]
        behind_ms = next((end_ms for end_ms in ends_ms if end_ms > heard.position_ms), heard.position_ms)
        if heard.ended_badly and from_ms == behind_ms:
            return None
        slack_ms = TOLERANCE_MS + CODEC_CUT_MS * len(command.items)
        if kind == "drop":
            return "air-2: IT goes on, but is to be dropped"
        if kind == "restart":
            return f"air-2: IT goes on at {from_ms} ms, but is to restart" if from_ms else None
        if not heard.position_ms - slack_ms <= from_ms <= heard.position_ms + slack_ms:
            return f"air-2: IT goes on at {from_ms} ms, was cut at {heard.position_ms} ms"
        return None

    def _too_late(self, world: World, due: Due, begin_ms: int) -> str | None:
        """air-6: late only within the slot's window, or because another cue had the air."""
        late_ms = begin_ms - due.planned_ms
        if world.mono_ms - world.stepped_mono_ms <= late_ms:
            return None
        way_ms = way_up_ms(world.settings)
        relayed_ms = self.relayed_ms.get(due.slot.live or str(due.occurrence), 0)
        queued = begin_ms - max(due.planned_ms, self.free_ms, relayed_ms) <= GRACE_MS + way_ms
        if queued or late_ms <= due.slot.late_window_s * 1_000 + way_ms:
            return None
        return f"air-6: IT starts {late_ms} ms late"

    def _name(self) -> str:
        return str(self.current.due.occurrence) if self.current else "a sound"


class Order(Rule):
    """Decision 1: switches and sound, notes, one Record, then what must wait for it; the wake last."""

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """Look at the order of the effects of one event."""
        places = [ENTRY_ORDER.index(PLACES.get(type(effect), "after")) for effect in done]
        if places != sorted(places) or places.count(ENTRY_ORDER.index("record")) > 1:
            raise Violation(f"decision 1: out of order {[type(effect).__name__ for effect in done]}")
        if [type(effect) for effect in done].count(effects.WakeAt) != 1 or not isinstance(done[-1], effects.WakeAt):
            raise Violation(f"never-8: not one WakeAt at the end of {[type(effect).__name__ for effect in done]}")
        messages = events.ProgrammeArrived | events.BeaconArrived | events.CommandArrived | events.AlertArrived
        messages |= events.TrustArrived
        if isinstance(event, messages) and effects.Acknowledge(event.delivery) not in done:
            raise Violation("never-7: a message is not acknowledged")


class Waking(Rule):
    """never-8: a wake is never in the past, and the core is never woken again and again for nothing."""

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """Look at when the core wants to be woken."""
        wake_ms = world.wake_ms
        if wake_ms < world.mono_ms:
            raise Violation(f"never-8: WakeAt {world.mono_ms - wake_ms} ms in the past")
        if wake_ms == world.mono_ms and isinstance(event, events.TimePassed):
            raise Violation(f"never-8: woken at {world.mono_ms}, the core asks to be woken at once")
        if wake_ms > world.mono_ms + 1_000 * world.settings.heartbeat_s:
            raise Violation(f"never-8: the next wake is {wake_ms - world.mono_ms} ms away, beyond the heartbeat")


class Switching(Rule):
    """never-3, air-4: nothing switches under sound; warm before zones; zones one by one; off only after the hold."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self.zone_ms: int | None = None
        self.at_once = 0
        self.busy_ms = 0

    def power_on(self, world: World) -> None:
        """Nothing has switched yet."""
        self.zone_ms, self.busy_ms = None, world.mono_ms

    def before(self, world: World, effect: effects.Effect) -> None:
        """Judge a switch or a start by what is physically so."""
        match effect:
            case effects.SwitchAmplifier(on):
                self._quiet(world, AMPLIFIER)
                self._at_rest(world, AMPLIFIER)
                self._amplifier(world, on)
            case effects.SwitchZone(zone, closed):
                self._quiet(world, zone)
                self._zone(world, zone, closed)
            case (
                effects.StartSound()
                | effects.StartInput()
                | effects.StartLive()
                | effects.StartStream()
                | effects.SwitchMixer(closed=True)
            ):
                self.busy_ms = world.mono_ms
                self._at_rest(world, "sound")
                if world.warm_up_left_ms() > 0 and AMPLIFIER not in world.faults.relays:
                    raise Violation("air-4: sound into an amplifier that is not warm")
                if not world.closed:
                    raise Violation("air-4: sound into no zone")
                if self.zone_ms is not None and world.mono_ms < self.zone_ms + world.settings.zone_stagger_ms:
                    raise Violation("air-4: sound before the last switch has come to rest")
                self._fades_in(world, effect)
            case effects.SwitchMixer(play):
                if world.sound is not None and (world.sound.command.play != play or not world.sound.by_mixer):
                    self._quiet(world, MICROPHONE)
            case effects.StopSound(_, fade_out_ms):
                at_once = world.muted or (world.sound is not None and (world.sound.warns or world.sound.speaks))
                most_ms = ALERT_FADE_MS if at_once else FOR_EVER_MS
                if fade_out_ms != min(most_ms, world.settings.fade_out_ms):
                    raise Violation("air-4: sound does not fade out")
            case _:
                pass

    def _fades_in(
        self,
        world: World,
        effect: effects.StartSound | effects.StartInput | effects.StartLive | effects.StartStream | effects.SwitchMixer,
    ) -> None:
        most_ms = INPUT_FADE_MS if isinstance(effect, effects.StartInput) else FOR_EVER_MS
        if not isinstance(effect, effects.SwitchMixer) and effect.fade_in_ms != min(most_ms, world.settings.fade_in_ms):
            raise Violation("air-4: sound does not fade in")

    def _quiet(self, world: World, what: str) -> None:
        if world.sound is not None and world.sound.sounds(world.mono_ms):
            raise Violation(f"never-3: {what} switches under sound")

    def _at_rest(self, world: World, what: str) -> None:
        if world.switching:
            raise Violation(f"never-3: {what} does not wait for {', '.join(world.switching)}")

    def _amplifier(self, world: World, on: bool) -> None:
        if on == (world.amplifier_on_ms is not None) and (on or AMPLIFIER not in world.failed):
            raise Violation(f"air-4: the amplifier is {'on' if on else 'off'} already")
        if set(world.closed) - world.faults.relays:
            raise Violation(f"air-4: the amplifier goes {'on' if on else 'off'} while {world.closed} are closed")
        if not on and not world.stopping and world.amplifier_on_ms is not None:
            used_ms = max(world.last_sound_end_ms, world.amplifier_on_ms)
            if world.mono_ms < used_ms + world.settings.amplifier.hold_ms:
                raise Violation("air-4: the amplifier goes off before its hold time")

    def _zone(self, world: World, zone: str, closed: bool) -> None:
        if closed:
            self.busy_ms = world.mono_ms
        if closed and world.warm_up_left_ms() > 0 and AMPLIFIER not in world.faults.relays:
            raise Violation(f"air-4: {zone} closes on an amplifier that is not warm")
        if closed == (zone in world.closed) and (closed or zone not in world.failed):
            raise Violation(f"air-4: {zone} is {'closed' if closed else 'open'} already")
        together = closed and world.mono_ms == self.zone_ms and self.at_once < world.settings.alert_zones_at_once
        rested = self.zone_ms is None or world.mono_ms >= self.zone_ms + world.settings.zone_stagger_ms
        if not together:
            self._at_rest(world, zone)
        if not rested and not together:
            raise Violation(f"air-4: {zone} switches {world.mono_ms - (self.zone_ms or 0)} ms after another zone")
        self.at_once = 1 + (self.at_once if together else 0)
        self.zone_ms = world.mono_ms

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """never-3: the amplifier is not on with nothing to air beyond its hold time."""
        on_ms, moves = world.amplifier_on_ms, AMPLIFIER in world.switching
        if on_ms is None or moves or world.sound is not None or AMPLIFIER in world.faults.relays:
            self.busy_ms = world.mono_ms
            return
        settings = world.settings
        way_ms = way_up_ms(settings)
        if world.trusted and any(
            -GRACE_MS - way_ms <= nearest(one, slot, world.wall_ms).planned_ms - world.wall_ms <= way_ms
            for one, slot in self.standing.slots()
        ):
            self.busy_ms = world.mono_ms
            return
        idle_ms = world.mono_ms - max(self.busy_ms, world.last_sound_end_ms, on_ms)
        if idle_ms > settings.amplifier.hold_ms + way_ms + GRACE_MS:
            raise Violation(f"never-3: the amplifier is on with nothing to air for {idle_ms} ms")


class Precedence(Rule):
    """never-4, air-1: a lower item never holds the air while a higher one waits."""

    def __init__(self, standing: Standing, air: Air, spent: Spent) -> None:
        self.standing = standing
        self.air = air
        self.spent = spent

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """Compare what sounds with everything that is due at this moment."""
        sound, current = world.sound, self.air.current
        if sound is None or current is None or sound.stop_at_mono_ms is not None or sound.frozen_mono_ms is not None:
            return
        if not sound.items or sound.warns or sound.tests:
            return
        if not world.trusted or is_quiet(world.settings, world.wall_ms) or world.stopping or world.muted:
            return
        if self.air.thrift.alerts_only:
            return
        for programme, slot in self.standing.slots():
            if slot.priority > current.due.slot.priority and self.waits(world, nearest(programme, slot, world.wall_ms)):
                raise Violation(f"never-4: {current.due.occurrence} holds the air while {slot.id} waits")

    def waits(self, world: World, due: Due) -> bool:
        """Tell whether an occurrence that is due could be heard; one that names a live relay waits for that, first."""
        since_ms = max(self.standing.since_ms or 0, utc_ms(due.programme.issued))
        left = self.air.thrift.zones_left(world, [zone.id for zone in zones_of(world.settings, due.slot)])
        return (
            since_ms < due.planned_ms <= world.wall_ms < due.planned_ms + GRACE_MS
            and relayed_as(due.slot) is None
            and due.occurrence not in self.air.told
            and all(some - world.faults.relays for some in left)
            and not self.spent.keeps(world, sum(audio.duration_ms for _, audio in whole_of(world.settings, due)))
            and any(
                audio.sha256 in world.known and until_ms(due.programme, name) == float("inf")
                for name, audio in whole_of(world.settings, due)
            )
        )


class Records(Rule):
    """never-5: nothing is told twice, no id means two things, and a fault is open or not."""

    def __init__(self, air: Air) -> None:
        self.air = air
        self.ids: dict[str, object] = {}
        self.closed: set[Occurrence] = set()
        self.open: dict[str, Occurrence] = {}
        self.faults: dict[tuple[str, str], str] = {}

    def power_on(self, world: World) -> None:
        """What is on disk is open."""
        self.open = {record.id: record.occurrence for record in world.disk.open_as_run.values()}
        self.faults = {(fault.code, fault.subject): fault.id for fault in world.disk.faults.values()}

    def before(self, world: World, effect: effects.Effect) -> None:
        """Look at everything that is about to be told."""
        if not isinstance(effect, effects.Record):
            return
        if not effect.entries:
            raise Violation("never-8: an empty Record")
        for entry in effect.entries:
            match entry:
                case effects.AsRunOpened(record):
                    self._same(record.id, record.occurrence)
                    if record.id in self.open:
                        raise Violation(f"never-5: {record.id} is opened twice")
                    self.open[record.id] = record.occurrence
                case effects.AsRunClosed(record):
                    self._same(record.id, record.occurrence)
                    self.open.pop(record.id, None)
                case effects.FaultRaised(fault):
                    self._same(fault.id, (fault.code, fault.subject))
                    if self.faults.setdefault((fault.code, fault.subject), fault.id) != fault.id:
                        raise Violation(f"never-5: {fault.code} {fault.subject} is raised twice")
                case effects.FaultCleared(fault):
                    if self.faults.pop((fault.code, fault.subject), None) != fault.id:
                        raise Violation(f"never-5: {fault.code} {fault.subject} is cleared, but was not raised")
                case _:
                    pass

    def _same(self, name: str, what: object) -> None:
        if self.ids.setdefault(name, what) != what:
            raise Violation(f"never-5: the id {name} means {self.ids[name]} and {what}")

    def written(self, world: World, entry: effects.Entry) -> None:
        """On disk, an occurrence is closed once, in all lives together."""
        if isinstance(entry, effects.AsRunClosed):
            occurrence = entry.record.occurrence
            if occurrence in self.closed:
                raise Violation(f"never-5: {occurrence} is told twice")
            if settles(entry.record):
                self.closed.add(occurrence)
            if not is_of_slot(occurrence):
                return
            cut_ms = self.air.cut.get(occurrence, 0)
            if cut_ms > world.record_bound_ms and entry.record.outcome is not Outcome.CUT:
                raise Violation(f"never-5: {occurrence} was heard before a power cut, but is told as {entry.record}")


class Lengths(Rule):
    """never-9: what is told is what was written to the sound device, by the world's own book."""

    def __init__(self, air: Air) -> None:
        self.air = air
        self.relayed: set[str] = set()
        """The live relays that are told as aired with a record."""

    def before(self, world: World, effect: effects.Effect) -> None:
        """Compare each closed record with the book."""
        if isinstance(effect, effects.Record):
            closed = [entry.record for entry in effect.entries if isinstance(entry, effects.AsRunClosed)]
            aired = [one.occurrence for one in closed if one.outcome is Outcome.AIRED]
            self.relayed = {one.slot for one in aired if one.slot.startswith((LIVE_PREFIX, STREAM_PREFIX))}
            for entry in effect.entries:
                if isinstance(entry, effects.AsRunClosed) and entry.record.outcome is Outcome.CUT:
                    self._judge_cut(entry.record)
                elif isinstance(entry, effects.AsRunClosed) and is_of_slot(entry.record.occurrence):
                    self._judge(world, entry.record)

    def _judge_cut(self, record: AsRun) -> None:
        """What a death left open tells the last position that reached the card."""
        if not is_of_slot(record.occurrence):
            return
        truth_ms, before_ms, late_ms = self.air.cut_written.get(record.occurrence, (0, 0, FOR_EVER_MS))
        told_ms = sum(item.written_ms for item in record.items)
        most_ms = max(truth_ms, before_ms)  # the card may not know yet that it was begun again
        if not truth_ms - late_ms - TOLERANCE_MS <= told_ms <= most_ms + TOLERANCE_MS:
            raise Violation(
                f"never-9: {record.occurrence} is told as cut at {told_ms} ms, but {truth_ms} ms were heard"
            )

    def _judge(self, world: World, record: AsRun) -> None:
        name = str(record.occurrence)
        heard = self.air.heard.get(record.occurrence)
        written_ms = heard.written_ms() if heard is not None else 0
        if record.outcome is Outcome.MISSED and (written_ms or record.start_ms or record.end_ms):
            raise Violation(f"never-9: {name} is told as missed, but {written_ms} ms were heard")
        if (record.outcome is Outcome.AIRED) != (record.reason is None):
            raise Violation(f"never-9: {name} is told as {record.outcome} for the reason {record.reason}")
        if sum(item.written_ms for item in record.items) > written_ms:
            raise Violation(f"never-9: {name} is told with more than the {written_ms} ms that were written")
        if record.outcome not in (Outcome.AIRED, Outcome.SUBSTITUTED):
            return
        if record.outcome is Outcome.AIRED and self._relayed(record):
            return
        if heard is None:
            raise Violation(f"never-9: {name} is told as {record.outcome}, but was never heard")
        if record.outcome is Outcome.SUBSTITUTED:
            self._judge_substitute(world, record, heard)
            return
        if world.settings.supplies:
            here = {str(zone.id) for zone in zones_of(world.settings, heard.due.slot)}
            if deaf := here - heard.served - heard.turn - self.air.lame:
                raise Violation(f"never-9: {name} is told as aired, and {sorted(deaf)} did not hear it")
            if (heard.served | heard.turn) - set(record.zones):
                raise Violation(f"never-9: {name} was heard in {heard.served | heard.turn}, told are {record.zones}")
        for part, audio in whole_of(world.settings, heard.due):
            missing_ms = heard.uncovered_ms(audio)
            if missing_ms > TOLERANCE_MS:
                raise Violation(f"never-9: {name} is told as aired, but {missing_ms} ms of {part} were not written")

    def _relayed(self, record: AsRun) -> bool:
        """Tell whether it is a slot that names a live relay: only that can have aired, and it was told with it."""
        heard = self.air.heard.get(record.occurrence)
        live = self.air.standing.live_of(record.occurrence) if heard is None else relayed_as(heard.due.slot)
        if live is None:
            return False
        if live not in self.relayed:
            raise Violation(f"never-9: {record.occurrence} is told as aired, and its live relay is not")
        return True

    def _judge_substitute(self, world: World, record: AsRun, heard: Heard) -> None:
        """All that it had was heard whole, and it was not what the slot names."""
        name = str(record.occurrence)
        for item in record.items:
            if (missing_ms := heard.uncovered_ms(item)) > TOLERANCE_MS:
                raise Violation(f"never-9: {name} is substituted, but {missing_ms} ms of {item.bulletin} are missing")
        if heard.due.slot.if_unplayable == "silence" and relayed_as(heard.due.slot) is None:
            raise Violation(f"never-1: {name} is substituted, and its slot asked for silence")


class Silence(Rule):
    """Silence where sound is due is a fault of its slot within five seconds, whatever its cause."""

    def __init__(self, standing: Standing, air: Air) -> None:
        self.standing = standing
        self.air = air
        self.since_mono_ms: dict[Occurrence, int] = {}

    def power_on(self, world: World) -> None:
        """Nobody has missed anything yet."""
        self.since_mono_ms = {}

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """Look at every slot that should be heard at this moment, by what is really heard."""
        sound = world.sound
        heard = sound is not None and sound.begin_mono_ms <= world.mono_ms and sound.frozen_mono_ms is None
        right = heard or not world.trusted or world.stopping or is_quiet(world.settings, world.wall_ms)
        right = right or world.muted or self.air.thrift.alerts_only
        silent = set() if right else {due.occurrence for due in self._waiting(world)}
        self.since_mono_ms = {one: self.since_mono_ms.get(one, world.mono_ms) for one in silent}
        bound_ms = 5_000 + way_up_ms(world.settings)
        if any(world.mono_ms > since_ms + bound_ms for since_ms in self.since_mono_ms.values()):
            told = {
                fault.subject for fault in world.station.snapshot(world.instant()).faults if fault.code == "silence"
            }
            for one, since_ms in self.since_mono_ms.items():
                if world.mono_ms > since_ms + bound_ms and f"{one.scope}#{one.slot}" not in told:
                    raise Violation(
                        f"silence: {one} is not heard for {world.mono_ms - since_ms} ms, and nobody says so"
                    )

    def _waiting(self, world: World) -> Iterator[Due]:
        for programme, slot in self.standing.slots():
            due = nearest(programme, slot, world.wall_ms)
            since_ms = max(self.standing.since_ms or 0, utc_ms(programme.issued))
            late_ms = world.wall_ms - due.planned_ms
            if (
                due.occurrence not in self.air.told
                and since_ms < due.planned_ms
                and 0 <= late_ms <= slot.late_window_s * 1_000
                and zones_of(world.settings, slot)
            ):
                yield due


class Versions(Rule):
    """never-6: what is in force is the newest that was accepted; what was acknowledged is never forgotten."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing

    def before(self, world: World, effect: effects.Effect) -> None:
        """An acknowledged version is on disk."""
        if not isinstance(effect, effects.Acknowledge):
            return
        if effect.delivery > len(world.letters):  # of the centre, or of who warns
            return
        letter = world.letters[effect.delivery - 1]
        if isinstance(letter.programme, Signed) and self.standing.verdicts[effect.delivery] == "accepted":
            version = letter.programme.document.version
            if version > Floors(world.disk.floors).of(letter.scope, letter.programme.signers):
                raise Violation(f"decision 1: {letter.scope} version {version} is acknowledged before it is on disk")

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """What the station says is in force is what must be."""
        if not isinstance(event, events.ProgrammeArrived | events.TrustArrived | events.Started):
            return
        said = {one.scope: one.version for one in world.station.snapshot(world.instant()).programmes}
        must = {scope: one.version for scope, one in self.standing.programmes.items()}
        if said != must:
            raise Violation(f"never-6: in force are {said}, but should be {must}")


class Refusals(Rule):
    """never-7: bad input changes nothing but the list of faults."""

    def __init__(self) -> None:
        self.said: object = None
        self.expired = False

    def hears(self, world: World, event: events.Event) -> None:
        """Remember what is in force."""
        if isinstance(event, events.ProgrammeArrived) and isinstance(event.programme, Refused):
            snapshot = world.station.snapshot(world.instant())
            self.said, self.expired = snapshot.programmes, self._has_expired(snapshot)

    def _has_expired(self, snapshot: Snapshot) -> bool:
        """Tell whether the time alone may change what is in force."""
        return any(fault.code == "programme-expired" for fault in snapshot.faults)

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """The same is in force, and the refusal is a fault, once."""
        if not isinstance(event, events.ProgrammeArrived) or not isinstance(event.programme, Refused):
            return
        snapshot = world.station.snapshot(world.instant())
        expired = self.expired or self._has_expired(snapshot)
        if snapshot.programmes != self.said and not expired:
            raise Violation("never-7: a refused document changed what is in force")
        key = (event.programme.code, event.topic_scope)
        if [(fault.code, fault.subject) for fault in snapshot.faults].count(key) != 1:
            raise Violation(f"never-7: {key} is not one fault")


class Going(Rule):
    """never-2: nothing goes on after a stop was asked for, and everything is open when the station leaves."""

    def before(self, world: World, effect: effects.Effect) -> None:
        """Look at what is done while stopping."""
        match effect:
            case effects.StartSound() | effects.SwitchAmplifier(True) | effects.SwitchZone(_, True) if world.stopping:
                raise Violation(f"never-2: {effect} while stopping")
            case effects.StartInput() | effects.StartLive() | effects.SwitchMixer(closed=True) if world.stopping:
                raise Violation(f"never-2: {effect} while stopping")
            case effects.StartStream() | effects.FollowStream() if world.stopping:
                raise Violation(f"never-2: {effect} while stopping")
            case effects.Leave():
                closed = set(world.closed) - world.faults.relays | ({MICROPHONE} if world.mixer_closed else set())
                on = world.amplifier_on_ms is not None and AMPLIFIER not in world.faults.relays
                if closed or on or world.sound is not None:
                    raise Violation(f"never-2: left with {closed} closed, amplifier {on}, {world.sound}")
            case _:
                pass
