"""A virtual machine in QEMU: begun, killed, asked through its monitor (QMP), and spoken to through the rig's agent."""

from __future__ import annotations

import json
import queue
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from tests.parts import eventually, listens
from tests.rig.image import Image

BOOT_S = 300.0
ANSWER_S = 300.0
APPEND = "root=/dev/vda rw console=ttyS0 mitigations=off panic=0"
AGENT, MONITOR, SERIAL = "agent.sock", "qmp.sock", "rs485.sock"
TPM = "tpm.sock"
TPM_STATE = "tpm"
TPM_GONE_S = 10.0


class Gone(Exception):
    """The machine went away while it was asked."""


class Lines:
    """A socket of QEMU's on which each line is a JSON object."""

    def __init__(self, path: Path, heard: Callable[[dict[str, Any]], None]) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        eventually(lambda: self._socket.connect_ex(str(path)) == 0)
        self._heard = heard
        threading.Thread(target=self._read, daemon=True).start()

    def say(self, **words: Any) -> None:
        """Write a line."""
        self._socket.sendall(json.dumps(words).encode() + b"\n")

    def _read(self) -> None:
        with suppress(OSError), self._socket.makefile("rb") as stream:
            for line in stream:
                with suppress(ValueError):  # half a line of a machine that was reset
                    self._heard(json.loads(line))
        self._socket.close()


class Emulator:
    """One machine with its disk; what it told since it was made. ``heard`` is given each line of the agent."""

    def __init__(self, image: Image, card: Path, folder: Path, heard: Callable[[dict[str, Any]], None]) -> None:
        self._folder = folder
        self._heard = heard
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: dict[int, queue.SimpleQueue[dict[str, Any] | None]] = {}
        self._number = 0
        self._hello = threading.Event()
        self.events: list[tuple[int, str]] = []
        """What the monitor told, and when."""
        disk = folder / "disk.qcow2"
        overlay: list[str | Path] = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", image.disk, "-F", "raw", disk]
        subprocess.run(overlay, check=True)
        self._command: list[str | Path] = [
            "qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024",
            "-nodefaults", "-display", "none", "-no-user-config", "-rtc", "base=utc,clock=host",
            "-kernel", image.kernel, "-initrd", image.initrd, "-append", APPEND,
            "-drive", f"file={disk},if=none,id=d0,format=qcow2", "-device", "virtio-blk-pci,drive=d0",
            "-drive", f"file={card},if=none,id=d1,format=raw", "-device", "virtio-blk-pci,drive=d1",
            "-netdev", "user,id=n0", "-device", "virtio-net-pci,netdev=n0,id=net0",
            "-chardev", f"socket,id=a0,path={folder / AGENT},server=on,wait=off",
            "-device", "virtio-serial-pci", "-device", "virtserialport,chardev=a0,name=rig",
            "-chardev", f"file,id=c0,path={folder / 'console.log'},append=on", "-device", "isa-serial,chardev=c0",
            "-chardev", f"socket,id=s1,path={folder / SERIAL},server=on,wait=off", "-device", "isa-serial,chardev=s1",
            "-chardev", f"socket,id=t0,path={folder / TPM}", "-tpmdev", "emulator,id=tpm0,chardev=t0",
            "-device", "tpm-tis,tpmdev=tpm0",
            "-qmp", f"unix:{folder / MONITOR},server=on,wait=off", "-device", "i6300esb", "-action", "watchdog=reset",
        ]  # fmt: skip

    @property
    def serial(self) -> Path:
        """The socket at the other end of its serial port."""
        return self._folder / SERIAL

    def power_on(self) -> None:
        """Begin it, and wait until the agent is there."""
        self._hello.clear()
        with (self._folder / "qemu.log").open("ab") as log:
            self._begin_tpm(log)
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        self._agent = Lines(self._folder / AGENT, self._take)
        self._monitor = Lines(self._folder / MONITOR, self._told)
        self._monitor.say(execute="qmp_capabilities")
        self.wait_for_agent(BOOT_S)

    def wait_for_agent(self, timeout_s: float) -> None:
        """Wait until the agent has said that it is there."""
        assert self._hello.wait(timeout_s), (self._folder / "console.log").read_text(errors="replace")[-2_000:]

    def kill(self) -> None:
        """Take the power away."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._process = None
        self._tpm.wait(TPM_GONE_S)
        self._hello.clear()
        self._forget()

    def take_tpm(self) -> None:
        """The machine, which is off, has another TPM from now on."""
        assert self.is_off
        shutil.rmtree(self._folder / TPM_STATE)

    def _begin_tpm(self, log: IO[bytes]) -> None:
        """A chip of its own, which goes when the machine goes and keeps its secrets."""
        state, door = self._folder / TPM_STATE, self._folder / TPM
        state.mkdir(exist_ok=True)
        door.unlink(missing_ok=True)
        chip = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--ctrl", f"type=unixio,path={door}"]
        self._tpm = subprocess.Popen([*chip, "--terminate"], stdout=log, stderr=log)
        eventually(lambda: listens(door))

    @property
    def is_off(self) -> bool:
        """Whether it has no power."""
        return self._process is None

    def monitor(self, command: str, **arguments: Any) -> None:
        """Have the monitor do something."""
        self._monitor.say(execute=command, arguments=arguments)

    def ask(self, **told: Any) -> dict[str, Any]:
        """Have the agent do something, and give its answer. Raises Gone when the machine went away."""
        number, answer = self.tell(**told)
        try:
            found = answer.get(timeout=ANSWER_S)
        finally:
            self._answers.pop(number, None)
        if found is None:
            raise Gone(str(told)[:200])
        return found

    def tell(self, **told: Any) -> tuple[int, queue.SimpleQueue[dict[str, Any] | None]]:
        """Have the agent do something."""
        self._number += 1
        number = self._number
        answer: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._answers[number] = answer
        if self.is_off:
            answer.put(None)
        else:
            self._agent.say(id=number, **told)
        return number, answer

    def _take(self, line: dict[str, Any]) -> None:
        if "hello" in line:
            self._forget()
        if "id" in line:
            answer = self._answers.get(line["id"])
            if answer is not None:
                answer.put(line)
            return
        self._heard(line)
        if "hello" in line:
            self._hello.set()

    def _told(self, line: dict[str, Any]) -> None:
        if "event" in line:
            self.events.append((time.monotonic_ns(), line["event"]))
            if line["event"] == "WATCHDOG":
                self._hello.clear()
                self._heard({"reset": True, "at_ns": self.events[-1][0]})

    def _forget(self) -> None:
        """Nobody will answer what was asked of a machine that is gone."""
        for answer in list(self._answers.values()):
            answer.put(None)
