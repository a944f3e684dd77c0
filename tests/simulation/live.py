"""Who speaks live, half a second at a time, over a link that may lose it; and what must hold of live relays.

``Source`` are the senders, which speak on whatever becomes of the station. ``Relays`` keeps its own book of what was
signed by whom, and of what was really heard: each segment has its own bytes. Of the core it knows only what that does.
"""

from __future__ import annotations

from base64 import b64encode
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from tests.core.material import DAY_MS
from tests.simulation.alerts import RELAY_REST_MS, InForce
from tests.simulation.centre import Loudness
from tests.simulation.microphone import Talks
from tests.simulation.rules import (
    GRACE_MS,
    Air,
    Precedence,
    heard_within_ms,
    is_quiet,
    nearest,
    utc_ms,
    way_up_ms,
    what_is_wrong,
)
from tests.simulation.shell import Violation
from tests.simulation.world import HUNG_AFTER_MS, LOST_MS, Rule, Sound, World
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import LiveSegment, Refused, Signed
from ttcs_edge.core.model import LIVE_PREFIX, AsRun, AsRunReason, Occurrence, Outcome, Scope, Zone
from ttcs_edge.core.timekeeping import SLACK_MS
from ttcs_edge.core.trust import live_subject, utc_text

SEGMENT_MS = 500
PACKETS = 25
WORTH_MS = 10_000
KEPT_MS = 2_000
SESSIONS_MOST = 8
GONE_MS = 600_000
QUEUE_MS = 1_800_000
SLACK_MS_TOLD = 1_500
LOST = "live-lost"
CUT_OFF = (AsRunReason.POWER, AsRunReason.STOPPED)
"""Why a session is told as over that goes on in the next life."""
Key = tuple[str, str]


@dataclass
class Session:
    """One sender: since when and for how long it speaks, how its clock goes, and what of it was sent last."""

    fields: dict[str, Any]
    version: int
    begun_mono_ms: int
    lasts_ms: int
    until: str
    signer: str
    clock_ms: int = 0
    back: int = 0
    silent_until_mono_ms: int = 0
    stutters_until_mono_ms: int = 0
    over: bool = False
    sent: deque[Signed[LiveSegment]] = field(default_factory=lambda: deque(maxlen=30))

    @property
    def topic(self) -> tuple[Scope, str]:
        """Where it is heard."""
        return Scope(self.fields["scope"]), self.fields["id"]


class Source:
    """Who speaks live, and a broker that keeps nothing of it: what finds no link is lost."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.sessions: dict[str, Session] = {}

    def boot(self) -> None:
        """A new process hears what is said from now on."""
        for session in list(self.sessions.values()):
            self._go_on(session)

    def begin(self, fields: dict[str, Any], lasts_ms: int, thief: str = "") -> None:
        """A sender is started, of the centre or of a ``thief`` who has this key of it; an earlier one of the same id
        speaks no more. It keeps the key with which it began, whatever becomes of that.
        """
        world = self._world
        before = self.sessions.get(fields["id"])
        if before is not None:
            before.over = True
        until = utc_text(world.true_ms + fields["until_ms"])
        signer, clock_ms = thief or world.key, fields.get("clock_ms", 0)
        session = Session(fields, world.true_ms, world.mono_ms, lasts_ms, until, signer, clock_ms)
        self.sessions[fields["id"]] = session
        if world.powered:
            self._speak(session)

    def fall_silent(self) -> None:
        """Nobody speaks any more."""
        for session in self.sessions.values():
            session.over = True

    def turn(self, name: str, how: str, *args: Any) -> None:
        """Something becomes of a session, or is sent under its name."""
        session = self.sessions.get(name)
        if session is None:
            return
        mono_ms = self._world.mono_ms
        match how, *args:
            case "silent", span_ms:
                session.silent_until_mono_ms = mono_ms + span_ms
            case "stutters", span_ms:
                session.stutters_until_mono_ms = mono_ms + span_ms
            case "back", segments:
                session.back += segments
            case "clock", clock_ms:
                session.clock_ms = clock_ms
            case "last", _:
                self._send(session, self._segment(session, last=True))
                session.over = True
            case "again", count:
                for sent in list(session.sent)[-count:]:
                    self._bring(sent, session.topic)
            case "forged", signer, ahead:
                forged = self._segment(session, last=False)
                version, number = forged.version + ahead, forged.number + 1
                packets = _packets(forged.scope, forged.id, version, number)
                forged = replace(forged, number=number, version=version, packets=packets)
                self._bring(signed_by(forged, signer), session.topic)
            case "bytes", _:
                self._bring(Refused("not-utf8", "", (("found", "byte 3"),)), session.topic)
            case "elsewhere", _:
                self._bring(signed_by(self._segment(session, last=False), session.signer), (session.topic[0], "v8"))
            case "crowd", count:
                for number in range(count):
                    one = self._segment(session, last=False, name=f"crowd{number}")
                    self._bring(signed_by(one, session.signer), (one.scope, one.id))

    def _number(self, session: Session) -> int:
        return max(0, (self._world.mono_ms - session.begun_mono_ms) // SEGMENT_MS - session.back)

    def _segment(self, session: Session, *, last: bool, name: str = "") -> LiveSegment:
        number = self._number(session)
        said_ms = self._world.true_ms + session.clock_ms
        scope, name = session.topic[0], name or session.topic[1]
        return LiveSegment(
            scope=scope,
            id=name,
            version=session.version,
            number=number,
            sent=utc_text(said_ms),
            expires=utc_text(said_ms + WORTH_MS),
            until=session.until,
            title=name,
            priority=session.fields["priority"],
            zones=tuple(session.fields["zones"]),
            packets=_packets(scope, name, session.version, number),
            last=last,
        )

    def _go_on(self, session: Session) -> None:
        if not session.over:
            spoken_ms = self._world.mono_ms - session.begun_mono_ms
            self._world.later(SEGMENT_MS - spoken_ms % SEGMENT_MS, lambda: self._speak(session))

    def _speak(self, session: Session) -> None:
        if session.over:
            return
        session.over = self._world.mono_ms >= session.begun_mono_ms + session.lasts_ms
        if self._world.mono_ms >= session.silent_until_mono_ms:
            self._send(session, self._segment(session, last=session.over))
        self._go_on(session)

    def _send(self, session: Session, segment: LiveSegment) -> None:
        sent = signed_by(segment, session.signer)
        session.sent.append(sent)
        if self._world.mono_ms >= session.stutters_until_mono_ms:
            self._bring(sent, session.topic)
        else:
            late_ms = self._world.random.randrange(2_500)
            self._world.later(late_ms, lambda: self._bring(sent, session.topic))

    def _bring(self, segment: Signed[LiveSegment] | Refused, topic: tuple[Scope, str]) -> None:
        line = self._world.line
        if self._world.powered and (line is None or line.up):
            self._world.send(events.LiveArrived(segment, topic))


def _packets(scope: str, name: str, version: int, number: int) -> tuple[str, ...]:
    """Each segment has its own bytes."""
    return (b64encode(f"{scope} {name} {version} {number}".encode()).decode(),) * PACKETS


def signed_by(segment: LiveSegment, signer: str) -> Signed[LiveSegment]:
    """A segment under somebody's name."""
    return Signed(segment, frozenset({signer}), b"")


@dataclass
class Book:
    """What is known of one session in one life of the station: what was rightly signed, and what became of it."""

    key: Key
    version: int
    newest: LiveSegment
    voice: frozenset[str]
    heard_mono_ms: int
    since_mono_ms: int
    segments: dict[int, LiveSegment] = field(default_factory=dict)
    fed: int = -1
    ended: bool = False
    may: bool = False
    must: bool = False
    taken: bool = False
    begun: bool = False
    written_ms: int = 0
    whole: bool = False
    closed: bool = False
    lost: bool = False
    revoked: bool = False
    was: set[str] = field(default_factory=set)

    @property
    def occurrence(self) -> Occurrence:
        """What records call it."""
        return Occurrence(Scope(self.key[0]), f"{LIVE_PREFIX}{self.key[1]}", str(self.version))

    @property
    def until_ms(self) -> int:
        """When it is over at the latest."""
        return utc_ms(self.newest.until)


class Relays(Rule):
    """Live relays by never-1, never-4, never-6, never-9, air-1, air-3, air-5, air-7."""

    def __init__(self, air: Air, precedence: Precedence, loudness: Loudness, in_force: InForce, talks: Talks) -> None:
        self.air = air
        self.precedence = precedence
        self.loudness = loudness
        self.in_force = in_force
        self.talks = talks
        self.newest: dict[Key, Book] = {}
        self.books: dict[Occurrence, Book] = {}
        self.gone: dict[Occurrence, Book] = {}
        """What ended with its key and is not told yet, where somebody speaks on under its name and version."""
        self.root_version = 1
        self.current: Book | None = None
        self.started: tuple[int, frozenset[str]] = (0, frozenset())
        self.told_before: set[Occurrence] = set()
        self.cut_off: set[Occurrence] = set()
        """What was heard in an earlier life, and may go on."""
        self.began_mono_ms = 0
        self.open_before: set[Occurrence] = set()
        self.cut: dict[Occurrence, int] = {}
        self.last: Book | None = None
        self.to_be_told: str | None = None
        self.lost_told: set[str] = set()
        self.wrong_now: set[str] = set()
        self.hindered_mono_ms = 0
        self.waiting_since_mono_ms: int | None = None

    def power_on(self, world: World) -> None:
        """Nothing of a session is on the card but what was told of it."""
        self.newest, self.books, self.current, self.waiting_since_mono_ms = {}, {}, None, None
        self.gone, self.root_version = {}, world.root.version
        self.last = self.to_be_told = None
        self.hindered_mono_ms = world.mono_ms
        self.open_before = {one.occurrence for one in world.disk.open_as_run.values() if is_live(one.occurrence)}
        lives = [one for one in world.disk.as_run if is_live(one.occurrence)]
        self.told_before = {one.occurrence for one in lives if one.reason not in CUT_OFF}
        self.cut_off = (self.cut_off | self.open_before) - self.told_before
        self.began_mono_ms = world.mono_ms
        self.lost_told = {one.subject for one in world.disk.faults.values() if one.code == LOST}

    def power_off(self, world: World) -> None:
        """What was heard for longer than a record may take is told as cut in the next life."""
        for book in self.books.values():
            if book.begun and not book.closed:
                self.cut[book.occurrence] = world.record_bound_ms

    # what the station is told

    def hears(self, world: World, event: events.Event) -> None:
        """Judge a segment as the design says; see what keeps sessions from the air."""
        if world.root.version != self.root_version:
            self._take_root(world)
        self._look(world)
        match event:
            case events.LiveArrived(Signed(document=segment, signers=signers), topic):
                if self._is_right(world, segment, signers, topic):
                    self._take(world, segment, signers)
            case events.SoundStarted() if self.current is not None and world.sound is not None and world.sound.relays:
                self.current.begun = True
            case events.SoundEnded(failure="live-lost") if self.last is not None:
                subject = self._subject(self.last)
                self.to_be_told = None if subject in self.lost_told else subject
            case _:
                pass

    def _take_root(self, world: World) -> None:
        """What nobody who may is saying any more is no session, and off the air."""
        self.root_version = world.root.version
        for key in [key for key, book in self.newest.items() if not world.may(book.voice)]:
            self.newest.pop(key).revoked = True

    def _look(self, world: World) -> None:
        faults = world.faults
        was = what_is_wrong(world)
        if was or not world.trusted:
            self.hindered_mono_ms = max(self.hindered_mono_ms, world.mono_ms)
        if faults.relays:
            self.hindered_mono_ms = world.mono_ms + RELAY_REST_MS
        other = self.in_force.speaks_at_all(world) or self.talks.busy(world)
        other = other or (world.sound is not None and (not world.sound.relays or self.current is None))
        was |= {"pre-empted"} if other else set()
        self.wrong_now = was
        for book in self.books.values():
            if not book.closed:
                mine = world.sound is not None and world.sound.relays and self.current is not book
                book.was |= was | ({"pre-empted"} if mine else set())

    def _is_right(self, world: World, segment: LiveSegment, signers: frozenset[str], topic: tuple[str, str]) -> bool:
        key = (segment.scope, segment.id)
        covers = (world.settings.scope + "/").startswith(segment.scope + "/")
        if not world.may(signers) or key != topic or not covers or not world.trusted:
            return False
        if utc_ms(segment.expires) <= world.wall_ms or utc_ms(segment.sent) > world.wall_ms + SLACK_MS:
            return False
        began_ms = world.wall_ms - (world.mono_ms - self.began_mono_ms)
        if utc_ms(segment.until) <= world.wall_ms or utc_ms(segment.sent) < began_ms // 1_000 * 1_000:
            return False
        known = self.newest.get(key)
        if known is not None and (segment.version, segment.number) <= (known.version, known.newest.number):
            return False
        if known is not None and segment.version == known.version and not world.may(signers & known.voice):
            return False
        if known is None or known.version != segment.version:
            gone = [name for name, one in self.newest.items() if world.mono_ms > one.heard_mono_ms + GONE_MS]
            for name in gone:
                del self.newest[name]
            return known is not None or len(self.newest) < SESSIONS_MOST
        return True

    def _take(self, world: World, segment: LiveSegment, signers: frozenset[str]) -> None:
        key = (segment.scope, segment.id)
        book = self.newest.get(key)
        if book is None or book.version != segment.version:
            book = Book(key, segment.version, segment, signers, world.mono_ms, world.mono_ms)
            book.was = set(self.wrong_now)
            earlier = self.books.get(book.occurrence)
            book.closed = book.occurrence in self.told_before or (earlier is not None and earlier.closed)
            if earlier is not None and earlier.revoked and not earlier.closed:
                self.gone[book.occurrence] = earlier
            self.newest[key] = self.books[book.occurrence] = book
        book.segments[segment.number] = segment
        book.newest, book.heard_mono_ms, book.voice = segment, world.mono_ms, book.voice & signers
        book.ended = book.ended or segment.last
        book.may, book.must = self._place(world, book)
        book.taken = book.taken or book.must or (book.may and book.occurrence in self.cut_off)
        if not book.ended:
            self.air.relayed_ms[segment.id] = world.wall_ms + LOST_MS

    def _place(self, world: World, book: Book) -> tuple[bool, bool]:
        """Whether a session may be heard now, and whether it must: one that a slot names, while that is due, or when it
        was since the session began.
        """
        naming = [(one, slot) for one, slot in self.air.standing.slots() if slot.live == book.key[1]]
        if not naming:
            return True, True
        dues = [nearest(one, slot, ms) for one, slot in naming for ms in (world.wall_ms, world.wall_ms - DAY_MS)]
        past = [one for one in dues if one.planned_ms <= world.wall_ms]
        since_ms = book.version - GONE_MS
        due = [one for one in past if one.planned_ms >= since_ms or one.occurrence not in self.air.told]
        return book.may or bool(due), book.must

    def busy(self, world: World) -> bool:
        """Tell whether a session has the air, or may take it."""
        return (world.sound is not None and world.sound.relays) or any(self._speaking(world))

    def _speaking(self, world: World) -> Iterator[Book]:
        """What can be heard of live relays at this moment."""
        for book in self.newest.values():
            if not book.ended and not book.closed and world.mono_ms <= book.heard_mono_ms + LOST_MS:
                yield book

    def able(self, world: World) -> list[Book]:
        """The sessions that must be heard, as soon as the way is open."""
        if not world.trusted or world.stopping or self.hindered_mono_ms >= world.mono_ms:
            return []
        return [
            book
            for book in self._speaking(world)
            if book.taken and world.wall_ms < book.until_ms and self._zones(world, book)
        ]

    def _zones(self, world: World, book: Book) -> tuple[Zone, ...]:
        named = book.newest.zones
        return tuple(zone for zone in world.settings.zones if not named or zone.id in named)

    # what the station does

    def before(self, world: World, effect: effects.Effect) -> None:
        """Judge a start, what is fed, and what is told."""
        match effect:
            case effects.StartLive(volume_percent=volume_percent):
                if world.sound is not None:
                    raise Violation("air-1: two sounds at once")
                if not world.trusted:
                    raise Violation("air-7: a live relay starts without trusted time")
                if is_quiet(world.settings, world.wall_ms):
                    raise Violation("air-5: a live relay starts in quiet hours")
                if not any(self._speaking(world)):
                    raise Violation("never-1: a live relay starts of which nothing is to be heard")
                self.current, self.started = None, (volume_percent, frozenset(world.closed))
            case effects.FeedSound():
                self._feed(world, effect)
            case effects.Record(entries):
                for entry in entries:
                    self._entry(world, entry)
            case _:
                pass

    def _feed(self, world: World, effect: effects.FeedSound) -> None:
        scope, name, version, number = effect.packets[0].decode().split()
        occurrence = Occurrence(Scope(scope), f"{LIVE_PREFIX}{name}", version)
        book, title = self.books.get(occurrence), f"segment {number} of {name}"
        segment = None if book is None else book.segments.get(effect.number)
        if book is None or segment is None or effect.number != int(number) or len(effect.packets) != PACKETS:
            raise Violation(f"never-1: {title} is fed, which nobody with a say signed for here and now")
        if not world.trusted:
            raise Violation(f"air-7: {title} is fed without trusted time")
        if utc_ms(segment.expires) <= world.wall_ms:
            raise Violation(f"never-6: {title} is fed {world.wall_ms - utc_ms(segment.sent)} ms behind its time")
        if book.revoked:
            raise Violation(f"never-1: {title} is fed, whose key is revoked")
        if effect.number <= book.fed:
            raise Violation(f"never-6: {title} is fed behind {book.fed}")
        if segment.last is not effect.last:
            raise Violation(f"never-9: {title} is fed as one that it is not")
        sound = world.sound
        book.fed = effect.number
        if sound is None or not sound.relays or sound.command.play != effect.play:
            return
        if self.current is None:
            self._begins(world, book)
        elif self.current is not book:
            raise Violation(f"never-1: {title} is fed into the play of {self.current.key[1]}")

    def _begins(self, world: World, book: Book) -> None:
        """It is known now whose play it is."""
        self.current, book.taken = book, True
        self.gone.pop(book.occurrence, None)
        volume_percent, closed = self.started
        zones = self._zones(world, book)
        if not book.may:
            raise Violation(f"never-1: {book.key[1]} is heard, and no slot that names it is due")
        if book.closed:
            raise Violation(f"never-5: {book.key[1]} is heard again after it was told")
        if not closed <= {zone.id for zone in zones} | world.faults.relays:
            raise Violation(f"never-1: {book.key[1]} goes to {sorted(closed)}, which it does not name")
        if volume_percent not in (loudest := self.air.thrift.turned_down(self.loudness.allowed(world, zones, 100))):
            raise Violation(f"air-5: {book.key[1]} at {volume_percent}%, allowed are {sorted(loudest)}%")

    def silent(self, world: World, sound: Sound, written_ms: tuple[int, ...]) -> None:
        """Enter what was heard."""
        self.last = self.current if sound.relays else None
        if not sound.relays:
            return
        book, self.current = self.current, None
        if book is None:
            return
        book.written_ms += written_ms[0]
        book.whole = sound.last and sound.frozen_mono_ms is None and world.mono_ms >= sound.fed_until_mono_ms
        late_ms = world.wall_ms - book.until_ms - LOST_MS - world.settings.fade_out_ms - HUNG_AFTER_MS
        stepped = world.stepped_mono_ms > book.since_mono_ms
        if late_ms > 0 and not stepped and world.clocks is None:
            raise Violation(f"never-1: {book.key[1]} was heard for {late_ms} ms longer than it may last")

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """Compare what is heard with what should be."""
        if isinstance(event, events.Started):
            self._see_cut(world)
        if self.to_be_told is not None:
            raise Violation(f"silence: {self.to_be_told} fell silent, and nobody says so")
        if not self.books and self.current is None:
            return
        self._see_bounds(world)
        self._see_untold(world)
        able = self.able(world)
        sound = world.sound
        goes_on = sound is not None and sound.stop_at_mono_ms is None and sound.frozen_mono_ms is None
        if sound is not None and goes_on and sound.relays:
            self._see_on_air(world, sound, able)
        elif sound is not None and goes_on and sound.items and not sound.warns and self.air.current is not None:
            slot = self.air.current.due.slot
            for book in able:
                if book.newest.priority >= slot.priority:
                    raise Violation(f"never-4: {self.air.current.due.occurrence} holds the air while {book.key} speaks")
        self._see_urgency(world, able)

    def _see_on_air(self, world: World, sound: Sound, able: list[Book]) -> None:
        book = self.current
        if world.stopping:
            raise Violation("never-2: a live relay is heard on while stopping")
        if sound.begin_mono_ms <= world.mono_ms and world.trusted and is_quiet(world.settings, world.wall_ms):
            raise Violation("air-5: a live relay is heard on in quiet hours")
        if sound.sounds(world.mono_ms) and world.mono_ms > sound.fed_until_mono_ms + LOST_MS + SLACK_MS_TOLD:
            raise Violation("a live relay holds the air, and nothing comes of it")
        if book is None:
            return
        if world.trusted and world.wall_ms >= book.until_ms + LOST_MS:
            raise Violation(f"never-1: {book.key[1]} is heard beyond the time for which it may last")
        if book.revoked:
            raise Violation(f"never-1: {book.key[1]} is heard on, and its key is revoked")
        if self.newest.get(book.key) is not book:
            raise Violation(f"never-6: {book.key[1]} is heard on, and a newer session of it is there")
        if sound.sounds(world.mono_ms) and self._subject(book) in self.lost_told and book.begun:
            raise Violation(f"{book.key[1]} is heard, and is told as lost")
        for other in able:
            if other.newest.priority > book.newest.priority and other is not book:
                raise Violation(f"never-4: {book.key[1]} holds the air while {other.key[1]} speaks")
        if not world.trusted or is_quiet(world.settings, world.wall_ms):
            return
        for programme, slot in self.air.standing.slots():
            if slot.priority > book.newest.priority and self.precedence.waits(
                world, nearest(programme, slot, world.wall_ms)
            ):
                raise Violation(f"never-4: {book.key[1]} holds the air while {slot.id} waits")

    def _see_urgency(self, world: World, able: list[Book]) -> None:
        """air-1: what is said live is heard as soon as the way is open, unless something better is."""
        others = self.in_force.speaks_at_all(world) or self.talks.busy(world)
        if (
            not able
            or others
            or world.sound is not None
            or any(self.air.standing.higher_waits_for_its_own(world, one.newest.priority) for one in able)
        ):
            self.waiting_since_mono_ms = None
            return
        if self.waiting_since_mono_ms is None:
            self.waiting_since_mono_ms = world.mono_ms
        bound_ms = heard_within_ms(world.settings) + SLACK_MS_TOLD
        waited_ms = world.mono_ms - max(self.waiting_since_mono_ms, self.hindered_mono_ms)
        if waited_ms > bound_ms:
            raise Violation(f"air-1: {[book.key[1] for book in able]} is not heard for {waited_ms} ms")

    def _something_comes(self, world: World) -> bool:
        """Tell whether a slot is on its way to the air, or waits for it."""
        way_ms = way_up_ms(world.settings) + GRACE_MS
        dues = [nearest(one, slot, world.wall_ms) for one, slot in self.air.standing.slots()]
        return any(
            -way_ms <= world.wall_ms - one.planned_ms <= QUEUE_MS and one.occurrence not in self.air.told
            for one in dues
        )

    def _see_bounds(self, world: World) -> None:
        """never-8: however many come, little is kept of them."""
        sessions = world.station.lives.sessions
        if len(sessions) > SESSIONS_MOST:
            raise Violation(f"never-8: {len(sessions)} live relays are known")
        if any(len(one.kept) * SEGMENT_MS > KEPT_MS for one in sessions.values()):
            raise Violation("never-8: more of a live relay is kept than two seconds")

    def _see_untold(self, world: World) -> None:
        """never-5: a session is told as soon as it is over."""
        if world.stopping:
            return
        on_air = world.sound is not None and world.sound.relays
        for book in [*self.books.values(), *self.gone.values()]:
            if not book.taken or book.closed or (on_air and self.current in (None, book)):
                continue
            over = self.newest.get(book.key) is not book and book.version < self._version(book.key)
            if book.ended or book.revoked or over or world.mono_ms > book.heard_mono_ms + GONE_MS + SLACK_MS_TOLD:
                last_mono_ms = max(book.heard_mono_ms, world.last_sound_end_ms, self.hindered_mono_ms)
                if world.mono_ms > last_mono_ms + LOST_MS + SLACK_MS_TOLD + HUNG_AFTER_MS:
                    raise Violation(f"never-5: {book.key[1]} is over, and nobody tells")

    def _version(self, key: Key) -> int:
        return self.newest[key].version if key in self.newest else 0

    def _see_cut(self, world: World) -> None:
        """never-5: what was open on the card is told as cut at once."""
        if self.open_before:
            raise Violation(f"never-5: {sorted(map(str, self.open_before))} were on the air, and are not told as cut")

    # what is told

    def _entry(self, world: World, entry: effects.Entry) -> None:
        match entry:
            case effects.FaultRaised(fault) if fault.code == LOST and f"#{LIVE_PREFIX}" in fault.subject:
                self.lost_told.add(fault.subject)
                self.to_be_told = None if self.to_be_told == fault.subject else self.to_be_told
                if not any(self._subject(book) == fault.subject for book in self.books.values()):
                    raise Violation(f"{fault.subject} is told as lost, and was never heard")
            case effects.FaultCleared(fault) if fault.code == LOST:
                self.lost_told.discard(fault.subject)
            case effects.AsRunClosed(record) if is_live(record.occurrence):
                self._judge(world, record)
            case _:
                pass

    def _subject(self, book: Book) -> str:
        return live_subject(*book.key)

    def _judge(self, world: World, record: AsRun) -> None:
        name = f"{record.occurrence} is told as {record.outcome} for {record.reason}"
        if record.outcome is Outcome.CUT:
            if record.occurrence not in self.open_before:
                raise Violation(f"never-5: {name}, and was not heard, or twice")
            self.open_before.discard(record.occurrence)
            return
        after = self.books.get(record.occurrence)
        book = self.gone.pop(record.occurrence, None) or after
        if after is not None and after is not book:
            after.closed = True  # it is told: nothing of that name and version is heard again
        if book is None or book.closed:
            raise Violation(f"never-5: {name}, and there is no such session, or it is told twice")
        book.closed = True
        if record.reason is AsRunReason.STOPPED:
            self.cut_off.add(book.occurrence)
        right = Outcome.MISSED if not book.begun else Outcome.AIRED if record.reason is None else Outcome.PART
        if record.outcome is not right:
            raise Violation(f"never-9: {name}, and {book.written_ms} ms of it were heard")
        if not self._is_true(world, book, record.reason):
            raise Violation(f"never-9: {name}, which is not true")

    def _is_true(self, world: World, book: Book, reason: AsRunReason | None) -> bool:
        stepped = world.stepped_mono_ms > book.since_mono_ms or world.clocks is not None
        gone = world.mono_ms > book.heard_mono_ms + GONE_MS
        over = book.ended or gone or world.wall_ms >= book.until_ms  # else it outlasts whatever is wrong
        match reason:
            case None:
                return book.whole
            case AsRunReason.TIME_LIMIT:
                return world.wall_ms >= book.until_ms or stepped
            case AsRunReason.WITHDRAWN:
                return book.revoked or self._version(book.key) > book.version
            case AsRunReason.LIVE_LOST:
                return over
            case AsRunReason.NO_ZONE:
                return not self._zones(world, book)
            case AsRunReason.STOPPED_BY_COMMAND:
                return any(mono_ms >= book.since_mono_ms for mono_ms in self.loudness.stops_mono_ms)
            case AsRunReason.STOPPED:
                return world.stopping
            case AsRunReason.POWER_SAVED:
                return "power-saved" in book.was or "power-saved" in what_is_wrong(world)
            case AsRunReason.QUIET_HOURS:
                return "quiet-hours" in book.was or stepped or is_quiet(world.settings, world.wall_ms)
            case _:
                coming = reason is AsRunReason.PRE_EMPTED and self._something_comes(world)
                dead = reason is AsRunReason.RELAY and "no-amplifier" in book.was
                return (over or stepped) and (reason.value in book.was or coming or dead)


def is_live(occurrence: Occurrence) -> bool:
    """Tell whether it is a session of a live relay."""
    return occurrence.slot.startswith(LIVE_PREFIX)
