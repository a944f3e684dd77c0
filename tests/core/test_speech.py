"""What nobody recorded is spoken: made ahead, heard where a recording is missing, told where no voice speaks it."""

from __future__ import annotations

import hashlib
import sys
from typing import Any

import pytest
from msgspec.structs import replace

from tests.core.material import HOUR_MS, SETTINGS, alert, only, recording, said, sha
from tests.core.test_alerts import SUBJECT, Village, again
from ttcs_edge.core import effects, events
from ttcs_edge.core.alerts import TONE_MOST_MS
from ttcs_edge.core.documents import AlertInfo
from ttcs_edge.core.drills import PHRASES
from ttcs_edge.core.effects import Effect
from ttcs_edge.core.model import Sha256, Utterance, Zone, ZoneId
from ttcs_edge.core.speech import LOSSES_MOST, utterance_of

VOICES = frozenset({"vi", "en", "en-gb"})
AROUND = frozenset(
    Utterance(language, words) for phrases in PHRASES.values() for language, pair in phrases.items() for words in pair
)
"""What is said around drills."""
NAMES = frozenset(Utterance("vi", f"Cụm {number}: {name}.") for number in (1, 2) for name in ("Chợ", "Đình", "Buôn"))
"""What zones are called in a walk."""
TWO_PEOPLES = replace(SETTINGS, zones=(Zone(ZoneId("buon"), "Buôn", ("kpm",)), Zone(ZoneId("cho"), "Chợ")))


class Speaking(Village):
    """A village whose station speaks what it is asked to, ``takes_ms`` later; ``fails`` tells what it cannot, and why.

    What it spoke lies in its store and is there again after a restart.
    """

    def __init__(self, *, takes_ms: int = 100, voices: frozenset[str] | None = VOICES, **others: Any) -> None:
        self.takes_ms = takes_ms
        self.fails: dict[str, str] = {}
        self.no_audio: set[str] = set()
        self.list: list[tuple[int, Utterance]] = []
        self.asked: list[tuple[int, tuple[Utterance, ...]]] = []
        super().__init__(**others)
        if voices is not None:
            self.tell(events.VoicesKnown(voices))

    def tell(self, event: events.Event) -> list[Effect]:
        """A new list takes the place of the old one; what is at work goes on."""
        done = super().tell(event)
        for effect in only(done, effects.Speak):
            self.asked.append((self.mono_ms, tuple(one for one in effect.wanted if one not in AROUND | NAMES)))
            begun = {utterance: at_ms for at_ms, utterance in self.list}
            ready_ms = self.mono_ms + self.takes_ms
            self.list = [(begun.get(one, ready_ms), one) for one in effect.wanted]
        return done

    def live(self, span_ms: int) -> None:
        """Time passes, and what is ready is told."""
        end_ms = self.mono_ms + span_ms
        while self.mono_ms < end_ms:
            step_ms = 1_000 if self.list else 5_000
            next_ms = min([end_ms, self.mono_ms + step_ms, *(at_ms for at_ms, _ in self.list)])
            super().live(max(0, next_ms - self.mono_ms))
            for at_ms, one in [pair for pair in self.list if pair[0] <= self.mono_ms]:
                if (at_ms, one) in self.list:
                    self.list.remove((at_ms, one))
                    self.follow(self.tell(self.answer(one)))

    def follow(self, done: list[Effect]) -> None:
        """What is no audio never begins to sound."""
        for start in only(done, effects.StartSound):
            if start.items[0].sha256 in self.no_audio:
                super().follow(self.tell(events.SoundEnded(start.play, False, (0,), "not-audio")))
                return
        super().follow(done)

    def answer(self, one: Utterance) -> events.Event:
        """Six seconds of speech, or why not."""
        code = self.fails.get(one.language, "" if one.language.lower() in VOICES else "no-voice")
        if code:
            return events.NotSpoken(one, code, "as told")
        self.folder.add(sha_of(one))
        return events.Spoken(one, sha_of(one), 264_600, 6_000)


def sha_of(one: Utterance) -> Sha256:
    """The hash of what is spoken."""
    return Sha256(hashlib.sha256(f"{one.language}:{one.text}".encode()).hexdigest())


def text(language: str = "vi", headline: str = "Lũ quét", **others: Any) -> AlertInfo:
    """What is only written."""
    return AlertInfo(language=language, headline=headline, **others)


def heard_hashes(village: Village) -> list[str]:
    """What was played, by its hash, without the tones."""
    starts = [effect for _, effect in village.log if isinstance(effect, effects.StartSound)]
    return [item.sha256 for start in starts for item in start.items if item.language != "zxx"]


def test_words_that_nobody_recorded_are_spoken_while_the_tone_sounds() -> None:
    """Headline, description and instruction, each a sentence, as soon as the alert is accepted."""
    village = Speaking()
    village.hear(alert(info=(text(description="Nước lên 2 m!", instruction="Rời nhà\nngay"),)))
    assert village.asked == [(1_000_000, (Utterance("vi", "Lũ quét.\nNước lên 2 m!\nRời nhà ngay."),))]
    village.live(30_000)

    assert village.heard == [
        (2_400, "tone-Severe.zxx", ("cho", "dinh")),
        (7_400, "lu-quet.vi", ("cho", "dinh")),
    ]
    assert village.told == [("alert:lu-quet", "aired", None)] * 2
    assert village.receipts == [(1, "accepted", ()), (1, "on-air", ()), (1, "heard", ())]
    assert village.faults == []
    assert village.asked[1:] == [(1_000_100, ())]


def test_the_tone_goes_on_while_it_is_spoken() -> None:
    """A slow voice on a small machine: the tone fills the time."""
    village = Speaking(takes_ms=15_000)
    village.hear(alert(info=(text(),)))
    village.live(60_000)
    assert village.names == ["tone-Severe.zxx"] * 3 + ["lu-quet.vi"]


def test_what_is_to_be_heard_later_is_spoken_at_once() -> None:
    """Made ahead: at its hour the words are there."""
    village = Speaking(takes_ms=20_000)
    village.hear(alert(info=(text(),), effective="2026-11-23T21:10:00Z"))
    assert [one.text for _, wanted in village.asked for one in wanted] == ["Lũ quét."]
    village.live(9 * 60_000)
    assert village.heard == []
    village.live(2 * 60_000)
    assert village.names == ["tone-Severe.zxx", "lu-quet.vi"]
    assert len([wanted for _, wanted in village.asked if wanted]) == 1, "asked for once"


def test_the_highest_alert_is_spoken_first_and_what_has_no_recording_before_what_has_one() -> None:
    village = Speaking(takes_ms=10**9)
    village.hear(alert("nhe", severity="Minor", info=(text(headline="Mưa"),)), audio=False)
    village.hear(alert("thu", severity="Extreme", info=(said("thu.vi"),)), audio=False)
    village.hear(alert("nang", severity="Severe", info=(text(headline="Lũ"),)), audio=False)
    assert [one.text for one in village.asked[-1][1]] == ["Lũ.", "Mưa.", "thu.vi."]


def test_a_recording_that_is_there_is_heard_and_nothing_spoken() -> None:
    """Nor is what travels inside the alert."""
    village = Speaking()
    village.folder.add(recording("lu-quet.vi", 10).sha256)
    village.tell(events.AudioStored(recording("lu-quet.vi", 10).sha256))
    village.hear(alert())
    village.hear(alert("mua", info=(replace(said("mua"), inline="AAAA"),)))
    village.live(60_000)
    assert [wanted for _, wanted in village.asked if wanted] == []
    assert heard_hashes(village)[0] == recording("lu-quet.vi", 10).sha256


def test_a_recording_that_does_not_come_is_waited_for_as_long_as_the_tone_and_then_the_words_are_spoken() -> None:
    """A minute of tone, then speech that is ready since long; the next rounds wait no more."""
    village = Speaking()
    village.hear(alert(repeat_s=600), audio=False)
    village.live(25 * 60_000)

    assert village.names == [*["tone-Severe.zxx"] * 12, "lu-quet.vi", *["tone-Severe.zxx", "lu-quet.vi"] * 2]
    assert set(heard_hashes(village)) == {sha_of(Utterance("vi", "lu-quet.vi."))}
    assert village.heard[12][0] >= TONE_MOST_MS
    assert village.receipts[-1] == (1, "heard", ())


def test_a_recording_that_comes_late_is_heard_from_then_on() -> None:
    """It is better than any voice."""
    village = Speaking()
    village.hear(alert(repeat_s=600), audio=False)
    village.live(5 * 60_000)
    village.tell(events.AudioStored(recording("lu-quet.vi", 10).sha256))
    village.live(10 * 60_000)
    assert heard_hashes(village) == [sha_of(Utterance("vi", "lu-quet.vi.")), recording("lu-quet.vi", 10).sha256]


@pytest.mark.parametrize("inline", ["", "AAAA"])
def test_a_recording_that_proves_to_be_no_audio_is_spoken_at_once(inline: str) -> None:
    """Signed, whole, and not to be decoded: the words are not lost."""
    village = Speaking()
    village.no_audio.add(recording("lu-quet.vi", 10).sha256)
    village.hear(alert(info=(replace(said("lu-quet.vi"), inline=inline),)))
    village.tell(events.AudioStored(recording("lu-quet.vi", 10).sha256))
    village.live(30_000)

    assert heard_hashes(village)[-1] == sha_of(Utterance("vi", "lu-quet.vi."))
    assert village.told[-1] == ("alert:lu-quet", "aired", None)


def test_a_language_without_a_voice_is_told_and_its_zone_hears_another_one() -> None:
    """K'Ho has no synthesiser: receipt, record and fault say so; Vietnamese is better than silence."""
    village = Speaking(settings=TWO_PEOPLES)
    village.hear(alert(info=(text("kpm", "Dà dờng"), text())))
    village.live(60_000)

    assert [(name, zones) for _, name, zones in village.heard] == [
        ("tone-Severe.zxx", ("buon", "cho")),
        ("lu-quet.vi", ("buon", "cho")),
    ]
    assert ("alert:lu-quet", "missed", "no-voice") in village.told
    assert village.receipts[-1] == (1, "failed", (("kpm", "no-voice"),))
    assert ("no-voice", "speech:kpm") in village.faults
    raised = [entry.fault for entry in village.entries(effects.FaultRaised)]
    assert {fault.code for fault in raised if fault.subject == SUBJECT} == {"cue-missed"}

    village.hear(alert(version=2, msg_type="Cancel"))
    assert ("no-voice", "speech:kpm") not in village.faults


def test_a_recording_in_that_language_is_heard_in_it() -> None:
    """Somebody who speaks it recorded it: nothing is lacking."""
    village = Speaking(settings=TWO_PEOPLES)
    village.hear(alert(info=(said("kpm.1", "kpm"), text())))
    village.live(60_000)
    assert [(name, zones) for _, name, zones in village.heard] == [
        ("tone-Severe.zxx", ("buon", "cho")),
        ("lu-quet.kpm", ("buon",)),
        ("lu-quet.vi", ("cho",)),
    ]
    assert village.faults == []


def test_before_the_voices_are_known_a_language_is_tried() -> None:
    """In the first second of a life nobody can say yet; the first answer does."""
    village = Speaking(settings=TWO_PEOPLES, voices=None)
    village.hear(alert(info=(text("kpm", "Dà dờng"), text()), repeat_s=300))
    village.live(290_000)
    assert village.receipts[-1] == (1, "failed", (("kpm", "no-voice"),))
    village.live(60_000)
    assert [zones for _, name, zones in village.heard if name == "lu-quet.vi"] == [("cho",), ("buon", "cho")]


def test_an_alert_that_comes_a_moment_before_the_voices_are_known_is_taken_anew_once_they_are() -> None:
    """A station that returns finds it retained in its first second; its amplifier is still warming up."""
    village = Speaking(settings=TWO_PEOPLES, voices=None, takes_ms=5_000)
    village.hear(alert(info=(text("kpm", "Dà dờng"), text())))
    village.live(500)
    village.follow(village.tell(events.VoicesKnown(VOICES)))
    village.live(90_000)
    assert [(name, zones) for _, name, zones in village.heard if name != "tone-Severe.zxx"] == [
        ("lu-quet.vi", ("buon", "cho"))
    ]
    assert ("alert:lu-quet", "missed", "no-voice") in village.told
    assert len(village.told) == 3


def test_what_has_begun_is_not_taken_anew_when_voices_become_known() -> None:
    village = Speaking(settings=TWO_PEOPLES, voices=None, takes_ms=5_000)
    village.hear(alert(info=(text("kpm", "Dà dờng"), text())))
    village.live(4_000)
    village.follow(village.tell(events.VoicesKnown(VOICES)))
    village.live(90_000)
    assert [zones for _, name, zones in village.heard if name == "lu-quet.vi"] == [("cho",)]
    assert len(village.told) == 3


@pytest.mark.parametrize("code", ["speech-too-slow", "speech-failed"])
def test_speech_that_failed_is_told_and_tried_again_in_the_next_round(code: str) -> None:
    village = Speaking()
    village.fails["vi"] = code
    village.hear(alert(info=(text(),), repeat_s=300))
    village.live(60_000)
    assert village.told == [("alert:lu-quet", "missed", code), ("alert:lu-quet", "aired", None)]
    assert village.receipts[-1] == (1, "failed", (("vi", code),))
    assert (code, "speech:vi") in village.faults

    village.fails.clear()
    village.live(300_000)
    assert village.names == ["tone-Severe.zxx", "tone-Severe.zxx", "lu-quet.vi"]
    assert village.faults == []


def test_an_update_that_leaves_a_language_as_it_was_speaks_only_the_other() -> None:
    village = Speaking(settings=replace(SETTINGS, zones=(Zone(ZoneId("cho"), "Chợ", ("vi", "en")),)))
    village.hear(alert(info=(text(), text("en", "Flood"))))
    village.live(5_000)
    village.hear(alert(version=2, msg_type="Update", info=(text(), text("en", "Flood is over"))))
    village.live(60_000)
    spoken = [one.text for _, wanted in village.asked for one in wanted]
    assert spoken.count("Lũ quét.") == 1
    assert village.names[-3:] == ["tone-Severe.zxx", "lu-quet.vi", "lu-quet.en"]


def test_what_was_spoken_is_kept_while_it_is_wanted_and_let_go_then() -> None:
    village = Speaking()
    village.hear(alert(info=(text(),)))
    village.live(30_000)
    audio = sha_of(Utterance("vi", "Lũ quét."))
    wanted = [effect for _, effect in village.log if isinstance(effect, effects.SetWanted)]
    assert audio in wanted[-1].keep
    assert all(one.sha256 != audio for effect in wanted for one in effect.wanted), "nobody can fetch it"
    village.hear(alert(version=2, msg_type="Cancel"))
    village.live(30_000)
    wanted = [effect for _, effect in village.log if isinstance(effect, effects.SetWanted)]
    assert audio not in wanted[-1].keep


def test_after_a_restart_it_is_asked_for_again_and_heard() -> None:
    """The shell answers at once from its store; what was cut is heard again."""
    village = Speaking()
    village.hear(alert(info=(text(),)))
    village.live(9_000)
    later = again(village, civil="2026-11-24T04:01:00")
    asked = [effect.wanted for _, effect in later.log if isinstance(effect, effects.Speak)]
    assert asked == [(Utterance("vi", "Lũ quét."),)]
    later.tell(events.Spoken(asked[0][0], sha_of(asked[0][0]), 264_600, 6_000))
    later.live(60_000)
    assert later.names == ["lu-quet.vi"]


def test_speech_that_is_lost_from_the_store_is_spoken_anew_but_not_for_ever() -> None:
    village = Speaking()
    village.hear(alert(info=(text(),)))
    village.live(3_000)
    for _ in range(LOSSES_MOST):
        village.follow(village.tell(events.AudioLost(sha_of(Utterance("vi", "Lũ quét.")), "rotten")))
        village.live(200)
    village.live(60_000)
    assert len([wanted for _, wanted in village.asked if wanted]) == LOSSES_MOST
    assert village.receipts[-1] == (1, "failed", (("vi", "rotten"),))


def test_an_answer_that_nobody_waits_for_changes_nothing() -> None:
    """It was given up; its word came late."""
    village = Speaking()
    one = Utterance("kpm", "Dà dờng.")
    village.tell(events.NotSpoken(one, "no-voice"))
    village.tell(events.Spoken(one, sha("x"), 1_000, 1_000))
    assert village.faults == []
    assert village.station.alerts.speech.said == {}
    assert village.station.alerts.speech.failed == {}


def test_a_station_without_tones_speaks_when_the_recording_was_waited_for() -> None:
    """Nothing but the time brings it on."""
    village = Speaking(tones=())
    village.live(100_000)
    village.hear(alert(), audio=False)
    village.live(TONE_MOST_MS - 1_000)
    assert village.heard == []
    Village.live(village, 10_000)
    assert village.names == ["lu-quet.vi"]


def test_the_audio_inside_an_alert_is_not_kept_for_the_sake_of_its_words() -> None:
    """It may be a quarter of a megabyte a language; only the words of what was said are remembered."""
    info = text(inline="A" * 1_000)
    holders = sys.getrefcount(info)

    assert utterance_of(info) == Utterance("vi", "Lũ quét.")
    assert sys.getrefcount(info) == holders


def test_the_name_of_a_zone_that_cannot_be_spoken_is_asked_for_once() -> None:
    """Another language stands in, or nobody says it: a voice that fails is not begun ten times a second for ever."""
    village = Speaking()
    village.fails = {"vi": "speech-failed"}
    village.live(2 * HOUR_MS)  # an hour behind its start it speaks ahead what may be said some day
    asked = [effect for _, effect in village.log if isinstance(effect, effects.Speak)]

    assert len(asked) < 20
    assert {one for one in village.station.alerts.speech.failed if one in NAMES}
