"""What a bench is: one station and its pole, all of it seen and touched from outside, however it is made.

Scenarios (``test_scenarios.py``) speak to this alone, so that the same ones run on a container, on a virtual machine
with a kernel of its own, and on a Raspberry Pi with wires. Which bench there is and what it has stands in a file of
``benches/``; a scenario that needs what a bench has not is skipped with the reason that stands in that file.

Every instant is one of this machine's monotonic clock, in nanoseconds.
"""

from __future__ import annotations

import subprocess
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
import yaml

from tests.drivers.modems import Mobile
from ttcs_edge.training.boards import Boards

BENCHES = Path(__file__).with_name("benches")
AMPLIFIER = "amplifier"
ZONES = {"cho-xa": 17, "buon-go": 27, "thon-1": 22, "thon-2": 23, "thon-3": 24, "thon-4": 25}
RELAYS = {AMPLIFIER: 16} | ZONES
"""Every relay of the station under test, and its line."""
WINDOW_MS = 100
"""Sound is heard by tenths of a second."""
QUIET_DB = -60.0
"""What is less loud counts as no sound."""


class Lacks(Exception):
    """A bench has not what a scenario needs: it is skipped."""


class Kind(StrEnum):
    """Of what a bench is made."""

    CONTAINER = "container"
    EMULATOR = "emulator"
    BOARD = "board"


class Wires(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a real bench is reached: commands of this machine, and which of its lines (BCM) feels which relay's contact.

    ``reach`` is put before what the station should run; ``listen`` writes mono samples of 16 bit at 48 kHz, raw.
    """

    reach: str
    power_on: str
    power_off: str
    inputs: dict[str, int]
    listen: str
    serial: str
    link_cut: str
    link_slow: str
    link_up: str
    root: str = "/"


class Setup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of ``benches/``.

    ``has``: the resources, by the names that scenarios ask for. ``lacks``: why one is not there, as (Vietnamese,
    English). ``station``: what stands in its ``station.yaml`` for what this bench is made of. ``hung_to_open_s``:
    within which time a hung daemon's relays must be open here; where it is more than the product promises on a board,
    ``because`` says why. ``slow``: how many times longer than on a board things may take.
    """

    kind: Kind
    release: str
    broker_host: str
    has: tuple[str, ...]
    station: dict[str, Any]
    lacks: dict[str, tuple[str, str]] = {}
    hung_to_open_s: float = 10.0
    slow: float = 1.0
    because: str = ""
    wires: Wires | None = None


def read_setup(name: str) -> Setup:
    """A bench by the name of its file. Raises Lacks where there is none such here."""
    path = BENCHES / f"{name}.yaml"
    if not path.exists():
        raise Lacks(f"chưa có {path.name}, xem firmware_notes/real-bench.md / there is no {path.name} here, see there")
    return msgspec.convert(yaml.safe_load(path.read_text()), Setup)


@dataclass(frozen=True)
class Change:
    """A relay that moved."""

    subject: str
    closed: bool
    at_ns: int


@dataclass(frozen=True)
class Heard:
    """A tenth of a second of sound: from when, how loud (RMS, dB of full scale), how high (by its zero crossings)."""

    at_ns: int
    rms_db: float
    hertz: int


class Link(StrEnum):
    """How the link between station and centre is."""

    UP = "up"
    SLOW = "slow"
    CUT = "cut"


class Bench(ABC):
    """One station on one machine. What has no body here each kind of bench must have."""

    def __init__(self, name: str, setup: Setup) -> None:
        self.name = name
        self.setup = setup

    def need(self, *resources: str) -> None:
        """Raise Lacks unless everything is there."""
        for resource in resources:
            if resource not in self.setup.has:
                raise Lacks(f"{self.name}: " + " / ".join(self.setup.lacks.get(resource, (f"no {resource}",))))

    # the machine

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Kernel, systemd and Debian release of the machine."""

    @abstractmethod
    def power_on(self) -> None:
        """Switch it on, and wait until its service manager answers."""

    @abstractmethod
    def cut_power(self) -> None:
        """Take the power away."""

    @abstractmethod
    def wait_until_up(self, timeout_s: float) -> None:
        """Wait until its service manager answers again after it started anew by itself."""

    @abstractmethod
    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command there, as root. Text in, text out."""

    @abstractmethod
    def put(self, folder: Path) -> None:
        """Lay a tree of files over its file system, as root's."""

    @abstractmethod
    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Ask the daemon at its control socket; empty while it does not answer."""

    @abstractmethod
    def signal(self, pid: int, number: int) -> int:
        """Send a signal to a process there; gives when."""

    @abstractmethod
    def close(self) -> None:
        """Switch it off, and leave nothing behind."""

    # what is seen and heard

    @abstractmethod
    def changes(self, since_ns: int) -> list[Change]:
        """Every relay that moved since then, in order."""

    @abstractmethod
    def heard(self, since_ns: int) -> list[Heard]:
        """Every tenth of a second since then in which there was a sound, in order."""

    def closed(self) -> frozenset[str]:
        """The relays that are closed now."""
        last = {change.subject: change.closed for change in self.changes(0)}
        return frozenset(subject for subject, closed in last.items() if closed)

    # what is done to it

    @abstractmethod
    def link(self, state: Link) -> None:
        """Cut its link, make it slow, or mend it."""

    @abstractmethod
    def boards(self) -> Boards:
        """What hangs on its RS-485 line."""

    def broker_port(self, port: int) -> int:
        """At which port the station reaches a broker that listens here at a port."""
        return port

    def modem(self) -> Mobile:
        """The modem at its serial port; what goes through it is the ``link``'s."""
        raise Lacks(self.name)

    @abstractmethod
    def fresh(self) -> None:
        """Make good what a scenario may have done to card, sound and lines."""

    def crash_kernel(self) -> int:
        """Have the kernel hang; gives when."""
        raise Lacks(self.name)

    def restarted_ns(self) -> int | None:
        """When the hardware last started the machine anew by itself."""
        raise Lacks(self.name)

    def break_card(self) -> None:
        """Have the card's file system meet an error."""
        raise Lacks(self.name)

    def fill_card(self) -> None:
        """Have somebody else's files take all that is left of the card."""
        raise Lacks(self.name)

    def empty_card(self) -> None:
        """Take them away."""
        raise Lacks(self.name)

    def change_board(self) -> None:
        """Put its card into another board of the kind, and switch that on."""
        raise Lacks(self.name)

    def set_clock(self, ahead_s: float) -> None:
        """Set its wall clock so far ahead of this machine's."""
        raise Lacks(self.name)

    def unplug_sound(self) -> None:
        """Pull the sound card out."""
        raise Lacks(self.name)

    def plug_sound(self) -> None:
        """Put it back."""
        raise Lacks(self.name)

    def keep_lines(self, keep: bool) -> None:
        """Have lines keep their level when a process lets them go, as on Raspberry Pi OS, or fall back."""
        if not keep:
            raise Lacks(self.name)

    def shell(self, script: str) -> str:
        """Run a shell script there, as root; gives what it printed."""
        return self.run("sh", "-euc", script).stdout
