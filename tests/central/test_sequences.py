"""Which reports are missing: gaps between what was heard, whatever the order, in bounded memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttcs_edge.central.sequences import JOURNALS, RANGES, Journals, Sequences


@pytest.mark.parametrize(
    ("heard", "missing"),
    [
        ([], []),
        ([5], []),
        ([5, 6, 7], []),
        ([5, 7], [(6, 6)]),
        ([7, 5], [(6, 6)]),
        ([5, 9, 7], [(6, 6), (8, 8)]),
        ([5, 9, 7, 6, 8], []),
        ([5, 5, 5], []),
        ([5, 4, 3, 8], [(6, 7)]),
    ],
)
def test_what_is_missing_lies_between_what_was_heard(heard: list[int], missing: list[tuple[int, int]]) -> None:
    """Nothing before the first, nothing behind the last; once for each, however often it came."""
    sequences = Sequences()
    for number in heard:
        sequences.add(number, number)
    assert sequences.missing() == missing


def test_what_is_behind_the_last_one_is_missing_once_the_station_has_told_all() -> None:
    """A report that a broker acknowledged and lost, and nothing after it for a month: the heartbeat tells of it."""
    journals = Journals()
    journals.told(3, 7)
    assert journals.missing() == [], "of a journal that nobody listened to yet"
    journals.add(3, 5, 5)
    journals.told(3, 7)
    assert journals.missing() == [(3, 6, 7)]
    journals.gone(3, 6, 6)
    assert journals.missing() == [(3, 7, 7)]
    journals.add(3, 7, 7)
    assert journals.missing() == []
    journals.told(3, 7)
    journals.add(3, 9, 9)
    assert journals.missing() == [(3, 8, 8)]


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 6)), min_size=1, max_size=12))
def test_any_stretches_in_any_order_leave_what_a_set_leaves(stretches: list[tuple[int, int]]) -> None:
    """Against the plainest thing that can be."""
    sequences, plain = Sequences(), set[int]()
    for first, more in stretches:
        sequences.add(first, first + more)
        plain |= set(range(first, first + more + 1))
    lacking = {number for first, last in sequences.missing() for number in range(first, last + 1)}
    assert lacking == set(range(min(plain), max(plain) + 1)) - plain


def test_a_station_that_leaves_out_every_other_number_does_not_fill_the_memory() -> None:
    """The oldest gaps are forgotten, the newest are told."""
    sequences = Sequences()
    for number in range(1, 10_001, 2):
        sequences.add(number, number)
    assert len(sequences.heard) == RANGES
    assert sequences.missing()[-1] == (9_998, 9_998)
    assert len(sequences.missing()) == RANGES - 1


def test_what_is_gone_is_missed_no_longer_and_nothing_else_changes() -> None:
    """A station that calls everything gone hides its gaps; it does not make numbers up."""
    journals = Journals()
    for number in (5, 9, 12):
        journals.add(3, number, number)
    journals.gone(3, 1, 7)
    assert journals.missing() == [(3, 8, 8), (3, 10, 11)]
    journals.gone(4, 1, 7)
    journals.gone(3, 13, 2**53)
    journals.gone(3, 1, 2)
    assert journals.by_number.keys() == {3} and journals.by_number[3].heard[-1] == (12, 12)
    journals.gone(3, 1, 2**53)
    assert (journals.missing(), journals.by_number[3].heard) == ([], [(5, 12)])


def test_of_many_journals_those_heard_last_are_kept() -> None:
    """A station that begins anew all the time; a low number tells nothing of its age: one in memory has a high one."""
    journals = Journals()
    for journal in range(1, 100):
        journals.add(journal, 1, 1)
        journals.add(journal, 4, 5)
    journals.add(2, 1, 1)
    assert list(journals.by_number) == [*range(101 - JOURNALS, 100), 2]
    assert journals.missing()[-1] == (99, 2, 3)
    assert journals.count == 2 * (JOURNALS - 1)
