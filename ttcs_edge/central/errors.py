"""What an operator's command can fail with: stable codes and fields; the words are in ``locale.central``.

Exit codes are those of sysexits.h, so that a script knows what to do next: 65 mend the file, 66 name another place, 69
try again later, 70 a program that is needed failed, 73 it is there already.
"""

from __future__ import annotations

from dataclasses import dataclass

DATA_ERROR = 65
NO_INPUT = 66
UNAVAILABLE = 69
SOFTWARE = 70
CANNOT_CREATE = 73

EXIT_CODES: dict[str, int] = {
    "bad-programme-file": DATA_ERROR,
    "bad-id": DATA_ERROR,
    "bad-scope": DATA_ERROR,
    "bad-broker": DATA_ERROR,
    "bad-threshold": DATA_ERROR,
    "bad-url": DATA_ERROR,
    "outside-scope": DATA_ERROR,
    "no-place": DATA_ERROR,
    "no-broker": DATA_ERROR,
    "refused-by-own-check": DATA_ERROR,
    "no-centre": NO_INPUT,
    "bad-centre": NO_INPUT,
    "no-key": NO_INPUT,
    "no-station-example": NO_INPUT,
    "unreadable": NO_INPUT,
    "broker-unreachable": UNAVAILABLE,
    "broker-refused": UNAVAILABLE,
    "broker-silent": UNAVAILABLE,
    "program-missing": UNAVAILABLE,
    "program-failed": SOFTWARE,
    "centre-exists": CANNOT_CREATE,
    "station-exists": CANNOT_CREATE,
    "certificate-exists": CANNOT_CREATE,
    "cannot-write": CANNOT_CREATE,
}


class CentralError(Exception):
    """A command cannot go on: ``code`` names its words, ``fields`` fill them."""

    def __init__(self, code: str, **fields: object) -> None:
        super().__init__(code, fields)
        self.code = code
        self.fields = fields
        self.exit_code = EXIT_CODES[code]


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong in a programme file: where it stands, what was found and what was expected there.

    ``line`` counts from 1. The mend is the sentence of ``code``.
    """

    code: str
    line: int
    key: str
    found: str
    expected: str


class BadProgrammeFile(CentralError):
    """A programme file with mistakes in it, all of those that could be found in one reading."""

    def __init__(self, file: str, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("bad-programme-file", file=file, count=len(mistakes))
        self.file = file
        self.mistakes = mistakes
