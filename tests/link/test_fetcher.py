"""Audio from servers that are good, bad and hostile: one clear fault each, and what is good is fetched all the same."""

from __future__ import annotations

import hashlib
import os
import queue
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.link.hostile import HostileServer
from tests.parts import Authority, eventually
from ttcs_edge.core.effects import SetWanted, WantedAudio
from ttcs_edge.core.events import AudioCarried, AudioFailed, AudioStored, Event
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import LocalUser, Sha256, WallMs
from ttcs_edge.link.fetcher import RETRY_S, Fetcher, Offer
from ttcs_edge.settings import HttpsSettings, StoreSettings
from ttcs_edge.store.blobs import BlobError, Blobs, Partial

DATA = os.urandom(200_000)
SHA = Sha256(hashlib.sha256(DATA).hexdigest())
TUAN = LocalUser(1000, "tuan")


class Chunks:
    """Chunks over a broker that has only some of them."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = data
        self.connected = True
        self.asked: list[str | int] = []

    def trouble(self) -> str | None:
        """Tell what is wrong with the broker."""
        return None if self.connected else "not connected"

    def silent_s(self) -> float:
        """Nothing comes beside chunks."""
        return float("inf")

    def ask_for(self, sha256: str, count: int) -> None:
        """Subscribe."""
        self.asked.append(sha256)

    def take(self, sha256: str, number: int, timeout_s: float) -> bytes | None:
        """One chunk."""
        self.asked.append(number)
        begin = number * LIMITS.blob_chunk_bytes
        data = self.data[begin : begin + LIMITS.blob_chunk_bytes]
        if not data:
            time.sleep(timeout_s)
        return data or None

    def leave(self, sha256: str) -> None:
        """Unsubscribe."""
        self.asked.append("left")


class Bench:
    """A fetcher, a store and a hostile server. ``patient`` gives servers all the time in the world."""

    def __init__(self, folder: Path, authority: Authority, patient: bool = False) -> None:
        self.server = HostileServer(authority, DATA)
        self.blobs = Blobs(folder / "blobs", StoreSettings(audio_bytes=1_000_000, free_bytes=0))
        self.heard: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.chunks = Chunks()
        settings = (
            HttpsSettings(authority.ca_file, 60.0, 60.0) if patient else HttpsSettings(authority.ca_file, 0.5, 3.0)
        )
        self.fetcher = Fetcher(self.blobs, BlobError, self.chunks, settings, self.heard.put)

    def want(self, *paths: str, sha256: Sha256 = SHA, size_bytes: int = len(DATA)) -> WantedAudio:
        """The file, from these places."""
        places = tuple(path if path == "broker:" else self.server.url + path for path in paths)
        return WantedAudio(sha256, size_bytes, places, WallMs(0))

    def set(self, *wanted: WantedAudio) -> None:
        """Give the fetcher its list."""
        self.fetcher.set_wanted(SetWanted(wanted, frozenset(audio.sha256 for audio in wanted)))

    def next(self) -> Event:
        """What the fetcher says next."""
        return self.heard.get(timeout=8)

    def failure(self, *paths: str) -> AudioFailed:
        """Want the file from these places, and give the fault."""
        self.set(self.want(*paths))
        event = self.next()
        assert isinstance(event, AudioFailed), event
        return event

    def close(self) -> None:
        """End everything."""
        self.fetcher.close(3)
        self.server.close()


@pytest.fixture
def bench(tmp_path: Path, authority: Authority) -> Iterator[Bench]:
    bench = Bench(tmp_path, authority)
    yield bench
    bench.close()


@pytest.fixture
def patient(tmp_path: Path, authority: Authority) -> Iterator[Bench]:
    bench = Bench(tmp_path, authority, patient=True)
    yield bench
    bench.close()


def test_a_good_file_is_whole_in_the_store(bench: Bench) -> None:
    """The ground on which the rest stands."""
    bench.set(bench.want("/good"))
    assert bench.next() == AudioStored(SHA)
    assert bench.blobs.have() == {SHA}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/404", "http-status"),
        ("/500", "http-status"),
        ("/hang", "timeout"),
        ("/hang-in-body", "timeout"),
        ("/endless", "too-large"),
        ("/redirect", "redirect"),
        ("/login", "short"),
        ("/wrong", "wrong-hash"),
        ("/short", "short"),
    ],
)
def test_each_misbehaviour_is_one_fault_and_a_good_file_behind_it_is_fetched(
    bench: Bench, path: str, code: str
) -> None:
    """The bad one is told once; the one behind it in the list is not held up."""
    other = DATA[::-1]
    bench.server.data = DATA
    failure = bench.failure(path)
    assert (failure.sha256, failure.code) == (SHA, code)
    assert bench.blobs.have() == frozenset()
    bench.server.data = other
    good = bench.want("/good", sha256=Sha256(hashlib.sha256(other).hexdigest()))
    bench.set(bench.want(path), good)
    events = [bench.next()]
    assert AudioStored(good.sha256) in events


def test_a_download_that_breaks_is_resumed_where_it_broke(bench: Bench) -> None:
    """Range, and the right hash at the end; nothing is fetched twice."""
    assert bench.failure("/breaks").code in ("broken", "short")
    assert bench.next() == AudioStored(SHA)
    assert bench.server.requests == [("/breaks", None), ("/breaks", f"bytes={len(DATA) // 2}-")]


def test_a_server_that_ignores_range_is_read_from_the_start(bench: Bench) -> None:
    """200 instead of 206: begin anew, not append."""
    part = bench.blobs.begin(SHA, len(DATA))
    part.write(DATA[:1_000])
    part.close()
    bench.set(bench.want("/ignores-range"))
    assert bench.next() == AudioStored(SHA)
    assert bench.server.requests == [("/ignores-range", "bytes=1000-")]


def test_a_server_of_another_authority_is_not_believed(bench: Bench, tmp_path: Path) -> None:
    """TLS verification is on."""
    stranger = HostileServer(Authority(tmp_path / "stranger"), DATA)
    try:
        bench.set(WantedAudio(SHA, len(DATA), (stranger.url + "/good",), WallMs(0)))
        event = bench.next()
        assert isinstance(event, AudioFailed) and event.code == "tls"
    finally:
        stranger.close()


def test_what_https_does_not_give_comes_over_the_broker(bench: Bench) -> None:
    """Places are tried in their order; chunks make the same file."""
    bench.chunks.data = DATA
    bench.set(bench.want("/404", "broker:"))
    assert bench.next() == AudioStored(SHA)
    assert bench.chunks.asked == [SHA, 0, 1, "left"]


def test_what_https_leaves_in_the_middle_of_a_chunk_is_gone_on_with_over_the_broker(bench: Bench) -> None:
    """Not a byte that is there is thrown away."""
    part = bench.blobs.begin(SHA, len(DATA))
    part.write(DATA[:150_000])
    part.close()
    bench.chunks.data = DATA
    bench.set(bench.want("/404", "broker:"))
    assert bench.next() == AudioStored(SHA)
    assert bench.chunks.asked == [SHA, 1, "left"]


def test_a_chunk_of_a_wrong_size_is_told_and_the_right_ones_before_it_are_kept(bench: Bench, tmp_path: Path) -> None:
    """The last of them is cut short."""
    bench.chunks.data = DATA[:-1]
    assert bench.failure("broker:") == AudioFailed(SHA, "short", (("found", "199999"), ("expected", "200000")))
    assert (tmp_path / f"blobs/{SHA}.part").read_bytes() == DATA[: LIMITS.blob_chunk_bytes]
    assert bench.chunks.asked == [SHA, 0, 1, "left"]


def test_without_a_connection_to_the_broker_nobody_waits_for_its_chunks(bench: Bench) -> None:
    """The file behind it in the list comes over HTTPS at once, and that one when the link is back."""
    other = DATA[::-1]
    bench.server.data = other
    good = bench.want("/good", sha256=Sha256(hashlib.sha256(other).hexdigest()))
    bench.chunks.connected = False
    began_s = time.monotonic()
    bench.set(bench.want("broker:"), good)
    assert bench.next() == AudioFailed(SHA, "broken", (("url", "broker:"), ("error", "not connected")))
    assert bench.next() == AudioStored(good.sha256)
    assert time.monotonic() - began_s < 1.5
    bench.chunks.data, bench.chunks.connected = DATA, True
    bench.fetcher.retry_now()
    assert bench.next() == AudioStored(SHA)


def test_what_waits_for_its_next_try_is_tried_at_once_when_the_link_is_back(bench: Bench) -> None:
    """The wait behind a second failure is four seconds at the least."""
    bench.failure("/500")
    eventually(lambda: len(bench.server.requests) == 2)

    def tried_again() -> bool:
        bench.fetcher.retry_now()
        return len(bench.server.requests) >= 3

    eventually(tried_again, 1.5)
    assert bench.heard.empty(), "one reason is told once"


def test_a_new_list_with_the_same_file_at_its_head_does_not_begin_it_again(patient: Bench, tmp_path: Path) -> None:
    """Every accepted programme brings a new list; what is on its way goes on."""
    slow = Sha256("b" * 64)
    part = tmp_path / f"blobs/{slow}.part"
    patient.set(patient.want("/trickle", sha256=slow, size_bytes=700_000))
    for _ in range(5):
        size = eventually(lambda: part.exists() and part.stat().st_size)
        patient.set(patient.want("/trickle", sha256=slow, size_bytes=700_000), patient.want("/good"))
        eventually(lambda size=size: part.stat().st_size > size + 2_000)  # type: ignore[misc]
    assert patient.server.requests == [("/trickle", None)]


@pytest.mark.parametrize("path", ["/hang", "/drips-headers", "/hang-in-body", "/drips-body", "broker:"])
def test_a_more_urgent_file_does_not_wait_for_a_place_that_hangs(patient: Bench, path: str) -> None:
    """A place has a minute to answer here, and is left within the second."""
    hanging = Sha256("b" * 64)
    patient.set(patient.want(path, sha256=hanging))
    eventually(lambda: patient.server.requests or patient.chunks.asked)
    began_s = time.monotonic()
    patient.set(patient.want("/good"), patient.want(path, sha256=hanging))

    assert patient.next() == AudioStored(SHA)
    assert time.monotonic() - began_s < 1.5


@pytest.mark.parametrize("path", ["/hang", "/drips-headers", "/drips-body", "broker:"])
def test_leaving_does_not_wait_for_a_place_that_hangs(patient: Bench, path: str) -> None:
    """SIGTERM: a second is all there is."""
    patient.set(patient.want(path))
    eventually(lambda: patient.server.requests or patient.chunks.asked)
    began_s = time.monotonic()
    patient.fetcher.close(3)

    assert time.monotonic() - began_s < 1


def test_a_more_urgent_file_interrupts_a_slow_one(bench: Bench, tmp_path: Path) -> None:
    """What is due first is fetched first, also when it comes later."""
    slow = Sha256("b" * 64)
    waiting = WantedAudio(slow, 700_000, (bench.server.url + "/trickle",), WallMs(0))
    bench.set(waiting)
    part = tmp_path / f"blobs/{slow}.part"
    eventually(lambda: part.exists() and part.stat().st_size)
    bench.set(bench.want("/good"), waiting)

    assert bench.next() == AudioStored(SHA)
    assert bench.blobs.have() == {SHA}
    eventually(lambda: len(bench.server.requests) == 3)
    assert bench.server.requests[2][1] is not None, "the slow one goes on where it was"


def test_a_store_without_room_is_a_fault_and_nothing_due_is_evicted(bench: Bench) -> None:
    """never: what is due."""
    bench.set(bench.want("/good"))
    assert bench.next() == AudioStored(SHA)
    big = Sha256("c" * 64)
    wanted = WantedAudio(big, 2_000_000, (bench.server.url + "/endless",), WallMs(0))
    bench.fetcher.set_wanted(SetWanted((wanted,), frozenset({SHA, big})))
    event = bench.next()
    assert isinstance(event, AudioFailed) and event.code == "store-full"
    assert bench.blobs.have() == {SHA}


def test_a_store_whose_folder_is_gone_is_told_as_a_failing_card(bench: Bench, tmp_path: Path) -> None:
    """Not as a server's certificate; and when it is back, the file is fetched."""
    (tmp_path / "blobs").rmdir()
    failure = bench.failure("/good")
    assert failure.code == "store-failing"
    assert "No such file or directory" in dict(failure.detail)["error"]
    (tmp_path / "blobs").mkdir()
    bench.fetcher.retry_now()
    assert bench.next() == AudioStored(SHA)


def test_a_file_of_authorities_that_cannot_be_read_is_told_as_such(bench: Bench, authority: Authority) -> None:
    """A mistyped https.ca."""
    authority.ca_file.unlink()
    url = bench.server.url + "/good"
    error = "[Errno 2] No such file or directory"
    assert bench.failure("/good") == AudioFailed(SHA, "tls", (("url", url), ("error", error)))


class Mistaken(Blobs):
    """A store with a mistake in it, for one file."""

    def begin(self, sha256: Sha256, size_bytes: int) -> Partial:
        """Begin a file."""
        if sha256 != SHA:
            raise RuntimeError("a mistake of ours")
        return super().begin(sha256, size_bytes)


def test_a_mistake_of_ours_with_one_file_does_not_end_the_fetching_of_the_others(
    tmp_path: Path, authority: Authority
) -> None:
    """The thread goes on; the file is told and tried again later."""
    bench = Bench(tmp_path, authority)
    blobs = Mistaken(tmp_path / "blobs", StoreSettings(audio_bytes=1_000_000, free_bytes=0))
    heard: queue.SimpleQueue[Event] = queue.SimpleQueue()
    fetcher = Fetcher(blobs, BlobError, bench.chunks, HttpsSettings(authority.ca_file), heard.put)
    other = Sha256("d" * 64)
    url = bench.server.url + "/good"
    try:
        wanted = (bench.want("/good", sha256=other), bench.want("/good"))
        fetcher.set_wanted(SetWanted(wanted, frozenset({SHA, other})))
        told = AudioFailed(other, "broken", (("url", url), ("error", "RuntimeError('a mistake of ours')")))
        assert [heard.get(timeout=5), heard.get(timeout=5)] == [told, AudioStored(SHA)]
    finally:
        fetcher.close(3)
        bench.close()


def test_a_file_that_is_whole_already_is_told_at_once_and_asked_of_nobody(bench: Bench) -> None:
    """It was kept from an earlier programme."""
    part = bench.blobs.begin(SHA, len(DATA))
    part.write(DATA)
    part.finish()
    bench.set(bench.want("/404"))

    assert bench.next() == AudioStored(SHA)
    assert bench.server.requests == []


def test_a_file_that_can_be_had_elsewhere_now_is_tried_at_once(bench: Bench) -> None:
    """A newer programme names a better place: the wait for the old one is over."""
    bench.failure("/404")
    bench.set(bench.want("/good"))

    assert bench.heard.get(timeout=RETRY_S[0] * 0.8) == AudioStored(SHA), "within the wait that was on"


class TestBroughtByHand:
    """A file that somebody holds open goes before every place, through the same checks."""

    @pytest.fixture
    def carried(self, tmp_path: Path) -> Iterator[int]:
        """The file, on a stick."""
        path = tmp_path / "carried"
        path.write_bytes(DATA)
        descriptor = os.open(path, os.O_RDONLY)
        yield descriptor
        os.close(descriptor)

    def offer(self, bench: Bench, file: int) -> Offer:
        """Offer it, and wait for the end."""
        offer = bench.fetcher.offer(SHA, file, TUAN)
        assert offer is not None and offer.ended.wait(8)
        return offer

    def test_it_is_stored_without_any_network(self, bench: Bench, carried: int) -> None:
        """Nobody listens at its place."""
        bench.set(bench.want("broker:"))
        bench.chunks.connected = False

        offer = self.offer(bench, carried)

        assert (offer.outcome, offer.offset, offer.failure) == ("stored", len(DATA), None)
        assert (bench.blobs.have(), bench.fetcher.wanted()) == (frozenset({SHA}), ())
        while (event := bench.next()) != AudioStored(SHA):
            assert isinstance(event, AudioFailed) and event.code == "broken"
        assert bench.next() == AudioCarried(SHA, TUAN), "who brought it is told"

    def test_it_does_not_wait_for_a_place_that_hangs(self, patient: Bench, carried: int) -> None:
        """The very file is being fetched, for ever; then it is taken from the hand."""
        patient.set(patient.want("/hang"))
        eventually(lambda: patient.server.requests)

        assert self.offer(patient, carried).outcome == "stored"

    def test_what_nobody_wants_is_not_copied(self, bench: Bench, carried: int, tmp_path: Path) -> None:
        """Neither what no programme names nor what is there already."""
        assert self.offer(bench, carried).outcome == "not-wanted"
        assert bench.heard.empty(), "nothing was done"
        assert list((tmp_path / "blobs").iterdir()) == []

    def test_a_stick_that_can_no_longer_be_read_is_no_fault_of_the_station(self, bench: Bench, tmp_path: Path) -> None:
        """EIO, as of a stick that was pulled out: told to who holds it, and the part of before stays."""
        bench.chunks.connected = False
        bench.set(bench.want("broker:"))
        assert bench.next() == AudioFailed(SHA, "broken", (("url", "broker:"), ("error", "not connected")))
        part = tmp_path / f"blobs/{SHA}.part"
        part.write_bytes(DATA[:1_000])
        memory = os.open("/proc/self/mem", os.O_RDONLY)  # a regular file whose first pages cannot be read

        offer = self.offer(bench, memory)

        assert (offer.outcome, part.read_bytes(), bench.blobs.have()) == ("unreadable", DATA[:1_000], frozenset())
        os.close(memory)

    def test_a_part_that_came_from_elsewhere_does_not_spoil_a_good_file(
        self, bench: Bench, carried: int, tmp_path: Path
    ) -> None:
        """What was there was bad, what is brought is good: it is read again from its start."""
        (tmp_path / f"blobs/{SHA}.part").write_bytes(b"x" * 150_000)
        bench.chunks.connected = False
        bench.set(bench.want("broker:"))

        assert self.offer(bench, carried).outcome == "stored"

    def test_a_bad_file_is_a_fault_and_the_places_are_tried_behind_it(self, bench: Bench, tmp_path: Path) -> None:
        """It has no hold on what the network brings later."""
        bad = tmp_path / "bad"
        bad.write_bytes(b"x" + DATA[1:])
        descriptor = os.open(bad, os.O_RDONLY)
        bench.set(bench.want("/hang"))

        offer = self.offer(bench, descriptor)

        os.close(descriptor)
        assert (offer.outcome, offer.failure and offer.failure.code) == ("refused", "wrong-hash")
        heard = [bench.next()]
        while "wrong-hash" not in [getattr(event, "code", None) for event in heard]:
            heard.append(bench.next())
        assert AudioCarried(SHA, TUAN, "wrong-hash") in heard
        bench.set(bench.want("/good"))
        while bench.next() != AudioStored(SHA):
            pass

    def test_a_store_without_room_is_a_fault_here_too(self, bench: Bench, carried: int) -> None:
        """What is due is not thrown away for what is brought."""
        bench.set(bench.want("broker:", size_bytes=2_000_000))

        offer = self.offer(bench, carried)

        assert (offer.outcome, offer.failure and offer.failure.code) == ("refused", "store-full")

    def test_no_file_stays_open(self, bench: Bench, carried: int) -> None:
        """A stick can be pulled out when all is said."""
        bench.set(bench.want("/good"))
        while bench.next() != AudioStored(SHA):
            pass
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            self.offer(bench, carried)

        assert len(os.listdir("/proc/self/fd")) == before


def test_a_download_gives_way_before_each_of_its_steps(tmp_path: Path, authority: Authority) -> None:
    """Before it begins, at each glance, and before what is put on the card for good: an alert may be on its way."""
    steps: list[str] = []

    class Store(Blobs):
        def begin(self, sha256: Sha256, size_bytes: int) -> Partial:
            steps.append("begin")
            part = super().begin(sha256, size_bytes)
            finish = part.finish
            part.finish = lambda: (steps.append("finish"), finish())[1]  # type: ignore[method-assign,func-returns-value]
            return part

    bench = Bench(tmp_path, authority)
    blobs = Store(tmp_path / "own", StoreSettings(audio_bytes=1_000_000, free_bytes=0))
    https = HttpsSettings(authority.ca_file)
    fetcher = Fetcher(blobs, BlobError, bench.chunks, https, bench.heard.put, lambda: steps.append("way"))
    wanted = bench.want("/good")
    fetcher.set_wanted(SetWanted((wanted,), frozenset({wanted.sha256})))
    assert bench.next() == AudioStored(SHA)
    fetcher.close(3)
    bench.close()

    assert steps[:3] == ["way", "begin", "way"]
    assert steps[-2:] == ["way", "finish"]
