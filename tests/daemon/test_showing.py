"""What is read on the display: words, pages, and a thread that waits for nobody and keeps nobody waiting."""

from __future__ import annotations

import threading
from itertools import product
from pathlib import Path

import pytest

from tests.core.material import SETTINGS, at
from tests.parts import eventually
from ttcs_edge.core.display import Coming, Display, State
from ttcs_edge.core.events import ConditionChanged
from ttcs_edge.core.model import Fault, Instant, MonoMs, Severity, WallMs
from ttcs_edge.daemon import showing
from ttcs_edge.daemon.showing import Showing, address, laid_out
from ttcs_edge.drivers.lcd import LcdError
from ttcs_edge.lettering import GLYPHS
from ttcs_edge.lettering.pages import HEAD_GLYPHS, Page, needed
from ttcs_edge.locale import LANGUAGES, Language
from ttcs_edge.locale.faults import FAULTS, short_words
from ttcs_edge.locale.panel import MESSAGES
from ttcs_edge.settings import LcdSettings

NOW = Instant(WallMs(at("2026-11-24T04:50:00", SETTINGS.time_zone)), MonoMs(1), True)
SIZE = LcdSettings(Path("/dev/i2c-9"))
IDLE = Display(State.IDLE, True)


def fault(code: str, subject: str = "cho", **detail: str) -> Fault:
    """An error."""
    return Fault("1-f1", code, subject, Severity.ERROR, tuple(detail.items()), WallMs(1))


def read(display: Display, lang: Language = "vi", size: LcdSettings = SIZE) -> list[list[str]]:
    """The pages, as they are read."""
    return [[line.rstrip() for line in page] for page in laid_out(display, NOW, SETTINGS, size, lang)]


@pytest.fixture(autouse=True)
def _somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showing, "address", lambda: "10.1.2.3")


def test_a_station_in_the_morning_is_read_page_by_page() -> None:
    """Time and state on each; then what comes, the worst fault, and who and where it is."""
    coming = Coming(WallMs(NOW.wall_ms + 600_000), "Bản tin sáng")
    told = read(Display(State.IDLE, True, None, coming, fault("relay", error="x"), 2))
    assert told == [
        ["04:50 Chờ", "Kế 05:00 Bản tin"],
        ["04:50 Chờ", "sáng"],
        ["04:50 Chờ", "Lỗi 1/2: Không"],
        ["04:50 Chờ", "đóng mở được"],
        ["04:50 Chờ", "rơ-le cho"],
        ["04:50 Chờ", "da-teh-01"],
        ["04:50 Chờ", "10.1.2.3"],
    ]


def test_an_alert_is_read_alone_and_a_station_without_the_time_shows_no_clock() -> None:
    """What is not known is not shown."""
    assert read(Display(State.ALERT, True, "Lũ quét")) == [["04:50 Khẩn cấp", "Lũ quét"]]
    assert read(Display(State.ALERT, False)) == [["Khẩn cấp", ""]]
    assert read(Display(State.NO_TIME, False))[0] == ["Chưa có giờ", "da-teh-01"]
    assert read(Display(State.ON_AIR, True, "Tin xã"), "en")[0] == ["04:50 On the air", "Tin xã"]


def test_what_comes_after_a_day_has_its_date() -> None:
    """Not a time that would be read as that of today."""
    coming = Coming(WallMs(NOW.wall_ms + 26 * 3_600_000), "Tin")
    assert read(Display(State.IDLE, True, None, coming), size=LcdSettings(columns=20))[0][1] == "Kế 25/11 06:50 Tin"


@pytest.mark.parametrize(("lang", "state"), list(product(LANGUAGES, State)))
def test_every_state_fits_beside_the_time_and_leaves_room_for_what_is_below(lang: Language, state: State) -> None:
    """In sixteen places; what is told of no time stands alone."""
    words = MESSAGES[state.value][LANGUAGES.index(lang)]
    assert len(words) <= 10 or state is State.NO_TIME
    assert len(words) <= 16 and len(needed(words)) <= min(3, HEAD_GLYPHS)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_fault_has_a_short_form_that_is_shown_whole(lang: Language) -> None:
    """Its first clause: whatever its fields, no page needs too many letters."""
    for code in FAULTS:
        words = short_words(code, "vn/lam-dong#tin", {}, lang)
        assert 3 < len(words) < 80 and not words.endswith((" ", ":", ";", ",")), words
        pages = laid_out(Display(State.ON_AIR, True, "Tin", None, fault(code), 1), NOW, SETTINGS, SIZE, lang)
        assert all(len(needed("".join(page))) <= GLYPHS for page in pages)


def test_an_address_is_that_of_this_machine_or_none() -> None:
    """Nothing is sent to find it."""
    found = address()
    assert found is None or found.count(".") == 3 or ":" in found


class Slow:
    """A display that shows a page when it is let, or does not answer."""

    def __init__(self) -> None:
        self.shown: list[Page] = []
        self.may = threading.Event()
        self.may.set()
        self.answers = True
        self.closed = False

    def show(self, page: Page) -> None:
        """Wait, then show."""
        self.may.wait(10)
        if not self.answers:
            raise LcdError("/dev/i2c-9 0x27: [Errno 121] Remote I/O error")
        self.shown.append(page)

    def close(self) -> None:
        """Dark."""
        self.closed = True


class Part:
    """The thread, its display, and what it tells."""

    def __init__(self) -> None:
        self.lcd, self.told = Slow(), list[ConditionChanged]()
        self.showing = Showing(self.lcd, SIZE, SETTINGS, "vi", lambda: NOW, self.told.append)

    def first_lines(self) -> list[str]:
        """The lines below the heads."""
        return [page[1].rstrip() for page in self.lcd.shown]


def test_only_the_newest_counts_and_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The display hangs; a hundred things happen; the last one is shown."""
    part = Part()
    part.lcd.may.clear()
    for number in range(100):
        part.showing.show(Display(State.ALERT, True, f"Tin {number}"))
    part.lcd.may.set()
    eventually(lambda: part.first_lines()[-1:] == ["Tin 99"])
    assert len(part.lcd.shown) <= 2
    part.showing.close(5)
    assert part.lcd.closed


def test_pages_are_turned_and_what_is_new_is_shown_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """From its first page on."""
    monkeypatch.setattr(showing, "PAGE_S", 0.05)
    part = Part()
    part.showing.show(Display(State.ALERT, True, "một hai ba bốn năm sáu bảy"))
    eventually(lambda: len(set(part.first_lines())) >= 2 and part.first_lines().count("một hai ba bốn") >= 2)
    part.showing.show(Display(State.ALERT, True, "Lũ quét"))
    eventually(lambda: part.first_lines()[-1] == "Lũ quét")
    part.showing.close(5)


def test_a_display_that_does_not_answer_is_told_once_and_once_that_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """And tried again all the while. That it works is told first: an earlier life may have left a fault."""
    monkeypatch.setattr(showing, "PAGE_S", 0.02)
    part = Part()
    part.showing.show(IDLE)
    eventually(lambda: len(part.lcd.shown) > 2)
    part.lcd.answers = False
    eventually(lambda: len(part.told) == 2)
    before = len(part.lcd.shown)
    part.lcd.answers = True
    eventually(lambda: len(part.lcd.shown) > before)
    part.showing.close(5)

    error = (("error", "/dev/i2c-9 0x27: [Errno 121] Remote I/O error"),)
    assert part.told == [
        ConditionChanged("lcd", "panel-lcd", False),
        ConditionChanged("lcd", "panel-lcd", True, error),
        ConditionChanged("lcd", "panel-lcd", False),
    ]


def test_a_kernel_that_lacks_a_family_of_addresses_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """IPv6 may be switched off."""
    monkeypatch.setattr(showing, "_ROUTED", ((-1, "nowhere"),))
    assert address() is None
