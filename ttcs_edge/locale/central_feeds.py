"""The words of ``ttcs-central cap-feed``; ``locale.central`` says them under its own name."""

from __future__ import annotations

from ttcs_edge.locale import central_alerts, config

PROBLEMS: config.Words = {
    **config.PROBLEMS,
    "file-missing": ("Không có tệp quy tắc", "There is no file of rules"),
    "file-unreadable": ("Không đọc được tệp quy tắc", "The file of rules cannot be read"),
    "no-area": ("Vùng này không nói là vùng nào", "It is not said which area this is"),
    "no-certificate": ("Tệp này không có chứng chỉ nào", "There is no certificate in this file"),
    "outside-scope": ("Địa bàn nằm ngoài quyền của trung tâm", "The scope is outside that of the centre"),
}

EXPECTED: config.Words = {
    **config.EXPECTED,
    "an-area": ("names hoặc geocodes", "names or geocodes"),
    "certificates": ("tệp chứng chỉ X.509 dạng PEM", "a file of X.509 certificates, PEM"),
    "form": ("các khóa của config/cap-feed.yaml", "the keys of config/cap-feed.yaml"),
    "host": ("TÊN hoặc TÊN:CỔNG", "HOST or HOST:PORT"),
    "https-url": ("địa chỉ bắt đầu bằng https://", "an address that begins with https://"),
    "readable-file": ("một tệp quy tắc đọc được", "a file of rules that can be read"),
    "repeat": central_alerts.EXPECTED["repeat"],
    "scope-below": ("{scope} hoặc địa bàn bên dưới", "{scope} or a scope below it"),
    "whole-minutes": central_alerts.EXPECTED["whole-minutes"],
}

MENDS: config.Words = {
    **config.MENDS,
    "add-section": (
        "thêm nhóm {name}:, theo tệp mẫu config/cap-feed.yaml",
        "add the section {name}:, as in the example config/cap-feed.yaml",
    ),
    "give-file": ("chỉ tới một tệp quy tắc .yaml", "point to a .yaml of rules"),
    "make-file": (
        "chép tệp mẫu config/cap-feed.yaml rồi sửa",
        "copy the example config/cap-feed.yaml and fit it",
    ),
    "name-area": ("thêm names: hoặc geocodes:", "add names: or geocodes:"),
    "other-scope": ("sửa địa bàn, hoặc dùng trung tâm khác", "correct the scope, or use the centre that has it"),
    "put-file": ("đặt tệp vào đó, hoặc sửa đường dẫn", "put the file there, or correct the path"),
}

TABLES: tuple[config.Words, config.Words, config.Words] = (PROBLEMS, EXPECTED, MENDS)
"""The words of what is wrong with a file of rules."""

ERRORS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "bad-feed-file": (
        ("Tệp quy tắc: {count} chỗ sai", "The file of rules: {count} wrong"),
        ("Sửa những chỗ trên, rồi chạy lại", "Mend those above, then run it again"),
    ),
    "bad-feed-book": (
        ("Không dùng được sổ nguồn tin {file}: {found}", "The book of feeds {file} cannot be used: {found}"),
        (
            "Xem quyền và chỗ trống: ls -l, df -h; nếu tệp hỏng, dời nó đi: tin đã phát không phát lại",
            "Look at its permissions and the room left; if it is broken, move it away: nothing is sent twice for it",
        ),
    ),
    "feed-unreachable": (
        ("Không đọc được nguồn tin {feed}: {why}", "The feed {feed} cannot be read: {why}"),
        ("Xem đường truyền và tệp quy tắc, rồi chạy lại", "Look at the line and at the rules, then run it again"),
    ),
    "nothing-asked": (
        ("Không có tin số {number} đang chờ; đang chờ: {waiting}", "No message {number} waits; there wait: {waiting}"),
        ("Xem các tin đang chờ: thêm --asked", "See what waits: add --asked"),
    ),
}

HELP = {
    "cap-feed": ("theo một nguồn tin CAP", "follow a CAP feed"),
    "help-feed-rules": ("tệp quy tắc, như config/cap-feed.yaml", "a file of rules, as config/cap-feed.yaml"),
    "help-feed-once": ("đọc một lần rồi thôi", "read it once"),
    "help-feed-dry-run": (
        "xem quy tắc làm gì với mọi tin trong nguồn, không gửi, không nhớ",
        "show what the rules do with all that is in the feed; send nothing, remember nothing",
    ),
    "help-feed-asked": ("xem các tin đang chờ người quyết định", "show what waits for a person"),
    "help-feed-confirm": ("phát tin số N đang chờ", "send the message N that waits"),
    "help-feed-drop": ("bỏ tin số N đang chờ", "drop the message N that waits"),
    "help-feed-json": ("với --confirm: mỗi trạm một dòng JSON", "with --confirm: one line of JSON for each station"),
    "help-feed-yes": ("với --confirm: không hỏi lại", "with --confirm: do not ask"),
    "help-feed-wait": (
        "với --confirm: chờ các trạm bao nhiêu giây",
        "with --confirm: how long to wait for stations",
    ),
}

TOLD = {
    "feed-told.begun": ("Theo {feed}, mỗi {every} giây", "Following {feed} every {every} s"),
    "feed-told.ended": ("Thôi theo {feed}", "No longer following {feed}"),
    "feed-told.feed-down": ("KHÔNG đọc được {feed}: {why}", "CANNOT read {feed}: {why}"),
    "feed-told.feed-up": ("Lại đọc được {feed}", "{feed} can be read again"),
    "feed-told.feed-full": (
        "{feed} có {count} mục, quá nhiều: {left} mục để lần sau",
        "{feed} has {count} entries, too many: {left} are left for the next time",
    ),
    "feed-told.broker-down": ("CHƯA phát được, sẽ thử lại: {why}", "CANNOT send yet, will try again: {why}"),
    "feed-told.broker-up": ("Lại nối được tới {broker}", "{broker} can be reached again"),
    "feed-told.file-later": ("{link}: chưa lấy được, sẽ thử lại: {why}", "{link}: will be tried again: {why}"),
    "feed-told.file-refused": ("{link}: KHÔNG NHẬN: {why}", "{link}: REFUSED: {why}"),
    "feed-told.changed": (
        "{link}: KHÔNG NHẬN: tin {id} của {sender} đã có, với nội dung khác",
        "{link}: REFUSED: there is a message {id} of {sender} already, with other content",
    ),
    "feed-told.dropped": ("Bỏ {id} của {sender} ({headline}): {why}", "Dropped {id} of {sender} ({headline}): {why}"),
    "feed-told.asked": (
        "CHỜ QUYẾT ĐỊNH, số {number}: {id} của {sender} ({headline}), theo quy tắc {rule}",
        "WAITS FOR A PERSON, number {number}: {id} of {sender} ({headline}), by the rule {rule}",
    ),
    "feed-told.too-many": (
        "CHỜ QUYẾT ĐỊNH, số {number}: {id} của {sender} ({headline}): đã phát {most} tin mới trong một giờ"
        " (begun_an_hour)",
        "WAITS FOR A PERSON, number {number}: {id} of {sender} ({headline}): {most} new alerts went out within an hour"
        " (begun_an_hour)",
    ),
    "feed-told.waits": (
        "{number}  {sent}  {id} của {sender} ({headline}), theo quy tắc {rule}",
        "{number}  {sent}  {id} of {sender} ({headline}), by the rule {rule}",
    ),
    "feed-told.not-passed": (
        "KHÔNG PHÁT ĐƯỢC {id} của {sender} ({headline}): {why}; chờ quyết định, số {number}",
        "COULD NOT SEND {id} of {sender} ({headline}): {why}; it waits for a person, number {number}",
    ),
    "feed-told.passed": (
        "ĐÃ PHÁT {id} của {sender} ({headline}), theo quy tắc {rule}: {kind} {event} phiên bản {version}, {scope}",
        "SENT {id} of {sender} ({headline}), by the rule {rule}: {kind} {event} version {version}, {scope}",
    ),
    "feed-told.would-pass": (
        "Sẽ phát {id} của {sender} ({headline}), theo quy tắc {rule}: {scope}",
        "Would send {id} of {sender} ({headline}), by the rule {rule}: {scope}",
    ),
    "feed-why.ahead": ("ghi là gửi lúc {found}, chưa tới", "it says that it was sent at {found}, which is to come"),
    "feed-why.bad-link": ("không phải địa chỉ: {found}", "it is no address: {found}"),
    "feed-why.broken": ("kết nối hỏng ({found})", "the connection broke ({found})"),
    "feed-why.dns": ("không tìm thấy máy chủ ({found})", "there is no such server ({found})"),
    "feed-why.large": ("lớn hơn {found} byte", "it is larger than {found} bytes"),
    "feed-why.no-feed": ("không phải Atom hay RSS ({found})", "it is neither Atom nor RSS ({found})"),
    "feed-why.no-https": ("không phải https: {found}", "it is not https: {found}"),
    "feed-why.not-signed": ("không có chữ ký của những người trong signers", "none of the signers has signed it"),
    "feed-why.other-host": ("máy chủ không có trong hosts: {found}", "the server is not in hosts: {found}"),
    "feed-why.redirects": ("bị chuyển đi quá nhiều lần: {found}", "it is sent on too often: {found}"),
    "feed-why.refused": ("máy chủ không nhận kết nối ({found})", "the server takes no connection ({found})"),
    "feed-why.slow": ("không xong trong {found} giây", "it was not done within {found} s"),
    "feed-why.status": ("máy chủ trả lời {found}", "the server answered {found}"),
    "feed-why.timeout": ("máy chủ không trả lời ({found})", "the server does not answer ({found})"),
    "feed-why.tls": ("không tin được máy chủ ({found})", "the server cannot be trusted ({found})"),
    "feed-dropped.cancelled": ("bên gửi đã hủy", "its author has cancelled it"),
    "feed-dropped.no-rule": ("không có quy tắc nào nói tới", "no rule names it"),
    "feed-dropped.over": ("đã hết hạn", "it is over"),
    "feed-dropped.person": ("có người bỏ", "somebody dropped it"),
    "feed-dropped.rule": ("theo quy tắc {rule}", "by the rule {rule}"),
    "feed-dropped.superseded": ("bên gửi đã thay bằng tin mới hơn", "its author has replaced it"),
    "feed-dropped.taken-back": ("hủy một tin còn đang chờ", "it cancels what was still waiting"),
    "feed-dropped.unheard": ("nói về một tin chưa được phát", "it is about what was not sent from here"),
    "feed-dropped.unreadable": ("không còn đọc được tệp", "its file cannot be read any more"),
    "feed-dropped.wrong-sender": ("nói về tin của người gửi khác", "it is about another sender's alert"),
}

MESSAGES: dict[str, tuple[str, str]] = {**HELP, **TOLD}
