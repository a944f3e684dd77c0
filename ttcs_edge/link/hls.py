"""HTTP Live Streaming (RFC 8216), as much of it as a loudspeaker needs: what is said now, in pieces, in their order.

- Of a stream in several variants the one with the least bandwidth is taken, its sound alone where it has that apart.
- It begins three target durations before the end of the playlist (6.3.3), and goes on piece by piece. A playlist is
  asked for again when its target duration is over, or half of it where nothing was new (6.3.4).
- A piece that cannot be had is passed over. Where the next one does not go on where the last one ended (a gap, a
  discontinuity, another initialization section), what comes begins anew.
- Every address is opened by ``Allowed``. What is encrypted is refused: an announcement to a village is no secret, and
  who has the key is no matter of a loudspeaker. So are byte ranges, which live streams do without.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct

from ttcs_edge.core.limits import LIMITS
from ttcs_edge.link.allowed import Allowed, Whole, stream_error
from ttcs_edge.link.glances import FetchError
from ttcs_edge.link.stream_kinds import id3_bytes

BEGINNING = b"#EXTM3U"
EDGE_TARGETS = 3
RELOAD_LEAST_S, RELOAD_MOST_S = 0.5, 10.0
FAILURES = 3
"""How many playlists, or pieces, in a row may fail before it is begun anew from its first address."""
VARIANTS = 3
"""How many playlists may lead to one another."""
NOT_ALLOWED = frozenset({"stream-host", "stream-plain", "stream-tls"})
"""What another try will not mend."""


class Piece(Struct, frozen=True):
    """A piece as a playlist names it: its media sequence number, where it is, and the section that it begins with."""

    number: int
    url: str
    section: str | None
    duration_s: float
    begins_anew: bool
    missing: bool = False


class Media(Struct, frozen=True):
    """A media playlist."""

    url: str
    pieces: tuple[Piece, ...]
    target_s: float
    ended: bool


class Part(Struct, frozen=True):
    """Bytes that follow what was given before, or begin anew."""

    data: bytes
    begins_anew: bool


def read_playlist(playlist: Whole) -> Media | str:
    """A media playlist, or the address of the one to be taken. Raises FetchError ``stream-not-audio``."""
    import m3u8  # what it brings along is not needed as long as no stream is one of many pieces

    try:
        read = m3u8.loads(playlist.data.decode(), playlist.url)
        if read.is_variant:
            return _variant(read)
        named = [one for one in read.segments if one.uri]
        pieces = tuple(_piece(one, read.media_sequence + place) for place, one in enumerate(named))
        target_s = float(read.target_duration or RELOAD_MOST_S)
    except FetchError:
        raise
    except Exception as error:  # whatever a parser makes of a stranger's text
        raise stream_error("stream-not-audio", playlist.url, found=f"{type(error).__name__}: {error}") from error
    return Media(playlist.url, pieces, target_s, bool(read.is_endlist))


def _variant(read: Any) -> str:
    variants = read.playlists
    least = min(variants, key=lambda one: one.stream_info.bandwidth or 0)
    apart = [one for one in least.media if one.type == "AUDIO" and one.uri]
    return str(next((one for one in apart if one.default == "YES"), (apart or [least])[0]).absolute_uri)


def _piece(one: Any, number: int) -> Piece:
    section = one.init_section
    if one.key is not None and one.key.method not in (None, "NONE"):
        raise stream_error("stream-not-audio", one.absolute_uri, found=f"#EXT-X-KEY METHOD={one.key.method}")
    if one.byterange or (section is not None and section.byterange):
        raise stream_error("stream-not-audio", one.absolute_uri, found="#EXT-X-BYTERANGE")
    where = None if section is None else str(section.absolute_uri)
    missing = bool(one.gap_tag)
    return Piece(number, str(one.absolute_uri), where, float(one.duration), bool(one.discontinuity), missing)


class Hls:
    """A stream that is followed, also over its breaks: no piece is given twice."""

    def __init__(self, allowed: Allowed, wait: Callable[[float], None]) -> None:
        """``wait`` lets so many seconds pass, or raises."""
        self._allowed = allowed
        self._wait = wait
        self._url = ""
        self._last: int | None = None
        self._section: tuple[str | None, bytes] = (None, b"")

    def parts(self, playlist: Whole) -> Iterator[Part]:
        """What a stream says from now on, as long as its server lets it. Raises FetchError, and what ``wait`` does."""
        media = self._media(playlist)
        if media.url != self._url:
            self._url, self._last = media.url, None
        joined, loaded_s, failures = False, time.monotonic(), 0
        while True:
            fresh, follows = self._fresh(media)
            joined = joined and follows
            for piece in fresh:
                data = self._bytes(piece)
                failures = failures + 1 if data is None else 0
                if failures >= FAILURES:
                    raise stream_error("stream-away", piece.url, error=f"{FAILURES} pieces")
                joined = joined and data is not None and not piece.begins_anew
                if data is not None:
                    yield self._part(piece, data, joined)
                    joined = True
                self._last = piece.number
            reload_s = media.target_s if fresh else media.target_s / 2
            self._wait(loaded_s + min(max(reload_s, RELOAD_LEAST_S), RELOAD_MOST_S) - time.monotonic())
            loaded_s = time.monotonic()
            media = self._loaded_again(media)

    def _media(self, playlist: Whole) -> Media:
        """Come to the media playlist that is to be taken."""
        for _ in range(VARIANTS):
            read = read_playlist(playlist)
            if isinstance(read, Media):
                return read
            playlist = self._allowed.read(read, LIMITS.stream_playlist_bytes)
        raise stream_error("stream-not-audio", playlist.url, found=f"> {VARIANTS} playlists")

    def _loaded_again(self, media: Media) -> Media:
        for left in range(FAILURES - 1, -1, -1):
            try:
                read = read_playlist(self._allowed.read(self._url, LIMITS.stream_playlist_bytes))
            except FetchError as error:
                if error.code in NOT_ALLOWED or not left:
                    raise
                self._wait(min(max(media.target_s / 2, RELOAD_LEAST_S), RELOAD_MOST_S))
                continue
            return read if isinstance(read, Media) else media
        raise AssertionError("the last failure was told")

    def _fresh(self, media: Media) -> tuple[tuple[Piece, ...], bool]:
        """The pieces that come next, and whether they go on where the last one ended."""
        pieces, last = media.pieces, self._last
        if not pieces:
            return (), True
        if last is None and media.ended:
            return pieces, False
        if last is None or pieces[-1].number < last or pieces[0].number > last + 1:
            return _edge(media), False
        return tuple(piece for piece in pieces if piece.number > last), True

    def _bytes(self, piece: Piece) -> bytes | None:
        """A piece; None when it cannot be had. Raises FetchError where nothing of it will ever be."""
        try:
            return None if piece.missing else self._allowed.read(piece.url, LIMITS.stream_piece_bytes).data
        except FetchError as error:
            if error.code in NOT_ALLOWED:
                raise
            return None

    def _part(self, piece: Piece, data: bytes, joined: bool) -> Part:
        """A piece without its tag; where it begins anew, behind the section that says what it is."""
        data = data[id3_bytes(data) :]
        if joined and piece.section == self._section[0]:
            return Part(data, begins_anew=False)
        if piece.section is not None and piece.section != self._section[0]:
            section = self._allowed.read(piece.section, LIMITS.stream_piece_bytes).data
            self._section = piece.section, section
        elif piece.section is None:
            self._section = None, b""
        return Part(self._section[1] + data, begins_anew=True)


def _edge(media: Media) -> tuple[Piece, ...]:
    """The pieces from three target durations before the end on, or all that there are."""
    left_s = 0.0
    for place in range(len(media.pieces) - 1, -1, -1):
        left_s += media.pieces[place].duration_s
        if left_s >= EDGE_TARGETS * media.target_s:
            return media.pieces[place:]
    return media.pieces
