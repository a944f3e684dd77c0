"""Lives of a station that tests itself, while everything else goes wrong too."""

from __future__ import annotations

import pytest

from tests.core.material import PILOT
from tests.simulation.pilots import Pilots, that_tests_itself
from tests.simulation.storm import Storm
from tests.simulation.test_hands import live_through

EVERY_MINUTES = 60
ACTIONS = 20


@pytest.mark.parametrize("seed", (1, 4))
def test_no_self_test_breaks_a_rule(seed: int) -> None:
    """Below everything, in silence, and nobody's message; it comes again and again, whatever ended the last."""
    storm = Storm(seed, dense=True, alerts=True, microphone=True, orders=True)
    storm.world.settings = that_tests_itself(storm.world.settings, EVERY_MINUTES)
    storm.world.cached.add(PILOT.sha256)
    live_through(storm, ACTIONS)

    (pilots,) = [rule for rule in storm.world.rules if isinstance(rule, Pilots)]
    assert pilots.heard > 20 and pilots.told > 20
