"""What kind of stream bytes are, and where in them it begins.

libvlc is told what it gets, and never finds out by itself: a login page, or a playlist, is none of the kinds. Of MP3
and AAC, which have no beginning of their own, two frames must follow one another.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

HEAD_BYTES = 16 * 1024
"""How much is looked at: the longest frames of MP3 and AAC are shorter than 9 KB."""
ADTS_HEADER_BYTES = 7
ID3_HEADER_BYTES = 10
TS_PACKET_BYTES = 188
_BITRATES_KBPS = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Of layer III, by version (ISO 11172-3, 2.4.2.3; 13818-3): MPEG-1, and MPEG-2 with 2.5."""
_RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}


class Kind(Struct, frozen=True):
    """A kind of stream, and at which byte it begins."""

    name: str
    begin: int


def kind_of(data: bytes) -> Kind | None:
    """The kind of what begins somewhere in these bytes; None as long as it shows none."""
    begin = id3_bytes(data)
    rest = data[begin : begin + HEAD_BYTES]
    if rest.startswith(b"OggS"):
        return Kind("ogg", begin)
    if rest[4:8] in (b"ftyp", b"styp"):
        return Kind("mp4", begin)
    if rest[: 2 * TS_PACKET_BYTES + 1 : TS_PACKET_BYTES] == b"GGG":
        return Kind("ts", begin)
    for name, frame_bytes in _FRAMES:
        at = _first(rest, frame_bytes)
        if at is not None:
            return Kind(name, begin + at)
    return None


def id3_bytes(data: bytes) -> int:
    """How long the tag is that stands before a piece of HLS, and before many an MP3 (ID3v2, section 3.1)."""
    head = data[:ID3_HEADER_BYTES]
    if not head.startswith(b"ID3") or len(head) < ID3_HEADER_BYTES:
        return 0
    return ID3_HEADER_BYTES + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))


def _first(data: bytes, frame_bytes: Callable[[bytes], int]) -> int | None:
    """Where the first of three frames begins that follow one another."""
    at = data.find(0xFF)
    while at >= 0:
        second = at + frame_bytes(data[at:])
        third = second + frame_bytes(data[second:])
        if at < second < third and frame_bytes(data[third:]):
            return at
        at = data.find(0xFF, at + 1)
    return None


def _adts_frame_bytes(data: bytes) -> int:
    """The length of an ADTS frame that begins here; 0 when none does (ISO 14496-3, 1.A.2)."""
    if len(data) < ADTS_HEADER_BYTES or data[0] != 0xFF or data[1] & 0xF6 != 0xF0 or data[2] >> 2 & 0xF > 12:
        return 0
    length = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
    return length if length > ADTS_HEADER_BYTES else 0


def _mp3_frame_bytes(data: bytes) -> int:
    """The length of a frame of MPEG audio, layer III, that begins here; 0 when none does."""
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0 or data[1] & 6 != 2:
        return 0
    version, bitrate, rate, padding = data[1] >> 3 & 3, data[2] >> 4, data[2] >> 2 & 3, data[2] >> 1 & 1
    if version not in _RATES_HZ or bitrate in (0, 15) or rate == 3:
        return 0
    bits = (144_000 if version == 3 else 72_000) * _BITRATES_KBPS[3 if version == 3 else 2][bitrate]
    return bits // _RATES_HZ[version][rate] + padding


_FRAMES = (("aac", _adts_frame_bytes), ("mp3", _mp3_frame_bytes))
