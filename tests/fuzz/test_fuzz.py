"""Every reader takes whatever comes, in the gate with a few seconds of examples, at length with ``make fuzz``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fuzz.core import Core
from tests.fuzz.run import FOUND, GROWTH_KB, blob, fuzz, replayed, rounds, rss_kb, tried, unblob
from tests.fuzz.targets import Target, every_target
from ttcs_edge.link.inbox import Kind
from ttcs_edge.wire.envelope import Sealed

SEED = 20_261_124
EXAMPLES = 40
OF_THE_CORE = 12
"""Each of them is three documents, two of them signed, and what they record on disk."""
SOAK_SEED = 7
SOAK_MINUTES = 60


NAMES = tuple(every_target())


@pytest.mark.parametrize("name", NAMES)
def test_whatever_comes_is_a_value_or_a_refusal(name: str) -> None:
    """never-7: nothing raises, nothing takes long, and what is refused has changed nothing."""
    fuzz(every_target()[name], SEED, OF_THE_CORE if name.startswith("core/") else EXAMPLES, None)


@pytest.mark.parametrize("name", NAMES)
def test_good_input_is_read(name: str) -> None:
    """The ground on which the examples stand: spoilt rubbish would try nothing."""
    for data in every_target()[name].seeds:
        tried(every_target()[name], data)


def test_what_was_found_once_is_not_found_again() -> None:
    """Kept for ever, each under the name of its reader."""
    kept = [file for file in sorted(FOUND.glob("*/*")) if file.is_file()]
    named = {name.replace("/", "-").replace(" ", "-"): one for name, one in every_target().items()}
    for file in kept:
        tried(named[file.parent.name], file.read_bytes())
    assert len(kept) >= 1


def test_a_reader_that_raises_is_found_made_small_and_replayed(tmp_path: Path) -> None:
    """The instrument can fail: a reader that cannot bear one byte is found, with next to nothing around that byte."""

    def brittle(data: bytes) -> object:
        if b"\0" in data:
            raise LookupError
        return data

    target = Target(brittle, (b"abc\ndef",), "bytes")
    with pytest.raises(LookupError) as raised:
        fuzz(target, SEED, 2_000, None)
    data: bytes = raised.value.data  # type: ignore[attr-defined]
    assert b"\0" in data and len(data) <= 8
    assert unblob(blob(data)) == data
    (tmp_path / "find").write_bytes(data)
    for word in (blob(data), str(tmp_path / "find")):
        with pytest.raises(LookupError):
            replayed(target, word)


@pytest.mark.parametrize("kind", ["programme", "command", "alert"])
def test_a_station_that_believes_strangers_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: Kind
) -> None:
    """The instrument can fail: where nobody looked at signatures, a stranger's word would change the station."""
    core, (data, *_) = Core(tmp_path), every_target()[f"core/{kind}"].seeds
    monkeypatch.setattr(Sealed, "signers", lambda self, keys: frozenset(keys))
    with pytest.raises(AssertionError, match="refused, and yet"):
        core.document(kind, data)


@pytest.mark.soak
@pytest.mark.timeout(60 * (SOAK_MINUTES + 10))
def test_an_hour_of_bad_input_finds_nothing_and_takes_no_memory(tell: Callable[[str], None]) -> None:
    """As ``make fuzz MINUTES=60 SEED=7`` does, in this process."""
    before_kb = rss_kb()
    assert rounds(every_target(), SOAK_MINUTES, SOAK_SEED) == 0
    tell(f"fuzz: {SOAK_MINUTES} minutes, seed {SOAK_SEED}, {rss_kb() - before_kb:,} KB more (bound {GROWTH_KB:,})")
