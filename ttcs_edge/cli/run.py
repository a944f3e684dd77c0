"""``ttcs-edge run``: this process becomes the daemon, so that it is the unit's main process."""

from __future__ import annotations

import argparse
import os
import sys
from typing import NoReturn

from ttcs_edge.locale import Language


def command(options: argparse.Namespace, lang: Language) -> NoReturn:
    """Become ``python -m ttcs_edge.daemon``. ``-P``: nothing is imported from the working directory."""
    words = [sys.executable, "-P", "-m", "ttcs_edge.daemon", "--config", str(options.config)]
    os.execv(sys.executable, words)  # noqa: S606 (no shell is what is wanted)
