"""Lives in which somebody has zones and silence for a while by hand, while everything else goes wrong, too."""

from __future__ import annotations

import pytest

from tests.simulation.happenings import read, written
from tests.simulation.leases import Leasing
from tests.simulation.shrink import failure_of
from tests.simulation.storm import Storm
from tests.simulation.test_hands import live_through
from ttcs_edge.core.model import AsRunReason

KINDS: dict[int, dict[str, bool]] = {
    2: {"alerts": True},
    5: {"supplies": True},
    4: {"muted": True},
}
"""What there is beside the hand, by seed."""
ACTIONS = 30


@pytest.mark.parametrize("seed", KINDS)
def test_nothing_done_by_hand_breaks_a_rule(seed: int) -> None:
    """Heard where and as long as was asked, below everything else, gone with who asked, and told with the truth."""
    storm = Storm(seed, dense=True, by_hand=True, **KINDS[seed])
    live_through(storm, ACTIONS)

    (leasing,) = [rule for rule in storm.world.rules if isinstance(rule, Leasing)]
    assert leasing.heard > 3
    reasons = {
        one.reason for one in storm.world.disk.as_run if one.occurrence.slot in ("station:tone", "station:relay")
    }
    assert {None, AsRunReason.STOPPED_BY_HAND} <= reasons
    assert "muted" in [entry.deed for entry in storm.world.disk.audit]


def test_a_life_with_leases_is_written_down_and_read_again() -> None:
    """A list of happenings has all that is needed to replay it."""
    storm = Storm(7, dense=True, by_hand=True)
    storm.run(15)
    storm.timeline.close()
    setup, happenings = read(written(storm.timeline.setup, storm.timeline.happened))
    assert {"lease", "lease-left"} <= {one.kind for one in happenings}
    assert failure_of(setup, happenings, until_mono_ms=None) is None
