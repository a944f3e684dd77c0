"""Files that are made of the programs' own words: ``make pages`` writes them, and a test holds them equal.

``share/`` goes to where a system has its manual pages and completions, as it lies there (systemd/install).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import shtab

from tests import fault_page
from tests.man_page import man_page
from ttcs_edge.central.arguments import make_parser as make_central
from ttcs_edge.cli.arguments import make_parser as make_edge
from ttcs_edge.locale import LANGUAGES, Language
from ttcs_edge.terminal.arguments import Parser

TOP = Path(__file__).parents[1]
PARSERS: dict[str, Callable[[Language], Parser]] = {"ttcs-edge": make_edge, "ttcs-central": make_central}
MANUALS: dict[Language, str] = {"en": "man/man1", "vi": "man/vi/man1"}


def pages() -> dict[str, str]:
    """What each file holds, by its name in the repository."""
    made = {"firmware_notes/faults.md": fault_page.page()}
    for program, make in PARSERS.items():
        for lang in LANGUAGES:
            made[f"share/{MANUALS[lang]}/{program}.1"] = man_page(make(lang))
        made[f"share/bash-completion/completions/{program}"] = shtab.complete(make("vi"), shell="bash")
        made[f"share/zsh/site-functions/_{program}"] = shtab.complete(make("vi"), shell="zsh")
    return made


if __name__ == "__main__":
    for name, words in pages().items():
        (TOP / name).parent.mkdir(parents=True, exist_ok=True)
        (TOP / name).write_text(words)
