"""Lives of a station with an off-air monitor: its words come at any moment, and nothing is told that is not so."""

from __future__ import annotations

import pytest

from tests.simulation.monitor import OffAirMonitor, monitored
from tests.simulation.storm import Storm
from tests.simulation.test_hands import live_through
from ttcs_edge.core.monitor import AIR, DISTORTED, FOREIGN, SILENT

ACTIONS = 4
"""Few: a day has some thousand readings."""


@pytest.mark.parametrize("seed", (5,))
def test_no_life_makes_a_monitor_tell_what_is_not_so(seed: int) -> None:
    """Every rule of the air beside it; who was a stranger is told, and what aired whole was heard."""
    storm = Storm(seed, dense=True, alerts=True, microphone=True)
    storm.world.settings = monitored(storm.world.settings)
    storm.world.monitor = OffAirMonitor(storm.world)
    live_through(storm, ACTIONS)

    told = {(fault.code, fault.subject) for fault in storm.world.disk.fault_log}
    assert not {code for code, _ in told} & {SILENT, DISTORTED}
    assert storm.world.monitor.strangers and (FOREIGN, AIR) in told
    witnessed = [record.witnessed for record in storm.world.disk.as_run]
    assert witnessed.count(True) > 3 and False not in witnessed
