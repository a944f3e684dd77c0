"""``ttcs-edge trust``: whose word this station believes, and until when; what of it ends soon is told first."""

from __future__ import annotations

import argparse
import os
from typing import Any

from ttcs_edge.cli.asking import ask_and_show
from ttcs_edge.locale import Language


def command(options: argparse.Namespace, lang: Language) -> int:
    """Ask and show."""

    def show(answer: dict[str, Any]) -> None:
        from ttcs_edge.cli.draw_trust import show  # rich is heavy, and --json does without

        show(answer, lang)

    ask_and_show(options, {"ask": "trust"}, show)
    return os.EX_OK
