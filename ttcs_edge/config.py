"""``station.yaml`` becomes the core's and the shell's settings, or every mistake in it, each with its mend.

The table ``STATION`` is the whole grammar of the file: each key, what may stand there, whether it must, its default
and an example (``config/README.md`` is held to it). ``ttcs_edge.yaml_form`` reads the file by the table; what lies
between keys is checked here:

1. no two relays share a GPIO line, nor the lamp and a relay; no two zones share an id, and none is called
   ``amplifier``, which is what faults call the amplifier's relay; each zone has one switch, a line or a coil; the
   meter is no relay board; ``config_power`` has what lies between the keys of ``power`` and ``box``;
   meter is no relay board; what is on a serial port has it alone;
   meter is no relay board; the off-air monitor does not listen where the microphone is;
2. quiet hours are spans of local time; one may cross midnight, none is empty;
3. a driver's own keys are there when the driver is chosen;
4. no language has two voices;
5. each zone alone is borne by its supply, and so are the zones of the microphone together, which is heard once;
6. what the amplifier may be on the air is less than the span that it is of.
5. a self-test can be held, and finds what is broken (``self_test_form``).

Whether the files that it names exist is a question of the machine, not of the file: ``named_files`` asks it. Paths
are taken from the folder of the file. A bad file leaves nothing changed: it raises ``ConfigError``, and a
command then leaves with 78 (EX_CONFIG of ``sysexits.h``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import Struct

from ttcs_edge import config_power
from ttcs_edge.core.documents import ID_PATTERN, LANGUAGE_PATTERN, SCOPE_PATTERN
from ttcs_edge.core.lamp import Place
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import (
    NO_ZONES,
    Amplifier,
    Inlet,
    Meter,
    Microphone,
    Modem,
    QuietHours,
    Scope,
    StationSettings,
    Supply,
    Way,
    Zone,
    ZoneId,
)
from ttcs_edge.core.supplies import together
from ttcs_edge.self_test_form import SELF_TEST, check_self_test, self_test_of
from ttcs_edge.settings import (
    AmplifierClass,
    BrokerSettings,
    ClockSettings,
    ClockTrust,
    CodeSettings,
    CoilSettings,
    Config,
    ContactSettings,
    HttpsSettings,
    InputSettings,
    LcdSettings,
    LcdSize,
    MicrophoneSettings,
    ModemSettings,
    MonitorSettings,
    PanelSettings,
    Parity,
    PinFactory,
    PinSettings,
    RdsSettings,
    RelaySettings,
    SerialSettings,
    SoundDriver,
    SoundSettings,
    SpeechSettings,
    StoreSettings,
    StreamSettings,
    TransmitterSettings,
)
from ttcs_edge.yaml_form import (
    Choice,
    Expected,
    Flag,
    Key,
    ListOf,
    Milliseconds,
    Page,
    PathText,
    Problem,
    Section,
    Text,
    TimeZone,
    Whole,
    explain,
    fill,
    plain,
)
from ttcs_edge.yaml_form import refuse_lacking as _refuse_lacking

EX_CONFIG: Final = 78
MIB: Final = 1024**2
MEGABYTE: Final = 1_000_000
CREDENTIAL: Final = "credential:"
UNIT_CREDENTIALS: Final = Path("/run/credentials/ttcs-edge.service")
TRUST_FILE: Final = "root.dsse.json"

HOST_PATTERN: Final = (
    r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
    r"|[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*"
)
STREAM_HOST_PATTERN: Final = r"(?=.{1,253}(:|$))[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[1-9][0-9]{0,4})?"
STREAM_HOSTS: Final = 64
CODE_CHARS: Final = 8
CODE_PATTERN: Final = r"[0-9A-D*#]+"
INTERFACE_PATTERN: Final = r"(?!\.{1,2}$)[A-Za-z0-9._-]+"
GROUP_PATTERN: Final = r"([0-9]|1[0-5])(A [01][0-9A-F] [0-9A-F]{4}|B [01][0-9A-F]) [0-9A-F]{4}"
"""Type and version, five bits of block 2, block 3 (which is the station's own in version B), block 4 (IEC 62106-2)."""
GROUP_CHARS: Final = 16
TOPIC_PATTERN: Final = r"[^/+#$\s][^/+#\s]*(/[^/+#\s]+)*"
SPAN_PATTERN: Final = r"(\d\d):(\d\d)-(\d\d):(\d\d)"
DAY_MINUTES: Final = 24 * 60
FOLDERS: Final = {"trust": "/etc/ttcs-edge/trust", "state": "/var/lib/ttcs-edge", "runtime": "/run/ttcs-edge"}
"""Where a station has its things, unless it is told otherwise."""
RENEWED: Final = "certificate.pem"
"""In the state folder: the station's certificate, once it was renewed."""


GROUP_TAKEN_MS: Final = 200
"""How long an RDS encoder takes to take a group (RDS-C manual, 10.4.2): it waits for the ones before it."""
EXPONENTS: Final = {AmplifierClass.AB: 1, AmplifierClass.D: 2}
"""How the power of an amplifier rises with the level, by its class (``core.witness``)."""


class CredentialOrPath(Struct, frozen=True):
    """A path, or ``credential:NAME`` for what the service manager hands over (systemd.exec, Credentials)."""

    what: str

    @property
    def expected(self) -> Expected:
        """What should stand here."""
        return Expected(self.what)

    def read(self, page: Page, key: str, node: yaml.Node) -> Path | None:
        """Give the absolute path, or None."""
        path = PathText(self.what).read(page, key, node)
        if path is None or not plain(node).startswith(CREDENTIAL):
            return path
        name = plain(node).removeprefix(CREDENTIAL)
        if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name):
            return UNIT_CREDENTIALS / name
        page.refuse(key, "malformed", self.expected, "write-kind")
        return None


class I2cAddress(Struct, frozen=True):
    """The address of a PCF8574 or a PCF8574A on an I2C bus, as ``i2cdetect`` shows it."""

    @property
    def expected(self) -> Expected:
        """What should stand here."""
        return Expected("i2c-address")

    def read(self, page: Page, key: str, node: yaml.Node) -> int | None:
        """Give the address, or None. YAML 1.1 takes it for a number; in quotes it is as good."""
        written = plain(node)
        if re.fullmatch(r"0x(2[0-7]|3[89A-Fa-f])", written):
            return int(written, 16)
        page.refuse(key, "malformed", self.expected, "write-kind")
        return None


_BROKER = Section(
    (
        Key("host", Text("host", 253, HOST_PATTERN), "mqtt.example.vn", required=True),
        Key("port", Whole(1, 65_535), "8883", default="8883"),
        Key("ca", PathText("ca-file"), "/etc/ttcs-edge/identity/ca.pem", required=True),
        Key("certificate", PathText("certificate-file"), "/etc/ttcs-edge/identity/station.pem", required=True),
        Key("key", CredentialOrPath("key-file"), "credential:station.key", required=True),
        Key("topic_root", Text("topic", 64, TOPIC_PATTERN), "ttcs/v1", default="ttcs/v1"),
        Key("keepalive_s", Whole(5, 1_200, "whole-seconds"), "60", default="60"),
        Key("session_expiry_s", Whole(60, 31_536_000, "whole-seconds"), "604800", default="604800"),
    )
)
_LANGUAGES = ListOf(Text("language", 35, LANGUAGE_PATTERN), 1, LIMITS.languages_per_bulletin)
_UNIT: Final = Whole(1, 247, "modbus-unit")
_COIL: Final = Whole(0, 65_535, "modbus-coil")
_CODE: Final = Text("digits", CODE_CHARS, CODE_PATTERN)
_GROUP: Final = Text("rds-group", GROUP_CHARS, GROUP_PATTERN)
_METER_UNIT: Final = Whole(1, 247, "meter-unit")
_WATTS: Final = Whole(2, 5_000, "watts")
_ZONE = Section(
    (
        Key("id", Text("identifier", LIMITS.id_chars, ID_PATTERN), "cho-xa", required=True),
        Key("name", Text("name", LIMITS.title_chars), "Chợ xã", required=True),
        Key("pin", Whole(2, 27, "pin"), "17"),
        Key("active_high", Flag(), "true", default="true"),
        Key("unit", _UNIT, "1"),
        Key("coil", _COIL, "0"),
        Key("contact_pin", Whole(2, 27, "pin"), "23"),
        Key("contact_active_high", Flag(), "false", default="false"),
        Key("open_code", _CODE, '"12*"'),
        Key("close_code", _CODE, '"12#"'),
        Key("open_group", _GROUP, "6A 05 0001 0001"),
        Key("close_group", _GROUP, "6A 05 0001 0000"),
        Key("languages", _LANGUAGES, "[vi, cil]", default="[vi]"),
        Key("volume_percent", Whole(0, 100, "percent"), "80", default="100"),
        Key("tone_w", _WATTS, "30"),
        Key("supply", Text("identifier", LIMITS.id_chars, ID_PATTERN), "nguon-1"),
        Key("load_w", Whole(1, 5_000, "watts"), "60"),
    )
)
_SUPPLY = Section(
    (
        Key("id", Text("identifier", LIMITS.id_chars, ID_PATTERN), "nguon-1", required=True),
        Key("zones_most", Whole(1, LIMITS.zones_per_slot), "3"),
        Key("load_most_w", Whole(1, 5_000, "watts"), "250"),
    )
)
_RDS = Section(
    (
        Key("port", PathText("serial-port"), "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART-if00-port0", required=True),
        Key("baud", Whole(1_200, 115_200), "9600", default="9600"),
        Key("times", Whole(1, 10), "3", default="3"),
        Key("gap_ms", Whole(100, 1_000, "whole-milliseconds"), "200", default="200"),
        Key("close_all_group", _GROUP, "6A 00 0000 0000"),
    )
)
_RS485 = Section(
    (
        Key("port", PathText("serial-port"), "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0", required=True),
        Key("baud", Whole(1_200, 115_200), "9600", default="9600"),
        Key("parity", Choice(Parity), "none", default="none"),
        Key("stop_bits", Whole(1, 2), "1", default="1"),
    )
)
_METER = Section(
    (
        Key("unit", _METER_UNIT, "10", required=True),
        Key("idle_w", _WATTS, "25", required=True),
        Key("most_w", _WATTS, "400", required=True),
        Key("others_w", Whole(0, 5_000, "watts"), "8", default="0"),
        Key("amplifier_class", Choice(AmplifierClass), "ab", default="ab"),
    )
)
_SWITCHES: Final = (("pin",), ("unit", "coil"), ("open_code", "close_code"), ("open_group", "close_group"))
"""The keys of each kind of switch that a zone can have."""
_TRANSMITTER = Section(
    (
        Key("key_pin", Whole(2, 27, "pin"), "12", required=True),
        Key("key_active_high", Flag(), "true", default="true"),
        Key("key_lead_s", Milliseconds(0, 3_000), "0.5", default="0.5"),
        Key("digit_ms", Whole(40, 500, "whole-milliseconds"), "100", default="100"),
        Key("gap_ms", Whole(40, 500, "whole-milliseconds"), "100", default="100"),
        Key("close_all_code", _CODE, '"00#"'),
    )
)
_AMPLIFIER = Section(
    (
        Key("pin", Whole(2, 27, "pin"), "16", required=True),
        Key("active_high", Flag(), "true", default="true"),
        Key("contact_pin", Whole(2, 27, "pin"), "24"),
        Key("contact_active_high", Flag(), "false", default="false"),
        Key("warm_up_s", Milliseconds(0, 60_000), "2", default="2"),
        Key("hold_s", Milliseconds(0, 600_000), "10", default="10"),
        Key("on_least_s", Milliseconds(0, 60_000), "5", default="0"),
        Key("off_least_s", Milliseconds(0, 60_000), "5", default="0"),
        Key("duty_most_s", Milliseconds(60_000, 86_400_000), "1800"),
        Key("duty_span_s", Milliseconds(300_000, 86_400_000), "3600", default="3600"),
    )
)
_SEQUENCING = Section(
    (
        Key("zone_stagger_s", Milliseconds(0, 5_000), "0.2", default="0.2"),
        Key("zone_on_least_s", Milliseconds(0, 10_000), "1", default="0"),
        Key("zone_off_least_s", Milliseconds(0, 10_000), "1", default="0"),
        Key("alert_zones_at_once", Whole(1, LIMITS.zones_per_slot), "1", default="1"),
        Key("fade_in_s", Milliseconds(0, 5_000), "0.3", default="0.3"),
        Key("fade_out_s", Milliseconds(0, 2_000), "0.5", default="0.5"),
    )
)
_SOUND = Section(
    (
        Key("driver", Choice(SoundDriver), "alsa", default="alsa"),
        Key("device", Text("sound-device", 200), "plughw:CARD=Device", default="default"),
        Key("wav_file", PathText("wav-file"), "/var/lib/ttcs-edge/on-air.wav"),
        Key("buffer_ms", Whole(20, 500, "whole-milliseconds"), "40", default="40"),
    )
)
_PINS = Section(
    (
        Key("factory", Choice(PinFactory), "lgpio", default="lgpio"),
        Key("mock_folder", PathText("folder"), "/run/ttcs-edge/pins"),
    )
)
_STREAMS = Section(
    (
        Key("hosts", ListOf(Text("stream-host", 259, STREAM_HOST_PATTERN), 0, STREAM_HOSTS), "[live.example.vn]"),
        Key("ca", PathText("ca-file"), "/etc/ttcs-edge/tls/https-ca.pem"),
    )
)
_STORE = Section(
    (
        Key("audio_mb", Whole(64, 1_000_000, "mebibytes"), "8192", default="8192"),
        Key("reports_mb", Whole(1, 100_000, "mebibytes"), "128", default="128"),
        Key("free_mb", Whole(16, 1_000_000, "mebibytes"), "256", default="256"),
    )
)
_CLOCK = Section(
    (
        Key("trust", Choice(ClockTrust), "kernel", default="kernel"),
        Key("rtc", PathText("rtc-device"), "/dev/rtc0"),
        Key("modem", PathText("serial-port"), "/dev/ttyUSB2"),
        Key("modem_baud", Whole(1_200, 4_000_000), "115200", default="115200"),
        Key("modem_every_s", Whole(1, 86_400, "whole-seconds"), "600", default="600"),
    )
)
_MODEM = Section(
    (
        Key("port", PathText("serial-port"), "/dev/serial/by-id/usb-SimTech_SIM7600-if03-port0", required=True),
        Key("baud", Whole(1_200, 4_000_000), "115200", default="115200"),
        Key("every_s", Whole(1, 86_400, "whole-seconds"), "600", default="600"),
        Key("time", Flag(), "true", default="true"),
        Key("interface", Text("interface", 15, INTERFACE_PATTERN), "wwan0"),
        Key("budget_mb", Whole(1, 10_000_000, "megabytes"), "3000"),
        Key("budget_day", Whole(1, 31, "day-of-month"), "1", default="1"),
        Key("cure_after_s", Whole(5, 86_400, "whole-seconds"), "600", default="600"),
        Key("power_pin", Whole(2, 27, "pin"), "21"),
        Key("power_active_high", Flag(), "true", default="true"),
    )
)
_LCD = Section(
    (
        Key("bus", PathText("i2c-bus"), "/dev/i2c-1", default="/dev/i2c-1"),
        Key("address", I2cAddress(), "0x27", default="0x27"),
        Key("size", Choice(LcdSize), "16x2", default="16x2"),
    )
)
I2C_1: Final = Path("/dev/i2c-1")
I2C_1_PINS: Final = (2, 3)
"""The bus on a Raspberry Pi's header, and its lines."""
_LEDS: Final = {Place.STATION: "led", Place.LINK: "link_led", Place.AIR: "air_led"}
_PANEL = Section(
    (
        Key("led_pin", Whole(2, 27, "pin"), "5"),
        Key("led_active_high", Flag(), "true", default="true"),
        Key("link_led_pin", Whole(2, 27, "pin"), "6"),
        Key("link_led_active_high", Flag(), "true", default="true"),
        Key("air_led_pin", Whole(2, 27, "pin"), "19"),
        Key("air_led_active_high", Flag(), "true", default="true"),
        Key("mute_pin", Whole(2, 27, "pin"), "26"),
        Key("mute_active_high", Flag(), "false", default="false"),
        Key("mute_most_s", Whole(10, 7_200, "whole-seconds"), "1500", default="1500"),
        Key("lcd", _LCD, ""),
    )
)
_MICROPHONE = Section(
    (
        Key("key_pin", Whole(2, 27, "pin"), "22", required=True),
        Key("key_active_high", Flag(), "false", default="false"),
        Key("device", Text("sound-device", 200), "plughw:CARD=Mic"),
        Key("wav_file", PathText("wav-source"), "/var/lib/ttcs-edge/speech.wav"),
        Key("mixer_pin", Whole(2, 27, "pin"), "13"),
        Key("mixer_active_high", Flag(), "true", default="true"),
        Key("zones", ListOf(Text("identifier", LIMITS.id_chars, ID_PATTERN), 1, LIMITS.zones_per_slot), "[cho-xa]"),
        Key("most_s", Whole(5, 7_200, "whole-seconds"), "900", default="900"),
        Key("volume_percent", Whole(0, 100, "percent"), "80", default="100"),
        Key("in_quiet_hours", Flag(), "false", default="false"),
    )
)
_WAYS: Final[tuple[str, ...]] = ("microphone.device", "microphone.wav_file", "microphone.mixer_pin")
"""By what the microphone is heard: exactly one of them."""
_MICROPHONE_ZONE: Final = re.compile(r"microphone\.zones\[\d+\]")
_MONITOR = Section(
    (
        Key("device", Text("sound-device", 200), "plughw:CARD=Device"),
        Key("wav_file", PathText("wav-source"), "/var/lib/ttcs-edge/off-air.wav"),
        Key("loud_dbfs", Whole(-60, -3, "dbfs"), "-20", required=True),
    )
)
_MONITOR_WAYS: Final[tuple[str, ...]] = ("monitor.device", "monitor.wav_file")
"""Where it listens: exactly one of them."""
_VOICE = Section(
    (
        Key("language", Text("language", LIMITS.language_chars, LANGUAGE_PATTERN), "vi", required=True),
        Key("model", PathText("voice-model"), "/opt/piper/vi_VN-vais1000-medium.onnx", required=True),
    )
)
_SPEECH = Section(
    (
        Key("time_limit_s", Whole(1, 600, "whole-seconds"), "40", default="40"),
        Key("piper_program", PathText("program"), "/opt/piper/bin/piper"),
        Key("piper", ListOf(_VOICE, 0, LIMITS.languages_per_bulletin), "", default="[]"),
    )
)
_FOLDERS = Section(tuple(Key(name, PathText("folder"), path, default=path) for name, path in FOLDERS.items()))

STATION: Final = Section(
    (
        Key("id", Text("identifier", LIMITS.id_chars, ID_PATTERN), "da-teh-01", required=True),
        Key("scope", Text("scope", LIMITS.scope_chars, SCOPE_PATTERN), "vn/lam-dong/da-teh", required=True),
        Key("time_zone", TimeZone(), "Asia/Ho_Chi_Minh", required=True),
        Key("broker", _BROKER, "", required=True),
        Key("zones", ListOf(_ZONE, 1, LIMITS.zones_per_slot), "", required=True),
        Key("amplifier", _AMPLIFIER, "", required=True),
        Key("sequencing", _SEQUENCING, ""),
        Key("sound", _SOUND, ""),
        Key("pins", _PINS, ""),
        Key("rs485", _RS485, ""),
        Key("meter", _METER, ""),
        Key("transmitter", _TRANSMITTER, ""),
        Key("rds", _RDS, ""),
        Key("supplies", ListOf(_SUPPLY, 0, LIMITS.zones_per_slot), "", default="[]"),
        Key("quiet_hours", ListOf(Text("span", 40), 0, 16), '["21:00-05:00"]', default="[]"),
        Key("heartbeat_s", Whole(1, 3_600, "whole-seconds"), "60", default="60"),
        Key("https", Section((Key("ca", PathText("ca-file"), "/etc/ttcs-edge/tls/https-ca.pem"),)), ""),
        Key("streams", _STREAMS, ""),
        Key("store", _STORE, ""),
        Key("clock", _CLOCK, ""),
        Key("modem", _MODEM, ""),
        Key("panel", _PANEL, ""),
        Key("speech", _SPEECH, ""),
        Key("microphone", _MICROPHONE, ""),
        Key("power", config_power.POWER, ""),
        Key("box", config_power.BOX, ""),
        Key("monitor", _MONITOR, ""),
        Key("self_test", SELF_TEST, ""),
        Key("folders", _FOLDERS, ""),
    )
)
"""The grammar of ``station.yaml``."""


class ConfigError(Exception):
    """A ``station.yaml`` that cannot be used. ``problems`` are all that was found; its text is for a technician."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return explain(self.problems)


def load_config(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read a ``station.yaml``; raise ``ConfigError`` with every mistake in it.

    ``environ`` is asked for CREDENTIALS_DIRECTORY, where ``credential:`` keys lie; without it (a technician's shell)
    they are taken to lie where the unit ``ttcs-edge.service`` has them.
    """
    return read_config(path, environ)[1]


def read_config(path: Path, environ: Mapping[str, str] = os.environ) -> tuple[Page, Config]:
    """Read a ``station.yaml`` as ``load_config`` does, and give the page too, which knows where each key stands."""
    page, values = fill(path, STATION)
    _check_relays(page)
    _check_zone_ids(page)
    _check_zone_switches(page)
    _check_supplies(page)
    _check_duty(page)
    _check_ports(page)
    _check_drivers(page)
    _check_voices(page)
    _check_microphone(page)
    config_power.check_power(page)
    _check_modem(page)
    _check_monitor(page)
    spans = _quiet_hours(page)
    if page.problems or values is None:
        raise _wrong(page)
    config = _build(values, spans, environ)
    _check_speaking_zones(page, config.station)
    check_self_test(page, config.station, frozenset(zone for zone, one in config.pins.zones.items() if one.contact))
    if page.problems:
        raise _wrong(page)
    return page, config


def _wrong(page: Page) -> ConfigError:
    return ConfigError(tuple(sorted(page.problems, key=lambda one: one.line)))


def credential_name(page: Page) -> str | None:
    """Give the name of the credential that is the station's key; None when the key is a file."""
    written = plain(page.nodes["broker.key"])
    return written.removeprefix(CREDENTIAL) if written.startswith(CREDENTIAL) else None


# ------------------------------------------------------------------------------------------- between the keys


def _check_relays(page: Page) -> None:
    """Two relays on one line would switch as one: a zone would sound whenever the amplifier is on (never-3). The lines
    of a display's bus are its own.
    """
    has_bus = "panel.lcd" in page.nodes and page.values.get("panel.lcd.bus", I2C_1) == I2C_1
    first = dict.fromkeys(I2C_1_PINS, "panel.lcd") if has_bus else {}
    for key in sorted(
        (
            key
            for key in page.values
            if re.fullmatch(
                r"(zones\[\d+\]|amplifier)\.(contact_)?pin|(panel|microphone|transmitter|power|box|modem)\.\w+_pin",
                key,
            )
        ),
        key=page.line,
    ):
        other = first.setdefault(page.values[key], key)
        if other != key:
            line = str(page.line(other))
            page.refuse(key, "same-pin", Whole(2, 27, "pin").expected, "other-pin", other=other, first=line)


def _check_zone_ids(page: Page) -> None:
    first: dict[str, str] = {}
    wanted = Expected("zone-id")
    for key in [key for key in page.values if re.fullmatch(r"zones\[\d+\]\.id", key)]:
        other = first.setdefault(page.values[key], key)
        if page.values[key] in NO_ZONES:
            page.refuse(key, "reserved-id", wanted, "rename")
        elif other != key:
            page.refuse(key, "same-zone-id", wanted, "rename", other=other, first=str(page.line(other)))


def _check_zone_switches(page: Page) -> None:
    """A zone has one switch: a line of this machine, a coil of a unit on RS-485, or the codes of a receiver; no two
    zones share a coil or a code.
    """
    zones = [key.removesuffix(".id") for key in page.nodes if re.fullmatch(r"zones\[\d+\]\.id", key)]
    for zone in zones:
        _check_one_switch(page, zone)
    coils = {f"{zone}.coil": f"{zone}.unit" for zone in zones}
    whole = [key for key, unit in coils.items() if key in page.values and unit in page.values]
    _refuse_twins(page, {key: (page.values[coils[key]], page.values[key]) for key in whole}, "same-coil", "other-coil")
    pattern = r"zones\[\d+\]\.\w+_(code|group)|transmitter\.\w+_code|rds\.\w+_group"
    codes = [key for key in page.values if re.fullmatch(pattern, key)]
    _refuse_twins(page, {key: page.values[key] for key in codes}, "same-code", "other-code")
    by_rds = any(f"{zone}.open_group" in page.nodes for zone in zones)
    coded = by_rds or any(f"{zone}.open_code" in page.nodes for zone in zones)
    if coded and "transmitter.key_pin" not in page.nodes:
        _refuse_lacking(page, "transmitter.key_pin", Whole(2, 27, "pin").expected, "key_pin: 12")
    if by_rds and "rds.port" not in page.nodes:
        _refuse_lacking(page, "rds.port", PathText("serial-port").expected, f"port: {_RDS.keys[0].example}")
    if (whole or "meter.unit" in page.nodes) and "rs485.port" not in page.nodes:
        example = "port: /dev/serial/by-id/usb-1a86_USB_Serial-if00-port0"
        _refuse_lacking(page, "rs485.port", PathText("serial-port").expected, example)
    boards = {page.values[f"{zone}.unit"]: f"{zone}.unit" for zone in zones if f"{zone}.unit" in page.values}
    if (board := boards.get(page.values.get("meter.unit"))) is not None:
        line = str(page.line(board))
        page.refuse("meter.unit", "same-unit", _METER_UNIT.expected, "other-unit", other=board, first=line)


def _check_one_switch(page: Page, zone: str) -> None:
    """The first kind of switch of a zone stands whole, and no other beside it."""
    given = [(kind, [name for name in kind if f"{zone}.{name}" in page.nodes]) for kind in _SWITCHES]
    kinds = [(kind, names) for kind, names in given if names]
    if not kinds:
        _refuse_lacking(page, f"{zone}.pin", Expected("one-switch"), "pin: 17")
        return
    first = f"{zone}.{kinds[0][1][0]}"
    for name in [name for _, names in kinds[1:] for name in names]:
        line = str(page.line(first))
        page.refuse(f"{zone}.{name}", "two-switches", Expected("one-switch"), "delete-one", other=first, first=line)
    if "pin" not in kinds[0][0] and f"{zone}.contact_pin" in page.nodes:
        page.refuse(
            f"{zone}.contact_pin", "contact-without-pin", Expected("contact"), "delete-one", first=str(page.line(first))
        )
    for name in [name for name in kinds[0][0] if name not in kinds[0][1] and len(kinds) == 1]:
        key = next(one for one in _ZONE.keys if one.name == name)
        _refuse_lacking(page, f"{zone}.{name}", key.kind.expected, f"{name}: {key.example}")


def _refuse_twins(page: Page, values: Mapping[str, Any], code: str, mend: str) -> None:
    """No two of these keys have the same value."""
    first: dict[Any, str] = {}
    for key, value in values.items():
        other = first.setdefault(value, key)
        if other != key:
            kind = next(
                one.kind for one in (*_ZONE.keys, *_TRANSMITTER.keys, *_RDS.keys) if one.name == key.rpartition(".")[2]
            )
            page.refuse(key, code, kind.expected, mend, other=other, first=str(page.line(other)))


def _check_supplies(page: Page) -> None:
    """What a zone hangs on is there, and bears it; who speaks is heard in all of his zones at once."""
    supplies: dict[str, str] = {}
    for key in [key for key in page.values if re.fullmatch(r"supplies\[\d+\]\.id", key)]:
        supply = key.removesuffix(".id")
        other = supplies.setdefault(page.values[key], supply)
        if other != supply:
            line = str(page.line(f"{other}.id"))
            page.refuse(key, "same-supply-id", Expected("supply-id"), "rename-supply", other=other, first=line)
        if not any(f"{supply}.{name}" in page.nodes for name in ("zones_most", "load_most_w")):
            _refuse_lacking(page, f"{supply}.zones_most", Whole(1, LIMITS.zones_per_slot).expected, "zones_most: 3")
    for key in [key for key in page.values if re.fullmatch(r"zones\[\d+\]\.supply", key)]:
        if page.values[key] not in supplies:
            choices = (("choices", ", ".join(sorted(supplies)) or "supplies"),)
            page.refuse(key, "unknown-supply", Expected("one-of", choices), "choose")
            continue
        most = f"{supplies[page.values[key]]}.load_most_w"
        load = f"{key.removesuffix('.supply')}.load_w"
        if most in page.values and load not in page.nodes:
            _refuse_lacking(page, load, Whole(1, 5_000, "watts").expected, "load_w: 60")
        elif page.values.get(load, 0) > page.values.get(most, 5_000):
            expected = Whole(1, page.values[most], "watts").expected
            page.refuse(load, "too-heavy", expected, "other-load", other=most, first=str(page.line(most)))


def _check_speaking_zones(page: Page, station: StationSettings) -> None:
    """Who speaks is heard once: his zones are borne together."""
    if station.microphone is None:
        return
    borne = together(station.microphone.zones, station)
    if borne == station.microphone.zones:
        return
    wanted, zones = Expected("zones-together"), ", ".join(borne)
    if "microphone.zones" in page.nodes:
        page.refuse("microphone.zones", "zones-apart", wanted, "fewer-zones", zones=zones)
    else:
        page.refuse(
            "microphone.zones", "zones-apart", wanted, "add-line", found="", addition=f"zones: [{zones}]", zones=zones
        )


def _check_duty(page: Page) -> None:
    most, span = "amplifier.duty_most_s", "amplifier.duty_span_s"
    if most in page.values and page.values[most] >= page.values.get(span, Amplifier().duty_span_ms):
        bound_s = page.values.get(span, Amplifier().duty_span_ms) / 1_000
        page.refuse(most, "duty-whole", Expected("below-span", (("span", f"{bound_s:g}"),)), "within-range")


_PORTS = ("rs485.port", "rds.port", "clock.modem", "modem.port")


def _check_ports(page: Page) -> None:
    """Two that speak on one port hear each other's answers."""
    first: dict[Path, str] = {}
    ports = {key: page.values[key] for key in _PORTS if key in page.values}
    if ports.get("modem.port") == ports.get("clock.modem"):  # one modem, which tells the time, too
        ports.pop("modem.port", None)
    for key in sorted(ports, key=page.line):
        other = first.setdefault(page.values[key], key)
        if other != key:
            line = str(page.line(other))
            page.refuse(key, "same-port", PathText("serial-port").expected, "other-port", other=other, first=line)


def _check_drivers(page: Page) -> None:
    """A driver needs its own keys: a WAV file to write to, a folder in which mock lines keep their level."""
    for key, chosen, needed, kind in (
        ("sound.driver", SoundDriver.WAV, "sound.wav_file", PathText("wav-file")),
        ("pins.factory", PinFactory.MOCK, "pins.mock_folder", PathText("folder")),
    ):
        if page.values.get(key) is chosen and needed not in page.nodes:
            example = "on-air.wav" if chosen is SoundDriver.WAV else "pins"
            _refuse_lacking(page, needed, kind.expected, f"{needed.partition('.')[2]}: {example}")


def _check_voices(page: Page) -> None:
    first: dict[str, str] = {}
    for key in [key for key in page.values if re.fullmatch(r"speech\.piper\[\d+\]\.language", key)]:
        other = first.setdefault(page.values[key].lower(), key)
        if other != key:
            line = str(page.line(other))
            page.refuse(key, "same-language", Expected("language"), "one-voice", other=other, first=line)


def _check_microphone(page: Page) -> None:
    """It is heard by one way, in zones that the station has."""
    if "microphone.key_pin" not in page.values:
        return
    ways = sorted((key for key in _WAYS if key in page.nodes), key=page.line)
    if not ways:
        wanted = Text("sound-device", 200).expected
        page.refuse(_WAYS[0], "missing-key", wanted, "add-line", found="", addition="device: default")
    for key in ways[1:]:
        wanted = Expected("one-way")
        page.refuse(key, "two-ways", wanted, "delete-one", other=ways[0], first=str(page.line(ways[0])))
    zones = {page.values[key] for key in page.values if re.fullmatch(r"zones\[\d+\]\.id", key)}
    unknown = [key for key, zone in page.values.items() if _MICROPHONE_ZONE.fullmatch(key) and zone not in zones]
    for key in unknown:
        page.refuse(key, "unknown-zone", Expected("one-of", (("choices", ", ".join(sorted(zones))),)), "choose")


def _check_modem(page: Page) -> None:
    """A budget without an interface whose bytes are counted would never be used up."""
    if "modem.budget_mb" in page.nodes and "modem.interface" not in page.nodes:
        kind = next(one.kind for one in _MODEM.keys if one.name == "interface")
        _refuse_lacking(page, "modem.interface", kind.expected, "interface: wwan0")


def _check_monitor(page: Page) -> None:
    """It listens at one input, which is not that of the microphone: a card is heard by one at a time."""
    if "monitor.loud_dbfs" not in page.values:
        return
    ways = sorted((key for key in _MONITOR_WAYS if key in page.nodes), key=page.line)
    wanted = Text("sound-device", 200).expected
    if not ways:
        page.refuse(_MONITOR_WAYS[0], "missing-key", wanted, "add-line", found="", addition="device: default")
    for key in ways[1:]:
        expected = Expected("one-input")
        page.refuse(key, "two-inputs", expected, "delete-one", other=ways[0], first=str(page.line(ways[0])))
    for key, other in zip(_MONITOR_WAYS, _WAYS, strict=False):
        if key in page.values and page.values[key] == page.values.get(other):
            page.refuse(key, "same-input", wanted, "other-input", other=other, first=str(page.line(other)))


def _quiet_hours(page: Page) -> tuple[QuietHours, ...]:
    spans = []
    for key in [key for key in page.values if key.startswith("quiet_hours[")]:
        match = re.fullmatch(SPAN_PATTERN, page.values[key])
        hours = [int(part) for part in match.groups()] if match else []
        if not hours or max(hours[1], hours[3]) > 59 or not _in_day(hours):
            page.refuse(key, "malformed", Expected("span"), "write-span")
            continue
        begin, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
        if begin == end:
            page.refuse(key, "empty-span", Expected("span"), "write-span")
        spans.append(QuietHours(begin, end))
    return tuple(spans)


def _in_day(hours: list[int]) -> bool:
    """A span begins on the day's clock and ends on it, or at 24:00."""
    return hours[0] <= 23 and (hours[2] <= 23 or hours[2:] == [24, 0])


# ---------------------------------------------------------------------------------------------- values to settings


def _take(values: Mapping[str, Any], *same: str, **renamed: str) -> dict[str, Any]:
    """Take given values under the settings' own names; what was left out keeps the settings' default."""
    names = {name: name for name in same} | renamed
    return {names[key]: value for key, value in values.items() if key in names}


def _broker(values: Mapping[str, Any], state: Path, environ: Mapping[str, str]) -> BrokerSettings:
    given = _take(values, "host", "port", "topic_root", "keepalive_s", "session_expiry_s")
    files = _take(values, ca="ca_file", certificate="certificate_file", key="key_file")
    if files["key_file"].parent == UNIT_CREDENTIALS and "CREDENTIALS_DIRECTORY" in environ:
        files["key_file"] = Path(environ["CREDENTIALS_DIRECTORY"]) / files["key_file"].name
    return BrokerSettings(**given, **files, renewed_file=state / RENEWED)


def _relay(values: Mapping[str, Any]) -> RelaySettings:
    contact = None
    if "contact_pin" in values:
        contact = ContactSettings(**_take(values, contact_pin="pin", contact_active_high="active_high"))
    return RelaySettings(contact=contact, **_take(values, "pin", "active_high"))


def _pins(values: Mapping[str, Any]) -> PinSettings:
    here = [zone for zone in values["zones"] if "pin" in zone]
    relays = {zone["id"]: _relay(zone) for zone in here}
    amplifier = _relay(values["amplifier"])
    microphone = values.get("microphone", {})
    mixer = None
    if "mixer_pin" in microphone:
        mixer = RelaySettings(**_take(microphone, mixer_pin="pin", mixer_active_high="active_high"))
    given = _take(values.get("pins", {}), "factory", "mock_folder")
    key = values.get("transmitter")
    transmitter = None if key is None else _transmitter(key).key
    fan = config_power.fan_relay(values)
    cut = values.get("modem", {})
    modem = None
    if "power_pin" in cut:
        modem = RelaySettings(**_take(cut, power_pin="pin", power_active_high="active_high"))
    return PinSettings(amplifier, relays, mixer=mixer, transmitter=transmitter, fan=fan, modem=modem, **given)


def _coils(values: Mapping[str, Any]) -> dict[ZoneId, CoilSettings]:
    return {zone["id"]: CoilSettings(zone["unit"], zone["coil"]) for zone in values["zones"] if "unit" in zone}


def _zone(values: Mapping[str, Any], transmitter: TransmitterSettings | None, rds: RdsSettings | None) -> Zone:
    switching_ms = 0
    if transmitter is not None and rds is not None and "open_group" in values:
        groups = rds.times * (2 if rds.close_all_group else 1)
        switching_ms = transmitter.key_lead_ms + groups * (GROUP_TAKEN_MS + rds.gap_ms)
    elif transmitter is not None and "open_code" in values:
        digits = max(len(values["open_code"]), len(values["close_code"])) + len(transmitter.close_all_code)
        switching_ms = transmitter.key_lead_ms + digits * (transmitter.digit_ms + transmitter.gap_ms)
    return Zone(switching_ms=switching_ms, **_take(values, *_ZONE_FIGURES))


def _codes(values: Mapping[str, Any], kind: str) -> dict[ZoneId, CodeSettings]:
    """What opens and closes the receivers that are told by this kind: ``code`` or ``group``."""
    coded = [zone for zone in values["zones"] if f"open_{kind}" in zone]
    return {zone["id"]: CodeSettings(zone[f"open_{kind}"], zone[f"close_{kind}"]) for zone in coded}


def _rds(values: Mapping[str, Any]) -> RdsSettings:
    serial = SerialSettings(**_take(values, "port", "baud"))
    return RdsSettings(serial, **_take(values, "times", "gap_ms", "close_all_group"))


def _transmitter(values: Mapping[str, Any]) -> TransmitterSettings:
    key = RelaySettings(**_take(values, key_pin="pin", key_active_high="active_high"))
    return TransmitterSettings(key, **_take(values, "digit_ms", "gap_ms", "close_all_code", key_lead_s="key_lead_ms"))


def _meter(values: Mapping[str, Any]) -> Meter:
    exponent = EXPONENTS[values.get("amplifier_class", AmplifierClass.AB)]
    return Meter(exponent=exponent, **_take(values, "idle_w", "most_w", "others_w"))


def _modem(values: Mapping[str, Any]) -> Modem:
    """The core's part of it."""
    given = {"cure_after_ms": values["cure_after_s"] * 1_000} if "cure_after_s" in values else {}
    if "budget_mb" in values:
        given["budget_bytes"] = values["budget_mb"] * MEGABYTE
    return Modem(has_relay="power_pin" in values, **given, **_take(values, "budget_day"))


def _clock(values: Mapping[str, Any], modem: Mapping[str, Any] | None) -> ClockSettings:
    """The modem that is looked after tells the time, too, unless another port is named for that, or it must not."""
    given = _take(values, "trust", "rtc", "modem", "modem_baud", "modem_every_s")
    if modem is not None and modem.get("time", True) and "modem" not in given:
        given |= _take(modem, port="modem", baud="modem_baud")
    return ClockSettings(**given)


def _panel(values: Mapping[str, Any]) -> PanelSettings:
    leds = {
        place: RelaySettings(values[f"{led}_pin"], values.get(f"{led}_active_high", True))
        for place, led in _LEDS.items()
        if f"{led}_pin" in values
    }
    mute = RelaySettings(values["mute_pin"], values.get("mute_active_high", False)) if "mute_pin" in values else None
    return PanelSettings(leds, mute, _lcd(values["lcd"]) if "lcd" in values else None)


def _lcd(values: Mapping[str, Any]) -> LcdSettings:
    columns, rows = map(int, values.get("size", LcdSize.SMALL).value.split("x"))
    return LcdSettings(columns=columns, rows=rows, **_take(values, "bus", "address"))


def _microphone(values: Mapping[str, Any]) -> MicrophoneSettings:
    """The shell's part of it: the key's line, and the input where it is not heard by the mixer."""
    key = RelaySettings(values["key_pin"], values.get("key_active_high", False))
    if "mixer_pin" in values:
        return MicrophoneSettings(key)
    driver = SoundDriver.WAV if "wav_file" in values else SoundDriver.ALSA
    return MicrophoneSettings(key, InputSettings(driver, **_take(values, "device", "wav_file")))


def _monitor(values: Mapping[str, Any]) -> MonitorSettings:
    driver = SoundDriver.WAV if "wav_file" in values else SoundDriver.ALSA
    return MonitorSettings(InputSettings(driver, **_take(values, "device", "wav_file")), values["loud_dbfs"])


def _speaking(values: Mapping[str, Any], zones: tuple[Zone, ...]) -> Microphone:
    """The core's part of it."""
    inlet = Inlet(Way.MIXER if "mixer_pin" in values else Way.INPUT, values.get("most_s", 900) * 1_000)
    named = tuple(ZoneId(zone) for zone in values.get("zones", ())) or tuple(zone.id for zone in zones)
    return Microphone(named, inlet, **_take(values, "volume_percent", "in_quiet_hours"))


def _speech(values: Mapping[str, Any]) -> SpeechSettings:
    given = _take(values, "time_limit_s")
    if "piper_program" in values:
        given["piper_program"] = str(values["piper_program"])
    return SpeechSettings({voice["language"]: voice["model"] for voice in values.get("piper", ())}, **given)


def _streams(values: Mapping[str, Any]) -> StreamSettings:
    parts = (host.lower().partition(":") for host in values.get("hosts", ()))
    return StreamSettings(frozenset((host, int(port or 443)) for host, _, port in parts), **_take(values, ca="ca_file"))


_AMPLIFIER_TIMES: Final = {
    f"{name}_s": f"{name}_ms" for name in ("warm_up", "hold", "on_least", "off_least", "duty_most", "duty_span")
}
_ZONE_FIGURES: Final = ("id", "name", "languages", "volume_percent", "tone_w", "supply", "load_w")
_PACING: Final = {
    f"{name}_s": f"{name}_ms" for name in ("zone_stagger", "zone_on_least", "zone_off_least", "fade_in", "fade_out")
}


def _build(values: Mapping[str, Any], quiet_hours: tuple[QuietHours, ...], environ: Mapping[str, str]) -> Config:
    store = {key: size * MIB for key, size in values.get("store", {}).items()}
    folders = {name: Path(path) for name, path in FOLDERS.items()} | dict(values.get("folders", {}))
    transmitter = None if "transmitter" not in values else _transmitter(values["transmitter"])
    microphone, modem, panel = values.get("microphone"), values.get("modem"), values.get("panel", {})
    rds = None if "rds" not in values else _rds(values["rds"])
    zones = tuple(_zone(zone, transmitter, rds) for zone in values["zones"])
    station = StationSettings(
        id=values["id"],
        scope=Scope(values["scope"]),
        zones=zones,
        time_zone=values["time_zone"],
        amplifier=Amplifier(**_take(values["amplifier"], **_AMPLIFIER_TIMES)),
        quiet_hours=quiet_hours,
        microphone=None if microphone is None else _speaking(microphone, zones),
        meter=None if "meter" not in values else _meter(values["meter"]),
        power=config_power.power(values),
        box=config_power.box(values),
        modem=None if modem is None else _modem(modem),
        mute_most_ms=panel.get("mute_most_s", 1_500) * 1_000 if "mute_pin" in panel else None,
        display="lcd" in panel,
        supplies=tuple(Supply(**supply) for supply in values.get("supplies", ())),
        loud_dbfs=values["monitor"]["loud_dbfs"] if "monitor" in values else None,
        self_test=None if "self_test" not in values else self_test_of(values["self_test"]),
        **_take(values.get("sequencing", {}), "alert_zones_at_once", **_PACING),
        **_take(values, "heartbeat_s"),
    )
    return Config(
        station=station,
        broker=_broker(values["broker"], folders["state"], environ),
        pins=_pins(values),
        rs485=None if "rs485" not in values else SerialSettings(**values["rs485"]),
        coils=_coils(values),
        meter_unit=values["meter"]["unit"] if "meter" in values else None,
        transmitter=transmitter,
        codes=_codes(values, "code"),
        rds=rds,
        groups=_codes(values, "group"),
        sound=SoundSettings(**_take(values.get("sound", {}), "driver", "device", "wav_file", "buffer_ms")),
        https=HttpsSettings(**_take(values.get("https", {}), ca="ca_file")),
        streams=_streams(values.get("streams", {})),
        store=StoreSettings(**_take(store, audio_mb="audio_bytes", reports_mb="report_bytes", free_mb="free_bytes")),
        clock=_clock(values.get("clock", {}), modem),
        panel=_panel(panel),
        speech=_speech(values.get("speech", {})),
        microphone=None if microphone is None else _microphone(microphone),
        power=config_power.power_settings(values),
        box=config_power.box_settings(values),
        modem=None if modem is None else ModemSettings(**_take(modem, "port", "baud", "every_s", "interface")),
        monitor=None if "monitor" not in values else _monitor(values["monitor"]),
        trust_folder=folders["trust"],
        state_folder=folders["state"],
        runtime_folder=folders["runtime"],
    )
