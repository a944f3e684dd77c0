"""Eyes, ears and hands of the rig on the machine under test: ``agent.py PORT LINES SOUND LISTENING``.

It watches the lines of a simulated gpiochip from outside of whoever drives them, listens to the other end of a sound
loop, and does what it is told. One JSON object a line each way through PORT: ``run`` a command, ``ask`` the daemon,
``put`` a tar over the file system. What it saw and heard it tells with its monotonic clock.
"""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import os
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOOK_EVERY_S = 0.01
COMMAND_S = 280
CONTROL = "/run/ttcs-edge/control.sock"
FRAME_BYTES = 2
QUIET_DB = -60.0
AGAIN_S = 0.5
ANSWER_BYTES = 16 * 1024 * 1024


class Agent:
    """At the machine's end of the port."""

    def __init__(self, port: str) -> None:
        self._fd = os.open(port, os.O_RDWR)
        self._lock = threading.Lock()

    def tell(self, **words: Any) -> None:
        """Say something to the rig."""
        data = json.dumps(words).encode() + b"\n"
        with self._lock:
            while data:
                data = data[os.write(self._fd, data) :]

    def serve(self) -> None:
        """Do what the rig says, for ever."""
        heard = b""
        while True:
            piece = os.read(self._fd, 65_536)
            if not piece:  # nobody is at the other end
                time.sleep(AGAIN_S)
            *lines, heard = (heard + piece).split(b"\n")
            for line in lines:
                if line:
                    threading.Thread(target=self._obey, args=(json.loads(line),), daemon=True).start()

    def _obey(self, told: dict[str, Any]) -> None:
        try:
            answer = self._done(told)
        except Exception as error:
            answer = {"code": 255, "out": "", "err": repr(error)}
        self.tell(id=told["id"], **answer)

    def _done(self, told: dict[str, Any]) -> dict[str, Any]:
        if "put" in told:
            with tarfile.open(fileobj=io.BytesIO(base64.b64decode(told["put"]))) as tree:
                tree.extractall("/")
            return {"code": 0, "out": "", "err": ""}
        if "ask" in told:
            return {"code": 0, "out": asked(told["ask"]), "err": ""}
        environment = {**os.environ, "LANG": "C.UTF-8"}
        done = subprocess.run(
            told["run"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=COMMAND_S, env=environment
        )
        return {"code": done.returncode, "out": done.stdout, "err": done.stderr}

    def watch(self, lines: Mapping[str, str]) -> None:
        """Tell of every line that changes its level."""
        files = {name: os.open(path, os.O_RDONLY) for name, path in lines.items()}
        levels = dict.fromkeys(files, "0")
        while True:
            for name, file in files.items():
                level = os.pread(file, 1, 0).decode()
                if level != levels[name]:
                    levels[name] = level
                    self.tell(line=name, level=int(level), mono_ns=time.monotonic_ns())
            time.sleep(LOOK_EVERY_S)

    def listen(self, device: str, listening: Any) -> None:
        """Tell of every tenth of a second with a sound in it."""
        size = listening.WINDOW_FRAMES * FRAME_BYTES
        record = ["arecord", "-q", "-D", device, "-f", "S16_LE", "-r", str(listening.RATE_HZ), "-c", "1", "-t", "raw"]
        while True:
            ear = subprocess.Popen(record, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            assert ear.stdout is not None
            while len(data := ear.stdout.read(size)) == size:
                at_ns = time.monotonic_ns() - 100_000_000
                for _, level_db, hertz in listening.windows(data):
                    if level_db > QUIET_DB:
                        self.tell(level_db=level_db, hertz=hertz, mono_ns=at_ns)
            ear.wait()  # the card was pulled out
            time.sleep(AGAIN_S)


def asked(question: dict[str, Any]) -> str:
    """The daemon's answer, or nothing."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as daemon:
            daemon.settimeout(10)
            daemon.connect(CONTROL)
            daemon.sendall(json.dumps(question).encode() + b"\n")
            with daemon.makefile() as answer:
                return answer.readline(ANSWER_BYTES)
    except OSError:
        return ""


def main(port: str, lines: str, device: str, module: str) -> None:
    """Begin. ``lines`` is a folder of names, each a link to where a level can be read."""
    spec = importlib.util.spec_from_file_location("listening", module)
    assert spec is not None and spec.loader is not None
    listening = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(listening)
    agent = Agent(port)
    agent.tell(hello=Path("/proc/sys/kernel/random/boot_id").read_text().strip(), mono_ns=time.monotonic_ns())
    watched = {path.name: str(path) for path in Path(lines).iterdir()}
    threading.Thread(target=agent.watch, args=(watched,), daemon=True).start()
    threading.Thread(target=agent.listen, args=(device, listening), daemon=True).start()
    agent.serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
