"""What goes into a support bundle, part by part: what the station answers, what files hold, what programs say.

No part is larger than ``PART_BYTES``; of what grows, the end is kept. A part that cannot be had says why in its place.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from ttcs_edge import __version__
from ttcs_edge.cli.errors import CommandError
from ttcs_edge.cli.looking_back import Ask, newest
from ttcs_edge.cli.version import LIBRARIES, installed
from ttcs_edge.redaction import secrets_in, without_secrets

PART_BYTES: Final = 512 * 1024
PROGRAM_S: Final = 8.0
"""How long one program may take."""
LAST_RECORDS: Final = 500
FILES_LISTED: Final = 2_000
PROGRAMS: Final[dict[str, tuple[str, ...]]] = {
    "journal.txt": ("journalctl", "--no-pager", "--lines=3000", "--output=short-iso", "--unit=ttcs-edge*"),
    "kernel.txt": ("journalctl", "--no-pager", "--lines=1000", "--output=short-iso", "--dmesg"),
    "units.txt": ("systemctl", "--no-pager", "--full", "--lines=0", "status", "ttcs-edge*"),
    "unit-files.txt": ("systemctl", "--no-pager", "cat", "ttcs-edge.service", "ttcs-edge-player@.service"),
    "clock.txt": ("timedatectl", "--no-pager", "show"),
    "disks.txt": ("df", "--human-readable", "--output"),
    "mounts.txt": ("findmnt", "--real", "--noheadings", "--output=TARGET,FSTYPE,OPTIONS"),
    "memory.txt": ("free", "--mega"),
    "network.txt": ("ip", "-brief", "address"),
    "routes.txt": ("ip", "route"),
    "sound-cards.txt": ("cat", "/proc/asound/cards"),
    "serial-ports.txt": ("ls", "-l", "/dev/serial/by-id"),
    "gpio.txt": ("gpiodetect",),
    "processes.txt": ("ps", "-eo", "pid,user,stat,etimes,rss,pcpu,comm", "--sort=-pcpu"),
}
FILES: Final = (
    *("/etc/os-release", "/proc/device-tree/model", "/proc/uptime", "/proc/loadavg", "/proc/cmdline"),
    *("/boot/firmware/config.txt", "/boot/config.txt"),
)
QUESTIONS: Final[dict[str, dict[str, Any]]] = {
    "status.json": {"ask": "status"},
    "schedule.json": {"ask": "schedule", "days": 7},
    "trust.json": {"ask": "trust"},
}


RECORDS: Final = {"as-run.jsonl": "as-run", "faults.jsonl": "fault"}


class Missing(Exception):
    """A part cannot be had; its text says why."""


Part = Callable[[], str]


def parts(ask: Ask, config: Path, state: Path) -> Iterator[tuple[str, Part]]:
    """Every part: the name of its file, and what makes it, which raises Missing, OSError or CommandError."""
    yield "versions.json", _versions
    yield "station.yaml", partial(_tail, config)
    for name, question in QUESTIONS.items():
        yield name, partial(_answered, ask, question)
    for name, kind in RECORDS.items():
        yield name, partial(_told, ask, kind)
    yield "state-files.txt", partial(_listed, state)
    for path in filter(Path.exists, map(Path, FILES)):
        yield f"files{path}", partial(_tail, path)
    for name, command in PROGRAMS.items():
        yield name, partial(_said, command)


def known_secrets(config: Path) -> frozenset[str]:
    """The passwords of a configuration, as far as it can be read: a log may hold one, and not say what it is."""
    try:
        return secrets_in(_tail(config))
    except OSError:
        return frozenset()


def made(part: Part, known: frozenset[str]) -> tuple[bytes, str | None]:
    """A part's bytes, without secrets, and why it is not there; one of the two."""
    try:
        text = without_secrets(part(), known)
    except CommandError as error:
        return b"", error.code
    except (Missing, OSError, ValueError, KeyError, TypeError) as error:
        return b"", str(error)
    data = text.encode(errors="replace")
    return (data if len(data) <= PART_BYTES else data[-PART_BYTES:].partition(b"\n")[2]), None


def _answered(ask: Ask, question: dict[str, Any]) -> str:
    return _json(ask(question))


def _told(ask: Ask, kind: str) -> str:
    return "".join(
        f"{json.dumps(one, ensure_ascii=False)}\n" for one in newest(ask, kind, lambda _: True, LAST_RECORDS)
    )


def _versions() -> str:
    libraries = {name: installed(name) for name in LIBRARIES}
    told = {"ttcs-edge": __version__, "python": platform.python_version(), "machine": platform.machine()}
    return _json(told | {"kernel": platform.release()} | libraries)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        if path.stat().st_size > PART_BYTES:
            file.seek(-PART_BYTES, os.SEEK_END)
            file.readline()  # a line that has lost its beginning may be a secret and no longer say so
        return file.read(PART_BYTES).decode(errors="replace")


def _listed(folder: Path) -> str:
    """Names, sizes and times of what the station keeps; never what is in it."""
    with os.scandir(folder):
        pass  # raises what keeps it shut: rglob would pass over it
    lines = []
    for path in islice(sorted(folder.rglob("*")), FILES_LISTED):
        found = path.lstat()
        lines.append(f"{found.st_mode:o} {found.st_uid} {found.st_size:>12} {found.st_mtime:.0f} {path}")
    return "\n".join(lines) + "\n"


def _said(command: tuple[str, ...]) -> str:
    if shutil.which(command[0]) is None:
        raise Missing(f"{command[0]}: not installed")
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"}
    try:
        done = subprocess.run(  # noqa: S603 (of the table above, no shell)
            command, capture_output=True, timeout=PROGRAM_S, env=environment, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise Missing(f"{command[0]}: {PROGRAM_S:.0f} s") from error
    said = (done.stdout + done.stderr).decode(errors="replace")
    if not said.strip():
        raise Missing(f"{command[0]}: {done.returncode}")
    return said
