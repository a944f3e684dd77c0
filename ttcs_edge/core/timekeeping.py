"""Which of the station's sources of time is believed, how far, and what none may tell (air-7).

Each source says what the time is when it is asked, or why it cannot. Its word is carried by the monotonic clock, so a
station whose link is gone for days keeps its time: the kernel calls itself unsynchronised nine hours after the last
packet of NTP (adjtimex(2): STA_UNSYNC at 16 s of estimated error, which grows by 500 ppm), while the crystal of a
Raspberry Pi drifts by some 20 ppm, two seconds a day. The rules:

1. A word is worth its source's own error (``OWN_ERROR_MS``) and what the crystal may have drifted since it was told
   (``DRIFT_PPM``). The word of least error is in force: so NTP comes before a battery clock, that before a modem, and
   that before the time signed in the centre's beacons; and a fresh word of a lesser source before a stale one.
2. A word that may be further off than ``WORST_ERROR_MS`` is not believed any more.
3. A word below the floor is not believed, and does not replace an earlier one that was. The floor is the newest time
   ever signed; it never goes down under one trust root. ``SLACK_MS`` of it is forgiven: the centre's clock is a
   person's computer.
4. A word that agrees with the source's earlier one, within its own error, moves nothing: a clock that tells whole
   seconds shall not make the station's step to and fro. Except of NTP, which is exact.
5. Signed time is only ever late: on its way it ages. So a later signed word counts if it is not behind the earlier one.

What it leaves out: how a source is asked (``drivers``). Where two sources contradict each other, nobody votes: the
order decides, as the operator set it up.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from ttcs_edge.core.model import Instant, MonoMs, WallMs

FLOOR_MS = 1_764_000_000_000
"""No station of this release lives before this instant (November 2025): an earlier clock is wrong."""
DRIFT_PPM = 50
"""What a crystal without a temperature oven may drift, at 0 to 60 degrees: 4.3 s a day."""
WORST_ERROR_MS = 150_000
"""How far off the time of a bulletin may be: a word of NTP is good for 34 days without another."""
CEILING_MS = 4_102_444_800_000
"""No station lives to see the year 2100: what tells a later time talks nonsense."""
SLACK_MS = 600_000
"""How far below the floor a time may be, and how far ahead of ours the centre's clock, before anybody is told."""


class TimeSource(Enum):
    """Who can tell a station what the time is, the best first."""

    HOST = "host"
    KERNEL = "kernel"
    RTC = "rtc"
    MODEM = "modem"
    SIGNED = "signed"


OWN_ERROR_MS = {
    TimeSource.HOST: 0,
    TimeSource.KERNEL: 100,
    TimeSource.RTC: 2_000,
    TimeSource.MODEM: 5_000,
    TimeSource.SIGNED: 30_000,
}
"""How far off the fresh word of each source may be: resolution, asking, delivery."""
EXACT = frozenset({TimeSource.HOST, TimeSource.KERNEL})

TOLD = "told"
NOT_HEARD = "not-heard"
BELOW_FLOOR = "below-floor"
STALE = "stale"
GARBLED = "garbled"


class SourceWord(Struct, frozen=True):
    """The last that a source said: ``told``, or a code of why it is not believed. ``found_ms`` is a time refused."""

    source: TimeSource
    word: str
    found_ms: WallMs | None = None


class ClockState(Struct, frozen=True):
    """The source in force and since when, or None; the last word of each; the floor."""

    source: TimeSource | None = None
    since_mono_ms: int = 0
    words: tuple[SourceWord, ...] = ()
    floor_ms: int = FLOOR_MS


class Heard(Struct, frozen=True):
    """A time as a source told it: the wall clock less the monotonic one, and when that was."""

    offset_ms: int
    mono_ms: MonoMs

    def error_ms(self, source: TimeSource, mono_ms: int) -> int:
        """How far off it may be by now."""
        return OWN_ERROR_MS[source] + (mono_ms - self.mono_ms) * DRIFT_PPM // 1_000_000


class Timekeeper:
    """What every source said last, and whose word is in force. Knows no clock: each call brings the monotonic one."""

    def __init__(self, sources: tuple[TimeSource, ...], floor_ms: int = FLOOR_MS) -> None:
        self.floor_ms = floor_ms
        self._heard: dict[TimeSource, Heard] = {}
        self._words = {source: SourceWord(source, NOT_HEARD) for source in sources}
        self._in_force: TimeSource | None = None
        self._since_mono_ms = 0

    def hear(self, source: TimeSource, wall_ms: int, mono_ms: MonoMs) -> None:
        """A source told the time that it was at a monotonic instant. One that is not listened to is passed over."""
        if source not in self._words:
            return
        if not 0 <= wall_ms < CEILING_MS:
            self._words[source] = SourceWord(source, GARBLED)
            return
        if wall_ms < self.floor_ms - SLACK_MS:
            self._words[source] = SourceWord(source, BELOW_FLOOR, WallMs(wall_ms))
            return
        self._words[source] = SourceWord(source, TOLD)
        word, before = Heard(wall_ms - mono_ms, mono_ms), self._heard.get(source)
        if before is not None and source not in EXACT:
            moved_ms = word.offset_ms - before.offset_ms
            drifted_ms = before.error_ms(source, mono_ms) - OWN_ERROR_MS[source]
            if source is TimeSource.SIGNED:
                if moved_ms < -drifted_ms:
                    return
            elif abs(moved_ms) <= OWN_ERROR_MS[source]:
                word = Heard(before.offset_ms, mono_ms)
        self._heard[source] = word

    def miss(self, source: TimeSource, word: str) -> None:
        """A source was asked and could not tell; ``word`` says why. What it told before goes on being carried."""
        if source in self._words:
            self._words[source] = SourceWord(source, word)

    def raise_floor(self, wall_ms: int) -> None:
        """The floor is at least here; it never goes down."""
        self.floor_ms = max(self.floor_ms, wall_ms)

    def offset_ms(self, mono_ms: MonoMs) -> int | None:
        """Wall clock less monotonic clock by the word in force, or None: no source is believed."""
        best: tuple[int, TimeSource] | None = None
        for source in self._words:
            heard = self._heard.get(source)
            if heard is None or not self._believed(source, heard, mono_ms):
                continue
            error_ms = heard.error_ms(source, mono_ms)
            if best is None or error_ms < best[0]:
                best = error_ms, source
        in_force = best[1] if best else None
        if in_force is not self._in_force:
            self._in_force, self._since_mono_ms = in_force, mono_ms
        return self._heard[in_force].offset_ms if in_force else None

    def _believed(self, source: TimeSource, heard: Heard, mono_ms: int) -> bool:
        """A word that is believed no more is forgotten: it can only get worse."""
        wall_ms = heard.offset_ms + mono_ms
        if wall_ms < self.floor_ms - SLACK_MS:
            self._words[source] = SourceWord(source, BELOW_FLOOR, WallMs(wall_ms))
        elif heard.error_ms(source, mono_ms) > WORST_ERROR_MS:
            if self._words[source].word == TOLD:
                self._words[source] = SourceWord(source, STALE)
        else:
            return True
        del self._heard[source]
        return False

    def state(self) -> ClockState:
        """Whose word is in force, and what each source said last."""
        words = tuple(self._words.values())
        return ClockState(self._in_force, self._since_mono_ms, words, self.floor_ms)


def raised_floor(floor_ms: int, issued_ms: int, now: Instant, root_expires_ms: int) -> int:
    """The floor after an accepted document that says when it was issued. It never goes down.

    A key that was stolen, or a centre whose clock is wrong, must not put it where no true time reaches it. While the
    time is known, the floor never passes it. While it is not, a document counts as far as its trust root is valid; a
    floor that was put too high so is left behind with that root: a new root begins a new floor, and a key that was
    stolen is answered with a new root anyhow.
    """
    if now.trusted:
        issued_ms = min(issued_ms, now.wall_ms)
    elif issued_ms >= root_expires_ms:
        return floor_ms
    return max(floor_ms, issued_ms)


def is_ahead(issued_ms: int, now: Instant) -> bool:
    """Tell whether a document was issued in the future, as far as that can be known."""
    return now.trusted and issued_ms > now.wall_ms + SLACK_MS
