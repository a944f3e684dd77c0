"""What arrives signed, as frozen values. ``wire`` makes them from bytes; the core only ever sees whole ones.

The JSON Schema of each is generated from these types (``ttcs_edge.wire.schemas``), bounds included, so a document's
shape is written once, here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import Annotated, Generic, Literal, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Scope, Sha256

# Patterns end in (?!\n)$ because $ alone also matches before a newline in Python, and they say [0-9] because \d is any
# digit of Unicode there. The JSON Schemas are made of what every reader of patterns reads alike (wire.schemas).
SCOPE_PATTERN = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(/[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(?!\n)$"
ID_PATTERN = r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(?!\n)$"
UTC_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z(?!\n)$"
LOCAL_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?!\n)$"
SHA256_PATTERN = r"^[0-9a-f]{64}(?!\n)$"
LANGUAGE_PATTERN = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*(?!\n)$"
CAP_NAME_PATTERN = r"^[!-%'-+\--;=-~]+(?!\n)$"
PLACE_PATTERN = r"^(https://[!-~]+|broker:)(?!\n)$"
STREAM_PATTERN = r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?(?!\n)$"

ScopePath = Annotated[
    Scope,
    Meta(
        pattern=SCOPE_PATTERN,
        max_length=LIMITS.scope_chars,
        description="A place in the administrative tree and everything below it, such as `vn/lam-dong/da-teh`.",
    ),
]
Identifier = Annotated[str, Meta(pattern=ID_PATTERN, max_length=LIMITS.id_chars)]
Utc = Annotated[str, Meta(pattern=UTC_PATTERN, description="RFC 3339, UTC, whole seconds.")]
SlotName = Annotated[str, Meta(max_length=LIMITS.id_chars, extra_json_schema={"pattern": ID_PATTERN})]
SlotTime = Annotated[
    str,
    Meta(
        description="Date and time of day in the programme's time zone.", extra_json_schema={"pattern": LOCAL_PATTERN}
    ),
]
"""Names and times in a slot. There are tens of thousands of them, most of them alike: ``wire.documents`` looks at each
text once, in place of ``msgspec``.
"""
Language = Annotated[
    str, Meta(pattern=LANGUAGE_PATTERN, max_length=LIMITS.language_chars, description="BCP 47: `vi`, `kpm`, `en-GB`.")
]
KeyId = Annotated[str, Meta(pattern=SHA256_PATTERN, description="The id of a key: 64 hexadecimal digits.")]
Version = Annotated[int, Meta(ge=1, le=2**53 - 1, description="Grows each time; one that is lower is refused.")]
Title = Annotated[str, Meta(max_length=LIMITS.title_chars)]
Place = Annotated[
    str,
    Meta(
        pattern=PLACE_PATTERN,
        max_length=LIMITS.place_chars,
        description="An `https:` address, or `broker:` for chunks on `blob/<sha256>/<n>`.",
    ),
]
Percent = Annotated[int, Meta(ge=0, le=100)]
CapName = Annotated[
    str,
    Meta(
        pattern=CAP_NAME_PATTERN,
        max_length=LIMITS.title_chars,
        description="A name as CAP 1.2 allows it, in ASCII: no white space, no comma, no `<`, no `&`.",
    ),
]
AlertText = Annotated[str, Meta(max_length=LIMITS.alert_text_chars)]
CapSeverity = Literal["Extreme", "Severe", "Moderate", "Minor", "Unknown"]
"""CAP 1.2, 3.2.2; the worst first. `Unknown` is the least."""
CapUrgency = Literal["Immediate", "Expected", "Future", "Past", "Unknown"]
CapCertainty = Literal["Observed", "Likely", "Possible", "Unlikely", "Unknown"]


class Audio(Struct, frozen=True, kw_only=True, gc=False):
    """One recording of a bulletin, in one language, named by its hash.

    ``places`` tells where to get it: ``https:`` addresses, or ``broker:`` for chunks on ``blob/<sha256>/<n>``.
    """

    language: Language
    sha256: Annotated[Sha256, Meta(pattern=SHA256_PATTERN)]
    size_bytes: Annotated[int, Meta(ge=1, le=LIMITS.audio_bytes)]
    duration_ms: Annotated[int, Meta(ge=1, le=LIMITS.audio_duration_ms)]
    media_type: Literal["audio/ogg", "audio/wav", "audio/mpeg", "audio/flac"]
    loudness_lufs: Annotated[float, Meta(ge=-70, le=0)]
    places: Annotated[tuple[Place, ...], Meta(min_length=1, max_length=LIMITS.places_per_audio)]


class Bulletin(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One item of audio, in one or more languages.

    ``expires`` is for what is worth nothing later (a weather forecast): it airs only where it is over by then.
    """

    id: Identifier
    title: Title
    audio: Annotated[tuple[Audio, ...], Meta(min_length=1, max_length=LIMITS.languages_per_bulletin)]
    expires: Utc | None = None


class Stream(Struct, frozen=True, kw_only=True, gc=False):
    """A plain stream, by TLS: Icecast or HLS. Nobody signs what is said in it, so a station relays it only where its
    own config allows the very host, too. It is left ``most_minutes`` after the instant of its slot.
    """

    url: Annotated[str, Meta(pattern=STREAM_PATTERN, max_length=LIMITS.place_chars)]
    most_minutes: Annotated[int, Meta(ge=1, le=LIMITS.stream_minutes)]


class Slot(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One rule of the schedule: when, which bulletins, which zones, how loud (RFC 5545, section 3.8.5).

    ``start`` is DTSTART in the programme's time zone; ``rrule`` is an RRULE value without its name
    (``FREQ=DAILY;BYDAY=MO,TU``), empty for a single occurrence. ``zones`` empty means every zone of each station.
    ``late_window_s`` is how long after its instant an occurrence may still begin; 0 means never late (air-6).
    ``if_unplayable`` is what is heard when audio is missing, rotten, no audio or expired: ``earlier``, the edition that
    the programme before had of each bulletin of which nothing can be aired, as long as that programme has not expired;
    ``standing``, when nothing of the slot can be aired, the standing bulletins of its scope or of the nearest above;
    ``silence``, which is told as a fault. ``live`` is the id of a live relay: what is to be heard at this time, until
    its session ends; the bulletins are heard where it does not start or falls silent. ``stream`` is the same of a plain
    stream; a slot has one of the two at the most.
    """

    id: SlotName
    start: SlotTime
    bulletins: Annotated[tuple[SlotName, ...], Meta(min_length=1, max_length=LIMITS.bulletins_per_slot)]
    rrule: Annotated[str, Meta(max_length=LIMITS.rule_chars)] = ""
    rdate: Annotated[tuple[SlotTime, ...], Meta(max_length=LIMITS.dates_per_slot)] = ()
    exdate: Annotated[tuple[SlotTime, ...], Meta(max_length=LIMITS.dates_per_slot)] = ()
    zones: Annotated[tuple[SlotName, ...], Meta(max_length=LIMITS.zones_per_slot)] = ()
    priority: Annotated[int, Meta(ge=0, le=9)] = 5
    volume_percent: Percent = 100
    late_window_s: Annotated[int, Meta(ge=0, le=86_400)] = 0
    if_interrupted: Literal["resume", "restart", "drop"] = "resume"
    if_unplayable: Literal["silence", "earlier", "standing"] = "silence"
    live: SlotName | None = None
    stream: Stream | None = None

    @property
    def begins(self) -> str:
        """The first time of all that it may air: a date of its own can be before its start."""
        return min((self.start, *self.rdate))


class Hour(Struct, frozen=True, gc=False):
    """The slots of one hour of the day, by their minutes; of a minute those that begin first come first.

    ``shown`` is how their starts write the hour, ``first`` the first of these starts.
    """

    shown: str
    first: str
    minutes: tuple[tuple[Slot, ...], ...]


Saying = tuple[tuple[str, ...], tuple[str, ...]]
"""What a slot says, and to whom: its bulletins and its zones."""


class Programme(Struct, frozen=True, kw_only=True, dict=True, omit_defaults=True):
    """The signed document of a scope: its bulletins and its schedule, one version at a time.

    ``standing`` names the bulletins that stations keep at hand, to be heard in place of slots that ask for it.
    """

    scope: ScopePath
    version: Version
    issued: Utc
    expires: Utc
    time_zone: Annotated[str, Meta(min_length=1, max_length=64)]
    bulletins: Annotated[tuple[Bulletin, ...], Meta(max_length=LIMITS.bulletins_per_programme)]
    slots: Annotated[tuple[Slot, ...], Meta(max_length=LIMITS.slots_per_programme)]
    standing: Annotated[tuple[Identifier, ...], Meta(max_length=LIMITS.bulletins_per_slot)] = ()

    # Views of it, each made when it is first asked for. They depend on no time and on no station, so that the thread
    # that reads ten thousand slots can make them, and the core's need not look at each.

    def look_through(self, between: Callable[[], None] = lambda: None) -> None:
        """Make all views now; ``between`` is called between any two."""
        for view in ("hours", "dated", "by_id", "sayings", "replaceable", "relays", "latest_s"):
            getattr(self, view)
            between()

    @cached_property
    def hours(self) -> tuple[Hour, ...]:
        """The slots without dates of their own, by the time of day at which they air."""
        by_minute: defaultdict[str, list[Slot]] = defaultdict(list)
        for slot in self.slots:
            if not slot.rdate:
                by_minute[slot.start[11:16]].append(slot)
        hours: list[Hour] = []
        for shown, minutes in groupby(sorted(by_minute), lambda minute: minute[:2]):
            groups = tuple(tuple(sorted(by_minute[minute], key=attrgetter("start"))) for minute in minutes)
            hours.append(Hour(shown, min(group[0].start for group in groups), groups))
        return tuple(hours)

    @cached_property
    def dated(self) -> tuple[Slot, ...]:
        """The slots with dates of their own, at any time of day; those that begin first come first."""
        return tuple(sorted((slot for slot in self.slots if slot.rdate), key=attrgetter("begins")))

    @cached_property
    def by_id(self) -> dict[str, Slot]:
        """The slots by their ids."""
        return {slot.id: slot for slot in self.slots}

    @cached_property
    def sayings(self) -> tuple[Saying, ...]:
        """Everything that slots say, each once: in a year thousands of them say the same to the same zones."""
        return tuple(dict.fromkeys((slot.bulletins, slot.zones) for slot in self.slots))

    @cached_property
    def relays(self) -> tuple[Slot, ...]:
        """The slots in which a live relay or a plain stream is heard."""
        return tuple(slot for slot in self.slots if slot.live is not None or slot.stream is not None)

    @cached_property
    def latest_s(self) -> int:
        """How long after its instant an occurrence may still begin, whatever its slot."""
        return max((slot.late_window_s for slot in self.slots), default=0)

    @cached_property
    def replaceable(self) -> frozenset[str]:
        """The bulletins of which an earlier edition may be heard."""
        return frozenset(name for slot in self.slots if slot.if_unplayable == "earlier" for name in slot.bulletins)


class AlertReference(Struct, frozen=True, kw_only=True):
    """An earlier message of the same event, as CAP names it (CAP 1.2, 3.2.1, ``references``)."""

    sender: CapName
    identifier: CapName
    sent: Utc


class AlertInfo(Struct, frozen=True, kw_only=True):
    """What an alert says in one language (CAP 1.2, 3.2.2).

    It is heard as ``audio`` where there is some; else the three texts are spoken. ``inline`` is the audio itself, in
    base64: what is short need not be fetched.
    """

    language: Language
    headline: Annotated[str, Meta(min_length=1, max_length=LIMITS.title_chars)]
    description: AlertText = ""
    instruction: AlertText = ""
    audio: Audio | None = None
    inline: Annotated[str, Meta(max_length=-(-LIMITS.alert_inline_bytes // 3) * 4)] = ""


class Alert(Struct, frozen=True, kw_only=True):
    """An emergency message in the words of CAP 1.2 (OASIS Common Alerting Protocol, section 3.2).

    ``id`` names the event: it stays the same from the first message to the last, and each message of it has a higher
    ``version``. The newest says what holds: an ``Update`` replaces what was said before, a ``Cancel`` ends it, aloud
    where ``tell_cancel`` asks for it. ``zones`` empty means every zone. It is heard once, and again every ``repeat_s``
    seconds (30 at the least) until it ``expires``, at most seven days after it was ``sent``; 0 means once.
    ``effective`` and ``onset`` are the words of CAP: an alert is heard from ``effective`` on, at once when that is not
    given.
    """

    scope: ScopePath
    id: Identifier
    version: Version
    identifier: CapName
    sender: CapName
    sent: Utc
    expires: Utc
    status: Literal["Actual", "Exercise", "Test"]
    msg_type: Literal["Alert", "Update", "Cancel"]
    severity: CapSeverity
    urgency: CapUrgency
    certainty: CapCertainty
    info: Annotated[tuple[AlertInfo, ...], Meta(min_length=1, max_length=LIMITS.languages_per_bulletin)]
    references: Annotated[tuple[AlertReference, ...], Meta(max_length=LIMITS.alert_references)] = ()
    effective: Utc | None = None
    onset: Utc | None = None
    zones: Annotated[tuple[Identifier, ...], Meta(max_length=LIMITS.zones_per_slot)] = ()
    repeat_s: Annotated[int, Meta(ge=0, le=86_400)] = 0
    tell_cancel: bool = False

    @property
    def issued(self) -> str:
        """When its author sent it, by the author's clock: what every document calls so."""
        return self.sent


Packet = Annotated[str, Meta(min_length=1, max_length=-(-LIMITS.opus_packet_bytes // 3) * 4)]
"""One Opus packet of 20 ms (RFC 6716), in base64."""


class LiveSegment(Struct, frozen=True, kw_only=True):
    """A piece of what a source says now: at most two seconds of it, in Opus packets of 20 ms.

    ``version`` is the session: the instant of its begin in milliseconds since 1970, so that a newer session takes the
    place of an older one of its id. ``number`` counts its segments from 0. ``sent`` is when its first sample was heard,
    ``expires`` ten seconds later at the most, ``until`` when the session is over, four hours behind its begin at the
    most. ``zones`` empty means every zone. ``last`` is true of the one with which the session ends.
    """

    scope: ScopePath
    id: Identifier
    version: Version
    number: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    sent: Utc
    expires: Utc
    until: Utc
    title: Title
    packets: Annotated[tuple[Packet, ...], Meta(min_length=1, max_length=LIMITS.live_packets)]
    priority: Annotated[int, Meta(ge=0, le=9)] = 5
    zones: Annotated[tuple[Identifier, ...], Meta(max_length=LIMITS.zones_per_slot)] = ()
    last: bool = False

    @property
    def issued(self) -> str:
        """When it was said, by its author's clock: what every document calls so."""
        return self.sent


class PublicKey(Struct, frozen=True, kw_only=True):
    """A public key as securesystemslib writes it: ``keytype``, ``scheme`` and the value in hexadecimal."""

    keytype: Literal["ed25519"]
    scheme: Literal["ed25519"]
    public: Annotated[str, Meta(pattern=SHA256_PATTERN)]


class Grant(Struct, frozen=True, kw_only=True):
    """Leave to speak: ``threshold`` of ``keys`` together may do ``role`` for ``scope`` and everything below it.

    Who may ``alert`` may do so up to a severity, ``most_severe``.
    """

    role: Literal["root", "publish", "command", "beacon", "alert", "live"]
    scope: ScopePath
    keys: Annotated[tuple[KeyId, ...], Meta(min_length=1, max_length=LIMITS.keys_per_grant)]
    threshold: Annotated[int, Meta(ge=1, le=LIMITS.keys_per_grant)]
    most_severe: CapSeverity | None = None


class TrustRoot(Struct, frozen=True, kw_only=True):
    """Who may say what, where; signed by its own ``root`` grant."""

    scope: ScopePath
    version: Version
    issued: Utc
    expires: Utc
    keys: Annotated[dict[KeyId, PublicKey], Meta(max_length=LIMITS.keys)]
    grants: Annotated[tuple[Grant, ...], Meta(min_length=1, max_length=LIMITS.grants)]


class NamedDocument(Struct, frozen=True, kw_only=True):
    """A document that stands on the broker: its version, and of its envelope the hash, the size, and where else it is
    to be had, as a recording is.
    """

    version: Version
    sha256: Annotated[Sha256, Meta(pattern=SHA256_PATTERN)]
    size_bytes: Annotated[int, Meta(ge=1, le=LIMITS.envelope_bytes)]
    places: Annotated[tuple[Place, ...], Meta(max_length=LIMITS.places_per_audio)] = ()


class NamedAlert(NamedDocument, frozen=True, kw_only=True):
    """The newest message of an alert that has not expired, its cancellation included."""

    id: Identifier


class Beacon(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The centre's signed heartbeat: at ``issued`` it was alive, by its own clock, and this was in force for its scope.

    Whoever reads it knows that ``issued`` is past. How long past, a beacon alone cannot say (``core.beacons``).
    ``next_s`` is within how many seconds the next one is sent; ``trust`` the version of the trust root; ``alerts`` are
    those that have not expired. What is left out, a beacon says nothing of (``core.withheld``).
    """

    scope: ScopePath
    version: Version
    issued: Utc
    expires: Utc
    next_s: Annotated[int, Meta(ge=1, le=86_400)] | UnsetType = UNSET
    trust: Version | UnsetType = UNSET
    programme: NamedDocument | UnsetType = UNSET
    alerts: Annotated[tuple[NamedAlert, ...], Meta(max_length=LIMITS.alerts)] | UnsetType = UNSET


class ResendRange(Struct, frozen=True, kw_only=True):
    """The reports ``first`` to ``last`` of a station's journal, both of them included."""

    journal: Annotated[int, Meta(ge=1, le=2**31 - 1, description="The journal that the reports carry.")]
    first: Annotated[int, Meta(ge=1, le=2**32 - 1)]
    last: Annotated[int, Meta(ge=1, le=2**32 - 1)]


class StopOrder(Struct, frozen=True, kw_only=True):
    """What is on the air leaves it, and does not come back. An alert does not: it has its own cancellation."""


class VolumeOrder(Struct, frozen=True, kw_only=True):
    """How loud a zone is until an instant, in place of what its station is configured for; every zone when none is
    named. Without ``percent`` it is as configured again. Alerts are as loud as ever.
    """

    until: Utc
    percent: Percent | None = None
    zone: Identifier | None = None


class ToneOrder(Struct, frozen=True, kw_only=True):
    """A test tone in one zone, while nothing else is to be heard."""

    zone: Identifier
    seconds: Annotated[int, Meta(ge=1, le=LIMITS.test_tone_s)]


class WalkOrder(Struct, frozen=True, kw_only=True):
    """A test tone and its name in each zone after the other, while nothing else is to be heard."""

    seconds: Annotated[int, Meta(ge=1, le=LIMITS.test_tone_s)]


class RestartOrder(Struct, frozen=True, kw_only=True):
    """The station leaves the air in order, and its service manager starts it again, with its config as it is then."""


class LogOrder(Struct, frozen=True, kw_only=True):
    """The last lines of the station's log."""

    lines: Annotated[int, Meta(ge=1, le=LIMITS.log_lines)]


Action = ResendRange | StopOrder | VolumeOrder | ToneOrder | WalkOrder | RestartOrder | LogOrder


class Command(Struct, frozen=True, kw_only=True):
    """An order to one station, obeyed at most once. ``scope`` is the place for which its signers may command.

    It has one action, by its name: ``resend`` has reports sent again that the centre did not get; ``stop`` takes from
    the air what is on it; ``volume`` sets how loud a zone is for a while; ``test_tone`` is heard in one zone,
    ``walk`` in each after the other; ``restart`` starts the station anew; ``log`` asks for the last lines of its log.
    """

    scope: ScopePath
    station: Identifier
    version: Version
    issued: Utc
    expires: Utc
    resend: ResendRange | UnsetType = UNSET
    stop: StopOrder | UnsetType = UNSET
    volume: VolumeOrder | UnsetType = UNSET
    test_tone: ToneOrder | UnsetType = UNSET
    walk: WalkOrder | UnsetType = UNSET
    restart: RestartOrder | UnsetType = UNSET
    log: LogOrder | UnsetType = UNSET

    @property
    def actions(self) -> dict[str, Action]:
        """What it asks for, by name: of a document that was read, exactly one."""
        asked = {name: getattr(self, name) for name in ACTIONS}
        return {name: action for name, action in asked.items() if action is not UNSET}

    @property
    def action(self) -> tuple[str, Action]:
        """The one thing that it asks for, and its name."""
        (one,) = self.actions.items()
        return one


ACTIONS: dict[str, type[Action]] = {
    "resend": ResendRange,
    "stop": StopOrder,
    "volume": VolumeOrder,
    "test_tone": ToneOrder,
    "walk": WalkOrder,
    "restart": RestartOrder,
    "log": LogOrder,
}
"""Everything that a command can ask for, by the name of its field."""


Document = Programme | TrustRoot | Beacon | Command | Alert | LiveSegment


D_co = TypeVar("D_co", covariant=True)


class Signed(Struct, Generic[D_co], frozen=True):
    """A document whose bytes were parsed and whose signatures were checked; who may sign it is for ``trust``.

    ``signers`` are the ids of the known keys whose signatures are good, no key twice. ``envelope`` is the DSSE
    envelope exactly as it came: it is what is stored, and verified again when it is loaded.
    """

    document: D_co
    signers: frozenset[str]
    envelope: bytes


class Refused(Struct, frozen=True):
    """Bad input from outside, as a value: a stable ``code``, whom it is about, and fields for its message.

    ``version`` is what a command called itself that somebody known signed, and that cannot be obeyed as it is: its
    sender can be told.
    """

    code: str
    subject: str
    detail: tuple[tuple[str, str], ...] = ()
    version: int | None = None
