"""The power fails under a station, or its card rots: what it tells afterwards is true, and it airs what it can."""

from __future__ import annotations

import signal
from datetime import datetime
from pathlib import Path

from tests.parts import Broker, Clip, Listener, Province, Station, eventually, make_clip, put_chunks
from tests.system.sight import status
from tests.system.test_main_job import TOPIC, all_open, one_slot
from ttcs_edge.store.salvage import PAGE_BYTES

MS_PER_BYTE = 1 / 96
WAV_HEADER_BYTES = 44


def on_air_ms(station: Station) -> int:
    """How far the cue on the air has come."""
    on_air = status(station).get("on_air")
    return on_air["position_ms"] if on_air else 0


def test_a_cue_that_a_kill_cut_off_is_told_with_what_was_heard_of_it(
    tmp_path: Path, station: Station, centre: Listener, province: Province
) -> None:
    """kill -9 some seconds into it: short of the truth by about a second at the most, and never beyond it (never-9)."""
    clip = make_clip(tmp_path, "long", 20)
    put_chunks(centre, clip)
    station.start()
    centre.publish(TOPIC, province.sign(one_slot(clip, 6)))
    eventually(lambda: on_air_ms(station) > 3_500, 30)
    station.stop(signal.SIGKILL)
    wav = station.folder / "aired.wav"
    heard_ms = (wav.stat().st_size - WAV_HEADER_BYTES) * MS_PER_BYTE
    station.start()
    (report,) = eventually(lambda: centre.reports("as-run"), 20)
    (item,) = report["items"]
    span = datetime.fromisoformat(report["end"]) - datetime.fromisoformat(report["start"])

    assert (report["outcome"], report["reason"]) == ("cut", "power")
    assert heard_ms - 1_800 < item["written_ms"] <= heard_ms
    assert abs(span.total_seconds() * 1_000 - item["written_ms"]) < 500


def test_a_station_whose_database_is_garbage_airs_without_any_link_and_says_so(
    station: Station, broker: Broker, centre: Listener, province: Province, clip: Clip
) -> None:
    """Killed, its database and the log of it overwritten, the broker gone: the next cue airs from what lies beside."""
    put_chunks(centre, clip)
    station.start()
    centre.publish(TOPIC, province.sign(one_slot(clip, 15)))
    eventually(lambda: status(station).get("cache", {}).get("stored_files") == 1)
    eventually(lambda: list((station.folder / "state" / "programmes").glob("*.json")))
    station.stop(signal.SIGKILL)
    broker.stop()
    for name in ("ttcs.db", "ttcs.db-wal"):
        (station.folder / "state" / name).write_bytes(b"no database at all" * PAGE_BYTES)
    station.start()
    assert [programme["version"] for programme in status(station)["programmes"]] == [1]
    eventually(lambda: on_air_ms(station) > 0, 20)
    eventually(lambda: all_open(station), 15)
    broker.start()
    (report,) = eventually(lambda: centre.reports("as-run"), 20)
    faults = eventually(lambda: [fault for fault in centre.reports("fault") if fault["code"] == "store-damaged"])

    assert (report["outcome"], report["reason"]) == ("aired", None)
    assert [fault["detail"]["programmes"] for fault in faults] == ["1"]
    assert report["journal"] == faults[0]["journal"] == 2
