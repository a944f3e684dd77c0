"""The words of ``ttcs-edge log`` and ``ttcs-edge faults``; ``locale.cli`` says them under its own name."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "log": ("đã phát gì, không phát được gì và vì sao", "what aired, what did not, and why"),
    "faults": ("có sự cố gì, vì sao, xử lý thế nào", "what is wrong, why, and what to do"),
    "help-since": (
        "từ lúc này: 2026-12-01, 2026-12-01T05:00, 3d (ngày), 12h (giờ)",
        "from then on: 2026-12-01, 2026-12-01T05:00, 3d (days), 12h (hours)",
    ),
    "help-until": ("trước lúc này, viết như --since", "before then, written as --since"),
    "help-zone": ("chỉ những gì cho cụm loa này", "only what was meant for this zone"),
    "help-outcome": (
        "chỉ kết quả này: aired, cut, missed, part, substituted",
        "only this outcome: aired, cut, missed, part, substituted",
    ),
    "help-slot": ("chỉ khung giờ này", "only this slot"),
    "help-last-log": (
        "chỉ chừng này mục mới nhất (mặc định: 20; có --since hoặc --until thì tất cả)",
        "only so many, the newest (default: 20; with --since or --until all)",
    ),
    "help-csv": ("bảng CSV cho Excel, LibreOffice", "CSV for a spreadsheet"),
    "help-history": ("cả sự cố đã hết, trạm còn nhớ", "those that are over, too, as long as they are kept"),
    "help-last-faults": (
        "chừng này sự cố mới nhất, cả đã hết (mặc định: 20)",
        "so many of the newest, over or not (default: 20)",
    ),
    "log-count": ("Tất cả {count} mục", "{count} in all"),
    "log-none": ("Không có mục nào", "Nothing of that kind"),
    "log-unseen": ("không đo thấy ra tiếng", "not seen to go out"),
    "column-outcome": ("Kết quả", "Outcome"),
    "faults-none-now": ("Không có sự cố", "Nothing is wrong"),
    "faults-never": ("Trạm không nhớ sự cố nào", "The station remembers no fault"),
    "fault-cause": ("Thường do: {cause} ({code})", "Most often: {cause} ({code})"),
    "fault-from": ("{begin}, chưa báo hết", "{begin}, not told to be over"),
    "fault-for": ("{begin}, trong {age}", "{begin}, for {age}"),
}
