"""``ttcs-edge mute`` and ``ttcs-edge unmute``: silence but for alerts, for a while, and the end of it."""

from __future__ import annotations

import argparse
from typing import Any

from ttcs_edge.cli.asking import ask_and_show
from ttcs_edge.locale import Language, text


def command(options: argparse.Namespace, lang: Language) -> int:
    """Have the station muted, or heard again."""
    mutes = options.command == "mute"
    request = {"ask": "mute", "minutes": options.minutes} if mutes else {"ask": "unmute"}

    def show(answer: dict[str, Any]) -> None:
        from ttcs_edge.terminal import screen  # rich is heavy, and --json does without

        if mutes:
            lines = [text("cli.muted", lang, minutes=answer["minutes"]), text("cli.muted-alerts", lang)]
        else:
            lines = [text("cli.unmuted" if answer["was_muted"] else "cli.unmuted-nothing", lang)]
        screen.show(screen.console(), [screen.styled(line) for line in lines])

    ask_and_show(options, request, show)
    return 0
