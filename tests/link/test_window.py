"""The window of a real TCP connection: how much a sender may have under way before anybody reads."""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.parts import eventually
from ttcs_edge.link import window
from ttcs_edge.link.window import BEGIN_BYTES, MOST_BYTES, Window, give_room, hold_back

SLACK = 2
"""A kernel may round up, but not to more than twice as much."""


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    """One that was held back; its other end sends without end."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as near:
        hold_back(near)
        near.connect(server.getsockname())
        far, _ = server.accept()
        threading.Thread(target=_send_for_ever, args=(far,), daemon=True).start()
        yield near
        far.close()


def _send_for_ever(far: socket.socket) -> None:
    with suppress(OSError):
        while True:
            far.sendall(b"x" * 4_096)


def waiting_bytes(near: socket.socket) -> int:
    """How much lies in the kernel, once no more comes."""
    before = -1
    while (found := _unread(near)) != before or not found:
        before = found
        time.sleep(0.1)  # a sender without end would have sent more by then
    return found


def _unread(near: socket.socket) -> int:
    return int(struct.unpack("i", fcntl.ioctl(near, termios.FIONREAD, b"\0" * 4))[0])


def drain(near: socket.socket, size_bytes: int) -> None:
    """Read so much."""
    while size_bytes > 0:
        size_bytes -= len(near.recv(min(size_bytes, 65_536)))


def test_a_sender_has_little_under_way_from_the_first_packet_on(connection: socket.socket) -> None:
    """What was offered once cannot be taken back, so little is offered at once."""
    assert waiting_bytes(connection) <= SLACK * BEGIN_BYTES


def test_what_comes_at_its_own_pace_is_given_room(connection: socket.socket) -> None:
    """A stream at 128 kbit/s over a satellite has more under way than that."""
    give_room(connection)
    drain(connection, 4 * BEGIN_BYTES)
    assert SLACK * BEGIN_BYTES < waiting_bytes(connection) <= SLACK * MOST_BYTES


def test_the_window_follows_what_the_line_carries(monkeypatch: pytest.MonkeyPatch, connection: socket.socket) -> None:
    """A reader that takes much is sent much, one that takes little, as a slow line does, little."""
    monkeypatch.setattr(window, "LOOK_EVERY_S", 0.05)
    held = Window(connection)

    def reads_much() -> bool:
        drain(connection, 262_144)
        held.look()
        return _unread(connection) > SLACK * BEGIN_BYTES

    def reads_little() -> bool:
        drain(connection, 300)  # thirty kilobytes a second
        held.look()
        return _unread(connection) <= 32_768

    eventually(reads_much)
    waiting_bytes(connection)
    assert _unread(connection) > MOST_BYTES // SLACK
    eventually(reads_little)


def test_it_tells_how_long_nothing_has_come(connection: socket.socket) -> None:
    """Whatever is still waiting to be read."""
    held = Window(connection)
    waiting_bytes(connection)
    time.sleep(0.3)  # the silence that is to be told
    assert 0.3 <= held.silent_s() < 2
