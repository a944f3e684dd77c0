"""``ttcs-central cap-feed`` as a service: killed anywhere, without its feed, without its broker, ended in order."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.central.feeds import SENDER, FeedServer, cap, rules
from tests.central.test_cap_feed import once, run, server, standing
from tests.parts import MORTAL, Broker, eventually
from ttcs_edge.central import feed_round, feed_rules
from ttcs_edge.central.alert_history import kept_events
from ttcs_edge.central.cap_file import read_cap_message
from ttcs_edge.central.centre import now, open_centre
from ttcs_edge.central.feed_book import opened_book
from ttcs_edge.central.feed_entries import Entry
from ttcs_edge.central.feed_fetch import Tags

_ = server
SERVICE = """\
import sys
from ttcs_edge.central import feed_round, feed_rules
from ttcs_edge.link.backoff import Backoff
feed_round.BROKER_WAITS = feed_round.DOCUMENT_WAITS = Backoff((0.2,))
feed_round.SLOWEST_S = 0.2
feed_round.Round.feed_wait_s = lambda self: 0.2
from ttcs_edge.central.main import main
sys.exit(main())
"""
"""The service itself, in a hurry."""


class Service:
    """A process, and what it has told."""

    def __init__(self, folder: Path, file: Path, port: int, log: Path) -> None:
        self.log = log
        command = ["cap-feed", str(folder), str(file), "--broker", f"127.0.0.1:{port}", "--lang", "en"]
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVICE, *command], stdout=out, stderr=subprocess.STDOUT
            )

    def told(self) -> list[str]:
        """Its lines so far."""
        return self.log.read_text("utf-8").splitlines()

    def tells(self, part: str) -> str:
        """Wait for a line that has something in it, and give it."""
        found = eventually(lambda: [line for line in self.told() if part in line], 30)
        return found[0]


@contextmanager
def serving(folder: Path, file: Path, port: int, log: Path) -> Iterator[Service]:
    """The service for a while."""
    service = Service(folder, file, port, log)
    try:
        yield service
    finally:
        service.process.kill()
        service.process.wait()


def test_it_ends_in_order(centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path) -> None:
    """SIGTERM: the last line says so, and the exit code is 0; also while it waits for a server that does not answer."""
    server.serve(a=cap("a"))
    with serving(centre_folder, rules(tmp_path, server), own_broker.port, tmp_path / "log") as service:
        service.tells("SENT a ")
        server.pages["/atom.xml"] = lambda request: server.closing.wait()
        count = len(server.requests)
        eventually(lambda: len(server.requests) > count)
        service.process.send_signal(signal.SIGTERM)

        assert service.process.wait(10) == 0

    url = f"{server.url}/atom.xml"
    assert service.told() == [
        f"Following {url} every 10 s",
        f"SENT a of {SENDER} (a), by the rule nặng: Alert a version 1, vn/lam-dong",
        f"No longer following {url}",
    ]


def test_a_feed_and_a_broker_that_fail_are_told_once_and_once_when_they_work(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path
) -> None:
    """What came meanwhile goes out as soon as there is a broker again."""
    url = f"{server.url}/atom.xml"
    with serving(centre_folder, rules(tmp_path, server), own_broker.port, tmp_path / "log") as service:
        service.tells(f"CANNOT read {url}: the server answered 404")
        count = len(server.requests)
        eventually(lambda: len(server.requests) > count + 3, 30)
        own_broker.stop()
        server.serve(a=cap("a"))
        service.tells("CANNOT send yet, will try again: ")
        count = len(server.requests)
        eventually(lambda: len(server.requests) > count + 3, 30)
        own_broker.start()
        service.tells("SENT a ")
        told = service.told()

    assert [" ".join(line.split()[:2]) for line in told[:2]] == [f"Following {url}", "CANNOT read"]
    assert told[2] == f"{url} can be read again"
    assert told[3].startswith("CANNOT send yet, will try again: ")
    assert told[4] == f"127.0.0.1:{own_broker.port} can be reached again"
    assert told[5].startswith("SENT a ") and len(told) == 6


def test_one_that_is_killed_at_any_instant_sends_each_alert_once(
    centre_folder: Path, own_broker: Broker, server: FeedServer, tmp_path: Path
) -> None:
    """Whatever it was doing: in the end each alert stands under one event, in one version, as its author sent it."""
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1 << 30)
    draw = random.Random(seed)
    file = rules(tmp_path, server)
    names: list[str] = []
    for number in range(12):
        names.append(f"a{number}")
        server.serve(**{name: server.pages.get(f"/{name}.xml") or cap(name) for name in names})  # type: ignore[arg-type]
        service = Service(centre_folder, file, own_broker.port, tmp_path / "log")
        try:
            service.process.wait(draw.uniform(0.3, 1.6))
        except subprocess.TimeoutExpired:
            service.process.kill()
            service.process.wait()
    with serving(centre_folder, file, own_broker.port, tmp_path / "log") as service:
        eventually(lambda: len(standing(centre_folder, own_broker)) == len(names), 40)
        assert service.process.poll() is None

    stands = standing(centre_folder, own_broker)
    found = sorted((one.id, one.identifier, one.msg_type) for one in stands.values())
    assert found == sorted((name, name, "Alert") for name in names), seed
    for name in names:
        kept = list(open_centre(centre_folder).alert_folder("vn/lam-dong", name).glob("*.dsse.json"))
        assert len(kept) == 1, seed


@pytest.mark.parametrize("msg_type", ["Alert", "Update", "Cancel"])
def test_a_round_that_dies_between_any_two_steps_is_taken_up(
    centre_folder: Path,
    own_broker: Broker,
    server: FeedServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    msg_type: str,
) -> None:
    """Death before the n-th call of the disk or the broker, for every n: then one more round, and it stands once."""
    file = rules(tmp_path, server)
    version = 1 if msg_type == "Alert" else 2
    deaths = 0
    for number in range(1, 100):
        name, last = f"a{number}", f"a{number}-{version}"
        server.serve(**{name: cap(f"{name}-1")})
        if version == 2:
            once(centre_folder, file, own_broker, capsys)
            server.serve(**{last: cap(last, sent=-1, msg_type=msg_type, refs=((f"{name}-1", -5),))})
        command = ["cap-feed", str(centre_folder), str(file), "--broker", f"127.0.0.1:{own_broker.port}", "--once"]
        done = subprocess.run([sys.executable, "-c", DIES, str(number), *command], capture_output=True, timeout=60)
        once(centre_folder, file, own_broker, capsys)
        alert = standing(centre_folder, own_broker)["vn/lam-dong", f"{name}-1"]
        kept = list(open_centre(centre_folder).alert_folder("vn/lam-dong", f"{name}-1").glob("*.dsse.json"))
        assert (alert.identifier, alert.msg_type, len(kept)) == (last, msg_type, version), number
        if done.returncode == 0:
            break
        assert done.returncode == 99, done.stderr
        deaths += 1
    assert deaths >= 8
    assert len(kept_events(open_centre(centre_folder))) == deaths + 1


DIES = f"""\
import os, sys
left = [int(sys.argv.pop(1))]
{MORTAL}
from ttcs_edge.central import alert_issue, centre, feed_book, feed_round
from ttcs_edge import whole_files
from ttcs_edge.central.broker import OperatorClient
mortal(OperatorClient, "publish")
mortal(OperatorClient, "standing")
mortal(whole_files, "write_new")
mortal(whole_files, "replace")
mortal(feed_round, "replace")
mortal(centre, "replace")
mortal(feed_book.Book, "take_in")
mortal(feed_book.Book, "add")
mortal(feed_book.Book, "put")
mortal(feed_book.Book, "begin")
from ttcs_edge.central.main import main
sys.exit(main())
"""
"""One round that dies before its n-th step."""


def test_a_rule_file_that_is_wrong_ends_it_with_what_to_mend(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """65, before anything is asked of anybody."""
    file = tmp_path / "cap-feed.yaml"
    file.write_text("feed: http://kttv.example/\nrules: []\n")

    assert run(centre_folder, file, own_broker) == 65

    told = capsys.readouterr().err
    assert f"{file}:1: feed" in told and f"{file}:2: rules" in told
    assert told.endswith("The file of rules: 2 wrong\nMend those above, then run it again\n")
    assert not (centre_folder / "feeds.db").exists()


def test_the_feed_is_read_as_often_as_it_says_and_more_seldom_while_it_fails() -> None:
    """Never sooner than the file says; a feed that is away is asked again within ten minutes."""
    one = feed_round.Round.__new__(feed_round.Round)
    one.rules = feed_rules.FeedRules(
        feed="", every_s=60, begun_an_hour=10, places=frozenset(), ca=None, signers=(), rules=()
    )
    one.failures = 0
    assert all(60 <= one.feed_wait_s() <= 66 for _ in range(200))
    for failures, most_s in ((1, 120), (2, 240), (3, 480), (4, 600), (50, 600)):
        one.failures = failures
        waits = [one.feed_wait_s() for _ in range(200)]
        assert min(waits) >= 60 and max(waits) <= most_s and max(waits) - min(waits) > most_s / 4


def test_what_is_long_over_is_forgotten_and_what_waits_is_not(centre_folder: Path) -> None:
    """With its file, a month after it was over and no longer listed; two feeds have nothing of each other."""
    centre, day_ms = open_centre(centre_folder), 86_400_000
    entries = [Entry(name, "1", f"https://kttv.example/{name}") for name in ("a", "b")]
    with opened_book(centre, "https://kttv.example/") as book, opened_book(centre, "https://other/") as other:
        at_ms = now().wall_ms
        assert book.take_in(entries, Tags("x", "y"), at_ms) == 0
        for one in book.wanted(at_ms, 9):
            path = book.folder / f"{one.entry}.xml"
            path.write_text(cap(one.entry, refs=(("c", -5),)))
            assert book.add(one, read_cap_message(path, centre_folder / "cache", lambda uri: b"")) == "new"
        first, second = book.of_state("new")
        book.put(first, "passed")
        book.put(second, "asked")
        book.forget(at_ms + 29 * day_ms)
        assert len(book.of_state("passed")) == 1 and (book.folder / first.file).exists()

        book.forget(at_ms + 31 * day_ms)

        assert (book.of_state("passed"), [one.number for one in book.of_state("asked")]) == ([], [second.number])
        assert sorted(path.name for path in book.folder.glob("*.xml")) == [second.file]
        assert book.take_in(entries, Tags(), at_ms) == 0 and len(book.wanted(at_ms, 9)) == 2
        assert (other.wanted(at_ms, 9), other.of_state("asked"), other.tags()) == ([], [], Tags())
