"""Who speaks in the background: in the order that is asked for, one at a time, on real programs and a real store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import eventually
from ttcs_edge.core.effects import Speak
from ttcs_edge.core.events import Event, NotSpoken, Spoken, VoicesKnown
from ttcs_edge.core.model import Utterance
from ttcs_edge.daemon.speaking import Speaking
from ttcs_edge.drivers.speech import Voices
from ttcs_edge.settings import SpeechSettings, StoreSettings
from ttcs_edge.store.blobs import Blobs
from ttcs_edge.store.spoken import SpokenStore

FLOOD, STORM = Utterance("vi", "Lũ quét."), Utterance("vi", "Bão số 5.")
VOICELESS = Utterance("kpm", "Dà dờng.")


class Part:
    """The thread with its store, and what it told."""

    def __init__(self, folder: Path, espeak: str = "espeak-ng", audio_bytes: int = 10_000_000) -> None:
        self.told: list[Event] = []
        self.blobs = Blobs(folder / "blobs", StoreSettings(audio_bytes=audio_bytes, free_bytes=0))
        self.notes = folder / "spoken"
        voices = Voices(SpeechSettings(time_limit_s=20), folder / "run", espeak=espeak)
        self.speaking = Speaking(voices, SpokenStore(self.blobs, self.notes), self.told.append)

    def ask(self, *wanted: Utterance) -> None:
        """The core's list."""
        self.speaking.set_wanted(Speak(wanted))

    def answers(self, count: int) -> list[Event]:
        """What came of that many."""
        eventually(lambda: len(self.told) > count, 20)
        assert isinstance(self.told[0], VoicesKnown)
        return self.told[1:]


@pytest.fixture
def part(tmp_path: Path) -> Iterator[Part]:
    """It runs."""
    part = Part(tmp_path)
    part.speaking.start()
    yield part
    part.speaking.close(5)


def test_voices_first_then_each_text_in_its_order(part: Part) -> None:
    part.ask(STORM, VOICELESS, FLOOD)
    storm, voiceless, flood = part.answers(3)

    assert part.told[0] == VoicesKnown(part.speaking._speech.languages())
    assert isinstance(storm, Spoken) and storm.utterance == STORM
    assert voiceless == NotSpoken(VOICELESS, "no-voice", "")
    assert isinstance(flood, Spoken) and flood.utterance == FLOOD
    for spoken in (storm, flood):
        audio = part.blobs.open_verified(spoken.sha256)
        os.close(audio.fd)
        assert audio.size_bytes == spoken.size_bytes
        assert spoken.duration_ms > 300
    eventually(lambda: len(list(part.notes.iterdir())) == 2)


def test_what_an_earlier_life_spoke_is_told_without_a_synthesiser_at_work(part: Part, tmp_path: Path) -> None:
    part.ask(FLOOD)
    (first,) = part.answers(1)
    eventually(lambda: part.notes.exists() and len(list(part.notes.iterdir())) == 1)
    part.speaking.close(5)

    listing = tmp_path / "listing"
    listing.write_text('#!/bin/sh\n[ "$1" = --voices ] && exec espeak-ng --voices\nexit 1\n')
    listing.chmod(0o755)
    later = Part(tmp_path, espeak=str(listing))
    later.speaking.start()
    later.ask(FLOOD)
    assert later.answers(1) == [first]
    later.speaking.close(5)


def slow_on(folder: Path, word: str) -> str:
    """A synthesiser that never comes to the end of a text with this word."""
    path = folder / "slow"
    path.write_text(
        '#!/bin/sh\n[ "$1" = --voices ] && exec espeak-ng --voices\n'
        f"text=$(cat); case $text in *{word}*) echo >>{folder}/begun; sleep 600;; esac\n"
        'printf %s "$text" | espeak-ng "$@"\n'
    )
    path.chmod(0o755)
    return str(path)


def test_what_comes_first_now_does_not_wait_for_what_does_not(tmp_path: Path) -> None:
    """A background text is given up for an alert, and is spoken afterwards unless nobody wants it any more."""
    part = Part(tmp_path, slow_on(tmp_path, "Bão"))
    part.speaking.start()
    part.ask(STORM)
    eventually(lambda: (tmp_path / "begun").exists())
    part.ask(FLOOD, STORM)
    (flood,) = part.answers(1)
    assert isinstance(flood, Spoken) and flood.utterance == FLOOD

    part.ask(STORM)
    eventually(lambda: len((tmp_path / "begun").read_text()) == 2)
    part.ask()
    part.ask(VOICELESS)
    assert part.answers(2)[1] == NotSpoken(VOICELESS, "no-voice", "")
    part.speaking.close(5)


def test_it_ends_at_once_in_the_middle_of_a_text(tmp_path: Path) -> None:
    part = Part(tmp_path, slow_on(tmp_path, "Bão"))
    part.speaking.start()
    part.ask(STORM)
    eventually(lambda: (tmp_path / "begun").exists())
    part.speaking.close(5)
    assert not part.speaking._thread.is_alive()
    assert part.told[1:] == []
    assert list((tmp_path / "run").iterdir()) == []


def test_a_card_that_takes_nothing_keeps_nobody_from_hearing_it(tmp_path: Path) -> None:
    """It is held in memory; only the next life must speak it again."""
    part = Part(tmp_path, audio_bytes=1)
    part.speaking.start()
    part.ask(FLOOD)
    (flood,) = part.answers(1)
    assert isinstance(flood, Spoken)
    os.close(part.blobs.open_verified(flood.sha256).fd)
    part.speaking.close(5)
    assert not part.notes.exists()
