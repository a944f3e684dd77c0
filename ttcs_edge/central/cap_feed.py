"""``ttcs-central cap-feed``: follow a CAP feed for months, and pass on what a file of rules lets through.

Every round reads the feed when it is time, gets the CAP files that it names, judges what is new, and passes on what is
to be passed on (``feed_round``). A round that is killed anywhere is taken up by the next one (``feed_book``). Only what
a person must mend ends the service.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ttcs_edge.central.centre import check_grant, now, open_centre
from ttcs_edge.central.errors import UNAVAILABLE, CentralError
from ttcs_edge.central.feed_book import opened_book
from ttcs_edge.central.feed_fetch import Fetcher
from ttcs_edge.central.feed_pass import Sending
from ttcs_edge.central.feed_person import answer
from ttcs_edge.central.feed_round import Round
from ttcs_edge.central.feed_rules import read_feed_file
from ttcs_edge.central.feed_words import feed_line
from ttcs_edge.central.publish import Delivery
from ttcs_edge.locale import Language


class Ending:
    """Has the service end in order: a signal may ask for it at any instant."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self._read_fd, self._write_fd = os.pipe()
        os.set_blocking(self._write_fd, False)
        self.asked = False

    def ask(self, *_: object) -> None:
        """End as soon as what is being sent has been sent."""
        self.asked = True
        self._fetcher.end()
        os.write(self._write_fd, b".")

    def wait(self, seconds: float) -> None:
        """Wait, unless the end comes before."""
        select.select([self._read_fd], [], [], max(0.0, seconds))

    def close(self) -> None:
        """Give back what it holds."""
        os.close(self._read_fd)
        os.close(self._write_fd)


@contextmanager
def _ending(fetcher: Fetcher) -> Iterator[Ending]:
    ending = Ending(fetcher)
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, ending.ask) if is_main else None
    try:
        yield ending
    finally:
        if is_main:
            signal.signal(signal.SIGTERM, before)
        ending.close()


def cap_feed(given: argparse.Namespace, delivery: Delivery, secret: Callable[[str], str], lang: Language) -> int:
    """Carry the command out; gives the exit code. Raises CentralError."""
    centre = open_centre(given.folder)
    check_grant(centre, "alert")
    rules = read_feed_file(given.rules, centre.settings.scope)
    if delivery.broker is None and not (given.dry_run or given.asked or given.drop):
        raise CentralError("no-broker")
    sends = given.confirm or (not given.dry_run and any(one.then == "pass" for one in rules.rules))
    signers = centre.signers("publish", secret) if sends else ()
    sending = Sending(centre, delivery, signers)

    def tell(line: str) -> None:
        print(line, flush=True)

    fetcher = Fetcher(rules.places, rules.ca)
    with tempfile.TemporaryDirectory() as folder:
        is_answer = given.asked or given.confirm or given.drop
        aside = Path(folder) if given.dry_run and not is_answer else None
        with opened_book(centre, rules.feed, in_memory=aside) as book, _ending(fetcher) as ending:
            one = Round(rules, book, sending, fetcher, tell, lang, is_trial=given.dry_run)
            if is_answer:
                return answer(one, given, lang)
            if given.once or given.dry_run:
                return _once(one)
            return _follow(one, ending)


def _once(one: Round) -> int:
    failed = one.read_feed()
    one.fetch_files()
    one.settle()
    if failed is not None:
        raise failed
    return 0


def _follow(one: Round, ending: Ending) -> int:
    one.tell(feed_line("told.begun", one.lang, feed=one.rules.feed, every=one.rules.every_s))
    feed_at_ms = int(now().mono_ms)
    while not ending.asked:
        if now().mono_ms >= feed_at_ms:
            one.read_feed()
            feed_at_ms = now().mono_ms + round(one.feed_wait_s() * 1_000)
        one.fetch_files()
        try:
            one.settle()
        except CentralError as error:
            if error.exit_code != UNAVAILABLE:
                raise
            one.broker_failed(error)
        if not ending.asked:
            ending.wait(one.rest_s((feed_at_ms - now().mono_ms) / 1_000))
    one.tell(feed_line("told.ended", one.lang, feed=one.rules.feed))
    return 0
