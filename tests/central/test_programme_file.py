"""``programme.yaml``: every mistake is told with file, line, key, found, expected and mend, in both languages."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.core.material import at
from ttcs_edge.central.centre import open_centre
from ttcs_edge.central.errors import BadProgrammeFile
from ttcs_edge.central.main import main
from ttcs_edge.central.programme_file import PROGRAMME, read_programme_file
from ttcs_edge.core.documents import Slot, Stream
from ttcs_edge.locale import central as words
from ttcs_edge.yaml_form import Key, ListOf, Section

EXAMPLE = Path(__file__).resolve().parents[2] / "config/programme.yaml"
GOOD = """\
scope: vn/lam-dong/da-teh
time_zone: Asia/Ho_Chi_Minh
valid_days: 30
bulletins:
  - id: chao
    title: Lời chào
    text: Xin chào bà con.
slots:
  - id: sang
    start: 2026-12-01 05:30
    rrule: FREQ=DAILY
    bulletins: [chao]
"""


def written(folder: Path, text: str) -> Path:
    """A programme file."""
    file = folder / "programme.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def problems(file: Path) -> list[tuple[int, str, str, str]]:
    """Line, key, code and what was found, of every mistake."""
    with pytest.raises(BadProgrammeFile) as raised:
        read_programme_file(file)
    return [(one.line, one.key, one.code, one.found) for one in raised.value.problems]


def test_the_worked_example_is_good() -> None:
    """config/programme.yaml shows a daily, a weekly and a single slot, and every choice that a slot has."""
    draft = read_programme_file(EXAMPLE)

    assert [slot.rrule for slot in draft.slots] == ["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=SA", ""]
    assert [slot.if_interrupted for slot in draft.slots] == ["resume", "restart", "drop"]
    assert [slot.if_unplayable for slot in draft.slots] == ["earlier", "standing", "silence"]
    assert draft.standing == ("nhac-hieu",)
    assert {one.id: one.expires for one in draft.bulletins if one.expires} == {"tiem-phong": at("2027-01-30T17:00:00")}
    assert [slot.priority for slot in draft.slots] == [5, 5, 8]
    assert draft.slots[0].late_window_s == 1800
    assert [take.language for bulletin in draft.bulletins for take in bulletin.takes] == ["vi"] * 4 + ["en", "vi"]


def test_a_slot_is_read_whole(tmp_path: Path) -> None:
    """Every key of a slot reaches the document, and times become those of the wire."""
    slot = (
        "    rdate: [2027-01-01T06:00]\n    exdate: ['2026-12-02 05:30:00']\n    zones: [cho-xa]\n    priority: 7\n"
        "    volume_percent: 60\n    late_window_s: 900\n    if_interrupted: drop\n"
        "    if_unplayable: standing\n    live: thoi-su\n"
    )

    draft = read_programme_file(written(tmp_path, GOOD + slot))

    assert draft.slots == (
        Slot(
            id="sang",
            start="2026-12-01T05:30:00",
            bulletins=("chao",),
            rrule="FREQ=DAILY",
            rdate=("2027-01-01T06:00:00",),
            exdate=("2026-12-02T05:30:00",),
            zones=("cho-xa",),
            priority=7,
            volume_percent=60,
            late_window_s=900,
            if_interrupted="drop",
            if_unplayable="standing",
            live="thoi-su",
        ),
    )


def test_a_slot_may_name_a_stream(tmp_path: Path) -> None:
    """In place of a live relay."""
    stream = "    stream: {url: https://live.example.vn:8443/fm, most_minutes: 30}\n"
    (slot,) = read_programme_file(written(tmp_path, GOOD + stream)).slots
    assert slot.stream == Stream(url="https://live.example.vn:8443/fm", most_minutes=30)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("bulletins: [chao]", "bulletins: [chaoo]"), (12, "slots[1].bulletins[1]", "unknown-bulletin", "chaoo")),
        (
            ("text: Xin chào bà con.", "file: khong-co.wav"),
            (7, "bulletins[1].file", "named-file-missing", "khong-co.wav"),
        ),
        (("FREQ=DAILY", "FREQ=DAILI"), (11, "slots[1].rrule", "bad-rule", "FREQ=DAILI")),
        (("FREQ=DAILY", "FREQ=SECONDLY"), (11, "slots[1].rrule", "bad-rule", "FREQ=SECONDLY")),
        (("valid_days: 30", "valid_days: ba mươi"), (3, "valid_days", "wrong-type", "ba mươi")),
        (("valid_days: 30", "valid_days: 30\nvalid_days: 31"), (4, "valid_days", "duplicate-key", "valid_days")),
        (("valid_days: 30", "valid_day: 30"), (3, "valid_day", "unknown-key", "valid_day")),
        (("2026-12-01 05:30", "2026-02-30 05:30"), (10, "slots[1].start", "no-such-date", "2026-02-30 05:30")),
        (("2026-12-01 05:30", "5:30"), (10, "slots[1].start", "wrong-type", "5:30")),
        (("Asia/Ho_Chi_Minh", "Asia/Da_Lat"), (2, "time_zone", "no-such-time-zone", "Asia/Da_Lat")),
        (("vn/lam-dong/da-teh", "vn/Lâm Đồng"), (1, "scope", "malformed", "vn/Lâm Đồng")),
        (("    text: Xin chào bà con.\n", ""), (5, "bulletins[1]", "no-source", "")),
        (
            ("text: Xin chào bà con.", "text: Xin chào\n    file: a.wav"),
            (5, "bulletins[1]", "two-sources", "file, text"),
        ),
        (("slots:", "  - {id: chao, title: b, text: c}\nslots:"), (8, "bulletins[2].id", "same-id", "chao")),
        (
            ("text: Xin chào bà con.", "recordings: [{language: vi, text: a}, {language: vi, text: b}]"),
            (7, "bulletins[1].recordings[2].language", "same-language", "vi"),
        ),
        (("slots:", "standing: [chaoo]\nslots:"), (8, "standing[1]", "unknown-bulletin", "chaoo")),
        (
            ("text: Xin chào bà con.", "text: Xin chào\n    expires: 30-12-2026"),
            (8, "bulletins[1].expires", "malformed", "30-12-2026"),
        ),
        (
            ("bulletins: [chao]", "bulletins: [chao]\n    if_unplayable: nothing"),
            (13, "slots[1].if_unplayable", "not-one-of", "nothing"),
        ),
        (
            ("bulletins: [chao]", "bulletins: [chao]\n    stream: {url: http://a.vn/fm, most_minutes: 30}"),
            (13, "slots[1].stream.url", "malformed", "http://a.vn/fm"),
        ),
        (
            ("bulletins: [chao]", "bulletins: [chao]\n    live: a\n    stream: {url: https://a.vn/, most_minutes: 1}"),
            (14, "slots[1].stream", "live-and-stream", "live, stream"),
        ),
        (("bulletins: [chao]", "bulletins: [chao]\n    priority: 10"), (13, "slots[1].priority", "out-of-range", "10")),
    ],
)
def test_a_mistake_is_told_where_it_stands(
    tmp_path: Path, change: tuple[str, str], expected: tuple[int, str, str, str]
) -> None:
    """Each mistake names its line, its key and what was found there."""
    assert change[0] in GOOD

    assert expected in problems(written(tmp_path, GOOD.replace(*change, 1)))


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Three mistakes take one mending, not three."""
    text = GOOD.replace("30", "x", 1).replace("FREQ=DAILY", "DAILY").replace("[chao]", "[khac]")

    assert [(line, code) for line, _, code, _ in problems(written(tmp_path, text))] == [
        (3, "wrong-type"),
        (11, "bad-rule"),
        (12, "unknown-bulletin"),
    ]


def test_a_mistake_is_told_whole_in_both_languages(
    centre_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The operator reads where, what, found, expected and the mend; the exit code says that the data are bad."""
    file = written(tmp_path, GOOD.replace("[chao]", "[chap]"))

    assert main(["publish", str(centre_folder), str(file), "--via-broker", "--dry-run"]) == 65

    assert (
        capsys.readouterr().err
        == f"""\
{file}:12: slots[1].bulletins[1]
  Sai: Không có bản tin này
  Thấy: chap
  Cần: mã của một bản tin trong tệp này
  Sửa: có phải là chao?
  Wrong: There is no such bulletin
  Found: chap
  Expected: the id of a bulletin in this file
  Mend: did you mean chao?
Chương trình: 1 chỗ sai; chưa phát hành gì
Sửa những chỗ trên, rồi chạy lại
"""
    )


def test_a_bulletin_that_is_not_audio_costs_no_version(
    centre_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A text file, silence and a voice that is not there are each told with their line; nothing is numbered."""
    (tmp_path / "a.wav").write_text("this is no audio")
    silence = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "anullsrc", "-t", "1", str(tmp_path / "b.wav")]
    subprocess.run(silence, check=True)
    more = "  - {id: im, title: Im, file: b.wav}\n  - {id: la, title: Lạ, text: a, voice: khong-co}\nslots:"
    file = written(tmp_path, GOOD.replace("text: Xin chào bà con.", "file: a.wav").replace("slots:", more))

    assert main(["publish", str(centre_folder), str(file), "--via-broker", "--broker", "127.0.0.1:1"]) == 65

    told = capsys.readouterr().err
    places = [line for line in told.splitlines() if line.startswith(str(file))]
    assert places == [f"{file}:7: bulletins[1].file", f"{file}:8: bulletins[2].file", f"{file}:9: bulletins[3].text"]
    assert "  Wrong: espeak-ng has no voice khong-co\n" in told
    assert "  Wrong: It is silent, or shorter than 0.4 s (" in told
    assert "  Wrong: This is no audio that can be decoded: " in told
    assert open_centre(centre_folder).last_version("vn/lam-dong/da-teh") == 0


def test_a_programme_for_another_province_is_refused(
    centre_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The centre signs only for its own scope, and says on which line the other one stands."""
    file = written(tmp_path, GOOD.replace("vn/lam-dong/da-teh", "vn/lam-dongx"))

    assert main(["publish", str(centre_folder), str(file), "--via-broker", "--dry-run"]) == 65

    told = capsys.readouterr().err
    assert told.startswith(f"{file}:1: scope\n")
    assert "  Expected: vn/lam-dong or a scope below it\n" in told


def test_a_programme_of_which_every_bulletin_has_expired_is_refused_with_its_lines(
    centre_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Last year's file sent again would put silence in the place of what is in force; one good bulletin is enough."""
    old = GOOD.replace("    text: Xin", "    expires: 2025-12-01 18:00\n    text: Xin")
    more = "  - {id: tet, title: Tết, expires: 2025-02-01 00:00, text: Chúc mừng}\nslots:"
    file = written(tmp_path, old.replace("slots:", more))
    publish = ["publish", str(centre_folder), str(file), "--via-broker", "--dry-run"]

    assert main(publish) == 65
    told = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d\)", "NOW)", capsys.readouterr().err)
    assert (
        told
        == f"""\
{file}:7: bulletins[1].expires
  Sai: Bản tin này đã hết giá trị, và mọi bản tin khác cũng vậy: sẽ không phát gì cả
  Thấy: 2025-12-01 18:00
  Cần: một lúc sau bây giờ (NOW)
  Sửa: lùi ngày hết hạn, xóa khóa này, hoặc thay bản tin mới
  Wrong: This bulletin has expired, and so has every other: nothing would ever be heard
  Found: 2025-12-01 18:00
  Expected: a time later than now (NOW)
  Mend: set it later, delete this key, or put in a new bulletin

{file}:9: bulletins[2].expires
  Sai: Bản tin này đã hết giá trị, và mọi bản tin khác cũng vậy: sẽ không phát gì cả
  Thấy: 2025-02-01 00:00
  Cần: một lúc sau bây giờ (NOW)
  Sửa: lùi ngày hết hạn, xóa khóa này, hoặc thay bản tin mới
  Wrong: This bulletin has expired, and so has every other: nothing would ever be heard
  Found: 2025-02-01 00:00
  Expected: a time later than now (NOW)
  Mend: set it later, delete this key, or put in a new bulletin
Chương trình: 2 chỗ sai; chưa phát hành gì
Sửa những chỗ trên, rồi chạy lại
"""
    )
    written(tmp_path, old.replace("slots:", more.replace("2025", "2037")))
    assert main(publish) == 0


def test_a_large_programme_is_read(tmp_path: Path) -> None:
    """A thousand slots, well over what a station.yaml may hold."""
    slots = "".join(
        f"  - {{id: s{n}, start: 2026-12-01 05:30, bulletins: [chao], volume_percent: 80}}\n" for n in range(1000)
    )

    assert len(read_programme_file(written(tmp_path, GOOD + slots)).slots) == 1001


def keys(section: Section) -> list[Key]:
    """Every key of a section and of the sections below it."""
    found = []
    for key in section.keys:
        kind = key.kind.of if isinstance(key.kind, ListOf) else key.kind
        found += [key, *(keys(kind) if isinstance(kind, Section) else [])]
    return found


def test_every_expectation_has_its_words() -> None:
    """No key's kind expects what the tables of words do not name."""
    assert [key.name for key in keys(PROGRAMME) if key.kind.expected.code not in words.EXPECTED] == []
