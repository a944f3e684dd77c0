"""``python -m ttcs_edge.daemon --config FILE``: what ``ttcs-edge run`` becomes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ttcs_edge.daemon.main import main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="ttcs-edge run")
    parser.add_argument("--config", type=Path, default=Path("/etc/ttcs-edge/station.yaml"))
    sys.exit(main(parser.parse_args().config))
