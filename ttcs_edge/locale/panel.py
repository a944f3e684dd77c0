"""The words of the display at the box: few, short, and never more than three letters that have to be drawn."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "stopping": ("Đang tắt", "Stopping"),
    "alert": ("Khẩn cấp", "ALERT"),
    "on-air": ("Đang phát", "On the air"),
    "muted": ("Tắt tiếng", "Muted"),
    "no-time": ("Chưa có giờ", "No time yet"),
    "no-link": ("Mất mạng", "No link"),
    "idle": ("Chờ", "Waiting"),
    "next": ("Kế {at} {title}", "Next {at} {title}"),
    "fault": ("Lỗi: {fault}", "Fault: {fault}"),
    "faults": ("Lỗi 1/{count}: {fault}", "Fault 1/{count}: {fault}"),
    "place": ("{station} {address}", "{station} {address}"),
    "no-address": ("chưa có IP", "no IP yet"),
}
