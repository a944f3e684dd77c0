"""Audio files, each named by its SHA-256. A name in the folder means: whole, and with that hash.

A file is written as ``<sha256>.part``, checked, synced and renamed, and the folder is synced. It is checked again each
time it is read to be aired: the bytes that were hashed are the bytes that are played, because they are copied into a
sealed memory file on the way (never-1, decision 3).
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import threading
from collections.abc import Mapping, Set
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Sha256, VerifiedAudio, is_sha256
from ttcs_edge.durable import sync_folder
from ttcs_edge.settings import StoreSettings

COPY_BYTES = 1024 * 1024
_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


class BlobError(Exception):
    """An audio file is not there, not what it should be, or has no room. ``code`` is a fault code."""

    def __init__(self, code: str, sha256: str, **detail: str) -> None:
        super().__init__(f"{code} {sha256}")
        self.code = code
        self.detail = tuple(detail.items())


class Partial:
    """A file on its way in. Bytes are appended from ``offset``; ``finish`` puts it under its name."""

    def __init__(self, folder: Path, sha256: Sha256, size_bytes: int) -> None:
        self.sha256 = sha256
        self.size_bytes = size_bytes
        self._target = folder / sha256
        self._path = folder / f"{sha256}.part"
        self._file = self._path.open("ab")
        self.offset = self._file.tell()
        if self.offset > size_bytes:
            self.restart()

    def write(self, data: bytes) -> None:
        """Append. Raises BlobError ``too-large`` beyond the size that was signed, ``store-full`` without room."""
        if self.offset + len(data) > self.size_bytes:
            self.discard()
            raise BlobError("too-large", self.sha256, expected=str(self.size_bytes))
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise _full(error, self.sha256) from error
        self.offset += len(data)

    def restart(self) -> None:
        """Throw away what is there and begin at 0."""
        self._file.truncate(0)
        self.offset = 0

    def finish(self) -> None:
        """Check size and hash and make the file visible. Raises BlobError ``short`` or ``wrong-hash``."""
        if self.offset != self.size_bytes:
            raise BlobError("short", self.sha256, found=str(self.offset), expected=str(self.size_bytes))
        with self._path.open("rb") as written:
            found = hashlib.file_digest(written, "sha256").hexdigest()
        if found != self.sha256:
            self.discard()
            raise BlobError("wrong-hash", self.sha256, found=found, expected=self.sha256)
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _full(error, self.sha256) from error
        self._file.close()
        self._path.replace(self._target)
        sync_folder(self._target.parent)

    def close(self) -> None:
        """Leave the part where it is, to be resumed."""
        self._file.close()

    def discard(self) -> None:
        """Remove what is there."""
        self._file.close()
        self._path.unlink(missing_ok=True)
        self.offset = 0


_NOTHING: Mapping[Sha256, Path] = {}


class Blobs:
    """The audio of a station. One thread writes what is fetched, one puts what is made here; any thread may read.

    ``built_in`` are files that the installation brings: they are always there, and never removed. What came inside an
    alert is held in memory (``hold``): it waits for no card, and comes again with its alert after a start.
    """

    def __init__(self, folder: Path, settings: StoreSettings, built_in: Mapping[Sha256, Path] = _NOTHING) -> None:
        self._folder = folder
        self._built_in = built_in
        self._held: dict[Sha256, bytes] = {}
        self._holding = threading.Lock()
        self._settings = settings
        with suppress(OSError):  # on a card that cannot be written there is nothing yet
            folder.mkdir(parents=True, exist_ok=True)

    def have(self) -> frozenset[Sha256]:
        """The hashes of all that is whole."""
        return frozenset({*(Sha256(entry.name) for entry in self._whole()), *self._built_in, *self._held})

    def has(self, sha256: Sha256) -> bool:
        """Tell whether one file is whole. Raises OSError."""
        return sha256 in self._built_in or sha256 in self._held or (self._folder / sha256).exists()

    def hold(self, sha256: Sha256, data: bytes) -> bool:
        """Keep audio in memory; False when there is no room for it (``LIMITS.held_bytes``)."""
        with self._holding:
            if sum(map(len, self._held.values())) + len(data) > LIMITS.held_bytes:
                return False
            self._held[sha256] = data
            return True

    def let_go(self, keep: Set[Sha256]) -> None:
        """Drop what is held and no longer wanted."""
        with self._holding:
            self._held = {sha256: data for sha256, data in self._held.items() if sha256 in keep}

    def put(self, data: bytes) -> Sha256:
        """Put on the card what was made here, where there is room for it; what was held of it in memory is let go.

        Raises BlobError ``store-full`` or ``store-failing``.
        """
        sha256 = Sha256(hashlib.sha256(data).hexdigest())
        made = self._folder / f"{sha256}.made"
        try:
            for left in self._folder.glob("*.made"):
                left.unlink(missing_ok=True)
            if not self._fits(len(data)):
                raise BlobError("store-full", sha256, expected=f"<= {self._settings.audio_bytes} B")
            with made.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            made.replace(self._folder / sha256)
            sync_folder(self._folder)
        except OSError as error:
            raise _full(error, sha256) from error
        with self._holding:
            self._held.pop(sha256, None)
        return sha256

    def _whole(self) -> list[os.DirEntry[str]]:
        try:
            return [entry for entry in os.scandir(self._folder) if is_sha256(entry.name)]
        except OSError:  # not made yet, or a card that gives nothing any more
            return []

    def begin(self, sha256: Sha256, size_bytes: int) -> Partial:
        """Begin a file, or go on with what of it is there."""
        try:
            return Partial(self._folder, sha256, size_bytes)
        except OSError as error:
            raise _full(error, sha256) from error

    def open_verified(self, sha256: Sha256) -> VerifiedAudio:
        """Read a file into a sealed memory file while hashing it. The caller owns, and closes, its ``fd``.

        Raises BlobError: ``missing``; ``rotten`` when the bytes lost their hash, and then the file is removed.
        """
        path = self._built_in.get(sha256) or self._folder / sha256
        held = self._held.get(sha256)
        try:
            source: BinaryIO = path.open("rb") if held is None else BytesIO(held)
        except OSError as error:
            raise BlobError("missing", sha256, error=str(error)) from error
        digest, size_bytes = hashlib.sha256(), 0
        fd = os.memfd_create(sha256[:16], os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            with source, os.fdopen(os.dup(fd), "wb") as copy:
                while data := source.read(COPY_BYTES):
                    digest.update(data)
                    copy.write(data)
                    size_bytes += len(data)
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
            if digest.hexdigest() != sha256:
                if held is None and sha256 not in self._built_in:
                    path.unlink(missing_ok=True)
                raise BlobError("rotten", sha256, found=digest.hexdigest())
        except OSError as error:
            os.close(fd)
            raise BlobError("rotten", sha256, error=str(error)) from error
        except BlobError:
            os.close(fd)
            raise
        if held is not None or sha256 in self._built_in:
            return VerifiedAudio(sha256, size_bytes, fd)
        with suppress(OSError):  # a card that turned read-only must not keep it silent: only eviction asks for this
            os.utime(path)
        return VerifiedAudio(sha256, size_bytes, fd)

    def read(self, sha256: Sha256) -> bytes:
        """Give a file's bytes, checked against its hash. Raises BlobError as ``open_verified`` does."""
        audio = self.open_verified(sha256)
        with os.fdopen(audio.fd, "rb") as file:
            file.seek(0)
            return file.read()

    def make_room(self, needed_bytes: int, keep: Set[Sha256]) -> bool:
        """Evict what is not to be kept, the longest unused first, until a file of this size fits; tell whether it does.

        Parts of files that nobody wants any more go first.
        """
        for part in self._folder.glob("*.part"):
            if part.name.removesuffix(".part") not in keep:
                part.unlink(missing_ok=True)
        if self._fits(needed_bytes):
            return True
        evictable = [entry for entry in self._whole() if entry.name not in keep]
        evictable.sort(key=lambda entry: (entry.stat().st_mtime_ns, entry.name))
        for entry in evictable:
            os.unlink(entry.path)
            if self._fits(needed_bytes):
                return True
        return False

    def _fits(self, needed_bytes: int) -> bool:
        used_bytes = sum(entry.stat().st_size for entry in self._whole())
        disk = os.statvfs(self._folder)
        free_bytes = disk.f_bavail * disk.f_frsize
        settings = self._settings
        return used_bytes + needed_bytes <= settings.audio_bytes and free_bytes - needed_bytes >= settings.free_bytes


def _full(error: OSError, sha256: str) -> BlobError:
    code = "store-full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "store-failing"
    return BlobError(code, sha256, error=str(error))


def write_whole(path: Path, data: bytes) -> None:
    """Write a small file so that a power cut leaves the old one or the new one. Raises OSError."""
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)
