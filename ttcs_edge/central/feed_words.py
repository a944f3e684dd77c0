"""One line of what becomes of a feed and its messages; what comes from outside cannot command a terminal."""

from __future__ import annotations

from ttcs_edge.locale import LANGUAGES, Language, text
from ttcs_edge.locale.central_alerts import PROBLEMS
from ttcs_edge.locale.faults import reason_words
from ttcs_edge.terminal import screen

FIELD_CHARS = 300


def feed_line(code: str, lang: Language, **fields: object) -> str:
    """Give the words of a code, on one line.

    Codes begin with ``told.``, ``why.`` and ``dropped.``; with ``bad.`` for what is wrong with a CAP file, with
    ``error.`` for what a command fails with.
    """
    shown = {name: screen.clean(str(value)[:FIELD_CHARS]) for name, value in fields.items()}
    kind, _, name = code.partition(".")
    if kind == "bad":
        words = PROBLEMS[name][LANGUAGES.index(lang)].format_map({"measured": "", **shown})
        return f"{words}: {shown['found']}" if shown["found"] else words
    if kind == "error":
        if "reason" in shown:
            shown["reason"] = reason_words(shown["reason"], lang)
        return text(f"central.error.{name}", lang, **shown)
    return text(f"central.feed-{code}", lang, **shown)
