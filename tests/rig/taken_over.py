"""A player that was taken over, in its unit: Python's ``sitecustomize`` there. It plays until the file ``now`` appears
beside this one, then does the worst it can, tells of it in one JSON object, and hangs.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

NOW = Path(__file__).with_name("now")
FORKS, SPINNING = 500, 3
PIDS = range(1, 3_000)
CHUNK_BYTES = 16 * 1024 * 1024
_fork = os.fork


def fork() -> int:
    """What the keeper calls: what it keeps will be somebody else's."""
    pid = _fork()
    if pid == 0:
        threading.Thread(target=_wait, args=(NOW.exists(),), daemon=True).start()
    return pid


os.fork = fork


def _wait(too_late: bool) -> None:
    while not too_late and not NOW.exists():
        time.sleep(0.05)  # whoever took a player over acts when the test says so, by a file: nothing else reaches it
    if not too_late:
        _act()


def _act() -> None:
    keeper = os.getppid()
    told: dict[str, object] = {"keeper traced": _can_write(keeper), "keeper stopped": _signal(keeper, signal.SIGSTOP)}
    told |= {"forks": _forks(), "bytes": _memory()}
    own = {os.getpid(), keeper}
    told["signalled"] = [pid for pid in PIDS if pid not in own and _signal(pid, 0) and not _is_child(pid)]
    print(json.dumps(told), file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)


def _can_write(pid: int) -> bool:
    try:
        os.close(os.open(f"/proc/{pid}/mem", os.O_RDWR))
    except OSError:
        return False
    return True


def _signal(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except OSError:
        return False
    return True


def _forks() -> int:
    """Processes that no death of a parent ends, and that no polite signal does; some of them only reckon."""
    made = 0
    with suppress(OSError):
        for made in range(FORKS):
            if _fork() == 0:
                ctypes.CDLL(None).prctl(1, 0)
                os.setsid()
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                while made < SPINNING:
                    pass
                while True:
                    time.sleep(60)  # it is there for the service manager to kill, and nobody waits for it
    return made


def _memory() -> int:
    held: list[bytearray] = []
    with suppress(MemoryError):
        while len(held) < 1_000:
            held.append(bytearray(CHUNK_BYTES))
    return len(held) * CHUNK_BYTES


def _is_child(pid: int) -> bool:
    with suppress(OSError):
        return f"\nPPid:\t{os.getpid()}\n" in Path(f"/proc/{pid}/status").read_text()
    return False
