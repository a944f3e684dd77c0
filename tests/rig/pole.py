"""A station of a centre on a machine of its own: what a technician does to it, and what can be seen of it."""

from __future__ import annotations

import json
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.parts import Broker, eventually, local
from tests.rig.machine import Machine
from ttcs_edge.central.centre import open_centre
from ttcs_edge.central.main import main
from ttcs_edge.central.revocation import revoked
from ttcs_edge.drivers.pins import LOG_NAME, level
from ttcs_edge.link.control import ControlError, ask
from ttcs_edge.training.enrolled import enrolled

UNIT = "ttcs-edge.service"
PLAYER_UNIT = "ttcs-edge-player@.service"
PLAYER_SOCKET = "/run/ttcs-edge-player.socket"
CONFIG = "/etc/ttcs-edge/station.yaml"
STATE = "/var/lib/ttcs-edge"
PINS = (16, 17, 27)
"""The relays of the worked example: amplifier, zones."""
FIT = (
    (r"^  factory: lgpio .*$", f"  factory: mock\n  mock_folder: {STATE}/lines"),
    (r"^  driver: alsa .*$", f"  driver: wav\n  wav_file: {STATE}/aired.wav"),
    (r"^  trust: kernel$", "  trust: host"),
    (r"^quiet_hours: .*$", "quiet_hours: []"),
    (r"^heartbeat_s: .*$", "heartbeat_s: 5"),
    (r"^  warm_up_s: 2 .*$", "  warm_up_s: 0.5"),
)
"""What a technician changes in the file from the province, for a machine that has neither lines nor a sound card."""
PROGRAMME = """\
scope: vn/lam-dong/da-teh
time_zone: Asia/Ho_Chi_Minh
valid_days: 1
bulletins:
  - {{id: tin, title: Bản tin, file: {audio}}}
slots:
  - {{id: ngay, start: {start}, bulletins: [tin]}}
"""
FIGURES: list[str] = []
"""What was measured, a line each."""


def in_place_of_the_daemon(program: str) -> str:
    """What has the daemon's unit run another program of Python's, once, with all that it gives and takes."""
    run = f"ExecStart=\nExecStart=/opt/ttcs-edge/bin/python {program}\nExecStopPost=\n"
    return f"[Service]\nType=oneshot\nRestart=no\nWatchdogSec=0\n{run}"


@dataclass(frozen=True)
class Centre:
    """A centre's folder, and the port at which its stations look for the broker; certificates as the broker wants."""

    folder: Path
    port: int

    @property
    def ca_file(self) -> Path:
        """The certificate of its authority."""
        return self.folder / "ca.pem"

    def server(self) -> tuple[Path, Path]:
        """Certificate and key files of its broker."""
        return self.folder / "servers/127.0.0.1.crt", self.folder / "servers/127.0.0.1.key"

    def client(self, name: str) -> tuple[Path, Path]:
        """Certificate and key files of its operator."""
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"

    def revoked(self) -> bytes:
        """The list of those that it took back."""
        return revoked(open_centre(self.folder))

    def publish(self, folder: Path, seconds: int) -> None:
        """Publish a tone that airs some seconds from now, over the broker."""
        audio, file = folder / "tone.wav", folder / "programme.yaml"
        tone = ["ffmpeg", "-loglevel", "error", "-y", "-f", "lavfi", "-i", "sine=1000:r=48000:d=40", str(audio)]
        subprocess.run(tone, check=True)
        file.write_text(PROGRAMME.format(audio=audio, start=local(seconds)))
        assert main(["publish", str(self.folder), str(file), "--via-broker"]) == 0


class Pole:
    """The station ``da-teh-01``."""

    def __init__(self, machine: Machine, centre: Centre, broker: Broker) -> None:
        self.machine = machine
        self.centre = centre
        self.broker = broker
        self.began_s = 0.0

    # what a technician does

    def set_up(self) -> None:
        """Enrol it, and fit it to this machine."""
        enrolled(self.centre.folder, "da-teh-01", self.machine.root / "etc/ttcs-edge", again=True)
        self.fit()
        self.began_s = time.time()

    def fit(self) -> None:
        """Fit what the centre gave to this machine."""
        text = self.config().replace(str(self.machine.root), "")
        for pattern, line in FIT:
            text, count = re.subn(pattern, line, text, flags=re.MULTILINE)
            assert count == 1, pattern
        self.configure(text)

    def config(self) -> str:
        """Its station.yaml."""
        return (self.machine.root / CONFIG[1:]).read_text()

    def configure(self, text: str) -> None:
        """Write its station.yaml."""
        (self.machine.root / CONFIG[1:]).write_text(text)

    def override(self, text: str, unit: str = UNIT) -> None:
        """Change a unit for this test."""
        folder = f"/run/systemd/system/{unit}.d"
        self.machine.shell(f"mkdir -p {folder}; printf '{text}' >{folder}/test.conf; systemctl daemon-reload")

    def start(self, check: bool = True) -> None:
        """Start it; READY is waited for, as systemctl does."""
        done = self.machine.run("systemctl", "start", UNIT, check=False)
        assert done.returncode == 0 or not check, "\n".join(entry["MESSAGE"] for entry in self.journal())

    def clear(self) -> None:
        """Stop it and forget what it knew, for the next test."""
        self.machine.shell(
            f"systemctl stop {UNIT}; systemctl reset-failed; rm -rf {STATE}/*"
            " /etc/ttcs-edge/identit* /etc/ttcs-edge/station.yaml /etc/ttcs-edge/trust/*"
            f" /run/systemd/system/{UNIT}.d /run/systemd/system/{PLAYER_UNIT}.d; systemctl daemon-reload"
        )

    def put_on_the_air(self, folder: Path) -> None:
        """Start it, publish, and wait until the sound goes out: the amplifier is on, the zones are closed."""
        self.start()
        self.centre.publish(folder, 8)  # to publish takes some seconds of a busy machine
        eventually(lambda: (self.status().get("on_air") or {}).get("position_ms", 0) > 300, 30)
        assert self.closed() == PINS

    # what can be seen

    def show(self, name: str) -> str:
        """A property of the unit."""
        return self.machine.run("systemctl", "show", UNIT, "--value", f"--property={name}").stdout.strip()

    @property
    def main_pid(self) -> int:
        """The daemon's process id, in there."""
        return int(self.show("MainPID"))

    def keepers(self, of: str = "player") -> list[int]:
        """The main processes of the players' units, or the monitors', in there."""
        shown = self.machine.run("systemctl", "show", f"ttcs-edge-{of}@*", "--value", "--property=MainPID").stdout
        return [int(pid) for pid in shown.split() if pid != "0"]

    def players(self) -> list[int]:
        """What the keepers of players keep, in there."""
        return self.kept("player")

    def kept(self, of: str) -> list[int]:
        """What the keepers of players, or of monitors, keep, in there."""
        pids = self.keepers(of)
        children = (self.machine.run("cat", f"/proc/{pid}/task/{pid}/children", check=False) for pid in pids)
        return [int(child) for found in children for child in found.stdout.split()]

    def is_active(self, not_pid: int = 0) -> bool:
        """Tell whether the service manager has heard READY; of another process than one, if one is given."""
        shown = self.machine.run("systemctl", "show", UNIT, "--property=ActiveState,MainPID").stdout
        found = dict(line.split("=") for line in shown.splitlines())
        return found["ActiveState"] == "active" and int(found["MainPID"]) not in (0, not_pid)

    def closed(self) -> tuple[int, ...]:
        """Which relays are closed, felt at the wire."""
        return tuple(pin for pin in PINS if level(self.lines, pin))

    @property
    def lines_there(self) -> str:
        """That folder, for a program in there."""
        return f"{STATE}/lines"

    @property
    def lines(self) -> Path:
        """Where its lines keep their levels."""
        return self.machine.root / STATE[1:] / "lines"

    def line_log(self, since_ns: int = 0) -> list[tuple[str, int, int]]:
        """Every change of a line since an instant: (line, level, ns of the monotonic clock)."""
        changes = [json.loads(line) for line in (self.lines / LOG_NAME).read_text().splitlines()]
        return [(c["line"], c["level"], c["mono_ns"]) for c in changes if c["mono_ns"] >= since_ns]

    def status(self) -> dict[str, Any]:
        """What the daemon says of itself; empty while it cannot."""
        try:
            run = Path(f"/proc/{self.machine.leader}/root/run")
            return ask(run / "ttcs-edge/control.sock", {"ask": "status"})
        except ControlError:
            return {}

    def journal(self) -> list[dict[str, Any]]:
        """What the journal holds of the unit since this test began."""
        return self.machine.journal(UNIT, self.began_s)

    def told(self, program: str = "ttcs-edge") -> list[str]:
        """The lines of the journal that a program of ours wrote, its children's with them."""
        return [entry["MESSAGE"] for entry in self.journal() if entry.get("SYSLOG_IDENTIFIER") == program]
