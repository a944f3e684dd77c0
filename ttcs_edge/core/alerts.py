"""The alerts in force, and what is due of each: rounds, and of a round its tone and what is said in each language.

An alert is one event, known by its scope and its id; of its messages the newest holds, and it alone is kept, until it
has expired (decision 25). It is heard in rounds: at once, and again every ``repeat_s``. A round is a row of cues, the
tone for all its zones and then each language for the zones that list it (air-8), with identities of their own: a cue
that was heard is settled and does not come again, whatever restarts.

- With trusted time rounds are counted from ``effective``, or from when it was sent, so that all stations speak
  together and one that returns joins the round that is on. Without, the first is due at once and the next ones follow
  by the station's own pace.
- A round that is due ends the one before: what of that could not be heard by then is told. It waits for what of that
  can be heard: rounds are never closer together than what they say is long.
- A ``Cancel`` has one round, and only where it asks to be heard.
- A recording is heard where there is one; else what the station itself speaks (``speech``). A recording that is still
  to be fetched is waited for as long as the tone is repeated, one that proved to be none not at all.
- A zone of whose languages none can be heard hears another one of the alert's: the row is made with what is known then.
- It ranks above all else, real ones above drills; among them by air-1.
- A drill is told as one, in its row, before anything of it is heard and behind all of it (``drills``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.structs import replace

from ttcs_edge.core import events, trust
from ttcs_edge.core.air import ALERT
from ttcs_edge.core.documents import Alert, AlertInfo, Audio, Refused, Signed, TrustRoot
from ttcs_edge.core.drills import announced_in, phrase, standing
from ttcs_edge.core.effects import WantedAudio
from ttcs_edge.core.library import Resolved, Shelf, zones_of
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import (
    ALERT_PREFIX,
    AsRunReason,
    AudioItem,
    Cue,
    IfInterrupted,
    Instant,
    Occurrence,
    Rank,
    Sha256,
    StationSettings,
    Utterance,
    WallMs,
    Zone,
    ZoneId,
    scope_prefixes,
)
from ttcs_edge.core.speech import Speech, utterance_of
from ttcs_edge.core.supplies import turns
from ttcs_edge.core.trust import CAP_SEVERITIES, CAP_URGENCIES, utc_ms
from ttcs_edge.core.zone_names import all_names, names_of

TONE_MOST_MS = 60_000
"""How long the tone of an alert is repeated while no word of it can be heard yet, and a recording waited for."""
TONE, WORDS, BEFORE, AFTER = "tone", "words", "before", "after"
"""The kinds of parts of a round: the tone, which comes before all words, and what is said around a drill."""
STANDING_AFTER_START_MS = 60_000
"""When what is said around drills is made ahead, with the first event behind this: the first minute of a life has more
urgent things, and this needs no wake of its own.
"""
STATUSES = ("Test", "Exercise", "Actual")
"""A drill never takes the air from what is real."""

KNOWN_LONGER_MS = 86_400_000
MINUTE_MS = 60_000
"""For how long an alert that has expired is still known: a clock that was ahead is set back, and it must not return."""

Event = tuple[str, str]
"""Scope and id."""
RowKey = tuple[str, str, int, int]
"""Scope, id, version and round."""
Tones = Mapping[str, AudioItem]
"""The tone of each severity."""


class AlertCue(Struct, frozen=True):
    """A part of a round, of a ``kind``; ``language`` is None for the tone. ``parts`` counts those of the round."""

    occurrence: Occurrence
    alert: Alert
    round: int
    language: str | None
    zones: tuple[Zone, ...]
    kind: str
    parts: int

    @property
    def row(self) -> RowKey:
        """Of which round it is a part."""
        return self.alert.scope, self.alert.id, self.alert.version, self.round

    @property
    def utterance(self) -> Utterance | None:
        """What the station itself may say of it; None for the tone."""
        if self.language is None:
            return None
        if self.kind == WORDS:
            return utterance_of(_info(self.alert, self.language))
        return phrase(self.alert.status, self.language, after=self.kind == AFTER)


class Verdict(Struct, frozen=True):
    """What came of a message: accepted, refused, or (neither) known already. ``forgotten`` had to make room for it."""

    accepted: Signed[Alert] | None = None
    refused: Refused | None = None
    forgotten: Event | None = None


class Round(Struct, frozen=True):
    """The newest round of an alert that was taken in this life, and when."""

    version: int
    number: int
    mono_ms: int


@dataclass(slots=True)
class Alerts:
    """The newest message of each event. ``until_ms`` is how long it must be known, so that none before it returns;
    ``first`` is the first round of that message in this life; ``nobody_may_speak`` while the trust root has expired.
    """

    settings: StationSettings
    tones: Tones = field(default_factory=dict)
    signed: dict[Event, Signed[Alert]] = field(default_factory=dict)
    until_ms: dict[Event, int] = field(default_factory=dict)
    rounds: dict[Event, Round] = field(default_factory=dict)
    heard: dict[Event, Round] = field(default_factory=dict)
    first: dict[Event, Round] = field(default_factory=dict)
    speech: Speech = field(default_factory=Speech)
    taken: deque[tuple[int, Rank]] = field(default_factory=lambda: deque(maxlen=LIMITS.alerts_a_minute))
    """When each of the last messages was taken, and how urgent it was."""
    standing_mono_ms: int = 0
    nobody_may_speak: bool = False

    def remember(self, event: events.Started, mono_ms: int) -> None:
        """Take over what the store remembers, verified again by the shell, and which rounds of it were heard."""
        self.tones = dict(event.tones)
        self.standing_mono_ms = mono_ms + STANDING_AFTER_START_MS
        for known in event.alerts:
            key = _event(known.signed.document)
            self.signed[key], self.until_ms[key] = known.signed, known.until_ms
        of_alerts = (occurrence for occurrence, _ in event.settled if occurrence.is_of_alert)
        for key, version, number in map(_round_of, of_alerts):
            before = self.heard.get(key)
            if before is None or (before.version, before.number) < (version, number):
                self.heard[key] = Round(version, number, mono_ms)

    def judge(self, event: events.AlertArrived, root: TrustRoot, floor_ms: int, now: Instant) -> Verdict:
        """Decide on a message that arrived, and put it in force when it is accepted."""
        if isinstance(event.alert, Refused):
            return Verdict(refused=event.alert)
        known = self.signed.get(event.topic)
        judged = trust.judge_alert(
            event.alert,
            trust=root,
            topic=event.topic,
            station_scope=self.settings.scope,
            known=known.document if known is not None else None,
            floor_ms=floor_ms,
            now=now,
        )
        if isinstance(judged, Refused):
            return Verdict(refused=judged)
        if isinstance(judged, trust.AlreadyInForce):
            return Verdict()
        ends = _ends(event.alert.document, known.document if known is not None else None)
        if not ends and self._is_too_fast(event.alert.document, now):
            expected = (("expected", f"<= {LIMITS.alerts_a_minute} / min"),)
            return Verdict(refused=Refused("alerts-too-fast", trust.alert_subject(*event.topic), expected))
        forgotten = None
        if known is None and len(self.signed) >= LIMITS.alerts:
            forgotten = min(self.signed, key=lambda key: self._worth(self.signed[key].document, now))
            if self._worth(self.signed[forgotten].document, now) >= self._worth(event.alert.document, now):
                subject = trust.alert_subject(*event.topic)
                return Verdict(refused=Refused("too-many-alerts", subject, (("expected", f"<= {LIMITS.alerts}"),)))
            self.forget(forgotten)
        if not ends:
            self.taken.append((now.mono_ms, _urgency(event.alert.document)))
        self.signed[event.topic] = event.alert
        self.until_ms[event.topic] = max(utc_ms(event.alert.document.expires), self.until_ms.get(event.topic, 0))
        return Verdict(accepted=event.alert, forgotten=forgotten)

    def _is_too_fast(self, alert: Alert, now: Instant) -> bool:
        """Tell whether a minute has had its messages, and this one is no worse than the worst of them: whoever has a
        key must not wear out the card. What was refused so stands on the broker, and is asked for once a beacon names
        it.
        """
        full = len(self.taken) == LIMITS.alerts_a_minute and now.mono_ms < self.taken[0][0] + MINUTE_MS
        return full and _urgency(alert) <= max(urgency for _, urgency in self.taken)

    def _worth(self, alert: Alert, now: Instant) -> tuple[bool, Rank]:
        """How much it matters that it is known: what has expired or was cancelled, the least."""
        return _speaks(alert) and not self._expired(alert, now), rank_of(alert)

    def forget(self, key: Event) -> None:
        """An event is over for good."""
        for known in (self.signed, self.until_ms, self.rounds, self.heard, self.first):
            known.pop(key, None)

    def version_of(self, key: Event) -> int:
        """The version of the newest message of an event; 0 when it is not known."""
        return 0 if (signed := self.signed.get(key)) is None else signed.document.version

    def take_root(self, root: TrustRoot) -> list[Event]:
        """Another trust root is in force: give the events of which nobody who may has signed the newest message."""
        return [key for key, signed in self.signed.items() if not trust.is_still_signed(signed, root, "alert")]

    def over(self, now: Instant) -> list[Event]:
        """The events of which nothing that was ever said can be believed any more, whatever a clock is corrected by."""
        over_ms = now.wall_ms - KNOWN_LONGER_MS
        return [key for key, until_ms in self.until_ms.items() if now.trusted and until_ms <= over_ms]

    def in_force(self, now: Instant) -> list[Alert]:
        """What must be heard sooner or later, the highest first."""
        alerts = (signed.document for signed in self.signed.values())
        return sorted(
            (one for one in alerts if _speaks(one) and not self._expired(one, now)), key=rank_of, reverse=True
        )

    def _expired(self, alert: Alert, now: Instant) -> bool:
        return self.nobody_may_speak or (now.trusted and utc_ms(alert.expires) <= now.wall_ms)

    def subjects(self) -> frozenset[str]:
        """The alerts that are known, as faults name them."""
        return frozenset(trust.alert_subject(*key) for key in self.signed)

    # rounds

    def due(self, now: Instant, busy: Set[Event]) -> list[AlertCue]:
        """Take the rounds that are due, each once, but for the events of which a round is on its way still."""
        found: list[AlertCue] = []
        for key, signed in self.signed.items():
            if key in busy:
                continue
            number = self._due_round(key, signed.document, now)
            if number is not None:
                begun = Round(signed.document.version, number, now.mono_ms)
                self.rounds[key] = self.heard[key] = begun
                if key not in self.first or self.first[key].version != begun.version:
                    self.first[key] = begun
                found += self.row(signed.document, number)
                self.speech.forget_failures(map(utterance_of, signed.document.info if number else ()))
        return [cue for cue in found if cue.kind != TONE or cue.alert.severity in self.tones]

    def _due_round(self, key: Event, alert: Alert, now: Instant) -> int | None:
        if not _speaks(alert) or self._expired(alert, now):
            return None
        last = self.rounds.get(key)
        if last is not None and last.version != alert.version:
            last = None
        if now.trusted:
            begin_ms = begins_ms(alert, now)
            if now.wall_ms < begin_ms:
                return None
            repeat_ms = repeat_ms_of(alert)
            number = (now.wall_ms - begin_ms) // repeat_ms if repeat_ms else 0
            passed_ms = now.wall_ms - begin_ms - number * repeat_ms
            return number if last is None or (number > 0 and last.mono_ms < now.mono_ms - passed_ms) else None
        return self._next_by_own_pace(key, alert, last, now)

    def _next_by_own_pace(self, key: Event, alert: Alert, last: Round | None, now: Instant) -> int | None:
        """The next round when nobody knows the time: a new life begins with what was not heard of the last one."""
        heard = self.heard.get(key)
        if heard is None or heard.version != alert.version:
            return 0
        if last is None:
            return heard.number
        repeat_ms = repeat_ms_of(alert)
        return heard.number + 1 if repeat_ms and now.mono_ms >= heard.mono_ms + repeat_ms else None

    def wake_mono_ms(self, now: Instant) -> int | None:
        """When a round is due next, or an alert expires."""
        monos = [ms for key, signed in self.signed.items() for ms in self._turns(key, signed.document, now)]
        monos += [begun.mono_ms + TONE_MOST_MS for begun in self.first.values()]
        return min((ms for ms in monos if ms > now.mono_ms), default=None)

    def _turns(self, key: Event, alert: Alert, now: Instant) -> Iterable[int]:
        repeat_ms = repeat_ms_of(alert)
        if not now.trusted:
            heard = self.heard.get(key)
            return [heard.mono_ms + repeat_ms] if heard is not None and repeat_ms else []
        begin_ms = begins_ms(alert, now)
        walls = [begin_ms, utc_ms(alert.expires), self.until_ms[key] + KNOWN_LONGER_MS]
        if repeat_ms and now.wall_ms >= begin_ms:
            walls.append(begin_ms + ((now.wall_ms - begin_ms) // repeat_ms + 1) * repeat_ms)
        return [now.mono_ms + wall_ms - now.wall_ms for wall_ms in walls]

    # cues

    def ended(self, cue: AlertCue, now: Instant) -> AsRunReason | None:
        """Tell why a cue must not be heard any more; None while it may."""
        if self._expired(cue.alert, now):
            return AsRunReason.EXPIRED
        return None if self.is_newest(cue) else AsRunReason.WITHDRAWN

    def postpone(self, cue: AlertCue, now: Instant) -> bool:
        """Tell whether a cue that was taken without the time is early, now that it is known; its round comes again."""
        early = now.trusted and now.wall_ms < begins_ms(cue.alert, now)
        if early:
            self.take_again(cue)
        return early

    def take_again(self, cue: AlertCue) -> None:
        """Have the round of a cue taken anew, when it is due."""
        self.rounds.pop(_event(cue.alert), None)

    def is_newest(self, cue: AlertCue) -> bool:
        """Tell whether no later message of the same event came."""
        newest = self.signed.get(_event(cue.alert))
        return newest is not None and newest.document.version == cue.alert.version

    def may_come(self, cue: AlertCue) -> bool:
        """Tell whether there is, or may be, anything to be heard of it."""
        if cue.utterance is None:
            return cue.alert.severity in self.tones
        recorded = cue.kind == WORDS and _info(cue.alert, cue.language).audio is not None
        return recorded or self.speech.may_speak(cue.utterance)

    def may_be_spoken(self, cue: AlertCue) -> bool:
        """Tell whether there is, or may be, speech for it."""
        return cue.utterance is not None and self.speech.may_speak(cue.utterance)

    def may_be_heard(self, info: AlertInfo) -> bool:
        """Tell whether there is, or may be, a recording or speech in this language."""
        return info.audio is not None or self.speech.may_speak(utterance_of(info))

    def patience_is_over(self, cue: AlertCue, now: Instant) -> bool:
        """Tell whether a recording was waited for as long as the tone is repeated."""
        first = self.first.get(_event(cue.alert))
        return first is not None and now.mono_ms >= first.mono_ms + TONE_MOST_MS

    def is_of_newest_round(self, cue: AlertCue) -> bool:
        """Tell whether no later round of the same alert was taken."""
        newest = self.rounds.get(_event(cue.alert))
        return newest is None or newest.number == cue.round

    def resolve(self, cue: AlertCue, shelf: Shelf, now: Instant) -> Resolved:
        """Make a cue of what can be heard of it now."""
        alert, planned_ms = cue.alert, planned_ms_of(cue.alert, cue.round)
        item, lack = self._item(cue, shelf, now)
        said_around = cue.utterance if cue.kind in (BEFORE, AFTER) else None
        made = Cue(
            occurrence=cue.occurrence,
            title=_info(alert, cue.language).headline if said_around is None else said_around.text,
            planned_ms=planned_ms,
            late_until_ms=planned_ms,
            priority=rank_of(alert),
            zones=tuple(ZoneId(zone.id) for zone in cue.zones),
            bulletins=(alert.id,),
            items=(item,) if item is not None and lack is None else (),
            volume_percent=100,
            if_interrupted=IfInterrupted.RESTART,
            programme_version=alert.version,
        )
        return Resolved(made, () if lack is None or item is None else (item.sha256,), lack)

    def _item(self, cue: AlertCue, shelf: Shelf, now: Instant) -> tuple[AudioItem | None, AsRunReason | None]:
        """What is heard of a cue, and why it cannot be (yet)."""
        utterance = cue.utterance
        if utterance is None:
            tone = self.tones.get(cue.alert.severity)
            return tone, AsRunReason.NO_AUDIO if tone is None else shelf.lack(tone.sha256)
        audio = _info(cue.alert, cue.language).audio if cue.kind == WORDS else None
        recorded = None if audio is None else _audio_item(cue.alert, audio)
        lack = AsRunReason.NO_AUDIO if recorded is None else shelf.lack(recorded.sha256)
        spoken = self.speech.said.get(utterance)
        waits = recorded is not None and lack is AsRunReason.NO_AUDIO and not self.patience_is_over(cue, now)
        if lack is None or waits:
            return recorded, lack
        if spoken is not None and shelf.lack(spoken.sha256) is None:
            return replace(spoken, bulletin=cue.alert.id), None
        if recorded is None:
            lack = self.speech.why_not(utterance) or lack
        return recorded or spoken, lack

    def to_speak(self, shelf: Shelf, now: Instant) -> tuple[Utterance, ...]:
        """What is to be spoken: first that of which nobody made a recording, then what a recording still lacks; last,
        what may have to be said around a drill some day, and the names of the zones.

        What came inside an alert is at hand, and not spoken unless it proves to be no audio.
        """
        alerts = self.in_force(now)
        infos = [info for alert in alerts for info in self._heard_here(alert)]
        around = [cue.utterance for alert in alerts for cue in self.row(alert, 0) if cue.kind in (BEFORE, AFTER)]
        names = [name for zone in self.settings.zones for name in zone.languages]
        some_day, soon = standing(names), standing(names, {alert.status for alert in alerts})
        now_said = [*(utterance for utterance in around if utterance is not None), *soon]
        some_day = [*names_of(self.settings, self.speech), *some_day]
        may_be_said = {utterance_of(info) for info in infos} | {*now_said, *some_day} | all_names(self.settings)
        self.speech.keep_only(may_be_said)  # what failed of a name would be asked for again without end
        only_text = [info for info in infos if info.audio is None]
        lacking = [info for info in infos if info.audio is not None and self._lacks(info, shelf)]
        able = (utterance_of(info) for info in lacking)
        words = [*map(utterance_of, only_text), *filter(self.speech.may_speak, able)]
        return self.speech.lacking([*now_said, *words, *(some_day if now.mono_ms >= self.standing_mono_ms else ())])

    def speak_standing(self, mono_ms: int) -> None:
        """What may have to be said some day is wanted now."""
        self.standing_mono_ms = min(self.standing_mono_ms, mono_ms)

    def row(self, alert: Alert, number: int) -> list[AlertCue]:
        """The cues of a round: the tone, then each language in the order in which the zones name them; all of it
        between what is said around a drill. Where supplies do not bear all zones at once, all of it for those of the
        first turn, and then for the next ones.
        """
        zones = {ZoneId(zone.id): zone for zone in zones_of(alert, self.settings)}
        parts = [
            part for turn in turns(zones, self.settings) for part in self._parts(alert, [zones[name] for name in turn])
        ]
        return [
            AlertCue(
                _occurrence(alert, number, place, kind, name), alert, number, name, tuple(heard_in), kind, len(parts)
            )
            for place, (kind, name, heard_in) in enumerate(parts)
        ]

    def _parts(self, alert: Alert, zones: Sequence[Zone]) -> list[tuple[str, str | None, list[Zone]]]:
        """What is heard of a round in zones that sound together: its kind, language and zones."""
        speakers: dict[str, list[Zone]] = {}
        told: dict[str, list[Zone]] = {}
        for zone in zones:
            names = languages_of(alert, zone, self.may_be_heard)
            for language in names:
                speakers.setdefault(language, []).append(zone)
            for language in announced_in(alert, names, self.speech.may_speak):
                told.setdefault(language, []).append(zone)
        parts: list[tuple[str, str | None, list[Zone]]] = [(BEFORE, *one) for one in told.items()]
        parts += [(TONE, None, list(zones)), *((WORDS, *one) for one in speakers.items())]
        parts += [(AFTER, *one) for one in told.items()]
        return parts

    def _heard_here(self, alert: Alert) -> list[AlertInfo]:
        zones = zones_of(alert, self.settings)
        names = {name for zone in zones for name in languages_of(alert, zone, self.may_be_heard)}
        return [info for info in alert.info if info.language in names]

    def _lacks(self, info: AlertInfo, shelf: Shelf) -> bool:
        assert info.audio is not None
        sha256 = Sha256(info.audio.sha256)
        return shelf.lack(sha256) is not None and (not info.inline or sha256 in shelf.unplayable)

    def wanted(self, now: Instant, cached: frozenset[Sha256] | set[Sha256]) -> tuple[list[WantedAudio], set[Sha256]]:
        """What is to be fetched before all else, and what must be kept: the tones for ever, what was spoken."""
        audio = [info.audio for alert in self.in_force(now) for info in alert.info if info.audio is not None]
        kept = (*self.tones.values(), *self.speech.said.values())
        keep = {one.sha256 for one in audio} | {item.sha256 for item in kept}
        lacking = {one.sha256: one for one in audio if one.sha256 not in cached}
        fetched = [WantedAudio(a.sha256, a.size_bytes, a.places, now.wall_ms) for a in lacking.values()]
        return fetched, {Sha256(sha256) for sha256 in keep}


def rank_of(alert: Alert) -> Rank:
    """Its place in the order of the air: real before drill, then air-1."""
    return (
        ALERT,
        STATUSES.index(alert.status),
        CAP_SEVERITIES.index(alert.severity),
        CAP_URGENCIES.index(alert.urgency),
        -len(scope_prefixes(alert.scope)),
        utc_ms(alert.sent),
    )


def _urgency(alert: Alert) -> Rank:
    """What of its rank nobody makes up: not when it says that it was sent."""
    return rank_of(alert)[:4]


def begins_ms(alert: Alert, now: Instant) -> int:
    """From when on it is heard. The clock of who sent it may be ahead of ours: what is not held back is due now."""
    return min(utc_ms(alert.sent), now.wall_ms) if alert.effective is None else utc_ms(alert.effective)


def planned_ms_of(alert: Alert, number: int) -> WallMs:
    """When a round is to be heard, by its author's clock alone: its cues are settled under it, whatever ours says."""
    return WallMs(utc_ms(alert.effective or alert.sent) + number * repeat_ms_of(alert))


def repeat_ms_of(alert: Alert) -> int:
    """How far apart its rounds begin; 0 when it has one only."""
    return 0 if alert.msg_type == "Cancel" else alert.repeat_s * 1_000


MayBeHeard = Callable[[AlertInfo], bool]
"""Whether there is, or may be, anything to be heard of what an alert says in a language."""


def languages_of(alert: Alert, zone: Zone, may_be_heard: MayBeHeard) -> list[str]:
    """In which languages an alert is heard in a zone: each that the zone lists, or else the alert's own first.

    Where none of them can be heard, the alert's first that can comes behind them: they are told as missed, and the zone
    hears a warning in a second language, which is better than none.
    """
    infos = {info.language: info for info in alert.info}
    names = [name for name in zone.languages if name in infos] or [alert.info[0].language]
    if any(may_be_heard(infos[name]) for name in names):
        return names
    return names + [info.language for info in alert.info if may_be_heard(info)][:1]


def _info(alert: Alert, language: str | None) -> AlertInfo:
    return next((info for info in alert.info if info.language == language), alert.info[0])


def _audio_item(alert: Alert, audio: Audio) -> AudioItem:
    return AudioItem(alert.id, audio.language, Sha256(audio.sha256), audio.size_bytes, audio.duration_ms)


def _speaks(alert: Alert) -> bool:
    return alert.msg_type != "Cancel" or alert.tell_cancel


def _ends(alert: Alert, known: Alert | None) -> bool:
    """Tell whether a message ends what is in force: there are no more of these than of what they end."""
    return alert.msg_type == "Cancel" and known is not None and known.msg_type != "Cancel"


def _event(alert: Alert) -> Event:
    return alert.scope, alert.id


_PLACES = "0123456789abcdefghijklmnopqrstuvwxyz"
"""One letter for each place, in their order; the last one goes on with another letter, for a row has more parts than
these where supplies do not bear all zones at once.
"""


def _occurrence(alert: Alert, number: int, place: int, kind: str, language: str | None) -> Occurrence:
    name = {TONE: TONE, WORDS: language}.get(kind, f"{kind}-{language}")
    last = len(_PLACES) - 1
    local = f"{alert.version}.{number}.{_PLACES[last] * (place // last)}{_PLACES[place % last]}-{name}"
    return Occurrence(alert.scope, f"{ALERT_PREFIX}{alert.id}", local)


def _round_of(occurrence: Occurrence) -> tuple[Event, int, int]:
    """The event, version and number of the round that a cue of an alert was of."""
    version, number, _ = occurrence.local.split(".", 2)
    return (occurrence.scope, occurrence.slot.removeprefix(ALERT_PREFIX)), int(version), int(number)
