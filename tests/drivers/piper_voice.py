"""A voice for Piper that is no more than a hum for each phoneme.

Neither Debian nor PyPI has a voice: a real one is a file of 60 MB, under a licence of its own, which whoever wants
Piper chooses and fetches. This one takes and gives what theirs do (the inputs ``input``, ``input_lengths`` and
``scales``, a row of samples), so that the program does all of its own work on it. The model is written down as ONNX is
read (https://onnx.ai/onnx/intro/concepts.html; its messages and their numbers are those of onnx.proto).
"""

from __future__ import annotations

import json
from array import array
from pathlib import Path

RATE_HZ = 22_050
PHONEME_FRAMES = 600
HUM_HZ = 147
SYMBOLS = list(dict.fromkeys(["_", "^", "$", *map(chr, range(0x20, 0x7F)), *map(chr, range(0xA1, 0x370))]))
"""Padding, the beginning and the end of a sentence, and whatever espeak-ng may call a phoneme."""
SILENT = "_^$ ,.;:!?"
FLOATS, INTEGERS = 1, 7
"""The types of a tensor's elements."""

Field = tuple[int, "int | str | bytes"]


def message(*fields: Field) -> bytes:
    """A Protocol Buffers message: numbers as varints, all else with its length before it."""
    return b"".join(
        varint(number << 3) + varint(value) if isinstance(value, int) else _with_length(number, value)
        for number, value in fields
    )


def _with_length(number: int, value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    parts = [value & 0x7F]
    while value := value >> 7:
        parts[-1] |= 0x80
        parts.append(value & 0x7F)
    return bytes(parts)


def tensor(name: str, kind: int, shape: tuple[int, ...], data: bytes) -> bytes:
    """A constant."""
    return message(*((1, size) for size in shape), (2, kind), (8, name), (9, data))


def port(name: str, kind: int, *shape: str) -> bytes:
    """What goes in or comes out."""
    sizes = message(*((1, message((2, size))) for size in shape))
    return message((1, name), (2, message((1, message((1, kind), (2, sizes))))))


def node(kind: str, inputs: tuple[str, ...], output: str) -> bytes:
    """One step."""
    return message(*((1, name) for name in inputs), (2, output), (4, kind))


def hum(symbol: str) -> array[float]:
    """Each phoneme's own, from silence to silence; a pause is silent all through."""
    period = RATE_HZ // (HUM_HZ + ord(symbol) % 40)
    loud = 0.0 if symbol in SILENT else 0.8
    edge = 60
    shape = [min(1.0, at / edge, (PHONEME_FRAMES - at) / edge) for at in range(PHONEME_FRAMES)]
    return array("f", (loud * shape[at] * (2 * (at % period) / period - 1) for at in range(PHONEME_FRAMES)))


def model() -> bytes:
    """Looks up each phoneme's sound, and puts them one behind another."""
    sounds = b"".join(hum(symbol).tobytes() for symbol in SYMBOLS)
    graph = message(
        (1, node("Gather", ("sounds", "input"), "rows")),
        (1, node("Reshape", ("rows", "row"), "output")),
        (2, "hum"),
        (5, tensor("sounds", FLOATS, (len(SYMBOLS), PHONEME_FRAMES), sounds)),
        (5, tensor("row", INTEGERS, (3,), array("q", (1, 1, -1)).tobytes())),
        (11, port("input", INTEGERS, "batch", "phonemes")),
        (11, port("input_lengths", INTEGERS, "batch")),
        (11, port("scales", FLOATS, "three")),
        (12, port("output", FLOATS, "batch", "one", "samples")),
    )
    return message((1, 8), (7, graph), (8, message((2, 13))))


def make_voice(folder: Path) -> Path:
    """Write the model and, beside it, what it says of itself; gives the model's path."""
    path = folder / "hum.onnx"
    path.write_bytes(model())
    config = {
        "audio": {"sample_rate": RATE_HZ},
        "espeak": {"voice": "en-us"},
        "phoneme_type": "espeak",
        "num_symbols": len(SYMBOLS),
        "num_speakers": 1,
        "phoneme_id_map": {symbol: [number] for number, symbol in enumerate(SYMBOLS)},
    }
    path.with_name(f"{path.name}.json").write_text(json.dumps(config, ensure_ascii=False))
    return path
