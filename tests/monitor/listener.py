"""The ear and the core's judgement on a scene, step by step, without waiting for any of it."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from tests.airwaves import Scene
from tests.core.material import SETTINGS
from ttcs_edge.core.effects import KeepRecording
from ttcs_edge.core.events import ConditionChanged, RecordingKept
from ttcs_edge.core.model import OffAirReading
from ttcs_edge.core.monitor import WORTH_BELOW_DB, OffAirWitness
from ttcs_edge.monitor.ear import STEP_MS, STEP_SAMPLES, Ear, Numbers
from ttcs_edge.monitor.listening import Worth
from ttcs_edge.training.voices import Sound

LOUD_DBFS = -20.0


class Listener:
    """One monitor's life: ``told`` is what the core made of it, with the time at which it did, in seconds."""

    def __init__(self, loud_dbfs: float = LOUD_DBFS) -> None:
        self.ear = Ear()
        self.worth = Worth(loud_dbfs - WORTH_BELOW_DB)
        self.witness = OffAirWitness(replace(SETTINGS, loud_dbfs=loud_dbfs), 1)
        self.told: list[tuple[float, ConditionChanged]] = []
        self.numbers: list[Numbers] = []
        self.readings = 0
        self.present: dict[str, bool] = {}
        self._mono_ms = 0

    def hear(self, scene: Scene, heard: Sound | None = None) -> None:
        """Live through a scene."""
        samples = scene.heard() if heard is None else heard
        for begin in range(0, len(samples), STEP_SAMPLES):
            sent = scene.sent[begin : begin + STEP_SAMPLES].astype(np.int16)
            numbers = self.ear.take(
                samples[begin : begin + STEP_SAMPLES].astype(np.int16), sent if sent.any() else None
            )
            self._mono_ms += STEP_MS
            self.numbers.append(numbers)
            self._take(self.witness.pass_time(self._mono_ms))
            if not self.worth.is_worth(numbers):
                continue
            self.readings += 1
            findings, wanted = self.witness.heard(OffAirReading(*numbers), None, self._mono_ms)
            self._take(findings)
            for effect in wanted:
                assert isinstance(effect, KeepRecording)
                self._take(self.witness.recorded(RecordingKept(effect.name, f"{effect.name}.wav", "0" * 64)))

    def _take(self, findings: list[ConditionChanged]) -> None:
        for finding in findings:
            if self.present.get(finding.code, False) is not finding.present:
                self.present[finding.code] = finding.present
                self.told.append((self._mono_ms / 1_000, finding))

    def codes(self) -> list[str]:
        """What was told, in order; what was cleared has a minus before it."""
        return [one.code if one.present else f"-{one.code}" for _, one in self.told]
