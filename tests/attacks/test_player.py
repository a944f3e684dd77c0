"""Attacks by audio: what was signed as a bulletin, and is made to break what decodes it. The next cue airs, whole."""

from __future__ import annotations

import re
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.drivers.test_player import listening
from tests.parts import eventually
from tests.player.hostile_files import ENDED, PLAYED, REFUSED, TONE_S
from tests.player.parts import Listening, Source, noise, samples, wav
from ttcs_edge.core.events import PlayerGone, PlayerReady, SoundEnded, SoundProgress
from ttcs_edge.drivers.player import SILENT_S
from ttcs_edge.player.writer import STARVED_S

_ = listening
CUE_MS = 300
TOLD_S = 6 * STARVED_S
"""How long a test waits for what takes a player ``STARVED_S`` on a machine with nothing else to do."""
RESIDENT_MOST_KB = 500_000
"""What a player may have had in memory at its worst: what is its own, libraries, and the file that it was handed."""


def assert_the_next_cue_airs(listening: Listening, folder: Path, play: int = 2) -> None:
    """To its last sample."""
    whole = noise(CUE_MS, play)
    listening.play(play, Source(wav(folder / "next.wav", whole).read_bytes(), CUE_MS))
    while (ended := listening.wait(SoundEnded)).play != play:
        pass

    assert ended == SoundEnded(play, True, (CUE_MS,), None)
    assert samples(listening.file)[-len(whole) :] == whole


def most_kb(listening: Listening, pid: int) -> int:
    """Wait until the play is over, or its player; gives the most that the player had in memory meanwhile."""
    seen_kb = [0]

    def is_over() -> bool:
        with suppress(OSError):
            seen_kb.extend(map(int, re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())))
        return bool(listening.all(SoundEnded) or listening.all(PlayerGone))

    eventually(is_over, TOLD_S)
    return max(seen_kb)


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_none_of_the_kinds_that_are_played_is_told_as_no_audio(
    listening: Listening, tmp_path: Path, kind: str
) -> None:
    """Nothing of it sounds, nothing is followed or unpacked, and the player stays."""
    pid = listening.pid
    listening.play(1, Source(REFUSED[kind](), TONE_S * 1_000))

    assert listening.wait(SoundEnded, TOLD_S) == SoundEnded(1, False, (0,), "not-audio")
    assert_the_next_cue_airs(listening, tmp_path)
    assert samples(listening.file) == noise(CUE_MS, 2)
    assert (listening.pid, listening.all(PlayerGone)) == (pid, [])


@pytest.mark.parametrize("kind", PLAYED)
def test_what_lies_between_the_head_and_the_sound_is_passed_over(
    listening: Listening, tmp_path: Path, kind: str
) -> None:
    """Pictures as large as a station's memory would be kept by whoever shows them."""
    listening.play(1, Source(PLAYED[kind](), TONE_S * 1_000))

    ended = listening.wait(SoundEnded, TOLD_S)
    assert (ended.completed, ended.failure) == (True, None)
    assert_the_next_cue_airs(listening, tmp_path)
    assert listening.all(PlayerGone) == []


@pytest.mark.parametrize("kind", ENDED)
def test_what_asks_for_more_memory_than_there_is_costs_one_cue(listening: Listening, tmp_path: Path, kind: str) -> None:
    """Hundreds of megabytes of pictures, and a comment of four gigabytes: the player is bounded, or is replaced."""
    before = listening.pid
    listening.play(1, Source(ENDED[kind](), TONE_S * 1_000))
    used_kb = most_kb(listening, before)
    eventually(lambda: len(listening.all(PlayerReady)) == 1 + len(listening.all(PlayerGone)))

    assert_the_next_cue_airs(listening, tmp_path)
    assert used_kb < RESIDENT_MOST_KB


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGSTOP])
def test_a_decoder_that_crashes_or_hangs_costs_a_gap(
    listening: Listening, tmp_path: Path, number: signal.Signals
) -> None:
    """By any signal a crash ends by, in the middle of a cue; no core is left anywhere."""
    listening.play(1, Source(wav(tmp_path / "long.wav", noise(5_000)).read_bytes(), 5_000))
    eventually(lambda: listening.all(SoundProgress))
    before = listening.pid
    listening.signal(number)
    gone = listening.wait(PlayerGone, SILENT_S + 1.0)
    listening.wait(PlayerReady)

    assert gone.reason == ("hung" if number == signal.SIGSTOP else "died")
    assert not Path(f"/proc/{before}").exists()
    assert_the_next_cue_airs(listening, tmp_path)
    assert list(tmp_path.glob("core*")) + list(Path.cwd().glob("core*")) == []


PLANTED = """
import ctypes, hashlib, runpy, sys
from pathlib import Path
from ttcs_edge.player.decoder import Decoder

libc, honest, begun = ctypes.CDLL(None), Decoder._on_samples, Path(sys.argv[0] + ".begun")
libc.malloc.restype = ctypes.c_void_p

def hostile(self, opaque, samples, count, pts):
    if self._decoded_bytes < 20_000:
        return honest(self, opaque, samples, count, pts)
    while True:
        {does}

if not begun.exists():
    Decoder._on_samples = hostile
begun.touch()
sys.argv = ["-m", *sys.argv[3:]]
runpy.run_module("ttcs_edge.player", run_name="__main__")
"""
HOSTILE = {
    "loops": "hashlib.sha256(bytes(1 << 24))",
    "sleeps": "libc.sleep(3600)",
    "takes all memory": "ctypes.memset(libc.malloc(1 << 24) or libc.abort(), 1, 1 << 24)",
    "writes where nothing is": "ctypes.memset(8, 1, 8)",
}


@pytest.mark.parametrize("does", HOSTILE)
def test_a_decoder_that_never_gives_back_what_it_was_asked_for_costs_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str
) -> None:
    """In the middle of a file it loops, sleeps, takes what memory there is, or writes where nothing is."""
    script = tmp_path / "planted"
    script.write_text(f"#!{sys.executable}\n" + PLANTED.format(does=HOSTILE[does]))
    script.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(script))
    listening = Listening(tmp_path)
    try:
        listening.wait(PlayerReady)
        before = listening.pid
        listening.play(1, Source(wav(tmp_path / "long.wav", noise(5_000)).read_bytes(), 5_000))
        used_kb = most_kb(listening, before)
        listening.prepare(Source(wav(tmp_path / "first.wav", noise(100)).read_bytes(), 100))
        listening.wait(PlayerGone, TOLD_S)
        listening.wait(PlayerReady)

        assert not Path(f"/proc/{before}").exists()
        assert_the_next_cue_airs(listening, tmp_path)
        assert used_kb < RESIDENT_MOST_KB
    finally:
        listening.close()
