"""Which audio a cue is made of, and which audio is wanted by when. Pure functions over the programmes in force.

- air-8: a cue airs each of its bulletins in every language that one of its zones puts first among those the bulletin
  has, in the order of the zones; a bulletin that has none of them airs in its own first language.
- air-3, air-5: there is one audio path, so a cue is as loud as the quietest of its zones allows.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from ttcs_edge.core.documents import Audio, Bulletin, Programme, Slot
from ttcs_edge.core.effects import SetWanted, WantedAudio
from ttcs_edge.core.model import (
    AudioItem,
    Cue,
    IfInterrupted,
    Sha256,
    StationSettings,
    WallMs,
    Zone,
)
from ttcs_edge.core.schedule import SlotOccurrence, Timetable


@dataclass(frozen=True, slots=True)
class Resolved:
    """A cue with the audio that is in the store, and the hashes of what it lacks."""

    cue: Cue
    missing: tuple[Sha256, ...]


def zones_of(slot: Slot, settings: StationSettings) -> tuple[Zone, ...]:
    """The zones of this station that a slot speaks to, in the station's own order."""
    return tuple(zone for zone in settings.zones if not slot.zones or zone.id in slot.zones)


def recordings(bulletin: Bulletin, zones: tuple[Zone, ...]) -> tuple[Audio, ...]:
    """The recordings of a bulletin that these zones ask for (air-8), each once."""
    by_language = {audio.language: audio for audio in bulletin.audio}
    chosen: dict[str, Audio] = {}
    for zone in zones:
        language = next((name for name in zone.languages if name in by_language), bulletin.audio[0].language)
        chosen.setdefault(language, by_language[language])
    return tuple(chosen.values())


def resolve(due: SlotOccurrence, settings: StationSettings, cached: Set[Sha256]) -> Resolved:
    """Make the cue of an occurrence out of the audio that is there."""
    slot, programme = due.slot, due.programme
    zones = zones_of(slot, settings)
    named = set(slot.bulletins)
    bulletins = {bulletin.id: bulletin for bulletin in programme.bulletins if bulletin.id in named}
    wanted = [(name, audio) for name in slot.bulletins for audio in recordings(bulletins[name], zones)]
    items = tuple(
        AudioItem(name, audio.language, audio.sha256, audio.size_bytes, audio.duration_ms)
        for name, audio in wanted
        if audio.sha256 in cached
    )
    cue = Cue(
        occurrence=due.occurrence,
        title=" · ".join(bulletins[name].title for name in slot.bulletins),
        planned_ms=due.planned_ms,
        late_until_ms=WallMs(due.planned_ms + slot.late_window_s * 1_000),
        priority=slot.priority,
        zones=tuple(zone.id for zone in zones),
        bulletins=slot.bulletins,
        items=items,
        volume_percent=min((slot.volume_percent * zone.volume_percent // 100 for zone in zones), default=0),
        if_interrupted=IfInterrupted(slot.if_interrupted),
        programme_version=programme.version,
    )
    missing = dict.fromkeys(audio.sha256 for _, audio in wanted if audio.sha256 not in cached)
    return Resolved(cue, tuple(missing))


def wanted(programmes: tuple[Programme, ...], settings: StationSettings, cached: Set[Sha256], now_ms: int) -> SetWanted:
    """List the audio to be had, the first due first, and everything that eviction must not touch."""
    first_due: dict[Sha256, tuple[int, Audio]] = {}
    for programme in programmes:
        bulletins = {bulletin.id: bulletin for bulletin in programme.bulletins}
        soonest = _soonest(programme, settings, now_ms)
        for slot in programme.slots:
            if slot.id not in soonest:
                continue
            for name in slot.bulletins:
                for audio in recordings(bulletins[name], zones_of(slot, settings)):
                    known = first_due.get(audio.sha256)
                    if known is None or soonest[slot.id] < known[0]:
                        first_due[audio.sha256] = (soonest[slot.id], audio)
    ordered = sorted(first_due.values(), key=lambda due: (due[0], due[1].sha256))
    return SetWanted(
        tuple(
            WantedAudio(audio.sha256, audio.size_bytes, audio.places, WallMs(due_ms))
            for due_ms, audio in ordered
            if audio.sha256 not in cached
        ),
        frozenset(first_due),
    )


def _soonest(programme: Programme, settings: StationSettings, now_ms: int) -> dict[str, int]:
    """The first instant of each slot that is still to come or may still air late."""
    late_ms = max((slot.late_window_s for slot in programme.slots), default=0) * 1_000
    timetable = Timetable((programme,), settings, now_ms - late_ms - 60_000)
    return timetable.first_instants()
