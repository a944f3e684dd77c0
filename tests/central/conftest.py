"""Fixtures: a centre made once by the command itself, copies of it, and a Mosquitto with the centre's certificates."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import Authority, Broker
from ttcs_edge.central.centre import Centre, open_centre
from ttcs_edge.central.main import main


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


@pytest.fixture
def centre_folder(made_centre: Path, tmp_path: Path) -> Path:
    """A centre of the test's own."""
    return Path(shutil.copytree(made_centre, tmp_path / "lam-dong"))


@pytest.fixture
def own_broker(centre_folder: Path, tmp_path: Path) -> Iterator[Broker]:
    """A running Mosquitto whose certificates are the centre's."""
    broker = Broker(tmp_path / "broker", CentreAuthority(open_centre(centre_folder), tmp_path / "certificates"))
    broker.start()
    yield broker
    broker.stop()
