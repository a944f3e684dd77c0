"""The live table of stations, the table once, or one JSON object a message for machines."""

from __future__ import annotations

import json
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any, Final, TextIO

import msgspec
from rich.console import Console, Group
from rich.live import Live

from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.broker import Heard, LinkTurned, OperatorClient
from ttcs_edge.central.centre import Centre
from ttcs_edge.central.draw_watch import fault_lines, fleet_lines, missing_lines, one_line
from ttcs_edge.central.fleet import LEAVES, Fleet
from ttcs_edge.central.keeper import Keeper
from ttcs_edge.central.ledger import opened_ledger
from ttcs_edge.core.documents import Refused
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal import screen
from ttcs_edge.wire.topics import Topics

REDRAW_S: Final = 0.5
LEAVE_S: Final = 10.0
"""How long the last reports may take to come, once nothing new is listened to."""


def watch_json(
    centre: Centre, address: BrokerAddress, for_s: float | None, out: TextIO | None = None, *, keep: bool = False
) -> None:
    """Print one JSON object for each message, good or bad, until the time is over."""
    fleet = Fleet(Topics(centre.settings.topic_root))
    with _heard(centre, address, for_s, keep=keep) as messages:
        for message in messages:
            if isinstance(message, Heard):
                print(json_line(message, fleet), file=out or sys.stdout, flush=True)


def watch_once(centre: Centre, address: BrokerAddress, for_s: float, lang: Language, *, keep: bool = False) -> None:
    """Listen for a while, then show every station, and every fault with its mend."""
    fleet = Fleet(Topics(centre.settings.topic_root))
    with _heard(centre, address, for_s, keep=keep) as messages:
        for message in messages:
            _take(fleet, message)
    out = screen.console()
    now_s = time.monotonic()
    lines = fleet_lines(fleet.rows, now_s, lang, out.width) + fault_lines(fleet.rows, now_s, lang)
    screen.show(out, lines + missing_lines(fleet.rows, centre.folder, lang))


def watch_live(
    centre: Centre, address: BrokerAddress, for_s: float | None, lang: Language, *, keep: bool = False
) -> None:
    """Show as many stations as the terminal has lines for, until the time is over or the operator has seen enough."""
    fleet = Fleet(Topics(centre.settings.topic_root))
    out = screen.console()
    up = True
    with (
        _heard(centre, address, for_s, keep=keep) as messages,
        Live(console=out, auto_refresh=False, screen=out.is_terminal) as live,
    ):
        drawn_s = 0.0
        for message in messages:
            up = message.up if isinstance(message, LinkTurned) else up
            _take(fleet, message)
            if time.monotonic() - drawn_s >= REDRAW_S:
                drawn_s = time.monotonic()
                live.update(_screen(fleet, centre, address, lang, out, up=up), refresh=True)
        live.update(_screen(fleet, centre, address, lang, out, up=up), refresh=True)


def json_line(message: Heard, fleet: Fleet) -> str:
    """One message as a line of JSON: its report, or why it is bad."""
    report = fleet.hear(message.topic, message.payload, time.monotonic())
    line: dict[str, Any] = {
        "received": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "topic": message.topic,
        "retained": message.retained,
    }
    if isinstance(report, Refused):
        line["refused"] = {"code": report.code, "detail": dict(report.detail)}
    elif report is not None:
        line["report"] = msgspec.to_builtins(report)
    return json.dumps(line)


def _screen(fleet: Fleet, centre: Centre, address: BrokerAddress, lang: Language, out: Console, *, up: bool) -> Group:
    code, style = ("central.link-up", screen.QUIET) if up else ("central.link-down", screen.BAD)
    title = screen.joined([screen.styled(centre.settings.name, screen.HEADING), f"{datetime.now():%H:%M:%S}"], "  ")
    lines = out.height if out.is_terminal else None
    stations = fleet_lines(fleet.rows, time.monotonic(), lang, out.width, lines)
    link = screen.styled(text(code, lang, broker=address), style)
    return Group(one_line(title), *stations, screen.styled(""), one_line(link))


def _take(fleet: Fleet, message: Heard | LinkTurned | None) -> None:
    if isinstance(message, Heard):
        fleet.hear(message.topic, message.payload, time.monotonic())
    elif isinstance(message, LinkTurned) and not message.up:
        fleet.line_was_lost()


def _subscriptions(centre: Centre) -> tuple[str, ...]:
    topics = Topics(centre.settings.topic_root)
    return tuple(topics.station("+", leaf) for leaf in LEAVES)


@contextmanager
def _heard(
    centre: Centre, address: BrokerAddress, for_s: float | None, *, keep: bool
) -> Iterator[Iterator[Heard | LinkTurned | None]]:
    """Connect, and give everything that comes; what happened at the stations goes into the ledger, if asked."""
    client = OperatorClient(centre, address, _subscriptions(centre), keeps=keep)
    if not keep:
        with client.connected():
            yield _messages(client, for_s, None)
        return
    with _interrupts_asked() as asked, opened_ledger(centre) as ledger, client.connected():
        keeper = Keeper(centre, ledger, client.acknowledge)
        try:
            yield _messages(client, for_s, keeper, asked)
        finally:
            _keep_the_rest(client, keeper)


@contextmanager
def _interrupts_asked() -> Iterator[threading.Event]:
    """Have Ctrl-C heeded between two messages only: none may be lost on its way from the queue into the ledger."""
    asked = threading.Event()
    before = signal.signal(signal.SIGINT, lambda number, frame: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def _keep_the_rest(client: OperatorClient, keeper: Keeper) -> None:
    """Keep what the broker took for us before we leave: the stations were told that it arrived."""
    client.listen_no_more()
    for message in _messages(client, LEAVE_S, keeper):
        if message is None:  # nothing for half a second
            break
    keeper.settle()


def _messages(
    client: OperatorClient, for_s: float | None, keeper: Keeper | None, asked: threading.Event | None = None
) -> Iterator[Heard | LinkTurned | None]:
    """Everything that comes until the time is over; None at least every half second, so that ages can be redrawn.

    Raises KeyboardInterrupt between two messages when it is ``asked``.
    """
    until_s = None if for_s is None else time.monotonic() + for_s
    while until_s is None or time.monotonic() < until_s:
        if asked is not None and asked.is_set():
            raise KeyboardInterrupt
        left_s = REDRAW_S if until_s is None else max(0.001, min(REDRAW_S, until_s - time.monotonic()))
        try:
            message = client.incoming.get(timeout=left_s)
        except queue.Empty:
            yield None
            continue
        if keeper is not None and isinstance(message, Heard):
            keeper.take(message, more=not client.incoming.empty())
        yield message
