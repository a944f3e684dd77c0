"""Fixtures: links of stations to a broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.link.bench import Bench
from tests.parts import Authority, Broker

Links = Callable[..., Bench]


@pytest.fixture
def free_broker(tmp_path: Path, authority: Authority) -> Iterator[Broker]:
    """A running Mosquitto that lets everybody do everything, as it comes: for what the rules would keep from a test."""
    broker = Broker(tmp_path / "free-broker", authority, stations=None)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def links(tmp_path: Path, authority: Authority) -> Iterator[Links]:
    """Makes links, each in a folder of its own; closes them."""
    made: list[Bench] = []

    def make(port: int, **settings: object) -> Bench:
        bench = Bench(tmp_path / f"link-{len(made)}", authority, port, **settings)  # type: ignore[arg-type]
        made.append(bench)
        return bench

    yield make
    for bench in made:
        bench.close()
