"""What ``--fix`` does: a table of what is safe to mend by a command, and nothing else.

Safe is what changes neither what airs nor who is believed: a folder, a right, the service's being there. Each command
is shown as it is run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from ttcs_edge.doctor.finding import Finding, Level
from ttcs_edge.doctor.programs import Run, Said
from ttcs_edge.doctor.service import UNIT
from ttcs_edge.named_files import USER

Command = tuple[str, ...]
Fields = Mapping[str, str]

MENDS: Final[Mapping[str, Callable[[Fields], Sequence[Command]]]] = {
    "unit-not-running": lambda _: [("systemctl", "reset-failed", UNIT), ("systemctl", "start", UNIT)],
    "unit-not-enabled": lambda _: [("systemctl", "enable", UNIT)],
    "clock-ntp-off": lambda _: [("timedatectl", "set-ntp", "true")],
    "no-plugin-cache": lambda fields: [_cache_command(fields)],
    "old-plugin-cache": lambda fields: [_cache_command(fields)],
    "key-exposed": lambda fields: [("chmod", "o-rwx", fields["found"])],
    "folder-missing": lambda fields: [
        ("install", "-d", "-m", "0750", "-o", USER, "-g", USER, fields["found"]),
    ],
    "folder-closed": lambda fields: [("chown", f"{USER}:{USER}", fields["found"]), ("chmod", "u+rwx", fields["found"])],
    "mixer-muted": lambda fields: [("amixer", "-D", fields["card"], "sset", fields["control"], "80%", "unmute")],
}


def _cache_command(fields: Fields) -> Command:
    folder = Path(fields["folder"])
    return (str(folder.parent / "vlc-cache-gen"), str(folder))


def mend(findings: Iterable[Finding], run: Run) -> Iterator[tuple[Command, Said]]:
    """Mend what can be, and tell each command with what became of it."""
    for one in findings:
        if one.level in (Level.RED, Level.YELLOW) and not one.told and (commands := MENDS.get(one.code)) is not None:
            for command in commands(one.fields):
                yield command, run(command)
