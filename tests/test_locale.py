"""The words for people: in both languages, complete, and none without a use."""

from __future__ import annotations

import ast
import pkgutil
import re
import string
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import ttcs_edge.locale
from ttcs_edge.central.arguments import EXAMPLES as CENTRAL_COMMANDS
from ttcs_edge.cli.arguments import EXAMPLES as CLI_COMMANDS
from ttcs_edge.cli.errors import EXIT_CODES
from ttcs_edge.core.asrun import SILENT_REASONS
from ttcs_edge.core.model import AsRunReason, Outcome
from ttcs_edge.core.silence import NO_START
from ttcs_edge.core.supervision import SEVERITY
from ttcs_edge.link.backoff import RETRY
from ttcs_edge.locale import (
    cli_by_hand,
    cli_enrol,
    cli_log,
    cli_support,
    cli_trust,
    cli_walk,
    faults,
    language,
    messages,
    text,
)
from ttcs_edge.locale.faults import FAULTS, MISSED, OUTCOMES, REASONS, fault_words
from ttcs_edge.wire.reports import StatusReport

PACKAGE = Path(ttcs_edge.locale.__file__).parent.parent
MODULES = sorted(module.name for module in pkgutil.iter_modules(ttcs_edge.locale.__path__))

STATION = ("core", "wire", "link", "store", "drivers", "daemon", "player")
"""The folders whose codes a station tells."""


def constants(node: ast.AST) -> set[str]:
    """The strings within a piece of syntax."""
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def fields(words: str) -> set[str | None]:
    """The fields that a message wants filled in."""
    return {name for _, name, _, _ in string.Formatter().parse(words)} - {None}


@cache
def parsed(path: Path) -> ast.Module:
    """A module as syntax."""
    return ast.parse(path.read_text())


@cache
def walked(path: Path) -> tuple[ast.AST, ...]:
    """Every node of a module."""
    return tuple(ast.walk(parsed(path)))


@cache
def looked_through(path: Path) -> Source:
    """A module of the package, looked through once."""
    return Source(path)


class Source:
    """A module of the package: its functions, its tables, and the codes that an expression in it can come to."""

    def __init__(self, path: Path) -> None:
        self.tree = parsed(path)
        self.nodes = walked(path)
        self.functions = imported(self.nodes) | {
            one.name: one for one in self.nodes if isinstance(one, ast.FunctionDef)
        }
        self.tables = {
            target.id: one.value
            for one in self.tree.body
            if isinstance(one, ast.Assign | ast.AnnAssign) and isinstance(one.value, ast.Dict)
            for target in (one.targets if isinstance(one, ast.Assign) else [one.target])
            if isinstance(target, ast.Name)
        }

    def codes(self, node: ast.AST | None) -> set[str]:
        """Every string that an expression can come to: through conditions, tables, defaults and functions."""
        match node:
            case ast.Constant(value=str(code)):
                return {code}
            case ast.IfExp(body=one, orelse=other):
                return self.codes(one) | self.codes(other)
            case ast.BoolOp(values=values):
                return set[str]().union(*map(self.codes, values))
            case ast.Name(id=name) if name in self.tables:
                return set[str]().union(*map(self.codes, self.tables[name].values))
            case ast.Subscript(value=table):
                return self.codes(table)
            case ast.Call(func=ast.Name(id="getattr"), args=[_, _, default]):
                return self.codes(default)
            case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[_, default]):
                return self.codes(table) | self.codes(default)
            case ast.Call(func=func) if name_of(func) in self.functions:
                returns = (one for one in ast.walk(self.functions[name_of(func)]) if isinstance(one, ast.Return))
                return set[str]().union(*(self.codes(first(one.value)) for one in returns))
        return set()


def imported(nodes: Iterable[ast.AST]) -> dict[str, ast.FunctionDef]:
    """The functions that a module has from others of the package, by their names."""
    found: dict[str, ast.FunctionDef] = {}
    for one in nodes:
        if isinstance(one, ast.ImportFrom) and (one.module or "").startswith(PACKAGE.name):
            path = (PACKAGE.parent / str(one.module).replace(".", "/")).with_suffix(".py")
            body = parsed(path).body if path.exists() else []
            names = {alias.name for alias in one.names}
            found |= {node.name: node for node in body if isinstance(node, ast.FunctionDef) and node.name in names}
    return found


def name_of(node: ast.AST) -> str:
    """What a call calls, or what is assigned to, without its path."""
    return str(getattr(node, "id", getattr(node, "attr", "")))


def first(node: ast.AST | None) -> ast.AST | None:
    """The first of a tuple, which is where a code stands when it comes with its detail."""
    return node.elts[0] if isinstance(node, ast.Tuple) and node.elts else node


def place_of(node: ast.AST, name: str) -> int | None:
    """At which place a class or a function takes a string of that name; None when it does not."""
    if isinstance(node, ast.ClassDef):
        fields = [one for one in node.body if isinstance(one, ast.AnnAssign)]
        names = [name_of(one.target) if name_of(one.annotation) == "str" else "" for one in fields]
        made = next((one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"), None)
        return place_of(made, name) if made else names.index(name) if name in names else None
    if isinstance(node, ast.FunctionDef):
        arguments = [one for one in node.args.args if one.arg not in ("self", "cls")]
        named = [one.arg if one.annotation and name_of(one.annotation) == "str" else "" for one in arguments]
        return named.index(name) if name in named else None
    return None


@cache
def told(name: str, *folders: str) -> set[str]:
    """Every code that the sources give to something called ``name``: an argument, a field, or a variable.

    The control socket's are left out: it answers commands, and its codes are not faults.
    """
    paths = [path for folder in folders for path in sorted((PACKAGE / folder).rglob("*.py"))]
    sources = [looked_through(path) for path in paths if path.name != "control.py"]
    nodes = [(one, node) for one in sources for node in one.nodes]
    takers = {node.name: place for _, node in nodes if (place := place_of(node, name)) is not None}  # type: ignore[attr-defined]
    found = set[str]()
    for source, node in nodes:
        match node:
            case ast.Call(func=func, args=arguments, keywords=keywords) if name_of(func) in takers:
                place = takers[name_of(func)]
                found |= source.codes(arguments[place]) if place < len(arguments) else set()
                found |= set[str]().union(*(source.codes(one.value) for one in keywords if one.arg == name))
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                pairs = zip(targets, values, strict=True)
                found |= set[str]().union(*(source.codes(v) for t, v in pairs if name_of(t).lstrip("_") == name))
            case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=value):
                found |= source.codes(first(value)) if name_of(target).lstrip("_") == name else set()
    return found


def raised_codes() -> set[str]:
    """Every fault code that a line of a station's code brings up."""
    return told("code", *STATION) | set(SEVERITY)


BY_HAND = (PACKAGE / "daemon/walking.py", PACKAGE / "daemon/hands.py")


def told_to_commands() -> set[str]:
    """The codes with which the control socket answers; a technician's command tells them."""
    found = set[str]()
    for path in (PACKAGE / "link/control.py", PACKAGE / "daemon/control.py", PACKAGE / "daemon/carried.py", *BY_HAND):
        source = looked_through(path)
        calls = [one for one in ast.walk(source.tree) if isinstance(one, ast.Call) and one.args]
        refusals = [one for one in calls if name_of(one.func) in ("ControlError", "_refusal")]
        found |= set[str]().union(*(source.codes(one.args[0]) for one in refusals))
    return found


@pytest.mark.parametrize("module", MODULES)
def test_every_message_speaks_both_languages(module: str) -> None:
    """Both are there, composed letter by letter, and want the same fields."""
    for code, pair in messages(module).items():
        vietnamese, english = pair
        assert vietnamese.strip() and english.strip(), code
        assert fields(vietnamese) == fields(english), code
        assert unicodedata.is_normalized("NFC", vietnamese), code


SPEAKERS = {
    "cli": ("cli", "central/draw_watch.py", "terminal/power.py"),
    "central": ("central",),
    "terminal": ("terminal",),
}
"""Each table of words, and whose code says them."""
COMMANDS = {"cli": CLI_COMMANDS, "central": CENTRAL_COMMANDS}


@pytest.mark.parametrize("table", SPEAKERS)
def test_no_command_lacks_a_word_and_no_word_lacks_a_command(table: str) -> None:
    """Codes in the commands and messages in the table are the same, those made of a name and a value included."""
    paths = [
        path
        for name in SPEAKERS[table]
        for path in ([PACKAGE / name] if name.endswith(".py") else (PACKAGE / name).rglob("*.py"))
    ]
    whole, begun = set[str](), set[str]()
    for tree in (ast.parse(path.read_text()) for path in paths):
        parts = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
        begun |= {code for node in parts for code in codes_in(node.values[0], table)}
        whole |= codes_in(tree, table)
    words = {f"{table}.{code}" for code in messages(table)}
    open_ended = begun - {f"{table}."}
    commands = {f"{table}.{name}" for name in COMMANDS.get(table, ())}
    used = whole | {code for code in words if code.startswith(tuple(open_ended))} | commands

    assert whole - begun <= words
    assert words - used == set()


def codes_in(node: ast.AST, table: str) -> set[str]:
    """The codes of messages of a table, or their beginnings, within a piece of syntax."""
    return {one for one in constants(node) if re.fullmatch(rf"{table}\.[a-z0-9.-]*", one)}


def test_the_scan_finds_what_a_reader_finds() -> None:
    """Codes behind conditions, tables, defaults and functions are found: else the tests below prove nothing."""
    assert {"store-full", "store-failing", "rotten", "too-slow", "not-json", "cue-missed", "no-time"} <= raised_codes()
    assert {"lost", "tls-expired", "session-taken-over", "died", "hung"} <= told("reason", *STATION)


PINS = ("pins-by-hand", "pins-elsewhere", "pins-unsaid", "pins-whole")
"""What can keep pins from being put right."""
CLASS = ("class-centre-failed", "class-folder-taken", "class-no-mosquitto", "class-not-up")
"""What can keep a class from beginning."""


def test_every_answer_of_the_control_socket_has_words_and_an_exit_code() -> None:
    """What the daemon or the socket answers to a technician's command is told, not shown as a code."""
    codes = told_to_commands()

    assert {"not-running", "no-permission", "timeout", "bad-answer", "bad-request"} <= codes
    assert codes - set(EXIT_CODES) == set()
    own = {"no-rich", "no-terminal", "no-bundle", "bundle-elsewhere", "unwritable", *cli_enrol.ERRORS, *CLASS, *PINS}
    assert set(EXIT_CODES) - codes == own, "a command's own"
    assert {f"error.{code}{part}" for code in EXIT_CODES for part in ("", ".mend")} == {
        code for code in messages("cli") if code.startswith("error.")
    }


def test_every_state_of_a_station_has_words() -> None:
    """What the core can say of itself is told to the technician and to the operator."""
    states = told("state", "core")
    playout = Source(PACKAGE / "core/playout.py")
    amplifier = playout.codes(ast.parse("amplifier_state()", mode="eval").body)
    status = set(get_args(get_type_hints(StatusReport)["state"]))

    assert {"on-air", "idle", "no-time", "stopping"} <= states and {"warming"} <= amplifier
    assert words_of("cli", "state") == states
    assert words_of("cli", "amplifier") == amplifier
    assert words_of("central", "state") == states | status | {"unknown", "silent"}


def words_of(table: str, group: str) -> set[str]:
    """The codes of a group of words."""
    return {code.partition(".")[2] for code in messages(table) if code.startswith(f"{group}.")}


def test_every_fault_that_is_raised_has_words_and_no_other() -> None:
    """A new fault without words, or words whose fault is gone, fail here."""
    raised = raised_codes()

    assert raised - set(FAULTS) == set()
    assert set(FAULTS) - raised == {"unknown"}


def told_with() -> Iterator[tuple[str, set[str]]]:
    """Each code that is told with its detail on the spot, and the fields of that detail."""
    for path in sorted(path for folder in STATION for path in (PACKAGE / folder).rglob("*.py")):
        source = looked_through(path)
        for node in source.nodes:
            match node:
                case ast.Call(func=func, args=[code, *_], keywords=more) if name_of(func) in (
                    "FetchError",
                    "BlobError",
                ):
                    detail = {str(one.arg) for one in more}
                case ast.Call(func=func, args=[code, _, *_, ast.Tuple(elts=pairs)]) if name_of(func) == "Refused":
                    detail = {str(getattr(one.elts[0], "value", "")) for one in pairs if isinstance(one, ast.Tuple)}
                case ast.Call(func=func, args=[_, code, _, ast.Tuple(elts=pairs)]) if name_of(func) == "_raise":
                    detail = {str(getattr(one.elts[0], "value", "")) for one in pairs if isinstance(one, ast.Tuple)}
                case _:
                    continue
            yield from ((one, detail) for one in source.codes(code) if "None" not in detail)


def test_no_fault_wants_a_field_that_it_is_not_told_with() -> None:
    """A technician of our own station never reads "?" in place of what was found."""
    added = {"subject", "slot"}  # the subject is the fault's own; wire adds the slot in which a rule stands
    short = [
        (code, lacking)
        for code, detail in told_with()
        for words in FAULTS.get(code, ((), (), ()))[0]
        if (lacking := fields(words) - detail - added)
    ]

    assert short == []
    assert {"short", "rotten", "bad-grant", "trust-expired"} <= {code for code, _ in told_with()}


def test_every_reason_and_outcome_of_a_record_has_words() -> None:
    """As-run records, lost links and dead players are told in words, and no words are left over."""
    reasons = {reason.value for reason in AsRunReason}
    links = told("reason", "link") - {"connected"}  # no fault is raised for a link that is up
    players = told("reason", "drivers")

    assert set(REASONS) | set(FAULTS) >= reasons | links | players | {NO_START}
    assert set(REASONS) == (reasons | links | players | {NO_START}) - {"session-taken-over"}  # a fault of its own
    assert links == set(RETRY)
    assert players == {"died", "hung"}
    assert {reason.value for reason in SILENT_REASONS} == set(MISSED)
    assert {outcome.value for outcome in Outcome} == set(OUTCOMES)


def test_a_fault_is_told_with_its_mend() -> None:
    """The whole words of one fault, in both languages."""
    detail = {"found": "1", "expected": "2"}

    english = fault_words("not-enough-signatures", "vn/lam-dong", detail, "en")
    vietnamese = fault_words("not-enough-signatures", "vn/lam-dong", detail, "vi")

    assert english.meaning == "A document of vn/lam-dong has too few trusted signatures: 1, needed 2"
    assert english.cause == "the signer may not speak for this place; it may be a forgery"
    assert english.mend == "ask the centre who published it; if it was not them, report an attack"
    assert vietnamese.meaning == "Tài liệu của vn/lam-dong không đủ chữ ký tin cậy: có 1, cần 2"


def test_a_reason_within_a_fault_is_told_in_words() -> None:
    """``tls-expired`` is no word for a technician."""
    words = fault_words("link-down", "broker", {"reason": "tls-expired"}, "en")

    assert words.meaning == "There is no connection to the centre: a certificate has expired, or the clock is wrong"


def test_a_cue_that_was_not_heard_is_mended_by_its_reason() -> None:
    """A bulletin that is not audio is published again; a relay is looked at with gpioinfo."""
    words = fault_words("cue-missed", "vn/lam-dong#sang", {"reason": "not-audio", "occurrence": "x"}, "en")

    assert words.meaning == "vn/lam-dong#sang was not heard: the file was not audio"
    assert words.cause == "the file was signed, but it cannot be decoded"
    assert words.mend == "publish the bulletin again from a good recording"
    assert "gpioinfo" in fault_words("cue-missed", "x", {"reason": "relay"}, "vi").mend
    assert fault_words("cue-missed", "x", {}, "en").cause == "see the other faults of the same time"


@pytest.mark.parametrize("lang", ttcs_edge.locale.LANGUAGES)
def test_a_fault_of_a_newer_station_is_told_all_the_same(lang: ttcs_edge.locale.Language) -> None:
    """Unknown codes and missing or strange details never fail: they come from outside (never-7)."""
    assert "meteor" in fault_words("meteor", "roof", {}, lang).meaning
    assert "roof" in fault_words("meteor", "roof", {"{subject}": "{0}"}, lang).meaning
    for code in FAULTS:
        assert fault_words(code, "{x}", {}, lang).meaning
    assert "?" in fault_words("wrong-scope", "x", {}, lang).meaning
    assert fault_words("relay", "x", {"error": "{code}"}, "en").meaning == "The relay x cannot be switched: {code}"


def test_a_hash_is_told_short() -> None:
    """Sixty-four digits do not fit a phone; twelve are enough to find the file."""
    words = fault_words("rotten", "0123456789abcdef" * 4, {}, "en")

    assert words.meaning == "An audio file in the store has gone bad: 0123456789ab…"


def test_outcomes_and_reasons_without_words_stand_for_themselves() -> None:
    """A record of a newer station is shown, not refused."""
    assert faults.reason_words("power", "vi") == "mất điện"
    assert faults.reason_words("meteor", "vi") == "meteor"
    assert faults.outcome_words("part", "en") == "aired in part"
    assert faults.outcome_words("meteor", "en") == "meteor"


def test_a_code_without_words_is_a_mistake_of_ours() -> None:
    """An unknown code or a missing field is not hidden."""
    with pytest.raises(KeyError, match="no-such-code"):
        text("cli.no-such-code", "vi")
    with pytest.raises(KeyError, match="path"):
        text("cli.error.not-running", "vi")


@pytest.mark.parametrize(
    ("argument", "environ", "expected"),
    [
        (None, {}, "vi"),
        (None, {"LANG": "en_US.UTF-8"}, "en"),
        (None, {"LANG": "en"}, "en"),
        (None, {"LANG": "en.UTF-8"}, "en"),
        (None, {"LANG": "vi_VN.UTF-8"}, "vi"),
        (None, {"LANG": "fr_FR.UTF-8"}, "vi"),
        (None, {"LANG": "C.UTF-8"}, "vi"),
        (None, {"LC_ALL": "", "LANG": "en_GB"}, "en"),
        (None, {"LC_MESSAGES": "vi_VN", "LANG": "en_US"}, "vi"),
        (None, {"LC_ALL": "en_US", "LC_MESSAGES": "vi_VN", "LANG": "vi_VN"}, "en"),
        ("en", {"LC_ALL": "vi_VN"}, "en"),
        ("vi", {"LC_ALL": "en_US"}, "vi"),
    ],
)
def test_the_language_is_what_was_asked_for_or_the_locale_or_vietnamese(
    argument: str | None, environ: dict[str, str], expected: str
) -> None:
    """--lang, then LC_ALL, LC_MESSAGES and LANG in POSIX's order, then Vietnamese."""
    assert language(argument, environ) == expected


def test_no_part_of_the_commands_words_takes_anothers_code() -> None:
    """The later one would be said in the place of the other."""
    modules = (cli_by_hand, cli_enrol, cli_log, cli_support, cli_trust, cli_walk)
    parts = [module.MESSAGES for module in modules]
    own = {key.value for key in table_keys(PACKAGE / "locale/cli.py") if isinstance(key, ast.Constant)}
    codes = [*own, *(code for part in parts for code in part)]
    assert len(codes) == len({*codes})
    assert {*codes} <= {*messages("cli")}


def table_keys(path: Path) -> list[ast.expr | None]:
    """The keys of a module's MESSAGES as they are written."""
    (table,) = (
        one.value
        for one in parsed(path).body
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.target.id == "MESSAGES"
    )
    assert isinstance(table, ast.Dict)
    return table.keys
