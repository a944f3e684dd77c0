"""A page that a technician wrote by hand, changed in single values."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.parts import MORTAL
from ttcs_edge.cli.station_page import changed, put_in_force
from ttcs_edge.config import ConfigError, read_config

EXAMPLE = (Path(__file__).parents[2] / "config/station.yaml").read_text()
NOW = datetime(2026, 12, 1, 16, 0, 0)
SWAPPED = {"zones[1].pin": 27, "zones[2].pin": 17}
ENVIRON = {"CREDENTIALS_DIRECTORY": "/run/credentials/ttcs-edge.service"}


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A station's page."""
    path = tmp_path / "station.yaml"
    path.write_text(EXAMPLE)
    return path


def test_two_poles_are_swapped_and_all_else_stays_to_the_letter() -> None:
    """Comments, order and keys of a person are kept: two lines of the file differ."""
    before, after = EXAMPLE.splitlines(), changed(EXAMPLE, SWAPPED).splitlines()

    differing = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert differing == [("    pin: 17", "    pin: 27"), ("    pin: 27", "    pin: 17")]


def test_a_comment_behind_a_value_and_a_name_with_marks_are_kept() -> None:
    """A longer value moves the comment, and takes nothing of it."""
    after = changed(EXAMPLE, {"sound.device": 'plughw:CARD="A"', "sound.driver": "wav", "zones[1].name": "Chợ: Đạ Tẻh"})

    assert '  device: "plughw:CARD=\\"A\\""\n' in after
    assert '  driver: "wav"                        # wav: ghi ra tệp' in after
    assert '    name: "Chợ: Đạ Tẻh"\n' in after


@pytest.mark.parametrize("key", ["zones[3].pin", "modem.port", "zones", "zones[1]"])
def test_a_key_that_holds_no_single_value_is_refused(key: str) -> None:
    """And none of the others is changed."""
    with pytest.raises(KeyError) as refused:
        changed(EXAMPLE, SWAPPED | {key: 5})
    assert refused.value.args == (key,)


def test_the_old_page_is_kept_beside_with_owner_and_mode(page: Path) -> None:
    """The station must be able to read the new one as it read the old."""
    page.chmod(0o640)
    kept = put_in_force(page, changed(EXAMPLE, SWAPPED), NOW, ENVIRON)
    assert kept == page.with_name("station.yaml.before-20261201-160000")
    assert kept.read_text() == EXAMPLE
    again = put_in_force(page, EXAMPLE, NOW, ENVIRON)
    assert again == page.with_name("station.yaml.before-20261201-160000-2")
    assert (page.read_text(), page.stat().st_mode & 0o777) == (EXAMPLE, 0o640)
    assert {path.name for path in page.parent.iterdir()} == {page.name, kept.name, again.name}


def test_the_same_page_again_and_a_first_one_keep_nothing(page: Path) -> None:
    """There is nothing to go back to."""
    assert put_in_force(page, EXAMPLE, NOW, ENVIRON) is None
    page.unlink()
    assert put_in_force(page, EXAMPLE, NOW, ENVIRON) is None
    assert [path.name for path in page.parent.iterdir()] == [page.name]
    assert read_config(page, ENVIRON)[1].station.id == "da-teh-01"


def test_a_wrong_page_leaves_the_old_one_in_force(page: Path) -> None:
    """It is told of the file that the person knows, and nothing is left beside."""
    with pytest.raises(ConfigError) as refused:
        put_in_force(page, changed(EXAMPLE, {"zones[1].pin": 16}), NOW, ENVIRON)
    assert {one.file for one in refused.value.problems} == {page}
    assert {one.code for one in refused.value.problems} == {"same-pin"}
    assert [path.name for path in page.parent.iterdir()] == [page.name]
    assert page.read_text() == EXAMPLE


DYING = (
    "import os, sys; left = [int(sys.argv[1])]"
    + MORTAL
    + """
for name in ("open", "fsync", "fchmod", "link", "replace", "unlink"):
    mortal(os, name)
from datetime import datetime
from pathlib import Path
from ttcs_edge.cli.station_page import put_in_force
put_in_force(Path(sys.argv[2]), sys.stdin.read(), datetime(2026, 12, 1, 16), {"CREDENTIALS_DIRECTORY": "/run"})
"""
)


def test_dying_at_any_step_leaves_one_whole_page(page: Path) -> None:
    """The old or the new; and once the new one is there, the old one is beside it."""
    new = changed(EXAMPLE, SWAPPED)
    seen = set[str]()
    for step in range(1, 30):
        for path in page.parent.iterdir():
            path.unlink()
        page.write_text(EXAMPLE)
        done = subprocess.run([sys.executable, "-c", DYING, str(step), str(page)], input=new, encoding="utf-8")
        seen.add(page.read_text())
        kept = [path.read_text() for path in page.parent.glob("station.yaml.before-*")]
        assert page.read_text() in (EXAMPLE, new)
        assert page.read_text() == EXAMPLE or kept == [EXAMPLE]
        if done.returncode == os.EX_OK:
            break
        assert done.returncode == 99
    assert (done.returncode, seen) == (os.EX_OK, {EXAMPLE, new})
