"""The link on a real Mosquitto: what is acknowledged when, what comes again, what the centre hears, what waits."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.link.bench import STATION, Bench, Witness, retained_state, states
from tests.link.wire import Wire
from tests.parts import PLACE, ROOT, SCOPE, Authority, Broker, Listener, Province, eventually, session
from ttcs_edge.central.broker_rules import RIGHTS
from ttcs_edge.core.documents import Refused
from ttcs_edge.core.events import AlertArrived, ConditionChanged, LinkChanged, ProgrammeArrived
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.link.mqtt import PACKET_BYTES
from ttcs_edge.wire.documents import read_programme

TOPIC = f"{ROOT}/scope/{SCOPE}/programme"
Links = Callable[..., Bench]


@pytest.fixture
def wire(broker: Broker) -> Iterator[Wire]:
    """A cable to the broker that can be cut."""
    wire = Wire(broker.port)
    yield wire
    wire.close()


# -- down


def test_a_message_that_was_not_acknowledged_comes_again(links: Links, wire: Wire, centre: Listener) -> None:
    """Taken, but not on disk yet when the link broke: not retained, so the broker alone can bring it back."""
    bench = links(wire.port).start()
    centre.publish(TOPIC, b"one", retain=False)
    eventually(lambda: bench.arrived() == ["one"])
    wire.cut()
    eventually(lambda: bench.arrived() == ["one", "one"])

    first, second = bench.deliveries()
    assert first != second
    bench.link.acknowledge(first)  # of a connection that is gone: it must not stand for the second
    wire.cut()
    eventually(lambda: bench.arrived() == ["one", "one", "one"])


def test_a_message_that_was_acknowledged_does_not_come_again(links: Links, wire: Wire, centre: Listener) -> None:
    """Whatever else is still under way."""
    bench = links(wire.port).start()
    for text in (b"one", b"two", b"three"):
        centre.publish(TOPIC, text, retain=False)
    eventually(lambda: len(bench.arrived()) == 3)
    bench.link.acknowledge(bench.deliveries()[1])
    bench.link.publish_heartbeat(lambda: b'{"kind": "heartbeat"}')
    eventually(lambda: centre.reports("heartbeat"))  # the acknowledgement before it is at the broker, too
    wire.cut()
    eventually(lambda: bench.changes()[-1] == (True, "connected") and len(bench.arrived()) >= 5)
    centre.publish(TOPIC, b"four", retain=False)
    eventually(lambda: "four" in bench.arrived())

    assert bench.arrived() == ["one", "two", "three", "one", "three", "four"]


def test_what_is_published_while_a_station_is_away_is_there_when_it_returns(
    links: Links, broker: Broker, centre: Listener
) -> None:
    """A persistent session: neither retained, nor was anybody connected."""
    first = links(broker.port).start()
    first.close()
    centre.publish(TOPIC, b"meanwhile", retain=False)
    second = links(broker.port).start()

    eventually(lambda: second.arrived() == ["meanwhile"])


def test_a_broker_killed_in_the_middle_brings_back_what_was_not_acknowledged(
    links: Links, broker: Broker, centre: Listener
) -> None:
    """kill -9: what it has written to its disk by then comes again."""
    bench = links(broker.port).start()
    centre.publish(TOPIC, b"one", retain=False)
    eventually(lambda: bench.arrived() == ["one"])
    eventually(lambda: _saved(broker, b"one"))
    broker.stop(signal.SIGKILL)
    broker.start()

    eventually(lambda: bench.arrived() == ["one", "one"], 20)


def _saved(broker: Broker, text: bytes) -> bool:
    path = broker._folder / "mosquitto.db"
    return path.exists() and text in path.read_bytes()


def test_every_scope_above_a_station_is_heard_and_no_other(links: Links, broker: Broker, centre: Listener) -> None:
    """A neighbour's programme is not for us, and neither is that of a place within us."""
    bench = links(broker.port).start()
    for scope in ("vn/lam-dong/da-teh/to-dan-pho-1", "vn/lam-dong/bao-loc", "vn", "vn/lam-dong", PLACE):
        centre.publish(f"{ROOT}/scope/{scope}/programme", scope.encode(), retain=False)

    eventually(lambda: bench.arrived() == ["vn", "vn/lam-dong", PLACE])
    assert [event.topic_scope for event in bench.events if isinstance(event, ProgrammeArrived)] == bench.arrived()


def test_what_the_session_remembers_of_an_earlier_life_is_left_behind(links: Links, free_broker: Broker) -> None:
    """A station that moved, or died in the middle of a file: what comes is dropped, and then no longer sent."""
    centre = Listener(free_broker)
    mine = session(free_broker)
    stale = [f"{ROOT}/scope/vn/quang-nam/programme", f"{ROOT}/blob/{'a' * 64}/3", f"{ROOT}/nonsense"]
    for topic in stale:
        earlier = Listener(free_broker, STATION, topic, client_id=mine)
        earlier.close()
    bench = links(free_broker.port).start()
    for topic in stale:
        centre.publish(topic, b"stale", retain=False)
    centre.publish(TOPIC, b"fresh", retain=False)
    eventually(lambda: bench.arrived() == ["fresh"])
    bench.link.acknowledge(bench.deliveries()[0])
    bench.close()
    for topic in stale:
        centre.publish(topic, b"stale", retain=False)
    centre.publish(TOPIC, b"last", retain=False)
    later = Listener(free_broker, STATION, f"{ROOT}/none", client_id=mine)
    try:
        eventually(lambda: later.messages)
        assert later.messages == [(TOPIC, b"last")]
    finally:
        later.close()
        centre.close()


def test_a_document_beyond_its_bound_is_refused_and_one_far_beyond_never_comes(
    links: Links, free_broker: Broker, province: Province
) -> None:
    """The first is told with its reason, the second is not let into the station's memory; the link stands."""
    centre = Listener(free_broker)
    bench = links(free_broker.port, read=lambda data, scope: read_programme(data, province.root, scope)).start()
    centre.publish(TOPIC, b"x" * (LIMITS.envelope_bytes + 1), retain=False)
    centre.publish(TOPIC, b"x" * (PACKET_BYTES + 1), retain=False)
    centre.publish(TOPIC, b"{", retain=False)
    eventually(lambda: len(bench.deliveries()) == 2, 30)

    refused = [event.programme for event in bench.events if isinstance(event, ProgrammeArrived)]
    assert [one.code for one in refused if isinstance(one, Refused)] == ["oversized", "not-json"]
    assert bench.changes() == [(True, "connected")]


def test_a_reader_that_fails_on_one_document_reads_the_next(links: Links, broker: Broker, centre: Listener) -> None:
    """never-7: the thread goes on, and the document is told as unreadable."""

    def read(payload: bytes, scope: str) -> Refused:
        if payload == b"poison":
            raise RecursionError("maximum recursion depth exceeded")
        return Refused("heard", scope)

    bench = links(broker.port, read=read).start()
    for text in (b"poison", b"good"):
        centre.publish(TOPIC, text, retain=False)
    eventually(lambda: len(bench.deliveries()) == 2)

    assert [event.programme for event in bench.events if isinstance(event, ProgrammeArrived)] == [
        Refused("unreadable", SCOPE, (("error", "RecursionError"),)),
        Refused("heard", SCOPE),
    ]


def test_messages_of_quality_0_that_come_faster_than_they_are_read_are_dropped_and_the_link_stands(
    links: Links, broker: Broker, centre: Listener
) -> None:
    """What nobody acknowledges has no window; the station's memory is its own bound."""
    go = threading.Event()

    def read(payload: bytes, scope: str) -> Refused:
        go.wait(10)
        return Refused("heard", scope, (("payload", payload.decode()),))

    bench = links(broker.port, read=read).start()
    for number in range(500):
        centre._client.publish(TOPIC, str(number), qos=0)
    centre.publish(f"{ROOT}/scope/{SCOPE}/alert/lu-quet", b"behind them all", retain=False)
    eventually(lambda: any(isinstance(event, AlertArrived) for event in bench.events))
    go.set()
    eventually(lambda: len(bench.arrived()) > 10)
    centre.publish(TOPIC, b"after", retain=False)
    eventually(lambda: "after" in bench.arrived())

    assert len(bench.arrived()) == 1 + 2 * LIMITS.outbox_in_flight + 1
    assert bench.changes() == [(True, "connected")]


def test_a_link_that_never_began_can_be_closed(links: Links, broker: Broker) -> None:
    """A station that is stopped while it starts."""
    bench = links(broker.port)
    bench.link.close(1)

    assert not bench.link.up() and bench.events == []


# -- what the centre knows of a station


def test_a_station_is_online_offline_and_stopped_and_whoever_comes_later_is_told(
    links: Links, broker: Broker, wire: Wire, centre: Listener
) -> None:
    """Birth, last will, farewell; all of them retained."""
    bench = links(wire.port).start()
    eventually(lambda: states(centre) == ["online"])
    assert retained_state(broker) == "online"
    wire.cut(stay=True)
    eventually(lambda: states(centre) == ["online", "offline"])
    assert retained_state(broker) == "offline"
    wire.mend()
    eventually(lambda: states(centre) == ["online", "offline", "online"], 12)
    eventually(bench.link.up)
    bench.close()
    eventually(lambda: states(centre) == ["online", "offline", "online", "stopped"])
    assert retained_state(broker) == "stopped"


def test_the_farewell_goes_out_behind_a_full_window_of_reports(links: Links, broker: Broker, centre: Listener) -> None:
    """Or the centre would think of a stopped station as online for ever."""
    bench = links(broker.port).start()
    bench.report(400)
    eventually(bench.in_flight)
    bench.close(10)

    eventually(lambda: states(centre)[-1] == "stopped")
    assert retained_state(broker) == "stopped"


def test_the_farewell_is_the_last_word_of_a_station_that_still_reports(
    links: Links, broker: Broker, centre: Listener
) -> None:
    """Answers that come to a closed socket reset it, and a reset broker tells the will behind the farewell."""
    for _ in range(20):
        bench = links(broker.port).start()
        bench.report(400, 1_000)
        eventually(bench.in_flight)
        bench.close(10)
        assert retained_state(broker) == "stopped"


def test_what_a_station_that_leaves_was_the_last_to_write_is_told_before_its_farewell(
    links: Links, broker: Broker, centre: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How the cue ended that its leaving cut off: on the card a moment before, and nobody has looked there since."""
    bench = links(broker.port).start()
    monkeypatch.setattr(bench.link, "wake", lambda: None)
    told = bench.report(1)
    bench.close(10)
    eventually(lambda: states(centre)[-1:] == ["stopped"])
    assert [report["id"] for report in centre.reports("fault")] == told


def test_leaving_a_broker_that_hangs_takes_no_longer_than_allowed_and_its_will_is_told(
    links: Links, broker: Broker, centre: Listener
) -> None:
    """SIGSTOP: it accepts everything and answers nothing."""
    bench = links(broker.port).start()
    eventually(lambda: states(centre) == ["online"])
    assert broker._process is not None
    broker._process.send_signal(signal.SIGSTOP)
    try:
        began_s = time.monotonic()
        bench.link.close(0.5)
        assert time.monotonic() - began_s < 1
        eventually(lambda: not [t for t in threading.enumerate() if t.name == "link-network"], 5)
    finally:
        broker._process.send_signal(signal.SIGCONT)
    eventually(lambda: len(states(centre)) == 3)

    assert states(centre) == ["online", "stopped", "offline"]


def test_a_link_that_never_came_up_is_left_at_once(links: Links) -> None:
    """No broker anywhere."""
    bench = links(1).begin()
    assert bench.down().reason == "unreachable"
    began_s = time.monotonic()
    bench.close()

    assert time.monotonic() - began_s < 1


# -- up


def order(centre: Listener) -> list[str]:
    """The ids of the faults that the centre heard, each where it came first."""
    return list(dict.fromkeys(report["id"] for report in centre.reports("fault")))


def test_reports_survive_a_broker_killed_in_their_middle_in_order_and_none_is_lost(
    links: Links, broker: Broker, wire: Wire
) -> None:
    """500 of them, kill -9: each arrives under its one id, in order, and is marked once."""
    witness = Witness(broker)
    try:
        bench = links(wire.port).start()
        ids = bench.report(500)
        eventually(lambda: len(witness.ids) > 100)
        wire.open = False  # the witness must be back before the station is
        broker.stop(signal.SIGKILL)
        seen = len(witness.ids)
        broker.start()
        assert witness.connected.acquire(timeout=10)
        wire.open = True
        eventually(lambda: bench.outbox.depth() == 0, 30)
        eventually(lambda: len(set(witness.ids)) == 500)
    finally:
        witness.close()

    assert 100 < seen < 500, "it was in their middle"
    assert list(dict.fromkeys(witness.ids)) == ids
    assert bench.outbox.sent == list(range(1, 501))


def test_a_broker_that_hangs_gets_twenty_reports_and_no_more_until_it_answers(
    links: Links, broker: Broker, centre: Listener
) -> None:
    """And the outbox keeps them all until then."""
    bench = links(broker.port).start()
    assert broker._process is not None
    broker._process.send_signal(signal.SIGSTOP)
    try:
        ids = bench.report(100)
        eventually(lambda: bench.in_flight() == LIMITS.outbox_in_flight)
        bench.link.wake()
        bench.report(1)
        assert (bench.outbox.depth(), bench.in_flight()) == (101, LIMITS.outbox_in_flight)
    finally:
        broker._process.send_signal(signal.SIGCONT)
    eventually(lambda: bench.outbox.depth() == 0)

    eventually(lambda: order(centre) == [*ids, f"{STATION}/1-101"])


def test_a_station_whose_events_the_broker_denies_goes_on_and_tells_them_when_it_may(
    tmp_path: Path, authority: Authority, links: Links
) -> None:
    """An access list (0x87): state and programmes still pass, the reports stay, and go when the list is mended."""
    broker = Broker(tmp_path / "broker-acl", authority)
    rights = broker._folder / RIGHTS
    every = f"user operator\ntopic readwrite #\nuser {STATION}\ntopic read {ROOT}/scope/#\n"
    denied = every + f"topic write {ROOT}/station/{STATION}/status\ntopic write {ROOT}/station/{STATION}/heartbeat\n"
    rights.write_text(denied)
    broker.start()
    centre = Listener(broker)
    wire = Wire(broker.port)
    try:
        bench = links(wire.port).start()
        ids = bench.report(50)
        eventually(lambda: bench.conditions())
        centre.publish(TOPIC, b"heard", retain=False)
        bench.link.publish_heartbeat(lambda: b'{"kind": "heartbeat"}')
        eventually(lambda: bench.arrived() == ["heard"] and centre.reports("heartbeat"))

        assert bench.conditions() == [
            ConditionChanged(
                "report-refused", "broker", True, (("error", "Not authorized"), ("report", f"{STATION}/1-1"))
            )
        ]
        assert (bench.outbox.depth(), order(centre)) == (50, [])
        rights.write_text(denied + f"topic write {ROOT}/station/{STATION}/event\n")
        assert broker._process is not None
        broker._process.send_signal(signal.SIGHUP)
        wire.cut()
        eventually(lambda: order(centre) == ids, 15)
        eventually(lambda: bench.outbox.depth() == 0)
    finally:
        centre.close()
        wire.close()
        broker.stop()


def test_an_outbox_that_fails_for_a_while_loses_nothing_and_ends_no_thread(
    links: Links, broker: Broker, centre: Listener
) -> None:
    """A card that cannot be written for a moment: what was acknowledged is removed later, and not told again."""
    bench = links(broker.port).start()
    bench.outbox.fail = sqlite3.OperationalError("disk I/O error")
    ids = bench.report(5)
    eventually(lambda: bench.outbox.fail is None)
    ids += bench.report(5)
    eventually(lambda: bench.outbox.depth() == 0, 15)

    assert [report["id"] for report in centre.reports("fault")] == ids


# -- the heartbeat


def test_a_heartbeat_is_made_on_the_links_own_thread_and_sent(links: Links, broker: Broker, centre: Listener) -> None:
    """never-8: making it reads the outbox, which the core's thread must not."""
    bench = links(broker.port).start()
    made_on: list[str] = []

    def make() -> bytes:
        made_on.append(threading.current_thread().name)
        return json.dumps({"kind": "heartbeat", "outbox": bench.outbox.depth()}).encode()

    bench.link.publish_heartbeat(make)
    eventually(lambda: centre.reports("heartbeat") == [{"kind": "heartbeat", "outbox": 0}])
    assert made_on == ["link-report"]


def test_only_the_newest_heartbeat_waits_and_asking_for_one_never_blocks(
    links: Links, broker: Broker, centre: Listener
) -> None:
    """A slow card under the first: those in between are never made."""
    bench = links(broker.port).start()
    slow, go = threading.Event(), threading.Event()
    made: list[int] = []

    def make(number: int) -> Callable[[], bytes]:
        def now() -> bytes:
            made.append(number)
            if number == 0:
                slow.set()
                go.wait(5)
            return json.dumps({"kind": "heartbeat", "number": number}).encode()

        return now

    bench.link.publish_heartbeat(make(0))
    slow.wait(5)
    began_s = time.monotonic()
    for number in range(1, 100):
        bench.link.publish_heartbeat(make(number))
    assert time.monotonic() - began_s < 0.5
    go.set()
    eventually(lambda: len(centre.reports("heartbeat")) == 2)

    assert made == [0, 99]
    assert [report["number"] for report in centre.reports("heartbeat")] == [0, 99]


def test_a_heartbeat_that_cannot_be_made_holds_up_neither_the_next_nor_the_reports(
    links: Links, broker: Broker, centre: Listener
) -> None:
    """A failing card: the log has it, the thread goes on."""
    bench = links(broker.port).start()

    def fail() -> bytes:
        raise sqlite3.OperationalError("disk I/O error")

    ids = bench.report(3)
    bench.link.publish_heartbeat(fail)
    eventually(lambda: order(centre) == ids, 2)
    bench.link.publish_heartbeat(lambda: b'{"kind": "heartbeat"}')
    eventually(lambda: centre.reports("heartbeat"))


def test_a_heartbeat_without_a_connection_is_dropped(
    links: Links, wire: Wire, broker: Broker, centre: Listener
) -> None:
    """An old one is worth nothing when the link is back."""
    bench = links(wire.port).start()
    wire.cut(stay=True)
    eventually(lambda: not bench.link.up())
    bench.link.publish_heartbeat(lambda: b'{"kind": "heartbeat", "old": true}')
    bench.link.wake()
    wire.mend()
    eventually(bench.link.up, 15)
    bench.link.publish_heartbeat(lambda: b'{"kind": "heartbeat", "old": false}')
    eventually(lambda: centre.reports("heartbeat"))

    assert centre.reports("heartbeat") == [{"kind": "heartbeat", "old": False}]


# -- what many connections leave behind


def test_no_connection_leaves_a_descriptor_or_a_thread_behind(links: Links, wire: Wire, centre: Listener) -> None:
    """A dozen of them, each cut."""
    bench = links(wire.port, draw=lambda: 0.0).start()

    def again(times: int) -> tuple[int, int]:
        for _ in range(times):
            count = len(bench.changes())
            wire.cut()
            eventually(lambda count=count: len(bench.changes()) == count + 2, 12)  # type: ignore[misc]
        bench.report(1)
        eventually(lambda: bench.outbox.depth() == 0)
        ours = [thread for thread in threading.enumerate() if not thread.name.startswith("Thread-")]
        return len(os.listdir("/proc/self/fd")), len(ours)

    before, after = again(2), again(10)

    assert after[1] == before[1]
    assert after[0] <= before[0] + 2
    assert {type(event) for event in bench.events} == {LinkChanged}
