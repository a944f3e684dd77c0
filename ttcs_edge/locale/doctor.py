"""What ``ttcs-edge doctor`` says: what it finds, and under each what mends it."""

from __future__ import annotations

Pair = tuple[str, str]

_CHECKS: dict[str, Pair] = {
    "config": ("Cấu hình", "Configuration"),
    "disk": ("Chỗ trống", "Disk"),
    "card": ("Thẻ nhớ", "Card"),
    "voltage": ("Điện áp", "Voltage"),
    "temperature": ("Nhiệt độ", "Temperature"),
    "memory": ("Bộ nhớ", "Memory"),
    "clock": ("Đồng hồ", "Clock"),
    "identity": ("Chứng chỉ", "Certificate"),
    "trust": ("Gốc tin cậy", "Trust root"),
    "store": ("Kho", "Store"),
    "relays": ("Rơ-le", "Relays"),
    "devices": ("Thiết bị", "Devices"),
    "meter": ("Công tơ", "Meter"),
    "sound": ("Âm thanh", "Sound"),
    "voices": ("Giọng đọc", "Voices"),
    "plugin-cache": ("Thư viện VLC", "VLC library"),
    "unit": ("Dịch vụ", "Service"),
    "daemon": ("Trạm trả lời", "Station answers"),
    "player": ("Bộ phát", "Player"),
    "modem": ("Modem", "Modem"),
    "network": ("Mạng", "Network"),
    "name": ("Tên máy chủ", "Broker's name"),
    "port": ("Cổng máy chủ", "Broker's port"),
    "tls": ("Kênh TLS", "TLS"),
    "broker": ("Máy chủ", "Broker"),
    "programme": ("Chương trình", "Programme"),
    "others": ("Sự cố khác", "Other faults"),
}

_GREEN: dict[str, Pair] = {
    "config-right": ("{id}, {scope}, {zones} cụm loa", "{id}, {scope}, {zones} zones"),
    "disk-good": ("còn {free_mb} MB", "{free_mb} MB free"),
    "card-good": ("tốt", "good"),
    "voltage-good": ("đủ", "enough"),
    "temperature-good": ("{celsius} °C", "{celsius} °C"),
    "memory-good": ("còn {free_mb} MB", "{free_mb} MB free"),
    "clock-of-owner": ("{now}, theo máy (clock.trust: host)", "{now}, the machine's (clock.trust: host)"),
    "clock-kept": ("{now}, đúng", "{now}, right"),
    "identity-good": ("của {id}, đến {date}", "of {id}, until {date}"),
    "trust-good": ("bản {version}, đến {date}", "version {version}, until {date}"),
    "store-whole": ("tốt", "whole"),
    "store-good": ("tốt, {count} báo cáo chờ gửi", "good, {count} reports wait"),
    "relays-good": ("{count} rơ-le, đang đóng: {closed}", "{count} relays, closed: {closed}"),
    "devices-good": ("đủ", "all there"),
    "meter-good": ("{watts} W, {volts} V", "{watts} W, {volts} V"),
    "sound-file": ("ghi ra tệp {file}", "written to {file}"),
    "sound-good": ("{device}, không bị tắt tiếng", "{device}, not muted"),
    "voices-good": ("đủ", "all there"),
    "plugin-cache-good": ("có bộ nhớ đệm", "its cache is there"),
    "unit-good": ("đang chạy, tự chạy khi bật máy", "running, and started with the machine"),
    "daemon-good": ("có, phiên bản {version}", "yes, version {version}"),
    "player-good": ("sẵn sàng", "ready"),
    "modem-good": ("{operator}, {dbm} dBm", "{operator}, {dbm} dBm"),
    "network-good": ("có, địa chỉ {address}", "there, address {address}"),
    "name-good": ("{host} là {address}", "{host} is {address}"),
    "port-good": ("{place} mở", "{place} is open"),
    "tls-good": ("{host} đúng là máy chủ ({version})", "{host} is the broker ({version})"),
    "broker-connected": ("trạm đang nối với {host}", "the station is connected to {host}"),
    "broker-lets-in": ("{host} nhận trạm {id}", "{host} lets {id} in"),
    "programme-good": ("bản {version}, đến {date}", "version {version}, until {date}"),
    "no-other-faults": ("không có", "none"),
}

_UNSEEN: dict[str, tuple[Pair, Pair | None]] = {
    "nothing-tells": (("máy này không cho biết", "nothing on this machine tells"), None),
    "waits": (("chưa xem, vì {check} sai trước", "not looked at: {check} comes first"), None),
    "too-slow": (("xem quá lâu, bỏ qua", "took too long, left out"), ("chạy lại doctor", "run doctor again")),
    "check-failed": (
        ("không xem được: {error}", "could not be looked at: {error}"),
        ("gửi cho kỹ sư: ttcs-edge support-bundle", "for the developers: ttcs-edge support-bundle"),
    ),
    "needs-root": (("chưa xem, thiếu quyền", "not looked at, it needs a right"), ("sudo ttcs-edge doctor",) * 2),
    "needs-group": (
        ("chưa hỏi được, thiếu quyền", "not asked, it needs a right"),
        (
            "sudo ttcs-edge doctor, hoặc: sudo usermod -aG ttcs $USER rồi đăng nhập lại",
            "sudo ttcs-edge doctor, or: sudo usermod -aG ttcs $USER, then log in again",
        ),
    ),
    "no-systemd": (("máy này không có systemd", "there is no systemd here"), None),
    "by-hand": (("trạm chạy tay, không qua dịch vụ", "the station is run by hand, not as a service"), None),
    "daemon-not-told": (("chưa xem, trạm không trả lời", "not looked at, the station does not answer"), None),
    "modem-not-told": (("trạm chưa cho biết", "the station has not told yet"), None),
}

_WRONG: dict[str, tuple[Pair, Pair]] = {
    # -- papers
    "config-more": (
        ("còn {count} chỗ sai nữa", "{count} more mistakes"),
        ("ttcs-edge check-config --config {file}",) * 2,
    ),
    "quiet-hours-unset": (
        ("chưa đặt giờ nghỉ: loa có thể phát cả đêm", "no quiet hours: it may sound at night"),
        ('thêm vào {file}: quiet_hours: ["21:00-05:00"]', 'add to {file}: quiet_hours: ["21:00-05:00"]'),
    ),
    "certificate-over": (
        ("đã hết hạn ngày {date}", "ended on {date}"),
        (
            "nhờ trung tâm: ttcs-central enrol --again, rồi tại đây: sudo ttcs-edge enrol --again",
            "at the centre: ttcs-central enrol --again, then here: sudo ttcs-edge enrol --again",
        ),
    ),
    "certificate-ends-soon": (
        ("sẽ hết hạn ngày {date}", "ends on {date}"),
        (
            "trạm tự xin bản mới khi có mạng; nếu gần ngày mà vẫn còn, báo trung tâm: ttcs-central renew",
            "the station asks for a new one by itself; if it stays so, tell the centre: ttcs-central renew",
        ),
    ),
    "certificate-unreadable": (
        ("không đọc được {file}", "{file} cannot be read"),
        ("sudo ttcs-edge enrol --again",) * 2,
    ),
    "certificate-of-another-authority": (
        ("{file} không do trung tâm trong broker.ca cấp", "{file} was not given by the authority in broker.ca"),
        (
            "chép lại cả ca.pem và station.pem của cùng một trung tâm, hoặc: sudo ttcs-edge enrol --again",
            "copy ca.pem and station.pem of the same centre again, or: sudo ttcs-edge enrol --again",
        ),
    ),
    "certificate-of-another-key": (
        ("{file} không phải của khóa ở đây", "{file} is not over the key that is here"),
        ("sudo ttcs-edge enrol --again",) * 2,
    ),
    "certificate-of-another-name": (
        ("{file} là của trạm khác, không phải {id}", "{file} is of another station, not of {id}"),
        (
            "sửa id trong station.yaml cho đúng tên trung tâm đã cấp, hoặc: sudo ttcs-edge enrol --again",
            "write the id that the centre gave into station.yaml, or: sudo ttcs-edge enrol --again",
        ),
    ),
    "trust-unreadable": (
        ("không dùng được gốc trong {folder}: {error}", "the root in {folder} cannot be used: {error}"),
        (
            "chép root.dsse.json của tỉnh vào {folder}, hoặc: sudo ttcs-edge enrol --again",
            "copy the province's root.dsse.json into {folder}, or: sudo ttcs-edge enrol --again",
        ),
    ),
    "trust-over": (
        (
            "bản {version} đã hết hạn ngày {date}: không ai được phát",
            "version {version} ended on {date}: nobody may air",
        ),
        (
            "trung tâm phải phát hành bản mới: ttcs-central trust; không có mạng thì mang bằng USB: ttcs-edge import",
            "the centre must publish a new one: ttcs-central trust; without a link by stick: ttcs-edge import",
        ),
    ),
    "trust-ends-soon": (
        ("bản {version} hết hạn ngày {date}", "version {version} ends on {date}"),
        (
            "báo trung tâm phát hành bản mới: ttcs-central trust",
            "tell the centre to publish another: ttcs-central trust",
        ),
    ),
    # -- the machine
    "clock-behind": (
        ("{now} là sai: trạm đã biết ngày {floor}", "{now} is wrong: {floor} was known here before"),
        (
            'đặt giờ: sudo timedatectl set-time "2026-01-31 08:00" (giờ thật), rồi cắm mạng hay pin đồng hồ',
            'set it: sudo timedatectl set-time "2026-01-31 08:00" (the true time); then see to network or its battery',
        ),
    ),
    "clock-ahead": (
        (
            "{now} không ai giữ, và đã quá ngày {ends} của chứng chỉ",
            "{now} is kept by nobody, and is past {ends}, the certificate's end",
        ),
        (
            'xem giờ thật; nếu sai: sudo timedatectl set-time "2026-01-31 08:00" (giờ thật)',
            'see the true time; if this is wrong: sudo timedatectl set-time "2026-01-31 08:00" (the true time)',
        ),
    ),
    "clock-ntp-off": (
        ("{now}, máy không tự lấy giờ mạng", "{now}, the machine does not take time from the network"),
        ("sudo timedatectl set-ntp true",) * 2,
    ),
    "clock-not-kept": (
        ("{now}, chưa có gì xác nhận", "{now}, confirmed by nothing yet"),
        (
            "chờ vài phút khi có mạng; không có mạng thì lắp đồng hồ có pin (clock.rtc)",
            "wait some minutes with a network; without one, fit a battery clock (clock.rtc)",
        ),
    ),
    "no-libvlc": (
        ("không có libvlc", "libvlc is missing"),
        ("sudo apt install libvlc5 vlc-plugin-base vlc-bin",) * 2,
    ),
    "no-plugin-cache": (
        ("thiếu bộ nhớ đệm, trạm khởi động chậm", "its cache is missing: the station starts slowly"),
        ("sudo {folder}/../vlc-cache-gen {folder}",) * 2,
    ),
    "old-plugin-cache": (
        ("bộ nhớ đệm đã cũ, trạm khởi động chậm", "its cache is old: the station starts slowly"),
        ("sudo {folder}/../vlc-cache-gen {folder}",) * 2,
    ),
    # -- store, relays, sound
    "store-damaged": (
        ("cơ sở dữ liệu bị hỏng: {error}", "the database is damaged: {error}"),
        (
            "sudo systemctl restart ttcs-edge: trạm tự cứu những gì còn đọc được; rồi thay thẻ nhớ",
            "sudo systemctl restart ttcs-edge: the station saves what can be read; then replace the card",
        ),
    ),
    "store-unreadable": (
        ("không mở được cơ sở dữ liệu: {error}", "the database cannot be opened: {error}"),
        (
            "sudo chown -R ttcs:ttcs /var/lib/ttcs-edge; xem thẻ nhớ",
            "sudo chown -R ttcs:ttcs /var/lib/ttcs-edge; see to the card",
        ),
    ),
    "reports-wait": (
        ("{count} báo cáo chưa gửi, cũ nhất {hours} giờ", "{count} reports not sent, the oldest for {hours} h"),
        (
            "xem đường truyền bên dưới; hoặc mang bằng USB: ttcs-edge export-reports",
            "see the link below; or carry them on a stick: ttcs-edge export-reports",
        ),
    ),
    "zones-swapped": (
        (
            "tiếp điểm của {first} và {second} nối chéo nhau",
            "the contacts of {first} and {second} are crossed",
        ),
        (
            "đổi chỗ hai dây tiếp điểm; nếu cả loa cũng chéo: sudo ttcs-edge walk --pins",
            "change the contacts' wires over; where the loudspeakers are crossed, too: sudo ttcs-edge walk --pins",
        ),
    ),
    "sound-device": (
        ("{device} không phát được: {error}; có thẻ: {cards}", "{device} does not play: {error}; cards: {cards}"),
        (
            "xem aplay -L, rồi sửa sound.device trong station.yaml, ví dụ plughw:CARD=TÊN",
            "see aplay -L, then mend sound.device in station.yaml, such as plughw:CARD=NAME",
        ),
    ),
    "no-sound-card": (
        ("không có thẻ âm thanh nào; {device}: {error}", "there is no sound card at all; {device}: {error}"),
        (
            "cắm lại thẻ USB, hoặc xem dtparam=audio trong /boot/firmware/config.txt",
            "plug the USB card in again, or see dtparam=audio in /boot/firmware/config.txt",
        ),
    ),
    "mixer-muted": (
        ("{control} của thẻ đang tắt tiếng ({percent} %)", "{control} of the card is muted ({percent} %)"),
        ("amixer -D {card} sset '{control}' 80% unmute; sudo alsactl store",) * 2,
    ),
    "mixer-quiet": (
        ("{control} của thẻ chỉ {percent} %", "{control} of the card is at {percent} % only"),
        ("amixer -D {card} sset '{control}' 80%; sudo alsactl store",) * 2,
    ),
    # -- the service
    "unit-missing": (
        ("chưa cài dịch vụ ttcs-edge", "the service ttcs-edge is not installed"),
        (
            "sudo apt install ./ttcs-edge.deb, hoặc: sudo make install",
            "sudo apt install ./ttcs-edge.deb, or: sudo make install",
        ),
    ),
    "unit-masked": (
        ("dịch vụ bị khóa (masked)", "the service is masked"),
        ("sudo systemctl unmask ttcs-edge && sudo systemctl enable --now ttcs-edge",) * 2,
    ),
    "unit-not-running": (
        ("không chạy ({state}, {why}, mã {status})", "not running ({state}, {why}, code {status})"),
        (
            "sudo systemctl start ttcs-edge; nếu dừng lại: journalctl -u ttcs-edge -n 30",
            "sudo systemctl start ttcs-edge; if it stops again: journalctl -u ttcs-edge -n 30",
        ),
    ),
    "unit-not-enabled": (
        ("không tự chạy khi bật máy", "not started with the machine"),
        ("sudo systemctl enable ttcs-edge",) * 2,
    ),
    "unit-restarts": (
        ("đã phải chạy lại {count} lần", "had to be started again {count} times"),
        ("journalctl -u ttcs-edge -p warning -n 50",) * 2,
    ),
    "daemon-away": (
        ("không, chương trình không chạy ({socket})", "no, the program is not running ({socket})"),
        ("sudo systemctl restart ttcs-edge",) * 2,
    ),
    "daemon-silent": (
        ("chạy mà không trả lời", "it runs and does not answer"),
        ("sudo systemctl restart ttcs-edge",) * 2,
    ),
    "other-version": (
        ("đang chạy {running}, đã cài {installed}", "{running} runs, {installed} is installed"),
        (
            "khi không phát gì: sudo systemctl restart ttcs-edge",
            "when nothing is on the air: sudo systemctl restart ttcs-edge",
        ),
    ),
    "player-away": (
        ("không có", "not there"),
        (
            "trạm tự mở lại; nếu kéo dài: journalctl -u 'ttcs-edge-player*' -n 30",
            "it is begun again by itself; if it lasts: journalctl -u 'ttcs-edge-player*' -n 30",
        ),
    ),
    # -- the link
    "modem-silent": (
        ("không trả lời", "does not answer"),
        (
            "rút nguồn modem 10 giây; xem cáp USB và modem.port",
            "cut its power for 10 s; see its USB cable and modem.port",
        ),
    ),
    "sim-missing": (("không có SIM", "no SIM"), ("lắp SIM, mặt tiếp điểm xuống dưới", "put the SIM in, contacts down")),
    "sim-locked": (
        ("SIM đòi {sim}", "the SIM wants its {sim}"),
        ("bỏ mã PIN của SIM bằng một điện thoại", "take the PIN off the SIM in a phone"),
    ),
    "modem-not-registered": (
        ("không vào được mạng ({operator})", "not in the network ({operator})"),
        ("xem ăng-ten, vùng phủ, cước của SIM", "see aerial, coverage, and whether the SIM is paid"),
    ),
    "signal-weak": (
        ("sóng yếu: {dbm} dBm ({operator})", "weak signal: {dbm} dBm ({operator})"),
        ("đưa ăng-ten lên cao, ra ngoài hộp", "put the aerial higher, outside of the box"),
    ),
    "no-network": (
        ("máy không có đường ra mạng", "this machine has no way to any network"),
        ("xem cáp, Wi-Fi hay modem: nmcli device; ip route", "see cable, Wi-Fi or modem: nmcli device; ip route"),
    ),
    "name-unknown": (
        ("không tìm được địa chỉ của {host}", "{host} has no address"),
        (
            "xem broker.host trong station.yaml có đúng không; rồi DNS: resolvectl query {host}",
            "see whether broker.host in station.yaml is right; then DNS: resolvectl query {host}",
        ),
    ),
    "port-refused": (
        ("{place} từ chối: máy chủ không chạy ở đó", "{place} refuses: no broker runs there"),
        (
            "xem broker.port trong station.yaml; nếu đúng, báo trung tâm",
            "see broker.port in station.yaml; if it is right, tell the centre",
        ),
    ),
    "port-silent": (
        ("{place} không trả lời", "{place} does not answer"),
        (
            "mạng này có thể chặn cổng 8883: thử mạng khác; rồi báo trung tâm",
            "this network may block port 8883: try another; then tell the centre",
        ),
    ),
    "not-tls": (
        ("{host} không phải máy chủ MQTT qua TLS", "{host} is no MQTT broker over TLS"),
        (
            "Wi-Fi có trang đăng nhập thì đăng nhập trước; xem broker.port",
            "log in first where a Wi-Fi has a login page; see broker.port",
        ),
    ),
    "broker-certificate-over": (
        ("chứng chỉ của {host} đã hết hạn", "the certificate of {host} has ended"),
        ("báo trung tâm: chứng chỉ máy chủ phải làm mới", "tell the centre: the broker's certificate must be renewed"),
    ),
    "broker-certificate-early": (
        ("chứng chỉ của {host} chưa bắt đầu", "the certificate of {host} has not begun"),
        ("xem giờ của máy này; nếu đúng, báo trung tâm", "see this machine's time; if it is right, tell the centre"),
    ),
    "broker-other-name": (
        ("máy chủ ở đó không tên là {host}", "the broker there is not called {host}"),
        ("sửa broker.host trong station.yaml theo giấy của trung tâm", "write the broker.host that the centre gave"),
    ),
    "broker-other-authority": (
        ("{host} không do trung tâm trong broker.ca cấp", "{host} is not of the authority in broker.ca"),
        (
            "có thể là máy giả: đừng tắt kiểm tra. Xem broker.host; chép lại ca.pem của trung tâm",
            "it may be an impostor: do not turn the check off. See broker.host; copy the centre's ca.pem again",
        ),
    ),
    "tls-failed": (("{host}: {error}",) * 2, ("thử lại; rồi báo trung tâm", "try again; then tell the centre")),
    "broker-refuses": (
        ("{host} không nhận trạm {id}: {error}", "{host} does not let {id} in: {error}"),
        (
            "báo trung tâm: trạm {id} có trong danh sách không, chứng chỉ có bị thu hồi không",
            "ask the centre: is {id} on its list, and is its certificate not revoked",
        ),
    ),
    # -- what there is to air
    "programme-none": (
        ("chưa có chương trình nào cho {scope}", "there is no programme for {scope} yet"),
        (
            "nhờ trung tâm phát hành, hoặc nhập bằng USB: ttcs-edge import",
            "ask the centre to publish one, or bring it by stick: ttcs-edge import",
        ),
    ),
    "programme-ends-soon": (
        ("hết hạn ngày {date}", "ends on {date}"),
        ("nhờ trung tâm phát hành bản mới", "ask the centre to publish another"),
    ),
    "audio-lacks": (
        ("mới có {stored} trên {wanted} tệp âm thanh", "{stored} of {wanted} audio files are here"),
        ("chờ trạm tải; không có mạng: ttcs-edge import", "wait for the download; without a link: ttcs-edge import"),
    ),
}

MESSAGES: dict[str, Pair] = {
    **{f"check.{name}": pair for name, pair in _CHECKS.items()},
    **_GREEN,
    **{code: pair for code, (pair, _) in (_UNSEEN | _WRONG).items()},
    **{f"{code}.mend": pair for code, (_, pair) in (_UNSEEN | _WRONG).items() if pair is not None},
    "help-fix": (
        "tự sửa những gì sửa được mà không hại (cần sudo)",
        "mend by itself what is safe to mend (needs sudo)",
    ),
    "mend": ("→ {mend}", "→ {mend}"),
    "all-good": ("Mọi thứ đều tốt.", "All is well."),
    "counted": (
        "{red} chỗ sai, {yellow} chỗ cần xem. Sửa trước tiên:",
        "{red} wrong, {yellow} to be looked at. Mend this first:",
    ),
    "mended": ("đã chạy: {command}", "done: {command}"),
    "not-mended": ("không chạy được: {command}: {why}", "failed: {command}: {why}"),
}
