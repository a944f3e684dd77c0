"""The words of ``ttcs-central trust``; ``locale.central`` says them under its own name."""

from __future__ import annotations

from ttcs_edge.locale import config

TABLES: tuple[config.Words, config.Words, config.Words] = (
    {
        **config.PROBLEMS,
        "file-missing": ("Không có trust/next.yaml", "There is no trust/next.yaml"),
        "file-unreadable": ("Không đọc được trust/next.yaml", "trust/next.yaml cannot be read"),
        "named-twice": ("Khóa này ghi hai lần", "The key stands twice"),
        "no-root-grant": ("Không ai được ký gốc tin cậy kế tiếp", "Nobody could sign the root behind this one"),
        "no-such-key": ("Không có khóa này trong keys", "There is no such key under keys"),
        "other-version": ("Phiên bản không kế bản đang dùng", "The version is not the one behind that in force"),
        "outside-scope": ("Địa bàn nằm ngoài gốc tin cậy", "The scope is outside that of the trust root"),
        "same-id": ("Tên này đã dùng ở dòng {first}", "This name stands already on line {first}"),
        "same-key": ("Khóa này đã ghi ở dòng {first}", "This key stands already on line {first}"),
        "severity-alone": ("Chỉ alert mới có most_severe", "most_severe is for alert alone"),
        "threshold-unmet": ("Ngưỡng cao hơn số khóa", "The threshold is above the number of keys"),
    },
    {
        **config.EXPECTED,
        "a-key": ("tên của một khóa trong keys", "the name of a key under keys"),
        "alert-only": ("không có khóa này, trừ khi role là alert", "nothing, unless role is alert"),
        "form": ("các khóa của trust/next.yaml", "the keys of trust/next.yaml"),
        "hexadecimal": ("64 chữ số thập lục phân, chữ thường", "64 hexadecimal digits, small letters"),
        "next-version": ("{version}", "{version}"),
        "own-key": ("mỗi khóa một tên, mỗi tên một khóa", "one name a key, one key a name"),
        "readable-file": ("tệp trust/next.yaml đọc được", "a trust/next.yaml that can be read"),
        "root-grant": ("một quyền role: root cho {scope}", "a grant with role: root for {scope}"),
        "scope-below": ("{scope} hoặc địa bàn bên dưới", "{scope} or a scope below it"),
    },
    {
        **config.MENDS,
        "add-key": ("thêm khóa {found} vào keys, hoặc xóa ở đây", "add {found} under keys, or delete it here"),
        "add-root-grant": (
            "thêm lại quyền role: root, với các khóa gốc",
            "put the grant with role: root back, with the root keys",
        ),
        "add-section": (
            "thêm nhóm {name}:, theo tệp mà lệnh draft viết ra",
            "add the section {name}:, as in the file that draft writes",
        ),
        "delete-name": ("xóa một trong hai", "delete one of the two"),
        "delete-one-key": ("xóa dòng này hoặc dòng {first}", "delete this one or the one on line {first}"),
        "delete-severity": ("xóa dòng này", "delete this line"),
        "give-access": ("cho người dùng này quyền đọc (chown, chmod)", "let this user read it (chown, chmod)"),
        "give-file": (
            "viết lại tệp: ttcs-central trust THƯ-MỤC draft --force",
            "write it anew: ttcs-central trust FOLDER draft --force",
        ),
        "lower-threshold": ("giảm ngưỡng, hoặc thêm khóa", "lower it, or add keys"),
        "make-file": (
            "viết tệp: ttcs-central trust THƯ-MỤC draft --force",
            "write it: ttcs-central trust FOLDER draft --force",
        ),
        "other-id": ("đặt tên khác", "give it another name"),
        "write-scope": ("sửa địa bàn", "correct the scope"),
        "write-version": ("ghi số trên", "write the number above"),
    },
)
"""The words of what is wrong with a ``trust/next.yaml``."""

ERRORS: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "approval-late": (
        (
            "{subject} đã có phiên bản {found}, bản chờ duyệt là {version}",
            "{subject} has version {found} already, what is to be approved is version {version}",
        ),
        (
            "Chưa gửi gì. Làm lại từ đầu: ttcs-central {command} ... --sign-only TỆP",
            "Nothing was sent. Begin anew: ttcs-central {command} ... --sign-only FILE",
        ),
    ),
    "bad-approval": (
        (
            "{file} không phải chương trình hay cảnh báo chờ duyệt: {found}",
            "{file} is no programme or alert to be approved: {found}",
        ),
        (
            "Lấy tệp mà publish hoặc alert ... --sign-only đã viết, của trung tâm này",
            "Take the file that publish or alert ... --sign-only wrote, of this centre",
        ),
    ),
    "bad-key-wish": (
        ("{option}: không hiểu {found}", "{option}: {found} is no key"),
        (
            "Viết TÊN:publish hoặc TÊN:root; với --add-key thêm phần công khai: TÊN:root:64 chữ số thập lục phân",
            "Write NAME:publish or NAME:root; for --add-key with its public part: NAME:root:64 hexadecimal digits",
        ),
    ),
    "bad-next-root": (
        ("Không dùng được {file}: {found}", "{file} cannot be used: {found}"),
        (
            "Chép lại từ máy vừa ký; nếu không còn, xóa tệp này rồi ký lại từ đầu",
            "Copy it back from the machine that signed; if it is lost, delete it, and all sign again",
        ),
    ),
    "bad-threshold-wish": (
        ("--threshold: không hiểu {found}", "--threshold: {found} is none"),
        ("Viết như publish=2; quyền: {roles}", "Write it as publish=2; roles: {roles}"),
    ),
    "bad-trust-file": (
        ("Gốc tin cậy kế tiếp: {count} chỗ sai; chưa ký gì", "The next trust root: {count} wrong; nothing was signed"),
        ("Sửa những chỗ trên, rồi chạy lại", "Mend those above, then run it again"),
    ),
    "centre-not-changed": (
        ("Không tự thêm khóa vào {file} được", "The key cannot be put into {file} as it is written"),
        ("Thêm dòng này vào keys, rồi chạy lại:\n{lines}", "Add this under keys, then run it again:\n{lines}"),
    ),
    "draft-changed": (
        ("{file} không còn như bản đã ký ({by})", "{file} does not say any more what was signed ({by})"),
        (
            "Trả {file} về như cũ; hoặc xóa {signed} để mọi người ký lại bản mới",
            "Put {file} back as it was; or delete {signed}, and all sign the new one",
        ),
    ),
    "draft-exists": (
        ("Đã có {file}", "{file} is there already"),
        (
            "Xem: ttcs-central trust {folder} show. Bỏ bản đó, cả chữ ký: thêm --force",
            "See: ttcs-central trust {folder} show. To drop it, signatures and all: --force",
        ),
    ),
    "key-exists": (
        ("Đã có khóa {name}, đang dùng hoặc đã thu hồi", "There is a key {name}, in use or revoked"),
        ("Đặt tên khác, và dùng khóa mới", "Choose another name, and another key"),
    ),
    "next-changed": (
        ("{file} vừa thay đổi", "{file} has just changed"),
        ("Có người đang ký: chạy lại", "Somebody is signing: run it again"),
    ),
    "no-root-key": (
        ("Máy này không có khóa gốc nào còn phải ký: {names}", "No root key that is to sign is here: {names}"),
        (
            "Cắm USB token, hoặc chép khóa vào {folder}/keys/TÊN.pem; hoặc mang centre.yaml và trust/ tới máy có khóa",
            "Plug the token in, or put a key into {folder}/keys/NAME.pem; or carry centre.yaml and trust/ to it",
        ),
    ),
    "no-signer": (
        (
            "Không có khóa {role} nào ở đây mà gốc tin cậy công nhận",
            "No {role} key is here that the trust root knows",
        ),
        ("Xem: ttcs-central trust {folder} show", "See: ttcs-central trust {folder} show"),
    ),
    "no-such-grant": (
        ("Gốc tin cậy không giao quyền {role}", "The trust root grants nobody the role {role}"),
        ("Thêm quyền này vào trust/next.yaml bằng tay", "Add the grant to trust/next.yaml by hand"),
    ),
    "no-trust-draft": (
        ("Không có {file}", "There is no {file}"),
        ("Viết trước: ttcs-central trust {folder} draft", "Write it first: ttcs-central trust {folder} draft"),
    ),
    "other-private-key": (
        ("Phần riêng không khớp với khóa {names}", "The private part is not that of the key {names}"),
        ("Đặt đúng tệp khóa vào keys/; chưa ghi gì", "Put the right file into keys/; nothing was written"),
    ),
    "root-signatures-lacking": (
        (
            "Gốc tin cậy bản {version} thiếu chữ ký: {old_missing} của khóa gốc bản {old} ({old_names}),"
            " {new_missing} của chính nó ({new_names})",
            "Root version {version} lacks signatures: {old_missing} by root keys of version {old} ({old_names}),"
            " {new_missing} by its own ({new_names})",
        ),
        (
            "Chưa gửi gì. Mang centre.yaml và trust/ tới những người đó: ttcs-central trust {folder} sign",
            "Nothing was sent. Carry centre.yaml and trust/ to them: ttcs-central trust {folder} sign",
        ),
    ),
    "threshold-unmet": (
        (
            "Quyền {role} cho {scope} cần {threshold} khóa cùng ký, chỉ còn: {keys}",
            "The grant {role} for {scope} wants {threshold} to sign together, and has the keys: {keys}",
        ),
        (
            "Thêm --new-key TÊN:publish (hoặc :root), hay --threshold {role}=N",
            "Add --new-key NAME:publish (or :root), or --threshold {role}=N",
        ),
    ),
    "too-many-keys": (
        ("Quá nhiều khóa: {count}", "Too many keys: {count}"),
        ("Nhiều nhất {most}: thu hồi bớt", "At most {most}: revoke some"),
    ),
    "trust-behind": (
        (
            "Máy chủ MQTT có gốc tin cậy bản {version}, thư mục này mới có bản {ours}",
            "The broker has trust root version {version}, this folder version {ours}",
        ),
        (
            "Thư mục này là bản cũ: chép {folder}/trust từ máy đã phát hành bản kia",
            "This folder is an old copy: copy {folder}/trust from the machine that published the other",
        ),
    ),
    "trust-refused": (
        ("Trạm sẽ từ chối gốc tin cậy này: {found} {detail}", "Stations would refuse this root: {found} {detail}"),
        (
            "Chưa gửi gì. Bản đã hết hạn: viết bản mới (draft). Nếu không: chép lại thư mục trust từ bản sao lưu",
            "Nothing was sent. If it has expired, draft the next one; else copy the folder trust back from a backup",
        ),
    ),
    "unknown-key": (
        ("Không có khóa {names}", "There is no key {names}"),
        ("Các khóa: {known}", "The keys are: {known}"),
    ),
}
"""What went wrong, and what mends it."""

HELP: dict[str, tuple[str, str]] = {
    "trust": ("khóa: xem, thay, thu hồi, duyệt hai người", "keys: see, replace, revoke; approval by two"),
    "trust-show": ("xem ai được làm gì, và bản nào đang chờ ký", "show who may do what, and what waits to be signed"),
    "trust-draft": (
        "viết gốc tin cậy kế tiếp vào trust/next.yaml để xem và sửa",
        "write the next trust root to trust/next.yaml, to be looked at and changed",
    ),
    "trust-sign": ("ký bản đó bằng những khóa gốc có ở máy này", "sign it with the root keys that are here"),
    "trust-sign-elsewhere": (
        "Trên máy khác chỉ cần bản sao của centre.yaml và trust/, và khóa của mình ở"
        "\nkeys/TÊN.pem. Ký xong, mang trust/next.dsse.json về.",
        "On another machine a copy of centre.yaml and trust/ is enough, with one's own"
        "\nkey in keys/NAME.pem. Bring trust/next.dsse.json back.",
    ),
    "trust-publish": (
        "đưa bản đã đủ chữ ký vào hiệu lực và gửi cho các trạm; không có bản mới: gửi lại",
        "put the root in force once enough have signed, and send it; without a new one: send again",
    ),
    "approve": (
        "duyệt: ký thêm chương trình hoặc cảnh báo đã có người ký",
        "approve: sign a programme or alert that somebody signed",
    ),
    "help-approve-file": (
        "tệp mà publish hoặc alert --sign-only đã viết",
        "the file that publish or alert --sign-only wrote",
    ),
    "help-approve-sign-only": ("ký vào tệp, không gửi", "sign the file, send nothing"),
    "help-approve-yes": ("ký mà không hỏi lại", "sign without asking"),
    "help-sign-only": (
        "ký rồi viết vào tệp này để người khác duyệt (approve)",
        "sign it and write it to this file, for others to approve",
    ),
    "help-trust-action": ("việc cần làm; xem thêm: ... ACTION --help", "what to do; see: ... ACTION --help"),
    "help-trust-json": ("in một đối tượng JSON", "print one JSON object"),
    "help-trust-revoke": ("thu hồi khóa này (lặp lại được)", "revoke this key (may be repeated)"),
    "help-trust-new-key": (
        "tạo khóa mới ở đây, thay khóa bị thu hồi; ROLE: publish, root",
        "make a key here, in the place of those revoked; ROLE: publish, root",
    ),
    "help-trust-add-key": (
        "nhận khóa tạo ở máy khác; HEX: phần công khai",
        "take a key made elsewhere; HEX: its public part",
    ),
    "help-trust-threshold": (
        "N khóa phải cùng ký; publish=2: hai người cùng duyệt",
        "N keys sign together; publish=2: two people approve",
    ),
    "help-trust-force": ("bỏ bản nháp đang có, cả chữ ký", "drop the draft that is there, signatures too"),
    "help-trust-with": ("chỉ ký bằng khóa này (lặp lại được)", "sign with this key only (may be repeated)"),
    "help-trust-yes": (
        "không hỏi về những gì sẽ bị các trạm bỏ",
        "do not ask about what stations will withdraw",
    ),
}

MESSAGES: dict[str, tuple[str, str]] = {
    **HELP,
    "approve-ask": ("Duyệt và ký? [c/K]", "Approve and sign it? [y/N]"),
    "approve-signed-by": ("Đã ký: {names}", "Signed by: {names}"),
    "approve-lacks": (
        "Còn thiếu chữ ký: có {found}, cần {expected}. Mang {file} tới người tiếp theo.",
        "Signatures lack: {found} of {expected}. Carry {file} to the next.",
    ),
    "approve-enough": (
        "Đủ chữ ký. Ở trung tâm: ttcs-central approve THƯ-MỤC {name}",
        "Enough have signed. At the centre: ttcs-central approve FOLDER {name}",
    ),
    "approve-written": (
        "Đã ký và viết {file}. Người duyệt: ttcs-central approve {folder} {file}",
        "Signed, in {file}. Who approves: ttcs-central approve {folder} {file}",
    ),
    "trust-root": ("Gốc tin cậy {scope}, bản {version}", "Trust root {scope}, version {version}"),
    "trust-issued": ("lập {date}", "issued {date}"),
    "trust-until": ("hết hạn {date}, còn {days} ngày", "until {date}, {days} days left"),
    "trust-unused": (
        "Khóa trong centre.yaml không còn quyền gì: {names}",
        "Keys of centre.yaml that nothing is granted to: {names}",
    ),
    "trust-nothing": ("Không có bản nào đang chờ ký.", "No root waits to be signed."),
    "trust-next": ("Bản kế tiếp: {version}", "The next one: version {version}"),
    "trust-until-next": ("hết hạn {date}", "until {date}"),
    "trust-wrong": (
        "trust/next.yaml có {count} chỗ sai: lệnh sign chỉ từng chỗ",
        "trust/next.yaml has {count} mistakes: sign tells each",
    ),
    "trust-changed": (
        "trust/next.yaml không còn như bản đã ký",
        "trust/next.yaml does not say any more what was signed",
    ),
    "trust-unsigned": (
        "trust/next.yaml chưa ai ký: chưa có hiệu lực",
        "Nobody has signed trust/next.yaml: it is not in force",
    ),
    "trust-signed-by": ("Đã ký: {names}", "Signed by: {names}"),
    "trust-lacks": (
        "Khóa gốc bản {version}: còn thiếu {count} trong: {names}",
        "Root keys of version {version}: {count} more of: {names}",
    ),
    "trust-enough": ("Khóa gốc bản {version}: đủ chữ ký", "Root keys of version {version}: enough"),
    "trust-key-made": (
        "Khóa {name} ở {file}, phần công khai: {public}",
        "The key {name} is {file}, its public part: {public}",
    ),
    "trust-key-elsewhere": (
        "Khóa {name} ở nơi khác; phần công khai: {public}",
        "The key {name} is elsewhere; its public part: {public}",
    ),
    "trust-move-root": (
        "Đó là khóa gốc: cất ra khỏi máy này, như các khóa gốc khác.",
        "It is a root key: move it off this machine, like the others.",
    ),
    "trust-keys-gone": ("Thu hồi: {names}", "Revoked: {names}"),
    "trust-keys-come": ("Khóa mới: {names}", "New keys: {names}"),
    "trust-drafted": (
        "Đã viết {file}, bản {version}. Xem lại, rồi: ttcs-central trust {folder} sign",
        "Wrote {file}, version {version}. Look at it, then: ttcs-central trust {folder} sign",
    ),
    "trust-signed-new": ("Vừa ký: {names}", "Just signed: {names}"),
    "trust-signed-away": ("Không có ở đây: {names}", "Not here: {names}"),
    "trust-carry-on": (
        "Mang centre.yaml và trust/ của {folder} tới người ký tiếp theo.",
        "Carry centre.yaml and trust/ of {folder} to who signs next.",
    ),
    "trust-ready": ("Đủ chữ ký: ttcs-central trust {folder} publish", "Enough: ttcs-central trust {folder} publish"),
    "trust-withdraws": (
        "CÁC TRẠM SẼ BỎ NGAY, vì chỉ khóa bị thu hồi đã ký: {count}",
        "STATIONS WILL WITHDRAW AT ONCE, because only revoked keys had signed it: {count}",
    ),
    "withdrawn.programme": ("chương trình {subject} phiên bản {version}", "programme {subject} version {version}"),
    "withdrawn.alert": ("cảnh báo {subject} bản {version}", "alert {subject} version {version}"),
    "trust-ask": ("Vẫn gửi? [c/K]", "Send it all the same? [y/N]"),
    "trust-published": (
        "Gốc tin cậy {scope} bản {version} có hiệu lực, đến {expires}; đã gửi {count} bản",
        "Trust root {scope} version {version} is in force, until {expires}; {count} sent",
    ),
    "trust-sent-again": (
        "Đã gửi lại gốc tin cậy {scope} bản {version}, đến {expires}; {count} bản",
        "Trust root {scope} version {version}, until {expires}, was sent again; {count} in all",
    ),
    "trust-publish-again": (
        "Phát hành lại những gì bị bỏ: ttcs-central publish {folder} ...",
        "Publish again what was withdrawn: ttcs-central publish {folder} ...",
    ),
    "trust-restart": (
        "Khởi động lại các lệnh đang chạy (beacon, cap-feed, live): chúng còn dùng khóa cũ.",
        "Restart what runs all the time (beacon, cap-feed, live): it still has the old keys.",
    ),
    "export-trust": ("Gốc tin cậy đến bản {version}", "Trust roots up to version {version}"),
    "export-revoked": (
        "{scope} phiên bản {version} do khóa đã thu hồi ký: không xuất, hãy phát hành lại",
        "{scope} version {version} was signed by a revoked key: left out, publish it again",
    ),
}
