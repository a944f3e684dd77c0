"""What the release report says, in Vietnamese and English."""

from __future__ import annotations

Both = tuple[str, str]

SCENARIOS: dict[str, Both] = {
    "power_on_to_first_cue": ("Có điện đến mục phát đầu tiên", "Power on to first cue"),
    "a_morning_with_six_zones": ("Buổi sáng, sáu cụm loa", "A morning with six zones"),
    "an_alert_over_a_bulletin": ("Cảnh báo khẩn chen vào bản tin", "An alert over a bulletin"),
    "a_power_cut": ("Mất điện", "A power cut"),
    "a_hung_daemon": ("Chương trình trạm bị treo", "A hung daemon"),
    "a_hung_kernel": ("Nhân hệ điều hành bị treo", "A hung kernel"),
    "a_card_that_dies": ("Thẻ nhớ hỏng, chỉ còn đọc", "A card that dies and turns read-only"),
    "a_card_that_is_full": ("Thẻ nhớ đầy", "A card that is full"),
    "a_sound_card_that_is_pulled_out": ("Rút thẻ âm thanh khi đang phát", "A sound card pulled out while playing"),
    "a_meter_that_falls_silent": ("Công tơ điện không trả lời", "A meter that falls silent"),
    "a_meter_on_a_noisy_line": ("Đường công tơ bị nhiễu", "A meter on a noisy line"),
    "a_broken_speaker_line": ("Đứt đường loa", "A broken speaker line"),
    "a_link_that_is_cut_and_comes_back": ("Mất mạng rồi có lại", "A link that is cut and comes back"),
    "a_week_without_a_link": ("Một tuần không có mạng", "A week without a link"),
    "a_modem_that_hangs": ("Modem bị treo", "A modem that hangs"),
    "a_stranger_on_the_air": ("Tiếng lạ trên loa", "A stranger on the air"),
    "a_key_that_a_chip_has_sealed": ("Khóa do chip TPM niêm phong", "A key that a chip has sealed"),
    "a_program_that_takes_all_it_can_get": ("Chương trình chiếm hết máy", "A program that takes all it can get"),
    "an_alert_over_a_slow_link": ("Cảnh báo khẩn qua mạng chậm", "An alert over a slow link"),
    "a_clock_that_is_lost": ("Mất giờ đúng", "A clock that is lost"),
    "an_update_and_a_downgrade_with_a_cue_due": (
        "Cập nhật, rồi trở lại bản cũ, khi sắp đến giờ phát",
        "An update and a downgrade with a cue due",
    ),
}
"""Each scenario by the name of its test."""

CASES: dict[str, Both] = {
    "warming-up": ("lúc tăng âm đang nóng máy", "while the amplifier warms up"),
    "on-air": ("lúc đang phát", "on the air"),
    "holding": ("lúc đã hết tiếng, chưa tắt máy", "behind the sound, the amplifier still on"),
    "kept": ("chân giữ mức khi chương trình chết", "lines keep their level behind a dead program"),
    "let-go": ("chân tự nhả khi chương trình chết", "lines fall back behind a dead program"),
}

EVENTS: dict[str, Both] = {
    "started": ("trạm chạy", "station started"),
    "published": ("đã phát hành chương trình", "programme published"),
    "alert": ("phát cảnh báo khẩn", "alert sent"),
    "ready": ("trạm sẵn sàng lại", "station ready again"),
    "hung": ("chương trình trạm bị treo (SIGSTOP)", "daemon hung (SIGSTOP)"),
    "kernel-hung": ("nhân bị treo", "kernel hung"),
    "watchdog": ("chó canh phần cứng khởi động lại máy", "hardware watchdog restarts the machine"),
    "card-dead": ("thẻ nhớ hỏng", "card dies"),
    "card-full": ("thẻ nhớ đầy", "card is full"),
    "card-emptied": ("thẻ nhớ có chỗ trống lại", "there is room on the card again"),
    "card-out": ("rút thẻ âm thanh", "sound card pulled out"),
    "card-back": ("cắm lại thẻ âm thanh", "sound card put back"),
    "fault": ("sự cố được báo", "fault told"),
    "meter-silent": ("công tơ im", "meter silent"),
    "modem-hung": ("modem bị treo", "modem hangs"),
    "modem-cured": ("có mạng lại", "link is back"),
    "stranger": ("có tiếng lạ", "a stranger speaks"),
    "other-board": ("thẻ nhớ cắm vào máy khác", "the card is in another board"),
    "reported": ("trung tâm nhận báo cáo", "centre has the report"),
    "downgraded": ("trở lại bản cũ xong", "downgrade done"),
    "updated": ("cập nhật xong", "update done"),
}

FIGURES: dict[str, Both] = {
    "power-on-to-ready": ("từ có điện đến trạm sẵn sàng", "power on to station ready"),
    "power-on-to-sound": ("từ có điện đến tiếng đầu tiên", "power on to first sound"),
    "alert-to-sound": ("từ gửi cảnh báo đến có tiếng", "alert sent to sound"),
    "hung-to-open": ("từ treo đến mọi rơ-le mở", "hung to all relays open"),
    "kernel-hung-to-restart": (
        "từ treo nhân đến phần cứng khởi động lại (các chân trở về như lúc có điện)",
        "kernel hung to restart by the hardware (lines as at power-on)",
    ),
    "card-out-to-fault": ("từ rút thẻ âm thanh đến báo sự cố", "sound card out to fault"),
    "meter-silent-to-fault": ("từ công tơ im đến báo sự cố", "meter silent to fault"),
    "line-broken-to-fault": ("từ có tiếng trên đường đứt đến báo sự cố", "sound on a broken line to fault"),
    "modem-hung-to-link": ("từ modem treo đến có mạng lại", "modem hung to link back"),
    "stranger-to-fault": ("từ có tiếng lạ đến báo sự cố", "a stranger speaks to fault"),
    "link-back-to-report": ("từ có mạng lại đến trung tâm nhận báo cáo", "link back to report"),
    "late": ("mục phát bắt đầu trễ", "cue late by"),
}

OUTCOMES: dict[str, Both] = {
    "passed": ("ĐẠT", "passed"),
    "failed": ("KHÔNG ĐẠT", "failed"),
    "skipped": ("BỎ QUA", "skipped"),
}
MARKS = {"passed": "✓", "failed": "✗", "skipped": "–"}

BENCHES: dict[str, Both] = {
    "nspawn-bookworm": ("máy ảo nhẹ, Debian 12", "container, Debian 12"),
    "nspawn-trixie": ("máy ảo nhẹ, Debian 13", "container, Debian 13"),
    "qemu-bookworm": ("máy ảo có nhân riêng, Debian 12", "virtual machine with its own kernel, Debian 12"),
    "pi": ("bàn thử thật, Raspberry Pi", "real bench, Raspberry Pi"),
}

TRACKS: dict[str, Both] = {
    "power": ("điện", "power"),
    "link": ("mạng", "link"),
    "amplifier": ("tăng âm", "amplifier"),
    "sound": ("tiếng", "sound"),
}

CHECKS: dict[str, Both] = {
    "test_install.py": ("Cài đặt và gỡ bỏ", "Install and uninstall"),
    "test_service.py": ("Dịch vụ dưới systemd", "The service under systemd"),
    "test_sandbox.py": ("Quyền của dịch vụ", "What the service may do"),
    "test_player_unit.py": ("Quyền của bộ phát", "What the player may do"),
    "test_monitor_unit.py": ("Bộ nghe lại", "The off-air monitor"),
    "test_enrolment.py": ("Ghi danh trạm", "Enrolment"),
}
