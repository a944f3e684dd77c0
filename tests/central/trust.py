"""What the tests of ``ttcs-central trust`` share: a folder's commands, and its parts on machines of their own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.parts import Broker
from ttcs_edge.central.centre import open_centre
from ttcs_edge.central.main import main
from ttcs_edge.core.documents import TrustRoot

PLACE = "vn/lam-dong/da-teh"
SCOPE = "vn/lam-dong"


def trust(folder: Path, action: str, *more: str) -> int:
    """Run ``ttcs-central trust``."""
    return main(["trust", str(folder), action, *more, "--lang", "en"])


def publish(folder: Path, broker: Broker, *more: str) -> int:
    """Publish what waits, or the roots again."""
    return trust(folder, "publish", "--broker", f"127.0.0.1:{broker.port}", *more)


def rotate(folder: Path, broker: Broker, *wishes: str) -> int:
    """Draft, sign with all that is here, and publish, nobody being asked."""
    assert trust(folder, "draft", *wishes) == 0
    assert trust(folder, "sign") == 0
    return publish(folder, broker, "--yes")


def state(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> dict[str, Any]:
    """How it stands, as ``show --json`` tells it."""
    capfdbinary.readouterr()
    assert trust(folder, "show", "--json") == 0
    told: dict[str, Any] = json.loads(capfdbinary.readouterr().out)
    return told


def root(folder: Path) -> TrustRoot:
    """The root in force."""
    return open_centre(folder).trust.document


def names_of(folder: Path, role: str) -> list[str]:
    """The names of the keys that a role is granted to."""
    names = {key.keyid: key.name for key in open_centre(folder).settings.keys}
    return [names[key] for grant in root(folder).grants if grant.role == role for key in grant.keys]


def machine_of(folder: Path, target: Path, *names: str) -> Path:
    """Another machine: a copy of ``centre.yaml`` and ``trust``, and private keys, which leave the centre."""
    (target / "keys").mkdir(parents=True)
    shutil.copy(folder / "centre.yaml", target)
    shutil.copytree(folder / "trust", target / "trust")
    for name in names:
        shutil.move(folder / f"keys/{name}.pem", target / "keys")
    return target


def carry(source: Path, target: Path) -> None:
    """What was signed is carried from one machine to another."""
    shutil.copy(source / "trust/next.dsse.json", target / "trust/next.dsse.json")
