"""`cancel`: publish to silence, while the tone of an alert sounds.

Floor: a bare subscriber that hears and verifies the same message, and the fade by which an alert leaves the air.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.bench.alert import ALERTS, REST_S, Ground
from tests.bench.report import report
from tests.parts import eventually
from tests.system.test_main_job import all_open
from ttcs_edge.core.desk import ALERT_FADE_MS


def main() -> None:
    """Both in turn."""
    floor, ours = [], []
    with tempfile.TemporaryDirectory() as name:
        ground = Ground(Path(name))
        for number in range(ALERTS):
            ground.first_ms(*ground.message(number, 1, "Alert"))
            time.sleep(REST_S)  # no test: each cancel is to meet a tone whose fade in is over
            topic, envelope = ground.message(number, 2, "Cancel")
            floor.append(ground.message_ms(envelope) + ALERT_FADE_MS)
            ours.append(ground.silent_ms(topic, envelope))
            eventually(lambda: all_open(ground.station))
        ground.close()
    report("cancel", "ms", floor, ours)


if __name__ == "__main__":
    main()
