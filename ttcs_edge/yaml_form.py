"""A YAML file as a form to be filled in: a table of keys says what may stand where; every mistake is told at once.

A file is read in three steps, and only the first stops at its first mistake, because nothing can be said of the rest:

1. bytes to nodes with their lines (PyYAML's safe loader, composed, never constructed): no tag, alias or depth of
   nesting is obeyed, and a key that stands twice is seen;
2. nodes to values, by the table: each key's kind reads its node or adds a ``Problem`` and reads on;
3. the caller's own checks between keys, which add their problems to the same list.

A ``Problem`` holds codes and fields: what is wrong, what was found (as it is written in the file), what was expected
and what mends it. The sentences are in ``ttcs_edge.locale.config``. Bad input never leaves this module as anything
but a problem (never-7). YAML 1.1 reads ``21:00`` as the number 1260 and ``no`` as false; the kinds see the text as it
was written, and say so.
"""

from __future__ import annotations

import difflib
import re
import stat
import unicodedata
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import yaml
from msgspec import Struct

from ttcs_edge.locale.config import TABLES, Words, problem_text

T = TypeVar("T")
FILE_BYTES: Final = 64 * 1024
NESTING: Final = 8
FOUND_CHARS: Final = 80
PROBLEMS: Final = 100

BOOLEAN_TAG: Final = "tag:yaml.org,2002:bool"
INTEGER_TAG: Final = "tag:yaml.org,2002:int"
FLOAT_TAG: Final = "tag:yaml.org,2002:float"
NULL_TAG: Final = "tag:yaml.org,2002:null"
TEXT_TAG: Final = "tag:yaml.org,2002:str"
TIMESTAMP_TAG: Final = "tag:yaml.org,2002:timestamp"
PLAIN_TAGS: Final = frozenset(
    {BOOLEAN_TAG, INTEGER_TAG, FLOAT_TAG, NULL_TAG, TEXT_TAG, TIMESTAMP_TAG}
    | {"tag:yaml.org,2002:value", "tag:yaml.org,2002:merge", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
)


class Problem(Struct, frozen=True):
    """One thing wrong with a file: codes and fields, whose words are in ``ttcs_edge.locale.config``.

    ``line`` counts from 1; 0 means the file as a whole. ``key`` is a path such as ``zones[1].pin``, whose first item
    is 1. ``found`` is the text as it stands in the file.
    """

    file: Path
    line: int
    key: str
    code: str
    found: str
    expected: str
    mend: str
    fields: tuple[tuple[str, str], ...] = ()


def explain(problems: Iterable[Problem], tables: tuple[Words, Words, Words] = TABLES) -> str:
    """Tell problems in Vietnamese and in English, the line of each first, as a person at the file reads them.

    ``tables`` hold the words of what is wrong, of what was expected and of the mend.
    """
    return "\n\n".join(
        problem_text(
            place=f"{one.file}:{one.line}" if one.line else str(one.file),
            key=one.key,
            codes=(one.code, one.expected, one.mend),
            found=one.found,
            fields=dict(one.fields),
            tables=tables,
        )
        for one in problems
    )


class Expected(Struct, frozen=True):
    """What should have stood somewhere: a code of ``locale.config`` and its fields."""

    code: str
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Page:
    """A file while it is read: where each key stands, its value when it is good, and what was found wrong so far."""

    file: Path
    most_bytes: int = FILE_BYTES
    problems: list[Problem] = field(default_factory=list)
    nodes: dict[str, yaml.Node] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def line(self, key: str) -> int:
        """Tell the line of a key's value, or of the section that should hold it; 0 when there is none."""
        while key not in self.nodes and key:
            key = holder(key)
        return line_of(self.nodes[key]) if key in self.nodes else 0

    def written(self, key: str) -> str:
        """Give a key's value as it stands in the file; empty when it does not."""
        return written(self.nodes[key]) if key in self.nodes else ""

    def refuse(
        self,
        key: str,
        code: str,
        expected: Expected,
        mend: str,
        *,
        found: str | None = None,
        line: int | None = None,
        **more: str,
    ) -> None:
        """Add a problem about a key. ``line`` and ``found`` are looked up when not given; empty fields are left out.

        A file that is wrong from end to end is not told from end to end: the last of ``PROBLEMS`` says so.
        """
        if len(self.problems) >= PROBLEMS:
            return
        if len(self.problems) == PROBLEMS - 1:
            code, expected, mend, more = "more-problems", Expected("form"), "mend-first", {}
        self.problems.append(
            Problem(
                file=self.file,
                line=self.line(key) if line is None else line,
                key=key,
                code=code,
                found=self.written(key) if found is None else found,
                expected=expected.code,
                mend=mend,
                fields=expected.fields + tuple((name, value) for name, value in sorted(more.items()) if value),
            )
        )


def holder(key: str) -> str:
    """Give the path of the section or list that holds a key: ``zones[1].pin`` is in ``zones[1]``, in ``zones``."""
    return key[: max(key.rfind("."), key.rfind("["), 0)]


def refuse_lacking(page: Page, key: str, expected: Expected, addition: str) -> None:
    """A key that is needed is not there, nor may the section be that should hold it."""
    section = holder(key)
    if section not in page.nodes:
        addition = f"{section}: {{{addition}}}"
    page.refuse(key, "missing-key", expected, "add-line", found="", addition=addition)


def line_of(node: yaml.Node) -> int:
    """Tell the line, from 1, on which a node begins."""
    return int(node.start_mark.line) + 1


def plain(node: yaml.Node) -> str:
    """Give the text of a scalar, without its quotes; any other node as it is written."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else written(node)


def written(node: yaml.Node) -> str:
    """Give a node as it is written in its file, quotes and all, shortened to one line."""
    source = str(node.start_mark.buffer or "")
    text = " ".join(source[node.start_mark.pointer : node.end_mark.pointer].split())
    return text if len(text) <= FOUND_CHARS else text[: FOUND_CHARS - 1] + "…"


# ---------------------------------------------------------------------------------------------- bytes to nodes


class Stopped(Exception):
    """The file cannot be read any further; its problem is on the page."""


class _Loader(yaml.SafeLoader):
    """Composes nodes and refuses what can grow without bound: aliases and depth."""

    def __init__(self, text: str, page: Page) -> None:
        super().__init__(text)
        self.page = page
        self.depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent):
            self._stop("alias", "no-alias", "write-out", f"*{event.anchor}", line)
        if self.depth >= NESTING:
            self._stop("too-deep", "nesting", "flatten", "", line)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _stop(self, code: str, expected: str, mend: str, found: str, line: int) -> None:
        wanted = Expected(expected, (("most", str(NESTING)),) if expected == "nesting" else ())
        self.page.refuse("", code, wanted, mend, found=found, line=line)
        raise Stopped


def read_bytes(page: Page) -> bytes:
    """Read the whole file, or add why it cannot be read and raise ``Stopped``."""
    wanted = Expected("readable-file")
    try:
        if not stat.S_ISREG(page.file.stat().st_mode):
            page.refuse("", "not-a-file", wanted, "give-file", found=str(page.file))
            raise Stopped
        with page.file.open("rb") as stream:
            content = stream.read(page.most_bytes + 1)
    except FileNotFoundError:
        page.refuse("", "file-missing", wanted, "make-file", found=str(page.file))
        raise Stopped from None
    except OSError as error:
        page.refuse("", "file-unreadable", wanted, "give-access", found=error.strerror or str(error))
        raise Stopped from None
    if len(content) > page.most_bytes:
        size = Expected("file-size", (("most", str(page.most_bytes)),))
        page.refuse("", "file-too-large", size, "give-file", found=f"> {page.most_bytes}")
        raise Stopped
    return content


def decode(page: Page, content: bytes) -> str:
    """Make text of UTF-8 bytes, or add where they are not UTF-8 and raise ``Stopped``."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = content[error.start : error.start + 4].hex(" ")
        page.refuse("", "not-utf8", Expected("utf8"), "save-utf8", found=found, line=line)
        raise Stopped from None


def compose(page: Page, text: str) -> yaml.Node:
    """Make nodes of text, or add the first mistake in its YAML and raise ``Stopped``."""
    node: yaml.Node | None = None
    try:
        loader = _Loader(text, page)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        found = f"U+{ord(text[error.position]):04X}"
        page.refuse("", "control-character", Expected("plain-text"), "delete-character", found=found, line=line)
        raise Stopped from None
    except yaml.MarkedYAMLError as error:
        _refuse_syntax(page, text, error)
        raise Stopped from None
    if node is None or (node.tag == NULL_TAG and not plain(node)):
        page.refuse("", "file-empty", Expected("form"), "make-file", found="")
        raise Stopped
    return node


def _refuse_syntax(page: Page, text: str, error: yaml.MarkedYAMLError) -> None:
    quote_open = "quoted scalar" in (error.context or "")
    mark = error.context_mark if quote_open else error.problem_mark or error.context_mark
    number = mark.line if mark else 0
    lines = text.splitlines() or [""]
    found = lines[min(number, len(lines) - 1)]
    shown = " ".join(found.replace("\t", "⇥ ").split())[:FOUND_CHARS]
    if "\t" in found:
        code, mend = "tab", "use-spaces"
    elif "single document" in (error.context or ""):
        code, mend = "several-documents", "one-document"
    elif quote_open or found.count('"') % 2 or found.count("'") % 2:
        code, mend = "syntax", "close-quote"
    else:
        code, mend = "syntax", "check-indent"
    page.refuse("", code, Expected("yaml"), mend, found=shown, line=number + 1)


# ---------------------------------------------------------------------------------------------- nodes to values


class Kind(Protocol):
    """Reads one node. Adds to the page what is wrong with it, and then gives None."""

    @property
    def expected(self) -> Expected:
        """What should stand here."""

    def read(self, page: Page, key: str, node: yaml.Node) -> Any:
        """Give the value of a node, or add to the page what is wrong with it and give None."""


def _read(kind: Kind, page: Page, key: str, node: yaml.Node) -> Any:
    """Read a node by its kind, and keep a good value on the page for the checks between keys."""
    value = kind.read(page, key, node)
    if value is not None:
        page.values[key] = value
    return value


def _refuse_type(page: Page, key: str, node: yaml.Node, expected: Expected, mend: str = "write-kind") -> None:
    if node.tag == NULL_TAG:
        page.refuse(key, "no-value", expected, "give-value", found="")
    elif node.tag not in PLAIN_TAGS:
        page.refuse(key, "tag", expected, "delete-tag", found=node.tag.replace("tag:yaml.org,2002:", "!!"))
    else:
        page.refuse(key, "wrong-type", expected, mend)


def _quoting(node: yaml.ScalarNode) -> str:
    """Name the mend of a text that YAML 1.1 takes for something else."""
    if node.tag == BOOLEAN_TAG:
        return "boolean-word"
    return "sexagesimal" if node.tag in {INTEGER_TAG, FLOAT_TAG} and ":" in node.value else "quote"


def _unwritable(letter: str) -> bool:
    """Tell whether a letter, which YAML can write as an escape, commands a terminal or fits into no file or path."""
    return letter not in "\n\t" and unicodedata.category(letter) in {"Cc", "Cs"}


def read_time(
    page: Page, key: str, node: yaml.Node, expected: Expected, mend: str, meant: Callable[[str], T | None]
) -> T | None:
    """Give what a time is ``meant`` to be, or None for what is none, which is told; YAML takes some for text."""
    is_text = isinstance(node, yaml.ScalarNode) and node.tag in {TEXT_TAG, TIMESTAMP_TAG}
    found = meant(str(node.value)) if is_text else None
    if found is None:
        page.refuse(key, "malformed" if is_text else "wrong-type", expected, mend)
    return found


class Text(Struct, frozen=True):
    """A word or a sentence; ``pattern`` must match the whole of it."""

    what: str
    most_chars: int
    pattern: str = r".*\S.*"

    @property
    def expected(self) -> Expected:
        """What should stand here."""
        return Expected(self.what, (("most", str(self.most_chars)),))

    def read(self, page: Page, key: str, node: yaml.Node) -> str | None:
        """Give the text, or None."""
        if not isinstance(node, yaml.ScalarNode) or node.tag == NULL_TAG or node.tag not in PLAIN_TAGS:
            _refuse_type(page, key, node, self.expected)
        elif node.tag != TEXT_TAG:
            _refuse_type(page, key, node, self.expected, _quoting(node))
        elif len(node.value) > self.most_chars:
            page.refuse(key, "too-long", self.expected, "shorten", chars=str(len(node.value)))
        elif bad := next((letter for letter in node.value if _unwritable(letter)), None):
            found = f"U+{ord(bad):04X}"
            page.refuse(key, "control-character", Expected("plain-text"), "delete-character", found=found)
        elif not re.fullmatch(self.pattern, node.value):
            page.refuse(key, "malformed", self.expected, "write-kind")
        else:
            return str(node.value)
        return None


class TimeZone(Struct, frozen=True):
    """A time zone that this machine knows, by its IANA name."""

    @property
    def expected(self) -> Expected:
        """What should stand here."""
        return Expected("time-zone")

    def read(self, page: Page, key: str, node: yaml.Node) -> str | None:
        """Give the name, or None."""
        name = Text("time-zone", 64).read(page, key, node)
        if name is None:
            return None
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            guess = closest(name, sorted(zoneinfo.available_timezones()), 0.8)
            page.refuse(
                key, "no-such-time-zone", self.expected, "did-you-mean" if guess else "find-time-zone", guess=guess
            )
            return None
        return name


class Whole(Struct, frozen=True):
    """A whole number within bounds that are part of the range."""

    least: int
    most: int
    unit: str = "whole"

    @property
    def expected(self) -> Expected:
        """What should stand here."""
        return Expected(self.unit, (("least", str(self.least)), ("most", str(self.most))))

    def read(self, page: Page, key: str, node: yaml.Node) -> int | None:
        """Give the number, or None."""
        if not isinstance(node, yaml.ScalarNode) or node.tag != INTEGER_TAG or ":" in node.value:
            _refuse_type(page, key, node, self.expected, "write-number")
        elif not re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", node.value):
            page.refuse(key, "malformed", self.expected, "write-number")
        elif not self.least <= int(node.value) <= self.most:
            page.refuse(key, "out-of-range", self.expected, "within-range")
        else:
            return int(node.value)
        return None


class Milliseconds(Struct, frozen=True):
    """A time in seconds, decimals allowed, within bounds that are part of the range; read as milliseconds."""

    least_ms: int
    most_ms: int

    @property
    def expected(self) -> Expected:
        """What should stand here."""
        return Expected("seconds", (("least", f"{self.least_ms / 1000:g}"), ("most", f"{self.most_ms / 1000:g}")))

    def read(self, page: Page, key: str, node: yaml.Node) -> int | None:
        """Give milliseconds, or None."""
        text = node.value if isinstance(node, yaml.ScalarNode) else ""
        if node.tag not in {INTEGER_TAG, FLOAT_TAG} or ":" in text:
            _refuse_type(page, key, node, self.expected, "write-number")
        elif not (match := re.fullmatch(r"(-?)(\d{1,9})(?:\.(\d{1,3})\d*)?", text)):
            page.refuse(key, "malformed", self.expected, "write-number")
        else:
            value = int(match[2]) * 1000 + int((match[3] or "0").ljust(3, "0"))
            value = -value if match[1] else value
            if self.least_ms <= value <= self.most_ms:
                return value
            page.refuse(key, "out-of-range", self.expected, "within-range")
        return None


class Flag(Struct, frozen=True):
    """``true`` or ``false``, in YAML 1.1's spellings of them."""

    @property
    def expected(self) -> Expected:
        """What should stand here."""
        return Expected("flag")

    def read(self, page: Page, key: str, node: yaml.Node) -> bool | None:
        """Give the truth value, or None."""
        if node.tag != BOOLEAN_TAG or not isinstance(node, yaml.ScalarNode):
            _refuse_type(page, key, node, self.expected, "write-flag")
            return None
        return str(node.value).lower() in {"true", "yes", "on"}


class Choice(Struct, frozen=True):
    """One of the values of an enumeration."""

    of: type[Enum]

    @property
    def expected(self) -> Expected:
        """What should stand here."""
        return Expected("one-of", (("choices", ", ".join(str(one.value) for one in self.of)),))

    def read(self, page: Page, key: str, node: yaml.Node) -> Enum | None:
        """Give the member of the enumeration, or None."""
        if isinstance(node, yaml.ScalarNode) and node.tag in PLAIN_TAGS - {NULL_TAG}:
            for one in self.of:
                if one.value == node.value:
                    return one
            guess = closest(node.value, [str(one.value) for one in self.of])
            page.refuse(key, "not-one-of", self.expected, "did-you-mean" if guess else "choose", guess=guess)
        else:
            _refuse_type(page, key, node, self.expected, "choose")
        return None


def closest(word: str, known: list[str], likeness: float = 0.6) -> str:
    """Give the known word that a mistyped one was most probably meant to be; empty when none is that near."""
    near = difflib.get_close_matches(word.lower(), [one.lower() for one in known], 1, likeness)
    return next((one for one in known if near and one.lower() == near[0]), "")


class PathText(Struct, frozen=True):
    """A path; a relative one starts from the folder of the file. ``what`` says what lies there."""

    what: str

    @property
    def expected(self) -> Expected:
        """What should stand here."""
        return Expected(self.what)

    def read(self, page: Page, key: str, node: yaml.Node) -> Path | None:
        """Give the absolute path, or None."""
        text = Text(self.what, 1_000).read(page, key, node)
        return None if text is None else page.file.parent.absolute() / text


class ListOf(Struct, frozen=True):
    """A list of one kind, with bounds on its length."""

    of: Kind
    least: int
    most: int

    @property
    def expected(self) -> Expected:
        """What should stand here."""
        return Expected("list", (("least", str(self.least)), ("most", str(self.most))))

    def read(self, page: Page, key: str, node: yaml.Node) -> tuple[Any, ...] | None:
        """Give every item, or None when one of them is bad."""
        if not isinstance(node, yaml.SequenceNode):
            _refuse_type(page, key, node, self.expected, "write-list")
            return None
        if not self.least <= len(node.value) <= self.most:
            page.refuse(key, "list-length", self.expected, "within-range", count=str(len(node.value)))
            return None
        values = []
        for place, child in enumerate(node.value, start=1):
            child_key = f"{key}[{place}]"
            page.nodes[child_key] = child
            values.append(_read(self.of, page, child_key, child))
        return None if any(value is None for value in values) else tuple(values)


class Key(Struct, frozen=True):
    """One key of a section. ``default`` (in the file's own unit) counts when it is left out, unless it is required.

    ``example`` is a value as it may be written, for the mend of a missing key and for the documentation.
    """

    name: str
    kind: Kind
    example: str
    required: bool = False
    default: str = ""


class Section(Struct, frozen=True):
    """Keys under a key. A value that was left out is absent from what is read."""

    keys: tuple[Key, ...]

    @property
    def expected(self) -> Expected:
        """What should stand here."""
        return Expected("section", (("keys", ", ".join(key.name for key in self.keys)),))

    def read(self, page: Page, key: str, node: yaml.Node) -> Mapping[str, Any] | None:
        """Give what was written, good values only, or None when it is not a section."""
        if not isinstance(node, yaml.MappingNode):
            _refuse_type(page, key, node, self.expected, "write-section")
            return None
        children, meant = self._children(page, key, node)
        values = {}
        for one in self.keys:
            path = f"{key}.{one.name}" if key else one.name
            if one.name in children:
                values[one.name] = _read(one.kind, page, path, children[one.name])
            elif one.required and one.name not in meant:
                mend = "add-line" if one.example else "add-section"
                addition = f"{one.name}: {one.example}"
                page.refuse(path, "missing-key", one.kind.expected, mend, found="", addition=addition)
        return {name: value for name, value in values.items() if value is not None}

    def _children(self, page: Page, key: str, node: yaml.MappingNode) -> tuple[dict[str, yaml.Node], set[str]]:
        """Give the known keys' nodes, and the keys that mistyped ones were meant to be; refuse unknown and double."""
        names = [one.name for one in self.keys]
        children: dict[str, yaml.Node] = {}
        meant: set[str] = set()
        for name_node, child in node.value:
            name, line = plain(name_node), line_of(name_node)
            path = f"{key}.{name}" if key else name
            if name in children:
                first = line_of(children[name])
                page.refuse(
                    path, "duplicate-key", Expected("once"), "delete-one", found=name, line=line, first=str(first)
                )
            elif name not in names or not isinstance(name_node, yaml.ScalarNode):
                guess = closest(name, names)
                meant.add(guess)
                mend = "did-you-mean" if guess else "delete-key"
                known = Expected("known-key", self.expected.fields)
                page.refuse(path, "unknown-key", known, mend, found=name, line=line, guess=guess)
            else:
                children[name] = child
                page.nodes[path] = child
        return children, meant


def fill(file: Path, form: Section, most_bytes: int = FILE_BYTES) -> tuple[Page, Mapping[str, Any] | None]:
    """Read a file by a form: the page, with every problem found, and the good values; whole when there is none."""
    page = Page(file, most_bytes)
    try:
        text = decode(page, read_bytes(page))
    except Stopped:
        return page, None
    return page, fill_text(page, text, form)


def fill_text(page: Page, text: str, form: Section) -> Mapping[str, Any] | None:
    """Read what stands, or is about to stand, in a file by a form; as ``fill``."""
    try:
        node = compose(page, text)
    except Stopped:
        return None
    page.nodes[""] = node
    if not isinstance(node, yaml.MappingNode):
        page.refuse("", "not-a-form", Expected("form"), "make-file")
        return None
    return form.read(page, "", node)
