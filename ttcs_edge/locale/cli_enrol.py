"""The words of ``ttcs-edge enrol``; ``locale.cli`` says them under its own name."""

from __future__ import annotations

_UNUSABLE = (
    "Xin trung tâm cấp lại: ttcs-central enrol ... --again, rồi chạy lại lệnh này",
    "Have the centre do it once more: ttcs-central enrol ... --again, then run this again",
)

ERRORS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "answer-unproven": (
        (
            "Câu trả lời không đúng mã này: không phải của trung tâm, hoặc mã đã khác",
            "The answer does not know this code: it is not the centre's, or the code is another",
        ),
        (
            "Chưa có gì thay đổi. Xin trung tâm một mã mới, rồi chạy lại; nếu vẫn vậy, dùng USB",
            "Nothing was changed. Ask the centre for a new code, then run this again; if it stays so, use a stick",
        ),
    ),
    "bad-broker": (
        ("Không hiểu địa chỉ {error}", "The address {error} is not understood"),
        (
            "Ghi như: mqtt.lam-dong.vn, hoặc mqtt.lam-dong.vn:8884",
            "Write it like: mqtt.lam-dong.vn, or mqtt.lam-dong.vn:8884",
        ),
    ),
    "bad-code": (
        ("Mã gõ sai, hoặc thiếu", "The code is mistyped, or lacking"),
        ("Nghe đọc lại từng nhóm 4 ký tự, như 7K3M-9QXT-...", "Have it read once more, four at a time: 7K3M-9QXT-..."),
    ),
    "bad-config": (
        (
            "Cấu hình trung tâm gửi, hoặc {path}, không dùng được: {error}",
            "What the centre sent as config, or {path}, cannot be used: {error}",
        ),
        (
            "Xem ttcs-edge check-config; nếu tệp ở đây đúng, xin trung tâm xem lại tệp station.yaml của trạm",
            "See ttcs-edge check-config; if the file here is right, the centre must look at its station.yaml",
        ),
    ),
    "bad-key": (
        ("Khóa đang chờ bị hỏng: {error}", "The key that waits is damaged: {error}"),
        (
            "Xóa thư mục đó, rồi xin mã mới và chạy lại",
            "Delete that folder, then ask for a new code and run this again",
        ),
    ),
    "bad-trust": (
        (
            "Khóa gốc trung tâm gửi không đọc được: {error}",
            "The trust root that the centre sent cannot be read: {error}",
        ),
        _UNUSABLE,
    ),
    "broker-unreachable": (
        ("Không nối được {path}: {error}", "{path} cannot be reached: {error}"),
        (
            "Xem mạng và địa chỉ; không có mạng thì dùng USB: ttcs-edge enrol --to /media/usb",
            "Look at the network and the address; without a network use a stick: ttcs-edge enrol --to /media/usb",
        ),
    ),
    "certificate-of-another-authority": (
        ("Chứng chỉ gửi đến không phải do CA gửi kèm cấp", "The certificate is not of the authority that came with it"),
        _UNUSABLE,
    ),
    "certificate-of-another-key": (
        ("Chứng chỉ gửi đến là của khóa khác", "The certificate is of another key"),
        _UNUSABLE,
    ),
    "certificate-of-another-name": (
        ("Chứng chỉ gửi đến mang tên khác", "The certificate has another name"),
        _UNUSABLE,
    ),
    "certificate-unreadable": (("Chứng chỉ gửi đến không đọc được", "The certificate cannot be read"), _UNUSABLE),
    "config-elsewhere": (
        (
            "Không tự sửa được {path}; tệp này chưa bị đụng đến",
            "{path} cannot be changed by this command, and was not touched",
        ),
        (
            "Ghi vào đó, rồi chạy lại lệnh này:\n{error}",
            "Write this into it, then run this again:\n{error}",
        ),
    ),
    "enrolled-already": (
        ("Máy này đã có chứng chỉ ({path})", "This box has a certificate already ({path})"),
        (
            "Muốn thay khóa và chứng chỉ: thêm --again, cả ở trung tâm",
            "To replace key and certificate: add --again, at the centre too",
        ),
    ),
    "no-answer": (
        ("Trung tâm không trả lời trong {seconds} giây", "The centre did not answer in {seconds} s"),
        (
            'Hỏi người ở trung tâm: mã còn hạn không, đã trả lời "có" chưa; rồi chạy lại',
            "Ask the person there: is the code still good, was the answer yes; then run this again",
        ),
    ),
    "no-answer-file": (
        ("Không có câu trả lời cho máy này: {path}", "There is no answer for this box: {path}"),
        (
            "Tại trung tâm: ttcs-central enrol ... --from USB, rồi mang USB đến",
            "At the centre: ttcs-central enrol ... --from STICK, then bring the stick",
        ),
    ),
    "no-broker": (
        ("Thiếu địa chỉ máy chủ MQTT của tỉnh", "The address of the province's broker is lacking"),
        (
            "Chạy: sudo ttcs-edge enrol mqtt.lam-dong.vn; không có mạng: sudo ttcs-edge enrol --to /media/usb",
            "Run: sudo ttcs-edge enrol mqtt.lam-dong.vn; without a network: sudo ttcs-edge enrol --to /media/usb",
        ),
    ),
    "no-stick": (
        ("Không có thư mục {path}", "There is no folder {path}"),
        ("Cắm USB, xem nó nằm ở đâu: lsblk", "Plug the stick in, and see where it is: lsblk"),
    ),
    "not-root": (("Không có quyền ghi {path}", "You may not write {path}"), ("Chạy với sudo", "Run it with sudo")),
    "not-sealed": (
        ("Chip TPM không cất được khóa: {error}", "The TPM does not keep the key: {error}"),
        (
            "sudo apt install tpm2-tools, rồi thử lại; vẫn vậy: tắt TPM (config.txt, phần sụn), khóa nằm trên thẻ nhớ",
            "sudo apt install tpm2-tools, then again; no better: switch it off (config.txt), the key lies on the card",
        ),
    ),
    "nothing-asked": (
        ("Máy này chưa xin gì bằng USB", "This box has asked for nothing by stick"),
        ("Chạy trước: sudo ttcs-edge enrol --to USB", "Run before: sudo ttcs-edge enrol --to STICK"),
    ),
}

MESSAGES: dict[str, tuple[str, str]] = {
    **{f"error.{code}": pair for code, (pair, _) in ERRORS.items()},
    **{f"error.{code}.mend": pair for code, (_, pair) in ERRORS.items()},
    "enrol": ("xin chứng chỉ của trung tâm, bằng mã dùng một lần", "get the centre's certificate, by a one-time code"),
    "help-broker": ("máy chủ MQTT của tỉnh, tên hoặc địa chỉ[:cổng]", "the province's broker, HOST[:PORT]"),
    "help-to": ("không có mạng: ghi yêu cầu ra USB", "without a network: put the request on a stick"),
    "help-from": ("nhập câu trả lời từ USB", "take the answer from a stick"),
    "help-again": ("thay chứng chỉ đang có", "replace the certificate that is there"),
    "help-config-enrol": (
        "station.yaml của máy này (mặc định: %(default)s)",
        "the station.yaml of this box (default: %(default)s)",
    ),
    "enrol-code": ("Mã mà trung tâm đọc cho bạn:", "The code that the centre reads to you:"),
    "enrol-mistyped": ("Gõ sai, xin nghe đọc lại.", "It is mistyped; have it read once more."),
    "enrol-fingerprint": (
        "Dấu khóa của máy này: {fingerprint}\nĐọc cho người ở trung tâm so.",
        "Fingerprint of this box's key: {fingerprint}\nRead it to the person at the centre, who compares.",
    ),
    "enrol-wait": (
        "Đã gửi; chờ trung tâm trả lời, nhiều nhất {minutes} phút...",
        "Sent; waiting for the centre, {minutes} minutes at most...",
    ),
    "enrol-not-told": (
        "Không báo lại được cho trung tâm; hãy nói với người ở đó là đã nhận.",
        "The centre could not be told; tell the person there that it arrived.",
    ),
    "enrol-to-stick": (
        "Yêu cầu: {file}\nMang USB về trung tâm; khi USB trở lại: sudo ttcs-edge enrol --from USB (cần lại mã này)",
        "The request: {file}\nTake the stick to the centre; when it is back: sudo ttcs-edge enrol --from STICK"
        " (with this code once more)",
    ),
    "enrolled": ("Máy này là trạm {id}, địa bàn {scope}", "This box is station {id} of {scope}"),
    "enrol-next": (
        "Sửa zones, amplifier và sound trong {config} theo dây thật, rồi: ttcs-edge check-config\n"
        "Chạy: systemctl enable ttcs-edge, rồi systemctl restart ttcs-edge-key ttcs-edge",
        "Fit zones, amplifier and sound in {config} to the wires, then: ttcs-edge check-config\n"
        "Start it: systemctl enable ttcs-edge, then systemctl restart ttcs-edge-key ttcs-edge",
    ),
}
