"""Asking the daemon for what it has told, page by page: from the oldest on, or back from the newest."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

IN_MEMORY: Final = 2**30
"""A journal from here on was begun in memory: its place is behind those of the card, however old it is."""
NEWEST: Final = 2**63 - 1
Record = dict[str, Any]
Ask = Callable[[Record], Record]


def time_zone_of(ask: Ask) -> str:
    """The station's time zone."""
    return str(ask({"ask": "told", "kind": "as-run", "after": NEWEST})["time_zone"])


def every(ask: Ask, kind: str) -> Iterator[Record]:
    """All reports of a kind that the station keeps, from the oldest on; none is held here."""
    return _pages(ask, {"ask": "told", "kind": kind}, "after", 0)


def newest(ask: Ask, kind: str, wanted: Callable[[Record], bool], most: int) -> list[Record]:
    """The newest so many of those that are wanted, in the order in which they were told."""
    found: list[Record] = []
    in_journal = Counter[int]()
    for record in _pages(ask, {"ask": "told", "kind": kind}, "before", NEWEST):
        journal = int(record["journal"])
        if in_journal[journal] < most and wanted(record):
            found.append(record)
            in_journal[journal] += 1
        if journal < IN_MEMORY and in_journal[journal] >= most:
            break
    return sorted(found, key=lambda record: (record["told"], record["journal"], record["sequence"]))[-most:]


def _pages(ask: Ask, question: Record, way: str, place: int | None) -> Iterator[Record]:
    while place is not None:
        page = ask(question | {way: place})
        yield from map(json.loads, page["reports"])
        place = page["next"]
