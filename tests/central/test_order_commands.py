"""``ttcs-central stop``, ``volume``, ``test-tone``, ``restart`` and ``log``: what goes out, and what is told of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from paho.mqtt.client import MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.central.test_orders import REPLY, STATION, TOPICS, Pole, pole
from tests.parts import SCOPE, Broker, Listener, Station, eventually
from tests.system.sight import line_log, status
from tests.system.test_main_job import all_open
from ttcs_edge.central.centre import Centre, open_centre
from ttcs_edge.central.main import main
from ttcs_edge.core.documents import (
    Command,
    LogOrder,
    RestartOrder,
    Signed,
    StopOrder,
    ToneOrder,
    VolumeOrder,
    WalkOrder,
)
from ttcs_edge.core.effects import Answer
from ttcs_edge.core.trust import utc_ms
from ttcs_edge.locale import LANGUAGES, Language
from ttcs_edge.locale.central_orders import REFUSALS, why
from ttcs_edge.wire.documents import read_command
from ttcs_edge.wire.reports import ReplyReport, StatusReport, answer_report, encode, log_reports

STATUS = TOPICS.station(STATION, "status")


def command_of(message: MQTTMessage, centre: Centre) -> Command:
    """The command in a message."""
    signed = read_command(bytes(message.payload), centre.trust.document)
    assert isinstance(signed, Signed)
    return signed.document


Say = Callable[[Pole, Command, bytes], None]


def given_to(centre_folder: Path, broker: Broker, say: Say, *words: str, lang: str = "en") -> tuple[int, Command]:
    """The exit code of a command line, and what came to the station, which says what the test has it say."""
    centre = open_centre(centre_folder)

    def answer(there: Pole, message: MQTTMessage) -> None:
        correlation: bytes = message.properties.CorrelationData  # type: ignore[union-attr]
        say(there, command_of(message, centre), correlation)

    name, *more = words
    with pole(broker, answer) as there:
        line = [name, str(centre_folder), STATION, *more, "--broker", f"127.0.0.1:{broker.port}", "--lang", lang]
        code = main(line)
        (message,) = there.heard
    return code, command_of(message, centre)


def said(*outcomes: tuple[str, str | None, dict[str, str]]) -> Say:
    """A station that answers so."""

    def say(there: Pole, command: Command, correlation: bytes) -> None:
        name, _ = command.action
        for outcome, reason, detail in outcomes:
            answer = Answer(command.version, b"", name, outcome, reason, tuple(detail.items()))
            there.reply(encode(answer_report(STATION, answer, 0)), correlation)

    return say


DONE = said(("done", None, {"title": "Tin sáng", "zones": "cho, dinh"}))


@pytest.mark.parametrize(
    ("words", "action", "valid_s", "out"),
    [
        (["stop"], StopOrder(), 60, "Station da-teh-01 has stopped: Tin sáng\n"),
        (
            ["test-tone", "cho"],
            ToneOrder(zone="cho", seconds=5),
            60,
            "Station da-teh-01 has sounded all of the test tone\n",
        ),
        (
            ["test-tone", "cho", "--seconds", "9"],
            ToneOrder(zone="cho", seconds=9),
            60,
            "Station da-teh-01 has sounded all of the test tone\n",
        ),
    ],
    ids=str,
)
def test_an_order_goes_out_signed_and_its_answer_is_told(
    centre_folder: Path,
    own_broker: Broker,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    action: Any,
    valid_s: int,
    out: str,
) -> None:
    """What is heard at once holds for a minute: an hour later it would be about something else."""
    code, command = given_to(centre_folder, own_broker, DONE, *words)
    assert (code, command.action[1], command.station) == (0, action, STATION)
    assert utc_ms(command.expires) - utc_ms(command.issued) == valid_s * 1_000
    assert capsys.readouterr() == (out, "")


def test_a_volume_is_told_with_its_zones_and_until_when(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """For two hours; and back to what the config says."""
    words = ["volume", "40", "--zone", "cho", "--minutes", "120"]
    code, command = given_to(centre_folder, own_broker, DONE, *words)
    assert code == 0 and isinstance(command.volume, VolumeOrder)
    assert (command.volume.percent, command.volume.zone) == (40, "cho")
    until = datetime.fromtimestamp(utc_ms(command.volume.until) / 1_000, timezone.utc)
    assert timedelta(minutes=119) < until - datetime.now(timezone.utc) <= timedelta(minutes=120)
    moment = f"{until.astimezone():%Y-%m-%d %H:%M}"
    assert capsys.readouterr().out == f"Station da-teh-01: cho, dinh at 40 % until {moment}\n"

    code, command = given_to(centre_folder, own_broker, DONE, "volume", "--as-configured", lang="vi")
    assert code == 0 and isinstance(command.volume, VolumeOrder)
    assert (command.volume.percent, command.volume.zone) == (None, None)
    assert capsys.readouterr().out == "Trạm da-teh-01: cho, dinh như cấu hình\n"


def test_a_volume_that_says_nothing_or_too_much_is_not_sent(
    centre_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody is connected to: there is no broker here."""
    for words in ([], ["40", "--as-configured"], ["101"], ["4e1"], ["٤٠"]):
        line = ["volume", str(centre_folder), STATION, *words, "--broker", "127.0.0.1:1", "--lang", "en"]
        assert main(line) == 65
        assert capsys.readouterr().err.startswith("Give a volume from 0 to 100, or --as-configured: ")


def test_what_takes_its_time_is_told_when_it_begins_and_when_it_ends(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two answers; the exit code is that of the last."""
    played = said(("under-way", None, {}), ("done", None, {}))
    assert given_to(centre_folder, own_broker, played, "test-tone", "cho")[0] == 0
    assert capsys.readouterr().out == (
        "Station da-teh-01 sounds the test tone\nStation da-teh-01 has sounded all of the test tone\n"
    )
    cut = said(("under-way", None, {}), ("failed", "pre-empted", {}))
    assert given_to(centre_folder, own_broker, cut, "test-tone", "cho", lang="vi")[0] == 69
    out, err = capsys.readouterr()
    assert out == "Trạm da-teh-01 đang phát âm thử\n"
    assert err.startswith("Trạm da-teh-01 không làm được: ")


def test_a_refusal_is_told_with_its_reason(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """A reason of ours, one of a fault with its fields, one of a newer station, and what a terminal would obey."""
    cases = [
        ("nothing-on-air", {}, "nothing is on the air"),
        ("unknown-zone", {"zone": "a\x1b[2Jb"}, "it has no zone a [2Jb"),
        ("unknown-field", {"found": "$.reload"}, "A document of da-teh-01 has an unknown field: $.reload"),
        ("meteor", {}, "meteor"),
    ]
    for reason, detail, words in cases:
        code, _ = given_to(centre_folder, own_broker, said(("refused", reason, detail)), "stop")
        out, err = capsys.readouterr()
        assert (code, out) == (69, "")
        assert err == (
            f"Station da-teh-01 refused: {words}\nNothing was changed there. Give the order again later\n"
        ), reason


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_refusal_has_words_also_without_its_fields(lang: Language) -> None:
    """They come from outside (never-7)."""
    for reason in REFUSALS:
        assert why(reason, STATION, {}, lang) and why(reason, STATION, {"zone": "{x}", "file": "{"}, lang)


def born(boot: int, station: str = STATION) -> bytes:
    """A birth."""
    told = "2026-11-29T05:00:00.000Z"
    report = StatusReport(station=station, scope=SCOPE, state="online", software="1", boot=boot, told=told)
    return encode(report)


def publish(there: Pole, topic: str, payload: bytes) -> None:
    """Say something on another topic."""
    there._client.publish(topic, payload, qos=1, properties=Properties(PacketTypes.PUBLISH))  # type: ignore[no-untyped-call]


def test_a_restart_is_over_when_the_station_is_there_again(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its birth of before is none, nor is a birth of another station."""

    def restart(there: Pole, command: Command, correlation: bytes) -> None:
        publish(there, STATUS, born(9))
        said(("under-way", None, {"boot": "7"}))(there, command, correlation)
        publish(there, STATUS, born(7))
        publish(there, STATUS, born(9, "da-teh-02"))
        publish(there, STATUS, b"{")
        publish(there, STATUS, born(8))

    code, command = given_to(centre_folder, own_broker, restart, "restart")
    assert (code, command.action[1]) == (0, RestartOrder())
    assert capsys.readouterr().out == "Station da-teh-01 leaves to start again\nStation da-teh-01 has started again\n"


def test_a_station_that_does_not_come_back_is_told(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody may have to go there; the birth of the life that ends is no return."""

    def gone(there: Pole, command: Command, correlation: bytes) -> None:
        said(("under-way", None, {"boot": "7"}))(there, command, correlation)
        publish(there, STATUS, born(7))

    assert given_to(centre_folder, own_broker, gone, "restart", "--wait", "1")[0] == 69
    assert capsys.readouterr().err.startswith("Station da-teh-01 left to start again, and was not back within 1 s\n")


def test_a_config_that_would_not_start_is_told_with_its_place(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """File, line and key: enough to mend it on the telephone."""
    detail = {"file": "/etc/ttcs-edge/station.yaml", "line": "12", "key": "zones[1].pin", "problem": "line-used"}
    assert given_to(centre_folder, own_broker, said(("failed", "bad-config", detail)), "restart")[0] == 69
    assert capsys.readouterr().err.startswith(
        "Station da-teh-01 could not do it: its config is wrong, and it would not start again:"
        " /etc/ttcs-edge/station.yaml line 12, zones[1].pin: line-used\n"
    )


def test_a_log_is_put_together_from_its_parts_in_their_order(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """However they come; what a terminal would obey is not shown to it."""

    def log(there: Pole, command: Command, correlation: bytes) -> None:
        reports = log_reports(STATION, command.version, 0, ["một\n", "hai\x1b[31m\n", "ba\n"])
        for report in (reports[2], reports[0], reports[0], reports[1]):
            there.reply(encode(report), correlation)

    code, command = given_to(centre_folder, own_broker, log, "log", "--lines", "3")
    assert (code, command.action[1]) == (0, LogOrder(lines=3))
    assert capsys.readouterr().out == "một\nhai [31m\nba\n"


def test_a_log_of_which_a_part_is_missing_is_no_answer(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Told as such; nothing is shown as if it were all."""

    def log(there: Pole, command: Command, correlation: bytes) -> None:
        for report in log_reports(STATION, command.version, 0, ["một\n", "hai\n"])[:1]:
            there.reply(encode(report), correlation)

    assert given_to(centre_folder, own_broker, log, "log", "--wait", "1")[0] == 69
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("Station da-teh-01 did not answer within 1 s\n")


def test_an_answer_that_no_station_of_ours_makes_breaks_nothing(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under way where nothing takes time; a boot that is no number; a part beyond all parts."""

    def odd(there: Pole, command: Command, correlation: bytes) -> None:
        said(("under-way", "x", {"boot": "²", "id": "{lang}"}))(there, command, correlation)
        (good,) = log_reports(STATION, command.version, 0, [])
        assert isinstance(good, ReplyReport)
        there.reply(encode(replace(good, part=7, parts=0)), correlation)

    assert given_to(centre_folder, own_broker, odd, "stop")[0] == 0
    assert capsys.readouterr().out == "Station da-teh-01 is about it\nStation da-teh-01 has stopped: \n"
    assert REPLY.endswith("/reply")


def test_a_walk_is_told_zone_by_zone(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """What came of each, in words; what is bad by its name."""
    walked = said(("under-way", None, {}), ("done", None, {"cho": "good", "dinh": "untold", "buon": "better"}))
    code, command = given_to(centre_folder, own_broker, walked, "walk", "--seconds", "3")
    assert (code, command.walk) == (0, WalkOrder(seconds=3))
    assert utc_ms(command.expires) - utc_ms(command.issued) == 60_000
    assert capsys.readouterr().out == (
        "Station da-teh-01 walks through its zones\nStation da-teh-01 has walked through its zones:"
        " cho: it is heard; dinh: sounded; listen whether it is heard; buon: better\n"
    )
    broken = said(("under-way", None, {}), ("failed", "zones-bad", {"zones": "cho, dinh"}))
    assert given_to(centre_folder, own_broker, broken, "walk", lang="vi")[0] == 69
    err = capsys.readouterr().err
    assert err.startswith("Trạm da-teh-01 không làm được: có cụm loa không ra tiếng: cho, dinh\n")


def test_what_the_operator_orders_a_real_station_does(
    centre_folder: Path, own_broker: Broker, own_station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tone in one zone, a volume, nothing to stop; each is answered, and told to the operator."""
    listener = Listener(own_broker)
    own_station.start()
    try:
        eventually(lambda: status(own_station).get("link_up"))

        def order(*words: str) -> tuple[int, str]:
            name, *more = words
            address = f"127.0.0.1:{own_broker.port}"
            code = main([name, str(centre_folder), STATION, *more, "--broker", address, "--lang", "en"])
            out, err = capsys.readouterr()
            return code, (out or err).splitlines()[-1 if out else 0]

        assert order("test-tone", "cho", "--seconds", "2") == (0, "Station da-teh-01 has sounded all of the test tone")
        assert {line for line, value, _ in line_log(own_station) if value} == {"gpio17", "gpio27"}
        assert order("test-tone", "nowhere") == (69, "Station da-teh-01 refused: it has no zone nowhere")
        code, words = order("volume", "30", "--zone", "dinh")
        assert code == 0 and words.startswith("Station da-teh-01: dinh at 30 % until ")
        assert order("stop") == (69, "Station da-teh-01 refused: nothing is on the air")
        eventually(lambda: listener.reports("as-run"))
        eventually(lambda: all_open(own_station), 10)
        assert own_station.stop() == 0
    finally:
        listener.close()
    assert [(one["slot"], one["outcome"]) for one in listener.reports("as-run")] == [("command:test-tone", "aired")]
    assert listener.reports("fault") == []
