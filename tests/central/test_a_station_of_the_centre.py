"""From ``ttcs-central init`` to the as-run record: the operator's commands and a real station, with nothing between."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.parts import ROOT, Broker, Listener, Station, eventually, local
from tests.system.sight import status
from ttcs_edge.central.main import main
from ttcs_edge.core.beacons import APART_MS


def test_what_the_operator_publishes_airs_on_a_station_that_the_operator_added(
    centre_folder: Path, own_broker: Broker, own_station: Station, tmp_path: Path
) -> None:
    """The tar alone makes a station that connects, believes, fetches over the broker, airs, and tells it."""
    address = f"127.0.0.1:{own_broker.port}"
    listener = Listener(own_broker)
    own_station.start()
    try:
        file = tmp_path / "programme.yaml"
        file.write_text(
            "scope: vn/lam-dong/da-teh\ntime_zone: Asia/Ho_Chi_Minh\nvalid_days: 1\n"
            "bulletins:\n  - {id: chao, title: Lời chào, text: Xin chào bà con.}\n"
            f"slots:\n  - {{id: ngay, start: {local(5)}, bulletins: [chao]}}\n"
        )
        assert main(["publish", str(centre_folder), str(file), "--via-broker", "--broker", address]) == 0
        eventually(lambda: listener.reports("as-run"), 25)
        assert own_station.stop() == 0
    finally:
        listener.close()

    (aired,) = listener.reports("as-run")
    assert (aired["outcome"], aired["reason"], aired["title"], aired["programme_version"]) == (
        "aired",
        None,
        "Lời chào",
        1,
    )
    assert listener.reports("fault") == []


def numbered(listener: Listener) -> list[dict[str, Any]]:
    """Every report that has a number, in the order in which they came."""
    said = [json.loads(payload) for topic, payload in list(listener.messages) if topic.endswith("/event")]
    return [one for one in said if "sequence" in one]


def test_a_gap_that_the_operator_sees_is_brought_back_by_the_operator(
    centre_folder: Path, own_broker: Broker, own_station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reports that the broker took and the centre lost: ``watch`` names the gap and the command, which brings them
    back under their own ids; what never was is told as gone. The command sent again by a stranger does nothing.
    """
    address = f"127.0.0.1:{own_broker.port}"
    topic = f"{ROOT}/station/da-teh-01/command"
    listener, thief = Listener(own_broker), Listener(own_broker, "da-teh-01", topic)
    own_station.start()
    try:
        for place in ("vn/lam-dong/programme", "vn/lam-dong/da-teh/programme", "vn/lam-dong/alert/a"):
            listener.publish(f"{ROOT}/scope/{place}", b"{")
        eventually(lambda: len(listener.reports("fault")) >= 3)
        eventually(lambda: status(own_station)["outbox"]["depth"] == 0)
        told = numbered(listener)
        (journal,) = {one["journal"] for one in told}
        assert [one["sequence"] for one in told] == list(range(1, len(told) + 1))
        missing = ["--journal", str(journal), "--broker", address, "--lang", "en"]
        last = str(len(told) + 5)
        assert main(["resend", str(centre_folder), "da-teh-01", "2", last, *missing]) == 0
        said = capsys.readouterr().out
        eventually(lambda: len(numbered(listener)) >= 2 * len(told))

        again = numbered(listener)[len(told) :]
        assert [one for one in again if one["sequence"] <= len(told)] == told[1:]
        assert said == (
            f"Station da-teh-01 sends {len(told)} reports again\nThe station does not have: {len(told) + 2} to {last}\n"
        ), "the command itself is in the audit trail by now"
        (command,) = [payload for _, payload in thief.messages]
        listener.publish(topic, command, retain=False)
        eventually(lambda: "old-version" in [one["code"] for one in listener.reports("fault")])
        assert len(listener.reports("reply")) == 1
        assert own_station.stop() == 0
    finally:
        listener.close()
        thief.close()


def test_a_station_with_nothing_else_lives_by_the_centres_beacons_and_then_takes_orders(
    centre_folder: Path,
    own_broker: Broker,
    own_station: Station,
    unsynchronised: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What stood retained tells it nothing but a bound; until two live ones have come it obeys nobody."""
    address = f"127.0.0.1:{own_broker.port}"
    own_station.environment = unsynchronised
    own_station.config.write_text(own_station.config.read_text().replace("trust: host", "trust: kernel"))
    order = ["resend", str(centre_folder), "da-teh-01", "1", "1", "--journal", "1", "--broker", address, "--lang", "en"]
    assert main(["beacon", str(centre_folder), "--broker", address]) == 0
    listener = Listener(own_broker)

    own_station.start()
    try:
        eventually(lambda: listener.reports("heartbeat"))  # what stands retained has come
        assert status(own_station)["state"] == "no-time"
        assert main([*order, "--wait", "1"]) == 69
        eventually(lambda: "command-without-time" in [one["code"] for one in listener.reports("fault")])
        begun_s = time.monotonic()
        beacon = ["beacon", str(centre_folder), "--broker", address]
        eventually(lambda: main(beacon) == 0 and status(own_station)["clock_trusted"], 40)
        assert time.monotonic() - begun_s > APART_MS / 1_000
        assert (status(own_station)["clock_source"], status(own_station)["state"]) == ("signed", "idle")
        capsys.readouterr()
        assert main(order) == 0
        assert capsys.readouterr().out == "Station da-teh-01 sends 1 reports again\n"
        mended = {"no-time", "command-without-time"}
        eventually(lambda: mended <= {one["code"] for one in listener.reports("fault") if one["cleared"]})
        assert own_station.stop() == 0
    finally:
        listener.close()
