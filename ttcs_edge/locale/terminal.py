"""What both programs say of their command line, of trust, of dates and of ages."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    # -- help
    "usage": ("cách dùng: ", "usage: "),
    "metavar": ("LỆNH", "COMMAND"),
    "commands": ("lệnh", "commands"),
    "arguments": ("phải có", "required"),
    "options": ("tùy chọn", "options"),
    "example": ("ví dụ:", "example:"),
    "help-help": ("xem hướng dẫn này", "show this help"),
    "help-lang": ("ngôn ngữ (mặc định: theo máy, hoặc vi)", "language (default: the locale's, or vi)"),
    # -- wrong use
    "bad-usage": ("Lệnh không đúng: {problem}", "Wrong use: {problem}"),
    "see-help": ("Xem: {command} --help", "See: {command} --help"),
    "missing-words": ("thiếu {found}", "{found} is missing"),
    "unknown-words": ("không hiểu: {found}", "not understood: {found}"),
    "unknown-choice": ("{option}: không có lựa chọn {found}", "{option}: there is no {found}"),
    "needs-value": ("{option}: thiếu giá trị", "{option}: its value is missing"),
    "not-together": ("{option}: không đi cùng {found}", "{option}: not together with {found}"),
    "takes-no-value": ("{option}: không kèm giá trị", "{option}: it takes no value"),
    "bad-number": (
        "{option}: {found} không dùng được, cần một số từ {least} đến {most}",
        "{option}: {found} will not do, give a number from {least} to {most}",
    ),
    "bad-moment": (
        "{option}: không hiểu {found}; viết 2026-12-01, 2026-12-01T05:00, 3d hoặc 12h",
        "{option}: {found} is not understood; write 2026-12-01, 2026-12-01T05:00, 3d or 12h",
    ),
    "no-output": ("Không ghi được kết quả: {found}", "What there is to say cannot be written: {found}"),
    # -- who may do what
    "grant-role": ("Quyền", "May do"),
    "grant-scope": ("Địa bàn", "Scope"),
    "grant-keys": ("Khóa", "Keys"),
    "grant-of": ("{threshold} trong: {names}", "{threshold} of: {names}"),
    "role.root": ("gốc tin cậy", "trust root"),
    "role.publish": ("chương trình", "programmes"),
    "role.command": ("lệnh", "orders"),
    "role.beacon": ("tín hiệu", "beacons"),
    "role.live": ("trực tiếp", "live"),
    "role.alert": ("cảnh báo", "alerts"),
    # -- dates and ages
    "date": ("{day}/{month}/{year}", "{year}-{month}-{day}"),
    "date-short": ("{day}/{month}", "{month}-{day}"),
    "weekday.0": ("Thứ hai", "Monday"),
    "weekday.1": ("Thứ ba", "Tuesday"),
    "weekday.2": ("Thứ tư", "Wednesday"),
    "weekday.3": ("Thứ năm", "Thursday"),
    "weekday.4": ("Thứ sáu", "Friday"),
    "weekday.5": ("Thứ bảy", "Saturday"),
    "weekday.6": ("Chủ nhật", "Sunday"),
    "age.seconds": ("{count} giây", "{count} s"),
    "age.minutes": ("{count} phút", "{count} min"),
    "age.hours": ("{count} giờ", "{count} h"),
    "age.days": ("{count} ngày", "{count} d"),
    "days-from-to": ("{count} lần, từ {first} đến {last}", "{count} times, {first} to {last}"),
}
