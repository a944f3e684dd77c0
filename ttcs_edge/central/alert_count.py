"""Who has an alert by now, from what stations report: a count that only goes forward, station by station.

A station is expected when it lies in the alert's scope and this centre made it, or when the broker has heard of it.
What a station told of an earlier message, or of another alert, counts for nothing. A station has answered when its
first round was heard, or some part of it was not; when the message accepted is all there is to tell, with that: a
cancellation that is not told aloud, and an alert that is to be heard later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ttcs_edge.central.fleet import report_of
from ttcs_edge.core.documents import Alert
from ttcs_edge.core.model import Scope, scope_covers
from ttcs_edge.core.trust import alert_subject
from ttcs_edge.wire.reports import AlertReport, FaultReport, StatusReport
from ttcs_edge.wire.topics import Topics

MISSING: Final = "missing"
STATES: Final = ("failed", "refused", "missing", "accepted", "on-air", "not-meant", "heard")
"""Those that need a person first."""
FINAL: Final = frozenset({"failed", "refused", "not-meant", "heard"})
BAD: Final = frozenset({"failed", "refused", "missing"})
"""What becomes of a station that an alert must not be left with."""
_PROGRESS: Final = {"missing": 0, "refused": 0, "accepted": 1, "on-air": 2}
_END: Final = 3
NO_ZONE: Final = "no-zone"
LEAVES: Final = ("status", "event")
STATIONS: Final = 20_000


@dataclass(slots=True)
class Answer:
    """One station: what it told of the message. ``link`` is its status; None when the broker knows none.

    ``unheard`` is what of the first round was not heard, part by part with the reason; ``fault`` is the code, the
    subject and the fields of why it refused.
    """

    id: str
    state: str = MISSING
    link: str | None = None
    unheard: tuple[tuple[str, str], ...] = ()
    fault: tuple[str, str, dict[str, str]] | None = None


@dataclass(slots=True)
class AlertCount:
    """The stations of a scope, before the message is sent; and from then on what they tell of it.

    ``met`` tells that the broker was asked which stations there are.
    """

    topics: Topics
    scope: Scope
    answers: dict[str, Answer] = field(default_factory=dict)
    alert: Alert | None = None
    accepting_is_all: bool = False
    met: bool = False

    def expect(self, stations: Iterable[tuple[str, Scope | None]]) -> None:
        """Expect the stations that this centre made; one whose scope nobody wrote down counts until it tells it."""
        for station, scope in stations:
            if scope is None or scope_covers(self.scope, scope):
                self.answers.setdefault(station, Answer(station))

    def sent(self, alert: Alert, *, heard_later: bool) -> None:
        """The message is out: from now on answers count."""
        self.alert = alert
        silent = alert.msg_type == "Cancel" and not alert.tell_cancel
        self.accepting_is_all = silent or heard_later

    def hear(self, topic: str, payload: bytes) -> Answer | None:
        """Take in a message; gives the station that it changed something of."""
        report = report_of(self.topics, topic, payload)
        if isinstance(report, StatusReport):
            return self._met(report)
        if isinstance(report, AlertReport):
            return self._told(report)
        return self._refused(report) if isinstance(report, FaultReport) else None

    def _met(self, report: StatusReport) -> Answer | None:
        if not scope_covers(self.scope, report.scope):
            self.answers.pop(report.station, None)
            return None
        answer = self._answer(report.station)
        if answer is None or answer.link == report.state:
            return None
        answer.link = report.state
        return answer

    def _told(self, report: AlertReport) -> Answer | None:
        alert = self.alert
        if alert is None or (report.scope, report.event, report.version) != (alert.scope, alert.id, alert.version):
            return None
        answer = self._answer(report.station)
        unheard = tuple((one.part, one.reason) for one in report.unheard)
        state = report.state
        if state == "failed" and unheard and all(reason == NO_ZONE for _, reason in unheard):
            state = "not-meant"
        if answer is None or state not in STATES:  # a newer station's word for what we do not know
            return None
        before, after = _PROGRESS.get(answer.state, _END), _PROGRESS.get(state, _END)
        if after < before or (state, unheard) == (answer.state, answer.unheard):
            return None
        answer.state, answer.unheard, answer.fault = state, unheard, None
        return answer

    def _refused(self, report: FaultReport) -> Answer | None:
        alert = self.alert
        if alert is None or report.subject != alert_subject(alert.scope, alert.id) or report.cleared is not None:
            return None
        answer = self.answers.get(report.station)
        if answer is None or answer.state != MISSING:
            return None  # it was accepted: what the fault is about is told by the receipt
        answer.state, answer.fault = "refused", (report.code, report.subject, report.detail)
        return answer

    def _answer(self, station: str) -> Answer | None:
        if station not in self.answers and len(self.answers) >= STATIONS:
            return None
        return self.answers.setdefault(station, Answer(station))

    @property
    def rows(self) -> list[Answer]:
        """Every station, those that need a person first."""
        return sorted(self.answers.values(), key=lambda one: (STATES.index(one.state), one.link == "online", one.id))

    @property
    def states(self) -> Counter[str]:
        """How many stations there are of each state."""
        return Counter(one.state for one in self.answers.values())

    def has_answered(self, answer: Answer) -> bool:
        """Tell whether nothing more is to come of a station."""
        return answer.state in FINAL or (self.accepting_is_all and answer.state in ("accepted", "on-air"))

    @property
    def answered(self) -> int:
        """How many stations have answered."""
        return sum(map(self.has_answered, self.answers.values()))

    @property
    def is_over(self) -> bool:
        """Tell whether every station has answered; where none is known, one may still turn up."""
        return self.answered == len(self.answers) > 0

    @property
    def is_good(self) -> bool:
        """Tell whether nobody is missing, and nobody failed."""
        return self.is_over and not any(one.state in BAD for one in self.answers.values())
