"""Whatever becomes of the link: what is in force airs on time, the fault has its reason, reports come once by id."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.badlinks.cases import LONG, SHORT, Case
from tests.badlinks.place import why_not
from tests.badlinks.village import Village, village, wait
from tests.parts import Clip, make_clip

AT_ONCE = 4
"""So many villages have their bad time together; more would be too much for two cores."""
FAULT_WITHIN_S = 60.0
FETCH_WITHIN_S = 60.0
AGAIN_WITHIN_S = 20.0
"""A file that failed is tried again, after 2, 5 and 15 s."""
TRIED_AGAIN = {"dns", "timeout", "broken"}
"""What may be told of audio that came in over a bad link in the end."""

BEGUN_ANEW = "refused"
"""What may be told of a web server by who asks between its end as a portal and its beginning as itself."""

missing = why_not()
pytestmark = [pytest.mark.skipif(missing is not None, reason=missing or ""), pytest.mark.timeout(600)]
Stories = Callable[[Case], str]


@pytest.fixture(scope="module")
def stories(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stories]:
    """Begins all the cases that were asked for, some at once; gives how one of them went."""
    folder = tmp_path_factory.mktemp("villages")
    clip, more = make_clip(folder, "tone", 1.0), make_clip(folder, "more", 3.0, 440)
    names = {item.name for item in request.session.items if item.path == request.path}
    chosen = [case for case in (*SHORT, *LONG) if any(f"[{case.id}]" in name for name in names)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running: dict[str, Future[str]] = {
            case.name: pool.submit(story, case, folder / f"{number:02}", clip, more)
            for number, case in enumerate(chosen)
        }
        yield lambda case: running[case.name].result()
        for future in running.values():
            future.cancel()


def story(case: Case, folder: Path, clip: Clip, more: Clip) -> str:
    """One village, before, through and after its bad time."""
    with village(folder, clip) as at:
        at.settle(case.keepalive_s)
        before = at.heard_cues()
        case.spoil(at)
        fault_s = live_on(case, at, before, more)
        case.heal(at)
        heal_s = wait(at.healed, case.heal_within_s, "healed", at)
        if case.fetches is not None:
            wait(lambda: at.stored_files() == 2, AGAIN_WITHIN_S, "the new audio is in", at)
        told = at.reckon()
        told += f"; fault after {fault_s:.0f} s, whole {heal_s:.1f} s after it was mended"
        check_faults(case, at)
        return told


def live_on(case: Case, at: Village, before: int, more: Clip) -> float:
    """Cues go on, and what is wrong is told at the pole; gives how long that took."""
    if case.fetches is not None:
        at.publish_fetched(more)
    if case.fetches is True:
        wait(lambda: at.stored_files() == 2, FETCH_WITHIN_S, "audio comes in over the bad link", at)
    elif case.fetches:
        wait(lambda: at.faults(str(case.fetches)), FETCH_WITHIN_S, "the audio's fault", at)
    fault_s = 0.0
    if case.reasons and not case.may_hold:
        fault_s = wait(lambda: at.faults("link-down"), FAULT_WITHIN_S, "the fault link-down", at)
    wait(lambda: at.heard_cues() >= before + case.cues, 15 + 6 * case.cues, "cues are heard meanwhile", at)
    return fault_s


def check_faults(case: Case, at: Village) -> None:
    """The centre has heard of the fault once raised and once cleared, with its reason; of nothing else."""
    reports = {(report["id"], report["cleared"] is None): report for report in at.listener.reports("fault")}
    downs = [report for report in reports.values() if report["code"] == "link-down"]
    assert all(report["detail"]["reason"] in case.reasons for report in downs), downs
    raised = [report["raised"] for report in downs if report["cleared"] is None]
    assert raised == [report["raised"] for report in downs if report["cleared"] is not None]
    assert downs or not case.reasons or case.may_hold, "never told"
    others = {report["code"] for report in reports.values()} - {"link-down"}
    assert others <= ({case.fetches, BEGUN_ANEW} if isinstance(case.fetches, str) else TRIED_AGAIN), others


@pytest.mark.parametrize("case", SHORT, ids=lambda case: case.id)
def test_a_link_goes_bad_and_heals(case: Case, stories: Stories, tell: Callable[[str], None]) -> None:
    """What a pole sees often."""
    tell(f"{case.name}: {stories(case)}")


@pytest.mark.soak
@pytest.mark.parametrize("case", LONG, ids=lambda case: case.id)
def test_a_link_goes_bad_in_other_ways_and_heals(case: Case, stories: Stories, tell: Callable[[str], None]) -> None:
    """What a pole sees in its ten years."""
    tell(f"{case.name}: {stories(case)}")
