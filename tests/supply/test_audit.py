"""The audit does not pass in silence: not with a hole, and not when nobody could be asked."""

from __future__ import annotations

from typing import Any

import pytest

from tests.supply.audit import told

PINS = frozenset({("left", "1"), ("right", "2")})
HOLE = {"id": "CVE-2026-1", "fix_versions": ["3"], "aliases": [], "description": ""}
WELL = {"dependencies": [{"name": "Left", "version": "1", "vulns": []}, {"name": "right", "version": "2", "vulns": []}]}
HOLED = {"dependencies": [{"name": "left", "version": "1", "vulns": [HOLE]}]}
SKIPPED = {"dependencies": [{"name": "left", "version": "1", "vulns": []}, {"name": "right", "skip_reason": "unknown"}]}


@pytest.mark.parametrize(
    ("answers", "code", "words"),
    [
        ([("a", WELL)], 0, "audit: 2 packages, none with a hole known to a"),
        ([("a", HOLED)], 1, "known holes (a):\n  left 1: CVE-2026-1, mended in 3"),
        ([("a", "away"), ("b", HOLED)], 1, "known holes (b):\n  left 1: CVE-2026-1, mended in 3"),
        ([("a", SKIPPED), ("b", WELL)], 0, "audit: 2 packages, none with a hole known to b"),
        ([("a", SKIPPED), ("b", "away")], 2, "  a: knows nothing of 1 of 2: right 2 ...\n  b: away"),
        ([("a", {}), ("b", {})], 2, "  a: knows nothing of 2 of 2: left 1, right 2 ...\n"),
    ],
)
def test_an_audit_ends_well_only_when_each_package_was_answered_for(
    answers: list[tuple[str, dict[str, Any] | str]], code: int, words: str
) -> None:
    """What a service skips is not well; a hole that one service knows is a hole."""
    found, lines = told(iter(answers), PINS)
    assert found == code and words in "\n".join(lines)
    assert (lines[0].startswith("NOT AUDITED")) == (code == 2)
