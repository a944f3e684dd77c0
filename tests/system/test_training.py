"""A class on the real thing: each trouble shows in what the station itself says, and is gone when it is mended."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.parts import eventually
from ttcs_edge.core.model import ZoneId
from ttcs_edge.training.school import School
from ttcs_edge.training.troubles import TROUBLES

CHO = ZoneId("cho")


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """A class that has begun."""
    one = School(tmp_path_factory.mktemp("class") / "lop")
    one.begin()
    yield one
    one.close()


def trainee(school: School, *words: str) -> str:
    """A command as a trainee types it, in the window that he was told to open."""
    line = f". {school.window}; exec {sys.executable} -m ttcs_edge.cli.main {' '.join(words)} --lang en"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, cwd="/", env=os.environ, timeout=60)
    return done.stdout + done.stderr


def codes(school: School) -> set[str]:
    """The open faults."""
    return {fault["code"] for fault in school.status()["faults"]}


def test_a_station_of_a_class_is_well_and_asked_by_the_everyday_commands(school: School) -> None:
    """The trainee's window alone makes the difference."""
    assert codes(school) == set()
    assert "tram-tap" in trainee(school, "status")
    assert "0 wrong" in trainee(school, "doctor")


def test_a_cut_line_is_found_by_walking_along_the_poles(school: School) -> None:
    """The meter does not rise there, though the amplifier is heard by the monitor."""
    trouble = TROUBLES["line-cut"]
    trouble.breaks(school, CHO)
    walk = ("walk", "--now", "--seconds", "3", "cho")  # refused while a bulletin is due
    eventually(lambda: "Something is wrong in: Chợ" in trainee(school, *walk), 60)
    trouble.mends(school, CHO)
    eventually(lambda: "Every zone is heard" in trainee(school, *walk), 60)


def test_a_stranger_on_the_air_is_a_fault_with_a_recording(school: School) -> None:
    """Until the receiver is switched off."""
    trouble = TROUBLES["hijack"]
    trouble.breaks(school, CHO)
    eventually(lambda: "off-air-foreign" in codes(school))
    assert "off-air-foreign" in trainee(school, "faults")
    trouble.mends(school, CHO)


def test_a_lost_link_is_found_by_doctor_step_by_step(school: School) -> None:
    """At the port; and the station goes on."""
    trouble = TROUBLES["no-link"]
    trouble.breaks(school, CHO)
    eventually(lambda: not school.status()["link_up"])
    told = trainee(school, "doctor")
    assert "X  Broker's port" in told.partition("Mend this first:")[2]
    trouble.mends(school, CHO)
    eventually(lambda: school.status()["link_up"], 60)


def test_a_flood_takes_the_air_and_nothing_is_to_be_mended(school: School) -> None:
    """In every zone."""
    TROUBLES["flood"].breaks(school, CHO)
    eventually(lambda: (school.status()["on_air"] or {}).get("title", "").startswith("Cảnh báo lũ quét"))
    assert school.status()["zones_closed"] == ["cho", "dinh", "thon-5"]


def running() -> Iterator[str]:
    """The command line of every process."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")


def test_what_a_class_leaves_behind_is_no_process(tmp_path: Path) -> None:
    """Neither a broker nor a daemon, whoever leaves it."""
    command = [
        sys.executable,
        "-m",
        "ttcs_edge.cli.main",
        "simulate",
        "--no-speakers",
        "--folder",
        str(tmp_path / "lop"),
    ]
    done = subprocess.run(command, input="q\n", capture_output=True, text=True, timeout=90)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "> Điểm: 0 (0 sự cố)")
    assert [line for line in running() if str(tmp_path) in line] == []
