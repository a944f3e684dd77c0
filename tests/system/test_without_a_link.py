"""The main job without any link: a stick to the pole and back, then a link, and still each report counts once."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.central.conftest import CentreAuthority
from tests.cli.terminal import run
from tests.enrolled import identity_of
from tests.parts import STATION_YAML, Broker, Province, Station, eventually, local
from tests.system.sight import sound_runs, status
from ttcs_edge.central.centre import open_centre
from ttcs_edge.central.ledger import FILE
from ttcs_edge.central.main import main
from ttcs_edge.training.enrolled import enrolled

PLACE = "vn/lam-dong/da-teh"
SOON_S = 20
"""The stick must be at the pole by then."""


@pytest.fixture
def centre_folder(tmp_path: Path) -> Path:
    """A centre of the test's own, with one station."""
    folder = tmp_path / "lam-dong"
    assert main(["init", str(folder), "--scope", "vn/lam-dong", "--name", "Lâm Đồng"]) == 0
    return folder


def ledger(centre_folder: Path) -> dict[str, tuple[str, str]]:
    """What the centre keeps: the kind and the way of each report, by its id."""
    with sqlite3.connect(centre_folder / FILE) as database:
        rows = database.execute("SELECT id, kind, way FROM reports").fetchall()
    database.close()
    return {name: (kind, way) for name, kind, way in rows}


def test_a_bulletin_goes_by_stick_airs_on_time_and_is_counted_once_whatever_way_its_proof_takes(
    centre_folder: Path, tmp_path: Path
) -> None:
    """Published where the link ends, carried, aired, carried back twice, and then told over the broker as well."""
    authority = CentreAuthority(open_centre(centre_folder), tmp_path / "certificates")
    broker = Broker(tmp_path / "broker", authority)
    address = f"127.0.0.1:{broker.port}"
    assert main(["add-station", str(centre_folder), "da-teh-01", "--scope", PLACE, "--broker", address]) == 0
    station = install(centre_folder, broker, tmp_path / "station")
    stick = tmp_path / "usb"
    stick.mkdir()
    programme = tmp_path / "programme.yaml"
    start = local(SOON_S)
    programme.write_text(
        f"scope: {PLACE}\ntime_zone: Asia/Ho_Chi_Minh\nvalid_days: 1\n"
        "bulletins:\n  - {id: chao, title: Lời chào, text: Xin chào bà con.}\n"
        f"slots:\n  - {{id: ngay, start: {start}, bulletins: [chao]}}\n"
    )
    broker.start()
    assert main(["publish", str(centre_folder), str(programme), "--via-broker", "--broker", address]) == 0
    broker.stop()

    try:
        station.start()
        assert main(["export", str(centre_folder), PLACE, str(stick)]) == 0
        brought = run("import", stick, "--config", station.config)
        assert (brought.returncode, brought.stderr) == (0, "")
        assert status(station)["cache"]["stored_files"] == 1
        eventually(lambda: status(station).get("state") == "on-air", SOON_S + 10)
        eventually(lambda: status(station).get("state") == "idle", 20)
        eventually(lambda: carried_as_runs(station, stick), 20)
        assert main(["import-reports", str(centre_folder), str(stick)]) == 0
        assert main(["import-reports", str(centre_folder), str(stick)]) == 0
        carried = ledger(centre_folder)

        broker.start()
        words = ["watch", str(centre_folder), "--json", "--keep", "--for", "60", "--broker", address]
        command = [sys.executable, "-m", "ttcs_edge.central.main", *words]
        watching = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        eventually(lambda: status(station)["link_up"], 60)
        eventually(lambda: status(station)["outbox"]["depth"] == 0, 30)
        eventually(lambda: {way for _, way in ledger(centre_folder).values()} == {"broker"}, 20)
        watching.send_signal(signal.SIGINT)
        watching.wait(20)
        assert main(["import-reports", str(centre_folder), str(stick)]) == 0
        assert station.stop() == 0
    finally:
        broker.stop()
        if station.process is not None:
            station.process.kill()
            station.process.wait()

    assert [kind for kind, _ in carried.values()].count("as-run") == 1
    assert {way for _, way in carried.values()} == {"carried"}
    kept = ledger(centre_folder)
    assert kept.keys() >= carried.keys()
    assert [kind for kind, _ in kept.values()].count("as-run") == 1, "counted once, whatever ways it came"
    begun_ns = sound_runs(station)
    assert len(begun_ns) == 1, "and it sounded once"
    (aired,) = as_runs(centre_folder)
    assert (aired["outcome"], aired["reason"], aired["title"]) == ("aired", None, "Lời chào")
    planned, really = (datetime.fromisoformat(aired[name] or "") for name in ("planned_start", "start"))
    assert abs((really - planned).total_seconds()) < 0.1, "on time"


def install(centre_folder: Path, broker: Broker, folder: Path) -> Station:
    """Enrol the station, with mock lines and a WAV file in place of the pole."""
    (folder / "run").mkdir(parents=True)
    enrolled(centre_folder, "da-teh-01", folder)
    station = Station(folder, broker, Province())
    tls = identity_of(folder)
    station.config.write_text(STATION_YAML.format(id="da-teh-01", port=broker.port, folder=folder, **tls))
    return station


def carried_as_runs(station: Station, stick: Path) -> list[str]:
    """Take the reports onto the stick; gives the lines that tell of cues."""
    done = run("export-reports", stick, "--config", station.config, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    file = json.loads(done.stdout)["file"]
    lines = Path(file).read_text().splitlines() if file else []
    return [line for line in lines if json.loads(line)["kind"] == "as-run"]


def as_runs(centre_folder: Path) -> list[dict[str, str | None]]:
    """The as-run records that the centre keeps."""
    with sqlite3.connect(centre_folder / FILE) as database:
        rows = database.execute("SELECT body FROM reports WHERE kind = 'as-run'").fetchall()
    database.close()
    return [json.loads(row[0]) for row in rows]
