"""``ttcs-central resend`` and ``beacon``: what goes out, who answers, and what is not taken for an answer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.parts import Broker, Listener, eventually
from ttcs_edge.central import beacon, resend
from ttcs_edge.central.address import BrokerAddress
from ttcs_edge.central.centre import Centre, open_centre
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.main import main
from ttcs_edge.central.orders import VALID_S
from ttcs_edge.core.documents import ResendRange, Signed
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.wire.documents import read_beacon, read_command
from ttcs_edge.wire.reports import encode, reply_report
from ttcs_edge.wire.topics import Topics

TOPICS = Topics("ttcs/v1")
STATION = "da-teh-01"
COMMAND, REPLY = TOPICS.station(STATION, "command"), TOPICS.station(STATION, "reply")
BEACON = TOPICS.beacon("vn/lam-dong")


class Pole:
    """Whoever listens to a station's commands; answers as the test says."""

    def __init__(self, broker: Broker, answer: Callable[[Pole, MQTTMessage], None]) -> None:
        self.heard: list[MQTTMessage] = []
        certificate, key = broker.authority.client(STATION)
        self._client = Client(CallbackAPIVersion.VERSION2, "pole", protocol=MQTTv5)
        self._client.tls_set(str(broker.authority.ca_file), str(certificate), str(key))
        ready: list[bool] = []

        def take(client: Client, userdata: Any, message: MQTTMessage) -> None:
            self.heard.append(message)
            answer(self, message)

        self._client.on_message = take
        self._client.on_connect = lambda client, *_: client.subscribe(COMMAND, qos=1)
        self._client.on_subscribe = lambda *_: ready.append(True)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        eventually(lambda: ready)

    def reply(self, payload: bytes, correlation: bytes, topic: str = REPLY) -> None:
        """Answer."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.CorrelationData = correlation
        self._client.publish(topic, payload, qos=1, properties=properties)

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def pole(broker: Broker, answer: Callable[[Pole, MQTTMessage], None]) -> Iterator[Pole]:
    """One for a while."""
    there = Pole(broker, answer)
    try:
        yield there
    finally:
        there.close()


def version_of(message: MQTTMessage, centre: Centre) -> int:
    """The version of the command in a message."""
    signed = read_command(bytes(message.payload), centre.trust.document)
    assert isinstance(signed, Signed)
    return signed.document.version


def done(version: int, station: str = STATION, queued: int = 5, *, done: bool = True) -> bytes:
    """An answer."""
    return encode(reply_report(station, version, 0, journal=3, queued=queued, gone=((19, 20),), done=done))


def words(folder: Path, broker: Broker, *more: str) -> list[str]:
    """The command line of a resend in English."""
    asked = ["resend", str(folder), STATION, "17", "21", "--journal", "3", "--lang", "en"]
    return [*asked, "--broker", f"127.0.0.1:{broker.port}", *more]


def test_a_resend_tells_what_the_station_answers(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Signed for this station, for an hour, with a topic to answer on; how many come again, and what is gone."""
    centre = open_centre(centre_folder)

    def answer(there: Pole, message: MQTTMessage) -> None:
        there.reply(done(version_of(message, centre)), message.properties.CorrelationData)  # type: ignore[union-attr]

    with pole(own_broker, answer) as there:
        assert main(words(centre_folder, own_broker)) == 0
        (message,) = there.heard

    assert capsys.readouterr().out == ("Station da-teh-01 sends 5 reports again\nThe station does not have: 19 to 20\n")
    signed = read_command(bytes(message.payload), centre.trust.document)
    assert isinstance(signed, Signed)
    assert (signed.document.station, signed.document.resend) == (STATION, ResendRange(journal=3, first=17, last=21))
    assert abs(signed.document.version - time.time() * 1_000) < 60_000
    properties = message.properties
    assert properties is not None and not message.retain
    told = vars(properties)
    assert VALID_S["resend"] - 5 <= told["MessageExpiryInterval"] <= VALID_S["resend"]
    assert told["ResponseTopic"] == REPLY
    late = Listener(own_broker, "late", COMMAND)
    late.publish(COMMAND, b"behind", retain=False)
    eventually(lambda: late.messages)
    late.close()
    assert late.messages == [(COMMAND, b"behind")], "it does not stand retained"


def test_what_answers_to_another_order_is_no_answer(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without its correlation data, of another version, for another station, no report at all: the right one counts."""
    centre = open_centre(centre_folder)

    def answer(there: Pole, message: MQTTMessage) -> None:
        version = version_of(message, centre)
        correlation = message.properties.CorrelationData  # type: ignore[union-attr]
        there.reply(done(version, queued=1), b"another")
        there.reply(done(version - 1, queued=2), correlation)
        there.reply(done(version, "da-teh-02", queued=3), correlation)
        there.reply(b"{", correlation)
        there.reply(done(version, queued=4), correlation)

    with pole(own_broker, answer):
        assert main(words(centre_folder, own_broker)) == 0

    assert capsys.readouterr().out.startswith("Station da-teh-01 sends 4 reports again\n")


def test_a_station_that_is_silent_or_fails_or_is_not_there_is_told(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three different things to do next; exit code 69 for each."""
    centre = open_centre(centre_folder)
    assert main(words(centre_folder, own_broker)) == 69
    assert capsys.readouterr().err.startswith("The broker knows no station da-teh-01\n")

    with pole(own_broker, lambda there, message: None):
        assert main(words(centre_folder, own_broker, "--wait", "1")) == 69
    assert capsys.readouterr().err.startswith("Station da-teh-01 did not answer within 1 s\n")

    def fail(there: Pole, message: MQTTMessage) -> None:
        correlation = message.properties.CorrelationData  # type: ignore[union-attr]
        there.reply(done(version_of(message, centre), done=False), correlation)

    with pole(own_broker, fail):
        assert main(words(centre_folder, own_broker)) == 69
    assert capsys.readouterr().err.startswith("Station da-teh-01 could not do it\n")


@pytest.mark.parametrize(
    ("station", "first", "last", "code"),
    [
        ("da teh", 1, 2, "bad-id"),
        ("+", 1, 2, "bad-id"),
        (STATION, 3, 2, "bad-range"),
        (STATION, 1, 1 + LIMITS.resend_reports, "bad-range"),
    ],
)
def test_an_order_that_no_station_would_take_is_not_sent(
    centre_folder: Path, station: str, first: int, last: int, code: str
) -> None:
    """Nobody is connected to: there is no broker here."""
    wanted = ResendRange(journal=1, first=first, last=last)
    with pytest.raises(CentralError) as raised:
        resend.resend(open_centre(centre_folder), BrokerAddress("127.0.0.1", 1), station, wanted, (), 1)
    assert raised.value.code == code


def test_a_centre_of_before_says_that_its_trust_root_grants_none(centre_folder: Path) -> None:
    """Of an older init: it goes on publishing, and is told why it cannot do this."""
    centre = open_centre(centre_folder)
    root = centre.trust.document
    older = replace(root, grants=tuple(grant for grant in root.grants if grant.role in ("root", "publish")))
    centre = replace(centre, trust=replace(centre.trust, document=older))
    nowhere, wanted = BrokerAddress("127.0.0.1", 1), ResendRange(journal=1, first=1, last=2)
    for order in (
        lambda: resend.resend(centre, nowhere, STATION, wanted, (), 1),
        lambda: beacon.send_beacons(centre, nowhere, (), None, print, print),
    ):
        with pytest.raises(CentralError) as raised:
            order()
        assert raised.value.code == "no-grant"


def test_one_beacon_stands_on_the_broker_until_it_expires(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Retained, with a message expiry of as long as it holds, signed by the publisher."""
    address = f"127.0.0.1:{own_broker.port}"
    assert main(["beacon", str(centre_folder), "--broker", address, "--lang", "en"]) == 0

    assert capsys.readouterr().out.startswith("vn/lam-dong: a beacon at 20")
    listener = Listener(own_broker, "late", BEACON)
    eventually(lambda: listener.messages)
    listener.close()
    ((_, envelope),) = listener.messages
    signed = read_beacon(envelope, open_centre(centre_folder).trust.document)
    assert isinstance(signed, Signed)
    assert abs(signed.document.version - time.time() * 1_000) < 60_000


def test_beacons_go_on_while_the_broker_is_away_and_none_is_sent_late(centre_folder: Path, own_broker: Broker) -> None:
    """Ctrl-C ends it with 130. What could not be sent is thrown away: it would come as if it were new."""
    command = [sys.executable, "-m", "ttcs_edge.central.main", "beacon", str(centre_folder), "--every", "30"]
    address = f"127.0.0.1:{own_broker.port}"
    own_broker.stop()
    process = subprocess.Popen(
        [*command, "--broker", address, "--lang", "en"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None and process.stdout is not None
    try:
        assert "cannot be reached" in process.stderr.readline()
        own_broker.start()
        listener = Listener(own_broker, "late", BEACON)
        assert "a beacon at" in process.stdout.readline()
        eventually(lambda: listener.messages)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        listener.close()
    finally:
        process.kill()
        process.communicate()
    assert len(listener.messages) == 1
    assert json.loads(listener.messages[0][1])["payloadType"] == "application/vnd.ttcs.beacon+json"
