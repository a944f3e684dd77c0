"""Signed live relays: which sessions there are, what of them was heard last, and when a slot may count on one.

A session is a row of signed segments under one id of one scope; each tells its title, its zones and until when it may
last, so a station that comes in the middle knows all that it needs. What comes late is worth nothing: a segment is
played now or not at all, and only the last two seconds are kept, for the moment at which the way to the zones is open.

A slot that names a live relay (``Slot.live``) is its place in the schedule: a session of that id is heard from the
instant of such a slot on, and the slot's own bulletins are heard where the session does not start or falls silent. A
session that no slot names is heard at once. Either has the air by its priority, before a bulletin of the same one:
bulletins can wait, what is said now cannot.

Nothing of a session is kept over a restart: one that speaks on is taken anew, unless it was told as over (never-5).
What was said before the station began is not heard, whoever sends it again (never-6).

A session has one voice: all of it is signed by the same keys, enough of them. So it is over as a whole once they may
not speak any more, with all that waits to be heard, and whoever else has a key speaks in a session of his own.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from msgspec.structs import replace

from ttcs_edge.core import events, trust
from ttcs_edge.core.air import BULLETIN
from ttcs_edge.core.documents import LiveSegment, Refused, Signed, TrustRoot
from ttcs_edge.core.library import zones_of
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import (
    LIVE_PREFIX,
    Cue,
    IfInterrupted,
    Inlet,
    Instant,
    Occurrence,
    StationSettings,
    WallMs,
    Way,
)
from ttcs_edge.core.trust import live_subject, utc_ms

LOST_MS = 3_000
"""A session of which nothing came for so long has fallen silent. The player says the same of what it is fed."""
GONE_MS = 600_000
"""A session of which nothing came for so long does not come back, and a slot waits for none that begins so late."""
KEPT_MS = 2_000
PACKET_MS = 20
PATIENCE_MS = 3_000
"""How long there may be silence where a slot waits for its live relay to start, before its own bulletins are heard."""

Key = tuple[str, str]
"""Scope and id."""


@dataclass(slots=True)
class Session:
    """The newest segment of a session, with the signatures of those who signed all of it, when it came, and what came
    last and was not played. ``ended`` once its last one came.
    """

    signed: Signed[LiveSegment]
    heard_mono_ms: int
    ended: bool = False
    kept: deque[LiveSegment] = field(default_factory=deque)

    @property
    def newest(self) -> LiveSegment:
        """Its newest segment."""
        return self.signed.document

    @property
    def until_ms(self) -> int:
        """When it is over at the latest."""
        return utc_ms(self.newest.until)

    @property
    def leaves_ms(self) -> int:
        """When it leaves the air at the latest: its last segment may be on its way."""
        return self.until_ms + LOST_MS

    @property
    def name(self) -> str:
        """What slots call it."""
        return self.newest.id

    @property
    def subject(self) -> str:
        """What faults and records call it."""
        return live_subject(self.newest.scope, self.newest.id)

    def add(self, signed: Signed[LiveSegment], now: Instant) -> None:
        """The next segment came."""
        segment = signed.document
        self.signed = replace(signed, signers=signed.signers & self.signed.signers)
        self.heard_mono_ms = now.mono_ms
        self.ended = self.ended or segment.last
        self.kept.append(segment)
        while sum(len(one.packets) for one in self.kept) * PACKET_MS > KEPT_MS and len(self.kept) > 1:
            self.kept.popleft()

    def take(self, now: Instant) -> list[LiveSegment]:
        """What came and was not taken yet, as far as it is worth anything: nothing of it is heard twice."""
        kept = [segment for segment in self.kept if utc_ms(segment.expires) > now.wall_ms]
        self.kept.clear()
        return kept

    def is_heard(self, now: Instant) -> bool:
        """Tell whether there is anything to be heard of it now."""
        return not self.ended and now.mono_ms <= self.heard_mono_ms + LOST_MS

    def is_gone(self, now: Instant) -> bool:
        """Tell whether nothing will come of it any more."""
        return self.ended or now.mono_ms > self.heard_mono_ms + GONE_MS


@dataclass(slots=True)
class Lives:
    """The sessions that are known, the newest of each id."""

    settings: StationSettings
    sessions: dict[Key, Session] = field(default_factory=dict)
    began_mono_ms: int = 0

    def remember(self, now: Instant) -> None:
        """A life of the station begins: of those before nothing is known."""
        self.began_mono_ms = now.mono_ms

    def judge(self, event: events.LiveArrived, root: TrustRoot, now: Instant) -> Refused | Session | None:
        """Decide on a segment that arrived; gives the session that it belongs to when it is accepted, None when it came
        before.
        """
        if isinstance(event.segment, Refused):
            return event.segment
        known = self.sessions.get(event.topic)
        judged = trust.judge_live(
            event.segment,
            trust=root,
            topic=event.topic,
            station_scope=self.settings.scope,
            known=None if known is None else (known.newest.version, known.newest.number),
            voice=frozenset() if known is None else known.signed.signers,
            now=now,
        )
        if isinstance(judged, Refused):
            return judged
        if isinstance(judged, trust.AlreadyInForce):
            return None
        segment = event.segment.document
        if utc_ms(segment.sent) < self._began_ms(now):
            return None
        if known is None or known.newest.version != segment.version:
            self._forget_gone(now)
            if known is None and len(self.sessions) >= LIMITS.live_sessions:
                wanted = (("expected", f"<= {LIMITS.live_sessions}"),)
                return Refused("too-many-live", live_subject(*event.topic), wanted)
            known = self.sessions[event.topic] = Session(event.segment, now.mono_ms)
        known.add(event.segment, now)
        return known

    def take_root(self, root: TrustRoot) -> None:
        """Another trust root is in force: what nobody says any more who may is no session."""
        self.sessions = {
            key: one for key, one in self.sessions.items() if trust.is_still_signed(one.signed, root, "live")
        }

    def _began_ms(self, now: Instant) -> int:
        """When this life of the station began, in whole seconds, as segments tell the time."""
        return (now.wall_ms - (now.mono_ms - self.began_mono_ms)) // 1_000 * 1_000

    def _forget_gone(self, now: Instant) -> None:
        """What is gone must be known only for as long as its segments could be sent again."""
        gone = [key for key, one in self.sessions.items() if now.mono_ms > one.heard_mono_ms + GONE_MS]
        for key in gone:
            del self.sessions[key]

    def is_replaced(self, session: Session) -> bool:
        """Tell whether a newer session of the same id is there."""
        return self.sessions.get((session.newest.scope, session.newest.id)) is not session

    def wake_mono_ms(self, now: Instant) -> int | None:
        """When a session changes by time alone."""
        turns: list[int] = []
        for session in self.sessions.values():
            until_mono_ms = now.mono_ms + session.until_ms - now.wall_ms
            turns += [session.heard_mono_ms + LOST_MS + 1, session.heard_mono_ms + GONE_MS + 1]
            turns += [until_mono_ms, until_mono_ms + LOST_MS]
        return min((at_ms for at_ms in turns if at_ms > now.mono_ms), default=None)


def occurrence_of(segment: LiveSegment) -> Occurrence:
    """The identity of a session on the air."""
    return Occurrence(segment.scope, f"{LIVE_PREFIX}{segment.id}", str(segment.version))


def cue_of(segment: LiveSegment, settings: StationSettings, now: Instant) -> Cue:
    """A session as something to be aired from now until its end."""
    zones = zones_of(segment, settings)
    return Cue(
        occurrence=occurrence_of(segment),
        title=segment.title,
        planned_ms=now.wall_ms,
        late_until_ms=WallMs(utc_ms(segment.until)),
        priority=(BULLETIN, segment.priority, 1),
        zones=tuple(zone.id for zone in zones),
        bulletins=(),
        items=(),
        volume_percent=min((zone.volume_percent for zone in zones), default=0),
        if_interrupted=IfInterrupted.RESUME,
        programme_version=segment.version,
        inlet=Inlet(Way.LIVE, max(0, utc_ms(segment.until) - now.wall_ms)),
    )
