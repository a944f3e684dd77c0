"""The technician's commands, each as a process of its own, against the daemon's end of the control socket."""

from __future__ import annotations

import copy
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from tests.cli.terminal import AS_ANYBODY, daemon, on_terminal, run, shown
from tests.test_config import complete_station, encrypted_key
from ttcs_edge import __version__
from ttcs_edge.cli.arguments import EXAMPLES, make_parser
from ttcs_edge.cli.version import LIBRARIES
from ttcs_edge.link.control import ControlError
from ttcs_edge.locale import LANGUAGES

REPOSITORY = Path(__file__).parent.parent.parent
SCREENS = Path(__file__).parent.parent / "data/cli"
LONG_TITLE = "Thông báo lịch tiêm chủng mở rộng cho trẻ em dưới sáu tuổi toàn xã"

STATUS: dict[str, Any] = {
    "station": "da-teh-01",
    "scope": "vn/lam-dong/da-teh",
    "wall_ms": 1_795_471_200_000,
    "clock_trusted": True,
    "state": "on-air",
    "amplifier": "on",
    "zones_closed": ["cho-xa"],
    "on_air": {
        "occurrence": "vn/lam-dong#sang@2026-11-24T05:00:00",
        "title": "Bản tin buổi sáng của xã Đạ Tẻh",
        "zones": ["cho-xa"],
        "start_ms": 1_795_471_180_000,
        "position_ms": 20_000,
        "duration_ms": 185_000,
        "rms_db": -18.2,
        "peak_db": -3.1,
    },
    "next_cues": [
        {
            "occurrence": "vn/lam-dong#tiem@2026-11-24T06:00:00",
            "title": LONG_TITLE,
            "planned_ms": 1_795_474_800_000,
            "zones": ["cho-xa", "buon-go"],
            "audio_ready": False,
            "lack": "no-audio",
        }
    ],
    "volumes": [],
    "off_air": {
        "sent_ms": 9_500,
        "sent_db": -16.2,
        "heard_db": -20.4,
        "noise_db": -61.0,
        "match": 0.87,
        "lag_ms": 150,
        "foreign_db": -180.3,
        "foreign_share": 0.0,
        "variety_db": 0.0,
        "flat_share": 0.002,
    },
    "recordings": [{"file": "foreign-7-1.wav", "size_bytes": 384_044, "kept_s": 1_795_470_200.0}],
    "self_test": {
        "began_ms": 1_795_465_800_000,
        "ended_ms": 1_795_465_850_000,
        "skipped": None,
        "zones": [
            {"zone": "cho", "outcome": "good", "reason": None},
            {"zone": "dinh", "outcome": "not-seen", "reason": None},
        ],
    },
    "meter": {"volts": 219.6, "amperes": 0.52, "watts": 85.3, "energy_wh": 65_593},
    "power": {
        "mains": False,
        "battery": {"percent": 41, "volts": 12.38, "charging": False},
        "shed": {
            "volume_percent": 60,
            "zones": None,
            "zones_most": 2,
            "alerts_only": False,
            "because": ["mains-lost", "battery"],
        },
    },
    "box": {"celsius": 41.4, "fan_on": True, "door_open": True},
    "modem": {
        "answers": True,
        "sim": "ready",
        "registration": "home",
        "operator": "Viettel",
        "signal_dbm": -71,
        "used_bytes": 1_204_000_000,
        "budget_bytes": 3_000_000_000,
        "cures": 2,
    },
    "programmes": [{"scope": "vn/lam-dong", "version": 12, "expires_ms": 1_796_471_200_000, "slots": 8}],
    "cache": {"wanted_files": 14, "stored_files": 12, "wanted_bytes": 40_000_000, "stored_bytes": 34_000_000},
    "faults": [
        {
            "id": "7-f1",
            "code": "link-down",
            "subject": "broker",
            "severity": "warning",
            "detail": [["reason", "tls-expired"], ["error", "certificate has expired"]],
            "raised_ms": 1_795_470_200_000,
            "cleared_ms": None,
        },
        {
            "id": "7-f2",
            "code": "sound-device",
            "subject": "plughw:1",
            "severity": "error",
            "detail": [["error", "No such device"]],
            "raised_ms": 1_795_470_200_000,
            "cleared_ms": None,
        },
    ],
    "link_up": False,
    "player_up": True,
    "underruns": 3,
    "clock_source": "kernel",
    "clock_since_ms": 1_795_470_200_000,
    "clock_words": [{"source": "kernel", "word": "told", "found_ms": None}],
    "relays": {"amplifier": True, "cho-xa": True, "buon-go": False},
    "version": "0.1.0",
    "boot": 7,
    "outbox": {"depth": 3, "oldest_age_s": 720},
    "time_zone": "Asia/Ho_Chi_Minh",
}

IDLE = STATUS | {
    "meter": None,
    "power": None,
    "box": None,
    "modem": None,
    "off_air": None,
    "recordings": [],
    "self_test": None,
    "clock_trusted": False,
    "state": "no-time",
    "amplifier": "off",
    "zones_closed": [],
    "on_air": None,
    "next_cues": [],
    "programmes": [],
    "cache": {"wanted_files": 0, "stored_files": 0, "wanted_bytes": 0, "stored_bytes": 0},
    "faults": [],
    "link_up": True,
    "player_up": False,
    "underruns": 0,
    "clock_source": None,
    "clock_since_ms": None,
    "clock_words": [
        {"source": "kernel", "word": "unsynchronised", "found_ms": None},
        {"source": "rtc", "word": "below-floor", "found_ms": 946_684_800_000},
        {"source": "signed", "word": "not-heard", "found_ms": None},
    ],
    "outbox": {"depth": 0, "oldest_age_s": 0},
}


def cue(title: str, planned: str, **changes: Any) -> dict[str, Any]:
    """One cue of the daemon's answer."""
    return {
        "occurrence": {"scope": "vn/lam-dong", "slot": "x", "local": planned[:19]},
        "title": title,
        "planned": planned,
        "duration_ms": 185_000,
        "zones": ["cho-xa", "buon-go"],
        "priority": 5,
        "audio_ready": True,
        "lack": None,
        "stands_in": None,
        "clashes": [],
    } | changes


SCHEDULE: dict[str, Any] = {
    "time_zone": "Asia/Ho_Chi_Minh",
    "quiet_hours": ["21:00-05:00"],
    "cues": [
        cue("Bản tin buổi sáng của xã Đạ Tẻh", "2026-11-24T05:00:00+07:00"),
        cue("Tiếp sóng đài huyện", "2026-11-25T03:15:00+07:00", duration_ms=5_400_000, clashes=["quiet-hours"]),
        cue(
            LONG_TITLE,
            "2026-11-25T03:20:00+07:00",
            zones=[],
            audio_ready=False,
            lack="no-audio",
            stands_in="earlier",
            clashes=["quiet-hours", "overlap"],
        ),
        cue("Tin trong ngày", "2026-11-25T20:58:30+07:00", clashes=["quiet-hours"]),
    ],
}


@pytest.fixture
def socket(tmp_path: Path) -> Iterator[Path]:
    """The socket of a station that is on the air and has faults."""
    with daemon(tmp_path, lambda request: STATUS if request["ask"] == "status" else SCHEDULE) as path:
        yield path


def screen(name: str) -> str:
    """What a screen must show, letter for letter."""
    return (SCREENS / f"{name}.txt").read_text()


class TestScreens:
    """A phone's 40 columns and a desk's 120, letter for letter."""

    @pytest.mark.parametrize("lang", LANGUAGES)
    @pytest.mark.parametrize("columns", [40, 120])
    @pytest.mark.parametrize("name", ["status", "schedule"])
    def test_a_screen_shows_all_of_it(self, socket: Path, name: str, columns: int, lang: str) -> None:
        """The whole screen is as in the file beside, and no line is wider than the screen."""
        done = run(name, "--socket", socket, "--lang", lang, columns=columns)

        assert shown(done) == screen(f"{name}-{columns}-{lang}")
        assert max(cell_len(line) for line in done.stdout.splitlines()) <= columns

    @pytest.mark.parametrize("lang", LANGUAGES)
    def test_an_idle_station_without_anything_is_shown(self, tmp_path: Path, lang: str) -> None:
        """No programme, no fault, no trusted time: each is said in words."""
        with daemon(tmp_path, lambda request: IDLE) as path:
            assert shown(run("status", "--socket", path, "--lang", lang)) == screen(f"idle-80-{lang}")

    @pytest.mark.parametrize(
        ("lang", "line"),
        [
            ("vi", "Trung tâm đặt âm lượng  cho-xa 40 % đến 18:00 24/11/2026"),
            ("en", "Volume by order  cho-xa 40 % until 18:00 2026-11-24"),
        ],
    )
    def test_a_volume_that_the_centre_ordered_is_shown_with_its_end(self, tmp_path: Path, lang: str, line: str) -> None:
        """Or who stands at the pole would look for a fault in it."""
        quieter = [{"zone": "cho-xa", "percent": 40, "until_ms": 1_795_518_000_000}]
        with daemon(tmp_path, lambda request: STATUS | {"volumes": quieter}) as path:
            done = run("status", "--socket", path, "--lang", lang, columns=120)

        assert " ".join(line.split()) in [" ".join(one.split()) for one in shown(done).splitlines()]

    def test_a_schedule_without_cues_says_so(self, tmp_path: Path) -> None:
        """An empty table could mean anything; a sentence cannot."""
        with daemon(tmp_path, lambda request: SCHEDULE | {"cues": []}) as path:
            done = run("schedule", "--days", "3", "--socket", path, "--lang", "en")

        assert shown(done) == (
            "What airs in the next 3 days, time zone Asia/Ho_Chi_Minh\nQuiet hours: 21:00-05:00\n\nNothing will air.\n"
        )

    def test_without_clashes_the_night_is_said_to_be_quiet(self, tmp_path: Path) -> None:
        """The good answer is an answer too."""
        quiet = SCHEDULE | {"cues": SCHEDULE["cues"][:1]}
        with daemon(tmp_path, lambda request: quiet) as path:
            done = run("schedule", "--socket", path)

        assert shown(done).endswith("\n\nSố mục phát: 1\nKhông mục nào rơi vào giờ nghỉ.\n")
        assert "!!" not in done.stdout

    @pytest.mark.parametrize("lang", LANGUAGES)
    def test_a_night_that_nothing_keeps_quiet_is_seen_at_first_sight(self, tmp_path: Path, lang: str) -> None:
        """No quiet hours, and a cue at 03:15 every day: said under the heading, where it stands, and at the end."""
        cues = [cue("Tiếp sóng đài huyện", f"2026-11-{day}T03:15:00+07:00") for day in range(24, 30)]
        cues += [
            cue("Tin tối", "2026-11-29T21:59:00+07:00", duration_ms=61_000),
            cue("Tin sáng", "2026-11-30T05:00:00+07:00"),
        ]
        unset = {"time_zone": "Asia/Ho_Chi_Minh", "quiet_hours": [], "cues": cues}
        with daemon(tmp_path, lambda request: unset) as path:
            assert shown(run("schedule", "--socket", path, "--lang", lang)) == screen(f"night-80-{lang}")

    @pytest.mark.parametrize(
        ("lack", "stands_in", "note"),
        [
            ("no-audio", None, "audio not here yet"),
            ("rotten", "standing", "its audio had gone bad in the store; a standing bulletin will air"),
            ("expired", "earlier", "its bulletin had expired; an earlier edition will air"),
        ],
    )
    def test_what_will_air_in_its_place_is_told_beforehand(
        self, tmp_path: Path, lack: str, stands_in: str | None, note: str
    ) -> None:
        """Why the slot's own audio will not be heard, and what will."""
        poor = cue("x", "2026-11-24T05:00:00+07:00", audio_ready=False, lack=lack, stands_in=stands_in)
        with daemon(tmp_path, lambda request: SCHEDULE | {"cues": [poor]}) as path:
            done = run("schedule", "--socket", path, "--lang", "en", columns=200)

        assert note in shown(done)
        assert ("Will air something in its place: 1" in done.stdout) is (stands_in is not None)

    def test_a_slot_that_names_a_live_relay_says_so(self, tmp_path: Path) -> None:
        """Its bulletin is heard where the relay is not."""
        relayed = cue("x", "2026-11-24T05:00:00+07:00", live="thoi-su")
        with daemon(tmp_path, lambda request: SCHEDULE | {"cues": [relayed]}) as path:
            done = run("schedule", "--socket", path, "--lang", "en", columns=200)

        assert "live relay thoi-su; heard as this bulletin where there is none" in shown(done)

    def test_a_slot_that_names_a_stream_says_so(self, tmp_path: Path) -> None:
        """With its address, which the config must allow."""
        relayed = cue("x", "2026-11-24T05:00:00+07:00", stream="https://live.example.vn/fm")
        with daemon(tmp_path, lambda request: SCHEDULE | {"cues": [relayed]}) as path:
            done = run("schedule", "--socket", path, "--lang", "en", columns=200)

        assert "the stream https://live.example.vn/fm; heard as this bulletin where nothing comes of it" in shown(done)

    @pytest.mark.parametrize(
        ("hours", "planned", "seconds", "note"),
        [
            (["21:00-05:00"], "03:15:00", 60, "QUIET HOURS: will not sound"),
            (["21:00-05:00"], "20:58:30", 91, "QUIET HOURS: cut at 21:00"),
            (["12:00-12:30"], "11:59:59", 2, "QUIET HOURS: cut at 12:00"),
            (["12:00-12:30"], "12:29:59", 2, "QUIET HOURS: will not sound"),
            (["21:00-05:00", "12:00-12:30"], "11:50:00", 3_600, "QUIET HOURS: cut at 12:00"),
            (["21:00-05:00"], "20:40:00", 600, "QUIET HOURS: cut, or not heard at all"),
            (["23:00-24:00"], "22:59:00", 120, "QUIET HOURS: cut at 23:00"),
            (["00:00-05:00"], "23:59:00", 120, "QUIET HOURS: cut at 00:00"),
        ],
    )
    def test_a_clash_tells_what_will_be_heard(
        self, tmp_path: Path, hours: list[str], planned: str, seconds: int, note: str
    ) -> None:
        """A cue that begins in quiet hours is not heard; one that runs into them is cut where they begin."""
        clash = cue("x", f"2026-11-24T{planned}+07:00", duration_ms=seconds * 1_000, clashes=["quiet-hours"])
        with daemon(tmp_path, lambda request: SCHEDULE | {"quiet_hours": hours, "cues": [clash]}) as path:
            done = run("schedule", "--socket", path, "--lang", "en")

        assert f"!! {note}\n" in shown(done)
        assert "!! IN QUIET HOURS: 1\n" in done.stdout and "AT NIGHT" not in done.stdout

    @pytest.mark.parametrize(
        ("planned", "seconds", "night"),
        [("21:59:00", 60, 0), ("21:59:00", 61, 1), ("04:59:59", 1, 1), ("05:00:00", 1, 0), ("20:00:00", 7_201, 1)],
    )
    def test_the_night_begins_and_ends_to_the_second(
        self, tmp_path: Path, planned: str, seconds: int, night: int
    ) -> None:
        """From 22:00 to 05:00, whatever part of it a cue touches."""
        one = cue("x", f"2026-11-24T{planned}+07:00", duration_ms=seconds * 1_000)
        with daemon(tmp_path, lambda request: SCHEDULE | {"quiet_hours": ["12:00-13:00"], "cues": [one]}) as path:
            done = run("schedule", "--socket", path, "--lang", "en")

        assert shown(done).count("!! AT NIGHT: will sound\n") == night

    @pytest.mark.parametrize(
        ("lack", "english", "vietnamese"),
        [
            ("no-audio", "audio not here yet", "chưa có âm thanh"),
            ("rotten", "its audio had gone bad in the store", "âm thanh trong kho đã hỏng"),
            ("expired", "its bulletin had expired", "bản tin đã hết giá trị"),
        ],
    )
    def test_the_next_cue_tells_why_its_audio_will_not_be_heard(
        self, tmp_path: Path, lack: str, english: str, vietnamese: str
    ) -> None:
        """What has expired or rotted does not come by waiting for it."""
        poor = STATUS["next_cues"][0] | {"title": "Tin", "lack": lack}
        with daemon(tmp_path, lambda request: STATUS | {"next_cues": [poor]}) as path:
            assert f" Tin; cho-xa, buon-go; {english}\n" in shown(
                run("status", "--socket", path, "--lang", "en", columns=200)
            )
            assert f" Tin; cho-xa, buon-go; {vietnamese}\n" in shown(run("status", "--socket", path, columns=200))

    def test_what_is_not_today_is_told_with_its_day(self, tmp_path: Path) -> None:
        """The next cue of a Sunday's programme, on a Tuesday; a fault of yesterday and one of today."""
        sunday_ms = STATUS["wall_ms"] + 5 * 86_400_000
        later = STATUS["next_cues"][0] | {"planned_ms": sunday_ms, "title": "Tin", "audio_ready": True}
        old = STATUS["faults"][1] | {"raised_ms": STATUS["wall_ms"] - 86_400_000}
        changed = STATUS | {"next_cues": [later], "faults": [old, STATUS["faults"][0]]}
        with daemon(tmp_path, lambda request: changed) as path:
            english = shown(run("status", "--socket", path, "--lang", "en", columns=120))
            vietnamese = shown(run("status", "--socket", path, columns=120))

        assert "\n  05:00 Sunday 11-29 Tin; cho-xa, buon-go\n" in english
        assert ": No such device, since 05:00 Monday 11-23\n" in english
        assert ", since 04:43\n" in english
        assert "\n  05:00 Chủ nhật 29/11 Tin; cho-xa, buon-go\n" in vietnamese

    @pytest.mark.parametrize("columns", [20, 33, 40, 57, 120])
    def test_no_letter_is_cut_or_lost(self, tmp_path: Path, columns: int) -> None:
        """A title typed with separate accents comes out whole and composed at every width."""
        title = "Đường thôn Buôn Gỗ tắc nghẽn vì sạt lở"
        answer = copy.deepcopy(SCHEDULE)
        answer["cues"][0]["title"] = unicodedata.normalize("NFD", title)
        assert answer["cues"][0]["title"] != title
        with daemon(tmp_path, lambda request: answer) as path:
            done = run("schedule", "--socket", path, columns=columns)

        assert " ".join(title.split()) in " ".join(done.stdout.replace("05:00", "").split())

    def test_a_title_cannot_command_the_terminal(self, tmp_path: Path) -> None:
        """Escape sequences, line ends and invisible marks of a title are shown as blanks, and markup is text."""
        answer = copy.deepcopy(SCHEDULE)
        answer["cues"][0]["title"] = "\x1b[2J\x1b]0;x\x07A\r\nB\u202e\u200b[red]C[/red] :smile:"
        with daemon(tmp_path, lambda request: answer) as path:
            done = run("schedule", "--socket", path, "--lang", "en", columns=120)

        assert "[2J ]0;x A  B  [red]C[/red] :smile:" in done.stdout
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e\u200b]", done.stdout)

    def test_a_terminal_without_the_letters_still_shows_the_rest(self, socket: Path) -> None:
        """An ASCII terminal gets question marks, not a crash."""
        done = run("status", "--socket", socket, PYTHONIOENCODING="ascii")

        assert shown(done).startswith("Tr?m        da-teh-01\n")

    def test_colour_is_for_terminals_that_want_it(self, socket: Path) -> None:
        """On a terminal the clash is red; with NO_COLOR, TERM=dumb or in a pipe there is no escape sequence."""
        assert "\x1b[1;31m!! GIỜ NGHỈ" in on_terminal("schedule", "--socket", socket)
        assert "\x1b" not in on_terminal("schedule", "--socket", socket, NO_COLOR="1")
        assert "\x1b" not in on_terminal("schedule", "--socket", socket, TERM="dumb")
        assert "\x1b" not in run("schedule", "--socket", socket, TERM="xterm-256color").stdout


class TestMachines:
    """--json is the daemon's answer, whole."""

    def test_status_and_schedule_are_passed_on_whole(self, socket: Path) -> None:
        """What comes out is what the daemon said, in UTF-8 whatever the locale."""
        for name, answer in (("status", STATUS), ("schedule", SCHEDULE)):
            done = run(name, "--json", "--socket", socket, PYTHONIOENCODING="ascii")
            assert (json.loads(done.stdout), done.stderr, done.returncode) == (answer, "", 0)
            assert "xã Đạ Tẻh" in done.stdout

    def test_the_days_arrive_at_the_daemon(self, tmp_path: Path) -> None:
        """What is asked is what the technician typed."""
        requests: list[dict[str, Any]] = []
        with daemon(tmp_path, lambda request: requests.append(request) or SCHEDULE) as path:  # type: ignore[func-returns-value]
            assert run("schedule", "--days", "31", "--json", "--socket", path).returncode == 0
            assert run("schedule", "--json", "--socket", path).returncode == 0
            assert run("status", "--json", "--socket", path).returncode == 0

        assert requests == [{"ask": "schedule", "days": 31}, {"ask": "schedule", "days": 7}, {"ask": "status"}]

    def test_a_failure_is_json_too(self, tmp_path: Path) -> None:
        """A machine reads the code; the words stay on standard error."""
        path = tmp_path / "control.sock"

        done = run("status", "--json", "--socket", path, "--lang", "en")

        assert json.loads(done.stdout) == {"error": {"code": "not-running", "detail": {"path": str(path)}}}
        assert done.returncode == os.EX_UNAVAILABLE

    def test_a_mistake_in_the_configuration_is_json_too(self, tmp_path: Path) -> None:
        """Each problem with its line, key and codes."""
        path = tmp_path / "station.yaml"
        path.write_text((REPOSITORY / "tests/data/config/same-pin.yaml").read_text())

        done = run("check-config", "--json", "--config", path)

        assert json.loads(done.stdout) == {
            "file": str(path),
            "problems": [
                {
                    "file": str(path),
                    "line": 14,
                    "key": "amplifier.pin",
                    "code": "same-pin",
                    "found": "17",
                    "expected": "pin",
                    "mend": "other-pin",
                    "fields": {"least": "2", "most": "27", "first": "12", "other": "zones[1].pin"},
                }
            ],
        }
        assert done.returncode == 78


class TestNoAnswer:
    """The daemon does not answer: why, and what mends it, and an exit code for scripts."""

    def test_a_stopped_daemon_is_told_with_its_mend(self, tmp_path: Path) -> None:
        """No socket: the station is not running."""
        path = tmp_path / "control.sock"

        english = run("status", "--socket", path, "--lang", "en")
        vietnamese = run("schedule", "--socket", path)

        assert (english.returncode, english.stdout) == (69, "")
        assert english.stderr == (
            f"The station is not running (there is no {path})\n"
            "Start it: sudo systemctl start ttcs-edge\n"
            "See why it stopped: journalctl -u ttcs-edge -n 50\n"
        )
        assert (vietnamese.returncode, vietnamese.stdout) == (69, "")
        assert vietnamese.stderr == (
            f"Trạm không chạy (không có {path})\n"
            "Chạy: sudo systemctl start ttcs-edge\n"
            "Xem vì sao dừng: journalctl -u ttcs-edge -n 50\n"
        )

    def test_the_socket_a_dead_daemon_left_is_no_daemon(self, tmp_path: Path) -> None:
        """After kill -9 the socket's file is still there, and nobody behind it."""
        with daemon(tmp_path, lambda request: STATUS) as path:
            os.link(path, tmp_path / "left.sock")

        assert run("status", "--socket", tmp_path / "left.sock").returncode == 69

    def test_a_technician_without_leave_is_told_how_to_get_it(self, socket: Path) -> None:
        """The socket belongs to the group ttcs."""
        socket.chmod(0)

        done = run("status", "--socket", socket, "--lang", "en", by=AS_ANYBODY)

        assert (done.returncode, done.stdout) == (77, "")
        assert done.stderr == (
            f"You may not ask the station ({socket})\n"
            "Use sudo, or join the group ttcs: sudo usermod -aG ttcs $USER, then log in again\n"
        )

    @pytest.mark.parametrize("strange", [{}, {"cues": [{}]}, STATUS | {"state": "dreaming"}, STATUS | {"wall_ms": "x"}])
    def test_an_answer_of_another_version_is_told(self, tmp_path: Path, strange: dict[str, Any]) -> None:
        """An answer with other fields ends in words, not in a traceback, and draws nothing."""
        with daemon(tmp_path, lambda request: strange) as path:
            done = run("status", "--socket", path, "--lang", "en")

        assert (done.returncode, done.stdout) == (76, "")
        assert done.stderr == (
            "The station's answer is not understood\nIt runs another version: sudo systemctl restart ttcs-edge\n"
        )

    def test_a_refusal_of_the_daemon_is_told(self, tmp_path: Path) -> None:
        """The daemon's own error code has words."""

        def refuse(request: dict[str, Any]) -> dict[str, Any]:
            raise ControlError("bad-request", found="x")

        with daemon(tmp_path, refuse) as path:
            done = run("schedule", "--socket", path, "--lang", "en")

        assert (done.returncode, done.stderr.splitlines()[0]) == (76, "The station does not understand the question")

    def test_head_may_stop_reading(self, socket: Path) -> None:
        """A reader that has seen enough is no error."""
        command = f"{sys.executable} -m ttcs_edge.cli.main schedule --json --socket {socket} | head -c 5"
        done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, timeout=30)

        assert done.stderr == b""

    def test_a_full_disk_behind_the_output_is_told(self, socket: Path) -> None:
        """What could not be written is not taken for said: exit code 74."""
        asked = ["status", "--socket", str(socket)]
        for words, buffered in itertools.product((asked, [*asked, "--json"], ["version"]), ("", "1")):
            command = [sys.executable, "-m", "ttcs_edge.cli.main", *words, "--lang", "en"]
            environment = os.environ | {"PYTHONUNBUFFERED": buffered}
            with Path("/dev/full").open("wb") as full:
                done = subprocess.run(
                    command, stdout=full, stderr=subprocess.PIPE, env=environment, timeout=30, encoding="utf-8"
                )
            assert (done.returncode, done.stderr) == (
                74,
                "What there is to say cannot be written: No space left on device\n",
            )

    def test_closed_streams_are_no_error(self, socket: Path) -> None:
        """A service without standard output or standard error runs the command all the same."""
        for closed in (">&-", "2>&-", ">&- 2>&-"):
            command = f"{sys.executable} -m ttcs_edge.cli.main status --socket {socket} {closed}"
            done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=30)
            assert (done.returncode, done.stderr) == (0, b"")

    def test_ctrl_c_ends_a_command_that_waits(self, tmp_path: Path) -> None:
        """A daemon that hangs is not waited for once the technician has had enough: 130, and no traceback."""
        asked, leave = threading.Event(), threading.Event()

        def hang(request: dict[str, Any]) -> dict[str, Any]:
            asked.set()
            leave.wait(30)
            return STATUS

        with daemon(tmp_path, hang) as path:
            command = [sys.executable, "-m", "ttcs_edge.cli.main", "status", "--socket", str(path)]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            assert asked.wait(10)
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=10)
            leave.set()

        assert (process.returncode, said) == (130, (b"", b""))


class TestWhere:
    """Which socket is asked."""

    def test_a_configuration_names_the_socket(self, tmp_path: Path) -> None:
        """--config leads to the socket of its runtime folder."""
        config = tmp_path / "station.yaml"
        shortest = (REPOSITORY / "tests/data/config/folder-number.yaml").read_text()
        config.write_text(shortest.replace("state: 7", "runtime: ."))
        with daemon(tmp_path, lambda request: STATUS):
            done = run("status", "--json", "--config", config)

        assert json.loads(done.stdout) == STATUS

    def test_a_bad_configuration_names_no_socket(self) -> None:
        """It is told as check-config would."""
        path = REPOSITORY / "tests/data/config/same-pin.yaml"

        done = run("status", "--config", path)

        assert done.stderr.replace(str(path), "station.yaml") == path.with_suffix(".txt").read_text()
        assert done.returncode == 78

    def test_asking_loads_nothing_heavy(self, socket: Path) -> None:
        """status neither reads YAML nor loads any part of the station; with --json it does not draw either."""
        report = (
            "import sys\nfrom ttcs_edge.cli.main import main\nmain(sys.argv[1:])\n"
            f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
        )
        for words, heavy in (([], ["rich"]), (["--json"], [])):
            command = [sys.executable, "-c", report, "status", "--socket", str(socket), *words]
            done = subprocess.run(command, capture_output=True, timeout=30, encoding="utf-8")
            assert (done.returncode, done.stderr) == (0, f"{heavy}\n")


HEAVY = (
    "yaml",
    "rich",
    "msgspec",
    "paho",
    "vlc",
    "gpiozero",
    "cryptography",
    "securesystemslib",
    "structlog",
    "sqlite3",
)


class TestUse:
    """Help, languages, wrong use."""

    @pytest.mark.parametrize("lang", LANGUAGES)
    def test_help_tells_every_command_in_the_language(self, lang: str) -> None:
        """The whole first page, as in the file beside."""
        assert shown(run("--help", "--lang", lang)) == screen(f"help-80-{lang}")

    @pytest.mark.parametrize("name", EXAMPLES)
    def test_every_command_shows_an_example_that_parses(self, name: str) -> None:
        """The example at the end of each help is a command line that is understood."""
        page = shown(run(name, "--help", "--lang", "en"))

        assert page.endswith(f"\nexample:\n  {EXAMPLES[name]}\n")
        assert make_parser("en").parse_args(EXAMPLES[name].split()[1:]).command == name
        assert "show this help" in page and "usage: ttcs-edge " + name in page
        assert "cách dùng: ttcs-edge " + name in shown(run(name, "--help"))

    @pytest.mark.parametrize(
        ("words", "english", "vietnamese"),
        [
            (["stauts"], "COMMAND: there is no 'stauts'", "LỆNH: không có lựa chọn 'stauts'"),
            (["status", "now"], "not understood: now", "không hiểu: now"),
            (["schedule", "--days"], "--days: its value is missing", "--days: thiếu giá trị"),
            (
                ["schedule", "--days", "0"],
                "--days: 0 will not do, give a number from 1 to 31",
                "--days: 0 không dùng được, cần một số từ 1 đến 31",
            ),
            (
                ["schedule", "--days", "x"],
                "--days: x will not do, give a number from 1 to 31",
                "--days: x không dùng được, cần một số từ 1 đến 31",
            ),
            (["--json"], "COMMAND is missing", "thiếu LỆNH"),
            (["status", "--json=x"], "--json: it takes no value", "--json: không kèm giá trị"),
        ],
    )
    def test_wrong_use_is_told(self, words: list[str], english: str, vietnamese: str) -> None:
        """What is wrong, and where the help is; exit code 64."""
        for lang, problem in (("en", f"Wrong use: {english}"), ("vi", f"Lệnh không đúng: {vietnamese}")):
            done = run(*words, "--lang", lang)
            assert (done.returncode, done.stdout, done.stderr.splitlines()[0]) == (64, "", problem)
            assert re.fullmatch(r"(See|Xem): ttcs-edge( status| schedule)? --help", done.stderr.splitlines()[1])

    def test_no_command_at_all_shows_the_help(self) -> None:
        """It is wrong use all the same."""
        done = run()

        assert (done.returncode, done.stdout, done.stderr) == (64, "", screen("help-80-vi"))

    def test_the_locale_chooses_the_language(self, socket: Path) -> None:
        """--lang is stronger than the locale, and the locale than Vietnamese."""
        assert run("status", "--socket", socket).stdout.split()[0] == "Trạm"
        assert run("status", "--socket", socket, LANG="en_US.UTF-8").stdout.split()[0] == "Station"
        assert run("status", "--socket", socket, LC_ALL="C.UTF-8", LANG="en_US").stdout.split()[0] == "Trạm"
        assert run("--lang", "en", "status", "--socket", socket).stdout.split()[0] == "Station"
        assert run("status", "--socket", socket, "--lang=vi", LANG="en_US.UTF-8").stdout.split()[0] == "Trạm"

    def test_version_tells_what_is_installed(self) -> None:
        """The program, Python and every library that setup.cfg asks for."""
        versions = json.loads(run("version", "--json").stdout)
        table = dict(line.split() for line in shown(run("version")).splitlines())

        setup = ConfigParser()
        setup.read(REPOSITORY / "setup.cfg")
        asked = setup["options"]["install_requires"] + setup["options.extras_require"]["cli"]
        assert sorted(re.findall(r"^[A-Za-z0-9-]+", asked, re.MULTILINE)) == sorted(LIBRARIES)
        assert versions == table
        assert versions["ttcs-edge"] == __version__
        assert versions["python"] == sys.version.split()[0]
        assert all(re.match(r"\d+\.\d+|\d{4}", version) for version in versions.values())


class TestCheckConfig:
    """check-config, as a technician calls it."""

    def test_a_right_station_is_said_back(self, tmp_path: Path) -> None:
        """What was understood: the place, each relay with its pin, and the quiet hours or that there are none."""
        config = complete_station(tmp_path / "station", "ttcs")

        assert shown(run("check-config", "--config", config, "--lang", "en")) == (
            f"The configuration is right: {config}\n"
            "Station da-teh-01, scope vn/lam-dong/da-teh\n"
            "Pin 17: zone cho-xa (Chợ xã)\n"
            "Pin 4: the amplifier\n"
            "!! NO QUIET HOURS ARE SET (quiet_hours in station.yaml)\n"
        )
        config.write_text(config.read_text() + 'quiet_hours: ["21:00-05:00", "12:00-13:30"]\n')
        assert shown(run("check-config", "--config", config)) == (
            f"Cấu hình đúng: {config}\n"
            "Trạm da-teh-01, địa bàn vn/lam-dong/da-teh\n"
            "Chân 17: cụm loa cho-xa (Chợ xã)\n"
            "Chân 4: tăng âm\n"
            "Giờ nghỉ: 21:00-05:00, 12:00-13:30\n"
        )

    def test_zones_of_all_kinds_are_said_back(self, tmp_path: Path) -> None:
        """A line of the machine, a coil far away, the digits of a receiver: what is wired, or set, can be compared."""
        config = complete_station(tmp_path / "station", "ttcs")
        zones = (
            "  - {id: thon-5, name: Thôn 5, unit: 1, coil: 3}\n"
            '  - {id: buon-go, name: Buôn Go, open_code: "12*", close_code: "12#"}\n'
        )
        others = "rs485: {port: /dev/null}\ntransmitter: {key_pin: 12}\n"
        config.write_text(config.read_text().replace("amplifier:", zones + "amplifier:") + others)

        assert shown(run("check-config", "--config", config, "--lang", "en")).splitlines()[2:5] == [
            "Pin 17: zone cho-xa (Chợ xã)",
            "Unit 1, coil 3 on RS-485: zone thon-5 (Thôn 5)",
            "Code 12*: zone buon-go (Buôn Go)",
        ]
        assert shown(run("check-config", "--config", config)).splitlines()[2:5] == [
            "Chân 17: cụm loa cho-xa (Chợ xã)",
            "Bo 1, rơ-le 3 trên RS-485: cụm loa thon-5 (Thôn 5)",
            "Mã 12*: cụm loa buon-go (Buôn Go)",
        ]

    def test_a_microphone_is_said_back_with_its_pins_and_zones(self, tmp_path: Path) -> None:
        """What a technician has wired to which line."""
        config = complete_station(tmp_path / "station", "ttcs")
        config.write_text(config.read_text() + "microphone: {key_pin: 22, mixer_pin: 6}\n")

        lines = shown(run("check-config", "--config", config, "--lang", "en")).splitlines()
        assert lines[4:6] == [
            "Pin 22: the microphone's key, heard in cho-xa",
            "Pin 6: the relay that lets the microphone in",
        ]
        lines = shown(run("check-config", "--config", config)).splitlines()
        assert lines[4:6] == ["Chân 22: phím micrô, nghe ở cho-xa", "Chân 6: rơ-le đưa micrô vào tăng âm"]

    def test_a_key_that_could_not_be_looked_at_is_said(self, tmp_path: Path) -> None:
        """A credential that only root may read: no wrong comfort; with its file readable, there is nothing to say."""
        config = complete_station(tmp_path / "station", "ttcs")
        config.write_text(config.read_text().replace("key: station.key", "key: credential:station.key"))
        (config.parent / "identity").mkdir()
        key = config.with_name("station.key").rename(config.parent / "identity/station.key")

        assert "broker.key" not in shown(run("check-config", "--config", config, "--lang", "en"))
        key.chmod(0)
        done = run("check-config", "--config", config, "--lang", "en", by=AS_ANYBODY)

        assert shown(done).splitlines()[-1] == (
            "broker.key could not be checked: systemd hands it over when the station runs; try again with sudo"
        )

    def test_missing_files_are_told_with_their_lines(self, tmp_path: Path) -> None:
        """The file is right and the machine is not: exit code 78, both languages, and how many."""
        config = complete_station(tmp_path / "station", "ttcs")
        config.with_name("ca.pem").unlink()
        config.with_name("root.dsse.json").unlink()

        done = run("check-config", "--config", config, "--lang", "en")

        assert (done.returncode, done.stdout) == (78, "")
        assert f"{config}:6: broker.ca\n  Sai: Không có tệp được nêu\n" in done.stderr
        assert "\n  Wrong: The file that is named does not exist\n" in done.stderr
        assert done.stderr.endswith(f"\n\n{config}: 2 wrong\n")

    def test_a_key_behind_a_password_is_not_asked_for(self, tmp_path: Path) -> None:
        """A station has nobody to type a password: it is told, and no terminal is kept waiting."""
        config = complete_station(tmp_path / "station", "ttcs")
        key = config.with_name("station.key")
        key.write_bytes(encrypted_key())

        done = run("check-config", "--config", config, "--json")

        assert [(one["code"], one["found"]) for one in json.loads(done.stdout)["problems"]] == [("not-a-key", str(key))]

    def test_the_worked_example_lacks_nothing_but_its_files(self) -> None:
        """On a machine where nothing is installed, the example is told its three missing files and no mistake in it."""
        done = run("check-config", "--config", REPOSITORY / "config/station.yaml", "--json")

        problems = [(one["code"], one["key"]) for one in json.loads(done.stdout)["problems"]]
        assert [one for one in problems if one[1] != "pins.factory"] == [
            ("named-file-missing", "broker.ca"),
            ("named-file-missing", "broker.certificate"),
            ("named-file-missing", "folders.trust"),
        ]
        lines = [code for code, key in problems if key == "pins.factory"]
        assert lines in ([], ["gpio-closed"]) if list(Path("/dev").glob("gpiochip*")) else lines == ["no-gpio"]
