"""What is heard on the air, as physics has it: what was sent, through a chain, with all else that sounds there.

The chain is late, has a gain, a crooked response, an echo of other poles, and a clock of its own. At the input there is
the noise of its own electronics, hum of the mains, and what the street or a receiver without squelch brings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ttcs_edge import tones
from ttcs_edge.drivers.sound import RATE_HZ
from ttcs_edge.monitor.ear import STEP_SAMPLES
from ttcs_edge.player.digits import DigitSource
from ttcs_edge.training.voices import BULLETIN_RMS_DB, Sound, from_wav, of_db

VIETNAMESE = (
    "Kính thưa bà con. Hôm nay trời mưa to, mọi người chú ý đề phòng lũ quét và sạt lở đất ở vùng núi. Ủy ban nhân dân "
    "xã thông báo lịch tiêm phòng cho trẻ em vào sáng thứ hai tuần sau, tại trạm y tế. Đề nghị bà con đưa các cháu đến "
    "đúng giờ, mang theo sổ tiêm. Sau đây là giá nông sản trong ngày: cà phê, hồ tiêu, chè búp tươi."
)


@cache
def music(seed: int, seconds: int = 60) -> Sound:
    """A tune of plucked strings over a drum, with no pause in it."""
    dice = np.random.default_rng(seed)
    made = np.zeros(seconds * RATE_HZ, np.float32)
    at = 0
    while at < len(made):
        step = int(dice.uniform(0.15, 0.6) * RATE_HZ)
        length = min(3 * step, len(made) - at)
        time_s = np.arange(length) / RATE_HZ
        pitch_hz = 196 * 2 ** (dice.choice([0, 3, 5, 7, 10, 12, 15, 17, 19]) / 12)
        overtones = sum(np.sin(2 * np.pi * pitch_hz * k * time_s) / k for k in range(1, 9))
        made[at : at + length] += (overtones * np.exp(-2.5 * time_s)).astype(np.float32)
        if dice.random() < 0.4:
            beat = min(RATE_HZ // 8, len(made) - at)
            made[at : at + beat] += (dice.normal(0, 1, beat) * np.exp(-40 * np.arange(beat) / RATE_HZ)).astype("f4")
        at += step
    return of_db(made, BULLETIN_RMS_DB)


@cache
def tone(name: str) -> Sound:
    """One of the station's own tones: gong, test, wail, yelp."""
    return from_wav(Path(tones.__file__).parent / f"{name}.wav")


@cache
def digits(row: str) -> Sound:
    """Digits of a telephone."""
    source = DigitSource(row, 100, 100)
    data = b""
    while chunk := source.read(960, 0.0):
        data += chunk
    return np.frombuffer(data, "<i2").astype(np.float32)


def around(sound: Sound, samples: int, begin: int = 0) -> Sound:
    """So much of a sound, from somewhere on, round and round."""
    return np.resize(np.roll(sound, -begin), samples)


@dataclass
class Chain:
    """The way from the player to the monitor's input."""

    lag_s: float = 0.15
    gain_db: float = -4.0
    crooked: float = 0.7
    echoes: tuple[tuple[float, float], ...] = ()
    """How much later, and by how many dB less loud."""
    drift_ppm: float = 100.0
    clipped_at: float | None = None
    """At which part of full scale the amplifier's peaks are cut."""

    def through(self, sent: Sound) -> Sound:
        """What comes out at its end."""
        size = 1 << len(sent).bit_length()
        spectrum = np.fft.rfft(sent, size)
        hz = np.fft.rfftfreq(size, 1 / RATE_HZ).astype(np.float32)
        horn = 1 / (1 + (350 / np.maximum(hz, 1)) ** 6) / (1 + (hz / 3_800) ** 6)
        horn *= 1 + self.crooked * np.sin(hz / 400)
        dry = np.fft.irfft(spectrum * horn, size).astype(np.float32)[: len(sent)]
        late = sum(
            (_later(dry, self.lag_s + after_s) * 10 ** (-down_db / 20) for after_s, down_db in self.echoes),
            start=_later(dry, self.lag_s),
        )
        drifted = np.interp(np.arange(len(late)) * (1 + self.drift_ppm / 1e6), np.arange(len(late)), late)
        loud: NDArray[np.float64] = drifted * 10 ** (self.gain_db / 20)
        if self.clipped_at is not None:
            loud = np.clip(loud * 4, -32_768 * self.clipped_at, 32_768 * self.clipped_at)
        return loud.astype(np.float32)


def _later(sound: Sound, by_s: float) -> Sound:
    by = int(by_s * RATE_HZ)
    return np.concatenate([np.zeros(by, np.float32), sound])[: len(sound)]


@dataclass
class Scene:
    """Some minutes at a pole: what is sent, and what else is to be heard."""

    dice: np.random.Generator
    seconds: int
    chain: Chain = field(default_factory=Chain)
    noise_db: float = -65.0
    hum_db: float = -45.0
    sent: Sound = field(init=False)
    others: Sound = field(init=False)

    def __post_init__(self) -> None:
        samples = self.seconds * RATE_HZ // STEP_SAMPLES * STEP_SAMPLES
        self.sent = np.zeros(samples, np.float32)
        time_s = np.arange(RATE_HZ) / RATE_HZ
        hum = sum((np.sin(2 * np.pi * 50 * k * time_s + k) / k for k in (1, 2, 3, 5, 7, 9, 11)), np.zeros(RATE_HZ))
        self.others = of_db(self.dice.standard_normal(samples, np.float32), self.noise_db)
        self.others += around(of_db(hum.astype(np.float32), self.hum_db), samples)

    def send(self, sound: Sound, begin_s: float, seconds: float, volume_db: float = 0.0) -> None:
        """The station plays something."""
        self._put(self.sent, sound * np.float32(10 ** (volume_db / 20)), begin_s, seconds)

    def add(self, sound: Sound, begin_s: float, seconds: float, level_db: float | None = None) -> None:
        """Something else is heard, so loud in the mean."""
        part = around(sound, int(seconds * RATE_HZ), int(self.dice.integers(len(sound))))
        self._put(self.others, part if level_db is None else of_db(part, level_db), begin_s, seconds)

    def add_hiss(self, begin_s: float, seconds: float, level_db: float) -> None:
        """A receiver without squelch, whose transmitter is off; rain."""
        noise = self.dice.standard_normal(int(seconds * RATE_HZ), np.float32)
        self._put(self.others, of_db(noise, level_db), begin_s, seconds)

    def add_motorbike(self, begin_s: float, level_db: float) -> None:
        """One that passes: a buzz that rises and falls within some seconds, and goes down in pitch."""
        time_s = np.arange(8 * RATE_HZ) / RATE_HZ
        pitch_hz = np.where(time_s < 4, 105.0, 92.0)
        phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
        buzz = sum(np.sin(phase * k) / k**0.5 for k in range(1, 25)) * np.exp(-(((time_s - 4) / 1.5) ** 2))
        self._put(self.others, of_db(buzz.astype(np.float32), level_db - 5), begin_s, 8)

    def add_bird(self, begin_s: float, level_db: float) -> None:
        """Some chirps."""
        time_s = np.arange(RATE_HZ // 10) / RATE_HZ
        chirp = np.sin(2 * np.pi * (2_800 * time_s + 6_000 * time_s**2)).astype(np.float32)
        for count in range(12):
            self._put(self.others, of_db(chirp, level_db), begin_s + 0.3 * count, 0.1)

    def add_click(self, begin_s: float, level_db: float) -> None:
        """A relay, or lightning."""
        click = (self.dice.normal(0, 1, RATE_HZ // 50) * np.exp(-np.arange(RATE_HZ // 50) / 200)).astype(np.float32)
        self._put(self.others, of_db(click, level_db), begin_s, 0.02)

    def _put(self, onto: Sound, sound: Sound, begin_s: float, seconds: float) -> None:
        begin = int(begin_s * RATE_HZ)
        samples = min(int(seconds * RATE_HZ), len(onto) - begin)
        onto[begin : begin + samples] += around(sound, samples)

    def heard(self, ours_until_s: float | None = None) -> Sound:
        """What the input takes; ours is heard until then, or to its end."""
        ours = self.chain.through(self.sent)
        if ours_until_s is not None:
            ours[int(ours_until_s * RATE_HZ) :] = 0
        taken: Sound = np.clip(ours + self.others, -32_768, 32_767)
        return taken
