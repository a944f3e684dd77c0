"""Lives of a station with an energy meter: nothing is told of amplifier and lines that is not so."""

from __future__ import annotations

import pytest

from tests.simulation.meter import NEVER, EnergyMeter, metered
from tests.simulation.storm import Storm
from tests.simulation.test_hands import live_through
from ttcs_edge.core.model import AMPLIFIER
from ttcs_edge.core.witness import SILENT, STUCK

ACTIONS = 4
"""Few: a day has nearly nine thousand readings."""


@pytest.mark.parametrize("seed", (3,))
def test_no_life_makes_a_meter_tell_what_is_not_so(seed: int) -> None:
    """Every rule of the air beside it; what aired whole was seen, where that could be told."""
    storm = Storm(seed, dense=True, alerts=True, microphone=True)
    storm.world.settings = metered(storm.world.settings)
    storm.world.meter = EnergyMeter(storm.world)
    live_through(storm, ACTIONS)

    told = {(fault.code, fault.subject) for fault in storm.world.disk.fault_log}
    assert not {code for code, _ in told} & (NEVER | {SILENT})
    assert (STUCK, AMPLIFIER) not in told or ("relay", AMPLIFIER) in told
    witnessed = [record.witnessed for record in storm.world.disk.as_run]
    assert witnessed.count(True) > 10 and False not in witnessed
