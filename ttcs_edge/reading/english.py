"""English text as it is said. The synthesisers read English numbers, times and dates by themselves, and well; what they
do not know is how a bulletin writes units, ranges and telephone numbers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

UNITS: Mapping[str, str] = {
    "m3/s": "cubic metres per second",
    "mm/h": "millimetres per hour",
    "km/h": "kilometres per hour",
    "m/s": "metres per second",
    "km2": "square kilometres",
    "m2": "square metres",
    "m3": "cubic metres",
    "mm": "millimetres",
    "cm": "centimetres",
    "km": "kilometres",
    "m": "metres",
    "ha": "hectares",
    "kg": "kilograms",
    "hPa": "hectopascals",
    "°C": "degrees Celsius",
    "%": "percent",
}
"""Behind a number."""
_UNIT = "|".join(re.escape(unit) for unit in UNITS)


def read(text: str) -> str:
    """Give a text as it is to be handed to an English voice; no word is lost."""
    text = unicodedata.normalize("NFKC", text)
    text = re.sub(
        r"(?<![\w.])(?:\+\d|0\d)(?:[ .-]?\d){7,11}(?!\w)", lambda found: " ".join(_digits(found.group())), text
    )
    text = re.sub(r"\b(\d{1,2})h(\d\d)\b", r"\1:\2", text)
    text = re.sub(rf"(?<=\d)((?:{_UNIT})?)\s*[-–—]\s*(?=\d+(?![\d-]))", r"\1 to ", text)
    return re.sub(rf"(?<=\d) ?({_UNIT})(?![\w/])", lambda found: f" {UNITS[found[1]]}", text)


def _digits(number: str) -> list[str]:
    return [one for one in number.replace("+", "+ ") if one.isdigit() or one == "+"]
