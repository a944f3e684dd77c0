"""What the service manager runs when the daemon is gone, however it went: every relay is opened (never-2).

Raspberry Pi OS leaves an output as it was when its process dies, so after a kill somebody must open the relays at once.
This is part of the unit that owns the pins (decision 7); nothing else may call it while the daemon lives, and then it
would be refused by the lines themselves.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ttcs_edge.config import ConfigError, load_config
from ttcs_edge.drivers.relays import GpioRelays, RelayError


def main() -> int:
    """Open every relay of the station.yaml that is named; 0 when all are open, else a code of sysexits.h."""
    path = Path(sys.argv[1]) if len(sys.argv) == 2 else Path("/etc/ttcs-edge/station.yaml")
    try:
        relays = GpioRelays(load_config(path).pins)
    except ConfigError as error:
        print(f"relays-not-opened config {error}", file=sys.stderr)
        return os.EX_CONFIG
    except RelayError as error:
        print(f"relays-not-opened {error}", file=sys.stderr)
        return os.EX_IOERR
    print(f"relays-opened {' '.join(sorted(relays.states()))}")
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
