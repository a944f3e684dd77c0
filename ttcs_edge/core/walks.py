"""The test-tone walk: one zone after the other is closed alone, sounds the test tone, and says its name aloud.

A technician asks for it at the station, or the centre by a command. Who stands below a loudspeaker, or telephones with
somebody who does, hears which one is which. The rules:

1. It is begun only where a test tone could be, for its whole length: nothing is on the air, and nothing is due before
   it would be over. In quiet hours it is only where who stands there said so; the centre never does (air-5).
2. Everything else takes the air from it, but for a self-test, which gives way (air-1). Then it is over.
3. It is over, too, once whoever asked for it is gone (``WalkLeft``): nobody hears any more what it says.
4. However often it is asked for, it is begun ``WALKS_MOST`` times in an hour: each is an entry of the audit trail, and
   each of its zones one of the as-run log (never-8).

Meanwhile the energy meter is read, and what the tone adds in each zone is told as the config calls it (``tone_w``).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import fmean

from msgspec.structs import replace

from ttcs_edge.core import events
from ttcs_edge.core.air import TEST
from ttcs_edge.core.asrun import Kind
from ttcs_edge.core.desk import AIR_TAKEN, Desk
from ttcs_edge.core.model import (
    COMMAND_PREFIX,
    STATION_PREFIX,
    AsRun,
    AsRunReason,
    AudioItem,
    Cue,
    IfInterrupted,
    Instant,
    LocalUser,
    MeterReading,
    Scope,
    StationSettings,
    Zone,
    ZoneId,
)
from ttcs_edge.core.programmes import Programmes
from ttcs_edge.core.reports import WalkState, ZoneTested, ZoneWalked
from ttcs_edge.core.speech import Speech
from ttcs_edge.core.witness import OPEN_SHARE, SEEN_LEAST_W, SETTLED_MS, MeterWitness, least_w, tone_share
from ttcs_edge.core.zone_by_zone import BAD, GOOD, NOT_SEEN, UNTOLD, ZoneByZone
from ttcs_edge.core.zone_names import name_of

WALK = "walk"
"""What it is called where slots stand by their ids."""
TITLE = "Thử cụm loa / Zone test"
WALKS_MOST = 12
"""How many are begun in an hour."""
HOUR_MS = 3_600_000
MEASURES_LEAST = 2
"""How many readings of the tone tell what it adds."""
FRESH_MS = 60_000
"""How long before a walk silence may have been measured to be that of the walk."""
SHARE_LEAST = 0.05
"""How much of what it adds at full volume the tone must add for anything to be reckoned from it."""
SWITCHING, TONE, NAME, WAITS = "switching", "tone", "name", "waits"
"""What happens to a zone before anything came of it."""


@dataclass(slots=True)
class Measured:
    """What the energy meter told while the tone was heard in a zone, and how loud that was."""

    watts: list[float] = field(default_factory=list)
    rms_db: float | None = None


@dataclass(slots=True)
class Walk:
    """One walk, and who asked for it."""

    number: int
    way: ZoneByZone
    by: LocalUser | None
    tone_ms: int
    in_quiet_hours: bool
    began_mono_ms: int
    measured: dict[ZoneId, Measured] = field(default_factory=dict)
    ended_mono_ms: int | None = None


@dataclass(slots=True)
class Walks:
    """The walk that goes on, or the one that was last."""

    settings: StationSettings
    boot: int
    desk: Desk
    speech: Speech
    meter: MeterWitness
    test_tone: AudioItem | None = None
    last: Walk | None = None
    begun_mono_ms: deque[int] = field(default_factory=lambda: deque(maxlen=WALKS_MOST))
    refused: dict[int, str] = field(default_factory=dict)
    """Why those that were asked for last were not begun."""

    def remember(self, event: events.Started) -> None:
        """Take over what the installation brings."""
        self.test_tone = event.test_tone

    @property
    def going_on(self) -> Walk | None:
        """The walk that is not over."""
        return None if self.last is None or self.last.way.is_over else self.last

    # what is asked

    def ask(self, event: events.WalkAsked, programmes: Programmes, now: Instant) -> bool:
        """Whoever stands at the station wants one; tell whether it is begun."""
        name = f"{self.boot}-{event.number}"
        zones = tuple(zone for zone in self.settings.zones if not event.zones or zone.id in event.zones)
        walk = Walk(
            event.number,
            ZoneByZone(self.settings.scope, f"{STATION_PREFIX}{WALK}", name, list(zones)),
            event.by,
            event.tone_ms,
            event.in_quiet_hours,
            now.mono_ms,
        )
        refused = self._begin(walk, programmes, now)
        if refused is not None:
            self.refused = dict([*self.refused.items(), (event.number, refused)][-WALKS_MOST:])
        return refused is None

    def order(self, scope: Scope, version: int, tone_ms: int, programmes: Programmes, now: Instant) -> str | None:
        """The centre wants one, by a command; gives why not."""
        way = ZoneByZone(scope, f"{COMMAND_PREFIX}{WALK}", str(version), list(self.settings.zones))
        return self._begin(Walk(version, way, None, tone_ms, False, now.mono_ms), programmes, now)

    def _begin(self, walk: Walk, programmes: Programmes, now: Instant) -> str | None:
        if self.test_tone is None:
            return AsRunReason.NO_AUDIO.value
        if not walk.way.left:
            return "unknown-zone"
        if self.going_on is not None:
            return AIR_TAKEN
        long_ms = self._length_ms(walk)
        hindrance = self.desk.why_no_test(programmes, long_ms, now, in_quiet_hours=walk.in_quiet_hours)
        if hindrance is not None:
            return hindrance
        if not self.desk.reach.player_up:
            return AsRunReason.PLAYER_DIED.value
        full = len(self.begun_mono_ms) == WALKS_MOST
        if full and now.mono_ms < self.begun_mono_ms[0] + HOUR_MS:
            return "too-often"
        self.begun_mono_ms.append(now.mono_ms)
        self.last = walk
        self.desk.cues.alerts.speak_standing(now.mono_ms)
        self._go_on(walk, now)
        return None

    def stop(self, number: int, reason: AsRunReason, now: Instant) -> None:
        """Whoever asked for it has had enough, or is gone, or may not ask any more."""
        walk = self.going_on
        if walk is None or walk.number != number:
            return
        walk.way.end(reason.value)
        if walk.way.occurrence is not None:
            self.desk.endings.withdraw(walk.way.occurrence, now, reason)

    def is_over(self, number: int) -> bool:
        """Tell whether nothing more will be heard of a walk."""
        return self.going_on is None or self.going_on.number != number

    # what becomes of it

    def closed(self, record: AsRun, programmes: Programmes, now: Instant, stopping: bool) -> None:
        """A cue is over: of a walk, the next zone has its turn."""
        walk = self.going_on
        if walk is None or not walk.way.closed(record):
            return
        if stopping:
            walk.way.end(AsRunReason.STOPPED.value)
        if walk.way.left:
            long_ms = self._length_ms(walk)
            reason = self.desk.why_no_test(programmes, long_ms, now, in_quiet_hours=walk.in_quiet_hours)
            if reason is None:
                self._go_on(walk, now)
            else:
                walk.way.end(reason)
        if walk.way.is_over:
            walk.ended_mono_ms = now.mono_ms

    def _go_on(self, walk: Walk, now: Instant) -> None:
        zone = walk.way.go_on()
        walk.measured[zone.id] = Measured()
        items, occurrence = self._items(walk, zone), walk.way.occurrence
        assert occurrence is not None
        cue = Cue(
            occurrence=occurrence,
            title=f"{TITLE}: {zone.name}",
            planned_ms=now.wall_ms,
            late_until_ms=now.wall_ms,
            priority=(TEST,),
            zones=(zone.id,),
            bulletins=(WALK,),
            items=items,
            volume_percent=zone.volume_percent,
            if_interrupted=IfInterrupted.DROP,
            programme_version=walk.number,
        )
        self.desk.cues.take(cue, Kind.TEST, now, in_quiet_hours=walk.in_quiet_hours)

    def _items(self, walk: Walk, zone: Zone) -> tuple[AudioItem, ...]:
        assert self.test_tone is not None
        tone = (self.test_tone,) * max(1, walk.tone_ms // self.test_tone.duration_ms)
        name = self._name(zone)
        return tone if name is None else (*tone, replace(name, bulletin=WALK))

    def _name(self, zone: Zone) -> AudioItem | None:
        """What is said in a zone; None while nobody has spoken it."""
        number = next(number for number, one in enumerate(self.settings.zones, 1) if one.id == zone.id)
        words = name_of(zone, number, self.speech)
        return None if words is None else self.speech.said.get(words)

    def _length_ms(self, walk: Walk) -> int:
        """How long what is left of it takes at the most, but for the first way up."""
        sound_ms = sum(item.duration_ms for zone in walk.way.left for item in self._items(walk, zone))
        switching_ms = 2 * self.settings.zone_stagger_ms + self.settings.fade_out_ms
        return sound_ms + sum(switching_ms + 2 * zone.switching_ms for zone in walk.way.left[1:])

    # what is measured

    def sounds(self, event: events.SoundProgress) -> None:
        """A tenth of a second was written, so loud."""
        if (measured := self._measures(event.play)) is not None:
            walk = self.going_on
            assert walk is not None
            if event.written_ms <= walk.tone_ms:
                measured.rms_db = event.rms_db

    def read(self, reading: MeterReading, now: Instant) -> None:
        """The energy meter answered: it counts while the tone alone is in its reading."""
        walk, airing = self.going_on, self.desk.on_air
        if walk is None or airing is None or airing.play is None or airing.sounds_since_mono_ms is None:
            return
        since_ms = now.mono_ms - airing.sounds_since_mono_ms
        measured = self._measures(airing.play)
        if measured is not None and SETTLED_MS <= since_ms <= walk.tone_ms:
            measured.watts.append(reading.watts)

    def _measures(self, play: int) -> Measured | None:
        walk, airing = self.going_on, self.desk.on_air
        if walk is None or walk.way.current is None or airing is None or airing.play != play:
            return None
        return walk.measured[walk.way.current.id] if airing.cue.occurrence == walk.way.occurrence else None

    # what is told

    def state(self, number: int, now: Instant) -> WalkState | None:
        """How far a walk has come; None when there was no such walk, or it was not begun (``refused``)."""
        walk = self.last
        if walk is None or walk.number != number:
            return None
        told = {one.zone: one for one in walk.way.tested}
        waits = [*([] if walk.way.current is None else [walk.way.current]), *walk.way.left]
        ids = {*told, *(zone.id for zone in waits)}
        zones = [zone for zone in self.settings.zones if zone.id in ids]
        idle_since_ms = self.meter.silent_mono_ms
        ended_ms = walk.ended_mono_ms
        return WalkState(
            number,
            walk.way.is_over,
            walk.way.ended,
            tuple(self._zone_state(walk, zone, told.get(zone.id), now) for zone in zones),
            None if self.settings.meter is None else self.meter.idle_w(),
            ended_ms is not None and idle_since_ms is not None and idle_since_ms >= ended_ms,
        )

    def _zone_state(self, walk: Walk, zone: Zone, told: ZoneTested | None, now: Instant) -> ZoneWalked:
        measured = walk.measured.get(zone.id, Measured())
        watts, added_w, tone_w = self._tone_w(measured)
        outcome = self._now(walk, zone, now) if told is None else told.outcome
        if outcome in (UNTOLD, GOOD):  # a monitor behind the amplifier hears the tone of a line that is cut, too
            of_meter = self._of_meter(walk, zone, measured, tone_w)
            outcome = outcome if of_meter == UNTOLD else of_meter
        return ZoneWalked(
            zone.id,
            zone.name,
            outcome,
            None if told is None else told.reason,
            outcome in BAD,
            self._name(zone) is not None,
            watts,
            added_w,
            tone_w,
            zone.tone_w,
        )

    def _now(self, walk: Walk, zone: Zone, now: Instant) -> str:
        if zone is not walk.way.current:
            return WAITS
        airing = self.desk.on_air
        mine = airing is not None and airing.cue.occurrence == walk.way.occurrence
        if airing is None or not mine or airing.sounds_since_mono_ms is None:
            return SWITCHING
        return TONE if now.mono_ms < airing.sounds_since_mono_ms + walk.tone_ms else NAME

    def _tone_w(self, measured: Measured) -> tuple[float | None, float | None, float | None]:
        """What the meter told on the mean, how much of that the tone added, and how much it would at full volume."""
        if len(measured.watts) < MEASURES_LEAST or measured.rms_db is None or self.settings.meter is None:
            return None, None, None
        watts = fmean(measured.watts)
        added_w, share = watts - self.meter.idle_w(), tone_share(self.settings.meter, measured.rms_db)
        return watts, added_w, None if share < SHARE_LEAST else added_w / share

    def _of_meter(self, walk: Walk, zone: Zone, measured: Measured, tone_w: float | None) -> str:
        """What the meter says of a zone of which nobody has told more: a short tone is over before lines are judged. It
        need not add much where silence was measured just now, for the amplifier is as hot as it was then.
        """
        meter = self.settings.meter
        if meter is None or tone_w is None or zone.tone_w is None or measured.rms_db is None:
            return UNTOLD
        silent_mono_ms = self.meter.silent_mono_ms
        fresh = silent_mono_ms is not None and silent_mono_ms >= walk.began_mono_ms - FRESH_MS
        if zone.tone_w * tone_share(meter, measured.rms_db) < (SEEN_LEAST_W if fresh else least_w(meter)):
            return UNTOLD
        return GOOD if tone_w >= OPEN_SHARE * zone.tone_w else NOT_SEEN
