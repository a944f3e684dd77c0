"""``python -m ttcs_edge.daemon --config FILE``: what ``ttcs-edge run`` becomes.

The order of a start: config; the player's process on its way, which comes up beside all that follows; relays open
(never-2); the database on its way, which nothing may touch before; and only then the imports of all that the station is
made of.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import sys
from pathlib import Path

from ttcs_edge.config import ConfigError, load_config
from ttcs_edge.drivers.player import PlayerProcess
from ttcs_edge.drivers.player_launch import launcher
from ttcs_edge.drivers.rs485 import station_bus
from ttcs_edge.yaml_form import explain

M_ARENA_MAX = -8
"""mallopt(3): how many heaps there may be."""
LEFT_ALONE_S = 1.0
"""How long a player may take to go when there are no relays to be had."""


def main(config_path: Path) -> int:
    """Run a station until it is stopped; gives an exit code of sysexits.h."""
    gc.disable()  # what a start makes stays, and is walked through in vain again and again; the loop enables it
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
    heard = None if config.microphone is None else config.microphone.input
    player = PlayerProcess(config.sound, heard, launcher(os.environ))
    from ttcs_edge.drivers.relays import RelayError, station_relays

    try:
        bus = station_bus(config.rs485)
        relays = station_relays(config, bus, player.dial)
    except (RelayError, OSError) as error:
        print(f"not-started {error}", file=sys.stderr)
        player.close(LEFT_ALONE_S)
        return os.EX_IOERR
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
