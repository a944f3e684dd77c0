"""What whoever has a station's key, or none, can do at a broker with the rules of ``ttcs-central broker-config``.

A real Mosquitto, real certificates, and where it matters the real daemon. The thief has the key of a station of Bảo
Lộc; the village is Đạ Tẻh, beside it. Mosquitto takes every subscription and delivers nothing of what it must not.
"""

from __future__ import annotations

import shutil
import socket
import ssl
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from tests.attacks.intruder import AnyIntruder
from tests.link.odd_authority import OddAuthority
from tests.parts import PLACE, ROOT, Authority, Broker, Province, Station, eventually, session
from tests.system.sight import status
from ttcs_edge.central.authority import make_revocation_list
from ttcs_edge.central.broker_rules import CERTIFICATE, KEY, REVOKED
from ttcs_edge.wire.topics import UPWARD, Topics

VICTIM, THIEF = "da-teh-01", "bao-loc-01"
BESIDE = "vn/lam-dong/bao-loc"
TOPICS = Topics(ROOT)
NOT_AUTHORIZED = 0x87
SHA256 = "a" * 64
DOWNWARD = [
    f"{ROOT}/scope/{scope}/{leaf}"
    for scope in ("vn", "vn/lam-dong", BESIDE, PLACE, "vn/lam-dong/xa")
    for leaf in ("programme", "beacon", "trust", "alert/a", "live/a")
]
OTHERS = [TOPICS.station(VICTIM, leaf) for leaf in (*UPWARD, "command")]
ELSEWHERE = [
    TOPICS.station(THIEF, "command"),
    TOPICS.station(THIEF, "status/x"),
    TOPICS.station("operator", "status"),
    TOPICS.blob(SHA256, 0),
    f"{ROOT}/nothing",
    "ttcs/v2/scope/vn/programme",
    "$SYS/broker/version",
    "$CONTROL/dynamic-security/v1",
    "$share/all/x",
]
EVERYTHING = [
    "#",
    f"{ROOT}/#",
    "+/+/+/+/+",
    f"{ROOT}/station/+/+",
    f"{ROOT}/scope/vn/lam-dong/+/programme",
    *DOWNWARD,
    *OTHERS,
    "$SYS/#",
    "$CONTROL/#",
    "$share/all/#",
    f"$share/all/{ROOT}/station/{VICTIM}/#",
]


class Intruder(AnyIntruder):
    """Whoever has the key of one of those whom the broker knows."""

    def __init__(
        self,
        broker: Broker,
        name: str = THIEF,
        client: str = "",
        will: str | None = None,
        clean: bool = False,
    ) -> None:
        certificate, key = broker.authority.client(name)
        mqtt = Client(CallbackAPIVersion.VERSION2, client_id=client or f"x-{name}", protocol=MQTTv5)
        mqtt.tls_set(str(broker.authority.ca_file), str(certificate), str(key))
        mqtt.reconnect_delay_set(60, 60)
        if will is not None:
            mqtt.will_set(will, b"forged", qos=1, retain=True)
        super().__init__(mqtt, "127.0.0.1", broker.port, clean=clean)

    @property
    def took_a_session(self) -> bool:
        """Whether the broker had one under its client id."""
        return self.sessions[0]

    def vanish(self) -> None:
        """Break the connection, so that the will is told."""
        self.client.socket().shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
        self.client.loop_stop()


@pytest.fixture
def rules(tmp_path: Path, authority: Authority) -> Iterator[Broker]:
    """A running Mosquitto that knows two stations."""
    broker = Broker(tmp_path / "rules", authority, stations={VICTIM: PLACE, THIEF: BESIDE})
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def thief(rules: Broker) -> Iterator[Intruder]:
    """Whoever has the neighbour's key."""
    thief = Intruder(rules)
    yield thief
    thief.close()


@pytest.fixture
def victim(rules: Broker) -> Iterator[Intruder]:
    """The village's station, as far as the broker goes, hearing all that it is given."""
    victim = Intruder(rules, VICTIM).listen("#")
    yield victim
    victim.close()


@pytest.fixture
def operator(rules: Broker) -> Iterator[Intruder]:
    """The operator, hearing all that it is given."""
    operator = Intruder(rules, "operator").listen("#")
    yield operator
    operator.close()


@pytest.fixture
def village(tmp_path: Path, rules: Broker, province: Province) -> Iterator[Station]:
    """The village's station, whole, not yet started."""
    station = Station(tmp_path / "village", rules, province)
    station.install()
    yield station
    if station.process is not None:
        station.process.kill()
        station.process.wait()


def log(broker: Broker) -> str:
    """What the broker wrote of it all."""
    return (broker._folder / "log").read_text()


def retained(broker: Broker, name: str, *filters: str) -> list[tuple[str, bytes]]:
    """What stands there for somebody who comes later."""
    late = Intruder(broker, name, client=f"late-{name}", clean=True).listen(*filters)
    late.say(TOPICS.station(VICTIM, "command") if name == "operator" else TOPICS.station(name, "heartbeat"))
    late.close()
    return late.heard


# -- saying what is another's to say


def test_a_stations_key_says_nothing_but_its_own_reports(
    rules: Broker, thief: Intruder, victim: Intruder, operator: Intruder
) -> None:
    """Each is refused with *Not authorized* (MQTT 5, 3.4.2.1), reaches nobody, and nothing of it stands."""
    topics = [*DOWNWARD, *OTHERS, *ELSEWHERE]
    assert {topic: thief.say(topic, retain=True) for topic in topics} == dict.fromkeys(topics, NOT_AUTHORIZED)
    for topic in topics:
        thief.client.publish(topic, b"forged", qos=0, retain=True)

    assert thief.say(TOPICS.station(THIEF, "event"), b"own") == 0
    eventually(lambda: operator.heard)
    assert operator.heard == [(TOPICS.station(THIEF, "event"), b"own")]
    assert victim.heard == []
    assert retained(rules, "operator", "#") == retained(rules, VICTIM, "#") == []
    assert thief.ends == [], "it goes on: a refusal costs no connection"


def test_a_will_on_the_topic_of_another_is_not_told(rules: Broker, operator: Intruder) -> None:
    """A will is asked about when it is told; one of its own is."""
    topics = [TOPICS.station(VICTIM, leaf) for leaf in UPWARD] + DOWNWARD[:2]
    for number, topic in enumerate(topics):
        Intruder(rules, client=f"x-{number}", will=topic).vanish()
    Intruder(rules, client="last", will=TOPICS.station(THIEF, "status")).vanish()

    eventually(lambda: operator.heard)
    assert operator.heard == [(TOPICS.station(THIEF, "status"), b"forged")]
    assert retained(rules, "operator", "#") == operator.heard


# -- hearing what is for another


def test_a_stations_key_hears_nothing_but_what_is_for_its_own_place(
    rules: Broker, thief: Intruder, victim: Intruder, operator: Intruder
) -> None:
    """Whatever it subscribes to, wildcards and shared subscriptions too, now or later; others lose nothing by it."""
    thief.listen(*EVERYTHING)
    assert set(thief.granted) == {1}, "Mosquitto refuses no subscription"
    for topic in [*DOWNWARD, TOPICS.station(VICTIM, "command"), TOPICS.blob(SHA256, 0)]:
        assert operator.say(topic, b"down", retain=True) == 0
    for leaf in UPWARD:
        assert victim.say(TOPICS.station(VICTIM, leaf), b"up", retain=True) == 0
    operator.say(TOPICS.station(THIEF, "command"), b"last")

    mine = {topic for topic in DOWNWARD if f"/{PLACE}/" not in topic and "/xa/" not in topic}
    mine |= {TOPICS.blob(SHA256, 0), TOPICS.station(THIEF, "command")}
    eventually(lambda: (TOPICS.station(THIEF, "command"), b"last") in thief.heard)
    assert {topic for topic, _ in thief.heard} == mine
    later = {topic for topic, _ in retained(rules, THIEF, *EVERYTHING)}
    assert later == mine - {TOPICS.station(THIEF, "command")}
    theirs = {topic for topic in DOWNWARD if f"/{BESIDE}/" not in topic and "/xa/" not in topic}
    theirs |= {TOPICS.blob(SHA256, 0), TOPICS.station(VICTIM, "command")}
    eventually(lambda: {topic for topic, _ in victim.heard} == theirs)
    assert {topic for topic, _ in operator.heard if VICTIM in topic} == {
        TOPICS.station(VICTIM, leaf) for leaf in UPWARD
    }


def test_a_report_that_only_a_thief_would_hear_is_not_heard_by_him_but_counts_as_taken(
    thief: Intruder, victim: Intruder
) -> None:
    """What the thief gains: with nobody at the centre, Mosquitto says of a report that it had a subscriber, who was
    then not given it. The station does not offer it again by itself; its number is missing at the centre, and
    ``resend`` has it.
    """
    nobody = 0x10
    victim.client.unsubscribe("#")
    assert victim.say(TOPICS.station(VICTIM, "event"), b"one") == nobody
    thief.listen("#")

    assert victim.say(TOPICS.station(VICTIM, "event"), b"two") == 0
    assert thief.heard == []


# -- being another


def test_whoever_connects_under_the_name_of_another_does_not_take_over_its_session(
    rules: Broker, village: Station, operator: Intruder
) -> None:
    """The client id holds what only the holder of the station's key can tell; its name alone is nobody's session."""
    village.start()
    eventually(lambda: status(village).get("link_up"))
    mine = session(rules, VICTIM)
    with_his_own_key = session(rules, THIEF).replace(THIEF, VICTIM)
    for guess in (VICTIM, f"{VICTIM}/audio", f"{VICTIM}-", with_his_own_key):
        thief = Intruder(rules, client=guess, clean=True).listen("$SYS/#", "#")
        assert operator.say(TOPICS.station(THIEF, "command"), b"hears") == 0
        eventually(lambda thief=thief: thief.heard)  # type: ignore[misc]
        thief.close()
        assert thief.heard == [(TOPICS.station(THIEF, "command"), b"hears")], "no client id either"
        thief = Intruder(rules, client=guess)
        assert thief.took_a_session, "that of the thief before"
        thief.close()

    assert operator.say(f"{ROOT}/scope/{PLACE}/programme", b"{") == 0
    eventually(lambda: [f for f in status(village)["faults"] if f["code"] == "not-json"])
    assert status(village)["link_up"]
    assert log(rules).count(f" as {mine} ") == 1, "it connected once, and stayed"
    assert "already connected" not in log(rules)


def test_a_session_that_was_taken_over_all_the_same_brings_nothing(
    rules: Broker, village: Station, operator: Intruder
) -> None:
    """A client id that leaked: what waits for the station is not for whoever has another name, and the station is back
    by its next connection.
    """
    village.start()
    eventually(lambda: status(village).get("link_up"))
    assert village.stop() == 0
    operator.say(TOPICS.station(VICTIM, "command"), b"secret")
    operator.say(f"{ROOT}/scope/{PLACE}/alert/a", b"secret")
    thief = Intruder(rules, client=session(rules, VICTIM))
    operator.say(f"{ROOT}/scope/vn/programme", b"for all")
    eventually(lambda: thief.heard)

    assert thief.took_a_session
    assert thief.heard == [(f"{ROOT}/scope/vn/programme", b"for all")]
    thief.close()
    village.start()
    eventually(lambda: status(village).get("link_up"))


# -- certificates that do not count


def odd(authority: Authority, folder: Path, days: tuple[int, int]) -> OddAuthority:
    """The same authority, at another time."""
    shutil.copytree(authority.folder, folder)
    made = OddAuthority(folder, days=days)
    made._pair = authority._pair
    made.ca_file.write_bytes(authority._pair.certificate)
    return made


def shake(
    broker: Broker, certificate: Path | None, key: Path | None, most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
) -> str:
    """Try to connect; gives what the broker's end said of it, empty when it let us in.

    With TLS 1.3 its word may be lost behind a closed connection: it comes after the handshake.
    """
    context = ssl.create_default_context(cafile=str(broker.authority.ca_file))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_1, most
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    try:
        plain = socket.create_connection(("127.0.0.1", broker.port), 5)
        with plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            # CONNECT, MQTT 5, clean start, no properties, client id "x": its answer tells that we are in.
            secure.sendall(bytes([0x10, 14, 0, 4, *b"MQTT", 5, 2, 0, 60, 0, 0, 1, *b"x"]))
            assert secure.recv(1) == bytes([0x20])
            return ""
    except ssl.SSLError as error:
        return str(error)


def revoke(broker: Broker, authority: Authority, name: str) -> None:
    """Put a certificate on the broker's list."""
    certificate = x509.load_pem_x509_certificate(authority.client(name)[0].read_bytes())
    before = x509.load_pem_x509_crl((broker._folder / REVOKED).read_bytes())
    list_ = make_revocation_list(authority._pair, {certificate.serial_number: None}, before)
    (broker._folder / REVOKED).write_bytes(list_)


@pytest.mark.parametrize(
    ("kind", "answer", "told"),
    [
        ("another-authority", "unknown ca", "certificate verify failed"),
        ("expired", "certificate expired", "certificate verify failed"),
        ("not-yet-valid", "bad certificate", "certificate verify failed"),
        ("revoked", "certificate revoked", "certificate verify failed"),
        ("a-servers", "unsupported certificate", "certificate verify failed"),
        ("none", "handshake failure", "peer did not return a certificate"),
        ("old-tls", "protocol version", "unsupported protocol"),
    ],
)
def test_without_a_certificate_that_counts_nobody_connects(
    tmp_path: Path, rules: Broker, authority: Authority, kind: str, answer: str, told: str
) -> None:
    """TLS ends before the first packet of MQTT, and the broker's log names why."""
    good = authority.client(VICTIM)
    most = ssl.TLSVersion.TLSv1_1 if kind == "old-tls" else ssl.TLSVersion.TLSv1_2
    if kind == "another-authority":
        bad: tuple[Path | None, Path | None] = Authority(tmp_path / "other").client(VICTIM)
    elif kind in ("expired", "not-yet-valid"):
        days = (-9, -1) if kind == "expired" else (1, 9)
        bad = odd(authority, tmp_path / "odd", days).client("somebody")
    elif kind == "a-servers":
        bad = authority.server()
    elif kind == "none":
        bad = (None, None)
    else:
        bad = good
    if kind == "revoked":
        assert shake(rules, *good) == "", "before"
        revoke(rules, authority, VICTIM)
        rules.stop()
        rules.start()

    before = len(log(rules))
    assert answer in shake(rules, *bad, most)

    eventually(lambda: told in log(rules)[before:])
    assert "New client connected" not in log(rules)[before:]
    assert shake(rules, *authority.client(THIEF)) == "", "one that counts"


def test_a_station_that_is_revoked_falls_silent_at_once_and_is_out_at_the_restart(
    rules: Broker, authority: Authority, village: Station, operator: Intruder
) -> None:
    """The new list takes its rights while it is connected; the next connection does not come up."""
    village.start()
    eventually(lambda: [topic for topic, _ in operator.heard if topic == TOPICS.station(VICTIM, "heartbeat")])
    revoke(rules, authority, VICTIM)
    rules.let_in({THIEF: BESIDE})
    eventually(lambda: "Reloading config" in log(rules))
    operator.say(f"{ROOT}/scope/{PLACE}/programme", b"{")
    heard = len(operator.heard)
    operator.say(f"{ROOT}/scope/{PLACE}/alert/a", b"{")
    eventually(lambda: len(operator.heard) > heard)
    assert status(village)["faults"] == [], "it heard nothing of it"
    assert not [topic for topic, _ in operator.heard[heard:] if "/station/" in topic]
    assert "certificate revoked" in shake(rules, *authority.client(VICTIM)), "the reload brings the new list, too"

    rules.stop()
    rules.start()

    (fault,) = eventually(lambda: [f for f in status(village)["faults"] if f["code"] == "link-down"], 30)
    eventually(lambda: dict(status(village)["faults"][0]["detail"]).get("reason") == "tls", 30)
    assert fault["subject"]
    eventually(lambda: "certificate verify failed" in log(rules))
    assert village.stop() == 0


def test_a_station_that_the_broker_does_not_know_says_so_where_it_stands(rules: Broker, village: Station) -> None:
    """Added, and the rules not made anew: it is connected, and mute. The technician is told, and it goes on."""
    rules.let_in({THIEF: BESIDE})
    village.start()

    (fault,) = eventually(lambda: [f for f in status(village)["faults"] if f["code"] == "report-refused"])

    assert dict(fault["detail"]) == {"error": "Not authorized", "report": "status"}
    assert status(village)["link_up"]
    assert retained(rules, "operator", "#") == []


# -- a broker that is none of ours


@pytest.mark.parametrize(
    ("kind", "reason", "words"),
    [
        ("another-authority", "tls", "certificate verify failed"),
        ("expired", "tls-expired", "certificate has expired"),
        ("not-yet-valid", "tls-expired", "certificate is not yet valid"),
        ("another-host", "tls", "certificate is not valid for '127.0.0.1'"),
        ("a-stations", "tls", "unsuitable certificate purpose"),
    ],
)
def test_a_broker_that_cannot_show_that_it_is_one_hears_nothing_from_a_station(
    tmp_path: Path, rules: Broker, authority: Authority, village: Station, kind: str, reason: str, words: str
) -> None:
    """The fault tells why; not even CONNECT is sent. With a station's stolen key nobody can be the broker either."""
    rules.stop()
    made: dict[str, Any] = {
        "another-authority": lambda: Authority(tmp_path / "other").server(),
        "expired": lambda: odd(authority, tmp_path / "odd", (-9, -1)).server(),
        "not-yet-valid": lambda: odd(authority, tmp_path / "odd", (1, 9)).server(),
        "another-host": lambda: _named(authority, tmp_path / "named", "broker.example"),
        "a-stations": lambda: authority.client(THIEF),
    }
    if kind in ("expired", "not-yet-valid"):
        (authority.folder / "server.key").unlink()
    certificate, key = made[kind]()
    shutil.copy(certificate, rules._folder / CERTIFICATE)
    shutil.copy(key, rules._folder / KEY)
    rules.start()
    village.start()

    (fault,) = eventually(lambda: [f for f in status(village)["faults"] if f["code"] == "link-down"], 20)

    detail = dict(fault["detail"])
    assert (detail["reason"], words in detail["error"]) == (reason, True), detail
    assert "New client connected" not in log(rules)
    assert village.stop() == 0


def _named(authority: Authority, folder: Path, name: str) -> tuple[Path, Path]:
    other = Authority(folder)
    other._pair = authority._pair
    other._servers = (name,)
    return other.server()
