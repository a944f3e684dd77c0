"""The words for people, in Vietnamese and in English, keyed by code. Nowhere else does the product hold a sentence.

A code is ``<module>.<name>``: ``cli.not-running`` stands in ``ttcs_edge/locale/cli.py``, in its ``MESSAGES``, as a pair
(Vietnamese, English). A module is loaded when its first code is asked for. Fields are named in braces, the same ones
in both languages. To add words, add a line to a table; to add a group, add a module with a table.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Literal, TypeAlias, cast

Language: TypeAlias = Literal["vi", "en"]
LANGUAGES: tuple[Language, Language] = ("vi", "en")
"""In the order in which every pair of messages holds them."""


def text(code: str, lang: Language, /, **fields: object) -> str:
    """Give the words of a code in a language, with its fields filled in.

    An unknown code or a missing field is a mistake in the program: ``KeyError``.
    """
    module, _, name = code.partition(".")
    pair = messages(module)[name]
    return pair[LANGUAGES.index(lang)].format_map(fields)


def messages(module: str) -> Mapping[str, tuple[str, str]]:
    """Give the table of one module of this package."""
    return cast(Mapping[str, tuple[str, str]], importlib.import_module(f"{__name__}.{module}").MESSAGES)


def language(argument: str | None, environ: Mapping[str, str]) -> Language:
    """Choose the language: what ``--lang`` says, else the locale (POSIX.1-2017, 8.2), else Vietnamese.

    Of LC_ALL, LC_MESSAGES and LANG the first that is set decides, and it must say English to be answered in English.

    >>> language(None, {"LANG": "en_GB.UTF-8"}), language(None, {"LC_ALL": "C", "LANG": "en_GB.UTF-8"})
    ('en', 'vi')
    """
    wanted = argument or next((environ[key] for key in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(key)), "")
    return "en" if wanted.split("_")[0].split(".")[0].lower() == "en" else "vi"
