"""The command line of ``ttcs-central live``: its options, and between which bounds."""

from __future__ import annotations

from typing import Final

from ttcs_edge.core.limits import LIMITS
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal.arguments import Parser, whole_number

PACKET_MS: Final = 20
SEGMENT_MS: Final = 500
SEGMENT_LEAST_MS: Final = 200
SEGMENT_MOST_MS: Final = LIMITS.live_packets * PACKET_MS
MINUTES: Final = 30
MINUTES_MOST: Final = LIMITS.live_lasts_s // 60
PRIORITY: Final = 5
PRIORITY_MOST: Final = 9


def add_live_options(command: Parser, lang: Language) -> None:
    """Add what the command takes."""

    def words(name: str) -> str:
        return text(f"central.help-live-{name}", lang)

    command.add_argument("scope", metavar="SCOPE", help=words("scope"))
    command.add_argument("id", metavar="ID", help=words("id"))
    options = command.options
    options.add_argument("--input", required=True, metavar="INPUT", help=words("input"))
    options.add_argument("--title", required=True, metavar="TITLE", help=words("title"))
    for option, least, most, usual in (
        ("minutes", 1, MINUTES_MOST, MINUTES),
        ("priority", 0, PRIORITY_MOST, PRIORITY),
        ("segment-ms", SEGMENT_LEAST_MS, SEGMENT_MOST_MS, SEGMENT_MS),
    ):
        number = whole_number(least, most)
        options.add_argument(f"--{option}", action=number, default=usual, metavar="N", help=words(option))
    options.add_argument("--zone", dest="zones", action="append", default=[], metavar="ZONE", help=words("zone"))
    options.add_argument("--broker", metavar="HOST[:PORT]", help=text("central.help-broker-told", lang))
    options.add_argument("--yes", action="store_true", help=words("yes"))
