"""`signatures`: what it adds to an alert and to a start that somebody's word is checked.

An alert: from its bytes to a verdict, beside the same document taken at its word (``json.loads`` of envelope and
payload); ``adds_p50`` and ``adds_p99`` are the difference in milliseconds. A start: a fresh process reads the root
and the programme that it kept, 1,000 slots, beside one that takes both at their word; ``start_adds_percent`` is what
that comes to of a bare start.
"""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import msgspec

from tests.bench.report import percentile, report
from tests.bench.start import BARE, bare
from tests.bench.verify import SETTINGS, programme
from tests.parts import SCOPE, Province
from tests.system.test_alerts import alert_of
from ttcs_edge.core.documents import Alert, AlertInfo, Audio, Refused
from ttcs_edge.core.model import Instant, MonoMs, Sha256, WallMs
from ttcs_edge.core.trust import Accepted, judge_alert
from ttcs_edge.wire.documents import read_alert

RUNS = 500
STARTS = 15
INLINE_BYTES = 100_000
START = """
import sys, time
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from ttcs_edge.core.documents import Programme, TrustRoot
from ttcs_edge.core.model import Instant, MonoMs, WallMs
from ttcs_edge.core.trust import check_authority
from ttcs_edge.daemon.beginning import load_trust
from ttcs_edge.wire.documents import parse_programme, parse_trust_root, read_programme
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, read_envelope
folder = Path(sys.argv[1])
now = Instant(WallMs(time.time_ns() // 1_000_000), MonoMs(0), True)
began = time.perf_counter()
if sys.argv[2] == "checked":
    root = load_trust(folder, now)
    signed = read_programme((folder / "programme").read_bytes(), root, "vn/lam-dong")
    assert check_authority(signed, root, now) is None
else:
    root = read_envelope((folder / "root.dsse.json").read_bytes(), PAYLOAD_TYPES["trust"], "")
    kept = read_envelope((folder / "programme").read_bytes(), PAYLOAD_TYPES["programme"], "")
    parse_trust_root(root.payload, "")
    parse_programme(kept.payload, "")
print((time.perf_counter() - began) * 1_000)
"""


def an_alert() -> Alert:
    """One whose words came inside it."""
    sound = random.Random(1).randbytes(INLINE_BYTES)
    audio = Audio(
        language="vi",
        sha256=Sha256(sha256(sound).hexdigest()),
        size_bytes=INLINE_BYTES,
        duration_ms=20_000,
        media_type="audio/ogg",
        loudness_lufs=-16.0,
        places=("broker:",),
    )
    inline = base64.b64encode(sound).decode()
    return alert_of(AlertInfo(language="vi", headline="Lũ quét", audio=audio, inline=inline))


def taken_at_its_word_ms(envelope: bytes) -> float:
    """The same document, and nobody asks whose it is."""
    began = time.perf_counter()
    msgspec.json.decode(base64.b64decode(json.loads(envelope)["payload"]), type=Alert)
    return (time.perf_counter() - began) * 1_000


def judged_ms(envelope: bytes, province: Province) -> float:
    """From bytes to a verdict."""
    now = Instant(WallMs(time.time_ns() // 1_000_000), MonoMs(0), True)
    began = time.perf_counter()
    signed = read_alert(envelope, province.root, "lu-quet")
    assert not isinstance(signed, Refused), signed
    verdict = judge_alert(
        signed,
        trust=province.root,
        topic=(SCOPE, "lu-quet"),
        station_scope=SETTINGS.scope,
        known=None,
        floor_ms=0,
        now=now,
    )
    taken_ms = (time.perf_counter() - began) * 1_000
    assert isinstance(verdict, Accepted), verdict
    return taken_ms


def start_ms(folder: Path, how: str) -> float:
    """What a fresh process needs for the root and the programme."""
    run = subprocess.run([sys.executable, "-c", START, folder, how], capture_output=True, text=True, check=True)
    return float(run.stdout)


def main() -> None:
    """Both in turn."""
    province = Province()
    envelope = province.sign(an_alert())
    floor, ours = [], []
    for _ in range(RUNS):
        floor.append(taken_at_its_word_ms(envelope))
        ours.append(judged_ms(envelope, province))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "root.dsse.json").write_bytes(province.signed_root())
        (folder / "programme").write_bytes(province.sign(programme(1_000)))
        starts, plain, checked = [], [], []
        for _ in range(STARTS):
            process, taken_ms = bare(BARE)
            process.communicate("\n")
            starts.append(taken_ms)
            plain.append(start_ms(folder, "plain"))
            checked.append(start_ms(folder, "checked"))
    adds_ms = percentile(checked, 50) - percentile(plain, 50)
    report(
        "signatures",
        "ms",
        floor,
        ours,
        adds_p50=round(percentile(ours, 50) - percentile(floor, 50), 3),
        adds_p99=round(percentile(ours, 99) - percentile(floor, 99), 3),
        start_adds_ms=round(adds_ms, 2),
        start_adds_percent=round(100 * adds_ms / percentile(starts, 50), 2),
    )


if __name__ == "__main__":
    main()
