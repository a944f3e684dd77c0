"""House rules, with the mend in the message. Each is tried on a line that breaks it, so that it can fail."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pytest

from ttcs_edge.core.effects import Effect, Leave, Record, WakeAt
from ttcs_edge.core.events import Event
from ttcs_edge.core.station import _ROUTES

TOP = Path(__file__).parents[1]
FUNCTION_LINES = 70


@dataclass(frozen=True)
class Ban:
    """A pattern, where it is banned (not in ``but``), and what to do instead."""

    pattern: str
    where: str
    instead: str
    but: str = r"^$"


BANS = (
    Ban(r"\b(uuid4|datetime\.now|time\.time|random\.)", r"^ttcs_edge/core/", "take it from the event or the Instant"),
    Ban(r"\bfor \w+ in (set|frozenset)\(", r"^ttcs_edge/core/", "sorted(...): sets have no order"),
    Ban(r"\bVerifiedAudio\(", r"^ttcs_edge/", "Blobs.open_verified()", r"store/blobs\.py|core/model\.py"),
    Ban(r"\bmock\.patch|import mock\b", r"^tests/", "a real part, or a fake behind the same Protocol"),
    Ban(r"\bTO" + r"DO\b|\bFIX" + r"ME\b|\bXX" + r"X\b", r"", "do it, or write an issue"),
    Ban(r"(?<![\w.])/(work|farm)/", r"", "a path that every machine has"),
    Ban(r"^.{121,}$", r"^CHANGELOG\.md$", "a line of its own for what is beyond 120 characters"),
    Ban(r"(artifact|pypi|registry)[\w.-]*\.(org|dev|com|internal)\b", r"", "the package's name alone"),
)


def files() -> list[str]:
    """Every file that git keeps."""
    listed = subprocess.run(["git", "ls-files"], cwd=TOP, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.splitlines() if Path(TOP / name).is_file()]


def broken(name: str, text: str) -> Iterator[str]:
    """Every ban that a file breaks, as path:line: what, use what."""
    for ban in BANS:
        if re.search(ban.where, name) and not re.search(ban.but, name):
            for number, line in enumerate(text.splitlines(), 1):
                found = re.search(ban.pattern, line)
                if found:
                    yield f"{name}:{number}: {found.group(0)} is banned here, use {ban.instead}"


def long_functions(name: str, text: str) -> Iterator[str]:
    """Every function that is longer than a screen."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            lines = node.end_lineno - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"{name}:{node.lineno}: {node.name} has {lines} lines, split it ({FUNCTION_LINES} at the most)"


def test_nothing_banned_is_in_the_house() -> None:
    """Each finding names the mend."""
    texts = {name: (TOP / name).read_text("utf-8", "replace") for name in files() if not name.endswith(".lock")}
    found = [line for name, text in texts.items() if name != "tests/test_house.py" for line in broken(name, text)]
    assert found == []


def test_no_function_is_longer_than_a_screen() -> None:
    """Seventy lines."""
    names = [name for name in files() if name.endswith(".py")]
    assert [line for name in names for line in long_functions(name, (TOP / name).read_text())] == []


@pytest.mark.parametrize(
    ("name", "line", "instead"),
    [
        ("ttcs_edge/core/x.py", "now = datetime.now()", "take it from the event or the Instant"),
        ("ttcs_edge/core/x.py", "for one in set(zones):", "sorted(...): sets have no order"),
        ("ttcs_edge/drivers/x.py", "VerifiedAudio(sha, 1, fd)", "Blobs.open_verified()"),
        ("tests/x.py", "with mock.patch('x'):", "a real part, or a fake behind the same Protocol"),
        ("ttcs_edge/x.py", "# TO" + "DO later", "do it, or write an issue"),
        ("README.md", "see /work" + "/main", "a path that every machine has"),
        ("CHANGELOG.md", "- news " * 18, "a line of its own for what is beyond 120 characters"),
    ],
)
def test_each_ban_can_fail(name: str, line: str, instead: str) -> None:
    """A line that breaks it is found, and told how to mend."""
    (found,) = broken(name, line)
    assert found.startswith(f"{name}:1: ") and found.endswith(f"is banned here, use {instead}")
    assert list(broken("ttcs_edge/wire/x.py", "value = 1")) == []


def test_a_long_function_is_found() -> None:
    """Seventy-two lines."""
    text = "def long():\n" + "    x = 1\n" * 71
    assert list(long_functions("a.py", text)) == ["a.py:1: long has 72 lines, split it (70 at the most)"]


def test_every_event_has_one_route_and_every_effect_one_handler() -> None:
    """Nothing can happen, or be asked for, that nobody answers."""
    assert set(get_args(Event)) == set(_ROUTES)
    handlers = (TOP / "ttcs_edge/daemon/handlers.py").read_text() + (TOP / "ttcs_edge/daemon/main.py").read_text()
    missing = [
        kind.__name__
        for kind in get_args(Effect)
        if kind not in (Record, WakeAt, Leave) and f"effects.{kind.__name__}:" not in handlers
    ]
    assert missing == []


def test_every_rule_that_this_release_keeps_is_cited() -> None:
    """A reviewer can walk from the design's rules to the code and the tests."""
    cited = "\n".join((TOP / name).read_text() for name in files() if name.endswith(".py"))
    rules = [f"air-{n}" for n in range(1, 9)] + [f"never-{n}" for n in range(1, 10)]
    assert [rule for rule in rules if not re.search(rf"\b{rule}\b", cited)] == []
