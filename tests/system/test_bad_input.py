"""Bad input on the real parts: one clear fault, nothing stops, nothing cached is lost."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.parts import (
    ROOT,
    SCOPE,
    Authority,
    Broker,
    Clip,
    Listener,
    Province,
    Station,
    eventually,
    local,
    make_programme,
    newer,
    put_chunks,
)
from tests.system.sight import status
from tests.system.test_main_job import TOPIC, one_slot
from ttcs_edge.core.documents import Bulletin, Slot

ALREADY = "already in force and stored"


def faults(centre: Listener) -> list[tuple[str, bool]]:
    """Every fault told so far: (code, cleared)."""
    return [(fault["code"], fault["cleared"] is not None) for fault in centre.reports("fault")]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b'{"payload":', "not-json"),
        (b"\xff\xfe", "not-utf8"),
        (b'{"a":1,"a":2}', "duplicate-key"),
        (b"[]", "not-an-envelope"),
    ],
)
def test_a_document_that_is_none_is_one_fault_and_the_cache_stays(
    station: Station, centre: Listener, province: Province, clip: Clip, payload: bytes, code: str
) -> None:
    """Refused with its reason; programme and audio stay; the next good programme clears the fault."""
    put_chunks(centre, clip)
    good = one_slot(clip, 3_600)
    centre.publish(TOPIC, province.sign(good))
    station.start()
    eventually(lambda: status(station)["cache"]["stored_files"] == 1)
    centre.publish(TOPIC, payload)
    eventually(lambda: (code, False) in faults(centre))

    assert [p["version"] for p in status(station)["programmes"]] == [1]
    assert status(station)["cache"]["stored_files"] == 1
    centre.publish(TOPIC, province.sign(newer(good)))
    eventually(lambda: (code, True) in faults(centre))
    assert faults(centre) == [(code, False), (code, True)]


def test_a_bulletin_that_is_no_audio_is_told_and_the_one_behind_it_is_heard(
    station: Station, centre: Listener, province: Province, clip: Clip, tmp_path: Path
) -> None:
    """A file with the right hash that no decoder can read."""
    noise = tmp_path / "noise.opus"
    noise.write_bytes(b"this is no audio at all" * 100)
    bad = Clip(noise, 2_000)
    for one in (bad, clip):
        put_chunks(centre, one)
    bulletins = (
        Bulletin(id="hong", title="Hỏng", audio=(bad.audio(),)),
        Bulletin(id="tot", title="Tốt", audio=(clip.audio(),)),
    )
    slots = (Slot(id="sang", start=local(8), bulletins=("hong", "tot")),)
    centre.publish(TOPIC, province.sign(make_programme(bulletins=bulletins, slots=slots)))
    station.start()
    (report,) = eventually(lambda: centre.reports("as-run"), 25)

    assert (report["outcome"], report["reason"]) == ("part", "not-audio")
    assert [(item["bulletin"], item["written_ms"] > 1_800) for item in report["items"]] == [
        ("hong", False),
        ("tot", True),
    ]
    assert report["items"][0]["written_ms"] == 0
    assert ("cue-missed", False) in faults(centre)


def test_a_rotten_file_is_found_when_it_is_to_be_aired_and_told(
    station: Station, centre: Listener, province: Province, clip: Clip
) -> None:
    """never-1: one byte on the card changed after it was fetched."""
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 3_600)))
    station.start()
    eventually(lambda: status(station)["cache"]["stored_files"] == 1)
    path = station.folder / f"state/blobs/{clip.sha256}"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    centre.publish(TOPIC, province.sign(newer(one_slot(clip, 8))))

    eventually(lambda: ("rotten", False) in faults(centre), 20)
    eventually(lambda: ("rotten", True) in faults(centre), 20)
    assert status(station)["cache"]["stored_files"] == 1, "it was fetched again"


def test_a_broker_that_vanishes_is_one_fault_and_gets_what_waited_when_it_is_back(
    station: Station, broker: Broker, centre: Listener, province: Province, clip: Clip
) -> None:
    """kill -9 of Mosquitto."""
    put_chunks(centre, clip)
    station.start()
    eventually(lambda: status(station)["link_up"])
    broker.stop(signal.SIGKILL)
    eventually(lambda: any(f["code"] == "link-down" for f in status(station)["faults"]), 15)
    broker.start()
    eventually(lambda: status(station)["link_up"], 20)
    eventually(lambda: status(station)["outbox"]["depth"] == 0)

    assert status(station)["faults"] == []
    ids = [report["id"] for report in centre.reports("fault")]
    assert len(ids) == len(set(ids))


def test_a_station_whose_broker_refuses_it_is_ready_all_the_same(
    tmp_path: Path, broker: Broker, province: Province
) -> None:
    """A certificate of another authority: READY, and a fault that says TLS."""
    station = Station(tmp_path / "stranger", broker, province)
    station.install()
    stranger = Authority(tmp_path / "stranger-authority")
    certificate, key = stranger.client(station.id)
    text = station.config.read_text()
    old_certificate, old_key = broker.authority.client(station.id)
    station.config.write_text(text.replace(str(old_certificate), str(certificate)).replace(str(old_key), str(key)))
    station.start()
    try:
        (fault,) = eventually(lambda: [f for f in status(station)["faults"] if f["code"] == "link-down"], 20)
        assert dict(fault["detail"])["reason"] in ("tls", "lost", "unreachable")
    finally:
        assert station.stop() == 0


def test_a_session_taken_over_is_a_fault_that_says_so(
    station: Station, broker: Broker, centre: Listener, tmp_path: Path
) -> None:
    """Another client with the station's identity: no fight in a loop."""
    station.start()
    eventually(lambda: status(station)["link_up"])
    thief = Listener(broker, station.id, client_id=station.id)
    try:
        eventually(lambda: [f for f in status(station)["faults"] if f["code"] == "session-taken-over"], 25)
        assert status(station)["link_up"] is False
    finally:
        thief.close()


def test_a_wrong_config_ends_with_exit_code_78_and_says_where(station: Station) -> None:
    """EX_CONFIG; file, line and key, in both languages."""
    text = station.config.read_text().replace("pin: 22", "pin: 27")
    station.config.write_text(text)
    with pytest.raises(AssertionError):
        station.start()
    assert station.process is not None
    assert station.process.returncode == 78
    log = (station.folder / "log").read_text()
    line = next(n for n, one in enumerate(text.splitlines(), 1) if "id: dinh" in one)
    assert f"station.yaml:{line}:" in log
    assert "Sửa:" in log and "Mend:" in log
    assert f"{ROOT}/{SCOPE}" not in log
