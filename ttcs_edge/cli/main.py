"""``ttcs-edge``: the technician's commands, at the foot of a pole, on a phone's screen.

A command loads nothing of the station's own parts: ``run`` becomes the daemon (exec), the others ask it over its Unix
socket. ``doctor`` alone looks with the station's own parts, and stands above (``ttcs_edge.doctor``). Exit codes are
those of sysexits.h: 64 wrong use, 65 what a stick holds is refused, 66 it holds nothing for this station, 69 the
station or the broker does not answer, or doctor finds something red, 73 it has a certificate already, 74 the stick or
the card fails, 77 no right to it, or an answer that nobody proves, 78 a wrong configuration. Sentences are in
``ttcs_edge.locale``; a machine gives ``--json``.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Final

from ttcs_edge.cli.arguments import make_parser
from ttcs_edge.cli.errors import CommandError
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal.arguments import read
from ttcs_edge.terminal.output import print_error, print_json, run_program

COMMANDS: Final = {
    "run": "ttcs_edge.cli.run",
    "check-config": "ttcs_edge.cli.check",
    "enrol": "ttcs_edge.cli.enrol",
    "doctor": "ttcs_edge.doctor.command",
    "status": "ttcs_edge.cli.status",
    "monitor": "ttcs_edge.cli.monitor",
    "schedule": "ttcs_edge.cli.schedule",
    "faults": "ttcs_edge.cli.faults",
    "log": "ttcs_edge.cli.log",
    "trust": "ttcs_edge.cli.trust",
    "walk": "ttcs_edge.cli.walk",
    "test-tone": "ttcs_edge.cli.lease",
    "relay": "ttcs_edge.cli.lease",
    "stop": "ttcs_edge.cli.stop",
    "mute": "ttcs_edge.cli.mute",
    "unmute": "ttcs_edge.cli.mute",
    "import": "ttcs_edge.cli.import_bundle",
    "export-reports": "ttcs_edge.cli.export_reports",
    "simulate": "ttcs_edge.training.command",
    "support-bundle": "ttcs_edge.cli.support_bundle",
    "version": "ttcs_edge.cli.version",
}
"""Each command's module, loaded when it is called; its ``command(arguments, lang)`` gives the exit code."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    return run_program(arguments, _run)


def _run(words: list[str], lang: Language) -> int:
    options = read(make_parser(lang, words[0] if words else None), words)
    try:
        return int(importlib.import_module(COMMANDS[options.command]).command(options, lang))
    except CommandError as error:
        return tell(error, options, lang)


def tell(error: CommandError, options: argparse.Namespace, lang: Language) -> int:
    """Tell why a command failed, and what mends it; gives the exit code."""
    if getattr(options, "json", False):
        print_json({"error": {"code": error.code, "detail": error.fields}})
    fields = {"path": "?", "seconds": "?", "error": "?", "scope": "?"} | error.fields
    print_error(text(f"cli.error.{error.code}", lang, **fields))
    print_error(text(f"cli.error.{error.code}.mend", lang, **fields))
    return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
