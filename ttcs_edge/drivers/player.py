"""The player as the daemon has it: a process of its own that is replaced when it dies or hangs (decision 4)."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from ttcs_edge.core import events
from ttcs_edge.core.events import Event
from ttcs_edge.core.model import AudioItem, VerifiedAudio
from ttcs_edge.player import messages
from ttcs_edge.player.messages import PACKET_BYTES, Item, Play, Prepare, Stop
from ttcs_edge.settings import SoundDriver, SoundSettings

SILENT_S = 0.4
"""How long a player may say nothing before it counts as hung; it speaks every 100 ms."""
START_S = 10.0
"""How long a new player may take to say its first word."""
BACKOFF_S = (0.0, 0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits before the 1st, 2nd, ... replacement without any sound in between; proof of sound begins anew."""

Audio = Sequence[tuple[AudioItem, VerifiedAudio]]


class Player(Protocol):
    """What plays sound.

    Must: post PlayerReady when it can play, SoundStarted, SoundProgress ten times a second, and SoundEnded once for
    each play, or PlayerGone. Never: block a caller for more than some milliseconds. Any thread may call.
    """

    def prepare(self, audio: Audio) -> None:
        """Decode the beginning ahead."""

    def play(
        self, play: int, audio: Audio, from_ms: int, at_mono_ns: int, volume_percent: int, fade_in_ms: int
    ) -> None:
        """Play; the first period is handed over at ``at_mono_ns`` of the monotonic clock, or at once."""

    def stop(self, play: int, fade_out_ms: int) -> None:
        """Fade out and end a play."""

    def close(self, timeout_s: float) -> None:
        """End the player."""


class PlayerProcess:
    """Starts, feeds, watches and replaces the player process. Events go out through ``post``."""

    def __init__(self, settings: SoundSettings) -> None:
        self._settings = settings
        self._post: Callable[[Event], None] = lambda event: None
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._deaths = 0
        self._written_ms = 0
        self._spawn()

    def watch(self, post: Callable[[Event], None]) -> None:
        """Begin to pass on what the player says, and to replace it."""
        self._post = post
        threading.Thread(target=self._watch, name="player-watch", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process id of the player of this moment."""
        return self._process.pid

    def _spawn(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        settings = self._settings
        device = str(settings.wav_file) if settings.driver is SoundDriver.WAV else settings.device
        arguments = [str(theirs.fileno()), settings.driver.value, device, str(settings.buffer_ms)]
        process = subprocess.Popen(
            [sys.executable, "-m", "ttcs_edge.player", *arguments],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        ours.settimeout(SILENT_S)
        with self._lock:
            self._process, self._socket = process, ours

    def prepare(self, audio: Audio) -> None:
        """Decode the beginning of the first item ahead."""
        self._send(Prepare(_items(audio), 0), audio)

    def play(
        self, play: int, audio: Audio, from_ms: int, at_mono_ns: int, volume_percent: int, fade_in_ms: int
    ) -> None:
        """Play from a position of the whole."""
        self._send(Play(play, _items(audio), from_ms, at_mono_ns, volume_percent, fade_in_ms), audio)

    def stop(self, play: int, fade_out_ms: int) -> None:
        """Fade out and end a play."""
        self._send(Stop(play, fade_out_ms), ())

    def _send(self, command: messages.Command, audio: Audio) -> None:
        fds = [verified.fd for _, verified in audio]
        try:
            with self._lock:
                socket.send_fds(self._socket, [msgspec.json.encode(command)], fds)
        except OSError:
            pass  # the watching thread sees the same end and tells of it

    def close(self, timeout_s: float) -> None:
        """Let the player fade out and go; kill it when it does not."""
        self._closing.set()
        self._socket.shutdown(socket.SHUT_WR)
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _watch(self) -> None:
        decoder = msgspec.json.Decoder(messages.Answer)
        while not self._closing.is_set():
            reason = self._listen(decoder)
            if self._closing.is_set():
                return
            self._replace(reason)

    def _listen(self, decoder: msgspec.json.Decoder[messages.Answer]) -> str:
        """Pass on what the player says until it dies or falls silent; gives the reason."""
        deadline_s = time.monotonic() + START_S
        heard = False
        while True:
            try:
                data = self._socket.recv(PACKET_BYTES)
            except TimeoutError:
                if heard or time.monotonic() > deadline_s:
                    return "hung"
                continue
            except OSError:
                data = b""
            if not data:
                return "died"
            heard = True
            self._pass_on(decoder.decode(data))

    def _pass_on(self, answer: messages.Answer) -> None:
        match answer:
            case messages.Ready(device):
                self._post(events.PlayerReady(device))
            case messages.Started(play, mono_ns):
                self._written_ms = 0
                self._post(events.SoundStarted(play, mono_ns))
            case messages.Progress(play, written_ms, rms_db, peak_db, underruns):
                self._deaths, self._written_ms = 0, written_ms
                self._post(events.SoundProgress(play, written_ms, rms_db, peak_db, underruns))
            case messages.Ended(play, completed, item_written_ms, failure):
                self._written_ms = 0
                self._post(events.SoundEnded(play, completed, item_written_ms, failure))
            case messages.Device(ok, device, error):
                self._post(events.SoundDevice(ok, device, error))
            case messages.Alive():
                pass

    def _replace(self, reason: str) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        self._socket.close()
        self._post(events.PlayerGone(reason, self._written_ms))
        self._written_ms = 0
        wait_s = BACKOFF_S[min(self._deaths, len(BACKOFF_S) - 1)]
        self._deaths += 1
        if not self._closing.wait(wait_s):
            self._spawn()


def _items(audio: Audio) -> tuple[Item, ...]:
    return tuple(Item(item.sha256, item.duration_ms) for item, _ in audio)
