"""The status on a screen: what the station does now, what comes next, and its faults, each with its mend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from ttcs_edge.cli.draw_faults import meaning, mend, words_of
from ttcs_edge.cli.draw_schedule import lack_words
from ttcs_edge.locale import Language, text
from ttcs_edge.locale.central_orders import why
from ttcs_edge.terminal import screen
from ttcs_edge.terminal.power import shed_words

Answer = dict[str, Any]
FOREIGN_SHOWN_SHARE = 0.25
"""How much of what the monitor hears must be foreign to be worth a word."""


def show(answer: Answer, lang: Language) -> None:
    """Draw the status; faults last, where a phone's screen ends."""
    now = screen.local(answer["wall_ms"], screen.zone_of(answer["time_zone"]))
    parts: list[RenderableType] = [screen.pairs(_now(answer, lang, now))]
    sections: tuple[tuple[str, Sequence[RenderableType]], ...] = (
        ("cli.programmes", _programmes(answer, lang, now)),
        ("cli.next", _next(answer, lang, now)),
        ("cli.open-faults", _faults(answer, lang, now)),
    )
    for heading, items in sections:
        parts += [screen.styled(""), screen.styled(text(heading, lang), screen.HEADING)]
        parts += [screen.indented(item) for item in items]
    screen.show(screen.console(), parts)


def _now(answer: Answer, lang: Language, now: datetime) -> list[tuple[str, Text]]:
    trusted = text("cli.time-trusted" if answer["clock_trusted"] else "cli.time-untrusted", lang)
    clock = screen.joined(
        [
            f"{now:%H:%M:%S} {screen.date_words(now, lang)} ({now:%Z})",
            screen.styled(trusted, "" if answer["clock_trusted"] else screen.BAD),
        ]
    )
    rows = [
        ("cli.station", screen.styled(answer["station"], screen.HEADING)),
        ("cli.scope", screen.styled(answer["scope"])),
        ("cli.time", clock),
        *_clock(answer, lang),
        ("cli.state", screen.styled(text(f"cli.state.{answer['state']}", lang))),
        *([("cli.on-air", _on_air(answer["on_air"], lang))] if answer["on_air"] else []),
        ("cli.amplifier", screen.styled(text(f"cli.amplifier.{answer['amplifier']}", lang))),
        ("cli.zones", screen.styled(", ".join(answer["zones_closed"]) or text("cli.zones-none", lang))),
        *([("cli.meter", _meter(answer["meter"], lang))] if answer["meter"] else []),
        *([("cli.power", _power(answer["power"], lang))] if answer["power"] else []),
        *([("cli.box", _box(answer["box"], lang))] if answer["box"] else []),
        *([("cli.off-air", _off_air(answer["off_air"], lang))] if answer["off_air"] else []),
        *([("cli.recordings", _recordings(answer["recordings"], lang))] if answer["recordings"] else []),
        *([("cli.self-test", _self_test(answer["self_test"], lang, now))] if answer.get("self_test") else []),
        *([("cli.volumes", _volumes(answer["volumes"], lang, now))] if answer["volumes"] else []),
        ("cli.relays", _relays(answer["relays"], lang)),
        ("cli.link", _good_or_bad(answer["link_up"], "cli.link-up", "cli.link-down", lang)),
        *([("cli.modem", _modem(answer["modem"], lang))] if answer["modem"] else []),
        ("cli.outbox", _outbox(answer["outbox"], lang)),
        ("cli.player", _player(answer, lang)),
        ("cli.audio", _audio(answer["cache"], lang)),
        (
            "cli.software",
            screen.styled(text("cli.software-boot", lang, version=answer["version"], boot=answer["boot"])),
        ),
    ]
    return [(text(code, lang), value) for code, value in rows]


def _volumes(volumes: Sequence[Answer], lang: Language, now: datetime) -> Text:
    """How loud the centre wants some zones, and until when: why a village is quieter than its file says."""
    words = []
    for one in volumes:
        until = screen.local(one["until_ms"], now.tzinfo)
        when = f"{until:%H:%M} {screen.date_words(until, lang)}"
        words.append(text("cli.volume-until", lang, zone=one["zone"], percent=one["percent"], until=when))
    return screen.styled("; ".join(words), screen.DOUBTFUL)


def _clock(answer: Answer, lang: Language) -> list[tuple[str, Text]]:
    """Whose time it is; without trusted time, why, source by source."""
    if answer["clock_source"]:
        return [("cli.clock-source", screen.styled(text(f"cli.time-source.{answer['clock_source']}", lang)))]
    lines = []
    for told in answer["clock_words"]:
        source, word = text(f"cli.time-source.{told['source']}", lang), text(f"cli.time-word.{told['word']}", lang)
        lines.append(f"{source}: {word}")
    return [("cli.clock-source", screen.styled("; ".join(lines), screen.DOUBTFUL))] if lines else []


def _good_or_bad(good: bool, good_code: str, bad_code: str, lang: Language) -> Text:
    return screen.styled(text(good_code if good else bad_code, lang), "" if good else screen.BAD)


def _on_air(on_air: Answer, lang: Language) -> Text:
    position = f"{screen.length_words(on_air['position_ms'])}/{screen.length_words(on_air['duration_ms'])}"
    level = text("cli.level", lang, rms=round(on_air["rms_db"]), peak=round(on_air["peak_db"]))
    return screen.joined([screen.styled(on_air["title"], screen.HEADING), position, level])


def _relays(relays: dict[str, bool], lang: Language) -> Text:
    words = {True: text("cli.relay-closed", lang), False: text("cli.relay-open", lang)}
    others = ("amplifier", "microphone", "transmitter", "fan", "modem")
    names = {name: text(f"cli.relay-{name}", lang) for name in others}
    return screen.joined(f"{names.get(subject, subject)} {words[closed]}" for subject, closed in relays.items())


def _meter(meter: Answer, lang: Language) -> Text:
    watts, volts, energy_kwh = f"{meter['watts']:.0f}", f"{meter['volts']:.0f}", f"{meter['energy_wh'] / 1_000:.1f}"
    return screen.styled(text("cli.meter-words", lang, watts=watts, volts=volts, energy=energy_kwh))


def _power(power: Answer, lang: Language) -> Text:
    """Mains and battery, as far as anybody tells, and why the village hears less than it should."""
    parts = []
    if power["mains"] is not None:
        parts.append(_good_or_bad(power["mains"], "cli.mains-there", "cli.mains-away", lang))
    if battery := power["battery"]:
        words = [text("cli.battery", lang, percent=battery["percent"])]
        if battery["volts"] is not None:
            words.append(text("cli.battery-volts", lang, volts=f"{battery['volts']:.1f}"))
        if battery["charging"]:
            words.append(text("cli.battery-charging", lang))
        parts.append(screen.styled(" ".join(words)))
    shed = power["shed"]
    saved = shed_words(shed["volume_percent"], shed["zones"], shed["zones_most"], shed["alerts_only"], lang)
    return screen.joined([*parts, screen.styled(saved, screen.DOUBTFUL)])


def _box(box: Answer, lang: Language) -> Text:
    parts = []
    if box["celsius"] is not None:
        parts.append(screen.styled(text("cli.box-celsius", lang, celsius=f"{box['celsius']:.0f}")))
    if box["fan_on"] is not None:
        parts.append(screen.styled(text("cli.box-fan-on" if box["fan_on"] else "cli.box-fan-off", lang)))
    if box["door_open"] is not None:
        parts.append(_good_or_bad(not box["door_open"], "cli.box-door-shut", "cli.box-door-open", lang))
    return screen.joined(parts)


def _modem(modem: Answer, lang: Language) -> Text:
    """Whose network and how well it is heard, or what is wrong; what of the SIM's data is used; what was tried."""
    parts: list[Text | str] = []
    if not modem["answers"]:
        parts.append(screen.styled(text("cli.modem-silent", lang), screen.BAD))
    elif modem["sim"] != "ready":
        words = text("cli.modem-sim", lang, words=text(f"cli.sim.{modem['sim']}", lang))
        parts.append(screen.styled(words, screen.BAD))
    else:
        is_in = modem["registration"] in ("home", "roaming")
        words = text(f"cli.registration.{modem['registration']}", lang)
        parts.append(screen.styled(f"{modem['operator']} {words}".strip(), "" if is_in else screen.BAD))
    if modem["signal_dbm"] is not None:
        parts.append(f"{modem['signal_dbm']} dBm")
    used, budget_bytes = modem["used_bytes"] // 1_000_000, modem["budget_bytes"]
    if budget_bytes is not None:
        parts.append(text("cli.modem-budget", lang, used=used, budget=budget_bytes // 1_000_000))
    elif used:
        parts.append(text("cli.modem-data", lang, used=used))
    if modem["cures"]:
        parts.append(screen.styled(text("cli.modem-cures", lang, count=modem["cures"]), screen.DOUBTFUL))
    return screen.joined(parts)


def _off_air(heard: Answer, lang: Language) -> Text:
    parts = [screen.styled(text("cli.off-air-words", lang, heard=round(heard["heard_db"])))]
    if heard["match"] is not None:
        share = f"{100 * max(0.0, heard['match']):.0f}"
        parts.append(screen.styled(text("cli.off-air-ours", lang, match=share, lag=heard["lag_ms"])))
    if heard["foreign_share"] >= FOREIGN_SHOWN_SHARE and heard["variety_db"]:
        words = text("cli.off-air-foreign", lang, foreign=round(heard["foreign_db"]))
        parts.append(screen.styled(words, screen.DOUBTFUL))
    return screen.joined(parts)


def _recordings(recordings: Sequence[Answer], lang: Language) -> Text:
    words = text("cli.recordings-words", lang, count=len(recordings), file=recordings[-1]["file"])
    return screen.styled(words, screen.DOUBTFUL)


def _self_test(test: Answer, lang: Language, now: datetime) -> Text:
    """What the last one found: each zone that is not as it should be, or of which nothing was seen."""
    when = screen.moment_words(screen.local(test["began_ms"], now.tzinfo), now, lang)
    if test["skipped"] is not None:
        words = text("cli.self-test-skipped", lang, when=when, why=why(test["skipped"], "", {}, lang))
        return screen.styled(words, screen.DOUBTFUL)
    others = [zone for zone in test["zones"] if zone["outcome"] != "good"]
    if not others:
        return screen.styled(text("cli.self-test-good", lang, when=when))
    told = ((zone["zone"], text(f"cli.walk-outcome.{zone['outcome']}", lang)) for zone in others)
    words = "; ".join(text("cli.self-test-of-zone", lang, name=name, outcome=outcome) for name, outcome in told)
    return screen.joined([screen.styled(when), screen.styled(words, screen.DOUBTFUL)], ": ")


def _outbox(outbox: Answer, lang: Language) -> Text:
    if not outbox["depth"]:
        return screen.styled(text("cli.outbox-empty", lang))
    age = screen.age_words(outbox["oldest_age_s"], lang)
    return screen.styled(text("cli.outbox-waiting", lang, depth=outbox["depth"], age=age))


def _player(answer: Answer, lang: Language) -> Text:
    state = _good_or_bad(answer["player_up"], "cli.player-up", "cli.player-down", lang)
    count = answer["underruns"]
    return screen.joined(
        [state, screen.styled(text("cli.underruns", lang, count=count), screen.DOUBTFUL if count else "")]
    )


def _audio(cache: Answer, lang: Language) -> Text:
    whole = cache["stored_files"] == cache["wanted_files"]
    words = text(
        "cli.audio-stored",
        lang,
        stored=cache["stored_files"],
        wanted=cache["wanted_files"],
        stored_mb=f"{cache['stored_bytes'] / 1e6:.1f}",
        wanted_mb=f"{cache['wanted_bytes'] / 1e6:.1f}",
    )
    return screen.styled(words, "" if whole else screen.DOUBTFUL)


def _programmes(answer: Answer, lang: Language, now: datetime) -> list[Text]:
    lines = []
    for one in answer["programmes"]:
        expires = screen.date_words(screen.local(one["expires_ms"], now.tzinfo), lang)
        words = [
            text("cli.programme-version", lang, version=one["version"]),
            text("cli.programme-slots", lang, slots=one["slots"]),
            text("cli.programme-expires", lang, when=expires),
        ]
        lines.append(screen.joined([f"{one['scope']}: {words[0]}", *words[1:]]))
    return lines or [screen.styled(text("cli.programmes-none", lang))]


def _next(answer: Answer, lang: Language, now: datetime) -> list[Text]:
    lines = []
    for one in answer["next_cues"]:
        missing = "" if one["audio_ready"] else screen.styled(lack_words(one["lack"], lang), screen.DOUBTFUL)
        when = screen.moment_words(screen.local(one["planned_ms"], now.tzinfo), now, lang)
        lines.append(screen.joined([f"{when} {one['title']}", ", ".join(one["zones"]), missing], "; "))
    return lines or [screen.styled(text("cli.next-none", lang))]


def _faults(answer: Answer, lang: Language, now: datetime) -> list[RenderableType]:
    lines: list[RenderableType] = []
    for one in answer["faults"]:
        words = words_of(one, lang)
        lines += [meaning(one, words, lang, now), mend(words, lang)]
    return lines or [screen.styled(text("cli.faults-none", lang))]
