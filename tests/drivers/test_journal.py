"""The log of the station, by ``journalctl`` and by what stands in for it: bounded in lines, bytes and time."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from ttcs_edge.drivers.journal import JOURNALCTL, JournalError, SystemJournal


def program(folder: Path, script: str) -> tuple[str]:
    """A program that does as the script says."""
    path = folder / "journalctl"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return (str(path),)


def test_the_newest_whole_lines_are_given_when_they_are_too_many(tmp_path: Path) -> None:
    """A hundred megabytes are read, and never held; the first line that is shown is a whole one."""
    journal = SystemJournal(program(tmp_path, "seq 1 3000000"))
    lines = journal.last(5, 100).splitlines()
    assert lines == [str(number) for number in range(3_000_000 - len(lines) + 1, 3_000_001)]
    assert 90 < sum(len(line) + 1 for line in lines) <= 100


def test_all_of_it_is_given_when_it_fits_to_the_byte(tmp_path: Path) -> None:
    """Nothing is taken for a piece of a line that is none."""
    assert SystemJournal(program(tmp_path, "printf 'một\\nhai\\n'")).last(2, len("một\nhai\n".encode())) == "một\nhai\n"
    assert SystemJournal(program(tmp_path, "printf 'một\\nhai\\n'")).last(2, len("một\nhai\n".encode()) - 1) == "hai\n"


def test_a_line_that_is_longer_than_all_that_may_be_given_is_cut(tmp_path: Path) -> None:
    """Its end is worth more than nothing; half a letter is no letter."""
    found = SystemJournal(program(tmp_path, "printf 'ộộộộộộộộộộ'")).last(1, 8)
    assert set(found) == {"ộ"} and len(found.encode()) <= 8


def test_the_number_of_lines_is_asked_of_the_journal(tmp_path: Path) -> None:
    """It knows where they begin."""
    assert SystemJournal((*program(tmp_path, 'echo "$@"'), "--quiet")).last(7, 100) == "--quiet --lines=7\n"


def test_a_journal_that_may_not_be_read_is_told_with_its_words(tmp_path: Path) -> None:
    """``journalctl`` says why; the first line of that is enough."""
    journal = SystemJournal(program(tmp_path, "echo 'No journal files were opened' >&2; echo more >&2; exit 1"))
    with pytest.raises(JournalError, match=r"^No journal files were opened$"):
        journal.last(1, 100)


def test_a_machine_without_a_journal_is_told(tmp_path: Path) -> None:
    """No such program."""
    with pytest.raises(JournalError, match="No such file"):
        SystemJournal((str(tmp_path / "nothing"),)).last(1, 100)


def test_a_journal_that_hangs_is_given_up_and_nothing_is_left_running(tmp_path: Path) -> None:
    """A card that dies under it."""
    begun_s = time.monotonic()
    journal = SystemJournal(program(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60"), read_s=0.3)
    with pytest.raises(JournalError):
        journal.last(1, 100)
    assert time.monotonic() - begun_s < 10
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


def test_what_floods_its_complaints_does_not_hang(tmp_path: Path) -> None:
    """Both streams are read at once."""
    assert SystemJournal(program(tmp_path, "seq 1 200000 >&2; echo done")).last(1, 100) == "done\n"


def test_the_real_journalctl_knows_every_option() -> None:
    """Whatever is in the journal here: at the most that it holds nothing, or that we may not see it."""
    done = subprocess.run([*JOURNALCTL, "--lines=3"], capture_output=True, text=True, env={**os.environ, "LANG": "C"})
    assert "unrecognized option" not in done.stderr and "Failed to parse" not in done.stderr
    assert len(done.stdout.splitlines()) <= 3
