"""The live count of an alert that is out: on a terminal, line by line, or as JSON for a machine."""

from __future__ import annotations

import json
import queue
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec.structs import replace
from rich.console import Console, Group
from rich.live import Live

from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.alert_count import AlertCount, Answer
from ttcs_edge.central.broker import Heard, LinkTurned, OperatorClient
from ttcs_edge.central.draw_alert import end_lines, live_lines, plain_line
from ttcs_edge.central.draw_watch import one_line
from ttcs_edge.core.documents import Alert
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal import screen

REDRAW_S: Final = 0.5
NOT_ALL: Final = 1
"""The exit code when a station failed or is missing."""


def follow(
    ears: OperatorClient, count: AlertCount, wait_s: float, broker: BrokerAddress, lang: Language, *, as_json: bool
) -> int:
    """Count until every station has answered or the time is over; gives the exit code.

    Ctrl-C ends the count: how it stands is shown before KeyboardInterrupt goes on. The alert itself is out.
    """
    assert count.alert is not None
    out = screen.console()
    if not as_json:
        told = [text("central.alert-sent", lang, id=count.alert.id, version=count.alert.version)]
        if count.alert.msg_type != "Cancel":
            told.append(text("central.alert-to-cancel", lang, id=count.alert.id))
        screen.show(out, map(screen.styled, told))
    try:
        if as_json:
            _print(sent_of(count.alert))
            for message in _messages(ears, count, wait_s):
                if isinstance(message, Answer):
                    _print(line_of(message))
        elif out.is_terminal:
            _draw(ears, count, wait_s, broker, lang, out)
        else:
            for message in _messages(ears, count, wait_s):
                if isinstance(message, Answer):
                    print(plain_line(message, lang), flush=True)
    finally:
        if as_json:
            _print(summary_of(count))
        else:
            screen.show(out, end_lines(count, lang))
    return 0 if count.is_good else NOT_ALL


def _messages(ears: OperatorClient, count: AlertCount, wait_s: float) -> Iterator[Answer | LinkTurned | None]:
    """Every station that changed, until all have answered or the time is over; None at least every half second."""
    until_s = time.monotonic() + wait_s
    while not count.is_over and (left_s := until_s - time.monotonic()) > 0:
        try:
            message = ears.incoming.get(timeout=min(REDRAW_S, left_s))
        except queue.Empty:
            yield None
            continue
        yield count.hear(message.topic, message.payload) if isinstance(message, Heard) else message


def _draw(
    ears: OperatorClient, count: AlertCount, wait_s: float, broker: BrokerAddress, lang: Language, out: Console
) -> None:
    up, drawn_s = True, 0.0

    def drawn() -> Group:
        lines = live_lines(count, lang, out.width, out.height)
        down = screen.styled(text("central.link-down", lang, broker=broker), screen.BAD)
        return Group(*lines, *([] if up else [one_line(down)]))

    with Live(console=out, auto_refresh=False, screen=True) as live:
        for message in _messages(ears, count, wait_s):
            up = message.up if isinstance(message, LinkTurned) else up
            if time.monotonic() - drawn_s >= REDRAW_S or isinstance(message, LinkTurned):
                drawn_s = time.monotonic()
                live.update(drawn(), refresh=True)


def sent_of(alert: Alert) -> dict[str, Any]:
    """The message that went out, without the audio inside it."""
    info = tuple(replace(one, inline="") for one in alert.info)
    return {"sent": msgspec.to_builtins(replace(alert, info=info))}


def line_of(one: Answer) -> dict[str, Any]:
    """A station, as it stands now."""
    line: dict[str, Any] = {"station": one.id, "state": one.state, "link": one.link}
    if one.unheard:
        line["unheard"] = [{"part": part, "reason": reason} for part, reason in one.unheard]
    if one.fault is not None:
        line["fault"] = {"code": one.fault[0], "detail": one.fault[2]}
    return line


def summary_of(count: AlertCount) -> dict[str, Any]:
    """How it ended: the counts, and every station."""
    return {
        "done": count.is_good,
        "counts": dict(sorted(count.states.items())),
        "stations": [line_of(one) for one in count.rows],
    }


def _print(value: dict[str, Any]) -> None:
    print(json.dumps(value), file=sys.stdout, flush=True)
