"""A person at a terminal: runs the commands, each as a process of its own, and reads what they say."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ttcs_edge.link.control import ControlServer

POWERS = "-dac_override,-dac_read_search"
AS_ANYBODY = ["setpriv", "--inh-caps", POWERS, "--bounding-set", POWERS] if os.geteuid() == 0 else []
"""Root without the power to pass over permissions; it owns its files like anybody else."""


def run(
    *words: str | Path, columns: int = 80, by: Sequence[str] = (), **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, its output piped; ``by`` is what starts it."""
    environment = {name: value for name, value in os.environ.items() if not re.match(r"LC_|LANG|NO_COLOR|CRED", name)}
    return subprocess.run(
        [*by, sys.executable, "-m", "ttcs_edge.cli.main", *map(str, words)],
        env=environment | {"COLUMNS": str(columns)} | environ,
        capture_output=True,
        timeout=30,
        encoding="utf-8",
        cwd="/",
    )


@contextmanager
def daemon(folder: Path, answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterator[Path]:
    """The daemon's end of the socket, with answers of the test; what comes with a file is answered alike."""
    path = folder / "control.sock"
    server = ControlServer(path, answer, lambda request, file, by: answer(request))
    yield path
    server.close()


def shown(done: subprocess.CompletedProcess[str]) -> str:
    """The output without the blanks that fill up lines."""
    assert (done.returncode, done.stderr) == (0, "")
    return "".join(line.rstrip() + "\n" for line in done.stdout.splitlines())


def on_terminal(*words: str | Path, code: int = 0, **environ: str) -> str:
    """Run a command on a pseudo-terminal and give what it wrote there."""
    controller, terminal = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    environment |= {"TERM": "xterm-256color", "COLUMNS": "100", "LC_ALL": "C.UTF-8"} | environ
    command = [sys.executable, "-m", "ttcs_edge.cli.main", *map(str, words)]
    process = subprocess.Popen(command, stdout=terminal, stderr=terminal, env=environment)
    os.close(terminal)
    told = bytearray()
    while True:
        try:
            part = os.read(controller, 65_536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        told += part
    os.close(controller)
    assert process.wait(30) == code
    return told.decode()
