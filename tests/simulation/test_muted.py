"""Lives in which somebody presses the mute key at any time, while everything else goes wrong, too."""

from __future__ import annotations

import pytest

from tests.simulation.happenings import read, written
from tests.simulation.shrink import failure_of
from tests.simulation.storm import Storm
from tests.simulation.test_hands import live_through
from ttcs_edge.core.model import AsRunReason
from ttcs_edge.core.mute import STUCK

KINDS: dict[int, dict[str, bool]] = {
    2: {"alerts": True, "microphone": True},
    3: {"live": True, "microphone": True},
    4: {"orders": True, "alerts": True},
}
"""What there is beside the key, by seed."""
LONG = (2, 4)
"""Those that are muted for longer than a cue can wait."""
ACTIONS = 30


@pytest.mark.parametrize("seed", KINDS)
def test_no_press_breaks_a_rule(seed: int) -> None:
    """Silent at once but for alerts; what is cut off goes on or is told with the truth, and so is what the hand did."""
    storm = Storm(seed, dense=True, muted=True, **KINDS[seed])
    live_through(storm, ACTIONS)

    told = [record.reason for record in storm.world.disk.as_run]
    deeds = [entry.deed for entry in storm.world.disk.audit]
    assert AsRunReason.MUTED in told or seed not in LONG
    assert deeds.count("muted") > 5
    assert any(fault.code == STUCK for fault in storm.world.disk.fault_log)


def test_a_life_with_a_mute_key_is_written_down_and_read_again() -> None:
    """A list of happenings has all that is needed to replay it."""
    storm = Storm(7, dense=True, muted=True)
    storm.run(15)
    storm.timeline.close()
    setup, happenings = read(written(storm.timeline.setup, storm.timeline.happened))
    assert any(one.kind == "mute-key" for one in happenings)
    assert failure_of(setup, happenings, until_mono_ms=None) is None
