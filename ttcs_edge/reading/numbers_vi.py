"""Vietnamese numbers as people say them: *mốt*, *lăm*, *lẻ*, *không trăm*, *nghìn*.

Own code, because the library for it (num2words 0.5.14) reads 2026 as *hai nghìn lẻ hai mươi sáu*, 3,5 as *ba phẩy năm
mươi* and −5 as *mười lăm*: a village would be told of fifteen degrees in a frost of five.
"""

from __future__ import annotations

DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
SCALES = ("", "nghìn", "triệu")
BILLION = 10**9
LONGEST = 18
"""A number with more digits is nobody's number: it is read digit by digit."""


def digits(text: str) -> str:
    """Read digit by digit, as telephone numbers are; everything else is passed over.

    >>> digits("0263")
    'không hai sáu ba'
    """
    return " ".join(DIGITS[int(one)] for one in text if one in "0123456789")


def cardinal(number: int) -> str:
    """Read a number that is not negative.

    >>> cardinal(2026)
    'hai nghìn không trăm hai mươi sáu'
    >>> cardinal(1_005)
    'một nghìn không trăm lẻ năm'
    """
    return " ".join(_words(number, leading=True)) or DIGITS[0]


def _words(number: int, *, leading: bool) -> list[str]:
    if number >= BILLION:
        above, below = divmod(number, BILLION)
        return [*_words(above, leading=leading), "tỷ", *_words(below, leading=False)]
    words: list[str] = []
    for power in (2, 1, 0):
        group = number // 1_000**power % 1_000
        if group:
            words += _group(group, leading=leading and not words)
            words += [SCALES[power]] if power else []
    return words


def _group(number: int, *, leading: bool) -> list[str]:
    """Three digits: behind a larger group the hundreds are said even where there are none."""
    hundreds, below = divmod(number, 100)
    words = [] if leading and not hundreds else [DIGITS[hundreds], "trăm"]
    tens, ones = divmod(below, 10)
    if tens == 0:
        return words + (["lẻ"] if words and ones else []) + ([DIGITS[ones]] if ones else [])
    words += ["mười"] if tens == 1 else [DIGITS[tens], "mươi"]
    if ones == 1 and tens > 1:
        return [*words, "mốt"]
    return words + (["lăm"] if ones == 5 else [DIGITS[ones]] if ones else [])


def written(text: str) -> str:
    """Read what is written as a number: a leading zero, or more digits than any number has, are read one by one.

    >>> written("007")
    'không không bảy'
    """
    if len(text) > LONGEST or (len(text) > 1 and text[0] == "0"):
        return digits(text)
    return cardinal(int(text))


def fraction(text: str) -> str:
    """Read what stands behind the decimal comma: as a number while it is short, else digit by digit.

    >>> fraction("75"), fraction("05")
    ('bảy mươi lăm', 'không năm')
    """
    return digits(text) if len(text) > 2 else written(text)
