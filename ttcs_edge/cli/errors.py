"""What a technician's command can fail with: codes, fields, and exit codes of sysexits.h; words in ``locale.cli``."""

from __future__ import annotations

import os
from typing import Final

EXIT_CODES: Final[dict[str, int]] = {
    "not-running": os.EX_UNAVAILABLE,
    "no-permission": os.EX_NOPERM,
    "timeout": os.EX_TEMPFAIL,
    "bad-answer": os.EX_PROTOCOL,
    "bad-request": os.EX_PROTOCOL,
    "busy": os.EX_TEMPFAIL,
    "unreadable": os.EX_IOERR,
    "no-bundle": os.EX_NOINPUT,
    "bundle-elsewhere": os.EX_NOINPUT,
    "walk-refused": os.EX_TEMPFAIL,
    "lease-refused": os.EX_TEMPFAIL,
    "not-allowed": os.EX_NOPERM,
    "unwritable": os.EX_IOERR,
    "no-rich": os.EX_UNAVAILABLE,
    "answer-unproven": os.EX_NOPERM,
    "bad-broker": os.EX_USAGE,
    "bad-code": os.EX_DATAERR,
    "bad-config": os.EX_CONFIG,
    "bad-key": os.EX_DATAERR,
    "bad-trust": os.EX_DATAERR,
    "broker-unreachable": os.EX_UNAVAILABLE,
    "certificate-of-another-authority": os.EX_DATAERR,
    "certificate-of-another-key": os.EX_DATAERR,
    "certificate-of-another-name": os.EX_DATAERR,
    "certificate-unreadable": os.EX_DATAERR,
    "class-centre-failed": os.EX_SOFTWARE,
    "class-folder-taken": os.EX_CANTCREAT,
    "class-no-mosquitto": os.EX_UNAVAILABLE,
    "class-not-up": os.EX_SOFTWARE,
    "config-elsewhere": os.EX_CONFIG,
    "enrolled-already": os.EX_CANTCREAT,
    "no-answer": os.EX_TEMPFAIL,
    "no-answer-file": os.EX_NOINPUT,
    "no-broker": os.EX_USAGE,
    "no-terminal": os.EX_USAGE,
    "no-stick": os.EX_NOINPUT,
    "pins-by-hand": os.EX_CONFIG,
    "pins-elsewhere": os.EX_CONFIG,
    "pins-unsaid": os.EX_NOINPUT,
    "pins-whole": os.EX_USAGE,
    "not-root": os.EX_NOPERM,
    "not-sealed": os.EX_UNAVAILABLE,
    "nothing-asked": os.EX_NOINPUT,
}


class CommandError(Exception):
    """A command cannot go on: ``code`` names its words and its exit code, ``fields`` fill the words."""

    def __init__(self, code: str, **fields: str) -> None:
        super().__init__(code, fields)
        self.code = code if code in EXIT_CODES else "bad-answer"
        self.fields = fields

    @property
    def exit_code(self) -> int:
        """The process's exit code."""
        return EXIT_CODES[self.code]
