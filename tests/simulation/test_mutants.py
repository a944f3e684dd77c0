"""Bugs planted on purpose in a copy of the product: the rules find each of them, or they are no rules."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.simulation.happenings import read

TOP = Path(__file__).parents[2]
SEEDS = 48
"""How many seeds a bug may survive."""
HUNT_S = 800
"""How long a hunt may take that has the cores only while nobody else wants them."""


@dataclass(frozen=True)
class Bug:
    """One text in one file of the product, what it becomes, and the rule that must find it, from a ``seed`` on: the
    first that meets it, where those before it cost long lives.
    """

    file: str
    old: str
    new: str
    rule: str
    own_clock: bool = False
    alerts: bool = False
    microphone: bool = False
    live: bool = False
    orders: bool = False
    streams: bool = False
    trust: bool = False
    muted: bool = False
    supplies: bool = False
    duty: bool = False
    by_hand: bool = False
    seed: int = 0


BUGS = {
    "what has expired is aired": Bug(
        "core/library.py", "expired = until is not None and end_ms > until", "expired = False", "never-"
    ),
    "a substitute is told as the real thing": Bug(
        "core/asrun.py", "aired = whole and reason is None", "aired = whole", "never-9: "
    ),
    "nobody says that there is silence": Bug(
        "core/silence.py",
        "SILENCE_MS = 4_000",
        "SILENCE_MS = 4_000_000",
        "silence: ",
        seed=1,
    ),
    "an earlier edition airs in a slot that wants none": Bug(
        "core/library.py",
        "if before is None or slot.if_unplayable != EARLIER:",
        "if before is None:",
        "never-1: ",
        seed=7,
    ),
    "a zone is forgotten on the way down": Bug(
        "core/playout.py",
        "        if self.closed:\n            return self._open(self.closed[-1], now_mono_ms)\n"
        "        if self.amplifier_on_mono_ms is None:\n            return []\n",
        "        if len(self.closed) > 1:\n            return self._open(self.closed[-1], now_mono_ms)\n"
        "        if self.amplifier_on_mono_ms is None:\n            return []\n",
        "air-4: the amplifier goes off while",
    ),
    "zones switch under sound": Bug(
        "core/playout.py",
        "            return self._go_on(wanted)\n        if self.told:",
        "            return self._go_on(wanted) or self._down(needed_mono_ms, now_mono_ms)\n        if self.told:",
        "never-3: ",
    ),
    "no relay is waited for": Bug(
        "core/playout.py",
        "        self.told[subject] = now_mono_ms + ANSWER_MOST_MS + self.switching_ms.get(subject, 0)\n",
        "",
        "never-3: ",
    ),
    "the warm-up is not waited for": Bug(
        "core/playout.py",
        "if warm_up_left_ms := self._warm_up_left_ms(now_mono_ms):",
        "if warm_up_left_ms := 0:",
        "air-4: ",
    ),
    "the hold time is dropped": Bug(
        "core/playout.py",
        "+ self.settings.amplifier.hold_ms",
        "+ 0",
        "air-4: the amplifier goes off before its hold time",
        seed=1,
    ),
    "the amplifier is left on": Bug(
        "core/playout.py",
        "return [] if soon else self._amplifier_off(now_mono_ms)",
        "return []",
        "never-3: the amplifier is on",
    ),
    "what is acknowledged is not on disk": Bug(
        "core/station.py",
        "[*self.air, *self.notes, *record, *self.after]",
        "[*self.air, *self.notes, *self.after[:-1], *record, self.after[-1]]",
        "decision 1: ",
    ),
    "what is to resume restarts": Bug(
        "core/air.py", "IfInterrupted.RESUME: position_ms", "IfInterrupted.RESUME: 0", "air-2: ", seed=1
    ),
    "what is to be dropped goes on": Bug(
        "core/air.py", "IfInterrupted.DROP: None", "IfInterrupted.DROP: position_ms", "air-2: "
    ),
    "aired is told without a look at the length": Bug(
        "core/asrun.py",
        "whole = completed and self.whole",
        "whole = completed",
        "never-9: ",
        seed=6,
    ),
    "an occurrence is taken twice": Bug(
        "core/cues.py",
        "on_air or key in self.settled or key in self.waiting",
        "on_air or key in self.waiting",
        "never-5: ",
    ),
    "what is on the air is not written down": Bug(
        "core/station.py", "turn.entries.append(effects.AsRunOpened(record))", "pass", "never-5: "
    ),
    "ids begin anew at every start": Bug(
        "core/cues.py", 'return f"{self.boot}-a{self.sequence}"', 'return f"a{self.sequence}"', "never-5: the id "
    ),
    "what was due while the power was off is forgotten": Bug(
        "core/programmes.py", "self.since_ms = event.watched_until_ms", "self.since_ms = None", "never-5: ", seed=3
    ),
    "a higher priority waits for its turn": Bug(
        "core/air.py", "best.priority > on_air.priority", "best.priority[:1] > on_air.priority[:1]", "never-4: "
    ),
    "an older programme is obeyed": Bug(
        "core/trust.py", "if programme.version < floor:", "if programme.version < 0:", "never-6: ", seed=4
    ),
    "anybody may sign": Bug("core/trust.py", ">= grant.threshold", ">= 0", "never-6: ", seed=5),
    "quiet hours are ignored": Bug("core/programmes.py", "if not self.settings.quiet_hours:", "if True:", "air-5: "),
    "what time is it? whatever": Bug(
        "core/asrun.py",
        "(now.trusted and self.cue.planned_ms <= now.wall_ms)",
        "self.cue.planned_ms <= now.wall_ms",
        "air-7: ",
        seed=5,
    ),
    "the loudest zone sets the volume": Bug(
        "core/volumes.py", "return min((cue.slot_percent", "return max((cue.slot_percent", "air-5: "
    ),
    "a sound device that is back is not believed": Bug(
        "core/reach.py",
        "        self.device_ok = True\n        self.rests_until_mono_ms = None\n",
        "        self.rests_until_mono_ms = None\n",
        "for sound-device, which is not true",
    ),
    "a withdrawn cue comes back when the player dies": Bug(
        "core/endings.py",
        "self._interrupted(airing, airing.stop_reason or AsRunReason.PLAYER_DIED, now)",
        "self._interrupted(airing, AsRunReason.PLAYER_DIED, now)",
        "",
        seed=5,
    ),
    "the power is blamed for what it did not do": Bug(
        "core/patience.py",
        "planned_mono_ms < self.started_mono_ms:",
        "planned_mono_ms < self.started_mono_ms + 300_000:",
        "never-5: ",
        seed=3,
    ),
    "the clock is blamed for what the power did": Bug(
        "core/patience.py",
        "            return AsRunReason.POWER\n",
        "            return AsRunReason.NO_TIME\n",
        "never-5: ",
    ),
    "what was told is forgotten by the card": Bug(
        "store/database.py",
        "*([settled] if settles(record) else []),",
        "",
        "never-5: the card has settled",
    ),
    "the floor under versions is not persisted": Bug(
        "core/station.py", "[accepted, *verdict.raised]", "[accepted]", "decision 1: "
    ),
    "a fault that was raised is not remembered": Bug(
        "store/database.py",
        '("INSERT OR REPLACE INTO faults_open VALUES (?, ?)", (entry.fault.id, encoded)),',
        "",
        "never-5: the card has open faults",
    ),
    "what must wait for the card does not": Bug(
        "daemon/loop.py",
        "            submit(effect, [one for one in rest if not isinstance(one, WakeAt)])\n",
        "            [do(one) for one in rest if not isinstance(one, WakeAt)]\n            submit(effect, [])\n",
        "decision 1: ",
    ),
    "what waits for the card is lost": Bug(
        "daemon/loop.py",
        "submit(effect, [one for one in rest if not isinstance(one, WakeAt)])",
        "submit(effect, [])",
        "decision 1: ",
        seed=1,
    ),
    "what was settled is forgotten by a start": Bug(
        "store/database.py", "floor.wall_ms)) - ZONES_MS", "floor.wall_ms)) + 2**60", "never-5: ", True
    ),
    "a start is not counted": Bug("store/database.py", "boot = 1 + max(", "boot = max(1, ", "never-5: "),
    "a number is used again after a restart": Bug(
        "store/journal.py", "if value != getattr(before, field):", 'if name != "sequence":', ""
    ),
    "a record takes part of a transaction only": Bug(
        "store/database.py",
        "for entry in entries:\n                    for change",
        "for entry in entries[:3]:\n                    for change",
        "never-5: ",
    ),
    "a report counts as sent before the broker says so": Bug(
        "link/reports.py",
        "            self._ahead.popleft()\n            self._in_flight[sent.mid] = row\n",
        "            self._ahead.popleft()\n            self._done.append(row.seq)\n",
        "never-5: ",
    ),
    "a report that was refused counts as sent": Bug(
        "link/reports.py",
        "                self._pass_over(row, str(code))\n",
        "                self._done.append(row.seq)\n",
        "never-5: ",
        seed=2,
    ),
    "what nobody heard counts as sent": Bug(
        "link/reports.py", "NOBODY_HEARD = 0x10", "NOBODY_HEARD = 0x11", "never-5: "
    ),
    "what is asked for again is not sent again": Bug(
        "link/reports.py", "if self._resends != self._outbox.resends and not self._in_flight:", "if False:", "never-5: "
    ),
    "a report that is sent again gets another number": Bug(
        "store/outbox.py",
        "INSERT OR IGNORE INTO unsent SELECT seq, rank FROM",
        "INSERT OR IGNORE INTO unsent SELECT seq + 1, rank FROM",
        "",
    ),
    "the floor under all clocks is ignored": Bug(
        "core/timekeeping.py", "SLACK_MS = 600_000", "SLACK_MS = 10**12", "air-7: the time is believed", True
    ),
    "a battery clock comes before NTP": Bug(
        "core/timekeeping.py", "TimeSource.RTC: 2_000", "TimeSource.RTC: 50", "air-7: the time is believed", True
    ),
    "what was due under a programme that was replaced without time is forgotten": Bug(
        "core/programmes.py",
        "            self.owing.append(Replaced(self.signed[scope], seen_ms, now.mono_ms))\n",
        "            pass\n",
        "is forgotten",
        True,
        seed=2,
    ),
    "one beacon alone tells the time": Bug(
        "core/beacons.py",
        "            self.measures[beacon.scope] = measure\n            return None\n",
        "            self.measures[beacon.scope] = measure\n"
        "            return SetSignedTime(WallMs(measure.offset_ms + came_mono_ms), came_mono_ms)\n",
        "1 beacons of keys that count tell the time",
        True,
        seed=1,
    ),
    "a cancel is heard to the end": Bug(
        "core/desk.py",
        "if reason is not None and airing is self.cues.on_air:\n                airing.stop_for_good(reason)\n",
        "if reason is not None and airing is self.cues.on_air:\n                pass\n",
        "never-1: an alert goes on that is not in force",
        alerts=True,
    ),
    "an alert goes on beyond its expiry": Bug(
        "core/alerts.py",
        "return self.nobody_may_speak or (now.trusted and utc_ms(alert.expires) <= now.wall_ms)",
        "return self.nobody_may_speak",
        "never-1: ",
        alerts=True,
    ),
    "whoever may warn may warn of anything": Bug(
        "core/trust.py",
        "most is not None and CAP_SEVERITIES.index(severity) <= CAP_SEVERITIES.index(most)",
        "most is not None",
        "never-1: an alert is taken",
        alerts=True,
        seed=42,
    ),
    "an alert is spoken in the first language only": Bug(
        "core/alerts.py",
        "names = [name for name in zone.languages if name in infos] or",
        "names = [name for name in zone.languages if name in infos][:1] or",
        "",
        alerts=True,
    ),
    "an alert is heard everywhere": Bug(
        "core/alerts.py",
        "zones=tuple(ZoneId(zone.id) for zone in cue.zones)",
        "zones=tuple(ZoneId(zone.id) for zone in self.settings.zones)",
        "never-1: an alert goes to",
        alerts=True,
    ),
    "an alert that the power cut is over": Bug(
        "core/asrun.py",
        "startswith((ALERT_PREFIX, LIVE_PREFIX, STREAM_PREFIX))",
        "startswith((LIVE_PREFIX, STREAM_PREFIX))",
        "",
        alerts=True,
        seed=15,
    ),
    "an alert waits for the end of quiet hours": Bug(
        "core/reach.py",
        "airing.kind is Kind.ALERT or (airing.kind is Kind.TALK and let_through)",
        "(airing.kind is Kind.TALK and let_through)",
        "",
        alerts=True,
        seed=2,
    ),
    "an alert is not on disk": Bug(
        "store/database.py",
        """        ("INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, ?, '')", values),\n""",
        "",
        "never-5: the card has alerts",
        alerts=True,
    ),
    "an alert fades out slowly": Bug(
        "core/desk.py", "ALERT_FADE_MS = 100", "ALERT_FADE_MS = 400", "air-4: ", alerts=True
    ),
    "a command is obeyed before its floor is on disk": Bug(
        "core/station.py",
        "[*verdict.raised, *self.orders.to_keep(verdict.accepted)]",
        "self.orders.to_keep(verdict.accepted)",
        "decision 1: command",
        True,
        seed=3,
    ),
    "what is muted is heard on": Bug(
        "core/desk.py",
        "            holder.lose_the_air(AsRunReason.MUTED)\n",
        "            pass\n",
        "air-5: what is muted is heard on",
        muted=True,
    ),
    "an alert is muted": Bug(
        "core/cues.py",
        "return self.muted and airing.kind is not Kind.ALERT",
        "return self.muted",
        "air-",
        muted=True,
        seed=2,
        alerts=True,
    ),
    "who leans on the mute key silences a village": Bug(
        "core/mute.py",
        "held_ms >= HELD_MOST_MS",
        "False",
        "the key did ",
        muted=True,
    ),
    "what was muted is told as pre-empted": Bug(
        "core/reach.py",
        "            return AsRunReason.MUTED\n",
        "            return AsRunReason.PRE_EMPTED\n",
        "which is not true",
        muted=True,
        seed=2,
    ),
    "a lease beats an alert": Bug(
        "core/leases.py",
        "priority=(TEST,)",
        "priority=(9,)",
        "never-4",
        by_hand=True,
        alerts=True,
        seed=7,
    ),
    "a lease outlives its time": Bug(
        "core/leases.py",
        "(item,) * max(1, event.length_ms // item.duration_ms)",
        "(item,) * (1 + event.length_ms // item.duration_ms)",
        "never-3: a lease of",
        by_hand=True,
    ),
    "a relay stays closed for who is gone": Bug(
        "core/station.py",
        "        self.leases.stop(event.number, AsRunReason.STOPPED_BY_HAND, turn.now)\n",
        "        pass\n",
        "never-2: a lease ",
        by_hand=True,
    ),
    "silence by a command has no end": Bug(
        "core/mute.py",
        "self.until_mono_ms, self.length_ms, self.by_key = now.mono_ms + length_ms, length_ms, why == BY_KEY",
        "self.until_mono_ms, self.length_ms, self.by_key = now.mono_ms + 2 * length_ms, length_ms, why == BY_KEY",
        "the key did ",
        by_hand=True,
        seed=2,
    ),
    "a bulletin does not give way to who speaks": Bug(
        "core/air.py",
        "BULLETIN, MICROPHONE, ALERT = -1, 0, 1, 2",
        "BULLETIN, MICROPHONE, ALERT = -1, 0, 0, 2",
        "while a person would speak",
        microphone=True,
    ),
    "who let the key go is heard on": Bug(
        "core/microphone.py",
        "            self.desk.endings.end_talk(AsRunReason.LET_GO, now)\n",
        "            pass\n",
        "never-4: the microphone is heard on, and nobody holds its key down",
        microphone=True,
    ),
    "who leans on the key speaks for ever": Bug(
        "core/microphone.py",
        "            self.desk.endings.end_talk(AsRunReason.TIME_LIMIT, now)\n",
        "            pass\n",
        "never-4: the microphone is heard on, and nobody holds its key down",
        microphone=True,
    ),
    "a key that was down at the start speaks": Bug(
        "core/microphone.py",
        "now.mono_ms, not self.was_up",
        "now.mono_ms, False",
        "the key is stuck, and",
        microphone=True,
    ),
    "the microphone is heard everywhere": Bug(
        "core/microphone.py",
        "zones=microphone.zones",
        "zones=tuple(zone.id for zone in self.settings.zones)",
        "never-1: the microphone goes to",
        microphone=True,
        seed=5,
    ),
    "every microphone is let through in quiet hours": Bug(
        "core/reach.py",
        "(airing.kind is Kind.TALK and let_through)",
        "airing.kind is Kind.TALK",
        "air-5: the microphone is heard in quiet hours",
        microphone=True,
        seed=2,
    ),
    "the mixer stays closed": Bug(
        "core/playout.py",
        "return [SwitchMixer(self.sounding, False)]",
        "return [StopSound(self.sounding, 0)]",
        "",
        microphone=True,
    ),
    "the mixer is forgotten when the player dies": Bug(
        "core/playout.py", "if self.by is not Way.MIXER:", "if True:", "", microphone=True, seed=4
    ),
    "what the time limit cut off is told as aired": Bug(
        "core/endings.py",
        "airing.kind is Kind.TALK and airing.stop_reason is AsRunReason.LET_GO",
        "airing.kind is Kind.TALK and airing.stop_reason in (AsRunReason.LET_GO, AsRunReason.TIME_LIMIT)",
        "never-9: the talk",
        microphone=True,
    ),
    "anybody may speak live": Bug(
        "core/trust.py",
        'refused = check_authority(signed, trust, now, "live") or _check_issued(segment, now)',
        "refused = _check_issued(segment, now)",
        "never-1: a live relay starts",
        live=True,
        seed=3,
    ),
    "what was said live is said again": Bug(
        "core/trust.py",
        "(segment.version, segment.number) <= known else Accepted()",
        "segment.version < known[0] else Accepted()",
        "never-1: segment",
        live=True,
        seed=114,
    ),
    "a live relay waits for a bulletin": Bug(
        "core/live.py",
        "priority=(BULLETIN, segment.priority, 1)",
        "priority=(BULLETIN, segment.priority, 0)",
        "",
        live=True,
        seed=114,
    ),
    "a live relay lasts for ever": Bug(
        "core/live.py",
        "return self.until_ms + LOST_MS",
        "return self.until_ms + 10**9",
        "never-1: ",
        live=True,
        seed=114,
    ),
    "what the power cut off of a live relay is over": Bug(
        "core/asrun.py",
        "startswith((ALERT_PREFIX, LIVE_PREFIX, STREAM_PREFIX))",
        "startswith((ALERT_PREFIX, STREAM_PREFIX))",
        "air-1: ",
        live=True,
        seed=28,
    ),
    "a live relay that its slot was told without is not heard behind a cut": Bug(
        "core/relaying.py",
        " or programmes.named_live(name, since_ms, now.wall_ms)",
        "",
        "never-5: ",
        live=True,
        seed=40,
    ),
    "a live relay gives up with its sound device": Bug(
        "core/asrun.py",
        "return self.kind in (Kind.ALERT, Kind.LIVE)",
        "return self.kind is Kind.ALERT",
        "never-9: ",
        live=True,
        seed=1,
    ),
    "what was said before a restart is heard behind it": Bug(
        "core/live.py", "utc_ms(segment.sent) < self._began_ms(now)", "False", "never-5: ", live=True, seed=16
    ),
    "a talk by the mixer has no positions": Bug(
        "core/station.py",
        "        if position is not None:\n",
        "        if False:\n",
        "never-5: the talk",
        microphone=True,
        seed=4,
    ),
    "a test tone holds the air": Bug(
        "core/air.py",
        "TEST, BULLETIN, MICROPHONE, ALERT = -1, 0, 1, 2",
        "TEST, BULLETIN, MICROPHONE, ALERT = 3, 0, 1, 2",
        "never-4: ",
        alerts=True,
        orders=True,
        seed=11,
    ),
    "a test tone is answered as heard whatever came of it": Bug(
        "core/orders.py",
        "if isinstance(given.command.stop, StopOrder) or record.outcome is Outcome.AIRED:",
        "if record:",
        "never-9: ",
        orders=True,
        seed=1,
    ),
    "a volume makes an alert quieter": Bug(
        "core/desk.py",
        "            return airing.cue.volume_percent\n        percent = self.reach",
        "            return self.volumes.of_cue(airing.cue, now)\n        percent = self.reach",
        "air-5: an alert at",
        alerts=True,
        orders=True,
        seed=5,
    ),
    "a live relay that falls silent is nobody's fault": Bug(
        "core/station.py",
        "            self._raise(turn, LIVE_LOST, session.subject)\n",
        "            pass\n",
        "silence: ",
        live=True,
        seed=4,
    ),
    "two entries of the audit trail have one place": Bug(
        "store/journal.py",
        "self.counts = replace(self.counts, sequence=sequence, head=head)",
        "self.counts = replace(self.counts, sequence=sequence, head=head if sequence % 3 else self.counts.head)",
        " entries behind link ",
    ),
    "an entry of the audit trail skips its place": Bug(
        "wire/chain.py",
        "return placed, Head(placed.link, placed.digest)",
        "return placed, Head(placed.link + (placed.link == 5), placed.digest)",
        " entries behind link ",
    ),
    "a stream has the air without a sound": Bug(
        "core/streams.py",
        "is_there = self.heard_mono_ms is not None and now.mono_ms <= self.heard_mono_ms + LOST_MS",
        "is_there = True",
        "",
        streams=True,
    ),
    "a stream outlives its minutes": Bug(
        "core/streams.py",
        """        \"\"\"When it leaves the air at the latest.\"\"\"
        return self.until_ms
""",
        """        \"\"\"When it leaves the air at the latest.\"\"\"
        return self.until_ms + 10**9
""",
        "never-1: ",
        streams=True,
    ),
    "a stream outlives its programme": Bug(
        "core/streams.py",
        "if found is None or found.slot.stream != one.stream:",
        "if False:",
        "",
        streams=True,
        seed=7,
    ),
    "a stream is begun twice": Bug(
        "core/relaying.py",
        "if one.may_begin(now) and not self.cues.is_known(one.occurrence):",
        "if one.may_begin(now) and not any(airing.session is one for airing in self.cues.unended()):",
        "",  # the desk never comes to rest, or the rules see it first
        streams=True,
        seed=2,
    ),
    "a stream is followed for ever": Bug(
        "core/relaying.py",
        "return one.ended is not None or now.wall_ms >= one.until_ms or self.cues.is_known(one.occurrence)",
        "return one.ended is not None",
        "never-8: ",
        streams=True,
    ),
    "a stream waits for a bulletin": Bug(
        "core/streams.py",
        "priority=(BULLETIN, self.slot.priority[1], 1)",
        "priority=(BULLETIN, self.slot.priority[1], 0)",
        "",
        streams=True,
    ),
    "the floor of a revoked key counts on": Bug(
        "core/floors.py",
        "names = (subject, *(floor_name(subject, keyid) for keyid in keys))",
        "names = [subject, *(one for one in self.versions if one.startswith(subject + SEPARATOR))]",
        "never-",
        trust=True,
        seed=1,
    ),
    "a programme that was withdrawn stays on the card": Bug(
        "core/station.py",
        "            turn.entries.append(effects.ProgrammeForgotten(scope))\n",
        "",
        "never-1: the disk has a programme",
        trust=True,
        seed=1,
    ),
    "an alert of a revoked key is heard on": Bug(
        "core/station.py",
        "for key in self.alerts.take_root(root):",
        "for key in ():",
        "never-1: the alerts",
        alerts=True,
        trust=True,
        seed=1,
    ),
    "a root is not put on the card": Bug(
        "core/station.py",
        "            turn.entries += [effects.TrustAccepted(one.document.version, one.envelope) for one in new]\n",
        "",
        "",
        trust=True,
        seed=1,
    ),
    "a revoked programme airs on": Bug(
        "core/programmes.py",
        "            self.signed.pop(scope, None)\n            self.aside.pop(scope, None)\n",
        "            self.aside.pop(scope, None)\n",
        "never-",
        trust=True,
        seed=1,
    ),
    "what one beacon names is withheld": Bug(
        "core/withheld.py",
        "if one.beacons > 1 and now.mono_ms",
        "if one.beacons > 0 and now.mono_ms",
        "never-6: told as lacking",
        trust=True,
    ),
    "one root key is enough": Bug(
        "core/trust.py",
        "    for judge in (before, root):\n        if not _enough(",
        "    for judge in (before, root):\n        if not signed.signers and not _enough(",
        "is taken, in force is",
        trust=True,
        seed=1,
    ),
    "what lacks is asked for once": Bug(
        "core/withheld.py",
        "now.mono_ms + min(AGAIN_MS << one.asked, AGAIN_MOST_MS[name.kind])",
        "now.mono_ms + 10**12",
        "nobody asks for it",
        alerts=True,
        trust=True,
        seed=15,
    ),
    "a root may be passed over": Bug(
        "core/trust.py",
        "if root.version != before.version + 1:",
        "if root.version < before.version:",
        "is taken, in force is",
        trust=True,
        seed=14,
    ),
    "a restart of a revoked key is begun": Bug(
        "core/orders.py",
        "        if self.leaving is not None and not stands(self.leaving.given):\n",
        "        if False:\n",
        "never-2: the station leaves, and nobody who may",
        orders=True,
        trust=True,
        seed=19,
    ),
    "a test tone of a revoked key is heard on": Bug(
        "core/orders.py",
        "if isinstance(given.command.test_tone, ToneOrder) and not stands(given):",
        "if False:",
        "never-1: a test tone is heard on",
        orders=True,
        trust=True,
        seed=18,
    ),
    "a volume of a revoked key counts on": Bug(
        "core/station.py",
        "        self.volumes.take_root(root)\n",
        "",
        "air-5: ",
        orders=True,
        trust=True,
        seed=1,
    ),
    "a command of a revoked key is obeyed": Bug(
        "core/trust.py",
        'refused = check_authority(signed, trust, now, "command") or _check_issued(command, now)',
        "refused = _check_issued(command, now)",
        "never-6: command ",
        orders=True,
        trust=True,
    ),
    "a live relay of a revoked key is heard on": Bug(
        "core/station.py",
        "        self.lives.take_root(root)\n",
        "",
        "never-1: ",
        live=True,
        trust=True,
        seed=3,
    ),
    "whoever has a key speaks in any session": Bug(
        "core/trust.py",
        'if not _enough(trust, "live", segment.scope, signed.signers & voice):',
        "if False:",
        "never-1: segment",
        live=True,
        trust=True,
        seed=1,
    ),
    "what a beacon of a revoked key named lacks on": Bug(
        "core/station.py",
        "            self.withheld.forget(scope)\n",
        "            pass\n",
        "never-6: ",
        trust=True,
        seed=2,
    ),
    "a supply bears one zone more": Bug(
        "core/supplies.py",
        "zones is None or zones >= 0",
        "zones is None or zones >= -1",
        "are closed together",
        supplies=True,
    ),
    "who had no turn hears nothing, and it is told as aired": Bug(
        "core/reach.py",
        "        return not done.issuperset(self._kept(airing))\n",
        "        return False\n",
        "did not hear it",
        supplies=True,
    ),
    "an amplifier that has had its time goes on": Bug(
        "core/desk.py",
        "self.reach.minds_duty(holder) and duty.is_over:",
        "False:",
        "never-3: ",
        duty=True,
    ),
    "a beacon of a revoked key is half of a time": Bug(
        "core/beacons.py",
        "        self.measures = {scope: one for scope, one in self.measures.items() if stands(one.signed)}\n",
        "",
        "never-1: 1 beacons",
        trust=True,
        seed=2,
    ),
}


def hunt(name: str) -> subprocess.CompletedProcess[str]:
    """Storms over a copy with the bug."""
    bug = BUGS[name]
    with tempfile.TemporaryDirectory() as folder:
        plant(bug, Path(folder))
        words = ["own_clock", "alerts", "microphone", "live", "orders", "streams", "trust", "muted", "supplies", "duty"]
        words.append("by_hand")
        kinds = [word.replace("_", "-") for word in words if getattr(bug, word)]
        command = ["-m", "tests.simulation.storm", str(bug.seed), str(bug.seed + SEEDS), "dense", *kinds]
        return python(Path(folder), *command, limit_s=HUNT_S)


@pytest.mark.beforehand(call=hunt)
@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(name: str, begun: Future[subprocess.CompletedProcess[str]]) -> None:
    """A storm over a mutated copy ends with the rule that the bug breaks, at the first seed that meets it."""
    run = begun.result()

    assert run.returncode == 1, f"{SEEDS} seeds did not find it:\n{run.stdout}{run.stderr}"
    assert BUGS[name].rule in run.stdout.splitlines()[-2], run.stdout[-2_000:]


def test_what_a_planted_bug_broke_is_shrunk_to_a_short_list_that_still_breaks_it(tmp_path: Path) -> None:
    """Hundreds of happenings become a few; replayed from a file they break the same rule, and none without the bug."""
    code = (
        "from tests.simulation.storm import run\n"
        "one = next(found for found in (run(n, dense=True) for n in range(12)) if found.failure)\n"
        "print(len(one.happened)); print(one.shrunk(40))"
    )
    plant(BUGS["what is to resume restarts"], tmp_path)
    count, _, text = python(tmp_path, "-c", code).stdout.partition("\n")
    path = tmp_path / "shrunk.txt"
    path.write_text(text)
    replay = (
        "import sys; from tests.simulation.happenings import read; from tests.simulation.shrink import failure_of; "
    )
    replay += "print(failure_of(*read(open(sys.argv[1]).read()), None))"

    _, happenings = read(text)
    assert int(count) > 10 and len(happenings) <= 8, text
    assert "complaint='Violation air-2: " in python(tmp_path, "-c", replay, str(path)).stdout
    assert python(TOP, "-c", replay, str(path)).stdout.strip() == "None"


def python(top: Path, *arguments: str, limit_s: float = 110) -> subprocess.CompletedProcess[str]:
    """Python over one copy of the sources."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=top,
        env={**os.environ, "PYTHONPATH": str(top)},
        capture_output=True,
        text=True,
        timeout=limit_s,
    )


def plant(bug: Bug, folder: Path) -> None:
    """Copy the product and the simulation into a folder, with what is compiled of them, the product with the bug."""
    for source in ("ttcs_edge", "tests/__init__.py", "tests/core", "tests/simulation"):
        target = folder / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.endswith(".py"):
            shutil.copy(TOP / source, target)
        else:
            shutil.copytree(TOP / source, target)
    path = folder / "ttcs_edge" / bug.file
    text = path.read_text()
    assert text.count(bug.old) == 1, f"{bug.file} has no longer one {bug.old!r}: plant this bug anew"
    path.write_text(text.replace(bug.old, bug.new))
