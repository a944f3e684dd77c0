"""One file over HTTPS from servers that lie, break, drip and hang: what is told, and what is left of the part."""

from __future__ import annotations

import gc
import hashlib
import os
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.link.hostile import HostileServer
from tests.link.odd_authority import OddAuthority
from tests.link.wire import Peer
from tests.parts import Authority, free_port
from ttcs_edge.core.model import Sha256
from ttcs_edge.link.glances import GLANCE_S, FetchError, make_context
from ttcs_edge.link.https import PACE, Pace, fetch
from ttcs_edge.settings import HttpsSettings, StoreSettings
from ttcs_edge.store.blobs import BlobError, Blobs, Partial

DATA = os.urandom(200_000)
SIZE = str(len(DATA))
SHA = Sha256(hashlib.sha256(DATA).hexdigest())
HALF = 100_000
READ_TIMEOUT_S = 0.6
Limits = Callable[[], bool]


class Bench:
    """A hostile server, and a real part to fetch into."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.server = HostileServer(authority, DATA)
        self.blobs = Blobs(folder / "blobs", StoreSettings(audio_bytes=1_000_000, free_bytes=0))
        self.settings = HttpsSettings(authority.ca_file, read_timeout_s=READ_TIMEOUT_S, total_timeout_s=20.0)
        self.part: Partial = self.blobs.begin(SHA, len(DATA))

    def url(self, path: str) -> str:
        """The address of a path."""
        return self.server.url + path

    def fetch(self, url: str, stop: Limits = lambda: False, pace: Pace = PACE) -> bool:
        """Fetch into the part."""
        return fetch(url, self.part, self.settings, make_context(self.settings.ca_file), stop, pace)

    def failure(self, url: str, pace: Pace = PACE) -> tuple[str, dict[str, str]]:
        """Fetch what fails; gives the fault's code and fields."""
        with pytest.raises(FetchError) as caught:
            self.fetch(url, pace=pace)
        return caught.value.code, dict(caught.value.detail)

    def begin(self, count: int) -> None:
        """Have the first bytes of the file already."""
        self.part.write(DATA[:count])

    def stored(self) -> bool:
        """Finish the part, which checks its hash."""
        self.part.finish()
        return self.blobs.have() == {SHA}


@pytest.fixture
def bench(tmp_path: Path, authority: Authority) -> Iterator[Bench]:
    bench = Bench(tmp_path, authority)
    yield bench
    bench.part.close()
    bench.server.close()


@pytest.mark.parametrize("path", ["/good", "/chunked", "/until-close", "/keeps-alive", "/chunked-breaks"])
@pytest.mark.parametrize("begun", [0, 1, HALF, len(DATA)])
def test_a_good_file_is_had_whole_from_wherever_it_was_left(bench: Bench, path: str, begun: int) -> None:
    """With and without a length, chunked, kept open, and by servers that do not know Range."""
    bench.begin(begun)
    if path == "/chunked-breaks" and not begun:
        assert bench.failure(bench.url(path))[0] == "broken"
        assert 0 < bench.part.offset < len(DATA)
    began_s = time.monotonic()
    assert bench.fetch(bench.url(path)) is True

    assert time.monotonic() - began_s < READ_TIMEOUT_S, "what is whole is not waited for"
    assert bench.stored()
    assert begun != len(DATA) or bench.server.requests == [], "what is whole is not asked for"


@pytest.mark.parametrize("path", ["/range-from-0", "/range-of-any", "/ignores-range"])
def test_an_answer_that_begins_before_what_was_asked_for_is_used_from_there(bench: Bench, path: str) -> None:
    """What the part already has is passed over, not written twice."""
    bench.begin(HALF)
    assert bench.fetch(bench.url(path)) is True

    assert bench.server.requests == [(path, f"bytes={HALF}-")]
    assert bench.stored()


@pytest.mark.parametrize(
    ("path", "code", "detail"),
    [
        ("/login", "short", {"found": "26", "expected": SIZE}),
        ("/short", "short", {"found": "199999", "expected": SIZE}),
        ("/promises-more", "too-large", {"found": "200001", "expected": SIZE}),
        ("/promises-the-world", "too-large", {"found": str(10**30), "expected": SIZE}),
        ("/range-of-larger", "too-large", {"found": "200001", "expected": SIZE}),
        ("/range-of-smaller", "short", {"found": "199999", "expected": SIZE}),
        ("/redirect", "redirect", {"found": "https://login.example/"}),
        ("/204", "http-status", {"found": "204"}),
        ("/404", "http-status", {"found": "404"}),
        ("/500", "http-status", {"found": "500"}),
        ("/gzip", "broken", {"error": "Content-Encoding gzip"}),
        ("/empty", "broken", {"error": "Remote end closed connection without response"}),
        ("/not-http", "broken", {"error": "SSH-2.0-OpenSSH_9.2\r\n"}),
        ("/long-header", "broken", {"error": "got more than 65536 bytes when reading header line"}),
        ("/many-headers", "broken", {"error": "got more than 100 headers"}),
        ("/hang", "timeout", {"seconds": "0.6"}),
        ("/drips-status", "timeout", {"seconds": "0.6"}),
        ("/drips-headers", "timeout", {"seconds": "0.6"}),
        ("/drips-continue", "timeout", {"seconds": "0.6"}),
        ("/drips-chunk-size", "timeout", {"seconds": "0.6"}),
    ],
)
def test_an_answer_that_cannot_be_the_file_costs_nothing_of_the_part(
    bench: Bench, path: str, code: str, detail: dict[str, str]
) -> None:
    """One clear fault, soon; and the next good server is only asked for the rest."""
    bench.begin(HALF)
    began_s = time.monotonic()
    found_code, found = bench.failure(bench.url(path))

    assert time.monotonic() - began_s < READ_TIMEOUT_S + 2 * GLANCE_S + 0.5
    assert (found_code, found) == (code, {"url": bench.url(path)} | detail)
    assert bench.part.offset == HALF
    assert bench.fetch(bench.url("/good"))
    assert bench.server.requests == [(path, f"bytes={HALF}-"), ("/good", f"bytes={HALF}-")]
    assert bench.stored()


def test_a_login_page_without_a_length_costs_nothing_of_the_part(bench: Bench) -> None:
    """It ends before it comes to what is wanted."""
    bench.begin(HALF)
    assert bench.failure(bench.url("/login-chunked")) == ("short", {"found": str(HALF), "expected": SIZE})

    assert bench.fetch(bench.url("/good"))
    assert bench.stored()


def test_a_login_page_without_a_length_is_not_gone_on_with(bench: Bench) -> None:
    """An answer that says itself that it was whole is not the beginning of the file."""
    assert bench.failure(bench.url("/login-chunked")) == ("short", {"found": "26", "expected": SIZE})
    assert bench.part.offset == 0

    assert bench.fetch(bench.url("/good"))
    assert bench.stored()


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/416", "416"),
        ("/range-ahead", "Content-Range bytes 150000-199999/200000"),
        ("/range-garbage", "Content-Range bytes x-y/z"),
        ("/range-none", "Content-Range "),
    ],
)
def test_a_server_that_cannot_go_on_is_asked_for_the_whole_the_next_time(bench: Bench, path: str, error: str) -> None:
    """Or the file would never come."""
    bench.begin(HALF)
    assert bench.failure(bench.url(path)) == ("broken", {"url": bench.url(path), "error": error})

    assert bench.fetch(bench.url(path)) is True
    assert bench.server.requests == [(path, f"bytes={HALF}-"), (path, None)]
    assert bench.stored()


def test_a_chunk_size_that_is_none_is_told_and_nothing_of_it_is_kept(bench: Bench) -> None:
    """A number from a stranger."""
    url = bench.url("/chunked-garbage")
    assert bench.failure(url) == ("broken", {"url": url, "error": "IncompleteRead(0 bytes read)"})
    assert bench.part.offset == 0


@pytest.mark.parametrize("path", ["/endless", "/chunked-beyond"])
def test_what_goes_on_beyond_the_signed_size_is_not_kept(bench: Bench, tmp_path: Path, path: str) -> None:
    """The part never grows beyond it, and what came goes."""
    bench.server.data = b"x" + DATA
    with pytest.raises(BlobError) as caught:
        bench.fetch(bench.url(path))

    assert (caught.value.code, dict(caught.value.detail)) == ("too-large", {"expected": SIZE})
    assert list((tmp_path / "blobs").iterdir()) == []


def test_a_body_that_stops_is_told_after_the_silence_and_kept(bench: Bench) -> None:
    """What came is gone on with."""
    began_s = time.monotonic()
    code, detail = bench.failure(bench.url("/hang-in-body"))

    assert (code, detail) == ("timeout", {"url": bench.url("/hang-in-body"), "seconds": "0.6"})
    assert READ_TIMEOUT_S < time.monotonic() - began_s < READ_TIMEOUT_S + 2 * GLANCE_S + 0.5
    assert bench.part.offset == 100


def test_a_body_that_drips_is_too_slow_although_it_is_never_silent(bench: Bench) -> None:
    """Ten bytes a second, where a thousand in half a second are asked for."""
    began_s = time.monotonic()
    code, detail = bench.failure(bench.url("/drips-body"), Pace(window_s=0.5, least_bytes=1_000))

    assert time.monotonic() - began_s < 2
    assert code == "too-slow"
    assert 0 < int(detail["found"]) < 50 and detail["expected"] == SIZE
    assert bench.part.offset == int(detail["found"])


def test_a_body_that_drips_fast_enough_is_left_when_all_its_time_is_over(bench: Bench, authority: Authority) -> None:
    """Twenty kilobytes a second keep the pace, but not the whole."""
    bench.settings = HttpsSettings(authority.ca_file, read_timeout_s=READ_TIMEOUT_S, total_timeout_s=1.0)
    began_s = time.monotonic()
    code, detail = bench.failure(bench.url("/trickle"), Pace(window_s=0.3, least_bytes=1_000))

    assert 1.0 < time.monotonic() - began_s < 2
    assert code == "too-slow"
    assert 5_000 < int(detail["found"]) < 30_000 and detail["expected"] == SIZE


@pytest.mark.parametrize("path", ["/hang", "/drips-headers", "/drips-body", "/hang-in-body", "/trickle"])
def test_something_more_urgent_is_seen_whatever_the_server_does(bench: Bench, authority: Authority, path: str) -> None:
    """Within a glance, before the headers and between two drips; what came is kept."""
    bench.settings = HttpsSettings(authority.ca_file, read_timeout_s=30.0, total_timeout_s=30.0)
    bench.part.close()
    bench.part = bench.blobs.begin(Sha256("e" * 64), 10_000_000)
    urgent = threading.Event()
    began_s = time.monotonic()
    threading.Timer(0.3, urgent.set).start()
    bench.server.data = b"x" * 10_000_000
    assert bench.fetch(bench.url(path), urgent.is_set) is False

    assert 0.3 <= time.monotonic() - began_s < 0.3 + GLANCE_S + 0.5


def test_a_peer_that_accepts_and_never_shakes_hands_is_left(bench: Bench) -> None:
    """Before TLS, nothing bounds it but the time to the answer."""
    over = threading.Event()
    peer = Peer(lambda connection: over.wait(10))
    began_s = time.monotonic()
    try:
        assert bench.failure(peer.url) == ("timeout", {"url": peer.url, "seconds": "0.6"})
        assert time.monotonic() - began_s < READ_TIMEOUT_S + 2 * GLANCE_S + 0.5
    finally:
        over.set()
        peer.close()


def test_a_peer_that_drips_its_handshake_is_left(bench: Bench) -> None:
    """A TLS record of 16 kilobytes, a byte at a time."""
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xfb")
        while not over.wait(0.1):
            try:
                connection.sendall(b"\0")
            except OSError:
                return

    peer = Peer(drip)
    began_s = time.monotonic()
    try:
        assert bench.failure(peer.url) == ("timeout", {"url": peer.url, "seconds": "0.6"})
        assert time.monotonic() - began_s < READ_TIMEOUT_S + 2 * GLANCE_S + 0.5
    finally:
        over.set()
        peer.close()


def test_something_more_urgent_is_seen_during_the_handshake(bench: Bench, authority: Authority) -> None:
    """Within a glance."""
    bench.settings = HttpsSettings(authority.ca_file, read_timeout_s=30.0, total_timeout_s=30.0)
    over, urgent = threading.Event(), threading.Event()
    peer = Peer(lambda connection: over.wait(10))
    threading.Timer(0.3, urgent.set).start()
    began_s = time.monotonic()
    try:
        assert bench.fetch(peer.url, urgent.is_set) is False
        assert time.monotonic() - began_s < 0.3 + GLANCE_S + 0.5
    finally:
        over.set()
        peer.close()


def test_a_peer_that_speaks_no_tls_is_not_believed(bench: Bench) -> None:
    """A plain web server, or a proxy that answers for another."""
    peer = Peer(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    try:
        code, detail = bench.failure(peer.url)
        assert (code, detail["url"]) == ("tls", peer.url)
    finally:
        peer.close()


def test_a_port_where_nobody_listens_refuses(bench: Bench) -> None:
    """Told as what it is."""
    url = f"https://127.0.0.1:{free_port()}/x"
    assert bench.failure(url) == ("refused", {"url": url})


def test_a_name_that_nobody_knows_is_told(bench: Bench) -> None:
    """RFC 6761 keeps this one unknown for ever."""
    url = "https://audio.invalid/x"
    code, detail = bench.failure(url)
    assert (code, detail["url"]) == ("dns", url)


@pytest.mark.parametrize(
    ("names", "days", "words"),
    [
        (("audio.example",), (-1, 100), "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        (("127.0.0.1",), (-9, -1), "certificate has expired"),
        (("127.0.0.1",), (1, 9), "certificate is not yet valid"),
    ],
    ids=["another-name", "expired", "not-yet-valid"],
)
def test_a_certificate_for_another_name_or_time_is_not_believed(
    bench: Bench, tmp_path: Path, names: tuple[str, ...], days: tuple[int, int], words: str
) -> None:
    """The authority is ours; not a byte is asked for."""
    odd = OddAuthority(tmp_path / "odd", names, days)
    server = HostileServer(odd, DATA)
    bench.settings = HttpsSettings(odd.ca_file, read_timeout_s=READ_TIMEOUT_S)
    try:
        code, detail = bench.failure(server.url + "/good")
        assert (code, detail["url"]) == ("tls", server.url + "/good")
        assert words in detail["error"]
        assert server.requests == []
    finally:
        server.close()


@pytest.mark.parametrize("url", ["https://[", "https://127.0.0.1:99999/", "https:///x", "https://a b/", "https://\n/"])
def test_an_address_that_is_none_is_a_fault_and_no_exception(bench: Bench, url: str) -> None:
    """A programme is signed by people, and people mistype."""
    code, detail = bench.failure(url)
    assert code in ("broken", "dns", "refused")
    assert detail["url"] == url


def test_every_fetch_closes_what_it_opened(bench: Bench) -> None:
    """Good, bad and hung up on; by itself, not by the collector of garbage."""
    port = bench.server.url.rpartition(":")[2]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ResourceWarning)
        for path in ("/good", "/404", "/redirect", "/not-http", "/empty", "/hang-in-body", "/chunked-beyond"):
            bench.part.restart()
            with suppress(FetchError, BlobError):
                bench.fetch(bench.url(path))
        gc.collect()

    assert [str(one.message) for one in told if f"raddr=('127.0.0.1', {port})" in str(one.message)] == []
