"""What is left of the air to save power, in words: for who stands at the station, and for who watches many."""

from __future__ import annotations

from collections.abc import Sequence

from ttcs_edge.locale import Language, text


def shed_words(
    volume_percent: int, zones: Sequence[str] | None, zones_most: int | None, alerts_only: bool, lang: Language
) -> str:
    """Say what is shed; empty when nothing is."""
    words = []
    if alerts_only:
        words.append(text("cli.shed-alerts-only", lang))
    if volume_percent < 100:
        words.append(text("cli.shed-volume", lang, percent=volume_percent))
    if zones is not None:
        words.append(text("cli.shed-zones", lang, zones=", ".join(zones)))
    if zones_most is not None:
        words.append(text("cli.shed-zones-most", lang, count=zones_most))
    return text("cli.shed", lang, what=", ".join(words)) if words else ""
