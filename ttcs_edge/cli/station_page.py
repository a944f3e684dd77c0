"""A ``station.yaml`` that a person wrote: single values are changed, all else stays to the letter, the old is kept.

Keys, comments and their order are the technician's own. So a page is never written anew from what was read of it: the
letters of a value are exchanged in the text, and the whole is checked before it takes the place of the old one. Dying
at any step leaves the old file or the new one, whole.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import msgspec.structs
import yaml

from ttcs_edge.config import STATION, ConfigError, read_config
from ttcs_edge.whole_files import PUBLIC, replace
from ttcs_edge.yaml_form import Page, fill_text

Value = str | int | bool


def changed(text: str, values: Mapping[str, Value]) -> str:
    """Give a page with other values at keys such as ``zones[1].pin``, all exchanged at once.

    Raises KeyError with the keys that the page does not have, or that hold more than a single value.
    """
    page = Page(Path("station.yaml"))
    fill_text(page, text, STATION)
    nodes = {key: page.nodes.get(key) for key in values}
    lacking = [key for key, node in nodes.items() if not isinstance(node, yaml.ScalarNode)]
    if lacking:
        raise KeyError(*lacking)
    spans = {key: (node.start_mark.index, node.end_mark.index) for key, node in nodes.items() if node is not None}
    for key in sorted(spans, key=lambda one: spans[one], reverse=True):  # from the end: what is before keeps its place
        begin, end = spans[key]
        text = text[:begin] + json.dumps(values[key], ensure_ascii=False) + text[end:]
    return text


def put_in_force(path: Path, text: str, now: datetime, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Check a page, then have it take the place of the one at ``path``; gives where the old one is kept, if any was.

    A page that is the old one to the letter changes nothing. Raises ConfigError for a wrong page, and OSError; the old
    one is in force then. The new one has the owner, the group and the mode of the old one.
    """
    data = text.encode()
    old = path.stat() if path.exists() else None
    if old is not None and path.read_bytes() == data:
        return None
    candidate = path.with_name(f".{path.name}.unchecked")
    try:
        replace(candidate, data, PUBLIC if old is None else stat.S_IMODE(old.st_mode))
        _check(candidate, path, environ)
        if old is not None:
            _give(candidate, old)
        kept = None if old is None else _keep(path, now)
        os.replace(candidate, path)
    finally:
        candidate.unlink(missing_ok=True)
    return kept


def _check(candidate: Path, path: Path, environ: Mapping[str, str]) -> None:
    """Problems name the file that a person knows."""
    try:
        read_config(candidate, environ)
    except ConfigError as error:
        raise ConfigError(tuple(msgspec.structs.replace(one, file=path) for one in error.problems)) from error


def _give(candidate: Path, old: os.stat_result) -> None:
    """The station's own group must be able to read it as before."""
    new = candidate.stat()
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        os.chown(candidate, old.st_uid, old.st_gid)


def _keep(path: Path, now: datetime) -> Path:
    """Give the old page a second name; what was kept in the same second stays."""
    number = 1
    while True:
        kept = path.with_name(f"{path.name}.before-{now:%Y%m%d-%H%M%S}{'' if number == 1 else f'-{number}'}")
        with suppress(FileExistsError):
            os.link(path, kept)
            return kept
        number += 1
