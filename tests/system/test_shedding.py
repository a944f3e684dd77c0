"""A real station that loses its mains: what is shed is measured, alerts are as loud as ever, the province knows."""

from __future__ import annotations

import pytest

from tests.parts import Clip, Listener, Province, Station, eventually, local, make_programme, put_chunks
from tests.player.parts import BYTES_PER_MS, rms_db, samples
from tests.system.sight import status
from tests.system.test_alerts import alert, warn
from tests.system.test_main_job import TOPIC, assert_relays_never_switched_under_sound
from tests.ups import Ups
from ttcs_edge.core.documents import Bulletin, Slot
from ttcs_edge.drivers.pins import level, touch

MAINS, DOOR, FAN = 6, 19, 26
POWER = """
power:
  mains_pin: 6
  battery: {folder}/ups
  lost_after_s: 1
  back_after_s: 1
  shed:
    - {{when: mains-lost, volume_percent: 50}}
    - {{when: battery, below_percent: 50, zones_most: 1}}
box: {{door_pin: 19, sensor: {folder}/heat, fan_pin: 26, fan_on_c: 45, fan_off_c: 38}}
"""


@pytest.fixture
def ups(station: Station) -> Ups:
    """A station with mains and a shut door, and a battery that an outage of before has left at 45 percent."""
    station.config.write_text(station.config.read_text() + POWER.format(folder=station.folder))
    station.lines.mkdir(exist_ok=True)
    touch(station.lines, MAINS, 0)
    touch(station.lines, DOOR, 0)
    (station.folder / "heat").write_text("41000\n")
    ups = Ups(station.folder / "ups")
    ups.mains = False
    ups.pass_time(2 * 3_600, load_w=66)
    ups.mains = True
    ups.show()
    return ups


def faults(centre: Listener) -> list[tuple[str, str, bool]]:
    """What was told of faults: code, subject, whether it is over."""
    return [(one["code"], one["subject"], one["cleared"] is not None) for one in centre.reports("fault")]


def heard_db(station: Station, centre: Listener, count: int) -> float:
    """How loud the last of so many cues went to the sound device: a second of it, half a second before its end."""
    eventually(lambda: len(centre.reports("as-run")) >= count, 30)
    return rms_db(samples(station.folder / "aired.wav")[-1_500 * BYTES_PER_MS : -500 * BYTES_PER_MS])


def test_without_mains_slots_are_quieter_in_fewer_zones_and_an_alert_is_as_loud_as_ever(
    station: Station, ups: Ups, centre: Listener, province: Province, clip: Clip
) -> None:
    """Measured in what went to the sound device: 50 percent is 12 dB down; with mains again all is as before."""
    put_chunks(centre, clip)
    slots = tuple(Slot(id=f"s{n}", start=local(after), bulletins=("tin",)) for n, after in enumerate((9, 22)))
    bulletin = Bulletin(id="tin", title="Tin", audio=(clip.audio(),))
    centre.publish(TOPIC, province.sign(make_programme(bulletins=(bulletin,), slots=slots)))
    station.start()
    full_db = heard_db(station, centre, 1)
    touch(station.lines, MAINS, 1)
    eventually(lambda: ("mains-lost", "mains", False) in faults(centre))
    saved_db = heard_db(station, centre, 2)

    assert full_db - saved_db == pytest.approx(12.04, abs=0.5)
    first, second = centre.reports("as-run")
    assert (first["zones"], first["zones_saved"]) == (["cho", "dinh"], [])
    assert (second["zones"], second["zones_saved"]) == (["cho"], ["dinh"])
    assert (second["outcome"], second["reason"]) == ("aired", None)
    beat = eventually(lambda: [one for one in centre.reports("heartbeat") if one["power"]["mains"] is False])[-1]
    assert beat["power"] == {
        "mains": False,
        "battery_percent": 45,
        "battery_volts": 12.43,
        "charging": True,
        "shed": {
            "volume_percent": 50,
            "zones": None,
            "zones_most": 1,
            "alerts_only": False,
            "because": ["mains-lost", "battery"],
        },
    }

    warn(centre, province, alert(clip))
    assert heard_db(station, centre, 4) == pytest.approx(full_db, abs=0.5)
    assert all(set(one["zones"]) == {"cho", "dinh"} for one in centre.reports("as-run")[2:])
    touch(station.lines, MAINS, 0)
    eventually(lambda: ("mains-lost", "mains", True) in faults(centre))
    assert status(station)["power"]["shed"]["because"] == []
    assert_relays_never_switched_under_sound(station)


def test_who_opens_the_box_is_told_at_once_and_its_fan_runs_while_it_is_hot(
    station: Station, ups: Ups, centre: Listener
) -> None:
    """A fault, and an entry of the audit trail; the fan's relay is open again when the station is gone (never-2)."""
    (station.folder / "heat").write_text("47000\n")
    station.start()
    eventually(lambda: level(station.lines, FAN) == 1)
    touch(station.lines, DOOR, 1)
    eventually(lambda: ("door-open", "box", False) in faults(centre))
    opened = eventually(lambda: [one for one in centre.reports("audit") if one["deed"] == "opened"])
    assert [(one["what"], one["subject"], one["by"]) for one in opened] == [("box", "da-teh-01", None)]
    assert status(station)["box"] == {"celsius": 47.0, "fan_on": True, "door_open": True}
    assert status(station)["relays"]["fan"] is True
    touch(station.lines, DOOR, 0)
    eventually(lambda: ("door-open", "box", True) in faults(centre))

    assert station.stop() == 0
    assert level(station.lines, FAN) == 0
