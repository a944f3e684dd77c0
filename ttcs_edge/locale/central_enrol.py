"""The words of ``ttcs-central enrol`` and ``renew``; ``locale.central`` says them under its own name."""

from __future__ import annotations

ERRORS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "code-guessed": (
        (
            "Có {count} yêu cầu không đúng mã: có người đang đoán, mã này đã hủy",
            "{count} requests had another code: somebody is guessing, so this code is dead",
        ),
        (
            "Chạy lại lệnh này để có mã mới; nếu vẫn vậy, cấp qua USB: --by-stick",
            "Run this again for a new code; if it goes on, use a stick: --by-stick",
        ),
    ),
    "code-known-to-two": (
        (
            "Hai máy cùng biết mã này, chưa cấp gì cho máy nào",
            "Two machines know this code; nothing was given to either",
        ),
        (
            "Có người nghe được mã. Gọi bằng đường khác, rồi chạy lại lệnh này để có mã mới",
            "Somebody overheard it. Call another way, then run this again for a new code",
        ),
    ),
    "code-over": (
        ("Mã của trạm {id} đã hết hạn", "The code of station {id} is too old"),
        (
            "Cấp mã mới: ttcs-central enrol {folder} {id} --by-stick",
            "Give a new one: ttcs-central enrol {folder} {id} --by-stick",
        ),
    ),
    "enrolled-already": (
        ("Trạm {id} đã có chứng chỉ", "Station {id} has a certificate already"),
        (
            "Nếu máy này thay máy cũ, hoặc khóa cũ đã mất: thêm --again (chứng chỉ cũ sẽ bị thu hồi)",
            "If this box replaces it, or its key is lost: add --again (the old certificate is taken back)",
        ),
    ),
    "no-code": (
        ("Trạm {id} chưa được cấp mã để dùng với USB", "Station {id} was given no code for a stick"),
        (
            "Chạy trước: ttcs-central enrol {folder} {id} --by-stick",
            "Run before: ttcs-central enrol {folder} {id} --by-stick",
        ),
    ),
    "no-door": (
        (
            "Trung tâm này không cấp chứng chỉ qua mạng (enrol_port: 0)",
            "This centre enrols by stick only (enrol_port: 0)",
        ),
        (
            "Dùng --by-stick; hoặc ghi enrol_port: 8884 vào {file}, rồi chạy broker-config",
            "Use --by-stick; or write enrol_port: 8884 into {file}, then run broker-config",
        ),
    ),
    "no-request": (
        (
            "Trên {path} không có yêu cầu nào đúng mã của trạm này",
            "There is no request on {path} that knows the code of this station",
        ),
        (
            "Tại trạm: ttcs-edge enrol --to USB, với đúng mã này; rồi mang USB về",
            "At the station: ttcs-edge enrol --to STICK, with this very code; then bring the stick",
        ),
    ),
    "nobody-asked": (
        ("Không trạm nào dùng mã này trong thời hạn", "No station used the code in its time"),
        (
            "Xem mạng của trạm và cổng của máy chủ, rồi chạy lại để có mã mới; hoặc dùng --by-stick",
            "Look at the station's network and the broker's port, run this again for a new code; or use --by-stick",
        ),
    ),
    "not-received": (
        (
            "Đã cấp chứng chỉ, nhưng trạm {id} chưa báo là đã nhận",
            "The certificate was made, but station {id} did not say that it has it",
        ),
        (
            "Hỏi người ở trạm. Nếu chưa có: chạy lại lệnh này với --again, trạm cũng chạy lại ttcs-edge enrol",
            "Ask the person there. If it has not: run this again with --again, and ttcs-edge enrol there again",
        ),
    ),
}

HELP = {
    "enrol": ("cấp chứng chỉ cho một trạm, bằng mã dùng một lần", "give a station its certificate, by a one-time code"),
    "renew": ("gia hạn chứng chỉ cho các trạm đang xin", "renew the certificates of stations that ask"),
    "help-enrol-id": ("mã của trạm, đã thêm bằng add-station", "the station's id, as add-station knows it"),
    "help-minutes": (
        "mã dùng được mấy phút (mặc định: %(default)s)",
        "minutes that the code counts (default: %(default)s)",
    ),
    "help-again": ("thay chứng chỉ cũ của trạm, và thu hồi nó", "replace the station's certificate, and take it back"),
    "help-by-stick": (
        "trạm không có mạng: cấp mã dùng với USB, 14 ngày",
        "no network there: a code for a stick, 14 days",
    ),
    "help-from": (
        "USB có yêu cầu của trạm; câu trả lời ghi vào đó",
        "the stick with its request; the answer goes there",
    ),
    "help-renew-keep": ("chạy mãi, gia hạn khi trạm xin", "run for ever, and renew when a station asks"),
}

TOLD = {
    "enrol-code": ("Mã dùng một lần: {code}", "One-time code: {code}"),
    "enrol-wait": (
        "Đọc mã cho người ở trạm, người đó chạy: sudo ttcs-edge enrol {broker}\nĐang chờ, nhiều nhất {minutes} phút...",
        "Read it to the person at the station, who runs: sudo ttcs-edge enrol {broker}\nWaiting, {minutes} minutes at"
        " most...",
    ),
    "enrol-stick": (
        "Mã dùng được {days} ngày. Tại trạm: sudo ttcs-edge enrol --to USB\n"
        "Khi USB về: ttcs-central enrol {folder} {id} --from USB",
        "It counts for {days} days. At the station: sudo ttcs-edge enrol --to STICK\n"
        "When the stick is back: ttcs-central enrol {folder} {id} --from STICK",
    ),
    "enrol-fingerprint": ("Dấu khóa của trạm: {fingerprint}", "Fingerprint of the station's key: {fingerprint}"),
    "enrol-ask": (
        "Người ở trạm có đọc đúng dấu này không? Cấp chứng chỉ cho trạm {id}? (c/k)",
        "Does the person there read the same? Certify it as station {id}? (y/n)",
    ),
    "enrol-answered": (
        "Câu trả lời: {file}\nMang USB tới trạm, rồi chạy ở đó: sudo ttcs-edge enrol --from USB",
        "The answer: {file}\nTake the stick to the station, and run there: sudo ttcs-edge enrol --from STICK",
    ),
    "enrolled": ("Trạm {id} đã có chứng chỉ", "Station {id} has its certificate"),
    "renewed": ("Đã gia hạn cho trạm {id} đến {date}", "Renewed station {id} until {date}"),
    "renewed-before": (
        "Gửi lại cho trạm {id} chứng chỉ đến {date}",
        "Sent station {id} its certificate until {date} again",
    ),
    "renewal-refused": ("Không gia hạn cho trạm {id}: {reason}", "Station {id} is not renewed: {reason}"),
    "renewal-refused.no-station": (
        "trung tâm không có trạm này, hoặc đã thu hồi",
        "no such station, or it was revoked",
    ),
    "renewal-refused.other-key": (
        "yêu cầu không phải của khóa đã cấp",
        "it asks with a key that is not the certified one",
    ),
    "renewal-refused.other-name": ("yêu cầu mang tên trạm khác", "it asks under another name"),
    "renewal-refused.unreadable": ("yêu cầu hỏng", "the request is damaged"),
    "renewal-refused.broken": ("không đọc hay ghi được tệp của trung tâm", "a file of the centre's cannot be used"),
    "renewed-none": ("Không trạm nào xin gia hạn", "No station asks to be renewed"),
}

MESSAGES: dict[str, tuple[str, str]] = {**HELP, **TOLD}
