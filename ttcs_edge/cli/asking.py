"""Asking the daemon: where its socket is, and what may come back."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ttcs_edge.cli.arguments import CONFIG_VARIABLE, SOCKET
from ttcs_edge.cli.errors import CommandError
from ttcs_edge.link.control import ControlError, ask
from ttcs_edge.terminal.output import print_json

TIMEOUT_S = 10.0


def socket_path(options: argparse.Namespace) -> Path:
    """Give the socket: ``--socket``, else that of the runtime folder of ``--config`` or of what ``TTCS_EDGE_CONFIG``
    names, else where the unit has it.

    A bad configuration is told, and ends the command with EX_CONFIG.
    """
    if options.socket is not None:
        return Path(options.socket)
    config = options.config or os.environ.get(CONFIG_VARIABLE)
    if config is not None:
        from ttcs_edge.config import EX_CONFIG, ConfigError, load_config  # PyYAML only for those who ask for it

        try:
            return load_config(Path(config)).runtime_folder / SOCKET.name
        except ConfigError as error:
            print(error, file=sys.stderr)
            raise SystemExit(EX_CONFIG) from error
    return SOCKET


def asker(options: argparse.Namespace) -> Callable[..., dict[str, Any]]:
    """Give what asks the daemon of these options: with a request, and an open file if one goes with it.

    What it gives raises CommandError.
    """
    path = socket_path(options)

    def put(request: dict[str, Any], file: int | None = None) -> dict[str, Any]:
        try:
            return ask(path, request, TIMEOUT_S, file)
        except ControlError as error:
            raise CommandError(error.code, **error.detail) from error

    return put


def ask_and_show(options: argparse.Namespace, request: dict[str, Any], show: Callable[[dict[str, Any]], None]) -> None:
    """Ask the daemon; print its answer as JSON, or show it. Raises CommandError."""
    answer = asker(options)(request)
    if options.json:
        print_json(answer)
        return
    try:
        show(answer)
    except (KeyError, TypeError, ValueError) as error:
        raise CommandError("bad-answer") from error
    except ModuleNotFoundError as error:
        raise CommandError("no-rich") from error
