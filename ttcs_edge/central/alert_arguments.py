"""How the command line says a text in a language, a blank that is filled in, and zones."""

from __future__ import annotations

import argparse
import re
import unicodedata
from typing import Any, Final, get_args

from ttcs_edge.core.documents import ID_PATTERN, CapCertainty, CapSeverity, CapUrgency
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.locale import text

CAP_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "status": ("Actual", "Exercise", "Test"),
    "severity": get_args(CapSeverity),
    "urgency": get_args(CapUrgency),
    "certainty": get_args(CapCertainty),
}
"""The words of CAP 1.2, 3.2, each in the order of the standard."""
MINUTES_MOST: Final = LIMITS.alert_lasts_s // 60
MOST_CHARS: Final = {
    "headline": LIMITS.title_chars,
    "description": LIMITS.alert_text_chars,
    "instruction": LIMITS.alert_text_chars,
}
"""The texts of an alert, and how long each may be."""
REPEAT_MOST_S: Final = 86_400
PATH_CHARS: Final = 1_000
BLANK_NAME: Final = r"[a-z][a-z0-9_-]*"
_LANGUAGE: Final = re.compile(r"([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)=(.*)", re.DOTALL)


def by_language(most_chars: int) -> type[argparse.Action]:
    """Make the action of an option that is given once a language: ``vi=...``; without one, the first language's."""

    class ByLanguage(argparse.Action):
        def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
            match = _LANGUAGE.fullmatch(values)
            language, given = (match[1], match[2]) if match else ("", values)
            if not _is_text(given) or len(given) > most_chars or len(language) > LIMITS.language_chars:
                parser.error(_bad("central.bad-text", parser, option_string, values, most=most_chars))
            _add(parser, namespace, self.dest, option_string, language, given)

    return ByLanguage


class Named(argparse.Action):
    """Takes ``name=text``."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        """Take one."""
        name, _, given = values.partition("=")
        if not re.fullmatch(BLANK_NAME, name) or not _is_text(given):
            parser.error(_bad("central.bad-name-text", parser, option_string, values))
        _add(parser, namespace, self.dest, option_string, name, given)


class RepeatSeconds(argparse.Action):
    """Takes how far apart rounds begin: 0, or at least as much as stations ask for."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        """Take it."""
        if not re.fullmatch(r"[0-9]{1,5}", values) or not is_repeat(int(values)):
            fields = {"least": LIMITS.alert_repeat_least_s, "most": REPEAT_MOST_S}
            parser.error(_bad("central.bad-repeat", parser, option_string, values, **fields))
        setattr(namespace, self.dest, int(values))


def is_repeat(seconds: int) -> bool:
    """Tell whether rounds of an alert may be so far apart."""
    return seconds == 0 or LIMITS.alert_repeat_least_s <= seconds <= REPEAT_MOST_S


class ZoneList(argparse.Action):
    """Takes ids of zones with commas between them; none at all means every zone."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        """Take them."""
        zones = [one.strip() for one in values.split(",") if one.strip()]
        wrong = any(not re.fullmatch(ID_PATTERN, one) or len(one) > LIMITS.id_chars for one in zones)
        if wrong or len(zones) > LIMITS.zones_per_slot:
            parser.error(_bad("central.bad-zones", parser, option_string, values))
        setattr(namespace, self.dest, list(dict.fromkeys(zones)))


def _add(parser: Any, namespace: Any, dest: str, option: str | None, name: str, given: str) -> None:
    """Keep what was given for a name; twice for one is a mistake."""
    pairs = getattr(namespace, dest)
    if name in dict(pairs):
        parser.error(text("central.given-twice", parser.lang, option=option, name=name or "-"))
    setattr(namespace, dest, (*pairs, (name, unicodedata.normalize("NFC", given.strip()))))


def _is_text(given: str) -> bool:
    return bool(given.strip()) and not any(unicodedata.category(letter) in {"Cc", "Cs"} for letter in given)


def _bad(code: str, parser: Any, option: str | None, found: str, **more: int) -> str:
    shown = found if len(found) <= 40 else found[:39] + "…"
    return text(code, parser.lang, option=option, found=shown, **more)
