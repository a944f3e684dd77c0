"""Where samples go: mono, 48 kHz, 16 bit, in periods of 10 ms, behind one Protocol."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import IO, Any, Protocol

from ttcs_edge.settings import SoundDriver, SoundSettings

RATE_HZ = 48_000
PERIOD_MS = 10
PERIOD_FRAMES = RATE_HZ * PERIOD_MS // 1_000
PERIOD_BYTES = PERIOD_FRAMES * 2
PERIOD_NS = PERIOD_MS * 1_000_000
_HEADER_BYTES = 44


class SoundError(Exception):
    """The device cannot be opened or takes no samples."""


class SoundSink(Protocol):
    """A sound device of the player process.

    Must: take whole periods only, and block until there is room for one, so that the device paces the writer; raise
    SoundError when it is gone. Never: block for longer than its own buffer and a period. One thread calls.
    """

    name: str

    def begin(self, play: int) -> None:
        """Open for a play. Raises SoundError."""

    def write(self, period: bytes) -> None:
        """Hand one period over. Raises SoundError."""

    def end(self) -> None:
        """Let what was handed over sound to its end, and close."""


class WavSink:
    """Writes a WAV file at the pace of the monotonic clock, for machines without a card.

    The file is readable at any moment, also after a kill: the header follows every second. Beside it, ``.timeline``
    tells when which samples went out: a line when a run begins (``frames`` 0) and one when it ends.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        self._file: IO[bytes] | None = None
        self._frames = 0
        self._begin_frame = 0
        self._begin_ns = 0
        self._next_ns = 0
        self._play = 0

    def begin(self, play: int) -> None:
        """Open the file, or go on behind what an earlier player wrote."""
        try:
            self._file = self._path.open("r+b" if self._path.exists() else "w+b")
            data_bytes = max(0, self._path.stat().st_size - _HEADER_BYTES) // 2 * 2
            self._frames = self._begin_frame = data_bytes // 2
            self._header()
            self._file.seek(_HEADER_BYTES + data_bytes)
        except OSError as error:
            raise SoundError(str(error)) from error
        self._play = play
        self._begin_ns = 0

    def write(self, period: bytes) -> None:
        """Write one period when its time has come."""
        assert self._file is not None
        now_ns = time.monotonic_ns()
        if not self._begin_ns:
            self._begin_ns = self._next_ns = now_ns
            self._tell(0)
        elif now_ns < self._next_ns:
            time.sleep((self._next_ns - now_ns) / 1e9)
        self._next_ns += PERIOD_NS
        try:
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
        self._header()
        self._file.close()
        self._file = None
        if self._begin_ns:
            self._tell(self._frames - self._begin_frame)

    def _header(self) -> None:
        assert self._file is not None
        size_bytes = self._frames * 2
        fields = (
            b"RIFF", size_bytes + 36, b"WAVEfmt ", (16).to_bytes(4, "little"), (1).to_bytes(2, "little"),
            (1).to_bytes(2, "little"), RATE_HZ, RATE_HZ * 2, (2).to_bytes(2, "little"), (16).to_bytes(2, "little"),
            b"data", size_bytes,
        )  # fmt: skip
        header = b"".join(field.to_bytes(4, "little") if isinstance(field, int) else field for field in fields)
        position = self._file.tell()
        self._file.seek(0)
        self._file.write(header)
        self._file.seek(max(position, _HEADER_BYTES))
        self._file.flush()

    def _tell(self, frames: int) -> None:
        line = {"mono_ns": self._begin_ns, "frames": frames, "file_frame": self._begin_frame, "play": self._play}
        with self._path.with_name(self._path.name + ".timeline").open("a") as timeline:
            timeline.write(json.dumps(line) + "\n")


class AlsaSink:
    """An ALSA device. It is opened for a play and closed after it, so that an unplugged card is seen and comes back."""

    def __init__(self, device: str, buffer_ms: int) -> None:
        self.name = device
        self._periods = max(2, buffer_ms // PERIOD_MS)
        self._pcm: Any = None

    def begin(self, play: int) -> None:
        """Open the device and wake it with a period of silence."""
        import alsaaudio

        try:
            self._pcm = alsaaudio.PCM(
                alsaaudio.PCM_PLAYBACK,
                alsaaudio.PCM_NORMAL,
                device=self.name,
                rate=RATE_HZ,
                channels=1,
                format=alsaaudio.PCM_FORMAT_S16_LE,
                periodsize=PERIOD_FRAMES,
                periods=self._periods,
            )
            self._pcm.write(bytes(PERIOD_BYTES))
        except alsaaudio.ALSAAudioError as error:
            self._pcm = None
            raise SoundError(str(error)) from error

    def write(self, period: bytes) -> None:
        """Hand one period over; an under-run of the device is mended once by sending it again."""
        import alsaaudio

        try:
            for _ in range(2):
                if self._pcm.write(period) > 0:
                    return
        except alsaaudio.ALSAAudioError as error:
            raise SoundError(str(error)) from error
        raise SoundError("the device takes no samples")

    def end(self) -> None:
        """Let the buffer run out and close."""
        if self._pcm is not None:
            time.sleep(self._periods * PERIOD_MS / 1_000)
            self._pcm.close()
            self._pcm = None


def open_sink(settings: SoundSettings) -> SoundSink:
    """The sink that ``station.yaml`` names; nothing is opened yet."""
    if settings.driver is SoundDriver.WAV:
        assert settings.wav_file is not None, "checked with the config"
        return WavSink(settings.wav_file)
    return AlsaSink(settings.device, settings.buffer_ms)
