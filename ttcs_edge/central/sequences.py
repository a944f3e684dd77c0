"""Which reports of one journal of a station were heard, and which are missing between them.

A station numbers its reports 1, 2, 3 without a gap. What came before the first that was heard is not missing: nobody
listened then. What is behind the last one is missing once the station says that it has told all up to its newest
number. Memory is bounded: with more than ``RANGES`` stretches, which a station of ours does not come to, the oldest gap
is forgotten.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

RANGES: Final = 16
JOURNALS: Final = 4
"""Of how many journals a station's numbers are kept: it begins a new one when its database was lost, and in memory
when its card cannot be written."""

Range = tuple[int, int]


@dataclass(slots=True)
class Sequences:
    """The numbers heard, as stretches without a gap, lowest first; ``newest`` is what the station told last."""

    heard: list[Range] = field(default_factory=list)
    newest: int = 0

    def add(self, first: int, last: int) -> None:
        """Take in the numbers from ``first`` to ``last``."""
        begin = bisect_left(self.heard, first - 1, key=lambda one: one[1])
        end = begin
        while end < len(self.heard) and self.heard[end][0] <= last + 1:
            first, last = min(first, self.heard[end][0]), max(last, self.heard[end][1])
            end += 1
        self.heard[begin:end] = [(first, last)]
        if len(self.heard) > RANGES:
            self.heard[:2] = [(self.heard[0][0], self.heard[1][1])]

    def missing(self) -> list[Range]:
        """The gaps between what was heard and behind it, lowest first."""
        pairs = zip(self.heard, self.heard[1:], strict=False)
        between = [(before[1] + 1, after[0] - 1) for before, after in pairs]
        behind = [(self.end + 1, self.newest)] if self.heard and self.end < self.newest else []
        return between + behind

    @property
    def end(self) -> int:
        """The highest number heard."""
        return self.heard[-1][1]


@dataclass(slots=True)
class Journals:
    """The numbers heard of each journal of a station; of more than ``JOURNALS``, those that were heard last."""

    by_number: dict[int, Sequences] = field(default_factory=dict)

    def add(self, journal: int, first: int, last: int) -> None:
        """Take in numbers of a journal."""
        sequences = self.by_number.pop(journal, Sequences())
        sequences.add(first, last)
        self.by_number[journal] = sequences
        if len(self.by_number) > JOURNALS:
            del self.by_number[next(iter(self.by_number))]

    def told(self, journal: int, newest: int) -> None:
        """The station has told all reports up to its ``newest``: those behind the last one heard are missing."""
        if journal in self.by_number:
            self.by_number[journal].newest = newest

    def gone(self, journal: int, first: int, last: int) -> None:
        """Miss numbers no longer: the station does not have them. Only what lies behind the first one heard counts."""
        sequences = self.by_number.get(journal)
        if sequences is not None:
            first, last = max(first, sequences.heard[0][0]), min(last, max(sequences.end, sequences.newest))
            if first <= last:
                sequences.add(first, last)

    def missing(self) -> list[tuple[int, int, int]]:
        """Every gap, as journal, first and last."""
        return [
            (journal, first, last)
            for journal, sequences in sorted(self.by_number.items())
            for first, last in sequences.missing()
        ]

    @property
    def count(self) -> int:
        """How many reports are missing."""
        return sum(last - first + 1 for _, first, last in self.missing())
