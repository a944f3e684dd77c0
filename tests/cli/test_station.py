"""The commands and a whole station, together: what the technician sees of the real thing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import run
from tests.cli.test_commands import STATUS
from tests.parts import Clip, Listener, Province, Station, eventually, local, make_programme, notify_socket
from ttcs_edge.core.documents import Bulletin, Slot
from ttcs_edge.locale.faults import fault_words

NIGHT = 'quiet_hours: ["21:00-05:00"]\n'


@pytest.fixture
def running(station: Station) -> Iterator[Station]:
    """A station started as a technician or the service manager starts it: ``ttcs-edge run``."""
    station.extra = NIGHT
    station.install()
    with notify_socket(station.folder) as told:
        environment = os.environ | {"NOTIFY_SOCKET": str(station.folder / "notify")}
        command = [sys.executable, "-m", "ttcs_edge.cli.main", "run", "--config", str(station.config)]
        with (station.folder / "log").open("ab") as log:
            station.process = subprocess.Popen(command, env=environment, stderr=log, cwd=station.folder)
        eventually(lambda: "READY=1" in told(), 15)
    yield station


def ask(station: Station, *words: str) -> Any:
    """A command's JSON."""
    done = run(*words, "--json", "--config", station.config)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_a_technician_follows_a_station_through_its_day(
    running: Station, centre: Listener, province: Province, clip: Clip
) -> None:
    """Started, asked, given a programme that would sound at night, asked again, stopped."""
    process = running.process
    assert process is not None
    command_line = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
    assert command_line[1:6] == [b"-P", b"-m", b"ttcs_edge.daemon", b"--config", str(running.config).encode()]
    status = ask(running, "status")
    assert status.keys() == STATUS.keys(), "what the screens are tested with is what a daemon answers"
    assert (status["station"], status["state"], status["relays"]) == (
        "da-teh-01",
        "idle",
        {"amplifier": False, "cho": False, "dinh": False},
    )

    bulletin = Bulletin(id="tin", title="Tiếp sóng đài huyện", audio=(clip.audio(),))
    slots = tuple(
        Slot(id=name, start=f"2026-01-01T{hour}:00", rrule="FREQ=DAILY", bulletins=("tin",))
        for name, hour in (("dem", "03:15"), ("trua", "11:30"))
    )
    programme = make_programme(bulletins=(bulletin,), slots=slots)
    centre.publish("ttcs/v1/scope/vn/lam-dong/programme", province.sign(programme))
    cues = eventually(lambda: ask(running, "schedule", "--days", "2")["cues"])
    assert {(cue["planned"][11:], tuple(cue["clashes"]), tuple(cue["zones"])) for cue in cues} == {
        ("03:15:00+07:00", ("quiet-hours",), ("cho", "dinh")),
        ("11:30:00+07:00", (), ("cho", "dinh")),
    }
    assert local(0)[:4] in cues[0]["planned"]

    shown = run("schedule", "--days", "2", "--config", running.config, "--lang", "en", columns=120)
    night = sum(cue["planned"][11:16] == "03:15" for cue in cues)
    assert "\nQuiet hours: 21:00-05:00\n" in shown.stdout
    assert f"!! IN QUIET HOURS: {night}\n" in shown.stdout
    assert shown.stdout.count("!! QUIET HOURS: will not sound") == night
    shown = run("status", "--config", running.config, "--lang", "en", columns=120)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "vn/lam-dong: version 1, 2 slots, expires " in shown.stdout
    assert re.search(
        r"^  (03:15|11:30)( [A-Z][a-z]+day \d\d-\d\d)? Tiếp sóng đài huyện; cho, dinh; audio not here yet$",
        shown.stdout,
        re.MULTILINE,
    )

    assert running.stop() == 0
    assert run("status", "--config", running.config).returncode == 69


def test_a_fault_of_a_station_is_shown_with_its_mend(running: Station, centre: Listener, province: Province) -> None:
    """A programme signed by a stranger: the technician reads what it is and what to do."""
    stranger = Province()
    programme = make_programme(bulletins=(), slots=())
    centre.publish("ttcs/v1/scope/vn/lam-dong/programme", stranger.sign(programme))
    fault = eventually(lambda: ask(running, "status")["faults"])[0]

    shown = " ".join(run("status", "--config", running.config, "--lang", "vi", columns=200).stdout.split())

    words = fault_words(fault["code"], fault["subject"], dict(fault["detail"]), "vi")
    assert fault["code"] == "not-enough-signatures"
    assert f"cảnh báo: {words.meaning}, từ " in shown
    assert f"Sửa: {words.mend}" in shown

    alone = " ".join(run("faults", "--config", running.config, "--lang", "vi", columns=200).stdout.split())
    assert f"Thường do: {words.cause} (not-enough-signatures) Sửa: {words.mend}" in alone
    (kept,) = eventually(lambda: ask(running, "faults", "--history"))
    assert (kept["code"], kept["subject"], kept["cleared"]) == (fault["code"], fault["subject"], None)
    assert run("log", "--config", running.config, "--lang", "en").stdout == "Nothing of that kind\n"


def test_a_station_tells_whose_word_it_believes(running: Station, province: Province) -> None:
    """Its root as the province signed it, and its own certificate."""
    trust = ask(running, "trust")

    assert (trust["root"]["version"], trust["root"]["expires"]) == (province.root.version, province.root.expires)
    granted = {(one["role"], one["scope"], tuple(one["keys"])) for one in trust["root"]["grants"]}
    assert granted == {(one.role, one.scope, one.keys) for one in province.root.grants}
    assert trust["certificate"]["begins_ms"] < trust["wall_ms"] < trust["certificate"]["ends_ms"]
    shown = run("trust", "--config", running.config, "--lang", "en", columns=120).stdout
    assert shown.startswith(f"Trust root {province.root.scope}, version 1\nissued ")


def test_run_tells_what_the_station_may_not_believe(station: Station) -> None:
    """A trust root that nobody of its own signed: exit code 78, and file, line, key and mend in both languages."""
    (station.folder / "trust/root.dsse.json").write_text("{}")

    done = run("run", "--config", station.config)

    assert (done.returncode, done.stdout) == (78, "")
    assert f"{station.config}:16: folders.trust\n  Sai: Gốc tin cậy không dùng được: not-an-envelope\n" in done.stderr
    assert (
        "\n  Mend: copy this file again, or have the province enrol the station anew: ttcs-edge enrol --again\n"
        in done.stderr
    )


def test_run_refuses_a_bad_configuration_in_both_languages(tmp_path: Path) -> None:
    """Exit code 78 and the whole message, through the very process that systemd started."""
    wrong = Path(__file__).parent.parent / "data/config/many-mistakes.yaml"

    done = run("run", "--config", wrong)

    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.replace(str(wrong), "station.yaml") == wrong.with_suffix(".txt").read_text()


def test_a_killed_daemon_leaves_a_technician_who_can_tell(running: Station) -> None:
    """After kill -9 the socket's file stays, and status says that the station is not running."""
    running.stop(signal.SIGKILL)

    done = run("status", "--config", running.config, "--lang", "en")

    assert (done.returncode, done.stdout) == (69, "")
    assert done.stderr.startswith("The station is not running")
