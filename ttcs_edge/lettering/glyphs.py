"""Letters in 5 x 8 dots, composed by rule from a table of bases and a table of marks.

1. A letter is a base, marks above it, and perhaps a dot below: its canonical decomposition (Unicode annex 15). A horn
   is drawn with its base, and so is the bar of a đ.
2. A base stands on the line of the ROM's letters, the seventh row; with a dot below one row higher, so that a dark row
   keeps the two apart.
3. Marks begin in the first row: one takes two rows, two take three. A base is five rows high, or four where five have
   no room. Capitals differ from small letters by their shapes.
4. Beside a circumflex the tone stands to the right, the grave to the left; in a breve it stands inside. So no two
   letters differ by less than two dots.

A letter that is neither of ASCII nor made of these parts is shown as the nearest of ASCII, and what has none as ``?``.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

Bitmap = tuple[int, ...]
"""Eight rows from the top, five dots each, the left one in the highest bit (data sheet, table 5)."""

ROWS, COLUMNS = 8, 5
BASE_LINE = 7
"""How many rows there are above the space under a letter."""
_GRAVE, _ACUTE, _CIRCUMFLEX, _TILDE, _BREVE = "\u0300", "\u0301", "\u0302", "\u0303", "\u0306"
_HOOK, _HORN, _DOT = "\u0309", "\u031b", "\u0323"
_NOT_IN_EVERY_ROM = {"\\": "/", "~": "-"}
"""Of ASCII the Japanese ROM (A00) has yen and arrow in these places."""
_ALIKE = {"–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "…": ".", "•": "*", "\u00a0": " ", "×": "x"}

_BASES: dict[str, str] = {
    "a": ".###. ....# .#### #...# .####",
    "e": ".###. #...# ##### #.... .###.",
    "i": ".##.. ..#.. ..#.. ..#.. .###.",
    "o": ".###. #...# #...# #...# .###.",
    "u": "#...# #...# #...# #..## .##.#",
    "y": "#...# #...# .#### ....# .###.",
    "A": ".###. #...# ##### #...# #...#",
    "E": "##### #.... ####. #.... #####",
    "I": "##### ..#.. ..#.. ..#.. #####",
    "O": "##### #...# #...# #...# #####",
    "U": "#...# #...# #...# #...# .###.",
    "Y": "#...# .#.#. ..#.. ..#.. ..#..",
    "o" + _HORN: ".##.# #..## #..#. #..#. .##..",
    "u" + _HORN: "#..## #..#. #..#. #.##. .#.#.",
    "O" + _HORN: "###.# #..## #..#. #..#. ####.",
    "U" + _HORN: "#..## #..#. #..#. #..#. .##..",
    "đ": "...#. ..### ...#. .###. #..#. #..#. .###.",
    "Đ": ".###. .#..# .#..# ###.# .#..# .#..# .###.",
}
"""What stands on the base line, as high as there is room for at the most."""

_LOW_BASES: dict[str, str] = {
    "a": "..... .#### #...# .####",
    "e": ".###. ##### #.... .###.",
    "i": ".##.. ..#.. ..#.. .###.",
    "o": ".###. #...# #...# .###.",
    "A": "..... .###. ##### #...#",
    "E": "##### ####. #.... #####",
    "O": "##### #...# #...# #####",
}
"""The same where that has no room; a flat top keeps away from the marks."""

_MARKS: dict[str, str] = {
    "": "",
    _GRAVE: ".#... ..#..",
    _ACUTE: "...#. ..#..",
    _HOOK: ".###. ...#.",
    _TILDE: ".#..# #.##.",
    _CIRCUMFLEX: "..#.. .#.#.",
    _BREVE: "#...# .###.",
    _CIRCUMFLEX + _GRAVE: "#.... .#.#. ..#.#",
    _CIRCUMFLEX + _ACUTE: "....# .#.#. #.#..",
    _CIRCUMFLEX + _HOOK: "...## .#..# #.##.",
    _CIRCUMFLEX + _TILDE: "##.## ..#.. .#.#.",
    _BREVE + _GRAVE: ".#... #.#.# .###.",
    _BREVE + _ACUTE: "...#. #.#.# .###.",
    _BREVE + _HOOK: "..##. #..## .###.",
    _BREVE + _TILDE: "##.## #...# .###.",
}
_TITTLE = "..#.. ....."
"""The dot that an i has of its own, which a mark above takes the place of."""
_DOT_BELOW = "..#.."


def normal(text: str) -> str:
    """Give a text in letters of which each takes one place of the display; none is lost that can be shown.

    >>> normal("Bản tin “sáng” – kpơ̆ng")
    'Bản tin "sáng" - kpơng'
    """
    return "".join(_shown(letter) for letter in _letters(unicodedata.normalize("NFC", text)))


def drawn(letter: str) -> Bitmap | None:
    """Draw a letter of a ``normal`` text; None for one that every ROM has."""
    return None if letter.isascii() else _composed(letter)


def _letters(text: str) -> list[str]:
    """Each letter with the marks that stand behind it because nothing holds the two in one."""
    letters: list[str] = []
    for char in text:
        if letters and unicodedata.combining(char):
            letters[-1] += char
        else:
            letters.append(char)
    return letters


def _shown(letter: str) -> str:
    letter = _ALIKE.get(letter, letter)
    if len(letter) == 1 and letter.isascii():
        return _NOT_IN_EVERY_ROM.get(letter, letter) if letter.isprintable() else " "
    while letter and (len(letter) > 1 or _composed(letter) is None):
        plain = unicodedata.normalize("NFC", unicodedata.normalize("NFKD", letter)[:-1])
        if plain == letter or len(unicodedata.normalize("NFKD", letter)) == 1:
            return "?"
        letter = plain
        if letter.isascii():
            return letter[:1] or "?"
    return letter or "?"


@lru_cache(maxsize=256)
def _composed(letter: str) -> Bitmap | None:
    base, *marks = list(unicodedata.normalize("NFD", letter))
    has_dot = _DOT in marks
    base += _HORN * (_HORN in marks)
    above = "".join(sorted((mark for mark in marks if mark not in (_HORN, _DOT)), key=_order))
    if base not in _BASES or above not in _MARKS or (base + above == "i" and not has_dot):
        return None
    top = (_TITTLE if base == "i" and not above else _MARKS[above]).split()
    room = BASE_LINE - has_dot - len(top)
    rows = _BASES[base].split()
    if len(rows) > room:
        rows = _LOW_BASES.get(base, "").split()
    if not rows:
        return None
    dark = ["." * COLUMNS]
    picture = top + dark * (room - len(rows)) + rows + ([*dark, _DOT_BELOW] if has_dot else dark)
    return tuple(int(row.replace("#", "1").replace(".", "0"), 2) for row in picture)


def _order(mark: str) -> bool:
    """Circumflex and breve come before the tone."""
    return mark not in (_CIRCUMFLEX, _BREVE)
