"""Files that were signed as audio and are something else: what VLC would open, follow, unpack or decode for anybody."""

from __future__ import annotations

import gzip
import struct
import subprocess
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

TONE_S = 1
PICTURE_BYTES = 15 * 1024 * 1024
PICTURES = 4
PLAYLIST = "#EXTM3U\n#EXTINF:9,x\nfile:///etc/passwd\nhttp://127.0.0.1:9/x.mp3\n"


@cache
def made(suffix: str, *codec: str, video: bool = False) -> bytes:
    """A tone as FFmpeg puts it into a file, with a moving picture if wanted."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"file.{suffix}"
        command = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", f"sine=440:r=48000:d={TONE_S}"]
        command += ["-f", "lavfi", "-i", f"testsrc=s=64x64:r=10:d={TONE_S}"] if video else []
        subprocess.run([*command, "-ac", "1", *codec, str(path)], check=True)
        return path.read_bytes()


def mod() -> bytes:
    """A ProTracker module (four channels, one pattern, one loop of one sample)."""
    samples = (bytes(22) + struct.pack(">HBBHH", 8, 0, 64, 0, 4)) + (
        bytes(22) + struct.pack(">HBBHH", 0, 0, 64, 0, 1)
    ) * 30
    pattern = bytes((0x01, 0xAC, 0x10, 0x00)) * 4 * 64
    return bytes(20) + samples + bytes((1, 127)) + bytes(128) + b"M.K." + pattern + bytes((0, 90, 0, 166)) * 4


def midi() -> bytes:
    """A Standard MIDI File of one note."""
    track = bytes.fromhex("00c000 00903c40 8360803c40 00ff2f00")
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 96) + b"MTrk" + struct.pack(">I", len(track)) + track


def spc() -> bytes:
    """The state of a game console's sound processor, which a decoder would run."""
    return b"SNES-SPC700 Sound File Data v0.30\x1a\x1a\x1a\x1e".ljust(0x10200, b"\0")


def id3(content: bytes) -> bytes:
    """Something behind the tag of an MP3 file."""
    text = b"\0" + b"x" * 50
    frame = b"TIT2" + struct.pack(">I", len(text)) + bytes(2) + text
    size = len(frame)
    return b"ID3\x04\0\0" + bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0)) + frame + content


def flac_with_pictures(picture_bytes: int, count: int) -> bytes:
    """A whole FLAC file with pictures between its head and its sound (RFC 9639, 8.8)."""
    flac = made("flac")
    head, rest = flac[: 4 + 4 + 34], flac[4 + 4 + 34 :]
    fields = struct.pack(">II9sI", 3, 9, b"image/png", 0) + struct.pack(">IIIII", 1, 1, 24, 0, picture_bytes)
    block = b"\x06" + struct.pack(">I", len(fields) + picture_bytes)[1:] + fields + bytes(picture_bytes)
    return head[:4] + bytes((head[4] & 0x7F,)) + head[5:] + block * count + rest


def opus_with_a_huge_picture() -> bytes:
    """An Ogg Opus file whose comment claims to be four gigabytes long, on pages whose checks are right."""
    data = bytearray(made("opus", "-c:a", "libopus"))
    at = data.index(b"OpusTags") + 8
    data[at : at + 4] = b"\xff\xff\xff\xff"
    page = data.rindex(b"OggS", 0, at)
    end = data.index(b"OggS", at)
    data[page + 22 : page + 26] = bytes(4)
    data[page + 22 : page + 26] = struct.pack("<I", ogg_check(bytes(data[page:end])))
    return bytes(data)


def ogg_check(page: bytes) -> int:
    """The check of an Ogg page whose own field is zero (RFC 3533, 6)."""
    check = 0
    for byte in page:
        check ^= byte << 24
        for _ in range(8):
            check = (check << 1 ^ 0x04C11DB7 if check & 0x80000000 else check << 1) & 0xFFFFFFFF
    return check


REFUSED: dict[str, Callable[[], bytes]] = {
    "m3u": lambda: PLAYLIST.encode(),
    "m3u in UTF-16": lambda: PLAYLIST.encode("utf-16"),
    "pls": lambda: b"[playlist]\nNumberOfEntries=1\nFile1=http://127.0.0.1:9/x.mp3\n",
    "xspf": lambda: (
        b'<?xml version="1.0"?><playlist xmlns="http://xspf.org/ns/0/"><trackList><track>'
        b"<location>file:///etc/passwd</location></track></trackList></playlist>"
    ),
    "asx": lambda: b'<asx version="3.0"><entry><ref href="http://127.0.0.1:9/x"/></entry></asx>',
    "html": lambda: b"<!doctype html><html><audio src='http://127.0.0.1:9/x.mp3'></html>",
    "lua": lambda: b"function probe() return true end\nfunction parse() os.execute('true') end\n",
    "avi": lambda: made("avi", video=True),
    "mkv": lambda: made("mkv", "-c:a", "libopus"),
    "mp4": lambda: made("mp4"),
    "webm": lambda: made("webm", "-c:a", "libopus"),
    "aiff": lambda: made("aiff"),
    "au": lambda: made("au"),
    "amr in caf": lambda: made("caf"),
    "mod": mod,
    "midi": midi,
    "spc": spc,
    "ts": lambda: made("ts"),
    "aac": lambda: made("aac"),
    "mp2": lambda: made("mp2"),
    "vorbis": lambda: made("ogg", "-c:a", "libvorbis"),
    "speex": lambda: made("ogg", "-ar", "16000", "-c:a", "libspeex"),
    "flac in ogg": lambda: made("ogg", "-c:a", "flac"),
    "theora": lambda: made("ogg", "-c:v", "libtheora", "-c:a", "libopus", video=True),
    "adpcm in wav": lambda: made("wav", "-c:a", "adpcm_ima_wav"),
    "a-law in wav": lambda: made("wav", "-c:a", "pcm_alaw"),
    "mp3 in wav": lambda: made("wav", "-c:a", "libmp3lame"),
    "m3u in ID3": lambda: id3(PLAYLIST.encode() * 100),
    "zipped": lambda: gzip.compress(made("wav")),
    "zip bomb": lambda: gzip.compress(bytes(64 * 1024 * 1024)),
    "zip bomb in ID3": lambda: id3(gzip.compress(bytes(64 * 1024 * 1024))),
    "deflated": lambda: zlib.compress(made("wav")),
}
"""What does not sound, by its kind."""
PLAYED: dict[str, Callable[[], bytes]] = {
    "flac with a huge picture": lambda: flac_with_pictures(PICTURE_BYTES, 1),
    "flac with many pictures": lambda: flac_with_pictures(PICTURE_BYTES // 64, 16 * PICTURES),
}
"""What is more than it should be, and sounds: what is in the way is passed over."""
ENDED: dict[str, Callable[[], bytes]] = {
    "flac of pictures": lambda: flac_with_pictures(PICTURE_BYTES, PICTURES),
    "opus with a comment without an end": opus_with_a_huge_picture,
}
"""What may sound, be refused, or end its player: within bounds, and without anything for the next cue."""
