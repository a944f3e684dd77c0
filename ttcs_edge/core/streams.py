"""Plain streams: which are followed, whether there is sound in them, and until when each may have the air.

A stream belongs to one occurrence of a slot (``Slot.stream``). It is followed from the moment at which that is taken,
some seconds before its instant, so that it can begin at its instant. It is left when the slot's minutes for it are
over, and before that when its slot is withdrawn, stopped, or too late. While it is followed it stands among the cues
as the session of a signed live relay does (``relaying``), with one difference: it has no end of its own, and is whole
when its time is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from ttcs_edge.core.air import BULLETIN
from ttcs_edge.core.documents import LiveSegment, Stream
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.live import LOST_MS
from ttcs_edge.core.model import (
    STREAM_PREFIX,
    AsRunReason,
    Cue,
    IfInterrupted,
    Inlet,
    Instant,
    Occurrence,
    WallMs,
    Way,
)
from ttcs_edge.core.programmes import Programmes

STREAM_FAULTS = ("stream-host", "stream-plain", "stream-tls", "stream-away", "stream-not-audio")
"""What can be wrong with a stream: one at a time, until it is heard or left."""
MINUTE_MS = 60_000


@dataclass(slots=True)
class Followed:
    """A stream that is followed for the cue of a slot. ``ended`` is why it is over before its time."""

    number: int
    slot: Cue
    stream: Stream
    heard_mono_ms: int | None = None
    ended: AsRunReason | None = None

    @property
    def name(self) -> str:
        """What the cue of its slot calls it (``Cue.live``)."""
        return str(self.slot.live)

    @property
    def occurrence(self) -> Occurrence:
        """Its own identity on the air."""
        return occurrence_of(self.slot.occurrence)

    @property
    def subject(self) -> str:
        """What faults and records call it."""
        return self.occurrence.subject

    @property
    def until_ms(self) -> int:
        """When it is over."""
        return self.slot.planned_ms + self.stream.most_minutes * MINUTE_MS

    @property
    def leaves_ms(self) -> int:
        """When it leaves the air at the latest."""
        return self.until_ms

    def is_heard(self, now: Instant) -> bool:
        """Tell whether its instant has come, also where the clock was set back behind it, and there is sound in it,
        which is told once a second.
        """
        is_there = self.heard_mono_ms is not None and now.mono_ms <= self.heard_mono_ms + LOST_MS
        return is_there and now.wall_ms >= self.slot.planned_ms

    def is_gone(self, now: Instant) -> bool:
        """It may come back as long as it is followed."""
        return False

    def take(self, now: Instant) -> list[LiveSegment]:
        """The player has of it what there is."""
        return []

    def may_begin(self, now: Instant) -> bool:
        """Tell whether it is to be taken, if it was not yet."""
        return now.trusted and now.wall_ms < self.until_ms and self.ended is None and self.is_heard(now)

    def cue(self, now: Instant) -> Cue:
        """It as something to be aired from now until its end, in the place of its slot."""
        most_ms = max(0, self.until_ms - now.wall_ms)
        return replace(
            self.slot,
            occurrence=self.occurrence,
            late_until_ms=WallMs(self.until_ms),
            priority=(BULLETIN, self.slot.priority[1], 1),
            bulletins=(),
            items=(),
            if_interrupted=IfInterrupted.RESUME,
            substitute=False,
            inlet=Inlet(Way.STREAM, most_ms, self.number),
            live=None,
        )


def occurrence_of(slot: Occurrence) -> Occurrence:
    """The identity on the air of the stream of an occurrence of a slot."""
    return Occurrence(slot.scope, f"{STREAM_PREFIX}{slot.slot}", slot.local)


@dataclass(slots=True)
class Streams:
    """The streams that are followed, by the occurrence of the slot that each is for. ``has_looked_back`` once it was
    asked what an earlier life may have left in the middle.
    """

    followed: dict[Occurrence, Followed] = field(default_factory=dict)
    sequence: int = 0
    seen_changes: int = 0
    has_looked_back: bool = False

    def begin(self, slot: Cue, stream: Stream, now: Instant) -> Followed | None:
        """Follow the stream of a slot; None when it is over, is followed already, or too many are."""
        if slot.occurrence in self.followed or len(self.followed) >= LIMITS.streams:
            return None
        one = Followed(self.sequence + 1, slot, stream)
        if now.wall_ms >= one.until_ms:
            return None
        self.sequence += 1
        self.followed[slot.occurrence] = one
        return one

    def heard(self, number: int, now: Instant) -> Followed | None:
        """There is sound in one; None when it is followed no more."""
        one = self.of(number)
        if one is not None:
            one.heard_mono_ms = now.mono_ms
        return one

    def of(self, number: int) -> Followed | None:
        """The one with a number; None when it is followed no more."""
        return next((one for one in self.followed.values() if one.number == number), None)

    def look_at(self, programmes: Programmes) -> None:
        """What no programme in force has any more, as it is, is withdrawn."""
        if self.seen_changes == programmes.changes:
            return
        self.seen_changes = programmes.changes
        for occurrence, one in self.followed.items():
            found = programmes.find(occurrence)
            if found is None or found.slot.stream != one.stream:
                one.ended = one.ended or AsRunReason.WITHDRAWN

    def subjects(self) -> frozenset[str]:
        """What the faults of those that are followed call them."""
        return frozenset(one.subject for one in self.followed.values())

    def leave(self, those: Iterable[Followed]) -> None:
        """They are followed no more."""
        for one in those:
            del self.followed[one.slot.occurrence]

    def wake_mono_ms(self, now: Instant) -> int | None:
        """When one changes by time alone."""
        turns: list[int] = []
        for one in self.followed.values():
            turns.append(now.mono_ms + one.until_ms - now.wall_ms)
            turns.append((one.heard_mono_ms or 0) + LOST_MS + 1)
        return min((at_ms for at_ms in turns if at_ms > now.mono_ms), default=None)
