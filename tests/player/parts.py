"""Real parts for the tests of sound: clips whose every sample is known, a player process, a loudspeaker with an ear."""

from __future__ import annotations

import hashlib
import itertools
import math
import os
import queue
import random
import signal
import socket
import subprocess
import time
import warnings
import wave
from array import array
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.parts import eventually, listens
from ttcs_edge.core.events import Event, PlayerReady, SoundProgress
from ttcs_edge.core.model import AudioItem, Sha256, VerifiedAudio
from ttcs_edge.drivers.player import PlayerProcess
from ttcs_edge.drivers.player_launch import Launch, child
from ttcs_edge.drivers.sound import PERIOD_BYTES, RATE_HZ
from ttcs_edge.settings import InputSettings, SoundDriver, SoundSettings

E = TypeVar("E", bound=Event)
BYTES_PER_MS = RATE_HZ * 2 // 1_000
NICE = -10
AHEAD_NS = 150_000_000
"""How far ahead of its instant the core commands a play."""


def noise(milliseconds: int, seed: int = 1) -> bytes:
    """Samples of which no two stretches are alike."""
    return random.Random(seed).randbytes(milliseconds * BYTES_PER_MS)


def tone(milliseconds: int, hertz: int = 1_000, amplitude: float = 0.5) -> bytes:
    """A pure tone; ``amplitude`` 1 is full scale."""
    scale, turn = amplitude * 32_767, 2 * math.pi * hertz / RATE_HZ
    return array("h", [round(scale * math.sin(turn * n)) for n in range(milliseconds * RATE_HZ // 1_000)]).tobytes()


def wav(path: Path, samples: bytes) -> Path:
    """A WAV file of these samples."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples)
    return path


def encoded(source: Path, suffix: str) -> Path:
    """The same in another format."""
    path = source.with_suffix(suffix)
    command = ["ffmpeg", "-loglevel", "error", "-y", "-i", str(source), "-ac", "1", "-b:a", "64k", str(path)]
    subprocess.run(command, check=True)
    return path


def sweep(path: Path, seconds: float, suffix: str) -> Path:
    """A tone that rises, so that no two stretches are alike, in some format."""
    rising = f"aevalsrc='0.5*sin(2*PI*(200*t+40*t*t))':s={RATE_HZ}:d={seconds}"
    command = ["ffmpeg", "-loglevel", "error", "-y", "-f", "lavfi", "-i", rising, "-ac", "1", "-b:a", "64k"]
    subprocess.run([*command, str(path.with_suffix(suffix))], check=True)
    return path.with_suffix(suffix)


def samples(path: Path) -> bytes:
    """The samples that a WAV file says it holds."""
    with wave.open(str(path)) as file:
        return bytes(file.readframes(file.getnframes()))


def rms_db(data: bytes) -> float:
    """The level of a stretch, in dBFS."""
    values = array("h", data)
    return 20 * math.log10(max(1e-9, math.sqrt(sum(value * value for value in values) / len(values)) / 32_768))


def hertz(data: bytes) -> float:
    """The frequency of a tone, by its rising zero crossings."""
    values = array("h", data)
    rises = [n for n in range(1, len(values)) if values[n - 1] < 0 <= values[n]]
    return (len(rises) - 1) * RATE_HZ / (rises[-1] - rises[0])


def runs_of_sound(data: bytes, threshold: int = 500, gap_ms: float = 2.0) -> list[tuple[float, float]]:
    """Where there is sound: (begin, length) in milliseconds; silence shorter than ``gap_ms`` does not part a run."""
    values, gap, per_ms = array("h", data), gap_ms * RATE_HZ / 1_000, RATE_HZ / 1_000
    runs: list[list[int]] = []
    for n in (n for n, value in enumerate(values) if abs(value) >= threshold):
        if runs and n - runs[-1][1] <= gap:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return [(begin / per_ms, (last - begin + 1) / per_ms) for begin, last in runs]


def roughest(data: bytes) -> int:
    """The largest bend from sample to sample: a jump from one level to another is one of its size, which clicks.

    A pure tone of 440 Hz at half of full scale bends by 55, one of 1 kHz by 281.
    """
    return max(_bends(data))


def clicks(data: bytes, smooth: int) -> int:
    """At how many places it bends by more than ``smooth``; what lies within a millisecond is one."""
    rough = [at for at, bend in enumerate(_bends(data)) if bend > smooth]
    return sum(at - before > BYTES_PER_MS // 2 for before, at in itertools.pairwise([-BYTES_PER_MS, *rough]))


def _bends(data: bytes) -> list[int]:
    values = array("h", data)
    return [
        abs(before - 2 * value + after) for before, value, after in zip(values, values[1:], values[2:], strict=False)
    ]


@dataclass(frozen=True)
class Source:
    """Bytes as the daemon hands them to the player, and the length that a document declares."""

    data: bytes
    duration_ms: int

    @property
    def item(self) -> AudioItem:
        """As the core names it."""
        sha256 = Sha256(hashlib.sha256(self.data).hexdigest())
        return AudioItem("ban-tin", "vi", sha256, len(self.data), self.duration_ms)


class Listening:
    """A player process, all that it says, and the WAV file that it writes unless told otherwise."""

    def __init__(
        self,
        folder: Path,
        settings: SoundSettings | None = None,
        sound_input: InputSettings | None = None,
        launch: Launch = child,
    ) -> None:
        self.file = folder / "aired.wav"
        self.said: list[Event] = []
        self._unread: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._files: dict[str, VerifiedAudio] = {}
        self.player = PlayerProcess(settings or SoundSettings(SoundDriver.WAV, "wav", self.file), sound_input, launch)
        self.player.watch(self._hear)

    def _hear(self, event: Event) -> None:
        self.said.append(event)
        self._unread.put(event)

    @property
    def pid(self) -> int:
        """The process id of the player."""
        pid = self.player.pid
        assert pid is not None
        return pid

    def wait(self, kind: type[E], timeout_s: float = 15.0) -> E:
        """The next event of a kind."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            event = self._unread.get(timeout=max(0.001, deadline_s - time.monotonic()))
            if isinstance(event, kind):
                return event

    def all(self, kind: type[E]) -> list[E]:
        """Every event of a kind so far."""
        return [event for event in self.said if isinstance(event, kind)]

    def audio(self, *sources: Source) -> Sequence[tuple[AudioItem, VerifiedAudio]]:
        """Sources as verified memory."""
        row = []
        for source in sources:
            item = source.item
            if item.sha256 not in self._files:
                fd = os.memfd_create("audio")
                os.write(fd, source.data)
                self._files[item.sha256] = VerifiedAudio(item.sha256, len(source.data), fd)
            row.append((item, self._files[item.sha256]))
        return row

    def prepare(self, *sources: Source) -> None:
        """Have the first second decoded ahead."""
        self.player.prepare(self.audio(*sources))

    def play(
        self,
        play: int,
        *sources: Source,
        from_ms: int = 0,
        volume_percent: int = 100,
        fade_in_ms: int = 0,
        ahead_ns: int = AHEAD_NS,
    ) -> int:
        """Command a play; gives its instant."""
        at_ns = time.monotonic_ns() + ahead_ns
        self.player.play(self._newest(), play, self.audio(*sources), from_ms, at_ns, volume_percent, fade_in_ms)
        return at_ns

    def talk(self, play: int, volume_percent: int = 100, fade_in_ms: int = 0) -> None:
        """Command that the input is heard, at once."""
        self.player.talk(self._newest(), play, time.monotonic_ns(), volume_percent, fade_in_ms)

    def live(self, play: int, volume_percent: int = 100, fade_in_ms: int = 0) -> None:
        """Command a live play, at once."""
        self.player.live(self._newest(), play, time.monotonic_ns(), volume_percent, fade_in_ms)

    def turn(self, play: int, volume_percent: int) -> None:
        """Command how loud a play is from now on."""
        self.player.turn(play, volume_percent)

    def follow(self, stream: int, kind: str) -> socket.socket:
        """Have a stream followed; gives what to send into."""
        ours, theirs = socket.socketpair()
        with theirs:
            self.player.follow(stream, kind, theirs.fileno())
        return ours

    def play_stream(self, play: int, stream: int, volume_percent: int = 100, fade_in_ms: int = 0) -> None:
        """Command that a stream is played, at once."""
        self.player.play_stream(self._newest(), play, stream, volume_percent, fade_in_ms)

    def written(self, least_ms: int) -> SoundProgress:
        """Wait until so much of the newest play is told as written."""

        def told() -> SoundProgress | None:
            return next((one for one in reversed(self.all(SoundProgress)) if one.written_ms >= least_ms), None)

        try:
            return eventually(told)
        except AssertionError as error:
            raise AssertionError(f"{least_ms} ms are not written; last was said {self.said[-6:]}") from error

    def _newest(self) -> int:
        """The player that was ready last."""
        return self.all(PlayerReady)[-1].player

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the player."""
        os.kill(self.pid, number)

    def open_files(self) -> int:
        """How many descriptors of audio the player has open, libvlc's own among them."""
        names = []
        for fd in Path(f"/proc/{self.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # it is let go just now
                names.append(str(fd.readlink()))
        return sum(name.startswith("/memfd:audio") for name in names)

    def close(self) -> None:
        """End the player."""
        self.player.close(2.0)
        for audio in self._files.values():
            os.close(audio.fd)


class Loudspeaker:
    """A PulseAudio with one silent sink, reached through ALSA as the device ``pole``, and an ear at its monitor.

    What sounds there is also what ALSA's capture device ``ear`` hears.
    """

    LATENCY_MS = 10
    """An ear that listens closely makes the sink take its samples in small pieces, as a card does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.heard_file = folder / "heard.raw"
        self._socket = folder / "pulse.sock"
        self.config = folder / "asound.conf"
        pulse = f'type pulse server "unix:{self._socket}"'
        two = "slaves.a.pcm null slaves.a.channels 2 bindings.0 { slave a channel 0 } bindings.1 { slave a channel 1 }"
        self.config.write_text(
            f'pcm.pole {{ {pulse} device "pole" }}\npcm.ear {{ {pulse} device "pole.monitor" }}\n'
            f"pcm.stereo {{ type multi {two} }}\npcm.null {{ type null }}\n"
        )
        self._heard_from = 0
        self._server: subprocess.Popen[bytes] | None = None
        self._ear: subprocess.Popen[bytes] | None = None

    def listen(self) -> None:
        """Plug it in unless it is, and hear from now on."""
        if self._server is not None and self._server.poll() is not None:
            warnings.warn(f"PulseAudio ended by itself: {(self.folder / 'pulse.log').read_text()}", stacklevel=2)
            self.unplug()
        if self._server is None:
            self.start()
        self._heard_from = self.heard_file.stat().st_size // 2 * 2

    def start(self) -> None:
        """Plug it in, and listen: ahead of what else this machine does, where that is allowed."""
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, NICE)
        home = self.folder / "home"
        home.mkdir(exist_ok=True, mode=0o700)
        environment = os.environ | {"HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
        sink = f"module-null-sink sink_name=pole rate={RATE_HZ} channels=1 format=s16le"
        door = f"module-native-protocol-unix socket={self._socket} auth-anonymous=1"
        command = ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--realtime=no"]
        command += ["--high-priority=yes"]
        with (self.folder / "pulse.log").open("ab") as log:
            self._server = subprocess.Popen([*command, "-L", sink, "-L", door], env=environment, stderr=log, stdout=log)
            eventually(lambda: listens(self._socket))
            listen = ["parec", f"--server=unix:{self._socket}", "-d", "pole.monitor", "--raw", "--format=s16le"]
            listen += [f"--rate={RATE_HZ}", "--channels=1", f"--latency-msec={self.LATENCY_MS}"]
            with self.heard_file.open("ab") as heard:
                self._ear = subprocess.Popen(listen, env=environment, stdout=heard, stderr=log)
        before_bytes = self.heard_file.stat().st_size
        eventually(lambda: self.heard_file.stat().st_size > before_bytes)

    def heard(self) -> bytes:
        """All that was heard since ``listen``, once everything handed over has come out."""
        assert self._server is not None
        assert self._ear is not None
        assert (self._server.poll(), self._ear.poll()) == (None, None), (self.folder / "pulse.log").read_text()
        size_bytes = self.heard_file.stat().st_size
        eventually(lambda: self.heard_file.stat().st_size > size_bytes + 200 * BYTES_PER_MS)
        data = self.heard_file.read_bytes()
        return data[self._heard_from : len(data) // 2 * 2]

    def freeze(self) -> None:
        """It stops taking samples, and says nothing."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        assert self._server is not None
        self._server.send_signal(signal.SIGCONT)

    def unplug(self) -> None:
        """Pull it out."""
        for process in (self._server, self._ear):
            if process is not None:
                process.kill()
                process.wait()
        self._server = self._ear = None
        self._socket.unlink(missing_ok=True)
        os.setpriority(os.PRIO_PROCESS, 0, 0)


def periods(data: bytes) -> list[bytes]:
    """Samples in whole periods."""
    return [data[begin : begin + PERIOD_BYTES] for begin in range(0, len(data), PERIOD_BYTES)]
