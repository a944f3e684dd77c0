"""Everything that can be done. The core returns these; the shell carries them out in their order.

``Record`` is a barrier: what stands after it in the same list waits until the store has it on disk; what stands before
it does not. So an acknowledgement comes after the disk, and sound never waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ttcs_edge.core.lamp import Lamp
from ttcs_edge.core.model import AsRun, AudioItem, Fault, MonoMs, Sha256, WallMs, ZoneId


@dataclass(frozen=True, slots=True)
class SwitchAmplifier:
    """Switch the amplifier's supply."""

    on: bool


@dataclass(frozen=True, slots=True)
class SwitchZone:
    """Close (sound goes out) or open the switch of one zone."""

    zone: ZoneId
    closed: bool


@dataclass(frozen=True, slots=True)
class PrepareSound:
    """Have the player decode the first second of these ahead, so that their start costs no decoding."""

    items: tuple[AudioItem, ...]


@dataclass(frozen=True, slots=True)
class StartSound:
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


@dataclass(frozen=True, slots=True)
class StopSound:
    """Fade a play out and end it; ``SoundEnded`` follows."""

    play: int
    fade_out_ms: int


@dataclass(frozen=True, slots=True)
class WantedAudio:
    """Audio to be had: where from, how large, and when it is due first."""

    sha256: Sha256
    size_bytes: int
    places: tuple[str, ...]
    due_ms: WallMs


@dataclass(frozen=True, slots=True)
class SetWanted:
    """Replace the fetcher's list (first is fetched first) and what eviction must never touch."""

    wanted: tuple[WantedAudio, ...]
    keep: frozenset[Sha256]


@dataclass(frozen=True, slots=True)
class ProgrammeAccepted:
    """Record: a programme is in force; its envelope is stored as it came, and its version is the new floor."""

    scope: str
    version: int
    envelope: bytes


@dataclass(frozen=True, slots=True)
class EarlierKept:
    """Record: the programme that was replaced; its recordings may stand in. One a scope, the newest."""

    scope: str
    version: int
    envelope: bytes


@dataclass(frozen=True, slots=True)
class FloorRaised:
    """Record: nothing older than ``version`` is believed any more of ``name``: ``beacon:<scope>``, ``command:<id>``."""

    name: str
    version: int


@dataclass(frozen=True, slots=True)
class AsRunOpened:
    """Record: a cue went on the air; kept so that a death in the middle can be closed as cut."""

    record: AsRun


@dataclass(frozen=True, slots=True)
class AsRunPosition:
    """Record: how far the cue on the air has come by ``end_ms``; a death behind it is closed as cut at this place."""

    record: AsRun


@dataclass(frozen=True, slots=True)
class AsRunClosed:
    """Record and report: what became of a cue. Removes the open one; settles the occurrence."""

    record: AsRun


@dataclass(frozen=True, slots=True)
class FaultRaised:
    """Record and report: a fault is there."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class FaultCleared:
    """Record and report: a fault is gone; ``cleared_ms`` is set."""

    fault: Fault


@dataclass(frozen=True, slots=True)
class WatchedUntil:
    """Record: every occurrence up to this instant is settled or open; a later start looks back to here (never-5)."""

    wall_ms: WallMs


@dataclass(frozen=True, slots=True)
class TimeFloor:
    """Record: the newest time ever signed under a trust root; no source that tells an earlier one is believed."""

    wall_ms: WallMs
    trust_version: int


Entry = (
    ProgrammeAccepted
    | EarlierKept
    | FloorRaised
    | AsRunOpened
    | AsRunPosition
    | AsRunClosed
    | FaultRaised
    | FaultCleared
    | WatchedUntil
    | TimeFloor
)


@dataclass(frozen=True, slots=True)
class Record:
    """Put entries on disk in one transaction. A barrier for what follows in the list."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Tell the broker that a message is dealt with."""

    delivery: int


@dataclass(frozen=True, slots=True)
class SetSignedTime:
    """Tell the clock what the centre signed: at ``mono_ms`` it was ``wall_ms``, or a little later."""

    wall_ms: WallMs
    mono_ms: MonoMs


@dataclass(frozen=True, slots=True)
class SetTimeFloor:
    """Have the clock believe no source that tells a time before this."""

    wall_ms: WallMs


@dataclass(frozen=True, slots=True)
class ShowLamp:
    """Have the lamp at the box show this from now on."""

    lamp: Lamp


@dataclass(frozen=True, slots=True)
class Resend:
    """Queue reports again, away from the core's thread, and answer the command (its version) with how many."""

    command: int
    correlation: bytes
    journal: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Publish the state now, if there is a link. A stale one is worth nothing, so it is not kept."""

    sequence: int


@dataclass(frozen=True, slots=True)
class NotifyReady:
    """Tell the service manager that the station is live."""


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Send ``TimePassed`` at this monotonic instant at the latest; replaces the one before."""

    mono_ms: MonoMs


@dataclass(frozen=True, slots=True)
class Note:
    """A line for the log: a stable event code and fields."""

    level: str
    event: str
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Leave:
    """Everything is silent and open: the daemon may exit."""


Effect = (
    SwitchAmplifier
    | SwitchZone
    | PrepareSound
    | StartSound
    | StopSound
    | SetWanted
    | Record
    | Acknowledge
    | SetSignedTime
    | SetTimeFloor
    | ShowLamp
    | Resend
    | Heartbeat
    | NotifyReady
    | WakeAt
    | Note
    | Leave
)
