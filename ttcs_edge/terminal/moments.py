"""Instants as people type them, a day, a day and a time, or how long ago; and as reports hold them."""

from __future__ import annotations

import argparse
import re
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, Final

from ttcs_edge.locale import text

AGES: Final = {"d": "days", "h": "hours", "m": "minutes"}


def moment(words: str, place: tzinfo, now: datetime) -> datetime | None:
    """The instant that is meant: ``2026-12-01``, ``2026-12-01T05:00``, ``3d``, ``12h``, ``30m``; None for all else.

    >>> str(moment("2026-12-01T05:00", timezone.utc, datetime.now(timezone.utc)))
    '2026-12-01 05:00:00+00:00'
    """
    if match := re.fullmatch(r"([0-9]{1,4})([dhm])", words):
        return now - timedelta(**{AGES[match[2]]: int(match[1])})
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2})?)?", words):
        return None
    try:
        return datetime.fromisoformat(words).replace(tzinfo=place)
    except ValueError:
        return None


def instant(words: str) -> datetime:
    """The instant of a report: RFC 3339, in UTC."""
    return datetime.fromisoformat(words.replace("Z", "+00:00"))


class MomentAction(argparse.Action):
    """An option that takes such words, and keeps them: only the station knows its time zone."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        """Keep them, or leave with EX_USAGE."""
        if moment(values, timezone.utc, datetime.now(timezone.utc)) is None:
            parser.error(text("terminal.bad-moment", parser.lang, option=option_string, found=values))
        setattr(namespace, self.dest, values)
