"""The words of ``ttcs-central audit``; ``locale.central`` says them under its own name."""

from __future__ import annotations

ERRORS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "no-trail": (
        ("Chưa giữ báo cáo nào của trạm: {station}", "No report of this station is kept: {station}"),
        (
            "Nghe và giữ báo cáo bằng: ttcs-central watch --keep, hoặc nhập USB: ttcs-central import-reports",
            "Keep what stations tell: ttcs-central watch --keep, or take in a stick: ttcs-central import-reports",
        ),
    ),
}

HELP: dict[str, tuple[str, str]] = {
    "audit": ("kiểm tra nhật ký kiểm toán của các trạm", "verify the audit trails of the stations"),
    "help-audit-id": ("một trạm (mặc định: mọi trạm)", "one station (default: all)"),
    "help-audit-since": (
        "chỉ hiện từ ngày này, như 2026-11-01; vẫn kiểm tra tất cả",
        "show only what is of this date or later, such as 2026-11-01; all is verified",
    ),
    "help-audit-json": ("in JSON cho máy đọc", "print JSON for machines"),
    "bad-since": ("--since: {found} không phải là ngày như 2026-11-01", "--since: {found} is no date like 2026-11-01"),
}

DEEDS: dict[str, tuple[str, str]] = {
    "audit-deed-accepted": ("nhận", "accepted"),
    "audit-deed-refused": ("từ chối", "refused"),
    "audit-deed-started": ("trạm khởi động", "the station started"),
    "audit-deed-stopped": ("trạm dừng", "the station stopped"),
    "audit-deed-opened": ("mở", "opened"),
    "audit-deed-muted": ("trạm bị tắt tiếng", "the station was muted"),
    "audit-deed-unmuted": ("hết tắt tiếng", "the station is heard again"),
    "audit-deed-counted": ("chỉ đếm, không ghi riêng", "only counted"),
    "audit-deed-tested": ("tự kiểm tra", "tested itself"),
    "audit-kind-walk": ("thử từng cụm loa", "walk through the zones"),
    "audit-kind-lease": ("âm thử hoặc giữ rơ-le", "test tone or relay held closed"),
    "audit-kind-tests": ("dừng việc đang thử", "the end of what was tested"),
    "audit-kind-deed": ("việc cần quyền root", "a deed that is root's"),
    "audit-kind-zones": ("các cụm loa", "zones"),
    "audit-kind-trust": ("gốc tin cậy", "trust root"),
    "audit-kind-programme": ("chương trình", "programme"),
    "audit-kind-alert": ("thông báo khẩn cấp", "alert"),
    "audit-kind-beacon": ("tín hiệu trung tâm", "beacon"),
    "audit-kind-command": ("lệnh", "command"),
    "audit-kind-live": ("tiếp sóng", "live relay"),
    "audit-kind-certificate": ("chứng chỉ", "certificate"),
    "audit-kind-box": ("cửa hộp của trạm", "the door of the box of"),
    "audit-kind-audio": ("âm thanh", "audio"),
    "audit-unsaid": ("từ chối thêm {count} lần: {code}", "{count} more refused: {code}"),
    "audit-version": ("bản {version}", "version {version}"),
    "audit-user": ("{name} ({uid})", "{name} ({uid})"),
    "audit-station": ("trạm", "the station"),
    "audit-unknown": ("không rõ ai", "nobody known"),
    "audit-when": ("lúc", "when"),
    "audit-who": ("ai", "who"),
    "audit-what": ("việc", "what"),
}

VERDICTS: dict[str, tuple[str, str]] = {
    "audit-none": ("không giữ mục kiểm toán nào", "no entry of its audit trail is kept"),
    "audit-count": ("{count} mục, từ {first} đến {last}", "{count} entries, from {first} to {last}"),
    "audit-carried": ("{count} mục do USB mang về", "{count} of them carried by hand"),
    "audit-whole": ("nguyên vẹn", "whole"),
    "audit-changed": ("bị sửa ở {count} chỗ", "changed in {count} places"),
    "audit-gaps": ("thiếu ở {count} chỗ", "incomplete in {count} places"),
    "audit-gap": (
        "Thiếu mục {first} đến {last} của chuỗi {journal}",
        "Missing: entries {first} to {last} of chain {journal}",
    ),
    "audit-gap-behind": (
        "Có thể thiếu mục từ {first} trở đi của chuỗi {journal}: sau đó trạm còn báo cáo khác chưa nhận",
        "Entries from {first} on of chain {journal} may be missing: there are reports behind that have not come",
    ),
    "audit-let-go": (
        "{count} mục trạm đã bỏ vì hết chỗ, không lấy lại được",
        "{count} of them the station had no room for: they are gone",
    ),
    "audit-change": ("Mục {link} của chuỗi {journal} ({id}): {why}", "Entry {link} of chain {journal} ({id}): {why}"),
    "audit-changed-digest": ("nội dung đã bị sửa", "its content was changed"),
    "audit-changed-before": ("không nối với mục trước", "it does not follow the one before"),
    "audit-changed-doubled": ("hai mục ở cùng một chỗ", "two entries are in one place"),
    "audit-changed-end": ("khác với điều trạm nói sau đó", "it is not what the station said of it later"),
    "audit-changed-name": ("nằm sai trạm hoặc sai tên", "it lies under another station or name"),
    "audit-changed-unreadable": ("không đọc được", "it cannot be read"),
    "audit-changed-number": ("số của mục này thuộc báo cáo khác", "another report has its number"),
    "audit-begun": ("Chuỗi {journal} bắt đầu {at}: {why}", "Chain {journal} began {at}: {why}"),
    "audit-joined": (
        "Chuỗi {journal} tiếp tục ở mục {link}, {at}: {why}",
        "Chain {journal} went on with entry {link}, {at}: {why}",
    ),
    "audit-ended": (
        "chuỗi {journal} trước đó có {link} mục",
        "chain {journal} before it had come to entry {link}",
    ),
    "audit-why-first": ("chuỗi đầu tiên của trạm", "the first of this station"),
    "audit-why-update": ("bản cũ chưa ghi nhật ký kiểm toán", "the release before kept no audit trail"),
    "audit-why-store-damaged": ("cơ sở dữ liệu hỏng, làm lại", "the database was damaged, and made anew"),
    "audit-why-store-in-memory": ("không ghi được thẻ nhớ", "the card could not be written"),
    "audit-why-store-back": ("ghi lại được thẻ nhớ", "the card could be written again"),
    "audit-head": (
        "Mục mới nhất: {link} của chuỗi {journal}, mã băm {digest}",
        "The newest: entry {link} of chain {journal}, digest {digest}",
    ),
}

MESSAGES: dict[str, tuple[str, str]] = {**HELP, **DEEDS, **VERDICTS}
