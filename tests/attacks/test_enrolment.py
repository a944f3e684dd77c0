"""What a stranger can do at the door where stations enrol, and what whoever holds that door can do to both ends.

A real Mosquitto with the files of ``ttcs-central broker-config``, and the real commands. The door takes anybody: it
stands in the internet, and asks for no certificate. The code is known to two people.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import ssl
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from tests.attacks.intruder import AnyIntruder
from tests.central.test_enrol import STATION, Person, at_the_centre, at_the_station, code_of, door
from tests.cli.test_identity_files import in_force
from tests.door import HOST, Door
from tests.parts import eventually
from ttcs_edge.central.broker_rules import BOUNDS, DOOR_BOUNDS, DOOR_STRANGERS
from ttcs_edge.central.enrolment import GUESSES_MOST, Enrolling
from ttcs_edge.central.main import main
from ttcs_edge.wire.certificates import load_key, make_request, new_key
from ttcs_edge.wire.code import grouped, new_code, read_code
from ttcs_edge.wire.enrolment import (
    ANSWER_BYTES,
    TOPIC,
    Given,
    Secret,
    answer_topic,
    request_topic,
    secret_of,
)

_ = door
NOT_AUTHORIZED, BAD_LOGIN = 0x87, 0x86


@pytest.fixture
def centre(tmp_path: Path) -> Path:
    """A centre that knows a station."""
    folder = tmp_path / "lam-dong"
    assert main(["init", str(folder), "--scope", "vn/lam-dong", "--name", "Lâm Đồng"]) == 0
    add = ["add-station", str(folder), STATION, "--scope", "vn/lam-dong/da-teh", "--broker", HOST]
    assert main(add) == 0
    return folder


class Stranger(AnyIntruder):
    """Somebody without a certificate at the door."""

    def __init__(self, port: int, name: str, **login: Any) -> None:
        client = Client(CallbackAPIVersion.VERSION2, name, protocol=MQTTv5, reconnect_on_failure=False)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if "certificate" in login:
            context.load_cert_chain(*login["certificate"])
        client.tls_set_context(context)
        if "username" in login:
            client.username_pw_set(login["username"], login.get("password"))
        if "will" in login:
            client.will_set(login["will"], b"forged", qos=1)
        super().__init__(client, HOST, port)


def recorded_enrolment(centre: Path, door: Door, folder: Path) -> tuple[str, Stranger]:
    """An enrolment as it should be, which somebody records; gives its code, and him."""
    operator = at_the_centre(centre)
    code = code_of(operator)
    recorder = Stranger(door.port + 1, "recorder", certificate=_operator(door))
    recorder.listen(request_topic("+"))
    technician = at_the_station(folder, f"{HOST}:{door.port}")
    technician.types(code)
    operator.reads(r"\(y/n\)")
    operator.types("y")
    assert (operator.ends(), technician.ends()) == (0, 0)
    return code, recorder


def test_a_stranger_says_one_thing_and_hears_one_thing(door: Door) -> None:
    """Below his own name; a wildcard in a name, a name with a level in it, and a will get nobody further."""
    names = ("me", "+", "#", "a/b", "$SYS", "")
    operator = Stranger(door.port + 1, "operator", certificate=_operator(door))
    operator.listen("#", "$SYS/#")
    victim = Stranger(door.port, "victim")
    victim.listen(answer_topic("victim"))
    strangers = [Stranger(door.port, name, will=request_topic("victim")) for name in names]
    for stranger in strangers:
        stranger.listen("#", f"{TOPIC}/+/answer", f"{TOPIC}/#", request_topic("+"), "$SYS/#", f"$share/x/{TOPIC}/#")
        for topic in (request_topic("victim"), answer_topic("victim"), answer_topic("me"), "ttcs/v1/scope/vn/alert/a"):
            assert stranger.say(topic) == NOT_AUTHORIZED
    assert strangers[0].say(request_topic("me"), b"mine") == 0
    eventually(lambda: (request_topic("me"), b"mine") in operator.heard)

    assert operator.say(answer_topic("victim"), b"for the victim") == 0
    eventually(lambda: victim.heard)
    for stranger in strangers:
        stranger.client.socket().close()  # type: ignore[union-attr]
    eventually(lambda: all(stranger.ends for stranger in strangers))
    assert operator.say(answer_topic("nobody")) in (0, 0x10)
    assert [one for stranger in strangers for one in stranger.heard] == []
    assert victim.heard == [(answer_topic("victim"), b"for the victim")]
    assert {topic for topic, _ in operator.heard} == {request_topic("me")}
    for one in (operator, victim, *strangers):
        one.close()


def _operator(door: Door) -> tuple[Path, Path]:
    return door.centre / "operator.crt", door.centre / "operator.key"


@pytest.mark.parametrize(
    "login", [{"username": "operator"}, {"username": "operator", "password": "x"}, {"username": ""}]
)
def test_nobody_is_the_operator_by_saying_so(door: Door, login: dict[str, str]) -> None:
    """A name without a password would be believed, where no file of users says otherwise."""
    stranger = Stranger(door.port, "me", **login)
    if stranger.connected == [0]:  # the empty name is none
        stranger.listen("#")
        assert stranger.say(answer_topic("x")) == NOT_AUTHORIZED
    else:
        assert stranger.connected[0] in (NOT_AUTHORIZED, BAD_LOGIN)
    stranger.close()


def test_there_is_no_third_way_in(door: Door) -> None:
    """Mosquitto listens at 1883 in clear, too, where an option of a listener stands before the first."""
    assert door.listens_at() == {door.port, door.port + 1}


@pytest.mark.parametrize(("bounds", "longest_s"), [(BOUNDS, 1_200), (DOOR_BOUNDS, 60)])
def test_no_keepalive_in_use_is_the_longest_allowed(bounds: Sequence[tuple[str, Any]], longest_s: int) -> None:
    """Mosquitto 2.0.21 ends such connections at random: a station.yaml may hold 1,200 s, and who has not said yet what
    his is counts as 60.
    """
    assert dict(bounds)["max_keepalive"] > longest_s


def test_the_operators_listener_wants_a_certificate(door: Door) -> None:
    """Of the centre's: none, and one that was made by somebody, do not get in."""
    with pytest.raises((ssl.SSLError, OSError, AssertionError)):
        stranger = Stranger(door.port + 1, "me")
        assert stranger.connected == [0]


def test_nothing_that_a_stranger_leaves_is_kept(door: Door) -> None:
    """No retained message, and none larger than an answer."""
    keeper, large = Stranger(door.port, "keeper"), Stranger(door.port, "large")

    assert keeper.say(request_topic("keeper"), b"x", retain=True) is None
    assert keeper.ends == ["Retain not supported"]
    assert large.say(request_topic("large"), b"x" * (ANSWER_BYTES + 1)) != 0
    for one in (keeper, large):
        one.close()


def memory_kb(pid: int) -> int:
    """What a process has in memory."""
    match = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert match is not None
    return int(match[1])


def test_a_flood_of_requests_keeps_no_station_out_and_fills_no_memory(centre: Path, door: Door, tmp_path: Path) -> None:
    """Ten strangers who send what is no request, as fast as they can, under names that are new each time."""
    operator = at_the_centre(centre)
    code = code_of(operator)
    before_kb, over = memory_kb(door.pid), threading.Event()
    floods = [threading.Thread(target=flood, args=(door, over)) for _ in range(10)]
    for one in floods:
        one.start()
    try:
        technician = at_the_station(tmp_path / "etc", f"{HOST}:{door.port}")
        technician.types(code)
        operator.reads(r"\(y/n\)")
        operator.types("y")
        assert (operator.ends(), technician.ends()) == (0, 0), operator.screen + technician.screen
    finally:
        over.set()
        for one in floods:
            one.join()
    assert memory_kb(door.pid) - before_kb < 64 * 1024
    assert in_force(tmp_path / "etc")


def flood(door: Door, over: threading.Event) -> None:
    """Say something large and meaningless, again and again."""
    for number in itertools.count():
        if over.is_set():
            return
        try:
            stranger = Stranger(door.port, f"{threading.get_ident()}-{number}")
            for _ in range(20):
                stranger.client.publish(request_topic(stranger.client._client_id.decode()), b"x" * 10_000, qos=1)
            stranger.close()
        except (OSError, AssertionError):  # the door is full
            continue


def test_who_fills_the_door_fills_the_door_alone(door: Door) -> None:
    """No more strangers than it has room for; the operator has a listener of his own."""
    strangers = []
    for number in range(DOOR_STRANGERS + 20):
        try:
            strangers.append(Stranger(door.port, f"s{number}"))
        except (OSError, AssertionError):
            break
    let_in = [one for one in strangers if one.connected == [0] and not one.ends]
    operator = Stranger(door.port + 1, "operator", certificate=_operator(door))

    assert len(let_in) <= DOOR_STRANGERS + 2  # Mosquitto has been seen to let in one more than its bound
    assert operator.connected == [0]
    for one in (operator, *strangers):
        one.close()


# -- the code


def test_guesses_are_bounded_and_then_the_code_is_dead(centre: Path, door: Door, tmp_path: Path) -> None:
    """A thousand other codes, and the right one counts no more: the operator is told, and nothing was certified."""
    operator = at_the_centre(centre)
    code = code_of(operator)
    guesser = Stranger(door.port, "guesser")
    pkcs10 = _pkcs10()
    for number in range(GUESSES_MOST):
        guesser.client.publish(request_topic("guesser"), Secret(f"{number}".encode()).ask(pkcs10), qos=1)
        if number % 100 == 99:
            eventually(lambda: not guesser.client._out_messages)

    assert operator.ends() == 77
    assert operator.screen.endswith(
        f"{GUESSES_MOST} requests had another code: somebody is guessing, so this code is dead\n"
        "Run this again for a new code; if it goes on, use a stick: --by-stick\n"
    )
    read = read_code(code)
    assert read is not None
    guesser.say(request_topic("guesser"), secret_of(read).ask(pkcs10))
    guesser.close()
    assert not (centre / f"stations/{STATION}.crt").exists()


def _pkcs10() -> bytes:
    key = load_key(new_key())
    assert key is not None
    return make_request(key, "enrolment")


def test_guesses_beside_the_code_of_another_station_are_counted_apart(centre: Path, door: Door, tmp_path: Path) -> None:
    """Two operators at one door: the one's station is the other's guess, one of a thousand."""
    add = ["add-station", str(centre), "da-teh-02", "--scope", "vn/lam-dong/da-teh", "--broker", HOST]
    assert main(add) == 0
    first = at_the_centre(centre)
    second = Person(centre.parent, "ttcs_edge.central.main", "enrol", centre, "da-teh-02", "--broker", HOST)
    technicians = {}
    for name, operator in (("second", second), ("first", first)):
        technicians[name] = at_the_station(tmp_path / name, f"{HOST}:{door.port}")
        technicians[name].types(code_of(operator))
    for operator in (second, first):
        operator.reads(r"\(y/n\)")
        operator.types("y")
        assert operator.ends() == 0, operator.screen
    assert [one.ends() for one in technicians.values()] == [0, 0]
    assert "This box is station da-teh-01 " in technicians["first"].screen
    assert "This box is station da-teh-02 " in technicians["second"].screen


def test_a_code_that_two_boxes_bring_certifies_neither(centre: Path, door: Door, tmp_path: Path) -> None:
    """Somebody overheard the telephone, and came second; or first, and the village's own box came second."""
    operator = at_the_centre(centre)
    code = code_of(operator)
    technician = at_the_station(tmp_path / "etc", f"{HOST}:{door.port}")
    technician.types(code)
    operator.reads(r"\(y/n\)")
    eavesdropper = at_the_station(tmp_path / "thief", f"{HOST}:{door.port}")
    eavesdropper.types(code)
    eavesdropper.reads("Sent; waiting")
    eventually(lambda: door.log.read_text().count("Received PUBACK") >= 2)  # the operator's command has both
    operator.types("y")

    assert operator.ends() == 77
    assert operator.screen.endswith(
        "Two machines know this code; nothing was given to either\n"
        "Somebody overheard it. Call another way, then run this again for a new code\n"
    )
    assert not (centre / f"stations/{STATION}.crt").exists()
    for one in (technician, eavesdropper):
        one.process.kill()
        one.ends()
    assert not (tmp_path / "etc/identity").exists() and not (tmp_path / "thief/identity").exists()


def test_a_request_that_a_listener_repeats_as_his_own_keeps_no_answer_from_its_station(
    centre: Path, door: Door, tmp_path: Path
) -> None:
    """He gets the answer too, which is public and over a key that he has not; the station gets it all the same."""
    operator = at_the_centre(centre)
    code = code_of(operator)
    listener = Stranger(door.port + 1, "listener", certificate=_operator(door))
    listener.listen(request_topic("+"))
    technician = at_the_station(tmp_path / "etc", f"{HOST}:{door.port}")
    technician.types(code)
    repeater = Stranger(door.port, "repeater")
    repeater.listen(answer_topic("repeater"))
    request = eventually(lambda: listener.heard)[0][1]
    for _ in range(100):
        repeater.say(request_topic("repeater"), request)
    operator.reads(r"\(y/n\)")
    operator.types("y")

    assert (operator.ends(), technician.ends()) == (0, 0), operator.screen + technician.screen
    assert in_force(tmp_path / "etc")
    for one in (listener, repeater):
        one.close()


def test_what_a_station_beside_sends_again_and_again_is_one_guess() -> None:
    """Ten of them enrolling at one door for an hour must not cost an eleventh its code."""
    enrolling, beside = Enrolling(Secret(b"mine"), float("inf")), Secret(b"theirs").ask(_pkcs10())
    for _ in range(10 * GUESSES_MOST):
        assert enrolling.hear(beside) == "other"

    assert (enrolling.guesses, enrolling.is_dead) == (1, False)


def test_a_code_counts_once(centre: Path, door: Door, tmp_path: Path) -> None:
    """The same code for another box, the request sent again: the next operator's code is another."""
    code, recorder = recorded_enrolment(centre, door, tmp_path / "etc")
    record, request = (centre / f"stations/{STATION}.crt").read_bytes(), recorder.heard[0][1]

    later = at_the_centre(centre, "--again")
    code_of(later)
    replayer = Stranger(door.port, "replayer")
    assert replayer.say(request_topic("replayer"), request) == 0
    other = at_the_station(tmp_path / "thief", f"{HOST}:{door.port}")
    other.types(code)
    other.reads("Sent; waiting")
    eventually(lambda: len(recorder.heard) >= 4)
    assert "Fingerprint" not in later.screen
    for one in (later, other):
        one.process.kill()
        one.ends()
    for client in (recorder, replayer):
        client.close()
    assert (centre / f"stations/{STATION}.crt").read_bytes() == record


def test_a_code_whose_time_is_over_proves_nothing() -> None:
    """To the instant."""
    now_s = [0.0]
    secret = Secret(b"code")
    enrolling = Enrolling(secret, 3_600.0, now_s=lambda: now_s[0])
    now_s[0] = 3_600.0

    assert enrolling.hear(secret.ask(_pkcs10())) == "other"
    assert (enrolling.is_over, enrolling.asked, enrolling.guesses) == (True, None, 0)


def test_a_code_on_a_stick_is_over_in_its_time_and_guesses_at_it_are_counted_over_runs(
    centre: Path, tmp_path: Path
) -> None:
    """What a stick brings is from outside: links, devices, garbage and a thousand other codes."""
    stick = tmp_path / "usb/ttcs-enrol"
    stick.mkdir(parents=True)
    operator = at_the_centre(centre, "--by-stick")
    code = read_code(code_of(operator))
    assert code is not None and operator.ends() == 0
    (stick / "a.request.json").symlink_to("/dev/zero")
    os.mkfifo(stick / "b.request.json")
    (stick / "c.request.json").write_bytes(b"x" * 100_000)
    for number in range(GUESSES_MOST - 1):
        (stick / f"{number:04}.request.json").write_bytes(Secret(f"{number}".encode()).ask(b"x"))

    operator = at_the_centre(centre, "--from", tmp_path / "usb")
    assert operator.ends() == 66
    kept = centre / f"stations/{STATION}.code.json"
    assert json.loads(kept.read_bytes())["guesses"] == GUESSES_MOST - 1
    operator = at_the_centre(centre, "--from", tmp_path / "usb")
    assert operator.ends() == 77 and "somebody is guessing" in operator.screen

    shutil.rmtree(stick)
    stick.mkdir()
    (stick / "z.request.json").write_bytes(secret_of(code).ask(_pkcs10()))
    kept.write_bytes(json.dumps({"code": code, "until_s": int(time.time()) - 1, "guesses": 0}).encode())
    operator = at_the_centre(centre, "--from", tmp_path / "usb")
    assert operator.ends() == 77
    assert operator.screen == (
        f"The code of station {STATION} is too old\nGive a new one: ttcs-central enrol {centre} {STATION} --by-stick\n"
    )
    assert not (centre / f"stations/{STATION}.crt").exists()


# -- who holds the door


class Liar:
    """Whoever has the door, or stands before it: answers each request with what a test makes of it."""

    def __init__(self, door: Door, answer: Any) -> None:
        self._operator = Stranger(door.port + 1, "liar", certificate=_operator(door))
        self._answer = answer
        self._operator.client.on_message = self._on_message
        self._operator.listen(request_topic("+"))

    def _on_message(self, client: Client, userdata: Any, message: Any) -> None:
        client.publish(answer_topic(message.topic.split("/")[1]), self._answer(message.payload), qos=1)

    def close(self) -> None:
        """Leave."""
        self._operator.close()


@pytest.mark.parametrize("lie", ["garbage", "echo", "another code", "nothing", "large"])
def test_a_lying_door_makes_no_station_its_own(centre: Path, door: Door, tmp_path: Path, lie: str) -> None:
    """Its answers are not proven: the box tells, and stays as it was; no file but the key that waits."""
    given = Given(STATION, "vn", "x", "x", "x", "x")
    answers = {
        "garbage": lambda request: b"\xff" * 100,
        "echo": lambda request: request,
        "another code": lambda request: secret_of(new_code()).answer(request, given),
        "nothing": lambda request: b"",
        "large": lambda request: b"[" * (ANSWER_BYTES - 10),
    }
    liar = Liar(door, answers[lie])
    technician = at_the_station(tmp_path / "etc", f"{HOST}:{door.port}")
    technician.types(grouped(new_code()))

    assert technician.ends() == 77
    liar.close()
    assert technician.screen.endswith(
        "The answer does not know this code: it is not the centre's, or the code is another\n"
        "Nothing was changed. Ask the centre for a new code, then run this again; if it stays so, use a stick\n"
    )
    left = sorted(str(one.relative_to(tmp_path / "etc")) for one in (tmp_path / "etc").rglob("*"))
    new = "identities/new"
    assert left == ["identities", new, f"{new}/request.json", f"{new}/station.key"]


def test_an_answer_from_an_earlier_enrolment_is_none(centre: Path, door: Door, tmp_path: Path) -> None:
    """Recorded, and given again to the same box, the next time it asks: replay."""
    code, recorder = recorded_enrolment(centre, door, tmp_path / "etc")
    recorder.close()
    secret = secret_of(read_code(code) or "")
    recorded = secret.answer(recorder.heard[0][1], Given(STATION, "vn/lam-dong/da-teh", "", "", "", ""))
    before = in_force(tmp_path / "etc")

    liar = Liar(door, lambda request: recorded)
    again = at_the_station(tmp_path / "etc", f"{HOST}:{door.port}", "--again")
    again.types(code)

    assert again.ends() == 77
    liar.close()
    assert in_force(tmp_path / "etc") == before
