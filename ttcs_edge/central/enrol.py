"""``ttcs-central enrol``: one station gets its certificate, over the network while somebody waits, or by stick.

Over the network a code lives as long as this command. By stick it lies in ``stations/<id>.code.json``, for its owner's
eyes only, until its request was answered or its time is over.
"""

from __future__ import annotations

import argparse
import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from ttcs_edge.central.address import BrokerAddress, needed_broker
from ttcs_edge.central.asking import confirm
from ttcs_edge.central.broker import Heard, OperatorClient
from ttcs_edge.central.centre import Centre
from ttcs_edge.central.enrolment import Asked, Enrolling, check_new, end_former, give
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.stations import StationFiles, known_station
from ttcs_edge.locale import Language, text
from ttcs_edge.whole_files import PRIVATE, PUBLIC, replace
from ttcs_edge.wire.bundle import read_file
from ttcs_edge.wire.code import grouped, new_code, read_code
from ttcs_edge.wire.enrolment import (
    ANSWER_SUFFIX,
    REQUEST_BYTES,
    REQUEST_SUFFIX,
    STICK_FOLDER,
    Given,
    answer_topic,
    client_of,
    request_topic,
    secret_of,
)

STICK_S: Final = 14 * 86_400
LINGER_S: Final = 60.0
"""How long the station may take to say that it has its answer; meanwhile it may ask for it again."""
ASKERS_MOST: Final = 16
STICK_REQUESTS: Final = 1_000
LOOK_UP_S: Final = 0.5


class Kept(Struct, frozen=True):
    """A code that was given out for a stick: until when it counts (wall time), and how many guesses were made."""

    code: str
    until_s: int
    guesses: int = 0


def enrol(given: argparse.Namespace, centre: Centre, lang: Language) -> None:
    """Run the command. Raises CentralError."""
    files = known_station(centre, given.station)
    if given.source is not None:
        _from_stick(centre, given, files, lang)
        return
    check_new(files, given.station, again=given.again)
    if given.by_stick:
        _by_stick(given, files, lang)
        return
    if not centre.settings.enrol_port:
        raise CentralError("no-door", file=centre.folder / "centre.yaml")
    broker = needed_broker(given.broker or centre.settings.broker)
    _over_network(centre, broker, given, lang)


# ------------------------------------------------------------------------------------------- over the network


def _over_network(centre: Centre, broker: BrokerAddress, given: argparse.Namespace, lang: Language) -> None:
    address = BrokerAddress(broker.host, centre.settings.enrol_port + 1)
    code = new_code()
    with OperatorClient(centre, address, (request_topic("+"),)).connected() as client:
        enrolling = Enrolling(secret_of(code), time.monotonic() + given.minutes * 60)
        _tell_code(code, lang)
        door = BrokerAddress(broker.host, centre.settings.enrol_port)
        print(text("central.enrol-wait", lang, broker=door, minutes=given.minutes), flush=True)
        askers = _await_request(client, enrolling)
        _confirm(given.station, _asked(enrolling), lang)
        askers |= _hear_waiting(client, enrolling)  # while a person compared: has somebody else brought the same code?
        made = give(centre, given.station, _asked(enrolling), again=given.again)
        for name, message in list(askers.items())[-ASKERS_MOST:]:
            client.tell(answer_topic(name), enrolling.secret.answer(message, made))
        _linger(client, enrolling, made)
    if not enrolling.received:
        raise CentralError("not-received", id=given.station)
    _tell_end(centre, given.station, lang)


def _await_request(client: OperatorClient, enrolling: Enrolling) -> dict[str, bytes]:
    """Wait for the request that proves the code; gives it, by what its sender calls himself."""
    while not enrolling.is_over:
        name, message = _next(client)
        if name is not None and _hear(enrolling, message) == "asks":
            return {name: message}
    raise CentralError("nobody-asked")


def _hear_waiting(client: OperatorClient, enrolling: Enrolling) -> dict[str, bytes]:
    """What came meanwhile of the same key: its command was run again, or somebody repeats what he heard. Each gets its
    answer; who has not the key can do nothing with it.
    """
    askers = {}
    for _ in range(client.incoming.qsize()):
        name, message = _next(client)
        if name is not None and _hear(enrolling, message) == "asks":
            askers[name] = message
    return askers


def _linger(client: OperatorClient, enrolling: Enrolling, made: Given) -> None:
    """Answer to the same key once more, until the station has it or enough time has gone by."""
    until_s = time.monotonic() + LINGER_S
    while not enrolling.received and time.monotonic() < until_s:
        name, message = _next(client)
        if name is not None and enrolling.hear(message) == "asks":
            client.tell(answer_topic(name), enrolling.secret.answer(message, made))


def _next(client: OperatorClient) -> tuple[str | None, bytes]:
    """What somebody sent, behind what he calls himself; None when nobody did."""
    try:
        heard = client.incoming.get(timeout=LOOK_UP_S)
    except queue.Empty:
        return None, b""
    return (client_of(heard.topic), heard.payload) if isinstance(heard, Heard) else (None, b"")


def _hear(enrolling: Enrolling, message: bytes) -> str:
    verdict = enrolling.hear(message)
    if verdict == "dead":
        raise CentralError("code-known-to-two")
    if enrolling.is_dead:
        raise CentralError("code-guessed", count=enrolling.guesses)
    return verdict


# --------------------------------------------------------------------------------------------------- by stick


def _by_stick(given: argparse.Namespace, files: StationFiles, lang: Language) -> None:
    code = new_code()
    kept = Kept(code, int(time.time()) + STICK_S)
    replace(files.code, msgspec.json.encode(kept), PRIVATE)
    _tell_code(code, lang)
    print(text("central.enrol-stick", lang, days=STICK_S // 86_400, id=given.station, folder=given.folder))


def _from_stick(centre: Centre, given: argparse.Namespace, files: StationFiles, lang: Language) -> None:
    kept = _kept(files.code, given.station, given.folder)
    enrolling = Enrolling(secret_of(kept.code), kept.until_s, kept.guesses, time.time)
    found = _judge_stick(enrolling, given.source)
    if enrolling.guesses != kept.guesses:
        replace(files.code, msgspec.json.encode(msgspec.structs.replace(kept, guesses=enrolling.guesses)), PRIVATE)
    if enrolling.is_over:
        raise CentralError("code-over", id=given.station, folder=given.folder)
    if enrolling.is_dead:
        raise CentralError("code-guessed", count=enrolling.guesses)
    if found is None:
        raise CentralError("no-request", path=given.source)
    _confirm(given.station, _asked(enrolling), lang)
    made = give(centre, given.station, _asked(enrolling), again=given.again)
    answer = enrolling.secret.answer(_asked(enrolling).messages[-1], made)
    file = found.with_name(found.name.removesuffix(REQUEST_SUFFIX) + ANSWER_SUFFIX)
    replace(file, answer, PUBLIC)
    files.code.unlink()
    print(text("central.enrol-answered", lang, file=file))
    _tell_end(centre, given.station, lang)


def _kept(file: Path, station: str, folder: Path) -> Kept:
    try:
        kept = msgspec.json.decode(file.read_bytes(), type=Kept)
    except FileNotFoundError:
        raise CentralError("no-code", id=station, folder=folder) from None
    except msgspec.MsgspecError as error:
        raise CentralError("bad-centre", file=file, found=str(error)[:40]) from error
    if read_code(kept.code) is None:
        raise CentralError("bad-centre", file=file, found="code")
    return kept


def _judge_stick(enrolling: Enrolling, stick: Path) -> Path | None:
    """Judge every request on a stick; gives the file of the one that proves the code."""
    found = None
    for number, (file, data) in enumerate(_requests(stick)):
        if number >= STICK_REQUESTS or enrolling.is_dead:
            break
        verdict = enrolling.hear(data)
        if verdict == "dead":
            raise CentralError("code-known-to-two")
        found = file if verdict == "asks" else found
    return found


def _requests(stick: Path) -> Iterator[tuple[Path, bytes]]:
    """The requests on a stick. What is a link, a device or a FIFO is none; a stick is from outside."""
    folder = stick / STICK_FOLDER
    try:
        files = sorted(folder.glob(f"*{REQUEST_SUFFIX}"))
    except OSError as error:
        raise CentralError("unreadable", file=folder, found=error.strerror or "") from error
    for file in files:
        try:
            data = read_file(file, REQUEST_BYTES)
        except OSError:
            continue
        yield file, data


# ----------------------------------------------------------------------------------------- what a person sees


def _asked(enrolling: Enrolling) -> Asked:
    assert enrolling.asked is not None
    return enrolling.asked


def _tell_code(code: str, lang: Language) -> None:
    print(text("central.enrol-code", lang, code=grouped(code)), flush=True)


def _confirm(station: str, asked: Asked, lang: Language) -> None:
    print(text("central.enrol-fingerprint", lang, fingerprint=asked.fingerprint), flush=True)
    confirm(text("central.enrol-ask", lang, id=station))


def _tell_end(centre: Centre, station: str, lang: Language) -> None:
    ended = end_former(centre, station)
    print(text("central.enrolled", lang, id=station))
    for serial in ended:
        print(text("central.revoked", lang, id=station, serial=f"{serial:x}"))
    if ended:
        print(text("central.shut-out", lang, folder=centre.folder))
