"""What an off-air monitor hears in a rig: nothing for half a minute, then a stranger for one, round and round."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.monitor.test_process import write_wav
from ttcs_edge.drivers.sound import RATE_HZ
from ttcs_edge.training.voices import ENGLISH, of_db, speech

SILENT_S, FOREIGN_S = 30, 60
HEADER_BYTES = 44
NOISE = 8
"""What an input hears by itself, as samples."""
POSITION = """\
for process in /proc/PROCESS; do for fd in $process/fd/*; do case $(readlink $fd) in
*/air.wav) cat $process/fdinfo/${fd##*/} || true;;
esac; done; done"""


def write_stranger(path: Path) -> None:
    """Write what the input hears to a file named ``air.wav``."""
    silence = np.random.default_rng(1).normal(0, NOISE, SILENT_S * RATE_HZ).astype(np.float32)
    stranger = np.take(of_db(speech(ENGLISH, "en"), -20), np.arange(FOREIGN_S * RATE_HZ), mode="wrap")
    write_wav(path, np.concatenate([silence, stranger]))


def heard_s(shell: Callable[[str], str], process: str = "[0-9]*") -> float:
    """How far the input has come in that file, by the position in it of who reads it; it reads a little ahead."""
    told = shell(POSITION.replace("PROCESS", process)).split()
    return (int(told[told.index("pos:") + 1]) - HEADER_BYTES) / 2 / RATE_HZ if told else 0.0
