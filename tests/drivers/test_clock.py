"""The station's clock: the kernel's word, the devices', the beacon's; what of it changes is told once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from tests.parts import eventually
from ttcs_edge.core.model import Instant, MonoMs, WallMs
from ttcs_edge.core.timekeeping import ClockState, TimeSource
from ttcs_edge.drivers.clock import StationClock, Told, kernel_synchronised, time_devices
from ttcs_edge.settings import ClockSettings, ClockTrust

HOUR_MS = 3_600_000
WITH_DEVICES = ClockSettings(rtc=Path("/dev/rtc0"), modem=Path("/dev/ttyUSB2"))


class Device:
    """Something that tells the time, as the test wants it."""

    def __init__(self, source: TimeSource, *answers: Told | str) -> None:
        self.source = source
        self.answers = list(answers)
        self.asked = threading.Semaphore(0)

    def ask(self) -> Told | str:
        """The next answer; the last one again and again."""
        self.asked.release()
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def rest_s(self, told: bool) -> float:
        """Not long."""
        return 0.02


def mono_ms() -> MonoMs:
    """The monotonic clock."""
    return MonoMs(time.monotonic_ns() // 1_000_000)


def host_ms() -> int:
    """The machine's wall clock."""
    return time.time_ns() // 1_000_000


def off_ms(instant: Instant) -> int:
    """How far an instant's wall clock is ahead of the machine's, in whole hours' milliseconds."""
    return round((instant.wall_ms - host_ms()) / HOUR_MS) * HOUR_MS


def said(state: ClockState) -> dict[str, str]:
    """The words of a state."""
    return {told.source.value: told.word for told in state.words}


def test_the_owners_word_for_the_host_is_enough() -> None:
    """Nobody else is asked, and nothing can be heard that would contradict."""
    clock = StationClock(ClockSettings(ClockTrust.HOST), lambda: False)
    clock.hear_signed(WallMs(host_ms() + 24 * HOUR_MS), mono_ms())
    now = clock.now()

    assert now.trusted and abs(now.wall_ms - host_ms()) < 1_000 and abs(now.mono_ms - mono_ms()) < 1_000
    assert time_devices(ClockSettings(ClockTrust.HOST, Path("/dev/rtc0"), Path("/dev/ttyUSB2"))) == ()


def test_a_kernel_that_is_synchronised_is_believed_and_carried_when_it_no_longer_is() -> None:
    """The link is gone: the kernel says so; the station keeps the time by the monotonic clock."""
    synchronised = [True]
    clock = StationClock(ClockSettings(), lambda: synchronised[0])
    assert clock.now().trusted
    synchronised[0] = False

    def unsynchronised() -> bool:
        clock.now()
        state = clock.news()
        return state is not None and said(state)["kernel"] == "unsynchronised"

    eventually(unsynchronised)
    now = clock.now()
    assert now.trusted and off_ms(now) == 0


def test_without_any_source_there_is_no_trusted_time_and_each_says_why() -> None:
    """air-7, and what the technician reads at the foot of the pole."""
    clock = StationClock(WITH_DEVICES, lambda: False)
    now = clock.now()
    state = clock.news()

    assert not now.trusted and off_ms(now) == 0
    assert state is not None and state.source is None
    assert said(state) == dict.fromkeys(("rtc", "modem", "signed"), "not-heard") | {"kernel": "unsynchronised"}
    clock.now()
    assert clock.news() is None, "it was told"


def test_a_device_that_tells_the_time_wakes_the_station() -> None:
    """The machine's clock is three hours behind; the modem knows better, and the station lives by it."""
    modem = Device(TimeSource.MODEM, "silent", Told(host_ms() + 3 * HOUR_MS, mono_ms()))
    clock, woken = StationClock(WITH_DEVICES, lambda: False), threading.Semaphore(0)
    clock.watch(woken.release, [modem])
    try:
        eventually(lambda: clock.now().trusted)

        assert off_ms(clock.now()) == 3 * HOUR_MS
        assert woken.acquire(timeout=5)
        state = clock.news()
        assert state is not None and state.source is TimeSource.MODEM
    finally:
        clock.close()


def test_a_device_is_asked_again_and_again_until_the_end() -> None:
    """Its thread ends with the clock."""
    rtc = Device(TimeSource.RTC, "battery-low")
    clock = StationClock(WITH_DEVICES, lambda: False)
    clock.watch(lambda: None, [rtc])
    for _ in range(3):
        assert rtc.asked.acquire(timeout=5)
    clock.close()

    eventually(lambda: not any(one.name == "clock-rtc" for one in threading.enumerate()))


def test_a_beacon_that_came_live_is_the_last_resort() -> None:
    """Nothing else is there; then NTP comes up, and takes over."""
    synchronised = [False]
    clock = StationClock(ClockSettings(), lambda: synchronised[0])
    clock.hear_signed(WallMs(host_ms() + 5 * HOUR_MS), mono_ms())
    assert off_ms(clock.now()) == 5 * HOUR_MS

    synchronised[0] = True
    eventually(lambda: off_ms(clock.now()) == 0)
    assert clock.now().trusted


def test_nobody_below_the_floor_is_believed() -> None:
    """A document was signed in a day from now: the kernel is wrong, however synchronised."""
    clock = StationClock(ClockSettings(), lambda: True)
    assert clock.now().trusted
    clock.raise_floor(WallMs(host_ms() + 24 * HOUR_MS))
    now = clock.now()
    state = clock.news()

    assert not now.trusted
    assert state is not None and said(state)["kernel"] == "below-floor"


def test_the_kernel_can_be_asked() -> None:
    """Whatever this machine's answer is: the call works, unprivileged, and is the same twice."""
    assert kernel_synchronised() == kernel_synchronised()


def test_many_threads_may_look_at_the_clock_at_once() -> None:
    """Control socket, link and core: no reading goes back, none fails."""
    clock = StationClock(ClockSettings(ClockTrust.HOST))
    failed: list[str] = []

    def look() -> None:
        before = clock.now()
        for _ in range(2_000):
            after = clock.now()
            if after.mono_ms < before.mono_ms or not after.trusted:
                failed.append(f"{before} then {after}")
            before = after

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
