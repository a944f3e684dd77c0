"""``ttcs-edge simulate``: the trainer's screen.

It is lines and numbers, so that it can be projected, read aloud, and driven by a script. The trainee works in another
window, with the station's own commands.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from ttcs_edge.cli.errors import CommandError
from ttcs_edge.core.model import ZoneId
from ttcs_edge.drivers.sound import SoundError
from ttcs_edge.locale import Language, text
from ttcs_edge.training.lesson import Lesson, Mended
from ttcs_edge.training.school import ZONES, School, SchoolError
from ttcs_edge.training.speakers import card, follow
from ttcs_edge.training.troubles import PARTS, TROUBLES, part_of

ANY: Final = "0"


def command(options: argparse.Namespace, lang: Language) -> int:
    """Hold a class until somebody leaves it. Raises CommandError."""
    school = School(options.folder.absolute())
    print(text("training.begins", lang))
    try:
        school.begin()
        screen = Screen(school, lang)
        with_sound = options.speakers and _listen(school)
        print(text("training.is-up", lang, file=school.window))
        print(text("training.sound" if with_sound else "training.no-sound", lang))
        screen.run()
    except SchoolError as error:
        raise CommandError(f"class-{error.code}", **error.fields) from error
    finally:
        school.close()
    screen.tell_points()
    return os.EX_OK


def _listen(school: School) -> bool:
    """Let what airs be heard, where this machine has a card."""
    try:
        sink = card()
    except SoundError:
        return False
    if sink is None:
        return False
    over = threading.Event()
    threading.Thread(target=follow, args=(school.folder / "aired.wav", sink, over), daemon=True).start()
    return True


def _is_number(line: str, most: int) -> bool:
    return line.isascii() and line.isdecimal() and 1 <= int(line) <= most


class Screen:
    """A menu, and what comes of what is typed. ``dice`` decides where, and what when nobody is to know."""

    def __init__(self, school: School, lang: Language, dice: random.Random | None = None) -> None:
        self.lesson = Lesson()
        self._school = school
        self._lang: Language = lang
        self._dice = dice or random.Random()  # noqa: S311 (a class, no secret)
        self._zone = ZoneId("")

    def run(self) -> None:
        """Take lines until there are no more, or somebody leaves."""
        self._menu()
        while (line := self._read()) is not None:
            deeds: dict[str, Callable[[], None]] = {"r": self._mend, "d": self.tell_points, "m": self._menu}
            if line == "q":
                return
            if line in deeds:
                deeds[line]()
            elif (name := self._chosen(line)) is not None:
                self._break(name)
            elif line:
                self._say("unknown", found=line[:20])

    def tell_points(self) -> None:
        """What was mended so far, and what it is worth."""
        for one in self.lesson.mended:
            self._say_mended(one)
        self._say("points", points=self.lesson.points, count=len(self.lesson.mended))

    def _menu(self) -> None:
        self._say("menu")
        for number, name in enumerate(TROUBLES, start=1):
            print(f"  {number}  {text(f'training.trouble.{name}', self._lang)}")
        self._say("keys")

    def _read(self) -> str | None:
        print("> ", end="", flush=True)
        line = sys.stdin.readline()
        return line.strip().lower() if line else None

    def _chosen(self, line: str) -> str | None:
        names = list(TROUBLES)
        if line == ANY:
            return self._dice.choice(names)
        return names[int(line) - 1] if _is_number(line, len(names)) else None

    def _break(self, name: str) -> None:
        if self.lesson.trouble is not None:
            self._say("one-at-a-time")
            return
        self._zone = ZoneId(self._dice.choice(list(ZONES)))
        TROUBLES[name].breaks(self._school, self._zone)
        self.lesson.begin(name, part_of(name, self._zone), time.monotonic())
        self._say("begun", said=text(f"training.said.{name}", self._lang))

    def _mend(self) -> None:
        if self.lesson.trouble is None:
            self._say("nothing-broken")
            return
        part = self._ask("which-part", [(part, self._part(part)) for part in PARTS])
        if part is None:
            return
        trouble = self.lesson.trouble
        done = self.lesson.name(part, time.monotonic())
        if done is None:
            self._say("wrong-part", part=self._part(part))
            return
        TROUBLES[trouble].mends(self._school, self._zone)
        self._say_mended(done)
        self._say("look", look=text(f"training.look.{trouble}", self._lang))

    def _ask(self, code: str, choices: Sequence[tuple[str, str]]) -> str | None:
        self._say(code)
        for number, (_, words) in enumerate(choices, start=1):
            print(f"  {number}  {words}")
        line = self._read() or ""
        if not _is_number(line, len(choices)):
            self._say("unknown", found=line[:20])
            return None
        return choices[int(line) - 1][0]

    def _part(self, part: str) -> str:
        kind, _, zone = part.partition("-")
        name = ZONES[zone][0] if zone else ""
        return text(f"training.part.{kind}", self._lang, zone=name)

    def _say_mended(self, one: Mended) -> None:
        words = text(f"training.trouble.{one.trouble}", self._lang)
        self._say("mended", trouble=words, taken_s=one.taken_s, wrong=one.wrong, points=one.points)

    def _say(self, code: str, **fields: object) -> None:
        print(text(f"training.{code}", self._lang, **fields))
