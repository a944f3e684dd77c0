"""The clocks of the machine, and whose time the station lives by (air-7).

The kernel's clock is looked at here, at every reading; a battery clock and a modem have files of their own (``rtc``,
``modem``) and threads of their own, for they may block. ``core.timekeeping`` decides whom to believe.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from ttcs_edge.core.model import Instant, MonoMs, WallMs
from ttcs_edge.core.timekeeping import ClockState, Timekeeper, TimeSource
from ttcs_edge.drivers import kernel_clock
from ttcs_edge.settings import ClockSettings, ClockTrust

_LOOK_EVERY_MS = 1_000


class Told(Struct, frozen=True):
    """A time, and the monotonic instant at which it was that time."""

    wall_ms: int
    mono_ms: int


class TimeDevice(Protocol):
    """Something beside the kernel that knows the time.

    Must: answer within ``ask``, with a time or a code of why there is none (``locale.cli``, ``clock-word``). May: block
    for some seconds. Never: raise for what the device does. One thread calls.
    """

    @property
    def source(self) -> TimeSource:
        """Which one it is."""

    def ask(self) -> Told | str:
        """What the time is, or why it cannot tell."""

    def rest_s(self, told: bool) -> float:
        """How long to leave it alone after an answer."""


class StationClock:
    """Reads both clocks and keeps the word of each source. ``now`` is for every thread, and costs some microseconds.

    With ``trust: host`` the owner vouches for the machine's clock, and nobody else is asked.
    """

    def __init__(self, settings: ClockSettings, synchronised: Callable[[], bool] | None = None) -> None:
        self._host = settings.trust is ClockTrust.HOST
        named = ((TimeSource.RTC, settings.rtc), (TimeSource.MODEM, settings.modem))
        others = (TimeSource.KERNEL, *(source for source, device in named if device), TimeSource.SIGNED)
        self._keeper = Timekeeper((TimeSource.HOST,) if self._host else others)
        self._synchronised = synchronised or kernel_synchronised
        self._lock = threading.Lock()
        self._looked_mono_ms = -_LOOK_EVERY_MS
        self._looked_offset_ms = 0
        self._kernel_good = False
        self._told: ClockState | None = None
        self._wake: Callable[[], None] = _nobody
        self._closing = threading.Event()

    def now(self) -> Instant:
        """One reading of both clocks. Without a source that is believed, the wall clock is the machine's own."""
        with self._lock:
            wall_ms, mono_ms = time.time_ns() // 1_000_000, MonoMs(time.monotonic_ns() // 1_000_000)
            self._look(wall_ms, mono_ms)
            offset_ms = self._keeper.offset_ms(mono_ms)
        if offset_ms is None:
            return Instant(WallMs(wall_ms), mono_ms, False)
        return Instant(WallMs(offset_ms + mono_ms), mono_ms, True)

    def _look(self, wall_ms: int, mono_ms: MonoMs) -> None:
        moved = abs(wall_ms - mono_ms - self._looked_offset_ms) > kernel_clock.MOVED_MS
        if moved or mono_ms - self._looked_mono_ms >= _LOOK_EVERY_MS:
            self._looked_mono_ms, self._looked_offset_ms = mono_ms, wall_ms - mono_ms
            self._kernel_good = self._host or self._synchronised()
            if not self._kernel_good:
                self._keeper.miss(TimeSource.KERNEL, "unsynchronised")
        if self._kernel_good:
            self._keeper.hear(TimeSource.HOST if self._host else TimeSource.KERNEL, wall_ms, mono_ms)

    def news(self) -> ClockState | None:
        """The state, when it is another than this gave last. A time that is refused goes on, and is told once."""
        with self._lock:
            state = self._keeper.state()
            told, self._told = self._told, state
        same = told is not None and _essence(told) == _essence(state)
        return None if same else state

    def watch(self, wake: Callable[[], None], devices: Sequence[TimeDevice] = ()) -> None:
        """Ask the devices, each on a thread of its own; ``wake`` is called when a source was heard."""
        self._wake = wake
        for device in devices:
            name = f"clock-{device.source.value}"
            threading.Thread(target=self._ask, args=(device,), name=name, daemon=True).start()

    def _ask(self, device: TimeDevice) -> None:
        while not self._closing.is_set():
            answer = device.ask()
            with self._lock:
                if isinstance(answer, Told):
                    self._keeper.hear(device.source, answer.wall_ms, MonoMs(answer.mono_ms))
                else:
                    self._keeper.miss(device.source, answer)
            self._wake()
            self._closing.wait(device.rest_s(isinstance(answer, Told)))

    def hear_signed(self, wall_ms: WallMs, mono_ms: MonoMs) -> None:
        """The centre signed that it was this time, and it was heard at a monotonic instant."""
        with self._lock:
            self._keeper.hear(TimeSource.SIGNED, wall_ms, mono_ms)
        self._wake()

    def raise_floor(self, wall_ms: WallMs) -> None:
        """Believe nobody who tells a time before this."""
        with self._lock:
            self._keeper.raise_floor(wall_ms)

    def close(self) -> None:
        """Ask no device any more."""
        self._closing.set()


def time_devices(settings: ClockSettings) -> tuple[TimeDevice, ...]:
    """The devices that a station has; what drives one is loaded only where it is there."""
    devices: list[TimeDevice] = []
    if settings.trust is ClockTrust.KERNEL and settings.rtc is not None:
        from ttcs_edge.drivers.rtc import BatteryClock

        devices.append(BatteryClock(settings.rtc))
    if settings.trust is ClockTrust.KERNEL and settings.modem is not None:
        from ttcs_edge.drivers.modem import ModemClock

        devices.append(ModemClock(settings.modem, settings.modem_baud, settings.modem_every_s))
    return tuple(devices)


def _nobody() -> None:
    """Nobody is to be woken yet."""


def _essence(state: ClockState) -> tuple[object, ...]:
    return state.source, tuple((one.source, one.word) for one in state.words)


def kernel_synchronised() -> bool:
    """Tell whether timesyncd, chrony or ntpd keeps the clock: the kernel says so, or the neighbour that may ask it."""
    asked = kernel_clock.asked()
    return kernel_clock.said() if asked is None else asked
