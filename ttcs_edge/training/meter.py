"""A pole that hangs on a station's mock lines and on what its player writes, step by step in real time."""

from __future__ import annotations

import math
import threading
import time
from array import array
from collections.abc import Mapping
from pathlib import Path

from ttcs_edge.core.model import ZoneId
from ttcs_edge.drivers.pins import level
from ttcs_edge.training.appended import Appended
from ttcs_edge.training.pole import STEP_MS, Pole


class Hanging:
    """A pole under a station: ``lines`` is the folder of its mock lines, ``aired`` the WAV file of its player; ``pins``
    are those of its zones, ``amplifier`` that of the amplifier.
    """

    def __init__(self, pole: Pole, lines: Path, aired: Path, pins: Mapping[ZoneId, int], amplifier: int) -> None:
        self.pole = pole
        self._lines = lines
        self._aired = Appended(aired)
        self._pins = pins
        self._amplifier = amplifier
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pole", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """It is taken away."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        next_s = time.monotonic()
        while not self._over.wait(max(0.0, next_s - time.monotonic())):
            next_s += STEP_MS / 1_000
            closed = frozenset(zone for zone, pin in self._pins.items() if level(self._lines, pin))
            self.pole.pass_step(bool(level(self._lines, self._amplifier)), closed, self._heard_db())

    def _heard_db(self) -> float | None:
        """How loud it was since the last step; None: nothing was written."""
        samples = array("h", self._aired.read())
        mean = sum(sample * sample for sample in samples) / max(1, len(samples))
        return 10 * math.log10(mean / 32_768**2) if mean else None
