"""A station that was enrolled without the two people between its commands: what both do."""

from __future__ import annotations

from pathlib import Path

from ttcs_edge.central.centre import open_centre
from ttcs_edge.central.enrolment import Enrolling, give
from ttcs_edge.cli.identity_files import IdentityFiles
from ttcs_edge.wire.enrolment import Secret


def enrolled(centre_folder: Path, station: str, folder: Path, *, again: bool = False) -> Path:
    """Enrol a station that the centre knows, its files below a folder such as ``/etc/ttcs-edge``; gives the folder."""
    files, secret = IdentityFiles(folder), Secret(b"one-time")
    request = files.ask(files.begin(), secret)
    enrolling = Enrolling(secret, float("inf"))
    assert enrolling.hear(request) == "asks" and enrolling.asked is not None
    given = give(open_centre(centre_folder), station, enrolling.asked, again=again)
    answered = secret.given(request, secret.answer(request, given))
    assert answered is not None
    files.take(answered)
    assert files.finish() == given
    return folder
