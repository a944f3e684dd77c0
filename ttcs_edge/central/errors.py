"""What an operator's command can fail with: stable codes and fields; the words are in ``locale.central``.

Exit codes are those of sysexits.h, so that a script knows what to do next: 65 mend the file, 66 name another place, 69
try again later, 70 a program that is needed failed, 73 it is there already, 77 nobody said yes.
"""

from __future__ import annotations

from typing import NoReturn

from ttcs_edge.central.trust_errors import TRUST_EXIT_CODES
from ttcs_edge.core.documents import Refused
from ttcs_edge.yaml_form import Problem

DATA_ERROR = 65
NO_INPUT = 66
UNAVAILABLE = 69
SOFTWARE = 70
CANNOT_CREATE = 73
NO_PERMISSION = 77

EXIT_CODES: dict[str, int] = {
    **TRUST_EXIT_CODES,
    "bad-programme-file": DATA_ERROR,
    "bad-alert-file": DATA_ERROR,
    "bad-alert-id": DATA_ERROR,
    "bad-feed-file": DATA_ERROR,
    "bad-feed-book": NO_INPUT,
    "nothing-asked": NO_INPUT,
    "feed-unreachable": UNAVAILABLE,
    "long-text": DATA_ERROR,
    "alert-blanks": DATA_ERROR,
    "unknown-blank": DATA_ERROR,
    "unknown-references": DATA_ERROR,
    "two-alerts": DATA_ERROR,
    "wrong-sender": DATA_ERROR,
    "alert-over": DATA_ERROR,
    "no-expiry": DATA_ERROR,
    "alert-cancelled": DATA_ERROR,
    "alert-exists": CANNOT_CREATE,
    "alert-overtaken": UNAVAILABLE,
    "no-alert": NO_INPUT,
    "no-what": NO_INPUT,
    "no-template": NO_INPUT,
    "no-recording": NO_INPUT,
    "not-confirmed": NO_PERMISSION,
    "code-guessed": NO_PERMISSION,
    "code-known-to-two": NO_PERMISSION,
    "code-over": NO_PERMISSION,
    "enrolled-already": CANNOT_CREATE,
    "no-code": NO_INPUT,
    "no-door": UNAVAILABLE,
    "no-request": NO_INPUT,
    "nobody-asked": UNAVAILABLE,
    "not-received": UNAVAILABLE,
    "nobody-to-ask": NO_PERMISSION,
    "bad-centre-file": NO_INPUT,
    "bad-id": DATA_ERROR,
    "bad-live-id": DATA_ERROR,
    "bad-live-title": DATA_ERROR,
    "bad-live-zone": DATA_ERROR,
    "bad-segment": DATA_ERROR,
    "no-live-input": NO_INPUT,
    "live-input-failed": NO_INPUT,
    "live-input-playlist": DATA_ERROR,
    "live-input-quiet": UNAVAILABLE,
    "live-input-silent": UNAVAILABLE,
    "bad-percent": DATA_ERROR,
    "bad-range": DATA_ERROR,
    "bad-scope": DATA_ERROR,
    "bad-broker": DATA_ERROR,
    "bad-host": DATA_ERROR,
    "bad-threshold": DATA_ERROR,
    "bad-url": DATA_ERROR,
    "outside-scope": DATA_ERROR,
    "no-grant": DATA_ERROR,
    "no-place": DATA_ERROR,
    "reports-refused": DATA_ERROR,
    "no-broker": DATA_ERROR,
    "refused-by-own-check": DATA_ERROR,
    "no-audio": NO_INPUT,
    "no-reports": NO_INPUT,
    "no-trail": NO_INPUT,
    "nothing-in-force": NO_INPUT,
    "bad-ledger": NO_INPUT,
    "no-centre": NO_INPUT,
    "bad-centre": NO_INPUT,
    "no-key": NO_INPUT,
    "no-station-example": NO_INPUT,
    "no-station": NO_INPUT,
    "no-scope": NO_INPUT,
    "no-server-certificate": NO_INPUT,
    "bad-place": DATA_ERROR,
    "not-ours": CANNOT_CREATE,
    "unreadable": NO_INPUT,
    "broker-unreachable": UNAVAILABLE,
    "broker-refused": UNAVAILABLE,
    "broker-closed": UNAVAILABLE,
    "broker-keeps-nothing": UNAVAILABLE,
    "nobody-listens": UNAVAILABLE,
    "no-reply": UNAVAILABLE,
    "command-failed": UNAVAILABLE,
    "command-not-done": UNAVAILABLE,
    "command-refused": UNAVAILABLE,
    "no-answer": UNAVAILABLE,
    "not-back": UNAVAILABLE,
    "overtaken": UNAVAILABLE,
    "broker-silent": UNAVAILABLE,
    "program-missing": UNAVAILABLE,
    "program-failed": SOFTWARE,
    "centre-exists": CANNOT_CREATE,
    "station-exists": CANNOT_CREATE,
    "certificate-exists": CANNOT_CREATE,
    "disk": CANNOT_CREATE,
}


class CentralError(Exception):
    """A command cannot go on: ``code`` names its words, ``fields`` fill them."""

    def __init__(self, code: str, **fields: object) -> None:
        super().__init__(code, fields)
        self.code = code
        self.fields = fields
        self.exit_code = EXIT_CODES[code]


def refuse(refused: Refused) -> NoReturn:
    """Tell that stations would refuse what is about to go out. Raises CentralError ``refused-by-own-check``."""
    detail = ", ".join(f"{name}={value}" for name, value in refused.detail)
    raise CentralError("refused-by-own-check", found=refused.code, detail=detail)


class BadFile(CentralError):
    """A file of the operator's with problems in it, all of those that could be found in one reading."""

    def __init__(self, code: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(code, count=len(problems))
        self.problems = problems


class BadProgrammeFile(BadFile):
    """A ``programme.yaml`` that cannot be published."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("bad-programme-file", problems)


class BadCentreFile(BadFile):
    """A ``centre.yaml`` that cannot be used."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("bad-centre-file", problems)


class BadAlertFile(BadFile):
    """An alert's file, or a recording of one, that cannot be sent."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("bad-alert-file", problems)


class BadFeedFile(BadFile):
    """A file of rules for a feed that cannot be used."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("bad-feed-file", problems)


class BadTrustFile(BadFile):
    """A ``trust/next.yaml`` that cannot be signed."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("bad-trust-file", problems)
