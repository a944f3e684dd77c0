"""Who may do what over the control socket: one table.

Who can connect to it at all is in the group ``ttcs``, or is root (the socket's mode). The group may look, may bring in
what the province has signed, and may test; what changes the station for those who live around it is root's. The user
under whom the daemon runs may do what root may: nothing of the daemon is out of his reach anyhow.
"""

from __future__ import annotations

import os
from enum import Enum
from typing import Final

from ttcs_edge.core.model import LocalUser


class Right(Enum):
    """What is needed for a deed."""

    GROUP = "group"
    ROOT = "root"


NEEDS: Final[dict[str, Right]] = {
    "walk": Right.GROUP,
    "walk-state": Right.GROUP,
    "walk-stop": Right.GROUP,
    "lease": Right.GROUP,
    "lease-state": Right.GROUP,
    "lease-stop": Right.GROUP,
    "tests-stop": Right.GROUP,
    "mute": Right.ROOT,
    "unmute": Right.ROOT,
}
"""Every deed, by what is asked."""
ROOT_UID: Final = 0


def may(by: LocalUser, deed: str) -> bool:
    """Tell whether somebody has the right to a deed."""
    return NEEDS[deed] is Right.GROUP or by.uid in (ROOT_UID, os.geteuid())
