"""What decodes strangers' files reads neither the station's key nor the daemon's memory."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ttcs_edge.player import hiding

TAKEN_OVER = """
import os, sys
from pathlib import Path
from ttcs_edge.player.hiding import hide

def tried(path):
    try:
        with open(path, "rb") as file:
            return len(file.read(1))
    except OSError as error:
        return type(error).__name__

secret, other, parent = sys.argv[1:]
assert hide(Path(secret).parent)
print(tried(secret), tried(other), tried(f"/proc/{parent}/mem"), tried(sys.executable))
print(tried("/proc/self/status"), tried("/etc/passwd"), tried(os.memfd_create("audio")))
Path(other).write_text("written")
"""


@pytest.mark.skipif(
    ctypes.CDLL(None).syscall(hiding.CREATE_RULESET, None, 0, 1) < 1, reason="this machine's kernel has no Landlock"
)
def test_who_takes_the_player_over_reads_no_credential_and_no_memory_of_the_daemon(tmp_path: Path) -> None:
    """All else is as it was: libraries, settings, files that were handed over, and the folders beside."""
    secret, other = tmp_path / "credentials/unit/station.key", tmp_path / "credentials/other/file"
    for path in (secret, other):
        path.parent.mkdir(parents=True)
        path.write_text("x")
    command = [sys.executable, "-c", TAKEN_OVER, str(secret), str(other), str(os.getpid())]
    done = subprocess.run(command, capture_output=True, text=True)

    assert done.stderr == ""
    assert done.stdout.split() == ["PermissionError", "1", "PermissionError", "1", "1", "1", "0"]
    assert other.read_text() == "written"


def test_a_kernel_that_cannot_hide_lets_the_player_play(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """ENOSYS: no such call."""
    monkeypatch.setattr(hiding, "CREATE_RULESET", 100_000)

    assert hiding.hide(tmp_path) is False
