"""What ``station.yaml`` sets for each part of the shell. ``config.py`` makes it; each part is handed its own.

It stands apart from ``config.py`` so that a driver, the link or the player can name its settings without loading YAML
and the words of every mistake; what the core must know of a station is the core's own (``StationSettings``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ttcs_edge.core.model import StationSettings, ZoneId


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """The MQTT broker, spoken to over TLS with the station's own certificate."""

    host: str
    ca_file: Path
    certificate_file: Path
    key_file: Path
    port: int = 8883
    topic_root: str = "ttcs/v1"
    keepalive_s: int = 60
    session_expiry_s: int = 7 * 86_400


@dataclass(frozen=True, slots=True)
class HttpsSettings:
    """How audio is fetched. ``ca_file`` None means the system's own authorities."""

    ca_file: Path | None = None
    read_timeout_s: float = 20.0
    total_timeout_s: float = 3_600.0


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """One relay on a GPIO line, by its BCM number."""

    pin: int
    active_high: bool = True


class PinFactory(Enum):
    """Which gpiozero pin factory drives the lines."""

    LGPIO = "lgpio"
    MOCK = "mock"


@dataclass(frozen=True, slots=True)
class PinSettings:
    """The GPIO lines. ``mock_folder`` is where mock lines keep their state, as a real line keeps its level."""

    amplifier: RelaySettings
    zones: Mapping[ZoneId, RelaySettings]
    factory: PinFactory = PinFactory.LGPIO
    mock_folder: Path | None = None


class SoundDriver(Enum):
    """Where samples go: an ALSA device, or a WAV file paced by the monotonic clock."""

    ALSA = "alsa"
    WAV = "wav"


@dataclass(frozen=True, slots=True)
class SoundSettings:
    """The one audio path of the station: mono, 48 kHz, 16 bit, periods of 10 ms."""

    driver: SoundDriver = SoundDriver.ALSA
    device: str = "default"
    wav_file: Path | None = None
    buffer_ms: int = 40


class TimeSource(Enum):
    """What makes the wall clock trusted: the kernel says it is synchronised, or the owner vouches for the host."""

    KERNEL = "kernel"
    HOST = "host"


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """How much of the card audio may take, and how much must stay free."""

    audio_bytes: int = 8 * 1024**3
    free_bytes: int = 256 * 1024**2


@dataclass(frozen=True, slots=True)
class Config:
    """A whole ``station.yaml``, checked."""

    station: StationSettings
    broker: BrokerSettings
    pins: PinSettings
    sound: SoundSettings
    https: HttpsSettings
    store: StoreSettings
    time_source: TimeSource
    trust_folder: Path
    state_folder: Path
    runtime_folder: Path
