"""The Debian package on a machine that has nothing but Debian: installed, updated, taken back, removed, purged."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rig.debs import build, building, newer
from tests.rig.machine import CACHE, Machine, alone, bare, machine
from tests.rig.pole import CONFIG, STATE, UNIT, Centre, Pole
from ttcs_edge import __version__
from ttcs_edge.store.migration import SCHEMA_VERSION

pytestmark = [pytest.mark.rig, pytest.mark.timeout(1800)]
NEWER = "9.8.7"
APT = "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --allow-downgrades"
LEFT = "find / -xdev -path /proc -prune -o -path /run/systemd -prune -o -print | grep -i ttcs || true"
WHAT_STAYS_WITH_DPKG = r"/var/(log|cache)/"


@dataclass(frozen=True)
class Built:
    """The packages of one release of Debian."""

    own: Path
    again: Path
    newer: Path
    """Of another version, and of another schema."""


@pytest.fixture(scope="module")
def built(release: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """This checkout, twice, and a newer one; the cache is held as long as they are used."""
    with alone():
        folder = tmp_path_factory.mktemp(f"debs-{release}")
        own, again = build(release, folder / "own"), build(release, folder / "again")
        yield Built(own, again, newer(own, folder, NEWER))


@pytest.fixture(scope="module")
def blank(release: str, built: Built) -> Iterator[Machine]:
    """A minimal Debian, with the packages in /root and nothing else."""
    with machine(CACHE / "package", [bare(release)]) as made:
        for name, path in (("own", built.own), ("newer", built.newer)):
            shutil.copy(path, made.root / f"root/{name}.deb")
        yield made


def test_the_same_sources_give_the_same_bytes(built: Built) -> None:
    """Whoever builds a release can see that it is the one that was proven."""
    assert built.own.read_bytes() == built.again.read_bytes()


def test_lintian_finds_no_error(release: str, built: Built) -> None:
    """Nor does shellcheck in the scripts that run as root."""
    with machine(CACHE / "lint", [building(release), bare(release)]) as one:
        shutil.copy(built.own, one.root / "root/own.deb")
        told = one.run("lintian", "--allow-root", "--fail-on=error", "/root/own.deb", check=False)
        one.shell(
            "dpkg-deb --control /root/own.deb /root/own && cd /root/own && shellcheck preinst postinst prerm postrm"
        )

    assert [line for line in told.stdout.splitlines() if line.startswith("E:")] == []
    assert told.returncode == 0, told.stderr


def test_the_life_of_a_package(blank: Machine, centre: Centre, tmp_path: Path) -> None:
    """In one go, for each step stands on the one before it: a machine's whole way, from nothing to nothing."""
    with_broker = BrokerlessPole(blank, centre)
    first_installation(blank)
    data = a_station_runs(with_broker)
    data_of_a_newer_release_is_not_touched(with_broker, data)
    removed_and_installed_again(with_broker)
    purged(blank)


class BrokerlessPole(Pole):
    """A station whose broker does not answer: it runs all the same."""

    def __init__(self, machine: Machine, centre: Centre) -> None:
        self.machine = machine
        self.centre = centre
        self.began_s = 0.0

    def stamps(self) -> str:
        """What nobody but the technician may change, and who may read it."""
        return self.machine.shell(
            "cd /etc/ttcs-edge && sha256sum station.yaml identity/*; stat -c '%U:%G %a %n' . tls trust"
        )


def first_installation(blank: Machine) -> None:
    """apt alone brings all it needs: no compiler, no question; nothing runs, and what comes next is told."""
    told = blank.shell(f"apt-get update -qq; {APT} /root/own.deb")

    assert "  1. ttcs-edge enrol " in told and "Đã cài ttcs-edge" in told
    packages = blank.run("dpkg-query", "--show", "--showformat=${Package}\n").stdout.split()
    assert [name for name in packages if re.match(r"gcc$|python3-dev|python3-pip|libasound2-dev|make-", name)] == []
    assert __version__ in blank.run("ttcs-edge", "version").stdout
    state = blank.run("systemctl", "show", UNIT, "--value", "--property=LoadState,ActiveState,UnitFileState").stdout
    assert state.split() == ["loaded", "inactive", "disabled"]
    assert blank.run("systemctl", "--failed", "--no-legend").stdout == ""
    cached = "/usr/lib/ttcs-edge/lib/python3*/site-packages/ttcs_edge/daemon/__pycache__/main.*.pyc"
    assert len(blank.shell(f"ls {cached}").split()) == 1, "a start compiles nothing"


def a_station_runs(pole: BrokerlessPole) -> str:
    """Enrolled and started; an installation over it starts it anew once and leaves what is the technician's."""
    pole.set_up()
    pole.machine.run("systemctl", "enable", "--now", UNIT)
    before, kept = pole.main_pid, pole.stamps()
    pole.machine.shell(f"{APT} --reinstall /root/own.deb")

    assert pole.is_active(not_pid=before)
    assert (pole.stamps(), pole.status()["boot"]) == (kept, 2)
    return kept


def data_of_a_newer_release_is_not_touched(pole: BrokerlessPole, kept: str) -> None:
    """An update goes on with config and data. The way back is refused before anything is changed: the schema grew."""
    pole.machine.shell(f"{APT} /root/newer.deb")
    assert (pole.status()["version"], pole.status()["boot"], pole.stamps()) == (NEWER, 3, kept)
    before = pole.main_pid
    back = pole.machine.run("sh", "-c", f"{APT} /root/own.deb", check=False)

    assert back.returncode != 0
    assert (
        f"ttcs-edge: release {__version__}-1~deb{debian(pole.machine)} cannot read the data of the newer one"
        f" ({SCHEMA_VERSION + 1} > {SCHEMA_VERSION}): keep that; nothing was changed" in back.stdout + back.stderr
    )
    assert (pole.main_pid, pole.status()["version"], pole.stamps()) == (before, NEWER, kept)
    assert pole.machine.run("dpkg", "--audit").stdout == ""
    # The same schema again: then the older release is installed over the newer one, and goes on with the data.
    pole.machine.shell(
        f'systemctl stop {UNIT}; setpriv --reuid=ttcs --regid=ttcs --clear-groups python3 -c "import sqlite3; '
        f"sqlite3.connect('{STATE}/ttcs.db').execute('PRAGMA user_version = {SCHEMA_VERSION}')\"; {APT} /root/own.deb"
    )
    assert not pole.is_active(), "what a technician stopped stays so"
    pole.start()
    assert (pole.status()["version"], pole.status()["boot"], pole.stamps()) == (__version__, 4, kept)


def removed_and_installed_again(pole: BrokerlessPole) -> None:
    """Removed, it is stopped and gone, config and data stay; installed again, it is the station that it was."""
    kept = pole.stamps()
    pole.machine.shell("apt-get remove -y -qq ttcs-edge")
    assert pole.machine.shell("ls -d /usr/lib/ttcs-edge /usr/bin/ttcs-edge 2>/dev/null || true") == ""
    assert pole.machine.run("systemctl", "show", UNIT, "--value", "--property=ActiveState").stdout.strip() == "inactive"
    assert pole.stamps() == kept
    pole.machine.shell(f"{APT} /root/own.deb")

    assert (pole.is_active(), pole.status()["boot"], pole.stamps()) == (True, 5, kept)


def purged(blank: Machine) -> None:
    """No file with its name is left, nor any file of its user's; the next installation is like the first."""
    blank.shell("apt-get purge -y -qq ttcs-edge")
    left = [name for name in blank.shell(LEFT).splitlines() if not re.match(WHAT_STAYS_WITH_DPKG, name)]
    assert left == []
    assert blank.shell("find / -xdev -user ttcs -o -xdev -nouser 2>/dev/null || true") == ""
    first_installation(blank)
    assert blank.run("test", "-e", CONFIG, check=False).returncode == 1


def debian(machine: Machine) -> str:
    """Its number, 12 or 13."""
    return machine.shell(". /etc/os-release && echo $VERSION_ID").strip()
