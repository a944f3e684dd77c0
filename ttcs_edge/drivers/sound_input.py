"""Where samples come from that are made while they air: mono, 48 kHz, 16 bit, periods of 10 ms, behind one Protocol."""

from __future__ import annotations

import ctypes
import os
import time
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from ttcs_edge.drivers.sound import (
    PERIOD_BYTES,
    PERIOD_FRAMES,
    PERIOD_NS,
    PRINT_NOTHING,
    RATE_HZ,
    SoundError,
    check_format,
)
from ttcs_edge.settings import InputSettings, SoundDriver

SILENT_INPUT_S = 0.5
"""How long an input may give no samples at all before it counts as one that hears nothing. Silence is samples, too."""
_WAKES_WITHIN_S = 2.0
"""The same behind its opening: sound servers have been seen to take most of a second to wake up."""
_BUFFER_PERIODS = 10
"""How late a reader may be before samples are lost: a tenth of a second."""
_LOOK_EVERY_S = 0.002
_ALL_DAY_PERIODS = 100
_ALL_DAY_LOOK_S = 0.05
"""The same for what listens all day: a processor that is woken five hundred times a second never rests."""


class SoundInput(Protocol):
    """A sound input of the player process.

    Must: give whole periods only, one after the other, each within some milliseconds of its last sample; raise
    SoundError when it is missing, busy or gone, hears anything but mono at 48 kHz, or gives nothing for half a second;
    count in ``overruns`` how often samples were lost because nobody read. Never: block for longer than that. One thread
    calls.
    """

    name: str
    overruns: int

    def begin(self) -> None:
        """Open, and hear from now on. Raises SoundError."""

    def read(self) -> bytes:
        """The next period, once it is there. Raises SoundError."""

    def end(self) -> None:
        """Close; also what was never opened."""


class WavInput:
    """Hears a WAV file, round and round, at the pace of the monotonic clock: for machines without a card.

    The file is the device: one that is taken away, or cut short, is an input that was pulled out.
    """

    def __init__(self, path: Path, fd: int | None = None, buffer_periods: int = _BUFFER_PERIODS) -> None:
        """``fd`` is the file's, where this process may not open it; the caller closes it."""
        self._buffer_periods = buffer_periods
        self.name = str(path)
        self.overruns = 0
        self.begin_ns = 0
        """When the first sample of the first period was heard."""
        self._path = path
        self._fd = fd
        self._source: IO[bytes] | None = None
        self._file: wave.Wave_read | None = None
        self._periods = 0

    def begin(self) -> None:
        """Open the file."""
        self.end()
        self._file = self._opened()
        self.begin_ns = time.monotonic_ns()
        self._periods = 0

    def _opened(self) -> wave.Wave_read:
        try:
            self._source = self._path.open("rb") if self._fd is None else os.fdopen(os.dup(self._fd), "rb")
            self._source.seek(0)
            file = wave.Wave_read(self._source)
        except (OSError, EOFError, wave.Error) as error:
            raise SoundError(str(error) or f"not a whole WAV file [{self.name}]") from error
        got = (file.getframerate(), file.getnchannels(), file.getsampwidth() * 8)
        if got != (RATE_HZ, 1, 16) or not file.getnframes():
            length = file.getnframes()
            file.close()
            raise SoundError(
                f"holds {length} samples of {got[0]} Hz, {got[1]} channels, {got[2]} bit; "
                f"expected at least one of {RATE_HZ} Hz, 1 channel, 16 bit [{self.name}]"
            )
        return file

    def read(self) -> bytes:
        """The next period, when its last sample has been heard."""
        assert self._file is not None, "not begun"
        ready_ns = self.begin_ns + (self._periods + 1) * PERIOD_NS
        late_ns = time.monotonic_ns() - ready_ns
        if late_ns < 0:
            time.sleep(-late_ns / 1e9)
        elif late_ns > self._buffer_periods * PERIOD_NS:
            self.overruns += 1
            lost = late_ns // PERIOD_NS
            for _ in range(lost):
                self._next()
            self._periods += lost
        self._periods += 1
        return self._next()

    def _next(self) -> bytes:
        assert self._file is not None
        if not self._is_there():
            raise SoundError(f"the file is gone [{self.name}]")
        data = b""
        try:
            while len(data) < PERIOD_BYTES:
                more = self._file.readframes((PERIOD_BYTES - len(data)) // 2)
                if not more and self._file.tell() < self._file.getnframes():
                    raise SoundError(f"the file was cut short [{self.name}]")
                if not more:
                    self._file.rewind()
                data += more
        except OSError as error:
            raise SoundError(str(error)) from error
        return data

    def _is_there(self) -> bool:
        """Tell whether the file has a name; one that is seen by its descriptor alone, any name."""
        assert self._source is not None, "not begun"
        return self._path.exists() if self._fd is None else os.fstat(self._source.fileno()).st_nlink > 0

    def end(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            file.close()
        source, self._source = self._source, None
        if source is not None:
            source.close()


class AlsaInput:
    """An ALSA capture device. As ``AlsaSink``, it is never waited for inside ALSA: it is looked at now and then."""

    def __init__(self, device: str, buffer_periods: int = _BUFFER_PERIODS, look_every_s: float = _LOOK_EVERY_S) -> None:
        self.name = device
        self.overruns = 0
        self._buffer_periods = buffer_periods
        self._look_every_s = look_every_s
        self._pcm: Any = None
        self._heard = bytearray()
        self._since_s = 0.0
        self._within_s = _WAKES_WITHIN_S
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(PRINT_NOTHING)

    def begin(self) -> None:
        """Open the device."""
        import alsaaudio

        self.end()
        self._heard.clear()
        try:
            self._pcm = alsaaudio.PCM(
                alsaaudio.PCM_CAPTURE,
                alsaaudio.PCM_NONBLOCK,
                device=self.name,
                rate=RATE_HZ,
                channels=1,
                format=alsaaudio.PCM_FORMAT_S16_LE,
                periodsize=PERIOD_FRAMES,
                periods=self._buffer_periods,
            )
            check_format("hears", self._pcm.info(), self.name)
        except alsaaudio.ALSAAudioError as error:
            self.end()
            raise SoundError(str(error)) from error
        except SoundError:
            self.end()
            raise
        self._since_s, self._within_s = time.monotonic(), _WAKES_WITHIN_S

    def read(self) -> bytes:
        """The next period, looked for every few milliseconds."""
        import alsaaudio

        try:
            while len(self._heard) < PERIOD_BYTES:
                frames, data = self._pcm.read()
                if frames > 0:
                    self._heard += data
                    self._since_s, self._within_s = time.monotonic(), SILENT_INPUT_S
                elif frames < 0:  # nobody read for too long; the library has made it ready to begin again
                    self.overruns += 1
                elif time.monotonic() > self._since_s + self._within_s:
                    raise SoundError(f"the input gives no samples [{self.name}]")
                else:
                    time.sleep(self._look_every_s)
        except alsaaudio.ALSAAudioError as error:
            raise SoundError(str(error)) from error
        period = bytes(self._heard[:PERIOD_BYTES])
        del self._heard[:PERIOD_BYTES]
        return period

    def end(self) -> None:
        """Close the device."""
        pcm, self._pcm = self._pcm, None
        if pcm is not None:
            pcm.close()


def open_input(driver: SoundDriver, device: str, fds: Sequence[int] = ()) -> SoundInput:
    """The input of a name, or of a file's path, whose descriptor may be given; nothing is opened yet."""
    if driver is SoundDriver.WAV:
        return WavInput(Path(device), fds[0] if fds else None)
    return AlsaInput(device)


def open_all_day(driver: SoundDriver, device: str, fds: Sequence[int] = ()) -> SoundInput:
    """The same for one that is heard from morning to morning: a twentieth of a second late, and seldom looked at."""
    if driver is SoundDriver.WAV:
        return WavInput(Path(device), fds[0] if fds else None, _ALL_DAY_PERIODS)
    return AlsaInput(device, _ALL_DAY_PERIODS, _ALL_DAY_LOOK_S)


@contextmanager
def input_file(settings: InputSettings) -> Iterator[Sequence[int]]:
    """The descriptor of a WAV file that is heard, for a player that may not open it; none where there is no such."""
    try:
        opened = [os.open(path, os.O_RDONLY | os.O_CLOEXEC) for path in _wav_files(settings)]
    except OSError:  # the player tries by itself, and tells why that cannot be
        opened = []
    try:
        yield opened
    finally:
        for fd in opened:
            os.close(fd)


def _wav_files(settings: InputSettings) -> Sequence[Path]:
    return [settings.wav_file] if settings.driver is SoundDriver.WAV and settings.wav_file is not None else []
