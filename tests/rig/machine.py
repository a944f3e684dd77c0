"""A pole's computer: Debian with its own systemd in a container, on this machine's network, thrown away afterwards.

It is made of layers, one above the other (overlayfs): ``bare`` is a minimal Debian that knows nothing of the product,
``installed`` is what the first ``make install`` put on it, and the topmost is the test's own. The lower two are kept in
a cache: the first for ever, the second for as long as what is installed with it is the same.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from tests.parts import eventually

TOP = Path(__file__).parents[2]
CACHE = Path(os.environ.get("RIG_CACHE", "/var/cache/ttcs-edge-rig"))
BARE_PACKAGES = "systemd,systemd-sysv,dbus,ca-certificates,make"
CHECKOUT = "/root/ttcs-edge"
REACH = (
    "/etc/pip.conf",
    "/etc/ssl/certs/ca-certificates.crt",
    *map(str, Path("/etc/apt/apt.conf.d").glob("*registry")),
)
"""What lets this machine reach its package registries, if it has such settings."""
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
} | {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy") or name == "PIP_CERT"}
CALLS = "bpf landlock_create_ruleset landlock_add_rule landlock_restrict_self"
"""What a machine has and a container by itself has not: a systemd that holds units to their devices, and Landlock."""
REBOOT_CODE = 133
"""What systemd-nspawn leaves with when the machine in it wants to be started again."""


class Machine:
    """One container over some layers. ``root`` is its file system as seen from here, ``/run`` and the like excepted."""

    def __init__(self, folder: Path, layers: Sequence[Path]) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.own = folder / "own"
        for name in ("root", "own", "work"):
            (folder / name).mkdir(parents=True)
        lower = ":".join(str(layer) for layer in layers)
        options = f"volatile,lowerdir={lower},upperdir={self.own},workdir={folder / 'work'}"  # nothing waits for a disk
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, self.root], check=True)
        self.release = layers[-1].name
        self.told_last = ""
        self.binds: dict[str, str] = {}
        """What of this machine is shown to it from its next boot on, and where."""
        self._nspawn: subprocess.Popen[bytes] | None = None

    @property
    def is_off(self) -> bool:
        """Whether it is switched off."""
        return self._nspawn is None

    @property
    def leader(self) -> int:
        """The process id, on this machine, of the systemd in there."""
        assert self._nspawn is not None
        pid = self._nspawn.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def boot(self) -> None:
        """Switch it on and wait until its systemd has started all it should."""
        command = ["systemd-nspawn", "--quiet", "-D", str(self.root), "--boot", "--register=no", "--keep-unit"]
        options = [f"--machine={self.folder.name}", "--console=pipe", "--resolv-conf=copy-host", "--link-journal=no"]
        options += ["--capability=CAP_BPF", f"--system-call-filter={CALLS}"]
        options += [f"--bind={here}:{there}" for here, there in self.binds.items()]
        with (self.folder / "console").open("ab") as console:
            self._nspawn = subprocess.Popen(
                [*command, *options],
                env=os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        eventually(self._is_up, 30)

    def _is_up(self) -> bool:
        assert self._nspawn is not None and self._nspawn.poll() is None, (self.folder / "console").read_text()
        with suppress(FileNotFoundError, IndexError):
            return self.run("systemctl", "is-system-running", check=False).stdout.strip() in ("running", "degraded")
        return False

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in there, as root."""
        inside = ["nsenter", "-t", str(self.leader), "-a", "env", "-i", *(f"{k}={v}" for k, v in ENVIRONMENT.items())]
        done = subprocess.run([*inside, *command], capture_output=True, text=True)
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def shell(self, script: str) -> str:
        """Run a shell script in there, as root; gives what it printed."""
        return self.run("sh", "-euc", script).stdout

    def install(self) -> None:
        """Run ``make install`` from the checkout in there; ``told_last`` is what it told the technician."""
        self.told_last = self.shell(f"cd {CHECKOUT} && make install")

    def kill(self, pid: int, number: int) -> int:
        """Send a signal to a process by its id in there; gives when, in ns of the monotonic clock, which is shared."""
        outside = next(host for host, inside in self._processes() if inside == pid)
        now_ns = time.monotonic_ns()
        os.kill(outside, number)
        return now_ns

    def _processes(self) -> Iterator[tuple[int, int]]:
        """Every process in there: its id here, and its id there."""
        space = os.readlink(f"/proc/{self.leader}/ns/pid")
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended, or is not ours to see
                if os.readlink(folder / "ns/pid") == space:
                    fields = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines())
                    yield int(folder.name), int(fields["NSpid"].split()[-1])

    def journal(self, unit: str, since_s: float) -> list[dict[str, Any]]:
        """What the journal holds of a unit since an instant of the wall clock, oldest first."""
        done = self.run("journalctl", "--unit", unit, f"--since=@{since_s:.6f}", "--output=json", "--all", "--no-pager")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def reboot(self) -> None:
        """Reboot as a technician does, and wait until it is up again."""
        self.run("systemctl", "reboot")
        assert self._ended() == REBOOT_CODE
        self.boot()

    def power_off(self) -> None:
        """Switch it off as a technician does."""
        self.run("systemctl", "poweroff")
        assert self._ended() == 0

    def cut_power(self) -> None:
        """End everything in there at once."""
        os.kill(self.leader, signal.SIGKILL)
        self._ended()

    def _ended(self) -> int:
        assert self._nspawn is not None
        code = self._nspawn.wait(30)
        self._nspawn = None
        return code

    def close(self) -> None:
        """Switch it off, in whatever state it is, and let its layers go."""
        if self._nspawn is not None:
            with suppress(FileNotFoundError, IndexError):
                os.kill(self.leader, signal.SIGKILL)
            self._ended()
        if self.root.is_mount():
            subprocess.run(["umount", self.root], check=True)


@contextmanager
def machine(folder: Path, layers: Sequence[Path]) -> Iterator[Machine]:
    """A machine over some layers, running; it and its own layer are gone afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    made = Machine(folder, layers)
    try:
        made.boot()
        yield made
    finally:
        made.close()
        shutil.rmtree(folder)


_held: list[IO[str]] = []
"""What this run holds the cache by."""


@contextmanager
def alone() -> Iterator[None]:
    """Hold the cache against other runs: two containers of one name would share their control groups. Within a run it
    may be held more than once, for a container each, of a name of its own.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as file:
        if not _held:
            fcntl.flock(file, fcntl.LOCK_EX)
        _held.append(file)
        try:
            yield
        finally:
            _held.remove(file)


def put_checkout(root: Path) -> None:
    """Copy what a release would hold: every file that git keeps or would."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=TOP, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in names:
        if (TOP / name).is_file():
            target = root / CHECKOUT[1:] / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / name, target)


def bare(release: str) -> Path:
    """The layer of a minimal Debian, made once."""
    layer = CACHE / release
    if not layer.exists():
        part = CACHE / f"{release}.part"
        shutil.rmtree(part, ignore_errors=True)
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={BARE_PACKAGES}", "--format=directory"]
        subprocess.run([*command, release, str(part)], check=True)
        for name in REACH:
            if Path(name).exists():
                (part / name[1:]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(name, part / name[1:])
        part.rename(layer)
    return layer


def installed(release: str) -> Path:
    """The layer that the first ``make install`` puts on a bare machine, made once for each state of the lock."""
    content = b"".join((TOP / name).read_bytes() for name in ("systemd/install", "requirements-run.lock"))
    layer = CACHE / f"{release}-installed-{hashlib.sha256(content).hexdigest()[:12]}"
    if not layer.exists():
        for old in CACHE.glob(f"{release}-installed-*"):
            shutil.rmtree(old)
        with machine(CACHE / f"{release}-installing", [bare(release)]) as first:
            put_checkout(first.root)
            first.install()
            first.run("rm", "-r", CHECKOUT)
            first.power_off()
            first.close()
            first.own.rename(layer)
    return layer
