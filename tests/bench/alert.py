"""`alert`: publish to the first 10 ms period of the tone handed to the sound device; TLS, amplifier delay 0, idle.

Floor: in one process, a bare paho subscriber that verifies one DSSE envelope and starts a warm libvlc player into
memory callbacks and a 10 ms writer. Ours: the daemon. The same envelopes go to both, in turn; each alert is cancelled
once it was heard, and the next one is sent when everything is silent and open.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal

from paho.mqtt.client import Client, MQTTMessage
from securesystemslib.dsse import Envelope

from tests.bench.due import BarePlayer
from tests.bench.report import report
from tests.parts import ROOT, SCOPE, Authority, Broker, Listener, Province, Station, eventually, make_clip, utc
from tests.system.test_main_job import all_open
from ttcs_edge.core.documents import Alert, AlertInfo
from ttcs_edge.drivers.sound import RATE_HZ
from ttcs_edge.tones import path_of

ALERTS = int(os.environ.get("ALERTS", "200"))
AUTOSAVE_S = 1_800
"""Mosquitto's own default (mosquitto.conf(5))."""
REST_S = 0.5
"""Before the next alert, so that it meets a station that is idle, and a minute has no more of them than are taken."""
PLAYED, HEARD = "floor/alert", "floor/message"
NO_DELAYS = (
    ("warm_up_s: 0.5", "warm_up_s: 0"),
    ("hold_s: 1", "hold_s: 0"),
    ("zone_stagger_s: 0.1", "zone_stagger_s: 0"),
)


class Bare:
    """The floor: hears, verifies, plays."""

    def __init__(self, broker: Broker, province: Province) -> None:
        self._keys = [signer.public_key for signer in province.publishers]
        self._player = BarePlayer(path_of("yelp"))
        self.heard_ns: list[int] = []
        self.began_ns: list[int] = []
        self._listener = Listener(broker, "bare", "floor/#")
        self._listener._client.on_message = self._on_message

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        Envelope.from_dict(json.loads(message.payload)).verify([*self._keys], 1)
        at_ns = time.monotonic_ns()
        self.heard_ns.append(at_ns)
        if message.topic == PLAYED:
            self.began_ns.append(at_ns + round(self._player.late_ms(at_ns) * 1e6))


def alert(number: int, version: int, **others: Any) -> Alert:
    """An alert of an hour, or what ends it."""
    now = datetime.now(timezone.utc)
    return Alert(
        scope=SCOPE,
        id=f"a{number}",
        version=version,
        identifier=f"urn:bench:{number}:{version}",
        sender="bench@lamdong.example",
        sent=utc(now),
        expires=utc(now + timedelta(hours=1)),
        status="Actual",
        severity="Extreme",
        urgency="Immediate",
        certainty="Observed",
        **others,
    )


class Ground:
    """A broker, a daemon without delays of amplifier and zones, the bare subscriber, and who warns both in turn."""

    def __init__(
        self,
        folder: Path,
        prepare: Callable[[Station], None] = lambda station: None,
        hears: str = f"{ROOT}/station/#",
    ) -> None:
        """``prepare`` gets the station before it is started; ``hears`` is what the centre here listens to."""
        self.folder = folder
        self.broker = Broker(folder / "broker", Authority(folder / "authority"), autosave_s=AUTOSAVE_S, stations=None)
        self.broker.start()
        self.province = Province()
        self.station = Station(folder / "station", self.broker, self.province)
        self.station.install()
        text = self.station.config.read_text()
        for before, after in NO_DELAYS:
            assert before in text
            text = text.replace(before, after)
        self.station.config.write_text(text)
        prepare(self.station)
        self.station.start()
        self.centre, self._bare = Listener(self.broker, subscribe=hears), Bare(self.broker, self.province)
        self._info = AlertInfo(language="vi", headline="Lũ quét", audio=make_clip(folder, "words", 2.0).audio())
        self._timeline = self.station.folder / "aired.wav.timeline"
        self._read_bytes, self._lines = 0, list[dict[str, int]]()

    def message(self, number: int, version: int, kind: Literal["Alert", "Cancel"]) -> tuple[str, bytes]:
        """The topic and the envelope of a message."""
        document = alert(number, version, msg_type=kind, info=(self._info,))
        return f"{ROOT}/scope/{SCOPE}/alert/{document.id}", self.province.sign(document)

    def floor_ms(self, envelope: bytes) -> float:
        """From a message's publication to the bare player's first period."""
        sent_ns, heard = time.monotonic_ns(), len(self._bare.began_ns)
        self.centre.publish(PLAYED, envelope, retain=False)
        eventually(lambda: len(self._bare.began_ns) > heard)
        return (self._bare.began_ns[-1] - sent_ns) / 1e6

    def message_ms(self, envelope: bytes) -> float:
        """From a message's publication to its being verified, and no more."""
        sent_ns, heard = time.monotonic_ns(), len(self._bare.heard_ns)
        self.centre.publish(HEARD, envelope, retain=False)
        eventually(lambda: len(self._bare.heard_ns) > heard)
        return (self._bare.heard_ns[-1] - sent_ns) / 1e6

    def first_ms(self, topic: str, envelope: bytes) -> float:
        """From an alert's publication to the first period of the next sound that begins at the station."""
        sent_ns = time.monotonic_ns()
        self.centre.publish(topic, envelope)
        return (eventually(lambda: self._begun_ns(sent_ns)) - sent_ns) / 1e6

    def silent_ms(self, topic: str, envelope: bytes) -> float:
        """From a cancel's publication to the last period of what sounded."""
        sent_ns = time.monotonic_ns()
        self.centre.publish(topic, envelope)
        return (eventually(lambda: self._ended_ns(sent_ns)) - sent_ns) / 1e6

    def timeline(self) -> list[dict[str, int]]:
        """What went to the sound device so far."""
        if self._timeline.exists():
            with self._timeline.open("rb") as file:  # only what is new: whoever waits for an alert asks again and again
                file.seek(self._read_bytes)
                whole = file.read().rpartition(b"\n")[0]
            self._read_bytes += len(whole) + 1 if whole else 0
            self._lines += [json.loads(line) for line in whole.splitlines()]
        return self._lines

    def _begun_ns(self, after_ns: int) -> int:
        return min((line["mono_ns"] for line in self.timeline() if line["mono_ns"] > after_ns), default=0)

    def _ended_ns(self, after_ns: int) -> int:
        ends = (
            line["mono_ns"] + line["frames"] * 1_000_000_000 // RATE_HZ for line in self.timeline() if line["frames"]
        )
        return min((end_ns for end_ns in ends if end_ns > after_ns), default=0)

    def close(self) -> None:
        """End both."""
        self.station.stop()
        self.broker.stop()


def main() -> None:
    """Both in turn."""
    floor, ours = [], []
    with tempfile.TemporaryDirectory() as name:
        ground = Ground(Path(name))
        for number in range(ALERTS):
            topic, envelope = ground.message(number, 1, "Alert")
            floor.append(ground.floor_ms(envelope))
            ours.append(ground.first_ms(topic, envelope))
            ground.centre.publish(*ground.message(number, 2, "Cancel"))
            eventually(lambda: all_open(ground.station))
            time.sleep(REST_S)  # no test: each alert is to meet a station that is idle
        ground.close()
    report("alert", "ms", floor, ours)


if __name__ == "__main__":
    main()
