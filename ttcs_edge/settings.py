"""What ``station.yaml`` sets for each part of the shell. ``config.py`` makes it; each part is handed its own.

It stands apart from ``config.py`` so that a driver, the link or the player can name its settings without loading YAML
and the words of every mistake; what the core must know of a station is the core's own (``StationSettings``).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from msgspec import Struct

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
    """What opens a coded receiver, and what closes it: digits of a telephone."""

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


class PinFactory(Enum):
    """Which gpiozero pin factory drives the lines."""

    LGPIO = "lgpio"
    MOCK = "mock"


class PinSettings(Struct, frozen=True):
    """The GPIO lines. ``mock_folder`` is where mock lines keep their state, as a real line keeps its level.

    ``mixer`` is the relay that lets a microphone into the amplifier, ``transmitter`` the key of an FM transmitter.
    """

    amplifier: RelaySettings
    zones: Mapping[ZoneId, RelaySettings]
    factory: PinFactory = PinFactory.LGPIO
    mock_folder: Path | None = None
    mixer: RelaySettings | None = None
    transmitter: RelaySettings | None = None


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


class PanelSettings(Struct, frozen=True):
    """What people see at the box. ``led`` None means that it has no lamp."""

    led: RelaySettings | None = None


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
    energy meter on it; ``codes`` are those that are opened by the ``transmitter``.
    """

    station: StationSettings
    broker: BrokerSettings
    pins: PinSettings
    rs485: SerialSettings | None
    coils: Mapping[ZoneId, CoilSettings]
    meter_unit: int | None
    transmitter: TransmitterSettings | None
    codes: Mapping[ZoneId, CodeSettings]
    sound: SoundSettings
    https: HttpsSettings
    streams: StreamSettings
    store: StoreSettings
    clock: ClockSettings
    panel: PanelSettings
    speech: SpeechSettings
    microphone: MicrophoneSettings | None
    monitor: MonitorSettings | None
    trust_folder: Path
    state_folder: Path
    runtime_folder: Path
