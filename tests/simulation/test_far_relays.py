"""Lives in which relays take their time, at the far end of a serial line, while everything else goes wrong too."""

from __future__ import annotations

import pytest

from tests.simulation.storm import Storm
from tests.simulation.test_hands import ACTIONS, live_through


@pytest.mark.parametrize("seed", range(3))
def test_nothing_sounds_and_nothing_switches_before_a_relay_has_said_that_it_did(seed: int) -> None:
    """never-3, air-4; and every rule of the air beside it, with alerts and a microphone."""
    storm = Storm(seed, dense=True, alerts=True, microphone=True)
    storm.world.faults.relay_ms = storm.world.settings.zone_stagger_ms
    live_through(storm, ACTIONS)
