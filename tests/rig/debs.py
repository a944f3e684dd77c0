"""Debian packages of this checkout, built in bare containers of their release.

bare -> building (compiler, lintian) -> this checkout, thrown away
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tests.rig.machine import CACHE, CHECKOUT, TOP, alone, bare, machine, put_checkout
from ttcs_edge import __version__
from ttcs_edge.store.migration import SCHEMA_VERSION

BUILD_PACKAGES = "gcc libc6-dev python3-dev python3-venv libasound2-dev dpkg-dev lintian shellcheck"
"""What the build needs, and what looks at its outcome."""


def building(release: str) -> Path:
    """The layer of what packages are built with, made once."""
    key = hashlib.sha256(BUILD_PACKAGES.encode()).hexdigest()[:12]
    layer = CACHE / f"{release}-building-{key}"
    if not layer.exists():
        for old in CACHE.glob(f"{release}-building-*"):
            shutil.rmtree(old)
        with machine(CACHE / f"{release}-tools", [bare(release)]) as one:
            one.shell(f"apt-get update -qq && apt-get install -y -qq --no-install-recommends {BUILD_PACKAGES}")
            one.power_off()
            one.close()
            one.own.rename(layer)
    return layer


def build(release: str, folder: Path) -> Path:
    """Build the package of this checkout in a bare container, and put it into a folder."""
    when = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=TOP, capture_output=True, text=True, check=True
    ).stdout
    folder.mkdir(parents=True, exist_ok=True)
    with machine(CACHE / f"{release}-build", [building(release), bare(release)]) as one:
        put_checkout(one.root)
        told = one.shell(f"SOURCE_DATE_EPOCH={when.strip()} {CHECKOUT}/systemd/deb/build /root/dist")
        return Path(shutil.copy(one.root / told.splitlines()[-1][1:], folder))


def newer(package: Path, folder: Path, version: str) -> Path:
    """A later release, with the schema that comes next: the package with both changed, quickly put together again."""
    tree = folder / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    (site,) = tree.glob("usr/lib/ttcs-edge/lib/python3*/site-packages/ttcs_edge")
    for path, old, new in (
        (tree / "DEBIAN/control", f"Version: {__version__}", f"Version: {version}"),
        (tree / "DEBIAN/preinst", f"ours={SCHEMA_VERSION}", f"ours={SCHEMA_VERSION + 1}"),
        (site / "__init__.py", __version__, version),
        (site / "store/migration.py", f"SCHEMA_VERSION = {SCHEMA_VERSION}", f"SCHEMA_VERSION = {SCHEMA_VERSION + 1}"),
        (site / "store/migration.py", "_STEPS[step](", f"step == {SCHEMA_VERSION} or _STEPS[step]("),
    ):
        assert old in path.read_text(), f"{path}: {old}"
        path.write_text(path.read_text().replace(old, new))
    made = folder / "newer.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", tree, made], check=True, stdout=-3)
    shutil.rmtree(tree)
    return made


if __name__ == "__main__":
    with alone():
        print(build(sys.argv[1], TOP / "dist"))
