"""A station: takes one event, lets each part have its say in a written order, gives the effects.

It decides nothing itself. The order: what the event tells (``_ROUTES``), faults that ripen, programmes that expire,
occurrences that come near (``desk``), who has the air, the next switch or sound (``playout``), the heartbeat. The last
two are asked until nothing more follows, within a bound (``LIMITS.fixed_point_steps``).

The effects of one event leave in this order, so that the air never waits for the card (decision 1): switches and
sound, notes, one ``Record`` with everything to be remembered, then the acknowledgements that must come after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from ttcs_edge.core import asrun, effects, events
from ttcs_edge.core.alerts import Alerts
from ttcs_edge.core.audit import Audit, Judged
from ttcs_edge.core.beacons import Beacons, beacon_subject
from ttcs_edge.core.box import BOX, DOOR_OPEN, BoxWatch
from ttcs_edge.core.budget import DataBudget
from ttcs_edge.core.commands import Commands
from ttcs_edge.core.desk import Desk, feed
from ttcs_edge.core.display import Shown
from ttcs_edge.core.documents import Alert, Refused, Signed, TrustRoot
from ttcs_edge.core.duty import RESTS
from ttcs_edge.core.effects import Effect, Entry
from ttcs_edge.core.lamp import Lamp, Place, Seen, shown
from ttcs_edge.core.leases import Leases
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.live import Lives, Session
from ttcs_edge.core.microphone import STUCK, Key
from ttcs_edge.core.model import (
    AMPLIFIER,
    MICROPHONE,
    AsRun,
    AsRunReason,
    Instant,
    LocalUser,
    MonoMs,
    Scope,
    Severity,
    Sha256,
    StationSettings,
    WallMs,
    is_sha256,
)
from ttcs_edge.core.modem import ModemCare
from ttcs_edge.core.monitor import LOST, MONITOR, OffAirWitness
from ttcs_edge.core.mute import MUTE, MUTED, Mute, Turned
from ttcs_edge.core.mute import STUCK as MUTE_STUCK
from ttcs_edge.core.orders import Given, Orders
from ttcs_edge.core.power import Saving
from ttcs_edge.core.programmes import Programmes
from ttcs_edge.core.receipts import Receipts
from ttcs_edge.core.renewal import ENDS, OVER, Renewal
from ttcs_edge.core.renewal import SUBJECT as CERTIFICATE
from ttcs_edge.core.reports import ModemView, OnAir, SelfTestState, Snapshot
from ttcs_edge.core.self_test import SLOT as PILOT_SLOT
from ttcs_edge.core.self_test import Pilots
from ttcs_edge.core.speech import SPEECH_FAULTS, subject_of
from ttcs_edge.core.streams import STREAM_FAULTS
from ttcs_edge.core.supervision import Detail, Supervision
from ttcs_edge.core.supplies import LEFT_OUT
from ttcs_edge.core.timekeeping import BELOW_FLOOR, SLACK_MS, ClockState, TimeSource, is_ahead, raised_floor
from ttcs_edge.core.trust import alert_subject, judge_chain, live_subject, named_by, trust_subject, utc_ms, utc_text
from ttcs_edge.core.volumes import Volumes
from ttcs_edge.core.walks import Walks
from ttcs_edge.core.withheld import WITHHELD_FAULTS, Name, Withheld
from ttcs_edge.core.witness import METER, SILENT, MeterWitness

BROKER = "broker"
LIVE_LOST = AsRunReason.LIVE_LOST.value
UNTRUSTED_POLL_MS = 1_000
"""How often a station without trusted time looks at its clock again (air-7)."""

WANTED_REFRESH_MS = 3_600_000
"""How often the order of what is to be fetched is made anew: what is due first changes as time goes by."""
WANTED_WHOLE_MS = 6 * WANTED_REFRESH_MS
"""The same when nothing is to be fetched."""
SLOTS_A_TURN = 50
"""How many slots are looked at before anything else may have its turn: a millisecond's worth or two."""
PARTS_A_TURN = 500
"""How many parts of a programme that is let go are freed before anything else may have its turn."""
BREATH_MS, COMING_UP_BREATH_MS = 4, 20
"""How long what is done bit by bit rests between two bits, so that whatever comes meanwhile does not find the
interpreter taken at each of its own steps; and how long while something is on its way to the loudspeakers."""
WANTED_AFTER_START_MS = 1_000
"""When that order is first made: a cue that is due at the start does not wait for it, and no link is up before."""


@dataclass(slots=True)
class _Turn:
    """What one event brings about, by the place that it leaves in."""

    now: Instant
    air: list[Effect] = field(default_factory=list)
    notes: list[Effect] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    after: list[Effect] = field(default_factory=list)
    judged: Judged | None = None

    def effects(self) -> list[Effect]:
        record = [effects.Record(tuple(self.entries))] if self.entries else []
        return [*self.air, *self.notes, *record, *self.after]


class Station:
    """The core of one station. ``boot`` counts its starts: ids made from it are never made again."""

    def __init__(self, settings: StationSettings, boot: int) -> None:
        self.settings = settings
        self.boot = boot
        self.faults = Supervision(boot)
        self.audit = Audit(boot)
        self.programmes = Programmes(settings)
        self.beacons = Beacons(settings)
        self.withheld = Withheld()
        self.renewal = Renewal(settings.id)
        self.commands = Commands(settings)
        self.alerts = Alerts(settings)
        self.receipts = Receipts(boot)
        self.volumes = Volumes(settings)
        self.lives = Lives(settings)
        self.saving = Saving(settings)
        self.box = BoxWatch(settings)
        self.desk = Desk.of(settings, boot, self.alerts, self.volumes, self.lives, self.saving)
        self.key = Key(settings, boot, self.desk)
        self.mute = Mute(settings, self.desk.cues)
        self.meter = MeterWitness(settings)
        self.modem = ModemCare(settings.modem)
        self.budget = DataBudget(settings)
        self.monitor = OffAirWitness(settings, boot)
        self.walks = Walks(settings, boot, self.desk, self.alerts.speech, self.meter)
        self.leases = Leases(settings, boot, self.desk)
        self.ended_by_hand = 0
        self.orders = Orders(settings, boot, self.desk, self.volumes, self.walks)
        self.pilots = Pilots(settings, boot, self.desk)
        self.clock = ClockState()
        self.time_floor_ms = 0
        self.lamps = dict.fromkeys(Place, Lamp.OFF)
        self.display = Shown(settings)
        self.link_up = False
        self.ready_told = False
        self.started = False
        self.stopping = False
        self.left = False
        self.heartbeat_sequence = 0
        self.next_heartbeat_mono_ms = 0
        self.next_wanted_mono_ms = 0
        self.wanted_of_programmes = effects.SetWanted((), frozenset())
        self.wanted_is_known = False
        self.alert_audio_changed = False
        self.level_db = (-120.0, -120.0)
        self.position_ms = 0
        self.underruns = 0

    def handle(self, event: events.Event, now: Instant) -> list[Effect]:
        """Take one event and give the effects, in the order in which they are to be carried out.

        The first event is ``Started``. Raises AssertionError only for a bug of ours.
        """
        assert self.started or isinstance(event, events.Started), f"{event} before Started"
        turn = _Turn(now)
        _ROUTES[type(event)](self, event, turn)
        if turn.judged is not None:
            turn.entries += self.audit.judged(event, turn.judged, now)
        self._run(turn)
        return turn.effects()

    def _run(self, turn: _Turn) -> None:
        now = turn.now
        turn.entries += self.faults.mature(now.wall_ms, now.mono_ms)
        turn.entries += self.audit.overdue(self.settings.id, now)
        self._judge_clock(turn)
        self._judge_trust(turn)
        self._bring_back_programmes(turn)
        self._forget_alerts(turn)
        self._watch_key(turn)
        self._watch_mute(turn)
        self.leases.watch(turn.now)
        self._watch_relays(turn)
        self._watch_meter(turn)
        self._watch_power(turn)
        self._on_conditions(self.monitor.pass_time(now.mono_ms), turn)
        if self.orders.leaves(now):
            self._stop(turn, "command")
        if not self.stopping:
            self.desk.rows.take_due(self.programmes.shelf, now)
        if now.trusted and not self.stopping:
            self.desk.take_due(self.programmes, now)
        self._expire_programmes(turn)
        self._test_zones(turn)
        for _ in range(LIMITS.fixed_point_steps):
            step = self.desk.step(self.programmes, now, self.stopping)
            turn.air += step.effects
            for place, closed in enumerate(step.closed, start=1):
                self._tell_closed(closed, step.closed[place:], turn)
            if not step.effects and not step.closed:
                break
        else:
            raise AssertionError("the desk does not come to rest")
        turn.notes += [] if self.stopping else self.meter.follow(self.desk.playout, now.mono_ms)
        self.monitor.follow(self.desk.on_air, now.mono_ms)
        position = self.desk.time_passed(now)
        if position is not None:
            turn.entries.append(effects.AsRunPosition(position))
        self._judge_silence(turn)
        self._judge_duty(turn)
        self._judge_streams(turn)
        self._judge_withheld(turn)
        self._judge_certificate(turn)
        self._refresh_speech(turn)
        self._refresh_wanted(turn)
        self._tend_modem(turn)
        self._beat(turn)
        self._light(turn)
        if self.stopping and self.desk.playout.quiescent and not self.left:
            self.left = True
            turn.air.append(effects.Leave())  # a card that hangs must not keep it
        self.programmes.let_go(PARTS_A_TURN)
        self._save_beacons(turn)
        turn.entries += self.budget.save(turn.now.mono_ms, others=bool(turn.entries))
        watched_until_ms = self.desk.watched_until_ms(self.programmes)
        if turn.entries and watched_until_ms is not None:
            turn.entries.append(effects.WatchedUntil(watched_until_ms))
        turn.after.append(effects.WakeAt(MonoMs(self._wake_mono_ms(now))))

    def _tell_closed(self, airing: AsRun, others: list[AsRun], turn: _Turn) -> None:
        """A cue is over, and ``others`` with it: the log tells it, and a cue that was not heard whole is a fault of its
        slot until one is. The pilot of a self-test is no cue.
        """
        self.walks.closed(airing, self.programmes, turn.now, self.stopping)
        self.leases.closed(airing)
        if airing.occurrence.slot == PILOT_SLOT:
            self._tell_tested(self.pilots.closed(airing, self.programmes, turn.now, self.stopping), turn)
            turn.after += self.orders.closed(airing)
            return
        turn.entries.append(effects.AsRunClosed(airing))
        left = [*others, *(one.open_record() for one in self.desk.cues.unended() if one.warning is not None)]
        turn.entries += self.receipts.closed(airing, left)
        turn.after += self.orders.closed(airing)
        code, subject = asrun.fault_of(airing), airing.occurrence.subject
        self._clear(turn, LIVE_LOST, subject)
        self._clear(turn, LEFT_OUT, subject)
        for other in asrun.CUE_FAULTS if code or airing.reason is None else ():
            if other != code:
                self._clear(turn, other, subject)
        if code is not None and airing.reason is not None:
            detail = (("reason", airing.reason.value), ("occurrence", str(airing.occurrence)))
            self._raise(turn, code, subject, detail)

    def _test_zones(self, turn: _Turn) -> None:
        """A self-test goes on, or one that is due begins."""
        self.pilots.watch(turn.now, self.meter.doubts)
        if not self.stopping:
            self._tell_tested(self.pilots.begin(self.programmes, turn.now), turn)

    def _tell_tested(self, state: SelfTestState | None, turn: _Turn) -> None:
        if state is not None:
            turn.entries.append(self.audit.tested(self.settings.id, state, turn.now))

    def _judge_silence(self, turn: _Turn) -> None:
        """Silence where sound is due is a fault of its slot until it is heard, or its cue is closed and told."""
        silent = self.desk.silence.watch(self.programmes, turn.now)
        unheard = self.desk.cues.unheard()
        for subject in [subject for code, subject in self.faults.open if code == "silence" and subject not in unheard]:
            self._clear(turn, "silence", subject)
        for subject, reason in silent.items():
            self._raise(turn, "silence", subject, (("reason", reason),))

    def _judge_duty(self, turn: _Turn) -> None:
        """That the amplifier has to rest is told while something waits for it, or nothing is left."""
        if not self.desk.reach.duty.is_bound:
            return
        if self.desk.reach.amplifier_rests(turn.now):
            self._raise(turn, RESTS, AMPLIFIER, self.desk.reach.duty.detail())
        else:
            self._clear(turn, RESTS, AMPLIFIER)

    def _judge_streams(self, turn: _Turn) -> None:
        """What was wrong with a stream is over when it is followed no more."""
        followed = self.desk.relaying.streams.subjects()
        for code, subject in [key for key in self.faults.open if key[0] in STREAM_FAULTS and key[1] not in followed]:
            self._clear(turn, code, subject)

    def _judge_withheld(self, turn: _Turn) -> None:
        """What the beacons name and does not come is asked for, and told."""
        if self.withheld.has_nothing:
            return
        self.withheld.came(self._version_of)
        asked = self.withheld.ask(turn.now)
        turn.notes += asked
        self.alert_audio_changed = self.alert_audio_changed or bool(asked)
        told = self.withheld.faults(turn.now)
        for key in [key for key in self.faults.open if key[0] in WITHHELD_FAULTS and key not in told]:
            self._clear(turn, *key)
        for (code, subject), detail in told.items():
            self._raise(turn, code, subject, detail)

    def _judge_certificate(self, turn: _Turn) -> None:
        """Another certificate is asked for in time, and it is told when none comes."""
        told = self.renewal.faults(turn.now)
        if told is None:
            return
        for code in (ENDS, OVER):
            if code in told:
                self._raise(turn, code, CERTIFICATE, told[code])
            else:
                self._clear(turn, code, CERTIFICATE)
        turn.after += self.renewal.ask(turn.now, self.link_up)

    def _version_of(self, name: Name) -> int:
        """The version of a document that is here."""
        assert self.programmes.trust is not None
        if name.kind == "trust":
            return self.programmes.trust.version
        if name.kind == "alert":
            return self.alerts.version_of((name.scope, name.id))
        return self.programmes.version_of(name.scope)

    def _raise(self, turn: _Turn, code: str, subject: str, detail: Detail = ()) -> bool:
        """A condition is there; tell whether that is news."""
        raised = self.faults.raise_(code, subject, detail, turn.now.wall_ms, turn.now.mono_ms)
        turn.entries += raised
        return bool(raised)

    def _accept(self, turn: _Turn, subject: str, *documents: Signed[Any]) -> None:
        """What the event brought was accepted; without a document it is a file."""
        turn.judged = Judged(subject, documents)

    def _refuse(self, turn: _Turn, subject: str, refused: Refused) -> None:
        """What the event brought was refused: a fault of its subject, once, and for the audit trail to tell."""
        is_news = self._raise(turn, refused.code, subject, refused.detail)
        turn.judged = Judged(subject, refused, is_news)

    def _stop(self, turn: _Turn, why: str) -> None:
        """Begin to leave."""
        if not self.stopping:
            self.stopping = True
            turn.entries.append(self.audit.stopped(self.settings.id, why, turn.now))

    def _clear(self, turn: _Turn, code: str, subject: str) -> None:
        turn.entries += self.faults.clear(code, subject, turn.now.wall_ms)

    def _watch_key(self, turn: _Turn) -> None:
        self.key.watch(turn.now)
        if self.key.is_stuck:
            self._raise(turn, STUCK, MICROPHONE)
        elif self.key.is_known:
            self._clear(turn, STUCK, MICROPHONE)

    def _watch_mute(self, turn: _Turn) -> None:
        """What the mute key did is an entry of the audit trail, and a fault while it lasts."""
        self._tell_turned(self.mute.watch(turn.now), turn)
        if self.desk.cues.muted:
            self._raise(turn, MUTED, MUTE, (("minutes", str(self.mute.length_ms // 60_000)),))
        else:
            self._clear(turn, MUTED, MUTE)
        if self.mute.is_stuck(turn.now):
            self._raise(turn, MUTE_STUCK, MUTE)
        elif self.mute.is_known:
            self._clear(turn, MUTE_STUCK, MUTE)

    def _tell_turned(self, turned: Turned | None, turn: _Turn, by: LocalUser | None = None) -> None:
        if turned is not None:
            fields = (turned.muted, self.settings.id, turned.why, turn.now, by, self.mute.length_ms)
            turn.entries.append(self.audit.turned(*fields))

    def _watch_relays(self, turn: _Turn) -> None:
        for subject in self.desk.playout.speechless(turn.now.mono_ms):
            self._on_relay_failed(events.RelayFailed(subject, "says nothing"), turn)

    def _watch_meter(self, turn: _Turn) -> None:
        if self.meter.speechless(turn.now.mono_ms):
            self._on_meter_failed(events.MeterFailed("says nothing"), turn)

    def _watch_power(self, turn: _Turn) -> None:
        self._on_conditions(self.saving.follow(self.box.hot, turn.now), turn)

    def _tend_modem(self, turn: _Turn) -> None:
        """Have the next step of its cure taken, if one is due; a month of its SIM may be over."""
        if self.settings.modem is None or self.stopping:
            return
        now_mono_ms, holder = turn.now.mono_ms, self.desk.on_air
        is_held_up = holder is not None and holder.kind in (asrun.Kind.ALERT, asrun.Kind.TALK)
        for effect in self.modem.follow(now_mono_ms, is_held_up=is_held_up):
            turn.notes.append(effect)
            if (told := self.modem.told(effect.step, now_mono_ms)) is not None:
                self._on_condition(told, turn)
        self._on_conditions(self.budget.look(turn.now), turn)

    def _judge_clock(self, turn: _Turn) -> None:
        if turn.now.trusted:
            self._clear(turn, "no-time", "clock")
        else:
            self._raise(turn, "no-time", "clock")

    def _see_signed(self, turn: _Turn, subject: str, issued: str, now: Instant, *, at_once: bool = True) -> None:
        """An accepted document tells that it is later than ``issued``: the floor under all clocks follows.

        It goes to disk ``at_once``, or with what beacons leave there now and then (``Beacons.save``).
        """
        trust, issued_ms = self.programmes.trust, utc_ms(issued)
        assert trust is not None
        if is_ahead(issued_ms, now):
            self._raise(turn, "issued-ahead", subject, (("found", issued), ("expected", utc_text(turn.now.wall_ms))))
        floor_ms = raised_floor(self.time_floor_ms, issued_ms, now, utc_ms(trust.expires))
        if floor_ms > self.time_floor_ms:
            self.time_floor_ms = floor_ms
            turn.notes.append(effects.SetTimeFloor(WallMs(floor_ms)))
            if at_once:
                turn.entries.append(effects.TimeFloor(WallMs(floor_ms), trust.version))

    def _save_beacons(self, turn: _Turn) -> None:
        floors = self.beacons.save(turn.now.mono_ms, others=bool(turn.entries))
        if floors:
            assert self.programmes.trust is not None
            turn.entries += floors
            turn.entries.append(effects.TimeFloor(WallMs(self.time_floor_ms), self.programmes.trust.version))

    def _judge_trust(self, turn: _Turn) -> None:
        trust = self.programmes.trust
        assert trust is not None
        self.alerts.nobody_may_speak = self.programmes.trust_is_over(turn.now)
        if self.alerts.nobody_may_speak:
            self.programmes.suspend()
            self._raise(turn, "trust-expired", trust.scope, (("expires", trust.expires),))
        elif turn.now.trusted:
            self._clear(turn, "trust-expired", trust.scope)

    def _bring_back_programmes(self, turn: _Turn) -> None:
        for scope in self.programmes.bring_back(turn.now):
            self._clear(turn, "programme-expired", scope)
            self.next_wanted_mono_ms = 0

    def _expire_programmes(self, turn: _Turn) -> None:
        for scope, version in self.programmes.put_aside_expired(turn.now):
            self._raise(turn, "programme-expired", scope, (("version", str(version)),))
            self._clear_withdrawn_slots(turn)
            self.next_wanted_mono_ms = 0

    def _forget_alerts(self, turn: _Turn) -> None:
        for scope, event in self.alerts.over(turn.now):
            self._forget_alert(scope, event, turn)

    def _forget_alert(self, scope: str, event: str, turn: _Turn) -> None:
        self.alerts.forget((scope, event))
        self.receipts.forget(scope, event)
        turn.entries.append(effects.AlertForgotten(scope, event))
        turn.entries += self.faults.clear_subject(alert_subject(scope, event), turn.now.wall_ms)
        self.alert_audio_changed = True
        self.alerts.speech.changed = True

    def _refresh_wanted(self, turn: _Turn) -> None:
        """What audio is to be had, when that changes. An alert does not wait until ten thousand slots are looked at:
        what they want was found out before, or is not known yet, and then nothing is let go.
        """
        due = turn.now.mono_ms >= self.next_wanted_mono_ms
        if due and self.programmes.look_on(SLOTS_A_TURN, turn.now):
            self.next_wanted_mono_ms = turn.now.mono_ms + self._breath_ms
            self.wanted_is_known = False
        elif due:
            self.wanted_of_programmes = self.programmes.wanted(self.desk.cues.taken(), turn.now)
            again_ms = WANTED_REFRESH_MS if self.wanted_of_programmes.wanted else WANTED_WHOLE_MS
            self.next_wanted_mono_ms = turn.now.mono_ms + again_ms
            self.alert_audio_changed = self.wanted_is_known = True
        if not self.alert_audio_changed:
            return
        self.alert_audio_changed = False
        urgent, keep = self.alerts.wanted(turn.now, self.programmes.cached)
        fetched = self.withheld.wanted(turn.now)
        urgent, keep = [*fetched, *urgent], keep | {one.sha256 for one in fetched}
        known = self.wanted_of_programmes
        lacking = tuple(one for one in known.wanted if one.sha256 not in self.programmes.cached)
        unjudged = frozenset() if self.wanted_is_known else self.programmes.cached
        wanted = effects.SetWanted((*urgent, *lacking), known.keep | self.desk.cues.in_use() | keep | unjudged)
        turn.air.append(wanted)
        if not self.wanted_is_known:
            return
        self.programmes.keep_only(wanted.keep)
        gone = [subject for _, subject in self.faults.open if is_sha256(subject) and subject not in wanted.keep]
        for subject in gone:
            turn.entries += self.faults.clear_subject(subject, turn.now.wall_ms)

    def _refresh_speech(self, turn: _Turn) -> None:
        """Have spoken what is lacking, as soon as anything changed of it; a language that fails is a fault."""
        speech = self.alerts.speech
        standing = turn.now.mono_ms >= self.alerts.standing_mono_ms
        if not speech.changed and standing <= speech.standing:
            return
        speech.changed, speech.standing = False, standing
        wanted = self.alerts.to_speak(self.programmes.shelf, turn.now)
        if wanted != speech.asked:
            speech.asked = wanted
            turn.air.append(effects.Speak(wanted))
        failing = speech.failing()
        over = [key for key in self.faults.open if key[0] in SPEECH_FAULTS and failing.get(key[1]) != key[0]]
        for code, subject in over:
            self._clear(turn, code, subject)

    def _beat(self, turn: _Turn) -> None:
        if turn.now.mono_ms >= self.next_heartbeat_mono_ms:
            self.next_heartbeat_mono_ms = turn.now.mono_ms + self.settings.heartbeat_s * 1_000
            self.heartbeat_sequence += 1
            turn.after.append(effects.Heartbeat(self.heartbeat_sequence))

    def _light(self, turn: _Turn) -> None:
        """What people at the box see changes."""
        seen = self._seen(turn.now)
        for place, before in self.lamps.items():
            lamp = shown(place, seen)
            if lamp is not before:
                self.lamps[place] = lamp
                turn.notes.append(effects.ShowLamp(lamp, place))
        display = self.display.follow(seen, self.desk, self.programmes, self.faults.open.values(), turn.now)
        if display is not None:
            turn.notes.append(effects.ShowDisplay(display))

    def _seen(self, now: Instant) -> Seen:
        errors = [fault for fault in self.faults.open.values() if fault.severity is Severity.ERROR]
        holder = self.desk.on_air
        return Seen(
            stopping=self.stopping,
            has_error=bool(errors),
            time_trusted=now.trusted,
            link_up=self.link_up,
            link_refused=any(fault.subject == BROKER for fault in errors),
            on_air=holder is not None and holder.sounds,
            warns=self.desk.rows.warns,
            muted=self.desk.cues.muted,
        )

    @property
    def _breath_ms(self) -> int:
        """How long what is done bit by bit rests between two bits."""
        return COMING_UP_BREATH_MS if self.desk.is_coming_up else BREATH_MS

    def _wake_mono_ms(self, now: Instant) -> int:
        asked = [self.next_heartbeat_mono_ms, self.next_wanted_mono_ms, self.faults.wake_mono_ms]
        asked.append(self.audit.wake_mono_ms)
        asked.append(self.saving.wake_mono_ms)
        asked += [] if self.stopping else [self.meter.wake_mono_ms(), self.modem.wake_mono_ms()]
        asked.append(self.monitor.wake_mono_ms())
        asked.append(None if self.stopping else self.pilots.wake_mono_ms(now))
        asked += [self.alerts.wake_mono_ms(now), self.orders.wake_mono_ms(now), self.key.wake_mono_ms]
        asked += [self.mute.wake_mono_ms(now), self.leases.wake_mono_ms(now)]
        asked += [
            self.withheld.wake_mono_ms(now),
            self.renewal.wake_mono_ms(now, self.link_up),
            self.lives.wake_mono_ms(now),
            self.desk.relaying.streams.wake_mono_ms(now),
        ]
        asked.append(self.desk.wake_mono_ms(self.programmes, now, self.stopping))
        if self.programmes.leaving:
            asked.append(now.mono_ms + self._breath_ms)
        if not now.trusted:
            asked.append(now.mono_ms + UNTRUSTED_POLL_MS)
        elif (expiry_ms := self.programmes.next_expiry_ms(now)) is not None:
            asked.append(now.mono_ms + expiry_ms - now.wall_ms)
        return max(now.mono_ms, min(mono_ms for mono_ms in asked if mono_ms is not None))

    # what each event tells, one small method an event

    def _on_started(self, event: events.Started, turn: _Turn) -> None:
        self.started = True
        turn.entries.append(self.audit.started(event, self.settings.id, turn.now))
        self.faults.remember(event.open_faults, turn.now.mono_ms)
        self.programmes.remember(event)
        self.beacons.remember(event)
        self.commands.remember(event)
        self.volumes.remember(event)
        self.orders.remember(event)
        self.walks.remember(event)
        self.leases.remember(event)
        self.pilots.remember(event)
        self.alerts.remember(event, turn.now.mono_ms)
        self.receipts.remember(event)
        self.desk.remember(event, turn.now)
        self.lives.remember(turn.now)
        self.time_floor_ms = event.time_floor_ms
        self.next_wanted_mono_ms = turn.now.mono_ms + WANTED_AFTER_START_MS
        turn.notes.append(effects.SetTimeFloor(WallMs(event.time_floor_ms)))
        for record in event.open_as_run:
            closed = asrun.close_cut(record, event.alive_until_ms)
            turn.entries.append(effects.AsRunClosed(closed))
            if asrun.settles(closed):
                self.desk.cues.settled[closed.occurrence] = closed.planned_start_ms
        for key in [key for key in self.faults.open if key[0] in WITHHELD_FAULTS or key[0] == LIVE_LOST]:
            self._clear(turn, *key)  # which sessions there are, and what lacks, nobody knows any more
        gone = [*self.meter.remember(self.faults.open), *self.box.remember(self.faults.open)]
        gone += [*self.modem.stale(self.faults.open), *self.saving.remember(self.faults.open, turn.now)]
        gone += self.monitor.remember(self.faults.open, turn.now.mono_ms)
        for key in gone:
            self._clear(turn, *key)
        self.budget.used = event.data_used
        turn.air += [effect for alert in self.alerts.in_force(turn.now) for effect in _inline_of(alert)]
        for refused in event.refused:
            self._raise(turn, refused.code, refused.subject, refused.detail)

    def _on_time_passed(self, event: events.TimePassed, turn: _Turn) -> None:
        """Nothing but the time: what is due follows from it."""

    def _on_trust(self, event: events.TrustArrived, turn: _Turn) -> None:
        assert self.programmes.trust is not None
        subject, roots, before = trust_subject(event.topic_scope), event.roots, self.programmes.trust
        turn.after.append(effects.Acknowledge(event.delivery))
        if isinstance(roots, Refused):
            self._refuse(turn, subject, roots)
            return
        judged = judge_chain(roots, trust=before, topic_scope=event.topic_scope, now=turn.now)
        if isinstance(judged, Refused):
            self._refuse(turn, subject, judged)
            return
        turn.entries += self.faults.clear_subject(subject, turn.now.wall_ms)
        if isinstance(judged, TrustRoot):
            new = [signed for signed in roots if signed.document.version > before.version]
            turn.entries += [effects.TrustAccepted(one.document.version, one.envelope) for one in new]
            self._accept(turn, subject, *new)
            self._take_root(judged, turn)

    def _take_root(self, root: TrustRoot, turn: _Turn) -> None:
        """A key that was revoked counts no more from now on, for what it had signed before, too (never-1)."""
        fields = (("scope", root.scope), ("version", str(root.version)))
        turn.notes += [effects.SetTrustRoot(root), effects.Note("warning", "trust-root-in-force", fields)]
        for scope in self.programmes.take_root(root):
            turn.entries.append(effects.ProgrammeForgotten(scope))
            self._raise(turn, "programme-revoked", scope)
        for key in self.alerts.take_root(root):
            self._forget_alert(*key, turn)
            self._raise(turn, "alert-revoked", alert_subject(*key))
        for scope in self.beacons.take_root(root):
            self.withheld.forget(scope)
        self.lives.take_root(root)
        self.volumes.take_root(root)
        turn.after += self.orders.take_root(root, turn.now)
        self._clear_withdrawn_slots(turn)
        self.next_wanted_mono_ms = 0
        self._begin_floor(root, turn)

    def _begin_floor(self, root: TrustRoot, turn: _Turn) -> None:
        """A new root begins a new floor under all clocks. One that a stolen key put where no true time reaches it is
        left behind by a start: what was settled meanwhile is read anew.
        """
        if turn.now.trusted:
            floor_ms = self.time_floor_ms
        else:
            issued = (root.issued, *(one.issued for one in self.programmes.documents()))
            floor_ms = max(utc_ms(text) for text in issued)
        turn.entries.append(effects.TimeFloor(WallMs(floor_ms), root.version))
        told = [word.found_ms for word in self.clock.words if word.word == BELOW_FLOOR and word.found_ms is not None]
        if not turn.now.trusted and any(ms >= floor_ms - SLACK_MS for ms in told):
            self._stop(turn, "trust-root")

    def _on_programme(self, event: events.ProgrammeArrived, turn: _Turn) -> None:
        verdict = self.programmes.judge(event, turn.now)
        turn.after.append(effects.Acknowledge(event.delivery))
        if verdict.refused is not None:
            self._refuse(turn, event.topic_scope, verdict.refused)
            self.withheld.refused(Scope(event.topic_scope), turn.now)
            return
        turn.entries += self.faults.clear_subject(event.topic_scope, turn.now.wall_ms)
        if verdict.accepted is not None:
            programme = verdict.accepted.document
            accepted = effects.ProgrammeAccepted(programme.scope, programme.version, verdict.accepted.envelope)
            turn.entries += [accepted, *verdict.raised]
            self._accept(turn, event.topic_scope, verdict.accepted)
            self._see_signed(turn, programme.scope, programme.issued, turn.now)
            if (replaced := verdict.replaced) is not None:
                kept = effects.EarlierKept(programme.scope, replaced.document.version, replaced.envelope)
                turn.entries.append(kept)
            fields = (("scope", programme.scope), ("version", str(programme.version)))
            turn.notes.append(effects.Note("info", "programme-in-force", fields))
            self._clear_withdrawn_slots(turn)
        # Who brings a programme may have its audio at hand, and ask what is wanted: also within a second of the start.
        if verdict.accepted is not None or self.next_wanted_mono_ms <= turn.now.mono_ms + WANTED_AFTER_START_MS:
            self.next_wanted_mono_ms = 0

    def _on_beacon(self, event: events.BeaconArrived, turn: _Turn) -> None:
        assert self.programmes.trust is not None
        subject, now = beacon_subject(event.topic_scope), turn.now
        if self.clock.source is TimeSource.SIGNED:
            # A clock that beacons have set is late by what held them back, and must not hold that against the next one.
            now = replace(now, trusted=False)
        verdict = self.beacons.judge(event, self.programmes.trust, now)
        turn.after.append(effects.Acknowledge(event.delivery))
        if verdict.refused is not None:
            self._refuse(turn, subject, verdict.refused)
            return
        turn.entries += self.faults.clear_subject(subject, turn.now.wall_ms)
        if verdict.accepted is not None:
            self._see_signed(turn, subject, verdict.accepted.document.issued, now, at_once=False)
            self.withheld.hear(verdict.accepted.document, self._version_of, event.live, turn.now)
        if verdict.time is not None:
            turn.after.append(verdict.time)

    def _on_alert(self, event: events.AlertArrived, turn: _Turn) -> None:
        assert self.programmes.trust is not None
        subject = alert_subject(*event.topic)
        verdict = self.alerts.judge(event, self.programmes.trust, self.time_floor_ms, turn.now)
        turn.after.append(effects.Acknowledge(event.delivery))
        if verdict.refused is not None:
            scope, name = event.topic
            self._refuse(turn, alert_subject(scope, named_by(event.alert, name)), verdict.refused)
            return
        turn.entries += self.faults.clear_subject(subject, turn.now.wall_ms)
        if verdict.forgotten is not None:
            self._forget_alert(*verdict.forgotten, turn)
        if verdict.accepted is not None:
            alert = verdict.accepted.document
            until_ms = WallMs(self.alerts.until_ms[event.topic])
            accepted = effects.AlertAccepted(*event.topic, alert.version, verdict.accepted.envelope, until_ms)
            turn.entries += [accepted, self.receipts.accepted(alert)]
            self._accept(turn, subject, verdict.accepted)
            self._see_signed(turn, subject, alert.sent, turn.now)
            turn.air += _inline_of(alert)
            fields = (("scope", alert.scope), ("id", alert.id), ("version", str(alert.version)))
            turn.notes.append(effects.Note("info", "alert-accepted", fields))
            self.alert_audio_changed = True
            self.alerts.speech.changed = True

    def _on_live(self, event: events.LiveArrived, turn: _Turn) -> None:
        assert self.programmes.trust is not None
        known = self.lives.sessions.get(event.topic)
        session = self.lives.judge(event, self.programmes.trust, turn.now)
        if isinstance(session, Refused):
            scope, name = event.topic
            self._refuse(turn, live_subject(scope, named_by(event.segment, name)), session)
        if not isinstance(session, Session):
            return
        if session is not known:
            self._accept(turn, session.subject, session.signed)
        self.desk.relaying.take(session, self.programmes, turn.now)
        play = self.desk.relaying.play_of(session)
        if play is not None:
            turn.air += [feed(play, segment) for segment in session.take(turn.now)]

    def _on_command(self, event: events.CommandArrived, turn: _Turn) -> None:
        assert self.programmes.trust is not None
        subject = self.commands.subject
        verdict = self.commands.judge(event, self.programmes.trust, turn.now)
        if (refused := verdict.refused) is not None:
            self._refuse(turn, subject, refused)
            if refused.version is not None and event.correlation:  # without it an answer is nobody's
                answer = effects.Answer(refused.version, event.correlation, "", "refused", refused.code, refused.detail)
                turn.after.append(answer)
        elif verdict.accepted is not None:
            command = verdict.accepted.document
            action, _ = command.action
            turn.entries += self.faults.clear_subject(subject, turn.now.wall_ms)
            turn.entries += [*verdict.raised, *self.orders.to_keep(verdict.accepted)]
            self._accept(turn, subject, verdict.accepted)
            self._see_signed(turn, subject, command.issued, turn.now)
            fields = (("version", str(command.version)), ("action", action))
            turn.notes.append(effects.Note("info", "command-accepted", fields))
            given = Given(verdict.accepted, event.correlation)
            turn.after += self.orders.obey(given, self.programmes, turn.now)
        turn.after.append(effects.Acknowledge(event.delivery))

    def _on_certificate(self, event: events.CertificateArrived, turn: _Turn) -> None:
        certificate = event.certificate
        if isinstance(certificate, Refused):
            self._refuse(turn, CERTIFICATE, certificate)
        else:
            for code, subject in [key for key in self.faults.open if key[1] == CERTIFICATE]:
                if code not in (ENDS, OVER):
                    self._clear(turn, code, subject)
            if self.renewal.is_news(certificate):
                self._accept(turn, CERTIFICATE)
                turn.after.append(effects.KeepCertificate(certificate, event.delivery))
                return
        turn.after.append(effects.Acknowledge(event.delivery))

    def _on_certificate_known(self, event: events.CertificateKnown, turn: _Turn) -> None:
        self.renewal.take(event.certificate)
        if event.delivery:
            turn.after.append(effects.Acknowledge(event.delivery))

    def _on_config_checked(self, event: events.ConfigChecked, turn: _Turn) -> None:
        turn.after += self.orders.config_checked(event, turn.now)

    def _on_answer_gone(self, event: events.AnswerGone, turn: _Turn) -> None:
        self.orders.answer_gone(event, turn.now)

    def _clear_withdrawn_slots(self, turn: _Turn) -> None:
        told = [key for key in self.faults.open if key[0] in asrun.CUE_FAULTS]
        known = self.programmes.slot_subjects() | self.alerts.subjects() if told else frozenset()
        for code, subject in told:
            if subject not in known:
                self._clear(turn, code, subject)

    def _on_audio_stored(self, event: events.AudioStored, turn: _Turn) -> None:
        turn.notes += self.withheld.stored(event.sha256)
        self.programmes.audio_stored(event.sha256)
        self.desk.cues.make_all_again(self.programmes, turn.now)
        self.alerts.speech.changed = True
        turn.entries += self.faults.clear_subject(event.sha256, turn.now.wall_ms)

    def _on_audio_failed(self, event: events.AudioFailed, turn: _Turn) -> None:
        if (event.code, event.sha256) not in self.faults.open:
            turn.entries += self.faults.clear_subject(event.sha256, turn.now.wall_ms)
        self._raise(turn, event.code, event.sha256, event.detail)

    def _on_audio_carried(self, event: events.AudioCarried, turn: _Turn) -> None:
        """Only for the audit trail: what it is worth, ``AudioStored`` or ``AudioFailed`` tells."""
        if event.code is None:
            self._accept(turn, event.sha256)
        else:
            turn.judged = Judged(event.sha256, Refused(event.code, event.sha256))

    def _on_audio_lost(self, event: events.AudioLost, turn: _Turn) -> None:
        self.programmes.audio_lost(event.sha256, event.code)
        self.alerts.speech.lost(event.sha256)
        self.alerts.speech.changed = True
        self.desk.cues.make_all_again(self.programmes, turn.now)
        self._raise(turn, event.code, event.sha256)
        self.next_wanted_mono_ms = 0

    def _on_voices(self, event: events.VoicesKnown, turn: _Turn) -> None:
        self.alerts.speech.voices = event.languages
        self.alerts.speech.changed = True
        self.desk.rows.take_anew()

    def _on_spoken(self, event: events.Spoken, turn: _Turn) -> None:
        if event.utterance not in self.alerts.speech.asked:
            return  # nobody wants it any more
        self.alerts.speech.spoken(event)
        self.programmes.audio_stored(event.sha256)
        turn.entries += self.faults.clear_subject(event.sha256, turn.now.wall_ms)
        self.alert_audio_changed = True  # it must be kept
        self._speech_came(turn)

    def _on_not_spoken(self, event: events.NotSpoken, turn: _Turn) -> None:
        if event.utterance not in self.alerts.speech.asked:
            return
        self.alerts.speech.not_spoken(event)
        subject = subject_of(event.utterance.language)
        detail = (("language", event.utterance.language), ("error", event.error))
        self._raise(turn, self.alerts.speech.failing()[subject], subject, detail)
        self._speech_came(turn)

    def _speech_came(self, turn: _Turn) -> None:
        self.desk.cues.make_all_again(self.programmes, turn.now)
        self.alerts.speech.changed = True

    def _on_player_ready(self, event: events.PlayerReady, turn: _Turn) -> None:
        self.desk.player_ready(event)
        self._clear(turn, "player-died", "player")
        if not self.ready_told:
            self.ready_told = True
            turn.after.append(effects.NotifyReady())

    def _on_player_gone(self, event: events.PlayerGone, turn: _Turn) -> None:
        self.position_ms = 0
        self._raise(turn, "player-died", "player", (("reason", event.reason),))
        self.desk.player_gone(event, turn.now)

    def _on_sound_started(self, event: events.SoundStarted, turn: _Turn) -> None:
        record = self.desk.sound_started(event, turn.now)
        if record is not None:
            if record.occurrence.slot != PILOT_SLOT:
                turn.entries.append(effects.AsRunOpened(record))
                turn.entries += self.receipts.opened(record)
            for subject in (AMPLIFIER, *record.zones):  # they did as told
                self._clear(turn, "relay", subject)
        holder = self.desk.on_air
        if holder is None or holder.play != event.play:
            return
        for subject in holder.zones if holder.served else ():  # the zones of a later turn did as told, too
            self._clear(turn, "relay", subject)
        if left_out := self.desk.reach.left_out(holder):
            self._raise(turn, LEFT_OUT, holder.cue.occurrence.subject, (("zones", ", ".join(left_out)),))
        if holder.kind is asrun.Kind.TALK:
            for code in ("relay", "sound-input"):
                self._clear(turn, code, MICROPHONE)
        if holder.session is not None:
            self._clear(turn, LIVE_LOST, holder.session.subject)

    def _on_sound_progress(self, event: events.SoundProgress, turn: _Turn) -> None:
        self.level_db = (event.rms_db, event.peak_db)
        self.position_ms = event.written_ms
        self.underruns = event.underruns
        self.meter.sounds(event.play, event.rms_db, turn.now.mono_ms)
        self.walks.sounds(event)
        record = self.desk.sound_progress(event, turn.now)
        if record is not None and record.occurrence.slot != PILOT_SLOT:
            turn.entries.append(effects.AsRunPosition(record))

    def _on_sound_ended(self, event: events.SoundEnded, turn: _Turn) -> None:
        self.position_ms = 0
        if event.failure == "sound-input":
            self._raise(turn, event.failure, MICROPHONE)
        session = None if self.desk.on_air is None else self.desk.on_air.session
        if event.failure == LIVE_LOST and session is not None:
            self._raise(turn, LIVE_LOST, session.subject)
        self.desk.endings.sound_ended(event, self.programmes, turn.now)
        self.alerts.speech.changed = True  # what proved to be no audio may have to be spoken

    def _on_stream_heard(self, event: events.StreamHeard, turn: _Turn) -> None:
        stream = self.desk.relaying.streams.heard(event.stream, turn.now)
        if stream is None:
            return
        for code in STREAM_FAULTS:
            self._clear(turn, code, stream.subject)

    def _on_stream_failed(self, event: events.StreamFailed, turn: _Turn) -> None:
        stream = self.desk.relaying.streams.of(event.stream)
        if stream is None:
            return
        for code in STREAM_FAULTS:
            if code != event.code:
                self._clear(turn, code, stream.subject)
        self._raise(turn, event.code, stream.subject, event.detail)

    def _on_sound_device(self, event: events.SoundDevice, turn: _Turn) -> None:
        if event.ok:
            self._clear(turn, "sound-device", event.device)
            self.desk.reach.device_works()
        else:
            self.desk.reach.device_gone()
            self._raise(turn, "sound-device", event.device, (("error", event.error),))

    def _on_relay_switched(self, event: events.RelaySwitched, turn: _Turn) -> None:
        self.desk.playout.relay_switched(event.subject, turn.now.mono_ms)

    def _on_relay_failed(self, event: events.RelayFailed, turn: _Turn) -> None:
        self.desk.playout.relay_failed(event.subject, turn.now.mono_ms)
        self._raise(turn, "relay", event.subject, (("error", event.error),))

    def _on_meter_read(self, event: events.MeterRead, turn: _Turn) -> None:
        self._on_conditions(self.meter.read(event.reading, turn.now.mono_ms), turn)
        self.walks.read(event.reading, turn.now)
        holder = self.desk.on_air
        if holder is not None and holder.play == self.meter.state.play and self.meter.seen is not None:
            holder.seen(self.meter.seen)

    def _on_meter_failed(self, event: events.MeterFailed, turn: _Turn) -> None:
        self.meter.failed(turn.now.mono_ms)
        self._raise(turn, SILENT, METER, (("error", event.error),))

    def _on_modem_read(self, event: events.ModemRead, turn: _Turn) -> None:
        self._on_conditions(self.modem.read(event.reading), turn)

    def _on_modem_failed(self, event: events.ModemFailed, turn: _Turn) -> None:
        self._on_conditions(self.modem.failed(event), turn)

    def _on_data_counted(self, event: events.DataCounted, turn: _Turn) -> None:
        self._on_conditions(self.budget.count(event.counter_bytes, event.counter_of, turn.now), turn)

    def _on_cure_done(self, event: events.CureDone, turn: _Turn) -> None:
        self.modem.done(event, turn.now.mono_ms)
        fields = (("step", event.step.value), ("error", event.error))
        turn.notes.append(effects.Note("warning" if event.error else "info", "modem-cure", fields))

    def _on_off_air(self, event: events.OffAirHeard, turn: _Turn) -> None:
        holder = self.desk.on_air
        findings, wanted = self.monitor.heard(event.reading, holder, turn.now.mono_ms)
        self._on_conditions(findings, turn)
        turn.notes += wanted
        if holder is not None and self.monitor.seen is not None:
            holder.seen(self.monitor.seen)

    def _on_monitor_failed(self, event: events.MonitorFailed, turn: _Turn) -> None:
        self.monitor.failed()
        self._raise(turn, LOST, MONITOR, (("error", event.error),))

    def _on_recording(self, event: events.RecordingKept, turn: _Turn) -> None:
        self._on_conditions(self.monitor.recorded(event), turn)

    def _on_key(self, event: events.KeyChanged, turn: _Turn) -> None:
        self.key.changed(event, turn.now)

    def _on_mute_key(self, event: events.MuteKeyChanged, turn: _Turn) -> None:
        self._tell_turned(self.mute.changed(event, turn.now), turn)

    def _on_walk(self, event: events.WalkAsked, turn: _Turn) -> None:
        if not self.stopping and self.walks.ask(event, self.programmes, turn.now):
            self._accept(turn, self.settings.id)

    def _on_walk_left(self, event: events.WalkLeft, turn: _Turn) -> None:
        self.walks.stop(event.number, AsRunReason.STOPPED_BY_HAND, turn.now)

    def _on_lease(self, event: events.LeaseAsked, turn: _Turn) -> None:
        if not self.stopping and self.leases.ask(event, self.programmes, turn.now):
            self._accept(turn, self.settings.id)

    def _on_lease_left(self, event: events.LeaseLeft, turn: _Turn) -> None:
        self.leases.stop(event.number, AsRunReason.STOPPED_BY_HAND, turn.now)

    def _on_tests_stopped(self, event: events.TestsStopped, turn: _Turn) -> None:
        """What the centre has ordered is not his to end; what is on its way down is ended once."""
        walk, lease = self.walks.going_on, self.leases.going_on
        number = lease.number if lease is not None else walk.number if walk is not None and walk.by is not None else 0
        if number in (0, self.ended_by_hand):
            return
        self.ended_by_hand = number
        for tests in (self.walks, self.leases):
            tests.stop(number, AsRunReason.STOPPED_BY_HAND, turn.now)
        self._accept(turn, self.settings.id)

    def _on_mute_asked(self, event: events.MuteAsked, turn: _Turn) -> None:
        self._tell_turned(self.mute.ask(event.length_ms, turn.now), turn, event.by)

    def _on_deed_refused(self, event: events.DeedRefused, turn: _Turn) -> None:
        turn.judged = Judged(event.deed, Refused("not-root", event.deed))

    def _on_link(self, event: events.LinkChanged, turn: _Turn) -> None:
        self.link_up = event.up
        self.withheld.link(event.up, turn.now)
        self._on_conditions(self.modem.link(event, turn.now.mono_ms), turn)
        if event.up:
            turn.entries += self.faults.clear_subject(BROKER, turn.now.wall_ms)
            self.faults.pending.pop(("link-down", BROKER), None)
            self.next_heartbeat_mono_ms = turn.now.mono_ms
        elif event.reason == "session-taken-over":
            self._raise(turn, event.reason, BROKER, event.detail)
        else:
            self._raise(turn, "link-down", BROKER, (("reason", event.reason), *event.detail))

    def _on_condition(self, event: events.ConditionChanged, turn: _Turn) -> None:
        if event.present:
            self._raise(turn, event.code, event.subject, event.detail)
        else:
            self._clear(turn, event.code, event.subject)

    def _on_supply(self, event: events.SupplyTold, turn: _Turn) -> None:
        self._on_conditions(self.saving.take(event, turn.now), turn)

    def _on_box(self, event: events.BoxTold, turn: _Turn) -> None:
        found, blown = self.box.take(event)
        self._on_conditions(found, turn)
        turn.notes += blown

    def _on_door(self, event: events.DoorMoved, turn: _Turn) -> None:
        """Who opens it is at the box: somebody may have to answer for what follows."""
        self.box.door_is_open = event.is_open
        if not event.is_open:
            self._clear(turn, DOOR_OPEN, BOX)
        elif self._raise(turn, DOOR_OPEN, BOX):
            turn.entries.append(self.audit.opened(self.settings.id, turn.now))

    def _on_conditions(self, found: Iterable[events.ConditionChanged], turn: _Turn) -> None:
        for condition in found:
            self._on_condition(condition, turn)

    def _on_clock(self, event: events.ClockChanged, turn: _Turn) -> None:
        """A source that tells a time before the floor is not believed, and somebody must look at it."""
        self.clock = event.clock
        found_ms = {told.source.value: told.found_ms for told in event.clock.words if told.word == BELOW_FLOOR}
        mended = [name for code, name in self.faults.open if code == "time-below-floor" and name not in found_ms]
        for name in mended:
            self._clear(turn, "time-below-floor", name)
        for name, wall_ms in found_ms.items():
            detail = (("found", utc_text(wall_ms or 0)), ("expected", f">= {utc_text(event.clock.floor_ms)}"))
            self._raise(turn, "time-below-floor", name, detail)

    def _on_stop(self, event: events.StopRequested, turn: _Turn) -> None:
        self._stop(turn, "signal")

    def _clock_since_ms(self, now: Instant) -> WallMs | None:
        """Since when the source in force is, by its own time."""
        if not now.trusted or self.clock.source is None:
            return None
        return WallMs(now.wall_ms - now.mono_ms + self.clock.since_mono_ms)

    def snapshot(self, now: Instant) -> Snapshot:
        """Tell the state at this instant; changes nothing."""
        playout, airing = self.desk.playout, self.desk.on_air
        on_air = None
        if airing is not None and playout.sounding is not None and airing.start_ms is not None:
            cue = airing.cue
            position_ms = airing.play_from_ms + self.position_ms
            if airing.sounds_since_mono_ms is not None and not airing.needs_player:
                position_ms += now.mono_ms - airing.sounds_since_mono_ms  # no samples are counted
            start_ms = airing.start_ms
            on_air = OnAir(
                str(cue.occurrence), cue.title, airing.zones, start_ms, position_ms, cue.duration_ms, *self.level_db
            )
        state = "on-air" if on_air else "idle" if now.trusted else "no-time"
        return Snapshot(
            station=self.settings.id,
            scope=self.settings.scope,
            wall_ms=WallMs(now.wall_ms),
            clock_trusted=now.trusted,
            state="stopping" if self.stopping else state,
            amplifier=playout.amplifier_state(now.mono_ms),
            zones_closed=tuple(playout.closed),
            on_air=on_air,
            next_cues=self.desk.next_cues(self.programmes, now),
            programmes=self.programmes.in_force(),
            cache=self.programmes.cache(),
            faults=tuple(sorted(self.faults.open.values(), key=lambda fault: (fault.raised_ms, fault.id))),
            link_up=self.link_up,
            player_up=self.desk.reach.player_up,
            underruns=self.underruns,
            clock_source=self.clock.source if now.trusted else None,
            clock_since_ms=self._clock_since_ms(now),
            clock_words=self.clock.words,
            volumes=self.volumes.in_force(now),
            meter=self.meter.reading,
            power=self.saving.state(),
            box=self.box.state(),
            modem=self._modem_view(now),
            self_test=self.pilots.last,
            off_air=self.monitor.reading,
        )

    def _modem_view(self, now: Instant) -> ModemView | None:
        if self.settings.modem is None:
            return None
        reading = self.modem.reading
        return ModemView(
            answers=reading is not None,
            sim=None if reading is None else reading.sim,
            registration=None if reading is None else reading.registration,
            operator="" if reading is None else reading.operator,
            signal_dbm=None if reading is None else reading.signal_dbm,
            used_bytes=self.budget.month_bytes,
            budget_bytes=self.settings.modem.budget_bytes,
            cures=self.modem.cures(now.mono_ms),
        )


def _inline_of(alert: Alert) -> list[Effect]:
    """What of an alert came inside it: it is there at once, and again after a start."""
    return [
        effects.KeepInline(Sha256(info.audio.sha256), info.inline)
        for info in alert.info
        if info.audio is not None and info.inline
    ]


_ROUTES: dict[type, Callable[[Station, Any, _Turn], None]] = {
    events.Started: Station._on_started,
    events.TimePassed: Station._on_time_passed,
    events.TrustArrived: Station._on_trust,
    events.ProgrammeArrived: Station._on_programme,
    events.BeaconArrived: Station._on_beacon,
    events.AlertArrived: Station._on_alert,
    events.CommandArrived: Station._on_command,
    events.LiveArrived: Station._on_live,
    events.AudioStored: Station._on_audio_stored,
    events.AudioFailed: Station._on_audio_failed,
    events.AudioCarried: Station._on_audio_carried,
    events.AudioLost: Station._on_audio_lost,
    events.VoicesKnown: Station._on_voices,
    events.Spoken: Station._on_spoken,
    events.NotSpoken: Station._on_not_spoken,
    events.PlayerReady: Station._on_player_ready,
    events.PlayerGone: Station._on_player_gone,
    events.SoundStarted: Station._on_sound_started,
    events.SoundProgress: Station._on_sound_progress,
    events.SoundEnded: Station._on_sound_ended,
    events.StreamHeard: Station._on_stream_heard,
    events.StreamFailed: Station._on_stream_failed,
    events.SoundDevice: Station._on_sound_device,
    events.RelayFailed: Station._on_relay_failed,
    events.RelaySwitched: Station._on_relay_switched,
    events.MeterRead: Station._on_meter_read,
    events.MeterFailed: Station._on_meter_failed,
    events.ModemRead: Station._on_modem_read,
    events.ModemFailed: Station._on_modem_failed,
    events.DataCounted: Station._on_data_counted,
    events.CureDone: Station._on_cure_done,
    events.OffAirHeard: Station._on_off_air,
    events.MonitorFailed: Station._on_monitor_failed,
    events.RecordingKept: Station._on_recording,
    events.KeyChanged: Station._on_key,
    events.MuteKeyChanged: Station._on_mute_key,
    events.LinkChanged: Station._on_link,
    events.ConditionChanged: Station._on_condition,
    events.SupplyTold: Station._on_supply,
    events.BoxTold: Station._on_box,
    events.DoorMoved: Station._on_door,
    events.ClockChanged: Station._on_clock,
    events.CertificateArrived: Station._on_certificate,
    events.CertificateKnown: Station._on_certificate_known,
    events.ConfigChecked: Station._on_config_checked,
    events.AnswerGone: Station._on_answer_gone,
    events.WalkAsked: Station._on_walk,
    events.WalkLeft: Station._on_walk_left,
    events.LeaseAsked: Station._on_lease,
    events.LeaseLeft: Station._on_lease_left,
    events.TestsStopped: Station._on_tests_stopped,
    events.MuteAsked: Station._on_mute_asked,
    events.DeedRefused: Station._on_deed_refused,
    events.StopRequested: Station._on_stop,
}
