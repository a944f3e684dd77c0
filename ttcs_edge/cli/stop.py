"""``ttcs-edge stop``: end what was begun here by hand: a test tone, a relay that is held closed, a walk.

What the province airs is not a technician's to stop: no alert, and no cue of a programme.
"""

from __future__ import annotations

import argparse
from typing import Any

from ttcs_edge.cli.asking import asker
from ttcs_edge.cli.errors import CommandError
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal.output import print_json


def command(options: argparse.Namespace, lang: Language) -> int:
    """Have it ended, and tell what was."""
    return show_stopped(asker(options)({"ask": "tests-stop"}), options, lang)


def show_stopped(answer: dict[str, Any], options: argparse.Namespace, lang: Language) -> int:
    """Tell what was ended."""
    if options.json:
        print_json(answer)
        return 0
    try:
        stopped = [text(f"cli.stopped.{kind}", lang) for kind in answer["stopped"]]
        from ttcs_edge.terminal import screen  # rich is heavy, and --json does without
    except (KeyError, TypeError) as error:
        raise CommandError("bad-answer") from error
    except ModuleNotFoundError as error:
        raise CommandError("no-rich") from error
    nothing = [text("cli.stopped-nothing", lang), text("cli.stopped-others", lang)]
    screen.show(screen.console(), [screen.styled(line) for line in stopped or nothing])
    return 0
