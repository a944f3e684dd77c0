"""Lives in which zones are heard in turns, or an amplifier has to rest, while everything else goes wrong too."""

from __future__ import annotations

import pytest

from tests.simulation.storm import Storm
from tests.simulation.test_hands import live_through
from ttcs_edge.core.model import AsRunReason, Outcome

ACTIONS = 60


@pytest.mark.parametrize("seed", (1, 4))
def test_no_supply_bears_more_than_it_can_and_everybody_hears_everything(seed: int) -> None:
    """never-3, never-9, and every rule of the air beside it, with alerts and a microphone."""
    storm = Storm(seed, dense=True, alerts=True, microphone=True, supplies=True)
    live_through(storm, ACTIONS)

    aired = [record for record in storm.world.disk.as_run if record.outcome is Outcome.AIRED]
    most = storm.world.settings.supplies[0].zones_most
    assert most is not None and any(len(record.zones) > most for record in aired if not record.occurrence.is_of_alert)


@pytest.mark.parametrize("seed", (0, 2))
def test_an_amplifier_rests_for_all_but_alerts_and_who_speaks(seed: int) -> None:
    """What did not fit in is told for its true reason."""
    storm = Storm(seed, dense=True, alerts=True, microphone=True, duty=True)
    live_through(storm, ACTIONS)

    assert AsRunReason.AMPLIFIER_REST in {record.reason for record in storm.world.disk.as_run}
