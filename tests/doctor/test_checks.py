"""How the checks are run, and what is said of what they find."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ttcs_edge.doctor.air import FAULTS_OF
from ttcs_edge.doctor.checks import CHECKS, Check, run, worst
from ttcs_edge.doctor.drawing import conclude, first_cause, show
from ttcs_edge.doctor.finding import Finding, Level, green, of_fault, red, unseen, yellow
from ttcs_edge.doctor.ground import Ground
from ttcs_edge.doctor.mending import MENDS, mend
from ttcs_edge.doctor.papers import problems_of
from ttcs_edge.doctor.programs import Said
from ttcs_edge.doctor.programs import run as run_program
from ttcs_edge.doctor.service import daemon, unit
from ttcs_edge.doctor.sound import Control, card_of, look
from ttcs_edge.locale import Language
from ttcs_edge.locale.config import PROBLEMS
from ttcs_edge.locale.doctor import MESSAGES
from ttcs_edge.locale.faults import FAULTS
from ttcs_edge.settings import SoundDriver, SoundSettings
from ttcs_edge.yaml_form import Problem

DATA = Path(__file__).parents[1] / "data/cli"
SOURCES = Path(__file__).parents[2] / "ttcs_edge/doctor"


def ground(**changes: Any) -> Ground:
    """What checks look at; a daemon that tells of no fault unless it is said."""
    told = SimpleNamespace(status={"faults": [], "version": "0"}, trust=None, error=None)
    return cast(Ground, SimpleNamespace(**({"faults": (), "told": told} | changes)))


def fault(code: str, severity: str = "error") -> dict[str, Any]:
    """A fault as the daemon tells it."""
    return {"code": code, "subject": "x", "detail": {}, "severity": severity, "raised_ms": 0}


def found(checks: Sequence[Check], **changes: Any) -> dict[str, list[tuple[Level, str]]]:
    """What checks find, by their names."""
    results = run(ground(**changes), tuple(checks), all_s=5.0)
    return {check.name: [(one.level, one.code) for one in findings] for check, findings in results}


class TestOrder:
    """A cause comes before what follows from it."""

    def test_what_waits_for_red_is_not_looked_at_and_names_the_first_cause(self) -> None:
        """Also what waits for what waits."""
        looked = []
        checks = (
            Check("config", lambda _: [red("no-network")], ()),
            Check("clock", lambda _: looked.append("clock") or [green("store-whole")], ("config",)),  # type: ignore[func-returns-value]
            Check("store", lambda _: looked.append("store") or [green("store-whole")], ("clock",)),  # type: ignore[func-returns-value]
        )
        results = list(run(ground(), checks))

        assert looked == []
        assert [one.words("en").meaning for _, (one,) in results[1:]] == [
            "not looked at: Configuration comes first"
        ] * 2
        assert worst(results) is Level.RED

    def test_what_is_yellow_or_not_seen_holds_nothing_up(self) -> None:
        """The station works with it."""
        checks = (
            Check("config", lambda _: [yellow("quiet-hours-unset", file="f")], ()),
            Check("clock", lambda _: [unseen("needs-root")], ("config",)),
            Check("store", lambda _: [green("store-whole")], ("config", "clock")),
        )
        assert found(checks)["store"] == [(Level.GREEN, "store-whole")]

    def test_what_a_running_daemon_tells_holds_nothing_up(self) -> None:
        """It runs in spite of it, and the rest can be looked at."""
        checks = (
            Check("relays", lambda _: [green("store-whole")], ()),
            Check("daemon", lambda _: [green("store-whole")], ("relays",)),
        )
        told = found(checks, faults=(fault("relay"),))
        assert told == {"relays": [(Level.RED, "relay")], "daemon": [(Level.GREEN, "store-whole")]}

    def test_a_check_that_fails_or_hangs_is_told_and_keeps_nobody_from_being_seen(self) -> None:
        """Within the time that all have together."""
        over = threading.Event()

        def fails(_: Ground) -> list[Finding]:
            raise ZeroDivisionError("by zero")

        def hangs(_: Ground) -> list[Finding]:
            over.wait(30)
            return []

        checks = (
            Check("clock", fails, ()),
            Check("store", hangs, ()),
            Check("sound", lambda _: [green("store-whole")], ()),
        )
        results = [
            (check.name, one.code, one.words("en").meaning) for check, (one,) in run(ground(), checks, all_s=0.2)
        ]
        over.set()
        assert results == [
            ("clock", "check-failed", "could not be looked at: ZeroDivisionError: by zero"),
            ("store", "too-slow", "took too long, left out"),
            ("sound", "store-whole", "whole"),
        ]

    def test_every_check_waits_for_checks_that_stand_before_it(self) -> None:
        """Else none of them would ever begin."""
        names = [check.name for check in CHECKS]
        assert len(set(names)) == len(names)
        assert [check.name for check in CHECKS if not set(check.after) <= set(names[: names.index(check.name)])] == []

    def test_the_first_that_is_red_is_the_cause_then_the_first_that_is_yellow(self) -> None:
        """Of all findings, in the order of the table."""
        table = (
            Check("clock", lambda _: [yellow("clock-ntp-off", now="")]),
            Check("store", lambda _: [red("no-network")]),
        )
        results = [(check, list(check.look(ground()))) for check in table]
        first = first_cause(results)
        assert first is not None and first[1].code == "no-network"
        assert first_cause(results[:1]) == (table[0], results[0][1][0])
        assert first_cause([]) is None


class TestFaults:
    """What only the daemon can know."""

    def test_a_fault_is_told_by_its_check_and_not_again_among_the_others(self) -> None:
        """One line each."""
        checks = tuple(check for check in CHECKS if check.name == "others")
        assert found(checks, faults=(fault("relay"), fault("door-open", "warning"))) == {
            "others": [(Level.YELLOW, "door-open")]
        }

    def test_a_check_that_found_something_by_itself_does_not_tell_what_the_daemon_says_of_it(self) -> None:
        """It is the same thing, seen nearer."""
        checks = (Check("sound", lambda _: [red("no-sound-card", device="d", error="e", cards="")], ()),)
        assert found(checks, faults=(fault("sound-device"),)) == {"sound": [(Level.RED, "no-sound-card")]}

    def test_every_fault_that_a_check_claims_exists(self) -> None:
        """And every check that claims some."""
        assert frozenset().union(*FAULTS_OF.values()) <= FAULTS.keys()
        assert FAULTS_OF.keys() <= {check.name for check in CHECKS}


class TestWords:
    """In both languages, for each thing that can be found."""

    def test_every_finding_and_every_check_has_words(self) -> None:
        """All codes that stand in the sources, and their mends unless they are green."""
        source = "".join(path.read_text() for path in sorted(SOURCES.glob("*.py")))
        codes = dict.fromkeys(re.findall(r"\b(green|yellow|red|unseen)\(\s*\"([a-z0-9-]+)\"", source))
        lacking = [code for _, code in codes if code not in MESSAGES]
        mends = [code for level, code in codes if level in ("red", "yellow") and f"{code}.mend" not in MESSAGES]
        assert (len(codes) > 50, lacking, mends) == (True, [], [])
        assert [check.name for check in CHECKS if f"check.{check.name}" not in MESSAGES] == []

    def test_what_is_mended_by_a_command_is_something_that_is_found(self) -> None:
        """A mend for what nobody tells would never be run."""
        assert [code for code in MENDS if code not in MESSAGES and code not in PROBLEMS] == []


class TestService:
    """The unit, as systemd tells of it."""

    GOOD = (
        "LoadState=loaded\nUnitFileState=enabled\nActiveState=active\nResult=success\nNRestarts=0\nExecMainStatus=0\n"
    )

    @pytest.mark.parametrize(
        ("before", "after", "code"),
        [
            ("", "", "unit-good"),
            ("ActiveState=active", "ActiveState=failed", "unit-not-running"),
            ("UnitFileState=enabled", "UnitFileState=disabled", "unit-not-enabled"),
            ("NRestarts=0", "NRestarts=9", "unit-restarts"),
            ("LoadState=loaded", "LoadState=masked", "unit-masked"),
            ("LoadState=loaded", "LoadState=not-found", "unit-missing"),
        ],
    )
    def test_each_state_of_the_unit_has_its_mend(self, before: str, after: str, code: str) -> None:
        """The words are those of systemctl show(1); the rig asks a real one."""
        nobody = SimpleNamespace(status=None)
        said = Said(0, self.GOOD.replace(before, after))
        (one,) = unit(ground(told=nobody, run=lambda command: said))
        assert one.code == code

    def test_a_machine_without_systemd_and_a_program_that_is_older_are_told(self) -> None:
        """The first is no harm, the second is."""
        (one,) = unit(ground(run=lambda command: Said(None)))
        assert (one.level, one.code) == (Level.UNSEEN, "no-systemd")
        (other,) = daemon(ground())
        assert (other.level, other.code) == (Level.YELLOW, "other-version")


class TestMixer:
    """What keeps a card silent that plays."""

    @pytest.mark.parametrize(
        ("control", "code"),
        [
            (Control("PCM", 80, muted=False), "sound-good"),
            (Control("PCM", 80, muted=None), "sound-good"),
            (Control("PCM", 80, muted=True), "mixer-muted"),
            (Control("PCM", 0, muted=False), "mixer-muted"),
            (Control("PCM", 19, muted=False), "mixer-quiet"),
            (Control("PCM", 20, muted=False), "sound-good"),
        ],
    )
    def test_a_control_that_lets_nothing_through_is_the_cause(self, control: Control, code: str) -> None:
        """At nought percent as well as muted."""
        mixer = SimpleNamespace(controls=lambda device: [control])
        settings = SimpleNamespace(sound=SoundSettings(driver=SoundDriver.ALSA, device="null"))
        (one,) = look(ground(settings=settings), mixer)
        assert one.code == code

    @pytest.mark.parametrize(
        ("device", "card"),
        [
            ("plughw:CARD=Device,DEV=0", "hw:Device"),
            ("hw:1,0", "hw:1"),
            ("plughw:Headphones", "hw:Headphones"),
            ("default", "default"),
            ("null", "default"),
        ],
    )
    def test_the_mixer_is_that_of_the_cards_own(self, device: str, card: str) -> None:
        """Whatever stands before it."""
        assert card_of(device) == card


class TestMending:
    """``--fix`` runs commands of a table, and tells what became of each."""

    def test_only_what_was_found_here_and_is_in_the_table_is_mended(self) -> None:
        """Neither what is green nor what the daemon tells."""
        run: list[tuple[str, ...]] = []

        def ran(command: Sequence[str]) -> Said:
            run.append(tuple(command))
            return Said(0)

        told = of_fault(fault("unit-not-running"))
        findings = [green("unit-good"), told, red("no-network"), yellow("unit-not-enabled")]
        assert [command for command, _ in mend(findings, ran)] == run == [("systemctl", "enable", "ttcs-edge.service")]

    def test_a_program_that_is_not_there_is_no_crash(self) -> None:
        """It says its name."""
        assert run_program(("no-such-program",)) == Said(None, error="no-such-program")


CARD = {
    "code": "card-worn",
    "subject": "card",
    "detail": {"percent": "90", "device": "mmcblk0"},
    "severity": "warning",
}
RAIN: Sequence[tuple[str, list[Finding]]] = (
    ("config", [green("config-right", id="da-teh-01", scope="vn/lam-dong/da-teh", zones=2)]),
    ("disk", [green("disk-good", free_mb=12_345)]),
    ("card", [of_fault(CARD)]),
    ("clock", [green("clock-kept", now="14:53 01/12/2026")]),
    ("identity", [green("identity-good", id="da-teh-01", date="01/12/2028")]),
    ("sound", [red("mixer-muted", control="Speaker", card="hw:Device", percent=0)]),
    ("unit", [green("unit-good")]),
    ("network", [green("network-good", address="10.0.0.7")]),
    ("name", [red("name-unknown", host="mqtt.lam-dong.vn")]),
    ("port", [unseen("waits", check="name")]),
)
"""What may be found on a wet day."""


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("columns", [40, 120])
def test_what_a_technician_sees(
    columns: int, lang: Language, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a phone and on a desk: a line each, the mend under it, and at the end what is to be mended first."""
    monkeypatch.setenv("COLUMNS", str(columns))
    results = [(Check(name, lambda _: []), findings) for name, findings in RAIN]
    for result in results:
        show(result, lang)
    conclude(results, lang)
    seen = capsys.readouterr().out
    assert seen == (DATA / f"doctor-{columns}-{lang}.txt").read_text()
    assert max(map(len, seen.splitlines())) <= columns


def test_a_station_that_is_well_is_told_in_one_line_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is to be mended first."""
    conclude([(Check("unit", lambda _: []), [green("unit-good")])], "vi")
    assert capsys.readouterr().out == "\nMọi thứ đều tốt.\n"


def test_what_somebody_may_not_read_is_no_mistake_of_the_stations() -> None:
    """A technician without sudo is told to use it; root, who looks as the station does, is told the mistake."""
    closed = Problem(Path("station.yaml"), 9, "folders.state", "folder-closed", "/x", "writable-folder", "open-folder")
    for sees_all, expected in ((False, (Level.UNSEEN, "needs-root")), (True, (Level.RED, "folder-closed"))):
        (one,) = problems_of(
            "store", ground(problems=(closed,), certificate=None, sees_all=sees_all, now=datetime.now(timezone.utc))
        )
        assert (one.level, one.code) == expected
