"""``ttcs-central audit``: who did what when, on a screen and as JSON; and a real station, from its box to the table."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.central.trails import PUBLISHER, everything, keep, life, reports, tamper
from tests.parts import Broker, Station, eventually
from ttcs_edge.central.centre import Centre, open_centre
from ttcs_edge.central.export import export
from ttcs_edge.central.ledger import opened_ledger
from ttcs_edge.central.main import main
from ttcs_edge.core.model import Scope
from ttcs_edge.store.database import Database

STATION = "da-teh-01"
PLACE = "vn/lam-dong/da-teh"


@pytest.fixture
def centre(centre_folder: Path) -> Centre:
    """A centre that has kept nothing yet."""
    return open_centre(centre_folder)


@pytest.fixture(autouse=True)
def vietnam(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own calendar."""
    monkeypatch.setenv("TZ", "Asia/Ho_Chi_Minh")
    __import__("time").tzset()


def shown(centre: Centre, *words: str, columns: int = 120, lang: str = "en") -> tuple[int, str, str]:
    """What the command says, as a process of its own, and its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "ttcs_edge.central.main", "audit", str(centre.folder), *words, "--lang", lang],
        env=os.environ | {"COLUMNS": str(columns), "TZ": "Asia/Ho_Chi_Minh"},
        capture_output=True,
        timeout=60,
        encoding="utf-8",
    )
    return done.returncode, done.stdout, done.stderr


def station_of(folder: Path) -> Path:
    """A station that has said one of each."""
    database = Database.open(folder)
    database.commit(everything(database.boot), STATION, 1_795_496_700_000)
    database.close()
    return folder


def test_a_whole_trail_tells_who_did_what_when(centre: Centre, tmp_path: Path) -> None:
    """The station itself, the keys that signed, a person at the box, and nobody known; a ``?`` where no clock was
    believed.
    """
    keep(centre, reports(station_of(tmp_path / "station")), {(STATION, 1): 4})
    code, page, errors = shown(centre)

    assert (code, errors) == (0, "")
    lines = page.splitlines()
    assert lines[0] == f"{STATION}: 4 entries, from 2026-11-24 12:00:00 to 2026-11-24 12:04:00; whole"
    assert [line.split("  ")[0] for line in lines[2:6]] == [
        "2026-11-24 12:00:00 ?",
        "2026-11-24 12:02:00",
        "2026-11-24 12:03:00",
        "2026-11-24 12:04:00",
    ]
    assert [line[22:].split("  ")[0] for line in lines[2:6]] == [
        " the station",
        f" {PUBLISHER[:8]}",
        " tuan (1000)",
        " nobody known",
    ]
    for line, what in zip(lines[2:5], ("software 0.1.0", "vn/lam-dong version 2", "audio ffffffffffff…"), strict=True):
        assert line.endswith(what)
    assert "Chain 1 began 2026-11-24 12:00:00: the first of this station" in page
    words = " ".join(page.split())
    assert "too few trusted signatures: 0, needed 1; 12 more refused: not-json" in words


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("columns", [40, 80, 200])
def test_no_terminal_is_too_narrow(centre: Centre, tmp_path: Path, columns: int, lang: str) -> None:
    """A phone's 40 columns hold every line but commands and hashes, which are to be copied."""
    keep(centre, reports(station_of(tmp_path / "station")), {(STATION, 1): 4})
    _, page, _ = shown(centre, columns=columns, lang=lang)

    assert max(len(line) for line in page.splitlines()) <= columns
    assert "tuan" in page


def test_what_is_missing_is_told_with_the_command_that_brings_it_back(centre: Centre, tmp_path: Path) -> None:
    """Exit code 69, and the numbers of the reports, not the links."""
    keep(centre, life(tmp_path / "station", 1, 2, 3), {(STATION, 1): 6})
    tamper(centre, f"DELETE FROM reports WHERE id = '{STATION}/1-u2'")
    code, page, _ = shown(centre, STATION, columns=200)

    assert code == 69
    assert "incomplete in 1 places" in page and "Missing: entries 2 to 2 of chain 1" in page
    assert f"  ttcs-central resend {centre.folder} {STATION} 3 3 --journal 1" in page.splitlines()


def test_what_was_changed_is_told_before_what_is_missing(centre: Centre, tmp_path: Path) -> None:
    """Exit code 65: it is the worse of the two."""
    keep(centre, life(tmp_path / "station", 1, 2, 3), {(STATION, 1): 8})
    tamper(
        centre,
        f"UPDATE reports SET body = CAST(replace(CAST(body AS TEXT), '\"version\":2', '\"version\":9') AS BLOB) "
        f"WHERE id = '{STATION}/1-u2'",
    )
    code, page, _ = shown(centre)

    assert code == 65
    assert f"!! Entry 2 of chain 1 ({STATION}/1-u2): its content was changed" in page
    assert "Entries from 4 on of chain 1 may be missing" in page


def test_json_tells_all_of_it(centre: Centre, tmp_path: Path) -> None:
    """Every entry with its place and its digest, and the newest to be written down elsewhere."""
    keep(centre, life(tmp_path / "station", 1, 2), {(STATION, 1): 4})
    code, page, _ = shown(centre, "--json")

    (one,) = json.loads(page)["stations"]
    assert (code, one["station"], one["whole"], one["count"], one["gaps"], one["changes"]) == (
        0,
        STATION,
        True,
        2,
        [],
        [],
    )
    assert [entry["link"] for entry in one["entries"]] == [1, 2]
    assert one["head"] == {"journal": 1, "link": 2, "digest": one["entries"][-1]["digest"]}


def test_since_leaves_out_what_is_older_and_verifies_it_all_the_same(centre: Centre, tmp_path: Path) -> None:
    """A change of long ago is not hidden by asking for today."""
    keep(centre, life(tmp_path / "station", 1, 1_441, 2_881), {(STATION, 1): 6})
    tamper(centre, f"DELETE FROM reports WHERE id = '{STATION}/1-u1'")
    code, page, _ = shown(centre, "--since", "2026-11-26", "--json")
    (one,) = json.loads(page)["stations"]

    assert ([entry["id"] for entry in one["entries"]], one["count"]) == ([f"{STATION}/1-u2881"], 2)
    assert (code, [(gap["first"], gap["last"]) for gap in one["gaps"]]) == (69, [(1, 1)])
    code, _, errors = shown(centre, "--since", "yesterday")
    assert (code, errors.splitlines()[0]) == (64, "Wrong use: --since: yesterday is no date like 2026-11-01")


def test_what_was_carried_by_hand_is_said_to_be(centre: Centre, tmp_path: Path) -> None:
    """Anybody could have written it: it is proof only once the station has said it over the broker."""
    keep(centre, life(tmp_path / "station", 1, 2), {(STATION, 1): 4})
    tamper(centre, "UPDATE reports SET way = 'carried' WHERE id LIKE '%-u2'")
    assert "; 1 of them carried by hand; whole" in shown(centre, columns=200)[1]


def test_a_station_of_which_nothing_is_kept_is_told(centre: Centre) -> None:
    """With how to begin keeping."""
    code, _, errors = shown(centre, STATION)
    assert code == 66 and "watch --keep" in errors


def test_an_entry_of_no_calendar_and_with_commands_for_the_terminal_is_shown_harmless(
    centre: Centre, tmp_path: Path
) -> None:
    """never-7: what is carried by hand says what it likes."""
    keep(centre, life(tmp_path / "station", 1), {(STATION, 1): 2})
    old, new = '"at":"2026-11-24T05:01:00.000Z"', '"at":"2026-99-24T99:00:00.000Z"'
    tamper(
        centre,
        f"UPDATE reports SET body = CAST(replace(replace(CAST(body AS TEXT), '{old}', '{new}'), "
        '\'"subject":"vn/lam-dong"\', \'"subject":"\\u001b[2Jvn"\') AS BLOB) WHERE kind = \'audit\'',
    )
    code, page, errors = shown(centre, "--since", "2026-11-01")

    assert (code, errors) == (65, "") and "\x1b" not in page and "2026-99-24" in page


def trail_of(centre: Centre) -> Sequence[dict[str, Any]]:
    """What the centre has kept of the station's trail, by its place."""
    with opened_ledger(centre) as ledger:
        entries = [json.loads(row.body) for row in ledger.trail(STATION)]
    return sorted(entries, key=lambda one: (one["journal"], one["link"]))


def test_a_real_station_tells_who_carried_what_in_and_the_centre_verifies_it(
    own_station: Station, own_broker: Broker, centre_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Daemon, broker and ledger: a start, a programme from a stick by the user who held it, garbage, and a stop."""
    centre = open_centre(centre_folder)
    from tests.central.test_carried import published

    published(centre, PLACE)
    stick = tmp_path / "usb"
    stick.mkdir()
    export(centre, Scope(PLACE), stick)
    watch = ["watch", str(centre_folder), "--broker", f"127.0.0.1:{own_broker.port}", "--json", "--keep"]
    watcher = subprocess.Popen(
        [sys.executable, "-m", "ttcs_edge.central.main", *watch, "--for", "60"], stdout=subprocess.DEVNULL
    )
    try:
        own_station.start()
        socket = str(own_station.folder / "run/control.sock")
        command = [sys.executable, "-m", "ttcs_edge.cli.main", "import", str(stick), "--socket", socket]
        eventually(lambda: subprocess.run(command, capture_output=True, check=False).returncode == 0, 30)
        own_station.stop()
        eventually(lambda: (centre_folder / "reports.db").exists(), 20)
        own_station.start()
        eventually(lambda: [one["deed"] for one in trail_of(centre)].count("started") == 2, 30)
    finally:
        watcher.terminate()
        watcher.wait(10)

    me = {"uid": os.getuid(), "name": pwd.getpwuid(os.getuid()).pw_name}
    told = [(one["deed"], one["what"], one["by"]) for one in trail_of(centre)]
    assert told == [
        ("started", "station", None),
        ("accepted", "programme", me),
        ("stopped", "station", None),
        ("started", "station", None),
    ]
    assert [one["link"] for one in trail_of(centre)] == [1, 2, 3, 4]
    assert main(["audit", str(centre_folder), STATION, "--lang", "en"]) == 0
    assert "whole" in capfd.readouterr().out
