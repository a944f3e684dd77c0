"""Files that must be whole or not there at all, also after a power cut: written aside, flushed, then renamed."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from ttcs_edge.durable import sync_folder

PRIVATE = 0o600
PUBLIC = 0o644


def write_new(path: Path, data: bytes, mode: int) -> None:
    """Make a file that must not be there yet. Raises FileExistsError when it is.

    The link is what refuses: it is one step, and the data are on the disk before it.
    """
    aside = _write_aside(path, data, mode)
    try:
        os.link(aside, path)
    finally:
        aside.unlink()
    sync_folder(path.parent)


def replace(path: Path, data: bytes, mode: int) -> None:
    """Put a file in the place of the one that may be there."""
    os.replace(_write_aside(path, data, mode), path)
    sync_folder(path.parent)


def _write_aside(path: Path, data: bytes, mode: int) -> Path:
    aside = path.with_name(f".{path.name}.{threading.get_native_id()}.part")
    aside.unlink(missing_ok=True)
    whole = False
    try:
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        whole = True
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        if not whole:
            aside.unlink(missing_ok=True)  # half a key is of use to nobody, and is a key
    return aside
