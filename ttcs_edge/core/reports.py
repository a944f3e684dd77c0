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


class ZoneTested(Struct, frozen=True):
    """What came of a zone that sounded alone (``zone_by_zone``), and why not more."""

    zone: ZoneId
    outcome: str
    reason: str | None = None


class ZoneWalked(Struct, frozen=True):
    """A zone of a test-tone walk: its outcome, or what happens to it now (``walks``). ``watts`` is what the energy
    meter told on the mean while the tone was heard, ``added_w`` how much of it the tone added, ``tone_w`` how much it
    would at full volume, ``configured_w`` what the config says of that; None where nobody measured it.
    """

    zone: ZoneId
    name: str
    outcome: str
    reason: str | None
    is_bad: bool
    says_name: bool
    watts: float | None
    added_w: float | None
    tone_w: float | None
    configured_w: float | None


class WalkState(Struct, frozen=True):
    """How far a walk has come. ``ended`` tells why it is over before its last zone. ``idle_w`` is what the meter told
    of an amplifier that was on and silent; ``idle_is_fresh``: behind the walk.
    """

    number: int
    is_over: bool
    ended: str | None
    zones: tuple[ZoneWalked, ...]
    idle_w: float | None
    idle_is_fresh: bool


class LeaseState(Struct, frozen=True):
    """How far a lease has come: a ``tone``, or a ``relay`` that is held closed. ``ended`` tells why it is over before
    its time; ``is_heard``: its relays are closed, and its time runs.
    """

    number: int
    kind: str
    is_over: bool
    ended: str | None
    zones: tuple[ZoneId, ...]
    is_heard: bool
    left_ms: int


class SelfTestState(Struct, frozen=True):
    """The last self-test that was due: zone by zone what came of it, or why it was not held (``skipped``)."""

    began_ms: WallMs
    ended_ms: WallMs
    zones: tuple[ZoneTested, ...]
    skipped: str | None = None


class Snapshot(Struct, frozen=True):
    """The state of a station at one instant.

    ``state`` is ``on-air``, ``idle``, ``no-time`` (air-7) or ``stopping``; ``amplifier``: ``off``, ``warming``, ``on``.
    ``clock_source`` is whose time the station lives by since ``clock_since_ms``, None without trusted time;
    ``clock_words`` the last that each source said; ``meter`` and ``off_air`` what energy meter and
    off-air monitor told last; ``power``, ``box`` and ``modem`` are None where there is no such thing.
    ``clock_words`` the last that each source said; ``meter`` what the energy meter told last; ``self_test`` is the last
    one.
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
    self_test: SelfTestState | None = None
