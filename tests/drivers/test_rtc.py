"""The battery clock, read from files as the kernel lays them out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ttcs_edge.core.timekeeping import TimeSource
from ttcs_edge.drivers.clock import Told
from ttcs_edge.drivers.rtc import BatteryClock, battery_failed

NOON_S = 1_795_500_000


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    """A machine with one battery clock, ``rtc0``."""
    (tmp_path / "rtc0").mkdir()
    (tmp_path / "rtc0/since_epoch").write_text(f"{NOON_S}\n")
    return tmp_path


@contextmanager
def running(sysfs: Path, second: Callable[[float], int]) -> Iterator[None]:
    """The clock runs meanwhile: ``second`` gives its seconds from those that have passed."""
    began_s, over = time.monotonic(), threading.Event()
    path, part = sysfs / "rtc0/since_epoch", sysfs / "part"

    def tick() -> None:
        while not over.wait(0.01):
            part.write_text(f"{second(time.monotonic() - began_s)}\n")
            part.replace(path)

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_a_clock_that_runs_is_believed(sysfs: Path) -> None:
    """To half a second: it tells whole ones."""
    clock = BatteryClock(Path("/dev/rtc0"), sysfs)
    began_ms = time.monotonic_ns() // 1_000_000
    with running(sysfs, lambda passed_s: NOON_S + int(passed_s)):
        told = clock.ask()

    assert isinstance(told, Told) and clock.source is TimeSource.RTC
    truth_ms = NOON_S * 1_000 + told.mono_ms - began_ms
    assert abs(told.wall_ms - truth_ms) <= 700


@pytest.mark.parametrize(
    ("story", "second", "word"),
    [
        ("its oscillator stands", lambda passed_s: NOON_S, "stopped"),
        ("it runs ten times too fast", lambda passed_s: NOON_S + int(10 * passed_s), "stopped"),
        ("it runs backwards", lambda passed_s: NOON_S - int(2 * passed_s), "stopped"),
    ],
)
def test_a_clock_that_does_not_run_as_time_does_is_not_believed(
    sysfs: Path, story: str, second: Callable[[float], int], word: str
) -> None:
    """A dead battery often leaves a time behind that looks quite well."""
    with running(sysfs, second):
        assert BatteryClock(Path("/dev/rtc0"), sysfs).ask() == word, story


@pytest.mark.parametrize("content", ["", "garbage\n", "12.5\n", None])
def test_a_clock_that_cannot_be_read_says_so(sysfs: Path, content: str | None) -> None:
    """No such clock, a bus that fails, registers that make no date: the kernel answers with an error or nothing."""
    path = sysfs / "rtc0/since_epoch"
    path.unlink() if content is None else path.write_text(content)

    assert BatteryClock(Path("/dev/rtc0"), sysfs).ask() == "unreadable"


def test_the_device_may_be_named_by_a_link(sysfs: Path, tmp_path: Path) -> None:
    """/dev/rtc is a link to /dev/rtc0."""
    (tmp_path / "rtc").symlink_to(tmp_path / "dev-rtc0")
    (sysfs / "rtc0").rename(sysfs / "dev-rtc0")
    (sysfs / "dev-rtc0/since_epoch").write_text("garbage")
    clock = BatteryClock(tmp_path / "rtc", sysfs)

    assert clock.ask() == "unreadable"
    assert clock._file == sysfs / "dev-rtc0/since_epoch"


def test_a_clock_whose_battery_cannot_be_asked_for_is_judged_by_its_time(tmp_path: Path) -> None:
    """No right to the device, or a driver without the question (ENOTTY): no reason to doubt it."""
    (tmp_path / "file").touch()

    assert not battery_failed(tmp_path / "none")
    assert not battery_failed(tmp_path / "file")
    assert not battery_failed(Path("/dev/null"))
