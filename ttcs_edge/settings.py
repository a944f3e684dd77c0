"""What ``station.yaml`` sets for each part of the shell. ``config.py`` makes it; each part is handed its own.

It stands apart from ``config.py`` so that a driver, the link or the player can name its settings without loading YAML
and the words of every mistake; what the core must know of a station is the core's own (``StationSettings``).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from msgspec import Struct

from ttcs_edge.core.lamp import Place
from ttcs_edge.core.model import StationSettings, ZoneId


class BrokerSettings(Struct, frozen=True):
    """The MQTT broker, spoken to over TLS with the station's own certificate.

    ``renewed_file`` is where the daemon keeps a newer one over the same key, once it was given one.
    """

    host: str
    ca_file: Path
    certificate_file: Path
    key_file: Path
    port: int = 8883
    topic_root: str = "ttcs/v1"
    keepalive_s: int = 60
    session_expiry_s: int = 7 * 86_400
    renewed_file: Path | None = None


class HttpsSettings(Struct, frozen=True):
    """How audio is fetched. ``ca_file`` None means the system's own authorities."""

    ca_file: Path | None = None
    read_timeout_s: float = 20.0
    total_timeout_s: float = 3_600.0


class StreamSettings(Struct, frozen=True):
    """Which plain streams may be relayed: those on ``hosts``, each a host and a port; None: a person names one by hand,
    wherever it leads. ``ca_file`` as for HTTPS.

    A server may be silent for ``silent_s``; a playlist or a piece must be there within ``whole_s``.
    """

    hosts: frozenset[tuple[str, int]] | None = frozenset()
    ca_file: Path | None = None
    silent_s: float = 10.0
    whole_s: float = 15.0


class ContactSettings(Struct, frozen=True):
    """A contact on a GPIO line, by its BCM number: to ground, or, ``active_high``, to 3.3 V."""

    pin: int
    active_high: bool = False


class RelaySettings(Struct, frozen=True):
    """One relay on a GPIO line, by its BCM number, and the contact that tells what it did, where it has one."""

    pin: int
    active_high: bool = True
    contact: ContactSettings | None = None


class Parity(Enum):
    """The parity of a serial line."""

    NONE = "none"
    EVEN = "even"
    ODD = "odd"


class SerialSettings(Struct, frozen=True):
    """A serial line, eight bits a character."""

    port: Path
    baud: int = 9_600
    parity: Parity = Parity.NONE
    stop_bits: int = 1


class CoilSettings(Struct, frozen=True):
    """One relay of a Modbus board: the board's unit on the line, and its coil, counted from 0."""

    unit: int
    coil: int

    def __str__(self) -> str:
        return f"RS-485 unit {self.unit} coil {self.coil}"


class AmplifierClass(Enum):
    """How an amplifier makes its power: a linear output stage, or a switching one."""

    AB = "ab"
    D = "d"


class CodeSettings(Struct, frozen=True):
    """What opens a coded receiver, and what closes it: digits of a telephone, or RDS groups such as
    ``6A 05 0001 0001`` (type, the last five bits of block 2, block 3, block 4).
    """

    open: str
    close: str


class TransmitterSettings(Struct, frozen=True):
    """The FM transmitter of coded receivers. Its key goes down ``key_lead_ms`` before the first digit; receivers that
    an earlier life left open are closed by ``close_all_code``, where there is one.
    """

    key: RelaySettings
    key_lead_ms: int = 500
    digit_ms: int = 100
    gap_ms: int = 100
    close_all_code: str = ""


class RdsSettings(Struct, frozen=True):
    """The RDS encoder of an FM transmitter, on a serial line. Each group is sent so many ``times``, for receivers lose
    some, with ``gap_ms`` behind each, in which it goes out. Receivers that an earlier life left open are closed by
    ``close_all_group``, where there is one.
    """

    serial: SerialSettings
    times: int = 3
    gap_ms: int = 200
    close_all_group: str = ""


class PinFactory(Enum):
    """Which gpiozero pin factory drives the lines."""

    LGPIO = "lgpio"
    MOCK = "mock"


class PinSettings(Struct, frozen=True):
    """The GPIO lines. ``mock_folder`` is where mock lines keep their state, as a real line keeps its level.

    ``mixer`` is the relay that lets a microphone into the amplifier, ``transmitter`` the key of an FM transmitter,
    ``fan`` the relay of the box's fan.
    ``modem`` the relay that cuts the modem's supply while it is closed.
    """

    amplifier: RelaySettings
    zones: Mapping[ZoneId, RelaySettings]
    factory: PinFactory = PinFactory.LGPIO
    mock_folder: Path | None = None
    mixer: RelaySettings | None = None
    transmitter: RelaySettings | None = None
    fan: RelaySettings | None = None
    modem: RelaySettings | None = None


class SoundDriver(Enum):
    """Where samples go: an ALSA device, or a WAV file paced by the monotonic clock."""

    ALSA = "alsa"
    WAV = "wav"


class SoundSettings(Struct, frozen=True):
    """The one audio path of the station: mono, 48 kHz, 16 bit, periods of 10 ms."""

    driver: SoundDriver = SoundDriver.ALSA
    device: str = "default"
    wav_file: Path | None = None
    buffer_ms: int = 40


class InputSettings(Struct, frozen=True):
    """Where a microphone or the off-air monitor hears: an ALSA device, or a WAV file that is played round and round."""

    driver: SoundDriver = SoundDriver.ALSA
    device: str = "default"
    wav_file: Path | None = None


class MonitorSettings(Struct, frozen=True):
    """The input at which the off-air monitor listens, and how loud a bulletin is there, in dB of full scale."""

    input: InputSettings
    loud_dbfs: float


class MicrophoneSettings(Struct, frozen=True):
    """The line of the microphone's key, and the ``input`` that hears it; None when it is heard by the mixer's relay."""

    key: RelaySettings
    input: InputSettings | None = None


class ModemSettings(Struct, frozen=True):
    """The AT port of the modem, asked every ``every_s`` while all is well; ``interface`` is the one whose bytes count,
    None: none do.
    """

    port: Path
    baud: int = 115_200
    every_s: int = 600
    interface: str | None = None


class ClockTrust(Enum):
    """What makes the wall clock trusted: a source that can be asked (the kernel first), or the owner's word for it."""

    KERNEL = "kernel"
    HOST = "host"


class ClockSettings(Struct, frozen=True):
    """Who tells the time beside the kernel. ``rtc`` and ``modem`` are devices of this machine; None: it has none."""

    trust: ClockTrust = ClockTrust.KERNEL
    rtc: Path | None = None
    modem: Path | None = None
    modem_baud: int = 115_200
    modem_every_s: int = 600


class LcdSize(Enum):
    """The places of a character display: columns and rows."""

    SMALL = "16x2"
    WIDE = "20x2"
    HIGH = "16x4"
    LARGE = "20x4"


class LcdSettings(Struct, frozen=True):
    """A character display behind a PCF8574: the kernel's device of its bus, its address there, and its size."""

    bus: Path = Path("/dev/i2c-1")
    address: int = 0x27
    columns: int = 16
    rows: int = 2


class PanelSettings(Struct, frozen=True):
    """What people see and touch at the box: lamps by their places, the line of the mute key, a display; None: there is
    none.
    """

    leds: Mapping[Place, RelaySettings] = {}
    mute: RelaySettings | None = None
    lcd: LcdSettings | None = None


class PowerSettings(Struct, frozen=True):
    """What tells of the power: a contact that is closed while the mains are there, or a ``supply`` that the kernel
    knows; and a ``battery`` that it knows. These by their names in ``/sys/class/power_supply``, or by their folders.
    """

    mains: ContactSettings | None = None
    supply: str | None = None
    battery: str | None = None


class BoxSettings(Struct, frozen=True):
    """What tells of the box: a contact that is closed while its door is shut, and a thermometer by its name."""

    door: ContactSettings | None = None
    sensor: str | None = None


class SpeechSettings(Struct, frozen=True):
    """What speaks the words that nobody recorded: Piper in the languages that have a ``piper`` model, else espeak-ng.

    ``time_limit_s`` is how long one voice may take for one text.
    """

    piper: Mapping[str, Path] = {}
    piper_program: str = "piper"
    time_limit_s: int = 40


class StoreSettings(Struct, frozen=True):
    """How much of the card audio and reports may take, and how much must stay free; how long a report is kept after
    it was sent."""

    audio_bytes: int = 8 * 1024**3
    free_bytes: int = 256 * 1024**2
    report_bytes: int = 128 * 1024**2
    sent_kept_s: int = 30 * 86_400


class Config(Struct, frozen=True):
    """A whole ``station.yaml``, checked. ``coils`` are the zones that are switched by ``rs485``, ``meter_unit`` is the
    energy meter on it; ``codes`` are those that are opened by the ``transmitter`` with digits, ``groups`` those by its
    ``rds`` encoder; ``modem`` None: there is none, or none that is looked after.
    """

    station: StationSettings
    broker: BrokerSettings
    pins: PinSettings
    rs485: SerialSettings | None
    coils: Mapping[ZoneId, CoilSettings]
    meter_unit: int | None
    transmitter: TransmitterSettings | None
    codes: Mapping[ZoneId, CodeSettings]
    rds: RdsSettings | None
    groups: Mapping[ZoneId, CodeSettings]
    sound: SoundSettings
    https: HttpsSettings
    streams: StreamSettings
    store: StoreSettings
    clock: ClockSettings
    panel: PanelSettings
    speech: SpeechSettings
    microphone: MicrophoneSettings | None
    power: PowerSettings
    box: BoxSettings
    modem: ModemSettings | None
    monitor: MonitorSettings | None
    trust_folder: Path
    state_folder: Path
    runtime_folder: Path
