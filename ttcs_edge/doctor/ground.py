"""What every check looks at: the configuration, what is wrong with the files it names, and what the daemon says."""

from __future__ import annotations

import os
import pwd
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from ttcs_edge.cli.arguments import SOCKET
from ttcs_edge.config import ConfigError, read_config
from ttcs_edge.core.model import Certificate, Instant, MonoMs, WallMs
from ttcs_edge.doctor.programs import Run, run
from ttcs_edge.link.client import OwnFilesError
from ttcs_edge.link.control import ControlError, ask
from ttcs_edge.link.identity import Identity
from ttcs_edge.named_files import USER, acting_as, check_files
from ttcs_edge.settings import Config
from ttcs_edge.store.database import DATABASE_FILE
from ttcs_edge.store.health import check
from ttcs_edge.store.migration import NewerDatabaseError
from ttcs_edge.yaml_form import Problem

ASK_S: Final = 3.0
"""How long the daemon may take to answer."""


class Told(Struct, frozen=True):
    """What the daemon answers, or why it does not."""

    status: Mapping[str, Any] | None = None
    trust: Mapping[str, Any] | None = None
    error: ControlError | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """One station on one machine, at one moment. ``config`` is None when the file is wrong; ``problems`` say why, or
    what is wrong with the files that it names; ``database`` is what is wrong with that one. ``sees_all``: what may not
    be read here the station may not read either. ``root`` stands for ``/`` where the kernel tells of the machine.
    """

    file: Path
    config: Config | None
    problems: tuple[Problem, ...]
    certificate: Certificate | None
    database: Exception | None
    sees_all: bool
    socket: Path
    told: Told
    now: datetime
    environ: Mapping[str, str]
    root: Path
    run: Run

    @property
    def settings(self) -> Config:
        """The configuration, for checks that wait for it."""
        assert self.config is not None
        return self.config

    @property
    def faults(self) -> tuple[Mapping[str, Any], ...]:
        """The open faults, as far as the daemon tells of any."""
        return () if self.told.status is None else tuple(self.told.status["faults"])


def survey(
    file: Path,
    socket: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    root: Path = Path("/"),
    run: Run = run,
    clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
) -> Ground:
    """Read what all checks need. Files are read with the rights of the station's user, which are the whole process's
    meanwhile: nothing else may run beside it.
    """
    config, problems = _read(file, environ)
    where = socket or (SOCKET if config is None else config.runtime_folder / SOCKET.name)
    told = _ask(where)
    certificate, database = None, None
    if config is not None:
        with acting_as(USER):  # root's files beside the database would shut the daemon out
            certificate = _certificate(config)
            database = None if told.status is not None else _damage(config)
    return Ground(file, config, problems, certificate, database, _sees_all(), where, told, clock(), environ, root, run)


def _sees_all() -> bool:
    """Tell whether this looks with the rights of the station's user; where there is none, anybody stands for him."""
    try:
        return os.geteuid() in (0, pwd.getpwnam(USER).pw_uid)
    except KeyError:
        return True


def _read(file: Path, environ: Mapping[str, str]) -> tuple[Config | None, tuple[Problem, ...]]:
    try:
        _, config = read_config(file, environ)
        return config, check_files(file, environ)
    except ConfigError as error:
        return None, error.problems


def _certificate(config: Config) -> Certificate | None:
    """The certificate in force, where the key may be read; its dates are judged by the checks."""
    identity = Identity(config.broker, config.station.id, lambda: Instant(WallMs(0), MonoMs(0), trusted=False))
    try:
        return identity.certificate()
    except OwnFilesError:
        return None


def _damage(config: Config) -> Exception | None:
    """What is wrong with the database; a station that never ran has none."""
    path = config.state_folder / DATABASE_FILE
    try:
        if path.exists():
            check(path, expected=True)
    except (sqlite3.Error, NewerDatabaseError, OSError) as error:
        return error
    return None


def _ask(socket: Path) -> Told:
    try:
        return Told(ask(socket, {"ask": "status"}, ASK_S), ask(socket, {"ask": "trust"}, ASK_S))
    except ControlError as error:
        return Told(error=error)
