"""A line between two places, packet by packet: it can lose, delay, be narrow, be cut one way, swallow what is large.

The kernel's own netem would do, but a release must be proven on machines whose kernel has none. So each end is a TUN
device, and one thread carries what the kernels send: the TCP at both ends is real, and so is all that it does about a
bad line. What a line does to a packet is drawn from a seed.
"""

from __future__ import annotations

import fcntl
import heapq
import os
import random
import selectors
import struct
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace

from tests.badlinks.place import TUN, Place

_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
PACKET_BYTES = 1_500
QUEUE_BYTES = 32_768
"""How much waits at the head of a narrow line before it drops: as much as a modem's own buffer."""


@dataclass(frozen=True, slots=True)
class Way:
    """What one direction of a line does to packets."""

    is_open: bool = True
    loss: float = 0.0
    delay_s: float = 0.0
    bytes_a_second: float | None = None
    largest_bytes: int = PACKET_BYTES


CLEAR, CUT = Way(), Way(is_open=False)


@dataclass(slots=True)
class _Direction:
    source: int
    sink: int
    way: Way = CLEAR
    free_at_s: float = 0.0
    carried: int = 0
    carried_bytes: int = 0
    dropped: int = 0
    waiting: list[tuple[float, int, bytes]] = field(default_factory=list)


class Line:
    """A point-to-point line: ``near`` is the pole's end, ``far`` the centre's."""

    def __init__(self, pole: Place, centre: Place, number: int = 1, seed: int = 1) -> None:
        self.near, self.far = f"10.231.{number}.2", f"10.231.{number}.1"
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._order = 0
        fds = pole.run(lambda: _tun("to-centre")), centre.run(lambda: _tun(f"to-pole-{number}"))
        for place, name, own, other in (
            (pole, "to-centre", self.near, self.far),
            (centre, f"to-pole-{number}", self.far, self.near),
        ):
            place.ip(f"address add {own} peer {other} dev {name}")
            place.ip(f"link set {name} mtu {PACKET_BYTES} up")
        pole.ip(f"route add default via {self.far}")
        self._up, self._down = _Direction(fds[0], fds[1]), _Direction(fds[1], fds[0])
        self._stop_read, self._stop_write = os.pipe()
        self._thread = threading.Thread(target=self._carry, name="line", daemon=True)
        self._thread.start()

    def be(self, both: Way | None = None, *, up: Way | None = None, down: Way | None = None) -> None:
        """Change what it does; ``up`` is from the pole to the centre. What is on its way on a cut line is lost."""
        with self._lock:
            for direction, way in ((self._up, up or both), (self._down, down or both)):
                if way is not None:
                    direction.way = way
                    direction.waiting = [] if not way.is_open else direction.waiting

    @property
    def down_bytes(self) -> int:
        """How much it carried from the centre to the pole."""
        return self._down.carried_bytes

    def told(self) -> str:
        """What it carried and dropped."""
        both = [(name, way.carried, way.dropped) for name, way in (("up", self._up), ("down", self._down))]
        return ", ".join(f"{name} {carried} carried {dropped} dropped" for name, carried, dropped in both)

    def close(self) -> None:
        """Take it down, with its devices."""
        os.write(self._stop_write, b"x")
        self._thread.join(10)
        for fd in (self._up.source, self._down.source, self._stop_read, self._stop_write):
            os.close(fd)

    def _carry(self) -> None:
        with selectors.DefaultSelector() as selector:
            for direction in (self._up, self._down):
                selector.register(direction.source, selectors.EVENT_READ, direction)
            selector.register(self._stop_read, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select(self._deliver()):
                    if key.data is None:
                        return
                    self._take(key.data)

    def _take(self, direction: _Direction) -> None:
        with suppress(BlockingIOError):
            while packet := os.read(direction.source, 65_536):
                with self._lock:
                    self._send(direction, packet)

    def _send(self, direction: _Direction, packet: bytes) -> None:
        way, now_s = direction.way, time.monotonic()
        lost = not way.is_open or len(packet) > way.largest_bytes or self._random.random() < way.loss
        if not lost and way.bytes_a_second is not None:
            backlog_s = max(0.0, direction.free_at_s - now_s)
            lost = backlog_s * way.bytes_a_second > QUEUE_BYTES
            if not lost:
                now_s = direction.free_at_s = now_s + backlog_s + len(packet) / way.bytes_a_second
        if lost:
            direction.dropped += 1
            return
        self._order += 1
        heapq.heappush(direction.waiting, (now_s + way.delay_s, self._order, packet))

    def _deliver(self) -> float | None:
        """Hand over what is due; gives how long until the next is."""
        with self._lock:
            now_s = time.monotonic()
            for direction in (self._up, self._down):
                while direction.waiting and direction.waiting[0][0] <= now_s:
                    packet = heapq.heappop(direction.waiting)[2]
                    direction.carried += 1
                    direction.carried_bytes += len(packet)
                    with suppress(OSError):  # the device's queue is full: a packet like any other that is lost
                        os.write(direction.sink, packet)
            waits = [direction.waiting[0][0] - now_s for direction in (self._up, self._down) if direction.waiting]
        return max(0.0, min(waits)) if waits else None


def _tun(name: str) -> int:
    fd = os.open(TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(fd, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    return fd


def narrow(bytes_a_second: float, delay_s: float = 0.0) -> Way:
    """A way that is only so wide."""
    return replace(CLEAR, bytes_a_second=bytes_a_second, delay_s=delay_s)
