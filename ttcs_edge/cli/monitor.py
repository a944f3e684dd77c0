"""``ttcs-edge monitor``: the station while it lives, on one screen, on a phone as on a desk."""

from __future__ import annotations

import argparse
import os
import sys

from ttcs_edge.cli.asking import asker
from ttcs_edge.cli.errors import CommandError
from ttcs_edge.locale import Language


def command(options: argparse.Namespace, lang: Language) -> int:
    """Show it until somebody leaves. Raises CommandError."""
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):  # it draws on the last
        raise CommandError("no-terminal")
    try:
        from ttcs_edge.cli.monitor_app import Monitor  # Textual is heavy, and nothing else uses it
    except ModuleNotFoundError as error:
        raise CommandError("no-rich") from error
    for name in ("COLUMNS", "LINES"):  # Textual would believe them, and never see that the phone is turned
        os.environ.pop(name, None)
    Monitor(asker(options), lang, float(options.every)).run(mouse=False)
    return os.EX_OK
