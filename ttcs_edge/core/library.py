"""Which audio a cue is made of, and which audio is wanted by when. Pure functions over what is on the shelf.

- air-8: a cue airs each of its bulletins in every language that one of its zones puts first among those the bulletin
  has, in the order of the zones; a bulletin that has none of them airs in its own first language.
- air-3, air-5: there is one audio path, so a cue is as loud as the quietest of its zones allows.
- A recording can be aired when it is on the shelf, did not prove to be no audio, and is over before it expires.
- What stands in is the slot's own choice (``Slot.if_unplayable``) and must be valid by itself: an earlier edition whose
  programme has expired, or a standing bulletin that has, is not heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set

from msgspec import Struct, field

from ttcs_edge.core.air import BULLETIN
from ttcs_edge.core.documents import Alert, Audio, Bulletin, LiveSegment, Programme, Saying, Slot
from ttcs_edge.core.effects import SetWanted, WantedAudio
from ttcs_edge.core.model import (
    AsRunReason,
    AudioItem,
    Cue,
    IfInterrupted,
    IfUnplayable,
    Scope,
    Sha256,
    StationSettings,
    WallMs,
    Zone,
    scope_covers,
)
from ttcs_edge.core.schedule import SlotOccurrence, Timetable
from ttcs_edge.core.trust import utc_ms

EARLIER, STANDING = IfUnplayable.EARLIER.value, IfUnplayable.STANDING.value
STANDING_DUE_MS = 86_400_000
"""Standing bulletins are fetched behind what is due within this time, and before everything later."""


class Shelf(Struct, frozen=True):
    """All that a cue can be made of.

    ``in_force`` are the programmes, the highest scope first; ``earlier`` the one before of a scope; ``cached`` the
    audio in the store; ``unplayable`` what was found of audio that cannot be aired.
    """

    in_force: tuple[Programme, ...]
    cached: Set[Sha256]
    earlier: Mapping[Scope, Programme] = field(default_factory=dict)
    unplayable: Mapping[Sha256, AsRunReason] = field(default_factory=dict)

    def lack(self, sha256: Sha256) -> AsRunReason | None:
        """Tell why audio cannot be aired; None when it can."""
        return self.unplayable.get(sha256) or (None if sha256 in self.cached else AsRunReason.NO_AUDIO)

    def above(self, scope: Scope) -> Iterator[Programme]:
        """The programmes of a scope and of those above it, the nearest first."""
        return (programme for programme in reversed(self.in_force) if scope_covers(programme.scope, scope))


class Resolved(Struct, frozen=True):
    """A cue with the audio that can be aired, the hashes of what it lacks, and why it lacks the first of it."""

    cue: Cue
    missing: tuple[Sha256, ...] = ()
    lack: AsRunReason | None = None


def zones_of(what: Slot | Alert | LiveSegment, settings: StationSettings) -> tuple[Zone, ...]:
    """The zones of this station that a slot, an alert or a live relay speaks to, in the station's own order."""
    return _here(what.zones, settings)


def _here(names: tuple[str, ...], settings: StationSettings) -> tuple[Zone, ...]:
    """The zones of this station among those named; all when none is."""
    return tuple(zone for zone in settings.zones if not names or zone.id in names)


def recordings(bulletin: Bulletin, zones: tuple[Zone, ...]) -> tuple[Audio, ...]:
    """The recordings of a bulletin that these zones ask for (air-8), each once."""
    by_language = {audio.language: audio for audio in bulletin.audio}
    chosen: dict[str, Audio] = {}
    for zone in zones:
        language = next((name for name in zone.languages if name in by_language), bulletin.audio[0].language)
        chosen.setdefault(language, by_language[language])
    return tuple(chosen.values())


def resolve(due: SlotOccurrence, settings: StationSettings, shelf: Shelf, now_ms: int) -> Resolved:
    """Make the cue of an occurrence that begins at its instant, or now when that is past, out of what can be aired."""
    slot, programme = due.slot, due.programme
    zones = zones_of(slot, settings)
    bulletins = _named(programme, slot.bulletins)
    begin_ms = max(due.planned_ms, now_ms)
    filled = _Filling(zones, shelf, begin_ms)
    substitute = False
    editions = _editions(programme, slot, shelf)
    for name in slot.bulletins:
        if not filled.add(bulletins[name]) and name in editions:
            until_ms = utc_ms(shelf.earlier[programme.scope].expires)
            substitute |= filled.add(editions[name], until_ms, stands_in=True)
    if not filled.items and slot.if_unplayable == STANDING:
        substitute = any(_add_standing(filled, one) for one in shelf.above(programme.scope))
    cue = Cue(
        occurrence=due.occurrence,
        title=" · ".join(bulletins[name].title for name in slot.bulletins),
        planned_ms=due.planned_ms,
        late_until_ms=WallMs(due.planned_ms + slot.late_window_s * 1_000),
        priority=(BULLETIN, slot.priority, 0),
        zones=tuple(zone.id for zone in zones),
        bulletins=slot.bulletins,
        items=tuple(filled.items),
        volume_percent=min((slot.volume_percent * zone.volume_percent // 100 for zone in zones), default=0),
        if_interrupted=IfInterrupted(slot.if_interrupted),
        programme_version=programme.version,
        substitute=substitute,
        slot_percent=slot.volume_percent,
        live=slot.live if slot.stream is None else str(due.occurrence),
    )
    return Resolved(cue, tuple(filled.lacks), next(iter(filled.lacks.values()), None))


class _Filling:
    """A cue while it is filled with what can be aired, one item after another."""

    def __init__(self, zones: tuple[Zone, ...], shelf: Shelf, begin_ms: int) -> None:
        self._zones = zones
        self._shelf = shelf
        self._end_ms = begin_ms
        self.items: list[AudioItem] = []
        self.lacks: dict[Sha256, AsRunReason] = {}

    def add(self, bulletin: Bulletin, until_ms: int | None = None, *, stands_in: bool = False) -> bool:
        """Add what of a bulletin can be aired and is over before it expires; tell whether that is anything.

        What lacks of a bulletin that only stands in is no loss of the slot's.
        """
        until = _expiry(bulletin, until_ms)
        added = False
        for audio in recordings(bulletin, self._zones):
            end_ms = self._end_ms + audio.duration_ms
            expired = until is not None and end_ms > until
            lack = AsRunReason.EXPIRED if expired else self._shelf.lack(audio.sha256)
            if lack is None:
                added, self._end_ms = True, end_ms
                self.items.append(
                    AudioItem(bulletin.id, audio.language, audio.sha256, audio.size_bytes, audio.duration_ms, until)
                )
            elif not stands_in:
                self.lacks.setdefault(audio.sha256, lack)
        return added


def _named(programme: Programme, names: Iterable[str]) -> dict[str, Bulletin]:
    wanted_names = set(names)
    return {bulletin.id: bulletin for bulletin in programme.bulletins if bulletin.id in wanted_names}


def _editions(programme: Programme, slot: Slot, shelf: Shelf) -> dict[str, Bulletin]:
    """The earlier editions of a slot's bulletins, when it wants them."""
    before = shelf.earlier.get(programme.scope)
    if before is None or slot.if_unplayable != EARLIER:
        return {}
    return _named(before, slot.bulletins)


def _add_standing(filled: _Filling, programme: Programme) -> bool:
    bulletins = _named(programme, programme.standing)
    until_ms = utc_ms(programme.expires)
    added = [filled.add(bulletins[name], until_ms, stands_in=True) for name in programme.standing]
    return any(added)


def may_air(programme: Programme, slot: Slot, shelf: Shelf) -> dict[Sha256, WallMs | None]:
    """All audio that may be heard in a slot, be it here or not: its programme's, and what may stand in for it.

    Each with the latest instant at which it must be over; None where no document that has it says one.
    """
    until: dict[Sha256, WallMs | None] = {}
    for bulletin, until_ms in _allowed(programme, slot, shelf):
        expiry = _expiry(bulletin, until_ms)
        for audio in bulletin.audio:
            known = until.setdefault(audio.sha256, expiry)
            until[audio.sha256] = None if known is None or expiry is None else max(known, expiry)
    return until


def _allowed(programme: Programme, slot: Slot, shelf: Shelf) -> Iterator[tuple[Bulletin, int | None]]:
    yield from ((bulletin, None) for bulletin in programme.bulletins)
    for bulletin in _editions(programme, slot, shelf).values():
        yield bulletin, utc_ms(shelf.earlier[programme.scope].expires)
    for above in shelf.above(programme.scope) if slot.if_unplayable == STANDING else ():
        yield from ((bulletin, utc_ms(above.expires)) for bulletin in _named(above, above.standing).values())


def _expiry(bulletin: Bulletin, until_ms: int | None) -> WallMs | None:
    """When a bulletin must be over, by itself and by the programme that lends it."""
    ends_ms = [ms for ms in (until_ms, bulletin.expires and utc_ms(bulletin.expires)) if ms]
    return WallMs(min(ends_ms)) if ends_ms else None


def audio_of(programme: Programme, settings: StationSettings) -> frozenset[Sha256]:
    """All audio that a programme has for this station, whenever it is due."""
    bulletins = {bulletin.id: bulletin for bulletin in programme.bulletins}
    return frozenset(
        audio.sha256
        for names, zones in programme.sayings
        for name in names
        for audio in recordings(bulletins[name], _here(zones, settings))
    )


Instants = Mapping[Saying, int]
"""When what the slots of a programme say is due next."""


def wanted(shelf: Shelf, settings: StationSettings, now_ms: int, instants_of: Mapping[Scope, Instants]) -> SetWanted:
    """List the audio to be had, the first due first, and everything that eviction must not touch.

    Standing bulletins are always wanted; an earlier edition is kept, but not fetched any more.
    """
    first_due: dict[Sha256, tuple[int, Audio]] = {}
    kept: set[Sha256] = set()
    for programme in shelf.in_force:
        for due_ms, audio in _uses(programme, settings, now_ms, instants_of[programme.scope]):
            known = first_due.get(audio.sha256)
            if known is None or due_ms < known[0]:
                first_due[audio.sha256] = (due_ms, audio)
        before = shelf.earlier.get(programme.scope)
        editions = {} if before is None else _named(before, programme.replaceable)
        kept |= {audio.sha256 for one in editions.values() for audio in recordings(one, settings.zones)}
    ordered = sorted(first_due.values(), key=lambda due: (due[0], due[1].sha256))
    return SetWanted(
        tuple(
            WantedAudio(audio.sha256, audio.size_bytes, audio.places, WallMs(due_ms))
            for due_ms, audio in ordered
            if audio.sha256 not in shelf.cached
        ),
        frozenset(first_due) | kept,
    )


def _uses(
    programme: Programme, settings: StationSettings, now_ms: int, instants: Instants
) -> Iterator[tuple[int, Audio]]:
    """The first use that a programme has for audio here, with its instant; not of what will have expired by then.

    Of the slots that say the same to the same zones, thousands in a year, the first one due stands for all.
    """
    bulletins = {bulletin.id: bulletin for bulletin in programme.bulletins}
    for (names, zones), due_ms in instants.items():
        for name in names:
            yield from _uses_of(bulletins[name], _here(zones, settings), due_ms)
    for name in programme.standing:
        yield from _uses_of(bulletins[name], settings.zones, now_ms + STANDING_DUE_MS)


def _uses_of(bulletin: Bulletin, zones: tuple[Zone, ...], due_ms: int) -> Iterator[tuple[int, Audio]]:
    if bulletin.expires is None or utc_ms(bulletin.expires) > due_ms:
        for audio in recordings(bulletin, zones):
            yield due_ms, audio


def foreseen(programme: Programme, settings: StationSettings, now_ms: int) -> Timetable:
    """What of a programme is still to come or may still air late, by a clock that is not good enough to air it."""
    return Timetable((programme,), settings, now_ms - programme.latest_s * 1_000 - 60_000)
