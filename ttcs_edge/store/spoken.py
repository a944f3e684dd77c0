"""What the station spoke, kept with what it was the speech of: a restart need not speak it again.

The sound is an audio file like any other, named by its hash and evicted like any other; beside them lies a note for
each, named by the hash of the words and of how they were spoken. A hash tells rot, not malice: who can write on this
card can also replace the station's software.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Sha256, Utterance
from ttcs_edge.store.blobs import Blobs, write_whole


class Note(Struct, frozen=True, forbid_unknown_fields=True):
    """Which audio a text became."""

    sha256: Sha256
    size_bytes: int
    duration_ms: int


class SpokenStore:
    """The notes, and the audio that they name. One thread uses it."""

    def __init__(self, blobs: Blobs, folder: Path) -> None:
        self._blobs = blobs
        self._folder = folder

    def find(self, utterance: Utterance, voice: str) -> Note | None:
        """Give what a text became when this voice spoke it, where that is still there."""
        try:
            note = msgspec.json.decode(self._path(utterance, voice).read_bytes(), type=Note)
        except (OSError, msgspec.DecodeError):
            return None
        return note if self._blobs.has(note.sha256) else None

    def hold(self, wav: bytes, duration_ms: int) -> Note | None:
        """Have it at hand at once, in memory; None when there is no room."""
        note = Note(Sha256(hashlib.sha256(wav).hexdigest()), len(wav), duration_ms)
        return note if self._blobs.hold(note.sha256, wav) else None

    def keep(self, utterance: Utterance, voice: str, wav: bytes, duration_ms: int) -> Note:
        """Put it on the card, with its note. Raises BlobError when there is no room, or the card fails."""
        sha256 = self._blobs.put(wav)
        note = Note(sha256, len(wav), duration_ms)
        with suppress(OSError):  # it is spoken again after the next start
            self._folder.mkdir(parents=True, exist_ok=True)
            self._make_room()
            write_whole(self._path(utterance, voice), msgspec.json.encode(note))
        return note

    def _make_room(self) -> None:
        """Notes are small; of more than ``LIMITS.spoken_notes`` the oldest go."""
        notes = sorted(self._folder.iterdir(), key=lambda path: (path.stat().st_mtime_ns, path.name))
        for path in notes[: max(0, len(notes) + 1 - LIMITS.spoken_notes)]:
            path.unlink(missing_ok=True)

    def _path(self, utterance: Utterance, voice: str) -> Path:
        name = msgspec.json.encode([voice, utterance.language, utterance.text])
        return self._folder / hashlib.sha256(name).hexdigest()
