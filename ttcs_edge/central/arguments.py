"""The command line of ``ttcs-central``: its commands, their options and their help."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ttcs_edge.central.alert_arguments import (
    CAP_CHOICES,
    MINUTES_MOST,
    MOST_CHARS,
    PATH_CHARS,
    Named,
    RepeatSeconds,
    ZoneList,
    by_language,
)
from ttcs_edge.central.audit_arguments import AUDIT_EXAMPLE, add_audit_options
from ttcs_edge.central.broker_rules import DEBIAN
from ttcs_edge.central.live_arguments import add_live_options
from ttcs_edge.central.order_commands import ORDER_EXAMPLES, REPLY_S, SECONDS_MOST, add_options
from ttcs_edge.central.trust_arguments import ACTION_EXAMPLES, add_trust_options
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal.arguments import Parser, whole_number

PROGRAM: Final = "ttcs-central"
CODE_MINUTES: Final = 60
"""How long a one-time code counts over the network."""
CODE_MINUTES_MOST: Final = 24 * 60
NUMBER_MOST: Final = 999_999_999
EVERY_LEAST_S: Final = 30
"""Two beacons that are let go together must not look as if they kept pace (``core.beacons``)."""

EXAMPLES: Final = {
    "init": "ttcs-central init /srv/lam-dong --scope vn/lam-dong --broker mqtt.lam-dong.vn",
    "add-station": "ttcs-central add-station /srv/lam-dong da-teh-01 --scope vn/lam-dong/da-teh",
    "enrol": "ttcs-central enrol /srv/lam-dong da-teh-01",
    "renew": "ttcs-central renew /srv/lam-dong --keep",
    "server-certificate": "ttcs-central server-certificate /srv/lam-dong mqtt.lam-dong.vn",
    "revoke": "ttcs-central revoke /srv/lam-dong da-teh-01",
    "broker-config": "ttcs-central broker-config /srv/lam-dong",
    "publish": "ttcs-central publish /srv/lam-dong config/programme.yaml --via-broker --dry-run",
    "alert": "ttcs-central alert /srv/lam-dong lu-quet --scope vn/lam-dong/da-teh",
    "live": "ttcs-central live /srv/lam-dong vn/lam-dong thoi-su --input alsa:default --title Họp",
    "cap-feed": "ttcs-central cap-feed /srv/lam-dong config/cap-feed.yaml --dry-run",
    "watch": "ttcs-central watch /srv/lam-dong",
    "resend": "ttcs-central resend /srv/lam-dong da-teh-01 17 21 --journal 3",
    **ORDER_EXAMPLES,
    "beacon": "ttcs-central beacon /srv/lam-dong --every 60",
    "export": "ttcs-central export /srv/lam-dong vn/lam-dong/da-teh /media/usb",
    "import-reports": "ttcs-central import-reports /srv/lam-dong /media/usb",
    "audit": AUDIT_EXAMPLE,
    "trust": ACTION_EXAMPLES["draft"],
    "approve": "ttcs-central approve /srv/lam-dong /media/usb/ban-tin.dsse.json",
}
"""Every command with one line that may be typed as it is."""

QUORUMS: Final = (
    ("--root-keys", 3, "central.help-root-keys"),
    ("--root-threshold", 2, "central.help-root-threshold"),
    ("--publish-keys", 1, "central.help-publish-keys"),
    ("--publish-threshold", 1, "central.help-publish-threshold"),
)


def make_parser(lang: Language) -> Parser:
    """Make the parser of every command."""
    parser = Parser(lang, EXAMPLES["publish"], prog=PROGRAM, description=text("central.about", lang))
    commands = parser.add_commands()
    for name, example in EXAMPLES.items():
        words = text(f"central.{name}", lang)
        command: Parser = commands.add_parser(name, lang=lang, example=example, help=words, description=words)
        command.add_argument("folder", type=Path, metavar="FOLDER", help=text("central.help-folder", lang))
        if name in ORDER_EXAMPLES:
            add_options(name, command, lang)
        else:
            _OPTIONS[name](command, lang)
    return parser


def _init(command: Parser, lang: Language) -> None:
    options = command.options
    options.add_argument("--scope", required=True, help=text("central.help-scope", lang))
    options.add_argument("--name", help=text("central.help-name", lang))
    options.add_argument("--broker", metavar="HOST[:PORT]", help=text("central.help-broker", lang))
    options.add_argument("--audio-url", metavar="https://...", help=text("central.help-audio-url", lang))
    for option, default, code in QUORUMS:
        number = whole_number(1, LIMITS.keys_per_grant)
        options.add_argument(option, action=number, default=default, metavar="N", help=text(code, lang))


def _add_station(command: Parser, lang: Language) -> None:
    command.add_argument("id", metavar="ID", help=text("central.help-id", lang))
    options = command.options
    options.add_argument("--scope", required=True, help=text("central.help-station-scope", lang))
    options.add_argument("--broker", metavar="HOST[:PORT]", help=text("central.help-broker-told", lang))
    https = text("central.help-https-ca", lang)
    options.add_argument("--https-ca", choices=("own", "system"), default="system", help=https)


def _enrol(command: Parser, lang: Language) -> None:
    command.add_argument("station", metavar="ID", help=text("central.help-enrol-id", lang))
    options = command.options
    options.add_argument("--broker", metavar="HOST[:PORT]", help=text("central.help-broker-told", lang))
    minutes = whole_number(1, CODE_MINUTES_MOST)
    help_text = text("central.help-minutes", lang)
    options.add_argument("--minutes", action=minutes, default=CODE_MINUTES, metavar="N", help=help_text)
    options.add_argument("--again", action="store_true", help=text("central.help-again", lang))
    stick = options.add_mutually_exclusive_group()
    stick.add_argument("--by-stick", action="store_true", help=text("central.help-by-stick", lang))
    stick.add_argument("--from", dest="source", type=Path, metavar="PATH", help=text("central.help-from", lang))


def _renew(command: Parser, lang: Language) -> None:
    options = command.options
    options.add_argument("--broker", metavar="HOST[:PORT]", help=text("central.help-broker-told", lang))
    options.add_argument("--keep", action="store_true", help=text("central.help-renew-keep", lang))


def _server_certificate(command: Parser, lang: Language) -> None:
    command.add_argument("names", metavar="NAME", nargs="+", help=text("central.help-names", lang))


def _revoke(command: Parser, lang: Language) -> None:
    command.add_argument("station", metavar="ID", help=text("central.help-revoke-id", lang))


def _broker_config(command: Parser, lang: Language) -> None:
    options = command.options
    options.add_argument("--out", type=Path, metavar="DIR", help=text("central.help-out", lang))
    options.add_argument("--at", type=Path, default=DEBIAN, metavar="DIR", help=text("central.help-at", lang))
    options.add_argument("--broker", metavar="HOST[:PORT]", help=text("central.help-broker-told", lang))
    options.add_argument("--force", action="store_true", help=text("central.help-force", lang))


def _add_delivery(command: Parser, lang: Language) -> None:
    """What says to which broker a document goes, and from where stations get its audio."""
    options = command.options
    options.add_argument("--broker", metavar="HOST[:PORT]", help=text("central.help-broker-told", lang))
    options.add_argument("--audio-folder", type=Path, metavar="DIR", help=text("central.help-audio-folder", lang))
    options.add_argument("--audio-url", metavar="https://...", help=text("central.help-audio-url-told", lang))
    options.add_argument("--via-broker", action="store_true", help=text("central.help-via-broker", lang))


def _publish(command: Parser, lang: Language) -> None:
    command.add_argument("programme", type=Path, metavar="PROGRAMME.yaml", help=text("central.help-programme", lang))
    options = command.options
    _add_delivery(command, lang)
    options.add_argument("--dry-run", action="store_true", help=text("central.help-dry-run", lang))
    options.add_argument("--sign-only", type=Path, metavar="FILE", help=text("central.help-sign-only", lang))


def _approve(command: Parser, lang: Language) -> None:
    command.add_argument("file", type=Path, metavar="FILE", help=text("central.help-approve-file", lang))
    options = command.options
    options.add_argument("--broker", metavar="HOST[:PORT]", help=text("central.help-broker-told", lang))
    options.add_argument("--sign-only", action="store_true", help=text("central.help-approve-sign-only", lang))
    options.add_argument("--yes", action="store_true", help=text("central.help-approve-yes", lang))
    wait = text("central.help-alert-wait", lang)
    waited = whole_number(1, SECONDS_MOST)
    options.add_argument("--wait", dest="seconds", action=waited, metavar="N", help=wait)


def _alert(command: Parser, lang: Language) -> None:
    options = command.options
    options.add_argument("what", metavar="WHAT", nargs="?", help=text("central.help-what", lang))
    one = options.add_mutually_exclusive_group()
    one.add_argument("--update", metavar="ID", help=text("central.help-update", lang))
    one.add_argument("--cancel", metavar="ID", help=text("central.help-cancel", lang))
    one.add_argument("--id", metavar="ID", help=text("central.help-alert-id", lang))
    options.add_argument("--drill", action="store_true", help=text("central.help-drill", lang))
    options.add_argument("--scope", help=text("central.help-alert-scope", lang))
    zones = text("central.help-zones", lang)
    options.add_argument("--zones", metavar="ID,...", action=ZoneList, help=zones)
    options.add_argument(
        "--set", dest="blanks", metavar="NAME=TEXT", action=Named, default=(), help=_words("set", lang)
    )
    for name, most in MOST_CHARS.items():
        taken = by_language(most)
        options.add_argument(f"--{name}", metavar="[vi=]TEXT", action=taken, default=(), help=_words(name, lang))
    files = by_language(PATH_CHARS)
    options.add_argument("--audio", metavar="[vi=]FILE", action=files, default=(), help=_words("audio", lang))
    options.add_argument("--speak", action="store_true", help=_words("speak", lang))
    for name, choices in CAP_CHOICES.items():
        options.add_argument(f"--{name}", choices=choices, help=_words(name, lang))
    minutes = whole_number(1, MINUTES_MOST)
    expires = _words("expires-in", lang)
    options.add_argument("--expires-in", dest="minutes", metavar="MINUTES", action=minutes, help=expires)
    options.add_argument(
        "--repeat", dest="repeat_s", metavar="SECONDS", action=RepeatSeconds, help=_words("repeat", lang)
    )
    tell = argparse.BooleanOptionalAction
    options.add_argument("--tell-cancel", action=tell, default=None, help=_words("tell-cancel", lang))
    _add_delivery(command, lang)
    options.add_argument("--yes", action="store_true", help=text("central.help-yes", lang))
    options.add_argument("--dry-run", action="store_true", help=text("central.help-alert-dry-run", lang))
    options.add_argument("--sign-only", type=Path, metavar="FILE", help=text("central.help-sign-only", lang))
    options.add_argument("--json", action="store_true", help=text("central.help-alert-json", lang))
    wait = text("central.help-alert-wait", lang)
    waited = whole_number(1, SECONDS_MOST)
    options.add_argument("--wait", dest="seconds", action=waited, metavar="N", help=wait)


def _cap_feed(command: Parser, lang: Language) -> None:
    command.add_argument("rules", type=Path, metavar="RULES.yaml", help=text("central.help-feed-rules", lang))
    options = command.options
    one = options.add_mutually_exclusive_group()
    one.add_argument("--once", action="store_true", help=text("central.help-feed-once", lang))
    one.add_argument("--asked", action="store_true", help=text("central.help-feed-asked", lang))
    number = whole_number(1, NUMBER_MOST)
    confirm, drop = (text(f"central.help-feed-{name}", lang) for name in ("confirm", "drop"))
    one.add_argument("--confirm", metavar="N", action=number, help=confirm)
    one.add_argument("--drop", metavar="N", action=number, help=drop)
    options.add_argument("--dry-run", action="store_true", help=text("central.help-feed-dry-run", lang))
    _add_delivery(command, lang)
    options.add_argument("--yes", action="store_true", help=text("central.help-feed-yes", lang))
    options.add_argument("--json", action="store_true", help=text("central.help-feed-json", lang))
    wait = text("central.help-feed-wait", lang)
    waited = whole_number(1, SECONDS_MOST)
    options.add_argument("--wait", dest="seconds", action=waited, metavar="N", help=wait)


def _words(name: str, lang: Language) -> str:
    return text(f"central.help-alert-{name}", lang)


def _watch(command: Parser, lang: Language) -> None:
    options = command.options
    options.add_argument("--broker", metavar="HOST[:PORT]", help=text("central.help-broker-told", lang))
    options.add_argument("--json", action="store_true", help=text("central.help-json", lang))
    options.add_argument("--once", action="store_true", help=text("central.help-once", lang))
    options.add_argument("--keep", action="store_true", help=text("central.help-keep", lang))
    seconds = whole_number(1, SECONDS_MOST)
    options.add_argument("--for", dest="seconds", action=seconds, metavar="N", help=text("central.help-for", lang))


def _resend(command: Parser, lang: Language) -> None:
    command.add_argument("station", metavar="ID", help=text("central.help-resend-id", lang))
    number = whole_number(1, NUMBER_MOST)
    command.add_argument("first", metavar="FIRST", action=number, help=text("central.help-first", lang))
    command.add_argument("last", metavar="LAST", action=number, help=text("central.help-last", lang))
    options = command.options
    journal = text("central.help-journal", lang)
    options.add_argument("--journal", metavar="N", action=number, required=True, help=journal)
    options.add_argument("--broker", metavar="HOST[:PORT]", help=text("central.help-broker-told", lang))
    seconds = whole_number(1, SECONDS_MOST)
    wait = text("central.help-wait", lang)
    options.add_argument("--wait", dest="seconds", action=seconds, default=REPLY_S, metavar="N", help=wait)


def _beacon(command: Parser, lang: Language) -> None:
    options = command.options
    options.add_argument("--broker", metavar="HOST[:PORT]", help=text("central.help-broker-told", lang))
    seconds = whole_number(EVERY_LEAST_S, SECONDS_MOST)
    options.add_argument("--every", action=seconds, metavar="N", help=text("central.help-every", lang))


def _export(command: Parser, lang: Language) -> None:
    command.add_argument("scope", metavar="SCOPE", help=text("central.help-export-scope", lang))
    command.add_argument("path", type=Path, metavar="PATH", help=text("central.help-export-path", lang))


def _import_reports(command: Parser, lang: Language) -> None:
    command.add_argument("path", type=Path, metavar="PATH", help=text("central.help-reports-path", lang))


_OPTIONS: Final[dict[str, Callable[[Parser, Language], None]]] = {
    "init": _init,
    "add-station": _add_station,
    "enrol": _enrol,
    "renew": _renew,
    "server-certificate": _server_certificate,
    "revoke": _revoke,
    "broker-config": _broker_config,
    "publish": _publish,
    "alert": _alert,
    "live": add_live_options,
    "cap-feed": _cap_feed,
    "watch": _watch,
    "resend": _resend,
    "beacon": _beacon,
    "export": _export,
    "import-reports": _import_reports,
    "audit": add_audit_options,
    "trust": add_trust_options,
    "approve": _approve,
}
