"""How loud a voice is, tenth by tenth of a second, for poles on which somebody speaks."""

from __future__ import annotations

import random


class Speech:
    """The level of a voice, tenth by tenth of a second: syllables around a mean, and pauses between sentences."""

    def __init__(self, dice: random.Random, mean_db: float) -> None:
        self._dice = dice
        self._mean_db = mean_db
        self._pause_steps = 0
        self._drift_db = 0.0

    def next_db(self) -> float:
        """The level of the next tenth of a second."""
        if self._pause_steps:
            self._pause_steps -= 1
            return -70.0
        if self._dice.random() < 0.03:
            self._pause_steps = self._dice.randrange(2, 9)
        self._drift_db = 0.7 * self._drift_db + self._dice.gauss(0, 3)
        return min(-3.0, self._mean_db + self._drift_db)
