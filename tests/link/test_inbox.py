"""Commands and beacons on a real Mosquitto: what the broker says of them reaches the core, and nothing more of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.link.bench import STATION, Bench
from tests.link.wire import Wire
from tests.parts import PLACE, ROOT, SCOPE, Broker, Listener, eventually
from ttcs_edge.core.events import BeaconArrived, CommandArrived
from ttcs_edge.core.limits import LIMITS

COMMAND = f"{ROOT}/station/{STATION}/command"
REPLY = f"{ROOT}/station/{STATION}/reply"
BEACON = f"{ROOT}/scope/{SCOPE}/beacon"
Links = Callable[..., Bench]


@pytest.fixture
def wire(broker: Broker) -> Iterator[Wire]:
    """A cable to the broker that can be cut."""
    wire = Wire(broker.port)
    yield wire
    wire.close()


def commands(bench: Bench) -> list[CommandArrived]:
    """The commands that came."""
    return [event for event in list(bench.events) if isinstance(event, CommandArrived)]


def beacons(bench: Bench) -> list[BeaconArrived]:
    """The beacons that came."""
    return [event for event in list(bench.events) if isinstance(event, BeaconArrived)]


def order(centre: Listener, payload: bytes, *, retain: bool = False, **asked: Any) -> None:
    """Publish a command with properties."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    for name, value in asked.items():
        setattr(properties, name, value)
    sent = centre._client.publish(COMMAND, payload, qos=1, retain=retain, properties=properties)
    sent.wait_for_publish(10)


def test_a_command_comes_with_what_its_sender_wants_to_see_again(
    links: Links, broker: Broker, centre: Listener
) -> None:
    """Correlation data up to its bound; beyond it, none."""
    bench = links(broker.port).start()
    order(centre, b"one", CorrelationData=b"x" * LIMITS.correlation_bytes)
    order(centre, b"two", CorrelationData=b"x" * (LIMITS.correlation_bytes + 1))
    order(centre, b"three")
    eventually(lambda: len(commands(bench)) == 3)

    assert [one.correlation for one in commands(bench)] == [b"x" * LIMITS.correlation_bytes, b"", b""]
    assert not any(one.retained or one.again for one in commands(bench))


def test_a_command_of_another_station_does_not_come(links: Links, broker: Broker, centre: Listener) -> None:
    """Nor one for all of them: there is no such topic."""
    bench = links(broker.port).start()
    for station in ("da-teh-02", "all"):
        centre.publish(f"{ROOT}/station/{station}/command", b"not ours", retain=False)
    order(centre, b"ours")
    eventually(lambda: commands(bench))

    assert len(commands(bench)) == 1


def test_a_command_that_was_not_acknowledged_comes_again_and_says_so(
    links: Links, wire: Wire, centre: Listener
) -> None:
    """The link broke between the disk and the acknowledgement."""
    bench = links(wire.port).start()
    order(centre, b"one")
    eventually(lambda: len(commands(bench)) == 1)
    wire.cut()
    eventually(lambda: len(commands(bench)) == 2)

    assert [one.again for one in commands(bench)] == [False, True]


def test_a_replay_does_not_say_that_it_comes_again(links: Links, broker: Broker, centre: Listener) -> None:
    """A stranger may set DUP as he likes: to the station the broker sends a message of its own (MQTT 5, 3.3.1.1)."""
    bench = links(broker.port).start()
    order(centre, b"one")
    order(centre, b"one")
    eventually(lambda: len(commands(bench)) == 2)

    assert [one.again for one in commands(bench)] == [False, False]


def test_what_stands_retained_is_told_as_retained(links: Links, broker: Broker, centre: Listener) -> None:
    """At each connect, again; what comes while the link is up is live though it is kept, too."""
    order(centre, b"standing", retain=True)
    centre.publish(BEACON, b"old")
    bench = links(broker.port).start()
    eventually(lambda: commands(bench) and beacons(bench))
    centre.publish(BEACON, b"new")
    eventually(lambda: len(beacons(bench)) == 2)

    assert [one.retained for one in commands(bench)] == [True]
    assert [one.live for one in beacons(bench)] == [False, True]
    assert beacons(bench)[0].came_mono_ms <= beacons(bench)[1].came_mono_ms


def test_a_beacon_that_was_sent_while_the_station_was_away_is_not_kept_for_it(
    links: Links, broker: Broker, centre: Listener
) -> None:
    """It would come as live. What stands retained is enough, and is told as that."""
    first = links(broker.port).start()
    first.close()
    for text in (b"one", b"two"):
        centre.publish(BEACON, text)
    centre.publish(f"{ROOT}/scope/{PLACE}/programme", b"meanwhile", retain=False)
    second = links(broker.port).start()
    eventually(lambda: second.arrived() == ["meanwhile"] and beacons(second))

    assert [one.live for one in beacons(second)] == [False]


def test_an_answer_goes_to_the_stations_own_topic_whatever_was_asked_for(links: Links, free_broker: Broker) -> None:
    """An attacker must not choose where a station publishes: as status of another one, say."""
    bench = links(free_broker.port).start()
    everything = Listener(free_broker, "everything", "#")
    centre = Listener(free_broker)
    order(centre, b"one", ResponseTopic=f"{ROOT}/station/da-teh-02/status", CorrelationData=b"c-1")
    eventually(lambda: commands(bench))
    bench.link.answer(lambda: b'{"kind": "reply"}', commands(bench)[0].correlation)
    try:
        eventually(lambda: REPLY in [topic for topic, _ in everything.messages])
        bench.link.publish_heartbeat(lambda: b'{"kind": "heartbeat"}')
        eventually(lambda: any(topic.endswith("/heartbeat") for topic, _ in everything.messages))
        assert not any("da-teh-02" in topic for topic, _ in everything.messages)
    finally:
        everything.close()
        centre.close()


def test_work_that_fails_holds_up_neither_the_next_nor_the_reports(
    links: Links, broker: Broker, centre: Listener
) -> None:
    """A card that fails under a resend."""

    def fail() -> bytes:
        raise OSError("the card")

    bench = links(broker.port).start()
    bench.link.answer(fail, b"")
    bench.link.answer(lambda: b'{"kind": "reply", "n": 2}', b"")
    ids = bench.report(1)
    eventually(lambda: (REPLY, b'{"kind": "reply", "n": 2}') in centre.messages)
    eventually(lambda: [one["id"] for one in centre.reports("fault")] == ids)


def test_reports_that_were_acknowledged_a_moment_ago_come_again_when_they_are_asked_for(
    links: Links, broker: Broker, centre: Listener
) -> None:
    """Marks of what was sent are written once a second: one that came behind the resend would undo it."""
    bench = links(broker.port).start()
    (first,) = bench.report(1)
    eventually(lambda: [one["id"] for one in centre.reports("fault")] == [first])
    for begin in range(2, 20, 3):
        before = len(centre.reports("fault"))
        ids = bench.report(3)
        eventually(lambda before=before: len(centre.reports("fault")) == before + 3)  # type: ignore[misc]
        bench.link.answer(lambda begin=begin: _again(bench, begin), b"")  # type: ignore[misc]
        eventually(lambda before=before: len(centre.reports("fault")) == before + 6)  # type: ignore[misc]
        assert [one["id"] for one in centre.reports("fault")[before:]] == ids + ids


def _again(bench: Bench, begin: int) -> bytes:
    assert bench.outbox._outbox.resend(1, begin, begin + 2) == (3, ())
    return b'{"kind": "reply"}'


def test_work_is_done_without_a_link_and_is_bounded(links: Links, broker: Broker) -> None:
    """The centre sees the reports come; whoever may command cannot fill the memory with orders."""
    done: list[int] = []
    broker.stop()
    bench = links(broker.port).begin()

    def work(number: int) -> bytes:
        done.append(number)
        return b""

    for number in range(3 * LIMITS.answers_waiting):
        bench.link.answer(partial(work, number), b"")
    eventually(lambda: len(done) >= LIMITS.answers_waiting)
    assert done == sorted(done)


def test_who_leaves_is_told_when_its_answer_is_with_the_broker_or_cannot_be(links: Links, broker: Broker) -> None:
    """Not before the broker has it; at once when there is no connection."""
    everything = Listener(broker, subscribe="#", client_id="everything")
    bench = links(broker.port).start()
    gone: list[str] = []
    bench.link.answer(lambda: b'{"kind": "reply", "n": 1}', b"c", lambda: gone.append("sent"))
    eventually(lambda: gone)
    eventually(lambda: (REPLY, b'{"kind": "reply", "n": 1}') in everything.messages)
    everything.close()
    broker.stop()
    eventually(lambda: not bench.link.up())
    bench.link.answer(lambda: b'{"kind": "reply", "n": 2}', b"c", lambda: gone.append("alone"))
    eventually(lambda: gone == ["sent", "alone"])
