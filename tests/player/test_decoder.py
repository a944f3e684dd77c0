"""One item at a time, through the real libvlc: nothing is lost or doubled, however long a reader lets it wait."""

from __future__ import annotations

import ctypes
import gc
import http.server
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.player.parts import BYTES_PER_MS, noise, samples, sweep, wav
from ttcs_edge.player.decoder import HEAD_BYTES, RING_BYTES, Decoder, format_of, make_instance

FORMATS = (".wav", ".flac", ".mp3", ".opus")
LONG_MS = 6_000
KEPT_WAITING_S = 5.5
"""Longer than what libvlc runs ahead, what the ring holds, and what libvlc forgives."""


@pytest.fixture(scope="module")
def instance() -> Any:
    """The process's libvlc."""
    return make_instance()


@pytest.fixture(scope="module")
def long_clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Six seconds in every format."""
    folder = tmp_path_factory.mktemp("long")
    plain = wav(folder / "noise.wav", noise(LONG_MS))
    return {
        ".wav": plain,
        ".flac": sweep(folder / "sweep", LONG_MS / 1_000, ".flac"),
        ".mp3": sweep(folder / "sweep", LONG_MS / 1_000, ".mp3"),
        ".opus": sweep(folder / "sweep", LONG_MS / 1_000, ".opus"),
    }


@pytest.fixture
def decoder(instance: Any) -> Iterator[Callable[..., Decoder]]:
    """Makes decoders, and closes them."""
    made: list[Decoder] = []

    def make(path: Path, from_ms: int = 0, ahead: Callable[[], None] = lambda: None) -> Decoder:
        made.append(Decoder(instance, os.open(path, os.O_RDONLY), from_ms, ahead))
        return made[-1]

    yield make
    for one in made:
        one.close()


def read_all(decoder: Decoder) -> bytes:
    """Everything to the end."""
    parts = []
    while not decoder.exhausted:
        parts.append(decoder.read(RING_BYTES // 8, 1.0))
    return b"".join(parts)


def read_each(decoders: dict[str, Decoder]) -> dict[str, bytes]:
    """Everything of several, side by side."""
    read: dict[str, bytes] = {}

    def one(name: str) -> None:
        read[name] = read_all(decoders[name])

    threads = [threading.Thread(target=one, args=(name,)) for name in decoders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return read


def test_what_was_decoded_ahead_loses_nothing_however_long_it_waits(
    decoder: Callable[..., Decoder], long_clips: dict[str, Path]
) -> None:
    """At rest, or left to itself until libvlc would begin to throw away: every sample comes once, in order.

    What libvlc never gives (the beginning of an Opus file, the last frames of some FLAC files) is within ``short_ms``.
    """
    ahead = {suffix: threading.Event() for suffix in FORMATS}
    resting = {suffix: decoder(long_clips[suffix], 0, ahead[suffix].set) for suffix in FORMATS}
    left = {f"left {suffix}": decoder(long_clips[suffix]) for suffix in FORMATS}
    for suffix in FORMATS:
        assert ahead[suffix].wait(5)
        resting[suffix].rest()
    began_s = time.monotonic()
    straight = read_each({suffix: decoder(long_clips[suffix]) for suffix in FORMATS})
    time.sleep(max(0, began_s + KEPT_WAITING_S - time.monotonic()))
    for one in [*resting.values(), *left.values()]:
        one.wake()
    read = read_each(resting | left)

    assert straight[".wav"] == samples(long_clips[".wav"])
    assert {suffix: len(data) for suffix, data in straight.items()} == {
        ".wav": LONG_MS * BYTES_PER_MS,
        ".flac": (LONG_MS - 144) * BYTES_PER_MS,
        ".mp3": LONG_MS * BYTES_PER_MS,
        ".opus": (LONG_MS * 2 - 147) * BYTES_PER_MS // 2,
    }
    assert {name: LONG_MS - len(read[name]) // BYTES_PER_MS <= one.short_ms for name, one in resting.items()} == (
        dict.fromkeys(FORMATS, True)
    )
    assert {name: read[name] == straight[name.removeprefix("left ")] for name in read} == dict.fromkeys(read, True)


def test_a_decoder_at_rest_has_a_second_ready_and_runs_no_thread(
    decoder: Callable[..., Decoder], long_clips: dict[str, Path]
) -> None:
    """The first second comes at once, before libvlc can have decoded anything."""
    ahead = threading.Event()
    resting = decoder(long_clips[".wav"], 0, ahead.set)
    assert ahead.wait(5)
    time.sleep(0.5)  # what libvlc needs for a moment only is gone
    busy = len(os.listdir("/proc/self/task"))
    resting.rest()

    assert len(os.listdir("/proc/self/task")) < busy
    assert resting.read(HEAD_BYTES, 0) == samples(long_clips[".wav"])[:HEAD_BYTES]


class LeakyDecoder(Decoder):
    """libvlc as it has been seen: a packet from elsewhere in the file, then a flush, then what was asked for."""

    leaked = False

    def _on_samples(self, opaque: Any, samples: int, count: int, pts: int) -> None:
        if not self.leaked:
            self.leaked = True
            foreign = ctypes.create_string_buffer(noise(50, 9))
            super()._on_samples(opaque, ctypes.addressof(foreign), 50 * BYTES_PER_MS // 2, pts)
            time.sleep(0.05)
            self._on_flush(opaque, pts)
        super()._on_samples(opaque, samples, count, pts)


@pytest.mark.parametrize("from_ms", [60, 247, 1_000])
def test_what_libvlc_decodes_before_it_seeks_is_never_heard(instance: Any, tmp_path: Path, from_ms: int) -> None:
    """Nor does it count: what comes is the item from the position on, though its reader waits for it."""
    clip = wav(tmp_path / "noise.wav", noise(1_800))
    leaky = LeakyDecoder(instance, os.open(clip, os.O_RDONLY), from_ms)
    parts = []
    while not leaky.exhausted:
        parts.append(leaky.read(10 * BYTES_PER_MS, 0.01))
    leaky.close()

    assert b"".join(parts) == noise(1_800)[from_ms * BYTES_PER_MS :]


@pytest.mark.parametrize("suffix", [".wav", ".opus"])
def test_a_position_is_reached_to_the_sample(decoder: Callable[..., Decoder], tmp_path: Path, suffix: str) -> None:
    """Between two packets too, and nothing from elsewhere in the file comes before it.

    An Opus decoder that has seen another packet before the position needs some hundred milliseconds to forget it.
    """
    forgotten_bytes = (500 if suffix == ".opus" else 0) * BYTES_PER_MS
    clip = wav(tmp_path / "noise.wav", noise(1_200))
    if suffix == ".opus":
        clip = sweep(tmp_path / "sweep", 1.2, ".opus")
    straight = read_all(decoder(clip))
    for from_ms in (1, 60, 247, 418, 441, 603):
        expected = straight[from_ms * BYTES_PER_MS :]
        for one in [decoder(clip, from_ms) for _ in range(4)]:
            read = read_all(one)
            assert len(read) == len(expected), from_ms
            assert read[forgotten_bytes:] == expected[forgotten_bytes:], from_ms


@pytest.mark.parametrize("suffix", [".flac", ".mp3"])
def test_formats_that_cannot_be_met_to_the_sample_say_by_how_much(
    decoder: Callable[..., Decoder], long_clips: dict[str, Path], suffix: str
) -> None:
    """What comes from a position is at most ``short_ms`` shorter than what should."""
    for from_ms in (4_800, 5_003, 5_411):
        one = decoder(long_clips[suffix], from_ms)
        missing_ms = LONG_MS - from_ms - len(read_all(one)) // BYTES_PER_MS

        assert -one.short_ms <= missing_ms <= one.short_ms, from_ms


def test_a_decoder_at_rest_in_the_middle_wakes_where_it_stood(decoder: Callable[..., Decoder], tmp_path: Path) -> None:
    """A position, a wait at it, and a reader that comes before libvlc has begun again."""
    clip = wav(tmp_path / "noise.wav", noise(2_500))
    for from_ms in (1_047, 1_200, 1_377):
        ahead = threading.Event()
        resting = decoder(clip, from_ms, ahead.set)
        assert ahead.wait(5)
        resting.rest()
        begun = resting.read(300 * BYTES_PER_MS, 0)
        assert len(begun) == 300 * BYTES_PER_MS
        resting.wake()
        assert begun + read_all(resting) == samples(clip)[from_ms * BYTES_PER_MS :]


def test_an_item_shorter_than_a_second_is_whole_though_nobody_says_ahead(
    decoder: Callable[..., Decoder], tmp_path: Path
) -> None:
    """Its decoding is over before a second is there; resting and waking change nothing."""
    clip = wav(tmp_path / "noise.wav", noise(400))
    ahead = threading.Event()
    short = decoder(clip, 0, ahead.set)
    assert short.read(0, 0) == b""
    while not short.ends_within(RING_BYTES):
        time.sleep(0.01)
    short.rest()
    short.wake()
    assert read_all(short) == samples(clip)
    assert not ahead.is_set()


def test_a_decoder_that_is_closed_leaves_nothing_behind(instance: Any, tmp_path: Path) -> None:
    """A station plays for years: neither the decoder, its samples, its file nor a thread stays."""
    clip = wav(tmp_path / "noise.wav", noise(3_000))

    def used() -> weakref.ref[Decoder]:
        decoder = Decoder(instance, os.open(clip, os.O_RDONLY), 0)
        decoder.read(BYTES_PER_MS, 1.0)
        decoder.rest()
        decoder.wake()
        decoder.close()
        return weakref.ref(decoder)

    used()
    before = (len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task")))
    left = [used() for _ in range(5)]
    gc.collect()

    assert [decoder() for decoder in left] == [None] * 5
    assert len(os.listdir("/proc/self/fd")) <= before[0]
    assert len(os.listdir("/proc/self/task")) <= before[1]


class _Asked(http.server.SimpleHTTPRequestHandler):
    paths: list[str]

    def do_GET(self) -> None:
        """Serve a file, and remember that it was asked for."""
        self.paths.append(self.path)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """A server of a folder, and what was asked of it."""
    paths: list[str] = []
    handler = type("Asked", (_Asked,), {"paths": paths})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), lambda *a: handler(*a, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", paths
        server.shutdown()


def test_a_signed_playlist_does_not_put_unsigned_sound_on_the_air(
    decoder: Callable[..., Decoder], tmp_path: Path, server: tuple[str, list[str]]
) -> None:
    """libvlc would fetch and play what an HLS list names: nothing is asked for, nothing sounds (never-1)."""
    address, asked = server
    sweep(tmp_path / "foreign", 2.0, ".mp3")
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:2", "#EXTINF:2,", f"{address}/foreign.mp3"]
    (tmp_path / "list.m3u8").write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]))
    one = decoder(tmp_path / "list.m3u8")

    assert read_all(one) == b""
    assert asked == []


@pytest.mark.parametrize(
    "data",
    [
        b"OggS" + bytes(24) + b"\x01vorbis",
        b"OggS" + bytes(24) + b"Speex   ",
        b"OggS" + bytes(24) + b"\x80theora ",
        b"OggS" + bytes(24) + b"\x7fFLAC\1\0\0",
        b"\xff\xfd\x90\x00",
        b"\xff\xf1\x50\x80",
        b"",
        b"Oggs",
        b"RIFF\x24\0\0\0AVI LIST",
        b"\xff\x1b\x40",
        b"<smil/>",
        noise(100)[:1] * 5_000,
        b"ID4" * 99,
    ],
)
def test_what_is_no_audio_is_over_at_once(decoder: Callable[..., Decoder], tmp_path: Path, data: bytes) -> None:
    """Nothing waits for samples that never come."""
    path = tmp_path / "file"
    path.write_bytes(data)
    one = decoder(path)

    assert one.exhausted
    assert one.short_ms == 0


@pytest.mark.parametrize(
    "beginning",
    [b"OggS" + bytes(24) + b"OpusHead", b"RIFF\x24\0\0\0WAVEfmt ", b"fLaC", b"ID3\x04", b"\xff\xfb\x90\x64"],
)
def test_a_right_beginning_and_nothing_behind_it_comes_to_an_end(
    decoder: Callable[..., Decoder], tmp_path: Path, beginning: bytes
) -> None:
    """A file cut off behind its first bytes decodes to nothing, within a moment."""
    path = tmp_path / "file"
    path.write_bytes(beginning)
    one = decoder(path)

    assert format_of(beginning) is not None
    deadline_s = time.monotonic() + 5
    while not one.exhausted and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert one.exhausted


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_cut_off_in_its_middle_gives_what_there_is(
    decoder: Callable[..., Decoder], tmp_path: Path, long_clips: dict[str, Path], suffix: str
) -> None:
    """And comes to an end."""
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(long_clips[suffix].read_bytes()[: long_clips[suffix].stat().st_size * 2 // 5])

    assert LONG_MS * 0.1 < len(read_all(decoder(cut))) / BYTES_PER_MS < LONG_MS * 0.5
