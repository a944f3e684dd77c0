"""Sound that comes over the network while it is made: segments of Opus packets, each verified by the daemon.

- A play begins with its first segment, or with the first fifth of a second of shorter ones.
- Segments are played by their numbers. One that is missing where a later one waits is lost: up to 100 ms of it are
  concealed, the rest is silence, and what comes after it is heard at its own place in time. How long it was is known
  from the others; where that is more than two seconds, nobody waits. One that comes again, or behind what was played,
  is left out.
- Where none waits, the same stands in until one comes; that one is then heard whole, and the session is heard so much
  later from there on: a link that stutters gets more room, up to a second.
- What waits beyond what the link needs is caught up with by a step now and then (``splice``); what waits beyond two
  seconds is left at once, going over to what is behind it, so that nobody hears a session later than that.
- After three seconds without a packet that can be decoded the session is lost.

Packets are decoded by the thread that reads, shortly before they are needed.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import deque
from contextlib import suppress
from itertools import pairwise

from ttcs_edge.opus import PACKET_FRAMES, PACKET_MS, OpusDecoder, OpusError
from ttcs_edge.player.messages import SEGMENT_PACKETS, Segment
from ttcs_edge.player.splice import FADE_FRAMES, FRAMES_PER_MS, Distance, faded_in, faded_out, gone_over

START_AHEAD_MS = 200
"""How much must wait when the first period is read; so long it is waited for, from the first segment on."""
BEHIND_MOST_MS = 2_000
BEHIND_SEGMENT_MS = 500
"""How much may wait, and beside one whole segment, should that be more."""
LEAP_MS = 300
"""How much further is gone when that was exceeded, so that the next segment does not exceed it again."""
LIVE_LOST_MS = 3_000
CONCEALED_PACKETS = 5
"""How many packets in a row are concealed: behind 100 ms it is no voice any more."""
WAITING_PACKETS = 2 * SEGMENT_PACKETS + 100
"""How many are kept, should many come at once: those of the newest segments."""
PREROLL_PACKETS = 4
"""How many are decoded unheard before a place that is gone over to: RFC 7845, 4.6 asks for 80 ms."""
WANTED_FRAMES = range(100 * FRAMES_PER_MS, 300 * FRAMES_PER_MS)
WANTED_MOST_FRAMES = 1_000 * FRAMES_PER_MS
ROOM_FRAMES = 200 * FRAMES_PER_MS
"""What should be left behind each read at the least, and by how much it grows each time that it ran dry."""
LOOKS = 250
REST = 10
"""Reads that are looked at: they span the longest segment. And how many lie between two steps: 10 percent at most."""
_LOST = b""


class LiveSource:
    """What ``add`` is given, as samples. One thread adds, another reads."""

    short_ms = 0

    def __init__(self) -> None:
        self.filled_bytes = 0
        self.failure: str | None = None
        self._condition = threading.Condition()
        self._segments: dict[int, tuple[bytes, ...]] = {}
        self._current: deque[bytes] = deque()
        self._waiting_packets = 0
        self._number: int | None = None
        self._last: int | None = None
        self._typical_packets = 1
        self._first_s: float | None = None
        self._heard_s: float | None = None
        self._samples = array("h")
        self._missed_frames = 0
        self._lost_packets = 0
        self._seam = True
        self._distance = Distance(WANTED_FRAMES, LOOKS, REST)
        self._decoder: OpusDecoder | None = None
        try:
            self._decoder = OpusDecoder()
        except OpusError:
            self.failure = "live-lost"

    def add(self, segment: Segment) -> None:
        """A segment came."""
        number, packets = segment.number, segment.packets or (_LOST,)
        with self._condition:
            behind = self._number is not None and number < self._number
            if behind or number in self._segments or (self._last is not None and number > self._last):
                return
            self._segments[number] = packets
            self._waiting_packets += len(packets)
            if segment.last:
                self._last = number
            else:
                self._typical_packets = len(packets)
            self._first_s = self._first_s or time.monotonic()
            while self._waiting_packets > WAITING_PACKETS and len(self._segments) > 1:
                self._waiting_packets -= len(self._segments.pop(min(self._segments)))
            self._condition.notify_all()

    def read(self, size_bytes: int, timeout_s: float) -> bytes:
        """Take a period. Once the first was given each is whole, whatever stands in for what is missing."""
        if self._is_lost() or not self._has_begun(timeout_s):
            return b""
        frames = size_bytes // 2
        most_frames = self._most_frames()
        behind_frames = self._behind_frames()
        if behind_frames > most_frames:
            self._leap(behind_frames - most_frames + LEAP_MS * FRAMES_PER_MS)
        self._fill(frames, timeout_s)
        if not self._lost_packets and self._last is None:
            self._samples = self._distance.kept(self._samples, behind_frames - frames)
            self._fill(frames, timeout_s)
        data, self._samples = self._samples[:frames], self._samples[frames:]
        return (faded_out(data) if self.exhausted else data).tobytes()

    def _is_lost(self) -> bool:
        now_s = time.monotonic()
        self._heard_s = self._heard_s or now_s
        if now_s > self._heard_s + LIVE_LOST_MS / 1_000:
            self.failure = "live-lost"
        return self.failure is not None

    def _has_begun(self, timeout_s: float) -> bool:
        if self._number is not None:
            return True
        with self._condition:
            if not self._condition.wait_for(self._may_begin, timeout_s):
                return False
            self._number = min(self._segments)
            self._heard_s = time.monotonic()
        return True

    def _may_begin(self) -> bool:
        if self._first_s is None:
            return False
        enough = self._waiting_packets * PACKET_MS >= START_AHEAD_MS or self._last is not None
        return enough or time.monotonic() >= self._first_s + START_AHEAD_MS / 1_000

    def _most_frames(self) -> int:
        segment_ms = self._typical_packets * PACKET_MS
        return max(BEHIND_MOST_MS, segment_ms + BEHIND_SEGMENT_MS) * FRAMES_PER_MS

    def _behind_frames(self) -> int:
        """How much waits, and what is missing between."""
        with self._condition:
            missing_frames = 0
            if self._segments and self._number is not None:
                numbers = [self._number - 1, *sorted(self._segments)]
                if numbers[-1] - numbers[0] >= len(numbers):
                    missing_frames = sum(self._gap_frames(*pair) for pair in pairwise(numbers))
            waiting_frames = len(self._samples) + self._waiting_packets * PACKET_FRAMES
            return waiting_frames + max(0, missing_frames - self._missed_frames)

    def _gap_frames(self, before: int, after: int) -> int:
        """How long what is missing between two segments was, if that is to be waited for."""
        frames = (after - before - 1) * self._typical_packets * PACKET_FRAMES
        return frames if frames <= BEHIND_MOST_MS * FRAMES_PER_MS else 0

    def _leap(self, frames: int) -> None:
        """Leave out what is next, and go over to what is behind it."""
        self._fill(FADE_FRAMES, 0.0)
        unheard: deque[bytes] = deque(maxlen=PREROLL_PACKETS)
        with self._condition:
            for _ in range(frames // PACKET_FRAMES):
                packet = self._take()
                if packet:
                    unheard.append(packet)
        for unheard_packet in unheard:
            with suppress(OpusError):
                self._opus.decode(unheard_packet)
        self._seam = True
        self._distance.forget()
        self._fill(len(self._samples) + 1, 0.0)  # while what it goes over from is there

    def _fill(self, frames: int, timeout_s: float) -> None:
        """Have so many samples, unless the session ends before."""
        while len(self._samples) < frames:
            packet = self._next(timeout_s)
            if packet is None:
                return
            self._append(self._sound(packet))

    def _next(self, timeout_s: float) -> bytes | None:
        """The next packet, an empty one in the place of one that is missing; None behind the last."""
        with self._condition:
            # Half of the time: what is read has to be handed over within a period, too.
            self._condition.wait_for(lambda: self._current or self._segments or self._is_over(), timeout_s / 2)
            if self._is_over():
                return None
            packet = self._take()
            if packet is None:
                self._missed_frames += PACKET_FRAMES
                self._give_room()
        return packet or _LOST

    def _take(self) -> bytes | None:
        """The next packet; an empty one where a segment is missing; None where nothing waits."""
        if not self._current and self._segments:
            first = min(self._segments)
            assert self._number is not None, "not begun"
            if self._gap_frames(self._number - 1, first) > self._missed_frames:
                self._missed_frames += PACKET_FRAMES
                return _LOST
            self._current.extend(self._segments.pop(first))
            self._number, self._missed_frames = first + 1, 0
        if not self._current:
            return None
        self._waiting_packets -= 1
        return self._current.popleft()

    def _give_room(self) -> None:
        """It runs dry: from now on, more should wait."""
        wanted = self._distance.wanted_frames
        if not self._lost_packets and wanted.stop < WANTED_MOST_FRAMES:
            self._distance.wanted_frames = range(wanted.start + ROOM_FRAMES, wanted.stop + ROOM_FRAMES)
            self._distance.forget()

    def _sound(self, packet: bytes) -> array[int]:
        """The samples of a packet, or what stands in for them."""
        try:
            samples = array("h", self._opus.decode(packet))
        except OpusError:
            return self._stand_in()
        self._lost_packets = 0
        self._heard_s = time.monotonic()
        return samples

    def _stand_in(self) -> array[int]:
        self._lost_packets += 1
        self.filled_bytes += 2 * PACKET_FRAMES
        if self._seam or self._lost_packets > CONCEALED_PACKETS:
            self._seam = True
            return array("h", bytes(2 * PACKET_FRAMES))
        concealed = array("h", self._opus.conceal())
        return faded_out(concealed) if self._lost_packets == CONCEALED_PACKETS else concealed

    def _append(self, samples: array[int]) -> None:
        joint = len(self._samples) - FADE_FRAMES
        if not self._seam:
            self._samples += samples
        elif self._lost_packets:
            self._samples = faded_out(self._samples) + samples
        elif joint < 0:
            self._samples += faded_in(samples)
        else:
            self._samples = gone_over(self._samples + samples, joint, FADE_FRAMES)
        self._seam = self._lost_packets > CONCEALED_PACKETS or (self._seam and self._lost_packets > 0)

    @property
    def _opus(self) -> OpusDecoder:
        assert self._decoder is not None, "nothing is read without one"
        return self._decoder

    def _is_over(self) -> bool:
        if self._last is None or self._number is None:
            return False
        return self._number > self._last and not self._current

    @property
    def exhausted(self) -> bool:
        """Tell whether the session ended, or is lost, and everything was read."""
        with self._condition:
            return self.failure is not None or (self._is_over() and not self._samples)

    def ends_within(self, size_bytes: int) -> bool:
        """Nothing is to follow."""
        return False

    def close(self) -> None:
        """There is nothing to let go but memory."""
