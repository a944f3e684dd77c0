"""What is heard on the air, held against what was written to the sound device: numbers of both, twice a second.

It judges nothing: what the numbers mean is the core's (``core.monitor``). Sound is looked at in frames of 50 ms and in
six bands of the voice, 300 to 4,000 Hz: what a horn loudspeaker sounds with, and next to no hum of the mains is there.
A gain that nobody knows, a crooked frequency response and two clocks that drift apart change nothing of how energies go
up and down.

1. **match**: the correlation of both, band by band, in decibels, at the lag at which it is best. The chain is up to
   1.5 s late: an FM receiver, a sound card.
2. **foreign**: what was heard less what of it ours explains: ours through a gain for each band and one echo response,
   fitted to be never negative, over the noise that is always there. A frame is foreign where most of it stays.
3. **variety**: how much the colour of the foreign frames changes. That of speech and music does; the hiss of a receiver
   without squelch, whose transmitter is off, hum, rain and a stuck tone keep theirs, however loud they are.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ttcs_edge.drivers.sound import RATE_HZ

FRAME_MS = 50
FRAME = RATE_HZ * FRAME_MS // 1_000
FRAMES_A_STEP = 10
STEP_MS = FRAMES_A_STEP * FRAME_MS
"""How often the numbers are given."""
STEP_SAMPLES = FRAMES_A_STEP * FRAME
WINDOW = 120
"""Six seconds of frames are looked at, or of a sound since it began."""
UNKNOWN = LAG_MOST = 30
"""1.5 s is the most that FM receivers, sound cards, and what stands between them may take; what was sent so long before
an ear begins nobody knows, and so not whose it is that is heard then."""
WINDOW_LEAST = 20
"""A second, before anything can be said of a match."""
SENT_MOST = 1_200
"""A minute: how long ours has sounded is counted no further."""
BEFORE = 4
"""How many frames before a sound began are looked at with it: it is heard to begin."""
SLIP = 3
"""How far a device that ran dry, or a busy machine, may shift ours while it sounds."""
ECHO = 26 + SLIP
"""1.3 s of echo behind the lag: other poles."""
KEPT = WINDOW + LAG_MOST + ECHO
EDGES_HZ = (300, 461, 708, 1_089, 1_673, 2_572, 4_000)
SENT_LEAST = (32_768.0 * 10 ** (-60 / 20)) ** 2
"""The mean square below which nothing was sent: -60 dBFS."""
RANGE_DB = 30.0
"""What is so far below the loudest of its band counts as silence: rooms and receivers have noise there."""
BANDS_RANGE_DB = 25.0
"""So far below the loudest of all bands is what a codec leaves beside a tone, and nobody hears."""
VARIES_PERCENTILES = (5, 95)
VARIES_LEAST_DB = 4.0
"""A band that is steadier than that cannot be known by its ups and downs."""
MATCH_GOOD = 0.5
"""From here on the lag is believed; it is that of the machines, and stays."""
MATCH_LOST, RECENT = 0.2, 60
"""Less likeness than that over the last three seconds, and ours is not there any more."""
FIT_ROUNDS = 12
ABOVE = 3.0
"""How far above what explains it a band must be to be foreign, in energy: what 50 ms of noise do by chance is less."""
FOREIGN_OF_FRAME = 0.5
CLEAR_OF_FRAME, CLEAR_LEAST = 0.34, 4
"""The colour is that of frames of which ours and the noise explain less than this; and of so many at the least."""
FLAT_OF_SENT = 0.04
"""What was sent with so many samples at its peak is itself no voice, and tells nothing of a peak that is cut off."""
LOUD_PERCENTILE = 90
LOUD_RANGE_DB = 11.0
"""What is so far below the loud of the foreign frames is something else: a bird between two bursts of hiss."""
NOISE_PERCENTILE = 10
FLAT_OF_PEAK = 0.95
"""Samples so near to the peak of their frame: a clipped wave has many of them, a sine a fifth, speech next to none."""
TINY = 1e-9

Array = NDArray[np.float64]
Samples = NDArray[np.int16]


class Numbers(NamedTuple):
    """What is said twice a second. Levels are of the voice's bands, in dB of full scale, over the window.

    ``sent_ms`` is how long ours has sounded, a minute at the most; ``noise_db`` what is heard where nothing is sent,
    None where ours never paused; ``match`` None where it cannot be told; ``foreign_share`` the part of the window that
    is foreign; ``flat_share`` how many more samples of the loud frames lie at their peak than of what was sent.
    """

    sent_ms: int
    sent_db: float
    heard_db: float
    noise_db: float | None
    match: float | None
    lag_ms: int
    foreign_db: float
    foreign_share: float
    variety_db: float
    flat_share: float


def _db(mean_square: float) -> float:
    return round(float(10 * np.log10(max(mean_square, TINY) / 32_768.0**2)), 1)


class Ear:
    """Takes half a second of both at a time. One thread uses it."""

    def __init__(self, before: Ear | None = None) -> None:
        """What was known of the lag by the one ``before``, which lost samples, holds for this one."""
        self._taper = np.hanning(FRAME)
        edges = [round(hz * FRAME / RATE_HZ) for hz in EDGES_HZ]
        self._low, self._high = edges[0], edges[-1]
        self._edges = np.array([edge - self._low for edge in edges[:-1]])
        self._scale = 2.0 / (FRAME * float(np.sum(self._taper**2)))
        bands = len(EDGES_HZ) - 1
        self._heard = np.full((KEPT, bands), TINY)
        self._sent = np.zeros((KEPT, bands))
        self._flat = np.zeros((KEPT, 2))
        self._sent_flat = np.zeros((KEPT, 2))
        self._lag: int = 0 if before is None else before._lag
        self._lag_is_known: bool = before is not None and before._lag_is_known
        self._frames = 0
        self._sent_frames = 0
        self._quiet_frames = KEPT

    def _bands(self, samples: Samples) -> Array:
        """The energy in each band of each frame."""
        frames = samples.reshape(-1, FRAME).astype(np.float64)
        spectrum = np.fft.rfft(frames * self._taper, axis=1)[:, self._low : self._high]
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        return np.add.reduceat(power, self._edges, axis=1) * self._scale

    def take(self, heard: Samples, sent: Samples | None) -> Numbers:
        """Half a second of both, of the same time; ``sent`` None where nothing was."""
        self._keep(self._heard, self._bands(heard))
        self._keep(self._flat, _flatness(heard))
        bands = np.zeros((FRAMES_A_STEP, self._sent.shape[1])) if sent is None else self._bands(sent)
        self._keep(self._sent, bands)
        self._keep(self._sent_flat, np.zeros((FRAMES_A_STEP, 2)) if sent is None else _flatness(sent))
        self._frames = min(UNKNOWN + WINDOW, self._frames + FRAMES_A_STEP)
        for loud in bands.sum(axis=1) >= SENT_LEAST:
            self._quiet_frames = 0 if loud else self._quiet_frames + 1
            if self._quiet_frames >= LAG_MOST:
                self._sent_frames = 0
            elif loud or self._sent_frames:
                self._sent_frames = min(SENT_MOST, self._sent_frames + 1)
        return self._numbers()

    def _keep(self, ring: Array, rows: Array) -> None:
        ring[:-FRAMES_A_STEP] = ring[FRAMES_A_STEP:]
        ring[-FRAMES_A_STEP:] = rows

    def _numbers(self) -> Numbers:
        since = self._sent_frames + BEFORE if self._sent_frames else WINDOW
        known = max(1, self._frames - UNKNOWN)
        width = min(known, since)
        heard = self._heard[-width:]
        match = self._match(width) if self._sent_frames else None
        noise = np.maximum(np.percentile(self._heard[-known:], NOISE_PERCENTILE, axis=0), TINY)
        explained = self._explained(width, noise)
        if self._is_lost(width):
            explained[-RECENT:] = noise
        foreign_db, share, variety = _foreign(heard, explained)
        sent_flat = _flat_share(self._sent_flat[-width - self._lag :])
        flat = 0.0 if sent_flat > FLAT_OF_SENT else _flat_share(self._flat[-width:]) - sent_flat
        return Numbers(
            self._sent_frames * FRAME_MS,
            _loud_db(self._sent[-width:]),
            _loud_db(heard),
            _db(float(noise.sum())) if self._pauses() else None,
            None if match is None else round(match, 2),
            self._lag * FRAME_MS,
            foreign_db,
            round(share, 2),
            round(variety, 1),
            round(max(0.0, flat), 3),
        )

    def _pauses(self) -> bool:
        """Tell whether what was sent in the window, and in all the time before that is still to be heard, pauses."""
        levels = self._sent[-WINDOW - self._lag :].sum(axis=1)
        return bool(np.percentile(levels, NOISE_PERCENTILE) <= levels.max() * 10 ** (-RANGE_DB / 10))

    def _match(self, width: int) -> float | None:
        """The best correlation of the last frames with what was sent before; a good one tells the lag."""
        if width < WINDOW_LEAST:
            return None
        best, best_lag = self._likeness(width, range(LAG_MOST + 1))
        if best is not None and best >= MATCH_GOOD:
            self._lag, self._lag_is_known = best_lag, True
        return best

    def _is_lost(self, width: int) -> bool:
        """Tell whether ours is not there any more: it explains nothing of what was heard of late."""
        if not self._sent_frames or width < RECENT + ECHO:
            return False
        near = range(max(0, self._lag - SLIP), self._lag + SLIP) if self._lag_is_known else range(LAG_MOST + 1)
        likeness, _ = self._likeness(RECENT, near)
        return likeness is not None and likeness < MATCH_LOST

    def _likeness(self, width: int, lags: range) -> tuple[float | None, int]:
        """The best correlation at one of these lags, and that lag; None where what was sent is too steady."""
        varies = _varies(self._sent[-width - max(lags) :])
        if not varies.any():
            return None, 0
        heard = _ups_and_downs(self._heard[-width:])[:, varies]
        best, best_lag = None, 0
        for lag in lags:
            ours, theirs = _ups_and_downs(self._sent[-width - lag : len(self._sent) - lag])[:, varies], heard
            powers = float(np.sum(ours * ours)) * float(np.sum(theirs * theirs))
            found = float(np.sum(theirs * ours)) / max(TINY, powers**0.5)
            if best is None or found > best:
                best, best_lag = found, lag
        return best, best_lag

    def _explained(self, width: int, noise: Array) -> Array:
        """The energy in each band of each frame that ours and the noise explain.

        A gain for each band and a response common to all, fitted in turn by the multiplicative rule of Lee and Seung
        for the divergence of Kullback and Leibler, which keeps both from being negative and heeds what is quiet.
        """
        first = max(0, self._lag - SLIP)
        shifted = np.stack([self._sent[-width - d : len(self._sent) - d] for d in range(first, first + ECHO)])
        if not shifted.any():
            return np.tile(noise, (width, 1))
        heard = self._heard[-width:] + TINY
        response = np.full(ECHO, 0.02)
        response[self._lag - first] = 1.0
        ours = np.tensordot(response, shifted, axes=1)
        gains = heard.sum(axis=0) / np.maximum(ours.sum(axis=0), TINY)
        for _ in range(FIT_ROUNDS):
            ratio = heard / (ours * gains + noise)
            gains = gains * np.sum(ratio * ours, axis=0) / np.maximum(ours.sum(axis=0), TINY)
            ratio = heard / (ours * gains + noise)
            weight = np.maximum(np.sum(shifted * gains, axis=(1, 2)), TINY)
            response = response * np.sum(ratio * gains * shifted, axis=(1, 2)) / weight
            ours = np.tensordot(response, shifted, axes=1)
        explained: Array = ours * gains + noise
        return explained


def _levels(energies: Array) -> Array:
    """Decibels; what is far below the loudest of its band, or of all of them, counts as silence."""
    loudest = np.maximum(energies.max(axis=0), TINY)
    floor = np.maximum(loudest * 10 ** (-RANGE_DB / 10), loudest.max() * 10 ** (-BANDS_RANGE_DB / 10))
    levels: Array = 10 * np.log10(np.maximum(energies, floor))
    return levels


def _ups_and_downs(energies: Array) -> Array:
    """Decibels around the mean of each band."""
    levels = _levels(energies)
    around: Array = levels - levels.mean(axis=0)
    return around


def _varies(energies: Array) -> NDArray[np.bool_]:
    """Which bands go up and down; a frame or two that are lost in a busy moment are no variety."""
    low, high = np.percentile(_levels(energies), VARIES_PERCENTILES, axis=0)
    varies: NDArray[np.bool_] = high - low >= VARIES_LEAST_DB
    return varies


def _loud_db(energies: Array) -> float:
    """The mean level of the louder half of the frames: pauses do not make a voice less loud."""
    levels = energies.sum(axis=1)
    return _db(float(levels[levels >= np.percentile(levels, 50)].mean()))


def _foreign(heard: Array, explained: Array) -> tuple[float, float, float]:
    """The level of the foreign frames, which part of all they are, and how much their colour changes."""
    left = np.where(heard > ABOVE * explained, heard - explained, 0.0)
    levels, known = heard.sum(axis=1), explained.sum(axis=1)
    is_foreign = left.sum(axis=1) > FOREIGN_OF_FRAME * levels
    if is_foreign.any():
        is_foreign &= levels >= np.percentile(levels[is_foreign], LOUD_PERCENTILE) * 10 ** (-LOUD_RANGE_DB / 10)
    share = float(is_foreign.mean())
    clear = heard[is_foreign & (known < CLEAR_OF_FRAME * levels)]
    if len(clear) < CLEAR_LEAST:
        return _db(0.0), share, 0.0
    level = 10 * np.log10(np.maximum(clear, clear.sum(axis=1, keepdims=True) * 10 ** (-RANGE_DB / 10)))
    colour = level - level.mean(axis=1, keepdims=True)
    return _loud_db(left[is_foreign]), share, float(np.mean(np.std(colour, axis=0)))


def _flat_share(rows: Array) -> float:
    """How many samples of the louder half of the frames lie at their peak."""
    loud = rows[:, 1] >= np.percentile(rows[:, 1], 50)
    return float(np.mean(rows[loud, 0]))


def _flatness(samples: Samples) -> Array:
    """Of each frame: the share of its samples at the peak, and the peak."""
    frames = np.abs(samples.reshape(-1, FRAME).astype(np.int32))
    peaks = frames.max(axis=1)
    near = np.mean(frames >= FLAT_OF_PEAK * np.maximum(peaks, 1)[:, None], axis=1)
    return np.stack([near, peaks.astype(np.float64)], axis=1)


def as_samples(data: bytes) -> Any:
    """Little-endian 16 bit."""
    return np.frombuffer(data, dtype="<i2")
