"""``ttcs-central trust``: what it does, one small function each; what they tell is drawn in ``draw_trust``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final

from ttcs_edge.central.address import needed_broker
from ttcs_edge.central.asking import confirm
from ttcs_edge.central.centre import Centre, open_centre
from ttcs_edge.central.draw_trust import show_drafted, show_published, show_signed, show_state, show_withdrawn
from ttcs_edge.central.trust_arguments import read_keys, read_thresholds
from ttcs_edge.central.trust_draft import Wishes, draft
from ttcs_edge.central.trust_publish import coming, publish_roots, withdrawn_by
from ttcs_edge.central.trust_sign import sign_next
from ttcs_edge.central.trust_state import trust_state
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal.output import print_json

Secret = Callable[[str], str]


def trust(given: argparse.Namespace, secret: Secret, lang: Language) -> None:
    """Carry the command out, also with a root that has expired: it is what renews it. Raises CentralError."""
    _ACTIONS[given.action](open_centre(given.folder, expired=True), given, secret, lang)


def _show(centre: Centre, given: argparse.Namespace, secret: Secret, lang: Language) -> None:
    state = trust_state(centre)
    if given.json:
        print_json(state.as_json())
    else:
        show_state(state, lang)


def _draft(centre: Centre, given: argparse.Namespace, secret: Secret, lang: Language) -> None:
    wishes = Wishes(
        revoke=tuple(given.revoke),
        keys=read_keys(given.new_key, given.add_key),
        thresholds=read_thresholds(given.threshold),
        force=given.force,
    )
    show_drafted(draft(centre, wishes), centre, lang)


def _sign(centre: Centre, given: argparse.Namespace, secret: Secret, lang: Language) -> None:
    show_signed(sign_next(centre, given.only, secret), centre, lang)


def _publish(centre: Centre, given: argparse.Namespace, secret: Secret, lang: Language) -> None:
    broker, wanted = needed_broker(given.broker or centre.settings.broker), coming(centre)
    withdrawn = [] if wanted is None else withdrawn_by(centre, wanted.root)
    if withdrawn:
        show_withdrawn(withdrawn, lang)
    if withdrawn and not given.yes:
        confirm(text("central.trust-ask", lang))
    show_published(publish_roots(centre, broker, wanted), withdrawn, centre, lang)


_ACTIONS: Final[dict[str, Callable[[Centre, argparse.Namespace, Secret, Language], None]]] = {
    "show": _show,
    "draft": _draft,
    "sign": _sign,
    "publish": _publish,
}
