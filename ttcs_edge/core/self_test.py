"""The self-test: a quiet pilot tone in each zone alone, at hours when nobody is disturbed, so that a broken line is
found before it is needed (EN 54-16 wants a fault of the critical path told within 100 s).

It airs like any sound, and knows no witness: whatever watches the sound of this station (``witness``) sees the pilot,
and tells what it finds by its own faults. So this only asks of each zone whether its sound was seen. The rules:

1. It is below everything else (air-1): it is begun only in silence, and no zone is when a cue is due within a minute.
   What takes the air from it ends it.
2. It needs trusted time, for it has its hours (air-7), and keeps to quiet hours unless told otherwise (air-5). What
   cannot be held within ``LATE_MS`` of its hour is told as skipped; what has no hour but comes every so often waits.
3. A zone that was seen is let go once a witness has heard a whole span of it; one that is doubted, or not seen, sounds
   for the whole ``tone_ms``. So a healthy station is soon through, and what is broken is told in the same test.
4. A pilot is nobody's message: it is no cue, leaves no record and writes nothing on the card while it sounds. The whole
   of a test is one entry of the audit trail, zone by zone.

The pilot goes up and down every two seconds, for lines are judged by how the power follows the sound (decision 41):
that is seen at a third of the level that a steady tone needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ttcs_edge.core import events
from ttcs_edge.core.air import PILOT
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
    SelfTest,
    StationSettings,
    WallMs,
)
from ttcs_edge.core.pilot import SEEN_MS
from ttcs_edge.core.programmes import Programmes
from ttcs_edge.core.reports import SelfTestState
from ttcs_edge.core.schedule import to_civil, to_ms
from ttcs_edge.core.zone_by_zone import ZoneByZone

SELF_TEST = "self-test"
"""What it is called where slots stand by their ids."""
SLOT = f"{STATION_PREFIX}{SELF_TEST}"
TITLE = "Tự thử / Self-test"
AHEAD_MS = 60_000
"""How long no cue may be due behind a zone."""
LATE_MS = 30 * 60_000
AGAIN_MS = 60_000
"""How soon one that could not begin tries again."""


@dataclass(slots=True)
class Pilots:
    """The self-test that goes on, the one that was last, and when the next is due."""

    settings: StationSettings
    boot: int
    desk: Desk
    pilot: AudioItem | None = None
    way: ZoneByZone | None = None
    began_ms: int = 0
    last: SelfTestState | None = None
    count: int = 0
    next_ms: int | None = None
    planned_at_ms: int = 0
    """When ``next_ms`` was reckoned: by a clock that was set back since, it is reckoned anew."""
    again_mono_ms: int = 0

    def remember(self, event: events.Started) -> None:
        """Take over what the installation brings."""
        self.pilot = event.pilot

    def begin(self, programmes: Programmes, now: Instant) -> SelfTestState | None:
        """Begin a test that is due; gives one that was due and is not held any more."""
        test = self.settings.self_test
        if test is None or self.pilot is None or self.way is not None or not now.trusted:
            return None
        if self.next_ms is None or now.wall_ms < self.planned_at_ms:
            self._plan(test, now)
        assert self.next_ms is not None
        if now.wall_ms < self.next_ms or now.mono_ms < self.again_mono_ms:
            return None
        hindrance = self._why_not(test, programmes, now)
        if test.at_minutes and now.wall_ms > self.next_ms + LATE_MS:
            self._plan(test, now)
            reason = hindrance or AsRunReason.TOO_LATE.value
            self.last = SelfTestState(WallMs(now.wall_ms), WallMs(now.wall_ms), (), reason)
            return self.last
        if hindrance is None:
            self.count += 1
            name = f"{self.boot}-{self.count}"
            self.way = ZoneByZone(self.settings.scope, SLOT, name, list(self.settings.zones))
            self.began_ms = now.wall_ms
            self._go_on(test, now)
        else:
            self.again_mono_ms = now.mono_ms + AGAIN_MS
        return None

    def closed(self, record: AsRun, programmes: Programmes, now: Instant, stopping: bool) -> SelfTestState | None:
        """A cue is over: of a test, the next zone has its turn; gives the test when it is over with it."""
        test, way = self.settings.self_test, self.way
        if test is None or way is None or not way.closed(record):
            return None
        if way.left and not stopping:
            reason = self._why_not(test, programmes, now)
            if reason is None:
                self._go_on(test, now)
                return None
            way.end(reason)
        way.end(AsRunReason.STOPPED.value)
        self.way = None
        self._plan(test, now)
        self.last = SelfTestState(WallMs(self.began_ms), WallMs(now.wall_ms), tuple(way.tested))
        return self.last

    def watch(self, now: Instant, doubted: bool) -> None:
        """Let a zone go that was seen, or of which is known that it is not; ``doubted``: somebody is not sure yet."""
        airing = self.desk.on_air
        if self.way is None or airing is None or airing.kind is not Kind.PILOT or airing.witnessed is None:
            return
        since_ms = airing.sounds_since_mono_ms
        seen = airing.witnessed and not doubted and since_ms is not None and now.mono_ms >= since_ms + SEEN_MS
        if seen or not airing.witnessed:
            airing.stop_for_good(AsRunReason.LET_GO)

    def wake_mono_ms(self, now: Instant) -> int | None:
        """When a test is due, or tried again."""
        if self.next_ms is None or self.way is not None or not now.trusted:
            return None
        return max(now.mono_ms + self.next_ms - now.wall_ms, self.again_mono_ms)

    def _why_not(self, test: SelfTest, programmes: Programmes, now: Instant) -> str | None:
        """Why no zone may be tested now."""
        if not self.desk.reach.player_up:
            return AsRunReason.PLAYER_DIED.value
        long_ms = test.tone_ms + AHEAD_MS
        return self.desk.why_no_test(programmes, long_ms, now, in_quiet_hours=test.in_quiet_hours)

    def _go_on(self, test: SelfTest, now: Instant) -> None:
        assert self.way is not None and self.pilot is not None
        zone = self.way.go_on()
        occurrence = self.way.occurrence
        assert occurrence is not None
        cue = Cue(
            occurrence=occurrence,
            title=f"{TITLE}: {zone.name}",
            planned_ms=WallMs(now.wall_ms),
            late_until_ms=WallMs(now.wall_ms),
            priority=(PILOT,),
            zones=(zone.id,),
            bulletins=(SELF_TEST,),
            items=(self.pilot,) * -(-test.tone_ms // self.pilot.duration_ms),
            volume_percent=test.level_percent,
            if_interrupted=IfInterrupted.DROP,
            programme_version=self.boot,
        )
        self.desk.cues.take(cue, Kind.PILOT, now, in_quiet_hours=test.in_quiet_hours)

    def _plan(self, test: SelfTest, now: Instant) -> None:
        """Reckon when the next one is due, after now."""
        self.planned_at_ms, self.again_mono_ms = now.wall_ms, 0
        if test.every_ms is not None:
            self.next_ms = now.wall_ms + test.every_ms
            return
        time_zone = self.settings.time_zone
        midnight = to_civil(now.wall_ms, time_zone).replace(hour=0, minute=0, second=0, microsecond=0)
        hours = [midnight + timedelta(days=day, minutes=one) for day in (0, 1, 2) for one in test.at_minutes]
        self.next_ms = min(ms for ms in (to_ms(hour, time_zone) for hour in hours) if ms > now.wall_ms)
