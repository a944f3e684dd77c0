"""What the daemon and the player say to each other, one JSON object a packet (SOCK_SEQPACKET).

Audio goes along as file descriptors of sealed memory files, one for each item of ``Prepare`` and ``Play``, in order.
"""

from __future__ import annotations

import msgspec

PACKET_BYTES = 64 * 1024
FDS_MOST = 64


class Item(msgspec.Struct, frozen=True):
    """One stretch of audio; ``duration_ms`` is what its bulletin declares."""

    sha256: str
    duration_ms: int


class Prepare(msgspec.Struct, frozen=True, tag=True):
    """Decode the beginning of the first item ahead."""

    items: tuple[Item, ...]
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


Command = Prepare | Play | Stop


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
    """Ten times a second while something plays."""

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
    """The sound device failed, or works again."""

    ok: bool
    device: str
    error: str


Answer = Ready | Alive | Started | Progress | Ended | Device
