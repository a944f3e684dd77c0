"""The words of Vietnamese bulletins that are written short, and how each is said."""

from __future__ import annotations

from collections.abc import Mapping

ABBREVIATIONS: Mapping[str, str] = {
    "ATNĐ": "áp thấp nhiệt đới",
    "BCĐ": "Ban chỉ đạo",
    "BCH": "Ban chỉ huy",
    "BHXH": "bảo hiểm xã hội",
    "BHYT": "bảo hiểm y tế",
    "BĐ": "báo động",
    "CATP": "công an thành phố",
    "CNCH": "cứu nạn cứu hộ",
    "CSGT": "cảnh sát giao thông",
    "GTVT": "giao thông vận tải",
    "HCM": "Hồ Chí Minh",
    "HĐND": "Hội đồng nhân dân",
    "HTX": "hợp tác xã",
    "KCN": "khu công nghiệp",
    "KTTV": "khí tượng thuỷ văn",
    "MTTQ": "Mặt trận Tổ quốc",
    "NN&PTNT": "nông nghiệp và phát triển nông thôn",
    "PCCC": "phòng cháy chữa cháy",
    "PCLB": "phòng chống lụt bão",
    "PCTT": "phòng chống thiên tai",
    "PTDS": "phòng thủ dân sự",
    "QL": "quốc lộ",
    "SĐT": "số điện thoại",
    "THCS": "trung học cơ sở",
    "THPT": "trung học phổ thông",
    "TKCN": "tìm kiếm cứu nạn",
    "TP": "thành phố",
    "TTCS": "thông tin cơ sở",
    "TW": "trung ương",
    "TƯ": "trung ương",
    "UBND": "Uỷ ban nhân dân",
    "VN": "Việt Nam",
    "ĐT": "điện thoại",
}
"""Whole words, in just these letters. ``ĐT`` before a number is a road: see ``ROADS``."""

ROADS: Mapping[str, str] = {"QL": "quốc lộ", "TL": "tỉnh lộ", "ĐT": "đường tỉnh", "DT": "đường tỉnh"}
"""What these letters mean with a number behind them: ``QL20``, ``ĐT.725``."""

DOTTED: Mapping[str, str] = {
    "TP": "thành phố",
    "TX": "thị xã",
    "TT": "thị trấn",
    "Q": "quận",
    "P": "phường",
    "H": "huyện",
    "X": "xã",
}
"""What a place's kind is with a dot behind it and its name behind that: ``TP.Đà Lạt``, ``P. 5``."""

PHRASES: Mapping[str, str] = {"v.v": "vân vân", "24/7": "hai mươi bốn trên bảy", "đ/c": "đồng chí"}

UNITS: Mapping[str, str] = {
    "m3/giây": "mét khối trên giây",
    "m3/ngày": "mét khối một ngày",
    "mm/giờ": "mi li mét một giờ",
    "km/giờ": "ki lô mét một giờ",
    "m3/s": "mét khối trên giây",
    "m3/h": "mét khối một giờ",
    "mm/h": "mi li mét một giờ",
    "km/h": "ki lô mét một giờ",
    "m/s": "mét trên giây",
    "km2": "ki lô mét vuông",
    "cm2": "xăng ti mét vuông",
    "m2": "mét vuông",
    "m3": "mét khối",
    "mm": "mi li mét",
    "cm": "xăng ti mét",
    "dm": "đề xi mét",
    "km": "ki lô mét",
    "ha": "héc ta",
    "m": "mét",
    "kg": "ki lô gam",
    "g": "gam",
    "l": "lít",
    "kWh": "ki lô oát giờ",
    "kW": "ki lô oát",
    "MW": "mê ga oát",
    "kV": "ki lô vôn",
    "V": "vôn",
    "hPa": "héc tô pát can",
    "mb": "mi li ba",
    "MHz": "mê ga héc",
    "kHz": "ki lô héc",
    "Hz": "héc",
    "°C": "độ C",
    "oC": "độ C",
    "°": "độ",
    "%": "phần trăm",
    "‰": "phần nghìn",
    "VNĐ": "đồng",
    "VND": "đồng",
    "đ": "đồng",
    "USD": "đô la Mỹ",
}
"""Behind a number."""

ALONE: Mapping[str, str] = {
    unit: UNITS[unit]
    for unit in ("m3/s", "mm/h", "km/h", "m/s", "km2", "m2", "m3", "mm", "cm", "km", "kg", "°C", "%", "°")
}
"""Without a number before them these are still units, and nothing else: ``nghìn m3``."""

SIGNS: Mapping[str, str] = {
    ">=": "ít nhất",
    "<=": "không quá",
    "≥": "ít nhất",
    "≤": "không quá",
    ">": "trên",
    "<": "dưới",
    "±": "cộng trừ",
    "~": "khoảng",
    "≈": "khoảng",
}
"""Before a number."""

DATE_WORDS = frozenset(
    (
        *("ngày", "mùng", "mồng", "hôm", "nay", "qua", "mai", "từ", "đến", "tới", "trước", "sau"),
        *("sáng", "trưa", "chiều", "tối", "đêm", "giờ", "phút"),
        *("hai", "ba", "tư", "năm", "sáu", "bảy", "nhật"),
    )
)
"""Behind one of these, two small numbers with a slash are a date, not a part of something: ``chiều 3/4``."""

SAY_DAY = frozenset({"ngày", "mùng", "mồng"})
"""Behind one of these, *ngày* is not said once more."""

PHONE_WORDS = ("gọi", "số", "thoại", "đài", "ĐT", "SĐT", "hotline", "Hotline", "nóng")
"""Behind one of these a number of three or four digits is called, not counted."""

FOURTH_WORDS = ("tháng", "thứ", "quý")
"""Behind one of these a four is *tư*."""

ROMAN_WORDS = ("báo động", "BĐ", "cấp", "đợt", "khoá", "khóa", "kỳ", "loại", "nhóm", "phần", "quý", "thế kỷ", "vùng")
"""Behind one of these, letters of Rome are a number: *báo động III*."""
