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

from sdnotify import SystemdNotifier

from ttcs_edge.player.bounds import be_no_ones_to_trace, die_with_parent
from ttcs_edge.player.messages import decode_begin, receive

LISTEN_FDS_START = 3
"""The first descriptor that a service manager hands over (sd_listen_fds(3)): the connection."""
FEED_S = 2.0
"""How often the watchdog is fed; it ends the unit after three times that (``WatchdogSec=``)."""
KILLED = 128
"""What a shell adds to a signal's number, to tell as an exit code what killed a program."""


def main() -> None:
    """Take what the daemon sends first, begin the player, and hold it for as long as the daemon holds on."""
    be_no_ones_to_trace()
    connection = socket.socket(fileno=LISTEN_FDS_START)
    data, fds = receive(connection)
    if not data:
        return
    begin, lifeline, wav_fds = decode_begin(data), fds[0], fds[1:]
    keeper = os.getpid()
    player = os.fork()
    if player:
        connection.close()
        for fd in wav_fds:
            os.close(fd)
        os._exit(_hold(lifeline, player))
    die_with_parent()
    if os.getppid() != keeper:
        os._exit(os.EX_UNAVAILABLE)
    os.close(lifeline)
    from ttcs_edge.player.__main__ import work

    work(connection, begin, wav_fds)


def _hold(lifeline: int, player: int) -> int:
    """Wait until the daemon lets go, or the player is gone; gives what to leave with."""
    notifier = SystemdNotifier()
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    poll.register(os.pidfd_open(player), select.POLLIN)
    while not (ready := poll.poll(FEED_S * 1_000)):
        notifier.notify("WATCHDOG=1")
    if lifeline in (fd for fd, _ in ready):
        return os.EX_OK
    code = os.waitstatus_to_exitcode(os.waitpid(player, 0)[1])
    return code if code >= 0 else KILLED - code


if __name__ == "__main__":
    main()
