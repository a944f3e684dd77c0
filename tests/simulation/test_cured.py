"""Lives of a station whose modem hangs again and again: it is cured, within bounds, and the air knows nothing of it."""

from __future__ import annotations

import pytest

from tests.core.material import HOUR_MS
from tests.simulation.happenings import Timeline
from tests.simulation.modem import MobileModem, with_modem
from tests.simulation.storm import TRACE_TAIL, Storm

ACTIONS = 12


@pytest.mark.parametrize("seed", (5, 8))
def test_no_life_breaks_a_rule_for_a_modem_that_hangs(seed: int) -> None:
    """Every rule of the air beside it. In the end, with nothing else going wrong, it is cured within hours."""
    storm = Storm(seed, dense=True, alerts=True, microphone=True)
    world = storm.world
    world.settings = with_modem(world.settings)
    modem = MobileModem(world)
    world.join(modem)

    def hang_at_last(timeline: Timeline) -> None:
        assert modem.steps > 3
        modem.heal()
        cured, modem.is_sound = modem.cured, False
        modem.hang()
        world.run(12 * HOUR_MS)
        assert modem.cured > cured
        modem.heal()

    try:
        storm.run(ACTIONS, hang_at_last)
    except Exception as error:
        tail = "\n".join(world.trace[-TRACE_TAIL:])
        pytest.fail(f"{tail}\nseed {seed}: {error!r}", pytrace=False)
    finally:
        storm.timeline.close()
    assert world.disk.data_used.used_bytes > 0
