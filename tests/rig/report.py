"""The release report: one HTML page with nothing from elsewhere, for a phone, a desk and a printer; the engineer signs.

``python -m tests.rig.report`` makes it anew from the results that were written.
"""

from __future__ import annotations

import html
from collections import Counter
from typing import Any

from tests.rig.draw import timeline
from tests.rig.words import BENCHES, CASES, CHECKS, EVENTS, FIGURES, MARKS, OUTCOMES, SCENARIOS, TRACKS, Both

STYLE = """
:root { color-scheme: light; --line: #d0d7de; --good: #1a7f37; --bad: #cf222e; --off: #6e7781; }
* { box-sizing: border-box; }
body { font: 16px/1.45 system-ui, "Noto Sans", sans-serif; color: #24292f; margin: 0 auto; padding: 12px; }
body { max-width: 1180px; }
h1 { font-size: 1.45rem; line-height: 1.25; margin: .4em 0; } h2 { font-size: 1.15rem; margin: 1.6em 0 .5em; }
h3 { font-size: 1rem; margin: 0; } i { color: #57606a; } p { margin: .35em 0; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: 5px 6px; vertical-align: top; }
tr + tr > *, thead + tbody > tr:first-child > * { border-top: 1px solid var(--line); }
td.mark, th.mark { text-align: center; width: 4em; padding: 5px 2px; white-space: nowrap; }
code { font-size: .85em; overflow-wrap: anywhere; }
.scenes { display: grid; gap: 12px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 480px), 1fr)); }
.scene { border: 1px solid var(--line); border-radius: 8px; padding: 10px; break-inside: avoid; min-width: 0; }
.scene svg { width: 100%; height: auto; display: block; margin: 8px 0 4px; }
.scene ol { margin: 4px 0; padding-left: 1.6em; font-size: .88rem; } .small { font-size: .88rem; }
.passed { color: var(--good); } .failed { color: var(--bad); } .skipped { color: var(--off); } .right { float: right; }
.verdict { border: 2px solid; border-radius: 8px; padding: 8px 12px; font-size: 1.1rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem; background: #f6f8fa; padding: 8px; }
.sign td { height: 3.2em; border-bottom: 1px solid #24292f; } .sign th { width: 40%; padding-top: 1.4em; }
@media print { body { padding: 0; font-size: 11px; } .scenes { grid-template-columns: 1fr 1fr; } }
"""
Test = dict[str, Any]


def page(found: dict[str, Any], digest: str) -> str:
    """The page, of results whose file has this SHA-256."""
    scenes = [test for test in found["tests"] if test["name"] in SCENARIOS]
    checks = [test for test in found["tests"] if test["name"] not in SCENARIOS]
    parts = [
        f"<h1>Biên bản thử bản phát hành ttcs-edge {_e(found['product'])}<br><i>Release report</i></h1>",
        _verdict(found["tests"]),
        _versions(found),
        _matrix(scenes) if scenes else "",
        _figures(scenes) if scenes else "",
        f"<h2>Từng kịch bản <i>Each scenario</i></h2>{_key()}",
        f"<div class=scenes>{''.join(map(_scene, _drawn(scenes)))}</div>",
        _skipped(scenes),
        _checks(checks),
        _signature(digest),
    ]
    return (
        '<!DOCTYPE html><html lang=vi><meta charset=utf-8><meta name=viewport content="width=device-width">'
        f"<title>ttcs-edge {_e(found['product'])}: biên bản thử / release report</title><style>{STYLE}</style>"
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _e(text: object) -> str:
    return html.escape(str(text))


def _both(words: Both) -> str:
    return f"{_e(words[0])} <i lang=en>{_e(words[1])}</i>"


def _verdict(tests: list[Test]) -> str:
    counts = Counter(test["outcome"] for test in tests)
    failed = counts["failed"] > 0 or not counts["passed"]
    verdict = OUTCOMES["failed" if failed else "passed"]
    told = ", ".join(f"{counts[one]} {_both(OUTCOMES[one])}" for one in OUTCOMES if counts[one])
    return f"<p class='verdict {'failed' if failed else 'passed'}'><b>{_both(verdict)}</b>: {told}</p>"


def _versions(found: dict[str, Any]) -> str:
    changed = " + <b class=failed>có sửa chưa ghi <i>uncommitted changes</i></b>" if found["changed"] else ""
    rows = [
        ("Phiên bản", "Version", _e(found["product"])),
        ("Mã nguồn", "Git commit", f"<code>{_e(found['commit'] or '?')}</code>{changed}"),
        ("Thử từ", "Tested from", f"{_e(found['began'])}"),
        ("đến", "to", f"{_e(found['ended'])}"),
    ]
    for name, versions in found["benches"].items():
        told = f"Debian {versions['debian']}, systemd {versions['systemd']}, Linux {versions['kernel']}"
        vietnamese, english = BENCHES.get(name, (name, name))
        rows.append((vietnamese, english, f"{_e(told)} <code>{_e(name)}</code>"))
    body = "".join(f"<tr><th>{_both((one, other))}</th><td>{value}</td></tr>" for one, other, value in rows)
    return f"<h2>Thử cái gì, ở đâu <i>What was tested, and where</i></h2><table>{body}</table>"


def _bench(test: Test) -> str:
    return next((name for name in BENCHES if test["where"].startswith(name)), test["where"])


def _title(test: Test) -> Both:
    case = test["where"].removeprefix(_bench(test)).strip("-")
    one, other = SCENARIOS[test["name"]]
    if not case:
        return one, other
    more = CASES.get(case, (case, case))
    return f"{one} {more[0]}", f"{other}, {more[1]}"


def _drawn(scenes: list[Test]) -> list[Test]:
    return [test for test in scenes if test["outcome"] != "skipped"]


def _matrix(scenes: list[Test]) -> str:
    benches = [name for name in BENCHES if any(_bench(test) == name for test in scenes)]
    titles = list(dict.fromkeys(_title(test) for test in scenes))
    outcome = {(_title(test), _bench(test)): test["outcome"] for test in scenes}
    head = "".join(f"<th class=mark>{number}</th>" for number in range(1, len(benches) + 1))
    rows = []
    for title in titles:
        marks = (outcome.get((title, name), "skipped") for name in benches)
        cells = "".join(f"<td class='mark {one}'>{MARKS[one]}</td>" for one in marks)
        rows.append(f"<tr><td>{_both(title)}</td>{cells}</tr>")
    key = "; ".join(f"<b>{number}</b> {_both(BENCHES[name])}" for number, name in enumerate(benches, 1))
    return (
        "<h2>Kịch bản <i>Scenarios</i></h2>"
        f"<p class=small>{key}. {_marks()}</p><table><thead><tr><th></th>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def _marks() -> str:
    return ", ".join(f"<b class={name}>{MARKS[name]}</b> {_both(words)}" for name, words in OUTCOMES.items())


def _seconds(value_s: float) -> str:
    return f"{value_s:.1f}".replace(".", ",") + " s"


def _figure(figure: list[Any]) -> str:
    name, value_s, most_s = figure
    kept = most_s is None or value_s <= most_s
    most = f" (≤ {_seconds(most_s)})" if most_s is not None else ""
    css, words = "passed" if kept else "failed", FIGURES.get(name, (name, name))
    return f"<b class={css}>{_seconds(value_s)}</b>{most} {_both(words)}"


def _figures(scenes: list[Test]) -> str:
    benches = [name for name in BENCHES if any(_bench(test) == name for test in scenes)]
    measured: dict[tuple[str, Both], dict[str, str]] = {}
    for test in scenes:
        for name, value_s, most_s in test.get("timeline", {}).get("figures", []):
            css = "passed" if most_s is None or value_s <= most_s else "failed"
            most = f"<br><i>≤ {_seconds(most_s)}</i>" if most_s is not None else ""
            cells = measured.setdefault((name, _title(test)), {})
            cells[_bench(test)] = f"<b class={css}>{_seconds(value_s)}</b>{most}"
    head = "".join(f"<th class=mark>{number}</th>" for number in range(1, len(benches) + 1))
    rows = "".join(
        f"<tr><td>{_both(FIGURES.get(name, (name, name)))}<br><span class=small>{_both(title)}</span></td>"
        + "".join(f"<td class=mark>{cells.get(one, '')}</td>" for one in benches)
        + "</tr>"
        for (name, title), cells in measured.items()
    )
    return (
        "<h2>Số đo, và nhiều nhất là bao nhiêu <i>Figures, and the most they may be</i></h2>"
        f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _key() -> str:
    return f"<p class=small>{'; '.join(_both(words) for words in TRACKS.values())}</p>"


def _scene(test: Test) -> str:
    seen, title = test.get("timeline"), _title(test)
    drawn = timeline(seen, _e(" / ".join(title))) if seen else ""
    events = "".join(
        f"<li>{_seconds(at_ms / 1_000)}: {_both(EVENTS.get(name, (name, name)))}</li>"
        for at_ms, name in (seen or {}).get("events", [])
    )
    figures = "".join(f"<p class=small>{_figure(one)}</p>" for one in (seen or {}).get("figures", []))
    reason = f"<pre>{_e(test['reason'])}</pre>" if test["outcome"] == "failed" else ""
    outcome = test["outcome"]
    return (
        f"<section class=scene><b class='right {outcome}'>{MARKS[outcome]} {_e(OUTCOMES[outcome][0])}</b>"
        f"<h3>{_both(title)}</h3><p class=small>{_both(BENCHES.get(_bench(test), (test['where'], '')))}</p>"
        f"{drawn}<ol>{events}</ol>{figures}{reason}<p class=small><i>{_e(test['words'])}</i></p></section>"
    )


def _skipped(scenes: list[Test]) -> str:
    reasons: dict[str, list[str]] = {}
    for test in scenes:
        if test["outcome"] == "skipped":
            reasons.setdefault(test["reason"], []).append(_title(test)[0])
    if not reasons:
        return ""
    rows = "".join(f"<tr><td>{_e(why)}</td><td>{_e('; '.join(names))}</td></tr>" for why, names in reasons.items())
    return f"<h2>Bỏ qua, và vì sao <i>Skipped, and why</i></h2><table>{rows}</table>"


def _checks(checks: list[Test]) -> str:
    if not checks:
        return ""
    rows = []
    for file in dict.fromkeys(test["file"] for test in checks):
        mine = [test for test in checks if test["file"] == file]
        counts = Counter(test["outcome"] for test in mine)
        told = ", ".join(
            f"<span class={one}>{counts[one]} {_both(OUTCOMES[one])}</span>" for one in OUTCOMES if counts[one]
        )
        worse = "".join(
            f"<pre>{_e(test['name'])} [{_e(test['where'])}]: {_e(test['reason'])}</pre>"
            for test in mine
            if test["outcome"] == "failed"
        )
        rows.append(f"<tr><th>{_both(CHECKS.get(file, (file, '')))}</th><td>{told}{worse}</td></tr>")
    return f"<h2>Kiểm tra khác <i>Other checks</i></h2><table>{''.join(rows)}</table>"


def _signature(digest: str) -> str:
    rows = "".join(
        f"<tr><th>{_both(words)}</th><td></td></tr>"
        for words in (("Kỹ sư thử", "Engineer"), ("Ngày", "Date"), ("Chữ ký", "Signature"))
    )
    return (
        "<h2>Ký <i>Signed</i></h2><p>Tôi đã xem các kết quả này và cho phép phát hành. "
        "<i>I have looked at these results and release this version.</i></p>"
        f"<table class=sign>{rows}</table>"
        f"<p class=small>SHA-256 của <i>of</i> <code>results.json</code>: <code>{_e(digest)}</code><br>"
        "Kiểm tra <i>check</i>: <code>sha256sum --check results.json.sha256</code></p>"
    )


if __name__ == "__main__":
    from tests.rig.results import FOLDER, read

    (FOLDER / "report.html").write_text(page(*read()))
