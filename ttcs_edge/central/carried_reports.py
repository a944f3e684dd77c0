"""Reports that were carried from stations without a link: read one line at a time, bounded, and kept once.

A file comes from a stick that anybody may have held. It is read as strictly as what comes over the broker; a line that
is no report, or one of a station that this centre did not make, is refused and told, and the rest is kept.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from ttcs_edge.central.centre import Centre
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.ledger import opened_ledger
from ttcs_edge.central.stations import is_known
from ttcs_edge.core.documents import Refused
from ttcs_edge.wire.bundle import REPORTS, REPORTS_SUFFIX, bundle_folder, open_file
from ttcs_edge.wire.reports import REPORT_BYTES, EventReport, Report, read_report

BATCH: Final = 500
FILES_MOST: Final = 10_000
"""How many files of one stick are read."""
REFUSALS_SHOWN: Final = 5


class RefusedLine(Struct, frozen=True):
    """A line that was not taken."""

    number: int
    refused: Refused


class Imported(Struct, frozen=True):
    """What came of one file: how many reports were ``new``, ``known``, or told something else (``differs``)."""

    file: Path
    new: int
    known: int
    differs: int
    refused: int
    shown: tuple[RefusedLine, ...]


def import_reports(centre: Centre, path: Path) -> list[Imported]:
    """Keep the reports of a stick, or of one file. Raises CentralError ``no-reports``, or OSError."""
    return [_import_file(centre, file) for file in _files(path)]


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    folder = bundle_folder(path) / REPORTS
    found = sorted(folder.glob(f"*{REPORTS_SUFFIX}"))[:FILES_MOST] if folder.is_dir() else []
    if not found:
        raise CentralError("no-reports", folder=folder)
    return found


def _import_file(centre: Centre, file: Path) -> Imported:
    counts: Counter[str] = Counter()
    shown: list[RefusedLine] = []
    with opened_ledger(centre) as ledger:
        batch: list[tuple[EventReport, bytes]] = []
        for number, line in _lines(file):
            report = event_of(centre, read_report(line, file.name))
            if isinstance(report, Refused):
                counts["refused"] += 1
                if len(shown) < REFUSALS_SHOWN:
                    shown.append(RefusedLine(number, report))
                continue
            batch.append((report, line))
            if len(batch) >= BATCH:
                counts.update(ledger.add(batch, "carried"))
                batch = []
        counts.update(ledger.add(batch, "carried"))
    return Imported(file, counts["new"], counts["known"], counts["differs"], counts["refused"], tuple(shown))


def _lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file, numbered from 1. What is longer than any report comes cut, and will not be one."""
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        descriptor = open_file(folder, file.name)
    finally:
        os.close(folder)
    with open(descriptor, "rb") as source:
        number = 0
        while line := source.readline(REPORT_BYTES + 2):
            number += 1
            yield number, line.rstrip(b"\n")
            while line and not line.endswith(b"\n"):  # the rest of one that is too long
                line = source.readline(REPORT_BYTES + 2)


def event_of(centre: Centre, report: Report | Refused) -> EventReport | Refused:
    """Give a report that is of what happened, and from a station that this centre made; else why it is not."""
    if isinstance(report, Refused):
        return report
    if not isinstance(report, EventReport):
        return Refused("wrong-topic", "", (("found", report.kind), ("expected", "as-run|fault")))
    if not is_known(centre, report.station):
        return Refused("wrong-station", "", (("found", report.station), ("expected", "stations/")))
    return report
