"""What each fault means, what most often causes it, and what mends it; and the reasons that records carry.

``FAULTS`` is the table: a code, then meaning, cause and mend, each as (Vietnamese, English). A new fault is one entry.
A meaning may name the fault's ``{subject}`` and its detail fields; a field that a fault did not bring shows as "?",
because faults also come from stations of other versions. ``MISSED`` tells more of a cue that was not heard. ``REASONS``
are the words of ``AsRunReason``, of silence, of a lost link and of a player's end, which stand in the field ``reason``;
``OUTCOMES`` those of ``Outcome``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ttcs_edge.locale import LANGUAGES, Language

Pair = tuple[str, str]

_SENDER_MENDS = (
    "gửi lại từ trung tâm; chương trình đang có hiệu lực vẫn phát",
    "send it again from the centre; the programme in force goes on airing",
)
_BROKEN_SENDER = (
    "phần mềm phát hành bị lỗi hoặc bản tin bị hỏng trên đường truyền",
    "a fault of the publishing software, or damage on the way",
)
_FETCHED_AGAIN = (
    "trạm tự tải lại; nếu kéo dài, xem máy chủ âm thanh và đường truyền",
    "the station fetches it again by itself; if it lasts, look at the audio server and the link",
)
_WITHHELD = (
    "máy chủ MQTT mất hoặc giữ lại tài liệu, hoặc không cho trạm nghe",
    "the broker lost it, holds it back, or does not let the station listen",
)
_CARD = (
    "sao lưu rồi thay thẻ nhớ; xem: journalctl -k | grep mmc",
    "back it up and replace the card; see: journalctl -k | grep mmc",
)

_CERTIFIED_AGAIN = (
    "tại trung tâm: ttcs-central renew; nếu vẫn vậy: ttcs-central enrol --again và ttcs-edge enrol --again",
    "at the centre: ttcs-central renew; if it stays so: ttcs-central enrol --again and ttcs-edge enrol --again",
)

FAULTS: dict[str, tuple[Pair, Pair, Pair]] = {
    # -- a document was refused; the one in force stays in force
    "bad-date": (
        ("Tài liệu của {subject} có ngày giờ sai: {found}", "A date in a document of {subject} is wrong: {found}"),
        ("ngày không có thật, hoặc hết hạn trước khi phát hành", "no such date, or it expires before it was issued"),
        _SENDER_MENDS,
    ),
    "bad-audio": (
        (
            "Âm thanh kèm {subject} là tiếng {found}, không phải {expected}",
            "The audio of {subject} is in {found}, not in {expected}",
        ),
        ("gắn nhầm âm thanh khi soạn cảnh báo", "the wrong recording was attached"),
        ("gửi lại cảnh báo từ trung tâm với bản ghi đúng", "send the alert again from the centre with the right one"),
    ),
    "bad-inline": (
        (
            "Âm thanh nằm trong {subject} không phải là âm thanh mà cảnh báo nêu: {found}",
            "The audio inside {subject} is not the audio that it names: {found}",
        ),
        _BROKEN_SENDER,
        ("gửi lại cảnh báo từ trung tâm", "send the alert again from the centre"),
    ),
    "broken-chain": (
        (
            "Các gốc tin cậy của {subject} không nối tiếp nhau: có bản {found}, cần bản {expected}",
            "The trust roots of {subject} do not follow one another: version {found}, needed {expected}",
        ),
        (
            "trạm đã lỡ nhiều gốc tin cậy hơn số mà trung tâm gửi lại, hoặc máy chủ giữ lại một bản",
            "the station missed more roots than the centre sends again, or a broker holds one back",
        ),
        (
            "gửi lại từ trung tâm: ttcs-central trust THƯ-MỤC publish; nếu vẫn còn, chép root.dsse.json mới vào trạm",
            "send them again: ttcs-central trust FOLDER publish; if it stays, put the new root.dsse.json there",
        ),
    ),
    "not-a-chain": (
        (
            "Gốc tin cậy của {subject} không phải là danh sách phong bì: có {found}, cần {expected}",
            "The trust roots of {subject} are no list of envelopes: {found}, needed {expected}",
        ),
        _BROKEN_SENDER,
        (
            "gửi lại từ trung tâm: ttcs-central trust THƯ-MỤC publish",
            "send them again: ttcs-central trust FOLDER publish",
        ),
    ),
    "programme-withheld": (
        (
            "Trung tâm nói chương trình của {subject} đã là bản {expected}, nhưng trạm không nhận được",
            "The centre says that the programme of {subject} is version {expected}, but it does not come",
        ),
        _WITHHELD,
        ("phát hành lại chương trình từ trung tâm; xem máy chủ MQTT", "publish it again; look at the broker"),
    ),
    "trust-withheld": (
        (
            "Trung tâm nói gốc tin cậy đã là bản {expected}, nhưng trạm không nhận được ({subject})",
            "The centre says that the trust root is version {expected}, but it does not come ({subject})",
        ),
        _WITHHELD,
        ("gửi lại: ttcs-central trust; xem máy chủ MQTT", "send it again: ttcs-central trust; look at the broker"),
    ),
    "alert-withheld": (
        (
            "Trung tâm nói có cảnh báo {subject} (bản {expected}), nhưng trạm không nhận được",
            "The centre says that there is an alert {subject} (version {expected}), but it does not come",
        ),
        _WITHHELD,
        (
            "báo cho địa phương bằng cách khác ngay; phát lại cảnh báo; xem máy chủ MQTT",
            "tell the place by other means at once; send the alert again; look at the broker",
        ),
    ),
    "centre-silent": (
        (
            "Có kết nối, nhưng đã lâu không có tín hiệu trung tâm ({subject}); phải có mỗi {expected}",
            "There is a link, but no beacon of the centre for long ({subject}); there should be one every {expected}",
        ),
        (
            "ttcs-central beacon không chạy, hoặc máy chủ MQTT giữ tin lại",
            "ttcs-central beacon does not run, or the broker holds messages back",
        ),
        (
            "xem ttcs-central beacon có đang chạy ở trung tâm; xem máy chủ MQTT",
            "see whether ttcs-central beacon runs at the centre; look at the broker",
        ),
    ),
    "programme-revoked": (
        (
            "Chương trình của {subject} bị rút: khóa đã ký không còn được tin cậy",
            "The programme of {subject} is withdrawn: the keys that signed it are not trusted any more",
        ),
        ("trung tâm đã thu hồi khóa của người ký", "the centre has revoked the key of who signed it"),
        ("phát hành lại chương trình từ trung tâm bằng khóa mới", "publish it again from the centre, with a good key"),
    ),
    "alert-revoked": (
        (
            "Cảnh báo {subject} bị rút: khóa đã ký không còn được tin cậy",
            "The alert {subject} is withdrawn: the keys that signed it are not trusted any more",
        ),
        ("trung tâm đã thu hồi khóa của người ký", "the centre has revoked the key of who signed it"),
        (
            "nếu cảnh báo là thật, phát lại từ trung tâm bằng khóa mới",
            "if it was true, send it again from the centre, with a good key",
        ),
    ),
    "wrong-sender": (
        (
            "{subject} do {found} gửi, nhưng sự kiện này là của {expected}",
            "{subject} was sent by {found}, but the event is of {expected}",
        ),
        ("hai nơi dùng cùng một mã cho hai sự kiện", "two senders use one id for two events"),
        ("phát cảnh báo với mã khác", "send the alert under another id"),
    ),
    "bad-grant": (
        ("Gốc tin cậy {subject} giao quyền sai: {found}", "The trust root of {subject} has a bad grant: {found}"),
        (
            "ngưỡng chữ ký lớn hơn số khóa, hoặc khóa không có trong tệp",
            "a threshold above the keys, or an unknown key",
        ),
        ("tạo lại tệp root.dsse.json ở trung tâm", "make root.dsse.json again at the centre"),
    ),
    "bad-repeat": (
        (
            "Cảnh báo {subject} lặp lại quá dày: {found}, cần {expected} hoặc 0 (không lặp)",
            "The alert {subject} is repeated too often: {found}, needed {expected} or 0 (not at all)",
        ),
        (
            "khoảng lặp ngắn hơn thời gian đọc một lượt",
            "an interval shorter than what is said once takes",
        ),
        ("sửa khoảng lặp rồi gửi lại từ trung tâm", "mend its interval and send it again from the centre"),
    ),
    "bad-action": (
        (
            "Lệnh cho {subject} phải đòi đúng một việc: {found}, cần {expected}",
            "A command of {subject} must ask for one thing: {found}, needed {expected}",
        ),
        (
            "lệnh trống, đòi hai việc một lúc, hoặc trung tâm dùng phần mềm mới hơn trạm",
            "it is empty, asks for two things at once, or comes of software newer than the station's",
        ),
        (
            "gửi từng lệnh một; nâng cấp phần mềm của trạm nếu cần",
            "send one command for each; update the station's software if need be",
        ),
    ),
    "bad-range": (
        (
            "Lệnh cho {subject} đòi gửi lại dãy báo cáo không dùng được: {found}, cần {expected} báo cáo",
            "A command of {subject} wants a range of reports that cannot be: {found}, needed {expected} reports",
        ),
        (
            "số đầu lớn hơn số cuối, hoặc đòi quá nhiều một lần",
            "it ends before it begins, or asks for too many at once",
        ),
        ("gửi lệnh resend với dãy ngắn hơn", "send a resend of a shorter range"),
    ),
    "bad-rule": (
        ("Khung giờ {slot} lặp lại sai cách: {found}", "The slot {slot} has a bad recurrence: {found}"),
        ("quy tắc RRULE không dùng được (RFC 5545)", "an RRULE that cannot be used (RFC 5545)"),
        _SENDER_MENDS,
    ),
    "bad-time-zone": (
        ("Chương trình {subject} dùng múi giờ lạ: {found}", "The programme of {subject} names no time zone: {found}"),
        ("tên múi giờ viết sai", "the name of the time zone is mistyped"),
        _SENDER_MENDS,
    ),
    "command-without-time": (
        (
            "Lệnh cho {subject} bị từ chối vì trạm chưa có giờ đúng",
            "A command of {subject} was refused: the station does not know the time",
        ),
        (
            "không có giờ thì không biết lệnh là mới hay đã bị giữ lại từ lâu",
            "without the time, a new command cannot be told from one that was held back",
        ),
        (
            "chờ trạm có giờ rồi gửi lại lệnh; xem sự cố về giờ",
            "send it again when the station knows the time; see the fault of its clock",
        ),
    ),
    "duplicate-id": (
        ("Chương trình {subject} dùng mã hai lần: {found}", "The programme of {subject} uses an id twice: {found}"),
        (
            "hai bản tin hoặc hai khung giờ trùng mã, hoặc một bản tin có hai bản ghi cùng thứ tiếng",
            "two bulletins or two slots share an id, or a bulletin has two recordings in one language",
        ),
        _SENDER_MENDS,
    ),
    "duplicate-key": (
        ("Tài liệu của {subject} ghi một khóa hai lần: {found}", "A document of {subject} has a key twice: {found}"),
        _BROKEN_SENDER,
        _SENDER_MENDS,
    ),
    "expired": (
        (
            "Tài liệu mới của {subject} đã hết hạn: {expires}",
            "A document sent for {subject} has expired: {expires}",
        ),
        ("gửi lại bản cũ, hoặc giờ ở trung tâm sai", "an old one was sent again, or the centre's clock is wrong"),
        _SENDER_MENDS,
    ),
    "not-an-envelope": (
        ("Tài liệu của {subject} không phải gói ký số", "A document of {subject} is no signed envelope"),
        _BROKEN_SENDER,
        _SENDER_MENDS,
    ),
    "not-enough-signatures": (
        (
            "Tài liệu của {subject} không đủ chữ ký tin cậy: có {found}, cần {expected}",
            "A document of {subject} has too few trusted signatures: {found}, needed {expected}",
        ),
        (
            "người ký không được giao quyền cho địa bàn này; có thể là kẻ giả mạo",
            "the signer may not speak for this place; it may be a forgery",
        ),
        (
            "hỏi trung tâm ai đã phát hành; nếu không phải họ, báo bộ phận an ninh mạng",
            "ask the centre who published it; if it was not them, report an attack",
        ),
    ),
    "not-json": (
        (
            "Tài liệu của {subject} bị thiếu hoặc hỏng: {found}",
            "A document of {subject} is cut short: {found}",
        ),
        _BROKEN_SENDER,
        _SENDER_MENDS,
    ),
    "not-utf8": (
        ("Tài liệu của {subject} không ở dạng UTF-8: {found}", "A document of {subject} is not UTF-8: {found}"),
        _BROKEN_SENDER,
        _SENDER_MENDS,
    ),
    "old-version": (
        (
            "Tài liệu của {subject} là bản cũ: {found}, cần {expected}",
            "A document of {subject} is an old version: {found}, needed {expected}",
        ),
        (
            "bản cũ được gửi lại; có thể là cố ý (tấn công phát lại)",
            "an old one was sent again, perhaps on purpose (a replay)",
        ),
        (
            "phát hành lại với số bản lớn hơn; nếu trung tâm không gửi, báo bộ phận an ninh mạng",
            "publish again under a higher version; if the centre did not send it, report an attack",
        ),
    ),
    "oversized": (
        (
            "Tài liệu của {subject} quá lớn: {found} byte, cần {expected}",
            "A document of {subject} is too large: {found} bytes, needed {expected}",
        ),
        ("quá nhiều bản tin, hoặc dữ liệu rác", "too many bulletins, or junk"),
        ("chia nhỏ chương trình ở trung tâm", "make the programme smaller at the centre"),
    ),
    "retained-command": (
        (
            "Lệnh cho {subject} được lưu sẵn trên máy chủ (retained) nên bị từ chối",
            "A command of {subject} stood retained on the broker, and was refused",
        ),
        (
            "lệnh chỉ có hiệu lực lúc gửi; có thể là cố ý (tấn công phát lại)",
            "a command holds when it is sent, not for whoever comes later; perhaps it is a replay",
        ),
        (
            "xóa tin retained ở chủ đề command của trạm; nếu trung tâm không gửi, báo bộ phận an ninh mạng",
            "clear the retained message on its command topic; if the centre did not send it, report an attack",
        ),
    ),
    "same-version": (
        (
            "Chương trình {subject} đổi nội dung mà giữ số bản {found}",
            "A programme of {subject} has other content under the version in force, {found}",
        ),
        ("sửa chương trình mà không tăng số bản", "it was changed without raising its version"),
        ("phát hành lại với số bản lớn hơn", "publish again under a higher version"),
    ),
    "too-deep": (
        (
            "Tài liệu của {subject} lồng nhau quá sâu, cần {expected}",
            "A document of {subject} nests too deep, needed {expected}",
        ),
        _BROKEN_SENDER,
        _SENDER_MENDS,
    ),
    "alerts-too-fast": (
        (
            "Thông báo khẩn cấp đến quá dồn dập, cần {expected}: chưa nhận {subject}",
            "Alerts come too fast, needed {expected}: {subject} was not taken",
        ),
        (
            "một chương trình gửi lặp mãi, hoặc kẻ có khóa phá",
            "a program sends again and again, or somebody with a key",
        ),
        (
            "dừng bên gửi; trạm tự hỏi lại thông báo còn hiệu lực",
            "stop the sender; the station asks again for those in force",
        ),
    ),
    "too-many-alerts": (
        (
            "Quá nhiều thông báo khẩn cấp đang có hiệu lực, cần {expected}: không nhận {subject}",
            "There are too many alerts in force, needed {expected}: {subject} was not taken",
        ),
        ("trung tâm chưa huỷ thông báo cũ, hoặc có kẻ phá", "the centre has not cancelled old alerts, or an attack"),
        ("huỷ những thông báo đã qua, rồi gửi lại", "cancel those that are over, then send it again"),
    ),
    "too-many-signatures": (
        (
            "Tài liệu của {subject} có quá nhiều chữ ký: {found}, cần {expected}",
            "A document of {subject} has too many signatures: {found}, needed {expected}",
        ),
        ("dữ liệu rác, có thể là tấn công", "junk, perhaps an attack"),
        _SENDER_MENDS,
    ),
    "trust-expired": (
        ("Gốc tin cậy của {subject} đã hết hạn: {expires}", "The trust root of {subject} has expired: {expires}"),
        (
            "không ai gia hạn khóa gốc; trạm không tin ai nữa",
            "nobody renewed the root keys; the station believes nobody",
        ),
        (
            "ký lại gốc tin cậy ở trung tâm, chép root.dsse.json vào thư mục trust của trạm",
            "sign the trust root anew at the centre and put root.dsse.json into the station's trust folder",
        ),
    ),
    "slot-too-large": (
        (
            "Khung giờ {slot} có quá nhiều âm thanh: {found} byte, cho phép {expected}",
            "The slot {slot} has too much audio: {found} bytes, expected {expected}",
        ),
        ("quá nhiều bản tin trong một khung giờ", "too many bulletins in one slot"),
        _SENDER_MENDS,
    ),
    "unknown-bulletin": (
        ("Khung giờ {slot} gọi bản tin không có: {found}", "The slot {slot} names an unknown bulletin: {found}"),
        ("bản tin bị xóa mà khung giờ còn", "the bulletin was removed and its slot was not"),
        _SENDER_MENDS,
    ),
    "live-and-stream": (
        (
            "Khung giờ {slot} gọi cả tiếp sóng có ký lẫn luồng phát thường",
            "The slot {slot} names both a live relay and a stream",
        ),
        _BROKEN_SENDER,
        _SENDER_MENDS,
    ),
    "unknown-field": (
        ("Tài liệu của {subject} có mục lạ: {found}", "A document of {subject} has an unknown field: {found}"),
        ("trung tâm dùng phần mềm mới hơn trạm", "the centre's software is newer than the station's"),
        ("nâng cấp phần mềm của trạm", "update the station's software"),
    ),
    "unreadable": (
        ("Không đọc được tài liệu của {subject}", "A document of {subject} cannot be read"),
        ("tài liệu hỏng, hoặc lỗi của phần mềm trạm", "it is damaged, or the station's software is at fault"),
        (
            "gửi nhật ký cho nhà phát triển: journalctl -u ttcs-edge",
            "send the log to the makers: journalctl -u ttcs-edge",
        ),
    ),
    "wrong-payload-type": (
        (
            "Gói ký số của {subject} chứa loại khác: {found}, cần {expected}",
            "An envelope of {subject} holds another kind: {found}, needed {expected}",
        ),
        ("tài liệu gửi nhầm chủ đề MQTT", "it was sent on the wrong topic"),
        _SENDER_MENDS,
    ),
    "wrong-scope": (
        (
            "Tài liệu gửi nhầm địa bàn: {found}, cần {expected}",
            "A document was sent to the wrong place: {found}, needed {expected}",
        ),
        (
            "phát hành nhầm địa bàn, hoặc chuyển tiếp trái phép",
            "it was published for another place, or passed on by someone who may not",
        ),
        ("phát hành lại đúng địa bàn", "publish it for the right place"),
    ),
    "wrong-station": (
        (
            "Lệnh gửi nhầm trạm: cho {found}, đây là {expected}",
            "A command was sent to the wrong station: for {found}, this is {expected}",
        ),
        (
            "lệnh của trạm khác được chuyển tiếp sang đây; có thể là cố ý",
            "a command for another station was passed on, perhaps on purpose",
        ),
        ("nếu trung tâm không gửi, báo bộ phận an ninh mạng", "if the centre did not send it, report an attack"),
    ),
    "wrong-type": (
        (
            "Tài liệu của {subject} có giá trị sai kiểu ở {path}: {found}",
            "A document of {subject} has a value of the wrong kind at {path}: {found}",
        ),
        _BROKEN_SENDER,
        _SENDER_MENDS,
    ),
    # -- audio could not be had, or is not what was signed
    "broken": (
        ("Tải âm thanh bị gián đoạn: {error}", "The fetching of audio broke off: {error}"),
        ("đường truyền chập chờn, hoặc máy chủ khởi động lại", "an unsteady link, or the server restarted"),
        _FETCHED_AGAIN,
    ),
    "dns": (
        ("Không tìm được máy chủ âm thanh: {url}", "The audio server's name cannot be found: {url}"),
        ("tên viết sai, hoặc mạng không có DNS", "a mistyped name, or a network without DNS"),
        ("thử ở trạm: getent hosts TÊN-MÁY-CHỦ", "try on the station: getent hosts SERVER-NAME"),
    ),
    "http-status": (
        ("Máy chủ âm thanh trả lời {found}: {url}", "The audio server answered {found}: {url}"),
        (
            "404: tệp chưa được đưa lên; 403: không có quyền; 5xx: máy chủ lỗi",
            "404: not uploaded; 403: not allowed; 5xx: its fault",
        ),
        ("đưa tệp âm thanh lên đúng địa chỉ", "upload the audio file to that address"),
    ),
    "missing": (
        ("Tệp âm thanh không còn trong kho: {subject}", "An audio file is gone from the store: {subject}"),
        ("tệp bị xóa, hoặc thẻ nhớ lỗi", "it was deleted, or the card is failing"),
        _FETCHED_AGAIN,
    ),
    "redirect": (
        ("Máy chủ âm thanh chuyển hướng tới {found}: {url}", "The audio server points elsewhere, to {found}: {url}"),
        ("cổng đăng nhập Wi-Fi, hoặc địa chỉ đã đổi", "a Wi-Fi log-in page, or the address has changed"),
        ("ghi địa chỉ cuối cùng vào chương trình", "name the final address in the programme"),
    ),
    "refused": (
        ("Máy chủ âm thanh từ chối kết nối: {url}", "The audio server refuses connections: {url}"),
        ("máy chủ chưa chạy, hoặc tường lửa chặn", "it is not running, or a firewall stands between"),
        _FETCHED_AGAIN,
    ),
    "rotten": (
        ("Tệp âm thanh trong kho đã hỏng: {subject}", "An audio file in the store has gone bad: {subject}"),
        ("thẻ nhớ đang hỏng, hoặc tệp bị sửa", "the card is failing, or the file was changed"),
        (
            "trạm tự tải lại; nếu lặp lại, thay thẻ nhớ",
            "the station fetches it again by itself; if it happens again, replace the card",
        ),
    ),
    "short": (
        (
            "Tệp âm thanh tải chưa đủ: {found} trên {expected} byte",
            "An audio file is cut short: {found} of {expected} bytes",
        ),
        ("máy chủ đóng kết nối sớm, hoặc tệp đưa lên thiếu", "the server hung up early, or part was uploaded"),
        _FETCHED_AGAIN,
    ),
    "store-full": (
        ("Kho âm thanh đầy", "The audio store is full"),
        (
            "chương trình cần nhiều âm thanh hơn store.audio_mb, hoặc thẻ nhớ sắp đầy",
            "the programmes need more audio than store.audio_mb, or the card is nearly full",
        ),
        (
            "xem: df -h /var/lib/ttcs-edge; dọn thẻ nhớ hoặc dùng thẻ lớn hơn",
            "see: df -h /var/lib/ttcs-edge; free space, or use a larger card",
        ),
    ),
    "timeout": (
        (
            "Máy chủ âm thanh không trả lời trong {seconds} giây: {url}",
            "The audio server did not answer in {seconds} s: {url}",
        ),
        ("máy chủ treo, hoặc đường truyền đứt", "the server hangs, or the link is cut"),
        _FETCHED_AGAIN,
    ),
    "tls": (
        ("Không tin được máy chủ âm thanh {url}: {error}", "The audio server {url} cannot be trusted: {error}"),
        (
            "chứng chỉ hết hạn, sai tên, sai CA; hoặc giờ của trạm sai",
            "its certificate expired, or has another name or authority; or the station's clock is wrong",
        ),
        (
            "xem giờ của trạm (timedatectl), rồi https.ca trong station.yaml",
            "look at the station's clock (timedatectl), then at https.ca in station.yaml",
        ),
    ),
    "too-large": (
        (
            "Tệp âm thanh lớn hơn {expected} byte đã ký",
            "An audio file is larger than the {expected} bytes that were signed",
        ),
        ("tệp trên máy chủ đã bị thay", "the file on the server was replaced"),
        ("đưa lại đúng tệp đã ký, hoặc phát hành lại", "upload the very file that was signed, or publish again"),
    ),
    "too-slow": (
        ("Tải âm thanh quá chậm: {found} trên {expected} byte", "Audio comes too slowly: {found} of {expected} bytes"),
        ("đường truyền yếu, hoặc máy chủ nhỏ giọt", "a weak link, or a server that drips"),
        ("trạm tải tiếp từ chỗ dừng; xem sóng 4G", "the station goes on from where it stopped; look at the 4G signal"),
    ),
    "wrong-hash": (
        ("Tệp âm thanh không đúng tệp đã ký: {subject}", "An audio file is not the one that was signed: {subject}"),
        ("tệp trên máy chủ bị thay, có thể do kẻ xấu", "the file on the server was replaced, perhaps by an attacker"),
        (
            "đưa lại đúng tệp đã ký; kiểm tra ai có quyền trên máy chủ",
            "upload the very file that was signed; check who may write on that server",
        ),
    ),
    # -- the link
    "link-callback": (
        ("Lỗi trong phần kết nối: {error}", "The link's own code failed: {error}"),
        ("lỗi của phần mềm trạm", "a mistake in the station's software"),
        (
            "trạm tự nối lại; gửi nhật ký cho nhà phát triển: journalctl -u ttcs-edge",
            "the station connects again by itself; send the log to the makers: journalctl -u ttcs-edge",
        ),
    ),
    "link-down": (
        ("Mất kết nối tới trung tâm: {reason}", "There is no connection to the centre: {reason}"),
        ("đường truyền, máy chủ MQTT, hoặc chứng chỉ", "the link, the MQTT broker, or a certificate"),
        (
            "chương trình đã tải vẫn phát; xem đèn modem, rồi broker trong station.yaml",
            "what was fetched goes on airing; look at the modem, then at broker in station.yaml",
        ),
    ),
    "subscription-refused": (
        ("Máy chủ MQTT không cho trạm nghe: {error}", "The broker does not let the station listen: {error}"),
        (
            "thiếu quyền đọc các chủ đề của địa bàn: trạm không nhận được chương trình mới",
            "it lacks the right to read its scope's topics: no new programme can reach it",
        ),
        (
            "sửa quyền (ACL) của trạm trên máy chủ MQTT",
            "mend the station's rights (ACL) on the broker",
        ),
    ),
    "report-refused": (
        ("Trung tâm không nhận báo cáo {report}: {error}", "The centre does not take report {report}: {error}"),
        (
            "máy chủ MQTT không cho trạm ghi vào chủ đề của mình",
            "the broker does not let the station write to its topic",
        ),
        (
            "sửa quyền (ACL) của trạm trên máy chủ MQTT; báo cáo vẫn được giữ",
            "mend the station's rights (ACL) on the broker; the reports are kept",
        ),
    ),
    "session-taken-over": (
        ("Máy khác đang dùng mã của trạm này", "Another machine uses this station's id"),
        (
            "hai trạm cùng id và chứng chỉ (thẻ nhớ sao chép), hoặc khóa bị lộ",
            "two stations with one id and certificate (a copied card), or a stolen key",
        ),
        (
            "tắt máy kia; nếu không tìm thấy, thu hồi chứng chỉ và cấp mới",
            "switch the other one off; if it cannot be found, revoke the certificate and make a new one",
        ),
    ),
    # -- the station's own certificate
    "certificate-ends": (
        (
            "Chứng chỉ của trạm hết hạn ngày {expires}, đã xin mà chưa được gia hạn",
            "The station's certificate ends on {expires}; it asked for another, and none came",
        ),
        ("trung tâm chưa chạy lệnh gia hạn", "nobody at the centre answers requests for renewal"),
        (
            "tại trung tâm, chạy mãi: ttcs-central renew --keep (một lần: không có --keep)",
            "at the centre, for ever: ttcs-central renew --keep (once: without --keep)",
        ),
    ),
    "certificate-over": (
        ("Chứng chỉ của trạm đã hết hạn ngày {expires}", "The station's certificate ended on {expires}"),
        ("trung tâm không gia hạn kịp, hoặc giờ của trạm sai", "it was not renewed in time, or the clock is wrong"),
        (
            "ttcs-central enrol --again tại trung tâm, ttcs-edge enrol --again tại trạm; không có mạng thì qua USB",
            "ttcs-central enrol --again at the centre, ttcs-edge enrol --again here; without a link, by a stick",
        ),
    ),
    "certificate-unreadable": (
        ("Chứng chỉ gửi đến không đọc được", "A certificate that came cannot be read"),
        _BROKEN_SENDER,
        _CERTIFIED_AGAIN,
    ),
    "certificate-of-another-authority": (
        (
            "Chứng chỉ gửi đến không phải do trung tâm của trạm cấp",
            "A certificate that came is of another authority",
        ),
        (
            "máy chủ MQTT gửi chứng chỉ lạ, hoặc trung tâm đã đổi CA",
            "a lying broker, or the centre has a new authority",
        ),
        _CERTIFIED_AGAIN,
    ),
    "certificate-of-another-key": (
        ("Chứng chỉ gửi đến là của khóa khác", "A certificate that came is of another key"),
        ("hai máy dùng chung mã trạm này", "two machines have this station's id"),
        _CERTIFIED_AGAIN,
    ),
    "certificate-of-another-name": (
        ("Chứng chỉ gửi đến mang tên trạm khác", "A certificate that came has another station's name"),
        (
            "máy chủ MQTT gửi nhầm, hoặc id trong station.yaml đã bị sửa",
            "a lying broker, or an edited id in station.yaml",
        ),
        _CERTIFIED_AGAIN,
    ),
    "certificate-of-another-time": (
        ("Chứng chỉ gửi đến chưa hoặc không còn hiệu lực", "A certificate that came does not hold at this time"),
        ("giờ của trung tâm hay của trạm sai", "the centre's clock or the station's is wrong"),
        _CERTIFIED_AGAIN,
    ),
    # -- the station itself
    "cue-missed": (
        ("Không phát được {subject}: {reason}", "{subject} was not heard: {reason}"),
        ("xem các sự cố khác cùng lúc", "see the other faults of the same time"),
        ("chữa sự cố gốc; hết khi khung giờ này phát trọn", "mend the cause; it clears when this slot airs whole"),
    ),
    "cue-substituted": (
        ("{subject} phát nội dung thay thế: {reason}", "{subject} aired something else in its place: {reason}"),
        (
            "bản tin của khung giờ chưa có hoặc không dùng được, nên trạm phát bản trước hay bản dự phòng",
            "what the slot names was not here or of no use, so an earlier edition or a standing bulletin was heard",
        ),
        ("chữa sự cố của bản tin; hết khi khung giờ này phát trọn", "mend its bulletin; it clears when it airs whole"),
    ),
    "silence": (
        ("Đến giờ mà không có tiếng, {subject}: {reason}", "Silence where sound was due, {subject}: {reason}"),
        (
            "thiếu âm thanh, bộ phát hoặc thẻ nhớ treo",
            "its audio is not here, or the player or the card hangs",
        ),
        (
            "xem các sự cố khác cùng lúc; hết khi có tiếng, hoặc khi hết giờ của mục này",
            "see the other faults of the same time; it clears when it is heard, or when its time is over",
        ),
    ),
    "no-time": (
        ("Chưa có giờ đúng: không phát theo lịch", "There is no trusted time: no schedule airs"),
        ("chưa đồng bộ NTP từ khi khởi động, không có đồng hồ RTC", "no NTP since the start, and no real-time clock"),
        (
            "xem: ttcs-edge status, timedatectl; nối mạng, hoặc lắp RTC hay modem (clock trong station.yaml)",
            "see: ttcs-edge status, timedatectl; connect it, or fit a battery clock or a modem (clock in station.yaml)",
        ),
    ),
    "lamp": (
        ("Không điều khiển được đèn báo: {error}", "The lamp cannot be driven: {error}"),
        ("chân GPIO sai hoặc chương trình khác đang giữ", "a wrong GPIO line, or another program holds it"),
        (
            "sửa các chân đèn ở mục panel trong station.yaml; xem: gpioinfo",
            "correct the lamps' lines under panel in station.yaml; see: gpioinfo",
        ),
    ),
    "lcd": (
        ("Màn hình LCD không trả lời: {error}", "The display does not answer: {error}"),
        (
            "đứt dây, sai địa chỉ, hay chưa bật I2C; người khác vẫn nghe trạm như thường",
            "a broken wire, a wrong address, or I2C is off; the station is heard as ever",
        ),
        (
            "xem dây và địa chỉ: i2cdetect -y 1; rồi sửa panel.lcd trong station.yaml",
            "look at the wires and at the address: i2cdetect -y 1; then correct panel.lcd in station.yaml",
        ),
    ),
    "microphone-key": (
        ("Không đọc được phím micrô: {error}", "The microphone's key cannot be read: {error}"),
        ("chân GPIO sai hoặc chương trình khác đang giữ", "a wrong GPIO line, or another program holds it"),
        (
            "sửa microphone.key_pin trong station.yaml; xem: gpioinfo",
            "correct microphone.key_pin in station.yaml; see: gpioinfo",
        ),
    ),
    "microphone-stuck": (
        ("Phím micrô bị kẹt; trạm phát tiếp như thường", "The microphone's key is stuck; the station airs on"),
        (
            "phím bị giữ quá microphone.most_s, hoặc đã đóng sẵn khi trạm khởi động: dây chạm nhau",
            "it is down for longer than microphone.most_s, or was when the station started: wires that touch",
        ),
        (
            "nhả phím; nếu vẫn báo, xem dây của phím và microphone.key_active_high",
            "let it go; if this stays, look at the key's wires and at microphone.key_active_high",
        ),
    ),
    "muted": (
        (
            "Trạm bị tắt tiếng, lâu nhất {minutes} phút; thông báo khẩn cấp vẫn phát",
            "The station is muted, for {minutes} minutes at the most; alerts are heard",
        ),
        (
            "có người tại trạm nhấn phím tắt tiếng, hoặc chạy ttcs-edge mute",
            "somebody at the station pressed the mute key, or ran ttcs-edge mute",
        ),
        (
            "nhấn phím, chạy sudo ttcs-edge unmute, hoặc chờ hết giờ; mục bị cắt phát tiếp như khung giờ định",
            "press the key, run sudo ttcs-edge unmute, or wait; what was cut off goes on as its slot says",
        ),
    ),
    "not-root": (
        (
            "Người trong nhóm ttcs gọi việc chỉ root được làm: {subject}",
            "A member of the group ttcs asked for what root alone may do: {subject}",
        ),
        ("việc này đổi những gì dân nghe được", "it changes what people around the station hear"),
        ("ai cần làm thì chạy với sudo", "who has to do it runs it with sudo"),
    ),
    "mute-key": (
        ("Không đọc được phím tắt tiếng: {error}", "The mute key cannot be read: {error}"),
        ("chân GPIO sai hoặc chương trình khác đang giữ", "a wrong GPIO line, or another program holds it"),
        (
            "sửa panel.mute_pin trong station.yaml; xem: gpioinfo",
            "correct panel.mute_pin in station.yaml; see: gpioinfo",
        ),
    ),
    "mute-key-stuck": (
        ("Phím tắt tiếng bị kẹt; trạm phát như thường", "The mute key is stuck; the station is heard as ever"),
        (
            "phím bị giữ quá 30 giây, nhấn 10 lần trong 10 phút, hay đã đóng sẵn khi khởi động: dây chạm hay lỏng",
            "held for 30 seconds, pressed 10 times in 10 minutes, or down at the start: wires that touch or are loose",
        ),
        (
            "nhả phím và chờ 10 phút; nếu vẫn báo, xem dây của phím và panel.mute_active_high",
            "let it go and wait for 10 minutes; if this stays, look at its wires and at panel.mute_active_high",
        ),
    ),
    "live-lost": (
        ("Không còn nghe được tiếp sóng {subject}", "Nothing is heard any more of the live relay {subject}"),
        (
            "nguồn dừng hay im, hoặc đường truyền quá chậm",
            "its source stopped or fell silent, or the link is too slow",
        ),
        (
            "xem nơi phát (ttcs-central live, máy chủ luồng) và sóng 4G của trạm; trạm tự phát tiếp khi có lại",
            "look at the sender (ttcs-central live, the stream's server) and at the link; it goes on when it is back",
        ),
    ),
    "zones-left-out": (
        (
            "Tiếp sóng {subject} không tới các cụm {zones}",
            "The live relay {subject} is not heard in the zones {zones}",
        ),
        (
            "nguồn cấp không chịu được mọi cụm cùng lúc; tiếng đang nói thì không phát lại lần sau được",
            "their supply does not bear all zones at once, and what is said just now cannot be said twice",
        ),
        (
            "chọn ít cụm hơn cho buổi tiếp sóng, hoặc dùng nguồn hay âm ly lớn hơn rồi sửa supplies",
            "name fewer zones for the relay, or fit a larger supply or amplifier and correct supplies",
        ),
    ),
    "stream-host": (
        (
            "Luồng phát của {subject} ở máy mà trạm không cho phép: {found}",
            "The stream of {subject} is on a host that this station does not allow: {found}",
        ),
        (
            "station.yaml không nêu máy ấy; hoặc luồng chuyển hướng, hay gọi đoạn HLS, ở máy khác: {url}",
            "station.yaml does not name it; or the stream leads to another host, or has its pieces there: {url}",
        ),
        (
            "tin máy ấy thì thêm vào streams.hosts rồi khởi động lại, không thì sửa chương trình",
            "add it to streams.hosts and restart if it can be trusted; else correct the programme",
        ),
    ),
    "stream-plain": (
        ("Luồng phát của {subject} không qua TLS: {url}", "The stream of {subject} does not come by TLS: {url}"),
        (
            "luồng chuyển hướng, hay gọi đoạn HLS, bằng địa chỉ không phải https",
            "it leads to an address without https, or has its pieces at one",
        ),
        (
            "dùng luồng https từ đầu đến cuối; luồng không mã hóa thì ai cũng chen giọng vào được",
            "use a stream that is https throughout: into a plain one anybody can put a voice",
        ),
    ),
    "stream-tls": (
        (
            "Không tin được chứng chỉ của luồng phát {subject}: {error}",
            "The certificate of the stream of {subject} is not trusted: {error}",
        ),
        (
            "chứng chỉ hết hạn, của máy khác, của CA lạ; hoặc giờ của trạm sai; hoặc có kẻ giả máy chủ",
            "it has expired, is of another host or authority, the clock is wrong, or somebody poses as the host",
        ),
        (
            "xem chứng chỉ của máy chủ luồng {url}; CA riêng thì đặt ở streams.ca",
            "look at the certificate of {url}; an authority of one's own belongs in streams.ca",
        ),
    ),
    "stream-away": (
        ("Không nghe được luồng phát của {subject}: {error}", "The stream of {subject} cannot be had: {error}"),
        (
            "máy chủ luồng tắt hoặc đổi địa chỉ, hoặc đường truyền của trạm đứt",
            "its server is off or has another address, or the station's link is down",
        ),
        (
            "thử mở {url} từ nơi khác; xem sóng 4G của trạm; trạm tự thử lại, bản tin phát thay",
            "try {url} from elsewhere; look at the link; the station tries again by itself, and its bulletins air",
        ),
    ),
    "stream-not-audio": (
        (
            "Địa chỉ luồng của {subject} không cho âm thanh mà trạm nhận: {found}",
            "What comes from the stream of {subject} is no audio that a station takes: {found}",
        ),
        (
            "trang đăng nhập của mạng, trang web thay vì luồng, hoặc luồng mã hóa",
            "a login page of the network, a web page in the stream's place, or a stream that is encrypted",
        ),
        (
            "dùng địa chỉ của chính luồng: MP3, AAC, Ogg hoặc HLS không mã hóa; xem {url}",
            "give the address of the stream itself: MP3, AAC, Ogg or HLS without encryption; see {url}",
        ),
    ),
    "live-without-time": (
        ("Không tiếp sóng {subject}: trạm chưa có giờ đúng", "{subject} is not relayed: the station has no time"),
        (
            "không có giờ thì không biết tiếng nói là của lúc nào",
            "without it nobody can tell today's voice from an old one",
        ),
        ("cho trạm giờ đúng; xem: ttcs-edge status", "give it the time; see: ttcs-edge status"),
    ),
    "too-many-live": (
        ("Quá nhiều nguồn tiếp sóng cùng lúc; bỏ {subject}", "Too many live relays at once; {subject} is left out"),
        ("nhiều nơi phát cùng lúc, hoặc khóa đã lộ", "many senders at once, or a key in wrong hands"),
        ("dừng bớt nơi phát; nếu lạ, thu hồi khóa", "stop some of them; if they are strangers, revoke the key"),
    ),
    "bad-session": (
        (
            "Phiên tiếp sóng {subject} bắt đầu ở tương lai: {found}",
            "The session of the live relay {subject} begins in the future: {found}",
        ),
        _BROKEN_SENDER,
        ("chỉnh giờ máy trung tâm rồi phát lại", "set the clock of the centre and start it again"),
    ),
    "bad-packet": (
        ("Tiếp sóng {subject} có gói tiếng hỏng: {found}", "A packet of the live relay {subject} is wrong: {found}"),
        _BROKEN_SENDER,
        ("phát lại từ trung tâm; trạm tự phát tiếp", "start it again at the centre; the station goes on by itself"),
    ),
    "sound-input": (
        ("Không nghe được micrô", "The microphone is not heard"),
        ("ngõ vào âm thanh bị rút, bận, hoặc tên sai", "the sound input was unplugged, is busy, or its name is wrong"),
        (
            "cắm lại; xem: arecord -L, rồi microphone.device trong station.yaml",
            "plug it in again; see: arecord -L, then microphone.device in station.yaml",
        ),
    ),
    "time-below-floor": (
        (
            "Không tin giờ của nguồn {subject}: {found}, phải {expected}",
            "The time of the source {subject} is not believed: {found}, must be {expected}",
        ),
        (
            "đã nhận tài liệu ký muộn hơn: RTC hết pin, máy chủ NTP sai hoặc giả mạo, hoặc giờ trung tâm chạy trước",
            "something was signed later: a flat battery, a wrong or forged NTP server, or a centre ahead of time",
        ),
        (
            "thay pin RTC; xem máy chủ NTP: timedatectl timesync-status; xem giờ của máy phát hành ở trung tâm",
            "replace the battery; see the NTP server: timedatectl timesync-status; look at the clock at the centre",
        ),
    ),
    "issued-ahead": (
        (
            "Tài liệu của {subject} ghi phát hành lúc {found}, mà bây giờ mới {expected}",
            "A document of {subject} says it was issued at {found}, and it is only {expected}",
        ),
        ("giờ của máy phát hành ở trung tâm chạy trước", "the clock of the publishing computer is ahead"),
        (
            "chỉnh giờ máy phát hành rồi phát hành lại; hết khi có bản mới",
            "set the publishing computer's clock and publish again; it clears with the next version",
        ),
    ),
    "player-died": (
        ("Bộ phát âm thanh bị dừng: {reason}", "The player stopped: {reason}"),
        (
            "libvlc treo hoặc hỏng, thiếu bộ nhớ, thiết bị âm thanh treo",
            "libvlc hung or crashed, memory ran out, or the sound device hangs",
        ),
        (
            "trạm tự thay bộ phát; nếu lặp lại, xem: journalctl -u ttcs-edge",
            "the station replaces it by itself; if it happens again, see: journalctl -u ttcs-edge",
        ),
    ),
    "programme-expired": (
        (
            "Chương trình {subject} bản {version} đã hết hạn",
            "The programme of {subject}, version {version}, has expired",
        ),
        (
            "trung tâm chưa gửi bản mới, hoặc trạm mất kết nối lâu",
            "the centre sent no new one, or the link was down for long",
        ),
        ("phát hành chương trình mới", "publish a new programme"),
    ),
    "amplifier-dead": (
        (
            "Tăng âm đã được bật mà chỉ ăn {found} W (bình thường từ {idle} W)",
            "The amplifier was switched on and draws {found} W (it should be {idle} W or more)",
        ),
        (
            "tăng âm hỏng, đứt cầu chì, tụt phích cắm, hoặc rơ-le nguồn không tiếp xúc",
            "it is dead, its fuse or plug is out",
        ),
        (
            "kiểm tra cầu chì, phích cắm và rơ-le nguồn của tăng âm; thay tăng âm nếu vẫn không lên đèn",
            "check its fuse, plug and relay; replace the amplifier if its lamp stays dark",
        ),
    ),
    "amplifier-stuck": (
        (
            "Tăng âm đã được tắt mà vẫn ăn {found} W",
            "The amplifier was switched off and still draws {found} W",
        ),
        (
            "tiếp điểm rơ-le bị dính, hoặc ai đó đấu tắt nguồn tăng âm",
            "the contact of its relay is welded, or somebody bridged it",
        ),
        (
            "rút điện tăng âm, thay rơ-le; nếu có máy khác sau công tơ thì sửa meter.others_w",
            "unplug the amplifier, replace the relay; if something else is behind the meter, correct meter.others_w",
        ),
    ),
    "amplifier-overload": (
        (
            "Tăng âm ăn quá nhiều: {found} W (nhiều nhất {most} W)",
            "The amplifier draws too much: {found} W of {most} W",
        ),
        ("chập đường loa, quá nhiều loa, hoặc tiếng quá to", "a shorted line, too many speakers, or too much volume"),
        (
            "tắt, đo điện trở từng đường loa, giảm số loa hoặc âm lượng",
            "switch it off, measure each line, take speakers away or turn it down",
        ),
    ),
    "amplifier-rest": (
        (
            "Tăng âm phải nghỉ: đã phát {found} phút trong {span} phút (nhiều nhất {most})",
            "The amplifier has to rest: {found} minutes on the air of the last {span}, at most {most}",
        ),
        (
            "lịch phát dài hơn tăng âm chịu được; thông báo khẩn cấp và micrô vẫn phát",
            "the schedule is longer than the amplifier bears; alerts and the microphone go on",
        ),
        (
            "dời hoặc rút ngắn bản tin, mở rộng thời gian phát muộn, hoặc dùng tăng âm tốt hơn rồi sửa duty_most_s",
            "move or shorten bulletins, allow them later, or fit a better amplifier and correct duty_most_s",
        ),
    ),
    "line-open": (
        (
            "Đường loa {subject} hầu như không ăn điện khi phát: {share}% của {expected} W",
            "The line of {subject} takes next to no power while it should sound: {share}% of {expected} W",
        ),
        ("đứt dây, tuột đầu nối, hoặc loa và biến áp hỏng", "a wire or a joint is broken, or the speakers are dead"),
        (
            "phát âm thử từng cụm loa, tìm chỗ đứt từ tăng âm ra cột",
            "sound the test tone zone by zone, follow the wire from the amplifier to the pole",
        ),
    ),
    "line-short": (
        (
            "Đường loa {subject} ăn điện quá nhiều khi phát: {share}% của {expected} W",
            "The line of {subject} takes too much power while it sounds: {share}% of {expected} W",
        ),
        (
            "chập dây, nước vào loa hoặc biến áp, loa đấu thêm",
            "a short, water in a speaker, or speakers that were added",
        ),
        (
            "gỡ đường loa ấy ra khỏi tăng âm, đo điện trở, rồi đo lại tone_w nếu đã thêm loa",
            "take that line off the amplifier and measure it; if speakers were added, measure tone_w anew",
        ),
    ),
    "meter-silent": (
        ("Công tơ điện không trả lời: {error}", "The energy meter does not answer: {error}"),
        (
            "mất điện lưới (công tơ chạy bằng chính điện ấy), dây A-B đứt hay đảo, sai địa chỉ",
            "no mains (it works by them), A and B cut or crossed, a wrong address",
        ),
        (
            "xem điện vào công tơ, dây, rồi meter.unit và rs485",
            "see the mains at the meter, its wires, meter.unit and rs485",
        ),
    ),
    "off-air-silent": (
        (
            "Đã phát mà trên sóng không nghe thấy: nghe {found} dB, lẽ ra {expected} dB",
            "What is sent is not heard on the air: {found} dB, expected {expected} dB",
        ),
        (
            "tăng âm hay máy phát hỏng, dây loa đứt, máy thu kiểm tra lệch tần số hoặc mất điện",
            "amplifier or transmitter are broken, a line is cut, the monitor's receiver is off or on another frequency",
        ),
        (
            "ra cột nghe thử; nếu loa vẫn kêu thì xem dây của bộ nghe kiểm tra và monitor.loud_dbfs",
            "listen at the pole; if it sounds, see the monitor's wires and monitor.loud_dbfs",
        ),
    ),
    "off-air-distorted": (
        (
            "Tiếng trên sóng bị méo hoặc đầy tạp âm (cắt đỉnh {clipped}%, nền {noise} dB)",
            "What is heard on the air is distorted or noisy (clipped {clipped}%, noise {noise} dB)",
        ),
        (
            "mức vào tăng âm quá lớn, tăng âm hỏng, sóng FM yếu, hoặc ngõ vào của bộ nghe quá mức",
            "too much level into the amplifier, a broken amplifier, weak FM, or too much level into the monitor itself",
        ),
        (
            "giảm mức vào tăng âm; xem ăng ten; vặn bộ chia của bộ nghe cho đỉnh dưới -6 dB",
            "lower the level into the amplifier; see the aerial; set the monitor's divider: peaks below -6 dB",
        ),
    ),
    "off-air-foreign": (
        (
            "Có tiếng lạ trên sóng ({level} dB): có thể bị chèn sóng. Bản ghi {file}, SHA-256 {sha256}",
            "Foreign sound is on the air ({level} dB): perhaps a hijacked receiver. Recording {file}, SHA-256 {sha256}",
        ),
        (
            "máy phát lạ cùng tần số, hoặc có người nói thẳng vào tăng âm, không qua trạm",
            "somebody else's transmitter on the frequency, or somebody speaks into the amplifier past the station",
        ),
        (
            "tắt máy thu ở cột, giữ bản ghi trong evidence/, báo Trung tâm Tần số vô tuyến điện khu vực và công an xã",
            "switch the receivers off, keep the recording in evidence/, tell the frequency centre and the police",
        ),
    ),
    "monitor-silent": (
        ("Bộ nghe kiểm tra không nghe được gì: {error}", "The off-air monitor hears nothing: {error}"),
        (
            "ngõ vào âm thanh bị rút, bận hoặc sai tên; hoặc tiến trình bị treo và đang chạy lại",
            "the sound input was unplugged, is busy, or its name is wrong; or its process hung and is begun anew",
        ),
        (
            "cắm lại; xem: arecord -L, rồi monitor.device trong station.yaml",
            "plug it in again; see: arecord -L, then monitor.device in station.yaml",
        ),
    ),
    "mains-voltage": (
        ("Điện áp lưới bất thường: {volts} V", "The mains are at {volts} V"),
        (
            "đường điện dài, máy biến áp quá tải, hoặc đứt dây trung tính",
            "a long line, an overloaded transformer, a broken neutral",
        ),
        (
            "báo điện lực; nếu quá 255 V hãy tắt tăng âm ngay",
            "tell the power company; above 255 V switch the amplifier off at once",
        ),
    ),
    "mains-lost": (
        ("Mất điện lưới từ {since}", "The mains are lost since {since}"),
        (
            "cúp điện cả vùng, hoặc nhảy át-tô-mát, tuột phích cắm, cháy cầu chì ở trạm",
            "the whole place is without, or a breaker, a plug or a fuse of the station is out",
        ),
        (
            "hỏi điện lực; nếu nhà bên vẫn có điện thì xem át-tô-mát, phích cắm, rồi power.mains_pin hoặc power.supply",
            "ask the power company; if the neighbours have power, see breaker and plug, then power.mains_pin or"
            " power.supply",
        ),
    ),
    "battery-low": (
        ("Ắc quy chỉ còn {percent} %", "The battery is down to {percent} %"),
        ("mất điện lâu, ắc quy già, hoặc bộ nạp hỏng", "a long outage, an old battery, or a charger that does nothing"),
        (
            "đưa máy nổ hoặc ắc quy khác tới; khi có điện lại, xem ắc quy có nạp không (ttcs-edge status)",
            "bring a generator or another battery; with mains again, see that it charges (ttcs-edge status)",
        ),
    ),
    "supply-silent": (
        ("Không biết {subject} thế nào: {error}", "Nothing tells of {subject}: {error}"),
        (
            "bo UPS bị rút ra, trình điều khiển chưa nạp, hoặc sai tên",
            "the UPS board is unplugged, its driver is not loaded, or its name is wrong",
        ),
        (
            "xem: ls /sys/class/power_supply, rồi power.supply và power.battery trong station.yaml",
            "see: ls /sys/class/power_supply, then power.supply and power.battery in station.yaml",
        ),
    ),
    "door-open": (
        ("Cửa hộp máy đang mở", "The door of the box is open"),
        ("có người ở hộp máy, cửa đóng không kín, hoặc đứt dây công tắc", "somebody is at it, or its contact is cut"),
        (
            "gọi cho trạm; nếu không ai của mình ở đó thì cho người tới xem ngay",
            "call the station; if nobody of yours is there, send somebody at once",
        ),
    ),
    "box-hot": (
        ("Trong hộp nóng {celsius} °C", "It is {celsius} °C in the box"),
        ("nắng, quạt hỏng, lưới thông gió bị bít", "the sun, a dead fan, or air holes that are blocked"),
        (
            "thông lỗ gió, thay quạt, che nắng; ắc quy và thẻ nhớ chóng hỏng vì nóng",
            "free the air holes, replace the fan, give it shade: heat wears battery and card out",
        ),
    ),
    "box-cold": (
        ("Trong hộp lạnh {celsius} °C", "It is {celsius} °C in the box"),
        ("đêm rét, hộp hở", "a cold night, a box that does not close"),
        (
            "đóng kín hộp; ắc quy lithi không được nạp dưới 0 °C",
            "close it: a lithium battery must not be charged below 0 °C",
        ),
    ),
    "thermometer-silent": (
        ("Nhiệt kế trong hộp không cho số đo: {error}", "The thermometer in the box tells nothing: {error}"),
        ("tuột dây, chưa bật w1-gpio, hoặc sai tên", "a loose wire, w1-gpio is not enabled, or its name is wrong"),
        (
            "xem: ls /sys/bus/w1/devices, rồi box.sensor; trong lúc đó quạt chạy liên tục",
            "see: ls /sys/bus/w1/devices, then box.sensor; the fan runs all the time meanwhile",
        ),
    ),
    "box-contact": (
        ("Không đọc được tiếp điểm {subject}: {error}", "The contact of {subject} cannot be read: {error}"),
        (
            "chân GPIO bị phần khác giữ, hoặc opto-coupler chưa có tụ lọc",
            "something else holds the line, or the opto-coupler has no capacitor",
        ),
        (
            "xem dây và tụ, rồi power.mains_pin, box.door_pin",
            "see wire and capacitor, then power.mains_pin, box.door_pin",
        ),
    ),
    "fan": (
        ("Không bật tắt được quạt: {error}", "The fan cannot be switched: {error}"),
        ("chân GPIO bị phần khác giữ, hoặc chạm", "something else drives the line, or it is shorted"),
        ("xem dây của rơ-le quạt, rồi box.fan_pin", "see the wire of its relay, then box.fan_pin"),
    ),
    "modem-gone": (
        ("Không thấy cổng của modem: {error}", "The port of the modem is not there: {error}"),
        (
            "modem tuột cáp USB, mất nguồn, hoặc cổng đổi tên",
            "its USB cable or supply is out, or the port's name changed",
        ),
        (
            "xem đèn và cáp USB của modem; ls -l /dev/serial/by-id, rồi sửa modem.port",
            "look at its lamps and its USB cable; ls -l /dev/serial/by-id, then correct modem.port",
        ),
    ),
    "modem-taken": (
        ("Cổng của modem đang bị chương trình khác giữ: {error}", "Another program has the modem's port: {error}"),
        (
            "thường là ModemManager: chưa có luật udev chừa cổng này ra",
            "ModemManager, most often: no udev rule leaves this port to the station",
        ),
        (
            "thêm ID_MM_PORT_IGNORE cho cổng ấy (trang modem.md), hoặc chọn cổng AT thứ hai",
            "set ID_MM_PORT_IGNORE for it (page modem.md), or name the second AT port",
        ),
    ),
    "modem-silent": (
        ("Modem không trả lời: {error}", "The modem does not answer: {error}"),
        (
            "modem treo, sai tốc độ, hoặc cổng này không nhận lệnh AT",
            "it hangs, the speed is wrong, or it is no AT port",
        ),
        (
            "rút nguồn modem 10 giây; không hết thì xem modem.port và modem.baud",
            "take its power away for 10 s; if that does not help, see modem.port and modem.baud",
        ),
    ),
    "modem-cure": (
        (
            "Mất kết nối {minutes} phút, trạm đã tự chữa modem: {subject}",
            "No connection for {minutes} minutes; the station has tried to cure its modem: {subject}",
        ),
        (
            "modem treo, mạng di động hỏng, hoặc SIM hết dung lượng",
            "the modem hangs, the mobile network is out of order, or the SIM has no data left",
        ),
        (
            "không phải làm gì nếu đã nối lại; nếu vẫn mất, xem SIM, ăng-ten và nguồn của modem",
            "nothing, if it is connected again; else see SIM, antenna and supply of the modem",
        ),
    ),
    "sim-missing": (
        ("Modem không thấy SIM", "The modem sees no SIM"),
        ("SIM chưa lắp, lắp ngược, bẩn hoặc hỏng", "there is none, it is the wrong way round, dirty or dead"),
        ("rút nguồn modem, lắp lại hoặc thay SIM", "take the modem's power away, put the SIM in again or replace it"),
    ),
    "sim-pin": (
        ("SIM đòi mã PIN", "The SIM wants its PIN"),
        ("SIM mới chưa tắt mã PIN", "the PIN of a new SIM was not switched off"),
        (
            "lắp SIM vào điện thoại, tắt mã PIN, lắp lại; trạm không bao giờ tự nhập mã",
            "put it into a telephone and switch the PIN off; the station never enters one",
        ),
    ),
    "sim-puk": (
        ("SIM bị khóa, đòi mã PUK", "The SIM is locked and wants its PUK"),
        ("đã nhập sai mã PIN ba lần", "a wrong PIN was entered three times"),
        (
            "lấy mã PUK của nhà mạng, mở khóa bằng điện thoại, tắt mã PIN; hoặc thay SIM",
            "get the PUK from the operator, unlock it in a telephone, switch the PIN off; or replace the SIM",
        ),
    ),
    "network-denied": (
        ("Mạng di động từ chối SIM", "The mobile network turns the SIM away"),
        (
            "SIM bị khóa một hoặc hai chiều, chưa đăng ký chính chủ, hoặc không được phép ở mạng này",
            "the SIM is blocked, not registered to its owner, or may not use this network",
        ),
        ("gọi nhà mạng, hỏi về số SIM này", "call the operator and ask about this SIM"),
    ),
    "not-registered": (
        ("Modem đang tìm mạng, chưa vào được", "The modem looks for a network and finds none"),
        (
            "ngoài vùng phủ sóng, hỏng ăng-ten, trạm phát di động mất điện",
            "no coverage, a bad antenna, a cell without power",
        ),
        (
            "xem ăng-ten và dây; thử SIM bằng điện thoại ngay tại cột",
            "see the antenna and its cable; try the SIM in a telephone at the pole",
        ),
    ),
    "signal-weak": (
        ("Sóng di động yếu: {dbm} dBm", "The mobile signal is weak: {dbm} dBm"),
        ("ăng-ten lỏng, hỏng, hoặc đặt thấp trong tủ kín", "the antenna is loose, broken, or low in a closed box"),
        ("vặn chặt, đưa ăng-ten lên cao, ra ngoài tủ", "tighten it, put it higher and outside of the box"),
    ),
    "data-budget": (
        (
            "SIM sẽ hết dung lượng trước {until}: đã dùng {used}/{budget} MB, mỗi ngày {daily} MB",
            "The SIM's data will not last until {until}: {used} of {budget} MB used, {daily} MB a day",
        ),
        (
            "nhiều bản tin dài, tiếp sóng nhiều, hoặc máy khác dùng chung modem",
            "many long bulletins, much live relay, or something else that uses the modem",
        ),
        ("mua thêm dung lượng, hoặc gửi ít âm thanh hơn", "buy more data, or send less audio"),
    ),
    "data-used-up": (
        (
            "SIM đã dùng hết dung lượng của tháng: {used}/{budget} MB, tháng mới từ {until}",
            "The SIM has used its month's data up: {used} of {budget} MB; the next month begins on {until}",
        ),
        ("như cảnh báo trước đó, hoặc modem.budget_mb đặt thấp", "as was warned of, or modem.budget_mb is too low"),
        (
            "mua thêm dung lượng rồi sửa modem.budget_mb; nhà mạng có thể cắt hoặc hạ tốc độ",
            "buy more data and correct modem.budget_mb; the operator may cut or slow the link",
        ),
    ),
    "relay": (
        ("Không đóng mở được rơ-le {subject}: {error}", "The relay {subject} cannot be switched: {error}"),
        (
            "chân GPIO bị chiếm hay thiếu quyền; ở RS-485: bo mất điện, dây A-B đứt hay đảo, sai địa chỉ",
            "the GPIO line is taken, or a right is missing; on RS-485: no power, A and B cut or crossed, wrong address",
        ),
        (
            "GPIO: xem gpioinfo, ttcs phải thuộc nhóm gpio; RS-485: xem nguồn của bo, dây, rồi unit và rs485",
            "GPIO: see gpioinfo, ttcs must be in the group gpio; RS-485: see its supply, wires, then unit and rs485",
        ),
    ),
    "sound-device": (
        ("Thiết bị âm thanh {subject} không dùng được: {error}", "The sound device {subject} does not work: {error}"),
        ("thẻ âm thanh rời bị rút, bận, hoặc tên sai", "the card was unplugged, is busy, or its name is wrong"),
        (
            "cắm lại thẻ âm thanh; xem: aplay -L, rồi sound.device trong station.yaml",
            "plug it in again; see: aplay -L, then sound.device in station.yaml",
        ),
    ),
    "no-voice": (
        (
            "Trạm không có giọng đọc cho ngôn ngữ {language}: thông báo chỉ có chữ thì không phát được",
            "The station has no voice for the language {language}: of what is only text, nothing is heard",
        ),
        (
            "ngôn ngữ này chưa có máy đọc, hoặc chưa cài espeak-ng",
            "nobody has made a voice for this language, or espeak-ng is not installed",
        ),
        (
            "gửi kèm bản ghi âm bằng ngôn ngữ này; xem: espeak-ng --voices",
            "send a recording in this language with the alert; see: espeak-ng --voices",
        ),
    ),
    "speech-too-slow": (
        (
            "Chưa đọc xong lời thông báo khẩn cấp bằng ngôn ngữ {language} trong thời hạn: {error}",
            "An alert was not spoken in the language {language} in time: {error}",
        ),
        (
            "giọng đọc quá nặng cho máy này, hoặc máy đang quá tải",
            "the voice is too heavy for this machine, or the machine has too much to do",
        ),
        (
            "dùng giọng Piper nhẹ hơn, hoặc tăng speech.time_limit_s trong station.yaml",
            "take a lighter voice of Piper, or raise speech.time_limit_s in station.yaml",
        ),
    ),
    "speech-failed": (
        (
            "Không đọc được lời thông báo khẩn cấp bằng ngôn ngữ {language}: {error}",
            "An alert could not be spoken in the language {language}: {error}",
        ),
        (
            "máy đọc bị lỗi, hoặc thẻ nhớ đã đầy",
            "the synthesiser failed, or the card is full",
        ),
        (
            "thử bằng tay: espeak-ng -v vi xin chào; xem: journalctl -u ttcs-edge | grep voice-failed",
            "try by hand: espeak-ng -v vi hello; see: journalctl -u ttcs-edge | grep voice-failed",
        ),
    ),
    "outbox-full": (
        (
            "Hàng đợi báo cáo đã đầy: đã bỏ {dropped} báo cáo chưa gửi được",
            "The outbox is full: {dropped} reports were let go unsent",
        ),
        ("mất kết nối với trung tâm quá lâu", "no link to the centre for too long"),
        (
            "nối lại mạng; tăng store.reports_mb trong station.yaml nếu thẻ còn chỗ",
            "mend the link; raise store.reports_mb in station.yaml if the card has room",
        ),
    ),
    "records-lost": (
        (
            "Trạm không giữ được {count} bản ghi vì thẻ nhớ không ghi được: nhật ký phát và sự cố thiếu chừng ấy",
            "{count} records could not be kept, the card took none: the log and the faults lack as many",
        ),
        ("thẻ nhớ hỏng, đầy hoặc quá chậm", "a card that fails, is full or is too slow"),
        _CARD,
    ),
    "store-damaged": (
        (
            "Cơ sở dữ liệu của trạm bị hỏng và đã được thay mới; còn giữ được {programmes} chương trình, "
            "{reports} báo cáo, {records} bản ghi khác ({error})",
            "The station's database was damaged and has been replaced; {programmes} programmes, {reports} reports and "
            "{records} other records were kept ({error})",
        ),
        ("thẻ nhớ hỏng, mất điện giữa chừng", "a failing card, or a power cut"),
        _CARD,
    ),
    "store-failing": (
        ("Không ghi được vào thẻ nhớ: {error}", "The card cannot be written: {error}"),
        ("thẻ nhớ hỏng hoặc chuyển sang chỉ đọc", "the card is failing, or turned read-only"),
        _CARD,
    ),
    "store-in-memory": (
        (
            "Không ghi được vào thẻ nhớ, trạm chạy trong bộ nhớ: {error}; {left} báo cáo chưa gửi còn nằm trên thẻ",
            "The card cannot be written, so the station lives in memory: {error}; {left} unsent reports stayed on it",
        ),
        ("thẻ nhớ hỏng, đầy, hoặc chỉ cho đọc", "the card is failing, full, or read-only"),
        (
            "chờ hàng đợi gửi hết (ttcs-edge status) rồi mới tắt máy và thay thẻ: mất điện là mất báo cáo chưa gửi",
            "let the outbox run empty (ttcs-edge status), then switch off and replace the card: what is unsent is lost "
            "with the power",
        ),
    ),
    # -- the box itself
    "card-errors": (
        (
            "Hệ thống tệp trên thẻ nhớ {device} đã gặp lỗi {count} lần",
            "The file system on the card {device} has met {count} errors",
        ),
        ("thẻ nhớ hỏng, hoặc mất điện khi đang ghi", "a failing card, or power cuts while it was written"),
        (
            "sao lưu, chạy fsck khi khởi động; nếu lỗi lại thì thay thẻ nhớ",
            "back it up, have fsck run at boot; replace the card if errors come again",
        ),
    ),
    "card-lies": (
        ("Thẻ nhớ không giữ những gì được ghi: {error}", "The card does not keep what is written: {error}"),
        ("thẻ nhớ hết tuổi thọ, hoặc dung lượng giả", "the card is worn out, or its size is a fake"),
        _CARD,
    ),
    "card-read-only": (
        ("Thẻ nhớ đã chuyển sang chỉ đọc", "The card has turned read-only"),
        (
            "thẻ nhớ hỏng; trạm vẫn phát từ bộ nhớ, báo cáo chờ ghi",
            "a failing card; the station airs on from memory, its reports wait to be written",
        ),
        _CARD,
    ),
    "card-worn": (
        ("Thẻ nhớ {device} đã dùng hết {percent}% tuổi thọ", "The card {device} has used up {percent}% of its life"),
        ("thẻ nhớ đã ghi nhiều năm", "it has been written to for years"),
        ("chuẩn bị thẻ nhớ mới và thay trước khi hỏng", "get a new card ready, and replace it before it fails"),
    ),
    "disk-low": (
        ("Thẻ nhớ sắp đầy, còn {free_mb} MB", "The card is almost full, {free_mb} MB are left"),
        ("tệp khác chiếm chỗ trên thẻ nhớ", "other files take up the card"),
        ("xem: df -h; du -xh / | sort -h | tail", "see: df -h; du -xh / | sort -h | tail"),
    ),
    "memory-low": (
        ("Bộ nhớ sắp hết, còn {free_mb} MB", "Memory is running out, {free_mb} MB are left"),
        ("chương trình khác trên máy dùng nhiều bộ nhớ", "another program on this machine takes a lot"),
        ("xem: ps aux --sort=-rss | head", "see: ps aux --sort=-rss | head"),
    ),
    "restarting": (
        (
            "Trạm đã khởi động {count} lần liền, không lần nào chạy được một giờ",
            "The station has started {count} times in a row, and never ran for an hour",
        ),
        ("nguồn điện chập chờn, hoặc phần mềm bị lỗi", "the supply comes and goes, or the software keeps dying"),
        (
            "kiểm tra nguồn điện; xem: journalctl -u ttcs-edge -p err",
            "check the supply; see: journalctl -u ttcs-edge -p err",
        ),
    ),
    "too-hot": (
        ("Máy quá nóng: {celsius} °C", "The box is too hot: {celsius} °C"),
        ("tủ bị nắng chiếu, bít khe thông gió, quạt hỏng", "sun on the cabinet, blocked vents, a dead fan"),
        ("che nắng, thông gió cho tủ; kiểm tra quạt", "shade and air the cabinet; check the fan"),
    ),
    "under-voltage": (
        ("Điện áp nguồn của máy quá thấp", "The supply voltage of the box is too low"),
        (
            "bộ nguồn yếu, dây dài, hoặc bộ khuếch đại kéo sụt nguồn",
            "a weak supply, a long cable, or an amplifier that pulls it down",
        ),
        (
            "dùng bộ nguồn 5,1 V đủ dòng cho máy, tách khỏi bộ khuếch đại",
            "give the box a 5.1 V supply strong enough, apart from the amplifier's",
        ),
    ),
    "unknown": (
        ("Sự cố chưa có tên: {code} ({subject})", "A fault without words: {code} ({subject})"),
        ("trạm dùng phần mềm mới hơn chương trình này", "the station's software is newer than this program"),
        ("nâng cấp chương trình này", "update this program"),
    ),
}

MISSED: dict[str, tuple[Pair, Pair]] = {
    "no-audio": (
        ("âm thanh của mục này chưa tải xong khi đến giờ", "its audio was not all here when its time came"),
        (
            "xem sự cố tải âm thanh, máy chủ âm thanh và đường truyền",
            "look at the faults of its audio, at the audio server and at the link",
        ),
    ),
    "no-zone": (
        ("khung giờ gọi cụm loa mà trạm này không có", "the slot names zones that this station does not have"),
        (
            "so mã cụm loa trong chương trình với zones trong station.yaml",
            "compare the zones of the programme with those of station.yaml",
        ),
    ),
    "not-audio": (
        ("tệp được ký nhưng không giải mã được", "the file was signed, but it cannot be decoded"),
        (
            "phát hành lại bản tin từ tệp âm thanh đúng",
            "publish the bulletin again from a good recording",
        ),
    ),
    "expired": (
        (
            "bản tin chỉ có giá trị đến một giờ nhất định, và giờ ấy đã qua",
            "its bulletin was of worth until a time only",
        ),
        ("phát hành bản tin mới", "publish a new bulletin"),
    ),
    "no-amplifier": (
        ("rơ-le nguồn của âm ly không đóng được", "the relay of the amplifier's supply cannot be switched"),
        FAULTS["relay"][2],
    ),
    "player-died": FAULTS["player-died"][1:],
    "no-voice": FAULTS["no-voice"][1:],
    "speech-failed": FAULTS["speech-failed"][1:],
    "speech-too-slow": FAULTS["speech-too-slow"][1:],
    "relay": FAULTS["relay"][1:],
    "live-lost": FAULTS["live-lost"][1:],
    "amplifier-rest": FAULTS["amplifier-rest"][1:],
    "rotten": FAULTS["rotten"][1:],
    "sound-device": FAULTS["sound-device"][1:],
}
"""Cause and mend of ``cue-missed``, by its reason."""

REASONS: dict[str, Pair] = {
    # AsRunReason
    "amplifier-rest": ("âm ly phải nghỉ", "the amplifier had to rest"),
    "no-audio": ("chưa tải được âm thanh", "its audio was not there"),
    "expired": ("bản tin đã hết giá trị", "its bulletin had expired"),
    "let-go": ("đã nhả phím trước khi có tiếng", "the key was let go before the way was open"),
    "live-lost": ("tiếp sóng bị mất hoặc không bắt đầu", "its live relay or stream did not start, or fell silent"),
    "no-amplifier": ("âm ly không bật được", "the amplifier could not be switched on"),
    "no-time": ("chưa có giờ đúng", "there was no trusted time"),
    "no-voice": ("không có giọng đọc cho ngôn ngữ này", "no voice speaks its language"),
    "no-zone": ("không cụm loa nào của trạm được chọn", "no zone of this station was meant"),
    "not-audio": ("tệp không phải âm thanh", "the file was not audio"),
    "player-died": ("bộ phát âm thanh bị dừng", "the player stopped"),
    "power": ("mất điện", "the power failed"),
    "power-saved": (
        "tiết kiệm điện: xem điện lưới và ắc quy",
        "power was saved: see mains and battery",
    ),
    "pre-empted": ("nhường cho mục ưu tiên hơn", "something of higher priority took the air"),
    "muted": ("có người tại trạm tắt tiếng", "somebody at the station muted it"),
    "quiet-hours": ("rơi vào giờ nghỉ", "it fell into quiet hours"),
    "relay": ("rơ-le không đóng mở được", "a relay could not be switched"),
    "rotten": ("âm thanh trong kho đã hỏng", "its audio had gone bad in the store"),
    "sound-device": ("thiết bị âm thanh không dùng được", "the sound device did not work"),
    "sound-input": ("không nghe được micrô", "the sound input did not work"),
    "speech-failed": ("không đọc được lời", "its words could not be spoken"),
    "speech-too-slow": ("đọc lời quá lâu", "its words were not spoken in time"),
    "stopped": ("trạm được dừng", "the station was stopped"),
    "stopped-by-command": ("trung tâm ra lệnh dừng", "the centre ordered it to stop"),
    "stopped-by-hand": ("người ở trạm dừng", "somebody at the station stopped it"),
    "time-limit": ("nói quá thời gian cho phép", "it was longer than allowed"),
    "too-late": ("quá giờ cho phép", "it was too late"),
    "withdrawn": (
        "đã bị bỏ bởi bản mới hơn hoặc vì khóa ký bị thu hồi",
        "something newer, or the end of its key, withdrew it",
    ),
    # why there is silence, beside those
    "no-start": ("bộ phát chưa phát ra tiếng", "the player was told to begin, and no sound came"),
    # why a link went down
    "dns": ("không tìm được tên máy chủ", "the broker's name cannot be found"),
    "lost": ("đường truyền đứt", "the link was lost"),
    "no-tls": (
        "nơi trả lời không phải máy chủ, có thể là trang đăng nhập của mạng",
        "what answers is not the broker: perhaps a login page of the network",
    ),
    "own-files": (
        "không dùng được chứng chỉ hoặc khóa của trạm",
        "the station's own certificate or key cannot be used",
    ),
    "refused": ("máy chủ từ chối trạm", "the broker refuses the station"),
    "timeout": ("máy chủ không trả lời", "the broker does not answer"),
    "tls": ("không tin được chứng chỉ", "a certificate is not trusted"),
    "tls-expired": ("chứng chỉ hết hạn, hoặc giờ của trạm sai", "a certificate has expired, or the clock is wrong"),
    "unreachable": ("không tới được máy chủ", "the broker cannot be reached"),
    # how a player ended
    "died": ("tiến trình chết", "the process died"),
    "hung": ("tiến trình treo", "the process hung"),
}

OUTCOMES: dict[str, Pair] = {
    "aired": ("đã phát", "aired"),
    "cut": ("bị cắt", "cut"),
    "missed": ("không phát", "missed"),
    "part": ("phát một phần", "aired in part"),
    "substituted": ("phát nội dung thay thế", "substituted"),
}

MESSAGES: dict[str, Pair] = {
    **{
        f"{code}.{part}": pair
        for code, three in FAULTS.items()
        for part, pair in zip(("meaning", "cause", "mend"), three, strict=True)
    },
    **{
        f"missed.{code}.{part}": pair
        for code, two in MISSED.items()
        for part, pair in zip(("cause", "mend"), two, strict=True)
    },
    **{f"reason.{code}": pair for code, pair in REASONS.items()},
    **{f"outcome.{code}": pair for code, pair in OUTCOMES.items()},
}


@dataclass(frozen=True, slots=True)
class FaultWords:
    """A fault for people: what it means, what most often causes it, what to do."""

    meaning: str
    cause: str
    mend: str


class _Fields(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "?"


def fault_words(code: str, subject: str, detail: Mapping[str, str], lang: Language) -> FaultWords:
    """Give the words of a fault. Total: a code without words is told as such, a missing field as "?"."""
    place = LANGUAGES.index(lang)
    fields = _Fields({name: str(value) for name, value in detail.items()} | {"code": code, "subject": _short(subject)})
    if "reason" in fields:
        fields["reason"] = reason_words(fields["reason"], lang)
    three = FAULTS.get(code, FAULTS["unknown"])
    if code == "cue-missed":
        three = (three[0], *MISSED.get(detail.get("reason", ""), three[1:]))
    return FaultWords(*(pair[place].format_map(fields) for pair in three))


def short_words(code: str, subject: str, detail: Mapping[str, str], lang: Language) -> str:
    """Give what a fault means, for a small display: its first clause."""
    meaning = FAULTS.get(code, FAULTS["unknown"])[0][LANGUAGES.index(lang)]
    fields = _Fields({name: str(value) for name, value in detail.items()} | {"code": code, "subject": _short(subject)})
    return re.split(r"[:;,(]", meaning)[0].strip().format_map(fields)


def reason_words(code: str, lang: Language) -> str:
    """Give the words of a reason; a code without words stands for itself."""
    return REASONS.get(code, (code, code))[LANGUAGES.index(lang)]


def outcome_words(code: str, lang: Language) -> str:
    """Give the words of an as-run outcome; a code without words stands for itself."""
    return OUTCOMES.get(code, (code, code))[LANGUAGES.index(lang)]


def _short(subject: str) -> str:
    """A hash is told by its first twelve digits."""
    return f"{subject[:12]}…" if re.fullmatch(r"[0-9a-f]{64}", subject) else subject
