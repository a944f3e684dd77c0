"""The command line of ``ttcs-central audit``: its options."""

from __future__ import annotations

import argparse
from datetime import date
from typing import Any, Final

from ttcs_edge.locale import Language, text
from ttcs_edge.terminal.arguments import Parser

AUDIT_EXAMPLE: Final = "ttcs-central audit /srv/lam-dong da-teh-01 --since 2026-11-01"


class _Day(argparse.Action):
    """A date of the calendar, as ``2026-11-01``."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        try:
            setattr(namespace, self.dest, date.fromisoformat(values))
        except ValueError:
            parser.error(text("central.bad-since", parser.lang, found=values))


def add_audit_options(command: Parser, lang: Language) -> None:
    """Add what the command takes."""
    command.add_argument("station", metavar="ID", nargs="?", help=text("central.help-audit-id", lang))
    options = command.options
    options.add_argument("--since", metavar="DATE", action=_Day, help=text("central.help-audit-since", lang))
    options.add_argument("--json", action="store_true", help=text("central.help-audit-json", lang))
