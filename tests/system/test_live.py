"""A live relay on real parts: Opus over a broker with TLS, signatures, the player, lines, and the proof of it."""

from __future__ import annotations

import itertools
import math
import signal
import threading
import time
import wave
from array import array
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace
from securesystemslib.signer import CryptoSigner

from tests.parts import ROOT, SCOPE, Broker, Clip, Listener, Province, Station, eventually, put_chunks, utc
from tests.system.sight import heard_ms, status
from tests.system.test_main_job import TOPIC, all_open, assert_relays_never_switched_under_sound, one_slot
from ttcs_edge.core.documents import LiveSegment
from ttcs_edge.core.model import Scope
from ttcs_edge.opus import PACKET_FRAMES, RATE_HZ, OpusEncoder

LIVE = "live:thoi-su"
HZ = 440
PACKETS = 25
SEGMENT_S = PACKETS * 0.02


class Source:
    """Who speaks: a tone without an end, a segment every half second, until told to be silent, or to end."""

    def __init__(self, broker: Broker, province: Province) -> None:
        self._province = province
        self._listener = Listener(broker, subscribe=f"{ROOT}/nothing", client_id="source")
        self._encoder = OpusEncoder(32_000)
        self._frame = 0
        self.begun = datetime.now(timezone.utc)
        self.number = 0
        self.signers: list[CryptoSigner] | None = None
        self.silent = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        began_s = time.monotonic()
        while not self._over.wait(max(0.0, began_s + self.number * SEGMENT_S - time.monotonic())):
            self.say()
        self.say(last=True)
        self._listener.close()

    def say(self, **others: Any) -> None:
        """The next segment; in silence its time passes by."""
        segment = self.segment(**others)
        if not self.silent.is_set():
            envelope = self._province.sign(segment, self.signers)
            self._listener.publish(f"{ROOT}/scope/{SCOPE}/live/thoi-su", envelope, retain=False)

    def segment(self, **others: Any) -> LiveSegment:
        """Half a second of the tone."""
        now = datetime.now(timezone.utc)
        packets = tuple(b64encode(self._encoder.encode(self._samples())).decode() for _ in range(PACKETS))
        self.number += 1
        segment = LiveSegment(
            scope=Scope(SCOPE),
            id="thoi-su",
            version=round(self.begun.timestamp() * 1_000),
            number=self.number - 1,
            sent=utc(now),
            expires=utc(now + timedelta(seconds=10)),
            until=utc(self.begun + timedelta(minutes=30)),
            title="Thời sự",
            packets=packets,
        )
        return replace(segment, **others)

    def _samples(self) -> bytes:
        angles = (2 * math.pi * HZ * (self._frame + n) / RATE_HZ for n in range(PACKET_FRAMES))
        self._frame += PACKET_FRAMES
        return array("h", [int(16_000 * math.sin(angle)) for angle in angles]).tobytes()

    def end(self) -> None:
        """Say the last of it."""
        self._over.set()
        self._thread.join()


@pytest.fixture
def speak(broker: Broker, province: Province) -> Iterator[Callable[[], Source]]:
    """Begins to speak; what still does at the end is ended."""
    sources: list[Source] = []

    def begin() -> Source:
        sources.append(Source(broker, province))
        return sources[-1]

    yield begin
    for source in sources:
        source.end()


def on_air(station: Station) -> str | None:
    """What has the air, by its title."""
    title: str | None = (status(station).get("on_air") or {}).get("title")
    return title


def told(centre: Listener) -> list[tuple[str, str, str | None]]:
    """What the as-run log says."""
    return sorted((one["slot"], one["outcome"], one["reason"]) for one in centre.reports("as-run"))


def faults(station: Station) -> list[str]:
    """What the station says is wrong."""
    return [fault["code"] for fault in status(station).get("faults", ())]


def tone_s(station: Station) -> float:
    """For how long the tone was heard: tenths of a second that are loud and of its pitch."""
    with wave.open(str(station.folder / "aired.wav"), "rb") as file:
        samples = array("h", file.readframes(file.getnframes()))
    span = RATE_HZ // 10
    parts = [samples[begin : begin + span] for begin in range(0, len(samples) - span, span)]
    return sum(_is_tone(part) for part in parts) / 10


def _is_tone(part: array[int]) -> bool:
    loud = math.sqrt(sum(sample * sample for sample in part) / len(part)) > 3_000
    ups = sum(before < 0 <= after for before, after in itertools.pairwise(part))
    return loud and abs(ups - HZ / 10) <= 1


def test_what_is_said_far_away_is_heard_here_signed_piece_by_piece_and_told(
    station: Station, centre: Listener, speak: Callable[[], Source]
) -> None:
    """From the first segments on to the last; every zone; relays as ever."""
    station.start()
    eventually(lambda: status(station).get("link_up"))
    source = speak()
    eventually(lambda: on_air(station) == "Thời sự", 15)
    said = source.number
    eventually(lambda: source.number >= said + 10, 15)
    source.end()
    eventually(lambda: told(centre) == [(LIVE, "aired", None)], 15)
    eventually(lambda: all_open(station), 15)

    assert tone_s(station) >= 10 * SEGMENT_S - 0.5
    assert heard_ms(station, "gpio27") > 4_500
    assert_relays_never_switched_under_sound(station)
    assert faults(station) == []


def test_the_rest_of_what_is_said_far_away_is_heard_behind_a_death_in_the_middle_of_it(
    station: Station, centre: Listener, speak: Callable[[], Source]
) -> None:
    """Killed while it is heard, and begun again: what is said then is heard to its end, and each part is told."""
    station.start()
    eventually(lambda: status(station).get("link_up"))
    source = speak()
    eventually(lambda: on_air(station) == "Thời sự", 15)
    said = source.number
    eventually(lambda: source.number >= said + 6, 15)
    station.stop(signal.SIGKILL)
    station.start()
    eventually(lambda: on_air(station) == "Thời sự", 15)
    said, heard_s = source.number, tone_s(station)
    eventually(lambda: source.number >= said + 8, 15)
    source.end()
    eventually(lambda: told(centre) == [(LIVE, "aired", None), (LIVE, "cut", "power")], 15)
    eventually(lambda: all_open(station), 15)

    assert tone_s(station) >= heard_s + 8 * SEGMENT_S - 0.5
    cut, rest = sorted(centre.reports("as-run"), key=lambda one: str(one["start"]))
    assert (cut["occurrence"], cut["id"] != rest["id"]) == (rest["occurrence"], True)
    assert cut["end"] <= rest["start"] < rest["end"]
    assert faults(station) == []


def test_a_voice_whose_signature_fails_in_the_middle_is_silent_within_a_segment(
    station: Station, centre: Listener, speak: Callable[[], Source]
) -> None:
    """Told twice: who spoke may not, and that nothing is heard. What is signed again is heard again."""
    station.start()
    eventually(lambda: status(station).get("link_up"))
    source = speak()
    eventually(lambda: on_air(station) == "Thời sự", 15)
    source.signers = [CryptoSigner.generate_ed25519()]
    good = source.number
    eventually(lambda: "not-enough-signatures" in faults(station), 15)
    eventually(lambda: "live-lost" in faults(station), 15)
    heard_s = tone_s(station)
    assert heard_s <= (good + 1) * SEGMENT_S
    source.signers = None
    eventually(lambda: "live-lost" not in faults(station), 15)
    eventually(lambda: tone_s(station) > heard_s + 1, 15)
    source.end()
    eventually(lambda: told(centre) == [(LIVE, "aired", None)], 15)
    (record,) = centre.reports("as-run")
    assert record["interruptions"] == 1


def test_a_slot_s_live_relay_is_replaced_by_its_bulletin_while_it_is_silent(
    station: Station, centre: Listener, clip: Clip, speak: Callable[[], Source]
) -> None:
    """It does not start in time: the bulletin is heard; it starts: it has the air to its end."""
    station.start()
    put_chunks(centre, clip)
    programme = one_slot(clip, 3)
    (slot,) = programme.slots
    documents = replace(programme, slots=(replace(slot, live="thoi-su"),))
    centre.publish(TOPIC, station.province.sign(documents))
    eventually(lambda: on_air(station) not in (None, "Thời sự"), 20)
    source = speak()
    eventually(lambda: on_air(station) == "Thời sự", 15)
    said = source.number
    eventually(lambda: source.number >= said + 4, 15)
    source.end()
    eventually(lambda: len(told(centre)) == 2, 15)

    assert (LIVE, "aired", None) in told(centre)
    assert {outcome for _, outcome, _ in told(centre)} == {"aired"}
    assert_relays_never_switched_under_sound(station)
