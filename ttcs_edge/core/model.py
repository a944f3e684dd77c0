"""What the station itself makes and speaks of: instants, places, zones, cues, as-run records, faults.

Units are in the names: ``_ms`` milliseconds, ``_s`` seconds, ``_percent``, ``_bytes``. Instants on the wall clock are
integer milliseconds since 1970-01-01T00:00Z; instants on the monotonic clock are integer milliseconds of
``CLOCK_MONOTONIC``, which every process of the machine shares and which no clock step touches.
"""

from __future__ import annotations

from enum import Enum
from typing import NewType

from msgspec import Struct

Scope = NewType("Scope", str)
"""A place in the administrative tree: a path of any depth such as ``vn/lam-dong/da-teh``."""

ZoneId = NewType("ZoneId", str)
Sha256 = NewType("Sha256", str)
"""64 lower-case hexadecimal digits."""

AMPLIFIER = "amplifier"
MICROPHONE = "microphone"
TRANSMITTER = "transmitter"
FAN = "fan"
MODEM = "modem"
NO_ZONES = (AMPLIFIER, MICROPHONE, TRANSMITTER, FAN, MODEM)
"""What the switches are called, where zones are called by their ids, of the amplifier, the microphone's way in, an FM
transmitter's key, the box's fan and the modem's supply; no zone may have such an id."""

WallMs = NewType("WallMs", int)
MonoMs = NewType("MonoMs", int)


class Instant(Struct, frozen=True):
    """One reading of both clocks, and whether the wall clock can be believed (air-7)."""

    wall_ms: WallMs
    mono_ms: MonoMs
    trusted: bool


class Certificate(Struct, frozen=True):
    """The station's own certificate, found good: PEM, and from when until when it holds."""

    pem: bytes
    begins_ms: WallMs
    ends_ms: WallMs


class LocalUser(Struct, frozen=True):
    """Who did something at the box: a user of its system, as the kernel knows him."""

    uid: int
    name: str


def is_sha256(text: str) -> bool:
    """Tell whether a text is a SHA-256 in hexadecimal."""
    return len(text) == 64 and not text.strip("0123456789abcdef")


def scope_covers(scope: Scope, place: Scope) -> bool:
    """Tell whether ``place`` is ``scope`` or lies below it.

    >>> scope_covers(Scope("vn/lam-dong"), Scope("vn/lam-dong/da-teh"))
    True
    >>> scope_covers(Scope("vn/lam"), Scope("vn/lam-dong"))
    False
    """
    return place == scope or place.startswith(f"{scope}/")


def scope_prefixes(place: Scope) -> tuple[Scope, ...]:
    """List ``place`` and every scope above it, the highest first."""
    parts = place.split("/")
    return tuple(Scope("/".join(parts[: n + 1])) for n in range(len(parts)))


class QuietHours(Struct, frozen=True):
    """A span of the local day in which only alerts sound (air-5); it may cross midnight.

    ``begin_minute`` and ``end_minute`` count from local midnight; the end is not part of the span.
    """

    begin_minute: int
    end_minute: int

    def contains(self, minute: int) -> bool:
        """Tell whether a minute of the local day lies in the span."""
        if self.begin_minute <= self.end_minute:
            return self.begin_minute <= minute < self.end_minute
        return minute >= self.begin_minute or minute < self.end_minute

    def __str__(self) -> str:
        begin, end = divmod(self.begin_minute, 60), divmod(self.end_minute, 60)
        return f"{begin[0]:02}:{begin[1]:02}-{end[0]:02}:{end[1]:02}"


class Zone(Struct, frozen=True):
    """A speaker cluster behind one switch, which takes ``switching_ms`` to do as told, at the most. ``tone_w`` is what
    the test tone in it alone adds at the meter; None: nobody measured it. It loads its ``supply``, where it has one,
    with ``load_w``.
    """

    id: ZoneId
    name: str
    languages: tuple[str, ...] = ("vi",)
    volume_percent: int = 100
    tone_w: float | None = None
    switching_ms: int = 0
    supply: str | None = None
    load_w: int = 0


class Supply(Struct, frozen=True):
    """What feeds some zones: it bears so many of them at once, or so many watts of them, or both. None: it is not
    bound so.
    """

    id: str
    zones_most: int | None = None
    load_most_w: int | None = None


class Amplifier(Struct, frozen=True):
    """What the one amplifier of a station needs, in milliseconds. Once switched it stays on or off for ``on_least_ms``
    or ``off_least_ms``, in which it cools down. Of any ``duty_span_ms`` it may be on the air for ``duty_most_ms``;
    None: for all of it.
    """

    warm_up_ms: int = 2_000
    hold_ms: int = 10_000
    on_least_ms: int = 0
    off_least_ms: int = 0
    duty_most_ms: int | None = None
    duty_span_ms: int = 3_600_000


VARIES_LEAST_W = 1.5
VARIES_LEAST_OF_IDLE = 0.06


class Meter(Struct, frozen=True):
    """The energy meter before the amplifier. ``idle_w`` is what the amplifier draws when it is silent, ``others_w``
    what else hangs on the meter, ``most_w`` what all of it never should; power rises with the ``exponent``-th power of
    the level.
    """

    idle_w: float
    most_w: float
    others_w: float = 0.0
    exponent: int = 1

    @property
    def least_varying_w(self) -> float:
        """How much what sound adds must go up and down for the power to be seen following it."""
        return max(VARIES_LEAST_W, VARIES_LEAST_OF_IDLE * self.idle_w)


class MeterReading(Struct, frozen=True):
    """What an energy meter tells: effective voltage and current, active power, and the energy that it ever counted."""

    volts: float
    amperes: float
    watts: float
    energy_wh: int


class Battery(Struct, frozen=True):
    """What a battery tells of itself; None: it does not say."""

    percent: int
    volts: float | None = None
    charging: bool | None = None


class ShedWhen(Enum):
    """What a step of saving power waits for."""

    MAINS_LOST = "mains-lost"
    BATTERY = "battery"
    BOX_HOT = "box-hot"


class ShedStep(Struct, frozen=True):
    """One rule of saving power (``core.power``): ``when`` it begins, and what is left from then on. It begins once its
    condition has lasted for ``after_ms``; that of a battery is to have less than ``below_percent``. ``zones`` are those
    that stay; None: all.
    """

    when: ShedWhen
    after_ms: int = 0
    below_percent: int = 0
    volume_percent: int = 100
    zones: tuple[ZoneId, ...] | None = None
    zones_most: int | None = None
    alerts_only: bool = False


class Power(Struct, frozen=True):
    """Where a station's power comes from, and what it does without when there is little of it. The mains are lost once
    they were away for ``lost_after_ms``, and there again once they were back for ``back_after_ms``; a battery below
    ``low_percent`` is low.
    """

    has_mains: bool = False
    has_battery: bool = False
    lost_after_ms: int = 5_000
    back_after_ms: int = 30_000
    low_percent: int = 20
    shed: tuple[ShedStep, ...] = ()


class Fan(Struct, frozen=True):
    """The fan of the box: on from ``on_c`` degrees Celsius, off again at ``off_c``."""

    on_c: float
    off_c: float


class Box(Struct, frozen=True):
    """What is watched in the box, in degrees Celsius; None: it is not."""

    has_door: bool = False
    has_thermometer: bool = False
    hot_c: float | None = None
    cold_c: float | None = None
    fan: Fan | None = None


class Modem(Struct, frozen=True):
    """The modem of a station. ``has_relay`` tells that its supply can be cut; ``cure_after_ms`` is how long the link
    may be gone before anything is done about it. The SIM's month begins on ``budget_day``, and may take
    ``budget_bytes``; None: no bound is known.
    """

    has_relay: bool = False
    cure_after_ms: int = 600_000
    budget_bytes: int | None = None
    budget_day: int = 1


class SimState(Enum):
    """What AT+CPIN? tells of the SIM (3GPP TS 27.007, 8.3)."""

    READY = "ready"
    MISSING = "missing"
    PIN = "pin"
    PUK = "puk"
    UNKNOWN = "unknown"


class Registration(Enum):
    """Where the modem stands with the network (3GPP TS 27.007, 7.2 and 10.1.22)."""

    HOME = "home"
    ROAMING = "roaming"
    SEARCHING = "searching"
    DENIED = "denied"
    UNKNOWN = "unknown"


class ModemReading(Struct, frozen=True):
    """What a modem tells. ``signal_dbm`` is the RSSI of AT+CSQ, None where it measures none; ``operator`` is empty
    while it is with none.
    """

    sim: SimState = SimState.UNKNOWN
    registration: Registration = Registration.UNKNOWN
    operator: str = ""
    signal_dbm: int | None = None


class CureStep(Enum):
    """What is done about a modem that is hung, from the gentlest on: leave the network and look for it anew; start
    anew; have no power for a while.
    """

    RECONNECT = "reconnect"
    RESTART = "restart"
    POWER_OFF = "power-off"
    POWER_ON = "power-on"


class DataUsed(Struct, frozen=True):
    """What the SIM has used, as the store keeps it (``core.budget``). Days are those of ``date.toordinal``; 0: none.

    ``month`` is the first day of the SIM's month, ``other_month`` that of the one which was counted before;
    ``unplaced_bytes`` came without trusted time; ``counter_bytes`` is what the kernel had counted last, under the name
    ``counter_of``. ``daily_bytes`` is the mean of ``days`` whole days, without ``day``, which is not over.
    """

    month: int = 0
    used_bytes: int = 0
    other_month: int = 0
    other_bytes: int = 0
    unplaced_bytes: int = 0
    counter_bytes: int = 0
    counter_of: int = 0
    day: int = 0
    day_bytes: int = 0
    daily_bytes: int = 0
    days: int = 0


class OffAirReading(Struct, frozen=True):
    """What the off-air monitor tells of the last seconds, levels in the bands of the voice, in dB of full scale.

    ``sent_ms`` is how long ours has sounded, 0 where nothing is sent; ``noise_db`` what is heard in its pauses, None
    where there were none; ``match`` how like ours it is, 1 at the most, None where that cannot be told, and ``lag_ms``
    how much later; ``foreign_db`` and ``foreign_share`` how loud and how much is heard that ours does not explain, and
    ``variety_db`` how much its colour changes; ``flat_share`` how many samples lie at their peak, more than in ours.
    """

    sent_ms: int
    sent_db: float
    heard_db: float
    noise_db: float | None
    match: float | None
    lag_ms: int
    foreign_db: float
    foreign_share: float
    variety_db: float
    flat_share: float


class SelfTest(Struct, frozen=True):
    """When zones are tested by a quiet pilot tone, and how: at minutes of the local day, or ``every_ms``; so loud, at
    the most for ``tone_ms`` in each zone; in quiet hours only where that is wanted.
    """

    at_minutes: tuple[int, ...] = ()
    every_ms: int | None = None
    level_percent: int = 45
    tone_ms: int = 32_000
    in_quiet_hours: bool = False


class Way(Enum):
    """How sound that is made while it airs comes to the amplifier: from the player's sound input, over the network in
    signed segments or as a plain stream, or past the player, by a relay that lets it into the amplifier's mixer.
    """

    INPUT = "input"
    LIVE = "live"
    STREAM = "stream"
    MIXER = "mixer"


class Inlet(Struct, frozen=True):
    """Sound that is made while it airs: its way, and how long it may take at the most; the number of its stream."""

    way: Way
    most_ms: int
    stream: int = 0


class Microphone(Struct, frozen=True):
    """The microphone of a station: who holds its key down speaks in these zones, for so long at the most."""

    zones: tuple[ZoneId, ...]
    inlet: Inlet
    volume_percent: int = 100
    in_quiet_hours: bool = False


class StationSettings(Struct, frozen=True):
    """What the core must know of the station; made from ``station.yaml`` by ``config.py``. A zone that was switched
    stays closed or open for ``zone_on_least_ms`` or ``zone_off_least_ms``. ``mute_most_ms`` is how long its mute key
    silences it, None when it has none; ``display`` tells whether anybody sees what ``display`` shows. ``loud_dbfs`` is
    how loud a bulletin is at the off-air monitor; None: there is none.
    """

    id: str
    scope: Scope
    zones: tuple[Zone, ...]
    time_zone: str
    amplifier: Amplifier = Amplifier()
    quiet_hours: tuple[QuietHours, ...] = ()
    zone_stagger_ms: int = 200
    zone_on_least_ms: int = 0
    zone_off_least_ms: int = 0
    alert_zones_at_once: int = 1
    fade_in_ms: int = 300
    fade_out_ms: int = 500
    heartbeat_s: int = 60
    microphone: Microphone | None = None
    meter: Meter | None = None
    power: Power | None = None
    box: Box | None = None
    modem: Modem | None = None
    mute_most_ms: int | None = None
    display: bool = False
    supplies: tuple[Supply, ...] = ()
    loud_dbfs: float | None = None
    self_test: SelfTest | None = None


START_MARGIN_MS = 150
"""How far ahead of its instant a sound is handed to the player, so that it starts to the period."""

ALERT_PREFIX = "alert:"
"""Before the id of an alert, where slots stand by theirs."""


COMMAND_PREFIX = "command:"
"""Before the name of what a command has aired, where slots stand by their ids."""

MICROPHONE_PREFIX = "microphone:"
"""Before the name of what a person at the station says, where slots stand by their ids."""

LIVE_PREFIX = "live:"
"""Before the id of a live relay, where slots stand by theirs."""


STREAM_PREFIX = "stream:"
"""Before the id of the slot that a plain stream was heard for, where slots stand by theirs."""


STATION_PREFIX = "station:"
"""Before the name of what a person at the station has tested, or the station tests by itself, where slots stand by
their ids."""


class Occurrence(Struct, frozen=True, order=True):
    """One occurrence of one slot, a part of a round of an alert, what a command has aired, what was said into the
    microphone, a session of a live relay, a stream, or a zone of a test: the identity under which it airs at most once
    (never-5).

    ``local`` is its civil date and time, ``2026-11-24T05:00:00``, so that a clock step or a daylight-saving change
    cannot make a second occurrence of it.
    """

    scope: Scope
    slot: str
    local: str

    @property
    def is_of_alert(self) -> bool:
        """Tell whether it is a part of an alert: ids of slots hold no colon."""
        return self.slot.startswith(ALERT_PREFIX)

    @property
    def subject(self) -> str:
        """Its slot, as faults name it."""
        return f"{self.scope}#{self.slot}"

    def __str__(self) -> str:
        return f"{self.subject}@{self.local}"


Rank = tuple[int, ...]
"""A place in the order of the air, the higher the better: its class, then what counts within the class (air-1)."""


class AudioItem(Struct, frozen=True):
    """One stretch of audio to be aired: which bulletin, in which language, which bytes.

    ``until_ms`` is when it expires: it is aired only where it is over by then.
    """

    bulletin: str
    language: str
    sha256: Sha256
    size_bytes: int
    duration_ms: int
    until_ms: WallMs | None = None


class Utterance(Struct, frozen=True):
    """Words to be spoken by the station itself, in a language."""

    language: str
    text: str


class IfInterrupted(Enum):
    """What becomes of a cue that lost the air before its end (air-2)."""

    RESUME = "resume"
    RESTART = "restart"
    DROP = "drop"


class IfUnplayable(Enum):
    """What is heard in place of a bulletin that cannot be aired, or of a slot of which nothing can."""

    SILENCE = "silence"
    EARLIER = "earlier"
    STANDING = "standing"


class Cue(Struct, frozen=True):
    """One thing about to air: an occurrence of a slot, resolved for this station.

    ``substitute`` tells that something of it is not what the slot names, but what stands in for it.
    ``volume_percent`` is how loud it is in zones as they are configured, ``slot_percent`` what the slot alone says.
    With an ``inlet`` it has no items: its sound is made while it airs. ``live`` is the id of the live relay, or the
    name of the stream, that is to be heard in its place where it can be.
    """

    occurrence: Occurrence
    title: str
    planned_ms: WallMs
    late_until_ms: WallMs
    priority: Rank
    zones: tuple[ZoneId, ...]
    bulletins: tuple[str, ...]
    items: tuple[AudioItem, ...]
    volume_percent: int
    if_interrupted: IfInterrupted
    programme_version: int
    substitute: bool = False
    slot_percent: int = 100
    inlet: Inlet | None = None
    live: str | None = None

    @property
    def duration_ms(self) -> int:
        """The sum of the durations that the bulletins declare; of an inlet, what it may take at the most."""
        return sum(item.duration_ms for item in self.items) if self.inlet is None else self.inlet.most_ms

    @property
    def has_sound(self) -> bool:
        """Tell whether there is anything to be heard of it."""
        return bool(self.items) or self.inlet is not None


class Outcome(Enum):
    """How a cue ended, as the as-run log tells it. Substituted: something else was heard whole in its place."""

    AIRED = "aired"
    SUBSTITUTED = "substituted"
    PART = "part"
    MISSED = "missed"
    CUT = "cut"


class AsRunReason(Enum):
    """Why a cue did not air whole; each has its words in ``locale``."""

    NO_AUDIO = "no-audio"
    NOT_AUDIO = "not-audio"
    ROTTEN = "rotten"
    EXPIRED = "expired"
    NO_ZONE = "no-zone"
    NO_TIME = "no-time"
    QUIET_HOURS = "quiet-hours"
    TOO_LATE = "too-late"
    SOUND_DEVICE = "sound-device"
    PLAYER_DIED = "player-died"
    PRE_EMPTED = "pre-empted"
    WITHDRAWN = "withdrawn"
    STOPPED = "stopped"
    STOPPED_BY_COMMAND = "stopped-by-command"
    STOPPED_BY_HAND = "stopped-by-hand"
    POWER = "power"
    NO_AMPLIFIER = "no-amplifier"
    AMPLIFIER_REST = "amplifier-rest"
    RELAY = "relay"
    NO_VOICE = "no-voice"
    SPEECH_TOO_SLOW = "speech-too-slow"
    SPEECH_FAILED = "speech-failed"
    SOUND_INPUT = "sound-input"
    LET_GO = "let-go"
    LIVE_LOST = "live-lost"
    TIME_LIMIT = "time-limit"
    POWER_SAVED = "power-saved"
    MUTED = "muted"


class AiredItem(Struct, frozen=True):
    """What of one audio item was really written to the sound device."""

    bulletin: str
    language: str
    sha256: Sha256
    size_bytes: int
    duration_ms: int
    written_ms: int


class AsRun(Struct, frozen=True):
    """What really became of one cue. ``outcome`` is None while it is still open; ``witnessed`` tells whether meter and
    off-air monitor saw the sound go out, None where that cannot be told. ``zones_saved`` are those that it was meant
    for and that were left out to save power.
    """

    id: str
    occurrence: Occurrence
    title: str
    programme_version: int
    planned_start_ms: WallMs
    planned_end_ms: WallMs
    start_ms: WallMs | None
    end_ms: WallMs | None
    zones: tuple[ZoneId, ...]
    items: tuple[AiredItem, ...]
    outcome: Outcome | None = None
    reason: AsRunReason | None = None
    interruptions: int = 0
    witnessed: bool | None = None
    zones_saved: tuple[ZoneId, ...] = ()


class Severity(Enum):
    """How much a fault matters to the people under the pole."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Fault(Struct, frozen=True):
    """A condition raised and later cleared. ``code`` and ``subject`` together are its identity.

    ``detail`` holds fields for the message of ``code`` in ``locale``; never a sentence.
    """

    id: str
    code: str
    subject: str
    severity: Severity
    detail: tuple[tuple[str, str], ...]
    raised_ms: WallMs
    cleared_ms: WallMs | None = None


class VerifiedAudio(Struct, frozen=True):
    """Audio whose hash was checked as it was read from disk, held in a sealed memory file (never-1).

    Only ``ttcs_edge.store.blobs`` makes one. ``fd`` is open for reading and belongs to the holder of this value.
    """

    sha256: Sha256
    size_bytes: int
    fd: int
