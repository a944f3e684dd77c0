"""The desk: what is taken, who has the air, and which step comes next.

Rules, in the order in which ``step`` asks them:

1. What has the air loses it to a strictly higher priority (air-1), to who wants silence (``mute``), to quiet hours
   (air-5), to power that is left for alerts alone, to a programme that no longer holds it, and to a stop. It is faded
   out first; what becomes of it is its slot's own choice (``endings``).
1. What has the air loses it to a strictly higher priority (air-1), to quiet hours (air-5), to an amplifier that has to
   rest (``duty``), to a programme that no longer holds it, and to a stop. It is faded out first; what becomes of it is
   its slot's own choice (``endings``).
2. What waits and can no longer air is closed with its reason (``patience``). What would not be over before it expires
   is left out, and what stands in for it taken.
3. The best of what is due is wanted; with nothing due, the next cue is, as soon as its way up must begin. What cannot
   be heard until a relay is tried again (``reach``) neither holds the air nor takes it.

A station without trusted time takes nothing new of its programmes and starts nothing of them (air-7). An alert needs
neither time nor a quiet-free hour, and leaves the air at once when it is withdrawn (``rows``). A live relay has the air
while something comes of it, and so has a plain stream (``relaying``). Beside the steps, ``silence`` is watched where
sound is due.
"""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass

from msgspec import Struct
from msgspec.structs import replace

from ttcs_edge.core import events
from ttcs_edge.core.air import choose
from ttcs_edge.core.alerts import Alerts
from ttcs_edge.core.asrun import Airing, Kind
from ttcs_edge.core.cues import Cues
from ttcs_edge.core.documents import LiveSegment
from ttcs_edge.core.duty import Duty
from ttcs_edge.core.effects import Effect, FeedSound, PrepareSound
from ttcs_edge.core.endings import Endings
from ttcs_edge.core.library import Resolved
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.live import Lives
from ttcs_edge.core.model import AsRun, AsRunReason, AudioItem, Instant, StationSettings, WallMs
from ttcs_edge.core.patience import GRACE_MS, Patience
from ttcs_edge.core.playout import Playout, Wanted
from ttcs_edge.core.power import Saving
from ttcs_edge.core.programmes import Programmes
from ttcs_edge.core.reach import Reach
from ttcs_edge.core.relaying import Relaying
from ttcs_edge.core.reports import NextCue
from ttcs_edge.core.rows import Rows
from ttcs_edge.core.schedule import SlotOccurrence
from ttcs_edge.core.silence import SilenceWatch
from ttcs_edge.core.streams import Streams
from ttcs_edge.core.volumes import Volumes

PREPARE_LEAD_MS = 5_000
"""How long before its way up begins a cue's first second is decoded."""
MINUTE_MS = 60_000
POSITION_EVERY_MS = 1_000
"""How often the position of the cue on the air is put on disk: a power cut makes the log short by so much."""
AIR_TAKEN, DUE_SOON = "air-taken", "due-soon"
"""Why nothing may be tested now."""
NEXT_CUES = 5
"""How many cues to come are shown."""
ALERT_FADE_MS = 100
"""An alert that is withdrawn or loses the air is silent at once, without a click; so are a microphone, and all that is
muted."""


class Step(Struct, frozen=True):
    """What one step brings: switches and sound, and the records of cues that are over."""

    effects: list[Effect]
    closed: list[AsRun]


@dataclass(slots=True)
class Desk:
    """The cues, the machine that makes them heard, and the parts that judge them."""

    settings: StationSettings
    volumes: Volumes
    playout: Playout
    cues: Cues
    reach: Reach
    rows: Rows
    relaying: Relaying
    patience: Patience
    endings: Endings
    silence: SilenceWatch
    prepared: tuple[AudioItem, ...] = ()
    plays: int = 0
    seen_changes: int = 0
    awaits_player: bool = False
    position_mono_ms: int = 0

    @classmethod
    def of(
        cls, settings: StationSettings, boot: int, alerts: Alerts, volumes: Volumes, lives: Lives, saving: Saving
    ) -> Desk:
        """Put the desk of a station together."""
        playout = Playout(settings)
        cues = Cues(boot, alerts)
        reach = Reach(settings, cues, playout, saving, Duty(settings.amplifier))
        rows = Rows(cues, alerts, reach)
        relaying = Relaying(cues, lives, reach, Streams())
        return cls(
            settings,
            volumes,
            playout,
            cues,
            reach,
            rows,
            relaying,
            Patience(cues, reach, rows, relaying),
            Endings(cues, reach, rows, relaying),
            SilenceWatch(cues, reach),
        )

    @property
    def horizon_ms(self) -> int:
        """How far ahead of its instant an occurrence is taken."""
        return PREPARE_LEAD_MS + self.playout.cold_lead_ms

    def remember(self, event: events.Started, now: Instant) -> None:
        """Take over what an earlier life settled."""
        self.cues.settled = dict(event.settled)
        self.patience.started_mono_ms = now.mono_ms

    def take_due(self, programmes: Programmes, now: Instant) -> None:
        """Take the occurrences that come near, each once."""
        if self.patience.trusted_since_mono_ms is None:
            self.patience.trusted_since_mono_ms = now.mono_ms
        taken = False
        for due in programmes.due(now, self.horizon_ms):
            key = due.occurrence
            if self.cues.is_known(key):
                continue
            taken = True
            airing = self._airing(programmes, due, now)
            if len(self.cues.waiting) >= LIMITS.waiting_cues:
                self.endings.close(airing, False, self.patience.absence(airing, now) or AsRunReason.PRE_EMPTED, now)
            else:
                self.cues.waiting[key] = airing
        if taken:
            self.cues.forget_long_settled(now)

    @property
    def is_coming_up(self) -> bool:
        """Tell whether something has the air and is not heard yet."""
        return self.cues.on_air is not None and not self.cues.on_air.sounds

    @property
    def _ends_at_once(self) -> bool:
        """Tell whether what has the air is not faded out at leisure."""
        holder = self.cues.on_air
        return holder is not None and (holder.kind in (Kind.ALERT, Kind.TALK) or self.cues.mutes(holder))

    def why_no_test(
        self, programmes: Programmes, length_ms: int, now: Instant, *, in_quiet_hours: bool = False
    ) -> str | None:
        """Tell why no test tone may be heard now: what is on the air, or due before it would be over, comes first. A
        pilot gives way.
        """
        others = [airing for airing in self.cues.unended() if airing.kind is not Kind.PILOT]
        if any(airing is self.cues.on_air or airing.is_due(now) for airing in others):
            return AIR_TAKEN
        if self.cues.muted:
            return AsRunReason.MUTED.value
        if not in_quiet_hours and programmes.is_quiet(now.wall_ms):
            return AsRunReason.QUIET_HOURS.value
        if self.reach.saving.shed.alerts_only:
            return AsRunReason.POWER_SAVED.value
        if self.reach.duty.fits_mono_ms(length_ms) > now.mono_ms:
            return AsRunReason.AMPLIFIER_REST.value
        planned = [airing.cue.planned_ms for airing in others]
        next_ms = min([*planned, *([] if (ms := programmes.next_instant()) is None else [ms])], default=None)
        over_ms = now.wall_ms + self.playout.cold_lead_ms + length_ms + self.horizon_ms
        return DUE_SOON if next_ms is not None and next_ms <= over_ms else None

    def _airing(self, programmes: Programmes, due: SlotOccurrence, now: Instant) -> Airing:
        resolved = programmes.resolve(due, now.wall_ms)
        return Airing(resolved.cue, resolved.lack, id=self.cues.next_id(), source=due)

    def step(self, programmes: Programmes, now: Instant, stopping: bool) -> Step:
        """Bring wanted and actual one step closer to each other."""
        if stopping:
            return self._stop_step(now)
        self._follow_programmes(programmes, now)
        self._follow_alerts(programmes, now)
        follows = self.relaying.follow_streams(programmes, now)
        self.relaying.follow(now, nobody_may_speak=self.cues.alerts.nobody_may_speak)
        self.reach.watch_rest(now)
        self._follow_duty(now)
        self.reach.follow_turns()
        holder = self.cues.on_air
        if holder is not None and now.trusted and self.reach.is_too_quiet_for(holder, programmes, now):
            holder.stop_for_good(AsRunReason.QUIET_HOURS)
        if holder is not None and self.reach.must_leave(holder):
            holder.stop_for_good(AsRunReason.POWER_SAVED)
        if holder is not None and self.cues.mutes(holder):
            holder.lose_the_air(AsRunReason.MUTED)
        if now.trusted:
            self.cues.leave_out_expired(programmes, now)
        else:
            self.patience.trusted_since_mono_ms = None
        self._close_hopeless(programmes, now)
        lost_player = not self.reach.player_up and self._lost_player(now)
        self.awaits_player = lost_player and not self._passes_player(programmes, now)
        if self.awaits_player:
            return Step(follows, self.cues.take_closed())
        playable = self._playable(programmes, now)
        wanted = self._wanted(playable, now)
        most_ms = ALERT_FADE_MS if self._ends_at_once else self.settings.fade_out_ms
        self.playout.fade_out_ms = min(most_ms, self.settings.fade_out_ms)
        steps = follows + self._prepare() + self.playout.step(wanted, _needed_mono_ms(playable, now), now.mono_ms)
        if wanted is not None and self.playout.sounding == wanted.play and self.cues.on_air is None:
            steps += self._take_the_air(wanted, now)
        return Step(steps, self.cues.take_closed())

    def sound_started(self, event: events.SoundStarted, now: Instant) -> AsRun | None:
        """The first period of a play went out; gives the record to open, once a cue."""
        airing = self.cues.on_air
        if airing is None or airing.play != event.play:
            return None
        airing.sounds_since_mono_ms = event.mono_ns // 1_000_000
        self.reach.device_sounds()
        if airing.has_sounded:
            return None
        self.position_mono_ms = now.mono_ms
        airing.start_ms = WallMs(now.wall_ms - (now.mono_ms - event.mono_ns // 1_000_000))
        return airing.open_record()

    def sound_progress(self, event: events.SoundProgress, now: Instant) -> AsRun | None:
        """So much was written: once a second, gives the record to be kept in case that power fails."""
        airing = self.cues.on_air
        if airing is None or airing.play != event.play:
            return None
        return self._position(airing, event.written_ms, now)

    def time_passed(self, now: Instant) -> AsRun | None:
        """The same of what comes by the mixer, of which no samples are counted."""
        airing = self._by_mixer
        return None if airing is None else self._position(airing, 0, now)

    @property
    def _by_mixer(self) -> Airing | None:
        """What is heard past the player."""
        airing = self.cues.on_air
        return None if airing is None or airing.needs_player or not airing.sounds else airing

    def _position(self, airing: Airing, written_ms: int, now: Instant) -> AsRun | None:
        if not airing.has_sounded or now.mono_ms < self.position_mono_ms + POSITION_EVERY_MS:
            return None
        self.position_mono_ms = now.mono_ms
        return airing.position_record(written_ms, now.wall_ms)

    @property
    def on_air(self) -> Airing | None:
        """The cue that has the air."""
        return self.cues.on_air

    def player_ready(self, event: events.PlayerReady) -> None:
        """A new player is up; it has nothing decoded ahead."""
        self.playout.player = event.player
        self.prepared = ()
        self.silence.player_ready()

    def player_gone(self, event: events.PlayerGone, now: Instant) -> None:
        """The player is dead, and what it had decoded ahead is gone."""
        self.prepared = ()
        self.endings.player_gone(event, now)

    def watched_until_ms(self, programmes: Programmes) -> WallMs | None:
        """Up to when every occurrence is settled, or open on disk; None before the first trusted instant."""
        seen_ms = programmes.since_ms if programmes.seen_wall_ms is None else programmes.seen_wall_ms
        if seen_ms is None:
            return None
        unsettled_ms = self.cues.first_unsettled_ms()
        return WallMs(seen_ms if unsettled_ms is None else min(seen_ms, unsettled_ms - 1))

    def next_cues(self, programmes: Programmes, now: Instant) -> tuple[NextCue, ...]:
        """List what waits for the air, the next first, and what comes after it; a few cues at the least."""
        waiting = sorted(self.cues.waiting.values(), key=lambda airing: airing.contender.rank[1:])
        later = programmes.upcoming(max(0, NEXT_CUES - len(waiting)))
        resolved = [Resolved(a.cue, lack=a.lack) for a in waiting]
        resolved += [programmes.resolve(due, now.wall_ms) for due in later]
        return tuple(
            NextCue(str(r.cue.occurrence), r.cue.title, r.cue.planned_ms, r.cue.zones, r.lack is None, r.lack)
            for r in resolved
        )

    def wake_mono_ms(self, programmes: Programmes, now: Instant, stopping: bool) -> int | None:
        """When something here changes by time alone."""
        if stopping:
            return self.playout.asks_mono_ms
        walls = [ms for airing in self.cues.of_slots() for ms in self.patience.turning_points(airing, now)]
        next_ms = programmes.next_look()
        if next_ms is not None:
            walls.append(next_ms - self.horizon_ms)
        if self.cues.on_air is not None and self.settings.quiet_hours:
            walls.append((now.wall_ms // MINUTE_MS + 1) * MINUTE_MS)  # quiet hours begin on a minute
        if self.cues.on_air is not None:
            walls += self.volumes.ends_ms(now)
        monos = [now.mono_ms + max(0, ms - now.wall_ms) for ms in walls if now.trusted]
        if self.playout.asks_mono_ms is not None and not self.awaits_player:
            monos.append(self.playout.asks_mono_ms)
        monos += self.patience.ends_mono_ms() + self.reach.duty_turns_mono_ms()
        if self._by_mixer is not None:
            monos.append(self.position_mono_ms + POSITION_EVERY_MS)
        if self.reach.rests_until_mono_ms is not None:
            monos.append(self.reach.rests_until_mono_ms)
        return min([*monos, *(ms for ms in self.silence.told_mono_ms() if ms > now.mono_ms)], default=None)

    def _lost_player(self, now: Instant) -> bool:
        """A cue that lost its player goes on within a moment: relays must not notice."""
        cut = [airing.interrupted for airing in self.cues.waiting.values() if airing.interrupted is not None]
        return any(now.mono_ms < instant.mono_ms + GRACE_MS for instant in cut)

    def _passes_player(self, programmes: Programmes, now: Instant) -> bool:
        """Tell whether anything is heard, or could be, that does not come from the player."""
        return self.cues.on_air is not None or bool(self._playable(programmes, now))

    def _stop_step(self, now: Instant) -> Step:
        if self.cues.on_air is not None:
            self.cues.on_air.stop_for_good(AsRunReason.STOPPED)
        for airing in list(self.cues.waiting.values()):
            slot_is_due = airing.of_programme and airing.cue.planned_ms <= now.wall_ms
            due = airing.kind in (Kind.TEST, Kind.PILOT, Kind.TALK) or slot_is_due
            if airing.has_sounded or due:
                self.endings.close(airing, False, AsRunReason.STOPPED, now)
        return Step(self.playout.all_off(now.mono_ms), self.cues.take_closed())

    def _follow_programmes(self, programmes: Programmes, now: Instant) -> None:
        if self.seen_changes == programmes.changes:
            return
        self.seen_changes = programmes.changes
        for airing in self.cues.of_slots():
            if airing.has_sounded:
                if not self._is_held(airing, programmes):
                    self.endings.close(airing, False, AsRunReason.WITHDRAWN, now)
                continue
            found = programmes.find(airing.cue.occurrence)
            if found is not None:
                airing.source = found
                self.cues.make_again(airing, programmes, now)
            elif airing.cue.planned_ms <= now.wall_ms:
                self.endings.close(airing, False, self.patience.absence(airing, now) or AsRunReason.WITHDRAWN, now)
            else:
                self.cues.take_back(airing)
        holder = self.cues.on_air
        if holder is not None and holder.of_programme:
            self._follow_on_air(holder, programmes, now)

    def _follow_on_air(self, airing: Airing, programmes: Programmes, now: Instant) -> None:
        before = airing.cue
        if not self._is_held(airing, programmes):
            airing.stop_for_good(AsRunReason.WITHDRAWN)
        elif airing.cue != before and now.trusted and airing.expires_before_its_end(now):
            airing.stop_for_good(AsRunReason.EXPIRED)

    def _is_held(self, airing: Airing, programmes: Programmes) -> bool:
        cue = programmes.held(airing.cue)
        airing.cue = cue or airing.cue
        return cue is not None

    def _follow_duty(self, now: Instant) -> None:
        duty, holder = self.reach.duty, self.cues.on_air
        duty.follow(holder is not None and holder.sounds, now.mono_ms)
        if holder is not None and holder.stop_reason is None and self.reach.minds_duty(holder) and duty.is_over:
            holder.lose_the_air(AsRunReason.AMPLIFIER_REST)

    def _follow_alerts(self, programmes: Programmes, now: Instant) -> None:
        for airing in self.cues.waiting.values():
            if airing.warning is None:
                continue
            if not airing.cue.items and self.cues.alerts.patience_is_over(airing.warning, now):
                self.cues.make_again(airing, programmes, now)
            airing.hindered = self.reach.hindrance(airing) or airing.hindered
        for airing in self.cues.unended():
            if airing.warning is None:
                continue
            reason = self.rows.why_over(airing, now)
            if reason is not None and airing is self.cues.on_air:
                airing.stop_for_good(reason)
            elif reason is not None:
                self.endings.close(airing, False, reason, now)
            elif self.rows.is_put_off(airing, now):
                self.cues.take_back(airing)

    def _close_hopeless(self, programmes: Programmes, now: Instant) -> None:
        for airing in list(self.cues.waiting.values()):
            reason = self.patience.why_hopeless(airing, programmes, now)
            if reason is not None:
                self.endings.close(airing, False, reason, now)

    def _playable(self, programmes: Programmes, now: Instant) -> list[Airing]:
        """What waits, can be heard, and would not sound in quiet hours (air-5)."""
        up = [airing for airing in self.cues.waiting.values() if self.reach.player_up or not airing.needs_player]
        ready = [airing for airing in up if self.reach.can_be_heard(airing) and not self.cues.mutes(airing)]
        kinds = self.rows.kinds_waiting()
        ready = [airing for airing in ready if not self.rows.is_held_back(airing, kinds)]
        ready = [airing for airing in ready if not self.relaying.is_silent(airing, now)]
        ready = [airing for airing in ready if not self.relaying.is_relayed(airing, now)]
        return [airing for airing in ready if not self.reach.is_too_quiet_for(airing, programmes, now)]

    def _wanted(self, playable: list[Airing], now: Instant) -> Wanted | None:
        due = [a for a in playable if a.is_due(now)]
        if self.cues.on_air is not None:
            return self._keep_or_yield(self.cues.on_air, due, now)
        best = choose(None, [a.contender for a in due]) if due else None
        airing = self.cues.waiting[best.occurrence] if best else self._coming(playable, now)
        if airing is None:
            self.cues.claimed = None
            return None
        zones = self.reach.zones_of(airing)
        if not airing.tried:
            self.playout.begin_cue(zones)
        if self.cues.claimed != airing.cue.occurrence or not airing.tried:
            self.cues.claimed, airing.begun_ms = airing.cue.occurrence, now.wall_ms
        ahead_ms = self.relaying.begins_ms(airing, due) - now.wall_ms if airing.of_programme else 0
        start_mono_ms = now.mono_ms + ahead_ms
        cue, volume_percent = airing.cue, self._volume_percent(airing, now)
        at_once = 1 if airing.warning is None else self.settings.alert_zones_at_once
        wanted = Wanted(self.plays + 1, zones, cue.items, airing.position_ms, start_mono_ms, volume_percent)
        stream = 0 if cue.inlet is None else cue.inlet.stream
        return replace(wanted, zones_at_once=at_once, way=airing.way, stream=stream)

    def _volume_percent(self, airing: Airing, now: Instant) -> int:
        """How loud it is now: an alert asks nobody (air-5), a pilot is as quiet as it is meant."""
        if airing.warning is not None:
            return airing.cue.volume_percent
        percent = self.reach.turned_down(airing, self.volumes.of_cue(airing.cue, now))
        return min(percent, airing.cue.volume_percent) if airing.kind is Kind.PILOT else percent

    def _coming(self, playable: list[Airing], now: Instant) -> Airing | None:
        """The next cue, once its way up must begin so that it sounds at its instant."""
        if not now.trusted or not playable:
            return None
        airing = min(playable, key=lambda a: (a.cue.planned_ms, a.contender.rank))
        begin_ms = airing.cue.planned_ms - self.playout.lead_ms(self.reach.zones_of(airing), now.mono_ms)
        # A claim outlives the way up, which grows shorter as it is walked, but not a clock that is set back.
        claimed = self.cues.claimed == airing.cue.occurrence and now.wall_ms >= begin_ms - PREPARE_LEAD_MS
        return airing if claimed or now.wall_ms >= begin_ms else None

    def _keep_or_yield(self, holder: Airing, due: list[Airing], now: Instant) -> Wanted | None:
        chosen = choose(holder.contender, [airing.contender for airing in due])
        if chosen != holder.contender:
            holder.lose_the_air(AsRunReason.PRE_EMPTED)
        if holder.stop_reason is not None or holder.play is None:
            return None
        cue = holder.cue
        volume_percent = self._volume_percent(holder, now)
        return Wanted(holder.play, holder.zones, cue.items, holder.play_from_ms, 0, volume_percent, way=holder.way)

    def _take_the_air(self, wanted: Wanted, now: Instant) -> list[Effect]:
        assert self.cues.claimed is not None
        airing = self.cues.waiting.pop(self.cues.claimed)
        self.plays = wanted.play
        airing.begin_play(wanted.play, tuple(self.playout.closed), self.reach.saved_of(airing))
        if self.settings.supplies and airing.takes_turns:
            airing.turn = wanted.zones
        self.cues.on_air = airing
        kept = () if airing.session is None else airing.session.take(now)
        return [feed(wanted.play, segment) for segment in kept]

    def _prepare(self) -> list[Effect]:
        if not self.reach.player_up or not self.cues.waiting:
            return []
        first = min(self.cues.waiting.values(), key=lambda a: (a.cue.planned_ms, a.contender.rank))
        if not first.cue.items or first.cue.items == self.prepared:
            return []
        self.prepared = first.cue.items
        return [PrepareSound(self.prepared)]


def feed(play: int, segment: LiveSegment) -> FeedSound:
    """What a segment brings to a play."""
    return FeedSound(play, segment.number, tuple(map(b64decode, segment.packets)), segment.last)


def _needed_mono_ms(playable: list[Airing], now: Instant) -> int | None:
    """When the next cue to come is to sound."""
    planned_ms = min((a.cue.planned_ms for a in playable if a.cue.planned_ms > now.wall_ms), default=None)
    return None if planned_ms is None or not now.trusted else now.mono_ms + planned_ms - now.wall_ms
