"""What the holder of each part can send through a real broker to a real daemon: nothing airs, nothing is lost, and one
fault names it.

One station stands the whole siege. It trusts a root in which every role has a key of its own, reached from the one that
a technician brought, in which a key stood that was revoked since. Its programme is in force, its audio in the cache.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace
from securesystemslib.signer import CryptoSigner

from tests.parts import (
    PLACE,
    ROOT,
    SCOPE,
    Authority,
    Broker,
    Listener,
    Province,
    Station,
    eventually,
    make_clip,
    public_key,
    put_chunks,
    utc,
)
from tests.system.sight import line_log, sound_runs, status
from tests.system.test_alerts import alert, outcomes
from tests.system.test_main_job import all_open, one_slot
from ttcs_edge.core.documents import (
    Alert,
    Beacon,
    Command,
    Document,
    Grant,
    LiveSegment,
    Programme,
    ToneOrder,
    TrustRoot,
    VolumeOrder,
)
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope, Sha256
from ttcs_edge.core.trust import alert_subject, live_subject
from ttcs_edge.wire.documents import write_document, write_trust_chain
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, sign
from ttcs_edge.wire.topics import Topics

TOPICS = Topics(ROOT)
OTHER = "vn/quang-nam"
STATION = "da-teh-01"
KEYS = (
    "root",
    "root2",
    "publish",
    "publish2",
    "command",
    "live",
    "alert",
    "alert2",
    "mild",
    "beacon",
    "other",
    "revoked",
)
NOBODY = CryptoSigner.generate_ed25519()


class Siege(Province):
    """A station, what it lives from, and everybody's keys."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.keys = {name: CryptoSigner.generate_ed25519() for name in KEYS}
        self.root_signer = self.keys["root"]
        self.publishers = self.signers("publish")
        now = datetime.now(timezone.utc)
        self.now, self.soon = utc(now), utc(now + timedelta(minutes=5))
        self.root = self.make_root(1, "revoked")
        self.second = self.make_root(2)
        authority = Authority(folder / "authority")
        self.broker = Broker(folder / "broker", authority)
        self.broker.start()
        self.centre = Listener(self.broker)
        self.station = Station(folder / "station", self.broker, self)
        self.station.install()
        self.clip = make_clip(folder, "clip", 1.0)
        self.programme = one_slot(self.clip, 3_600)

    def signers(self, *names: str) -> list[CryptoSigner]:
        """Keys by their names."""
        return [self.keys[name] for name in names]

    def make_root(self, version: int, *more: str) -> TrustRoot:
        """Each role has its key; two of them are needed for what the whole country hears."""

        def grant(role: Any, scope: str, *names: str, threshold: int = 1, **others: Any) -> Grant:
            ids = tuple(self.keys[name].public_key.keyid for name in names)
            return Grant(role=role, scope=Scope(scope), keys=ids, threshold=threshold, **others)

        known = [name for name in KEYS if name != "revoked" or name in more]
        return TrustRoot(
            scope=Scope("vn"),
            version=version,
            issued=self.now,
            expires=utc(datetime.now(timezone.utc) + timedelta(days=365)),
            keys={self.keys[name].public_key.keyid: public_key(self.keys[name]) for name in known},
            grants=(
                grant("root", "vn", "root", "root2", threshold=2),
                grant("publish", SCOPE, "publish", *more),
                grant("publish", "vn", "publish", "publish2", threshold=2),
                grant("publish", OTHER, "other"),
                grant("command", SCOPE, "command"),
                grant("live", SCOPE, "live"),
                grant("beacon", SCOPE, "beacon"),
                grant("alert", SCOPE, "alert", "alert2", threshold=2, most_severe="Extreme"),
                grant("alert", PLACE, "mild", most_severe="Moderate"),
            ),
        )

    def signed_root(self) -> bytes:
        """The one that a technician brought."""
        return self.seal(self.root, "root", "root2")

    def roots(self) -> bytes:
        """Both roots, as they stand at the broker."""
        return write_trust_chain([self.signed_root(), self.seal(self.second, "root", "root2")])

    def seal(self, document: Document, *names: str) -> bytes:
        """An envelope signed by the keys of these names."""
        return self.sign(document, self.signers(*names))

    def open(self) -> None:
        """The station is up: the second root and the programme are in force, the audio is there."""
        put_chunks(self.centre, self.clip)
        self.centre.publish(TOPICS.trust("vn"), self.roots())
        self.centre.publish(TOPICS.programme(SCOPE), self.seal(self.programme, "publish"))
        self.publish(TOPICS.station(STATION, "command"), self.seal(self.command(), "command"))
        self.station.start()
        eventually(lambda: status(self.station).get("cache", {}).get("stored_files") == 1)
        self.lines = line_log(self.station)
        self.told_of_retained = [eventually(self.told)]
        self.publish(TOPICS.station(STATION, "command"), b"")
        self.mend()
        self.told_of_retained.append(self.told())

    def publish(self, topic: str, data: bytes, *, retain: bool = True) -> None:
        """As whoever holds the broker can."""
        self.centre.publish(topic, data, retain)

    def told(self) -> dict[str, tuple[str, str]]:
        """Every fault that was raised: its code and subject, by the id of its report."""
        raised = [fault for fault in self.centre.reports("fault") if fault["cleared"] is None]
        return {fault["id"]: (fault["code"], fault["subject"]) for fault in raised}

    def mend(self) -> None:
        """The next good programme is in force, a good command was obeyed, and the good roots stand where they stood."""
        self.programme = replace(self.programme, version=self.programme.version + 1)
        self.publish(TOPICS.trust("vn"), self.roots())
        self.publish(TOPICS.programme(SCOPE), self.seal(self.programme, "publish"))
        self.publish(TOPICS.station(STATION, "command"), self.seal(self.order(), "command"), retain=False)
        eventually(lambda: self.versions() == [self.programme.version])
        eventually(lambda: not {SCOPE, COMMAND, TRUST} & {fault["subject"] for fault in status(self.station)["faults"]})

    def versions(self) -> list[int]:
        """What is in force."""
        return [one["version"] for one in status(self.station)["programmes"]]

    def close(self) -> None:
        """Everything ends."""
        if self.station.process is not None:
            self.station.stop()
        self.centre.close()
        self.broker.stop()

    # What the attacks are made of.

    def newer(self, **changes: Any) -> Programme:
        """A programme that would be taken if it were signed for."""
        return replace(self.programme, version=self.programme.version + 1, **changes)

    def alert(self, **changes: Any) -> Alert:
        """An alert that would be heard at once."""
        return replace(alert(self.clip), **changes)

    def command(self, **changes: Any) -> Command:
        """A command that would sound at once."""
        version = int(datetime.now(timezone.utc).timestamp() * 1_000)
        action: dict[str, Any] = {"test_tone": ToneOrder(zone="cho", seconds=1)}
        fields = {"scope": Scope(SCOPE), "station": STATION, "version": version, "issued": self.now} | action
        return Command(**{**fields, "expires": self.soon, **changes})

    def order(self) -> Command:
        """A command that nobody hears."""
        return self.command(test_tone=UNSET, volume=VolumeOrder(until=self.soon, percent=90))

    def beacon(self, **changes: Any) -> Beacon:
        """The centre's heartbeat."""
        version = int(datetime.now(timezone.utc).timestamp())
        return Beacon(scope=Scope(SCOPE), version=version, issued=self.now, expires=self.soon, **changes)

    def segment(self, **changes: Any) -> LiveSegment:
        """Half a second of somebody's voice."""
        now = datetime.now(timezone.utc)
        fields: dict[str, Any] = {
            "scope": Scope(SCOPE),
            "id": "thoi-su",
            "version": round(now.timestamp() * 1_000),
            "number": 0,
            "sent": utc(now),
            "expires": utc(now + timedelta(seconds=10)),
            "until": utc(now + timedelta(minutes=30)),
            "title": "Thời sự",
            "packets": (base64.b64encode(b"\xfc\xff\xfe").decode(),),
        }
        return LiveSegment(**{**fields, **changes})


@pytest.fixture(scope="module")
def siege(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    """One station for all."""
    siege = Siege(tmp_path_factory.mktemp("siege"))
    try:
        siege.open()
        yield siege
    finally:
        siege.close()


@dataclass(frozen=True)
class Attack:
    """Who does what, and by which code and subject it is told."""

    holds: str
    send: Callable[[Siege], None]
    code: str
    subject: str = SCOPE


def as_programme(make: Callable[[Siege], bytes], scope: str = SCOPE) -> Callable[[Siege], None]:
    """Published where a programme stands."""
    return lambda siege: siege.publish(TOPICS.programme(scope), make(siege))


def as_alert(event: str, make: Callable[[Siege], bytes], scope: str = SCOPE) -> Callable[[Siege], None]:
    """Published where an alert stands."""
    return lambda siege: siege.publish(TOPICS.alert(scope, event), make(siege))


def as_command(make: Callable[[Siege], bytes], *, retain: bool = False) -> Callable[[Siege], None]:
    """Sent as a command."""
    return lambda siege: siege.publish(TOPICS.station(STATION, "command"), make(siege), retain=retain)


def as_live(name: str, make: Callable[[Siege], bytes]) -> Callable[[Siege], None]:
    """Sent as a piece of a live relay."""
    return lambda siege: siege.publish(TOPICS.live(SCOPE, name), make(siege), retain=False)


def as_trust(*envelopes: Callable[[Siege], bytes]) -> Callable[[Siege], None]:
    """Published where the trust roots stand."""
    return lambda siege: siege.publish(TOPICS.trust("vn"), write_trust_chain([make(siege) for make in envelopes]))


def false_chunks(siege: Siege) -> None:
    """A good programme, whose second recording is another one at the broker."""
    first = siege.programme.bulletins[0]
    audio = replace(first.audio[0], sha256=FALSE)
    for number, offset in enumerate(range(0, len(siege.clip.data), LIMITS.blob_chunk_bytes)):
        siege.publish(TOPICS.blob(FALSE, number), siege.clip.data[offset : offset + LIMITS.blob_chunk_bytes])
    more = (first, replace(first, id="gia", audio=(audio,)))
    slots = (replace(siege.programme.slots[0], bulletins=(first.id, "gia")),)
    siege.programme = siege.newer(bulletins=more, slots=slots)
    siege.publish(TOPICS.programme(SCOPE), siege.seal(siege.programme, "publish"))
    siege.programme = replace(siege.programme, bulletins=(first,), slots=(replace(slots[0], bulletins=(first.id,)),))


def raw(siege: Siege, change: Callable[[dict[str, Any]], object], *names: str) -> bytes:
    """A programme whose JSON was changed before it was signed."""
    fields = json.loads(write_document(siege.newer()))
    change(fields)
    payload = json.dumps(fields, ensure_ascii=False).encode()
    return sign(payload, PAYLOAD_TYPES["programme"], siege.signers(*names))


def changed(data: bytes, **changes: Any) -> bytes:
    """An envelope with something changed behind its signer's back."""
    return json.dumps(json.loads(data) | changes).encode()


def under_the_key_of(name: str, siege: Siege) -> bytes:
    """Signed by a stranger who says that the key of this name did it."""
    sealed = json.loads(siege.sign(siege.newer(), [NOBODY]))
    sealed["signatures"][0]["keyid"] = siege.keys[name].public_key.keyid
    return json.dumps(sealed).encode()


def twice(data: bytes) -> bytes:
    """The payload's name stands twice."""
    return data.replace(b'{"payload":', b'{"payload":"","payload":', 1)


def called(name: str) -> Callable[[dict[str, Any]], object]:
    """Calls a bulletin so, and the slot that says it."""

    def change(programme: dict[str, Any]) -> None:
        programme["bulletins"][0]["id"] = name
        programme["slots"][0]["bulletins"] = [name]

    return change


def of_alert(event: str, scope: str = SCOPE) -> str:
    """What faults call the alert of an event."""
    return alert_subject(scope, event)


def of_live(name: str) -> str:
    """What faults call a live relay."""
    return live_subject(SCOPE, name)


def of_yesterday() -> dict[str, Any]:
    """When a piece of a live relay was said that somebody has kept."""
    then = datetime.now(timezone.utc) - timedelta(days=1)
    until = utc(then + timedelta(minutes=30))
    version = round(then.timestamp() * 1_000)
    return {"version": version, "sent": utc(then), "expires": utc(then + timedelta(seconds=10)), "until": until}


FALSE = Sha256("b" * 64)
NO_SIGNATURE = {"keyid": "", "sig": ""}
YESTERDAY = utc(datetime.now(timezone.utc) - timedelta(days=1))
OVER = {"issued": utc(datetime.now(timezone.utc) - timedelta(days=2)), "expires": YESTERDAY}
FORGED = "not-enough-signatures"
COMMAND = f"command:{STATION}"
TRUST = "trust:vn"

ATTACKS: dict[str, Attack] = {
    "arbitrary audio: signed by nobody known": Attack(
        "the broker", as_programme(lambda s: s.sign(s.newer(), [NOBODY])), FORGED
    ),
    "arbitrary audio: chunks under a true name": Attack("the broker", false_chunks, "wrong-hash", FALSE),
    "signature stripping": Attack(
        "the broker", as_programme(lambda s: changed(s.seal(s.newer(), "publish"), signatures=[])), FORGED
    ),
    "key substitution": Attack("the broker", as_programme(partial(under_the_key_of, "publish")), FORGED),
    "one payload passed off as another": Attack(
        "the broker", as_programme(lambda s: s.seal(s.beacon(), "beacon")), "wrong-payload-type"
    ),
    "another payload under the type of a programme": Attack(
        "the broker",
        as_programme(lambda s: changed(s.seal(s.beacon(), "beacon"), payloadType=PAYLOAD_TYPES["programme"])),
        FORGED,
    ),
    "rollback of a programme": Attack(
        "the broker", as_programme(lambda s: s.seal(replace(s.programme, version=1), "publish")), "old-version"
    ),
    "two programmes under one version": Attack(
        "a publisher's key",
        as_programme(lambda s: s.seal(replace(s.programme, issued=YESTERDAY), "publish")),
        "same-version",
    ),
    "replay of a programme that has expired": Attack(
        "the broker", as_programme(lambda s: s.seal(s.newer(**OVER), "publish")), "expired"
    ),
    "duplicate JSON keys": Attack(
        "the broker", as_programme(lambda s: twice(s.seal(s.newer(), "publish"))), "duplicate-key"
    ),
    "a bomb of nesting": Attack("the broker", as_programme(lambda s: b"[" * 100_000 + b"]" * 100_000), "too-deep"),
    "endless data": Attack("the broker", as_programme(lambda s: b" " * (LIMITS.envelope_bytes + 1)), "oversized"),
    "more signatures than anybody needs": Attack(
        "the broker",
        as_programme(lambda s: changed(s.seal(s.newer(), "publish"), signatures=[NO_SIGNATURE] * 1_000)),
        "too-many-signatures",
    ),
    "Unicode look-alikes": Attack(
        "a publisher's key", as_programme(lambda s: raw(s, called("tin-sаng"), "publish")), "wrong-type"
    ),
    "path traversal in an id": Attack(
        "a publisher's key", as_programme(lambda s: raw(s, called("../../etc/passwd"), "publish")), "wrong-type"
    ),
    "path traversal in a file's name": Attack(
        "a publisher's key",
        as_programme(
            lambda s: raw(s, lambda one: one["bulletins"][0]["audio"][0].update(sha256="../" * 21 + "a"), "publish")
        ),
        "wrong-type",
    ),
    "an unknown field": Attack(
        "a publisher's key",
        as_programme(lambda s: raw(s, lambda one: one.update(hush=True), "publish")),
        "unknown-field",
    ),
    "wrong scope": Attack(
        "a publisher's key of another scope",
        as_programme(lambda s: s.seal(s.newer(), "other")),
        FORGED,
    ),
    "wrong scope: another's own programme": Attack(
        "a publisher's key of another scope",
        as_programme(lambda s: s.seal(s.newer(scope=Scope(OTHER)), "other")),
        "wrong-scope",
    ),
    "wrong role: a beacon's key publishes": Attack(
        "the beacon key", as_programme(lambda s: s.seal(s.newer(), "beacon")), FORGED
    ),
    "one of two approval keys": Attack(
        "one of two approval keys",
        as_programme(lambda s: s.seal(s.newer(scope=Scope("vn")), "publish"), "vn"),
        FORGED,
        "vn",
    ),
    "a revoked key publishes": Attack("a revoked key", as_programme(lambda s: s.seal(s.newer(), "revoked")), FORGED),
    "a root signed by too few": Attack(
        "one root key", as_trust(lambda s: s.seal(replace(s.second, version=3), "root")), FORGED, TRUST
    ),
    "a root of strangers": Attack(
        "the broker", as_trust(lambda s: s.sign(replace(s.second, version=3), [NOBODY] * 2)), FORGED, TRUST
    ),
    "a root that was passed over": Attack(
        "the broker",
        as_trust(lambda s: s.seal(replace(s.second, version=4), "root", "root2")),
        "broken-chain",
        TRUST,
    ),
    "wrong role: a publisher commands": Attack(
        "a publisher's key", as_command(lambda s: s.seal(s.command(), "publish")), FORGED, COMMAND
    ),
    "a command to another station": Attack(
        "the broker", as_command(lambda s: s.seal(s.command(station="da-teh-02"), "command")), "wrong-station", COMMAND
    ),
    "replay of a command": Attack(
        "the broker", as_command(lambda s: s.seal(s.command(version=1), "command")), "old-version", COMMAND
    ),
    "a command that was held back": Attack(
        "the broker", as_command(lambda s: s.seal(s.command(**OVER), "command")), "expired", COMMAND
    ),
    "wrong role: a publisher warns": Attack(
        "a publisher's key",
        as_alert("gia-1", lambda s: s.seal(s.alert(id="gia-1"), "publish")),
        FORGED,
        of_alert("gia-1"),
    ),
    "one of two alert keys": Attack(
        "one of two approval keys",
        as_alert("gia-2", lambda s: s.seal(s.alert(id="gia-2"), "alert")),
        FORGED,
        of_alert("gia-2"),
    ),
    "worse than it may warn of": Attack(
        "an alert key of small things",
        as_alert("gia-3", lambda s: s.seal(s.alert(id="gia-3", scope=Scope(PLACE)), "mild"), PLACE),
        FORGED,
        of_alert("gia-3", PLACE),
    ),
    "an alert under another's id": Attack(
        "the broker",
        as_alert("gia-4", lambda s: s.seal(s.alert(id="gia-5"), "alert", "alert2")),
        "wrong-scope",
        of_alert("gia-4"),
    ),
    "replay of an alert that is over": Attack(
        "the broker",
        as_alert(
            "gia-6", lambda s: s.seal(s.alert(id="gia-6", sent=OVER["issued"], expires=YESTERDAY), "alert", "alert2")
        ),
        "expired",
        of_alert("gia-6"),
    ),
    "an alert that nobody known has signed": Attack(
        "the broker", as_alert("gia-7", lambda s: s.sign(s.alert(id="gia-7"), [NOBODY])), FORGED, of_alert("*")
    ),
    "wrong role: a publisher speaks": Attack(
        "a publisher's key",
        as_live("gia-8", lambda s: s.seal(s.segment(id="gia-8"), "publish")),
        FORGED,
        of_live("gia-8"),
    ),
    "replay of a live relay": Attack(
        "the broker",
        as_live("gia-9", lambda s: s.seal(s.segment(id="gia-9", **of_yesterday()), "live")),
        "expired",
        of_live("gia-9"),
    ),
    "wrong role: a publisher signs a beacon": Attack(
        "a publisher's key",
        lambda s: s.publish(TOPICS.beacon(SCOPE), s.seal(s.beacon(), "publish")),
        FORGED,
        f"beacon:{SCOPE}",
    ),
}


def test_a_command_that_stands_at_the_broker_is_never_obeyed(siege: Siege) -> None:
    """A poisoned retained message: whoever can publish could have every station obey at every connect."""
    told, told_behind_its_deletion = siege.told_of_retained
    assert told == {"da-teh-01/1-f1": ("retained-command", COMMAND)}
    assert told_behind_its_deletion == told, "deleting it says nothing"
    assert outcomes(siege.centre) == [] and sound_runs(siege.station) == []


@pytest.mark.parametrize("name", ATTACKS, ids=lambda name: f"{ATTACKS[name].holds}, {name}")
def test_nothing_airs_nothing_is_lost_and_one_fault_names_it(siege: Siege, name: str) -> None:
    """Whatever it is: what was in force and cached is so afterwards, and the next good document is taken."""
    attack, before = ATTACKS[name], siege.told()
    attack.send(siege)
    eventually(lambda: len(siege.told()) > len(before))
    siege.mend()

    told = siege.told()
    assert [told[one] for one in told if one not in before] == [(attack.code, attack.subject)]
    assert outcomes(siege.centre) == [] and sound_runs(siege.station) == []
    assert all_open(siege.station) and line_log(siege.station) == siege.lines
    assert status(siege.station)["cache"]["stored_files"] == 1
