"""The tones that come before an alert: files that every installation brings, so that none has to be fetched first.

- ``wail`` for what is severe: the falling tone of DIN 33404-3, from 1,200 to 500 Hz in one second, again and again.
- ``yelp`` for what is extreme: the same four times a second, which no other siren of a commune does.
- ``gong`` for all else: three falling notes.

And ``test``, by which somebody at a pole hears whether its loudspeakers work: 1,000 Hz, as measuring instruments want;
and ``pilot``, the same for two seconds of four, by which a station tests itself;
and ``silence``, with which a relay is held closed while somebody works on its wires.

``python -m ttcs_edge.tones`` makes the files anew; the hashes of what is played are those of the files.
"""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path

from ttcs_edge.core.model import AudioItem, Sha256

DURATION_MS = 5_000
RATE_HZ = 16_000
LANGUAGE = "zxx"
"""No linguistic content (ISO 639-2)."""

FILES = {"Extreme": "yelp", "Severe": "wail", "Moderate": "gong", "Minor": "gong", "Unknown": "gong"}
"""The file of each severity of CAP."""

TEST = "test"
TEST_MS = 1_000
"""One second of it has a whole number of turns: repeated, it has no seam."""

PILOT = "pilot"
PILOT_MS = 4_000
"""Two seconds of the test tone and two of silence: an energy meter, which tells the mean of a second, sees it rise."""
SILENCE = "silence"
SILENCE_MS = 1_000
LENGTHS_MS = {TEST: TEST_MS, PILOT: PILOT_MS, SILENCE: SILENCE_MS}
"""Of those that are not as long as the tones of alerts."""


def path_of(name: str) -> Path:
    """Where a tone lies."""
    return Path(str(resources.files(__name__).joinpath(f"{name}.wav")))


def built_in() -> tuple[tuple[tuple[str, AudioItem], ...], AudioItem, dict[Sha256, Path]]:
    """The tone of each severity, the test tone, and where the file of each hash lies. Raises OSError when one is
    missing.
    """
    items: dict[str, AudioItem] = {}
    paths: dict[Sha256, Path] = {}
    for name in (*sorted(set(FILES.values())), TEST, PILOT, SILENCE):
        items[name] = item_of(name)
        paths[items[name].sha256] = path_of(name)
    return tuple((severity, items[name]) for severity, name in FILES.items()), items[TEST], paths


def item_of(name: str) -> AudioItem:
    """A tone as it is aired. Raises OSError when it is missing."""
    data = path_of(name).read_bytes()
    sha256 = Sha256(hashlib.sha256(data).hexdigest())
    return AudioItem(name, LANGUAGE, sha256, len(data), LENGTHS_MS.get(name, DURATION_MS))
