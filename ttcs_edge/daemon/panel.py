"""What people at the pole see and touch, put together: lamps, display, keys. All of it is optional.

What cannot be had keeps nobody from airing, and is told.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from ttcs_edge.core.effects import ShowDisplay, ShowLamp
from ttcs_edge.core.events import ConditionChanged, Event, KeyChanged, MuteKeyChanged
from ttcs_edge.core.lamp import Place
from ttcs_edge.core.model import MICROPHONE, Instant
from ttcs_edge.core.mute import MUTE
from ttcs_edge.drivers.key import GpioKey, KeyLineError
from ttcs_edge.drivers.panel import GpioLight, LampError, Light
from ttcs_edge.drivers.relays import RelayError
from ttcs_edge.locale import language
from ttcs_edge.settings import Config, RelaySettings

if TYPE_CHECKING:
    from ttcs_edge.daemon.showing import Showing

CLOSE_S = 1.0


class Panel:
    """The parts that there are. ``post`` takes events on any thread."""

    def __init__(self, config: Config, now: Callable[[], Instant], post: Callable[[Event], None]) -> None:
        self._config = config
        self._post = post
        panel, microphone = config.panel, config.microphone
        self._lights = {place: light for place in Place if (light := self._light(place)) is not None}
        talk = None if microphone is None else microphone.key
        keys = (
            self._key(talk, "microphone-key", MICROPHONE, lambda down: post(KeyChanged(down))),
            self._key(panel.mute, "mute-key", MUTE, lambda down: post(MuteKeyChanged(down))),
        )
        self._keys = [key for key in keys if key is not None]
        self._showing = self._display(now)

    def show_lamp(self, effect: ShowLamp) -> None:
        """Have a lamp show something, where there is that one."""
        light = self._lights.get(effect.place)
        if light is not None:
            light.show(effect.lamp)

    def show_display(self, effect: ShowDisplay) -> None:
        """Have the display tell something."""
        if self._showing is not None:
            self._showing.show(effect.display)

    def close(self) -> None:
        """Go dark, and read no key any more; whatever becomes of one part, the others are closed."""
        with ExitStack() as parts:
            for light in self._lights.values():
                parts.callback(light.close)
            for key in self._keys:
                parts.callback(key.close)
            if self._showing is not None:
                parts.callback(self._showing.close, CLOSE_S)

    def _light(self, place: Place) -> Light | None:
        led = self._config.panel.leds.get(place)
        light: Light | None = None
        error = ""
        try:
            light = None if led is None else GpioLight(led, self._config.pins)
        except (LampError, RelayError) as failed:
            error = str(failed)
        self._found("lamp", place.value, error)
        return light

    def _key(self, line: RelaySettings | None, code: str, subject: str, tell: Callable[[bool], None]) -> GpioKey | None:
        key: GpioKey | None = None
        error = ""
        try:
            key = None if line is None else GpioKey(line, self._config.pins, tell, code)
        except (KeyLineError, RelayError) as failed:
            error = str(failed)
        self._found(code, subject, error)
        return key

    def _display(self, now: Callable[[], Instant]) -> Showing | None:
        """Its libraries are loaded only where there is one."""
        lcd = self._config.panel.lcd
        if lcd is None:
            self._found("lcd", "panel-lcd", "")
            return None
        from ttcs_edge.daemon.showing import Showing
        from ttcs_edge.drivers.i2c import lcd_bus
        from ttcs_edge.drivers.lcd import BackpackLcd

        display = BackpackLcd(lcd, partial(lcd_bus, lcd, self._config.pins))
        return Showing(display, lcd, self._config.station, language(None, os.environ), now, self._post)

    def _found(self, code: str, subject: str, error: str) -> None:
        self._post(ConditionChanged(code, subject, bool(error), (("error", error),) if error else ()))
