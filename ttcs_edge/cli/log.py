"""``ttcs-edge log``: what aired, what did not, and why: for a screen, a spreadsheet (``--csv``) or a program.

Where nothing else is asked for, the newest ``LAST``. Of a span all are shown, page by page: a month of a station takes
no memory of its board's.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from collections.abc import Callable, Iterable
from datetime import datetime, timezone, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from ttcs_edge.cli.asking import asker
from ttcs_edge.cli.errors import CommandError
from ttcs_edge.cli.looking_back import Record, every, newest, time_zone_of
from ttcs_edge.locale import Language
from ttcs_edge.terminal.moments import instant, moment
from ttcs_edge.terminal.output import print_json_array

LAST: Final = 20
COLUMNS: Final = (
    *("planned_start", "start", "end", "outcome", "reason", "title", "scope", "slot", "bulletins", "zones"),
    *("heard_s", "interruptions", "witnessed", "programme_version", "told", "id"),
)
"""Of ``--csv``. None is ever taken away or moved; a new one comes behind the last."""
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes a cell for that begins so."""


def command(options: argparse.Namespace, lang: Language) -> int:
    """Ask and show."""
    ask = asker(options)
    try:
        place = ZoneInfo(time_zone_of(ask))
        wanted = _wanted(options, place)
        spans = options.since is not None or options.until is not None
        most = options.last or (None if spans else LAST)
        records: Iterable[Record] = (
            filter(wanted, every(ask, "as-run")) if most is None else newest(ask, "as-run", wanted, most)
        )
        _show(records, options, lang, place)
    except (KeyError, TypeError, ValueError) as error:
        raise CommandError("bad-answer") from error
    return os.EX_OK


def _show(records: Iterable[Record], options: argparse.Namespace, lang: Language, place: tzinfo) -> None:
    if options.json:
        print_json_array(records)
    elif options.csv:
        _print_csv(records, place)
    else:
        try:
            from ttcs_edge.cli.draw_log import show  # rich is heavy, and the others do without
        except ModuleNotFoundError as error:
            raise CommandError("no-rich") from error
        show(records, lang, place)


def _wanted(options: argparse.Namespace, place: tzinfo) -> Callable[[Record], bool]:
    now = datetime.now(timezone.utc)
    since = None if options.since is None else moment(options.since, place, now)
    until = None if options.until is None else moment(options.until, place, now)

    def wanted(record: Record) -> bool:
        planned = instant(record["planned_start"])
        return (
            (since is None or planned >= since)
            and (until is None or planned < until)
            and (options.zone is None or options.zone in record["zones"])
            and (options.outcome is None or record["outcome"] == options.outcome)
            and (options.slot is None or options.slot == record["slot"])
        )

    return wanted


def _print_csv(records: Iterable[Record], place: tzinfo) -> None:
    """RFC 4180, in UTF-8, as records come; times are the station's, with their offset from UTC."""
    sys.stdout.flush()
    rows = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(rows)
        writer.writerow(COLUMNS)
        for record in records:
            cells = _cells(record, place)
            writer.writerow([_harmless(cells[name]) for name in COLUMNS])
    finally:
        rows.detach()


def _cells(record: Record, place: tzinfo) -> dict[str, Any]:
    times = {name: record[name] for name in ("planned_start", "start", "end", "told")}
    local = {name: told and instant(told).astimezone(place).isoformat("T", "seconds") for name, told in times.items()}
    items = record["items"]
    return (
        record
        | local
        | {
            "bulletins": " ".join(dict.fromkeys(item["bulletin"] for item in items)),
            "zones": " ".join(record["zones"]),
            "heard_s": round(sum(item["written_ms"] for item in items) / 1_000, 1),
        }
    )


def _harmless(cell: object) -> object:
    """What would be reckoned by a spreadsheet is shown by it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
