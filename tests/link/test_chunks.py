"""Audio over a real Mosquitto, in chunks, with programmes beside it."""

from __future__ import annotations

import hashlib
import os
import queue
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.link.bench import Bench
from tests.link.wire import Wire
from tests.parts import ROOT, SCOPE, Authority, Broker, Listener, eventually
from ttcs_edge.core.effects import SetWanted, WantedAudio
from ttcs_edge.core.events import AudioFailed, AudioStored, Event
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Sha256, WallMs
from ttcs_edge.link.audio import AudioLink
from ttcs_edge.link.chunks import CHUNKS_AHEAD, Chunks
from ttcs_edge.link.fetcher import CHUNK_SILENT_S, Fetcher
from ttcs_edge.settings import HttpsSettings, StoreSettings
from ttcs_edge.store.blobs import BlobError, Blobs, Partial
from ttcs_edge.wire.topics import Topics

TOPIC = f"{ROOT}/scope/{SCOPE}/programme"
CHUNK = LIMITS.blob_chunk_bytes
DATA = os.urandom(40 * CHUNK - 77)
SHA = Sha256(hashlib.sha256(DATA).hexdigest())
AWAY_BYTES = 32 * 1024
"""What of a few hundred kilobytes TLS and MQTT themselves may cost."""


def put(centre: Listener, data: bytes = DATA, but: frozenset[int] = frozenset()) -> str:
    """Publish a file in chunks, some of them missing; gives its hash."""
    sha256 = hashlib.sha256(data).hexdigest()
    for number in range(-(-len(data) // CHUNK)):
        if number not in but:
            centre.publish(Topics(ROOT).blob(sha256, number), data[number * CHUNK : (number + 1) * CHUNK])
    return sha256


def chunk(number: int) -> bytes:
    """What a chunk of the file holds."""
    return DATA[number * CHUNK : (number + 1) * CHUNK]


@pytest.fixture
def wire(broker: Broker) -> Iterator[Wire]:
    """A cable to the broker that counts, and can be cut."""
    wire = Wire(broker.port)
    yield wire
    wire.close()


@pytest.fixture
def bench(tmp_path: Path, authority: Authority, wire: Wire) -> Iterator[Bench]:
    """A connected link."""
    bench = Bench(tmp_path / "link", authority, wire.port, draw=lambda: 0.0).start()
    yield bench
    bench.close()


def acknowledge_all(bench: Bench, over: threading.Event) -> None:
    """Be the core: acknowledge what arrives, until it is over."""
    done = 0
    while not over.wait(0.005):
        for delivery in bench.deliveries()[done:]:
            bench.link.acknowledge(delivery)
            done += 1


class SlowCard(Blobs):
    """A store whose card takes its time for each chunk."""

    def begin(self, sha256: Sha256, size_bytes: int) -> Partial:
        """Begin a file."""

        class Slow(Partial):
            def write(self, data: bytes) -> None:
                time.sleep(0.05)
                super().write(data)

        return Slow(self._folder, sha256, size_bytes)


def test_programmes_arrive_at_once_while_a_file_of_forty_chunks_comes_onto_a_slow_card(
    tmp_path: Path, bench: Bench, centre: Listener
) -> None:
    """Each within half a second, all the while; and the file is whole."""
    put(centre)
    blobs = SlowCard(tmp_path / "blobs", StoreSettings(audio_bytes=10_000_000, free_bytes=0))
    heard: queue.SimpleQueue[Event] = queue.SimpleQueue()
    fetcher = Fetcher(blobs, BlobError, bench.audio, HttpsSettings(), heard.put)
    over = threading.Event()
    core = threading.Thread(target=acknowledge_all, args=(bench, over))
    core.start()
    waits: list[float] = []
    try:
        fetcher.set_wanted(SetWanted((WantedAudio(SHA, len(DATA), ("broker:",), WallMs(0)),), frozenset({SHA})))
        while heard.empty():
            text = str(len(waits))
            began_s = time.monotonic()
            centre.publish(TOPIC, text.encode(), retain=False)
            eventually(lambda text=text: text in bench.arrived())  # type: ignore[misc]
            waits.append(time.monotonic() - began_s)
    finally:
        over.set()
        core.join()
        fetcher.close(3)

    assert heard.get() == AudioStored(SHA)
    assert blobs.have() == {SHA}
    assert len(waits) > 20
    assert max(waits) < 0.5
    assert bench.arrived() == [str(number) for number in range(len(waits))]


def test_a_fetcher_that_takes_nothing_holds_up_neither_programmes_nor_reports_nor_the_connection(
    bench: Bench, wire: Wire, centre: Listener
) -> None:
    """A hung card: eight chunks wait, a hundred programmes pass by, reports go out, and the file is gone on with."""
    put(centre)
    bench.audio.ask_for(SHA, 40)
    assert bench.audio.take(SHA, 0, 5) == chunk(0)
    over = threading.Event()
    core = threading.Thread(target=acknowledge_all, args=(bench, over))
    core.start()
    try:
        for number in range(100):
            centre.publish(TOPIC, str(number).encode(), retain=False)
        ids = bench.report(30)
        eventually(lambda: len(bench.arrived()) == 100)
        eventually(lambda: [report["id"] for report in centre.reports("fault")] == ids)
    finally:
        over.set()
        core.join()

    assert wire.down_bytes < CHUNKS_AHEAD * CHUNK + 2 * AWAY_BYTES
    assert [bench.audio.take(SHA, number, 5) for number in range(1, 40)] == [chunk(n) for n in range(1, 40)]
    assert bench.changes() == [(True, "connected")]
    bench.audio.leave(SHA)


def test_a_file_that_is_gone_on_with_is_not_sent_from_its_beginning(bench: Bench, wire: Wire, centre: Listener) -> None:
    """Thirty of forty chunks are there: over 4G, each byte costs."""
    put(centre)
    before = wire.down_bytes
    bench.audio.ask_for(SHA, 40)
    assert [bench.audio.take(SHA, number, 5) for number in range(30, 40)] == [chunk(n) for n in range(30, 40)]
    bench.audio.leave(SHA)

    assert wire.down_bytes - before < 10 * CHUNK + AWAY_BYTES


def test_what_was_not_taken_when_a_file_is_left_holds_up_nothing(bench: Bench, centre: Listener) -> None:
    """Ten files left with seven chunks waiting: unacknowledged, they would fill the window of twenty for good."""
    put(centre)
    for _ in range(10):
        bench.audio.ask_for(SHA, 40)
        assert bench.audio.take(SHA, 0, 5) == chunk(0)
        bench.audio.leave(SHA)
    for number in range(5):
        centre.publish(TOPIC, str(number).encode(), retain=False)

    eventually(lambda: len(bench.arrived()) == 5)


def test_a_file_that_is_left_is_no_longer_sent(bench: Bench, wire: Wire, centre: Listener) -> None:
    """Its chunks may be published again and again."""
    put(centre)
    bench.audio.ask_for(SHA, 40)
    for number in range(12):
        bench.audio.take(SHA, number, 5)
    bench.audio.leave(SHA)
    bench.link.publish_heartbeat(lambda: b'{"kind": "heartbeat"}')
    eventually(lambda: centre.reports("heartbeat"))  # that it was left has reached the broker, too
    centre.publish(TOPIC, b"first", retain=False)
    eventually(lambda: bench.arrived() == ["first"])
    before = wire.down_bytes
    for _ in range(3):
        put(centre, DATA[: 4 * CHUNK])
        centre.publish(Topics(ROOT).blob(SHA, 0), chunk(0))
        centre.publish(Topics(ROOT).blob(SHA, 14), chunk(14))
    centre.publish(TOPIC, b"last", retain=False)
    eventually(lambda: bench.arrived() == ["first", "last"])

    assert wire.down_bytes - before < AWAY_BYTES


def test_a_chunk_that_is_missing_is_given_up_after_its_time_and_the_rest_of_the_window_is_free(
    tmp_path: Path, bench: Bench, centre: Listener
) -> None:
    """One fault; what came before it is kept, and gone on with when it is there."""
    put(centre, but=frozenset({5}))
    blobs = Blobs(tmp_path / "blobs", StoreSettings(audio_bytes=10_000_000, free_bytes=0))
    heard: queue.SimpleQueue[Event] = queue.SimpleQueue()
    fetcher = Fetcher(blobs, BlobError, bench.audio, HttpsSettings(), heard.put)
    try:
        began_s = time.monotonic()
        fetcher.set_wanted(SetWanted((WantedAudio(SHA, len(DATA), ("broker:",), WallMs(0)),), frozenset({SHA})))
        told = AudioFailed(SHA, "timeout", (("url", "broker:"), ("seconds", "10.0")))
        assert heard.get(timeout=15) == told
        assert CHUNK_SILENT_S < time.monotonic() - began_s < CHUNK_SILENT_S + 2
        assert (tmp_path / f"blobs/{SHA}.part").stat().st_size == 5 * CHUNK
        centre.publish(Topics(ROOT).blob(SHA, 5), chunk(5))
        fetcher.retry_now()
        assert heard.get(timeout=10) == AudioStored(SHA)
    finally:
        fetcher.close(3)


def test_a_link_that_breaks_in_the_middle_of_a_file_is_gone_on_with_where_it_was(
    bench: Bench, wire: Wire, centre: Listener
) -> None:
    """Cut every ten chunks: who waits is told, and asks again; nothing is missing and nothing comes twice."""
    put(centre)
    before = wire.down_bytes
    bench.audio.ask_for(SHA, 40)
    taken = []
    for number in range(40):
        if number % 10 == 5:
            wire.cut()
            eventually(bench.audio.trouble)
            bench.audio.leave(SHA)
            eventually(bench.link.up)
            bench.audio.ask_for(SHA, 40)
        taken.append(bench.audio.take(SHA, number, 15))
    bench.audio.leave(SHA)

    assert taken == [chunk(number) for number in range(40)]
    assert wire.down_bytes - before < (40 + 4 * CHUNKS_AHEAD) * CHUNK + 6 * AWAY_BYTES


def test_a_chunk_beyond_its_bound_is_seen_to_be_and_takes_no_more_memory(
    bench: Bench, wire: Wire, centre: Listener
) -> None:
    """A little more than there may be is seen to be; of ten megabytes the broker sends nothing."""
    centre.publish(Topics(ROOT).blob(SHA, 0), b"x" * (CHUNK + 1_000))
    centre.publish(Topics(ROOT).blob(SHA, 1), b"x" * 10_000_000)
    bench.audio.ask_for(SHA, 40)
    assert bench.audio.take(SHA, 0, 10) == b"x" * (CHUNK + 1)
    before = wire.down_bytes
    assert bench.audio.take(SHA, 1, 1) is None
    bench.audio.leave(SHA)

    assert wire.down_bytes - before < AWAY_BYTES


def test_chunks_that_nobody_wants_pass_by(bench: Bench, centre: Listener) -> None:
    """Another file, another number, another name: none of them is taken for what is wanted."""
    other = put(centre, os.urandom(2 * CHUNK))
    bench.audio.ask_for(SHA, 40)
    client = eventually(bench.audio._live)
    bench.audio.leave(SHA)
    client.subscribe(Topics(ROOT).blob(other, "+"), qos=1)
    client.subscribe(Topics(ROOT).blob(SHA, "+"), qos=1)
    for number in ("x", "-1", "00000000"):
        centre.publish(Topics(ROOT).blob(SHA, number), b"y")
    put(centre)
    bench.audio.ask_for(SHA, 40)
    assert bench.audio.take(SHA, 1, 5) == chunk(1)
    assert bench.audio.take(SHA, 0, 5) == chunk(0), "it may be asked for again"
    bench.audio.leave(SHA)
    bench.audio.ask_for(other, 3)
    assert bench.audio.take(other, 2, 0.5) is None
    bench.audio.leave(other)


def test_waiting_for_a_chunk_is_over_when_its_time_is(bench: Bench) -> None:
    """Also when nothing comes at all."""
    bench.audio.ask_for(SHA, 40)
    began_s = time.monotonic()
    assert bench.audio.take(SHA, 0, 0.3) is None
    assert 0.3 <= time.monotonic() - began_s < 0.8
    bench.audio.leave(SHA)


def test_no_more_than_the_few_that_are_asked_for_are_ever_kept() -> None:
    """Whatever a broker sends beyond them."""
    chunks = Chunks(Topics(ROOT).blob, lambda: None)
    chunks.ask_for(SHA, 40)
    assert chunks.take(SHA, 10, 0.0) is None
    assert chunks.put("e" * 64, 10, b"x") is False
    kept = [number for number in range(40) if chunks.put(SHA, number, b"x")]

    assert kept == list(range(10, 10 + CHUNKS_AHEAD))
    assert [chunks.put(SHA, 10, b"y"), chunks.take(SHA, 10, 0.0)] == [True, b"y"], "the newest of two stands"
    chunks.leave(SHA)
    assert chunks.put(SHA, 11, b"x") is False
    assert chunks.topics() == []


def test_what_is_under_way_of_a_file_that_is_left_stands_before_no_other(
    bench: Bench, wire: Wire, centre: Listener
) -> None:
    """The connection that it would come on is ended; one that brought all that was asked for goes on."""
    other = os.urandom(CHUNK)
    put(centre), put(centre, other)
    bench.audio.ask_for(SHA, 41)
    assert bench.audio.take(SHA, 39, 5) == chunk(39)
    connections = wire.connections
    bench.audio.leave(SHA)  # the one behind it was asked for, and nobody has it
    bench.audio.ask_for(hashlib.sha256(other).hexdigest(), 1)
    assert bench.audio.take(hashlib.sha256(other).hexdigest(), 0, 5) == other
    assert wire.connections == connections + 1
    bench.audio.leave(hashlib.sha256(other).hexdigest())


def test_files_that_were_had_to_their_ends_come_over_one_connection(bench: Bench, wire: Wire, centre: Listener) -> None:
    """A handshake for each would cost more than a short bulletin; behind a file's end nothing is asked for."""
    recordings = [os.urandom(size_bytes) for size_bytes in (CHUNK, 2 * CHUNK, 3 * CHUNK, CHUNK // 2)]
    connections = wire.connections
    for data in recordings:
        name, count = put(centre, data), -(-len(data) // CHUNK)
        bench.audio.ask_for(name, count)
        assert b"".join(bench.audio.take(name, number, 5) or b"" for number in range(count)) == data
        bench.audio.leave(name)

    assert wire.connections == connections + 1


def test_the_connection_for_audio_is_there_only_while_audio_is_wanted(
    monkeypatch: pytest.MonkeyPatch, bench: Bench, wire: Wire, centre: Listener
) -> None:
    """A station that fetches nothing is one connection to its broker."""
    monkeypatch.setattr("ttcs_edge.link.audio.IDLE_S", 0.2)
    put(centre)
    assert wire.connections == 1
    for _ in range(2):
        bench.audio.ask_for(SHA, 40)
        assert bench.audio.take(SHA, 38, 5) == chunk(38)
        assert bench.audio.take(SHA, 39, 5) == chunk(39)
        bench.audio.leave(SHA)
        eventually(lambda: bench.audio._live() is None)

    assert wire.connections == 3 and bench.link.up()


def test_who_waits_for_a_chunk_is_told_what_keeps_it_away(tmp_path: Path, authority: Authority, wire: Wire) -> None:
    """Each file tries once; nobody is told of what nobody waits for."""
    wire.cut(stay=True)
    bench = Bench(tmp_path / "link", authority, wire.port)
    assert bench.audio.trouble() == "not connected"
    tried = AudioLink(bench.settings, "da-teh-01", lambda: True)
    assert tried.trouble() is None
    for attempts in (1, 2):
        tried.ask_for(SHA, 40)
        assert re.match("unreachable: ", eventually(tried.trouble))
        assert wire.connections == attempts
        tried.leave(SHA)
    tried.close(2)
    bench.close()
