"""Storms: eight processes for a hundred seats, killed at random and watched all the time."""

import random
from dataclasses import replace

import pytest

from eventreg.core import audit, invariants
from eventreg.core.models.audit import AuditEntry
from eventreg.storage.session import reading
from tests.proofs import faults
from tests.proofs.conftest import in_short, on_one_database, rounds, seeds
from tests.proofs.crowd import Act, Crowd, Place, broken_promises, watched
from tests.support.factories import House, toml

CAPACITY, WRITERS = 100, rounds(5, 8)


def storm(
    house: House, place: Place, seed: str, tries: int, *, kill: bool = True, undoes: int = 0
) -> list[str]:
    """Run a storm. Returns what is wrong: states seen during it, invariants and promises broken
    after it."""
    chance = random.Random(seed)
    with watched(house) as seen:
        crowd = Crowd(place, seed, Act(tries, cancels=4 if undoes else 2, undoes=undoes), WRITERS)
        kills = rounds(4, 20) if kill else 0
        for killed in range(1, kills + 1):
            crowd.wait_for(killed * tries * WRITERS // (3 * kills))
            crowd.kill_one(chance)
        crowd.finish()
    reading().rollback()
    found = invariants.of_event(reading(), house.event(), now=house.now)
    wrong = [f"{finding.name}: {finding.detail}" for finding in found.findings if not finding.holds]
    promises = len(crowd.promises())
    print(f"{seed}: {promises} promises, {found.confirmed} seated, {found.waiting} wait")  # noqa: T201
    return seen + wrong + broken_promises(house, crowd.promises())


@pytest.mark.both_databases
@pytest.mark.parametrize("seed", seeds(1, 5))
def test_after_a_storm_with_writers_killed_at_random_everything_holds(
    house: House, place: Place, seed: str
) -> None:
    house.apply(toml(capacity=CAPACITY, more="[waitlist]\nsize = 300"))
    assert storm(house, place, seed, rounds(50, 250)) == []
    assert house.seats().taken > CAPACITY - 2, "only a couple may be waiting while one seat is left"


@pytest.mark.both_databases
@pytest.mark.parametrize("seed", seeds(1, 5))
def test_a_storm_of_cancellations_undone_and_new_registrations_keeps_the_cap(
    house: House, place: Place, seed: str
) -> None:
    house.apply(toml(capacity=20, more="[waitlist]\nsize = 300"))
    assert storm(house, place, seed, rounds(40, 250), kill=False, undoes=7) == []
    undone = audit.Action.CANCELLATION_UNDONE
    assert reading().query(AuditEntry).filter_by(action=undone).count() > 10


@in_short("sqlite")
def test_without_its_guard_undoing_gives_away_too_many_seats(house: House, place: Place) -> None:
    house.apply(toml(capacity=20, more="[waitlist]\nsize = 300"))
    faults.drop_schema_guards()
    broken = replace(place, fault="undone_without_looking")
    seen = storm(house, broken, "undo", rounds(20, 30), kill=False, undoes=7)
    assert [line for line in seen if "people, 20 seats" in line]


@in_short("postgresql")
def test_without_its_guard_the_schema_still_keeps_the_cap(house: House, place: Place) -> None:
    house.apply(toml(capacity=20, more="[waitlist]\nsize = 300"))
    broken = replace(place, fault="undone_without_looking")
    seen = storm(house, broken, "undo", rounds(8, 30), kill=False, undoes=7)
    assert not [line for line in seen if "seats" in line and "people" in line]
    assert house.seats().taken <= 20


@on_one_database(
    "no_guard", "nobody_is_promoted", "promoted_later", "no_audit_of_cancellation", "nobody_is_told"
)
def test_a_storm_notices_a_seeded_fault(house: House, place: Place, fault: str) -> None:
    house.apply(toml(capacity=20, more="[waitlist]\nsize = 300"))
    if fault == "no_guard":
        faults.drop_schema_guards()
    broken = replace(place, fault=fault)
    # Chance decides who meets whom, so now and then one storm is not enough.
    storms = (storm(house, broken, fault + more, rounds(30, 40), kill=False) for more in " 123")
    assert any(storms)


@in_short("sqlite")
def test_without_the_guard_the_schema_still_keeps_the_cap(house: House, place: Place) -> None:
    house.apply(toml(capacity=20, more="[waitlist]\nsize = 300"))
    broken = storm(house, replace(place, fault="no_guard"), "schema", rounds(15, 30), kill=False)
    assert not [line for line in broken if "seats" in line and "people" in line]
    assert house.seats().taken <= 20
