"""The thread that gets audio: what is due first is fetched first, and a more urgent file interrupts a slow one.

A file's places are tried in their order: HTTPS, or chunks over the broker. A file that failed waits, longer each time,
while others are fetched; its part stays and is resumed. A fault is told once for each new reason.

A file that somebody brought by hand (an ``Offer``) goes before every place, and through the same checks.
"""

from __future__ import annotations

import os
import random
import ssl
import threading
import time
from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Protocol

import structlog

from ttcs_edge.core.effects import SetWanted, WantedAudio
from ttcs_edge.core.events import AudioCarried, AudioFailed, AudioStored, Event
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import LocalUser, Sha256
from ttcs_edge.link.glances import FOUND_CHARS, GLANCE_S, FetchError, make_context
from ttcs_edge.link.https import PACE, Part, fetch
from ttcs_edge.settings import HttpsSettings

RETRY_S = (2.0, 5.0, 15.0, 60.0, 300.0)
CHUNK_SILENT_S = 10.0
"""How long nothing may come where a chunk is waited for: the broker does not have it."""
CHUNK_TIMEOUT_S = PACE.window_s * LIMITS.blob_chunk_bytes / PACE.least_bytes
"""How long a chunk may take that comes slowly: the pace of every download."""
OFFER_READ_BYTES = 256 * 1024
"""How much is read at a time of what somebody brought: little enough to tell how it goes on."""

_log = structlog.get_logger()


class PartialFile(Part, Protocol):
    """A file on its way in, as the store has it."""

    def finish(self) -> None:
        """Check it and make it visible."""

    def close(self) -> None:
        """Leave it to be resumed."""


class AudioStore(Protocol):
    """The part of the store that the fetcher needs."""

    def begin(self, sha256: Sha256, size_bytes: int) -> PartialFile:
        """Begin a file, or go on with it."""

    def has(self, sha256: Sha256) -> bool:
        """Tell whether a file is whole. Raises OSError."""

    def make_room(self, needed_bytes: int, keep: Set[Sha256]) -> bool:
        """Evict what is not to be kept until a file fits."""


class ChunkSource(Protocol):
    """Chunks of audio over the broker, one file at a time."""

    def trouble(self) -> str | None:
        """Why nothing will come of the file that was asked for; None while something may."""

    def silent_s(self) -> float:
        """How long nothing has come at all."""

    def ask_for(self, sha256: str, count: int) -> None:
        """Begin with a file of so many chunks."""

    def take(self, sha256: str, number: int, timeout_s: float) -> bytes | None:
        """Give one chunk; None when it does not come in time."""

    def leave(self, sha256: str) -> None:
        """Have no more sent."""


@dataclass(slots=True)
class _Trouble:
    tries: int
    until_mono_s: float
    code: str


class CarrierGoneError(Exception):
    """What somebody brought by hand can no longer be read: the stick was pulled out, or is broken."""


class Offer:
    """A file that somebody brought: an open descriptor of its own, read by the fetcher's thread alone.

    ``outcome`` is ``copying`` until the end, then ``stored``, ``refused`` (``failure`` tells why), ``unreadable``, or
    ``not-wanted``. ``offset`` is how much of the file is in the store, ``by`` who brought it.
    """

    def __init__(self, sha256: Sha256, file: int, by: LocalUser) -> None:
        self.sha256 = sha256
        self.by = by
        self.offset = 0
        self.outcome = "copying"
        self.failure: FetchError | None = None
        self.ended = threading.Event()
        self._file = os.dup(file)

    def read(self) -> bytes:
        """Read on from the offset; nothing at the end of the file. Raises CarrierGoneError."""
        try:
            return os.pread(self._file, OFFER_READ_BYTES, self.offset)
        except OSError as error:
            raise CarrierGoneError(str(error)) from error

    def end(self, outcome: str, failure: FetchError | None = None) -> None:
        """Tell how it ended, and let the file go."""
        if not self.ended.is_set():
            os.close(self._file)
            self.outcome, self.failure = outcome, failure
            self.ended.set()


class Fetcher:
    """Works through the list that the core keeps up to date."""

    def __init__(
        self,
        store: AudioStore,
        store_errors: type[Exception],
        chunks: ChunkSource,
        settings: HttpsSettings,
        post: Callable[[Event], None],
        give_way: Callable[[], None] = lambda: None,
    ) -> None:
        """``give_way`` is called before each step of a file: its beginning, each glance at it, its end."""
        self._give_way = give_way
        self._store = store
        self._errors = store_errors
        self._chunks = chunks
        self._settings = settings
        self._post = post
        self._condition = threading.Condition()
        self._wanted: tuple[WantedAudio, ...] = ()
        self._keep: frozenset[Sha256] = frozenset()
        self._trouble: dict[Sha256, _Trouble] = {}
        self._current: WantedAudio | None = None
        self._offer: Offer | None = None
        self._taken: Offer | None = None
        self._closing = False
        self._jitter = random.Random()  # noqa: S311 (spreads tries in time: nobody gains by guessing it)
        self._thread = threading.Thread(target=self._run, name="fetcher", daemon=True)
        self._thread.start()

    def set_wanted(self, wanted: SetWanted) -> None:
        """Take a new list; what is no longer on it is left alone, and what has other places now is tried at once."""
        with self._condition:
            before = {audio.sha256: audio.places for audio in self._wanted}
            same = {audio.sha256 for audio in wanted.wanted if before.get(audio.sha256) == audio.places}
            self._wanted, self._keep = wanted.wanted, wanted.keep
            self._trouble = {name: trouble for name, trouble in self._trouble.items() if name in same}
            self._condition.notify_all()

    def retry_now(self) -> None:
        """The link is back: what waits for its next try need not."""
        with self._condition:
            for trouble in self._trouble.values():
                trouble.until_mono_s = 0.0
            self._condition.notify_all()

    def wanted(self) -> tuple[WantedAudio, ...]:
        """What is still to be had, the first due first."""
        with self._condition:
            return self._wanted

    def offer(self, sha256: Sha256, file: int, by: LocalUser) -> Offer | None:
        """Take a file that somebody brought, to be copied before anything else; the same one again is the same offer.

        None while another is being copied.
        """
        with self._condition:
            current = self._offer
            if current is None:
                current = self._offer = Offer(sha256, file, by)
                if not any(audio.sha256 == sha256 for audio in self._wanted):
                    self._end_offer(current, "not-wanted")
                self._condition.notify_all()
            return current if current.sha256 == sha256 else None

    def _end_offer(self, offer: Offer, outcome: str, failure: FetchError | None = None) -> None:
        with self._condition:
            offer.end(outcome, failure)
            if self._offer is offer:
                self._offer = None
        if outcome in ("stored", "refused"):
            self._post(AudioCarried(offer.sha256, offer.by, None if failure is None else failure.code))

    def close(self, timeout_s: float) -> None:
        """Leave off; parts stay."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._closing:
            with self._condition:
                self._current, self._taken = self._first(), self._offer
                if self._current is None:
                    self._condition.wait(self._wait_s())
                    continue
                audio = self._current
            self._give_way()
            self._get(audio)

    def _first(self) -> WantedAudio | None:
        if self._offer is not None:
            offered = [audio for audio in self._wanted if audio.sha256 == self._offer.sha256]
            if offered:
                return offered[0]
            self._end_offer(self._offer, "not-wanted")
        now_s = time.monotonic()
        ready = (a for a in self._wanted if a.sha256 not in self._trouble or self._is_over(a.sha256, now_s))
        return next(ready, None)

    def _is_over(self, sha256: Sha256, now_s: float) -> bool:
        return self._trouble[sha256].until_mono_s <= now_s

    def _wait_s(self) -> float | None:
        waits = [trouble.until_mono_s - time.monotonic() for trouble in self._trouble.values()]
        return max(0.01, min(waits)) if waits else None

    def _displaced(self) -> bool:
        """Tell whether to leave the file of this moment; a new list with the same file at its head is no reason."""
        self._give_way()
        with self._condition:
            first, current = self._first(), self._current
            other = first is None or current is None or _what(first) != _what(current)
            return self._closing or other or self._offer is not self._taken

    def _get(self, audio: WantedAudio) -> None:
        try:
            failure = self._try_places(audio)
        except Exception as error:  # neither a server nor a card may end this thread
            _log.exception("fetch-failed", sha256=audio.sha256)
            failure = FetchError("broken", url=audio.places[0], error=repr(error)[:FOUND_CHARS])
            if self._taken is not None:
                self._end_offer(self._taken, "refused", failure)
        if failure is not None:
            self._failed(audio, failure)

    def _try_places(self, audio: WantedAudio) -> FetchError | None:
        """Get a file from the first place that has it; gives what was wrong with the first when none has."""
        offer = self._taken
        if self._is_whole(audio.sha256):
            self._got(audio)
            if offer is not None:
                self._end_offer(offer, "stored")
            return None
        if offer is not None:
            return self._take_in(offer, audio)
        failure: FetchError | None = None
        for place in audio.places:
            try:
                done = self._get_from(place, audio)
            except FetchError as error:
                failure = failure or error
                continue
            if done:
                self._got(audio)
            return None
        return failure

    def _is_whole(self, sha256: Sha256) -> bool:
        try:
            return self._store.has(sha256)
        except OSError:  # what is wrong with the card, the attempt tells
            return False

    def _got(self, audio: WantedAudio) -> None:
        with self._condition:
            self._wanted = tuple(other for other in self._wanted if other.sha256 != audio.sha256)
            self._trouble.pop(audio.sha256, None)
        self._post(AudioStored(audio.sha256))

    def _failed(self, audio: WantedAudio, failure: FetchError) -> None:
        with self._condition:
            before = self._trouble.get(audio.sha256)
            tries = before.tries + 1 if before else 0
            wait_s = RETRY_S[min(tries, len(RETRY_S) - 1)] * self._jitter.uniform(0.8, 1.2)
            self._trouble[audio.sha256] = _Trouble(tries, time.monotonic() + wait_s, failure.code)
        if before is None or before.code != failure.code:
            self._post(AudioFailed(audio.sha256, failure.code, failure.detail))

    def _get_from(self, place: str, audio: WantedAudio) -> bool:
        """Get a file from one place; False when something more urgent came up. Raises FetchError."""
        try:
            if not self._store.make_room(audio.size_bytes, self._keep):
                raise FetchError("store-full", expected=str(audio.size_bytes))
            part = self._store.begin(audio.sha256, audio.size_bytes)
            try:
                if place == "broker:":
                    done = self._chunks_into(part, audio.sha256)
                else:
                    done = fetch(place, part, self._settings, self._context(place), self._displaced)
                if done:
                    self._give_way()
                    part.finish()
            finally:
                part.close()
        except self._errors as error:
            raise _as_fetch_error(error) from error
        except OSError as error:  # the network's errors have their names by now: it is the card
            raise FetchError("store-failing", error=str(error)) from error
        return done

    def _take_in(self, offer: Offer, audio: WantedAudio) -> FetchError | None:
        """Copy what somebody brought. A stick that is gone is no fault of the station: who holds it is told."""
        try:
            done = self._store_offer(offer, audio)
        except CarrierGoneError:
            self._end_offer(offer, "unreadable")
            return None
        except FetchError as error:
            self._end_offer(offer, "refused", error)
            return error
        if done:
            self._got(audio)
            self._end_offer(offer, "stored")
        return None

    def _store_offer(self, offer: Offer, audio: WantedAudio) -> bool:
        """Copy to the end; False when it was left. Raises FetchError, CarrierGoneError."""
        try:
            if not self._store.make_room(audio.size_bytes, self._keep):
                raise FetchError("store-full", expected=str(audio.size_bytes))
            part = self._store.begin(audio.sha256, audio.size_bytes)
            begun_elsewhere = part.offset > 0
            try:
                while part.offset < part.size_bytes:
                    offer.offset = part.offset
                    data = offer.read()[: part.size_bytes - part.offset]
                    if not data:
                        break
                    part.write(data)
                    if self._displaced():
                        return False
                offer.offset = part.offset
                part.finish()
            finally:
                part.close()
        except self._errors as error:
            failure = _as_fetch_error(error)
            if (
                failure.code == "wrong-hash" and begun_elsewhere
            ):  # which of the two was bad, the whole of this one tells
                return self._store_offer(offer, audio)
            raise failure from error
        except OSError as error:
            raise FetchError("store-failing", error=str(error)) from error
        return True

    def _context(self, place: str) -> ssl.SSLContext:
        try:
            return make_context(self._settings.ca_file)
        except OSError as error:
            raise FetchError("tls", url=place, error=str(error)) from error

    def _chunks_into(self, part: PartialFile, sha256: Sha256) -> bool:
        chunk_bytes = LIMITS.blob_chunk_bytes
        self._chunks.ask_for(sha256, -(-part.size_bytes // chunk_bytes))
        try:
            while part.offset < part.size_bytes:
                number, have_bytes = divmod(part.offset, chunk_bytes)
                data = self._next_chunk(part, sha256, number)
                if data is None:
                    return False
                if len(data) != min(chunk_bytes, part.size_bytes - number * chunk_bytes):
                    found = number * chunk_bytes + len(data)
                    raise FetchError("short", found=str(found), expected=str(part.size_bytes))
                part.write(data[have_bytes:])
        finally:
            self._chunks.leave(sha256)
        return True

    def _next_chunk(self, part: PartialFile, sha256: Sha256, number: int) -> bytes | None:
        """Wait for one chunk in glances; None when something more urgent came up. Raises FetchError."""
        asked_s = time.monotonic()
        while not self._displaced():
            data = self._chunks.take(sha256, number, GLANCE_S)
            if data is not None:
                return data
            trouble = self._chunks.trouble()
            if trouble is not None:
                raise FetchError("broken", url="broker:", error=trouble)  # retry_now comes with the link
            waited_s = time.monotonic() - asked_s
            if min(waited_s, self._chunks.silent_s()) > CHUNK_SILENT_S:
                raise FetchError("timeout", url="broker:", seconds=str(CHUNK_SILENT_S))
            if waited_s > CHUNK_TIMEOUT_S:
                raise FetchError("too-slow", found=str(part.offset), expected=str(part.size_bytes))
        return None


def _what(audio: WantedAudio) -> tuple[str, int, tuple[str, ...]]:
    return audio.sha256, audio.size_bytes, audio.places


def _as_fetch_error(error: Exception) -> FetchError:
    code, detail = getattr(error, "code", "store-failing"), getattr(error, "detail", ())
    return FetchError(code, **dict(detail))
