"""A real station with an energy meter on its line: what aired was seen to go out, or was not."""

from __future__ import annotations

import math
import random
import threading
import time
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boards import Boards
from tests.parts import Clip, Listener, Province, Station, eventually, make_clip, put_chunks
from tests.pole import STEP_MS, Pole
from tests.system.sight import status
from tests.system.test_main_job import TOPIC, one_slot
from ttcs_edge.core.model import ZoneId
from ttcs_edge.drivers.pins import level

CHO = ZoneId("cho")
WAV_HEADER_BYTES = 44


class Meter:
    """A pole that hangs on a real station's lines and sound, step by step in real time, and what its meter shows."""

    def __init__(self, station: Station) -> None:
        self.pole = Pole(random.Random(1), {CHO: 60.0, ZoneId("dinh"): 40.0})
        self._station = station
        self._at_bytes = WAV_HEADER_BYTES
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        """It is taken away."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        next_s = time.monotonic()
        while not self._over.wait(max(0.0, next_s - time.monotonic())):
            next_s += STEP_MS / 1_000
            closed = frozenset([CHO] if level(self._station.lines, 27) else [])
            self.pole.pass_step(bool(level(self._station.lines, 17)), closed, self._heard_db())

    def _heard_db(self) -> float | None:
        """How loud it was since the last step; None: nothing was written."""
        wav = self._station.folder / "aired.wav"
        data = b""
        if wav.exists() and wav.stat().st_size > self._at_bytes:
            with wav.open("rb") as stream:
                stream.seek(self._at_bytes)
                data = stream.read()
            data = data[: len(data) // 2 * 2]
            self._at_bytes += len(data)
        samples = array("h", data)
        mean = sum(sample * sample for sample in samples) / max(1, len(samples))
        return 10 * math.log10(mean / 32_768**2) if mean else None


@pytest.fixture
def boards(tmp_path: Path) -> Boards:
    """Nothing but a meter on the line."""
    return Boards(tmp_path, units=())


@pytest.fixture
def meter(station: Station, boards: Boards) -> Iterator[Meter]:
    """A station whose zone ``cho`` was measured, with a meter at unit 10."""
    text = station.config.read_text().replace("name: Chợ, pin: 27", "name: Chợ, pin: 27, tone_w: 60")
    assert "tone_w" in text
    meter = "meter: {unit: 10, idle_w: 25, most_w: 400, others_w: 8}"
    station.config.write_text(f"{text}rs485: {{port: {boards.port}}}\n{meter}\n")
    one = Meter(station)
    boards.meters[10] = one.pole.reading
    yield one
    one.close()


@pytest.fixture(scope="module")
def four_seconds(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Enough for three readings."""
    return make_clip(tmp_path_factory.mktemp("clips"), "tone", 4.0)


def test_what_airs_is_seen_at_the_meter(
    station: Station, meter: Meter, centre: Listener, province: Province, four_seconds: Clip
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
    station: Station, meter: Meter, centre: Listener, province: Province, four_seconds: Clip
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
    station: Station, meter: Meter, boards: Boards, centre: Listener, province: Province, four_seconds: Clip
) -> None:
    """The bulletin airs, and nothing is said of what nobody saw."""
    boards.unplug()
    put_chunks(centre, four_seconds)
    centre.publish(TOPIC, province.sign(one_slot(four_seconds, 7, zones=("cho",))))
    station.start()
    (report,) = eventually(lambda: centre.reports("as-run"), 25)

    assert (report["outcome"], report["witnessed"]) == ("aired", None)
    assert status(station)["meter"] is None
