"""A real station with an energy meter on its line: what aired was seen to go out, or was not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import Clip, Listener, Province, Station, eventually, make_clip, put_chunks
from tests.system.sight import status
from tests.system.test_main_job import TOPIC, one_slot
from ttcs_edge.core.model import ZoneId
from ttcs_edge.training.boards import Boards
from ttcs_edge.training.meter import Hanging
from ttcs_edge.training.pole import Pole

CHO = ZoneId("cho")


def hang(station: Station) -> Hanging:
    """A pole with both zones under a station."""
    pole = Pole(random.Random(1), {CHO: 60.0, ZoneId("dinh"): 40.0})
    return Hanging(pole, station.lines, station.folder / "aired.wav", {CHO: 27}, amplifier=17)


@pytest.fixture
def boards(tmp_path: Path) -> Boards:
    """Nothing but a meter on the line."""
    return Boards(tmp_path, units=())


@pytest.fixture
def meter(station: Station, boards: Boards) -> Iterator[Hanging]:
    """A station whose zone ``cho`` was measured, with a meter at unit 10."""
    text = station.config.read_text().replace("name: Chợ, pin: 27", "name: Chợ, pin: 27, tone_w: 60")
    assert "tone_w" in text
    meter = "meter: {unit: 10, idle_w: 25, most_w: 400, others_w: 8}"
    station.config.write_text(f"{text}rs485: {{port: {boards.port}}}\n{meter}\n")
    one = hang(station)
    boards.meters[10] = one.pole.reading
    yield one
    one.close()


@pytest.fixture(scope="module")
def four_seconds(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Enough for three readings."""
    return make_clip(tmp_path_factory.mktemp("clips"), "tone", 4.0)


def test_what_airs_is_seen_at_the_meter(
    station: Station, meter: Hanging, centre: Listener, province: Province, four_seconds: Clip
) -> None:
    """The province's proof says so, and whoever stands at the pole reads the power."""
    put_chunks(centre, four_seconds)
    centre.publish(TOPIC, province.sign(one_slot(four_seconds, 8, zones=("cho",))))
    station.start()
    eventually(lambda: (status(station).get("meter") or {}).get("watts", 0) > 60, 20)
    (report,) = eventually(lambda: centre.reports("as-run"), 20)

    assert (report["outcome"], report["witnessed"]) == ("aired", True)
    assert [one["code"] for one in centre.reports("fault") if one["code"].startswith(("amplifier", "line", "m"))] == []


def test_an_amplifier_that_is_dead_is_told_and_what_it_aired_was_not_seen(
    station: Station, meter: Hanging, centre: Listener, province: Province, four_seconds: Clip
) -> None:
    """Its relay does as told, the samples are written, and not a soul hears a thing."""
    meter.pole.dead = True
    put_chunks(centre, four_seconds)
    centre.publish(TOPIC, province.sign(one_slot(four_seconds, 8, zones=("cho",))))
    station.start()
    (report,) = eventually(lambda: centre.reports("as-run"), 25)
    (fault,) = eventually(lambda: [one for one in centre.reports("fault") if one["code"] == "amplifier-dead"], 10)

    assert (report["outcome"], report["witnessed"]) == ("aired", False)
    assert (fault["subject"], fault["severity"], fault["cleared"]) == ("amplifier", "error", None)
    assert fault["detail"]["idle"] == "33" and int(fault["detail"]["found"]) < 12


def test_a_meter_that_is_pulled_out_costs_nobody_a_word(
    station: Station, meter: Hanging, boards: Boards, centre: Listener, province: Province, four_seconds: Clip
) -> None:
    """The bulletin airs, and nothing is said of what nobody saw."""
    boards.unplug()
    put_chunks(centre, four_seconds)
    centre.publish(TOPIC, province.sign(one_slot(four_seconds, 7, zones=("cho",))))
    station.start()
    (report,) = eventually(lambda: centre.reports("as-run"), 25)

    assert (report["outcome"], report["witnessed"]) == ("aired", None)
    assert status(station)["meter"] is None
