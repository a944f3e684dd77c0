"""What a check found: how bad it is, and its words, from whichever table they come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from msgspec import Struct

from ttcs_edge.locale import Language, messages, text
from ttcs_edge.locale.config import problem_words
from ttcs_edge.locale.faults import fault_words
from ttcs_edge.yaml_form import Problem


class Level(Enum):
    """How it stands. ``UNSEEN`` is what was not looked at."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"
    UNSEEN = "unseen"


class Words(Struct, frozen=True):
    """What is so, and what mends it; the latter is empty of what needs no mend."""

    meaning: str
    mend: str = ""


class Finding(Struct, frozen=True):
    """One line of a check. ``fields`` are what its words name; ``words`` gives them in a language. ``told``: it is the
    daemon's word, and not what was seen here.
    """

    level: Level
    code: str
    fields: Mapping[str, str]
    words: Callable[[Language], Words]
    told: bool = False


def found(level: Level, code: str, **fields: object) -> Finding:
    """A finding of our own, whose words are in ``locale.doctor``."""

    def words(lang: Language) -> Words:
        named = fields | ({"check": text(f"doctor.check.{fields['check']}", lang)} if "check" in fields else {})
        mend = text(f"doctor.{code}.mend", lang, **named) if f"{code}.mend" in messages("doctor") else ""
        return Words(text(f"doctor.{code}", lang, **named), mend)

    return Finding(level, code, {name: str(value) for name, value in fields.items()}, words)


def green(code: str, **fields: object) -> Finding:
    """What is as it should be."""
    return found(Level.GREEN, code, **fields)


def yellow(code: str, **fields: object) -> Finding:
    """What is not, and lets the station work."""
    return found(Level.YELLOW, code, **fields)


def red(code: str, **fields: object) -> Finding:
    """What keeps the station from its work."""
    return found(Level.RED, code, **fields)


def unseen(code: str, **fields: object) -> Finding:
    """What was not looked at, and why."""
    return found(Level.UNSEEN, code, **fields)


def of_problem(problem: Problem, level: Level = Level.RED) -> Finding:
    """What is wrong with ``station.yaml``, or with a file that it names."""
    place = f"{problem.file.name}:{problem.line}" if problem.line else problem.file.name
    where = f"{place} {problem.key}".strip()
    fields = {"file": str(problem.file), "line": str(problem.line), "key": problem.key, "found": problem.found}

    def words(lang: Language) -> Words:
        codes = (problem.code, problem.expected, problem.mend)
        wrong, expected, mend = problem_words(
            codes, problem.key.rpartition(".")[2] or place, problem.found, dict(problem.fields), lang
        )
        shown = f": {problem.found}" if problem.found else ""
        return Words(f"{where}: {wrong}{shown}", f"{mend} ({expected})")

    return Finding(level, problem.code, fields | dict(problem.fields), words)


def of_fault(fault: Mapping[str, Any], told: bool = True) -> Finding:
    """A fault that the daemon tells, or one that was seen here and has the same words."""
    level = Level.RED if fault["severity"] == "error" else Level.YELLOW
    code, subject, detail = str(fault["code"]), str(fault["subject"]), dict(fault["detail"])

    def words(lang: Language) -> Words:
        told = fault_words(code, subject, detail, lang)
        return Words(told.meaning, told.mend)

    return Finding(
        level, code, {"subject": subject} | {name: str(value) for name, value in detail.items()}, words, told
    )
