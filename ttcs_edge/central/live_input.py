"""What a live relay is made of: a sound input, a file or a stream, as samples at their own pace, by ffmpeg."""

from __future__ import annotations

import queue
import ssl
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from ttcs_edge.central.centre import now
from ttcs_edge.central.errors import CentralError
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.link.allowed import Allowed
from ttcs_edge.link.glances import FetchError, Stopped
from ttcs_edge.link.hls import Hls
from ttcs_edge.opus import RATE_HZ
from ttcs_edge.settings import StreamSettings
from ttcs_edge.terminal.screen import clean

SILENT_S: Final = 5.0
"""How long an input may give nothing."""
GLANCE_S: Final = 0.2
"""How long it may go unseen that an end is asked for."""
BLOCKS: Final = 8
"""How many blocks may wait: an input that runs ahead is held back, as ffmpeg does by itself."""
DEVICES: Final = {"alsa": ("-f", "alsa"), "pulse": ("-f", "pulse")}
"""Sound inputs, by what stands before their names."""
PLAIN_FORMATS: Final = "aac,flac,matroska,mov,mp3,mpegts,ogg,wav"
AT_ONCE: Final = ("-analyzeduration", "1000000")
"""A second of a stream says what it is: left to itself the newer ffmpeg listens for five before it gives any of it."""
STREAM: Final = (
    *AT_ONCE,
    *("-protocol_whitelist", "https,tls,tcp", "-format_whitelist", PLAIN_FORMATS),
    *("-tls_verify", "1", "-rw_timeout", "5000000", "-re"),
)
"""A stream comes by TLS alone, from the server that its certificate names, also where it is sent on: what comes in here
goes out with the province's signature. ffmpeg checks no certificate unless it is asked to, and none at all of the
pieces of a playlist (HLS, DASH: ``libavformat/hls.c`` hands no TLS option down), so it is given no playlist to follow:
those of HLS are followed here, and it gets the pieces (``PIECES``).

It is read at its own pace (``-re``), as a file is: a server sends the first seconds at once, and stations would hear
them in leaps.
"""


PIECES: Final = (*AT_ONCE, "-protocol_whitelist", "pipe", "-format_whitelist", PLAIN_FORMATS, "-re", "-i", "pipe:0")


def is_hls(what: str) -> bool:
    """Tell whether an input is a stream of many pieces: its address says so (RFC 8216, section 4)."""
    return what.startswith("https://") and urlsplit(what).path.endswith(".m3u8")


def input_options(what: str) -> list[str]:
    """The words by which ffmpeg opens an input. Raises CentralError ``no-live-input`` for what is none."""
    kind, _, name = what.partition(":")
    if kind in DEVICES and name:
        return [*DEVICES[kind], "-i", name]
    if is_hls(what):
        return [*PIECES]
    if what.startswith("https://"):
        # What Python trusts, SSL_CERT_FILE included, as for everything else that the centre fetches.
        trusted = ssl.get_default_verify_paths().cafile
        return [*STREAM, *(("-ca_file", trusted) if trusted else ()), "-i", what]
    if not Path(what).is_file():
        raise CentralError("no-live-input", found=what)
    return ["-re", "-i", f"file:{what}"]


NOT_OURS: Final = b"Warning: using insecure memory!"
"""What libgcrypt, which ffmpeg's TLS brings along, says where memory cannot be locked: nothing about the input."""
A_PLAYLIST: Final = ("not on whitelist", "m3u8/hls")
"""How ffmpeg, the older and the newer, speaks of one that it may not follow."""
NO_CAUSE: Final = b"Error opening input"
"""How the newer ffmpeg ends its story, twice, when it has told what was wrong."""


class Block(Struct, frozen=True):
    """Samples, and when the last of them was heard, in milliseconds since 1970."""

    samples: bytes
    heard_ms: int


class LiveInput:
    """An input that was opened. ``read`` gives one block after another, each as soon as its last sample was heard."""

    def __init__(self, what: str, block_bytes: int) -> None:
        """Raises CentralError ``no-live-input`` or ``program-missing``."""
        self.what = what
        self.is_endless = not Path(what).is_file()
        self._block_bytes = block_bytes
        plain = ["-map", "0:a:0", "-ac", "1", "-ar", str(RATE_HZ), "-f", "s16le", "-flush_packets", "1", "pipe:1"]
        command = ["ffmpeg", "-nostdin", "-v", "error", *input_options(what), *plain]
        try:
            # In a group of its own: a Ctrl-C on the terminal is for the session, which ends it in order.
            self._process = subprocess.Popen(  # noqa: S603 (a list of words, no shell)
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,
                stdin=subprocess.PIPE if is_hls(what) else subprocess.DEVNULL,
            )
        except FileNotFoundError as error:
            raise CentralError("program-missing", program="ffmpeg") from error
        self._blocks: queue.Queue[Block] = queue.Queue(BLOCKS)
        self._closing = threading.Event()
        self._error: deque[bytes] = deque(maxlen=4)
        self._unfed = ""
        self._threads = [
            threading.Thread(target=target, name=name, daemon=True)
            for target, name in ((self._read_samples, "live-input"), (self._read_error, "live-input-error"))
        ]
        if is_hls(what):
            self._threads.append(threading.Thread(target=self._feed_pieces, name="live-input-hls", daemon=True))
        for thread in self._threads:
            thread.start()

    def _read_samples(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        while not self._closing.is_set():
            samples = pipe.read(self._block_bytes)
            self._put(Block(samples, now().wall_ms))
            if not samples:
                return

    def _feed_pieces(self) -> None:
        """Give ffmpeg an HLS stream, piece by piece, each from the server that its certificate names."""
        pipe = self._process.stdin
        assert pipe is not None
        allowed = Allowed(StreamSettings(hosts=None), self._closing.is_set)
        with suppress(Stopped, OSError), pipe:
            try:
                playlist = allowed.read(self.what, LIMITS.stream_playlist_bytes)
                for part in Hls(allowed, self._wait).parts(playlist):
                    pipe.write(part.data)
                    pipe.flush()
            except FetchError as error:
                self._unfed = ", ".join(value for _, value in error.detail)

    def _wait(self, span_s: float) -> None:
        if self._closing.wait(max(0.0, span_s)):
            raise Stopped

    def _put(self, block: Block) -> None:
        while not self._closing.is_set():
            with suppress(queue.Full):
                self._blocks.put(block, timeout=0.1)
                return

    def _read_error(self) -> None:
        pipe = self._process.stderr
        assert pipe is not None
        for line in pipe:
            if line.strip() != NOT_OURS and not line.startswith(NO_CAUSE):
                self._error.append(line.strip())

    def read(self, is_over: Callable[[], bool]) -> Block | None:
        """The next block; a shorter one is the last of a file, None comes behind it, or as soon as it is over.

        Raises CentralError: ``live-input-failed`` when it could not be opened or broke off, ``live-input-playlist``
        when it is a stream of many files, ``live-input-silent`` when it gives nothing.
        """
        deadline_s = time.monotonic() + SILENT_S
        while not is_over():
            try:
                block = self._blocks.get(timeout=GLANCE_S)
            except queue.Empty:
                if time.monotonic() < deadline_s:
                    continue
                raise CentralError("live-input-silent", found=self.what, seconds=int(SILENT_S)) from None
            if block.samples:
                return block
            self._check_end()
            return None
        return None

    def _check_end(self) -> None:
        """See that it ended because it is over. Raises CentralError, as ``read`` does."""
        code = None
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(SILENT_S)
        if code != 0 or self.is_endless:
            self._threads[1].join(1.0)
            told = clean(self._unfed or b" ".join(self._error).decode("utf-8", "replace"))[:200]
            if any(words in told for words in A_PLAYLIST):
                raise CentralError("live-input-playlist", found=self.what)
            raise CentralError("live-input-failed", found=self.what, why=told or "end")

    def close(self) -> None:
        """End it."""
        self._closing.set()
        self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join(1.0)
