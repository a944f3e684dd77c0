"""Emergency alerts on real parts: a broker with TLS, libvlc, lines, SQLite, and a process that is killed."""

from __future__ import annotations

import base64
import math
import signal
import wave
from array import array
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from tests.parts import ROOT, SCOPE, Clip, Listener, Province, Station, eventually, make_clip, put_chunks, utc
from tests.system.sight import line_log, position_ms, status
from tests.system.test_main_job import TOPIC, all_open, assert_relays_never_switched_under_sound, one_slot
from ttcs_edge.core.documents import Alert, AlertInfo

EVENT = "lu-quet"


def alert(clip: Clip, *, inline: bool = True, **others: Any) -> Alert:
    """An alert for an hour whose words are a clip, inside it or to be fetched."""
    data = base64.b64encode(clip.data).decode() if inline else ""
    return alert_of(AlertInfo(language="vi", headline="Lũ quét", audio=clip.audio(), inline=data), **others)


def alert_of(*info: AlertInfo, **others: Any) -> Alert:
    """An alert for an hour that says this."""
    now = datetime.now(timezone.utc)
    defaults: dict[str, Any] = {"version": 1, "msg_type": "Alert", "info": info, "status": "Actual"}
    return Alert(
        scope=SCOPE,
        id=EVENT,
        identifier="urn:oid:2.49.0.0.704.0.2026.11.29.1",
        sender="canhbao@lamdong.example",
        sent=utc(now),
        expires=utc(now + timedelta(hours=1)),
        severity="Extreme",
        urgency="Immediate",
        certainty="Observed",
        **(defaults | others),
    )


def warn(centre: Listener, province: Province, document: Alert) -> None:
    """Publish a message of an alert as the province does."""
    centre.publish(f"{ROOT}/scope/{document.scope}/alert/{document.id}", province.sign(document))


def states(centre: Listener) -> list[str]:
    """What the centre was told of the alert."""
    return [report["state"] for report in centre.reports("alert-receipt")]


def outcomes(centre: Listener) -> list[tuple[str, str, str | None]]:
    """What was heard, in order: what, how it ended, why. What a stop overtook comes once more, under its id."""
    reports = {report["id"]: report for report in centre.reports("as-run")}.values()
    return [(one["items"][0]["bulletin"], one["outcome"], one["reason"]) for one in reports if one["items"]]


def test_an_alert_is_heard_and_the_province_sees_it_land(
    station: Station, centre: Listener, province: Province, clip: Clip
) -> None:
    """Tone, then the words that came inside it, through a warm amplifier; three receipts and two records."""
    station.start()
    warn(centre, province, alert(clip))
    eventually(lambda: len(outcomes(centre)) == 2, 20)

    assert outcomes(centre) == [("yelp", "aired", None), (EVENT, "aired", None)]
    assert eventually(lambda: len(states(centre)) == 3) and states(centre) == ["accepted", "on-air", "heard"]
    assert {report["slot"] for report in centre.reports("as-run")} == {f"alert:{EVENT}"}
    assert_relays_never_switched_under_sound(station)
    ups = [line for line, value, _ in line_log(station) if value == 1]
    assert ups == ["gpio17", "gpio27", "gpio22"]
    eventually(lambda: all_open(station), 15)
    assert status(station)["faults"] == []


def test_an_alert_takes_the_air_from_a_bulletin_and_gives_it_back(
    station: Station, centre: Listener, province: Province, clip: Clip
) -> None:
    """The words are fetched over the broker while the tone sounds; the bulletin goes on and is told as whole."""
    put_chunks(centre, clip)
    centre.publish(TOPIC, province.sign(one_slot(clip, 4)))
    station.start()
    eventually(lambda: status(station).get("state") == "on-air", 15)
    warn(centre, province, alert(clip, inline=False))
    eventually(lambda: len(outcomes(centre)) == 3, 30)

    assert outcomes(centre) == [("yelp", "aired", None), (EVENT, "aired", None), ("tin-sang", "aired", None)]
    bulletin = next(one for one in centre.reports("as-run") if one["slot"] == "sang")
    assert bulletin["interruptions"] == 1
    assert_relays_never_switched_under_sound(station)


def test_a_station_killed_in_the_middle_of_an_alert_goes_on_with_it(
    station: Station, centre: Listener, province: Province, tmp_path: Path
) -> None:
    """The tone was heard whole: it is not heard again. The words were cut, and told so: they are."""
    words = make_clip(tmp_path, "words", 6.0)
    station.start()
    warn(centre, province, alert(words))
    eventually(lambda: ("yelp", "aired", None) in outcomes(centre), 20)
    eventually(lambda: position_ms(station) > 1_500)
    station.stop(signal.SIGKILL)
    station.start()
    eventually(lambda: len(outcomes(centre)) == 3, 20)

    assert outcomes(centre) == [("yelp", "aired", None), (EVENT, "cut", "power"), (EVENT, "aired", None)]


def test_a_cancel_ends_the_alert_for_good(station: Station, centre: Listener, province: Province, clip: Clip) -> None:
    """It leaves the air at once; what the broker still holds of it is the cancel."""
    station.start()
    warn(centre, province, alert(clip, repeat_s=30))
    eventually(lambda: "on-air" in states(centre), 20)
    warn(centre, province, alert(clip, version=2, msg_type="Cancel"))
    eventually(lambda: outcomes(centre) and outcomes(centre)[-1][2] == "withdrawn", 10)
    assert station.stop() == 0
    station.start()
    eventually(lambda: all_open(station))
    again = eventually(lambda: len([one for one in centre.reports("status") if one["state"] == "online"]) >= 2)

    assert again
    assert outcomes(centre)[-1][2] == "withdrawn"
    assert status(station)["faults"] == []


def written(text: str, language: str = "vi") -> AlertInfo:
    """What an alert says in one language, of which nobody made a recording."""
    return AlertInfo(language=language, headline=text, instruction="Mời bà con rời nhà ngay, gọi 112 khi cần giúp.")


def loudest_db(station: Station) -> list[float]:
    """Of every tenth of a second that was handed to the sound device, how loud it was (RMS, dBFS)."""
    with wave.open(str(station.folder / "aired.wav"), "rb") as file:
        rate_hz, samples = file.getframerate(), array("h", file.readframes(file.getnframes()))
    size = rate_hz // 10
    tenths = [samples[begin : begin + size] for begin in range(0, len(samples) - size + 1, size)]
    return [20 * math.log10(max(1.0, math.sqrt(sum(one * one for one in part) / size)) / 32_768) for part in tenths]


def test_an_alert_of_which_there_is_only_text_is_heard(station: Station, centre: Listener, province: Province) -> None:
    """Tone, then a voice: the words come out of the station's own synthesiser, loud, while nothing is fetched."""
    station.start()
    warn(centre, province, alert_of(written("Lũ quét trên sông Đa Nhim lúc 17h30.")))
    eventually(lambda: len(outcomes(centre)) == 2, 30)

    assert outcomes(centre) == [("yelp", "aired", None), (EVENT, "aired", None)]
    assert eventually(lambda: len(states(centre)) == 3) and states(centre) == ["accepted", "on-air", "heard"]
    (record,) = [one for one in centre.reports("as-run") if one["items"][0]["bulletin"] == EVENT]
    (item,) = record["items"]
    assert item["language"] == "vi"
    assert item["duration_ms"] > 4_000
    assert item["written_ms"] >= item["duration_ms"] - 250
    assert (station.folder / "state/blobs" / item["sha256"]).stat().st_size == item["size_bytes"]
    assert station.stop() == 0
    spoken = loudest_db(station)[-item["duration_ms"] // 100 :]
    assert sum(level > -30 for level in spoken) > len(spoken) / 2, "speech is loud for most of its time"
    assert_relays_never_switched_under_sound(station)


def test_what_was_spoken_is_not_spoken_again_after_a_restart_and_is_heard(
    station: Station, centre: Listener, province: Province
) -> None:
    """The words were cut by a death: the next life has them in its store, and needs no synthesiser to say them."""
    station.start()
    warn(centre, province, alert_of(written("Lũ quét. " * 5)))
    eventually(lambda: ("yelp", "aired", None) in outcomes(centre), 20)
    eventually(lambda: position_ms(station) > 2_000)
    notes = list((station.folder / "state/spoken").iterdir())
    before = [(note.name, note.stat().st_mtime_ns) for note in notes]
    station.stop(signal.SIGKILL)
    station.start()
    eventually(lambda: len(outcomes(centre)) == 3, 30)

    assert outcomes(centre)[1:] == [(EVENT, "cut", "power"), (EVENT, "aired", None)]
    assert [(note.name, note.stat().st_mtime_ns) for note in notes] == before
    assert len({one["items"][0]["sha256"] for one in centre.reports("as-run")[1:]}) == 1


def test_a_language_without_a_voice_is_told_and_vietnamese_is_heard_there(
    station: Station, centre: Listener, province: Province
) -> None:
    """K'Ho has no synthesiser: the centre hears so, the technician sees it, the zone hears a second language."""
    text = station.config.read_text()
    station.config.write_text(text.replace("name: Chợ, pin: 27", "name: Chợ, pin: 27, languages: [kpm]"))
    station.start()
    warn(centre, province, alert_of(written("Dà dờng", "kpm"), written("Lũ quét.")))
    eventually(lambda: "failed" in states(centre) and (EVENT, "aired", None) in outcomes(centre), 30)

    receipt = centre.reports("alert-receipt")[-1]
    assert (receipt["state"], receipt["unheard"]) == ("failed", [{"part": "kpm", "reason": "no-voice"}])
    words = next(one for one in centre.reports("as-run") if one["items"] and one["items"][0]["bulletin"] == EVENT)
    assert (words["outcome"], words["zones"], words["items"][0]["language"]) == ("aired", ["cho", "dinh"], "vi")
    missed = next(one for one in centre.reports("as-run") if one["outcome"] == "missed")
    assert (missed["reason"], missed["slot"]) == ("no-voice", f"alert:{EVENT}")
    assert ("no-voice", "speech:kpm") in {(one["code"], one["subject"]) for one in status(station)["faults"]}


def test_a_drill_is_told_as_one_before_its_siren_and_after_its_words(
    station: Station, centre: Listener, province: Province
) -> None:
    """The way of an actual alert, from the broker to the loudspeaker: four parts, each with its record."""
    station.start()
    warn(centre, province, alert_of(written("Lũ quét."), status="Exercise"))
    eventually(lambda: len(outcomes(centre)) == 4, 50)

    rows = [one["occurrence"].rpartition("@")[2] for one in centre.reports("as-run")]
    assert rows == ["1.0.0-before-vi", "1.0.1-tone", "1.0.2-vi", "1.0.3-after-vi"]
    assert [outcome for _, outcome, _ in outcomes(centre)] == ["aired"] * 4
    assert eventually(lambda: len(states(centre)) == 3) and states(centre) == ["accepted", "on-air", "heard"]
    assert_relays_never_switched_under_sound(station)
    assert status(station)["faults"] == []
