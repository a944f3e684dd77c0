"""What a card holds after a power cut: all that was synced, and of the rest whatever chance left there.

``card.c`` logs what a process does to a folder. Here that log is lived through beside the folder, and at a cut the
folder is made anew as a card may hold it. The rules are those that a careful program may rely on, and no kinder: the
content of a file is there once the file was synced, its name once its folder was; of what was not synced each page of
4 KB may be there or not, and names change in their order. What SQLite maps into memory (-shm) is not kept: it is
made anew from the journal at every start.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

PAGE_BYTES = 4_096
_HEAD = struct.Struct("<cQQI")


def build(folder: Path) -> Path:
    """Compile the library to be preloaded."""
    library = folder / "card.so"
    source = Path(__file__).with_name("card.c")
    command = ["gcc", "-Wall", "-Werror", "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
    subprocess.run(command, check=True)
    return library


@dataclass(slots=True)
class _File:
    """``synced`` is on the card for certain; ``since`` came after: (offset, data), or (length, None) for a cut."""

    synced: bytearray = field(default_factory=bytearray)
    since: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        for offset, data in self.since:
            _apply(self.synced, offset, data)
        self.since.clear()

    def after_cut(self, chance: Random) -> tuple[bytes, int]:
        """What the card holds, and how many pages of it were lost."""
        content, lost, keep = bytearray(self.synced), 0, chance.choice((0.0, 0.5, 1.0))
        for offset, data in self.since:
            for at, page in _pages(offset, data):
                if chance.random() < keep:
                    _apply(content, at, page)
                else:
                    lost += 1
        return bytes(content), lost


@dataclass(slots=True)
class _Folder:
    """``names`` are on the card for certain; ``since`` are changes that came after: (name, file or None)."""

    names: dict[str, _File] = field(default_factory=dict)
    since: list[tuple[tuple[str, _File | None], ...]] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.since:
            _rename(self.names, change)
        self.since.clear()

    def after_cut(self, chance: Random) -> tuple[dict[str, _File], int]:
        """The names that the card holds, and how many changes of them were lost."""
        names, kept = dict(self.names), chance.choice((0, chance.randint(0, len(self.since))))
        for change in self.since[:kept]:
            _rename(names, change)
        return names, len(self.since) - kept


@dataclass(frozen=True)
class Lost:
    """Of so many operations so many pages and changes of names were not on the card."""

    operations: int
    pages: int
    names: int


class Card:
    """A folder and what of it is certain. One process at a time uses the folder, with the library preloaded."""

    def __init__(self, root: Path, log: Path, library: Path) -> None:
        self.root, self.log, self._library = root, log, library
        root.mkdir(parents=True, exist_ok=True)
        self._folders: dict[str, _Folder] = {}
        self._settle()

    def environment(self, dies_after: int | None = None) -> Mapping[str, str]:
        """What the process is to be started with, to die by itself behind so many operations if that is wanted."""
        death = {} if dies_after is None else {"CARD_DIES_AFTER": str(dies_after)}
        return {"LD_PRELOAD": str(self._library), "CARD_ROOT": str(self.root), "CARD_LOG": str(self.log)} | death

    def cut(self, chance: Random) -> Lost:
        """The power is gone, and so is the process: make the folder what the card holds."""
        operations = self._live_through()
        pages = changes = 0
        shutil.rmtree(self.root)
        for folder, names in self._folders.items():
            (self.root / folder).mkdir(parents=True, exist_ok=True)
            left, lost_names = names.after_cut(chance)
            changes += lost_names
            for name, file in left.items():
                content, lost_pages = file.after_cut(chance)
                pages += lost_pages
                (self.root / folder / name).write_bytes(content)
        self._settle()
        return Lost(operations, pages, changes)

    def keep(self) -> None:
        """The process died and the power did not: what the kernel had, the card gets."""
        self._settle()

    def _settle(self) -> None:
        """What is there now is on the card for certain: this is where the next life begins."""
        self.log.write_bytes(b"")
        self._folders = {"": _Folder()}
        for path in sorted(self.root.rglob("*")):
            name = str(path.relative_to(self.root))
            if path.is_dir():
                self._folders[name] = _Folder()
            elif not name.endswith("-shm"):
                self._folders[_parent(name)].names[path.name] = _File(bytearray(path.read_bytes()))

    def _live_through(self) -> int:
        """Follow the log; gives how many operations it held."""
        now = {folder: dict(names.names) for folder, names in self._folders.items()}
        files: dict[int, _File] = {}
        folders: dict[int, str] = {}
        count = 0
        for operation, inode, offset, data in _records(self.log.read_bytes()):
            count += 1
            name = data.decode() if operation in "doc" else ""
            if operation == "d":
                folders[inode] = name
                self._folders.setdefault(name, _Folder())
                now.setdefault(name, {})
            elif operation in "oc":
                if not name.endswith("-shm"):
                    files[inode] = self._open(now, name, operation == "c")
            elif operation == "s":
                (self._folders[folders[inode]] if inode in folders else files.get(inode, _File())).sync()
            elif operation in "wt":
                if inode in files:
                    files[inode].since.append((offset, data if operation == "w" else None))
            elif operation == "r":
                old, new = data.decode().split("\0")
                file = now[_parent(old)].pop(_last(old))
                self._change(now, _parent(old), ((_last(old), None), (_last(new), file)))
            else:
                self._change(now, _parent(data.decode()), ((_last(data.decode()), None),))
        return count

    def _open(self, now: dict[str, dict[str, _File]], name: str, made: bool) -> _File:
        folder = _parent(name)
        if folder not in now:  # mkdir is not logged: what is in a new folder is as uncertain as can be
            now[folder], self._folders[folder] = {}, _Folder()
        if made or _last(name) not in now[folder]:
            self._change(now, folder, ((_last(name), _File()),))
        return now[folder][_last(name)]

    def _change(
        self, now: dict[str, dict[str, _File]], folder: str, change: tuple[tuple[str, _File | None], ...]
    ) -> None:
        _rename(now[folder], change)
        self._folders[folder].since.append(change)


def _records(log: bytes) -> Iterator[tuple[str, int, int, bytes]]:
    at = 0
    while at + _HEAD.size <= len(log):
        operation, inode, offset, length = _HEAD.unpack_from(log, at)
        at += _HEAD.size
        if at + length > len(log):
            return  # the death came in the middle of a record
        yield operation.decode(), inode, offset, log[at : at + length]
        at += length


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del content[offset:]
        content.extend(bytes(offset - len(content)))
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


def _pages(offset: int, data: bytes | None) -> Iterator[tuple[int, bytes | None]]:
    """A write, page by page of the card; a cut is one thing."""
    if data is None:
        yield offset, None
        return
    at = 0
    while at < len(data):
        length = PAGE_BYTES - (offset + at) % PAGE_BYTES
        yield offset + at, data[at : at + length]
        at += length


def _rename(names: dict[str, _File], change: tuple[tuple[str, _File | None], ...]) -> None:
    for name, file in change:
        if file is None:
            names.pop(name, None)
        else:
            names[name] = file


def _parent(name: str) -> str:
    return name.rpartition("/")[0]


def _last(name: str) -> str:
    return name.rpartition("/")[2]
