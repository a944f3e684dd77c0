"""What a station tells of its state: one snapshot serves the heartbeat, the status command and the tests."""

from __future__ import annotations

from msgspec import Struct

from ttcs_edge.core.box import BoxState
from ttcs_edge.core.model import (
    AsRunReason,
    Fault,
    MeterReading,
    OffAirReading,
    Registration,
    Scope,
    SimState,
    WallMs,
    ZoneId,
)
from ttcs_edge.core.power import PowerState
from ttcs_edge.core.timekeeping import SourceWord, TimeSource


class OnAir(Struct, frozen=True):
    """What sounds now. ``position_ms`` counts samples really written; levels are dB below full scale."""

    occurrence: str
    title: str
    zones: tuple[ZoneId, ...]
    start_ms: WallMs
    position_ms: int
    duration_ms: int
    rms_db: float
    peak_db: float


class NextCue(Struct, frozen=True):
    """A cue to come. ``lack`` is why its own audio cannot be aired, None when it can."""

    occurrence: str
    title: str
    planned_ms: WallMs
    zones: tuple[ZoneId, ...]
    audio_ready: bool
    lack: AsRunReason | None = None


class InForce(Struct, frozen=True):
    """A programme in force."""

    scope: Scope
    version: int
    expires_ms: WallMs
    slots: int


class Cache(Struct, frozen=True):
    """Audio that the programmes in force need: how much of it is in the store."""

    wanted_files: int
    stored_files: int
    wanted_bytes: int
    stored_bytes: int


class ZoneVolume(Struct, frozen=True):
    """How loud a zone is by an order of the centre, and until when."""

    zone: ZoneId
    percent: int
    until_ms: WallMs


class ModemView(Struct, frozen=True):
    """The modem, as it told last; while it does not answer, nothing is known of SIM, network and signal. ``used_bytes``
    is what its SIM has used of its month, ``cures`` how many steps of a cure were taken within a day.
    """

    answers: bool
    sim: SimState | None
    registration: Registration | None
    operator: str
    signal_dbm: int | None
    used_bytes: int
    budget_bytes: int | None
    cures: int


class Snapshot(Struct, frozen=True):
    """The state of a station at one instant.

    ``state`` is ``on-air``, ``idle``, ``no-time`` (air-7) or ``stopping``; ``amplifier``: ``off``, ``warming``, ``on``.
    ``clock_source`` is whose time the station lives by since ``clock_since_ms``, None without trusted time;
    ``clock_words`` the last that each source said; ``meter`` and ``off_air`` what energy meter and
    off-air monitor told last; ``power``, ``box`` and ``modem`` are None where there is no such thing.
    """

    station: str
    scope: Scope
    wall_ms: WallMs
    clock_trusted: bool
    state: str
    amplifier: str
    zones_closed: tuple[ZoneId, ...]
    on_air: OnAir | None
    next_cues: tuple[NextCue, ...]
    programmes: tuple[InForce, ...]
    cache: Cache
    faults: tuple[Fault, ...]
    link_up: bool
    player_up: bool
    underruns: int
    clock_source: TimeSource | None = None
    clock_since_ms: WallMs | None = None
    clock_words: tuple[SourceWord, ...] = ()
    volumes: tuple[ZoneVolume, ...] = ()
    meter: MeterReading | None = None
    power: PowerState | None = None
    box: BoxState | None = None
    modem: ModemView | None = None
    off_air: OffAirReading | None = None
