"""From ``ttcs-central init`` to the as-run record: the operator's commands and a real station, with nothing between."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.parts import STATION_YAML, Broker, Listener, Province, Station, eventually, local
from ttcs_edge.central.main import main


def test_what_the_operator_publishes_airs_on_a_station_that_the_operator_added(
    centre_folder: Path, own_broker: Broker, tmp_path: Path
) -> None:
    """The tar alone makes a station that connects, believes, fetches over the broker, airs, and tells it."""
    address = f"127.0.0.1:{own_broker.port}"
    command = ["add-station", str(centre_folder), "da-teh-01", "--scope", "vn/lam-dong/da-teh", "--broker", address]
    assert main(command) == 0
    folder = tmp_path / "station"
    (folder / "run").mkdir(parents=True)
    tar = centre_folder / "stations/da-teh-01.station.tar"
    subprocess.run(["tar", "-xf", tar, "-C", folder], check=True)
    station = Station(folder, own_broker, Province())
    tls = {"ca": folder / "tls/ca.pem", "certificate": folder / "tls/station.pem", "key": folder / "station.key"}
    # Mock lines and a WAV file in place of the pole; everything that says who it is and whom it believes is the tar's.
    station.config.write_text(STATION_YAML.format(id="da-teh-01", port=own_broker.port, folder=folder, **tls))
    listener = Listener(own_broker)
    station.start()
    try:
        file = tmp_path / "programme.yaml"
        file.write_text(
            "scope: vn/lam-dong/da-teh\ntime_zone: Asia/Ho_Chi_Minh\nvalid_days: 1\n"
            "bulletins:\n  - {id: chao, title: Lời chào, text: Xin chào bà con.}\n"
            f"slots:\n  - {{id: ngay, start: {local(5)}, bulletins: [chao]}}\n"
        )
        assert main(["publish", str(centre_folder), str(file), "--via-broker", "--broker", address]) == 0
        eventually(lambda: listener.reports("as-run"), 25)
        assert station.stop() == 0
    finally:
        listener.close()
        if station.process is not None:
            station.process.kill()
            station.process.wait()

    (aired,) = listener.reports("as-run")
    assert (aired["outcome"], aired["reason"], aired["title"], aired["programme_version"]) == (
        "aired",
        None,
        "Lời chào",
        1,
    )
    assert listener.reports("fault") == []
