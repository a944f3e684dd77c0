"""What is written becomes what is said: numbers, times, dates, units and abbreviations as people say them.

Pure text in, pure text out. A synthesiser reads words; ``17h30``, ``120 mm`` or ``UBND`` it spells, swallows or reads
in another tongue. Every language has a module of its own; what has none is handed on as it is, for its voice to read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ttcs_edge.reading import english, vietnamese

READERS: Mapping[str, Callable[[str], str]] = {"vi": vietnamese.read, "en": english.read}
"""By the primary subtag of the language (BCP 47)."""


def read_aloud(text: str, language: str) -> str:
    """Give a text as it is to be said in a language; never fails, and loses no word."""
    reader = READERS.get(language.partition("-")[0])
    return text if reader is None else reader(text)
