"""The thread that looks after the box: readings in, conditions out, each told only when it changes.

The supply is not waited for at the next look: the kernel tells when it dips.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from ttcs_edge.core.events import ConditionChanged, Event
from ttcs_edge.drivers.canary import Canary
from ttcs_edge.drivers.host import BOUNDS, Host, Reading
from ttcs_edge.store.lives import LASTS_S, Lives

LOOK_EVERY_S = 60.0


class Health:
    """Watches from ``start`` until ``close``. ``post`` takes what changed; others who look now and then are called on
    each of its ``rounds``.
    """

    def __init__(
        self,
        host: Host,
        canary: Canary,
        lives: Lives,
        post: Callable[[Event], None],
        look_every_s: float = LOOK_EVERY_S,
        rounds: tuple[Callable[[], None], ...] = (),
    ) -> None:
        self._host = host
        self._canary = canary
        self._lives = lives
        self._post = post
        self._look_every_s = look_every_s
        self._rounds = rounds
        self._present: dict[str, bool] = {}
        self._good_since_s: dict[str, float] = {}
        self._began_s = time.monotonic()
        self._closing = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._looks = threading.Event()
        self._thread = threading.Thread(target=self._run, name="health", daemon=True)

    def start(self) -> None:
        """Count this life, which may not last."""
        self._thread.start()

    def look_around(self) -> None:
        """Begin to look: a start that has a cue to air has the machine for itself."""
        self._canary.start()
        self._looks.set()

    def close(self, timeout_s: float) -> None:
        """End."""
        self._canary.close()
        os.eventfd_write(self._closing, 1)
        self._looks.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def ended_in_order(self) -> None:
        """This life does not count among those that did not last: somebody stopped it."""
        self._lives.lasted()

    def _run(self) -> None:
        self._lives.begin()
        self._looks.wait()
        poll = select.poll()
        poll.register(self._closing, select.POLLIN)
        path, dips = self._host.dips(), -1
        if path is not None:
            with suppress(OSError):
                dips = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                poll.register(dips, select.POLLPRI)
        while True:
            self.look(time.monotonic())
            if dips >= 0:
                with suppress(OSError):
                    os.pread(dips, 16, 0)  # sysfs tells of changes since the last reading of this descriptor
            if any(fd == self._closing for fd, _ in poll.poll(self._look_every_s * 1_000)):
                break
        if dips >= 0:
            os.close(dips)

    def look(self, mono_s: float) -> None:
        """Take every reading once, and tell what changed."""
        if mono_s - self._began_s > LASTS_S and self._lives.count:
            self._lives.lasted()
        trouble, count = self._canary.trouble, self._lives.count
        own = [
            Reading("card-lies", "card", bool(trouble), (("error", trouble),)),
            Reading("restarting", "station", count, (("count", str(count)),)),
        ]
        for reading in [*self._host.readings(), *own]:
            self._judge(reading, mono_s)
        for look in self._rounds:
            look()

    def _judge(self, reading: Reading, mono_s: float) -> None:
        code, bounds, before = reading.code, BOUNDS[reading.code], self._present.get(reading.code)
        if reading.value >= bounds.raised_at:
            self._good_since_s.pop(code, None)
            self._tell(reading, True)
        elif before is None:
            self._tell(reading, False)  # an earlier life may have left it raised
        elif reading.value > bounds.cleared_at:
            self._good_since_s.pop(code, None)
        elif mono_s - self._good_since_s.setdefault(code, mono_s) >= bounds.hold_s:
            self._tell(reading, False)

    def _tell(self, reading: Reading, present: bool) -> None:
        if self._present.get(reading.code) is not present:
            self._present[reading.code] = present
            detail = reading.detail if present else ()
            self._post(ConditionChanged(reading.code, reading.subject, present, detail))
