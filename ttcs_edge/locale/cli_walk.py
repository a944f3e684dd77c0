"""The words of ``ttcs-edge walk``, and of the self-test in a status; ``locale.cli`` says them under its own name."""

from __future__ import annotations

OUTCOMES: dict[str, tuple[str, str]] = {
    "good": ("có ra tiếng", "it is heard"),
    "untold": ("đã phát; nghe xem có tiếng không", "sounded; listen whether it is heard"),
    "not-seen": ("đã phát, mà không thấy ra tiếng", "sounded, and nothing was seen of it"),
    "not-heard": ("không phát được", "not sounded"),
    "not-tested": ("chưa thử", "not tested"),
    "waits": ("đang chờ", "waits"),
    "switching": ("đang đóng rơ-le", "its relay is closing"),
    "tone": ("đang phát âm thử", "the tone sounds"),
    "name": ("đang đọc tên", "its name is said"),
}
"""What came of a zone, or happens to it."""

ERRORS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "walk-refused": (
        ("Chưa thử được: {error}", "Not now: {error}"),
        (
            "Thử lại khi sóng rảnh; trong giờ nghỉ thêm --now nếu đã báo dân",
            "Try again once the air is free; in quiet hours add --now, when people were told",
        ),
    ),
    "pins-whole": (
        ("--pins thử mọi cụm, và hỏi người", "--pins tries every zone, and asks a person"),
        ("Bỏ tên cụm và --json", "Leave out the zones and --json"),
    ),
    "pins-elsewhere": (
        ("Có cụm không dùng chân GPIO", "Some zone is on no GPIO line"),
        ("Sửa tay trong station.yaml", "Mend station.yaml by hand"),
    ),
    "pins-unsaid": (
        ("Chưa trả lời hết; không sửa gì", "Not everything was answered; nothing was changed"),
        ("Chạy lại ở cửa sổ dòng lệnh", "Run it again in a terminal"),
    ),
    "pins-by-hand": (
        ("station.yaml không có đủ chỗ để ghi", "station.yaml has no place to write it"),
        ("Ghi tay: {keys}", "Write by hand: {keys}"),
    ),
}

MESSAGES: dict[str, tuple[str, str]] = {
    "walk": ("thử từng cụm loa: âm thử, rồi đọc tên cụm", "test zone by zone: the tone, then the zone's name aloud"),
    "help-walk-zones": ("chỉ những cụm này (mặc định: mọi cụm)", "only these zones (default: all)"),
    "help-walk-now": ("cả trong giờ nghỉ", "in quiet hours, too"),
    "help-walk-seconds": (
        "âm thử dài mấy giây, 1 đến {most} (mặc định: %(default)s)",
        "seconds of the tone, 1 to {most} (default: %(default)s)",
    ),
    "help-walk-pins": (
        "sau đó hỏi cọc nào kêu, và sửa pin trong station.yaml (cần sudo)",
        "then ask which pole sounded, and mend the pins in station.yaml (needs sudo)",
    ),
    "pins-ask": (
        "Khi thử {name}, cọc nào kêu?  {choices}  0 không cọc nào  (Enter: đúng {name})",
        "When {name} was tried, which pole sounded?  {choices}  0 none  (Enter: {name})",
    ),
    "pins-again": ("{found}: cần một số từ 0 đến {most}", "{found}: a number from 0 to {most}"),
    "pins-silent": (
        "Có cọc không kêu: xem dây và rơ-le trước. Chưa sửa gì.",
        "Something did not sound: see to its wires and relay first. Nothing was changed.",
    ),
    "pins-doubt": (
        "Không rõ ở: {zones}. Nghe lại: ttcs-edge walk --pins. Chưa sửa gì.",
        "Not clear: {zones}. Listen again: ttcs-edge walk --pins. Nothing was changed.",
    ),
    "pins-right": ("Mọi pin đều đúng cọc.", "Every pin is that of its pole."),
    "pins-written": (
        "Đã sửa {file}; bản cũ ở {kept}. Chạy: sudo systemctl restart ttcs-edge, rồi ttcs-edge walk",
        "{file} is mended; the old one is {kept}. Run: sudo systemctl restart ttcs-edge, then ttcs-edge walk",
    ),
    "walk-begins": ("Thử {count} cụm loa, từng cụm một. Ctrl-C để dừng.", "{count} zones, one by one. Ctrl-C ends it."),
    "walk-no-name": (
        "{name}: chưa có tiếng đọc tên, chỉ có âm thử",
        "{name}: its name was not spoken yet, there is the tone alone",
    ),
    "walk-now.switching": ("{number}/{count} {name}: đang đóng rơ-le", "{number}/{count} {name}: its relay is closing"),
    "walk-now.tone": ("{number}/{count} {name}: âm thử", "{number}/{count} {name}: the tone"),
    "walk-now.name": ("{number}/{count} {name}: đọc tên", "{number}/{count} {name}: its name"),
    "walk-now.idle": ("Đo công tơ khi hết tiếng", "Reading the meter in silence"),
    "walk-interrupted": ("Đang dừng: nhỏ dần, mở rơ-le", "Ending: it is faded, the relays open"),
    "walk-contact": ("tiếp điểm báo đã đóng", "the contact says closed"),
    "walk-watts": ("công tơ {watts} W ({added} W)", "meter {watts} W ({added} W)"),
    "walk-figures": (
        "tone_w đo được {tone_w}, trong cấu hình {configured}",
        "tone_w measured {tone_w}, set {configured}",
    ),
    "walk-column.zone": ("cụm loa", "zone"),
    "walk-column.outcome": ("kết quả", "outcome"),
    "walk-column.watts": ("công tơ W", "meter W"),
    "walk-column.tone-w": ("tone_w đo được", "tone_w measured"),
    "walk-column.configured": ("trong cấu hình", "configured"),
    "walk-idle": ("Khi không có tiếng công tơ chỉ {watts} W.", "In silence the meter shows {watts} W."),
    "walk-propose": (
        "Nếu nghe rõ ở cả cụm, ghi vào zones trong station.yaml:",
        "If it was heard at all its loudspeakers, put into zones in station.yaml:",
    ),
    "walk-good": ("Mọi cụm đều có ra tiếng.", "Every zone is heard."),
    "walk-listen": (
        "Đã phát hết. Cụm nào không có gì đo thì chỉ người nghe mới biết.",
        "All were sounded. Where nothing measures, only who listens knows.",
    ),
    "walk-bad": ("Có sự cố ở: {zones}", "Something is wrong in: {zones}"),
    "walk-ended": ("Dừng giữa chừng: {why}", "It ended early: {why}"),
    "self-test": ("Tự thử", "Self-test"),
    "self-test-skipped": ("{when}: bỏ qua, {why}", "{when}: skipped, {why}"),
    "self-test-good": ("{when}: mọi cụm đều có ra tiếng", "{when}: every zone is heard"),
    "self-test-of-zone": ("{name}: {outcome}", "{name}: {outcome}"),
    **{f"walk-outcome.{name}": words for name, words in OUTCOMES.items()},
    **{f"error.{code}": pair for code, (pair, _) in ERRORS.items()},
    **{f"error.{code}.mend": pair for code, (_, pair) in ERRORS.items()},
}
