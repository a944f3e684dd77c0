"""The bench that is a Raspberry Pi with wires: this machine, another Pi, feels the relays, listens, holds the switch.

Its file (``benches/pi.yaml.example``) names commands and inputs; ``firmware_notes/real-bench.md`` how to build it.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import serial

from tests.parts import eventually
from tests.rig.bench import QUIET_DB, RELAYS, Bench, Change, Heard, Link, Setup, Wires
from tests.rig.listening import RATE_HZ, WINDOW_FRAMES, windows
from tests.rig.pole import STATE, UNIT
from ttcs_edge.training.boards import Boards

BOOT_S = 120.0
BOUNCE_S = 0.02
ASK = (
    "import json,pathlib,sys;from ttcs_edge.link.control import ask;"
    "print(json.dumps(ask(pathlib.Path('/run/ttcs-edge/control.sock'),json.loads(sys.argv[1]))))"
)


class SerialBoards(Boards):
    """A meter, and whatever else, behind this machine's own RS-485 adapter."""

    def __init__(self, path: str) -> None:
        self._path = path
        super().__init__(Path(path).parent, units=())

    def plug_in(self) -> None:
        """Open the adapter."""
        self._line = serial.Serial(self._path, 9_600)
        self._master = self._line.fileno()
        threading.Thread(target=self._serve, args=(self._master,), daemon=True).start()


class BoardBench(Bench):
    """``make_input`` gives what feels a contact: with ``when_activated``, ``when_deactivated`` and ``is_active``."""

    def __init__(self, name: str, setup: Setup, make_input: Callable[[int], Any]) -> None:
        super().__init__(name, setup)
        assert setup.wires is not None
        self._wires: Wires = setup.wires
        self._changes: list[Change] = []
        self._heard: list[Heard] = []
        self._inputs = {subject: make_input(self._wires.inputs[subject]) for subject in RELAYS}
        for subject, one in self._inputs.items():
            one.when_activated = lambda subject=subject: self._felt(subject, True)
            one.when_deactivated = lambda subject=subject: self._felt(subject, False)
        self._boards: SerialBoards | None = None
        self._ear = subprocess.Popen(shlex.split(self._wires.listen), stdout=subprocess.PIPE)
        threading.Thread(target=self._listen, daemon=True).start()
        self.power_on()

    def _felt(self, subject: str, closed: bool) -> None:
        self._changes.append(Change(subject, closed, time.monotonic_ns()))

    def _listen(self) -> None:
        assert self._ear.stdout is not None
        size = 2 * WINDOW_FRAMES
        while len(data := self._ear.stdout.read(size)) == size:
            begin_ns = time.monotonic_ns() - WINDOW_FRAMES * 1_000_000_000 // RATE_HZ
            self._heard += [Heard(begin_ns, db, hertz) for _, db, hertz in windows(data) if db > QUIET_DB]

    def _do(self, command: str) -> None:
        subprocess.run(["sh", "-euc", command], check=True)

    def versions(self) -> dict[str, str]:
        """The board's."""
        return {
            "kernel": self.run("uname", "-r").stdout.strip(),
            "systemd": self.run("systemctl", "--version").stdout.split()[1],
            "debian": self.run("cat", "/etc/debian_version").stdout.strip(),
        }

    def power_on(self) -> None:
        """Close the switch of its supply."""
        self._do(self._wires.power_on)
        self.wait_until_up(BOOT_S)

    def cut_power(self) -> None:
        """Open it."""
        self._do(self._wires.power_off)

    def wait_until_up(self, timeout_s: float) -> None:
        """Wait for its SSH."""
        eventually(lambda: self.run("true", check=False).returncode == 0, timeout_s)

    def _reach(self, command: str) -> list[str]:
        return [*shlex.split(self._wires.reach), command]

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Over SSH."""
        done = subprocess.run(self._reach(shlex.join(command)), capture_output=True, text=True)
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def put(self, folder: Path) -> None:
        """As a tar through SSH."""
        unpack = f"tar -x --no-same-owner -C {shlex.quote(self._wires.root)}"
        with subprocess.Popen(self._reach(unpack), stdin=subprocess.PIPE) as there:
            assert there.stdin is not None
            with tarfile.open(fileobj=there.stdin, mode="w|") as tree:
                tree.add(folder, ".")
            there.stdin.close()
        assert there.returncode == 0

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """By the installed package, over SSH."""
        done = self.run("/opt/ttcs-edge/bin/python", "-c", ASK, json.dumps(question), check=False)
        return dict(json.loads(done.stdout)) if done.returncode == 0 else {}

    def signal(self, pid: int, number: int) -> int:
        """Over SSH; when it was sent for."""
        at_ns = time.monotonic_ns()
        self.run("kill", f"-{number}", str(pid))
        return at_ns

    def close(self) -> None:
        """Leave it as it is, switched on."""
        self._ear.kill()
        for one in self._inputs.values():
            one.close()

    def changes(self, since_ns: int) -> list[Change]:
        """What the contacts did."""
        return [change for change in list(self._changes) if change.at_ns >= since_ns]

    def closed(self) -> frozenset[str]:
        """What the contacts are."""
        return frozenset(subject for subject, one in self._inputs.items() if one.is_active)

    def heard(self, since_ns: int) -> list[Heard]:
        """What came in at the sound input."""
        return [one for one in list(self._heard) if one.at_ns >= since_ns]

    def link(self, state: Link) -> None:
        """By the commands of its file."""
        self._do(
            {Link.CUT: self._wires.link_cut, Link.SLOW: self._wires.link_slow, Link.UP: self._wires.link_up}[state]
        )

    def boards(self) -> Boards:
        """At this machine's adapter."""
        self._boards = self._boards or SerialBoards(self._wires.serial)
        return self._boards

    def fresh(self) -> None:
        """Forget what it knew."""
        self._do(self._wires.link_up)
        if self.run("true", check=False).returncode:
            self.power_on()
        self.shell(
            f"systemctl stop {UNIT}; systemctl disable --quiet {UNIT}; systemctl reset-failed; rm -rf {STATE}/*"
            " /etc/ttcs-edge/identit* /etc/ttcs-edge/station.yaml /etc/ttcs-edge/trust/*"
        )
        eventually(lambda: not self.closed())

    def crash_kernel(self) -> int:
        """A panic that nothing but the hardware watchdog ends."""
        at_ns = time.monotonic_ns()
        self.run("sh", "-c", "echo 0 >/proc/sys/kernel/panic; nohup sh -c 'echo c >/proc/sysrq-trigger' &", check=False)
        self._crashed_ns = at_ns
        return at_ns

    def restarted_ns(self) -> int | None:
        """With the restart all lines are as at power-on: what is seen here is that every relay opened."""
        opened = [change.at_ns for change in self.changes(self._crashed_ns) if not change.closed]
        return max(opened) if opened and not self.closed() else None
