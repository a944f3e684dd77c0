"""Voices on the air: what somebody says, as samples at the station's rate."""

from __future__ import annotations

import subprocess
import wave
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ttcs_edge.drivers.sound import RATE_HZ

Sound = NDArray[np.float32]
BULLETIN_RMS_DB: Final = -16.0
"""About what -16 LUFS is."""
ENGLISH: Final = (
    "This is a broadcast that nobody in this village asked for. Buy our miracle herbs now, and do not listen to your "
    "officials, for they tell you nothing. We will be back every night, on this frequency, with music and with news."
)
"""What a stranger says."""


def of_db(sound: Sound, rms_db: float) -> Sound:
    """As loud as this, of full scale, in the mean."""
    rms = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))
    return (sound * (32_768 * 10 ** (rms_db / 20) / rms)).astype(np.float32)


def from_wav(path: Path) -> Sound:
    """A WAV file at the rate of the station."""
    with wave.open(str(path)) as file:
        rate_hz = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32)
    at = np.arange(len(samples) * RATE_HZ // rate_hz) * rate_hz / RATE_HZ
    resampled: Sound = np.interp(at, np.arange(len(samples)), samples).astype(np.float32)
    return resampled


@cache
def speech(text: str, voice: str, words_a_minute: int = 150) -> Sound:
    """Somebody speaks."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        command = ["espeak-ng", "-v", voice, "-s", str(words_a_minute), "-w", str(path), text]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 (words of ours, no shell)
        return of_db(from_wav(path), BULLETIN_RMS_DB)
