"""Programs of the system that are asked: what they say, and that they may not be there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

PROGRAM_S: Final = 4.0
"""How long one may take."""


class Said(Struct, frozen=True):
    """What a program left behind. ``code`` is None for one that is not there, or took too long."""

    code: int | None
    out: str = ""
    error: str = ""


Run = Callable[[Sequence[str]], Said]


def run(command: Sequence[str]) -> Said:
    """Run a program, without a shell, in no language of this machine's."""
    if shutil.which(command[0]) is None:
        return Said(None, error=command[0])
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "SYSTEMD_COLORS": "0"}
    try:
        done = subprocess.run(  # noqa: S603 (a table of commands, no shell)
            command, capture_output=True, timeout=PROGRAM_S, env=environment, stdin=subprocess.DEVNULL
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        return Said(None, error=str(error))
    return Said(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
