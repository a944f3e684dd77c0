"""``ttcs-edge faults``: what is wrong now, why, and what to do; ``--history`` what was wrong before, and how long."""

from __future__ import annotations

import argparse
import os
from typing import Any, Final

from ttcs_edge.cli.asking import ask_and_show, asker
from ttcs_edge.cli.errors import CommandError
from ttcs_edge.cli.looking_back import Record, newest, time_zone_of
from ttcs_edge.locale import Language
from ttcs_edge.terminal.output import print_json_array

LAST: Final = 20


def command(options: argparse.Namespace, lang: Language) -> int:
    """Ask and show."""
    if options.history or options.last:
        return _history(options, lang)

    def show(answer: dict[str, Any]) -> None:
        from ttcs_edge.cli.draw_faults import show_open  # rich is heavy, and --json does without

        show_open(answer, lang)

    ask_and_show(options, {"ask": "status"}, show)
    return os.EX_OK


def _history(options: argparse.Namespace, lang: Language) -> int:
    ask = asker(options)
    ends: set[tuple[str, str, str]] = set()

    def is_news(report: Record) -> bool:
        """Of a fault that is over the newer report tells all, and it comes first."""
        key = (report["code"], report["subject"], report["raised"])
        is_new = key not in ends
        ends.add(key)
        return is_new

    try:
        reports = newest(ask, "fault", is_news, options.last or LAST)
        if options.json:
            print_json_array(reports)
            return os.EX_OK
        from ttcs_edge.cli.draw_faults import show_history

        show_history(reports, time_zone_of(ask), lang)
    except (KeyError, TypeError, ValueError) as error:
        raise CommandError("bad-answer") from error
    except ModuleNotFoundError as error:
        raise CommandError("no-rich") from error
    return os.EX_OK
