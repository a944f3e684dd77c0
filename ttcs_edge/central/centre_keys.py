"""Keys come into ``centre.yaml`` while every comment and blank of the operator's stays as it is.

The text of a key is put behind the last one of the list, where the nodes of the YAML say that it ends. What would stand
in the file is read before it takes the file's place: it must say what it said, and the new keys.
"""

from __future__ import annotations

import stat
from collections.abc import Sequence

import yaml
from msgspec import structs

from ttcs_edge.central.centre import Centre, SigningKey, read_settings
from ttcs_edge.central.errors import BadCentreFile, CentralError
from ttcs_edge.whole_files import replace


def add_keys(centre: Centre, keys: Sequence[SigningKey]) -> None:
    """Put keys at the end of the list. Raises CentralError ``centre-not-changed`` when that cannot be done as text."""
    if not keys:
        return
    file = centre.folder / "centre.yaml"
    text = file.read_bytes().decode("utf-8")
    settings = read_settings(file)
    wanted = structs.replace(settings, keys=(*settings.keys, *keys))
    changed = with_keys(text, keys)
    try:
        is_good = read_settings(file, changed) == wanted
    except BadCentreFile:
        is_good = False
    if not is_good:
        raise CentralError("centre-not-changed", file=file, lines="\n".join(map(_flow, keys)))
    replace(file, changed.encode(), stat.S_IMODE(file.stat().st_mode))


def with_keys(text: str, keys: Sequence[SigningKey]) -> str:
    """The text of a ``centre.yaml`` with more keys, written as those that stand there are."""
    listed = _key_list(text)
    last = listed.value[-1]
    if listed.flow_style:
        end = last.end_mark.index
        return text[:end] + "".join(f", {_flow(key)}" for key in keys) + text[end:]
    begin = text.rfind("\n", 0, last.start_mark.index) + 1
    indent = text[begin : text.index("-", begin)]
    line_ends = text.find("\n", _end(last) - 1)
    end = len(text) if line_ends < 0 else line_ends + 1
    before = text[:end] if text[:end].endswith("\n") else f"{text[:end]}\n"
    return before + "".join(_block(key, indent) for key in keys) + text[end:]


def _key_list(text: str) -> yaml.SequenceNode:
    """The list of keys in a file that was read by its form before."""
    document = yaml.compose(text, yaml.SafeLoader)
    assert isinstance(document, yaml.MappingNode)
    listed = next(child for name, child in document.value if name.value == "keys")
    assert isinstance(listed, yaml.SequenceNode)
    return listed


def _end(node: yaml.Node) -> int:
    """Behind the last word of a node, or its line end: a block ends for YAML only where the next begins."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _end(node.value[-1][1])
    return int(node.end_mark.index)


def _block(key: SigningKey, indent: str) -> str:
    lines = [f"{name}: {_quoted(value)}" for name, value in structs.asdict(key).items()]
    return f"{indent}- " + f"\n{indent}  ".join(lines) + "\n"


def _flow(key: SigningKey) -> str:
    return "{" + ", ".join(f"{name}: {_quoted(value)}" for name, value in structs.asdict(key).items()) + "}"


def _quoted(value: str) -> str:
    """A value that YAML reads as the text that it is."""
    plain = value.replace("-", "").replace(".", "").isalnum() and yaml.safe_load(value) == value
    return value if plain else f'"{value}"'
