"""A class: what a trainee gets points for, and what the trainer's screen says."""

from __future__ import annotations

import io
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.cli.terminal import run
from ttcs_edge.locale.training import MESSAGES
from ttcs_edge.training.command import Screen
from ttcs_edge.training.lesson import Lesson, Mended
from ttcs_edge.training.school import ZONES, School
from ttcs_edge.training.troubles import PARTS, TROUBLES, part_of


@pytest.mark.parametrize(
    ("taken_s", "wrong", "points"), [(0, 0, 100), (180, 0, 100), (199, 0, 99), (180, 1, 75), (180, 4, 0), (9_999, 0, 0)]
)
def test_wrong_parts_cost_more_than_time(taken_s: int, wrong: int, points: int) -> None:
    """And nobody has less than nothing."""
    assert Mended("line-cut", "line-cho", taken_s, wrong).points == points


def test_a_trouble_ends_with_the_right_part_and_a_wrong_one_is_counted() -> None:
    """The points of a class are the mean of its troubles."""
    lesson = Lesson()
    assert lesson.points == 0
    lesson.begin("line-cut", "line-cho", 100.0)
    assert lesson.name("link", 110.0) is None
    assert lesson.trouble == "line-cut"
    assert lesson.name("line-cho", 130.4) == Mended("line-cut", "line-cho", 30, 1)
    assert lesson.trouble is None
    lesson.begin("flood", "nothing", 200.0)
    assert lesson.name("nothing", 201.0) == Mended("flood", "nothing", 1, 0)
    assert lesson.points == 88


def test_every_trouble_has_its_words_and_a_part_that_may_be_named() -> None:
    """In each zone."""
    assert {part_of(name, zone) for name in TROUBLES for zone in ZONES} <= set(PARTS)
    lacking = [f"{kind}.{name}" for name in TROUBLES for kind in ("trouble", "said", "look") if
               f"{kind}.{name}" not in MESSAGES]  # fmt: skip
    assert lacking == []


class Poles:
    """Something that can be broken, in place of a school."""

    def __init__(self) -> None:
        self.pole = SimpleNamespace(cut=set(), shorted=set(), dead=False)
        self.air = SimpleNamespace(cut=False, foreign=None)


class Always(random.Random):
    """The last of what there is."""

    def choice(self, seq: Any) -> Any:
        """The last."""
        return seq[-1]


@pytest.fixture
def poles() -> Poles:
    """All whole."""
    return Poles()


def held(poles: Poles, typed: str, monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A class in which this is typed."""
    screen = Screen(cast(School, poles), "vi", Always())
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    screen.run()
    return screen


def test_a_class_from_the_telephone_to_the_points(
    poles: Poles, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who finds it out hears what somebody says, never what it is; a wrong part mends nothing."""
    screen = held(poles, "1\n2\nr\n5\n", monkeypatch)
    told = capsys.readouterr().out
    assert poles.pole.cut == {"thon-5"}
    assert told.split("> ")[1:4] == [
        "☎ Có người gọi: loa gần nhà tôi im cả buổi.\n",
        "Mỗi lần một sự cố: sửa xong đã (r).\n",
        "Học viên sửa gì?\n  1  dây cụm Chợ\n  2  dây cụm Đình\n  3  dây cụm Thôn 5\n  4  tăng âm\n"
        "  5  đường truyền\n  6  máy thu bị chiếm sóng\n  7  không sửa gì cả\n",
    ]
    assert "Không phải: đường truyền vẫn tốt. Tìm tiếp." in told

    monkeypatch.setattr("sys.stdin", io.StringIO("r\n3\nd\n"))
    screen.run()
    assert poles.pole.cut == set()
    assert "✔ đứt dây một cụm loa: 0 giây, 1 lần sai, 75 điểm\nCách tìm: " in capsys.readouterr().out


@pytest.mark.parametrize("typed", ["8\n", "r\n", "xyz\n", "-1\n", "１\n", "1 2\n", "", "q\n5\n"])
def test_what_is_not_understood_breaks_nothing(poles: Poles, typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does leaving."""
    screen = held(poles, typed, monkeypatch)
    assert (screen.lesson.trouble, poles.pole.cut, poles.air.foreign) == (None, set(), None)


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    """A class is made anew each time; somebody's letters are no class."""
    (tmp_path / "letters").write_text("dear")
    done = run("simulate", "--folder", tmp_path, "--lang", "en")
    assert (done.returncode, (tmp_path / "letters").read_text()) == (73, "dear")
    assert done.stderr == (
        f"There are other files in {tmp_path}: they are left alone\nChoose another folder: --folder\n"
    )
