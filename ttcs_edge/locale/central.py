"""The words of ``ttcs-central``: what went wrong, what was done, and the headings of its tables."""

from __future__ import annotations

from ttcs_edge.locale import (
    central_alerts,
    central_audit,
    central_broker,
    central_enrol,
    central_feeds,
    central_live,
    central_orders,
    central_trust,
    config,
)

PROBLEMS: config.Words = {
    **config.PROBLEMS,
    "all-expired": (
        "Bản tin này đã hết giá trị, và mọi bản tin khác cũng vậy: sẽ không phát gì cả",
        "This bulletin has expired, and so has every other: nothing would ever be heard",
    ),
    "audio-too-long": ("Bản thu quá dài: {measured}", "The recording is too long: {measured}"),
    "bad-rule": ("Quy tắc lặp sai ở chỗ: {part}", "The rule is wrong at: {part}"),
    "file-missing": ("Không có tệp chương trình", "There is no programme file"),
    "file-unreadable": ("Không đọc được tệp chương trình", "The programme file cannot be read"),
    "live-and-stream": ("Khung giờ có cả live lẫn stream", "The slot has both live and stream"),
    "no-source": ("Bản tin không có âm thanh", "The bulletin has no audio"),
    "no-such-date": ("Không có ngày giờ này trong lịch", "No calendar has this date or time"),
    "no-voice": ("espeak-ng không có giọng {measured}", "espeak-ng has no voice {measured}"),
    "not-audio": ("Không giải mã được âm thanh: {measured}", "This is no audio that can be decoded: {measured}"),
    "outside-scope": ("Địa bàn nằm ngoài quyền của trung tâm", "The scope is outside that of the centre"),
    "same-id": ("Mã này đã dùng ở dòng {first}", "This id stands already on line {first}"),
    "same-language": ("Ngôn ngữ này ghi hai lần", "This language stands twice"),
    "silent-audio": (
        "Không có tiếng, hoặc ngắn hơn 0,4 giây ({measured})",
        "It is silent, or shorter than 0.4 s ({measured})",
    ),
    "two-sources": ("Bản tin có nhiều nguồn âm thanh", "The bulletin has more than one source"),
    "unknown-bulletin": ("Không có bản tin này", "There is no such bulletin"),
}

EXPECTED: config.Words = {
    **config.EXPECTED,
    "a-bulletin": ("mã của một bản tin trong tệp này", "the id of a bulletin in this file"),
    "audible": ("bản thu có tiếng, không quá 2 giờ và 64 MiB", "a recording with sound, at most 2 hours and 64 MiB"),
    "audio-file": (
        "đường dẫn tới tệp âm thanh, tính từ thư mục của tệp này",
        "a path to an audio file, from this file's folder",
    ),
    "civil-time": ("ngày giờ địa phương như 2026-12-01 05:00", "a local date and time such as 2026-12-01 05:00"),
    "form": ("các khóa của programme.yaml", "the keys of programme.yaml"),
    "live-or-stream": ("live hoặc stream", "live or stream"),
    "one-source": (
        "một trong: file, text, recordings (mỗi bản thu: file hoặc text)",
        "one of: file, text, recordings (each recording: file or text)",
    ),
    "own-id": ("mỗi mục một mã riêng", "an id of its own for each item"),
    "own-language": ("mỗi ngôn ngữ một bản thu", "one recording a language"),
    "readable-file": ("một tệp programme.yaml đọc được", "a programme.yaml that can be read"),
    "stream-url": (
        "địa chỉ https:// của luồng Icecast hoặc HLS, tối đa {most} ký tự",
        "the https:// address of an Icecast or HLS stream, at most {most} characters",
    ),
    "whole-minutes": ("số phút nguyên từ {least} đến {most}", "a whole number of minutes from {least} to {most}"),
    "rule": (
        "RRULE của RFC 5545, FREQ từ DAILY trở lên, như FREQ=WEEKLY;BYDAY=MO,FR",
        "an RRULE of RFC 5545, FREQ DAILY or slower, such as FREQ=WEEKLY;BYDAY=MO,FR",
    ),
    "scope-below": ("{scope} hoặc địa bàn bên dưới", "{scope} or a scope below it"),
    "spoken": ("lời sẽ đọc, tối đa {most} ký tự", "text to be spoken, at most {most} characters"),
    "still-to-come": ("một lúc sau bây giờ ({now})", "a time later than now ({now})"),
    "voice": ("tên giọng của espeak-ng, như vi", "the name of an espeak-ng voice, such as vi"),
}

MENDS: config.Words = {
    **config.MENDS,
    "add-bulletin": ("thêm bản tin {found}, hoặc xóa ở đây", "add a bulletin {found}, or delete it here"),
    "add-section": (
        "thêm nhóm {name}:, theo tệp mẫu config/programme.yaml",
        "add the section {name}:, as in the example config/programme.yaml",
    ),
    "give-file": ("chỉ tới tệp programme.yaml", "point to a programme.yaml"),
    "make-file": (
        "chép tệp mẫu config/programme.yaml rồi sửa",
        "copy the example config/programme.yaml and fit it",
    ),
    "one-source": ("chỉ giữ một nguồn", "keep exactly one of them"),
    "other-audio": ("dùng bản thu khác", "use another recording"),
    "other-id": ("đặt mã khác", "give it another id"),
    "other-language": ("xóa một trong hai", "delete one of the two"),
    "other-scope": ("sửa địa bàn, hoặc dùng trung tâm khác", "correct the scope, or use the centre that has it"),
    "other-voice": ("xem các giọng: espeak-ng --voices", "see the voices: espeak-ng --voices"),
    "rename": ("đặt mã khác", "give it another id"),
    "renew-bulletin": (
        "lùi ngày hết hạn, xóa khóa này, hoặc thay bản tin mới",
        "set it later, delete this key, or put in a new bulletin",
    ),
    "write-civil-time": ("viết như 2026-12-01 05:00", "write it as 2026-12-01 05:00"),
    "write-rule": ("viết như FREQ=DAILY, hoặc xóa khóa này", "write it as FREQ=DAILY, or delete this key"),
}

TABLES: tuple[config.Words, config.Words, config.Words] = (PROBLEMS, EXPECTED, MENDS)
"""The words of what is wrong with a ``programme.yaml``."""

CENTRE_TABLES: tuple[config.Words, config.Words, config.Words] = (
    {
        **config.PROBLEMS,
        "file-unreadable": ("Không đọc được centre.yaml", "centre.yaml cannot be read"),
    },
    {
        **config.EXPECTED,
        "broker-address": ("TÊN hoặc TÊN:CỔNG của máy chủ MQTT", "HOST or HOST:PORT of the broker"),
        "form": ("các khóa của centre.yaml", "the keys of centre.yaml"),
        "hexadecimal": ("64 chữ số thập lục phân, chữ thường", "64 hexadecimal digits, small letters"),
        "https-url": ("địa chỉ bắt đầu bằng https://", "an address that begins with https://"),
        "key-type": ("loại khóa, như ed25519", "the kind of key, such as ed25519"),
        "readable-file": ("tệp centre.yaml đọc được", "a centre.yaml that can be read"),
        "signer": (
            "URI của khóa: file2:keys/publish-1.pem, hsm:... cho USB token, elsewhere: nếu người khác giữ",
            "the URI of a key: file2:keys/publish-1.pem, hsm:... for a token, elsewhere: when others have it",
        ),
    },
    {
        **config.MENDS,
        "add-line": ("chép lại dòng này từ bản sao lưu: {addition}", "copy this line back from a backup: {addition}"),
        "add-section": ("chép lại nhóm {name}: từ bản sao lưu", "copy the section {name}: back from a backup"),
        "give-access": ("cho người dùng này quyền đọc (chown, chmod)", "let this user read it (chown, chmod)"),
        "make-file": ("chép lại centre.yaml từ bản sao lưu", "copy centre.yaml back from a backup"),
    },
)
"""The words of what is wrong with a ``centre.yaml``."""

FILE_TABLES: dict[str, tuple[config.Words, config.Words, config.Words]] = {
    "bad-programme-file": TABLES,
    "bad-centre-file": CENTRE_TABLES,
    "bad-alert-file": central_alerts.TABLES,
    "bad-feed-file": central_feeds.TABLES,
    "bad-trust-file": central_trust.TABLES,
}
"""The words of what is wrong with a file, by the error that tells of it."""

Told = tuple[tuple[str, str], tuple[str, str]]

ERRORS: dict[str, Told] = {
    **central_broker.ERRORS,
    **central_enrol.ERRORS,
    **central_feeds.ERRORS,
    **central_orders.ERRORS,
    **central_live.ERRORS,
    **central_audit.ERRORS,
    **central_trust.ERRORS,
    "bad-broker": (
        ("Địa chỉ máy chủ MQTT sai: {found}", "This is no broker: {found}"),
        ("Viết TÊN hoặc TÊN:CỔNG, như mqtt.lam-dong.vn:8883", "Write HOST or HOST:PORT, as mqtt.lam-dong.vn:8883"),
    ),
    "bad-centre": (
        ("Không dùng được {file}: {found}", "{file} cannot be used: {found}"),
        ("Chép lại tệp này từ bản sao lưu của trung tâm", "Copy this file back from the centre's backup"),
    ),
    "bad-centre-file": (
        ("centre.yaml: {count} chỗ sai", "centre.yaml: {count} wrong"),
        ("Sửa những chỗ trên, rồi chạy lại", "Mend those above, then run it again"),
    ),
    "bad-host": (
        ("Tên máy sai: {found}", "This is no host name: {found}"),
        (
            "Viết tên máy hoặc địa chỉ IP mà trạm sẽ nối tới",
            "Write the host name or the IP address by which stations connect",
        ),
    ),
    "bad-id": (
        ("Mã trạm sai: {found}", "This is no id of a station: {found}"),
        (
            "Dùng chữ cái không dấu, chữ số, . _ - (tối đa 64), và không phải operator",
            "Use unaccented letters, digits, . _ - (at most 64), and not operator",
        ),
    ),
    "bad-programme-file": (
        ("Chương trình: {count} chỗ sai; chưa phát hành gì", "The programme: {count} wrong; nothing was published"),
        ("Sửa những chỗ trên, rồi chạy lại", "Mend those above, then run it again"),
    ),
    "bad-range": (
        (
            "Dãy báo cáo từ {first} đến {last} không dùng được",
            "There is no range of reports from {first} to {last}",
        ),
        (
            "Số đầu không lớn hơn số cuối, nhiều nhất {most} báo cáo một lần",
            "The first is not above the last, and at most {most} reports at once",
        ),
    ),
    "bad-scope": (
        ("Địa bàn sai: {found}", "This is no scope: {found}"),
        (
            "Viết như vn/lam-dong/da-teh: chữ thường không dấu, chữ số, gạch nối",
            "Write it as vn/lam-dong/da-teh: unaccented small letters, digits, hyphens",
        ),
    ),
    "bad-threshold": (
        ("Ngưỡng {threshold} không hợp với {keys} khóa", "A threshold of {threshold} does not fit {keys} keys"),
        ("Ngưỡng từ 1 đến số khóa; nhiều nhất 16 khóa", "From 1 to the number of keys; at most 16 keys"),
    ),
    "bad-url": (
        ("Địa chỉ âm thanh không dùng được: {found}", "This address of audio will not do: {found}"),
        (
            "Phải bắt đầu bằng https://, không có khoảng trắng, không quá 400 ký tự",
            "It must begin with https://, without blanks, at most 400 characters",
        ),
    ),
    "broker-closed": (
        ("Máy chủ {broker} ngắt kết nối mà không trả lời", "{broker} closed the connection without an answer"),
        (
            "Máy chủ không nhận chứng chỉ operator.crt (cafile phải là ca.pem của trung tâm này), hoặc không phải MQTT",
            "It does not take operator.crt (its cafile must be this centre's ca.pem), or does not speak MQTT",
        ),
    ),
    "broker-keeps-nothing": (
        ("Máy chủ {broker} không lưu tin (retain)", "{broker} retains no messages"),
        (
            "Trạm bật sau sẽ không nhận được chương trình: đặt retain_available true trên máy chủ MQTT",
            "A station that starts later would get no programme: set retain_available true on the broker",
        ),
    ),
    "broker-refused": (
        ("Máy chủ {broker} từ chối: {found}", "{broker} refused: {found}"),
        (
            "Cho người dùng operator quyền trên các chủ đề này (ACL của máy chủ MQTT)",
            "Give the user operator the right to these topics (the broker's ACL)",
        ),
    ),
    "broker-silent": (
        ("Máy chủ {broker} không trả lời trong {seconds} giây", "{broker} did not answer within {seconds} s"),
        ("Xem máy chủ MQTT có chạy không, rồi thử lại", "See whether the broker is running, then try again"),
    ),
    "broker-unreachable": (
        ("Không nối được tới {broker}: {reason} ({found})", "{broker} cannot be reached: {reason} ({found})"),
        (
            "Xem --broker hoặc broker trong centre.yaml, đường truyền, giờ của máy này, và chứng chỉ của máy chủ",
            "Look at --broker or broker in centre.yaml, the line, this machine's clock, and the broker's certificate",
        ),
    ),
    "centre-exists": (
        ("Thư mục {folder} đã có, không ghi đè", "{folder} is there already; it is not overwritten"),
        ("Chọn thư mục khác", "Choose another folder"),
    ),
    "certificate-exists": (
        ("Đã có chứng chỉ {name}", "There is a certificate for {name} already"),
        ("Để cấp lại, xóa {certificate} và {key} trước", "To make it anew, delete {certificate} and {key} first"),
    ),
    "command-failed": (
        ("Trạm {station} không làm được", "Station {station} could not do it"),
        (
            "Xem sự cố của trạm (ttcs-central watch --once), nhất là thẻ nhớ, rồi gửi lại",
            "Look at its faults (ttcs-central watch --once), its card above all, then send it again",
        ),
    ),
    "disk": (
        ("Không đọc hoặc ghi được {file}: {found}", "{file} cannot be read or written: {found}"),
        ("Xem quyền của tệp và chỗ trống: ls -l, df -h", "Look at its permissions and at the room left: ls -l, df -h"),
    ),
    "bad-ledger": (
        ("Không dùng được sổ báo cáo {file}: {found}", "The ledger of reports {file} cannot be used: {found}"),
        (
            "Xem quyền và chỗ trống: ls -l, df -h; nếu tệp hỏng, chép lại từ bản sao lưu rồi nhập lại các USB",
            "Look at its permissions and the room left; if it is broken, copy it back and import the sticks again",
        ),
    ),
    "no-audio": (
        ("Thiếu tệp âm thanh {file}, hoặc tệp đã hỏng", "The audio file {file} is missing or has gone bad"),
        ("Phát hành lại chương trình đó, rồi xuất lại", "Publish that programme again, then export again"),
    ),
    "no-reports": (
        ("Không có tệp báo cáo nào trong {folder}", "There is no file of reports in {folder}"),
        (
            "Ở trạm: ttcs-edge export-reports USB, rồi chỉ đúng USB",
            "At the station: ttcs-edge export-reports STICK; then name that stick",
        ),
    ),
    "nothing-in-force": (
        ("Không có chương trình nào còn hạn cho {scope}", "No programme is in force for {scope}"),
        ("Phát hành trước: ttcs-central publish", "Publish one first: ttcs-central publish"),
    ),
    "reports-refused": (
        (
            "Có dòng không dùng được: {refused} bị từ chối, {differs} khác báo cáo đã giữ",
            "Not all was taken: {refused} lines refused, {differs} unlike the report kept under the same id",
        ),
        (
            "Những dòng khác đã được giữ. USB hỏng thì chép lại ở trạm; nếu không, có thể báo cáo bị sửa",
            "The rest was kept. If the stick is bad, export again at the station; else somebody may have changed them",
        ),
    ),
    "no-broker": (
        ("Chưa biết máy chủ MQTT nào", "No broker is known"),
        (
            "Thêm --broker TÊN[:CỔNG], hoặc broker: trong centre.yaml",
            "Add --broker HOST[:PORT], or broker: in centre.yaml",
        ),
    ),
    "no-centre": (
        ("{folder} không phải là thư mục trung tâm", "{folder} is not the folder of a centre"),
        ("Chỉ đúng thư mục, hoặc lập mới: ttcs-central init", "Name the right one, or make one: ttcs-central init"),
    ),
    "no-grant": (
        ("Gốc tin cậy {file} không giao quyền {role}", "The trust root {file} grants nobody the role {role}"),
        (
            "Thêm quyền này vào gốc tin cậy kế tiếp: ttcs-central trust THƯ-MỤC draft, rồi sign và publish",
            "Add the grant to the next trust root: ttcs-central trust FOLDER draft, then sign and publish",
        ),
    ),
    "no-key": (
        ("Không dùng được khóa {name} ({signer}): {found}", "Key {name} ({signer}) cannot be used: {found}"),
        (
            "Cắm USB token, hoặc đặt tệp khóa vào đúng chỗ ghi trong centre.yaml",
            "Plug the token in, or put the key where centre.yaml says it is",
        ),
    ),
    "no-place": (
        ("Trạm không có chỗ lấy âm thanh", "Stations would have no place to get the audio"),
        ("Thêm --audio-url https://... hoặc --via-broker", "Add --audio-url https://... or --via-broker"),
    ),
    "no-reply": (
        ("Trạm {station} không trả lời trong {seconds} giây", "Station {station} did not answer within {seconds} s"),
        (
            "Trạm mất liên lạc vẫn nhận lệnh khi nối lại trong một giờ; nếu trạm đang nối, xem sự cố:"
            " ttcs-central watch --once",
            "A station that is away does it when it is back within an hour; of one that is there, see the faults:"
            " ttcs-central watch --once",
        ),
    ),
    "no-station-example": (
        ("Không thấy tệp mẫu config/station.yaml", "The example config/station.yaml is not installed"),
        ("Cài lại chương trình: make install", "Install the program again: make install"),
    ),
    "nobody-listens": (
        ("Không có trạm {station} trên máy chủ MQTT", "The broker knows no station {station}"),
        (
            "Xem lại mã trạm (ttcs-central watch), hoặc trạm chưa nối lần nào",
            "Look at the id (ttcs-central watch), or the station has never connected",
        ),
    ),
    "outside-scope": (
        ("Địa bàn {found} nằm ngoài {expected}", "{found} lies outside {expected}"),
        ("Sửa --scope, hoặc dùng trung tâm của địa bàn đó", "Correct --scope, or use the centre that has it"),
    ),
    "overtaken": (
        (
            "Máy chủ MQTT không giữ bản vừa gửi ({scope} phiên bản {version})",
            "The broker does not hold what was just sent ({scope} version {version})",
        ),
        (
            "Có người khác vừa phát hành cùng lúc: bàn với họ, rồi phát hành lại",
            "Somebody else published at the same moment: agree with them, then publish again",
        ),
    ),
    "program-failed": (
        ("Chương trình {program} hỏng: {found}", "The program {program} failed: {found}"),
        ("Thử với bản thu khác", "Try it with another recording"),
    ),
    "program-missing": (
        ("Thiếu chương trình {program}", "The program {program} is missing"),
        ("Cài: sudo apt-get install ffmpeg espeak-ng", "Install it: sudo apt-get install ffmpeg espeak-ng"),
    ),
    "refused-by-own-check": (
        (
            "Trạm sẽ từ chối tài liệu này: {found} {detail}",
            "Stations would refuse this document: {found} {detail}",
        ),
        (
            "Chưa gửi gì. Khóa trong centre.yaml phải là khóa mà gốc tin cậy giao quyền",
            "Nothing was sent. The keys of centre.yaml must be those to which the trust root grants it",
        ),
    ),
    "station-exists": (
        ("Đã có trạm {id}", "There is a station {id} already"),
        (
            "Đặt mã khác; nếu máy khác thay máy này: ttcs-central enrol {folder} {id} --again",
            "Choose another id; if another box takes its place: ttcs-central enrol {folder} {id} --again",
        ),
    ),
    "unreadable": (
        ("Không đọc được {file}: {found}", "{file} cannot be read: {found}"),
        ("Chép lại tệp này từ bản sao lưu của trung tâm", "Copy this file back from the centre's backup"),
    ),
}
"""What an operator's command can fail with, and what mends it."""

HELP = {
    "about": (
        "Trung tâm truyền thanh của một địa bàn: khóa, trạm, chương trình.",
        "A broadcasting centre of one scope: its keys, its stations, its programmes.",
    ),
    "init": ("lập trung tâm: khóa và CA riêng", "make a centre: keys and a private authority"),
    "add-station": ("thêm một trạm mới", "add a new station"),
    "server-certificate": (
        "cấp chứng chỉ cho máy chủ MQTT hoặc web",
        "make a certificate for the broker or the web server",
    ),
    "publish": ("phát hành một chương trình", "publish a programme"),
    "watch": ("theo dõi các trạm", "watch the stations"),
    "resend": ("bảo một trạm gửi lại báo cáo", "have a station send reports again"),
    "beacon": ("gửi tín hiệu trung tâm, cho trạm biết giờ", "send the centre's beacon, which tells stations the time"),
    "export": (
        "xuất chương trình ra USB cho trạm không có mạng",
        "put programmes on a stick for stations without a link",
    ),
    "import-reports": ("nhập báo cáo mang về từ trạm", "take in reports that were carried from stations"),
    "help-export-scope": (
        "địa bàn của trạm; gồm cả cấp trên và cấp dưới",
        "the station's scope; what is above and below goes with it",
    ),
    "help-export-path": ("USB: gói nằm trong thư mục ttcs ở đó", "the stick: the bundle is the folder ttcs there"),
    "help-reports-path": ("USB, hoặc một tệp báo cáo", "the stick, or one file of reports"),
    "help-folder": ("thư mục của trung tâm", "the centre's folder"),
    "help-scope": ("địa bàn của trung tâm, như vn/lam-dong", "the centre's scope, such as vn/lam-dong"),
    "help-name": ("tên trung tâm (mặc định: địa bàn)", "the centre's name (default: its scope)"),
    "help-broker": ("máy chủ MQTT của trung tâm", "the centre's broker"),
    "help-audio-url": ("nơi trạm tải âm thanh", "where stations get the audio"),
    "help-root-keys": ("số khóa gốc (mặc định: %(default)s)", "how many root keys (default: %(default)s)"),
    "help-root-threshold": (
        "số khóa gốc phải cùng ký (mặc định: %(default)s)",
        "how many of them sign together (default: %(default)s)",
    ),
    "help-publish-keys": (
        "số khóa phát hành (mặc định: %(default)s)",
        "how many publisher keys (default: %(default)s)",
    ),
    "help-publish-threshold": (
        "số khóa phải cùng ký chương trình (mặc định: %(default)s)",
        "how many of them sign a programme (default: %(default)s)",
    ),
    "help-id": ("mã của trạm, không trùng trạm nào", "the station's id, its own in the whole province"),
    "help-station-scope": (
        "địa bàn của trạm, như vn/lam-dong/da-teh",
        "the station's scope, such as vn/lam-dong/da-teh",
    ),
    "help-broker-told": (
        "máy chủ MQTT (mặc định: theo centre.yaml)",
        "the broker (default: that of centre.yaml)",
    ),
    "help-https-ca": (
        "own: máy chủ web dùng chứng chỉ của trung tâm này (mặc định: %(default)s)",
        "own: the web server has a certificate of this centre (default: %(default)s)",
    ),
    "help-names": ("tên máy hoặc địa chỉ IP của máy chủ", "host names or IP addresses of the server"),
    "help-programme": ("chương trình, theo mẫu config/programme.yaml", "the programme, as config/programme.yaml shows"),
    "help-audio-folder": ("chép âm thanh vào thư mục web này", "copy the audio into this folder of the web server"),
    "help-audio-url-told": (
        "địa chỉ của thư mục đó (mặc định: theo centre.yaml)",
        "the address of that folder (default: that of centre.yaml)",
    ),
    "help-via-broker": ("gửi âm thanh qua máy chủ MQTT", "send the audio through the broker"),
    "help-dry-run": ("thử, không phát hành gì", "try it, publish nothing"),
    "help-json": ("mỗi báo cáo một dòng JSON", "one line of JSON a report"),
    "help-once": ("nghe 3 giây, in mọi trạm và sự cố rồi thôi", "listen for 3 s, print every station and fault, end"),
    "help-resend-id": ("mã của trạm", "the station's id"),
    "help-first": ("số của báo cáo đầu tiên", "the number of the first report"),
    "help-last": ("số của báo cáo cuối cùng", "the number of the last report"),
    "help-journal": (
        "sổ báo cáo; watch --once cho biết số này",
        "the journal of the reports; watch --once tells it",
    ),
    "help-wait": (
        "chờ trả lời bao nhiêu giây (mặc định: %(default)s)",
        "for how many seconds to wait for the answer (default: %(default)s)",
    ),
    "help-every": (
        "gửi mãi, mỗi N giây một lần (mặc định: gửi một lần)",
        "go on for ever, one each N seconds (default: send one)",
    ),
    "help-keep": ("giữ mỗi báo cáo một lần trong reports.db", "keep each report once, in reports.db"),
    "help-for": ("nghe bao nhiêu giây", "for how many seconds to listen"),
}

TOLD = {
    "centre-made": ("Đã lập trung tâm {folder} cho {scope}", "Made the centre {folder} for {scope}"),
    "move-roots": (
        "Hãy cất các khóa gốc {folder}/keys/root-*.pem ra khỏi máy này (hai thẻ nhớ, hai nơi):"
        " phát chương trình không cần đến.",
        "Move the root keys {folder}/keys/root-*.pem off this machine (two cards, two places):"
        " publishing does not need them.",
    ),
    "station-made": (
        "Đã thêm trạm {id}; zones, amplifier và sound có thể sửa trước trong {file}",
        "Added station {id}; zones, amplifier and sound may be fitted beforehand in {file}",
    ),
    "install": (
        "Khi có người ở trạm: ttcs-central enrol {folder} {id}",
        "When somebody is at the station: ttcs-central enrol {folder} {id}",
    ),
    "certificate-made": ("Đã tạo {certificate} và {key}", "Made {certificate} and {key}"),
    "ask-secret": ("Mã PIN của {name}: ", "PIN of {name}: "),
    "resent": ("Trạm {id} sẽ gửi lại {count} báo cáo", "Station {id} sends {count} reports again"),
    "gone": ("Trạm không còn giữ: {first} đến {last}", "The station does not have: {first} to {last}"),
    "beacon-sent": ("{scope}: đã gửi tín hiệu lúc {issued}", "{scope}: a beacon at {issued}"),
    # -- published
    "published": (
        "Đã phát hành {scope} phiên bản {version}, hết hạn {expires}",
        "Published {scope} version {version}, until {expires}",
    ),
    "checked": (
        "{scope} phiên bản {version} dùng được (chạy thử, chưa phát hành)",
        "{scope} version {version} is good (a dry run: nothing was published)",
    ),
    "put-audio": (
        "Trạm sẽ tải âm thanh ở {url}: hãy đưa các tệp của {folder} lên đó",
        "Stations will get the audio at {url}: put the files of {folder} there",
    ),
    "bulletin": ("Bản tin", "Bulletin"),
    "language": ("Tiếng", "Language"),
    "duration": ("Dài", "Length"),
    "loudness": ("Độ to", "Loudness"),
    "size": ("Cỡ", "Size"),
    "next-days": ("7 ngày tới, giờ {zone}", "The next 7 days, time zone {zone}"),
    "by-night": (
        "BAN ĐÊM: {count} (trạm có giờ nghỉ sẽ không phát)",
        "BY NIGHT: {count} (silent where quiet hours are set)",
    ),
    "nothing-coming": ("không có mục nào", "nothing"),
    "and-more": ("và còn nữa", "and more"),
    # -- what is carried by hand
    "exported": ("{scope} phiên bản {version}", "{scope} version {version}"),
    "export-expired": (
        "{scope} phiên bản {version} đã hết hạn: không xuất",
        "{scope} version {version} has expired: left out",
    ),
    "export-audio": ("Âm thanh: {files} tệp, {mb} MB", "Audio files: {files}, {mb} MB"),
    "export-next": (
        "Gói ở {folder}, rút USB được. Ở trạm: ttcs-edge import USB",
        "The bundle is {folder}; the stick may be pulled out. At the station: ttcs-edge import STICK",
    ),
    "imported": ("{file}: mới {new}, đã có {known}", "{file}: {new} new, {known} known already"),
    "imported-refused": ("từ chối {count} dòng", "{count} lines refused"),
    "imported-differs": ("{count} dòng khác báo cáo đã giữ", "{count} unlike what is kept under the same id"),
    "imported-line": ("dòng {number}: {code} {found}", "line {number}: {code} {found}"),
    # -- the fleet
    "no-stations": ("Chưa nghe thấy trạm nào", "No station has been heard yet"),
    "stations": ("Trạm: {count}", "Stations: {count}"),
    "with-faults": ("có sự cố {count}", "with faults {count}"),
    "left-out": (
        "và {count} trạm nữa, {troubled} cần xem (xem hết: --once)",
        "and {count} more, {troubled} in need of a look (all of them: --once)",
    ),
    "left-out-well": (
        "và {count} trạm nữa, không trạm nào phải xem (xem hết: --once)",
        "and {count} more, none in need of a look (all of them: --once)",
    ),
    "station": ("Trạm", "Station"),
    "state": ("Tình trạng", "State"),
    "state.unknown": ("chưa rõ", "unknown"),
    "state.online": ("đã nối", "connected"),
    "state.on-air": ("đang phát", "on the air"),
    "state.idle": ("rảnh", "idle"),
    "state.no-time": ("chờ giờ đúng", "no time"),
    "state.stopping": ("đang dừng", "stopping"),
    "state.stopped": ("đã tắt", "stopped"),
    "state.offline": ("MẤT LIÊN LẠC", "LOST"),
    "state.silent": ("IM LẶNG", "SILENT"),
    "note": ("Đang phát, sự cố", "On the air, faults"),
    "more-faults": ("và {count} sự cố nữa", "and {count} more"),
    "time-by": ("giờ theo {source}", "time by {source}"),
    "bad-reports": ("{count} báo cáo hỏng", "{count} bad reports"),
    "data": ("{used}/{budget} MB", "{used}/{budget} MB"),
    "cures": ("chữa modem {count} lần", "{count} cures"),
    "not-witnessed": ("không thấy tiếng ra loa", "no sound was seen to go out"),
    "missing": ("thiếu {count} báo cáo", "{count} reports missing"),
    "more-gaps": ("và {count} chỗ thiếu nữa", "and {count} more gaps"),
    "fault-mend": ("Sửa: {mend}", "Mend: {mend}"),
    "last": ("Phát gần nhất", "Last aired"),
    "heard": ("Cách đây", "Ago"),
    "link-up": ("Đang nghe {broker}; Ctrl-C để thôi", "Listening to {broker}; Ctrl-C ends it"),
    "link-down": ("Mất liên lạc với {broker}, đang nối lại", "{broker} is lost, connecting again"),
}

MESSAGES: dict[str, tuple[str, str]] = {
    **central_alerts.MESSAGES,
    **central_broker.MESSAGES,
    **central_enrol.MESSAGES,
    **central_feeds.MESSAGES,
    **central_orders.MESSAGES,
    **central_live.MESSAGES,
    **central_audit.MESSAGES,
    **central_trust.MESSAGES,
    **{f"error.{code}": pair for code, (pair, _) in ERRORS.items()},
    **{f"error.{code}.mend": pair for code, (_, pair) in ERRORS.items()},
    **HELP,
    **TOLD,
}
