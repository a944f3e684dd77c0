"""``ttcs-edge version``: what is installed here, for a report to the makers."""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
from importlib import metadata
from typing import Final

from ttcs_edge import __version__
from ttcs_edge.locale import Language
from ttcs_edge.terminal.output import print_json

LIBRARIES: Final = (
    "PyYAML",
    "RPLCD",
    "cryptography",
    "gpiozero",
    "m3u8",
    "msgspec",
    "numpy",
    "paho-mqtt",
    "pyalsaaudio",
    "pymodbus",
    "pyserial",
    "python-dateutil",
    "python-vlc",
    "rich",
    "sdnotify",
    "securesystemslib",
    "smbus2",
    "structlog",
    "textual",
    "tzdata",
)


def command(options: argparse.Namespace, lang: Language) -> int:
    """Print the versions."""
    versions = {
        "ttcs-edge": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    } | {name: installed(name) for name in LIBRARIES}
    if options.json:
        print_json(versions)
    else:
        width = max(map(len, versions)) + 2
        for name, version in versions.items():
            print(f"{name:<{width}}{version}")
    return os.EX_OK


def installed(name: str) -> str:
    """Give the version of an installed distribution; ``-`` when it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "-"
