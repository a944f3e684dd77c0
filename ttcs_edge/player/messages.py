"""What the daemon and the player say to each other, one JSON array a packet (SOCK_SEQPACKET): the kind, its fields.

The player reads and writes them with what Python brings, to stay small; the daemon checks every type of what it hears,
for whoever broke into the decoder speaks to it.

The first packet is a ``Begin``: how sound goes out. Audio goes ahead of the command that names it, as file descriptors
of sealed memory files, in packets of ``Files``. What is made while it airs comes from an input of the machine
(``Talk``), behind its command in segments (``Live``), or through sockets (``PlayStream``) that each came along with a
``Follow`` before.
"""

from __future__ import annotations

import json
import socket
from base64 import b64decode, b64encode
from typing import Any, NamedTuple

from ttcs_edge.opus import PACKET_MOST_BYTES

PACKET_BYTES = 192 * 1024
"""The largest packet: a segment of 100 of the longest Opus packets takes 170 KB, a play of 512 items 56 KB."""
SEGMENT_PACKETS = 100
"""How many packets of 20 ms a segment holds at most."""
STREAM_KINDS = ("aac", "mp3", "mp4", "ogg", "ts")
"""What a stream can be: AAC in ADTS, MP3, fragmented MP4, Ogg, MPEG-TS."""
FAILURES = ("not-audio", "sound-device", "sound-input", "live-lost", None)
"""How a play can end; None is well, or because it was stopped."""
FDS_MOST = 64
"""How many descriptors go in one packet; Linux takes 253."""


class Begin(NamedTuple):
    """How sound goes out: ``driver`` as ``SoundDriver`` names it, ``device`` its name, or the path of a WAV file."""

    driver: str
    device: str
    buffer_ms: int


class Item(NamedTuple):
    """One stretch of audio; ``duration_ms`` is what its bulletin declares."""

    sha256: str
    duration_ms: int


class Files(NamedTuple):
    """Audio for the next ``Prepare``, ``StandBy`` or ``Play``; one descriptor comes along for each name, in order."""

    sha256: tuple[str, ...]


class Prepare(NamedTuple):
    """Decode the first second of an item, from ``from_ms`` on, ahead of the play that begins with it."""

    item: Item
    from_ms: int


class StandBy(NamedTuple):
    """Keep the first second of an item decoded until the process ends: once it is taken, it is decoded again."""

    item: Item


class Play(NamedTuple):
    """Play items from ``from_ms`` of the whole; hand the first period over at ``at_mono_ns``."""

    play: int
    items: tuple[Item, ...]
    from_ms: int
    at_mono_ns: int
    volume_percent: int
    fade_in_ms: int


class Talk(NamedTuple):
    """Play what an input hears from ``at_mono_ns`` on, until it is stopped; ``driver`` as ``SoundDriver`` names it.

    Of a WAV file that the player cannot open itself, the descriptor comes along.
    """

    play: int
    driver: str
    device: str
    at_mono_ns: int
    volume_percent: int
    fade_in_ms: int


class Live(NamedTuple):
    """Play what comes in segments, from ``at_mono_ns`` and the first of them on, until the last one."""

    play: int
    at_mono_ns: int
    volume_percent: int
    fade_in_ms: int


class Segment(NamedTuple):
    """Opus packets of 20 ms for a ``Live`` play, the ``number``-th that there are; it ends with the ``last``."""

    play: int
    number: int
    packets: tuple[bytes, ...]
    last: bool


class Follow(NamedTuple):
    """Decode what comes through the one descriptor that comes along, a socket, as the next of a stream; its kind is one
    of ``STREAM_KINDS``. It is decoded from now on, whether it is played or not.
    """

    stream: int
    kind: str


class CopySent(NamedTuple):
    """Copy what the device takes into the one descriptor that comes along, a memory file (``player.sent``)."""


class Leave(NamedTuple):
    """Follow a stream no more."""

    stream: int


class PlayStream(NamedTuple):
    """Play a stream that is followed, from ``at_mono_ns`` on, until it is stopped."""

    play: int
    stream: int
    at_mono_ns: int
    volume_percent: int
    fade_in_ms: int


class Dial(NamedTuple):
    """Play digits as dual tones, each for ``digit_ms`` and with a gap behind it, from ``at_mono_ns`` on."""

    play: int
    digits: str
    digit_ms: int
    gap_ms: int
    at_mono_ns: int
    volume_percent: int
    fade_in_ms: int


class Stop(NamedTuple):
    """Fade a play out and end it."""

    play: int
    fade_out_ms: int


class Volume(NamedTuple):
    """Make a play as loud as this from now on, without a click."""

    play: int
    volume_percent: int


Sounding = Play | Talk | Live | PlayStream | Dial
"""What the writer plays."""
Command = (
    Files
    | Prepare
    | StandBy
    | Play
    | Talk
    | Live
    | Segment
    | Follow
    | CopySent
    | Leave
    | PlayStream
    | Dial
    | Stop
    | Volume
)


def encode(message: Begin | Command | Answer) -> bytes:
    """A message as a packet; Opus packets are base64."""
    return json.dumps([type(message).__name__, *message], default=_text).encode()


def _text(packet: bytes) -> str:
    return b64encode(packet).decode()


def receive(connection: socket.socket) -> tuple[bytes, list[int]]:
    """The next packet and what came along with it; an empty one once nobody speaks any more.

    Raises ValueError for one that was cut short: a bug of the daemon's.
    """
    data, fds, flags, _ = socket.recv_fds(connection, PACKET_BYTES, FDS_MOST)
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        raise ValueError(f"packet cut short: {len(data)} bytes, {len(fds)} files")
    return data, fds


def decode_begin(data: bytes) -> Begin:
    """The first packet. Raises ValueError or TypeError for what is none: a bug of the daemon's."""
    kind, *fields = _parsed(data)
    if kind != Begin.__name__:
        raise ValueError(f"{kind} in the place of {Begin.__name__}")
    return Begin(*fields)


def _parsed(data: bytes) -> list[Any]:
    try:
        kind, *fields = json.loads(data)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    return [kind, *fields]


def decode_command(data: bytes) -> Command:
    """What the daemon says. Raises ValueError, KeyError or TypeError for what is no command: a bug of the daemon's."""
    kind, *fields = _parsed(data)
    command: Command = _COMMANDS[kind](*fields)
    return command


_COMMANDS: dict[str, Any] = {
    "Files": lambda sha256: Files(tuple(sha256)),
    "Prepare": lambda item, from_ms: Prepare(Item(*item), from_ms),
    "StandBy": lambda item: StandBy(Item(*item)),
    "Play": lambda play, items, *more: Play(play, tuple(Item(*item) for item in items), *more),
    "Talk": Talk,
    "Live": Live,
    "Segment": lambda play, number, packets, last: Segment(play, number, _packets(packets), last),
    "Follow": Follow,
    "CopySent": CopySent,
    "Leave": Leave,
    "PlayStream": PlayStream,
    "Dial": Dial,
    "Stop": Stop,
    "Volume": Volume,
}


def _packets(texts: list[str]) -> tuple[bytes, ...]:
    packets = tuple(b64decode(text, validate=True) for text in texts)
    if len(packets) > SEGMENT_PACKETS or max(map(len, packets), default=0) > PACKET_MOST_BYTES:
        raise ValueError(f"a segment of {len(packets)} packets, {sum(map(len, packets))} bytes")
    return packets


class Ready(NamedTuple):
    """The player is up."""

    device: str


class Alive(NamedTuple):
    """Every five seconds when there is nothing to play, twice a second once it is known what comes next, ten times a
    second when a play waits for its instant."""


class Started(NamedTuple):
    """The first period was handed to the device at ``mono_ns``."""

    play: int
    mono_ns: int


class Progress(NamedTuple):
    """Ten times a second while something plays; ``written_ms`` counts audio alone, not what filled a gap."""

    play: int
    written_ms: int
    rms_db: float
    peak_db: float
    underruns: int


class Ended(NamedTuple):
    """A play is over; ``failure`` is one of ``FAILURES``.

    What is made while it airs is one item, and so are digits.
    """

    play: int
    completed: bool
    item_written_ms: tuple[int, ...]
    failure: str | None


class Heard(NamedTuple):
    """Once a second: there is sound in a stream that is followed."""

    stream: int


class Device(NamedTuple):
    """The sound device failed, or works again; told once before ``Ready``, and whenever it changes."""

    ok: bool
    device: str
    error: str


Answer = Ready | Alive | Started | Progress | Ended | Heard | Device
ANSWERS: dict[str, type[Answer]] = {
    kind.__name__: kind for kind in (Ready, Alive, Started, Progress, Ended, Heard, Device)
}
"""What a player may say, by the name that stands first in its packets."""


def parts(command: Sounding) -> int:
    """How many items a play has."""
    return len(command.items) if isinstance(command, Play) else 1


def first_item(items: tuple[Item, ...], from_ms: int) -> int:
    """The index of the item in which a position of the whole lies."""
    for index, item in enumerate(items):
        if from_ms < item.duration_ms:
            return index
        from_ms -= item.duration_ms
    return len(items) - 1


def item_offset_ms(items: tuple[Item, ...], from_ms: int) -> int:
    """Where in its item a position of the whole lies."""
    return from_ms - sum(item.duration_ms for item in items[: first_item(items, from_ms)])
