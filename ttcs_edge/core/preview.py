"""What will air, seen beforehand, and what stands against it: how a wrongly set hour is found before it wakes anybody.

A cue is as long as the recordings that this station's zones ask for, once for each turn of them that their supplies
make, or as the stream that is heard in their place; it begins when the one before it is over.
"""

from __future__ import annotations

from msgspec import Struct

from ttcs_edge.core.documents import Programme
from ttcs_edge.core.library import recordings, zones_of
from ttcs_edge.core.model import StationSettings
from ttcs_edge.core.schedule import SlotOccurrence, Timetable, to_civil
from ttcs_edge.core.supplies import turns

MINUTE_MS = 60_000


class PreviewCue(Struct, frozen=True):
    """A cue as a technician sees it beforehand. ``clashes`` holds codes: ``quiet-hours``, ``overlap``."""

    due: SlotOccurrence
    duration_ms: int
    clashes: tuple[str, ...]


def preview(
    programmes: tuple[Programme, ...], settings: StationSettings, after_ms: int, upto_ms: int
) -> tuple[PreviewCue, ...]:
    """List every cue between two instants, and what stands against it: quiet hours (air-5), another cue (air-3)."""
    dues = Timetable(programmes, settings, after_ms).due(upto_ms)
    bulletins = {(programme.scope, one.id): one for programme in programmes for one in programme.bulletins}
    cues: list[PreviewCue] = []
    busy_until_ms = 0
    for due in dues:
        named = (bulletins[due.occurrence.scope, name] for name in due.slot.bulletins)
        zones = zones_of(due.slot, settings)
        duration_ms = sum(audio.duration_ms for one in named for audio in recordings(one, zones))
        if due.slot.stream is not None:
            duration_ms = max(duration_ms, due.slot.stream.most_minutes * MINUTE_MS)
        else:
            duration_ms *= len(turns([zone.id for zone in zones], settings))
        begin_ms = max(due.planned_ms, busy_until_ms)  # what must wait may wait into the night
        clashes = ["quiet-hours"] if _meets_quiet_hours(begin_ms, duration_ms, settings) else []
        clashes += ["overlap"] if due.planned_ms < busy_until_ms else []
        busy_until_ms = begin_ms + duration_ms
        cues.append(PreviewCue(due, duration_ms, tuple(clashes)))
    return tuple(cues)


def _meets_quiet_hours(begin_ms: int, duration_ms: int, settings: StationSettings) -> bool:
    """Tell whether a stretch of time begins in a quiet span or has one begin within it."""
    first = to_civil(begin_ms, settings.time_zone)
    begin = first.hour * 60 + first.minute
    minutes = (begin_ms % MINUTE_MS + max(0, duration_ms - 1)) // MINUTE_MS + 1
    return any(
        span.contains(begin) or (span.begin_minute - begin) % (24 * 60) < minutes for span in settings.quiet_hours
    )
