"""The words of ``ttcs-central live``; ``locale.central`` says them under its own name."""

from __future__ import annotations

ERRORS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "bad-live-id": (
        ("Mã tiếp sóng không đúng: {found}", "This is no id of a live relay: {found}"),
        (
            "Dùng chữ cái không dấu, chữ số, . _ -, như thoi-su; không dùng programme, beacon hay trust",
            "Use unaccented letters, digits, . _ -, such as thoi-su; none of programme, beacon, trust",
        ),
    ),
    "bad-live-title": (
        (
            "Tên chương trình dài {chars} ký tự, cần từ 1 đến {most}",
            "The title has {chars} characters, it must have 1 to {most}",
        ),
        ("Ví dụ: --title 'Thời sự'", "For example: --title 'Thời sự'"),
    ),
    "bad-live-zone": (
        ("Mã cụm loa không đúng: {found}", "This is no zone: {found}"),
        ("Viết như trong station.yaml, ví dụ: --zone cho", "Write it as station.yaml has it, such as: --zone cho"),
    ),
    "bad-segment": (
        (
            "Độ dài đoạn {found} ms không chia hết cho {expected}",
            "Segments of {found} ms do not fit {expected} ms packets",
        ),
        ("Ví dụ: --segment-ms 500", "For example: --segment-ms 500"),
    ),
    "no-live-input": (
        ("Không có nguồn âm thanh này: {found}", "There is no such input: {found}"),
        (
            "Dùng alsa:THIẾT_BỊ (xem arecord -L), pulse:NGUỒN, một tệp âm thanh, hoặc địa chỉ https://",
            "Give alsa:DEVICE (see arecord -L), pulse:SOURCE, a sound file, or an https:// address",
        ),
    ),
    "live-input-failed": (
        ("Nguồn {found} không dùng được: {why}", "The input {found} cannot be used: {why}"),
        (
            "Xem thiết bị có cắm, tệp có phải âm thanh, địa chỉ có đúng không, rồi phát lại",
            "See that the device is plugged in, the file is sound, the address is right; then begin again",
        ),
    ),
    "live-input-playlist": (
        (
            "Nguồn {found} là danh sách nhiều tệp, không kiểm được từng tệp đến từ đâu",
            "The stream {found} is a list of files: where each of them comes from cannot be checked",
        ),
        (
            "Dùng địa chỉ của một luồng liền (Icecast, MP3, AAC, Ogg), hoặc của HLS, tận cùng bằng .m3u8",
            "Give the address of one stream (Icecast, MP3, AAC, Ogg), or that of HLS, which ends in .m3u8",
        ),
    ),
    "live-input-quiet": (
        ("Nguồn im đã {seconds} giây, đã dừng phát", "Nothing was heard for {seconds} seconds: the session is over"),
        ("Xem micrô có bật không, rồi phát lại", "See that the microphone is on, then begin again"),
    ),
    "live-input-silent": (
        ("Nguồn {found} không cho gì trong {seconds} giây", "The input {found} gave nothing for {seconds} seconds"),
        ("Xem nguồn và đường truyền của nó, rồi phát lại", "Look at the input and its link, then begin again"),
    ),
}
"""What went wrong, and what mends it."""

MESSAGES: dict[str, tuple[str, str]] = {
    "live": (
        "phát trực tiếp cho các trạm, từng đoạn có chữ ký",
        "speak live to the stations of a scope, each piece signed",
    ),
    "help-live-scope": ("địa bàn nghe", "the place that hears it"),
    "help-live-id": ("mã tiếp sóng, như trong lịch (live)", "its id, as slots name it (live)"),
    "help-live-input": (
        "nguồn: alsa:THIẾT_BỊ, pulse:NGUỒN, một tệp, hoặc luồng https:// (không HLS)",
        "what is heard: alsa:DEVICE, pulse:SOURCE, a file, or an https:// stream (no HLS)",
    ),
    "help-live-title": ("tên chương trình", "what it is called"),
    "help-live-minutes": ("được phát lâu nhất bao nhiêu phút", "how many minutes it may last"),
    "help-live-priority": ("mức ưu tiên 0-9, như của bản tin", "its priority, 0 to 9, as bulletins have"),
    "help-live-zone": ("chỉ ở cụm loa này; có thể nhắc lại", "in this zone only; may be given again"),
    "help-live-segment-ms": ("độ dài mỗi đoạn, mili giây", "how long each piece is, in milliseconds"),
    "help-live-yes": ("không hỏi lại", "do not ask"),
    "live-every-zone": ("mọi cụm loa", "every zone"),
    "live-what": (
        "Phát trực tiếp «{title}» ({id}) từ {input}\n  tới {scope}: {stations} trạm, {zones}, lâu nhất {minutes} phút",
        'Speak live: "{title}" ({id}) from {input}\n'
        "  to {scope}: {stations} stations, {zones}, {minutes} minutes at the most",
    ),
    "live-ask": ("Phát ngay? [c/K]", "Begin? [y/N]"),
    "live-going": (
        "Đang phát {length}, {level} dBFS, đã gửi {sent} đoạn, mất {unsent}",
        "On the air {length}, {level} dBFS, {sent} segments sent, {unsent} not",
    ),
    "live-over": (
        "Đã phát xong: {length}, đã gửi {sent} đoạn, mất {unsent}",
        "Over: {length}, {sent} segments sent, {unsent} not",
    ),
    "live-link-down": ("Mất kết nối tới máy chủ {broker}", "The broker {broker} is away"),
    "live-link-up": ("Đã kết nối lại máy chủ {broker}", "The broker {broker} is back"),
    "live-stutter": (
        "Nguồn ngắt quãng: đoạn vừa rồi chậm {seconds} giây",
        "The input stutters: the last segment was {seconds} seconds late",
    ),
    "live-quiet": (
        "Nguồn im đã {seconds} giây: micrô có bật không?",
        "Nothing was heard for {seconds} seconds: is the microphone on?",
    ),
}
