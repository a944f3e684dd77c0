"""``ttcs-edge enrol``: this box becomes a station of a centre, over the network or by stick.

The key is made here and never leaves. The person at the centre reads a one-time code; both compare the fingerprint of
the key. Nothing of the station changes before the centre's answer is on disk and was found good, and a run that was
broken off goes on by being run again.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from ttcs_edge.cli.errors import CommandError
from ttcs_edge.cli.identity_files import IdentityError, IdentityFiles
from ttcs_edge.cli.sealed_key import SealError
from ttcs_edge.config import HOST_PATTERN
from ttcs_edge.locale import Language, text
from ttcs_edge.locale.faults import reason_words
from ttcs_edge.whole_files import PUBLIC, replace
from ttcs_edge.wire.bundle import read_file
from ttcs_edge.wire.code import read_code
from ttcs_edge.wire.enrolment import (
    ANSWER_BYTES,
    ANSWER_SUFFIX,
    PORT,
    REQUEST_SUFFIX,
    STICK_FOLDER,
    Given,
    Secret,
    secret_of,
)

WAIT_S: Final = 900
"""How long two people may take to compare a fingerprint."""
TELL_S: Final = 60
LINE_CHARS: Final = 100
_ADDRESS: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:\s]+))(?::([0-9]{1,5}))?")


def command(options: argparse.Namespace, lang: Language) -> int:
    """Enrol, or go on with what was broken off. Raises CommandError."""
    files = IdentityFiles(options.config.absolute().parent)
    try:
        _enrol(options, files, lang)
    except IdentityError as error:
        raise CommandError(error.code, error=error.found, path=str(files.config)) from error
    except SealError as error:
        raise CommandError("not-sealed", error=str(error)) from error
    except PermissionError as error:
        raise CommandError("not-root", path=str(error.filename)) from error
    except OSError as error:
        raise CommandError("unwritable", path=str(error.filename), error=error.strerror or "") from error
    return os.EX_OK


def _enrol(options: argparse.Namespace, files: IdentityFiles, lang: Language) -> None:
    by_stick = options.source is not None or options.to is not None
    address = None if by_stick else _address(options.broker)
    if (given := files.finish()) is not None:  # a power cut came in between
        _tell_end(given, files, lang)
        return
    if options.source is not None:
        _from_stick(options.source, files, lang)
        return
    if files.is_there and not options.again:
        raise CommandError("enrolled-already", path=str(files.link))
    pending = files.begin()
    print(text("cli.enrol-fingerprint", lang, fingerprint=pending.fingerprint), flush=True)
    secret = secret_of(_ask_code(lang))
    request = files.ask(pending, secret)
    if address is None:
        _to_stick(options.to, pending.fingerprint, request, lang)
        return
    print(text("cli.enrol-wait", lang, minutes=WAIT_S // 60), flush=True)
    answer = _over_network(address, request, lang, f"--seconds={WAIT_S}")
    given = _take(files, secret, request, answer)
    try:
        _over_network(address, secret.receive(request), lang, "--tell")
    except CommandError:  # the station has all it needs; the person at the centre is told to ask
        print(text("cli.enrol-not-told", lang), file=sys.stderr)
    _tell_end(given, files, lang)


def _take(files: IdentityFiles, secret: Secret, request: bytes, answer: bytes) -> Given:
    """Put in force what an answer gives."""
    given = secret.given(request, answer)
    if given is None:
        raise CommandError("answer-unproven")
    files.take(given)
    finished = files.finish()
    assert finished is not None  # ``take`` left it to be finished
    return finished


# ------------------------------------------------------------------------------------------- over the network


def _address(broker: str | None) -> tuple[str, int]:
    if broker is None:
        raise CommandError("no-broker")
    match = _ADDRESS.fullmatch(broker)
    host = match and (match[1] or match[2])
    if match is None or host is None or not (match[1] or re.fullmatch(HOST_PATTERN, host)):
        raise CommandError("bad-broker", error=broker)
    port = int(match[3] or PORT)
    if not 1 <= port <= 65_535:
        raise CommandError("bad-broker", error=broker)
    return host, port


def _over_network(address: tuple[str, int], message: bytes, lang: Language, *options: str) -> bytes:
    """Give the answer to a message. The program that speaks MQTT is told nothing that is secret."""
    host, port = address
    words = [sys.executable, "-P", "-m", "ttcs_edge.link.enrolment", host, str(port), *options]
    done = subprocess.run(words, input=message, capture_output=True)  # noqa: S603 (our own module, no shell)
    if done.returncode == os.EX_TEMPFAIL:
        raise CommandError("no-answer", seconds=str(WAIT_S))
    if done.returncode != os.EX_OK:
        reason = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["lost"]
        raise CommandError("broker-unreachable", path=f"{host}:{port}", error=reason_words(reason[0], lang))
    return done.stdout


# --------------------------------------------------------------------------------------------------- by stick


def _to_stick(stick: Path, fingerprint: str, request: bytes, lang: Language) -> None:
    if not stick.is_dir():
        raise CommandError("no-stick", path=str(stick))
    folder = stick / STICK_FOLDER
    folder.mkdir(exist_ok=True)
    file = folder / f"{fingerprint}{REQUEST_SUFFIX}"
    replace(file, request, PUBLIC)
    print(text("cli.enrol-to-stick", lang, file=file))


def _from_stick(stick: Path, files: IdentityFiles, lang: Language) -> None:
    request = files.asked()
    if request is None:
        raise CommandError("nothing-asked")
    pending = files.begin()
    file = stick / STICK_FOLDER / f"{pending.fingerprint}{ANSWER_SUFFIX}"
    try:
        answer = read_file(file, ANSWER_BYTES)
    except OSError as error:  # a link, a device or a FIFO is none, either
        raise CommandError("no-answer-file", path=str(file)) from error
    print(text("cli.enrol-fingerprint", lang, fingerprint=pending.fingerprint), flush=True)
    _tell_end(_take(files, secret_of(_ask_code(lang)), request, answer), files, lang)


# ----------------------------------------------------------------------------------------- what a person does


def _ask_code(lang: Language) -> str:
    """Read the code: from a terminal until it is right, else one line of standard input."""
    while True:
        print(text("cli.enrol-code", lang), end=" ", file=sys.stderr, flush=True)
        line = sys.stdin.readline(LINE_CHARS)
        code = read_code(line)
        if code is not None:
            return code
        if not line or not sys.stdin.isatty():
            raise CommandError("bad-code")
        print(text("cli.enrol-mistyped", lang), file=sys.stderr)


def _tell_end(given: Given, files: IdentityFiles, lang: Language) -> None:
    print(text("cli.enrolled", lang, id=given.station, scope=given.scope))
    print(text("cli.enrol-next", lang, config=files.config))
