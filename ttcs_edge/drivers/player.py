"""The player as the daemon has it: a process of its own that is replaced when it dies or hangs (decision 4).

How one begins and ends is ``player_launch``'s.
"""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, Protocol

import msgspec

from ttcs_edge.core import events
from ttcs_edge.core.events import Event
from ttcs_edge.core.model import AudioItem, VerifiedAudio
from ttcs_edge.drivers.player_launch import Launch, Running, child, device_of
from ttcs_edge.drivers.sound_input import input_file
from ttcs_edge.opus import PACKET_MOST_BYTES
from ttcs_edge.player import messages
from ttcs_edge.player.messages import (
    FDS_MOST,
    PACKET_BYTES,
    SEGMENT_PACKETS,
    CopySent,
    Dial,
    Files,
    Follow,
    Item,
    Leave,
    Live,
    Play,
    PlayStream,
    Prepare,
    Segment,
    Sounding,
    StandBy,
    Stop,
    Talk,
    Volume,
)
from ttcs_edge.settings import InputSettings, SoundSettings

SILENT_S = 0.4
"""How long a player that plays may say nothing before it counts as hung; it speaks every 100 ms."""
EXPECTING_SILENT_S = 2.0
"""The same for one that was told what comes next: it speaks every 500 ms, and the cue is seconds away."""
IDLE_SILENT_S = 12.0
"""The same for one with nothing to play, which speaks every 5 s: nobody hears it, a machine that is busy is no reason
to replace it, and from the moment that it is told more it has to answer within the times above."""
START_S = 10.0
"""How long a new player may take to say its first word."""
GONE_S = 1.0
"""How long one that was told to end is waited for before the next one begins: the service manager has seconds more to
end it, and a cue waits for nobody.
"""
BACKOFF_S = (0.0, 0.0, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Waits before the 1st, 2nd, ... replacement without any sound in between; proof of sound begins anew."""
NUMBER_MOST = 2**53 - 1
"""What a player counts or dates: no report can carry more, and nothing below zero."""
DIALS_FROM = 2**50
"""The number of the first dialling: the core's plays have smaller ones."""
LEVEL_MOST_DB = 1_000.0
TEXT_CHARS = 5_000
"""The longest name of a device is a path."""

_ALIVE = messages.encode(messages.Alive())

Audio = Sequence[tuple[AudioItem, VerifiedAudio]]


class Player(Protocol):
    """What plays sound.

    Must: post PlayerReady when it can play, SoundStarted, SoundProgress ten times a second, and SoundEnded once for
    each play, or PlayerGone. Never: block a caller for more than some milliseconds. Any thread may call.
    """

    def prepare(self, audio: Audio) -> None:
        """Decode the first second ahead; it may then wait for as long as it likes."""

    def stand_by(self, audio: Audio) -> None:
        """Keep the first second of each decoded from now on, also after it was played. The files stay the caller's."""

    def play(
        self,
        player: int,
        play: int,
        audio: Audio,
        from_ms: int,
        at_mono_ns: int,
        volume_percent: int,
        fade_in_ms: int,
    ) -> None:
        """Play; the first period is handed over at ``at_mono_ns`` of the monotonic clock, or at once.

        Nothing is played when ``player`` (of ``PlayerReady``) is gone, whatever came after it.
        """

    def talk(self, player: int, play: int, at_mono_ns: int, volume_percent: int, fade_in_ms: int) -> None:
        """Play what the sound input hears from ``at_mono_ns`` on, until it is stopped; ``player`` as with ``play``."""

    def live(self, player: int, play: int, at_mono_ns: int, volume_percent: int, fade_in_ms: int) -> None:
        """Play what ``segment`` brings from ``at_mono_ns`` on, until the last of it; ``player`` as with ``play``."""

    def segment(self, play: int, number: int, packets: Sequence[bytes], last: bool) -> None:
        """The next of a live play: up to 100 Opus packets of 20 ms, verified. What comes for no play is left out."""

    def follow(self, stream: int, kind: str, fd: int) -> None:
        """Have what comes through a socket decoded as the next of a stream, one of ``messages.STREAM_KINDS``.

        The socket stays the caller's; where nobody took it, its other end sees so once the caller closes it.
        """

    def leave(self, stream: int) -> None:
        """Follow a stream no more."""

    def play_stream(self, player: int, play: int, stream: int, volume_percent: int, fade_in_ms: int) -> None:
        """Play a stream that is followed, at once, until it is stopped; ``player`` as with ``play``."""

    def dial(self, digits: str, digit_ms: int, gap_ms: int, answer: Callable[[str | None], None]) -> None:
        """Play digits at once, as ``player.digits`` has them; ``answer`` hears None when all of it was written, else
        why not. Nothing is posted of it.
        """

    def stop(self, play: int, fade_out_ms: int) -> None:
        """Fade out and end a play."""

    def turn(self, play: int, volume_percent: int) -> None:
        """Make a play as loud as this within a fifth of a second, without a click; one that is over is left alone."""

    def close(self, timeout_s: float) -> None:
        """End the player."""


class PlayerProcess:
    """Starts, feeds, watches and replaces the player process. Events go out through ``post``."""

    def __init__(
        self, settings: SoundSettings, sound_input: InputSettings | None = None, launch: Launch = child
    ) -> None:
        """``sound_input`` is what ``talk`` plays."""
        self._settings = settings
        self._launch = launch
        self._input = sound_input
        self._post: Callable[[Event], None] = lambda event: None
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._deaths = 0
        self._started = 0
        self._written_ms = 0
        self._plays = False
        self._expects = False
        self._items: dict[int, int] = {}
        self._dials: dict[int, Callable[[str | None], None]] = {}
        self._numbers = count(DIALS_FROM)
        self._standing: Audio = ()
        self._sent_fd: int | None = None
        self._running: Running | None = None
        self._asked = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._spawn()

    def watch(self, post: Callable[[Event], None]) -> None:
        """Begin to pass on what the player says, and to replace it."""
        self._post = post
        threading.Thread(target=self._watch, name="player-watch", daemon=True).start()

    @property
    def pid(self) -> int | None:
        """The process id of the player of this moment, if there is one that has it known."""
        running = self._running
        return running.pid if running else None

    def _spawn(self) -> None:
        """Start a player; a machine that has no room for one has none, until the next attempt."""
        try:
            running = self._launch(self._settings, self._started + 1)
        except OSError:
            return
        with self._lock:
            self._started += 1
            self._items = {}
            self._running, self._plays, self._expects = running, False, False
            if self._closing.is_set():
                running.kill()
        self._tell_copy()
        self._tell_standing()

    def prepare(self, audio: Audio) -> None:
        """Decode the beginning of the first item ahead."""
        first = audio[:1]
        self._send(Prepare(_items(first)[0], 0), first)

    def stand_by(self, audio: Audio) -> None:
        """Tell the player of this moment, and each that follows."""
        self._standing = audio
        self._tell_standing()

    def copy_sent(self, fd: int) -> None:
        """Have each player copy what it writes into this memory file (``player.sent``); it stays the caller's."""
        self._sent_fd = fd
        self._tell_copy()

    def _tell_copy(self) -> None:
        if self._sent_fd is not None:
            self._send(CopySent(), (), sockets=(self._sent_fd,))

    def _tell_standing(self) -> None:
        for one in self._standing:
            self._send(StandBy(_items([one])[0]), [one])

    def play(
        self,
        player: int,
        play: int,
        audio: Audio,
        from_ms: int,
        at_mono_ns: int,
        volume_percent: int,
        fade_in_ms: int,
    ) -> None:
        """Play from a position of the whole."""
        self._send(Play(play, _items(audio), from_ms, at_mono_ns, volume_percent, fade_in_ms), audio, player)

    def talk(self, player: int, play: int, at_mono_ns: int, volume_percent: int, fade_in_ms: int) -> None:
        """Play what the input hears."""
        assert self._input is not None, "the core wants an input that station.yaml does not have"
        command = Talk(play, self._input.driver.value, device_of(self._input), at_mono_ns, volume_percent, fade_in_ms)
        with input_file(self._input) as fds:
            self._send(command, (), player, fds)

    def live(self, player: int, play: int, at_mono_ns: int, volume_percent: int, fade_in_ms: int) -> None:
        """Play what comes in segments."""
        self._send(Live(play, at_mono_ns, volume_percent, fade_in_ms), (), player)

    def segment(self, play: int, number: int, packets: Sequence[bytes], last: bool) -> None:
        """Pass one on. A packet longer than there are is passed on empty: it is concealed, and counted, as one lost."""
        fitting = tuple(packet if len(packet) <= PACKET_MOST_BYTES else b"" for packet in packets[:SEGMENT_PACKETS])
        self._send(Segment(play, number, fitting, last), ())

    def follow(self, stream: int, kind: str, fd: int) -> None:
        """Hand a socket over."""
        self._send(Follow(stream, kind), (), sockets=(fd,))

    def leave(self, stream: int) -> None:
        """Follow it no more."""
        self._send(Leave(stream), ())

    def play_stream(self, player: int, play: int, stream: int, volume_percent: int, fade_in_ms: int) -> None:
        """Play what comes of a stream."""
        self._send(PlayStream(play, stream, time.monotonic_ns(), volume_percent, fade_in_ms), (), player)

    def dial(self, digits: str, digit_ms: int, gap_ms: int, answer: Callable[[str | None], None]) -> None:
        """Play digits; one dialling at a time."""
        running, play = self._running, next(self._numbers)
        if running is None:
            answer("player-died")
            return
        self._dials[play] = answer
        self._send(Dial(play, digits, digit_ms, gap_ms, time.monotonic_ns(), 100, 0), (), running.number)
        if self._running is not running:  # it is gone, and who told so may have come too early
            self._dialled(play, "player-died")

    def _dialled(self, play: int, failure: str | None) -> None:
        answer = self._dials.pop(play, None)
        if answer is not None:
            answer(failure)

    def stop(self, play: int, fade_out_ms: int) -> None:
        """Fade out and end a play."""
        self._send(Stop(play, fade_out_ms), ())

    def turn(self, play: int, volume_percent: int) -> None:
        """Make a play louder, or less loud."""
        self._send(Volume(play, volume_percent), ())

    def _send(
        self, command: messages.Command, audio: Audio, player: int | None = None, sockets: Sequence[int] = ()
    ) -> None:
        """Send a command behind the files that it names, with sockets; to a player that is gone, nothing is sent."""
        fds = {item.sha256: verified.fd for item, verified in audio}
        names = tuple(fds)
        with self._lock:
            running = self._running
            if running is None or player not in (None, running.number):
                return
            try:
                for begin in range(0, len(names), FDS_MOST):
                    some = names[begin : begin + FDS_MOST]
                    socket.send_fds(running.socket, [messages.encode(Files(some))], [fds[name] for name in some])
                if isinstance(command, Sounding):
                    self._plays, self._expects = True, False
                    self._items[command.play] = messages.parts(command)
                socket.send_fds(running.socket, [messages.encode(command)], sockets)
                if isinstance(command, Prepare):
                    self._expects = True
                if not isinstance(command, Stop | StandBy | Segment | Follow | CopySent | Leave | Volume):
                    os.eventfd_write(self._asked, 1)  # the listener has less patience from here on
            except TimeoutError:
                running.kill()  # it has not listened for so long that a command is lost
            except OSError:
                pass  # the watching thread sees the same end and tells of it

    def close(self, timeout_s: float) -> None:
        """Let the player fade out and go; kill it when it does not."""
        with self._lock:
            self._closing.set()
            running = self._running
        if running is None:
            return
        with suppress(OSError):
            running.socket.shutdown(socket.SHUT_WR)
        if not running.is_gone_within(timeout_s):
            running.kill()
            running.is_gone_within(GONE_S)

    def _watch(self) -> None:
        while not self._closing.is_set():
            reason = "died" if self._running is None else self._listen(self._running.socket)
            if not self._closing.is_set():
                self._replace(reason)

    def _listen(self, connection: socket.socket) -> str:
        """Pass on what the player says until it dies, falls silent or talks nonsense; gives the reason."""
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        poll.register(self._asked, select.POLLIN)
        since_s, spoke = time.monotonic(), False
        while True:
            left_s = since_s + self._patience_s(spoke) - time.monotonic()
            ready = {fd for fd, _ in poll.poll(max(0.0, left_s) * 1_000)}
            if not ready:
                return "hung"
            if self._asked in ready:
                os.eventfd_read(self._asked)
                since_s = time.monotonic()
            if connection.fileno() in ready:
                if not self._hear(connection):
                    return "died"
                since_s, spoke = time.monotonic(), True

    def _patience_s(self, spoke: bool) -> float:
        if self._plays:
            return SILENT_S
        return START_S if not spoke else EXPECTING_SILENT_S if self._expects else IDLE_SILENT_S

    def _hear(self, connection: socket.socket) -> bool:
        """Pass on what the player has said; False when it is gone or talks nonsense."""
        try:
            data = connection.recv(PACKET_BYTES)
            if data == _ALIVE:
                return True
            answer = _read_answer(data)
        except (OSError, ValueError):
            return False
        if not self._makes_sense(answer):
            return False
        self._pass_on(answer)
        return True

    def _makes_sense(self, answer: messages.Answer) -> bool:
        """The end of a play tells of each of its items, once, and fails for a reason that there is."""
        if not isinstance(answer, messages.Ended):
            return True
        if answer.failure not in messages.FAILURES:
            return False
        return len(answer.item_written_ms) == self._items.pop(answer.play, None)

    def _pass_on(self, answer: messages.Answer) -> None:
        match answer:
            case messages.Ready(device):
                self._post(events.PlayerReady(device, self._started))
            case messages.Started(play) if play >= DIALS_FROM:
                self._plays = True
            case messages.Progress(play) if play >= DIALS_FROM:
                self._deaths = 0
            case messages.Ended(play, completed, _, failure) if play >= DIALS_FROM:
                self._plays = False
                self._dialled(play, None if completed else failure or "stopped")
            case messages.Started(play, mono_ns):
                self._written_ms, self._plays = 0, True
                self._post(events.SoundStarted(play, mono_ns))
            case messages.Progress(play, written_ms, rms_db, peak_db, underruns):
                self._deaths, self._written_ms = 0, written_ms
                self._post(events.SoundProgress(play, written_ms, rms_db, peak_db, underruns))
            case messages.Ended(play, completed, item_written_ms, failure):
                self._written_ms, self._plays = 0, False
                self._post(events.SoundEnded(play, completed, item_written_ms, failure))
            case messages.Heard(stream):
                self._post(events.StreamHeard(stream))
            case messages.Device(ok, device, error):
                self._post(events.SoundDevice(ok, device, error))
            case messages.Alive():
                pass

    def _replace(self, reason: str) -> None:
        """Make sure that the old player is silent, tell so, and start a new one when its time has come."""
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            running.kill()
            running.is_gone_within(GONE_S)
            running.socket.close()
        for play in list(self._dials):
            self._dialled(play, "player-died")
        self._post(events.PlayerGone(reason, self._written_ms))
        self._written_ms = 0
        wait_s = BACKOFF_S[min(self._deaths, len(BACKOFF_S) - 1)]
        self._deaths += 1
        if not self._closing.wait(wait_s):
            self._spawn()


def _items(audio: Audio) -> tuple[Item, ...]:
    return tuple(Item(item.sha256, item.duration_ms) for item, _ in audio)


def _read_answer(data: bytes) -> messages.Answer:
    """What a player says, every type and bound of it checked. Raises ValueError for all else."""
    try:
        packet = msgspec.json.decode(data, type=list[Any])
        answer = msgspec.convert(packet[1:], messages.ANSWERS[str(packet[0])])
    except (msgspec.MsgspecError, LookupError, RecursionError) as error:
        raise ValueError(type(error).__name__) from error
    if not all(map(_is_bounded, answer)):
        raise ValueError("out of bounds")
    return answer


def _is_bounded(value: object) -> bool:
    """Tell whether a report can carry a value on."""
    match value:
        case int():
            return 0 <= value <= NUMBER_MOST
        case float():
            return abs(value) <= LEVEL_MOST_DB
        case str():
            return len(value) <= TEXT_CHARS
        case tuple():
            return all(map(_is_bounded, value))
    return value is None
