"""What ``ttcs-edge simulate`` says, to a trainer and to his class."""

from __future__ import annotations

Pair = tuple[str, str]

_TROUBLES: dict[str, tuple[Pair, Pair, Pair]] = {
    "line-cut": (
        ("đứt dây một cụm loa", "one zone's line is cut"),
        ("Có người gọi: loa gần nhà tôi im cả buổi.", "Somebody calls: the loudspeaker near my house is silent."),
        (
            "ttcs-edge walk thử từng cụm: cụm nào công tơ không tăng thì dây cụm đó đứt.",
            "ttcs-edge walk tries zone by zone: where the meter does not rise, the line is cut.",
        ),
    ),
    "line-shorted": (
        ("chập dây một cụm loa", "one zone's line is shorted"),
        ("Có người gọi: loa rè, tăng âm nóng rực.", "Somebody calls: it crackles, and the amplifier is very hot."),
        (
            "ttcs-edge faults nói cụm nào chập sau bản tin; ttcs-edge walk cho thấy cụm nào ăn quá nhiều oát.",
            "ttcs-edge faults names it behind a bulletin; ttcs-edge walk shows which zone takes too many watts.",
        ),
    ),
    "amplifier-dead": (
        ("tăng âm chết", "the amplifier is dead"),
        ("Có người gọi: cả xã không nghe gì.", "Somebody calls: nothing is heard in the whole commune."),
        (
            "ttcs-edge faults: đến bản tin mà công tơ không tăng, trên sóng cũng im: tăng âm, không phải dây.",
            "ttcs-edge faults: a bulletin plays, neither meter nor monitor sees it: the amplifier, not a line.",
        ),
    ),
    "no-link": (
        ("mất đường truyền", "the link is gone"),
        ("Tỉnh gọi: không thấy trạm của anh đâu.", "The province calls: we do not see your station."),
        (
            "ttcs-edge doctor đi từng bước: mạng, tên, cổng; bước đỏ đầu tiên là chỗ hỏng. Bản tin vẫn phát.",
            "ttcs-edge doctor goes step by step: network, name, port; the first red one. Bulletins air all the same.",
        ),
    ),
    "hijack": (
        ("kẻ lạ chen sóng", "a stranger is on the air"),
        ("Có người gọi: loa nói tiếng lạ, bán thuốc.", "Somebody calls: it speaks a strange tongue, and sells herbs."),
        (
            "ttcs-edge faults: off-air-foreign, có ghi âm làm chứng; báo tỉnh, rồi tắt máy thu bị chiếm.",
            "ttcs-edge faults: off-air-foreign, with a recording as proof; tell the province, then switch it off.",
        ),
    ),
    "flood": (
        ("cảnh báo lũ quét của tỉnh", "the province warns of a flood"),
        ("Loa đang hú. Trưởng thôn hỏi: tắt được không?", "It yelps. The village head asks: can you turn it off?"),
        (
            "Không sửa gì, không tắt: ttcs-edge status cho biết cảnh báo nào, cụm nào đang phát.",
            "Mend nothing, mute nothing: ttcs-edge status tells which alert it is, and where it is heard.",
        ),
    ),
}
"""Each trouble: its name for the trainer, what somebody says of it, and how it could have been found."""

MESSAGES: dict[str, Pair] = {
    **{f"trouble.{name}": words[0] for name, words in _TROUBLES.items()},
    **{f"said.{name}": words[1] for name, words in _TROUBLES.items()},
    **{f"look.{name}": words[2] for name, words in _TROUBLES.items()},
    "part.line": ("dây cụm {zone}", "the line of {zone}"),
    "part.amplifier": ("tăng âm", "the amplifier"),
    "part.link": ("đường truyền", "the link"),
    "part.receiver": ("máy thu bị chiếm sóng", "the receiver that was taken"),
    "part.nothing": ("không sửa gì cả", "nothing at all"),
    "help-folder": (
        "thư mục của lớp, làm mới mỗi lần (mặc định: %(default)s)",
        "the folder of the class, made anew each time (default: %(default)s)",
    ),
    "help-no-speakers": ("không mở loa của máy này", "do not use this machine's loudspeakers"),
    "begins": ("Đang dựng trạm tập, vài giây...", "Setting up the station, some seconds..."),
    "is-up": (
        "Trạm tập đã chạy. Học viên mở cửa sổ khác, gõ:  . {file}\n"
        "rồi dùng lệnh thường ngày: ttcs-edge status, faults, walk, doctor, log...",
        "The station runs. In another window the trainee types:  . {file}\n"
        "and then uses the everyday commands: ttcs-edge status, faults, walk, doctor, log...",
    ),
    "sound": ("Tiếng của trạm ra loa máy này.", "What it airs is heard from this machine."),
    "no-sound": ("Máy này không mở loa: tiếng chỉ ghi vào tệp.", "No loudspeakers here: it airs into a file."),
    "menu": ("Giảng viên chọn sự cố:", "The trainer chooses a trouble:"),
    "keys": (
        "  0  ngẫu nhiên    r  học viên sửa    d  điểm    m  bảng này    q  nghỉ",
        "  0  any of them   r  mend            d  points  m  this list   q  leave",
    ),
    "begun": ("☎ {said}", "☎ {said}"),
    "one-at-a-time": ("Mỗi lần một sự cố: sửa xong đã (r).", "One at a time: mend this one first (r)."),
    "nothing-broken": ("Chưa có sự cố nào.", "Nothing is broken."),
    "which-part": ("Học viên sửa gì?", "What does the trainee mend?"),
    "wrong-part": ("Không phải: {part} vẫn tốt. Tìm tiếp.", "No: {part} was well. Look on."),
    "mended": (
        "✔ {trouble}: {taken_s} giây, {wrong} lần sai, {points} điểm",
        "✔ {trouble}: {taken_s} s, {wrong} times wrong, {points} points",
    ),
    "look": ("Cách tìm: {look}", "How to find it: {look}"),
    "points": ("Điểm: {points} ({count} sự cố)", "Points: {points} ({count} troubles)"),
    "unknown": ("Không hiểu: {found}", "Not understood: {found}"),
}
