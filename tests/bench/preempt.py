"""`preempt`: publish to the first 10 ms period of the tone, while a bulletin plays with its zones closed.

Floor: that of ``alert``, and the fade by which the bulletin leaves the air. The bulletin goes on behind each alert.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.bench.alert import ALERTS, REST_S, Ground
from tests.bench.report import report
from tests.parts import eventually, make_clip, put_chunks
from tests.system.sight import status
from tests.system.test_main_job import TOPIC, one_slot

BULLETIN_S = 3_000.0
FADE_MS = 200.0
"""As the station's file says."""


def main() -> None:
    """Both in turn."""
    floor, ours = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ground = Ground(folder)
        bulletin = make_clip(folder, "bulletin", BULLETIN_S)
        put_chunks(ground.centre, bulletin)
        ground.centre.publish(TOPIC, ground.province.sign(one_slot(bulletin, 15)))
        for number in range(ALERTS):
            eventually(lambda: _bulletin_plays(ground), 60)
            time.sleep(REST_S)  # no test: each alert is to meet a bulletin whose fade in is over
            topic, envelope = ground.message(number, 1, "Alert")
            floor.append(ground.floor_ms(envelope) + FADE_MS)
            ours.append(ground.first_ms(topic, envelope))
            ground.centre.publish(*ground.message(number, 2, "Cancel"))
        ground.close()
    report("preempt", "ms", floor, ours)


def _bulletin_plays(ground: Ground) -> bool:
    on_air = status(ground.station).get("on_air")
    return on_air is not None and "#sang@" in on_air["occurrence"]


if __name__ == "__main__":
    main()
