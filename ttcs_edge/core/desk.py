"""The desk: which cues wait for the air, which has it, and how each one ends.

Rules, in the order in which ``step`` asks them:

1. What has the air loses it to a strictly higher priority (air-1), to quiet hours (air-5), to a programme that no
   longer holds it, and to a stop. It is faded out first; what becomes of it is its slot's own choice (air-2).
2. What waits and can no longer air is closed with its reason (air-6): no audio, no zone, too late, quiet hours. What
   would not be over before it expires is left out, and what stands in for it taken.
3. The best of what is due is wanted; with nothing due, the next cue is, as soon as its way up must begin. What cannot
   be heard until a relay is tried again neither holds the air nor takes it.

A station without trusted time takes nothing new of its programmes and starts nothing of them (air-7). An alert needs
neither time nor a quiet-free hour, waits until its next round or half an hour, and leaves the air at once when it is
withdrawn. A drill is heard only once it was told as one, and its end is told last. A test tone gives way to everything,
and does not come back. What was settled is never taken again (never-5). Beside the steps, ``watch_silence`` looks for
silence where sound is due, whatever its cause.
"""

from __future__ import annotations

from base64 import b64decode
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.structs import replace

from ttcs_edge.core import events, live
from ttcs_edge.core.air import choose, resumes_from_ms
from ttcs_edge.core.alerts import AFTER, BEFORE, TONE, TONE_MOST_MS, WORDS, Alerts, RowKey
from ttcs_edge.core.asrun import Airing, Kind, settles
from ttcs_edge.core.documents import LiveSegment
from ttcs_edge.core.drills import ACTUAL
from ttcs_edge.core.effects import Effect, FeedSound, PrepareSound
from ttcs_edge.core.library import Resolved
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.live import Lives, Session
from ttcs_edge.core.model import (
    AMPLIFIER,
    AsRun,
    AsRunReason,
    AudioItem,
    Cue,
    Instant,
    Occurrence,
    Outcome,
    Sha256,
    StationSettings,
    WallMs,
)
from ttcs_edge.core.playout import Playout, Wanted
from ttcs_edge.core.programmes import Programmes
from ttcs_edge.core.reports import NextCue
from ttcs_edge.core.schedule import SlotOccurrence
from ttcs_edge.core.volumes import Volumes

PREPARE_LEAD_MS = 5_000
"""How long before its way up begins a cue's first second is decoded."""
GRACE_MS = 3_000
"""How long a cue that should sound may stay silent for want of audio or player before it is missed."""
QUEUE_LIMIT_MS = 30 * 60_000
"""How long a cue may wait for another one to leave the air."""
PLAYER_DEATHS = 3
"""How many deaths of the player one cue survives."""
SILENCE_MS = 4_000
"""How long there may be silence where sound is due before it is a fault."""
NO_START = "no-start"
"""Why there is silence when the player was told to begin, and nothing came of it."""
FAILURES = {
    "audio-lost": AsRunReason.NO_AUDIO,
    "not-audio": AsRunReason.NOT_AUDIO,
    "sound-device": AsRunReason.SOUND_DEVICE,
    "sound-input": AsRunReason.SOUND_INPUT,
    "live-lost": AsRunReason.LIVE_LOST,
    "relay": AsRunReason.RELAY,
}
"""Why a test tone, a talk or a live relay ends before its end: nothing stands in for it, and it is not tried again."""
MINUTE_MS = 60_000
POSITION_EVERY_MS = 1_000
"""How often the position of the cue on the air is put on disk: a power cut makes the log short by so much."""
NEXT_CUES = 5
"""How many cues to come are shown."""
DEVICE_AGAIN_MS = 2_000
"""How soon the sound device is tried again for an alert; then twice as late each time."""
DEVICE_AGAIN_MOST_MS = 64_000
ALERT_FADE_MS = 100
"""An alert that is withdrawn or loses the air is silent at once, without a click; and so is a microphone."""
SETTLED_MEMORY_MS = 8 * 86_400_000
"""How long a settled occurrence is remembered: longer than any look back into the schedule."""


class Step(Struct, frozen=True):
    """What one step brings: switches and sound, and the records of cues that are over."""

    effects: list[Effect]
    closed: list[AsRun]


@dataclass(slots=True)
class Desk:
    """Waiting cues, the cue on the air, and what was settled lately. ``announced`` are the rounds of drills that were
    told as such (None), and those that could not be, with the reason: nothing else of them is heard.
    """

    settings: StationSettings
    boot: int
    alerts: Alerts
    volumes: Volumes
    lives: Lives
    waiting: dict[Occurrence, Airing] = field(default_factory=dict)
    on_air: Airing | None = None
    settled: dict[Occurrence, WallMs] = field(default_factory=dict)
    closing: list[AsRun] = field(default_factory=list)
    announced: dict[RowKey, AsRunReason | None] = field(default_factory=dict)
    prepared: tuple[AudioItem, ...] = ()
    claimed: Occurrence | None = None
    sequence: int = 0
    plays: int = 0
    started_mono_ms: int = 0
    trusted_since_mono_ms: int | None = None
    seen_changes: int = 0
    awaits_player: bool = False
    position_mono_ms: int = 0
    device_failures: int = 0
    device_rests_until_mono_ms: int | None = None
    playout: Playout = field(init=False)

    def __post_init__(self) -> None:
        self.playout = Playout(self.settings)

    @property
    def horizon_ms(self) -> int:
        """How far ahead of its instant an occurrence is taken."""
        return PREPARE_LEAD_MS + self.playout.cold_lead_ms

    def remember(self, event: events.Started, now: Instant) -> None:
        """Take over what an earlier life settled."""
        self.settled = dict(event.settled)
        self.started_mono_ms = now.mono_ms

    def take_due(self, programmes: Programmes, now: Instant) -> None:
        """Take the occurrences that come near, each once."""
        if self.trusted_since_mono_ms is None:
            self.trusted_since_mono_ms = now.mono_ms
        taken = False
        for due in programmes.due(now, self.horizon_ms):
            key = due.occurrence
            if self._is_known(key):
                continue
            taken = True
            airing = self._airing(programmes, due, now)
            if len(self.waiting) >= LIMITS.waiting_cues:
                self._close(airing, False, self._absence(airing, now) or AsRunReason.PRE_EMPTED, now)
            else:
                self.waiting[key] = airing
        if taken:
            oldest_ms = now.wall_ms - SETTLED_MEMORY_MS
            self.settled = {key: ms for key, ms in self.settled.items() if ms >= oldest_ms}

    def take_alerts(self, programmes: Programmes, now: Instant) -> None:
        """Take the cues of the rounds that are due, but for those that were heard."""
        for warning in self.alerts.due(now, self._rounds_under_way()):
            key = warning.occurrence
            if self._is_known(key):
                continue
            resolved = self.alerts.resolve(warning, programmes.shelf, now)
            name = self._next_id()
            airing = Airing(resolved.cue, resolved.lack, name, warning=warning, kind=Kind.ALERT)
            airing.taken_mono_ms = now.mono_ms
            self.waiting[key] = airing

    def _is_known(self, key: Occurrence) -> bool:
        """Tell whether an occurrence was taken already, or is settled (never-5)."""
        on_air = self.on_air is not None and self.on_air.cue.occurrence == key
        return on_air or key in self.settled or key in self.waiting

    def _next_id(self) -> str:
        self.sequence += 1
        return f"{self.boot}-a{self.sequence}"

    def take_alerts_anew(self) -> None:
        """Have the rounds taken again of which nothing was heard or told yet: which voices there are is known now."""
        first = {airing.warning.row: airing.warning for airing in self.waiting.values() if airing.warning is not None}
        for row, warning in first.items():
            parts = self._waiting_of(row)  # what has the air, or was told, is not among them
            if len(parts) == warning.parts and not any(one.has_sounded for one in parts):
                self.alerts.take_again(warning)
                for airing in parts:
                    del self.waiting[airing.cue.occurrence]

    # what a command asks of the air

    def stop_on_air(self, now: Instant) -> Occurrence | None:
        """Have what is on the air, or due and on its way up to it, leave for good; an alert stays.

        Gives what leaves.
        """
        coming = None if self.claimed is None else self.waiting.get(self.claimed)
        airing = self.on_air or coming
        if airing is None or airing.warning is not None or not airing.is_due(now):
            return None
        if airing is self.on_air:
            airing.stop_for_good(AsRunReason.STOPPED_BY_COMMAND)
        else:
            self._close(airing, False, AsRunReason.STOPPED_BY_COMMAND, now)
        return airing.cue.occurrence

    @property
    def warns(self) -> bool:
        """Tell whether an alert has the air, or could have it now: not one that only waits for what it lacks."""
        waits = any(one.warning is not None and self._can_be_heard(one) for one in self.waiting.values())
        return self.warns_on_air or (waits and self.player_up)

    @property
    def warns_on_air(self) -> bool:
        """Tell whether an alert has the air."""
        return self.on_air is not None and self.on_air.warning is not None

    @property
    def _ends_at_once(self) -> bool:
        """Tell whether what has the air is not faded out at leisure."""
        return self.on_air is not None and self.on_air.kind in (Kind.ALERT, Kind.TALK)

    def why_no_test(self, programmes: Programmes, length_ms: int, now: Instant) -> str | None:
        """Tell why no test tone may be heard now: what is on the air, or due before it would be over, comes first."""
        if self.on_air is not None or any(airing.is_due(now) for airing in self.waiting.values()):
            return "air-taken"
        if programmes.is_quiet(now.wall_ms):
            return AsRunReason.QUIET_HOURS.value
        planned = [airing.cue.planned_ms for airing in self.waiting.values()]
        next_ms = min([*planned, *([] if (ms := programmes.next_instant()) is None else [ms])], default=None)
        over_ms = now.wall_ms + self.playout.cold_lead_ms + length_ms + self.horizon_ms
        return "due-soon" if next_ms is not None and next_ms <= over_ms else None

    def take_test(self, cue: Cue, now: Instant) -> None:
        """Take a test tone."""
        self.waiting[cue.occurrence] = Airing(cue, id=self._next_id(), kind=Kind.TEST, taken_mono_ms=now.mono_ms)

    # what a person at the station says

    def take_talk(self, cue: Cue, now: Instant) -> None:
        """Take what is said into the microphone from now on."""
        self.waiting[cue.occurrence] = Airing(cue, id=self._next_id(), kind=Kind.TALK, taken_mono_ms=now.mono_ms)

    def end_talk(self, reason: AsRunReason, now: Instant) -> None:
        """The talk is over; of one that was let go while it was heard, nothing is missing."""
        for airing in [airing for airing in self.unended() if airing.kind is Kind.TALK]:
            if airing is self.on_air:
                airing.stop_for_good(reason)
            else:
                cut_short = airing.has_sounded and reason is AsRunReason.LET_GO
                self._close(airing, False, AsRunReason.PRE_EMPTED if cut_short else reason, now)

    def _why_not_whole(self, airing: Airing, event: events.SoundEnded) -> AsRunReason | None:
        """Tell what is missing of a talk that was let go: nothing, when it was heard just then."""
        if any(event.item_written_ms):
            return None
        return AsRunReason.PRE_EMPTED if airing.position_ms else AsRunReason.LET_GO

    # live relays

    def take_live(self, session: Session, programmes: Programmes, now: Instant) -> None:
        """Take a session whose segments come, once: at once, or when a slot that names it is due."""
        if self._is_known(live.occurrence_of(session.newest)) or now.wall_ms >= session.until_ms:
            return
        due = any(one.cue.live == session.newest.id and one.is_due(now) for one in self.unended())
        if due or session.newest.id not in programmes.live_ids():
            cue = live.cue_of(session.newest, self.settings, now)
            airing = Airing(cue, id=self._next_id(), session=session, kind=Kind.LIVE, taken_mono_ms=now.mono_ms)
            self.waiting[cue.occurrence] = airing

    def play_of(self, session: Session) -> int | None:
        """The play that a session's segments are for, while it has the air."""
        holder = self.on_air
        return holder.play if holder is not None and holder.session is session else None

    def _follow_lives(self, now: Instant) -> None:
        """What has the air leaves it when its time is over, or another session took its place."""
        airing = self.on_air
        if airing is None or airing.session is None:
            return
        if now.wall_ms >= airing.session.until_ms + live.LOST_MS or self.alerts.nobody_may_speak:
            airing.stop_for_good(AsRunReason.TIME_LIMIT)
        elif self.lives.is_replaced(airing.session):
            airing.stop_for_good(AsRunReason.WITHDRAWN)

    def _hopeless_live(self, airing: Airing, programmes: Programmes, now: Instant) -> AsRunReason | None:
        """Tell why a session will not be heard any more: it comes back as long as its segments may."""
        session = airing.session
        assert session is not None
        if not airing.cue.zones:
            return AsRunReason.NO_ZONE
        if self._is_too_quiet_for(airing, programmes, now):
            return AsRunReason.QUIET_HOURS
        if self.lives.is_replaced(session):
            return AsRunReason.WITHDRAWN
        if session.is_gone(now) or now.wall_ms >= session.until_ms:
            blocked = AsRunReason.PRE_EMPTED if self._is_blocked(airing) else AsRunReason.LIVE_LOST
            return self._hindrance(airing) or blocked
        return None

    def _is_silent(self, airing: Airing, now: Instant) -> bool:
        """Tell whether nothing comes of a live relay at the moment, or nothing that could be told from what is old."""
        return airing.session is not None and not (now.trusted and airing.session.is_heard(now))

    def _is_relayed(self, airing: Airing, now: Instant) -> bool:
        """Tell whether a live relay is there to be heard in the place of a slot: one that was told is not."""
        if (name := airing.cue.live) is None:
            return False
        relays = [one for one in self.unended() if one.session is not None and one.session.newest.id == name]
        return any(not self._is_silent(one, now) and self._can_be_heard(one) for one in relays)

    def _end_relayed(self, record: AsRun, name: str, now: Instant) -> None:
        """A live relay was heard to its end: so was the slot whose place it took."""
        for airing in [one for one in self.waiting.values() if one.cue.live == name and one.is_due(now)]:
            airing.relayed = record
            self._close(airing, True, None, now)

    def _hopeless_talk(self, airing: Airing, programmes: Programmes, now: Instant) -> AsRunReason | None:
        """Tell why nobody will hear the microphone: what it lacks is waited for, for as long as the key is down."""
        return AsRunReason.QUIET_HOURS if self._is_too_quiet_for(airing, programmes, now) else None

    def _hopeless_order(self, airing: Airing, programmes: Programmes, now: Instant) -> AsRunReason | None:
        """Tell why a test tone will not be heard any more: it waits for nobody, and not for long."""
        if programmes.is_quiet(now.wall_ms):
            return AsRunReason.QUIET_HOURS
        if self._is_blocked(airing) or airing.has_sounded:
            return AsRunReason.PRE_EMPTED
        patient = now.mono_ms <= airing.taken_mono_ms + self._order_patience_ms
        return None if patient else self._hindrance(airing) or AsRunReason.TOO_LATE

    @property
    def _order_patience_ms(self) -> int:
        return self.playout.cold_lead_ms + GRACE_MS

    def _rounds_under_way(self) -> set[tuple[str, str]]:
        """The alerts of whose newest message something is heard, or can be as soon as the air is free."""
        return {
            (warning.alert.scope, warning.alert.id)
            for airing in self.unended()
            if (warning := airing.warning) is not None
            and self.alerts.is_newest(warning)
            and (airing is self.on_air or self._can_be_heard(airing))
        }

    def _airing(self, programmes: Programmes, due: SlotOccurrence, now: Instant) -> Airing:
        resolved = programmes.resolve(due, now.wall_ms)
        return Airing(resolved.cue, resolved.lack, id=self._next_id(), source=due)

    def step(self, programmes: Programmes, now: Instant, stopping: bool) -> Step:
        """Bring wanted and actual one step closer to each other."""
        if stopping:
            return self._stop_step(now)
        self._follow_programmes(programmes, now)
        self._follow_alerts(programmes, now)
        self._follow_lives(now)
        if self.device_rests_until_mono_ms is not None and now.mono_ms >= self.device_rests_until_mono_ms:
            self.device_rests_until_mono_ms = None
        if self.on_air is not None and now.trusted and self._is_too_quiet_for(self.on_air, programmes, now):
            self.on_air.stop_for_good(AsRunReason.QUIET_HOURS)
        if now.trusted:
            self._leave_out_expired(programmes, now)
        else:
            self.trusted_since_mono_ms = None
        self._close_hopeless(programmes, now)
        self.awaits_player = not self.player_up and self._lost_player(now) and not self._passes_player(programmes, now)
        if self.awaits_player:
            return Step([], self._closed())
        playable = self._playable(programmes, now)
        wanted = self._wanted(playable, now)
        most_ms = ALERT_FADE_MS if self._ends_at_once else self.settings.fade_out_ms
        self.playout.fade_out_ms = min(most_ms, self.settings.fade_out_ms)
        steps = self._prepare() + self.playout.step(wanted, _needed_mono_ms(playable, now), now.mono_ms)
        if wanted is not None and self.playout.sounding == wanted.play and self.on_air is None:
            steps += self._take_the_air(wanted, now)
        return Step(steps, self._closed())

    def sound_started(self, event: events.SoundStarted, now: Instant) -> AsRun | None:
        """The first period of a play went out; gives the record to open, once a cue."""
        airing = self.on_air
        if airing is None or airing.play != event.play:
            return None
        airing.sounds_since_mono_ms = event.mono_ns // 1_000_000
        self.device_failures = 0
        if airing.has_sounded:
            return None
        self.position_mono_ms = now.mono_ms
        airing.start_ms = WallMs(now.wall_ms - (now.mono_ms - event.mono_ns // 1_000_000))
        return airing.open_record()

    def sound_progress(self, event: events.SoundProgress, now: Instant) -> AsRun | None:
        """So much was written: once a second, gives the record to be kept in case that power fails."""
        airing = self.on_air
        if airing is None or airing.play != event.play or not airing.has_sounded:
            return None
        if now.mono_ms < self.position_mono_ms + POSITION_EVERY_MS:
            return None
        self.position_mono_ms = now.mono_ms
        return airing.position_record(event.written_ms, now.wall_ms)

    def audio_changed(self, programmes: Programmes, now: Instant) -> None:
        """Audio came into the store, or is gone from it: cues that have not begun do with what is there."""
        for airing in self.waiting.values():
            self._resolve_again(airing, programmes, now)

    def _resolve_again(self, airing: Airing, programmes: Programmes, now: Instant) -> None:
        if airing.has_sounded:
            return
        if airing.warning is not None:
            airing.take(self.alerts.resolve(airing.warning, programmes.shelf, now))
        elif airing.source is not None:
            airing.take(programmes.resolve(airing.source, now.wall_ms))

    def _leave_out_expired(self, programmes: Programmes, now: Instant) -> None:
        for airing in self.waiting.values():
            if airing.expires_before_its_end(now):
                self._resolve_again(airing, programmes, now)

    def sound_ended(self, event: events.SoundEnded, programmes: Programmes, now: Instant) -> None:
        """A play is over: the cue is closed, goes on later, or goes on without what is no audio."""
        self.playout.sound_ended(event.play, now.mono_ms)
        airing = self.on_air
        if airing is None or airing.play != event.play:
            return
        self._free_the_air(now)
        airing.end_play(event.item_written_ms)
        if event.completed and self._tone_goes_on(airing):
            airing.restart()
            self.waiting[airing.cue.occurrence] = airing
        elif airing.over or (event.completed and airing.stop_reason is None):
            self._close(airing, True, airing.shortfall, now)
        elif airing.kind is Kind.TALK and airing.stop_reason is AsRunReason.LET_GO:
            self._close(airing, True, self._why_not_whole(airing, event), now)
        elif event.failure == "live-lost" and airing.stop_reason is None:
            airing.interruptions += 1
            airing.interrupted = now
            self.waiting[airing.cue.occurrence] = airing
        elif event.failure is not None and airing.kind in (Kind.TEST, Kind.TALK, Kind.LIVE):
            self._close(airing, False, airing.stop_reason or FAILURES[event.failure], now)
        elif event.failure == "audio-lost":
            self._go_on_without_lost_item(airing, programmes, now)
        elif event.failure == "not-audio":
            self._go_on_without_bad_item(airing, programmes, now)
        elif event.failure is not None and airing.warning is not None and airing.stop_reason is None:
            self._rest(airing, now)
        elif event.failure is not None:
            self._close(airing, False, AsRunReason.SOUND_DEVICE, now)
        else:
            self._interrupted(airing, airing.stop_reason or AsRunReason.SOUND_DEVICE, now)

    def _rest(self, airing: Airing, now: Instant) -> None:
        """An alert outlives a sound device that fails: it is tried again, and at once when the device is back."""
        again_ms = min(DEVICE_AGAIN_MS << self.device_failures, DEVICE_AGAIN_MOST_MS)
        self.device_failures += 1
        self.device_rests_until_mono_ms = now.mono_ms + again_ms
        airing.interruptions += airing.has_sounded
        airing.restart()
        self.waiting[airing.cue.occurrence] = airing

    def device_works(self) -> None:
        """The sound device is there: what waits for it need not wait any more."""
        self.device_rests_until_mono_ms = None

    def _tone_goes_on(self, airing: Airing) -> bool:
        """The tone of an alert fills the time until the first of its words is there; for how long, is bounded."""
        if airing.warning is None or airing.warning.kind != TONE or airing.stop_reason is not None:
            return False
        airing.toned_ms += airing.cue.duration_ms
        words = [one for one in self._waiting_of(airing.warning.row) if one.warning and one.warning.kind == WORDS]
        return airing.toned_ms < TONE_MOST_MS and bool(words) and not any(one.cue.items for one in words)

    @property
    def player_up(self) -> bool:
        """Tell whether something can sound at all."""
        return self.playout.player is not None

    def player_ready(self, event: events.PlayerReady) -> None:
        """A new player is up; it has nothing decoded ahead."""
        self.playout.player = event.player
        self.prepared = ()
        for airing in self.waiting.values():
            if self._may_go_up(airing) and not airing.way_up_granted:
                airing.silent_since_mono_ms = None

    def player_gone(self, event: events.PlayerGone, now: Instant) -> None:
        """The player is dead: the cue goes on where its slot allows it. What comes by the mixer does not notice."""
        self.playout.player_gone(now.mono_ms)
        self.prepared = ()
        airing = self.on_air
        if airing is not None and self.playout.sounding is None:
            self._free_the_air(now)
            airing.end_play_at(event.written_ms)
            self._interrupted(airing, airing.stop_reason or AsRunReason.PLAYER_DIED, now)

    def _free_the_air(self, now: Instant) -> None:
        if self.on_air is not None and self.on_air.sounds:
            self.on_air.heard_until_ms = now.wall_ms
        self.on_air = None
        for airing in self.waiting.values():
            if airing.cue.planned_ms <= now.wall_ms:
                airing.queued_ms = now.wall_ms

    def watched_until_ms(self, programmes: Programmes) -> WallMs | None:
        """Up to when every occurrence is settled, or open on disk; None before the first trusted instant."""
        seen_ms = programmes.since_ms if programmes.seen_wall_ms is None else programmes.seen_wall_ms
        if seen_ms is None:
            return None
        unsettled = (a.cue.planned_ms - 1 for a in self.unended() if a.of_programme and not a.has_sounded)
        return WallMs(min([seen_ms, *unsettled]))

    def next_cues(self, programmes: Programmes, now: Instant) -> tuple[NextCue, ...]:
        """List what waits for the air, the next first, and what comes after it; a few cues at the least."""
        waiting = sorted(self.waiting.values(), key=lambda airing: airing.contender.rank[1:])
        later = programmes.upcoming(max(0, NEXT_CUES - len(waiting)))
        resolved = [Resolved(a.cue, lack=a.lack) for a in waiting]
        resolved += [programmes.resolve(due, now.wall_ms) for due in later]
        return tuple(
            NextCue(str(r.cue.occurrence), r.cue.title, r.cue.planned_ms, r.cue.zones, r.lack is None, r.lack)
            for r in resolved
        )

    def taken(self) -> list[tuple[Occurrence, int]]:
        """What waits for the air, with its instant; of one slot the first comes last."""
        of_slots = (airing for airing in self.waiting.values() if airing.of_programme)
        waiting = sorted(of_slots, key=lambda airing: -airing.cue.planned_ms)
        return [(airing.cue.occurrence, airing.cue.planned_ms) for airing in waiting]

    def in_use(self) -> frozenset[Sha256]:
        """The audio of what has the air or waits for it: it must not be evicted."""
        airings = [*self.waiting.values(), *([] if self.on_air is None else [self.on_air])]
        return frozenset(item.sha256 for airing in airings for item in airing.cue.items)

    def wake_mono_ms(self, programmes: Programmes, now: Instant, stopping: bool) -> int | None:
        """When something here changes by time alone."""
        if stopping:
            return self.playout.asks_mono_ms
        of_slots = [airing for airing in self.waiting.values() if airing.of_programme]
        walls = [ms for airing in of_slots for ms in self._turning_points(airing, now)]
        next_ms = programmes.next_instant()
        if next_ms is not None:
            walls.append(next_ms - self.horizon_ms)
        if self.on_air is not None and self.settings.quiet_hours:
            walls.append((now.wall_ms // MINUTE_MS + 1) * MINUTE_MS)  # quiet hours begin on a minute
        monos = [now.mono_ms + max(0, ms - now.wall_ms) for ms in walls if now.trusted]
        if self.playout.asks_mono_ms is not None and not self.awaits_player:
            monos.append(self.playout.asks_mono_ms)
        warnings = [airing for airing in self.waiting.values() if airing.warning is not None]
        monos += [airing.taken_mono_ms + self._patience_ms(airing) + 1 for airing in warnings]
        tests = [airing for airing in self.waiting.values() if airing.kind is Kind.TEST]
        monos += [airing.taken_mono_ms + self._order_patience_ms + 1 for airing in tests]
        if self.device_rests_until_mono_ms is not None:
            monos.append(self.device_rests_until_mono_ms)
        silences = (a.silent_since_mono_ms for a in self.unended())
        told_ms = (ms + SILENCE_MS for ms in silences if ms is not None)
        return min([*monos, *(ms for ms in told_ms if ms > now.mono_ms)], default=None)

    def unended(self) -> list[Airing]:
        """What waits for the air, and what has it."""
        return [*self.waiting.values(), *([] if self.on_air is None else [self.on_air])]

    def watch_silence(self, programmes: Programmes, now: Instant) -> dict[str, str]:
        """Note since when each cue that should be heard is not; give the slots for which that is too long, and why.

        It is nobody's fault that one cue waits while another is heard, and that of a slot in quiet hours, or without
        trusted time, which has a fault of its own. A way up that begins late takes its time, but once: a player that
        dies on it, and dies again, is silence.
        """
        heard = self.on_air is not None and self.on_air.sounds
        slots_sound = now.trusted and not programmes.is_quiet(now.wall_ms)
        silent: dict[str, str] = {}
        for airing in self.unended():
            expected = airing.is_due(now) and (slots_sound or not airing.of_programme)
            if heard or not expected or airing.kind in (Kind.TEST, Kind.LIVE):
                airing.silent_since_mono_ms, airing.way_up_granted = None, False
                continue
            if airing.silent_since_mono_ms is None:
                airing.way_up_granted = self._may_go_up(airing)
                lead_ms = self.playout.lead_ms(airing.cue.zones, now.mono_ms) if airing.way_up_granted else 0
                airing.silent_since_mono_ms = now.mono_ms + lead_ms
            if now.mono_ms >= airing.silent_since_mono_ms + SILENCE_MS:
                silent[airing.cue.occurrence.subject] = self._why_silent(airing)
        return silent

    def _may_go_up(self, airing: Airing) -> bool:
        return self.player_up and airing is not self.on_air and self._can_be_heard(airing)

    def _why_silent(self, airing: Airing) -> str:
        hindrance = self._hindrance(airing)
        return NO_START if hindrance is None else hindrance.value

    def unheard(self) -> frozenset[str]:
        """The slots whose cues wait for the air, or have it and are not heard."""
        return frozenset(airing.cue.occurrence.subject for airing in self.unended() if not airing.sounds)

    def _turning_points(self, airing: Airing, now: Instant) -> Iterator[int]:
        cue = airing.cue
        lead_ms = self.playout.lead_ms(cue.zones, now.mono_ms)
        points = (
            cue.planned_ms - lead_ms,
            cue.planned_ms,
            cue.late_until_ms + 1,
            now.wall_ms - now.mono_ms + (airing.interrupted.mono_ms if airing.interrupted else 0) + GRACE_MS,
            self._deadline_ms(airing, True) + 1,
            self._deadline_ms(airing, False) + 1,
        )
        return (point for point in points if point > now.wall_ms)

    def _lost_player(self, now: Instant) -> bool:
        """A cue that lost its player goes on within a moment: relays must not notice."""
        cut = [airing.interrupted for airing in self.waiting.values() if airing.interrupted is not None]
        return any(now.mono_ms < instant.mono_ms + GRACE_MS for instant in cut)

    def _passes_player(self, programmes: Programmes, now: Instant) -> bool:
        """Tell whether anything is heard, or could be, that does not come from the player."""
        return self.on_air is not None or bool(self._playable(programmes, now))

    def _stop_step(self, now: Instant) -> Step:
        if self.on_air is not None:
            self.on_air.stop_for_good(AsRunReason.STOPPED)
        for airing in list(self.waiting.values()):
            slot_is_due = airing.of_programme and airing.cue.planned_ms <= now.wall_ms
            due = airing.kind in (Kind.TEST, Kind.TALK) or slot_is_due
            if airing.has_sounded or due:
                self._close(airing, False, AsRunReason.STOPPED, now)
        return Step(self.playout.all_off(now.mono_ms), self._closed())

    def _follow_programmes(self, programmes: Programmes, now: Instant) -> None:
        if self.seen_changes == programmes.changes:
            return
        self.seen_changes = programmes.changes
        for airing in [airing for airing in self.waiting.values() if airing.of_programme]:
            if airing.has_sounded:
                if not self._is_held(airing, programmes):
                    self._close(airing, False, AsRunReason.WITHDRAWN, now)
                continue
            found = programmes.find(airing.cue.occurrence)
            if found is not None:
                airing.source = found
                self._resolve_again(airing, programmes, now)
            elif airing.cue.planned_ms <= now.wall_ms:
                self._close(airing, False, self._absence(airing, now) or AsRunReason.WITHDRAWN, now)
            else:
                del self.waiting[airing.cue.occurrence]
        holder = self.on_air
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

    def _follow_alerts(self, programmes: Programmes, now: Instant) -> None:
        for airing in self.waiting.values():
            if airing.warning is None:
                continue
            if not airing.cue.items and self.alerts.patience_is_over(airing.warning, now):
                self._resolve_again(airing, programmes, now)
            airing.hindered = self._hindrance(airing) or airing.hindered
        for airing in self.unended():
            if airing.warning is None:
                continue
            reason = self.alerts.ended(airing.warning, now) or self.announced.get(airing.warning.row)
            if reason is not None and airing is self.on_air:
                airing.stop_for_good(reason)
            elif reason is not None:
                self._close(airing, False, reason, now)
            elif airing is not self.on_air and not airing.has_sounded and self.alerts.postpone(airing.warning, now):
                del self.waiting[airing.cue.occurrence]

    def _close_hopeless(self, programmes: Programmes, now: Instant) -> None:
        for airing in list(self.waiting.values()):
            reason = _HOPELESS[airing.kind](self, airing, programmes, now)
            if reason is not None:
                self._close(airing, False, reason, now)

    def _hopeless(self, airing: Airing, programmes: Programmes, now: Instant) -> AsRunReason | None:
        """Tell why a cue whose instant has come will not air any more; None while it still may."""
        if not now.trusted or not (airing.is_due(now) or airing.has_sounded):
            return None
        cue = airing.cue
        absence = self._absence(airing, now)
        if programmes.is_quiet(now.wall_ms):
            return absence or AsRunReason.QUIET_HOURS
        if not cue.zones:
            return AsRunReason.NO_ZONE
        if airing.has_sounded and airing.expires_before_its_end(now):
            return AsRunReason.EXPIRED
        if self._is_relayed(airing, now):
            return None
        blocked = self._is_blocked(airing)
        on_its_way = self.claimed == cue.occurrence and not airing.has_sounded and not blocked
        # A way up that began in time may end behind it.
        begins_ms = airing.begun_ms if on_its_way and airing.begun_ms is not None else now.wall_ms
        if begins_ms <= max(self._deadline_ms(airing, blocked), cue.late_until_ms):
            airing.in_time = True
            return None
        if absence is not None:
            return absence
        if not airing.in_time:  # whatever else it lacks: nobody saw its time while that lasted
            return AsRunReason.TOO_LATE
        return self._hindrance(airing) or self._pre_emption(airing) or AsRunReason.TOO_LATE

    def _hopeless_warning(self, airing: Airing, programmes: Programmes, now: Instant) -> AsRunReason | None:
        """Tell why a cue of an alert will not air any more; None while it still may."""
        assert airing.warning is not None
        if not airing.cue.zones:
            return AsRunReason.NO_ZONE
        patient = now.mono_ms <= airing.taken_mono_ms + self._patience_ms(airing)
        if patient and self.alerts.is_of_newest_round(airing.warning) and self.alerts.may_come(airing.warning):
            return None
        if (reason := self._hindrance(airing) or self._pre_emption(airing)) is not None:
            return reason
        behind = AsRunReason.PRE_EMPTED  # others of its row were to be heard first
        return airing.hindered or self.announced.get(airing.warning.row) or behind

    def _patience_ms(self, airing: Airing) -> int:
        """How long a cue of an alert waits. A drill shows what is there in time: it waits for nothing longer than the
        tone would.
        """
        assert airing.warning is not None
        is_drill = airing.warning.alert.status != ACTUAL
        return TONE_MOST_MS if is_drill and not airing.cue.items else QUEUE_LIMIT_MS

    def _waiting_of(self, row: RowKey) -> list[Airing]:
        """What waits of a round of an alert."""
        return [one for one in self.waiting.values() if one.warning is not None and one.warning.row == row]

    def _kinds_waiting(self) -> dict[RowKey, set[str]]:
        """The kinds of parts that wait of each round of an alert."""
        kinds: defaultdict[RowKey, set[str]] = defaultdict(set)
        for warning in (airing.warning for airing in self.waiting.values()):
            if warning is not None:
                kinds[warning.row].add(warning.kind)
        return kinds

    def _is_held_back(self, airing: Airing, waiting: dict[RowKey, set[str]]) -> bool:
        """Tell whether a part of a drill must wait for what is told before it, or for all of it."""
        warning = airing.warning
        if warning is None or warning.alert.status == ACTUAL or warning.kind == BEFORE:
            return False
        kinds = waiting[warning.row]
        return bool(kinds - {AFTER}) if warning.kind == AFTER else BEFORE in kinds

    def _pre_emption(self, airing: Airing) -> AsRunReason | None:
        """Tell whether another cue keeps this one from the air, or did until its time was over."""
        return AsRunReason.PRE_EMPTED if self._is_blocked(airing) or airing.has_sounded else None

    def _hindrance(self, airing: Airing) -> AsRunReason | None:
        """Tell what of a cue's own needs is not there: its audio, a player, a way to its zones."""
        if not airing.cue.has_sound:
            return airing.lack or AsRunReason.NO_AUDIO
        if not self.player_up and airing.needs_player:
            return AsRunReason.PLAYER_DIED
        tried = airing.tried or airing.warning is not None  # of a round one part is tried for all
        if tried and not self.playout.can_reach(airing.cue.zones, airing.way):
            return AsRunReason.NO_AMPLIFIER if AMPLIFIER in self.playout.failed else AsRunReason.RELAY
        return AsRunReason.SOUND_DEVICE if airing.warning is not None and self.device_failures else None

    def _is_out_of_reach(self, airing: Airing) -> bool:
        """Tell whether its way up was tried, and none of its zones can be heard until a relay is tried again."""
        return airing.tried and not self.playout.can_reach(airing.cue.zones, airing.way)

    def _can_be_heard(self, airing: Airing) -> bool:
        rests = airing.warning is not None and self.device_rests_until_mono_ms is not None
        whole = airing.cue.has_sound and bool(airing.cue.zones)
        return whole and not rests and not self._is_out_of_reach(airing)

    def _is_blocked(self, airing: Airing) -> bool:
        """Tell whether another cue has the air, or is on its way up to it."""
        other = self.claimed is not None and self.claimed != airing.cue.occurrence
        return self.on_air is not None or (other and self.claimed in self.waiting)

    def _absence(self, airing: Airing, now: Instant) -> AsRunReason | None:
        """Tell why nobody could look after a cue at its instant; None when the station could."""
        if airing.has_sounded:
            return None
        planned_mono_ms = now.mono_ms - (now.wall_ms - airing.cue.planned_ms)
        if planned_mono_ms < self.started_mono_ms:
            return AsRunReason.POWER
        if planned_mono_ms < (self.trusted_since_mono_ms or 0):
            return AsRunReason.NO_TIME
        return None

    def _deadline_ms(self, airing: Airing, blocked: bool) -> int:
        since_ms = airing.interrupted.wall_ms if airing.interrupted else airing.cue.planned_ms
        if blocked or airing.has_sounded:
            return since_ms + QUEUE_LIMIT_MS
        return max(since_ms, min(airing.queued_ms, since_ms + QUEUE_LIMIT_MS)) + GRACE_MS

    def _playable(self, programmes: Programmes, now: Instant) -> list[Airing]:
        """What waits, can be heard, and would not sound in quiet hours (air-5)."""
        up = [airing for airing in self.waiting.values() if self.player_up or not airing.needs_player]
        ready = [airing for airing in up if self._can_be_heard(airing)]
        kinds = self._kinds_waiting()
        ready = [airing for airing in ready if not self._is_held_back(airing, kinds)]
        ready = [airing for airing in ready if not self._is_silent(airing, now) and not self._is_relayed(airing, now)]
        return [airing for airing in ready if not self._is_too_quiet_for(airing, programmes, now)]

    def _is_too_quiet_for(self, airing: Airing, programmes: Programmes, now: Instant) -> bool:
        """Quiet hours silence everything but alerts (air-5), and a microphone that the config lets through; nobody
        knows them without the time.
        """
        microphone = self.settings.microphone
        let_through = microphone is not None and microphone.in_quiet_hours
        if not now.trusted or airing.kind is Kind.ALERT or (airing.kind is Kind.TALK and let_through):
            return False
        return programmes.is_quiet(_sounds_ms(airing, now))

    def _wanted(self, playable: list[Airing], now: Instant) -> Wanted | None:
        due = [a for a in playable if a.is_due(now)]
        if self.on_air is not None:
            return self._keep_or_yield(self.on_air, due, now)
        best = choose(None, [a.contender for a in due]) if due else None
        airing = self.waiting[best.occurrence] if best else self._coming(playable, now)
        if airing is None:
            self.claimed = None
            return None
        if not airing.tried:
            self.playout.begin_cue(airing.cue.zones)
        if self.claimed != airing.cue.occurrence or not airing.tried:
            self.claimed, airing.begun_ms = airing.cue.occurrence, now.wall_ms
        patience_ms = 0 if airing.cue.live is None or airing.has_sounded else live.PATIENCE_MS
        ahead_ms = airing.cue.planned_ms + patience_ms - now.wall_ms if airing.of_programme else 0
        start_mono_ms = now.mono_ms + ahead_ms
        cue, volume_percent = airing.cue, self._volume_percent(airing, now)
        at_once = 1 if airing.warning is None else self.settings.alert_zones_at_once
        wanted = Wanted(self.plays + 1, cue.zones, cue.items, airing.position_ms, start_mono_ms, volume_percent)
        return replace(wanted, zones_at_once=at_once, way=airing.way)

    def _volume_percent(self, airing: Airing, now: Instant) -> int:
        """How loud it is now: an alert asks nobody (air-5)."""
        return airing.cue.volume_percent if airing.warning is not None else self.volumes.of_cue(airing.cue, now)

    def _coming(self, playable: list[Airing], now: Instant) -> Airing | None:
        """The next cue, once its way up must begin so that it sounds at its instant."""
        if not now.trusted or not playable:
            return None
        airing = min(playable, key=lambda a: (a.cue.planned_ms, a.contender.rank))
        begin_ms = airing.cue.planned_ms - self.playout.lead_ms(airing.cue.zones, now.mono_ms)
        # A claim outlives the way up, which grows shorter as it is walked, but not a clock that is set back.
        claimed = self.claimed == airing.cue.occurrence and now.wall_ms >= begin_ms - PREPARE_LEAD_MS
        return airing if claimed or now.wall_ms >= begin_ms else None

    def _keep_or_yield(self, holder: Airing, due: list[Airing], now: Instant) -> Wanted | None:
        chosen = choose(holder.contender, [airing.contender for airing in due])
        if chosen != holder.contender and holder.stop_reason is None:
            holder.stop_reason = AsRunReason.PRE_EMPTED
        if holder.stop_reason is not None or holder.play is None:
            return None
        cue = holder.cue
        volume_percent = self._volume_percent(holder, now)
        return Wanted(holder.play, cue.zones, cue.items, holder.play_from_ms, 0, volume_percent, way=holder.way)

    def _take_the_air(self, wanted: Wanted, now: Instant) -> list[Effect]:
        assert self.claimed is not None
        airing = self.waiting.pop(self.claimed)
        self.plays = wanted.play
        airing.begin_play(wanted.play, tuple(self.playout.closed))
        self.on_air = airing
        kept = () if airing.session is None else airing.session.take(now)
        return [feed(wanted.play, segment) for segment in kept]

    def _prepare(self) -> list[Effect]:
        if not self.player_up or not self.waiting:
            return []
        first = min(self.waiting.values(), key=lambda a: (a.cue.planned_ms, a.contender.rank))
        if not first.cue.items or first.cue.items == self.prepared:
            return []
        self.prepared = first.cue.items
        return [PrepareSound(self.prepared)]

    def _interrupted(self, airing: Airing, reason: AsRunReason, now: Instant) -> None:
        goes_on = reason is AsRunReason.PRE_EMPTED or (
            reason is AsRunReason.PLAYER_DIED and (airing.interruptions < PLAYER_DEATHS or airing.warning is not None)
        )
        position_ms = resumes_from_ms(airing.cue.if_interrupted, airing.position_ms) if goes_on else None
        airing.interruptions += 1
        if (position_ms is None and airing.has_sounded) or not goes_on:
            self._close(airing, False, reason, now)
            return
        if not position_ms:
            airing.restart()
        airing.interrupted, airing.stop_reason = now, None
        self.waiting[airing.cue.occurrence] = airing

    def _go_on_without_lost_item(self, airing: Airing, programmes: Programmes, now: Instant) -> None:
        """What was gone when it was to be read is left out, before the first sample; later the cue ends there."""
        if airing.has_sounded or airing.stop_reason is not None:
            lost = next((lack for item in airing.cue.items if (lack := programmes.shelf.lack(item.sha256))), None)
            self._close(airing, False, airing.stop_reason or lost or AsRunReason.NO_AUDIO, now)
            return
        self._resolve_again(airing, programmes, now)
        self.waiting[airing.cue.occurrence] = airing

    def _go_on_without_bad_item(self, airing: Airing, programmes: Programmes, now: Instant) -> None:
        """What proved to be no audio is remembered, and left out before the first sample, so that what stands in for it
        is heard; later it is passed over: what is whole behind it airs, and the log says that it is not all. For a part
        of an alert only speech stands in.
        """
        bad = airing.bad_item()
        if bad is not None:
            programmes.audio_undecodable(bad.sha256)
            self.audio_changed(programmes, now)
        warning = airing.warning
        replaceable = not airing.has_sounded and (warning is None or self.alerts.may_be_spoken(warning))
        if airing.stop_reason is None and bad is not None and replaceable:
            self._resolve_again(airing, programmes, now)
            self.waiting[airing.cue.occurrence] = airing
        elif airing.stop_reason is None and airing.pass_over_bad_item():
            self.waiting[airing.cue.occurrence] = airing
        else:
            self._close(airing, False, airing.stop_reason or airing.shortfall, now)

    def _close(self, airing: Airing, completed: bool, reason: AsRunReason | None, now: Instant) -> None:
        self.waiting.pop(airing.cue.occurrence, None)
        record = airing.closed_record(completed, reason, now.wall_ms)
        self._note_announcement(airing, record)
        if airing.session is not None and record.outcome is Outcome.AIRED:
            self._end_relayed(record, airing.session.newest.id, now)
        if settles(record):
            self.settled[airing.cue.occurrence] = airing.cue.planned_ms
        self.closing.append(record)

    def _note_announcement(self, airing: Airing, record: AsRun) -> None:
        """A drill that could be told as one nowhere is not heard: nobody may take it for real."""
        if airing.warning is None or airing.warning.kind != BEFORE:
            return
        row = airing.warning.row
        if record.outcome is not Outcome.MISSED:
            self.announced[row] = None
        elif not any(one.warning and one.warning.kind == BEFORE for one in self._waiting_of(row)):
            self.announced.setdefault(row, record.reason)
        rows = {one.warning.row for one in self.unended() if one.warning is not None} | {row}
        self.announced = {key: why for key, why in self.announced.items() if key in rows}

    def _closed(self) -> list[AsRun]:
        closed, self.closing = self.closing, []
        return closed


def feed(play: int, segment: LiveSegment) -> FeedSound:
    """What a segment brings to a play."""
    return FeedSound(play, segment.number, tuple(map(b64decode, segment.packets)), segment.last)


def _sounds_ms(airing: Airing, now: Instant) -> int:
    """When this cue is heard if nothing hinders it: a start is handed over a moment ahead of its instant."""
    return now.wall_ms if airing.has_sounded else max(now.wall_ms, airing.cue.planned_ms)


def _needed_mono_ms(playable: list[Airing], now: Instant) -> int | None:
    """When the next cue to come is to sound."""
    planned_ms = min((a.cue.planned_ms for a in playable if a.cue.planned_ms > now.wall_ms), default=None)
    return None if planned_ms is None or not now.trusted else now.mono_ms + planned_ms - now.wall_ms


_HOPELESS: dict[Kind, Callable[[Desk, Airing, Programmes, Instant], AsRunReason | None]] = {
    Kind.SLOT: Desk._hopeless,
    Kind.ALERT: Desk._hopeless_warning,
    Kind.TEST: Desk._hopeless_order,
    Kind.TALK: Desk._hopeless_talk,
    Kind.LIVE: Desk._hopeless_live,
}
