"""What speaks, on the real programs: whole, loud as all else, in time, and nothing left behind."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import wave
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drivers.piper_voice import make_voice
from tests.parts import eventually
from ttcs_edge.central import audio as published
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.drivers import loudness
from ttcs_edge.drivers.bounded import AbortedError
from ttcs_edge.drivers.speech import Recording, SpeechError, Voices
from ttcs_edge.settings import SpeechSettings

PIPER = str(Path(sys.executable).with_name("piper"))
FLOOD = "Hồi 17h30 ngày 23/11, lũ trên sông Đa Nhim trên BĐ3. Mời bà con di dời ngay."
WITHOUT = ("kpm", "cma", "cje", "cmo", "mng", "mnn", "cil", "kho")
"""K'Ho, Mạ, Chu Ru and M'Nông, by all their names."""
PATIENT_S = 45.0
"""What speaks steps back behind all else: on a machine that is busy with tests it may wait for seconds to begin."""


@pytest.fixture(scope="session")
def piper_voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of a voice for Piper, which calls itself English."""
    return make_voice(tmp_path_factory.mktemp("voices"))


@pytest.fixture(params=["espeak-ng", "piper"])
def voices(request: pytest.FixtureRequest, tmp_path: Path, piper_voice: Path) -> Voices:
    """Every synthesiser that there is, in English."""
    if request.param == "espeak-ng":
        return Voices(SpeechSettings(), tmp_path)
    return Voices(SpeechSettings({"en": piper_voice}, PIPER), tmp_path, espeak="no-such-program")


def program(folder: Path, text: str) -> str:
    """A program for the shell."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def whole(recording: Recording) -> int:
    """How long the WAV sounds that is in it, down to its last sample."""
    with wave.open(io.BytesIO(recording.wav), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        assert len(file.readframes(file.getnframes())) == file.getnframes() * 2
        return file.getnframes() * 1_000 // file.getframerate()


def ebu_r128(recording: Recording, folder: Path) -> tuple[float, float]:
    """What somebody else measures: ffmpeg."""
    path = folder / "measured.wav"
    path.write_bytes(recording.wav)
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128=peak=true"]
    told = subprocess.run([*command, "-f", "null", "-"], capture_output=True, text=True, check=True).stderr
    summary = told.partition("Summary:")[2]
    found = [re.search(rf"{name}:\s+(\S+)", summary) for name in ("I", "Peak")]
    assert found[0] and found[1]
    return float(found[0][1]), float(found[1][1])


def refused(voices: Voices, text: str = "Flood.", language: str = "en") -> tuple[str, str]:
    """Why it could not be spoken."""
    with pytest.raises(SpeechError) as error:
        voices.speak(text, language)
    return error.value.code, error.value.error


def test_what_is_spoken_is_whole_and_as_loud_as_a_published_recording(voices: Voices, tmp_path: Path) -> None:
    recording = voices.speak(
        "Flash flood on the river. Go to high ground now,\nand take your neighbours with you.", "en"
    )

    assert recording.duration_ms == whole(recording)
    assert 2_500 < recording.duration_ms < 10_000
    lufs, peak_dbtp = ebu_r128(recording, tmp_path)
    assert abs(lufs - published.TARGET_LUFS) <= published.TOLERANCE_LU
    assert peak_dbtp <= published.PEAK_DBTP
    assert list(tmp_path.iterdir()) == [tmp_path / "measured.wav"], "its work is cleared away"


def test_one_loudness_for_what_is_published_and_what_is_spoken() -> None:
    assert (loudness.TARGET_LUFS, loudness.PEAK_DBTP) == (published.TARGET_LUFS, published.PEAK_DBTP)


def test_more_text_is_spoken_longer_to_its_end(voices: Voices) -> None:
    """Lines, too: none of them is taken for a text of its own."""
    short, long = (voices.speak("Leave your house now.\n" * count, "en") for count in (1, 8))
    assert long.duration_ms > 6 * short.duration_ms


def test_vietnamese_is_read_as_people_say_it_before_it_is_spoken(tmp_path: Path) -> None:
    """Figures and words come out as the same sound."""
    voices = Voices(SpeechSettings(), tmp_path)
    figures = voices.speak(FLOOD, "vi")
    words = voices.speak(
        "Hồi mười bảy giờ ba mươi phút ngày hai mươi ba tháng mười một, lũ trên sông Đa Nhim trên báo động ba. "
        "Mời bà con di dời ngay.",
        "vi",
    )
    assert figures == words
    assert figures.voice == "espeak-ng"


def test_which_languages_there_are_is_asked_and_those_without_a_voice_are_told(tmp_path: Path) -> None:
    voices = Voices(SpeechSettings(), tmp_path)
    assert {"vi", "en", "en-gb"} <= voices.languages()
    for language in WITHOUT:
        assert language not in voices.languages()
        assert refused(voices, FLOOD, language) == ("no-voice", "")
    assert voices.speak("Xin chào.", "vi-VN").duration_ms > 300, "a country is no other language"


def test_without_its_program_nothing_is_spoken_and_that_is_told(tmp_path: Path) -> None:
    voices = Voices(SpeechSettings(), tmp_path, espeak="no-such-program")
    assert voices.languages() == frozenset()
    assert refused(voices, FLOOD, "vi") == ("no-voice", "")


@pytest.mark.parametrize(
    "text", ["-w /etc/passwd", "--stdin", "a\x00b\x01c\x1bd", "[[h@l'oU]]", "<speak>", "%s%n", "🌊"]
)
def test_a_hostile_text_is_spoken_as_what_it_is(voices: Voices, text: str, tmp_path: Path) -> None:
    """It is no option, no command, no phoneme and no markup."""
    assert voices.speak(f"Flood. {text}", "en").duration_ms > 300
    assert list(tmp_path.iterdir()) == []


def test_what_a_synthesiser_takes_for_phonemes_is_read_as_text(voices: Voices) -> None:
    """Two brackets would begin them, for either."""
    assert voices.speak("Flood. [[[h@l'oU]]", "en") == voices.speak("Flood. [ [ [h@l'oU]]", "en")


def test_nothing_to_be_heard_is_told(tmp_path: Path) -> None:
    code, error = refused(Voices(SpeechSettings(), tmp_path), "\n \n")
    assert code == "speech-failed"
    assert error


def slow(folder: Path) -> str:
    """A synthesiser that says what it speaks, and then never ends, nor its child."""
    return program(
        folder,
        'if [ "$1" = --voices ]; then echo "Pty Language"; echo " 5  en  x"; exit; fi\n'
        f"sleep 600 & echo $! >{folder}/child; wait",
    )


def is_dead(folder: Path) -> bool:
    """Whether the child of the slow one is gone."""
    with open(folder / "child") as file:
        pid = file.read().strip()
    return not Path(f"/proc/{pid}").exists() or "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()


def test_what_takes_too_long_is_killed_with_all_that_it_began(tmp_path: Path) -> None:
    voices = Voices(SpeechSettings(time_limit_s=1), tmp_path / "work", espeak=slow(tmp_path))
    eventually(voices.languages, PATIENT_S)
    begun_s = time.monotonic()
    assert refused(voices) == ("speech-too-slow", "> 1 s")
    assert time.monotonic() - begun_s < 5
    assert eventually(lambda: is_dead(tmp_path))
    assert list((tmp_path / "work").iterdir()) == []


def test_what_is_not_wanted_any_more_is_given_up_at_once_and_the_next_text_is_spoken(tmp_path: Path) -> None:
    voices = Voices(SpeechSettings(time_limit_s=60), tmp_path / "work", espeak=slow(tmp_path))
    eventually(voices.languages, PATIENT_S)
    ended: list[BaseException] = []

    def speak() -> None:
        try:
            voices.speak("Flood.", "en")
        except AbortedError as error:
            ended.append(error)

    thread = threading.Thread(target=speak)
    thread.start()
    eventually(lambda: (tmp_path / "child").exists() and (tmp_path / "child").read_text(), PATIENT_S)
    voices.abort()
    thread.join(5)
    assert len(ended) == 1
    assert eventually(lambda: is_dead(tmp_path))
    with pytest.raises(AbortedError):
        voices.speak("Flood.", "en")
    voices.begin()
    (tmp_path / "program").write_text('#!/bin/sh\nexec espeak-ng "$@"\n')
    assert voices.speak("Flood.", "en").duration_ms > 200


def test_another_voice_has_another_recipe(tmp_path: Path) -> None:
    """What was spoken by a voice that was replaced is spoken anew."""
    model = tmp_path / "vi.onnx"
    for path in (model, tmp_path / "vi.onnx.json"):
        path.write_text("a model")
    piper = SpeechSettings({"vi": model}, "sh")
    recipes = [Voices(settings, tmp_path).recipe("vi") for settings in (SpeechSettings(), piper)]
    model.write_text("a better model")
    recipes.append(Voices(piper, tmp_path).recipe("vi"))
    assert len(set(recipes)) == 3
    assert Voices(piper, tmp_path).recipe("vi") == recipes[2]
    assert Voices(piper, tmp_path).recipe("kpm") == "wav -16.0 LUFS -1.5 dBTP 1 "


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("echo no voice data >&2; exit 1", "no voice data"),
        ("exit 3", "espeak-ng: 3"),
        ("exit 0", "not a WAV file: [Errno 2]"),
        ('echo hello >"$7"', "not a WAV file: EOFError"),
        ('echo hello, this is no audio >"$7"', "not a WAV file: file does not start with RIFF id"),
        ('espeak-ng -w "$7.whole" Flood; head -c 9000 "$7.whole" >"$7"', "not whole: 8956 of"),
        ('ffmpeg -v error -f lavfi -i sine=d=1 -ac 2 "$7"', "channels, bytes a sample, rate: 2, 2, 44100"),
        ('ffmpeg -v error -f lavfi -i anullsrc=d=1:r=16000:cl=mono "$7"', "silent: -inf LUFS"),
    ],
)
def test_what_is_no_whole_speech_is_told(tmp_path: Path, text: str, told: str) -> None:
    listing = 'if [ "$1" = --voices ]; then echo "Pty Language"; echo " 5  en  x"; exit; fi\n'
    code, error = refused(Voices(SpeechSettings(), tmp_path / "work", espeak=program(tmp_path, listing + text)))
    assert code == "speech-failed"
    assert error.startswith(told), error


def test_more_than_may_be_stored_is_refused(tmp_path: Path) -> None:
    listing = 'if [ "$1" = --voices ]; then echo "Pty Language"; echo " 5  en  x"; exit; fi\n'
    endless = tmp_path / "endless.wav"
    with wave.open(str(endless), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", "not compressed"))
        file.writeframes(bytes(LIMITS.speech_bytes + 96_000))
    code, error = refused(
        Voices(SpeechSettings(), tmp_path / "work", espeak=program(tmp_path, f'{listing}cp {endless} "$7"'))
    )
    assert code == "speech-failed"
    assert re.fullmatch(rf"too long: \d+ bytes, expected <= {LIMITS.speech_bytes}", error)


def test_where_the_better_voice_fails_the_one_that_is_always_there_speaks(tmp_path: Path) -> None:
    model = tmp_path / "vi.onnx"
    for path in (model, tmp_path / "vi.onnx.json"):
        path.write_text("no model")
    settings = SpeechSettings({"vi": model}, program(tmp_path, "echo this is no model >&2; exit 1"))
    assert Voices(settings, tmp_path / "work").speak(FLOOD, "vi").voice == "espeak-ng"


def test_a_model_that_is_not_there_is_no_voice(tmp_path: Path) -> None:
    """Nor is one without its own description beside it."""
    (tmp_path / "vi.onnx").write_text("")
    settings = SpeechSettings({"vi": tmp_path / "vi.onnx", "kpm": tmp_path / "none.onnx"}, "sh")
    assert Voices(settings, tmp_path / "work", espeak="no-such-program").languages() == frozenset()


def test_where_loudness_cannot_be_set_it_is_heard_as_it_is(tmp_path: Path) -> None:
    """Too quiet a warning is one all the same."""
    recording = Voices(SpeechSettings(), tmp_path, loud=("false",)).speak(FLOOD, "vi")
    assert recording.duration_ms == whole(recording)


def test_it_writes_nowhere_but_in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folders that everybody may write are full, or closed to a service."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "closed"))
    voices = Voices(SpeechSettings(), tmp_path / "run" / "speech")
    assert "vi" in voices.languages()
    assert voices.speak(FLOOD, "vi").duration_ms > 2_000
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_where_its_folder_cannot_be_written_that_is_told(tmp_path: Path) -> None:
    """A failure like any other: nobody dies of it."""
    (tmp_path / "run").write_text("no folder")
    voices = Voices(SpeechSettings(), tmp_path / "run" / "speech")
    assert voices.languages() == frozenset()
    assert refused(voices, FLOOD, "vi") == ("no-voice", "")


def test_it_runs_behind_what_makes_the_sound(tmp_path: Path) -> None:
    """And with none of the daemon's own environment."""
    os.environ["CREDENTIALS_DIRECTORY"] = "/run/credentials"
    try:
        voices = Voices(
            SpeechSettings(), tmp_path / "work", espeak=program(tmp_path, f"nice >{tmp_path}/nice; env >&2")
        )
        assert voices.languages() == frozenset()
    finally:
        del os.environ["CREDENTIALS_DIRECTORY"]
    assert int((tmp_path / "nice").read_text()) >= 10


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this kernel does not divide by sessions")
def test_where_it_may_not_be_nice_its_session_steps_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The unit's filter of system calls refuses setpriority(2)."""

    def refused(which: int, who: int, priority: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refused)
    look = f"until grep -q 'nice 10' /proc/self/autogroup; do sleep 0.01; done; touch {tmp_path}/stepped-back"
    voices = Voices(SpeechSettings(), tmp_path / "work", espeak=program(tmp_path, look))

    assert voices.languages() == frozenset()
    assert (tmp_path / "stepped-back").exists()


@pytest.fixture
def loud_and_quiet() -> Iterator[array[int]]:
    """A click at full scale in quiet speech-like noise."""
    samples = array("h", [((n * 7_919) % 2_001) - 1_000 for n in range(32_000)])
    samples[16_000] = 32_767
    samples[16_001] = -32_768
    return iter([samples])


def test_the_limiter_lets_no_sample_over_the_ceiling_and_changes_nothing_far_from_it(
    loud_and_quiet: Iterator[array[int]],
) -> None:
    samples = next(loud_and_quiet)
    made = loudness.raised(samples, 12.0, 16_000)
    ceiling = 32_767 * 10 ** ((loudness.PEAK_DBTP - loudness.HEADROOM_DB) / 20)
    assert len(made) == len(samples)
    assert max(abs(one) for one in made) <= ceiling + 1
    gain = 10 ** (12 / 20)
    far = [n for n in range(len(samples)) if abs(n - 16_000) > 16_000 // 25]
    assert all(made[n] == int(samples[n] * gain) for n in far)


def test_a_program_of_the_system_bounds_the_others() -> None:
    """Debian's util-linux and coreutils bring them everywhere."""
    assert shutil.which("prlimit")
    assert shutil.which("nice")
