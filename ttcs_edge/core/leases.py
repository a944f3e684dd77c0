"""A lease: somebody at the station has zones for a while, by ``ttcs-edge test-tone`` or ``ttcs-edge relay``.

A tone and a relay that is held closed are one thing: a test in some zones, of so many seconds, of which either the
tone is heard or nothing. It goes the way of every other sound, so the one machine for amplifier, zones and sound
switches for it as it does for a bulletin (air-4). The rules:

1. It is begun only where a test could be, for its whole length: nothing is on the air, and nothing is due before it
   would be over. A tone in quiet hours is only where who stands there said so; silence disturbs nobody (air-5).
2. Everything else takes the air from it, but for a self-test, which gives way (air-1). Then it is over.
3. It is over with its sound, too, and that is no longer than was asked for; when that is not told in time, by this
   module's own count (``OVERTIME_MS``); and once whoever asked for it is gone (``LeaseLeft``).
4. It is begun ``LEASES_MOST`` times in an hour: each is an entry of the audit trail, and one of the as-run log
   (never-8).
5. Nothing of it outlives a restart.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from ttcs_edge.core import events
from ttcs_edge.core.air import TEST
from ttcs_edge.core.asrun import Kind
from ttcs_edge.core.desk import Desk
from ttcs_edge.core.model import (
    STATION_PREFIX,
    AsRun,
    AsRunReason,
    AudioItem,
    Cue,
    IfInterrupted,
    Instant,
    Occurrence,
    StationSettings,
    Zone,
    ZoneId,
)
from ttcs_edge.core.programmes import Programmes
from ttcs_edge.core.reports import LeaseState

TONE, RELAY = "tone", "relay"
"""What it is called where slots stand by their ids."""
TITLES = {TONE: "Âm thử / Test tone", RELAY: "Đóng rơ-le / Relay held closed"}
LEASES_MOST = 60
"""How many are begun in an hour."""
HOUR_MS = 3_600_000
OVERTIME_MS = 2_000
"""How much longer than its length it may sound: a player that does not come to an end must not hold a relay closed."""


@dataclass(slots=True)
class Lease:
    """One lease, and what became of it."""

    number: int
    cue: Cue
    kind: str
    length_ms: int
    is_over: bool = False
    ended: str | None = None

    def holds(self, zone: ZoneId) -> bool:
        """Tell whether it holds a relay closed in silence."""
        return self.kind == RELAY and zone in self.cue.zones


@dataclass(slots=True)
class Leases:
    """The lease that goes on, or the one that was last."""

    settings: StationSettings
    boot: int
    desk: Desk
    test_tone: AudioItem | None = None
    silence: AudioItem | None = None
    last: Lease | None = None
    begun_mono_ms: deque[int] = field(default_factory=lambda: deque(maxlen=LEASES_MOST))
    refused: dict[int, str] = field(default_factory=dict)
    """Why those that were asked for last were not begun."""

    def remember(self, event: events.Started) -> None:
        """Take over what the installation brings."""
        self.test_tone, self.silence = event.test_tone, event.silence

    @property
    def going_on(self) -> Lease | None:
        """The lease that is not over."""
        return None if self.last is None or self.last.is_over else self.last

    def ask(self, event: events.LeaseAsked, programmes: Programmes, now: Instant) -> bool:
        """Somebody wants one; tell whether it is begun."""
        zones = tuple(zone for zone in self.settings.zones if not event.zones or zone.id in event.zones)
        item = self.silence if event.silent else self.test_tone
        refused = self._why_not(event, zones, item, programmes, now)
        if refused is not None:
            self.refused = dict([*self.refused.items(), (event.number, refused)][-LEASES_MOST:])
            return False
        assert item is not None
        self.begun_mono_ms.append(now.mono_ms)
        kind = RELAY if event.silent else TONE
        cue = self._cue(event, kind, zones, item, now)
        self.last = Lease(event.number, cue, kind, cue.duration_ms)
        self.desk.cues.take(cue, Kind.TEST, now, in_quiet_hours=event.silent or event.in_quiet_hours)
        return True

    def _why_not(
        self,
        event: events.LeaseAsked,
        zones: tuple[Zone, ...],
        item: AudioItem | None,
        programmes: Programmes,
        now: Instant,
    ) -> str | None:
        if item is None:
            return AsRunReason.NO_AUDIO.value
        if not zones:
            return "unknown-zone"
        turns = len(zones) if self.settings.supplies else 1
        in_quiet_hours = event.silent or event.in_quiet_hours
        hindrance = self.desk.why_no_test(programmes, turns * event.length_ms, now, in_quiet_hours=in_quiet_hours)
        if hindrance is not None:
            return hindrance
        if not self.desk.reach.player_up:
            return AsRunReason.PLAYER_DIED.value
        full = len(self.begun_mono_ms) == LEASES_MOST
        return "too-often" if full and now.mono_ms < self.begun_mono_ms[0] + HOUR_MS else None

    def _cue(self, event: events.LeaseAsked, kind: str, zones: tuple[Zone, ...], item: AudioItem, now: Instant) -> Cue:
        return Cue(
            occurrence=Occurrence(self.settings.scope, f"{STATION_PREFIX}{kind}", f"{self.boot}-{event.number}"),
            title=f"{TITLES[kind]}: {', '.join(zone.name for zone in zones)}",
            planned_ms=now.wall_ms,
            late_until_ms=now.wall_ms,
            priority=(TEST,),
            zones=tuple(zone.id for zone in zones),
            bulletins=(kind,),
            items=(item,) * max(1, event.length_ms // item.duration_ms),
            volume_percent=min(zone.volume_percent for zone in zones),
            if_interrupted=IfInterrupted.DROP,
            programme_version=event.number,
        )

    def stop(self, number: int, reason: AsRunReason, now: Instant) -> None:
        """Whoever asked for it has had enough, or is gone, or it is over its time."""
        lease = self.going_on
        if lease is not None and lease.number == number:
            self.desk.endings.withdraw(lease.cue.occurrence, now, reason)

    def watch(self, now: Instant) -> None:
        """What does not end by itself in time is ended."""
        until_mono_ms = self._until_mono_ms
        if self.last is not None and until_mono_ms is not None and now.mono_ms >= until_mono_ms:
            self.stop(self.last.number, AsRunReason.TIME_LIMIT, now)

    def wake_mono_ms(self, now: Instant) -> int | None:
        """When ``watch`` has something to end."""
        until_mono_ms = self._until_mono_ms
        return until_mono_ms if until_mono_ms is not None and until_mono_ms > now.mono_ms else None

    @property
    def _until_mono_ms(self) -> int | None:
        """Until when it may have the air; None while it has not got it."""
        lease, airing = self.going_on, self.desk.on_air
        if lease is None or airing is None or airing.cue.occurrence != lease.cue.occurrence:
            return None
        since_mono_ms = airing.sounds_since_mono_ms
        return None if since_mono_ms is None else since_mono_ms + lease.length_ms + OVERTIME_MS

    def closed(self, record: AsRun) -> None:
        """A cue is over."""
        lease = self.going_on
        if lease is not None and record.occurrence == lease.cue.occurrence:
            lease.is_over, lease.ended = True, None if record.reason is None else record.reason.value

    def state(self, number: int, now: Instant) -> LeaseState | None:
        """How far a lease has come; None when there was no such lease, or it was not begun (``refused``)."""
        lease = self.last
        if lease is None or lease.number != number:
            return None
        airing = self.desk.on_air
        mine = airing is not None and airing.cue.occurrence == lease.cue.occurrence
        since_mono_ms = airing.sounds_since_mono_ms if airing is not None and mine else None
        gone_ms = 0 if since_mono_ms is None else now.mono_ms - since_mono_ms
        left_ms = 0 if lease.is_over else max(0, lease.length_ms - gone_ms)
        return LeaseState(
            number, lease.kind, lease.is_over, lease.ended, lease.cue.zones, since_mono_ms is not None, left_ms
        )
