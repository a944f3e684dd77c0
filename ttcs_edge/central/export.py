"""A bundle for stations without a link: what is in force for a place, and its audio, in a folder on a stick.

In it goes what was published for every scope above the place, for the place, and for every scope below it, so that one
stick serves a team that visits a whole district. The audio goes first and the documents last: a stick that is pulled
out too early holds no document whose audio it lacks. What is there already, and still has its hash, is not written
again. Where trust roots have followed one another, they go with it, for stations that do not know the newest. See
``wire.bundle`` for the folder.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from ttcs_edge.central.audio import sha256_of
from ttcs_edge.central.centre import Centre, now
from ttcs_edge.central.errors import CentralError, refuse
from ttcs_edge.central.trust_folder import chain_of, every_key, kept_roots
from ttcs_edge.core.documents import Programme, Refused, Signed
from ttcs_edge.core.model import Scope, scope_covers
from ttcs_edge.core.trust import check_authority, is_still_signed
from ttcs_edge.durable import sync_folder
from ttcs_edge.wire.bundle import AUDIO, audio_name, bundle_folder, programme_name, trust_name
from ttcs_edge.wire.documents import read_programme

COPY_BYTES = 1024 * 1024


class Exported(Struct, frozen=True):
    """What lies on the stick now. ``expired`` and ``revoked`` are programmes that were left out, because no station
    would take them. ``trust_version`` is that of the root to which the stick leads; None when there was but one ever.
    """

    folder: Path
    programmes: tuple[Programme, ...]
    expired: tuple[Programme, ...]
    revoked: tuple[Programme, ...]
    trust_version: int | None
    audio_files: int
    audio_bytes: int


def export(centre: Centre, place: Scope, path: Path) -> Exported:
    """Write what is in force for a place. Raises CentralError ``nothing-in-force``, ``no-audio``, or OSError."""
    revoked: list[Programme] = []
    with centre.alone():
        signed = tuple(_newest(centre, place, revoked))
        roots = kept_roots(centre)
    at = now()
    verdicts = [(one, check_authority(one, centre.trust.document, at)) for one in signed]
    refused = [verdict for _, verdict in verdicts if verdict is not None and verdict.code != "expired"]
    if refused:
        refuse(refused[0])
    standing = tuple(one for one, verdict in verdicts if verdict is None)
    expired = tuple(one.document for one, verdict in verdicts if verdict is not None)
    if not standing and len(roots) == 1:
        raise CentralError("nothing-in-force", scope=place)
    audio = {sound.sha256: sound for one in standing for bulletin in one.document.bulletins for sound in bulletin.audio}
    sources = {sha256: _source(centre, sha256) for sha256 in audio}
    if not path.is_dir():  # a stick that is not plugged in must not become a folder of this machine
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    folder = bundle_folder(path)
    (folder / AUDIO).mkdir(parents=True, exist_ok=True)
    for sha256, source in sources.items():
        _copy(source, folder / audio_name(sha256), sha256)
    if len(roots) > 1:  # before what is read by its keys
        _write(folder / trust_name(centre.settings.scope), chain_of(roots))
    for one in standing:
        _write(folder / programme_name(one.document.scope), one.envelope)
    size_bytes = sum(sound.size_bytes for sound in audio.values())
    return Exported(
        folder=folder,
        programmes=tuple(one.document for one in standing),
        expired=expired,
        revoked=tuple(revoked),
        trust_version=roots[-1].document.version if len(roots) > 1 else None,
        audio_files=len(audio),
        audio_bytes=size_bytes,
    )


def newest_programmes(centre: Centre) -> Iterator[tuple[Scope, Path]]:
    """What was published last for every scope of the folder."""
    top = centre.folder / "programmes"
    for scope in sorted(Scope(file.parent.relative_to(top).as_posix()) for file in top.rglob("version.txt")):
        kept = {one.name.removesuffix(".dsse.json"): one for one in (top / scope).glob("*.dsse.json")}
        envelopes = {int(version): one for version, one in kept.items() if version.isdecimal()}
        if envelopes:
            yield scope, envelopes[max(envelopes)]


def _newest(centre: Centre, place: Scope, revoked: list[Programme]) -> Iterator[Signed[Programme]]:
    """The newest document of every scope above, at and below a place, read as a station does.

    What only keys signed that were revoked since is added to those.
    """
    every = replace(centre.trust.document, keys=every_key(centre))
    for scope, file in newest_programmes(centre):
        if not (scope_covers(scope, place) or scope_covers(place, scope)):
            continue
        signed = read_programme(file.read_bytes(), every, scope)
        if isinstance(signed, Refused):
            raise CentralError("bad-centre", file=file, found=signed.code)
        if is_still_signed(signed, centre.trust.document, "publish"):
            yield signed
        else:
            revoked.append(signed.document)


def _source(centre: Centre, sha256: str) -> Path:
    source = centre.folder / "audio" / f"{sha256}.ogg"
    if not source.is_file():
        raise CentralError("no-audio", file=source)
    return source


def _copy(source: Path, target: Path, sha256: str) -> None:
    """Copy a file while hashing it, and name it once it is whole and on the stick."""
    if target.is_file() and target.stat().st_size == source.stat().st_size and sha256_of(target) == sha256:
        return
    data = source.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise CentralError("no-audio", file=source)
    _write(target, data)


def _write(target: Path, data: bytes) -> None:
    """Write beside, flush, rename: a stick knows neither owners nor modes. Raises OSError with the file's name."""
    part = target.with_name(f"{target.name}.part")
    try:
        with part.open("wb") as file:
            for begin in range(0, len(data), COPY_BYTES):
                file.write(data[begin : begin + COPY_BYTES])
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
        sync_folder(target.parent)
    except OSError as error:
        with suppress(OSError):
            part.unlink()  # half a file only takes the room that the next needs
        raise OSError(error.errno, error.strerror, str(target)) from error
