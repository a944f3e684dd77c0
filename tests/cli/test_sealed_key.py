"""A key that a chip seals: what does not open again is never kept. The chip is a script here; the rig has a TPM."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ttcs_edge.cli import sealed_key
from ttcs_edge.cli.sealed_key import SealError, make_key, read_key, show_key

CHIP = """\
#!/bin/sh
case $1 in
    decrypt) test ! -e {broken} || { echo "TPM2 PCR bank invalid or not supported" >&2; exit 1; } ;;
esac
tr A-Za-z N-ZA-Mn-za-m
"""


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a file is while the chip opens nothing."""
    broken, program = tmp_path / "broken", tmp_path / "bin" / sealed_key.PROGRAM
    program.parent.mkdir()
    program.write_text(CHIP.replace("{broken}", str(broken)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(sealed_key, "TPM", program)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return broken


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where an identity is made."""
    (tmp_path / "identity").mkdir()
    return tmp_path / "identity"


def test_what_is_written_is_sealed_and_the_unit_finds_the_key_where_it_is_opened(broken: Path, folder: Path) -> None:
    """Nothing else of it lies there, and no other user reads even that."""
    key = make_key(folder)
    show_key(folder)

    assert key.startswith(b"-----BEGIN")
    assert read_key(folder) == key
    assert {path.name for path in folder.iterdir()} == {sealed_key.PLAIN, sealed_key.SEALED}
    assert (folder / sealed_key.PLAIN).readlink() == sealed_key.OPENED
    assert b"BEGIN" not in (folder / sealed_key.SEALED).read_bytes()
    assert (folder / sealed_key.SEALED).stat().st_mode & 0o777 == 0o600


def test_a_chip_that_does_not_open_what_it_sealed_leaves_nothing_behind(broken: Path, folder: Path) -> None:
    """As systemd 252 with no PCR at all; once it is mended, the same command makes a key."""
    broken.touch()
    with pytest.raises(SealError) as caught:
        make_key(folder)
    assert str(caught.value) == "TPM2 PCR bank invalid or not supported"
    assert (list(folder.iterdir()), read_key(folder)) == ([], None)

    broken.unlink()
    assert make_key(folder) == read_key(folder)


def test_without_a_chip_the_key_is_a_file_that_its_owner_alone_reads(folder: Path) -> None:
    """Nothing is asked of a program."""
    key = make_key(folder)

    assert [path.name for path in folder.iterdir()] == [sealed_key.PLAIN]
    assert (folder / sealed_key.PLAIN).read_bytes() == key == read_key(folder)
    assert (folder / sealed_key.PLAIN).stat().st_mode & 0o777 == 0o600
