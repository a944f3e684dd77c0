"""Everything that can be done. The core returns these; the shell carries them out in their order.

``Record`` is a barrier: what stands after it in the same list waits until the store has it on disk; what stands before
it does not. So an acknowledgement comes after the disk, and sound never waits for it.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from ttcs_edge.core.display import Display
from ttcs_edge.core.documents import TrustRoot
from ttcs_edge.core.lamp import Lamp, Place
from ttcs_edge.core.model import (
    AsRun,
    AudioItem,
    Certificate,
    CureStep,
    DataUsed,
    Fault,
    LocalUser,
    MonoMs,
    Scope,
    Sha256,
    Utterance,
    WallMs,
    ZoneId,
)


class SwitchAmplifier(Struct, frozen=True):
    """Switch the amplifier's supply; ``RelaySwitched`` or ``RelayFailed`` follows."""

    on: bool


class SwitchZone(Struct, frozen=True):
    """Close (sound goes out) or open the switch of one zone; ``RelaySwitched`` or ``RelayFailed`` follows."""

    zone: ZoneId
    closed: bool


class ReadMeter(Struct, frozen=True):
    """Ask the energy meter; ``MeterRead`` or ``MeterFailed`` follows."""


class CureModem(Struct, frozen=True):
    """Take a step of the modem's cure; ``CureDone`` follows."""

    step: CureStep


class KeepRecording(Struct, frozen=True):
    """Keep what the off-air monitor heard in the last seconds, and what comes behind; ``RecordingKept`` follows."""

    name: str


class PrepareSound(Struct, frozen=True):
    """Have the player decode the first second of these ahead, so that their start costs no decoding."""

    items: tuple[AudioItem, ...]


class StartSound(Struct, frozen=True):
    """Play items one after another from ``from_ms`` of the whole, the first period at ``at_mono_ms``.

    ``player`` is the one that was up when this was decided; any other must not play it: the core, told of the death
    in between, may be switching relays by then (never-3).
    """

    player: int
    play: int
    items: tuple[AudioItem, ...]
    from_ms: int
    at_mono_ms: MonoMs
    volume_percent: int
    fade_in_ms: int


class StartInput(Struct, frozen=True):
    """Play what the sound input hears until it is stopped, from now on; ``player`` as in ``StartSound``."""

    player: int
    play: int
    volume_percent: int
    fade_in_ms: int


class StartLive(Struct, frozen=True):
    """Play what ``FeedSound`` brings, until it ends or is stopped, from now on; ``player`` as in ``StartSound``."""

    player: int
    play: int
    volume_percent: int
    fade_in_ms: int


class FeedSound(Struct, frozen=True):
    """Give a live play its next segment: Opus packets of 20 ms. ``last`` is the one with which it ends."""

    play: int
    number: int
    packets: tuple[bytes, ...]
    last: bool


class FollowStream(Struct, frozen=True):
    """Follow a plain stream until ``LeaveStream``: ``StreamHeard`` tells when there is sound in it, ``StreamFailed``
    what is wrong with it.
    """

    stream: int
    url: str


class LeaveStream(Struct, frozen=True):
    """Follow a stream no more."""

    stream: int


class StartStream(Struct, frozen=True):
    """Play a stream that is followed until it is stopped, from now on; ``player`` as in ``StartSound``."""

    player: int
    play: int
    stream: int
    volume_percent: int
    fade_in_ms: int


class SwitchMixer(Struct, frozen=True):
    """Close (sound goes out) or open the relay that lets the microphone into the amplifier's mixer.

    ``SoundStarted`` or ``SoundEnded`` of the play follows; ``RelayFailed`` of the microphone when it does not obey.
    """

    play: int
    closed: bool


class StopSound(Struct, frozen=True):
    """Fade a play out and end it; ``SoundEnded`` follows."""

    play: int
    fade_out_ms: int


class SetVolume(Struct, frozen=True):
    """How loud a play is from now on, without a click; one that is over is left alone."""

    play: int
    volume_percent: int


class WantedAudio(Struct, frozen=True):
    """Audio to be had: where from, how large, and when it is due first."""

    sha256: Sha256
    size_bytes: int
    places: tuple[str, ...]
    due_ms: WallMs


class SetWanted(Struct, frozen=True):
    """Replace the fetcher's list (first is fetched first) and what eviction must never touch."""

    wanted: tuple[WantedAudio, ...]
    keep: frozenset[Sha256]


class TrustAccepted(Struct, frozen=True):
    """Record: a trust root behind those that are known, its envelope as it came."""

    version: int
    envelope: bytes


class ProgrammeAccepted(Struct, frozen=True):
    """Record: a programme is in force; its envelope is stored as it came."""

    scope: str
    version: int
    envelope: bytes


class ProgrammeForgotten(Struct, frozen=True):
    """Record: nothing that was stored as a programme of a scope may be believed any more."""

    scope: str


class EarlierKept(Struct, frozen=True):
    """Record: the programme that was replaced; its recordings may stand in. One a scope, the newest."""

    scope: str
    version: int
    envelope: bytes


class AlertAccepted(Struct, frozen=True):
    """Record: the newest message of an alert, its envelope as it came; to be known until ``until_ms``."""

    scope: str
    event: str
    version: int
    envelope: bytes
    until_ms: WallMs


class AlertForgotten(Struct, frozen=True):
    """Record: an alert that is over."""

    scope: str
    event: str


class AlertTold(Struct, frozen=True):
    """Report, and what the store remembers as told: what became of a message of an alert. ``accepted``; ``on-air`` at
    its first sound; ``failed`` as soon as a part of its first round was not heard, with the reason of each such part so
    far; else ``heard`` once that round is over.
    """

    id: str
    scope: Scope
    event: str
    version: int
    state: str
    reasons: tuple[tuple[str, str], ...] = ()


class FloorRaised(Struct, frozen=True):
    """Record: nothing older than ``version`` is believed any more of ``name`` (``core.floors``)."""

    name: str
    version: int


class AsRunOpened(Struct, frozen=True):
    """Record: a cue went on the air; kept so that a death in the middle can be closed as cut."""

    record: AsRun


class AsRunPosition(Struct, frozen=True):
    """Record: how far the cue on the air has come by ``end_ms``; a death behind it is closed as cut at this place."""

    record: AsRun


class AsRunClosed(Struct, frozen=True):
    """Record and report: what became of a cue. Removes the open one; settles the occurrence."""

    record: AsRun


class FaultRaised(Struct, frozen=True):
    """Record and report: a fault is there."""

    fault: Fault


class FaultCleared(Struct, frozen=True):
    """Record and report: a fault is gone; ``cleared_ms`` is set."""

    fault: Fault


class VolumeOrdered(Struct, frozen=True):
    """Record: how loud a zone is for a while, by the newest command for it; its envelope as it came."""

    zone: ZoneId
    version: int
    envelope: bytes


class WatchedUntil(Struct, frozen=True):
    """Record: every occurrence up to this instant is settled or open; a later start looks back to here (never-5)."""

    wall_ms: WallMs


class TimeFloor(Struct, frozen=True):
    """Record: the newest time ever signed under a trust root; no source that tells an earlier one is believed."""

    wall_ms: WallMs
    trust_version: int


class DataKept(Struct, frozen=True):
    """Record: what the SIM has used."""

    used: DataUsed


class Audited(Struct, frozen=True):
    """Report: an entry of the audit trail (``core.audit``), which the store ties to the one before it. ``deed`` is what
    was done (accepted, refused, started, stopped, opened, counted, muted, unmuted, tested), ``what`` to what,
    ``detail`` the fields of its words; ``by`` is None when the wire brought it. ``unsaid`` counts, by their codes, the
    refusals since the entry before that have no entry of their own.
    """

    id: str
    wall_ms: WallMs
    trusted: bool
    deed: str
    what: str
    subject: str
    version: int | None = None
    keys: tuple[str, ...] = ()
    code: str | None = None
    by: LocalUser | None = None
    detail: tuple[tuple[str, str], ...] = ()
    unsaid: tuple[tuple[str, int], ...] = ()


Entry = (
    TrustAccepted
    | ProgrammeAccepted
    | ProgrammeForgotten
    | EarlierKept
    | AlertAccepted
    | AlertForgotten
    | AlertTold
    | FloorRaised
    | AsRunOpened
    | AsRunPosition
    | AsRunClosed
    | FaultRaised
    | FaultCleared
    | Audited
    | VolumeOrdered
    | WatchedUntil
    | TimeFloor
    | DataKept
)


class HearAgain(Struct, frozen=True):
    """Have the broker send once more what stands on the topics of a kind for a scope: the beacons name what lacks."""

    kind: Literal["trust", "programme", "alert"]
    scope: Scope


class AskCertificate(Struct, frozen=True):
    """Have the centre asked for a certificate over the station's key, or no longer: one came."""

    asks: bool


class KeepCertificate(Struct, frozen=True):
    """Put a certificate on disk, for the next connection; ``CertificateKnown`` tells that it is there."""

    certificate: Certificate
    delivery: int


class ReadDocument(Struct, frozen=True):
    """Read an alert whose envelope was fetched as a file: it arrives as if the broker had brought it."""

    scope: Scope
    id: str
    sha256: Sha256


class SetTrustRoot(Struct, frozen=True):
    """From now on documents are checked against the keys of this trust root, those first that stand on the broker."""

    root: TrustRoot


class KeepInline(Struct, frozen=True):
    """Hold audio that came inside an alert, in base64, for as long as it is wanted; ``AudioStored`` follows."""

    sha256: Sha256
    inline: str


class Speak(Struct, frozen=True):
    """Replace the list of what is to be spoken (first is spoken first); each is answered with ``Spoken`` or
    ``NotSpoken``. What is not on the list any more is given up.
    """

    wanted: tuple[Utterance, ...]


class Record(Struct, frozen=True):
    """Put entries on disk in one transaction. A barrier for what follows in the list."""

    entries: tuple[Entry, ...]


class Acknowledge(Struct, frozen=True):
    """Tell the broker that a message is dealt with."""

    delivery: int


class SetSignedTime(Struct, frozen=True):
    """Tell the clock what the centre signed: at ``mono_ms`` it was ``wall_ms``, or a little later."""

    wall_ms: WallMs
    mono_ms: MonoMs


class SetTimeFloor(Struct, frozen=True):
    """Have the clock believe no source that tells a time before this."""

    wall_ms: WallMs


class ShowLamp(Struct, frozen=True):
    """Have a lamp at the box show this from now on."""

    lamp: Lamp
    place: Place


class ShowDisplay(Struct, frozen=True):
    """Have the display at the box tell this from now on."""

    display: Display


class SwitchFan(Struct, frozen=True):
    """Switch the fan of the box."""

    on: bool


class Resend(Struct, frozen=True):
    """Queue reports again, away from the core's thread, and answer the command (its version) with how many."""

    command: int
    correlation: bytes
    journal: int
    first: int
    last: int


class Answer(Struct, frozen=True):
    """Tell who sent a command (its version) what became of it: ``done``, ``failed``, ``refused`` or ``under-way``.

    ``action`` is what it asked for, empty where that cannot be told; ``reason`` a code. Of one who is ``leaving``,
    ``AnswerGone`` tells that it is on its way.
    """

    command: int
    correlation: bytes
    action: str
    outcome: str
    reason: str | None = None
    detail: tuple[tuple[str, str], ...] = ()
    leaving: bool = False


class CheckConfig(Struct, frozen=True):
    """Read the config as a start would, away from the core's thread; ``ConfigChecked`` follows."""

    command: int


class SendLog(Struct, frozen=True):
    """Answer a command (its version) with the last lines of the log, read away from the core's thread."""

    command: int
    correlation: bytes
    lines: int


class Heartbeat(Struct, frozen=True):
    """Publish the state now, if there is a link. A stale one is worth nothing, so it is not kept."""

    sequence: int


class NotifyReady(Struct, frozen=True):
    """Tell the service manager that the station is live."""


class WakeAt(Struct, frozen=True):
    """Send ``TimePassed`` at this monotonic instant at the latest; replaces the one before."""

    mono_ms: MonoMs


class Note(Struct, frozen=True):
    """A line for the log: a stable event code and fields."""

    level: str
    event: str
    fields: tuple[tuple[str, str], ...] = ()


class Leave(Struct, frozen=True):
    """Everything is silent and open: the daemon may exit."""


Effect = (
    SwitchAmplifier
    | SwitchZone
    | ReadMeter
    | CureModem
    | KeepRecording
    | PrepareSound
    | StartSound
    | StartInput
    | StartLive
    | FeedSound
    | FollowStream
    | LeaveStream
    | StartStream
    | SwitchMixer
    | StopSound
    | SetVolume
    | SetWanted
    | SetTrustRoot
    | HearAgain
    | AskCertificate
    | KeepCertificate
    | ReadDocument
    | KeepInline
    | Speak
    | Record
    | Acknowledge
    | SetSignedTime
    | SetTimeFloor
    | ShowLamp
    | SwitchFan
    | ShowDisplay
    | Resend
    | Answer
    | CheckConfig
    | SendLog
    | Heartbeat
    | NotifyReady
    | WakeAt
    | Note
    | Leave
)
