"""``python -m ttcs_edge.daemon --config FILE``: what ``ttcs-edge run`` becomes.

The order of a start: config, relays open (never-2), the player's process and the database on their way, and only then
the imports of all that the station is made of: both come up beside them.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import sys
from pathlib import Path

from ttcs_edge.config import ConfigError, load_config
from ttcs_edge.drivers.player import PlayerProcess
from ttcs_edge.drivers.player_launch import launcher
from ttcs_edge.drivers.relays import RelayError, station_relays
from ttcs_edge.drivers.rs485 import station_bus
from ttcs_edge.yaml_form import explain

M_ARENA_MAX = -8
"""mallopt(3): how many heaps there may be."""


def main(config_path: Path) -> int:
    """Run a station until it is stopped; gives an exit code of sysexits.h."""
    if not __debug__:
        print("assertions-off", file=sys.stderr)
        return os.EX_USAGE
    # The interpreter runs one thread at a time: a heap for each of them would only be 2 MB more.
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
    try:
        config = load_config(config_path)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return os.EX_CONFIG
    try:
        bus = station_bus(config.rs485)
        relays = station_relays(config, bus, lambda *dialled: player.dial(*dialled))  # of the player below
    except (RelayError, OSError) as error:
        print(f"not-started {error}", file=sys.stderr)
        return os.EX_IOERR
    heard = None if config.microphone is None else config.microphone.input
    player = PlayerProcess(config.sound, heard, launcher(os.environ))
    # structlog would load rich, for tracebacks on a terminal, wherever it is installed: 30 ms and 5 MB of the daemon.
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
    from ttcs_edge.daemon import opening

    opened = opening.begin(config)
    from ttcs_edge.daemon.main import run

    code = run(config, config_path, relays, player, opened, bus)
    if code == os.EX_CONFIG:  # what the config names is not there, or is not to be believed: told as check-config does
        from ttcs_edge.named_files import check_files

        print(explain(check_files(config_path)), file=sys.stderr)
    return code


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="ttcs-edge run")
    parser.add_argument("--config", type=Path, default=Path("/etc/ttcs-edge/station.yaml"))
    left_with = main(parser.parse_args().config)
    # Every part is closed. Threads that wait in libraries would be ended by force where the interpreter takes itself
    # apart, and now and then that ended in SIGABRT: a stop that looks like a crash.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(left_with)
