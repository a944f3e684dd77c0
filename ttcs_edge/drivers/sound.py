"""Where samples go: mono, 48 kHz, 16 bit, in periods of 10 ms, behind one Protocol."""

from __future__ import annotations

import ctypes
import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

from ttcs_edge.settings import SoundDriver, SoundSettings

RATE_HZ = 48_000
PERIOD_MS = 10
PERIOD_FRAMES = RATE_HZ * PERIOD_MS // 1_000
PERIOD_BYTES = PERIOD_FRAMES * 2
PERIOD_NS = PERIOD_MS * 1_000_000
_HEADER_BYTES = 44
_SIZE_MOST = 2**32 - 1
_WAV_BUFFER_NS = 40_000_000
_LOOK_EVERY_S = 0.003
_MOVES_WITHIN_S = 0.3
"""How long a device that was just opened may take no samples before it counts as one that does not play."""
_WAKES_WITHIN_S = 2.0
"""The same for the first opening of a process: sound servers have been seen to take most of a second to wake up."""
_STUCK_S = 2.0
"""How long a device that has played may take none. The daemon counts the player as hung before that."""


_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)
PRINT_NOTHING = _HANDLER(lambda file, line, function, error, text: None)
"""What libasound calls in the place of printing (``snd_lib_error_handler_t``). Kept here: it must not be collected."""


class SoundError(Exception):
    """The device cannot be opened or takes no samples."""


class SoundSink(Protocol):
    """A sound device of the player process.

    Must: take whole periods only, and block until there is room for one, so that the device paces the writer; raise
    SoundError when it is missing, busy or gone, or cannot play mono at 48 kHz; count in ``underruns`` how often it ran
    dry in the middle of a play. Never: block for longer than its own buffer and a period, unless it hangs. One thread
    calls.
    """

    name: str
    underruns: int

    def begin(self, play: int) -> None:
        """Open for a play. Raises SoundError."""

    def write(self, period: bytes) -> None:
        """Hand one period over. Raises SoundError."""

    def end(self) -> None:
        """Let what was handed over sound to its end, and close. Raises SoundError; closed it is in any case."""


def check_format(does: str, info: dict[str, Any], name: str) -> None:
    """See that a card got what was asked for: the library goes on with whatever it gave instead. Raises SoundError.

    ``does`` is the word for what the card does, ``info`` what pyalsaaudio tells of it.
    """
    got = (info["rate"], info["channels"], info["format_name"])
    if got != (RATE_HZ, 1, "S16_LE"):
        raise SoundError(
            f"{does} {got[0]} Hz, {got[1]} channels, {got[2]}; expected {RATE_HZ} Hz, 1 channel, S16_LE: "
            f"a plughw: or default device converts [{name}]"
        )


def timeline_of(path: Path) -> Path:
    """Where it stands when the samples of a WAV file went out."""
    return path.with_name(path.name + ".timeline")


def wav_header(size_bytes: int) -> bytes:
    """The head of a WAV file with so many bytes of samples, mono in 16 bits."""
    fields = (
        b"RIFF", size_bytes + 36, b"WAVEfmt ", (16).to_bytes(4, "little"), (1).to_bytes(2, "little"),
        (1).to_bytes(2, "little"), RATE_HZ, RATE_HZ * 2, (2).to_bytes(2, "little"), (16).to_bytes(2, "little"),
        b"data", size_bytes,
    )  # fmt: skip
    return b"".join(field.to_bytes(4, "little") if isinstance(field, int) else field for field in fields)


class WavSink:
    """Writes a WAV file at the pace of the monotonic clock, for machines without a card.

    The file is readable at any moment, also after a kill: the header follows every second. Beside it, ``.timeline``
    tells when which samples went out: a line when a run begins (``frames`` 0) and one when it ends. What is late by
    more than a device's buffer is an under-run; the file has no gap for it.
    """

    def __init__(self, path: Path, fds: Sequence[int] = ()) -> None:
        """``fds`` are those of the file and its timeline, where this process may open neither."""
        self.name = str(path)
        self.underruns = 0
        self._path = path
        self._fds = fds
        self._file: IO[bytes] | None = None
        self._frames = 0
        self._begin_frame = 0
        self._begin_ns = 0
        self._next_ns = 0
        self._play = 0

    def begin(self, play: int) -> None:
        """Open the file, or go on behind what an earlier player wrote."""
        try:
            self._close()
            self._file = self._opened()
            data_bytes = max(0, os.fstat(self._file.fileno()).st_size - _HEADER_BYTES) // 2 * 2
            self._frames = self._begin_frame = data_bytes // 2
            self._header()
            self._file.seek(_HEADER_BYTES + data_bytes)
        except OSError as error:
            self._close()
            raise SoundError(str(error)) from error
        self._play = play
        self._begin_ns = 0

    def _opened(self) -> IO[bytes]:
        if self._fds:
            return os.fdopen(os.dup(self._fds[0]), "r+b")
        return self._path.open("r+b" if self._path.exists() else "w+b")

    def write(self, period: bytes) -> None:
        """Write one period when its time has come."""
        assert self._file is not None
        now_ns = time.monotonic_ns()
        try:
            if not self._begin_ns:
                self._begin_ns = self._next_ns = now_ns
                self._tell(0)
            elif now_ns < self._next_ns:
                time.sleep((self._next_ns - now_ns) / 1e9)
            elif now_ns > self._next_ns + _WAV_BUFFER_NS:
                self.underruns += 1
            self._next_ns += PERIOD_NS
            self._file.write(period)
            self._frames += len(period) // 2
            if self._frames // PERIOD_FRAMES % 100 == 0:
                self._header()
        except OSError as error:
            raise SoundError(str(error)) from error

    def end(self) -> None:
        """Wait for the last period's end, and close the file."""
        if self._file is None:
            return
        left_ns = self._next_ns - time.monotonic_ns()
        if self._begin_ns and left_ns > 0:
            time.sleep(left_ns / 1e9)
        try:
            self._header()
            if self._begin_ns:
                self._tell(self._frames - self._begin_frame)
        except OSError as error:
            raise SoundError(str(error)) from error
        finally:
            self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # a full card says so again when the last samples are flushed
                file.close()

    def _header(self) -> None:
        assert self._file is not None
        # A reader takes the largest size for a file whose end is not known.
        size_bytes = min(self._frames * 2, _SIZE_MOST - 36)
        position = self._file.tell()
        self._file.seek(0)
        self._file.write(wav_header(size_bytes))
        self._file.seek(max(position, _HEADER_BYTES))
        self._file.flush()

    def _tell(self, frames: int) -> None:
        line = {"mono_ns": self._begin_ns, "frames": frames, "file_frame": self._begin_frame, "play": self._play}
        with open(os.dup(self._fds[1]) if self._fds else timeline_of(self._path), "a") as timeline:
            timeline.write(json.dumps(line) + "\n")


class AlsaSink:
    """An ALSA device. It is opened for a play and closed after it, so that an unplugged card is seen and comes back.

    It is never waited for inside ALSA: opening a busy card would hang the whole process there. The library would print
    up to eight lines each time that a missing card is tried, every few seconds: what matters of it is in the error.
    """

    def __init__(self, device: str, buffer_ms: int) -> None:
        self.name = device
        self.underruns = 0
        self._periods = max(2, buffer_ms // PERIOD_MS)
        self._pcm: Any = None
        self._sounding = False
        self._moves_within_s = _WAKES_WITHIN_S
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(PRINT_NOTHING)

    def begin(self, play: int) -> None:
        """Open the device, and see that it takes more silence than it can hold: that it plays."""
        import alsaaudio

        try:
            self._pcm = alsaaudio.PCM(
                alsaaudio.PCM_PLAYBACK,
                alsaaudio.PCM_NONBLOCK,
                device=self.name,
                rate=RATE_HZ,
                channels=1,
                format=alsaaudio.PCM_FORMAT_S16_LE,
                periodsize=PERIOD_FRAMES,
                periods=self._periods,
            )
            info = self._pcm.info()
            check_format("plays", info, self.name)
            self._periods = max(2, info["buffer_size"] // PERIOD_FRAMES)
            self._silence()
            self._pcm.drop()  # what it still holds must not stand before the sound
        except alsaaudio.ALSAAudioError as error:
            self._close()
            raise SoundError(str(error)) from error
        except SoundError:
            self._close()
            raise

    def _silence(self) -> None:
        self._sounding = False
        for _ in range(self._periods + 1):
            self._hand_over(bytes(PERIOD_BYTES), self._moves_within_s)
        self._moves_within_s = _MOVES_WITHIN_S

    def write(self, period: bytes) -> None:
        """Hand one period over; the first behind one of silence, since a device that starts may swallow one."""
        if not self._sounding:
            self._hand_over(bytes(PERIOD_BYTES), _STUCK_S)
        self._sounding = True
        self._hand_over(period, _STUCK_S)

    def _hand_over(self, period: bytes, within_s: float) -> None:
        import alsaaudio

        deadline_s = time.monotonic() + within_s
        left = memoryview(period)
        try:
            while left:
                frames = self._pcm.write(left)
                if frames > 0:
                    left = left[frames * 2 :]
                elif frames < 0:  # it ran dry, and is ready to begin again
                    self.underruns += self._sounding
                elif time.monotonic() > deadline_s:
                    raise SoundError(f"the device takes no samples [{self.name}]")
                else:
                    time.sleep(_LOOK_EVERY_S)
        except alsaaudio.ALSAAudioError as error:
            raise SoundError(str(error)) from error

    def end(self) -> None:
        """Send silence after the sound until all of the sound is out, and close."""
        if self._pcm is None:
            return
        try:
            if self._sounding:
                self._silence()
        finally:
            self._close()

    def _close(self) -> None:
        pcm, self._pcm = self._pcm, None
        if pcm is not None:
            pcm.close()


def open_sink(settings: SoundSettings, wav_fds: Sequence[int] = ()) -> SoundSink:
    """The sink that ``station.yaml`` names; nothing is opened yet. ``wav_fds`` as ``WavSink`` takes them."""
    if settings.driver is SoundDriver.WAV:
        assert settings.wav_file is not None, "checked with the config"
        return WavSink(settings.wav_file, wav_fds)
    return AlsaSink(settings.device, settings.buffer_ms)
