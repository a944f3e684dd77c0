"""One feed, followed: read it, get its files, judge what is new, pass on what is to be passed on.

What each part decides stands in the ``feed_`` modules beside this one; here is their order, what is told, and what is
tried again when. What fails outside is told once, and once more when it works again.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ttcs_edge.central.broker import OperatorClient
from ttcs_edge.central.cap_file import FILE_BYTES, CapMessage, read_cap_message
from ttcs_edge.central.cap_signature import is_signed_by
from ttcs_edge.central.centre import now
from ttcs_edge.central.errors import UNAVAILABLE, BadAlertFile, CentralError
from ttcs_edge.central.feed_book import Book, Message, Wanted
from ttcs_edge.central.feed_entries import NoFeed, read_feed
from ttcs_edge.central.feed_fetch import Fetcher, Tags, Unfetched
from ttcs_edge.central.feed_judge import Judge, Judged, lasting
from ttcs_edge.central.feed_match import Plan
from ttcs_edge.central.feed_pass import Sending, orders_of, pass_on
from ttcs_edge.central.feed_rules import FeedRules
from ttcs_edge.central.feed_words import feed_line
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.timekeeping import is_ahead
from ttcs_edge.core.trust import utc_ms
from ttcs_edge.link.backoff import Backoff
from ttcs_edge.locale import Language
from ttcs_edge.whole_files import PRIVATE, replace

FEED_BYTES: Final = 8 * 1024 * 1024
DOCUMENTS_AT_ONCE: Final = 50
DOCUMENT_S: Final = 20.0
AUDIO_S: Final = 10.0
"""For how long the recordings of one message are waited for, all together: a warning is late soon."""
UNSOUND_TRIES: Final = 5
"""A file that is no sound CAP may have been read while it was written; then it is none."""
GIVE_UP_MS: Final = 86_400_000
DOCUMENT_WAITS: Final = Backoff((30.0, 60.0, 120.0, 300.0, 600.0), least_s=10.0)
BROKER_WAITS: Final = Backoff((5.0, 10.0, 30.0, 60.0), least_s=2.0)
SLOWEST_S: Final = 600.0
"""A feed that is away is asked at least so often."""
OVER: Final = {
    "alert-over": "over",
    "alert-cancelled": "unheard",
    "no-alert": "unheard",
    "unknown-references": "unheard",
    "wrong-sender": "wrong-sender",
}
"""What may have come to be between the decision and the sending, and as what the message is dropped then."""

Tell = Callable[[str], None]


@dataclass(slots=True)
class Round:
    """One feed, followed. ``is_trial`` sends nothing: what would be sent is told."""

    rules: FeedRules
    book: Book
    sending: Sending
    fetcher: Fetcher
    tell: Tell
    lang: Language
    is_trial: bool = False
    failures: int = 0
    broker_failures: int = 0
    down: set[str] = field(default_factory=set)

    def read_feed(self) -> CentralError | None:
        """Read the feed and take in what it lists; gives why it could not be read, told once."""
        tags = Tags() if self.is_trial else self.book.tags()
        try:
            fetched = self.fetcher.fetch(self.rules.feed, FEED_BYTES, tags)
            entries = None if fetched.data is None else read_feed(fetched.data, self.rules.feed)
        except (Unfetched, NoFeed) as error:
            code = error.code if isinstance(error, Unfetched) else "no-feed"
            if code == "ended":
                return None
            self.failures += 1
            why = self._why(code, error.found)
            self._turn("feed", "feed-down", feed=self.rules.feed, why=why)
            return CentralError("feed-unreachable", feed=self.rules.feed, why=why)
        self.failures = 0
        self._works("feed", "feed-up", feed=self.rules.feed)
        if entries is not None:
            left = self.book.take_in(entries, fetched.tags, now().wall_ms)
            if left:
                self._tell("feed-full", feed=self.rules.feed, count=len(entries), left=left)
            self.book.forget(now().wall_ms)
        return None

    def fetch_files(self) -> None:
        """Get the CAP files that are due, a bounded number at once."""
        wanted = self.book.wanted(now().wall_ms, DOCUMENTS_AT_ONCE)
        for one in wanted:
            try:
                self._take(one)
            except Unfetched as error:
                if error.code == "ended":
                    return
                self._try_again(one, self._why(error.code, error.found), never=error.is_final)
            except BadAlertFile as error:
                codes = {problem.code for problem in error.problems}
                first = error.problems[0]
                why = feed_line(f"bad.{first.code}", self.lang, found=first.found, line=first.line)
                never = "not-for-loudspeakers" in codes or one.tries + 1 >= UNSOUND_TRIES
                self._try_again(one, why, never=never)

    def _take(self, one: Wanted) -> None:
        """Get one file, and take its message in. Raises Unfetched, BadAlertFile."""
        data = self.fetcher.fetch(one.link, FILE_BYTES, deadline_s=DOCUMENT_S).data
        assert data is not None
        with self.book.alone():  # nobody else's file is taken away, nor this one by anybody
            file = self.book.folder / f"{hashlib.sha256(data).hexdigest()}.xml"
            if not file.exists():
                replace(file, data, PRIVATE)
            try:
                taken, message = self._add(one, data, file)
            finally:
                if not self.book.uses(file):
                    file.unlink()
        if taken == "changed":
            self._tell("changed", id=message.draft.identifier, sender=message.draft.sender, link=one.link)

    def _add(self, one: Wanted, data: bytes, file: Path) -> tuple[str, CapMessage]:
        message = self._read(file)
        if self.rules.signers and not is_signed_by(data, self.rules.signers):
            raise Unfetched("not-signed", is_final=True)
        if is_ahead(utc_ms(message.draft.sent or ""), now()):
            raise Unfetched("ahead", message.draft.sent)
        return self.book.add(one, message), message

    def _read(self, file: Path) -> CapMessage:
        return read_cap_message(file, self.sending.centre.folder / "cache", _no_audio)

    def _try_again(self, one: Wanted, why: str, *, never: bool) -> None:
        at_ms = now().wall_ms
        never = never or at_ms - one.first_ms > GIVE_UP_MS
        wait_s = DOCUMENT_WAITS.wait_s(one.tries, random.random())  # noqa: S311 (spreads tries in time: nobody gains by guessing it)
        self.book.try_again(one, None if never else at_ms + round(wait_s * 1_000))
        if never or one.tries == 0:
            self._tell("file-refused" if never else "file-later", link=one.link, why=why)

    # -- what becomes of messages

    def settle(self) -> None:
        """Judge what is new, and pass on what is to be passed on. Raises CentralError when the broker is away."""
        with self.book.alone():
            judge = Judge(
                self.sending.centre, self.book, self.rules, lambda one: self._read(self.book.folder / one.file)
            )
            for judged in judge.judge_all():
                self._tell_judged(judged)
            passing = self.book.of_state("passing")
            if passing and self.is_trial:
                for message in passing:
                    self._tell_trial(message)
            elif passing:
                self._pass_all()

    def _pass_all(self) -> None:
        broker = self.sending.delivery.broker
        assert broker is not None
        with OperatorClient(self.sending.centre, broker).connected() as client:
            self._works("broker", "broker-up", broker=broker)
            self.broker_failures = 0
            for message in self.book.of_state("passing"):
                self._pass(client, message)

    def _pass(self, client: OperatorClient, message: Message) -> None:
        plan = message.plan
        assert plan is not None
        try:
            draft = lasting(self.with_audio(message).draft, plan)
            for order in orders_of(self.sending.centre, draft, plan):
                document = pass_on(self.sending, client, order).document
                self._tell(
                    "passed",
                    **_named(message),
                    rule=plan.rule,
                    event=document.id,
                    version=document.version,
                    kind=document.msg_type,
                    scope=document.scope,
                )
        except CentralError as error:
            if error.exit_code == UNAVAILABLE:
                raise
            self._could_not_pass(message, plan, error)
            return
        self.book.put(message, "passed")

    def _could_not_pass(self, message: Message, plan: Plan, error: CentralError) -> None:
        if error.code in OVER:
            self.book.put(message, "dropped", OVER[error.code])
            self._tell_judged(Judged(message, "dropped", OVER[error.code], plan.rule))
            return
        why = feed_line(f"error.{error.code}", self.lang, **error.fields)
        self.book.put(message, "asked", why)  # nothing is lost: a person may send it yet
        self._tell("not-passed", **_named(message), number=message.number, why=why)

    def with_audio(self, message: Message) -> CapMessage:
        """Read a message, its recordings too, from the servers that the rules name."""
        until_s = time.monotonic() + AUDIO_S

        def fetch(uri: str) -> bytes:
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                raise ValueError(f"> {AUDIO_S:g} s")
            try:
                data = self.fetcher.fetch(uri, LIMITS.audio_bytes, deadline_s=left_s).data
            except Unfetched as error:
                raise ValueError(error.code) from error
            assert data is not None
            return data

        return read_cap_message(self.book.folder / message.file, self.sending.centre.folder / "cache", fetch)

    # -- what is told

    def _tell(self, code: str, **fields: object) -> None:
        self.tell(feed_line(f"told.{code}", self.lang, **fields))

    def _why(self, code: str, found: str) -> str:
        return feed_line(f"why.{code}", self.lang, found=found)

    def _tell_judged(self, judged: Judged) -> None:
        named = _named(judged.message)
        if judged.state == "dropped":
            why = feed_line(f"dropped.{judged.why}", self.lang, rule=judged.rule)
            self._tell("dropped", **named, why=why)
        elif judged.state == "asked":
            code = "too-many" if judged.why == "too-many" else "asked"
            most = self.rules.begun_an_hour
            self._tell(code, **named, number=judged.message.number, rule=judged.rule, most=most)

    def _tell_trial(self, message: Message) -> None:
        assert message.plan is not None
        scopes = ", ".join(one.scope for one in message.plan.targets)
        self._tell("would-pass", **_named(message), rule=message.plan.rule, scope=scopes)

    def _turn(self, what: str, code: str, **fields: object) -> None:
        """Tell that something does not work, unless it has been told."""
        if what not in self.down:
            self.down.add(what)
            self._tell(code, **fields)

    def _works(self, what: str, code: str, **fields: object) -> None:
        """Tell that something works again, when it was told that it does not."""
        if what in self.down:
            self.down.discard(what)
            self._tell(code, **fields)

    def broker_failed(self, error: CentralError) -> None:
        """Tell that nothing can be sent, once."""
        self.broker_failures += 1
        self._turn("broker", "broker-down", why=feed_line(f"error.{error.code}", self.lang, **error.fields))

    # -- when

    def feed_wait_s(self) -> float:
        """How long to wait before the feed is read again: longer than it must be, so that readers spread."""
        every_s = float(self.rules.every_s)
        slowest_s = max(SLOWEST_S, every_s)
        most = tuple(min(slowest_s, every_s * factor) for factor in (2.0, 4.0, 8.0, 16.0))
        waits = Backoff(most if self.failures else (every_s * 1.1,), least_s=every_s)
        return waits.wait_s(max(0, self.failures - 1), random.random())  # noqa: S311 (spreads tries in time: nobody gains by guessing it)

    def rest_s(self, feed_s: float) -> float:
        """How long there is nothing to do, when the feed is read again in so many seconds."""
        waits = [feed_s]
        if self.broker_failures:
            waits.append(BROKER_WAITS.wait_s(self.broker_failures - 1, random.random()))  # noqa: S311 (spreads tries in time: nobody gains by guessing it)
        if (next_ms := self.book.next_try_ms()) is not None:
            waits.append(max(1.0, (next_ms - now().wall_ms) / 1_000))
        return min(waits)


def _no_audio(uri: str) -> bytes:
    raise ValueError(uri)


def _named(message: Message) -> dict[str, object]:
    return {"id": message.identifier, "sender": message.sender, "headline": message.headline or "-"}
