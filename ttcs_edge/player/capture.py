"""What a sound input hears, on its way to the loudspeaker: at most 60 ms of it wait.

Two clocks drift apart, and a speaker must not hear himself late, for however long he speaks. What waits is looked at
with each period that is read: when the least of half a second is more than a reader needs, something is left out, and
when it is less, something is heard twice (``splice``). A thread of its own reads the input, for an input may hang; what
nobody takes is left out at once.
"""

from __future__ import annotations

import threading
import time
from array import array

from ttcs_edge.drivers.sound import SoundError
from ttcs_edge.drivers.sound_input import SILENT_INPUT_S, SoundInput
from ttcs_edge.player.splice import (
    FADE_FRAMES,
    FRAMES_PER_MS,
    Distance,
    faded_in,
    faded_out,
    gone_over,
)

WAIT_MOST_FRAMES = 60 * FRAMES_PER_MS
START_FRAMES = 25 * FRAMES_PER_MS
"""How much waits when the first period is read, and whenever it had run dry."""
WANTED_FRAMES = range(10 * FRAMES_PER_MS, 20 * FRAMES_PER_MS)
"""The least that should be left behind a read: less runs dry by a moment's delay, more is heard as one."""
LOOKS = 50
REST = 5
"""How many reads are looked at, half a second of them, and how many lie between two steps."""
OPENING_S = 2.5
"""How long an input may take to open and to give its first period."""


class Capture:
    """Reads an input, which it closes in the end. Where it fails, it is exhausted: ``sound-input``.

    ``device_ms`` is what the device takes at once when it begins to play: so much more waits before that.
    """

    short_ms = 0
    filled_bytes = 0

    def __init__(self, sound_input: SoundInput, device_ms: int) -> None:
        self._input = sound_input
        self._start_frames = START_FRAMES + device_ms * FRAMES_PER_MS
        self._condition = threading.Condition()
        self._waiting = array("h")
        self._patient_until_s = time.monotonic() + OPENING_S
        self._flows = False
        self._gone = False
        self._closing = False
        self._distance = Distance(WANTED_FRAMES, LOOKS, REST)
        self._thread = threading.Thread(target=self._hear, name="input", daemon=True)
        self._thread.start()

    def _hear(self) -> None:
        try:
            self._input.begin()
            while not self._closing:
                self._take(array("h", self._input.read()))
        except SoundError:
            pass
        finally:
            self._input.end()
            with self._condition:
                self._gone = True
                self._condition.notify_all()

    def _take(self, period: array[int]) -> None:
        with self._condition:
            self._patient_until_s = time.monotonic() + SILENT_INPUT_S
            self._waiting += period
            most_frames = WAIT_MOST_FRAMES if self._flows else max(WAIT_MOST_FRAMES, self._start_frames)
            if len(self._waiting) > most_frames:
                kept_frames = START_FRAMES if self._flows else self._start_frames
                self._waiting = gone_over(self._waiting, 0, len(self._waiting) - kept_frames)
                self._distance.forget()
            self._condition.notify_all()

    def read(self, size_bytes: int, timeout_s: float) -> bytes:
        """Take a period; 5 ms are kept behind it, which fade away should nothing follow them."""
        frames = size_bytes // 2
        with self._condition:
            enough = frames + FADE_FRAMES if self._flows else self._start_frames
            left_frames = len(self._waiting) - frames  # less than none, where a read has to wait
            self._condition.wait_for(lambda: self._gone or len(self._waiting) >= enough, timeout_s)
            self._gone = self._gone or time.monotonic() > self._patient_until_s
            if len(self._waiting) < enough:
                return self._dry(frames).tobytes()
            if not self._flows:
                self._waiting = faded_in(self._waiting[-self._start_frames :])
                self._flows, self._start_frames = True, START_FRAMES
            self._waiting = self._distance.kept(self._waiting, left_frames)
            data = self._waiting[:frames]
            self._waiting = self._waiting[frames:]
        return data.tobytes()

    def _dry(self, frames: int) -> array[int]:
        """The last that there is, and then nothing until there is enough again."""
        if not self._flows:
            return array("h")
        self._flows = False
        self._distance.forget()
        data, self._waiting = faded_out(self._waiting[:frames]), self._waiting[frames:]
        return data

    @property
    def exhausted(self) -> bool:
        """Tell whether the input is gone and what it gave was read."""
        with self._condition:
            return self._gone and not self._flows

    @property
    def failure(self) -> str | None:
        """An input has no end of its own."""
        return "sound-input" if self._gone else None

    def ends_within(self, size_bytes: int) -> bool:
        """Nobody knows when a speaker ends."""
        return False

    def close(self) -> None:
        """Close the input; one that hangs is left alone."""
        self._closing = True
        self._thread.join(SILENT_INPUT_S + 0.1)
