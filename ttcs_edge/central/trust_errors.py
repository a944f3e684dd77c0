"""The exit codes of what ``ttcs-central trust`` can fail with (``central.errors``); the words are in ``locale``."""

from __future__ import annotations

import os
from typing import Final

TRUST_EXIT_CODES: Final[dict[str, int]] = {
    "bad-approval": os.EX_NOINPUT,
    "approval-late": os.EX_DATAERR,
    "bad-trust-file": os.EX_DATAERR,
    "bad-key-wish": os.EX_DATAERR,
    "bad-threshold-wish": os.EX_DATAERR,
    "unknown-key": os.EX_DATAERR,
    "no-such-grant": os.EX_DATAERR,
    "too-many-keys": os.EX_DATAERR,
    "threshold-unmet": os.EX_DATAERR,
    "draft-changed": os.EX_DATAERR,
    "root-signatures-lacking": os.EX_DATAERR,
    "trust-refused": os.EX_DATAERR,
    "bad-next-root": os.EX_NOINPUT,
    "no-trust-draft": os.EX_NOINPUT,
    "no-root-key": os.EX_NOINPUT,
    "no-signer": os.EX_NOINPUT,
    "other-private-key": os.EX_NOINPUT,
    "next-changed": os.EX_UNAVAILABLE,
    "trust-behind": os.EX_UNAVAILABLE,
    "centre-not-changed": os.EX_CANTCREAT,
    "draft-exists": os.EX_CANTCREAT,
    "key-exists": os.EX_CANTCREAT,
}
