"""The words of ``ttcs-edge support-bundle``; ``locale.cli`` says them under its own name."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "support-bundle": ("gom mọi thứ kỹ sư cần vào một tệp, không có bí mật", "all that a developer needs, in one file"),
    "help-support-file": (
        "tệp sẽ viết (mặc định: ở thư mục này, theo tên máy và giờ)",
        "the file to write (default: here, named by machine and time)",
    ),
    "support-written": ("{file}: {size_kb} KB, {count} phần", "{file}: {size_kb} KB, {count} parts"),
    "support-missing": ("không có {name}: {why}", "without {name}: {why}"),
    "support-next": (
        "Gửi tệp này cho kỹ sư. Khóa và mật khẩu không có trong đó; tên xã, lịch và nhật ký thì có.",
        "Send this file to the developers. Keys and passwords are not in it; places, schedule and log are.",
    ),
}
