"""How a connection comes up, does not, and ends: each with its one reason, and the next try behind it."""

from __future__ import annotations

import hmac
import os
import random
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode

from tests.link.bench import STATION, Bench, states
from tests.link.odd_authority import OddAuthority
from tests.link.scripted import ACCEPTED, ScriptedBroker, packet, publish
from tests.link.wire import Peer, Wire
from tests.parts import ROOT, SCOPE, Authority, Broker, Listener, eventually, free_port, session
from ttcs_edge.core.events import ConditionChanged, LinkChanged
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.link import mqtt
from ttcs_edge.link.client import ANSWER_TIMEOUT_S, CONNECT_TIMEOUT_S, client_id
from ttcs_edge.link.mqtt import UNSENT_TIMEOUT_S
from ttcs_edge.settings import BrokerSettings

TOPIC = f"{ROOT}/scope/{SCOPE}/programme"
Links = Callable[..., Bench]


@pytest.fixture
def scripted(authority: Authority) -> Iterator[Callable[..., ScriptedBroker]]:
    """Makes brokers that follow a script; closes them."""
    made: list[ScriptedBroker] = []

    def make(**script: object) -> ScriptedBroker:
        made.append(ScriptedBroker(authority.server(), **script))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for broker in made:
        broker.close()


@pytest.fixture
def wire(broker: Broker) -> Iterator[Wire]:
    """A cable to the broker that can be cut."""
    wire = Wire(broker.port)
    yield wire
    wire.close()


Scripted = Callable[..., ScriptedBroker]


# -- certificates


@pytest.mark.parametrize(
    ("names", "days", "reason", "words"),
    [
        (("broker.example",), (-1, 100), "tls", "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        (("127.0.0.1",), (-9, -1), "tls-expired", "certificate has expired"),
        (("127.0.0.1",), (1, 9), "tls-expired", "certificate is not yet valid"),
    ],
    ids=["another-name", "expired", "not-yet-valid"],
)
def test_a_broker_whose_certificate_does_not_hold_is_not_spoken_to(
    tmp_path: Path,
    authority: Authority,
    links: Links,
    names: tuple[str, ...],
    days: tuple[int, int],
    reason: str,
    words: str,
) -> None:
    """The authority is right, the name or the time is not; a wrong clock has words of its own."""
    odd = OddAuthority(tmp_path / "odd", names, days)
    broker = Broker(tmp_path / "odd-broker", odd)
    broker.start()
    try:
        down = links(broker.port, ca_file=odd.ca_file).begin().down()
        assert (down.reason, list(dict(down.detail))) == (reason, ["error"])
        assert words in dict(down.detail)["error"]
    finally:
        broker.stop()


def test_a_broker_of_another_authority_is_not_spoken_to(
    tmp_path: Path, links: Links, broker: Broker, wire: Wire
) -> None:
    """The station believes its own file of authorities alone; and it does not hammer the broker with handshakes."""
    bench = links(wire.port, ca_file=Authority(tmp_path / "other").ca_file, draw=lambda: 0.5).begin()
    down = bench.down()
    assert down.reason == "tls"
    assert "certificate verify failed" in dict(down.detail)["error"]
    eventually(lambda: wire.connections == 2)
    assert bench.changes() == [(False, "tls")], "one reason is told once"


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    ("days", "reason", "words"),
    [((-1, 100), "tls", "unknown ca"), ((-9, -1), "tls-expired", "certificate expired")],
    ids=["stranger", "expired"],
)
def test_a_station_whose_certificate_the_broker_does_not_believe_is_told_why(
    tmp_path: Path,
    authority: Authority,
    broker: Broker,
    monkeypatch: pytest.MonkeyPatch,
    days: tuple[int, int],
    reason: str,
    words: str,
    late: bool,
) -> None:
    """With TLS 1.3 the verdict comes behind the handshake: it must not pass for a lost link, nor for one that was
    refused, where the station had yet to say its first word, and the broker was gone.
    """
    tell_more, loop_read = mqtt._tell_more, Client.loop_read
    looked: list[Client] = []

    def slow(*opened: Any) -> None:
        tell_more(*opened)
        time.sleep(0.3)  # a machine that is busy, between handshake and CONNECT

    def blind(client: Client, *most: Any) -> Any:
        looked.append(client)
        return loop_read(client, *most) if looked.count(client) > 1 else MQTTErrorCode.MQTT_ERR_SUCCESS

    if late:
        monkeypatch.setattr(mqtt, "_tell_more", slow)
        monkeypatch.setattr(Client, "loop_read", blind)
    odd = OddAuthority(tmp_path / "odd", days=days)
    if reason == "tls-expired":
        odd._pair = authority._pair
    bench = Bench(tmp_path / "link", odd, broker.port, ca_file=authority.ca_file).begin()
    try:
        down = bench.down()
        assert down.reason == reason
        assert words in dict(down.detail)["error"]
    finally:
        bench.close()


def test_a_certificate_that_is_not_there_is_told_as_such(tmp_path: Path, broker: Broker) -> None:
    """A card that lost its files: no exception, and it is seen when they are back."""
    authority = Authority(tmp_path / "mine")
    bench = Bench(tmp_path / "link", authority, broker.port, ca_file=broker.authority.ca_file, draw=lambda: 0.1)
    certificate, _ = authority.client(STATION)
    certificate.unlink()
    bench.begin()
    try:
        error = f"[Errno 2] No such file or directory: '{certificate}'"
        assert bench.down() == LinkChanged(False, "own-files", (("error", error),))
        for path, good in zip(authority.client(STATION), broker.authority.client(STATION), strict=True):
            path.write_bytes(good.read_bytes())
        eventually(bench.link.up)
    finally:
        bench.close()


# -- peers that are no broker


def test_a_broker_that_is_started_late_is_found(tmp_path: Path, authority: Authority, links: Links) -> None:
    """A port where nobody listens has its reason, told once."""
    port = free_port()
    bench = links(port, draw=lambda: 0.05).begin()
    assert bench.down() == LinkChanged(False, "unreachable", (("error", "[Errno 111] Connection refused"),))
    broker = Broker(tmp_path / "late", authority, port)
    broker.start()
    try:
        eventually(bench.link.up, 3)
        assert bench.changes() == [(False, "unreachable"), (True, "connected")]
    finally:
        broker.stop()


def test_however_often_it_failed_the_link_goes_on_trying(links: Links, wire: Wire) -> None:
    """Fifty attempts in vain; the next one finds the broker."""
    wire.open = False
    bench = links(wire.port, draw=lambda: 0.0).begin()
    eventually(lambda: wire.connections > 50, 20)
    wire.open = True
    eventually(bench.link.up)

    assert bench.changes() == [(False, "unreachable"), (True, "connected")]


def test_a_broker_that_lets_the_station_in_but_not_listen_is_told(
    links: Links, scripted: Callable[..., ScriptedBroker]
) -> None:
    """Its reports go out, and nothing new would ever come: that must not pass for a good link."""
    bench = links(scripted(suback=0x87).port).begin()
    eventually(bench.conditions)

    refused = (("error", "Not authorized"),)
    assert bench.conditions() == [ConditionChanged("subscription-refused", "broker", True, refused)]
    assert bench.changes() == [(True, "connected")]


def test_a_name_that_nobody_knows_is_told(links: Links) -> None:
    """RFC 6761 keeps this one unknown for ever."""
    assert links(8883, host="broker.invalid").begin().down().reason == "dns"


@pytest.mark.parametrize(
    ("tls", "says", "reason"),
    [
        (False, b"", "unreachable"),
        (False, b"HTTP/1.1 400 Bad Request\r\n\r\n", "no-tls"),
        (True, b"", "refused"),
        (True, b"HTTP/1.1 400 Bad Request\r\n\r\n", "refused"),
        (True, b"\x20\x03\x00\x87\x00", "refused"),
        (True, b"\x20\x03\x00\x97\x00", "refused"),
    ],
    ids=["closes", "plain", "closes-after-tls", "web-server", "not-authorized", "quota-exceeded"],
)
def test_a_peer_that_lets_nobody_in_has_its_reason_and_is_tried_again(
    authority: Authority, links: Links, tls: bool, says: bytes, reason: str
) -> None:
    """A proxy without a broker costs nothing; a handshake in vain does."""

    def greet(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(says)

    peer = Peer(greet, authority.server() if tls else None)
    bench = links(peer.port, draw=lambda: 0.05).begin()
    try:
        assert bench.down().reason == reason
        eventually(lambda: peer.connections >= 3)
        assert bench.changes() == [(False, reason)]
        assert bench.conditions() == []
    finally:
        peer.close()


def test_the_brokers_own_words_are_told_with_its_refusal(links: Links, scripted: Scripted) -> None:
    """Not authorized, as MQTT has it."""
    broker = scripted(connack=lambda: b"\x20\x03\x00\x87\x00")
    assert links(broker.port).begin().down() == LinkChanged(False, "refused", (("error", "Not authorized"),))


def test_a_peer_that_accepts_and_says_nothing_is_left_within_ten_seconds(authority: Authority, links: Links) -> None:
    """Before TLS, before the answer to CONNECT, and before the answer to the subscriptions; then it is tried again."""

    def accept(connection: socket.socket) -> None:
        connection.sendall(ACCEPTED)
        over.wait(30)

    over = threading.Event()
    certificate = authority.server()
    peers = [
        Peer(lambda connection: over.wait(30)),
        Peer(lambda connection: over.wait(30), certificate),
        Peer(accept, certificate),
    ]
    began_s = time.monotonic()
    benches = [links(peer.port, draw=lambda: 0.0).begin() for peer in peers]
    try:
        for bench in benches:
            assert bench.down().reason == "timeout"
        assert 9 < time.monotonic() - began_s < max(CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S) + 2.5
        over.set()
        eventually(lambda: all(peer.connections >= 2 for peer in peers))
    finally:
        over.set()
        for peer in peers:
            peer.close()


def test_a_peer_that_garbles_its_packets_is_tried_until_it_makes_sense(links: Links, scripted: Scripted) -> None:
    """Sixty connections of other garbage each; then it is a broker, and the station is up."""
    draw = random.Random(60)
    kinds = (0x20, 0x30, 0x32, 0x40, 0x50, 0x62, 0x90, 0xB0, 0xD0, 0xE0, 0xF0)
    garbage = [packet(draw.choice(kinds), draw.randbytes(draw.randrange(20))) for _ in range(60)]
    broker = scripted(connack=lambda: garbage.pop() if garbage else ACCEPTED)
    bench = links(broker.port, draw=lambda: 0.0).begin()
    eventually(lambda: not garbage, 30)
    eventually(bench.link.up)

    assert bench.changes()[-1] == (True, "connected")
    assert {reason for up, reason in bench.changes() if not up} <= {"lost", "refused"}


def test_a_mistake_in_a_callback_ends_the_connection_and_not_the_link(links: Links, wire: Wire) -> None:
    """The station's state cannot be made for a while: told once, and when it can, the link comes up."""
    broken = [True]

    def status(state: str) -> bytes:
        if state == "online" and broken[0]:
            raise sqlite3.OperationalError("database is locked")
        return b'{"kind": "status", "state": "x"}'

    bench = links(wire.port, status=status, draw=lambda: 0.05).begin()
    eventually(lambda: wire.connections > 3)
    assert bench.down() == LinkChanged(False, "lost", (("error", "OperationalError('database is locked')"),))
    assert bench.conditions() == [
        ConditionChanged("link-callback", "link", True, (("error", "OperationalError('database is locked')"),))
    ]
    broken[0] = False
    eventually(bench.link.up)
    assert len(bench.conditions()) == 1


def test_a_session_has_a_name_that_only_the_holder_of_the_key_can_tell(authority: Authority) -> None:
    """The same at every start; the station's id, and 128 bits of an HMAC (RFC 2104) of which the key is the key."""
    certificate, key = authority.client(STATION)
    settings = BrokerSettings("127.0.0.1", authority.ca_file, certificate, key)
    digest = hmac.new(key.read_bytes(), b"ttcs-edge: MQTT session", "sha256").hexdigest()

    assert client_id(STATION, settings) == client_id(STATION, settings) == f"{STATION}-{digest[:32]}"
    other = replace(settings, key_file=authority.client("da-teh-02")[1])
    assert client_id(STATION, other) != client_id(STATION, settings)


# -- how a connection ends


def test_a_session_taken_over_is_told_and_not_fought_for(links: Links, broker: Broker, wire: Wire) -> None:
    """Mosquitto 2.0.21 says so; 2.0.11 says nothing, and three connections in a row, closed in good order, tell it."""
    bench = links(wire.port).start()
    thief = Listener(broker, STATION, client_id=session(broker))
    try:
        details = [("error", "Session taken over"), ("connections", "3")]
        told = [LinkChanged(False, "session-taken-over", (detail,)) for detail in details]
        eventually(lambda: any(event in told for event in bench.events), 25)
        before = wire.connections
        time.sleep(3)
        assert wire.connections == before
        assert not bench.link.up()
        assert thief._client.is_connected()
    finally:
        thief.close()


def test_a_link_that_breaks_again_and_again_is_no_session_taken_over(links: Links, wire: Wire) -> None:
    """An unsteady modem must not keep the station away for half a minute."""
    bench = links(wire.port, draw=lambda: 0.05).start()
    for count in range(2, 12, 2):
        wire.cut()
        eventually(lambda count=count: len(bench.changes()) == count + 1)  # type: ignore[misc]

    assert set(bench.changes()) == {(True, "connected"), (False, "lost")}


@pytest.mark.parametrize(
    ("code", "reason", "words"),
    [
        (0x8E, "session-taken-over", "Session taken over"),
        (0x8B, "lost", "Server shutting down"),
        (0x89, "refused", "Server busy"),
        (0x98, "refused", "Administrative action"),
    ],
)
def test_a_broker_that_says_why_it_closes_a_connection_is_heard(
    links: Links, scripted: Scripted, code: int, reason: str, words: str
) -> None:
    """DISCONNECT with a reason (MQTT 5, 3.14.2.1)."""
    broker = scripted(subscribed=lambda connection: connection.sendall(bytes([0xE0, 2, code, 0])))
    bench = links(broker.port).begin()

    assert bench.down() == LinkChanged(False, reason, (("error", words),))


def test_a_broker_that_ends_and_returns_is_found_again(links: Links, broker: Broker, centre: Listener) -> None:
    """SIGTERM, as an update of the broker does."""
    bench = links(broker.port).start()
    broker.stop()
    assert bench.down().reason == "lost"
    broker.start()
    eventually(bench.link.up, 12)
    eventually(lambda: states(centre)[-1] == "online")


def test_a_link_that_carries_nothing_any_more_is_given_up_by_its_keepalive(links: Links, wire: Wire) -> None:
    """Nobody says that it is dead; two keepalives are the bound."""
    bench = links(wire.port, keepalive_s=1).start()
    wire.stall()
    began_s = time.monotonic()
    assert bench.down() == LinkChanged(False, "lost", (("error", "Keep alive timeout"),))
    assert time.monotonic() - began_s < 4


def test_what_the_network_does_not_take_is_not_waited_for_beyond_its_bound(links: Links, broker: Broker) -> None:
    """The kernel gives the connection up; a modem that came back with another address is the case."""
    bench = links(broker.port).start()
    client = bench.link.live()
    assert client is not None
    connection = client.socket()
    assert isinstance(connection, socket.socket)
    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNSENT_TIMEOUT_S * 1_000 == 30_000


# -- brokers that break their promises


def test_a_broker_that_sends_more_at_once_than_was_agreed_is_left(links: Links, scripted: Scripted) -> None:
    """A hundred, where twenty may wait: the station's memory is not the broker's to fill."""
    go = threading.Event()

    def read(payload: bytes, scope: str) -> object:
        go.wait(10)
        raise ValueError("never mind")

    flood = b"".join(publish(TOPIC.encode(), b"x" * 1_000, mid) for mid in range(1, 101))
    open_connections: list[socket.socket] = []
    broker = scripted(subscribed=open_connections.append)
    bench = links(broker.port, read=read, draw=lambda: 0.0).begin()
    bench.report(1)
    eventually(lambda: bench.outbox.sent)
    with suppress(OSError):  # it may be left before it has said everything
        open_connections[0].sendall(flood)
    down = bench.down()
    eventually(lambda: broker.connections == 2)  # it serves one at a time: the first was closed
    go.set()

    assert down == LinkChanged(False, "lost", (("error", "more messages than the receive maximum"),))
    assert broker.acknowledged == []
    assert len(bench.deliveries()) <= 2 * LIMITS.outbox_in_flight + 2


def test_a_topic_that_is_no_text_is_acknowledged_and_dropped(links: Links, scripted: Scripted) -> None:
    """Or it would come again on each connection, for ever."""
    both = publish(b"\xff\xfe", b"", 1) + publish(b"", b"", 2) + publish(TOPIC.encode(), b"good", 3)
    broker = scripted(subscribed=lambda connection: connection.sendall(both))
    bench = links(broker.port).begin()
    eventually(lambda: bench.arrived() == ["good"])
    eventually(lambda: broker.acknowledged == [1, 2])
    bench.link.acknowledge(bench.deliveries()[0])
    eventually(lambda: broker.acknowledged == [1, 2, 3])

    assert bench.changes() == [(True, "connected")]


def test_a_report_that_is_refused_for_good_does_not_hold_up_the_rest_and_is_told_once(
    links: Links, scripted: Scripted
) -> None:
    """Two of a hundred: the others leave the outbox, in order; these stay."""
    bad = (f'/1-{7}"'.encode(), f'/1-{50}"'.encode())
    broker = scripted(puback=lambda payload: 0x99 if any(text in payload for text in bad) else 0)
    bench = links(broker.port).begin()
    bench.report(100)
    eventually(lambda: bench.outbox.depth() == 2)

    good = [number for number in range(1, 101) if number not in (7, 50)]
    assert bench.outbox.sent == good
    assert [row.sequence for row in bench.outbox.pending(10, 0)] == [7, 50]
    assert bench.conditions() == [
        ConditionChanged(
            "report-refused", "broker", True, (("error", "Payload format invalid"), ("report", f"{STATION}/1-7"))
        )
    ]
    events = [payload for topic, payload in broker.published if topic.endswith("/event")]
    assert len(events) == 100, "none is sent twice on one connection"


def test_answers_that_nobody_asked_for_remove_nothing(links: Links, scripted: Scripted) -> None:
    """Acknowledgements of messages that were never sent, or long ago."""
    stray = b"".join(packet(0x40, os.urandom(1) + bytes([mid]) + b"\0") for mid in range(100, 200))
    broker = scripted(subscribed=lambda connection: connection.sendall(stray), puback=lambda payload: 0x10)
    bench = links(broker.port).begin()
    eventually(bench.link.up)
    bench.report(3)
    eventually(lambda: len(broker.published) >= 4)

    assert (bench.outbox.depth(), bench.outbox.sent) == (3, [])
    assert bench.changes() == [(True, "connected")]


def test_a_broker_killed_and_hung_by_turns_leaves_the_link_working(
    links: Links, broker: Broker, centre: Listener
) -> None:
    """SIGSTOP, SIGKILL, SIGTERM; each time it comes back, and the last report arrives."""
    bench = links(broker.port, keepalive_s=1, draw=lambda: 0.1).start()
    for number in (signal.SIGSTOP, signal.SIGKILL, signal.SIGTERM):
        assert broker._process is not None
        process = broker._process
        if number == signal.SIGSTOP:
            process.send_signal(signal.SIGSTOP)
            eventually(lambda: not bench.link.up(), 15)
            process.send_signal(signal.SIGCONT)
        else:
            broker.stop(number)
            eventually(lambda: not bench.link.up(), 15)
            broker.start()
        eventually(bench.link.up, 25)
        (last,) = bench.report(1)
        eventually(lambda last=last: last in [report["id"] for report in centre.reports("fault")])  # type: ignore[misc]
    eventually(lambda: bench.outbox.depth() == 0)
