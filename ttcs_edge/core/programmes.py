"""The programmes in force, one a scope, and what follows from them: occurrences, cues, audio, quiet hours.

Of each scope above the station's and its own, one programme is in force (design, section 4); all of them are merged.
An accepted programme looks back as far as it was issued, at most ``LOOK_BACK_MS``, so that what an outage hid can
still air late or be told as missed (air-6). A clock that leaps further than that begins anew from there. One that is
replaced still owes what was due under it and nobody saw: before the time is known, a new programme hides no loss.

What expires is put aside, here as on disk, and comes back when it proves that only the clock was ahead; by then its
time is counted from that instant, so that nothing airs twice (never-5).

The programme that it replaced is kept beside it, for slots that want an earlier edition. That one is not in force: no
slot of it airs, and no floor is lowered for it (never-6). A version whose audio was never whole here does not push out
one whose audio was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ttcs_edge.core import events, library, trust
from ttcs_edge.core.documents import Programme, Refused, Signed, TrustRoot
from ttcs_edge.core.effects import FloorRaised, SetWanted
from ttcs_edge.core.floors import Floors
from ttcs_edge.core.library import Resolved, Shelf
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import (
    AsRunReason,
    Cue,
    Instant,
    MonoMs,
    Occurrence,
    Scope,
    Sha256,
    StationSettings,
    WallMs,
)
from ttcs_edge.core.reports import Cache, InForce
from ttcs_edge.core.schedule import SlotOccurrence, Timetable, concerns, occurrences, to_civil, to_ms
from ttcs_edge.core.trust import Accepted, AlreadyInForce

ROTTEN = "rotten"
"""The code that the store gives to audio whose bytes have changed since they were stored."""

MINUTE_MS = 60_000
LOOK_BACK_MS = 7 * 86_400_000
"""How far back into the schedule a start or a new programme looks."""


class Verdict(Struct, frozen=True):
    """What came of a programme that arrived: accepted, refused, or (neither) in force already.

    ``replaced`` is the one before, when its recordings may stand in for those of the accepted one from now on;
    ``raised`` are the floors that the accepted one puts up.
    """

    accepted: Signed[Programme] | None = None
    refused: Refused | None = None
    replaced: Signed[Programme] | None = None
    raised: tuple[FloorRaised, ...] = ()


class Replaced(Struct, frozen=True):
    """A programme that is no longer in force, and what it owes: from which wall time on, until which instant."""

    signed: Signed[Programme]
    after_ms: int
    until_mono_ms: MonoMs


@dataclass(slots=True)
class Programmes:
    """What is in force here. ``changes`` grows with every change, so that others see that they must look again.

    ``foreseen`` are the timetables of those of which nothing may air yet, as long as it is looked ahead in them.
    ``leaving`` is what is in force no more and nobody needs: its parts, and the instants that were known of them.
    """

    settings: StationSettings
    trust: TrustRoot | None = None
    signed: dict[Scope, Signed[Programme]] = field(default_factory=dict)
    aside: dict[Scope, Signed[Programme]] = field(default_factory=dict)
    earlier: dict[Scope, Signed[Programme]] = field(default_factory=dict)
    unplayable: dict[Sha256, AsRunReason] = field(default_factory=dict)
    floors: Floors = field(default_factory=Floors)
    timetables: dict[Scope, Timetable] = field(default_factory=dict)
    foreseen: dict[Scope, Timetable] = field(default_factory=dict)
    owing: list[Replaced] = field(default_factory=list)
    cached: set[Sha256] = field(default_factory=set)
    since_ms: int | None = None
    seen_wall_ms: int | None = None
    leap_ms: tuple[int, int] | None = None
    leaving: deque[list[Any]] = field(default_factory=lambda: deque(maxlen=2 * LIMITS.replaced_programmes))
    changes: int = 0

    def remember(self, event: events.Started) -> None:
        """Take over what the store remembers, verified again by the shell."""
        self.trust = event.trust
        self.floors = Floors(dict(event.floors))
        self.cached = set(event.cached)
        self.since_ms = event.watched_until_ms
        for signed in event.programmes:
            self.signed[signed.document.scope] = signed
            self._raise_floor(signed)  # of a database that was lost
        self.earlier = {signed.document.scope: signed for signed in event.earlier}
        lost = (
            fault.subject for fault in event.open_faults if fault.code == ROTTEN and fault.subject not in self.cached
        )
        self.unplayable = {Sha256(sha256): AsRunReason.ROTTEN for sha256 in lost}
        self.changes += 1

    def judge(self, event: events.ProgrammeArrived, now: Instant) -> Verdict:
        """Decide on a programme that arrived, and put it in force when it is accepted."""
        if isinstance(event.programme, Refused):
            return Verdict(refused=event.programme)
        judged = self.judged(event.programme, event.topic_scope, now)
        if isinstance(judged, Refused):
            return Verdict(refused=judged)
        if isinstance(judged, AlreadyInForce):
            return Verdict()
        scope = event.programme.document.scope
        replaced = self._worth_keeping(scope)
        self._leave_owing(scope, now)
        self._leave_timetable(scope)
        aside = self.aside.pop(scope, None)
        gone = self.signed.get(scope) or aside
        if replaced is not None:
            gone, self.earlier[scope] = self.earlier.get(scope), replaced
        self._leave(gone)
        self.signed[scope] = event.programme
        self.changes += 1
        return Verdict(accepted=event.programme, replaced=replaced, raised=self._raise_floor(event.programme))

    def _raise_floor(self, signed: Signed[Programme]) -> tuple[FloorRaised, ...]:
        programme = signed.document
        return self.floors.raise_(programme.scope, programme.version, signed.signers & self._counted(programme.scope))

    def _counted(self, scope: Scope) -> frozenset[str]:
        assert self.trust is not None
        return trust.counted(self.trust, "publish", scope)

    def _leave(self, signed: Signed[Programme] | None) -> None:
        """Let go of a programme that nobody needs any more."""
        if signed is not None:
            self.leaving.append([*signed.document.slots, *signed.document.bulletins])

    def _leave_timetable(self, scope: Scope) -> None:
        for timetables in (self.timetables, self.foreseen):
            if (timetable := timetables.pop(scope, None)) is not None:
                self.leaving.append(timetable.leave())

    def _leave_timetables(self) -> None:
        for scope in list(self.timetables):
            self._leave_timetable(scope)

    def let_go(self, most: int) -> None:
        """Free so many parts of what is left: ten thousand in one go would hold up everything else."""
        if self.leaving:
            del self.leaving[0][-most:]
            if not self.leaving[0]:
                self.leaving.popleft()

    def _leave_owing(self, scope: Scope, now: Instant) -> None:
        """Keep what is replaced for when the time is known, unless it was looked through until this instant.

        Of more than can be kept the first ones are: they owe what the outage hid.
        """
        seen_ms = self.since_ms if self.seen_wall_ms is None else self.seen_wall_ms
        if scope not in self.signed or seen_ms is None or self._looked_through(scope, now):
            return
        if len(self.owing) < LIMITS.replaced_programmes:
            self.owing.append(Replaced(self.signed[scope], seen_ms, now.mono_ms))

    def _looked_through(self, scope: Scope, now: Instant) -> bool:
        timetable = self.timetables.get(scope)
        if timetable is None or not now.trusted:
            return False
        next_ms = timetable.next_instant()
        return next_ms is None or next_ms > now.wall_ms

    def judged(
        self, programme: Signed[Programme], topic_scope: str, now: Instant
    ) -> Accepted | AlreadyInForce | Refused:
        """What would come of a programme if it arrived now; changes nothing."""
        assert self.trust is not None
        scope = programme.document.scope
        return trust.judge_programme(
            programme,
            trust=self.trust,
            topic_scope=topic_scope,
            station_scope=self.settings.scope,
            floor=self.floors.of(scope, self._counted(scope)),
            in_force=self.signed.get(scope) or self.aside.get(scope),
            now=now,
        )

    def _worth_keeping(self, scope: Scope) -> Signed[Programme] | None:
        """What is in force for a scope, when all its audio is here."""
        signed = self.signed.get(scope)
        audio = frozenset() if signed is None else library.audio_of(signed.document, self.settings)
        shelf = self.shelf
        return signed if audio and all(shelf.lack(sha256) is None for sha256 in audio) else None

    @property
    def shelf(self) -> Shelf:
        """What cues can be made of now. It looks at what is here: for another thread it must be copied."""
        earlier = {scope: signed.document for scope, signed in self.earlier.items()}
        return Shelf(self.documents(), self.cached, earlier, self.unplayable)

    def audio_stored(self, sha256: Sha256) -> None:
        """Audio came into the store: whatever was found of it before, it gets another chance."""
        self.cached.add(sha256)
        self.unplayable.pop(sha256, None)

    def audio_lost(self, sha256: Sha256, code: str) -> None:
        """Audio was found gone or rotten."""
        self.cached.discard(sha256)
        if code == ROTTEN:
            self.unplayable[sha256] = AsRunReason.ROTTEN

    def audio_undecodable(self, sha256: Sha256) -> None:
        """Audio with the right hash proved to be no audio: no cue stumbles over it again in this life."""
        self.unplayable[sha256] = AsRunReason.NOT_AUDIO

    def keep_only(self, keep: frozenset[Sha256]) -> None:
        """Forget all other audio: it may be evicted at any time, and nobody tells."""
        self.cached &= keep
        self.unplayable = {sha256: lack for sha256, lack in self.unplayable.items() if sha256 in keep}

    def put_aside_expired(self, now: Instant) -> list[tuple[Scope, int]]:
        """Put out of force what has expired; without trusted time nothing is judged (air-7 keeps it silent anyway)."""
        if not now.trusted:
            return []
        gone = [scope for scope, signed in self.signed.items() if _expires_ms(signed.document) <= now.wall_ms]
        for scope in gone:
            self._put_aside(scope)
        return [(scope, self.aside[scope].document.version) for scope in gone]

    def _put_aside(self, scope: Scope) -> None:
        self.aside[scope] = self.signed.pop(scope)
        self._leave_timetable(scope)
        self.changes += 1

    def bring_back(self, now: Instant) -> list[Scope]:
        """Put in force again what has not expired after all: the clock by which it had was ahead."""
        if not now.trusted or self.trust_is_over(now):
            return []
        back = [scope for scope, signed in self.aside.items() if _expires_ms(signed.document) > now.wall_ms]
        for scope in back:
            self.signed[scope] = self.aside.pop(scope)
            self.since_ms = now.wall_ms
            self.changes += 1
        return back

    def take_root(self, root: TrustRoot) -> list[Scope]:
        """Another trust root is in force: give the scopes whose programmes nobody who may has signed, and forget those
        programmes, with what they owe and what may stand in for them. Nothing of them airs from now on (never-1).
        """
        self.trust = root
        stands: Callable[[Signed[Programme]], bool] = lambda one: trust.is_still_signed(one, root, "publish")  # noqa: E731
        known = self.signed | self.aside
        gone = [scope for scope, signed in known.items() if not stands(signed)]
        for scope in gone:
            self.signed.pop(scope, None)
            self.aside.pop(scope, None)
            self._leave_timetable(scope)
            self._leave(known[scope])
        self.earlier = {scope: one for scope, one in self.earlier.items() if stands(one)}
        self.owing = [one for one in self.owing if stands(one.signed)]
        self.changes += 1
        return gone

    def version_of(self, scope: Scope) -> int:
        """The version of the programme of a scope that is here, expired or not; 0 when there is none."""
        signed = self.signed.get(scope) or self.aside.get(scope)
        return 0 if signed is None else signed.document.version

    def trust_is_over(self, now: Instant) -> bool:
        """Tell whether the trust root has expired: then nobody may say anything (never-1)."""
        assert self.trust is not None
        return now.trusted and trust.utc_ms(self.trust.expires) <= now.wall_ms

    def suspend(self) -> None:
        """Take everything out of force, as long as nobody may say anything."""
        for scope in list(self.signed):
            self._put_aside(scope)

    def next_expiry_ms(self, now: Instant) -> int | None:
        """The next instant at which something expires."""
        assert self.trust is not None
        ends = [trust.utc_ms(self.trust.expires), *(_expires_ms(signed.document) for signed in self.signed.values())]
        return min((ms for ms in ends if ms > now.wall_ms), default=None)

    def due(self, now: Instant, ahead_ms: int) -> list[SlotOccurrence]:
        """Take the occurrences up to ``ahead_ms`` from now, in the order of the air; each is given once."""
        self._follow_leaps(now)
        self.seen_wall_ms = now.wall_ms
        if self.since_ms is None:
            self.since_ms = now.wall_ms
        found = self._owed(now)
        for scope, signed in self.signed.items():
            if scope not in self.timetables:
                after_ms = self._look_back_ms(signed.document, now)
                self.timetables[scope] = Timetable((signed.document,), self.settings, after_ms)
            found += self.timetables[scope].due(min(now.wall_ms + ahead_ms, self._ends_ms(scope) - 1))
        return sorted(found, key=_order)

    def _owed(self, now: Instant) -> list[SlotOccurrence]:
        """Take what was due under programmes that were replaced before anybody knew the time."""
        found: list[SlotOccurrence] = []
        for one in self.owing:
            replaced_ms = now.wall_ms - (now.mono_ms - one.until_mono_ms)
            programme = one.signed.document
            after_ms = max(one.after_ms, self._look_back_ms(programme, now))
            timetable = Timetable((programme,), self.settings, after_ms)
            found += timetable.due(min(replaced_ms, _expires_ms(programme) - 1))
            self._leave(one.signed)
        self.owing.clear()
        self.changes += bool(found)  # what is in force now decides which of it may still air
        return found

    def _follow_leaps(self, now: Instant) -> None:
        """A clock that leapt far ahead begins anew from there; one that takes the leap back, where it now is: what is
        due in between was passed over, and what was due before the leap must not air again (never-5).
        """
        seen_ms = now.wall_ms if self.seen_wall_ms is None else self.seen_wall_ms
        if now.wall_ms - seen_ms > LOOK_BACK_MS:
            self._leave_timetables()
            self.leap_ms = (seen_ms if self.leap_ms is None else self.leap_ms[0], now.wall_ms)
        elif self.leap_ms is not None and self.leap_ms[0] <= now.wall_ms < min(seen_ms, self.leap_ms[1]):
            self._leave_timetables()
            self.since_ms, self.leap_ms = now.wall_ms, None

    def _look_back_ms(self, programme: Programme, now: Instant) -> int:
        """What lies before the first trusted instant, or before the programme was issued, is nobody's loss."""
        issued_ms = trust.utc_ms(programme.issued)
        since_ms = min(self.since_ms or now.wall_ms, now.wall_ms)
        return max(since_ms, issued_ms, now.wall_ms - LOOK_BACK_MS) - 1

    def next_instant(self) -> int | None:
        """The instant of the next occurrence not yet taken."""
        return self._first({scope: timetable.next_instant() for scope, timetable in self.timetables.items()})

    def next_look(self) -> int | None:
        """When ``due`` may have something next: no rule is asked for it, so it may be too early."""
        return self._first({scope: timetable.next_look() for scope, timetable in self.timetables.items()})

    def _first(self, nexts: Mapping[Scope, int | None]) -> int | None:
        """The first instant at which a programme is still in force."""
        return min((ms for scope, ms in nexts.items() if ms is not None and ms < self._ends_ms(scope)), default=None)

    def _ends_ms(self, scope: Scope) -> int:
        return _expires_ms(self.signed[scope].document)

    def upcoming(self, most: int) -> list[SlotOccurrence]:
        """List the next occurrences not yet taken, in the order of the air."""
        found = [due for timetable in self.timetables.values() for due in timetable.upcoming(most)]
        return sorted((due for due in found if due.planned_ms < _expires_ms(due.programme)), key=_order)[:most]

    def resolve(self, due: SlotOccurrence, now_ms: int) -> Resolved:
        """Make a cue of an occurrence that begins now at the earliest, with the audio that can be aired."""
        return library.resolve(due, self.settings, self.shelf, now_ms)

    def held(self, cue: Cue) -> Cue | None:
        """Give a cue whose slot is still in force, its recordings as long as they may be heard by now; else None.

        None, too, where what is in force does not let one of its recordings be heard.
        """
        signed = self.signed.get(cue.occurrence.scope)
        if signed is None:
            return None
        programme = signed.document
        if programme.version == cue.programme_version and not cue.substitute:
            return cue
        slot = programme.by_id.get(cue.occurrence.slot)
        if slot is None:
            return None
        until_ms = library.may_air(programme, slot, self.shelf)
        if not until_ms.keys() >= {item.sha256 for item in cue.items}:
            return None
        return replace(cue, items=tuple(replace(item, until_ms=until_ms[item.sha256]) for item in cue.items))

    def find(self, key: Occurrence) -> SlotOccurrence | None:
        """Look an occurrence up in the programme in force: its slot may have been changed, moved or taken away."""
        signed = self.signed.get(key.scope)
        if signed is None:
            return None
        programme = signed.document
        planned_ms = to_ms(datetime.fromisoformat(key.local), programme.time_zone)
        slot = programme.by_id.get(key.slot)
        if slot is None or not concerns(slot, self.settings):
            return None
        dues = occurrences(programme, slot, planned_ms - 1, planned_ms)
        return next((due for due in dues if due.occurrence == key), None)

    def slot_subjects(self) -> frozenset[str]:
        """Name every slot in force, as the subjects of faults do."""
        return frozenset(
            f"{scope}#{slot.id}" for scope, signed in self.signed.items() for slot in signed.document.slots
        )

    def live_ids(self) -> frozenset[str]:
        """The live relays that slots in force name."""
        slots = (slot for signed in self.signed.values() for slot in signed.document.relays)
        return frozenset(slot.live for slot in slots if slot.live is not None)

    def named_live(self, name: str, since_ms: int, upto_ms: int) -> bool:
        """Tell whether a slot in force that names a live relay was due in this time."""
        slots = ((one, slot) for one in self.documents() for slot in one.relays if slot.live == name)
        dues = (occurrences(one, slot, since_ms - 1, upto_ms) for one, slot in slots if concerns(slot, self.settings))
        return any(True for found in dues for _ in found)

    def streams_under_way(self, now: Instant) -> list[SlotOccurrence]:
        """The occurrences of slots in force whose streams have begun, and may still be heard."""
        slots = ((one, slot) for one in self.documents() for slot in one.relays)
        return [
            found
            for one, slot in slots
            if slot.stream is not None and concerns(slot, self.settings)
            for found in occurrences(one, slot, now.wall_ms - slot.stream.most_minutes * MINUTE_MS, now.wall_ms)
            if found.planned_ms >= trust.utc_ms(one.issued)
        ]

    def documents(self) -> tuple[Programme, ...]:
        """The programmes in force, the highest scope first."""
        return tuple(self.signed[scope].document for scope in sorted(self.signed))

    def look_on(self, most: int, now: Instant) -> bool:
        """Look ahead at so many more slots of a programme; tell whether ``wanted`` needs to look further."""
        for scope, signed in self.signed.items():
            if scope not in self.timetables and scope not in self.foreseen:
                self.foreseen[scope] = library.foreseen(signed.document, self.settings, now.wall_ms)
        return any(timetable.look_on(most) for timetable in self._ahead().values())

    def _ahead(self) -> dict[Scope, Timetable]:
        return {scope: self.timetables.get(scope) or self.foreseen[scope] for scope in self.signed}

    def wanted(self, waiting: Iterable[tuple[Occurrence, int]], now: Instant) -> SetWanted:
        """What audio is to be had, the first due first, and what must be kept, when ``look_on`` has seen all.

        ``waiting`` are occurrences that were taken and may still air, with their instants.
        """
        instants_of = {scope: timetable.firsts() for scope, timetable in self._ahead().items()}
        self.leaving += [timetable.leave() for timetable in self.foreseen.values()]
        self.foreseen.clear()
        for key, planned_ms in waiting:
            scope = Scope(key.scope)
            slot = self.signed[scope].document.by_id.get(key.slot) if scope in self.signed else None
            if slot is not None:
                saying = (slot.bulletins, slot.zones)
                instants_of[scope][saying] = min(planned_ms, instants_of[scope].get(saying, planned_ms))
        return library.wanted(self.shelf, self.settings, now.wall_ms, instants_of)

    def cache(self) -> Cache:
        """How much of the audio that is needed is there."""
        needed: Mapping[Sha256, int] = {
            recording.sha256: recording.size_bytes
            for programme in self.documents()
            for bulletin in programme.bulletins
            for recording in bulletin.audio
        }
        stored = [size_bytes for sha256, size_bytes in needed.items() if sha256 in self.cached]
        return Cache(len(needed), len(stored), sum(needed.values()), sum(stored))

    def in_force(self) -> tuple[InForce, ...]:
        """What is in force, for the reports."""
        return tuple(InForce(p.scope, p.version, WallMs(_expires_ms(p)), len(p.slots)) for p in self.documents())

    def is_quiet(self, wall_ms: int) -> bool:
        """Tell whether an instant lies in quiet hours (air-5)."""
        if not self.settings.quiet_hours:
            return False
        local = to_civil(wall_ms, self.settings.time_zone)
        minute = local.hour * 60 + local.minute
        return any(span.contains(minute) for span in self.settings.quiet_hours)


def _order(due: SlotOccurrence) -> tuple[int, int, Occurrence]:
    return due.planned_ms, -due.slot.priority, due.occurrence


def _expires_ms(programme: Programme) -> int:
    return trust.utc_ms(programme.expires)
