"""``ttcs-edge support-bundle``: one file with all that a developer needs, small enough for a phone, and no secret.

It is made with whatever answers: a station that does not run, a config that is wrong and a full card are what it is
for. ``contents.txt`` in it tells what is there and what is not, and why.
"""

from __future__ import annotations

import argparse
import io
import os
import tarfile
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from ttcs_edge.cli.arguments import SOCKET
from ttcs_edge.cli.asking import asker
from ttcs_edge.cli.errors import CommandError
from ttcs_edge.cli.looking_back import Ask, Record
from ttcs_edge.cli.support_parts import known_secrets, made, parts
from ttcs_edge.locale import Language, text
from ttcs_edge.terminal.output import print_json
from ttcs_edge.whole_files import PRIVATE, replace

BUNDLE_BYTES: Final = 5 * 1024 * 1024
CONTENTS: Final = "contents.txt"
TOO_LARGE: Final = "too-large"
NO_USE_TO_ASK: Final = frozenset({"not-running", "no-permission", "timeout"})


def command(options: argparse.Namespace, lang: Language) -> int:
    """Make the file, and tell what it is."""
    begun = datetime.now(timezone.utc)
    path = options.file or Path(f"ttcs-edge-{os.uname().nodename}-{begun:%Y%m%dT%H%M%SZ}.tar.xz")
    found: dict[str, bytes] = {}
    missing: dict[str, str] = {}
    state, runtime = _folders(options.config)
    known = known_secrets(options.config)
    for name, part in parts(_asker(options, runtime), options.config, state):
        data, why = made(part, known)
        if why is None:
            found[name] = data
        else:
            missing[name] = why
    packed = pack(found, missing, path.name.partition(".")[0])
    try:
        replace(path, packed, PRIVATE)
    except OSError as error:
        raise CommandError("unwritable", path=str(path), error=error.strerror or "") from error
    if options.json:
        print_json({"file": str(path), "size_bytes": len(packed), "parts": sorted(found), "missing": missing})
        return os.EX_OK
    print(text("cli.support-written", lang, file=path, size_kb=-(-len(packed) // 1024), count=len(found)))
    for name, why in missing.items():
        print(text("cli.support-missing", lang, name=name, why=why))
    print(text("cli.support-next", lang))
    return os.EX_OK


def pack(found: dict[str, bytes], missing: dict[str, str], folder: str, most_bytes: int = BUNDLE_BYTES) -> bytes:
    """The archive, in which every file lies in one folder; the largest parts are left out where it would be too large.

    What is left out goes from ``found`` to ``missing``.
    """
    while len(packed := _packed(found | {CONTENTS: _contents(found, missing)}, folder)) > most_bytes:
        largest = max(found, key=lambda name: len(found[name]))
        del found[largest]
        missing[largest] = TOO_LARGE
    return packed


def _packed(files: Mapping[str, bytes], folder: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:xz") as archive:
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mtime = len(data), int(time.time())
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def _contents(found: Mapping[str, bytes], missing: Mapping[str, str]) -> bytes:
    there = [f"{len(data):>8}  {name}" for name, data in found.items()]
    gone = [f"       -  {name}: {why}" for name, why in missing.items()]
    return "\n".join([*there, *gone, ""]).encode()


def _asker(options: argparse.Namespace, runtime: Path) -> Ask:
    """What asks the station, until it fails once: nobody at a pole waits for five answers that never come."""
    ask = asker(argparse.Namespace(socket=options.socket or runtime / SOCKET.name, config=None))
    failed: list[CommandError] = []

    def once(request: Record) -> Record:
        if failed:
            raise failed[0]
        try:
            return ask(request)
        except CommandError as error:
            if error.code in NO_USE_TO_ASK:
                failed.append(error)
            raise

    return once


def _folders(config: Path) -> tuple[Path, Path]:
    """Where the station keeps its things, and where it is asked, as far as its config can be read."""
    from ttcs_edge.config import FOLDERS, ConfigError, load_config

    try:
        loaded = load_config(config)
    except ConfigError:
        return Path(FOLDERS["state"]), Path(FOLDERS["runtime"])
    return loaded.state_folder, loaded.runtime_folder
