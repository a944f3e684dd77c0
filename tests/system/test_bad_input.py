"""Bad input on the real parts: one clear fault, nothing stops, nothing cached is lost."""

from __future__ import annotations

import base64
import json
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.link.hostile import HostileServer
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
    make_clip,
    make_programme,
    newer,
    put_chunks,
    session,
)
from tests.system.sight import status
from tests.system.test_main_job import TOPIC, all_open, one_slot
from ttcs_edge.core.documents import Bulletin, Programme, Slot
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope
from ttcs_edge.wire.documents import write_document
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, sign


def faults(centre: Listener) -> list[tuple[str, bool]]:
    """Every fault told so far: (code, cleared)."""
    return [(fault["code"], fault["cleared"] is not None) for fault in centre.reports("fault")]


def wrongly_typed(province: Province, good: Programme) -> bytes:
    """A signed programme whose version is a word."""
    payload = write_document(good).replace(b'"version":2', b'"version":"hai"')
    return sign(payload, PAYLOAD_TYPES["programme"], province.publishers)


def badly_signed(province: Province, good: Programme) -> bytes:
    """The publisher's key id, over a signature of something else."""
    envelope = json.loads(province.sign(good))
    envelope["signatures"][0]["sig"] = json.loads(province.sign(newer(good)))["signatures"][0]["sig"]
    return json.dumps(envelope).encode()


LAST_YEAR = {"issued": "2025-01-01T00:00:00Z", "expires": "2025-12-31T00:00:00Z"}
BAD: dict[str, tuple[str, Callable[[Province, Programme], bytes]]] = {
    "truncated": ("not-json", lambda province, good: province.sign(good)[:-40]),
    "oversized": ("oversized", lambda province, good: b" " * (LIMITS.envelope_bytes + 1)),
    "not UTF-8": ("not-utf8", lambda province, good: b"\xff\xfe"),
    "duplicate key": ("duplicate-key", lambda province, good: b'{"a":1,"a":2}'),
    "no envelope": ("not-an-envelope", lambda province, good: b"[]"),
    "wrongly typed": ("wrong-type", wrongly_typed),
    "bad signature": ("not-enough-signatures", badly_signed),
    "unknown key": ("not-enough-signatures", lambda province, good: Province().sign(good)),
    "wrong scope": ("wrong-scope", lambda province, good: province.sign(replace(good, scope=Scope("vn/lam-dong/xa")))),
    "old version": ("old-version", lambda province, good: province.sign(replace(good, version=1))),
    "expired": ("expired", lambda province, good: province.sign(replace(good, **LAST_YEAR))),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_document_is_one_fault_and_what_is_in_force_and_cached_stays(
    station: Station, centre: Listener, province: Province, clip: Clip, kind: str
) -> None:
    """Refused once with its reason, however often it comes; the next good programme clears the fault."""
    code, make = BAD[kind]
    put_chunks(centre, clip)
    good = newer(one_slot(clip, 3_600))
    centre.publish(TOPIC, province.sign(good))
    station.start()
    eventually(lambda: status(station)["cache"]["stored_files"] == 1)
    bad = make(province, newer(good) if kind != "wrongly typed" else good)
    for _ in range(2):
        centre.publish(TOPIC, bad)
    eventually(lambda: (code, False) in faults(centre))

    assert [p["version"] for p in status(station)["programmes"]] == [2]
    assert status(station)["cache"]["stored_files"] == 1
    (fault,) = status(station)["faults"]
    assert (fault["code"], fault["subject"]) == (code, SCOPE)
    centre.publish(TOPIC, province.sign(newer(newer(good))))
    eventually(lambda: (code, True) in faults(centre))
    assert faults(centre) == [(code, False), (code, True)]
    assert status(station)["faults"] == []


@pytest.mark.parametrize(
    ("path", "code"), [("/404", "http-status"), ("/wrong", "wrong-hash"), ("/short", "short"), ("/login", "short")]
)
def test_audio_from_a_bad_server_is_one_fault_and_what_is_cached_still_airs(
    station: Station, authority: Authority, centre: Listener, province: Province, clip: Clip, path: str, code: str
) -> None:
    """The other bulletin is heard, and the record says that it is not all; then the broker brings what was lacking."""
    lacking = make_clip(station.folder, "lacking", 1.0, 500)
    server = HostileServer(authority, lacking.data)
    put_chunks(centre, clip)
    bulletins = (
        Bulletin(id="thieu", title="Thiếu", audio=(lacking.audio(server.url + path),)),
        Bulletin(id="co", title="Có", audio=(clip.audio(),)),
    )
    programme = make_programme(bulletins=bulletins, slots=(Slot(id="sang", start=local(9), bulletins=("thieu", "co")),))
    centre.publish(TOPIC, province.sign(programme))
    station.start()
    try:
        (report,) = eventually(lambda: centre.reports("as-run"), 25)
    finally:
        server.close()

    assert (report["outcome"], report["reason"]) == ("part", "no-audio")
    assert [item["bulletin"] for item in report["items"]] == ["co"]
    (fault,) = [fault for fault in centre.reports("fault") if fault["subject"] == lacking.sha256]
    assert (fault["code"], fault["cleared"]) == (code, None)
    put_chunks(centre, lacking)
    repaired = replace(bulletins[0], audio=(lacking.audio(),))
    slots = (replace(programme.slots[0], start=local(3_600)),)
    centre.publish(TOPIC, province.sign(newer(programme, bulletins=(repaired, bulletins[1]), slots=slots)))
    eventually(lambda: status(station)["cache"]["stored_files"] == 2)
    eventually(lambda: [f["cleared"] is None for f in centre.reports("fault") if f["subject"] == lacking.sha256][1:])
    assert [f["code"] for f in status(station)["faults"] if f["subject"] == lacking.sha256] == []


def test_a_sound_device_that_is_not_there_is_a_fault_and_the_record_says_so(
    station: Station, centre: Listener, province: Province, clip: Clip
) -> None:
    """READY all the same; the cue is missed for the device; relays are open behind it (never-9)."""
    text = station.config.read_text()
    wav = f"sound: {{driver: wav, wav_file: {station.folder}/aired.wav}}"
    assert wav in text
    station.config.write_text(text.replace(wav, "sound: {driver: alsa, device: no-such-card}"))
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 15)))
    station.start()
    (report,) = eventually(lambda: centre.reports("as-run"), 40)

    assert (report["outcome"], report["reason"], report["start"]) == ("missed", "sound-device", None)
    assert [item["written_ms"] for item in report["items"]] == [0]
    expected = {("sound-device", "no-such-card"), ("cue-missed", f"{SCOPE}#sang")}
    eventually(lambda: {(f["code"], f["subject"]) for f in centre.reports("fault")} == expected)
    eventually(lambda: all_open(station))
    assert {(f["code"], f["subject"]) for f in status(station)["faults"]} == expected


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
    assert [(item["bulletin"], item["written_ms"] > 1_800) for item in report["items"]] == [("tot", True)]
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
        assert dict(fault["detail"])["reason"] == "tls"
    finally:
        assert station.stop() == 0


def test_a_session_taken_over_is_a_fault_that_says_so(
    station: Station, broker: Broker, centre: Listener, tmp_path: Path
) -> None:
    """Another client with the station's identity: no fight in a loop."""
    station.start()
    eventually(lambda: status(station)["link_up"])
    thief = Listener(broker, station.id, client_id=session(broker, station.id))
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


def test_a_trust_root_that_nobody_signed_ends_with_exit_code_78_and_the_station_as_it_was(
    station: Station,
) -> None:
    """While its database opens on a thread of its own; the next start finds all in order."""
    root = station.folder / "trust/root.dsse.json"
    good = root.read_bytes()
    envelope = json.loads(good)
    envelope["signatures"][0]["sig"] = base64.b64encode(bytes(64)).decode()
    root.write_text(json.dumps(envelope))
    with pytest.raises(AssertionError):
        station.start()
    assert station.process is not None and station.process.returncode == 78
    log = (station.folder / "log").read_text()
    assert "root.dsse.json" in log and "Sửa:" in log and "Mend:" in log
    root.write_bytes(good)
    station.start()
    assert "store-damaged" not in [fault["code"] for fault in status(station)["faults"]]
    assert station.stop() == 0


def test_a_database_of_a_newer_release_is_left_alone_and_told_with_exit_code_74(station: Station) -> None:
    """EX_IOERR: an older release must not touch it."""
    station.start()
    assert station.stop() == 0
    path = station.folder / "state/ttcs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(AssertionError):
        station.start()
    assert station.process is not None and station.process.returncode == 74
    assert "ttcs.db: 99 > 4" in (station.folder / "log").read_text()
    assert path.read_bytes() == before
