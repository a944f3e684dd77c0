"""What the Debian package is made of, without building one; built and lived through: ``tests/rig/test_package.py``."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ttcs_edge import __version__
from ttcs_edge.store.migration import SCHEMA_VERSION

TOP = Path(__file__).parents[2]
DEB = TOP / "systemd/deb"
SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
SHELL = [
    *(DEB / name for name in (*SCRIPTS, "build")),
    *(TOP / "systemd" / name for name in ("fill", "install", "lay-out", "uninstall")),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a package for arm64 has beside its Python environment."""
    root = tmp_path_factory.mktemp("tree")
    lay_out: list[str | Path] = [TOP / "systemd/lay-out", "/usr/lib/ttcs-edge", "aarch64-linux-gnu", "/usr/lib", root]
    subprocess.run(lay_out, check=True)
    return root


def test_every_unit_is_in_the_package_and_names_programs_of_the_package(tree: Path) -> None:
    """One source for both ways of installing: a new unit is in both by lying in its folder."""
    ours = {path.name for path in (TOP / "systemd").glob("ttcs-edge*.*")}
    there = {path.name: path.read_text() for path in (tree / "usr/lib/systemd/system").iterdir()}

    assert set(there) == ours and len(ours) >= 7
    text = "".join(there.values())
    assert "/opt/" not in text and "x86_64" not in text
    assert {"ttcs-edge", "ttcs-edge-clock", "ttcs-edge-release", "python"} == set(
        re.findall(r"/usr/lib/ttcs-edge/bin/([\w-]+)", text)
    )
    assert "/usr/lib/aarch64-linux-gnu/vlc/plugins:/vlc" in there["ttcs-edge-player@.service"]


def test_the_package_brings_all_that_systemd_and_udev_are_to_read(tree: Path) -> None:
    """Files as they lie in the checkout; nothing in /etc, so no upgrade asks a technician anything."""
    there = {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file() and not path.is_symlink()}
    lib = ("journald.conf", "sysusers.conf", "tmpfiles.conf", "60-ttcs-edge.rules")
    placed = ("systemd/journald.conf.d/ttcs-edge.conf", "sysusers.d/ttcs-edge.conf", "tmpfiles.d/ttcs-edge.conf",
              "udev/rules.d/60-ttcs-edge.rules")  # fmt: skip

    for source, target in zip(lib, placed, strict=True):
        assert (tree / "usr/lib" / target).read_text() == (TOP / "systemd" / source).read_text()
    assert "usr/lib/ttcs-edge/share/ttcs-edge/config/station.yaml" in there, "the example"
    assert [name for name in there if not name.startswith("usr/lib/")] == []
    modules = [line for line in (TOP / "systemd/vlc-modules").read_text().splitlines() if not line.startswith("#")]
    assert all((tree / "usr/lib/ttcs-edge/share/ttcs-edge/vlc" / name).is_symlink() for name in modules)


def test_a_technicians_journald_conf_is_not_written_over(tmp_path: Path) -> None:
    """`make install` again leaves what he edited; the rest is brought up to date."""
    lay_out: list[str | Path] = [TOP / "systemd/lay-out", "/opt/ttcs-edge", "x86_64-linux-gnu", "/etc", tmp_path]
    subprocess.run(lay_out, check=True)
    journal, rules = (tmp_path / "etc" / name for name in (
        "systemd/journald.conf.d/ttcs-edge.conf", "udev/rules.d/60-ttcs-edge.rules"))  # fmt: skip
    journal.write_text("mine")
    rules.write_text("old")
    subprocess.run(lay_out, check=True)

    assert (journal.read_text(), rules.read_text()) == ("mine", (TOP / "systemd/60-ttcs-edge.rules").read_text())


def test_the_scripts_are_of_a_shell_that_every_station_has() -> None:
    """sh -n; of the maintainer scripts that stops at the first failure, too."""
    for script in SHELL:
        assert subprocess.run(["sh", "-n", script], capture_output=True, text=True).stderr == ""
        assert script.read_text().startswith("#!/bin/sh\n"), script
    assert [name for name in SCRIPTS if "\nset -e\n" not in (DEB / name).read_text()] == []


def test_the_build_reads_version_and_schema_where_the_program_has_them() -> None:
    """The two patterns of systemd/deb/build find them; a package with an empty one would refuse nothing."""
    (reader,) = re.findall(r"^release_of\(\) \{ (.*); \}$", (DEB / "build").read_text(), re.MULTILINE)
    for file, name, value in (
        ("__init__.py", "__version__", __version__),
        ("store/migration.py", "SCHEMA_VERSION", str(SCHEMA_VERSION)),
    ):
        found = subprocess.run(["sh", "-c", f"here={TOP}; {reader}", "sh", file, name], capture_output=True, text=True)
        assert found.stdout.strip() == value


def test_control_asks_for_nothing_that_builds_and_holds_every_blank() -> None:
    """What is filled in is what the build fills in; no compiler is asked for on a station."""
    control, build = (DEB / "control").read_text(), (DEB / "build").read_text()
    blanks = {blank for name in ("control", *SCRIPTS) for blank in re.findall(r"@[A-Z]+@", (DEB / name).read_text())}
    fields = dict(re.findall(r"^([\w-]+): (.*)$", control, re.MULTILINE))
    packages = [line for line in (TOP / "systemd/packages").read_text().splitlines() if not line.startswith("#")]

    assert blanks == set(re.findall(r"@[A-Z]+@", build))
    assert (fields["Package"], fields["Version"], fields["Section"]) == ("ttcs-edge", "@VERSION@", "net")
    assert "Conffiles" not in fields and not (DEB / "conffiles").exists()
    assert [name for name in packages if re.search(r"-dev$|^gcc|pip|venv", name)] == []
    makefile = re.search(r"^RUN_PACKAGES := (.*)$", (TOP / "Makefile").read_text(), re.MULTILINE)
    assert makefile and set(packages) - {"alsa-utils"} <= set(makefile[1].split())


def test_what_is_overridden_of_lintian_has_its_reason() -> None:
    """A comment before each."""
    lines = (DEB / "lintian-overrides").read_text().splitlines()
    assert [
        line for before, line in zip(["", *lines], lines, strict=False) if line[0] != "#" and before[:1] != "#"
    ] == []


def test_every_part_of_the_environment_names_its_licence() -> None:
    """As the copyright file of a package has it, from what is installed here."""
    asked: list[str | Path] = [sys.executable, DEB / "licences.py", "/usr/lib/ttcs-edge"]
    told = subprocess.run(
        asked, input=(DEB / "copyright").read_text(), capture_output=True, text=True, check=True
    ).stdout
    used = set(re.findall(r"^Copyright:.*\nLicense: (\S+)$", told, re.MULTILINE))
    given = set(re.findall(r"\n\nLicense: (\S+)\n ", told))

    assert used == given
    for name in ("cryptography", "numpy", "pyalsaaudio"):
        assert f"the authors of {name}, named in" in told
