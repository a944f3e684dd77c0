"""``ttcs-central alert``: what goes out is what was shown, a station believes it, and who did not hear it is told."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from rich.cells import cell_len

from tests.central.test_publish import recording
from tests.central.test_publish import retained as retained_under
from tests.central.test_watch import drawn, fault, status
from tests.parts import Broker, Listener, Station, eventually, utc
from ttcs_edge.central.alert_count import AlertCount
from ttcs_edge.central.alert_templates import template_names
from ttcs_edge.central.centre import now, open_centre, take_number
from ttcs_edge.central.draw_alert import live_lines, why_words
from ttcs_edge.central.main import main
from ttcs_edge.core.documents import Alert, AlertInfo, AlertReference, Signed
from ttcs_edge.core.model import Scope
from ttcs_edge.core.trust import Accepted, judge_alert, utc_ms
from ttcs_edge.wire.documents import read_alert, read_trust_root, write_document
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, sign
from ttcs_edge.wire.reports import AlertReport, UnheardPart, encode
from ttcs_edge.wire.topics import Topics

TOPICS = Topics("ttcs/v1")
PLACE = "vn/lam-dong/da-teh"
STATION = "da-teh-01"
TOLD = "2026-11-24T05:00:00.000Z"
GOOD = """\
severity: Severe
urgency: Immediate
certainty: Likely
expires_in_minutes: 60
info:
  - {language: vi, headline: Xả lũ, description: Nước lên., instruction: Lên chỗ cao.}
"""


_NEWCOMERS = count(1)


def retained(broker: Broker) -> dict[str, bytes]:
    """What stands on the broker, for somebody who was never there before."""
    return retained_under(broker, f"newcomer-{next(_NEWCOMERS)}")


def words(folder: Path, broker: Broker, *more: str) -> list[str]:
    """A command line, in English."""
    return ["--lang", "en", "alert", str(folder), *more, "--broker", f"127.0.0.1:{broker.port}"]


def send(folder: Path, broker: Broker, *more: str, wait: int = 1) -> int:
    """Send without being asked, and wait for nobody in particular."""
    return main(words(folder, broker, *more, "--yes", "--wait", str(wait)))


def written(folder: Path, text: str = GOOD) -> str:
    """A file of an alert."""
    path = folder / "xa-lu-ho.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def verified(folder: Path, envelope: bytes, known: Alert | None = None) -> Alert:
    """An alert, through every check that a station makes with the trust root that it was given."""
    root = read_trust_root((folder / "trust/root.dsse.json").read_bytes())
    assert isinstance(root, Signed)
    signed = read_alert(envelope, root.document)
    assert isinstance(signed, Signed), signed
    alert = signed.document
    verdict = judge_alert(
        signed,
        trust=root.document,
        topic=(alert.scope, alert.id),
        station_scope=Scope(f"{PLACE}/thon-1"),
        known=known,
        floor_ms=0,
        now=now(),
    )
    assert verdict == Accepted()
    return alert


def standing(folder: Path, broker: Broker, known: Alert | None = None) -> Alert:
    """The one alert that stands on the broker."""
    (envelope,) = (data for topic, data in retained(broker).items() if TOPICS.alert_event(topic))
    return verified(folder, envelope, known)


def receipt(alert: Alert, state: str, *unheard: tuple[str, str], station: str = STATION) -> AlertReport:
    """What a station tells of a message."""
    return AlertReport(
        id=f"{station}/1-{alert.version}-{state}",
        station=station,
        told=TOLD,
        scope=alert.scope,
        event=alert.id,
        version=alert.version,
        state=state,
        unheard=tuple(UnheardPart(part=part, reason=reason) for part, reason in unheard),
    )


class Pole:
    """Whoever hears alerts under a station's name, and tells of them what the test says."""

    def __init__(self, broker: Broker, station: str = STATION) -> None:
        self.station = station
        self._broker = broker
        self._listener = Listener(broker, station, subscribe="ttcs/v1/scope/#")

    def online(self, scope: str = PLACE) -> None:
        """Tell that it is there."""
        self._listener.publish(
            TOPICS.station(self.station, "status"), encode(replace(status(station=self.station), scope=Scope(scope)))
        )

    def heard(self, version: int = 1) -> Alert:
        """The message that comes, sooner or later."""

        def found() -> Alert | None:
            for topic, data in list(self._listener.messages):
                payload = json.loads(b64decode(json.loads(data)["payload"])) if TOPICS.alert_event(topic) else {}
                if payload.get("version") == version:
                    signed = read_alert(data, open_centre_of(self._broker).trust.document)
                    assert isinstance(signed, Signed)
                    return signed.document
            return None

        alert = eventually(found, 20)
        assert alert is not None
        return alert

    def tell(self, alert: Alert, state: str, *unheard: tuple[str, str]) -> None:
        """Tell of it."""
        self.report(encode(receipt(alert, state, *unheard, station=self.station)))

    def report(self, payload: bytes) -> None:
        """Tell something."""
        self._listener.publish(TOPICS.station(self.station, "event"), payload, retain=False)

    def close(self) -> None:
        """Leave."""
        self._listener.close()


def open_centre_of(broker: Broker) -> Any:
    """The centre whose certificates a broker has."""
    return open_centre(broker.authority.ca_file.parent)


@contextmanager
def pole(broker: Broker, station: str = STATION) -> Iterator[Pole]:
    """One for a while, online."""
    there = Pole(broker, station)
    try:
        there.online()
        yield there
    finally:
        there.close()


@contextmanager
def running(*command: str) -> Iterator[Future[int]]:
    """The command, while the test does something else."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(main, list(command))


def add(folder: Path, station: str, scope: str = PLACE) -> None:
    """Make a station."""
    assert main(["add-station", str(folder), station, "--scope", scope, "--broker", "x"]) == 0


# -- what goes out


def test_a_template_goes_out_as_a_station_believes_it(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Blanks filled in, retained until it expires, kept in the folder as it went out; nobody answered: 1."""
    code = send(centre_folder, own_broker, "lu-quet", "--set", "noi=suối Đạ Lây", "--scope", PLACE)

    alert = standing(centre_folder, own_broker)
    (info,) = alert.info
    assert code == 1
    assert (alert.scope, alert.version, alert.msg_type, alert.status) == (PLACE, 1, "Alert", "Actual")
    assert (alert.severity, alert.urgency, alert.certainty) == ("Extreme", "Immediate", "Likely")
    assert (alert.repeat_s, alert.tell_cancel, alert.zones, alert.references) == (300, True, (), ())
    assert (alert.sender, alert.identifier) == ("vn/lam-dong", f"{PLACE}/alert/{alert.id}/1")
    assert utc_ms(alert.expires) - utc_ms(alert.sent) == 180 * 60_000
    assert re.fullmatch(r"lu-quet-[0-9]{8}-[0-9]{6}", alert.id)
    assert (info.headline, info.description) == (
        "Cảnh báo lũ quét tại suối Đạ Lây",
        "Nước tại suối Đạ Lây đang lên rất nhanh.",
    )
    assert info.audio is None and info.inline == ""
    kept = centre_folder / "alerts/sent/vn_lam-dong_da-teh" / alert.id
    assert sorted(path.name for path in kept.iterdir()) == ["1.dsse.json", "version.txt"]
    assert (kept / "1.dsse.json").read_bytes() == retained(own_broker)[TOPICS.alert(PLACE, alert.id)]
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == "!! No station of this place is known, and none answered"


@pytest.mark.parametrize("name", ["bao", "chay-rung", "dien-tap", "lu-quet", "xa-lu"])
def test_every_template_of_the_installation_can_be_sent(
    centre_folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is in the folder of a new centre, and is what a station would take; nothing is sent by a dry run."""
    blanks = {"bao": "ten=bão luc=tối", "chay-rung": "noi=a", "lu-quet": "noi=a", "xa-lu": "ho=a gio=b"}
    given = [one for blank in blanks.get(name, "").split() for one in ("--set", blank)]

    assert main(["--lang", "en", "alert", str(centre_folder), name, *given, "--dry-run"]) == 0

    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("EXERCISE: " if name == "dien-tap" else "!! REAL ALERT: ")
    assert (centre_folder / f"alerts/templates/{name}.yaml").is_file()
    assert name in template_names(centre_folder / "alerts/templates")
    assert not (centre_folder / "alerts/sent").exists()


def test_an_alert_stands_on_the_broker_until_it_expires(
    centre_folder: Path, own_broker: Broker, tmp_path: Path
) -> None:
    """With a message expiry, so that nobody gets one that is over."""
    send(centre_folder, own_broker, written(tmp_path), "--id", "ho", "--expires-in", "30")
    left_s: list[int] = []
    certificate, key = own_broker.authority.client("late")
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
    client.tls_set(str(own_broker.authority.ca_file), str(certificate), str(key))
    client.on_connect = lambda client, *_: client.subscribe(TOPICS.alert("vn/lam-dong", "ho"), qos=1)
    client.on_message = lambda c, u, message: left_s.append(message.properties.MessageExpiryInterval)  # type: ignore[union-attr]
    client.connect("127.0.0.1", own_broker.port)
    client.loop_start()
    eventually(lambda: left_s)
    client.disconnect()
    client.loop_stop()

    assert len(left_s) == 1 and 1_700 < left_s[0] <= 1_800


def test_a_centre_of_before_has_the_templates_too(centre_folder: Path) -> None:
    """Whose folder has none."""
    for file in (centre_folder / "alerts/templates").iterdir():
        file.unlink()
    (centre_folder / "alerts/templates").rmdir()

    assert main(["alert", str(centre_folder), "--drill", "--dry-run"]) == 0


def test_the_command_line_changes_what_the_file_says(centre_folder: Path, own_broker: Broker, tmp_path: Path) -> None:
    """Texts and recordings by language, zones, words of CAP, how long and how often."""
    horn = recording(tmp_path, "kho.wav", "sine=400:d=2")
    more = ["--headline", "Xả lũ hồ Đại Ninh", "--instruction", "kpm=Lơh", "--audio", f"kpm={horn}"]
    more += [
        "--zones",
        "cho,dinh",
        "--severity",
        "Extreme",
        "--expires-in",
        "90",
        "--repeat",
        "600",
        "--id",
        "dai-ninh",
    ]

    send(centre_folder, own_broker, written(tmp_path), *more)

    alert = standing(centre_folder, own_broker)
    vietnamese, koho = alert.info
    assert (alert.id, alert.scope, alert.zones, alert.severity) == (
        "dai-ninh",
        "vn/lam-dong",
        ("cho", "dinh"),
        "Extreme",
    )
    assert (utc_ms(alert.expires) - utc_ms(alert.sent), alert.repeat_s) == (90 * 60_000, 600)
    assert (vietnamese.headline, vietnamese.instruction) == ("Xả lũ hồ Đại Ninh", "Lên chỗ cao.")
    assert (koho.language, koho.headline, koho.instruction) == ("kpm", "Xả lũ", "Lơh")
    assert koho.audio is not None
    data = b64decode(koho.inline)
    assert (len(data), hashlib.sha256(data).hexdigest()) == (koho.audio.size_bytes, koho.audio.sha256)
    assert abs(koho.audio.duration_ms - 2_100) < 100 and abs(koho.audio.loudness_lufs + 16) < 1
    assert koho.audio.places == ("broker:",)
    assert not [topic for topic in retained(own_broker) if koho.audio.sha256 in topic]


def test_a_changed_text_takes_its_recording_away(centre_folder: Path, own_broker: Broker, tmp_path: Path) -> None:
    """What is heard does not say something else than what is written."""
    recording(tmp_path, "cu.wav", "sine=400:d=2")
    file = written(tmp_path, GOOD.replace("instruction: Lên chỗ cao.", "file: cu.wav"))

    send(centre_folder, own_broker, file, "--id", "a", "--headline", "Khác")

    assert standing(centre_folder, own_broker).info[0].audio is None


def test_a_long_recording_is_fetched_over_the_way_that_is_named(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beyond 256 KiB it does not travel inside; without any way it does not go out at all."""
    recording(tmp_path, "dai.wav", "anoisesrc=d=60:r=48000:a=0.2")
    file = written(tmp_path, GOOD.replace("instruction: Lên chỗ cao.", "file: dai.wav"))

    assert send(centre_folder, own_broker, file, "--id", "a") == 65
    assert "Stations would have no place to get the audio" in capsys.readouterr().err
    assert retained(own_broker) == {}
    send(centre_folder, own_broker, file, "--id", "a", "--via-broker")

    audio = standing(centre_folder, own_broker).info[0].audio
    assert audio is not None and audio.size_bytes > 256 * 1024 and audio.places == ("broker:",)
    chunks = {int(topic.split("/")[-1]): data for topic, data in retained(own_broker).items() if audio.sha256 in topic}
    assert hashlib.sha256(b"".join(chunks[n] for n in sorted(chunks))).hexdigest() == audio.sha256
    assert ", fetched (" in capsys.readouterr().out


def test_this_machine_speaks_where_it_is_asked_to(centre_folder: Path, own_broker: Broker, tmp_path: Path) -> None:
    """The texts become audio inside the alert."""
    send(centre_folder, own_broker, written(tmp_path), "--speak")

    (info,) = standing(centre_folder, own_broker).info
    assert info.audio is not None and info.audio.language == "vi" and info.inline
    assert info.audio.duration_ms > 1_000


def test_a_drill_is_one_command(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its own template, or any other that is played through: always an exercise."""
    send(centre_folder, own_broker, "--drill")
    drill = standing(centre_folder, own_broker)
    assert (drill.status, drill.severity, drill.info[0].headline) == (
        "Exercise",
        "Minor",
        "Diễn tập thông báo khẩn cấp",
    )
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "EXERCISE: Diễn tập thông báo khẩn cấp"
    assert "Told     stations say before and after it that it is no real emergency" in told

    send(centre_folder, own_broker, written(tmp_path), "--drill", "--id", "choi")

    played = verified(centre_folder, retained(own_broker)[TOPICS.alert("vn/lam-dong", "choi")])
    assert (played.status, played.severity) == ("Exercise", "Severe")


def test_two_people_sign_where_the_centre_wants_two(tmp_path: Path, own_broker: Broker) -> None:
    """A threshold of two is met by the two keys; with one away nothing goes out."""
    folder = tmp_path / "two"
    quorum = ["--publish-keys", "2", "--publish-threshold", "2"]
    assert main(["init", str(folder), "--scope", "vn/lam-dong", *quorum]) == 0

    assert main(["alert", str(folder), "--drill", "--dry-run"]) == 0
    (folder / "keys/publish-2.pem").unlink()

    assert main(["alert", str(folder), "--drill", "--dry-run"]) == 66


# -- numbers, and what stands


def test_an_update_says_what_holds_now_and_refers_to_what_was_said(
    centre_folder: Path, own_broker: Broker, tmp_path: Path
) -> None:
    """The next number, the same event, sender, texts and recordings; the old one is referred to as CAP says."""
    recording(tmp_path, "kho.wav", "sine=400:d=2")
    file = written(tmp_path, GOOD + "  - {language: kpm, headline: Da, file: kho.wav}\n")
    send(centre_folder, own_broker, file, "--id", "ho", "--scope", PLACE)
    first = standing(centre_folder, own_broker)

    send(centre_folder, own_broker, "--update", "ho", "--description", "Nước rút dần.", "--severity", "Moderate")

    second = standing(centre_folder, own_broker, first)
    assert (second.version, second.msg_type, second.severity, second.expires) == (
        2,
        "Update",
        "Moderate",
        first.expires,
    )
    assert (second.info[0].description, second.info[0].headline) == ("Nước rút dần.", "Xả lũ")
    assert second.info[1] == first.info[1]
    assert second.references == (AlertReference(sender=first.sender, identifier=first.identifier, sent=first.sent),)
    assert second.identifier != first.identifier

    send(centre_folder, own_broker, written(tmp_path, GOOD.replace("Xả lũ", "Ngừng xả")), "--update", "ho")

    third = standing(centre_folder, own_broker, second)
    assert (third.version, [one.headline for one in third.info], len(third.references)) == (3, ["Ngừng xả"], 2)


def test_a_cancel_ends_it_and_is_told_aloud_where_it_was_asked_for(
    centre_folder: Path, own_broker: Broker, tmp_path: Path
) -> None:
    """In the languages that have a word for it; it holds at least as long as what it cancels."""
    file = written(tmp_path, GOOD + "  - {language: kpm, headline: Da}\n  - {language: en, headline: Flood}\n")
    send(centre_folder, own_broker, file, "--id", "ho", "--repeat", "60", "--tell-cancel", "--expires-in", "180")
    first = standing(centre_folder, own_broker)

    send(centre_folder, own_broker, "--cancel", "ho")

    cancel = standing(centre_folder, own_broker, first)
    assert (cancel.version, cancel.msg_type, cancel.tell_cancel, cancel.repeat_s) == (2, "Cancel", True, 0)
    assert [(one.language, one.headline, one.description) for one in cancel.info] == [
        ("vi", "Đã hủy: Xả lũ", ""),
        ("en", "Cancelled: Flood", ""),
    ]
    assert utc_ms(cancel.expires) >= max(utc_ms(first.expires), utc_ms(cancel.sent) + 3_600_000)
    assert [one.identifier for one in cancel.references] == [first.identifier]


def test_what_another_machine_said_is_what_counts(centre_folder: Path, own_broker: Broker, tmp_path: Path) -> None:
    """A folder restored from a copy goes on from what stands on the broker, and uses no number twice."""
    send(centre_folder, own_broker, written(tmp_path), "--id", "ho")
    first = standing(centre_folder, own_broker)
    centre = open_centre(centre_folder)
    other = replace(first, version=7, msg_type="Update", identifier="other/7")
    envelope = sign(write_document(other), PAYLOAD_TYPES["alert"], centre.signers("publish"))
    client = Listener(own_broker, "operator")
    client.publish(TOPICS.alert("vn/lam-dong", "ho"), envelope)
    client.close()

    send(centre_folder, own_broker, "--cancel", "ho")

    cancel = standing(centre_folder, own_broker, other)
    assert cancel.version == 8
    assert [one.identifier for one in cancel.references] == ["other/7"]


def test_a_number_that_was_taken_is_not_used_again(centre_folder: Path, own_broker: Broker, tmp_path: Path) -> None:
    """Whatever became of the message that it was taken for."""
    take_number(open_centre(centre_folder).alert_folder("vn/lam-dong", "ho"), 4)

    send(centre_folder, own_broker, written(tmp_path), "--id", "ho")

    assert standing(centre_folder, own_broker).version == 6


@pytest.mark.parametrize(
    ("more", "code", "told"),
    [
        (("lu-quet",), 65, "The template has blanks: noi\nFill each of them: --set noi=...\n"),
        (
            ("lu-quet", "--set", "noi=a", "--set", "ho=b"),
            65,
            "The template has no blank ho; it has: noi\nCorrect --set\n",
        ),
        (
            ("luquet",),
            66,
            "There is no template luquet; there are: bao, chay-rung, dien-tap, lu-quet, xa-lu\n"
            "Did you mean lu-quet? Of a file write the ending too: .yaml, or .xml for CAP\n",
        ),
        (
            (),
            66,
            "It is not said which alert; there are: bao, chay-rung, dien-tap, lu-quet, xa-lu\n"
            "Add a template's name, a .yaml, or a CAP .xml; for a drill, --drill\n",
        ),
        (
            ("--drill", "--scope", "vn/khanh-hoa"),
            65,
            "vn/khanh-hoa lies outside vn/lam-dong\nCorrect --scope, or use the centre that has it\n",
        ),
        (
            ("--drill", "--id", "beacon"),
            65,
            "This is no id of an alert: beacon\n"
            "Use unaccented letters, digits, . _ - (at most 64), and none of programme, beacon, trust\n",
        ),
        (("--drill", "--audio", "/nowhere.wav"), 66, "There is no recording /nowhere.wav\nCorrect --audio\n"),
        (
            ("--cancel", "ho"),
            66,
            "There is no alert ho for vn/lam-dong\nLook at the id and at --scope. In force: -\n",
        ),
        (
            ("lu-quet", "--set", f"noi={'a' * 190}"),
            65,
            "The headline in vi has 211 characters, it must have 1 to 200\nWrite it shorter: --headline vi=...\n",
        ),
        (("--drill",), 77, "Nothing was sent: there is nobody to ask\nRun it on a terminal, or add --yes\n"),
    ],
    ids=["blank", "unknown-blank", "template", "nothing", "scope", "id", "recording", "unknown", "long", "nobody"],
)
def test_what_cannot_be_sent_is_told_with_its_mend(
    centre_folder: Path,
    own_broker: Broker,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    more: tuple[str, ...],
    code: int,
    told: str,
) -> None:
    """And nothing is sent, and no number used."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    assert main(words(centre_folder, own_broker, *more)) == code

    assert capsys.readouterr().err == told
    assert retained(own_broker) == {} and not (centre_folder / "alerts/sent").exists()


def test_an_event_that_is_there_over_or_cancelled_is_told(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new alert does not take an old one's name; what is over is neither updated nor cancelled."""
    file = written(tmp_path)
    send(centre_folder, own_broker, file, "--id", "ho")
    send(centre_folder, own_broker, file, "--id", "ho", "--scope", PLACE)
    first = verified(centre_folder, retained(own_broker)[TOPICS.alert("vn/lam-dong", "ho")])
    capsys.readouterr()

    def told(*more: str) -> tuple[int, str]:
        return send(centre_folder, own_broker, *more), capsys.readouterr().err.splitlines()[0]

    assert told(file, "--id", "ho") == (73, "There is an alert ho for vn/lam-dong already")
    assert told("--update", "ho") == (65, f"There is an alert ho in several scopes: vn/lam-dong, {PLACE}")
    assert told("--cancel", "xx") == (66, "There is no alert xx for vn/lam-dong")
    assert send(centre_folder, own_broker, "--cancel", "ho", "--scope", PLACE) == 1
    capsys.readouterr()
    assert told("--update", "ho", "--scope", PLACE) == (65, f"The alert ho of {PLACE} was cancelled")
    centre = open_centre(centre_folder)
    past = utc(datetime.now(timezone.utc) - timedelta(minutes=1))
    sent = utc(datetime.now(timezone.utc) - timedelta(minutes=9))
    over = sign(
        write_document(replace(first, expires=past, sent=sent)), PAYLOAD_TYPES["alert"], centre.signers("publish")
    )
    (centre.alert_folder("vn/lam-dong", "ho") / "1.dsse.json").write_bytes(over)
    client = Listener(own_broker, "operator")
    client.publish(TOPICS.alert("vn/lam-dong", "ho"), b"")
    client.close()
    assert told("--update", "ho", "--scope", "vn/lam-dong") == (65, f"The alert ho ends at {past}")


def test_every_mistake_in_a_file_is_told_with_its_line(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing, wrong, huge, twice: file and line, found, expected, mend; nothing is sent."""
    bad = GOOD.replace("Severe", "Bad").replace("60", "99999").replace("urgency: Immediate\n", "")
    bad += f"  - {{language: vi, headline: {'a' * 201}, file: nowhere.wav}}\neffective: tomorrow\nrepeat_s: 29\n"
    file = written(tmp_path, bad)

    assert send(centre_folder, own_broker, file) == 65

    told = capsys.readouterr().err
    english = re.findall(r"^(\S+?xa-lu-ho\.yaml:\d+: \S+)|^  Wrong: (.*)", told, re.MULTILINE)
    found = [one or other for one, other in english]
    assert [one.removeprefix(f"{file}:") for one in found] == [
        "1: severity",
        "The value is none of the choices",
        "1: urgency",
        "A required key is missing",
        "3: expires_in_minutes",
        "The number is out of range",
        "6: info[2].headline",
        "It is too long: 201 characters",
        "6: info[2].language",
        "This language stands twice",
        "6: info[2].file",
        "The file that is named does not exist",
        "7: effective",
        "It is not written in the right form",
        "8: repeat_s",
        "The number is out of range",
    ]
    assert told.splitlines()[-2:] == ["The alert: 8 wrong; nothing was sent", "Mend those above, then run it again"]
    assert retained(own_broker) == {}


def test_a_recording_that_is_none_is_told_where_it_is_named(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the file with its line, on the command line with its path."""
    (tmp_path / "ghi.wav").write_text("no audio")
    file = written(tmp_path, GOOD.replace("instruction: Lên chỗ cao.", "file: ghi.wav"))

    assert send(centre_folder, own_broker, file) == 65
    assert capsys.readouterr().err.splitlines()[0] == f"{file}:6: info[1].file"
    assert send(centre_folder, own_broker, written(tmp_path), "--audio", f"kpm={tmp_path}/ghi.wav") == 65
    told = capsys.readouterr().err
    assert told.splitlines()[0] == file and f"  Found: {tmp_path}/ghi.wav\n" in told


# -- the count


def test_the_count_tells_station_by_station_who_heard_it(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Delivered, on the air, heard; one that has no such zone is not missed: 0 as soon as all have answered."""
    for station in (STATION, "da-teh-02"):
        add(centre_folder, station)
    add(centre_folder, "bao-loc-01", "vn/lam-dong/bao-loc")  # lies elsewhere
    capsys.readouterr()
    command = words(
        centre_folder, own_broker, written(tmp_path), "--id", "ho", "--scope", PLACE, "--yes", "--wait", "60"
    )
    with pole(own_broker) as one, pole(own_broker, "da-teh-02") as two, running(*command) as done:
        alert = one.heard()
        one.tell(replace(alert, version=9), "heard")  # of another message: counts for nothing
        one.tell(alert, "accepted")
        one.tell(alert, "on-air")
        one.tell(alert, "heard")
        two.tell(alert, "failed", ("tone", "no-zone"), ("vi", "no-zone"))
        code = done.result(20)

    told = capsys.readouterr().out.splitlines()
    assert code == 0
    begin = told.index("Sent ho version 1")
    assert [line for line in told[begin + 2 :] if line.startswith(STATION)] == [
        f"{STATION}: delivered",
        f"{STATION}: on the air",
        f"{STATION}: heard",
    ]
    assert "da-teh-02: has no such zone" in told
    assert told[-2:] == ["delivered 2 · heard 1 · has no such zone 1", "Done: all 2 stations"]
    assert f"Where    {PLACE}: 2 stations" in told


def test_who_failed_refused_or_is_missing_is_told_with_the_reason(
    centre_folder: Path,
    own_broker: Broker,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Exit code 1; those that need a person stand at the end."""
    monkeypatch.setenv("COLUMNS", "200")
    for station in (STATION, "da-teh-02", "da-teh-03"):
        add(centre_folder, station)
    capsys.readouterr()
    command = words(
        centre_folder, own_broker, written(tmp_path), "--id", "ho", "--scope", PLACE, "--yes", "--wait", "4"
    )
    with pole(own_broker) as one, pole(own_broker, "da-teh-02") as two, running(*command) as done:
        alert = one.heard()
        one.tell(alert, "accepted")
        one.tell(alert, "failed", ("vi", "no-audio"))
        refusal = replace(fault(subject=f"{PLACE}#alert:ho"), id="da-teh-02/1-f1", station="da-teh-02")
        two.report(encode(replace(refusal, code="expired", detail={"expires": "2026"})))
        code = done.result(20)

    told = capsys.readouterr().out.splitlines()
    assert code == 1
    assert told[-5] == "delivered 1 · FAILED 1 · REFUSED 1 · missing 1"
    assert told[-4] == f"  {STATION}: FAILED: vi: its audio was not there"
    assert told[-3].startswith("  da-teh-02: REFUSED: ")
    assert told[-2:] == [
        "  da-teh-03: missing: the broker has never heard of it",
        "!! 3 of 3 stations lack it",
    ]


def test_a_cancel_that_is_not_told_aloud_is_done_when_it_is_accepted(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is nothing to hear of it."""
    send(centre_folder, own_broker, written(tmp_path), "--id", "ho", "--scope", PLACE)
    capsys.readouterr()
    with pole(own_broker) as one, running(*words(centre_folder, own_broker, "--cancel", "ho", "--yes")) as done:
        one.tell(one.heard(2), "accepted")
        code = done.result(20)

    told = capsys.readouterr().out.splitlines()
    assert (code, told[-1]) == (0, "Done: all 1 stations")
    assert "Heard    nothing is told aloud, it only stops" in told


def test_an_alert_for_later_is_done_when_accepted(centre_folder: Path, own_broker: Broker, tmp_path: Path) -> None:
    """Nobody waits for the evening."""
    later = (datetime.now(timezone.utc) + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%S+00:00")
    file = written(tmp_path, f"effective: {later}\n{GOOD}")
    with pole(own_broker) as one, running(*words(centre_folder, own_broker, file, "--yes")) as done:
        alert = one.heard()
        one.tell(alert, "accepted")
        code = done.result(20)

    assert (code, alert.effective) == (0, later.replace("+00:00", "Z"))


def test_a_machine_is_told_in_json(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What went out, each change, and how it ended; what would be heard stands on standard error."""
    more = (written(tmp_path), "--id", "ho", "--speak", "--json", "--yes", "--wait", "60")
    with pole(own_broker) as one, running(*words(centre_folder, own_broker, *more)) as done:
        alert = one.heard()
        one.tell(alert, "failed", ("vi", "no-audio"))
        code = done.result(20)

    said = capsys.readouterr()
    first, change, last = (json.loads(line) for line in said.out.splitlines())
    unheard = [{"part": "vi", "reason": "no-audio"}]
    assert code == 1
    assert (first["sent"]["id"], first["sent"]["version"], first["sent"]["info"][0]["inline"]) == ("ho", 1, "")
    assert change == {"station": STATION, "state": "failed", "link": "online", "unheard": unheard}
    assert last == {"done": False, "counts": {"failed": 1}, "stations": [change]}
    assert said.err.splitlines()[0] == "!! REAL ALERT: Xả lũ"


@pytest.mark.parametrize("columns", [40, 100])
def test_those_that_need_a_person_stand_first_on_a_screen_of_any_width(columns: int) -> None:
    """Of more stations than a screen has lines; what is beyond it is counted, and nothing is wider than it."""
    made = AlertCount(TOPICS, Scope(PLACE))
    made.expect([(f"da-teh-tram-{number:02}", None) for number in range(30)])
    alert = alert_of("Lũ quét tại suối Đạ Lây")
    made.sent(alert, heard_later=False)
    told = {
        "da-teh-tram-07": ("failed", ("vi", "no-audio")),
        "da-teh-tram-08": ("on-air",),
        "da-teh-tram-09": ("heard",),
    }
    for station, (state, *unheard) in told.items():
        report = receipt(alert, str(state), *unheard, station=station)  # type: ignore[arg-type]
        made.hear(TOPICS.station(station, "event"), encode(report))

    lines = drawn(live_lines(made, "en", columns, 16), columns).splitlines()

    assert len(lines) == 15 and max(map(cell_len, lines)) <= columns
    assert lines[0] == "ho: Lũ quét tại suối Đạ Lây" and lines[1].endswith(" 2/30")
    assert lines[2].startswith("delivered 3 · FAILED 1 · missing 27")
    assert lines[3].startswith("da-teh-tram-07  FAILED")
    assert lines[4].startswith("da-teh-tram-00  missing")
    assert lines[-1] == "and 19 more"


def alert_of(headline: str) -> Alert:
    """A message that is out."""
    return Alert(
        scope=Scope(PLACE),
        id="ho",
        version=1,
        identifier="a",
        sender="b",
        sent="2026-11-24T05:00:00Z",
        expires="2026-11-24T06:00:00Z",
        status="Actual",
        msg_type="Alert",
        severity="Extreme",
        urgency="Immediate",
        certainty="Likely",
        info=(AlertInfo(language="vi", headline=headline),),
    )


def test_the_count_goes_forward_only_whatever_comes_when() -> None:
    """Twice, out of order, of another event, of another station's topic: a state is not taken back."""
    made = AlertCount(TOPICS, Scope(PLACE))
    alert = alert_of("a")

    def heard(state: str, *unheard: tuple[str, str], of: Alert = alert, topic: str = STATION) -> str | None:
        changed = made.hear(TOPICS.station(topic, "event"), encode(receipt(of, state, *unheard)))
        return None if changed is None else changed.state

    assert heard("accepted") is None  # nothing is out yet
    made.sent(alert, heard_later=False)
    assert [heard("on-air"), heard("accepted"), heard("on-air")] == ["on-air", None, None]
    assert heard("heard", of=replace(alert, id="other")) is None
    assert heard("heard", topic="da-teh-02") is None
    assert heard("failed", ("vi", "no-audio")) == "failed"
    assert heard("failed", ("vi", "no-audio"), ("kpm", "no-audio")) == "failed"
    assert made.answers[STATION].unheard == (("vi", "no-audio"), ("kpm", "no-audio"))
    assert [heard("meteor"), heard("accepted"), heard("heard")] == [None, None, "heard"]
    assert made.is_good and made.states == {"heard": 1}
    made.hear(
        TOPICS.station("da-teh-02", "event"),
        encode(receipt(alert, "failed", ("after-vi", "relay"), station="da-teh-02")),
    )
    assert made.is_over and not made.is_good
    assert (
        why_words(made.answers["da-teh-02"], "en") == "announcement after the drill (vi): a relay could not be switched"
    )


@contextmanager
def terminal(columns: int, *command: str) -> Iterator[tuple[int, subprocess.Popen[bytes], bytearray]]:
    """The command on a terminal of its own: where to type, the process, and what it says."""
    master, slave = pty.openpty()
    environment = os.environ | {"COLUMNS": str(columns), "LINES": "24", "TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-m", "ttcs_edge.central.main", *command],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
    )
    os.close(slave)
    said = bytearray()

    def follow() -> None:
        while True:
            try:
                said.extend(os.read(master, 4096))
            except OSError:
                return

    reader = threading.Thread(target=follow)
    reader.start()
    try:
        yield master, process, said
    finally:
        process.kill()
        process.wait()
        reader.join()
        os.close(master)


@pytest.mark.parametrize("columns", [40, 100])
def test_a_person_is_asked_and_sees_the_count_grow(centre_folder: Path, own_broker: Broker, columns: int) -> None:
    """Blanks, then what will be heard, then the question; a bar; no line is wider than the terminal."""
    command = words(centre_folder, own_broker, "lu-quet", "--id", "ho", "--scope", PLACE)
    with pole(own_broker) as one, terminal(columns, *command) as (keyboard, process, said):
        eventually(lambda: b"Fill in noi:" in said)
        os.write(keyboard, "suối Đạ Lây\n".encode())
        eventually(lambda: b"Send it? [y/N]" in said)
        assert retained(own_broker).keys() == {TOPICS.station(STATION, "status")}
        os.write(keyboard, b"yes\n")
        alert = one.heard()
        one.tell(alert, "accepted")
        eventually(lambda: b"0/1" in said and b"delivered 1" in said)
        one.tell(alert, "heard")
        assert process.wait(20) == 0

    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode()).replace("\r", "")
    asked = shown[: shown.index("Send it?")].split("\n")
    assert max(map(cell_len, asked)) <= columns
    assert "Done: all 1 stations" in shown.splitlines()


@pytest.mark.parametrize("answer", [b"n\n", b"x\n", b"\x04"], ids=["no", "neither", "end"])
def test_without_a_yes_nothing_goes_out(centre_folder: Path, own_broker: Broker, answer: bytes) -> None:
    """Whatever else is typed."""
    with terminal(80, *words(centre_folder, own_broker, "--drill")) as (keyboard, process, said):
        eventually(lambda: b"Send it? [y/N]" in said)
        os.write(keyboard, answer)
        assert process.wait(20) == 77

    assert retained(own_broker) == {} and not (centre_folder / "alerts/sent").exists()
    assert b"Nothing was sent" in said


def test_ctrl_c_ends_the_count_and_tells_how_it_stands(centre_folder: Path, own_broker: Broker) -> None:
    """The alert is out: it is said who lacks it, and 130."""
    command = words(centre_folder, own_broker, "--drill", "--yes")
    with pole(own_broker) as one, terminal(80, *command) as (_, process, said):
        one.heard()
        eventually(lambda: b"0/1" in said)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        eventually(lambda: b"lack it" in said)

    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode()).splitlines()
    assert shown[-2:] == [f"  {STATION}: missing: it is connected", "!! 1 of 1 stations lack it"]


def test_a_real_station_hears_an_alert_of_the_command_its_update_and_its_end(
    centre_folder: Path, own_broker: Broker, own_station: Station, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the command through broker, daemon, player and lines, and back as receipts."""
    watcher = Listener(
        own_broker, client_id="watcher"
    )  # as in a province: a station to which nobody listens reports seldom
    own_station.start()
    file = written(tmp_path)

    assert send(centre_folder, own_broker, file, "--id", "ho", "--scope", PLACE, "--speak", wait=60) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line for line in told if line.startswith(f"{STATION}: ")] == [
        f"{STATION}: delivered",
        f"{STATION}: on the air",
        f"{STATION}: heard",
    ]
    assert send(centre_folder, own_broker, "--update", "ho", "--headline", "Ngừng xả", "--speak", wait=60) == 0
    assert send(centre_folder, own_broker, "--cancel", "ho", "--tell-cancel", "--speak", wait=60) == 0
    assert send(centre_folder, own_broker, "--drill", "--scope", PLACE, wait=90) == 0  # spoken by the station
    assert send(centre_folder, own_broker, file, "--zones", "xa", "--scope", PLACE, "--speak", wait=60) == 0
    watcher.close()
    assert capsys.readouterr().out.splitlines()[-2] == "delivered 1 · has no such zone 1"
