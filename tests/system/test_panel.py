"""The box on real parts: a person reads its display, sees its lamps, and presses its keys."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.drivers.test_lcd import ADDRESS, read
from tests.parts import Clip, Listener, Province, Station, eventually, put_chunks
from tests.system.sight import line_log, position_ms, sound_runs, status
from tests.system.test_main_job import TOPIC, all_open, one_slot
from ttcs_edge.daemon.showing import PAGE_S
from ttcs_edge.drivers.lcd_chip import name_of, seen
from ttcs_edge.drivers.pins import level, touch

LED, LINK, AIR, MUTE = 5, 6, 19, 26
LAMPS = {f"gpio{pin}" for pin in (LED, LINK, AIR)}
PANEL = f"""\
panel: {{led_pin: {LED}, link_led_pin: {LINK}, air_led_pin: {AIR}, mute_pin: {MUTE}, lcd: {{address: 0x{ADDRESS:02x}}}}}
"""


class Passer:
    """Somebody before the box."""

    def __init__(self, station: Station) -> None:
        self._station = station

    @property
    def lines(self) -> list[str]:
        """What is read on the display; nothing when it is dark."""
        return [line.rstrip() for line in read(seen(self._station.lines, ADDRESS, 16, 2))]

    def reads(self, word: str, within_s: float = 15) -> None:
        """Wait until a word stands there."""
        eventually(lambda: any(word in line for line in self.lines), within_s)

    def push(self, muted: bool) -> None:
        """The mute key, until the station says that it is muted, or that it is not."""
        touch(self._station.lines, MUTE, 0)
        eventually(lambda: ("muted" in faults(self._station)) is muted)
        touch(self._station.lines, MUTE, 1)
        time.sleep(0.2)  # as a hand does before it presses again

    def unplug(self, out: bool) -> None:
        """The display's plug."""
        plug = self._station.lines / f"{name_of(ADDRESS)}.unplugged"
        plug.touch() if out else plug.unlink()


def faults(station: Station) -> list[str]:
    """What the station says is wrong."""
    return [fault["code"] for fault in status(station).get("faults", ())]


@pytest.fixture
def passer(station: Station) -> Iterator[Passer]:
    """Before a station with everything at its box, which is not started yet."""
    station.lines.mkdir(parents=True)
    station.config.write_text(station.config.read_text() + PANEL)
    yield Passer(station)


def test_a_person_reads_what_airs_mutes_it_and_lets_it_go_on(
    station: Station, passer: Passer, centre: Listener, province: Province, clip: Clip
) -> None:
    """In Vietnamese with every mark; lamps tell the same; the log and the trail tell what the hand did."""
    station.start()
    eventually(lambda: level(station.lines, LINK) == 1)
    assert level(station.lines, LED) == 1
    passer.reads("Chờ")
    passer.reads(station.id)
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 10)))
    passer.reads("Kế ")
    eventually(lambda: position_ms(station) > 200, 20)
    passer.reads("Đang phát", PAGE_S)
    assert level(station.lines, AIR) == 1

    passer.push(muted=True)
    passer.reads("Tắt tiếng", PAGE_S)
    eventually(lambda: all_open(station), 20)
    assert centre.reports("as-run") == []
    passer.push(muted=False)
    (report,) = eventually(lambda: centre.reports("as-run"), 25)

    assert (report["outcome"], report["reason"], report["interruptions"]) == ("aired", None, 1)
    trail = [(one["deed"], one["detail"]) for one in centre.reports("audit") if "muted" in one["deed"]]
    assert trail == [("muted", {"reason": "key"}), ("unmuted", {"reason": "key"})]
    relays = [at_ns for line, _, at_ns in line_log(station) if line not in LAMPS]
    assert not any(begin <= at_ns < end for begin, end in sound_runs(station) for at_ns in relays)
    passer.reads("Chờ")
    assert station.stop() == 0
    assert passer.lines == []
    assert [level(station.lines, pin) for pin in (LED, LINK, AIR)] == [0, 0, 0]


def test_a_display_that_is_unplugged_is_a_fault_and_keeps_nobody_from_airing(
    station: Station, passer: Passer, centre: Listener, province: Province, clip: Clip
) -> None:
    """It is right again as soon as it is back, and its fault is on it while there is another one."""
    station.start()
    passer.reads("Chờ")
    passer.unplug(True)
    eventually(lambda: "lcd" in faults(station), 3 * PAGE_S)
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 4)))
    (report,) = eventually(lambda: centre.reports("as-run"), 25)
    assert report["outcome"] == "aired"
    passer.unplug(False)
    eventually(lambda: "lcd" not in faults(station), 3 * PAGE_S)
    passer.reads("Chờ")


def test_after_a_kill_nobody_reads_a_clock_that_stands(station: Station, passer: Passer) -> None:
    """What opens the relays of a dead daemon darkens its display, too."""
    station.start()
    passer.reads("Chờ")
    assert station.stop(signal.SIGKILL) == -signal.SIGKILL
    assert passer.lines != []
    subprocess.run([sys.executable, "-m", "ttcs_edge.drivers.release", str(station.config)], check=True)
    assert passer.lines == []


def test_a_box_without_a_display_loads_nothing_for_it() -> None:
    """A part that is not there costs nothing."""
    code = "import sys, ttcs_edge.daemon.main as _; print({'RPLCD', 'smbus2', 'ttcs_edge.lettering'} & {*sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout == "set()\n"
