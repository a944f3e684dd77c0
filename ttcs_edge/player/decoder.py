"""One item of audio, decoded by libvlc into memory callbacks, up to a bounded distance ahead of its reader.

libvlc's own callbacks only copy, wait and set flags: a call into libvlc from them deadlocks. Their wait can be broken,
because ``stop`` returns only after they have. "End reached" is believed only for what it is worth: no more comes.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from typing import Any

import vlc

from ttcs_edge.drivers.sound import RATE_HZ

RING_BYTES = 4 * RATE_HZ * 2
"""How far decoding may run ahead: four seconds. libvlc by itself runs one or two ahead of the reader."""
STALLED_S = 1.0
"""libvlc throws away what comes after a callback that blocked for long: such a decoder is not to be used."""

_OPTIONS = ("--no-video", "--quiet", "--no-lua", "--no-stats", "--no-osd", "--no-spu", "--file-caching=100")


def make_instance() -> Any:
    """The one libvlc instance of the process. Raises RuntimeError when libvlc cannot start."""
    instance = vlc.Instance(_OPTIONS)
    if instance is None:
        raise RuntimeError("libvlc does not start")
    return instance


class Decoder:
    """Decodes from a file descriptor. Made, stopped and closed by one thread; read by another."""

    def __init__(self, instance: Any, fd: int, from_ms: int) -> None:
        self._ring = bytearray()
        self._condition = threading.Condition()
        self._aborted = False
        self._ended = False
        self._waiting_since_s: float | None = None
        self._fd = fd
        media = instance.media_new_path(f"/proc/self/fd/{fd}")
        if from_ms:
            media.add_option(f":start-time={from_ms / 1_000:.3f}")
        self._player = instance.media_player_new()
        self._player.set_media(media)
        media.release()
        self._callbacks = (
            vlc.CallbackDecorators.AudioPlayCb(self._on_samples),
            vlc.CallbackDecorators.AudioDrainCb(lambda opaque: None),
        )
        self._player.audio_set_callbacks(self._callbacks[0], None, None, None, self._callbacks[1], None)
        self._player.audio_set_format("S16N", RATE_HZ, 1)
        events = self._player.event_manager()
        events.event_attach(vlc.EventType.MediaPlayerEndReached, self._on_end)
        events.event_attach(vlc.EventType.MediaPlayerEncounteredError, self._on_end)
        self._player.play()

    def _on_samples(self, opaque: Any, samples: int, count: int, pts: int) -> None:
        data = ctypes.string_at(samples, count * 2)
        began_s = time.monotonic()
        with self._condition:
            self._waiting_since_s = began_s
            self._condition.wait_for(lambda: self._aborted or len(self._ring) < RING_BYTES)
            self._waiting_since_s = None
            if not self._aborted:
                self._ring += data
                self._condition.notify_all()

    def _on_end(self, event: Any) -> None:
        with self._condition:
            self._ended = True
            self._condition.notify_all()

    def read(self, size_bytes: int, timeout_s: float) -> bytes:
        """Take up to ``size_bytes``: fewer when decoding is behind for ``timeout_s`` or over; empty too."""
        with self._condition:
            self._condition.wait_for(lambda: self._ended or len(self._ring) >= size_bytes, timeout_s)
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
    def stalled(self) -> bool:
        """Tell whether decoding has been held back for so long that its rest would be lost."""
        with self._condition:
            since_s = self._waiting_since_s
            return since_s is not None and time.monotonic() - since_s > STALLED_S

    def ends_within(self, size_bytes: int) -> bool:
        """Tell whether decoding is over and no more than this is left to be read."""
        with self._condition:
            return self._ended and len(self._ring) <= size_bytes

    def close(self) -> None:
        """Stop decoding and let everything go. Only the thread that made it may call, and never a callback."""
        with self._condition:
            self._aborted = True
            self._condition.notify_all()
        self._player.stop()
        self._player.release()
        os.close(self._fd)
