"""Pins that are put right by who stands under the poles."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from ttcs_edge.cli.errors import CommandError
from ttcs_edge.cli.walk_pins import mend
from ttcs_edge.config import load_config

PAGE = Path(__file__).parents[2] / "config/station.yaml"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A station with two zones, on pins 17 and 27."""
    path = tmp_path / "station.yaml"
    path.write_text(PAGE.read_text())
    return path


def typed(words: str, page: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Answer so, in English."""
    monkeypatch.setattr("sys.stdin", io.StringIO(words))
    return mend(page, "en")


def pins(page: Path) -> list[int]:
    """The pins of both zones."""
    config = load_config(page)
    return [config.pins.zones[zone.id].pin for zone in config.station.zones]


def test_two_poles_that_are_changed_over_change_their_pins(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All else of the page stays to the letter, and the old one is kept."""
    before = page.read_text()
    assert typed("x\n2\n1\n", page, monkeypatch) == 0
    assert pins(page) == [27, 17]
    (kept,) = page.parent.glob("station.yaml.before-*")
    assert kept.read_text() == before
    crossed = before.replace("pin: 17", "pin: 0").replace("pin: 27", "pin: 17").replace("pin: 0", "pin: 27")
    assert page.read_text() == crossed
    assert capsys.readouterr().out == (
        "When Chợ xã was tried, which pole sounded?  1 Chợ xã  2 Buôn Go  0 none  (Enter: Chợ xã)\n"
        "> x: a number from 0 to 2\n"
        "When Chợ xã was tried, which pole sounded?  1 Chợ xã  2 Buôn Go  0 none  (Enter: Chợ xã)\n"
        "> When Buôn Go was tried, which pole sounded?  1 Chợ xã  2 Buôn Go  0 none  (Enter: Buôn Go)\n"
        ">   zones[2].pin: 17\n"
        "  zones[1].pin: 27\n"
        f"{page} is mended; the old one is {kept}. Run: sudo systemctl restart ttcs-edge, then ttcs-edge walk\n"
    )


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ("\n\n", 0, "Every pin is that of its pole."),
        ("1\n1\n", 1, "Not clear: Chợ xã, Buôn Go."),
        ("0\n\n", 1, "Something did not sound"),
    ],
)
def test_what_is_right_or_in_doubt_changes_nothing(
    words: str, code: int, says: str, page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says so."""
    assert typed(words, page, monkeypatch) == code
    assert says in capsys.readouterr().out
    assert (page.read_text(), list(page.parent.iterdir())) == (PAGE.read_text(), [page])


def test_who_leaves_in_the_middle_has_changed_nothing(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is cut behind the first answer."""
    with pytest.raises(CommandError, match="pins-unsaid"):
        typed("2\n", page, monkeypatch)
    assert page.read_text() == PAGE.read_text()


def test_a_zone_that_is_on_no_line_is_mended_by_hand(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A coil far away has no pin to change."""
    page.write_text(page.read_text().replace("    pin: 27\n    active_high: true\n", "    unit: 1\n    coil: 0\n"))
    with page.open("a") as file:
        file.write("rs485: {port: /dev/null}\n")
    with pytest.raises(CommandError, match="pins-elsewhere"):
        typed("2\n1\n", page, monkeypatch)
