"""``ttcs-edge test-tone`` and ``ttcs-edge relay``: zones for a while, with the tone or held closed in silence.

The station does it; this asks for it, looks on until it is over, and ends it when it is interrupted. When this dies,
nobody looks on, and the station ends it by itself. It leaves with 1 when it ended before its time for another reason.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any, Final

from ttcs_edge.cli.asking import asker
from ttcs_edge.cli.errors import CommandError
from ttcs_edge.cli.stop import show_stopped
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal.output import print_json

Answer = dict[str, Any]
FAILED: Final = 1
LOOK_EVERY_S: Final = 0.25
END_S: Final = 15.0
"""How long the station may take to fade and open what is closed."""
BY_HAND: Final = "stopped-by-hand"
BEGINS: Final = {"tone": "cli.tone-begins", "relay": "cli.relay-begins"}
HEARD: Final = {"tone": "cli.tone-heard", "relay": "cli.relay-held"}
DONE: Final = {"tone": "cli.tone-done", "relay": "cli.relay-done"}


def command(options: argparse.Namespace, lang: Language) -> int:
    """Have it begun, look on, and tell."""
    ask = asker(options)
    say = _sayer(options)
    if options.command == "relay" and options.open:
        return show_stopped(ask({"ask": "tests-stop", "zone": options.zone}), options, lang)
    silent = options.command == "relay"
    zones = [options.zone] if silent else options.zones
    request = {"ask": "lease", "seconds": options.seconds, "silent": silent, "zones": zones}
    try:
        state = ask(request | {"now": not silent and options.now})
    except CommandError as error:
        raise CommandError(error.code, **_with_why(error.fields, lang)) from error
    try:
        names = ", ".join(state["names"])
        say(text(BEGINS[state["kind"]], lang, seconds=options.seconds, zones=names))
        if silent:
            say(text("cli.relay-danger", lang))
        try:
            state = _look_on(ask, state, lambda kind: say(text(HEARD[kind], lang)))
        except KeyboardInterrupt:
            say(text("cli.lease-interrupted", lang))
            state = _end(ask, state)
        if options.json:
            print_json(state)
        say(_end_words(state, lang))
        return 0 if state["ended"] in (None, BY_HAND) else FAILED
    except (KeyError, TypeError) as error:
        raise CommandError("bad-answer") from error


def _with_why(fields: dict[str, str], lang: Language) -> dict[str, str]:
    """In words, why the station does not begin."""
    if "reason" not in fields:
        return fields
    from ttcs_edge.locale.central_orders import why

    return fields | {"error": why(fields["reason"], "", fields, lang)}


def _end_words(state: Answer, lang: Language) -> str:
    if state["ended"] is None:
        return text(DONE[state["kind"]], lang)
    if state["ended"] == BY_HAND:
        return text("cli.lease-stopped", lang)
    from ttcs_edge.locale.central_orders import why

    return text("cli.lease-ended", lang, why=why(state["ended"], "", {}, lang))


def _look_on(ask: Callable[..., Answer], state: Answer, heard: Callable[[str], None]) -> Answer:
    told = False
    while not state["is_over"]:
        if state["is_heard"] and not told:
            told = True
            heard(state["kind"])
        time.sleep(LOOK_EVERY_S)
        state = ask({"ask": "lease-state", "number": state["number"]})
    return state


def _end(ask: Callable[..., Answer], state: Answer) -> Answer:
    """Have it faded, and wait until it is over."""
    until_s = time.monotonic() + END_S
    state = ask({"ask": "lease-stop", "number": state["number"]})
    while not state["is_over"] and time.monotonic() < until_s:
        time.sleep(LOOK_EVERY_S)
        state = ask({"ask": "lease-state", "number": state["number"]})
    return state


def _sayer(options: argparse.Namespace) -> Callable[[str], None]:
    """Who tells a person; a machine reads the end alone."""
    if options.json:
        return lambda words: None
    try:
        from ttcs_edge.terminal import screen  # rich is heavy, and --json does without
    except ModuleNotFoundError as error:
        raise CommandError("no-rich") from error
    out = screen.console()
    return lambda words: screen.show(out, [screen.styled(words)])
