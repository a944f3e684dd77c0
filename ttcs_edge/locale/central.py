"""The words of ``ttcs-central``: what went wrong, what was done, and the headings of its tables."""

from __future__ import annotations

from ttcs_edge.locale import config

PROBLEMS: config.Words = {
    **config.PROBLEMS,
    "audio-too-long": ("Bản thu quá dài: {measured}", "The recording is too long: {measured}"),
    "bad-rule": ("Quy tắc lặp sai ở chỗ: {part}", "The rule is wrong at: {part}"),
    "file-missing": ("Không có tệp chương trình", "There is no programme file"),
    "file-unreadable": ("Không đọc được tệp chương trình", "The programme file cannot be read"),
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
    "one-source": (
        "một trong: file, text, recordings (mỗi bản thu: file hoặc text)",
        "one of: file, text, recordings (each recording: file or text)",
    ),
    "own-id": ("mỗi mục một mã riêng", "an id of its own for each item"),
    "own-language": ("mỗi ngôn ngữ một bản thu", "one recording a language"),
    "readable-file": ("một tệp programme.yaml đọc được", "a programme.yaml that can be read"),
    "rule": (
        "RRULE của RFC 5545, FREQ từ DAILY trở lên, như FREQ=WEEKLY;BYDAY=MO,FR",
        "an RRULE of RFC 5545, FREQ DAILY or slower, such as FREQ=WEEKLY;BYDAY=MO,FR",
    ),
    "scope-below": ("{scope} hoặc địa bàn bên dưới", "{scope} or a scope below it"),
    "spoken": ("lời sẽ đọc, tối đa {most} ký tự", "text to be spoken, at most {most} characters"),
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
    "write-civil-time": ("viết như 2026-12-01 05:00", "write it as 2026-12-01 05:00"),
    "write-rule": ("viết như FREQ=DAILY, hoặc xóa khóa này", "write it as FREQ=DAILY, or delete this key"),
}

TABLES: tuple[config.Words, config.Words, config.Words] = (PROBLEMS, EXPECTED, MENDS)

ERRORS = {
    "bad-broker": (
        "Địa chỉ máy chủ {found} sai: cần TÊN hoặc TÊN:CỔNG",
        "{found} is no broker: write HOST or HOST:PORT",
    ),
    "bad-centre": ("Không dùng được {file}: {found}", "{file} cannot be used: {found}"),
    "bad-id": (
        "Mã {found} sai: cần chữ cái không dấu, chữ số, . _ - (và không phải operator)",
        "{found} is no id: use unaccented letters, digits, . _ - (and not operator)",
    ),
    "bad-programme-file": ("Tệp chương trình có {count} lỗi", "The programme file has {count} mistakes"),
    "bad-scope": (
        "Địa bàn {found} sai: viết như vn/lam-dong/da-teh",
        "{found} is no scope: write it as vn/lam-dong/da-teh",
    ),
    "bad-threshold": (
        "Ngưỡng {threshold} không hợp với {keys} khóa (1 đến 16 khóa)",
        "A threshold of {threshold} does not fit {keys} keys (1 to 16 keys)",
    ),
    "bad-url": ("Địa chỉ {found} sai: phải bắt đầu bằng https://", "{found} will not do: it must begin with https://"),
    "broker-refused": ("Máy chủ từ chối: {found}", "The broker refused: {found}"),
    "broker-silent": ("Máy chủ không trả lời trong {seconds} giây", "The broker did not answer within {seconds} s"),
    "broker-unreachable": ("Không nối được tới {broker}: {found}", "{broker} cannot be reached: {found}"),
    "cannot-write": ("Không ghi được {file}: {found}", "{file} cannot be written: {found}"),
    "centre-exists": ("Thư mục {folder} đã có; không ghi đè", "{folder} is there already; it is not overwritten"),
    "certificate-exists": ("Đã có chứng chỉ {name}", "There is a certificate for {name} already"),
    "no-broker": (
        "Chưa biết máy chủ: thêm --broker TÊN[:CỔNG]",
        "No broker is known: add --broker HOST[:PORT]",
    ),
    "no-centre": ("{folder} không phải là thư mục trung tâm", "{folder} is not the folder of a centre"),
    "no-key": ("Không dùng được khóa {name} ({signer}): {found}", "Key {name} ({signer}) cannot be used: {found}"),
    "no-place": (
        "Trạm không có chỗ lấy âm thanh: thêm --audio-url https://... hoặc --via-broker",
        "Stations would have no place to get the audio: add --audio-url https://... or --via-broker",
    ),
    "no-station-example": ("Không thấy tệp mẫu station.yaml", "The example station.yaml is not installed"),
    "outside-scope": (
        "Địa bàn {found} nằm ngoài {expected} của trung tâm",
        "{found} lies outside {expected}, the centre's scope",
    ),
    "program-failed": ("Chương trình {program} hỏng: {found}", "The program {program} failed: {found}"),
    "program-missing": ("Thiếu chương trình {program}: hãy cài", "The program {program} is missing: install it"),
    "refused-by-own-check": (
        "Trạm sẽ từ chối chương trình này: {found} {detail}",
        "Stations would refuse this programme: {found} {detail}",
    ),
    "station-exists": ("Đã có trạm {id}", "There is a station {id} already"),
    "unreadable": ("Không đọc được {file}: {found}", "{file} cannot be read: {found}"),
}

TOLD = {
    "help-init": ("lập trung tâm: khóa, nơi cấp chứng chỉ", "make a centre: keys and a private authority"),
    "help-add-station": ("tạo tệp cho một trạm mới", "make the file of a new station"),
    "help-server-certificate": (
        "cấp chứng chỉ cho máy chủ MQTT hoặc web",
        "make a certificate for the broker or the web server",
    ),
    "help-publish": ("phát hành một chương trình", "publish a programme"),
    "help-watch": ("theo dõi các trạm", "watch the stations"),
    "centre-made": ("Đã lập trung tâm {folder} cho {scope}", "Made the centre {folder} for {scope}"),
    "move-roots": (
        "Hãy cất các khóa gốc keys/root-*.pem ra khỏi máy này (hai thẻ nhớ, hai nơi): phát chương trình không cần đến.",
        "Move the root keys keys/root-*.pem off this machine (two cards, two places): publishing does not need them.",
    ),
    "station-made": ("Đã tạo {file} cho trạm {id}", "Made {file} for station {id}"),
    "install": (
        "Chép sang trạm rồi cài với quyền root: mkdir -p /etc/ttcs-edge && tar -xf {name} -C /etc/ttcs-edge"
        "\nSửa zones, amplifier và sound trong station.yaml theo dây thật,"
        " rồi xóa tệp .tar ở cả hai máy: có khóa bên trong.",
        "Carry it to the station and, as root: mkdir -p /etc/ttcs-edge && tar -xf {name} -C /etc/ttcs-edge"
        "\nFit zones, amplifier and sound in station.yaml to the wires,"
        " then delete the .tar on both machines: it holds a key.",
    ),
    "certificate-made": ("Đã tạo {certificate} và {key}", "Made {certificate} and {key}"),
    "published": (
        "Đã phát hành {scope} phiên bản {version}, hết hạn {expires}",
        "Published {scope} version {version}, until {expires}",
    ),
    "checked": (
        "{scope} phiên bản {version} dùng được (chạy thử, chưa phát hành)",
        "{scope} version {version} is good (a dry run: nothing was published)",
    ),
    "bulletin": ("Bản tin", "Bulletin"),
    "language": ("Tiếng", "Language"),
    "duration": ("Dài", "Length"),
    "loudness": ("Độ to", "Loudness"),
    "size": ("Cỡ", "Size"),
    "when": ("Lúc", "When"),
    "slot": ("Khung giờ", "Slot"),
    "next-days": ("7 ngày tới", "The next 7 days"),
    "station": ("Trạm", "Station"),
    "state": ("Trạng thái", "State"),
    "on-air": ("Đang phát", "On the air"),
    "faults": ("Sự cố", "Faults"),
    "last": ("Phát gần nhất", "Last aired"),
    "heard": ("Nhịp báo", "Heartbeat"),
    "bad": ("Báo cáo hỏng", "Bad reports"),
    "link-up": ("Đang nghe {broker}", "Listening to {broker}"),
    "link-down": ("Mất liên lạc với {broker}, đang nối lại", "{broker} is lost, connecting again"),
    "ago": ("{seconds} giây trước", "{seconds} s ago"),
}

MESSAGES: dict[str, tuple[str, str]] = {**ERRORS, **TOLD}
