"""`verify`: a signed programme from bytes to in force, against json.loads and one Ed25519 verify."""

from __future__ import annotations

import json
import time
from base64 import b64decode
from datetime import datetime, timezone

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.bench.report import percentile, report
from tests.parts import SCOPE, Province, utc
from ttcs_edge.core import events, schedule
from ttcs_edge.core.documents import Audio, Bulletin, Programme, Slot
from ttcs_edge.core.model import Instant, MonoMs, Scope, Sha256, StationSettings, WallMs, Zone, ZoneId
from ttcs_edge.core.programmes import Programmes
from ttcs_edge.wire.documents import read_programme

RUNS = 15
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
SETTINGS = StationSettings("da-teh-01", Scope(f"{SCOPE}/da-teh"), (Zone(ZoneId("cho"), "Chợ"),), "Asia/Ho_Chi_Minh")


def slot(number: int) -> Slot:
    """Eighty in a hundred share some forty rules; the rest have start dates of their own."""
    day = DAYS[number % 7]
    rule = "FREQ=DAILY" if number % 3 else f"FREQ=WEEKLY;INTERVAL={1 + number % 5};BYDAY={day}"
    begin = f"{2000 + number % 20}-{1 + number % 12:02d}-{1 + number % 28:02d}" if number % 5 == 0 else "2026-01-05"
    start = f"{begin}T{number % 24:02d}:{number % 60:02d}:00"
    return Slot(id=f"s{number}", start=start, rrule=rule, bulletins=(f"b{number % 200}",))


def programme(slots: int) -> Programme:
    """A programme of 200 bulletins and so many slots."""
    bulletins = tuple(
        Bulletin(
            id=f"b{number}",
            title=f"Bản tin {number}",
            audio=(
                Audio(
                    language="vi",
                    sha256=Sha256(f"{number:064x}"),
                    size_bytes=1_000_000,
                    duration_ms=60_000,
                    media_type="audio/ogg",
                    loudness_lufs=-16.0,
                    places=("broker:",),
                ),
            ),
        )
        for number in range(200)
    )
    now = datetime.now(timezone.utc)
    return Programme(
        scope=Scope(SCOPE),
        version=1,
        issued=utc(now),
        expires="2036-01-01T00:00:00Z",
        time_zone="Asia/Ho_Chi_Minh",
        bulletins=bulletins,
        slots=tuple(slot(number) for number in range(slots)),
    )


def in_force_ms(envelope: bytes, province: Province) -> float:
    """Bytes to in force: read, verify, judge, compile the timetable."""
    programmes = Programmes(SETTINGS)
    programmes.remember(events.Started(province.root, (), (), (), (), (), frozenset(), (), None, None))
    now = Instant(WallMs(time.time_ns() // 1_000_000), MonoMs(0), True)
    for cache in (schedule._on_or_after, schedule._date_rule_of, schedule.check_rule, schedule._is_civil_time):
        cache.cache_clear()  # a station meets a programme for the first time
    began = time.perf_counter()
    signed = read_programme(envelope, province.root, SCOPE)
    verdict = programmes.judge(events.ProgrammeArrived(signed, SCOPE, 1), now)
    programmes.due(now, 5_000)
    taken_ms = (time.perf_counter() - began) * 1_000
    assert verdict.accepted is not None
    return taken_ms


def floor_ms(envelope: bytes, province: Province) -> float:
    """json.loads of the same document and one Ed25519 verify of as many bytes."""
    outer = json.loads(envelope)
    payload = b64decode(outer["payload"])
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(province.publishers[0].public_key.keyval["public"]))
    kind = outer["payloadType"].encode()
    pae = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    began = time.perf_counter()
    json.loads(payload)
    key.verify(b64decode(outer["signatures"][0]["sig"]), pae)
    return (time.perf_counter() - began) * 1_000


def main() -> None:
    """Measure 1,000 slots against the floor, and 10,000 against 1,000."""
    province = Province()
    small, large = (province.sign(programme(count)) for count in (1_000, 10_000))
    floor, ours = [], []
    for _ in range(RUNS):
        floor.append(floor_ms(small, province))
        ours.append(in_force_ms(small, province))
    many = [in_force_ms(large, province) for _ in range(5)]
    growth = round(percentile(many, 50) / percentile(ours, 50), 1)
    report("verify", "ms", floor, ours, slots_10000_p50=round(percentile(many, 50), 1), growth_10000_over_1000=growth)


if __name__ == "__main__":
    main()
