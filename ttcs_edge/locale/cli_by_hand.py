"""The words of ``ttcs-edge test-tone``, ``relay``, ``stop``, ``mute`` and ``unmute``; ``locale.cli`` says them."""

from __future__ import annotations

ERRORS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "lease-refused": (
        ("Chưa làm được: {error}", "Not now: {error}"),
        (
            "Thử lại khi sóng rảnh; âm thử trong giờ nghỉ: thêm --now nếu đã báo dân",
            "Try again once the air is free; a tone in quiet hours: add --now, when people were told",
        ),
    ),
    "not-allowed": (
        ("{user} không được làm việc này: cần quyền root", "{user} may not do this: it needs root"),
        ("Chạy lại với sudo: sudo ttcs-edge {deed}", "Run it with sudo: sudo ttcs-edge {deed}"),
    ),
}

MESSAGES: dict[str, tuple[str, str]] = {
    "test-tone": ("phát âm thử ở một số cụm loa, rồi tự tắt", "sound the test tone in zones; it ends by itself"),
    "help-tone-zones": ("chỉ những cụm này (mặc định: mọi cụm)", "only these zones (default: all)"),
    "help-tone-seconds": (
        "mấy giây, 1 đến {most} (mặc định: %(default)s)",
        "how many seconds, 1 to {most} (default: %(default)s)",
    ),
    "relay": (
        "giữ rơ-le của một cụm đóng, không có tiếng, để đo dây",
        "hold the relay of a zone closed, in silence, to measure its wires",
    ),
    "help-relay-zone": ("mã của cụm loa, như trong station.yaml", "the zone's id, as in station.yaml"),
    "help-relay-close": ("đóng, rồi tự mở khi hết giờ", "close it; it opens by itself once its time is over"),
    "help-relay-open": ("mở rơ-le đang được giữ", "open the one that is held"),
    "help-relay-seconds": (
        "lâu nhất mấy giây, 1 đến {most} (mặc định: %(default)s)",
        "for how many seconds at the most, 1 to {most} (default: %(default)s)",
    ),
    "stop": (
        "dừng việc đang thử tại trạm: âm thử, rơ-le, walk",
        "end what is tested here: a tone, a relay, a walk",
    ),
    "mute": (
        "tắt tiếng trạm một lúc; thông báo khẩn cấp vẫn phát",
        "silence the station for a while; alerts are heard",
    ),
    "help-mute-for": (
        "mấy phút, 1 đến {most} (mặc định: %(default)s)",
        "how many minutes, 1 to {most} (default: %(default)s)",
    ),
    "unmute": ("cho trạm có tiếng lại", "let the station be heard again"),
    "tone-begins": (
        "Âm thử {seconds} giây ở: {zones}. Ctrl-C để dừng.",
        "The test tone for {seconds} s in: {zones}. Ctrl-C ends it.",
    ),
    "relay-begins": (
        "Giữ rơ-le đóng {seconds} giây: {zones}. Ctrl-C để mở.",
        "Relay held closed for {seconds} s: {zones}. Ctrl-C opens it.",
    ),
    "relay-danger": (
        "CHỚ CHẠM DÂY TRẦN: thông báo khẩn cấp có thể phát bất cứ lúc nào.",
        "TOUCH NO BARE WIRE: an alert may sound at any moment.",
    ),
    "relay-held": ("Đã đóng.", "It is closed."),
    "tone-heard": ("Đang có tiếng.", "It sounds."),
    "lease-interrupted": ("Đang dừng: nhỏ dần, mở rơ-le", "Ending: it is faded, the relays open"),
    "tone-done": ("Xong, đã tắt.", "Done, and off."),
    "relay-done": ("Đã hết giờ giữ.", "The time is over."),
    "lease-stopped": ("Đã dừng.", "It was ended."),
    "lease-ended": ("Dừng giữa chừng: {why}", "It ended early: {why}"),
    "stopped.tone": ("Đã dừng âm thử.", "The test tone was ended."),
    "stopped.relay": ("Đã thôi giữ rơ-le.", "The relay is held no more."),
    "stopped.walk": ("Đã dừng việc thử từng cụm loa.", "The walk was ended."),
    "stopped-nothing": ("Không có gì đang thử.", "Nothing is being tested."),
    "stopped-others": (
        "Mục đang phát chỉ trung tâm dừng được; tắt tiếng tại trạm: sudo ttcs-edge mute",
        "A cue is the centre's to stop; to silence the station: sudo ttcs-edge mute",
    ),
    "muted": ("Trạm tắt tiếng {minutes} phút.", "The station is silent for {minutes} minutes."),
    "muted-alerts": (
        "Thông báo khẩn cấp vẫn phát. Có tiếng lại: sudo ttcs-edge unmute",
        "Alerts are heard. To end it: sudo ttcs-edge unmute",
    ),
    "unmuted": ("Trạm có tiếng lại.", "The station is heard again."),
    "unmuted-nothing": ("Trạm không bị tắt tiếng.", "The station was not muted."),
    **{f"error.{code}": pair for code, (pair, _) in ERRORS.items()},
    **{f"error.{code}.mend": pair for code, (_, pair) in ERRORS.items()},
}
