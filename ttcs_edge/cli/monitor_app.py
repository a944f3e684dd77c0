"""The live screen itself: where each part stands, its keys, and that nothing is sent that has not changed.

It asks the station on a thread of its own, once in a while; what it draws is compared part by part, so that a line
that says the same costs the phone nothing. There is no animation, no mouse and no blinking.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

from msgspec import Struct
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.events import Key as KeyPressed
from textual.widgets import Static

from ttcs_edge.cli.errors import CommandError
from ttcs_edge.cli.looking_back import newest
from ttcs_edge.cli.monitor_parts import LOG_MOST, PARTS, Key, away, key_of, parts
from ttcs_edge.locale import Language, text
from ttcs_edge.locale.central_orders import why

Ask = Callable[[dict[str, Any]], dict[str, Any]]
LOG_EVERY: Final = 10
"""The log is asked for once in so many looks."""
BYTES_A_MINUTE: Final = 20_000
"""At most so much is sent while nobody presses a key; what does not fit is drawn at a later look."""
BYTES_AT_ONCE: Final = 6_000
LINE_BYTES: Final = 40
"""What a line costs beside its letters: where it stands, its colours, and blanks to its end."""
TONE_S: Final = 6
MUTE_MIN: Final = 10
WIDE: Final = 100
LEFT: Final = PARTS[: PARTS.index("faults")]
HEADED: Final = ("next", "faults", "log")


class Deed(Struct, frozen=True):
    """What a key does at the station, once it was confirmed: ``asks`` is the question on the screen, ``done`` what is
    said behind it.
    """

    request: Mapping[str, Any]
    asks: str
    done: str


DEEDS: Final[Mapping[str, Deed]] = {
    "s": Deed({"ask": "tests-stop"}, "monitor-asks-stop", "monitor-done-stop"),
    "t": Deed(
        {"ask": "lease", "zones": [], "silent": False, "now": False, "seconds": TONE_S},
        "monitor-asks-tone",
        "monitor-done-tone",
    ),
    "m": Deed({"ask": "mute", "minutes": MUTE_MIN}, "monitor-asks-mute", "monitor-done-mute"),
    "u": Deed({"ask": "unmute"}, "monitor-asks-unmute", "monitor-done-unmute"),
}
"""By key. Who may is asked at the station, as for every command."""


def cost(words: Text) -> int:
    """About how many bytes it takes to draw a part."""
    return len(words.plain.encode()) + LINE_BYTES * (1 + words.plain.count("\n"))


class Monitor(App[None]):
    """A station while it lives. ``ask`` is called on a thread, and may raise CommandError; ``every_s`` is how often."""

    CSS = """
    Screen { layout: vertical; overflow: hidden; }
    #body { height: 1fr; layout: vertical; overflow-y: auto; scrollbar-size: 0 0; }
    Screen.-wide #body { layout: horizontal; }
    Screen.-wide .column { width: 1fr; }
    .column { height: auto; }
    Static { height: auto; width: 100%; }
    .heading { text-style: bold; }
    #message { height: auto; dock: bottom; }
    """
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 (as Textual declares it)
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "quit", show=False)]

    def __init__(self, ask: Ask, lang: Language, every_s: float) -> None:
        super().__init__(ansi_color=True)
        self.animation_level = "none"
        self._asked = ask
        self._lang: Language = lang
        self._every_s = every_s
        self._shown: dict[str, Text] = {}
        self._answer: dict[str, Any] | None = None
        self._records: Sequence[dict[str, Any]] = ()
        self._seen: frozenset[Key] = frozenset()
        self._looks = 0
        self._lease: int | None = None
        self._deed: Deed | None = None
        self._busy = False
        self._left_bytes = float(BYTES_AT_ONCE)

    def compose(self) -> ComposeResult:
        """One column on a phone, two on a desk."""
        with VerticalScroll(id="body", can_focus=False):
            with Vertical(classes="column"):
                yield from self._column(LEFT)
            with Vertical(classes="column"):
                yield from self._column(PARTS[len(LEFT) :])
        yield Static(id="message")

    def _column(self, names: Sequence[str]) -> ComposeResult:
        for name in names:
            if name in HEADED:
                yield Static(text(f"cli.monitor-{name}", self._lang), classes="heading")
            yield Static(id=name)

    def on_mount(self) -> None:
        """Look as soon as the screen knows how wide it is, and then again and again."""
        self.call_after_refresh(self._begin)

    async def _begin(self) -> None:
        self._say(text("cli.monitor-keys", self._lang))
        self.set_interval(self._every_s, self.look)
        await self.look()

    async def look(self) -> None:
        """Ask the station, and show what has changed. One look at a time: a slow station is not asked twice."""
        if self._busy:
            return
        self._busy = True
        try:
            shown = await asyncio.to_thread(self._look)
        finally:
            self._busy = False
        self._show(shown)

    def _look(self) -> dict[str, Text]:
        try:
            self._answer = self._asked({"ask": "status"})
            if self._looks % LOG_EVERY == 0:
                self._records = newest(self._asked, "as-run", lambda _: True, LOG_MOST)
            if self._lease is not None:  # who looks on keeps it; nobody else does
                self._asked({"ask": "lease-state", "number": self._lease})
        except CommandError as error:
            self._lease = None
            if self._answer is None or error.code in ("not-running", "no-permission", "timeout"):
                self._looks = 0
                return away(self._words(error))
        self._looks += 1
        return self._drawn()

    def _drawn(self) -> dict[str, Text]:
        assert self._answer is not None
        try:
            return parts(self._answer, self._records, self._seen, self._lang)
        except (KeyError, TypeError, ValueError):
            return away(text("cli.error.bad-answer", self._lang))

    def _show(self, shown: Mapping[str, Text]) -> None:
        self._left_bytes = min(BYTES_AT_ONCE, self._left_bytes + self._every_s * BYTES_A_MINUTE / 60)
        for name, words in shown.items():
            cost_bytes = cost(words)
            if self._shown.get(name) != words and cost_bytes <= self._left_bytes:
                self._left_bytes -= cost_bytes
                self._shown[name] = words
                self.query_one(f"#{name}", Static).update(words)

    async def on_key(self, event: KeyPressed) -> None:
        """A key asks, y confirms, any other lets it be."""
        deed, self._deed = self._deed, None
        if deed is not None:
            await self._do(deed) if event.key == "y" else self._say(text("cli.monitor-keys", self._lang))
        elif event.key in DEEDS:
            self._deed = DEEDS[event.key]
            self._say(text(f"cli.{self._deed.asks}", self._lang, seconds=TONE_S, minutes=MUTE_MIN))
        elif event.key == "a":
            self._acknowledge()
        elif event.key in ("down", "up"):
            self.query_one("#body").scroll_relative(y=1 if event.key == "down" else -1, animate=False)
        else:
            self._say(text("cli.monitor-keys", self._lang))

    def _acknowledge(self) -> None:
        """What is wrong now is known; it comes back when it is raised anew."""
        if self._answer is not None:
            self._seen = frozenset(map(key_of, self._answer["faults"]))
            self._show(self._drawn())

    async def _do(self, deed: Deed) -> None:
        try:
            answer = await asyncio.to_thread(self._asked, dict(deed.request))
        except CommandError as error:
            self._say(self._words(error))
            return
        if deed.request["ask"] == "lease":
            self._lease = answer.get("number")
        self._say(text(f"cli.{deed.done}", self._lang, minutes=MUTE_MIN))
        await self.look()

    def _words(self, error: CommandError) -> str:
        fields = {"path": "?", "seconds": "?", "error": "?", "scope": "?"} | error.fields
        if "reason" in fields:
            fields["error"] = why(fields["reason"], "", fields, self._lang)
        mend = text(f"cli.error.{error.code}.mend", self._lang, **fields)
        return f"{text(f'cli.error.{error.code}', self._lang, **fields)}. {mend}"

    def _say(self, words: str) -> None:
        self.query_one("#message", Static).update(Text(words))
