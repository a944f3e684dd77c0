"""What a technician does by hand at a station, seen from the screen: test-tone, relay, stop, mute, unmute."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import daemon, on_terminal, run
from ttcs_edge.link.control import ControlError

Answer = dict[str, Any]
TONE: Answer = {
    "number": 1,
    "kind": "tone",
    "is_over": False,
    "ended": None,
    "zones": ["cho", "dinh"],
    "is_heard": False,
    "left_ms": 6_000,
    "names": ["Chợ Đạ Tẻh", "Đình thôn Một"],
}
RELAY = TONE | {"kind": "relay", "zones": ["cho"], "names": ["Chợ Đạ Tẻh"]}


def course(*answers: Answer) -> Callable[[Answer], Answer]:
    """A station that tells one after the other, the last one for ever."""
    left = list(answers)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


@pytest.fixture
def heard() -> Iterator[list[Answer]]:
    """What the station was asked."""
    yield []


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_a_tone_on_a_phone(tmp_path: Path, lang: str) -> None:
    """Begun, heard, over: each once, no line longer than the screen, in both languages."""
    answers = course(TONE, TONE | {"is_heard": True}, TONE | {"is_heard": True}, TONE | {"is_over": True})
    with daemon(tmp_path, answers) as path:
        done = run("test-tone", "--socket", path, "--lang", lang, columns=40)
    lines = {
        "vi": ["Âm thử 6 giây ở: Chợ Đạ Tẻh, Đình thôn", "Một. Ctrl-C để dừng.", "Đang có tiếng.", "Xong, đã tắt."],
        "en": [
            "The test tone for 6 s in: Chợ Đạ Tẻh,",
            "Đình thôn Một. Ctrl-C ends it.",
            "It sounds.",
            "Done, and off.",
        ],
    }
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.rstrip() for line in done.stdout.splitlines()] == lines[lang]


def test_what_takes_the_air_from_it_is_told_and_is_a_failure(tmp_path: Path) -> None:
    """In words; 1 for scripts."""
    with daemon(tmp_path, course(RELAY, RELAY | {"is_over": True, "ended": "pre-empted"})) as path:
        done = run("relay", "cho", "--close", "--socket", path, "--lang", "en")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        "Relay held closed for 60 s: Chợ Đạ Tẻh. Ctrl-C opens it.",
        "TOUCH NO BARE WIRE: an alert may sound at any moment.",
        "It ended early: something of higher priority took the air",
    ]


def test_what_is_asked_is_what_was_typed(tmp_path: Path, heard: list[Answer]) -> None:
    """Zones, seconds, minutes; silence is never asked to sound in quiet hours."""

    def answer(request: Answer) -> Answer:
        heard.append(request)
        return RELAY | {"is_over": True, "muted": True, "minutes": 20, "was_muted": True, "stopped": ["relay"]}

    with daemon(tmp_path, answer) as path:
        for words in (
            ("test-tone", "cho", "--seconds", "9", "--now"),
            ("relay", "cho", "--close", "--seconds", "300"),
            ("relay", "cho", "--open"),
            ("mute", "--for", "20"),
            ("unmute",),
            ("stop",),
        ):
            assert json.loads(run(*words, "--json", "--socket", path).stdout)
    assert heard == [
        {"ask": "lease", "seconds": 9, "silent": False, "zones": ["cho"], "now": True},
        {"ask": "lease", "seconds": 300, "silent": True, "zones": ["cho"], "now": False},
        {"ask": "tests-stop", "zone": "cho"},
        {"ask": "mute", "minutes": 20},
        {"ask": "unmute"},
        {"ask": "tests-stop"},
    ]


@pytest.mark.parametrize(
    ("code", "fields", "exit_code", "told"),
    [
        (
            "not-allowed",
            {"deed": "mute", "user": "tuan"},
            77,
            ["tuan may not do this: it needs root", "Run it with sudo: sudo ttcs-edge mute"],
        ),
        (
            "lease-refused",
            {"reason": "due-soon"},
            75,
            [
                "Not now: something else is due too soon",
                "Try again once the air is free; a tone in quiet hours: add --now, when people were told",
            ],
        ),
    ],
)
def test_a_refusal_says_why_and_what_to_do(
    tmp_path: Path, code: str, fields: dict[str, str], exit_code: int, told: list[str]
) -> None:
    """With an exit code that scripts can rely on."""

    def refuse(request: Answer) -> Answer:
        raise ControlError(code, **fields)

    with daemon(tmp_path, refuse) as path:
        words = ("mute",) if code == "not-allowed" else ("test-tone",)
        done = run(*words, "--socket", path, "--lang", "en", columns=100)
    assert (done.returncode, done.stdout, done.stderr.splitlines()) == (exit_code, "", told)


def test_stop_says_what_was_ended_and_who_may_end_the_rest(tmp_path: Path) -> None:
    """Nothing by hand goes on: what is on the air is the centre's."""
    with daemon(tmp_path, lambda request: {"stopped": ["walk"]}) as path:
        assert run("stop", "--socket", path).stdout == "Đã dừng việc thử từng cụm loa.\n"
    with daemon(tmp_path, lambda request: {"stopped": []}) as path:
        nothing = run("stop", "--socket", path, "--lang", "en").stdout.splitlines()
    assert nothing == [
        "Nothing is being tested.",
        "A cue is the centre's to stop; to silence the station: sudo ttcs-edge mute",
    ]


@pytest.mark.parametrize("words", [("test-tone",), ("stop",), ("mute",), ("unmute",)])
def test_an_answer_of_another_release_is_no_traceback(tmp_path: Path, words: tuple[str, ...]) -> None:
    """It runs another version: restart it."""
    with daemon(tmp_path, lambda request: {"new": 1}) as path:
        done = run(*words, "--socket", path, "--lang", "en")
    assert (done.returncode, done.stdout) == (76, "")
    assert done.stderr.splitlines()[0] == "The station's answer is not understood"


@pytest.mark.parametrize("words", [("relay", "cho"), ("relay", "cho", "--close", "--open"), ("mute", "--for", "121")])
def test_wrong_use_asks_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    """A relay is closed or opened; silence has a bound."""
    assert run(*words, "--socket", tmp_path / "none", "--lang", "en").returncode == 64


def test_silence_on_a_terminal_says_that_alerts_are_heard(tmp_path: Path) -> None:
    """And how it is ended."""
    with daemon(tmp_path, lambda request: {"muted": True, "minutes": 10}) as path:
        seen = on_terminal("mute", "--socket", path, COLUMNS="40")
    assert seen.replace("\r", "").splitlines() == [
        "Trạm tắt tiếng 10 phút.",
        "Thông báo khẩn cấp vẫn phát. Có tiếng",
        "lại: sudo ttcs-edge unmute",
    ]
