"""The life of a cue: waiting, on the air, interrupted, and how it ended. One ``Airing`` per cue tells it all.

- never-9: ``aired`` only when the last play reached the true end and every item was written for its whole length;
  ``substituted`` too, and then something of it was not what the slot names, but what stands in for it.
- A cue that never sounded is ``missed``, one that sounded in part is ``part``; both carry the reason.
- What a death left open is closed as ``cut`` by ``close_cut``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from msgspec.structs import replace

from ttcs_edge.core.air import Contender
from ttcs_edge.core.alerts import AlertCue
from ttcs_edge.core.library import Resolved
from ttcs_edge.core.live import Session
from ttcs_edge.core.model import (
    ALERT_PREFIX,
    COMMAND_PREFIX,
    LIVE_PREFIX,
    MICROPHONE_PREFIX,
    STATION_PREFIX,
    STREAM_PREFIX,
    AiredItem,
    AsRun,
    AsRunReason,
    AudioItem,
    Cue,
    Instant,
    Outcome,
    WallMs,
    Way,
    ZoneId,
)
from ttcs_edge.core.schedule import SlotOccurrence
from ttcs_edge.core.streams import Followed

LENGTH_TOLERANCE_MS = 250
"""How far the samples written may fall short of the declared duration: codecs cut the first 74 ms (Opus)."""

CODEC_CUT_MS = 100
"""How much of one item a codec may cut off: an interruption so near to an item's end goes on with the next one."""

SILENT_REASONS = frozenset(
    {
        AsRunReason.NO_AUDIO,
        AsRunReason.NOT_AUDIO,
        AsRunReason.ROTTEN,
        AsRunReason.EXPIRED,
        AsRunReason.NO_ZONE,
        AsRunReason.SOUND_DEVICE,
        AsRunReason.PLAYER_DIED,
        AsRunReason.NO_AMPLIFIER,
        AsRunReason.AMPLIFIER_REST,
        AsRunReason.RELAY,
        AsRunReason.NO_VOICE,
        AsRunReason.SPEECH_TOO_SLOW,
        AsRunReason.SPEECH_FAILED,
        AsRunReason.LIVE_LOST,
    }
)
"""Reasons that mean silence where sound was due, and that somebody must mend: they are faults too."""

LOSSES = frozenset({AsRunReason.PRE_EMPTED, AsRunReason.MUTED, AsRunReason.AMPLIFIER_REST})
"""Why a cue loses the air that may have it again, as its slot says (air-2)."""

CUE_FAULTS = ("cue-missed", "cue-substituted")
"""The faults that a slot may have from its last cue: at most one of them, until it airs whole."""


def fault_of(record: AsRun) -> str | None:
    """Which fault of its slot a closed record is; None when nothing is to be mended."""
    own = (COMMAND_PREFIX, STATION_PREFIX, MICROPHONE_PREFIX, LIVE_PREFIX, STREAM_PREFIX)
    if record.occurrence.slot.startswith(own):
        return None  # whoever ordered it is told, who spoke stands there, and that it fell silent is a fault of its own
    if record.outcome is Outcome.SUBSTITUTED:
        return "cue-substituted"
    return "cue-missed" if record.reason in SILENT_REASONS else None


def settles(record: AsRun) -> bool:
    """Tell whether an occurrence is over with this record (never-5). What a stop or the power cut off of an alert or of
    a live relay, signed or plain, goes on: what of its round was not heard to its end is due again, and what is said
    from then on is heard. That is a record of its own.
    """
    cut_off = record.reason in (AsRunReason.POWER, AsRunReason.STOPPED)
    return not (cut_off and record.occurrence.slot.startswith((ALERT_PREFIX, LIVE_PREFIX, STREAM_PREFIX)))


class Kind(Enum):
    """Whose a cue is: a slot's of a programme, an alert's, a test tone that somebody ordered, the pilot of a self-test,
    said into the microphone, or a live relay's.
    """

    SLOT = "slot"
    ALERT = "alert"
    TEST = "test"
    PILOT = "pilot"
    TALK = "talk"
    LIVE = "live"


@dataclass(slots=True)
class Airing:
    """One cue on its way through the air. That of a slot has its ``source``, that of an alert its ``warning``, that of
    a live relay its ``session``. ``relayed`` is the record of the live relay that was heard in the place of a slot;
    ``hindered`` tells what of its own it last lacked while its time was not over, ``lost_to`` to what it lost the air.
    What is heard in turns has the zones whose ``turn`` it is, those whose turn is over (``served``) and where it was
    heard then (``heard_in``). ``in_quiet_hours``: who had it aired lets it through them.
    """

    cue: Cue
    lack: AsRunReason | None = None
    id: str = ""
    source: SlotOccurrence | None = None
    warning: AlertCue | None = None
    session: Session | Followed | None = None
    relayed: AsRun | None = None
    kind: Kind = Kind.SLOT
    in_quiet_hours: bool = False
    taken_mono_ms: int = 0
    toned_ms: int = 0
    hindered: AsRunReason | None = None
    play: int | None = None
    position_ms: int = 0
    play_from_ms: int = 0
    written_ms: list[int] = field(default_factory=list)
    zones: tuple[ZoneId, ...] = ()
    zones_saved: tuple[ZoneId, ...] = ()
    turn: tuple[ZoneId, ...] = ()
    served: tuple[ZoneId, ...] = ()
    heard_in: tuple[ZoneId, ...] = ()
    turns_whole: bool = True
    start_ms: WallMs | None = None
    heard_until_ms: WallMs | None = None
    sounds_since_mono_ms: int | None = None
    interruptions: int = 0
    interrupted: Instant | None = None
    queued_ms: int = 0
    in_time: bool = False
    begun_ms: WallMs | None = None
    stop_reason: AsRunReason | None = None
    lost_to: AsRunReason = AsRunReason.PRE_EMPTED
    unplayable: bool = False
    witnessed: bool | None = None

    @property
    def shortfall(self) -> AsRunReason | None:
        """Why this cue cannot count as whole even when all that it has is heard: what its own audio lacks, first."""
        unplayable = AsRunReason.NOT_AUDIO if self.unplayable else None
        return self.lack or unplayable or (None if self.cue.live is None else AsRunReason.LIVE_LOST)

    @property
    def contender(self) -> Contender:
        """This cue as the choice sees it."""
        return Contender(self.cue.occurrence, self.cue.priority, self.cue.planned_ms)

    def is_due(self, now: Instant) -> bool:
        """Tell whether its instant has come: only that of a slot needs a clock (air-7), all else is for now."""
        return not self.of_programme or (now.trusted and self.cue.planned_ms <= now.wall_ms)

    @property
    def of_programme(self) -> bool:
        """Tell whether it is an occurrence of a slot."""
        return self.kind is Kind.SLOT

    @property
    def way(self) -> Way | None:
        """How its sound comes to the amplifier; None when it is the player's own."""
        return None if self.cue.inlet is None else self.cue.inlet.way

    @property
    def needs_player(self) -> bool:
        """Tell whether it can sound only while there is a player."""
        return self.way is not Way.MIXER

    @property
    def outlasts_failures(self) -> bool:
        """Tell whether it waits for a player or a sound device that failed, however often: nobody says it again."""
        return self.kind in (Kind.ALERT, Kind.LIVE)

    @property
    def has_sounded(self) -> bool:
        """Tell whether any sample of it reached the sound device."""
        return self.start_ms is not None

    @property
    def sounds(self) -> bool:
        """Tell whether it is heard right now."""
        return self.sounds_since_mono_ms is not None

    @property
    def tried(self) -> bool:
        """Tell whether its way up was ever begun."""
        return self.begun_ms is not None

    def stop_for_good(self, reason: AsRunReason) -> None:
        """It must leave the air and not come back, whatever else took the air from it before."""
        if self.stop_reason in (None, *LOSSES):
            self.stop_reason = reason

    def lose_the_air(self, to: AsRunReason) -> None:
        """It must leave the air, and may come back."""
        self.stop_reason = self.stop_reason or to

    def seen(self, rose: bool) -> None:
        """A witness saw a play of it go out, or should have and did not: each that can tell must see every play."""
        self.witnessed = rose and self.witnessed is not False

    def take(self, resolved: Resolved) -> None:
        """Take what can be aired by now; only before the cue's first sample."""
        self.cue, self.lack = resolved.cue, resolved.lack
        self.restart()

    def bad_item(self) -> AudioItem | None:
        """The item that a play could not decode: where it ended, when nothing of that item was ever written."""
        end_ms = 0
        for item, written_ms in zip(self.cue.items, self.written_ms, strict=True):
            end_ms += item.duration_ms
            if end_ms > self.position_ms:
                return None if written_ms else item
        return None

    def expires_before_its_end(self, now: Instant) -> bool:
        """Tell whether something still to be heard would not be over in time: begun as it is, at its instant or now."""
        begin_ms: int = max(now.wall_ms, self.cue.planned_ms)
        if self.sounds_since_mono_ms is not None:
            begin_ms = now.wall_ms - (now.mono_ms - self.sounds_since_mono_ms)
        end_ms, behind_ms = begin_ms, self.position_ms
        for item in self.cue.items:
            left_ms = max(0, item.duration_ms - behind_ms)
            behind_ms = max(0, behind_ms - item.duration_ms)
            end_ms += left_ms
            if left_ms and item.until_ms is not None and end_ms > max(now.wall_ms, item.until_ms):
                return True
        return False

    def pass_over_bad_item(self) -> bool:
        """Go on behind the item that proved to be no audio; False when nothing is left behind it."""
        self.unplayable = True
        end_ms = 0
        for item in self.cue.items:
            end_ms += item.duration_ms
            if end_ms > self.position_ms:
                break
        self.position_ms = end_ms
        return end_ms < self.cue.duration_ms

    def begin_play(self, play: int, zones: tuple[ZoneId, ...], saved: tuple[ZoneId, ...] = ()) -> None:
        """A play of this cue is handed to the player, from ``position_ms``; some zones were ``saved`` power."""
        self.play, self.play_from_ms, self.zones, self.stop_reason = play, self.position_ms, zones, None
        self.zones_saved = saved
        self.sounds_since_mono_ms = None
        if len(self.written_ms) != len(self.cue.items) or not (self.position_ms or self.turn):
            self.written_ms = [0] * len(self.cue.items)

    @property
    def takes_turns(self) -> bool:
        """Tell whether it can be heard once more by other zones: what is made while it airs cannot, and an alert has
        parts of its own for each turn.
        """
        return self.cue.inlet is None and self.warning is None

    def end_turn(self, now: Instant) -> None:
        """It was heard to its end where its turn was, and waits for the next one. Until that begins, what was written
        in this one stands.
        """
        self.served, self.heard_in = self.served + self.turn, self._heard_in
        self.turns_whole = self.turns_whole and self.whole
        self.turn, self.position_ms, self.begun_ms = (), 0, None
        self.interrupted, self.stop_reason = now, None

    def give_up_turn(self) -> None:
        """None of the zones whose turn it is can be reached: what they heard does not count for those that hear it in
        their place.
        """
        self.turn = ()
        self.restart()

    @property
    def _heard_in(self) -> tuple[ZoneId, ...]:
        """Where it was heard, in all turns."""
        return tuple(dict.fromkeys((*self.heard_in, *self.zones)))

    def end_play(self, item_written_ms: Sequence[int]) -> None:
        """A play is over: add what it wrote of each item, and stand where it ended.

        An item that was written whole is behind the position by its declared length, whatever its codec cut off.
        """
        self.play, self.sounds_since_mono_ms = None, None
        if self.cue.inlet is not None:
            self.position_ms += sum(item_written_ms)
            return
        position_ms, begin_ms = self.play_from_ms, 0
        for index, (item, written_ms) in enumerate(zip(self.cue.items, item_written_ms, strict=True)):
            self.written_ms[index] += written_ms
            end_ms = begin_ms + item.duration_ms
            if begin_ms <= position_ms < end_ms:
                position_ms += written_ms
                position_ms = end_ms if written_ms and position_ms + CODEC_CUT_MS >= end_ms else position_ms
            begin_ms = end_ms
        self.position_ms = position_ms

    def end_play_at(self, play_written_ms: int) -> None:
        """A play ended without telling what it wrote of each item: attribute it by the declared durations."""
        self.end_play(self._shares(play_written_ms) if self.cue.inlet is None else [play_written_ms])

    def _shares(self, play_written_ms: int) -> list[int]:
        left_ms, skip_ms = play_written_ms, self.play_from_ms
        shares = []
        for item in self.cue.items:
            skipped_ms = min(skip_ms, item.duration_ms)
            share_ms = min(left_ms, item.duration_ms - skipped_ms)
            skip_ms, left_ms = skip_ms - skipped_ms, left_ms - share_ms
            shares.append(share_ms)
        return shares

    @property
    def over(self) -> bool:
        """Tell whether it ended whole: nothing of it is left to be resumed. A stream ends by its time alone."""
        if self.way is Way.STREAM:
            return self.whole and self.stop_reason is AsRunReason.TIME_LIMIT
        return self.cue.inlet is None and self.whole and self.position_ms >= self.cue.duration_ms

    def restart(self) -> None:
        """Forget what was written: the cue begins again from its first sample."""
        self.position_ms = 0
        self.written_ms = [0] * len(self.cue.items)

    @property
    def whole(self) -> bool:
        """Tell whether every item was written for its whole length (never-9); an inlet has no length of its own."""
        if self.cue.inlet is not None:
            return self.position_ms > 0
        return bool(self.cue.items) and all(
            written_ms > 0 and written_ms + LENGTH_TOLERANCE_MS >= item.duration_ms
            for written_ms, item in zip(self.written_ms, self.cue.items, strict=True)
        )

    def open_record(self) -> AsRun:
        """The record while the cue is on the air."""
        items = tuple(
            AiredItem(i.bulletin, i.language, i.sha256, i.size_bytes, i.duration_ms, written_ms)
            for i, written_ms in zip(self.cue.items, self.written_ms or [0] * len(self.cue.items), strict=True)
        )
        return AsRun(
            id=self.id,
            occurrence=self.cue.occurrence,
            title=self.cue.title,
            programme_version=self.cue.programme_version,
            planned_start_ms=self.cue.planned_ms,
            planned_end_ms=WallMs(self.cue.planned_ms + self.cue.duration_ms),
            start_ms=self.start_ms,
            end_ms=None,
            zones=self._heard_in,
            items=items,
            interruptions=self.interruptions,
            witnessed=self.witnessed,
            zones_saved=self.zones_saved,
        )

    def position_record(self, play_written_ms: int, wall_ms: WallMs) -> AsRun:
        """The open record with what was written so far, by the declared durations, until this instant."""
        record, shares = self.open_record(), self._shares(play_written_ms)
        items = tuple(
            replace(item, written_ms=item.written_ms + share_ms)
            for item, share_ms in zip(record.items, shares, strict=True)
        )
        return replace(record, items=items, end_ms=max(wall_ms, record.start_ms or wall_ms))

    def _relayed_record(self, relay: AsRun) -> AsRun:
        """The record of a slot whose live relay was heard to its end."""
        record = self.open_record()
        heard = tuple(item for item in record.items if item.written_ms)
        return replace(
            record,
            start_ms=record.start_ms or relay.start_ms,
            end_ms=relay.end_ms,
            zones=relay.zones,
            zones_saved=relay.zones_saved,
            items=heard,
            outcome=Outcome.AIRED,
        )

    def closed_record(self, completed: bool, reason: AsRunReason | None, end_ms: WallMs) -> AsRun:
        """The record when the cue is over. ``completed`` is the player's word; the samples must bear it out.

        Its end is when it was heard last, however long it then waited to go on.
        """
        if self.relayed is not None:
            return self._relayed_record(self.relayed)
        whole = completed and self.whole and self.turns_whole
        stands_in = self.cue.substitute or self.cue.live is not None
        substitute = whole and stands_in and reason is self.shortfall
        aired = whole and reason is None
        heard = Outcome.PART if self.has_sounded else Outcome.MISSED
        outcome = Outcome.AIRED if aired else Outcome.SUBSTITUTED if substitute else heard
        return replace(
            self.open_record(),
            end_ms=None if self.start_ms is None else max(self.start_ms, self.heard_until_ms or end_ms),
            outcome=outcome,
            reason=None if aired else reason or AsRunReason.SOUND_DEVICE,
        )


def close_cut(record: AsRun, alive_until_ms: WallMs | None) -> AsRun:
    """Close what a death left open: on the air until its last known position, told once a second (``Desk``).

    One that died within its first second was on the air until the last instant known before the death.
    """
    alive_ms = alive_until_ms if alive_until_ms and alive_until_ms > (record.start_ms or 0) else record.start_ms
    end_ms = alive_ms if record.end_ms is None else record.end_ms
    return replace(record, end_ms=end_ms, outcome=Outcome.CUT, reason=AsRunReason.POWER)
