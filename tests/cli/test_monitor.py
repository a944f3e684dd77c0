"""The live screen: in a real terminal with a real station, and part by part."""

from __future__ import annotations

import asyncio
import copy
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.cli.terminal import daemon, run
from tests.cli.test_commands import IDLE, STATUS
from tests.parts import Station, eventually
from ttcs_edge.cli.errors import CommandError
from ttcs_edge.cli.monitor_app import BYTES_A_MINUTE, BYTES_AT_ONCE, DEEDS, Monitor, cost
from ttcs_edge.cli.monitor_parts import PARTS, key_of, parts
from ttcs_edge.locale import Language

DATA = Path(__file__).parents[1] / "data/cli"
AIRED = {
    "told": "2",
    "journal": 1,
    "sequence": 2,
    "planned_start": "2026-11-23T22:00:00Z",
    "title": "Nhạc hiệu",
    "outcome": "aired",
}
MISSED = {
    "told": "1",
    "journal": 1,
    "sequence": 1,
    "planned_start": "2026-11-23T21:30:00Z",
    "title": "Giá cà phê",
    "outcome": "missed",
}


class Asked:
    """A station that answers what it is told to, and remembers what it was asked."""

    def __init__(self, status: dict[str, Any] | None = None) -> None:
        self.status = copy.deepcopy(STATUS if status is None else status)
        self.heard: list[dict[str, Any]] = []
        self.refuses: dict[str, CommandError] = {}

    def __call__(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer."""
        self.heard.append(request)
        if (refused := self.refuses.get(request["ask"])) is not None:
            raise refused
        if request["ask"] == "told":
            return {"time_zone": "Asia/Ho_Chi_Minh", "reports": [], "next": None}
        return self.status if request["ask"] == "status" else {"number": 7, "stopped": []}

    def deeds(self) -> list[str]:
        """What was asked of it but to tell."""
        return [one["ask"] for one in self.heard if one["ask"] not in ("status", "told")]


def shown(app: Monitor, name: str) -> str:
    """What stands in a part of the screen."""
    return str(app.query_one(f"#{name}").render())


def on_screen(asked: Asked, does: Callable[[Monitor, Pilot[None]], Awaitable[None]], lang: Language = "en") -> None:
    """Do something before the screen; it looks by itself only when it is told to."""

    async def held() -> None:
        app = Monitor(asked, lang, 3_600.0)
        async with app.run_test(size=(40, 20)) as pilot:
            await pilot.pause()
            await does(app, pilot)

    asyncio.run(held())


class TestParts:
    """What is told of a status."""

    def test_a_lamp_is_told_by_its_shape_and_a_level_by_its_length(self) -> None:
        """Without colour, too."""
        told = parts(STATUS, [AIRED, MISSED], frozenset(), "vi")
        assert [str(told[name]) for name in ("progress", "level", "zones")] == [
            "[==..................] 0:20/3:05",
            "[##############......] -18 dB",
            "● cho-xa  ○ buon-go",
        ]
        assert str(told["log"]) == "04:30 Giá cà phê: không phát\n05:00 Nhạc hiệu: đã phát"

    def test_a_bar_stays_within_its_ends(self) -> None:
        """However loud, however late."""
        for rms_db, position_ms, level, progress in ((-200.0, 0, 0, 0), (6.0, 10**9, 20, 20)):
            status = copy.deepcopy(STATUS)
            status["on_air"] |= {"rms_db": rms_db, "position_ms": position_ms}
            told = parts(status, [], frozenset(), "en")
            assert (str(told["level"]).count("#"), str(told["progress"]).count("=")) == (level, progress)

    def test_an_error_stands_before_a_warning_and_what_was_acknowledged_is_counted(self) -> None:
        """Until it is raised anew."""
        status = copy.deepcopy(STATUS)
        status["faults"].sort(key=lambda fault: fault["severity"] == "error")
        lines = str(parts(status, [], frozenset(), "en")["faults"]).splitlines()
        assert [line[0] for line in lines if not line.startswith(" ")] == ["X", "!"]
        seen = frozenset(key_of(fault) for fault in status["faults"])
        assert str(parts(status, [], seen, "en")["faults"]) == "and 2 more: ttcs-edge faults"
        status["faults"][0]["raised_ms"] += 1
        assert str(parts(status, [], seen, "en")["faults"]).endswith("and 1 more: ttcs-edge faults")

    def test_what_came_from_outside_commands_no_terminal(self) -> None:
        """A title with an escape in it, and one of two hundred letters."""
        status = copy.deepcopy(STATUS)
        status["on_air"]["title"] = "\x1b[2J" + "ế" * 200
        assert str(parts(status, [], frozenset(), "vi")["air"]) == "●  [2J" + "ế" * 200

    def test_a_station_that_is_idle_shows_no_bars(self) -> None:
        """Nothing is on the air."""
        told = parts(IDLE, [], frozenset(), "vi")
        assert (str(told["progress"]), str(told["level"])) == ("", "")


class TestKeys:
    """What a key does, and what it does not."""

    @pytest.mark.parametrize("key", DEEDS)
    def test_a_deed_is_done_only_when_it_was_confirmed(self, key: str) -> None:
        """By y, and by no other key."""
        asked = Asked()

        async def presses(app: Monitor, pilot: Pilot[None]) -> None:
            await pilot.press(key, "n", "y", key)
            assert asked.deeds() == []
            await pilot.press("y")
            await pilot.pause()
            assert asked.deeds()[0] == DEEDS[key].request["ask"]

        on_screen(asked, presses)

    def test_who_may_not_is_told_so_and_the_screen_stays(self) -> None:
        """With the mend."""
        asked = Asked()
        asked.refuses["mute"] = CommandError("not-allowed", deed="mute", user="tuan")

        async def presses(app: Monitor, pilot: Pilot[None]) -> None:
            await pilot.press("m", "y")
            await pilot.pause()
            assert "sudo" in shown(app, "message")
            assert "da-teh-01" in shown(app, "head")

        on_screen(asked, presses)

    def test_a_test_tone_lasts_as_long_as_somebody_looks_on(self) -> None:
        """Each look tells the station that he is still there."""
        asked = Asked()

        async def presses(app: Monitor, pilot: Pilot[None]) -> None:
            await pilot.press("t", "y")
            await pilot.pause()
            assert {"ask": "lease-state", "number": 7} in asked.heard

        on_screen(asked, presses)

    def test_faults_that_were_seen_leave_the_screen(self) -> None:
        """They are counted below."""
        asked = Asked()

        async def presses(app: Monitor, pilot: Pilot[None]) -> None:
            await pilot.press("a")
            await pilot.pause()
            assert shown(app, "faults") == "and 2 more: ttcs-edge faults"

        on_screen(asked, presses)

    def test_a_station_that_goes_is_told_and_one_that_comes_back_is_followed(self) -> None:
        """The screen outlives it."""
        asked = Asked()

        async def goes(app: Monitor, pilot: Pilot[None]) -> None:
            asked.refuses["status"] = CommandError("not-running", path="/run/x")
            await app.look()
            assert shown(app, "head").startswith("!! The station is not running (there is no /run/x)")
            assert [shown(app, name) for name in PARTS[1:]] == [""] * (len(PARTS) - 1)
            asked.refuses.clear()
            await app.look()
            assert "da-teh-01" in shown(app, "head")

        on_screen(asked, goes)

    def test_nothing_is_drawn_that_has_not_changed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It costs the phone bytes."""
        asked, drawn = Asked(), list[str]()

        async def looks(app: Monitor, pilot: Pilot[None]) -> None:
            for name in PARTS:
                part = app.query_one(f"#{name}")
                monkeypatch.setattr(part, "update", lambda words, name=name: drawn.append(name))
            await app.look()
            asked.status["on_air"]["position_ms"] += 1_000
            await app.look()
            assert drawn == ["progress"]

        on_screen(asked, looks)

    def test_a_station_whose_faults_come_and_go_does_not_use_up_the_phones_data(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ten minutes in which all changes at each look: 20 KB in each of them, and what was put off is drawn."""
        asked, drawn = Asked(), list[int]()

        async def looks(app: Monitor, pilot: Pilot[None]) -> None:
            app._every_s = 1.0
            for name in PARTS:
                part = app.query_one(f"#{name}")
                monkeypatch.setattr(part, "update", lambda words: drawn.append(cost(words)))
            for number in range(600):
                for fault in asked.status["faults"]:
                    fault["subject"] = f"plughw:{number}"
                    fault["detail"] = [["error", f"error {number} " * 30]]
                await app.look()
            assert 100_000 < sum(drawn) <= 10 * BYTES_A_MINUTE + BYTES_AT_ONCE
            asked.status["on_air"]["position_ms"] += 1_000
            before = len(drawn)
            for _ in range(3):
                await app.look()
            assert len(drawn) > before

        on_screen(asked, looks)


# ------------------------------------------------------------------------------------------ in a real terminal


class Tmux:
    """A terminal of some size, in which the screen runs."""

    def __init__(self, folder: Path, columns: int, rows: int, *words: str) -> None:
        self._words = ["tmux", "-u", "-S", str(folder / "tmux")]
        command = " ".join(
            ["env", "COLUMNS=80", "LINES=24", sys.executable, "-m", "ttcs_edge.cli.main", "monitor", *words]
        )
        self._run("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), command)

    def _run(self, *words: str) -> str:
        done = subprocess.run([*self._words, *words], capture_output=True, text=True, check=True)
        return done.stdout

    def screen(self) -> str:
        """What is read on it."""
        return self._run("capture-pane", "-p")

    def press(self, *keys: str) -> None:
        """Press keys."""
        self._run("send-keys", *keys)

    def resize(self, columns: int, rows: int) -> None:
        """Turn the phone."""
        self._run("resize-window", "-x", str(columns), "-y", str(rows))

    def close(self) -> None:
        """Shut it."""
        subprocess.run([*self._words, "kill-server"], capture_output=True)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Tmux]]:
    """Opens a terminal."""
    terminals: list[Tmux] = []

    def open_one(*words: Any) -> Tmux:
        terminals.append(Tmux(tmp_path, *words))
        return terminals[-1]

    yield open_one
    for one in terminals:
        one.close()


def test_a_technician_watches_a_station_on_a_phone_and_on_a_desk(station: Station, opened: Callable[..., Tmux]) -> None:
    """It lives, tests a tone, dies and comes back, and the phone is turned; then q leaves."""
    station.extra = 'quiet_hours: ["02:00-02:01"]\n'
    station.install()
    station.start()
    terminal = opened(40, 20, "--config", str(station.config), "--lang", "en")
    eventually(lambda: "○ cho  ○ dinh" in terminal.screen())
    eventually(lambda: "q quit  t test tone  s stop tests  m\nmute  u unmute  a acknowledge\n" in terminal.screen())
    terminal.press("t")
    eventually(lambda: "Test tone for 6 s everywhere? y: yes" in terminal.screen())
    terminal.press("y")
    eventually(lambda: "● cho  ● dinh" in terminal.screen())
    terminal.press("s")
    terminal.press("y")
    eventually(lambda: "○ cho  ○ dinh" in terminal.screen())
    station.stop()
    eventually(lambda: "The station is not running" in " ".join(terminal.screen().split()))
    station.start()
    terminal.resize(120, 40)
    eventually(lambda: "○ cho  ○ dinh" in terminal.screen())
    assert any("Faults" in line and line.startswith("da-teh-01") for line in terminal.screen().splitlines())


def answered(request: dict[str, Any]) -> dict[str, Any]:
    """A station of which everything can be told, and whose time stands still."""
    if request["ask"] == "status":
        return STATUS
    return {"time_zone": "Asia/Ho_Chi_Minh", "reports": [json.dumps(one) for one in (MISSED, AIRED)], "next": None}


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize(("columns", "rows"), [(40, 20), (120, 40)])
def test_what_is_read_on_it(
    columns: int, rows: int, lang: Language, tmp_path: Path, opened: Callable[..., Tmux]
) -> None:
    """Letter by letter; no Vietnamese letter is cut."""
    seen = (DATA / f"monitor-{columns}-{lang}.txt").read_text()
    with daemon(tmp_path, answered) as socket:
        terminal = opened(columns, rows, "--socket", str(socket), "--lang", lang)
        eventually(lambda: terminal.screen() == seen)


def test_without_a_terminal_it_says_what_a_program_should_ask() -> None:
    """A pipe is no screen."""
    done = run("monitor", "--lang", "en")
    assert (done.returncode, done.stdout) == (64, "")
    assert done.stderr == "This needs a terminal\nFor a program: ttcs-edge status --json\n"
