"""The words of ``ttcs-edge trust``; ``locale.cli`` says them under its own name."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "trust": ("trạm tin ai, đến bao giờ", "whose word the station believes, and until when"),
    "trust-root": ("Gốc tin cậy {scope}, bản {version}", "Trust root {scope}, version {version}"),
    "trust-issued": ("lập {date}", "issued {date}"),
    "trust-until": ("hết hạn {date}, còn {days} ngày", "until {date}, {days} days left"),
    "trust-until-unknown": (
        "hết hạn {date}; trạm chưa có giờ đúng nên không biết còn bao lâu",
        "until {date}; without a trusted time the station cannot say how long that is",
    ),
    "trust-over": ("ĐÃ HẾT HẠN {date}", "OVER SINCE {date}"),
    "trust-certificate": ("Chứng chỉ của trạm", "The station's certificate"),
    "trust-no-certificate": (
        "không đọc được: ttcs-edge enrol --again",
        "it cannot be read: ttcs-edge enrol --again",
    ),
    "trust-time": (
        "Giờ mới nhất mà trung tâm đã ký: {when}; đồng hồ không lùi quá đó.",
        "The newest time that the centre has signed: {when}; the clock never goes behind it.",
    ),
}
