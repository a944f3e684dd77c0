"""`alert`: publish to the first 10 ms period of the tone handed to the sound device; TLS, amplifier delay 0, idle.

Floor: in one process, a bare paho subscriber that verifies one DSSE envelope and starts a warm libvlc player into
memory callbacks and a 10 ms writer. Ours: the daemon. The same envelopes go to both, in turn; each alert is cancelled
once it was heard, and the next one is sent when everything is silent and open.
"""

from __future__ import annotations

import json
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from paho.mqtt.client import Client, MQTTMessage
from securesystemslib.dsse import Envelope

from tests.bench.due import BarePlayer
from tests.bench.report import report
from tests.parts import PLACE, ROOT, SCOPE, Authority, Broker, Listener, Province, Station, eventually, make_clip, utc
from tests.system.test_main_job import all_open
from ttcs_edge.core.documents import Alert, AlertInfo
from ttcs_edge.tones import path_of

ALERTS = 200


class Bare:
    """The floor: hears, verifies, plays."""

    def __init__(self, broker: Broker, province: Province) -> None:
        self._keys = [signer.public_key for signer in province.publishers]
        self._player = BarePlayer(path_of("yelp"))
        self.began_ns: list[int] = []
        self._listener = Listener(broker, "bare", "floor/#")
        self._listener._client.on_message = self._on_message

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        Envelope.from_dict(json.loads(message.payload)).verify(self._keys, 1)
        at_ns = time.monotonic_ns()
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


def first_ns(timeline: Path, after_ns: int) -> int:
    """When the first run of sound after an instant began; 0 while none has."""
    lines = timeline.read_text().splitlines() if timeline.exists() else []
    begun = (json.loads(line)["mono_ns"] for line in lines)
    return min((at_ns for at_ns in begun if at_ns > after_ns), default=0)


def main() -> None:
    """Both in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        broker = Broker(folder / "broker", Authority(folder / "authority"))
        broker.start()
        province = Province()
        station = Station(folder / "station", broker, province)
        station.install()
        text = station.config.read_text()
        for before, after in (
            ("warm_up_s: 0.5", "warm_up_s: 0"),
            ("hold_s: 1", "hold_s: 0"),
            ("zone_stagger_s: 0.1", "zone_stagger_s: 0"),
        ):
            text = text.replace(before, after)
        station.config.write_text(text)
        station.start()
        centre, bare = Listener(broker), Bare(broker, province)
        info = AlertInfo(language="vi", headline="Lũ quét", audio=make_clip(folder, "words", 2.0).audio())
        timeline = station.folder / "aired.wav.timeline"
        floor, ours = [], []
        for number in range(ALERTS):
            document = alert(number, 1, msg_type="Alert", info=(info,))
            envelope = province.sign(document)
            topic = f"{ROOT}/scope/{SCOPE}/alert/{document.id}"

            sent_ns, heard = time.monotonic_ns(), len(bare.began_ns)
            centre.publish("floor/alert", envelope, retain=False)
            eventually(lambda heard=heard: len(bare.began_ns) > heard)
            floor.append((bare.began_ns[-1] - sent_ns) / 1e6)

            sent_ns = time.monotonic_ns()
            centre.publish(topic, envelope)
            ours.append((eventually(lambda sent_ns=sent_ns: first_ns(timeline, sent_ns)) - sent_ns) / 1e6)
            cancel = replace(alert(number, 2, msg_type="Cancel", info=(info,)), expires=document.expires)
            centre.publish(topic, province.sign(cancel))
            eventually(lambda: all_open(station))
            time.sleep(0.3)  # an idle station
        station.stop()
        broker.stop()
    report("alert", "ms", floor, ours, place=PLACE)


if __name__ == "__main__":
    main()
