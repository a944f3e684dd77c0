"""Vietnamese as it is said: a table of facts, and what must hold of any text."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttcs_edge.core.limits import LIMITS
from ttcs_edge.reading import read_aloud
from ttcs_edge.reading.numbers_vi import cardinal

FACTS = {
    # numbers
    "0": "không",
    "5": "năm",
    "10": "mười",
    "14": "mười bốn",
    "15": "mười lăm",
    "21": "hai mươi mốt",
    "24": "hai mươi bốn",
    "55": "năm mươi lăm",
    "101": "một trăm lẻ một",
    "110": "một trăm mười",
    "1000": "một nghìn",
    "1.001": "một nghìn không trăm lẻ một",
    "1.500": "một nghìn năm trăm",
    "2026": "hai nghìn không trăm hai mươi sáu",
    "10.005": "mười nghìn không trăm lẻ năm",
    "1.000.021": "một triệu không trăm hai mươi mốt",
    "1.234.567.890": "một tỷ hai trăm ba mươi bốn triệu năm trăm sáu mươi bảy nghìn tám trăm chín mươi",
    "5.000.000.000.000": "năm nghìn tỷ",
    "1,200,000 người": "một triệu hai trăm nghìn người",
    "007": "không không bảy",
    "1234567890123456789": "một hai ba bốn năm sáu bảy tám chín không một hai ba bốn năm sáu bảy tám chín",
    # decimals, signs, parts
    "3,5 m": "ba phẩy năm mét",
    "0,05": "không phẩy không năm",
    "12,75 %": "mười hai phẩy bảy mươi lăm phần trăm",
    "3.5 km": "ba phẩy năm ki lô mét",
    "3,14159": "ba phẩy một bốn một năm chín",
    "-5°C": "âm năm độ C",
    "xuống −2 ℃": "xuống âm hai độ C",
    "mục 1.2.3": "mục một chấm hai chấm ba",
    "3/4 diện tích": "ba phần bốn diện tích",
    "½ làng": "một phần hai làng",
    "trực 24/24": "trực hai mươi bốn trên hai mươi bốn",
    "trực 24/7.": "trực hai mươi bốn trên bảy.",
    "số 15/2026/QĐ-UBND": "số mười lăm trên hai nghìn không trăm hai mươi sáu/QĐ-Uỷ ban nhân dân",
    "trên bản 2x3 m": "trên bản hai nhân ba mét",
    ">50 mm": "trên năm mươi mi li mét",
    "≥ 100 mm": "ít nhất một trăm mi li mét",
    # units
    "mưa 120 mm": "mưa một trăm hai mươi mi li mét",
    "xả 1.500 m3/s": "xả một nghìn năm trăm mét khối trên giây",
    "xả 1\u00a0500m³/s": "xả một nghìn năm trăm mét khối trên giây",
    "gió 75km/h": "gió bảy mươi lăm ki lô mét một giờ",
    "100mm/24h": "một trăm mi li mét trong hai mươi bốn giờ",
    "50 triệu m3": "năm mươi triệu mét khối",
    "80%": "tám mươi phần trăm",
    "500.000đ": "năm trăm nghìn đồng",
    "200g muối": "hai trăm gam muối",
    "5m": "năm mét",
    "5 mét": "năm mét",
    # times
    "lúc 17h30": "lúc mười bảy giờ ba mươi phút",
    "lúc 17:30": "lúc mười bảy giờ ba mươi phút",
    "lúc 17h05'": "lúc mười bảy giờ không năm phút",
    "lúc 17h00": "lúc mười bảy giờ",
    "5g sáng": "năm giờ sáng",
    "06:00:15": "sáu giờ không phút mười lăm giây",
    "trong 72h tới": "trong bảy mươi hai giờ tới",
    "17h-19h30": "mười bảy giờ đến mười chín giờ ba mươi phút",
    "tỉ số 99:99": "tỉ số chín mươi chín: chín mươi chín",
    # dates
    "ngày 23/11": "ngày hai mươi ba tháng mười một",
    "tối 23/11": "tối ngày hai mươi ba tháng mười một",
    "23/11/2026": "ngày hai mươi ba tháng mười một năm hai nghìn không trăm hai mươi sáu",
    "ngày 05-04-2026": "ngày năm tháng tư năm hai nghìn không trăm hai mươi sáu",
    "2026-11-23": "ngày hai mươi ba tháng mười một năm hai nghìn không trăm hai mươi sáu",
    "chiều 3/4": "chiều ngày ba tháng tư",
    "ngày 23-25/11": "ngày hai mươi ba đến ngày hai mươi lăm tháng mười một",
    "17h30 3/4": "mười bảy giờ ba mươi phút ngày ba tháng tư",
    "tháng 11/2026": "tháng mười một năm hai nghìn không trăm hai mươi sáu",
    "thứ 4, tháng 4": "thứ tư, tháng tư",
    "ngày 32/13/2026": "ngày ba mươi hai trên mười ba trên hai nghìn không trăm hai mươi sáu",
    # ranges
    "gió cấp 5-7": "gió cấp năm đến bảy",
    "sâu 1,5 – 2 m": "sâu một phẩy năm đến hai mét",
    "50mm-100mm": "năm mươi mi li mét đến một trăm mi li mét",
    "2026-2030": "hai nghìn không trăm hai mươi sáu đến hai nghìn không trăm ba mươi",
    "Covid-19": "Covid- mười chín",
    # telephone numbers
    "gọi 113 hoặc 114": "gọi một một ba hoặc một trăm mười bốn",
    "ĐT: 0263 3822 123": "điện thoại: không hai sáu ba ba tám hai hai một hai ba",
    "0912.345.678": "không chín một hai ba bốn năm sáu bảy tám",
    "+84 912 345 678": "cộng tám bốn chín một hai ba bốn năm sáu bảy tám",
    "1900 1234": "một chín không không một hai ba bốn",
    "đường dây nóng 1022": "đường dây nóng một không hai hai",
    # what is written short
    "UBND TP.Đà Lạt": "Uỷ ban nhân dân thành phố Đà Lạt",
    "BCH PCTT & TKCN tỉnh": "Ban chỉ huy phòng chống thiên tai và tìm kiếm cứu nạn tỉnh",
    "Q.1, P. 5": "quận một, phường năm",
    "TP.HCM": "thành phố Hồ Chí Minh",
    "QL20, ĐT.725": "quốc lộ hai mươi, đường tỉnh bảy trăm hai mươi lăm",
    "lũ trên BĐ3": "lũ trên báo động ba",
    "báo động III": "báo động ba",
    "quý IV": "quý tư",
    "CA NÔ CỨU HỘ": "CA NÔ CỨU HỘ",
    "gạo, nước, v.v.": "gạo, nước, vân vân.",
    # figures of other scripts
    "tầng ٣": "tầng ba",
    "tầng ③": "tầng ba",
}


@pytest.mark.parametrize("written", FACTS)
def test_it_is_said_as_people_say_it(written: str) -> None:
    assert read_aloud(written, "vi") == FACTS[written]
    assert read_aloud(f"Bà con chú ý: {written}", "vi-VN") == f"Bà con chú ý: {FACTS[written]}"


def test_a_whole_warning_is_said() -> None:
    """What a province really sends."""
    warning = (
        "Hồi 17h30 ngày 23/11, mực nước sông Đa Nhim tại trạm Thanh Bình là 1,85 m, trên BĐ2 0,35 m.\n"
        "Hồ Đa Nhim xả 1.200-1.500 m3/s. Cấm đi lại trên QL27 từ km 83 đến km 91. Cần giúp gọi 112."
    )
    assert read_aloud(warning, "vi") == (
        "Hồi mười bảy giờ ba mươi phút ngày hai mươi ba tháng mười một, mực nước sông Đa Nhim tại trạm Thanh Bình là "
        "một phẩy tám mươi lăm mét, trên báo động hai không phẩy ba mươi lăm mét.\n"
        "Hồ Đa Nhim xả một nghìn hai trăm đến một nghìn năm trăm mét khối trên giây. Cấm đi lại trên quốc lộ hai mươi "
        "bảy từ ki lô mét tám mươi ba đến ki lô mét chín mươi mốt. Cần giúp gọi một một hai."
    )


TENS = ("mười", "mươi")
VALUES = {"không": 0, "một": 1, "mốt": 1, "hai": 2, "ba": 3, "bốn": 4, "năm": 5, "lăm": 5, "sáu": 6, "bảy": 7}
VALUES |= {"tám": 8, "chín": 9, "mười": 10}


def meant(words: str) -> int:
    """What a listener understands."""
    total, part, ones = 0, 0, 0
    for word in words.split():
        if word in VALUES:
            part, ones = part + ones, VALUES[word]
        elif word == "mươi":
            part, ones = part + ones * 10, 0
        elif word == "trăm":
            part, ones = part + ones * 100, 0
        elif word in ("nghìn", "triệu"):
            total, part, ones = total + (part + ones) * {"nghìn": 1_000, "triệu": 10**6}[word], 0, 0
        elif word == "tỷ":
            total, part, ones = (total + part + ones) * 10**9, 0, 0
    return total + part + ones


@given(st.integers(0, 10**18 - 1) | st.integers(0, 10_000))
def test_every_number_is_understood_as_what_it_is(number: int) -> None:
    assert meant(cardinal(number)) == number


ANY_TEXT = st.text(max_size=400) | st.text(st.sampled_from("0123456789.,:/-–+ hgmk%°²½③٣\n()QLTPĐxX"), max_size=200)


@given(ANY_TEXT)
def test_of_any_text_no_digit_is_left_unread(text: str) -> None:
    assert not re.search(r"\d", read_aloud(text, "vi"))
    assert not any(one.isdigit() for one in read_aloud(text, "vi"))


SENTENCE = "nước dâng nhanh, rời nhà ngay lên đồi cao. Trường học đóng cửa; cầu gãy đường ngập!"
WORDS = st.sampled_from(SENTENCE.split())
NUMBERS = st.from_regex(r"\A[-+]?[0-9]{1,4}([.,/:h-][0-9]{1,4}){0,2}(mm|%|h|m3/s)?\Z")


@given(st.lists(WORDS | NUMBERS, max_size=40))
def test_no_word_that_is_no_number_is_lost_or_moved(parts: list[str]) -> None:
    said = read_aloud(" ".join(parts), "vi")
    at = 0
    for word in [part.strip(".,;!") for part in parts if not any(one.isdigit() for one in part)]:
        found = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)").search(said, at)
        assert found, f"{word} is not said in {said}"
        at = found.end()


@pytest.mark.parametrize(
    "piece", ["1", "1.", "1,", "1-", "0 ", "1/", "1.111", "v.", "ngày ", ">", " ", "x1", "1h", "-"]
)
def test_a_hostile_text_of_the_largest_size_is_read_in_a_moment(piece: str) -> None:
    """No step goes over a text again and again."""
    text = (piece * LIMITS.alert_text_chars)[: LIMITS.alert_text_chars]
    begun_s = time.process_time()
    assert not re.search(r"\d", read_aloud(text, "vi"))
    assert time.process_time() - begun_s < 2


def test_english_units_ranges_and_telephone_numbers_are_words_and_its_numbers_are_left_to_the_voice() -> None:
    text = "5-7 m of water at 17h30, 1,500 m3/s, 35 °C, 80 %. Call 0263 3822 123."
    assert read_aloud(text, "en") == (
        "5 to 7 metres of water at 17:30, 1,500 cubic metres per second, 35 degrees Celsius, 80 percent. "
        "Call 0 2 6 3 3 8 2 2 1 2 3."
    )


def test_a_language_of_which_nothing_is_known_is_handed_on_as_it_is() -> None:
    assert read_aloud("Kon sao 17h30", "kpm") == "Kon sao 17h30"
