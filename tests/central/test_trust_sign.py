"""``ttcs-central trust FOLDER sign``: several persons, each on a machine of his own, sign the very same bytes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.central.trust import carry, machine_of, root, state, trust
from ttcs_edge.central.centre import open_centre
from ttcs_edge.central.trust_folder import Waiting, lacks_of, waiting

WISHES = ("--revoke=root-1", "--new-key=root-4:root")


def next_root(folder: Path) -> Waiting:
    """What waits."""
    found = waiting(open_centre(folder))
    assert found is not None
    return found


def missing(folder: Path) -> list[int]:
    """How many of the old and of the new root's keys still have to sign."""
    return [one.missing for one in lacks_of(open_centre(folder), next_root(folder))]


def test_three_persons_sign_on_machines_of_their_own(
    centre_folder: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """A stick goes round: each has ``centre.yaml``, ``trust`` and one key. Two of the old root's keys are wanted, and
    two of the new one's; a key of both counts for both.
    """
    assert trust(centre_folder, "draft", *WISHES) == 0
    an = machine_of(centre_folder, tmp_path / "an", "root-1")
    binh = machine_of(centre_folder, tmp_path / "binh", "root-2")
    chi = machine_of(centre_folder, tmp_path / "chi", "root-4")
    (centre_folder / "keys/root-3.pem").unlink()

    assert trust(an, "sign") == 0
    payload = next_root(an).sealed.payload
    assert missing(an) == [1, 2], "the key that is revoked speaks for the old root once more"
    carry(an, binh)
    assert trust(binh, "sign") == 0
    assert missing(binh) == [0, 1]
    carry(binh, chi)
    assert trust(chi, "sign") == 0
    carry(chi, centre_folder)

    assert missing(centre_folder) == [0, 0]
    assert next_root(centre_folder).sealed.payload == payload
    told = state(centre_folder, capfdbinary)["coming"]
    assert told["signed_by"] == ["root-1", "root-2", "root-4"]
    assert told["lacking"] == [
        {"version": 1, "missing": 0, "names": ["root-3"]},
        {"version": 2, "missing": 0, "names": ["root-3"]},
    ]


def test_a_key_signs_once(centre_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Again it changes no byte, and who signed is told all the same."""
    assert trust(centre_folder, "draft", *WISHES) == 0
    assert trust(centre_folder, "sign", "--with", "root-2") == 0
    file = centre_folder / "trust/next.dsse.json"
    before = file.read_bytes()
    capsys.readouterr()
    for words in (["--with", "root-2"], ["--with", "root-2", "--with", "root-2"]):
        assert trust(centre_folder, "sign", *words) == 0
        assert file.read_bytes() == before
    said = " ".join(capsys.readouterr().out.split())
    assert "Just signed" not in said
    assert (
        "Signed by: root-2 Root keys of version 1: 1 more of: root-1, root-3"
        " Root keys of version 2: 1 more of: root-3, root-4 Carry"
    ) in said
    assert trust(centre_folder, "sign") == 0
    assert len(next_root(centre_folder).sealed.signatures) == 4
    done = file.read_bytes()
    assert trust(centre_folder, "sign") == 0
    assert file.read_bytes() == done


def test_a_draft_that_was_changed_behind_a_signature_is_refused(
    centre_folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Nobody signs what the one before him did not; remarks may be added, and the mend helps."""
    assert trust(centre_folder, "draft", *WISHES) == 0
    assert trust(centre_folder, "sign", "--with", "root-2") == 0
    draft, signed = centre_folder / "trust/next.yaml", centre_folder / "trust/next.dsse.json"
    text, before = draft.read_text(), signed.read_bytes()
    draft.write_text(f"{text}\n# xem rồi / seen\n")
    assert trust(centre_folder, "sign", "--with", "root-3") == 0
    signed.write_bytes(before)
    for changed in (
        text.replace("days: 3650", "days: 3649"),
        text.replace("    threshold: 2", "    threshold: 1"),
        text.replace("most_severe: Extreme", "most_severe: Minor"),
    ):
        draft.write_text(changed)
        capfdbinary.readouterr()
        assert trust(centre_folder, "sign") == 65
        assert capfdbinary.readouterr().err.decode() == (
            f"{draft} does not say any more what was signed (root-2)\n"
            f"Put {draft} back as it was; or delete {signed}, and all sign the new one\n"
        )
        assert signed.read_bytes() == before
        assert state(centre_folder, capfdbinary)["coming"]["changed"]
    signed.unlink()
    assert trust(centre_folder, "sign") == 0


def test_where_no_root_key_is_nobody_signs(
    centre_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says whose keys are wanted, and the two ways to bring key and draft together."""
    assert trust(centre_folder, "draft") == 0
    machine = machine_of(centre_folder, tmp_path / "an", "publish-1")
    capsys.readouterr()

    assert trust(machine, "sign") == 66

    assert capsys.readouterr().err == (
        "No root key that is to sign is here: root-1, root-2, root-3\n"
        f"Plug the token in, or put a key into {machine}/keys/NAME.pem; or carry centre.yaml and trust/ to it\n"
    )
    assert not (machine / "trust/next.dsse.json").exists()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--with", "an"), 65, "There is no key an\nThe keys are: root-1, root-2, root-3\n"),
        (("--with", "publish-1"), 65, "There is no key publish-1\nThe keys are: root-1, root-2, root-3\n"),
        (
            ("--with", "root-1"),
            66,
            "Key root-1 (file2:keys/root-1.pem) cannot be used: FileNotFoundError\n"
            "Plug the token in, or put the key where centre.yaml says it is\n",
        ),
    ],
)
def test_a_key_that_is_named_must_be_a_root_key_that_is_here(
    centre_folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, told: str
) -> None:
    """Else nothing is signed, with the others neither."""
    assert trust(centre_folder, "draft") == 0
    (centre_folder / "keys/root-1.pem").unlink()
    capsys.readouterr()
    assert trust(centre_folder, "sign", "--with", "root-2", *words) == code
    assert capsys.readouterr().err == told
    assert not (centre_folder / "trust/next.dsse.json").exists()


def test_a_private_key_under_anothers_name_signs_nothing(
    centre_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A signature that no station would count is not kept."""
    assert trust(centre_folder, "draft") == 0
    shutil.copy(centre_folder / "keys/publish-1.pem", centre_folder / "keys/root-2.pem")
    capsys.readouterr()
    assert trust(centre_folder, "sign") == 66
    assert (
        capsys.readouterr().err.splitlines()[0] == "Key root-2 (file2:keys/root-2.pem) cannot be used: KeyMismatchError"
    )
    assert not (centre_folder / "trust/next.dsse.json").exists()


def test_a_key_made_elsewhere_signs_where_it_is(centre_folder: Path, tmp_path: Path) -> None:
    """Its private part never came to the centre: it lies under its name on the machine that has it."""
    other = Path(shutil.copytree(centre_folder, tmp_path / "other"))
    assert trust(other, "draft", "--new-key", "an:root") == 0
    public = next(key.public for key in open_centre(other).settings.keys if key.name == "an")
    assert trust(centre_folder, "draft", "--revoke=root-1", f"--add-key=an:root:{public}") == 0
    assert not (centre_folder / "keys/an.pem").exists()
    assert trust(centre_folder, "sign", "--with=root-2") == 0
    machine = machine_of(centre_folder, tmp_path / "an")
    shutil.copy(other / "keys/an.pem", machine / "keys")

    assert trust(machine, "sign") == 0

    assert missing(machine) == [1, 0]
    names = {key.keyid: key.name for key in open_centre(machine).settings.keys}
    assert {names[key] for key in next_root(machine).signers} == {"root-2", "an"}


def test_a_signed_root_that_cannot_be_read_is_told(centre_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With how to begin again."""
    assert trust(centre_folder, "draft") == 0
    file = centre_folder / "trust/next.dsse.json"
    file.write_bytes(b"{")
    for action in ("show", "sign"):
        capsys.readouterr()
        assert trust(centre_folder, action) == 66
        assert capsys.readouterr().err == (
            f"{file} cannot be used: not-json\n"
            "Copy it back from the machine that signed; if it is lost, delete it, and all sign again\n"
        )
    assert root(centre_folder).version == 1


def test_without_a_draft_there_is_nothing_to_sign(centre_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And it says which command writes one."""
    assert trust(centre_folder, "sign") == 66
    assert capsys.readouterr().err == (
        f"There is no {centre_folder}/trust/next.yaml\nWrite it first: ttcs-central trust {centre_folder} draft\n"
    )
