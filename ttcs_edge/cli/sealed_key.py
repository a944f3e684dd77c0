"""Where a station's key is kept: sealed by a TPM 2 where there is one, else a file that root alone reads.

Sealed, the key is never on the card: it is made in memory, and what is written opens on this machine alone. Which
software booted is not asked (no PCR): an update of firmware or kernel must not take a village off its link. The unit
``ttcs-edge-key.service`` opens it into memory before the daemon starts; what that cannot open leaves the station
without a link, not without a voice. ``systemd-creds`` could also seal by a key that lies on the same card: that keeps
nobody out who has the card, so it is not done (decision 38).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from ttcs_edge.whole_files import PRIVATE, replace
from ttcs_edge.wire.certificates import new_key

PLAIN: Final = "station.key"
SEALED: Final = "station.key.sealed"
OPENED: Final = Path("/run/ttcs-edge-key") / PLAIN
"""Where the unit's neighbour puts what it opened."""
PROGRAM: Final = "systemd-creds"
SECONDS: Final = 60


class SealError(Exception):
    """A sealed key cannot be opened, or not be sealed; its text says why."""


def make_key(folder: Path) -> bytes:
    """Make a key in a folder, and give it (PEM). Raises OSError, SealError."""
    key = new_key()
    if has_tpm():
        sealed = _run(["encrypt", f"--name={PLAIN}", "--with-key=tpm2", "--tpm2-pcrs=", "-", "-"], key)
        replace(folder / SEALED, sealed, PRIVATE)
        if read_key(folder) != key:
            raise SealError("what was sealed opens as something else")
    else:
        replace(folder / PLAIN, key, PRIVATE)
    return key


def read_key(folder: Path) -> bytes | None:
    """Give the key of a folder; None when there is none. Raises OSError, SealError."""
    if (folder / SEALED).exists():
        return _run(["decrypt", f"--name={PLAIN}", "-", "-"], (folder / SEALED).read_bytes())
    try:
        return (folder / PLAIN).read_bytes()
    except FileNotFoundError:
        return None


def show_key(folder: Path) -> None:
    """Have the unit find the key under one name, however it is kept. Raises OSError."""
    if (folder / SEALED).exists() and not (folder / PLAIN).is_symlink():
        os.symlink(OPENED, folder / PLAIN)


def has_tpm() -> bool:
    """Tell whether this machine has a TPM 2 that firmware, kernel and systemd can use."""
    program = shutil.which(PROGRAM)
    if program is None or os.geteuid() != 0:
        return False
    try:
        words = [program, "has-tpm2", "--quiet"]
        found = subprocess.run(words, capture_output=True, timeout=SECONDS)  # noqa: S603 (a list of words, no shell)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return found.returncode == 0


def _run(words: list[str], data: bytes) -> bytes:
    """Run ``systemd-creds``; the key goes through pipes, never through a file or the list of words."""
    try:
        done = subprocess.run(  # noqa: S603 (a list of words, no shell)
            [PROGRAM, *words], input=data, capture_output=True, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SealError(str(error)) from error
    if done.returncode != 0:
        raise SealError(done.stderr.decode("utf-8", "replace").strip()[-200:])
    return done.stdout
