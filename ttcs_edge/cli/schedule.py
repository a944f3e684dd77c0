"""``ttcs-edge schedule``: every cue to come, and above all those that would fall into the people's night.

A commune was woken at 03:15 by a wrongly set automatic relay; this is where the technician sees it beforehand.
"""

from __future__ import annotations

import argparse
import os
from typing import Any

from ttcs_edge.cli.asking import ask_and_show
from ttcs_edge.locale import Language


def command(options: argparse.Namespace, lang: Language) -> int:
    """Ask and show."""

    def show(answer: dict[str, Any]) -> None:
        from ttcs_edge.cli.draw_schedule import show  # rich is heavy, and --json does without

        show(answer, options.days, lang)

    ask_and_show(options, {"ask": "schedule", "days": options.days}, show)
    return os.EX_OK
