"""The enrolment broker of a centre for tests: a real Mosquitto with the files that ``broker-config`` writes."""

from __future__ import annotations

import os
import random
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.parts import MOSQUITTO, eventually
from ttcs_edge.central.broker_rules import DOOR
from ttcs_edge.central.main import main

HOST = "127.0.0.1"


class Door:
    """A running door; the operator is at the next port."""

    def __init__(self, centre: Path) -> None:
        self.centre = centre
        self.port = _two_ports()
        self.folder = centre / "broker"
        self._process: subprocess.Popen[bytes] | None = None
        settings = centre / "centre.yaml"
        text = re.sub(r"^enrol_port: .*$", f"enrol_port: {self.port}", settings.read_text(), flags=re.MULTILINE)
        settings.write_text(text)
        if not (centre / f"servers/{HOST}.crt").exists():
            assert main(["server-certificate", str(centre), HOST]) == 0
        assert main(["broker-config", str(centre), "--broker", HOST, "--at", str(self.folder)]) == 0
        more = f"log_dest file {self.log}\nlog_type all\n" + ("user root\n" if os.geteuid() == 0 else "")
        self.config = self.folder / "for-the-test.mosquitto"
        self.config.write_text((self.folder / DOOR).read_text().replace("allow_anonymous", f"{more}allow_anonymous"))

    @property
    def log(self) -> Path:
        """What it did."""
        return self.centre / "door.log"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def listens_at(self) -> set[int]:
        """The ports at which it listens, of every address."""
        folder = Path(f"/proc/{self.pid}")
        held = {os.readlink(fd) for fd in (folder / "fd").iterdir() if fd.is_symlink()}
        lines = [line.split() for name in ("tcp", "tcp6") for line in (folder / "net" / name).read_text().splitlines()]
        return {
            int(line[1].rpartition(":")[2], 16) for line in lines if line[3] == "0A" and f"socket:[{line[9]}]" in held
        }

    def start(self) -> None:
        """Start, and wait until it accepts connections."""
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(self.config)], stderr=subprocess.DEVNULL)
        eventually(self._is_open)

    def _is_open(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"the door's Mosquitto ended: {self._process.returncode} {self.log.read_text()}")
        return all(_accepts(port) for port in (self.port, self.port + 1))

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def door_of(centre: Path) -> Iterator[Door]:
    """A door that is open while the block runs."""
    door = Door(centre)
    door.start()
    try:
        yield door
    finally:
        door.stop()


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _two_ports() -> int:
    """A free port whose next one is free, too, below those that connections are given."""
    while True:
        port = random.randrange(20_000, 32_000, 2)
        if not _accepts(port) and not _accepts(port + 1):
            return port
