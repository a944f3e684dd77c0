"""Lives in which the centre gives orders all the time, good and bad, while everything else goes wrong too."""

from __future__ import annotations

import pytest

from tests.simulation.centre import GOOD
from tests.simulation.happenings import read, written
from tests.simulation.shrink import failure_of
from tests.simulation.storm import ORDERS, TRACE_TAIL, Storm
from ttcs_edge.core.model import AsRunReason

SPOKEN_OVER = 8
"""From this seed on somebody speaks, too."""
SEEDS = (0, 3, SPOKEN_OVER, 9)
"""The storms of every day have orders too, fewer of them."""
ACTIONS = 120


def silence(storm: Storm) -> None:
    """Whoever speaks is told to stop, and holds the key down for a while yet."""
    storm.timeline.happen("key", False)
    storm.world.run(1_000)
    storm.timeline.happen("key", True)
    storm.world.run(storm.dice.choice((100, 4_000, 9_000, 15_000)))
    storm.timeline.happen("order", GOOD, "stop", {})
    storm.world.run(storm.dice.choice((100, 1_000, 8_000)))
    storm.timeline.happen("key", False)


def handed(seed: int) -> Storm:
    """A storm with orders in it."""
    storm = Storm(seed, dense=True, own_clock=True, alerts=True, microphone=seed >= SPOKEN_OVER, orders=True)
    storm.happenings += ORDERS
    if seed >= SPOKEN_OVER:
        storm.happenings += (silence,) * 4
    return storm


def live_through(storm: Storm, actions: int) -> None:
    """Run a storm; a rule that it breaks is told with the end of its story."""
    try:
        storm.run(actions)
    except Exception as error:
        tail = "\n".join(storm.world.trace[-TRACE_TAIL:])
        pytest.fail(f"{tail}\nseed {storm.timeline.setup.seed}: {error!r}", pytrace=False)
    finally:
        storm.timeline.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_no_order_breaks_a_rule(seed: int) -> None:
    """Obeyed once, in order, behind their floor; as loud as was ordered, an alert as ever; told with the truth."""
    storm = handed(seed)
    live_through(storm, ACTIONS)

    centre = storm.world.centre
    assert centre is not None and len(centre.answered) > 3
    told = [record.reason for record in storm.world.disk.as_run]
    assert seed not in (SEEDS[0], SPOKEN_OVER) or AsRunReason.STOPPED_BY_COMMAND in told


def test_a_life_with_orders_is_written_down_and_read_again() -> None:
    """A list of happenings has all that is needed to replay it."""
    storm = handed(1)
    storm.run(40)
    storm.timeline.close()
    setup, happenings = read(written(storm.timeline.setup, storm.timeline.happened))
    assert any(one.kind == "order" for one in happenings)
    assert failure_of(setup, happenings, until_mono_ms=None) is None
