"""What was spoken is found again, whole or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Sha256, Utterance
from ttcs_edge.settings import StoreSettings
from ttcs_edge.store.blobs import BlobError, Blobs
from ttcs_edge.store.spoken import Note, SpokenStore

FLOOD = Utterance("vi", "Lũ quét.")
WAV = b"RIFF and so on" * 1_000
SHA256 = Sha256(hashlib.sha256(WAV).hexdigest())


def store(folder: Path, audio_bytes: int = 1_000_000) -> tuple[Blobs, SpokenStore]:
    """A station's store, as a life finds it."""
    blobs = Blobs(folder / "blobs", StoreSettings(audio_bytes=audio_bytes, free_bytes=0))
    return blobs, SpokenStore(blobs, folder / "spoken")


def test_the_next_life_finds_it_whole(tmp_path: Path) -> None:
    _, spoken = store(tmp_path)
    assert spoken.keep(FLOOD, "espeak-ng vi", WAV, 6_000) == Note(SHA256, len(WAV), 6_000)

    blobs, spoken = store(tmp_path)
    assert spoken.find(FLOOD, "espeak-ng vi") == Note(SHA256, len(WAV), 6_000)
    audio = blobs.open_verified(SHA256)
    assert os.pread(audio.fd, 2 * len(WAV), 0) == WAV
    os.close(audio.fd)
    assert sorted(path.name for path in (tmp_path / "blobs").iterdir()) == [SHA256]


@pytest.mark.parametrize(
    ("utterance", "voice"),
    [
        (Utterance("vi", "Lũ quét!"), "espeak-ng vi"),
        (Utterance("en", "Lũ quét."), "espeak-ng vi"),
        (FLOOD, "piper"),
        (Utterance("i", "vLũ quét."), "espeak-ng v"),
    ],
)
def test_other_words_or_another_voice_are_not_mistaken_for_it(tmp_path: Path, utterance: Utterance, voice: str) -> None:
    _, spoken = store(tmp_path)
    spoken.keep(FLOOD, "espeak-ng vi", WAV, 6_000)
    assert spoken.find(utterance, voice) is None


def test_what_was_evicted_or_went_bad_is_not_found(tmp_path: Path) -> None:
    blobs, spoken = store(tmp_path)
    spoken.keep(FLOOD, "v", WAV, 6_000)
    (tmp_path / "blobs" / SHA256).write_bytes(b"rot")
    with pytest.raises(BlobError):
        blobs.open_verified(SHA256)
    assert spoken.find(FLOOD, "v") is None


@pytest.mark.parametrize("note", [b"", b"{}", b'{"sha256": 1}', b"\xff\x00", b'{"sha256":"a","size_bytes":1}'])
def test_a_note_that_went_bad_is_none(tmp_path: Path, note: bytes) -> None:
    _, spoken = store(tmp_path)
    spoken.keep(FLOOD, "v", WAV, 6_000)
    (path,) = (tmp_path / "spoken").iterdir()
    path.write_bytes(note)
    assert spoken.find(FLOOD, "v") is None


def test_it_is_at_hand_before_the_card_has_it_and_not_twice_afterwards(tmp_path: Path) -> None:
    blobs, spoken = store(tmp_path)
    assert spoken.hold(WAV, 6_000) == Note(SHA256, len(WAV), 6_000)
    assert SHA256 in blobs.have()
    assert list((tmp_path / "blobs").iterdir()) == []
    spoken.keep(FLOOD, "v", WAV, 6_000)
    assert blobs.hold(Sha256("x"), b"\0" * LIMITS.held_bytes), "what the card has is let go"
    assert spoken.hold(WAV, 6_000) is None, "there is no room in memory"


def test_a_full_card_keeps_nothing_and_says_so(tmp_path: Path) -> None:
    _, spoken = store(tmp_path, audio_bytes=len(WAV) - 1)
    with pytest.raises(BlobError) as error:
        spoken.keep(FLOOD, "v", WAV, 6_000)
    assert error.value.code == "store-full"
    assert list((tmp_path / "blobs").iterdir()) == []
    assert not (tmp_path / "spoken").exists()


def test_a_card_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("no folder")
    _, spoken = store(tmp_path)
    with pytest.raises(BlobError) as error:
        spoken.keep(FLOOD, "v", WAV, 6_000)
    assert error.value.code == "store-failing"


def test_what_a_power_cut_left_half_written_is_cleared_and_is_no_audio(tmp_path: Path) -> None:
    blobs, spoken = store(tmp_path)
    (tmp_path / "blobs" / f"{'0' * 64}.made").write_bytes(b"half")
    assert blobs.have() == frozenset()
    spoken.keep(FLOOD, "v", WAV, 6_000)
    assert [path.name for path in (tmp_path / "blobs").iterdir()] == [SHA256]


def test_notes_are_bounded_and_the_oldest_go(tmp_path: Path) -> None:
    _, spoken = store(tmp_path)
    for number in range(LIMITS.spoken_notes + 3):
        spoken.keep(Utterance("vi", str(number)), "v", WAV, 6_000)
        (newest,) = [path for path in (tmp_path / "spoken").iterdir() if path.stat().st_mtime_ns > 10**15]
        os.utime(newest, ns=(number, number))
    assert len(list((tmp_path / "spoken").iterdir())) == LIMITS.spoken_notes
    assert [spoken.find(Utterance("vi", str(number)), "v") is None for number in range(4)] == [True] * 3 + [False]
