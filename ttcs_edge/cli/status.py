"""``ttcs-edge status``: what the station does now, what comes next, and what is wrong with it and how to mend it."""

from __future__ import annotations

import argparse
import os
from typing import Any

from ttcs_edge.cli.asking import ask_and_show
from ttcs_edge.locale import Language


def command(options: argparse.Namespace, lang: Language) -> int:
    """Ask and show."""

    def show(answer: dict[str, Any]) -> None:
        from ttcs_edge.cli.draw_status import show  # rich is heavy, and --json does without

        show(answer, lang)

    ask_and_show(options, {"ask": "status"}, show)
    return os.EX_OK
