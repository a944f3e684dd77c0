"""Commands of the centre on real parts: a broker with TLS, libvlc, lines, SQLite, and a process that starts again."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.parts import (
    ROOT,
    SCOPE,
    Broker,
    Clip,
    Listener,
    Province,
    Station,
    eventually,
    make_clip,
    make_programme,
    put_chunks,
    utc,
)
from tests.player.parts import BYTES_PER_MS, rms_db, samples
from tests.system.sight import line_log, position_ms, status
from tests.system.test_alerts import alert, outcomes, states, warn
from tests.system.test_main_job import TOPIC, all_open, assert_relays_never_switched_under_sound, one_slot
from ttcs_edge.core.documents import Bulletin, Command, LogOrder, RestartOrder, Slot, StopOrder, ToneOrder, VolumeOrder
from ttcs_edge.core.limits import LIMITS

COMMAND, REPLY = f"{ROOT}/station/da-teh-01/command", f"{ROOT}/station/da-teh-01/reply"


class Commander:
    """Who gives commands, and hears what is answered to each."""

    def __init__(self, broker: Broker, province: Province) -> None:
        self.replies: list[tuple[bytes, dict[str, Any]]] = []
        self._province = province
        self._version = 0
        certificate, key = broker.authority.client("operator")
        self._client = Client(CallbackAPIVersion.VERSION2, "commander", protocol=MQTTv5)
        self._client.tls_set(str(broker.authority.ca_file), str(certificate), str(key))
        heard: list[bool] = []
        self._client.on_connect = lambda client, *_: client.subscribe(REPLY, qos=1)
        self._client.on_subscribe = lambda *_: heard.append(True)
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        eventually(lambda: heard)

    def _take(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        correlation = getattr(message.properties, "CorrelationData", b"")
        self.replies.append((correlation, json.loads(message.payload)))

    def give(self, **action: Any) -> bytes:
        """Give a command, good for a minute; gives its correlation data."""
        now = datetime.now(timezone.utc)
        self._version = max(self._version + 1, round(now.timestamp() * 1_000))
        command = Command(
            scope=SCOPE,
            station="da-teh-01",
            version=self._version,
            issued=utc(now),
            expires=utc(now + timedelta(minutes=1)),
            **action,
        )
        correlation = f"c{self._version}".encode()
        self.send(self._province.sign(command), correlation)
        return correlation

    def send(self, envelope: bytes, correlation: bytes) -> None:
        """Put bytes on the station's topic."""
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.CorrelationData = correlation
        self._client.publish(COMMAND, envelope, qos=1, properties=properties).wait_for_publish(10)

    def answers(self, correlation: bytes) -> list[tuple[str, str | None]]:
        """What was answered to a command, in order."""
        return [(one["outcome"], one["reason"]) for data, one in list(self.replies) if data == correlation]

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def commander(broker: Broker, province: Province) -> Iterator[Commander]:
    """One for a test."""
    there = Commander(broker, province)
    yield there
    there.close()


def start(station: Station) -> None:
    """Until it listens: what was sent before its first connection, nobody keeps for it."""
    station.start()
    eventually(lambda: status(station).get("link_up"))


def on_air(station: Station, centre: Listener, province: Province, clip: Clip) -> None:
    """A station in the middle of a bulletin."""
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 4)))
    start(station)
    eventually(lambda: position_ms(station) > 500, 20)


def test_a_stop_takes_the_bulletin_off_the_air_within_its_fade(
    station: Station, centre: Listener, province: Province, tmp_path: Path, commander: Commander
) -> None:
    """Told as stopped by command to the province and to who gave it; every relay opens, none of them under sound."""
    on_air(station, centre, province, make_clip(tmp_path, "long", 20.0))
    stop = commander.give(stop=StopOrder())
    eventually(lambda: outcomes(centre), 5)

    told = {report["id"]: (report["outcome"], report["reason"]) for report in centre.reports("as-run")}
    assert list(told.values()) == [("part", "stopped-by-command")], "one record, however often it comes"
    eventually(lambda: commander.answers(stop) == [("done", None)])
    eventually(lambda: all_open(station), 10)
    assert_relays_never_switched_under_sound(station)
    again = commander.give(stop=StopOrder())
    eventually(lambda: commander.answers(again) == [("refused", "nothing-on-air")])
    assert status(station)["faults"] == []


def test_an_alert_goes_on_through_every_command(
    station: Station, centre: Listener, province: Province, tmp_path: Path, commander: Commander
) -> None:
    """No stop, no restart, no test tone and no volume touches it: it is heard whole, and as loud as ever."""
    start(station)
    warn(centre, province, alert(make_clip(tmp_path, "words", 4.0)))
    eventually(lambda: "on-air" in states(centre), 20)
    refused = [
        commander.give(stop=StopOrder()),
        commander.give(restart=RestartOrder()),
        commander.give(test_tone=ToneOrder(zone="cho", seconds=2)),
    ]
    until = utc(datetime.now(timezone.utc) + timedelta(hours=1))
    quieter = commander.give(volume=VolumeOrder(percent=0, until=until))
    eventually(lambda: commander.answers(quieter) == [("done", None)])
    eventually(lambda: "heard" in states(centre), 20)

    answers = [commander.answers(one) for one in refused]
    assert answers == [[("refused", "alert-on-air")], [("refused", "alert-on-air")], [("refused", "air-taken")]]
    eventually(lambda: len(outcomes(centre)) == 2)  # receipts go before all other reports
    assert [outcome for _, outcome, _ in outcomes(centre)] == ["aired", "aired"]


def test_a_test_tone_is_heard_in_its_zone_alone(station: Station, centre: Listener, commander: Commander) -> None:
    """Under way, then done when three seconds were written; the other zone's relay never moves."""
    start(station)
    tone = commander.give(test_tone=ToneOrder(zone="dinh", seconds=3))
    eventually(lambda: len(commander.answers(tone)) == 2, 20)

    assert commander.answers(tone) == [("under-way", None), ("done", None)]
    (report,) = eventually(lambda: centre.reports("as-run"))
    assert (report["slot"], report["outcome"], report["zones"]) == ("command:test-tone", "aired", ["dinh"])
    assert [item["written_ms"] for item in report["items"]] == [1_000, 1_000, 1_000]
    assert {line for line, value, _ in line_log(station) if value} == {"gpio17", "gpio22"}
    assert_relays_never_switched_under_sound(station)
    eventually(lambda: all_open(station), 10)


def test_a_volume_outlives_a_kill_and_a_replay_of_it_is_refused(
    station: Station, centre: Listener, province: Province, clip: Clip, commander: Commander
) -> None:
    """What was answered is on disk; the next life has it, and its floor."""
    start(station)
    until = utc(datetime.now(timezone.utc) + timedelta(hours=1))
    commander.give(volume=VolumeOrder(percent=35, zone="cho", until=until))
    _, reply = eventually(lambda: list(commander.replies))[-1]
    assert (reply["outcome"], reply["detail"]) == ("done", {"zones": "cho"})
    station.stop(signal.SIGKILL)
    start(station)

    volumes = eventually(lambda: status(station).get("volumes"))
    assert [(one["zone"], one["percent"]) for one in volumes] == [("cho", 35)]
    now = datetime.now(timezone.utc)
    replay = Command(
        scope=SCOPE,
        station="da-teh-01",
        version=reply["command"],
        issued=utc(now),
        expires=utc(now + timedelta(minutes=1)),
        volume=VolumeOrder(percent=100, until=until),
    )
    commander.send(province.sign(replay), b"replay")
    eventually(lambda: commander.answers(b"replay") == [("refused", "old-version")])
    assert [one["percent"] for one in status(station)["volumes"]] == [35]


def test_a_restart_is_answered_first_and_ends_in_order(
    station: Station, centre: Listener, province: Province, tmp_path: Path, commander: Commander
) -> None:
    """Faded, open, and out with 0, as the service manager wants it; the next start knows what was cut."""
    on_air(station, centre, province, make_clip(tmp_path, "long", 20.0))
    restart = commander.give(restart=RestartOrder())
    process = station.process
    assert process is not None
    assert process.wait(10) == os.EX_OK
    station.process = None

    assert commander.answers(restart) == [("under-way", None)]
    assert all_open(station)
    assert_relays_never_switched_under_sound(station)
    start(station)
    eventually(lambda: outcomes(centre) == [("tin-sang", "part", "stopped")])
    eventually(lambda: [one["boot"] for one in centre.reports("status") if one["state"] == "online"] == [1, 2])


def test_a_config_that_no_start_would_take_keeps_the_station_where_it_is(
    station: Station, commander: Commander
) -> None:
    """Somebody edited it: told with its line and key; it goes on by the config it has."""
    start(station)
    text = station.config.read_text()
    station.config.write_text(text.replace("heartbeat_s: 5", "heartbeat_s: never"))
    restart = commander.give(restart=RestartOrder())
    eventually(lambda: commander.answers(restart) == [("failed", "bad-config")])
    (detail,) = [one["detail"] for data, one in commander.replies if data == restart]
    assert (detail["key"], detail["file"]) == ("heartbeat_s", str(station.config))
    assert int(detail["line"]) == 1 + text[: text.index("heartbeat_s")].count("\n")
    assert status(station)["state"] == "idle"


def test_a_log_comes_in_parts_without_secrets(station: Station, tmp_path: Path, commander: Commander) -> None:
    """Through the journal's own reader: as many lines as were asked for, the newest where they are too many."""
    reader = tmp_path / "bin/journalctl"
    reader.parent.mkdir()
    lines = [
        f'2026-11-29T05:00:00+07:00 da-teh-01 ttcs-edge[1]: {{"event": "số {n}", "x": "{"một hai " * 60}"}}'
        for n in range(400)
    ]
    (tmp_path / "journal").write_text("\n".join([*lines, "https://u:p@audio.example/a.ogg?token=abc"]) + "\n")
    reader.write_text(
        "#!/bin/sh\nfor word; do case $word in --lines=*) n=${word#--lines=};; esac; done\n"
        f"tail -n $n {tmp_path}/journal\n"
    )
    reader.chmod(0o755)
    station.environment["PATH"] = f"{reader.parent}:{os.environ['PATH']}"
    start(station)
    asked = commander.give(log=LogOrder(lines=400))
    replies = eventually(
        lambda: (
            (found := [one for data, one in list(commander.replies) if data == asked])
            and len(found) == found[0]["parts"]
            and found
        ),
        20,
    )

    assert [one["part"] for one in replies] == list(range(1, len(replies) + 1)) and len(replies) > 5
    told = "".join(one["text"] for one in replies)
    assert LIMITS.log_bytes - 2_000 < len(told.encode()) <= LIMITS.log_bytes
    expected = [*lines, "https://***@audio.example/a.ogg?***"]
    shown = told.splitlines()
    assert shown == expected[-len(shown) :]


def test_a_slot_at_the_volume_that_was_ordered_is_quieter(
    station: Station, centre: Listener, province: Province, clip: Clip, commander: Commander
) -> None:
    """Measured in what went to the sound device: 50 percent is 12 dB down."""
    start(station)
    put_chunks(centre, clip)
    until = utc(datetime.now(timezone.utc) + timedelta(hours=1))
    quieter = commander.give(volume=VolumeOrder(percent=50, until=until))
    eventually(lambda: commander.answers(quieter))
    moment = datetime.now(timezone(timedelta(hours=7)))
    times = [(moment + timedelta(seconds=after)).strftime("%Y-%m-%dT%H:%M:%S") for after in (5, 14)]
    slots = tuple(Slot(id=f"s{n}", start=at, bulletins=("tin",)) for n, at in enumerate(times))
    document = make_programme(bulletins=(Bulletin(id="tin", title="Tin", audio=(clip.audio(),)),), slots=slots)
    centre.publish(TOPIC, province.sign(document))
    quiet_db = loudest(station, centre, 1)
    louder = commander.give(volume=VolumeOrder(until=until))
    eventually(lambda: commander.answers(louder))
    full_db = loudest(station, centre, 2)

    assert 11 < full_db - quiet_db < 13


def test_a_volume_is_heard_within_a_second_on_what_is_on_the_air(
    station: Station, centre: Listener, province: Province, tmp_path: Path, commander: Commander
) -> None:
    """Measured in what went to the sound device: 50 percent is 12 dB down, neither stopped nor begun anew."""
    on_air(station, centre, province, make_clip(tmp_path, "long", 20.0))
    eventually(lambda: position_ms(station) > 2_000)
    until = utc(datetime.now(timezone.utc) + timedelta(hours=1))
    given_ms = position_ms(station)
    quieter = commander.give(volume=VolumeOrder(percent=50, until=until))
    eventually(lambda: commander.answers(quieter) == [("done", None)])
    answered_ms = position_ms(station)
    eventually(lambda: position_ms(station) > answered_ms + 2_500)
    commander.give(stop=StopOrder())
    eventually(lambda: outcomes(centre), 5)
    aired = samples(station.folder / "aired.wav")

    def level_db(from_ms: int) -> float:
        return rms_db(aired[from_ms * BYTES_PER_MS : (from_ms + 1_000) * BYTES_PER_MS])

    assert level_db(given_ms - 1_200) - level_db(answered_ms + 1_000) == pytest.approx(12.04, abs=0.5)
    assert len(centre.reports("as-run")) == 1


def loudest(station: Station, centre: Listener, count: int) -> float:
    """The peak of the cue that is heard until so many were."""
    peaks = [-120.0]

    def heard() -> bool:
        peaks.append((status(station).get("on_air") or {"peak_db": -120.0})["peak_db"])
        return len(centre.reports("as-run")) >= count

    eventually(heard, 30)
    return max(peaks)
