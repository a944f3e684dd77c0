"""`monitor_screen`: what the live screen sends to a phone, and what it costs the processor, while a bulletin plays: its
progress and its level change at every look, once a second.

Floor: a bare Textual app that writes the same two lines as often. ``bytes_a_minute`` (goal 20,000) and ``cpu_percent``
(goal 3 % of a core) are of the minute behind the start; ``floor_`` the same of the bare app. ``ratio`` is of the bytes
of each second.
"""

from __future__ import annotations

import copy
import fcntl
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import Any

from tests.bench.report import report
from tests.cli.terminal import daemon
from tests.cli.test_commands import STATUS

SETTLES_S = 8.0
SECONDS = 60
BARE = """
from textual.app import App
from textual.widgets import Static
class Bare(App):
    count = 0
    def compose(self):
        yield Static(id="progress"); yield Static(id="level")
    def on_mount(self):
        self.set_interval(1, self.look)
    def look(self):
        self.count += 1
        self.query_one("#progress").update(f"[={'.' * 19}] 0:{self.count % 60:02}/3:05")
        full = (self.count * 7) % 20
        self.query_one("#level").update(f"[{'#' * full}{'.' * (20 - full)}] -{full:02} dB")
app = Bare(ansi_color=True)
app.run(mouse=False)
"""


def answering() -> Any:
    """A station on which a bulletin plays, louder and quieter."""
    looks = 0

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        nonlocal looks
        if request["ask"] != "status":
            return {"time_zone": "Asia/Ho_Chi_Minh", "reports": [], "next": None}
        looks += 1
        status = copy.deepcopy(STATUS)
        status["on_air"] |= {"position_ms": looks * 1_000, "rms_db": -10.0 - (looks * 7) % 25}
        return status

    return answer


def cpu_s(pid: int) -> float:
    """What a process has used so far. Source: proc(5), stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def watched(*words: str) -> tuple[list[float], float]:
    """The bytes of each second on a phone's terminal, and the share of a core, in percent."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 40, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    environment |= {"TERM": "xterm-256color"}
    command = [sys.executable, *words]
    process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment)
    os.close(terminal)
    os.set_blocking(controller, False)
    time.sleep(SETTLES_S)  # no test: what a start draws is not measured
    read(controller)
    sent, before_s = [], cpu_s(process.pid)
    for _ in range(SECONDS):
        time.sleep(1.0)  # no test: the second that is measured
        sent.append(float(read(controller)))
    used_percent = 100 * (cpu_s(process.pid) - before_s) / SECONDS
    process.kill()
    process.wait()
    os.close(controller)
    return sent, used_percent


def read(controller: int) -> int:
    """How many bytes have come since."""
    count = 0
    try:
        while data := os.read(controller, 65_536):
            count += len(data)
    except BlockingIOError:
        pass
    return count


def main() -> None:
    """Both, one after the other."""
    with tempfile.TemporaryDirectory() as name, daemon(Path(name), answering()) as socket:
        ours, ours_percent = watched("-m", "ttcs_edge.cli.main", "monitor", "--socket", str(socket))
        floor, floor_percent = watched("-c", BARE)
    told = {"bytes_a_minute": round(sum(ours)), "floor_bytes_a_minute": round(sum(floor))}
    shares = {"cpu_percent": round(ours_percent, 2), "floor_cpu_percent": round(floor_percent, 2)}
    report("monitor_screen", "bytes", floor, ours, **told, **shares)


if __name__ == "__main__":
    main()
