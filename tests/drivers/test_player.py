"""The player as the daemon has it: killed, hung, stuck, garbled or unable to start, it is replaced, and tells so."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.parts import eventually
from tests.player.parts import BYTES_PER_MS, Listening, Loudspeaker, Source, noise, samples, sweep, tone, wav
from ttcs_edge.core.events import PlayerGone, PlayerReady, SoundDevice, SoundEnded, SoundProgress, SoundStarted
from ttcs_edge.drivers.player import EXPECTING_SILENT_S, IDLE_SILENT_S, SILENT_S
from ttcs_edge.player import messages
from ttcs_edge.settings import InputSettings, SoundDriver, SoundSettings

REPLACED_S = 1.0
TELL_MS = 100
"""How much may have been written that was not told yet, when a player dies."""


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Listening]:
    """A player that writes to a WAV file, and is ready."""
    listening = Listening(tmp_path)
    listening.wait(PlayerReady)
    yield listening
    listening.close()


def clip(folder: Path, data: bytes) -> Source:
    """A WAV file of these samples."""
    return Source(wav(folder / "clip.wav", data).read_bytes(), len(data) // BYTES_PER_MS)


def written_ms(listening: Listening) -> int:
    """How much of the play was told as written, so far."""
    told = listening.all(SoundProgress)
    return told[-1].written_ms if told else 0


@pytest.mark.parametrize(("number", "reason"), [(signal.SIGKILL, "died"), (signal.SIGSTOP, "hung")])
def test_a_player_lost_in_the_middle_of_a_play_is_replaced_and_the_play_goes_on_within_a_second(
    listening: Listening, tmp_path: Path, number: signal.Signals, reason: str
) -> None:
    """From the kill to the first sample of what is left; all that was told as written stays written."""
    source = clip(tmp_path, noise(3_000))
    listening.play(1, source)
    eventually(lambda: written_ms(listening) >= 500)
    old_pid = listening.pid
    lost_ns = time.monotonic_ns()
    listening.signal(number)
    gone = listening.wait(PlayerGone)
    file_ms = (listening.file.stat().st_size - 44) // BYTES_PER_MS
    listening.wait(PlayerReady)
    listening.play(2, source, from_ms=gone.written_ms)
    started = listening.wait(SoundStarted)
    ended = listening.wait(SoundEnded)

    assert gone == PlayerGone(reason, written_ms=gone.written_ms)
    assert 500 <= gone.written_ms <= file_ms + TELL_MS
    assert (started.mono_ns - lost_ns) / 1e9 < REPLACED_S
    assert ended == SoundEnded(2, True, (3_000 - gone.written_ms,), None)
    assert (
        samples(listening.file)[-ended.item_written_ms[0] * BYTES_PER_MS :]
        == (noise(3_000)[gone.written_ms * BYTES_PER_MS :])
    )
    assert not Path(f"/proc/{old_pid}").exists()
    kinds = [type(event) for event in listening.said if not isinstance(event, SoundProgress)]
    up = [SoundDevice, PlayerReady, SoundStarted]
    assert kinds == [*up, PlayerGone, *up, SoundEnded]


def test_what_a_player_wrote_is_on_the_record_to_a_tell(listening: Listening, tmp_path: Path) -> None:
    """What a dead player tells is what it last said; the file holds that much and hardly more."""
    listening.play(1, clip(tmp_path, noise(3_000)))
    eventually(lambda: written_ms(listening) >= 900)
    listening.signal(signal.SIGKILL)
    gone = listening.wait(PlayerGone)
    aired = listening.file.read_bytes()[44:]

    assert aired == noise(3_000)[: len(aired)]
    assert gone.written_ms - 100 <= len(aired) // BYTES_PER_MS <= gone.written_ms + TELL_MS + 50


def test_a_player_lost_while_nothing_plays_says_that_nothing_was_written(listening: Listening, tmp_path: Path) -> None:
    """Also behind a play that is over."""
    listening.play(1, clip(tmp_path, noise(300)))
    listening.wait(SoundEnded)
    listening.signal(signal.SIGKILL)

    assert listening.wait(PlayerGone) == PlayerGone("died", 0)
    assert listening.wait(PlayerReady).device == str(listening.file)


@pytest.mark.parametrize(("plays", "moment_s"), [(True, 0.15), (False, 1.0)])
def test_a_player_that_was_stopped_for_a_moment_only_is_kept(
    listening: Listening, tmp_path: Path, plays: bool, moment_s: float
) -> None:
    """It counts as hung after 0.4 s when it plays, and later when nobody hears it."""
    pid = listening.pid
    if plays:
        listening.play(1, clip(tmp_path, noise(1_500)))
        eventually(lambda: written_ms(listening) >= 200)
    listening.signal(signal.SIGSTOP)
    time.sleep(moment_s)
    listening.signal(signal.SIGCONT)
    listening.play(2, clip(tmp_path, noise(300, 2)))
    while listening.wait(SoundEnded).play != 2:
        pass

    assert listening.pid == pid
    assert listening.all(PlayerGone) == []


def test_a_player_that_hangs_while_nothing_plays_is_replaced(listening: Listening) -> None:
    """Within seconds, though nobody asks anything of it."""
    listening.signal(signal.SIGSTOP)

    assert listening.wait(PlayerGone, IDLE_SILENT_S + 2.0) == PlayerGone("hung", 0)
    listening.wait(PlayerReady)


@pytest.mark.parametrize(("plays", "within_s"), [(False, EXPECTING_SILENT_S + 1.0), (True, SILENT_S + 0.5)])
def test_an_idle_player_that_hung_is_found_out_as_soon_as_something_is_asked_of_it(
    listening: Listening, tmp_path: Path, plays: bool, within_s: float
) -> None:
    """Five seconds before its cue when it is told what comes next; within half a second when it is told to play."""
    source = clip(tmp_path, noise(300))
    listening.signal(signal.SIGSTOP)
    if plays:
        listening.play(1, source)
    else:
        listening.prepare(source)

    assert listening.wait(PlayerGone, within_s) == PlayerGone("hung", 0)
    listening.wait(PlayerReady)


def test_a_player_that_waits_for_its_cue_is_patiently_heard(listening: Listening, tmp_path: Path) -> None:
    """It knows what comes next, speaks twice a second, and is kept."""
    pid = listening.pid
    source = clip(tmp_path, noise(300))
    listening.prepare(source)
    time.sleep(EXPECTING_SILENT_S + 1.0)
    listening.play(1, source)

    assert listening.wait(SoundEnded).completed
    assert (listening.pid, listening.all(PlayerGone)) == (pid, [])


def test_a_sound_device_that_takes_no_more_counts_as_a_hung_player(tmp_path: Path) -> None:
    """What was written before is told; the new player finds the device at fault, and fine when it is."""
    speaker = Loudspeaker(tmp_path)
    speaker.start()
    with environment(ALSA_CONFIG_PATH=str(speaker.config)):
        listening = Listening(tmp_path, SoundSettings(SoundDriver.ALSA, "pole"))
        try:
            listening.wait(PlayerReady)
            listening.play(1, clip(tmp_path, tone(5_000)))
            eventually(lambda: written_ms(listening) >= 400)
            speaker.freeze()
            frozen_ns = time.monotonic_ns()
            gone = listening.wait(PlayerGone)

            assert gone.reason == "hung"
            assert 400 <= gone.written_ms <= 900
            assert (time.monotonic_ns() - frozen_ns) / 1e9 < REPLACED_S
            speaker.thaw()
            listening.wait(PlayerReady, 30)
            assert listening.all(SoundEnded) == []
        finally:
            listening.close()
            speaker.unplug()


@contextmanager
def environment(**names: str) -> Iterator[None]:
    """Variables that processes started in here see."""
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(names)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def test_a_player_that_cannot_start_is_tried_ever_more_seldom_until_sound_proves_it_good(tmp_path: Path) -> None:
    """The interpreter itself dies: two attempts at once, then after 1 s and 2 s; readiness alone forgives nothing."""
    with environment(PYTHONHOME="/nonexistent"):
        listening = Listening(tmp_path)
        waits_s = []
        for _ in range(3):
            assert listening.wait(PlayerGone) == PlayerGone("died", 0)
    try:
        for sounds in (False, True, False):
            gone_s = time.monotonic()
            listening.wait(PlayerReady)
            waits_s.append(time.monotonic() - gone_s)
            if sounds:
                listening.play(1, clip(tmp_path, noise(300)))
                listening.wait(SoundEnded)
            listening.signal(signal.SIGKILL)
            listening.wait(PlayerGone)
    finally:
        listening.close()

    assert [wait_s > least_s for wait_s, least_s in zip(waits_s, (0.9, 1.9, 0.0), strict=True)] == [True] * 3
    assert waits_s[-1] < 0.9


def test_a_machine_without_room_for_a_player_gets_one_when_there_is(listening: Listening, tmp_path: Path) -> None:
    """No descriptor is free when the dead one is to be replaced: the watch goes on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    holders = [os.open("/dev/null", os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 8, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                holders.append(os.open("/dev/null", os.O_RDONLY))
        listening.signal(signal.SIGKILL)
        gone = [listening.wait(PlayerGone) for _ in range(2)]
    finally:
        for fd in holders:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert gone == [PlayerGone("died", 0)] * 2
    listening.wait(PlayerReady)
    listening.play(1, clip(tmp_path, noise(100)))
    assert listening.wait(SoundEnded) == SoundEnded(1, True, (100,), None)


def test_a_player_that_is_told_nonsense_is_replaced(listening: Listening) -> None:
    """A packet that no version of ours sends: it ends at once, instead of playing on without an ear."""
    running = listening.player._running
    assert running is not None
    running.socket.send(b'["Play", 1]')

    assert listening.wait(PlayerGone) == PlayerGone("died", 0)
    listening.wait(PlayerReady)


def test_what_stands_by_stands_by_in_the_next_player_too(listening: Listening, tmp_path: Path) -> None:
    """Its files are told to each player that comes; it plays them as they are."""
    sound = clip(tmp_path, noise(500))
    listening.player.stand_by(listening.audio(sound))
    os.kill(listening.pid, signal.SIGKILL)
    listening.wait(PlayerReady)
    eventually(lambda: _files_of(listening.pid) >= 1)
    listening.play(1, sound)

    assert listening.wait(SoundEnded) == SoundEnded(1, True, (500,), None)


def _files_of(pid: int) -> int:
    """How many memory files of audio a process holds."""
    with suppress(OSError):
        return sum("memfd:audio" in os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir())
    return 0


def test_a_start_that_was_meant_for_a_dead_player_does_not_sound_in_the_next(
    listening: Listening, tmp_path: Path
) -> None:
    """The file was read while the player died: the core, told of the death, may be switching relays by now."""
    source = clip(tmp_path, noise(300))
    dead = listening.all(PlayerReady)[0].player
    listening.signal(signal.SIGKILL)
    listening.wait(PlayerReady)

    listening.player.play(dead, 1, listening.audio(source), 0, time.monotonic_ns(), 100, 0)
    listening.play(2, source)

    assert listening.wait(SoundEnded) == SoundEnded(2, True, (300,), None)
    assert [started.play for started in listening.all(SoundStarted)] == [2]


NONSENSE = [
    "b'xin chao'",
    "bytes(3)",
    "b'[]'",
    "b'[\"Ended\", 1]'",
    "b'[\"Ended\", 1, true, [1, 2], null]'",
    "b'[\"Hello\"]'",
    "b'[\"Started\", 1, null]'",
    "b'[\"\\x80\"]'",
    "b'[' * 100_000",
    "b'[\"Started\", 1, 1180591620717411303424]'",
    "b'[\"Progress\", 1, -1, 0.0, 0.0, 0]'",
    "b'[\"Progress\", 1, 1, 1e308, 0.0, 0]'",
    "b'[\"Device\", false, \"a\", \"' + b'b' * 5_001 + b'\"]'",
]


@pytest.mark.parametrize("said", NONSENSE)
def test_a_player_that_talks_nonsense_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """The watch on it goes on, and the next one that talks sense is heard."""
    liar = tmp_path / "liar"
    liar.write_text(
        f"#!{sys.executable}\nimport os, pathlib, socket, sys, time\n"
        f"pathlib.Path('{tmp_path}', 'pid').open('x').write(str(os.getpid()))\n"
        f"socket.socket(fileno=int(sys.argv[3])).send({said})\ntime.sleep(60)\n"
    )
    liar.chmod(0o700)
    honest = sys.executable
    monkeypatch.setattr(sys, "executable", str(liar))
    listening = Listening(tmp_path)
    try:
        assert listening.wait(PlayerGone) == PlayerGone("died", 0)
        assert not Path("/proc", (tmp_path / "pid").read_text()).exists()
        monkeypatch.setattr(sys, "executable", honest)
        listening.wait(PlayerReady)
    finally:
        listening.close()


@pytest.mark.parametrize("failure", ["relay", "audio-lost", "nobody-knows"])
def test_a_player_cannot_end_a_play_for_a_reason_that_is_not_its_own(tmp_path: Path, failure: str) -> None:
    """The core, which knows why plays end, would stumble over it."""
    listening = Listening(tmp_path)
    try:
        listening.player._items[1] = 1
        assert not listening.player._makes_sense(messages.Ended(1, False, (0,), failure))
        assert listening.player._makes_sense(messages.Ended(1, False, (0,), "not-audio"))
    finally:
        listening.close()


@pytest.mark.parametrize("lie", ["[1, 2]", "[]"])
@pytest.mark.parametrize("made", ["talk", "live"])
def test_a_player_that_lies_about_what_is_made_while_it_airs_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str, lie: str
) -> None:
    """It is one item, whatever comes of it."""
    liar = tmp_path / "liar"
    liar.write_text(
        f"#!{sys.executable}\nimport socket, sys, time\n"
        "daemon = socket.socket(fileno=int(sys.argv[3]))\n"
        'daemon.send(b\'["Ready", "liar"]\')\ndaemon.recv(1000)\n'
        f"daemon.send(b'[\"Ended\", 1, true, {lie}, null]')\ntime.sleep(60)\n"
    )
    liar.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(liar))
    listening = Listening(tmp_path, sound_input=InputSettings())
    try:
        listening.wait(PlayerReady)
        getattr(listening, made)(1)

        assert listening.wait(PlayerGone) == PlayerGone("died", 0)
        assert listening.all(SoundEnded) == []
    finally:
        listening.close()


PLANTED = """
import runpy, sys, time
from ttcs_edge.player.decoder import Decoder

def hang(self):
    time.sleep(60)

def fail(self):
    raise ZeroDivisionError("planted")

Decoder.close = {planted}
sys.argv = ["-m", *sys.argv[3:]]
runpy.run_module("ttcs_edge.player", run_name="__main__")
"""


@pytest.mark.parametrize(("planted", "reason"), [("hang", "hung"), ("fail", "died")])
def test_a_player_whose_libvlc_is_lost_is_replaced_before_the_next_cue_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, planted: str, reason: str
) -> None:
    """Its writer is well and nothing plays: a call into libvlc that never returns, or ends by a bug, is noticed."""
    script = tmp_path / "planted"
    script.write_text(f"#!{sys.executable}\n" + PLANTED.format(planted=planted))
    script.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(script))
    listening = Listening(tmp_path)
    try:
        listening.wait(PlayerReady)
        listening.play(1, clip(tmp_path, noise(300)))
        if planted == "hang":
            listening.wait(SoundEnded)
            listening.prepare(clip(tmp_path, noise(300, 2)))
        gone = listening.wait(PlayerGone, 4.0)

        assert gone.reason == reason
        assert gone.written_ms in (0, 300)  # its end was told before, or not
    finally:
        listening.close()


@pytest.mark.parametrize("hung", [False, True])
def test_no_player_outlives_a_daemon_that_was_killed(tmp_path: Path, hung: bool) -> None:
    """kill -9 of its parent, in the middle of a play: the kernel ends it, also when it hangs."""
    report = tmp_path / "pid"
    path = sweep(tmp_path / "long", 20, ".wav")
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom tests.player.parts import Listening, PlayerReady, Source\n"
        "listening = Listening(Path(sys.argv[1]))\nlistening.wait(PlayerReady)\n"
        "listening.play(1, Source(Path(sys.argv[2]).read_bytes(), 20_000))\n"
        "while not listening.said or 'Progress' not in str(listening.said[-1]): time.sleep(0.01)\n"
        "Path(sys.argv[3]).write_text(str(listening.pid))\ntime.sleep(60)\n"
    )
    parent = os.posix_spawn(
        sys.executable, [sys.executable, "-c", code, str(tmp_path), str(path), str(report)], os.environ
    )
    pid = eventually(lambda: report.exists() and report.read_text())
    if hung:
        os.kill(int(pid), signal.SIGSTOP)
    os.kill(parent, signal.SIGKILL)
    os.waitpid(parent, 0)

    def is_dead() -> bool:
        try:
            return "Z" in Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True

    eventually(is_dead, 1.0)
