"""The words of ``ttcs-edge monitor``; ``locale.cli`` says them under its own name."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "monitor": ("màn hình theo dõi trạm, luôn đổi mới", "the station on one screen, as it lives"),
    "help-every": (
        "cách mấy giây hỏi trạm một lần, 1 đến 60 (mặc định: %(default)s); 1 giây: dưới 20 KB mỗi phút",
        "how often the station is asked, in s, 1 to 60 (default: %(default)s); at 1 s below 20 KB a minute are sent",
    ),
    "monitor-keys": (
        "q thoát  t thử loa  s dừng thử  m tắt tiếng  u mở tiếng  a đã xem",
        "q quit  t test tone  s stop tests  m mute  u unmute  a acknowledge",
    ),
    "monitor-next": ("Sắp phát", "Next"),
    "monitor-faults": ("Sự cố", "Faults"),
    "monitor-log": ("Đã phát", "Aired"),
    "monitor-no-time": ("giờ chưa chắc", "time not certain"),
    "monitor-waiting": ("{count} báo cáo chờ", "{count} reports wait"),
    "monitor-muted": ("đang tắt tiếng", "muted"),
    "monitor-hidden": ("và {count} sự cố nữa: ttcs-edge faults", "and {count} more: ttcs-edge faults"),
    "monitor-asks-stop": ("Dừng thử loa? y: dừng", "Stop what is tested? y: stop"),
    "monitor-asks-tone": (
        "Phát âm thử {seconds} giây ở mọi cụm? y: phát",
        "Test tone for {seconds} s everywhere? y: yes",
    ),
    "monitor-asks-mute": (
        "Tắt tiếng {minutes} phút (cảnh báo vẫn phát)? y: tắt",
        "Mute for {minutes} min (alerts still sound)? y: mute",
    ),
    "monitor-asks-unmute": ("Mở tiếng lại? y: mở", "Unmute? y: unmute"),
    "monitor-done-stop": ("Đã dừng.", "Stopped."),
    "monitor-done-tone": ("Đang phát âm thử.", "The test tone sounds."),
    "monitor-done-mute": ("Đã tắt tiếng {minutes} phút.", "Muted for {minutes} min."),
    "monitor-done-unmute": ("Đã mở tiếng.", "Unmuted."),
    "error.no-terminal": ("Lệnh này cần một cửa sổ dòng lệnh", "This needs a terminal"),
    "error.no-terminal.mend": (
        "Cho máy đọc thì dùng: ttcs-edge status --json",
        "For a program: ttcs-edge status --json",
    ),
}
