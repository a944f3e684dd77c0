"""A centre, a broker and a station in one folder, on a free port of the loopback address; its poles hang on them."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from ttcs_edge.central.broker_rules import RIGHTS, config
from ttcs_edge.cli.arguments import CONFIG_VARIABLE
from ttcs_edge.core.model import ZoneId
from ttcs_edge.link.control import ControlError, ask
from ttcs_edge.training.air import Air
from ttcs_edge.training.boards import Boards
from ttcs_edge.training.enrolled import enrolled
from ttcs_edge.training.meter import Hanging
from ttcs_edge.training.pole import Pole

MOSQUITTO: Final = "/usr/sbin/mosquitto"
STATION: Final = "tram-tap"
SCOPE: Final = "vn/lop-hoc"
PLACE: Final = "vn/lop-hoc/xa-mau"
AMPLIFIER_PIN: Final = 17
ZONES: Final = {"cho": ("Chợ", 27, 60.0), "dinh": ("Đình", 22, 40.0), "thon-5": ("Thôn 5", 23, 50.0)}
"""Each zone's name, its pin, and the watts that the test tone adds there."""
METER_UNIT: Final = 10
EVERY_MIN: Final = 5
"""How often the station airs a bulletin by itself."""
FIRST_S: Final = 30
"""How soon it does so for the first time."""
TIME_ZONE: Final = "Asia/Ho_Chi_Minh"
HOURS: Final = 4
"""How long a class may last."""
COMES_UP_S: Final = 60.0
LOOK_EVERY_S: Final = 0.1

STATION_YAML: Final = """\
zones:
{zones}
amplifier: {{pin: {amplifier}, warm_up_s: 1, hold_s: 2}}
sequencing: {{zone_stagger_s: 0.4, fade_in_s: 0.2, fade_out_s: 0.3}}
sound: {{driver: wav, wav_file: {folder}/aired.wav}}
pins: {{factory: mock, mock_folder: {folder}/lines}}
rs485: {{port: {folder}/rs485}}
meter: {{unit: {unit}, idle_w: 25, most_w: 400, others_w: 8}}
monitor: {{wav_file: {folder}/air.wav, loud_dbfs: -22}}
heartbeat_s: 10
https: {{ca: {folder}/identity/ca.pem}}
store: {{audio_mb: 64, free_mb: 16}}
clock: {{trust: host}}
folders: {{trust: {folder}/trust, state: {folder}/state, runtime: {folder}/run}}
"""

PROGRAMME: Final = """\
scope: {scope}
time_zone: {time_zone}
valid_days: 1
bulletins:
  - id: ban-tin
    title: Bản tin của lớp học
    text: Đây là đài truyền thanh xã mẫu. Mời bà con nghe bản tin của lớp học. Chiều nay trời có mưa, bà con chú ý.
slots:
{slots}
"""


class SchoolError(Exception):
    """The class cannot begin: ``code`` names the words, ``fields`` fill them."""

    def __init__(self, code: str, **fields: str) -> None:
        super().__init__(code)
        self.code, self.fields = code, fields


class School:
    """Everything of a class, in a folder of its own, which is made anew. ``begin`` it, and ``close`` it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.centre = folder / "centre"
        self.config = folder / "station.yaml"
        self.socket = folder / "run/control.sock"
        self.window = folder / "lop"
        """What a trainee reads into his shell (``. FILE``): from then on each command asks this station."""
        self._port = _free_port()
        self._broker: subprocess.Popen[bytes] | None = None
        self._station: subprocess.Popen[bytes] | None = None
        self._closing: list[Callable[[], object]] = []

    def begin(self) -> None:
        """Set everything up and start it. Raises SchoolError."""
        if not Path(MOSQUITTO).exists():
            raise SchoolError("no-mosquitto")
        self._clear()
        (self.folder / "run").mkdir(parents=True)
        self.window.write_text(f"export {CONFIG_VARIABLE}={self.config}\n")
        self._found()
        self._enrol()
        self.plug_in()
        boards = Boards(self.folder, units=())
        pole = Pole(random.Random(), {ZoneId(name): tone_w for name, (_, _, tone_w) in ZONES.items()})  # noqa: S311 (physics)
        aired = self.folder / "aired.wav"
        pins = {ZoneId(name): pin for name, (_, pin, _) in ZONES.items()}
        hanging = Hanging(pole, self.folder / "lines", aired, pins, AMPLIFIER_PIN)
        self._closing.append(hanging.close)
        boards.meters[METER_UNIT] = pole.reading
        self.pole = pole
        self.air = Air(self.folder / "air.wav", aired)
        self._closing.append(self.air.close)
        self._start()
        self.until(lambda: self.status()["link_up"] and self.status()["off_air"])
        self.air.begin()
        self._publish()

    def close(self) -> None:
        """End everything; the folder stays."""
        if self._station is not None:
            self._station.terminate()
            self._station.wait(10)
        for close in reversed(self._closing):
            close()
        self.unplug()

    def plug_in(self) -> None:
        """The way to the broker is there."""
        command = [MOSQUITTO, "-c", str(self.folder / "broker/mosquitto.conf")]
        with (self.folder / "broker/stderr").open("ab") as stderr:
            self._broker = subprocess.Popen(command, stderr=stderr)  # noqa: S603 (a path of Debian's, files of ours)
        self.until(self._accepts)

    def unplug(self) -> None:
        """It is cut."""
        if self._broker is not None:
            self._broker.terminate()
            self._broker.wait(10)
            self._broker = None

    def warn(self) -> None:
        """The centre warns of a flood."""
        blank = "noi=suối Đạ Lây"
        words = ("lu-quet", "--scope", PLACE, "--set", blank, "--yes", "--wait", "1")
        self.central("alert", *words, good=(0, 1))  # 1: it is still being heard

    def status(self) -> dict[str, Any]:
        """What the station says of itself. Raises ControlError."""
        return ask(self.socket, {"ask": "status"})

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for something. Raises SchoolError when it does not come."""
        ends_s = time.monotonic() + COMES_UP_S
        while time.monotonic() < ends_s:
            try:
                if condition():
                    return
            except ControlError:
                pass
            time.sleep(LOOK_EVERY_S)  # between two looks at the condition, which has a time limit
        raise SchoolError("not-up", file=str(self.folder / "log"))

    def central(self, name: str, *words: str, good: Sequence[int] = (0,)) -> None:
        """A command of the centre's. Raises SchoolError."""
        command = [sys.executable, "-m", "ttcs_edge.central.main", name, str(self.centre), *words]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)  # noqa: S603 (ours)
        if done.returncode not in good:
            raise SchoolError("centre-failed", command=name, error=(done.stderr or done.stdout).strip()[-200:])

    def _clear(self) -> None:
        """Take an earlier class away, and nothing else that may lie there."""
        if self.folder.exists() and any(self.folder.iterdir()) and not self.window.exists():
            raise SchoolError("folder-taken", folder=str(self.folder))
        shutil.rmtree(self.folder, ignore_errors=True)

    def _found(self) -> None:
        """Make the centre, and a broker that follows it."""
        self.central("init", "--scope", SCOPE, "--broker", f"127.0.0.1:{self._port}")
        self.central("server-certificate", "127.0.0.1")
        self.central("add-station", STATION, "--scope", PLACE)
        self.central("broker-config")
        broker = self.folder / "broker"
        shutil.copytree(self.centre / "broker", broker)
        rules = config(self._port, broker, "127.0.0.1")
        as_root = "user root\n" if os.geteuid() == 0 else ""
        (broker / "mosquitto.conf").write_text(f"{rules}{as_root}persistence true\npersistence_location {broker}/\n")
        assert (broker / RIGHTS).exists()

    def _enrol(self) -> None:
        """Enrol the station, and give it the poles of a class in place of what its centre proposes."""
        enrolled(self.centre, STATION, self.folder)
        text = self.config.read_text().replace("/etc/ttcs-edge", str(self.folder)).split("\nzones:")[0]
        begin = text.replace("credential:station.key", str(self.folder / "identity/station.key"))
        zones = "\n".join(
            f"  - {{id: {name}, name: {title}, pin: {pin}, tone_w: {tone_w:.0f}}}"
            for name, (title, pin, tone_w) in ZONES.items()
        )
        station = STATION_YAML.format(zones=zones, folder=self.folder, amplifier=AMPLIFIER_PIN, unit=METER_UNIT)
        self.config.write_text(f"{begin}\n{station}")

    def _start(self) -> None:
        command = [sys.executable, "-m", "ttcs_edge.daemon", "--config", str(self.config)]
        with (self.folder / "log").open("ab") as log:
            self._station = subprocess.Popen(command, stderr=log, cwd=self.folder)  # noqa: S603 (ours)

    def _publish(self) -> None:
        begin = datetime.now(ZoneInfo(TIME_ZONE)) + timedelta(seconds=FIRST_S)
        starts = [begin + timedelta(minutes=minutes) for minutes in range(0, HOURS * 60, EVERY_MIN)]
        slots = _slots(starts)
        file = self.folder / "programme.yaml"
        file.write_text(PROGRAMME.format(scope=PLACE, time_zone=TIME_ZONE, slots=slots))
        self.central("publish", str(file), "--via-broker")

    def _accepts(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


def _slots(starts: Sequence[datetime]) -> str:
    return "\n".join(
        f"  - {{id: s{number}, start: {start:%Y-%m-%d %H:%M:%S}, bulletins: [ban-tin]}}"
        for number, start in enumerate(starts)
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
