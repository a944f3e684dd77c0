"""The words for people: in both languages, complete, and none without a use."""

from __future__ import annotations

import ast
import pkgutil
import re
import string
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

import ttcs_edge.locale
from ttcs_edge.core.asrun import SILENT_REASONS
from ttcs_edge.core.model import AsRunReason, Outcome
from ttcs_edge.core.supervision import SEVERITY
from ttcs_edge.locale import faults, language, messages, text
from ttcs_edge.locale.faults import FAULTS, MISSED, OUTCOMES, REASONS, fault_words

PACKAGE = Path(ttcs_edge.locale.__file__).parent.parent
MODULES = sorted(module.name for module in pkgutil.iter_modules(ttcs_edge.locale.__path__))

CODE_ARGUMENT = {"Refused": 0, "FetchError": 0, "BlobError": 0, "ConditionChanged": 0, "_raise": 1, "AudioLost": 1}
"""Where the calls that bring a fault up have its code."""


def trees(*folders: str) -> Iterator[ast.AST]:
    """The syntax of every module of the package, or of some of its folders."""
    for folder in folders or (".",):
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            yield ast.parse(path.read_text())


def constants(node: ast.AST) -> set[str]:
    """The strings within a piece of syntax."""
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def fields(words: str) -> set[str | None]:
    """The fields that a message wants filled in."""
    return {name for _, name, _, _ in string.Formatter().parse(words)} - {None}


def raised_codes() -> set[str]:
    """Every fault code that a line of a station's code brings up."""
    codes = set(SEVERITY)
    for tree in trees("core", "wire", "link", "store", "drivers", "daemon"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                place = CODE_ARGUMENT.get(name, len(node.args))
                codes |= constants(node.args[place]) if place < len(node.args) else set()
    return codes


@pytest.mark.parametrize("module", MODULES)
def test_every_message_speaks_both_languages(module: str) -> None:
    """Both are there, composed letter by letter, and want the same fields."""
    for code, pair in messages(module).items():
        vietnamese, english = pair
        assert vietnamese.strip() and english.strip(), code
        assert fields(vietnamese) == fields(english), code
        assert unicodedata.is_normalized("NFC", vietnamese), code


def test_no_command_lacks_a_word_and_no_word_lacks_a_command() -> None:
    """Codes in the commands and messages in the table are the same, those made of a name and a value included."""
    whole, begun = set[str](), set[str]()
    for tree in trees("cli"):
        parts = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
        begun |= {code for node in parts for code in codes_in(node.values[0])}
        whole |= codes_in(tree)
    table = {f"cli.{code}" for code in messages("cli")}
    begun -= {"cli."}
    used = whole | {code for code in table if code.startswith(tuple(begun))} | {f"cli.{name}" for name in COMMANDS}

    assert begun > {"cli.state.", "cli.error."}
    assert whole - begun - {"cli."} <= table
    assert table - used == set()


COMMANDS = ("run", "check-config", "status", "schedule", "version")


def codes_in(node: ast.AST) -> set[str]:
    """The codes of messages of the commands, or their beginnings, within a piece of syntax."""
    return {one for one in constants(node) if one.startswith("cli.")}


def test_every_fault_that_is_raised_has_words_and_no_other() -> None:
    """A new fault without words, or words whose fault is gone, fail here."""
    raised = raised_codes()

    assert raised - set(FAULTS) == set()
    assert set(FAULTS) - raised == {"unknown"}


def test_every_reason_and_outcome_of_a_record_has_words() -> None:
    """As-run records, lost links and dead players are told in words."""
    assert {reason.value for reason in AsRunReason} <= set(REASONS)
    assert {reason.value for reason in SILENT_REASONS} == set(MISSED)
    assert {outcome.value for outcome in Outcome} == set(OUTCOMES)
    link = (PACKAGE / "link/mqtt.py").read_text()
    player = (PACKAGE / "drivers/player.py").read_text()
    assigned = set(re.findall(r'self\._reason(?:: [^=]+)? = \("([a-z-]+)"', link))
    named, ended = _returned(link, "_reason"), _returned(player, "_listen")
    assert {"lost", "session-taken-over"} <= assigned
    assert named == {"tls", "tls-expired", "refused", "timeout", "dns", "unreachable"}
    assert ended == {"died", "hung"}
    assert (assigned | named | ended) - set(REASONS) == {"session-taken-over"}


def _function(source: str, name: str) -> ast.AST:
    return next(one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.FunctionDef) and one.name == name)


def _returned(source: str, name: str) -> set[str]:
    """The strings that a function returns."""
    returns = [one for one in ast.walk(_function(source, name)) if isinstance(one, ast.Return) and one.value]
    return {
        one.value
        for node in returns
        for one in ast.walk(node.value or node)
        if isinstance(one, ast.Constant)
        and isinstance(one.value, str)
        and one.value not in {"expired", "name", "resolve"}
    }


def test_a_fault_is_told_with_its_mend() -> None:
    """The whole words of one fault, in both languages."""
    detail = {"found": "1", "expected": "2"}

    english = fault_words("not-enough-signatures", "vn/lam-dong", detail, "en")
    vietnamese = fault_words("not-enough-signatures", "vn/lam-dong", detail, "vi")

    assert english.meaning == "A document of vn/lam-dong has too few trusted signatures: 1, needed 2"
    assert english.cause == "the signer may not speak for this place; it may be a forgery"
    assert english.mend == "ask the centre who published it; if it was not them, report an attack"
    assert vietnamese.meaning == "Tài liệu vn/lam-dong không đủ chữ ký tin cậy: có 1, cần 2"


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
