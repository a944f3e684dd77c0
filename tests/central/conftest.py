"""Fixtures: a centre made once by the command itself, copies of it, and a Mosquitto with the centre's certificates."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.enrolled import identity_of
from tests.parts import ROOT, STATION_YAML, Authority, Broker, Province, Station
from ttcs_edge.central.broker_rules import RIGHTS, rights
from ttcs_edge.central.centre import Centre, open_centre
from ttcs_edge.central.main import main
from ttcs_edge.core.model import Scope
from ttcs_edge.training.enrolled import enrolled
from ttcs_edge.wire.topics import Topics

MADE_UP = (
    *(f"da-teh-0{number}" for number in range(1, 10)),
    "bao-loc-01",
    "first",
    "late",
    "newcomer",
    "stranger",
)


class CentreAuthority(Authority):
    """The authority of a centre, as the test parts want one."""

    def __init__(self, centre: Centre, folder: Path) -> None:
        super().__init__(folder)
        self._pair = centre.authority
        self.ca_file = centre.folder / "ca.pem"


@pytest.fixture(scope="session")
def made_centre(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A centre as ``ttcs-central init`` makes it; audio that one test encoded need not be encoded again."""
    folder = tmp_path_factory.mktemp("central") / "lam-dong"
    assert main(["init", str(folder), "--scope", "vn/lam-dong", "--name", "Lâm Đồng"]) == 0
    return folder


def let_in(centre_folder: Path, broker: Broker) -> None:
    """Have a broker follow the centre's own access list, as it stands now, and nothing else."""
    if not (centre_folder / "servers/127.0.0.1.crt").exists():
        assert main(["server-certificate", str(centre_folder), "127.0.0.1"]) == 0
    assert main(["broker-config", str(centre_folder), "--broker", "127.0.0.1"]) == 0
    broker.follow(centre_folder / "broker" / RIGHTS)


@pytest.fixture
def centre_folder(made_centre: Path, tmp_path: Path) -> Path:
    """A centre of the test's own."""
    return Path(shutil.copytree(made_centre, tmp_path / "lam-dong"))


@pytest.fixture
def own_station(centre_folder: Path, own_broker: Broker, tmp_path: Path) -> Iterator[Station]:
    """A station as the centre enrols it, not yet started, on mock lines and a WAV file."""
    address = f"127.0.0.1:{own_broker.port}"
    command = ["add-station", str(centre_folder), "da-teh-01", "--scope", "vn/lam-dong/da-teh", "--broker", address]
    assert main(command) == 0
    let_in(centre_folder, own_broker)
    folder = tmp_path / "station"
    (folder / "run").mkdir(parents=True)
    enrolled(centre_folder, "da-teh-01", folder)
    station = Station(folder, own_broker, Province())
    tls = identity_of(folder)
    # Everything that says who it is and whom it believes is the centre's.
    station.config.write_text(STATION_YAML.format(id="da-teh-01", port=own_broker.port, folder=folder, **tls))
    yield station
    if station.process is not None:
        station.process.kill()
        station.process.wait()


@pytest.fixture
def own_broker(centre_folder: Path, tmp_path: Path) -> Iterator[Broker]:
    """A running Mosquitto whose certificates are the centre's.

    The operator has the rights that ``broker-config`` gives; whoever else a test makes up may do everything.
    """
    broker = Broker(tmp_path / "own-broker", CentreAuthority(open_centre(centre_folder), tmp_path / "certificates"))
    rules = rights(Topics(ROOT), Scope("vn/lam-dong"), [])
    (broker._folder / RIGHTS).write_text(rules + "".join(f"user {name}\ntopic readwrite #\n" for name in MADE_UP))
    broker.start()
    yield broker
    broker.stop()
