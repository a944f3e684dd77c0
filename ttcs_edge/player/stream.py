"""A plain stream as samples: what the daemon brings of it through a socket, decoded by libvlc from the moment at which
it is followed, whether it has the air or not.

- Each connection to its server, and each place at which an HLS stream does not go on where it was, is a *run* of its
  own: a socket, and which kind of stream comes through it, for libvlc never finds that out by itself, never sees an
  address and never follows one. A run is decoded to its end before the next one begins.
- While nobody reads, the newest two seconds are kept. Whoever reads begins with a second at the least; where too little
  waits, silence stands in, with faded ends, until there is more.
- It is *heard* while samples come, of which some in the last ten seconds are louder than nothing: that is told once a
  second. Three seconds with nothing to give, or ten of nothing but silence, and it is lost to its reader.

libvlc's callbacks only copy and set flags, and never wait: what nobody reads is left out. Whoever sends into the socket
is held back by libvlc, which decodes at the pace of its clock; the two clocks are kept together by ``Distance``.
"""

from __future__ import annotations

import ctypes
import socket
import threading
import time
from array import array
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ttcs_edge.drivers.sound import RATE_HZ
from ttcs_edge.player.decoder import only
from ttcs_edge.player.libvlc import vlc
from ttcs_edge.player.live import LIVE_LOST_MS
from ttcs_edge.player.splice import FRAMES_PER_MS, Distance, faded_in, faded_out

CODECS = {"aac": "faad", "mp3": "mpg123", "mp4": "faad", "ogg": "opus,vorbis", "ts": "faad,mpg123"}
"""Of each kind of stream (``messages.STREAM_KINDS``; libvlc calls its demuxers the same), the modules that decode it.

What FFmpeg decodes beside these is left out: AAC has a decoder of its own.
"""
START_AHEAD_FRAMES = 1_000 * FRAMES_PER_MS
AGAIN_AHEAD_FRAMES = 500 * FRAMES_PER_MS
"""How much must wait when the first period is read, and when it goes on behind a gap."""
KEPT_FRAMES = 2_000 * FRAMES_PER_MS
BEHIND_MOST_FRAMES = 6_000 * FRAMES_PER_MS
"""How much is kept while nobody reads, and how much may wait when somebody does."""
WANTED_FRAMES = range(300 * FRAMES_PER_MS, 3_000 * FRAMES_PER_MS)
LOOKS = 1_000
REST = 10
AUDIBLE = 32
"""A sample that is louder than that is a sound: 60 dB below full scale."""
QUIET_MS = 10_000
TELL_S = 1.0
AHEAD_PERIODS = 3
"""How much is taken ahead of what is given: as much as a step to keep the distance needs (``splice``)."""
OPTIONS = ("prefetch-buffer-size=64", "prefetch-read-size=8192", "file-caching=1000")
"""How much libvlc reads ahead, in KiB, and how much at a time, in bytes: by itself it takes 16 MiB of whatever a sender
has. And how many milliseconds it decodes ahead: a link that stutters for longer is waited for.
"""
RUNS = 2
"""The run that is decoded, and the one that waits for its end."""


class Run:
    """What came through one socket, decoded from the moment it is begun. The control thread begins and closes it."""

    def __init__(
        self, instance: Any, fd: int, kind: str, add: Callable[[bytes], None], ended: Callable[[], None]
    ) -> None:
        """``add`` and ``ended`` are called by threads of libvlc's: they must not wait, and not call libvlc."""
        self._instance = instance
        self._socket = socket.socket(fileno=fd)
        self._kind = kind
        self._add = add
        self._ended = ended
        self._player: Any = None
        self._events: Any = None
        self._callbacks: tuple[Any, Any] | None = None
        self._closed = False
        self.is_over = False

    @property
    def has_begun(self) -> bool:
        """Tell whether it is decoded already."""
        return self._player is not None

    def begin(self) -> None:
        """Have it decoded from here on."""
        media = self._instance.media_new_location(f"fd://{self._socket.fileno()}")
        for option in (f"demux={self._kind}", f"codec={only(CODECS[self._kind])}", *OPTIONS):
            media.add_option(f":{option}")
        self._player = self._instance.media_player_new()
        self._player.set_media(media)
        media.release()
        play = vlc.CallbackDecorators.AudioPlayCb(self._on_samples)
        flush = vlc.CallbackDecorators.AudioFlushCb(_on_flush)
        self._callbacks = play, flush
        self._player.audio_set_callbacks(play, None, None, flush, None, None)
        self._player.audio_set_format("S16N", RATE_HZ, 1)
        # The player's own event_manager() keeps every player, and all that hears of it, until the process ends.
        self._events = vlc.libvlc_media_player_event_manager(self._player)
        self._events.event_attach(vlc.EventType.MediaPlayerEndReached, self._on_end)
        self._events.event_attach(vlc.EventType.MediaPlayerEncounteredError, self._on_end)
        self._player.play()

    def _on_samples(self, opaque: Any, samples: int, count: int, pts: int) -> None:
        if not self._closed:
            self._add(ctypes.string_at(samples, count * 2))

    def _on_end(self, event: Any) -> None:
        if not self._closed:
            self.is_over = True
            self._ended()

    def close(self) -> None:
        """Let everything go; libvlc does not wait for a sender, who sees the end of it."""
        self._closed = True
        with suppress(OSError):  # the sender may be gone
            self._socket.shutdown(socket.SHUT_RDWR)
        if self._player is not None:
            self._player.stop()
            self._player.release()
            self._player = self._events = None
        self._callbacks = None  # they hold this run, and it them
        self._socket.close()


def _on_flush(opaque: Any, pts: int) -> None:
    """Where libvlc waits for more and begins anew, what came before is as good as what comes behind it."""


class Stream:
    """A stream that is followed. One thread follows and closes it, libvlc's add to it, one reads."""

    def __init__(self, instance: Any, later: Callable[[Callable[[], None]], None], heard: Callable[[], None]) -> None:
        """``later`` has a thing done by the thread that follows it, ``heard`` tells that it is; neither may wait."""
        self._instance = instance
        self._later = later
        self._heard = heard
        self._runs: deque[Run] = deque()
        self._condition = threading.Condition()
        self._samples = array("h")
        self._most_frames = KEPT_FRAMES
        self._came_frames = 0
        self._told_s = self._came_s = self.audible_s = float("-inf")

    def follow(self, fd: int, kind: str) -> None:
        """What comes next comes through this socket, which is closed in the end."""
        self._runs.append(Run(self._instance, fd, kind, self._add, lambda: self._later(self._advance)))
        while len(self._runs) > RUNS:
            self._runs.popleft().close()
        self._advance()

    def _advance(self) -> None:
        while len(self._runs) > 1 and self._runs[0].is_over:
            self._runs.popleft().close()
        if self._runs and not self._runs[0].has_begun:
            self._runs[0].begin()

    def _add(self, data: bytes) -> None:
        samples, now_s = array("h", data), time.monotonic()
        with self._condition:
            if now_s > self._came_s + LIVE_LOST_MS / 1_000:
                self._came_frames = 0
            self._came_s = now_s
            self._came_frames += len(samples)
            if samples and max(max(samples), -min(samples)) > AUDIBLE:
                self.audible_s = now_s
            self._samples += samples
            del self._samples[: max(0, len(self._samples) - self._most_frames)]
            self._condition.notify_all()
        audible = now_s <= self.audible_s + QUIET_MS / 1_000
        if audible and self._came_frames >= START_AHEAD_FRAMES and now_s >= self._told_s + TELL_S:
            self._told_s = now_s
            self._heard()

    def keep(self, most_frames: int) -> None:
        """Keep so many of the newest samples."""
        with self._condition:
            self._most_frames = most_frames

    def take(self, frames: int, least_frames: int, timeout_s: float) -> array[int]:
        """Take so many samples as soon as ``least_frames`` are there; none when they do not come in time."""
        with self._condition:
            if not self._condition.wait_for(lambda: len(self._samples) >= least_frames, timeout_s):
                return array("h")
            taken = self._samples[:frames]
            del self._samples[:frames]
            return taken

    @property
    def behind_frames(self) -> int:
        """How much waits."""
        with self._condition:
            return len(self._samples)

    def close(self) -> None:
        """Follow it no more. Who still reads finds nothing."""
        while self._runs:
            self._runs.popleft().close()


class StreamSource:
    """A stream while it has the air."""

    short_ms = 0

    def __init__(self, stream: Stream) -> None:
        self.filled_bytes = 0
        self.failure: str | None = None
        self._stream = stream
        self._sounded_s = self._audible_s = time.monotonic()
        self._has_begun = False
        self._in_gap = True
        self._ahead = array("h")
        self._distance = Distance(WANTED_FRAMES, LOOKS, REST)
        stream.keep(BEHIND_MOST_FRAMES)

    def read(self, size_bytes: int, timeout_s: float) -> bytes:
        """Take a period. Once the first was given each is whole, whatever stands in for what is missing."""
        if self._is_lost():
            return b""
        samples = self._next(size_bytes // 2, timeout_s / 2)  # what is read has to be handed over within a period, too
        if samples:
            self._has_begun, self._sounded_s = True, time.monotonic()
        if not self._has_begun:
            return b""
        self.filled_bytes += size_bytes - 2 * len(samples)
        return samples.tobytes().ljust(size_bytes, b"\0")

    def _next(self, frames: int, timeout_s: float) -> array[int]:
        """The next period; what is the last before a gap is faded out, and so some periods are taken ahead of it."""
        if self._in_gap:
            least_frames = AGAIN_AHEAD_FRAMES if self._has_begun else START_AHEAD_FRAMES
            self._ahead = faded_in(self._stream.take(AHEAD_PERIODS * frames, least_frames, timeout_s))
            self._in_gap = not self._ahead
        else:
            wait_s = timeout_s if len(self._ahead) <= frames else 0.0
            self._ahead += self._stream.take(AHEAD_PERIODS * frames - len(self._ahead), 1, wait_s)
        if len(self._ahead) <= frames:
            self._ahead, self._in_gap = faded_out(self._ahead), True
            self._distance.forget()
        else:
            self._ahead = self._distance.kept(self._ahead, self._stream.behind_frames)
        samples, self._ahead = self._ahead[:frames], self._ahead[frames:]
        return samples

    def _is_lost(self) -> bool:
        now_s = time.monotonic()
        silent = now_s > self._sounded_s + LIVE_LOST_MS / 1_000
        if silent or now_s > max(self._audible_s, self._stream.audible_s) + QUIET_MS / 1_000:
            self.failure = "live-lost"
        return self.failure is not None

    @property
    def exhausted(self) -> bool:
        """Tell whether it is lost."""
        return self.failure is not None

    def ends_within(self, size_bytes: int) -> bool:
        """Nothing is to follow."""
        return False

    def close(self) -> None:
        """Others may have the air; it is followed on."""
        self._stream.keep(KEPT_FRAMES)
