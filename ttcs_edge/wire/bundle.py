"""A bundle: programmes, audio and reports in a plain folder, carried by hand to and from stations without a link.

    ttcs/programme.vn.lam-dong.da-teh.json     the signed envelope of a scope, the same bytes as on the broker
    ttcs/trust.vn.lam-dong.json                the trust roots of a scope, one behind the other, as on the broker
    ttcs/audio/<sha256>                        what a programme names
    ttcs/reports/<station>.<when>.jsonl        what a station told, one report a line

Every name of a programme or of audio fits FAT32: small letters, none that a system reserves, at most 215 characters. It
is a plain folder and no archive: it may be looked at, a copy that broke off goes on where it was, and there is nothing
to unpack that could be a bomb. Nothing in it is believed. A station looks for the names that it can make
itself, and reads nothing else; what is a link, a device or a FIFO is refused; what verifies is the signatures in the
envelopes and the hashes of the audio, so the bundle needs no signature of its own.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ttcs_edge.core.model import Sha256

FOLDER = "ttcs"
"""Where on a stick a bundle lies, beside whatever else is there."""
AUDIO = "audio"
REPORTS = "reports"
REPORTS_SUFFIX = ".jsonl"
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class NotAFileError(OSError):
    """What stands under a name of a bundle is a link, a folder, a device or a FIFO."""


def programme_name(scope: str) -> str:
    """The name of a scope's envelope. No scope has a dot, so no two scopes share a name."""
    return f"programme.{scope.replace('/', '.')}.json"


def trust_name(scope: str) -> str:
    """The name of a scope's trust roots."""
    return f"trust.{scope.replace('/', '.')}.json"


def audio_name(sha256: Sha256) -> str:
    """The name of an audio file, from the bundle's folder."""
    return f"{AUDIO}/{sha256}"


def bundle_folder(path: Path) -> Path:
    """The bundle's own folder, of the path of a stick, or of the folder itself."""
    return path / FOLDER if path.name != FOLDER or (path / FOLDER).is_dir() else path


@contextmanager
def opened_bundle(path: Path) -> Iterator[int]:
    """Open the folder of a bundle, for ``open_file``. Raises OSError."""
    with _opened(bundle_folder(path)) as folder:
        yield folder


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    folder = os.open(path, _OPEN | os.O_DIRECTORY)
    try:
        yield folder
    finally:
        os.close(folder)


def open_file(folder: int, name: str) -> int:
    """Open a file of a bundle for reading, whatever was put under its name: no link is followed, no FIFO waited for.

    Raises FileNotFoundError, NotAFileError, or another OSError of the stick. The caller closes what is given.
    """
    *above, last = name.split("/")
    inner = os.dup(folder)
    try:
        for part in above:
            outer, inner = inner, _open(part, os.O_DIRECTORY, inner)
            os.close(outer)
        file = _open(last, os.O_NONBLOCK, inner)
    finally:
        os.close(inner)
    if not is_file(file):
        os.close(file)
        raise NotAFileError(errno.EINVAL, "Not a regular file", name)
    return file


def is_file(file: int) -> bool:
    """Tell whether a descriptor is that of a regular file."""
    return stat.S_ISREG(os.fstat(file).st_mode)


def read_whole(file: int, most_bytes: int) -> bytes:
    """Read a file from its start, at most one byte more than it may have. Raises OSError."""
    data = bytearray()
    while len(data) <= most_bytes and (part := os.pread(file, min(1 << 20, most_bytes + 1 - len(data)), len(data))):
        data += part
    return bytes(data)


def read_file(path: Path, most_bytes: int) -> bytes:
    """Read a file of a stick, as ``open_file`` opens one and ``read_whole`` reads it. Raises OSError."""
    with _opened(path.parent) as folder:
        file = open_file(folder, path.name)
        try:
            return read_whole(file, most_bytes)
        finally:
            os.close(file)


def _open(name: str, flags: int, folder: int) -> int:
    """Open what stands under a name, if it is of the kind that is meant: looked at first, for opening a device acts."""
    is_kind = stat.S_ISDIR if flags & os.O_DIRECTORY else stat.S_ISREG
    if not is_kind(os.lstat(name, dir_fd=folder).st_mode):
        raise NotAFileError(errno.EINVAL, "Not a regular file", name)
    return os.open(name, _OPEN | flags, dir_fd=folder)
