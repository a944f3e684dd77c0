"""The unit as systemd reads it."""

from __future__ import annotations

import subprocess
from pathlib import Path

UNIT = Path(__file__).parents[2] / "systemd/ttcs-edge.service"


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    """systemd-analyze verify, with programs that exist in the place of those that `make install` puts there."""
    text = UNIT.read_text().replace("/opt/ttcs-edge/bin/ttcs-edge-release", "/bin/true")
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace("/opt/ttcs-edge/bin/ttcs-edge", "/bin/true").replace("man:ttcs-edge(1)", "man:ls(1)"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
