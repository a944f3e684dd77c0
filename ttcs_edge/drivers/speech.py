"""What speaks where nobody recorded anything: espeak-ng, which is always there, and Piper where it has a voice.

Which languages can be spoken is asked of the drivers, never assumed: K'Ho, Mạ, Chu Ru and M'Nông have no synthesiser.
A text is first read as people say it (``ttcs_edge.reading``), then spoken within a time limit by the best voice, and if
that fails by the next one; what comes out is looked through and brought to the loudness of all bulletins.

espeak-ng is GPL-3, and so is Piper (https://github.com/OHF-Voice/piper1-gpl): both are run as programs, and Piper is
installed by whoever wants it, together with a voice, whose own licence its MODEL_CARD tells.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
import unicodedata
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import structlog
from msgspec import Struct

from ttcs_edge.core.limits import LIMITS
from ttcs_edge.drivers import loudness
from ttcs_edge.drivers.bounded import BoundedPrograms, Ended, OutOfTimeError
from ttcs_edge.settings import SpeechSettings

NO_VOICE, OUT_OF_TIME, FAILED = "no-voice", "speech-too-slow", "speech-failed"
ASK_S = 10.0
"""How long a program may take to say what it speaks."""
RECIPE = f"wav {loudness.TARGET_LUFS} LUFS {loudness.PEAK_DBTP} dBTP 1"
"""How a text becomes sound, beside its voice; a new way gets a new number."""
RATES_HZ = range(8_000, 48_001)

_log = structlog.get_logger()


class SpeechError(Exception):
    """A text could not be spoken. ``code`` is ``no-voice``, ``speech-too-slow`` or ``speech-failed``."""

    def __init__(self, code: str, error: str = "") -> None:
        super().__init__(f"{code} {error}".strip())
        self.code = code
        self.error = error


class Recording(Struct, frozen=True):
    """What was spoken: a whole WAV file, mono, 16 bits, at the loudness of all bulletins."""

    wav: bytes
    duration_ms: int
    voice: str


class Speech(Protocol):
    """What speaks.

    Must: give a whole recording within its time limit, or raise. May: block its caller for that long, and run other
    programs meanwhile. Never: leave one of them behind. One thread speaks; any thread may ``abort``.
    """

    def languages(self) -> frozenset[str]:
        """Which languages it speaks, as BCP 47 tags in lower case."""

    def recipe(self, language: str) -> str:
        """Tell by which voice, and how, a language is spoken: what was spoken otherwise may sound better anew."""

    def begin(self) -> None:
        """What is spoken from here on is wanted, whatever was aborted before."""

    def speak(self, text: str, language: str) -> Recording:
        """Speak a text. Raises SpeechError; AbortedError when it was aborted since ``begin``."""

    def abort(self) -> None:
        """What is being spoken, or about to be, is not wanted any more."""


class Voice(Protocol):
    """One synthesiser."""

    name: str

    def languages(self) -> frozenset[str]:
        """Which languages it speaks."""

    def made_of(self, language: str) -> str:
        """Name the files that its voice is made of, so that another voice has another name."""

    def synthesise(self, text: str, language: str, wav: Path, until_mono_s: float) -> Ended:
        """Write a WAV file. Raises what BoundedPrograms raises."""


class EspeakNg:
    """The program ``espeak-ng``."""

    name = "espeak-ng"

    def __init__(self, programs: BoundedPrograms, folder: Path, program: str = "espeak-ng") -> None:
        self._programs = programs
        self._folder = folder
        self._program = program
        self._voices: Mapping[str, str] | None = None

    def languages(self) -> frozenset[str]:
        """Ask it, once it is there."""
        if not self._voices:
            self._voices = self._asked()
        return frozenset(self._voices)

    def _asked(self) -> Mapping[str, str]:
        """The voice of each language: its own, or the one that says it stands in for it best (``en`` is no voice)."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            until_mono_s = time.monotonic() + ASK_S
            with tempfile.TemporaryDirectory(dir=self._folder) as work:
                told = self._programs.run([self._program, "--voices"], until_mono_s=until_mono_s, folder=Path(work))
        except (OSError, OutOfTimeError) as error:
            _log.error("speech-not-asked", program=self._program, error=str(error))
            return {}
        ranked: dict[str, tuple[int, str]] = {}
        for line in told.output.splitlines()[1:] if told.code == 0 else ():
            voice = line.split()[1] if len(line.split()) > 1 else ""
            others = [(tag, int(rank)) for tag, rank in re.findall(r"\((\S+) (\d+)\)", line)]
            for tag, rank in [(voice, 0), *others] if voice else []:
                ranked[tag.lower()] = min(ranked.get(tag.lower(), (99, "")), (rank, voice))
        return {tag: voice for tag, (_, voice) in ranked.items()}

    def made_of(self, language: str) -> str:
        """Its own voices come with it."""
        return (self._voices or {}).get(language, "")

    def synthesise(self, text: str, language: str, wav: Path, until_mono_s: float) -> Ended:
        """Speak."""
        self.languages()
        voice = (self._voices or {})[language]
        return self._programs.run(
            [self._program, "-v", voice, "-b", "1", "--stdin", "-w", str(wav)],
            given=text,
            until_mono_s=until_mono_s,
            folder=wav.parent,
        )


class Piper:
    """The program ``piper``, with one voice for each language that has one."""

    name = "piper"

    def __init__(self, programs: BoundedPrograms, program: str, models: Mapping[str, Path]) -> None:
        self._programs = programs
        self._program = program
        self._models = {language.lower(): model for language, model in models.items()}

    def languages(self) -> frozenset[str]:
        """The languages whose voice is there: a model, and beside it its own description."""
        present = shutil.which(self._program) is not None
        return frozenset(
            language
            for language, model in self._models.items()
            if present and model.is_file() and model.with_name(f"{model.name}.json").is_file()
        )

    def made_of(self, language: str) -> str:
        """The model, and which of its name."""
        model = self._models[language]
        found = model.stat()
        return f"{model} {found.st_size} {found.st_mtime_ns}"

    def synthesise(self, text: str, language: str, wav: Path, until_mono_s: float) -> Ended:
        """Speak. It takes a line for a text of its own: so there is one."""
        return self._programs.run(
            [self._program, "--model", str(self._models[language]), "--output_file", str(wav)],
            given=" ".join(text.split()) + "\n",
            until_mono_s=until_mono_s,
            folder=wav.parent,
        )


class Voices:
    """All voices of a station, the better first."""

    def __init__(
        self,
        settings: SpeechSettings,
        folder: Path,
        *,
        espeak: str = "espeak-ng",
        loud: Sequence[str] = (sys.executable, "-m", "ttcs_edge.drivers.loudness"),
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._loud = loud
        self._programs = BoundedPrograms()
        piper = Piper(self._programs, settings.piper_program, settings.piper)
        self._voices: Sequence[Voice] = (piper, EspeakNg(self._programs, folder, espeak))

    def languages(self) -> frozenset[str]:
        """What any of them speaks."""
        return frozenset[str]().union(*(voice.languages() for voice in self._voices))

    def speak(self, text: str, language: str) -> Recording:
        """Speak, by the best voice that can; each has the whole time limit for itself."""
        from ttcs_edge.reading import read_aloud  # its tables cost a start 8 ms, and nothing is spoken so soon

        able = self._able(language)
        failed = SpeechError(NO_VOICE)
        said = _plain(read_aloud(text, language))
        for voice, tag in able:
            try:
                return self._spoken(voice, said, tag)
            except SpeechError as error:
                _log.warning("voice-failed", voice=voice.name, language=language, code=error.code, error=error.error)
                failed = error
        raise failed

    def recipe(self, language: str) -> str:
        """Tell the best voice, and which files it is made of."""
        names = [f"{voice.name} {voice.made_of(tag)}" for voice, tag in self._able(language)]
        return f"{RECIPE} {names[0] if names else ''}"

    def _able(self, language: str) -> list[tuple[Voice, str]]:
        """The voices that speak a language, the better first, each with the tag by which it knows it."""
        return [(voice, tag) for voice in self._voices if (tag := _tag_of(language, voice.languages())) is not None]

    def begin(self) -> None:
        """Take up work again."""
        self._programs.begin()

    def abort(self) -> None:
        """Kill what is at work."""
        self._programs.abort()

    def _spoken(self, voice: Voice, text: str, tag: str) -> Recording:
        until_mono_s = time.monotonic() + self._settings.time_limit_s
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._folder) as work:
                raw = Path(work, "raw.wav")
                ended = voice.synthesise(text, tag, raw, until_mono_s)
                if ended.code != 0:
                    raise SpeechError(FAILED, ended.error or f"{voice.name}: {ended.code}")
                duration_ms = whole_ms(raw)
                loud = self._brought_to_target(raw, until_mono_s)
                return Recording(loud.read_bytes(), duration_ms, voice.name)
        except OutOfTimeError:
            raise SpeechError(OUT_OF_TIME, f"> {self._settings.time_limit_s} s") from None
        except OSError as error:
            raise SpeechError(FAILED, str(error)) from error

    def _brought_to_target(self, raw: Path, until_mono_s: float) -> Path:
        """Make it as loud as all else. Where that cannot be done it is heard as it is: too quiet a warning is one."""
        loud = raw.with_name("loud.wav")
        ended = self._programs.run(
            [*self._loud, str(raw), str(loud)],
            until_mono_s=until_mono_s,
            folder=raw.parent,
        )
        if ended.code == os.EX_DATAERR:
            raise SpeechError(FAILED, f"silent: {ended.error}")
        if ended.code != 0:
            _log.warning("loudness-not-set", error=ended.error)
            return raw
        whole_ms(loud)
        return loud


def whole_ms(path: Path) -> int:
    """Give how long a WAV file sounds. Raises SpeechError when it is not whole, or not what a station plays."""
    try:
        with wave.open(str(path), "rb") as file:
            shape = (file.getnchannels(), file.getsampwidth())
            rate_hz, count = file.getframerate(), file.getnframes()
            found = len(file.readframes(count)) if count * 2 <= LIMITS.speech_bytes else -1
    except (wave.Error, EOFError, OSError) as error:
        raise SpeechError(FAILED, f"not a WAV file: {str(error) or type(error).__name__}") from error
    if shape != (1, 2) or rate_hz not in RATES_HZ:
        raise SpeechError(FAILED, f"channels, bytes a sample, rate: {shape[0]}, {shape[1]}, {rate_hz}")
    if found < 0:
        raise SpeechError(FAILED, f"too long: {count * 2} bytes, expected <= {LIMITS.speech_bytes}")
    if not count or found != count * 2:
        raise SpeechError(FAILED, f"not whole: {found} of {count * 2} bytes")
    return max(1, count * 1_000 // rate_hz)


def _tag_of(language: str, spoken: frozenset[str]) -> str | None:
    """The tag under which a driver speaks a language: its own, or that of the language without its country."""
    tag = language.lower()
    return next((one for one in (tag, tag.partition("-")[0]) if one in spoken), None)


def _plain(text: str) -> str:
    """Without what a synthesiser may take for a command: control characters, and two brackets, which begin phonemes."""
    printable = (one if one == "\n" or unicodedata.category(one) not in ("Cc", "Cs") else " " for one in text)
    return re.sub(r"\[(?=\[)", "[ ", "".join(printable))
