"""Whether a reason that is told is true: the world's own book of what was wrong when, and what each reason needs of it.

The book is made by looking at the world before each event, which is when the core looks. A reason holds when what it
speaks of was so at some moment between the cue's instant and the telling; a clock that was set in between widens that
span by as much as it was set.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field, replace

from tests.simulation.alerts import InForce
from tests.simulation.centre import Loudness
from tests.simulation.live import Relays
from tests.simulation.microphone import Talks
from tests.simulation.radio import Streams
from tests.simulation.rules import (
    Air,
    Due,
    Standing,
    is_of_slot,
    is_quiet,
    nearest,
    relayed_as,
    utc_ms,
    way_up_ms,
    whole_of,
    zones_of,
)
from tests.simulation.shell import Violation
from tests.simulation.supplies import Spent
from tests.simulation.world import Rule, Sound, World
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import Programme
from ttcs_edge.core.model import AMPLIFIER, AsRun, AsRunReason, Occurrence, Outcome, Scope

EARLY_MS = 1_000
"""How far ahead of its instant a cue's fate may be sealed: its sound is handed over, its file is read."""
STEP_REACH_MS = 900_000
"""How long after its instant came a clock that was set still matters to a cue."""
SPANS_KEPT = 400


@dataclass
class Spans:
    """When something was so, on the monotonic clock; the last one may go on."""

    closed: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=SPANS_KEPT))
    open_ms: int | None = None

    def now(self, so: bool, mono_ms: int) -> None:
        """It is so from now on, or not."""
        if so and self.open_ms is None:
            self.open_ms = mono_ms
        elif not so and self.open_ms is not None:
            self.closed.append((self.open_ms, mono_ms))
            self.open_ms = None

    def touch(self, begin_ms: int, end_ms: int) -> bool:
        """Tell whether it was so at any moment between two."""
        if self.open_ms is not None and self.open_ms <= end_ms:
            return True
        return any(begin <= end_ms and end >= begin_ms for begin, end in reversed(self.closed))


@dataclass(frozen=True)
class Case:
    """A record and what is to be known to judge its reason."""

    record: AsRun
    due: Due
    begin_ms: int
    end_ms: int


class Reasons(Rule):
    """never-5: what did not air is told with its true reason."""

    def __init__(
        self,
        standing: Standing,
        air: Air,
        in_force: InForce,
        loudness: Loudness,
        talks: Talks,
        relays: Relays,
        streams: Streams,
        spent: Spent,
    ) -> None:
        self.spent = spent
        self.loudness = loudness
        self.warnings = in_force
        self.talks = talks
        self.relays = relays
        self.streams = streams
        self.standing = standing
        self.air = air
        self.book: dict[tuple[str, str], Spans] = {("off", ""): Spans(open_ms=-(1 << 60))}
        self.seen: dict[str, frozenset[str]] = {}
        self.offsets: deque[tuple[int, int]] = deque(maxlen=SPANS_KEPT)
        self.sounds: deque[tuple[int, int, Occurrence]] = deque(maxlen=SPANS_KEPT)
        self.in_force: dict[Scope, Programme] = {}
        self.known: dict[tuple[str, int], Programme] = {}
        self.stored_ms: dict[str, int] = {}

    def power_on(self, world: World) -> None:
        """The station can look after its cues again."""
        self._spans("off", "").now(False, world.mono_ms)

    def power_off(self, world: World) -> None:
        """From now on it cannot."""
        self._spans("off", "").now(True, world.mono_ms)

    def hears(self, world: World, event: events.Event) -> None:
        """Look at everything that a reason may speak of."""
        mono_ms, faults = world.mono_ms, world.faults
        if not self.offsets or self.offsets[-1][1] != world.offset_ms:
            self.offsets.append((mono_ms, world.offset_ms))
        self._spans("no-time", "").now(not world.trusted, mono_ms)
        self._spans("device", "").now(faults.device, mono_ms)
        self._spans("player", "").now(not world.player_up or world.player_hung, mono_ms)
        self._spans("stop", "").now(world.stopping, mono_ms)
        self._spans("saved", "").now(self.air.thrift.alerts_only, mono_ms)
        self._spans("muted", "").now(world.muted, mono_ms)
        self._all("relay", faults.relays, mono_ms)
        self._all("not-audio", faults.not_audio, mono_ms)
        self._all("short", faults.short, mono_ms)
        self._all("cached", world.cached, mono_ms)
        self._spans("alert", "").now(self.warnings.speaks_at_all(world), mono_ms)
        self._spans("talk", "").now(self.talks.busy(world), mono_ms)
        self._spans("live", "").now(self.relays.busy(world) or self.streams.busy(world), mono_ms)
        if isinstance(event, events.AlertArrived):
            self._moment("alert", "came", mono_ms)
        if isinstance(event, events.AudioStored):
            self.stored_ms[event.sha256] = mono_ms
        if self.in_force != self.standing.programmes:
            for scope in {*self.in_force, *self.standing.programmes}:
                if self.in_force.get(scope) != self.standing.programmes.get(scope):
                    self._moment("programme", scope, mono_ms)
            self.in_force = dict(self.standing.programmes)
            self.known |= {(scope, one.version): one for scope, one in self.in_force.items()}

    def silent(self, world: World, sound: Sound, written_ms: tuple[int, ...]) -> None:
        """Remember who had the air."""
        if self.air.last is not None and sound.items and not sound.warns and not sound.tests:
            self.sounds.append((sound.begin_mono_ms, world.mono_ms, self.air.last.due.occurrence))

    def before(self, world: World, effect: effects.Effect) -> None:
        """Judge what is about to be told."""
        if isinstance(effect, effects.Record):
            for entry in effect.entries:
                if not isinstance(entry, effects.AsRunClosed) or not is_of_slot(entry.record.occurrence):
                    continue
                if entry.record.reason is not None:
                    self._judge(world, entry.record, entry.record.reason)

    def _judge(self, world: World, record: AsRun, reason: AsRunReason) -> None:
        programme = self.known.get((record.occurrence.scope, record.programme_version))
        slots = {slot.id: slot for slot in programme.slots} if programme is not None else {}
        if programme is None or record.occurrence.slot not in slots:
            raise Violation(f"never-5: {record.occurrence} is of no programme that was ever in force")
        due = Due(record.occurrence, record.planned_start_ms, slots[record.occurrence.slot], programme)
        case = Case(record, due, self._passed_mono_ms(world, record.planned_start_ms) - EARLY_MS, world.mono_ms)
        if not EVIDENCE[reason.value](self, world, case):
            raise Violation(f"never-5: {record.occurrence} is {record.outcome} for {reason.value}, which is not true")

    def _passed_mono_ms(self, world: World, planned_ms: int) -> int:
        """When the wall clock first came to a cue's instant, at the earliest."""
        passed_ms = min(planned_ms - world.offset_ms, world.mono_ms)
        until_ms = world.mono_ms
        for begin_ms, offset_ms in reversed(self.offsets):
            if until_ms < passed_ms - STEP_REACH_MS:
                break
            passed_ms = min(passed_ms, max(planned_ms - offset_ms, begin_ms))
            until_ms = begin_ms
        return passed_ms

    # the book

    def _spans(self, what: str, subject: str) -> Spans:
        spans = self.book.get((what, subject))
        if spans is None:
            spans = self.book[what, subject] = Spans()
        return spans

    def _all(self, what: str, subjects: Set[str], mono_ms: int) -> None:
        before = self.seen.get(what, frozenset())
        if subjects != before:
            for subject in subjects ^ before:
                self._spans(what, subject).now(subject in subjects, mono_ms)
            self.seen[what] = frozenset(subjects)

    def _moment(self, what: str, subject: str, mono_ms: int) -> None:
        self._spans(what, subject).now(True, mono_ms)
        self._spans(what, subject).now(False, mono_ms)

    # what each reason needs

    def was(self, what: str, case: Case, subjects: Iterable[str] = ("",)) -> bool:
        """Tell whether something was so while the cue was to sound."""
        return any(self._spans(what, subject).touch(case.begin_ms, case.end_ms) for subject in subjects)

    def stepped(self, case: Case) -> bool:
        """Tell whether the clock was set while the cue was to sound."""
        return any(case.begin_ms - STEP_REACH_MS <= mono_ms <= case.end_ms for mono_ms, _ in self.offsets)

    def lacked(self, world: World, case: Case) -> bool:
        """Tell whether any of the cue's audio was ever not there while it was to sound.

        A file that no programme wanted may lie in the folder, or be gone from it: the station must not count on it.
        When a programme that wants it again comes while the cue waits for the air, and the air is free at that very
        moment, the cue begins before the fetcher has looked.
        """
        names = [audio.sha256 for _, audio in whole_of(world.settings, case.due)]
        begins_ms = [self._spans("cached", name).open_ms for name in names]
        if _came_late(self, case):
            begins_ms += [self.stored_ms.get(name, case.begin_ms - 1) for name in names]
            begins_ms += [None for name in names if name not in world.known]
        return any(begin_ms is None or begin_ms >= case.begin_ms for begin_ms in begins_ms)

    def other(self, world: World, case: Case) -> bool:
        """Tell whether another cue, an alert, a person or a live relay had the air, or was about to, while this one was
        to sound.
        """
        if self.was("alert", case, ("", "came")) or self.was("talk", case) or self.was("live", case):
            return True
        now = world.sound is not None and self.air.current is not None
        if now and self.air.current is not None and self.air.current.due.occurrence != case.record.occurrence:
            return True
        return any(
            end_ms >= case.begin_ms and occurrence != case.record.occurrence for _, end_ms, occurrence in self.sounds
        )

    def higher(self, world: World, case: Case) -> bool:
        """Tell whether a cue of higher priority was due while this one was to sound."""
        begin_ms, end_ms = case.begin_ms + world.offset_ms, case.end_ms + world.offset_ms
        if self.stepped(case):
            begin_ms, end_ms = begin_ms - STEP_REACH_MS, end_ms + STEP_REACH_MS
        return any(
            slot.priority > case.due.slot.priority and begin_ms <= nearest(one, slot, end_ms).planned_ms <= end_ms
            for one in self.known.values()
            for slot in one.slots
        )

    def cut(self, case: Case) -> bool:
        """Tell whether a cue was heard before the power went."""
        heard = any(occurrence == case.record.occurrence for *_, occurrence in self.sounds)
        return heard and self.was("off", case)


def _rests(book: Reasons, world: World, case: Case) -> bool:
    """What is left of it did not fit in then, or all was spent while it was heard."""
    length_ms = sum(audio.duration_ms for _, audio in whole_of(world.settings, case.due))
    return any(book.spent.keeps(world, length_ms, at_ms) for at_ms in (case.begin_ms + EARLY_MS, case.end_ms))


def _power(book: Reasons, world: World, case: Case) -> bool:
    return book.cut(case) if case.record.outcome is Outcome.CUT else book.was("off", case)


def _quiet(book: Reasons, world: World, case: Case) -> bool:
    begin_ms, end_ms = case.begin_ms + world.offset_ms, case.end_ms + world.offset_ms
    minutes = [*range(begin_ms, end_ms, 60_000), end_ms, case.record.planned_start_ms]
    return any(is_quiet(world.settings, ms) for ms in minutes) or book.stepped(case)


def _came_late(book: Reasons, case: Case) -> bool:
    """Another programme of the cue's scope came, or went, at or after its instant."""
    return book.was("programme", case, [case.record.occurrence.scope])


def _expired(book: Reasons, world: World, case: Case) -> bool:
    """A bulletin of the slot would not have been over by its expiry."""
    length_ms = sum(audio.duration_ms for _, audio in whole_of(world.settings, case.due))
    ends = [one.expires for one in case.due.programme.bulletins if one.id in case.due.slot.bulletins and one.expires]
    return any(utc_ms(end) <= case.end_ms + world.offset_ms + length_ms for end in ends) or book.stepped(case)


def _recordings(world: World, case: Case) -> list[str]:
    return [audio.sha256 for _, audio in whole_of(world.settings, case.due)]


def _with_way_up(world: World, case: Case) -> Case:
    """A relay is tried on the way up, and may not be tried again before the cue's time is over."""
    return replace(case, begin_ms=case.begin_ms - way_up_ms(world.settings))


def _relays(world: World, case: Case) -> list[str]:
    return [AMPLIFIER, *(zone.id for zone in zones_of(world.settings, case.due.slot))]


EVIDENCE: dict[str, Callable[[Reasons, World, Case], bool]] = {
    "power": _power,
    "no-time": lambda book, world, case: book.was("no-time", case),
    "no-audio": lambda book, world, case: book.lacked(world, case),
    "rotten": lambda book, world, case: book.lacked(world, case),
    "not-audio": lambda book, world, case: book.was("not-audio", case, _recordings(world, case)),
    "expired": _expired,
    "no-zone": lambda book, world, case: not zones_of(world.settings, case.due.slot),
    "quiet-hours": _quiet,
    "power-saved": lambda book, world, case: book.was("saved", case),
    "too-late": lambda book, world, case: book.stepped(case) or _came_late(book, case),
    "sound-device": lambda book, world, case: (
        book.was("device", case) or book.was("short", case, _recordings(world, case))
    ),
    "player-died": lambda book, world, case: book.was("player", case),
    "pre-empted": lambda book, world, case: book.other(world, case) or book.higher(world, case),
    "withdrawn": lambda book, world, case: _came_late(book, case),
    "stopped-by-command": lambda book, world, case: any(
        case.begin_ms - way_up_ms(world.settings) <= mono_ms <= case.end_ms for mono_ms in book.loudness.stops_mono_ms
    ),
    "live-lost": lambda book, world, case: relayed_as(case.due.slot) is not None,
    "muted": lambda book, world, case: book.was("muted", case),
    "stopped": lambda book, world, case: world.stopping,
    "relay": lambda book, world, case: book.was("relay", _with_way_up(world, case), _relays(world, case)),
    "amplifier-rest": _rests,
    "no-amplifier": lambda book, world, case: book.was("relay", _with_way_up(world, case), [AMPLIFIER]),
}
"""For each reason, what the world must have been like."""
