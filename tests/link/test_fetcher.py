"""Audio from servers that are good, bad and hostile: one clear fault each, and what is good is fetched all the same."""

from __future__ import annotations

import hashlib
import os
import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.link.hostile import HostileServer
from tests.parts import Authority, eventually
from ttcs_edge.core.effects import SetWanted, WantedAudio
from ttcs_edge.core.events import AudioFailed, AudioStored, Event
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Sha256, WallMs
from ttcs_edge.link.fetcher import Fetcher
from ttcs_edge.settings import HttpsSettings, StoreSettings
from ttcs_edge.store.blobs import BlobError, Blobs

DATA = os.urandom(200_000)
SHA = Sha256(hashlib.sha256(DATA).hexdigest())


class Chunks:
    """Chunks over a broker that has only some of them."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = data
        self.asked: list[str] = []

    def ask_for(self, sha256: str) -> None:
        """Subscribe."""
        self.asked.append(sha256)

    def take(self, sha256: str, number: int, timeout_s: float) -> bytes | None:
        """One chunk."""
        begin = number * LIMITS.blob_chunk_bytes
        return self.data[begin : begin + LIMITS.blob_chunk_bytes] or None

    def leave(self, sha256: str) -> None:
        """Unsubscribe."""
        self.asked.append("left")


class Bench:
    """A fetcher, a store and a hostile server."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.server = HostileServer(authority, DATA)
        self.blobs = Blobs(folder / "blobs", StoreSettings(audio_bytes=1_000_000, free_bytes=0))
        self.heard: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.chunks = Chunks()
        settings = HttpsSettings(authority.ca_file, read_timeout_s=0.5, total_timeout_s=3.0)
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


@pytest.fixture
def bench(tmp_path: Path, authority: Authority) -> Iterator[Bench]:
    bench = Bench(tmp_path, authority)
    yield bench
    bench.fetcher.close(3)
    bench.server.close()


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
    assert bench.chunks.asked == [SHA, "left"]


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
