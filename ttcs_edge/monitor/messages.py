"""What the daemon and the monitor say to each other, one JSON array a packet (SOCK_SEQPACKET): the kind, its fields.

The first packet is a ``Listen``. The daemon checks every type and bound of what it hears: the monitor listens to what
strangers send over the air.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

PACKET_BYTES = 16 * 1024
"""The largest packet; the longest in it is the name of a device."""
ALIVE_S = 5.0
"""How often a monitor that has nothing to tell says that it is alive."""
PARTS = ("", "-after")
"""Of a recording: what was heard before it was asked for, and what came behind; what their names end with."""


class Listen(NamedTuple):
    """Listen to an input; ``driver`` as ``SoundDriver`` names it, ``device`` its name, or the path of a WAV file.

    ``worth_db`` is the level below which foreign sound is not worth a word. The memory file of what was sent comes
    along, and behind it the WAV file's descriptor, where the monitor cannot open it.
    """

    driver: str
    device: str
    worth_db: float


class Keep(NamedTuple):
    """Give what was heard in the last seconds, as a WAV file, and then what comes behind it."""

    name: str


class Ready(NamedTuple):
    """The monitor is up."""


class Alive(NamedTuple):
    """There is nothing to tell."""


class Heard(NamedTuple):
    """The numbers of ``ear.Numbers``."""

    sent_ms: int
    sent_db: float
    heard_db: float
    noise_db: float | None
    match: float | None
    lag_ms: int
    foreign_db: float
    foreign_share: float
    variety_db: float
    flat_share: float


class Input(NamedTuple):
    """The input failed, or works again; told whenever it changes."""

    ok: bool
    device: str
    error: str


class Kept(NamedTuple):
    """A recording, ``part`` of ``PARTS``; a memory file comes along that holds it whole."""

    name: str
    part: int


Command = Listen | Keep
Answer = Ready | Alive | Heard | Input | Kept
ANSWERS: dict[str, type[Answer]] = {kind.__name__: kind for kind in (Ready, Alive, Heard, Input, Kept)}
"""What a monitor may say, by the name that stands first in its packets."""
_COMMANDS: dict[str, Any] = {"Listen": Listen, "Keep": Keep}


def encode(message: Command | Answer) -> bytes:
    """A message as a packet."""
    return json.dumps([type(message).__name__, *message]).encode()


def decode(data: bytes) -> Command:
    """What the daemon says. Raises ValueError, KeyError or TypeError for what is no command: a bug of the daemon's."""
    kind, *fields = json.loads(data)
    command: Command = _COMMANDS[kind](*fields)
    return command
