"""How a cue ends, or goes on: what becomes of it when its sound is over, whatever ended that.

A cue that was heard whole is told so (never-9). What lost the air to a higher one, or to who wanted silence, goes on as
its slot says (air-2), and so does what lost its player or its sound device, a few times, once they are back. What
proved to be no audio is left out, before the first sample. An alert and a live relay outlast whatever fails under them,
and a live relay that falls silent comes back.
"""

from __future__ import annotations

from dataclasses import dataclass

from ttcs_edge.core import events
from ttcs_edge.core.air import resumes_from_ms
from ttcs_edge.core.asrun import LOSSES, Airing, Kind
from ttcs_edge.core.cues import Cues
from ttcs_edge.core.model import AsRunReason, IfInterrupted, Instant, Occurrence, Outcome
from ttcs_edge.core.programmes import Programmes
from ttcs_edge.core.reach import Reach
from ttcs_edge.core.relaying import Relaying
from ttcs_edge.core.rows import Rows

BREAKDOWNS = frozenset({AsRunReason.PLAYER_DIED, AsRunReason.SOUND_DEVICE})
"""What fails under a cue, and may be there again soon."""
BREAKDOWNS_MOST = 3
"""How many of them one cue survives."""
FAILURES = {
    "audio-lost": AsRunReason.NO_AUDIO,
    "not-audio": AsRunReason.NOT_AUDIO,
    "sound-device": AsRunReason.SOUND_DEVICE,
    "sound-input": AsRunReason.SOUND_INPUT,
    "live-lost": AsRunReason.LIVE_LOST,
    "relay": AsRunReason.RELAY,
}
"""Why a test tone, a pilot or a talk ends before its end: nothing stands in for it, and it is not tried again."""


@dataclass(slots=True)
class Endings:
    """What is done with a cue that leaves the air, and with one that leaves the desk for good."""

    cues: Cues
    reach: Reach
    rows: Rows
    relaying: Relaying

    def close(self, airing: Airing, completed: bool, reason: AsRunReason | None, now: Instant) -> None:
        """It is over, and told. ``completed`` is the player's word."""
        self.cues.waiting.pop(airing.cue.occurrence, None)
        record = airing.closed_record(completed, reason, now.wall_ms)
        self.rows.note_announcement(airing, record)
        self.relaying.note_end(airing, record)
        for slot in self.relaying.relayed_by(airing, now) if record.outcome is Outcome.AIRED else ():
            slot.relayed = record
            self.close(slot, True, None, now)
        self.cues.settle(airing, record)

    def sound_ended(self, event: events.SoundEnded, programmes: Programmes, now: Instant) -> None:
        """A play is over: the cue is closed, goes on later, or goes on without what is no audio."""
        self.reach.playout.sound_ended(event.play, now.mono_ms)
        if event.failure == "sound-device":
            self.reach.device_gone()
        airing = self.cues.on_air
        if airing is None or airing.play != event.play:
            return
        self.cues.free_the_air(now)
        airing.end_play(event.item_written_ms)
        if event.completed and self.rows.tone_goes_on(airing):
            airing.restart()
            self.cues.wait(airing)
        elif airing.over or (event.completed and airing.stop_reason is None):
            self._heard_to_its_end(airing, True, airing.shortfall, now)
        elif airing.kind is Kind.TALK and airing.stop_reason is AsRunReason.LET_GO:
            self.close(airing, True, self._why_not_whole(airing, event), now)
        elif event.failure == "live-lost" and airing.stop_reason is None:
            airing.interruptions += 1
            airing.interrupted = now
            self.cues.wait(airing)
        elif event.failure == "sound-device" and airing.outlasts_failures and airing.stop_reason is None:
            self._rest(airing, now)
        elif event.failure is not None and airing.kind in (Kind.TEST, Kind.PILOT, Kind.TALK, Kind.LIVE):
            self.close(airing, False, airing.stop_reason or FAILURES[event.failure], now)
        elif event.failure == "audio-lost":
            self._go_on_without_lost_item(airing, programmes, now)
        elif event.failure == "not-audio":
            self._go_on_without_bad_item(airing, programmes, now)
        else:
            self._interrupted(airing, airing.stop_reason or AsRunReason.SOUND_DEVICE, now)

    def player_gone(self, event: events.PlayerGone, now: Instant) -> None:
        """The player is dead: the cue goes on where its slot allows it. What comes by the mixer does not notice."""
        self.reach.playout.player_gone(now.mono_ms)
        airing = self.cues.on_air
        if airing is not None and self.reach.playout.sounding is None:
            self.cues.free_the_air(now)
            airing.end_play_at(event.written_ms)
            self._interrupted(airing, airing.stop_reason or AsRunReason.PLAYER_DIED, now)

    def _interrupted(self, airing: Airing, reason: AsRunReason, now: Instant) -> None:
        airing.lost_to = reason if reason in LOSSES else airing.lost_to
        in_vain = reason is AsRunReason.AMPLIFIER_REST and airing.cue.if_interrupted is IfInterrupted.RESTART
        goes_on = (reason in LOSSES and not in_vain) or (  # it would end again where it ended now
            reason in BREAKDOWNS and (airing.interruptions < BREAKDOWNS_MOST or airing.outlasts_failures)
        )
        position_ms = resumes_from_ms(airing.cue.if_interrupted, airing.position_ms) if goes_on else None
        airing.interruptions += 1
        if (position_ms is None and airing.has_sounded) or not goes_on:
            self.close(airing, False, reason, now)
            return
        if not position_ms:
            airing.restart()
        airing.interrupted, airing.stop_reason = now, None
        self.cues.wait(airing)

    def _go_on_without_lost_item(self, airing: Airing, programmes: Programmes, now: Instant) -> None:
        """What was gone when it was to be read is left out, before the first sample; later the cue ends there."""
        if airing.has_sounded or airing.stop_reason is not None:
            lost = next((lack for item in airing.cue.items if (lack := programmes.shelf.lack(item.sha256))), None)
            self.close(airing, False, airing.stop_reason or lost or AsRunReason.NO_AUDIO, now)
            return
        self.cues.make_again(airing, programmes, now)
        self.cues.wait(airing)

    def _go_on_without_bad_item(self, airing: Airing, programmes: Programmes, now: Instant) -> None:
        """What proved to be no audio is remembered, and left out before the first sample, so that what stands in for it
        is heard; later it is passed over: what is whole behind it airs, and the log says that it is not all. For a part
        of an alert only speech stands in.
        """
        bad = airing.bad_item()
        if bad is not None:
            programmes.audio_undecodable(bad.sha256)
            self.cues.make_all_again(programmes, now)
        warning = airing.warning
        replaceable = not airing.has_sounded and (warning is None or self.cues.alerts.may_be_spoken(warning))
        if airing.stop_reason is None and bad is not None and replaceable:
            self.cues.make_again(airing, programmes, now)
            self.cues.wait(airing)
        elif airing.stop_reason is None and airing.pass_over_bad_item():
            self.cues.wait(airing)
        else:
            self._heard_to_its_end(airing, False, airing.shortfall, now)

    def _heard_to_its_end(self, airing: Airing, completed: bool, reason: AsRunReason | None, now: Instant) -> None:
        """All of it that can be heard was, where its turn was: others have theirs, unless it was stopped for good."""
        comes_back = (None, *LOSSES) if completed else (None,)  # it lost the air at its very end
        if not self.reach.has_another_turn(airing):
            self.close(airing, completed, reason if completed else airing.stop_reason or reason, now)
        elif airing.stop_reason not in comes_back:
            self.close(airing, False, airing.stop_reason, now)
        else:
            airing.end_turn(now)
            self.cues.wait(airing)

    def _why_not_whole(self, airing: Airing, event: events.SoundEnded) -> AsRunReason | None:
        """Tell what is missing of a talk that was let go: nothing, when it was heard just then."""
        if any(event.item_written_ms):
            return None
        return airing.lost_to if airing.position_ms else AsRunReason.LET_GO

    def _rest(self, airing: Airing, now: Instant) -> None:
        """It outlasts a sound device that fails: it is tried again, and at once when the device is back."""
        self.reach.device_fails(now)
        airing.interruptions += airing.has_sounded
        airing.restart()
        self.cues.wait(airing)

    # what a command and a person at the station ask

    def stop_on_air(self, now: Instant) -> Occurrence | None:
        """Have what is on the air, or due and on its way up to it, leave for good; an alert stays.

        Gives what leaves.
        """
        airing = self.cues.on_air or self.cues.coming()
        if airing is None or airing.warning is not None or not airing.is_due(now):
            return None
        if airing is self.cues.on_air:
            airing.stop_for_good(AsRunReason.STOPPED_BY_COMMAND)
        else:
            self.close(airing, False, AsRunReason.STOPPED_BY_COMMAND, now)
        return airing.cue.occurrence

    def withdraw(self, key: Occurrence, now: Instant, reason: AsRunReason = AsRunReason.WITHDRAWN) -> None:
        """Nobody who may wants it any more: it leaves the air for good, or never comes to it."""
        for airing in [one for one in self.cues.unended() if one.cue.occurrence == key]:
            if airing is self.cues.on_air:
                airing.stop_for_good(reason)
            else:
                self.close(airing, False, reason, now)

    def end_talk(self, reason: AsRunReason, now: Instant) -> None:
        """The talk is over; of one that was let go while it was heard, nothing is missing."""
        for airing in [airing for airing in self.cues.unended() if airing.kind is Kind.TALK]:
            if airing is self.cues.on_air:
                airing.stop_for_good(reason)
            else:
                cut_short = airing.has_sounded and reason is AsRunReason.LET_GO
                self.close(airing, False, airing.lost_to if cut_short else reason, now)
