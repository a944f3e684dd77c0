"""A weak mobile line that a download could fill for minutes: the alert comes through, and the download comes in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.badlinks.line import narrow
from tests.badlinks.place import why_not
from tests.badlinks.village import NAME, Village, village, wait
from tests.parts import Clip, make_clip, put_chunks
from tests.system.sight import status
from tests.system.test_alerts import alert, warn
from ttcs_edge.core.limits import LIMITS

SIZE_BYTES = LIMITS.blob_chunk_bytes + 40_000
WIDTH_BYTES_A_SECOND, DELAY_S = 8_192, 0.15
"""So narrow that one chunk alone takes 16 s, and the modem's own queue 4 s."""
ALERT_WITHIN_S = 3.0

missing = why_not()
"""What a machine lacks to have networks of its own, as most containers do: there the case cannot be made."""
pytestmark = [pytest.mark.skipif(missing is not None, reason=missing or ""), pytest.mark.timeout(240)]


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Village]:
    """A village whose line is still good."""
    with village(tmp_path / "village", make_clip(tmp_path, "tone", 1.0)) as made:
        made.settle(60)
        yield made


def is_heard(at: Village) -> bool:
    """The alert has the air."""
    return "Lũ quét" in str((status(at.station).get("on_air") or {}).get("title"))


@pytest.mark.parametrize("place", ["broker:", f"https://{NAME}/large"])
def test_an_alert_waits_for_no_download(at: Village, tmp_path: Path, place: str, tell: Callable[[str], None]) -> None:
    """It is heard within seconds, and the file that was coming in is whole in the end."""
    large = Clip(tmp_path / "large", 60_000)
    large.path.write_bytes(os.urandom(SIZE_BYTES))
    put_chunks(at.listener, large)
    at.web.put(large)
    at.line.be(narrow(WIDTH_BYTES_A_SECOND, DELAY_S))
    before_bytes = at.line.down_bytes
    at.publish_fetched(large, place)
    wait(lambda: at.line.down_bytes > before_bytes + 60_000, 30, "the download is under way", at)
    warn(at.listener, at.province, alert(at.clip, inline=False))
    took_s = wait(lambda: is_heard(at), ALERT_WITHIN_S, "the alert is heard", at)
    came_bytes = at.line.down_bytes - before_bytes
    wait(lambda: at.stored_files() == 2, 60, "the file is there", at)

    assert came_bytes < SIZE_BYTES, "the download was over before the alert came"
    tell(f"{place}: {took_s:.1f} s")
