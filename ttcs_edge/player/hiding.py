"""The player hides from itself what it has no use for: what decodes strangers' files must not read the station's key.

As a child of the daemon's it is of its unit and its user, so it could read the credentials, and the daemon's memory; in
a unit of its own (decision 37) it has neither before its eyes.
Landlock (linux/landlock.h, Linux 5.13) takes both from a process that asks for it, for ever. It knows no "all but", so
everything beside the way to the hidden folder is allowed. A kernel without it hides nothing.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ttcs_edge.player.bounds import PR_SET_NO_NEW_PRIVS

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""The numbers of these calls, the same on every processor; no libc has names for them."""
PATH_BENEATH = 1
READ_FILE = 1 << 2


def hide(folder: Path) -> bool:
    """Never read what is below a folder from here on, nor whatever the other processes have in their memory.

    For the calling thread, and all that it starts from now on. False where the kernel cannot.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    handled = struct.pack("Q", READ_FILE)
    ruleset = libc.syscall(CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), 0)
    if ruleset < 0:
        return False
    try:
        for path in beside(folder.resolve()):
            with suppress(OSError):  # it is gone, or may not be looked at anyhow
                _allow(libc, ruleset, path)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return bool(libc.syscall(RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def beside(folder: Path) -> Iterator[Path]:
    """Everything beside the way from the root to a folder."""
    way = {folder, *folder.parents}
    for parent in folder.parents:
        with suppress(OSError):
            yield from (path for path in parent.iterdir() if path not in way and not path.is_symlink())


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path) -> None:
    beneath = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        libc.syscall(ADD_RULE, ruleset, PATH_BENEATH, struct.pack("=Qi", READ_FILE, beneath), 0)
    finally:
        os.close(beneath)
