"""The thread that owns the sound device: periods of 10 ms, gain and fades per sample, counts of what was written.

A play is a row of items, each with its source. The next item's source is asked for while the one before it sounds.
Volume follows a square law: 50 percent is 12 dB down; on its way from one to another it does not click. Samples count
as written once the device has taken them; what fills a gap of its source is not counted, and the gap is told as an
under-run.
"""

from __future__ import annotations

import math
import threading
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

from ttcs_edge.drivers.sound import PERIOD_BYTES, PERIOD_FRAMES, PERIOD_MS, PERIOD_NS, SoundError, SoundSink
from ttcs_edge.player.decoder import BYTES_PER_MS
from ttcs_edge.player.messages import (
    Alive,
    Answer,
    Device,
    Ended,
    Play,
    Progress,
    Ready,
    Sounding,
    Started,
    first_item,
    item_offset_ms,
    parts,
)
from ttcs_edge.player.sent import Sent
from ttcs_edge.player.source import Opening, Source

TELL_EVERY_PERIODS = 10
TELL_S = 0.1
IDLE_TELL_S = 5.0
EXPECTING_TELL_S = 0.5
"""How often a player with nothing to play says that it is alive, and how often once it was told what comes next. A play
that waits for its instant, or sounds, speaks every 100 ms."""
DECODE_LEAD_NS = 500_000_000
"""How long before its instant a play's first item is decoded, when it was not decoded ahead."""
AHEAD_BYTES = 50 * PERIOD_BYTES
"""The next item is decoded from half a second before the end of the one before it."""
STARVED_S = 5.0
"""How long an item may give no samples before it counts as no audio. What is made while it airs knows its own end."""
ROUNDING_MS = 10
"""How much shorter than declared an item may be by rounding alone."""
PROBE_GOOD_EVERY_S = 60.0
PROBE_BAD_EVERY_S = 2.0
PROBE_EXPECTING_S = 1.0
"""How often the device is tried while nothing plays, and how soon after it is known what comes next: a fault is to be
told of before the cue needs the device, and a play that comes at once must not wait for a trial."""
LEAVE_FADE_MS = 100
TURN_MS = 200
"""How long the way from one volume to another takes: shorter is a click, longer is late."""
SILENT_LEVEL = 1e-6
"""A fade that is down to here is over; a sample has 16 bits."""
SILENCE_DB = -120.0


@dataclass(slots=True)
class _Ramp:
    """A factor on its way to ``target``, sample by sample."""

    at: float
    target: float
    step: float = 0.0

    def to(self, target: float, span_ms: int) -> None:
        """Be there after this time; from one period to the next at the soonest."""
        self.target = target
        self.step = (target - self.at) * PERIOD_MS / (PERIOD_FRAMES * max(span_ms, PERIOD_MS))

    def period(self) -> list[float]:
        """Its values for the samples of the next period."""
        bound = min if self.step > 0 else max
        values = [bound(self.target, self.at + self.step * number) for number in range(1, PERIOD_FRAMES + 1)]
        self.at = values[-1]
        return values


@dataclass(slots=True)
class _Sound:
    """A play under way: ``fade`` goes from 0 to 1 and back, ``gain`` is what its volume makes of each sample."""

    command: Sounding
    first: int
    item_bytes: list[int]
    gain: _Ramp
    fade: _Ramp = field(default_factory=lambda: _Ramp(1.0, 1.0))
    sources: list[Opening] = field(default_factory=list)
    filled_bytes: int = 0
    stopping: bool = False
    frames: int = 0
    squares: int = 0
    peak: int = 0
    tell: int = 0


class Writer:
    """Plays what ``play`` is given. ``source`` has a source made, and ``release`` ended, on the control thread.

    ``over`` is called when nothing more of a play will be asked for, before its ``Ended`` is told.
    """

    def __init__(
        self,
        sink: SoundSink,
        answer: Callable[[Answer], None],
        source: Callable[[Sounding, int], Opening],
        release: Callable[[Opening], None],
        over: Callable[[Sounding], None],
    ) -> None:
        self._sink = sink
        self._answer = answer
        self._source = source
        self._release = release
        self._over = over
        self._condition = threading.Condition()
        self._next: Sounding | None = None
        self._current: Sounding | None = None
        self._stop_fade_ms: int | None = None
        self._turned_percent: int | None = None
        self._leaving = False
        self._expecting = False
        self._probe_at_s = 0.0
        self._device_ok: bool | None = None
        self._gaps = 0
        self._sent: Sent | None = None
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def play(self, command: Sounding) -> None:
        """Play this. The daemon sends one at a time; should an older one wait or sound still, it is over."""
        with self._condition:
            replaced, self._next = self._next, command
            self._expecting = False
            if self._current is not None:
                self._stop_fade_ms = LEAVE_FADE_MS
            self._condition.notify_all()
        if replaced is not None:
            self._never_begun(replaced)

    def expect(self) -> None:
        """Something is to be played soon: be quick to say that all is well, or that it is not."""
        with self._condition:
            self._expecting = True
            self._probe_at_s = min(self._probe_at_s, time.monotonic() + PROBE_EXPECTING_S)
            self._condition.notify_all()

    def stop(self, play: int, fade_out_ms: int) -> None:
        """Fade a play out and end it; one that is over already is left alone."""
        with self._condition:
            waiting = self._next
            if waiting is not None and waiting.play == play:
                self._next = None
            elif self._current is not None and self._current.play == play:
                waiting, self._stop_fade_ms = None, fade_out_ms
            else:
                waiting = None
            self._condition.notify_all()
        if waiting is not None:
            self._never_begun(waiting)

    def turn(self, play: int, volume_percent: int) -> None:
        """Make a play louder, or less loud; one that is over already is left alone."""
        with self._condition:
            if self._next is not None and self._next.play == play:
                self._next = self._next._replace(volume_percent=volume_percent)
            elif self._current is not None and self._current.play == play:
                self._turned_percent = volume_percent

    def copy_to(self, sent: Sent) -> None:
        """From the next period on, what the device took is copied there."""
        self._sent = sent

    def leave(self) -> None:
        """Fade what sounds out quickly and end the thread."""
        with self._condition:
            self._leaving = True
            self._stop_fade_ms = LEAVE_FADE_MS
            self._condition.notify_all()
        self._thread.join(1.0)

    def _never_begun(self, command: Sounding) -> None:
        self._over(command)
        self._answer(Ended(command.play, False, (0,) * parts(command), None))

    def _run(self) -> None:
        self._probe()
        self._answer(Ready(self._sink.name))
        while not self._leaving:
            with self._condition:
                self._condition.wait(0.0 if self._next else self._rest_s())
                self._current, self._next, self._turned_percent = self._next, None, None
                if not self._leaving:
                    self._stop_fade_ms = None
            if self._current is not None:
                self._perform(self._current)
                continue
            self._answer(Alive())
            if time.monotonic() >= self._probe_at_s:
                self._probe()

    def _rest_s(self) -> float:
        """How long there is nothing to say and nothing to try."""
        tell_s = EXPECTING_TELL_S if self._expecting else IDLE_TELL_S
        return 0.0 if self._leaving else max(0.0, min(tell_s, self._probe_at_s - time.monotonic()))

    def _probe(self) -> None:
        """Open and close the device, so that a missing one is known before it is needed."""
        try:
            self._sink.begin(0)
            self._sink.end()
            self._tell_device(True, "")
        except SoundError as error:
            self._tell_device(False, str(error))

    def _tell_device(self, ok: bool, error: str) -> None:
        self._probe_at_s = time.monotonic() + (PROBE_GOOD_EVERY_S if ok else PROBE_BAD_EVERY_S)
        if ok != self._device_ok:
            self._device_ok = ok
            self._answer(Device(ok, self._sink.name, error))

    def _perform(self, command: Sounding) -> None:
        first = first_item(command.items, command.from_ms) if isinstance(command, Play) else 0
        gain = _gain(command.volume_percent)
        sound = _Sound(command, first, [0] * parts(command), _Ramp(gain, gain))
        failure: str | None = None
        completed = False
        try:
            self._sink.begin(command.play)
            self._tell_device(True, "")
            failure, completed = self._items(sound)
            self._sink.end()
        except SoundError as error:
            failure = "sound-device"
            self._tell_device(False, str(error))
        written_ms = tuple(written // BYTES_PER_MS for written in sound.item_bytes)
        self._over(command)
        with self._condition:
            self._current = None
        self._answer(Ended(command.play, completed and failure is None, written_ms, failure))

    def _wait_until(self, at_mono_ns: int) -> bool:
        """Wait for an instant, exactly; False when stopped before it."""
        while (left_ns := at_mono_ns - time.monotonic_ns()) > 2_000_000:
            with self._condition:
                if self._condition.wait_for(lambda: self._stop_fade_ms is not None, min(left_ns / 1e9 - 0.001, TELL_S)):
                    return False
            self._answer(Alive())
        while (left_ns := at_mono_ns - time.monotonic_ns()) > 0:
            time.sleep(left_ns / 1e9)
        return self._stop_fade_ms is None

    def _items(self, sound: _Sound) -> tuple[str | None, bool]:
        """Play the items one after another from the play's instant on; gives (failure, completed)."""
        command = sound.command
        try:
            if not self._wait_until(command.at_mono_ns - DECODE_LEAD_NS):
                return None, False
            sound.sources.append(self._source(command, sound.first))
            if not self._wait_until(command.at_mono_ns):
                return None, False
            if command.fade_in_ms:
                sound.fade.at = 0.0
                sound.fade.to(1.0, command.fade_in_ms)
            for index in range(sound.first, parts(command)):
                if not sound.sources:
                    sound.sources.append(self._source(command, index))
                outcome = self._item(sound, index)
                if outcome is not None:
                    return (None if outcome == "stopped" else outcome), False
                self._release(sound.sources.pop(0))
            return None, True
        finally:
            for source in sound.sources:
                self._release(source)

    def _item(self, sound: _Sound, index: int) -> str | None:
        """Play one item to its end: None when all of it was written, else what ended it."""
        starved_s = 0.0
        while not sound.sources[0].opens_within(TELL_S):  # libvlc has other work first
            if self._fade_out_done(sound):
                return "stopped"
            self._answer(Alive())
        source = sound.sources[0].result()
        sound.filled_bytes = 0
        while True:
            if len(sound.sources) == 1 and index + 1 < len(sound.item_bytes) and source.ends_within(AHEAD_BYTES):
                sound.sources.append(self._source(sound.command, index + 1))
            if self._fade_out_done(sound):
                return "stopped"
            data = source.read(PERIOD_BYTES, PERIOD_NS / 1e9)
            over = len(data) < PERIOD_BYTES and source.exhausted
            if over and not data:
                return source.failure or self._judge_end(sound, index, source.short_ms)
            if not data:
                starved_s += PERIOD_NS / 1e9
                if starved_s > STARVED_S and isinstance(sound.command, Play):
                    return "not-audio"
                self._answer(Alive())
            else:
                starved_s = 0.0
            if data or sound.frames:
                filled_bytes = self._filled_bytes(sound, source, len(data))
                self._gaps += filled_bytes > 0 or (len(data) < PERIOD_BYTES and not over)
                self._put(sound, index, data, len(data) - filled_bytes)

    def _filled_bytes(self, sound: _Sound, source: Source, size_bytes: int) -> int:
        """How much of what was just read is no audio."""
        filled_bytes = min(size_bytes, source.filled_bytes - sound.filled_bytes)
        sound.filled_bytes += filled_bytes
        return filled_bytes

    def _judge_end(self, sound: _Sound, index: int, short_ms: int) -> str | None:
        """A decode that ended early is not the whole item, whatever libvlc says (never-9)."""
        if not isinstance(sound.command, Play):
            return None
        item = sound.command.items[index]
        skipped_ms = item_offset_ms(sound.command.items, sound.command.from_ms) if index == sound.first else 0
        written_ms = sound.item_bytes[index] // BYTES_PER_MS
        missing_ms = item.duration_ms - skipped_ms - written_ms
        nothing = written_ms == 0 and skipped_ms == 0
        return "not-audio" if nothing or missing_ms > short_ms + ROUNDING_MS else None

    def _fade_out_done(self, sound: _Sound) -> bool:
        if not sound.stopping and self._stop_fade_ms is not None:
            sound.stopping = True
            if self._stop_fade_ms == 0 or sound.frames == 0:
                sound.fade.at = 0.0
            sound.fade.to(0.0, self._stop_fade_ms)
        return sound.stopping and sound.fade.at <= SILENT_LEVEL

    def _put(self, sound: _Sound, index: int, data: bytes, audio_bytes: int) -> None:
        samples = self._shaped(sound, array("h", data.ljust(PERIOD_BYTES, b"\0")))
        period, sent = samples.tobytes(), self._sent
        before_ns = time.monotonic_ns()
        self._sink.write(period)
        if sent is not None:
            sent.put(period)
        sound.item_bytes[index] += audio_bytes
        if sound.frames == 0:
            self._answer(Started(sound.command.play, before_ns))
        sound.frames += PERIOD_FRAMES
        sound.squares += sum([sample * sample for sample in samples])
        sound.peak = max(sound.peak, max(samples), -min(samples))
        sound.tell += 1
        if sound.tell == TELL_EVERY_PERIODS:
            rms = math.sqrt(sound.squares / (TELL_EVERY_PERIODS * PERIOD_FRAMES))
            written_ms = sum(sound.item_bytes) // BYTES_PER_MS
            underruns = self._gaps + self._sink.underruns
            self._answer(Progress(sound.command.play, written_ms, _db(rms), _db(sound.peak), underruns))
            sound.tell = sound.squares = sound.peak = 0

    def _shaped(self, sound: _Sound, samples: array[int]) -> array[int]:
        turned_percent = self._turned_percent
        if turned_percent is not None and sound.gain.target != _gain(turned_percent):
            sound.gain.to(_gain(turned_percent), TURN_MS)
        fade, gain = sound.fade, sound.gain
        if fade.at == fade.target and gain.at == gain.target:
            factor = fade.at * gain.at
            return samples if factor == 1.0 else array("h", [int(sample * factor) for sample in samples])
        rows = zip(samples, gain.period(), fade.period(), strict=True)
        return array("h", [int(sample * loud * level) for sample, loud, level in rows])


def _gain(volume_percent: int) -> float:
    return (volume_percent / 100) ** 2


def _db(value: float) -> float:
    return round(20 * math.log10(value / 32_768), 1) if value > 0 else SILENCE_DB
