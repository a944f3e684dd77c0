"""``ttcs-central trust FOLDER publish``: checked as a station would, kept whatever the power does, sent as one list."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.central.test_carried import everything, published
from tests.central.trust import PLACE, SCOPE, names_of, publish, root, rotate, state, trust
from tests.parts import Broker, Listener, eventually
from ttcs_edge import whole_files
from ttcs_edge.central import trust_publish
from ttcs_edge.central.broker import OperatorClient
from ttcs_edge.central.centre import now, open_centre
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.main import main
from ttcs_edge.core.documents import Signed
from ttcs_edge.core.limits import LIMITS
from ttcs_edge.core.trust import trust_subject
from ttcs_edge.wire.documents import read_programme, read_trust_chain
from ttcs_edge.wire.topics import Topics

TOPIC = Topics("ttcs/v1").trust(SCOPE)
NEW = ("--revoke", "publish-1", "--new-key", "publish-2:publish")


def standing(broker: Broker) -> bytes | None:
    """What stands on the topic of the roots, as a newcomer hears it."""
    listener = Listener(broker, "newcomer", subscribe="ttcs/v1/#")
    try:
        listener.publish("ttcs/v1/mark", b"mark", retain=False)
        eventually(lambda: listener.messages and listener.messages[-1][1] == b"mark")
        return dict(listener.messages).get(TOPIC)
    finally:
        listener.close()


def trust_files(folder: Path) -> set[str]:
    """What lies in the folder ``trust``."""
    return {path.name for path in (folder / "trust").iterdir()}


def test_a_root_comes_into_force_and_all_before_it_are_kept(centre_folder: Path, own_broker: Broker) -> None:
    """New stations get the newest; nothing waits any more."""
    first = (centre_folder / "trust/root.dsse.json").read_bytes()

    assert rotate(centre_folder, own_broker, *NEW) == 0

    second = (centre_folder / "trust/root.dsse.json").read_bytes()
    assert trust_files(centre_folder) == {"1.dsse.json", "2.dsse.json", "root.dsse.json"}
    assert (centre_folder / "trust/1.dsse.json").read_bytes() == first
    assert (centre_folder / "trust/2.dsse.json").read_bytes() == second
    assert names_of(centre_folder, "publish") == ["publish-2"]
    assert [one.public_key.keyid for one in open_centre(centre_folder).signers("publish")] == [
        next(one.keyid for one in open_centre(centre_folder).settings.keys if one.name == "publish-2")
    ]
    assert standing(own_broker) == b"[" + first + b"," + second + b"]"


def test_one_of_two_root_signatures_is_not_enough_and_it_says_who_lacks(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is sent, nothing in the folder changes."""
    assert trust(centre_folder, "draft", *NEW, "--revoke=root-1", "--new-key=root-4:root") == 0
    assert trust(centre_folder, "sign", "--with=root-1") == 0
    before = everything(centre_folder / "trust")
    capsys.readouterr()

    assert publish(centre_folder, own_broker) == 65

    assert capsys.readouterr().err == (
        "Root version 2 lacks signatures: 1 by root keys of version 1 (root-2, root-3), 2 by its own (root-2, root-3,"
        " root-4)\n"
        f"Nothing was sent. Carry centre.yaml and trust/ to them: ttcs-central trust {centre_folder} sign\n"
    )
    assert (everything(centre_folder / "trust"), standing(own_broker)) == (before, None)
    assert trust(centre_folder, "sign", "--with=root-2") == 0
    capsys.readouterr()
    assert publish(centre_folder, own_broker) == 65
    assert capsys.readouterr().err.splitlines()[0] == (
        "Root version 2 lacks signatures: 0 by root keys of version 1 (-), 1 by its own (root-3, root-4)"
    )
    assert trust(centre_folder, "sign", "--with=root-4") == 0
    assert publish(centre_folder, own_broker) == 0


def test_a_signature_that_was_stripped_or_forged_counts_for_nothing(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the stick on which it was carried."""
    assert trust(centre_folder, "draft", *NEW) == 0
    assert trust(centre_folder, "sign") == 0
    file = centre_folder / "trust/next.dsse.json"
    envelope: dict[str, Any] = json.loads(file.read_bytes())
    signatures = envelope["signatures"]
    signatures[0]["sig"], signatures[1]["sig"] = signatures[1]["sig"], signatures[0]["sig"]
    file.write_text(json.dumps(envelope))
    capsys.readouterr()
    assert publish(centre_folder, own_broker) == 65
    assert capsys.readouterr().err.startswith("Root version 2 lacks signatures: 1 by root keys of version 1 (root-1, ")
    assert root(centre_folder).version == 1


class PowerCut(BaseException):
    """The power goes."""


def cut(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Let the power go in place of some step: where a file is put, within that, where one goes, or before sending."""
    count = 0

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def instead(*arguments: Any, **more: Any) -> Any:
            nonlocal count
            count += 1
            if count == step:
                raise PowerCut
            return call(*arguments, **more)

        return instead

    monkeypatch.setattr(whole_files, "replace", counted(whole_files.replace))
    monkeypatch.setattr(Path, "unlink", counted(Path.unlink))
    monkeypatch.setattr(OperatorClient, "publish", counted(OperatorClient.publish))


@pytest.mark.parametrize("step", range(1, 11))
def test_a_power_cut_at_any_step_leaves_a_centre_that_goes_on(
    centre_folder: Path, own_broker: Broker, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """It opens, a draft or a publish is not mistaken in what waits, and the same command does the rest."""
    assert trust(centre_folder, "draft", *NEW) == 0
    assert trust(centre_folder, "sign") == 0
    with monkeypatch.context() as power:
        cut(power, step)
        if step < 10:
            with pytest.raises(PowerCut):
                publish(centre_folder, own_broker)
        else:
            assert publish(centre_folder, own_broker) == 0, "there is no such step"

    version = root(centre_folder).version
    assert version == (1 if step <= 6 else 2)
    if version == 1:
        assert trust(centre_folder, "draft") == 73, "somebody's signatures wait"
    assert publish(centre_folder, own_broker) == 0
    assert trust_files(centre_folder) == {"1.dsse.json", "2.dsse.json", "root.dsse.json"}
    assert root(centre_folder).version == 2
    chain = standing(own_broker)
    assert chain is not None and chain.count(b'"payload"') == 2
    assert rotate(centre_folder, own_broker, "--new-key=publish-3:publish") == 0
    assert root(centre_folder).version == 3


def test_a_draft_after_a_power_cut_is_not_taken_for_what_was_published(centre_folder: Path, own_broker: Broker) -> None:
    """What was signed for the root in force is left over: it waits for nobody, and goes."""
    assert trust(centre_folder, "draft") == 0
    assert trust(centre_folder, "sign") == 0
    left_over = (centre_folder / "trust/next.dsse.json").read_bytes()
    assert publish(centre_folder, own_broker) == 0
    (centre_folder / "trust/next.dsse.json").write_bytes(left_over)

    assert trust(centre_folder, "draft") == 0
    assert trust_files(centre_folder) == {"1.dsse.json", "2.dsse.json", "next.yaml", "root.dsse.json"}
    assert publish(centre_folder, own_broker) == 0
    assert (centre_folder / "trust/next.yaml").exists(), "nobody has signed it yet"
    assert root(centre_folder).version == 2


def test_without_anything_new_the_same_list_is_sent_again(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also by a centre of an older release, which has its one root and no numbers; and a draft is not forgotten."""
    assert publish(centre_folder, own_broker) == 0
    first = (centre_folder / "trust/root.dsse.json").read_bytes()
    assert standing(own_broker) == b"[" + first + b"]"
    assert trust_files(centre_folder) == {"1.dsse.json", "root.dsse.json"}
    assert trust(centre_folder, "draft") == 0
    capsys.readouterr()
    assert publish(centre_folder, own_broker) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"Trust root {SCOPE} version 1, until ")
    assert said[-1] == "Nobody has signed trust/next.yaml: it is not in force"


def test_a_folder_that_is_an_old_copy_puts_nothing_in_the_place_of_what_is_newer(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another machine rotated meanwhile; with what this one has in hand, a station would lose its way."""
    old = Path(shutil.copytree(centre_folder, tmp_path / "old"))
    assert rotate(centre_folder, own_broker, *NEW) == 0
    before = standing(own_broker)
    told = (
        "The broker has trust root version 2, this folder version 1\n"
        f"This folder is an old copy: copy {old}/trust from the machine that published the other\n"
    )
    capsys.readouterr()
    assert publish(old, own_broker) == 69
    assert capsys.readouterr().err == told
    assert trust(old, "draft") == 0
    assert trust(old, "sign") == 0
    capsys.readouterr()
    assert publish(old, own_broker) == 69
    assert capsys.readouterr().err == told
    assert (root(old).version, standing(own_broker)) == (1, before)


def test_what_anybody_else_put_there_is_replaced(centre_folder: Path, own_broker: Broker) -> None:
    """Whoever may write to the broker, it leads nowhere."""
    listener = Listener(own_broker)
    listener.publish(TOPIC, b"[1]")
    listener.close()
    assert rotate(centre_folder, own_broker, *NEW) == 0
    assert (standing(own_broker) or b"").count(b'"payload"') == 2


def test_a_broker_that_is_away_changes_nothing(centre_folder: Path, own_broker: Broker) -> None:
    """The root comes into force with its way to the stations."""
    assert trust(centre_folder, "draft", *NEW) == 0
    assert trust(centre_folder, "sign") == 0
    before = everything(centre_folder / "trust")
    own_broker.stop()
    assert publish(centre_folder, own_broker) == 69
    assert everything(centre_folder / "trust") == before
    own_broker.start()
    assert publish(centre_folder, own_broker) == 0


def test_no_more_roots_are_sent_than_a_station_takes(centre_folder: Path, own_broker: Broker) -> None:
    """The newest; a station that slept through more is brought the root by hand."""
    for _ in range(LIMITS.trust_roots):
        assert trust(centre_folder, "draft") == 0
        assert trust(centre_folder, "sign") == 0
        trust_publish.keep_in_force(open_centre(centre_folder), trust_publish.coming(open_centre(centre_folder)))
    assert publish(centre_folder, own_broker) == 0
    chain = standing(own_broker)
    assert chain is not None
    second = (centre_folder / "trust/2.dsse.json").read_bytes()
    assert chain.startswith(b"[" + second) and len(chain) < LIMITS.trust_bytes
    before = open_centre(centre_folder)
    roots = read_trust_chain(chain, before.trust.document, trust_subject(SCOPE))
    assert isinstance(roots, tuple) and roots[-1].document.version == LIMITS.trust_roots + 1


def test_a_root_that_was_lost_or_spoilt_does_not_go_out(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without one in between no station could follow: those behind the gap go out. A spoilt one is told."""
    for wish in ("--new-key=publish-2:publish", "--new-key=publish-3:publish", "--new-key=publish-4:publish"):
        assert rotate(centre_folder, own_broker, wish) == 0
    (centre_folder / "trust/2.dsse.json").unlink()
    assert publish(centre_folder, own_broker) == 0
    assert (standing(own_broker) or b"").count(b'"payload"') == 2
    spoilt = centre_folder / "trust/3.dsse.json"
    spoilt.write_bytes(b"{")
    capsys.readouterr()
    assert publish(centre_folder, own_broker) == 66
    assert capsys.readouterr().err.splitlines()[0] == f"{spoilt} cannot be used: not-json"


def test_a_root_that_has_expired_is_renewed(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every other command ends there; these go on."""
    assert trust(centre_folder, "draft") == 0
    file = centre_folder / "trust/next.yaml"
    file.write_text(file.read_text().replace("days: 3650", "days: 1"))
    assert trust(centre_folder, "sign") == 0
    assert publish(centre_folder, own_broker) == 0
    later = now().wall_ms + 3 * 86_400_000
    monkeypatch.setattr("time.time_ns", lambda: later * 1_000_000)
    with pytest.raises(CentralError):
        open_centre(centre_folder)
    assert trust(centre_folder, "show") == 0
    assert "!! until" in capsys.readouterr().out
    assert publish(centre_folder, own_broker) == 65
    assert capsys.readouterr().err.startswith("Stations would refuse this root: expired expires=")
    assert trust(centre_folder, "draft") == 0
    file.write_text(file.read_text().replace("days: 1", "days: 30"))
    assert trust(centre_folder, "sign") == 0
    assert publish(centre_folder, own_broker) == 0
    assert root(centre_folder).version == 3


def test_what_only_revoked_keys_had_signed_is_told_and_asked_about(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """A programme that is in force, and none that has expired. Nobody answers: nothing is changed."""
    published(open_centre(centre_folder), PLACE, version=7)
    published(open_centre(centre_folder), f"{PLACE}/thon-1", version=3, days=-1)
    assert trust(centre_folder, "draft", *NEW) == 0
    assert trust(centre_folder, "sign") == 0
    capsys.readouterr()

    assert publish(centre_folder, own_broker) == 77

    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "!! STATIONS WILL WITHDRAW AT ONCE, because only revoked keys had signed it: 1",
        f"  programme {PLACE} version 7",
    ]
    assert said.err == "Nothing was sent: there is nobody to ask\nRun it on a terminal, or add --yes\n"
    assert (root(centre_folder).version, standing(own_broker)) == (1, None)

    assert publish(centre_folder, own_broker, "--yes") == 0
    advice = " ".join(capsys.readouterr().out.split())
    assert "Publish again what was withdrawn: ttcs-central publish" in advice
    assert advice.endswith("Restart what runs all the time (beacon, cap-feed, live): it still has the old keys.")


def test_an_alert_that_only_a_revoked_key_had_signed_is_told(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody would be warned any more: it must be sent again."""
    template = centre_folder / "alerts/templates/thu.yaml"
    template.write_text(
        "severity: Severe\nurgency: Immediate\ncertainty: Observed\nexpires_in_minutes: 60\n"
        "info:\n  - {language: vi, headline: Lũ quét, description: Lên chỗ cao.}\n"
    )
    words = ["alert", str(centre_folder), "thu", "--scope", PLACE, "--id", "lu", "--yes", "--wait", "1"]
    assert main([*words, "--broker", f"127.0.0.1:{own_broker.port}"]) in (0, 1)
    assert trust(centre_folder, "draft", *NEW) == 0
    assert trust(centre_folder, "sign") == 0
    capsys.readouterr()
    assert publish(centre_folder, own_broker) == 77
    assert capsys.readouterr().out.splitlines()[1] == f"  alert {PLACE}#alert:lu version 1"


def test_what_a_good_key_signed_too_is_not_asked_about(centre_folder: Path, own_broker: Broker) -> None:
    """It stays on the air."""
    assert rotate(centre_folder, own_broker, "--new-key=publish-2:publish") == 0
    published(open_centre(centre_folder), PLACE)
    assert trust(centre_folder, "draft", "--revoke=publish-1") == 0
    assert trust(centre_folder, "sign") == 0
    assert publish(centre_folder, own_broker) == 0


def test_two_persons_approve_a_programme(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A threshold of two: with both keys here it goes out with two signatures, with one of them it stays here."""
    file = tmp_path / "programme.yaml"
    file.write_text(
        f"scope: {PLACE}\ntime_zone: Asia/Ho_Chi_Minh\nvalid_days: 30\nbulletins:\n"
        "  - {id: chao, title: Lời chào, text: Xin chào bà con.}\nslots: []\n"
    )
    send = ["publish", str(centre_folder), str(file), "--via-broker", "--broker", f"127.0.0.1:{own_broker.port}"]
    assert rotate(centre_folder, own_broker, "--new-key=an:publish", "--threshold=publish=2") == 0
    assert main(send) == 0
    trusted = root(centre_folder)
    envelope = (centre_folder / f"programmes/{PLACE}/1.dsse.json").read_bytes()
    signed = read_programme(envelope, trusted, PLACE)
    assert isinstance(signed, Signed) and len(signed.signers) == 2

    settings = (centre_folder / "centre.yaml").read_text()
    (centre_folder / "centre.yaml").write_text(settings.replace('"file2:keys/an.pem"', '"elsewhere:"'))
    (centre_folder / "keys/an.pem").rename(tmp_path / "an.pem")
    capsys.readouterr()
    assert main([*send, "--lang", "en"]) == 65
    assert capsys.readouterr().err.splitlines()[0] == (
        "Stations would refuse this document: not-enough-signatures found=1, expected=2"
    )
    (tmp_path / "an.pem").rename(centre_folder / "keys/an.pem")
    assert main(send) == 0, "her card is plugged in"


def test_with_no_key_that_counts_nothing_is_signed(
    centre_folder: Path, own_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """A machine that has the revoked key alone sends no beacon without a signature."""
    assert rotate(centre_folder, own_broker, *NEW) == 0
    text = (centre_folder / "centre.yaml").read_text()
    (centre_folder / "centre.yaml").write_text(text.replace('"file2:keys/publish-2.pem"', '"elsewhere:"'))
    (centre_folder / "keys/publish-2.pem").unlink()
    capsys.readouterr()
    assert main(["beacon", str(centre_folder), "--broker", f"127.0.0.1:{own_broker.port}", "--lang", "en"]) == 66
    assert capsys.readouterr().err == (
        f"No publish key is here that the trust root knows\nSee: ttcs-central trust {centre_folder} show\n"
    )


def test_a_stick_leaves_out_what_a_revoked_key_had_signed_and_leads_to_the_newest_root(
    centre_folder: Path, own_broker: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told, and the roots go alone when nothing else is in force: they end what a thief signed."""
    published(open_centre(centre_folder), PLACE, version=4)
    assert rotate(centre_folder, own_broker, *NEW) == 0
    capsys.readouterr()

    assert main(["export", str(centre_folder), PLACE, str(tmp_path), "--lang", "en"]) == 0

    assert capsys.readouterr().out.splitlines()[:3] == [
        f"{PLACE} version 4 was signed by a revoked key: left out, publish it",
        "again",
        "Trust roots up to version 2",
    ]
    assert everything(tmp_path / "ttcs") == {"trust.vn.lam-dong.json": standing(own_broker)}


def test_state_tells_what_is_kept(
    centre_folder: Path, own_broker: Broker, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """And which keys nothing is granted to any more."""
    assert rotate(centre_folder, own_broker, *NEW) == 0
    told = state(centre_folder, capfdbinary)
    assert (told["version"], told["kept"], told["unused"], told["coming"]) == (2, [1, 2], ["publish-1"], None)
