"""What of a feed waits for a person: listed, confirmed as any alert of an operator's is, or dropped."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from ttcs_edge.central.alert import show_ask_send
from ttcs_edge.central.alert_issue import Issue
from ttcs_edge.central.broker import OperatorClient
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.feed_book import Message
from ttcs_edge.central.feed_judge import lasting
from ttcs_edge.central.feed_pass import orders_of, pass_on
from ttcs_edge.central.feed_round import Round
from ttcs_edge.central.feed_words import feed_line
from ttcs_edge.core.documents import Alert, Signed
from ttcs_edge.locale import Language


def answer(one: Round, given: argparse.Namespace, lang: Language) -> int:
    """List what waits, confirm it or drop it; gives the exit code. Raises CentralError."""
    if given.confirm:
        return _confirm(one, given, lang)
    if given.drop:
        with one.book.alone():
            message = _asked(one, given.drop)
            if not given.dry_run:
                one.book.put(message, "dropped", "person")
        _tell(one, "dropped", message, lang, why=feed_line("dropped.person", lang))
        return 0
    for message in one.book.of_state("asked"):
        rule = message.plan.rule if message.plan else "-"
        _tell(one, "waits", message, lang, number=message.number, rule=rule, sent=message.sent)
    return 0


def _confirm(one: Round, given: argparse.Namespace, lang: Language) -> int:
    message = _asked(one, given.confirm)
    plan = message.plan
    assert plan is not None
    sending = one.sending
    orders = orders_of(sending.centre, lasting(one.with_audio(message).draft, plan), plan)

    def send(mouth: OperatorClient, issues: Sequence[Issue]) -> list[Signed[Alert]]:
        """Send what was shown: unless meanwhile it was taken back, or somebody else has sent it."""
        with one.book.alone():
            one.book.put(_asked(one, message.number), "passing")
            try:
                sent = [pass_on(sending, mouth, order) for order in orders]
            except CentralError:
                one.book.put(message, "asked", message.why)  # whoever confirmed it is told, and may try again
                raise
            one.book.put(message, "passed")
        return sent

    return show_ask_send(sending.centre, orders, sending.delivery, sending.signers, send, given, lang)


def _asked(one: Round, number: int) -> Message:
    message = one.book.of_number(number)
    if message is None or message.state != "asked":
        waiting = ", ".join(str(other.number) for other in one.book.of_state("asked"))
        raise CentralError("nothing-asked", number=number, waiting=waiting or "-")
    return message


def _tell(one: Round, code: str, message: Message, lang: Language, **fields: object) -> None:
    named = {"id": message.identifier, "sender": message.sender, "headline": message.headline or "-"}
    one.tell(feed_line(f"told.{code}", lang, **named, **fields))
