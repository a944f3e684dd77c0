"""Codes and fingerprints that two people read to each other."""

from __future__ import annotations

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttcs_edge.wire.code import ALPHABET, CODE_CHARS, fingerprint, grouped, new_code, read_code

CODES = st.builds(lambda _: new_code(), st.integers())


def test_a_code_is_of_letters_that_neither_look_nor_sound_alike_in_groups_of_four() -> None:
    """75 bits by chance, so that no two are the same, and every letter of the alphabet comes."""
    codes = [new_code() for _ in range(1_000)]

    assert len(set(codes)) == 1_000
    assert {len(code) for code in codes} == {CODE_CHARS}
    assert set("".join(codes)) == set(ALPHABET) and not set("ILOU") & set(ALPHABET)
    assert all(read_code(grouped(code)) == code for code in codes)
    assert [len(group) for group in grouped(codes[0]).split("-")] == [4, 4, 4, 4]


@pytest.mark.parametrize("written", ["{}", "  {} \n", "{} ", "\t{}\r\n"])
@given(code=CODES)
def test_a_code_is_read_as_people_write_it(written: str, code: str) -> None:
    """Small letters, blanks, dots, and what looks like a digit."""
    typed = grouped(code).lower().replace("-", " ").replace("0", "o").replace("1", "l")

    assert read_code(written.format(typed)) == code
    assert read_code(written.format(grouped(code).replace("-", ".").replace("1", "I"))) == code


@given(code=CODES)
def test_every_wrong_character_and_every_two_that_changed_places_are_told_at_once(code: str) -> None:
    """Before anything is sent: 496 of 496, and 120 of 120 but for equal ones."""
    for place, letter in itertools.product(range(CODE_CHARS), ALPHABET):
        if letter != code[place]:
            assert read_code(code[:place] + letter + code[place + 1 :]) is None
    for one, other in itertools.combinations(range(CODE_CHARS), 2):
        letters = list(code)
        letters[one], letters[other] = letters[other], letters[one]
        assert read_code("".join(letters)) == (code if code[one] == code[other] else None)


@pytest.mark.parametrize(
    "typed", ["", "-", "7K3M", "7K3M-9QXT-2HVB", "đ" * 16, "7K3M-9QXT-2HVB-4WRU", "\0" * 16, "*" * 99]
)
def test_what_is_no_code_is_none(typed: str) -> None:
    """Whatever somebody types."""
    assert read_code(typed) is None


def test_a_fingerprint_is_the_first_80_bits_of_the_hash() -> None:
    """Written as a code is, so that it is read as one."""
    digest = hashlib.sha256(b"key").digest()
    number = int.from_bytes(digest[:10])

    written = fingerprint(b"key")

    letters = written.replace("-", "")
    assert len(letters) == 16 and sum(ALPHABET.index(c) * 32 ** (15 - n) for n, c in enumerate(letters)) == number
