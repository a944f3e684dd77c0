"""The bench that is a virtual machine: lines, sound, serial port, card and watchdog are a kernel's."""

from __future__ import annotations

import base64
import io
import json
import socket
import subprocess
import tarfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.parts import eventually
from tests.rig.bench import RELAYS, Bench, Change, Heard, Link, Setup
from tests.rig.emulator import Emulator, Gone
from tests.rig.image import Image, card
from tests.rig.pole import STATE, UNIT
from ttcs_edge.training.boards import Boards

SUBJECTS = {f"gpio{pin}": subject for subject, pin in RELAYS.items()}
SLOW = "tc qdisc replace dev $(ls /sys/class/net | grep -v lo) root netem delay 600ms loss 5%"
JUNK = f"{STATE}/junk"
LOOP = "/sys/bus/platform/drivers/snd_aloop"


class SocketBoards(Boards):
    """Boards and a meter at the other end of a virtual machine's serial port."""

    def __init__(self, path: Path) -> None:
        self._path = path
        super().__init__(path.parent, units=())

    def plug_in(self) -> None:
        """Connect to the port."""
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        eventually(lambda: line.connect_ex(str(self._path)) == 0)
        self._master = line.detach()
        threading.Thread(target=self._serve, args=(self._master,), daemon=True).start()


@dataclass
class Life:
    """From one start of the machine to the next: what its clock is behind this machine's, at the most."""

    behind_ns: int | None = None
    changes: list[tuple[str, bool, int]] = field(default_factory=list)
    heard: list[tuple[int, float, int]] = field(default_factory=list)
    ended_ns: int | None = None

    def here_ns(self, there_ns: int) -> int:
        """An instant of its clock in this machine's: what it told came at once, if it ever did."""
        return there_ns + (self.behind_ns or 0)


class VirtualBench(Bench):
    """In QEMU, with the product installed on its disk."""

    def __init__(self, name: str, setup: Setup, image: Image, folder: Path) -> None:
        super().__init__(name, setup)
        self._lock = threading.Lock()
        self._lives: list[Life] = []
        self._card = folder / "card.raw"
        self._crashed_ns = 0
        self._is_ahead = False
        card(self._card)
        self._emulator = Emulator(image, self._card, folder, self._take)
        self._boards: SocketBoards | None = None
        try:
            self.power_on()
        except BaseException:
            self.close()
            raise

    def versions(self) -> dict[str, str]:
        """Its own."""
        return {
            "kernel": self.run("uname", "-r").stdout.strip(),
            "systemd": self.run("systemctl", "--version").stdout.split()[1],
            "debian": self.run("cat", "/etc/debian_version").stdout.strip(),
        }

    def power_on(self) -> None:
        """Boot it."""
        self._emulator.power_on()
        boards, self._boards = self._boards, SocketBoards(self._emulator.serial)
        if boards is not None:  # the same ones, at the same line
            self._boards.meters, self._boards.habit = boards.meters, boards.habit

    def cut_power(self) -> None:
        """Kill it: what the guest's kernel had not yet written is lost."""
        self._emulator.kill()
        self._end(time.monotonic_ns())

    def wait_until_up(self, timeout_s: float) -> None:
        """Wait for the agent."""
        self._emulator.wait_for_agent(timeout_s)

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Through the agent."""
        found = self._emulator.ask(run=list(command))
        assert not check or found["code"] == 0, f"{command}: {found['code']}\n{found['out']}{found['err']}"
        return subprocess.CompletedProcess(command, found["code"], found["out"], found["err"])

    def put(self, folder: Path) -> None:
        """As a tar."""

        def roots(entry: tarfile.TarInfo) -> tarfile.TarInfo:
            entry.uid = entry.gid = 0
            entry.uname = entry.gname = "root"
            return entry

        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as tree:
            tree.add(folder, ".", filter=roots)
        found = self._emulator.ask(put=base64.b64encode(packed.getvalue()).decode())
        assert found["code"] == 0, found["err"]

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Through the agent."""
        with suppress(Gone, ValueError):
            answer = json.loads(self._emulator.ask(ask=question)["out"])
            return dict(answer["answer"]) if answer.get("ok") else {}
        return {}

    def signal(self, pid: int, number: int) -> int:
        """Through the agent; when it was sent for."""
        at_ns = time.monotonic_ns()
        self.shell(f"kill -{number} {pid}")
        return at_ns

    def close(self) -> None:
        """Switch it off."""
        if not self._emulator.is_off:
            self._emulator.kill()

    # what is seen and heard

    def _take(self, line: dict[str, Any]) -> None:
        """A line of the agent."""
        now_ns = time.monotonic_ns()
        if "reset" in line:
            self._end(line["at_ns"])
            return
        with self._lock:
            if "hello" in line:
                self._lives.append(Life())
            if not self._lives:
                return
            life = self._lives[-1]
            there_ns = line["mono_ns"]
            behind_ns = now_ns - there_ns
            life.behind_ns = behind_ns if life.behind_ns is None else min(life.behind_ns, behind_ns)
            if "line" in line:
                life.changes.append((SUBJECTS[line["line"]], bool(line["level"]), there_ns))
            elif "level_db" in line:
                life.heard.append((there_ns, line["level_db"], line["hertz"]))

    def _end(self, at_ns: int) -> None:
        """Without power, or reset, every line is as at power-on: open."""
        with self._lock:
            if self._lives:
                self._lives[-1].ended_ns = at_ns

    def changes(self, since_ns: int) -> list[Change]:
        """What the agent saw, and what the end of a life opened."""
        found = []
        with self._lock:
            for life in self._lives:
                mine = [Change(one, closed, life.here_ns(at_ns)) for one, closed, at_ns in life.changes]
                if life.ended_ns is not None:
                    last = {change.subject: change.closed for change in mine}
                    mine += [Change(one, False, life.ended_ns) for one, closed in last.items() if closed]
                found += [change for change in mine if change.at_ns >= since_ns]
        return found

    def heard(self, since_ns: int) -> list[Heard]:
        """What the agent heard."""
        with self._lock:
            found = [Heard(life.here_ns(at_ns), level, hz) for life in self._lives for at_ns, level, hz in life.heard]
        return [one for one in found if one.at_ns >= since_ns]

    # what is done to it

    def link(self, state: Link) -> None:
        """Pull the cable, or make the line bad by netem."""
        self._emulator.monitor("set_link", name="net0", up=state is not Link.CUT)
        if state is Link.SLOW:
            self.shell(SLOW)

    def boards(self) -> Boards:
        """At its second serial port."""
        assert self._boards is not None
        return self._boards

    def fresh(self) -> None:
        """Forget what it knew, on a good card, with a good link and its sound card in."""
        if self._emulator.is_off:
            self.power_on()
        self._emulator.monitor("set_link", name="net0", up=True)
        if self._is_ahead:
            self.set_clock(0)
        self.shell(
            f"systemctl stop {UNIT}; systemctl disable --quiet {UNIT}; systemctl reset-failed;"
            f"tc qdisc del dev $(ls /sys/class/net | grep -v lo) root 2>/dev/null || true;"
            f"test -e {LOOP}/snd_aloop.0 || echo snd_aloop.0 >{LOOP}/bind;"
            f"if ! touch {STATE}/probe; then umount {STATE}; mkfs.ext4 -qFm0 /dev/vdb; mount {STATE}; fi;"
            f"rm -rf {STATE}/* /run/ttcs-edge/* /etc/ttcs-edge/identit* /etc/ttcs-edge/station.yaml"
            " /etc/ttcs-edge/trust/*"
        )
        self.keep_lines(True)
        eventually(lambda: not self.closed())

    def crash_kernel(self) -> int:
        """A panic that nothing ends: the kernel does nothing any more."""
        self._crashed_ns = time.monotonic_ns()
        self._emulator.tell(run=["sh", "-c", "echo c >/proc/sysrq-trigger"])
        return self._crashed_ns

    def restarted_ns(self) -> int | None:
        """When the watchdog bit, as the monitor told."""
        bites = [at_ns for at_ns, event in self._emulator.events if event == "WATCHDOG" and at_ns > self._crashed_ns]
        return bites[0] if bites else None

    def break_card(self) -> None:
        """The file system meets an error, and turns read-only."""
        self.shell("echo dead >/sys/fs/ext4/vdb/trigger_fs_error")
        assert self.run("touch", f"{STATE}/probe", check=False).returncode != 0

    def fill_card(self) -> None:
        """To the last block."""
        self.shell(
            f"fallocate -l $(df -B1 --output=avail {STATE} | tail -1) {JUNK} || true; cat /dev/zero >>{JUNK} || true"
        )
        assert self.run("sh", "-c", f"echo more >{STATE}/probe", check=False).returncode != 0

    def empty_card(self) -> None:
        """As it was."""
        self.shell(f"rm {JUNK} {STATE}/probe")

    def change_board(self) -> None:
        """Another TPM is all that is seen of another board."""
        self.cut_power()
        self._emulator.take_tpm()
        self.power_on()

    def set_clock(self, ahead_s: float) -> None:
        """By hand. What the machine does once a day would all be done at once, so it is not done at all."""
        self._is_ahead = ahead_s != 0
        self.shell(f"systemctl stop '*.timer'; date -u -s @{time.time() + ahead_s:.3f}")

    def unplug_sound(self) -> None:
        """The card is gone from the bus."""
        self._emulator.tell(run=["sh", "-c", f"echo snd_aloop.0 >{LOOP}/unbind"])  # it returns when all have let go

    def plug_sound(self) -> None:
        """It is back."""
        self.shell(f"while test -e {LOOP}/snd_aloop.0; do sleep 0.1; done; echo snd_aloop.0 >{LOOP}/bind")

    def keep_lines(self, keep: bool) -> None:
        """By the module's parameter."""
        self.shell(f"echo {'Y' if keep else 'N'} >/sys/module/gpio_sim/parameters/keep_outputs")
