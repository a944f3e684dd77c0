"""What is wrong with a configuration file, what was expected, and what mends it.

Three tables, because the three vary apart: the same bad pin may be out of range or a word, and the same mend may serve
both. ``found`` (as written in the file) and ``name`` (the last part of the key) may be used by any message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from ttcs_edge.locale import LANGUAGES, Language

Words: TypeAlias = Mapping[str, tuple[str, str]]
"""Codes and their words, each as (Vietnamese, English)."""

PROBLEMS = {
    "alias": ("Tệp dùng bí danh (*) của YAML", "The file uses a YAML alias (*)"),
    "certificate-expired": ("Chứng chỉ đã hết hạn ngày {date}", "The certificate expired on {date}"),
    "contact-without-pin": (
        "Tiếp điểm báo về của một rơ-le không ở máy này",
        "A read-back contact of a relay that is not at this machine",
    ),
    "below-without-battery": (
        "below_percent chỉ dùng với when: battery",
        "below_percent is for when: battery alone",
    ),
    "control-character": ("Có ký tự điều khiển vô hình", "There is an invisible control character"),
    "device-closed": ("Trạm không có quyền dùng thiết bị này", "The station may not use this device"),
    "device-missing": ("Không có thiết bị này", "There is no such device"),
    "duplicate-key": ("Khóa này ghi hai lần", "This key stands twice"),
    "duty-whole": (
        "Thời gian phát không ít hơn khoảng tính",
        "The time on the air is no less than the span that it is of",
    ),
    "empty-span": ("Khoảng giờ dài bằng không", "The span has no length"),
    "file-empty": ("Tệp trống", "The file is empty"),
    "file-missing": ("Không có tệp cấu hình", "There is no configuration file"),
    "file-too-large": ("Tệp quá lớn", "The file is too large"),
    "file-unreadable": ("Không đọc được tệp cấu hình", "The configuration file cannot be read"),
    "folder-closed": ("Trạm không ghi được vào thư mục này", "The station may not write to this folder"),
    "folder-missing": ("Không có thư mục này", "There is no such folder"),
    "gpio-closed": ("Trạm không có quyền dùng chân GPIO", "The station may not use the GPIO lines"),
    "hour-is-quiet": (
        "Giờ này nằm trong giờ nghỉ: không bao giờ kiểm tra được",
        "This hour lies in quiet hours: no test would ever be held",
    ),
    "key-exposed": ("Mọi người dùng trên máy đều đọc được khóa", "Every user of the machine can read the key"),
    "key-mismatch": ("Khóa không phải của chứng chỉ này", "The key is not that of the certificate"),
    "list-length": ("Danh sách có {count} mục", "The list has {count} items"),
    "malformed": ("Viết không đúng dạng", "It is not written in the right form"),
    "missing-key": ("Thiếu khóa bắt buộc", "A required key is missing"),
    "more-problems": ("Còn nhiều chỗ sai nữa", "There are more mistakes than are told here"),
    "named-file-missing": ("Không có tệp được nêu", "The file that is named does not exist"),
    "named-file-unreadable": ("Không đọc được tệp được nêu", "The file that is named cannot be read"),
    "no-gpio": ("Máy này không có chân GPIO", "This machine has no GPIO lines"),
    "no-such-time-zone": ("Không có múi giờ này", "There is no such time zone"),
    "no-value": ("Khóa không có giá trị", "The key has no value"),
    "no-witness": (
        "Không có gì cho biết cụm loa này có ra tiếng",
        "Nothing tells whether this zone is heard",
    ),
    "not-a-certificate": ("Tệp không phải chứng chỉ PEM", "The file is no PEM certificate"),
    "not-a-form": ("Tệp không gồm các khóa", "The file does not hold keys"),
    "not-a-file": ("Đây không phải là tệp thường", "This is not a regular file"),
    "not-a-key": ("Tệp không phải khóa riêng PEM, hoặc có mật khẩu", "The file is no PEM key, or has a password"),
    "not-one-of": ("Giá trị không nằm trong các lựa chọn", "The value is none of the choices"),
    "not-utf8": ("Tệp không ở dạng UTF-8", "The file is not UTF-8"),
    "out-of-range": ("Số nằm ngoài giới hạn", "The number is out of range"),
    "reserved-id": (
        "Mã này dành riêng cho tăng âm, micrô, máy phát FM, quạt hoặc modem",
        "This id is kept for the amplifier, the microphone, the FM transmitter, the fan or the modem",
    ),
    "same-language": ("Hai giọng đọc cùng một ngôn ngữ", "Two voices speak the same language"),
    "same-code": ("Hai mã đóng mở trùng nhau", "Two codes are the same"),
    "same-coil": ("Hai cụm loa dùng chung một rơ-le", "Two zones share one coil"),
    "same-port": ("Hai thiết bị dùng chung một cổng nối tiếp", "Two devices share one serial port"),
    "same-supply-id": ("Hai nguồn cấp trùng mã", "Two supplies have the same id"),
    "same-pin": ("Hai khóa dùng chung một chân", "Two keys share one pin"),
    "same-unit": ("Công tơ trùng địa chỉ với một bo rơ-le", "The meter has the address of a relay board"),
    "same-input": ("Bộ nghe kiểm tra và micrô dùng chung một ngõ vào", "Monitor and microphone share one input"),
    "same-zone-id": ("Hai cụm loa trùng mã", "Two zones have the same id"),
    "sheds-nothing": ("Bước này không bớt gì", "This step takes nothing away"),
    "several-documents": ("Tệp có nhiều tài liệu YAML (---)", "The file holds several YAML documents (---)"),
    "syntax": ("Sai cú pháp YAML", "This is not valid YAML"),
    "tab": ("Có phím Tab ở chỗ thụt dòng", "There is a tab in the indentation"),
    "tag": ("Có nhãn (!) của YAML", "There is a YAML tag (!)"),
    "test-too-long": (
        "Kiểm tra hết các cụm mất tới {seconds} giây",
        "To test every zone takes up to {seconds} s",
    ),
    "test-too-quiet": (
        "Âm kiểm tra nhỏ quá: công tơ không thấy ở cụm {zone}",
        "The pilot is too quiet: the meter would not see it in {zone}",
    ),
    "test-too-short": (
        "Âm kiểm tra ngắn quá: công tơ chưa kịp kết luận",
        "The pilot is too short for the meter to judge a line by it",
    ),
    "too-deep": ("Lồng nhau quá sâu", "The nesting is too deep"),
    "too-heavy": (
        "Riêng cụm loa này đã quá sức nguồn cấp của nó",
        "This zone alone is more than its supply bears",
    ),
    "too-long": ("Dài quá: {chars} ký tự", "It is too long: {chars} characters"),
    "trust-elsewhere": (
        "Gốc tin cậy ({trusted}) không cho ai phát ở {place}",
        "The trust root ({trusted}) lets nobody publish for {place}",
    ),
    "trust-refused": ("Gốc tin cậy không dùng được: {why}", "The trust root cannot be used: {why}"),
    "two-mains": ("Có hai cách biết điện lưới", "The mains are known by two ways"),
    "two-rhythms": (
        "Kiểm tra vừa theo giờ vừa theo nhịp",
        "The test has hours and a rhythm",
    ),
    "two-switches": ("Cụm loa có hai công tắc", "The zone has two switches"),
    "two-inputs": ("Bộ nghe kiểm tra có hai ngõ vào", "The monitor has two inputs"),
    "two-ways": ("Micrô được nghe bằng hai đường", "The microphone is heard by two ways"),
    "unknown-supply": ("Trạm không có nguồn cấp này", "The station has no such supply"),
    "unknown-zone": ("Trạm không có cụm loa này", "The station has no such zone"),
    "unknown-key": ("Không có khóa này", "There is no such key"),
    "zones-apart": (
        "Nguồn cấp không chịu được mọi cụm của micrô cùng lúc",
        "Their supplies do not bear all zones of the microphone at once",
    ),
    "wrong-type": ("Sai kiểu giá trị", "The value is of the wrong kind"),
    "zone-too-small": (
        "Cụm {zone} nhỏ quá: công tơ cần thấy {watts} oát, âm thử không làm tăng bằng ấy",
        "Zone {zone} is too small: the meter must see {watts} watts, and the test tone adds less",
    ),
}

EXPECTED = {
    "battery-step": (
        "below_percent chỉ ở bước có when: battery",
        "below_percent in a step with when: battery alone",
    ),
    "below-span": ("số giây từ 60, ít hơn {span}", "seconds from 60, less than {span}"),
    "ca-file": (
        "đường dẫn tới chứng chỉ CA (PEM), đọc được",
        "a path to the authority's certificate (PEM), readable",
    ),
    "celsius": ("số độ C từ {least} đến {most}", "degrees Celsius from {least} to {most}"),
    "certificate-file": (
        "đường dẫn tới chứng chỉ của trạm (PEM), đọc được",
        "a path to the station's certificate (PEM), readable",
    ),
    "contact": (
        "contact_pin chỉ cho cụm loa dùng pin",
        "contact_pin only for a zone with a pin",
    ),
    "digits": (
        'mã trong nháy, như "12*": chữ số, A đến D, * và #, tối đa {most} ký tự, không trùng mã nào khác',
        'a code in quotes, such as "12*": digits, A to D, * and #, at most {most} characters, that of nothing else',
    ),
    "file-size": ("tệp không quá {most} byte", "a file of at most {most} bytes"),
    "flag": ("true (có) hoặc false (không)", "true or false"),
    "folder": ("đường dẫn tới một thư mục", "a path to a folder"),
    "form": ("các khóa của station.yaml", "the keys of station.yaml"),
    "gpio-chip": (
        "chip GPIO mà người dùng ttcs đọc và ghi được",
        "a GPIO chip that the user ttcs may read and write",
    ),
    "host": (
        "tên máy hoặc địa chỉ IP, không kèm mqtt:// và không kèm cổng",
        "a host name or an IP address, without mqtt:// and without a port",
    ),
    "hour": (
        'giờ địa phương như "03:30"',
        'a local time such as "03:30"',
    ),
    "identifier": (
        "mã gồm chữ cái không dấu, chữ số, . _ -, tối đa {most} ký tự",
        "an id of unaccented letters, digits, . _ -, at most {most} characters",
    ),
    "key-file": (
        "đường dẫn tới khóa riêng của trạm (PEM), đọc được, hoặc credential:TÊN",
        "a path to the station's private key (PEM), readable, or credential:NAME",
    ),
    "known-key": ("một trong các khóa: {keys}", "one of the keys: {keys}"),
    "language": ("mã ngôn ngữ như vi, cil, en", "a language code such as vi, cil, en"),
    "list": ("danh sách từ {least} đến {most} mục", "a list of {least} to {most} items"),
    "day-of-month": ("ngày trong tháng, từ {least} đến {most}", "a day of the month from {least} to {most}"),
    "interface": (
        "tên giao diện mạng, tối đa {most} ký tự, như wwan0",
        "a network interface of at most {most} characters, such as wwan0",
    ),
    "mebibytes": ("số MiB, từ {least} đến {most}", "a number of MiB from {least} to {most}"),
    "megabytes": (
        "số MB (triệu byte), từ {least} đến {most}",
        "a number of MB (millions of bytes) from {least} to {most}",
    ),
    "name": ("tên gọi, tối đa {most} ký tự", "a name of at most {most} characters"),
    "nesting": ("không quá {most} bậc", "at most {most} levels"),
    "one-mains": ("chỉ một trong hai khóa: mains_pin, supply", "one of the keys: mains_pin, supply"),
    "one-switch": (
        "một công tắc cho mỗi cụm loa: pin (rơ-le ở máy này), unit và coil (rơ-le trên đường RS-485), open_code và"
        " close_code, hoặc open_group và close_group (cụm thu FM có mã)",
        "one switch for each zone: pin (a relay at this machine), unit and coil (a relay on RS-485), open_code and"
        " close_code, or open_group and close_group (a coded FM receiver)",
    ),
    "dbfs": ("số dB từ {least} đến {most}", "a number of dB from {least} to {most}"),
    "one-input": ("chỉ một trong các khóa: device, wav_file", "one of the keys: device, wav_file"),
    "one-way": (
        "chỉ một trong các khóa: device, wav_file, mixer_pin",
        "one of the keys: device, wav_file, mixer_pin",
    ),
    "modbus-coil": (
        "số rơ-le trên bo mạch, từ {least} đến {most}, mỗi cụm loa một số",
        "the number of a coil on its board, from {least} to {most}, one of its own for each zone",
    ),
    "i2c-address": (
        "địa chỉ I2C từ 0x20 đến 0x27 hay từ 0x38 đến 0x3f, như 0x27; xem: i2cdetect -y 1",
        "an I2C address from 0x20 to 0x27 or from 0x38 to 0x3f, such as 0x27; see: i2cdetect -y 1",
    ),
    "i2c-bus": ("đường dẫn tới bus I2C, như /dev/i2c-1", "a path to an I2C bus, such as /dev/i2c-1"),
    "meter-unit": (
        "địa chỉ Modbus của công tơ, từ {least} đến {most}, không trùng bo rơ-le nào",
        "the Modbus address of the meter, from {least} to {most}, that of no relay board",
    ),
    "modbus-unit": (
        "địa chỉ Modbus của bo rơ-le, từ {least} đến {most}",
        "the Modbus address of a relay board, from {least} to {most}",
    ),
    "no-alias": ("giá trị viết ra đầy đủ", "the value itself, written out"),
    "once": ("mỗi khóa chỉ một lần", "each key once"),
    "one-of": ("một trong: {choices}", "one of: {choices}"),
    "percent": ("số phần trăm từ {least} đến {most}", "a percentage from {least} to {most}"),
    "pin": (
        "số GPIO (BCM) từ {least} đến {most}, mỗi rơ-le một chân riêng",
        "a GPIO number (BCM) from {least} to {most}, one of its own for each relay",
    ),
    "plain-text": ("chỉ có chữ và dấu xuống dòng", "text and line ends only"),
    "program": ("đường dẫn tới một chương trình chạy được", "a path to a program that can be run"),
    "rds-group": (
        'nhóm RDS như "6A 05 0001 0001" (loại, 5 bit cuối của khối 2, khối 3, khối 4; loại B không có khối 3), không'
        " trùng nhóm nào khác",
        'an RDS group such as "6A 05 0001 0001" (its type, the last 5 bits of block 2, block 3, block 4; no block 3 in'
        " a type B), that of nothing else",
    ),
    "readable-file": ("một tệp station.yaml đọc được", "a station.yaml that can be read"),
    "rhythm": (
        "at (giờ nào) hoặc every_minutes (bao lâu một lần)",
        "at (which hours) or every_minutes (how often)",
    ),
    "rtc-device": ("đường dẫn tới đồng hồ có pin, như /dev/rtc0", "a path to a battery clock, such as /dev/rtc0"),
    "scope": (
        "địa bàn như vn/lam-dong/da-teh: chữ thường không dấu, chữ số, gạch nối; tối đa {most} ký tự",
        "a scope such as vn/lam-dong/da-teh: unaccented small letters, digits, hyphens; at most {most} characters",
    ),
    "seconds": ("số giây từ {least} đến {most}", "seconds from {least} to {most}"),
    "section": ("một nhóm khóa: {keys}", "a section with the keys {keys}"),
    "sensor": (
        "mã số nhiệt kế như 28-0316a2791f6c, tên hwmon, hoặc đường dẫn tới tệp",
        "the number of a thermometer such as 28-0316a2791f6c, a name of hwmon, or the path of a file",
    ),
    "serial-port": ("đường dẫn tới cổng nối tiếp, như /dev/ttyUSB2", "a path to a serial port, such as /dev/ttyUSB2"),
    "shed-step": (
        "ít nhất một trong: volume_percent dưới 100, zones, zones_most, alerts_only: true",
        "one at least of: volume_percent below 100, zones, zones_most, alerts_only: true",
    ),
    "sound-device": ("tên thiết bị ALSA, như default", "the name of an ALSA device, such as default"),
    "span": (
        'khoảng giờ địa phương như "21:00-05:00", có thể qua nửa đêm',
        'a span of local time such as "21:00-05:00", which may cross midnight',
    ),
    "supply": (
        "tên trong /sys/class/power_supply, hoặc đường dẫn tới thư mục",
        "a name in /sys/class/power_supply, or the path of its folder",
    ),
    "stream-host": (
        "tên máy hoặc tên máy:cổng, như live.example.vn",
        "a host name, or host:port, such as live.example.vn",
    ),
    "supply-id": ("mỗi nguồn cấp một mã riêng", "an id of its own for each supply"),
    "time-zone": ("múi giờ IANA, như Asia/Ho_Chi_Minh", "an IANA time zone, such as Asia/Ho_Chi_Minh"),
    "topic": (
        "gốc chủ đề MQTT như ttcs/v1, không có + # hay khoảng trắng",
        "an MQTT topic root such as ttcs/v1, without + # or blanks",
    ),
    "trust-file": (
        "thư mục tin cậy có tệp root.dsse.json, đọc được",
        "a trust folder that holds root.dsse.json, readable",
    ),
    "utf8": ("văn bản UTF-8", "UTF-8 text"),
    "voice-model": (
        "đường dẫn tới giọng đọc của Piper (.onnx), bên cạnh có tệp .onnx.json",
        "a path to a voice of Piper (.onnx), with its .onnx.json beside it",
    ),
    "watts": ("số oát, từ {least} đến {most}", "a number of watts from {least} to {most}"),
    "wav-file": ("đường dẫn tới tệp WAV sẽ ghi", "a path to the WAV file to be written"),
    "whole": ("số nguyên từ {least} đến {most}", "a whole number from {least} to {most}"),
    "whole-milliseconds": (
        "số mili giây nguyên từ {least} đến {most}",
        "a whole number of milliseconds from {least} to {most}",
    ),
    "whole-minutes": (
        "số phút nguyên từ {least} đến {most}",
        "a whole number of minutes from {least} to {most}",
    ),
    "whole-seconds": ("số giây nguyên từ {least} đến {most}", "a whole number of seconds from {least} to {most}"),
    "witness": (
        "ở mỗi cụm: tone_w, nếu có công tơ (meter), hoặc tiếp điểm báo về (contact_pin)",
        "in each zone: tone_w, with an energy meter (meter), or a contact of its relay (contact_pin)",
    ),
    "writable-folder": ("thư mục mà người dùng ttcs ghi được", "a folder that the user ttcs may write to"),
    "yaml": (
        "mỗi dòng một khóa: tên, dấu hai chấm, dấu cách, giá trị",
        "one key a line: its name, a colon, a space, its value",
    ),
    "wav-source": ("đường dẫn tới tệp WAV, đọc được", "a path to a WAV file, readable"),
    "zones-together": (
        "các cụm mà nguồn cấp chịu được cùng lúc",
        "zones that their supplies bear at once",
    ),
    "zone-id": (
        "mỗi cụm loa một mã riêng, khác amplifier, microphone, transmitter, fan và modem",
        "an id of its own for each zone, and none of amplifier, microphone, transmitter, fan, modem",
    ),
}

MENDS = {
    "add-line": ("thêm dòng: {addition}", "add the line: {addition}"),
    "add-section": (
        "thêm nhóm {name}:, theo tệp mẫu config/station.yaml",
        "add the section {name}:, as in the example config/station.yaml",
    ),
    "at-least": (
        "đặt ít nhất {least}",
        "make it {least} at the least",
    ),
    "at-least-percent": (
        "đặt level_percent ít nhất {least}",
        "make level_percent {least} at the least",
    ),
    "boolean-word": (
        'YAML đọc {found} là đúng/sai: đặt trong dấu nháy, "{found}"',
        'YAML reads {found} as true or false: put it in quotes, "{found}"',
    ),
    "check-indent": (
        "xem lại thụt dòng và dấu hai chấm ở dòng này và dòng trên",
        "check the indentation and the colon on this line and the one above",
    ),
    "choose": ("chọn một trong các giá trị trên", "choose one of the values above"),
    "close-key": ("chạy: chmod 640 {found}", "run: chmod 640 {found}"),
    "close-quote": ("đóng dấu nháy còn mở", "close the quote that was left open"),
    "copy-again": (
        "chép lại tệp này, hoặc xin tỉnh cấp lại: ttcs-edge enrol --again",
        "copy this file again, or have the province enrol the station anew: ttcs-edge enrol --again",
    ),
    "delete-character": ("xóa ký tự {found}", "delete the character {found}"),
    "delete-key": ("xóa khóa {found}", "delete the key {found}"),
    "delete-one": (
        "xóa dòng này hoặc dòng {first}",
        "delete this one or the one on line {first}",
    ),
    "delete-tag": ("xóa {found}", "delete {found}"),
    "did-you-mean": ("có phải là {guess}?", "did you mean {guess}?"),
    "fewer-zones": ("bớt cụm, ví dụ: [{zones}]", "name fewer of them, such as [{zones}]"),
    "find-time-zone": (
        "xem danh sách bằng lệnh: timedatectl list-timezones",
        "see the list with: timedatectl list-timezones",
    ),
    "flatten": ("bỏ bớt các bậc thụt dòng", "remove levels of indentation"),
    "give-access": (
        "cho người dùng ttcs quyền đọc tệp (chown, chmod)",
        "let the user ttcs read the file (chown, chmod)",
    ),
    "give-file": ("chỉ tới tệp station.yaml của trạm", "point to the station's station.yaml"),
    "give-value": (
        "ghi giá trị sau dấu hai chấm, hoặc xóa khóa {name}",
        "write a value after the colon, or delete {name}",
    ),
    "join-dialout": (
        "cho người dùng ttcs vào nhóm của thiết bị: sudo usermod -aG dialout ttcs",
        "let the user ttcs into the device's group: sudo usermod -aG dialout ttcs",
    ),
    "join-gpio": (
        "chạy: usermod -aG gpio ttcs, rồi khởi động lại; xem: ls -l {found}",
        "run: usermod -aG gpio ttcs, then restart; see: ls -l {found}",
    ),
    "make-folder": ("chạy: mkdir -p {found}", "run: mkdir -p {found}"),
    "make-file": (
        "chép tệp mẫu config/station.yaml rồi sửa cho trạm này",
        "copy the example config/station.yaml and fit it to this station",
    ),
    "mend-first": ("sửa những chỗ trên trước, rồi thử lại", "mend those above first, then try again"),
    "mock-pins": (
        "chạy trên Raspberry Pi; để thử ở máy khác, đặt pins: {{factory: mock, mock_folder: pins}}",
        "run it on a Raspberry Pi; to try it elsewhere, set pins: {{factory: mock, mock_folder: pins}}",
    ),
    "move-or-let-through": (
        "đổi giờ, hoặc đặt in_quiet_hours: true",
        "choose another hour, or set in_quiet_hours: true",
    ),
    "one-document": ("chỉ giữ một tài liệu, xóa dòng ---", "keep one document and delete the line ---"),
    "open-folder": ("chạy: chown ttcs:ttcs {found}", "run: chown ttcs:ttcs {found}"),
    "other-place": (
        "sửa scope, hoặc chép đúng root.dsse.json của tỉnh",
        "correct scope, or copy the root.dsse.json of the right province",
    ),
    "one-voice": (
        "bỏ giọng này hoặc {other} ở dòng {first}",
        "take away this voice or {other} on line {first}",
    ),
    "other-code": (
        "đổi mã này hoặc mã của {other} ở dòng {first}, theo mã đã đặt ở cụm thu",
        "change this one or that of {other} on line {first}, as the receivers are set",
    ),
    "other-coil": (
        "đổi số này hoặc số của {other} ở dòng {first}, theo đúng dây đã nối",
        "change this one or that of {other} on line {first}, as the wires are",
    ),
    "other-input": (
        "cắm bộ nghe kiểm tra vào ngõ vào khác với {other} ở dòng {first}; xem: arecord -L",
        "give the monitor an input other than that of {other} on line {first}; see: arecord -L",
    ),
    "other-unit": (
        "đổi số này hoặc số của {other} ở dòng {first}, theo địa chỉ đã đặt trên thiết bị",
        "change this one or that of {other} on line {first}, as the devices are set",
    ),
    "other-port": (
        "đổi cổng này hoặc cổng của {other} ở dòng {first}; xem ls -l /dev/serial/by-id",
        "change this one or that of {other} on line {first}; see ls -l /dev/serial/by-id",
    ),
    "other-load": (
        "sửa số này hoặc {other} ở dòng {first}, theo nhãn trên loa và nguồn",
        "correct this one or {other} on line {first}, as the plates of speakers and supply say",
    ),
    "other-pin": (
        "đổi chân này hoặc chân của {other} ở dòng {first}, theo đúng dây đã nối",
        "change this one or that of {other} on line {first}, as the wires are",
    ),
    "other-witness": (
        "lắp tiếp điểm báo về cho cụm {zone}, hoặc bỏ self_test",
        "give the relay of {zone} a contact, or leave self_test out",
    ),
    "plug-in": (
        "cắm thiết bị, hoặc sửa đường dẫn; xem: ls /dev/rtc* /dev/ttyUSB*",
        "plug it in, or correct the path; see: ls /dev/rtc* /dev/ttyUSB*",
    ),
    "put-file": (
        "đặt tệp vào đúng chỗ, hoặc sửa đường dẫn",
        "put the file in its place, or correct the path",
    ),
    "quote": ('đặt trong dấu nháy: "{found}"', 'put it in quotes: "{found}"'),
    "raise-within": (
        "đặt within_s: {seconds} nếu chấp nhận chậm hơn",
        "set within_s: {seconds}, if so late is soon enough",
    ),
    "rename": ("đặt mã khác cho cụm loa này", "give this zone another id"),
    "rename-supply": ("đặt mã khác cho nguồn cấp này", "give this supply another id"),
    "renew": (
        "xem giờ của máy (timedatectl); nếu đúng, xin tỉnh cấp lại: ttcs-edge enrol --again",
        "look at the machine's clock (timedatectl); if it is right, enrol anew: ttcs-edge enrol --again",
    ),
    "save-utf8": ("lưu tệp lại dưới dạng UTF-8", "save the file again as UTF-8"),
    "sexagesimal": (
        'YAML đọc giờ không có nháy là một con số: đặt trong dấu nháy, như "21:00-05:00"',
        'YAML reads a time without quotes as a number: put it in quotes, as "21:00-05:00"',
    ),
    "shorten": ("viết ngắn lại", "make it shorter"),
    "use-spaces": ("thay Tab (⇥) bằng dấu cách", "replace the tab (⇥) by spaces"),
    "within-range": ("đổi cho nằm trong giới hạn trên", "bring it within the bounds above"),
    "write-flag": ("ghi {name}: true hoặc {name}: false", "write {name}: true or {name}: false"),
    "write-kind": ("viết lại theo dạng trên", "write it in the form above"),
    "write-list": (
        "viết mỗi mục một dòng, bắt đầu bằng gạch nối và dấu cách, hoặc trong [ ]",
        "write one item a line, each after a hyphen and a space, or all within [ ]",
    ),
    "write-number": (
        "chỉ viết chữ số (dấu chấm thập phân nếu được), không số 0 ở đầu, không nháy, không đơn vị",
        "write digits only (a decimal point where allowed), no leading zero, no quotes, no unit",
    ),
    "write-out": ("chép giá trị vào thay cho {found}", "copy the value here in place of {found}"),
    "write-section": (
        "xuống dòng sau {name}: rồi thụt vào, mỗi khóa một dòng",
        "begin a new line after {name}: and indent, one key a line",
    ),
    "write-span": ('viết như "21:00-05:00", giờ từ 00:00 đến 24:00', 'write it as "21:00-05:00", from 00:00 to 24:00'),
}

TABLES: tuple[Words, Words, Words] = (PROBLEMS, EXPECTED, MENDS)

LABELS = {
    "problem": ("Sai", "Wrong"),
    "found": ("Thấy", "Found"),
    "expected": ("Cần", "Expected"),
    "mend": ("Sửa", "Mend"),
    "nothing": ("(không có gì)", "(nothing)"),
}

MESSAGES = {
    f"{group}.{code}": pair
    for group, table in (("problem", PROBLEMS), ("expected", EXPECTED), ("mend", MENDS), ("label", LABELS))
    for code, pair in table.items()
}


def problem_words(
    codes: tuple[str, str, str],
    name: str,
    found: str,
    fields: Mapping[str, str],
    lang: Language,
    tables: tuple[Words, Words, Words] = TABLES,
) -> tuple[str, str, str]:
    """Tell in one language what is wrong, what was expected and what mends it.

    ``codes`` are those of the three, ``tables`` hold their words; ``name`` is the last part of the key.
    """
    filled = dict(fields) | {"found": found, "name": name}
    place = LANGUAGES.index(lang)
    problem, expected, mend = (table[code][place].format_map(filled) for table, code in zip(tables, codes, strict=True))
    return problem, expected, mend


def problem_text(
    place: str,
    key: str,
    codes: tuple[str, str, str],
    found: str,
    fields: Mapping[str, str],
    tables: tuple[Words, Words, Words] = TABLES,
) -> str:
    """Tell one problem in Vietnamese and then in English: where, what is wrong, found, expected, mend.

    ``codes`` are those of the problem, of what was expected and of the mend; ``tables`` hold their words.
    """
    lines = [f"{place}: {key}" if key else place]
    name = key.rpartition(".")[2] or place
    for lang in LANGUAGES:
        problem, expected, mend = problem_words(codes, name, found, fields, lang, tables)
        label = {name: pair[LANGUAGES.index(lang)] for name, pair in LABELS.items()}
        lines += [
            f"  {label['problem']}: {problem}",
            f"  {label['found']}: {found or label['nothing']}",
            f"  {label['expected']}: {expected}",
            f"  {label['mend']}: {mend}",
        ]
    return "\n".join(lines)
