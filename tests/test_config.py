"""``station.yaml``: what a right one becomes, and what a wrong one is answered with, word for word."""

from __future__ import annotations

import json
import os
import pwd
import random
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.cli.terminal import AS_ANYBODY, run
from tests.parts import Authority, Province
from ttcs_edge.config import STATION, ConfigError, load_config
from ttcs_edge.core.lamp import Place
from ttcs_edge.core.model import (
    Amplifier,
    Box,
    Fan,
    Inlet,
    Meter,
    Microphone,
    Modem,
    Power,
    QuietHours,
    Scope,
    SelfTest,
    ShedStep,
    ShedWhen,
    StationSettings,
    Supply,
    Way,
    Zone,
    ZoneId,
)
from ttcs_edge.locale.config import EXPECTED, MENDS, PROBLEMS
from ttcs_edge.named_files import acting_as, check_files
from ttcs_edge.settings import (
    BoxSettings,
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
    MicrophoneSettings,
    ModemSettings,
    MonitorSettings,
    PanelSettings,
    Parity,
    PinFactory,
    PinSettings,
    PowerSettings,
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
from ttcs_edge.yaml_form import FILE_BYTES, Choice, Key, Kind, ListOf, Milliseconds, Problem, Section, Whole, explain

REPOSITORY = Path(__file__).parent.parent
EXAMPLE = REPOSITORY / "config/station.yaml"
WRONG = sorted((Path(__file__).parent / "data/config").glob("*.yaml"))

SHORTEST = """\
id: da-teh-01
scope: vn/lam-dong/da-teh
time_zone: Asia/Ho_Chi_Minh
broker:
  host: mqtt.example.vn
  ca: tls/ca.pem
  certificate: tls/station.pem
  key: tls/station.key
zones:
  - id: cho-xa
    name: Chợ xã
    pin: 17
amplifier:
  pin: 4
"""


def written(folder: Path, content: str | bytes) -> Path:
    """A file of that content."""
    path = folder / "station.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refused(path: Path) -> tuple[Problem, ...]:
    """The problems of a file that must not load."""
    with pytest.raises(ConfigError) as caught:
        load_config(path, {})
    return caught.value.problems


def message(code: str, found: str, expected: str, mend: str, place: str) -> str:
    """The whole message of one problem, from the tables."""
    lines = [place]
    for lang, labels in enumerate((("Sai", "Thấy", "Cần", "Sửa"), ("Wrong", "Found", "Expected", "Mend"))):
        words = (PROBLEMS[code][lang], found or ("(không có gì)", "(nothing)")[lang], EXPECTED[expected][lang])
        lines += [f"  {label}: {text}" for label, text in zip(labels, (*words, MENDS[mend][lang]), strict=True)]
    return "\n".join(lines)


class TestRight:
    """A file that is right becomes the settings."""

    def test_the_worked_example_loads_as_it_stands(self) -> None:
        """config/station.yaml is a right configuration, every line of it understood."""
        config = load_config(EXAMPLE, {"CREDENTIALS_DIRECTORY": "/run/credentials/x"})

        assert config.station == StationSettings(
            id="da-teh-01",
            scope=config.station.scope,
            zones=(
                Zone(ZoneId("cho-xa"), "Chợ xã", ("vi",), 80),
                Zone(ZoneId("buon-go"), "Buôn Go", ("cil", "vi"), 100),
            ),
            time_zone="Asia/Ho_Chi_Minh",
            quiet_hours=(QuietHours(21 * 60, 5 * 60),),
        )
        assert config.station.scope == "vn/lam-dong/da-teh"
        assert config.broker.key_file == Path("/run/credentials/x/station.key")
        assert config.pins.zones == {"cho-xa": RelaySettings(17), "buon-go": RelaySettings(27)}

    def test_what_is_left_out_has_the_settings_own_default(self, tmp_path: Path) -> None:
        """The shortest file gives the defaults of the settings, and paths beside the file."""
        config = load_config(written(tmp_path, SHORTEST), {})

        zone = Zone(ZoneId("cho-xa"), "Chợ xã")
        station = StationSettings("da-teh-01", config.station.scope, (zone,), "Asia/Ho_Chi_Minh")
        tls = tmp_path / "tls"
        assert config == Config(
            station=station,
            broker=BrokerSettings(
                "mqtt.example.vn",
                tls / "ca.pem",
                tls / "station.pem",
                tls / "station.key",
                renewed_file=Path("/var/lib/ttcs-edge/certificate.pem"),
            ),
            pins=PinSettings(RelaySettings(4), {ZoneId("cho-xa"): RelaySettings(17)}),
            rs485=None,
            coils={},
            meter_unit=None,
            transmitter=None,
            codes={},
            rds=None,
            groups={},
            sound=SoundSettings(),
            https=HttpsSettings(),
            streams=StreamSettings(),
            store=StoreSettings(),
            clock=ClockSettings(),
            panel=PanelSettings(),
            microphone=None,
            modem=None,
            monitor=None,
            speech=SpeechSettings(),
            power=PowerSettings(),
            box=BoxSettings(),
            trust_folder=Path("/etc/ttcs-edge/trust"),
            state_folder=Path("/var/lib/ttcs-edge"),
            runtime_folder=Path("/run/ttcs-edge"),
        )

    def test_a_default_written_out_changes_nothing(self, tmp_path: Path) -> None:
        """The defaults that the table tells are the ones that count."""
        sections = {key.name: key for key in STATION.keys}
        text = SHORTEST
        for name in ("sequencing", "sound", "pins", "store", "clock", "panel", "speech", "folders"):
            lines = [f"  {key.name}: {key.default}\n" for key in keys_of(sections[name].kind) if key.default]
            text += f"{name}:\n" + "".join(lines)
        for name, indent in (("broker", "  "), ("amplifier", "  "), ("zones", "    ")):
            lines = [f"{indent}{key.name}: {key.default}\n" for key in keys_of(sections[name].kind) if key.default]
            anchor = {"broker": "  host:", "amplifier": "  pin: 4", "zones": "    name:"}[name]
            text = text.replace(anchor, "".join(lines) + anchor)
        for name in ("quiet_hours", "heartbeat_s"):
            text += f"{name}: {sections[name].default}\n"

        long, short = written(tmp_path, text), tmp_path / "short.yaml"
        short.write_text(SHORTEST)

        assert load_config(long, {}) == load_config(short, {})

    def test_every_key_is_read(self, tmp_path: Path) -> None:
        """Each key that has a default can be given another value, and it arrives in its unit."""
        text = SHORTEST.replace("  host: mqtt.example.vn\n", BROKER_EXTRA).replace("    pin: 17\n", ZONE_EXTRA)
        config = load_config(written(tmp_path, text + REST), {})

        tls = tmp_path / "tls"
        files = (tls / "ca.pem", tls / "station.pem", tls / "station.key")
        assert config.broker == BrokerSettings(
            "10.0.0.5", *files, 1883, "tinh/x", 30, 3_600, Path("/s/certificate.pem")
        )
        assert config.station.zones == (Zone(ZoneId("cho-xa"), "Chợ xã", ("cil", "vi"), 55),)
        assert config.station.amplifier == Amplifier(1_500, 61_000, 3_000, 4_500)
        assert (config.station.zone_on_least_ms, config.station.zone_off_least_ms) == (500, 700)
        assert config.station.quiet_hours == (QuietHours(0, 300), QuietHours(1_290, 1_440))
        assert (config.station.zone_stagger_ms, config.station.fade_in_ms, config.station.fade_out_ms) == (50, 0, 1250)
        assert config.station.alert_zones_at_once == 3
        assert config.station.heartbeat_s == 5
        assert config.pins == PinSettings(
            RelaySettings(4, False),
            {ZoneId("cho-xa"): RelaySettings(17, False)},
            PinFactory.MOCK,
            tmp_path / "pins",
        )
        assert config.sound == SoundSettings(SoundDriver.WAV, "hw:1", tmp_path / "a.wav", 100)
        assert config.https.ca_file == tmp_path / "https.pem"
        hosts = frozenset({("live.example.vn", 443), ("10.0.0.7", 8443)})
        assert config.streams == StreamSettings(hosts, tmp_path / "streams.pem")
        assert config.store == StoreSettings(100 * 1024**2, 20 * 1024**2)
        devices = (Path("/dev/rtc1"), Path("/dev/ttyAMA0"))
        assert config.clock == ClockSettings(ClockTrust.HOST, *devices, 9_600, 60)
        leds = {
            Place.STATION: RelaySettings(5, False),
            Place.LINK: RelaySettings(6, False),
            Place.AIR: RelaySettings(19, False),
        }
        assert config.panel == PanelSettings(
            leds, RelaySettings(26, True), LcdSettings(Path("/dev/i2c-3"), 0x3F, 20, 4)
        )
        assert (config.station.mute_most_ms, config.station.display) == (60_000, True)
        assert config.speech == SpeechSettings({"vi": Path("/v.onnx")}, str(tmp_path / "p/piper"), 9)
        folders = (config.trust_folder, config.state_folder, config.runtime_folder)
        assert folders == (tmp_path / "t", Path("/s"), tmp_path / "r")

    def test_a_microphone_is_heard_by_an_input_a_file_or_the_mixer(self, tmp_path: Path) -> None:
        """In the zones that are named, or in every one."""
        input_ = written(tmp_path, SHORTEST + "microphone: {key_pin: 22, device: hw:1}\n")
        config = load_config(input_, {})
        every_zone = Microphone((ZoneId("cho-xa"),), Inlet(Way.INPUT, 900_000))
        assert config.station.microphone == every_zone
        assert config.microphone == MicrophoneSettings(RelaySettings(22, False), InputSettings(device="hw:1"))
        assert config.pins.mixer is None

        file = written(tmp_path, SHORTEST + "microphone: {key_pin: 22, wav_file: a.wav}\n")
        wav = InputSettings(SoundDriver.WAV, wav_file=tmp_path / "a.wav")
        assert load_config(file, {}).microphone == MicrophoneSettings(RelaySettings(22, False), wav)

        mixer = written(
            tmp_path,
            SHORTEST
            + "microphone: {key_pin: 22, key_active_high: true, mixer_pin: 6, mixer_active_high: false, most_s: 60,\n"
            + "  zones: [cho-xa], volume_percent: 70, in_quiet_hours: true}\n",
        )
        config = load_config(mixer, {})
        assert config.station.microphone == Microphone((ZoneId("cho-xa"),), Inlet(Way.MIXER, 60_000), 70, True)
        assert config.microphone == MicrophoneSettings(RelaySettings(22, True))
        assert config.pins.mixer == RelaySettings(6, False)

    def test_a_display_is_small_and_on_the_first_bus_unless_it_is_told_otherwise(self, tmp_path: Path) -> None:
        """Its address is written as i2cdetect shows it; a mute key alone brings its time along."""
        config = load_config(written(tmp_path, SHORTEST + "panel: {mute_pin: 26, lcd: {address: 0x3F}}\n"), {})
        assert config.panel == PanelSettings({}, RelaySettings(26, False), LcdSettings(address=0x3F))
        assert config.station.mute_most_ms == 1_500_000
        assert load_config(written(tmp_path, SHORTEST), {}).panel == PanelSettings()

    def test_a_zone_may_be_a_coil_at_the_far_end_of_a_serial_line(self, tmp_path: Path) -> None:
        """Beside those on pins."""
        text = SHORTEST.replace("zones:\n", "zones:\n  - {id: thon-5, name: Thôn 5, unit: 3, coil: 7}\n", 1)
        config = load_config(written(tmp_path, text + "rs485: {port: /dev/ttyUSB0, parity: even, baud: 19200}\n"), {})

        assert config.station.zones[0].id == "thon-5"
        assert config.coils == {ZoneId("thon-5"): CoilSettings(3, 7)}
        assert config.rs485 == SerialSettings(Path("/dev/ttyUSB0"), 19_200, Parity.EVEN, 1)
        assert "thon-5" not in config.pins.zones

    def test_the_power_and_what_is_shed_of_it_are_read(self, tmp_path: Path) -> None:
        """Mains and a battery, and steps in their order; zones that stay stand in the order of the file."""
        text = SHORTEST.replace("zones:\n", "zones:\n  - {id: dinh, name: Đình, pin: 27}\n")
        power = (
            "power:\n  mains_pin: 6\n  battery: ups-battery\n  back_after_s: 60\n  low_percent: 25\n  shed:\n"
            "  - {when: mains-lost, after_s: 60, volume_percent: 60}\n"
            "  - {when: battery, below_percent: 50, zones: [cho-xa, dinh], zones_most: 1}\n"
            "  - {when: battery, below_percent: 20, alerts_only: true}\n"
        )
        config = load_config(written(tmp_path, text + power), {})

        assert config.power == PowerSettings(ContactSettings(6), battery="ups-battery")
        assert config.station.power == Power(
            has_mains=True,
            has_battery=True,
            back_after_ms=60_000,
            low_percent=25,
            shed=(
                ShedStep(ShedWhen.MAINS_LOST, after_ms=60_000, volume_percent=60),
                ShedStep(ShedWhen.BATTERY, below_percent=50, zones=(ZoneId("dinh"), ZoneId("cho-xa")), zones_most=1),
                ShedStep(ShedWhen.BATTERY, below_percent=20, alerts_only=True),
            ),
        )
        other = load_config(written(tmp_path, SHORTEST + "power: {supply: /sys/devices/ups/power_supply/ac}\n"), {})
        assert other.power == PowerSettings(supply="/sys/devices/ups/power_supply/ac")
        assert other.station.power == Power(has_mains=True)

    def test_the_box_is_read(self, tmp_path: Path) -> None:
        """Its door, its thermometer, and a fan that is a relay among others; without a thermometer nothing is hot."""
        box = "box: {door_pin: 19, door_active_high: true, sensor: 28-0316a2791f6c, cold_c: 0, fan_pin: 26}\n"
        config = load_config(written(tmp_path, SHORTEST + box), {})

        assert config.box == BoxSettings(ContactSettings(19, active_high=True), "28-0316a2791f6c")
        assert config.station.box == Box(True, True, hot_c=60, cold_c=0, fan=Fan(45, 38))
        assert config.pins.fan == RelaySettings(26)
        assert load_config(written(tmp_path, SHORTEST + "box: {door_pin: 19}\n"), {}).station.box == Box(True)

    def test_an_energy_meter_stands_on_the_same_line(self, tmp_path: Path) -> None:
        """With what was measured of the amplifier, and of the tone in a zone."""
        text = SHORTEST.replace("    pin: 17\n", "    pin: 17\n    tone_w: 30\n", 1) + "rs485: {port: /dev/ttyUSB0}\n"
        meter = "meter: {unit: 10, idle_w: 25, most_w: 400, others_w: 8, amplifier_class: d}\n"
        config = load_config(written(tmp_path, text + meter), {})

        assert config.meter_unit == 10
        assert config.station.meter == Meter(idle_w=25, most_w=400, others_w=8, exponent=2)
        assert config.station.zones[0].tone_w == 30
        short = load_config(written(tmp_path, text + "meter: {unit: 10, idle_w: 25, most_w: 400}\n"), {})
        assert short.station.meter == Meter(idle_w=25, most_w=400)

    def test_a_modem_is_named_once_and_its_time_counts(self, tmp_path: Path) -> None:
        """Where it stands alone with its port, and where everything is said."""
        port = Path("/dev/serial/by-id/x")
        config = load_config(written(tmp_path, SHORTEST + f"modem: {{port: {port}}}\n"), {})
        assert config.modem == ModemSettings(port)
        assert config.station.modem == Modem()
        assert config.clock == ClockSettings(modem=port) and config.pins.modem is None

        text = (
            f"modem: {{port: {port}, baud: 9600, every_s: 60, time: no, interface: wwan0, budget_mb: 3000,\n"
            "  budget_day: 15, cure_after_s: 300, power_pin: 26, power_active_high: false}\n"
        )
        config = load_config(written(tmp_path, SHORTEST + text), {})
        assert config.modem == ModemSettings(port, 9_600, 60, "wwan0")
        assert config.station.modem == Modem(True, 300_000, 3_000_000_000, 15)
        assert config.clock == ClockSettings()
        assert config.pins.modem == RelaySettings(26, False)

    def test_a_modem_of_the_clocks_own_stays_what_it_was(self, tmp_path: Path) -> None:
        """A file of before is as good as ever; with both, each has its port."""
        old = "clock: {modem: /dev/ttyUSB2, modem_every_s: 60}\n"
        config = load_config(written(tmp_path, SHORTEST + old), {})
        assert config.clock == ClockSettings(modem=Path("/dev/ttyUSB2"), modem_every_s=60)
        assert config.modem is None and config.station.modem is None

        both = load_config(written(tmp_path, SHORTEST + old + "modem: {port: /dev/ttyUSB3, baud: 9600}\n"), {})
        assert both.clock == config.clock and both.modem == ModemSettings(Path("/dev/ttyUSB3"), 9_600)
        every = load_config(
            written(tmp_path, SHORTEST + "clock: {modem_every_s: 60}\nmodem: {port: /dev/ttyUSB3, baud: 9600}\n"), {}
        )
        assert every.clock == ClockSettings(modem=Path("/dev/ttyUSB3"), modem_baud=9_600, modem_every_s=60)

    def test_an_off_air_monitor_listens_at_an_input_of_its_own(self, tmp_path: Path) -> None:
        """A card, or a file; the core knows how loud a bulletin is there."""
        config = load_config(written(tmp_path, SHORTEST + 'monitor: {device: "plughw:1", loud_dbfs: -20}\n'), {})

        assert config.monitor == MonitorSettings(InputSettings(SoundDriver.ALSA, "plughw:1"), -20)
        assert config.station.loud_dbfs == -20
        file = load_config(written(tmp_path, SHORTEST + "monitor: {wav_file: air.wav, loud_dbfs: -14}\n"), {})
        air = InputSettings(SoundDriver.WAV, wav_file=tmp_path / "air.wav")
        assert file.monitor == MonitorSettings(air, -14)

    def test_a_station_may_test_itself(self, tmp_path: Path) -> None:
        """At hours of its own, or every so often, each zone watched by somebody."""
        metered = "rs485: {port: /dev/ttyUSB0}\nmeter: {unit: 10, idle_w: 25, most_w: 400}\n"
        text = SHORTEST.replace("    pin: 17\n", "    pin: 17\n    tone_w: 30\n", 1) + metered
        hours = 'self_test: {at: ["00:00", "23:59"], in_quiet_hours: true, level_percent: 40}\n'
        assert load_config(written(tmp_path, text + hours), {}).station.self_test == SelfTest(
            at_minutes=(0, 1_439), level_percent=40, in_quiet_hours=True
        )
        text = SHORTEST.replace("    pin: 17\n", "    pin: 17\n    contact_pin: 23\n", 1)
        often = "self_test: {every_minutes: 60, tone_s: 4, within_s: 10}\n"
        assert load_config(written(tmp_path, text + often), {}).station.self_test == SelfTest(
            every_ms=3_600_000, tone_ms=4_000
        )

    def test_a_relay_may_have_a_contact_that_tells_what_it_did(self, tmp_path: Path) -> None:
        """To ground, or to 3.3 V."""
        text = SHORTEST.replace("    pin: 17\n", "    pin: 17\n    contact_pin: 23\n", 1)
        text = text.replace("  pin: 4\n", "  pin: 4\n  contact_pin: 24\n  contact_active_high: true\n", 1)
        pins = load_config(written(tmp_path, text), {}).pins

        assert pins.zones == {ZoneId("cho-xa"): RelaySettings(17, contact=ContactSettings(23))}
        assert pins.amplifier == RelaySettings(4, contact=ContactSettings(24, True))

    def test_a_zone_may_be_a_receiver_with_codes(self, tmp_path: Path) -> None:
        """Which takes its time to do as told: the key's lead, and the digits."""
        coded = '  - {id: thon-5, name: Thôn 5, open_code: "12*", close_code: "12#"}\n'
        text = SHORTEST.replace("zones:\n", f"zones:\n{coded}", 1)
        key = 'transmitter: {key_pin: 12, key_active_high: false, key_lead_s: 0.4, gap_ms: 80, close_all_code: "0#"}\n'
        config = load_config(written(tmp_path, text + key), {})

        assert config.codes == {ZoneId("thon-5"): CodeSettings("12*", "12#")}
        assert config.transmitter == TransmitterSettings(RelaySettings(12, False), 400, 100, 80, "0#")
        assert config.pins.transmitter == RelaySettings(12, False)
        assert [zone.switching_ms for zone in config.station.zones] == [400 + 5 * 180, 0]

    def test_a_zone_may_be_a_receiver_that_is_told_by_rds_groups(self, tmp_path: Path) -> None:
        """Which takes its time, too: the key's lead, and each group as often as it is sent."""
        told = '  - {id: thon-5, name: Thôn 5, open_group: "6A 05 0001 0001", close_group: 6B 05 0000}\n'
        text = SHORTEST.replace("zones:\n", f"zones:\n{told}", 1)
        encoder = (
            "transmitter: {key_pin: 12}\nrds: {port: rds, baud: 2400, times: 2, close_all_group: 6A 00 0000 0000}\n"
        )
        config = load_config(written(tmp_path, text + encoder), {})

        assert config.groups == {ZoneId("thon-5"): CodeSettings("6A 05 0001 0001", "6B 05 0000")}
        assert config.rds == RdsSettings(SerialSettings(tmp_path / "rds", 2_400), 2, 200, "6A 00 0000 0000")
        assert config.codes == {} and config.station.zones[0].switching_ms == 500 + 4 * 400

    def test_supplies_and_the_duty_of_an_amplifier_are_the_cores(self, tmp_path: Path) -> None:
        """Watts or a number of zones; seconds of the file are milliseconds of the core."""
        text = SHORTEST.replace("    pin: 17\n", "    pin: 17\n    supply: nguon-1\n    load_w: 60\n", 1)
        text = text.replace("  pin: 4\n", "  pin: 4\n  duty_most_s: 1800\n", 1)
        extra = "supplies: [{id: nguon-1, load_most_w: 250}, {id: nguon-2, zones_most: 3}]\n"
        station = load_config(written(tmp_path, text + extra), {}).station

        assert station.supplies == (Supply("nguon-1", None, 250), Supply("nguon-2", 3))
        assert (station.zones[0].supply, station.zones[0].load_w) == ("nguon-1", 60)
        assert station.amplifier == Amplifier(duty_most_ms=1_800_000, duty_span_ms=3_600_000)

    def test_a_byte_order_mark_and_windows_line_ends_are_read(self, tmp_path: Path) -> None:
        """A file saved by an editor on Windows is as good as any."""
        path = written(tmp_path, b"\xef\xbb\xbf" + SHORTEST.replace("\n", "\r\n").encode())

        assert load_config(path, {}).station.zones[0].name == "Chợ xã"


BROKER_EXTRA = """\
  host: 10.0.0.5
  port: 1883
  topic_root: tinh/x
  keepalive_s: 30
  session_expiry_s: 3600
"""
ZONE_EXTRA = """\
    pin: 17
    active_high: no
    languages: [cil, vi]
    volume_percent: 55
"""
REST = """\
  active_high: false
  warm_up_s: 1.5
  hold_s: 61
  on_least_s: 3
  off_least_s: 4.5
sequencing: {zone_stagger_s: 0.05, zone_on_least_s: 0.5, zone_off_least_s: 0.7,
  alert_zones_at_once: 3, fade_in_s: 0, fade_out_s: 1.25}
sound: {driver: wav, device: "hw:1", wav_file: a.wav, buffer_ms: 100}
pins: {factory: mock, mock_folder: pins}
quiet_hours: ["00:00-05:00", "21:30-24:00"]
heartbeat_s: 5
https: {ca: https.pem}
streams: {hosts: [Live.example.vn, "10.0.0.7:8443"], ca: streams.pem}
store: {audio_mb: 100, free_mb: 20}
clock: {trust: host, rtc: /dev/rtc1, modem: /dev/ttyAMA0, modem_baud: 9600, modem_every_s: 60}
panel: {led_pin: 5, led_active_high: false, link_led_pin: 6, link_led_active_high: false, air_led_pin: 19,
  air_led_active_high: false, mute_pin: 26, mute_active_high: true, mute_most_s: 60,
  lcd: {bus: /dev/i2c-3, address: "0x3f", size: 20x4}}
speech: {time_limit_s: 9, piper_program: p/piper, piper: [{language: vi, model: /v.onnx}]}
folders: {trust: t, state: /s, runtime: r}
"""


class TestWrong:
    """A file that is wrong is answered with what is wrong, and where, and what mends it."""

    @pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
    def test_each_mistake_is_told_in_both_languages(self, path: Path) -> None:
        """The whole message stands in the .txt beside the file: line, key, found, expected, mend."""
        told = explain(refused(path)).replace(str(path), "station.yaml")

        assert told + "\n" == path.with_suffix(".txt").read_text()

    def test_every_word_is_reached(self, tmp_path: Path) -> None:
        """No problem, expectation or mend has words that no wrong file brings up."""
        problems = [one for path in WRONG for one in refused(path)]
        problems += [one for path in unreadable_files(tmp_path) for one in refused(path)]
        problems += [one for case in MACHINE for one in case.problems(tmp_path / case.name)]

        closed = written(tmp_path, SHORTEST)
        closed.chmod(0)
        problems += [
            Problem(**one)
            for one in json.loads(run("check-config", "--json", "--config", closed, by=AS_ANYBODY).stdout)["problems"]
        ]

        assert {one.code for one in problems} == set(PROBLEMS)
        assert {one.expected for one in problems} == set(EXPECTED)
        assert {one.mend for one in problems} == set(MENDS)

    def test_a_missing_file_is_told(self, tmp_path: Path) -> None:
        """A path that leads nowhere is answered with where the example is."""
        path = tmp_path / "none.yaml"

        told = explain(refused(path))

        assert told == message("file-missing", str(path), "readable-file", "make-file", str(path))

    def test_a_folder_or_a_pipe_is_not_read(self, tmp_path: Path) -> None:
        """What is not a regular file is refused at once; a pipe without a writer would hang for ever."""
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)

        for path in (tmp_path, pipe):
            assert explain(refused(path)) == message("not-a-file", str(path), "readable-file", "give-file", str(path))

    def test_a_file_without_leave_to_read_is_told(self, tmp_path: Path) -> None:
        """A file that is there and may not be read is told apart from one that is not there."""
        path = written(tmp_path, SHORTEST)
        path.chmod(stat.S_IWUSR)

        done = run("check-config", "--config", path, by=AS_ANYBODY)

        told = message("file-unreadable", "Permission denied", "readable-file", "give-access", str(path))
        assert (done.returncode, done.stderr) == (78, f"{told}\n\n{path}: 1 chỗ sai\n")

    def test_a_file_that_is_not_utf8_is_told_with_its_line(self, tmp_path: Path) -> None:
        """The line of the first bad byte is named, and the bytes."""
        path = written(tmp_path, b"id: a\nscope: \xe0\xe1\xe2\n")

        assert explain(refused(path)) == message("not-utf8", "e0 e1 e2 0a", "utf8", "save-utf8", f"{path}:2")

    @pytest.mark.parametrize("content", ["", "\n\n", "# nothing\n", "---\n"])
    def test_an_empty_file_is_told(self, tmp_path: Path, content: str) -> None:
        """A file without a key is refused as empty, not with a list of missing keys."""
        path = written(tmp_path, content)

        assert explain(refused(path)) == message("file-empty", "", "form", "make-file", str(path))

    def test_a_huge_file_is_not_read(self, tmp_path: Path) -> None:
        """One byte over the bound is refused, whatever is in it."""
        path = written(tmp_path, SHORTEST + "#" * (FILE_BYTES - len(SHORTEST.encode()) + 1))

        (problem,) = refused(path)

        assert (problem.code, problem.found, problem.fields) == (
            "file-too-large",
            f"> {FILE_BYTES}",
            (("most", str(FILE_BYTES)),),
        )
        path.write_bytes(path.read_bytes()[:-1])
        assert load_config(path, {}).station.id == "da-teh-01"

    def test_a_file_wrong_from_end_to_end_is_not_told_from_end_to_end(self, tmp_path: Path) -> None:
        """Thousands of unknown keys end in a hundred problems, the last of which says that there are more."""
        problems = refused(written(tmp_path, "".join(f"k{n}: 1\n" for n in range(5_000))))

        assert [one.code for one in problems] == ["unknown-key"] * 99 + ["more-problems"]
        assert explain(problems[-1:]) == message(
            "more-problems", "k99", "form", "mend-first", f"{tmp_path}/station.yaml:100: k99"
        )

    def test_a_bomb_of_aliases_is_refused_at_its_first(self, tmp_path: Path) -> None:
        """Aliases that would grow to thousands of millions of items are never followed."""
        lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]

        (problem,) = refused(written(tmp_path, "\n".join(lines)))

        assert (problem.code, problem.line, problem.found) == ("alias", 2, "*a0")

    def test_a_thousand_levels_are_refused(self, tmp_path: Path) -> None:
        """Nesting is bounded, so that it cannot exhaust the stack."""
        (problem,) = refused(written(tmp_path, "id: " + "[" * 20_000))

        assert problem.code == "too-deep"

    def test_no_damage_to_a_file_does_more_than_refuse_it(self, tmp_path: Path) -> None:
        """However a file is cut and flipped, it loads or is refused with words (never-7)."""
        chance = random.Random(20_251_205)
        whole = EXAMPLE.read_bytes()
        loaded = told = 0
        for _ in range(150):
            content = bytearray(whole)
            for _ in range(chance.randrange(1, 6)):
                place = chance.randrange(len(content))
                content[place : place + chance.randrange(0, 4)] = chance.choice(DAMAGE)
            try:
                load_config(written(tmp_path, bytes(content)), {})
                loaded += 1
            except ConfigError as error:
                assert explain(error.problems).count("\n  Mend: ") == len(error.problems) > 0
                told += 1

        assert min(loaded, told) > 10


DAMAGE = (
    b"",
    b"\t",
    b":",
    b"- ",
    b"\n",
    b"'",
    b'"',
    b"{",
    b"]",
    b"&a ",
    b"*a",
    b"!!int ",
    b"\x00",
    b"\xff",
    b"9",
    b"~",
    b"? ",
)


def unreadable_files(folder: Path) -> Iterator[Path]:
    """Files that are refused before a key is read."""
    yield folder / "none.yaml"
    yield folder
    yield written(folder, b"\xff")
    yield written(folder, "")
    yield written(folder, "#" * (FILE_BYTES + 1))
    yield written(folder, "".join(f"k{n}: 1\n" for n in range(200)))


NOBODY = "nobody" if os.geteuid() == 0 else "root"
"""Whose rights the station has in these tests: without root's, those of whoever runs them."""


MOCK_PINS = "pins: {factory: mock, mock_folder: lines}\n"


def real_pins(folder: Path) -> None:
    """Have the station drive the machine's own lines."""
    path = folder / "station.yaml"
    path.write_text(path.read_text().replace(MOCK_PINS, "pins: {factory: lgpio}\n"))


def closed_chip(folder: Path) -> None:
    """A chip of lines that the station's user may not open."""
    real_pins(folder)
    (folder / "dev/gpiochip0").touch(0)


def clock_devices(folder: Path) -> None:
    """A battery clock and a modem, both there."""
    path = folder / "station.yaml"
    path.write_text(path.read_text() + "clock: {rtc: dev/rtc0, modem: dev/ttyUSB2}\n")
    for name in ("rtc0", "ttyUSB2"):
        (folder / "dev" / name).touch()
        (folder / "dev" / name).chmod(0o666)


def looked_after(folder: Path) -> None:
    """A modem that is looked after, and is not there: told once, by the key that stands in the file."""
    path = folder / "station.yaml"
    path.write_text(path.read_text() + "modem: {port: dev/ttyUSB2}\n")


def without_device(name: str, mode: int | None = None) -> Callable[[Path], None]:
    """Of the clock's devices one is gone, or closed."""

    def spoil(folder: Path) -> None:
        clock_devices(folder)
        device = folder / "dev" / name
        device.unlink() if mode is None else device.chmod(mode)

    return spoil


def complete_station(folder: Path, user: str = NOBODY) -> Path:
    """A right configuration, every file that it names as it should be; the key is its user's, where there is one."""
    folder.mkdir(exist_ok=True)
    for parent in [folder, *folder.parents][:4]:
        parent.chmod(parent.stat().st_mode | 0o755)
    certificate, key = Authority(folder / "authority").client("da-teh-01")
    shutil.copy(folder / "authority/ca.pem", folder / "ca.pem")
    shutil.copy(folder / "authority/ca.pem", folder / "https.pem")
    certificate.rename(folder / "station.pem")
    key.rename(folder / "station.key").chmod(0o600)
    (folder / "root.dsse.json").write_bytes(Province().signed_root())
    text = SHORTEST.replace("tls/", "") + f"folders: {{trust: {folder}, state: state, runtime: run}}\n"
    text += "https: {ca: https.pem}\n" + MOCK_PINS
    path = written(folder, text + "sound: {driver: wav, wav_file: wav/a.wav}\n")
    (folder / "dev").mkdir()
    for name in ("state", "run", "wav", "lines"):
        (folder / name).mkdir()
        (folder / name).chmod(0o777)
    if os.geteuid() == 0 and user in {entry.pw_name for entry in pwd.getpwall()}:
        os.chown(folder / "station.key", pwd.getpwnam(user).pw_uid, -1)
    return path


@dataclass(frozen=True)
class Machine:
    """Something that is wrong with a machine whose ``station.yaml`` is right: how to break it, and what is told."""

    name: str
    spoil: Callable[[Path], object]
    line: int
    key: str
    code: str
    expected: str
    mend: str
    found: str

    def problems(self, folder: Path) -> tuple[Problem, ...]:
        """Break a whole station, and check it."""
        path = complete_station(folder)
        self.spoil(folder)
        return check_files(path, {}, NOBODY, folder / "dev")


def expired_certificate() -> bytes:
    """A certificate of the year 2020."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "old")])
    first, last = datetime(2020, 1, 1), datetime(2020, 12, 31)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, first, last)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def encrypted_key() -> bytes:
    """A private key behind a password."""
    key, locked = ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"x")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)


def stolen_root() -> bytes:
    """A trust root whose signature is that of a key that is not in it."""
    province = Province()
    province.root_signer = Province().root_signer
    return province.signed_root()


def put(name: str, data: bytes) -> Callable[[Path], object]:
    """Write over a file, which keeps its owner and its permissions."""
    return lambda folder: (folder / name).write_bytes(data)


def close(name: str, mode: int = 0) -> Callable[[Path], object]:
    """Take a file or folder from the station's user, who owns it only without root."""

    def spoil(folder: Path) -> None:
        (folder / name).chmod(mode)
        if os.geteuid() == 0:
            os.chown(folder / name, 0, 0)

    return spoil


def without_lines(folder: Path) -> None:
    """The lines of the pins are gone, and nothing can be made where they were."""
    (folder / "lines").rmdir()
    folder.chmod(0o555)


def with_voice(*files: str, program: str = "/bin/sh") -> Callable[[Path], object]:
    """A station that speaks with Piper, of which only these files are there."""

    def spoil(folder: Path) -> None:
        path = folder / "station.yaml"
        path.write_text(
            path.read_text() + f"speech: {{piper_program: {program}, piper: [{{language: vi, model: vi.onnx}}]}}\n"
        )
        for name in files:
            (folder / name).write_text("")
            (folder / name).chmod(0o644)

    return spoil


TRUST = ("folders.trust", "trust-refused", "trust-file", "copy-again", "root.dsse.json")
CERTIFICATE = ("broker.certificate", "not-a-certificate", "certificate-file", "copy-again", "station.pem")
MACHINE = [
    Machine(
        "ca-gone",
        lambda f: (f / "ca.pem").unlink(),
        6,
        "broker.ca",
        "named-file-missing",
        "ca-file",
        "put-file",
        "ca.pem",
    ),
    Machine(
        "ca-closed",
        close("ca.pem"),
        6,
        "broker.ca",
        "named-file-unreadable",
        "ca-file",
        "give-access",
        "ca.pem: Permission denied",
    ),
    Machine(
        "ca-old",
        put("ca.pem", expired_certificate()),
        6,
        "broker.ca",
        "certificate-expired",
        "ca-file",
        "renew",
        "ca.pem",
    ),
    Machine("certificate-junk", put("station.pem", b"junk"), 7, *CERTIFICATE),
    Machine("certificate-empty", put("station.pem", b""), 7, *CERTIFICATE),
    Machine(
        "key-gone",
        lambda f: (f / "station.key").unlink(),
        8,
        "broker.key",
        "named-file-missing",
        "key-file",
        "put-file",
        "station.key",
    ),
    Machine(
        "key-junk", put("station.key", b"junk"), 8, "broker.key", "not-a-key", "key-file", "copy-again", "station.key"
    ),
    Machine(
        "key-locked",
        put("station.key", encrypted_key()),
        8,
        "broker.key",
        "not-a-key",
        "key-file",
        "copy-again",
        "station.key",
    ),
    Machine(
        "key-of-another",
        lambda f: put("station.key", Authority(f / "other").client("x")[1].read_bytes())(f),
        8,
        "broker.key",
        "key-mismatch",
        "key-file",
        "copy-again",
        "station.key",
    ),
    Machine(
        "key-for-all",
        lambda f: (f / "station.key").chmod(0o644),
        8,
        "broker.key",
        "key-exposed",
        "key-file",
        "close-key",
        "station.key",
    ),
    Machine(
        "trust-gone",
        lambda f: (f / "root.dsse.json").unlink(),
        15,
        "folders.trust",
        "named-file-missing",
        "trust-file",
        "put-file",
        "root.dsse.json",
    ),
    Machine("trust-junk", put("root.dsse.json", b"{}"), 15, *TRUST),
    Machine("trust-stolen", put("root.dsse.json", stolen_root()), 15, *TRUST),
    Machine(
        "trust-elsewhere",
        put("root.dsse.json", Province(scope=Scope("vn/da-nang")).signed_root()),
        2,
        "scope",
        "trust-elsewhere",
        "trust-file",
        "other-place",
        "vn/lam-dong/da-teh",
    ),
    Machine(
        "run-gone",
        lambda f: (f / "run").rmdir(),
        15,
        "folders.runtime",
        "folder-missing",
        "writable-folder",
        "make-folder",
        "run",
    ),
    Machine(
        "state-closed",
        close("state", 0o555),
        15,
        "folders.state",
        "folder-closed",
        "writable-folder",
        "open-folder",
        "state",
    ),
    Machine(
        "wav-gone",
        lambda f: (f / "wav").rmdir(),
        18,
        "sound.wav_file",
        "folder-missing",
        "writable-folder",
        "make-folder",
        "wav",
    ),
    Machine(
        "pins-gone",
        without_lines,
        17,
        "pins.mock_folder",
        "folder-missing",
        "writable-folder",
        "make-folder",
        "lines",
    ),
    Machine(
        "voice-gone",
        with_voice(),
        19,
        "speech.piper[1].model",
        "named-file-missing",
        "voice-model",
        "put-file",
        "vi.onnx",
    ),
    Machine(
        "voice-without-words",
        with_voice("vi.onnx"),
        19,
        "speech.piper[1].model",
        "named-file-missing",
        "voice-model",
        "put-file",
        "vi.onnx.json",
    ),
    Machine(
        "piper-gone",
        with_voice("vi.onnx", "vi.onnx.json", program="bin/piper"),
        19,
        "speech.piper_program",
        "named-file-missing",
        "program",
        "put-file",
        "bin/piper",
    ),
    Machine("no-gpio", real_pins, 17, "pins.factory", "no-gpio", "gpio-chip", "mock-pins", "dev/gpiochip*"),
    Machine("gpio-closed", closed_chip, 17, "pins.factory", "gpio-closed", "gpio-chip", "join-gpio", "dev/gpiochip0"),
    Machine(
        "rtc-gone",
        without_device("rtc0"),
        19,
        "clock.rtc",
        "device-missing",
        "rtc-device",
        "plug-in",
        "dev/rtc0",
    ),
    Machine(
        "looked-after-modem-gone",
        looked_after,
        19,
        "modem.port",
        "device-missing",
        "serial-port",
        "plug-in",
        "dev/ttyUSB2",
    ),
    Machine(
        "modem-gone",
        without_device("ttyUSB2"),
        19,
        "clock.modem",
        "device-missing",
        "serial-port",
        "plug-in",
        "dev/ttyUSB2",
    ),
    Machine(
        "modem-closed",
        without_device("ttyUSB2", 0o600),
        19,
        "clock.modem",
        "device-closed",
        "serial-port",
        "join-dialout",
        "dev/ttyUSB2",
    ),
    Machine(
        "https-gone",
        lambda f: (f / "https.pem").unlink(),
        16,
        "https.ca",
        "named-file-missing",
        "ca-file",
        "put-file",
        "https.pem",
    ),
    Machine(
        "streams-gone",
        lambda f: (f / "station.yaml").write_text((f / "station.yaml").read_text() + "streams: {ca: no.pem}\n"),
        19,
        "streams.ca",
        "named-file-missing",
        "ca-file",
        "put-file",
        "no.pem",
    ),
]


class TestMachine:
    """What a right file names must be on the machine, and be what it should be."""

    def test_a_whole_station_has_nothing_to_be_told(self, tmp_path: Path) -> None:
        """With every named file in its place there is nothing to say."""
        path = complete_station(tmp_path / "station")
        clock_devices(tmp_path / "station")

        assert check_files(path, {}, NOBODY) == ()

    @pytest.mark.parametrize("case", MACHINE, ids=lambda case: case.name)
    def test_what_would_fail_at_start_is_told_before(self, tmp_path: Path, case: Machine) -> None:
        """The whole message: line, key, what is wrong, the file, what should be there, the mend."""
        folder = tmp_path / "station"

        (problem,) = case.problems(folder)

        found = case.found if case.key == "scope" else f"{folder}/{case.found}"
        told = explain([problem])
        assert (problem.line, problem.key, problem.found) == (case.line, case.key, found)
        assert told.splitlines()[0] == f"{folder}/station.yaml:{case.line}: {case.key}"
        fields = dict(problem.fields) | {"found": found}
        for lang, label in ((0, "Sai"), (1, "Wrong")):
            assert f"  {label}: {PROBLEMS[case.code][lang].format_map(fields)}\n" in told
            assert EXPECTED[case.expected][lang] in told
            assert MENDS[case.mend][lang].format_map(fields) in told

    def test_everything_that_is_wrong_is_told_at_once(self, tmp_path: Path) -> None:
        """Certificates, key, trust root and folders, in the order of their lines."""
        folder = tmp_path / "station"
        path = complete_station(folder)
        for name in ("ca.pem", "station.pem", "station.key", "https.pem", "root.dsse.json"):
            (folder / name).unlink()
        (folder / "run").rmdir()

        problems = check_files(path, {}, NOBODY)

        assert [(one.line, one.key) for one in problems] == [
            (6, "broker.ca"),
            (7, "broker.certificate"),
            (8, "broker.key"),
            (15, "folders.trust"),
            (15, "folders.runtime"),
            (16, "https.ca"),
        ]
        assert explain(problems[:1]) == message(
            "named-file-missing", str(folder / "ca.pem"), "ca-file", "put-file", f"{path}:6: broker.ca"
        )

    def test_a_folder_that_the_unit_makes_need_not_be_there(self, tmp_path: Path) -> None:
        """/run/ttcs-edge and /var/lib/ttcs-edge come with the service; one that can be made is no mistake either."""
        folder = tmp_path / "station"
        path = complete_station(folder)
        path.write_text(
            path.read_text().replace("state: state, runtime: run", "state: run/new, runtime: /run/ttcs-edge")
        )

        assert check_files(path, {}, NOBODY) == ()

    def test_a_station_yaml_that_the_station_may_not_read_is_told(self, tmp_path: Path) -> None:
        """Root reads it, the service's user does not: the service would not start."""
        path = complete_station(tmp_path / "station")
        path.chmod(0o600)

        codes = [one.code for one in check_files(path, {}, NOBODY)]

        assert codes == (["file-unreadable"] if os.geteuid() == 0 else [])

    def test_root_is_root_again_afterwards(self, tmp_path: Path) -> None:
        """The rights of the station's user are given back, also behind a failure."""
        before = (os.geteuid(), os.getegid(), os.getgroups())
        with pytest.raises(ZeroDivisionError), acting_as(NOBODY):
            assert os.geteuid() == pwd.getpwnam(NOBODY).pw_uid or before[0] != 0
            raise ZeroDivisionError

        assert (os.geteuid(), os.getegid(), os.getgroups()) == before

    def test_a_credential_is_looked_at_where_it_is(self, tmp_path: Path) -> None:
        """Inside the service in its folder, where it must be; outside in the file from which the unit takes it."""
        folder = tmp_path / "station"
        path = complete_station(folder)
        path.write_text(path.read_text().replace("key: station.key", "key: credential:station.key"))
        (folder / "identity").mkdir()
        key = (folder / "station.key").rename(folder / "identity/station.key")
        (folder / "credentials").mkdir()
        inside = {"CREDENTIALS_DIRECTORY": str(folder / "credentials")}

        assert check_files(path, {}, NOBODY) == ()
        assert [(one.code, one.key) for one in check_files(path, inside, NOBODY)] == [
            ("named-file-missing", "broker.key")
        ]
        shutil.copy2(key, folder / "credentials/station.key")
        if os.geteuid() == 0:
            os.chown(folder / "credentials/station.key", pwd.getpwnam(NOBODY).pw_uid, -1)
        assert check_files(path, inside, NOBODY) == ()
        key.write_bytes(encrypted_key())
        assert [(one.code, one.found) for one in check_files(path, {}, NOBODY)] == [("not-a-key", str(key))]
        key.unlink()
        assert check_files(path, {}, NOBODY) == ()
        key.symlink_to("/run/ttcs-edge-key/station.key")
        assert check_files(path, {}, NOBODY) == (), "sealed, and the service has not opened it"
        assert load_config(path, inside).broker.key_file == folder / "credentials/station.key"
        assert load_config(path, {}).broker.key_file == Path("/run/credentials/ttcs-edge.service/station.key")


def keys_of(kind: Kind) -> tuple[Key, ...]:
    """The keys under a key, whether it is a section or a list of them."""
    inner = kind.of if isinstance(kind, ListOf) else kind
    return inner.keys if isinstance(inner, Section) else ()


def table_keys(keys: tuple[Key, ...], prefix: str = "") -> Iterator[tuple[str, Key]]:
    """Every key of the table by its path, lists written ``zones[]``."""
    for key in keys:
        path = prefix + key.name
        yield path, key
        yield from table_keys(keys_of(key.kind), path + ("[]." if isinstance(key.kind, ListOf) else "."))


def bounds(key: Key) -> str:
    """What the documentation must tell of a key's bounds."""
    match key.kind:
        case Whole(least, most):
            return f"{least}–{most}"
        case Milliseconds(least_ms, most_ms):
            return f"{least_ms / 1000:g}–{most_ms / 1000:g}"
        case ListOf(_, least, most):
            return f"{least}–{most}"
        case Choice(of):
            return ", ".join(str(one.value) for one in of)
    return ""


class TestDocumentation:
    """The page and the example beside the table tell the truth."""

    def test_every_key_is_documented_in_both_languages(self) -> None:
        """config/README.md tells each key once, with its default and bounds, and nothing that is not a key."""
        rows = [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in (REPOSITORY / "config/README.md").read_text().splitlines()
            if line.startswith("| `")
        ]
        table = dict(table_keys(STATION.keys))

        assert sorted(row[0].strip("`") for row in rows) == sorted(table)
        for name, default, takes, vietnamese, english in rows:
            key = table[name.strip("`")]
            expected = "bắt buộc / required" if key.required else f"`{key.default}`" if key.default else ""
            assert (name, default) == (name, expected)
            assert bounds(key) in takes
            assert vietnamese and english and vietnamese != english

    def test_the_example_shows_every_section(self) -> None:
        """Each section that a technician may need stands in the worked example, bilingual comment and all."""
        text = EXAMPLE.read_text()

        shown = set(re.findall(r"^([a-z_]+):", text, re.MULTILINE))
        commented = set(re.findall(r"^# ([a-z0-9_]+):(?: \{|$)", text, re.MULTILINE))
        assert shown | commented | {"https"} == {key.name for key in STATION.keys}

    def test_no_line_is_wired_twice_in_the_example_and_on_the_pages_of_the_parts(self) -> None:
        """Whoever wires by the pages, and takes the example's sections out of their comments, has a right station."""
        wired: dict[str, str] = {}
        for page in [EXAMPLE, *sorted(Path("firmware_notes").glob("*.md"))]:
            for key, pin in re.findall(r"\b(\w+_pin): (\d+)", page.read_text()):
                assert wired.setdefault(pin, key) == key, f"{page}: {key}: {pin} is {wired[pin]}'s"
        zones = set(re.findall(r"^ +pin: (\d+)", EXAMPLE.read_text(), re.MULTILINE))
        assert zones and not zones & wired.keys()

    def test_the_example_of_every_key_is_one(self, tmp_path: Path) -> None:
        """The value that a mend proposes for a missing key is itself accepted."""
        for path, key in table_keys(STATION.keys):
            if key.required and key.example and "[]" not in path:
                section, _, name = path.rpartition(".")
                pattern = rf"(?m)^{'  ' if section else ''}{name}: .*$"
                text, count = re.subn(pattern, f"{'  ' if section else ''}{name}: {key.example}", SHORTEST)
                assert count == (f"\n{section}:" in f"\n{SHORTEST}" or not section), path
                assert msgspec.structs.asdict(load_config(written(tmp_path, text), {}).station)
