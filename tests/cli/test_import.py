"""A stick that is carried to a station without a link, and what is carried back: the commands and a real station."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.cli.terminal import daemon, on_terminal, run
from tests.parts import PLACE, SCOPE, Authority, Broker, Clip, Province, Station, eventually, make_programme, newer
from tests.system.sight import status
from ttcs_edge.core import effects
from ttcs_edge.core.documents import Audio, Bulletin, Programme, Slot
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.model import Fault, Scope, Severity, Sha256, WallMs
from ttcs_edge.link.control import ControlError, ask
from ttcs_edge.locale import LANGUAGES
from ttcs_edge.locale.faults import fault_words
from ttcs_edge.store.database import Database
from ttcs_edge.store.outbox import Outbox
from ttcs_edge.wire.bundle import audio_name, programme_name
from ttcs_edge.wire.reports import EventReport, FaultReport, read_report


@pytest.fixture
def lonely(tmp_path: Path, authority: Authority, province: Province) -> Iterator[Station]:
    """A running station whose broker has never been there."""
    station = Station(tmp_path / "station", Broker(tmp_path / "broker", authority), province)
    station.install()
    station.start()
    yield station
    if station.process is not None:
        station.process.kill()
        station.process.wait()


class Stick:
    """A USB stick with a bundle of the tests' own making."""

    def __init__(self, folder: Path, province: Province) -> None:
        self.path = folder
        self.bundle = folder / "ttcs"
        (self.bundle / "audio").mkdir(parents=True)
        self._province = province

    def put(self, programme: Programme, scope: str | None = None) -> Path:
        """Write an envelope, under the name of its scope unless another is named."""
        path = self.bundle / programme_name(programme.scope if scope is None else scope)
        path.write_bytes(self._province.sign(programme))
        return path

    def put_audio(self, data: bytes, sha256: str | None = None) -> Path:
        """Write an audio file, under its hash unless another is named."""
        path = self.bundle / audio_name(Sha256(sha256 or hashlib.sha256(data).hexdigest()))
        path.write_bytes(data)
        return path


@pytest.fixture
def stick(tmp_path: Path, province: Province) -> Stick:
    """An empty stick."""
    return Stick(tmp_path / "usb", province)


def audio_of(data: bytes) -> Audio:
    """Some bytes, signed as a recording."""
    return Audio(
        language="vi",
        sha256=Sha256(hashlib.sha256(data).hexdigest()),
        size_bytes=len(data),
        duration_ms=2_100,
        media_type="audio/ogg",
        loudness_lufs=-16.0,
        places=("broker:",),
    )


def programme_of(*audio: Audio, scope: str = SCOPE) -> Programme:
    """A programme that airs each of these on some later day."""
    bulletins = tuple(Bulletin(id=f"tin-{n}", title=f"Tin {n}", audio=(one,)) for n, one in enumerate(audio))
    slots = tuple(
        Slot(id=f"gio-{n}", start="2099-01-01T05:00:00", bulletins=(one.id,)) for n, one in enumerate(bulletins)
    )
    return replace(make_programme(bulletins=bulletins, slots=slots), scope=Scope(scope))


def take_in(station: Station, stick: Stick, *words: str) -> subprocess.CompletedProcess[str]:
    """Run ``ttcs-edge import`` on a stick."""
    return run("import", stick.path, "--config", station.config, *words)


def stored(station: Station) -> list[str]:
    """Everything whole in the store."""
    return sorted(path.name for path in (station.folder / "state/blobs").iterdir() if path.suffix != ".part")


def open_faults(station: Station) -> list[tuple[str, str]]:
    """The code and the subject of each open fault but that of the link."""
    found = [(one["code"], one["subject"]) for one in status(station)["faults"]]
    return [one for one in found if one[1] != "broker"]


def test_a_stick_brings_programme_and_audio_to_a_station_that_never_had_a_link(
    lonely: Station, stick: Stick, clip: Clip
) -> None:
    """In force and stored when the command says so; the second time there is nothing left to do."""
    stick.put(programme_of(clip.audio()))
    stick.put(programme_of(audio_of(b"far away"), scope="vn/lam-dong/bao-loc"))
    stick.put_audio(clip.data)

    first = take_in(lonely, stick, "--lang", "en")
    answer = status(lonely)
    second = take_in(lonely, stick, "--lang", "vi")

    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == (
        "vn/lam-dong: version 1 is in force\n"
        "Audio files to be copied: 1 (0.0 MB)\n"
        "Copied: 1 (0.0 MB)\n"
        "The station has all the audio that it will air.\n"
        "Done: the stick may be pulled out.\n"
    )
    assert [(one["scope"], one["version"]) for one in answer["programmes"]] == [(SCOPE, 1)]
    assert (answer["cache"]["stored_files"], answer["link_up"]) == (1, False)
    assert stored(lonely) == [clip.sha256]
    assert (second.returncode, second.stdout) == (
        0,
        "vn/lam-dong: bản 1 đã có hiệu lực từ trước\nTrạm có đủ âm thanh để phát.\nXong, rút USB được.\n",
    )
    assert open_faults(lonely) == []
    lonely.stop(signal.SIGKILL)
    lonely.start()
    assert [one["version"] for one in status(lonely)["programmes"]] == [1], "told as in force, so it was on disk"


def test_the_programme_of_each_scope_above_comes_with_it(lonely: Station, stick: Stick) -> None:
    """What the province and what the commune say are two documents, and both are taken."""
    stick.put(programme_of())
    stick.put(replace(programme_of(scope=PLACE), version=7))

    done = take_in(lonely, stick, "--json")

    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert [(one["scope"], one["outcome"], one["version"]) for one in told["programmes"]] == [
        (SCOPE, "accepted", 1),
        (PLACE, "accepted", 7),
    ]
    assert (told["station"], told["audio"]) == ("da-teh-01", [])


BAD_DOCUMENTS: dict[str, tuple[str, Callable[[Stick, Programme], object]]] = {
    "a stranger's": ("not-enough-signatures", lambda stick, good: replace_bytes(stick, Province().sign(newer(good)))),
    "an older one": ("old-version", lambda stick, good: stick.put(replace(good, version=4))),
    "another under the same version": ("same-version", lambda stick, good: stick.put(replace(good, bulletins=()))),
    "another scope's": ("wrong-scope", lambda stick, good: stick.put(programme_of(scope=PLACE), SCOPE)),
    "an expired one": ("expired", lambda stick, good: stick.put(replace(newer(good), **LAST_YEAR))),
    "half of one": ("not-json", lambda stick, good: replace_bytes(stick, stick.put(newer(good)).read_bytes()[:-40])),
    "a huge one": (
        "oversized",
        lambda stick, good: os.truncate(stick.put(newer(good)), 100 * LIMITS.envelope_bytes),
    ),
    "an empty file": ("not-json", lambda stick, good: replace_bytes(stick, b"")),
}
LAST_YEAR: dict[str, Any] = {"issued": "2025-01-01T00:00:00Z", "expires": "2025-12-31T00:00:00Z"}


def replace_bytes(stick: Stick, data: bytes) -> None:
    """Put anything under the name of the province's programme."""
    (stick.bundle / programme_name(SCOPE)).write_bytes(data)


def test_what_a_broker_may_not_say_a_stick_may_not_say_either(lonely: Station, stick: Stick, clip: Clip) -> None:
    """Each is refused with the code and the fault that it has from the broker, and what is in force stays so."""
    good = replace(programme_of(clip.audio()), version=5, slots=())
    stick.put(good)
    assert take_in(lonely, stick).returncode == 0
    for name, (code, spoil) in BAD_DOCUMENTS.items():
        spoil(stick, good)

        done = take_in(lonely, stick, "--json")

        (told,) = json.loads(done.stdout)["programmes"]
        assert (told["outcome"], told["code"], done.returncode) == ("refused", code, os.EX_DATAERR), name
        assert (code, SCOPE) in open_faults(lonely), name
        assert [(one["scope"], one["version"]) for one in status(lonely)["programmes"]] == [(SCOPE, 5)], name
    shown = take_in(lonely, stick, "--lang", "en")
    words = fault_words("not-json", SCOPE, dict(told["detail"]), "en")
    assert f"!! {words.meaning}" in " ".join(shown.stdout.split())
    assert words.mend in " ".join(shown.stdout.split())

    stick.put(good)
    assert take_in(lonely, stick).returncode == 0
    assert open_faults(lonely) == [], "a good one clears what the bad ones raised"


def make_link(path: Path) -> None:
    """A way out of the bundle."""
    path.symlink_to("/etc/passwd")


def make_fifo(path: Path) -> None:
    """Something that nobody ever writes to."""
    os.mkfifo(path)


def make_device(path: Path) -> None:
    """Zeros without end."""
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [make_link, make_fifo, make_device, Path.mkdir])
def test_what_is_no_file_is_not_opened(
    lonely: Station, stick: Stick, clip: Clip, make: Callable[[Path], object]
) -> None:
    """Under a document's name it is nothing; under the name of audio it is missing, and nobody waits for it."""
    make(stick.bundle / programme_name(PLACE))
    nothing = take_in(lonely, stick)
    stick.put(programme_of(clip.audio()))
    make(stick.bundle / audio_name(Sha256(clip.sha256)))
    began_s = time.monotonic()

    done = take_in(lonely, stick, "--json")

    assert time.monotonic() - began_s < 5
    assert nothing.returncode == os.EX_NOINPUT
    assert [one["outcome"] for one in json.loads(done.stdout)["audio"]] == ["missing"]
    others = [one for one in open_faults(lonely) if one[0] != "broken"]  # without a link it is not to be had
    assert (done.returncode, stored(lonely), others) == (0, [], [])


def test_a_folder_of_audio_that_leads_out_of_the_bundle_is_not_followed(
    lonely: Station, stick: Stick, clip: Clip, tmp_path: Path
) -> None:
    """The file behind the link is the right one, and is not taken all the same."""
    stick.put(programme_of(clip.audio()))
    stick.put_audio(clip.data)
    (stick.bundle / "audio").rename(tmp_path / "elsewhere")
    (stick.bundle / "audio").symlink_to(tmp_path / "elsewhere")

    done = take_in(lonely, stick, "--lang", "en")

    assert (done.returncode, stored(lonely)) == (0, [])
    assert "Not on this stick: 1; have the centre export it again\n" in done.stdout


def test_audio_that_is_not_what_was_signed_is_refused_with_its_fault(lonely: Station, stick: Stick, clip: Clip) -> None:
    """One letter changed, one cut short, one good: the good one is stored, each of the others is a fault with words."""
    changed, short, good = (os.urandom(300_000) for _ in range(3))
    stick.put(programme_of(*map(audio_of, (changed, short, good))))
    stick.put_audio(b"x" + changed[1:], hashlib.sha256(changed).hexdigest())
    stick.put_audio(short[:-1], hashlib.sha256(short).hexdigest())
    stick.put_audio(good)

    done = take_in(lonely, stick, "--lang", "en")

    assert done.returncode == os.EX_DATAERR
    assert done.stdout.endswith("NOT ALL WAS TAKEN: see the lines with !! above. The stick may be pulled out.\n")
    assert "An audio file is not the one that was signed" in done.stdout
    assert "An audio file is cut short: 299999 of 300000 bytes" in done.stdout
    assert stored(lonely) == [hashlib.sha256(good).hexdigest()]
    assert {code for code, _ in open_faults(lonely)} >= {"wrong-hash", "short"}
    stick.put_audio(changed)
    stick.put_audio(short)
    assert take_in(lonely, stick).returncode == 0
    assert len(stored(lonely)) == 3
    assert open_faults(lonely) == []


def test_what_a_death_left_half_copied_is_not_there_and_is_gone_on_with(lonely: Station, stick: Stick) -> None:
    """kill -9 while the file comes in: nothing half is visible, and the next run needs only the rest."""
    data = os.urandom(LIMITS.audio_bytes // 2)
    sha256 = hashlib.sha256(data).hexdigest()
    part = lonely.folder / f"state/blobs/{sha256}.part"
    stick.put(programme_of(audio_of(data)))
    stick.put_audio(data)
    copying = subprocess.Popen(
        [sys.executable, "-m", "ttcs_edge.cli.main", "import", str(stick.path), "--config", str(lonely.config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    eventually(lambda: part.exists() and part.stat().st_size > 0)
    lonely.stop(signal.SIGKILL)
    assert copying.wait(20) == os.EX_UNAVAILABLE
    copying.communicate()
    assert (stored(lonely), part.exists()) == ([], True)
    lonely.start()

    done = take_in(lonely, stick, "--lang", "en")

    assert (done.returncode, stored(lonely)) == (0, [sha256])
    assert "The station has all the audio that it will air.\n" in done.stdout


def test_it_is_told_as_in_force_only_once_it_is_on_disk(lonely: Station, stick: Stick) -> None:
    """The card takes nothing for a while: the command ends without a word of success, and the next one is right."""
    stick.put(programme_of())
    with sqlite3.connect(lonely.folder / "state/ttcs.db", isolation_level=None) as card:
        card.execute("BEGIN IMMEDIATE")
        done = take_in(lonely, stick, "--lang", "en")
        card.execute("ROLLBACK")
    card.close()

    assert (done.returncode, done.stdout) == (os.EX_TEMPFAIL, "")
    eventually(lambda: take_in(lonely, stick, "--lang", "en").stdout.startswith("vn/lam-dong: version 1 was in force"))
    lonely.stop(signal.SIGKILL)
    lonely.start()
    assert [one["version"] for one in status(lonely)["programmes"]] == [1]


def test_whatever_is_sent_in_the_place_of_a_file_the_station_goes_on(lonely: Station, clip: Clip) -> None:
    """A client of its own manners: pipes, folders, devices, sockets, closed doors, and questions that are none."""
    path = lonely.folder / "run/control.sock"
    assert lonely.process is not None
    pid = lonely.process.pid
    reading, writing = os.pipe()
    writable = os.open(lonely.folder / "writable", os.O_WRONLY | os.O_CREAT)
    with socket.socket(socket.AF_UNIX) as door:
        things = [reading, door.fileno(), *(os.open(name, os.O_RDONLY) for name in ("/", "/dev/zero", "/dev/full"))]
        for thing in things:
            assert refusal(path, {"ask": "import-programme", "scope": SCOPE}, thing) == "bad-request"
            assert refusal(path, {"ask": "import-audio", "sha256": clip.sha256}, thing) == "bad-request"
        good = os.open(clip.path, os.O_RDONLY)
        sent = {os.readlink(f"/proc/self/fd/{thing}") for thing in (*things, writable, good)}
    bad_questions: list[dict[str, Any]] = [
        {"ask": "import-programme", "scope": "vn/lam-dong/bao-loc"},
        {"ask": "import-programme", "scope": ["vn"]},
        {"ask": "import-programme"},
        {"ask": "import-audio", "sha256": "../../etc/passwd"},
        {"ask": "import-audio", "sha256": 1},
        {"ask": "import-nothing"},
        {"ask": ["import-audio"]},
        {"ask": "status"},
    ]
    for question in bad_questions:
        assert refusal(path, question, good) == "bad-request", question
    without_a_file: list[dict[str, Any]] = [
        {"ask": "import-audio", "sha256": clip.sha256},
        {"ask": "reports", "after": -1},
    ]
    for question in without_a_file:
        assert refusal(path, question, None) == "bad-request", question
    assert refusal(path, {"ask": "import-programme", "scope": SCOPE}, writable) == "unreadable"
    assert ask(path, {"ask": "import-audio", "sha256": clip.sha256}, file=good)["outcome"] == "not-wanted"

    for thing in (reading, writing, writable, good, *things[2:]):
        os.close(thing)
    assert (status(lonely)["state"], open_faults(lonely), stored(lonely)) == ("idle", [], [])
    eventually(lambda: sent.isdisjoint(open_files(pid)))


def open_files(pid: int) -> set[str]:
    """What a process has open, named as the kernel does. Source: proc_pid_fd(5)."""
    named = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            named.add(os.readlink(descriptor))
    return named


def refusal(path: Path, question: dict[str, Any], file: int | None) -> str:
    """The code of a refusal."""
    with pytest.raises(ControlError) as caught:
        ask(path, question, file=file)
    return caught.value.code


def test_words_of_a_failure_end_where_a_phones_lines_end(tmp_path: Path) -> None:
    """No word is cut in two on a terminal of 40 columns; in a pipe a sentence is one line."""
    gone = tmp_path / "control.sock"

    shown = on_terminal("status", "--socket", gone, "--lang", "en", code=os.EX_UNAVAILABLE, COLUMNS="40")

    assert shown.replace("\r", "").splitlines() == [
        "The station is not running (there is no",
        f"{gone})",
        "Start it: sudo systemctl start ttcs-edge",
        "See why it stopped: journalctl -u",
        "ttcs-edge -n 50",
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_stick_without_a_bundle_or_with_that_of_another_place_is_told(
    lonely: Station, stick: Stick, tmp_path: Path, lang: str
) -> None:
    """Two mistakes of a technician, two sentences, and what to do."""
    stick.put(programme_of(scope="vn/lam-dong/bao-loc"))

    none = run("import", tmp_path / "nothing", "--config", lonely.config, "--lang", lang)
    elsewhere = take_in(lonely, stick, "--lang", lang)

    assert (none.returncode, elsewhere.returncode) == (os.EX_NOINPUT, os.EX_NOINPUT)
    english = (
        f"There is no bundle at {tmp_path / 'nothing'}\n"
        "Name the stick that has a folder ttcs; the centre makes it: ttcs-central export\n",
        f"The bundle at {stick.path} has no programme for {PLACE}\n"
        f"Use the stick of this place: ttcs-central export FOLDER {PLACE} STICK\n",
    )
    assert ((none.stderr, elsewhere.stderr) == english) is (lang == "en")
    assert none.stdout == elsewhere.stdout == ""


def test_a_stick_pulled_out_in_the_middle_is_told_in_words(stick: Stick, clip: Clip, tmp_path: Path) -> None:
    """What the daemon can no longer read ends the command with 74, and with what to do."""
    stick.put(programme_of(clip.audio()))
    stick.put_audio(clip.data)
    answers: dict[str, dict[str, Any]] = {
        "import-scopes": {"station": "da-teh-01", "scope": PLACE, "scopes": [SCOPE, PLACE]},
        "import-programme": {"scope": SCOPE, "outcome": "accepted", "version": 1, "code": None, "detail": []},
        "import-wanted": {"audio": [{"sha256": clip.sha256, "size_bytes": 9}]},
        "import-audio": {"outcome": "unreadable", "offset": 4, "code": None, "detail": []},
    }
    with daemon(tmp_path, lambda request: answers[request["ask"]]) as path:
        done = run("import", stick.path, "--socket", path, "--lang", "en")

    assert done.returncode == os.EX_IOERR
    assert done.stderr.splitlines() == [
        f"The stick can no longer be read: audio/{clip.sha256}",
        "Plug it in and run this again: it goes on where it was, and nothing half copied will air",
    ]


def test_a_terminal_shows_how_far_a_file_has_come(stick: Stick, clip: Clip, tmp_path: Path) -> None:
    """One line that grows, and is gone at the end."""
    stick.put(programme_of(clip.audio()))
    stick.put_audio(clip.data)
    copying = iter([("copying", 3), ("copying", 6), ("stored", 9)])

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        match request["ask"]:
            case "import-scopes":
                return {"station": "da-teh-01", "scope": PLACE, "scopes": [SCOPE, PLACE]}
            case "import-programme":
                return {"scope": SCOPE, "outcome": "in-force", "version": 1, "code": None, "detail": []}
            case "import-wanted":
                return {"audio": [{"sha256": clip.sha256, "size_bytes": 9}]}
            case _:
                outcome, offset = next(copying)
                return {"outcome": outcome, "offset": offset, "code": None, "detail": []}

    with daemon(tmp_path, answer) as path:
        shown = on_terminal("import", stick.path, "--socket", path, COLUMNS="40")

    assert "\rTệp 1/1: 33%\x1b[K\rTệp 1/1: 66%\x1b[K\r\x1b[KĐã chép: 1 tệp (0.0 MB)" in shown


def reports_in(file: Path) -> list[EventReport]:
    """Every line of a file of reports, read as the centre does."""
    found = [read_report(line) for line in file.read_bytes().splitlines()]
    assert all(isinstance(one, EventReport) for one in found)
    return found  # type: ignore[return-value]


def test_reports_are_carried_out_whole_and_stay_on_the_station(lonely: Station, stick: Stick) -> None:
    """Every report of the outbox is a line; two exports are two files, and the station keeps them for the broker."""
    replace_bytes(stick, b"no json")
    take_in(lonely, stick)
    depth = eventually(lambda: status(lonely)["outbox"]["depth"])

    first = run("export-reports", stick.path, "--config", lonely.config, "--lang", "en")
    second = run("export-reports", stick.path, "--config", lonely.config, "--json")

    told_second = json.loads(second.stdout)
    (first_file,) = set((stick.bundle / "reports").iterdir()) - {Path(told_second["file"])}
    once, again = reports_in(first_file), reports_in(Path(told_second["file"]))
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.startswith(f"Reports: {len(once)}, in")
    assert (told_second["station"], told_second["reports"]) == ("da-teh-01", len(again))
    assert len(once) >= depth and again[: len(once)] == once and len({one.id for one in again}) == len(again)
    assert ("not-json", "da-teh-01") in [(one.code, one.station) for one in once if isinstance(one, FaultReport)]
    assert status(lonely)["outbox"]["depth"] >= depth


def test_many_reports_come_in_pages_and_in_order(lonely: Station, tmp_path: Path) -> None:
    """More than one answer holds: none is lost between two pages, none comes twice, and --all brings the sent too."""
    lonely.stop()
    database = Database.open(lonely.folder / "state")
    faults = [
        Fault(f"1-f{n}", "relay", "cho", Severity.ERROR, (("error", "x" * 5_000),), WallMs(n), None)
        for n in range(1_000, 2_200)
    ]
    database.commit([effects.FaultRaised(one) for one in faults], "da-teh-01", 1_790_000_000_000)
    database.commit([effects.FaultCleared(replace(one, cleared_ms=WallMs(9))) for one in faults], "da-teh-01", 1)
    outbox = Outbox(database.path)
    outbox.mark_sent([row.seq for row in outbox.kept(800, 0)])
    outbox.close()
    database.close()
    lonely.start()
    unsent, every = tmp_path / "unsent.jsonl", tmp_path / "every.jsonl"

    assert run("export-reports", unsent, "--config", lonely.config).returncode == 0
    assert run("export-reports", every, "--all", "--config", lonely.config).returncode == 0

    ids = [one.id for one in reports_in(every)]
    expected = [f"da-teh-01/{one.id}{end}" for end in ("", "/cleared") for one in faults]
    assert [name for name in ids if name in set(expected)] == expected
    waiting = [one.id for one in reports_in(unsent)]
    assert waiting == ids[800 : 800 + len(waiting)] and set(expected[800:]) <= set(waiting)  # what came since is in one


def test_a_stick_that_cannot_be_written_loses_no_report(tmp_path: Path) -> None:
    """No half file is left, and the words say that the reports are still on the station."""
    page = {"station": "da-teh-01", "reports": ["{}"], "after": 1}
    with daemon(tmp_path, lambda request: page if request["after"] == 0 else page | {"reports": []}) as path:
        full = run("export-reports", "/dev/full/x", "--socket", path, "--lang", "en")
        absent = run("export-reports", tmp_path / "gone/reports.jsonl", "--socket", path, "--lang", "en")
        unplugged = run("export-reports", tmp_path / "usbb", "--socket", path)

    assert (full.returncode, absent.returncode) == (os.EX_IOERR, os.EX_IOERR)
    assert (unplugged.returncode, (tmp_path / "usbb").exists()) == (os.EX_IOERR, False)
    assert absent.stderr.startswith(f"{tmp_path / 'gone/reports.jsonl'} cannot be written: No such file or directory\n")
    assert "the reports are still on the station" in full.stderr


def test_a_daemon_that_dies_in_the_middle_leaves_no_file(tmp_path: Path) -> None:
    """A file under its name is whole."""

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        if request["after"]:
            raise ControlError("timeout", seconds="4")
        return {"station": "da-teh-01", "reports": ["{}"], "after": 1}

    with daemon(tmp_path, answer) as path:
        done = run("export-reports", tmp_path, "--socket", path)

    assert done.returncode == os.EX_TEMPFAIL
    assert list((tmp_path / "ttcs/reports").iterdir()) == []


def test_a_station_with_nothing_to_tell_says_so(tmp_path: Path) -> None:
    """And makes no file."""
    page = {"station": "da-teh-01", "reports": [], "after": 0}
    with daemon(tmp_path, lambda request: page) as path:
        done = run("export-reports", tmp_path, "--socket", path, "--lang", "en")

    assert (done.returncode, done.stdout) == (0, "No report waits to be sent.\n")
    assert not (tmp_path / "ttcs").exists()
