"""A station that is stopped leaves in order, whatever its threads were at."""

from __future__ import annotations

from tests.parts import Station
from tests.system.sight import status


def test_a_station_that_is_stopped_as_soon_as_it_is_up_leaves_in_order_every_time(station: Station) -> None:
    """Threads still load what they need, look for voices, and wait for the broker: none of them makes it a crash."""
    for _ in range(12):
        station.start()
        status(station)
        assert station.stop() == 0, (station.folder / "log").read_text()
