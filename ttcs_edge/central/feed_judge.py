"""What becomes of each message of a feed: dropped with its reason, kept for a person, or passed on.

1 Messages are judged in the order in which their authors sent them, whatever the order in which they came.
2 What is over is dropped: after an outage, only what is still in force goes out.
3 An alert that was already updated or cancelled by its author is not begun. Its update, when the rules let it through,
  goes out in its place as a new alert.
4 An update or a cancellation follows what was passed on, of the same sender. One of nothing that anybody heard is
  dropped, unless a rule has its updates go out as new alerts. What waits for a person is taken back by either; the
  update then waits in its place.
5 Nobody's message touches another sender's alert.
6 Only so many new alerts go out within an hour by the rules alone; what comes on top of them waits for a person. What
  updates or ends one is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ttcs_edge.central.alert_draft import AlertDraft
from ttcs_edge.central.alert_history import events_of_references
from ttcs_edge.central.cap_file import CapMessage
from ttcs_edge.central.centre import Centre, now, utc
from ttcs_edge.central.errors import BadAlertFile
from ttcs_edge.central.feed_book import Book, Message, State
from ttcs_edge.central.feed_match import Facts, Plan, facts_of, judged_by, plan_of
from ttcs_edge.central.feed_rules import FeedRules
from ttcs_edge.core.documents import Alert
from ttcs_edge.core.trust import utc_ms

LEAST_LEFT_MS: Final = int(timedelta(minutes=1).total_seconds() * 1_000)
"""What is over within a minute reaches nobody (``alert_issue``)."""
HOUR_MS: Final = 3_600_000


class Judged(Struct, frozen=True):
    """What became of a message: its new state, why it was dropped or must wait, and by which rule, if by one."""

    message: Message
    state: str
    why: str = ""
    rule: str = ""


class Judge:
    """Decides, and keeps what it decided in the book. ``read`` gives a message as its CAP file has it."""

    def __init__(self, centre: Centre, book: Book, rules: FeedRules, read: Callable[[Message], CapMessage]) -> None:
        self._centre = centre
        self._book = book
        self._rules = rules.rules
        self._begun_an_hour = rules.begun_an_hour
        self._read = read

    def judge_all(self) -> list[Judged]:
        """Decide what becomes of every message that is new; and close what waited too long for a person."""
        judged = []
        while waiting := self._book.of_state("new"):
            try:
                judged += self._judge(waiting[0])
            except BadAlertFile:  # it was good when it came: the disk has lost it
                judged.append(self._drop(waiting[0], "unreadable"))
        return judged + [self._drop(one, "over") for one in self._book.of_state("asked") if self._is_late(one)]

    def _is_late(self, asked: Message) -> bool:
        try:
            return asked.plan is None or _is_over(lasting(self._read(asked).draft, asked.plan))
        except BadAlertFile:
            return True

    def _judge(self, message: Message) -> list[Judged]:
        read = self._read(message)
        draft = read.draft
        heard, named = self._before(message, draft)
        if draft.msg_type == "Cancel":
            return self._cancel(message, read, heard, named)
        own = plan_of(facts_of(read), self._rules)
        if draft.msg_type == "Update" and (heard or named):
            own = own or self._by_what_it_is_about(read, heard, named)
        if own is None or own.then == "drop":
            return [self._drop(message, "no-rule" if own is None else "rule", own)]
        if _is_over(lasting(draft, own)):
            return [self._drop(message, "over", own)]
        if draft.msg_type == "Update" and not self._is_heard(heard, named):
            return self._update_of_unheard(message, draft, own, named)
        if draft.msg_type == "Alert" and (after := self._book.followers(message)):
            return self._superseded(message, own, after[-1])
        return [self._begin(message, own) if draft.msg_type == "Alert" else self._take(message, own)]

    def _before(self, message: Message, draft: AlertDraft) -> tuple[list[Alert], list[Message]]:
        """What a message follows: alerts of its sender that are on the air, and messages of its sender in the book.

        Who names an alert means also the updates of it that have come since.
        """
        heard = [
            one
            for one in events_of_references(self._centre, draft.refers_to)
            if one.sender == draft.sender and one.msg_type != "Cancel" and utc_ms(one.expires) > now().wall_ms
        ]
        named = [one for one in self._book.named(draft.refers_to) if one.sender == draft.sender]
        since = [one for first in named for one in self._book.followers(first) if one.state in ("asked", "passing")]
        every = {one.number: one for one in (*named, *since) if one.number != message.number}
        return heard, list(every.values())

    def _is_heard(self, heard: list[Alert], named: list[Message]) -> bool:
        return bool(heard) or any(one.state == "passing" for one in named)

    def _by_what_it_is_about(self, read: CapMessage, heard: list[Alert], named: list[Message]) -> Plan | None:
        """The plan of the newest message that this one is about and that a rule fits."""
        plans = (plan_of(judged_by(facts_of(read), said), self._rules) for said in self._said(heard, named))
        return next((plan for plan in plans if plan is not None), None)

    def _said(self, heard: list[Alert], named: list[Message]) -> Iterator[Facts]:
        """What was said by the messages that one is about, the newest first."""
        for one in reversed(named):
            with suppress(BadAlertFile):
                read = self._read(one)
                if read.draft.info:
                    yield facts_of(read)
        yield from map(_facts_of_alert, heard)

    def _cancel(self, message: Message, read: CapMessage, heard: list[Alert], named: list[Message]) -> list[Judged]:
        asked = [self._drop(one, "cancelled") for one in named if one.state == "asked"]
        if not self._is_heard(heard, named):
            return [*asked, self._drop(message, "taken-back" if asked else self._unheard(read.draft))]
        plan = self._by_what_it_is_about(read, heard, named)
        if plan is None or plan.then == "drop":
            return [*asked, self._drop(message, "no-rule" if plan is None else "rule", plan)]
        return [*asked, self._take(message, plan)]

    def _update_of_unheard(self, message: Message, draft: AlertDraft, plan: Plan, named: list[Message]) -> list[Judged]:
        in_place = [one for one in named if one.state == "asked" or one.why == "superseded"]
        asked = [self._drop(one, "superseded") for one in named if one.state == "asked"]
        if not in_place and plan.unheard_updates == "drop":
            return [self._drop(message, self._unheard(draft), plan)]
        new = replace(plan, as_new=True)
        after = self._book.followers(message)
        return [*asked, *(self._superseded(message, new, after[-1]) if after else [self._begin(message, new)])]

    def _unheard(self, draft: AlertDraft) -> str:
        """Why a message that follows nothing is dropped: it may be about what somebody else sent."""
        senders = {one.sender for one in self._book.named(draft.refers_to)}
        senders |= {one.sender for one in events_of_references(self._centre, draft.refers_to)}
        return "wrong-sender" if senders - {draft.sender} else "unheard"

    def _superseded(self, message: Message, plan: Plan, last: Message) -> list[Judged]:
        """Drop what its author has already replaced, and see to it that what replaced it is judged behind it."""
        dropped = self._drop(message, "superseded", plan)
        if last.why == "unheard" and self._read(last).draft.msg_type == "Update":
            self._book.put(last, "new")
        return [dropped]

    def _begin(self, message: Message, plan: Plan) -> Judged:
        """Take what would be a new alert: one too many within an hour waits for a person, whatever the rule says."""
        at_ms = now().wall_ms
        if plan.then != "pass":
            return self._take(message, plan)
        if self._book.begun_since(at_ms - HOUR_MS) >= self._begun_an_hour:
            self._book.put(message, "asked", plan=plan)
            return Judged(message, "asked", "too-many", plan.rule)
        self._book.begin(message, plan, at_ms)
        return Judged(message, "passing", rule=plan.rule)

    def _take(self, message: Message, plan: Plan) -> Judged:
        state: State = "passing" if plan.then == "pass" else "asked"
        self._book.put(message, state, plan=plan)
        return Judged(message, state, rule=plan.rule)

    def _drop(self, message: Message, why: str, plan: Plan | None = None) -> Judged:
        self._book.put(message, "dropped", why, plan)
        return Judged(message, "dropped", why, plan.rule if plan else "")


def lasting(draft: AlertDraft, plan: Plan) -> AlertDraft:
    """Give a message that does not say when it ends the end that its rule has for it, counted from when it was sent."""
    if draft.expires is not None or draft.sent is None:
        return draft
    return replace(draft, expires=utc(utc_ms(draft.sent) + plan.expires_in_minutes * 60_000))


def _is_over(draft: AlertDraft) -> bool:
    return draft.expires is not None and utc_ms(draft.expires) < now().wall_ms + LEAST_LEFT_MS


def _facts_of_alert(alert: Alert) -> Facts:
    """What is known of an alert that did not come by this feed."""
    return Facts(
        sender=alert.sender,
        status=alert.status,
        msg_type=alert.msg_type,
        severity=alert.severity,
        urgency=alert.urgency,
        certainty=alert.certainty,
        categories=(),
        events=(),
        languages=tuple(one.language for one in alert.info),
        areas=(),
    )
