"""What is made of the programs' own words: as they are now, readable, and complete."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

import pytest

from tests.man_page import commands
from tests.pages import PARSERS, TOP, pages
from ttcs_edge.locale import LANGUAGES, Language
from ttcs_edge.locale.faults import FAULTS

MANUALS = sorted((TOP / "share/man").rglob("*.1"))


def test_every_page_is_what_the_programs_say() -> None:
    """And nothing else lies beside."""
    made = pages()
    assert {name: (TOP / name).read_text() for name in made} == made, "make pages"
    kept = {str(path.relative_to(TOP)) for path in (TOP / "share").rglob("*") if path.is_file()}
    assert kept == {name for name in made if name.startswith("share/")}


def test_every_code_of_a_fault_has_its_place_on_the_page_of_faults() -> None:
    """Once."""
    page = (TOP / "firmware_notes/faults.md").read_text()
    for code in {*FAULTS} - {"unknown"}:
        assert page.count(f"\n## {code}\n") == 1, code


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("program", PARSERS)
def test_a_manual_page_tells_every_command_and_every_option(program: str, lang: Language) -> None:
    """Those within other commands, too."""
    folder = {"en": "man/man1", "vi": "man/vi/man1"}[lang]
    page = (TOP / "share" / folder / f"{program}.1").read_text().replace("\\-", "-")
    for command in commands(PARSERS[program](lang)):
        assert f'.SS "{command.prog}"' in page
        for action in command._actions:
            if not isinstance(action, argparse._HelpAction):
                assert all(f"\\fB{name}\\fR" in page for name in action.option_strings)


@pytest.mark.parametrize("path", MANUALS, ids=lambda path: str(path.relative_to(TOP)))
def test_groff_has_nothing_to_say_against_a_manual_page(path: Path) -> None:
    """Read as UTF-8, as man(1) reads it, with all warnings."""
    command = ["groff", "-K", "utf-8", "-t", "-man", "-ww", "-Tutf8", "-z", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", [["ttcs-edge", "sched"], ["ttcs-edge", "log", "--outc"], ["ttcs-central", "add-s"]])
def test_bash_completes_a_command_and_an_option(words: list[str]) -> None:
    """By the functions of the file, called as bash calls them."""
    script = TOP / f"share/bash-completion/completions/{words[0]}"
    typed = " ".join(words)
    asked = f"""
        source {script}
        COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; COMP_LINE='{typed}'; COMP_POINT={len(typed)}
        $(complete -p {words[0]} | sed -E 's/.*-F ([^ ]+).*/\\1/') {words[0]} {words[-1]} {words[-2]}
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True)

    expected = {"sched": "schedule", "--outc": "--outcome", "add-s": "add-station"}[words[-1]]
    assert (done.stdout.strip(), done.stderr) == (expected, "")
