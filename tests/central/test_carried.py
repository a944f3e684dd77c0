"""What the centre puts on a stick, and what it takes from one: nothing that a stick holds is believed."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import ClassVar

import pytest
from msgspec.structs import replace
from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from tests.central.test_watch import TOPICS
from tests.parts import Broker, eventually, utc
from ttcs_edge.central.centre import Centre, open_centre
from ttcs_edge.central.ledger import Kept, opened_ledger
from ttcs_edge.central.main import main
from ttcs_edge.core.documents import Audio, Bulletin, Programme, Signed
from ttcs_edge.core.model import Scope, Sha256
from ttcs_edge.wire.bundle import programme_name
from ttcs_edge.wire.documents import read_programme, write_document
from ttcs_edge.wire.envelope import PAYLOAD_TYPES, sign
from ttcs_edge.wire.reports import REPORT_BYTES, FaultReport, StatusReport, encode

PLACE = "vn/lam-dong/da-teh"


@pytest.fixture
def centre(centre_folder: Path) -> Centre:
    """A centre with one station."""
    command = ["add-station", str(centre_folder), "da-teh-01", "--scope", PLACE, "--broker", "127.0.0.1"]
    assert main(command) == 0
    return open_centre(centre_folder)


def published(centre: Centre, scope: str, *recordings: bytes, version: int = 1, days: int = 7) -> bytes:
    """Leave behind what ``publish`` leaves: a signed programme of a scope and its audio; gives the envelope."""
    now = datetime.now(timezone.utc)
    hashes = [Sha256(hashlib.sha256(data).hexdigest()) for data in recordings]
    bulletins = tuple(
        Bulletin(
            id=f"tin-{n}",
            title=f"Tin {n}",
            audio=(
                Audio(
                    language="vi",
                    sha256=sha256,
                    size_bytes=len(data),
                    duration_ms=1_000,
                    media_type="audio/ogg",
                    loudness_lufs=-16.0,
                    places=("broker:",),
                ),
            ),
        )
        for n, (sha256, data) in enumerate(zip(hashes, recordings, strict=True))
    )
    programme = Programme(
        scope=Scope(scope),
        version=version,
        issued=utc(now - timedelta(days=30)),
        expires=utc(now + timedelta(days=days)),
        time_zone="Asia/Ho_Chi_Minh",
        bulletins=bulletins,
        slots=(),
    )
    envelope = sign(write_document(programme), PAYLOAD_TYPES["programme"], centre.signers("publish"))
    folder = centre.programme_folder(scope)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "version.txt").write_text(f"{version}\n")
    (folder / f"{version}.dsse.json").write_bytes(envelope)
    for sha256, data in zip(hashes, recordings, strict=True):
        (centre.folder / f"audio/{sha256}.ogg").write_bytes(data)
    return envelope


def everything(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def usb(folder: Path) -> Path:
    """An empty stick."""
    path = folder / "usb"
    path.mkdir(exist_ok=True)
    return path


class TestExport:
    """``ttcs-central export``."""

    def test_a_stick_holds_what_is_in_force_above_at_and_below_a_place(self, centre: Centre, tmp_path: Path) -> None:
        """The very bytes that were published, the newest of each scope, and the audio that they name, and no more."""
        old, new, own, village, beside = (os.urandom(1_000) for _ in range(5))
        published(centre, "vn/lam-dong", old, version=9)
        province = published(centre, "vn/lam-dong", new, version=10)
        commune = published(centre, PLACE, own, new)
        below = published(centre, f"{PLACE}/thon-4", village)
        published(centre, "vn/lam-dong/bao-loc", beside)

        assert main(["export", str(centre.folder), PLACE, str(usb(tmp_path))]) == 0

        audio = {f"ttcs/audio/{hashlib.sha256(data).hexdigest()}": data for data in (new, own, village)}
        assert everything(tmp_path / "usb") == audio | {
            "ttcs/programme.vn.lam-dong.json": province,
            "ttcs/programme.vn.lam-dong.da-teh.json": commune,
            "ttcs/programme.vn.lam-dong.da-teh.thon-4.json": below,
        }

    def test_every_name_is_one_that_fat32_takes(self) -> None:
        """Small letters, no reserved name, at most 255 characters; and no two scopes share one."""
        longest = "/".join(["a" * 9] * 20)
        names = [programme_name(scope) for scope in ("con", "aux/nul", "a-b/c", "a/b-c", "a/b/c", longest)]

        assert len(set(names)) == len(names)
        for name in names:
            assert re.fullmatch(r"programme(\.[a-z0-9-]+)+\.json", name) and len(name) <= 255

    def test_a_second_export_writes_only_what_changed(self, centre: Centre, tmp_path: Path) -> None:
        """A good file stays untouched, one that rotted on the stick is put right."""
        good, rotten = os.urandom(1_000), os.urandom(1_000)
        published(centre, PLACE, good, rotten)
        command = ["export", str(centre.folder), PLACE, str(tmp_path)]
        assert main(command) == 0
        kept = tmp_path / f"ttcs/audio/{hashlib.sha256(good).hexdigest()}"
        mended = tmp_path / f"ttcs/audio/{hashlib.sha256(rotten).hexdigest()}"
        os.utime(kept, (1, 1))
        mended.write_bytes(b"x" + rotten[1:])

        assert main(command) == 0

        assert (kept.stat().st_mtime, mended.read_bytes()) == (1, rotten)

    def test_what_has_expired_is_left_out_and_told(
        self, centre: Centre, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """No station would take it; and when nothing else is there, that is said."""
        published(centre, "vn/lam-dong", days=-1, version=3)
        assert main(["export", str(centre.folder), PLACE, str(tmp_path), "--lang", "en"]) == 66
        assert capsys.readouterr().err == (
            f"No programme is in force for {PLACE}\nPublish one first: ttcs-central publish\n"
        )
        assert everything(tmp_path / "ttcs") == {}

        published(centre, PLACE)
        assert main(["export", str(centre.folder), PLACE, str(tmp_path), "--lang", "en"]) == 0
        assert capsys.readouterr().out.splitlines()[:3] == [
            "vn/lam-dong/da-teh version 1",
            "vn/lam-dong version 3 has expired: left out",
            "Audio files: 0, 0.0 MB",
        ]

    @pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"x")])
    def test_audio_that_the_centre_lost_stops_the_export_before_its_document(
        self, centre: Centre, tmp_path: Path, spoil: Callable[[Path], object]
    ) -> None:
        """Gone or rotten: a stick never holds a document whose audio it lacks."""
        data = os.urandom(100)
        published(centre, PLACE, data)
        spoil(centre.folder / f"audio/{hashlib.sha256(data).hexdigest()}.ogg")

        assert main(["export", str(centre.folder), PLACE, str(usb(tmp_path))]) == 66

        assert everything(tmp_path / "usb") == {}

    def test_a_programme_that_no_station_would_believe_is_not_exported(self, centre: Centre, tmp_path: Path) -> None:
        """A file of the centre's that somebody changed."""
        envelope = json.loads(published(centre, PLACE))
        envelope["signatures"] = []
        (centre.programme_folder(PLACE) / "1.dsse.json").write_text(json.dumps(envelope))

        assert main(["export", str(centre.folder), PLACE, str(tmp_path)]) == 66
        assert not (tmp_path / "ttcs").exists()

    def test_a_stick_that_cannot_be_written_is_told_with_its_file(
        self, centre: Centre, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A file stands where the folder should be."""
        published(centre, PLACE)
        (tmp_path / "ttcs").write_text("")

        assert main(["export", str(centre.folder), PLACE, str(tmp_path), "--lang", "en"]) == 73
        assert str(tmp_path / "ttcs") in capsys.readouterr().err

    def test_a_stick_that_is_not_plugged_in_does_not_become_a_folder_of_the_machine(
        self, centre: Centre, tmp_path: Path
    ) -> None:
        """A name mistyped would be a journey for nothing."""
        published(centre, PLACE)

        assert main(["export", str(centre.folder), PLACE, str(tmp_path / "usbb")]) == 73
        assert not (tmp_path / "usbb").exists()

    def test_a_place_outside_the_centre_is_refused(self, centre: Centre, tmp_path: Path) -> None:
        """It has another centre."""
        assert main(["export", str(centre.folder), "vn/da-nang", str(tmp_path)]) == 65

    def test_what_is_exported_verifies_as_from_the_broker(self, centre: Centre, tmp_path: Path) -> None:
        """The station's own reading of the bundle's bytes."""
        published(centre, PLACE)
        assert main(["export", str(centre.folder), PLACE, str(tmp_path)]) == 0
        data = (tmp_path / "ttcs" / programme_name(PLACE)).read_bytes()
        assert isinstance(read_programme(data, centre.trust.document, PLACE), Signed)


def fault(number: int, **changes: object) -> FaultReport:
    """A report of the centre's own station."""
    report = FaultReport(
        id=f"da-teh-01/1-f{number}",
        station="da-teh-01",
        told="2026-11-24T05:00:00.000Z",
        code="link-down",
        subject="broker",
        severity="warning",
        detail={},
        raised="2026-11-24T05:00:00.000Z",
        cleared=None,
    )
    return replace(report, **changes)


def stick_of(folder: Path, *lines: bytes, name: str = "da-teh-01.20261124T050000Z.jsonl") -> Path:
    """A stick with one file of reports."""
    path = folder / "ttcs/reports"
    path.mkdir(parents=True, exist_ok=True)
    (path / name).write_bytes(b"".join(line + b"\n" for line in lines))
    return folder


def kept(centre: Centre) -> int:
    """How many reports the centre has."""
    with opened_ledger(centre) as ledger:
        return sum(one.count for one in ledger.counts())


class TestImportReports:
    """``ttcs-central import-reports``."""

    def test_each_report_is_kept_once_however_often_it_comes(
        self, centre: Centre, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The same stick again, and a second stick that holds some of the same."""
        lines = [encode(fault(number)) for number in range(1_200)]
        first = stick_of(tmp_path / "first", *lines[:800])
        second = stick_of(tmp_path / "second", *lines[400:])
        for stick in (first, first, second):
            assert main(["import-reports", str(centre.folder), str(stick), "--lang", "en"]) == 0

        name = "da-teh-01.20261124T050000Z.jsonl"
        assert capsys.readouterr().out.splitlines() == [
            f"{name}: 800 new, 0 known already",
            f"{name}: 0 new, 800 known already",
            f"{name}: 400 new, 400 known already",
        ]
        with opened_ledger(centre) as ledger:
            assert ledger.counts() == (Kept("da-teh-01", "fault", 1_200),)

    BAD: ClassVar[dict[str, bytes]] = {
        "not-json": encode(fault(1))[:-20],
        "oversized": b'{"kind": "fault", "x": "' + b"x" * (3 * REPORT_BYTES) + b'"}',
        "not-utf8": b'{"kind": "fault", "id": "\xff"}',
        "duplicate-key": b'{"kind": "fault", "kind": "fault"}',
        "too-deep": b"[" * 100 + b"]" * 100,
        "wrong-type": b'{"kind": "fault"}',
        "wrong-topic": encode(
            StatusReport(station="da-teh-01", scope=Scope(PLACE), state="online", software="1", boot=1, told=None)
        ),
        "wrong-station": encode(fault(1, station="da-teh-99", id="da-teh-99/1-f1")),
    }

    @pytest.mark.parametrize("code", BAD)
    def test_a_line_that_is_no_report_of_ours_is_refused_and_the_rest_is_kept(
        self, centre: Centre, tmp_path: Path, code: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """In the middle of good ones; its line is named, and the exit code says that not all was taken."""
        stick = stick_of(tmp_path, encode(fault(1)), self.BAD[code], encode(fault(2)))

        assert main(["import-reports", str(centre.folder), str(stick), "--lang", "en"]) == 65

        said = capsys.readouterr()
        assert f"line 2: {code}" in said.out
        assert said.err.startswith("Not all was taken: 1 lines refused, 0 unlike")
        assert kept(centre) == 2

    @pytest.mark.parametrize("station", ["../../keys/publish-1", "..", "operator", "da-teh-01/../x", ""])
    def test_no_name_of_a_station_leads_out_of_its_folder(self, centre: Centre, tmp_path: Path, station: str) -> None:
        """The operator's own certificate makes no station either."""
        stick = stick_of(tmp_path, encode(fault(1, station=station)))

        assert main(["import-reports", str(centre.folder), str(stick)]) == 65
        assert kept(centre) == 0

    def test_two_that_differ_under_one_id_are_told(self, centre: Centre, tmp_path: Path) -> None:
        """One of them was changed: the first stays, and the command does not end as if all were well."""
        assert main(["import-reports", str(centre.folder), str(stick_of(tmp_path, encode(fault(1))))]) == 0
        changed = stick_of(tmp_path, encode(fault(1, code="relay")))

        assert main(["import-reports", str(centre.folder), str(changed)]) == 65
        assert kept(centre) == 1

    def test_what_a_station_says_itself_takes_the_place_of_what_was_carried(self, centre: Centre) -> None:
        """A stick may be forged, the line has the station's certificate; and never the other way round."""
        forged, true = fault(1, code="relay"), fault(1)
        with opened_ledger(centre) as ledger:
            assert ledger.add([(forged, encode(forged))], "carried") == ["new"]
            assert ledger.add([(true, encode(true))], "broker") == ["differs"]
            assert ledger.add([(forged, encode(forged))], "carried") == ["differs"]
            assert ledger.add([(true, encode(true))], "carried") == ["known"]
            assert ledger.counts() == (Kept("da-teh-01", "fault", 1),)

    def test_a_file_that_is_a_link_or_a_fifo_is_not_read(self, centre: Centre, tmp_path: Path) -> None:
        """Whatever stands behind it."""
        (tmp_path / "elsewhere.jsonl").write_bytes(encode(fault(1)))
        folder = tmp_path / "usb/ttcs/reports"
        folder.mkdir(parents=True)
        (folder / "a.jsonl").symlink_to(tmp_path / "elsewhere.jsonl")
        assert main(["import-reports", str(centre.folder), str(usb(tmp_path))]) == 73
        (folder / "a.jsonl").unlink()
        os.mkfifo(folder / "a.jsonl")
        assert main(["import-reports", str(centre.folder), str(usb(tmp_path))]) == 73
        assert kept(centre) == 0

    def test_a_stick_without_reports_is_told(
        self, centre: Centre, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """And how they get there."""
        assert main(["import-reports", str(centre.folder), str(tmp_path), "--lang", "en"]) == 66
        assert capsys.readouterr().err.splitlines()[0] == f"There is no file of reports in {tmp_path}/ttcs/reports"

    def test_two_imports_at_once_keep_each_report_once(self, centre: Centre, tmp_path: Path) -> None:
        """Two operators, one stick each, the same reports."""
        stick = stick_of(tmp_path, *(encode(fault(number)) for number in range(2_000)))
        command = [sys.executable, "-m", "ttcs_edge.central.main", "import-reports", str(centre.folder), str(stick)]

        both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]

        assert [one.wait(60) for one in both] == [0, 0]
        said = b"".join(one.communicate()[0] for one in both).decode()
        assert sum(map(int, re.findall(r"mới (\d+)", said))) == 2_000
        assert kept(centre) == 2_000

    def test_a_broken_ledger_is_told_and_left_as_it_is(self, centre: Centre, tmp_path: Path) -> None:
        """It may be all the proof that there is: nobody begins a fresh one over it."""
        (centre.folder / "reports.db").write_bytes(b"no database" * 1_000)

        assert main(["import-reports", str(centre.folder), str(stick_of(tmp_path, encode(fault(1))))]) == 66
        assert (centre.folder / "reports.db").read_bytes() == b"no database" * 1_000


class Teller:
    """A station's client, which tells reports and remembers how many the broker had somebody to give to."""

    def __init__(self, broker: Broker) -> None:
        self.heard: set[str] = set()
        self._ids: dict[int, str] = {}
        self._answers: queue.SimpleQueue[tuple[int, bool]] = queue.SimpleQueue()
        certificate, key = broker.authority.client("da-teh-01")
        self._client = Client(CallbackAPIVersion.VERSION2, "teller", protocol=MQTTv5)
        self._client.tls_set(str(broker.authority.ca_file), str(certificate), str(key))
        self._client.on_publish = lambda c, u, mid, reason, p: self._answers.put((mid, reason.value == 0))
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def tell(self, numbers: Iterable[int], station: str = "da-teh-01") -> None:
        """Publish, and wait for every acknowledgement."""
        for number in numbers:
            report = fault(number, station=station, id=f"{station}/1-f{number}")
            sent = self._client.publish(TOPICS.station(station, "event"), encode(report), qos=1)
            self._ids[sent.mid] = report.id
        while self._ids:
            mid, was_heard = self._answers.get(timeout=10)
            name = self._ids.pop(mid)
            if was_heard:
                self.heard.add(name)

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def teller(own_broker: Broker) -> Iterator[Teller]:
    """The station of the centre, connected."""
    teller = Teller(own_broker)
    yield teller
    teller.close()


def has_ledger(centre: Centre) -> bool:
    """Tell whether the ledger is made."""
    if not (centre.folder / "reports.db").exists():
        return False
    with sqlite3.connect(centre.folder / "reports.db") as database:
        made = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    database.close()
    return bool(made)


def ids_kept(centre: Centre) -> set[str]:
    """The ids in the ledger."""
    with sqlite3.connect(centre.folder / "reports.db") as database:
        found = {row[0] for row in database.execute("SELECT id FROM reports")}
    database.close()
    return found


class TestWatchKeep:
    """``ttcs-central watch --keep``."""

    def watching(self, centre: Centre, broker: Broker) -> subprocess.Popen[bytes]:
        """The command, once it listens."""
        words = ["watch", str(centre.folder), "--json", "--keep", "--broker", f"127.0.0.1:{broker.port}"]
        process = subprocess.Popen([sys.executable, "-m", "ttcs_edge.central.main", *words], stdout=subprocess.PIPE)
        eventually(lambda: has_ledger(centre))
        return process

    def test_what_the_broker_gave_is_kept_also_when_the_watcher_leaves_in_the_middle(
        self, centre: Centre, own_broker: Broker, teller: Teller
    ) -> None:
        """Ctrl-C while reports pour in: each one that the broker had somebody for is in the ledger."""
        watching = self.watching(centre, own_broker)

        def tell_until_heard() -> bool:
            teller.tell([0])
            return bool(teller.heard)

        eventually(tell_until_heard)
        telling = threading.Thread(target=teller.tell, args=(range(1, 4_000),))
        telling.start()
        assert watching.stdout is not None
        for _ in range(200):
            watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=30)
        telling.join(30)

        assert watching.returncode == 130
        assert 200 <= len(teller.heard) < 4_000, "it left while there was more to come"
        assert teller.heard - ids_kept(centre) == set()

    def test_who_is_no_station_of_ours_is_not_kept(self, centre: Centre, own_broker: Broker, teller: Teller) -> None:
        """One that speaks for a station that the centre never made."""
        watching = self.watching(centre, own_broker)

        def tell_both() -> bool:
            teller.tell([1], "da-teh-99")
            teller.tell([1])
            return bool(ids_kept(centre))

        eventually(tell_both)
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=30)

        assert ids_kept(centre) == {"da-teh-01/1-f1"}
