"""``ttcs-central audit``: each station's audit trail out of the ledger, verified, and shown.

All that is kept is verified, whatever is shown. The exit code tells a script: 0 whole, 65 something was changed, 69
something is missing.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from ttcs_edge.central.audit_chain import Trail, moment_of, verify
from ttcs_edge.central.centre import Centre
from ttcs_edge.central.draw_audit import show_trails
from ttcs_edge.central.errors import DATA_ERROR, UNAVAILABLE, CentralError
from ttcs_edge.central.ledger import opened_ledger
from ttcs_edge.locale import Language
from ttcs_edge.terminal.output import print_json

WHOLE: Final = os.EX_OK


def audit(centre: Centre, given: argparse.Namespace, lang: Language) -> int:
    """Verify and show; gives the exit code. Raises CentralError ``no-trail`` and ``bad-ledger``."""
    trails = verified(centre, given.station)
    shown = [replace(one, entries=_since(one, given.since)) for one in trails]
    if given.json:
        print_json({"stations": [_plain(trail, one) for trail, one in zip(trails, shown, strict=True)]})
    else:
        show_trails(trails, shown, centre.folder, lang)
    return exit_code(trails)


def verified(centre: Centre, station: str | None) -> list[Trail]:
    """The audit trails of all stations of which anything is kept, or of one. Raises CentralError."""
    with opened_ledger(centre) as ledger:
        stations = [one for one in ledger.stations() if station in (None, one)]
        if not stations:
            raise CentralError("no-trail", station=station or "*")
        return [verify(one, ledger.trail(one), ledger.newest(one), ledger.numbers(one)) for one in stations]


def exit_code(trails: Sequence[Trail]) -> int:
    """What a script is told of them; that something was changed is worse than that it is missing."""
    if any(one.changes for one in trails):
        return DATA_ERROR
    return UNAVAILABLE if any(one.gaps for one in trails) else WHOLE


def _since(trail: Trail, day: date | None) -> Any:
    """The entries since a day of the machine's own calendar, in the order in which they were made."""
    entries = sorted(trail.entries, key=lambda one: one.at)
    return tuple(one for one in entries if day is None or (when := moment_of(one.at)) is None or when.date() >= day)


def _plain(trail: Trail, shown: Trail) -> dict[str, Any]:
    """A trail as JSON: all that is wrong with it, and the entries that were asked for."""
    head = trail.head
    plain: dict[str, Any] = msgspec.to_builtins(shown)
    return plain | {
        "whole": not trail.gaps and not trail.changes,
        "count": len(trail.entries),
        "head": None if head is None else {"journal": head.journal, "link": head.link, "digest": head.digest},
    }
