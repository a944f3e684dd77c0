"""Recordings on the card: whole, bounded, the oldest go first."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ttcs_edge.store.evidence import BYTES_MOST, FILES_MOST, Evidence


def test_a_recording_is_there_under_its_name_and_its_hash(tmp_path: Path) -> None:
    """Only its owner may read it."""
    evidence = Evidence(tmp_path / "evidence")
    file, sha256 = evidence.keep("foreign-7-1", b"sound")

    path = tmp_path / "evidence" / file
    assert (file, path.read_bytes()) == ("foreign-7-1.wav", b"sound")
    assert sha256 == hashlib.sha256(b"sound").hexdigest()
    assert path.stat().st_mode & 0o777 == 0o600
    assert [(one.file, one.size_bytes) for one in evidence.recordings()] == [(file, 5)]


def test_a_station_that_never_kept_any_has_none(tmp_path: Path) -> None:
    """The folder is made when it is needed."""
    assert Evidence(tmp_path / "evidence").recordings() == []
    assert list(tmp_path.iterdir()) == []


def test_there_are_no_more_than_so_many_and_the_oldest_go(tmp_path: Path) -> None:
    """Whatever else lies there stays."""
    evidence = Evidence(tmp_path)
    (tmp_path / "mine.txt").write_text("x")
    for count in range(FILES_MOST + 3):
        file, _ = evidence.keep(f"foreign-1-{count}", b"x")
        os.utime(tmp_path / file, (count, count))

    kept = [one.file for one in evidence.recordings()]
    assert kept == [f"foreign-1-{count}.wav" for count in range(3, FILES_MOST + 3)]
    assert (tmp_path / "mine.txt").exists()


def test_they_take_no_more_than_so_much(tmp_path: Path) -> None:
    """A large one lets older ones go, as many as it must."""
    evidence = Evidence(tmp_path)
    for count in range(4):
        file, _ = evidence.keep(f"foreign-1-{count}", bytes(BYTES_MOST // 4))
        os.utime(tmp_path / file, (count, count))
    evidence.keep("foreign-1-9", bytes(BYTES_MOST // 2))

    assert sum(one.size_bytes for one in evidence.recordings()) <= BYTES_MOST
    assert next(one.file for one in evidence.recordings()) == "foreign-1-2.wav"


@pytest.mark.parametrize("name", ["../root", "foreign-1-1/../../x", "foreign-1", "", "foreign-1-1.wav"])
def test_a_name_that_leads_elsewhere_is_none(tmp_path: Path, name: str) -> None:
    """What a monitor says is the name is not believed."""
    with pytest.raises(ValueError, match="no name of a recording"):
        Evidence(tmp_path / "evidence").keep(name, b"x")
    assert list(tmp_path.iterdir()) == []
