"""The bench that is a container: lines and sound are files of its state folder, written as they happen."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.drivers.modems import Mobile, WiredMobile
from tests.parts import eventually
from tests.rig.bench import QUIET_DB, RELAYS, Bench, Change, Heard, Link, Setup
from tests.rig.listening import RATE_HZ, WINDOW_FRAMES, windows
from tests.rig.machine import Machine
from tests.rig.pole import STATE, UNIT
from tests.rig.wire import Wire
from ttcs_edge.drivers.pins import LOG_NAME
from ttcs_edge.drivers.sound import timeline_of
from ttcs_edge.link.control import ControlError, ask
from ttcs_edge.training.boards import Boards

SUBJECTS = {f"gpio{pin}": subject for subject, pin in RELAYS.items()}
DROP_IN = Path(f"/etc/systemd/system/{UNIT}.d/bench.conf")
"""Serial ports are pseudo-terminals here, which the unit does not have otherwise."""
SERIAL_PORT, MODEM_PORT = "/dev/ttyRIG", "/dev/ttyMODEM"
HEADER_BYTES = 44


class ContainerBench(Bench):
    """On a machine with the product installed, which runs."""

    def __init__(self, name: str, setup: Setup, machine: Machine, folder: Path) -> None:
        super().__init__(name, setup)
        self.machine = machine
        self._wire = Wire()
        self._boards = Boards(folder, units=())
        self._modem = WiredMobile(folder / "modem")
        ports = {self._boards.port: SERIAL_PORT, self._modem.name: MODEM_PORT}
        machine.binds = {os.path.realpath(port): there for port, there in ports.items()}
        for port in machine.binds:
            os.chmod(port, 0o666)
        machine.power_off()
        machine.boot()

    def versions(self) -> dict[str, str]:
        """Of the kernel it is this machine's."""
        return {
            "kernel": self.run("uname", "-r").stdout.strip(),
            "systemd": self.run("systemctl", "--version").stdout.split()[1],
            "debian": (self.machine.root / "etc/debian_version").read_text().strip(),
        }

    def power_on(self) -> None:
        """Boot it."""
        self.machine.boot()

    def cut_power(self) -> None:
        """End everything in there at once."""
        self.machine.cut_power()

    def wait_until_up(self, timeout_s: float) -> None:
        """It does not start anew by itself."""
        raise AssertionError("a container has no kernel that could start it anew: its scenarios need a watchdog")

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in there."""
        return self.machine.run(*command, check=check)

    def put(self, folder: Path) -> None:
        """Copy a tree into its root."""
        shutil.copytree(folder, self.machine.root, symlinks=True, dirs_exist_ok=True)

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Ask at its socket, seen from here."""
        with suppress(ControlError, OSError, IndexError):
            return ask(Path(f"/proc/{self.machine.leader}/root/run/ttcs-edge/control.sock"), question)
        return {}

    def signal(self, pid: int, number: int) -> int:
        """Send it from here."""
        return self.machine.kill(pid, number)

    def close(self) -> None:
        """Let wire and serial line go; the machine is not the bench's own."""
        self._wire.close()
        self._boards.unplug()
        self._modem.close()

    @property
    def _state(self) -> Path:
        return self.machine.root / STATE[1:]

    def changes(self, since_ns: int) -> list[Change]:
        """The log of its lines."""
        log = self._state / "lines" / LOG_NAME
        if not log.exists():
            return []
        found = (json.loads(line) for line in log.read_text().splitlines())
        return [
            Change(SUBJECTS[one["line"]], bool(one["level"]), one["mono_ns"])
            for one in found
            if one["mono_ns"] >= since_ns and one["line"] in SUBJECTS
        ]

    def heard(self, since_ns: int) -> list[Heard]:
        """The samples of its file, from when they were written."""
        wav = self._state / "aired.wav"
        told = timeline_of(wav)
        if not told.exists():
            return []
        runs = {line["mono_ns"]: line for line in map(json.loads, told.read_text().splitlines())}
        begins = sorted(line["file_frame"] for line in runs.values())
        found = []
        with wav.open("rb") as stream:
            length = (wav.stat().st_size - HEADER_BYTES) // 2
            for begin_ns, line in sorted(runs.items()):
                first = line["file_frame"]
                later = [one for one in begins if one > first]  # a player that was killed told no end
                end = first + line["frames"] if line["frames"] else later[0] if later else length
                passed = max(0, since_ns - begin_ns) * RATE_HZ // 1_000_000_000 // WINDOW_FRAMES * WINDOW_FRAMES
                stream.seek(HEADER_BYTES + 2 * (first + passed))
                for frame, level_db, hertz in windows(stream.read(max(0, 2 * (end - first - passed)))):
                    at_ns = begin_ns + (passed + frame) * 1_000_000_000 // RATE_HZ
                    if at_ns >= since_ns and level_db > QUIET_DB:
                        found.append(Heard(at_ns, level_db, hertz))
        return found

    def link(self, state: Link) -> None:
        """Cut, slow or mend the relay before the broker."""
        if state is Link.CUT:
            self._wire.cut()
        else:
            self._wire.mend(slow=state is Link.SLOW)

    def broker_port(self, port: int) -> int:
        """Through the relay."""
        self._wire.to_port = port
        return self._wire.port

    def boards(self) -> Boards:
        """At a pseudo-terminal."""
        return self._boards

    def modem(self) -> Mobile:
        """At another one."""
        return self._modem

    def fresh(self) -> None:
        """Forget what it knew."""
        self._modem.needs = ""
        self._modem.heard.clear()
        if self.machine.is_off:
            self.machine.boot()
        self._wire.mend()
        self.machine.shell(
            f"systemctl stop {UNIT}; systemctl disable --quiet {UNIT}; systemctl reset-failed; rm -rf {STATE}/*"
            " /etc/ttcs-edge/identit* /etc/ttcs-edge/station.yaml /etc/ttcs-edge/air.wav /etc/ttcs-edge/trust/*;"
            f"mkdir -p {DROP_IN.parent};"
            f"printf '[Service]\\nDeviceAllow=char-pts rw\\n' >{DROP_IN}; systemctl daemon-reload"
        )
        eventually(lambda: self.closed() == frozenset())

    def leave(self) -> None:
        """Leave nothing on the machine, for other tests have it, too."""
        self.fresh()
        self.machine.shell(f"rm -r {DROP_IN.parent}; systemctl daemon-reload")
