"""What the tests of the core are made of: small documents, settings, and a station moved by hand, event by event."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from msgspec.structs import replace

from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import (
    Alert,
    AlertInfo,
    Audio,
    Bulletin,
    Command,
    Grant,
    Programme,
    Refused,
    Signed,
    Slot,
    TrustRoot,
)
from ttcs_edge.core.effects import Effect, Entry
from ttcs_edge.core.floors import floor_name
from ttcs_edge.core.model import (
    AMPLIFIER,
    AsRun,
    AudioItem,
    Fault,
    Instant,
    MonoMs,
    Occurrence,
    Scope,
    Severity,
    Sha256,
    StationSettings,
    WallMs,
    Zone,
    ZoneId,
)
from ttcs_edge.core.schedule import to_ms
from ttcs_edge.core.station import Station
from ttcs_edge.core.supervision import SEVERITY
from ttcs_edge.core.trust import CAP_SEVERITIES, utc_text

E = TypeVar("E")
D = TypeVar("D")

VIETNAM = "Asia/Ho_Chi_Minh"
PROVINCE = Scope("vn/lam-dong")
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
KEY = "0" * 64
STRANGER = "9" * 64
TRUST = TrustRoot(
    scope=Scope("vn"),
    version=1,
    issued="2026-01-01T00:00:00Z",
    expires="2036-01-01T00:00:00Z",
    keys={},
    grants=(
        Grant(role="publish", scope=Scope("vn"), keys=(KEY,), threshold=1),
        Grant(role="command", scope=Scope("vn"), keys=(KEY,), threshold=1),
        Grant(role="alert", scope=Scope("vn"), keys=(KEY,), threshold=1, most_severe="Extreme"),
        Grant(role="live", scope=Scope("vn"), keys=(KEY,), threshold=1),
    ),
)
SETTINGS = StationSettings(
    id="da-teh-01",
    scope=Scope("vn/lam-dong/da-teh"),
    zones=(Zone(ZoneId("cho"), "Chợ"), Zone(ZoneId("dinh"), "Đình", volume_percent=50)),
    time_zone=VIETNAM,
    heartbeat_s=3_600,
)


def sha(name: str) -> Sha256:
    """A hash that tells in a failure's message what it is the hash of."""
    return Sha256(name.encode().hex().ljust(64, "0"))


def recording(name: str, seconds: float, language: str = "vi") -> Audio:
    """One recording in one language; its hash is that of its name."""
    return Audio(
        language=language,
        sha256=sha(name),
        size_bytes=1_000,
        duration_ms=round(seconds * 1_000),
        media_type="audio/ogg",
        loudness_lufs=-16.0,
        places=("broker:",),
    )


def bulletin(name: str, seconds: float) -> Bulletin:
    """A bulletin of one Vietnamese recording of its own name."""
    return Bulletin(id=name, title=name, audio=(recording(name, seconds),))


def slot(name: str, at: str, *bulletins: str, **others: Any) -> Slot:
    """A daily slot from 20 November 2026 on, at ``hh:mm:ss``; its bulletin is of its own name unless told otherwise."""
    defaults: dict[str, Any] = {"rrule": "FREQ=DAILY"}
    return Slot(id=name, start=f"2026-11-20T{at}", bulletins=bulletins or (name,), **(defaults | others))


def programme(slots: Iterable[Slot], bulletins: Iterable[Bulletin] = (), **others: Any) -> Programme:
    """The province's programme, version 1; a bulletin of one minute is made for every name that lacks one."""
    slots, given = tuple(slots), {one.id: one for one in bulletins}
    for name in (name for one in slots for name in one.bulletins):
        given.setdefault(name, bulletin(name, 60))
    defaults: dict[str, Any] = {
        "scope": PROVINCE,
        "version": 1,
        "issued": "2026-11-20T00:00:00Z",
        "expires": "2027-11-20T00:00:00Z",
        "time_zone": VIETNAM,
    }
    return Programme(slots=slots, bulletins=tuple(given.values()), **(defaults | others))


def alert(name: str = "lu-quet", **others: Any) -> Alert:
    """An alert of the province, sent at four in the morning and good for two hours, in Vietnamese: ten seconds."""
    defaults: dict[str, Any] = {
        "scope": PROVINCE,
        "version": 1,
        "identifier": f"urn:{name}",
        "sender": "canhbao@lamdong.example",
        "sent": "2026-11-23T21:00:00Z",
        "expires": "2026-11-23T23:00:00Z",
        "status": "Actual",
        "msg_type": "Alert",
        "severity": "Severe",
        "urgency": "Immediate",
        "certainty": "Observed",
        "info": (said(f"{name}.vi"),),
    }
    return Alert(id=name, **(defaults | others))


def said(name: str, language: str = "vi", seconds: float = 10) -> AlertInfo:
    """What an alert says in one language, recorded under a name."""
    return AlertInfo(language=language, headline=name, audio=recording(name, seconds, language))


def tone(severity: str) -> AudioItem:
    """The tone of a severity: five seconds."""
    return AudioItem(f"tone-{severity}", "zxx", sha(f"tone-{severity}"), 1_000, 5_000)


TONES = tuple((severity, tone(severity)) for severity in CAP_SEVERITIES)


def signed(document: D, *signers: str) -> Signed[D]:
    """A document with good signatures of ``signers``, of the publisher's key when none is named."""
    return Signed(document, frozenset(signers or (KEY,)), repr(document).encode())


def audio_of(*programmes: Programme) -> set[Sha256]:
    """All audio that programmes name."""
    return {audio.sha256 for one in programmes for item in one.bulletins for audio in item.audio}


def at(civil: str, time_zone: str = VIETNAM) -> WallMs:
    """The instant of a civil time such as ``2026-11-24T05:00:00``."""
    return to_ms(datetime.fromisoformat(civil), time_zone)


TEST_TONE = AudioItem("test", "zxx", sha("test"), 1_000, 1_000)
PILOT = AudioItem("pilot", "zxx", sha("pilot"), 1_000, 4_000)
SILENCE = AudioItem("silence", "zxx", sha("silence"), 1_000, 1_000)


def started(**remembered: Any) -> events.Started:
    """The first event of a station that remembers nothing but what is named here."""
    blank = events.Started(TRUST, (), (), (), (), (), frozenset(), (), None, None, tones=TONES, test_tone=TEST_TONE)
    return replace(blank, pilot=PILOT, silence=SILENCE, **remembered)


def switched(effect: Effect) -> events.RelaySwitched | None:
    """What a relay says that does as told."""
    match effect:
        case effects.SwitchAmplifier(on):
            return events.RelaySwitched(AMPLIFIER, on)
        case effects.SwitchZone(zone, closed):
            return events.RelaySwitched(zone, closed)
        case _:
            return None


class ByHand:
    """A station to which each event is told by hand, at an instant that the test chooses. Every effect is kept.

    ``programmes`` are in force from an earlier life, and ``folder`` holds their audio. Nothing answers by itself (no
    sound begins or ends, no relay fails), but for the fetcher, which says at once what of the wanted audio it has, and
    for the relays, which do as told at once as long as ``relays_answer``.
    """

    def __init__(
        self,
        *programmes: Programme,
        civil: str = "2026-11-24T04:00:00",
        settings: StationSettings = SETTINGS,
        boot: int = 1,
        trusted: bool = True,
        **remembered: Any,
    ) -> None:
        self.station = Station(settings, boot)
        self.mono_ms = 1_000_000
        self.offset_ms = at(civil, settings.time_zone) - self.mono_ms
        self.trusted = trusted
        self.log: list[tuple[int, Effect]] = []
        self.story: list[tuple[int, Effect | events.Event]] = []
        self.wake_ms = self.mono_ms
        self.left = False
        self.relays_answer = True
        self.folder = set(remembered.setdefault("cached", frozenset(audio_of(*programmes))))
        tones = {item.sha256 for _, item in TONES} | {TEST_TONE.sha256, PILOT.sha256, SILENCE.sha256}
        remembered["cached"] = remembered["cached"] | tones
        in_force = {
            "programmes": tuple(map(signed, programmes)),
            "floors": tuple((floor_name(p.scope, KEY), p.version) for p in programmes),
        }
        self.tell(started(**(in_force | remembered)))
        self.tell(events.PlayerReady("by hand", 1))

    @property
    def wall_ms(self) -> int:
        """The wall clock."""
        return self.mono_ms + self.offset_ms

    def now(self) -> Instant:
        """Both clocks."""
        return Instant(WallMs(self.wall_ms), MonoMs(self.mono_ms), self.trusted)

    def tell(self, event: events.Event) -> list[Effect]:
        """One event, now; gives its effects."""
        done = self.station.handle(event, self.now())
        self.log += [(self.mono_ms, effect) for effect in done]
        self.story += [(self.mono_ms, event), *self.log[len(self.log) - len(done) :]]
        self.wake_ms = only(done, effects.WakeAt)[-1].mono_ms
        self.left = self.left or effects.Leave() in done
        for audio in [audio for wanted in only(done, effects.SetWanted) for audio in wanted.wanted]:
            if audio.sha256 in self.folder:
                self.tell(events.AudioStored(audio.sha256))
        answers = [switched(effect) for effect in done] if self.relays_answer else []
        return [*done, *(more for answer in answers if answer for more in ByHand.tell(self, answer))]

    def arrive(self, document: Programme | Refused, *signers: str, scope: str = PROVINCE, delivery: int = 1) -> Any:
        """A message on a programme's topic; a programme comes on the topic of its own scope."""
        if isinstance(document, Refused):
            return self.tell(events.ProgrammeArrived(document, scope, delivery))
        return self.tell(events.ProgrammeArrived(signed(document, *signers), document.scope, delivery))

    def warn(self, document: Alert, *signers: str, audio: bool = True) -> list[Effect]:
        """A message of an alert on its topic; its audio is in reach of the fetcher, or not."""
        if audio:
            self.folder |= {Sha256(info.audio.sha256) for info in document.info if info.audio is not None}
        return self.tell(events.AlertArrived(signed(document, *signers), (document.scope, document.id), 9))

    def order(self, correlation: bytes = b"c", **action: Any) -> list[effects.Answer]:
        """A command, given now by whoever may, good for an hour; gives the answers of this moment."""
        command = Command(
            scope=PROVINCE,
            station=self.station.settings.id,
            version=self.wall_ms,
            issued=utc_text(self.wall_ms),
            expires=utc_text(self.wall_ms + HOUR_MS),
            **action,
        )
        return only(self.tell(events.CommandArrived(signed(command), 8, False, False, correlation)), effects.Answer)

    def wait(self, span_ms: int) -> list[tuple[int, Effect]]:
        """Let time pass, waking the station when it asks for it; gives what it did, with the times.

        A station that has left is not woken any more.
        """
        end_ms, before = self.mono_ms + span_ms, len(self.log)
        while self.wake_ms <= end_ms and not self.left:
            self.mono_ms = max(self.mono_ms, self.wake_ms)
            self.tell(events.TimePassed())
            assert self.wake_ms > self.mono_ms, "never-8: woken, it asks to be woken at once"
        self.mono_ms = end_ms
        return self.log[before:]

    def wait_until(self, civil: str) -> list[tuple[int, Effect]]:
        """Let time pass until a civil time of the station."""
        return self.wait(at(civil, self.station.settings.time_zone) - self.wall_ms)

    def sound_begins(self) -> effects.StartSound:
        """The play that was asked for last begins at its instant."""
        command = [effect for _, effect in self.log if isinstance(effect, effects.StartSound)][-1]
        self.wait(max(0, command.at_mono_ms - self.mono_ms))
        self.tell(events.SoundStarted(command.play, self.mono_ms * 1_000_000))
        return command

    def sound_ends(self, completed: bool = True, *written_ms: int, failure: str | None = None) -> list[Effect]:
        """The play that was asked for last is over; without figures, every item of it was written whole."""
        command = [effect for _, effect in self.log if isinstance(effect, effects.StartSound)][-1]
        told_ms = written_ms or tuple(item.duration_ms for item in command.items)
        return self.tell(events.SoundEnded(command.play, completed, told_ms, failure))

    def entries(self, kind: type[E]) -> list[E]:
        """Everything of one kind that was to be put on disk so far."""
        return [entry for _, effect in self.log for entry in entries([effect]) if isinstance(entry, kind)]

    @property
    def answers(self) -> list[tuple[str, str, str | None]]:
        """Every answer to a command so far: what it asked for, what became of it, why."""
        answers = only([effect for _, effect in self.log], effects.Answer)
        return [(one.action, one.outcome, one.reason) for one in answers]

    @property
    def told(self) -> list[tuple[str, str | None, str | None]]:
        """What the as-run log says: slot, outcome, reason."""
        return [brief(closed.record) for closed in self.entries(effects.AsRunClosed)]

    @property
    def faults(self) -> list[tuple[str, str]]:
        """The faults that are open, by code and subject."""
        return list(self.station.faults.open)


def brief(record: AsRun) -> tuple[str, str | None, str | None]:
    """Slot, outcome and reason of a record."""
    outcome, reason = record.outcome, record.reason
    return record.occurrence.slot, outcome and outcome.value, reason and reason.value


def only(done: Iterable[Effect], kind: type[E]) -> list[E]:
    """The effects of one kind."""
    return [effect for effect in done if isinstance(effect, kind)]


def entries(done: Iterable[Effect]) -> list[Entry]:
    """Everything that some effects put on disk."""
    return [entry for effect in done if isinstance(effect, effects.Record) for entry in effect.entries]


def moves(log: Iterable[tuple[int, Effect]]) -> list[tuple[int, str]]:
    """Switches and sound out of a log, each in a word: ``amplifier on``, ``cho closed``, ``sound``, ``fade``."""
    words: list[tuple[int, str]] = []
    for mono_ms, effect in log:
        match effect:
            case effects.SwitchAmplifier(on):
                words.append((mono_ms, f"amplifier {'on' if on else 'off'}"))
            case effects.SwitchZone(zone, closed):
                words.append((mono_ms, f"{zone} {'closed' if closed else 'open'}"))
            case effects.StartSound():
                words.append((mono_ms, "sound"))
            case effects.StartLive():
                words.append((mono_ms, "live"))
            case effects.StartStream():
                words.append((mono_ms, "stream"))
            case effects.StartInput():
                words.append((mono_ms, "input"))
            case effects.SwitchMixer(_, closed):
                words.append((mono_ms, f"mixer {'closed' if closed else 'open'}"))
            case effects.StopSound():
                words.append((mono_ms, "fade"))
            case _:
                pass
    return words


def occurrence(name: str, local: str, scope: Scope = PROVINCE) -> Occurrence:
    """The identity of one occurrence."""
    return Occurrence(scope, name, local)


def open_fault(code: str, subject: str) -> Fault:
    """A fault that an earlier life left open."""
    return Fault(f"1-{code}", code, subject, SEVERITY.get(code, Severity.WARNING), (), at("2026-11-23T00:00:00"))
