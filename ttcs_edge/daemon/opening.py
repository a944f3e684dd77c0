"""The database is opened, checked and read on a thread of its own, while the rest of the station is imported.

SQLite does nearly all of that work, and leaves the interpreter to others meanwhile.
"""

from __future__ import annotations

import sys
import threading
from concurrent.futures import Future

from ttcs_edge.settings import Config
from ttcs_edge.store.in_memory import Opened, open_database

SWITCH_S = 0.000_5
"""How long one thread waits for the interpreter while another is busy, in a start: a hundred small steps."""


def begin(config: Config) -> Future[Opened]:
    """Begin to open the database of a station; the future raises what ``open_database`` raises."""
    future: Future[Opened] = Future()

    def work() -> None:
        try:
            opened = open_database(config.state_folder, config.runtime_folder / "state", config.store)
            opened.database.read_ahead()
            future.set_result(opened)
        except BaseException as error:
            future.set_exception(error)

    sys.setswitchinterval(SWITCH_S)
    threading.Thread(target=work, name="store-open", daemon=True).start()
    return future
