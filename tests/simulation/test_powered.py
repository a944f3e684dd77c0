"""Lives of a station whose mains and battery come and go: what is shed is what the file says, and nothing of alerts."""

from __future__ import annotations

import pytest

from tests.simulation.power import Supply, supplied
from tests.simulation.storm import Storm
from tests.simulation.test_hands import live_through
from ttcs_edge.core.model import AsRunReason

ACTIONS = 16
SEEDS = (6, 9)
"""The first with live relays, and both with orders; in the second a zone of two is left out."""


def powered(seed: int) -> Storm:
    """A storm over a station that saves its power."""
    storm = Storm(
        seed, dense=True, alerts=True, microphone=True, live=seed % 2 == 0, orders=seed % 3 == 0, streams=seed % 5 == 0
    )
    storm.world.settings = supplied(storm.world.settings)
    storm.world.supply = Supply(storm.world, seed)
    storm.happenings += (warn_in_the_dark,) * 16
    return storm


def warn_in_the_dark(storm: Storm) -> None:
    """The flood takes the mains, and then comes the warning of it."""
    supply = storm.world.supply
    assert supply is not None
    supply.go_dark()
    storm.world.run(12_000)
    storm.warn()
    storm.world.run(30_000)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_life_sheds_anything_but_what_the_file_says(seed: int) -> None:
    """Every rule of the air beside it; what was missed for it is told so, and all airs once the mains stay."""
    storm = powered(seed)
    live_through(storm, ACTIONS)

    supply, disk = storm.world.supply, storm.world.disk
    assert supply is not None and supply.changed > 100
    told = [record.reason for record in disk.as_run]
    assert AsRunReason.POWER_SAVED in told and told.count(None) > 10
    assert seed != SEEDS[1] or any(record.zones_saved for record in disk.as_run)
    power = {"mains-lost", "battery-low"}
    assert power <= {fault.code for fault in disk.fault_log}
    assert not power & {fault.code for fault in disk.faults.values()}
