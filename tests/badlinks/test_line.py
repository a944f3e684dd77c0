"""The line does what it is told to, and no more: else the bad links would prove nothing, or too much."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.badlinks.line import CLEAR, CUT, Line, Way, narrow
from tests.badlinks.place import Place, why_not

PORT = 9_000
NUMBER = 254
missing = why_not()
pytestmark = pytest.mark.skipif(missing is not None, reason=missing or "")


@dataclass
class Ends:
    """A line with somebody at each end."""

    line: Line
    near: socket.socket
    far: socket.socket

    def send(self, packets: int, size_bytes: int = 100) -> None:
        """From the pole to the centre."""
        for number in range(packets):
            self.near.sendto(number.to_bytes(2, "big") + bytes(size_bytes - 30), (self.line.far, PORT))

    def arrived(self, quiet_s: float) -> list[float]:
        """When each packet came, until none came for a while."""
        at_s = []
        self.far.settimeout(quiet_s)
        try:
            while True:
                self.far.recv(2_000)
                at_s.append(time.monotonic())
        except TimeoutError:
            return at_s


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A clear line, and a socket at each end."""
    pole, centre = Place(), Place()
    line = Line(pole, centre, NUMBER)
    udp: Callable[[], socket.socket] = lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # noqa: E731
    near, far = pole.run(udp), centre.run(udp)
    far.bind((line.far, PORT))
    yield Ends(line, near, far)
    for end in (near, far, line, pole, centre):
        end.close()


def test_a_clear_line_carries_everything_at_once(ends: Ends) -> None:
    """Nothing is lost but by request."""
    began_s = time.monotonic()
    ends.send(100)
    at_s = ends.arrived(0.3)
    assert len(at_s) == 100 and at_s[-1] - began_s < 0.3


@pytest.mark.parametrize(
    ("way", "size_bytes", "least", "most"),
    [
        (CUT, 100, 0, 0),
        (Way(loss=0.3), 100, 55, 85),
        (Way(largest_bytes=576), 577, 0, 0),
        (Way(largest_bytes=576), 576, 100, 100),
    ],
    ids=["cut", "loses-a-third", "too-large", "not-too-large"],
)
def test_what_is_to_be_lost_is_lost_and_one_way_only(
    ends: Ends, way: Way, size_bytes: int, least: int, most: int
) -> None:
    """The other way stays as it was."""
    ends.line.be(up=way)
    ends.send(100, size_bytes)
    assert least <= len(ends.arrived(0.3)) <= most

    ends.near.settimeout(1)
    ends.far.sendto(b"down", (ends.line.near, ends.near.getsockname()[1]))
    assert ends.near.recv(10) == b"down"
    ends.line.be(CLEAR)
    ends.send(10, size_bytes)
    assert len(ends.arrived(0.3)) == 10


def test_a_delay_is_that_long_and_a_narrow_line_that_narrow(ends: Ends) -> None:
    """200 ms, and 2 KB a second for 20 packets of 100 bytes."""
    ends.line.be(Way(delay_s=0.2))
    began_s = time.monotonic()
    ends.send(1)
    assert 0.2 <= ends.arrived(0.5)[0] - began_s < 0.3

    ends.line.be(narrow(2_000))
    began_s = time.monotonic()
    ends.send(20)
    assert 0.9 < ends.arrived(0.5)[-1] - began_s < 1.3


def test_nothing_is_left_of_a_line_on_this_machine(ends: Ends) -> None:
    """Its devices and addresses are in the places, and go with them."""
    names = [name for _, name in socket.if_nameindex()]
    assert not [name for name in names if name.startswith(("to-pole", "to-centre"))]
