"""A real station whose relays have contacts that tell what they did."""

from __future__ import annotations

from tests.parts import Clip, Listener, Province, Station, eventually, put_chunks
from tests.system.test_main_job import TOPIC, one_slot
from ttcs_edge.drivers.pins import touch


def test_a_relay_whose_contact_does_not_move_costs_its_zone_and_nothing_else(
    station: Station, centre: Listener, province: Province, clip: Clip
) -> None:
    """The line is driven, the coil is dead: the log does not say that its people heard anything."""
    text = station.config.read_text().replace("name: Chợ, pin: 27", "name: Chợ, pin: 27, contact_pin: 23")
    station.config.write_text(text)
    station.lines.mkdir(exist_ok=True)
    touch(station.lines, 23, 1)
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 8)))
    station.start()
    (report,) = eventually(lambda: centre.reports("as-run"), 25)

    assert (report["outcome"], report["zones"]) == ("aired", ["dinh"])
    (fault,) = [one for one in centre.reports("fault") if one["code"] == "relay"]
    assert (fault["subject"], fault["detail"]) == ("cho", {"error": "cho (contact GPIO23): reads 0 after 1"})
