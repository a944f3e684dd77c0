"""``python -m ttcs_edge.player.keeper``: how a player begins, and surely ends, in a unit of its own (decision 37).

The daemon is another user there: it cannot kill a player that hangs, or that somebody took over. The service manager
can: it ends everything in a unit once the unit's main process is gone, and closes the connection only when that is
done, so that the daemon sees the end when it is one. So the main process is this one, which touches no audio and looks
at two things only: the *lifeline*, a socket that the daemon closes when it has enough of this player or is gone itself,
and the player proper, which it forks. When either ends, it ends.

Who takes the player over is of the same user as the keeper. He cannot look into it; when he kills it he is killed with
it; and when he stops it, it no longer feeds the unit's watchdog, which ends all the same.
"""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable
from typing import NoReturn

from sdnotify import SystemdNotifier

from ttcs_edge.player.bounds import be_no_ones_to_trace, die_with_parent
from ttcs_edge.player.messages import decode_begin, receive

LISTEN_FDS_START = 3
"""The first descriptor that a service manager hands over (sd_listen_fds(3)): the connection."""
FEED_S = 2.0
"""How often the watchdog is fed; it ends the unit after three times that (``WatchdogSec=``)."""
KILLED = 128
"""What a shell adds to a signal's number, to tell as an exit code what killed a program."""


Work = Callable[[socket.socket, bytes, list[int]], NoReturn]
"""Is what is kept until the daemon is gone: the connection, what came first through it, and the files beside that."""


def main() -> None:
    """Keep a player."""
    keep(_play)


def _play(connection: socket.socket, data: bytes, wav_fds: list[int]) -> NoReturn:
    from ttcs_edge.player.__main__ import work

    work(connection, decode_begin(data), wav_fds)


def keep(work: Work) -> None:
    """Take what the daemon sends first, begin the work in a process, and hold it for as long as the daemon holds on."""
    be_no_ones_to_trace()
    connection = socket.socket(fileno=LISTEN_FDS_START)
    data, fds = receive(connection)
    if not data:
        return
    lifeline, files = fds[0], fds[1:]
    keeper = os.getpid()
    worker = os.fork()
    if worker:
        connection.close()
        for fd in files:
            os.close(fd)
        os._exit(_hold(lifeline, worker))
    die_with_parent()
    if os.getppid() != keeper:
        os._exit(os.EX_UNAVAILABLE)
    os.close(lifeline)
    work(connection, data, files)


def _hold(lifeline: int, worker: int) -> int:
    """Wait until the daemon lets go, or the worker is gone; gives what to leave with."""
    notifier = SystemdNotifier()
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    poll.register(os.pidfd_open(worker), select.POLLIN)
    while not (ready := poll.poll(FEED_S * 1_000)):
        notifier.notify("WATCHDOG=1")
    if lifeline in (fd for fd, _ in ready):
        return os.EX_OK
    code = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
    return code if code >= 0 else KILLED - code


if __name__ == "__main__":
    main()
