"""Emergency alerts on real parts: a broker with TLS, libvlc, lines, SQLite, and a process that is killed."""

from __future__ import annotations

import base64
import signal
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
    now = datetime.now(timezone.utc)
    data = base64.b64encode(clip.data).decode() if inline else ""
    defaults: dict[str, Any] = {
        "version": 1,
        "msg_type": "Alert",
        "info": (AlertInfo(language="vi", headline="Lũ quét", audio=clip.audio(), inline=data),),
    }
    return Alert(
        scope=SCOPE,
        id=EVENT,
        identifier="urn:oid:2.49.0.0.704.0.2026.11.29.1",
        sender="canhbao@lamdong.example",
        sent=utc(now),
        expires=utc(now + timedelta(hours=1)),
        status="Actual",
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
    """What was heard, in order: what, how it ended, why."""
    reports = centre.reports("as-run")
    return [(one["items"][0]["bulletin"], one["outcome"], one["reason"]) for one in reports if one["items"]]


def test_an_alert_is_heard_and_the_province_sees_it_land(
    station: Station, centre: Listener, province: Province, clip: Clip
) -> None:
    """Tone, then the words that came inside it, through a warm amplifier; three receipts and two records."""
    station.start()
    warn(centre, province, alert(clip))
    eventually(lambda: len(outcomes(centre)) == 2, 20)

    assert outcomes(centre) == [("yelp", "aired", None), (EVENT, "aired", None)]
    assert states(centre) == ["accepted", "on-air", "heard"]
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
