"""The words of ``ttcs-central broker-config`` and ``revoke``; ``locale.central`` says them under its own name."""

from __future__ import annotations

ERRORS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "bad-place": (
        ("Không phải đường dẫn tuyệt đối: {found}", "This is no absolute path: {found}"),
        (
            "Ghi thư mục mà máy chủ MQTT đọc, ví dụ: --at /etc/mosquitto/conf.d",
            "Give the folder that the broker reads, such as: --at /etc/mosquitto/conf.d",
        ),
    ),
    "no-scope": (
        ("Không rõ trạm {id} thuộc địa bàn nào của trung tâm", "The centre does not know the scope of station {id}"),
        (
            "Ghi địa bàn của trạm vào {file}, như vn/lam-dong/da-teh",
            "Write its scope into {file}, such as vn/lam-dong/da-teh",
        ),
    ),
    "no-server-certificate": (
        ("Chưa có chứng chỉ cho máy chủ {host}", "There is no certificate for the server {host}"),
        (
            "Chạy: ttcs-central server-certificate {folder} {host}",
            "Run: ttcs-central server-certificate {folder} {host}",
        ),
    ),
    "no-station": (
        ("Trong {folder} không có trạm {id}", "There is no station {id} in {folder}"),
        ("Xem mã của các trạm: ls {folder}", "See the ids of the stations: ls {folder}"),
    ),
    "not-ours": (
        (
            "{file} không phải do broker-config của trung tâm này ghi, không ghi đè",
            "{file} was not written by broker-config of this centre; it is not replaced",
        ),
        ("Đổi chỗ tệp đó, hoặc dùng --force", "Move it away, or use --force"),
    ),
}

HELP = {
    "broker-config": (
        "ghi cấu hình và quyền cho máy chủ MQTT",
        "write the broker's configuration and access rules",
    ),
    "revoke": ("thu hồi chứng chỉ của một trạm", "take a station's certificate back"),
    "help-revoke-id": ("mã của trạm bị mất hoặc thôi dùng", "the id of a station that is lost or given up"),
    "help-out": (
        "ghi vào đâu (mặc định: thư mục broker của trung tâm)",
        "where to write (default: broker in the centre's folder)",
    ),
    "help-at": (
        "nơi máy chủ MQTT đọc các tệp này (mặc định: %(default)s)",
        "where the broker reads these files (default: %(default)s)",
    ),
    "help-force": ("ghi đè cả tệp không phải do lệnh này ghi", "replace also what this command did not write"),
}

TOLD = {
    "let-in": (
        "Để máy chủ MQTT nhận trạm này: ttcs-central broker-config {folder}",
        "To have the broker let it speak: ttcs-central broker-config {folder}",
    ),
    "revoked": (
        "Đã thu hồi chứng chỉ {serial} của trạm {id}; mã này có thể cấp lại cho máy khác",
        "Took back certificate {serial} of station {id}; its id may be given to another machine",
    ),
    "shut-out": (
        "Máy chủ MQTT còn nhận chứng chỉ đó cho đến khi chạy: ttcs-central broker-config {folder}",
        "The broker still takes that certificate until you run: ttcs-central broker-config {folder}",
    ),
    "rules-made": (
        "Đã ghi cấu hình và quyền của {count} trạm vào {folder}",
        "Wrote the configuration and the rights of {count} stations into {folder}",
    ),
    "rules-command": (
        "Rồi trên máy chủ MQTT, với quyền root: {command}",
        "Then on the broker's machine, as root: {command}",
    ),
}

MESSAGES: dict[str, tuple[str, str]] = {**HELP, **TOLD}
