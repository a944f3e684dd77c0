"""The words of ``ttcs-central alert``; ``locale.central`` says them under its own name."""

from __future__ import annotations

from ttcs_edge.locale import config

PROBLEMS: config.Words = {
    **config.PROBLEMS,
    "cap-schema": ("Không đúng lược đồ CAP 1.2", "It does not follow the schema of CAP 1.2"),
    "doctype": ("Tệp có DOCTYPE", "The file has a DOCTYPE"),
    "not-cap": ("Tệp không phải CAP 1.2", "The file is no CAP 1.2"),
    "not-for-loudspeakers": ("Tin này không phải để phát loa", "This is not for loudspeakers"),
    "not-xml": ("Tệp không phải XML đúng", "The file is no sound XML"),
    "nothing-said": ("Tin không nói gì (không có info)", "It says nothing (there is no info)"),
    "signature": ("CHỮ KÝ XML KHÔNG KHỚP: tệp đã bị sửa", "THE XML SIGNATURE IS BAD: the file was changed"),
    "audio-too-long": ("Bản thu quá dài: {measured}", "The recording is too long: {measured}"),
    "file-missing": ("Không có tệp cảnh báo", "There is no file of an alert"),
    "file-unreadable": ("Không đọc được tệp cảnh báo", "The alert's file cannot be read"),
    "no-voice": ("espeak-ng không có giọng {measured}", "espeak-ng has no voice {measured}"),
    "not-audio": ("Không giải mã được âm thanh: {measured}", "This is no audio that can be decoded: {measured}"),
    "same-language": ("Ngôn ngữ này ghi hai lần", "This language stands twice"),
    "silent-audio": (
        "Không có tiếng, hoặc ngắn hơn 0,4 giây ({measured})",
        "It is silent, or shorter than 0.4 s ({measured})",
    ),
}

EXPECTED: config.Words = {
    **config.EXPECTED,
    "audible": ("bản thu có tiếng, không quá 2 giờ và 64 MiB", "a recording with sound, at most 2 hours and 64 MiB"),
    "audio-file": (
        "đường dẫn tới tệp âm thanh, tính từ thư mục của tệp này",
        "a path to an audio file, from this file's folder",
    ),
    "cap": ("một tin CAP 1.2 của OASIS", "a message of OASIS CAP 1.2"),
    "cap-info": ("ít nhất một info", "at least one info"),
    "cap-msg-type": ("Alert, Update hoặc Cancel", "Alert, Update or Cancel"),
    "cap-name": (
        "tên theo CAP 1.2, tối đa 200 ký tự, không có khoảng trắng, dấu phẩy, < và &",
        "a name by CAP 1.2 of at most 200 characters, without white space, commas, < and &",
    ),
    "cap-references": (
        "sender,identifier,sent cách nhau bằng khoảng trắng",
        "sender,identifier,sent with white space between them",
    ),
    "cap-scope": ("Public (cho mọi người)", "Public"),
    "cap-status": ("Actual, Exercise hoặc Test", "Actual, Exercise or Test"),
    "form": ("các khóa của một mẫu cảnh báo", "the keys of an alert's template"),
    "headline": ("tiêu đề, tối đa {most} ký tự", "a headline of at most {most} characters"),
    "moment": (
        "ngày giờ kèm múi giờ, như 2026-12-01T05:00:00+07:00",
        "a date and time with its offset, such as 2026-12-01T05:00:00+07:00",
    ),
    "no-doctype": ("XML không có DOCTYPE", "XML without a DOCTYPE"),
    "own-language": ("mỗi ngôn ngữ một mục", "one item a language"),
    "readable-file": ("một tệp cảnh báo đọc được", "an alert's file that can be read"),
    "repeat": ("0 (một lần), hoặc từ {least} đến {most} giây", "0 (once), or {least} to {most} seconds"),
    "signature": ("một chữ ký còn khớp", "a signature that holds"),
    "spoken": ("lời sẽ đọc, tối đa {most} ký tự", "text to be spoken, at most {most} characters"),
    "voice": ("tiếng mà espeak-ng đọc được, như vi", "a language that espeak-ng speaks, such as vi"),
    "xml": ("XML đúng, không lồng quá 255 lớp", "sound XML, nested at most 255 deep"),
    "whole-minutes": (
        "số phút nguyên từ {least} đến {most}",
        "a whole number of minutes from {least} to {most}",
    ),
}

MENDS: config.Words = {
    **config.MENDS,
    "add-section": ("thêm nhóm {name}:, theo mẫu alerts/templates", "add the section {name}:, as templates have it"),
    "give-file": ("chỉ tới một tệp .yaml, hoặc tên một mẫu", "point to a .yaml, or name a template"),
    "make-file": (
        "chép một mẫu trong alerts/templates rồi sửa",
        "copy a template from alerts/templates and fit it",
    ),
    "convert-cap": (
        "xin bên gửi bản CAP 1.2, hoặc dùng một mẫu",
        "ask its author for CAP 1.2, or use a template",
    ),
    "delete-doctype": ("xin lại tệp; CAP không cần DOCTYPE", "ask for the file again; CAP needs no DOCTYPE"),
    "get-again": (
        "xin lại tệp từ bên gửi; gấp thì dùng một mẫu",
        "get the file from its author again; in haste use a template",
    ),
    "leave-it": ("đừng phát; cần thì dùng một mẫu", "do not send it; if it must be, use a template"),
    "mend-cap": ("sửa tệp, hoặc dùng một mẫu", "mend the file, or use a template"),
    "save-xml": ("xin lại tệp, hoặc dùng một mẫu", "ask for the file again, or use a template"),
    "other-audio": ("dùng bản thu khác", "use another recording"),
    "other-language": ("xóa một trong hai", "delete one of the two"),
    "put-file": ("đặt tệp vào đó, hoặc sửa đường dẫn", "put the file there, or correct the path"),
    "record-it": (
        "thu âm và dùng --audio {found}=TỆP, hoặc bỏ --speak",
        "record it and give --audio {found}=FILE, or leave --speak out",
    ),
    "write-moment": ("viết như 2026-12-01T05:00:00+07:00", "write it as 2026-12-01T05:00:00+07:00"),
}

TABLES: tuple[config.Words, config.Words, config.Words] = (PROBLEMS, EXPECTED, MENDS)
"""The words of what is wrong with an alert's file."""

Told = tuple[tuple[str, str], tuple[str, str]]

ERRORS: dict[str, Told] = {
    "alert-blanks": (
        ("Mẫu còn chỗ trống: {names}", "The template has blanks: {names}"),
        ("Điền từng chỗ: --set {first}=...", "Fill each of them: --set {first}=..."),
    ),
    "alert-cancelled": (
        ("Cảnh báo {id} của {scope} đã bị hủy", "The alert {id} of {scope} was cancelled"),
        ("Gửi cảnh báo mới, không dùng --update", "Send a new alert, without --update"),
    ),
    "alert-exists": (
        ("Đã có cảnh báo {id} cho {scope}", "There is an alert {id} for {scope} already"),
        ("Dùng --update {id} để sửa, hoặc đặt --id khác", "Use --update {id} to change it, or give another --id"),
    ),
    "alert-over": (
        ("Cảnh báo {id} hết hạn lúc {expires}", "The alert {id} ends at {expires}"),
        ("Gửi cảnh báo mới, hoặc thêm --expires-in PHÚT", "Send a new alert, or add --expires-in MINUTES"),
    ),
    "alert-overtaken": (
        (
            "Chưa gửi gì: có người vừa gửi cảnh báo {id} phiên bản {version}",
            "Nothing was sent: somebody has just sent version {version} of the alert {id}",
        ),
        ("Chạy lại để xem bản mới", "Run it again to see what holds now"),
    ),
    "bad-alert-file": (
        ("Cảnh báo: {count} chỗ sai; chưa gửi gì", "The alert: {count} wrong; nothing was sent"),
        ("Sửa những chỗ trên, rồi chạy lại", "Mend those above, then run it again"),
    ),
    "bad-alert-id": (
        ("Mã cảnh báo sai: {found}", "This is no id of an alert: {found}"),
        (
            "Dùng chữ cái không dấu, chữ số, . _ - (tối đa 64), và không phải programme, beacon hay trust",
            "Use unaccented letters, digits, . _ - (at most 64), and none of programme, beacon, trust",
        ),
    ),
    "long-text": (
        (
            "Mục {name} tiếng {language} dài {chars} ký tự, cần từ 1 đến {most}",
            "The {name} in {language} has {chars} characters, it must have 1 to {most}",
        ),
        ("Viết ngắn lại: --{name} {language}=...", "Write it shorter: --{name} {language}=..."),
    ),
    "no-alert": (
        ("Không có cảnh báo {id} cho {scope}", "There is no alert {id} for {scope}"),
        ("Xem lại mã và --scope. Còn hiệu lực: {known}", "Look at the id and at --scope. In force: {known}"),
    ),
    "no-expiry": (
        ("{file} không nói khi nào hết hạn", "{file} does not say when it ends"),
        ("Thêm --expires-in PHÚT", "Add --expires-in MINUTES"),
    ),
    "no-recording": (
        ("Không có bản thu {file}", "There is no recording {file}"),
        ("Sửa --audio", "Correct --audio"),
    ),
    "no-template": (
        ("Không có mẫu {found}; có: {names}", "There is no template {found}; there are: {names}"),
        (
            "Có phải {guess}? Tệp thì viết cả đuôi: .yaml, hoặc .xml cho CAP",
            "Did you mean {guess}? Of a file write the ending too: .yaml, or .xml for CAP",
        ),
    ),
    "no-what": (
        ("Chưa nói phát cảnh báo gì; có các mẫu: {names}", "It is not said which alert; there are: {names}"),
        (
            "Thêm tên mẫu, tệp .yaml hoặc CAP .xml; diễn tập thì --drill",
            "Add a template's name, a .yaml, or a CAP .xml; for a drill, --drill",
        ),
    ),
    "nobody-to-ask": (
        ("Chưa gửi gì: không có ai để hỏi lại", "Nothing was sent: there is nobody to ask"),
        ("Chạy trên terminal, hoặc thêm --yes", "Run it on a terminal, or add --yes"),
    ),
    "not-confirmed": (
        ("Chưa gửi gì", "Nothing was sent"),
        ("Trả lời c (có) để gửi", "Answer y (yes) to send it"),
    ),
    "two-alerts": (
        ("Có cảnh báo {id} ở nhiều địa bàn: {scopes}", "There is an alert {id} in several scopes: {scopes}"),
        ("Thêm --scope", "Add --scope"),
    ),
    "unknown-blank": (
        ("Mẫu không có chỗ trống {names}; có: {wanted}", "The template has no blank {names}; it has: {wanted}"),
        ("Sửa --set", "Correct --set"),
    ),
    "unknown-references": (
        (
            "{file} nối tiếp một cảnh báo mà trung tâm này không có",
            "{file} follows an alert that this centre does not have",
        ),
        (
            "Nếu biết mã: --update MÃ hoặc --cancel MÃ",
            "If you know its id: --update ID or --cancel ID",
        ),
    ),
    "wrong-sender": (
        (
            "Cảnh báo {id} là của {expected}, không phải của {found}",
            "The alert {id} is that of {expected}, not of {found}",
        ),
        (
            "Trạm chỉ nghe người đã phát cảnh báo đó: gửi một cảnh báo mới",
            "Stations heed only who sent the alert: send a new one",
        ),
    ),
}
"""What the command can fail with, and what mends it."""

HELP = {
    "alert": ("phát cảnh báo khẩn cấp", "send an emergency alert"),
    "help-what": (
        "tên mẫu trong alerts/templates, tệp .yaml, hoặc CAP .xml",
        "a template of alerts/templates, a .yaml, or a CAP .xml",
    ),
    "help-update": ("thay nội dung cảnh báo này", "replace what this alert says"),
    "help-cancel": ("hủy cảnh báo này", "cancel this alert"),
    "help-alert-id": ("mã cảnh báo mới (mặc định: tự đặt)", "the id of the new alert (default: one is made)"),
    "help-drill": ("diễn tập (mặc định: mẫu dien-tap)", "an exercise (default: the template dien-tap)"),
    "help-alert-scope": (
        "phát cho địa bàn này (mặc định: theo mẫu, hoặc cả trung tâm)",
        "the place it is for (default: the template's, or the centre's)",
    ),
    "help-zones": ("chỉ những cụm loa này (mặc định: tất cả)", "these zones only (default: all)"),
    "help-alert-set": ("điền chỗ trống của mẫu", "fill a blank of the template in"),
    "help-alert-headline": (
        "tiêu đề; mỗi tiếng một lần, như kpm=...",
        "the headline; once a language, such as kpm=...",
    ),
    "help-alert-description": ("chuyện gì", "what happens"),
    "help-alert-instruction": ("bà con phải làm gì", "what people should do"),
    "help-alert-audio": ("bản thu của tiếng đó", "a recording in that language"),
    "help-alert-speak": (
        "máy này đọc (espeak-ng) thay cho trạm",
        "have this machine speak (espeak-ng), not the stations",
    ),
    "help-alert-status": ("thật, diễn tập hay thử", "real, a drill or a test"),
    "help-alert-severity": ("mức độ; chọn cả âm báo", "how bad; it chooses the tone too"),
    "help-alert-urgency": ("gấp đến đâu", "how soon to act"),
    "help-alert-certainty": ("chắc đến đâu", "how sure"),
    "help-alert-expires-in": ("hết hạn sau bao nhiêu phút", "for how many minutes it holds"),
    "help-alert-repeat": ("phát lại sau mỗi N giây; 0: một lần", "again every N seconds; 0: once"),
    "help-alert-tell-cancel": ("khi hủy có báo trên loa không", "whether a cancellation is told aloud"),
    "help-yes": ("không hỏi lại", "do not ask"),
    "help-alert-dry-run": ("xem sẽ phát gì, không gửi", "show what would be heard, send nothing"),
    "help-alert-json": ("mỗi trạm thay đổi một dòng JSON", "one line of JSON for each station that changes"),
    "help-alert-wait": (
        "chờ các trạm bao nhiêu giây (mặc định: theo độ dài)",
        "for how many seconds to wait for stations (default: by its length)",
    ),
    "bad-text": (
        "{option}: {found} không dùng được, cần chữ thường, từ 1 đến {most} ký tự",
        "{option}: {found} will not do, give plain text of 1 to {most} characters",
    ),
    "bad-name-text": (
        "{option}: {found} không dùng được, viết tên=lời, như noi=...",
        "{option}: {found} will not do, write name=text, such as noi=...",
    ),
    "bad-repeat": (
        "{option}: {found} không dùng được, cần 0 (một lần) hoặc từ {least} đến {most}",
        "{option}: {found} will not do, give 0 (once) or a number from {least} to {most}",
    ),
    "bad-zones": (
        "{option}: {found} không dùng được, viết mã cụm loa, cách nhau bằng dấu phẩy",
        "{option}: {found} will not do, write ids of zones with commas between them",
    ),
    "given-twice": ("{option}: ghi hai lần cho {name}", "{option}: given twice for {name}"),
}

TOLD = {
    # -- before it is sent
    "alert-status.Actual": ("CẢNH BÁO THẬT: {headline}", "REAL ALERT: {headline}"),
    "alert-status.Exercise": ("DIỄN TẬP: {headline}", "EXERCISE: {headline}"),
    "alert-status.Test": ("PHÁT THỬ: {headline}", "TEST: {headline}"),
    "alert-kind.Alert": ("cảnh báo mới", "a new alert,"),
    "alert-kind.Update": ("sửa cảnh báo", "an update of"),
    "alert-kind.Cancel": ("HỦY cảnh báo", "CANCELS"),
    "alert-row.message": ("Tin", "Message"),
    "alert-row.where": ("Địa bàn", "Where"),
    "alert-row.zones": ("Cụm loa", "Zones"),
    "alert-row.tone": ("Âm báo", "Tone"),
    "alert-row.heard": ("Phát", "Heard"),
    "alert-row.drill": ("Nhắc", "Told"),
    "alert-around": (
        "trạm nói trước và sau rằng đây không phải tình huống thật",
        "stations say before and after it that it is no real emergency",
    ),
    "alert-stations": ("{count} trạm", "{count} stations"),
    "alert-stations-away": ("{count} trạm, {away} không nối", "{count} stations, {away} of them away"),
    "alert-all-zones": ("tất cả", "all"),
    "alert-silence": ("không báo trên loa, chỉ ngừng phát", "nothing is told aloud, it only stops"),
    "alert-tone.yelp": ("hú dồn, 5 giây", "yelp, 5 s"),
    "alert-tone.wail": ("hú dài, 5 giây", "wail, 5 s"),
    "alert-tone.gong": ("chuông ba tiếng, 5 giây", "gong, 5 s"),
    "alert-at-once": ("ngay", "at once"),
    "alert-from": ("từ {time}", "from {time}"),
    "alert-once": ("{begin}, một lần, trước {until}", "{begin}, once, before {until}"),
    "alert-repeated": ("{begin}, lặp lại mỗi {every} đến {until}", "{begin}, again every {every} until {until}"),
    "alert-inside": ("thu sẵn {length}, gửi kèm ({kilobytes} kB)", "recorded {length}, inside it ({kilobytes} kB)"),
    "alert-fetched": ("thu sẵn {length}, trạm tải về ({kilobytes} kB)", "recorded {length}, fetched ({kilobytes} kB)"),
    "alert-spoken": ("trạm tự đọc", "spoken by the stations"),
    "alert-no-voice": (
        "KHÔNG CÓ BẢN THU: không máy nào đọc được tiếng này",
        "NO RECORDING: no machine speaks this language",
    ),
    "alert-by-zone": (
        "Mỗi cụm loa nghe những tiếng của mình; cụm không có tiếng nào ở trên thì nghe {first}",
        "Each zone hears those of its languages; one that has none of them hears {first}",
    ),
    "alert-cancel-headline": ("Đã hủy: {headline}", "Cancelled: {headline}"),
    "alert-ask": ("Gửi đi? [c/K]", "Send it? [y/N]"),
    "alert-ask-blank": ("Điền {name}:", "Fill in {name}:"),
    "cap-lost": ("Về tệp CAP", "Of the CAP file"),
    "cap.area": (
        "vùng: {area} (phát ở đâu là do --scope)",
        "area: {area} (where it is heard, --scope says)",
    ),
    "cap.audio": ("không lấy được bản thu {uri}: {reason}", "the recording {uri} cannot be had: {reason}"),
    "cap.differs": ("{name} không giống nhau: lấy {taken}", "{name} is not the same everywhere: {taken} is taken"),
    "cap.language": ("tiếng {found} coi là {language}", "the language {found} is taken for {language}"),
    "cap.name": ("tên {found} viết thành {taken}", "the name {found} is written {taken}"),
    "cap.resource": ("không phát: {description} ({mime})", "not heard: {description} ({mime})"),
    "cap.same-language": (
        "có nhiều đoạn tiếng {language}: chỉ phát đoạn đầu",
        "there is more than one text in {language}: only the first is heard",
    ),
    "cap.signed": (
        "chữ ký XML khớp; chữ ký của ai thì phải tự xem",
        "the XML signature holds; whose it is, look yourself",
    ),
    "cap.unheard": ("không phát {name}: {found}", "not heard, {name}: {found}"),
    "cap.unsigned": ("không có chữ ký XML", "there is no XML signature"),
    # -- the count
    "alert-sent": ("Đã gửi {id} phiên bản {version}", "Sent {id} version {version}"),
    "alert-to-cancel": ("Hủy thì dùng: --cancel {id}", "To cancel it: --cancel {id}"),
    "alert-delivered": ("đã nhận {count}", "delivered {count}"),
    "alert-state.missing": ("chưa trả lời", "missing"),
    "alert-state.accepted": ("đã nhận", "delivered"),
    "alert-state.on-air": ("đang phát", "on the air"),
    "alert-state.heard": ("đã phát", "heard"),
    "alert-state.failed": ("KHÔNG PHÁT ĐƯỢC", "FAILED"),
    "alert-state.refused": ("TỪ CHỐI", "REFUSED"),
    "alert-state.not-meant": ("không có cụm loa này", "has no such zone"),
    "alert-link.online": ("trạm đang nối", "it is connected"),
    "alert-link.offline": ("trạm mất liên lạc", "it is lost"),
    "alert-link.stopped": ("trạm đã tắt", "it is stopped"),
    "alert-link.unknown": ("máy chủ chưa thấy trạm này", "the broker has never heard of it"),
    "alert-part.tone": ("âm báo", "tone"),
    "alert-part.before": ("lời báo trước diễn tập ({language})", "announcement before the drill ({language})"),
    "alert-part.after": ("lời báo sau diễn tập ({language})", "announcement after the drill ({language})"),
    "alert-more": ("và {count} trạm nữa", "and {count} more"),
    "alert-good": ("Xong: cả {count} trạm", "Done: all {count} stations"),
    "alert-bad": ("{bad} trên {count} trạm chưa xong", "{bad} of {count} stations lack it"),
    "alert-nobody": (
        "Không biết trạm nào ở địa bàn này: không ai trả lời",
        "No station of this place is known, and none answered",
    ),
    "alert-told": ("cảnh báo {id}: {state}", "alert {id}: {state}"),
    "alert-slot": ("cảnh báo {id}", "alert {id}"),
    "live-slot": ("tiếp sóng {id}", "live relay {id}"),
    "stream-slot": ("luồng phát của {id}", "the stream of {id}"),
    "microphone-slot": ("micrô tại trạm", "the station's microphone"),
}

MESSAGES: dict[str, tuple[str, str]] = {
    **{f"error.{code}": pair for code, (pair, _) in ERRORS.items()},
    **{f"error.{code}.mend": pair for code, (_, pair) in ERRORS.items()},
    **HELP,
    **TOLD,
}
