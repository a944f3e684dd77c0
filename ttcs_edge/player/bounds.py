"""What a player takes from itself, wherever it runs: what its unit bounds from outside holds in a child of the daemon's
as well, and where the kernel has no memory controller (a Pi with ``cgroup_disable=memory``).
"""

from __future__ import annotations

import ctypes
import resource
import signal

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
DATA_BYTES = 256 * 1024 * 1024
"""How much memory it may have of its own (RLIMIT_DATA; stacks count whole, and the audio it is handed does not). One
that plays has about 60 MiB; a file that makes a decoder ask for more ends the player, and not the machine.
"""


def die_with_parent() -> None:
    """Have the kernel kill this process once the one that began it is gone."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def be_no_ones_to_trace() -> None:
    """Let no process of the same user look into this one, or write into it (ptrace(2), access mode checking)."""
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0)


def keep_within_bounds() -> None:
    """Take no more memory than a player needs, leave no core dump, and get no right that a file would give."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    most = DATA_BYTES if hard == resource.RLIM_INFINITY else min(DATA_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
