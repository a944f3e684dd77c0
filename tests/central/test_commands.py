"""The operator's command line: its help in both languages, wrong use, and exit codes that a script can read."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.central.test_watch import TOPICS, status
from tests.parts import Broker, Listener
from ttcs_edge.central.arguments import EXAMPLES, make_parser
from ttcs_edge.central.errors import EXIT_CODES
from ttcs_edge.locale import LANGUAGES, Language, central_alerts
from ttcs_edge.locale.central import ERRORS
from ttcs_edge.terminal.arguments import Parser
from ttcs_edge.wire.reports import encode

SCREENS = Path(__file__).parents[1] / "data/central"


def run(*words: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, its output piped."""
    environment = {name: value for name, value in os.environ.items() if not re.match(r"LC_|LANG|NO_COLOR", name)}
    return subprocess.run(
        [sys.executable, "-m", "ttcs_edge.central.main", *map(str, words)],
        env=environment | {"COLUMNS": "80"} | environ,
        capture_output=True,
        timeout=30,
        encoding="utf-8",
        cwd="/",
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_help_tells_every_command_in_the_language(lang: str) -> None:
    """The whole first page, as in the file beside; no command at all shows it too, as wrong use."""
    page = (SCREENS / f"help-80-{lang}.txt").read_text()

    asked, none = run("--help", "--lang", lang), run(LANG=f"{lang}_XX.UTF-8")

    assert (asked.returncode, asked.stdout, asked.stderr) == (0, page, "")
    assert (none.returncode, none.stdout, none.stderr) == (64, "", page)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_command_shows_an_example_that_parses(name: str) -> None:
    """The example at the end of each help is a command line that is understood; every option has a word."""
    usages: dict[Language, str] = {"en": "usage", "vi": "cách dùng"}
    for lang, usage in usages.items():
        page = run(name, "--help", "--lang", lang).stdout
        assert page.startswith(f"{usage}: ttcs-central {name} ")
        assert page.endswith(f"\n  {EXAMPLES[name]}\n")
        words = [action.help for action in command_parser(name, lang)._actions]
        assert all(words) and len(set(words)) == len(words)
    assert make_parser("en").parse_args(EXAMPLES[name].split()[1:]).command == name


def command_parser(name: str, lang: Language) -> Parser:
    """The parser of one command."""
    (commands,) = (one for one in make_parser(lang)._actions if isinstance(one, argparse._SubParsersAction))
    parser = commands.choices[name]
    assert isinstance(parser, Parser)
    return parser


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["pulbish"], "COMMAND: there is no 'pulbish'"),
        (["init", "x"], "--scope is missing"),
        (["watch"], "FOLDER is missing"),
        (["publish", "x"], "PROGRAMME.yaml is missing"),
        (["watch", "x", "--for", "soon"], "--for: soon will not do, give a number from 1 to 86400"),
        (
            ["init", "x", "--scope", "vn", "--root-keys", "17"],
            "--root-keys: 17 will not do, give a number from 1 to 16",
        ),
        (["add-station", "x", "y", "--scope", "vn", "--https-ca", "z"], "--https-ca: there is no 'z'"),
        (["watch", "x", "--jsn"], "not understood: --jsn"),
        (["alert", "x", "--update", "a", "--cancel", "b"], "--cancel: not together with --update"),
        (
            ["alert", "x", "--headline", "vi= "],
            "--headline: vi=  will not do, give plain text of 1 to 200 characters",
        ),
        (["alert", "x", "--headline", "a", "--headline", "b"], "--headline: given twice for -"),
        (["alert", "x", "--set", "Nơi=a"], "--set: Nơi=a will not do, write name=text, such as noi=..."),
        (["alert", "x", "--zones", "a,đ"], "--zones: a,đ will not do, write ids of zones with commas between them"),
        (
            ["alert", "x", "--repeat", "29"],
            "--repeat: 29 will not do, give 0 (once) or a number from 30 to 86400",
        ),
        (["alert", "x", "--severity", "Bad"], "--severity: there is no 'Bad'"),
        (["alert", "x", "--expires-in", "10081"], "--expires-in: 10081 will not do, give a number from 1 to 10080"),
    ],
)
def test_wrong_use_is_told(words: list[str], problem: str) -> None:
    """What is wrong, and where the help is; exit code 64."""
    done = run(*words, "--lang", "en")

    assert (done.returncode, done.stdout, done.stderr.splitlines()[0]) == (64, "", f"Wrong use: {problem}")
    assert re.fullmatch(r"See: ttcs-central( [a-z-]+)? --help", done.stderr.splitlines()[1])


def test_every_failure_has_its_words_and_its_exit_code() -> None:
    """No code without words or without an exit code of sysexits.h, and none too many."""
    assert {*ERRORS, *central_alerts.ERRORS} == set(EXIT_CODES) and not set(ERRORS) & set(central_alerts.ERRORS)
    assert set(EXIT_CODES.values()) == {65, 66, 69, 70, 73, 77}


def test_a_folder_that_is_no_centre_is_told_in_the_language(tmp_path: Path) -> None:
    """Also where the terminal knows no Vietnamese letter, and whatever the place of --lang."""
    vietnamese = run("watch", tmp_path, PYTHONIOENCODING="ascii")
    english = run("--lang", "en", "watch", tmp_path)

    assert (vietnamese.returncode, vietnamese.stdout) == (66, "")
    assert vietnamese.stderr.startswith(f"{tmp_path} kh?ng ph?i l? th? m?c trung t?m\n")
    assert (english.returncode, english.stderr) == (
        66,
        f"{tmp_path} is not the folder of a centre\nName the right one, or make one: ttcs-central init\n",
    )


def test_head_may_stop_reading(centre_folder: Path, own_broker: Broker) -> None:
    """A reader that has seen enough of the reports is no error."""
    station = Listener(own_broker, "da-teh-01", subscribe="none")
    for number in range(50):
        name = f"da-teh-{number:02}"
        station.publish(TOPICS.station(name, "status"), encode(status(station=name)))
    station.close()
    watch = f"{sys.executable} -m ttcs_edge.central.main watch {centre_folder} --json --for 5"
    command = f"{watch} --broker 127.0.0.1:{own_broker.port} | head -n 1"

    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, timeout=30)

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") == 1


def test_no_secret_is_in_what_a_command_says_or_in_its_arguments(centre_folder: Path, tmp_path: Path) -> None:
    """No private key is printed, and none can be given on a command line, where every user of the machine reads it."""
    keys = [path.read_text() for path in (*centre_folder.glob("keys/*.pem"), *centre_folder.glob("*.key"))]
    secrets = ["".join(key.splitlines()[1:-1]) for key in keys]

    said = run("add-station", centre_folder, "a", "--scope", "vn/lam-dong", "--broker", "x")
    said_too = run("server-certificate", centre_folder, "localhost")

    assert (said.returncode, said_too.returncode) == (0, 0)
    everything = said.stdout + said.stderr + said_too.stdout + said_too.stderr
    assert not [secret for secret in secrets if secret in everything] and "PRIVATE" not in everything
    helps = "".join(run(name, "--help", "--lang", "en").stdout for name in EXAMPLES)
    assert not re.search(r"--\S*(password|pin|secret|private)", helps)
