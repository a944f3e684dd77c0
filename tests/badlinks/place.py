"""A place on the network: a namespace of its own, in which what is run sees nothing of this machine's network.

A namespace here has no name and nobody keeps it: it is a thread's, and of the processes and threads that were begun
on that thread. When they have ended it is gone, with its addresses and routes, however the test ended.
"""

from __future__ import annotations

import ctypes
import os
import queue
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
NEW_MOUNTS, NEW_NETWORK = 0x00020000, 0x40000000
PRIVATE_AND_ALL_BELOW, BIND = 0x40000 | 0x4000, 0x1000
TUN = Path("/dev/net/tun")
_libc = ctypes.CDLL(None, use_errno=True)


def why_not() -> str | None:
    """What this machine lacks for places of its own; None when nothing."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    try:
        place = Place()
        place.run(lambda: os.close(os.open(TUN, os.O_RDWR)))
        place.close()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"no network of its own: {error}"
    return None


class Place:
    """Runs what it is given in a network of its own; threads and processes begun there stay there."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._live, name="place", daemon=True)
        self._thread.start()
        self.run(_move_out)

    def run(self, what: Callable[[], T]) -> T:
        """Do something there, and give what it gives."""
        future: Future[T] = Future()
        self._work.put((future, what))
        return future.result(60)

    def ip(self, words: str) -> None:
        """Run ``ip`` there."""
        self.run(lambda: subprocess.run(["ip", *words.split()], check=True))

    def resolve_by(self, resolver: Path) -> None:
        """Have everything that is begun there from now on look names up as a file of this resolv.conf says."""
        self.run(lambda: _mount(str(resolver), "/etc/resolv.conf", BIND))

    def close(self) -> None:
        """Leave: what was begun there must have ended."""
        self._work.put(None)
        self._thread.join(10)

    def _live(self) -> None:
        while (item := self._work.get()) is not None:
            future, what = item
            try:
                future.set_result(what())
            except BaseException as error:  # it is the caller's
                future.set_exception(error)
            del item, future, what


def _move_out() -> None:
    """Give this thread a network and mounts of its own."""
    if _libc.unshare(NEW_MOUNTS | NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    _mount("none", "/", PRIVATE_AND_ALL_BELOW)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def _mount(source: str, target: str, flags: int) -> None:
    if _libc.mount(source.encode(), target.encode(), None, flags, None) != 0:
        raise OSError(ctypes.get_errno(), f"mount {source} {target}")
