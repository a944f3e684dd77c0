"""Where a station's key is kept: sealed by a TPM 2 where there is one, else a file that root alone reads.

Sealed, the key is never on the card: it is made in memory, and what is written opens on this machine alone. Which
software booted is not asked: an update of firmware or kernel must not take a village off its link. The unit
``ttcs-edge-key.service`` opens it into memory before the daemon starts; what that cannot open leaves the station
without a link, not without a voice. ``systemd-creds`` could also seal by a key that lies on the same card: that keeps
nobody out who has the card, so it is not done (decision 38).
"""

from __future__ import annotations

import os
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
TPM: Final = Path("/dev/tpmrm0")
"""Where the kernel has a TPM 2 for more than one user at a time."""
UNUSED_PCR: Final = 16
"""Debug: nought at every start (UAPI.7, Linux TPM PCR Registry). What systemd 252 seals without any PCR
it does not open again."""
SECONDS: Final = 60


class SealError(Exception):
    """A sealed key cannot be opened, or not be sealed; its text says why."""


def make_key(folder: Path) -> bytes:
    """Make a key in a folder, and give it (PEM). Raises OSError, SealError."""
    key = new_key()
    if has_tpm():
        sealed = _run(["encrypt", f"--name={PLAIN}", "--with-key=tpm2", f"--tpm2-pcrs={UNUSED_PCR}", "-", "-"], key)
        if _opened(sealed) != key:
            raise SealError("what was sealed opens as something else")
        replace(folder / SEALED, sealed, PRIVATE)
    else:
        replace(folder / PLAIN, key, PRIVATE)
    return key


def read_key(folder: Path) -> bytes | None:
    """Give the key of a folder; None when there is none. Raises OSError, SealError."""
    if (folder / SEALED).exists():
        return _opened((folder / SEALED).read_bytes())
    try:
        return (folder / PLAIN).read_bytes()
    except FileNotFoundError:
        return None


def show_key(folder: Path) -> None:
    """Have the unit find the key under one name, however it is kept. Raises OSError."""
    if (folder / SEALED).exists() and not (folder / PLAIN).is_symlink():
        os.symlink(OPENED, folder / PLAIN)


def has_tpm() -> bool:
    """Tell whether this machine's kernel has a TPM 2, and whoever asks may use it.

    ``systemd-creds has-tpm2`` wants one that the firmware knows, too: that of a Raspberry Pi knows of none.
    """
    return TPM.exists() and os.geteuid() == 0


def _opened(sealed: bytes) -> bytes:
    return _run(["decrypt", f"--name={PLAIN}", "-", "-"], sealed)


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
