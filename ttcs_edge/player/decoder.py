"""One item of audio, decoded by libvlc into memory callbacks, up to a bounded distance ahead of its reader.

libvlc's own callbacks only copy, wait and set flags: a call into libvlc from them deadlocks. Their wait can be broken,
because ``stop`` returns only after they have. "End reached" is believed only for what it is worth: no more comes.

libvlc throws away what it decodes after a callback was held back for long, also behind a pause. So nothing here waits
for a reader that may be long in coming: a decoder made ahead *rests* once its first second is there (libvlc is stopped,
the samples stay) and *wakes* when its reader comes: libvlc begins again from the same position, and as many samples
as are kept already are passed over. Two decodings of one file are the same to the sample.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from ttcs_edge.drivers.sound import RATE_HZ, wav_header
from ttcs_edge.player.libvlc import vlc

BYTES_PER_MS = RATE_HZ * 2 // 1_000
RING_BYTES = 4_000 * BYTES_PER_MS
"""How far decoding may run ahead: four seconds. libvlc by itself runs less than two ahead of the reader."""
HEAD_BYTES = 1_000 * BYTES_PER_MS
"""How much of an item is decoded ahead of its play: the first second."""
STALLED_S = 0.3
"""libvlc throws away what comes after a callback that blocked for long, the sooner the busier the machine: such a
decoder begins again.
"""
SEEK_GRID_MS = 20
"""Opus is found in packets of 20 ms: a position between two is reached by passing over the rest."""
SETTLED_BYTES = 500 * BYTES_PER_MS
"""libvlc sometimes decodes a packet from the file's beginning before it seeks, and flushes it: wait that long."""

_OPTIONS = (
    *("--no-video", "--quiet", "--no-lua", "--no-stats", "--no-osd", "--no-spu"),
    *("--no-metadata-network-access", "--no-auto-preparse", "--no-sub-autodetect-file", "--codec=none"),
    "--file-caching=1500",
)
"""Nothing is looked for beside what is given, and no codec is taken but those that ``Format`` names.

libvlc decodes as far ahead as its cache is long: the first second at once, and always a second before its reader.

With a cache of 100 ms it is a quarter of a second ahead, WAV, FLAC and MP3 from the first sample on. The first sample
itself comes as soon with either.
"""


class Format(Struct, frozen=True):
    """Which of libvlc's modules take a kind of file apart and decode it, and what they do to it.

    Of the whole ``cut_ms`` may be lost, behind a position ``seek_ms`` more. Opus loses its beginning, some FLAC files
    their last frames.
    """

    demux: str
    codec: str
    cut_ms: int
    seek_ms: int


_OGG_MASK = b"\xff" * 4 + bytes(24) + b"\xff" * 8
_OGG_OPUS = b"OggS" + bytes(24) + b"OpusHead"
"""The first page of an Ogg file holds nothing but the head of its stream (RFC 7845, 3): here of Opus."""
FORMATS: tuple[tuple[bytes, bytes, Format], ...] = (
    (_OGG_MASK, _OGG_OPUS, Format("ogg", "opus", 120, 60)),
    (b"\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff", b"RIFF\0\0\0\0WAVE", Format("wav", "araw", 0, 0)),
    (b"\xff\xff\xff\xff", b"fLaC", Format("flac", "flac", 200, 250)),
    (b"\xff\xff\xff", b"ID3", Format("mp3", "mpg123", 60, 100)),
    (b"\xff\xe6", b"\xff\xe2", Format("mp3", "mpg123", 60, 100)),
)
"""The kinds of file that are played: mask and value of their first bytes.

libvlc would also follow a playlist, and has decoders for hundreds of kinds, old games' music among them. WAV is PCM
alone, MP3 layer III alone.
"""
MAGIC_BYTES = 36
"""How many of a file's first bytes tell its kind."""


def format_of(beginning: bytes) -> Format | None:
    """The kind of a file by its first bytes; None when it is none of those that are played."""
    for mask, value, kind in FORMATS:
        if len(beginning) >= len(mask) and bytes(a & b for a, b in zip(beginning, mask, strict=False)) == value:
            return kind
    return None


def only(codecs: str) -> str:
    """What libvlc is told so that it decodes by these modules, and by no other that it finds."""
    return f"{codecs},none"


def make_instance() -> Any:
    """The one libvlc instance of the process. Raises RuntimeError when libvlc cannot start."""
    instance = vlc.Instance(_OPTIONS)
    if instance is None:
        raise RuntimeError("libvlc does not start")
    return instance


class Decoder:
    """Decodes from a file descriptor, which it closes in the end. One thread makes, rests, wakes and closes it.

    Another one reads. ``ahead`` is called once, by a thread of libvlc's, when the first second is there: it must not
    wait and not call libvlc.
    """

    filled_bytes = 0
    failure = None

    def __init__(self, instance: Any, fd: int, from_ms: int, ahead: Callable[[], None] = lambda: None) -> None:
        self._instance = instance
        self._fd = fd
        self._from_ms = from_ms
        self._seek_ms = from_ms // SEEK_GRID_MS * SEEK_GRID_MS
        self._ahead: Callable[[], None] | None = ahead
        self._ring = bytearray()
        self._condition = threading.Condition()
        self._player: Any = None
        self._events: Any = None
        self._ended = False
        self._drained = False
        self._aborted = False
        self._decoded_bytes = 0
        self._skip_bytes = 0
        self._added_bytes = 0
        self._waiting_since_s: float | None = None
        self._settled_bytes = SETTLED_BYTES if from_ms else 0
        self._format = format_of(os.pread(fd, MAGIC_BYTES, 0))
        self._callbacks: tuple[Any, Any, Any] | None = (
            vlc.CallbackDecorators.AudioPlayCb(self._on_samples),
            vlc.CallbackDecorators.AudioFlushCb(self._on_flush),
            vlc.CallbackDecorators.AudioDrainCb(self._on_drain),
        )
        if self._format is None:
            self._ended = True
        else:
            self._start(self._format)

    def _start(self, kind: Format) -> None:
        """Have libvlc decode from the position on; what of it was decoded before is passed over."""
        self._begin_counting()
        self._aborted = self._drained = False
        media = self._instance.media_new_path(f"/proc/self/fd/{self._fd}")
        media.add_option(f":demux={kind.demux}")
        media.add_option(f":codec={only(kind.codec)}")
        if self._seek_ms:
            media.add_option(f":start-time={self._seek_ms / 1_000:.3f}")
        self._player = self._instance.media_player_new()
        self._player.set_media(media)
        media.release()
        assert self._callbacks is not None, "closed"
        play, flush, drain = self._callbacks
        self._player.audio_set_callbacks(play, None, None, flush, drain, None)
        self._player.audio_set_format("S16N", RATE_HZ, 1)
        # The player's own event_manager() keeps every player, and all that hears of it, until the process ends.
        self._events = vlc.libvlc_media_player_event_manager(self._player)
        self._events.event_attach(vlc.EventType.MediaPlayerEndReached, self._on_end)
        self._events.event_attach(vlc.EventType.MediaPlayerEncounteredError, self._on_end)
        self._player.play()

    def _begin_counting(self) -> None:
        self._skip_bytes = (self._from_ms - self._seek_ms) * BYTES_PER_MS + self._decoded_bytes
        self._added_bytes = 0

    def _on_samples(self, opaque: Any, samples: int, count: int, pts: int) -> None:
        data = ctypes.string_at(samples, count * 2)
        with self._condition:
            self._waiting_since_s = time.monotonic()
            self._condition.wait_for(lambda: self._aborted or len(self._ring) < RING_BYTES)
            self._waiting_since_s = None
            if self._aborted:
                return
            skipped = min(self._skip_bytes, len(data))
            self._skip_bytes -= skipped
            self._added_bytes += len(data) - skipped
            self._decoded_bytes += len(data) - skipped
            self._ring += data[skipped:]
            self._condition.notify_all()
            ahead = self._ahead if len(self._ring) >= HEAD_BYTES else None
            if ahead is not None:
                self._ahead = None
                ahead()

    def _on_flush(self, opaque: Any, pts: int) -> None:
        """What came before libvlc's seek was from elsewhere in the file."""
        with self._condition:
            if self._drained or self._aborted:
                return
            if self._added_bytes:
                del self._ring[-self._added_bytes :]
                self._decoded_bytes -= self._added_bytes
            self._begin_counting()

    def _on_drain(self, opaque: Any) -> None:
        with self._condition:
            self._drained = True

    def _on_end(self, event: Any) -> None:
        with self._condition:
            if not self._aborted:
                self._ended = True
                self._condition.notify_all()

    def read(self, size_bytes: int, timeout_s: float) -> bytes:
        """Take up to ``size_bytes``: fewer when decoding is behind for ``timeout_s`` or over; empty too."""
        with self._condition:
            enough_bytes = max(size_bytes, self._settled_bytes)
            self._condition.wait_for(lambda: self._ended or len(self._ring) >= enough_bytes, timeout_s)
            if not self._ended and len(self._ring) < self._settled_bytes:
                return b""
            self._settled_bytes = 0
            data = bytes(self._ring[:size_bytes])
            del self._ring[:size_bytes]
            self._condition.notify_all()
        return data

    @property
    def exhausted(self) -> bool:
        """Tell whether decoding is over and everything was read."""
        with self._condition:
            return self._ended and not self._ring

    @property
    def short_ms(self) -> int:
        """By how much the samples of a whole item, from this position on, may fall short of its length."""
        if self._format is None:
            return 0
        return self._format.cut_ms + (self._format.seek_ms if self._from_ms else 0)

    def ends_within(self, size_bytes: int) -> bool:
        """Tell whether decoding is over and no more than this is left to be read."""
        with self._condition:
            return self._ended and len(self._ring) <= size_bytes

    def rest(self) -> None:
        """Stop libvlc and keep what was decoded."""
        if not self._ended:
            self._halt()

    def wake(self) -> None:
        """Decode on, for a reader that reads from now on, or has begun to."""
        with self._condition:
            since_s = self._waiting_since_s
            stalled = since_s is not None and time.monotonic() - since_s > STALLED_S
        if stalled:
            self.rest()
        if self._player is None and self._format is not None and not self._ended:
            self._start(self._format)

    def _halt(self) -> None:
        with self._condition:
            self._aborted = True
            self._condition.notify_all()
        if self._player is not None:
            self._player.stop()
            self._player.release()
            self._player = self._events = None

    def close(self) -> None:
        """Stop decoding and let everything go."""
        self._halt()
        self._callbacks = None  # they hold this decoder, and it them
        os.close(self._fd)


def silence() -> int:
    """A WAV file of a little more than a decoder's head, as a file descriptor."""
    size_bytes = HEAD_BYTES * 11 // 10
    fd = os.memfd_create("silence", os.MFD_CLOEXEC)
    os.write(fd, wav_header(size_bytes) + bytes(size_bytes))
    return fd
