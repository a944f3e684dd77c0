"""What the daemon and the player say to each other, one JSON object a packet (SOCK_SEQPACKET).

Audio goes ahead of the command that names it, as file descriptors of sealed memory files, in packets of ``Files``.
"""

from __future__ import annotations

import msgspec

PACKET_BYTES = 128 * 1024
"""The largest packet: a play of 512 items (32 bulletins in 16 languages) takes 56 KB."""
FDS_MOST = 64
"""How many descriptors go in one packet; Linux takes 253."""


class Item(msgspec.Struct, frozen=True):
    """One stretch of audio; ``duration_ms`` is what its bulletin declares."""

    sha256: str
    duration_ms: int


class Files(msgspec.Struct, frozen=True, tag=True):
    """Audio for the next ``Prepare`` or ``Play``; one descriptor comes along for each name, in order."""

    sha256: tuple[str, ...]


class Prepare(msgspec.Struct, frozen=True, tag=True):
    """Decode the first second of an item, from ``from_ms`` on, ahead of the play that begins with it."""

    item: Item
    from_ms: int


class Play(msgspec.Struct, frozen=True, tag=True):
    """Play items from ``from_ms`` of the whole; hand the first period over at ``at_mono_ns``."""

    play: int
    items: tuple[Item, ...]
    from_ms: int
    at_mono_ns: int
    volume_percent: int
    fade_in_ms: int


class Stop(msgspec.Struct, frozen=True, tag=True):
    """Fade a play out and end it."""

    play: int
    fade_out_ms: int


Command = Files | Prepare | Play | Stop


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The player is up."""

    device: str


class Alive(msgspec.Struct, frozen=True, tag=True):
    """Ten times a second when nothing plays."""


class Started(msgspec.Struct, frozen=True, tag=True):
    """The first period was handed to the device at ``mono_ns``."""

    play: int
    mono_ns: int


class Progress(msgspec.Struct, frozen=True, tag=True):
    """Ten times a second while something plays; ``written_ms`` counts audio alone, not what filled a gap."""

    play: int
    written_ms: int
    rms_db: float
    peak_db: float
    underruns: int


class Ended(msgspec.Struct, frozen=True, tag=True):
    """A play is over; ``failure`` is ``not-audio``, ``sound-device`` or None."""

    play: int
    completed: bool
    item_written_ms: tuple[int, ...]
    failure: str | None


class Device(msgspec.Struct, frozen=True, tag=True):
    """The sound device failed, or works again; told once before ``Ready``, and whenever it changes."""

    ok: bool
    device: str
    error: str


Answer = Ready | Alive | Started | Progress | Ended | Device


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
