"""The live table of stations, or one JSON object a message for machines.

What stations send is text from outside: it is shown without markup and without control characters, so that a name
cannot paint over the operator's terminal.
"""

from __future__ import annotations

import json
import queue
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, TextIO

import msgspec
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from ttcs_edge.central.broker import Heard, LinkTurned, OperatorClient
from ttcs_edge.central.centre import Centre
from ttcs_edge.central.fleet import LEAVES, Fleet, StationRow
from ttcs_edge.central.stations import BrokerAddress
from ttcs_edge.core.documents import Refused
from ttcs_edge.locale import Language, text
from ttcs_edge.wire.topics import Topics

REDRAW_S = 0.5
COLOURS = {
    "online": "green",
    "idle": "green",
    "on-air": "bold cyan",
    "no-time": "yellow",
    "stopping": "yellow",
    "stopped": "yellow",
    "offline": "red",
}


def watch_json(centre: Centre, address: BrokerAddress, for_s: float | None, out: TextIO = sys.stdout) -> None:
    """Print one JSON object for each message, good or bad, until the time is over."""
    fleet = Fleet(Topics(centre.settings.topic_root))
    with OperatorClient(centre, address, _subscriptions(centre)).connected() as client:
        for message in _messages(client, for_s):
            if isinstance(message, Heard):
                print(json_line(message, fleet), file=out, flush=True)


def watch_table(centre: Centre, address: BrokerAddress, for_s: float | None, lang: Language, *, once: bool) -> None:
    """Show the table: live, or once after the time is over."""
    fleet = Fleet(Topics(centre.settings.topic_root))
    console = Console()
    up = True
    with OperatorClient(centre, address, _subscriptions(centre)).connected() as client:
        messages = _messages(client, for_s)
        if once:
            for message in messages:
                _hear(fleet, message)
            console.print(fleet_table(fleet.rows, lang))
            return
        with Live(console=console, auto_refresh=False, screen=console.is_terminal) as live:
            drawn_s = 0.0
            for message in messages:
                up = message.up if isinstance(message, LinkTurned) else up
                _hear(fleet, message)
                if time.monotonic() - drawn_s >= REDRAW_S:
                    drawn_s = time.monotonic()
                    live.update(_screen(fleet, address, lang, up=up), refresh=True)
            live.update(_screen(fleet, address, lang, up=up), refresh=True)


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


def fleet_table(rows: list[StationRow], lang: Language) -> Table:
    """The stations as a table."""
    table = Table(expand=True)
    for name in ("station", "state", "on-air", "faults", "last", "heard", "bad"):
        table.add_column(text(f"central.{name}", lang))
    for row in rows:
        table.add_row(*_cells(row, lang))
    return table


def plain(value: str) -> str:
    """Text from outside without control characters (a terminal obeys those)."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in value)


def _cells(row: StationRow, lang: Language) -> Iterator[Text]:
    yield Text(plain(row.id))
    yield Text(plain(row.state), style=COLOURS.get(row.state, ""))
    yield Text(plain(row.on_air or "-"), style="cyan" if row.on_air else "dim")
    faults = "\n".join(f"{code} {subject}".strip() for code, subject in sorted(row.faults))
    # A station's text may hold line ends of its own; ours part the faults.
    yield Text("\n".join(map(plain, faults.split("\n"))) or "-", style="red" if row.faults else "dim")
    yield Text(_last(row))
    ago = "-" if row.heard_s is None else text("central.ago", lang, seconds=int(time.monotonic() - row.heard_s))
    yield Text(ago)
    yield Text(str(row.bad_reports or "-"), style="red" if row.bad_reports else "dim")


def _last(row: StationRow) -> str:
    if row.last is None:
        return "-"
    why = f" ({row.last.reason})" if row.last.reason else ""
    return plain(f"{row.last.outcome}{why} {row.last.title} {row.last.planned_start}")


def _screen(fleet: Fleet, address: BrokerAddress, lang: Language, *, up: bool) -> Group:
    code, style = ("central.link-up", "green") if up else ("central.link-down", "red")
    return Group(fleet_table(fleet.rows, lang), Text(text(code, lang, broker=address), style=style))


def _hear(fleet: Fleet, message: Heard | LinkTurned | None) -> None:
    if isinstance(message, Heard):
        fleet.hear(message.topic, message.payload, time.monotonic())


def _subscriptions(centre: Centre) -> tuple[str, ...]:
    topics = Topics(centre.settings.topic_root)
    return tuple(topics.station("+", leaf) for leaf in LEAVES)


def _messages(client: OperatorClient, for_s: float | None) -> Iterator[Heard | LinkTurned | None]:
    """Everything that comes until the time is over; None at least every half second, so that ages can be redrawn."""
    until_s = None if for_s is None else time.monotonic() + for_s
    while until_s is None or time.monotonic() < until_s:
        left_s = REDRAW_S if until_s is None else max(0.001, min(REDRAW_S, until_s - time.monotonic()))
        try:
            yield client.incoming.get(timeout=left_s)
        except queue.Empty:
            yield None
