"""The way of the sound: the device, and whether its mixer lets anything through.

While the daemon runs it alone opens the device: to try it here for a moment could cost an alert its first second.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from msgspec import Struct

from ttcs_edge.doctor.finding import Finding, green, red, unseen, yellow
from ttcs_edge.doctor.ground import Ground
from ttcs_edge.drivers.sound import SoundError, open_sink
from ttcs_edge.settings import SoundDriver

QUIET_PERCENT: Final = 20


class Control(Struct, frozen=True):
    """One control of a card that sound goes through. ``muted`` None: it cannot be muted."""

    name: str
    percent: int
    muted: bool | None


class Mixer(Protocol):
    """What tells of a card's controls. Must: give no control that has nothing to do with playing. Never: change one."""

    def controls(self, device: str) -> list[Control]:
        """The controls of the card of an ALSA device; none for one that has no card. Raises OSError."""


class AlsaMixer:
    """The mixers of ALSA."""

    def controls(self, device: str) -> list[Control]:
        """Read each control's playback switch and volume."""
        import alsaaudio

        card = card_of(device)
        try:
            names = dict.fromkeys(alsaaudio.mixers(device=card))
            mixers = [alsaaudio.Mixer(name, device=card) for name in names]
            return [one for mixer in mixers if (one := _control(mixer)) is not None]
        except alsaaudio.ALSAAudioError as error:
            raise OSError(str(error)) from error


def _control(mixer: object) -> Control | None:
    import alsaaudio

    name = mixer.mixer()  # type: ignore[attr-defined]
    if "Playback Volume" not in mixer.volumecap():  # type: ignore[attr-defined]
        return None
    try:
        muted = all(mixer.getmute())  # type: ignore[attr-defined]
    except alsaaudio.ALSAAudioError:
        muted = None
    return Control(name, max(mixer.getvolume(alsaaudio.PCM_PLAYBACK)), muted)  # type: ignore[attr-defined]


def card_of(device: str) -> str:
    """The device that holds the mixer of a PCM device.

    >>> card_of("plughw:CARD=Device,DEV=0"), card_of("hw:1"), card_of("default")
    ('hw:Device', 'hw:1', 'default')
    """
    kind, _, place = device.partition(":")
    card = place.partition(",")[0].removeprefix("CARD=")
    return f"hw:{card}" if kind in ("hw", "plughw", "sysdefault", "dmix", "front") and card else "default"


def look(ground: Ground, mixer: Mixer | None = None) -> Iterable[Finding]:
    """The device, then its mixer."""
    settings = ground.settings.sound
    if settings.driver is SoundDriver.WAV:
        yield green("sound-file", file=settings.wav_file)
        return
    if (failed := _device_fails(ground)) is not None:
        cards = _cards(ground)
        code = "sound-device" if cards else "no-sound-card"
        yield red(code, device=settings.device, error=failed, cards=", ".join(cards))
        return
    try:
        controls = (mixer or AlsaMixer()).controls(settings.device)
    except OSError:
        controls = []
    bad = [_bad(control, card_of(settings.device)) for control in controls]
    yield from [one for one in bad if one is not None] or [green("sound-good", device=settings.device)]


def _bad(control: Control, card: str) -> Finding | None:
    fields = {"control": control.name, "card": card, "percent": control.percent}
    if control.muted or control.percent == 0:
        return red("mixer-muted", **fields)
    return yellow("mixer-quiet", **fields) if control.percent < QUIET_PERCENT else None


def _device_fails(ground: Ground) -> str | None:
    """What the device says; None when it plays. The daemon's own word, where it runs."""
    status = ground.told.status
    if status is not None:
        ours = [fault for fault in ground.faults if fault["code"] == "sound-device"]
        return str(dict(ours[0]["detail"]).get("error", "?")) if ours else None
    sink = open_sink(ground.settings.sound)
    try:
        sink.begin(0)
        sink.end()
    except SoundError as error:
        return str(error)
    return None


def _cards(ground: Ground) -> list[str]:
    try:
        lines = (ground.root / "proc/asound/cards").read_text().splitlines()
    except OSError:
        return []
    return [line.partition("[")[2].partition("]")[0].strip() for line in lines if "[" in line]


def player(ground: Ground) -> Iterable[Finding]:
    """Whether what decodes and sounds is there."""
    status = ground.told.status
    if status is None:
        yield unseen("daemon-not-told")
    elif status["player_up"]:
        yield green("player-good")
    else:
        yield red("player-away")
