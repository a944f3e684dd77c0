"""What an operator is asked at the terminal before something goes out."""

from __future__ import annotations

import sys
from typing import Final

from ttcs_edge.central.errors import CentralError
from ttcs_edge.terminal import screen

YES: Final = frozenset({"y", "yes", "c", "co", "có"})


def ask(question: str) -> str:
    """Ask at the terminal until there is an answer. Raises CentralError ``not-confirmed`` at the end of input."""
    while True:
        print(question, end=" ", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            raise CentralError("not-confirmed")
        if answer := screen.clean(line).strip():
            return answer


def confirm(question: str) -> None:
    """Go on only with a yes. Raises CentralError ``nobody-to-ask`` or ``not-confirmed``."""
    if not sys.stdin.isatty():
        raise CentralError("nobody-to-ask")
    if ask(question).lower() not in YES:
        raise CentralError("not-confirmed")
