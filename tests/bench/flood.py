"""`flood`: `alert` while whoever holds the broker sends 10,000 forged alerts a minute.

Each is of an event of its own and names the publisher's key, so that its signature must be checked. Floor: ``alert`` of
the same station when it is idle. ``forged`` is how many came while alerts were measured; ``longest`` the longest of the
delays: none may be more than a second. The flood has a process of its own, which gives way to all others.
"""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
import tempfile
import time
from pathlib import Path

from tests.bench.alert import ALERTS, Ground, alert
from tests.bench.report import report
from tests.bench.under_load import measure
from tests.parts import ROOT, SCOPE, Listener, Province, Station, eventually
from ttcs_edge.core.documents import AlertInfo

A_MINUTE = 10_000


def forged(province: Province) -> bytes:
    """An alert with the publisher's name under a signature that is none of its own."""
    envelope = json.loads(
        province.sign(alert(0, 1, msg_type="Alert", info=(AlertInfo(language="vi", headline="Giả"),)))
    )
    envelope["signatures"][0]["sig"] = base64.b64encode(os.urandom(64)).decode()
    return json.dumps(envelope).encode()


class Flood:
    """Forged alerts at an even pace, from ``begin`` to ``end``."""

    def __init__(self, station: Station) -> None:
        """To be made before this process has threads of its own: the flood's begins as a copy of it."""
        forked = multiprocessing.get_context("fork")
        self._station = station
        self._begins, self._over = forked.Event(), forked.Event()
        self._sent = forked.Value("i", 0)
        self._process = forked.Process(target=self._run, daemon=True)
        self._process.start()

    def begin(self) -> None:
        """From now on."""
        self._begins.set()
        eventually(lambda: self.sent > 0, 30)

    def end(self) -> None:
        """Enough."""
        self._over.set()
        self._process.join()

    @property
    def sent(self) -> int:
        """How many were sent."""
        return int(self._sent.value)

    def _run(self) -> None:
        os.nice(10)
        centre = Listener(self._station.broker, "flood", f"{ROOT}/nothing", client_id="flood")
        envelope = forged(self._station.province)
        self._begins.wait()
        begun_s = time.monotonic()
        while not self._over.is_set():
            centre._client.publish(f"{ROOT}/scope/{SCOPE}/alert/gia-{self.sent}", envelope, qos=1)
            self._sent.value += 1
            # the pace of the flood, not a wait for anything
            time.sleep(max(0.0, begun_s + self.sent * 60 / A_MINUTE - time.monotonic()))
        centre.close()


def main() -> None:
    """Idle first, then in the flood."""
    with tempfile.TemporaryDirectory() as name:
        floods: list[Flood] = []
        ground = Ground(Path(name), lambda station: floods.append(Flood(station)), "nothing")
        (flood,) = floods
        idle = measure(ground, 0)
        flood.begin()
        flooded = measure(ground, ALERTS)
        flood.end()
        ground.close()
    floor, ours = ([ms for _, ms in values.values()] for values in (idle, flooded))
    report("flood", "ms", floor, ours, forged=flood.sent, longest=round(max(ours), 1))


if __name__ == "__main__":
    main()
