"""Plain streams that are followed, each on a thread of its own: from an address that the config allows into a socket.

At the other end of the socket is the player, which decodes what comes and tells whether there is sound in it. A stream
that breaks is opened again, soon and then more seldom, until it is left; each connection, and each place at which it
begins anew, gets a socket of its own. Nothing that a server sends is kept but what the player has not taken yet, which
holds the server back; a player that takes nothing is given another socket.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing

import structlog

from ttcs_edge.core.effects import FollowStream, LeaveStream
from ttcs_edge.core.events import Event, StreamFailed
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.link.allowed import Allowed, Answer, stream_error
from ttcs_edge.link.glances import GLANCE_S, FetchError, Stopped
from ttcs_edge.link.hls import BEGINNING, Hls
from ttcs_edge.link.stream_kinds import HEAD_BYTES, kind_of
from ttcs_edge.settings import StreamSettings

AGAIN_S = (1.0, 2.0, 4.0, 8.0)
STUCK_S = 30.0
"""How long the player may take nothing."""
HELD_BYTES = 8 * 1024
"""How much may wait in a socket: little enough that the weakest stream empties it in some seconds. For as long as three
quarters of it are full, the kernel does not say that there is room.
"""
GOOD_S = 10.0
"""A connection that lasts so long was a good one: the next is tried as soon as the first."""
HTML = frozenset({"text/html", "application/xhtml+xml"})

Hand = Callable[[int, str, int], None]
"""Gives the player a socket: of which stream, what kind comes through it, its descriptor."""
_log = structlog.get_logger()


class Streams:
    """The streams that are followed."""

    def __init__(self, settings: StreamSettings, hand: Hand, leave: Callable[[int], None]) -> None:
        """``hand`` and ``leave`` tell the player what to decode."""
        self._settings = settings
        self._hand = hand
        self._leave = leave
        self._followers: dict[int, _Follower] = {}

    def follow(self, effect: FollowStream, post: Callable[[Event], None]) -> None:
        """Begin to follow one; what is wrong with it is told once for each new reason."""
        self._followers[effect.stream] = _Follower(effect, self._settings, self._hand, self._leave, post)

    def leave(self, effect: LeaveStream) -> None:
        """Follow one no more."""
        follower = self._followers.pop(effect.stream, None)
        if follower is not None:
            follower.leave()

    def close(self, timeout_s: float) -> None:
        """Leave all of them."""
        followers, self._followers = self._followers, {}
        for follower in followers.values():
            follower.leave()
        for follower in followers.values():
            follower.thread.join(timeout_s)


class _PlayerGone(Exception):
    """Nobody takes what is sent."""


class _Follower:
    def __init__(
        self,
        effect: FollowStream,
        settings: StreamSettings,
        hand: Hand,
        let_go: Callable[[int], None],
        post: Callable[[Event], None],
    ) -> None:
        self._effect = effect
        self._hand = hand
        self._let_go = let_go
        self._post = post
        self._left = threading.Event()
        self._allowed = Allowed(settings, self._left.is_set)
        self._hls = Hls(self._allowed, self._wait)
        self._socket: socket.socket | None = None
        self._told = ""
        self.thread = threading.Thread(target=self._run, name=f"stream-{effect.stream}", daemon=True)
        self.thread.start()

    def leave(self) -> None:
        """End soon."""
        self._left.set()

    def _wait(self, span_s: float) -> None:
        if self._left.wait(max(0.0, span_s)):
            raise Stopped

    def _run(self) -> None:
        tries = 0
        while not self._left.is_set():
            begun_s = time.monotonic()
            try:
                self._relay()
            except Stopped:
                break
            except _PlayerGone:
                pass
            except FetchError as error:
                self._tell(error)
            except Exception as error:  # no server may end this thread
                _log.exception("stream-failed", url=self._effect.url)
                self._tell(stream_error("stream-away", self._effect.url, error=repr(error)))
            self._close()
            tries = 0 if time.monotonic() > begun_s + GOOD_S else tries
            self._left.wait(AGAIN_S[min(tries, len(AGAIN_S) - 1)])
            tries += 1
        self._close()
        self._let_go(self._effect.stream)  # behind the last socket that it was handed

    def _tell(self, error: FetchError) -> None:
        if error.code != self._told:
            self._told = error.code
            self._post(StreamFailed(self._effect.stream, error.code, error.detail))

    def _relay(self) -> None:
        """Open it and pass on what comes, until it ends."""
        with self._allowed.opened(self._effect.url) as answer:
            head = _head(answer)
            if not head.startswith(BEGINNING):
                self._begin(head, answer.url)
                while data := answer.read():
                    self._told = ""
                    self._send(data)
                return
        playlist = self._allowed.read(answer.url, LIMITS.stream_playlist_bytes)
        for part in self._hls.parts(playlist):
            if part.begins_anew:
                self._close()
                self._begin(part.data, playlist.url)
            else:
                self._send(part.data)
            self._told = ""

    def _begin(self, data: bytes, url: str) -> None:
        """Give the player another socket, and send these bytes through it from where they begin."""
        kind = kind_of(data)
        if kind is None:
            raise stream_error("stream-not-audio", url, found=repr(data[:40]))
        self._socket, theirs = socket.socketpair()
        with closing(theirs):
            self._hand(self._effect.stream, kind.name, theirs.fileno())
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, HELD_BYTES)
        self._socket.setblocking(False)
        self._send(data[kind.begin :])

    def _send(self, data: bytes) -> None:
        """Send to the player as fast as it takes it. Raises Stopped, or _PlayerGone."""
        assert self._socket is not None, "not begun"
        view, poll, taken_s = memoryview(data), select.poll(), time.monotonic()
        poll.register(self._socket, select.POLLOUT)
        while view:
            if self._left.is_set():
                raise Stopped
            if not poll.poll(GLANCE_S * 1_000):
                if time.monotonic() > taken_s + STUCK_S:
                    raise _PlayerGone
                continue
            try:
                view = view[self._socket.send(view) :]
            except OSError as error:
                raise _PlayerGone from error
            taken_s = time.monotonic()

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _head(answer: Answer) -> bytes:
    """The first bytes of an answer, until they show what it is. Raises FetchError ``stream-not-audio``."""
    if answer.media_type in HTML:  # a login page of the network, or the page on which the stream is played
        raise stream_error("stream-not-audio", answer.url, found=answer.media_type)
    head = b""
    while len(head) < HEAD_BYTES and (data := answer.read()):
        head += data
        if kind_of(head) is not None or (len(head) >= len(BEGINNING) and head.startswith(BEGINNING)):
            break
    return head
