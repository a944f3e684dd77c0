"""Brings a recording to the loudness of all bulletins: ``python -m ttcs_edge.drivers.loudness FROM.wav TO.wav``.

-16 LUFS, at most -1.5 dBTP (EBU R128; why these: ``central.audio``, which brings published recordings there), so that
nobody at the pole turns a knob between a recorded warning and a spoken one. It measures with libebur128, raises, lets a
limiter take what would go over the ceiling, and measures again: peaks that were taken away cost loudness, which a
further try makes up for.

A program of its own, because walking over samples keeps an interpreter busy, and the daemon's has other things to do.
Mono, 16 bits. Leaves with 0; 65 (EX_DATAERR) when nothing can be heard in it; 69 (EX_UNAVAILABLE) without libebur128.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
import wave
from array import array
from collections.abc import Sequence
from itertools import repeat

from msgspec import Struct

TARGET_LUFS = -16.0
PEAK_DBTP = -1.5
HEADROOM_DB = 0.3
"""How far below the ceiling samples stay: between two of them the true peak is a little higher."""
TOLERANCE_LU = 0.3
TRIES = 6
OVERSHOOT = 1.6
"""The limiter takes a part of what is added."""
SILENT_LUFS = -60.0
BLOCKS_PER_S = 200
LOOK_BLOCKS = 2
"""The limiter's gain follows within 10 ms, and begins as long before the peak: nobody hears a step."""
FULL = 32_767
_LIBRARY = "libebur128.so.1"
_INTEGRATED, _TRUE_PEAK = 1 << 2 | 1, 1 << 5 | 1 << 4 | 1
"""``EBUR128_MODE_I`` and ``EBUR128_MODE_TRUE_PEAK`` of ebur128.h."""


class Loudness(Struct, frozen=True):
    """What was measured."""

    lufs: float
    peak_dbtp: float


def measure(samples: array[int], rate_hz: int) -> Loudness:
    """Measure by EBU R128. Raises OSError without libebur128, ValueError when that refuses the samples."""
    library = ctypes.CDLL(_LIBRARY)
    library.ebur128_init.restype = ctypes.c_void_p
    library.ebur128_init.argtypes = [ctypes.c_uint, ctypes.c_ulong, ctypes.c_int]
    state = ctypes.c_void_p(library.ebur128_init(1, rate_hz, _INTEGRATED | _TRUE_PEAK))
    if not state:
        raise ValueError(f"{rate_hz} Hz")
    try:
        address, count = samples.buffer_info()
        lufs, peak = ctypes.c_double(), ctypes.c_double()
        failed = library.ebur128_add_frames_short(state, ctypes.c_void_p(address), ctypes.c_size_t(count))
        failed = failed or library.ebur128_loudness_global(state, ctypes.byref(lufs))
        failed = failed or library.ebur128_true_peak(state, ctypes.c_uint(0), ctypes.byref(peak))
    finally:
        library.ebur128_destroy(ctypes.byref(state))
    if failed:
        raise ValueError(f"libebur128: {failed}")
    return Loudness(lufs.value, 20 * math.log10(peak.value) if peak.value > 0 else -math.inf)


def raised(samples: array[int], gain_db: float, rate_hz: int) -> array[int]:
    """Give samples made louder, none of them over the ceiling."""
    gain, ceiling = 10 ** (gain_db / 20), FULL * 10 ** ((PEAK_DBTP - HEADROOM_DB) / 20)
    size = max(1, rate_hz // BLOCKS_PER_S)
    blocks = [samples[begin : begin + size] for begin in range(0, len(samples), size)]
    allowed = [min(1.0, ceiling / max(1.0, gain * max(max(block), -min(block)))) for block in blocks]
    edges = _edges(allowed)
    made = array("h")
    for block, begin, end in zip(blocks, edges, edges[1:], strict=False):
        step = (end - begin) / len(block)
        gains = repeat(gain * begin) if step == 0 else [gain * (begin + step * place) for place in range(len(block))]
        made.extend([int(sample * one) for sample, one in zip(block, gains, strict=False)])
    return made


def _edges(allowed: Sequence[float]) -> list[float]:
    """The limiter's gain between blocks: the mean of the lowest around, so that it is smooth, and never over what the
    blocks on both sides allow.
    """
    count, look = len(allowed), LOOK_BLOCKS
    lowest = [min(allowed[max(0, at - look) : at + look + 1]) for at in range(count)]
    around = (lowest[max(0, at - look) : at + look] for at in range(count + 1))
    return [sum(part) / len(part) for part in around]


def brought_to_target(samples: array[int], rate_hz: int) -> array[int]:
    """Give samples at the target. Raises ValueError when nothing can be heard in them."""
    found = measure(samples, rate_hz)
    if not found.lufs > SILENT_LUFS:
        raise ValueError(f"{found.lufs} LUFS")
    gain_db = TARGET_LUFS - found.lufs
    for _ in range(TRIES):
        made = raised(samples, gain_db, rate_hz)
        missing_db = TARGET_LUFS - measure(made, rate_hz).lufs
        if abs(missing_db) <= TOLERANCE_LU:
            break
        gain_db += OVERSHOOT * missing_db
    return made


def main(source: str, target: str) -> int:
    """Read one file, write the other; gives an exit code of sysexits.h."""
    with wave.open(source, "rb") as file:
        rate_hz, samples = file.getframerate(), array("h", file.readframes(file.getnframes()))
    try:
        made = brought_to_target(samples, rate_hz)
    except ValueError as error:
        print(error, file=sys.stderr)
        return os.EX_DATAERR
    except OSError as error:
        print(error, file=sys.stderr)
        return os.EX_UNAVAILABLE
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(made.tobytes())
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
