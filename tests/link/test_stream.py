"""Plain streams from good servers and hostile ones: what the player is given of them, and what is told as wrong."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.link.radio import Radio, Taker, pieces, playlist, say, sent_on, tone
from tests.parts import Authority, eventually, free_port
from ttcs_edge.core.effects import FollowStream, LeaveStream
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.link.stream import Streams
from ttcs_edge.link.stream_kinds import kind_of
from ttcs_edge.settings import StreamSettings

RATE = 8_000
"""Bytes a second of 64 kbit/s."""


class Bench:
    """A radio station, another one that nobody allowed, and a follower whose player is ours."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.radio, self.stranger = Radio(authority), Radio(authority)
        hosts = frozenset({("127.0.0.1", self.radio.port)})
        self.settings = StreamSettings(hosts, authority.ca_file, silent_s=1.0, whole_s=3.0)
        self.taker = Taker()
        self.left: list[int] = []
        self.streams = Streams(self.settings, self.taker.hand, self.left.append)

    def follow(self, path: str = "/live", settings: StreamSettings | None = None) -> Taker:
        """Follow a path, or a whole address."""
        if settings is not None:
            self.streams = Streams(settings, self.taker.hand, self.left.append)
        url = path if "://" in path else self.radio.url + path
        self.streams.follow(FollowStream(1, url), self.taker.post)
        return self.taker

    def refusal(self, path: str = "/live") -> tuple[str, dict[str, str]]:
        """Follow what fails; gives the first that is told. Nothing of it went to the player."""
        taker = self.follow(path)
        eventually(lambda: taker.failed)
        assert taker.runs == []
        return taker.told[0]

    def close(self) -> None:
        """End everything."""
        self.streams.close(2.0)
        self.radio.close()
        self.stranger.close()
        self.taker.die()


@pytest.fixture
def bench(tmp_path: Path, authority: Authority) -> Iterator[Bench]:
    bench = Bench(tmp_path, authority)
    yield bench
    bench.close()


@pytest.mark.parametrize("kind", ["mp3", "aac", "ogg"])
def test_what_an_icecast_sends_comes_through_as_it_is(bench: Bench, kind: str) -> None:
    """No byte is lost, and the player is told what it is."""
    bench.radio.paths["/live"] = bench.radio.endless(tone(kind), RATE, burst_s=2)
    taker = bench.follow()
    eventually(lambda: len(taker.whole) > 3 * RATE)

    ((told, data),) = taker.runs
    assert told == kind
    assert tone(kind).startswith(bytes(data))
    assert taker.failed == []
    assert bench.radio.asked == ["/live"]


@pytest.mark.parametrize("kind", ["mp3", "aac"])
def test_a_stream_that_is_joined_in_the_middle_of_a_frame_begins_with_the_next(bench: Bench, kind: str) -> None:
    """As a server gives it: from wherever it is."""
    bench.radio.paths["/live"] = bench.radio.endless(tone(kind)[5_001:], RATE, burst_s=2)
    taker = bench.follow()
    eventually(lambda: len(taker.whole) > RATE)
    begin = tone(kind).index(taker.whole[:1_000])
    assert 0 < begin - 5_001 < 1_000
    assert taker.whole[0] == 0xFF


def test_a_stream_that_ends_is_opened_again_and_begins_anew(bench: Bench) -> None:
    """Each connection has a socket of its own; an end is no fault, silence tells it."""
    bench.radio.paths["/live"] = tone("mp3", 2)
    taker = bench.follow()
    eventually(lambda: len(taker.runs) == 3)
    assert bytes(taker.runs[0][1]) == bytes(taker.runs[1][1]) == tone("mp3", 2)
    assert taker.failed == []


def test_a_player_that_dies_is_given_another_socket(bench: Bench) -> None:
    """Whoever takes its place begins anew."""
    bench.radio.paths["/live"] = bench.radio.endless(tone("mp3"), RATE, burst_s=2)
    taker = bench.follow()
    eventually(lambda: taker.whole)
    taker.die()
    eventually(lambda: len(taker.runs) == 2 and taker.runs[1][1])
    assert taker.failed == []


def test_one_that_is_left_is_left_at_once_wherever_it_is(bench: Bench) -> None:
    """In the middle of a stream, of a player that takes nothing, of a wait for the next try."""
    bench.radio.paths["/live"] = bench.radio.endless(tone("mp3"), 1_000_000)
    for path in ("/live", "/none"):
        taker = bench.follow(path)
        eventually(lambda: taker.whole or taker.failed)  # noqa: B023
        taker.takes.clear()
        (follower,) = bench.streams._followers.values()
        began_s = time.monotonic()
        bench.streams.leave(LeaveStream(1))
        follower.thread.join(5)
        assert not follower.thread.is_alive()
        assert time.monotonic() - began_s < 1
        taker.takes.set()
    assert bench.left == [1, 1]


class TestTwoLocks:
    """The signed programme names an address; the config must allow its host, wherever it leads."""

    def test_a_host_that_the_config_does_not_name_is_not_even_asked(self, bench: Bench) -> None:
        """It is told which, so that it can be put there."""
        bench.stranger.paths["/live"] = tone("mp3")
        url = f"{bench.stranger.url}/live"
        found = f"127.0.0.1:{bench.stranger.port}"
        assert bench.refusal(url) == ("stream-host", {"url": url, "found": found})
        assert bench.stranger.asked == []

    def test_without_hosts_nothing_is_allowed(self, bench: Bench) -> None:
        """The default."""
        taker = bench.follow("/live", StreamSettings())
        eventually(lambda: taker.failed)
        assert (taker.told[0][0], bench.radio.asked) == ("stream-host", [])

    def test_a_redirect_within_the_allowed_hosts_is_followed(self, bench: Bench) -> None:
        """Three times."""
        bench.radio.paths |= {"/live": sent_on("/b"), "/b": sent_on(f"{bench.radio.url}/c", 307), "/c": sent_on("/d")}
        bench.radio.paths["/d"] = bench.radio.endless(tone("mp3"), RATE, burst_s=2)
        taker = bench.follow()
        eventually(lambda: taker.whole)
        assert bench.radio.asked == ["/live", "/b", "/c", "/d"]

    def test_a_fourth_redirect_is_not_followed(self, bench: Bench) -> None:
        """Nor a circle."""
        bench.radio.paths["/live"] = sent_on("/live")
        assert bench.refusal() == ("stream-away", {"url": f"{bench.radio.url}/live", "error": "> 3 redirects"})
        assert bench.radio.asked == ["/live"] * 4

    @pytest.mark.parametrize("where", ["stranger", "plain", "file", "none", "user"])
    def test_a_redirect_to_anywhere_else_is_refused(self, bench: Bench, where: str) -> None:
        """A stranger's host, plain HTTP, a file, nowhere, an allowed host before an @."""
        bench.stranger.paths["/live"] = tone("mp3")
        addresses = {
            "stranger": f"{bench.stranger.url}/live",
            "plain": f"http://127.0.0.1:{bench.radio.port}/live",
            "file": "file:///etc/passwd",
            "none": "//[",
            "user": f"https://127.0.0.1:{bench.radio.port}@localhost:{bench.stranger.port}/live",
        }
        bench.radio.paths["/live"] = sent_on(addresses[where])
        code = {"plain": "stream-plain", "file": "stream-plain"}.get(where, "stream-host")
        assert bench.refusal()[0] == code
        assert bench.stranger.asked == []

    def test_a_certificate_of_an_authority_that_nobody_trusts_is_refused(self, bench: Bench, tmp_path: Path) -> None:
        """No byte of the stream is believed."""
        other = Authority(tmp_path / "other", "other")
        taker = bench.follow("/live", replace(bench.settings, ca_file=other.ca_file))
        eventually(lambda: taker.failed)
        code, detail = taker.told[0]
        assert (code, bench.radio.asked, taker.runs) == ("stream-tls", [], [])
        assert "certificate verify failed" in detail["error"]

    def test_a_certificate_of_another_name_is_refused(self, bench: Bench, tmp_path: Path, authority: Authority) -> None:
        """Who has the network has many a certificate, but none of this name."""
        named = Authority(tmp_path / "named", "named")
        named._servers = ("elsewhere.example",)
        radio = Radio(named)
        hosts = frozenset({("127.0.0.1", radio.port)})
        taker = bench.follow(f"{radio.url}/live", StreamSettings(hosts, named.ca_file, 1.0, 3.0))
        eventually(lambda: taker.failed)
        radio.close()
        assert (taker.told[0][0], radio.asked) == ("stream-tls", [])

    def test_authorities_that_cannot_be_read_are_told(self, bench: Bench, tmp_path: Path) -> None:
        """The file that the config names is gone."""
        taker = bench.follow("/live", replace(bench.settings, ca_file=tmp_path / "none.pem"))
        eventually(lambda: taker.failed)
        assert taker.told[0][0] == "stream-tls"


class TestNoStream:
    """What is no stream is told, and nothing of it is given to the decoder."""

    @pytest.mark.parametrize(
        "data",
        [b"<html>Please log in</html>" * 2_000, os.urandom(64) * 1_000, b"", b"[playlist]\nFile1=file:///etc/passwd\n"],
        ids=["html", "noise", "nothing", "pls"],
    )
    def test_bytes_that_are_no_audio_are_refused(self, bench: Bench, data: bytes) -> None:
        """A login page without its media type, too."""
        bench.radio.paths["/live"] = data
        code, detail = bench.refusal()
        assert (code, detail["found"]) == ("stream-not-audio", repr(data[:40]))

    def test_a_login_page_is_known_by_its_media_type(self, bench: Bench) -> None:
        """A captive portal."""
        bench.radio.paths["/live"] = lambda request: say(request, tone("mp3"), "text/html; charset=utf-8")
        assert bench.refusal()[1]["found"] == "text/html"

    @pytest.mark.parametrize("name", ["nobody", "missing", "silent", "drips"])
    def test_what_does_not_answer_is_away(self, bench: Bench, name: str) -> None:
        """Nobody there, no such path, a server that says nothing, one that drips its headers."""
        bench.radio.paths["/silent"] = lambda request: time.sleep(3)  # says nothing for so long

        def drip(request: object) -> None:
            while not bench.radio.closing.wait(0.2):
                request.wfile.write(b"H")  # type: ignore[attr-defined]

        bench.radio.paths["/drips"] = drip
        port = free_port()
        if name == "nobody":
            bench.streams = Streams(
                replace(bench.settings, hosts=frozenset({("127.0.0.1", port)})), bench.taker.hand, bench.left.append
            )
        code, detail = bench.refusal(f"https://127.0.0.1:{port}/" if name == "nobody" else f"/{name}")
        assert code == "stream-away"
        words = {"nobody": "refused", "missing": "HTTP 404", "silent": "timeout 1.0", "drips": "timeout 1.0"}
        assert detail["error"] == words[name]

    def test_one_that_falls_silent_is_told_and_opened_again(self, bench: Bench) -> None:
        """The connection stands, and nothing comes."""
        over = threading.Event()
        endless = bench.radio.endless(tone("mp3"), RATE, burst_s=2)

        def stalls(request: object) -> None:
            request.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + tone("mp3", 2))  # type: ignore[attr-defined]
            over.wait(5)

        bench.radio.paths["/live"] = stalls
        taker = bench.follow()
        eventually(lambda: taker.failed)
        assert taker.told[0][0] == "stream-away"
        bench.radio.paths["/live"] = endless
        over.set()
        eventually(lambda: len(taker.runs) >= 2 and len(taker.runs[-1][1]) > RATE)


def live(bench: Bench, kind: str, names: list[str]) -> Callable[[int, int], None]:
    """Has an HLS stream on the air, and gives what moves its window."""
    section = '#EXT-X-MAP:URI="init.mp4"' if kind == "mp4" else ""
    bench.radio.paths |= {f"/{name}": data for name, data in pieces(kind).items()}

    def window(first: int, last: int) -> None:
        bench.radio.paths["/live"] = playlist(names[first : last + 1], first, more=section)

    return window


def named(kind: str) -> list[str]:
    """The pieces of a stream, in their order."""
    suffix = {"ts": ".ts", "aac": ".aac", "mp4": ".m4s"}[kind]
    found = [name for name in pieces(kind) if name.endswith(suffix)]
    return sorted(found, key=lambda name: int(name.removesuffix(suffix)))


class TestHls:
    """What is said now, piece by piece."""

    @pytest.mark.parametrize("kind", ["ts", "aac", "mp4"])
    def test_it_begins_three_pieces_before_the_end_and_goes_on_in_order(self, bench: Bench, kind: str) -> None:
        """RFC 8216, 6.3.3; each piece once; one run; a section before the first."""
        names = named(kind)
        window = live(bench, kind, names)
        window(0, 3)
        taker = bench.follow()
        eventually(lambda: bench.radio.asked.count(f"/{names[3]}"))
        window(1, 4)
        eventually(lambda: bench.radio.asked.count(f"/{names[4]}"), 15)
        section = pieces(kind)["init.mp4"] if kind == "mp4" else b""
        whole = section + b"".join(pieces(kind)[name] for name in names[1:5])
        eventually(lambda: len(taker.whole) == len(whole))

        assert [told for told, _ in taker.runs] == [kind]
        assert taker.whole == whole
        assert f"/{names[0]}" not in bench.radio.asked
        assert taker.failed == []

    def test_the_variant_with_the_least_bandwidth_is_taken(self, bench: Bench) -> None:
        """A loudspeaker needs no picture."""
        window = live(bench, "ts", named("ts"))
        window(0, 3)
        bench.radio.paths["/low"] = bench.radio.paths.pop("/live")
        lines = ["#EXTM3U"]
        for bandwidth, where in ((900_000, "high"), (64_000, "low"), (300_000, "middle")):
            lines += [f"#EXT-X-STREAM-INF:BANDWIDTH={bandwidth}", where]
        bench.radio.paths["/live"] = "\n".join(lines).encode()
        taker = bench.follow()
        eventually(lambda: taker.whole)
        assert not {"/high", "/middle"} & set(bench.radio.asked)

    def test_sound_that_stands_apart_is_taken_alone(self, bench: Bench) -> None:
        """EXT-X-MEDIA of the variant."""
        window = live(bench, "ts", named("ts"))
        window(0, 3)
        bench.radio.paths["/sound"] = bench.radio.paths.pop("/live")
        lines = ["#EXTM3U", '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="vi",DEFAULT=YES,URI="sound"']
        lines += ['#EXT-X-STREAM-INF:BANDWIDTH=900000,AUDIO="a"', "picture"]
        bench.radio.paths["/live"] = "\n".join(lines).encode()
        taker = bench.follow()
        eventually(lambda: taker.whole)
        assert "/picture" not in bench.radio.asked

    def test_a_piece_that_vanished_is_passed_over_and_the_next_begins_anew(self, bench: Bench) -> None:
        """A decoder must not be led over a gap."""
        names = named("ts")
        window = live(bench, "ts", names)
        del bench.radio.paths[f"/{names[2]}"]
        window(0, 3)
        taker = bench.follow()
        eventually(lambda: len(taker.runs) == 2 and len(taker.runs[1][1]) == len(pieces("ts")[names[3]]))
        assert bytes(taker.runs[0][1]) == pieces("ts")[names[1]]
        assert taker.failed == []

    def test_a_window_that_went_past_is_joined_at_its_edge(self, bench: Bench) -> None:
        """The link was away for longer than the playlist reaches back; or the sender began anew."""
        names = named("ts") * 4
        window = live(bench, "ts", names)
        window(0, 2)
        taker = bench.follow()
        eventually(lambda: len(taker.whole) == sum(len(pieces("ts")[name]) for name in names[:3]))
        window(12, 15)
        eventually(lambda: len(taker.runs) == 2 and taker.runs[1][1])
        window(0, 3)
        eventually(lambda: len(taker.runs) == 3 and taker.runs[2][1])
        assert taker.failed == []

    def test_a_discontinuity_begins_anew(self, bench: Bench) -> None:
        """An advertisement, say, of another encoder."""
        names = named("ts")
        window = live(bench, "ts", names)
        window(0, 3)
        lines = bytes(bench.radio.paths["/live"]).decode()  # type: ignore[arg-type]
        before = f"#EXTINF:2.0,\n{names[2]}"
        bench.radio.paths["/live"] = lines.replace(before, f"#EXT-X-DISCONTINUITY\n{before}").encode()
        taker = bench.follow()
        eventually(lambda: len(taker.runs) == 2 and taker.runs[1][1])
        assert bytes(taker.runs[0][1]) == pieces("ts")[names[1]]

    def test_a_playlist_that_stalls_is_asked_for_again_and_nothing_is_said_twice(self, bench: Bench) -> None:
        """After half of its target duration each time (6.3.4)."""
        names = named("ts")
        live(bench, "ts", names)(0, 2)
        taker = bench.follow()
        eventually(lambda: bench.radio.asked.count("/live") >= 5)
        assert taker.whole == b"".join(pieces("ts")[name] for name in names[:3])
        assert taker.failed == []

    def test_what_is_no_longer_there_is_told_and_begun_anew(self, bench: Bench) -> None:
        """Where it comes back, it goes on without saying anything twice."""
        names = named("ts")
        window = live(bench, "ts", names)
        window(0, 2)
        taker = bench.follow()
        eventually(lambda: len(taker.whole) == sum(len(pieces("ts")[name]) for name in names[:3]))
        del bench.radio.paths["/live"]
        eventually(lambda: taker.failed, 20)
        assert taker.told[0][0] == "stream-away"
        window(1, 3)
        eventually(lambda: len(taker.runs) == 2 and len(taker.runs[1][1]) == len(pieces("ts")[names[3]]), 20)

    @pytest.mark.parametrize("where", ["piece", "section", "variant", "file"])
    def test_everything_that_a_playlist_names_must_be_on_an_allowed_host(self, bench: Bench, where: str) -> None:
        """A piece, its section, a variant: of a stranger, or of this machine."""
        bench.stranger.paths["/x"] = pieces("ts")["0.ts"]
        bench.radio.paths["/0.ts"] = pieces("ts")["0.ts"]
        x = f"{bench.stranger.url}/x"
        bench.radio.paths["/live"] = {
            "piece": playlist([x]),
            "section": playlist(["0.ts"], more=f'#EXT-X-MAP:URI="{x}"'),
            "variant": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{x}\n".encode(),
            "file": playlist(["file:///etc/passwd"]),
        }[where]
        assert bench.refusal()[0] == ("stream-plain" if where == "file" else "stream-host")
        assert bench.stranger.asked == []

    @pytest.mark.parametrize(
        ("more", "found"),
        [
            ('#EXT-X-KEY:METHOD=AES-128,URI="key"', "#EXT-X-KEY METHOD=AES-128"),
            ('#EXT-X-KEY:METHOD=SAMPLE-AES,URI="key"', "#EXT-X-KEY METHOD=SAMPLE-AES"),
            ("#EXT-X-BYTERANGE:100@0", "#EXT-X-BYTERANGE"),
        ],
    )
    def test_what_is_not_taken_of_hls_is_told(self, bench: Bench, more: str, found: str) -> None:
        """Encryption and byte ranges; no key is asked for."""
        bench.radio.paths["/live"] = playlist(["0.ts"], more=more)
        assert bench.refusal()[1]["found"] == found
        assert "/key" not in bench.radio.asked

    def test_a_huge_playlist_is_not_read_to_its_end(self, bench: Bench) -> None:
        """An eighth of a megabyte is enough for every live stream."""
        bench.radio.paths["/live"] = playlist(["0.ts"] * 30_000)
        assert bench.refusal()[1]["found"] == f"> {LIMITS.stream_playlist_bytes} bytes"

    def test_a_piece_without_an_end_is_not_kept(self, bench: Bench) -> None:
        """One of a gigabyte costs four megabytes, and no stream begins with it."""
        sent = 0

        def endless(request: object) -> None:
            nonlocal sent
            request.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n")  # type: ignore[attr-defined]
            with suppress(OSError):
                while sent < 10**9:
                    sent += request.wfile.write(b"G" * 65_536)  # type: ignore[attr-defined]

        bench.radio.paths |= {"/live": playlist(["0.ts"]), "/0.ts": endless}
        taker = bench.follow()
        eventually(lambda: bench.radio.asked.count("/live") >= 3)
        bench.streams.leave(LeaveStream(1))
        assert taker.runs == []
        assert sent < 4 * LIMITS.stream_piece_bytes

    def test_a_piece_that_breaks_off_is_passed_over(self, bench: Bench) -> None:
        """It told its length."""
        names = named("ts")
        live(bench, "ts", names)(0, 3)
        data = pieces("ts")[names[2]]
        head = f"HTTP/1.0 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode()
        bench.radio.paths[f"/{names[2]}"] = lambda request: request.wfile.write(head + data[:-1])
        taker = bench.follow()
        eventually(lambda: len(taker.runs) == 2 and taker.runs[1][1])
        assert bytes(taker.runs[0][1]) == pieces("ts")[names[1]]

    def test_pieces_that_are_sent_on_are_had_from_there(self, bench: Bench) -> None:
        """As often as the stream itself."""
        names = named("ts")
        live(bench, "ts", names)(0, 2)
        for name in names[:3]:
            bench.radio.paths[f"/{name}"] = sent_on(f"/edge/{name}")
            bench.radio.paths[f"/edge/{name}"] = pieces("ts")[name]
        taker = bench.follow()
        eventually(lambda: taker.whole == b"".join(pieces("ts")[name] for name in names[:3]))

    def test_a_thousand_pieces_are_not_fetched(self, bench: Bench) -> None:
        """The newest three are."""
        names = [f"{number}.x" for number in range(1_000)]
        bench.radio.paths |= {f"/{name}": pieces("ts")["0.ts"] for name in names}
        bench.radio.paths["/live"] = playlist(names)
        taker = bench.follow()
        eventually(lambda: bench.radio.asked.count("/live") >= 3)
        assert [path for path in bench.radio.asked if path.endswith(".x")] == ["/997.x", "/998.x", "/999.x"]
        assert len(taker.runs) == 1

    @pytest.mark.parametrize(
        "lines",
        ["#EXT-X-TARGETDURATION:x", "#EXT-X-STREAM-INF:BANDWIDTH=1", "#EXTINF:x,\na", "\0" * 100, "#EXTINF:1,\n" * 99],
    )
    def test_a_playlist_that_is_none_keeps_nobody(self, bench: Bench, lines: str) -> None:
        """Told as no audio, or it holds nothing that could be had; the thread lives."""
        bench.radio.paths["/live"] = f"#EXTM3U\n{lines}\n".encode()
        taker = bench.follow()
        eventually(lambda: taker.failed or bench.radio.asked.count("/live") >= 3, 25)
        assert all(code == "stream-not-audio" for code, _ in taker.told)
        (follower,) = bench.streams._followers.values()
        assert follower.thread.is_alive()
        assert taker.runs == []

    def test_playlists_that_lead_to_one_another_are_left(self, bench: Bench) -> None:
        """In a circle."""
        bench.radio.paths["/live"] = b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlive\n"
        assert bench.refusal()[1]["found"] == "> 3 playlists"


def test_the_kind_of_a_stream_is_known_by_its_frames() -> None:
    """Two bytes that look like a frame are none."""
    for kind in ("mp3", "aac", "ogg", "ts"):
        found = kind_of(tone(kind))
        assert found is not None and found.name == kind
        assert kind_of(tone(kind)[:100]) is None or kind == "ogg"
    assert kind_of(b"\xff\xfb\x90\x00" + bytes(20_000)) is None
    assert kind_of(b"") is None
