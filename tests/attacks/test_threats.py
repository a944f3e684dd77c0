"""The threat model says which test stops which attack: each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[a-z_/]+\.py)::(test_[a-z0-9_]+)`")


def test_every_attack_of_the_threat_model_has_its_test() -> None:
    """A line whose test was renamed or taken away fails here; so does an attack without one."""
    text = (ROOT / ".github" / "THREATS.md").read_text("utf-8")
    table = text.partition("## Attacks\n")[2].partition("## Not defended")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ") and "---" not in line][1:]
    lacking = [row for row in rows if not NAMED.search(row)]
    gone = [
        f"{file}::{name}"
        for file, name in NAMED.findall(text)
        if not re.search(rf"^def {name}\(", (ROOT / file).read_text("utf-8") if (ROOT / file).is_file() else "", re.M)
    ]

    assert len(rows) > 30 and (lacking, gone) == ([], [])
