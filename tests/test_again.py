"""The gate's second look: whom it believes, and whom it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import again

PATIENT = """
from pathlib import Path

def test_a_wait_that_ends_too_soon():
    assert Path("quiet").exists()
"""
BROKEN = """
def test_a_wrong_sum():
    assert 1 + 1 == 3
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project of its own."""
    monkeypatch.chdir(tmp_path)
    Path("pytest.ini").write_text("[pytest]\n")


def ran(group: str, *tests: str) -> None:
    """A group whose tests have run as the gate runs them."""
    folder = Path(group)
    folder.mkdir()
    for number, text in enumerate(tests):
        (folder / f"test_{group}_{number}.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-o", f"cache_dir=build/tests/{group}", group]
    code = subprocess.run(command, check=False, capture_output=True).returncode
    (again.GROUPS / f"{group}.exit").write_text(f"{code}\n")


def test_what_only_a_busy_machine_broke_is_told_by_name_and_held_against_nobody(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """It passes alone."""
    ran("link", PATIENT)
    ran("others", "def test_two(): pass")
    Path("quiet").touch()

    assert again.main(["link", "others"]) == 0
    told = capfd.readouterr().out
    assert told.startswith(
        "beside all others, 1 failed; each once more, alone:\n  link/test_link_0.py::test_a_wait_that_ends_too_soon\n"
    )
    assert "1 passed" in told


def test_what_is_broken_is_broken_alone(capfd: pytest.CaptureFixture[str]) -> None:
    """One of two passes, the other does not."""
    ran("link", PATIENT, BROKEN)
    Path("quiet").touch()

    assert again.main(["link"]) == 1
    assert "1 failed, 1 passed" in capfd.readouterr().out


def test_many_failures_are_no_matter_of_the_machine(capfd: pytest.CaptureFixture[str]) -> None:
    """Not one of them is tried again."""
    ran("link", PATIENT, PATIENT)
    ran("others", PATIENT, PATIENT)
    Path("quiet").touch()

    assert again.main(["link", "others"]) == 1
    assert capfd.readouterr().out == "4 tests failed, more than 3: they are not tried alone\n"


@pytest.mark.parametrize("code", [None, "1", "2", "3", "5", "137"])
def test_a_group_that_did_not_come_to_its_end_has_failed(code: str | None, capfd: pytest.CaptureFixture[str]) -> None:
    """It was killed, found no tests or could not read them: it has told of no test that failed."""
    ran("others", PATIENT)
    Path("quiet").touch()
    if code is not None:
        (again.GROUPS / "link.exit").write_text(code)

    assert again.main(["others", "link"]) == 1
    assert capfd.readouterr().out == "tests-link did not come to its end\n"
