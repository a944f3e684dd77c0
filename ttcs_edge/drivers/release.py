"""What the service manager runs when the daemon is gone, however it went: every relay is opened (never-2).

Raspberry Pi OS leaves an output as it was when its process dies, so after a kill somebody must open the relays at once.
This is part of the unit that owns the pins (decision 7); nothing else may call it while the daemon lives, and then it
would be refused by the lines themselves.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ttcs_edge.config import ConfigError, load_config
from ttcs_edge.drivers.panel import GpioLight, LampError
from ttcs_edge.drivers.relays import RelayError, station_relays
from ttcs_edge.drivers.rs485 import station_bus
from ttcs_edge.settings import LcdSettings, PinSettings


def main() -> int:
    """Open every relay of the station.yaml that is named, darken its lamps and its display; 0 when all are open, else
    of sysexits.h.

    That file is the copy of the run that ended. When it cannot be used, no run drove anything by it, and the daemon
    has told the technician why at length: a line is enough here.
    """
    path = Path(sys.argv[1]) if len(sys.argv) == 2 else Path("/etc/ttcs-edge/station.yaml")
    try:
        config = load_config(path)
        relays = station_relays(config, station_bus(config.rs485), _nobody_dials)
        for led in config.panel.leds.values():
            with suppress(LampError):  # the relays count
                GpioLight(led, config.pins)
        relays.close()
        if config.panel.lcd is not None:
            _darken(config.panel.lcd, config.pins)
    except ConfigError as error:
        keys = [f"{one.file}:{one.line} {one.key} {one.code}" for one in error.problems]
        return _tell(os.EX_CONFIG, event="relays-not-opened", level="error", problems=keys)
    except (RelayError, OSError) as error:
        return _tell(os.EX_IOERR, event="relays-not-opened", level="error", error=str(error))
    return _tell(os.EX_OK, event="relays-opened", level="info", relays=sorted(relays.states()))


def _darken(lcd: LcdSettings, pins: PinSettings) -> None:
    """A clock that stands must not be read."""
    from ttcs_edge.drivers.i2c import lcd_bus
    from ttcs_edge.drivers.lcd import BackpackLcd, LcdError

    display = BackpackLcd(lcd, lambda: lcd_bus(lcd, pins))
    with suppress(LcdError):
        display.show((" " * lcd.columns,) * lcd.rows)
    display.close()


def _nobody_dials(digits: str, digit_ms: int, gap_ms: int, answer: Callable[[str | None], None]) -> None:
    """No receiver is told anything here: without a carrier they are silent."""
    answer("nobody dials")


def _tell(code: int, **fields: object) -> int:
    print(json.dumps(fields, ensure_ascii=False), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
