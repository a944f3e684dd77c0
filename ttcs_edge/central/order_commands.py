"""The orders of ``ttcs-central`` to one station: their options, and what is told of their answers."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from securesystemslib.signer import Signer

from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.centre import Centre, now, utc
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.orders import Order, give
from ttcs_edge.core.documents import Action, LogOrder, RestartOrder, StopOrder, ToneOrder, VolumeOrder, WalkOrder
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.locale import LANGUAGES, Language, text
from ttcs_edge.locale.central_orders import why
from ttcs_edge.locale.cli_walk import OUTCOMES
from ttcs_edge.terminal.arguments import Parser, whole_number
from ttcs_edge.wire.reports import ReplyReport

ORDER_EXAMPLES: Final = {
    "stop": "ttcs-central stop /srv/lam-dong da-teh-01",
    "volume": "ttcs-central volume /srv/lam-dong da-teh-01 40 --zone cho --minutes 120",
    "test-tone": "ttcs-central test-tone /srv/lam-dong da-teh-01 cho --seconds 5",
    "walk": "ttcs-central walk /srv/lam-dong da-teh-01",
    "restart": "ttcs-central restart /srv/lam-dong da-teh-01",
    "log": "ttcs-central log /srv/lam-dong da-teh-01 --lines 200",
}
"""Every order with one line that may be typed as it is."""
TAKE_TIME: Final = ("test-tone", "walk", "restart")
"""Orders that a station answers twice."""
REPLY_S: Final = 30
BACK_S: Final = 90
"""How long a station may take to be there again: it fades, opens everything, and systemd waits two seconds."""
SECONDS_MOST: Final = 86_400
MINUTES_MOST: Final = LIMITS.volume_lasts_s // 60
MINUTES: Final = 60
PERCENT_MOST: Final = 100
TONE_S: Final = 5
WALK_ZONE_S: Final = 6
"""What each zone of a walk takes beside its tone: its name, and its relay."""
LINES: Final = 100


def add_options(name: str, command: Parser, lang: Language) -> None:
    """Add what an order takes to its command."""
    command.add_argument("station", metavar="ID", help=text("central.help-resend-id", lang))
    _OPTIONS[name](command, lang)
    options = command.options
    options.add_argument("--broker", metavar="HOST[:PORT]", help=text("central.help-broker-told", lang))
    seconds = whole_number(1, SECONDS_MOST)
    wait_s = BACK_S if name == "restart" else REPLY_S
    wait = text("central.help-wait", lang)
    options.add_argument("--wait", dest="wait_s", action=seconds, default=wait_s, metavar="N", help=wait)


def _volume(command: Parser, lang: Language) -> None:
    percent = text("central.help-percent", lang)
    command.add_argument("percent", metavar="PERCENT", nargs="?", help=percent)
    options = command.options
    options.add_argument("--as-configured", action="store_true", help=text("central.help-as-configured", lang))
    options.add_argument("--zone", metavar="ZONE", help=text("central.help-zone", lang))
    minutes = text("central.help-minutes", lang)
    options.add_argument("--minutes", action=whole_number(1, MINUTES_MOST), default=MINUTES, metavar="N", help=minutes)


def _test_tone(command: Parser, lang: Language) -> None:
    command.add_argument("zone", metavar="ZONE", help=text("central.help-tone-zone", lang))
    _walk(command, lang)


def _walk(command: Parser, lang: Language) -> None:
    seconds, words = whole_number(1, LIMITS.test_tone_s), text("central.help-tone-seconds", lang)
    command.options.add_argument("--seconds", action=seconds, default=TONE_S, metavar="N", help=words)


def _log(command: Parser, lang: Language) -> None:
    lines, words = whole_number(1, LIMITS.log_lines), text("central.help-lines", lang)
    command.options.add_argument("--lines", action=lines, default=LINES, metavar="N", help=words)


def _nothing_more(command: Parser, lang: Language) -> None:
    """The station is all that it takes."""


_OPTIONS: Final[dict[str, Callable[[Parser, Language], None]]] = {
    "stop": _nothing_more,
    "volume": _volume,
    "test-tone": _test_tone,
    "walk": _walk,
    "restart": _nothing_more,
    "log": _log,
}


def read_order(given: argparse.Namespace) -> Order:
    """Make the order of a command line. Raises CentralError ``bad-percent``."""
    name = str(given.command).replace("-", "_")
    return Order(given.station, name, _ACTIONS[given.command](given))


def _volume_order(given: argparse.Namespace) -> Action:
    found, percent = given.percent, None
    if (found is None) != given.as_configured:
        raise CentralError("bad-percent", found=found or "")
    if found is not None:
        if not re.fullmatch(r"[0-9]{1,3}", found) or int(found) > PERCENT_MOST:
            raise CentralError("bad-percent", found=found)
        percent = int(found)
    until_ms = now().wall_ms + given.minutes * 60_000
    return VolumeOrder(percent=percent, zone=given.zone, until=utc(until_ms))


_ACTIONS: Final[dict[str, Callable[[argparse.Namespace], Action]]] = {
    "stop": lambda given: StopOrder(),
    "volume": _volume_order,
    "test-tone": lambda given: ToneOrder(zone=given.zone, seconds=given.seconds),
    "walk": lambda given: WalkOrder(seconds=given.seconds),
    "restart": lambda given: RestartOrder(),
    "log": lambda given: LogOrder(lines=given.lines),
}


def carry_out(
    centre: Centre, broker: BrokerAddress, given: argparse.Namespace, signers: Sequence[Signer], lang: Language
) -> None:
    """Give the order, and tell what becomes of it. Raises CentralError, also for an order that was not done."""

    def under_way() -> None:
        told = given.command if given.command in TAKE_TIME else "other"
        print(text(f"central.under-way.{told}", lang, id=given.station), flush=True)

    from ttcs_edge.terminal.screen import clean

    order = read_order(given)
    wait_s = given.wait_s + _sounds_s(given)
    replies = give(centre, broker, order, signers, wait_s, under_way)
    check_done(replies[0], lang)
    if given.command == "log":
        lines = "".join(reply.text for reply in replies).splitlines()
        sys.stdout.writelines(f"{clean(line)}\n" for line in lines)
        return
    detail = {name: clean(found) for name, found in replies[0].detail.items()}
    if given.command == "walk":
        detail = {"zones": "; ".join(f"{zone}: {_outcome(found, lang)}" for zone, found in detail.items())}
    fields = {"zones": "", "title": "", **detail, "id": given.station, **_shown(order.action)}
    print(text(f"central.ordered.{_told(given)}", lang, **fields))


def _sounds_s(given: argparse.Namespace) -> int:
    """How long it takes until all of an order was heard, at the most."""
    if given.command == "walk":
        return int(LIMITS.zones_per_slot * (given.seconds + WALK_ZONE_S))
    return int(given.seconds) if given.command == "test-tone" else 0


def _outcome(found: str, lang: Language) -> str:
    """What came of a zone; a word of a newer station stands for itself."""
    return OUTCOMES[found][LANGUAGES.index(lang)] if found in OUTCOMES else found


def _told(given: argparse.Namespace) -> str:
    as_configured = given.command == "volume" and given.as_configured
    return "volume-back" if as_configured else str(given.command)


def _shown(action: Action) -> dict[str, object]:
    if not isinstance(action, VolumeOrder):
        return {}
    return {"percent": action.percent, "until": f"{datetime.fromisoformat(action.until).astimezone():%Y-%m-%d %H:%M}"}


def check_done(reply: ReplyReport, lang: Language) -> None:
    """Go on with a reply to an order that was done. Raises CentralError with why it was not."""
    from ttcs_edge.terminal.screen import clean

    if reply.outcome in ("done", "under-way"):
        return
    if reply.reason is None:
        raise CentralError("command-failed", station=reply.station)
    code = "command-refused" if reply.outcome == "refused" else "command-not-done"
    told = clean(why(reply.reason, reply.station, reply.detail, lang))
    raise CentralError(code, station=reply.station, why=told)
