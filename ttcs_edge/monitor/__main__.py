"""The monitor process: ``python -m ttcs_edge.monitor FD``, a child of the daemon's; in a unit a keeper begins it.

It uses numpy, which takes 30 MB and a tenth of a second to load, and reckons twice a second: so it is neither in the
daemon nor in the player, whose writer has 10 ms for a period. It never touches the air. When the daemon goes, the
socket ends, and so does this process; should the daemon be killed, the kernel ends it too.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from ttcs_edge.monitor.messages import Listen, decode
from ttcs_edge.player.bounds import die_with_parent, keep_within_bounds
from ttcs_edge.player.hiding import hide
from ttcs_edge.player.messages import receive

NICE = 5
"""It may be late: it hears what was a second ago. What airs may not."""


def work(connection: socket.socket, data: bytes, fds: Sequence[int]) -> NoReturn:
    """Be the monitor until the daemon is gone; ``data`` and ``fds`` are what came first."""
    keep_within_bounds()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError):  # a unit may forbid it, and has its own share of the processor then
        os.nice(NICE)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # it would take a thread and 30 MB for each processor, for nothing
    from ttcs_edge.monitor.listening import Listening

    listen = decode(data)
    assert isinstance(listen, Listen), "not told to listen"
    try:
        Listening(connection, listen, fds[0], fds[1:]).run()
    except Exception:
        sys.excepthook(*sys.exc_info())
    os._exit(os.EX_SOFTWARE)


def main() -> None:
    """Take over the socket that the daemon gave."""
    die_with_parent()
    if credentials := os.environ.pop("CREDENTIALS_DIRECTORY", ""):
        hide(Path(credentials))
    connection = socket.socket(fileno=int(sys.argv[1]))
    data, fds = receive(connection)
    if data:
        work(connection, data, fds)


if __name__ == "__main__":
    main()
