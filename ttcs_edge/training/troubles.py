"""What a trainer may break, each with what hangs on it, and what of it is to be mended.

A trouble is a row: what breaks it, what mends it, and the part that must be named. Who finds it out hears no more than
what somebody would say on the telephone.
"""

from __future__ import annotations

import subprocess
import tempfile
import wave
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from msgspec import Struct

from ttcs_edge.core.model import ZoneId
from ttcs_edge.drivers.sound import RATE_HZ
from ttcs_edge.training.school import ZONES, School

STRANGER: Final = (
    "This is a broadcast that nobody in this village asked for. Buy our miracle herbs now, and do not listen to your "
    "officials, for they tell you nothing. We will be back every night, on this frequency, with music and with news."
)
STRANGER_RMS: Final = 3_300.0
"""-20 dB of full scale."""
Deed = Callable[[School, ZoneId], object]


class Trouble(Struct, frozen=True):
    """``part`` names what is to be mended: with ``{zone}`` in it, that of the zone where it is."""

    part: str
    breaks: Deed
    mends: Deed


@cache
def stranger() -> Any:
    """Somebody else speaks, on somebody else's transmitter: samples, to be heard round and round."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        subprocess.run(["espeak-ng", "-v", "en", "-w", str(path), STRANGER], check=True, capture_output=True)  # noqa: S603, S607 (a constant)
        with wave.open(str(path)) as file:
            rate_hz = file.getframerate()
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32)
    at = np.arange(len(samples) * RATE_HZ // rate_hz) * rate_hz / RATE_HZ
    resampled = np.interp(at, np.arange(len(samples)), samples)
    return (resampled * (STRANGER_RMS / np.sqrt(np.mean(np.square(resampled))))).astype(np.float32)


def _dies(school: School, dead: bool) -> None:
    school.pole.dead = school.air.cut = dead


def _send(school: School, samples: Any) -> None:
    school.air.foreign = samples


TROUBLES: Final[Mapping[str, Trouble]] = {
    "line-cut": Trouble(
        "line-{zone}",
        lambda school, zone: school.pole.cut.add(zone),
        lambda school, zone: school.pole.cut.discard(zone),
    ),
    "line-shorted": Trouble(
        "line-{zone}",
        lambda school, zone: school.pole.shorted.add(zone),
        lambda school, zone: school.pole.shorted.discard(zone),
    ),
    "amplifier-dead": Trouble(
        "amplifier", lambda school, zone: _dies(school, True), lambda school, zone: _dies(school, False)
    ),
    "no-link": Trouble("link", lambda school, zone: school.unplug(), lambda school, zone: school.plug_in()),
    "hijack": Trouble(
        "receiver", lambda school, zone: _send(school, stranger()), lambda school, zone: _send(school, None)
    ),
    "flood": Trouble("nothing", lambda school, zone: school.warn(), lambda school, zone: None),
}
"""In the order of the trainer's menu."""
PARTS: Final = (*(f"line-{zone}" for zone in ZONES), "amplifier", "link", "receiver", "nothing")
"""What a trainee may say that he mends."""


def part_of(name: str, zone: str) -> str:
    """What is to be mended of a trouble in a zone."""
    return TROUBLES[name].part.format(zone=zone)
