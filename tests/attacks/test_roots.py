"""Trust roots that a station must not follow; and what a key that was revoked had signed: nothing of it counts."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from securesystemslib.signer import CryptoSigner

from tests.core.material import HOUR_MS, ByHand, alert, at, entries, only, programme, sha, slot
from tests.parts import Province, public_key
from ttcs_edge.core import effects, events
from ttcs_edge.core.documents import (
    Alert,
    Beacon,
    Command,
    Grant,
    LiveSegment,
    NamedDocument,
    Programme,
    Refused,
    RestartOrder,
    Signed,
    ToneOrder,
    TrustRoot,
    VolumeOrder,
    WalkOrder,
)
from ttcs_edge.core.floors import Floors, floor_name
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope
from ttcs_edge.core.timekeeping import ClockState, SourceWord, TimeSource
from ttcs_edge.core.trust import utc_text
from ttcs_edge.daemon.keyring import Keyring
from ttcs_edge.wire.documents import (
    read_alert,
    read_beacon,
    read_command,
    read_live,
    read_programme,
    read_trust_chain,
    write_document,
    write_trust_chain,
)
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, sign

FIVE = "2026-11-24T05:00:00"
TOP = "vn"
SUBJECT = f"trust:{TOP}"
SCOPE = Scope("vn/lam-dong")
ROLES = ("publish", "command", "beacon", "live", "alert")
Signers = list[CryptoSigner]


def new_keys(count: int = 1) -> Signers:
    """Keys that nobody knows yet."""
    return [CryptoSigner.generate_ed25519() for _ in range(count)]


def make_root(version: int, roots: Signers, speakers: Signers, threshold: int = 1, **changes: Any) -> TrustRoot:
    """A root of the whole country: ``threshold`` of these root keys, any one of these speakers for the province."""
    ids = {role: tuple(one.public_key.keyid for one in speakers) for role in ROLES}
    grants = (
        Grant(role="root", scope=Scope(TOP), keys=tuple(o.public_key.keyid for o in roots), threshold=threshold),
        *(Grant(role=role, scope=SCOPE, keys=ids[role], threshold=1) for role in ROLES if role != "alert"),  # type: ignore[arg-type]
        Grant(role="alert", scope=SCOPE, keys=ids["alert"], threshold=1, most_severe="Extreme"),
    )
    made = TrustRoot(
        scope=Scope(TOP),
        version=version,
        issued="2026-11-01T00:00:00Z",
        expires="2036-01-01T00:00:00Z",
        keys={one.public_key.keyid: public_key(one) for one in (*roots, *speakers)},
        grants=grants,
    )
    return replace(made, **changes)


def seal(root: TrustRoot, signers: Signers) -> bytes:
    """The envelope of a root."""
    return sign(write_document(root), PAYLOAD_TYPES["trust"], signers)


ROOTS, SPEAKERS = new_keys(2), new_keys(2)
GOOD_KEY, STOLEN_KEY = SPEAKERS
FIRST = make_root(1, ROOTS, SPEAKERS, threshold=2)
SECOND = make_root(2, ROOTS, [GOOD_KEY], threshold=2)
"""The stolen key is revoked."""


def station(root: TrustRoot = FIRST, **others: Any) -> ByHand:
    """At five in the morning, believing a root."""
    return ByHand(civil=FIVE, trust=root, **others)


def tell(here: ByHand, *envelopes: bytes, scope: str = TOP) -> list[effects.Effect]:
    """Trust roots as the broker brings them, read as the daemon reads them."""
    assert here.station.programmes.trust is not None
    read = Keyring(here.station.programmes.trust).readers().trust
    return here.tell(events.TrustArrived(read(write_trust_chain(envelopes), scope), scope, 4))


def root_of(here: ByHand) -> TrustRoot:
    """The root in force."""
    assert here.station.programmes.trust is not None
    return here.station.programmes.trust


def assert_refused(here: ByHand, done: list[effects.Effect], code: str) -> None:
    """One fault that names it, off the broker, and nothing is changed."""
    assert only(done, effects.Acknowledge) == [effects.Acknowledge(4)]
    assert [fault for fault in here.faults if fault[1] == SUBJECT] == [(code, SUBJECT)]
    assert root_of(here) == FIRST and not only(done, effects.SetTrustRoot)
    assert not [one for one in entries(done) if isinstance(one, effects.TrustAccepted)]


def test_a_root_that_enough_of_the_old_and_of_the_new_keys_signed_comes_into_force() -> None:
    """The ground on which the attacks stand: on disk before the broker may forget it, and for all that comes behind."""
    here = station()
    envelope = seal(SECOND, ROOTS)
    done = tell(here, seal(FIRST, ROOTS), envelope)

    assert root_of(here) == SECOND and here.faults == []
    assert only(done, effects.SetTrustRoot) == [effects.SetTrustRoot(SECOND)]
    assert [one for one in entries(done) if isinstance(one, effects.TrustAccepted)] == [
        effects.TrustAccepted(2, envelope)
    ]
    places = [type(effect) for effect in done]
    assert places.index(effects.SetTrustRoot) < places.index(effects.Record) < places.index(effects.Acknowledge)
    assert only(tell(here, envelope), effects.Record) == [], "known: nothing to be done, nothing wrong"


def test_a_station_that_slept_through_ten_rotations_catches_up() -> None:
    """Every key is another one by now, the root keys too."""
    here = station()
    keys, chain = ROOTS, [seal(FIRST, ROOTS)]
    for version in range(2, 12):
        before, keys = keys, new_keys(2)
        last = make_root(version, keys, new_keys(), threshold=2)
        chain.append(seal(last, [*before, *keys]))
    done = tell(here, *chain)

    assert root_of(here) == last and here.faults == []
    kept = [one for one in entries(done) if isinstance(one, effects.TrustAccepted)]
    assert [(one.version, one.envelope) for one in kept] == list(zip(range(2, 12), chain[1:], strict=True))


NEW = new_keys(2)
THIRD = make_root(3, ROOTS, [GOOD_KEY], threshold=2)
STRANGER = make_root(2, NEW, NEW)
TAKEN = make_root(2, [ROOTS[0], *NEW], NEW)
"""Who has one of two root keys makes a root that one key may sign."""
EXPIRED = make_root(2, ROOTS, SPEAKERS, 2, expires="2026-11-20T00:00:00Z")
AHEAD = make_root(2, ROOTS, SPEAKERS, 2, issued="2026-11-26T00:00:00Z")
ELSEWHERE = make_root(2, ROOTS, SPEAKERS, 2, scope=Scope("la"))
OTHER_FIRST = replace(FIRST, expires="2035-01-01T00:00:00Z")
UNDER_ANOTHERS_ID = replace(SECOND, keys={**SECOND.keys, GOOD_KEY.public_key.keyid: public_key(STOLEN_KEY)})


@pytest.mark.parametrize(
    ("code", "envelopes"),
    [
        pytest.param("not-enough-signatures", [seal(STRANGER, NEW)], id="a stranger's"),
        pytest.param("not-enough-signatures", [seal(TAKEN, [ROOTS[0], *NEW])], id="one of two approval keys"),
        pytest.param("not-enough-signatures", [seal(SECOND, ROOTS[:1])], id="a signature was stripped"),
        pytest.param("not-enough-signatures", [seal(SECOND, [ROOTS[0], ROOTS[0]])], id="one key signs twice"),
        pytest.param("not-enough-signatures", [seal(SECOND, SPEAKERS)], id="publishers sign: wrong role"),
        pytest.param("not-enough-signatures", [seal(make_root(2, NEW, NEW, 2), ROOTS)], id="the new keys did not sign"),
        pytest.param("broken-chain", [seal(THIRD, ROOTS)], id="one in between is held back"),
        pytest.param("same-version", [seal(OTHER_FIRST, ROOTS)], id="other content under the version in force"),
        pytest.param("expired", [seal(EXPIRED, ROOTS)], id="expired"),
        pytest.param("issued-ahead", [seal(AHEAD, ROOTS)], id="fast-forward"),
        pytest.param("wrong-scope", [seal(ELSEWHERE, ROOTS)], id="of another country"),
        pytest.param("bad-grant", [seal(UNDER_ANOTHERS_ID, ROOTS)], id="key substitution"),
        pytest.param("wrong-payload-type", [Province().sign(programme([slot("sang", "05:00:00")]))], id="a programme"),
        pytest.param("not-a-chain", [], id="nothing"),
        pytest.param("not-a-chain", [seal(FIRST, ROOTS)] * (LIMITS.trust_roots + 1), id="endless"),
        pytest.param("oversized", [b" " * LIMITS.trust_bytes + seal(SECOND, ROOTS)], id="too many bytes"),
        pytest.param("duplicate-key", [b'{"payload":"","payload":""}'], id="duplicate JSON keys"),
        pytest.param("not-json", [b"\x00"], id="garbage"),
    ],
)
def test_roots_that_lead_nowhere_are_refused_once_and_change_nothing(code: str, envelopes: list[bytes]) -> None:
    """Also behind a good one: a chain counts whole, or not at all."""
    here = station()
    assert_refused(here, tell(here, *envelopes), code)
    assert not only(tell(here, *envelopes), effects.Record), "heard again, nothing is news"
    tell(here, seal(SECOND, ROOTS))
    assert root_of(here) == SECOND and here.faults == [], "the next good one clears what was said of a bad one"


def test_a_root_on_another_scopes_topic_is_refused() -> None:
    """The broker, or a commune's centre, cannot bring it where it does not belong."""
    here = station()
    done = tell(here, seal(SECOND, ROOTS), scope="vn/lam-dong")
    assert here.faults == [("wrong-scope", "trust:vn/lam-dong")] and not only(done, effects.SetTrustRoot)


def test_a_root_older_than_the_one_in_force_is_history() -> None:
    """never-6, rollback: the revoked key stays revoked, and whatever is wrong with what is past is nobody's matter."""
    here = station(SECOND)
    for old in (seal(FIRST, ROOTS), seal(make_root(1, NEW, NEW), NEW)):
        done = tell(here, old)
        assert root_of(here) == SECOND and here.faults == [] and not only(done, effects.Record)


# what a revoked key had signed


MORNING = programme([slot("sang", "05:30:00"), slot("trua", "11:00:00")], version=5)


def signed_by(document: Any, *signers: CryptoSigner) -> bytes:
    """Its envelope."""
    kind = type(document).__name__.lower().removesuffix("segment")
    return sign(write_document(document), PAYLOAD_TYPES[kind], list(signers))


def publish(here: ByHand, document: Programme, *signers: CryptoSigner) -> list[effects.Effect]:
    """A programme as the broker brings it, with its audio in reach."""
    here.folder |= {audio.sha256 for one in document.bulletins for audio in one.audio}
    read = read_programme(signed_by(document, *signers), root_of(here), document.scope)
    return here.tell(events.ProgrammeArrived(read, document.scope, 1))


def warn(here: ByHand, document: Alert, *signers: CryptoSigner) -> list[effects.Effect]:
    """An alert as the broker brings it, with its audio in reach."""
    here.folder |= {info.audio.sha256 for info in document.info if info.audio is not None}
    read = read_alert(signed_by(document, *signers), root_of(here), f"{document.scope}#alert:{document.id}")
    return here.tell(events.AlertArrived(read, (document.scope, document.id), 9))


def versions(here: ByHand) -> list[int]:
    """The programmes in force."""
    return [one.version for one in here.station.programmes.in_force()]


def test_a_programme_of_a_revoked_key_is_withdrawn_at_once_and_from_the_card() -> None:
    """In the middle of a bulletin: it is faded out, told as withdrawn, and nothing of it comes back with a start."""
    here = station()
    publish(here, MORNING, STOLEN_KEY)
    here.wait_until("2026-11-24T05:30:00")
    here.sound_begins()
    here.wait(5_000)
    done = tell(here, seal(SECOND, ROOTS))
    here.sound_ends(False, 5_000)

    assert versions(here) == [] and here.told == [("sang", "part", "withdrawn")]
    assert only(done, effects.StopSound) and effects.ProgrammeForgotten(SCOPE) in entries(done)
    assert here.faults == [("programme-revoked", SCOPE)]
    here.wait(12 * HOUR_MS)
    assert here.told == [("sang", "part", "withdrawn")], "nothing of it airs at eleven, either"
    publish(here, replace(MORNING, version=6), GOOD_KEY)
    assert versions(here) == [6] and here.faults == []


def test_what_a_good_key_signed_too_stays() -> None:
    """A threshold of one of two: the good one's signature is enough."""
    here = station()
    publish(here, MORNING, STOLEN_KEY, GOOD_KEY)
    tell(here, seal(SECOND, ROOTS))
    assert versions(here) == [5] and here.faults == []


def test_an_alert_of_a_revoked_key_leaves_the_air_at_once() -> None:
    """Whoever stole it cannot keep a village awake."""
    here = station()
    warn(here, alert(sent="2026-11-23T21:50:00Z"), STOLEN_KEY)
    here.wait(5_000)
    here.sound_begins()
    done = tell(here, seal(SECOND, ROOTS))
    here.sound_ends(False, 1_000)

    assert only(done, effects.StopSound)
    assert effects.AlertForgotten(SCOPE, "lu-quet") in entries(done)
    assert here.faults == [("alert-revoked", "vn/lam-dong#alert:lu-quet")]
    assert {reason for _, _, reason in here.told} == {"withdrawn"}
    assert not only([effect for _, effect in here.wait(600_000)], effects.StartSound)


def test_what_the_one_before_had_on_the_shelf_does_not_stand_in_any_more() -> None:
    """An earlier edition that the stolen key had signed is no edition."""
    here = station()
    stolen = programme([slot("sang", "05:30:00", if_unplayable="earlier")], version=1)
    publish(here, stolen, STOLEN_KEY)
    publish(here, replace(stolen, version=2), GOOD_KEY)
    assert here.station.programmes.earlier
    tell(here, seal(SECOND, ROOTS))
    assert versions(here) == [2] and not here.station.programmes.earlier


def test_what_was_owed_under_a_revoked_programme_is_not_aired_late() -> None:
    """Before the time was known a good programme replaced it: what it owed goes with its key."""
    here = station(trusted=False, watched_until_ms=at("2026-11-24T03:00:00"))
    publish(here, programme([slot("dem", "04:30:00", late_window_s=7_200)], version=1), STOLEN_KEY)
    publish(here, programme([slot("sang", "05:30:00")], version=2), GOOD_KEY)
    tell(here, seal(SECOND, ROOTS))
    here.trusted = True
    here.wait(60_000)
    assert here.told == [] and not here.station.desk.cues.waiting


def say(here: ByHand, number: int, speaker: CryptoSigner, version: int = 0) -> list[effects.Effect]:
    """Half a second of a live relay."""
    segment = LiveSegment(
        scope=SCOPE,
        id="xa",
        version=version or here.wall_ms,
        number=number,
        sent=utc_text(here.wall_ms),
        expires=utc_text(here.wall_ms + 10_000),
        until=utc_text(here.wall_ms + HOUR_MS),
        title="Trực tiếp",
        packets=("AAAA",) * 25,
    )
    read = read_live(signed_by(segment, speaker), root_of(here), "vn/lam-dong#live:xa")
    assert isinstance(read, Signed)
    return here.tell(events.LiveArrived(read, (SCOPE, "xa")))


def test_a_live_relay_of_a_revoked_key_falls_silent() -> None:
    """In the middle of a word."""
    here = station()
    say(here, 0, STOLEN_KEY)
    assert here.station.lives.sessions
    tell(here, seal(SECOND, ROOTS))
    assert not here.station.lives.sessions


def test_nobody_speaks_within_the_live_relay_of_another_key() -> None:
    """A segment that a thief slips in waits for the amplifier behind good ones, and would be heard after his key is
    revoked: it is refused, and the relay goes on.
    """
    here = station()
    begun = here.wall_ms
    say(here, 0, GOOD_KEY, begun)
    here.wait(500)
    say(here, 1, STOLEN_KEY, begun)
    assert here.faults == [("not-enough-signatures", f"{SCOPE}#live:xa")]
    say(here, 1, GOOD_KEY, begun)
    tell(here, seal(SECOND, ROOTS))
    (session,) = here.station.lives.sessions.values()
    assert [one.number for one in session.kept] == [0, 1]
    assert session.signed.signers == {GOOD_KEY.public_key.keyid}


def order(here: ByHand, signer: CryptoSigner, version: int = 0, **action: Any) -> list[effects.Effect]:
    """A command to this station."""
    command = Command(
        scope=SCOPE,
        station=here.station.settings.id,
        version=version or here.wall_ms,
        issued=utc_text(here.wall_ms),
        expires=utc_text(here.wall_ms + HOUR_MS),
        **action,
    )
    read = read_command(signed_by(command, signer), root_of(here))
    return here.tell(events.CommandArrived(read, 8, False, False, b"c"))


def quiet(here: ByHand, zone: str | None = None) -> VolumeOrder:
    """Nothing is heard for an hour."""
    return VolumeOrder(until=utc_text(here.wall_ms + HOUR_MS), percent=0, zone=zone)


def test_an_order_of_a_revoked_key_counts_no_more() -> None:
    """A village that a thief made quiet is as loud as it is configured."""
    here = station()
    order(here, STOLEN_KEY, volume=quiet(here))
    cho = here.station.settings.zones[0]
    assert here.station.volumes.percent(cho, here.now()) == 0
    tell(here, seal(SECOND, ROOTS))
    assert here.station.volumes.percent(cho, here.now()) == cho.volume_percent


def test_no_older_volume_comes_back_with_a_start_in_the_place_of_a_revoked_one() -> None:
    """For a zone whose newest order went with its key nothing is ordered, in this life and in the next."""
    here = station()
    cho, dinh = here.station.settings.zones
    order(here, GOOD_KEY, volume=quiet(here))
    order(here, STOLEN_KEY, version=MOST, volume=quiet(here, "cho"))
    tell(here, seal(SECOND, ROOTS))
    assert (here.station.volumes.percent(cho, here.now()), here.station.volumes.percent(dinh, here.now())) == (100, 0)
    kept = tuple(here.station.volumes.orders.items())
    again = station(SECOND, volumes=kept)
    assert (again.station.volumes.percent(cho, again.now()), again.station.volumes.percent(dinh, again.now())) == (
        100,
        0,
    )


@pytest.mark.parametrize("checked", [False, True])
def test_a_restart_that_a_revoked_key_ordered_is_called_off(checked: bool) -> None:
    """While the config is read, or once it was answered and waits for an alert to end."""
    here = station()
    order(here, STOLEN_KEY, restart=RestartOrder())
    if checked:
        here.tell(events.ConfigChecked(here.wall_ms, ()))
        here.tell(events.AlertArrived(read_alert(signed_by(here_alert(here), GOOD_KEY), FIRST, ""), (SCOPE, "lu"), 9))
    done = tell(here, seal(SECOND, ROOTS))
    assert [(one.outcome, one.reason) for one in only(done, effects.Answer)] == [("failed", "command-revoked")]
    if not checked:
        here.tell(events.ConfigChecked(here.wall_ms, ()))
    here.wait(4 * HOUR_MS)
    assert not here.left and not here.station.stopping


def test_a_restart_that_a_good_key_ordered_outlasts_the_root_that_revokes_another() -> None:
    """Whoever may still command is obeyed."""
    here = station()
    order(here, GOOD_KEY, restart=RestartOrder())
    tell(here, seal(SECOND, ROOTS))
    here.tell(events.ConfigChecked(here.wall_ms, ()))
    here.wait(10_000)
    assert here.left


def here_alert(here: ByHand) -> Alert:
    """An alert that begins now."""
    return alert("lu", sent=utc_text(here.wall_ms), expires=utc_text(here.wall_ms + HOUR_MS))


@pytest.mark.parametrize("heard", [True, False])
def test_a_test_tone_of_a_revoked_key_leaves_the_air(heard: bool) -> None:
    """Faded out, or never begun; told as withdrawn, and so is he who wanted it."""
    here = station()
    order(here, STOLEN_KEY, test_tone=ToneOrder(zone="cho", seconds=20))
    if heard:
        here.wait(5_000)
        here.sound_begins()
        done = tell(here, seal(SECOND, ROOTS))
        assert only(done, effects.StopSound)
        here.sound_ends(False, *[1_000] * 3, *[0] * 17)
    else:
        done = tell(here, seal(SECOND, ROOTS))
        here.wait(60_000)
        assert not only([effect for _, effect in here.log], effects.StartSound)
    assert here.told == [("command:test-tone", "part" if heard else "missed", "withdrawn")]
    assert here.answers == [("test_tone", "under-way", None), ("test_tone", "failed", "withdrawn")]


@pytest.mark.parametrize("heard", [True, False])
def test_a_walk_of_a_revoked_key_leaves_the_air(heard: bool) -> None:
    """As its test tone does, and no other zone is come to."""
    here = station()
    order(here, STOLEN_KEY, walk=WalkOrder(seconds=3))
    if heard:
        here.wait(5_000)
        here.sound_begins()
        tell(here, seal(SECOND, ROOTS))
        here.sound_ends(False, 1_000, 200, 0)
    else:
        tell(here, seal(SECOND, ROOTS))
    here.wait(60_000)
    assert here.told == [("command:walk", "part" if heard else "missed", "withdrawn")]
    assert here.answers == [("walk", "under-way", None), ("walk", "failed", "withdrawn")]


def beacon(here: ByHand, signer: CryptoSigner, **named: Any) -> list[effects.Effect]:
    """A beacon of the province that comes live, sent now."""
    expires = utc_text(here.wall_ms + HOUR_MS)
    made = Beacon(scope=SCOPE, version=here.wall_ms, issued=utc_text(here.wall_ms), expires=expires, **named)
    came = events.BeaconArrived(
        read_beacon(signed_by(made, signer), root_of(here), SCOPE), SCOPE, 3, True, here.now().mono_ms
    )
    return here.tell(came)


def test_what_a_beacon_of_a_revoked_key_named_is_neither_asked_for_nor_told_any_more() -> None:
    """Nor is its centre said to be silent, of which the thief promised a beacon each second."""
    here = station()
    here.tell(events.LinkChanged(True, "connected"))
    lie = {"programme": NamedDocument(version=MOST, sha256=sha("p"), size_bytes=9), "next_s": 1}
    for _ in range(2):
        beacon(here, STOLEN_KEY, **lie)
        here.wait(6_000)
    assert ("programme-withheld", SCOPE) in here.faults
    tell(here, seal(SECOND, ROOTS))
    assert here.faults == []
    here.log.clear()
    here.wait(2 * HOUR_MS)
    assert here.faults == [] and not only([effect for _, effect in here.log], effects.HearAgain)


def test_a_beacon_of_a_revoked_key_is_no_half_of_a_time() -> None:
    """The next good one must be followed by another before anybody knows what time it is."""
    here = station(trusted=False)
    beacon(here, STOLEN_KEY)
    here.wait(60_000)
    tell(here, seal(SECOND, ROOTS))
    assert only(beacon(here, GOOD_KEY), effects.SetSignedTime) == []
    here.wait(60_000)
    assert only(beacon(here, GOOD_KEY), effects.SetSignedTime)


# version numbers that a stolen key burned (fast-forward)


MOST = 2**53 - 1


def test_a_stolen_key_takes_the_versions_that_it_burned_with_it() -> None:
    """Nothing of the good key's was obeyed behind it; now it is, and still nothing older than its own newest."""
    here = station()
    publish(here, replace(MORNING, version=5), GOOD_KEY)
    publish(here, replace(MORNING, version=MOST), STOLEN_KEY)
    publish(here, replace(MORNING, version=6), GOOD_KEY)
    assert versions(here) == [MOST] and here.faults == [("old-version", SCOPE)]
    tell(here, seal(SECOND, ROOTS))
    publish(here, replace(MORNING, version=4), GOOD_KEY)
    assert versions(here) == [], "never-6: a replay from before"
    publish(here, replace(MORNING, version=6), GOOD_KEY)
    assert versions(here) == [6] and here.faults == []


def test_floors_are_by_signer_over_a_start() -> None:
    """What the store remembers of a revoked key is nobody's floor; of a release that knew no keys, everybody's."""
    kept = ((floor_name(SCOPE, STOLEN_KEY.public_key.keyid), MOST), (floor_name(SCOPE, GOOD_KEY.public_key.keyid), 5))
    here = station(SECOND, floors=kept)
    publish(here, replace(MORNING, version=4), GOOD_KEY)
    assert versions(here) == []
    publish(here, replace(MORNING, version=6), GOOD_KEY)
    assert versions(here) == [6]
    old = station(SECOND, floors=((str(SCOPE), 7),))
    publish(old, replace(MORNING, version=6), GOOD_KEY)
    assert versions(old) == [] and old.faults == [("old-version", SCOPE)]


def test_a_key_that_signs_without_leave_raises_no_floor() -> None:
    """Somebody adds a signature of a key of another role to a good programme: it counts for nothing."""
    floors = Floors()
    assert floors.raise_("vn", 3, ["b", "a"]) == (effects.FloorRaised("vn@a", 3), effects.FloorRaised("vn@b", 3))
    assert (floors.of("vn", ["a"]), floors.of("vn", ["c"]), floors.of("vn/x", ["a"])) == (3, 0, 0)
    here = station()
    publish(here, MORNING, GOOD_KEY, *ROOTS)
    raised = here.entries(effects.FloorRaised)
    assert raised == [effects.FloorRaised(floor_name(SCOPE, GOOD_KEY.public_key.keyid), 5)]


def test_a_time_that_a_stolen_key_put_too_high_is_left_behind_with_its_root() -> None:
    """Signed while nobody knew the time, it shut out every true clock: the station leaves, and its next life begins a
    floor of its own.
    """
    here = station(trusted=False)
    publish(here, replace(MORNING, issued="2033-01-01T00:00:00Z", expires="2034-01-01T00:00:00Z"), STOLEN_KEY)
    word = SourceWord(TimeSource.KERNEL, "below-floor", here.wall_ms)  # type: ignore[arg-type]
    here.tell(events.ClockChanged(ClockState(words=(word,), floor_ms=here.station.time_floor_ms)))
    assert not here.left
    done = tell(here, seal(SECOND, ROOTS))
    here.wait(60_000)

    (floor,) = [one for one in entries(done) if isinstance(one, effects.TimeFloor)]
    assert (floor.trust_version, floor.wall_ms) == (2, at("2026-11-01T07:00:00"))
    assert here.left


def test_a_station_that_knows_the_time_goes_on_with_its_floor() -> None:
    """No true floor is lowered, and nobody leaves."""
    here = station()
    publish(here, MORNING, GOOD_KEY)
    before = here.station.time_floor_ms
    done = tell(here, seal(SECOND, ROOTS))
    here.wait(60_000)
    assert [one for one in entries(done) if isinstance(one, effects.TimeFloor)] == [effects.TimeFloor(before, 2)]  # type: ignore[arg-type]
    assert not here.left and versions(here) == [5]


# by whose keys documents are read


def test_what_comes_right_behind_new_roots_is_read_by_their_keys() -> None:
    """Before the core has judged them; and roots that lead nowhere teach no key."""
    new = new_keys()[0]
    good = make_root(2, ROOTS, [new], threshold=2)
    document = signed_by(MORNING, new)
    keyring = Keyring(FIRST)
    readers = keyring.readers()
    assert isinstance(readers.programme(document, SCOPE), Refused)
    readers.trust(write_trust_chain([seal(good, [*ROOTS[:1], new])]), TOP)
    assert isinstance(readers.programme(document, SCOPE), Refused), "not enough had signed that root"
    readers.trust(write_trust_chain([seal(good, ROOTS)]), TOP)
    read = readers.programme(document, SCOPE)
    assert isinstance(read, Signed) and read.signers == {new.public_key.keyid}
    old = readers.programme(signed_by(MORNING, STOLEN_KEY), SCOPE)
    assert isinstance(old, Signed), "until the core has judged, the old ones are known, too"
    keyring.take(good)
    assert isinstance(readers.programme(signed_by(MORNING, STOLEN_KEY), SCOPE), Refused)


def test_reading_roots_looks_at_no_signature_of_what_is_past() -> None:
    """Sixty-four roots of history cost no cryptography, and what is wrong with them nobody asks."""
    chain = write_trust_chain([seal(make_root(1, NEW, NEW), []), seal(SECOND, ROOTS)])
    read = read_trust_chain(chain, SECOND, SUBJECT)
    assert not isinstance(read, Refused) and [one.document for one in read] == [SECOND]
    assert read[0].envelope == seal(SECOND, ROOTS), "decision 6: as it came"
    assert read_trust_chain(b"{}", SECOND, SUBJECT) == Refused(
        "not-a-chain", SUBJECT, (("found", "dict"), ("expected", "1..64 roots"))
    )
