"""``ttcs-edge trust``: whose word a station believes, as a technician reads it; the daemon itself in test_station."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import daemon, run, shown
from tests.cli.test_commands import SCREENS
from ttcs_edge.locale import LANGUAGES

DAY_MS = 86_400_000
NOW_MS = 1_795_471_200_000
ROOT_KEY, EDITOR, CHIEF = ("5" * 64, "a" * 64, "c" * 64)
TRUST: dict[str, Any] = {
    "wall_ms": NOW_MS,
    "clock_trusted": True,
    "time_zone": "Asia/Ho_Chi_Minh",
    "time_floor_ms": NOW_MS - 60_000,
    "root": {
        "scope": "vn/lam-dong",
        "version": 3,
        "issued": "2026-01-05T00:00:00Z",
        "expires": "2027-11-24T00:00:00Z",
        "keys": {},
        "grants": [
            {"role": "root", "scope": "vn/lam-dong", "keys": [ROOT_KEY], "threshold": 1, "most_severe": None},
            {"role": "publish", "scope": "vn/lam-dong", "keys": [EDITOR, CHIEF], "threshold": 2, "most_severe": None},
            {
                "role": "alert",
                "scope": "vn/lam-dong/da-teh",
                "keys": [CHIEF],
                "threshold": 1,
                "most_severe": "Severe",
            },
        ],
    },
    "certificate": {"begins_ms": NOW_MS - 30 * DAY_MS, "ends_ms": NOW_MS + 700 * DAY_MS},
}


def told(tmp_path: Path, **changes: Any) -> str:
    """What is said in English, on a desk."""
    with daemon(tmp_path, lambda request: TRUST | changes) as path:
        return shown(run("trust", "--socket", path, "--lang", "en", columns=120))


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("columns", [40, 120])
def test_trust_reads_well_on_a_phone_and_on_a_desk(tmp_path: Path, columns: int, lang: str) -> None:
    """Each screen as it is kept; no line is longer than the terminal's."""
    with daemon(tmp_path, lambda request: TRUST) as path:
        seen = shown(run("trust", "--socket", path, "--lang", lang, columns=columns))

    assert seen == (SCREENS / f"trust-{columns}-{lang}.txt").read_text()
    assert max(map(len, seen.splitlines())) <= columns


def test_what_ends_soon_must_not_be_overlooked(tmp_path: Path) -> None:
    """Root keys lie in several places, and are fetched before the last month."""
    root = TRUST["root"] | {"expires": "2027-01-01T00:00:00Z"}
    certificate = TRUST["certificate"] | {"ends_ms": NOW_MS + 20 * DAY_MS}

    seen = told(tmp_path, root=root, certificate=certificate)

    assert "!! until 2027-01-01, 38 days left\n" in seen
    assert "!! until 2026-12-14, 20 days left\n" in seen


def test_what_is_over_is_told_as_over(tmp_path: Path) -> None:
    """Of the root: nothing new is taken any more; of the certificate: the broker lets it in no more."""
    root = TRUST["root"] | {"expires": "2026-11-23T00:00:00Z"}

    assert "!! OVER SINCE 2026-11-23\n" in told(tmp_path, root=root)


def test_without_a_trusted_time_nobody_counts_days(tmp_path: Path) -> None:
    """A clock that woke up in 1970 has twenty thousand days left."""
    seen = told(tmp_path, clock_trusted=False, wall_ms=0)

    assert "until 2027-11-24; without a trusted time the station cannot say how long that is\n" in seen
    assert "days left" not in seen


def test_without_a_certificate_the_mend_is_told(tmp_path: Path) -> None:
    """A command that can be typed."""
    assert "!! it cannot be read: ttcs-edge enrol --again\n" in told(tmp_path, certificate=None)
