"""The authority that warns, over a broker that retains the newest message of each alert; and what must hold of alerts.

The rules know a sound by its recording: each message has its own for each language, the tones are of a severity. They
keep their own books of which messages are in force, which parts of the round that is on were told, and what was
written of each recording.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from tests.core.material import PROVINCE, TONES, recording
from tests.simulation.rules import TOLERANCE_MS, heard_within_ms, utc_ms
from tests.simulation.shell import Violation
from tests.simulation.world import CODEC_CUT_MS, DEPUTY, SPOKEN_LANGUAGES, Rule, Sound, World, is_warning, spoken_sha
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import Alert, AlertInfo, Refused, Signed
from ttcs_edge.core.drills import standing
from ttcs_edge.core.model import AsRun, AsRunReason, Outcome, Scope, Zone
from ttcs_edge.core.speech import utterance_of
from ttcs_edge.core.timekeeping import SLACK_MS

FIRST = 2_000_000
"""From here on deliveries are of alerts."""
SEVERITIES = ("Unknown", "Minor", "Moderate", "Severe", "Extreme")
URGENCIES = ("Unknown", "Past", "Future", "Expected", "Immediate")
STATUSES = ("Test", "Exercise", "Actual")
DEPUTY_UP_TO = "Minor"
"""What the deputy's key may say, and no more."""
KNOWN_LONGER_MS = 86_400_000
"""For how long an alert that has expired must still be known."""
SECONDS = (2, 10, 40)
UNSETTLED_MS = 7_200_000
"""For so long after the clock was set nobody counts rounds."""
RELAY_REST_MS = 310_000
"""After so long a relay that failed has been tried again."""
ROUND_MS = 45 * 60_000
"""Within this time the first round of a message is over: half an hour of waiting, and what is said."""

Key = tuple[str, str]


def alert_of(fields: dict[str, Any]) -> Alert:
    """An alert of its fields; what it says follows from its id, its version and its languages."""
    name, version = fields["id"], fields["version"]
    info = tuple(_said(f"{name}.{version}.{language}", language) for language in fields["languages"])
    mute = tuple(
        AlertInfo(language=language, headline=f"{name}.{version}.{language}") for language in fields.get("mute", ())
    )
    others = {key: value for key, value in fields.items() if key not in ("languages", "mute")}
    defaults = {"identifier": f"urn:{name}:{version}", "sender": "canhbao@lamdong.example", "certainty": "Observed"}
    return Alert(info=info + mute, **(defaults | others))


def _said(name: str, language: str) -> AlertInfo:
    seconds = SECONDS[sum(name.encode()) % len(SECONDS)]
    return AlertInfo(language=language, headline=name, audio=recording(name, seconds, language))


@dataclass
class Message:
    """What was published, and under whose name."""

    document: Signed[Alert] | Refused
    key: Key
    acknowledged: bool = False


class Authority:
    """Who warns, and the broker, which brings the newest of each alert to every new connection."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.messages: list[Message] = []
        self.retained: dict[Key, int] = {}
        self.lost: set[int] = set()
        """What is retained and does not come until it is asked for."""

    def owns(self, delivery: int) -> bool:
        """Tell whether a delivery is one of these."""
        return delivery >= FIRST

    def publish(self, document: Alert, signer: str = "", *, lost: bool = False) -> None:
        """A message leaves; only the authority's own stay with the broker."""
        key = (document.scope, document.id)
        self.messages.append(Message(self._world.sign(document, *([signer] if signer else [])), key))
        number = len(self.messages) - 1
        if not signer:
            before = self.retained.get(key)
            known = self.messages[before].document if before is not None else None
            if not isinstance(known, Signed) or known.document.version <= document.version:
                self.retained[key] = number
        if lost:
            self.lost.add(number)
        elif self._reached:
            self._bring(number)

    def hear_again(self, scope: str) -> None:
        """The station asks for all of a scope."""
        self.lost -= {number for (one, _), number in self.retained.items() if one == scope}
        self._world.later(self._world.random.randrange(20, 400), self.connected)

    def refuse(self, name: str) -> None:
        """Bytes arrive that are no alert."""
        key = (PROVINCE, name)
        self.messages.append(Message(Refused("not-utf8", PROVINCE, (("found", "byte 3"),)), key))
        if self._reached:
            self._bring(len(self.messages) - 1)

    def cancels(self, sent: str, expires: str) -> list[Alert]:
        """What calls off everything that is retained."""
        documents = [self.messages[number].document for number in self.retained.values()]
        alerts = [one.document for one in documents if isinstance(one, Signed)]
        newer = {"sent": sent, "expires": expires, "msg_type": "Cancel", "tell_cancel": False, "effective": None}
        return [replace(alert, version=self._newest(alert) + 1, **newer) for alert in alerts]

    def _newest(self, alert: Alert) -> int:
        key = (alert.scope, alert.id)
        signed_ones = [one.document for one in self.messages if one.key == key]
        return max(one.document.version for one in signed_ones if isinstance(one, Signed))

    def boot(self) -> None:
        """A new process connects."""
        self.connected()

    def connected(self) -> None:
        """What is retained comes; an alert that has expired is kept no longer."""
        if not self._reached:
            return
        for number in [one for one in self.retained.values() if one not in self.lost]:
            document = self.messages[number].document
            if isinstance(document, Signed) and utc_ms(document.document.expires) > self._world.true_ms:
                self._bring(number)

    @property
    def _reached(self) -> bool:
        line = self._world.line
        return self._world.powered and (line is None or line.up)

    def _bring(self, number: int) -> None:
        message = self.messages[number]
        self._world.send(events.AlertArrived(message.document, (Scope(message.key[0]), message.key[1]), FIRST + number))

    def acknowledged(self, delivery: int) -> None:
        """The station has dealt with a message."""
        self.messages[delivery - FIRST].acknowledged = True

    def signed(self, envelope: bytes) -> Signed[Alert]:
        """The message that an envelope is."""
        documents = (message.document for message in self.messages)
        return next(one for one in documents if isinstance(one, Signed) and one.envelope == envelope)


@dataclass
class Book:
    """What is known of the newest message of an alert: when it came, which parts were told, and how."""

    alert: Alert
    signers: frozenset[str]
    told: dict[str, str] = field(default_factory=dict)
    final: bool = False
    since_mono_ms: int | None = None
    heard_parts: set[str] = field(default_factory=set)
    failed_parts: set[str] = field(default_factory=set)


class InForce(Rule):
    """Books: the newest message of each alert, by the documents alone; and that the station keeps to them (never-1)."""

    def __init__(self) -> None:
        self.newest: dict[Key, Book] = {}
        self.until_ms: dict[Key, int] = {}
        self._verdict: bool | None = None
        self._arrived: Signed[Alert] | None = None
        self.root_version = 1
        self.revoked: set[Key] = set()
        """What must be forgotten with this event: who signed it may not do so any more."""

    def power_on(self, world: World) -> None:
        """What the disk has is known; what did not reach it comes again."""
        stored = {key: known.signed for key, known in world.disk.alerts.items()}
        books = {key: book for key, book in self.newest.items() if key in stored and stored[key].document == book.alert}
        self.newest = {key: books.get(key) or Book(one.document, one.signers) for key, one in stored.items()}
        self.root_version, self.revoked = world.root.version, set()
        self.until_ms = {key: known.until_ms for key, known in world.disk.alerts.items()}
        for book in self.newest.values():
            book.since_mono_ms = None

    def hears(self, world: World, event: events.Event) -> None:
        """Judge a message as the design says; without the time the station's own word on its age is taken."""
        if world.root.version != self.root_version:
            self.root_version = world.root.version
            self.revoked = {key for key, book in self.newest.items() if not _may(world, book.signers, book.alert)}
            for key in self.revoked:
                del self.newest[key], self.until_ms[key]
        self._verdict = self._judge(world, event) if isinstance(event, events.AlertArrived) else None
        arrived = event.alert if isinstance(event, events.AlertArrived) else None
        self._arrived = arrived if isinstance(arrived, Signed) else None
        if self._verdict and self._arrived is not None:
            self._begins(self._arrived)

    def _begins(self, arrived: Signed[Alert]) -> None:
        alert = arrived.document
        key = (str(alert.scope), alert.id)
        self.newest[key] = Book(alert, arrived.signers)
        self.until_ms[key] = max(utc_ms(alert.expires), self.until_ms.get(key, 0))

    def _judge(self, world: World, event: events.AlertArrived) -> bool | None:
        if isinstance(event.alert, Refused):
            return False
        alert, signers = event.alert.document, event.alert.signers
        known = self.newest.get(event.topic)
        may = _may(world, signers, alert)
        covers = (world.settings.scope + "/").startswith(alert.scope + "/")
        if not may or not covers or (alert.scope, alert.id) != event.topic:
            return False
        if known is not None and (alert.version <= known.alert.version or alert.sender != known.alert.sender):
            return False
        if not world.trusted:
            return None
        return utc_ms(alert.expires) > world.wall_ms and utc_ms(alert.sent) <= world.wall_ms + SLACK_MS

    def before(self, world: World, effect: effects.Effect) -> None:
        """What is forgotten cannot be believed any more; what nobody can judge without the time, the station says."""
        for entry in effect.entries if isinstance(effect, effects.Record) else ():
            if isinstance(entry, effects.AlertForgotten):
                self._forget(world, (entry.scope, entry.event))
            elif isinstance(entry, effects.AlertAccepted) and self._verdict is None and self._arrived is not None:
                self._begins(self._arrived)

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """What was taken is what had to be, and what a revoked key has said is forgotten."""
        if self.revoked:
            raise Violation(f"never-1: the alerts {sorted(self.revoked)} outlive their key")
        entries = [entry for one in done if isinstance(one, effects.Record) for entry in one.entries]
        taken = any(isinstance(entry, effects.AlertAccepted) for entry in entries)
        arrived = isinstance(event, events.AlertArrived)
        if taken is not (arrived and bool(self._verdict)) and (self._verdict is not None or not arrived):
            raise Violation(f"never-1: an alert is {'taken' if taken else 'refused'}, and should not be: {event}")

    def _forget(self, world: World, key: Key) -> None:
        if key in self.revoked:
            self.revoked.remove(key)
            return
        if not world.trusted or self.until_ms.get(key, 0) > world.wall_ms - KNOWN_LONGER_MS:
            raise Violation(f"never-5: the alert {key} is forgotten before it expires")
        self.newest.pop(key, None)
        self.until_ms.pop(key, None)

    def speaks(self, world: World, book: Book, *, anew: bool = True) -> bool:
        """Tell whether anything of a message may be heard; ``anew``, whether it may begin."""
        alert = book.alert
        expired = world.trusted and utc_ms(alert.expires) <= world.wall_ms
        begun = not anew or not world.trusted or alert.effective is None or utc_ms(alert.effective) <= world.wall_ms
        return (alert.msg_type != "Cancel" or alert.tell_cancel) and not expired and begun

    def speaking(self, world: World) -> Iterator[Book]:
        """All that may be heard now."""
        return (book for book in self.newest.values() if self.speaks(world, book))

    def speaks_at_all(self, world: World) -> bool:
        """Tell whether any alert may be heard."""
        return any(True for _ in self.speaking(world))

    def of(self, sha256: str, world: World, *, anew: bool) -> list[Book]:
        """The messages that a recording may be of."""
        return [
            book
            for book in self.newest.values()
            if self.speaks(world, book, anew=anew)
            and sha256
            in {_tone_of(book.alert), *(audio for _, audio in _words(*book.alert.info)), *_around(book.alert)}
        ]


def _may(world: World, signers: frozenset[str], alert: Alert) -> bool:
    """Tell whether any of these may say this."""
    minor = SEVERITIES.index(alert.severity) <= SEVERITIES.index(DEPUTY_UP_TO)
    return world.may(signers) or (DEPUTY in signers and minor)


def rank(alert: Alert) -> tuple[int, ...]:
    """air-1: real before drill, then severity, urgency, higher scope, newer."""
    places = STATUSES.index(alert.status), SEVERITIES.index(alert.severity), URGENCIES.index(alert.urgency)
    return (*places, -alert.scope.count("/"), utc_ms(alert.sent))


def parts(world: World, alert: Alert) -> dict[str, tuple[set[str], list[Zone]]]:
    """air-8: the tone, then each language that a zone lists: its recording and its speech, and where it may be heard.

    A zone of whose languages none can be heard may hear any.
    """
    zones = [zone for zone in world.settings.zones if not alert.zones or zone.id in alert.zones]
    here: dict[str, tuple[set[str], list[Zone]]] = {"tone": ({_tone_of(alert), *_around(alert)}, zones)}
    for info in alert.info:
        listing = [zone for zone in zones if info.language in zone.languages]
        needy = [zone for zone in zones if not _sure(alert, zone)]
        if listing or needy:
            here[info.language] = ({sha256 for _, sha256 in _words(info)}, [*listing, *needy])
    return here


def _sure(alert: Alert, zone: Zone) -> bool:
    """Tell whether a recording was made in a language of this zone."""
    return any(info.language in zone.languages and info.audio is not None for info in alert.info)


def _tone_of(alert: Alert) -> str:
    return next(item.sha256 for severity, item in TONES if severity == alert.severity)


def _around(alert: Alert) -> set[str]:
    """What is said before and after a drill."""
    drill = () if alert.status == "Actual" else standing(SPOKEN_LANGUAGES, {alert.status})
    return {str(spoken_sha(utterance)) for utterance in drill}


def _words(*infos: AlertInfo) -> list[tuple[str, str]]:
    """What is heard of an alert in some languages: recordings, and what the station says itself."""
    recorded = [(info.language, str(info.audio.sha256)) for info in infos if info.audio is not None]
    return recorded + [(info.language, str(spoken_sha(utterance_of(info)))) for info in infos]


class Warned(Rule):
    """Nothing but what is in force is heard of alerts, at once and before all else; and every part of it is told."""

    def __init__(self, in_force: InForce) -> None:
        self.in_force = in_force
        self.hindered_ms = 0
        self.announced: set[tuple[str, ...]] = set()
        self.waiting_since_ms: int | None = None
        self.trusted_since_ms: int | None = None
        self.whole: defaultdict[str, int] = defaultdict(int)
        self.written_ms: defaultdict[str, int] = defaultdict(int)

    def power_on(self, world: World) -> None:
        """Nothing has been heard yet in this life."""
        self.hindered_ms, self.waiting_since_ms, self.trusted_since_ms = world.mono_ms, None, None
        self.whole, self.written_ms = defaultdict(int), defaultdict(int)

    def hears(self, world: World, event: events.Event) -> None:
        """See what keeps alerts from the air at this moment."""
        faults = world.faults
        broken = not world.player_up or world.player_hung or faults.device or bool(faults.not_audio | faults.short)
        if broken or world.stopping:
            self.hindered_ms = max(self.hindered_ms, world.mono_ms)
        if faults.relays:
            self.hindered_ms = world.mono_ms + RELAY_REST_MS
        if not world.trusted:
            self.trusted_since_ms = None
        elif self.trusted_since_ms is None:
            self.trusted_since_ms = world.mono_ms

    def before(self, world: World, effect: effects.Effect) -> None:
        """Judge a start, a stop, and what is told."""
        match effect:
            case effects.StartSound(items=items) if is_warning(items):
                self._start(world, effect)
            case effects.SetVolume() if world.sound is not None and world.sound.warns:
                raise Violation("air-5: an alert is turned while it is heard")
            case effects.Record(entries):
                for entry in entries:
                    if isinstance(entry, effects.AsRunClosed) and entry.record.occurrence.is_of_alert:
                        self._closed(world, entry.record)
                    elif isinstance(entry, effects.AlertTold):
                        self._told(entry)
            case _:
                pass

    def _start(self, world: World, command: effects.StartSound) -> None:
        (item,) = command.items
        books = self.in_force.of(item.sha256, world, anew=True)
        if not books:
            raise Violation(f"never-1: {item.bulletin}.{item.language} is of no alert in force")
        if command.volume_percent != 100:
            raise Violation(f"air-5: an alert at {command.volume_percent}%")
        if command.from_ms:
            raise Violation(f"air-2: an alert begins at {command.from_ms} ms")
        here = [zones for book in books for audio, zones in parts(world, book.alert).values() if item.sha256 in audio]
        if not any(set(world.closed) <= {zone.id for zone in zones} | world.faults.relays for zones in here):
            raise Violation(f"never-1: an alert goes to {world.closed}, which it does not name")

    def silent(self, world: World, sound: Sound, written_ms: tuple[int, ...]) -> None:
        """Enter what was written into the book."""
        if sound.warns:
            (item,) = sound.items
            self.whole[item.sha256] += written_ms[0] >= item.duration_ms - CODEC_CUT_MS - TOLERANCE_MS
            self.written_ms[item.sha256] += written_ms[0]

    def _closed(self, world: World, record: AsRun) -> None:
        scope, name = record.occurrence.scope, record.occurrence.slot.partition(":")[2]
        part = record.occurrence.local.partition("-")[2]
        book = self.in_force.newest.get((scope, name))
        shas = [item.sha256 for item in record.items]
        if record.outcome is Outcome.AIRED:
            if not all(self.whole[sha256] for sha256 in shas):
                raise Violation(f"never-9: {record.occurrence} is told as aired, and was not heard whole")
            self.whole |= dict.fromkeys(shas, 0)
        shared = part == "tone" or part.startswith(("before-", "after-"))  # many alerts sound the same there
        words_ms = sum(self.written_ms[sha256] for sha256 in shas if not shared)
        in_turns = bool(world.settings.supplies)  # the same words are those of other parts, too
        if record.outcome is Outcome.MISSED and words_ms and not in_turns:
            raise Violation(f"never-9: {record.occurrence} is told as missed, but {words_ms} ms were heard")
        if (record.outcome is Outcome.AIRED) != (record.reason is None):
            raise Violation(f"never-9: {record.occurrence} is told as {record.outcome} for the reason {record.reason}")
        for sha256 in shas if not shared else ():
            self.written_ms[sha256] = 0
        is_newest = book is not None and book.alert.version == record.programme_version
        self._judge_reason(world, record, is_newest)
        if book is None or not is_newest:
            return
        if record.reason not in (AsRunReason.POWER, AsRunReason.STOPPED):
            book.told[record.occurrence.local] = part
        if book.alert.status != "Actual":
            self._told_as_a_drill(record, part)
        (book.heard_parts if record.outcome is Outcome.AIRED else book.failed_parts).add(part)

    def _told_as_a_drill(self, record: AsRun, part: str) -> None:
        """Nobody takes a drill for real: nothing of a round is heard before it is told as one."""
        key = (record.occurrence.scope, record.occurrence.slot, *record.occurrence.local.split(".")[:2])
        if part.startswith("before-") and record.outcome is not Outcome.MISSED:
            self.announced.add(key)
        if record.start_ms is not None and key not in self.announced:
            raise Violation(f"a drill is taken for real: {record.occurrence} was heard before it was told as one")

    def _judge_reason(self, world: World, record: AsRun, is_newest: bool) -> None:
        name = f"{record.occurrence} is {record.outcome} for {record.reason}, which is not true"
        book = self.in_force.newest.get((record.occurrence.scope, record.occurrence.slot.partition(":")[2]))
        match record.reason:
            case AsRunReason.WITHDRAWN if is_newest:
                raise Violation(f"never-5: {name}")
            case AsRunReason.EXPIRED if is_newest and book is not None:
                if not world.trusted or utc_ms(book.alert.expires) > world.wall_ms:
                    raise Violation(f"never-5: {name}")
            case AsRunReason.POWER_SAVED:
                raise Violation(f"never-5: {name}: of an alert nothing is saved")
            case AsRunReason.QUIET_HOURS | AsRunReason.NO_TIME | AsRunReason.TOO_LATE:
                if not self._unsettled(world):
                    raise Violation(f"never-5: {name}: alerts know neither")
            case _:
                pass

    def _told(self, entry: effects.AlertTold) -> None:
        book = self.in_force.newest.get((entry.scope, entry.event))
        if entry.state == "accepted" or book is None or book.alert.version != entry.version:
            return
        if entry.state == "heard" and (missing := self._unheard(book)):
            raise Violation(f"never-5: the alert {entry.event} is told as heard, but {missing} was not")
        if entry.state == "failed" and not {part for part, _ in entry.reasons} <= book.failed_parts:
            raise Violation(f"never-5: the alert {entry.event} is told as failed in {entry.reasons}, and was not")
        book.final = book.final or entry.state in ("heard", "failed")

    def _unheard(self, book: Book) -> set[str]:
        return set(book.told.values()) - book.heard_parts

    def after(self, world: World, event: events.Event, done: list[effects.Effect]) -> None:
        """Compare what sounds with what should."""
        self._see_end(world)
        waiting = self._waiting(world)
        self._see_urgency(world, waiting)
        sound = world.sound
        if sound is None or sound.stop_at_mono_ms is not None or sound.frozen_mono_ms is not None or world.stopping:
            return
        mine: list[Book] = []
        if sound.warns:
            mine = self.in_force.of(sound.items[0].sha256, world, anew=False)
            if not mine:
                raise Violation("never-1: an alert goes on that is not in force")
        best = max((rank(book.alert) for book in mine), default=None)
        for book in waiting:
            if best is None or rank(book.alert) > best:
                raise Violation(f"never-4: {sound.name} holds the air while {book.alert.id} waits")

    def _unsettled(self, world: World) -> bool:
        stepped = world.mono_ms - world.stepped_mono_ms < UNSETTLED_MS and world.stepped_mono_ms > 0
        since_ms = self.trusted_since_ms
        return stepped or since_ms is None or (since_ms > world.booted_ms and world.mono_ms - since_ms < UNSETTLED_MS)

    def _waiting(self, world: World) -> list[Book]:
        """The messages of whose round something can be heard, and was not told yet."""
        if not world.trusted or self._unsettled(world) or self.hindered_ms >= world.mono_ms:
            return []
        return [book for book in self.in_force.speaking(world) if self._waits(world, book)]

    def _waits(self, world: World, book: Book) -> bool:
        alert = book.alert
        if alert.status != "Actual":  # it is not heard before it is told as a drill
            return False
        begin_ms = utc_ms(alert.effective or alert.sent)
        repeat_ms = 0 if alert.msg_type == "Cancel" else alert.repeat_s * 1_000
        passed_ms = max(0, world.wall_ms - begin_ms)
        number = passed_ms // repeat_ms if repeat_ms else 0
        told = {part for local, part in book.told.items() if _round(local) == number}
        later = [local for local in book.told if _round(local) > number]
        there = world.known & world.cached
        here = parts(world, alert)
        recorded = {info.language for info in alert.info if info.audio is not None and info.audio.sha256 in there}
        able = recorded & {name for name, (_, zones) in here.items() if any(name in zone.languages for zone in zones)}
        return not later and bool(able - told - {"tone"})

    def _see_urgency(self, world: World, waiting: list[Book]) -> None:
        """air-1, first sound first: what can be heard is heard as soon as the amplifier can carry it."""
        sound = world.sound
        warns = sound is not None and sound.warns
        if not waiting or warns:
            self.waiting_since_ms = None
            return
        if self.waiting_since_ms is None:
            self.waiting_since_ms = world.mono_ms
        bound_ms = heard_within_ms(world.settings) + 500
        if world.mono_ms - max(self.waiting_since_ms, self.hindered_ms) > bound_ms:
            names = [book.alert.id for book in waiting]
            raise Violation(f"air-1: {names} waits for {world.mono_ms - self.waiting_since_ms} ms")

    def _see_end(self, world: World) -> None:
        """never-5: the first round of each message comes to an end, and the centre hears how it went."""
        for book in self.in_force.newest.values():
            if not self.in_force.speaks(world, book) or book.final or not parts(world, book.alert)["tone"][1]:
                book.since_mono_ms = None
            elif book.since_mono_ms is None:
                book.since_mono_ms = world.mono_ms
            elif world.mono_ms - book.since_mono_ms > ROUND_MS and not world.stopping:
                raise Violation(f"never-5: nobody tells what became of the alert {book.alert.id}")


def _round(local: str) -> int:
    return int(local.split(".")[1])
