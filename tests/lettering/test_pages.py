"""Texts in pages of a display that shows eight letters of one's own at a time: nothing is lost, no word is torn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lettering.test_glyphs import LETTERS
from ttcs_edge.lettering import GLYPHS
from ttcs_edge.lettering.glyphs import drawn, normal
from ttcs_edge.lettering.pages import HEAD_GLYPHS, Page, needed, pages, places

WORDS = st.text(st.sampled_from([*LETTERS, *"abcdeghiklmnopqrstuvxy0123456789.,:"]), min_size=1, max_size=24)
TEXTS = st.lists(WORDS, max_size=20).map(" ".join)
SIZES = st.sampled_from([(16, 2), (20, 2), (16, 4), (20, 4), (8, 2)])


def said(found: list[Page]) -> str:
    """What stands below the heads, without what only fills."""
    return "".join(line.strip() for page in found for line in page[1:]).replace(" ", "")


@given(TEXTS, TEXTS, TEXTS, SIZES)
def test_no_page_needs_more_letters_than_there_are_places(
    head: str, one: str, other: str, size: tuple[int, int]
) -> None:
    """And nothing is lost: every letter of every text is shown once, in order, with its marks."""
    columns, rows = size
    found = pages(head, [one, other], columns, rows)

    assert all(len(needed("".join(page))) <= GLYPHS for page in found)
    assert all(len(page) == rows and all(len(line) == columns for line in page) for page in found)
    assert said(found) == (one + other).replace(" ", "")
    assert {page[0] for page in found} == {found[0][0]} and head.startswith(found[0][0].rstrip())


@given(TEXTS, SIZES)
def test_a_word_is_whole_unless_it_is_longer_than_a_line(text: str, size: tuple[int, int]) -> None:
    """Or needs more letters than there are places."""
    columns, rows = size
    lines = [line.split() for page in pages("21:05 Đang phát", [text], columns, rows) for line in page[1:]]
    room = GLYPHS - len(needed(normal("21:05 Đang phát"[:columns])))
    whole = [word for word in text.split() if len(word) <= columns and len(needed(word)) <= room]
    shown = [word for line in lines for word in line]
    assert all(shown.count(word) >= whole.count(word) for word in whole)


@given(st.lists(TEXTS, max_size=5), SIZES)
def test_places_hold_what_each_page_needs_and_keep_what_the_next_one_needs_too(
    texts: list[str], size: tuple[int, int]
) -> None:
    """The head's letters are never drawn anew."""
    held: tuple[str, ...] = ()
    for page in pages("21:05 Đang phát", texts, *size):
        before, held = held, places(page, held)
        assert len(held) == GLYPHS and needed("".join(page)) <= set(held)
        assert len(set(held) - {""}) == GLYPHS - held.count("")
        moved = [letter for letter, was in zip(held, before or held, strict=True) if letter != was]
        assert not set(moved) & set(before)


def test_a_title_is_laid_out_as_people_read() -> None:
    """By the words; the next text begins on a page of its own."""
    found = pages("21:05 Chờ", ["Kế 05:00 Bản tin sáng xã Đạ Tẻh", "Mất mạng"], 16, 2)
    assert found == [
        ("21:05 Chờ       ", "Kế 05:00 Bản tin"),
        ("21:05 Chờ       ", "sáng xã Đạ Tẻh  "),
        ("21:05 Chờ       ", "Mất mạng        "),
    ]


def test_a_page_ends_early_where_the_places_end() -> None:
    """Seven letters are left beside the head's one: the eighth begins the next page, though the line has room."""
    found = pages("Chờ", ["ạ ả ã á à ặ ẳ ẵ ắ"], 20, 4)
    assert [line.strip() for page in found for line in page] == ["Chờ", "ạ ả ã á à ặ ẳ", "", "", "Chờ", "ẵ ắ", "", ""]


def test_a_word_that_is_longer_than_a_line_is_cut_there() -> None:
    """An address, say."""
    found = pages("21:05", ["2001:db8:1234:5678::1a2b"], 16, 2)
    assert [page[1] for page in found] == ["2001:db8:1234:56", "78::1a2b        "]


def test_without_a_text_the_head_stands_alone() -> None:
    """Nothing is wrong, nothing is due."""
    assert pages("21:05 Chờ", [], 16, 2) == [("21:05 Chờ       ", " " * 16)]


def test_a_head_that_needs_too_many_letters_is_cut() -> None:
    """There is always room for a word below it."""
    ((head, _),) = pages("ạảãáàặẳẵ", [], 16, 2)
    assert head.strip() == "ạảãáà" and len(needed(head)) == HEAD_GLYPHS


def test_more_letters_than_there_are_places_are_a_bug() -> None:
    """Not a letter that is shown without its marks."""
    with pytest.raises(AssertionError, match=r"^9 letters are to be drawn at a time"):
        places(("ạảãáàặẳẵắ",))
    assert all(drawn(letter) for letter in "ạảãáàặẳẵắ")
