"""What somebody who can write to the ledger, or to what is carried to it, does to the proof: each is found and named.

The centre's ledger is a file that its owner, and whoever gets into his machine, can write. The chain is the station's.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.central.conftest import centre_folder, made_centre  # noqa: F401
from tests.central.trails import keep, life, missing, reports, tamper, wrong
from tests.core.material import PROVINCE, ByHand, programme, slot
from ttcs_edge.central.audit import exit_code, verified
from ttcs_edge.central.audit_chain import Trail
from ttcs_edge.central.centre import Centre, open_centre
from ttcs_edge.core.audit import REFUSALS_AT_ONCE, UNSAID_AFTER_MS
from ttcs_edge.core.documents import Refused
from ttcs_edge.core.effects import Audited
from ttcs_edge.store.database import Database
from ttcs_edge.wire.chain import digest_of

STATION, OTHER = "da-teh-01", "bao-loc-01"
UPDATE = "UPDATE reports SET body = ?2 WHERE id = ?1"
LINKS = 6
FLOOD = 10_000


@pytest.fixture
def centre(centre_folder: Path, tmp_path: Path) -> Centre:  # noqa: F811
    """A centre that has kept six entries of one station, a fault behind each, and knows that there are no more."""
    centre = open_centre(centre_folder)
    keep(centre, life(tmp_path / "station", *range(1, LINKS + 1)), {(STATION, 1): 2 * LINKS})
    return centre


def looked_at(centre: Centre, station: str = STATION) -> Trail:
    """The trail of a station as the command sees it."""
    return verified(centre, station)[0]


def body_of(centre: Centre, number: int) -> dict[str, Any]:
    """An entry as it lies in the ledger."""
    (row,) = [json.loads(row) for row in _bodies(centre) if json.loads(row)["id"] == f"{STATION}/1-u{number}"]
    assert isinstance(row, dict)
    return row


def _bodies(centre: Centre) -> list[bytes]:
    from ttcs_edge.central.ledger import opened_ledger

    with opened_ledger(centre) as ledger:
        return [row.body for row in ledger.trail(STATION)]


def write(centre: Centre, number: int, body: dict[str, Any]) -> None:
    """Put another body in the place of an entry."""
    tamper(centre, UPDATE, values=(f"{STATION}/1-u{number}", json.dumps(body).encode()))


def forged(body: dict[str, Any]) -> dict[str, Any]:
    """With a digest that is right: everybody can reckon it."""
    return body | {"digest": digest_of(body)}


def test_what_nobody_touched_is_whole(centre: Centre) -> None:
    """However it lies there: other white space and another order of the names say the same."""
    for number in range(1, LINKS + 1):
        body = body_of(centre, number)
        write(centre, number, dict(reversed(body.items())))
    trail = looked_at(centre)

    assert (wrong(trail), missing(trail), len(trail.entries)) == ([], [], LINKS)
    assert exit_code([trail]) == 0


CHANGES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another version": lambda body: body | {"version": 99},
    "another signer": lambda body: body | {"keys": ["0" * 64]},
    "another time": lambda body: body | {"at": "2020-01-01T00:00:00.000Z"},
    "refused, not accepted": lambda body: body | {"deed": "refused"},
    "a field more": lambda body: body | {"note": "harmless"},
    "somebody at the box": lambda body: body | {"by": {"uid": 0, "name": "root"}},
    "another number": lambda body: body | {"sequence": 99},
}


@pytest.mark.parametrize("what", CHANGES)
def test_an_entry_that_was_changed_is_named(centre: Centre, what: str) -> None:
    """Whatever was changed of it: that entry, and no other."""
    write(centre, 3, CHANGES[what](body_of(centre, 3)))
    trail = looked_at(centre)

    assert (wrong(trail), exit_code([trail])) == ([(3, "digest")], 65)


def test_an_entry_that_was_changed_with_its_digest_breaks_the_chain_behind_it(centre: Centre) -> None:
    """The next one still says what was before it."""
    write(centre, 3, forged(body_of(centre, 3) | {"version": 99}))
    assert wrong(looked_at(centre)) == [(4, "before")]


def test_a_tail_that_was_made_anew_breaks_at_what_the_station_says_next(centre: Centre, tmp_path: Path) -> None:
    """Who reckons all digests anew is not seen until then, and is from then on."""
    before = body_of(centre, 4)["digest"]
    for number in (5, 6):
        body = forged(body_of(centre, number) | {"version": 99, "before": before})
        write(centre, number, body)
        before = body["digest"]
    assert wrong(looked_at(centre)) == []
    keep(centre, life(tmp_path / "station", 7))
    assert wrong(looked_at(centre)) == [(7, "before")]


def test_an_entry_that_was_removed_is_missing_and_can_be_had_again(centre: Centre, tmp_path: Path) -> None:
    """Its number is free, and the station still has it."""
    tamper(centre, f"DELETE FROM reports WHERE id IN ('{STATION}/1-u3', '{STATION}/1-u4')")
    trail = looked_at(centre)

    assert (wrong(trail), missing(trail), exit_code([trail])) == ([], [(3, 4)], 69)
    assert trail.gaps[0].numbers == ((5, 5), (7, 7)) and trail.gaps[0].let_go == 0
    keep(centre, life(tmp_path / "station"))
    assert missing(looked_at(centre)) == []


def test_an_entry_that_was_replaced_by_another_report_is_a_change(centre: Centre) -> None:
    """Under its number lies something else: asking for it again would bring nothing."""
    other = json.dumps({"journal": 1, "sequence": 5}).encode()
    tamper(
        centre,
        f"UPDATE reports SET id = '{STATION}/1-f9', kind = 'fault', body = ?1 WHERE id = '{STATION}/1-u3'",
        values=(other,),
    )
    assert (wrong(looked_at(centre)), exit_code([looked_at(centre)])) == ([(3, "number")], 65)


def test_two_entries_that_were_swapped_are_named(centre: Centre) -> None:
    """Under each other's names they are not theirs; under each other's links, with everything else, not either."""
    second, fifth = body_of(centre, 2), body_of(centre, 5)
    write(centre, 2, fifth)
    write(centre, 5, second)
    assert {(2, "name"), (5, "name")} <= set(wrong(looked_at(centre)))
    places = ("id", "link", "sequence", "before")
    write(centre, 2, forged(fifth | {name: second[name] for name in places}))
    write(centre, 5, forged(second | {name: fifth[name] for name in places}))
    assert wrong(looked_at(centre)) == [(3, "before"), (6, "before")]


def test_an_entry_that_was_put_between_two_is_named(centre: Centre) -> None:
    """It has nobody's place: two are in one."""
    body = forged(body_of(centre, 3) | {"id": f"{STATION}/1-u33", "version": 99, "sequence": 99})
    tamper(
        centre,
        f"INSERT INTO reports VALUES ('{STATION}', '{STATION}/1-u33', 'audit', '', 'broker', ?1)",
        values=(json.dumps(body).encode(),),
    )
    assert (3, "doubled") in wrong(looked_at(centre))


@pytest.mark.parametrize("cut", [1, 3, LINKS])
def test_the_last_ones_cut_off_are_missed_by_the_number_that_the_station_told(centre: Centre, cut: int) -> None:
    """Also all of them: the heartbeat has told how many reports there are."""
    names = ", ".join(f"'{STATION}/1-u{number}'" for number in range(LINKS - cut + 1, LINKS + 1))
    tamper(centre, f"DELETE FROM reports WHERE id IN ({names})")
    trail = looked_at(centre)

    assert (wrong(trail), missing(trail), exit_code([trail])) == ([], [(LINKS - cut + 1, None)], 69)
    assert sum(last - first + 1 for first, last in trail.gaps[0].numbers) == cut


def test_the_first_ones_cut_off_are_missing(centre: Centre) -> None:
    """A chain begins with its first link, wherever one began to listen."""
    tamper(centre, f"DELETE FROM reports WHERE id IN ('{STATION}/1-u1', '{STATION}/1-u2')")
    assert missing(looked_at(centre)) == [(1, 2)]


def test_the_end_of_an_old_chain_is_known_to_the_next(centre: Centre, tmp_path: Path) -> None:
    """Cut off or changed: the database that was made anew told where the old one had come to."""
    (tmp_path / "station/suspect").write_text("found while it ran")
    keep(centre, life(tmp_path / "station", 1, 2))
    tamper(centre, "DELETE FROM newest")
    assert (wrong(looked_at(centre)), missing(looked_at(centre))) == ([], [])
    write(centre, LINKS, forged(body_of(centre, LINKS) | {"version": 99}))
    assert wrong(looked_at(centre)) == [(LINKS, "end")]
    tamper(centre, f"DELETE FROM reports WHERE id = '{STATION}/1-u{LINKS}'")
    assert missing(looked_at(centre)) == [(LINKS, LINKS)]


def test_an_entry_of_another_station_proves_nothing_here(centre: Centre, tmp_path: Path) -> None:
    """Replayed as it is, under its own name or under one of this station."""
    keep(centre, life(tmp_path / "other", 1, 2, station=OTHER))
    tamper(centre, f"UPDATE reports SET station = '{STATION}' WHERE id = '{OTHER}/1-u2'")
    assert wrong(looked_at(centre)) == [(2, "name")]
    tamper(centre, f"DELETE FROM reports WHERE id = '{STATION}/1-u2'")
    tamper(centre, f"UPDATE reports SET id = '{STATION}/1-u2' WHERE id = '{OTHER}/1-u2'")
    assert (2, "name") in wrong(looked_at(centre))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"kind":"audit"}', b"\xff", b"[" * 500, b"x" * 300_000])
def test_garbage_in_the_place_of_an_entry_is_named_and_the_rest_is_shown(centre: Centre, body: bytes) -> None:
    """never-7, at the centre."""
    tamper(centre, UPDATE, values=(f"{STATION}/1-u3", body))
    trail = looked_at(centre)

    assert (0, "unreadable") in wrong(trail) and len(trail.entries) == LINKS - 1


def test_what_the_station_let_go_is_told_apart_from_what_was_removed(centre_folder: Path, tmp_path: Path) -> None:  # noqa: F811
    """A card that was full: the chain says how many, and asking again would bring nothing."""
    centre = open_centre(centre_folder)
    bodies = life(tmp_path / "full", *range(1, 41), report_bytes=16_000)
    bodies = life(tmp_path / "full", 41, report_bytes=16_000)
    kept = [json.loads(body) for body in bodies]
    first = min(one["link"] for one in kept if one["kind"] == "audit")
    keep(centre, bodies)
    (gap,) = looked_at(centre).gaps

    assert (gap.first, gap.last) == (1, first - 1) and gap.let_go in (first - 1, first - 2) and first > 10
    assert wrong(looked_at(centre)) == []


@pytest.mark.parametrize("between", ["nothing", "a replay of the good one"])
def test_a_flood_of_forged_documents_is_a_few_entries_and_a_count(
    centre_folder: Path,  # noqa: F811
    tmp_path: Path,
    between: str,
) -> None:
    """never-8: ten thousand in a row, also when each ends the fault of the one before: at most 33 rows on the card, and
    the centre knows of each.
    """
    good = programme([slot("a", "05:00:00")], version=3)
    station = ByHand(good)
    for number in range(FLOOD):
        station.arrive(Refused("not-enough-signatures", PROVINCE), delivery=number)
        if between != "nothing":
            station.arrive(good)
    station.wait(UNSAID_AFTER_MS)
    database = Database.open(tmp_path / "flooded")
    database.commit(station.entries(Audited), STATION, station.wall_ms)
    database.close()
    centre = open_centre(centre_folder)
    keep(centre, reports(tmp_path / "flooded"))
    trail = looked_at(centre)

    told = sum(one.deed == "refused" for one in trail.entries)
    counted = sum(one.count for entry in trail.entries for one in entry.unsaid)
    assert told + counted == FLOOD and told <= REFUSALS_AT_ONCE
    assert len(trail.entries) <= 1 + REFUSALS_AT_ONCE + 1
    assert exit_code([trail]) == 0
