"""A program of somebody else, run within bounds: of time, of processor time, of what it may write; behind all else.

It has a process group of its own, which is killed as a whole when its time is over or its work is not wanted any more.
Nothing of it goes through a shell. It runs at a lower priority than what makes the sound (``nice``).
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from msgspec import Struct

NICENESS = 10
ERROR_CHARS = 200
OUTPUT_BYTES = 1024 * 1024
FILE_BYTES = 128 * 1024 * 1024
"""How large a file may become. What a library of PulseAudio shares with a server counts, 64 MiB of it: espeak-ng makes
that even to write a file.
"""
_HANDED_ON = ("PATH", "PYTHONPATH")
_NO_SOUND_SERVER = {"PULSE_SERVER": "unix:/dev/null"}
"""Nobody here plays anything: none is looked for, and none started."""


class Ended(Struct, frozen=True):
    """How a program ended: its exit code (negative: the signal that killed it), what it printed, its last word."""

    code: int
    output: str
    error: str


class OutOfTimeError(Exception):
    """It was killed, because its time was over."""


class AbortedError(Exception):
    """It was killed, because nobody wants its work any more."""


def _file(folder: Path) -> IO[bytes]:
    """A file without a name, where the station may write: other folders may be full, or closed."""
    return tempfile.TemporaryFile(dir=folder)


def _step_back(session: int) -> None:
    """Put a session behind all others where the service manager lets nobody be nice: by a file, which it leaves open.

    That counts where the kernel divides a processor by sessions (sched(7), autogroup), and not by control groups.
    """
    try:
        os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0))
    except PermissionError:
        with suppress(OSError):  # it is over, or this kernel has none
            Path(f"/proc/{session}/autogroup").write_text(str(NICENESS))


class BoundedPrograms:
    """Runs one program at a time, on the caller's thread; ``abort`` is for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._aborted = False
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """What is run from here on is wanted, whatever was aborted before."""
        with self._lock:
            self._aborted = False

    def abort(self) -> None:
        """Kill what runs, and run nothing more until ``begin``."""
        with self._lock:
            self._aborted = True
            self._kill()

    def run(self, command: Sequence[str], *, given: str = "", until_mono_s: float, folder: Path) -> Ended:
        """Run a program in ``folder``, with a text to read from its standard input.

        Raises OutOfTimeError, AbortedError, FileNotFoundError when there is no such program, OSError.
        """
        left_s = until_mono_s - time.monotonic()
        if left_s <= 0:
            raise OutOfTimeError
        limits = [f"--fsize={FILE_BYTES}", f"--cpu={max(1, round(left_s * (os.cpu_count() or 1)))}", "--core=0"]
        environment = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
        environment |= {"LC_ALL": "C.UTF-8", "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), **_NO_SOUND_SERVER}
        with _file(folder) as text, _file(folder) as output, _file(folder) as error:
            text.write(given.encode("utf-8", "replace"))
            text.seek(0)
            with self._lock:
                if self._aborted:
                    raise AbortedError
                self._process = subprocess.Popen(  # noqa: S603 (a list of words, no shell; what is spoken goes by stdin)
                    ["prlimit", *limits, "nice", "-n", str(NICENESS), *command],  # noqa: S607 (by PATH, which is the service manager's)
                    stdin=text,
                    stdout=output,
                    stderr=error,
                    cwd=folder,
                    env=environment,
                    start_new_session=True,
                )
            _step_back(self._process.pid)
            try:
                code = self._wait(self._process, until_mono_s)
            finally:
                with self._lock:
                    self._kill()
                    self._process = None
            if code == 127:
                raise FileNotFoundError(command[0])
            output.seek(0)
            said = output.read(OUTPUT_BYTES).decode("utf-8", "replace")
            error.seek(max(0, os.fstat(error.fileno()).st_size - 4 * ERROR_CHARS))
            last = error.read().decode("utf-8", "replace").strip().splitlines()[-1:]
            return Ended(code, said, "".join(last)[-ERROR_CHARS:])

    def _wait(self, process: subprocess.Popen[bytes], until_mono_s: float) -> int:
        try:
            code = process.wait(max(0.0, until_mono_s - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise OutOfTimeError from None
        if self._aborted:
            raise AbortedError
        return code

    def _kill(self) -> None:
        """Kill the whole group, and wait for its head; the lock is held."""
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):  # it is over
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
