"""The time of the mobile network, over a real serial line (a pty) with a modem at its other end that has its moods."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from tests.drivers.modems import NOON, NOON_MS, Modem, clock_line
from ttcs_edge.core.timekeeping import FLOOR_MS, TimeSource
from ttcs_edge.drivers.at import ANSWER_BYTES
from ttcs_edge.drivers.clock import Told
from ttcs_edge.drivers.modem import ModemClock, read


@pytest.fixture
def plug() -> Iterator[Callable[[Modem], ModemClock]]:
    """Plugs a modem in, and gives the station's side of it."""
    plugged: list[Modem] = []

    def plug(modem: Modem) -> ModemClock:
        plugged.append(modem)
        return ModemClock(modem.port, 115_200, every_s=600, answer_s=0.8)

    yield plug
    for modem in plugged:
        modem.close()


def test_the_networks_time_is_read_in_its_own_zone(plug: Callable[[Modem], ModemClock]) -> None:
    """Noon in Hà Nội, +28 quarters of an hour, is five o'clock; the network is asked to set the modem's clock first."""
    modem = Modem()
    clock = plug(modem)
    before_ms = time.monotonic_ns() // 1_000_000
    told = clock.ask()

    assert isinstance(told, Told) and clock.source is TimeSource.MODEM
    assert told.wall_ms == NOON_MS + 500
    assert before_ms <= told.mono_ms <= time.monotonic_ns() // 1_000_000
    assert modem.heard == [b"AT+CTZU=1", b"AT+CCLK?"]


MOODS = {
    "echo off": lambda: Modem(echo=False),
    "slow": lambda: Modem(byte_s=0.005),
    "chatty": lambda: Modem(unasked=b'\r\nRING\r\n\r\n+CREG: 1,"1F2A"\r\n\r\n^RSSI: 17\r\n'),
    "knows no AT+CTZU": lambda: Modem(to_others=b"\r\n+CME ERROR: operation not supported\r\n"),
    "says nothing to AT+CTZU": lambda: Modem(to_others=b""),
    "says OK to AT+CTZU too late": lambda: Modem(lambda: b"\r\nOK\r\n" + clock_line(NOON), to_others=b"", byte_s=0.005),
}


@pytest.mark.parametrize("mood", MOODS)
def test_whatever_its_mood_its_time_is_heard(plug: Callable[[Modem], ModemClock], mood: str) -> None:
    """Slow, chatty, with and without echo."""
    told = plug(MOODS[mood]()).ask()

    assert isinstance(told, Told) and told.wall_ms == NOON_MS + 500


def test_a_silent_modem_is_waited_for_and_no_longer(plug: Callable[[Modem], ModemClock]) -> None:
    """Two questions of 0.8 s each, not for ever."""
    began_s = time.monotonic()

    assert plug(Modem(deaf=True)).ask() == "silent"
    assert 1.5 < time.monotonic() - began_s < 4


def test_a_modem_that_never_stops_talking_is_cut_short(plug: Callable[[Modem], ModemClock]) -> None:
    """never-8: what it says is bounded in bytes and in time."""
    modem = Modem(answer=lambda: b"\r\n^RSSI: 17\r\n" * (ANSWER_BYTES // 8))

    plug(modem)
    began_s = time.monotonic()

    assert ModemClock(modem.port, 115_200, 600, answer_s=20).ask() == "garbled"
    assert time.monotonic() - began_s < 15


def test_a_port_that_is_not_there_or_is_taken_is_unreadable(
    plug: Callable[[Modem], ModemClock], tmp_path: Path
) -> None:
    """No such device; a plain file; a port that another program has locked."""
    import serial

    modem = Modem()
    clock = plug(modem)
    (tmp_path / "file").touch()

    assert ModemClock(tmp_path / "none", 115_200, 600).ask() == "unreadable"
    assert ModemClock(tmp_path / "file", 115_200, 600).ask() == "unreadable"
    with serial.Serial(str(modem.port), exclusive=True):
        assert clock.ask() == "unreadable"
    assert isinstance(clock.ask(), Told), "and works again once it is free"


def test_a_modem_that_is_pulled_out_between_two_questions_breaks_nothing() -> None:
    """USB modems fall off the bus."""
    modem = Modem()
    clock = ModemClock(modem.port, 115_200, 600, answer_s=0.3)
    assert isinstance(clock.ask(), Told)
    modem.close()

    assert clock.ask() in ("unreadable", "silent")


def test_it_is_asked_sooner_after_no_answer() -> None:
    """The network may be there in a quarter of a minute; a working clock is left alone for ten."""
    assert ModemClock(Path("/dev/x"), 115_200, 600).rest_s(True) == 600
    assert ModemClock(Path("/dev/x"), 115_200, 600).rest_s(False) == 15
    assert ModemClock(Path("/dev/x"), 115_200, 1).rest_s(False) == 1


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (b"", "silent"),
        (b"AT+CCLK?\n\n", "silent"),
        (b"\nERROR\n", "refused"),
        (b"\n+CME ERROR: 10\n", "refused"),
        (b"\nOK\n", "garbled"),
        (b"\xff\x00\x8a\x13" * 40, "garbled"),
        (b'\n+CCLK: "26/13/40,25:61:61+28"\n\nOK\n', "garbled"),
        (b'\n+CCLK: "26/02/30,12:00:00+28"\n\nOK\n', "garbled"),
        (b'\n+CCLK: "80/01/06,00:00:12+00"\n\nOK\n', "factory-date"),
        (b'\n+CCLK: "70/01/01,00:00:12+00"\n\nOK\n', "factory-date"),
        (b'\n+CCLK: "04/01/01,00:25:45+00"\n\nOK\n', "factory-date"),
        (b'\n+CCLK: "00/01/01,00:00:00"\n\nOK\n', "factory-date"),
        (b'\n+CCLK: "26/11/25,12:00:00"\n\nOK\n', "no-zone"),
    ],
)
def test_what_is_no_time_is_told_apart(answer: bytes, word: str) -> None:
    """A technician does something else about each."""
    assert read(answer, 7) == word


@pytest.mark.parametrize(("zone", "hours"), [("+28", 7.0), ("+00", 0.0), ("-12", -3.0), ("+23", 5.75), ("+52", 13.0)])
def test_the_zone_is_in_quarters_of_an_hour(zone: str, hours: float) -> None:
    """TS 27.007, 8.15."""
    local = datetime(2026, 11, 25, 12, 0, 0, tzinfo=timezone.utc)
    told = read(clock_line(local, zone).replace(b"\r", b"\n"), 0)

    assert told == Told(round(local.timestamp() * 1_000 - hours * 3_600_000) + 500, 0)


def test_the_first_instant_of_this_release_is_a_time() -> None:
    """The bound itself, and a second before it."""
    local = datetime.fromtimestamp(FLOOR_MS / 1_000, timezone.utc)

    assert read(clock_line(local, "+00").replace(b"\r", b"\n"), 0) == Told(FLOOR_MS + 500, 0)
    assert read(clock_line(local - timedelta(seconds=1), "+00").replace(b"\r", b"\n"), 0) == "factory-date"
