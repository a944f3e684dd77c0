"""``ttcs-central trust FOLDER draft`` and ``show``: what is written, what stays untouched, and what is refused."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
import yaml
from msgspec.structs import replace
from securesystemslib.signer import CryptoSigner

from tests.central.trust import SCOPE, names_of, root, state, trust
from ttcs_edge.central.centre import open_centre
from ttcs_edge.central.errors import BadTrustFile
from ttcs_edge.central.trust_file import TRUST, draft_behind, read_trust_file, trust_text
from ttcs_edge.central.trust_folder import key_names
from ttcs_edge.locale import central_trust as words
from ttcs_edge.yaml_form import Key, ListOf, Section

HEX = CryptoSigner.generate_ed25519().public_key.keyval["public"]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but the lock."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def next_yaml(folder: Path) -> Path:
    """The draft."""
    return folder / "trust/next.yaml"


def test_a_draft_of_nothing_new_says_what_the_root_in_force_says(centre_folder: Path) -> None:
    """One version on, for as long; written, read and made into a document again, nothing is lost."""
    assert trust(centre_folder, "draft") == 0

    before = root(centre_folder)
    draft = read_trust_file(next_yaml(centre_folder), before)
    made = draft.root(before.scope, 0)
    assert (draft.version, draft.days) == (2, 3_650)
    assert replace(made, version=1, issued=before.issued, expires=before.expires) == before
    names = key_names(open_centre(centre_folder))
    assert next_yaml(centre_folder).read_text() == trust_text(draft_behind(before, names), before.scope)


def test_a_new_key_takes_the_place_of_the_revoked_one_in_every_grant(centre_folder: Path) -> None:
    """Its private part is for its owner alone; a key of the other role is where it was."""
    assert trust(centre_folder, "draft", "--revoke", "publish-1", "--new-key", "publish-2:publish") == 0

    draft = read_trust_file(next_yaml(centre_folder), root(centre_folder))
    assert list(draft.keys) == ["root-1", "root-2", "root-3", "publish-2"]
    assert {one.role: one.keys for one in draft.grants} == {
        "root": ("root-1", "root-2", "root-3"),
        **dict.fromkeys(("publish", "command", "beacon", "live", "alert"), ("publish-2",)),
    }
    key = centre_folder / "keys/publish-2.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_key_comes_only_into_the_grants_of_the_revoked_key_of_its_role(centre_folder: Path) -> None:
    """publish-2 was for commands alone: who follows it is for no more. Who follows nobody stands beside all others."""
    assert trust(centre_folder, "draft", "--new-key", "publish-2:publish") == 0
    file = next_yaml(centre_folder)
    others = r"(role: (?:publish|beacon|live|alert)\n.*\n    keys: \[publish-1), publish-2"
    file.write_text(re.sub(others, r"\1", file.read_text()))
    assert trust(centre_folder, "sign") == 0
    centre = open_centre(centre_folder)
    (centre_folder / "trust/root.dsse.json").write_bytes((centre_folder / "trust/next.dsse.json").read_bytes())
    assert (names_of(centre_folder, "command"), names_of(centre_folder, "publish")) == (
        ["publish-1", "publish-2"],
        ["publish-1"],
    )

    made = ["--revoke", "publish-2", "--new-key", "publish-3:publish", "--new-key", "root-4:root"]
    assert trust(centre_folder, "draft", *made) == 0
    draft = read_trust_file(file, root(centre_folder))
    assert {one.role: one.keys for one in draft.grants} == {
        "root": ("root-1", "root-2", "root-3", "root-4"),
        "command": ("publish-1", "publish-3"),
        **dict.fromkeys(("publish", "beacon", "live", "alert"), ("publish-1",)),
    }
    assert centre.trust.document.version == 1


STYLES = {
    "a list at the margin": "keys:\n- {item}\n",
    "a list that is indented": "keys:\n    # root / gốc\n    -   {item}\n",
    "in brackets": "keys: [\n  {item},   # the only one\n]\n",
    "the last in the file, without a line end": "topic_root: ttcs/v1\nkeys:\n  - {item}",
    "a folded word": "keys:\n  - name: publish-1\n{folded}\n      file2:keys/publish-1.pem\ntopic_root: ttcs/v1\n",
    "blocks with remarks": "keys:\n  # first\n  - name: {name}   # chị An\n    role: root\n{rest}\n\n# behind\n",
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_key_comes_into_centre_yaml_and_every_word_of_the_operators_stays(
    centre_folder: Path, style: str, end: str
) -> None:
    """However it is written: what stood there stands there, in its order, and the file says one key more."""
    file = centre_folder / "centre.yaml"
    key = next(one for one in yaml.safe_load(file.read_text())["keys"] if one["name"] == "publish-1")
    item = "{" + ", ".join(f'{name}: "{value}"' for name, value in key.items()) + "}"
    rest = "\n".join(f'    {name}: "{value}"' for name, value in key.items() if name not in ("name", "role"))
    folded = f"    role: publish\n{rest.replace(chr(34) + key['signer'] + chr(34), '>-')}"
    keys = (
        STYLES[style]
        .format(item=item, name="publish-1", rest=rest, folded=folded)
        .replace("role: root", "role: publish")
    )
    text = f"# Trung tâm / The centre\nname: Lâm Đồng   # tỉnh\nscope: {SCOPE}\n\n" + keys
    file.write_bytes(text.replace("\n", end).encode())

    assert trust(centre_folder, "draft", "--new-key", "publish-2:publish", f"--add-key=an:root:{HEX}") == 0

    before, after = text.replace("\n", end), file.read_bytes().decode()
    same = next((at for at, letter in enumerate(before) if letter != after[at]), len(before))
    assert after.endswith(before[same:]), "what was put in stands in one place"
    settings = open_centre(centre_folder).settings
    assert [(one.name, one.role, one.signer) for one in settings.keys] == [
        ("publish-1", "publish", "file2:keys/publish-1.pem"),
        ("publish-2", "publish", "file2:keys/publish-2.pem"),
        ("an", "root", "elsewhere:"),
    ]
    assert settings.keys[-1].public == HEX


def test_a_centre_yaml_that_no_text_can_be_put_into_is_left_as_it_is(
    centre_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line to be added is told; with it the same command goes on, with the key that it made."""
    file = centre_folder / "centre.yaml"
    text = file.read_text().replace("- name: publish-1\n", "-\n  name: publish-1\n")
    file.write_text(text)
    assert trust(centre_folder, "draft", "--new-key", "publish-2:publish") == 73
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"The key cannot be put into {file} as it is written"
    assert (file.read_text(), next_yaml(centre_folder).exists()) == (text, False)
    file.write_text(text.replace("topic_root", f"- {told[2]}\ntopic_root"))
    assert trust(centre_folder, "draft", "--new-key", "publish-2:publish") == 0
    assert open_centre(centre_folder).signer(open_centre(centre_folder).settings.keys[-1])


REFUSED = {
    "threshold": (
        ("--revoke=root-1", "--revoke=root-2"),
        65,
        f"The grant root for {SCOPE} wants 2 to sign together, and has the keys: root-3\n"
        "Add --new-key NAME:publish (or :root), or --threshold root=N\n",
    ),
    "last key": (
        ("--revoke=publish-1",),
        65,
        f"The grant publish for {SCOPE} wants 1 to sign together, and has the keys: -\n"
        "Add --new-key NAME:publish (or :root), or --threshold publish=N\n",
    ),
    "high threshold": (
        ("--threshold=publish=2",),
        65,
        f"The grant publish for {SCOPE} wants 2 to sign together, and has the keys: publish-1\n"
        "Add --new-key NAME:publish (or :root), or --threshold publish=N\n",
    ),
    "nobody": (
        ("--revoke=an",),
        65,
        "There is no key an\nThe keys are: root-1, root-2, root-3, publish-1\n",
    ),
    "known": (
        ("--new-key=publish-1:publish",),
        73,
        "There is a key publish-1, in use or revoked\nChoose another name, and another key\n",
    ),
    "twice": (
        ("--new-key=an:publish", "--new-key=an:root"),
        73,
        "There is a key an, in use or revoked\nChoose another name, and another key\n",
    ),
    "role": (
        ("--new-key=an:alert",),
        65,
        "--new-key: an:alert is no key\n"
        "Write NAME:publish or NAME:root; for --add-key with its public part: NAME:root:64 hexadecimal digits\n",
    ),
    "a path": (
        ("--new-key=../an:publish",),
        65,
        "--new-key: ../an:publish is no key\n"
        "Write NAME:publish or NAME:root; for --add-key with its public part: NAME:root:64 hexadecimal digits\n",
    ),
    "no public part": (
        ("--add-key=an:publish",),
        65,
        "--add-key: an:publish is no key\n"
        "Write NAME:publish or NAME:root; for --add-key with its public part: NAME:root:64 hexadecimal digits\n",
    ),
    "threshold of nothing": (
        ("--threshold=publish=0",),
        65,
        "--threshold: publish=0 is none\nWrite it as publish=2; roles: root, publish, command, beacon, live, alert\n",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_is_refused_and_leaves_nothing_behind(
    centre_folder: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    """No key is made, no file touched."""
    wishes, code, told = REFUSED[what]
    before = contents(centre_folder)

    assert trust(centre_folder, "draft", *wishes) == code

    assert capsys.readouterr().err == told
    assert contents(centre_folder) == before


def test_a_draft_is_not_overwritten_unless_told_and_takes_its_key_again(
    centre_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also what a power cut left: the private key alone, or the key in ``centre.yaml`` and no draft."""
    wishes = ["--revoke", "publish-1", "--new-key", "publish-2:publish"]
    assert trust(centre_folder, "draft", *wishes) == 0
    assert trust(centre_folder, "sign") == 0
    settled, signed = contents(centre_folder), centre_folder / "trust/next.dsse.json"
    capsys.readouterr()
    assert trust(centre_folder, "draft", *wishes) == 73
    assert capsys.readouterr().err == (
        f"{signed} is there already\n"
        f"See: ttcs-central trust {centre_folder} show. To drop it, signatures and all: --force\n"
    )
    assert contents(centre_folder) == settled
    del settled["trust/next.dsse.json"]

    assert trust(centre_folder, "draft", *wishes, "--force") == 0
    assert contents(centre_folder) == settled, "nobody has signed the new one"
    for lost in ("trust/next.yaml", "centre.yaml"):
        next_yaml(centre_folder).unlink()
        if lost == "centre.yaml":
            text = (centre_folder / lost).read_text()
            (centre_folder / lost).write_text(re.sub(r"- name: publish-2\n(  .*\n)*", "", text))
        assert trust(centre_folder, "draft", *wishes) == 0
        assert contents(centre_folder) == settled, lost


def test_a_key_that_was_revoked_never_comes_back(centre_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither under its name nor under another, though it stands in no root that is in force."""
    assert trust(centre_folder, "draft", "--revoke", "root-3") == 0
    assert trust(centre_folder, "sign") == 0
    (centre_folder / "trust/1.dsse.json").write_bytes((centre_folder / "trust/root.dsse.json").read_bytes())
    (centre_folder / "trust/next.dsse.json").replace(centre_folder / "trust/root.dsse.json")
    next_yaml(centre_folder).unlink()
    public = next(key.public for key in open_centre(centre_folder).settings.keys if key.name == "root-3")
    for wish in ("--new-key=root-3:root", f"--add-key=an:root:{public}"):
        capsys.readouterr()
        assert trust(centre_folder, "draft", wish) == 73
        assert capsys.readouterr().err.startswith("There is a key root-3, in use or revoked\n")


def wrong(folder: Path, text: str) -> list[tuple[int, str, str]]:
    """Line, key and code of every mistake in a draft."""
    next_yaml(folder).write_text(text)
    with pytest.raises(BadTrustFile) as raised:
        read_trust_file(next_yaml(folder), root(folder))
    return [(one.line, one.key, one.code) for one in raised.value.problems]


ONE, TWO = "1" * 64, "2" * 64
MISTAKES = f"""\
version: 4
days: 0
keys:
  - {{name: a, public: "{ONE}"}}
  - {{name: a, public: "{TWO}"}}
  - {{name: b, public: "{ONE}"}}
  - {{name: c, public: "1"}}
grants:
  - role: publish
    scope: vn
    keys: [a, a, bb]
    threshold: 3
    most_severe: Extreme
  - role: alert
    scope: vn/lam-dong
    keys: [a]
    threshold: 1
  - role: kill
    scope: vn/lam-dong
    keys: [a]
    threshold: 1
"""


def test_every_mistake_in_a_draft_is_told_at_once_with_its_line(centre_folder: Path) -> None:
    """A key that counts twice, a threshold that nobody can meet, a role that there is not."""
    assert wrong(centre_folder, MISTAKES) == [
        (1, "version", "other-version"),
        (2, "days", "out-of-range"),
        (5, "keys[2].name", "same-id"),
        (6, "keys[3].public", "same-key"),
        (7, "keys[4].public", "malformed"),
        (10, "grants[1].scope", "outside-scope"),
        (11, "grants[1].keys[2]", "named-twice"),
        (11, "grants[1].keys[3]", "no-such-key"),
        (12, "grants[1].threshold", "threshold-unmet"),
        (13, "grants[1].most_severe", "severity-alone"),
        (14, "grants[2].most_severe", "missing-key"),
        (18, "grants[3].role", "not-one-of"),
    ]


def test_a_root_that_nobody_could_follow_is_refused(centre_folder: Path) -> None:
    """Without root keys of the whole scope it would be the last."""
    assert trust(centre_folder, "draft") == 0
    text = next_yaml(centre_folder).read_text()
    assert wrong(centre_folder, re.sub(r"  - role: root\n(    .*\n)*", "", text)) == [(27, "grants", "no-root-grant")]


def test_a_mistake_is_told_in_both_languages_with_its_mend(
    centre_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And nothing is signed."""
    assert trust(centre_folder, "draft") == 0
    file = next_yaml(centre_folder)
    file.write_text(file.read_text().replace("version: 2", "version: 3"))
    capsys.readouterr()

    assert trust(centre_folder, "sign") == 65

    assert capsys.readouterr().err == (
        f"{file}:6: version\n"
        "  Sai: Phiên bản không kế bản đang dùng\n  Thấy: 3\n  Cần: 2\n  Sửa: ghi số trên\n"
        "  Wrong: The version is not the one behind that in force\n  Found: 3\n  Expected: 2\n"
        "  Mend: write the number above\n"
        "The next trust root: 1 wrong; nothing was signed\nMend those above, then run it again\n"
    )
    assert not (centre_folder / "trust/next.dsse.json").exists()


def expected_codes(section: Section) -> set[str]:
    """The codes of what the keys of a form expect."""
    found = {section.expected.code}
    for key in section.keys:
        assert isinstance(key, Key)
        kind = key.kind
        found.add(kind.expected.code)
        inner = kind.of if isinstance(kind, ListOf) else kind
        found |= expected_codes(inner) if isinstance(inner, Section) else {inner.expected.code}
    return found


def test_everything_that_a_draft_expects_has_words() -> None:
    """In the table of its file."""
    assert expected_codes(TRUST) <= set(words.TABLES[1])


def test_show_tells_who_may_do_what_and_what_is_left_over(
    centre_folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """For machines: the names of keys, the days left, the keys that nothing is granted to."""
    told = state(centre_folder, capfdbinary)
    assert (told["scope"], told["version"], told["days_left"], told["kept"]) == (SCOPE, 1, 3_649, [1])
    assert told["grants"][0] == {
        "role": "root",
        "scope": SCOPE,
        "keys": ["root-1", "root-2", "root-3"],
        "threshold": 2,
        "most_severe": None,
    }
    assert (told["unused"], told["coming"]) == ([], None)

    assert trust(centre_folder, "draft", "--new-key", "root-4:root") == 0
    told = state(centre_folder, capfdbinary)
    grants = told["coming"].pop("grants")
    assert [one["keys"] for one in grants if one["role"] == "root"] == [["root-1", "root-2", "root-3", "root-4"]]
    assert (told["unused"], told["coming"]) == (
        [],
        {
            "version": 2,
            "gone": [],
            "come": ["root-4"],
            "expires": None,
            "has_draft": True,
            "wrong": 0,
            "changed": False,
            "signed_by": [],
            "lacking": [],
        },
    )
    next_yaml(centre_folder).unlink()
    assert state(centre_folder, capfdbinary)["unused"] == ["root-4"]


@pytest.mark.parametrize(("days", "is_red"), [(91, False), (89, True)])
def test_a_root_that_ends_soon_is_told_in_red(
    centre_folder: Path, capsys: pytest.CaptureFixture[str], days: int, is_red: bool
) -> None:
    """Root keys lie in several places, and stations sleep: three months is not long."""
    assert trust(centre_folder, "draft") == 0
    file = next_yaml(centre_folder)
    file.write_text(file.read_text().replace("days: 3650", f"days: {days}"))
    assert trust(centre_folder, "sign") == 0
    (centre_folder / "trust/next.dsse.json").replace(centre_folder / "trust/root.dsse.json")
    capsys.readouterr()
    assert trust(centre_folder, "show") == 0
    line = capsys.readouterr().out.splitlines()[2]
    assert line.endswith(f", {days - 1} days left") and line.startswith("!! until" if is_red else "until")
