"""Live relays among the cues: when a session is taken, when it leaves the air, and in whose place it is heard.

A session that a slot names is taken when that slot is due, any other at once. It comes back as long as its segments
may, also behind a restart, by when its slot may be told; a slot whose live relay was heard to its end was heard as
well.
"""

from __future__ import annotations

from dataclasses import dataclass

from ttcs_edge.core import live
from ttcs_edge.core.asrun import Airing, Kind
from ttcs_edge.core.cues import Cues
from ttcs_edge.core.live import Lives, Session
from ttcs_edge.core.model import AsRunReason, Instant
from ttcs_edge.core.programmes import Programmes
from ttcs_edge.core.reach import Reach


@dataclass(slots=True)
class Relaying:
    """The sessions that wait for the air or have it."""

    cues: Cues
    lives: Lives
    reach: Reach

    def take(self, session: Session, programmes: Programmes, now: Instant) -> None:
        """Take a session whose segments come, once: at once, or when a slot that names it is due."""
        if self.cues.is_known(live.occurrence_of(session.newest)) or now.wall_ms >= session.until_ms:
            return
        if self._has_place(session, programmes, now):
            self.cues.take(live.cue_of(session.newest, self.lives.settings, now), Kind.LIVE, now, session)

    def _has_place(self, session: Session, programmes: Programmes, now: Instant) -> bool:
        """Tell whether no slot names it, or one that does is due, or was since it began: that may have been told."""
        name = session.newest.id
        due = any(one.cue.live == name and one.is_due(now) for one in self.cues.unended())
        since_ms = session.newest.version - live.GONE_MS
        return due or name not in programmes.live_ids() or programmes.named_live(name, since_ms, now.wall_ms)

    def play_of(self, session: Session) -> int | None:
        """The play that a session's segments are for, while it has the air."""
        holder = self.cues.on_air
        return holder.play if holder is not None and holder.session is session else None

    def follow(self, now: Instant, *, nobody_may_speak: bool) -> None:
        """What has the air leaves it when its time is over, or another session took its place."""
        airing = self.cues.on_air
        if airing is None or airing.session is None:
            return
        if now.wall_ms >= airing.session.until_ms + live.LOST_MS or nobody_may_speak:
            airing.stop_for_good(AsRunReason.TIME_LIMIT)
        elif self.lives.is_replaced(airing.session):
            airing.stop_for_good(AsRunReason.WITHDRAWN)

    def is_silent(self, airing: Airing, now: Instant) -> bool:
        """Tell whether nothing comes of a live relay at the moment, or nothing that could be told from what is old."""
        return airing.session is not None and not (now.trusted and airing.session.is_heard(now))

    def is_relayed(self, airing: Airing, now: Instant) -> bool:
        """Tell whether a live relay is there to be heard in the place of a slot: one that was told is not."""
        if (name := airing.cue.live) is None:
            return False
        relays = [one for one in self.cues.unended() if one.session is not None and one.session.newest.id == name]
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
        name = airing.session.newest.id
        return [one for one in self.cues.waiting.values() if one.cue.live == name and one.is_due(now)]
