"""Radios that speak or are silent, the streams of theirs that a station follows, and what must hold of these.

``Radio`` is all radios, and the player's ear for them. ``Streams`` keeps its own book: of which occurrence of which
slot each followed stream is, and what was really heard of it. Of the core it knows only what that does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.simulation.alerts import RELAY_REST_MS, InForce
from tests.simulation.centre import Loudness
from tests.simulation.live import CUT_OFF
from tests.simulation.microphone import Talks
from tests.simulation.rules import (
    Air,
    Due,
    Precedence,
    heard_within_ms,
    is_quiet,
    nearest,
    way_up_ms,
    what_is_wrong,
    zones_of,
)
from tests.simulation.shell import Violation
from tests.simulation.world import HUNG_AFTER_MS, LOST_MS, Rule, Sound, World
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import Programme, Slot, Stream
from ttcs_edge.core.model import STREAM_PREFIX, AsRun, AsRunReason, Occurrence, Outcome, Scope

COMES_MS = 2_600
"""How long it takes from following a stream until there is a second of it."""
TELL_MS = 1_000
BUFFER_MS = 2_000
FOLLOWED_MOST = 4
AHEAD_MS = 20_000
"""How long before its instant a stream is followed at the most: a decoding, and the longest way up."""
QUEUE_MS = 3_600_000
"""How long what is due may wait for its turn."""
MINUTE_MS = 60_000
SLACK_MS = 1_500
LOST = "live-lost"
WRONG = ("stream-host", "stream-plain", "stream-tls", "stream-away", "stream-not-audio")


def stream_of(scope: Scope, slot: str, minutes: int) -> Stream:
    """The stream of a slot: each has a radio of its own."""
    return Stream(url=f"https://radio.example/{scope.replace('/', '.')}/{slot}", most_minutes=minutes)


class Radio:
    """All radios: a slot's speaks unless it is ``silent``. Of a process, which streams it follows."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.silent: set[str] = set()
        self.boot()

    def boot(self) -> None:
        """A new process follows nothing."""
        self.followed: dict[int, str] = {}
        self.heard_mono_ms: dict[int, int] = {}
        self.failed: set[int] = set()

    def turn(self, slot: str, speaks: bool) -> None:
        """A radio goes off the air, or on."""
        self.silent = self.silent - {slot} if speaks else self.silent | {slot}

    def follow(self, effect: effects.FollowStream) -> None:
        """The shell begins to follow a stream."""
        self.followed[effect.stream] = effect.url
        self._world.later(COMES_MS, lambda: self._tick(effect.stream))

    def leave(self, effect: effects.LeaveStream) -> None:
        """The shell follows it no more."""
        self.followed.pop(effect.stream, None)

    def _tick(self, number: int) -> None:
        world, url = self._world, self.followed.get(number)
        if url is None:
            return
        linked = world.line is None or world.line.up
        away = url.rpartition("/")[2] in self.silent or not linked
        if away and number not in self.failed:
            self.failed.add(number)
            world.send(events.StreamFailed(number, "stream-away", (("url", url), ("error", "timeout"))))
        elif not away and world.player_up and not world.player_hung:
            self.failed.discard(number)
            self.heard_mono_ms[number] = world.mono_ms
            self._feed(number)
            world.send(events.StreamHeard(number))
        world.later(TELL_MS, lambda: self._tick(number))

    def is_heard(self, number: int) -> bool:
        """Tell whether the player has something of it."""
        at_ms = self.heard_mono_ms.get(number)
        return number in self.followed and at_ms is not None and self._world.mono_ms <= at_ms + LOST_MS

    def _feed(self, number: int) -> None:
        sound = self._world.sound
        if sound is not None and isinstance(sound.command, effects.StartStream) and sound.command.stream == number:
            self._world.stream_on(sound, BUFFER_MS)

    def play(self, command: effects.StartStream) -> None:
        """The player plays a stream that it has, or waits for it."""
        sound = self._world.play_stream(command)
        if sound is not None and self.is_heard(command.stream):
            self._world.stream_on(sound, BUFFER_MS)


@dataclass
class Book:
    """A stream that is followed, and what became of it."""

    number: int
    due: Due
    since_mono_ms: int
    heard_mono_ms: int | None = None
    taken: bool = False
    begun: bool = False
    closed: bool = False
    left: bool = False
    at_its_end: bool = False
    was: set[str] = field(default_factory=set)

    @property
    def occurrence(self) -> Occurrence:
        """What records call it."""
        of = self.due.occurrence
        return Occurrence(of.scope, f"{STREAM_PREFIX}{of.slot}", of.local)

    @property
    def until_ms(self) -> int:
        """When its minutes are over."""
        assert self.due.slot.stream is not None
        return self.due.planned_ms + self.due.slot.stream.most_minutes * MINUTE_MS


class Streams(Rule):
    """Plain streams by never-1, never-4, never-5, never-8, never-9, air-1, air-5, air-7."""

    def __init__(self, air: Air, precedence: Precedence, loudness: Loudness, in_force: InForce, talks: Talks) -> None:
        self.air = air
        self.precedence = precedence
        self.loudness = loudness
        self.in_force = in_force
        self.talks = talks
        self.books: dict[int, Book] = {}
        self.newest = 0
        self.current: Book | None = None
        self.told_before: set[Occurrence] = set()
        self.open_before: set[Occurrence] = set()
        self.hindered_mono_ms = 0
        self.waiting_since_mono_ms: int | None = None
        self.wrong_now: set[str] = set()

    def power_on(self, world: World) -> None:
        """A new life follows nothing, and begins nothing again that was told, but for what was cut off."""
        self.books, self.newest, self.current, self.waiting_since_mono_ms = {}, 0, None, None
        self.hindered_mono_ms = world.mono_ms
        self.open_before = {one.occurrence for one in world.disk.open_as_run.values() if is_stream(one.occurrence)}
        told = [one for one in world.disk.as_run if is_stream(one.occurrence)]
        self.told_before = {one.occurrence for one in told if one.reason not in CUT_OFF}

    # what the station is told

    def hears(self, world: World, event: events.Event) -> None:
        """See what there is to be heard, and what keeps it from the air."""
        self._look(world)
        book = self.books.get(event.stream) if isinstance(event, events.StreamHeard) else None
        if book is not None and not book.left:
            book.heard_mono_ms = world.mono_ms
            self.air.relayed_ms[str(book.due.occurrence)] = world.wall_ms + LOST_MS
        sound = world.sound
        if isinstance(event, events.SoundStarted) and self.current is not None and sound is not None and sound.streams:
            self.current.begun = True

    def _look(self, world: World) -> None:
        faults = world.faults
        was = what_is_wrong(world)
        if was or not world.trusted:
            self.hindered_mono_ms = max(self.hindered_mono_ms, world.mono_ms)
        if faults.relays:
            self.hindered_mono_ms = world.mono_ms + RELAY_REST_MS
        other = self.in_force.speaks_at_all(world) or self.talks.busy(world) or (world.sound is not None)
        self.wrong_now = was
        for book in self.books.values():
            if not book.closed:
                book.was |= was | ({"pre-empted"} if other and self.current is not book else set())
                book.was |= set() if self._has(book.due) else {"withdrawn"}

    def _has(self, due: Due) -> bool:
        """Tell whether a programme in force has the slot with this stream, at this time."""
        return any(
            slot.stream == due.slot.stream and nearest(one, slot, due.planned_ms).occurrence == due.occurrence
            for one, slot in self.air.standing.slots()
            if (one.scope, slot.id) == (due.occurrence.scope, due.occurrence.slot)
        )

    def _is_heard(self, world: World, book: Book) -> bool:
        return book.heard_mono_ms is not None and world.mono_ms <= book.heard_mono_ms + LOST_MS

    def busy(self, world: World) -> bool:
        """Tell whether a stream has the air, or may take it."""
        on_air = world.sound is not None and world.sound.streams
        return on_air or any(self._is_heard(world, book) and not book.closed for book in self.books.values())

    def _able(self, world: World) -> list[Book]:
        """The streams that must be heard, as soon as the way is open."""
        if not world.trusted or world.stopping or self.hindered_mono_ms >= world.mono_ms:
            return []
        return [
            book
            for book in self.books.values()
            if not book.closed
            and not book.left
            and self._is_heard(world, book)
            and book.due.planned_ms <= world.wall_ms < book.until_ms
            and self._has(book.due)
            and zones_of(world.settings, book.due.slot)
        ]

    # what the station does

    def before(self, world: World, effect: effects.Effect) -> None:
        """Judge what is followed, started and told."""
        match effect:
            case effects.FollowStream(number, url):
                self._follow(world, number, url)
            case effects.LeaveStream(number):
                book = self.books.get(number)
                if book is None or book.left:
                    raise Violation(f"never-8: the stream {number} is left, and nobody follows it")
                if self.current is book and world.sound is not None and world.sound.streams:
                    raise Violation(f"{book.occurrence} is left under its own sound")
                book.left = True
            case effects.StartStream():
                self._start(world, effect)
            case effects.Record(entries):
                for entry in entries:
                    self._entry(world, entry)
            case _:
                pass

    def _follow(self, world: World, number: int, url: str) -> None:
        *_, scope, name = url.split("/")
        key = (scope.replace(".", "/"), name)
        found = [
            nearest(one, slot, world.wall_ms) for one, slot in self.air.standing.slots() if self._is(one, slot, key)
        ]
        if not found or found[0].slot.stream is None or found[0].slot.stream.url != url:
            raise Violation(f"never-1: {url} is followed, and no programme in force names it")
        # A slot that was moved is aired once, at its old instant, if it was on its way by then.
        found += [
            nearest(one, slot, world.wall_ms)
            for one, _, until_ms in self.air.standing.history
            for slot in one.slots
            if until_ms > world.true_ms - QUEUE_MS and self._is(one, slot, key)
        ]
        books = [Book(number, due, world.mono_ms, was=set(self.wrong_now)) for due in found]
        near = [one for one in books if one.due.planned_ms - AHEAD_MS <= world.wall_ms < one.until_ms]
        book = (near or books)[0]
        if not world.trusted or world.stopping:
            raise Violation(f"air-7: {url} is followed without trusted time, or while stopping")
        if not near:
            raise Violation(f"{url} is followed {world.wall_ms - book.due.planned_ms} ms behind its instant")
        if number <= self.newest:
            raise Violation(f"never-5: the number {number} means two streams")
        self.newest = number
        over = {one for one, past in self.books.items() if past.left and (past.closed or not past.taken)}
        self.books = {one: past for one, past in self.books.items() if one not in over} | {number: book}
        if sum(not one.left for one in self.books.values()) > FOLLOWED_MOST:
            raise Violation("never-8: too many streams are followed")

    def _is(self, programme: Programme, slot: Slot, key: tuple[str, str]) -> bool:
        return (programme.scope, slot.id) == key and slot.stream is not None

    def _start(self, world: World, effect: effects.StartStream) -> None:
        book = self.books.get(effect.stream)
        if book is None or book.left:
            raise Violation("never-1: a stream is heard that nobody follows")
        name, slot = book.occurrence, book.due.slot
        zones = zones_of(world.settings, slot)
        loudest = self.air.loudest(world, slot)
        in_time = book.due.planned_ms <= world.wall_ms < book.until_ms
        problems = {
            "air-1: two sounds at once": world.sound is not None,
            f"air-7: {name} starts without trusted time": not world.trusted,
            f"air-5: {name} starts in quiet hours": is_quiet(world.settings, world.wall_ms),
            f"never-1: {name} starts, and there is nothing to be heard of it": not self._is_heard(world, book),
            f"never-1: {name} starts outside of its minutes": not in_time,
            f"never-1: {name} starts, and no programme in force has it": not self._has(book.due),
            f"never-5: {name} is heard again after it was told": book.closed or name in self.told_before,
            f"never-1: {name} goes to {world.closed}": not set(world.closed)
            <= {zone.id for zone in zones} | world.faults.relays,
            f"air-5: {name} at {effect.volume_percent}%": effect.volume_percent not in loudest,
        }
        for problem, so in problems.items():
            if so:
                raise Violation(problem)
        self.current = book
        book.taken = True

    def silent(self, world: World, sound: Sound, written_ms: tuple[int, ...]) -> None:
        """Enter how it ended."""
        if sound.streams and self.current is not None:
            self.current.at_its_end = sound.frozen_mono_ms is None and world.wall_ms >= self.current.until_ms
            self.current = None

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """Compare what is heard with what should be."""
        if isinstance(event, events.Started) and self.open_before:
            raise Violation(f"never-5: {sorted(map(str, self.open_before))} were on the air, and are not told as cut")
        if not self.books:
            return
        able, sound = self._able(world), world.sound
        goes_on = sound is not None and sound.stop_at_mono_ms is None and sound.frozen_mono_ms is None
        if sound is not None and goes_on and sound.streams and self.current is not None:
            self._see_on_air(world, sound, self.current, able)
        elif sound is not None and goes_on and sound.items and not sound.warns and self.air.current is not None:
            slot = self.air.current.due.slot
            for book in able:
                if book.due.slot.priority >= slot.priority and book.taken:
                    raise Violation(f"never-4: {slot.id} holds the air while {book.occurrence} speaks")
        self._see_urgency(world, able)
        self._see_left(world)

    def _see_on_air(self, world: World, sound: Sound, book: Book, able: list[Book]) -> None:
        name = book.occurrence
        if world.stopping:
            raise Violation(f"never-2: {name} is heard on while stopping")
        if not world.trusted:
            return
        if is_quiet(world.settings, world.wall_ms):
            raise Violation(f"air-5: {name} is heard on in quiet hours")
        if world.wall_ms >= book.until_ms:
            raise Violation(f"never-1: {name} is heard on, and its minutes are over")
        if not self._has(book.due):
            raise Violation(f"never-1: {name} is heard on, and no programme in force has it")
        if sound.sounds(world.mono_ms) and world.mono_ms > sound.fed_until_mono_ms + LOST_MS + SLACK_MS:
            raise Violation(f"{name} holds the air, and nothing comes of it")
        for other in able:
            if other.due.slot.priority > book.due.slot.priority and other.taken:
                raise Violation(f"never-4: {name} holds the air while {other.occurrence} speaks")
        for programme, slot in self.air.standing.slots():
            due = nearest(programme, slot, world.wall_ms)
            if slot.priority > book.due.slot.priority and self.precedence.waits(world, due):
                raise Violation(f"never-4: {name} holds the air while {slot.id} waits")

    def _see_urgency(self, world: World, able: list[Book]) -> None:
        """air-1: it is heard as soon as its instant has come and the way is open, unless something better is."""
        others = self.in_force.speaks_at_all(world) or self.talks.busy(world)
        free = able and not others and world.sound is None
        if not free or self.air.standing.higher_waits_for_its_own(world, max(one.due.slot.priority for one in able)):
            self.waiting_since_mono_ms = None
            return
        if self.waiting_since_mono_ms is None:
            self.waiting_since_mono_ms = world.mono_ms
        bound_ms = heard_within_ms(world.settings) + SLACK_MS
        waited_ms = world.mono_ms - max(self.waiting_since_mono_ms, self.hindered_mono_ms)
        if waited_ms > bound_ms:
            raise Violation(f"air-1: {[str(book.occurrence) for book in able]} is not heard for {waited_ms} ms")

    def _see_left(self, world: World) -> None:
        """never-8: nothing is followed beyond its minutes; never-5: what was heard is told."""
        for book in self.books.values():
            if book.left or world.stopping or not world.trusted or self.current is book:
                continue
            late_ms = world.wall_ms - book.until_ms
            fading_ms = world.mono_ms - max(world.last_sound_end_ms, self.hindered_mono_ms)
            if late_ms > SLACK_MS and fading_ms > SLACK_MS + HUNG_AFTER_MS:
                raise Violation(f"never-8: {book.occurrence} is followed {late_ms} ms beyond its minutes")

    # what is told

    def _entry(self, world: World, entry: effects.Entry) -> None:
        match entry:
            case effects.FaultRaised(fault) if fault.code in WRONG:
                if not any(not one.left and one.occurrence.subject == fault.subject for one in self.books.values()):
                    raise Violation(f"{fault.code} is told of {fault.subject}, which nobody follows")
            case effects.AsRunClosed(record) if is_stream(record.occurrence):
                self._judge(world, record)
            case _:
                pass

    def _judge(self, world: World, record: AsRun) -> None:
        name = f"{record.occurrence} is told as {record.outcome} for {record.reason}"
        if record.outcome is Outcome.CUT:
            if record.occurrence not in self.open_before:
                raise Violation(f"never-5: {name}, and was not heard, or twice")
            self.open_before.discard(record.occurrence)
            return
        books = [one for one in self.books.values() if one.occurrence == record.occurrence and not one.closed]
        if not books:
            raise Violation(f"never-5: {name}, and there is no such stream, or it is told twice")
        book = books[-1]
        for one in books:
            one.closed = True
        right = Outcome.MISSED if not book.begun else Outcome.AIRED if record.reason is None else Outcome.PART
        if record.outcome is not right:
            raise Violation(f"never-9: {name}, and {'was' if book.begun else 'was not'} heard")
        if not self._is_true(world, book, record.reason):
            raise Violation(f"never-9: {name}, which is not true")

    def _is_true(self, world: World, book: Book, reason: AsRunReason | None) -> bool:
        stepped = world.stepped_mono_ms > book.since_mono_ms or world.clocks is not None
        match reason:
            case None:
                return book.at_its_end or stepped
            case AsRunReason.WITHDRAWN:
                return "withdrawn" in book.was or not self._has(book.due) or stepped
            case AsRunReason.LIVE_LOST:
                return world.wall_ms >= book.until_ms
            case AsRunReason.TIME_LIMIT:
                return world.wall_ms >= book.until_ms or stepped
            case AsRunReason.STOPPED_BY_COMMAND:
                return any(mono_ms >= book.since_mono_ms for mono_ms in self.loudness.stops_mono_ms)
            case AsRunReason.POWER_SAVED:
                return "power-saved" in book.was or "power-saved" in what_is_wrong(world)
            case AsRunReason.QUIET_HOURS:
                return "quiet-hours" in book.was or stepped or is_quiet(world.settings, world.wall_ms)
            case _:
                coming = reason is AsRunReason.PRE_EMPTED and self._something_comes(world, book)
                dead = reason is AsRunReason.RELAY and "no-amplifier" in book.was
                return reason.value in book.was or coming or dead

    def _something_comes(self, world: World, book: Book) -> bool:
        """Tell whether another slot is on its way to the air, or waits for it."""
        dues = [nearest(one, slot, world.wall_ms) for one, slot in self.air.standing.slots()]
        return any(
            -way_up_ms(world.settings) <= world.wall_ms - one.planned_ms <= QUEUE_MS
            and one.occurrence not in self.air.told
            and one.occurrence != book.due.occurrence
            for one in dues
        )


def is_stream(occurrence: Occurrence) -> bool:
    """Tell whether it is a stream."""
    return occurrence.slot.startswith(STREAM_PREFIX)
