"""What a process may do: run in the place of the daemon, with all that its unit gives and takes. One JSON object."""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

FAMILIES = ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET", "AF_ALG", "AF_VSOCK", "AF_BLUETOOTH")
CALLS = {
    "x86_64": {"init_module": 175, "ptrace": 101, "mount": 165, "bpf": 321, "reboot": 169, "setpriority": 141},
    "aarch64": {"init_module": 105, "ptrace": 117, "mount": 40, "bpf": 280, "reboot": 142, "setpriority": 140},
}
CLONE_NEWUSER = 0x10000000
LIBC = ctypes.CDLL(None, use_errno=True)


def word(action: Callable[[], object]) -> str:
    """``ok``, or the name of the error."""
    try:
        action()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))
    return "ok"


def call(*arguments: int) -> None:
    """Make a system call by its number. Raises OSError."""
    if LIBC.syscall(*(ctypes.c_long(one) for one in arguments)) < 0:
        raise OSError(ctypes.get_errno(), "")


def another_namespace() -> None:
    """A user namespace, in which one may do anything. Raises OSError."""
    if LIBC.unshare(CLONE_NEWUSER) < 0:
        raise OSError(ctypes.get_errno(), "")


def speak(family: str) -> None:
    """A socket of a family. Raises OSError."""
    socket.socket(getattr(socket, family), socket.SOCK_DGRAM).close()


def send(address: str) -> None:
    """One packet to an address. Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.sendto(b"x", (address, 9))


def writable() -> Iterator[str]:
    """Every topmost folder into which a file can be put, tried."""
    for folder, names, _ in os.walk("/"):
        if folder.startswith("/proc"):
            names.clear()
        elif word(partial(put, Path(folder))) == "ok":
            names.clear()
            yield folder


def put(folder: Path) -> None:
    """Make a file and remove it. Raises OSError."""
    path = folder / ".probe"
    path.touch()
    path.unlink()


def devices() -> Iterator[str]:
    """Every device that can be opened."""
    for folder, _, names in os.walk("/dev"):
        for path in (Path(folder, name) for name in names):
            if word(partial(use, path)) == "ok":
                yield str(path)


def use(path: Path) -> None:
    """Open a device. Raises OSError."""
    mode = path.lstat().st_mode
    if not stat.S_ISCHR(mode) and not stat.S_ISBLK(mode):
        raise OSError(errno.ENODEV, "no device")
    os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY))


def run_what_it_wrote(folder: Path) -> None:
    """A program of its own. Raises OSError."""
    path = folder / "program"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    try:
        subprocess.run([path], check=True)
    finally:
        path.unlink()


def mapped() -> None:
    """Memory that is written and run. Raises OSError."""
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def ctypes_calls_back() -> list[int]:
    """What libvlc and libasound do: C calls Python, from a thread of its own too."""
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    values = (ctypes.c_int * 3)(3, 1, 2)
    sort = threading.Thread(target=LIBC.qsort, args=(values, 3, 4, compare(lambda a, b: a[0] - b[0])))
    sort.start()
    sort.join()
    return list(values)


def fields(path: str) -> dict[str, str]:
    """Lines of a file of /proc, by their names."""
    return dict(line.split(":", 1) for line in Path(path).read_text().splitlines() if ":" in line)


def whatever_the_unit() -> dict[str, Any]:
    """What is asked of every unit of ours."""
    status = fields("/proc/self/status")
    return {
        "writable": sorted(writable()),
        "devices": sorted(devices()),
        "families": {name: word(partial(speak, name)) for name in FAMILIES},
        "calls": {name: word(partial(call, number, 0, 0, 0)) for name, number in CALLS[os.uname().machine].items()},
        "namespace": word(another_namespace),
        "write and run": word(mapped),
        "calls back": ctypes_calls_back(),
        "capabilities": {name: int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")},
        "no new privileges": int(status["NoNewPrivs"]),
        "filtered": int(status["Seccomp"]),
    }


def main() -> None:
    """Try it all."""
    from ttcs_edge.drivers import kernel_clock
    from ttcs_edge.drivers.journal import SystemJournal
    from ttcs_edge.drivers.speech import Voices
    from ttcs_edge.settings import SpeechSettings

    found = whatever_the_unit() | {
        "addresses": {address: word(partial(send, address)) for address in ("127.0.0.1", "239.1.1.1")},
        "/dev/mem": word(lambda: os.open("/dev/mem", os.O_RDONLY)),
        "/dev/kmsg": word(lambda: os.open("/dev/kmsg", os.O_RDONLY)),
        "own program": word(lambda: run_what_it_wrote(Path.cwd())),
        "core": limits()["Max core file size"],
        "kernel asked": kernel_clock.asked(),
        "kernel said": kernel_clock.said(),
        "name": socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)[0][4][0],
        "meminfo": "MemAvailable" in fields("/proc/meminfo"),
        "strangers": [pid for pid in os.listdir("/proc") if pid == "1"],
        "journal": SystemJournal().last(3, 4_096).count("\n"),
        "voice": Voices(SpeechSettings(), Path.cwd() / "speech").speak("Lũ quét lúc 17h30.", "vi").voice,
        "key": Path(os.environ["CREDENTIALS_DIRECTORY"], "station.key").read_text().splitlines()[0],
    }
    print(json.dumps(found), file=sys.stdout, flush=True)


def limits() -> dict[str, list[str]]:
    """Soft and hard limits, by their names."""
    lines = Path("/proc/self/limits").read_text().splitlines()[1:]
    return {line[:26].strip(): line[26:].split()[:2] for line in lines}


if __name__ == "__main__":
    main()
