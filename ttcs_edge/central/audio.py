"""Audio as a station wants it: Opus in Ogg, mono, one loudness for all of it, begun with 100 ms of silence.

Loudness (EBU R128): -16 LUFS, at most -1.5 dBTP. Louder than broadcast's -23, because a horn on a pole has a small
amplifier and the wind, a market and a road beside it; not louder still, because speech then meets the limiter and is
harder to understand. One figure for every bulletin, so that nobody at the pole turns a knob between two of them. It is
measured first, then set in a second pass, then what was encoded is decoded and measured again: the document states what
was measured, never what was meant.

The silence is there because libvlc loses the first 74 ms of every Opus stream.

What was encoded once is remembered by the hash of its source and of the recipe, so publishing again costs nothing.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import subprocess
import tempfile
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from ttcs_edge.central.errors import CentralError
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.whole_files import PUBLIC, replace

TARGET_LUFS = -16.0
PEAK_DBTP = -1.5
TOLERANCE_LU = 0.5
LEAD_MS = 100
RATE_HZ = 48_000
BITRATE = "48k"
PROGRAM_TIMEOUT_S = 3_600
RECIPE = f"opus-{BITRATE}-mono lead-{LEAD_MS} {TARGET_LUFS}LUFS {PEAK_DBTP}dBTP 1"


class UnusableAudio(Exception):
    """What was given cannot be aired: ``code`` is one of ``not-audio``, ``silent-audio``, ``audio-too-long``."""

    def __init__(self, code: str, found: str) -> None:
        super().__init__(code, found)
        self.code = code
        self.found = found


class Encoded(Struct, frozen=True):
    """A file in the audio folder, named by its SHA-256, and what was measured of it."""

    sha256: str
    size_bytes: int
    duration_ms: int
    loudness_lufs: float

    @property
    def file_name(self) -> str:
        """Its name in an audio folder and at the end of its address."""
        return f"{self.sha256}.ogg"


class Speech(Struct, frozen=True):
    """A text to be spoken, and the espeak-ng voice that speaks it."""

    text: str
    voice: str


class _Loudness(Struct, frozen=True):
    lufs: float
    peak_dbtp: float


class AudioFolder:
    """Encodes sources into one folder and remembers which source became which file."""

    def __init__(self, audio: Path, cache: Path) -> None:
        self._audio = audio
        self._cache = cache

    def encode(self, source: Path | Speech) -> Encoded:
        """Encode a recording or a text. Raises UnusableAudio for what cannot be aired, CentralError for the machine."""
        note = self._cache / f"{_source_hash(source)}.json"
        known = self._known(note)
        if known is not None:
            return known
        with tempfile.TemporaryDirectory(prefix="ttcs-audio-") as name:
            folder = Path(name)
            recording = _speak(source, folder / "speech.wav") if isinstance(source, Speech) else source
            made = _encode_to_target(recording, folder)
            encoded = _measured(made)
            replace(self._audio / encoded.file_name, made.read_bytes(), PUBLIC)
        replace(note, json.dumps(asdict(encoded)).encode(), PUBLIC)
        return encoded

    def path(self, encoded: Encoded) -> Path:
        """Where an encoded file lies."""
        return self._audio / encoded.file_name

    def _known(self, note: Path) -> Encoded | None:
        """What a source became, if that file is still there and still the same bytes."""
        try:
            encoded = msgspec.json.decode(note.read_bytes(), type=Encoded)
            whole = sha256_of(self.path(encoded)) == encoded.sha256
        except (OSError, msgspec.DecodeError):
            return None
        return encoded if whole else None


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _source_hash(source: Path | Speech) -> str:
    kind = f"{source.voice}\n{source.text}" if isinstance(source, Speech) else sha256_of(source)
    return hashlib.sha256(f"{RECIPE}\n{type(source).__name__}\n{kind}".encode()).hexdigest()


def _speak(speech: Speech, wav: Path) -> Path:
    done = _run(["espeak-ng", "-v", speech.voice, "-b", "1", "--stdin", "-w", str(wav)], speech.text.encode())
    if done.returncode != 0 or not wav.exists():
        raise UnusableAudio("no-voice", speech.voice)
    return wav


def _encode_to_target(recording: Path, folder: Path) -> Path:
    """Encode so that what comes out is at the target; a second try makes up for what peaks took away."""
    source = _measure(recording)
    if not math.isfinite(source.lufs) or source.lufs <= -70:
        raise UnusableAudio("silent-audio", f"{source.lufs} LUFS")
    gain = TARGET_LUFS - source.lufs
    made = folder / "made.ogg"
    for _ in range(4):
        _encode(recording, gain, made)
        missing = TARGET_LUFS - _measure(made).lufs
        if abs(missing) <= TOLERANCE_LU:
            break
        gain += missing
    return made


def _encode(recording: Path, gain_db: float, made: Path) -> None:
    limit = 10 ** (PEAK_DBTP / 20)
    filters = (
        f"aresample={RATE_HZ},aformat=channel_layouts=mono,volume={gain_db:.2f}dB,"
        f"alimiter=limit={limit:.4f}:level=false:attack=5:release=80,adelay={LEAD_MS}"
    )
    sound = ["-map", "0:a:0", "-af", filters, "-c:a", "libopus", "-b:a", BITRATE, "-ac", "1", "-ar", str(RATE_HZ)]
    plain = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact", "-f", "ogg"]
    done = _run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", f"file:{recording}", *sound, *plain, f"file:{made}"])
    if done.returncode != 0:
        raise UnusableAudio("not-audio", _last_line(done.stderr))


def _measure(recording: Path) -> _Loudness:
    """Measure by EBU R128 as one loudspeaker will sound it: in mono."""
    filters = "aformat=channel_layouts=mono,ebur128=peak=true:framelog=verbose"
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-i", f"file:{recording}", "-map", "0:a:0"]
    done = _run([*command, "-af", filters, "-f", "null", "-"])
    report = done.stderr.decode("utf-8", "replace")
    loudness = re.findall(r"^\s+I:\s+(\S+) LUFS", report, re.MULTILINE)
    peak = re.findall(r"^\s+Peak:\s+(\S+) dBFS", report, re.MULTILINE)
    if done.returncode != 0 or not loudness or not peak:
        raise UnusableAudio("not-audio", _last_line(done.stderr))
    return _Loudness(float(loudness[-1]), float(peak[-1]))


def _measured(made: Path) -> Encoded:
    size = made.stat().st_size
    duration = duration_ms(made)
    if size > LIMITS.audio_bytes or duration > LIMITS.audio_duration_ms:
        raise UnusableAudio("audio-too-long", f"{duration / 1_000:.0f} s, {size} B")
    return Encoded(sha256_of(made), size, duration, max(-70.0, min(0.0, _measure(made).lufs)))


def duration_ms(recording: Path) -> int:
    """How long a recording sounds, counted in decoded samples and not taken from its header."""
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", f"file:{recording}", "-map", "0:a:0", "-ac", "1"]
    try:
        with subprocess.Popen(  # noqa: S603 (a list of words, no shell)
            [*command, "-ar", str(RATE_HZ), "-f", "s16le", "-"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            pipe = process.stdout
            assert pipe is not None
            count = sum(len(block) for block in iter(lambda: pipe.read(1 << 20), b""))
    except FileNotFoundError as error:
        raise CentralError("program-missing", program="ffmpeg") from error
    return max(1, count // 2 * 1_000 // RATE_HZ)


def _run(command: list[str], given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(  # noqa: S603 (a list of words, no shell)
            command,
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            timeout=PROGRAM_TIMEOUT_S,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            check=False,
        )
    except FileNotFoundError as error:
        raise CentralError("program-missing", program=command[0]) from error
    except subprocess.TimeoutExpired as error:
        raise CentralError("program-failed", program=command[0], found=f"> {PROGRAM_TIMEOUT_S} s") from error


def _last_line(stderr: bytes) -> str:
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip()[:200] if lines else ""
