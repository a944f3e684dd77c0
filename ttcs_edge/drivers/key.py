"""A key: a contact on a GPIO line of the station's own (decision 7: one unit owns the pins).

Contacts bounce, and edges can be lost: an edge only says that the line is to be read. What is told is a level that has
stood still; it is read again every second, whatever the edges say.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from gpiozero import DigitalInputDevice

from ttcs_edge.drivers.relays import pin_factory
from ttcs_edge.settings import PinSettings, RelaySettings

SETTLED_S = 0.03
"""How long a level must stand still: longer than a contact bounces, shorter than a person notices."""
LOOK_S = 0.005
LOOK_AGAIN_S = 1.0


class KeyLineError(Exception):
    """The key's line cannot be read."""

    def __init__(self, pin: int, error: str) -> None:
        super().__init__(f"GPIO{pin}: {error}")


class GpioKey:
    """A contact between a line and ground (pulled up here), or, ``active_high``, between a line and 3.3 V."""

    def __init__(self, key: RelaySettings, pins: PinSettings, tell: Callable[[bool], None], name: str) -> None:
        """Raises KeyLineError when the line cannot be had. Whether the key is down now is told first."""
        try:
            self._device: Any = DigitalInputDevice(key.pin, pull_up=not key.active_high, pin_factory=pin_factory(pins))
        except Exception as error:  # gpiozero's factories raise errors of many families
            raise KeyLineError(key.pin, f"{type(error).__name__}: {error}") from error
        self._tell = tell
        self._edge = threading.Event()
        self._closing = False
        self._device.when_activated = self._device.when_deactivated = self._edge.set
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Tell no more."""
        self._closing = True
        self._edge.set()
        self._thread.join(LOOK_AGAIN_S)

    def _run(self) -> None:
        told: bool | None = None
        while not self._closing:
            self._edge.clear()
            down = self._settled()
            if down is not told:
                told = down
                self._tell(down)
            self._edge.wait(LOOK_AGAIN_S)

    def _settled(self) -> bool:
        """The level once it has stood still; one that never does is up: nobody holds it."""
        down, since_s = bool(self._device.value), time.monotonic()
        begun_s = since_s
        while (now_s := time.monotonic()) < since_s + SETTLED_S:
            time.sleep(LOOK_S)
            if bool(self._device.value) != down:
                down, since_s = not down, time.monotonic()
            if now_s > begun_s + LOOK_AGAIN_S:
                return False
        return down
