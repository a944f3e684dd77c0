"""On a machine with a sound card, what a station writes to its WAV file is heard while it is written."""

from __future__ import annotations

import threading
from pathlib import Path

import alsaaudio

from ttcs_edge.drivers.sound import PERIOD_BYTES, AlsaSink, SoundError, SoundSink
from ttcs_edge.training.appended import Appended

LOOK_EVERY_S = 0.02
BUFFER_MS = 500
"""The file grows in gulps; the card must not run dry between two of them."""


def card() -> SoundSink | None:
    """The machine's own sound card; None where there is none."""
    return AlsaSink("default", BUFFER_MS) if alsaaudio.cards() else None


def follow(path: Path, sink: SoundSink, done: threading.Event) -> None:
    """Play what is appended to a WAV file until ``done``; a card that cannot play is nobody's loss here."""
    appended = Appended(path)
    try:
        sink.begin(0)
        while True:
            ending = done.is_set()
            data = appended.read(PERIOD_BYTES)
            for begin in range(0, len(data), PERIOD_BYTES):
                sink.write(data[begin : begin + PERIOD_BYTES])
            if ending:
                break
            done.wait(LOOK_EVERY_S)
        sink.end()
    except SoundError:
        pass
