"""What a station told of an alert, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.text import Text

from ttcs_edge.locale import Language, messages, text
from ttcs_edge.locale.faults import reason_words
from ttcs_edge.terminal import screen

STYLES: Final = {
    "failed": screen.BAD,
    "refused": screen.BAD,
    "missing": screen.DOUBTFUL,
    "on-air": "bold cyan",
    "not-meant": screen.QUIET,
}


def unheard_words(unheard: Sequence[tuple[str, str]], lang: Language) -> str:
    """What was not heard, each part with its reason."""
    parts = ((_part_text(part, lang), reason) for part, reason in unheard)
    return "; ".join(f"{screen.clean(part)}: {screen.clean(reason_words(reason, lang))}" for part, reason in parts)


def receipt_words(event: str, state: str, unheard: Sequence[tuple[str, str]], lang: Language) -> Text:
    """What a station told of an alert, in a few words."""
    known = f"alert-state.{state}" in messages("central")
    words = text(f"central.alert-state.{state}", lang) if known else screen.clean(state)
    why = unheard_words(unheard, lang)
    told = text("central.alert-told", lang, id=event, state=words) + (f" ({why})" if why else "")
    return screen.styled(told, STYLES.get(state, ""))


def _part_text(part: str, lang: Language) -> str:
    """The tone, a language, or what is said in it before or after a drill."""
    place, _, language = part.partition("-")
    if place in ("tone", "before", "after"):
        return text(f"central.alert-part.{place}", lang, language=language)
    return part
