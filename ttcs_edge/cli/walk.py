"""``ttcs-edge walk``: each zone alone sounds the test tone and says its name, and what the witnesses say of it.

The station does it; this asks for it, looks on until it is over, and ends it when it is interrupted. It leaves with 1
when a zone was not heard as it should be, or was not come to.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from ttcs_edge.cli.arguments import CONFIG, CONFIG_VARIABLE
from ttcs_edge.cli.asking import asker
from ttcs_edge.cli.errors import CommandError
from ttcs_edge.locale import Language
from ttcs_edge.terminal.output import print_json

Answer = dict[str, Any]
FAILED: Final = 1
LOOK_EVERY_S: Final = 0.25
IDLE_S: Final = 5.0
"""How long the energy meter may take to tell what the amplifier draws in silence, behind the last zone."""
END_S: Final = 15.0
"""How long the station may take to fade and open what is closed."""


class Told(Protocol):
    """Whom it is told to as it goes on."""

    def state(self, answer: Answer) -> None:
        """How far it has come."""

    def interrupted(self) -> None:
        """Somebody has had enough."""

    def end(self, answer: Answer) -> None:
        """It is over."""


def command(options: argparse.Namespace, lang: Language) -> int:
    """Have the walk begun, look on, and tell."""
    if options.pins and (options.zones or options.json):
        raise CommandError("pins-whole")
    ask = asker(options)
    told = _teller(options, lang)
    request = {"ask": "walk", "seconds": options.seconds, "now": options.now, "zones": options.zones}
    try:
        state = ask(request)
    except CommandError as error:
        raise CommandError(error.code, **_with_why(error.fields, lang)) from error
    try:
        try:
            state = _look_on(ask, state, told)
        except KeyboardInterrupt:
            told.interrupted()
            state = _end(ask, state)
        if options.json:
            print_json(state)
        told.end(state)
        bad = state["ended"] is not None or any(zone["is_bad"] for zone in state["zones"])
    except (KeyError, TypeError) as error:
        raise CommandError("bad-answer") from error
    if options.pins and state["ended"] is None:
        from ttcs_edge.cli.walk_pins import mend  # PyYAML only for those who ask for it

        return mend(Path(options.config or os.environ.get(CONFIG_VARIABLE) or CONFIG), lang)
    return FAILED if bad else 0


def _with_why(fields: dict[str, str], lang: Language) -> dict[str, str]:
    """In words, why the station does not begin."""
    if "reason" not in fields:
        return fields
    from ttcs_edge.locale.central_orders import why

    return fields | {"error": why(fields["reason"], "", fields, lang)}


def _look_on(ask: Callable[..., Answer], state: Answer, told: Told) -> Answer:
    """Until it is over, and what the amplifier draws in silence is known, too."""
    told.state(state)
    over_s: float | None = None
    while not state["is_over"] or not _is_whole(state, over_s):
        time.sleep(LOOK_EVERY_S)
        state = ask({"ask": "walk-state", "number": state["number"]})
        told.state(state)
        if state["is_over"] and over_s is None:
            over_s = time.monotonic()
    return state


def _is_whole(state: Answer, over_s: float | None) -> bool:
    """Tell whether nothing more will be known of a walk that is over."""
    measured = any(zone["watts"] is not None for zone in state["zones"])
    if not measured or state["idle_is_fresh"]:
        return True
    return over_s is not None and time.monotonic() >= over_s + IDLE_S


def _end(ask: Callable[..., Answer], state: Answer) -> Answer:
    """Have it faded, and wait until its relays are open."""
    until_s = time.monotonic() + END_S
    state = ask({"ask": "walk-stop", "number": state["number"]})
    while not state["is_over"] and time.monotonic() < until_s:
        time.sleep(LOOK_EVERY_S)
        state = ask({"ask": "walk-state", "number": state["number"]})
    return state


def _teller(options: argparse.Namespace, lang: Language) -> Told:
    if options.json:
        return _Silent()
    try:
        from ttcs_edge.cli.draw_walk import Screen  # rich is heavy, and --json does without
    except ModuleNotFoundError as error:
        raise CommandError("no-rich") from error
    return Screen(lang)


class _Silent:
    """For machines, which read the end alone."""

    def state(self, answer: Answer) -> None:
        """Nothing."""

    def interrupted(self) -> None:
        """Nothing."""

    def end(self, answer: Answer) -> None:
        """Nothing."""
