"""The pole as physics has it: an amplifier on the mains, its speaker lines, and the energy meter before it.

An amplifier draws little when it is silent, the more the hotter it is, and a surge when it is switched on; sound adds
power by its level, not just as the tone by which it was measured, for speakers take more at some frequencies. The meter
tells the mean of its last second, once a second, in tenths of a watt; now and then it says nothing, or noughts.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean

from ttcs_edge.core.model import MeterReading, ZoneId

STEP_MS = 100
REFRESH_STEPS = 10
TONE_DB = -15.05
SURGE_STEPS = 5
SURGE_W = 180.0
HEAT_STEPS = 3_000
"""In about five minutes of sound an amplifier is as hot as it gets."""


@dataclass
class Pole:
    """What hangs on one meter. ``tone_w`` is what the tone adds in each zone; ``power_of`` the amplifier's class."""

    dice: random.Random
    tone_w: Mapping[ZoneId, float]
    idle_w: float = 25.0
    others_w: float = 8.0
    power_of: float = 1.0
    cut: set[ZoneId] = field(default_factory=set)
    shorted: set[ZoneId] = field(default_factory=set)
    dead: bool = False
    stuck: bool = False
    quiet: bool = False
    volts: float = 221.0
    watts: deque[float] = field(default_factory=lambda: deque(maxlen=REFRESH_STEPS))
    heat: float = 0.0
    on_steps: int = 0
    steps: int = 0
    energy_ws: float = 0.0
    shown_w: float = 0.0
    spectrum: float = 1.0

    def begin_sound(self) -> None:
        """Another sound: speakers take more of it than of the tone, or less."""
        self.spectrum = self.dice.lognormvariate(0, 0.12)

    def pass_step(self, amplifier_on: bool, zones: frozenset[ZoneId], rms_db: float | None) -> None:
        """A tenth of a second, with a sound so loud, or none."""
        runs = (amplifier_on or self.stuck) and not self.dead
        self.on_steps = self.on_steps + 1 if runs else 0
        watts = self.others_w * self.dice.gauss(1, 0.05)
        if runs:
            watts += self._amplifier_w(zones, rms_db)
        self.heat += ((1.0 if rms_db is not None and runs else 0.0) - self.heat) / HEAT_STEPS
        self.watts.append(watts)
        self.energy_ws += watts * STEP_MS / 1_000
        self.steps += 1
        if self.steps % REFRESH_STEPS == 0:
            self.shown_w = fmean(self.watts)

    def _amplifier_w(self, zones: frozenset[ZoneId], rms_db: float | None) -> float:
        watts = self.idle_w * (1 + 0.3 * self.heat) * self.dice.gauss(1, 0.02)
        if self.on_steps <= SURGE_STEPS:
            watts += SURGE_W
        if rms_db is None:
            return watts
        level = 10 ** ((rms_db - TONE_DB) / 20)
        loads_w = sum(self.tone_w[zone] * (8 if zone in self.shorted else 1) for zone in zones - self.cut)
        return watts + self.spectrum * loads_w * float(level**self.power_of)

    def reading(self) -> MeterReading | None:
        """What the meter answers now; None: nothing."""
        if self.quiet or self.dice.random() < 0.01:
            return None
        volts = round(self.dice.gauss(self.volts, 1.5), 1)
        watts = round(self.shown_w, 1)
        return MeterReading(volts, round(watts / volts / 0.7, 3), watts, int(self.energy_ws / 3_600))
