"""How long a cue that waits may still hope for the air, and why it is given up, by whose it is (air-6).

- That of a slot waits half an hour for another one to leave the air, a moment for what it lacks itself, and then for as
  long as its window allows.
- That of an alert waits until its next round or half an hour, and needs neither time nor a quiet-free hour.
- A test tone or a pilot gives way to everything, and does not come back.
- A talk waits for as long as its key is down, a live relay for as long as something may come of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ttcs_edge.core.alerts import TONE_MOST_MS
from ttcs_edge.core.asrun import Airing, Kind
from ttcs_edge.core.cues import Cues
from ttcs_edge.core.drills import ACTUAL
from ttcs_edge.core.model import AsRunReason, Instant
from ttcs_edge.core.programmes import Programmes
from ttcs_edge.core.reach import Reach
from ttcs_edge.core.relaying import Relaying
from ttcs_edge.core.rows import Rows

GRACE_MS = 3_000
"""How long a cue that should sound may stay silent for want of audio or player before it is missed."""
QUEUE_LIMIT_MS = 30 * 60_000
"""How long a cue may wait for another one to leave the air."""
TESTS = (Kind.TEST, Kind.PILOT)


@dataclass(slots=True)
class Patience:
    """What is asked of each cue that waits. The station could look after none before it started
    (``started_mono_ms``), and after none of a slot before it knew the time (``trusted_since_mono_ms``).
    """

    cues: Cues
    reach: Reach
    rows: Rows
    relaying: Relaying
    started_mono_ms: int = 0
    trusted_since_mono_ms: int | None = None

    def why_hopeless(self, airing: Airing, programmes: Programmes, now: Instant) -> AsRunReason | None:
        """Tell why a cue will not air any more; None while it still may."""
        return _HOPELESS[airing.kind](self, airing, programmes, now)

    def absence(self, airing: Airing, now: Instant) -> AsRunReason | None:
        """Tell why nobody could look after a cue at its instant; None when the station could."""
        if airing.has_sounded:
            return None
        planned_mono_ms = now.mono_ms - (now.wall_ms - airing.cue.planned_ms)
        if planned_mono_ms < self.started_mono_ms:
            return AsRunReason.POWER
        if planned_mono_ms < (self.trusted_since_mono_ms or 0):
            return AsRunReason.NO_TIME
        return None

    def _slot(self, airing: Airing, programmes: Programmes, now: Instant) -> AsRunReason | None:
        if not now.trusted or not (airing.is_due(now) or airing.has_sounded):
            return None
        cue = airing.cue
        absence = self.absence(airing, now)
        if programmes.is_quiet(now.wall_ms):
            return absence or AsRunReason.QUIET_HOURS
        if not cue.zones:
            return AsRunReason.NO_ZONE
        if airing.has_sounded and airing.expires_before_its_end(now):
            return AsRunReason.EXPIRED
        if self.relaying.is_relayed(airing, now):
            airing.queued_ms = now.wall_ms
            return None
        blocked = self.cues.is_blocked(airing)
        on_its_way = self.cues.claimed == cue.occurrence and not airing.has_sounded and not blocked
        # A way up that began in time may end behind it.
        begins_ms = airing.begun_ms if on_its_way and airing.begun_ms is not None else now.wall_ms
        if begins_ms <= max(deadline_ms(airing, blocked), cue.late_until_ms):
            airing.in_time = True
            airing.hindered = self.reach.hindrance(airing) or airing.hindered
            return None
        if absence is not None:
            return absence
        if not airing.in_time:  # whatever else it lacks: nobody saw its time while that lasted
            return AsRunReason.TOO_LATE
        hindrance = self.reach.hindrance(airing) or self.reach.pre_emption(airing)
        return hindrance or airing.hindered or AsRunReason.TOO_LATE

    def _alert(self, airing: Airing, programmes: Programmes, now: Instant) -> AsRunReason | None:
        assert airing.warning is not None
        alerts = self.rows.alerts
        if not airing.cue.zones:
            return AsRunReason.NO_ZONE
        patient = now.mono_ms <= airing.taken_mono_ms + _alert_waits_ms(airing)
        if patient and alerts.is_of_newest_round(airing.warning) and alerts.may_come(airing.warning):
            return None
        if (reason := self.reach.hindrance(airing) or self.reach.pre_emption(airing)) is not None:
            return reason
        behind = AsRunReason.PRE_EMPTED  # others of its row were to be heard first
        return airing.hindered or self.rows.announced.get(airing.warning.row) or behind

    def _test(self, airing: Airing, programmes: Programmes, now: Instant) -> AsRunReason | None:
        if programmes.is_quiet(now.wall_ms) and not airing.in_quiet_hours:
            return AsRunReason.QUIET_HOURS
        if self.reach.is_saved(airing):
            return AsRunReason.POWER_SAVED
        if (lost := self.reach.pre_emption(airing)) is not None and not self._waits_for_pilot(airing):
            return lost
        patient = now.mono_ms <= airing.taken_mono_ms + self._test_waits_ms
        return None if patient else self.reach.hindrance(airing) or AsRunReason.TOO_LATE

    def _waits_for_pilot(self, airing: Airing) -> bool:
        """Tell whether nothing but a pilot keeps a test tone from the air: it gives way to it."""
        other = self.cues.on_air or self.cues.coming()
        is_pilot = other is not None and other.kind is Kind.PILOT
        return is_pilot and airing.kind is Kind.TEST and not airing.has_sounded and not self.cues.mutes(airing)

    def _talk(self, airing: Airing, programmes: Programmes, now: Instant) -> AsRunReason | None:
        return AsRunReason.QUIET_HOURS if self.reach.is_too_quiet_for(airing, programmes, now) else None

    def _live(self, airing: Airing, programmes: Programmes, now: Instant) -> AsRunReason | None:
        session = airing.session
        assert session is not None
        if not airing.cue.zones:
            return AsRunReason.NO_ZONE
        if self.reach.is_too_quiet_for(airing, programmes, now):
            return AsRunReason.QUIET_HOURS
        if (ended := self.relaying.why_ended(session)) is not None:
            return ended
        if session.is_gone(now) or now.wall_ms >= session.until_ms:
            return self.reach.hindrance(airing) or self.reach.blockage(airing) or AsRunReason.LIVE_LOST
        return None

    # when it ends by time alone

    def turning_points(self, airing: Airing, now: Instant) -> Iterator[int]:
        """When something changes for a cue of a slot, by the clock."""
        cue = airing.cue
        lead_ms = self.reach.playout.lead_ms(self.reach.zones_of(airing), now.mono_ms)
        points = (
            cue.planned_ms - lead_ms,
            cue.planned_ms,
            cue.late_until_ms + 1,
            now.wall_ms - now.mono_ms + (airing.interrupted.mono_ms if airing.interrupted else 0) + GRACE_MS,
            deadline_ms(airing, True) + 1,
            deadline_ms(airing, False) + 1,
        )
        return (point for point in points if point > now.wall_ms)

    def ends_mono_ms(self) -> list[int]:
        """When the patience with what needs no clock is over."""
        waiting = self.cues.waiting.values()
        warnings = [one.taken_mono_ms + _alert_waits_ms(one) + 1 for one in waiting if one.kind is Kind.ALERT]
        return warnings + [one.taken_mono_ms + self._test_waits_ms + 1 for one in waiting if one.kind in TESTS]

    @property
    def _test_waits_ms(self) -> int:
        return self.reach.playout.cold_lead_ms + GRACE_MS


def _alert_waits_ms(airing: Airing) -> int:
    """How long a cue of an alert waits. A drill shows what is there in time: it waits for nothing longer than the
    tone would.
    """
    assert airing.warning is not None
    is_drill = airing.warning.alert.status != ACTUAL
    return TONE_MOST_MS if is_drill and not airing.cue.items else QUEUE_LIMIT_MS


def deadline_ms(airing: Airing, blocked: bool) -> int:
    """When a cue of a slot is given up, if its window does not allow more."""
    since_ms = airing.interrupted.wall_ms if airing.interrupted else airing.cue.planned_ms
    if blocked or airing.has_sounded:
        return since_ms + QUEUE_LIMIT_MS
    return max(since_ms, min(airing.queued_ms, since_ms + QUEUE_LIMIT_MS)) + GRACE_MS


_HOPELESS: dict[Kind, Callable[[Patience, Airing, Programmes, Instant], AsRunReason | None]] = {
    Kind.SLOT: Patience._slot,
    Kind.ALERT: Patience._alert,
    Kind.TEST: Patience._test,
    Kind.PILOT: Patience._test,
    Kind.TALK: Patience._talk,
    Kind.LIVE: Patience._live,
}
