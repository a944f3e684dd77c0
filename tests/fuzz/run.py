"""One target with so many examples, and a long run over all of them: what was found is told so that it can be replayed.

Hypothesis keeps what it found in a folder of its own (``FUZZ_FOLDER``, or ``.fuzz`` beside the sources, which ``make
clean`` leaves alone) and begins with it the next time. Each run is a number, and so is each round of it: the same
number draws the same examples, as long as nothing is kept. Atheris, which would look at what the code does with its
input, has no wheel for a Raspberry Pi's processor, and its libFuzzer is built from a whole LLVM; it is left out.
"""

from __future__ import annotations

import argparse
import base64
import os
import resource
import sys
import time
import zlib
from collections.abc import Mapping
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase

from tests.fuzz.spoil import spoilt
from tests.fuzz.targets import TOP, Target, every_target

FOLDER = Path(os.environ.get("FUZZ_FOLDER", TOP / ".fuzz"))
FOUND = Path(__file__).with_name("found")
"""What was found once, and is tried for ever: a folder a target, whose name has no slash, in it a file a find."""
SLOW_S = 5.0
"""Of the processor's time: no reader may take longer for what is no larger than this."""
ROUND = 50
"""How many examples a target has in each round of a long run."""
GROWTH_KB = 64 * 1024
"""What the process may have grown by after its first rounds, whatever it was fed."""
FIRST_ROUNDS = 2


class TooSlow(AssertionError):
    """A reader took longer than any may."""


def tried(target: Target, data: bytes) -> None:
    """Read bytes, in time. Raises what the target raises, or TooSlow."""
    begun_s = time.process_time()
    target.call(data)
    if (took_s := time.process_time() - begun_s) > SLOW_S:
        raise TooSlow(f"{took_s:.1f} s for {len(data)} bytes")


def blob(data: bytes) -> str:
    """Bytes as a word that can be pasted."""
    return base64.urlsafe_b64encode(zlib.compress(data, 9)).decode()


def unblob(word: str) -> bytes:
    """And back."""
    return zlib.decompress(base64.urlsafe_b64decode(word))


def fuzz(target: Target, number: int, examples: int, database: ExampleDatabase | None) -> int:
    """Try a target with examples drawn from a number; gives how many. Raises what it raises at the smallest of them.

    The bytes of that one are its ``data``.
    """
    count, last = 0, b""

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=database,
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(spoilt(target))
    def one(data: bytes) -> None:
        nonlocal count, last
        count, last = count + 1, data
        tried(target, data)

    try:
        one()
    except BaseException as error:
        error.data = last  # type: ignore[attr-defined]
        raise
    return count


def rss_kb() -> int:
    """What the process holds of the machine's memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


def tell(name: str, error: BaseException) -> None:
    """A find: what was raised, where, and how it is replayed."""
    import traceback

    word = blob(getattr(error, "data", b""))
    print(f"FOUND in {name}: {type(error).__name__}: {str(error)[:300]}")
    print("".join(traceback.format_exception(error)[-3:])[-2_000:])
    print(f"replay: make fuzz ONLY='{name}' BLOB={word if len(word) < 3_000 else keep(name, error)}", flush=True)


def keep(name: str, error: BaseException) -> Path:
    """Put the bytes of a find into a file: they are too many for a line."""
    file = FOLDER / f"{name.replace('/', '-')}-{zlib.crc32(getattr(error, 'data', b'')):08x}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(getattr(error, "data", b""))
    return file


def replayed(target: Target, word: str) -> None:
    """Try a find again, of its blob or of the file that holds it. Raises what it raises."""
    file = Path(word)
    tried(target, file.read_bytes() if len(word) < 255 and file.is_file() else unblob(word))


def rounds(targets: Mapping[str, Target], minutes: float, number: int) -> int:
    """Go round all targets until the time is over; gives how many of them have a find."""
    end_s, database = time.monotonic() + 60 * minutes, DirectoryBasedExampleDatabase(FOLDER / "examples")
    counts, spent_s, bad = dict.fromkeys(targets, 0), dict.fromkeys(targets, 0.0), set[str]()
    turn, first_kb = 0, 0
    while time.monotonic() < end_s and len(bad) < len(targets):
        for name in [name for name in targets if name not in bad]:
            begun_s = time.process_time()
            try:
                counts[name] += fuzz(targets[name], number + turn, ROUND, database)
            except Exception as error:
                bad.add(name)
                tell(name, error)
            spent_s[name] += time.process_time() - begun_s
            if time.monotonic() > end_s:
                break
        turn += 1
        if turn <= FIRST_ROUNDS:
            first_kb = rss_kb()
        print(f"round {turn}, seed {number + turn - 1}: {sum(counts.values()):,} examples, {rss_kb():,} KB", flush=True)
    for name in sorted(targets, key=lambda name: -spent_s[name]):
        each_ms = 1_000 * spent_s[name] / max(1, counts[name])
        print(f"  {counts[name]:>9,}  {each_ms:7.2f} ms  {name}{'  FOUND' if name in bad else ''}")
    grown_kb = rss_kb() - first_kb
    print(f"{sum(counts.values()):,} examples, {len(targets)} readers; {grown_kb:,} KB more since round {FIRST_ROUNDS}")
    if grown_kb > GROWTH_KB:
        print(f"MEMORY: more than {GROWTH_KB:,} KB")
        bad.add("memory")
    return len(bad)


def main() -> int:
    """``make fuzz``."""
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="the beginning of the names of some targets")
    parser.add_argument("--blob", default="", help="what a find was told as, for one target")
    given_ = parser.parse_args()
    targets = {name: one for name, one in every_target().items() if name.startswith(given_.only)}
    if not targets:
        parser.error(f"no target begins with {given_.only}")
    if given_.blob:
        for name in [given_.only] if given_.only in targets else targets:
            replayed(targets[name], given_.blob)
        print("nothing is wrong with it")
        return 0
    return 1 if rounds(targets, given_.minutes, given_.seed or time.time_ns() % 1_000_000_000) else 0


if __name__ == "__main__":
    sys.exit(main())
