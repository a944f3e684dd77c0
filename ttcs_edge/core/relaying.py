"""Live relays among the cues: when a session is taken, when it leaves the air, and in whose place it is heard.

A session that a slot names is taken when that slot is due, any other at once. It comes back as long as its segments
may, also behind a restart, by when its slot may be told; a slot whose live relay was heard to its end was heard as
well. A plain stream is such a session, too, of one occurrence of one slot: it is taken as soon as its instant has come
and there is sound in it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ttcs_edge.core import live
from ttcs_edge.core.asrun import SILENT_REASONS, Airing, Kind
from ttcs_edge.core.cues import Cues
from ttcs_edge.core.documents import Stream
from ttcs_edge.core.effects import Effect, FollowStream, LeaveStream
from ttcs_edge.core.live import Lives, Session
from ttcs_edge.core.model import AsRun, AsRunReason, Cue, Instant
from ttcs_edge.core.programmes import Programmes
from ttcs_edge.core.reach import Reach
from ttcs_edge.core.streams import Followed, Streams, occurrence_of

WANTED_ENDS = frozenset(
    {AsRunReason.WITHDRAWN, AsRunReason.QUIET_HOURS, AsRunReason.STOPPED, AsRunReason.STOPPED_BY_COMMAND}
)
"""Why a slot ends that ends its stream, too."""


@dataclass(slots=True)
class Relaying:
    """The sessions that wait for the air or have it."""

    cues: Cues
    lives: Lives
    reach: Reach
    streams: Streams

    def take(self, session: Session, programmes: Programmes, now: Instant) -> None:
        """Take a session whose segments come, once: at once, or when a slot that names it is due."""
        if self.cues.is_known(live.occurrence_of(session.newest)) or now.wall_ms >= session.until_ms:
            return
        if self._has_place(session, programmes, now):
            self.cues.take(live.cue_of(session.newest, self.lives.settings, now), Kind.LIVE, now, session)

    def _has_place(self, session: Session, programmes: Programmes, now: Instant) -> bool:
        """Tell whether no slot names it, or one that does is due, or was since it began: that may have been told."""
        name = session.name
        due = any(one.cue.live == name and one.is_due(now) for one in self.cues.unended())
        since_ms = session.newest.version - live.GONE_MS
        return due or name not in programmes.live_ids() or programmes.named_live(name, since_ms, now.wall_ms)

    def play_of(self, session: Session) -> int | None:
        """The play that a session's segments are for, while it has the air."""
        holder = self.cues.on_air
        return holder.play if holder is not None and holder.session is session else None

    def follow_streams(self, programmes: Programmes, now: Instant) -> list[Effect]:
        """Follow the streams of slots that come near, take those that are to be heard, leave those that are over."""
        self.streams.look_at(programmes)
        follows: list[Effect] = []
        for cue, stream in self._streams(programmes, now) if now.trusted else ():
            known = self.cues.is_known(occurrence_of(cue.occurrence))
            begun = None if known else self.streams.begin(cue, stream, now)
            if begun is not None:
                follows.append(FollowStream(begun.number, begun.stream.url))
        for one in self.streams.followed.values():
            if one.may_begin(now) and not self.cues.is_known(one.occurrence):
                self.cues.take(one.cue(now), Kind.LIVE, now, one)
        over = [one for one in self.streams.followed.values() if self._is_over(one, now)]
        self.streams.leave(over)
        return follows + [LeaveStream(one.number) for one in over]

    def _streams(self, programmes: Programmes, now: Instant) -> list[tuple[Cue, Stream]]:
        """The streams of slots that come near, and once in a life, as soon as the time is known, of those whose minutes
        are not over: what a power cut has left in the middle is heard on.
        """
        near = ((one, one.source) for one in self.cues.of_slots() if not one.has_sounded)
        found = [(one.cue, source.slot.stream) for one, source in near if source is not None]
        if not self.streams.has_looked_back:
            self.streams.has_looked_back = True
            under_way = programmes.streams_under_way(now)
            found += [(programmes.resolve(due, now.wall_ms).cue, due.slot.stream) for due in under_way]
        return [(cue, stream) for cue, stream in found if stream is not None]

    def _is_over(self, one: Followed, now: Instant) -> bool:
        if any(airing.session is one for airing in self.cues.unended()):
            return False
        return one.ended is not None or now.wall_ms >= one.until_ms or self.cues.is_known(one.occurrence)

    def note_end(self, airing: Airing, record: AsRun) -> None:
        """A stream ends with its slot where somebody wanted that. One that did not begin yet does not begin late where
        its slot does not (air-6), but may where that only had no sound of its own, or no power.
        """
        followed = self.streams.followed.get(airing.cue.occurrence)
        if followed is None or record.reason is None:
            return
        is_excused = record.reason in SILENT_REASONS or record.reason is AsRunReason.POWER
        too_late = not is_excused and not self.cues.is_known(followed.occurrence)
        if record.reason in WANTED_ENDS or too_late:
            followed.ended = record.reason

    def why_ended(self, session: Session | Followed) -> AsRunReason | None:
        """Tell why a session is over before its time; None while it is not."""
        if isinstance(session, Followed):
            return session.ended
        return AsRunReason.WITHDRAWN if self.lives.is_replaced(session) else None

    def follow(self, now: Instant, *, nobody_may_speak: bool) -> None:
        """What has the air leaves it when its time is over, or another session took its place."""
        airing = self.cues.on_air
        if airing is None or airing.session is None:
            return
        if (ended := self.why_ended(airing.session)) is not None:
            airing.stop_for_good(ended)
        elif now.wall_ms >= airing.session.leaves_ms or nobody_may_speak:
            airing.stop_for_good(AsRunReason.TIME_LIMIT)

    def is_silent(self, airing: Airing, now: Instant) -> bool:
        """Tell whether nothing comes of a live relay at the moment, or nothing that could be told from what is old."""
        return airing.session is not None and not (now.trusted and airing.session.is_heard(now))

    def is_relayed(self, airing: Airing, now: Instant) -> bool:
        """Tell whether a live relay is there to be heard in the place of a slot: one that was told is not."""
        if (name := airing.cue.live) is None:
            return False
        relays = [one for one in self.cues.unended() if one.session is not None and one.session.name == name]
        return any(not self.is_silent(one, now) and self.reach.can_be_heard(one) for one in relays)

    def begins_ms(self, airing: Airing, due: list[Airing]) -> int:
        """When a slot's own bulletins begin: at its instant, or once its live relay had its time to start.

        That time is counted from when there was silence where sound is due, whoever else was due first.
        """
        planned_ms = airing.cue.planned_ms
        if airing.cue.live is None or airing.has_sounded:
            return planned_ms
        silent = [one for one in due if one.of_programme and not one.has_sounded]
        since_ms = min((max(one.cue.planned_ms, one.queued_ms) for one in silent), default=planned_ms)
        return min(planned_ms, since_ms) + live.PATIENCE_MS

    def relayed_by(self, airing: Airing, now: Instant) -> list[Airing]:
        """The slots that are due in whose place a session was heard."""
        if airing.session is None:
            return []
        name = airing.session.name
        return [one for one in self.cues.waiting.values() if one.cue.live == name and one.is_due(now)]
