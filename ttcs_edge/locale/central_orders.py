"""The words of the orders of ``ttcs-central`` to one station; ``locale.central`` says them under its own name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from ttcs_edge.locale import LANGUAGES, Language
from ttcs_edge.locale.faults import FAULTS, REASONS, fault_words, reason_words

REFUSALS: dict[str, tuple[str, str]] = {
    "air-taken": ("đang có mục khác trên sóng", "something else is on the air"),
    "alert-on-air": (
        "đang có thông báo khẩn cấp; hủy bằng: ttcs-central alert --cancel",
        "an alert is on the air; it is cancelled by: ttcs-central alert --cancel",
    ),
    "bad-config": (
        "cấu hình của trạm có lỗi, khởi động lại sẽ không lên: {file} dòng {line}, {key}: {problem}",
        "its config is wrong, and it would not start again: {file} line {line}, {key}: {problem}",
    ),
    "busy": ("trạm đang đọc nhật ký cho lệnh khác", "it is reading the log for another order"),
    "command-revoked": (
        "khóa ký lệnh này đã bị thu hồi trước khi trạm làm xong",
        "the key that signed this order was revoked before it was done",
    ),
    "due-soon": ("sắp đến giờ phát một mục khác", "something else is due too soon"),
    "no-journal": ("không đọc được nhật ký: {error}", "the log cannot be read: {error}"),
    "nothing-on-air": ("không có gì đang phát", "nothing is on the air"),
    "restarting": ("trạm đang khởi động lại", "it is restarting already"),
    "too-often": ("đã thử quá nhiều lần trong một giờ", "zones were tested too often in the last hour"),
    "zones-bad": ("có cụm loa không ra tiếng: {zones}", "zones that are not heard: {zones}"),
    "unknown-zone": ("trạm không có cụm loa {zone}", "it has no zone {zone}"),
}
"""Why a station does not obey, beside the reasons of records and of faults."""

ERRORS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "bad-percent": (
        (
            "Cần một âm lượng từ 0 đến 100, hoặc --as-configured: {found}",
            "Give a volume from 0 to 100, or --as-configured: {found}",
        ),
        ("Ví dụ: ttcs-central volume TRUNG_TÂM TRẠM 40", "For example: ttcs-central volume FOLDER ID 40"),
    ),
    "command-not-done": (
        ("Trạm {station} không làm được: {why}", "Station {station} could not do it: {why}"),
        ("Sửa điều trên rồi gửi lại lệnh", "Mend that, then give the order again"),
    ),
    "command-refused": (
        ("Trạm {station} từ chối: {why}", "Station {station} refused: {why}"),
        ("Chưa có gì thay đổi ở trạm. Gửi lại lệnh khi được", "Nothing was changed there. Give the order again later"),
    ),
    "no-answer": (
        ("Trạm {station} không trả lời trong {seconds} giây", "Station {station} did not answer within {seconds} s"),
        (
            "Trạm nối lại trong {valid_s} giây sau lệnh thì vẫn làm; nếu trạm đang nối, xem: ttcs-central watch --once",
            "One that is back within {valid_s} s of the order does it yet; of one that is there, see:"
            " ttcs-central watch --once",
        ),
    ),
    "not-back": (
        (
            "Trạm {station} đã tắt để khởi động lại, nhưng chưa thấy nối lại sau {seconds} giây",
            "Station {station} left to start again, and was not back within {seconds} s",
        ),
        (
            "Xem tiếp: ttcs-central watch; nếu trạm không trở lại, phải đến tận nơi",
            "Go on watching: ttcs-central watch; if it does not come, somebody must go there",
        ),
    ),
}

HELP: dict[str, tuple[str, str]] = {
    "stop": ("dừng mục đang phát ở một trạm", "stop what is on the air at one station"),
    "volume": ("đặt âm lượng cụm loa trong một thời gian", "set how loud zones are for a while"),
    "test-tone": ("phát âm thử ở một cụm loa", "sound a test tone in one zone"),
    "walk": ("thử từng cụm loa ở một trạm: âm thử và tên cụm", "test tone and name in each zone of one station"),
    "restart": ("khởi động lại một trạm", "restart one station"),
    "log": ("xem nhật ký của một trạm", "see the log of one station"),
    "help-percent": ("âm lượng, từ 0 đến 100", "how loud, from 0 to 100"),
    "help-as-configured": ("trở về như cấu hình của trạm", "as the station is configured again"),
    "help-zone": ("cụm loa (mặc định: mọi cụm)", "the zone (default: every zone)"),
    "help-minutes": ("trong bao nhiêu phút (mặc định: %(default)s)", "for how many minutes (default: %(default)s)"),
    "help-tone-zone": ("cụm loa", "the zone"),
    "help-tone-seconds": ("bao nhiêu giây (mặc định: %(default)s)", "how many seconds (default: %(default)s)"),
    "help-lines": ("bao nhiêu dòng cuối (mặc định: %(default)s)", "how many of the last lines (default: %(default)s)"),
}

TOLD: dict[str, tuple[str, str]] = {
    "under-way.test-tone": ("Trạm {id} đang phát âm thử", "Station {id} sounds the test tone"),
    "under-way.walk": ("Trạm {id} đang thử từng cụm loa", "Station {id} walks through its zones"),
    "under-way.restart": (
        "Trạm {id} đang tắt để khởi động lại",
        "Station {id} leaves to start again",
    ),
    "under-way.other": ("Trạm {id} đang làm", "Station {id} is about it"),
    "ordered.stop": ("Trạm {id} đã dừng: {title}", "Station {id} has stopped: {title}"),
    "ordered.volume": (
        "Trạm {id}: {zones} ở mức {percent} % đến {until}",
        "Station {id}: {zones} at {percent} % until {until}",
    ),
    "ordered.volume-back": ("Trạm {id}: {zones} như cấu hình", "Station {id}: {zones} as configured"),
    "ordered.test-tone": ("Trạm {id} đã phát hết âm thử", "Station {id} has sounded all of the test tone"),
    "ordered.walk": ("Trạm {id} đã thử hết các cụm loa: {zones}", "Station {id} has walked through its zones: {zones}"),
    "ordered.restart": ("Trạm {id} đã khởi động lại", "Station {id} has started again"),
}

MESSAGES: dict[str, tuple[str, str]] = {
    **HELP,
    **TOLD,
}


def why(reason: str, station: str, detail: Mapping[str, str], lang: Language) -> str:
    """Say why a station did not obey; a reason of a newer station stands for itself."""
    if reason in REFUSALS:
        fields = defaultdict(lambda: "?", detail)
        return REFUSALS[reason][LANGUAGES.index(lang)].format_map(fields)
    if reason in REASONS or reason not in FAULTS:
        return reason_words(reason, lang)
    return fault_words(reason, station, detail, lang).meaning
