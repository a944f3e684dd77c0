"""``ttcs-central beacon`` names what is in force, and a station gets by it what its broker had lost."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from msgspec import UNSET

from tests.central.test_alert import retained, send, written
from tests.parts import Broker, Listener, Station, eventually, local
from tests.system.sight import status
from ttcs_edge.central.beacon import make_beacons
from ttcs_edge.central.centre import open_centre
from ttcs_edge.central.in_force import Published
from ttcs_edge.central.main import main
from ttcs_edge.core.documents import Beacon, NamedAlert, NamedDocument, Signed
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.wire.documents import read_beacon
from ttcs_edge.wire.topics import Topics

TOPICS = Topics("ttcs/v1")
PROVINCE, PLACE = "vn/lam-dong", "vn/lam-dong/da-teh"


def publish(folder: Path, broker: Broker, tmp_path: Path, scope: str = PLACE) -> None:
    """A programme of one slot tomorrow."""
    file = tmp_path / "programme.yaml"
    file.write_text(
        f"scope: {scope}\ntime_zone: Asia/Ho_Chi_Minh\nvalid_days: 2\n"
        "bulletins:\n  - {id: chao, title: Lời chào, text: Xin chào bà con.}\n"
        f"slots:\n  - {{id: ngay, start: {local(86_400)}, bulletins: [chao]}}\n"
    )
    address = f"127.0.0.1:{broker.port}"
    assert main(["publish", str(folder), str(file), "--via-broker", "--broker", address]) == 0


def send_beacon(folder: Path, broker: Broker) -> None:
    """One of each scope goes out."""
    assert main(["beacon", str(folder), "--broker", f"127.0.0.1:{broker.port}"]) == 0


def beacons(folder: Path, broker: Broker) -> dict[str, Beacon]:
    """What stands on the broker, as a station reads it, by scope."""
    trust = open_centre(folder).trust.document
    read = {TOPICS.beacon_scope(topic): read_beacon(data, trust) for topic, data in retained(broker).items()}
    return {scope: one.document for scope, one in read.items() if scope is not None and isinstance(one, Signed)}


def warn(folder: Path, broker: Broker, tmp_path: Path, *more: str) -> None:
    """An alert of the commune goes out, and nobody is there to hear it."""
    assert send(folder, broker, written(tmp_path), "--scope", PLACE, "--id", "xa-lu", *more) == 1


def of_envelope(data: bytes) -> dict[str, Any]:
    """How a beacon names an envelope."""
    return {"version": 1, "sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}


def test_a_beacon_names_what_is_in_force_for_its_scope_and_for_no_other(
    centre_folder: Path, own_broker: Broker, tmp_path: Path
) -> None:
    """A commune's station hears of its own programme and alerts; the root is named where it stands."""
    publish(centre_folder, own_broker, tmp_path)
    warn(centre_folder, own_broker, tmp_path)
    before = retained(own_broker)
    send_beacon(centre_folder, own_broker)
    stand = beacons(centre_folder, own_broker)

    assert stand.keys() == {PROVINCE, PLACE}
    here, above = stand[PLACE], stand[PROVINCE]
    programme, alert = before[TOPICS.programme(PLACE)], before[TOPICS.alert(PLACE, "xa-lu")]
    assert here.programme == NamedDocument(**of_envelope(programme))
    assert here.alerts == (NamedAlert(id="xa-lu", places=("broker:",), **of_envelope(alert)),)
    assert (here.trust, here.next_s) == (UNSET, UNSET), "the root stands above; a single beacon promises no next one"
    assert (above.trust, above.programme, above.alerts) == (1, UNSET, ())


def test_an_alert_lies_once_more_where_it_can_be_fetched_by_its_hash(
    centre_folder: Path, own_broker: Broker, tmp_path: Path
) -> None:
    """In chunks on the broker, and in the folder of the web server."""
    web = tmp_path / "web"
    more = ("--audio-folder", str(web), "--audio-url", "https://a.example/ttcs")
    warn(centre_folder, own_broker, tmp_path, *more)
    stands = retained(own_broker)
    envelope = stands[TOPICS.alert(PLACE, "xa-lu")]
    digest = hashlib.sha256(envelope).hexdigest()
    chunks = [stands[TOPICS.blob(digest, n)] for n in range(-(-len(envelope) // LIMITS.blob_chunk_bytes))]

    assert b"".join(chunks) == envelope
    assert (web / f"{digest}.dsse.json").read_bytes() == envelope


def test_what_has_expired_or_nobody_may_say_any_more_is_not_named(
    centre_folder: Path, own_broker: Broker, tmp_path: Path
) -> None:
    """A beacon that named it would have every station ask in vain."""
    publish(centre_folder, own_broker, tmp_path)
    centre, published = open_centre(centre_folder), Published()
    assert published.in_force(centre)[PLACE].programme is not None  # type: ignore[index]
    (kept,) = (centre_folder / "programmes" / PLACE).glob("*.dsse.json")
    kept.with_name("2.dsse.json").write_bytes(b"nobody signed this")
    assert PLACE not in published.in_force(centre)
    (every,) = make_beacons(centre, published, centre.signers("publish"), 60)
    assert every[0].next_s == 60


def test_a_station_gets_the_alert_that_its_broker_lost_and_airs_it(
    centre_folder: Path, own_broker: Broker, own_station: Station, tmp_path: Path
) -> None:
    """The message is gone from the broker before the station comes: two beacons later it is on the air all the same."""
    warn(centre_folder, own_broker, tmp_path)
    listener = Listener(own_broker)
    listener.publish(TOPICS.alert(PLACE, "xa-lu"), b"")
    own_station.start()
    try:
        eventually(lambda: status(own_station)["link_up"])
        send_beacon(centre_folder, own_broker)
        eventually(lambda: listener.reports("alert-receipt"), 20)
        eventually(lambda: [one for one in listener.reports("as-run") if one["outcome"] == "aired"], 30)
        assert own_station.stop() == 0
    finally:
        listener.close()

    assert {one["occurrence"].split("@")[0] for one in listener.reports("as-run")} == {f"{PLACE}#alert:xa-lu"}
    assert [one["code"] for one in listener.reports("fault") if one["code"] != "silence"] == []


def test_a_station_tells_of_the_programme_that_its_broker_withholds(
    centre_folder: Path, own_broker: Broker, own_station: Station, tmp_path: Path
) -> None:
    """Found out by the second beacon that names it, and over when it comes."""
    publish(centre_folder, own_broker, tmp_path)
    listener = Listener(own_broker)
    (kept,) = (centre_folder / "programmes" / PLACE).glob("*.dsse.json")
    listener.publish(TOPICS.programme(PLACE), b"")
    own_station.start()
    try:
        eventually(lambda: status(own_station)["link_up"])
        send_beacon(centre_folder, own_broker)
        send_beacon(centre_folder, own_broker)
        (fault,) = eventually(lambda: listener.reports("fault"), 20)
        assert (fault["code"], fault["subject"], fault["cleared"]) == ("programme-withheld", PLACE, None)
        listener.publish(TOPICS.programme(PLACE), kept.read_bytes())
        eventually(lambda: [one for one in listener.reports("fault") if one["cleared"]], 20)
        assert [one["version"] for one in status(own_station)["programmes"]] == [1]
        assert own_station.stop() == 0
    finally:
        listener.close()
