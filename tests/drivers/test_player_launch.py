"""A player that somebody else begins: systemd's own activator, a keeper, and what the daemon can still do about it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.parts import eventually, listens
from tests.player.parts import BYTES_PER_MS, Listening, Source, noise, samples, tone, wav
from ttcs_edge.core.events import PlayerGone, PlayerReady, SoundEnded, SoundProgress
from ttcs_edge.drivers.player import SILENT_S, START_S
from ttcs_edge.drivers.player_launch import SOCKET_VARIABLE, Running, child, launcher, neighbour, wav_files
from ttcs_edge.player.messages import PACKET_BYTES
from ttcs_edge.settings import InputSettings, SoundDriver, SoundSettings

GONE_S = 2.0


@dataclass(frozen=True, slots=True)
class Door:
    """A socket, and the process that begins a keeper for each connection to it."""

    path: Path
    activator: int

    def keepers(self) -> list[int]:
        """The processes that keep one player each."""
        return children(self.activator)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """Where a service manager begins a keeper for each connection."""
    path = tmp_path / "player.socket"
    activate = ["systemd-socket-activate", "--accept", "--seqpacket", f"--listen={path}"]
    activate += [f"--setenv={name}={os.environ[name]}" for name in ("PYTHONPATH",) if name in os.environ]
    with (tmp_path / "activate.log").open("wb") as log:
        process = subprocess.Popen([*activate, sys.executable, "-m", "ttcs_edge.player.keeper"], stderr=log, stdout=log)
        eventually(lambda: listens(path))
        yield Door(path, process.pid)
        process.kill()
        process.wait()


@pytest.fixture
def listening(tmp_path: Path, door: Door) -> Iterator[Listening]:
    """A player of that door, that writes to a WAV file, and is ready."""
    microphone = InputSettings(SoundDriver.WAV, "wav", wav(tmp_path / "ear.wav", tone(1_000)))
    listening = Listening(tmp_path, sound_input=microphone, launch=launcher({SOCKET_VARIABLE: str(door.path)}))
    listening.wait(PlayerReady)
    yield listening
    listening.close()


def begun(door: Door, tmp_path: Path) -> tuple[Running, int, int]:
    """A player that has said its first word, its keeper's id, and its own."""
    running = neighbour(str(door.path), SoundSettings(SoundDriver.WAV, "wav", tmp_path / "aired.wav"), 1)
    running.socket.settimeout(START_S)
    assert running.socket.recv(PACKET_BYTES)
    (keeper,) = door.keepers()
    (player,) = children(keeper)
    return running, keeper, player


def children(pid: int) -> list[int]:
    """The processes that one has begun."""
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


def test_the_environment_of_the_unit_tells_how_players_begin() -> None:
    """Without it, a child."""
    assert launcher({}) is child
    assert launcher({SOCKET_VARIABLE: "/run/x"}) is not child


def test_it_plays_writes_the_file_it_was_handed_and_goes(listening: Listening, tmp_path: Path) -> None:
    """A cue, to its last sample; told to leave, it leaves."""
    listening.play(1, Source(wav(tmp_path / "clip.wav", noise(500)).read_bytes(), 500))

    assert listening.wait(SoundEnded) == SoundEnded(1, True, (500,), None)
    assert samples(listening.file) == noise(500)
    assert len(Path(f"{listening.file}.timeline").read_text().splitlines()) == 2
    running = listening.player._running
    assert running is not None and running.pid is None, "no process of ours"
    listening.player.close(GONE_S)
    assert running.is_gone_within(0)


def test_an_input_that_is_a_file_is_handed_over_with_its_play(listening: Listening) -> None:
    """Heard round and round, until it is stopped; then nothing of it is open any more."""
    listening.talk(1)
    listening.written(1_500)
    listening.player.stop(1, 0)

    assert listening.wait(SoundEnded).failure is None
    assert len(samples(listening.file)) >= 1_500 * BYTES_PER_MS


@pytest.mark.parametrize("number", [None, signal.SIGSTOP])
def test_whoever_lets_go_of_the_lifeline_ends_it_whatever_it_does(
    door: Door, tmp_path: Path, number: signal.Signals | None
) -> None:
    """Also one that hangs; the end of the connection tells when it is over."""
    running, keeper, player = begun(door, tmp_path)
    if number is not None:
        os.kill(player, number)
    assert not running.is_gone_within(0.2)
    running.kill()
    running.kill()

    assert running.is_gone_within(GONE_S)
    eventually(lambda: is_gone(player) and is_gone(keeper), GONE_S)
    running.socket.close()


def test_a_keeper_ends_with_what_it_keeps_and_tells_by_which_signal(door: Door, tmp_path: Path) -> None:
    """As a shell does: 128 and the signal's number."""
    running, keeper, player = begun(door, tmp_path)
    os.kill(player, signal.SIGSEGV)

    assert running.is_gone_within(GONE_S)
    eventually(lambda: f"{keeper} died with code {128 + signal.SIGSEGV}" in (tmp_path / "activate.log").read_text())
    running.socket.close()


def test_somebody_who_connects_and_says_nothing_gets_no_player(door: Door) -> None:
    """The keeper goes when he does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger:
        stranger.connect(str(door.path))
        (keeper,) = eventually(door.keepers)
        assert children(keeper) == []
    eventually(lambda: is_gone(keeper), GONE_S)


@pytest.mark.parametrize(("number", "reason"), [(signal.SIGKILL, "died"), (signal.SIGSTOP, "hung")])
def test_one_that_is_lost_in_the_middle_of_a_play_is_replaced(
    listening: Listening, door: Door, tmp_path: Path, number: signal.Signals, reason: str
) -> None:
    """As a child is, and the next play is whole."""
    listening.play(1, Source(wav(tmp_path / "long.wav", noise(4_000)).read_bytes(), 4_000))
    eventually(lambda: listening.all(SoundProgress))
    (player,) = children(door.keepers()[0])
    os.kill(player, number)
    assert listening.wait(PlayerGone, SILENT_S + 1.0).reason == reason
    listening.wait(PlayerReady)
    listening.play(2, Source(wav(tmp_path / "clip.wav", noise(300)).read_bytes(), 300))

    assert listening.wait(SoundEnded) == SoundEnded(2, True, (300,), None)
    assert is_gone(player)


def test_where_nobody_listens_it_is_tried_again_until_somebody_does(tmp_path: Path) -> None:
    """Each attempt in vain is told; nothing else happens."""
    listening = Listening(tmp_path, launch=launcher({SOCKET_VARIABLE: str(tmp_path / "nobody")}))
    try:
        assert [listening.wait(PlayerGone) for _ in range(2)] == [PlayerGone("died", 0)] * 2
        assert listening.player.pid is None
    finally:
        listening.close()


def test_a_file_that_cannot_be_opened_is_left_to_the_player_to_tell_of(tmp_path: Path) -> None:
    """Neither it nor its timeline; a device has none."""
    assert wav_files(SoundSettings(SoundDriver.WAV, "wav", tmp_path / "no/such/folder.wav")) == []
    assert wav_files(SoundSettings(SoundDriver.ALSA, "default")) == []
    (tmp_path / "aired.wav.timeline").mkdir()
    before = len(os.listdir("/proc/self/fd"))
    assert wav_files(SoundSettings(SoundDriver.WAV, "wav", tmp_path / "aired.wav")) == []
    assert len(os.listdir("/proc/self/fd")) == before
