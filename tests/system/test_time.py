"""A whole station whose only source of time is a modem that the test sets: what airs, what is told, what is shown."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import Any

import pytest

from tests.drivers.modems import HANOI, Modem, clock_line
from tests.parts import (
    ROOT,
    SCOPE,
    Clip,
    Listener,
    Province,
    Station,
    eventually,
    make_programme,
    put_chunks,
    utc,
)
from tests.system.sight import status
from ttcs_edge.core.beacons import APART_MS
from ttcs_edge.core.documents import Beacon, Bulletin, Slot
from ttcs_edge.wire.topics import Topics

LED = 5
FACTORY_DATE = datetime(1980, 1, 6, tzinfo=timezone.utc)


class Network:
    """The mobile network's time: the machine's, moved by ``ahead``; None while the modem has not heard it."""

    def __init__(self) -> None:
        self.ahead: timedelta | None = None
        self.modem = Modem(lambda: clock_line(FACTORY_DATE, "+00") if self.ahead is None else clock_line(self.now()))

    def now(self) -> datetime:
        """What time it is, as the network has it, in Vietnam."""
        return datetime.now(HANOI) + (self.ahead or timedelta())

    def set(self, moment: datetime) -> None:
        """It is this time now."""
        self.ahead = moment - datetime.now(HANOI)


@pytest.fixture
def network() -> Iterator[Network]:
    """A network and its modem."""
    network = Network()
    yield network
    network.modem.close()


@pytest.fixture
def pole(station: Station, network: Network, unsynchronised: dict[str, str]) -> Station:
    """A station with a lamp, whose only clock is the modem."""
    station.environment = unsynchronised
    clock = f"clock: {{modem: {network.modem.port}, modem_every_s: 1}}\npanel: {{led_pin: {LED}}}\n"
    station.config.write_text(station.config.read_text().replace("clock: {trust: host}\n", clock))
    return station


def words(answer: dict[str, Any]) -> dict[str, str]:
    """The last word of each source, as the technician reads it."""
    return {told["source"]: told["word"] for told in answer["clock_words"]}


def lamp_changes(station: Station) -> int:
    """How often the lamp changed so far."""
    lines = (station.lines / "lines.jsonl").read_text().splitlines()
    return sum(json.loads(line)["line"] == f"gpio{LED}" for line in lines)


def outcomes(centre: Listener) -> list[tuple[str, str, str | None]]:
    """What the centre was told of each slot."""
    return [(one["slot"], one["outcome"], one["reason"]) for one in centre.reports("as-run")]


def plan(centre: Listener, province: Province, clip: Clip, **slots: datetime) -> None:
    """Publish a programme of these slots, each to begin at its instant or within the hour after it."""
    bulletin = Bulletin(id="tin", title="Bản tin", audio=(clip.audio(),))
    made = tuple(
        Slot(id=name, start=f"{at:%Y-%m-%dT%H:%M:%S}", bulletins=("tin",), late_window_s=3_600 if "late" in name else 0)
        for name, at in slots.items()
    )
    centre.publish(f"{ROOT}/scope/{SCOPE}/programme", province.sign(make_programme(bulletins=(bulletin,), slots=made)))


def test_without_trusted_time_nothing_airs_and_everything_says_why_until_the_network_tells_it(
    pole: Station, network: Network, centre: Listener, province: Province, clip: Clip
) -> None:
    """air-7: a modem that has not heard the network; then it has, and a cue airs by its time, two hours ahead."""
    put_chunks(centre, clip)
    due = (datetime.now(HANOI) + timedelta(hours=2)).replace(microsecond=0)
    plan(centre, province, clip, sang=due)
    pole.start()
    eventually(lambda: words(status(pole)).get("modem") == "factory-date")

    seen = status(pole)
    assert (seen["clock_trusted"], seen["clock_source"], seen["state"]) == (False, None, "no-time")
    assert words(seen) == {"kernel": "unsynchronised", "modem": "factory-date", "signed": "not-heard"}
    assert [fault["code"] for fault in seen["faults"]] == ["no-time"]
    beat = eventually(lambda: [one for one in centre.reports("heartbeat") if len(one["clock"]) == 3], 15)[-1]
    assert beat["clock_source"] is None and {"source": "modem", "word": "factory-date"} in beat["clock"]
    before = lamp_changes(pole)
    eventually(lambda: lamp_changes(pole) >= before + 2)  # it blinks

    eventually(lambda: status(pole)["cache"]["stored_files"] == 1)
    network.set(due - timedelta(seconds=6))
    eventually(lambda: status(pole)["clock_source"] == "modem", 30)
    eventually(lambda: outcomes(centre), 30)
    assert outcomes(centre) == [("sang", "aired", None)]
    late = datetime.fromisoformat(centre.reports("as-run")[0]["start"]) - due
    assert abs(late) < timedelta(milliseconds=50), "by the modem's time, to the millisecond"
    assert status(pole)["faults"] == []


def test_a_clock_set_back_and_forth_neither_skips_nor_repeats_a_cue(
    pole: Station, network: Network, centre: Listener, province: Province, clip: Clip
) -> None:
    """never-5: what aired does not air again when its minute comes back; what a leap hid airs late or is told missed.

    By the time after the leap, the station was not yet on when the missed one was due: that is the reason it tells.
    """
    put_chunks(centre, clip)
    due = (datetime.now(HANOI) + timedelta(hours=2)).replace(microsecond=0)
    plan(centre, province, clip, sang=due, trua=due + timedelta(minutes=10), late=due + timedelta(minutes=11))
    network.set(due - timedelta(seconds=9))
    pole.start()
    eventually(lambda: outcomes(centre) == [("sang", "aired", None)], 30)

    network.set(due - timedelta(seconds=8))
    back = eventually(lambda: status(pole)["wall_ms"] < due.timestamp() * 1_000 and status(pole), 10)
    assert back["clock_trusted"]
    eventually(lambda: status(pole)["wall_ms"] > (due + timedelta(seconds=3)).timestamp() * 1_000, 20)
    assert status(pole)["state"] == "idle" and status(pole)["amplifier"] == "off"

    network.set(due + timedelta(minutes=12))
    eventually(lambda: len(outcomes(centre)) == 3, 30)
    assert sorted(outcomes(centre)) == [
        ("late", "aired", None),
        ("sang", "aired", None),
        ("trua", "missed", "power"),
    ]
    assert len({one["id"] for one in centre.reports("as-run")}) == 3


def test_the_floor_outlives_a_power_cut_and_a_modem_of_yesterday_is_found_out(
    pole: Station, network: Network, centre: Listener, province: Province, clip: Clip
) -> None:
    """What was signed today was not signed yesterday: the fault tells both times, and a better time ends it."""
    plan(centre, province, clip, sang=datetime.now(HANOI) + timedelta(hours=2))
    network.set(datetime.now(HANOI))
    pole.start()
    eventually(lambda: status(pole)["programmes"] and status(pole)["clock_trusted"])
    pole.stop(9)

    yesterday = datetime.now(HANOI) - timedelta(days=1)
    network.set(yesterday)
    pole.start()
    eventually(lambda: words(status(pole)).get("modem") == "below-floor")
    faults = {fault["code"]: fault for fault in status(pole)["faults"]}
    detail = dict(faults["time-below-floor"]["detail"])

    assert faults.keys() == {"no-time", "time-below-floor"} and faults["time-below-floor"]["subject"] == "modem"
    assert datetime.fromisoformat(detail["found"]) - yesterday < timedelta(minutes=1)
    assert datetime.fromisoformat(detail["expected"].removeprefix(">= ")) > yesterday + timedelta(hours=22)
    network.set(datetime.now(HANOI))
    eventually(lambda: not status(pole)["faults"], 30)
    assert status(pole)["clock_source"] == "modem"


def test_the_lamp_is_dark_when_the_station_has_stopped(pole: Station, network: Network) -> None:
    """Lit while all is well; dark after a stop."""
    network.set(datetime.now(HANOI))
    pole.start()
    path = pole.lines / f"gpio{LED}"
    eventually(lambda: status(pole)["clock_trusted"] and not status(pole)["faults"])
    eventually(lambda: path.read_text() == "1")
    began_s = time.monotonic()
    pole.stop()

    assert path.read_text() == "0" and time.monotonic() - began_s < 5


def test_a_station_without_any_clock_learns_the_time_from_two_live_beacons(
    pole: Station, network: Network, centre: Listener, province: Province
) -> None:
    """The centre is two hours ahead of the machine: by its word the station lives, until the modem has a better one.

    The first beacon stands retained and may be of any age: it tells no time.
    """
    ahead = timedelta(hours=2)

    def beacon(version: int, retain: bool) -> None:
        now = datetime.now(timezone.utc) + ahead
        document = Beacon(scope=SCOPE, version=version, issued=utc(now), expires=utc(now + timedelta(hours=1)))
        centre.publish(Topics(ROOT).beacon(SCOPE), province.sign(document), retain=retain)

    beacon(1, retain=True)
    pole.start()
    eventually(lambda: status(pole).get("link_up"))
    assert not status(pole)["clock_trusted"]
    versions, begun_s = count(2), time.monotonic()

    def learnt() -> bool:
        beacon(next(versions), retain=False)
        time.sleep(1)  # as a centre sends them: one after the other
        return bool(status(pole).get("clock_source") == "signed")

    eventually(learnt, 40)
    assert time.monotonic() - begun_s > APART_MS / 1_000
    seen = status(pole)

    assert abs(seen["wall_ms"] / 1_000 - (datetime.now(timezone.utc) + ahead).timestamp()) < 3
    network.set(datetime.now(HANOI) + ahead)
    eventually(lambda: status(pole)["clock_source"] == "modem", 30)


def test_behind_a_station_that_was_killed_the_lamp_is_darkened(pole: Station, network: Network) -> None:
    """Its level outlives it; what the service manager runs then opens the relays and darkens the lamp."""
    network.set(datetime.now(HANOI))
    pole.start()
    path = pole.lines / f"gpio{LED}"
    eventually(lambda: status(pole)["clock_trusted"] and not status(pole)["faults"])
    eventually(lambda: path.read_text() == "1")
    pole.stop(9)
    assert path.read_text() == "1"
    done = subprocess.run([sys.executable, "-m", "ttcs_edge.drivers.release", str(pole.config)], capture_output=True)

    assert (done.returncode, path.read_text()) == (0, "0")


def test_a_lamp_that_cannot_be_driven_keeps_nobody_from_the_air(pole: Station, network: Network) -> None:
    """Its line is taken by another process: that is a fault, and the station is up."""
    network.set(datetime.now(HANOI))
    pole.lines.mkdir(exist_ok=True)
    with (pole.lines / f"gpio{LED}").open("a+") as line:
        fcntl.flock(line, fcntl.LOCK_EX)
        pole.start()
        (fault,) = eventually(lambda: status(pole)["clock_trusted"] and status(pole)["faults"])

        assert (fault["code"], fault["subject"]) == ("lamp", "panel")
        assert dict(fault["detail"])["error"] == f"GPIO{LED}: LineTakenError: GPIO{LED} is driven by another process"
        assert status(pole)["state"] == "idle"
