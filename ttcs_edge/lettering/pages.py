"""A text in pages of a small display, so that no page needs more letters of one's own than it has places for.

Every page begins with the same line, its head. Words stay whole and keep their order; only a word that is longer than a
line, or needs more such letters than there are places, is cut. Where the next word would need one letter too many, the
next page begins, even when there would be room in the line: no letter is shown without its marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ttcs_edge.lettering import GLYPHS
from ttcs_edge.lettering.glyphs import drawn, normal

Page = tuple[str, ...]
"""Its lines from the top, each as long as the display is wide, in letters of ``normal``."""

HEAD_GLYPHS = 5
"""How many letters that are drawn a head may have; what is behind them is left out. The rest are for what follows."""


def needed(text: str) -> set[str]:
    """The letters of a ``normal`` text that must be drawn."""
    return {letter for letter in text if drawn(letter) is not None}


def pages(head: str, texts: Iterable[str], columns: int, rows: int) -> list[Page]:
    """Lay texts out under a head, each from a page of its own on; one page with the head alone when there is none."""
    top = _head(head, columns)
    room = GLYPHS - len(needed(top))
    bodies = [body for text in texts for body in _bodies(normal(text), columns, rows - 1, room)]
    lines = [[top, *body, *[""] * (rows - 1 - len(body))] for body in bodies or [[]]]
    return [tuple(line.ljust(columns) for line in page) for page in lines]


def places(page: Page, held: Sequence[str] = ()) -> tuple[str, ...]:
    """Say which letter each place of the display's memory is to hold for a page (``""``: none yet). What it holds, and
    the page needs, stays where it is: a line that does not change must not flicker.
    """
    wanted = needed("".join(page))
    assert len(wanted) <= GLYPHS, f"{len(wanted)} letters are to be drawn at a time"
    kept = [*held, *[""] * GLYPHS][:GLYPHS]
    free = sorted((place for place in range(GLYPHS) if kept[place] not in wanted), key=lambda place: kept[place] != "")
    for place, letter in zip(free, sorted(wanted - set(kept)), strict=False):
        kept[place] = letter
    return tuple(kept)


def _head(head: str, columns: int) -> str:
    line = normal(head)[:columns]
    while len(needed(line)) > HEAD_GLYPHS:
        line = line[:-1]
    return line


def _bodies(text: str, columns: int, rows: int, room: int) -> list[list[str]]:
    """Fill page after page, word by word."""
    bodies: list[list[str]] = []
    used: set[str] = set()
    for piece in [piece for word in text.split() for piece in _pieces(word, columns, room)]:
        body = bodies[-1] if bodies and len(used | needed(piece)) <= room else None
        if body is not None and len(body[-1]) + 1 + len(piece) <= columns:
            body[-1] += f" {piece}"
        elif body is not None and len(body) < rows:
            body.append(piece)
        else:
            bodies.append([piece])
            used = set()
        used |= needed(piece)
    return bodies


def _pieces(word: str, columns: int, room: int) -> list[str]:
    """A word in as few pieces as a line and the places make of it."""
    pieces = [""]
    for letter in word:
        longer = pieces[-1] + letter
        if len(longer) > columns or len(needed(longer)) > room:
            pieces.append("")
        pieces[-1] += letter
    return pieces
