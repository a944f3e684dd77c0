"""Beacons: what time it is at least, and what time it is.

1 ``issued`` of a good beacon is past: the time is at least that, however the beacon came.
2 A beacon that stood retained, or waited in a queue, may be of any age: it never tells what time it is.
3 One that came live tells the time only together with a live one before it on the same scope, at least ``APART_MS``
  earlier: the centre's clock must have gone on between the two as the station's own did, within ``PACE_MS``. What a
  broker, a modem or a session held back and then let go comes in a burst, and does not keep that pace.
4 A way through the network only ever takes time, so of the two the one that gives the later time is right.
5 A beacon tells nothing any more once the key that signed it is revoked: the next one needs another one before it.

What this cannot see: a broker that lies from the first beacon on, and holds every one back by the same span. A station
without any other clock is then late by that span. It never airs twice for it nor goes back behind what it knows (rule
1 holds over restarts, by the floor of the clock). Whoever can do that can as well cut the link; a clock of the
station's own (NTP, a battery clock) comes before what beacons tell.

The newest version of a scope is a floor (never-6). It goes to disk with whatever else goes there, and by itself at
most every ``SAVE_MS``: a card outlives no write a minute. After a death a beacon of that last span could be shown
again; by rules 2 and 3 it tells nothing that is not past.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec import Struct

from ttcs_edge.core import events, trust
from ttcs_edge.core.documents import Beacon, Refused, Signed, TrustRoot
from ttcs_edge.core.effects import FloorRaised, SetSignedTime
from ttcs_edge.core.floors import Floors
from ttcs_edge.core.model import Instant, MonoMs, Scope, StationSettings, WallMs

PACE_MS = 5_000
"""How far two live beacons may disagree: whole seconds, a slow link, the drift of a clock over a day."""
APART_MS = 10_000
"""How far apart two beacons must come: two that are let go together agree about anything."""
SAVE_MS = 6 * 3_600_000


def beacon_subject(scope: str) -> str:
    """What faults and floors call the beacon of a scope."""
    return f"beacon:{scope}"


class Verdict(Struct, frozen=True):
    """What came of a beacon: accepted, refused, or (neither) known already; ``time`` when it tells the time."""

    accepted: Signed[Beacon] | None = None
    refused: Refused | None = None
    time: SetSignedTime | None = None


class Measure(Struct, frozen=True):
    """A beacon that came live: what it makes of wall minus monotonic clock, and when it came."""

    signed: Signed[Beacon]
    offset_ms: int
    came_mono_ms: MonoMs


@dataclass(slots=True)
class Beacons:
    """What was heard of each scope: the ``newest`` beacon that is believed, and in ``measures`` the live one that the
    next one must keep pace with.
    """

    settings: StationSettings
    floors: Floors = field(default_factory=Floors)
    measures: dict[Scope, Measure] = field(default_factory=dict)
    newest: dict[Scope, Signed[Beacon]] = field(default_factory=dict)
    unsaved: dict[str, int] = field(default_factory=dict)
    save_mono_ms: int | None = None

    def remember(self, event: events.Started) -> None:
        """Take over the floors that the store remembers."""
        self.floors = Floors(dict(event.floors))

    def judge(self, event: events.BeaconArrived, root: TrustRoot, now: Instant) -> Verdict:
        """Decide on a beacon that arrived."""
        if isinstance(event.beacon, Refused):
            return Verdict(refused=event.beacon)
        subject, keys = beacon_subject(event.topic_scope), trust.counted(root, "beacon", event.beacon.document.scope)
        judged = trust.judge_beacon(
            event.beacon,
            trust=root,
            topic_scope=event.topic_scope,
            station_scope=self.settings.scope,
            floor=self.floors.of(subject, keys),
            live=event.live,
            now=now,
        )
        if isinstance(judged, Refused):
            return Verdict(refused=judged)
        if isinstance(judged, trust.AlreadyInForce):
            return Verdict()
        beacon = event.beacon.document
        raised = self.floors.raise_(subject, beacon.version, event.beacon.signers & keys)
        self.unsaved |= {one.name: one.version for one in raised}
        self.newest[beacon.scope] = event.beacon
        return Verdict(event.beacon, time=self._time(event.beacon, event.came_mono_ms) if event.live else None)

    def take_root(self, root: TrustRoot) -> list[Scope]:
        """Another trust root is in force: forget the beacons that nobody who may has signed, and give the scopes of
        which the newest is among them.
        """
        stands: Callable[[Signed[Beacon]], bool] = lambda one: trust.is_still_signed(one, root, "beacon")  # noqa: E731
        self.measures = {scope: one for scope, one in self.measures.items() if stands(one.signed)}
        gone = [scope for scope, one in self.newest.items() if not stands(one)]
        for scope in gone:
            del self.newest[scope]
        return gone

    def _time(self, signed: Signed[Beacon], came_mono_ms: MonoMs) -> SetSignedTime | None:
        beacon, before = signed.document, self.measures.get(signed.document.scope)
        measure = Measure(signed, trust.utc_ms(beacon.issued) - came_mono_ms, came_mono_ms)
        if before is None or abs(measure.offset_ms - before.offset_ms) > PACE_MS:
            self.measures[beacon.scope] = measure
            return None
        if came_mono_ms - before.came_mono_ms < APART_MS:
            return None
        self.measures[beacon.scope] = measure
        return SetSignedTime(WallMs(max(measure.offset_ms, before.offset_ms) + came_mono_ms), came_mono_ms)

    def save(self, mono_ms: int, *, others: bool) -> list[FloorRaised]:
        """Give the floors that are to go to disk now; ``others`` tells that something else goes there anyway."""
        if self.save_mono_ms is None:
            self.save_mono_ms = mono_ms + SAVE_MS
        if not self.unsaved or not (others or mono_ms >= self.save_mono_ms):
            return []
        self.save_mono_ms = mono_ms + SAVE_MS
        raised = [FloorRaised(name, version) for name, version in self.unsaved.items()]
        self.unsaved.clear()
        return raised
