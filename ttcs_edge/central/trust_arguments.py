"""The command line of ``ttcs-central trust``: what it does, and the options of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, cast

from ttcs_edge.central.centre import Role
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.trust_draft import NewKey
from ttcs_edge.central.trust_file import GRANT_ROLES
from ttcs_edge.core.documents import ID_PATTERN
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal.arguments import Parser

ACTION_EXAMPLES: Final = {
    "show": "ttcs-central trust /srv/lam-dong show",
    "draft": "ttcs-central trust /srv/lam-dong draft --revoke publish-1 --new-key publish-2:publish",
    "sign": "ttcs-central trust /srv/lam-dong sign --with root-1",
    "publish": "ttcs-central trust /srv/lam-dong publish",
}
"""What the command does, each with one line that may be typed as it is."""
_KEY: Final = re.compile(r"(?P<name>[^:]+):(?P<role>root|publish)(:(?P<public>[0-9a-f]{64}))?")
_THRESHOLD: Final = re.compile(rf"({'|'.join(GRANT_ROLES)})=([1-9][0-9]?)")


def add_trust_options(command: Parser, lang: Language) -> None:
    """Add what the command takes."""
    actions = command.add_commands("action", "ACTION", text("central.help-trust-action", lang))
    for name, example in ACTION_EXAMPLES.items():
        words = text(f"central.trust-{name}", lang)
        about = f"{words}\n\n{text('central.trust-sign-elsewhere', lang)}" if name == "sign" else words
        action: Parser = actions.add_parser(name, lang=lang, example=example, help=words, description=about)
        _OPTIONS[name](action, lang)


def _show(action: Parser, lang: Language) -> None:
    action.options.add_argument("--json", action="store_true", help=text("central.help-trust-json", lang))


def _draft(action: Parser, lang: Language) -> None:
    for option, metavar in (
        ("revoke", "NAME"),
        ("new-key", "NAME:ROLE"),
        ("add-key", "NAME:ROLE:HEX"),
        ("threshold", "ROLE=N"),
    ):
        words = text(f"central.help-trust-{option}", lang)
        action.options.add_argument(f"--{option}", action="append", default=[], metavar=metavar, help=words)
    action.options.add_argument("--force", action="store_true", help=text("central.help-trust-force", lang))


def _sign(action: Parser, lang: Language) -> None:
    words = text("central.help-trust-with", lang)
    action.options.add_argument("--with", dest="only", action="append", default=[], metavar="NAME", help=words)


def _publish(action: Parser, lang: Language) -> None:
    options = action.options
    options.add_argument("--broker", metavar="HOST[:PORT]", help=text("central.help-broker-told", lang))
    options.add_argument("--yes", action="store_true", help=text("central.help-trust-yes", lang))


_OPTIONS: Final[dict[str, Callable[[Parser, Language], None]]] = {
    "show": _show,
    "draft": _draft,
    "sign": _sign,
    "publish": _publish,
}


def read_keys(made: Sequence[str], added: Sequence[str]) -> tuple[NewKey, ...]:
    """Read which keys are wanted. Raises CentralError ``bad-key-wish``."""
    wishes = [(words, "--new-key", False) for words in made] + [(words, "--add-key", True) for words in added]
    return tuple(_read_key(words, option, is_added=is_added) for words, option, is_added in wishes)


def _read_key(words: str, option: str, *, is_added: bool) -> NewKey:
    found = _KEY.fullmatch(words)
    if found is None or (found["public"] is not None) != is_added:
        raise CentralError("bad-key-wish", option=option, found=words)
    if not re.fullmatch(ID_PATTERN, found["name"]) or len(found["name"]) > LIMITS.id_chars:
        raise CentralError("bad-key-wish", option=option, found=words)
    return NewKey(found["name"], cast(Role, found["role"]), found["public"])


def read_thresholds(given: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Read how many keys of a role are to sign together. Raises CentralError ``bad-threshold-wish``."""
    read = []
    for words in given:
        found = _THRESHOLD.fullmatch(words)
        if found is None:
            raise CentralError("bad-threshold-wish", found=words, roles=", ".join(GRANT_ROLES))
        read.append((found[1], int(found[2])))
    return tuple(read)
