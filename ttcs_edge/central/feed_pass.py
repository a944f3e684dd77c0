"""A message of a feed goes out, by the very way of ``ttcs-central alert``: as many messages of ours as it has places.

1 Never twice: what went out has the sender and the identifier of its author, so what is kept of an event says whether
  this message has gone out there. One that is kept and does not stand on the broker was cut off in between: the very
  same bytes are sent again.
2 Two authors who name two alerts alike have two events.
3 An update goes to the places of its plan. One that it adds begins there; one that it leaves out is cancelled there.
4 Nobody is at hand to shorten a text or to find a recording: a text is cut behind a sentence, what cannot be aired as
  recorded is spoken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace
from securesystemslib.signer import Signer

from ttcs_edge.central.alert_arguments import MOST_CHARS
from ttcs_edge.central.alert_draft import AlertDraft, Changes, DraftInfo
from ttcs_edge.central.alert_history import events_of_references, kept_as, newest_kept
from ttcs_edge.central.alert_issue import newest_message
from ttcs_edge.central.alert_order import Order, compose
from ttcs_edge.central.audio import AudioFolder
from ttcs_edge.central.broker import OperatorClient
from ttcs_edge.central.centre import Centre, now
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.feed_match import Plan, Target
from ttcs_edge.central.publish import Delivery
from ttcs_edge.core.documents import Alert, Signed
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope
from ttcs_edge.core.trust import CAP_SEVERITIES, utc_ms
from ttcs_edge.wire.topics import Topics
from ttcs_edge.yaml_form import Page

HASH_DIGITS: Final = 12
UNHEARD_AUDIO: Final = frozenset({"bad-alert-file", "no-place", "program-missing", "program-failed"})
"""What says that a recording cannot be sent; the text can."""
SENTENCE_ENDS: Final = (". ", "! ", "? ")


class Sending(Struct, frozen=True):
    """With what messages go out."""

    centre: Centre
    delivery: Delivery
    signers: tuple[Signer, ...]


def orders_of(centre: Centre, draft: AlertDraft, plan: Plan) -> list[Order]:
    """What a message asks for, place by place. Raises CentralError ``unknown-references``, ``wrong-sender``."""
    draft = _fitted(draft, plan)
    if draft.msg_type == "Alert" or plan.as_new:
        new = replace(draft, msg_type="Alert")
        return [_order("Alert", one, _event(centre, one.scope, draft), new) for one in plan.targets]
    known = [one for one in events_of_references(centre, draft.refers_to) if _goes_on(one, draft)]
    if not known:
        raise CentralError("unknown-references", file=draft.page.file)
    strangers = [one for one in known if one.sender != draft.sender]
    if len(strangers) == len(known):
        raise CentralError("wrong-sender", id=known[0].id, found=draft.sender, expected=known[0].sender)
    own = [one for one in known if one.sender == draft.sender]
    if draft.msg_type == "Cancel":
        changes = Changes(tell_cancel=True) if plan.tell_cancel else Changes()
        return [_order("Cancel", Target(one.scope, one.zones), one.id, draft, changes) for one in own]
    return list(_updates(draft, plan, own))


def _updates(draft: AlertDraft, plan: Plan, known: list[Alert]) -> Iterator[Order]:
    places = {one.scope: one for one in plan.targets}
    by_scope = {one.scope: one for one in reversed(known)}
    for scope, target in places.items():
        before = by_scope.get(scope)
        msg_type = "Alert" if before is None else "Update"
        yield _order(msg_type, target, (before or known[0]).id, replace(draft, msg_type=msg_type))
    for one in known:
        if one.scope not in places or by_scope[one.scope] is not one:
            # Nothing is told aloud: the danger is not over, it is elsewhere, or is told of in one message now.
            silent = replace(draft, info=())
            yield _order("Cancel", Target(one.scope, one.zones), one.id, silent, Changes(tell_cancel=False))


def _goes_on(alert: Alert, draft: AlertDraft) -> bool:
    """Tell whether there is something to follow: an alert in force, or one of which this very message is kept."""
    is_own = (alert.sender, alert.identifier) == (draft.sender, draft.identifier)
    return is_own or (alert.msg_type != "Cancel" and utc_ms(alert.expires) > now().wall_ms)


def _order(msg_type: str, target: Target, event: str, draft: AlertDraft, changes: Changes | None = None) -> Order:
    return Order(
        msg_type=msg_type,  # type: ignore[arg-type]
        scope=target.scope,
        event=event,
        draft=replace(draft, zones=target.zones),
        changes=changes or Changes(),
    )


def _event(centre: Centre, scope: Scope, draft: AlertDraft) -> str:
    """The id of the event that a message begins; another one where somebody else's alert has it."""
    assert draft.event is not None
    known = newest_kept(centre, scope, draft.event)
    if known is None or kept_as(centre, scope, draft.event, draft.sender or "", draft.identifier or ""):
        return draft.event
    name = hashlib.sha256(f"{draft.sender} {draft.identifier}".encode()).hexdigest()[:HASH_DIGITS]
    return f"{draft.event[: LIMITS.id_chars - HASH_DIGITS - 1].rstrip('-._')}-{name}"


def _fitted(draft: AlertDraft, plan: Plan) -> AlertDraft:
    """A message as its rule wants it, and no longer than stations take it."""
    most = plan.severity_most
    severity = draft.severity
    if most is not None and CAP_SEVERITIES.index(severity) > CAP_SEVERITIES.index(most):
        severity = most
    return replace(
        draft,
        severity=severity,
        repeat_s=plan.repeat_s,
        tell_cancel=plan.tell_cancel,
        info=tuple(_shortened(one) for one in draft.info),
    )


def _shortened(one: DraftInfo) -> DraftInfo:
    return replace(one, **{name: _cut(getattr(one, name), most) for name, most in MOST_CHARS.items()})


def _cut(words: str, most: int) -> str:
    """A text of so many characters at the most, cut behind a sentence, else behind a word."""
    if len(words) <= most:
        return words
    head = words[:most]
    end = max(head.rfind(mark) + 1 for mark in SENTENCE_ENDS)
    if not end:
        end = head.rfind(" ")
    return head[:end] if end > 0 else head


def pass_on(sending: Sending, client: OperatorClient, order: Order) -> Signed[Alert]:
    """Send one message of ours, unless it has gone out; gives what stands for it. Raises CentralError."""
    centre, draft = sending.centre, order.draft
    assert draft is not None
    kept = kept_as(centre, order.scope, order.event, draft.sender or "", draft.identifier or "")
    if kept is not None:
        _send_again(centre, client, kept, newest_kept(centre, order.scope, order.event))
        return kept
    before = newest_message(centre, order.scope, order.event, client)
    try:
        issue = compose(centre, order, before, sending.delivery, sending.signers)
    except CentralError as error:
        if error.code not in UNHEARD_AUDIO or all(one.source is None for one in draft.info):
            raise
        page = Page(draft.page.file)  # what is wrong with a recording stands on the other one
        spoken = replace(draft, page=page, info=tuple(replace(one, source=None) for one in draft.info))
        issue = compose(centre, replace(order, draft=spoken), before, sending.delivery, sending.signers)
    return issue.send(client, AudioFolder(centre.folder / "audio", centre.folder / "cache"))


def _send_again(centre: Centre, client: OperatorClient, kept: Signed[Alert], newest: Signed[Alert] | None) -> None:
    """Put a message on the broker that may not have got there, unless a newer one is there, or it is over."""
    document = kept.document
    topic = Topics(centre.settings.topic_root).alert(document.scope, document.id)
    left_s = (utc_ms(document.expires) - now().wall_ms) // 1_000
    is_newest = newest is not None and newest.document == document
    if not is_newest or left_s <= 0 or newest_message(centre, document.scope, document.id, client) != kept:
        return
    if client.standing(topic) != kept.envelope:
        client.publish(topic, kept.envelope, expiry_s=left_s)
