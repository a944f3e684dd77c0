"""Vietnamese letters in 5 x 8 dots: all of them, and none like another."""

from __future__ import annotations

import unicodedata
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttcs_edge.lettering.glyphs import BASE_LINE, COLUMNS, ROWS, Bitmap, drawn, normal

TONES = ("", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323")
SMALL = [unicodedata.normalize("NFC", vowel + tone) for vowel in "aăâeêioôơuưy" for tone in TONES] + ["đ"]
LETTERS = [letter for letter in (*SMALL, *(letter.upper() for letter in SMALL)) if not letter.isascii()]
"""Those that ASCII lacks."""


def picture(letter: str) -> list[str]:
    """What a letter looks like."""
    bitmap = drawn(letter)
    assert bitmap is not None, letter
    return [f"{row:05b}".replace("0", ".").replace("1", "#") for row in bitmap]


def differ(one: Bitmap, other: Bitmap) -> int:
    """In how many dots two letters differ."""
    return sum((a ^ b).bit_count() for a, b in zip(one, other, strict=True))


def test_there_are_all_134_of_them() -> None:
    """Twelve vowels by six tones in two cases, and đ, without what ASCII has."""
    assert len(set(LETTERS)) == 134
    for letter in LETTERS:
        bitmap = drawn(letter)
        assert bitmap is not None and len(bitmap) == ROWS and all(0 < row + 1 <= 1 << COLUMNS for row in bitmap), letter


def test_no_two_letters_differ_by_less_than_two_dots() -> None:
    """Nor does any look like one of ASCII with a dot too many: its marks are of two dots at least."""
    bitmaps = {letter: bitmap for letter in LETTERS if (bitmap := drawn(letter)) is not None}
    near = [(a, b) for a, b in combinations(bitmaps, 2) if differ(bitmaps[a], bitmaps[b]) < 2]
    assert near == []


def test_the_dot_below_stands_alone() -> None:
    """A dark row is between it and the letter; no other letter reaches the last row."""
    for letter in LETTERS:
        rows, dotted = picture(letter), "\u0323" in unicodedata.normalize("NFD", letter)
        assert rows[BASE_LINE:] == (["..#.."] if dotted else ["....."]), letter
        assert (rows[BASE_LINE - 1] == ".....") is dotted, letter


@pytest.mark.parametrize(
    ("letter", "rows"),
    [
        ("ế", ["....#", ".#.#.", "#.#..", ".###.", "#####", "#....", ".###.", "....."]),
        ("ẵ", ["##.##", "#...#", ".###.", ".....", ".####", "#...#", ".####", "....."]),
        ("ự", [".....", "#..##", "#..#.", "#..#.", "#.##.", ".#.#.", ".....", "..#.."]),
        ("Đ", [".###.", ".#..#", ".#..#", "###.#", ".#..#", ".#..#", ".###.", "....."]),
        ("ị", ["..#..", ".....", ".##..", "..#..", "..#..", ".###.", ".....", "..#.."]),
    ],
)
def test_letters_are_composed_by_the_rules(letter: str, rows: list[str]) -> None:
    """Two marks, a breve with a tone in it, a horn, a bar, and the two dots of an i."""
    assert picture(letter) == rows


def test_a_text_is_shown_in_letters_of_one_place_each() -> None:
    """However it was typed; what the ROMs have in different places, and what is no letter, is shown as its like."""
    assert normal(unicodedata.normalize("NFD", "Ấp Đồng Nỗ Ự")) == "Ấp Đồng Nỗ Ự"
    assert normal("“Bản tin” – 5 giờ… a~b\\c\tñ") == '"Bản tin" - 5 giờ. a-b/c n'
    assert normal("kpơ̆ng Čư Ŏ 日") == "kpơng Cư Ŏ ?"


@given(st.text(max_size=60))
def test_any_text_at_all_can_be_shown(text: str) -> None:
    """Every letter is of ASCII and printable, or drawn; what is there already stays."""
    shown = normal(text)
    assert all((letter.isascii() and letter.isprintable()) or drawn(letter) is not None for letter in shown)
    assert normal(shown) == shown


@given(st.text(st.sampled_from([*LETTERS, "a", "Z", " ", "7"])))
def test_no_vietnamese_letter_is_lost(text: str) -> None:
    """Composed or decomposed."""
    assert normal(text) == normal(unicodedata.normalize("NFD", text)) == text


def test_neighbouring_tones_can_be_told_apart() -> None:
    """The tones of one vowel differ in what stands above or below, and in three dots at least but for grave and acute,
    which lean the other way.
    """
    for vowel in "aăâeêoôơuưy":
        tones = [unicodedata.normalize("NFC", vowel + tone) for tone in TONES[1:]]
        for one, other in pairwise(tones):
            first, second = drawn(one), drawn(other)
            assert first is not None and second is not None
            least = 2 if (TONES[1] in unicodedata.normalize("NFD", one)) else 3
            assert differ(first, second) >= least, (one, other)
