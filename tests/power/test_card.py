"""The card itself can be believed: what was synced is there after a cut, what was not may be gone, and that is seen."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from tests.power.card import Card, build

COMMITS = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA journal_mode=WAL")
database.execute(f"PRAGMA synchronous={sys.argv[2]}")
database.execute("CREATE TABLE IF NOT EXISTS rows (number INTEGER PRIMARY KEY, body BLOB)")
first = database.execute("SELECT coalesce(max(number), 0) FROM rows").fetchone()[0]
for number in range(first + 1, 1_000_000):
    database.execute("INSERT INTO rows VALUES (?, zeroblob(3000))", (number,))
    print(number, flush=True)
"""
READ = (
    "import sqlite3, sys; print(*[row[0] for row in sqlite3.connect(sys.argv[1]).execute('SELECT number FROM rows')])"
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that logs."""
    return build(tmp_path_factory.mktemp("library"))


@pytest.fixture
def card(tmp_path: Path, library: Path) -> Card:
    """A card with nothing on it."""
    return Card(tmp_path / "card", tmp_path / "log", library)


def commit_and_cut(card: Card, synchronous: str, seed: int) -> tuple[int, set[int]]:
    """Commit rows until the power fails; gives the last that was acknowledged, and what is there."""
    path = str(card.root / "rows.db")
    command = [sys.executable, "-c", COMMITS, path, synchronous]
    acknowledged = 0
    with subprocess.Popen(command, env=os.environ | card.environment(), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for line in process.stdout:
            acknowledged = int(line)
            if acknowledged % 40 == 0:
                break
        process.kill()
    card.cut(Random(seed))
    copy = card.root.with_name("copy")  # a reader folds the journal in, and the card would know nothing of it
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(card.root, copy)
    with closing(sqlite3.connect(copy / "rows.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        tables = database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        return acknowledged, {row[0] for row in database.execute("SELECT number FROM rows")} if tables else set()


def test_a_commit_that_was_synced_is_on_the_card(card: Card) -> None:
    """WAL with FULL, cut after cut: every row that was acknowledged."""
    for seed in range(3):
        acknowledged, found = commit_and_cut(card, "FULL", seed)
        assert acknowledged and found >= set(range(1, acknowledged + 1)), f"seed {seed}"


def test_a_commit_that_was_not_synced_is_seen_to_be_lost(card: Card) -> None:
    """WAL with NORMAL: if this finds nothing lost, the instrument is blind."""
    losses = []
    for seed in range(3):
        acknowledged, found = commit_and_cut(card, "NORMAL", seed)
        losses.append(len(set(range(1, acknowledged + 1)) - found))
    assert any(losses), losses


@pytest.mark.parametrize(("folder_synced", "kept"), [(True, {"name"}), (False, {"name", "name.part"})])
def test_a_name_is_on_the_card_once_its_folder_was_synced(
    tmp_path: Path, library: Path, folder_synced: bool, kept: set[str]
) -> None:
    """A file that was written, synced and renamed: the old name comes back unless the folder was synced, too."""
    script = (
        "import os, sys; folder = sys.argv[1]; part = folder + '/name.part'\n"
        "file = open(part, 'wb'); file.write(b'x' * 10_000); file.flush(); os.fsync(file.fileno())\n"
        "top = os.open(folder, os.O_RDONLY); os.fsync(top)\n"
        "os.replace(part, folder + '/name')\n"
        "if sys.argv[2] == 'True': os.fsync(top)\n"
    )
    seen = set()
    for seed in range(8):
        card = Card(tmp_path / f"card-{seed}", tmp_path / "log", library)
        command = [sys.executable, "-c", script, str(card.root), str(folder_synced)]
        subprocess.run(command, env=os.environ | card.environment(), check=True)
        card.cut(Random(seed))
        (path,) = card.root.iterdir()
        assert path.read_bytes() == b"x" * 10_000
        seen.add(path.name)
    assert seen == kept
