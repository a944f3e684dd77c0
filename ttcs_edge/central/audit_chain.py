"""A station's audit trail, held against itself: what of it is missing, and what is not as the station said it.

The station ties each entry to the one before (``wire.chain``), numbers it as every report, and says in its heartbeats
up to where it has told all. From these three follows:

- a *change*: the digest of an entry is not its own (``digest``), an entry does not follow the one before it
  (``before``), two stand in one place (``doubled``), another chain knows one by another digest (``end``), one lies
  under another station or name (``name``), cannot be read (``unreadable``), or its number was given to another report
  (``number``). A station of ours says none of these: somebody has had his hands on it, or its card has gone back in
  time.
- a *gap*: links are missing, between two entries, before the first, or behind the last that is here. What the station
  itself let go for want of room, its later entries count (``let_go``); the rest it may still have, for 30 days.

What this cannot see: one who can write all that is kept here can make a chain anew, up to the last entry. The next one
that the station tells does not follow it then.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from ttcs_edge.central.ledger import Row
from ttcs_edge.core.documents import Refused
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.wire.chain import digest_of
from ttcs_edge.wire.json_text import read_json
from ttcs_edge.wire.reports import NO_DIGEST, REPORT_BYTES, AuditReport, OtherChain, read_report

RANGES_MOST: Final = 20
"""How many stretches of numbers of one gap are told."""
Range = tuple[int, int]


class Change(Struct, frozen=True):
    """Something that no station of ours has said like that; ``id`` is the entry where it shows."""

    journal: int
    link: int
    id: str
    why: str


class Gap(Struct, frozen=True):
    """Links that are missing; ``last`` is None behind the newest entry, when only the numbers of reports tell of more.
    ``numbers`` are what can be asked for again; ``let_go`` how many the station itself has let go.
    """

    journal: int
    first: int
    last: int | None
    let_go: int
    numbers: tuple[Range, ...]


class Begin(Struct, frozen=True):
    """Where an entry tells of another chain."""

    journal: int
    link: int
    at: str
    other: OtherChain


class Trail(Struct, frozen=True):
    """What is kept of a station's audit trail, its entries in the order of their chains, and what is wrong with it."""

    station: str
    entries: tuple[AuditReport, ...]
    carried: int
    begins: tuple[Begin, ...]
    gaps: tuple[Gap, ...]
    changes: tuple[Change, ...]

    @property
    def head(self) -> AuditReport | None:
        """The newest entry: who writes its digest down elsewhere can hold the trail against it for ever."""
        return self.entries[-1] if self.entries else None


def moment_of(at: str) -> datetime | None:
    """When an entry was made, on the machine's own calendar; None of a moment that no calendar has."""
    try:
        return datetime.fromisoformat(at).astimezone()
    except (ValueError, OverflowError):
        return None


def verify(station: str, rows: Sequence[Row], newest: Mapping[int, int], kept: Mapping[int, Set[int]]) -> Trail:
    """Hold a trail against itself. ``newest`` are the numbers up to which the station has told all, journal by journal;
    ``kept`` those under which any report of it is here.
    """
    entries, changes = _read(station, rows)
    entries.sort(key=lambda one: (one.journal, one.link, one.sequence))
    chains: dict[int, list[AuditReport]] = {}
    for entry in entries:
        chains.setdefault(entry.journal, []).append(entry)
    begins = [Begin(one.journal, one.link, one.at, one.after) for one in entries if one.after is not None]
    told: dict[int, list[OtherChain]] = {}
    for one in begins:
        if one.other.journal is not None:
            told.setdefault(one.other.journal, []).append(one.other)
    numbers = _Numbers(newest, kept)
    gaps: list[Gap] = []
    for journal in sorted(chains.keys() | told.keys() | newest.keys()):
        chain, others = chains.get(journal, []), told.get(journal, [])
        changes += [*_links(chain), *_ends(chain, others)]
        end = max((one.link or 0 for one in others), default=0)
        found = _gaps(journal, chain, end, numbers)
        changes += [Change(journal, gap.first, "", "number") for gap in found if not gap.numbers]
        gaps += [gap for gap in found if gap.numbers]
    carried = sum(row.way == "carried" for row in rows)
    return Trail(station, tuple(entries), carried, tuple(begins), tuple(gaps), tuple(changes))


def _read(station: str, rows: Iterable[Row]) -> tuple[list[AuditReport], list[Change]]:
    """Those that can be read as entries of this station, and what is wrong with each of them alone."""
    entries, changes = [], []
    for row in rows:
        value: Any = read_json(row.body, row.id, REPORT_BYTES)
        entry = value if isinstance(value, Refused) else read_report(row.body, row.id)
        if not isinstance(entry, AuditReport):
            changes.append(Change(0, 0, row.id, "unreadable"))
            continue
        if entry.station != station or entry.id != row.id or not entry.id.startswith(f"{station}/"):
            changes.append(Change(entry.journal, entry.link, row.id, "name"))
            continue
        if digest_of(value) != entry.digest:
            changes.append(Change(entry.journal, entry.link, entry.id, "digest"))
        entries.append(entry)
    return entries, changes


def _links(chain: Sequence[AuditReport]) -> list[Change]:
    """Whether each entry follows the one before it."""
    changes = []
    if chain and chain[0].link == 1 and chain[0].before != NO_DIGEST:
        changes.append(Change(chain[0].journal, 1, chain[0].id, "before"))
    for one, following in itertools.pairwise(chain):
        why = "doubled" if following.link == one.link else "before" if _is_broken(one, following) else None
        if why is not None:
            changes.append(Change(following.journal, following.link, following.id, why))
    return changes


def _is_broken(one: AuditReport, following: AuditReport) -> bool:
    return following.link == one.link + 1 and following.before != one.digest


class _Numbers:
    """Which numbers of a station's reports are not here."""

    def __init__(self, newest: Mapping[int, int], kept: Mapping[int, Set[int]]) -> None:
        self._newest = newest
        self._kept = kept

    def between(self, journal: int, after: int, before: int) -> tuple[Range, ...]:
        """The stretches of missing numbers between two, each no longer than one command may ask for."""
        kept: Set[int] = self._kept.get(journal, frozenset())
        ranges: list[Range] = []
        known = sorted(number for number in kept if after < number < before)
        for one, following in zip([after, *known], [*known, before], strict=True):
            for first in range(one + 1, following, LIMITS.resend_reports):
                if len(ranges) == RANGES_MOST:
                    return tuple(ranges)
                ranges.append((first, min(following - 1, first + LIMITS.resend_reports - 1)))
        return tuple(ranges)

    def end(self, journal: int, least: int) -> int:
        """Behind the last number that there is for certain."""
        kept: Set[int] = self._kept.get(journal, frozenset())
        return 1 + max(least, self._newest.get(journal, 0), max(kept, default=0))


def _gaps(journal: int, chain: Sequence[AuditReport], end: int, numbers: _Numbers) -> list[Gap]:
    """The links of a chain that are not here; it has come to ``end`` at the least. The oldest are let go first."""
    gaps: list[Gap] = []
    link = sequence = 0
    let_go = max((entry.dropped for entry in chain), default=0)
    for entry in chain:
        if entry.link > link + 1:
            gone = min(entry.link - link - 1, let_go)
            let_go -= gone
            ranges = numbers.between(journal, sequence, entry.sequence)
            gaps.append(Gap(journal, link + 1, entry.link - 1, gone, ranges))
        link, sequence = entry.link, entry.sequence
    behind = numbers.end(journal, sequence) + max(0, end - link)  # those may be numbers that nobody has heard of yet
    ranges = numbers.between(journal, sequence, behind)
    if end > link or ranges:
        gaps.append(Gap(journal, link + 1, end if end > link else None, 0, ranges))
    return gaps


def _ends(chain: Sequence[AuditReport], others: Iterable[OtherChain]) -> list[Change]:
    """Whether a chain was where other chains tell that it was."""
    known = {other.link: other.digest for other in others}
    return [
        Change(one.journal, one.link, one.id, "end")
        for one in chain
        if one.link in known and known[one.link] != one.digest
    ]
