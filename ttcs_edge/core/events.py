"""Everything that can happen to a station. The shell puts these on one queue; the core handles them one by one."""

from __future__ import annotations

from msgspec import Struct

from ttcs_edge.core.documents import Alert, Beacon, Command, LiveSegment, Programme, Refused, Signed, TrustRoot
from ttcs_edge.core.model import (
    AsRun,
    AudioItem,
    Battery,
    Certificate,
    CureStep,
    DataUsed,
    Fault,
    LocalUser,
    MeterReading,
    ModemReading,
    MonoMs,
    Occurrence,
    OffAirReading,
    Sha256,
    Utterance,
    WallMs,
    ZoneId,
)
from ttcs_edge.core.timekeeping import ClockState


class KnownAlert(Struct, frozen=True):
    """The newest message of an alert as the store remembers it: until when it must be known, and what was told of it
    last (``AlertTold.state``; empty when nothing was).
    """

    signed: Signed[Alert]
    until_ms: int
    told: str = ""


class Started(Struct, frozen=True):
    """The shell is up: what the store remembers, verified again. Always the first event.

    ``programmes`` are those stored as in force, ``earlier`` those that they replaced; ``floors`` the newest version
    ever accepted of each document, by the names of ``core.floors``; ``open_as_run``
    what a death left open; ``settled`` the occurrences that must not air again, with their planned instants;
    ``open_faults`` what was raised and never cleared; ``cached`` which audio is whole in the store; ``alive_until_ms``
    the last wall clock known before the death, if any; ``watched_until_ms`` up to when every occurrence is accounted
    for; ``time_floor_ms`` the newest time known to have been signed under this trust root. ``tones`` are what comes
    before an alert, by its severity; ``test_tone`` is one second of a tone that can be repeated without a gap,
    ``silence`` as much of none, ``pilot`` that of a self-test. ``volumes`` are the newest command for the volume of
    each zone; ``software`` is the release that starts; ``data_used`` is what the SIM had used.
    """

    trust: TrustRoot
    programmes: tuple[Signed[Programme], ...]
    floors: tuple[tuple[str, int], ...]
    open_as_run: tuple[AsRun, ...]
    settled: tuple[tuple[Occurrence, WallMs], ...]
    open_faults: tuple[Fault, ...]
    cached: frozenset[Sha256]
    refused: tuple[Refused, ...]
    alive_until_ms: WallMs | None
    watched_until_ms: WallMs | None
    time_floor_ms: int = 0
    earlier: tuple[Signed[Programme], ...] = ()
    alerts: tuple[KnownAlert, ...] = ()
    tones: tuple[tuple[str, AudioItem], ...] = ()
    test_tone: AudioItem | None = None
    volumes: tuple[tuple[ZoneId, Signed[Command]], ...] = ()
    software: str = ""
    data_used: DataUsed = DataUsed()
    pilot: AudioItem | None = None
    silence: AudioItem | None = None


class TimePassed(Struct, frozen=True):
    """The instant that the core asked to be woken at has come (or nothing else happened for a while)."""


class TrustArrived(Struct, frozen=True):
    """A message on the topic of a trust root: one root or several, each behind the one before it; ``by`` as below."""

    roots: tuple[Signed[TrustRoot], ...] | Refused
    topic_scope: str
    delivery: int
    by: LocalUser | None = None


class ProgrammeArrived(Struct, frozen=True):
    """A message on a programme topic; ``delivery`` is what ``Acknowledge`` answers, ``topic_scope`` its path. ``by`` is
    who carried it in by hand, None when the broker brought it.
    """

    programme: Signed[Programme] | Refused
    topic_scope: str
    delivery: int
    by: LocalUser | None = None


class BeaconArrived(Struct, frozen=True):
    """A message on a beacon's topic. ``live`` is false for one that stood retained on the broker: it may be of any age.

    ``came_mono_ms`` is when the network brought it, before anything was done with it.
    """

    beacon: Signed[Beacon] | Refused
    topic_scope: str
    delivery: int
    live: bool
    came_mono_ms: MonoMs


class AlertArrived(Struct, frozen=True):
    """A message on the topic of an alert, whose scope and id ``topic`` names."""

    alert: Signed[Alert] | Refused
    topic: tuple[str, str]
    delivery: int


class LiveArrived(Struct, frozen=True):
    """A message on the topic of a live relay, whose scope and id ``topic`` names."""

    segment: Signed[LiveSegment] | Refused
    topic: tuple[str, str]


class CommandArrived(Struct, frozen=True):
    """A message on the station's command topic; ``again`` is the broker's word that it brought it before.

    ``correlation`` is what its sender wants to see in the answer; nobody signed it.
    """

    command: Signed[Command] | Refused
    delivery: int
    retained: bool
    again: bool
    correlation: bytes


class AudioStored(Struct, frozen=True):
    """An audio file is whole in the store and has its hash."""

    sha256: Sha256


class AudioFailed(Struct, frozen=True):
    """An attempt to fetch audio failed; the fetcher tries again by itself. ``code`` is a fault code."""

    sha256: Sha256
    code: str
    detail: tuple[tuple[str, str], ...]


class AudioCarried(Struct, frozen=True):
    """A file that somebody carried in by hand is in the store, or was refused: ``code`` says why."""

    sha256: Sha256
    by: LocalUser
    code: str | None = None


class AudioLost(Struct, frozen=True):
    """Audio that the core holds for cached is gone or rotten: found when it was read to be aired."""

    sha256: Sha256
    code: str


class VoicesKnown(Struct, frozen=True):
    """In which languages the station can speak, as BCP 47 tags in lower case."""

    languages: frozenset[str]


class Spoken(Struct, frozen=True):
    """What was to be spoken is whole in the store, under its hash."""

    utterance: Utterance
    sha256: Sha256
    size_bytes: int
    duration_ms: int


class NotSpoken(Struct, frozen=True):
    """What was to be spoken could not be: ``no-voice``, ``speech-too-slow`` or ``speech-failed``, and why."""

    utterance: Utterance
    code: str
    error: str = ""


class PlayerReady(Struct, frozen=True):
    """A player process is up, with its sound device open or known to open.

    ``player`` counts the players that were started: what is meant for one must not reach the next.
    """

    device: str
    player: int


class PlayerGone(Struct, frozen=True):
    """The player died, hung and was killed, or could not start: whatever it played is silent now.

    ``written_ms`` is the last position it reported, of the whole play.
    """

    reason: str
    written_ms: int


class SoundStarted(Struct, frozen=True):
    """The first period of a play was handed to the sound device."""

    play: int
    mono_ns: int


class SoundProgress(Struct, frozen=True):
    """Ten times a second while a play sounds: samples really written, as time since the play's own beginning."""

    play: int
    written_ms: int
    rms_db: float
    peak_db: float
    underruns: int


class SoundEnded(Struct, frozen=True):
    """A play is over and silent: ``completed`` is true when every sample of every item was written (never-9).

    ``item_written_ms`` holds what was written of each item of the play, in order; ``failure`` a code when the end was
    neither reached nor asked for: ``not-audio``, ``sound-device``, ``audio-lost``, after ``AudioLost`` told of what, or
    ``sound-input``, or ``live-lost``. Of an inlet there is one item.
    """

    play: int
    completed: bool
    item_written_ms: tuple[int, ...]
    failure: str | None


class StreamHeard(Struct, frozen=True):
    """Once a second: there is sound in a stream that is followed."""

    stream: int


class StreamFailed(Struct, frozen=True):
    """A stream that is followed could not be opened, or broke; it is tried again by itself. ``code`` is a fault code,
    told once as long as it does not change.
    """

    stream: int
    code: str
    detail: tuple[tuple[str, str], ...]


class SoundDevice(Struct, frozen=True):
    """The sound device failed to open or to take samples (``ok`` false), or works again."""

    ok: bool
    device: str
    error: str


class RelaySwitched(Struct, frozen=True):
    """A relay did as told; ``subject`` is a zone's id, ``amplifier`` or ``microphone``."""

    subject: str
    closed: bool


class RelayFailed(Struct, frozen=True):
    """A relay did not do as told; ``subject`` is a zone's id, ``amplifier`` or ``microphone``."""

    subject: str
    error: str


class MeterRead(Struct, frozen=True):
    """The energy meter answered."""

    reading: MeterReading


class MeterFailed(Struct, frozen=True):
    """The energy meter did not answer, or not as it should."""

    error: str


class ModemRead(Struct, frozen=True):
    """The modem answered, and what it tells is news."""

    reading: ModemReading


class ModemFailed(Struct, frozen=True):
    """The modem did not answer; told once as long as ``code`` does not change: ``modem-gone``, there is no such port;
    ``modem-taken``, another program has it; ``modem-silent``.
    """

    code: str
    error: str


class DataCounted(Struct, frozen=True):
    """What the kernel has counted of the modem's interface, in both directions. It counts from nought again when the
    machine or the interface was started anew, and then ``counter_of`` is another.
    """

    counter_bytes: int
    counter_of: int


class CureDone(Struct, frozen=True):
    """A step of the modem's cure was taken, or could not be: ``error`` says why. Whether it helped, the link tells."""

    step: CureStep
    error: str = ""


class OffAirHeard(Struct, frozen=True):
    """The off-air monitor tells what it hears."""

    reading: OffAirReading


class MonitorFailed(Struct, frozen=True):
    """The off-air monitor hears nothing: its input is gone, or its process. It is tried again."""

    error: str


class RecordingKept(Struct, frozen=True):
    """What was asked for by ``KeepRecording`` is on the card, in ``file``; or it is not, and ``error`` says why."""

    name: str
    file: str = ""
    sha256: str = ""
    error: str = ""


class KeyChanged(Struct, frozen=True):
    """The key of the microphone is held down, or was let go. How it is when the daemon starts is told, too."""

    down: bool


class MuteKeyChanged(Struct, frozen=True):
    """The mute key is held down, or was let go. How it is when the daemon starts is told, too."""

    down: bool


class LinkChanged(Struct, frozen=True):
    """The connection to the broker came up or went down; ``reason`` is a code for the fault's message."""

    up: bool
    reason: str
    detail: tuple[tuple[str, str], ...] = ()


class ConditionChanged(Struct, frozen=True):
    """A condition that the shell watches began or ended: store full, store failing, a thread replaced."""

    code: str
    subject: str
    present: bool
    detail: tuple[tuple[str, str], ...] = ()


class SupplyTold(Struct, frozen=True):
    """What mains and battery are by now; ``mains`` None: nobody can tell."""

    mains: bool | None
    battery: Battery | None = None


class BoxTold(Struct, frozen=True):
    """How warm it is in the box, in degrees Celsius; None: its thermometer says nothing."""

    celsius: float | None


class DoorMoved(Struct, frozen=True):
    """The door of the box was opened or shut; how it is at the start is told, too."""

    is_open: bool


class ClockChanged(Struct, frozen=True):
    """Another source of time is in force, or one of them says something else than before."""

    clock: ClockState


class CertificateArrived(Struct, frozen=True):
    """A message on the topic of the station's certificate; one that is older than its own comes as its own."""

    certificate: Certificate | Refused
    delivery: int


class CertificateKnown(Struct, frozen=True):
    """The certificate with which the next connection is made: it is on disk. ``delivery`` is the message that brought
    it, 0 when it was there at the start.
    """

    certificate: Certificate
    delivery: int = 0


class ConfigChecked(Struct, frozen=True):
    """The config was read as a start would; ``problem`` is what keeps a start from taking it, empty when nothing does.

    ``command`` is the version of the command that asked.
    """

    command: int
    problem: tuple[tuple[str, str], ...] = ()


class AnswerGone(Struct, frozen=True):
    """The answer to a command (its version) was given to the broker, or cannot be."""

    command: int


class WalkAsked(Struct, frozen=True):
    """Somebody at the station wants a test-tone walk through these zones, all of them when none is named: so long a
    tone in each, and in quiet hours only ``in_quiet_hours``. ``number`` is the walk's in this life.
    """

    number: int
    zones: tuple[ZoneId, ...]
    tone_ms: int
    in_quiet_hours: bool
    by: LocalUser


class WalkLeft(Struct, frozen=True):
    """Whoever asked for a walk has had enough of it, or is gone."""

    number: int


class LeaseAsked(Struct, frozen=True):
    """Somebody at the station wants these zones for so long, all of them when none is named: with the test tone, or
    ``silent``; a tone in quiet hours only ``in_quiet_hours``. No walk of this life has its ``number``.
    """

    number: int
    zones: tuple[ZoneId, ...]
    length_ms: int
    silent: bool
    in_quiet_hours: bool
    by: LocalUser


class LeaseLeft(Struct, frozen=True):
    """Whoever asked for a lease has had enough of it, or is gone."""

    number: int


class TestsStopped(Struct, frozen=True):
    """Somebody at the station wants whatever was begun there by hand to end: a walk, a tone, a relay."""

    by: LocalUser


class MuteAsked(Struct, frozen=True):
    """Somebody at the station wants it silent for so long, or heard again (0)."""

    length_ms: int
    by: LocalUser


class DeedRefused(Struct, frozen=True):
    """Somebody at the station asked for a deed that he has no right to."""

    deed: str
    by: LocalUser


class StopRequested(Struct, frozen=True):
    """SIGTERM: fade, open everything, leave."""


Event = (
    Started
    | TimePassed
    | TrustArrived
    | ProgrammeArrived
    | BeaconArrived
    | AlertArrived
    | CommandArrived
    | LiveArrived
    | AudioStored
    | AudioFailed
    | AudioCarried
    | AudioLost
    | VoicesKnown
    | Spoken
    | NotSpoken
    | PlayerReady
    | PlayerGone
    | SoundStarted
    | SoundProgress
    | SoundEnded
    | StreamHeard
    | StreamFailed
    | SoundDevice
    | RelayFailed
    | RelaySwitched
    | MeterRead
    | MeterFailed
    | ModemRead
    | ModemFailed
    | DataCounted
    | CureDone
    | OffAirHeard
    | MonitorFailed
    | RecordingKept
    | KeyChanged
    | MuteKeyChanged
    | LinkChanged
    | ConditionChanged
    | SupplyTold
    | BoxTold
    | DoorMoved
    | ClockChanged
    | CertificateArrived
    | CertificateKnown
    | ConfigChecked
    | AnswerGone
    | WalkAsked
    | WalkLeft
    | LeaseAsked
    | LeaseLeft
    | TestsStopped
    | MuteAsked
    | DeedRefused
    | StopRequested
)
