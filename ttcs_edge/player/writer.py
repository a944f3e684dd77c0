"""The thread that owns the sound device: periods of 10 ms, gain and fades per sample, counts of what was written.

A play is a row of items, each with its decoder. The next item's decoder is asked for while the one before it sounds.
Volume follows a square law: 50 percent is 12 dB down. Samples count as written once the device has taken them.
"""

from __future__ import annotations

import math
import threading
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

from ttcs_edge.drivers.sound import PERIOD_BYTES, PERIOD_FRAMES, PERIOD_MS, PERIOD_NS, SoundError, SoundSink
from ttcs_edge.player.decoder import Decoder
from ttcs_edge.player.messages import Alive, Answer, Device, Ended, Item, Play, Progress, Ready, Started

TELL_EVERY_PERIODS = 10
AHEAD_BYTES = 50 * PERIOD_BYTES
"""The next item is decoded from half a second before the end of the one before it."""
STARVED_S = 5.0
"""How long an item may give no samples before it counts as no audio."""
SHORT_MS = 200
"""How much shorter than declared an item may decode: Opus loses its first 74 ms in libvlc."""
PROBE_EVERY_S = 5.0
SILENCE_DB = -120.0


@dataclass(slots=True)
class _Sound:
    """A play under way."""

    command: Play
    first: int
    item_bytes: list[int] = field(default_factory=list)
    decoders: list[Decoder] = field(default_factory=list)
    fade_left: int = 0
    stopping: bool = False
    frames: int = 0
    squares: int = 0
    peak: int = 0
    tell: int = 0


class Writer:
    """Plays what ``play`` is given. ``decoder`` makes, and ``release`` ends, decoders on the control thread."""

    def __init__(
        self,
        sink: SoundSink,
        answer: Callable[[Answer], None],
        decoder: Callable[[Play, int], Decoder],
        release: Callable[[Decoder], None],
    ) -> None:
        self._sink = sink
        self._answer = answer
        self._decoder = decoder
        self._release = release
        self._condition = threading.Condition()
        self._next: Play | None = None
        self._stop: tuple[int, int] | None = None
        self._leaving = False
        self._device_ok = True
        self._underruns = 0
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def play(self, command: Play) -> None:
        """Play this when what plays now is over; the daemon sends one at a time."""
        with self._condition:
            self._next = command
            self._condition.notify_all()

    def stop(self, play: int, fade_out_ms: int) -> None:
        """Fade a play out and end it."""
        with self._condition:
            self._stop = (play, fade_out_ms)
            self._condition.notify_all()

    def leave(self) -> None:
        """Fade what sounds out quickly and end the thread."""
        with self._condition:
            self._leaving = True
            self._stop = (-1, 100)
            self._condition.notify_all()
        self._thread.join(1.0)

    def _run(self) -> None:
        self._probe()
        self._answer(Ready(self._sink.name))
        probed_s = time.monotonic()
        while not self._leaving:
            with self._condition:
                self._condition.wait_for(lambda: self._next is not None or self._leaving, 0.1)
                command, self._next = self._next, None
            if command is not None:
                self._perform(command)
                continue
            self._answer(Alive())
            if not self._device_ok and time.monotonic() - probed_s > PROBE_EVERY_S:
                probed_s = time.monotonic()
                self._probe()

    def _probe(self) -> None:
        """Open and close the device, so that a missing one is known before it is needed."""
        try:
            self._sink.begin(0)
            self._sink.end()
            self._tell_device(True, "")
        except SoundError as error:
            self._tell_device(False, str(error))

    def _tell_device(self, ok: bool, error: str) -> None:
        if ok != self._device_ok:
            self._device_ok = ok
            self._answer(Device(ok, self._sink.name, error))

    def _perform(self, command: Play) -> None:
        sound = _Sound(command, first_item(command.items, command.from_ms), [0] * len(command.items))
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
        written_ms = tuple(written // (PERIOD_BYTES // PERIOD_MS) for written in sound.item_bytes)
        self._answer(Ended(command.play, completed and failure is None, written_ms, failure))

    def _wait_until(self, command: Play) -> bool:
        """Wait for the instant of the first period, exactly; False when stopped before it."""
        while True:
            left_ns = command.at_mono_ns - time.monotonic_ns()
            if left_ns <= 2_000_000:
                break
            with self._condition:
                self._condition.wait_for(lambda: self._asked_to_stop(command.play), min(left_ns / 1e9 - 0.001, 0.1))
                if self._asked_to_stop(command.play):
                    return False
            self._answer(Alive())
        while (left_ns := command.at_mono_ns - time.monotonic_ns()) > 0:
            time.sleep(left_ns / 1e9)
        return True

    def _asked_to_stop(self, play: int) -> bool:
        return self._stop is not None and self._stop[0] in (play, -1)

    def _items(self, sound: _Sound) -> tuple[str | None, bool]:
        """Play the items one after another from the play's instant on; gives (failure, completed)."""
        command = sound.command
        sound.decoders = [self._decoder(command, sound.first)]
        try:
            if not self._wait_until(command):
                return None, False
            sound.fade_left = command.fade_in_ms * PERIOD_FRAMES // PERIOD_MS
            for index in range(sound.first, len(command.items)):
                if not sound.decoders:
                    sound.decoders.append(self._decoder(command, index))
                outcome = self._item(sound, index)
                self._release(sound.decoders.pop(0))
                if outcome is not None:
                    return (None if outcome == "stopped" else outcome), False
            return None, True
        finally:
            for decoder in sound.decoders:
                self._release(decoder)

    def _item(self, sound: _Sound, index: int) -> str | None:
        """Play one item to its end: None when all of it was written, else what ended it."""
        starved_s = 0.0
        decoder = sound.decoders[0]
        while True:
            if len(sound.decoders) == 1 and index + 1 < len(sound.item_bytes) and decoder.ends_within(AHEAD_BYTES):
                sound.decoders.append(self._decoder(sound.command, index + 1))
            if self._fade_out_done(sound):
                return "stopped"
            data = decoder.read(PERIOD_BYTES, PERIOD_NS / 1e9)
            if len(data) < PERIOD_BYTES and not decoder.exhausted:
                data += decoder.read(PERIOD_BYTES - len(data), PERIOD_NS / 1e9)
            if not data:
                if decoder.exhausted:
                    return self._judge_end(sound, index)
                starved_s += 2 * PERIOD_NS / 1e9
                if sound.frames:
                    self._underruns += 1
                    self._put(sound, bytes(PERIOD_BYTES))
                if starved_s > STARVED_S:
                    return "not-audio"
                self._answer(Alive())
                continue
            starved_s = 0.0
            padded = data.ljust(PERIOD_BYTES, b"\0")
            self._put(sound, padded)
            sound.item_bytes[index] += len(data)

    def _judge_end(self, sound: _Sound, index: int) -> str | None:
        """A decode that ended early is not the whole item, whatever libvlc says."""
        item = sound.command.items[index]
        skipped_ms = item_offset_ms(sound.command.items, sound.command.from_ms) if index == sound.first else 0
        written_ms = sound.item_bytes[index] * PERIOD_MS // PERIOD_BYTES
        if written_ms == 0 and skipped_ms + SHORT_MS < item.duration_ms:
            return "not-audio"
        return None if written_ms + skipped_ms + SHORT_MS >= item.duration_ms else "not-audio"

    def _fade_out_done(self, sound: _Sound) -> bool:
        if not sound.stopping and self._asked_to_stop(sound.command.play):
            assert self._stop is not None
            sound.stopping = True
            sound.fade_left = max(1, self._stop[1] * PERIOD_FRAMES // PERIOD_MS) if sound.frames else 0
        return sound.stopping and sound.fade_left <= 0

    def _put(self, sound: _Sound, period: bytes) -> None:
        samples = self._shaped(sound, period)
        before_ns = time.monotonic_ns()
        self._sink.write(samples.tobytes())
        if sound.frames == 0:
            self._answer(Started(sound.command.play, before_ns))
        sound.frames += PERIOD_FRAMES
        sound.squares += sum([sample * sample for sample in samples])
        sound.peak = max(sound.peak, max(samples), -min(samples))
        sound.tell += 1
        if sound.tell == TELL_EVERY_PERIODS:
            rms = math.sqrt(sound.squares / (TELL_EVERY_PERIODS * PERIOD_FRAMES))
            written_ms = sound.frames * PERIOD_MS // PERIOD_FRAMES
            play = sound.command.play
            self._answer(Progress(play, written_ms, _db(rms), _db(sound.peak), self._underruns))
            sound.tell = sound.squares = sound.peak = 0

    def _shaped(self, sound: _Sound, period: bytes) -> array[int]:
        samples = array("h", period)
        command = sound.command
        gain = (command.volume_percent / 100) ** 2
        if sound.fade_left <= 0:
            if gain != 1.0:
                samples = array("h", [int(sample * gain) for sample in samples])
            return samples
        total = max(1, self._fade_total(sound))
        left = sound.fade_left
        sound.fade_left -= PERIOD_FRAMES
        if sound.stopping:
            ramp = (max(0, left - n) / total for n in range(PERIOD_FRAMES))
        else:
            ramp = (1 - max(0, left - n) / total for n in range(PERIOD_FRAMES))
        return array("h", [int(sample * gain * step) for sample, step in zip(samples, ramp, strict=True)])

    def _fade_total(self, sound: _Sound) -> int:
        fade_ms = self._stop[1] if sound.stopping and self._stop is not None else sound.command.fade_in_ms
        return fade_ms * PERIOD_FRAMES // PERIOD_MS


def first_item(items: tuple[Item, ...], from_ms: int) -> int:
    """The index of the item in which a position of the whole lies."""
    for index, item in enumerate(items):
        if from_ms < item.duration_ms:
            return index
        from_ms -= item.duration_ms
    return len(items) - 1


def item_offset_ms(items: tuple[Item, ...], from_ms: int) -> int:
    """Where in its item a position of the whole lies."""
    return from_ms - sum(item.duration_ms for item in items[: first_item(items, from_ms)])


def _db(value: float) -> float:
    return round(20 * math.log10(value / 32_768), 1) if value > 0 else SILENCE_DB
