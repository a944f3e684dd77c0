"""``ttcs-edge support-bundle``: what is in the file, what is not, and that no secret ever is."""

from __future__ import annotations

import base64
import json
import os
import random
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import AS_ANYBODY, daemon, run
from tests.parts import Station
from ttcs_edge.cli.support_bundle import BUNDLE_BYTES, pack
from ttcs_edge.cli.support_parts import PART_BYTES
from ttcs_edge.redaction import BLOT

WORD = "con-ga-trong-7419"


def opened(path: Path) -> dict[str, str]:
    """What each file of the archive holds; all of them lie in one folder, named as the archive is."""
    folder = path.name.partition(".")[0]
    found = {}
    with tarfile.open(path) as archive:
        for name in archive.getnames():
            file = archive.extractfile(name)
            assert file is not None and name.startswith(f"{folder}/")
            found[name.removeprefix(f"{folder}/")] = file.read().decode()
    return found


def made(
    folder: Path, *words: str | Path, by: Sequence[str] = (), path: str = os.environ["PATH"]
) -> tuple[dict[str, Any], dict[str, str]]:
    """What the command told, and what is in its file."""
    bundle = folder / "tram.tar.xz"
    done = run("support-bundle", bundle, "--json", *words, by=by, PATH=path)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["file"] == str(bundle) and told["size_bytes"] == bundle.stat().st_size <= BUNDLE_BYTES
    assert bundle.stat().st_mode & 0o777 == 0o600
    return told, opened(bundle)


def test_of_a_running_station_everything_is_there_and_no_secret_is(station: Station, tmp_path: Path) -> None:
    """Its private key, and a password in its config: in base64 neither."""
    station.extra = "".join(
        (f"# đài huyện: https://ky-thuat:{WORD}", "@da-teh.example/song.m3u8\n", f"# password: {WORD}\n")
    )
    station.install()
    station.start()
    key = station.broker.authority.client(station.id)[1].read_text()
    assert "PRIVATE KEY" in key

    told, files = made(tmp_path, "--config", station.config)

    answers = {"status.json", "schedule.json", "trust.json", "as-run.jsonl", "faults.jsonl"}
    assert answers | {"station.yaml", "versions.json", "state-files.txt", "disks.txt"} <= set(told["parts"])
    assert set(files) == {*told["parts"], "contents.txt"}
    assert json.loads(files["status.json"])["station"] == "da-teh-01"
    assert "ttcs.db" in files["state-files.txt"]
    assert f"https://{BLOT}@da-teh.example/song.m3u8" in files["station.yaml"]
    whole = "\n".join(files.values())
    secrets = [WORD, base64.b64encode(WORD.encode()).decode(), *key.split("\n")[1:-2]]
    assert [secret for secret in secrets if secret in whole] == []


def test_of_a_dead_station_with_a_wrong_config_the_rest_is_there(tmp_path: Path) -> None:
    """It is what a bundle is for: each part that is missing says why."""
    config = tmp_path / "station.yaml"
    config.write_text("id: [\n")

    told, files = made(tmp_path, "--config", config, "--socket", tmp_path / "none.sock")

    assert files["station.yaml"] == "id: [\n"
    for name in ("status.json", "schedule.json", "trust.json", "as-run.jsonl", "faults.jsonl"):
        assert told["missing"][name] == "not-running"
    for name, why in told["missing"].items():
        assert f"       -  {name}: {why}\n" in files["contents.txt"]
    for name in told["parts"]:
        assert f"{len(files[name].encode()):>8}  {name}\n" in files["contents.txt"]


def test_what_is_a_password_in_the_config_is_one_in_every_part(tmp_path: Path) -> None:
    """A program that says it without its name, also in base64 behind a user's; and a key that a file begins within."""
    config = tmp_path / "station.yaml"
    config.write_text(f"# {'x' * PART_BYTES}\nMHcCAQEE\n-----END EC PRIVATE KEY-----\n# mật khẩu: {WORD}\nid: tram\n")
    program = tmp_path / "bin/free"
    program.parent.mkdir()
    program.write_text(
        f"#!/bin/sh\necho 401 {WORD}\necho Digest {base64.b64encode(f'tram:{WORD}'.encode()).decode()}\n"
    )
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"

    _, files = made(tmp_path, "--config", config, "--socket", tmp_path / "none.sock", path=path)

    assert files["station.yaml"] == f"{BLOT}\n# mật khẩu: {BLOT}\nid: tram\n"
    assert files["memory.txt"] == f"401 {BLOT}\nDigest dHJhbTp{BLOT}Q==\n"


def test_an_answer_that_is_nonsense_is_one_part_less(tmp_path: Path) -> None:
    """All others are asked for all the same."""
    asked: list[str] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request["ask"])
        raise OSError("nonsense")

    with daemon(tmp_path, answer) as path:
        told, _ = made(tmp_path, "--config", tmp_path / "none", "--socket", path)

    assert set(asked) == {"status", "schedule", "trust", "told"}
    assert told["missing"]["status.json"] == "bad-answer"


@pytest.mark.skipif(not AS_ANYBODY, reason="only root can give up its rights")
def test_who_may_see_little_is_given_little(tmp_path: Path) -> None:
    """What is shut to the user stays shut, and is told."""
    shut = tmp_path / "station.yaml"
    shut.write_text("id: da-teh-01\n")
    shut.chmod(0)

    told, files = made(tmp_path, "--config", shut, "--socket", tmp_path / "none.sock", by=AS_ANYBODY)

    assert told["missing"]["station.yaml"] == f"[Errno 13] Permission denied: '{shut}'"
    assert "station.yaml" not in files


def test_where_it_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A stick that is not there; nothing is left behind."""
    path = tmp_path / "usb/tram.tar.xz"

    done = run("support-bundle", path, "--config", tmp_path / "none", "--lang", "vi")

    assert (done.returncode, done.stdout) == (os.EX_IOERR, "")
    assert f"Không ghi được {path}: No such file or directory" in done.stderr
    assert [*tmp_path.iterdir()] == []


def test_a_part_that_grows_keeps_its_end(tmp_path: Path) -> None:
    """From a whole line on."""
    config = tmp_path / "station.yaml"
    config.write_text("".join(f"# {number}\n" for number in range(200_000)))

    _, files = made(tmp_path, "--config", config, "--socket", tmp_path / "none.sock")

    lines = files["station.yaml"].split("\n")
    assert lines[-2:] == ["# 199999", ""]
    assert PART_BYTES - 16 < len(files["station.yaml"]) <= PART_BYTES


def test_what_is_too_large_together_loses_its_largest_part() -> None:
    """And says so."""
    noise = random.Random(7)
    found = {name: noise.randbytes(size) for name, size in (("a", 20_000), ("b", 30_000), ("c", 10_000))}
    missing: dict[str, str] = {}

    packed = pack(found, missing, "tram", 50_000)

    assert len(packed) <= 50_000
    assert (set(found), missing) == ({"a", "c"}, {"b": "too-large"})
