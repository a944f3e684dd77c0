"""What was seen of feeds, and what became of it: ``feeds.db`` in the centre's folder, and each CAP file beside it.

1 What a feed lists is on the disk in the same step as the tag by which its server says that nothing has changed: an
  entry whose file could not be had is tried again, though the feed does not list it any more.
2 A message is on the disk before anything is decided of it, and what was decided before anything goes out. So whoever
  is killed at any instant goes on where it was; that nothing goes out twice is for ``feed_pass``.
3 A message is one by its sender and its identifier (CAP 1.2, 3.2.1). One that comes with other content is none.
4 Nothing here grows without bound: what is over, and what no feed has listed for a month, is forgotten.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from ttcs_edge.central.cap_file import CapMessage
from ttcs_edge.central.centre import Centre, utc
from ttcs_edge.central.errors import CentralError
from ttcs_edge.central.feed_entries import Entry
from ttcs_edge.central.feed_fetch import Tags
from ttcs_edge.central.feed_match import Plan
from ttcs_edge.core.documents import AlertReference
from ttcs_edge.durable import prepare, transaction

State = Literal["new", "asked", "passing", "passed", "dropped"]
FILE: Final = "feeds.db"
FOLDER: Final = "feeds"
"""Where CAP files lie, and the lock of whoever passes them on."""
VERSION: Final = 1
BUSY_S: Final = 10.0
ENTRIES_AT_ONCE: Final = 1_000
WAITING_ENTRIES: Final = 5_000
KEEP_MS: Final = 30 * 86_400_000
_SCHEMA: Final = (
    "CREATE TABLE feeds (feed TEXT PRIMARY KEY, etag TEXT NOT NULL, modified TEXT NOT NULL) STRICT, WITHOUT ROWID",
    """\
CREATE TABLE entries (
    feed TEXT NOT NULL, entry TEXT NOT NULL, edition TEXT NOT NULL, link TEXT NOT NULL, updated_s REAL NOT NULL,
    done INTEGER NOT NULL, tries INTEGER NOT NULL, first_ms INTEGER NOT NULL, next_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL, PRIMARY KEY (feed, entry)
) STRICT, WITHOUT ROWID
""",
    """\
CREATE TABLE messages (
    number INTEGER PRIMARY KEY AUTOINCREMENT, feed TEXT NOT NULL, sender TEXT NOT NULL, identifier TEXT NOT NULL,
    sent TEXT NOT NULL, until TEXT NOT NULL, digest TEXT NOT NULL, file TEXT NOT NULL, headline TEXT NOT NULL,
    state TEXT NOT NULL, why TEXT NOT NULL, plan BLOB, begun_ms INTEGER, UNIQUE (feed, sender, identifier)
) STRICT
""",
    """\
CREATE TABLE refs (
    number INTEGER NOT NULL, sender TEXT NOT NULL, identifier TEXT NOT NULL, PRIMARY KEY (number, sender, identifier)
) STRICT, WITHOUT ROWID
""",
)


class Wanted(Struct, frozen=True):
    """An entry whose file is still to be had; ``first_ms``: since when."""

    entry: str
    link: str
    tries: int
    first_ms: int


class Message(Struct, frozen=True, kw_only=True):
    """A message of a feed, and how far it has come. ``why`` it was dropped, or could not be passed on."""

    number: int
    sender: str
    identifier: str
    sent: str
    file: str
    headline: str
    state: State
    why: str
    plan: Plan | None


_COLUMNS: Final = "number, sender, identifier, sent, file, headline, state, why, plan"


class Book:
    """What was seen of one feed. Several processes may use it; who passes on does so ``alone``."""

    def __init__(self, connection: sqlite3.Connection, feed: str, folder: Path) -> None:
        self._connection = connection
        self._feed = feed
        self.folder = folder

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only one who decides and passes on."""
        with open(self.folder / ".lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    # -- what the feed lists

    def tags(self) -> Tags:
        """By what the server tells whether the feed has changed since all of it was taken in."""
        row = self._connection.execute("SELECT etag, modified FROM feeds WHERE feed = ?", (self._feed,)).fetchone()
        return Tags(*row) if row else Tags()

    def take_in(self, entries: Sequence[Entry], tags: Tags, now_ms: int) -> int:
        """Take in what the feed lists; gives how many entries must wait for the next time, because there are too many.

        Then the tags are not kept: the feed will be read again, changed or not.
        """
        with transaction(self._connection):
            room = min(ENTRIES_AT_ONCE, WAITING_ENTRIES - self._waiting())
            left = 0
            for one in entries:
                known = self._connection.execute(
                    "UPDATE entries SET seen_ms = ? WHERE feed = ? AND entry = ? AND edition = ?",
                    (now_ms, self._feed, one.id, one.edition),
                ).rowcount
                if not known and room <= 0:
                    left += 1
                elif not known:
                    room -= 1
                    row = (self._feed, one.id, one.edition, one.link, one.updated_s, now_ms, now_ms, now_ms)
                    self._connection.execute(
                        "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, 0, 0, ?, ?, ?)", row
                    )
            kept = Tags() if left else tags
            self._connection.execute(
                "INSERT OR REPLACE INTO feeds VALUES (?, ?, ?)", (self._feed, kept.etag, kept.modified)
            )
        return left

    def _waiting(self) -> int:
        sql = "SELECT count(*) FROM entries WHERE feed = ? AND NOT done"
        return int(self._connection.execute(sql, (self._feed,)).fetchone()[0])

    def wanted(self, now_ms: int, most: int) -> list[Wanted]:
        """The entries whose files are to be had now, the newest first."""
        sql = """\
SELECT entry, link, tries, first_ms FROM entries WHERE feed = ? AND NOT done AND next_ms <= ?
ORDER BY tries, updated_s DESC, entry LIMIT ?"""
        return [Wanted(*row) for row in self._connection.execute(sql, (self._feed, now_ms, most))]

    def next_try_ms(self) -> int | None:
        """When the next entry is to be tried; None when none is."""
        sql = "SELECT min(next_ms) FROM entries WHERE feed = ? AND NOT done"
        found: int | None = self._connection.execute(sql, (self._feed,)).fetchone()[0]
        return found

    def try_again(self, one: Wanted, next_ms: int | None) -> None:
        """Try an entry again at a time; None: never."""
        sql = "UPDATE entries SET tries = tries + 1, done = ?, next_ms = ? WHERE feed = ? AND entry = ?"
        with transaction(self._connection):
            self._connection.execute(sql, (next_ms is None, next_ms or 0, self._feed, one.entry))

    # -- messages

    def add(self, one: Wanted, message: CapMessage) -> Literal["new", "known", "changed"]:
        """Take in what an entry led to, unless it is known, or known with other content."""
        draft = message.draft
        key = (self._feed, draft.sender, draft.identifier)
        with transaction(self._connection):
            self._connection.execute(
                "UPDATE entries SET done = 1 WHERE feed = ? AND entry = ?", (self._feed, one.entry)
            )
            sql = "SELECT digest FROM messages WHERE feed = ? AND sender = ? AND identifier = ?"
            known = self._connection.execute(sql, key).fetchone()
            if known is not None:
                return "known" if known[0] == message.digest else "changed"
            headline = next((info.headline for info in draft.info), "")
            until = draft.expires or draft.sent or ""
            row = (*key, draft.sent, until, message.digest, draft.page.file.name, headline)
            sql = "INSERT INTO messages VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, 'new', '', NULL, NULL)"
            number = self._connection.execute(sql, row).lastrowid
            refs = {(number, ref.sender, ref.identifier) for ref in draft.refers_to}
            self._connection.executemany("INSERT INTO refs VALUES (?, ?, ?)", sorted(refs))
        return "new"

    def put(self, message: Message, state: State, why: str = "", plan: Plan | None = None) -> None:
        """Keep how far a message has come, and the plan for it when there is a new one."""
        sql = "UPDATE messages SET state = ?, why = ?, plan = coalesce(?, plan) WHERE number = ?"
        encoded = None if plan is None else msgspec.json.encode(plan)
        with transaction(self._connection):
            self._connection.execute(sql, (state, why[:400], encoded, message.number))

    def begin(self, message: Message, plan: Plan, now_ms: int) -> None:
        """Keep that a message is to go out as a new alert, and since when."""
        sql = "UPDATE messages SET state = 'passing', why = '', plan = ?, begun_ms = ? WHERE number = ?"
        with transaction(self._connection):
            self._connection.execute(sql, (msgspec.json.encode(plan), now_ms, message.number))

    def begun_since(self, since_ms: int) -> int:
        """How many messages went out as new alerts by the rules alone."""
        sql = "SELECT count(*) FROM messages WHERE feed = ? AND begun_ms >= ?"
        return int(self._connection.execute(sql, (self._feed, since_ms)).fetchone()[0])

    def uses(self, file: Path) -> bool:
        """Tell whether a message of any feed is what lies in a file."""
        sql = "SELECT count(*) FROM messages WHERE file = ?"
        return bool(self._connection.execute(sql, (file.name,)).fetchone()[0])

    def of_state(self, state: State) -> list[Message]:
        """The messages that have come so far, in the order in which their authors sent them."""
        return self._read("WHERE feed = ? AND state = ? ORDER BY sent, number", (self._feed, state))

    def of_number(self, number: int) -> Message | None:
        """A message by its number."""
        return next(iter(self._read("WHERE feed = ? AND number = ?", (self._feed, number))), None)

    def named(self, references: Iterable[AlertReference]) -> list[Message]:
        """The messages of this feed that references name."""
        where = "WHERE feed = ? AND sender = ? AND identifier = ?"
        keys = dict.fromkeys((one.sender, one.identifier) for one in references)
        return [found for key in keys for found in self._read(where, (self._feed, *key))]

    def followers(self, message: Message) -> list[Message]:
        """The messages of the same sender that name this one, in their order."""
        where = """\
WHERE feed = ?1 AND sender = ?2 AND number IN (SELECT number FROM refs WHERE sender = ?2 AND identifier = ?3)
ORDER BY sent, number"""
        return self._read(where, (self._feed, message.sender, message.identifier))

    def _read(self, where: str, values: tuple[object, ...]) -> list[Message]:
        rows = self._connection.execute(f"SELECT {_COLUMNS} FROM messages {where}", values)  # noqa: S608 (names of ours; values are parameters)
        return [_message(row) for row in rows.fetchall()]

    def forget(self, now_ms: int) -> None:
        """Forget what is long over, and what the feed has not listed for long."""
        before_ms, before = now_ms - KEEP_MS, utc(now_ms - KEEP_MS)
        gone = "feed = ? AND state IN ('passed', 'dropped') AND until < ?"
        with transaction(self._connection):
            self._connection.execute("DELETE FROM entries WHERE feed = ? AND seen_ms < ?", (self._feed, before_ms))
            sql = f"SELECT file FROM messages WHERE {gone}"  # noqa: S608 (names of ours; values are parameters)
            files = [self.folder / row[0] for row in self._connection.execute(sql, (self._feed, before))]
            sql = f"DELETE FROM refs WHERE number IN (SELECT number FROM messages WHERE {gone})"  # noqa: S608 (names of ours; values are parameters)
            self._connection.execute(sql, (self._feed, before))
            self._connection.execute(f"DELETE FROM messages WHERE {gone}", (self._feed, before))  # noqa: S608 (names of ours; values are parameters)
        for file in files:
            if not self.uses(file):
                file.unlink(missing_ok=True)


def _message(row: tuple[object, ...]) -> Message:
    *plain, plan = row
    values = dict(zip(_COLUMNS.split(", ")[:-1], plain, strict=True))
    read = msgspec.json.decode(plan, type=Plan) if isinstance(plan, bytes) else None
    return msgspec.convert({**values, "plan": read}, Message)


@contextmanager
def opened_book(centre: Centre, feed: str, *, in_memory: Path | None = None) -> Iterator[Book]:
    """Open the book of a feed; with a folder ``in_memory``, an empty one that nobody else sees, whose files lie there.

    Raises CentralError ``bad-feed-book``.
    """
    path = centre.folder / FILE
    folder = in_memory or centre.folder / FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        name = ":memory:" if in_memory else path
        with closing(sqlite3.connect(name, timeout=BUSY_S, isolation_level=None)) as connection:
            prepare(connection, VERSION, _SCHEMA)
            yield Book(connection, feed, folder)
    except (sqlite3.Error, msgspec.MsgspecError) as error:
        raise CentralError("bad-feed-book", file=path, found=str(error)) from error
