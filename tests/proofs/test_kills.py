"""Kills: all writers are killed at once, again and again, and every promise must have been kept."""

import random

import pytest

from eventreg.core import invariants
from eventreg.storage import checks
from eventreg.storage.session import db, reading
from tests.proofs.conftest import rounds
from tests.proofs.crowd import Act, Crowd, Place, broken_promises
from tests.support.factories import House, toml
from tests.support.postgresql import Cluster

WRITERS = 4


def check_database(house: House) -> None:
    """The database file is undamaged, and all invariants hold."""
    reading().rollback()
    assert invariants.of_event(reading(), house.event(), now=house.now).holds
    if db.engine.dialect.name == "sqlite":
        assert checks.sqlite_damage() == ""


@pytest.mark.both_databases
def test_every_acknowledged_registration_survives_the_kill_of_all_writers(
    house: House, place: Place
) -> None:
    house.apply(toml(capacity=100_000))
    chance, promised = random.Random("kills"), 0
    for number in range(rounds(4, 300)):
        crowd = Crowd(place, f"round{number}", Act(10_000), WRITERS)
        crowd.wait_for(chance.randrange(1, 60))
        crowd.kill()
        promises = crowd.promises()
        promised += len(promises)
        assert broken_promises(house, promises) == []
    check_database(house)
    print(f"{promised} promises, none broken")  # noqa: T201


def test_every_acknowledged_registration_survives_a_crash_of_postgresql(
    fragile: Cluster, tmp_path: object
) -> None:
    place = Place(str(tmp_path), {"EVENTREG_DATABASE_URL": fragile.create("crashing")})
    house, chance, promised = place.house(), random.Random("crashes"), 0
    with house.app.app_context():
        checks.make_tables()
        assert list(checks.wrong_settings()) == [], "fsync and synchronous_commit are on"
        house.apply(toml(capacity=100_000))
        for number in range(rounds(2, 30)):
            crowd = Crowd(place, f"crash{number}", Act(10_000), WRITERS)
            crowd.wait_for(chance.randrange(10, 80))
            reading().rollback()
            db.engine.dispose()
            fragile.crash()
            fragile.start()
            before = len(crowd.promises())
            crowd.wait_for(before + 10)  # the writers connect again by themselves
            crowd.kill()
            assert len(crowd.promises()) >= before + 10, "after the restart registering goes on"
            assert broken_promises(house, crowd.promises()) == []
            promised += len(crowd.promises())
        check_database(house)
    house.close()
    print(f"{promised} promises, none broken")  # noqa: T201
