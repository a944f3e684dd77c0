"""Files that are brought by hand: whose answer the end of a copy is."""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.link.test_fetcher import Chunks
from ttcs_edge.core.documents import Refused
from ttcs_edge.core.effects import SetWanted, WantedAudio
from ttcs_edge.core.events import AudioCarried, AudioStored, Event
from ttcs_edge.core.model import Instant, LocalUser, MonoMs, Sha256, WallMs
from ttcs_edge.daemon.carried import Carried
from ttcs_edge.link.control import ControlError
from ttcs_edge.link.fetcher import Fetcher
from ttcs_edge.link.inbox import Readers
from ttcs_edge.settings import HttpsSettings, StoreSettings
from ttcs_edge.store.blobs import BlobError, Blobs, Partial
from ttcs_edge.store.database import Database
from ttcs_edge.store.outbox import Outbox

DATA = os.urandom(100_000)
TUAN = LocalUser(1000, "tuan")
SHA = Sha256(hashlib.sha256(DATA).hexdigest())
OTHER = Sha256(hashlib.sha256(b"other").hexdigest())


def unread(data: bytes, subject: str) -> Refused:
    """No document is read."""
    return Refused("", "")


class SlowCard(Blobs):
    """A card that takes its time, as long as the test wants."""

    goes_on = threading.Event()

    def begin(self, sha256: Sha256, size_bytes: int) -> Partial:
        """Wait, then begin."""
        self.goes_on.wait(10)
        return super().begin(sha256, size_bytes)


class Bench:
    """What answers a technician's commands, in front of a real fetcher and store."""

    def __init__(self, folder: Path) -> None:
        self.blobs = SlowCard(folder / "blobs", StoreSettings(audio_bytes=1_000_000, free_bytes=0))
        self.blobs.goes_on.clear()
        self.heard: queue.SimpleQueue[Event] = queue.SimpleQueue()
        chunks = Chunks()
        chunks.connected = False
        self.fetcher = Fetcher(self.blobs, BlobError, chunks, HttpsSettings(), self.heard.put)
        database = Database.open(folder / "state")
        database.close()
        self.outbox = Outbox(database.path)
        now = Instant(WallMs(0), MonoMs(0), trusted=True)
        self.carried = Carried(
            lambda call, timeout_s: None,
            lambda: now,
            self.heard.put,
            Readers(unread, unread, unread, unread, unread, unread),
            self.fetcher,
            self.outbox,
        )
        wanted = tuple(WantedAudio(name, len(DATA), ("broker:",), WallMs(0)) for name in (SHA, OTHER))
        self.fetcher.set_wanted(SetWanted(wanted, frozenset({SHA, OTHER})))

    def bring(self, path: Path | str, sha256: Sha256 = SHA, **more: Any) -> str:
        """Ask for a file to be taken in; gives the outcome."""
        file = os.open(path, os.O_RDONLY)
        try:
            answer = self.carried.questions_with_file()["import-audio"]({"sha256": sha256, **more}, file, TUAN)
        finally:
            os.close(file)
        return str(answer["outcome"])

    def close(self) -> None:
        """End everything."""
        self.blobs.goes_on.set()
        self.fetcher.close(3)
        self.outbox.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """The file."""
    path = tmp_path / "good"
    path.write_bytes(DATA)
    return path


BROKEN = "/proc/self/mem"
"""A regular file whose first pages cannot be read: a stick that was pulled out."""


def let_go_on(bench: Bench) -> None:
    """Let the card work, and wait until the copy has ended."""
    offer = bench.carried._offer
    assert offer is not None
    bench.blobs.goes_on.set()
    assert offer.ended.wait(5)


def test_who_asks_again_is_told_how_the_copy_ended(bench: Bench, good: Path) -> None:
    """Between two questions it was stored; and the audit trail is told who brought it."""
    assert bench.bring(good) == "copying"
    let_go_on(bench)
    assert bench.bring(good, again=True) == "stored"
    assert [bench.heard.get(timeout=5) for _ in range(2)] == [AudioStored(SHA), AudioCarried(SHA, TUAN)]


def test_the_end_of_a_copy_that_a_command_left_behind_is_not_told_to_the_next(bench: Bench, good: Path) -> None:
    """It was another stick's: the next command's file is read, and nobody is told to plug in what is plugged in."""
    assert bench.bring(BROKEN) == "copying"
    let_go_on(bench)
    assert bench.bring(good) == "stored"
    assert bench.blobs.have() == {SHA}


def test_another_file_waits_until_the_first_is_copied(bench: Bench, good: Path) -> None:
    """Two commands at once: the second is told so, and the first goes on."""
    assert bench.bring(good) == "copying"
    with pytest.raises(ControlError, match="busy"):
        bench.bring(good, OTHER)
    let_go_on(bench)
    assert bench.bring(good, again=True) == "stored"
