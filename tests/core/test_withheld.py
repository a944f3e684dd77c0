"""What the centre's beacons name and has not come: asked for, fetched, and told; and a centre that falls silent."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.core.material import KEY, PROVINCE, TRUST, ByHand, alert, programme, sha, signed, slot
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import Beacon, Grant, NamedAlert, NamedDocument, Refused, Signed
from ttcs_edge.core.effects import Effect
from ttcs_edge.core.model import MonoMs, Scope
from ttcs_edge.core.trust import utc_text
from ttcs_edge.core.withheld import AGAIN_MS, GRACE_MS, SLOW_MS, WITHHELD_FAULTS

ROOT = replace(
    TRUST, version=3, grants=(*TRUST.grants, Grant(role="beacon", scope=Scope("vn"), keys=(KEY,), threshold=1))
)
EVERY_S = 60
PLACES = ("https://audio.example/ttcs/lu-quet.dsse.json", "broker:")
FLOOD = alert(sent="2026-11-23T20:50:00Z")
NAMED = NamedAlert(id="lu-quet", version=1, sha256=sha("envelope"), size_bytes=2_000, places=PLACES)
SUBJECT = "vn/lam-dong#alert:lu-quet"


def station(*programmes: Any, **others: Any) -> ByHand:
    """At four in the morning, with a link."""
    here = ByHand(*programmes, trust=ROOT, **others)
    here.tell(events.LinkChanged(True, "connected"))
    return here


def hear(here: ByHand, *, live: bool = True, **named: Any) -> list[Effect]:
    """A beacon of the province, sent now."""
    wall_ms = here.wall_ms
    made = Beacon(
        scope=PROVINCE,
        version=wall_ms,
        issued=utc_text(wall_ms),
        expires=utc_text(wall_ms + 300_000),
        **({"next_s": EVERY_S} | named),
    )
    read: Signed[Beacon] = signed(made)
    return here.tell(events.BeaconArrived(read, PROVINCE, 3, live, MonoMs(here.mono_ms)))


def asked(log: list[tuple[int, Effect]]) -> list[tuple[int, str, str]]:
    """What the broker was asked to send once more, and when."""
    return [(ms, one.kind, one.scope) for ms, one in log if isinstance(one, effects.HearAgain)]


def lacks(here: ByHand) -> list[tuple[str, str]]:
    """What is told as lacking."""
    return [key for key in here.faults if key[0] in WITHHELD_FAULTS]


def fetched(here: ByHand) -> list[effects.WantedAudio]:
    """What the fetcher is to get by now."""
    return list([one for _, one in here.log if isinstance(one, effects.SetWanted)][-1].wanted)


def test_what_is_here_is_asked_for_by_nobody() -> None:
    """Programme, root and alert are those that the beacon names: nothing follows from it."""
    here = station(programme([slot("sang", "05:00:00")], version=7))
    here.warn(FLOOD)
    named = NamedDocument(version=7, sha256=sha("p"), size_bytes=9)
    for _ in range(3):
        hear(here, trust=3, programme=named, alerts=(NAMED,))
        assert asked(here.wait(EVERY_S * 1_000)) == []
    assert lacks(here) == []


def test_a_missed_alert_is_asked_for_and_fetched_within_seconds_and_heard() -> None:
    """From its own places, as audio is; what was fetched arrives as if the broker had brought it."""
    here = station()
    assert not [one for one in hear(here, alerts=(NAMED,)) if isinstance(one, effects.HearAgain)]
    begun_ms = here.mono_ms
    assert asked(here.wait(GRACE_MS)) == [(begun_ms + GRACE_MS, "alert", PROVINCE)]
    (wanted,) = fetched(here)
    assert (wanted.sha256, wanted.size_bytes, wanted.places) == (sha("envelope"), 2_000, PLACES)
    keeps = [one for _, one in here.log if isinstance(one, effects.SetWanted)][-1].keep
    assert sha("envelope") in keeps, "nobody may evict it before it is read"
    done = here.tell(events.AudioStored(sha("envelope")))
    assert effects.ReadDocument(PROVINCE, "lu-quet", sha("envelope")) in done
    here.warn(FLOOD)
    here.wait(5_000)
    assert here.sound_begins().items[0].bulletin.startswith("tone"), "on the air"
    assert lacks(here) == []
    assert asked(here.wait(AGAIN_MS)) == []


def test_what_the_next_beacon_names_too_is_a_fault_until_it_comes() -> None:
    """Withheld by the broker: found out within two beacons; asked for again, each time twice as late."""
    here = station()
    hear(here, programme=NamedDocument(version=9, sha256=sha("p"), size_bytes=9))
    here.wait(EVERY_S * 1_000)
    assert lacks(here) == [], "one beacon may have overtaken it"
    hear(here, programme=NamedDocument(version=9, sha256=sha("p"), size_bytes=9))
    assert lacks(here) == [("programme-withheld", PROVINCE)]
    begun_ms = here.mono_ms
    for _ in range(9):
        here.wait(EVERY_S * 1_000)
        hear(here, programme=NamedDocument(version=9, sha256=sha("p"), size_bytes=9))
    spans_ms = [at_ms - begun_ms for at_ms, kind, _ in asked(here.log) if kind == "programme" and at_ms > begun_ms]
    first_ms = GRACE_MS - EVERY_S * 1_000
    assert spans_ms == [first_ms + AGAIN_MS * total for total in (1, 3, 7)]
    here.arrive(programme([slot("sang", "05:00:00")], version=9))
    assert lacks(here) == []


def test_a_programme_that_is_refused_is_not_fetched_minute_by_minute() -> None:
    """What stands on the broker is none, and megabytes of it: asked for four times a day, and told all the same."""
    here = station()
    hear(here, programme=NamedDocument(version=9, sha256=sha("p"), size_bytes=9))
    here.wait(GRACE_MS)
    here.arrive(Refused("not-enough-signatures", PROVINCE))
    refused_ms = here.mono_ms
    for _ in range(60):
        here.wait(EVERY_S * 1_000)
        hear(here, programme=NamedDocument(version=9, sha256=sha("p"), size_bytes=9))
    assert len(asked(here.log)) == 1
    assert set(here.faults) == {("programme-withheld", PROVINCE), ("not-enough-signatures", PROVINCE)}
    here.wait(6 * 3_600_000)
    assert asked(here.log)[1][0] == refused_ms + 6 * 3_600_000


def test_two_beacons_that_are_let_go_together_tell_nothing_too_early() -> None:
    """What a modem held back comes in a burst: what they name may be right behind them."""
    here = station()
    hear(here, alerts=(NAMED,))
    here.wait(1_000)
    hear(here, alerts=(NAMED,))
    assert lacks(here) == []
    here.wait(GRACE_MS)
    assert lacks(here) == [("alert-withheld", SUBJECT)]


def test_a_root_that_is_held_back_is_told() -> None:
    """Else a revoked key would count for as long as a broker likes (freeze)."""
    here = station()
    for _ in range(2):
        hear(here, trust=4)
        here.wait(EVERY_S * 1_000)
    assert lacks(here) == [("trust-withheld", f"trust:{PROVINCE}")]
    assert {kind for _, kind, _ in asked(here.log)} == {"trust"}


def test_mix_and_match_is_told() -> None:
    """Today's alert with last week's programme: each was signed, and they were never in force together."""
    here = station(programme([slot("sang", "05:00:00")], version=7))
    here.warn(FLOOD)
    for _ in range(2):
        hear(here, programme=NamedDocument(version=8, sha256=sha("p"), size_bytes=9), alerts=(NAMED,))
        here.wait(EVERY_S * 1_000)
    assert lacks(here) == [("programme-withheld", PROVINCE)]


def test_what_is_named_no_more_lacks_no_more() -> None:
    """The alert is over before it came: nothing is asked for, and its fault is over."""
    here = station()
    for _ in range(2):
        hear(here, alerts=(NAMED,))
        here.wait(EVERY_S * 1_000)
    assert lacks(here) == [("alert-withheld", SUBJECT)]
    hear(here, alerts=())
    assert lacks(here) == [] and asked(here.wait(EVERY_S * 1_000)) == []
    hear(here)
    assert not here.station.withheld.lacking, "what a beacon says nothing of"


def test_an_older_name_than_what_is_here_is_no_lack() -> None:
    """A centre that was put back from a copy: the floor holds, and nobody is asked for what is past."""
    here = station(programme([slot("sang", "05:00:00")], version=7))
    for _ in range(3):
        hear(here, programme=NamedDocument(version=6, sha256=sha("p"), size_bytes=9))
        assert asked(here.wait(EVERY_S * 1_000)) == []
    assert lacks(here) == []


def test_a_cancellation_that_is_held_back_is_lacking_too() -> None:
    """It is the newest message of its event."""
    here = station()
    here.warn(FLOOD)
    hear(here, alerts=(replace(NAMED, version=2),))
    assert [kind for _, kind, _ in asked(here.wait(GRACE_MS))] == ["alert"]


def test_without_a_link_nobody_holds_anything_back() -> None:
    """What lacks is forgotten with its fault; the next beacon tells it anew."""
    here = station()
    for _ in range(2):
        hear(here, alerts=(NAMED,))
        here.wait(EVERY_S * 1_000)
    here.tell(events.LinkChanged(False, "lost"))
    assert ("alert-withheld", SUBJECT) not in lacks(here)
    here.wait(10 * EVERY_S * 1_000)
    assert here.faults == [("link-down", "broker")]


def test_a_centre_that_falls_silent_is_told_after_two_beacons() -> None:
    """And no sooner, and over with the next one."""
    here = station()
    hear(here)
    here.wait(2 * EVERY_S * 1_000 + SLOW_MS - 1)
    assert lacks(here) == []
    here.wait(1)
    assert lacks(here) == [("centre-silent", f"beacon:{PROVINCE}")]
    hear(here)
    assert lacks(here) == []


def test_a_link_that_comes_back_gives_the_centre_its_time() -> None:
    """A night without a link is no silence of the centre's."""
    here = station()
    hear(here)
    here.tell(events.LinkChanged(False, "lost"))
    here.wait(3_600_000)
    here.tell(events.LinkChanged(True, "connected"))
    here.wait(2 * EVERY_S * 1_000 + SLOW_MS - 1)
    assert lacks(here) == []
    here.wait(1)
    assert lacks(here) == [("centre-silent", f"beacon:{PROVINCE}")]


def test_what_stood_retained_promises_nothing() -> None:
    """An old beacon names what lacks, and says nothing of whether its centre is there."""
    here = station()
    hear(here, live=False, alerts=(NAMED,))
    here.wait(GRACE_MS)
    assert asked(here.log)
    here.wait(10 * EVERY_S * 1_000)
    assert lacks(here) == []


def test_a_fault_of_an_earlier_life_is_judged_anew() -> None:
    """Nobody knows any more what was lacking: it is over, until it is found out again."""
    here = station()
    for _ in range(2):
        hear(here, alerts=(NAMED,))
        here.wait(EVERY_S * 1_000)
    again = station(open_faults=tuple(here.station.faults.open.values()), boot=2)
    assert lacks(again) == []
